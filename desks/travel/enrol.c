/* Enrolment: one form, one transaction, and a code to every address. */
#include "desks/travel/enrol.h"
#include "desks/travel/respond.h"
#include "kernel/access/access.h"

#include "travel_pages.h"

/* --- the form --------------------------------------------------------------------------------------------------- */

struct enrol_form {
	struct str name, language, email, first;
	struct phone_form mobile;
	struct trip_form trip;
	struct watch_form watch;
	struct emergency_form emergency;
};

/* What the form says when every rule holds. */
struct enrolment {
	struct str name;
	enum language language;
	struct contact_new contacts[2];
	size_t contact_count;
	struct trip trip;
	bool has_trip;
	struct watch watch;
	bool has_watch;
	struct emergency_contact emergency;
	bool has_emergency;
	struct push_subscription push;
	bool has_push;
};

static struct str value(const struct request *request, const char *name)
{
	const struct str text = request_form(request, name);
	return str_is_none(text) ? S("") : str_trim(text);
}

static void form_read(const struct request *request, struct enrol_form *form)
{
	*form = (struct enrol_form){
		.name = value(request, "name"),
		.language = value(request, "language"),
		.email = value(request, "email"),
		.first = value(request, "first"),
	};
	phone_form_read(request, "mobile", &form->mobile);
	trip_form_read(request, &form->trip);
	watch_form_read(request, &form->watch);
	emergency_form_read(request, &form->emergency);
}

static void form_init(const struct request *request, struct enrol_form *form)
{
	*form = (struct enrol_form){ .name = S(""), .email = S(""), .first = S("email"), .language = str_from(languages[request->language].tag) };
	form->mobile.number = form->mobile.country = S("");
	trip_form_init(&form->trip);
	watch_form_init(&form->watch);
}

static void form_show(struct request *request, struct response *response, struct enrol_form *form, const struct err *errors)
{
	struct arena *arena = request->arena;
	const enum language language = request->language;
	const enum language chosen = language_find(form->language);
	struct enrol_view view = {
		.page = { .title = T(arena, language, MSG_travel_enrol_title), .errors = errors, .canonical = S("/enrol") },
		.name = form->name,
		.email = form->email,
		.languages = language_choices(arena, chosen == LANGUAGE_COUNT ? language : chosen),
		.order = ARENA_NEW_ARRAY(arena, struct choice, ENROL_ORDER_COUNT),
		.emergency_open = !emergency_form_is_empty(&form->emergency),
		.watch_open = !watch_form_is_empty(&form->watch),
	};
	struct err err;

	err_init(&err, arena);
	enum rc rc = phone_form_prepare(travel_places(request->house), arena, language, &form->mobile, &err);
	if (rc == OK)
		rc = emergency_form_prepare(travel_places(request->house), arena, language, &form->emergency, &err);
	if (rc != OK) {
		respond_error(request, response, rc, &err);
		return;
	}
	trip_form_prepare(arena, language, &form->trip);
	watch_form_prepare(&form->watch);
	const bool sms_first = str_equal(form->first, S("sms"));
	view.order[0] = (struct choice){ S("email"), T(arena, language, MSG_travel_first_email), !sms_first };
	view.order[1] = (struct choice){ S("sms"), T(arena, language, MSG_travel_first_sms), sms_first };
	view.mobile = form->mobile;
	view.trip = form->trip;
	view.watch = form->watch;
	view.emergency = form->emergency;
	push_offer_fill(request, NULL, &view.page, &view.push);
	struct html out = html_begin(request, response);
	enrol_page(&out, &view);
}

void enrol_get(struct request *request, struct response *response)
{
	struct enrol_form form;
	form_init(request, &form);
	form_show(request, response, &form, NULL);
}

/* --- the check -------------------------------------------------------------------------------------------------- */

static enum rc check_contacts(struct arena *arena, struct enrol_form *form, struct enrolment *out, struct err *err)
{
	struct contact_new mail = { .channel = CHANNEL_MAIL, .wanted = true }, sms = { .channel = CHANNEL_SMS, .wanted = true };
	const bool sms_first = str_equal(form->first, S("sms"));
	enum rc rc = OK;

	out->contact_count = 0;
	if (!form->email.len && !form->mobile.number.len)
		return err_field(err, S("email"), MSG_travel_contact_missing, STR_NONE, STR_NONE);
	if (form->email.len)
		rc = mailbox_read(arena, form->email, S("email"), &mail.address, err);
	if (form->mobile.number.len) {
		enum rc mobile = phone_form_check(arena, "mobile", true, &form->mobile, &sms.address, err);
		rc = mobile != OK ? mobile : rc;
	}
	if (rc != OK)
		return rc;
	if (form->email.len)
		out->contacts[out->contact_count++] = mail;
	if (form->mobile.number.len)
		out->contacts[out->contact_count++] = sms;
	if (out->contact_count == 2 && sms_first) {
		out->contacts[0] = sms;
		out->contacts[1] = mail;
	}
	for (size_t i = 0; i < out->contact_count; i++)
		out->contacts[i].rank = (int64_t)i + 1;
	return OK;
}

static struct str phone_of(const struct enrolment *enrolment)
{
	for (size_t i = 0; i < enrolment->contact_count; i++)
		if (enrolment->contacts[i].channel == CHANNEL_SMS)
			return enrolment->contacts[i].address;
	return STR_NONE;
}

/* The worse of two answers: a failure of ours before a broken rule. */
static enum rc worse(enum rc a, enum rc b)
{
	return a == OK || (a == INVALID && b != OK) ? b : a;
}

