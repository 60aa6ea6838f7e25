#include "tests/engine/faulty_store.h"

#include "adapters/store/postgres/postgres.h"
#include "adapters/store/sqlite/sqlite.h"

#define PREFIX "faulty-"

struct faults faults;
static struct db_driver drivers[2]; /* by enum store_kind */
static enum store_kind opened;

static const struct db_driver *real(void)
{
	return opened == STORE_SQLITE ? &sqlite_driver : &postgres_driver;
}

static enum rc faulty_open_store(const char *url, const struct db_options *options, struct db_store **store, struct err *err)
{
	return real()->open(url + strlen(PREFIX), options, store, err);
}

static enum rc faulty_begin(struct db_connection *connection, enum db_use use, struct err *err)
{
	if (faults.down)
		return err_set(err, FAILED, "the server is away");
	return real()->begin(connection, use, err);
}

static bool take(_Atomic int *count)
{
	int now = *count;
	while (now > 0)
		if (atomic_compare_exchange_weak(count, &now, now - 1))
			return true;
	return false;
}

static _Thread_local bool writing; /* the statement before the commit wrote */

static enum rc faulty_run(struct db_connection *connection, const struct db_statement *statement, int slot,
                          const struct db_value *values, db_row row, void *context, int64_t *changed, struct err *err)
{
	writing |= statement->writes;
	return real()->run(connection, statement, slot, values, row, context, changed, err);
}

static enum rc faulty_batch(struct db_connection *connection, const struct db_statement *statement, int slot,
                            const struct db_value *values, size_t count, int64_t *changed, struct err *err)
{
	writing |= statement->writes;
	return real()->batch(connection, statement, slot, values, count, changed, err);
}

static enum db_commit faulty_commit(struct db_connection *connection, enum rc *rc, struct err *err)
{
	bool wrote = writing;
	writing = false;
	if (!wrote || take(&faults.skip_commits))
		return real()->commit(connection, rc, err);
	if (take(&faults.lost_commits)) {
		enum db_commit done = real()->commit(connection, rc, err);
		if (done != DB_COMMITTED)
			return done;
	} else if (take(&faults.lost_rollbacks)) {
		real()->rollback(connection);
	} else {
		return real()->commit(connection, rc, err);
	}
	*rc = err_set(err, FAILED, "commit outcome unknown");
	return DB_LOST;
}

static void faulty_rollback(struct db_connection *connection)
{
	writing = false;
	real()->rollback(connection);
}

void faulty_open(struct fixture *fixture)
{
	opened = fixture->kind;
	faults = (struct faults){ 0 };
	struct db_driver *driver = &drivers[fixture->kind];
	*driver = *real();
	driver->scheme = fixture->kind == STORE_SQLITE ? PREFIX "sqlite:" : PREFIX "postgresql:";
	driver->open = faulty_open_store;
	driver->begin = faulty_begin;
	driver->run = faulty_run;
	driver->batch = faulty_batch;
	driver->commit = faulty_commit;
	driver->rollback = faulty_rollback;
	db_register_driver(driver);
	size_t length = strlen(fixture->url), more = strlen(PREFIX);
	assert_true(length + more < sizeof fixture->url);
	memmove(fixture->url + more, fixture->url, length + 1);
	memcpy(fixture->url, PREFIX, more);
	fixture->options.busy_timeout = CLOCK_SECOND / 10;
	fixture_reopen(fixture);
}
