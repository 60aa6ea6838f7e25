/* The store when things break: kills, a full disk, locks of others, lost connections and lost answers. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/store/shelf.h"

static void pause_for(int64_t microseconds)
{
	struct timespec rest = { .tv_sec = microseconds / CLOCK_SECOND, .tv_nsec = (microseconds % CLOCK_SECOND) * 1000 };
	nanosleep(&rest, NULL);
}

/* --- kill -9 ------------------------------------------------------------------------------------------------------ */

#define KILL_WRITERS 4

struct told {
	struct db *db;
	int fd, number;
};

/* Writes one row after the other and tells of each that is durable. */
static void *tell_main(void *argument)
{
	struct told *told = argument;
	for (int i = 0;; i++) {
		char name[32];
		snprintf(name, sizeof name, "%d/%d", told->number, i);
		struct put put = { name, 1, 0 };
		if (db_write(told->db, DB_LANE_DELIVERY, put_shelf, &put, NULL) != OK)
			_exit(1);
		if (write(told->fd, "x", 1) != 1)
			_exit(1);
	}
	return NULL;
}

static void write_until_killed(const char *url, int fd, int round)
{
	struct db *db;
	if (db_open(url, &db, NULL) != OK)
		_exit(1);
	struct told told[KILL_WRITERS];
	pthread_t threads[KILL_WRITERS];
	for (int i = 0; i < KILL_WRITERS; i++) {
		told[i] = (struct told){ db, fd, round * KILL_WRITERS + i };
		pthread_create(&threads[i], NULL, tell_main, &told[i]);
	}
	for (;;)
		pause();
}

static int64_t run_and_kill(const char *url, int round, int64_t after)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		write_until_killed(url, ends[1], round);
	}
	close(ends[1]);
	int64_t told = 0, until = clock_monotonic() + after;
	char bytes[4096];
	ssize_t got;
	bool killed = false;
	while ((got = read(ends[0], bytes, sizeof bytes)) > 0) {
		told += got;
		if (!killed && clock_monotonic() >= until) {
			kill(child, SIGKILL);
			killed = true;
		}
	}
	close(ends[0]);
	int status;
	waitpid(child, &status, 0);
	assert_true(killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return told;
}

static void test_what_was_told_survives_kill(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = 0;
	for (int round = 0; round < 5; round++) {
		db_close(fixture->db);
		fixture->db = NULL;
		int64_t told = run_and_kill(fixture->url, round, 60000 + (int64_t)rand_below(100000));
		fixture_reopen(fixture);
		/* A server may still be at the commit of a client that is gone. */
		if (fixture->kind == STORE_POSTGRESQL)
			pause_for(100000);
		int64_t stored = count_shelves(fixture) - before;
		assert_true(told > 0);
		/* All that was told, and at most what each writer had in hand. */
		assert_in_range(stored, told, told + KILL_WRITERS);
		before += stored;
	}
}

/* --- locks and space (SQLite) --------------------------------------------------------------------------------------- */

