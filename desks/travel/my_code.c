/* Opening one's page by a code. Whether an address is known is never told: the same answers, the same work. */
#include "desks/travel/enrol.h"
#include "desks/travel/my.h"
#include "desks/travel/respond.h"
#include "kernel/access/access.h"

#include "travel_pages.h"

#define SHARERS_MAX 20 /* records shown for one address */

/* --- the address ------------------------------------------------------------------------------------------------ */

struct ask_work {
	struct request *request;
	enum channel_kind channel;
	struct str address;
	struct code_issued code;
};

static void ask_show(struct request *request, struct response *response, struct str address, struct phone_form *phone, const struct err *errors)
{
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = phone_form_prepare(travel_places(request->house), request->arena, request->language, phone, &err);
	if (rc != OK) {
		respond_error(request, response, rc, &err);
		return;
	}
	const struct my_ask_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_my_title), .errors = errors, .canonical = S("/my"),
		          .notice = my_notice(request) },
		.address = address,
		.phone = *phone,
	};
	struct html out = html_begin(request, response);
	my_ask_page(&out, &view);
}

void my_ask_get(struct request *request, struct response *response)
{
	struct phone_form phone = { .number = S(""), .country = S("") };
	ask_show(request, response, S(""), &phone, NULL);
}

static enum rc ask_write(struct db_tx *tx, void *context, struct err *err)
{
	struct ask_work *work = context;
	struct request *request = work->request;
	struct contact contact = { .id = DB_NULL };

	enum rc rc = contact_find_confirmed(tx, request->arena, work->channel, work->address, &contact, err);
	if (rc != OK && rc != NOT_FOUND)
		return rc;
	const struct code_request code = {
		.purpose = CODE_OPEN,
		.contact_id = contact.id,
		.address = work->address,
		.source = request->source,
	};
	rc = code_issue(tx, request->house, request->arena, &code, request->now, &work->code, err);
	if (rc == OK && contact.id != DB_NULL)
		rc = code_message(tx, request->house, request->arena, request->language, &contact, work->code.digits, request->now, err);
	return rc;
}

/* A mailbox if there is an '@' in it, else a telephone number. */
static enum rc ask_read(struct request *request, struct str typed, struct phone_form *phone, struct ask_work *work, struct err *err)
{
	if (!typed.len)
		return err_field(err, S("address"), MSG_travel_address_missing, STR_NONE, STR_NONE);
	if (str_find(typed, S("@"), 0) != SIZE_MAX) {
		work->channel = CHANNEL_MAIL;
		return mailbox_read(request->arena, typed, S("address"), &work->address, err);
	}
	work->channel = CHANNEL_SMS;
	phone->number = typed;
	phone->sure = true; /* whoever has it here has been asked before */
	return phone_form_check(request->arena, "address", false, phone, &work->address, err);
}

void my_ask_post(struct request *request, struct response *response)
{
	struct str typed = request_form(request, "address");
	struct ask_work work = { .request = request };
	struct phone_form phone;
	struct err err;

	err_init(&err, request->arena);
	phone_form_read(request, "address", &phone);
	typed = str_is_none(typed) ? S("") : str_trim(typed);
	enum rc rc = ask_read(request, typed, &phone, &work, &err);
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, ask_write, &work, &err);
	if (rc == OK) {
		const struct str token = capability_token(request->house, request->arena, "code", work.code.id, work.code.salt);
		response_redirect(response, str_concat(request->arena, S("/my/code/"), token));
		return;
	}
	if (rc == BUSY && work.code.retry_after) {
		err_field(&err, S("address"), MSG_travel_code_budget,
		          str_format(request->arena, "%lld", (long long)(work.code.retry_after / CLOCK_MINUTE + 1)), STR_NONE);
		response->status = 429;
	} else if (rc == INVALID) {
		response->status = 422;
	} else {
		respond_error(request, response, rc, &err);
		return;
	}
	ask_show(request, response, typed, &phone, &err);
}

/* --- the code --------------------------------------------------------------------------------------------------- */

struct code_work {
	struct request *request;
	int64_t id;
	struct str digits;
	struct code_result result;
	int64_t used_at, contact_id;
	struct person *people;
	size_t person_count;
};

/* The code that the page's token stands for. */
static enum rc code_open(struct db_tx *tx, struct code_work *work, struct err *err)
{
	struct request *request = work->request;
	const struct str token = request_capture(request, "token");
	int64_t salt;

	if (!capability_id(token, &work->id))
		return NOT_FOUND;
	enum rc rc = code_find(tx, request->arena, work->id, &salt, &work->used_at, &work->contact_id, err);
	return rc == OK && !capability_check(request->house, token, "code", work->id, salt) ? NOT_FOUND : rc;
}

