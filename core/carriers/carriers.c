/* Rows of table carrier. */
#include "core/carriers/carriers.h"
#include "carriers_sql.h"
#include "kernel/ledger/ledger.h"

const struct desk carriers_desk = {
	.name = "carriers",
	.migrations = carriers_migrations,
	.migration_count = &carriers_migration_count,
};

struct work {
	struct arena *arena;
	struct str name;
	const struct carrier *carrier;
	struct carrier *list, *one;
	size_t count;
};

static struct carrier of_row(const struct carrier_row *row)
{
	return (struct carrier){
		.id = row->id,
		.name = row->name, .enabled = row->enabled, .host = row->host,
		.port = row->port, .tls = row->tls, .tls_ca = row->tls_ca,
		.tls_name = row->tls_name, .system_id = row->system_id, .system_type = row->system_type,
		.bind = row->bind, .binds = row->binds, .window_most = row->window_most,
		.rate = row->rate, .enquire = row->enquire, .answer = row->answer,
		.rebind = row->rebind, .source = row->source, .source_ton = row->source_ton,
		.source_npi = row->source_npi, .destination_ton = row->destination_ton, .destination_npi = row->destination_npi,
		.service_type = row->service_type, .vendor = row->vendor, .validity = row->validity,
		.data_coding_0 = row->data_coding_0, .packed = row->packed, .shift_tables = row->shift_tables,
		.concatenation = row->concatenation, .receipts = row->receipts, .bare_international = row->bare_international,
		.statuses = row->statuses, .prefixes = row->prefixes, .cost = row->cost,
		.weight = row->weight,
	};
}

static enum rc list_work(struct db_tx *tx, void *context, struct err *err)
{
	struct work *work = context;
	struct carrier_row *rows;
	enum rc rc = carrier_list(tx, work->arena, &rows, &work->count, err);
	if (rc != OK)
		return rc;
	work->list = ARENA_NEW_ARRAY(work->arena, struct carrier, work->count + 1);
	for (size_t i = 0; i < work->count; i++)
		work->list[i] = of_row(&rows[i]);
	return OK;
}

enum rc carrier_list_all(struct db *db, struct arena *arena, struct carrier **out, size_t *count, struct err *err)
{
	struct work work = { .arena = arena };
	enum rc rc = db_read(db, list_work, &work, err);
	if (rc == OK) {
		*out = work.list;
		*count = work.count;
	}
	return rc;
}

static enum rc find_work(struct db_tx *tx, void *context, struct err *err)
{
	struct work *work = context;
	struct carrier_find_args args = { .name = work->name };
	struct carrier_row row;
	enum rc rc = carrier_find(tx, work->arena, &args, &row, err);
	if (rc == OK)
		*work->one = of_row(&row);
	return rc == NOT_FOUND ? err_set(err, NOT_FOUND, "there is no carrier '%.*s'", STR_ARG(work->name)) : rc;
}

enum rc carrier_find_name(struct db *db, struct arena *arena, struct str name, struct carrier *out, struct err *err)
{
	struct work work = { .arena = arena, .name = name, .one = out };
	return db_read(db, find_work, &work, err);
}

static enum rc note(struct db_tx *tx, struct arena *arena, const char *action, int64_t id, struct err *err)
{
	return ledger_append(tx, -1, action, str_format(arena, "carrier:%lld", (long long)id), S("{}"), clock_now(), err);
}

