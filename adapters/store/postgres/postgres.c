/* The driver of kernel/db for PostgreSQL: connections, transactions, watching. Statements: postgres_run.c. */
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "adapters/store/postgres/postgres.h"
#include "adapters/store/postgres/postgres_internal.h"

#define VERSION_LEAST 150000
/* Keys of advisory locks: any two numbers that nobody else uses in the database. */
#define LOCK_CHANGE "1128808014"
#define LOCK_MIGRATE "1128808015"
#define OUTCOME_PAUSE (100 * INT64_C(1000)) /* microseconds between questions about a lost commit */
#define RECONNECT_PAUSE CLOCK_SECOND

/* --- errors ----------------------------------------------------------------------------------------------------- */

/* Appendix A of PostgreSQL's manual. */
static enum rc map_state(const char *state)
{
	static const struct {
		const char *prefix;
		enum rc rc;
	} table[] = {
		{ "23505", CONFLICT }, /* unique_violation */
		{ "23P01", CONFLICT }, /* exclusion_violation */
		{ "23", INVALID },     /* the other integrity constraints */
		{ "22", INVALID },     /* data exceptions: out of range and the like */
		{ "40", BUSY },        /* serialization, deadlock */
		{ "55P03", BUSY },     /* lock_timeout */
		{ "57P03", BUSY },     /* starting up or shutting down */
		{ "53300", BUSY },     /* too many connections */
	};
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0)
			return table[i].rc;
	return FAILED;
}

enum rc pg_report(struct db_connection *connection, const PGresult *result, const char *what, struct err *err)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	if (!state) {
		/* No answer of the server: libpq's own words, which hold no data. */
		const char *said = PQerrorMessage(connection->pg);
		return err_set(err, FAILED, "%s: %.*s", what, (int)strcspn(said, "\n"), said);
	}
	connection->should_retry = strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0;
	if (strncmp(state, "53100", 5) == 0 || strncmp(state, "58030", 5) == 0)
		connection->store->full = true;
	/* A data exception quotes the value, which may be somebody's name. */
	const char *primary = strncmp(state, "22", 2) == 0 ? "bad value" : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	return err_set(err, map_state(state), "%s: %s%s%s (SQLSTATE %s)", what, primary ? primary : "", constraint ? ": " : "",
	               constraint ? constraint : "", state);
}

enum rc pg_command(struct db_connection *connection, const char *sql, struct err *err)
{
	PGresult *result = PQexec(connection->pg, sql);
	ExecStatusType status = PQresultStatus(result);
	enum rc rc = OK;
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		rc = pg_report(connection, result, sql, err);
	PQclear(result);
	return rc;
}

static void ignore_notice(void *context, const char *message)
{
	(void)context;
	(void)message;
}

/* --- connecting --------------------------------------------------------------------------------------------------- */

static enum rc set_up_session(struct db_store *store, PGconn *pg, struct err *err)
{
	char sql[400];
	/* Compiling plans costs more than our statements take; a lock waited for too long is BUSY as on SQLite. */
	snprintf(sql, sizeof sql,
	         "SET lock_timeout = %lld; SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = 0; "
	         "SET synchronous_commit = on; SET TimeZone = 'UTC'; SET jit = off; SET default_transaction_isolation = "
	         "'read committed'",
	         (long long)(store->options.busy_timeout / 1000 + 1));
	PGresult *result = PQexec(pg, sql);
	bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	if (!good)
		return err_set(err, FAILED, "PostgreSQL refuses the session's settings");
	const char *encoding = PQparameterStatus(pg, "server_encoding");
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		return err_set(err, FAILED, "the database's encoding is %s; it must be UTF8", encoding ? encoding : "unknown");
	if (PQserverVersion(pg) < VERSION_LEAST)
		return err_set(err, FAILED, "the server is PostgreSQL %d; it must be %d or newer", PQserverVersion(pg) / 10000,
		               VERSION_LEAST / 10000);
	return OK;
}

enum rc pg_connect(struct db_store *store, PGconn **pg_out, struct err *err)
{
	/* What stands before dbname the URL may override, what stands after it not. */
	const char *const keys[] = { "connect_timeout",     "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
		                     "fallback_application_name", "dbname",    "client_encoding",     NULL };
	const char *const values[] = { "5", "10", "5", "3", "30000", "chancery", store->url, "UTF8", NULL };
	PGconn *pg = PQconnectdbParams(keys, values, 1);
	if (!pg)
		return err_set(err, FAILED, "out of memory");
	enum rc rc;
	if (PQstatus(pg) != CONNECTION_OK) {
		const char *said = PQerrorMessage(pg);
		rc = err_set(err, FAILED, "PostgreSQL: %.*s", (int)strcspn(said, "\n"), said);
	} else {
		PQsetNoticeProcessor(pg, ignore_notice, NULL);
		rc = set_up_session(store, pg, err);
	}
	if (rc != OK) {
		PQfinish(pg);
		return rc;
	}
	*pg_out = pg;
	return OK;
}

