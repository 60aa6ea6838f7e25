/* Capability links and codes; sign-in has its own tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/base.h"
#include "kernel/access/access.h"
#include "kernel/access/factors.h"

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

/* RFC 6238, appendix B: the SHA-1 rows, last six digits. */
static void
totp_vectors(void **state)
{
	(void)state;
	static const struct { int64_t time; uint32_t code; } rows[] = {
		{ 59, 287082 }, { 1111111109, 81804 }, { 1111111111, 50471 }, { 1234567890, 5924 }, { 2000000000, 279037 }, { 20000000000, 353130 },
	};
	const uint8_t secret[] = "12345678901234567890";

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[7];
		assert_int_equal(totp_code(secret, 20, (uint64_t)(rows[i].time / TOTP_STEP)), rows[i].code);
		snprintf(text, sizeof text, "%06u", rows[i].code);
		const int64_t now = rows[i].time * CLOCK_SECOND, step = rows[i].time / TOTP_STEP;
		assert_int_equal(totp_match(secret, 20, str_from(text), now, 0), step);
		assert_int_equal(totp_match(secret, 20, str_from(text), now + 30 * CLOCK_SECOND, 0), step);
		assert_int_equal(totp_match(secret, 20, str_from(text), now + 60 * CLOCK_SECOND, 0), 0);
		assert_int_equal(totp_match(secret, 20, str_from(text), now, step), 0); /* works once */
	}
}

/* RFC 4648, section 10. */
static void
totp_secrets_as_text(void **state)
{
	(void)state;
	struct arena arena;
	uint8_t secret[TOTP_SECRET_SIZE];

	arena_init(&arena);
	assert_string_equal(totp_secret_text(&arena, (const uint8_t *)"foobar", 6).ptr, "MZXW6YTBOI");
	struct str text = totp_secret_text(&arena, (const uint8_t *)"12345678901234567890", 20);
	assert_true(totp_secret_read(text, secret));
	assert_memory_equal(secret, "12345678901234567890", 20);
	assert_false(totp_secret_read(S("MZXW6YTBOI"), secret));
	assert_false(totp_secret_read(S("0ZXW6YTBOI0ZXW6YTBOI0ZXW6YTBOI11"), secret));
	arena_release(&arena);
}

static void
passwords(void **state)
{
	(void)state;
	struct arena arena;
	struct err err;
	struct str hash = S("");

	arena_init(&arena);
	err_init(&err, &arena);
	assert_int_equal(password_hash(&arena, S("tangled walnut ferry"), &hash, &err), OK);
	assert_true(str_starts(hash, S("$argon2id$v=19$m=19456,t=2,p=1$")));
	assert_int_equal(password_verify(hash, S("tangled walnut ferry"), &err), OK);
	assert_int_equal(password_verify(hash, S("tangled walnut ferrY"), &err), DENIED);
	assert_int_equal(password_verify(S(""), S("tangled walnut ferry"), &err), DENIED);
	assert_int_equal(password_rules(S("tangled walnut ferry"), S("amal"), S("Amal"), S("p"), &err), OK);
	assert_int_equal(password_rules(S("twelve chars"), S("amal"), S("Amal"), S("p"), &err), OK);
	assert_int_equal(password_rules(S("eleven char"), S("amal"), S("Amal"), S("p"), &err), INVALID);
	assert_int_equal(password_rules(S("password12345678"), S("amal"), S("Amal"), S("p"), &err), INVALID);
	assert_int_equal(password_rules(S("aaaaaaaaaaaaaaaa"), S("amal"), S("Amal"), S("p"), &err), INVALID);
	assert_int_equal(password_rules(S("xx-amal-xx-2026-11"), S("amal"), S("Amal"), S("p"), &err), INVALID);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capability_round_trip),
		cmocka_unit_test(capability_refuses_what_is_not_ours),
		cmocka_unit_test(codes_are_bound),
		cmocka_unit_test(passwords),
		cmocka_unit_test(totp_secrets_as_text),
		cmocka_unit_test(totp_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
