/* The person's own copy of everything stored about them, and its deletion. */
#include <jansson.h>
#include <stdlib.h>

#include "desks/travel/my.h"
#include "desks/travel/enrol.h"
#include "desks/travel/respond.h"
#include "kernel/access/access.h"

#include "travel_pages.h"
#include "travel_sql.h"

/* --- the copy --------------------------------------------------------------------------------------------------- */

static json_t *text(struct str s)
{
	return json_stringn(s.ptr ? s.ptr : "", s.len);
}

static json_t *time_text(struct arena *arena, int64_t at)
{
	return at > 0 ? text(clock_format(arena, at)) : json_null();
}

static const char *channel_name(int64_t channel)
{
	return channel == CHANNEL_MAIL ? "e-mail" : channel == CHANNEL_SMS ? "SMS" : channel == CHANNEL_PUSH ? "notification" : "none";
}

static json_t *contacts_export(const struct person *person)
{
	json_t *list = json_array();
	for (size_t i = 0; i < person->contact_count; i++) {
		const struct contact *contact = &person->contacts[i];
		json_array_append_new(list, json_pack("{ss, so, sI, sb, sb, sb, sb}", "channel", channel_name(contact->channel), "address",
		                                      text(contact->address), "order", (json_int_t)contact->rank, "used", contact->wanted, "confirmed",
		                                      contact->confirmed, "stopped_by_you", contact->opted_out, "does_not_work", contact->ended));
	}
	return list;
}

struct each {
	struct arena *arena;
	json_t *list;
};

static enum rc each_message(void *context, const struct export_message_each_row *row)
{
	struct each *each = context;
	json_t *item = json_pack("{ss, so, so}", "channel", channel_name(row->channel), "written_at", time_text(each->arena, row->created_at),
	                         "handed_over_at", time_text(each->arena, row->accepted_at));
	if (row->number != DB_NULL)
		json_object_set_new(item, "alert", json_integer(row->number));
	if (row->subject.len)
		json_object_set_new(item, "subject", text(row->subject));
	if (row->body.ptr)
		json_object_set_new(item, "text", text(row->body));
	json_array_append_new(each->list, item);
	return OK;
}

static enum rc each_incoming(void *context, const struct export_incoming_each_row *row)
{
	struct each *each = context;
	json_array_append_new(each->list, json_pack("{ss, so, so, so}", "channel", channel_name(row->channel), "received_at",
	                                            time_text(each->arena, row->received_at), "subject", text(row->subject), "text",
	                                            text(row->body)));
	return OK;
}

static enum rc each_response(void *context, const struct export_response_each_row *row)
{
	static const char *const statuses[] = { "", "safe", "needs help", "withdrawn" };
	struct each *each = context;
	const char *status = row->status >= 1 && row->status <= 3 ? statuses[row->status] : "";
	json_array_append_new(each->list, json_pack("{sI, ss, so, so, so}", "alert", (json_int_t)row->number, "answer", status, "received_at",
	                                            time_text(each->arena, row->received_at), "note", text(row->note), "place", text(row->place)));
	return OK;
}

static enum rc each_contact_told(void *context, const struct export_contact_told_each_row *row)
{
	struct each *each = context;
	json_array_append_new(each->list, json_pack("{sI, ss, so, so}", "alert", (json_int_t)row->number, "channel", channel_name(row->channel),
	                                            "written_at", time_text(each->arena, row->told_at), "text",
	                                            row->body.ptr ? text(row->body) : json_null()));
	return OK;
}

static enum rc export_lists(struct db_tx *tx, struct arena *arena, const struct person *person, json_t *out, struct err *err)
{
	struct each messages = { arena, json_array() }, incoming = { arena, json_array() }, responses = { arena, json_array() },
		    contact = { arena, json_array() };

	json_object_set_new(out, "messages_to_you", messages.list);
	json_object_set_new(out, "messages_from_you", incoming.list);
	json_object_set_new(out, "answers_to_alerts", responses.list);
	json_object_set_new(out, "messages_to_your_emergency_contact", contact.list);
	enum rc rc = export_message_each(tx, &(struct export_message_each_args){ person->id }, each_message, &messages, err);
	if (rc == OK)
		rc = export_incoming_each(tx, &(struct export_incoming_each_args){ person->id }, each_incoming, &incoming, err);
	if (rc == OK)
		rc = export_response_each(tx, &(struct export_response_each_args){ person->id }, each_response, &responses, err);
	if (rc == OK)
		rc = export_contact_told_each(tx, &(struct export_contact_told_each_args){ person->id }, each_contact_told, &contact, err);
	return rc;
}

static enum rc export_stays(struct db_tx *tx, struct arena *arena, const struct person *person, json_t *out, struct err *err)
{
	json_t *trip_list_out = json_array(), *watch_list_out = json_array();
	struct trip *trips;
	struct watch *watches;
	size_t trip_count = 0, watch_count = 0;

	json_object_set_new(out, "trips", trip_list_out);
	json_object_set_new(out, "follows", watch_list_out);
	enum rc rc = trip_list(tx, arena, person->id, true, &trips, &trip_count, err);
	for (size_t i = 0; rc == OK && i < trip_count; i++)
		json_array_append_new(trip_list_out, trip_export(arena, &trips[i]));
	if (rc == OK)
		rc = watch_list(tx, arena, person->id, &watches, &watch_count, err);
	for (size_t i = 0; rc == OK && i < watch_count; i++)
		json_array_append_new(watch_list_out, watch_export(arena, &watches[i]));
	return rc;
}