static enum rc form_check(struct request *request, struct enrol_form *form, struct enrolment *out, struct err *err)
{
	struct arena *arena = request->arena;
	struct places *places = travel_places(request->house);
	struct enrolment enrolment = { .has_trip = !trip_form_is_empty(&form->trip),
		                       .has_watch = !watch_form_is_empty(&form->watch),
		                       .has_emergency = !emergency_form_is_empty(&form->emergency) };

	enrolment.language = language_find(form->language);
	if (enrolment.language == LANGUAGE_COUNT)
		enrolment.language = request->language;
	enum rc rc = person_name_read(arena, form->name, S("name"), &enrolment.name, err);
	rc = worse(rc, check_contacts(arena, form, &enrolment, err));
	if (enrolment.has_trip || !enrolment.has_watch)
		rc = worse(rc, trip_form_check(places, arena, request->language, request->now, &form->trip, &enrolment.trip, err));
	if (enrolment.has_watch)
		rc = worse(rc, watch_form_check(request->house, arena, request->language, phone_of(&enrolment), &form->watch, &enrolment.watch, err));
	if (enrolment.has_emergency) {
		if (!form->emergency.phone.country.len)
			form->emergency.phone.country = form->mobile.country;
		rc = worse(rc, emergency_form_check(arena, request->now, &form->emergency, &enrolment.emergency, err));
	}
	rc = worse(rc, push_form_read(request, &enrolment.push, &enrolment.has_push, err));
	if (rc == OK)
		*out = enrolment;
	return rc;
}

/* --- the transaction -------------------------------------------------------------------------------------------- */

struct enrol_work {
	struct request *request;
	struct enrolment *enrolment;
	struct person person;
	bool busy; /* a budget is used up */
};

static enum rc write_contacts(struct db_tx *tx, struct enrol_work *work, struct err *err)
{
	struct request *request = work->request;
	struct arena *arena = request->arena;
	enum rc rc = OK;

	for (size_t i = 0; rc == OK && i < work->enrolment->contact_count; i++) {
		const struct contact_new *new = &work->enrolment->contacts[i];
		struct contact contact = { .person_id = work->person.id, .channel = new->channel, .address = new->address };
		int64_t retry_after = 0;
		rc = contact_add(tx, arena, work->person.id, new, S("email"), request->now, &contact.id, err);
		if (rc == OK)
			rc = confirm_send(tx, request->house, arena, &work->person, &contact, request->source, request->now, &retry_after, err);
		/* The record is worth more than the code: that can be asked for again on the next page. */
		if (rc == BUSY && retry_after)
			rc = OK;
	}
	return rc;
}

static enum rc write_rest(struct db_tx *tx, struct enrol_work *work, struct err *err)
{
	struct enrolment *enrolment = work->enrolment;
	struct arena *arena = work->request->arena;
	const int64_t now = work->request->now;
	int64_t contact_id;
	enum rc rc = OK;

	enrolment->trip.person_id = enrolment->watch.person_id = work->person.id;
	if (enrolment->has_push)
		rc = push_subscription_add(tx, arena, work->person.id, &enrolment->push, S("push_button"), now, &contact_id, err);
	if (rc == OK && enrolment->has_trip)
		rc = trip_add(tx, arena, &enrolment->trip, STR_NONE, now, err);
	if (rc == OK && enrolment->has_watch)
		rc = watch_add(tx, arena, &enrolment->watch, now, err);
	if (rc == OK && enrolment->has_emergency)
		rc = emergency_contact_set(tx, work->person.id, &enrolment->emergency, now, err);
	return rc;
}

static enum rc enrol_write(struct db_tx *tx, void *context, struct err *err)
{
	struct enrol_work *work = context;
	struct request *request = work->request;
	const struct person_new new = {
		.name = work->enrolment->name,
		.language = work->enrolment->language,
		.source = PERSON_FROM_WEB,
		.batch_id = DB_NULL,
		.external_id = STR_NONE,
		.form_key = request_form_key(request),
	};

	enum rc rc = person_find_form(tx, request->arena, new.form_key, &work->person, err);
	if (rc != NOT_FOUND)
		return rc; /* the same form again: the first answer */
	/* A source that is not known must not become everybody's. */
	rc = request->source ? budget_take(tx, request->house, BUDGET_ENROL_SOURCE, request->source, request->now, NULL, err) : OK;
	if (rc == OK)
		rc = budget_take(tx, request->house, BUDGET_ENROL_ALL, 0, request->now, NULL, err);
	work->busy = rc == BUSY;
	if (rc == OK)
		rc = person_add(tx, request->arena, &new, request->now, &work->person, err);
	if (rc == OK)
		rc = write_contacts(tx, work, err);
	return rc == OK ? write_rest(tx, work, err) : rc;
}

void enrol_post(struct request *request, struct response *response)
{
	struct enrol_form *form = ARENA_NEW(request->arena, struct enrol_form);
	struct enrolment enrolment;
	struct err err;

	err_init(&err, request->arena);
	form_read(request, form);
	if (str_equal(request_form(request, "do"), S("add_leg"))) {
		trip_form_add_leg(&form->trip);
		form_show(request, response, form, NULL);
		return;
	}
	struct enrol_work work = { .request = request, .enrolment = &enrolment };
	enum rc rc = form_check(request, form, &enrolment, &err);
	if (rc == INVALID) {
		response->status = 422;
		form_show(request, response, form, &err);
		return;
	}
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, enrol_write, &work, &err);
	if (rc == OK)
		response_redirect(response, person_link_path(request->house, request->arena, &work.person, LINK_CONFIRM, request->now));
	else if (work.busy)
		response_problem(request, response, PROBLEM_TOO_MANY, &err);
	else
		respond_error(request, response, rc, &err);
}
