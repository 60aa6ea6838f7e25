/* Private to adapters/store/postgres. */
#ifndef CHANCERY_ADAPTERS_STORE_POSTGRES_INTERNAL_H
#define CHANCERY_ADAPTERS_STORE_POSTGRES_INTERNAL_H

#include <libpq-fe.h>
#include <pthread.h>

#include "kernel/db/db.h"

struct db_store {
	char *url;
	struct db_options options;
	_Atomic bool full;
	PGconn *listener; /* the watching thread's own */
	int wake_fd;      /* eventfd */
};

struct db_connection {
	struct db_store *store;
	PGconn *pg;
	bool reading;      /* the transaction is a reader's */
	bool should_retry; /* the last error was a serialization failure or a deadlock */
	bool *prepared;    /* by slot */
	size_t prepared_count;
};

/* Connects and sets the session up. */
enum rc pg_connect(struct db_store *store, PGconn **pg_out, struct err *err);
/* What a result says went wrong, as a code; remembers what health must know. Takes no ownership. */
enum rc pg_report(struct db_connection *connection, const PGresult *result, const char *what, struct err *err);
/* Runs plain SQL that returns nothing of interest. */
enum rc pg_command(struct db_connection *connection, const char *sql, struct err *err);

enum rc pg_run(struct db_connection *connection, const struct db_statement *statement, int slot,
               const struct db_value *values, db_row row, void *context, int64_t *changed, struct err *err);
enum rc pg_batch(struct db_connection *connection, const struct db_statement *statement, int slot,
                 const struct db_value *values, size_t count, int64_t *changed, struct err *err);
enum rc pg_check(struct db_connection *connection, const struct db_statement *statement, int slot, struct err *err);

#endif
