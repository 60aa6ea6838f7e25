/* What a person changes on their page: name and language, addresses and their order, the emergency contact, the links. */
#include "desks/travel/enrol.h"
#include "desks/travel/my.h"
#include "desks/travel/respond.h"

#include "travel_pages.h"

static struct str value(const struct request *request, const char *name)
{
	const struct str text = request_form(request, name);
	return str_is_none(text) ? S("") : str_trim(text);
}

static struct str here(struct request *request, const char *below)
{
	return str_format(request->arena, "/my/%.*s/%s", STR_ARG(request_capture(request, "token")), below);
}

/* --- name and language ------------------------------------------------------------------------------------------ */

struct me_work {
	struct request *request;
	struct str name;
	enum language language;
};

static void me_show(struct request *request, struct response *response, struct str name, enum language language, const struct err *errors)
{
	const struct my_me_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_my_me), .errors = errors, .canonical = here(request, "me") },
		.token = request_capture(request, "token"),
		.name = name,
		.languages = language_choices(request->arena, language),
	};
	struct html out = html_begin(request, response);
	my_me_page(&out, &view);
}

void my_me_get(struct request *request, struct response *response)
{
	struct person person;
	if (my_open(request, response, &person))
		me_show(request, response, person.name, person.language, NULL);
}

static enum rc me_write(struct db_tx *tx, void *context, struct err *err)
{
	struct me_work *work = context;
	struct person person;

	enum rc rc = my_find(tx, work->request, &person, err);
	if (rc == OK && !str_equal(person.name, work->name))
		rc = person_set_name(tx, person.id, work->name, work->request->now, err);
	if (rc == OK && person.language != work->language)
		rc = person_set_language(tx, person.id, work->language, work->request->now, err);
	return rc;
}

void my_me_post(struct request *request, struct response *response)
{
	struct me_work work = { .request = request, .language = language_find(value(request, "language")) };
	struct person person;
	struct err err;

	err_init(&err, request->arena);
	if (!my_open(request, response, &person))
		return;
	if (work.language == LANGUAGE_COUNT)
		work.language = person.language;
	enum rc rc = person_name_read(request->arena, value(request, "name"), S("name"), &work.name, &err);
	if (rc == INVALID) {
		response->status = 422;
		me_show(request, response, value(request, "name"), work.language, &err);
		return;
	}
	rc = db_write(request->house->db, DB_LANE_PERSON, me_write, &work, &err);
	if (rc == OK)
		my_done(request, response, "saved");
	else
		my_refuse(request, response, rc, &err);
}

/* --- addresses -------------------------------------------------------------------------------------------------- */

struct contact_work {
	struct request *request;
	struct person person;
	struct contact_new new;
	int64_t id;
	struct str action;
};

static void contact_show(struct request *request, struct response *response, struct str email, struct phone_form *mobile, const struct err *errors)
{
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = phone_form_prepare(travel_places(request->house), request->arena, request->language, mobile, &err);
	if (rc != OK) {
		respond_error(request, response, rc, &err);
		return;
	}
	const struct my_contact_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_contact_add), .errors = errors,
		          .canonical = here(request, "contacts/new") },
		.token = request_capture(request, "token"),
		.email = email,
		.mobile = *mobile,
	};
	struct html out = html_begin(request, response);
	my_contact_page(&out, &view);
}

void my_contact_get(struct request *request, struct response *response)
{
	struct phone_form mobile = { .number = S(""), .country = S("") };
	struct person person;

	if (my_open(request, response, &person))
		contact_show(request, response, S(""), &mobile, NULL);
}

static enum rc contact_write(struct db_tx *tx, void *context, struct err *err)
{
	struct contact_work *work = context;
	struct request *request = work->request;
	struct contact contact;
	int64_t retry_after = 0;

	enum rc rc = my_find(tx, request, &work->person, err);
	if (rc != OK)
		return rc;
	work->new.rank = work->person.contact_count ? work->person.contacts[work->person.contact_count - 1].rank + 1 : 1;
	rc = contact_add(tx, request->arena, work->person.id, &work->new, work->new.channel == CHANNEL_MAIL ? S("email") : S("mobile"), request->now,
	                 &work->id, err);
	if (rc == OK)
		rc = contact_find(tx, request->arena, work->id, &contact, err);
	if (rc != OK || !contact_is_open(&contact))
		return rc;
	rc = confirm_send(tx, request->house, request->arena, &work->person, &contact, request->source, request->now, &retry_after, err);
	return rc == BUSY && retry_after ? OK : rc; /* the page for codes offers to send one again */
}

