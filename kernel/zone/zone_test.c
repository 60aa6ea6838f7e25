#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/zone/zone.h"

static int64_t at(const char *text)
{
	int64_t microseconds = 0;
	assert_true(clock_parse(str_from(text), &microseconds));
	return microseconds;
}

static const struct zone *find(const char *name)
{
	const struct zone *zone = zone_find(str_from(name));
	assert_non_null(zone);
	return zone;
}

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(find("Asia/Tehran"), find("Asia/Tehran"));
	find("UTC");
	find("America/Argentina/Buenos_Aires");
	const char *bad[] = { "",
		              "Asia",
		              "Asia/Nowhere",
		              "../../etc/passwd",
		              "/etc/localtime",
		              "Asia/../UTC",
		              "Asia/Tehran\n",
		              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_null(zone_find(str_from(bad[i])));
}

/* Days whose start is not simply midnight, each from the zone's published history. */
static void test_day_starts(void **state)
{
	(void)state;
	const struct {
		const char *zone, *day, *start;
	} cases[] = {
		{ "UTC", "2026-11-24", "2026-11-24T00:00:00Z" },
		{ "Asia/Tehran", "2026-07-01", "2026-06-30T20:30:00Z" }, /* no summer time since 2022 */
		{ "Asia/Tehran", "2022-03-22",
		  "2022-03-21T20:30:00Z" }, /* clocks forward at 24:00: the day begins at 01:00 */
		{ "Europe/Paris", "2026-03-29", "2026-03-28T23:00:00Z" },
		{ "Europe/Paris", "2026-03-30", "2026-03-29T22:00:00Z" }, /* the day of 23 hours has ended */
		{ "Europe/Paris", "2026-10-26", "2026-10-25T23:00:00Z" }, /* the day of 25 hours */
		{ "Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z" },  /* 00:00 becomes 01:00 */
		{ "Africa/Cairo", "2026-04-24",
		  "2026-04-23T22:00:00Z" }, /* Friday, 00:00 becomes 01:00; ICU of 2022e misses it */
		{ "America/Havana", "2026-03-08", "2026-03-08T05:00:00Z" },
		{ "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z" }, /* the day that was left out */
		{ "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z" },
		{ "America/St_Johns", "2010-11-07",
		  "2010-11-07T02:30:00Z" }, /* shown for a minute, back at 00:01, shown again */
		{ "America/Mexico_City", "2026-07-01", "2026-07-01T06:00:00Z" }, /* no summer time since October 2022 */
		{ "America/Asuncion", "2026-07-01", "2026-07-01T03:00:00Z" },    /* -03 all year since October 2024 */
		{ "Asia/Almaty", "2026-07-01", "2026-06-30T19:00:00Z" },         /* +05 since March 2024 */
		{ "Asia/Kathmandu", "2026-07-01", "2026-06-30T18:15:00Z" },
		{ "Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00Z" },
		{ "Pacific/Pago_Pago", "2026-01-01", "2026-01-01T11:00:00Z" },
		{ "Europe/London", "2150-07-01", "2150-06-30T23:00:00Z" }, /* beyond the file's table: its footer */
		{ "Europe/Dublin", "2026-07-01", "2026-06-30T23:00:00Z" }, /* negative daylight saving in winter */
		{ "Africa/Casablanca", "2026-12-01", "2026-11-30T23:00:00Z" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t days;
		assert_true(date_parse(str_from(cases[i].day), &days));
		int64_t start = zone_day_start(find(cases[i].zone), days);
		if (start != at(cases[i].start))
			print_error("%s %s: off by %lld s\n", cases[i].zone, cases[i].day,
			            (long long)(start - at(cases[i].start)) / 1000000);
		assert_int_equal(start, at(cases[i].start));
	}
}

static void test_next_hour(void **state)
{
	(void)state;
	const struct zone *paris = find("Europe/Paris");
	assert_int_equal(zone_next_hour(paris, at("2026-11-24T22:10:00Z"), 8), at("2026-11-25T07:00:00Z"));
	assert_int_equal(zone_next_hour(paris, at("2026-11-24T03:00:00Z"), 8), at("2026-11-24T07:00:00Z"));
	assert_int_equal(zone_next_hour(paris, at("2026-11-24T07:30:00Z"), 8), at("2026-11-24T07:30:00Z"));
	/* 02:00 is skipped that day: 03:00 summer time. */
	assert_int_equal(zone_next_hour(paris, at("2026-03-29T00:30:00Z"), 2), at("2026-03-29T01:00:00Z"));
	assert_int_equal(zone_hour(paris, at("2026-03-29T00:59:59Z")), 1);
	assert_int_equal(zone_hour(paris, at("2026-03-29T01:00:00Z")), 3);
	assert_int_equal(zone_hour(find("Asia/Kolkata"), at("1969-12-31T23:59:59Z")), 5);
}

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* The C library reads the same files by other code. */
static void test_against_libc(void **state)
{
	(void)state;
	const char *names[] = { "Asia/Tehran",
		                "Europe/Paris",
		                "Europe/Dublin",
		                "America/New_York",
		                "America/St_Johns",
		                "America/Santiago",
		                "Africa/Casablanca",
		                "Africa/Cairo",
		                "Asia/Gaza",
		                "Asia/Beirut",
		                "Asia/Kathmandu",
		                "Australia/Lord_Howe",
		                "Pacific/Apia",
		                "Pacific/Chatham",
		                "Pacific/Fiji",
		                "Antarctica/Troll",
		                "America/Havana",
		                "America/Asuncion",
		                "America/Nuuk",
		                "Asia/Almaty",
		                "America/Sao_Paulo",
		                "Europe/Moscow",
		                "Asia/Jerusalem",
		                "Pacific/Kiritimati",
		                "UTC" };
	int64_t first = at("1902-01-01T00:00:00Z"), last = at("2190-01-01T00:00:00Z");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct zone *zone = find(names[i]);
		setenv("TZ", names[i], 1);
		tzset();
		for (int j = 0; j < 2000; j++) {
			int64_t when = first + (int64_t)(next_random() % (uint64_t)((last - first) / CLOCK_SECOND)) *
			                               CLOCK_SECOND;
			time_t seconds = (time_t)(when / CLOCK_SECOND);
			struct tm local;
			assert_non_null(localtime_r(&seconds, &local));
			if (zone_offset(zone, when) != local.tm_gmtoff)
				print_error("%s at %lld\n", names[i], (long long)seconds);
			assert_int_equal(zone_offset(zone, when), local.tm_gmtoff);
			assert_int_equal(zone_hour(zone, when), local.tm_hour);
			int64_t day = zone_day(zone, when);
			int64_t start = zone_day_start(zone, day);
			assert_true(start <= when);
			assert_true(zone_day(zone, start) == day);
			assert_true(zone_day(zone, start - CLOCK_SECOND) < day);
		}
	}
	unsetenv("TZ");
}

