/* The store: one small interface over SQLite (default) and PostgreSQL.
 *
 * Statements are never written in C: they stand in a room's queries.sql, and tools/sqlgen.py makes typed
 * functions of them (ROOM_sql.h), which call db_exec, db_one and the like below.
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

/* Most parameters and columns of one statement (tools/sqlgen.py knows them too). */
#define DB_PARAMETERS_MAX 64
#define DB_COLUMNS_MAX 64
/* Most rows a :many statement may return; what may be more is a :each. */
#define DB_ROWS_MAX 100000
/* Writes waiting in one lane; one more is BUSY. */
#define DB_QUEUE_MAX 256

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

/* What the two adapters implement; at the end of this file. db.c uses it, nobody else. */
struct db_driver;

struct db_options {
	int readers;          /* SQLite: read connections, 1..64 */
	int connections;      /* PostgreSQL: all connections of this process, 2..64 */
	int64_t cache_bytes;  /* SQLite: page cache of the writer; each reader has an eighth of it */
	int64_t busy_timeout; /* microseconds to wait for another process's transaction or a free connection */
};

/* What db_open takes: 4 readers, 6 connections, 64 MB, 5 seconds. */
struct db_options db_options_default(void);

/* Opens "sqlite:PATH" (made if it is not there, readable by the owner only) or "postgresql://...". The drivers
 * known are those registered by cmd (db_register_driver). Starts the writer thread. INVALID for a URL no driver
 * knows, FAILED with a detail that names the reason. Release with db_close. */
enum rc db_open(const char *url, struct db **db_out, struct err *err);
enum rc db_open_options(const char *url, const struct db_options *options, struct db **db_out, struct err *err);
/* Waits for the writes that are queued, then closes. No other thread may be in a call with `db`. NULL is nothing. */
void db_close(struct db *db);
/* Before the first db_open, from one thread. */
void db_register_driver(const struct db_driver *driver);
/* "sqlite" or "postgresql". */
const char *db_dialect(const struct db *db);
/* True from a write that failed for want of space (or a failing disk) until the next commit that succeeds. */
bool db_is_full(const struct db *db);

/* How many commits ended so that nobody can say whether they were made: the server went away at that moment and stayed away.
 * db_write returned FAILED for each. Who keeps in memory what its writes did must look at the store anew when this has grown. */
int64_t db_unknown_commits(const struct db *db);

/* What the store did since it was opened, for /metrics. */
struct db_figures {
	int64_t commits;      /* transactions made durable; on SQLite one may hold many items */
	int64_t items;        /* db_write calls that returned OK */
	int64_t failures;     /* db_write calls that returned FAILED */
	int64_t busy;         /* db_write and db_read calls that returned BUSY */
	int64_t retries;      /* runs repeated after a serialization failure, a deadlock or a lost connection */
	int64_t waiting[3];   /* items queued now, by lane */
	int64_t longest_item; /* microseconds, the longest single item */
};

void db_figures(struct db *db, struct db_figures *figures_out);

/* Brings the schema to the newest version: runs what is missing in the order given (kernel/db's own first), each
 * migration in one transaction with its row in `schema_migration`. CONFLICT if the store is newer than the program:
 * it holds a migration of a room given that the program does not have, or one of a room nobody knows. */
enum rc db_migrate(struct db *db, const struct db_migration *migrations, size_t count, struct err *err);
/* The same with the migrations of every room of the program. */
enum rc db_migrate_all(struct db *db, struct err *err);

typedef enum rc (*db_work)(struct db_tx *tx, void *context, struct err *err);

/* Runs `work` in a transaction and commits if it returned OK; any other code rolls back and is returned.
 * OK means durable. BUSY when the lane's queue is full or the store stayed locked; FAILED (disk full, connection
 * lost) with a detail. `work` may run more than once. Never call db_write or db_read from within `work` (FAILED).
 * A statement that returned CONFLICT, INVALID, BUSY or FAILED has spoilt the transaction on both stores: it is
 * rolled back whatever `work` returns, so expected conflicts are written as ON CONFLICT DO NOTHING. */
enum rc db_write(struct db *db, enum db_lane lane, db_work work, void *context, struct err *err);
/* Runs `work` in a read-only snapshot on a pooled connection; writing statements fail in it. */
enum rc db_read(struct db *db, db_work work, void *context, struct err *err);

/* --- the change sequence ---------------------------------------------------------------------------------- */

