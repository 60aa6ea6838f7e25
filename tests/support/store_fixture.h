/* A fresh store of either kind for a test, gone afterwards. Any room's test may use it:
 *
 *	test_programs += [['people', files('people_test.c', '../../tests/support/store_fixture.c')]]
 *
 *	static void test_enrols(void **state) { struct fixture *fixture = *state; ... fixture->db ... }
 *
 *	int main(void)
 *	{
 *		const struct CMUnitTest tests[] = { BOTH(test_enrols), ... };
 *		return fixture_main(tests);
 *	}
 */
#ifndef CHANCERY_TESTS_STORE_FIXTURE_H
#define CHANCERY_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/db/db.h"

enum store_kind { STORE_SQLITE, STORE_POSTGRESQL };

struct fixture {
	enum store_kind kind;
	char folder[64];  /* SQLite: of the file, for other files of the test too; PostgreSQL: name of the database */
	char url[600];
	struct db_options options;
	struct db *db;
	struct arena arena; /* lives as long as the fixture */
	struct err err;
};

/* Makes and opens an empty store of the kind: a file in a folder of its own, or a database of the cluster that
 * DATABASE_URL_TEST names (started here if it names none). Fails the test if it cannot. */
void fixture_init(struct fixture *fixture, enum store_kind kind);
void fixture_release(struct fixture *fixture);
/* Closes and opens the same store with fixture->options. */
void fixture_reopen(struct fixture *fixture);
/* The fixture's err without its earlier detail. */
struct err *fixture_err(struct fixture *fixture);

/* For cmocka: the state that comes is an enum store_kind, the one that stays a fixture with an empty store, or with
 * the schema of all rooms. */
int fixture_setup_empty(void **state);
int fixture_setup(void **state);
int fixture_teardown(void **state);
extern enum store_kind fixture_kinds[2];

/* One entry of the table of tests for each store. */
#define BOTH(test) BOTH_(test, fixture_setup)
#define BOTH_(test, setup) SQLITE_ONLY_(test, setup), POSTGRESQL_ONLY_(test, setup)
#define SQLITE_ONLY_(test, setup) { #test " (sqlite)", test, setup, fixture_teardown, &fixture_kinds[0] }
#define POSTGRESQL_ONLY_(test, setup) { #test " (postgresql)", test, setup, fixture_teardown, &fixture_kinds[1] }

/* Fails the test with the err's detail if the call returns another code. */
#define assert_rc(fixture, expected, call)                                                                       \
	do {                                                                                                     \
		enum rc rc_ = (call);                                                                            \
		if (rc_ != (expected))                                                                           \
			fail_msg("%s: %s, not %s: %.*s", #call, rc_name(rc_), rc_name(expected),                  \
			         STR_ARG((fixture)->err.detail));                                                 \
	} while (0)

/* Registers the drivers, sees to the cluster, runs the tests, ends the cluster; returns main's status. */
#define fixture_main(tests) (log_set_level(LOG_WARN), fixture_start(), fixture_stop(cmocka_run_group_tests((tests), NULL, NULL)))
void fixture_start(void);
int fixture_stop(int failed);

#endif
