#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static void test_first_detail_stays(void **state)
{
	(void)state;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	err_init(&err, &arena);
	assert_true(str_is_none(err.detail));
	assert_int_equal(err_set(&err, FAILED, "disk %d: %s", 7, "full"), FAILED);
	assert_int_equal(err_set(&err, BUSY, "later"), BUSY);
	assert_string_equal(err.detail.ptr, "disk 7: full");
	assert_int_equal(err_set(NULL, DENIED, "nobody listens"), DENIED);
	arena_release(&arena);
}

static void test_fields(void **state)
{
	(void)state;
	struct arena arena;
	struct err err;
	char name[] = "email", max[] = "10";
	arena_init(&arena);
	err_init(&err, &arena);
	assert_null(err_find(&err, S("email")));
	assert_int_equal(err_field(&err, str_from(name), 5, str_from(max), STR_NONE), INVALID);
	memset(name, 'x', 5); /* copies were taken */
	memset(max, 'x', 2);
	err_field(&err, S("phone"), 6, STR_NONE, STR_NONE);
	err_field(&err, S("email"), 7, S("a"), S("b"));
	err_field(&err, S(""), 8, STR_NONE, STR_NONE);
	assert_int_equal(err.field_count, 4);
	assert_int_equal(err_find(&err, S("email"))->message, 5); /* the first of its name */
	assert_string_equal(err_find(&err, S("email"))->args[0].ptr, "10");
	assert_true(str_is_none(err_find(&err, S("email"))->args[1]));
	assert_int_equal(err_find(&err, S(""))->message, 8);
	assert_null(err_find(&err, S("name")));
	int order = 5;
	for (const struct err_field *at = err.fields; at; at = at->next)
		assert_int_equal(at->message, order++);
	assert_int_equal(order, 9);
	assert_int_equal(err_field(NULL, S("a"), 1, STR_NONE, STR_NONE), INVALID);
	arena_release(&arena);
}

static void test_names_and_exits(void **state)
{
	(void)state;
	static const struct {
		enum rc rc;
		const char *name;
		int exit;
	} cases[] = {
		{ OK, "ok", 0 },           { NOT_FOUND, "not_found", 1 }, { DENIED, "denied", 1 },
		{ INVALID, "invalid", 1 }, { CONFLICT, "conflict", 1 },   { BUSY, "busy", 3 },
		{ FAILED, "failed", 3 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_string_equal(rc_name(cases[i].rc), cases[i].name);
		assert_int_equal(rc_exit(cases[i].rc), cases[i].exit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_detail_stays),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_names_and_exits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