static enum rc code_open_work(struct db_tx *tx, void *context, struct err *err)
{
	return code_open(tx, context, err);
}

/* Everyone whose confirmed address the code was sent to. */
static enum rc list_people(struct db_tx *tx, struct code_work *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct contact contact;
	int64_t *ids;
	size_t count;

	enum rc rc = contact_find(tx, arena, work->contact_id, &contact, err);
	if (rc == OK)
		rc = person_list_by_address(tx, arena, contact.channel, contact.address, SHARERS_MAX, &ids, &count, err);
	if (rc != OK)
		return rc;
	work->people = ARENA_NEW_ARRAY(arena, struct person, count);
	work->person_count = 0;
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = person_find(tx, arena, ids[i], &work->people[work->person_count++], err);
	return rc == OK && !count ? NOT_FOUND : rc;
}

static enum rc code_try_work(struct db_tx *tx, void *context, struct err *err)
{
	struct code_work *work = context;
	struct request *request = work->request;

	enum rc rc = code_open(tx, work, err);
	if (rc == OK)
		rc = code_try_open(tx, request->house, request->arena, work->id, work->digits, request->now, &work->result, err);
	if (rc == OK && work->result.answer == CODE_RIGHT) {
		work->contact_id = work->result.contact_id;
		/* Whoever read the code at the address has shown that it works again. */
		rc = contact_set_confirmed(tx, work->contact_id, CONTACT_BY_CODE, request->now, err);
		if (rc == OK)
			rc = list_people(tx, work, err);
	}
	return rc;
}

static void code_show(struct request *request, struct response *response, struct str typed, const struct err *errors)
{
	const struct str token = request_capture(request, "token");
	const struct my_code_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_my_code_title), .errors = errors,
		          .canonical = str_concat(request->arena, S("/my/code/"), token) },
		.token = token,
		.typed = typed,
	};
	struct html out = html_begin(request, response);
	my_code_page(&out, &view);
}

void my_code_get(struct request *request, struct response *response)
{
	struct code_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, code_open_work, &work, &err);
	if (rc == OK)
		code_show(request, response, S(""), NULL);
	else
		my_refuse(request, response, rc, &err);
}

static struct str visit_path(struct request *request, const struct person *person)
{
	return person_link_path(request->house, request->arena, person, LINK_VISIT, request->now);
}

void my_code_post(struct request *request, struct response *response)
{
	static const enum msg messages[] = {
		[CODE_WRONG] = MSG_travel_code_wrong,
		[CODE_WAIT] = MSG_travel_code_wait,
		[CODE_GONE] = MSG_travel_code_gone,
	};
	const struct str typed = request_form(request, "code");
	struct code_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	work.digits = code_digits(request->arena, str_is_none(typed) ? S("") : str_trim(typed));
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, code_try_work, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	if (work.result.answer == CODE_RIGHT && work.person_count == 1) {
		response_redirect(response, visit_path(request, &work.people[0]));
		return;
	}
	if (work.result.answer == CODE_RIGHT) {
		response_redirect(response, str_concat(request->arena, S("/my/choose/"), request_capture(request, "token")));
		return;
	}
	err_field(&err, S("code"), (int)messages[work.result.answer],
	          str_format(request->arena, "%lld", (long long)(work.result.wait / CLOCK_SECOND + 1)), STR_NONE);
	response->status = 422;
	code_show(request, response, str_is_none(typed) ? S("") : typed, &err);
}

/* --- several people have the address ---------------------------------------------------------------------------- */

static enum rc choose_work(struct db_tx *tx, void *context, struct err *err)
{
	struct code_work *work = context;

	enum rc rc = code_open(tx, work, err);
	if (rc == OK && (work->used_at == DB_NULL || work->contact_id == DB_NULL || work->request->now - work->used_at > CODE_LIFE))
		rc = NOT_FOUND;
	return rc == OK ? list_people(tx, work, err) : rc;
}

void my_choose_get(struct request *request, struct response *response)
{
	struct arena *arena = request->arena;
	struct code_work work = { .request = request };
	struct err err;

	err_init(&err, arena);
	enum rc rc = db_read(request->house->db, choose_work, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	struct my_choose_view view = {
		.page = { .title = T(arena, request->language, MSG_travel_my_choose_title),
		          .canonical = str_concat(arena, S("/my/choose/"), request_capture(request, "token")) },
		.records = ARENA_NEW_ARRAY(arena, struct my_record, work.person_count),
		.record_count = work.person_count,
	};
	for (size_t i = 0; i < work.person_count; i++)
		view.records[i] = (struct my_record){ &work.people[i], link_token(visit_path(request, &work.people[i])) };
	struct html out = html_begin(request, response);
	my_choose_page(&out, &view);
}
