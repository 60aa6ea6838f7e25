/* Opening and closing, the pool of connections, reading, and writing on stores with many writers. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/db/db_internal.h"

#define DRIVERS_MAX 4
#define RETRY_PAUSE_MAX (64 * INT64_C(1000)) /* microseconds between runs after a serialization failure */
#define RECONNECT_PAUSE (200 * INT64_C(1000))

static const struct db_driver *drivers[DRIVERS_MAX];
static size_t driver_count;

_Thread_local bool db_in_work;

void db_register_driver(const struct db_driver *driver)
{
	for (size_t i = 0; i < driver_count; i++)
		if (drivers[i] == driver)
			return;
	if (driver_count == DRIVERS_MAX)
		abort();
	drivers[driver_count++] = driver;
}

struct db_options db_options_default(void)
{
	return (struct db_options){
		.readers = 4,
		.connections = 6,
		.cache_bytes = INT64_C(64) << 20,
		.busy_timeout = 5 * CLOCK_SECOND,
	};
}

/* --- condition variables on the monotonic clock ------------------------------------------------------------ */

void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until)
{
	struct timespec at = { .tv_sec = until / CLOCK_SECOND, .tv_nsec = (until % CLOCK_SECOND) * 1000 };
	return pthread_cond_timedwait(cond, lock, &at) != ETIMEDOUT;
}

static void pause_for(int64_t microseconds)
{
	struct timespec rest = { .tv_sec = microseconds / CLOCK_SECOND, .tv_nsec = (microseconds % CLOCK_SECOND) * 1000 };
	while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
		;
}

/* --- open and close ------------------------------------------------------------------------------------------ */

static const struct db_driver *find_driver(const char *url)
{
	for (size_t i = 0; i < driver_count; i++)
		if (str_starts(str_from(url), str_from(drivers[i]->scheme)))
			return drivers[i];
	return NULL;
}

static void pool_init(struct db_pool *pool, int size)
{
	pthread_mutex_init(&pool->lock, NULL);
	cond_init(&pool->given_back);
	pool->size = size;
	pool->connections = calloc((size_t)size, sizeof(struct db_connection *));
	pool->taken = calloc((size_t)size, sizeof(bool));
	if (!pool->connections || !pool->taken)
		abort();
}

static void pool_release(struct db *db)
{
	struct db_pool *pool = &db->pool;
	for (int i = 0; i < pool->size; i++)
		if (pool->connections[i])
			db->driver->disconnect(pool->connections[i]);
	free(pool->connections);
	free(pool->taken);
	pthread_cond_destroy(&pool->given_back);
	pthread_mutex_destroy(&pool->lock);
}

static bool options_valid(const struct db_options *options)
{
	return options->readers >= 1 && options->readers <= 64 && options->connections >= 2 && options->connections <= 64 &&
	       options->cache_bytes >= 0 && options->busy_timeout >= 0;
}

enum rc db_open(const char *url, struct db **db_out, struct err *err)
{
	struct db_options options = db_options_default();
	return db_open_options(url, &options, db_out, err);
}

enum rc db_open_options(const char *url, const struct db_options *options, struct db **db_out, struct err *err)
{
	const struct db_driver *driver = find_driver(url);
	if (!driver)
		return err_set(err, INVALID, "a store is sqlite:PATH or postgresql://...");
	if (!options_valid(options))
		return err_set(err, INVALID, "options of the store are out of bounds");
	struct db *db = calloc(1, sizeof *db);
	if (!db)
		return err_set(err, FAILED, "out of memory");
	db->driver = driver;
	db->options = *options;
	enum rc rc = driver->open(url, options, &db->store, err);
	if (rc != OK) {
		free(db);
		return rc;
	}
	pool_init(&db->pool, driver->one_writer ? options->readers : options->connections);
	pthread_mutex_init(&db->queue_lock, NULL);
	cond_init(&db->queue_filled);
	pthread_mutex_init(&db->change_lock, NULL);
	cond_init(&db->changed);
	if (driver->one_writer) {
		rc = writer_start(db, err);
	} else {
		/* Fail now rather than at the first page if the server cannot be reached. */
		int index;
		rc = pool_take(db, DB_LANES, &index, err);
		if (rc == OK)
			pool_give(db, DB_LANES, index, false);
	}
	if (rc != OK) {
		db_close(db);
		return rc;
	}
	*db_out = db;
	return OK;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	change_stop(db);
	writer_stop(db);
	pool_release(db);
	db->driver->close(db->store);
	pthread_cond_destroy(&db->changed);
	pthread_mutex_destroy(&db->change_lock);
	pthread_cond_destroy(&db->queue_filled);
	pthread_mutex_destroy(&db->queue_lock);
	free(db);
}

