/* Which carrier takes a message, and how the shares move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/messages/routing.h"

#define BIT(i) (UINT32_C(1) << (i))

#define START (INT64_C(29833334) * CLOCK_MINUTE)

static struct arena arena;
static struct err err;

static size_t add(struct routing *routing, const char *prefixes, int64_t cost, int64_t weight)
{
	size_t index;
	const struct routing_terms terms = { str_from(prefixes), cost, weight, true };
	assert_int_equal(routing_add(routing, 100 + (int64_t)routing->count, &terms, &index, &err), OK);
	routing->carriers[index]->up = true;
	routing->carriers[index]->room = 1;
	return index;
}

static void prefix_then_cost_then_weight(void **state)
{
	(void)state;
	struct routing r = { 0 };
	size_t all = add(&r, "", 10, 1), tunis = add(&r, "+216 +33", 90, 1), mobile = add(&r, "+2162", 95, 1), cheap = add(&r, "+216", 80, 1),
	       same = add(&r, "216", 80, 5), spare = add(&r, "+216", 1, 0);
	assert_int_equal(routing_choose(&r, S("+21620123456")), BIT(mobile));
	assert_int_equal(routing_choose(&r, S("+21671123456")), BIT(cheap) | BIT(same));
	assert_int_equal(routing_choose(&r, S("+33612345678")), BIT(tunis));
	assert_int_equal(routing_choose(&r, S("+4412345678")), BIT(all));
	assert_int_equal(routing_choose(&r, S("21671123456")), BIT(cheap) | BIT(same));
	r.carriers[spare]->room = r.carriers[tunis]->room = 3;
	assert_false(routing_is_open(&r, spare)); /* cheap goes before it, full or not, for every number it serves */
	assert_true(routing_is_open(&r, tunis));  /* it alone serves +33 */
	assert_true(routing_is_open(&r, all));
	r.carriers[mobile]->up = false;
	assert_int_equal(routing_choose(&r, S("+21620123456")), BIT(cheap) | BIT(same));
	r.carriers[cheap]->up = r.carriers[same]->up = false;
	assert_int_equal(routing_choose(&r, S("+21620123456")), BIT(tunis));
	r.carriers[tunis]->up = false;
	assert_int_equal(routing_choose(&r, S("+21620123456")), BIT(spare)); /* weight 0: when no other of its prefix is up */
	assert_true(routing_is_open(&r, spare));
	r.carriers[spare]->up = false;
	assert_int_equal(routing_choose(&r, S("+21620123456")), BIT(all));
	r.carriers[all]->up = false;
	assert_int_equal(routing_choose(&r, S("+21620123456")), BIT(all) | BIT(tunis) | BIT(mobile) | BIT(cheap) | BIT(same) | BIT(spare));
	assert_int_equal(routing_choose(&r, S("+4412345678")), BIT(all));
	routing_release(&r);
	add(&r, "+216", 1, 1);
	assert_int_equal(routing_choose(&r, S("+4412345678")), 0);
	routing_release(&r);
}

static void bad_prefixes(void **state)
{
	(void)state;
	static const char *const bad[] = { "+", "216x", "+1234567890123456", "++1" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct routing r = { 0 };
		size_t index;
		const struct routing_terms terms = { str_from(bad[i]), 0, 1, true };
		assert_int_equal(routing_add(&r, 1, &terms, &index, &err), INVALID);
		routing_release(&r);
	}
}

static size_t draws(struct routing *r, size_t of, size_t total)
{
	size_t count = 0, index;
	for (size_t i = 0; i < total; i++)
		if (routing_draw(r, UINT32_MAX, &index) && index == of)
			count++;
	return count;
}

static void drawn_by_weight_where_there_is_room(void **state)
{
	(void)state;
	struct routing r = { 0 };
	size_t a = add(&r, "", 0, 75), b = add(&r, "", 0, 25), index;
	size_t count = draws(&r, a, 40000);
	assert_true(count > 29000 && count < 31000);
	r.carriers[a]->cut = 90; /* 7.5 of 32.5 */
	count = draws(&r, a, 40000);
	assert_true(count > 8500 && count < 10000);
	r.carriers[b]->room = 0;
	assert_int_equal(draws(&r, a, 100), 100);
	r.carriers[a]->room = 0;
	assert_false(routing_draw(&r, UINT32_MAX, &index));
	assert_false(routing_should_look(&r, BIT(a)));
	r.carriers[b]->room = 1;
	assert_false(routing_should_look(&r, BIT(a))); /* a is up: its messages wait for it */
	r.carriers[a]->up = false;
	assert_true(routing_should_look(&r, BIT(a))); /* now another may take them */
	routing_release(&r);
}

