/* What the store's own tests share: their tables, and small works on them. */
#ifndef CHANCERY_TESTS_STORE_SHELF_H
#define CHANCERY_TESTS_STORE_SHELF_H

#include "tests/support/store_fixture.h"

#include "store_sql.h"

/* For cmocka: a store with the test's tables. */
int shelf_setup(void **state);

/* As one writes a row: name, room and the id it got. For db_write. */
struct put {
	const char *name;
	int64_t room;
	int64_t id;
};
enum rc put_shelf(struct db_tx *tx, void *context, struct err *err);
/* Writes one row. */
enum rc write_shelf(struct fixture *fixture, const char *name, int64_t room);
/* Rows of the table, read in a transaction of their own. */
int64_t count_shelves(struct fixture *fixture);

#endif
