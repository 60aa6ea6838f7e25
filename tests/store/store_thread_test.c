/* The store under several threads and processes: groups, lanes, snapshots, the change sequence. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/store/shelf.h"

static void pause_for(int64_t microseconds)
{
	struct timespec rest = { .tv_sec = microseconds / CLOCK_SECOND, .tv_nsec = (microseconds % CLOCK_SECOND) * 1000 };
	nanosleep(&rest, NULL);
}

/* Waits until `count` writes are queued. */
static void wait_queued(struct db *db, int64_t count)
{
	struct db_figures figures;
	for (int i = 0; i < 5000; i++) {
		db_figures(db, &figures);
		if (figures.waiting[0] + figures.waiting[1] + figures.waiting[2] >= count)
			return;
		pause_for(1000);
	}
	fail_msg("%lld writes should wait", (long long)count);
}

/* A write that holds the writer until it is let go. */
struct holder {
	struct db *db;
	sem_t inside, go;
	pthread_t thread;
};

static enum rc hold_work(struct db_tx *tx, void *context, struct err *err)
{
	(void)tx;
	(void)err;
	struct holder *holder = context;
	sem_post(&holder->inside);
	sem_wait(&holder->go);
	return OK;
}

static void *hold_main(void *argument)
{
	struct holder *holder = argument;
	db_write(holder->db, DB_LANE_PERSON, hold_work, holder, NULL);
	return NULL;
}

static void holder_init(struct holder *holder, struct db *db)
{
	holder->db = db;
	sem_init(&holder->inside, 0, 0);
	sem_init(&holder->go, 0, 0);
	pthread_create(&holder->thread, NULL, hold_main, holder);
	sem_wait(&holder->inside);
}

static void holder_release(struct holder *holder)
{
	sem_post(&holder->go);
	pthread_join(holder->thread, NULL);
	sem_destroy(&holder->inside);
	sem_destroy(&holder->go);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

#define WRITERS 24
#define WRITES 40

struct writer {
	struct db *db;
	int number;
	enum db_lane lane;
	int wrong; /* results that were not what they should be */
};

/* Every third write breaks a rule after it has written something; every fifth changes its mind. */
struct mixed {
	char name[32];
	int turn;
};

static enum rc mixed_work(struct db_tx *tx, void *context, struct err *err)
{
	struct mixed *mixed = context;
	struct put put = { mixed->name, 1, 0 };
	enum rc rc = put_shelf(tx, &put, err);
	if (rc == OK && mixed->turn % 3 == 0)
		return put_shelf(tx, &put, err);
	return rc == OK && mixed->turn % 5 == 0 ? DENIED : rc;
}

static enum rc expected_of(int turn)
{
	return turn % 3 == 0 ? CONFLICT : turn % 5 == 0 ? DENIED : OK;
}

static void *write_main(void *argument)
{
	struct writer *writer = argument;
	for (int i = 0; i < WRITES; i++) {
		struct mixed mixed = { .turn = i };
		snprintf(mixed.name, sizeof mixed.name, "%d/%d", writer->number, i);
		if (db_write(writer->db, writer->lane, mixed_work, &mixed, NULL) != expected_of(i))
			writer->wrong++;
	}
	return NULL;
}

static void test_each_item_stands_alone(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[WRITERS];
	struct writer writers[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ fixture->db, i, (enum db_lane)(i % 3), 0 };
		pthread_create(&threads[i], NULL, write_main, &writers[i]);
	}
	int good = 0;
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(writers[i].wrong, 0);
	}
	for (int i = 0; i < WRITES; i++)
		good += expected_of(i) == OK;
	assert_int_equal(count_shelves(fixture), good * WRITERS);
	struct db_figures figures;
	db_figures(fixture->db, &figures);
	assert_int_equal(figures.items, good * WRITERS);
	assert_int_equal(figures.failures, 0);
	if (fixture->kind == STORE_SQLITE)
		assert_true(figures.commits < figures.items / 2);
}

/* --- lanes -------------------------------------------------------------------------------------------------------- */

struct order {
	char text[64];
	size_t length;
};

struct lane_item {
	struct db *db;
	enum db_lane lane;
	struct order *order;
	enum rc rc;
};

static enum rc lane_work(struct db_tx *tx, void *context, struct err *err)
{
	(void)tx;
	(void)err;
	struct lane_item *item = context;
	item->order->text[item->order->length++] = "pdb"[item->lane];
	return OK;
}

static void *lane_main(void *argument)
{
	struct lane_item *item = argument;
	item->rc = db_write(item->db, item->lane, lane_work, item, NULL);
	return NULL;
}

