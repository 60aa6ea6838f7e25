/* What officers do on the board: each a row of history, most can be undone. */
#include "desks/travel/board.h"
#include "kernel/ledger/ledger.h"

/* A case as one number, so that undo knows what stood before: state in the two lowest bits, owner above. */
static int64_t case_pack(const struct recipient *row)
{
	return (row->case_owner == DB_NULL ? 0 : row->case_owner << 2) | row->case_state;
}

static void case_unpack(int64_t packed, int64_t now, struct recipient *row)
{
	row->case_state = packed & 3;
	row->case_owner = packed >> 2 ? packed >> 2 : DB_NULL;
	row->case_taken_at = row->case_state == CASE_TAKEN ? now : DB_NULL;
}

static const char *const action_names[BOARD_ACTION_COUNT] = {
	[BOARD_TAKE] = "board.take",           [BOARD_RELEASE] = "board.release",
	[BOARD_TAKE_OVER] = "board.take_over", [BOARD_RESOLVE] = "board.resolve",
	[BOARD_NOTE] = "board.note",           [BOARD_MARK_SAFE] = "board.mark_safe",
	[BOARD_MARK_HELP] = "board.mark_help", [BOARD_UNDO] = "board.undo",
	[BOARD_CALL_LOCK] = "call.lock",       [BOARD_CALL_OUTCOME] = "call.outcome",
	[BOARD_CONTACT] = "contact.read",      [BOARD_ASK] = "alert.ask_again",
	[BOARD_CALL_FREE] = "call.free",
};

bool board_can_undo(enum board_action_kind kind)
{
	return (kind >= BOARD_TAKE && kind <= BOARD_MARK_HELP) || kind == BOARD_CALL_OUTCOME;
}

/* --- history ---------------------------------------------------------------------------------------------------- */

static enum rc ledger_add(struct db_tx *tx, struct arena *arena, const struct board_entry *entry, int64_t id, int64_t now, struct err *err)
{
	const struct str subject = str_format(arena, "alert:%.*s", STR_ARG(entry->alert->public_id));
	const struct str detail = str_format(arena, "{\"action\":%lld,\"person\":%lld,\"was\":%lld,\"became\":%lld}", (long long)id,
	                                     (long long)entry->person_id, (long long)entry->was, (long long)entry->became);
	return ledger_append(tx, entry->officer_id, action_names[entry->kind], subject, detail, now, err);
}

static enum rc entry_insert(struct db_tx *tx, struct arena *arena, const struct board_entry *entry, int64_t now, int64_t *id_out, struct err *err)
{
	struct board_action_insert_row row;
	enum rc rc = board_action_insert(tx, arena,
	                                 &(struct board_action_insert_args){
	                                         .alert_id = entry->alert->id,
	                                         .person_id = entry->person_id,
	                                         .officer_id = entry->officer_id,
	                                         .action = entry->kind,
	                                         .was = entry->was,
	                                         .became = entry->became,
	                                         .response_id = entry->response_id > 0 ? entry->response_id : DB_NULL,
	                                         .form_key = entry->form_key,
	                                         .at = now },
	                                 &row, err);
	if (rc == OK && !str_is_empty(entry->text))
		rc = board_note_insert(tx, &(struct board_note_insert_args){ .action_id = row.id, .text = entry->text }, NULL, err);
	if (rc == OK)
		*id_out = row.id;
	return rc;
}

enum rc board_entry_add(struct db_tx *tx, struct arena *arena, const struct board_entry *entry, int64_t now, int64_t *id_out, struct err *err)
{
	int64_t id = 0;
	enum rc rc = entry_insert(tx, arena, entry, now, &id, err);
	if (rc == OK)
		rc = ledger_add(tx, arena, entry, id, now, err);
	if (rc == OK)
		rc = db_change_append(tx, S("board"), entry->alert->id, err);
	if (rc == OK && id_out)
		*id_out = id;
	return rc;
}

enum rc board_form_done(struct db_tx *tx, struct arena *arena, struct str form_key, struct err *err)
{
	struct board_action_find_form_row row;
	if (str_is_none(form_key))
		return NOT_FOUND;
	return board_action_find_form(tx, arena, &(struct board_action_find_form_args){ .form_key = form_key }, &row, err);
}

