/* One person of the board: what they said, what was sent, what officers did; and the forms to do more. */
#include "desks/travel/board_views.h"
#include "desks/travel/respond.h"
#include "desks/travel/travel.h"

#include "travel_pages.h"

struct person_work {
	struct request *request;
	struct board_alert alert;
	struct board_person row;
	struct board_person_view view;
	struct board_deed deed;
	struct board_holder holder;
	bool conflict;
	const struct err *errors;
};

/* --- reading ------------------------------------------------------------------------------------------------------ */

static enum rc find_person(struct db_tx *tx, struct person_work *work, struct err *err)
{
	struct request *request = work->request;
	struct board_person_id_find_row person;
	enum rc rc = board_open(tx, request, &work->alert, err);
	if (rc == OK)
		rc = board_person_id_find(
			tx, request->arena, &(struct board_person_id_find_args){ .public_id = request_capture(request, "person") }, &person, err);
	if (rc != OK)
		return rc;
	const struct board_window window = board_window_of(&work->alert, request->now);
	rc = board_find_person(tx, request->arena,
	                       &(struct board_find_person_args){ .alert_id = work->alert.id, .person_id = person.id, .since = window.since,
	                                                         .until = window.until },
	                       &work->row, err);
	return rc;
}

static enum rc read_answers(struct db_tx *tx, struct person_work *work, struct err *err)
{
	static const enum msg by[] = { MSG_board_by_link, MSG_board_by_link, MSG_board_by_sms, MSG_board_by_mail, MSG_board_by_officer,
		                       MSG_board_by_push };
	static const enum msg status[] = { MSG_board_class_safe, MSG_board_class_safe, MSG_board_class_help, MSG_board_withdrawn };
	static const char *const css[] = { "", "safe", "help", "" };
	struct arena *arena = work->request->arena;
	struct board_person_view *view = &work->view;
	struct response_row *rows;
	enum rc rc = response_list_of(tx, arena, &(struct response_list_of_args){ .alert_id = work->alert.id, .person_id = work->row.person_id },
	                              &rows, &view->answer_count, err);
	if (rc != OK)
		return rc;
	view->answers = ARENA_NEW_ARRAY(arena, struct board_answer_line, view->answer_count);
	for (size_t i = 0; i < view->answer_count; i++)
		view->answers[i] = (struct board_answer_line){
			.by = by[rows[i].by > 0 && rows[i].by < (int64_t)COUNT_OF(by) ? rows[i].by : 0],
			.status = status[rows[i].status],
			.css = css[rows[i].status],
			.note = str_is_none(rows[i].note) ? S("") : rows[i].note,
			.place = str_is_none(rows[i].place) ? S("") : rows[i].place,
			.at = rows[i].received_at,
		};
	return companions_read(tx, arena, &work->alert, work->row.person_id, &view->companions, &view->companion_count, &view->unnamed, err);
}

static enum rc read_stays(struct db_tx *tx, struct person_work *work, struct err *err)
{
	struct request *request = work->request;
	struct board_person_view *view = &work->view;
	struct places *places = travel_places(request->house);
	const struct board_window window = board_window_of(&work->alert, request->now);
	struct board_leg_list_row *rows;
	enum rc rc = board_leg_list(
		tx, request->arena,
		&(struct board_leg_list_args){ .person_id = work->row.person_id, .since = window.since, .until = window.until }, &rows,
		&view->stay_count, err);
	if (rc != OK)
		return rc;
	view->stays = ARENA_NEW_ARRAY(request->arena, struct board_stay_line, view->stay_count);
	for (size_t i = 0; i < view->stay_count; i++) {
		const struct str country =
			places ? country_name(places, request->arena, rows[i].country, languages[request->language].tag) : rows[i].country;
		view->stays[i] = (struct board_stay_line){
			.place = rows[i].place_name,
			.country = str_find(rows[i].place_name, country, 0) == SIZE_MAX ? country : S(""),
			.from = rows[i].from_date,
			.to = rows[i].to_date,
		};
	}
	return OK;
}

