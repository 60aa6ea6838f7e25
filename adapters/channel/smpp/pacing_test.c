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
	int64_t now = 10 * CLOCK_SECOND;
	pacing_init(&p, 100, now);
	for (int i = 0; i < 100; i++)
		pacing_accepted(&p, 1, now + i * 10 * MS);
	now += CLOCK_SECOND;
	pacing_throttled(&p, 10, 20, now);
	assert_true(p.rate > 69 && p.rate < 71);
	for (uint64_t serial = 11; serial < 20; serial++)
		pacing_throttled(&p, serial, 25, now + MS); /* sent before the slowing was known */
	assert_true(p.rate > 69 && p.rate < 71);
	assert_int_equal(pacing_room(&p, now + 299 * MS), 0);
	assert_int_equal(pacing_ready(&p, now + 299 * MS), now + 300 * MS);
	assert_int_equal(pacing_room(&p, now + 320 * MS), 1);
	/* Once more in the same second: no further cut, but the second is let go by. */
	pacing_throttled(&p, 30, 40, now + 400 * MS);
	assert_true(p.rate > 69 && p.rate < 71);
	assert_int_equal(pacing_room(&p, now + 999 * MS), 0);
	now += CLOCK_SECOND;
	/* Within a few seconds just below what was met, and there it stays. */
	assert_in_range(run(&p, &now, CLOCK_SECOND), 75, 95);
	run(&p, &now, 3 * CLOCK_SECOND);
	assert_in_range(run(&p, &now, CLOCK_SECOND), 94, 97);
	run(&p, &now, 3600 * CLOCK_SECOND);
	assert_true(p.rate == 100); /* and never above what was agreed */
	for (uint64_t i = 0; i < 100; i++) {
		now += 2 * CLOCK_SECOND;
		pacing_throttled(&p, 100 + i, 101 + i, now);
	}
	assert_true(p.rate == 1); /* never silent */
}

/* --- carriers that throttle --------------------------------------------------------------------------------------- */

struct model {
	double limit;         /* PDUs a second it takes */
	bool by_second;       /* counts by the second; else by a bucket of a tenth of a second's worth */
	int64_t latency;
	size_t window;
	size_t full_percent;  /* 'queue full' for that many, whatever the rate */
	double ceiling;       /* agreed, as we think */
};

#define FLIGHT_MOST 100000
struct flown {
	int64_t due;
	uint64_t serial;
	int answer; /* 0 taken, 1 throttled, 2 full */
};

struct played {
	size_t taken, refused, full;
};

struct play {
	struct pacing pacing;
	struct model model;
	int64_t now;
	double tokens;
	int64_t second, second_count;
	uint64_t serial;
	size_t first, count;
	struct flown flight[FLIGHT_MOST];
};

static bool model_takes(struct play *play)
{
	if (play->model.by_second) {
		if (play->second != play->now / CLOCK_SECOND)
			play->second_count = 0;
		play->second = play->now / CLOCK_SECOND;
		return ++play->second_count <= (int64_t)play->model.limit;
	}
	if (play->tokens < 1)
		return false;
	play->tokens--;
	return true;
}

static void play_start(struct play *play, const struct model *model)
{
	memset(play, 0, sizeof *play);
	play->model = *model;
	play->now = 1000 * CLOCK_SECOND + 370 * MS;
	pacing_init(&play->pacing, model->ceiling, play->now);
}

/* As fast as pacing and window let us, for `time`, a millisecond at a time. */
static struct played play_on(struct play *play, int64_t time)
{
	struct played played = { 0 };
	struct pacing *p = &play->pacing;
	for (int64_t end = play->now + time; play->now < end; play->now += MS) {
		double burst = play->model.limit / 10 + 1;
		play->tokens += play->model.limit / 1000;
		if (play->tokens > burst)
			play->tokens = burst;
		while (play->count > 0 && play->flight[play->first].due <= play->now) {
			struct flown flown = play->flight[play->first];
			play->first = (play->first + 1) % FLIGHT_MOST;
			play->count--;
			if (flown.answer == 0) {
				pacing_accepted(p, 1, play->now);
				played.taken++;
			} else if (flown.answer == 1) {
				pacing_throttled(p, flown.serial, play->serial, play->now);
				played.refused++;
			} else {
				pacing_queue_full(p, flown.serial, play->serial, play->now);
				played.full++;
			}
		}
		size_t room = pacing_room(p, play->now);
		while (room-- > 0 && play->count < play->model.window) {
			bool full = play->model.full_percent && rand_below(100) < play->model.full_percent;
			play->flight[(play->first + play->count++) % FLIGHT_MOST] = (struct flown){
				play->now + play->model.latency, play->serial++, full ? 2 : model_takes(play) ? 0 : 1 };
			pacing_take(p, 1);
		}
	}
	return played;
}

