/* A trip's form and rows; coordinates as people write them. */
#include "tests/traveller/traveller_fixture.h"

#include "desks/travel/trip.h"

struct coordinates_case {
	const char *text;
	double latitude, longitude; /* 999: something else; 888: out of range */
};

static void coordinates_as_people_write_them(void **state)
{
	(void)state;
	static const struct coordinates_case cases[] = {
		{ "36.8, 10.18", 36.8, 10.18 },
		{ "36.8 10.18", 36.8, 10.18 },
		{ "36.8,10.18", 36.8, 10.18 },
		{ "-33.45, -70.66", -33.45, -70.66 },
		{ "−33.45; −70.66", -33.45, -70.66 },
		{ "36.8N 10.18E", 36.8, 10.18 },
		{ "36.8 N, 10.18 W", 36.8, -10.18 },
		{ "N36.8 E10.18", 36.8, 10.18 },
		{ "10.18E 36.8S", -36.8, 10.18 },
		{ "36°48'N 10°10'48\"E", 36.8, 10.18 },
		{ "36° 48′ 0″ N, 10° 10′ 48″ E", 36.8, 10.18 },
		{ "36,8 10,18", 36.8, 10.18 },
		{ "36,8; 10,18", 36.8, 10.18 },
		{ "36,10", 36, 10 },
		{ "۳۵٫۷، ۵۱٫۴", 35.7, 51.4 },
		{ "٣٦٫٨ ١٠٫١٨", 36.8, 10.18 },
		{ "(36.8, 10.18)", 36.8, 10.18 },
		{ "0 0", 0, 0 },
		{ "90, 180", 90, 180 },
		{ "91, 10", 888, 888 },
		{ "36.8, 181", 888, 888 },
		{ "10.18E", 999, 999 },
		{ "36.8", 999, 999 },
		{ "36.8 10.18 5", 999, 999 },
		{ "36.8N 10.18N", 999, 999 },
		{ "36.8N 10.18", 999, 999 },
		{ "36°75'N 10°E", 999, 999 },
		{ "36.5°48'N 10°E", 999, 999 },
		{ "Tunis", 999, 999 },
		{ "1.2.3 4", 999, 999 },
		{ "--1 2", 999, 999 },
		{ "", 999, 999 },
		{ "N", 999, 999 },
		{ ", ,", 999, 999 },
	};
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		double latitude = 777, longitude = 777;
		enum coordinates got = coordinates_read(&arena, str_from(cases[i].text), &latitude, &longitude);
		enum coordinates wanted = cases[i].latitude > 998   ? COORDINATES_NONE
		                          : cases[i].latitude > 887 ? COORDINATES_OUT_OF_RANGE
		                                                    : COORDINATES_READ;
		if (got != wanted)
			fail_msg("'%s': %d, not %d", cases[i].text, got, wanted);
		if (got == COORDINATES_READ) {
			assert_float_equal(latitude, cases[i].latitude, 1e-9);
			assert_float_equal(longitude, cases[i].longitude, 1e-9);
		} else {
			assert_float_equal(latitude, 777, 0);
		}
	}
	arena_release(&arena);
}

struct where_case {
	const char *text;
	enum where_answer answer;
	const char *country, *zone;
	enum leg_kind kind;
	enum language language; /* the reader's */
};

