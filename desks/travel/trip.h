/* A trip: its stays, who travels along, its form. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_TRIP_H
#define CHANCERY_DESKS_TRAVEL_TRIP_H

#include "desks/travel/leg.h"
#include "desks/travel/travel.h"

#define TRIP_LEGS_MAX 12
#define TRIP_LEGS_SHOWN 3     /* rows of a new form */
#define TRIP_COMPANIONS_MAX 99
#define TRIP_NOTE_MAX 1000    /* characters */
#define TRIPS_MAX 50          /* of one person at a time */

struct trip {
	int64_t id;
	struct str public_id;
	struct str external_id;       /* STR_NONE: not imported */
	int64_t person_id;
	int64_t companions;           /* how many, named or not */
	struct str *companion_names;
	size_t companion_name_count;
	struct str note;
	struct trip_leg *legs;        /* in order */
	size_t leg_count;
	int64_t created_at, changed_at, ended_at; /* ended_at DB_NULL: not ended */
	int64_t batch_id;             /* to write: the import it comes with, DB_NULL none */
};

/* As typed. */
struct trip_form {
	struct leg_form legs[TRIP_LEGS_MAX];
	size_t leg_rows;              /* rows on the page */
	struct str companions, companion_names, note;
};

/* A trip without anything, for those who make one without a form. */
void trip_init(struct trip *trip);
/* An empty form with TRIP_LEGS_SHOWN rows. */
void trip_form_init(struct trip_form *form);
void trip_form_read(const struct request *request, struct trip_form *form);
/* The form changes `stored`: stays of it that are over may stay as they are. */
void trip_form_changes(struct trip_form *form, const struct trip *stored);
bool trip_form_is_empty(const struct trip_form *form);
/* Shows one more row if there may be one. */
void trip_form_add_leg(struct trip_form *form);
/* Makes the lists that the page shows; call it last. */
void trip_form_prepare(struct arena *arena, enum language language, struct trip_form *form);
void trip_form_fill(struct arena *arena, enum language language, const struct trip *trip, struct trip_form *form);
/* INVALID with errors by field; then `form` may hold places to choose from. */
enum rc trip_form_check(struct places *places, struct arena *arena, enum language language, int64_t now, struct trip_form *form,
                        struct trip *out, struct err *err);

/* Each in the caller's transaction; they touch the person. */
/* Adds trip->person_id's trip and sets id and public_id. `form_key` STR_NONE or one not used yet. CONFLICT with a field error beyond TRIPS_MAX. */
enum rc trip_add(struct db_tx *tx, struct arena *arena, struct trip *trip, struct str form_key, int64_t now, struct err *err);
/* The same without the limit and without telling of the change: for imports, which are not seen yet. */
enum rc trip_write(struct db_tx *tx, struct arena *arena, struct trip *trip, struct str form_key, int64_t now, struct err *err);
/* Writes trip->legs[index] as the trip's stay number `position` (from 0). */
enum rc trip_write_leg(struct db_tx *tx, struct arena *arena, const struct trip *trip, size_t index, size_t position, struct err *err);
/* The trip a form already made. NOT_FOUND. */
enum rc trip_find_form(struct db_tx *tx, struct arena *arena, int64_t person_id, struct str form_key, struct trip *out, struct err *err);
/* Changes the stored trip `before` to `after`: stays that are the same keep their row, so that what was said about them still fits. */
enum rc trip_change(struct db_tx *tx, struct arena *arena, const struct trip *before, const struct trip *after, int64_t now, struct err *err);
enum rc trip_end(struct db_tx *tx, const struct trip *trip, int64_t now, struct err *err);
/* The person's trip of a public id; ended ones too. NOT_FOUND. */
enum rc trip_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct str public_id, struct trip *out, struct err *err);
/* All of a person's trips, the ended ones only with `ended`. */
enum rc trip_list(struct db_tx *tx, struct arena *arena, int64_t person_id, bool ended, struct trip **trips_out, size_t *count_out,
                  struct err *err);

/* The stays of a person that are not over, in their language and short enough for an SMS; STR_NONE: none. Stands behind messages_set_stays. */
struct str stays_text(struct house *house, struct db_tx *tx, struct arena *arena, const struct person *person);

/* Ends trips that were over a week ago; a job. */
void trips_end_over(struct house *house);

struct json_t;
/* The trip for the person's own copy of their data; the caller owns it. NULL if memory ran out. */
struct json_t *trip_export(struct arena *arena, const struct trip *trip);

/* --- pages/trip.html -------------------------------------------------------------------------------------------- */
struct trip_view {
	struct page page;
	struct str token;   /* of the person's page */
	struct str trip_id; /* empty: a new one */
	struct trip_form form;
	bool ended;
};
void trip_new_get(struct request *request, struct response *response);
void trip_new_post(struct request *request, struct response *response);
void trip_get(struct request *request, struct response *response);
void trip_post(struct request *request, struct response *response);
void trip_end_post(struct request *request, struct response *response);

#endif