static enum msg state_message(int64_t state)
{
	static const enum msg texts[MESSAGE_STATE_COUNT] = {
		[MESSAGE_PLANNED] = MSG_board_message_queued,       [MESSAGE_QUEUED] = MSG_board_message_queued,
		[MESSAGE_LEASED] = MSG_board_message_queued,        [MESSAGE_SUBMITTED] = MSG_board_message_submitted,
		[MESSAGE_ACCEPTED] = MSG_board_message_accepted,    [MESSAGE_DELIVERED] = MSG_board_message_delivered,
		[MESSAGE_FAILED] = MSG_board_message_failed,        [MESSAGE_IN_DOUBT] = MSG_board_message_in_doubt,
		[MESSAGE_EXPIRED] = MSG_board_message_expired,      [MESSAGE_SUPERSEDED] = MSG_board_message_superseded,
		[MESSAGE_NOT_SENT] = MSG_board_message_not_sent,
	};
	return state >= 0 && state < MESSAGE_STATE_COUNT ? texts[state] : MSG_board_message_queued;
}

static enum rc read_messages(struct db_tx *tx, struct person_work *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct board_person_view *view = &work->view;
	struct board_message_list_row *rows;
	enum rc rc = board_message_list(tx, arena,
	                                &(struct board_message_list_args){ .person_id = work->row.person_id, .event_id = work->alert.id }, &rows,
	                                &view->message_count, err);
	if (rc != OK)
		return rc;
	view->messages = ARENA_NEW_ARRAY(arena, struct board_message_line, view->message_count);
	for (size_t i = 0; i < view->message_count; i++) {
		const int64_t at = rows[i].ended_at > 0 ? rows[i].ended_at : rows[i].accepted_at > 0 ? rows[i].accepted_at : rows[i].submitted_at;
		view->messages[i] = (struct board_message_line){
			.channel = rows[i].channel == CHANNEL_SMS    ? MSG_board_by_sms
			           : rows[i].channel == CHANNEL_PUSH ? MSG_board_by_push
			                                             : MSG_board_by_mail,
			.state = state_message(rows[i].state),
			.was_in_doubt = rows[i].was_in_doubt != 0,
			.at = at > 0 ? at : 0,
		};
	}
	const struct contact_told_message_args args = { .alert_id = work->alert.id, .person_id = work->row.person_id };
	struct contact_told_message_row asked;
	rc = contact_told_message(tx, arena, &args, &asked, err);
	if (rc == OK)
		view->asked = (struct board_message_line){ .channel = asked.channel == CHANNEL_SMS ? MSG_board_by_sms : MSG_board_by_mail,
			                                   .state = state_message(asked.state),
			                                   .at = asked.told_at };
	return rc == NOT_FOUND ? OK : rc;
}

static enum rc read_contacts(struct db_tx *tx, struct person_work *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct board_person_view *view = &work->view;
	struct board_contact_shown_list_row *shown;
	struct board_emergency_find_row emergency;
	struct person person;
	size_t shown_count;
	enum rc rc = board_shown_read(tx, work->request, &work->alert, &shown, &shown_count, err);
	if (rc != OK || !board_is_shown(work->request, &work->row, shown, shown_count))
		return rc;
	view->line.shown = true;
	rc = person_find(tx, arena, work->row.person_id, &person, err);
	if (rc == OK) {
		view->contacts = person.contacts;
		view->contact_count = person.contact_count;
		rc = board_emergency_find(tx, arena, &(struct board_emergency_find_args){ .person_id = work->row.person_id }, &emergency, err);
	}
	if (rc == OK) {
		view->has_emergency = true;
		view->emergency_name = emergency.name;
		view->emergency_relation = emergency.relation;
		view->emergency_email = emergency.email;
		view->emergency_phone = emergency.phone;
	}
	return rc == NOT_FOUND ? OK : rc;
}

