#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/base.h"
#include "kernel/text/phone.h"
#include "kernel/text/phone_oracle.h"
#include "kernel/text/phone_table.h"

static struct arena arena;

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

struct row {
	const char *input, *country;
	const char *e164; /* NULL: refused */
	enum phone_problem problem;
	const char *region;
	enum phone_type type;
};

static size_t check_row(const struct row *row)
{
	struct phone_number number = { .region = "" };
	enum phone_problem problem = PHONE_POSSIBLE;
	enum rc rc = phone_parse(&arena, str_from(row->input), str_from(row->country), &number, &problem);
	bool right = problem == row->problem && rc == (row->e164 != NULL ? OK : INVALID);

	if (right && row->e164 != NULL)
		right = str_equal(number.e164, str_from(row->e164)) && strcmp(number.region, row->region) == 0 &&
		        number.type == row->type && number.valid == (row->type != PHONE_TYPE_UNKNOWN) &&
		        strcmp(phone_region(number.e164), row->region) == 0;
	if (!right)
		print_message("[%s] from %s: %s %.*s %s %s, wanted %s %s %s %s\n", row->input,
		              row->country ? row->country : "nowhere", phone_problem_name(problem),
		              STR_ARG(number.e164), number.region, phone_type_name(number.type),
		              phone_problem_name(row->problem), row->e164 ? row->e164 : "",
		              row->region ? row->region : "", phone_type_name(row->type));
	return right ? 0 : 1;
}

