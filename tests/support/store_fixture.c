/* Stores for tests; see store_fixture.h. */
#include <libpq-fe.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/store_fixture.h"

#include "adapters/store/postgres/postgres.h"
#include "adapters/store/sqlite/sqlite.h"

static char cluster_url[512];
static pid_t cluster_process;
static int cluster_input = -1;

/* --- the cluster ---------------------------------------------------------------------------------------------- */

static void start_cluster(void)
{
	int input[2], output[2];
	if (pipe(input) != 0 || pipe(output) != 0)
		abort();
	cluster_process = fork();
	if (cluster_process == 0) {
		dup2(input[0], 0);
		dup2(output[1], 1);
		for (int fd = 3; fd < 16; fd++)
			close(fd);
		execlp("python3", "python3", "tests/support/postgres.py", "serve", (char *)NULL);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	cluster_input = input[1];
	size_t length = 0;
	ssize_t got;
	while (length < sizeof cluster_url - 1 && (got = read(output[0], cluster_url + length, 1)) == 1 &&
	       cluster_url[length] != '\n')
		length++;
	close(output[0]);
	cluster_url[length] = 0;
	if (length == 0) {
		fprintf(stderr, "PostgreSQL did not start\n");
		exit(1);
	}
}

void fixture_start(void)
{
	db_register_driver(&sqlite_driver);
	db_register_driver(&postgres_driver);
	const char *given = getenv("DATABASE_URL_TEST");
	if (given)
		snprintf(cluster_url, sizeof cluster_url, "%s", given);
	else
		start_cluster();
}

int fixture_stop(int failed)
{
	if (cluster_process != 0) {
		close(cluster_input);
		waitpid(cluster_process, NULL, 0);
		cluster_process = 0;
	}
	return failed;
}

static void cluster_run(const char *sql)
{
	PGconn *connection = PQconnectdb(cluster_url);
	PGresult *result = PQexec(connection, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
}

/* --- the stores ------------------------------------------------------------------------------------------------- */

static void make_database(struct fixture *fixture)
{
	snprintf(fixture->folder, sizeof fixture->folder, "test_%016llx", (unsigned long long)rand_u64());
	char sql[128];
	snprintf(sql, sizeof sql, "CREATE DATABASE %s", fixture->folder);
	cluster_run(sql);
	struct str url = str_from(cluster_url);
	size_t path = str_find(url, S("/postgres?"), 0);
	assert_true(path != SIZE_MAX);
	snprintf(fixture->url, sizeof fixture->url, "%.*s/%s%s", (int)path, cluster_url, fixture->folder,
	         cluster_url + path + strlen("/postgres"));
}

void fixture_init(struct fixture *fixture, enum store_kind kind)
{
	*fixture = (struct fixture){ .kind = kind, .options = db_options_default() };
	arena_init(&fixture->arena);
	if (kind == STORE_SQLITE) {
		snprintf(fixture->folder, sizeof fixture->folder, "%s", "/tmp/chancery-store-XXXXXX");
		assert_non_null(mkdtemp(fixture->folder));
		snprintf(fixture->url, sizeof fixture->url, "sqlite:%s/store.db", fixture->folder);
	} else {
		make_database(fixture);
	}
	fixture_reopen(fixture);
}

void fixture_reopen(struct fixture *fixture)
{
	db_close(fixture->db);
	fixture->db = NULL;
	if (db_open_options(fixture->url, &fixture->options, &fixture->db, fixture_err(fixture)) != OK)
		fail_msg("%.*s", STR_ARG(fixture->err.detail));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void fixture_release(struct fixture *fixture)
{
	db_close(fixture->db);
	arena_release(&fixture->arena);
	if (fixture->kind == STORE_SQLITE) {
		nftw(fixture->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
		return;
	}
	char sql[128];
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", fixture->folder);
	cluster_run(sql);
}

struct err *fixture_err(struct fixture *fixture)
{
	err_init(&fixture->err, &fixture->arena);
	return &fixture->err;
}

/* --- cmocka ------------------------------------------------------------------------------------------------------- */

enum store_kind fixture_kinds[2] = { STORE_SQLITE, STORE_POSTGRESQL };

int fixture_setup_empty(void **state)
{
	struct fixture *fixture = malloc(sizeof *fixture);
	fixture_init(fixture, *(enum store_kind *)*state);
	*state = fixture;
	return 0;
}

int fixture_setup(void **state)
{
	fixture_setup_empty(state);
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, db_migrate_all(fixture->db, fixture_err(fixture)));
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_release(*state);
	free(*state);
	return 0;
}
