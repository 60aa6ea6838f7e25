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
/* Drivers and the PostgreSQL cluster (started if DATABASE_URL_TEST does not name one). */
void fixture_start(void);
void fixture_stop(void);

#endif