static void places_as_people_write_them(void **state)
{
	(void)state;
	static const struct where_case cases[] = {
		{ "Tehran", WHERE_FOUND, "IR", "Asia/Tehran", LEG_POINT, LANGUAGE_EN },
		{ "Teheran", WHERE_FOUND, "IR", "Asia/Tehran", LEG_POINT, LANGUAGE_EN },
		{ "تهران", WHERE_FOUND, "IR", "Asia/Tehran", LEG_POINT, LANGUAGE_EN },
		{ "Тегеран", WHERE_FOUND, "IR", "Asia/Tehran", LEG_POINT, LANGUAGE_EN },
		{ "paris", WHERE_FOUND, "FR", "Europe/Paris", LEG_POINT, LANGUAGE_EN },
		{ "Paris, Texas", WHERE_FOUND, "US", "America/Chicago", LEG_POINT, LANGUAGE_EN },
		{ "Tripoli", WHERE_CHOOSE, NULL, NULL, LEG_POINT, LANGUAGE_EN },
		{ "Springfield", WHERE_CHOOSE, NULL, NULL, LEG_POINT, LANGUAGE_EN },
		{ "Singapore", WHERE_CHOOSE, NULL, NULL, LEG_POINT, LANGUAGE_EN },
		{ "Tunisia", WHERE_FOUND, "TN", "Africa/Tunis", LEG_COUNTRY, LANGUAGE_EN },
		{ "ایران", WHERE_CHOOSE, NULL, NULL, LEG_COUNTRY, LANGUAGE_EN },
		{ "Iran", WHERE_FOUND, "IR", "Asia/Tehran", LEG_COUNTRY, LANGUAGE_EN },
		{ "Lebanon", WHERE_FOUND, "LB", "Asia/Beirut", LEG_COUNTRY, LANGUAGE_EN },
		/* Countries by their English names, whatever the reader's language: never a hamlet that is called so too. */
		{ "Algeria", WHERE_FOUND, "DZ", "Africa/Algiers", LEG_COUNTRY, LANGUAGE_FA },
		{ "Tunisia", WHERE_FOUND, "TN", "Africa/Tunis", LEG_COUNTRY, LANGUAGE_AR },
		{ "Tunis", WHERE_FOUND, "TN", "Africa/Tunis", LEG_POINT, LANGUAGE_EN },
		{ "Tehrann", WHERE_GUESS, NULL, NULL, LEG_POINT, LANGUAGE_EN },
		{ "qqqqxxxxzzzzzz", WHERE_NOTHING, NULL, NULL, LEG_POINT, LANGUAGE_EN },
		{ "36.8, 10.18", WHERE_FOUND, "TN", "Africa/Tunis", LEG_POINT, LANGUAGE_EN },
		{ "0, -30", WHERE_FOUND, "", NULL, LEG_POINT, LANGUAGE_EN },
		{ "95, 10", WHERE_OUT_OF_RANGE, NULL, NULL, LEG_POINT, LANGUAGE_EN },
	};
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct where_case *wanted = &cases[i];
		enum where_answer answer;
		struct where where;
		struct choice *choices;
		size_t count;
		assert_int_equal(where_read(traveller_places(), &arena, wanted->language, str_from(wanted->text), STR_NONE, false, &answer, &where, &choices,
		                            &count, &err),
		                 OK);
		if (answer != wanted->answer)
			fail_msg("'%s': %d, not %d", wanted->text, answer, wanted->answer);
		if (answer == WHERE_FOUND) {
			assert_string_equal(where.country.ptr, wanted->country);
			assert_int_equal(where.kind, wanted->kind);
			if (wanted->zone)
				assert_string_equal(where.zone.ptr, wanted->zone);
		}
		if (answer == WHERE_CHOOSE || answer == WHERE_GUESS)
			assert_true(count > 0);
	}
	arena_release(&arena);
}

static struct str below(struct traveller *t, struct str path, const char *what)
{
	return str_format(&t->fixture->arena, "%.*s/%s", STR_ARG(path), what);
}

/* Every field of a trip, from the form to the row, the page, the form again and the copy. A new field joins here. */
static void a_trip_goes_in_and_comes_out(void **state)
{
	struct traveller *t = *state;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	struct reply page = follow(t, submit(t, below(t, path, "trips/new"), "leg.0.place", "Shiraz", "leg.0.from", date_in(t, 20), "leg.0.to",
	                                     date_in(t, 25), "leg.0.unsure", "from", "leg.0.radius", "50", "companions", "3", "companion_names",
	                                     "Ines\nYoussef", "note", "insulin", NULL));
	static const char *const shown[] = { "Shiraz", "within 50", "First day give or take 3 days", "With 3 other people", "Ines", "Youssef", "insulin" };
	for (size_t i = 0; i < COUNT_OF(shown); i++)
		assert_holds(page, shown[i]);

	struct str id = cut(t, str_slice(page.body, str_find(page.body, S("Shiraz"), 0), page.body.len), "/trips/", '"');
	page = visit(t, below(t, path, str_format(&t->fixture->arena, "trips/%s", id.ptr).ptr));
	static const char *const filled[] = { "value=\"Shiraz, Fars, Iran\"", "value=\"from\" checked", "value=\"50\" selected", "value=\"3\"",
		                              "Ines\nYoussef", "insulin" };
	for (size_t i = 0; i < COUNT_OF(filled); i++)
		assert_holds(page, filled[i]);
	assert_holds(page, str_format(&t->fixture->arena, "value=\"%s\"", date_in(t, 20)).ptr);

	page = visit(t, below(t, path, "export"));
	static const char *const exported[] = { "\"place\": \"Shiraz, Fars, Iran\"", "\"radius_metres\": 50000", "\"from_unsure_days\": 3",
		                                "\"companions\": 3", "\"Youssef\"", "\"note\": \"insulin\"" };
	for (size_t i = 0; i < COUNT_OF(exported); i++)
		assert_holds(page, exported[i]);
}

struct broken_trip {
	const char *field, *value, *says;
};

