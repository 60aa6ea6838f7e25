#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static struct arena arena;

static int64_t parsed(const char *text)
{
	int64_t value = -77;
	if (!clock_parse(str_from(text), &value))
		assert_int_equal(value, -77); /* untouched */
	return value;
}

static void test_known_days(void **state)
{
	(void)state;
	assert_int_equal(date_to_days(1970, 1, 1), 0);
	assert_int_equal(date_to_days(1969, 12, 31), -1);
	assert_int_equal(date_to_days(2000, 2, 29), 11016);
	assert_int_equal(date_to_days(2000, 3, 1), 11017);
	assert_int_equal(date_to_days(1900, 2, 28) + 1, date_to_days(1900, 3, 1)); /* no leap year */
	assert_int_equal(date_to_days(1, 1, 1), -719162);
	assert_int_equal(date_to_days(9999, 12, 31), 2932896);
	/* Months and days beyond their range carry over. */
	assert_int_equal(date_to_days(2026, 14, 1), date_to_days(2027, 2, 1));
	assert_int_equal(date_to_days(2026, 0, 31), date_to_days(2025, 12, 31));
	assert_int_equal(date_to_days(2026, 1, 32), date_to_days(2026, 2, 1));
}

/* Walks through every day of years -1..10000 with the C library's own calendar beside. */
static void test_every_day(void **state)
{
	(void)state;
	int64_t last = date_to_days(10000, 12, 31);
	for (int64_t days = date_to_days(-1, 1, 1); days <= last; days++) {
		int year, month, day;
		struct tm tm;
		time_t seconds = days * 86400;
		date_from_days(days, &year, &month, &day);
		if (!gmtime_r(&seconds, &tm) || tm.tm_year + 1900 != year || tm.tm_mon + 1 != month ||
		    tm.tm_mday != day || date_to_days(year, month, day) != days)
			fail_msg("day %lld: %d-%d-%d", (long long)days, year, month, day);
	}
	int year, month, day;
	date_from_days(INT64_MAX, &year, &month, &day); /* held at the edge of int, no overflow */
	assert_true(year > 1900000000);
	date_from_days(INT64_MIN, &year, &month, &day);
	assert_true(year < -1900000000);
}

static void test_valid_dates(void **state)
{
	(void)state;
	assert_true(date_valid(2000, 2, 29));
	assert_false(date_valid(1900, 2, 29));
	assert_true(date_valid(2024, 2, 29));
	assert_false(date_valid(2026, 2, 29));
	assert_false(date_valid(2100, 2, 29));
	assert_true(date_valid(1, 1, 1));
	assert_false(date_valid(0, 12, 31));
	assert_true(date_valid(9999, 12, 31));
	assert_false(date_valid(10000, 1, 1));
	assert_false(date_valid(2026, 0, 1));
	assert_false(date_valid(2026, 13, 1));
	assert_false(date_valid(2026, 4, 31));
	assert_false(date_valid(2026, 4, 0));
}

static void test_date_text(void **state)
{
	(void)state;
	static const char *const bad[] = { "",           "2026-11-2",  "2026-11-240", "2026/11/24",
		                           "2026-13-01", "2026-02-29", "0000-01-01",  "+026-01-01",
		                           "2026-1--01", " 026-01-01", "2026-11-24 " };
	int64_t days = -77;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(date_parse(str_from(bad[i]), &days));
	assert_false(date_parse(STR_NONE, &days));
	assert_int_equal(days, -77);
	assert_true(date_parse(S("2000-02-29"), &days));
	assert_int_equal(days, 11016);
	assert_string_equal(date_format(&arena, 11016).ptr, "2000-02-29");
	assert_string_equal(date_format(&arena, -719162).ptr, "0001-01-01");
}

static void test_format(void **state)
{
	(void)state;
	int64_t at = date_to_days(2026, 11, 24) * CLOCK_DAY + 11 * CLOCK_HOUR + 30 * CLOCK_MINUTE + 999999;
	assert_string_equal(clock_format_cap(&arena, at).ptr, "2026-11-24T11:30:00+00:00");
	assert_string_equal(clock_format(&arena, at).ptr, "2026-11-24T11:30:00Z");
	assert_string_equal(clock_format(&arena, 0).ptr, "1970-01-01T00:00:00Z");
	assert_string_equal(clock_format(&arena, -1).ptr, "1969-12-31T23:59:59Z");
}

