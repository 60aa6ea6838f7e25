/* Confirming addresses by one-time codes. */
#include "core/messages/messages.h"
#include "desks/travel/enrol.h"
#include "desks/travel/my.h"
#include "desks/travel/respond.h"
#include "kernel/text/phone.h"

#include "travel_pages.h"

struct str contact_display(struct arena *arena, const struct contact *contact)
{
	if (contact->channel == CHANNEL_PUSH) {
		const size_t from = str_find(contact->address, S("//"), 0), to = from == SIZE_MAX ? from : str_find(contact->address, S("/"), from + 2);
		return to == SIZE_MAX ? S("") : str_slice(contact->address, from + 2, to);
	}
	return contact->channel == CHANNEL_SMS ? phone_format_display(arena, contact->address) : contact->address;
}

/* --- messages --------------------------------------------------------------------------------------------------- */

enum rc code_message(struct db_tx *tx, struct house *house, struct arena *arena, enum language language, const struct contact *contact,
                     struct str digits, int64_t now, struct err *err)
{
	const struct str host = public_host(house);
	const enum channel_kind channel = contact->channel;
	struct str body = T(arena, language, channel == CHANNEL_SMS ? MSG_travel_code_sms : MSG_travel_code_mail, MSG_S("code", digits),
	                    MSG_S("host", host));

	/* The last line binds the code to our origin: phones offer it on no other site (WICG, "Origin-bound one-time codes"). */
	if (channel == CHANNEL_SMS)
		body = str_format(arena, "%.*s\n\n@%.*s #%.*s", STR_ARG(body), STR_ARG(host), STR_ARG(digits));
	const struct message_single message = {
		.lane = LANE_CODE,
		.channel = channel,
		.person_id = contact->person_id,
		/* By address where the contact ended: the engine sends nothing to such a contact. */
		.contact_id = contact->ended ? 0 : contact->id,
		.address = contact->ended ? contact->address : S(""),
		.subject = channel == CHANNEL_MAIL ? T(arena, language, MSG_travel_code_subject, MSG_S("code", digits)) : S(""),
		.body = body,
		.expires_at = now + CODE_LIFE,
	};
	return message_queue(tx, &message, now, NULL, err);
}

enum rc confirm_send(struct db_tx *tx, struct house *house, struct arena *arena, const struct person *person, const struct contact *contact,
                     uint64_t source, int64_t now, int64_t *retry_after, struct err *err)
{
	const struct code_request request = {
		.purpose = CODE_CONFIRM,
		.contact_id = contact->id,
		.address = contact->address,
		.source = source,
	};
	struct code_issued code = { 0 };
	int64_t made = 0, until = 0;

	enum rc rc = code_last(tx, arena, contact->id, &made, &until, err);
	if (rc != OK || (until > now && now - made < CONFIRM_SEND_PAUSE))
		return rc;
	rc = code_issue(tx, house, arena, &request, now, &code, err);
	if (rc == BUSY)
		*retry_after = code.retry_after;
	return rc == OK ? code_message(tx, house, arena, person->language, contact, code.digits, now, err) : rc;
}

/* The first confirmed address gets the link to the person's page; a text message only for who gave no mailbox. */
static enum rc send_welcome(struct db_tx *tx, struct house *house, struct arena *arena, const struct person *person,
                            const struct contact *contact, int64_t now, struct err *err)
{
	const struct str url = str_concat(arena, str_from(house->public_url), person_link_path(house, arena, person, LINK_MANAGE, now));
	bool mailbox = false;

	for (size_t i = 0; i < person->contact_count; i++) {
		if (person->contacts[i].confirmed || person->contacts[i].ended)
			return OK;
		mailbox = mailbox || person->contacts[i].channel == CHANNEL_MAIL;
	}
	if (contact->channel == CHANNEL_SMS && mailbox)
		return OK;
	const bool sms = contact->channel == CHANNEL_SMS;
	const struct message_single message = {
		.lane = LANE_REST,
		.channel = contact->channel,
		.person_id = person->id,
		.contact_id = contact->id,
		.address = S(""),
		.subject = sms ? S("") : T(arena, person->language, MSG_travel_welcome_subject),
		.body = T(arena, person->language, sms ? MSG_travel_welcome_sms : MSG_travel_welcome_mail, MSG_S("url", url),
		          MSG_S("name", person->name)),
		.expires_at = now + 2 * CLOCK_DAY,
	};
	return message_queue(tx, &message, now, NULL, err);
}

