/* Rows for everyone, and the check of all sums.
 *
 * A send writes rows only for those who differ from "waits for an answer", so that a million people are frozen in half a second. The lists of
 * the board need the others too: they get their rows right after, in short steps beside all other work, for a second of every two. A row changes no sum. */
#include <stdlib.h>

#include "desks/travel/board.h"

#define FILL_STEP 500
#define FILL_RUN CLOCK_SECOND /* of one run of the job: others wait for their turn */

struct filling {
	struct db *db;
	int64_t notice_id, alert_id;
	struct recipient_add_args *rows; /* heap */
	size_t count, capacity;
	size_t at; /* of the step being written */
	int64_t now;
	int64_t until; /* monotonic: then the run ends */
};

static enum rc take_person(void *context, int64_t person_id, int64_t text_group, unsigned channels)
{
	struct filling *filling = context;
	(void)channels;
	if (text_group == GROUP_RELEASED)
		return OK; /* an earlier version has them */
	/* With two channels they come twice. */
	if (filling->count == filling->capacity) {
		const size_t capacity = filling->capacity ? filling->capacity * 2 : 4096;
		struct recipient_add_args *grown = reallocarray(filling->rows, capacity, sizeof *grown);
		if (!grown)
			return FAILED;
		filling->rows = grown;
		filling->capacity = capacity;
	}
	filling->rows[filling->count++] = (struct recipient_add_args){
		.alert_id = filling->alert_id,
		.person_id = person_id,
		.certain = text_group != GROUP_NEW_POSSIBLE && text_group != GROUP_CHANGED_POSSIBLE,
		.changed_at = filling->now,
	};
	return OK;
}

static enum rc read_people(struct db_tx *tx, void *context, struct err *err)
{
	struct filling *filling = context;
	filling->count = 0;
	return notice_each_person(tx, filling->notice_id, take_person, filling, err);
}

/* The rows and how far it came, in one transaction: what a crash cuts off goes on there. */
static enum rc write_step(struct db_tx *tx, void *context, struct err *err)
{
	struct filling *filling = context;
	const size_t left = filling->count - filling->at, step = left < FILL_STEP ? left : FILL_STEP;
	const bool last = step == left;
	enum rc rc = step > 0 ? recipient_add(tx, filling->rows + filling->at, step, NULL, err) : OK;
	if (rc == OK)
		rc = board_fill_put(tx,
		                    &(struct board_fill_put_args){ .notice_id = filling->notice_id, .done = (int64_t)(filling->at + step),
		                                                   .filled_at = last ? filling->now : DB_NULL },
		                    NULL, err);
	return rc == OK && last ? db_change_append(tx, S("board"), filling->alert_id, err) : rc;
}

/* Frozen blocks never change, so a number of people is a place in them. *done_out tells whether all have their row. */
static enum rc fill_notice(struct filling *filling, size_t done, bool *done_out, struct err *err)
{
	enum rc rc = db_read(filling->db, read_people, filling, err);
	*done_out = false;
	filling->at = done < filling->count ? done : filling->count;
	while (rc == OK && !*done_out && clock_monotonic() < filling->until) {
		rc = db_write(filling->db, DB_LANE_BULK, write_step, filling, err);
		if (rc == OK)
			filling->at += FILL_STEP;
		*done_out = rc == OK && filling->at >= filling->count;
	}
	return rc;
}

struct fill_list {
	struct arena arena;
	struct board_fill_list_row *rows;
	size_t count;
};

static enum rc read_list(struct db_tx *tx, void *context, struct err *err)
{
	struct fill_list *list = context;
	return board_fill_list(tx, &list->arena, &list->rows, &list->count, err);
}

void board_fill(struct house *house)
{
	struct fill_list list = { .count = 0 };
	struct filling filling = { .db = house->db, .now = clock_now(), .until = clock_monotonic() + FILL_RUN };
	struct err err;
	arena_init(&list.arena);
	err_init(&err, &list.arena);
	enum rc rc = db_read(house->db, read_list, &list, &err);
	bool done = true;
	for (size_t i = 0; rc == OK && done && i < list.count; i++) {
		filling.notice_id = list.rows[i].id;
		filling.alert_id = list.rows[i].event_id;
		rc = fill_notice(&filling, (size_t)list.rows[i].done, &done, &err);
		if (rc == OK && done)
			log_info("board.filled", LOGI("notice", filling.notice_id), LOGI("people", filling.count));
	}
	if (rc != OK) /* BUSY or a full disk: the next run goes on */
		log_warn("board.fill", LOGC("code", rc_name(rc)), LOGS("detail", err.detail));
	free(filling.rows);
	arena_release(&list.arena);
}

