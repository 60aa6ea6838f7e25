/* Travel: trips and watches, the alerts that go to those they touch, and the board on which everyone is accounted for.
 * The room's one public header. */
#ifndef CHANCERY_DESKS_TRAVEL_H
#define CHANCERY_DESKS_TRAVEL_H

#include "core/people/people.h"
#include "core/places/places.h"
#include "kernel/desk/desk.h"
#include "kernel/text/text.h"

extern const struct desk travel_desk;
/* Tells core/messages who answers for alerts, so that messages can be taken in without the room's start: for `chancery receive-mail`. */
void travel_register(struct house *house);

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
/* For commands, after house_start. The file of `chancery alert create FILE` is a JSON object:
 *	{ "kind": "weather", "severity": "Severe", "urgency": "Immediate", "certainty": "Observed", "exercise": false,
 *	  "countries": ["TN"], "circles": [{ "lat": 34.7, "lon": 10.8, "km": 30 }], "area": GeoJSON or coordinates as text,
 *	  "hours": 24 (or "expires": "2026-11-24T11:30:00+00:00"), "zone": "Africa/Tunis", "channels": ["mail", "sms"],
 *	  "possible": true, "night": false, "language": "en",
 *	  "texts": { "en": { "headline": "...", "description": "...", "instruction": "...", "sms": "..." }, "ar": ... },
 *	  "changed": texts of an update for those still inside, "released": texts for those for whom it is over }
 * Makes a draft; INVALID with errors by field. */
enum rc alert_create_json(struct house *house, struct arena *arena, struct str json, int64_t now, struct str *public_id_out, struct err *err);
/* Begins the next version of an alert in force: `type` "update", "cancel" or "clear". `json` STR_NONE: as it stands. CONFLICT if another
 * draft is open. */
enum rc alert_next_json(struct house *house, struct arena *arena, struct str public_id, struct str type, struct str json, int64_t now,
                        struct err *err);
/* Sends the draft; *people_out: how many get a message. CONFLICT if there is none. */
enum rc alert_send_command(struct house *house, struct arena *arena, struct str public_id, int64_t now, int64_t *people_out, struct err *err);
/* State, sums of people and of messages by channel, as one JSON object. */
enum rc alert_show_json(struct house *house, struct arena *arena, struct str public_id, struct str *json_out, struct err *err);
/* Ladders under names (docs/decisions/0052), for `chancery ladder`. `rungs` as alert_ladder.h reads them; each change is in the ledger.
 * INVALID: the name or the words are wrong; CONFLICT: there is one of that name; NOT_FOUND: there is none. */
enum rc ladder_add(struct house *house, struct str name, struct str rungs, int64_t now, struct err *err);
enum rc ladder_change(struct house *house, struct str name, struct str rungs, int64_t now, struct err *err);
enum rc ladder_remove(struct house *house, struct str name, int64_t now, struct err *err);
/* Calls `each` for every ladder by name. */
enum rc ladder_each(struct house *house, void (*each)(void *context, struct str name, struct str rungs), void *context, struct err *err);
/* For `chancery check`: calls `report` for each sum of people that does not hold; *wrong_out gets their number. */
enum rc alert_check(struct house *house, void (*report)(void *context, struct str line), void *context, int64_t *wrong_out, struct err *err);

struct alert_public {
	struct str public_id, headline, area;
	enum msg kind, severity;
	int rank;                   /* 1 worst */
	const char *severity_class; /* of the style: "extreme", "severe", "moderate", "minor" */
	int64_t sent_at, expires;
	bool fell_back;             /* the headline is not in the reader's language */
	enum language language;     /* of the headline */
	struct str description, instruction; /* as officers wrote them (Markdown) */
	struct geo_area shape;
};
/* Alerts in force, without exercises, worst first; page "/alert/ID", map of all "/alerts/map.svg". `country` (alpha-2; empty: all) keeps
 * those that touch it; its map is "/alerts/map.svg?country=XX". */
enum rc alert_list_public(struct db_tx *tx, struct house *house, struct arena *arena, enum language language, struct str country,
                          struct alert_public **list_out, size_t *count_out, struct err *err);

/* --- the board ---------------------------------------------------------------------------------------------------- */
/* For `chancery check`: calls `report` for every sum of people that does not hold; *wrong_out gets their number. */
enum rc board_check(struct house *house, void (*report)(void *context, struct str line), void *context, int64_t *wrong_out, struct err *err);

#endif