static void test_cases(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* forms */
		{ "+989121234567", NULL, "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "0912 123 4567", "IR", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "9121234567", "ir", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "۰۹۱۲ ۱۲۳ ۴۵۶۷", "IR", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "٠٩١٢١٢٣٤٥٦٧", "IR", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "＋９８９１２１２３４５６７", NULL, "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "\u202A+98 912 123 4567\u202C", NULL, "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "989121234567+", NULL, "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "00989121234567", "IR", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "00989121234567", "FR", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "00989121234567", NULL, "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "00989121234567", "US", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "011989121234567", "US", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "+00989121234567", NULL, "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "+0098 (0) 912-123-45-67", "IR", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "989121234567", "IR", "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "tel:+98-912-123-4567", NULL, "+989121234567", PHONE_POSSIBLE, "IR", PHONE_MOBILE },
		{ "+33 (0)6.12/34 56—78", NULL, "+33612345678", PHONE_POSSIBLE, "FR", PHONE_MOBILE },
		{ "06\u00A012\u202F34\u200956 78", "FR", "+33612345678", PHONE_POSSIBLE, "FR", PHONE_MOBILE },
		{ "8 912 345-67-89", "RU", "+79123456789", PHONE_POSSIBLE, "RU", PHONE_MOBILE },
		{ "8~10 33 612345678", "RU", "+33612345678", PHONE_POSSIBLE, "FR", PHONE_MOBILE },
		{ "(212) 736-5000", "US", "+12127365000", PHONE_POSSIBLE, "US", PHONE_FIXED_OR_MOBILE },
		{ "1-613-555-0123", "US", "+16135550123", PHONE_POSSIBLE, "CA", PHONE_FIXED_OR_MOBILE },
		/* plans with rules of their own */
		{ "06 4673 1234", "IT", "+390646731234", PHONE_POSSIBLE, "IT", PHONE_FIXED },
		{ "+39 06 4673 1234", NULL, "+390646731234", PHONE_POSSIBLE, "IT", PHONE_FIXED },
		{ "+39 06 698 12345", NULL, "+390669812345", PHONE_POSSIBLE, "VA", PHONE_FIXED },
		{ "347 123 4567", "IT", "+393471234567", PHONE_POSSIBLE, "IT", PHONE_MOBILE },
		{ "011 15-2345-6789", "AR", "+5491123456789", PHONE_POSSIBLE, "AR", PHONE_MOBILE },
		{ "+54 9 11 2345-6789", NULL, "+5491123456789", PHONE_POSSIBLE, "AR", PHONE_MOBILE },
		{ "+54 11 2345-6789", NULL, "+541123456789", PHONE_POSSIBLE, "AR", PHONE_FIXED },
		{ "55 1234 5678", "MX", "+525512345678", PHONE_POSSIBLE, "MX", PHONE_FIXED_OR_MOBILE },
		{ "+52 1 55 1234 5678", NULL, NULL, PHONE_TOO_LONG, NULL, PHONE_TYPE_UNKNOWN }, /* the 1 went in 2019 */
		{ "0 15 11 96123-4567", "BR", "+5511961234567", PHONE_POSSIBLE, "BR", PHONE_MOBILE },
		{ "+44 7797 712345", NULL, "+447797712345", PHONE_POSSIBLE, "JE", PHONE_MOBILE },
		{ "+7 701 123 4567", NULL, "+77011234567", PHONE_POSSIBLE, "KZ", PHONE_MOBILE },
		{ "+47 79 02 12 34", NULL, "+4779021234", PHONE_POSSIBLE, "SJ", PHONE_FIXED },
		{ "268 464 1234", "AG", "+12684641234", PHONE_POSSIBLE, "AG", PHONE_MOBILE },
		{ "464 1234", "AG", "+12684641234", PHONE_POSSIBLE, "AG", PHONE_MOBILE },
		/* of no country: satellite telephones */
		{ "+8816 1234 5678", NULL, "+881612345678", PHONE_POSSIBLE, "", PHONE_MOBILE },
		/* numbers kept for stories and tests: possible, in no range in use */
		{ "+44 7700 900123", NULL, "+447700900123", PHONE_POSSIBLE, "", PHONE_TYPE_UNKNOWN },
		{ "+1 555 010 0199", NULL, "+15550100199", PHONE_POSSIBLE, "", PHONE_TYPE_UNKNOWN },
		/* refused */
		{ "123", "IR", NULL, PHONE_TOO_SHORT, NULL, PHONE_TYPE_UNKNOWN },
		{ "123", NULL, NULL, PHONE_NEEDS_COUNTRY, NULL, PHONE_TYPE_UNKNOWN },
		{ "+98123", NULL, NULL, PHONE_TOO_SHORT, NULL, PHONE_TYPE_UNKNOWN },
		{ "+98", NULL, NULL, PHONE_TOO_SHORT, NULL, PHONE_TYPE_UNKNOWN },
		{ "1234567890123456789012345678901234567890", "IR", NULL, PHONE_TOO_LONG, NULL, PHONE_TYPE_UNKNOWN },
		{ "+981234567890123456789012345678901234567890", NULL, NULL, PHONE_TOO_LONG, NULL, PHONE_TYPE_UNKNOWN },
		{ "+44 2079 4600", NULL, NULL, PHONE_WRONG_LENGTH, NULL,
		  PHONE_TYPE_UNKNOWN }, /* there are 7, 9 and 10 digits */
		{ "0912 123 4567", NULL, NULL, PHONE_NEEDS_COUNTRY, NULL, PHONE_TYPE_UNKNOWN },
		{ "0912 123 4567", "AQ", NULL, PHONE_NEEDS_COUNTRY, NULL, PHONE_TYPE_UNKNOWN },
		{ "0912 123 4567", "xx", NULL, PHONE_NEEDS_COUNTRY, NULL, PHONE_TYPE_UNKNOWN },
		{ "+999 123 4567", NULL, NULL, PHONE_UNKNOWN_COUNTRY_CODE, NULL, PHONE_TYPE_UNKNOWN },
		{ "+0912 123 4567", "IR", NULL, PHONE_UNKNOWN_COUNTRY_CODE, NULL, PHONE_TYPE_UNKNOWN },
		{ "+0098", NULL, NULL, PHONE_TOO_SHORT, NULL, PHONE_TYPE_UNKNOWN },
		{ "+0098", "IR", NULL, PHONE_TOO_SHORT, NULL, PHONE_TYPE_UNKNOWN },
		{ "00", "IR", NULL, PHONE_TOO_SHORT, NULL, PHONE_TYPE_UNKNOWN },
		{ "00", NULL, NULL, PHONE_UNKNOWN_COUNTRY_CODE, NULL, PHONE_TYPE_UNKNOWN },
		{ "+", NULL, NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "", "IR", NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "()", "IR", NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "tel:", "IR", NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "++98 912 123 4567", NULL, NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "98+9121234567", NULL, NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "ann@example.org", "IR", NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "1-800-FLOWERS", "US", NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "*100#", "IR", NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "0912 123 4567\xFF", "IR", NULL, PHONE_NOT_A_NUMBER, NULL, PHONE_TYPE_UNKNOWN },
		{ "212 736 5000 x12", "US", NULL, PHONE_HAS_EXTENSION, NULL, PHONE_TYPE_UNKNOWN },
		{ "+12127365000 ext. 12", NULL, NULL, PHONE_HAS_EXTENSION, NULL, PHONE_TYPE_UNKNOWN },
		{ "tel:+12127365000;ext=12", NULL, NULL, PHONE_HAS_EXTENSION, NULL, PHONE_TYPE_UNKNOWN },
		{ "+12127365000#12", NULL, NULL, PHONE_HAS_EXTENSION, NULL, PHONE_TYPE_UNKNOWN },
		/* longer than E.164 although Japan's plan lists it for use at home */
		{ "+81 00777 123 456 7890 12", NULL, NULL, PHONE_TOO_LONG, NULL, PHONE_TYPE_UNKNOWN },
	};
	size_t wrong = 0;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		wrong += check_row(&rows[i]);
	assert_int_equal(wrong, 0);
}