/* Appends to `change` when the item commits: `kind` (1 to 40 bytes) says what changed ("leg"), `subject` its id. */
enum rc db_change_append(struct db_tx *tx, struct str kind, int64_t subject, struct err *err);
/* The newest number of the sequence in this snapshot, 0 while nothing has changed: read it in the transaction that
 * loads what the numbers after it will change. */
enum rc db_change_latest(struct db_tx *tx, int64_t *latest_out, struct err *err);
/* Every commit that appended to `change` bumps this number; waits until it is past `seen` or `timeout` microseconds
 * have passed, and returns it. Sees commits of this process at once and those of others within 200 ms. */
int64_t db_change_wait(struct db *db, int64_t seen, int64_t timeout);

struct db_change {
	int64_t id;      /* number in the sequence; grows in the order of commits, may have gaps */
	struct str kind;
	int64_t subject;
	int64_t at;      /* UTC microseconds */
};

/* Lists at most `most` (1..DB_ROWS_MAX) changes after `seen`, oldest first, into an array in `arena`. CONFLICT if
 * some of them have been trimmed: then everything kept in memory must be read anew. */
enum rc db_changes_since(struct db *db, struct arena *arena, int64_t seen, int64_t most, struct db_change **changes,
                         size_t *count, struct err *err);
/* Removes changes made before `before` (UTC microseconds) but the newest. For a job. */
enum rc db_change_trim(struct db *db, int64_t before, struct err *err);

/* Online copy of a SQLite store to `path`, consistent and durable when OK; readers and writers go on. The file
 * appears whole or not at all. CONFLICT if `path` exists; INVALID on PostgreSQL, whose backups are pg_dump's. */
enum rc db_copy(struct db *db, const char *path, struct err *err);

/* After rows about people were removed and committed: soon nothing of them stands in the write-ahead log either. The writer does it
 * between two writes, as soon as no reader needs what is there, and db_close once more. Nothing to do on PostgreSQL, whose log is
 * the operator's. Never waits. */
void db_scrub(struct db *db);

/* Prepares every statement of the program on the store and compares parameters and columns; for tests and
 * `chancery check`. FAILED names the first that does not fit. */
enum rc db_check_statements(struct db *db, struct err *err);

/* --- for generated code ----------------------------------------------------------------------------------- */

enum db_type { DB_INT, DB_REAL, DB_TEXT, DB_BLOB };

struct db_value {
	enum db_type type;
	int64_t integer;   /* DB_NULL for NULL */
	double real;       /* NAN for NULL */
	struct str text;   /* STR_NONE for NULL; for blobs too */
};

enum db_kind { DB_KIND_EXEC, DB_KIND_ONE, DB_KIND_MANY, DB_KIND_EACH, DB_KIND_BATCH };

/* A parameter in the args struct or a column in the row struct: int64_t, double or struct str at `offset`. */
struct db_column {
	const char *name;
	enum db_type type;
	size_t offset;
};

/* One named statement with the SQL text of each dialect (sqlite with ?1.., postgresql with $1..). */
struct db_statement {
	const char *name;
	const char *sqlite;
	const char *postgresql;
	const struct db_column *parameters;
	int parameter_count;
	size_t args_size;
	const struct db_column *columns;
	int column_count;
	size_t row_size;
	enum db_kind kind;
	bool writes;
	_Atomic int *slot; /* number under which each connection keeps it prepared; 0 until first used */
};

/* The generated functions are these with their types. `args` is the statement's args struct (NULL if it has none).
 * CONFLICT for a broken UNIQUE, INVALID for CHECK, NOT NULL, foreign keys, and texts that are not UTF-8 or hold
 * NUL; NOT_FOUND for :one without a row; FAILED if :one meets a second row or :many more than DB_ROWS_MAX. */
enum rc db_exec(struct db_tx *tx, const struct db_statement *statement, const void *args, int64_t *changed,
                struct err *err);
enum rc db_batch(struct db_tx *tx, const struct db_statement *statement, const void *args, size_t count,
                 int64_t *changed, struct err *err);
enum rc db_one(struct db_tx *tx, const struct db_statement *statement, const void *args, struct arena *arena, void *row,
               struct err *err);
enum rc db_many(struct db_tx *tx, const struct db_statement *statement, const void *args, struct arena *arena,
                void **rows, size_t *count, struct err *err);
/* `row` is room for one row; `each` gets it filled. What `each` returns other than OK stops and is returned. */
enum rc db_each(struct db_tx *tx, const struct db_statement *statement, const void *args, void *row,
                enum rc (*each)(void *context, const void *row), void *context, struct err *err);

