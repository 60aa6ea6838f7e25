/* Trips end some days after everybody should be back: then they leave the person's page. Their stays match nothing by then. */
#include "desks/travel/trip.h"

#include "travel_sql.h"

#define GRACE (7 * CLOCK_DAY)
#define STEP 1000 /* trips looked at in one transaction */

struct end_work {
	int64_t after, newest, now;
};

static enum rc find_newest(struct db_tx *tx, void *context, struct err *err)
{
	struct end_work *work = context;
	struct trip_newest_row row;
	struct arena arena;

	arena_init(&arena);
	enum rc rc = trip_newest(tx, &arena, &row, err);
	arena_release(&arena);
	if (rc == OK)
		work->newest = row.newest;
	return rc;
}

static enum rc end_some(struct db_tx *tx, void *context, struct err *err)
{
	const struct end_work *work = context;
	const struct trip_end_over_args args = { .now = work->now, .after = work->after, .last = work->after + STEP, .before = work->now - GRACE };
	return trip_end_over(tx, &args, NULL, err);
}

void trips_end_over(struct house *house)
{
	struct end_work work = { .now = clock_now() };
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = db_read(house->db, find_newest, &work, &err);
	for (; rc == OK && work.after < work.newest; work.after += STEP)
		rc = db_write(house->db, DB_LANE_BULK, end_some, &work, &err);
	if (rc != OK)
		log_warn("travel.end_trips", LOGS("detail", err.detail));
	arena_release(&arena);
}
