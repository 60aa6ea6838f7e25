/* Who is in an area within a time: the leg index, and its mirror, the alerts in force.
 *
 * A leg is a point or a disc, or somewhere in a country; a watch follows a country or an area at any time. What matches
 * what, and what is certain or only possible, is the design's "What targeting means". */
#ifndef CHANCERY_CORE_AUDIENCE_H
#define CHANCERY_CORE_AUDIENCE_H

#include "kernel/db/db.h"
#include "kernel/desk/desk.h"
#include "kernel/geo/geo.h"

/* --- what is held ------------------------------------------------------------------------------------------ */
/* As the store numbers them, and watches behind. */
enum leg_kind { LEG_POINT = 1, LEG_DISC, LEG_COUNTRY, LEG_WATCH_COUNTRY, LEG_WATCH_AREA };

/* Minutes since 1970, UTC: from microseconds, rounded so that no moment of the time is lost. */
int32_t leg_minutes_from(int64_t microseconds); /* the start of the time: down */
int32_t leg_minutes_to(int64_t microseconds);   /* the end of the time: up */

struct leg_entry {
	int64_t leg_id; /* of a watch: the watch's id, negative */
	int64_t person_id;
	enum leg_kind kind;
	struct geo_xy at;    /* point or centre */
	uint32_t radius_m;   /* of a disc */
	uint16_t country;    /* geo_country() of the place, of a watch's country; 0 unknown */
	int32_t from, to;    /* minutes, inclusive, already widened by the days that are not sure; ignored for watches */
	const struct geo_area *area; /* of LEG_WATCH_AREA: copied */
};
/* What counts need to know of a person without the store. */
struct leg_person {
	uint8_t channels; /* bits of the usable channels */
	uint8_t language; /* enum language */
};
struct leg_window {
	int32_t from, to; /* minutes, inclusive */
};

/* --- matches ----------------------------------------------------------------------------------------------- */
enum match_why {
	MATCH_POINT = 1,       /* the point lies in the part */
	MATCH_DISC,            /* the disc meets the part */
	MATCH_COUNTRY_NAMED,   /* the area names the country of the leg, of the point or of the disc's centre */
	MATCH_COUNTRY_HELD,    /* somewhere in a country that the part holds */
	MATCH_AREA,            /* the watched area meets the part */
	MATCH_COUNTRY_MET,     /* possible: somewhere in a country that the part meets */
	MATCH_COUNTRY_REACHED, /* possible: the disc or the watched area reaches into a country that the area names */
};
struct leg_match {
	int64_t leg_id, person_id;
	struct geo_xy at;
	int32_t from, to;   /* of the leg */
	uint16_t country;   /* of the leg */
	uint16_t part;      /* polygon or disc of the area as given, from 0; number of the named country */
	uint8_t kind;       /* enum leg_kind */
	uint8_t why;        /* enum match_why */
	uint8_t part_kind;  /* enum geo_part_kind */
	bool certain;
};
/* On the heap; init, release. */
struct leg_matches {
	struct leg_match *items;
	size_t count, capacity;
};
void leg_matches_init(struct leg_matches *matches);
void leg_matches_release(struct leg_matches *matches);

/* One person of a result: the best of their matches (a certain one before a possible one, then the one that begins first). */
struct leg_hit {
	int64_t person_id;
	uint32_t match;  /* its number in the matches */
	bool certain;
	uint8_t channels, language;
};

/* --- the index --------------------------------------------------------------------------------------------- */
/* One per process. Any thread may ask and change: a read-write lock inside (writers first) guards all of it; a merge works
 * beside both and holds the lock only for moments. About 40 bytes a leg. */
struct leg_index;
/* `outlines` (may be NULL: then countries match by name only) must outlive the index. */
struct leg_index *leg_index_new(const struct geo_outlines *outlines);
void leg_index_free(struct leg_index *index);

