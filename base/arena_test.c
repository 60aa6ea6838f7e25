#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static void test_zeroed_and_aligned(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 3000; size += 7) {
			unsigned char *object = arena_alloc(&arena, size);
			assert_int_equal((uintptr_t)object % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(object[i], 0);
			memset(object, 0xAA, size);
		}
		arena_clear(&arena); /* what is kept must come back zeroed */
		assert_int_equal(arena.used, 0);
	}
	arena_release(&arena);
	assert_null(arena.chunk);
}

static void test_objects_do_not_overlap(void **state)
{
	(void)state;
	struct arena arena;
	unsigned char *objects[2000];
	arena_init(&arena);
	for (size_t i = 0; i < COUNT_OF(objects); i++) {
		objects[i] = arena_alloc(&arena, i % 97 + 1);
		memset(objects[i], (int)(i % 251), i % 97 + 1);
	}
	for (size_t i = 0; i < COUNT_OF(objects); i++)
		for (size_t j = 0; j < i % 97 + 1; j++)
			assert_int_equal(objects[i][j], i % 251);
	assert_ptr_not_equal(arena_alloc(&arena, 0), arena_alloc(&arena, 0));
	arena_release(&arena);
}

static void test_large_object_and_clear(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	char *large = arena_alloc(&arena, 5000000);
	large[4999999] = 1;
	assert_true(arena.used >= 5000000);
	arena_clear(&arena);
	assert_null(arena.chunk); /* so large a chunk is given back */
	arena_alloc(&arena, 10);
	void *first = arena.chunk;
	arena_clear(&arena);
	assert_ptr_equal(arena.chunk, first); /* an ordinary one is kept */
	arena_release(&arena);
}

static void test_push(void **state)
{
	(void)state;
	struct arena arena;
	int *items = NULL;
	size_t count = 0, capacity = 0;
	arena_init(&arena);
	ARENA_PUSH(&arena, items, count, capacity, 0);
	assert_int_equal(capacity, 8);
	for (int i = 1; i < 1000; i++)
		ARENA_PUSH(&arena, items, count, capacity, i);
	assert_int_equal(count, 1000);
	assert_int_equal(capacity, 1024);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	arena_release(&arena);
}

static void overflow_array(void)
{
	struct arena arena;
	arena_init(&arena);
	arena_array(&arena, SIZE_MAX / 4, 8);
}

static void overflow_alloc(void)
{
	struct arena arena;
	arena_init(&arena);
	arena_alloc(&arena, SIZE_MAX - 3);
}

static void overflow_grow(void)
{
	struct arena arena;
	size_t capacity = SIZE_MAX / 2 + 1;
	arena_init(&arena);
	arena_grow(&arena, NULL, 0, &capacity, 1);
}

static void zero_bound(void)
{
	rand_below(0);
}

static void no_value(void)
{
	struct arena arena;
	struct map map;
	arena_init(&arena);
	map_init(&map, &arena);
	map_set(&map, S("a"), NULL);
}

static void huge_buffer(void)
{
	struct buf buf;
	buf_init(&buf);
	buf_add_char(&buf, 'a');
	buf_reserve(&buf, SIZE_MAX);
}

/* True if `action` aborts and says why on standard error. */
static bool dies(void (*action)(void), const char *reason)
{
	int pipes[2];
	char said[500];
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		dup2(pipes[1], STDERR_FILENO);
		action();
		_exit(0);
	}
	close(pipes[1]);
	ssize_t got = read(pipes[0], said, sizeof said - 1);
	close(pipes[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	said[got > 0 ? got : 0] = '\0';
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, "event=fatal") &&
	       strstr(said, reason);
}

static void test_misuse_ends_the_process(void **state)
{
	(void)state;
	assert_true(dies(overflow_array, "array too large"));
	assert_true(dies(overflow_alloc, "object too large"));
	assert_true(dies(overflow_grow, "array too large"));
	assert_true(dies(zero_bound, "bound is zero"));
	assert_true(dies(no_value, "no value"));
	assert_true(dies(huge_buffer, "buf: too large"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),      cmocka_unit_test(test_objects_do_not_overlap),
		cmocka_unit_test(test_large_object_and_clear),  cmocka_unit_test(test_push),
		cmocka_unit_test(test_misuse_ends_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
