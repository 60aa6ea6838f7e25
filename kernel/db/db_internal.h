/* Private to kernel/db: what its files share. */
#ifndef CHANCERY_KERNEL_DB_INTERNAL_H
#define CHANCERY_KERNEL_DB_INTERNAL_H

#include <pthread.h>

#include "kernel/db/db.h"

#define DB_LANES 3
#define DB_GROUP_ITEMS_MAX 32
#define DB_GROUP_TIME_MAX (10 * INT64_C(1000)) /* microseconds after which a group takes no further item */
#define DB_CHANGES_PER_ITEM_MAX 100000
#define DB_KIND_LENGTH_MAX 40

struct db_pending_change {
	struct str kind;
	int64_t subject;
};

struct db_tx {
	struct db *db;
	struct db_connection *connection;
	enum db_use use;
	enum rc spoilt;   /* the first failure of a statement; the transaction must not commit */
	bool streaming;   /* inside :each */
	struct arena arena; /* of the pending changes */
	struct db_pending_change *changes; /* written right before the commit, see change.c */
	size_t change_count, change_capacity;
	int64_t newest;   /* the highest number it appended, 0 none */
};

/* A write that waits; lives on its caller's stack until done. */
struct db_item {
	db_work work;
	void *context;
	struct err *err;
	enum db_lane lane;
	int64_t queued_at;  /* monotonic */
	enum rc rc;
	int64_t newest;
	bool done;
	pthread_cond_t finished;
	struct db_item *next;
};

struct db_queue {
	struct db_item *first, *last;
	int64_t count;
};

/* Connections that threads take and give back. */
struct db_pool {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t given_back;
	struct db_connection **connections; /* NULL: not connected (yet, or any more) */
	bool *taken;
	int size;
	int taken_by[DB_LANES + 1]; /* by lane; the last for readers */
	int waiting;
};

struct db {
	const struct db_driver *driver;
	struct db_store *store;
	struct db_options options;

	struct db_pool pool;

	pthread_mutex_t queue_lock; /* guards queues, stopping, scrub_at */
	pthread_cond_t queue_filled;
	struct db_queue queues[DB_LANES];
	bool stopping;
	int64_t scrub_at; /* monotonic: when the write-ahead log is to be emptied; 0 never */
	bool has_writer;
	pthread_t writer;
	struct db_connection *writer_connection; /* the writer thread's own */

	pthread_mutex_t change_lock; /* guards newest, watching, watch_stop */
	pthread_cond_t changed;
	int64_t newest;
	bool watching, watch_stop;
	pthread_t watcher;

	_Atomic int64_t commits, unknown_commits, items, failures, busy, retries, longest_item;
};

/* A condition variable that waits on the monotonic clock. */
void cond_init(pthread_cond_t *cond);
/* Waits until signalled or the monotonic time `until`; false when the time came. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until);

void tx_init(struct db_tx *tx, struct db *db, struct db_connection *connection, enum db_use use);
void tx_release(struct db_tx *tx);
/* Runs the work and whatever must follow it before the commit; returns the code that decides on the commit. */
enum rc tx_work(struct db_tx *tx, db_work work, void *context, struct err *err);
/* Writes the pending changes. */
enum rc tx_write_changes(struct db_tx *tx, struct err *err);

/* True while this thread is inside a work function: it must not start another. */
extern _Thread_local bool db_in_work;

/* Takes a connection for a lane (DB_LANES: a reader). BUSY when none comes free in time. */
enum rc pool_take(struct db *db, int lane, int *index_out, struct err *err);
/* Gives it back; `broken` closes it, so that the next taker connects anew. */
void pool_give(struct db *db, int lane, int index, bool broken);

enum rc writer_start(struct db *db, struct err *err);
/* Serves what is queued, then ends the thread. */
void writer_stop(struct db *db);
enum rc writer_submit(struct db *db, enum db_lane lane, db_work work, void *context, struct err *err);

/* Tells waiters of the change sequence that `newest` is durable. */
void change_announce(struct db *db, int64_t newest);
void change_stop(struct db *db);

#endif
