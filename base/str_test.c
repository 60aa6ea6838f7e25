#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static struct arena arena;

static void test_equal_and_compare(void **state)
{
	(void)state;
	assert_true(str_equal(S("abc"), S("abc")));
	assert_false(str_equal(S("abc"), S("abd")));
	assert_false(str_equal(S("abc"), S("ab")));
	assert_true(str_equal(STR_NONE, STR_NONE));
	assert_false(str_equal(STR_NONE, S("")));
	assert_true(str_equal_nocase(S("SaFe\xC3\x89"), S("sAfE\xC3\x89")));
	assert_false(str_equal_nocase(S("\xC3\x89"), S("\xC3\xA9"))); /* ASCII only */
	assert_false(str_equal_nocase(S("@"), S("`")));
	assert_false(str_equal_nocase(S("["), S("{")));
	assert_false(str_equal_nocase(STR_NONE, S("")));
	assert_true(str_compare(S("a"), S("b")) < 0);
	assert_true(str_compare(S("ab"), S("a")) > 0);
	assert_true(str_compare(S("a"), S("ab")) < 0);
	assert_true(str_compare(S("\xFF"), S("a")) > 0);
	assert_true(str_compare(STR_NONE, S("")) < 0);
	assert_true(str_compare(S(""), STR_NONE) > 0);
	assert_int_equal(str_compare(STR_NONE, STR_NONE), 0);
	assert_int_equal(str_compare(S(""), S("")), 0);
}

static void test_parts(void **state)
{
	(void)state;
	assert_true(str_starts(S("abc"), S("ab")) && str_starts(S("abc"), S("")) && str_starts(STR_NONE, S("")));
	assert_false(str_starts(S("a"), S("ab")) || str_starts(STR_NONE, S("a")));
	assert_true(str_ends(S("abc"), S("bc")) && str_ends(S(""), S("")));
	assert_false(str_ends(S("c"), S("bc")) || str_ends(S("abc"), S("ab")));
	assert_int_equal(str_find(S("banana"), S("an"), 0), 1);
	assert_int_equal(str_find(S("banana"), S("an"), 2), 3);
	assert_int_equal(str_find(S("banana"), S("an"), 4), SIZE_MAX);
	assert_int_equal(str_find(S("banana"), S("a"), 99), SIZE_MAX);
	assert_int_equal(str_find(S("banana"), S(""), 6), 6);
	assert_int_equal(str_find(STR_NONE, S("a"), 0), SIZE_MAX);
	assert_true(str_equal(str_slice(S("banana"), 1, 3), S("an")));
	assert_true(str_equal(str_slice(S("banana"), 4, 99), S("na")));
	assert_true(str_equal(str_slice(S("banana"), 5, 2), S("")));
	assert_true(str_equal(str_slice(S("banana"), SIZE_MAX, SIZE_MAX), S("")));
	assert_true(str_is_none(str_slice(STR_NONE, 1, 2)));
	assert_true(str_equal(str_trim(S(" \t\r\n\v\fa b\n ")), S("a b")));
	assert_true(str_equal(str_trim(S(" \n ")), S("")));
	assert_true(str_equal(str_trim(S("\xC2\xA0x")), S("\xC2\xA0x"))); /* ASCII white space only */
	assert_true(str_is_none(str_trim(STR_NONE)));
}

static void test_cut(void **state)
{
	(void)state;
	struct str head, rest;
	assert_true(str_cut(S("a=b=c"), '=', &head, &rest));
	assert_true(str_equal(head, S("a")) && str_equal(rest, S("b=c")));
	assert_true(str_cut(S("="), '=', &head, &rest));
	assert_true(str_equal(head, S("")) && str_equal(rest, S("")));
	assert_false(str_cut(S("abc"), '=', &head, &rest));
	assert_true(str_equal(head, S("abc")) && str_is_none(rest));
	assert_false(str_cut(STR_NONE, '=', &head, &rest));
	assert_true(str_is_none(head) && str_is_none(rest));
	/* The text itself may be the target, as in a loop over its parts. */
	rest = S("x,y,");
	assert_true(str_cut(rest, ',', &head, &rest) && str_cut(rest, ',', &head, &rest));
	assert_true(str_equal(head, S("y")) && str_equal(rest, S("")));
}