static struct play play;

static void it_settles_just_below_what_the_carrier_takes(void **state)
{
	(void)state;
	static const double limits[] = { 20, 100, 1000, 5000 };
	static const int64_t latencies[] = { MS, 20 * MS, 200 * MS };
	for (size_t l = 0; l < COUNT_OF(limits); l++)
		for (size_t t = 0; t < COUNT_OF(latencies); t++)
			for (int kind = 0; kind < 4; kind++) {
				struct model model = { .limit = limits[l], .by_second = kind & 1, .latency = latencies[t], .window = 2000,
					               .ceiling = kind & 2 ? limits[l] * 3 : 0 };
				play_start(&play, &model);
				struct played start = play_on(&play, 20 * CLOCK_SECOND);
				struct played later = play_on(&play, 100 * CLOCK_SECOND);
				if ((double)(start.taken + later.taken) < 0.9 * 120 * limits[l] || (double)later.taken < 0.9 * 100 * limits[l] ||
				    (double)later.refused > 0.02 * (double)later.taken + 3)
					fail_msg("limit %.0f latency %lld kind %d: taken %zu + %zu, refused %zu + %zu, rate %.1f limit %.1f", limits[l],
					         (long long)latencies[t], kind, start.taken, later.taken, start.refused, later.refused, play.pacing.rate,
					         play.pacing.limit);
			}
}

static void it_follows_a_limit_that_moves(void **state)
{
	(void)state;
	struct model model = { .limit = 1000, .latency = 20 * MS, .window = 1000 };
	play_start(&play, &model);
	play_on(&play, 60 * CLOCK_SECOND);
	play.model.limit = 400;
	play_on(&play, 10 * CLOCK_SECOND);
	struct played less = play_on(&play, 30 * CLOCK_SECOND);
	assert_true((double)less.taken > 0.9 * 30 * 400);
	assert_true(less.refused < 100);
	play.model.limit = 3000;
	play_on(&play, 120 * CLOCK_SECOND);
	struct played more = play_on(&play, 30 * CLOCK_SECOND);
	if ((double)more.taken < 0.85 * 30 * 3000)
		fail_msg("taken %zu refused %zu rate %.1f limit %.1f", more.taken, more.refused, play.pacing.rate, play.pacing.limit);
}

/* Some recipients' queues are full: no reason to slow down; everybody's are: it is. */
static void single_full_queues_do_not_slow(void **state)
{
	(void)state;
	struct model model = { .limit = 2000, .latency = 20 * MS, .window = 1000, .full_percent = 5, .ceiling = 1900 };
	play_start(&play, &model);
	struct played played = play_on(&play, 60 * CLOCK_SECOND);
	assert_true(played.full > 1000);
	assert_true((double)(played.taken + played.full) > 0.95 * 60 * 1900);
	assert_true(play.pacing.rate == 1900);
	play.model.full_percent = 100;
	played = play_on(&play, 30 * CLOCK_SECOND);
	assert_true(play.pacing.rate < 100);
}

static void without_more_to_send_nothing_is_felt_for(void **state)
{
	(void)state;
	struct pacing p;
	int64_t now = 10 * CLOCK_SECOND;
	pacing_init(&p, 0, now);
	for (; now < 13 * CLOCK_SECOND; now += 10 * MS)
		pacing_accepted(&p, 10, now); /* a thousand a second */
	pacing_throttled(&p, 3000, 3100, now);
	assert_true(p.rate > 650 && p.rate < 750);
	double rate = p.rate;
	now += 2000 * CLOCK_SECOND;
	pacing_room(&p, now);
	assert_true(p.rate == rate); /* what was not tried is not known */
	run(&p, &now, 2 * CLOCK_SECOND);
	assert_true(p.rate > rate);
	run(&p, &now, 60 * CLOCK_SECOND);
	assert_true(pacing_room(&p, now) == SIZE_MAX); /* nobody minds */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_is_kept_and_bursts_are_small), cmocka_unit_test(without_a_limit_there_is_none),
		cmocka_unit_test(a_long_message_is_paid_back), cmocka_unit_test(throttling_pauses_slows_once_and_recovers),
		cmocka_unit_test(it_settles_just_below_what_the_carrier_takes), cmocka_unit_test(it_follows_a_limit_that_moves),
		cmocka_unit_test(single_full_queues_do_not_slow), cmocka_unit_test(without_more_to_send_nothing_is_felt_for),
	};
	return cmocka_run_group_tests_name("pacing", tests, NULL, NULL);
}
