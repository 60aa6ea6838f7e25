#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/desk/desk.h"
#include "tests/support/store_fixture.h"

static atomic_int slow_runs;

static void slow(struct house *house)
{
	(void)house;
	atomic_fetch_add(&slow_runs, 1);
}

static const struct job jobs[] = { { "test.slow", CLOCK_HOUR, slow, "" } };
static const struct setting settings[] = { { "test.count", SETTING_INT, "5", 1, 10, "" },
	                                   { "test.name", SETTING_TEXT, "abc", 0, 100, "" } };
static const struct setting narrow[] = { { "test.count", SETTING_INT, "1", 1, 3, "" } };
static const struct desk one = { .name = "one",
	                         .jobs = jobs,
	                         .job_count = COUNT_OF(jobs),
	                         .settings = settings,
	                         .setting_count = COUNT_OF(settings) };
static const struct desk older = { .name = "one", .settings = narrow, .setting_count = COUNT_OF(narrow) };
static const struct desk *const desks[] = { &house_desk, &one };
static const struct desk *const older_desks[] = { &house_desk, &older };

static struct house *open_house(struct fixture *fixture, struct db *db, const struct desk *const *list)
{
	const struct house_options options = { .db = db, .desks = list, .desk_count = 2 };
	struct house *house = NULL;
	assert_rc(fixture, OK, house_new(&options, &house, fixture_err(fixture)));
	assert_rc(fixture, OK, house_migrate(house, fixture_err(fixture)));
	assert_rc(fixture, OK, house_start(house, fixture_err(fixture)));
	return house;
}

static void close_house(struct house *house)
{
	house_stop(house);
	house_free(house);
}

static void settings_outlive_the_process(void **state)
{
	struct fixture *fixture = *state;
	struct house *house = open_house(fixture, fixture->db, desks);
	assert_rc(fixture, OK, setting_set(house, "test.count", S("7"), fixture_err(fixture)));
	assert_rc(fixture, OK, setting_set(house, "test.name", S("x'\"; --\xd9\x86"), fixture_err(fixture)));
	close_house(house);
	fixture_reopen(fixture);
	house = open_house(fixture, fixture->db, desks);
	assert_int_equal(setting_int(house, "test.count"), 7);
	assert_true(str_equal(setting_text(house, &fixture->arena, "test.name"), S("x'\"; --\xd9\x86")));
	assert_rc(fixture, OK, setting_clear(house, "test.count", fixture_err(fixture)));
	assert_int_equal(setting_int(house, "test.count"), 5);
	close_house(house);
	/* A program that knows other bounds, or not the setting at all, starts with its own initial value. */
	house = open_house(fixture, fixture->db, desks);
	assert_int_equal(setting_int(house, "test.count"), 5);
	assert_rc(fixture, OK, setting_set(house, "test.count", S("9"), fixture_err(fixture)));
	close_house(house);
	house = open_house(fixture, fixture->db, older_desks);
	assert_int_equal(setting_int(house, "test.count"), 1);
	close_house(house);
}

static bool comes_to(struct house *house, int64_t value)
{
	for (int tries = 0; tries < 100; tries++) {
		const struct timespec pause = { .tv_nsec = 50 * 1000000 };
		if (setting_int(house, "test.count") == value)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* As `chancery settings` beside a running server. */
static void another_process_changes_a_setting(void **state)
{
	struct fixture *fixture = *state;
	struct db *other = NULL;
	struct house *server = open_house(fixture, fixture->db, desks);
	assert_rc(fixture, OK, house_run_jobs(server, fixture_err(fixture)));
	assert_rc(fixture, OK, db_open(fixture->url, &other, fixture_err(fixture)));
	struct house *command = open_house(fixture, other, desks);
	assert_rc(fixture, OK, setting_set(command, "test.count", S("8"), fixture_err(fixture)));
	assert_true(comes_to(server, 8));
	assert_rc(fixture, OK, setting_clear(command, "test.count", fixture_err(fixture)));
	assert_true(comes_to(server, 5));
	close_house(command);
	db_close(other);
	close_house(server);
}

static void missed_jobs_run_once(void **state)
{
	struct fixture *fixture = *state;
	atomic_store(&slow_runs, 0);
	struct house *house = open_house(fixture, fixture->db, desks);
	assert_int_equal(job_run_due(house), 1); /* never ran: at once */
	assert_int_equal(job_run_due(house), 0);
	close_house(house);
	/* A restart within the hour is no reason to run. */
	house = open_house(fixture, fixture->db, desks);
	assert_int_equal(job_run_due(house), 0);
	close_house(house);
	/* Down for five hours: once, not five times. */
	clock_set_offset(5 * CLOCK_HOUR);
	house = open_house(fixture, fixture->db, desks);
	assert_int_equal(job_run_due(house), 1);
	assert_int_equal(job_run_due(house), 0);
	clock_set_offset(6 * CLOCK_HOUR + CLOCK_SECOND);
	assert_int_equal(job_run_due(house), 1);
	close_house(house);
	clock_set_offset(0);
	assert_int_equal(atomic_load(&slow_runs), 3);
}

static void one_of_two_processes_runs_a_job(void **state)
{
	struct fixture *fixture = *state;
	struct db *other_db = NULL;
	atomic_store(&slow_runs, 0);
	assert_rc(fixture, OK, db_open(fixture->url, &other_db, fixture_err(fixture)));
	struct house *first = open_house(fixture, fixture->db, desks);
	struct house *second = open_house(fixture, other_db, desks);
	for (int hour = 0; hour < 4; hour++) {
		clock_set_offset(hour * (CLOCK_HOUR + CLOCK_MINUTE));
		size_t runs = job_run_due(hour % 2 ? first : second) + job_run_due(hour % 2 ? second : first);
		assert_int_equal(runs, 1);
	}
	clock_set_offset(0);
	assert_int_equal(atomic_load(&slow_runs), 4);
	close_house(first);
	close_house(second);
	db_close(other_db);
}

static void health_asks_the_store(void **state)
{
	struct fixture *fixture = *state;
	struct house *house = open_house(fixture, fixture->db, desks);
	struct buf out;
	buf_init(&out);
	assert_true(house_health(house, &out));
	assert_true(str_equal(buf_str(&out), S("name=db ok=yes\n")));
	buf_clear(&out);
	house_write_metrics(house, &out);
	assert_true(str_find(buf_str(&out), S("\nchancery_db_commits_total "), 0) != SIZE_MAX);
	buf_release(&out);
	close_house(house);
}

#define BOTH_EMPTY(test) BOTH_(test, fixture_setup_empty)

int main(void)
{
	log_set_level(LOG_ERROR + 1);
	const struct CMUnitTest tests[] = {
		BOTH_EMPTY(settings_outlive_the_process), BOTH_EMPTY(another_process_changes_a_setting),
		BOTH_EMPTY(missed_jobs_run_once),         BOTH_EMPTY(one_of_two_processes_runs_a_job),
		BOTH_EMPTY(health_asks_the_store),
	};
	return fixture_main(tests);
}