/* --- the page --------------------------------------------------------------------------------------------------- */

struct confirm_work {
	struct request *request;
	struct person person;
	struct confirm_view view;
	int64_t contact_id;        /* of the form; 0: none */
	const struct contact *contact; /* of the person, by that id */
	struct str digits;
	struct code_result result;
	int64_t retry_after;
	bool refused;              /* a budget is used up */
};

static enum rc confirm_find(struct db_tx *tx, struct confirm_work *work, struct err *err)
{
	static const enum person_link links[] = { LINK_CONFIRM };
	struct request *request = work->request;

	enum rc rc = person_find_link(tx, request->house, request->arena, request_capture(request, "token"), links, COUNT_OF(links), request->now,
	                              &work->person, NULL, err);
	work->contact = NULL;
	for (size_t i = 0; rc == OK && i < work->person.contact_count; i++)
		if (work->person.contacts[i].id == work->contact_id)
			work->contact = &work->person.contacts[i];
	return rc == OK && work->contact_id && !work->contact ? NOT_FOUND : rc;
}

static enum rc confirm_read(struct db_tx *tx, void *context, struct err *err)
{
	struct confirm_work *work = context;
	struct arena *arena = work->request->arena;
	struct confirm_view *view = &work->view;

	enum rc rc = confirm_find(tx, work, err);
	if (rc == OK)
		rc = trip_list(tx, arena, work->person.id, false, &view->trips, &view->trip_count, err);
	if (rc == OK)
		rc = watch_list(tx, arena, work->person.id, &view->watches, &view->watch_count, err);
	if (rc != OK)
		return rc;
	view->contact_count = work->person.contact_count;
	view->contacts = ARENA_NEW_ARRAY(arena, struct confirm_contact, view->contact_count);
	view->confirmed = 0;
	for (size_t i = 0; rc == OK && i < view->contact_count; i++) {
		const struct contact *contact = &work->person.contacts[i];
		int64_t made, until = 0;
		if (contact_is_open(contact))
			rc = code_last(tx, arena, contact->id, &made, &until, err);
		view->confirmed += !contact_is_open(contact);
		view->contacts[i] = (struct confirm_contact){
			.contact = contact,
			.address = contact_display(arena, contact),
			.sent = until > work->request->now,
			.typed = contact->id == work->contact_id ? work->digits : S(""),
		};
	}
	return rc;
}

