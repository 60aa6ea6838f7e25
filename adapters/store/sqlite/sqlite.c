/* The driver of kernel/db for SQLite: connections, transactions and statements. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "adapters/store/sqlite/sqlite.h"

#define PATH_LENGTH_MAX 4000
/* Measured with bench/store: 8,192 halves the rate of inserts; a checkpoint after 1,000 pages keeps the longest step
 * at 9 ms, after 4,000 at 30 ms, for the same rate. */
#define PAGE_SIZE 4096
#define CHECKPOINT_PAGES 1000
#define WAL_SIZE_KEPT (INT64_C(64) << 20)

enum control { BEGIN_READ, BEGIN_WRITE, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, ROLLBACK_TO, CONTROL_COUNT };

static const char *const control_sql[CONTROL_COUNT] = {
	[BEGIN_READ] = "BEGIN",
	[BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[SAVEPOINT] = "SAVEPOINT item",
	[RELEASE] = "RELEASE item",
	[ROLLBACK_TO] = "ROLLBACK TO item",
};

struct db_store {
	char path[PATH_LENGTH_MAX + 1];
	struct db_options options;
	_Atomic bool full;

	pthread_mutex_t watch_lock; /* guards woken */
	pthread_cond_t wake;
	bool woken;
	sqlite3 *watcher;         /* the watching thread's own connection */
	int64_t version_seen;
};

#define SCRUB_PATIENCE 20 /* milliseconds */

struct db_connection {
	struct db_store *store;
	sqlite3 *sqlite;
	enum db_use use;
	bool in_transaction; /* as we asked for; SQLite may have ended it */
	sqlite3_stmt *control[CONTROL_COUNT];
	sqlite3_stmt **statements; /* by slot */
	size_t statement_count;
};

/* --- errors ------------------------------------------------------------------------------------------------- */

static enum rc map_code(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return CONFLICT;
	default:
		break;
	}
	switch (extended & 0xff) {
	case SQLITE_CONSTRAINT:
		return INVALID;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return BUSY;
	default:
		return FAILED;
	}
}

static enum rc report(struct db_store *store, sqlite3 *sqlite, const char *what, struct err *err)
{
	int code = sqlite3_extended_errcode(sqlite), primary = code & 0xff;
	if (primary == SQLITE_FULL || primary == SQLITE_IOERR)
		store->full = true;
	return err_set(err, map_code(code), "%s: %s (SQLite %d)", what, sqlite3_errmsg(sqlite), code);
}

/* --- opening -------------------------------------------------------------------------------------------------- */

/* Made by us before SQLite does, so that nobody else may read it; its companions inherit the mode. */
static enum rc make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, FAILED, "%s: %s", path, strerror(errno));
	close(fd);
	return OK;
}

static enum rc run_pragma(struct db_store *store, sqlite3 *sqlite, const char *sql, struct err *err)
{
	if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK)
		return OK;
	return report(store, sqlite, sql, err);
}

