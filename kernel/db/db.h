/* The store: one small interface over SQLite (default) and PostgreSQL.
 *
 * Statements are never written in C: they stand in a room's queries.sql, and tools/sqlgen.py makes typed
 * functions of them (ROOM_sql.h), which call the db_statement_* functions below.
 *
 * All writing goes through db_write, the only place that commits. On SQLite one writer thread serves three
 * lanes, and work items that wait together are committed together (each in a savepoint of its own), so one
 * fsync serves many; on PostgreSQL the item runs in the caller's thread on a pooled connection and is run again
 * after a serialization failure or deadlock. An item must therefore be free of effects outside its transaction
 * (no sending, no counters in memory): do those after db_write has returned OK. Keep items short (< 50 ms). */
#ifndef CHANCERY_KERNEL_DB_H
#define CHANCERY_KERNEL_DB_H

#include "base/base.h"

/* SQL NULL for integers; bound as NULL, read back from NULL. Text and blobs use STR_NONE. */
#define DB_NULL INT64_MIN

enum db_lane {
	DB_LANE_PERSON,   /* someone waits for the answer */
	DB_LANE_DELIVERY, /* the engine's batches */
	DB_LANE_BULK,     /* imports, clean-up, exports */
};

struct db;
struct db_tx;

/* One numbered migration of a room, made by tools/sqlgen.py from sql/NNNN_name.sql. */
struct db_migration {
	const char *room; /* "core/people" */
	int number;       /* 1 ... without gaps within the room */
	const char *name;
	const char *sqlite;     /* the file's text */
	const char *postgresql; /* the same translated */
};

/* What the two adapters implement; see adapters/store. Generated code and db.c use it, nobody else. */
struct db_driver;

/* Opens "sqlite:PATH" or "postgresql://...". The drivers known are those registered by cmd (db_register_driver).
 * Starts the writer thread. FAILED with a detail that names the reason. Release with db_close. */
enum rc db_open(const char *url, struct db **db_out, struct err *err);
void db_close(struct db *db);
void db_register_driver(const struct db_driver *driver);
/* "sqlite" or "postgresql". */
const char *db_dialect(const struct db *db);

/* Brings the schema to the newest version: runs what is missing in the order given, each migration in one
 * transaction with its row in `schema_migration`. CONFLICT if the store is newer than the program. */
enum rc db_migrate(struct db *db, const struct db_migration *migrations, size_t count, struct err *err);

typedef enum rc (*db_work)(struct db_tx *tx, void *context, struct err *err);

/* Runs `work` in a transaction and commits if it returned OK; any other code rolls back and is returned.
 * OK means durable. BUSY when the lane's queue is full or the store stayed locked; FAILED (disk full, connection
 * lost) with a detail. `work` may run more than once. Never call db_write from within `work`. */
enum rc db_write(struct db *db, enum db_lane lane, db_work work, void *context, struct err *err);
/* Runs `work` in a read-only snapshot on a pooled connection; writing statements fail in it. */
enum rc db_read(struct db *db, db_work work, void *context, struct err *err);

/* Every commit that appended to `change` bumps this number (see kernel/db/sql); waits until it is past `seen`
 * or `timeout` microseconds have passed, and returns it. Sees other processes' commits too. */
int64_t db_change_wait(struct db *db, int64_t seen, int64_t timeout);

/* Online copy of a SQLite store to `path` (VACUUM INTO semantics, consistent); INVALID on PostgreSQL, whose
 * backups are pg_dump's. */
enum rc db_copy(struct db *db, const char *path, struct err *err);

/* --- for generated code --------------------------------------------------------------------------------- */

enum db_type { DB_INT, DB_REAL, DB_TEXT, DB_BLOB };

struct db_value {
	enum db_type type;
	int64_t integer;   /* DB_NULL for NULL */
	double real;       /* NAN for NULL */
	struct str text;   /* STR_NONE for NULL; for blobs too */
};

/* One named statement: the SQL text of each dialect (sqlite with ?1.., postgresql with $1..) and a slot number
 * under which each connection keeps it prepared. */
struct db_statement {
	const char *name;
	const char *sqlite;
	const char *postgresql;
	const enum db_type *columns;
	int column_count;
	int parameter_count;
	bool writes;
};

/* Called for each row with values in column order; texts live only during the call. Return other than OK to stop. */
typedef enum rc (*db_row)(void *context, const struct db_value *values);

/* Runs a statement. *changed (may be NULL) gets the number of rows written. CONFLICT for a broken UNIQUE,
 * INVALID for CHECK, NOT NULL and foreign keys, else as db_write. */
enum rc db_run(struct db_tx *tx, const struct db_statement *statement, const struct db_value *values, db_row row,
               void *context, int64_t *changed, struct err *err);

/* The process's registry of all statements, for the test that prepares each on a real server. */
void db_statements_each(void (*visit)(void *context, const struct db_statement *statement), void *context);

#endif
