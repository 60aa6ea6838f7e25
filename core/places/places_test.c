#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/places/map.h"
#include "core/places/places_internal.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 10 /* sanitizers */
#else
#define SLOW 1
#endif

static struct places *places;
static struct arena arena;
static struct err err;

static int open_places(void **state)
{
	(void)state;
	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = places_open("", NULL, &places, &err);
	if (rc != OK)
		print_error("%.*s\n", STR_ARG(err.detail));
	return rc == OK ? 0 : -1;
}

static int close_places(void **state)
{
	(void)state;
	places_close(places);
	arena_release(&arena);
	return 0;
}

/* The file itself, beside the program. */
static sqlite3 *open_gazetteer(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
	assert_true(length > 0);
	while (path[length - 1] != '/')
		length--;
	memcpy(path + length, "gazetteer.db", sizeof "gazetteer.db");
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	return db;
}

static size_t search(const char *query, const char *language, const char *country, size_t limit, struct place **found)
{
	size_t count = 0;
	assert_int_equal(
		place_search(places, &arena, str_from(query), language, str_from(country), limit, found, &count, &err),
		OK);
	return count;
}

/* ---- places by name ---- */

static void test_any_script(void **state)
{
	(void)state;
	const struct {
		const char *query, *usual, *country;
	} cases[] = {
		{ "Teheran", "Tehran", "IR" },
		{ "تهران", "Tehran", "IR" },
		{ "Тегеран", "Tehran", "IR" },
		{ "Téhéran", "Tehran", "IR" },
		{ "TEHRAN", "Tehran", "IR" },
		{ "德黑兰", "Tehran", "IR" },
		{ "तेहरान", "Tehran", "IR" },
		{ "テヘラン", "Tehran", "IR" },
		{ "طهران", "Tehran", "IR" },
		{ "تِهران", "Tehran", "IR" },
		{ "tehr", "Tehran", "IR" },
		{ "Londres", "London", "GB" },
		{ "london", "London", "GB" },
		{ "لندن", "London", "GB" },
		{ "Лондон", "London", "GB" },
		{ "القاهرة", "Cairo", "EG" },
		{ "Le Caire", "Cairo", "EG" },
		{ "Beyrouth", "Beirut", "LB" },
		{ "بيروت", "Beirut", "LB" },
		{ "بیروت", "Beirut", "LB" },
		{ "Дамаск", "Damascus", "SY" },
		{ "دمشق", "Damascus", "SY" },
		{ "北京", "Beijing", "CN" },
		{ "Peking", "Beijing", "CN" },
		{ "Moskau", "Moscow", "RU" },
		{ "Москва", "Moscow", "RU" },
		{ "서울", "Seoul", "KR" },
		{ "東京", "Tokyo", "JP" },
		{ "กรุงเทพ", "Bangkok", "TH" },
		{ "Αθήνα", "Athens", "GR" },
		{ "ירושלים", "Jerusalem", "IL" },
		{ "sao paulo", "São Paulo", "BR" },
		{ "SÃO PAULO", "São Paulo", "BR" },
		{ "Zurich", "Zürich", "CH" },
		{ "zuerich", "Zürich", "CH" },
		{ "N'Djamena", "N'Djamena", "TD" },
		{ "ndjamena", "N'Djamena", "TD" },
		{ "Kiev", "Kyiv", "UA" },
		{ "Київ", "Kyiv", "UA" },
		{ "İstanbul", "Istanbul", "TR" },
		{ "Łódź", "Łódź", "PL" },
		{ "lodz", "Łódź", "PL" },
		{ "Ispahan", "Isfahan", "IR" },
		{ "اصفهان", "Isfahan", "IR" },
		{ "مشهد", "Mashhad", "IR" },
		{ "کراچی", "Karachi", "PK" },
		{ "كراتشي", "Karachi", "PK" },
		{ "new york", "New York City", "US" },
		{ "saint denis reunion", "Saint-Denis", "RE" },
		{ "York", "York", "GB" },
		{ "Paris, Texas", "Paris", "US" },
		{ "Paris France", "Paris", "FR" },
		{ "london canada", "London", "CA" },
		{ "London, Ontario", "London", "CA" },
		{ "Tripoli Lebanon", "Tripoli", "LB" },
		{ "Tripoli", "Tripoli", "LY" },
		{ "Iran Tehran", "Tehran", "IR" },
		{ "Cordoba Argentina", "Córdoba", "AR" },
		{ "Georgetown Guyana", "Georgetown", "GY" },
		{ "San Jose Costa Rica", "San José", "CR" },
		{ "Sarajevo Bosnia and Herzegovina", "Sarajevo", "BA" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct place *found;
		size_t count = search(cases[i].query, "en", "", 5, &found);
		bool right = count > 0 && str_equal(found[0].usual_name, str_from(cases[i].usual)) &&
		             strcmp(found[0].country, cases[i].country) == 0;
		if (!right)
			print_error("%s: found %.*s %s\n", cases[i].query, count > 0 ? (int)found[0].usual_name.len : 0,
			            count > 0 ? found[0].usual_name.ptr : "", count > 0 ? found[0].country : "nothing");
		assert_true(right);
		assert_false(found[0].guess);
	}
}

static void test_misspelt(void **state)
{
	(void)state;
	const struct {
		const char *query, *usual;
	} cases[] = {
		{ "Tehrann", "Tehran" },
		{ "Tehrna", "Tehran" },
		{ "Shirz", "Shiraz" },
		{ "Istambull", "Istanbul" },
		{ "Bagdhad", "Baghdad" },
		{ "Mosccow", "Moscow" },
		{ "Johanesburg", "Johannesburg" },
		{ "Adis Abeba", "Addis Ababa" },
		{ "Kualalumpur", "Kuala Lumpur" },
		{ "Marrakehs", "Marrakesh" },
		{ "Parris", "Paris" },
		{ "تهرام", "Tehran" },
		{ "Тегерам", "Tehran" },
		{ "Philadelfia", "Philadelphia" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct place *found;
		size_t count = search(cases[i].query, "en", "", 5, &found);
		bool right = false;
		for (size_t j = 0; j < count; j++)
			right = right || str_equal(found[j].usual_name, str_from(cases[i].usual));
		if (!right)
			print_error("%s: %s is not among %zu\n", cases[i].query, cases[i].usual, count);
		assert_true(right);
	}
	struct place *found;
	assert_true(search("Tehrann", "en", "", 5, &found) > 0);
	assert_true(found[0].guess); /* it says so */
	assert_true(search("Tehran", "en", "", 5, &found) > 0);
	assert_false(found[0].guess);
}

static void test_reader_language(void **state)
{
	(void)state;
	const struct {
		const char *query, *language, *name;
	} cases[] = {
		{ "Tehran", "fa", "تهران" },   { "Tehran", "ar", "طهران" },   { "Tehran", "ru", "Тегеран" },
		{ "Tehran", "fr", "Téhéran" }, { "Tehran", "en", "Tehran" },  { "London", "fr", "Londres" },
		{ "London", "fa", "لندن" },    { "London", "ar", "لندن" },    { "Shiraz", "fa", "شیراز" },
		{ "Shiraz", "ar", "شيراز" },   { "Isfahan", "fa", "اصفهان" }, { "Kyiv", "ru", "Киев" },
		{ "Mashhad", "fa", "مشهد" },   { "Karachi", "fa", "کراچی" },  { "Tehran", "xx-none", "Tehran" },
		{ "Lyon", "fr", "Lyon" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct place *found;
		assert_true(search(cases[i].query, cases[i].language, "", 3, &found) > 0);
		if (!str_equal(found[0].name, str_from(cases[i].name)))
			print_error("%s in %s: %.*s\n", cases[i].query, cases[i].language, STR_ARG(found[0].name));
		assert_true(str_equal(found[0].name, str_from(cases[i].name)));
	}
}

static void test_within_country(void **state)
{
	(void)state;
	struct place *found;
	size_t count = search("london", "en", "CA", 10, &found);
	assert_true(count > 0 && found[0].id == 6058560);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(found[i].country, "CA");
	assert_true(search("a", "en", "VA", 10, &found) <= 3);
	count = search("s", "en", "SM", 50, &found);
	assert_true(count >= 3);
	assert_int_equal(place_search(places, &arena, S("london"), "en", S("ZZ"), 5, &found, &count, &err), INVALID);
}

static void test_by_id(void **state)
{
	(void)state;
	struct place place;
	assert_int_equal(place_find(places, &arena, 112931, "fa", &place, &err), OK);
	assert_true(str_equal(place.name, S("تهران")) && str_equal(place.usual_name, S("Tehran")));
	assert_string_equal(place.country, "IR");
	assert_true(str_equal(place.zone, S("Asia/Tehran")));
	assert_true(fabs(place.lat - 35.69439) < 1e-9 && fabs(place.lon - 51.42151) < 1e-9);
	assert_true(place.population > 5000000);
	struct place untouched = place;
	assert_int_equal(place_find(places, &arena, 1, "fa", &place, &err), NOT_FOUND);
	assert_int_equal(place_find(places, &arena, -5, "fa", &place, &err), NOT_FOUND);
	assert_memory_equal(&untouched, &place, sizeof place);
}

static void test_hostile_queries(void **state)
{
	(void)state;
	const char *queries[] = { "",
		                  " ",
		                  "\"",
		                  "\" OR names:a*",
		                  "a\" AND \"b",
		                  "names:london",
		                  "london NOT uk",
		                  "NEAR(a b)",
		                  "*",
		                  "a*",
		                  "^a",
		                  "-",
		                  "{names context}: a",
		                  "(((((",
		                  "''; DROP TABLE place; --",
		                  "%",
		                  "_",
		                  "\xEE\x80\x80ir",
		                  "a b c d e f g h i j k l m n o p q r s t u v w x y z",
		                  "\xE2\x80\x8F\xE2\x80\x8E",
		                  "🙂🙂",
		                  "ʼ",
		                  "\x01\x02\x7F",
		                  "AND",
		                  "OR",
		                  "NOT AND OR NEAR" };
	struct place *found;
	for (size_t i = 0; i < COUNT_OF(queries); i++)
		assert_true(search(queries[i], "fa", "", 10, &found) <= 10);
	assert_int_equal(search("\"", "en", "", 10, &found), 0);
	assert_int_equal(search("\xEE\x80\x80ir", "en", "VA", 10, &found), 0);
	char longest[PLACE_QUERY_MAX + 2];
	memset(longest, 'a', sizeof longest);
	size_t count = 77;
	assert_int_equal(place_search(places, &arena, (struct str){ longest, PLACE_QUERY_MAX }, "en", STR_NONE, 5,
	                              &found, &count, &err),
	                 OK);
	count = 77;
	assert_int_equal(place_search(places, &arena, (struct str){ longest, PLACE_QUERY_MAX + 1 }, "en", STR_NONE, 5,
	                              &found, &count, &err),
	                 INVALID);
	assert_int_equal(place_search(places, &arena, S("a\xFF"), "en", STR_NONE, 5, &found, &count, &err), INVALID);
	assert_int_equal(place_search(places, &arena, S("a\0b"), "en", STR_NONE, 5, &found, &count, &err), OK);
	count = 77;
	assert_int_equal(place_search(places, &arena, S("a\xFF"), "en", STR_NONE, 5, &found, &count, &err), INVALID);
	assert_int_equal(count, 77); /* untouched */
	assert_int_equal(search("san", "en", "", 1000, &found), PLACE_LIMIT_MAX);
	assert_int_equal(search("san", "en", "", 0, &found), 0);
}

/* ---- the two folders, of queries (C) and of names (Python), must agree on every name ---- */

static bool is_among(struct str key, struct str keys)
{
	struct str one;
	for (bool more = true; more;) {
		more = str_cut(keys, '\n', &one, &keys);
		if (str_equal(one, key))
			return true;
	}
	return false;
}

static void test_folding_agrees(void **state)
{
	(void)state;
	sqlite3 *db = open_gazetteer();
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(db,
	                                    SLOW > 1 ? "SELECT name, ascii, other, keys FROM place WHERE rank <= 20000"
	                                             : "SELECT name, ascii, other, keys FROM place",
	                                    -1, &statement, NULL),
	                 SQLITE_OK);
	size_t names = 0, wrong = 0;
	struct arena scratch;
	arena_init(&scratch);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct str keys = str_from((const char *)sqlite3_column_text(statement, 3));
		for (int column = 0; column < 3; column++) {
			struct str rest = str_from((const char *)sqlite3_column_text(statement, column)), name;
			for (bool more = rest.len > 0; more; names++) {
				more = str_cut(rest, '\n', &name, &rest);
				struct str key = place_fold(&scratch, name);
				if (key.len > 0 && !is_among(key, keys) && wrong++ < 10)
					print_error("%.*s folds to '%.*s'\n", STR_ARG(name), STR_ARG(key));
			}
		}
		arena_clear(&scratch);
	}
	arena_release(&scratch);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	assert_int_equal(wrong, 0);
	assert_true(names > 100000);
}

static void test_distance(void **state)
{
	(void)state;
	const struct {
		const char *a, *b;
		size_t distance;
	} cases[] = {
		{ "", "", 0 },
		{ "a", "", 1 },
		{ "abc", "abc", 0 },
		{ "abc", "acb", 1 },
		{ "abc", "cab", 2 },
		{ "tehran", "tehrann", 1 },
		{ "kitten", "sitting", 3 },
		{ "abcdef", "ghijkl", 4 },
		{ "تهران", "تهرام", 1 },
		{ "ab", "ba", 1 },
		{ "abcd", "badc", 2 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint32_t a[16], b[16];
		size_t a_count = place_code_points(str_from(cases[i].a), a, 16),
		       b_count = place_code_points(str_from(cases[i].b), b, 16);
		assert_int_equal(place_distance(a, a_count, b, b_count, 3), cases[i].distance);
		assert_int_equal(place_distance(b, b_count, a, a_count, 3), cases[i].distance);
	}
}

/* ---- countries ---- */

static void test_countries_by_name(void **state)
{
	(void)state;
	const struct {
		const char *query, *code;
	} cases[] = {
		{ "Allemagne", "DE" },
		{ "Germany", "DE" },
		{ "آلمان", "DE" },
		{ "ألمانيا", "DE" },
		{ "Deutschland", "DE" },
		{ "德国", "DE" },
		{ "ایران", "IR" },
		{ "إيران", "IR" },
		{ "Iran", "IR" },
		{ "Иран", "IR" },
		{ "Iran, Islamic Republic of", "IR" },
		{ "ir", "IR" },
		{ "Côte d'Ivoire", "CI" },
		{ "Cote dIvoire", "CI" },
		{ "Côte d’Ivoire", "CI" },
		{ "Ivory Coast", "CI" },
		{ "ساحل العاج", "CI" },
		{ "Elfenbeinküste", "CI" },
		{ "USA", "US" },
		{ "United States", "US" },
		{ "États-Unis", "US" },
		{ "آمریکا", "US" },
		{ "UK", "GB" },
		{ "Angleterre", "GB" },
		{ "انگلستان", "GB" },
		{ "المملكة المتحدة", "GB" },
		{ "Royaume-Uni", "GB" },
		{ "Turkey", "TR" },
		{ "Türkiye", "TR" },
		{ "ترکیه", "TR" },
		{ "Czech Republic", "CZ" },
		{ "Czechia", "CZ" },
		{ "Burma", "MM" },
		{ "Holland", "NL" },
		{ "DR Congo", "CD" },
		{ "Eswatini", "SZ" },
		{ "Swaziland", "SZ" },
		{ "Kosovo", "XK" },
		{ "Vatican", "VA" },
		{ "South Korea", "KR" },
		{ "North Korea", "KP" },
		{ "Niger", "NE" },
		{ "Nigeria", "NG" },
		{ "Guinea", "GN" },
		{ "Oman", "OM" },
		{ "Austria", "AT" },
		{ "Australia", "AU" },
		{ "Georgia", "GE" },
		{ "日本", "JP" },
		{ "Ελλάδα", "GR" },
		{ "ไทย", "TH" },
		{ "emirates", "AE" },
		{ "Palestine", "PS" },
		{ "فلسطين", "PS" },
		{ "Taiwan", "TW" },
		{ "Sao Tome", "ST" },
		{ "Curacao", "CW" },
		{ "Germny", "DE" },
		{ "Allemange", "DE" },
		{ "Afganistan", "AF" },
		{ "Phillipines", "PH" },
		{ "Khazakstan", "KZ" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct country *found;
		size_t count = 0;
		assert_int_equal(
			country_search(places, &arena, str_from(cases[i].query), "en", 5, &found, &count, &err), OK);
		if (count == 0 || strcmp(found[0].code, cases[i].code) != 0)
			print_error("%s: found %s\n", cases[i].query, count > 0 ? found[0].code : "nothing");
		assert_true(count > 0);
		assert_string_equal(found[0].code, cases[i].code);
	}
	struct country *found;
	size_t count = 9;
	assert_int_equal(country_search(places, &arena, S("xyzzyqqq"), "en", 5, &found, &count, &err), OK);
	assert_int_equal(count, 0);
	assert_int_equal(country_search(places, &arena, S("Congo"), "fr", 5, &found, &count, &err), OK);
	assert_true(count >= 2); /* both */
}

static void test_country_facts(void **state)
{
	(void)state;
	struct country country;
	assert_int_equal(country_find(places, &arena, S("ir"), "fa", &country, &err), OK);
	assert_string_equal(country.code, "IR");
	assert_string_equal(country.alpha_3, "IRN");
	assert_true(str_equal(country.name, S("ایران")) && str_equal(country.calling, S("98")) &&
	            str_equal(country.zone, S("Asia/Tehran")));
	assert_true(country.has_outline && country.lat > 25 && country.lat < 40 && country.lon > 44 &&
	            country.lon < 63.5);
	assert_true(country.west < 45 && country.east > 63 && country.south < 26 && country.north > 39);
	assert_int_equal(country_find(places, &arena, S("FJ"), "en", &country, &err), OK);
	assert_true(country.west > 170 && country.east < -170); /* crosses the 180th meridian */
	assert_int_equal(country_find(places, &arena, S("RU"), "en", &country, &err), OK);
	assert_true(country.west > 15 && country.west < 30 && country.east < -165 && country.east > -175);
	assert_int_equal(country_find(places, &arena, S("US"), "en", &country, &err), OK);
	assert_true(country.west > 170 && country.east < -60);
	assert_true(str_equal(country.zone, S("America/New_York")));
	assert_int_equal(country_find(places, &arena, S("VA"), "en", &country, &err), OK);
	assert_true(country.has_outline && fabs(country.lat - 41.9) < 0.02);
	assert_int_equal(country_find(places, &arena, S("ZZ"), "en", &country, &err), NOT_FOUND);
	assert_int_equal(country_find(places, &arena, S("IRN"), "en", &country, &err), NOT_FOUND);
	assert_true(str_equal(country_name(places, &arena, S("DE"), "fr"), S("Allemagne")));
	assert_true(str_equal(country_name(places, &arena, S("DE"), "ar"), S("ألمانيا")));
	assert_true(str_equal(country_name(places, &arena, S("??"), "ar"), S("??")));
	assert_true(country_known(places, S("XK")) && !country_known(places, S("xk")) && !country_known(places, S("")));
}

static void test_country_list(void **state)
{
	(void)state;
	const struct {
		const char *language, *first, *before, *after;
	} cases[] = {
		{ "en", "AF", "AX", "AL" }, /* Åland Islands sorts as A in English ... */
		{ "sv", "AF", "ZM", "AX" }, /* ... and after Z in Swedish */
		{ "fr", "AF", "EG", "ES" }, /* Égypte before Espagne */
		{ "fa", NULL, "PK", "CL" }, /* پ before ش */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct country *list;
		size_t count = 0, before = SIZE_MAX, after = SIZE_MAX;
		assert_int_equal(country_list(places, &arena, cases[i].language, &list, &count, &err), OK);
		assert_int_equal(count, 250);
		if (cases[i].first != NULL)
			assert_string_equal(list[0].code, cases[i].first);
		for (size_t j = 0; j < count; j++) {
			before = strcmp(list[j].code, cases[i].before) == 0 ? j : before;
			after = strcmp(list[j].code, cases[i].after) == 0 ? j : after;
			assert_true(list[j].name.len > 0);
		}
		assert_true(before < after && after != SIZE_MAX);
	}
}

/* ---- coordinates ---- */

static void test_tricky_points(void **state)
{
	(void)state;
	const struct {
		const char *what;
		double lat, lon;
		const char *code;
	} cases[] = {
		{ "Maseru, Lesotho", -29.35, 27.55, "LS" },
		{ "inside Lesotho", -29.6, 28.2, "LS" },
		{ "around Lesotho", -31.2, 27.0, "ZA" },
		{ "Vatican", 41.9031, 12.4527, "VA" },
		{ "Rome", 41.89, 12.50, "IT" },
		{ "San Marino", 43.9424, 12.4578, "SM" },
		{ "Monaco", 43.7396, 7.4269, "MC" },
		{ "Singapore", 1.3521, 103.8198, "SG" },
		{ "Johor Bahru", 1.52, 103.74, "MY" },
		{ "Suva", -18.14, 178.44, "FJ" },
		{ "Taveuni, on the meridian", -16.85, -179.97, "FJ" },
		{ "Taveuni, west of it", -16.85, 179.97, "FJ" },
		{ "Lau islands", -18.2, -178.8, "FJ" },
		{ "Uelen, Chukotka", 66.16, -169.81, "RU" },
		{ "Anadyr", 64.73, 177.51, "RU" },
		{ "Attu", 52.9, 172.9, "US" },
		{ "Adak", 51.88, -176.65, "US" },
		{ "Honolulu", 21.31, -157.86, "US" },
		{ "South Pole", -90, 0, "AQ" },
		{ "near the South Pole", -89.5, 179.9, "AQ" },
		{ "McMurdo", -77.85, 166.67, "AQ" },
		{ "Cayenne", 4.93, -52.33, "GF" },
		{ "Saint-Denis", -20.88, 55.45, "RE" },
		{ "Pointe-à-Pitre", 16.24, -61.53, "GP" },
		{ "Longyearbyen", 78.22, 15.65, "SJ" },
		{ "Oslo", 59.91, 10.75, "NO" },
		{ "Ajaccio", 41.93, 8.74, "FR" },
		{ "Kaliningrad", 54.71, 20.51, "RU" },
		{ "Ceuta", 35.889, -5.321, "ES" },
		{ "Gibraltar", 36.14, -5.35, "GI" },
		{ "Cabinda", -5.56, 12.19, "AO" },
		{ "Kinshasa", -4.33, 15.31, "CD" },
		{ "Brazzaville", -4.26, 15.25, "CG" },
		{ "Nakhchivan", 39.21, 45.41, "AZ" },
		{ "Hong Kong", 22.30, 114.17, "HK" },
		{ "Macau", 22.19, 113.55, "MO" },
		{ "Shenzhen", 22.55, 114.1, "CN" },
		{ "Taipei", 25.03, 121.56, "TW" },
		{ "Pristina", 42.66, 21.16, "XK" },
		{ "north Nicosia", 35.20, 33.36, "CY" },
		{ "Hargeisa", 9.56, 44.06, "SO" },
		{ "Simferopol", 44.95, 34.10, "UA" },
		{ "Laayoune", 27.15, -13.20, "EH" },
		{ "Baikonur", 45.62, 63.31, "KZ" },
		{ "Copenhagen", 55.68, 12.57, "DK" },
		{ "Malmö", 55.60, 13.00, "SE" },
		{ "Geneva", 46.20, 6.14, "CH" },
		{ "Tarawa", 1.33, 172.98, "KI" },
		{ "Kiritimati", 1.87, -157.43, "KI" },
		{ "Apia", -13.83, -171.77, "WS" },
		{ "Nuku'alofa", -21.14, -175.2, "TO" },
		{ "Malé", 4.175, 73.509, "MV" },
		{ "a boat 10 km off Lisbon", 38.68, -9.60, "PT" },
		{ "Stanley", -51.70, -57.85, "FK" },
		{ "Ushuaia", -54.80, -68.30, "AR" },
		{ "Lake Victoria, Uganda's part", -0.2, 32.6, "UG" },
		{ "Bujumbura", -3.38, 29.36, "BI" },
		{ "Bukavu", -2.4908, 28.8428, "CD" },
		{ "Cyangugu", -2.48, 28.90, "RW" },
		{ "Tuvalu", -8.52, 179.20, "TV" },
		{ "Nauru", -0.53, 166.93, "NR" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char code[3] = "--";
		place_country_at(places, cases[i].lat, cases[i].lon, code);
		if (strcmp(code, cases[i].code) != 0)
			print_error("%s: %s instead of %s\n", cases[i].what, code, cases[i].code);
		assert_string_equal(code, cases[i].code);
	}
	/* By the outlines alone, where Italy's has no hole for it. */
	struct geo_xy vatican;
	assert_true(geo_xy_from(12.4527, 41.9031, &vatican));
	assert_int_equal(places_outline_at(places, vatican), geo_country(S("VA")));
	char code[3] = "--";
	assert_false(place_country_at(places, 0, -30, code)); /* the middle of the Atlantic */
	assert_false(place_country_at(places, 30, 180, code));
	assert_false(place_country_at(places, 91, 0, code));
	assert_false(place_country_at(places, 0, 181, code));
	assert_false(place_country_at(places, NAN, 0, code));
	assert_false(place_country_at(places, 0, INFINITY, code));
	assert_string_equal(code, "--");
}

/* The gazetteer and the outlines come from different sources and must tell the same of capitals, and nearly always
 * of all places. */
static void test_outlines_against_gazetteer(void **state)
{
	(void)state;
	sqlite3 *db = open_gazetteer();
	sqlite3_stmt *statement = NULL;
	const char *sql = "SELECT name, country, lat / 100000.0, lon / 100000.0, feature = 'PPLC' FROM place WHERE "
			  "feature = 'PPLC' OR rank % 7 = 0";
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	size_t capitals = 0, others = 0, wrong_capitals = 0, wrong_others = 0;
	int64_t spent = 0;
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *country = (const char *)sqlite3_column_text(statement, 1);
		struct geo_xy point;
		assert_true(
			geo_xy_from(sqlite3_column_double(statement, 3), sqlite3_column_double(statement, 2), &point));
		int64_t start = clock_monotonic();
		uint16_t found = places_outline_at(places, point);
		spent += clock_monotonic() - start;
		struct str code = geo_country_code(found);
		bool right = str_equal(code, str_from(country)), capital = sqlite3_column_int(statement, 4) != 0;
		if (capital && !right)
			print_message("capital %s: outline %.*s, gazetteer %s\n",
			              (const char *)sqlite3_column_text(statement, 0), STR_ARG(code), country);
		capitals += capital;
		others += !capital;
		wrong_capitals += capital && !right;
		wrong_others += !capital && !right;
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	print_message("capitals %zu wrong %zu, others %zu wrong %zu, %.1f us a point\n", capitals, wrong_capitals,
	              others, wrong_others, (double)spent / (double)(capitals + others));
	assert_true(capitals > 200 && others > 20000);
	assert_true(wrong_capitals <= 3);
	assert_true(wrong_others * 200 < others); /* less than 0.5 % */
}

static void test_nearest_and_zones(void **state)
{
	(void)state;
	struct place place;
	double metres = -1;
	assert_int_equal(place_nearest(places, &arena, 35.7, 51.4, STR_NONE, "fa", &place, &metres, &err), OK);
	assert_string_equal(place.country, "IR");
	assert_true(metres >= 0 && metres < 10000);
	const struct {
		double lat, lon;
		const char *country, *zone;
	} cases[] = {
		{ 35.69, 51.42, "IR", "Asia/Tehran" },         { 48.85, 2.35, "", "Europe/Paris" },
		{ 64.73, 177.51, "RU", "Asia/Anadyr" },        { -16.85, -179.97, "FJ", "Pacific/Fiji" },
		{ 40.7, -74.0, "US", "America/New_York" },     { 1.87, -157.43, "KI", "Pacific/Kiritimati" },
		{ 46.20, 6.14, "CH", "Europe/Zurich" },        { 46.20, 6.14, "FR", "Europe/Paris" },
		{ 78.22, 15.65, "SJ", "Arctic/Longyearbyen" }, { -12.46, 130.84, "AU", "Australia/Darwin" },
		{ 90, 0, "", "Arctic/Longyearbyen" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str zone = place_zone_at(places, cases[i].lat, cases[i].lon, str_from(cases[i].country));
		if (!str_equal(zone, str_from(cases[i].zone)))
			print_error("%g,%g: %.*s\n", cases[i].lat, cases[i].lon, STR_ARG(zone));
		assert_true(str_equal(zone, str_from(cases[i].zone)));
	}
	assert_true(str_is_none(place_zone_at(places, 95, 0, STR_NONE)));
	assert_int_equal(place_nearest(places, &arena, NAN, 51.4, STR_NONE, "fa", &place, &metres, &err), NOT_FOUND);
	/* The middle of the Pacific: far, but something. */
	assert_int_equal(place_nearest(places, &arena, -48.9, -123.4, STR_NONE, "en", &place, &metres, &err), OK);
	assert_true(metres > 2000000 && metres < 5000000);
}

/* The rings of degrees must not miss a nearer place: against looking at all. */
static void test_nearest_against_all(void **state)
{
	(void)state;
	sqlite3 *db = open_gazetteer();
	sqlite3_stmt *statement = NULL;
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT lat / 100000.0, lon / 100000.0 FROM place", -1, &statement, NULL),
		SQLITE_OK);
	const double points[][2] = { { 0, 0 },        { 89.9, 10 }, { -89.9, -170 },   { 10, 179.99 },
		                     { 10, -179.99 }, { 60, -150 }, { -48.9, -123.4 }, { 75, 100 },
		                     { 35.7, 51.4 },  { -30, 80 },  { 84, -179 },      { -54, 3.4 } };
	double best[COUNT_OF(points)];
	for (size_t i = 0; i < COUNT_OF(points); i++)
		best[i] = INFINITY;
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct geo_xy place, point;
		assert_true(
			geo_xy_from(sqlite3_column_double(statement, 1), sqlite3_column_double(statement, 0), &place));
		for (size_t i = 0; i < COUNT_OF(points); i++) {
			assert_true(geo_xy_from(points[i][1], points[i][0], &point));
			best[i] = fmin(best[i], geo_distance(place, point));
		}
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	for (size_t i = 0; i < COUNT_OF(points); i++) {
		struct place place;
		double metres;
		assert_int_equal(place_nearest(places, &arena, points[i][0], points[i][1], STR_NONE, "en", &place,
		                               &metres, &err),
		                 OK);
		assert_true(fabs(metres - best[i]) < 1);
	}
}

static int64_t at(const char *text)
{
	int64_t microseconds = 0;
	assert_true(clock_parse(str_from(text), &microseconds));
	return microseconds;
}

static void test_windows(void **state)
{
	(void)state;
	int64_t day, from = 0, to = 0;
	assert_true(date_parse(S("2026-03-29"), &day)); /* clocks go forward in Europe */
	assert_true(place_window(S("Europe/Paris"), day, day, &from, &to));
	assert_int_equal(from, at("2026-03-28T23:00:00Z"));
	assert_int_equal(to, at("2026-03-29T22:00:00Z"));
	assert_true(date_parse(S("2026-12-01"), &day));
	assert_true(country_window(places, S("US"), day, day, &from, &to));
	assert_int_equal(from, at("2026-12-01T05:00:00Z")); /* the east coast begins */
	assert_int_equal(to, at("2026-12-02T10:00:00Z"));   /* Hawaii and the Aleutians end */
	assert_true(country_window(places, S("KI"), day, day, &from, &to));
	assert_int_equal(from, at("2026-11-30T10:00:00Z")); /* Kiritimati */
	assert_int_equal(to, at("2026-12-01T12:00:00Z"));   /* Tarawa */
	from = 5;
	assert_false(country_window(places, S("ZZ"), day, day, &from, &to));
	assert_false(place_window(S("Nowhere/None"), day, day, &from, &to));
	assert_int_equal(from, 5);
}

/* ---- speed, threads, files ---- */

/* Of this thread, so that what else the machine does is not counted. */
static int64_t processor_time(void)
{
	struct timespec now;
	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
	return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static void test_search_times(void **state)
{
	(void)state;
	const char *queries[] = { "a",
		                  "s",
		                  "te",
		                  "san",
		                  "new y",
		                  "Tehrann",
		                  "Johanesburg",
		                  "Allemagne",
		                  "xqzvwpfg",
		                  "تهران",
		                  "ته",
		                  "Тег",
		                  "saint denis",
		                  "al al al",
		                  "los angeles california",
		                  "república dominicana santo domingo",
		                  "北",
		                  "de la",
		                  "k k",
		                  "qqqq",
		                  "Philadelfia",
		                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		                  "san juan de los morros venezuela",
		                  "b a d c f e h g" };
	const char *languages[] = { "en", "fr", "ar", "fa", "ru" };
	enum { ROUNDS = 20 };
	int64_t times[ROUNDS * COUNT_OF(queries)];
	size_t count = 0;
	struct place *found;
	for (size_t i = 0; i < COUNT_OF(languages); i++) /* what is opened at first need is not measured */
		search("tehran", languages[i], "", 10, &found);
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < COUNT_OF(queries); i++) {
			int64_t start = processor_time();
			search(queries[i], languages[(round + i) % COUNT_OF(languages)],
			       i % 3 == 0 && round % 2 ? "US" : "", 10, &found);
			times[count++] = processor_time() - start;
		}
	qsort(times, count, sizeof times[0], compare_times);
	print_message("search: median %.2f ms, p99 %.2f ms, longest %.2f ms\n", (double)times[count / 2] / 1000,
	              (double)times[count * 99 / 100] / 1000, (double)times[count - 1] / 1000);
	assert_true(times[count * 99 / 100] < 20000 * SLOW);
}

static void *search_many(void *failures)
{
	struct arena own;
	arena_init(&own);
	const char *queries[] = { "Teheran", "تهران", "Тегеран", "Tehran", "tehr" },
		   *languages[] = { "en", "fa", "ar", "ru", "fr", "hi" };
	for (size_t i = 0; i < 200 / SLOW; i++) {
		struct place *found;
		struct country *countries;
		size_t count = 0, country_count = 0;
		char code[3] = "";
		if (place_search(places, &own, str_from(queries[i % 5]), languages[i % 6], STR_NONE, 3, &found, &count,
		                 NULL) != OK ||
		    count == 0 || found[0].id != 112931 ||
		    country_search(places, &own, S("iran"), languages[i % 6], 3, &countries, &country_count, NULL) !=
		            OK ||
		    country_count == 0 || strcmp(countries[0].code, "IR") != 0 ||
		    !place_country_at(places, 35.7, 51.4, code) || strcmp(code, "IR") != 0 ||
		    !str_equal(place_zone_at(places, 35.7, 51.4, S("IR")), S("Asia/Tehran")))
			++*(size_t *)failures;
		arena_clear(&own);
	}
	arena_release(&own);
	return NULL;
}

static void test_threads(void **state)
{
	(void)state;
	pthread_t threads[8];
	size_t failures[8] = { 0 };
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, search_many, &failures[i]), 0);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failures[i], 0);
	}
}

