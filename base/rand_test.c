#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static struct arena arena;

static void test_base32(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0xFF, 0x00, 0x01, 0x23, 0x45, 0x80 };
	/* 11111 11100 00000 00000 00010 01000 11010 00101 10000 by hand */
	assert_string_equal(base32_encode(&arena, bytes, 8).ptr, "zw0028t5");
	assert_string_equal(base32_encode(&arena, bytes, 9).ptr, "zw0028t5g");
	assert_string_equal(base32_encode(&arena, bytes, 1).ptr, "z");
	assert_string_equal(base32_encode(&arena, bytes, 0).ptr, "");
	/* Every value of five bits has its letter: no i, l, o, u. */
	uint8_t all[20] = { 0 };
	for (size_t i = 0; i < 32; i++)
		for (size_t bit = 0; bit < 5; bit++)
			if (i >> (4 - bit) & 1)
				all[(i * 5 + bit) / 8] |= (uint8_t)(0x80 >> (i * 5 + bit) % 8);
	assert_string_equal(base32_encode(&arena, all, 32).ptr, "0123456789abcdefghjkmnpqrstvwxyz");
}

static void test_ids_and_tokens(void **state)
{
	(void)state;
	struct map seen;
	int mark;
	size_t letters[256] = { 0 };
	map_init(&seen, &arena);
	for (int i = 0; i < 2000; i++) {
		struct str id = rand_id(&arena), token = rand_token(&arena, 20);
		assert_int_equal(id.len, 32);
		assert_int_equal(strspn(id.ptr, "0123456789abcdef"), 32);
		assert_int_equal(token.len, 20);
		assert_int_equal(strspn(token.ptr, "0123456789abcdefghjkmnpqrstvwxyz"), 20);
		assert_null(map_set(&seen, id, &mark));
		assert_null(map_set(&seen, token, &mark));
		for (size_t c = 0; c < token.len; c++)
			letters[(unsigned char)token.ptr[c]]++;
	}
	/* 40000 letters, 1250 of each expected, standard deviation 35: eight of them is not chance. */
	for (const char *c = "0123456789abcdefghjkmnpqrstvwxyz"; *c; c++)
		assert_in_range(letters[(unsigned char)*c], 970, 1530);
	for (size_t length = 0; length < 200; length++) {
		struct str token = rand_token(&arena, length);
		assert_int_equal(token.len, length);
		assert_int_equal(strspn(token.ptr, "0123456789abcdefghjkmnpqrstvwxyz"), length);
	}
}

static void test_below(void **state)
{
	(void)state;
	size_t counts[6] = { 0 };
	for (int i = 0; i < 60000; i++)
		counts[rand_below(6)]++;
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		assert_in_range(counts[i], 9200, 10800); /* 8.7 standard deviations */
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(rand_below(1), 0);
		assert_true(rand_below(UINT64_MAX) < UINT64_MAX);
		assert_true(rand_below((UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
	}
}

static void test_bytes(void **state)
{
	(void)state;
	unsigned char bytes[1000] = { 0 };
	size_t zeros = 0;
	rand_bytes(bytes, 0);
	rand_bytes(bytes, 999);
	assert_int_equal(bytes[999], 0);
	for (size_t i = 0; i < 999; i++)
		zeros += bytes[i] == 0;
	assert_true(zeros < 40);
	assert_true(rand_u64() != rand_u64());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base32),
		cmocka_unit_test(test_ids_and_tokens),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_bytes),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
