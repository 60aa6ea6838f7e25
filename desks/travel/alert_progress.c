/* An alert that was sent: what became of its messages and people, live; its versions; and the next one. */
#include <pthread.h>

#include "core/places/map.h"
#include "desks/travel/alert_views.h"
#include "desks/travel/respond.h"
#include "kernel/access/access.h"
#include "kernel/ledger/ledger.h"

#include "travel_pages.h"
#include "travel_sql.h"

#define CHANGES_MAX 12

struct progress_work {
	struct request *request;
	struct alert alert;
	struct alert_version version; /* the newest sent one, or the draft */
	struct alert_version *versions;
	size_t version_count;
	struct message_counts messages;
	struct alert_counters people;
	int64_t parts;
	struct str *officers; /* by version */
	size_t held;          /* notices that wait for an officer's word */
};

/* Messages have no running counter of their parts, and the page is asked for every second by everyone who watches: they are counted now and
 * then, and between nobody asks the rows. */
#define PARTS_FRESH (10 * CLOCK_SECOND)
#define PARTS_KEPT 64
static pthread_mutex_t parts_lock = PTHREAD_MUTEX_INITIALIZER; /* guards parts_kept */
static struct {
	const struct house *house;
	int64_t alert_id, at, parts;
} parts_kept[PARTS_KEPT]; /* by alert id */

static enum rc parts_find(struct db_tx *tx, struct request *request, int64_t alert_id, int64_t *out, struct err *err)
{
	struct alert_parts_frozen_row frozen;
	struct alert_parts_late_row late;
	struct arena *arena = request->arena;
	const int64_t now = request->now;
	const size_t slot = (size_t)alert_id % PARTS_KEPT;

	pthread_mutex_lock(&parts_lock);
	const bool kept = parts_kept[slot].house == request->house && parts_kept[slot].alert_id == alert_id &&
	                  parts_kept[slot].at <= now && parts_kept[slot].at > now - PARTS_FRESH;
	if (kept)
		*out = parts_kept[slot].parts;
	pthread_mutex_unlock(&parts_lock);
	if (kept)
		return OK;
	enum rc rc =
		alert_parts_frozen(tx, arena, &(struct alert_parts_frozen_args){ .event_id = alert_id }, &frozen, err);
	if (rc == OK)
		rc = alert_parts_late(tx, arena, &(struct alert_parts_late_args){ .event_id = alert_id }, &late, err);
	if (rc != OK)
		return rc;
	*out = frozen.parts + late.parts;
	if (!*out)
		return OK; /* nothing is counted fast, and the first ones come any moment */
	pthread_mutex_lock(&parts_lock);
	parts_kept[slot].house = request->house;
	parts_kept[slot].alert_id = alert_id;
	parts_kept[slot].at = now;
	parts_kept[slot].parts = *out;
	pthread_mutex_unlock(&parts_lock);
	return OK;
}

static enum rc progress_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct progress_work *work = context;
	struct arena *arena = work->request->arena;
	struct alert_held_list_row *held;
	struct version_row *rows;

	enum rc rc = alert_find_public(tx, arena, request_capture(work->request, "id"), &work->alert, err);
	if (rc != OK)
		return rc;
	const struct alert *alert = &work->alert;
	rc = version_find(tx, arena, alert->version_id != DB_NULL ? alert->version_id : alert->draft_id, &work->version,
	                  err);
	if (rc == OK)
		rc = version_list_of(tx, arena, &(struct version_list_of_args){ .alert_id = alert->id }, &rows,
		                     &work->version_count, err);
	if (rc == OK)
		rc = message_count_event(tx, NOTICE_ALERT, alert->id, &work->messages, err);
	if (rc == OK)
		rc = alert_counters_find(tx, alert->id, &work->people, err);
	if (rc == OK)
		rc = parts_find(tx, work->request, alert->id, &work->parts, err);
	if (rc != OK)
		return rc;
	rc = alert_held_list(tx, arena, &(struct alert_held_list_args){ .event_id = alert->id }, &held, &work->held,
	                     err);
	if (rc != OK)
		return rc;
	work->versions = ARENA_NEW_ARRAY(arena, struct alert_version, work->version_count);
	work->officers = ARENA_NEW_ARRAY(arena, struct str, work->version_count);
	for (size_t i = 0; rc == OK && i < work->version_count; i++) {
		struct alert_officer_name_row name;
		const int64_t officer = rows[i].sent_by != DB_NULL ? rows[i].sent_by : rows[i].changed_by;
		rc = version_find(tx, arena, rows[i].id, &work->versions[i], err);
		if (rc == OK) {
			rc = alert_officer_name(tx, arena, &(struct alert_officer_name_args){ .id = officer }, &name,
			                        err);
			work->officers[i] = rc == OK ? name.name : S("");
			rc = rc == NOT_FOUND ? OK : rc;
		}
	}
	return rc;
}