void board_history_fill(struct request *request, const struct board_deed_row *rows, size_t count, struct board_history_line **out)
{
	static const enum msg what[BOARD_ACTION_COUNT] = {
		[0] = MSG_board_did_note,
		[BOARD_TAKE] = MSG_board_did_take,
		[BOARD_RELEASE] = MSG_board_did_release,
		[BOARD_TAKE_OVER] = MSG_board_did_take_over,
		[BOARD_RESOLVE] = MSG_board_did_resolve,
		[BOARD_NOTE] = MSG_board_did_note,
		[BOARD_MARK_SAFE] = MSG_board_did_mark_safe,
		[BOARD_MARK_HELP] = MSG_board_did_mark_help,
		[BOARD_UNDO] = MSG_board_did_undo,
		[BOARD_CALL_LOCK] = MSG_board_did_call_lock,
		[BOARD_CALL_OUTCOME] = MSG_board_did_call,
		[BOARD_CONTACT] = MSG_board_did_contact,
		[BOARD_ASK] = MSG_board_did_ask,
		[BOARD_CALL_FREE] = MSG_board_did_call_free,
	};
	struct board_history_line *lines = ARENA_NEW_ARRAY(request->arena, struct board_history_line, count);
	for (size_t i = 0; i < count; i++) {
		const struct board_deed_row *row = &rows[i];
		const bool known = row->action > 0 && row->action < BOARD_ACTION_COUNT;
		lines[i] = (struct board_history_line){
			.id = row->id,
			.at = row->at,
			.what = known ? what[row->action] : MSG_board_did_note,
			.officer = str_is_none(row->officer_name) ? S("–") : row->officer_name,
			.text = str_is_none(row->text) ? S("") : row->text,
			.person_id = str_is_none(row->public_id) ? S("") : row->public_id,
			.person_name = !str_is_none(row->name) ? row->name : T(request->arena, request->language, MSG_board_no_name),
			.undone = row->undone_by != DB_NULL,
			.can_undo = known && row->undone_by == DB_NULL && board_can_undo((enum board_action_kind)row->action),
		};
	}
	*out = lines;
}

static enum rc read_person(struct db_tx *tx, void *context, struct err *err)
{
	struct person_work *work = context;
	struct request *request = work->request;
	struct board_person_view *view = &work->view;
	struct board_deed_row *deeds;
	const struct str text = view->text;
	*view = (struct board_person_view){ .text = text, .conflict = STR_NONE };
	enum rc rc = find_person(tx, work, err);
	if (rc == OK)
		rc = board_head_fill(tx, request, &work->alert, MSG_board_person_title, TAB_BOARD, &view->head, err);
	if (rc == OK) {
		board_line_fill(request, &work->row, &view->line);
		rc = read_answers(tx, work, err);
	}
	if (rc == OK)
		rc = read_stays(tx, work, err);
	if (rc == OK)
		rc = read_messages(tx, work, err);
	if (rc == OK)
		rc = read_contacts(tx, work, err);
	if (rc == OK)
		rc = board_action_list_person(
			tx, request->arena,
			&(struct board_action_list_person_args){ .alert_id = work->alert.id, .person_id = work->row.person_id }, &deeds,
			&view->history_count, err);
	if (rc == OK)
		board_history_fill(request, deeds, view->history_count, &view->history);
	if (rc == OK && work->conflict)
		rc = board_conflict_text(tx, request, &work->holder, &view->conflict, err);
	return rc;
}

/* Reads anew and shows; after a conflict the page says who holds the case now. */
static void show(struct request *request, struct response *response, struct person_work *work)
{
	struct err err;
	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, read_person, work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct board_person_view *view = &work->view;
	view->can_take_over = view->line.case_state == CASE_TAKEN && !view->line.mine;
	view->head.page.errors = work->errors;
	view->head.page.canonical =
		str_format(request->arena, "/desk/alert/%.*s/person/%.*s", STR_ARG(view->head.id), STR_ARG(view->line.id));
	if (request->method == METHOD_GET && str_equal(request_query(request, "done"), S("1")))
		view->head.page.notice = T(request->arena, request->language, MSG_board_done);
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	board_person_page(&out, view);
}

