/* The change sequence.
 *
 * Numbers must grow in the order of commits, or a reader who saw 10 would never hear of a 9 that was committed
 * later. On SQLite that is so by itself. On PostgreSQL the appends of an item are held back and written right
 * before its commit, behind a lock that the commit releases; so the lock is held for a moment only. */
#include "kernel/db/db_internal.h"

#include "db_sql.h"

#define WATCH_PERIOD (200 * INT64_C(1000)) /* microseconds: others' commits are seen within it */

enum rc db_change_append(struct db_tx *tx, struct str kind, int64_t subject, struct err *err)
{
	if (tx->use == DB_READ)
		return err_set(err, FAILED, "a change in a reading transaction");
	if (str_is_empty(kind) || kind.len > DB_KIND_LENGTH_MAX)
		return err_set(err, FAILED, "a change's kind is 1 to %d bytes", DB_KIND_LENGTH_MAX);
	if (tx->change_count == DB_CHANGES_PER_ITEM_MAX)
		return err_set(err, FAILED, "more than %d changes in one transaction", DB_CHANGES_PER_ITEM_MAX);
	struct db_pending_change change = { str_copy(&tx->arena, kind), subject };
	ARENA_PUSH(&tx->arena, tx->changes, tx->change_count, tx->change_capacity, change);
	return OK;
}

enum rc tx_write_changes(struct db_tx *tx, struct err *err)
{
	enum rc rc = tx->db->driver->before_change(tx->connection, err);
	int64_t now = clock_now();
	for (size_t i = 0; rc == OK && i < tx->change_count; i++) {
		struct db_change_add_args args = { .kind = tx->changes[i].kind, .subject = tx->changes[i].subject, .at = now };
		struct db_change_add_row row;
		rc = db_change_add(tx, &tx->arena, &args, &row, err);
		if (rc == OK)
			tx->newest = row.id;
	}
	return rc;
}

enum rc db_change_latest(struct db_tx *tx, int64_t *latest_out, struct err *err)
{
	struct db_change_newest_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = db_change_newest(tx, &arena, &row, err);
	arena_release(&arena);
	if (rc == OK)
		*latest_out = row.newest;
	return rc;
}

void change_announce(struct db *db, int64_t newest)
{
	if (newest == 0)
		return;
	pthread_mutex_lock(&db->change_lock);
	if (newest > db->newest) {
		db->newest = newest;
		pthread_cond_broadcast(&db->changed);
	}
	pthread_mutex_unlock(&db->change_lock);
}

static enum rc read_newest(struct db_tx *tx, void *context, struct err *err)
{
	return db_change_latest(tx, context, err);
}

/* A store that cannot be read now is asked again at the next sign or wait. */
static bool refresh(struct db *db)
{
	int64_t newest = 0;
	if (db_read(db, read_newest, &newest, NULL) != OK)
		return false;
	change_announce(db, newest);
	return true;
}

static bool watch_stopped(struct db *db)
{
	pthread_mutex_lock(&db->change_lock);
	bool stopped = db->watch_stop;
	pthread_mutex_unlock(&db->change_lock);
	return stopped;
}

static void *watch_main(void *argument)
{
	struct db *db = argument;
	bool due = true;
	while (!watch_stopped(db)) {
		due |= db->driver->watch(db->store, WATCH_PERIOD);
		if (due)
			due = !refresh(db);
	}
	return NULL;
}

int64_t db_change_wait(struct db *db, int64_t seen, int64_t timeout)
{
	int64_t until = clock_monotonic() + timeout;
	pthread_mutex_lock(&db->change_lock);
	if (!db->watching) {
		/* The first who waits starts the watch; without the thread one hears of this process's commits only. */
		db->watching = pthread_create(&db->watcher, NULL, watch_main, db) == 0;
		pthread_mutex_unlock(&db->change_lock);
		refresh(db);
		pthread_mutex_lock(&db->change_lock);
	}
	while (db->newest <= seen && cond_wait_until(&db->changed, &db->change_lock, until))
		;
	int64_t newest = db->newest;
	pthread_mutex_unlock(&db->change_lock);
	return newest;
}

void change_stop(struct db *db)
{
	pthread_mutex_lock(&db->change_lock);
	bool watching = db->watching;
	db->watch_stop = true;
	pthread_mutex_unlock(&db->change_lock);
	if (watching) {
		db->driver->wake(db->store);
		pthread_join(db->watcher, NULL);
	}
}

struct since_call {
	struct arena *arena;
	int64_t seen, most;
	struct db_change *changes;
	size_t count;
};

static enum rc read_since(struct db_tx *tx, void *context, struct err *err)
{
	struct since_call *call = context;
	struct db_change_trimmed_row trimmed;
	enum rc rc = db_change_trimmed(tx, call->arena, &trimmed, err);
	if (rc != OK)
		return rc;
	if (call->seen < trimmed.trimmed)
		return err_set(err, CONFLICT, "changes after %lld have been trimmed", (long long)call->seen);
	struct db_change_list_args args = { .seen = call->seen, .most = call->most };
	struct db_change_list_row *rows = NULL;
	rc = db_change_list(tx, call->arena, &args, &rows, &call->count, err);
	if (rc != OK)
		return rc;
	call->changes = ARENA_NEW_ARRAY(call->arena, struct db_change, call->count + 1);
	for (size_t i = 0; i < call->count; i++)
		call->changes[i] = (struct db_change){ rows[i].id, rows[i].kind, rows[i].subject, rows[i].at };
	return OK;
}

enum rc db_changes_since(struct db *db, struct arena *arena, int64_t seen, int64_t most, struct db_change **changes,
                         size_t *count, struct err *err)
{
	if (most < 1 || most > DB_ROWS_MAX)
		return err_set(err, INVALID, "1 to %d changes at a time", DB_ROWS_MAX);
	struct since_call call = { .arena = arena, .seen = seen, .most = most };
	enum rc rc = db_read(db, read_since, &call, err);
	if (rc != OK)
		return rc;
	*changes = call.changes;
	*count = call.count;
	return OK;
}

static enum rc trim(struct db_tx *tx, void *context, struct err *err)
{
	int64_t before = *(const int64_t *)context;
	struct arena arena;
	arena_init(&arena);
	struct db_change_oldest_to_remove_row row;
	enum rc rc =
		db_change_oldest_to_remove(tx, &arena, &(struct db_change_oldest_to_remove_args){ .before = before }, &row, err);
	arena_release(&arena);
	if (rc == OK)
		rc = db_change_set_trimmed(tx, &(struct db_change_set_trimmed_args){ .trimmed = row.highest }, NULL, err);
	if (rc == OK)
		rc = db_change_remove_old(tx, &(struct db_change_remove_old_args){ .before = before }, NULL, err);
	return rc;
}

enum rc db_change_trim(struct db *db, int64_t before, struct err *err)
{
	return db_write(db, DB_LANE_BULK, trim, &before, err);
}
