/* The one writer of a SQLite store: three lanes, and items that wait together share one commit.
 *
 * An item's turn comes by its time of arrival plus what its lane can bear to wait: a person goes before all bulk
 * work of the last second, and bulk work that is older than that goes before the person, so nothing starves. */
#include "kernel/db/db_internal.h"

#define SCRUB_AGAIN (CLOCK_SECOND / 5)

static const int64_t lane_patience[DB_LANES] = { 0, 100 * INT64_C(1000), CLOCK_SECOND };

struct group {
	struct db_item *items[DB_GROUP_ITEMS_MAX];
	int count;
	bool holds_person;
	int64_t newest;
};

static void queue_push(struct db_queue *queue, struct db_item *item)
{
	if (queue->last)
		queue->last->next = item;
	else
		queue->first = item;
	queue->last = item;
	queue->count++;
}

static struct db_item *queue_pop(struct db_queue *queue)
{
	struct db_item *item = queue->first;
	queue->first = item->next;
	if (!queue->first)
		queue->last = NULL;
	queue->count--;
	item->next = NULL;
	return item;
}

/* The item whose turn it is, or NULL. Call with queue_lock held. */
static struct db_item *pick(struct db *db, const struct group *group)
{
	struct db_queue *best = NULL;
	for (int lane = 0; lane < DB_LANES; lane++) {
		struct db_queue *queue = &db->queues[lane];
		if (queue->first && (!best || queue->first->queued_at + lane_patience[lane] <
		                                      best->first->queued_at + lane_patience[best->first->lane]))
			best = queue;
	}
	/* A person whose item is done should not wait for the bulk work beside it. */
	if (!best || (group->holds_person && best->first->lane == DB_LANE_BULK))
		return NULL;
	return queue_pop(best);
}

static struct db_item *pick_next(struct db *db, const struct group *group)
{
	pthread_mutex_lock(&db->queue_lock);
	struct db_item *item = pick(db, group);
	pthread_mutex_unlock(&db->queue_lock);
	return item;
}

static void finish(struct db *db, struct db_item *const *items, int count)
{
	pthread_mutex_lock(&db->queue_lock);
	for (int i = 0; i < count; i++) {
		items[i]->done = true;
		pthread_cond_signal(&items[i]->finished);
	}
	pthread_mutex_unlock(&db->queue_lock);
}

/* The store stayed locked: whoever has waited as long already hears so too, or the queue would take for ever. */
static void fail_old(struct db *db)
{
	int64_t limit = clock_monotonic() - db->options.busy_timeout;
	pthread_mutex_lock(&db->queue_lock);
	for (int lane = 0; lane < DB_LANES; lane++) {
		struct db_queue *queue = &db->queues[lane];
		while (queue->first && queue->first->queued_at <= limit) {
			struct db_item *item = queue_pop(queue);
			item->rc = err_set(item->err, BUSY, "the store stayed locked");
			item->done = true;
			pthread_cond_signal(&item->finished);
		}
	}
	pthread_mutex_unlock(&db->queue_lock);
}

/* Runs one item; the first of a group needs no savepoint, since nothing stands before it. */
static void run_item(struct db *db, struct db_item *item, bool first)
{
	const struct db_driver *driver = db->driver;
	struct db_connection *connection = db->writer_connection;
	item->rc = first ? OK : driver->savepoint(connection, item->err);
	if (item->rc != OK)
		return;
	struct db_tx tx;
	tx_init(&tx, db, connection, DB_WRITE);
	item->rc = tx_work(&tx, item->work, item->context, item->err);
	item->newest = tx.newest;
	tx_release(&tx);
	if (first || driver->health(connection) == DB_TX_GONE)
		return;
	if (item->rc == OK)
		item->rc = driver->release(connection, item->err);
	if (item->rc != OK)
		driver->rollback_to(connection);
}

/* Commits what of the group went well; without such an item there is nothing to commit. */
static void end_group(struct db *db, struct group *group)
{
	int good = 0;
	for (int i = 0; i < group->count; i++)
		good += group->items[i]->rc == OK;
	enum rc rc = OK;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	err_init(&err, &arena);
	enum db_commit commit = good == 0 ? DB_ROLLED_BACK : db->driver->commit(db->writer_connection, &rc, &err);
	if (commit == DB_COMMITTED)
		db->commits++;
	else
		db->driver->rollback(db->writer_connection);
	if (commit == DB_LOST)
		db->unknown_commits++;
	for (int i = 0; i < group->count; i++) {
		struct db_item *item = group->items[i];
		if (item->rc == OK && rc != OK)
			item->rc = err_set(item->err, rc, "%.*s", STR_ARG(err.detail));
		else if (item->rc == OK && item->newest > group->newest)
			group->newest = item->newest;
	}
	arena_release(&arena);
	change_announce(db, group->newest);
	finish(db, group->items, group->count);
}

static void serve_alone(struct db *db, struct db_item *item)
{
	struct group group = { .items = { item }, .count = 1 };
	item->rc = db->driver->begin(db->writer_connection, DB_WRITE, item->err);
	if (item->rc != OK) {
		finish(db, group.items, 1);
		return;
	}
	run_item(db, item, true);
	end_group(db, &group);
}

