/* Adding, changing and ending a trip on the person's page. */
#include "desks/travel/my.h"
#include "desks/travel/respond.h"

#include "travel_pages.h"

struct trip_work {
	struct request *request;
	struct person person;
	struct trip trip;  /* as stored */
	struct trip after; /* as the form says */
};

static enum rc find_trip(struct db_tx *tx, struct trip_work *work, struct err *err)
{
	enum rc rc = my_find(tx, work->request, &work->person, err);
	return rc == OK ? trip_find(tx, work->request->arena, work->person.id, request_capture(work->request, "trip"), &work->trip, err) : rc;
}

/* A trip that may still be changed: NOT_FOUND when it was ended. */
static enum rc trip_read_work(struct db_tx *tx, void *context, struct err *err)
{
	struct trip_work *work = context;

	enum rc rc = find_trip(tx, work, err);
	return rc == OK && work->trip.ended_at != DB_NULL ? err_set(err, NOT_FOUND, "the trip was ended") : rc;
}

static void trip_show_form(struct request *request, struct response *response, struct trip_form *form, const struct err *errors)
{
	struct arena *arena = request->arena;
	const struct str token = request_capture(request, "token"), id = request_capture(request, "trip");
	struct trip_view *view = ARENA_NEW(arena, struct trip_view);

	trip_form_prepare(arena, request->language, form);
	*view = (struct trip_view){
		.page = { .title = T(arena, request->language, id.len ? MSG_travel_trip_change : MSG_travel_trip_new), .errors = errors,
		          .canonical = str_format(arena, "/my/%.*s/trips/%.*s", STR_ARG(token), STR_ARG(id.len ? id : S("new"))) },
		.token = token,
		.trip_id = str_is_none(id) ? S("") : id,
		.form = *form,
	};
	struct html out = html_begin(request, response);
	trip_page(&out, view);
}

void trip_new_get(struct request *request, struct response *response)
{
	struct trip_form *form = ARENA_NEW(request->arena, struct trip_form);
	struct person person;

	if (!my_open(request, response, &person))
		return;
	trip_form_init(form);
	trip_show_form(request, response, form, NULL);
}

void trip_get(struct request *request, struct response *response)
{
	struct trip_form *form = ARENA_NEW(request->arena, struct trip_form);
	struct trip_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, trip_read_work, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	trip_form_fill(request->arena, request->language, &work.trip, form);
	trip_show_form(request, response, form, NULL);
}

/* Reads and checks the form; true if it is whole. Otherwise the response is the form again. */
static bool trip_form_take(struct request *request, struct response *response, struct trip_work *work, struct err *err)
{
	struct trip_form *form = ARENA_NEW(request->arena, struct trip_form);

	trip_form_read(request, form);
	trip_form_changes(form, &work->trip);
	if (str_equal(request_form(request, "do"), S("add_leg"))) {
		trip_form_add_leg(form);
		trip_show_form(request, response, form, NULL);
		return false;
	}
	enum rc rc = trip_form_check(travel_places(request->house), request->arena, request->language, request->now, form, &work->after, err);
	if (rc == INVALID) {
		response->status = 422;
		trip_show_form(request, response, form, err);
	} else if (rc != OK) {
		respond_error(request, response, rc, err);
	}
	return rc == OK;
}

static enum rc trip_add_work(struct db_tx *tx, void *context, struct err *err)
{
	struct trip_work *work = context;
	struct request *request = work->request;

	enum rc rc = my_find(tx, request, &work->person, err);
	if (rc != OK)
		return rc;
	rc = trip_find_form(tx, request->arena, work->person.id, request_form_key(request), &work->trip, err);
	if (rc != NOT_FOUND)
		return rc;
	work->after.person_id = work->person.id;
	return trip_add(tx, request->arena, &work->after, request_form_key(request), request->now, err);
}

void trip_new_post(struct request *request, struct response *response)
{
	struct trip_work work = { .request = request };
	struct person person;
	struct err err;

	err_init(&err, request->arena);
	if (!my_open(request, response, &person) || !trip_form_take(request, response, &work, &err))
		return;
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, trip_add_work, &work, &err);
	if (rc == OK)
		my_done(request, response, "trip");
	else if (rc == CONFLICT && err.field_count)
		respond_error(request, response, rc, &err);
	else
		my_refuse(request, response, rc, &err);
}

static enum rc trip_change_work(struct db_tx *tx, void *context, struct err *err)
{
	struct trip_work *work = context;

	enum rc rc = find_trip(tx, work, err);
	if (rc == OK && work->trip.ended_at != DB_NULL)
		rc = NOT_FOUND;
	return rc == OK ? trip_change(tx, work->request->arena, &work->trip, &work->after, work->request->now, err) : rc;
}

void trip_post(struct request *request, struct response *response)
{
	struct trip_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, trip_read_work, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	if (!trip_form_take(request, response, &work, &err))
		return;
	rc = db_write(request->house->db, DB_LANE_PERSON, trip_change_work, &work, &err);
	if (rc == OK)
		my_done(request, response, "trip");
	else
		my_refuse(request, response, rc, &err);
}

static enum rc trip_end_work(struct db_tx *tx, void *context, struct err *err)
{
	struct trip_work *work = context;

	enum rc rc = find_trip(tx, work, err);
	if (rc == OK && work->trip.ended_at == DB_NULL)
		rc = trip_end(tx, &work->trip, work->request->now, err);
	return rc;
}

void trip_end_post(struct request *request, struct response *response)
{
	struct trip_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, trip_end_work, &work, &err);
	if (rc == OK)
		my_done(request, response, "trip_ended");
	else
		my_refuse(request, response, rc, &err);
}