/* Before first use: takes entries in any order, then sorts them. Nothing added is seen before leg_index_build. */
void leg_index_load(struct leg_index *index, const struct leg_entry *entry);
void leg_index_load_person(struct leg_index *index, int64_t person_id, struct leg_person person);
void leg_index_build(struct leg_index *index);

/* Replaces all a person has in the index (legs and watches) by `entries`; none at all removes them. Seen by the next query. */
void leg_index_set_person(struct leg_index *index, int64_t person_id, struct leg_person person, const struct leg_entry *entries,
                          size_t count);
/* True once changes have grown enough to slow queries: some thread should then call leg_index_merge. */
bool leg_index_wants_merge(struct leg_index *index);
/* Brings changes into order with the rest. Takes seconds for millions of legs; queries and changes go on meanwhile. */
void leg_index_merge(struct leg_index *index);

size_t leg_index_count(struct leg_index *index); /* legs and watches held, replaced ones left over included */
size_t leg_index_bytes(struct leg_index *index);

/* Appends all legs and watches that the area touches within the window to `matches`, each once, with its reason. */
void leg_index_query(struct leg_index *index, const struct geo_prepared *area, struct leg_window window, struct leg_matches *matches);
/* The people of the matches, ascending by id, each once; in the arena. `certain_only` leaves possible matches out. */
struct leg_hit *leg_index_people(struct leg_index *index, struct arena *arena, const struct leg_matches *matches, bool certain_only,
                                 size_t *count_out);
/* The same question about one leg. `match` is set only if it returns true. */
bool leg_match_one(const struct geo_prepared *area, const struct geo_outlines *outlines, struct leg_window window,
                   const struct leg_entry *entry, struct leg_match *match);

/* --- alerts in force --------------------------------------------------------------------------------------- */
/* The mirror: which alerts touch a leg that is new or changed. Thread-safe (a read-write lock inside). */
struct alert_index;
/* `outlines` as above. */
struct alert_index *alert_index_new(const struct geo_outlines *outlines);
void alert_index_free(struct alert_index *index);
/* Adds an alert or replaces its area and window; takes over `area`. */
void alert_index_set(struct alert_index *index, int64_t alert_id, struct geo_prepared *area, struct leg_window window);
void alert_index_remove(struct alert_index *index, int64_t alert_id);
size_t alert_index_count(struct alert_index *index);
struct alert_match {
	int64_t alert_id;
	struct leg_match match;
};
/* The alerts that touch the entry, ascending by id; in the arena. */
struct alert_match *alert_index_query(struct alert_index *index, struct arena *arena, const struct leg_entry *entry, size_t *count_out);

/* --- the index of this process ------------------------------------------------------------------------------ */
/* The room's table: its start builds the index from the store. After core/places in the list of desks. */
extern const struct desk audience_desk;
struct leg_index *audience_index(const struct house *house);

/* Told of people whose record, stays, watches or channels changed, after the index knows it. Called in the thread that follows
 * the store (or that called audience_catch_up), never within a transaction. A change may be told twice, and changes made while no
 * process served are not told at all: who must not miss any looks at the whole index at start. */
typedef void (*audience_listener)(struct house *house, const int64_t *person_ids, size_t count);
/* One listener, set by a desk's start. */
void audience_on_change(struct house *house, audience_listener listener);

/* Starts the thread that follows the change sequence. Only `serve` does. */
enum rc audience_serve(struct house *house, struct err *err);
/* Brings the index up to what was the newest commit at the call, in this thread: for who is about to ask it whom an alert reaches, tests and
 * commands. In a process that serves BUSY after audience.patience_seconds, when too much came at once. Not within a transaction. */
enum rc audience_catch_up(struct house *house, struct err *err);

/* What the store has of one person, as the index takes it; no entries for one who is not visible, ended or unknown. */
enum rc audience_read_person(struct db_tx *tx, struct arena *arena, int64_t person_id, struct leg_person *person_out,
                             struct leg_entry **entries_out, size_t *count_out, struct err *err);

#endif