/* What breaks a rule says so beside its field, and changes nothing. */
static void a_trip_has_its_rules(void **state)
{
	struct traveller *t = *state;
	static char note[TRIP_NOTE_MAX + 2], names[100 * 2 + 1];
	const struct broken_trip cases[] = {
		{ "companions", "-1", "from 0 to 99" },
		{ "companions", "100", "from 0 to 99" },
		{ "companions", "two", "from 0 to 99" },
		{ "companion_names", names, "at most 99 names" },
		{ "note", note, "longer than 1,000" },
		{ "leg.0.unsure_days", "61", "from 0 to 60" },
		{ "leg.0.radius", "1001", "Choose one of the distances" },
	};

	memset(note, 'n', TRIP_NOTE_MAX + 1);
	for (size_t i = 0; i < 100; i++)
		memcpy(names + 2 * i, "x\n", 2);
	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	int64_t trips = personal_rows(t, person_of(t, "amal@example.org").id).trips;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct reply page = submit(t, below(t, path, "trips/new"), "leg.0.place", "Sfax", "leg.0.from", date_in(t, 20), "leg.0.to", date_in(t, 25),
		                           cases[i].field, cases[i].value, NULL);
		assert_int_equal(page.status, 422);
		assert_holds(page, cases[i].says);
		assert_holds(page, str_format(&t->fixture->arena, "id=\"%s-error\"", cases[i].field).ptr);
	}
	assert_int_equal(personal_rows(t, person_of(t, "amal@example.org").id).trips, trips);
	note[TRIP_NOTE_MAX] = 0;
	assert_int_equal(submit(t, below(t, path, "trips/new"), "leg.0.place", "Sfax", "leg.0.from", date_in(t, 20), "leg.0.to", date_in(t, 25), "note", note,
	                        "companions", "٩٩", "leg.0.unsure_days", "۶۰", NULL).status,
	                 303);
}

static void trips_are_added_changed_and_ended(void **state)
{
	struct traveller *t = *state;
	size_t count;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	int64_t person = person_of(t, "amal@example.org").id;
	visit(t, path);
	struct reply first = submit(t, below(t, path, "trips/new"), "leg.0.place", "Shiraz", "leg.0.from", date_in(t, 20), "leg.0.to",
	                            date_in(t, 25), "leg.1.place", "Singapore", "leg.1.from", date_in(t, 25), "leg.1.to", date_in(t, 30),
	                            "leg.1.unsure", "to", "leg.1.unsure_days", "۵", NULL);
	assert_int_equal(first.status, 422);
	assert_holds(first, "Somewhere in Singapore");
	struct reply reply = submit(t, below(t, path, "trips/new"), "leg.0.place", "Shiraz", "leg.0.from", date_in(t, 20), "leg.0.to",
	                            date_in(t, 25), "leg.1.place", "Iran", "leg.1.choice", "cIR", "leg.1.choice_for", "Iran", "leg.1.from",
	                            date_in(t, 25), "leg.1.to", date_in(t, 30), "leg.1.unsure", "to", "leg.1.unsure_days", "۵", NULL);
	struct reply page = follow(t, reply);
	assert_holds(page, "Your trip was saved");
	assert_holds(page, "Shiraz");
	assert_holds(page, "(anywhere in the country)");
	struct list_legs_row *legs = legs_of(t, person, &count);
	assert_int_equal(count, 3);
	assert_int_equal(legs[2].kind, 3);
	assert_int_equal(legs[2].to_unsure, 5);
	assert_int_equal(legs[2].from_unsure, 0);
	assert_int_equal(legs[2].to_at - legs[2].from_at, (6 + 5) * CLOCK_DAY);

	/* The same key again is the same trip. */
	int64_t trips = personal_rows(t, person).trips;
	struct str shiraz = cut(t, str_slice(page.body, str_find(page.body, S("Shiraz"), 0), page.body.len), "/trips/", '"');
	visit(t, path);
	submit(t, below(t, path, "trips/new"), "leg.0.place", "Sfax", "leg.0.from", date_in(t, 40), "leg.0.to", date_in(t, 41), NULL);
	submit(t, below(t, path, "trips/new"), "leg.0.place", "Sfax", "leg.0.from", date_in(t, 40), "leg.0.to", date_in(t, 41), NULL);
	assert_int_equal(personal_rows(t, person).trips, trips + 1);

	/* Changing one stay keeps the other's row. */
	struct str trip = below(t, path, str_format(&t->fixture->arena, "trips/%s", shiraz.ptr).ptr);
	page = visit(t, trip);
	assert_int_equal(page.status, 200);
	assert_holds(page, "value=\"Shiraz, Fars, Iran\"");
	int64_t shiraz_leg = legs[1].id, iran_leg = legs[2].id;
	page = follow(t, submit(t, trip, "leg.0.place", "Shiraz, Fars, Iran", "leg.0.choice_for", "Shiraz, Fars, Iran", "leg.0.choice",
	                        str_format(&t->fixture->arena, "p%lld", (long long)legs[1].place_id).ptr, "leg.0.from", date_in(t, 20),
	                        "leg.0.to", date_in(t, 25), "leg.1.place", "Isfahan", "leg.1.from", date_in(t, 25), "leg.1.to", date_in(t, 30), NULL));
	assert_holds(page, "Isfahan");
	legs = legs_of(t, person, &count);
	for (size_t i = 0; i < count; i++) {
		if (legs[i].id == shiraz_leg)
			assert_true(legs[i].ended_at == DB_NULL);
		if (legs[i].id == iran_leg)
			assert_true(legs[i].ended_at != DB_NULL);
	}
	visit(t, path);
	page = follow(t, submit(t, below(t, trip, "end"), NULL));
	assert_lacks(page, "Isfahan");
	assert_int_equal(submit(t, below(t, trip, "end"), NULL).status, 303);
	legs = legs_of(t, person, &count);
	for (size_t i = 0; i < count; i++)
		if (legs[i].id == shiraz_leg)
			assert_true(legs[i].ended_at != DB_NULL);
	/* Another person's trip is not found by its id. */
	struct str other = enrolled(t, "Ines", "ines@example.org", NULL);
	assert_int_equal(visit(t, below(t, other, str_format(&t->fixture->arena, "trips/%s", shiraz.ptr).ptr)).status, 404);
}