static void test_copies(void **state)
{
	(void)state;
	struct str slice = str_slice(S("abcdef"), 1, 3);
	assert_string_equal(str_copy(&arena, slice).ptr, "bc");
	assert_true(str_is_none(str_copy(&arena, STR_NONE)));
	assert_true(str_equal(str_copy(&arena, S("")), S("")));
	assert_string_equal(str_c(&arena, STR_NONE), "");
	assert_string_equal(str_c(&arena, slice), "bc");
	assert_string_equal(str_lower(&arena, S("AZ[\xC3\x89@")).ptr, "az[\xC3\x89@");
	assert_true(str_is_none(str_lower(&arena, STR_NONE)));
	assert_string_equal(str_concat(&arena, S("ab"), S("cd")).ptr, "abcd");
	assert_true(str_equal(str_concat(&arena, STR_NONE, STR_NONE), S("")));
	for (int length = 250; length < 260; length++) { /* around the size of the first try */
		struct str made = str_format(&arena, "%*s", length, "x");
		assert_int_equal(made.len, length);
		assert_int_equal(strlen(made.ptr), length);
		assert_int_equal(made.ptr[length - 1], 'x');
	}
	assert_string_equal(str_format(&arena, "%.*s|%.*s", STR_ARG(slice), STR_ARG(STR_NONE)).ptr, "bc|");
}

static void test_integers(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
		                           "-",
		                           "+1",
		                           " 1",
		                           "1 ",
		                           "1a",
		                           "0x1",
		                           "--1",
		                           "1.0",
		                           "1e3",
		                           "9223372036854775808",
		                           "-9223372036854775809",
		                           "99999999999999999999",
		                           "18446744073709551616",
		                           "\xD9\xA1" };
	int64_t value = 77;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (str_to_int(str_from(bad[i]), &value))
			fail_msg("accepted: %s", bad[i]);
	assert_false(str_to_int(STR_NONE, &value));
	assert_false(str_to_int((struct str){ "1\0", 2 }, &value));
	assert_int_equal(value, 77);
	assert_true(str_to_int(S("9223372036854775807"), &value) && value == INT64_MAX);
	assert_true(str_to_int(S("-9223372036854775808"), &value) && value == INT64_MIN);
	assert_true(str_to_int(S("-0"), &value) && value == 0);
	assert_true(str_to_int(S("007"), &value) && value == 7);
	assert_true(str_to_int(str_slice(S("1234"), 1, 3), &value) && value == 23);
}

static void test_fractions(void **state)
{
	(void)state;
	static const char *const bad[] = { "",         "-",     ".",      "-.",    "+1",   " 1",  "1 ",
		                           "1,5",      "1e",    "1e+",    "e5",    "0x10", "inf", "nan",
		                           "infinity", "1e400", "-1e400", "1.5.2", "1_0",  "1f" };
	double value = 77;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (str_to_double(str_from(bad[i]), &value))
			fail_msg("accepted: %s", bad[i]);
	assert_false(str_to_double(STR_NONE, &value));
	assert_true(value == 77);
	assert_true(str_to_double(S("-12.5"), &value) && value == -12.5);
	assert_true(str_to_double(S("1e-3"), &value) && value == 1e-3);
	assert_true(str_to_double(S("1E+3"), &value) && value == 1000);
	assert_true(str_to_double(S(".5"), &value) && value == .5);
	assert_true(str_to_double(S("5."), &value) && value == 5);
	assert_true(str_to_double(S("0.1"), &value) && value == 0.1);
	assert_true(str_to_double(S("1e-400"), &value) && value == 0);
	assert_true(str_to_double(str_slice(S("123456"), 1, 3), &value) && value == 23);
	char digits[513];
	memset(digits, '0', sizeof digits);
	digits[0] = '1';
	digits[1] = '.';
	assert_true(str_to_double((struct str){ digits, 511 }, &value) && value == 1);
	assert_false(str_to_double((struct str){ digits, 512 }, &value));
}

/* A program that sets a locale with a decimal comma must still read coordinates right. */
static void test_fractions_in_another_locale(void **state)
{
	(void)state;
	static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR", "ps_AF.UTF-8" };
	double value;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!setlocale(LC_ALL, names[i]))
			continue;
		bool read = str_to_double(S("12.5"), &value);
		setlocale(LC_ALL, "C");
		assert_true(read && value == 12.5);
		return;
	}
	skip(); /* no such locale on this machine */
}

