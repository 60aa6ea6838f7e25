#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>

#include "kernel/text/text.h"

static struct arena arena;
static int shared_right; /* its address says "all right" out of a thread */

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

#define assert_text(actual, expected) assert_string_equal(str_c(&arena, (actual)), (expected))

static void finds_languages(void **state)
{
	(void)state;
	assert_int_equal(language_find(S("fa")), LANGUAGE_FA);
	assert_int_equal(language_find(S("fa-IR")), LANGUAGE_FA);
	assert_int_equal(language_find(S("FA_ir")), LANGUAGE_FA);
	assert_int_equal(language_find(S("prs")), LANGUAGE_FA);
	assert_int_equal(language_find(S("ar-EG")), LANGUAGE_AR);
	assert_int_equal(language_find(S("de")), LANGUAGE_COUNT);
	assert_int_equal(language_find(S("")), LANGUAGE_COUNT);
	assert_int_equal(language_find(S("f")), LANGUAGE_COUNT);
	assert_int_equal(language_find(STR_NONE), LANGUAGE_COUNT);
}

static void reads_accept_language(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		enum language language;
	} cases[] = {
		{ "fr", LANGUAGE_FR },
		{ "de-DE,de;q=0.9,fr;q=0.8,en;q=0.7", LANGUAGE_FR },
		{ "en;q=0.2, ar;q=0.9", LANGUAGE_AR },
		{ "fa;q=0, ar;q=0.001", LANGUAGE_AR },
		{ "fa-IR , en", LANGUAGE_FA },
		{ "en, fa", LANGUAGE_EN },
		{ "*", LANGUAGE_EN },
		{ "de, *;q=0.5, fr;q=0.1", LANGUAGE_EN },
		{ "fr;q=1.001, ar;q=0.5", LANGUAGE_AR },
		{ "fr;q=2, ar;q=abc", LANGUAGE_EN },
		{ "fr; q=0.4,ar;q=0.3", LANGUAGE_FR },
		{ "", LANGUAGE_EN },
		{ ",,,;;;", LANGUAGE_EN },
		{ "zh,ja,ko", LANGUAGE_EN },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(language_accept(str_from(cases[i].header)), cases[i].language);
	assert_int_equal(language_accept(STR_NONE), LANGUAGE_EN);
}

static void catalogues_are_whole(void **state)
{
	(void)state;
	for (int language = 0; language < LANGUAGE_COUNT; language++) {
		for (int message = 1; message < MSG_COUNT; message++) {
			struct msg_arg args[] = { MSG_N("count", 3), MSG_S("name", S("x")), MSG_S("0", S("x")) };
			struct str text = message_text(&arena, (enum language)language, (enum msg)message, args, COUNT_OF(args), false);
			assert_true(text.len > 0);
			assert_true(utf8_valid(text));
		}
	}
	assert_text(message_text(&arena, LANGUAGE_EN, MSG_none, NULL, 0, false), "");
	assert_text(T(&arena, LANGUAGE_FR, MSG_kernel_languages), "Langues");
	assert_text(T(&arena, LANGUAGE_EN, MSG_kernel_signed_in_as, MSG_S("name", S("Ana"))), "Signed in as Ana");
}

static struct str fill(enum language language, const char *pattern, int64_t count)
{
	struct msg_arg args[] = { MSG_N("count", count), MSG_S("name", S("Ana")) };
	return text_fill(&arena, language, str_from(pattern), args, 2, false);
}

static void counts_in_four_languages(void **state)
{
	(void)state;
	const char *en = "{count, plural, =0 {nobody} one {# person} other {# people}} near {name}";
	assert_text(fill(LANGUAGE_EN, en, 0), "nobody near Ana");
	assert_text(fill(LANGUAGE_EN, en, 1), "1 person near Ana");
	assert_text(fill(LANGUAGE_EN, en, 12345), "12,345 people near Ana");
	assert_text(fill(LANGUAGE_EN, en, -1), "-1 person near Ana");
	const char *fr = "{count, plural, one {# personne} other {# personnes}}";
	assert_text(fill(LANGUAGE_FR, fr, 0), "0 personne");
	assert_text(fill(LANGUAGE_FR, fr, 1), "1 personne");
	assert_text(fill(LANGUAGE_FR, fr, 2), "2 personnes");
	assert_text(fill(LANGUAGE_FR, fr, 1234567), "1\u202f234\u202f567 personnes");
	assert_text(fill(LANGUAGE_FR, fr, 1000000), "1\u202f000\u202f000 personnes"); /* 'many' may be left out */
	const char *ar = "{count, plural, zero {z} one {o} two {t} few {f} many {m} other {x}}";
	static const struct {
		int64_t count;
		const char *category;
	} arabic[] = { { 0, "z" }, { 1, "o" }, { 2, "t" }, { 3, "f" }, { 10, "f" }, { 11, "m" }, { 99, "m" }, { 100, "x" }, { 102, "x" },
		       { 103, "f" }, { 111, "m" } };
	for (size_t i = 0; i < COUNT_OF(arabic); i++)
		assert_text(fill(LANGUAGE_AR, ar, arabic[i].count), arabic[i].category);
	const char *fa = "{count, plural, one {# نفر} other {# نفرها}}";
	assert_text(fill(LANGUAGE_FA, fa, 0), "۰ نفر");
	assert_text(fill(LANGUAGE_FA, fa, 1), "۱ نفر");
	assert_text(fill(LANGUAGE_FA, fa, 5), "۵ نفرها");
}