static void test_untouched(void **state)
{
	(void)state;
	struct phone_number number = { .e164 = S("kept") };
	char long_input[PHONE_INPUT_MAX + 2];
	enum phone_problem problem;

	assert_int_equal(phone_parse(&arena, S("123"), S("IR"), &number, NULL), INVALID);
	assert_true(str_equal(number.e164, S("kept")));
	memset(long_input, ' ', sizeof long_input);
	memcpy(long_input, "+989121234567", 13);
	assert_int_equal(phone_parse(&arena, (struct str){ long_input, PHONE_INPUT_MAX }, STR_NONE, &number, &problem),
	                 OK);
	assert_int_equal(
		phone_parse(&arena, (struct str){ long_input, PHONE_INPUT_MAX + 1 }, STR_NONE, &number, &problem),
		INVALID);
	assert_int_equal(problem, PHONE_TOO_LONG);
	assert_int_equal(phone_parse(&arena, STR_NONE, STR_NONE, &number, &problem), INVALID);
	assert_int_equal(problem, PHONE_NOT_A_NUMBER);
}

/* Every pattern of the table is one that PCRE2 takes, and every plan can be found again. */
static void test_table(void **state)
{
	(void)state;
	struct phone_number number;

	assert_true(phone_region_count > 240);
	assert_true(phone_pattern_count > 1000);
	for (size_t i = 0; i < phone_region_count; i++) {
		const struct phone_plan *plan = &phone_plans[i];

		assert_int_equal(phone_calling_code(str_from(plan->region)), plan->calling_code);
		assert_true(plan->lengths != 0 && plan->general != 0);
		/* makes it look at the prefixes, the types and the formats */
		(void)phone_parse(&arena, S("0000123456789"), str_from(plan->region), &number, NULL);
	}
	assert_int_equal(phone_calling_code(S("XX")), 0);
	assert_int_equal(phone_calling_code(STR_NONE), 0);
	assert_int_equal(phone_calling_code(S("ir")), 98);
}