static void test_hex(void **state)
{
	(void)state;
	unsigned char out[3] = { 1, 2, 3 };
	assert_string_equal(str_hex(&arena, "\x00\xAB\xFF", 3).ptr, "00abff");
	assert_string_equal(str_hex(&arena, "", 0).ptr, "");
	assert_false(str_from_hex(S("00abf"), out, 3));
	assert_false(str_from_hex(S("00abff00"), out, 3));
	assert_false(str_from_hex(S("00abfg"), out, 3));
	assert_false(str_from_hex(STR_NONE, out, 3));
	assert_memory_equal(out, "\1\2\3", 3);
	assert_true(str_from_hex(S("00aBFf"), out, 3));
	assert_memory_equal(out, "\x00\xAB\xFF", 3);
	assert_true(str_from_hex(S(""), out, 0));
}

static void test_utf8_edges(void **state)
{
	(void)state;
	static const struct {
		struct str bytes;
		bool valid;
		size_t length;
	} cases[] = {
		{ { "", 0 }, true, 0 },
		{ { "\0", 1 }, true, 1 },
		{ { "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 10 }, true, 4 },
		{ { "\xC2\x80", 2 }, true, 1 },
		{ { "\xE0\xA0\x80", 3 }, true, 1 },
		{ { "\xED\x9F\xBF", 3 }, true, 1 },
		{ { "\xEE\x80\x80", 3 }, true, 1 },
		{ { "\xF0\x90\x80\x80", 4 }, true, 1 },
		{ { "\xF4\x8F\xBF\xBF", 4 }, true, 1 },
		{ { "\xEF\xBF\xBF", 3 }, true, 1 }, /* a noncharacter is well formed */
		{ { "\x80", 1 }, false, 1 },        /* a tail alone */
		{ { "\xC0\xAF", 2 }, false, 2 },    /* overlong '/' */
		{ { "\xC1\xBF", 2 }, false, 2 },
		{ { "\xE0\x9F\xBF", 3 }, false, 3 },
		{ { "\xF0\x8F\xBF\xBF", 4 }, false, 4 },
		{ { "\xED\xA0\x80", 3 }, false, 3 }, /* surrogates */
		{ { "\xED\xBF\xBF", 3 }, false, 3 },
		{ { "\xF4\x90\x80\x80", 4 }, false, 4 }, /* above U+10FFFF */
		{ { "\xF5\x80\x80\x80", 4 }, false, 4 },
		{ { "\xF8\x88\x80\x80\x80", 5 }, false, 5 },
		{ { "\xFE\xFF", 2 }, false, 2 },
		{ { "\xC3", 1 }, false, 1 }, /* cut */
		{ { "\xE2\x82", 2 }, false, 2 },
		{ { "\xF0\x9F\x98", 3 }, false, 3 },
		{ { "\xC3\x61", 2 }, false, 2 }, /* the letter after a bad byte is kept */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		/* A copy of its own, so that a read behind the end is found. */
		char *bytes = malloc(cases[i].bytes.len + 1);
		assert_non_null(bytes);
		memcpy(bytes, cases[i].bytes.ptr, cases[i].bytes.len);
		bytes = realloc(bytes, cases[i].bytes.len ? cases[i].bytes.len : 1);
		struct str s = { bytes, cases[i].bytes.len };
		if (utf8_valid(s) != cases[i].valid || utf8_length(s) != cases[i].length)
			fail_msg("case %zu: valid %d, length %zu", i, utf8_valid(s), utf8_length(s));
		free(bytes);
	}
	size_t at = 0;
	assert_int_equal(utf8_next(S("\xC3\x61"), &at), 0xFFFD);
	assert_int_equal(at, 1);
	assert_int_equal(utf8_next(S("\xC3\x61"), &at), 'a');
	assert_true(utf8_valid(STR_NONE));
}

/* Every code point is written and read back; what is none becomes U+FFFD. */
static void test_utf8_all(void **state)
{
	(void)state;
	char bytes[4];
	for (uint32_t code = 0; code < 0x110100; code++) {
		bool is_code = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
		struct str s = { bytes, utf8_put(code, bytes) };
		size_t expected = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 || !is_code ? 3 : 4;
		size_t at = 0;
		if (s.len != expected || !utf8_valid(s) || utf8_next(s, &at) != (is_code ? code : 0xFFFD) ||
		    at != s.len)
			fail_msg("U+%04X", code);
	}
	assert_int_equal(utf8_put(UINT32_MAX, bytes), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_and_compare),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_fractions_in_another_locale),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_utf8_edges),
		cmocka_unit_test(test_utf8_all),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
