/* Stays: one leg of a trip, its form and its check. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_LEG_H
#define CHANCERY_DESKS_TRAVEL_LEG_H

#include "desks/travel/where.h"
#include "kernel/db/db.h"
#include "kernel/http/http.h"

#define LEG_PLACE_MAX 200         /* characters typed */
#define LEG_DAYS_MAX (3 * 366)    /* the longest stay, and how far ahead one may begin */
#define LEG_UNSURE_INITIAL 3      /* days, when 'not sure' is ticked and no number given */
#define LEG_UNSURE_MAX 60
#define LEG_RADIUS_MAX_KM 1000

struct trip_leg {
	int64_t id;               /* 0: not stored yet */
	enum leg_kind kind;       /* LEG_POINT, LEG_DISC or LEG_COUNTRY */
	int64_t place_id;         /* DB_NULL: not from the gazetteer */
	struct str place;         /* as shown */
	double latitude, longitude;
	int64_t radius;           /* metres, 0 for a point */
	struct str country, zone;
	int64_t from, to;         /* local days at the place since 1970-01-01, both there */
	int64_t from_unsure, to_unsure; /* days */
	int64_t from_at, to_at, arrival_at; /* UTC microseconds: leg_set_times */
};

/* As typed. */
struct leg_form {
	struct str place, choice, choice_for, from, to, unsure_days, radius;
	bool from_unsure, to_unsure;
	struct choice *choices; /* places to choose from, when the text fits several */
	size_t choice_count;
	int64_t earliest_end;   /* day before which it may not be over, if that is before yesterday; 0: none */
	bool open, more;        /* shown without a click: the stay, and what is seldom needed of it */
	struct choice *radii, *unsure; /* lists of the page: leg_form_prepare */
	size_t radius_count;
};
#define LEG_UNSURE_COUNT 2

/* Reads row `row` of the group "leg". */
void leg_form_read(const struct request *request, size_t row, struct leg_form *form);
bool leg_form_is_empty(const struct leg_form *form);
/* Fills a form with what is stored, to be changed. */
void leg_form_fill(struct arena *arena, enum language language, const struct trip_leg *leg, struct leg_form *form);
/* Makes the lists that the page shows. */
void leg_form_prepare(struct arena *arena, enum language language, struct leg_form *form);
/* Checks a row; INVALID with errors on "leg.ROW.FIELD" and, where a place must be chosen, form->choices. */
enum rc leg_form_check(struct places *places, struct arena *arena, enum language language, int64_t now, struct leg_form *form, size_t row,
                       struct trip_leg *out, struct err *err);
/* Sets from_at, to_at and arrival_at from the days and the zone (of a country: from all its zones). INVALID for an unknown zone. */
enum rc leg_set_times(struct places *places, struct trip_leg *leg, struct err *err);
/* The rules of days: a real order, not over before `earliest_end`, not longer than LEG_DAYS_MAX. `today`: UTC. Fields are PREFIXfrom and
 * PREFIXto. */
enum rc leg_check_days(struct arena *arena, const char *prefix, int64_t today, int64_t earliest_end, int64_t from, int64_t to, struct err *err);
bool leg_equal(const struct trip_leg *a, const struct trip_leg *b);

#endif
