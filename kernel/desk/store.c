/* What the room keeps in the store: settings of the operator (a table of kernel/db) and when jobs last ran. */
#include "kernel/desk/private.h"

#include "desk_sql.h"

/* A process that died holds its jobs for so long. */
#define JOB_CLAIM (2 * CLOCK_MINUTE)

struct setting_list {
	struct arena *arena;
	struct house_setting_list_row *rows;
	size_t count;
};

static enum rc list_settings(struct db_tx *tx, void *context, struct err *err)
{
	struct setting_list *list = context;
	return house_setting_list(tx, list->arena, &list->rows, &list->count, err);
}

enum rc store_settings(struct house *house, void (*each)(void *context, struct str name, struct str value),
                       void *context, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct setting_list list = { &arena, NULL, 0 };
	enum rc rc = db_read(house->db, list_settings, &list, err);
	for (size_t i = 0; rc == OK && i < list.count; i++)
		each(context, list.rows[i].name, list.rows[i].value);
	arena_release(&arena);
	return rc;
}

struct setting_change {
	struct str name, value;
};

static enum rc change_setting(struct db_tx *tx, void *context, struct err *err)
{
	const struct setting_change *change = context;
	enum rc rc;
	if (str_is_none(change->value)) {
		const struct house_setting_remove_args args = { .name = change->name };
		rc = house_setting_remove(tx, &args, NULL, err);
	} else {
		const struct house_setting_put_args args = { .name = change->name,
			                                     .value = change->value,
			                                     .changed_at = clock_now() };
		rc = house_setting_put(tx, &args, NULL, err);
	}
	return rc == OK ? db_change_append(tx, S("setting"), 0, err) : rc;
}

enum rc store_setting(struct house *house, struct str name, struct str value, struct err *err)
{
	struct setting_change change = { name, value };
	return house->db ? db_write(house->db, DB_LANE_PERSON, change_setting, &change, err) : OK;
}

struct job_row {
	const char *name;
	int64_t last_run, due, now;
	int64_t changed;
};

static enum rc find_job(struct db_tx *tx, void *context, struct err *err)
{
	struct job_row *job = context;
	const struct house_job_find_args args = { .name = str_from(job->name) };
	struct house_job_find_row row = { .last_run = 0 };
	struct arena arena;
	arena_init(&arena);
	enum rc rc = house_job_find(tx, &arena, &args, &row, err);
	arena_release(&arena);
	job->last_run = row.last_run;
	return rc == NOT_FOUND ? OK : rc;
}

enum rc store_job_last(struct house *house, const char *name, int64_t *last_run, struct err *err)
{
	struct job_row job = { .name = name };
	enum rc rc = house->db ? db_read(house->db, find_job, &job, err) : OK;
	if (rc == OK)
		*last_run = job.last_run;
	return rc;
}

static enum rc claim_job(struct db_tx *tx, void *context, struct err *err)
{
	struct job_row *job = context;
	const struct house_job_add_args add = { .name = str_from(job->name) };
	const struct house_job_claim_args claim = {
		.name = str_from(job->name), .due = job->due, .now = job->now, .until = job->now + JOB_CLAIM
	};
	enum rc rc = house_job_add(tx, &add, NULL, err);
	return rc == OK ? house_job_claim(tx, &claim, &job->changed, err) : rc;
}

enum rc store_job_claim(struct house *house, const char *name, int64_t due, int64_t now, struct err *err)
{
	struct job_row job = { .name = name, .due = due, .now = now };
	if (!house->db)
		return OK;
	enum rc rc = db_write(house->db, DB_LANE_BULK, claim_job, &job, err);
	return rc == OK && job.changed == 0 ? CONFLICT : rc;
}

static enum rc end_job(struct db_tx *tx, void *context, struct err *err)
{
	const struct job_row *job = context;
	const struct house_job_done_args args = { .name = str_from(job->name), .last_run = job->now };
	return house_job_done(tx, &args, NULL, err);
}

enum rc store_job_done(struct house *house, const char *name, int64_t now, struct err *err)
{
	struct job_row job = { .name = name, .now = now };
	return house->db ? db_write(house->db, DB_LANE_BULK, end_job, &job, err) : OK;
}

int64_t store_change(struct house *house)
{
	return house->db ? db_change_wait(house->db, INT64_MAX, 0) : 0;
}