static void test_a_lock_of_another_process(void **state)
{
	struct fixture *fixture = *state;
	fixture->options.busy_timeout = 200000;
	fixture_reopen(fixture);
	sqlite3 *other;
	assert_int_equal(sqlite3_open(fixture->url + strlen("sqlite:"), &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	int64_t begun = clock_monotonic();
	assert_rc(fixture, BUSY, write_shelf(fixture, "locked out", 1));
	assert_true(clock_monotonic() - begun >= 150000);
	assert_int_equal(count_shelves(fixture), 0);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_rc(fixture, OK, write_shelf(fixture, "let in", 1));
	sqlite3_close(other);
}

static enum rc fill_work(struct db_tx *tx, void *context, struct err *err)
{
	static char cover[200000];
	struct put *put = context;
	enum rc rc = put_shelf(tx, put, err);
	for (int i = 0; rc == OK && i < 10; i++)
		rc = book_insert(tx, &(struct book_insert_args){ .shelf_id = put->id, .cover = { cover, sizeof cover } }, NULL, err);
	return rc;
}

/* In a process of its own, because the limit is the process's. Exits with the number of the step that went wrong. */
static void fill_the_disk(const char *url)
{
	signal(SIGXFSZ, SIG_IGN);
	struct db *db;
	if (db_open(url, &db, NULL) != OK)
		_exit(1);
	struct rlimit limit = { 3000000, RLIM_INFINITY };
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(2);
	int stored = 0;
	enum rc rc = OK;
	for (int i = 0; rc == OK && i < 100; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", i);
		struct put put = { name, 1, 0 };
		rc = db_write(db, DB_LANE_BULK, fill_work, &put, NULL);
		stored += rc == OK;
	}
	if (rc != FAILED || !db_is_full(db))
		_exit(3);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	struct put put = { "room again", 1, 0 };
	if (db_write(db, DB_LANE_BULK, fill_work, &put, NULL) != OK || db_is_full(db))
		_exit(4);
	db_close(db);
	_exit(100 + stored);
}

static void test_a_full_disk(void **state)
{
	struct fixture *fixture = *state;
	db_close(fixture->db);
	fixture->db = NULL;
	pid_t child = fork();
	if (child == 0)
		fill_the_disk(fixture->url);
	int status;
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_in_range(WEXITSTATUS(status), 100, 200);
	fixture_reopen(fixture);
	assert_int_equal(count_shelves(fixture), WEXITSTATUS(status) - 100 + 1);
}

/* --- conflicts (PostgreSQL) ------------------------------------------------------------------------------------------- */

struct crossing {
	struct db *db;
	pthread_barrier_t *meet;
	const char *first, *second;
	int runs;
	enum rc rc;
};

static enum rc add_one(struct db_tx *tx, const char *name, struct err *err)
{
	struct shelf_add_room_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = shelf_add_room(tx, &arena, &(struct shelf_add_room_args){ .more = 1, .name = str_from(name) }, &row, err);
	arena_release(&arena);
	return rc;
}

static enum rc cross_work(struct db_tx *tx, void *context, struct err *err)
{
	struct crossing *crossing = context;
	enum rc rc = add_one(tx, crossing->first, err);
	/* Both hold their first row before either asks for its second: a deadlock, the first time. */
	if (rc == OK && crossing->runs++ == 0)
		pthread_barrier_wait(crossing->meet);
	return rc == OK ? add_one(tx, crossing->second, err) : rc;
}

static void *cross_main(void *argument)
{
	struct crossing *crossing = argument;
	crossing->rc = db_write(crossing->db, DB_LANE_PERSON, cross_work, crossing, NULL);
	return NULL;
}

static enum rc read_rooms(struct db_tx *tx, void *context, struct err *err)
{
	struct shelf_count_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = shelf_count(tx, &arena, &row, err);
	arena_release(&arena);
	if (rc == OK)
		*(int64_t *)context = row.room;
	return rc;
}

static int64_t sum_of_rooms(struct fixture *fixture)
{
	int64_t sum = -1;
	assert_rc(fixture, OK, db_read(fixture->db, read_rooms, &sum, fixture_err(fixture)));
	return sum;
}

static void test_a_deadlock_is_run_again(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, write_shelf(fixture, "a", 0));
	assert_rc(fixture, OK, write_shelf(fixture, "b", 0));
	pthread_barrier_t meet;
	pthread_barrier_init(&meet, NULL, 2);
	struct crossing crossings[2] = { { fixture->db, &meet, "a", "b", 0, FAILED }, { fixture->db, &meet, "b", "a", 0, FAILED } };
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, cross_main, &crossings[i]);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crossings[i].rc, OK);
	}
	/* At least one gave way; on a busy machine they may meet again. */
	assert_in_range(crossings[0].runs + crossings[1].runs, 3, 20);
	assert_int_equal(sum_of_rooms(fixture), 4);
	pthread_barrier_destroy(&meet);
}

