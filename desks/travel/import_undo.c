/* Taking imports back. */
#include "desks/travel/travel.h"

#include "travel_sql.h"

#define PEOPLE_STEP 50 /* erased in one transaction */
#define ROWS_STEP 500

struct undo {
	struct str public_id;
	struct import_batch batch;
	int64_t removed;
};

static enum rc hide(struct db_tx *tx, void *context, struct err *err)
{
	struct undo *undo = context;
	struct arena arena;

	arena_init(&arena);
	enum rc rc = import_batch_find(tx, &arena, undo->public_id, &undo->batch, err);
	if (rc == OK)
		rc = import_batch_hide(tx, &undo->batch, clock_now(), err);
	undo->batch.public_id = undo->public_id; /* the arena goes */
	arena_release(&arena);
	return rc == CONFLICT ? OK : rc; /* an earlier call was cut off: go on with the rows */
}

/* People whose stays or watches go are told of, one by one: the batch alone would find nobody any more. */
static enum rc remove_legs(struct db_tx *tx, struct arena *arena, struct undo *undo, int64_t now, struct err *err)
{
	const struct import_owner_list_args args = { .batch_id = undo->batch.id, .most = ROWS_STEP };
	struct import_owner_list_row *owners;
	size_t count;

	enum rc rc = import_owner_list(tx, arena, &args, &owners, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		const struct import_owner_remove_leg_args legs = { .batch_id = undo->batch.id, .person_id = owners[i].person_id };
		const struct import_owner_remove_trip_args trips = { .batch_id = undo->batch.id, .person_id = owners[i].person_id };
		const struct import_owner_remove_watch_args watches = { .batch_id = undo->batch.id, .person_id = owners[i].person_id };
		rc = import_owner_remove_leg(tx, &legs, NULL, err);
		if (rc == OK)
			rc = import_owner_remove_companion(tx, &(struct import_owner_remove_companion_args){ undo->batch.id, owners[i].person_id }, NULL, err);
		if (rc == OK)
			rc = import_owner_remove_trip(tx, &trips, NULL, err);
		if (rc == OK)
			rc = import_owner_remove_watch(tx, &watches, NULL, err);
		if (rc == OK)
			rc = person_touch(tx, owners[i].person_id, now, err);
	}
	undo->removed = rc == OK ? (int64_t)count : 0;
	return rc;
}

static enum rc remove_people(struct db_tx *tx, struct arena *arena, struct undo *undo, int64_t now, struct err *err)
{
	int64_t *ids;
	size_t count;

	enum rc rc = person_list_imported(tx, arena, undo->batch.id, PEOPLE_STEP, &ids, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = traveller_erase(tx, ids[i], now, err);
	undo->removed = rc == OK ? (int64_t)count : 0;
	return rc;
}

static enum rc remove_step(struct db_tx *tx, void *context, struct err *err)
{
	struct undo *undo = context;
	const int64_t now = clock_now();
	struct arena arena;

	arena_init(&arena);
	enum rc rc = remove_legs(tx, &arena, undo, now, err);
	if (rc == OK && !undo->removed)
		rc = remove_people(tx, &arena, undo, now, err);
	arena_release(&arena);
	return rc;
}

enum rc import_take_back(struct house *house, struct arena *arena, struct str batch, struct err *err)
{
	struct undo undo = { .public_id = batch };
	(void)arena;

	enum rc rc = db_write(house->db, DB_LANE_BULK, hide, &undo, err);
	do {
		if (rc == OK)
			rc = db_write(house->db, DB_LANE_BULK, remove_step, &undo, err);
	} while (rc == OK && undo.removed > 0);
	db_scrub(house->db);
	return rc;
}