enum rc board_show_contacts(struct db_tx *tx, const struct board_alert *alert, int64_t officer_id, const int64_t *person_ids, size_t count,
                            struct str form_key, int64_t now, struct err *err)
{
	struct arena arena;
	struct buf people;
	arena_init(&arena);
	buf_init(&people);
	enum rc rc = board_form_done(tx, &arena, form_key, err);
	if (rc == NOT_FOUND) {
		rc = OK;
		for (size_t i = 0; rc == OK && i < count; i++) {
			/* The key stands with the first: one form shows one page of people. */
			const struct board_entry entry = { .alert = alert, .person_id = person_ids[i], .officer_id = officer_id,
				                           .kind = BOARD_CONTACT, .form_key = i == 0 ? form_key : STR_NONE };
			int64_t id;
			rc = recipient_is_targeted(tx, &arena, alert->id, person_ids[i], err);
			if (rc == OK)
				rc = entry_insert(tx, &arena, &entry, now, &id, err);
			buf_format(&people, "%s%lld", i ? "," : "", (long long)person_ids[i]);
		}
		if (rc == OK)
			rc = ledger_append(tx, officer_id, action_names[BOARD_CONTACT],
			                   str_format(&arena, "alert:%.*s", STR_ARG(alert->public_id)),
			                   str_format(&arena, "{\"people\":[%.*s]}", STR_ARG(buf_str(&people))), now, err);
	}
	buf_release(&people);
	arena_release(&arena);
	return rc;
}

/* --- one deed --------------------------------------------------------------------------------------------------- */

struct doing {
	struct db_tx *tx;
	struct arena *arena;
	const struct board_deed *deed;
	int64_t now;
	struct recipient before, after;
	struct board_holder holder;
	struct board_entry entry;
};

static enum rc held_by_other(struct doing *doing, struct err *err)
{
	doing->holder = (struct board_holder){ doing->before.case_owner, doing->before.case_taken_at };
	return err_set(err, CONFLICT, "officer %lld has the case", (long long)doing->before.case_owner);
}

static bool is_held_by_other(const struct doing *doing)
{
	return doing->before.case_state == CASE_TAKEN && doing->before.case_owner != doing->deed->officer_id;
}

static enum rc case_set(struct doing *doing, enum case_state state, struct err *err)
{
	doing->after.case_state = state;
	doing->after.case_owner = state == CASE_OPEN ? DB_NULL : doing->deed->officer_id;
	doing->after.case_taken_at = state == CASE_TAKEN ? doing->now : DB_NULL;
	doing->entry.was = case_pack(&doing->before);
	doing->entry.became = case_pack(&doing->after);
	return recipient_save(doing->tx, &doing->before, &doing->after, doing->now, err);
}

static enum rc mark(struct doing *doing, enum response_status status, struct str note, struct err *err)
{
	const struct response_new response = {
		.alert_id = doing->deed->alert.id,
		.person_id = doing->deed->person_id,
		.status = status,
		.by = RESPONSE_BY_OFFICER,
		.officer_id = doing->deed->officer_id,
		.form_key = STR_NONE,
		.note = utf8_length(note) <= RESPONSE_NOTE_MAX ? note : S(""), /* the whole note stands with the action */
	};
	return response_record(doing->tx, &response, doing->now, &doing->entry.response_id, NULL, &doing->after, err);
}

/* Nothing is left to do when the officer has it already. */
static enum rc do_case(struct doing *doing, bool *nothing, struct err *err)
{
	const struct board_deed *deed = doing->deed;
	const int64_t state = doing->before.case_state;
	enum rc rc;
	if (state == CASE_NONE || state == CASE_RESOLVED) {
		/* A second word for the same is no mistake. */
		*nothing = deed->kind == BOARD_RESOLVE && state == CASE_RESOLVED && !deed->safe;
		return *nothing ? OK : err_set(err, CONFLICT, "there is no open case");
	}
	switch (deed->kind) {
	case BOARD_TAKE:
		*nothing = state == CASE_TAKEN && doing->before.case_owner == deed->officer_id;
		return *nothing ? OK : is_held_by_other(doing) ? held_by_other(doing, err) : case_set(doing, CASE_TAKEN, err);
	case BOARD_TAKE_OVER:
		*nothing = state == CASE_TAKEN && doing->before.case_owner == deed->officer_id;
		return *nothing ? OK : case_set(doing, CASE_TAKEN, err);
	case BOARD_RELEASE:
		*nothing = state == CASE_OPEN;
		return *nothing ? OK : is_held_by_other(doing) ? held_by_other(doing, err) : case_set(doing, CASE_OPEN, err);
	default:
		if (is_held_by_other(doing))
			return held_by_other(doing, err);
		rc = case_set(doing, CASE_RESOLVED, err);
		return rc == OK && deed->safe ? mark(doing, RESPONSE_SAFE, deed->text, err) : rc;
	}
}

static enum rc do_mark(struct doing *doing, struct err *err)
{
	enum rc rc = mark(doing, doing->deed->kind == BOARD_MARK_SAFE ? RESPONSE_SAFE : RESPONSE_HELP, doing->deed->text, err);
	doing->entry.was = case_pack(&doing->before);
	doing->entry.became = case_pack(&doing->after);
	return rc;
}

/* --- undo ------------------------------------------------------------------------------------------------------- */

