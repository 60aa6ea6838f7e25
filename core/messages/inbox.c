/* What officers do with incoming messages: each action whole, recorded, and most of them undoable. */
#include "core/messages/inbox.h"
#include "kernel/ledger/ledger.h"

#define ANSWER_EXPIRES CLOCK_DAY

enum item_state { ITEM_UNREAD = 1, ITEM_BY_RULE = 2, ITEM_WAITS = 3, ITEM_CLOSED = 4 };

struct acting {
	struct inbox_act *act;
	struct db_tx *tx;
	struct inbox_item item;
	struct inbox_set_args set; /* what the item is to become */
	int64_t message_id;
	struct str note;
};

static enum rc wrong(struct err *err, const char *field, int message)
{
	return err_field(err, str_from(field), message, STR_NONE, STR_NONE);
}

/* --- single actions ------------------------------------------------------------------------------------------------------ */

static enum rc assign(struct acting *acting, struct err *err)
{
	struct inbox_act *act = acting->act;
	const struct notice_desk *desk = engine_of(act->house)->desks[NOTICE_ALERT];
	struct person person;
	struct err quiet;
	err_init(&quiet, act->arena);
	enum rc rc = str_is_empty(act->person) ? NOT_FOUND : person_find_public(acting->tx, act->arena, act->person, &person, &quiet);
	if (rc == NOT_FOUND)
		return wrong(err, "other", MSG_messages_error_person);
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	if (!desk || !desk->answer)
		return wrong(err, "alert", MSG_messages_error_no_alert);
	struct keyword_reply said = {
		.keyword = act->kind == INBOX_ASSIGN_SAFE ? KEYWORD_SAFE : KEYWORD_HELP,
		.rest = acting->item.body,
		.reference = (uint32_t)act->alert_number,
		.reference_certain = act->alert_number > 0,
		.language = S(""),
	};
	int64_t person_out = 0, event_out = 0;
	rc = desk->answer(acting->tx, act->house, &person.id, 1, &said, 0, (enum channel_kind)acting->item.channel, acting->item.id,
	                  act->now, &person_out, &event_out, &quiet);
	if (rc == NOT_FOUND)
		return wrong(err, "alert", MSG_messages_error_no_alert);
	if (rc == CONFLICT)
		return wrong(err, "alert", MSG_messages_error_several_alerts);
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	acting->set.state = ITEM_CLOSED;
	acting->set.closed_at = act->now;
	acting->set.person_id = person_out;
	acting->set.event_id = event_out;
	return OK;
}

static enum rc check_text(struct acting *acting, struct err *err)
{
	struct inbox_act *act = acting->act;
	struct str text = str_trim(act->text);
	if (str_is_empty(text))
		return wrong(err, "text", MSG_messages_error_text_empty);
	if (utf8_length(text) > INBOX_TEXT_MAX)
		return err_field(err, S("text"), MSG_messages_error_text_long, str_format(act->arena, "%d", INBOX_TEXT_MAX), STR_NONE);
	if (acting->item.channel != CHANNEL_SMS)
		return OK;
	struct sms_measure measure;
	enum rc rc = messages_sms_measure(act->house, act->arena, text, &measure, err);
	if (rc == OK && measure.too_many)
		return err_field(err, S("text"), MSG_messages_error_sms_parts, str_format(act->arena, "%zu", measure.parts),
		                 str_format(act->arena, "%lld", (long long)setting_int(act->house, "messages.sms_parts")));
	return rc;
}

static struct str answer_subject(struct arena *arena, struct str subject)
{
	if (str_is_empty(subject))
		return S("Re:");
	return str_equal_nocase(str_slice(subject, 0, 3), S("re:")) ? subject : str_concat(arena, S("Re: "), subject);
}

static enum rc send_answer(struct acting *acting, struct err *err)
{
	struct inbox_act *act = acting->act;
	if (str_is_empty(acting->item.address))
		return wrong(err, "text", MSG_messages_error_no_address);
	enum rc rc = check_text(acting, err);
	if (rc != OK)
		return rc;
	struct message_single message = {
		.lane = LANE_ANSWER,
		.channel = (enum channel_kind)acting->item.channel,
		.person_id = acting->item.person_id == DB_NULL ? 0 : acting->item.person_id,
		.address = acting->item.address,
		.subject = acting->item.channel == CHANNEL_MAIL ? answer_subject(act->arena, acting->item.subject) : S(""),
		.in_reply_to = acting->item.message_id,
		.body = str_trim(act->text),
		.expires_at = act->now + ANSWER_EXPIRES,
	};
	rc = message_queue(acting->tx, &message, act->now, &acting->message_id, err);
	acting->note = message.body;
	if (act->close) {
		acting->set.state = ITEM_CLOSED;
		acting->set.closed_at = act->now;
	}
	return rc;
}

