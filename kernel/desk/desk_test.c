#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel/desk/desk.h"
#include "kernel/desk/hub.h"

static void pause_milliseconds(long milliseconds)
{
	const struct timespec pause = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

/* --- a house without a store ------------------------------------------------------------------------------------ */

static atomic_int quick_runs, started, stopped;
static bool start_fails;

static void quick(struct house *house)
{
	(void)house;
	atomic_fetch_add(&quick_runs, 1);
}

static enum rc start_one(struct house *house, struct err *err)
{
	(void)house, (void)err;
	atomic_fetch_add(&started, 1);
	return OK;
}

static enum rc start_two(struct house *house, struct err *err)
{
	(void)house;
	return start_fails ? err_set(err, FAILED, "on purpose") : OK;
}

static void stop_one(struct house *house)
{
	(void)house;
	atomic_fetch_add(&stopped, 1);
}

static const struct job jobs[] = { { "test.quick", CLOCK_SECOND, quick, "" } };
static const struct setting settings[] = {
	{ "test.count", SETTING_INT, "5", 1, 10, "" },
	{ "test.name", SETTING_TEXT, "abc", 1, 8, "" },
	{ "test.on", SETTING_BOOL, "no", 0, 0, "" },
	{ "test.below", SETTING_INT, "-5", -10, 0, "" },
};
static const struct desk one = { .name = "one",
	                         .jobs = jobs,
	                         .job_count = COUNT_OF(jobs),
	                         .settings = settings,
	                         .setting_count = COUNT_OF(settings),
	                         .start = start_one,
	                         .stop = stop_one };
static const struct desk two = { .name = "two", .start = start_two, .stop = stop_one };
static const struct desk *const desks[] = { &house_desk, &one, &two };

struct fixture {
	struct house *house;
	struct arena arena;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	arena_init(&fixture->arena);
	err_init(&fixture->err, &fixture->arena);
	const struct house_options options = { .desks = desks,
		                               .desk_count = COUNT_OF(desks),
		                               .public_url = "http://localhost" };
	assert_int_equal(house_new(&options, &fixture->house, &fixture->err), OK);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	house_free(fixture->house);
	arena_release(&fixture->arena);
	free(fixture);
	return 0;
}

static enum rc set(struct fixture *fixture, const char *name, struct str value)
{
	err_init(&fixture->err, &fixture->arena);
	return setting_set(fixture->house, name, value, &fixture->err);
}

static void settings_hold_their_bounds(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(setting_int(fixture->house, "test.count"), 5);
	assert_int_equal(set(fixture, "test.count", S("1")), OK);
	assert_int_equal(setting_int(fixture->house, "test.count"), 1);
	assert_int_equal(set(fixture, "test.count", S("10")), OK);
	static const char *const bad[] = { "0", "11", "", "5x", "+5", " 5", "99999999999999999999" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(set(fixture, "test.count", str_from(bad[i])), INVALID);
		assert_true(str_find(fixture->err.detail, S("test.count"), 0) != SIZE_MAX);
	}
	assert_int_equal(setting_int(fixture->house, "test.count"), 10); /* untouched by what was refused */
	assert_int_equal(set(fixture, "test.below", S("-10")), OK);
	assert_int_equal(setting_int(fixture->house, "test.below"), -10);

	assert_int_equal(set(fixture, "test.name", S("12345678")), OK);
	assert_int_equal(set(fixture, "test.name", S("123456789")), INVALID);
	assert_int_equal(set(fixture, "test.name", S("")), INVALID);
	assert_int_equal(set(fixture, "test.name", S("a\xff")), INVALID);
	assert_int_equal(set(fixture, "test.name", S("a\0b")), INVALID);
	assert_true(str_equal(setting_text(fixture->house, &fixture->arena, "test.name"), S("12345678")));

	assert_false(setting_bool(fixture->house, "test.on"));
	assert_int_equal(set(fixture, "test.on", S("Yes")), OK);
	assert_true(setting_bool(fixture->house, "test.on"));
	assert_int_equal(set(fixture, "test.on", S("maybe")), INVALID);

	assert_int_equal(set(fixture, "test.nothing", S("1")), NOT_FOUND);
	assert_int_equal(setting_clear(fixture->house, "test.count", &fixture->err), OK);
	assert_int_equal(setting_int(fixture->house, "test.count"), 5);
}

static void count_setting(void *context, const struct setting *setting, struct str value, bool stored)
{
	int *seen = context;
	assert_false(str_is_none(value));
	seen[0]++;
	if (strcmp(setting->name, "test.count") == 0) {
		assert_true(stored);
		assert_true(str_equal(value, S("7")));
	} else {
		assert_false(stored);
	}
}

static void settings_are_listed(void **state)
{
	struct fixture *fixture = *state;
	int seen = 0;
	assert_int_equal(set(fixture, "test.count", S("7")), OK);
	setting_each(fixture->house, count_setting, &seen);
	assert_int_equal(seen, 4);
}

static const struct setting doubled_settings[] = { { "test.count", SETTING_INT, "1", 0, 2, "" } };
static const struct setting broken_settings[] = { { "test.broken", SETTING_INT, "3", 0, 2, "" } };
static const struct job doubled_jobs[] = { { "test.quick", CLOCK_SECOND, quick, "" } };
static const struct job broken_jobs[] = { { "test.never", 0, quick, "" } };

static void tables_that_contradict_are_refused(void **state)
{
	(void)state;
	const struct desk bad[] = {
		{ .name = "one" },
		{ .name = "three", .settings = doubled_settings, .setting_count = 1 },
		{ .name = "three", .settings = broken_settings, .setting_count = 1 },
		{ .name = "three", .jobs = doubled_jobs, .job_count = 1 },
		{ .name = "three", .jobs = broken_jobs, .job_count = 1 },
	};
	static const enum rc codes[] = { CONFLICT, CONFLICT, INVALID, CONFLICT, INVALID };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const struct desk *list[] = { &house_desk, &one, &bad[i] };
		const struct house_options options = { .desks = list, .desk_count = COUNT_OF(list) };
		struct house *house = NULL;
		struct arena arena;
		struct err err;
		arena_init(&arena);
		err_init(&err, &arena);
		assert_int_equal(house_new(&options, &house, &err), codes[i]);
		assert_null(house);
		assert_true(err.detail.len > 0);
		arena_release(&arena);
	}
}