/* --- a wire that breaks (PostgreSQL) ------------------------------------------------------------------------------------ */

/* Stands between libpq and the server on a socket of its own. After `arm`, the next message that holds `word` is
 * the last one: it reaches the server or not, and in either case its answer does not come back. */
struct wire {
	char server[108];
	int listening, port;
	pthread_t thread;
	_Atomic int armed; /* 0 no, 1 cut before the server, 2 cut after it, 3 the same and no new connection */
	const char *word;
	_Atomic int cuts;
	_Atomic bool refuses; /* takes no new connection */
};

struct pair {
	struct wire *wire;
	int client, server;
};

static bool pass(struct wire *wire, int from, int to, bool watched)
{
	char bytes[65536];
	ssize_t got = recv(from, bytes, sizeof bytes, 0);
	if (got <= 0)
		return false;
	int armed = wire->armed;
	bool cut = watched && armed != 0 && memmem(bytes, (size_t)got, wire->word, strlen(wire->word));
	if (cut && armed == 1) {
		wire->armed = 0;
		wire->cuts++;
		return false;
	}
	if (send(to, bytes, (size_t)got, MSG_NOSIGNAL) != got)
		return false;
	if (cut) {
		wire->refuses = armed == 3;
		wire->armed = 0;
		wire->cuts++;
		recv(to, bytes, sizeof bytes, 0); /* the server did it; nobody will hear */
	}
	return !cut;
}

static void *pair_main(void *argument)
{
	struct pair *pair = argument;
	struct pollfd polled[] = { { pair->client, POLLIN, 0 }, { pair->server, POLLIN, 0 } };
	bool open = true;
	while (open && poll(polled, 2, -1) > 0) {
		if (polled[0].revents)
			open = pass(pair->wire, pair->client, pair->server, true);
		if (open && polled[1].revents)
			open = pass(pair->wire, pair->server, pair->client, false);
	}
	close(pair->client);
	close(pair->server);
	free(pair);
	return NULL;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return connect(fd, (struct sockaddr *)(void *)&address, sizeof address) == 0 ? fd : -1;
}

static void *wire_main(void *argument)
{
	struct wire *wire = argument;
	for (;;) {
		int client = accept(wire->listening, NULL, NULL);
		if (client < 0)
			return NULL;
		int server = wire->refuses ? -1 : connect_unix(wire->server);
		if (server < 0) {
			close(client);
			continue;
		}
		struct pair *pair = malloc(sizeof *pair);
		*pair = (struct pair){ wire, client, server };
		pthread_t thread;
		pthread_create(&thread, NULL, pair_main, pair);
		pthread_detach(thread);
	}
}

/* The value of `name` in a URL's query, with %2F read. */
static void url_value(const char *url, const char *name, char *out, size_t size)
{
	const char *at = strstr(url, name);
	assert_non_null(at);
	at += strlen(name);
	size_t length = 0;
	while (*at && *at != '&' && length < size - 1) {
		bool slash = strncmp(at, "%2F", 3) == 0;
		out[length++] = slash ? '/' : *at;
		at += slash ? 3 : 1;
	}
	out[length] = 0;
}

static void wire_init(struct wire *wire, struct fixture *fixture)
{
	char folder[80];
	url_value(fixture->url, "host=", folder, sizeof folder);
	*wire = (struct wire){ .word = "" };
	snprintf(wire->server, sizeof wire->server, "%s/.s.PGSQL.5432", folder);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	wire->listening = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(wire->listening, (struct sockaddr *)(void *)&address, size), 0);
	assert_int_equal(listen(wire->listening, 16), 0);
	getsockname(wire->listening, (struct sockaddr *)(void *)&address, &size);
	wire->port = ntohs(address.sin_port);
	pthread_create(&wire->thread, NULL, wire_main, wire);
	snprintf(fixture->url, sizeof fixture->url, "postgresql://postgres@127.0.0.1:%d/%s?sslmode=disable&gssencmode=disable",
	         wire->port, fixture->folder);
	fixture_reopen(fixture);
}

