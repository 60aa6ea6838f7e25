/* Imports: what is wrong is said by line, what is staged is seen by nobody, what is taken back is gone. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/traveller/traveller_fixture.h"

#include "core/audience/audience.h"
#include "desks/travel/my.h"

struct told {
	struct arena *arena;
	struct buf text; /* "LINE: WHAT\n" */
	int64_t steps;
};

static void wrong(void *context, int64_t line, struct str text)
{
	struct told *told = context;
	buf_format(&told->text, "%lld: %.*s\n", (long long)line, STR_ARG(text));
}

static void progress(void *context, int64_t lines, int64_t count)
{
	struct told *told = context;
	(void)lines;
	(void)count;
	told->steps++;
}

static int file_of(const char *bytes, size_t size)
{
	int file = memfd_create("import", MFD_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(write(file, bytes, size), size);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	return file;
}

enum what { PEOPLE, TRIPS, WATCHES };

static enum rc import_bytes(struct traveller *t, enum what what, const char *bytes, size_t size, bool confirmed, bool keep_good, struct told *told,
                            struct import_result *result)
{
	struct arena *arena = &t->fixture->arena;
	const struct import_options options = { .operator = S("test"), .file_name = S("file"), .contacts_confirmed = confirmed, .keep_good = keep_good,
		                                .progress = progress, .wrong = wrong, .context = told };
	int file = file_of(bytes, size);
	struct err *err = fixture_err(t->fixture);
	enum rc rc;

	*told = (struct told){ .arena = arena };
	buf_init(&told->text);
	if (what == PEOPLE)
		rc = people_import(t->house, arena, file, &options, result, err);
	else if (what == TRIPS)
		rc = trips_import(t->house, arena, file, &options, result, err);
	else
		rc = watches_import(t->house, arena, file, &options, result, err);
	close(file);
	buf_add_char(&told->text, 0);
	told->text.len--;
	return rc;
}

static enum rc import_text(struct traveller *t, enum what what, const char *text, struct told *told, struct import_result *result)
{
	return import_bytes(t, what, text, strlen(text), true, false, told, result);
}

/* For an import that must go well. */
static struct import_result import_good(struct traveller *t, enum what what, const char *text)
{
	struct import_result result;
	struct told told;
	enum rc rc = import_text(t, what, text, &told, &result);
	if (rc != OK)
		fail_msg("%s: %.*s %s", rc_name(rc), STR_ARG(t->fixture->err.detail), told.text.ptr);
	buf_release(&told.text);
	assert_true(result.visible);
	return result;
}

struct find_work {
	const char *id;
	int64_t person_id;
	struct person person;
	struct arena *arena;
};

static enum rc find_person(struct db_tx *tx, void *context, struct err *err)
{
	struct find_work *work = context;
	enum rc rc = person_id_find_imported(tx, work->arena, str_from(work->id), &work->person_id, err);
	return rc == OK ? person_find(tx, work->arena, work->person_id, &work->person, err) : rc;
}

static enum rc imported(struct traveller *t, const char *id, struct person *out)
{
	struct find_work work = { .id = id, .arena = &t->fixture->arena };
	enum rc rc = db_read(t->fixture->db, find_person, &work, fixture_err(t->fixture));
	if (rc == OK)
		*out = work.person;
	return rc;
}

/* --- people ----------------------------------------------------------------------------------------------------- */

static void people_come_whole(void **state)
{
	struct traveller *t = *state;
	struct person person;

	struct import_result result = import_good(t, PEOPLE,
	                                          "\xef\xbb\xbfid,name,language,email,mobile,country\r\n"
	                                          "a-1,Amal,fr,amal@EXAMPLE.org,06 39 98 00 01,FR\r\n"
	                                          "\r\n"
	                                          "a-2,\"Ben, \"\"the\"\" traveller\",,ben@example.org,,\r\n"
	                                          "a-3,\"سارا\",fa,,+989121234567,");
	assert_int_equal(result.lines, 3);
	assert_rc(t->fixture, OK, imported(t, "a-1", &person));
	assert_int_equal(person.language, LANGUAGE_FR);
	assert_int_equal(person.contact_count, 2);
	assert_string_equal(person.contacts[0].address.ptr, "amal@example.org");
	assert_string_equal(person.contacts[1].address.ptr, "+33639980001");
	assert_int_equal(person_channels(&person), CHANNEL_BIT(CHANNEL_MAIL) | CHANNEL_BIT(CHANNEL_SMS));
	assert_rc(t->fixture, OK, imported(t, "a-2", &person));
	assert_string_equal(person.name.ptr, "Ben, \"the\" traveller");
	assert_rc(t->fixture, OK, imported(t, "a-3", &person));
	assert_int_equal(person.language, LANGUAGE_FA);
	/* The same again is refused: they are here. */
	struct told told;
	assert_int_equal(import_text(t, PEOPLE, "id,name\na-1,Amal\n", &told, &result), INVALID);
	assert_non_null(strstr(told.text.ptr, "2: id: someone with 'a-1' is here already"));
	buf_release(&told.text);
}

static void unconfirmed_unless_stated(void **state)
{
	struct traveller *t = *state;
	struct import_result result;
	struct person person;
	struct told told;
	const char *text = "id,name,email\nu-1,Amal,amal@example.org\n";

	assert_int_equal(import_bytes(t, PEOPLE, text, strlen(text), false, false, &told, &result), OK);
	buf_release(&told.text);
	assert_rc(t->fixture, OK, imported(t, "u-1", &person));
	assert_int_equal(person_channels(&person), 0);
}

static void one_wrong_line_keeps_all_out(void **state)
{
	struct traveller *t = *state;
	struct import_result result;
	struct person person;
	struct told told;
	static const char text[] = "id;name;language;email;mobile;country\n"
				   "b-1;Good;en;good@example.org;;\n"
				   ";No id;en;;;\n"
				   "b-3;;en;;;\n"
				   "b-4;Bad language;xx;;;\n"
				   "b-5;Bad mail;en;nobody;;\n"
				   "b-6;Bad number;en;;123;FR\n"
				   "b-7;No country;en;;0612345678;\n"
				   "b-8;Too many;en;;;;x\n"
				   "b-1;Twice;en;;;\n"
				   "b-9;\"Open\"quote;en;;;\n"
				   "b-10;Lat\xe9in;en;;;\n"
				   "b-11;Good too;en;;;\n";

	assert_int_equal(import_bytes(t, PEOPLE, text, sizeof text - 1, true, false, &told, &result), INVALID);
	assert_false(result.visible);
	assert_int_equal(result.lines, 12);
	assert_int_equal(result.wrong, 10);
	static const char *const said[] = { "3: id: must have", "4: name: Enter a name", "5: language: 'xx'", "6: email: Enter an e-mail address such as",
		                            "7: mobile: too_short", "8: mobile: needs_country", "9: has more columns", "10: id: someone with 'b-1'",
		                            "11: has text behind a closing quote", "12: is not UTF-8" };
	for (size_t i = 0; i < COUNT_OF(said); i++)
		if (!strstr(told.text.ptr, said[i]))
			fail_msg("no '%s' in\n%s", said[i], told.text.ptr);
	buf_release(&told.text);
	assert_rc(t->fixture, NOT_FOUND, imported(t, "b-1", &person));
	assert_int_equal(people_enrolled(t), 0);
	/* Asked to leave them out, the good ones come. */
	assert_int_equal(import_bytes(t, PEOPLE, text, sizeof text - 1, true, true, &told, &result), OK);
	assert_true(result.visible);
	buf_release(&told.text);
	assert_int_equal(people_enrolled(t), 2);
	assert_rc(t->fixture, OK, imported(t, "b-11", &person));
}

struct file_case {
	const char *bytes;
	size_t size;
	const char *says;
};

static void files_of_other_kinds_are_named(void **state)
{
	struct traveller *t = *state;
	static const struct file_case cases[] = {
		{ "\xff\xfei\0d\0,\0n\0", 10, "line 1: the file is UTF-16" },
		{ "\xfe\xff\0i\0d", 6, "line 1: the file is UTF-16" },
		{ "i\0d\0,\0n\0a\0m\0e\0\n\0", 16, "line 1: the file is UTF-16 or no text" },
		{ "", 0, "the file is empty" },
		{ "id,email\n1,x\n", 13, "there is no column 'name'" },
		{ "id,name,phone\n1,x,y\n", 20, "nobody knows the column 'phone'" },
		{ "id,name,name\n1,x,y\n", 19, "nobody knows the column 'name'" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct import_result result;
		struct told told;
		assert_int_equal(import_bytes(t, PEOPLE, cases[i].bytes, cases[i].size, true, true, &told, &result), INVALID);
		if (str_find(t->fixture->err.detail, str_from(cases[i].says), 0) == SIZE_MAX)
			fail_msg("not '%s' but: %.*s", cases[i].says, STR_ARG(t->fixture->err.detail));
		assert_false(result.visible);
		buf_release(&told.text);
	}
}

static void huge_lines_and_columns_are_refused_in_constant_memory(void **state)
{
	struct traveller *t = *state;
	struct import_result result;
	struct told told;
	struct buf text;

	buf_init(&text);
	buf_add_str(&text, S("id,name\nh-1,"));
	for (size_t i = 0; i < 50 * 1024; i++)
		buf_add_str(&text, str_format(&t->fixture->arena, "%01024d", 7));
	arena_clear(&t->fixture->arena);
	buf_add_str(&text, S("\nh-2,Fine\nh-3"));
	for (size_t i = 0; i < 1000; i++)
		buf_add_char(&text, ',');
	buf_add_str(&text, S("\nh-4,\"never closed\nh-5,x\n"));
	assert_int_equal(import_bytes(t, PEOPLE, text.ptr, text.len, true, true, &told, &result), OK);
	assert_int_equal(result.lines, 4);
	assert_int_equal(result.wrong, 3);
	assert_non_null(strstr(told.text.ptr, "2: is longer than 1048576 bytes"));
	assert_non_null(strstr(told.text.ptr, "4: has more than 200 columns"));
	assert_non_null(strstr(told.text.ptr, "5: has a quote that is not closed"));
	buf_release(&told.text);
	buf_release(&text);
	assert_int_equal(people_enrolled(t), 1);
}

/* --- trips ------------------------------------------------------------------------------------------------------ */

static void trips_come_with_their_stays(void **state)
{
	struct traveller *t = *state;
	struct person person;
	size_t count;

	import_good(t, PEOPLE, "id,name\np-1,Amal\np-2,Ben\n");
	struct import_result result = import_good(t, TRIPS,
	                                          "person_id,trip_id,place,latitude,longitude,country,from,to,from_unsure,to_unsure,companions,radius_km\n"
	                                          "p-1,t-1,Tunis,,,,2027-01-10,2027-01-20,,,2,\n"
	                                          "p-2,,,36.8,10.18,,2027-01-10,2027-01-20,1,2,,25\n"
	                                          "p-1,t-1,,,,IR,2027-01-20,2027-01-30,,,2,\n"
	                                          "p-1,t-2,Tripoli,,,LB,2027-02-01,2027-02-02,,,,\n");
	assert_int_equal(result.lines, 4);
	assert_rc(t->fixture, OK, imported(t, "p-1", &person));
	struct list_legs_row *legs = legs_of(t, person.id, &count);
	assert_int_equal(count, 3);
	assert_string_equal(legs[0].country.ptr, "TN");
	assert_int_equal(legs[1].kind, LEG_COUNTRY);
	assert_int_equal(legs[1].trip_id, legs[0].trip_id);
	assert_int_equal(legs[1].position, 2);
	assert_true(legs[2].trip_id != legs[0].trip_id);
	assert_string_equal(legs[2].country.ptr, "LB");
	assert_rc(t->fixture, OK, imported(t, "p-2", &person));
	legs = legs_of(t, person.id, &count);
	assert_int_equal(legs[0].kind, LEG_DISC);
	assert_int_equal(legs[0].radius, 25000);
	assert_string_equal(legs[0].country.ptr, "TN");
	assert_string_equal(legs[0].zone.ptr, "Africa/Tunis");
	assert_int_equal(legs[0].from_unsure, 1);
	assert_int_equal(legs[0].to_unsure, 2);
}

static void wrong_trips_say_why(void **state)
{
	struct traveller *t = *state;
	struct import_result result;
	struct told told;
	struct person person;
	size_t count;

	import_good(t, PEOPLE, "id,name\nq-1,Amal\n");
	assert_int_equal(import_text(t, TRIPS,
	                             "person_id,trip_id,place,latitude,longitude,country,from,to,from_unsure,to_unsure,companions,radius_km\n"
	                             "q-1,,Tunis,,,,2027-01-10,2027-01-20,,,,\n"
	                             "nobody,,Tunis,,,,2027-01-10,2027-01-20,,,,\n"
	                             ",,Tunis,,,,2027-01-10,2027-01-20,,,,\n"
	                             "q-1,,Tripoli,,,,2027-01-10,2027-01-20,,,,\n"
	                             "q-1,,qqqqxxxxzzzz,,,,2027-01-10,2027-01-20,,,,\n"
	                             "q-1,,,91,10,,2027-01-10,2027-01-20,,,,\n"
	                             "q-1,,,36.8,,,2027-01-10,2027-01-20,,,,\n"
	                             "q-1,,,,,ZZ,2027-01-10,2027-01-20,,,,\n"
	                             "q-1,,,,,,2027-01-10,2027-01-20,,,,\n"
	                             "q-1,,Tunis,,,,2027-02-30,2027-03-20,,,,\n"
	                             "q-1,,Tunis,,,,2027-03-10,2027-03-01,,,,\n"
	                             "q-1,,Tunis,,,,2027-01-10,2057-01-20,,,,\n"
	                             "q-1,,Tunis,,,,2027-01-10,2027-01-20,99,,,\n"
	                             "q-1,,Tunis,,,,2027-01-10,2027-01-20,,,many,\n"
	                             "q-1,,Tunis,,,,2027-01-10,2027-01-20,,,,-5\n",
	                             &told, &result),
	                 INVALID);
	static const char *const said[] = { "3: person_id: nobody with 'nobody'", "4: person_id, trip_id: must have", "5: place: 'Tripoli': several places",
		                            "6: place: 'qqqqxxxxzzzz': no place", "7: latitude, longitude", "8: latitude, longitude", "9: country: 'ZZ'",
		                            "10: place: there must be", "11: from: '2027-02-30' is no day", "12: to: comes before from",
		                            "13: to: a stay is at most", "14: from_unsure", "15: companions", "16: radius_km" };
	for (size_t i = 0; i < COUNT_OF(said); i++)
		if (!strstr(told.text.ptr, said[i]))
			fail_msg("no '%s' in\n%s", said[i], told.text.ptr);
	buf_release(&told.text);
	assert_rc(t->fixture, OK, imported(t, "q-1", &person));
	legs_of(t, person.id, &count);
	assert_int_equal(count, 0);
	assert_int_equal(personal_rows(t, person.id).trips, 0);
}

/* --- watches ---------------------------------------------------------------------------------------------------- */

static void watches_come_from_geojson(void **state)
{
	struct traveller *t = *state;
	struct person person;
	size_t count;

	import_good(t, PEOPLE, "id,name\nw-1,Amal\n");
	struct import_result result = import_good(
		t, WATCHES,
		"{\"type\":\"FeatureCollection\",\"crs\":{\"features\":[1]},\"features\":[\n"
		"{\"type\":\"Feature\",\"id\":\"one\",\"properties\":{\"person\":\"w-1\",\"name\":\"Home } \\\"x\\\"\"},\"geometry\":"
		"{\"type\":\"Polygon\",\"coordinates\":[[[10,36],[11,36],[11,37],[10,37],[10,36]]]}},\n"
		"{\"type\":\"Feature\",\"id\":2,\"properties\":null,\"geometry\":"
		"{\"type\":\"MultiPolygon\",\"coordinates\":[[[[10,36],[11,36],[11,37],[10,36]]],[[[20,36],[21,36],[21,37],[20,36]]]]}}\n]}");
	assert_int_equal(result.lines, 2);
	assert_rc(t->fixture, OK, imported(t, "w-1", &person));
	struct list_watches_row *watches = watches_of(t, person.id, &count);
	assert_int_equal(count, 1);
	assert_string_equal(watches[0].name.ptr, "Home } \"x\"");
	assert_true(holds(watches[0].area, "polygons"));
	assert_int_equal(people_enrolled(t), 2); /* the other has an owner of its own */

	struct told told;
	assert_int_equal(import_text(t, WATCHES,
	                             "{\"features\":[{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[]}},\n"
	                             "{\"type\":\"Feature\",\"id\":1,\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]}},\n"
	                             "{\"type\":\"Feature\",\"id\":1,\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[10,36],[11,136],[11,37]]]}},\n"
	                             "{\"type\":\"Feature\",\"id\":1,\"properties\":{\"person\":\"nobody\"},\"geometry\":{\"type\":\"Polygon\","
	                             "\"coordinates\":[[[10,36],[11,36],[11,37]]]}},\n"
	                             "{\"type\":\"Feature\",\"id\":01}]}",
	                             &told, &result),
	                 INVALID);
	static const char *const said[] = { "1: id: must be", "2: geometry: must be a Polygon", "3: geometry: swapped", "4: person: nobody with",
		                            "5: no JSON" };
	for (size_t i = 0; i < COUNT_OF(said); i++)
		if (!strstr(told.text.ptr, said[i]))
			fail_msg("no '%s' in\n%s", said[i], told.text.ptr);
	buf_release(&told.text);
	static const char *const broken[] = { "[]", "{\"features\":{}}", "{\"type\":\"FeatureCollection\"}", "{\"features\":[{\"a\":1}", "{\"features\":[1]}", "" };
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		assert_int_equal(import_text(t, WATCHES, broken[i], &told, &result), INVALID);
		assert_true(t->fixture->err.detail.len > 0);
		assert_false(result.visible);
		buf_release(&told.text);
	}
}

/* --- taking back ------------------------------------------------------------------------------------------------ */

static void what_is_taken_back_is_gone(void **state)
{
	struct traveller *t = *state;
	struct arena *arena = &t->fixture->arena;
	struct person person, other;
	size_t count;

	struct import_result people = import_good(t, PEOPLE, "id,name,email\nr-1,Amal,amal@example.org\nr-2,Ben,ben@example.org\n");
	struct import_result trips = import_good(t, TRIPS, "person_id,trip_id,place,from,to\nr-1,x,Tunis,2027-01-10,2027-01-20\nr-2,y,Sfax,2027-01-10,2027-01-20\n");
	assert_rc(t->fixture, OK, imported(t, "r-1", &person));
	assert_rc(t->fixture, OK, imported(t, "r-2", &other));

	/* Ben changes his trip: it is his now. */
	struct str path = str_copy(arena, person_manage_path(t->house, arena, &other));
	struct reply page = visit(t, path);
	struct str trip = cut(t, page.body, "/trips/", '"');
	page = submit(t, str_format(arena, "%s/trips/%s", path.ptr, trip.ptr), "leg.0.place", "Sfax", "leg.0.from", "10/01/2027", "leg.0.to", "21/01/2027",
	              NULL);
	assert_int_equal(page.status, 303);

	assert_rc(t->fixture, OK, import_take_back(t->house, arena, trips.batch, fixture_err(t->fixture)));
	legs_of(t, person.id, &count);
	assert_int_equal(count, 0);
	assert_int_equal(personal_rows(t, person.id).trips, 0);
	assert_int_equal(personal_rows(t, other.id).trips, 1);
	page = visit(t, path);
	assert_holds(page, "Sfax");
	/* Again changes nothing. */
	assert_rc(t->fixture, OK, import_take_back(t->house, arena, trips.batch, fixture_err(t->fixture)));
	assert_rc(t->fixture, OK, import_take_back(t->house, arena, people.batch, fixture_err(t->fixture)));
	assert_rc(t->fixture, NOT_FOUND, imported(t, "r-1", &person));
	assert_int_equal(people_enrolled(t), 0);
	assert_int_equal(personal_rows(t, person.id).names + personal_rows(t, person.id).contacts, 0);
	assert_int_equal(visit(t, path).status, 404);
	assert_rc(t->fixture, NOT_FOUND, import_take_back(t->house, arena, S("none"), fixture_err(t->fixture)));
	/* The same people may come again. */
	import_good(t, PEOPLE, "id,name,email\nr-1,Amal,amal@example.org\n");
}

/* --- many ------------------------------------------------------------------------------------------------------- */

static void many_lines_come_fast_and_are_seen_at_once(void **state)
{
	struct traveller *t = *state;
	struct import_result result;
	struct told told;
	struct buf text;
	const int lines = 20000;

	buf_init(&text);
	buf_add_str(&text, S("id,name,language,email,mobile,country\n"));
	for (int i = 0; i < lines; i++)
		buf_format(&text, "m-%d,Traveller %d,fa,m%d@example.org,+33639%06d,\n", i, i, i, i);
	int64_t began = clock_monotonic();
	assert_int_equal(import_bytes(t, PEOPLE, text.ptr, text.len, true, false, &told, &result), OK);
	int64_t took = clock_monotonic() - began;
	print_message("%d people in %lld ms\n", lines, (long long)took / 1000);
	assert_int_equal(people_enrolled(t), lines);
	assert_true(told.steps >= lines / 1000);
	buf_release(&told.text);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_TRAVELLER(people_come_whole),
		SQLITE_TRAVELLER(unconfirmed_unless_stated),
		BOTH_TRAVELLER(one_wrong_line_keeps_all_out),
		SQLITE_TRAVELLER(files_of_other_kinds_are_named),
		SQLITE_TRAVELLER(huge_lines_and_columns_are_refused_in_constant_memory),
		BOTH_TRAVELLER(trips_come_with_their_stays),
		BOTH_TRAVELLER(wrong_trips_say_why),
		BOTH_TRAVELLER(watches_come_from_geojson),
		BOTH_TRAVELLER(what_is_taken_back_is_gone),
		SQLITE_TRAVELLER(many_lines_come_fast_and_are_seen_at_once),
	};
	return fixture_main(tests);
}
