/* Finding places and countries in any script, and the page of a country. */
#include "desks/travel/find.h"
#include "core/places/map.h"
#include "desks/travel/respond.h"
#include "desks/travel/travel.h"

#include "travel_pages.h"

static enum rc find_all(struct request *request, struct find_view *view, struct err *err)
{
	return country_list(travel_places(request->house), request->arena, languages[request->language].tag, &view->countries,
	                    &view->country_count, err);
}

static enum rc find_named(struct request *request, struct find_view *view, struct err *err)
{
	struct places *places = travel_places(request->house);
	const char *tag = languages[request->language].tag;
	struct place *found;

	if (view->query.len > PLACE_QUERY_MAX) {
		view->too_long = true;
		return OK;
	}
	enum rc rc = country_search(places, request->arena, view->query, tag, FIND_COUNTRIES_MAX, &view->countries, &view->country_count, err);
	if (rc == OK)
		rc = place_search(places, request->arena, view->query, tag, STR_NONE, FIND_PLACES_MAX, &found, &view->place_count, err);
	if (rc != OK)
		return rc;
	view->places = ARENA_NEW_ARRAY(request->arena, struct find_place, view->place_count);
	for (size_t i = 0; i < view->place_count; i++)
		view->places[i] = (struct find_place){ &found[i], where_place_name(places, request->arena, request->language, &found[i]),
			                               str_from(found[i].country), found[i].guess };
	return OK;
}

void find_get(struct request *request, struct response *response)
{
	const struct str query = request_query(request, "q");
	struct find_view view = {
		.page = { .title = T(request->arena, request->language, MSG_travel_find_title) },
		.query = str_is_none(query) ? S("") : str_trim(query),
		.attribution = places_attribution(travel_places(request->house)),
	};
	struct err err;

	err_init(&err, request->arena);
	view.asked = view.query.len > 0;
	enum rc rc = view.asked ? find_named(request, &view, &err) : find_all(request, &view, &err);
	if (rc != OK) {
		respond_error(request, response, rc, &err);
		return;
	}
	response->cacheable = true;
	struct html out = html_begin(request, response);
	find_page(&out, &view);
}

struct country_work {
	struct request *request;
	struct country_view *view;
};

static enum rc country_read(struct db_tx *tx, void *context, struct err *err)
{
	struct country_work *work = context;
	struct request *request = work->request;

	return alert_list_public(tx, request->house, request->arena, request->language, work->view->code, &work->view->alerts,
	                         &work->view->alert_count, err);
}

void country_get(struct request *request, struct response *response)
{
	struct arena *arena = request->arena;
	struct country_view view = { .attribution = places_attribution(travel_places(request->house)) };
	struct country_work work = { request, &view };
	struct err err;

	err_init(&err, arena);
	enum rc rc = country_find(travel_places(request->house), arena, request_capture(request, "code"), languages[request->language].tag,
	                          &view.country, &err);
	view.code = rc == OK ? str_copy(arena, str_from(view.country.code)) : S("");
	if (rc == OK)
		rc = db_read(request->house->db, country_read, &work, &err);
	if (rc != OK) {
		respond_error(request, response, rc, &err);
		return;
	}
	view.page = (struct page){ .title = view.country.name, .canonical = str_concat(arena, S("/country/"), view.code),
		                   .feed = str_concat(arena, S("/feed.atom?country="), view.code) };
	response->cacheable = true;
	struct html out = html_begin(request, response);
	country_page(&out, &view);
}

void country_map_get(struct request *request, struct response *response)
{
	struct places *places = travel_places(request->house);
	struct map_window window;
	struct country country;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = country_find(places, request->arena, request_capture(request, "code"), languages[request->language].tag, &country, &err);
	if (rc == OK && !map_window_country(places, str_from(country.code), &window))
		rc = NOT_FOUND;
	if (rc != OK) {
		respond_error(request, response, rc, &err);
		return;
	}
	response->content_type = S("image/svg+xml");
	response->cacheable = true;
	map_draw(places, &response->body, window, str_from(country.code), NULL, 0, country.name, STR_NONE);
}
