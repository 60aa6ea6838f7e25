/* What the files of core/places share. Private to the room. */
#ifndef CHANCERY_CORE_PLACES_INTERNAL_H
#define CHANCERY_CORE_PLACES_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <unicode/uset.h>
#include <unicode/utrans.h>

#include "core/places/fold.h"
#include "core/places/places.h"

#define PLACES_CONNECTIONS 4
#define PLACES_LANGUAGES 64 /* letters of this many languages are kept; more are read again each time */
#define PLACES_LANGUAGE_TAG 24

enum places_statement {
	STATEMENT_PLACE,    /* by rank */
	STATEMENT_PLACE_ID, /* by id */
	STATEMENT_EXACT,    /* ranks of a key */
	STATEMENT_EXACT_IN, /* ranks of a key in a country */
	STATEMENT_WORDS,    /* ranks of a full-text query */
	STATEMENT_COUNT
};

/* One thread's read connection with its statements and its transliterator (ICU's are not thread-safe). */
struct places_connection {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	UTransliterator *latin; /* opened at first need */
	bool busy;
};

/* Keys of one length, most populous first. */
struct fuzzy_group {
	size_t length;     /* code points */
	const char *keys;  /* parted by line feeds */
	uint32_t *starts;  /* count + 1 offsets into keys */
	uint64_t *letters; /* which letters stand in the key, one bit each (hashed) */
	size_t count;
};

struct nearest_point {
	int32_t lat, lon; /* degrees * 100,000 */
	uint32_t rank;
	uint16_t zone;
	char country[2];
};

struct country_key {
	struct str key;
	uint16_t country;   /* index into countries */
	uint16_t languages; /* how many say so */
};

/* Grains of outlines, the coarsest first: for maps of the world, of countries, and for what lies where. */
enum outline_level { LEVEL_110M, LEVEL_50M, LEVEL_10M, LEVEL_COUNT };

struct country_record {
	char code[3], alpha_3[4];
	struct str english;
	struct str calling;
	uint16_t zone;         /* id of its main zone; 0: none */
	const uint16_t *zones; /* ids of all its zones */
	size_t zone_count;
	struct country_name {
		struct str language, name;
	} * shown; /* names the overrides set */
	size_t shown_count;
	struct geo_area *areas[LEVEL_COUNT]; /* by grain; NULL: none */
	double lat, lon, west, south, east, north;
};

struct places_language {
	char tag[PLACES_LANGUAGE_TAG];
	USet *letters; /* frozen; NULL: written in Latin letters, or unknown */
};

struct places {
	struct arena arena; /* all that is constant after places_open */
	struct str attribution;

	struct places_connection connections[PLACES_CONNECTIONS];
	pthread_mutex_t lock; /* guards connections[].busy and the languages */
	pthread_cond_t returned;
	struct places_language languages[PLACES_LANGUAGES];
	size_t language_count;

	struct str *zones; /* by id, from 1 */
	size_t zone_count;
	struct nearest_point *points; /* by whole degree */
	uint32_t *cells;              /* PLACES_CELLS + 1 offsets into points */
	size_t point_count;
	struct fuzzy_group *fuzzy;
	size_t fuzzy_count;

	struct country_record *countries; /* by code */
	size_t country_count;
	struct country_key *country_keys; /* by key */
	size_t country_key_count;
	struct geo_outlines outlines; /* of the finest grain */
	struct country_disc *discs;   /* countries that have no polygon even there */
	size_t disc_count;
};

struct country_disc {
	size_t country;
	struct geo_disc disc;
};

#define PLACES_CELLS (180 * 360)

/* Waits for a free connection. Give it back with places_return. */
struct places_connection *places_take(struct places *places);
void places_return(struct places *places, struct places_connection *connection);

/* Fills `place` from a row of STATEMENT_PLACE; the name as the reader's language has it. `query_key`: a name with
 * this key is preferred, since it is what was typed. `keys_out` (may be NULL) gets the place's search keys. */
void places_read_row(struct places *places, struct places_connection *connection, struct arena *arena,
                     sqlite3_stmt *row, const char *language, struct str query_key, struct place *place,
                     struct str *keys_out);

/* The country of a point by outlines alone; 0 if none. */
uint16_t places_outline_at(const struct places *places, struct geo_xy point);
/* The finest outline of a country, or NULL. */
const struct geo_area *places_finest(const struct country_record *record);

/* Loads one part each at open; FAILED with a detail. */
enum rc places_load_nearest(struct places *places, sqlite3 *db, struct err *err);
enum rc places_load_fuzzy(struct places *places, sqlite3 *db, struct err *err);
enum rc places_load_countries(struct places *places, sqlite3 *db, struct err *err);
enum rc places_load_outlines(struct places *places, sqlite3 *db, const char *overrides, struct err *err);
void places_release_outlines(struct places *places);
/* Prepares a statement or says why not. */
enum rc places_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement_out, struct err *err);
/* A column's text, valid until the statement moves on. */
struct str places_column(sqlite3_stmt *statement, int column);

/* Keys near to `key` in at most `room` entries, nearest first and then most populous first; returns how many. */
size_t places_fuzzy(const struct places *places, struct str key, struct str *out, size_t room);

/* The index into points of the place nearest to a coordinate, in a country (an index; SIZE_MAX: any); SIZE_MAX if
 * there is none. */
size_t places_nearest(const struct places *places, double lat, double lon, size_t country, double *metres_out);

/* The index of a country by upper-case code, or SIZE_MAX. */
size_t places_country(const struct places *places, struct str code);
/* Countries that have exactly this key as a name; at most `room` indexes; returns how many. */
size_t places_country_exact(const struct places *places, struct str key, size_t *out, size_t room);

/* Checks a query: UTF-8 and not too long. */
enum rc places_check_query(struct str query, struct err *err);

/* The letters of a language not written in Latin; NULL for the others. Frozen, lives as long as `places`. */
const USet *places_letters(struct places *places, const char *language);
/* The best of `others` (parted by line feeds) for a reader of `language`; STR_NONE if none is written in its
 * letters. */
struct str places_local_name(struct places *places, struct places_connection *connection, struct arena *arena,
                             struct str others, struct str ascii, struct str zone, const char *language,
                             struct str query_key);

#endif
