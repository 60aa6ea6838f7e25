/* What everybody may see: the alerts in force, and a page for each. Exercises are never among them. */
#include <stdlib.h>

#include "core/places/map.h"
#include "desks/travel/alert_views.h"

#include "travel_pages.h"
#include "travel_sql.h"

/* --- the list ----------------------------------------------------------------------------------------------------- */

/* The version whose words and area are public: a cancel says that it is over, the words stay those before it. */
static bool touches(const struct house *house, const struct geo_area *area, uint16_t country)
{
	const struct geo_outlines *outlines = places_outlines(places_of(house));
	bool meets = false;

	for (size_t i = 0; i < area->country_count; i++)
		if (area->countries[i] == country)
			return true;
	if (country && country < GEO_COUNTRIES && outlines->of[country]) {
		struct geo_prepared *prepared = geo_prepared_new(area);
		meets = geo_prepared_meets(prepared, outlines->of[country], NULL);
		geo_prepared_free(prepared);
	}
	return meets;
}

static int worst_first(const void *a, const void *b)
{
	const struct alert_public *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->sent_at < y->sent_at) - (x->sent_at > y->sent_at);
}

enum rc alert_list_public(struct db_tx *tx, struct house *house, struct arena *arena, enum language language,
                          struct str country, struct alert_public **list_out, size_t *count_out, struct err *err)
{
	const uint16_t wanted = country.len ? geo_country(country) : 0;
	struct alert_row *rows;
	size_t row_count, count = 0;

	enum rc rc = alert_list_in_force(tx, arena, &rows, &row_count, err);
	if (rc != OK)
		return rc;
	struct alert_public *list = ARENA_NEW_ARRAY(arena, struct alert_public, row_count);
	for (size_t i = 0; rc == OK && i < row_count; i++) {
		struct alert_version version;
		if (rows[i].exercise)
			continue;
		rc = version_find(tx, arena, rows[i].version_id, &version, err);
		if (rc != OK || (wanted && !touches(house, &version.area, wanted)))
			continue;
		struct alert_public *item = &list[count++];
		*item = (struct alert_public){ .public_id = rows[i].public_id,
			                       .area = version_area(places_of(house), arena, language, &version),
			                       .kind = kind_message((enum alert_kind)rows[i].kind),
			                       .severity = severity_message(version.severity),
			                       .severity_class = severity_class(version.severity),
			                       .rank = (int)version.severity,
			                       .sent_at = version.sent_at,
			                       .expires = version.expires,
			                       .shape = version.area };
		const struct alert_text words = alert_words(arena, &version, GROUP_NEW, language, &item->fell_back);
		item->headline = words.headline;
		item->language = words.language;
		item->description = words.description;
		item->instruction = words.instruction;
	}
	if (rc != OK)
		return rc;
	if (count > 1)
		qsort(list, count, sizeof *list, worst_first);
	*list_out = list;
	*count_out = count;
	return OK;
}

struct list_work {
	struct request *request;
	struct str country;
	struct alert_public *list;
	size_t count;
};

static enum rc list_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct list_work *work = context;
	struct request *request = work->request;

	return alert_list_public(tx, request->house, request->arena, request->language, work->country, &work->list,
	                         &work->count, err);
}

void alerts_map_get(struct request *request, struct response *response)
{
	struct list_work work = { .request = request, .country = request_query(request, "country") };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, list_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const struct places *places = places_of(request->house);
	struct map_shape *shapes = ARENA_NEW_ARRAY(request->arena, struct map_shape, work.count);
	for (size_t i = 0; i < work.count; i++)
		shapes[work.count - 1 - i] =
			(struct map_shape){ &work.list[i].shape, severity_tone((enum alert_severity)work.list[i].rank),
			                    work.list[i].headline };
	struct map_window window = map_window_world();
	if (work.country.len)
		map_window_country(places, work.country, &window);
	response->content_type = S("image/svg+xml");
	response->cacheable = true;
	map_draw(places, &response->body, window, work.country.len ? work.country : S(""), shapes, work.count,
	         T(request->arena, request->language, MSG_alert_map_all), S(""));
}

/* --- one alert ---------------------------------------------------------------------------------------------------- */

struct public_work {
	struct request *request;
	struct alert alert;
	struct alert_version version; /* as it was last sent */
};

static enum rc public_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct public_work *work = context;
	struct arena *arena = work->request->arena;

	enum rc rc = alert_find_public(tx, arena, request_capture(work->request, "id"), &work->alert, err);
	if (rc == OK && (work->alert.exercise || work->alert.version_id == DB_NULL))
		rc = NOT_FOUND;
	return rc == OK ? version_find(tx, arena, work->alert.version_id, &work->version, err) : rc;
}

void alert_public_get(struct request *request, struct response *response)
{
	struct public_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, public_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const struct alert_version *version = &work.version;
	const bool ends = version->type == ALERT_CANCEL || version->type == ALERT_CLEAR;
	bool fell_back;
	const struct alert_text words =
		alert_words(request->arena, version, ends ? GROUP_RELEASED : GROUP_NEW, request->language, &fell_back);
	struct public_alert_view view = {
		.page = { .title = words.headline,
		          .canonical = str_format(request->arena, "/alert/%.*s", STR_ARG(work.alert.public_id)) },
		.id = work.alert.public_id,
		.type = version->type,
		.in_force = work.alert.state == ALERT_IN_FORCE,
		.kind = kind_message(work.alert.kind),
		.severity = severity_message(version->severity),
		.urgency = urgency_message(version->urgency),
		.certainty = certainty_message(version->certainty),
		.severity_class = severity_class(version->severity),
		.language = words.language,
		.fell_back = fell_back,
		.language_name = str_from(languages[words.language].name),
		.description = alert_markup(request->arena, words.description),
		.instruction = alert_markup(request->arena, words.instruction),
		.area_description = version->area_description,
		.sent_at = version->sent_at,
		.onset = version->onset,
		.expires = version->expires,
		.zone = version->zone,
		.map_description = T(request->arena, request->language, MSG_alert_map_title),
	};
	view.area = area_words(places_of(request->house), request->arena, request->language, &version->area,
	                       &view.area_count);
	struct html out = html_begin(request, response);
	response->cacheable = true;
	public_alert_page(&out, &view);
}

void alert_public_map_get(struct request *request, struct response *response)
{
	struct public_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, public_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const enum map_tone tone = work.alert.state == ALERT_IN_FORCE ? severity_tone(work.version.severity) : MAP_PAST;
	const struct map_shape shape = { &work.version.area, tone, version_headline(&work.version, request->language) };
	response->cacheable = true;
	alert_map_respond(request, response, &shape, 1,
	                  version_area(places_of(request->house), request->arena, request->language, &work.version));
}