static const char *write_file(const char *text)
{
	static char path[] = "/tmp/places-test-XXXXXX";
	memcpy(path + sizeof path - 7, "XXXXXX", 6);
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	return path;
}

static void test_overrides(void **state)
{
	(void)state;
	const char *path = write_file(
		"{\"display\":{\"IR\":{\"en\":\"Persia\"}},\"features\":{\"Somaliland\":\"ET\",\"Kosovo\":\"RS\"},"
		"\"parts\":[{\"name\":\"Crimea\",\"code\":\"RU\"}]}");
	struct places *other = NULL;
	enum rc rc = places_open("", path, &other, &err);
	unlink(path);
	assert_int_equal(rc, OK);
	char code[3] = "--";
	assert_true(str_equal(country_name(other, &arena, S("IR"), "en"), S("Persia")));
	assert_true(str_equal(country_name(other, &arena, S("IR"), "fr"), S("Iran")));
	assert_true(place_country_at(other, 9.56, 44.06, code) && strcmp(code, "ET") == 0);
	assert_true(place_country_at(other, 44.95, 34.10, code) && strcmp(code, "RU") == 0);
	assert_true(place_country_at(other, 42.62, 20.92, code) && strcmp(code, "RS") == 0);
	assert_true(place_country_at(places, 42.62, 20.92, code) && strcmp(code, "XK") == 0);
	places_close(other);
	const char *broken[] = { "",
		                 "[",
		                 "[]",
		                 "{\"display\":{\"QQ\":{\"en\":\"x\"}}}",
		                 "{\"display\":{\"IR\":{\"en\":5}}}",
		                 "{\"features\":{\"Kosovo\":\"QQ\"}}",
		                 "{\"display\":{\"IR\":7}}" };
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		path = write_file(broken[i]);
		struct err local;
		err_init(&local, &arena);
		other = NULL;
		rc = places_open("", path, &other, &local);
		unlink(path);
		assert_int_equal(rc, FAILED);
		assert_null(other);
		assert_true(local.detail.len > 0);
	}
}