static void broken_patterns_are_refused(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"{", "}", "{name", "{name}}", "{name,}", "{}", "{count, select, a {b}}", "{count, plural, one {x}", "{count, plural, one x}",
		/* deeper than any sentence goes */
		"{n, plural, other {{n, plural, other {{n, plural, other {{n, plural, other {{n, plural, other {x}}}}}}}}}}",
	};
	for (size_t i = 0; i < COUNT_OF(broken); i++)
		assert_true(str_is_none(fill(LANGUAGE_EN, broken[i], 1)));
	assert_text(fill(LANGUAGE_EN, "# {unknown}|", 1), "# |");
}

static void isolates_only_what_runs_the_other_way(void **state)
{
	(void)state;
	assert_text(text_isolate(&arena, LANGUAGE_EN, S("Ana")), "Ana");
	assert_text(text_isolate(&arena, LANGUAGE_EN, S("تهران")), "\u2068تهران\u2069");
	assert_text(text_isolate(&arena, LANGUAGE_FA, S("تهران")), "تهران");
	assert_text(text_isolate(&arena, LANGUAGE_FA, S("+98 21")), "\u2068+98 21\u2069");
	assert_text(text_isolate(&arena, LANGUAGE_AR, S("")), "");
}

static void tells_broken_rules(void **state)
{
	(void)state;
	struct err err;
	err_init(&err, &arena);
	err_field(&err, S("x"), MSG_kernel_error_summary, S("2"), STR_NONE);
	/* This message counts {count}, which no rule gives: the place is filled as for none. */
	assert_text(err_field_text(&arena, LANGUAGE_EN, err.fields), "There are 0 things to correct");
	struct msg_arg args[] = { MSG_S("0", S("3")), MSG_S("1", S("km")) };
	assert_text(text_fill(&arena, LANGUAGE_FA, S("{0, plural, one {# {1}} other {# {1}}}"), args, 2, false), "۳ km");
}

static void writes_numbers(void **state)
{
	(void)state;
	assert_text(text_number(&arena, LANGUAGE_EN, 1234567), "1,234,567");
	assert_text(text_number(&arena, LANGUAGE_EN, INT64_MIN), "-9,223,372,036,854,775,808");
	assert_text(text_number(&arena, LANGUAGE_FA, 1404), "۱٬۴۰۴");
	assert_text(text_number(&arena, LANGUAGE_AR, 42), "٤٢");
}

static void writes_dates(void **state)
{
	(void)state;
	int64_t newroz = date_to_days(2026, 3, 21);
	assert_text(text_date(&arena, LANGUAGE_EN, newroz), "21 March 2026");
	assert_text(text_date(&arena, LANGUAGE_FR, newroz), "21 mars 2026");
	assert_text(text_date(&arena, LANGUAGE_AR, newroz), "٢١ مارس ٢٠٢٦");
	assert_text(text_date(&arena, LANGUAGE_FA, newroz), "۱ فروردین ۱۴۰۵");
	assert_text(text_date(&arena, LANGUAGE_FA, newroz - 1), "۲۹ اسفند ۱۴۰۴");
	assert_text(text_date(&arena, LANGUAGE_EN, date_to_days(1969, 12, 31)), "31 December 1969");
}

static void writes_times_with_their_zone(void **state)
{
	(void)state;
	int64_t noon = (date_to_days(2026, 7, 1) * 24 + 12) * CLOCK_HOUR;
	assert_text(text_date_time(&arena, LANGUAGE_EN, noon, "Asia/Tehran"), "1 July 2026 at 15:30 GMT+3:30");
	assert_text(text_date_time(&arena, LANGUAGE_EN, noon, "Europe/Paris"), "1 July 2026 at 14:00 GMT+2");
	assert_text(text_date_time(&arena, LANGUAGE_EN, noon, "UTC"), "1 July 2026 at 12:00 GMT");
	assert_text(text_date_time(&arena, LANGUAGE_EN, noon, "Nowhere/None"), "1 July 2026 at 12:00 GMT");
	assert_text(text_date_time(&arena, LANGUAGE_EN, noon, NULL), "1 July 2026 at 12:00 GMT");
	assert_text(text_date_time(&arena, LANGUAGE_EN, noon, "Asia/Kathmandu"), "1 July 2026 at 17:45 GMT+5:45");
	/* Over midnight the day there counts. */
	assert_text(text_date_time(&arena, LANGUAGE_FR, noon + 11 * CLOCK_HOUR, "Asia/Tokyo"), "2 juillet 2026 à 08:00 UTC+9");
	struct str persian = text_date_time(&arena, LANGUAGE_FA, noon, "Asia/Tehran");
	assert_int_not_equal(str_find(persian, S("۱۰ تیر ۱۴۰۵"), 0), SIZE_MAX);
	assert_int_not_equal(str_find(persian, S("۱۵:۳۰"), 0), SIZE_MAX);
}

