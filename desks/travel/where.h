/* What people write when asked where: a place in any script, coordinates, or a country. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_WHERE_H
#define CHANCERY_DESKS_TRAVEL_WHERE_H

#include "core/audience/audience.h"
#include "core/places/places.h"
#include "kernel/db/db.h"
#include "kernel/html/html.h"

#define WHERE_CHOICES_MAX 8
#define WHERE_TOWN 100000     /* a town this large that is called as its country may well be what was meant */
#define WHERE_CLEAR_FACTOR 10 /* the first of several is clear when it has so many times the people of the next */

enum coordinates { COORDINATES_NONE, COORDINATES_READ, COORDINATES_OUT_OF_RANGE };
/* Reads "36.8, 10.18", "36.8N 10.18E", "36°48'0\" N, 10°10'48\" E", "36,8 10,18" in any script's digits; latitude first unless the letters
 * say otherwise. COORDINATES_NONE: the text is something else; *latitude and *longitude are set only by COORDINATES_READ. */
enum coordinates coordinates_read(struct arena *arena, struct str text, double *latitude, double *longitude);

struct where {
	enum leg_kind kind;       /* LEG_POINT, or LEG_COUNTRY: somewhere in it */
	int64_t place_id;         /* DB_NULL: not from the gazetteer */
	struct str name;          /* in the reader's language, with province and country */
	double latitude, longitude;
	struct str country;       /* alpha-2; empty on the high sea */
	struct str zone;          /* IANA */
};

enum where_answer {
	WHERE_FOUND,
	WHERE_CHOOSE,  /* several fit */
	WHERE_GUESS,   /* nothing fits; near misses to choose from */
	WHERE_NOTHING,
	WHERE_OUT_OF_RANGE, /* coordinates that are none */
};
/* Finds what `text` means; `country_first`: a country's name is the country, whatever towns are called so. `choice` is what the reader chose of earlier choices for the same text (STR_NONE: nothing). For WHERE_CHOOSE and
 * WHERE_GUESS the choices come as options; for WHERE_FOUND too when other places have that name (to correct it later). */
enum rc where_read(struct places *places, struct arena *arena, enum language language, struct str text, struct str choice,
                   bool country_first, enum where_answer *answer, struct where *out, struct choice **choices, size_t *choice_count, struct err *err);
/* A place by name within a country, for imports: no choices, WHERE_FOUND only if one is clearly meant. */
enum rc where_read_in(struct places *places, struct arena *arena, enum language language, struct str text, struct str country,
                      enum where_answer *answer, struct where *out, struct err *err);
/* Somewhere in a country. NOT_FOUND for a code that is none. */
enum rc where_country(struct places *places, struct arena *arena, enum language language, struct str code, struct where *out, struct err *err);
/* A point by coordinates. */
enum rc where_coordinates(struct places *places, struct arena *arena, enum language language, double latitude, double longitude,
                          struct where *out, struct err *err);
/* "Shiraz, Fars, Iran": a place's name with where it lies. */
struct str where_place_name(struct places *places, struct arena *arena, enum language language, const struct place *place);

#endif
