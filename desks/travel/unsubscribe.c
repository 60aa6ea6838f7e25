/* One click in a mail program stops alerts to that mailbox (RFC 8058: a POST to the address in List-Unsubscribe; looking changes nothing). */
#include "desks/travel/enrol.h"
#include "desks/travel/my.h"
#include "desks/travel/respond.h"

#include "travel_pages.h"

struct unsubscribe_work {
	struct request *request;
	struct contact contact;
	bool out;
};

static enum rc unsubscribe_find(struct db_tx *tx, void *context, struct err *err)
{
	struct unsubscribe_work *work = context;
	struct request *request = work->request;

	return contact_find_unsubscribe(tx, request->house, request->arena, request_capture(request, "token"), &work->contact, err);
}

static enum rc unsubscribe_write(struct db_tx *tx, void *context, struct err *err)
{
	struct unsubscribe_work *work = context;

	enum rc rc = unsubscribe_find(tx, work, err);
	return rc == OK ? contact_set_opted_out(tx, work->contact.id, work->out, work->request->now, err) : rc;
}

void unsubscribe_get(struct request *request, struct response *response)
{
	struct unsubscribe_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, unsubscribe_find, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	const bool out = work.contact.opted_out;
	const struct unsubscribe_view view = {
		.page = { .title = T(request->arena, request->language, out ? MSG_travel_unsubscribed_title : MSG_travel_unsubscribe_title),
		          .canonical = str_concat(request->arena, S("/unsubscribe/"), request_capture(request, "token")) },
		.token = request_capture(request, "token"),
		.address = contact_display(request->arena, &work.contact),
		.out = out,
		.push = work.contact.channel == CHANNEL_PUSH,
	};
	struct html page = html_begin(request, response);
	unsubscribe_page(&page, &view);
}

static void unsubscribe_set(struct request *request, struct response *response, bool out)
{
	struct unsubscribe_work work = { .request = request, .out = out };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, unsubscribe_write, &work, &err);
	if (rc != OK)
		my_refuse(request, response, rc, &err);
	else if (str_find(request->body, S("List-Unsubscribe=One-Click"), 0) != SIZE_MAX)
		response->status = 204; /* the mail program wants no page, and must not be sent elsewhere (RFC 8058, 3.1) */
	else
		response_redirect(response, str_concat(request->arena, S("/unsubscribe/"), request_capture(request, "token")));
}

void unsubscribe_post(struct request *request, struct response *response)
{
	unsubscribe_set(request, response, true);
}

void unsubscribe_undo_post(struct request *request, struct response *response)
{
	unsubscribe_set(request, response, false);
}