static enum rc configure(struct db_store *store, sqlite3 *sqlite, enum db_use use, struct err *err)
{
	sqlite3_extended_result_codes(sqlite, 1);
	int64_t milliseconds = store->options.busy_timeout / 1000;
	sqlite3_busy_timeout(sqlite, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	int64_t cache = use == DB_READ ? store->options.cache_bytes / 8 : store->options.cache_bytes;
	char sql[512];
	snprintf(sql, sizeof sql,
	         "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = %s; "
	         "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; "
	         "PRAGMA case_sensitive_like = ON; "
	         "PRAGMA cache_size = -%lld; PRAGMA journal_size_limit = %lld; PRAGMA wal_autocheckpoint = %d; "
	         "PRAGMA query_only = %s",
	         PAGE_SIZE, use == DB_MIGRATE ? "OFF" : "ON", (long long)(cache / 1024), (long long)WAL_SIZE_KEPT,
	         CHECKPOINT_PAGES, use == DB_READ ? "ON" : "OFF");
	return run_pragma(store, sqlite, sql, err);
}

static enum rc open_file(struct db_store *store, enum db_use use, sqlite3 **sqlite_out, struct err *err)
{
	sqlite3 *sqlite = NULL;
	int code = sqlite3_open_v2(store->path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	enum rc rc = code == SQLITE_OK ? configure(store, sqlite, use, err)
	             : sqlite          ? report(store, sqlite, store->path, err)
	                               : err_set(err, FAILED, "%s: out of memory", store->path);
	if (rc != OK) {
		sqlite3_close(sqlite);
		return rc;
	}
	*sqlite_out = sqlite;
	return OK;
}

static enum rc sqlite_open(const char *url, const struct db_options *options, struct db_store **store_out, struct err *err)
{
	const char *path = url + strlen(sqlite_driver.scheme);
	size_t length = strlen(path);
	if (length == 0 || length > PATH_LENGTH_MAX || path[0] == ':' || strncmp(path, "file:", 5) == 0)
		return err_set(err, INVALID, "sqlite:PATH needs the path of a file");
	enum rc rc = make_file(path, err);
	if (rc != OK)
		return rc;
	struct db_store *store = calloc(1, sizeof *store);
	if (!store)
		return err_set(err, FAILED, "out of memory");
	memcpy(store->path, path, length + 1);
	store->options = *options;
	pthread_mutex_init(&store->watch_lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&store->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	*store_out = store;
	return OK;
}

static void sqlite_close_store(struct db_store *store)
{
	sqlite3_close(store->watcher);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->watch_lock);
	free(store);
}

static enum rc sqlite_connect(struct db_store *store, enum db_use use, struct db_connection **connection_out,
                              struct err *err)
{
	sqlite3 *sqlite;
	enum rc rc = open_file(store, use, &sqlite, err);
	if (rc != OK)
		return rc;
	struct db_connection *connection = calloc(1, sizeof *connection);
	if (!connection) {
		sqlite3_close(sqlite);
		return err_set(err, FAILED, "out of memory");
	}
	*connection = (struct db_connection){ .store = store, .sqlite = sqlite, .use = use };
	*connection_out = connection;
	return OK;
}

static void sqlite_disconnect(struct db_connection *connection)
{
	for (int i = 0; i < CONTROL_COUNT; i++)
		sqlite3_finalize(connection->control[i]);
	for (size_t i = 0; i < connection->statement_count; i++)
		sqlite3_finalize(connection->statements[i]);
	sqlite3_close(connection->sqlite);
	free(connection->statements);
	free(connection);
}

/* --- transactions ------------------------------------------------------------------------------------------------- */

static enum rc control(struct db_connection *connection, enum control which, struct err *err)
{
	sqlite3_stmt **statement = &connection->control[which];
	if (!*statement && sqlite3_prepare_v3(connection->sqlite, control_sql[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
	                                      NULL) != SQLITE_OK)
		return report(connection->store, connection->sqlite, control_sql[which], err);
	int code = sqlite3_step(*statement);
	enum rc rc = code == SQLITE_DONE ? OK : report(connection->store, connection->sqlite, control_sql[which], err);
	sqlite3_reset(*statement);
	return rc;
}

static enum rc sqlite_begin(struct db_connection *connection, enum db_use use, struct err *err)
{
	enum rc rc = control(connection, use == DB_READ ? BEGIN_READ : BEGIN_WRITE, err);
	connection->in_transaction = rc == OK;
	return rc;
}

static void sqlite_rollback(struct db_connection *connection)
{
	connection->in_transaction = false;
	if (!sqlite3_get_autocommit(connection->sqlite))
		control(connection, ROLLBACK, NULL);
}

static int report_violation(void *context, int count, char **values, char **names)
{
	(void)names;
	struct err *err = context;
	if (count > 2)
		err_set(err, FAILED, "the migration leaves rows of %s without their %s", values[0], values[2]);
	return 1;
}

/* Migrations run without foreign keys, so that tables can be rebuilt; at their end the keys must hold again. */
static enum rc check_foreign_keys(struct db_connection *connection, struct err *err)
{
	int code = sqlite3_exec(connection->sqlite, "PRAGMA foreign_key_check", report_violation, err, NULL);
	if (code == SQLITE_OK)
		return OK;
	return code == SQLITE_ABORT ? FAILED : report(connection->store, connection->sqlite, "foreign_key_check", err);
}

static enum db_commit sqlite_commit(struct db_connection *connection, enum rc *rc, struct err *err)
{
	if (connection->use == DB_MIGRATE) {
		*rc = check_foreign_keys(connection, err);
		if (*rc != OK)
			return DB_ROLLED_BACK;
	}
	*rc = control(connection, COMMIT, err);
	if (*rc != OK)
		return DB_ROLLED_BACK;
	connection->in_transaction = false;
	if (connection->use != DB_READ)
		connection->store->full = false;
	return DB_COMMITTED;
}

static enum rc sqlite_savepoint(struct db_connection *connection, struct err *err)
{
	return control(connection, SAVEPOINT, err);
}

static enum rc sqlite_release(struct db_connection *connection, struct err *err)
{
	return control(connection, RELEASE, err);
}

static void sqlite_rollback_to(struct db_connection *connection)
{
	if (control(connection, ROLLBACK_TO, NULL) == OK)
		control(connection, RELEASE, NULL);
}

static enum db_health sqlite_health(struct db_connection *connection)
{
	return connection->in_transaction && sqlite3_get_autocommit(connection->sqlite) ? DB_TX_GONE : DB_SOUND;
}

/* --- statements ---------------------------------------------------------------------------------------------------- */

static enum rc prepare(struct db_connection *connection, const struct db_statement *statement, int slot,
                       sqlite3_stmt **prepared_out, struct err *err)
{
	size_t index = (size_t)slot;
	if (index >= connection->statement_count) {
		size_t count = (index + 64) / 64 * 64 + 64;
		sqlite3_stmt **grown = realloc(connection->statements, count * sizeof *grown);
		if (!grown)
			return err_set(err, FAILED, "out of memory");
		memset(grown + connection->statement_count, 0, (count - connection->statement_count) * sizeof *grown);
		connection->statements = grown;
		connection->statement_count = count;
	}
	sqlite3_stmt **prepared = &connection->statements[index];
	if (!*prepared && sqlite3_prepare_v3(connection->sqlite, statement->sqlite, -1, SQLITE_PREPARE_PERSISTENT, prepared,
	                                     NULL) != SQLITE_OK)
		return report(connection->store, connection->sqlite, statement->name, err);
	*prepared_out = *prepared;
	return OK;
}

/* The texts live until the statement is reset, so SQLite need not copy them. */
static int bind_value(sqlite3_stmt *prepared, int at, const struct db_value *value)
{
	switch (value->type) {
	case DB_INT:
		return value->integer == DB_NULL ? sqlite3_bind_null(prepared, at)
		                                 : sqlite3_bind_int64(prepared, at, value->integer);
	case DB_REAL:
		return sqlite3_bind_double(prepared, at, value->real); /* NAN becomes NULL */
	case DB_TEXT:
		return sqlite3_bind_text(prepared, at, value->text.ptr, (int)value->text.len, SQLITE_STATIC);
	case DB_BLOB:
		break;
	}
	return sqlite3_bind_blob(prepared, at, value->text.ptr, (int)value->text.len, SQLITE_STATIC);
}

static bool bind_values(sqlite3_stmt *prepared, const struct db_statement *statement, const struct db_value *values)
{
	for (int i = 0; i < statement->parameter_count; i++)
		if (bind_value(prepared, i + 1, &values[i]) != SQLITE_OK)
			return false;
	return true;
}

static void read_row(sqlite3_stmt *prepared, const struct db_statement *statement, struct db_value *values)
{
	for (int i = 0; i < statement->column_count; i++) {
		struct db_value *value = &values[i];
		bool null = sqlite3_column_type(prepared, i) == SQLITE_NULL;
		*value = (struct db_value){ .type = statement->columns[i].type, .integer = DB_NULL, .real = (double)NAN };
		if (null)
			continue;
		if (value->type == DB_INT) {
			value->integer = sqlite3_column_int64(prepared, i);
		} else if (value->type == DB_REAL) {
			value->real = sqlite3_column_double(prepared, i);
		} else {
			const void *bytes = value->type == DB_TEXT ? (const void *)sqlite3_column_text(prepared, i)
			                                           : sqlite3_column_blob(prepared, i);
			value->text.len = (size_t)sqlite3_column_bytes(prepared, i);
			value->text.ptr = bytes ? bytes : ""; /* an empty blob is NULL to SQLite and not to us */
		}
	}
}

static enum rc step_all(struct db_connection *connection, sqlite3_stmt *prepared, const struct db_statement *statement,
                        db_row row, void *context, struct err *err)
{
	struct db_value values[DB_COLUMNS_MAX];
	for (;;) {
		int code = sqlite3_step(prepared);
		if (code == SQLITE_DONE)
			return OK;
		if (code != SQLITE_ROW)
			return report(connection->store, connection->sqlite, statement->name, err);
		if (!row)
			continue;
		read_row(prepared, statement, values);
		enum rc rc = row(context, values);
		if (rc != OK)
			return rc;
	}
}

static enum rc sqlite_run(struct db_connection *connection, const struct db_statement *statement, int slot,
                          const struct db_value *values, db_row row, void *context, int64_t *changed, struct err *err)
{
	sqlite3_stmt *prepared;
	enum rc rc = prepare(connection, statement, slot, &prepared, err);
	if (rc != OK)
		return rc;
	if (!bind_values(prepared, statement, values))
		rc = report(connection->store, connection->sqlite, statement->name, err);
	if (rc == OK)
		rc = step_all(connection, prepared, statement, row, context, err);
	sqlite3_reset(prepared);
	if (rc == OK)
		*changed = statement->writes ? sqlite3_changes64(connection->sqlite) : 0;
	return rc;
}

static enum rc sqlite_batch(struct db_connection *connection, const struct db_statement *statement, int slot,
                            const struct db_value *values, size_t count, int64_t *changed, struct err *err)
{
	int64_t total = 0;
	for (size_t i = 0; i < count; i++) {
		int64_t written;
		enum rc rc = sqlite_run(connection, statement, slot, values + i * (size_t)statement->parameter_count, NULL, NULL,
		                        &written, err);
		if (rc != OK)
			return rc;
		total += written;
	}
	*changed = total;
	return OK;
}

static enum rc sqlite_check(struct db_connection *connection, const struct db_statement *statement, int slot,
                            struct err *err)
{
	sqlite3_stmt *prepared;
	enum rc rc = prepare(connection, statement, slot, &prepared, err);
	if (rc != OK)
		return rc;
	if (sqlite3_bind_parameter_count(prepared) != statement->parameter_count)
		return err_set(err, FAILED, "%s: other parameters than its text", statement->name);
	if (sqlite3_column_count(prepared) != statement->column_count)
		return err_set(err, FAILED, "%s: other columns than its text", statement->name);
	return OK;
}

static enum rc sqlite_script(struct db_connection *connection, const struct db_migration *migration, struct err *err)
{
	if (sqlite3_exec(connection->sqlite, migration->sqlite, NULL, NULL, NULL) == SQLITE_OK)
		return OK;
	char what[200];
	snprintf(what, sizeof what, "migration %d (%s) of %s", migration->number, migration->name, migration->room);
	report(connection->store, connection->sqlite, what, err);
	return FAILED;
}

static enum rc sqlite_has_table(struct db_connection *connection, const char *table, bool *has, struct err *err)
{
	sqlite3_stmt *prepared = NULL;
	int code = sqlite3_prepare_v2(connection->sqlite, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", -1,
	                              &prepared, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(prepared, 1, table, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(prepared);
	enum rc rc = OK;
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		*has = code == SQLITE_ROW;
	else
		rc = report(connection->store, connection->sqlite, "sqlite_schema", err);
	sqlite3_finalize(prepared);
	return rc;
}

/* The writer's lock already puts numbers in the order of commits. */
static enum rc sqlite_before_change(struct db_connection *connection, struct err *err)
{
	(void)connection;
	(void)err;
	return OK;
}

/* --- watching --------------------------------------------------------------------------------------------------------- */

static int take_version(void *context, int count, char **values, char **names)
{
	(void)names;
	int64_t *version = context;
	return count == 1 && values[0] && str_to_int(str_from(values[0]), version) ? 0 : 1;
}

/* data_version is another number whenever another connection committed. */
static bool version_moved(struct db_store *store)
{
	if (!store->watcher && open_file(store, DB_READ, &store->watcher, NULL) != OK)
		return true;
	int64_t version = 0;
	if (sqlite3_exec(store->watcher, "PRAGMA data_version", take_version, &version, NULL) != SQLITE_OK)
		return true;
	bool moved = version != store->version_seen;
	store->version_seen = version;
	return moved;
}

static bool sqlite_watch(struct db_store *store, int64_t timeout)
{
	int64_t until = clock_monotonic() + timeout;
	struct timespec at = { .tv_sec = until / CLOCK_SECOND, .tv_nsec = (until % CLOCK_SECOND) * 1000 };
	pthread_mutex_lock(&store->watch_lock);
	while (!store->woken && pthread_cond_timedwait(&store->wake, &store->watch_lock, &at) != ETIMEDOUT)
		;
	bool woken = store->woken;
	store->woken = false;
	pthread_mutex_unlock(&store->watch_lock);
	return woken ? false : version_moved(store);
}

static void sqlite_wake(struct db_store *store)
{
	pthread_mutex_lock(&store->watch_lock);
	store->woken = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->watch_lock);
}

/* --- copying ----------------------------------------------------------------------------------------------------------- */

static enum rc sync_path(const char *path, int flags, struct err *err)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		err_set(err, FAILED, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return FAILED;
	}
	close(fd);
	return OK;
}

static enum rc sync_folder_of(struct arena *arena, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return sync_path(".", O_RDONLY | O_DIRECTORY, err);
	struct str folder = { path, slash == path ? 1 : (size_t)(slash - path) };
	return sync_path(str_c(arena, folder), O_RDONLY | O_DIRECTORY, err);
}

static enum rc vacuum_into(struct db_store *store, const char *path, struct err *err)
{
	sqlite3 *sqlite;
	enum rc rc = open_file(store, DB_WRITE, &sqlite, err);
	if (rc != OK)
		return rc;
	sqlite3_stmt *prepared = NULL;
	int code = sqlite3_prepare_v2(sqlite, "VACUUM INTO ?1", -1, &prepared, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(prepared, 1, path, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(prepared);
	if (code != SQLITE_DONE)
		/* A full disk over there says nothing of the store. */
		rc = err_set(err, FAILED, "copy to %s: %s", path, sqlite3_errmsg(sqlite));
	sqlite3_finalize(prepared);
	sqlite3_close(sqlite);
	return rc;
}

static enum rc copy_by_way_of(struct db_store *store, struct arena *arena, const char *partial, const char *path,
                              struct err *err)
{
	enum rc rc = vacuum_into(store, partial, err);
	if (rc == OK)
		rc = sync_path(partial, O_RDONLY, err);
	if (rc == OK && renameat2(AT_FDCWD, partial, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
		rc = err_set(err, errno == EEXIST ? CONFLICT : FAILED, "%s: %s", path, strerror(errno));
	if (rc != OK) {
		unlink(partial);
		return rc;
	}
	return sync_folder_of(arena, path, err);
}

static bool sqlite_scrub(struct db_connection *connection)
{
	/* The writer does not stand still for a slow reader. */
	sqlite3_busy_timeout(connection->sqlite, SCRUB_PATIENCE);
	int code = sqlite3_wal_checkpoint_v2(connection->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	int64_t milliseconds = connection->store->options.busy_timeout / 1000;
	sqlite3_busy_timeout(connection->sqlite, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
	return code == SQLITE_OK;
}

static enum rc sqlite_copy(struct db_store *store, const char *path, struct err *err)
{
	if (access(path, F_OK) == 0)
		return err_set(err, CONFLICT, "%s: is there already", path);
	struct arena arena;
	arena_init(&arena);
	struct str partial = str_format(&arena, "%s.%016llx.partial", path, (unsigned long long)rand_u64());
	/* SQLite takes a file that is there and empty: so its mode is ours. */
	int fd = open(partial.ptr, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum rc rc = fd < 0 ? err_set(err, FAILED, "%s: %s", partial.ptr, strerror(errno)) : OK;
	if (rc == OK) {
		close(fd);
		rc = copy_by_way_of(store, &arena, partial.ptr, path, err);
	}
	arena_release(&arena);
	return rc;
}

static bool sqlite_is_full(const struct db_store *store)
{
	return store->full;
}

const struct db_driver sqlite_driver = {
	.name = "sqlite",
	.scheme = "sqlite:",
	.one_writer = true,
	.open = sqlite_open,
	.close = sqlite_close_store,
	.connect = sqlite_connect,
	.disconnect = sqlite_disconnect,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.savepoint = sqlite_savepoint,
	.release = sqlite_release,
	.rollback_to = sqlite_rollback_to,
	.health = sqlite_health,
	.run = sqlite_run,
	.batch = sqlite_batch,
	.check = sqlite_check,
	.script = sqlite_script,
	.has_table = sqlite_has_table,
	.before_change = sqlite_before_change,
	.watch = sqlite_watch,
	.wake = sqlite_wake,
	.copy = sqlite_copy,
	.scrub = sqlite_scrub,
	.is_full = sqlite_is_full,
};