static void confirm_show(struct confirm_work *work, struct response *response, struct err *errors, struct str notice)
{
	struct request *request = work->request;
	struct arena *arena = request->arena;
	struct err err;

	err_init(&err, arena);
	enum rc rc = db_read(request->house->db, confirm_read, work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	struct confirm_view *view = &work->view;
	view->token = request_capture(request, "token");
	view->my_token = link_token(person_link_path(request->house, arena, &work->person, LINK_VISIT, request->now));
	view->page = (struct page){
		.title = T(arena, request->language, view->confirmed == view->contact_count ? MSG_travel_confirmed_title : MSG_travel_confirm_title),
		.errors = errors,
		.notice = notice,
		.canonical = str_concat(arena, S("/confirm/"), view->token),
	};
	struct html out = html_begin(request, response);
	confirm_page(&out, view);
}

static struct str confirm_notice(const struct request *request)
{
	const struct str done = request_query(request, "done");
	if (str_equal(done, S("sent")))
		return T(request->arena, request->language, MSG_travel_done_sent);
	if (str_equal(done, S("confirmed")))
		return T(request->arena, request->language, MSG_travel_done_confirmed);
	return STR_NONE;
}

void confirm_get(struct request *request, struct response *response)
{
	struct confirm_work work = { .request = request, .digits = S("") };
	confirm_show(&work, response, NULL, confirm_notice(request));
}

static struct str code_field(const struct confirm_work *work)
{
	return str_format(work->request->arena, "code_%lld", (long long)work->contact_id);
}

static bool confirm_begin(struct confirm_work *work, struct request *request, struct response *response)
{
	*work = (struct confirm_work){ .request = request, .digits = S("") };
	if (str_to_int(request_form(request, "contact"), &work->contact_id) && work->contact_id > 0) {
		const struct str typed = request_form(request, code_field(work).ptr);
		work->digits = str_is_none(typed) ? S("") : str_trim(typed);
		return true;
	}
	response_problem(request, response, PROBLEM_BAD_REQUEST, NULL);
	return false;
}

struct str code_digits(struct arena *arena, struct str typed)
{
	const struct str ascii = text_ascii_digits(arena, typed);
	char *digits = str_c(arena, ascii);
	size_t length = 0;
	for (size_t i = 0; i < ascii.len; i++)
		if (ascii.ptr[i] != ' ' && ascii.ptr[i] != '-')
			digits[length++] = ascii.ptr[i];
	digits[length] = 0;
	return (struct str){ digits, length };
}

static enum rc confirm_try(struct db_tx *tx, void *context, struct err *err)
{
	struct confirm_work *work = context;
	struct request *request = work->request;
	struct arena *arena = request->arena;

	enum rc rc = confirm_find(tx, work, err);
	if (rc != OK)
		return rc;
	if (!contact_is_open(work->contact)) { /* the button was pressed twice */
		work->result = (struct code_result){ .answer = CODE_RIGHT, .contact_id = work->contact_id };
		return OK;
	}
	rc = code_try_contact(tx, request->house, arena, work->contact_id, code_digits(arena, work->digits), request->now, &work->result, err);
	if (rc != OK || work->result.answer != CODE_RIGHT)
		return rc;
	rc = contact_set_confirmed(tx, work->contact_id, CONTACT_BY_CODE, request->now, err);
	return rc == OK ? send_welcome(tx, request->house, arena, &work->person, work->contact, request->now, err) : rc;
}

/* One more is confirmed: to the person's page when it was the last, else to the next code. */
static void confirm_on(struct confirm_work *work, struct response *response)
{
	struct request *request = work->request;
	struct arena *arena = request->arena;
	size_t open = 0;

	for (size_t i = 0; i < work->person.contact_count; i++)
		open += contact_is_open(&work->person.contacts[i]) && work->person.contacts[i].id != work->contact_id;
	if (open) {
		response_redirect(response,
		                  str_format(arena, "/confirm/%.*s?done=confirmed", STR_ARG(request_capture(request, "token"))));
		return;
	}
	const struct str path = person_link_path(request->house, arena, &work->person, LINK_VISIT, request->now);
	response_redirect(response, str_concat(arena, path, S("?done=enrolled")));
}

void confirm_post(struct request *request, struct response *response)
{
	static const enum msg messages[] = {
		[CODE_WRONG] = MSG_travel_code_wrong,
		[CODE_WAIT] = MSG_travel_code_wait,
		[CODE_GONE] = MSG_travel_code_gone,
	};
	struct confirm_work work;
	struct err err;

	if (!confirm_begin(&work, request, response))
		return;
	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, confirm_try, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	if (work.result.answer == CODE_RIGHT) {
		confirm_on(&work, response);
		return;
	}
	const struct str seconds = str_format(request->arena, "%lld", (long long)(work.result.wait / CLOCK_SECOND + 1));
	err_field(&err, code_field(&work), (int)messages[work.result.answer], seconds, STR_NONE);
	response->status = 422;
	confirm_show(&work, response, &err, STR_NONE);
}

static enum rc confirm_resend(struct db_tx *tx, void *context, struct err *err)
{
	struct confirm_work *work = context;
	struct request *request = work->request;

	enum rc rc = confirm_find(tx, work, err);
	if (rc == OK && contact_is_open(work->contact))
		rc = confirm_send(tx, request->house, request->arena, &work->person, work->contact, request->source, request->now, &work->retry_after, err);
	work->refused = rc == BUSY && work->retry_after > 0;
	return rc;
}

void confirm_send_post(struct request *request, struct response *response)
{
	struct confirm_work work;
	struct err err;

	if (!confirm_begin(&work, request, response))
		return;
	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, confirm_resend, &work, &err);
	if (rc == OK) {
		response_redirect(response,
		                  str_format(request->arena, "/confirm/%.*s?done=sent", STR_ARG(request_capture(request, "token"))));
		return;
	}
	if (!work.refused) {
		my_refuse(request, response, rc, &err);
		return;
	}
	const struct str minutes = str_format(request->arena, "%lld", (long long)(work.retry_after / CLOCK_MINUTE + 1));
	err_field(&err, code_field(&work), MSG_travel_code_budget, minutes, STR_NONE);
	response->status = 429;
	confirm_show(&work, response, &err, STR_NONE);
}