static enum rc close_item(struct acting *acting, struct err *err)
{
	struct inbox_act *act = acting->act;
	struct str outcome = str_trim(act->text);
	if (str_is_empty(outcome))
		return wrong(err, "outcome", MSG_messages_error_outcome);
	if (utf8_length(outcome) > INBOX_OUTCOME_MAX)
		return err_field(err, S("outcome"), MSG_messages_error_text_long, str_format(act->arena, "%d", INBOX_OUTCOME_MAX), STR_NONE);
	acting->set.state = ITEM_CLOSED;
	acting->set.closed_at = act->now;
	acting->set.outcome = outcome;
	return OK;
}

/* Back to what it was before the newest action that has not been taken back. An answer that was sent stays sent, and what was
 * recorded on a board is undone there. */
static enum rc undo(struct acting *acting, int64_t *undone, struct err *err)
{
	struct inbox_act *act = acting->act;
	struct inbox_action_last_args args = { .incoming_id = acting->item.id };
	struct inbox_action_last_row last;
	struct err quiet;
	err_init(&quiet, act->arena);
	enum rc rc = inbox_action_last(acting->tx, act->arena, &args, &last, &quiet);
	if (rc == NOT_FOUND)
		return wrong(err, "owner", MSG_messages_error_nothing_to_undo);
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	*undone = last.id;
	acting->set.state = last.was_state;
	acting->set.owner_id = last.was_owner;
	acting->set.owned_at = last.was_owner == DB_NULL ? DB_NULL : act->now;
	if (last.was_state == ITEM_WAITS) {
		acting->set.closed_at = DB_NULL;
		acting->set.outcome = STR_NONE;
	}
	if (last.action == INBOX_ASSIGN_SAFE || last.action == INBOX_ASSIGN_HELP)
		acting->set.event_id = DB_NULL;
	return OK;
}

static enum rc perform(struct acting *acting, int64_t *undone, struct err *err)
{
	struct inbox_act *act = acting->act;
	switch (act->kind) {
	case INBOX_TAKE:
		return OK;
	case INBOX_RELEASE:
		acting->set.owner_id = acting->set.owned_at = DB_NULL;
		return OK;
	case INBOX_ASSIGN_SAFE:
	case INBOX_ASSIGN_HELP:
		return assign(acting, err);
	case INBOX_ANSWER:
		return send_answer(acting, err);
	case INBOX_CLOSE:
		return close_item(acting, err);
	case INBOX_UNDO:
		return undo(acting, undone, err);
	}
	return err_set(err, INVALID, "no such action");
}

/* --- around them -------------------------------------------------------------------------------------------------------------- */

static enum rc may_act(const struct acting *acting, struct err *err)
{
	const struct inbox_act *act = acting->act;
	int64_t owner = acting->item.owner_id == DB_NULL ? 0 : acting->item.owner_id;
	/* Who has it is asked first, and taking over is a decision made with the holder's name in view. */
	if (owner != 0 && owner != act->officer_id && !(act->kind == INBOX_TAKE && owner == act->seen_owner))
		return err_field(err, S("owner"), MSG_messages_error_taken, acting->item.owner_name, STR_NONE);
	bool open = acting->item.state == ITEM_WAITS;
	if (!open && act->kind != INBOX_UNDO)
		return wrong(err, "owner", MSG_messages_error_changed);
	return OK;
}