static void start_is_whole_or_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	atomic_store(&started, 0);
	atomic_store(&stopped, 0);
	start_fails = true;
	assert_int_equal(house_start(fixture->house, &fixture->err), FAILED);
	assert_int_equal(atomic_load(&started), 1);
	assert_int_equal(atomic_load(&stopped), 1); /* the first one only: the second never started */
	start_fails = false;
	assert_int_equal(house_start(fixture->house, &fixture->err), OK);
	house_stop(fixture->house);
	assert_int_equal(atomic_load(&stopped), 3);
}

static void short_jobs_come_back(void **state)
{
	struct fixture *fixture = *state;
	atomic_store(&quick_runs, 0);
	assert_int_equal(job_run_due(fixture->house), 1);
	assert_int_equal(job_run_due(fixture->house), 0);
	clock_set_offset(CLOCK_SECOND + 1);
	assert_int_equal(job_run_due(fixture->house), 1);
	/* A clock set back by a day must not stop it for a day. */
	clock_set_offset(-CLOCK_DAY);
	assert_int_equal(job_run_due(fixture->house), 1);
	assert_int_equal(job_run_due(fixture->house), 0);
	clock_set_offset(0);
	assert_int_equal(atomic_load(&quick_runs), 3);
}

static void job_threads_follow_the_clock(void **state)
{
	struct fixture *fixture = *state;
	atomic_store(&quick_runs, 0);
	assert_int_equal(house_start(fixture->house, &fixture->err), OK);
	assert_int_equal(house_run_jobs(fixture->house, &fixture->err), OK);
	for (int tries = 0; atomic_load(&quick_runs) < 1; tries++) {
		assert_true(tries < 200);
		pause_milliseconds(5);
	}
	int before = atomic_load(&quick_runs);
	clock_set_offset(CLOCK_HOUR);
	job_wake(fixture->house);
	for (int tries = 0; atomic_load(&quick_runs) == before; tries++) {
		assert_true(tries < 60); /* far less than its period */
		pause_milliseconds(5);
	}
	house_stop(fixture->house);
	int after = atomic_load(&quick_runs);
	pause_milliseconds(50);
	assert_int_equal(atomic_load(&quick_runs), after);
	clock_set_offset(0);
}

/* --- the secret -------------------------------------------------------------------------------------------------- */

static enum rc new_house(const char *folder, struct house **house)
{
	const struct house_options options = { .desks = desks, .desk_count = COUNT_OF(desks), .data_folder = folder };
	return house_new(&options, house, NULL);
}