/* To the page where its code is typed. */
static void to_confirm(struct request *request, struct response *response, const struct person *person)
{
	response_redirect(response, person_link_path(request->house, request->arena, person, LINK_CONFIRM, request->now));
}

void my_contact_post(struct request *request, struct response *response)
{
	struct contact_work work = { .request = request, .new = { .wanted = true } };
	const struct str email = value(request, "email");
	struct phone_form mobile;
	struct person person;
	struct err err;
	enum rc rc;

	err_init(&err, request->arena);
	phone_form_read(request, "mobile", &mobile);
	if (!my_open(request, response, &person))
		return;
	if (email.len && mobile.number.len) {
		rc = err_field(&err, S("mobile"), MSG_travel_contact_one, STR_NONE, STR_NONE);
	} else if (mobile.number.len) {
		work.new.channel = CHANNEL_SMS;
		rc = phone_form_check(request->arena, "mobile", true, &mobile, &work.new.address, &err);
	} else if (email.len) {
		work.new.channel = CHANNEL_MAIL;
		rc = mailbox_read(request->arena, email, S("email"), &work.new.address, &err);
	} else {
		rc = err_field(&err, S("email"), MSG_travel_contact_missing, STR_NONE, STR_NONE);
	}
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, contact_write, &work, &err);
	if (rc == OK) {
		to_confirm(request, response, &work.person);
	} else if (rc == INVALID || (rc == CONFLICT && err.field_count)) {
		response->status = 422;
		contact_show(request, response, email, &mobile, &err);
	} else {
		my_refuse(request, response, rc, &err);
	}
}

/* Moves contact `at` one place up or down, and numbers all anew. */
static enum rc reorder(struct db_tx *tx, struct contact_work *work, size_t at, bool up, struct err *err)
{
	struct person *person = &work->person;
	const size_t other = up ? at - 1 : at + 1;
	enum rc rc = OK;

	if ((up && at == 0) || other >= person->contact_count)
		return OK;
	const struct contact moved = person->contacts[at];
	person->contacts[at] = person->contacts[other];
	person->contacts[other] = moved;
	for (size_t i = 0; rc == OK && i < person->contact_count; i++)
		rc = contact_set_order(tx, person->id, person->contacts[i].id, (int64_t)i + 1, person->contacts[i].wanted, work->request->now, err);
	return rc;
}

static enum rc contact_act(struct db_tx *tx, void *context, struct err *err)
{
	struct contact_work *work = context;
	const int64_t now = work->request->now;
	size_t at = 0;
	int64_t retry_after = 0;

	enum rc rc = my_find(tx, work->request, &work->person, err);
	while (rc == OK && at < work->person.contact_count && work->person.contacts[at].id != work->id)
		at++;
	if (rc != OK)
		return rc;
	if (at == work->person.contact_count) /* removed by the same button pressed twice */
		return str_equal(work->action, S("remove")) ? OK : NOT_FOUND;
	const struct contact *contact = &work->person.contacts[at];
	if (str_equal(work->action, S("remove")))
		return contact_remove(tx, work->person.id, contact->id, now, err);
	if (str_equal(work->action, S("up")) || str_equal(work->action, S("down")))
		return reorder(tx, work, at, str_equal(work->action, S("up")), err);
	if (str_equal(work->action, S("use")) || str_equal(work->action, S("leave")))
		return contact_set_order(tx, work->person.id, contact->id, contact->rank, str_equal(work->action, S("use")), now, err);
	if (str_equal(work->action, S("start")))
		return contact_set_opted_out(tx, contact->id, false, now, err);
	if (!str_equal(work->action, S("confirm")))
		return NOT_FOUND;
	if (!contact_is_open(contact))
		return OK;
	rc = confirm_send(tx, work->request->house, work->request->arena, &work->person, contact, work->request->source, now, &retry_after, err);
	return rc == BUSY && retry_after ? OK : rc;
}

