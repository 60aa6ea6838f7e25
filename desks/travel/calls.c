/* The call list: who has not answered is called, by one officer at a time. */
#include "desks/travel/board.h"

/* A call state as one number, for undo: state in the three lowest bits, tries above. */
int64_t call_pack(const struct recipient *row)
{
	return row->calls << 3 | row->call_state;
}

void call_undo(int64_t was, struct recipient *row)
{
	row->calls = was >> 3;
	row->call_state = was & 7;
	/* The lock that stood before the outcome is over. */
	if (row->call_state == CALL_LOCKED)
		row->call_state = row->calls > 0 ? CALL_TRIED : CALL_WAITING;
	row->call_owner = DB_NULL;
	row->call_until = DB_NULL;
}

static enum rc next_person(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t officer_id, int64_t now, int64_t *person_out,
                           struct err *err)
{
	struct call_find_own_row own;
	struct call_next_waiting_row waiting;
	struct call_next_again_row again;
	enum rc rc = call_find_own(
		tx, arena, &(struct call_find_own_args){ .alert_id = alert_id, .officer_id = officer_id, .now = now }, &own, err);
	if (rc == OK)
		*person_out = own.person_id;
	if (rc != NOT_FOUND)
		return rc;
	rc = call_next_waiting(tx, arena, &(struct call_next_waiting_args){ .alert_id = alert_id }, &waiting, err);
	if (rc == OK)
		*person_out = waiting.person_id;
	if (rc != NOT_FOUND)
		return rc;
	rc = call_next_again(tx, arena, &(struct call_next_again_args){ .alert_id = alert_id, .now = now }, &again, err);
	if (rc == OK)
		*person_out = again.person_id;
	return rc;
}

enum rc call_next(struct db_tx *tx, const struct board_alert *alert, int64_t officer_id, int64_t now, int64_t *person_out, struct err *err)
{
	struct arena arena;
	struct recipient before, after;
	int64_t person_id = 0;
	arena_init(&arena);
	/* The alert first, as everyone does it: two who wait for each other in a circle would be one too many. */
	struct board_alert_hold_row held;
	enum rc rc = board_alert_hold(tx, &arena, &(struct board_alert_hold_args){ .id = alert->id }, &held, err);
	if (rc == OK)
		rc = next_person(tx, &arena, alert->id, officer_id, now, &person_id, err);
	if (rc == OK)
		rc = recipient_open(tx, &arena, alert->id, person_id, now, &before, err);
	if (rc == OK) {
		const bool own = before.call_state == CALL_LOCKED && before.call_owner == officer_id;
		after = before;
		after.call_state = CALL_LOCKED;
		after.call_owner = officer_id;
		after.call_until = now + CALL_LOCK;
		rc = recipient_save(tx, &before, &after, now, err);
		/* Reading the telephone number is what the lock is for, so it is logged with it. */
		const struct board_entry entry = { .alert = alert, .person_id = person_id, .officer_id = officer_id, .kind = BOARD_CALL_LOCK,
			                           .was = call_pack(&before), .became = call_pack(&after), .form_key = STR_NONE };
		if (rc == OK && !own)
			rc = board_entry_add(tx, &arena, &entry, now, NULL, err);
	}
	if (rc == OK)
		*person_out = person_id;
	arena_release(&arena);
	return rc;
}

/* Opens the row of a person whom the officer called; CONFLICT if somebody else calls them now. */
static enum rc open_called(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id, int64_t officer_id, int64_t now,
                           struct recipient *out, struct board_holder *holder, struct err *err)
{
	enum rc rc = recipient_open(tx, arena, alert_id, person_id, now, out, err);
	if (rc == OK && (out->call_state != CALL_LOCKED || out->call_owner != officer_id)) {
		*holder = (struct board_holder){ out->call_state == CALL_LOCKED && out->call_owner != DB_NULL ? out->call_owner : 0,
			                         out->call_state == CALL_LOCKED ? out->call_until - CALL_LOCK : 0 };
		return err_set(err, CONFLICT, "the lock of person %lld is not yours", (long long)person_id);
	}
	return rc;
}

