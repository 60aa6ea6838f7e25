#include "tests/store/shelf.h"

int shelf_setup(void **state)
{
	fixture_setup_empty(state);
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, db_migrate(fixture->db, store_migrations, store_migration_count, fixture_err(fixture)));
	return 0;
}

enum rc put_shelf(struct db_tx *tx, void *context, struct err *err)
{
	struct put *put = context;
	struct shelf_insert_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = shelf_insert(tx, &arena, &(struct shelf_insert_args){ str_from(put->name), put->room }, &row, err);
	arena_release(&arena);
	if (rc == OK)
		put->id = row.id;
	return rc;
}

enum rc write_shelf(struct fixture *fixture, const char *name, int64_t room)
{
	struct put put = { name, room, 0 };
	return db_write(fixture->db, DB_LANE_PERSON, put_shelf, &put, fixture_err(fixture));
}

static enum rc count_work(struct db_tx *tx, void *context, struct err *err)
{
	struct shelf_count_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = shelf_count(tx, &arena, &row, err);
	arena_release(&arena);
	if (rc == OK)
		*(int64_t *)context = row.shelves;
	return rc;
}

int64_t count_shelves(struct fixture *fixture)
{
	int64_t count = -1;
	assert_rc(fixture, OK, db_read(fixture->db, count_work, &count, fixture_err(fixture)));
	return count;
}
