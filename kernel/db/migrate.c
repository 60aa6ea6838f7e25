/* Bringing the schema to the program's version, one migration a transaction. */
#include "kernel/db/db_internal.h"

#include "db_sql.h"

struct migrator {
	struct db *db;
	struct db_connection *connection;
	struct arena *arena;
	struct err *err;
};

static enum rc is_applied(struct migrator *migrator, struct db_tx *tx, const struct db_migration *migration, bool *applied)
{
	bool has = false;
	enum rc rc = migrator->db->driver->has_table(migrator->connection, "schema_migration", &has, migrator->err);
	if (rc != OK || !has) {
		if (rc == OK)
			*applied = false;
		return rc;
	}
	struct db_migration_find_args args = { .room = str_from(migration->room), .number = migration->number };
	struct db_migration_find_row row;
	struct err ignored;
	err_init(&ignored, migrator->arena);
	rc = db_migration_find(tx, migrator->arena, &args, &row, &ignored);
	if (rc == NOT_FOUND) {
		*applied = false;
		return OK;
	}
	if (rc != OK)
		return err_set(migrator->err, rc, "%.*s", STR_ARG(ignored.detail));
	if (!str_equal(row.name, str_from(migration->name)))
		return err_set(migrator->err, CONFLICT, "%s: migration %d is '%s' here and '%.*s' in the store", migration->room,
		               migration->number, migration->name, STR_ARG(row.name));
	*applied = true;
	return OK;
}

static enum rc apply(struct migrator *migrator, struct db_tx *tx, const struct db_migration *migration)
{
	bool applied;
	enum rc rc = is_applied(migrator, tx, migration, &applied);
	if (rc != OK || applied)
		return rc;
	rc = migrator->db->driver->script(migrator->connection, migration, migrator->err);
	if (rc != OK)
		return rc;
	struct db_migration_add_args args = {
		.room = str_from(migration->room),
		.number = migration->number,
		.name = str_from(migration->name),
		.applied_at = clock_now(),
	};
	rc = db_migration_add(tx, &args, NULL, migrator->err);
	if (rc == OK)
		log_info("schema_migrated", LOGC("room", migration->room), LOGI("number", migration->number),
		         LOGC("name", migration->name));
	return rc;
}

/* Asked by reading alone: a command that opens a store of the program's own version needs no turn of the busy writer. */
static enum rc was_applied(struct migrator *migrator, const struct db_migration *migration, bool *applied)
{
	struct db_tx tx;
	tx_init(&tx, migrator->db, migrator->connection, DB_READ);
	enum rc rc = is_applied(migrator, &tx, migration, applied);
	tx_release(&tx);
	return rc;
}

static enum rc migrate_one(struct migrator *migrator, const struct db_migration *migration)
{
	const struct db_driver *driver = migrator->db->driver;
	struct db_tx tx;
	bool applied;
	enum rc rc = was_applied(migrator, migration, &applied);
	if (rc != OK || applied)
		return rc;
	/* Another process may be faster: `apply` asks again within the transaction. */
	rc = driver->begin(migrator->connection, DB_MIGRATE, migrator->err);
	if (rc != OK)
		return rc;
	tx_init(&tx, migrator->db, migrator->connection, DB_MIGRATE);
	rc = apply(migrator, &tx, migration);
	tx_release(&tx);
	if (rc != OK) {
		driver->rollback(migrator->connection);
		return rc;
	}
	if (driver->commit(migrator->connection, &rc, migrator->err) != DB_COMMITTED) {
		driver->rollback(migrator->connection);
		return rc == OK ? err_set(migrator->err, FAILED, "the migration was not committed") : rc;
	}
	return OK;
}

/* The newest number of a room among the migrations given; 0 if the room is not among them. */
static int newest_given(const struct db_migration *migrations, size_t count, struct str room)
{
	int newest = 0;
	for (size_t i = 0; i < count; i++)
		if (str_equal(str_from(migrations[i].room), room) && migrations[i].number > newest)
			newest = migrations[i].number;
	return newest;
}

static int newest_known(struct str room)
{
	for (size_t i = 0; i < db_room_count; i++)
		if (str_equal(str_from(db_rooms[i].name), room))
			return (int)*db_rooms[i].migration_count;
	return 0;
}

struct newer_call {
	const struct db_migration *migrations;
	size_t count;
};

static enum rc refuse_newer(struct db_tx *tx, void *context, struct err *err)
{
	const struct newer_call *call = context;
	struct db_migration_list_row *rows = NULL;
	size_t count = 0;
	enum rc rc = db_migration_list(tx, &tx->arena, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		int newest = newest_given(call->migrations, call->count, rows[i].room);
		if (newest == 0)
			newest = newest_known(rows[i].room);
		if (rows[i].number > newest)
			rc = err_set(err, CONFLICT, "the store is newer than this program: it holds migration %lld (%.*s) of %.*s",
			             (long long)rows[i].number, STR_ARG(rows[i].name), STR_ARG(rows[i].room));
	}
	return rc;
}

/* Everything the store has must be known before anything is changed. */
static enum rc check_newer(struct migrator *migrator, const struct db_migration *migrations, size_t count)
{
	bool has = false;
	enum rc rc = migrator->db->driver->has_table(migrator->connection, "schema_migration", &has, migrator->err);
	if (rc != OK || !has)
		return rc;
	struct newer_call call = { migrations, count };
	struct db_tx tx;
	tx_init(&tx, migrator->db, migrator->connection, DB_READ);
	rc = refuse_newer(&tx, &call, migrator->err);
	tx_release(&tx);
	return rc;
}

static enum rc migrate_list(struct migrator *migrator, const struct db_migration *migrations, size_t count)
{
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = migrate_one(migrator, &migrations[i]);
	return rc;
}

static enum rc with_migrator(struct db *db, enum rc (*run)(struct migrator *migrator, const void *context),
                             const void *context, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct migrator migrator = { .db = db, .arena = &arena, .err = err };
	enum rc rc = db->driver->connect(db->store, DB_MIGRATE, &migrator.connection, err);
	if (rc == OK) {
		rc = run(&migrator, context);
		db->driver->disconnect(migrator.connection);
	}
	arena_release(&arena);
	return rc;
}

static enum rc run_given(struct migrator *migrator, const void *context)
{
	const struct newer_call *call = context;
	enum rc rc = check_newer(migrator, call->migrations, call->count);
	if (rc == OK)
		rc = migrate_list(migrator, db_migrations, db_migration_count);
	return rc == OK ? migrate_list(migrator, call->migrations, call->count) : rc;
}

enum rc db_migrate(struct db *db, const struct db_migration *migrations, size_t count, struct err *err)
{
	struct newer_call call = { migrations, count };
	return with_migrator(db, run_given, &call, err);
}

static enum rc run_all(struct migrator *migrator, const void *context)
{
	(void)context;
	enum rc rc = check_newer(migrator, NULL, 0);
	for (size_t i = 0; rc == OK && i < db_room_count; i++)
		rc = migrate_list(migrator, db_rooms[i].migrations, *db_rooms[i].migration_count);
	return rc;
}

enum rc db_migrate_all(struct db *db, struct err *err)
{
	return with_migrator(db, run_all, NULL, err);
}
