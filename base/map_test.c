#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#define KEYS 100000

static void test_many_keys(void **state)
{
	(void)state;
	struct arena arena;
	struct map map;
	static int values[KEYS];
	char key[24];
	arena_init(&arena);
	map_init(&map, &arena);
	assert_null(map_get(&map, S("0")));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < KEYS; i++) {
			assert_null(map_get(&map, S("none"))); /* found out at every load of the table */
			snprintf(key, sizeof key, "key %d", i);
			/* The second round replaces, and gives back what stood there. */
			assert_ptr_equal(map_set(&map, str_from(key), &values[(i + round) % KEYS]),
			                 round ? &values[i] : NULL);
		}
		assert_int_equal(map.count, KEYS);
	}
	memset(key, 0, sizeof key); /* the map holds copies */
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "key %d", i);
		assert_ptr_equal(map_get(&map, str_from(key)), &values[(i + 1) % KEYS]);
	}
	assert_null(map_get(&map, S("key 100000")));
	arena_release(&arena);
}

static void test_odd_keys(void **state)
{
	(void)state;
	struct arena arena;
	struct map map;
	int a, b, c, d;
	arena_init(&arena);
	map_init(&map, &arena);
	map_set(&map, S(""), &a);
	assert_null(map_get(&map, STR_NONE));
	map_set(&map, STR_NONE, &b);
	map_set(&map, (struct str){ "x\0y", 3 }, &c);
	assert_null(map_get(&map, S("x")));
	map_set(&map, S("x"), &d);
	assert_ptr_equal(map_get(&map, S("")), &a);
	assert_ptr_equal(map_get(&map, STR_NONE), &b);
	assert_ptr_equal(map_get(&map, (struct str){ "x\0y", 3 }), &c);
	assert_ptr_equal(map_get(&map, S("x")), &d);
	arena_release(&arena);
}

static void test_hash(void **state)
{
	(void)state;
	unsigned char bytes[64] = { 0 };
	/* Depends on length, each byte and the seed; not on where the bytes lie. */
	assert_true(hash_bytes(bytes, 7, 1) != hash_bytes(bytes, 8, 1));
	assert_true(hash_bytes(bytes, 8, 1) != hash_bytes(bytes, 8, 2));
	assert_true(hash_bytes(bytes, 8, 1) == hash_bytes(bytes + 3, 8, 1));
	assert_true(hash_bytes(NULL, 0, 1) == hash_bytes(bytes, 0, 1));
	uint64_t base = hash_bytes(bytes, sizeof bytes, 9);
	for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
		bytes[bit / 8] = (unsigned char)(1u << bit % 8);
		int changed = __builtin_popcountll(base ^ hash_bytes(bytes, sizeof bytes, 9));
		assert_true(changed > 8 && changed < 56);
		bytes[bit / 8] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_odd_keys),
		cmocka_unit_test(test_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