static void test_oracle(void **state)
{
	(void)state;
	size_t wrong = 0, possible = 0;

	assert_true(phone_oracle_count > 10000);
	for (size_t i = 0; i < phone_oracle_count; i++) {
		const struct phone_oracle_row *row = &phone_oracle[i];
		struct phone_number number = { .region = "" };
		enum rc rc = phone_parse(&arena, str_from(row->input), str_from(row->country), &number, NULL);
		bool right = rc == (row->e164 != NULL ? OK : INVALID);

		if (right && rc == OK) {
			possible++;
			right = str_equal(number.e164, str_from(row->e164)) && number.valid == row->valid &&
			        number.type == row->type && strcmp(number.region, row->region) == 0 &&
			        str_equal(phone_format_display(&arena, number.e164), str_from(row->display));
		}
		if (!right && wrong++ < 40)
			print_message("[%s] from %s: %.*s %s %s [%.*s], package: %s %s %s %d [%s]\n", row->input,
			              row->country, STR_ARG(number.e164), number.region, phone_type_name(number.type),
			              STR_ARG(phone_format_display(&arena, number.e164)),
			              row->e164 ? row->e164 : "refused", row->region ? row->region : "",
			              phone_type_name(row->type), row->valid, row->display ? row->display : "");
		arena_clear(&arena);
	}
	print_message("%zu numbers, %zu of them possible, %zu differ\n", phone_oracle_count, possible, wrong);
	assert_int_equal(wrong, 0);
}

static void test_display(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "+989121234567", "+98 912 123 4567" },
		{ "+12127365000", "+1 212 736 5000" },
		{ "+5491123456789", "+54 9 11 2345 6789" },
		{ "+390669820000", "+39 06 6982 0000" },
		{ "+999123", "+999123" },
		{ "0912", "0912" },
		{ "+98", "+98 " },
		{ "", "" },
		{ "+98x", "+98x" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(phone_format_display(&arena, str_from(rows[i][0])).ptr, rows[i][1]);
	assert_string_equal(phone_region(S("+98")), "IR");
	assert_string_equal(phone_region(S("98")), "");
	assert_string_equal(phone_region(STR_NONE), "");
}

static void test_takes_sms(void **state)
{
	(void)state;
	assert_true(phone_takes_sms(PHONE_MOBILE) && phone_takes_sms(PHONE_FIXED_OR_MOBILE) &&
	            phone_takes_sms(PHONE_TYPE_UNKNOWN));
	assert_false(phone_takes_sms(PHONE_FIXED) || phone_takes_sms(PHONE_TOLL_FREE) ||
	             phone_takes_sms(PHONE_PREMIUM));
}

static void *parse_many(void *argument)
{
	struct arena own;
	size_t *wrong = argument;

	arena_init(&own);
	for (size_t i = 0; i < phone_oracle_count; i += 7) {
		struct phone_number number;
		const struct phone_oracle_row *row = &phone_oracle[i];
		enum rc rc = phone_parse(&own, str_from(row->input), str_from(row->country), &number, NULL);

		if (rc != (row->e164 != NULL ? OK : INVALID) ||
		    (rc == OK && !str_equal(number.e164, str_from(row->e164))))
			(*wrong)++;
		arena_clear(&own);
	}
	arena_release(&own);
	return NULL;
}

/* Patterns are compiled by whoever comes first; first of all tests, so that threads do meet there. */
static void test_threads(void **state)
{
	(void)state;
	pthread_t threads[4];
	size_t wrong[4] = { 0 };

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, parse_many, &wrong[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(wrong[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),   cmocka_unit_test(test_table),  cmocka_unit_test(test_cases),
		cmocka_unit_test(test_untouched), cmocka_unit_test(test_oracle), cmocka_unit_test(test_display),
		cmocka_unit_test(test_takes_sms),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
