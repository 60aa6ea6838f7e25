/* The page of the call list, on screen and on paper. */
#include "desks/travel/board_views.h"
#include "desks/travel/respond.h"
#include "desks/travel/travel.h"

#include "travel_pages.h"

static const int64_t later_minutes[] = { 30, 60, 180, 720 };

struct calls_work {
	struct request *request;
	struct board_alert alert;
	struct calls_view view;
	bool paper;
	struct board_filter filter;
	struct call_report report;
	struct board_holder holder;
	bool conflict, free;
	int64_t person_id;
};

/* --- reading ------------------------------------------------------------------------------------------------------ */

static enum rc read_progress(struct db_tx *tx, struct calls_work *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct calls_view *view = &work->view;
	struct call_count_row *rows;
	struct call_lock_list_row *locks;
	struct board_fill_waiting_row fill;
	struct alert_counters counters;
	size_t count;
	enum rc rc = alert_counters_find(tx, work->alert.id, &counters, err);
	if (rc == OK)
		rc = call_count(tx, arena, &(struct call_count_args){ .alert_id = work->alert.id }, &rows, &count, err);
	if (rc == OK)
		view->waiting = counters.of[COUNTER_SILENT] + counters.of[COUNTER_UNREACHABLE] -
		                counters.of[COUNTER_RELEASED + COUNTER_SILENT] - counters.of[COUNTER_RELEASED + COUNTER_UNREACHABLE];
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (rows[i].call_state == CALL_LOCKED)
			continue;
		view->waiting -= rows[i].people;
		if (rows[i].call_state == CALL_WRONG)
			view->wrong = rows[i].people;
		else
			view->tried += rows[i].people;
	}
	if (rc == OK)
		rc = board_fill_waiting(tx, arena, &(struct board_fill_waiting_args){ .event_id = work->alert.id }, &fill, err);
	if (rc == OK)
		rc = call_lock_list(tx, arena, &(struct call_lock_list_args){ .alert_id = work->alert.id, .now = work->request->now }, &locks,
		                    &view->lock_count, err);
	if (rc != OK)
		return rc;
	view->filling = fill.waiting > 0;
	view->locks = ARENA_NEW_ARRAY(arena, struct call_lock_line, view->lock_count);
	for (size_t i = 0; i < view->lock_count; i++)
		view->locks[i] = (struct call_lock_line){
			.id = locks[i].public_id,
			.name = str_is_none(locks[i].name) ? T(arena, work->request->language, MSG_board_no_name) : locks[i].name,
			.owner = str_is_none(locks[i].owner_name) ? S("–") : locks[i].owner_name,
			.until = locks[i].call_until,
		};
	return OK;
}

/* Whom the officer has on the telephone. */
static enum rc read_own(struct db_tx *tx, struct calls_work *work, struct err *err)
{
	struct request *request = work->request;
	struct arena *arena = request->arena;
	struct calls_view *view = &work->view;
	const struct board_window window = board_window_of(&work->alert, request->now);
	struct call_find_own_row own;
	struct board_person row;
	struct board_emergency_find_row emergency;
	struct person person;
	enum rc rc = call_find_own(
		tx, arena, &(struct call_find_own_args){ .alert_id = work->alert.id, .officer_id = request->officer->id, .now = request->now }, &own,
		err);
	if (rc != OK)
		return rc == NOT_FOUND ? OK : rc;
	rc = board_find_person(tx, arena,
	                       &(struct board_find_person_args){ .alert_id = work->alert.id, .person_id = own.person_id, .since = window.since,
	                                                         .until = window.until },
	                       &row, err);
	if (rc != OK)
		return rc;
	view->calling = true;
	view->until = own.call_until;
	board_line_fill(request, &row, &view->line);
	rc = person_find(tx, arena, own.person_id, &person, err);
	if (rc == OK) {
		view->contacts = person.contacts;
		view->contact_count = person.contact_count;
		rc = board_emergency_find(tx, arena, &(struct board_emergency_find_args){ .person_id = own.person_id }, &emergency, err);
	}
	if (rc == OK) {
		view->has_emergency = true;
		view->emergency_name = emergency.name;
		view->emergency_relation = emergency.relation;
		view->emergency_phone = emergency.phone;
	}
	return rc == NOT_FOUND ? OK : rc;
}

static enum rc read_paper(struct db_tx *tx, struct calls_work *work, struct err *err)
{
	struct request *request = work->request;
	struct calls_view *view = &work->view;
	const struct board_window window = board_window_of(&work->alert, request->now);
	struct board_person *rows;
	view->number = work->filter.number;
	view->first = (view->number - 1) * BOARD_PAGE + 1;
	enum rc rc = call_list(tx, request->arena,
	                       &(struct call_list_args){ .alert_id = work->alert.id, .since = window.since, .until = window.until,
	                                                 .now = request->now, .most = BOARD_PAGE + 1, .skip = view->first - 1 },
	                       &rows, &view->line_count, err);
	if (rc != OK)
		return rc;
	view->more = view->line_count > BOARD_PAGE;
	if (view->more)
		view->line_count = BOARD_PAGE;
	return board_lines_fill(tx, request, &work->alert, rows, view->line_count, &view->lines, &view->hidden, err);
}

static enum rc read_calls(struct db_tx *tx, void *context, struct err *err)
{
	struct calls_work *work = context;
	struct calls_view *view = &work->view;
	const struct str note = view->note;
	*view = (struct calls_view){ .conflict = STR_NONE, .note = note };
	enum rc rc = board_open(tx, work->request, &work->alert, err);
	if (rc == OK)
		rc = board_head_fill(tx, work->request, &work->alert, MSG_board_calls_title, TAB_CALLS, &view->head, err);
	if (rc == OK && work->paper)
		return read_paper(tx, work, err);
	if (rc == OK)
		rc = read_progress(tx, work, err);
	if (rc == OK && view->head.may_act)
		rc = read_own(tx, work, err);
	if (rc == OK && work->conflict)
		rc = board_conflict_text(tx, work->request, &work->holder, &view->conflict, err);
	return rc;
}