static void test_missing_files(void **state)
{
	(void)state;
	struct places *other = NULL;
	struct err local;
	err_init(&local, &arena);
	assert_int_equal(places_open("/nonexistent", NULL, &other, &local), FAILED);
	assert_null(other);
	assert_true(str_find(local.detail, S("/nonexistent/gazetteer.db"), 0) != SIZE_MAX);
	err_init(&local, &arena);
	assert_int_equal(places_open("", "/nonexistent.json", &other, &local), FAILED);
	assert_null(other);
}

/* Forms write a country by its name and read it back: in each language it must be the only one that is called so. */
static void test_own_names_are_found_back(void **state)
{
	static const char *const tags[] = { "en", "fr", "ar", "fa" };
	struct country *all, *found;
	size_t all_count, count;
	(void)state;

	for (size_t l = 0; l < COUNT_OF(tags); l++) {
		assert_int_equal(country_list(places, &arena, tags[l], &all, &all_count, &err), OK);
		for (size_t i = 0; i < all_count; i++) {
			size_t named = 0, own = 0;
			assert_int_equal(country_search(places, &arena, all[i].name, tags[l], 4, &found, &count, &err), OK);
			for (size_t j = 0; j < count; j++) {
				named += found[j].named;
				own += found[j].named && strcmp(found[j].code, all[i].code) == 0;
			}
			if (named != 1 || own != 1)
				print_error("%s %s: %zu named, %zu of them itself\n", tags[l], str_c(&arena, all[i].name), named, own);
			assert_true(named == 1 && own == 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_names_are_found_back),
		cmocka_unit_test(test_any_script),
		cmocka_unit_test(test_misspelt),
		cmocka_unit_test(test_reader_language),
		cmocka_unit_test(test_within_country),
		cmocka_unit_test(test_by_id),
		cmocka_unit_test(test_hostile_queries),
		cmocka_unit_test(test_folding_agrees),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_countries_by_name),
		cmocka_unit_test(test_country_facts),
		cmocka_unit_test(test_country_list),
		cmocka_unit_test(test_tricky_points),
		cmocka_unit_test(test_outlines_against_gazetteer),
		cmocka_unit_test(test_nearest_and_zones),
		cmocka_unit_test(test_nearest_against_all),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_search_times),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_missing_files),
	};
	return cmocka_run_group_tests(tests, open_places, close_places);
}