void board_person_get(struct request *request, struct response *response)
{
	struct person_work work = { .request = request, .view = { .text = S("") } };
	show(request, response, &work);
}

/* --- doing -------------------------------------------------------------------------------------------------------- */

static const struct { const char *word; enum board_action_kind kind; } deeds[] = {
	{ "take", BOARD_TAKE },       { "release", BOARD_RELEASE },   { "take_over", BOARD_TAKE_OVER },
	{ "resolve", BOARD_RESOLVE }, { "note", BOARD_NOTE },         { "safe", BOARD_MARK_SAFE },
	{ "help", BOARD_MARK_HELP },  { "contact", BOARD_CONTACT },
};

/* `do` is one of the words above, or "undo.NUMBER". */
static bool read_deed(struct request *request, struct board_deed *deed)
{
	const struct str what = request_form(request, "do");
	if (str_starts(what, S("undo."))) {
		deed->kind = BOARD_UNDO;
		return str_to_int(str_slice(what, 5, what.len), &deed->action_id);
	}
	for (size_t i = 0; i < COUNT_OF(deeds); i++)
		if (str_equal(what, str_from(deeds[i].word))) {
			deed->kind = deeds[i].kind;
			return true;
		}
	return false;
}

static enum rc store_deed(struct db_tx *tx, void *context, struct err *err)
{
	struct person_work *work = context;
	struct board_deed *deed = &work->deed;
	enum rc rc = find_person(tx, work, err);
	if (rc != OK)
		return rc;
	deed->alert = work->alert;
	deed->person_id = work->row.person_id;
	if (deed->kind == BOARD_CONTACT)
		return board_show_contacts(tx, &work->alert, deed->officer_id, &work->row.person_id, 1, deed->form_key, work->request->now, err);
	return board_do(tx, deed, work->request->now, &work->holder, err);
}

void board_person_post(struct request *request, struct response *response)
{
	const struct str text = request_form(request, "text");
	struct person_work work = { .request = request };
	struct err err;
	err_init(&err, request->arena);
	work.deed = (struct board_deed){ .officer_id = request->officer->id, .form_key = request_form_key(request),
		                         .text = str_is_none(text) ? S("") : str_trim(text),
		                         .safe = str_equal(request_form(request, "safe"), S("1")) };
	work.view.text = work.deed.text;
	if (!read_deed(request, &work.deed)) {
		response_error(request, response, INVALID, &err);
		return;
	}
	enum rc rc = utf8_length(work.deed.text) > BOARD_NOTE_MAX
	                     ? err_field(&err, S("text"), MSG_board_note_long, str_format(request->arena, "%d", BOARD_NOTE_MAX), STR_NONE)
	                     : db_write(request->house->db, DB_LANE_PERSON, store_deed, &work, &err);
	const struct str id = request_capture(request, "id");
	if (rc == OK) {
		board_publish(request->house, work.alert.id);
		if (str_equal(request_form(request, "back"), S("board")))
			response_redirect(response, board_path(request->arena, id, "board"));
		else
			response_redirect(response,
			                  str_format(request->arena, "/desk/alert/%.*s/person/%.*s?done=1", STR_ARG(id),
			                             STR_ARG(request_capture(request, "person"))));
	} else if (rc == CONFLICT) {
		response->status = 409;
		work.conflict = true;
		show(request, response, &work);
	} else if (rc == INVALID && err.field_count > 0) {
		response->status = 422;
		work.errors = &err;
		show(request, response, &work);
	} else {
		response_error(request, response, rc, &err);
	}
}
