/* Following a country or an area without a trip. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_WATCH_H
#define CHANCERY_DESKS_TRAVEL_WATCH_H

#include "desks/travel/where.h"
#include "desks/travel/travel.h"
#include "kernel/http/http.h"

#define WATCH_NAME_MAX 200          /* characters */
#define WATCH_AREA_TEXT_MAX (256 * 1024) /* bytes pasted: some ten thousand vertices; the form must come back on a bad line */
#define WATCH_RADIUS_MAX_KM 2000
#define WATCH_RADIUS_INITIAL_KM 50
#define WATCHES_MAX 50              /* of one person at a time */

enum watch_kind { WATCH_COUNTRY = 1, WATCH_AREA = 2 };

struct watch {
	int64_t id, person_id;
	struct str public_id;
	struct str external_id; /* STR_NONE: not imported */
	enum watch_kind kind;
	struct str country;     /* alpha-2, empty for an area */
	struct str name;        /* as shown */
	struct str area;        /* as geo_write_area writes it; empty for a country */
	struct str zone;        /* the person's own zone, for the morning rule */
	int64_t created_at;
	int64_t batch_id;       /* to write: the import it comes with, DB_NULL none */
};

/* As typed: a country or place, with a radius; or a polygon. */
struct watch_form {
	struct str place, choice, choice_for, radius, polygon, name;
	struct choice *choices;
	size_t choice_count;
	struct geo_report *report; /* what the polygon's reading had to say */
};
void watch_form_init(struct watch_form *form);
void watch_form_read(const struct request *request, struct watch_form *form);
bool watch_form_is_empty(const struct watch_form *form);
void watch_form_prepare(struct watch_form *form);
void watch_form_fill(struct arena *arena, const struct watch *watch, struct watch_form *form);
/* `phone`: a number in E.164 that tells the person's own zone; STR_NONE: the setting travel.home_zone. INVALID with errors on watch_place,
 * watch_choice, watch_radius, watch_polygon, watch_name. */
enum rc watch_form_check(struct house *house, struct arena *arena, enum language language, struct str phone, struct watch_form *form,
                         struct watch *out, struct err *err);

/* Each in the caller's transaction; they touch the person. */
/* The same watch again (kind, country, area, name) is no error and changes nothing. CONFLICT with a field error beyond WATCHES_MAX. */
enum rc watch_add(struct db_tx *tx, struct arena *arena, struct watch *watch, int64_t now, struct err *err);
enum rc watch_change(struct db_tx *tx, const struct watch *before, const struct watch *after, int64_t now, struct err *err);
enum rc watch_end(struct db_tx *tx, const struct watch *watch, int64_t now, struct err *err);
enum rc watch_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct str public_id, struct watch *out, struct err *err);
/* Those that have not ended. */
enum rc watch_list(struct db_tx *tx, struct arena *arena, int64_t person_id, struct watch **watches_out, size_t *count_out, struct err *err);
struct json_t;
struct json_t *watch_export(struct arena *arena, const struct watch *watch);

/* --- pages/watch.html ------------------------------------------------------------------------------------------- */
struct watch_view {
	struct page page;
	struct str token, watch_id; /* watch_id empty: a new one */
	struct watch_form form;
};
void watch_new_get(struct request *request, struct response *response);
void watch_new_post(struct request *request, struct response *response);
void watch_get(struct request *request, struct response *response);
void watch_post(struct request *request, struct response *response);
void watch_end_post(struct request *request, struct response *response);

#endif