static enum rc undo_case(struct doing *doing, const struct board_action_find_row *action, struct err *err)
{
	const bool is_mark = action->action == BOARD_MARK_SAFE || action->action == BOARD_MARK_HELP;
	if (case_pack(&doing->before) != action->became) {
		/* Someone went on from there: a mark is still withdrawn, the case is theirs now. */
		if (is_mark)
			return OK;
		if (is_held_by_other(doing))
			return held_by_other(doing, err);
		return err_set(err, CONFLICT, "the case has changed since");
	}
	if (action->was == action->became)
		return OK;
	case_unpack(action->was, doing->now, &doing->after);
	/* They have said themselves by now that they need help. */
	if (doing->after.class == COUNTER_HELP && doing->after.case_state == CASE_NONE)
		doing->after.case_state = CASE_OPEN;
	return recipient_save(doing->tx, &doing->before, &doing->after, doing->now, err);
}

static enum rc undo_call(struct doing *doing, const struct board_action_find_row *action, struct err *err)
{
	if (call_pack(&doing->before) != action->became)
		return err_set(err, CONFLICT, "the person was called again since");
	call_undo(action->was, &doing->after);
	return recipient_save(doing->tx, &doing->before, &doing->after, doing->now, err);
}

static enum rc do_undo(struct doing *doing, bool *nothing, struct err *err)
{
	const struct board_deed *deed = doing->deed;
	struct board_action_find_row action;
	enum rc rc = board_action_find(doing->tx, doing->arena, &(struct board_action_find_args){ .action_id = deed->action_id }, &action, err);
	if (rc != OK)
		return rc;
	if (action.alert_id != deed->alert.id || action.person_id != deed->person_id || !board_can_undo((enum board_action_kind)action.action))
		return NOT_FOUND;
	*nothing = action.undone_by != DB_NULL;
	if (*nothing)
		return OK;
	/* The answer first; the case is then put back to what it was. */
	if (action.response_id != DB_NULL)
		rc = response_withdraw(doing->tx, action.response_id, deed->alert.id, deed->person_id, doing->now, err);
	if (rc == OK && action.response_id != DB_NULL)
		rc = recipient_open(doing->tx, doing->arena, deed->alert.id, deed->person_id, doing->now, &doing->before, err);
	if (rc != OK)
		return rc;
	doing->after = doing->before;
	doing->entry.was = action.id;
	if (action.action == BOARD_CALL_OUTCOME)
		return undo_call(doing, &action, err);
	return action.action == BOARD_NOTE ? OK : undo_case(doing, &action, err);
}

/* --- all together ----------------------------------------------------------------------------------------------- */

static enum rc act(struct doing *doing, bool *nothing, struct err *err)
{
	switch (doing->deed->kind) {
	case BOARD_TAKE:
	case BOARD_RELEASE:
	case BOARD_TAKE_OVER:
	case BOARD_RESOLVE: return do_case(doing, nothing, err);
	case BOARD_NOTE:
		return str_is_empty(doing->deed->text) ? err_field(err, S("text"), MSG_board_note_missing, STR_NONE, STR_NONE) : OK;
	case BOARD_MARK_SAFE:
	case BOARD_MARK_HELP: return do_mark(doing, err);
	case BOARD_UNDO: return do_undo(doing, nothing, err);
	default: return err_set(err, FAILED, "action %d is not done so", (int)doing->deed->kind);
	}
}

static enum rc deed_do(struct doing *doing, struct err *err)
{
	const struct board_deed *deed = doing->deed;
	bool nothing = false;
	int64_t id = 0;
	enum rc rc = recipient_open(doing->tx, doing->arena, deed->alert.id, deed->person_id, doing->now, &doing->before, err);
	if (rc != OK)
		return rc;
	doing->after = doing->before;
	doing->entry = (struct board_entry){ .alert = &deed->alert, .person_id = deed->person_id, .officer_id = deed->officer_id,
		                             .kind = deed->kind, .form_key = deed->form_key, .text = deed->text };
	rc = act(doing, &nothing, err);
	if (rc != OK || nothing)
		return rc;
	rc = board_entry_add(doing->tx, doing->arena, &doing->entry, doing->now, &id, err);
	if (rc == OK && deed->kind == BOARD_UNDO)
		rc = board_action_set_undone(doing->tx, &(struct board_action_set_undone_args){ .undone_by = id, .action_id = deed->action_id }, NULL, err);
	return rc;
}

enum rc board_do(struct db_tx *tx, const struct board_deed *deed, int64_t now, struct board_holder *holder_out, struct err *err)
{
	struct arena arena;
	if (deed->text.len > BOARD_NOTE_MAX * 4 || utf8_length(deed->text) > BOARD_NOTE_MAX)
		return err_set(err, INVALID, "the note is too long");
	arena_init(&arena);
	struct doing doing = { .tx = tx, .arena = &arena, .deed = deed, .now = now };
	enum rc rc = board_form_done(tx, &arena, deed->form_key, err);
	if (rc == NOT_FOUND)
		rc = deed_do(&doing, err);
	if (rc == CONFLICT)
		*holder_out = doing.holder;
	arena_release(&arena);
	return rc;
}