static void trips_end_a_week_after_they_are_over(void **state)
{
	struct traveller *t = *state;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	trips_end_over(t->house);
	assert_holds(visit(t, path), "Tunis");
	clock_set_offset(16 * CLOCK_DAY);
	trips_end_over(t->house);
	struct reply page = visit(t, str_copy(&t->fixture->arena, path));
	assert_int_equal(page.status, 404); /* the link ended meanwhile */
	assert_int_equal(trips_open(t), 1);
	clock_set_offset(19 * CLOCK_DAY);
	trips_end_over(t->house);
	clock_set_offset(0);
	assert_int_equal(trips_open(t), 0);
	assert_lacks(visit(t, path), "Tunis");
	assert_holds(visit(t, below(t, path, "export")), "Tunis");
}

/* Under way, with the first stay over, plans change: the page's own form must go through as it came. */
static void a_trip_under_way_is_changed(void **state)
{
	struct traveller *t = *state;
	struct arena *arena = &t->fixture->arena;
	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	const int64_t id = person_of(t, "amal@example.org").id;
	size_t count;

	clock_set_offset(20 * CLOCK_DAY);
	visit(t, S("/my"));
	struct reply asked = submit(t, S("/my"), "address", "amal@example.org", NULL);
	visit(t, asked.location);
	path = submit(t, asked.location, "code", code_of(t, "amal@example.org").ptr, NULL).location;
	struct str trip = cut(t, visit(t, path).body, "/trips/", '"');
	trip = str_format(arena, "%.*s/trips/%.*s", STR_ARG(path), STR_ARG(trip));
	visit(t, trip);
	struct reply reply = submit(t, trip, "leg.0.place", "Tunis", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), "leg.1.place", "Cairo",
	                            "leg.1.from", date_in(t, 25), "leg.1.to", date_in(t, 30), NULL);
	assert_int_equal(reply.status, 303);
	legs_of(t, id, &count);
	assert_int_equal(count, 2);
	/* But none that was over before that, and no new trip in the past. */
	visit(t, trip);
	reply = submit(t, trip, "leg.0.place", "Tunis", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 9), "leg.1.place", "Cairo", "leg.1.from",
	               date_in(t, 25), "leg.1.to", date_in(t, 30), NULL);
	assert_int_equal(reply.status, 422);
	trip = str_format(arena, "%.*s/trips/new", STR_ARG(path));
	visit(t, trip);
	assert_int_equal(submit(t, trip, "leg.0.place", "Tunis", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), NULL).status, 422);
	clock_set_offset(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coordinates_as_people_write_them),
		cmocka_unit_test(places_as_people_write_them),
		BOTH_TRAVELLER(a_trip_goes_in_and_comes_out),
		SQLITE_TRAVELLER(a_trip_has_its_rules),
		BOTH_TRAVELLER(trips_are_added_changed_and_ended),
		SQLITE_TRAVELLER(a_trip_under_way_is_changed),
		BOTH_TRAVELLER(trips_end_a_week_after_they_are_over),
	};
	return fixture_main(tests);
}