const char *db_dialect(const struct db *db)
{
	return db->driver->name;
}

bool db_is_full(const struct db *db)
{
	return db->driver->is_full(db->store);
}

int64_t db_unknown_commits(const struct db *db)
{
	return db->unknown_commits;
}

void db_figures(struct db *db, struct db_figures *figures_out)
{
	*figures_out = (struct db_figures){
		.commits = db->commits,
		.items = db->items,
		.failures = db->failures,
		.busy = db->busy,
		.retries = db->retries,
		.longest_item = db->longest_item,
	};
	pthread_mutex_lock(&db->queue_lock);
	for (int lane = 0; lane < DB_LANES; lane++)
		figures_out->waiting[lane] = db->queues[lane].count;
	pthread_mutex_unlock(&db->queue_lock);
}

/* --- the pool ------------------------------------------------------------------------------------------------- */

/* Long work must leave connections to those who wait for an answer. */
static bool lane_may_take(const struct db *db, int lane)
{
	const struct db_pool *pool = &db->pool;
	if (lane == DB_LANE_BULK)
		return pool->taken_by[lane] < (pool->size + 2) / 3;
	if (lane == DB_LANE_DELIVERY)
		return pool->taken_by[lane] < (pool->size + 1) / 2;
	return true;
}

static int find_free(const struct db *db, int lane)
{
	const struct db_pool *pool = &db->pool;
	if (!lane_may_take(db, lane))
		return -1;
	int found = -1;
	for (int i = 0; i < pool->size; i++)
		if (!pool->taken[i] && (found < 0 || (pool->connections[i] && !pool->connections[found])))
			found = i;
	return found;
}

enum rc pool_take(struct db *db, int lane, int *index_out, struct err *err)
{
	struct db_pool *pool = &db->pool;
	int64_t until = clock_monotonic() + db->options.busy_timeout;
	pthread_mutex_lock(&pool->lock);
	if (pool->waiting >= DB_QUEUE_MAX) {
		pthread_mutex_unlock(&pool->lock);
		return err_set(err, BUSY, "too many wait for a connection to the store");
	}
	pool->waiting++;
	int index = find_free(db, lane);
	while (index < 0 && cond_wait_until(&pool->given_back, &pool->lock, until))
		index = find_free(db, lane);
	if (index < 0)
		index = find_free(db, lane);
	pool->waiting--;
	if (index >= 0) {
		pool->taken[index] = true;
		pool->taken_by[lane]++;
	}
	pthread_mutex_unlock(&pool->lock);
	if (index < 0)
		return err_set(err, BUSY, "no connection to the store came free in time");
	if (!pool->connections[index]) {
		enum rc rc = db->driver->connect(db->store, db->driver->one_writer ? DB_READ : DB_WRITE,
		                                 &pool->connections[index], err);
		if (rc != OK) {
			pool->connections[index] = NULL;
			pool_give(db, lane, index, false);
			return rc;
		}
	}
	*index_out = index;
	return OK;
}

void pool_give(struct db *db, int lane, int index, bool broken)
{
	struct db_pool *pool = &db->pool;
	if (broken) {
		db->driver->disconnect(pool->connections[index]);
		pool->connections[index] = NULL;
	}
	pthread_mutex_lock(&pool->lock);
	pool->taken[index] = false;
	pool->taken_by[lane]--;
	pthread_cond_broadcast(&pool->given_back);
	pthread_mutex_unlock(&pool->lock);
}

/* --- transactions ------------------------------------------------------------------------------------------------ */

void tx_init(struct db_tx *tx, struct db *db, struct db_connection *connection, enum db_use use)
{
	*tx = (struct db_tx){ .db = db, .connection = connection, .use = use };
	arena_init(&tx->arena);
}

void tx_release(struct db_tx *tx)
{
	arena_release(&tx->arena);
}