/* --- what changed between versions
 * -------------------------------------------------------------------------------- */

static void add_change(struct request *request, struct version_item *item, struct str text)
{
	if (!item->changes)
		item->changes = ARENA_NEW_ARRAY(request->arena, struct str, CHANGES_MAX);
	if (item->change_count < CHANGES_MAX)
		item->changes[item->change_count++] = text;
}

static void compare_texts(struct request *request, const struct alert_version *before,
                          const struct alert_version *after, struct version_item *item)
{
	for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
		const struct alert_text *a = version_text(before, GROUP_NEW, (enum language)i),
					*b = version_text(after, GROUP_NEW, (enum language)i);
		const bool same =
			!a == !b &&
			(!a || (str_equal(a->headline, b->headline) && str_equal(a->description, b->description) &&
		                str_equal(a->instruction, b->instruction) && str_equal(a->sms, b->sms)));
		if (!same)
			add_change(request, item,
			           T(request->arena, request->language, MSG_alert_change_text,
			             MSG_S("language", str_from(languages[i].name))));
	}
}

static struct str word(const struct request *request, enum msg message)
{
	return T(request->arena, request->language, message);
}

static void from_to(struct request *request, struct version_item *item, enum msg what, struct str before,
                    struct str after)
{
	const struct str name = word(request, what);

	add_change(request, item,
	           T(request->arena, request->language, MSG_alert_change_from_to, MSG_S("what", name),
	             MSG_S("before", before), MSG_S("after", after)));
}

static void compare(struct request *request, const struct alert_version *before, const struct alert_version *after,
                    struct version_item *item)
{
	if (before->severity != after->severity)
		from_to(request, item, MSG_alert_severity, word(request, severity_message(before->severity)),
		        word(request, severity_message(after->severity)));
	if (before->urgency != after->urgency)
		from_to(request, item, MSG_alert_urgency, word(request, urgency_message(before->urgency)),
		        word(request, urgency_message(after->urgency)));
	if (before->certainty != after->certainty)
		from_to(request, item, MSG_alert_certainty, word(request, certainty_message(before->certainty)),
		        word(request, certainty_message(after->certainty)));
	if (before->expires != after->expires)
		from_to(request, item, MSG_alert_expires, alert_time_text(request, before->expires, before->zone),
		        alert_time_text(request, after->expires, after->zone));
	if (!str_equal(before->area_text, after->area_text))
		from_to(request, item, MSG_alert_area,
		        version_area(places_of(request->house), request->arena, request->language, before),
		        version_area(places_of(request->house), request->arena, request->language, after));
	if (before->channels != after->channels)
		add_change(request, item, word(request, MSG_alert_change_channels));
	compare_texts(request, before, after, item);
}

