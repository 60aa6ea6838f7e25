/* What the store needs from time to time, whatever the rooms do. */
#include "cmd/cmd.h"

#define CHANGES_KEPT (7 * CLOCK_DAY) /* who has not looked for so long reads everything anew */

static void
trim_changes(struct house *house)
{
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	if (db_change_trim(house->db, clock_now() - CHANGES_KEPT, &err) != OK)
		log_warn("upkeep.trim", LOGS("detail", err.detail));
	arena_release(&arena);
}

static const struct job jobs[] = {
	{ "upkeep.trim", CLOCK_DAY, trim_changes, "Removes changes of more than seven days ago from the change sequence" },
};

const struct desk upkeep_desk = {
	.name = "upkeep",
	.jobs = jobs,
	.job_count = COUNT_OF(jobs),
};
