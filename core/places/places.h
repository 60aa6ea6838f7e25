/* Where: places of the world by name in any script, countries by any name, and what lies at a coordinate.
 *
 * Everything comes from two read-only files made at build time (gazetteer.db, outlines.db), so it is the same on
 * every store and needs no network. One `struct places` serves all threads. Texts come out in the caller's arena.
 * Languages are BCP 47 tags ("fa", "fr-CA"); an unknown one reads as English. Country codes are ISO 3166-1 alpha-2 in
 * upper case, plus those that places-overrides.json adds. */
#ifndef CHANCERY_CORE_PLACES_H
#define CHANCERY_CORE_PLACES_H

#include "base/base.h"
#include "kernel/desk/desk.h"
#include "kernel/geo/geo.h"

/* A query longer than this many bytes is INVALID. */
#define PLACE_QUERY_MAX 200
/* At most this many places are given for a query, whatever `limit` says. */
#define PLACE_LIMIT_MAX 50
/* A coordinate at sea belongs to the nearest country within this many metres (territorial waters are 12 nautical
 * miles). */
#define PLACE_COAST_METRES 22224.0

struct places;
struct house;

/* The room's table: its start opens the files. */
extern const struct desk places_desk;
/* Those of the process; NULL before the room's start. */
struct places *places_of(const struct house *house);

struct place {
	int64_t id;            /* GeoNames id: stable, may be stored */
	struct str name;       /* in the reader's language where it is known, else the usual one */
	struct str usual_name; /* the name in common use, Latin script */
	struct str admin;      /* state, province ...; empty if unknown */
	char country[3];
	double lat, lon;
	struct str zone;    /* IANA */
	int64_t population; /* 0: unknown */
	bool guess;         /* not what was typed but near to it: show it as "did you mean" */
};

struct country {
	char code[3];
	char alpha_3[4];    /* empty for added codes without one */
	struct str name;    /* in the reader's language */
	struct str calling; /* "98"; empty: none */
	struct str zone;    /* of the capital, or of the largest place; empty if no place is known */
	bool has_outline;
	bool named;         /* of country_search: what was asked is its name or code in the reader's language or English ... */
	bool named_abroad;  /* ... or in some other language */
	double lat, lon;                 /* a point inside its largest part (0, 0 without an outline) */
	double west, south, east, north; /* its box; west > east where it crosses the 180th meridian */
};

/* Opens the files in `folder` ("" looks at $CHANCERY_DATA_FILES, then beside the running program, then in
 * /usr/share/chancery). `overrides` is a file like core/places/places-overrides.json that replaces the names shown
 * and who a disputed outline belongs to; NULL for what was built in. FAILED with a detail that names the file.
 * Free with places_close. */
enum rc places_open(const char *folder, const char *overrides, struct places **places_out, struct err *err);
void places_close(struct places *places);

/* What must be shown where places and maps are shown. */
struct str places_attribution(const struct places *places);

/* Finds places by name: any script, with or without accents, whole or the beginning of words, followed or not by a
 * country or province ("Paris, Texas"). Best first: how well the name fits, weighed with population. Misspellings are
 * answered with guesses (marked). `country` limits the search to one country; STR_NONE or empty for all.
 * Gives at most `limit` places; none is OK with a count of 0. INVALID if the query is too long or not UTF-8. */
enum rc place_search(struct places *places, struct arena *arena, struct str query, const char *language,
                     struct str country, size_t limit, struct place **found_out, size_t *count_out, struct err *err);

/* The place with GeoNames id `id`, or NOT_FOUND. */
enum rc place_find(struct places *places, struct arena *arena, int64_t id, const char *language,
                   struct place *place_out, struct err *err);

/* The place nearest to a coordinate (in `country` if that is given and has one), with the distance in metres; NOT_FOUND
 * only for coordinates that are none. For "near Shiraz" and for time zones. */
enum rc place_nearest(struct places *places, struct arena *arena, double lat, double lon, struct str country,
                      const char *language, struct place *place_out, double *metres_out, struct err *err);

/* The IANA zone at a coordinate: that of the nearest place of `country` (of any if it is empty). STR_NONE for none. The
 * text lives as long as `places`. */
struct str place_zone_at(struct places *places, double lat, double lon, struct str country);

/* The country a coordinate lies in by the shipped outlines, or the nearest one within PLACE_COAST_METRES; next to
 * a place of the gazetteer (500 m), that place's. false (out untouched) on the high sea and for coordinates that
 * are none. */
bool place_country_at(struct places *places, double lat, double lon, char code_out[3]);

/* From the first instant of local day `from_day` to the first one after local day `to_day` (days since 1970-01-01;
 * UTC microseconds) in `zone`. false if the zone is unknown. */
bool place_window(struct str zone, int64_t from_day, int64_t to_day, int64_t *from_out, int64_t *to_out);
/* The same over all zones of a country: the earliest start and the latest end. false if the country has no known
 * place. */
bool country_window(struct places *places, struct str code, int64_t from_day, int64_t to_day, int64_t *from_out,
                    int64_t *to_out);

/* All countries, sorted as the language sorts. */
enum rc country_list(struct places *places, struct arena *arena, const char *language, struct country **list_out,
                     size_t *count_out, struct err *err);

/* The country with a code (either case), or NOT_FOUND. */
enum rc country_find(struct places *places, struct arena *arena, struct str code, const char *language,
                     struct country *country_out, struct err *err);

/* The name of a country in a language; the code itself if it is unknown. */
struct str country_name(struct places *places, struct arena *arena, struct str code, const char *language);

/* Countries by any name in any language or by code, whole or its beginning, misspellings last; best first. INVALID
 * as place_search. */
enum rc country_search(struct places *places, struct arena *arena, struct str query, const char *language, size_t limit,
                       struct country **found_out, size_t *count_out, struct err *err);

/* True for a known code (upper case). */
bool country_known(const struct places *places, struct str code);

/* The outlines of all countries, for targeting (which country legs an area meets). Lives as long as `places`. */
const struct geo_outlines *places_outlines(const struct places *places);

/* A country's outline as an area (for maps); NULL if it has none. Lives as long as `places`. */
const struct geo_area *country_area(const struct places *places, struct str code);

#endif