static void the_secret_is_kept(void **state)
{
	(void)state;
	char folder[] = "chancery_desk_test_XXXXXX", path[64];
	struct house *house = NULL, *again = NULL;
	struct stat status;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/secret.key", folder);
	assert_int_equal(new_house(folder, &house), OK);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, 32);
	assert_int_equal(new_house(folder, &again), OK);
	assert_memory_equal(house->secret, again->secret, 32);
	house_free(again);

	/* Two purposes, two keys; the same twice. */
	uint8_t a[32], b[32], c[32];
	house_mac(house, "one", S("x"), a);
	house_mac(house, "one", S("x"), b);
	house_mac(house, "onex", S(""), c);
	assert_memory_equal(a, b, 32);
	assert_memory_not_equal(a, c, 32);
	house_free(house);

	/* Not one that others could have read, nor half of one. */
	assert_int_equal(chmod(path, 0640), 0);
	house = NULL;
	assert_int_equal(new_house(folder, &house), FAILED);
	assert_null(house);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 31), 0);
	assert_int_equal(new_house(folder, &house), FAILED);
	assert_int_equal(truncate(path, 33), 0);
	assert_int_equal(new_house(folder, &house), FAILED);
	unlink(path);
	rmdir(folder);
	assert_int_equal(new_house(folder, &house), FAILED); /* no folder, no secret, no start */
}

/* --- the hub ------------------------------------------------------------------------------------------------------- */

static void woken(void *context)
{
	atomic_fetch_add((atomic_int *)context, 1);
}

static bool may_sleep(void *context)
{
	(void)context;
	return true;
}

static void the_hub_wakes_who_sleeps(void **state)
{
	(void)state;
	struct hub *hub = hub_new();
	struct hub_listener *listener;
	struct buf out;
	atomic_int wakes = 0;
	buf_init(&out);
	assert_int_equal(hub_listen(hub, S("a"), -1, woken, &wakes, &listener), OK);
	assert_true(hub_take(listener, &out, may_sleep)); /* the greeting */
	assert_false(hub_take(listener, &out, may_sleep));
	hub_publish(hub, S("b"), S("elsewhere"));
	pause_milliseconds(50);
	assert_int_equal(atomic_load(&wakes), 0);
	hub_publish(hub, S("a"), S("here"));
	for (int tries = 0; atomic_load(&wakes) == 0; tries++) {
		assert_true(tries < 200);
		pause_milliseconds(5);
	}
	buf_clear(&out);
	assert_true(hub_take(listener, &out, may_sleep));
	assert_true(str_find(buf_str(&out), S("data: here\n\n"), 0) != SIZE_MAX);
	/* Awake listeners are not woken, however much happens. */
	for (int i = 0; i < 3; i++) {
		hub_publish(hub, S("a"), S("more"));
		pause_milliseconds(10);
	}
	assert_int_equal(atomic_load(&wakes), 1);
	hub_leave(listener);
	buf_release(&out);
	hub_free(hub);
}

static void the_hub_forgets_and_says_so(void **state)
{
	(void)state;
	struct hub *hub = hub_new();
	struct hub_listener *listener;
	struct buf out;
	atomic_int wakes = 0;
	char data[32];
	buf_init(&out);
	assert_int_equal(hub_listen(hub, S("a"), -1, woken, &wakes, &listener), OK);
	assert_true(hub_take(listener, &out, NULL));
	/* One event every 250 ms would take long: other numbers come from other topics, and the ring is what counts. */
	for (int i = 0; i < 3; i++) {
		hub_publish(hub, S("a"), (struct str){ data, (size_t)snprintf(data, sizeof data, "n%d", i) });
		pause_milliseconds(270);
	}
	buf_clear(&out);
	assert_true(hub_take(listener, &out, NULL));
	assert_true(str_find(buf_str(&out), S("data: n0\n\n"), 0) < str_find(buf_str(&out), S("data: n1\n\n"), 0));
	assert_true(str_find(buf_str(&out), S("data: n1\n\n"), 0) < str_find(buf_str(&out), S("data: n2\n\n"), 0));
	assert_false(hub_take(listener, &out, NULL));
	hub_leave(listener);

	/* Too long to send: the page is to be read again. */
	char *large = malloc(HUB_DATA_MAX + 1);
	memset(large, 'x', HUB_DATA_MAX + 1);
	assert_int_equal(hub_listen(hub, S("c"), -1, woken, &wakes, &listener), OK);
	buf_clear(&out);
	assert_true(hub_take(listener, &out, NULL));
	hub_publish(hub, S("c"), (struct str){ large, HUB_DATA_MAX + 1 });
	pause_milliseconds(30);
	buf_clear(&out);
	assert_true(hub_take(listener, &out, NULL));
	assert_true(str_find(buf_str(&out), S("event: refresh\ndata: \n\n"), 0) != SIZE_MAX);
	hub_leave(listener);

	/* Topics are bounded; one that is listened to stays. */
	assert_int_equal(hub_listen(hub, S("kept"), -1, woken, &wakes, &listener), OK);
	for (int i = 0; i < HUB_TOPICS_MAX + 50; i++) {
		hub_publish(hub, (struct str){ data, (size_t)snprintf(data, sizeof data, "topic %d", i) }, S("x"));
		if (i % 200 == 0)
			pause_milliseconds(5);
	}
	assert_true(hub_count(hub).topics <= HUB_TOPICS_MAX);
	hub_publish(hub, S("kept"), S("still here"));
	pause_milliseconds(30);
	buf_clear(&out);
	assert_true(hub_take(listener, &out, NULL));
	assert_true(str_find(buf_str(&out), S("still here"), 0) != SIZE_MAX);
	hub_leave(listener);
	free(large);
	buf_release(&out);
	hub_free(hub);
}