static void test_parse(void **state)
{
	(void)state;
	int64_t at = date_to_days(2026, 11, 24) * CLOCK_DAY + 11 * CLOCK_HOUR + 30 * CLOCK_MINUTE;
	assert_int_equal(parsed("2026-11-24T11:30:00Z"), at);
	assert_int_equal(parsed("2026-11-24t11:30:00z"), at);
	assert_int_equal(parsed("2026-11-24T11:30:00+00:00"), at);
	assert_int_equal(parsed("2026-11-24T11:30:00-00:00"), at); /* CAP's way to write UTC */
	assert_int_equal(parsed("2026-11-24T17:15:00+05:45"), at);
	assert_int_equal(parsed("2026-11-24T01:30:00-10:00"), at);
	assert_int_equal(parsed("2026-11-25T01:30:00+14:00"), at); /* the offset crosses midnight */
	assert_int_equal(parsed("2026-11-24T11:30:00.5Z"), at + 500000);
	assert_int_equal(parsed("2026-11-24T11:30:00.000001Z"), at + 1);
	assert_int_equal(parsed("2026-11-24T11:30:00.0000019999999999999999999999Z"), at + 1);
	assert_int_equal(parsed("1969-12-31T23:59:59.999999Z"), -1);
	assert_int_equal(parsed("0001-01-01T00:00:00+23:59"),
	                 date_to_days(1, 1, 1) * CLOCK_DAY - 23 * CLOCK_HOUR - 59 * CLOCK_MINUTE);
	/* Leap seconds: only at the end of a UTC day. */
	assert_int_equal(parsed("2016-12-31T23:59:60Z"), date_to_days(2017, 1, 1) * CLOCK_DAY);
	assert_int_equal(parsed("2016-12-31T15:59:60-08:00"), date_to_days(2017, 1, 1) * CLOCK_DAY);
	assert_int_equal(parsed("2016-12-31T23:59:60+01:00"), -77);
	assert_int_equal(parsed("2016-12-31T12:00:60Z"), -77);
}

static void test_parse_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"2026-11-24",
		"2026-11-24T11:30Z",
		"2026-11-24T11:30:00",
		"2026-11-24 11:30:00Z",
		"2026-11-24T24:00:00Z",
		"2026-11-24T11:60:00Z",
		"2026-11-24T11:30:61Z",
		"2026-11-24T11:30:00.Z",
		"2026-11-24T11:30:00.5",
		"2026-11-24T11:30:00+0000",
		"2026-11-24T11:30:00+24:00",
		"2026-11-24T11:30:00+00:60",
		"2026-11-24T11:30:00+00:0",
		"2026-11-24T11:30:00ZZ",
		"2026-11-24T11:30:00+00:00Z",
		"2026-02-30T11:30:00Z",
		"2026-11-24T1:30:00Z",
		"2026-11-24T11:30:-1Z",
		"2026-11-24T11:30:00,5Z",
		"x2026-11-24T11:30:00Z",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (parsed(bad[i]) != -77)
			fail_msg("accepted: %s", bad[i]);
	/* Every cut-off form of a good one is refused, and none is read behind its end. */
	struct str good = S("2026-11-24T11:30:00.25+05:45");
	int64_t value;
	for (size_t length = 0; length < good.len; length++) {
		struct str cut = str_copy(&arena, str_slice(good, 0, length));
		assert_false(clock_parse(cut, &value));
	}
	assert_true(clock_parse(good, &value));
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t at = ((int64_t)rand_below(UINT64_C(315537897600)) - INT64_C(62135596800)) * CLOCK_SECOND;
		int64_t back;
		assert_true(clock_parse(clock_format_cap(&arena, at), &back));
		assert_int_equal(at, back);
		assert_true(clock_parse(clock_format(&arena, at), &back));
		assert_int_equal(at, back);
		arena_clear(&arena);
	}
}

static void test_now_and_offset(void **state)
{
	(void)state;
	int64_t now = clock_now(), start = clock_monotonic();
	assert_true(llabs(now - (int64_t)time(NULL) * CLOCK_SECOND) < 5 * CLOCK_SECOND);
	clock_set_offset(-30 * CLOCK_DAY);
	assert_int_equal(clock_offset(), -30 * CLOCK_DAY);
	assert_true(llabs(clock_now() - now + 30 * CLOCK_DAY) < 5 * CLOCK_SECOND);
	int64_t passed = clock_monotonic() - start;
	assert_true(passed >= 0 && passed < 5 * CLOCK_SECOND);
	clock_set_offset(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_days),     cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_valid_dates),    cmocka_unit_test(test_date_text),
		cmocka_unit_test(test_format),         cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),  cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_now_and_offset),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