static void writes_distances_in_time(void **state)
{
	(void)state;
	int64_t now = INT64_C(1800000000) * CLOCK_SECOND;
	assert_text(text_relative(&arena, LANGUAGE_EN, now - 3 * CLOCK_MINUTE - 59 * CLOCK_SECOND, now), "3 minutes ago");
	assert_text(text_relative(&arena, LANGUAGE_EN, now + 2 * CLOCK_DAY, now), "in 2 days");
	assert_text(text_relative(&arena, LANGUAGE_EN, now - CLOCK_SECOND, now), "1 second ago");
	assert_text(text_relative(&arena, LANGUAGE_FR, now - 2 * CLOCK_HOUR, now), "il y a 2 heures");
	assert_text(text_relative(&arena, LANGUAGE_AR, now - 2 * CLOCK_HOUR, now), "قبل ساعتين");
	assert_text(text_relative(&arena, LANGUAGE_FA, now - 5 * CLOCK_MINUTE, now), "۵ دقیقه پیش");
}

static void reads_dates_as_typed(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum language language;
		int year, month, day; /* 0: refused */
	} cases[] = {
		{ "2026-03-14", LANGUAGE_EN, 2026, 3, 14 },
		{ "14.03.2026", LANGUAGE_EN, 2026, 3, 14 },
		{ "14/3/2026", LANGUAGE_FR, 2026, 3, 14 },
		{ " 14 / 3 / 2026 ", LANGUAGE_FR, 2026, 3, 14 },
		{ "2026/03/14", LANGUAGE_EN, 2026, 3, 14 },
		{ "١٤/٠٣/٢٠٢٦", LANGUAGE_AR, 2026, 3, 14 },
		{ "\u200f١٤\u060d٣\u060d٢٠٢٦", LANGUAGE_AR, 2026, 3, 14 },
		{ "１４．０３．２０２６", LANGUAGE_EN, 2026, 3, 14 },
		{ "۱۴۰۵/۰۱/۰۱", LANGUAGE_FA, 2026, 3, 21 },
		{ "1/1/1405", LANGUAGE_FA, 2026, 3, 21 },
		{ "1403/12/30", LANGUAGE_FA, 2025, 3, 20 }, /* a leap year */
		{ "1404/12/29", LANGUAGE_FA, 2026, 3, 20 },
		{ "1404/12/30", LANGUAGE_FA, 0, 0, 0 },
		{ "1405/07/31", LANGUAGE_FA, 0, 0, 0 },
		{ "1405/06/31", LANGUAGE_FA, 2026, 9, 22 },
		{ "1405/13/01", LANGUAGE_FA, 0, 0, 0 },
		{ "1405/00/10", LANGUAGE_FA, 0, 0, 0 },
		{ "2026-03-14", LANGUAGE_FA, 2026, 3, 14 },
		{ "1405/01/01", LANGUAGE_EN, 1405, 1, 1 },
		{ "30.02.2026", LANGUAGE_EN, 0, 0, 0 },
		{ "29.02.2028", LANGUAGE_EN, 2028, 2, 29 },
		{ "29.02.2026", LANGUAGE_EN, 0, 0, 0 },
		{ "31.04.2026", LANGUAGE_EN, 0, 0, 0 },
		{ "14.03.26", LANGUAGE_EN, 0, 0, 0 },
		{ "2026-03-2026", LANGUAGE_EN, 0, 0, 0 },
		{ "2026-3", LANGUAGE_EN, 0, 0, 0 },
		{ "2026-03-14-1", LANGUAGE_EN, 0, 0, 0 },
		{ "20260314", LANGUAGE_EN, 0, 0, 0 },
		{ "00014.03.2026", LANGUAGE_EN, 0, 0, 0 },
		{ "1 4.3.2026", LANGUAGE_EN, 0, 0, 0 },
		{ "-14.3.2026", LANGUAGE_EN, 0, 0, 0 },
		{ "14.3.0000", LANGUAGE_EN, 0, 0, 0 },
		{ "tomorrow", LANGUAGE_EN, 0, 0, 0 },
		{ "", LANGUAGE_EN, 0, 0, 0 },
		{ "..", LANGUAGE_EN, 0, 0, 0 },
		{ "\xff\xfe", LANGUAGE_EN, 0, 0, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t days = 77;
		bool read = text_read_date(str_from(cases[i].text), cases[i].language, &days);
		if (read != (cases[i].year != 0))
			fail_msg("\"%s\" was %s", cases[i].text, read ? "read" : "refused");
		if (read)
			assert_int_equal(days, date_to_days(cases[i].year, cases[i].month, cases[i].day));
		else
			assert_int_equal(days, 77);
	}
	int64_t days;
	assert_false(text_read_date(STR_NONE, LANGUAGE_EN, &days));
}