void my_contact_act_post(struct request *request, struct response *response)
{
	struct contact_work work = { .request = request, .action = value(request, "do") };
	struct err err;

	err_init(&err, request->arena);
	if (!str_to_int(request_capture(request, "contact"), &work.id)) {
		response_problem(request, response, PROBLEM_NOT_FOUND, NULL);
		return;
	}
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, contact_act, &work, &err);
	if (rc != OK)
		my_refuse(request, response, rc, &err);
	else if (str_equal(work.action, S("confirm")))
		to_confirm(request, response, &work.person);
	else
		my_done(request, response, str_equal(work.action, S("remove")) ? "removed" : "saved");
}

/* --- whom to ask in an emergency -------------------------------------------------------------------------------- */

struct emergency_work {
	struct request *request;
	struct person person;
	struct emergency_contact contact;
	bool has, remove;
};

static enum rc emergency_read(struct db_tx *tx, void *context, struct err *err)
{
	struct emergency_work *work = context;

	enum rc rc = my_find(tx, work->request, &work->person, err);
	if (rc != OK)
		return rc;
	rc = emergency_contact_find(tx, work->request->arena, work->person.id, &work->contact, err);
	work->has = rc == OK;
	return rc == NOT_FOUND ? OK : rc;
}

static void emergency_show(struct request *request, struct response *response, struct emergency_form *form, bool has, const struct err *errors)
{
	struct err err;

	err_init(&err, request->arena);
	emergency_form_prepare(travel_places(request->house), request->arena, request->language, form, &err);
	const struct my_emergency_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_emergency), .errors = errors,
		          .canonical = here(request, "emergency") },
		.token = request_capture(request, "token"),
		.form = *form,
		.has = has,
	};
	struct html out = html_begin(request, response);
	my_emergency_page(&out, &view);
}

void my_emergency_get(struct request *request, struct response *response)
{
	struct emergency_work work = { .request = request };
	struct emergency_form form;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, emergency_read, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	const struct emergency_contact none = { S(""), S(""), S(""), S(""), 0 };
	emergency_form_fill(work.has ? &work.contact : &none, &form);
	form.consent = work.has;
	emergency_show(request, response, &form, work.has, NULL);
}

static enum rc emergency_write(struct db_tx *tx, void *context, struct err *err)
{
	struct emergency_work *work = context;

	enum rc rc = my_find(tx, work->request, &work->person, err);
	if (rc != OK)
		return rc;
	return work->remove ? emergency_contact_remove(tx, work->person.id, work->request->now, err)
	                    : emergency_contact_set(tx, work->person.id, &work->contact, work->request->now, err);
}

void my_emergency_post(struct request *request, struct response *response)
{
	struct emergency_work work = { .request = request, .remove = str_equal(value(request, "do"), S("remove")) };
	struct emergency_form form;
	struct person person;
	struct err err;

	err_init(&err, request->arena);
	if (!my_open(request, response, &person))
		return;
	emergency_form_read(request, &form);
	enum rc rc = work.remove ? OK : emergency_form_check(request->arena, request->now, &form, &work.contact, &err);
	if (rc == INVALID) {
		response->status = 422;
		emergency_show(request, response, &form, false, &err);
		return;
	}
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, emergency_write, &work, &err);
	if (rc == OK)
		my_done(request, response, "saved");
	else
		my_refuse(request, response, rc, &err);
}

/* --- links ------------------------------------------------------------------------------------------------------ */

static enum rc links_write(struct db_tx *tx, void *context, struct err *err)
{
	struct contact_work *work = context;

	enum rc rc = my_find(tx, work->request, &work->person, err);
	if (rc == OK)
		rc = person_revoke_links(tx, work->person.id, work->request->now, err);
	return rc == OK ? person_find(tx, work->request->arena, work->person.id, &work->person, err) : rc;
}

void my_links_post(struct request *request, struct response *response)
{
	struct contact_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, links_write, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	const struct str path = person_link_path(request->house, request->arena, &work.person, LINK_VISIT, request->now);
	response_redirect(response, str_concat(request->arena, path, S("?done=links")));
}