/* The store rolled everything back in the midst of the last item: that one failed, the others run again by
 * themselves. */
static void serve_again(struct db *db, struct group *group)
{
	db->driver->rollback(db->writer_connection);
	finish(db, &group->items[group->count - 1], 1);
	for (int i = 0; i < group->count - 1; i++) {
		if (group->items[i]->rc == OK)
			serve_alone(db, group->items[i]);
		else
			finish(db, &group->items[i], 1);
	}
}

static void serve_group(struct db *db, struct db_item *item)
{
	struct group group = { .count = 0 };
	item->rc = db->driver->begin(db->writer_connection, DB_WRITE, item->err);
	if (item->rc != OK) {
		if (item->rc == BUSY)
			fail_old(db);
		finish(db, &item, 1);
		return;
	}
	int64_t started = clock_monotonic();
	while (item) {
		group.items[group.count++] = item;
		group.holds_person |= item->lane == DB_LANE_PERSON;
		run_item(db, item, group.count == 1);
		if (db->driver->health(db->writer_connection) == DB_TX_GONE) {
			serve_again(db, &group);
			return;
		}
		/* Without a savepoint its half-done writes can only go with the whole transaction. */
		if (group.count == 1 && item->rc != OK)
			break;
		if (group.count == DB_GROUP_ITEMS_MAX || clock_monotonic() - started >= DB_GROUP_TIME_MAX)
			break;
		item = pick_next(db, &group);
	}
	end_group(db, &group);
}

/* Empties the write-ahead log if that is due. A reader in its way is let finish: it is tried again a little later. */
static void scrub_if_due(struct db *db)
{
	pthread_mutex_lock(&db->queue_lock);
	bool due = db->scrub_at && (db->stopping || db->scrub_at <= clock_monotonic());
	if (due)
		db->scrub_at = 0;
	pthread_mutex_unlock(&db->queue_lock);
	if (!due || db->driver->scrub(db->writer_connection))
		return;
	pthread_mutex_lock(&db->queue_lock);
	if (!db->scrub_at)
		db->scrub_at = clock_monotonic() + SCRUB_AGAIN;
	pthread_mutex_unlock(&db->queue_lock);
}

/* The next item, or NULL at the end or when the log is to be emptied. */
static struct db_item *wait_for_item(struct db *db, bool *over)
{
	const struct group none = { .count = 0 };
	struct db_item *item;
	pthread_mutex_lock(&db->queue_lock);
	while (!(item = pick(db, &none)) && !db->stopping) {
		if (!db->scrub_at)
			pthread_cond_wait(&db->queue_filled, &db->queue_lock);
		else if (!cond_wait_until(&db->queue_filled, &db->queue_lock, db->scrub_at))
			break;
	}
	*over = !item && db->stopping;
	pthread_mutex_unlock(&db->queue_lock);
	return item;
}

static void *writer_main(void *argument)
{
	struct db *db = argument;
	for (bool over = false; !over;) {
		struct db_item *item = wait_for_item(db, &over);
		if (item)
			serve_group(db, item);
		scrub_if_due(db);
	}
	return NULL;
}

void db_scrub(struct db *db)
{
	if (!db->driver->scrub || !db->has_writer)
		return;
	pthread_mutex_lock(&db->queue_lock);
	db->scrub_at = clock_monotonic();
	pthread_cond_signal(&db->queue_filled);
	pthread_mutex_unlock(&db->queue_lock);
}

enum rc writer_start(struct db *db, struct err *err)
{
	enum rc rc = db->driver->connect(db->store, DB_WRITE, &db->writer_connection, err);
	if (rc != OK) {
		db->writer_connection = NULL;
		return rc;
	}
	if (pthread_create(&db->writer, NULL, writer_main, db) != 0)
		return err_set(err, FAILED, "cannot start the writer thread");
	db->has_writer = true;
	return OK;
}

void writer_stop(struct db *db)
{
	if (db->has_writer) {
		pthread_mutex_lock(&db->queue_lock);
		db->stopping = true;
		pthread_cond_broadcast(&db->queue_filled);
		pthread_mutex_unlock(&db->queue_lock);
		pthread_join(db->writer, NULL);
		db->has_writer = false;
	}
	if (db->writer_connection)
		db->driver->disconnect(db->writer_connection);
	db->writer_connection = NULL;
}

enum rc writer_submit(struct db *db, enum db_lane lane, db_work work, void *context, struct err *err)
{
	struct db_item item = { .work = work, .context = context, .err = err, .lane = lane };
	pthread_mutex_lock(&db->queue_lock);
	if (db->stopping || db->queues[lane].count >= DB_QUEUE_MAX) {
		bool stopping = db->stopping;
		pthread_mutex_unlock(&db->queue_lock);
		return err_set(err, BUSY, stopping ? "the store is closing" : "too many writes wait");
	}
	cond_init(&item.finished);
	item.queued_at = clock_monotonic();
	queue_push(&db->queues[lane], &item);
	pthread_cond_signal(&db->queue_filled);
	while (!item.done)
		pthread_cond_wait(&item.finished, &db->queue_lock);
	pthread_mutex_unlock(&db->queue_lock);
	pthread_cond_destroy(&item.finished);
	return item.rc;
}