enum rc tx_work(struct db_tx *tx, db_work work, void *context, struct err *err)
{
	int64_t started = clock_monotonic();
	db_in_work = true;
	enum rc rc = work(tx, context, err);
	db_in_work = false;
	if (rc == OK && tx->spoilt != OK)
		rc = err_set(err, tx->spoilt, "a statement failed and its code was not heeded");
	if (rc == OK && tx->change_count > 0)
		rc = tx_write_changes(tx, err);
	int64_t took = clock_monotonic() - started, longest = tx->db->longest_item;
	while (took > longest && !atomic_compare_exchange_weak(&tx->db->longest_item, &longest, took))
		;
	return rc;
}

/* One try on a pooled connection. *again: the work was certainly not committed and may be run again. */
static enum rc try_once(struct db *db, int lane, enum db_use use, db_work work, void *context, bool *again,
                        bool *disconnected, struct err *err)
{
	*again = *disconnected = false;
	int index;
	enum rc rc = pool_take(db, lane, &index, err);
	if (rc != OK) {
		*again = *disconnected = rc == FAILED;
		return rc;
	}
	struct db_connection *connection = db->pool.connections[index];
	struct db_tx tx;
	tx_init(&tx, db, connection, use);
	rc = db->driver->begin(connection, use, err);
	bool begun = rc == OK;
	if (begun)
		rc = tx_work(&tx, work, context, err);
	if (rc == OK) {
		enum db_commit commit = db->driver->commit(connection, &rc, err);
		if (commit == DB_COMMITTED && use != DB_READ) {
			db->commits++;
			change_announce(db, tx.newest);
		}
		if (commit == DB_LOST && use != DB_READ)
			db->unknown_commits++;
		*again = commit == DB_AGAIN;
	} else {
		enum db_health health = db->driver->health(connection);
		*again = health == DB_SHOULD_RETRY || health == DB_DISCONNECTED;
		if (begun)
			db->driver->rollback(connection);
	}
	*disconnected = db->driver->health(connection) == DB_DISCONNECTED;
	pool_give(db, lane, index, *disconnected);
	tx_release(&tx);
	return rc;
}

/* Runs the work until it is done, certainly failed, or the time to repeat is over. */
static enum rc run_pooled(struct db *db, int lane, enum db_use use, db_work work, void *context, struct err *err)
{
	struct err before = err ? *err : (struct err){ 0 };
	int64_t until = clock_monotonic() + db->options.busy_timeout, pause = 1000;
	for (;;) {
		bool again, disconnected;
		enum rc rc = try_once(db, lane, use, work, context, &again, &disconnected, err);
		if (!again || clock_monotonic() >= until)
			return rc;
		db->retries++;
		if (err)
			*err = before;
		/* Random pauses part those who would meet again. */
		pause_for(disconnected ? RECONNECT_PAUSE : (int64_t)rand_below((uint64_t)pause) + 1);
		pause = pause * 2 < RETRY_PAUSE_MAX ? pause * 2 : RETRY_PAUSE_MAX;
	}
}

static void count_result(struct db *db, enum rc rc, bool write)
{
	if (rc == OK && write)
		db->items++;
	else if (rc == FAILED && write)
		db->failures++;
	else if (rc == BUSY)
		db->busy++;
}

enum rc db_write(struct db *db, enum db_lane lane, db_work work, void *context, struct err *err)
{
	if (db_in_work)
		return err_set(err, FAILED, "db_write inside a transaction's work");
	enum rc rc = db->driver->one_writer ? writer_submit(db, lane, work, context, err)
	                                    : run_pooled(db, (int)lane, DB_WRITE, work, context, err);
	count_result(db, rc, true);
	return rc;
}

enum rc db_read(struct db *db, db_work work, void *context, struct err *err)
{
	if (db_in_work)
		return err_set(err, FAILED, "db_read inside a transaction's work");
	enum rc rc = run_pooled(db, DB_LANES, DB_READ, work, context, err);
	count_result(db, rc, false);
	return rc;
}

enum rc db_copy(struct db *db, const char *path, struct err *err)
{
	if (!db->driver->copy)
		return err_set(err, INVALID, "backups of PostgreSQL are made with pg_dump");
	return db->driver->copy(db->store, path, err);
}