static enum rc add_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct carrier *c = ((struct work *)context)->carrier;
	struct carrier_insert_args args = {
		.name = c->name, .enabled = c->enabled, .host = c->host,
		.port = c->port, .tls = c->tls, .tls_ca = c->tls_ca,
		.tls_name = c->tls_name, .system_id = c->system_id, .system_type = c->system_type,
		.bind = c->bind, .binds = c->binds, .window_most = c->window_most,
		.rate = c->rate, .enquire = c->enquire, .answer = c->answer,
		.rebind = c->rebind, .source = c->source, .source_ton = c->source_ton,
		.source_npi = c->source_npi, .destination_ton = c->destination_ton, .destination_npi = c->destination_npi,
		.service_type = c->service_type, .vendor = c->vendor, .validity = c->validity,
		.data_coding_0 = c->data_coding_0, .packed = c->packed, .shift_tables = c->shift_tables,
		.concatenation = c->concatenation, .receipts = c->receipts, .bare_international = c->bare_international,
		.statuses = c->statuses, .prefixes = c->prefixes, .cost = c->cost,
		.weight = c->weight,
	};
	struct carrier_insert_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = carrier_insert(tx, &arena, &args, &row, err);
	if (rc == OK)
		rc = note(tx, &arena, "carrier.add", row.id, err);
	else if (rc == NOT_FOUND)
		rc = err_set(err, CONFLICT, "there is a carrier '%.*s' already", STR_ARG(c->name));
	arena_release(&arena);
	return rc;
}

enum rc carrier_add(struct db *db, const struct carrier *carrier, struct err *err)
{
	struct work work = { .carrier = carrier };
	enum rc rc = carrier_check(carrier, err);
	return rc == OK ? db_write(db, DB_LANE_PERSON, add_work, &work, err) : rc;
}

static enum rc change_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct carrier *c = ((struct work *)context)->carrier;
	struct carrier_update_args args = {
		.id = c->id,
		.enabled = c->enabled, .host = c->host, .port = c->port,
		.tls = c->tls, .tls_ca = c->tls_ca, .tls_name = c->tls_name,
		.system_id = c->system_id, .system_type = c->system_type, .bind = c->bind,
		.binds = c->binds, .window_most = c->window_most, .rate = c->rate,
		.enquire = c->enquire, .answer = c->answer, .rebind = c->rebind,
		.source = c->source, .source_ton = c->source_ton, .source_npi = c->source_npi,
		.destination_ton = c->destination_ton, .destination_npi = c->destination_npi, .service_type = c->service_type,
		.vendor = c->vendor, .validity = c->validity, .data_coding_0 = c->data_coding_0,
		.packed = c->packed, .shift_tables = c->shift_tables, .concatenation = c->concatenation,
		.receipts = c->receipts, .bare_international = c->bare_international, .statuses = c->statuses,
		.prefixes = c->prefixes, .cost = c->cost, .weight = c->weight,
	};
	struct arena arena;
	int64_t changed = 0;
	arena_init(&arena);
	enum rc rc = carrier_update(tx, &args, &changed, err);
	if (rc == OK && changed == 0)
		rc = err_set(err, NOT_FOUND, "there is no carrier '%.*s' any more", STR_ARG(c->name));
	if (rc == OK)
		rc = note(tx, &arena, "carrier.change", c->id, err);
	arena_release(&arena);
	return rc;
}

enum rc carrier_change(struct db *db, const struct carrier *carrier, struct err *err)
{
	struct work work = { .carrier = carrier };
	enum rc rc = carrier_check(carrier, err);
	return rc == OK ? db_write(db, DB_LANE_PERSON, change_work, &work, err) : rc;
}

static enum rc remove_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct work *work = context;
	struct carrier_remove_args args = { .name = work->name };
	struct carrier_remove_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = carrier_remove(tx, &arena, &args, &row, err);
	if (rc == OK)
		rc = note(tx, &arena, "carrier.remove", row.id, err);
	else if (rc == NOT_FOUND)
		rc = err_set(err, NOT_FOUND, "there is no carrier '%.*s'", STR_ARG(work->name));
	arena_release(&arena);
	return rc;
}

enum rc carrier_remove_name(struct db *db, struct str name, struct err *err)
{
	struct work work = { .name = name };
	return db_write(db, DB_LANE_PERSON, remove_work, &work, err);
}