static enum rc export_emergency(struct db_tx *tx, struct arena *arena, const struct person *person, json_t *out, struct err *err)
{
	struct emergency_contact contact;

	enum rc rc = emergency_contact_find(tx, arena, person->id, &contact, err);
	if (rc == OK)
		json_object_set_new(out, "emergency_contact",
		                    json_pack("{so, so, so, so, so}", "name", text(contact.name), "relation", text(contact.relation), "email",
		                              text(contact.email), "phone", text(contact.phone), "consent_at", time_text(arena, contact.consent_at)));
	return rc == NOT_FOUND ? OK : rc;
}

enum rc traveller_export(struct db_tx *tx, struct arena *arena, const struct person *person, struct str *json_out, struct err *err)
{
	json_t *out = json_pack("{so, so, ss, so}", "id", text(person->public_id), "name", text(person->name), "language",
	                        languages[person->language].tag, "enrolled_at", time_text(arena, person->created_at));

	json_object_set_new(out, "contacts", contacts_export(person));
	enum rc rc = export_emergency(tx, arena, person, out, err);
	if (rc == OK)
		rc = export_stays(tx, arena, person, out, err);
	if (rc == OK)
		rc = export_lists(tx, arena, person, out, err);
	char *dump = rc == OK ? json_dumps(out, JSON_INDENT(2)) : NULL;
	if (rc == OK && !dump)
		rc = err_set(err, FAILED, "no memory for an export");
	if (rc == OK)
		*json_out = str_copy(arena, str_from(dump));
	free(dump);
	json_decref(out);
	return rc;
}

struct export_work {
	struct request *request;
	struct str json;
};

static enum rc export_read(struct db_tx *tx, void *context, struct err *err)
{
	struct export_work *work = context;
	struct person person;

	enum rc rc = my_find(tx, work->request, &person, err);
	return rc == OK ? traveller_export(tx, work->request->arena, &person, &work->json, err) : rc;
}

void my_export_get(struct request *request, struct response *response)
{
	struct export_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, export_read, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	response_download(response, S("application/json"), "my-data.json");
	buf_add_str(&response->body, work.json);
}

/* --- deletion --------------------------------------------------------------------------------------------------- */

enum rc traveller_erase(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err)
{
	enum rc rc = erase_message_text(tx, &(struct erase_message_text_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_incoming_text(tx, &(struct erase_incoming_text_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_inbox_note(tx, &(struct erase_inbox_note_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_response_text(tx, &(struct erase_response_text_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_board_note(tx, &(struct erase_board_note_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_companion(tx, &(struct erase_companion_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_leg(tx, &(struct erase_leg_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_watch(tx, &(struct erase_watch_args){ person_id }, NULL, err);
	if (rc == OK)
		rc = erase_trip(tx, &(struct erase_trip_args){ person_id }, NULL, err);
	return rc == OK ? person_erase(tx, person_id, now, err) : rc;
}

struct delete_work {
	struct request *request;
	struct my_delete_view *view;
};

static enum rc delete_read(struct db_tx *tx, void *context, struct err *err)
{
	struct delete_work *work = context;
	struct person person;
	struct trip *trips;
	struct watch *watches;

	enum rc rc = my_find(tx, work->request, &person, err);
	if (rc == OK)
		rc = trip_list(tx, work->request->arena, person.id, false, &trips, &work->view->trips, err);
	if (rc == OK)
		rc = watch_list(tx, work->request->arena, person.id, &watches, &work->view->watches, err);
	if (rc == OK)
		work->view->contacts = person.contact_count;
	return rc;
}

void my_delete_get(struct request *request, struct response *response)
{
	struct my_delete_view view = { .token = request_capture(request, "token") };
	struct delete_work work = { request, &view };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, delete_read, &work, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	view.page = (struct page){ .title = T(request->arena, request->language, MSG_travel_delete_title),
		                   .canonical = str_format(request->arena, "/my/%.*s/delete", STR_ARG(view.token)) };
	struct html out = html_begin(request, response);
	my_delete_page(&out, &view);
}

static enum rc delete_write(struct db_tx *tx, void *context, struct err *err)
{
	struct request *request = context;
	struct person person;
	int64_t id;

	enum rc rc = my_find(tx, request, &person, err);
	if (rc == OK)
		return traveller_erase(tx, person.id, request->now, err);
	/* The button pressed twice: the record has ended, and with it the link. */
	if (rc == NOT_FOUND && capability_id(request_capture(request, "token"), &id) &&
	    person_find(tx, request->arena, id, &person, err) == OK && person.ended_at != DB_NULL && request->now - person.ended_at < CLOCK_MINUTE)
		return OK;
	return rc;
}

void my_delete_post(struct request *request, struct response *response)
{
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, delete_write, request, &err);
	if (rc != OK) {
		my_refuse(request, response, rc, &err);
		return;
	}
	db_scrub(request->house->db);
	response_redirect(response, S("/my/deleted"));
}

void my_deleted_get(struct request *request, struct response *response)
{
	const struct my_gone_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_deleted_title), .canonical = S("/my/deleted") },
	};
	struct html out = html_begin(request, response);
	my_deleted_page(&out, &view);
}