static void test_refuses(void **state)
{
	(void)state;
	struct zone *zone = NULL;
	assert_int_equal(zone_parse(S(""), &zone, NULL), INVALID);
	assert_int_equal(zone_parse(S("TZif2"), &zone, NULL), INVALID);
	/* Version 2 header with no types. */
	char bytes[200] = "TZif2";
	assert_int_equal(zone_parse((struct str){ bytes, sizeof bytes }, &zone, NULL), INVALID);
	assert_null(zone);
	/* Every cut of a good file is refused. */
	FILE *file = fopen("/usr/share/zoneinfo/Europe/Paris", "rb");
	assert_non_null(file);
	char good[8192];
	size_t size = fread(good, 1, sizeof good, file);
	fclose(file);
	assert_true(size > 100 && size < sizeof good);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(zone_parse((struct str){ good, cut }, &zone, NULL), INVALID);
	assert_int_equal(zone_parse((struct str){ good, size }, &zone, NULL), OK);
	zone_free(zone);
}

static void test_fallback(void **state)
{
	(void)state;
	setenv("TZDIR", "/nonexistent", 1);
	const struct zone *zone = find("Asia/Tokyo"); /* not asked for before */
	assert_int_equal(zone_offset(zone, at("2026-01-01T00:00:00Z")), 9 * 3600);
	assert_null(zone_find(S("Asia/Nowhere")));
	const struct zone *berlin = find("Europe/Berlin");
	assert_int_equal(zone_offset(berlin, at("2026-07-01T00:00:00Z")), 2 * 3600);
	assert_int_equal(zone_offset(berlin, at("2026-12-01T00:00:00Z")), 3600);
	unsetenv("TZDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),     cmocka_unit_test(test_day_starts),
		cmocka_unit_test(test_next_hour), cmocka_unit_test(test_against_libc),
		cmocka_unit_test(test_refuses),   cmocka_unit_test(test_fallback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
