/* For the next shift: what is open, who is at it, what happened lately, what comes next. And the page that asks again. */
#include "desks/travel/board_views.h"
#include "desks/travel/respond.h"

#include "travel_pages.h"

#define HISTORY_MOST 200

/* --- hand-over ---------------------------------------------------------------------------------------------------- */

struct handover_work {
	struct request *request;
	struct board_alert alert;
	struct handover_view view;
};

static enum rc read_cases(struct db_tx *tx, struct handover_work *work, struct err *err)
{
	struct request *request = work->request;
	struct handover_view *view = &work->view;
	const struct board_filter filter = { .view = S("cases"), .country = S(""), .language = S(""), .query = S(""), .number = 1 };
	struct board_case_count_row *counts;
	struct board_person *rows;
	size_t count;
	bool hidden;
	enum rc rc = board_list_read(tx, request, &work->alert, &filter, &rows, &view->case_count, &view->more_cases, err);
	if (rc == OK)
		rc = board_lines_fill(tx, request, &work->alert, rows, view->case_count, &view->cases, &hidden, err);
	if (rc == OK)
		rc = board_case_count(tx, request->arena, &(struct board_case_count_args){ .alert_id = work->alert.id }, &counts, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (counts[i].case_state == CASE_OPEN)
			view->open = counts[i].people;
		if (counts[i].case_state == CASE_TAKEN)
			view->taken = counts[i].people;
	}
	return rc;
}

static enum rc read_locks(struct db_tx *tx, struct handover_work *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct handover_view *view = &work->view;
	struct call_lock_list_row *rows;
	enum rc rc = call_lock_list(
		tx, arena, &(struct call_lock_list_args){ .alert_id = work->alert.id, .now = work->request->now }, &rows, &view->lock_count, err);
	if (rc != OK)
		return rc;
	view->locks = ARENA_NEW_ARRAY(arena, struct call_lock_line, view->lock_count);
	for (size_t i = 0; i < view->lock_count; i++)
		view->locks[i] = (struct call_lock_line){
			.id = rows[i].public_id,
			.name = str_is_none(rows[i].name) ? T(arena, work->request->language, MSG_board_no_name) : rows[i].name,
			.owner = str_is_none(rows[i].owner_name) ? S("–") : rows[i].owner_name,
			.until = rows[i].call_until,
		};
	return OK;
}