/* --- the check ---------------------------------------------------------------------------------------------------- */

struct checking {
	struct arena arena;
	void (*report)(void *context, struct str line);
	void *context;
	int64_t wrong;
	struct board_check_alerts_row *alerts;
	size_t alert_count;
	struct board_check_rows_row *rows;
	size_t row_count;
	struct board_check_companions_row *companions;
	size_t companion_count;
	struct board_check_classes_row *classes;
	size_t class_count;
	struct alert_counters *counters; /* of each alert */
};

static enum rc read_all(struct db_tx *tx, void *context, struct err *err)
{
	struct checking *checking = context;
	struct arena *arena = &checking->arena;
	enum rc rc = board_check_alerts(tx, arena, &checking->alerts, &checking->alert_count, err);
	if (rc == OK)
		rc = board_check_rows(tx, arena, &checking->rows, &checking->row_count, err);
	if (rc == OK)
		rc = board_check_companions(tx, arena, &checking->companions, &checking->companion_count, err);
	if (rc == OK)
		rc = board_check_classes(tx, arena, &checking->classes, &checking->class_count, err);
	if (rc != OK)
		return rc;
	checking->counters = ARENA_NEW_ARRAY(arena, struct alert_counters, checking->alert_count);
	for (size_t i = 0; rc == OK && i < checking->alert_count; i++)
		rc = alert_counters_find(tx, checking->alerts[i].id, &checking->counters[i], err);
	return rc;
}

static void expect(struct checking *checking, int64_t alert_id, const char *what, int64_t counter, int64_t counted)
{
	if (counter == counted)
		return;
	checking->wrong++;
	checking->report(checking->context, str_format(&checking->arena, "alert %lld: %s: counter %lld, counted %lld", (long long)alert_id, what,
	                                               (long long)counter, (long long)counted));
}

static void check_alert(struct checking *checking, size_t index)
{
	const int64_t id = checking->alerts[index].id;
	const struct alert_counters *counters = &checking->counters[index];
	int64_t rows = 0, safe = 0, help = 0;
	for (size_t i = 0; i < checking->row_count; i++) {
		if (checking->rows[i].alert_id != id)
			continue;
		rows += checking->rows[i].people;
		safe += checking->rows[i].others_safe;
		help += checking->rows[i].others_help;
	}
	for (size_t i = 0; i < checking->companion_count; i++) {
		if (checking->companions[i].alert_id != id)
			continue;
		safe += checking->companions[i].status == COMPANION_SAFE ? checking->companions[i].people : 0;
		help += checking->companions[i].status == COMPANION_HELP ? checking->companions[i].people : 0;
	}
	/* Nobody is missing on the lists. */
	if (checking->alerts[index].unfilled == 0)
		expect(checking, id, "people with a row", counters->of[COUNTER_TARGETED], rows);
	expect(checking, id, "companions safe", counters->of[COUNTER_COMPANIONS_SAFE], safe);
	expect(checking, id, "companions who need help", counters->of[COUNTER_COMPANIONS_HELP], help);
}

enum rc board_check(struct house *house, void (*report)(void *context, struct str line), void *context, int64_t *wrong_out, struct err *err)
{
	struct checking checking = { .report = report, .context = context };
	arena_init(&checking.arena);
	enum rc rc = db_read(house->db, read_all, &checking, err);
	for (size_t i = 0; rc == OK && i < checking.alert_count; i++)
		check_alert(&checking, i);
	for (size_t i = 0; rc == OK && i < checking.class_count; i++) {
		const struct board_check_classes_row *row = &checking.classes[i];
		checking.wrong++;
		report(context, str_format(&checking.arena, "alert %lld: person %lld stands in class %lld, the newest answer says %lld",
		                           (long long)row->alert_id, (long long)row->person_id, (long long)row->class,
		                           row->newest == DB_NULL ? 0LL : (long long)row->newest));
	}
	if (rc == OK)
		*wrong_out = checking.wrong;
	arena_release(&checking.arena);
	return rc;
}