/* A room's part of the store; the tables are generated (sql_rooms.c), in the order of migration. */
struct db_room {
	const char *name;
	const struct db_migration *migrations;
	const size_t *migration_count;
	const struct db_statement *const *statements;
	const size_t *statement_count;
};

extern const struct db_room db_rooms[];
extern const size_t db_room_count;

/* The process's registry of all statements. */
void db_statements_each(void (*visit)(void *context, const struct db_statement *statement), void *context);

/* --- for adapters/store ----------------------------------------------------------------------------------- */

/* Called for each row with values in column order; texts live only during the call. Return other than OK to stop. */
typedef enum rc (*db_row)(void *context, const struct db_value *values);

struct db_store;      /* the driver's own: what connections share */
struct db_connection; /* the driver's own; used by one thread at a time */

enum db_use { DB_READ, DB_WRITE, DB_MIGRATE };

/* How a commit ended. */
enum db_commit {
	DB_COMMITTED,
	DB_ROLLED_BACK, /* certainly not; the error says why */
	DB_AGAIN,       /* certainly not, and running the work again may succeed (serialization, deadlock) */
	DB_LOST,        /* the connection went and nobody can say */
};

/* After an error other than of the data, connections are asked how they are. */
enum db_health {
	DB_SOUND,
	DB_SHOULD_RETRY,  /* serialization failure or deadlock: roll back and run again */
	DB_DISCONNECTED,  /* connect anew */
	DB_TX_GONE,       /* the store rolled the whole transaction back by itself (disk full) */
};

struct db_driver {
	const char *name;    /* dialect */
	const char *scheme;  /* URLs start with it: "sqlite:" */
	bool one_writer;     /* a writer thread with group commit; else writers share the pool */
	enum rc (*open)(const char *url, const struct db_options *options, struct db_store **store, struct err *err);
	void (*close)(struct db_store *store);
	enum rc (*connect)(struct db_store *store, enum db_use use, struct db_connection **connection, struct err *err);
	void (*disconnect)(struct db_connection *connection);
	/* BUSY if another process holds the store for longer than the options say. */
	enum rc (*begin)(struct db_connection *connection, enum db_use use, struct err *err);
	enum db_commit (*commit)(struct db_connection *connection, enum rc *rc, struct err *err);
	void (*rollback)(struct db_connection *connection);
	/* One level of savepoint; only asked of one_writer drivers. */
	enum rc (*savepoint)(struct db_connection *connection, struct err *err);
	enum rc (*release)(struct db_connection *connection, struct err *err);
	void (*rollback_to)(struct db_connection *connection);
	enum db_health (*health)(struct db_connection *connection);
	/* Runs a statement; `values` are checked texts. `slot` >= 1 names it on the connection. `row` may be NULL for
	 * statements without columns. *changed is set on OK. */
	enum rc (*run)(struct db_connection *connection, const struct db_statement *statement, int slot,
	               const struct db_value *values, db_row row, void *context, int64_t *changed, struct err *err);
	/* The same over `count` rows of values laid one after the other; stops at the first error. */
	enum rc (*batch)(struct db_connection *connection, const struct db_statement *statement, int slot,
	                 const struct db_value *values, size_t count, int64_t *changed, struct err *err);
	/* Prepares only, and compares numbers and types of parameters and columns. */
	enum rc (*check)(struct db_connection *connection, const struct db_statement *statement, int slot, struct err *err);
	/* Runs a migration's text. */
	enum rc (*script)(struct db_connection *connection, const struct db_migration *migration, struct err *err);
	enum rc (*has_table)(struct db_connection *connection, const char *table, bool *has, struct err *err);
	/* Called in a write transaction before it appends to `change`: ids must grow in the order of commits. */
	enum rc (*before_change)(struct db_connection *connection, struct err *err);
	/* Waits at most `timeout` microseconds for a sign that someone committed; true if there is one. Own connection,
	 * own thread. `wake` makes it return early, from any thread. */
	bool (*watch)(struct db_store *store, int64_t timeout);
	void (*wake)(struct db_store *store);
	enum rc (*copy)(struct db_store *store, const char *path, struct err *err);
	/* Outside a transaction, on the writer's connection: empties the write-ahead log; false if that must be tried again. NULL: none. */
	bool (*scrub)(struct db_connection *connection);
	/* True while the last write failed for want of space. */
	bool (*is_full)(const struct db_store *store);
};

#endif