static enum rc postgres_open(const char *url, const struct db_options *options, struct db_store **store_out, struct err *err)
{
	struct db_store *store = calloc(1, sizeof *store);
	if (!store)
		return err_set(err, FAILED, "out of memory");
	store->url = strdup(url);
	store->options = *options;
	store->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!store->url || store->wake_fd < 0) {
		if (store->wake_fd >= 0)
			close(store->wake_fd);
		free(store->url);
		free(store);
		return err_set(err, FAILED, "out of memory");
	}
	*store_out = store;
	return OK;
}

static void postgres_close(struct db_store *store)
{
	if (store->listener)
		PQfinish(store->listener);
	close(store->wake_fd);
	free(store->url);
	free(store);
}

static enum rc postgres_connect(struct db_store *store, enum db_use use, struct db_connection **connection_out,
                                struct err *err)
{
	(void)use;
	PGconn *pg;
	enum rc rc = pg_connect(store, &pg, err);
	if (rc != OK)
		return rc;
	struct db_connection *connection = calloc(1, sizeof *connection);
	if (!connection) {
		PQfinish(pg);
		return err_set(err, FAILED, "out of memory");
	}
	connection->store = store;
	connection->pg = pg;
	*connection_out = connection;
	return OK;
}

static void postgres_disconnect(struct db_connection *connection)
{
	PQfinish(connection->pg);
	free(connection->prepared);
	free(connection);
}

/* --- transactions --------------------------------------------------------------------------------------------------- */

static enum rc postgres_begin(struct db_connection *connection, enum db_use use, struct err *err)
{
	connection->should_retry = false;
	connection->reading = use == DB_READ;
	if (use == DB_READ)
		return pg_command(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
	enum rc rc = pg_command(connection, "BEGIN", err);
	/* Two processes that start together: the second finds the first one's work done. */
	if (rc == OK && use == DB_MIGRATE)
		rc = pg_command(connection, "SELECT pg_advisory_xact_lock(" LOCK_MIGRATE ")", err);
	return rc;
}

static void postgres_rollback(struct db_connection *connection)
{
	if (PQstatus(connection->pg) == CONNECTION_OK && PQtransactionStatus(connection->pg) != PQTRANS_IDLE)
		PQclear(PQexec(connection->pg, "ROLLBACK"));
}

static enum db_health postgres_health(struct db_connection *connection)
{
	/* Left in the midst of a pipeline it is of no more use than a broken one, and must not go back to the others. */
	if (PQstatus(connection->pg) != CONNECTION_OK || PQpipelineStatus(connection->pg) != PQ_PIPELINE_OFF)
		return DB_DISCONNECTED;
	return connection->should_retry ? DB_SHOULD_RETRY : DB_SOUND;
}

/* The transaction's number, so that its outcome can be asked for if the answer to COMMIT is lost; "" if it has
 * none because it wrote nothing. */
static enum rc read_number(struct db_connection *connection, char *number, size_t size, struct err *err)
{
	PGresult *result = PQexec(connection->pg, "SELECT pg_current_xact_id_if_assigned()::text");
	enum rc rc = OK;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		rc = pg_report(connection, result, "commit", err);
	else
		snprintf(number, size, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

/* One question about the outcome; false if it is not known yet. */
static bool ask_outcome(PGconn *pg, const char *number, enum db_commit *outcome)
{
	const char *values[] = { number };
	PGresult *result = PQexecParams(pg, "SELECT pg_xact_status($1::text::xid8)", 1, NULL, values, NULL, NULL, 0);
	bool known = false;
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		const char *status = PQgetvalue(result, 0, 0);
		known = strcmp(status, "in progress") != 0;
		*outcome = strcmp(status, "committed") == 0 ? DB_COMMITTED : strcmp(status, "aborted") == 0 ? DB_AGAIN : DB_LOST;
	}
	PQclear(result);
	return known;
}

static void pause_for(int64_t microseconds)
{
	struct timespec rest = { .tv_sec = microseconds / CLOCK_SECOND, .tv_nsec = (microseconds % CLOCK_SECOND) * 1000 };
	nanosleep(&rest, NULL);
}

/* The connection broke between COMMIT and its answer: asks on a new one how it ended. */
static enum db_commit find_outcome(struct db_store *store, const char *number)
{
	if (number[0] == 0)
		return DB_AGAIN;
	int64_t until = clock_monotonic() + store->options.busy_timeout;
	enum db_commit outcome = DB_LOST;
	bool known = false;
	do {
		PGconn *pg;
		if (pg_connect(store, &pg, NULL) == OK) {
			known = ask_outcome(pg, number, &outcome);
			PQfinish(pg);
		}
		if (!known)
			pause_for(OUTCOME_PAUSE);
	} while (!known && clock_monotonic() < until);
	return known ? outcome : DB_LOST;
}

static enum db_commit commit_writes(struct db_connection *connection, const char *number, enum rc *rc, struct err *err)
{
	PGresult *result = PQexec(connection->pg, "COMMIT");
	enum db_commit outcome = DB_COMMITTED;
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		*rc = pg_report(connection, result, "commit", NULL);
		outcome = PQstatus(connection->pg) != CONNECTION_OK ? find_outcome(connection->store, number)
		          : connection->should_retry                ? DB_AGAIN
		                                                    : DB_ROLLED_BACK;
		if (outcome == DB_LOST)
			*rc = err_set(err, FAILED, "commit outcome unknown");
		else if (outcome != DB_COMMITTED)
			pg_report(connection, result, "commit", err);
	} else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
		*rc = err_set(err, FAILED, "the transaction had failed before its commit");
		outcome = DB_ROLLED_BACK;
	}
	PQclear(result);
	if (outcome == DB_COMMITTED) {
		*rc = OK;
		connection->store->full = false;
	}
	return outcome;
}

