/* Adding, changing and ending a watch on the person's page. */
#include "desks/travel/my.h"
#include "desks/travel/respond.h"

#include "travel_pages.h"

struct watch_work {
	struct request *request;
	struct person person;
	struct watch watch; /* as stored */
	struct watch after; /* as the form says */
};

static enum rc find_watch(struct db_tx *tx, void *context, struct err *err)
{
	struct watch_work *work = context;

	enum rc rc = my_find(tx, work->request, &work->person, err);
	return rc == OK ? watch_find(tx, work->request->arena, work->person.id, request_capture(work->request, "watch"), &work->watch, err) : rc;
}

static void watch_show_form(struct request *request, struct response *response, struct watch_form *form, const struct err *errors)
{
	struct arena *arena = request->arena;
	const struct str token = request_capture(request, "token"), id = request_capture(request, "watch");

	watch_form_prepare(form);
	const struct watch_view view = {
		.page = { .title = T(arena, request->language, id.len ? MSG_travel_watch_change : MSG_travel_watch_new), .errors = errors,
		          .canonical = str_format(arena, "/my/%.*s/watches/%.*s", STR_ARG(token), STR_ARG(id.len ? id : S("new"))) },
		.token = token,
		.watch_id = str_is_none(id) ? S("") : id,
		.form = *form,
	};
	struct html out = html_begin(request, response);
	watch_page(&out, &view);
}

void watch_new_get(struct request *request, struct response *response)
{
	struct watch_form form;
	struct person person;

	if (!my_open(request, response, &person))
		return;
	watch_form_init(&form);
	watch_show_form(request, response, &form, NULL);
}

void watch_get(struct request *request, struct response *response)
{
	struct watch_work work = { .request = request };
	struct watch_form form;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, find_watch, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	watch_form_fill(request->arena, &work.watch, &form);
	watch_show_form(request, response, &form, NULL);
}

static struct str phone_of(const struct person *person)
{
	for (size_t i = 0; i < person->contact_count; i++)
		if (person->contacts[i].channel == CHANNEL_SMS)
			return person->contacts[i].address;
	return STR_NONE;
}

/* Reads and checks the form; true if it is whole. Otherwise the response is the form again. */
static bool watch_form_take(struct request *request, struct response *response, const struct person *person, struct watch *out,
                            struct err *err)
{
	struct watch_form form;

	watch_form_read(request, &form);
	enum rc rc = watch_form_check(request->house, request->arena, request->language, phone_of(person), &form, out, err);
	if (rc == INVALID) {
		response->status = 422;
		watch_show_form(request, response, &form, err);
	} else if (rc != OK) {
		respond_error(request, response, rc, err);
	}
	return rc == OK;
}

static enum rc watch_add_work(struct db_tx *tx, void *context, struct err *err)
{
	struct watch_work *work = context;

	enum rc rc = my_find(tx, work->request, &work->person, err);
	work->after.person_id = work->person.id;
	return rc == OK ? watch_add(tx, work->request->arena, &work->after, work->request->now, err) : rc;
}

static enum rc watch_change_work(struct db_tx *tx, void *context, struct err *err)
{
	struct watch_work *work = context;

	enum rc rc = find_watch(tx, work, err);
	return rc == OK ? watch_change(tx, &work->watch, &work->after, work->request->now, err) : rc;
}

static void watch_save(struct request *request, struct response *response, db_work write)
{
	struct watch_work work = { .request = request };
	struct person person;
	struct err err;

	err_init(&err, request->arena);
	if (!my_open(request, response, &person) || !watch_form_take(request, response, &person, &work.after, &err))
		return;
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, write, &work, &err);
	if (rc == OK)
		my_done(request, response, "watch");
	else if (rc == CONFLICT && err.field_count)
		respond_error(request, response, rc, &err);
	else
		my_refuse(request, response, rc, &err);
}

void watch_new_post(struct request *request, struct response *response)
{
	watch_save(request, response, watch_add_work);
}

void watch_post(struct request *request, struct response *response)
{
	watch_save(request, response, watch_change_work);
}

static enum rc watch_end_work(struct db_tx *tx, void *context, struct err *err)
{
	struct watch_work *work = context;

	enum rc rc = find_watch(tx, work, err);
	if (rc == OK)
		return watch_end(tx, &work->watch, work->request->now, err);
	/* Ended already by the same button: nothing to do, for the person whose page it is. */
	return rc == NOT_FOUND ? my_find(tx, work->request, &work->person, err) : rc;
}

void watch_end_post(struct request *request, struct response *response)
{
	struct watch_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, watch_end_work, &work, &err);
	if (rc == OK)
		my_done(request, response, "watch_ended");
	else
		my_refuse(request, response, rc, &err);
}