static enum rc record(struct acting *acting, int64_t undone, struct err *err)
{
	static const char *const actions[] = {
		[INBOX_TAKE] = "inbox.take",     [INBOX_RELEASE] = "inbox.release",       [INBOX_ASSIGN_SAFE] = "inbox.assign_safe",
		[INBOX_ANSWER] = "inbox.answer", [INBOX_CLOSE] = "inbox.close",           [INBOX_UNDO] = "inbox.undo",
		[INBOX_ASSIGN_HELP] = "inbox.assign_help",
	};
	struct inbox_act *act = acting->act;
	struct inbox_action_insert_args args = {
		.incoming_id = acting->item.id,
		.officer_id = act->officer_id,
		.action = act->kind,
		.was_state = acting->item.state,
		.was_owner = acting->item.owner_id,
		.message_id = acting->message_id,
		.form_key = act->form_key,
		.at = act->now,
	};
	struct inbox_action_insert_row row;
	enum rc rc = inbox_action_insert(acting->tx, act->arena, &args, &row, err);
	if (rc == OK && !str_is_empty(acting->note)) {
		struct inbox_note_insert_args note = { .action_id = row.id, .text = acting->note };
		rc = inbox_note_insert(acting->tx, &note, NULL, err);
	}
	if (rc == OK && undone > 0) {
		struct inbox_action_undo_args mark = { .undone_by = row.id, .id = undone };
		rc = inbox_action_undo(acting->tx, &mark, NULL, err);
	}
	if (rc == OK)
		rc = ledger_append(acting->tx, act->officer_id, actions[act->kind],
		                   str_format(act->arena, "incoming:%lld", (long long)acting->item.id), S("{}"), act->now, err);
	return rc;
}

/* True if this form was handled before. */
static enum rc was_done(struct acting *acting, bool *done, struct err *err)
{
	struct inbox_act *act = acting->act;
	struct inbox_action_find_key_args args = { .form_key = act->form_key };
	struct inbox_action_find_key_row row;
	struct err quiet;
	if (str_is_none(act->form_key))
		return OK;
	err_init(&quiet, act->arena);
	enum rc rc = inbox_action_find_key(acting->tx, act->arena, &args, &row, &quiet);
	*done = rc == OK;
	return rc == OK || rc == NOT_FOUND ? OK : err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
}

static enum rc act_work(struct db_tx *tx, void *context, struct err *err)
{
	struct acting acting = { .act = context, .tx = tx, .note = STR_NONE };
	struct inbox_act *act = acting.act;
	bool done = false;
	enum rc rc = was_done(&acting, &done, err);
	if (rc != OK || done)
		return rc;
	struct inbox_find_args find = { .public_id = act->public_id };
	rc = inbox_find(tx, act->arena, &find, &acting.item, err);
	if (rc == OK)
		rc = may_act(&acting, err);
	if (rc != OK)
		return rc;
	acting.set = (struct inbox_set_args){
		.state = acting.item.state,
		.owner_id = act->officer_id,
		.owned_at = acting.item.owner_id == act->officer_id ? acting.item.owned_at : act->now,
		.closed_at = acting.item.closed_at,
		.outcome = acting.item.outcome,
		.person_id = acting.item.person_id,
		.event_id = acting.item.event_id,
		.id = acting.item.id,
		.seen_state = acting.item.state,
		.seen_owner = acting.item.owner_id == DB_NULL ? 0 : acting.item.owner_id,
	};
	int64_t undone = 0, changed = 0;
	rc = perform(&acting, &undone, err);
	if (rc == OK)
		rc = inbox_set(tx, &acting.set, &changed, err);
	if (rc == OK && changed == 0)
		return wrong(err, "owner", MSG_messages_error_changed);
	return rc == OK ? record(&acting, undone, err) : rc;
}

enum rc inbox_act(struct inbox_act *act, struct err *err)
{
	return db_write(act->house->db, DB_LANE_PERSON, act_work, act, err);
}

struct revealing {
	int64_t officer_id, now;
	struct str public_id;
};

static enum rc reveal_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct revealing *revealing = context;
	struct arena arena;
	arena_init(&arena);
	struct inbox_find_args find = { .public_id = revealing->public_id };
	struct inbox_item item;
	enum rc rc = inbox_find(tx, &arena, &find, &item, err);
	if (rc == OK)
		rc = ledger_append(tx, revealing->officer_id, "inbox.reveal", str_format(&arena, "incoming:%lld", (long long)item.id),
		                   S("{}"), revealing->now, err);
	arena_release(&arena);
	return rc;
}

enum rc inbox_reveal(struct house *house, int64_t officer_id, struct str public_id, int64_t now, struct err *err)
{
	struct revealing revealing = { officer_id, now, public_id };
	return db_write(house->db, DB_LANE_PERSON, reveal_work, &revealing, err);
}
