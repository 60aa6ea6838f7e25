/* Travel: trips and watches, the alerts that go to those they touch, and the board on which everyone is accounted for.
 * The room's one public header. */
#ifndef CHANCERY_DESKS_TRAVEL_H
#define CHANCERY_DESKS_TRAVEL_H

#include "core/people/people.h"
#include "core/places/places.h"
#include "kernel/desk/desk.h"

extern const struct desk travel_desk;

/* The gazetteer of the process: cmd opens it and keeps it in SLOT_PLACES before the desks start. */
static inline struct places *travel_places(const struct house *house)
{
	return house->state[SLOT_PLACES];
}

/* --- travellers --------------------------------------------------------------------------------------------------- */
/* Columns person_id, from, to; trip_id (lines with the same one are stays of one trip), place or latitude and longitude or country,
 * from_unsure, to_unsure, companions, radius_km. The people must be visible. As import_lines; `arena` lives as long as the import. */
enum rc trips_import(struct house *house, struct arena *arena, int file, const struct import_options *options, struct import_result *result,
                     struct err *err);
/* A GeoJSON FeatureCollection of Polygon and MultiPolygon with `id`; the property `person` is the id of an imported person, without it a
 * person of that watch alone is made, called as the property `name` or the id. A feature is read at a time. As import_lines; "line" is the
 * line of the file where the feature begins. */
enum rc watches_import(struct house *house, struct arena *arena, int file, const struct import_options *options, struct import_result *result,
                       struct err *err);
/* Takes an import back: invisible in one moment, then its people, trips and watches are removed in steps. What people changed themselves
 * since stays. Goes on where an earlier call was cut off. NOT_FOUND for an unknown id. */
enum rc import_take_back(struct house *house, struct arena *arena, struct str batch, struct err *err);
/* Everything about a person is erased; the sums stay. In the caller's transaction. */
enum rc traveller_erase(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err);
/* Everything stored about a person, as JSON text. */
enum rc traveller_export(struct db_tx *tx, struct arena *arena, const struct person *person, struct str *json_out, struct err *err);

/* --- alerts ------------------------------------------------------------------------------------------------------- */

/* --- the board ---------------------------------------------------------------------------------------------------- */

#endif