static void dates_come_back_as_shown(void **state)
{
	(void)state;
	for (int64_t day = date_to_days(1970, 1, 1); day < date_to_days(2070, 1, 1); day++) {
		for (int language = 0; language < LANGUAGE_COUNT; language++) {
			int64_t back = 0;
			assert_true(text_read_date(text_date_input(&arena, (enum language)language, day), (enum language)language, &back));
			assert_int_equal(back, day);
		}
		arena_clear(&arena);
	}
	assert_text(text_date_input(&arena, LANGUAGE_FA, date_to_days(2026, 3, 21)), "1405/01/01");
	assert_text(text_date_input(&arena, LANGUAGE_EN, date_to_days(2026, 3, 21)), "21/03/2026");
}

static void folds_digits(void **state)
{
	(void)state;
	assert_text(text_ascii_digits(&arena, S("+۹۸ ٢١ ９ x१𝟗")), "+98 21 9 x19");
	assert_text(text_ascii_digits(&arena, S("")), "");
	assert_int_equal(text_ascii_digits(&arena, S("a\xff" "b")).len, 3);
}

static void *format_much(void *unused)
{
	(void)unused;
	struct arena own;
	arena_init(&own);
	bool right = true;
	for (int i = 0; i < 300; i++) {
		int64_t noon = (date_to_days(2026, 7, 1) * 24 + 12) * CLOCK_HOUR;
		const char *zone = i % 2 ? "Asia/Tehran" : "Europe/Paris";
		right = right && str_equal(text_date_time(&own, LANGUAGE_EN, noon, zone),
		                           i % 2 ? S("1 July 2026 at 15:30 GMT+3:30") : S("1 July 2026 at 14:00 GMT+2"));
		right = right && str_equal(text_number(&own, LANGUAGE_FA, 7), S("۷"));
		right = right && str_equal(text_relative(&own, LANGUAGE_FR, 0, 2 * CLOCK_HOUR), S("il y a 2 heures"));
		arena_clear(&own);
	}
	arena_release(&own);
	return right ? &shared_right : NULL;
}

static void threads_do_not_mix(void **state)
{
	(void)state;
	pthread_t threads[4];
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, format_much, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		void *right = NULL;
		assert_int_equal(pthread_join(threads[i], &right), 0);
		assert_non_null(right);
	}
}

static void spreadsheets_find_no_formula(void **state)
{
	static const char *const cases[][2] = {
		{ "=1+1", "'=1+1" }, { "-2", "'-2" }, { "@x", "'@x" }, { "\t=1", "'\t'=1" }, { "+33612345678", "+33612345678" }, { "+1-2", "'+1-2" },
		{ "well; =HYPERLINK(1)", "well; '=HYPERLINK(1)" }, { "a;\"=1", "a;\"'=1" }, { "line\n-x", "line\n'-x" }, { "a = b - c", "a = b - c" },
		{ "Amal", "Amal" }, { "", "" }, { "=", "'=" }, { " =1", " '=1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct str out = text_for_spreadsheet(&arena, str_from(cases[i][0]));
		assert_true(str_equal(out, str_from(cases[i][1])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_languages),
		cmocka_unit_test(reads_accept_language),
		cmocka_unit_test(catalogues_are_whole),
		cmocka_unit_test(counts_in_four_languages),
		cmocka_unit_test(broken_patterns_are_refused),
		cmocka_unit_test(isolates_only_what_runs_the_other_way),
		cmocka_unit_test(tells_broken_rules),
		cmocka_unit_test(writes_numbers),
		cmocka_unit_test(writes_dates),
		cmocka_unit_test(writes_times_with_their_zone),
		cmocka_unit_test(writes_distances_in_time),
		cmocka_unit_test(reads_dates_as_typed),
		cmocka_unit_test(dates_come_back_as_shown),
		cmocka_unit_test(folds_digits),
		cmocka_unit_test(threads_do_not_mix),
		cmocka_unit_test(spreadsheets_find_no_formula),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