static void versions_make(const struct progress_work *work, struct progress_view *view)
{
	struct request *request = work->request;

	view->versions = ARENA_NEW_ARRAY(request->arena, struct version_item, work->version_count);
	view->version_count = work->version_count;
	for (size_t i = 0; i < work->version_count; i++) {
		const struct alert_version *version = &work->versions[i];
		struct version_item *item = &view->versions[i];
		*item = (struct version_item){
			.number = version->number,
			.people = version->targeted,
			.at = version->sent_at != DB_NULL ? version->sent_at : version->changed_at,
			.type = type_message(version->type),
			.officer = work->officers[i],
			.is_draft = version->sent_at == DB_NULL,
		};
		if (i + 1 < work->version_count && version->type != ALERT_CANCEL && version->type != ALERT_CLEAR)
			compare(request, &work->versions[i + 1], version, item);
	}
}

/* --- the page ----------------------------------------------------------------------------------------------------- */

static void channels_make(const struct message_counts *counts, struct progress_view *view)
{
	static const enum msg names[CHANNEL_KIND_COUNT] = { MSG_none, MSG_alert_channel_mail, MSG_alert_channel_sms,
		                                               MSG_alert_channel_push };

	for (size_t i = CHANNEL_NONE + 1; i < CHANNEL_KIND_COUNT; i++) {
		const int64_t *of = counts->of[i];
		view->channels[view->channel_count++] = (struct channel_row){
			.name = names[i],
			.planned = of[MESSAGE_PLANNED],
			.queued = of[MESSAGE_QUEUED] + of[MESSAGE_LEASED],
			.submitted = of[MESSAGE_SUBMITTED],
			.accepted = of[MESSAGE_ACCEPTED],
			.delivered = of[MESSAGE_DELIVERED],
			.failed = of[MESSAGE_FAILED],
			.expired = of[MESSAGE_EXPIRED],
			.superseded = of[MESSAGE_SUPERSEDED],
			.in_doubt = of[MESSAGE_IN_DOUBT],
			.not_sent = of[MESSAGE_NOT_SENT],
			.was_in_doubt = of[MESSAGE_STATE_COUNT],
		};
	}
}

void alert_get(struct request *request, struct response *response)
{
	struct progress_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, progress_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const struct alert *alert = &work.alert;
	struct progress_view view = {
		.page = { .title = T(request->arena, request->language, MSG_alert_page_title,
		                     MSG_N("number", alert->number)),
		          .officer_page = true,
		          .wide = true,
		          .script = "live.js",
		          .refresh = alert->state == ALERT_IN_FORCE ? S("20") : STR_NONE,
		          .notice = str_equal(request_query(request, "done"), S("sent"))
		                            ? T(request->arena, request->language, MSG_alert_done_sent)
		                            : STR_NONE,
		          .canonical = str_format(request->arena, "/desk/alert/%.*s", STR_ARG(alert->public_id)) },
		.id = alert->public_id,
		.item = alert_item_of(request, alert, &work.version),
		.state = alert->state,
		.has_draft = alert->draft_id != DB_NULL && alert->state != ALERT_ENDED,
		.draft_url = html_url(request->arena,
		                      str_format(request->arena, "/desk/alert/%.*s/review", STR_ARG(alert->public_id))),
		.people = work.people,
		.sms_parts = work.parts,
		.held = work.held > 0,
		.cost = sms_cost_text(request, work.parts),
	};
	channels_make(&work.messages, &view);
	versions_make(&work, &view);
	view.area = area_words(places_of(request->house), request->arena, request->language, &work.version.area,
	                       &view.area_count);
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	alert_page(&out, &view);
}

struct find_work {
	struct request *request;
	struct alert alert;
	struct alert_version version;
	enum alert_type type;
	int64_t version_id;
};

static enum rc find_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct find_work *work = context;

	return alert_find_public(tx, work->request->arena, request_capture(work->request, "id"), &work->alert, err);
}

void alert_events_get(struct request *request, struct response *response)
{
	struct find_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, find_in_store, &work, &err);
	if (rc == OK)
		rc = response_stream(request, response,
		                     str_format(request->arena, "alert/%lld", (long long)work.alert.id));
	if (rc != OK)
		response_error(request, response, rc, &err);
}

