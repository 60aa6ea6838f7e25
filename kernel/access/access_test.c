/* Capability links and codes; sign-in has its own tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"
#include "kernel/access/access.h"

static struct house house = { .secret = { 1, 2, 3 } };

static void
capability_round_trip(void **state)
{
	(void)state;
	struct arena arena;
	const int64_t ids[] = { 0, 1, 31, 32, 1000000, INT64_C(1) << 40, INT64_MAX };

	arena_init(&arena);
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		int64_t id = -1;
		struct str token = capability_token(&house, &arena, "answer", ids[i], 7);
		assert_true(capability_id(token, &id));
		assert_int_equal(id, ids[i]);
		assert_true(capability_check(&house, token, "answer", id, 7));
		assert_false(capability_check(&house, token, "answer", id, 8));
		assert_false(capability_check(&house, token, "manage", id, 7));
		assert_false(capability_check(&house, token, "answer", id + (id < INT64_MAX ? 1 : -1), 7));
		for (size_t at = 0; at < token.len; at++) {
			char *bent = str_c(&arena, token);
			int64_t other = -1;
			bent[at] = bent[at] == 'x' ? 'y' : 'x';
			if (capability_id(str_from(bent), &other))
				assert_false(capability_check(&house, str_from(bent), "answer", other, 7));
		}
	}
	arena_release(&arena);
}

static void
capability_refuses_what_is_not_ours(void **state)
{
	(void)state;
	int64_t id = 42;
	const char *bad[] = { "", "a", "00000000000000000000", "U0000000000000000000000", "1 000000000000000000000", "-1000000000000000000000",
		              "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "0100000000000000000000", "zzzzzzzzzzzzz00000000000000000000" };

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(capability_id(str_from(bad[i]), &id));
	assert_int_equal(id, 42);
}

static void
codes_are_bound(void **state)
{
	(void)state;
	struct arena arena;

	arena_init(&arena);
	struct str code = code_new(&arena);
	assert_int_equal(code.len, 6);
	struct str hash = code_hash(&house, &arena, code, S("a@example.org"));
	assert_int_equal(hash.len, 64);
	assert_true(str_equal(hash, code_hash(&house, &arena, code, S("a@example.org"))));
	assert_false(str_equal(hash, code_hash(&house, &arena, code, S("b@example.org"))));
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capability_round_trip),
		cmocka_unit_test(capability_refuses_what_is_not_ours),
		cmocka_unit_test(codes_are_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