/* Queues one item a letter while the writer is held, waits, lets go, and returns the order in which they ran. */
static void run_lanes(struct fixture *fixture, const char *first, int64_t pause, const char *then, struct order *order)
{
	struct holder holder;
	holder_init(&holder, fixture->db);
	struct lane_item items[16];
	pthread_t threads[16];
	size_t count = strlen(first) + strlen(then);
	for (size_t i = 0; i < count; i++) {
		if (i == strlen(first))
			pause_for(pause);
		char letter = i < strlen(first) ? first[i] : then[i - strlen(first)];
		items[i] = (struct lane_item){ fixture->db, letter == 'p' ? DB_LANE_PERSON : letter == 'd' ? DB_LANE_DELIVERY : DB_LANE_BULK,
			                       order, FAILED };
		pthread_create(&threads[i], NULL, lane_main, &items[i]);
		wait_queued(fixture->db, (int64_t)i + 1);
	}
	holder_release(&holder);
	for (size_t i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(items[i].rc, OK);
	}
}

static void test_people_go_first(void **state)
{
	struct fixture *fixture = *state;
	struct order order = { .length = 0 };
	run_lanes(fixture, "bbbddd", 0, "pp", &order);
	assert_string_equal(order.text, "ppdddbbb");
}

static void test_nobody_starves(void **state)
{
	struct fixture *fixture = *state;
	struct order order = { .length = 0 };
	run_lanes(fixture, "bd", 1200000, "pdp", &order);
	assert_string_equal(order.text, "dbppd");
}

static enum rc nothing_work(struct db_tx *tx, void *context, struct err *err)
{
	(void)tx;
	(void)context;
	(void)err;
	return OK;
}

static void *nothing_main(void *argument)
{
	struct writer *writer = argument;
	writer->wrong = db_write(writer->db, DB_LANE_BULK, nothing_work, NULL, NULL) != OK;
	return NULL;
}

