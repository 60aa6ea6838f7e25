/* The room's table. Its pages stand with the desks that people use them for. */
#include "base/base.h"
#include "core/people/people.h"

#include "people_sql.h"

static enum rc remove_codes(struct db_tx *tx, void *context, struct err *err)
{
	return code_remove_old(tx, &(struct code_remove_old_args){ .before = *(const int64_t *)context }, NULL, err);
}

static void tidy(struct house *house)
{
	int64_t before = clock_now() - CLOCK_DAY;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	if (db_write(house->db, DB_LANE_BULK, remove_codes, &before, &err) != OK)
		log_warn("people.tidy", LOGS("detail", err.detail));
	/* And what a crash kept from being scrubbed when it was removed. */
	db_scrub(house->db);
	arena_release(&arena);
}

static const struct job jobs[] = {
	{ "people.tidy", CLOCK_HOUR, tidy, "Removes codes that ended a day ago" },
};

const struct desk people_desk = {
	.name = "people",
	.jobs = jobs,
	.job_count = COUNT_OF(jobs),
};