static void wire_release(struct wire *wire)
{
	shutdown(wire->listening, SHUT_RDWR);
	pthread_join(wire->thread, NULL);
	close(wire->listening);
}

struct counted {
	struct put put;
	int runs;
};

static enum rc counted_work(struct db_tx *tx, void *context, struct err *err)
{
	struct counted *counted = context;
	counted->runs++;
	return put_shelf(tx, &counted->put, err);
}

static void cut_at(struct fixture *fixture, struct wire *wire, const char *word, int how, const char *name, int runs)
{
	struct counted counted = { { name, 1, 0 }, 0 };
	int64_t before = count_shelves(fixture);
	wire->word = word;
	wire->armed = how;
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_PERSON, counted_work, &counted, fixture_err(fixture)));
	assert_int_equal(wire->armed, 0);
	assert_int_equal(counted.runs, runs);
	assert_int_equal(count_shelves(fixture), before + 1);
}

static void test_a_cut_wire_neither_loses_nor_doubles(void **state)
{
	struct fixture *fixture = *state;
	static struct wire wire; /* its threads outlive a failed test */
	wire_init(&wire, fixture);
	cut_at(fixture, &wire, "BEGIN", 1, "cut at begin", 1);
	cut_at(fixture, &wire, "cut before", 1, "cut before insert", 2);
	cut_at(fixture, &wire, "cut after", 2, "cut after insert", 2);
	cut_at(fixture, &wire, "COMMIT", 1, "commit never arrived", 2);
	cut_at(fixture, &wire, "COMMIT", 2, "commit arrived", 1);
	assert_int_equal(wire.cuts, 5);
	db_close(fixture->db);
	fixture->db = NULL;
	wire_release(&wire);
}

static void test_an_outcome_nobody_can_tell_is_said(void **state)
{
	struct fixture *fixture = *state;
	fixture->options.busy_timeout = 300000;
	static struct wire wire; /* its threads outlive a failed test */
	wire_init(&wire, fixture);
	struct counted counted = { { "who knows", 1, 0 }, 0 };
	wire.word = "COMMIT";
	wire.armed = 3;
	assert_rc(fixture, FAILED, db_write(fixture->db, DB_LANE_PERSON, counted_work, &counted, fixture_err(fixture)));
	assert_true(str_equal(fixture->err.detail, S("commit outcome unknown")));
	assert_int_equal(counted.runs, 1);
	wire.refuses = false;
	assert_int_equal(count_shelves(fixture), 1);
	db_close(fixture->db);
	fixture->db = NULL;
	wire_release(&wire);
}

/* --- the server goes and comes back (PostgreSQL) -------------------------------------------------------------------------- */

static void test_ended_backends_are_replaced(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < 3; i++) {
		char name[16], sql[200];
		snprintf(name, sizeof name, "%d", i);
		snprintf(sql, sizeof sql,
		         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s' AND pid <> pg_backend_pid()",
		         fixture->folder);
		PGconn *side = PQconnectdb(fixture->url);
		PQclear(PQexec(side, sql));
		PQfinish(side);
		assert_rc(fixture, OK, write_shelf(fixture, name, 1));
	}
	assert_int_equal(count_shelves(fixture), 3);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_(test_what_was_told_survives_kill, shelf_setup),
		SQLITE_ONLY_(test_a_lock_of_another_process, shelf_setup),
		SQLITE_ONLY_(test_a_full_disk, shelf_setup),
		POSTGRESQL_ONLY_(test_a_deadlock_is_run_again, shelf_setup),
		POSTGRESQL_ONLY_(test_a_cut_wire_neither_loses_nor_doubles, shelf_setup),
		POSTGRESQL_ONLY_(test_an_outcome_nobody_can_tell_is_said, shelf_setup),
		POSTGRESQL_ONLY_(test_ended_backends_are_replaced, shelf_setup),
	};
	return fixture_main(tests);
}