static enum db_commit postgres_commit(struct db_connection *connection, enum rc *rc, struct err *err)
{
	char number[32] = "";
	if (connection->reading) {
		postgres_rollback(connection);
		return DB_COMMITTED;
	}
	*rc = read_number(connection, number, sizeof number, err);
	if (*rc != OK)
		return postgres_health(connection) == DB_SOUND ? DB_ROLLED_BACK : DB_AGAIN;
	if (number[0] == 0) {
		/* Nothing was written, so nothing can be lost with it. */
		postgres_rollback(connection);
		return DB_COMMITTED;
	}
	return commit_writes(connection, number, rc, err);
}

static enum rc postgres_before_change(struct db_connection *connection, struct err *err)
{
	return pg_command(connection, "SELECT pg_advisory_xact_lock(" LOCK_CHANGE "); NOTIFY chancery_change", err);
}

static enum rc postgres_script(struct db_connection *connection, const struct db_migration *migration, struct err *err)
{
	PGresult *result = PQexec(connection->pg, migration->postgresql);
	enum rc rc = OK;
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
		char what[200];
		snprintf(what, sizeof what, "migration %d (%s) of %s", migration->number, migration->name, migration->room);
		pg_report(connection, result, what, err);
		rc = FAILED;
	}
	PQclear(result);
	return rc;
}

static enum rc postgres_has_table(struct db_connection *connection, const char *table, bool *has, struct err *err)
{
	const char *values[] = { table };
	PGresult *result =
		PQexecParams(connection->pg, "SELECT to_regclass($1::text) IS NOT NULL", 1, NULL, values, NULL, NULL, 0);
	enum rc rc = OK;
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		*has = PQgetvalue(result, 0, 0)[0] == 't';
	else
		rc = pg_report(connection, result, "to_regclass", err);
	PQclear(result);
	return rc;
}

/* --- watching ---------------------------------------------------------------------------------------------------------- */

static bool woken_within(struct db_store *store, int socket, int64_t timeout)
{
	struct pollfd polled[] = { { store->wake_fd, POLLIN, 0 }, { socket, POLLIN, 0 } };
	poll(polled, socket >= 0 ? 2 : 1, (int)(timeout / 1000));
	return polled[0].revents != 0;
}

static bool start_listening(struct db_store *store)
{
	if (pg_connect(store, &store->listener, NULL) != OK) {
		store->listener = NULL;
		return false;
	}
	PGresult *result = PQexec(store->listener, "LISTEN chancery_change");
	bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	if (!good) {
		PQfinish(store->listener);
		store->listener = NULL;
	}
	return good;
}

static bool postgres_watch(struct db_store *store, int64_t timeout)
{
	if (!store->listener) {
		/* What was told before we listened must be read. */
		if (start_listening(store))
			return true;
		woken_within(store, -1, RECONNECT_PAUSE);
		return false;
	}
	if (woken_within(store, PQsocket(store->listener), timeout))
		return false;
	bool told = false;
	if (!PQconsumeInput(store->listener)) {
		PQfinish(store->listener);
		store->listener = NULL;
		return false;
	}
	PGnotify *notice;
	while ((notice = PQnotifies(store->listener)) != NULL) {
		told = true;
		PQfreemem(notice);
	}
	return told;
}

static void postgres_wake(struct db_store *store)
{
	eventfd_write(store->wake_fd, 1);
}

static bool postgres_is_full(const struct db_store *store)
{
	return store->full;
}

const struct db_driver postgres_driver = {
	.name = "postgresql",
	.scheme = "postgresql:",
	.one_writer = false,
	.open = postgres_open,
	.close = postgres_close,
	.connect = postgres_connect,
	.disconnect = postgres_disconnect,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.health = postgres_health,
	.run = pg_run,
	.batch = pg_batch,
	.check = pg_check,
	.script = postgres_script,
	.has_table = postgres_has_table,
	.before_change = postgres_before_change,
	.watch = postgres_watch,
	.wake = postgres_wake,
	.is_full = postgres_is_full,
};
