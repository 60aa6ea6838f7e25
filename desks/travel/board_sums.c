#include "desks/travel/board_sums.h"

/* --- one person ----------------------------------------------------------------------------------------------- */

/* How a person came to be targeted, for those without a row. */
static enum rc find_target(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id, bool *certain_out, struct err *err)
{
	struct recipient_is_known_row row = { 0 };
	enum rc rc = recipient_is_known(
		tx, arena, &(struct recipient_is_known_args){ .alert_id = alert_id, .person_id = person_id }, &row, err);
	*certain_out = row.has_possible == 0;
	if (rc != OK || row.has_row > 0 || row.has_message > 0)
		return rc;
	/* Those who wait for their message (arrivals later, morning) have none yet, but stand frozen in a notice. */
	struct alert_notice_list_row *notices;
	size_t count;
	rc = alert_notice_list(tx, arena, &(struct alert_notice_list_args){ .event_id = alert_id }, &notices, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		unsigned channels;
		int64_t text_group;
		rc = notice_find_person(tx, notices[i].id, person_id, &channels, &text_group, err);
		if (rc == OK)
			*certain_out = text_group != GROUP_NEW_POSSIBLE && text_group != GROUP_CHANGED_POSSIBLE;
		if (rc != NOT_FOUND)
			return rc;
		rc = OK;
	}
	return rc == OK ? NOT_FOUND : rc;
}

enum rc recipient_is_targeted(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id, struct err *err)
{
	bool certain;
	return find_target(tx, arena, alert_id, person_id, &certain, err);
}

enum rc recipient_open(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id, int64_t now, struct recipient *out,
                       struct err *err)
{
	const struct recipient_hold_args args = { .alert_id = alert_id, .person_id = person_id };
	struct board_alert_hold_row alert;
	enum rc rc = board_alert_hold(tx, arena, &(struct board_alert_hold_args){ .id = alert_id }, &alert, err);
	if (rc != OK)
		return rc;
	rc = recipient_hold(tx, arena, &args, out, err);
	if (rc != NOT_FOUND)
		return rc;
	bool certain;
	rc = find_target(tx, arena, alert_id, person_id, &certain, err);
	if (rc != OK)
		return rc;
	const struct recipient_add_args row = { .alert_id = alert_id, .person_id = person_id, .certain = certain, .changed_at = now };
	rc = recipient_add(tx, &row, 1, NULL, err);
	return rc == OK ? recipient_hold(tx, arena, &args, out, err) : rc;
}

/* Adds `sign` times what a row counts for. */
static void sums_of(const struct recipient *row, int64_t sign, struct alert_counters *change)
{
	change->of[row->class] += sign;
	if (row->released)
		change->of[COUNTER_RELEASED + row->class] += sign;
	change->of[COUNTER_COMPANIONS_SAFE] += sign * row->others_safe;
	change->of[COUNTER_COMPANIONS_HELP] += sign * row->others_help;
}

enum rc recipient_save(struct db_tx *tx, const struct recipient *before, const struct recipient *after, int64_t now, struct err *err)
{
	const struct recipient_write_args args = {
		.class = after->class,
		.released = after->released,
		.help_keyword_only = after->help_keyword_only,
		.answered_at = after->answered_at,
		.case_state = after->case_state,
		.case_owner = after->case_owner,
		.case_taken_at = after->case_taken_at,
		.call_state = after->call_state,
		.call_owner = after->call_owner,
		.call_until = after->call_until,
		.calls = after->calls,
		.changed_at = now,
		.class_unanswered = after->class_unanswered,
		.others_safe = after->others_safe,
		.others_help = after->others_help,
		.alert_id = after->alert_id,
		.person_id = after->person_id,
	};
	struct alert_counters change = { 0 };
	int64_t changed = 0;
	enum rc rc = recipient_write(tx, &args, &changed, err);
	if (rc == OK && changed != 1)
		rc = err_set(err, FAILED, "recipient %lld of alert %lld is gone", (long long)after->person_id, (long long)after->alert_id);
	sums_of(before, -1, &change);
	sums_of(after, 1, &change);
	return rc == OK ? alert_counters_add(tx, after->alert_id, &change, err) : rc;
}

enum rc companions_count(struct db_tx *tx, int64_t alert_id, int64_t safe, int64_t help, struct err *err)
{
	struct alert_counters change = { 0 };
	change.of[COUNTER_COMPANIONS_SAFE] = safe;
	change.of[COUNTER_COMPANIONS_HELP] = help;
	return alert_counters_add(tx, alert_id, &change, err);
}

enum rc recipient_set_unreachable(struct db_tx *tx, int64_t alert_id, int64_t person_id, bool unreachable, int64_t now, struct err *err)
{
	struct recipient before, after;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = recipient_open(tx, &arena, alert_id, person_id, now, &before, err);
	after = before;
	if (rc == OK) {
		after.class_unanswered = unreachable ? COUNTER_UNREACHABLE : COUNTER_SILENT;
		if (before.class == COUNTER_SILENT || before.class == COUNTER_UNREACHABLE)
			after.class = after.class_unanswered;
		if (after.class != before.class || after.class_unanswered != before.class_unanswered) {
			rc = recipient_save(tx, &before, &after, now, err);
			if (rc == OK)
				rc = db_change_append(tx, S("board"), alert_id, err);
		}
	}
	arena_release(&arena);
	return rc == NOT_FOUND ? OK : rc;
}
