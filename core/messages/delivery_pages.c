/* Where is this person's message and why; and how delivery goes, with the alerts that wait for an officer's word. */
#include "core/messages/inbox.h"
#include "core/messages/views.h"
#include "kernel/access/access.h"
#include "kernel/http/http.h"
#include "kernel/ledger/ledger.h"
#include "messages_pages.h"

enum msg state_key(int64_t state)
{
	static const enum msg keys[MESSAGE_STATE_COUNT] = {
		[MESSAGE_QUEUED] = MSG_messages_state_queued,         [MESSAGE_SUBMITTED] = MSG_messages_state_submitted,
		[MESSAGE_ACCEPTED] = MSG_messages_state_accepted,     [MESSAGE_DELIVERED] = MSG_messages_state_delivered,
		[MESSAGE_FAILED] = MSG_messages_state_failed,         [MESSAGE_IN_DOUBT] = MSG_messages_state_in_doubt,
		[MESSAGE_EXPIRED] = MSG_messages_state_expired,       [MESSAGE_SUPERSEDED] = MSG_messages_state_superseded,
		[MESSAGE_NOT_SENT] = MSG_messages_state_not_sent,
	};
	return state > 0 && state < MESSAGE_STATE_COUNT ? keys[state] : MSG_none;
}

enum msg reason_key(int64_t reason)
{
	static const enum msg keys[REASON_COUNT] = {
		[REASON_REFUSED] = MSG_messages_reason_refused,               [REASON_UNKNOWN_ADDRESS] = MSG_messages_reason_unknown_address,
		[REASON_RECEIPT_FAILED] = MSG_messages_reason_receipt_failed, [REASON_RECEIPT_EXPIRED] = MSG_messages_reason_receipt_expired,
		[REASON_OPTED_OUT] = MSG_messages_reason_opted_out,           [REASON_NO_CONTACT] = MSG_messages_reason_no_contact,
		[REASON_ANSWERED] = MSG_messages_reason_answered,             [REASON_PLANS_CHANGED] = MSG_messages_reason_plans_changed,   [REASON_TOO_LONG] = MSG_messages_reason_too_long,
		[REASON_ERASED] = MSG_messages_reason_erased,
	};
	return reason > 0 && reason < REASON_COUNT ? keys[reason] : MSG_none;
}

/* --- one person's messages ------------------------------------------------------------------------------------------------- */

struct lookup_work {
	struct request *request;
	struct str public_id;
	struct person person;
	struct lookup_line *lines;
	size_t count, capacity;
};

static void add_rows(struct lookup_work *work, const struct lookup_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct lookup_row *row = &rows[i];
		struct lookup_line line = {
			.channel = channel_key(row->channel),
			.state = state_key(row->state),
			.reason = reason_key(row->reason),
			.message = row->id,
			.attempts = row->attempts,
			.created_at = row->created_at,
			.not_before = row->not_before,
			.submitted_at = row->submitted_at,
			.accepted_at = row->accepted_at,
			.ended_at = row->ended_at,
			.single = row->notice_id == 0,
			.maybe_twice = row->was_in_doubt != 0,
			.waits = row->state == MESSAGE_QUEUED,
			.carrier = row->route_name,
			.carrier_id = str_trim(row->carrier_id),
			.carrier_status = row->carrier_status,
			.status_code = row->status_code,
		};
		ARENA_PUSH(work->request->arena, work->lines, work->count, work->capacity, line);
	}
}

static enum rc add_frozen(struct lookup_work *work, struct db_tx *tx, struct err *err)
{
	struct lookup_list_frozen_args args = { .person_id = work->person.id };
	struct lookup_list_frozen_row *rows;
	size_t count;
	enum rc rc = lookup_list_frozen(tx, work->request->arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (!block_has(rows[i].ids, work->person.id))
			continue;
		struct lookup_line line = {
			.channel = channel_key(rows[i].channel),
			.state = rows[i].held_at == DB_NULL ? MSG_messages_state_queued : MSG_messages_state_held,
			.reason = MSG_none,
			.not_before = rows[i].not_before,
			.created_at = -1, .submitted_at = -1, .accepted_at = -1, .ended_at = -1,
			.waits = true,
			.carrier = STR_NONE, .carrier_id = S(""), .carrier_status = S(""),
		};
		ARENA_PUSH(work->request->arena, work->lines, work->count, work->capacity, line);
	}
	return rc;
}

static enum rc lookup_work(struct db_tx *tx, void *context, struct err *err)
{
	struct lookup_work *work = context;
	struct arena *arena = work->request->arena;
	enum rc rc = person_find_public(tx, arena, work->public_id, &work->person, err);
	struct lookup_row *rows;
	size_t count = 0;
	if (rc == OK)
		rc = add_frozen(work, tx, err);
	struct lookup_list_args args = { .person_id = work->person.id };
	if (rc == OK)
		rc = lookup_list(tx, arena, &args, &rows, &count, err);
	if (rc == OK)
		add_rows(work, rows, count);
	struct lookup_list_single_args single = { .person_id = work->person.id };
	if (rc == OK)
		rc = lookup_list_single(tx, arena, &single, &rows, &count, err);
	if (rc == OK)
		add_rows(work, rows, count);
	return rc;
}