static void show(struct request *request, struct response *response, struct calls_work *work, const struct err *errors)
{
	struct calls_view *view = &work->view;
	struct err err;
	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, read_calls, work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	view->head.page.errors = errors;
	view->head.page.canonical = board_path(request->arena, view->head.id, "calls");
	view->laters = ARENA_NEW_ARRAY(request->arena, struct choice, COUNT_OF(later_minutes));
	view->later_count = COUNT_OF(later_minutes);
	for (size_t i = 0; i < COUNT_OF(later_minutes); i++)
		view->laters[i] = (struct choice){ str_format(request->arena, "%lld", (long long)later_minutes[i]),
			                           text_relative(request->arena, request->language,
			                                         request->now + later_minutes[i] * CLOCK_MINUTE, request->now),
			                           i == 1 };
	view->nobody = request->method == METHOD_GET && str_equal(request_query(request, "nobody"), S("1"));
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	if (work->paper) {
		view->head.page.canonical = STR_NONE;
		calls_paper_page(&out, view);
		return;
	}
	view->head.page.script = "live.js";
	calls_page(&out, view);
}

void calls_get(struct request *request, struct response *response)
{
	struct calls_work work = { .request = request, .paper = str_equal(request_query(request, "print"), S("1")), .view = { .note = S("") } };
	board_filter_read(request, &work.filter);
	show(request, response, &work, NULL);
}

/* --- doing -------------------------------------------------------------------------------------------------------- */

static enum rc store_next(struct db_tx *tx, void *context, struct err *err)
{
	struct calls_work *work = context;
	enum rc rc = board_open(tx, work->request, &work->alert, err);
	if (rc != OK)
		return rc;
	rc = call_next(tx, &work->alert, work->request->officer->id, work->request->now, &work->person_id, err);
	/* Nobody is left: that is an answer, too. */
	if (rc == NOT_FOUND)
		work->person_id = 0;
	return rc == NOT_FOUND ? OK : rc;
}

void calls_post(struct request *request, struct response *response)
{
	struct calls_work work = { .request = request };
	struct err err;
	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, store_next, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	board_publish(request->house, work.alert.id);
	response_redirect(response, board_path(request->arena, work.alert.public_id, work.person_id > 0 ? "calls" : "calls?nobody=1"));
}

static bool read_outcome(struct request *request, struct calls_work *work)
{
	static const struct { const char *word; enum call_outcome outcome; } words[] = {
		{ "safe", CALL_SAFE }, { "help", CALL_HELP }, { "no_reply", CALL_NO_REPLY }, { "wrong", CALL_WRONG_NUMBER }, { "later", CALL_LATER },
	};
	const struct str what = request_form(request, "do");
	const struct str note = request_form(request, "note");
	int64_t minutes = 0;
	work->free = str_equal(what, S("free"));
	work->report = (struct call_report){ .officer_id = request->officer->id, .form_key = request_form_key(request),
		                             .note = str_is_none(note) ? S("") : str_trim(note) };
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_equal(what, str_from(words[i].word)))
			work->report.outcome = words[i].outcome;
	if (work->report.outcome == CALL_LATER) {
		bool offered = false;
		if (!str_to_int(request_form(request, "minutes"), &minutes))
			return false;
		for (size_t i = 0; i < COUNT_OF(later_minutes); i++)
			offered |= later_minutes[i] == minutes;
		work->report.again_at = request->now + minutes * CLOCK_MINUTE;
		return offered;
	}
	return work->free || work->report.outcome != 0;
}

static enum rc store_outcome(struct db_tx *tx, void *context, struct err *err)
{
	struct calls_work *work = context;
	struct request *request = work->request;
	struct board_person_id_find_row person;
	enum rc rc = board_open(tx, request, &work->alert, err);
	if (rc == OK)
		rc = board_person_id_find(
			tx, request->arena, &(struct board_person_id_find_args){ .public_id = request_capture(request, "person") }, &person, err);
	if (rc != OK)
		return rc;
	if (work->free)
		return call_free(tx, &work->alert, person.id, request->officer->id, request->now, err);
	work->report.alert = work->alert;
	work->report.person_id = person.id;
	return call_finish(tx, &work->report, request->now, &work->holder, err);
}

void call_post(struct request *request, struct response *response)
{
	struct calls_work work = { .request = request };
	struct err err;
	err_init(&err, request->arena);
	if (!read_outcome(request, &work)) {
		response_error(request, response, INVALID, &err);
		return;
	}
	work.view.note = work.report.note;
	enum rc rc = utf8_length(work.report.note) > BOARD_NOTE_MAX
	                     ? err_field(&err, S("note"), MSG_board_note_long, str_format(request->arena, "%d", BOARD_NOTE_MAX), STR_NONE)
	                     : db_write(request->house->db, DB_LANE_PERSON, store_outcome, &work, &err);
	if (rc == OK) {
		board_publish(request->house, work.alert.id);
		response_redirect(response, board_path(request->arena, work.alert.public_id, "calls"));
	} else if (rc == CONFLICT) {
		response->status = 409;
		work.conflict = true;
		show(request, response, &work, NULL);
	} else if (rc == INVALID && err.field_count > 0) {
		response->status = 422;
		show(request, response, &work, &err);
	} else {
		response_error(request, response, rc, &err);
	}
}