static enum rc outcome_save(struct db_tx *tx, const struct call_report *report, const struct recipient *before, int64_t now,
                            struct board_entry *entry, struct err *err)
{
	struct recipient after = *before;
	after.calls++;
	after.call_owner = DB_NULL;
	after.call_until = report->outcome == CALL_LATER ? report->again_at : DB_NULL;
	after.call_state = report->outcome == CALL_SAFE || report->outcome == CALL_HELP ? CALL_REACHED
	                   : report->outcome == CALL_WRONG_NUMBER                       ? CALL_WRONG
	                                                                                : CALL_TRIED;
	entry->was = call_pack(before);
	entry->became = call_pack(&after);
	enum rc rc = recipient_save(tx, before, &after, now, err);
	if (rc != OK || after.call_state != CALL_REACHED)
		return rc;
	const struct response_new response = {
		.alert_id = report->alert.id,
		.person_id = report->person_id,
		.status = report->outcome == CALL_HELP ? RESPONSE_HELP : RESPONSE_SAFE,
		.by = RESPONSE_BY_OFFICER,
		.officer_id = report->officer_id,
		.form_key = STR_NONE,
		.note = utf8_length(report->note) <= RESPONSE_NOTE_MAX ? report->note : S(""),
	};
	return response_record(tx, &response, now, &entry->response_id, NULL, NULL, err);
}

enum rc call_finish(struct db_tx *tx, const struct call_report *report, int64_t now, struct board_holder *holder_out, struct err *err)
{
	struct arena arena;
	struct recipient before;
	struct board_entry entry = { .alert = &report->alert, .person_id = report->person_id, .officer_id = report->officer_id,
		                     .kind = BOARD_CALL_OUTCOME, .form_key = report->form_key, .text = report->note };
	if (report->outcome < CALL_SAFE || report->outcome >= CALL_OUTCOME_COUNT ||
	    (report->outcome == CALL_LATER && report->again_at <= now) || report->note.len > BOARD_NOTE_MAX * 4 ||
	    utf8_length(report->note) > BOARD_NOTE_MAX)
		return err_set(err, INVALID, "this is no outcome of a call");
	arena_init(&arena);
	enum rc rc = board_form_done(tx, &arena, report->form_key, err);
	if (rc == NOT_FOUND) {
		rc = open_called(tx, &arena, report->alert.id, report->person_id, report->officer_id, now, &before, holder_out, err);
		if (rc == OK)
			rc = outcome_save(tx, report, &before, now, &entry, err);
		if (rc == OK)
			rc = board_entry_add(tx, &arena, &entry, now, NULL, err);
	}
	arena_release(&arena);
	return rc;
}

enum rc call_free(struct db_tx *tx, const struct board_alert *alert, int64_t person_id, int64_t officer_id, int64_t now, struct err *err)
{
	struct arena arena;
	struct recipient before;
	struct board_holder holder;
	arena_init(&arena);
	enum rc rc = open_called(tx, &arena, alert->id, person_id, officer_id, now, &before, &holder, err);
	if (rc == OK) {
		struct recipient after = before;
		after.call_state = before.calls > 0 ? CALL_TRIED : CALL_WAITING;
		after.call_owner = DB_NULL;
		after.call_until = DB_NULL;
		const struct board_entry entry = { .alert = alert, .person_id = person_id, .officer_id = officer_id, .kind = BOARD_CALL_FREE,
			                           .was = call_pack(&before), .became = call_pack(&after), .form_key = STR_NONE };
		rc = recipient_save(tx, &before, &after, now, err);
		if (rc == OK)
			rc = board_entry_add(tx, &arena, &entry, now, NULL, err);
	}
	arena_release(&arena);
	/* Nothing of theirs to give back is as good. */
	return rc == CONFLICT ? OK : rc;
}
