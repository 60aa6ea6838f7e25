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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coordinates_as_people_write_them),
		cmocka_unit_test(places_as_people_write_them),
	};
	return fixture_main(tests);
}