void lookup_get(struct request *request, struct response *response)
{
	struct err err;
	err_init(&err, request->arena);
	struct str public_id = request_query(request, "person");
	struct lookup_view view = {
		.page = { .title = T(request->arena, request->language, MSG_messages_lookup_title), .officer_page = true },
		.person = str_is_none(public_id) ? S("") : str_trim(public_id),
	};
	if (!str_is_empty(view.person)) {
		struct lookup_work work = { .request = request, .public_id = view.person };
		enum rc rc = db_read(request->house->db, lookup_work, &work, &err);
		if (rc == NOT_FOUND) {
			err_field(&err, S("person"), MSG_messages_error_person, STR_NONE, STR_NONE);
			view.page.errors = &err;
			response->status = 404;
		} else if (rc != OK) {
			response_error(request, response, rc, &err);
			return;
		} else {
			view.asked = true;
			view.name = str_is_none(work.person.name) ? work.person.public_id : work.person.name;
			view.lines = work.lines;
			view.count = work.count;
		}
	}
	struct html out = html_begin(request, response);
	lookup_page(&out, &view);
}

/* --- delivery --------------------------------------------------------------------------------------------------------------------- */

struct delivery_work {
	struct request *request;
	struct held_line *held;
	size_t count;
};

static enum rc held_work(struct db_tx *tx, void *context, struct err *err)
{
	struct delivery_work *work = context;
	struct arena *arena = work->request->arena;
	struct notice_row *rows;
	enum rc rc = notice_list_held(tx, arena, &rows, &work->count, err);
	work->held = ARENA_NEW_ARRAY(arena, struct held_line, work->count + 1);
	for (size_t i = 0; rc == OK && i < work->count; i++) {
		struct message_counts counts;
		rc = message_count_notice(tx, rows[i].id, &counts, err);
		work->held[i] = (struct held_line){ .notice = rows[i].id, .frozen_at = rows[i].frozen_at, .exercise = rows[i].exercise != 0 };
		for (size_t channel = 0; rc == OK && channel < CHANNEL_KIND_COUNT; channel++)
			work->held[i].queued += counts.of[channel][MESSAGE_QUEUED];
	}
	return rc;
}

void delivery_get(struct request *request, struct response *response)
{
	static const enum msg lanes[LANE_COUNT] = {
		[LANE_CODE] = MSG_messages_lane_code,         [LANE_ANSWER] = MSG_messages_lane_answer,
		[LANE_ALERT_EXTREME] = MSG_messages_lane_extreme, [LANE_ALERT_SEVERE] = MSG_messages_lane_severe,
		[LANE_ALERT] = MSG_messages_lane_alert,       [LANE_REST] = MSG_messages_lane_rest,
	};
	struct err err;
	err_init(&err, request->arena);
	struct delivery_work work = { .request = request };
	enum rc rc = db_read(request->house->db, held_work, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct delivery_view view = {
		.page = { .title = T(request->arena, request->language, MSG_messages_delivery_title), .officer_page = true,
		          .refresh = S("15") },
		.held = work.held,
		.held_count = work.count,
		.may_act = access_allows(request->officer, PERMIT_OFFICER),
		.lane_count = LANE_COUNT,
	};
	if (str_equal(request_query(request, "done"), S("1")))
		view.page.notice = T(request->arena, request->language, MSG_messages_done_notice);
	messages_figures(request->house, &view.figures);
	struct lane_line *lines = ARENA_NEW_ARRAY(request->arena, struct lane_line, LANE_COUNT);
	for (size_t lane = 0; lane < LANE_COUNT; lane++)
		lines[lane] = (struct lane_line){ lanes[lane], view.figures.queued[CHANNEL_MAIL][lane], view.figures.queued[CHANNEL_SMS][lane],
		                                  view.figures.queued[CHANNEL_PUSH][lane] };
	view.lanes = lines;
	struct html out = html_begin(request, response);
	delivery_page(&out, &view);
}

struct held_act {
	struct request *request;
	int64_t notice_id;
	bool drop;
};

static enum rc held_act_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct held_act *act = context;
	struct arena *arena = act->request->arena;
	struct notice_find_args find = { .id = act->notice_id };
	struct notice_row row;
	enum rc rc = notice_find(tx, arena, &find, &row, err);
	if (rc != OK || row.held_at == DB_NULL)
		return rc; /* decided already: the second of two officers, or of two clicks, changes nothing */
	rc = act->drop ? notice_supersede(tx, (enum notice_kind)row.kind, row.event_id, row.id + 1, act->request->now, err)
	               : notice_resume(tx, row.id, err);
	if (rc == OK)
		rc = ledger_append(tx, act->request->officer->id, act->drop ? "notice.drop_held" : "notice.resume",
		                   str_format(arena, "notice:%lld", (long long)row.id), S("{}"), act->request->now, err);
	return rc;
}

void delivery_post(struct request *request, struct response *response)
{
	struct err err;
	err_init(&err, request->arena);
	struct held_act act = { .request = request, .drop = str_equal(request_form(request, "do"), S("drop")) };
	enum rc rc = INVALID;
	if (str_to_int(request_form(request, "notice"), &act.notice_id) &&
	    (act.drop || str_equal(request_form(request, "do"), S("resume"))))
		rc = db_write(request->house->db, DB_LANE_PERSON, held_act_work, &act, &err);
	if (rc != OK)
		response_error(request, response, rc, &err);
	else
		response_redirect(response, S("/desk/delivery?done=1"));
}
