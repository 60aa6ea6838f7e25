/* The person's own page: opened by a link or a code, shows everything and leads to every change. */
#include "desks/travel/my.h"
#include "desks/travel/alert.h"
#include "desks/travel/enrol.h"
#include "desks/travel/respond.h"

#include "travel_pages.h"
#include "travel_sql.h"

static const enum person_link page_links[] = { LINK_MANAGE, LINK_VISIT };

enum rc my_find(struct db_tx *tx, struct request *request, struct person *out, struct err *err)
{
	return person_find_link(tx, request->house, request->arena, request_capture(request, "token"), page_links, COUNT_OF(page_links),
	                        request->now, out, NULL, err);
}

void my_refuse(struct request *request, struct response *response, enum rc rc, const struct err *err)
{
	if (rc != NOT_FOUND) {
		respond_error(request, response, rc, err);
		return;
	}
	struct html out = html_begin(request, response);
	const struct my_gone_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_link_ended_title), .canonical = S("/my") },
	};
	response->status = 404;
	my_gone_page(&out, &view);
}

void my_done(struct request *request, struct response *response, const char *what)
{
	response_redirect(response,
	                  str_format(request->arena, "/my/%.*s?done=%s", STR_ARG(request_capture(request, "token")), what));
}

struct str my_notice(const struct request *request)
{
	static const struct {
		const char *what;
		enum msg message;
	} notices[] = {
		{ "enrolled", MSG_travel_done_enrolled }, { "trip", MSG_travel_done_trip },           { "trip_ended", MSG_travel_done_trip_ended },
		{ "watch", MSG_travel_done_watch },       { "watch_ended", MSG_travel_done_watch_ended }, { "saved", MSG_travel_done_saved },
		{ "removed", MSG_travel_done_removed },   { "links", MSG_travel_done_links },     { "push", MSG_travel_done_push },
	};
	const struct str done = request_query(request, "done");
	for (size_t i = 0; done.len && i < COUNT_OF(notices); i++)
		if (str_equal(done, str_from(notices[i].what)))
			return T(request->arena, request->language, notices[i].message);
	return STR_NONE;
}

struct open_work {
	struct request *request;
	struct person *out;
};

static enum rc open_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct open_work *work = context;
	return my_find(tx, work->request, work->out, err);
}

bool my_open(struct request *request, struct response *response, struct person *out)
{
	struct open_work work = { request, out };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, open_in_store, &work, &err);
	if (rc != OK)
		my_refuse(request, response, rc, &err);
	return rc == OK;
}

/* --- the page --------------------------------------------------------------------------------------------------- */

struct my_work {
	struct request *request;
	struct my_view *view;
	struct person person;
};

/* What a person is to an alert, in their words. A released one without an answer has nothing to answer. */
static void alert_answer(const struct my_alert_list_row *row, struct my_alert *out)
{
	static const struct {
		const char *css;
		enum msg message;
	} answers[] = {
		{ "waiting", MSG_travel_answer_none },
		{ "safe", MSG_travel_answer_safe },
		{ "help", MSG_travel_answer_help },
		{ "waiting", MSG_travel_answer_none },
		{ "waiting", MSG_travel_answer_none },
	};
	const size_t class = row->class >= 1 && row->class < (int64_t)COUNT_OF(answers) ? (size_t)row->class : 0;
	out->css = answers[class].css;
	out->answer = answers[class].message;
}

static enum rc read_alerts(struct db_tx *tx, struct my_work *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	const struct my_alert_list_args args = { .person = work->person.id, .most = MY_ALERTS_MAX };
	struct my_alert_list_row *rows;
	size_t count;

	enum rc rc = my_alert_list(tx, arena, &args, &rows, &count, err);
	struct my_alert *alerts = ARENA_NEW_ARRAY(arena, struct my_alert, rc == OK ? count : 0);
	for (size_t i = 0; rc == OK && i < count; i++) {
		struct alert_version version;
		rc = version_find(tx, arena, rows[i].version_id, &version, err);
		if (rc != OK)
			break;
		alerts[i] = (struct my_alert){ .public_id = rows[i].public_id, .headline = version_headline(&version, work->request->language),
			                       .sent_at = version.sent_at, .exercise = rows[i].exercise != 0 };
		alert_answer(&rows[i], &alerts[i]);
		const struct alert alert = { .id = rows[i].id, .number = rows[i].number };
		alerts[i].answer_path = rows[i].state == ALERT_IN_FORCE ? alert_answer_path(work->request->house, arena, &alert, &work->person) : S("");
	}
	work->view->alerts = alerts;
	work->view->alert_count = rc == OK ? count : 0;
	return rc;
}

static enum rc my_read(struct db_tx *tx, void *context, struct err *err)
{
	struct my_work *work = context;
	struct my_view *view = work->view;
	struct arena *arena = work->request->arena;

	enum rc rc = my_find(tx, work->request, &work->person, err);
	if (rc == OK)
		rc = trip_list(tx, arena, work->person.id, false, &view->trips, &view->trip_count, err);
	if (rc == OK)
		rc = watch_list(tx, arena, work->person.id, &view->watches, &view->watch_count, err);
	if (rc != OK)
		return rc;
	rc = emergency_contact_find(tx, arena, work->person.id, &view->emergency, err);
	view->has_emergency = rc == OK;
	return rc == OK || rc == NOT_FOUND ? read_alerts(tx, work, err) : rc;
}

void my_show(struct request *request, struct response *response, const struct err *errors, int status)
{
	struct arena *arena = request->arena;
	struct my_view view = { .token = request_capture(request, "token") };
	struct my_work work = { .request = request, .view = &view };
	struct err err;

	err_init(&err, arena);
	enum rc rc = db_read(request->house->db, my_read, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	view.page = (struct page){ .title = T(arena, request->language, MSG_travel_my_title), .notice = my_notice(request), .errors = errors,
		                   .canonical = str_concat(arena, S("/my/"), view.token) };
	view.person = &work.person;
	view.reachable = person_channels(&work.person) != 0;
	view.confirm_token = link_token(person_link_path(request->house, arena, &work.person, LINK_CONFIRM, request->now));
	view.contact_count = work.person.contact_count;
	view.contacts = ARENA_NEW_ARRAY(arena, struct my_contact, view.contact_count);
	for (size_t i = 0; i < view.contact_count; i++)
		view.open = view.open || contact_is_open(&work.person.contacts[i]);
	for (size_t i = 0; i < view.contact_count; i++)
		view.contacts[i] = (struct my_contact){ .contact = &work.person.contacts[i],
			                                .address = contact_display(arena, &work.person.contacts[i]),
			                                .first = i == 0, .last = i + 1 == view.contact_count };
	push_offer_fill(request, &work.person, &view.page, &view.push);
	view.push.sends = true;
	response->status = status;
	struct html out = html_begin(request, response);
	my_page(&out, &view);
}

void my_page_get(struct request *request, struct response *response)
{
	my_show(request, response, NULL, 200);
}