/* One minute of traffic: `count` messages to each, of which a share of carrier 0 is late. */
static int64_t key_next = 1;
static void minute(struct routing *r, int64_t now, int slow_percent, bool others_too)
{
	for (size_t c = 0; c < r->count; c++)
		for (int i = 0; i < 100; i++) {
			uint64_t key = (uint64_t)key_next++;
			bool slow = (c == 0 || others_too) && i < slow_percent;
			routing_accepted(r, c, key, now);
			if (!slow)
				routing_ended(r, c, key, now + 10 * CLOCK_SECOND);
		}
}

static void a_slow_carrier_is_eased_and_comes_back(void **state)
{
	(void)state;
	struct routing r = { 0 };
	add(&r, "", 0, 50);
	add(&r, "", 0, 50);
	int64_t now = START;
	int64_t last = 0, changed = 0;
	for (int i = 0; i < 60; i++, now += CLOCK_MINUTE) {
		minute(&r, now, 30, false);
		routing_turn(&r, now);
		int64_t cut = r.carriers[0]->cut;
		assert_true(cut == last || cut == last + 10); /* never all at once */
		if (cut != last) {
			assert_true(changed == 0 || now - changed >= 5 * CLOCK_MINUTE);
			changed = now;
		}
		if (i < 5)
			assert_int_equal(cut, 0); /* five minutes must have passed before any is late */
		last = cut;
	}
	assert_int_equal(last, 90);
	assert_int_equal(r.carriers[1]->cut, 0);
	int64_t best = now;
	for (int i = 0; i < 120; i++, now += CLOCK_MINUTE) {
		minute(&r, now, 0, false);
		routing_turn(&r, now);
		int64_t cut = r.carriers[0]->cut;
		assert_true(cut == last || cut == last - 10);
		if (cut < last && last == 90)
			assert_true(now - best >= 15 * CLOCK_MINUTE);
		last = cut;
	}
	assert_int_equal(last, 0);
	routing_release(&r);
}

static void all_slow_moves_nothing_and_few_say_nothing(void **state)
{
	(void)state;
	struct routing r = { 0 };
	add(&r, "", 0, 50);
	add(&r, "", 0, 50);
	int64_t now = START;
	for (int i = 0; i < 40; i++, now += CLOCK_MINUTE) {
		minute(&r, now, 50, true);
		routing_turn(&r, now);
	}
	assert_int_equal(r.carriers[0]->cut, 0);
	routing_release(&r);
	add(&r, "", 0, 50);
	add(&r, "", 0, 50);
	for (int i = 0; i < 40; i++, now += CLOCK_MINUTE) {
		routing_accepted(&r, 0, (uint64_t)key_next++, now);
		routing_turn(&r, now);
	}
	assert_int_equal(r.carriers[0]->cut, 0); /* 15 in a quarter of an hour: too few */
	routing_release(&r);
}

static void errors_ease_by_ten_a_minute(void **state)
{
	(void)state;
	struct routing r = { 0 };
	add(&r, "", 0, 50);
	add(&r, "", 0, 50);
	int64_t now = START;
	for (int i = 0; i < 4; i++, now += CLOCK_MINUTE) {
		for (int e = 0; e < 50; e++)
			routing_erred(&r, 0, now);
		for (int e = 0; e < 49; e++)
			routing_erred(&r, 1, now);
		for (int second = 0; second < 60; second++)
			routing_turn(&r, now + second * CLOCK_SECOND);
		assert_int_equal(r.carriers[0]->cut, i * 10);
	}
	assert_int_equal(r.carriers[1]->cut, 0);
	routing_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefix_then_cost_then_weight),
		cmocka_unit_test(bad_prefixes),
		cmocka_unit_test(drawn_by_weight_where_there_is_room),
		cmocka_unit_test(a_slow_carrier_is_eased_and_comes_back),
		cmocka_unit_test(all_slow_moves_nothing_and_few_say_nothing),
		cmocka_unit_test(errors_ease_by_ten_a_minute),
	};
	arena_init(&arena);
	err_init(&err, &arena);
	int failed = cmocka_run_group_tests_name("routing", tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
