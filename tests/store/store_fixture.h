/* A fresh store of either kind for a test, gone afterwards. */
#ifndef CHANCERY_TESTS_STORE_FIXTURE_H
#define CHANCERY_TESTS_STORE_FIXTURE_H

#include "kernel/db/db.h"

enum store_kind { STORE_SQLITE, STORE_POSTGRESQL };

struct fixture {
	enum store_kind kind;
	char folder[64];
	char url[600];
	struct db_options options;
	struct db *db;
	struct arena arena;
	struct err err;
};

/* Makes an empty store of the kind (a file in a folder of its own; a database of the cluster at DATABASE_URL_TEST),
 * opens it and migrates the test's tables. Fails the test if it cannot. */
void fixture_init(struct fixture *fixture, enum store_kind kind, bool migrate);
void fixture_release(struct fixture *fixture);
/* Closes and opens the same store. */
void fixture_reopen(struct fixture *fixture);
/* An err without its earlier detail. */
struct err *fixture_err(struct fixture *fixture);
/* As one writes a row: name, room and the id it got. For db_write. */
struct put {
	const char *name;
	int64_t room;
	int64_t id;
};
enum rc put_shelf(struct db_tx *tx, void *context, struct err *err);
/* Writes one row in the given lane. */
enum rc write_shelf(struct fixture *fixture, const char *name, int64_t room);
/* Rows of the table, read in a transaction of their own. */
int64_t count_shelves(struct fixture *fixture);

/* For cmocka: the state is an enum store_kind, and becomes a fixture with or without the test's tables. */
int fixture_setup(void **state);
int fixture_setup_empty(void **state);
int fixture_teardown(void **state);
extern enum store_kind fixture_kinds[2];
/* One entry of the table of tests for each store. */
#define BOTH(test) BOTH_(test, fixture_setup)
#define BOTH_(test, set)                                                                                         \
	{ #test " (sqlite)", test, set, fixture_teardown, &fixture_kinds[0] },                                    \
	{                                                                                                        \
		#test " (postgresql)", test, set, fixture_teardown, &fixture_kinds[1]                             \
	}

#define assert_rc(fixture, expected, call)                                                                       \
	do {                                                                                                     \
		enum rc rc_ = (call);                                                                            \
		if (rc_ != (expected))                                                                           \
			fail_msg("%s: %s, not %s: %.*s", #call, rc_name(rc_), rc_name(expected),                  \
			         STR_ARG((fixture)->err.detail));                                                 \
	} while (0)

/* The drivers and the PostgreSQL cluster (started if DATABASE_URL_TEST does not name one). */
void fixture_start(void);
void fixture_stop(void);

#endif