static void a_stalled_listener_is_told_to_refresh(void **state)
{
	(void)state;
	struct hub *hub = hub_new();
	struct hub_listener *stalled;
	struct buf out;
	atomic_int wakes = 0;
	buf_init(&out);
	assert_int_equal(hub_listen(hub, S("a"), -1, woken, &wakes, &stalled), OK);
	assert_true(hub_take(stalled, &out, NULL));
	for (int i = 0; i < HUB_REPLAY + 2; i++) {
		hub_publish(hub, S("a"), S("x"));
		pause_milliseconds(255);
	}
	buf_clear(&out);
	assert_true(hub_take(stalled, &out, NULL));
	assert_true(str_find(buf_str(&out), S("event: refresh\n"), 0) != SIZE_MAX);
	assert_true(str_find(buf_str(&out), S("data: x"), 0) == SIZE_MAX);
	assert_false(hub_take(stalled, &out, NULL));
	hub_leave(stalled);
	buf_release(&out);
	hub_free(hub);
}

struct crowd {
	struct hub *hub;
	atomic_bool end;
};

static void *publish_much(void *context)
{
	struct crowd *crowd = context;
	char topic[8];
	for (int i = 0; !atomic_load(&crowd->end); i++)
		hub_publish(crowd->hub, (struct str){ topic, (size_t)snprintf(topic, sizeof topic, "t%d", i % 7) },
		            S("x"));
	return NULL;
}

static void *come_and_go(void *context)
{
	struct crowd *crowd = context;
	atomic_int wakes = 0;
	char topic[8];
	struct buf out;
	buf_init(&out);
	for (int i = 0; !atomic_load(&crowd->end); i++) {
		struct hub_listener *listener;
		struct str name = { topic, (size_t)snprintf(topic, sizeof topic, "t%d", i % 7) };
		if (hub_listen(crowd->hub, name, i % 3 ? -1 : i, woken, &wakes, &listener) != OK)
			continue;
		for (int n = 0; n < 5; n++) {
			buf_clear(&out);
			hub_take(listener, &out, may_sleep);
		}
		hub_leave(listener);
	}
	buf_release(&out);
	return NULL;
}

/* For the thread sanitizer above all. */
static void the_hub_stands_a_crowd(void **state)
{
	(void)state;
	struct crowd crowd = { .hub = hub_new() };
	pthread_t threads[6];
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? publish_much : come_and_go, &crowd), 0);
	pause_milliseconds(600);
	atomic_store(&crowd.end, true);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(hub_count(crowd.hub).listeners, 0);
	hub_free(crowd.hub);
}

int main(void)
{
	log_set_level(LOG_ERROR + 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(settings_hold_their_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(settings_are_listed, setup, teardown),
		cmocka_unit_test_setup_teardown(start_is_whole_or_not_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(short_jobs_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(job_threads_follow_the_clock, setup, teardown),
		cmocka_unit_test(tables_that_contradict_are_refused),
		cmocka_unit_test(the_secret_is_kept),
		cmocka_unit_test(the_hub_wakes_who_sleeps),
		cmocka_unit_test(the_hub_forgets_and_says_so),
		cmocka_unit_test(a_stalled_listener_is_told_to_refresh),
		cmocka_unit_test(the_hub_stands_a_crowd),
	};
	return cmocka_run_group_tests_name("desk", tests, NULL, NULL);
}