/* --- the next version
 * --------------------------------------------------------------------------------------------- */

static enum rc next_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct find_work *work = context;
	struct request *request = work->request;

	enum rc rc = find_in_store(tx, work, err);
	return rc == OK ? draft_begin(tx, request->arena, &work->alert, work->type, request->officer->id, request->now,
	                              &work->version_id, err)
	                : rc;
}

void alert_next_post(struct request *request, struct response *response)
{
	struct find_work work = { .request = request };
	struct err err;
	int64_t type = 0;

	err_init(&err, request->arena);
	if (!str_to_int(request_form(request, "type"), &type) || type <= ALERT_NEW || type >= ALERT_TYPE_COUNT) {
		response_problem(request, response, PROBLEM_BAD_REQUEST, NULL);
		return;
	}
	work.type = (enum alert_type)type;
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, next_in_store, &work, &err);
	if (rc == OK || (rc == CONFLICT && work.alert.state == ALERT_IN_FORCE))
		/* A draft of another kind: it is shown, to be finished or thrown away. */
		response_redirect(response,
		                  str_format(request->arena, "/desk/alert/%.*s/edit", STR_ARG(work.alert.public_id)));
	else
		response_error(request, response, rc, &err);
}

/* --- messages that grew old over a stop --------------------------------------------------------------------------- */

static enum rc held_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct find_work *work = context;
	struct request *request = work->request;
	struct alert_held_list_row *held;
	size_t count = 0;

	enum rc rc = find_in_store(tx, work, err);
	if (rc == OK)
		rc = alert_held_list(tx, request->arena, &(struct alert_held_list_args){ .event_id = work->alert.id },
		                     &held, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = notice_resume(tx, held[i].id, err);
	if (rc != OK || !count)
		return rc;
	return ledger_append(tx, request->officer->id, "alert.resume",
	                     str_format(request->arena, "alert:%.*s", STR_ARG(work->alert.public_id)), STR_NONE,
	                     request->now, err);
}

void alert_held_post(struct request *request, struct response *response)
{
	struct find_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, held_in_store, &work, &err);
	if (rc == OK) {
		messages_wake(request->house);
		response_redirect(response,
		                  str_format(request->arena, "/desk/alert/%.*s", STR_ARG(work.alert.public_id)));
	} else {
		response_error(request, response, rc, &err);
	}
}

/* --- maps --------------------------------------------------------------------------------------------------------- */

enum map_tone severity_tone(enum alert_severity severity)
{
	static const enum map_tone tones[SEVERITY_COUNT] = { MAP_MINOR,    MAP_EXTREME, MAP_SEVERE,
		                                             MAP_MODERATE, MAP_MINOR,   MAP_MINOR };

	return severity > 0 && severity < SEVERITY_COUNT ? tones[severity] : MAP_MINOR;
}

void alert_map_respond(struct request *request, struct response *response, const struct map_shape *shapes, size_t count,
                       struct str description)
{
	const struct places *places = places_of(request->house);
	const struct map_window window = count ? map_window_shapes(places, shapes, count) : map_window_world();

	response->content_type = S("image/svg+xml");
	map_draw(places, &response->body, window, S(""), shapes, count,
	         T(request->arena, request->language, MSG_alert_map_title), description);
}

static enum rc map_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct find_work *work = context;
	const struct alert *alert = &work->alert;

	enum rc rc = find_in_store(tx, work, err);
	if (rc == OK)
		rc = version_find(tx, work->request->arena,
		                  alert->draft_id != DB_NULL ? alert->draft_id : alert->version_id, &work->version,
		                  err);
	return rc;
}

void alert_map_get(struct request *request, struct response *response)
{
	struct find_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, map_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const struct map_shape shape = { &work.version.area, severity_tone(work.version.severity),
		                         version_headline(&work.version, request->language) };
	alert_map_respond(request, response, &shape, 1,
	                  version_area(places_of(request->house), request->arena, request->language, &work.version));
}