static void test_the_queue_has_an_end(void **state)
{
	struct fixture *fixture = *state;
	struct holder holder;
	holder_init(&holder, fixture->db);
	static struct writer writers[DB_QUEUE_MAX];
	static pthread_t threads[DB_QUEUE_MAX];
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	for (int i = 0; i < DB_QUEUE_MAX; i++) {
		writers[i] = (struct writer){ .db = fixture->db };
		assert_int_equal(pthread_create(&threads[i], &small, nothing_main, &writers[i]), 0);
	}
	wait_queued(fixture->db, DB_QUEUE_MAX);
	/* One more is turned away at once; another lane is not concerned. */
	assert_rc(fixture, BUSY, db_write(fixture->db, DB_LANE_BULK, nothing_work, NULL, fixture_err(fixture)));
	pthread_t person;
	struct lane_item item = { fixture->db, DB_LANE_PERSON, &(struct order){ .length = 0 }, FAILED };
	pthread_create(&person, NULL, lane_main, &item);
	wait_queued(fixture->db, DB_QUEUE_MAX + 1);
	holder_release(&holder);
	pthread_join(person, NULL);
	assert_int_equal(item.rc, OK);
	for (int i = 0; i < DB_QUEUE_MAX; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(writers[i].wrong, 0);
	}
	pthread_attr_destroy(&small);
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

struct snapshot {
	struct fixture *fixture;
	sem_t counted, go_on;
	int64_t before, after;
	enum rc rc;
};

static enum rc count_twice(struct db_tx *tx, void *context, struct err *err)
{
	struct snapshot *snapshot = context;
	struct shelf_count_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = shelf_count(tx, &arena, &row, err);
	snapshot->before = row.shelves;
	sem_post(&snapshot->counted);
	sem_wait(&snapshot->go_on);
	if (rc == OK)
		rc = shelf_count(tx, &arena, &row, err);
	snapshot->after = row.shelves;
	arena_release(&arena);
	return rc;
}

static void *snapshot_main(void *argument)
{
	struct snapshot *snapshot = argument;
	snapshot->rc = db_read(snapshot->fixture->db, count_twice, snapshot, NULL);
	return NULL;
}

static void test_a_reader_sees_one_moment(void **state)
{
	struct fixture *fixture = *state;
	struct snapshot snapshot = { .fixture = fixture };
	sem_init(&snapshot.counted, 0, 0);
	sem_init(&snapshot.go_on, 0, 0);
	assert_rc(fixture, OK, write_shelf(fixture, "before", 1));
	pthread_t thread;
	pthread_create(&thread, NULL, snapshot_main, &snapshot);
	sem_wait(&snapshot.counted);
	assert_rc(fixture, OK, write_shelf(fixture, "while", 1));
	assert_int_equal(count_shelves(fixture), 2);
	sem_post(&snapshot.go_on);
	pthread_join(thread, NULL);
	assert_int_equal(snapshot.rc, OK);
	assert_int_equal(snapshot.before, 1);
	assert_int_equal(snapshot.after, 1);
	sem_destroy(&snapshot.counted);
	sem_destroy(&snapshot.go_on);
}

/* More readers than connections take turns; one that waits too long is told. */
static void test_readers_take_turns(void **state)
{
	struct fixture *fixture = *state;
	fixture->options.readers = fixture->options.connections = 2;
	fixture->options.busy_timeout = 200000;
	fixture_reopen(fixture);
	struct snapshot snapshots[2];
	pthread_t threads[2];
	for (int i = 0; i < 2; i++) {
		snapshots[i] = (struct snapshot){ .fixture = fixture };
		sem_init(&snapshots[i].counted, 0, 0);
		sem_init(&snapshots[i].go_on, 0, 0);
		pthread_create(&threads[i], NULL, snapshot_main, &snapshots[i]);
		sem_wait(&snapshots[i].counted);
	}
	struct snapshot late = { .fixture = fixture };
	sem_init(&late.counted, 0, 0);
	sem_init(&late.go_on, 0, 1);
	snapshot_main(&late);
	assert_int_equal(late.rc, BUSY);
	for (int i = 0; i < 2; i++) {
		sem_post(&snapshots[i].go_on);
		pthread_join(threads[i], NULL);
		assert_int_equal(snapshots[i].rc, OK);
	}
	snapshot_main(&late);
	assert_int_equal(late.rc, OK);
}

/* --- the change sequence --------------------------------------------------------------------------------------------- */

static enum rc change_work(struct db_tx *tx, void *context, struct err *err)
{
	return db_change_append(tx, S("leg"), *(int64_t *)context, err);
}

#define CHANGERS 4
#define CHANGES 60

struct changer {
	struct db *db;
	int64_t first;
	int failed;
};

static void *change_main(void *argument)
{
	struct changer *changer = argument;
	for (int64_t i = 0; i < CHANGES; i++) {
		int64_t subject = changer->first + i;
		changer->failed += db_write(changer->db, DB_LANE_DELIVERY, change_work, &subject, NULL) != OK;
	}
	return NULL;
}

/* Whoever follows the sequence by its numbers hears of every change, whatever the order in which writers ran. */
static void test_the_sequence_has_no_late_comers(void **state)
{
	struct fixture *fixture = *state;
	struct changer changers[CHANGERS];
	pthread_t threads[CHANGERS];
	struct db *other;
	assert_rc(fixture, OK, db_open(fixture->url, &other, fixture_err(fixture)));
	for (int i = 0; i < CHANGERS; i++) {
		changers[i] = (struct changer){ i % 2 ? other : fixture->db, i * CHANGES, 0 };
		pthread_create(&threads[i], NULL, change_main, &changers[i]);
	}
	bool seen[CHANGERS * CHANGES] = { false };
	size_t total = 0;
	int64_t last = 0, until = clock_monotonic() + 60 * CLOCK_SECOND;
	while (total < CHANGERS * CHANGES && clock_monotonic() < until) {
		db_change_wait(fixture->db, last, CLOCK_SECOND);
		struct db_change *changes = NULL;
		size_t count = 0;
		assert_rc(fixture, OK, db_changes_since(fixture->db, &fixture->arena, last, 7, &changes, &count, fixture_err(fixture)));
		for (size_t i = 0; i < count; i++) {
			assert_false(seen[changes[i].subject]);
			seen[changes[i].subject] = true;
			last = changes[i].id;
		}
		total += count;
	}
	assert_int_equal(total, CHANGERS * CHANGES);
	for (int i = 0; i < CHANGERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(changers[i].failed, 0);
	}
	db_close(other);
}

struct listener {
	struct db *db;
	int64_t seen, heard, woke_at;
};

static void *listen_main(void *argument)
{
	struct listener *listener = argument;
	listener->heard = db_change_wait(listener->db, listener->seen, 10 * CLOCK_SECOND);
	listener->woke_at = clock_monotonic();
	return NULL;
}

/* Microseconds from the commit through `writer` to the listener on `reader`. */
static int64_t hear(struct fixture *fixture, struct db *writer, struct db *reader)
{
	int64_t subject = 1;
	struct listener listener = { .db = reader, .seen = db_change_wait(reader, INT64_MAX, 250000) };
	pthread_t thread;
	pthread_create(&thread, NULL, listen_main, &listener);
	pause_for(20000);
	assert_rc(fixture, OK, db_write(writer, DB_LANE_PERSON, change_work, &subject, fixture_err(fixture)));
	int64_t committed = clock_monotonic();
	pthread_join(thread, NULL);
	assert_true(listener.heard > listener.seen);
	return listener.woke_at - committed;
}

static void test_changes_are_heard(void **state)
{
	struct fixture *fixture = *state;
	struct db *other;
	assert_rc(fixture, OK, db_open(fixture->url, &other, fixture_err(fixture)));
	assert_true(hear(fixture, fixture->db, fixture->db) < 100000);
	/* 200 ms by contract, and some for a machine that is busy. */
	assert_true(hear(fixture, other, fixture->db) < 600000);
	db_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_(test_each_item_stands_alone, shelf_setup),
		SQLITE_ONLY_(test_people_go_first, shelf_setup),
		SQLITE_ONLY_(test_nobody_starves, shelf_setup),
		SQLITE_ONLY_(test_the_queue_has_an_end, shelf_setup),
		BOTH_(test_a_reader_sees_one_moment, shelf_setup),
		BOTH_(test_readers_take_turns, shelf_setup),
		BOTH_(test_the_sequence_has_no_late_comers, shelf_setup),
		BOTH_(test_changes_are_heard, shelf_setup),
	};
	return fixture_main(tests);
}
