#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/channel/smpp/pacing.h"

#define MS (CLOCK_SECOND / 1000)

/* Sends whatever there is room for each millisecond; returns how many in that time. */
static size_t run(struct pacing *p, int64_t *now, int64_t time)
{
	size_t sent = 0;
	for (int64_t end = *now + time; *now < end; *now += MS) {
		size_t room = pacing_room(p, *now);
		pacing_take(p, room);
		sent += room;
	}
	return sent;
}

static void the_rate_is_kept_and_bursts_are_small(void **state)
{
	(void)state;
	struct pacing p;
	int64_t now = 5 * CLOCK_SECOND;
	pacing_init(&p, 500, now);
	assert_int_equal(pacing_room(&p, now), 50);
	size_t sent = run(&p, &now, 10 * CLOCK_SECOND);
	assert_in_range(sent, 4990, 5051);
	now += 3600 * CLOCK_SECOND; /* what was not used is not saved up */
	assert_int_equal(pacing_room(&p, now), 50);
}

static void without_a_limit_there_is_none(void **state)
{
	(void)state;
	struct pacing p;
	pacing_init(&p, 0, 0);
	pacing_take(&p, 1000000);
	assert_true(pacing_room(&p, 0) == SIZE_MAX);
	assert_int_equal(pacing_ready(&p, 0), 0);
}

static void a_long_message_is_paid_back(void **state)
{
	(void)state;
	struct pacing p;
	pacing_init(&p, 10, 0);
	assert_int_equal(pacing_room(&p, 0), 1);
	pacing_take(&p, 6); /* six parts with room for one */
	assert_int_equal(pacing_room(&p, 400 * MS), 0);
	assert_int_equal(pacing_room(&p, 601 * MS), 1);
	assert_true(pacing_ready(&p, 601 * MS) <= 601 * MS);
}

static void throttling_pauses_slows_once_and_recovers(void **state)
{
	(void)state;
	struct pacing p;
	int64_t now = 0;
	pacing_init(&p, 100, now);
	pacing_throttled(&p, 10, 20, now);
	assert_true(p.rate > 69 && p.rate < 71);
	for (uint64_t serial = 11; serial < 20; serial++)
		pacing_throttled(&p, serial, 25, now + MS); /* sent before the slowing was known */
	assert_true(p.rate > 69 && p.rate < 71);
	assert_int_equal(pacing_room(&p, now + 999 * MS), 0);
	assert_int_equal(pacing_ready(&p, now + 999 * MS), CLOCK_SECOND);
	now = CLOCK_SECOND;
	assert_in_range(run(&p, &now, CLOCK_SECOND), 65, 72);
	pacing_throttled(&p, 30, 40, now);
	assert_true(p.rate > 48 && p.rate < 50);
	now += 2 * CLOCK_SECOND;
	pacing_room(&p, now);
	assert_true(p.rate > 53 && p.rate < 55); /* one step of 5 */
	now += 60 * CLOCK_SECOND;
	pacing_room(&p, now);
	assert_true(p.rate == 100); /* and never above what was agreed */
	for (uint64_t i = 0; i < 100; i++)
		pacing_throttled(&p, 100 + i, 101 + i, now);
	assert_true(p.rate == 1); /* never silent */
}

static void a_route_without_a_limit_finds_one(void **state)
{
	(void)state;
	struct pacing p;
	int64_t now = 0;
	pacing_init(&p, 0, now);
	for (; now < 3 * CLOCK_SECOND; now += 10 * MS)
		pacing_accepted(&p, 10, now); /* a thousand a second */
	pacing_throttled(&p, 3000, 3100, now);
	assert_true(p.rate > 650 && p.rate < 750);
	now += 2000 * CLOCK_SECOND;
	assert_true(pacing_room(&p, now) == SIZE_MAX); /* long forgotten */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_is_kept_and_bursts_are_small), cmocka_unit_test(without_a_limit_there_is_none),
		cmocka_unit_test(a_long_message_is_paid_back), cmocka_unit_test(throttling_pauses_slows_once_and_recovers),
		cmocka_unit_test(a_route_without_a_limit_finds_one),
	};
	return cmocka_run_group_tests_name("pacing", tests, NULL, NULL);
}