static enum rc read_next_steps(struct db_tx *tx, struct handover_work *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct handover_view *view = &work->view;
	struct alert_counters counters;
	struct message_counts messages;
	struct board_keyword_only_count_row keyword;
	enum rc rc = alert_counters_find(tx, work->alert.id, &counters, err);
	if (rc == OK)
		rc = message_count_event(tx, NOTICE_ALERT, work->alert.id, &messages, err);
	if (rc == OK)
		rc = board_keyword_only_count(tx, arena, &(struct board_keyword_only_count_args){ .alert_id = work->alert.id }, &keyword, err);
	if (rc != OK)
		return rc;
	view->tile_count = board_tiles_fill(&counters, view->tiles);
	view->keyword_only = keyword.people;
	view->waiting = counters.of[COUNTER_SILENT] + counters.of[COUNTER_UNREACHABLE] - counters.of[COUNTER_RELEASED + COUNTER_SILENT] -
	                counters.of[COUNTER_RELEASED + COUNTER_UNREACHABLE];
	for (size_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		view->in_doubt += messages.of[channel][MESSAGE_IN_DOUBT];
	return OK;
}

static enum rc read_handover(struct db_tx *tx, void *context, struct err *err)
{
	struct handover_work *work = context;
	struct request *request = work->request;
	struct board_deed_row *rows;
	work->view = (struct handover_view){ .since = request->now - BOARD_SHIFT };
	enum rc rc = board_open(tx, request, &work->alert, err);
	if (rc == OK)
		rc = board_head_fill(tx, request, &work->alert, MSG_board_handover_title, TAB_HANDOVER, &work->view.head, err);
	if (rc == OK)
		rc = read_next_steps(tx, work, err);
	if (rc == OK)
		rc = read_cases(tx, work, err);
	if (rc == OK)
		rc = read_locks(tx, work, err);
	if (rc == OK)
		rc = board_action_list_since(tx, request->arena,
		                             &(struct board_action_list_since_args){ .alert_id = work->alert.id, .since = work->view.since,
		                                                                     .most = HISTORY_MOST },
		                             &rows, &work->view.history_count, err);
	if (rc == OK)
		board_history_fill(request, rows, work->view.history_count, &work->view.history);
	return rc;
}

void handover_get(struct request *request, struct response *response)
{
	struct handover_work work = { .request = request };
	struct err err;
	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, read_handover, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	handover_page(&out, &work.view);
}

/* --- asking again ------------------------------------------------------------------------------------------------- */

struct ask_work {
	struct request *request;
	struct board_alert alert;
	struct ask_view view;
	bool repeat;
	int64_t people;
};

static enum rc read_ask(struct db_tx *tx, void *context, struct err *err)
{
	struct ask_work *work = context;
	struct request *request = work->request;
	work->view = (struct ask_view){ .sent_count = STR_NONE };
	enum rc rc = board_open(tx, request, &work->alert, err);
	if (rc == OK)
		rc = board_head_fill(tx, request, &work->alert, MSG_board_ask_title, TAB_ASK, &work->view.head, err);
	if (rc == OK)
		rc = ask_plan_make(tx, request->arena, &work->alert, true, request->now, &work->view.with_repeat, err);
	if (rc == OK)
		work->view.in_force = work->alert.state == ALERT_IN_FORCE && work->alert.expires > request->now;
	return rc;
}

static void show_ask(struct request *request, struct response *response, const struct err *errors)
{
	struct ask_work work = { .request = request };
	int64_t sent;
	struct err err;
	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, read_ask, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	work.view.head.page.errors = errors;
	work.view.head.page.canonical = board_path(request->arena, work.view.head.id, "ask");
	if (request->method == METHOD_GET && str_to_int(request_query(request, "sent"), &sent) && sent > 0)
		work.view.head.page.notice = T(request->arena, request->language, MSG_board_ask_sent, MSG_N("count", sent));
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	ask_page(&out, &work.view);
}

void ask_get(struct request *request, struct response *response)
{
	show_ask(request, response, NULL);
}

static enum rc read_plan(struct db_tx *tx, void *context, struct err *err)
{
	struct ask_work *work = context;
	struct request *request = work->request;
	enum rc rc = board_open(tx, request, &work->alert, err);
	return rc == OK ? ask_plan_make(tx, request->arena, &work->alert, work->repeat, request->now, &work->view.with_repeat, err) : rc;
}

static enum rc store_ask(struct db_tx *tx, void *context, struct err *err)
{
	struct ask_work *work = context;
	struct request *request = work->request;
	return ask_again(tx, request->arena, &work->alert, &work->view.with_repeat, request->officer->id, request_form_key(request), request->now,
	                 &work->people, err);
}

void ask_post(struct request *request, struct response *response)
{
	struct ask_work work = { .request = request, .repeat = str_equal(request_form(request, "repeat"), S("1")) };
	struct err err;
	err_init(&err, request->arena);
	/* Going through everybody takes its time, so it is not done in the transaction that others wait for. */
	enum rc rc = db_read(request->house->db, read_plan, &work, &err);
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, store_ask, &work, &err);
	if (rc == OK) {
		messages_wake(request->house);
		board_publish(request->house, work.alert.id);
		response_redirect(response,
		                  str_format(request->arena, "/desk/alert/%.*s/ask?sent=%lld", STR_ARG(work.alert.public_id), (long long)work.people));
	} else if (rc == CONFLICT) {
		err_field(&err, S(""), MSG_board_ask_nobody, STR_NONE, STR_NONE);
		response->status = 409;
		show_ask(request, response, &err);
	} else {
		response_error(request, response, rc, &err);
	}
}
