/* Enrolments that nobody ever confirmed are removed: they reach nobody, and the address may be someone else's. */
#include <stdatomic.h>

#include "desks/travel/enrol.h"

#include "travel_sql.h"

#define LOOK_STEP 20000 /* ids looked at in one reading */
#define ERASE_STEP 20   /* people erased in one transaction */

static atomic_llong removed_total;

struct tidy_work {
	struct unconfirmed_list_args args;
	struct unconfirmed_list_row *rows;
	size_t count;
	struct arena *arena;
	int64_t newest, now;
};

static enum rc find_newest(struct db_tx *tx, void *context, struct err *err)
{
	struct tidy_work *work = context;
	struct person_newest_row row;

	enum rc rc = person_newest(tx, work->arena, &row, err);
	if (rc == OK)
		work->newest = row.newest;
	return rc;
}

static enum rc list_some(struct db_tx *tx, void *context, struct err *err)
{
	struct tidy_work *work = context;
	return unconfirmed_list(tx, work->arena, &work->args, &work->rows, &work->count, err);
}

/* Asks again within the transaction: a code may have been typed meanwhile. */
static enum rc erase_some(struct db_tx *tx, void *context, struct err *err)
{
	struct tidy_work *work = context;

	enum rc rc = list_some(tx, work, err);
	for (size_t i = 0; rc == OK && i < work->count; i++)
		rc = traveller_erase(tx, work->rows[i].id, work->now, err);
	return rc;
}

static enum rc tidy(struct house *house, struct tidy_work *work, struct err *err)
{
	enum rc rc = db_read(house->db, find_newest, work, err);

	while (rc == OK && work->args.after < work->newest) {
		arena_clear(work->arena);
		work->args.last = work->args.after + LOOK_STEP;
		rc = db_read(house->db, list_some, work, err);
		if (rc == OK && work->count)
			rc = db_write(house->db, DB_LANE_BULK, erase_some, work, err);
		if (rc != OK)
			break;
		atomic_fetch_add(&removed_total, (long long)work->count);
		work->args.after = work->count == ERASE_STEP ? work->rows[work->count - 1].id : work->args.last;
	}
	return rc;
}

void unconfirmed_remove(struct house *house)
{
	const long long before = atomic_load(&removed_total);
	struct arena arena, texts;
	struct err err;

	arena_init(&arena);
	arena_init(&texts);
	err_init(&err, &texts);
	struct tidy_work work = { .arena = &arena, .now = clock_now() };
	work.args = (struct unconfirmed_list_args){ .before = work.now - setting_int(house, "travel.unconfirmed_days") * CLOCK_DAY, .most = ERASE_STEP };
	if (tidy(house, &work, &err) != OK)
		log_warn("travel.remove_unconfirmed", LOGS("detail", err.detail));
	const long long removed = atomic_load(&removed_total) - before;
	if (removed) {
		log_info("travel.unconfirmed_removed", LOGI("people", removed));
		db_scrub(house->db);
	}
	arena_release(&arena);
	arena_release(&texts);
}

void unconfirmed_metrics(struct house *house, struct buf *out)
{
	(void)house;
	buf_format(out,
	           "# HELP chancery_unconfirmed_removed_total Enrolments removed since the start that nobody confirmed\n"
	           "# TYPE chancery_unconfirmed_removed_total counter\nchancery_unconfirmed_removed_total %lld\n",
	           atomic_load(&removed_total));
}
