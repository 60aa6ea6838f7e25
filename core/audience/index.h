/* The parts of the leg index. Private to this room. */
#ifndef CHANCERY_CORE_AUDIENCE_INDEX_H
#define CHANCERY_CORE_AUDIENCE_INDEX_H

#include <pthread.h>

#include "core/audience/audience.h"

#define BLOCK_SIZE 64u /* legs that are looked at together: as many as a word has bits */
#define DELTA_MAX 32768u /* changed legs that stand unsorted */

/* Legs of one kind, column by column, sorted so that neighbours on earth stand together (country legs: by country). */
struct leg_table {
	size_t count, capacity;
	int32_t *x, *y, *from, *to;
	int64_t *leg, *person;
	uint16_t *country;
	uint32_t *radius; /* discs */
	uint8_t *kind;    /* countries: LEG_COUNTRY or LEG_WATCH_COUNTRY */
	struct geo_box *boxes; /* of each block: around its points or discs */
	uint8_t *at_seam;      /* points: whether the block has one on the 180th meridian or at a pole */
};
enum { TABLE_POINTS, TABLE_DISCS, TABLE_COUNTRIES, TABLE_COUNT };

/* Sorted and never changed. */
struct leg_segment {
	uint32_t number; /* from 1 */
	struct leg_table tables[TABLE_COUNT];
	uint32_t country_start[GEO_COUNTRIES + 1]; /* in TABLE_COUNTRIES */
};
struct delta_entry {
	struct leg_entry entry;
	uint64_t version;
};
/* A watched area. */
struct leg_watch {
	struct leg_entry entry; /* without its area */
	struct geo_prepared *area;
	uint64_t version; /* 0: as old as the segments */
};

/* Which people changed since the segments were merged, and where what they have now stands. */
struct version {
	int64_t person_id;
	uint64_t version; /* 0: a free place */
	uint32_t segment; /* SEGMENT_DELTA, or the number of a segment */
};
#define SEGMENT_DELTA UINT32_MAX
struct version_map {
	struct version *places;
	size_t capacity, count; /* capacity: a power of two */
};

/* Two bytes a person, by pages of neighbouring ids (ids come from a sequence). */
#define PEOPLE_PER_PAGE 4096
struct people_page {
	int64_t number;
	struct leg_person people[PEOPLE_PER_PAGE];
};
struct people_map {
	struct people_page **places; /* hashed by page number */
	size_t capacity, count;
};

#define SEGMENTS_MAX 64 /* beside those a merge is reading, also at most as many */
struct leg_index {
	const struct geo_outlines *outlines;
	pthread_rwlock_t lock;       /* guards all below except what only loading uses */
	pthread_mutex_t merging;     /* one merge at a time; taken before `lock` */
	struct leg_segment *segments[2 * SEGMENTS_MAX];
	size_t segment_count;
	size_t pinned; /* the first ones, which a merge is reading */
	uint32_t last_segment;
	struct delta_entry *delta;
	size_t delta_count, delta_capacity;
	struct leg_watch *watches;
	size_t watch_count, watch_capacity;
	struct version_map versions;
	uint64_t last_version;
	struct people_map people;
	struct leg_segment *loading; /* only the loading thread */
};

/* Ends the process when memory runs out, as arenas do. */
void *take_memory(void *old, size_t count, size_t size);
const struct version *index_version_find(const struct version_map *map, int64_t person_id);
struct leg_person people_get(const struct people_map *map, int64_t person_id);

/* Segments. */
struct leg_segment *segment_new(void);
void segment_free(struct leg_segment *segment);
void segment_add(struct leg_segment *segment, const struct leg_entry *entry);
/* Appends row `row` of a table of another segment. */
void segment_copy_row(struct leg_segment *to, const struct leg_segment *from, int kind, size_t row);
void segment_sort(struct leg_segment *segment);
size_t segment_bytes(const struct leg_segment *segment);

/* What an area means for countries and single entries; made once a question. */
enum { RELATION_UNKNOWN = -1 };
struct question {
	const struct geo_prepared *area;
	const struct geo_outlines *outlines;
	struct leg_window window;
	int8_t relations[GEO_COUNTRIES]; /* enum geo_relation of the area's parts to a country's outline */
	struct geo_hit hits[GEO_COUNTRIES];
};
void question_init(struct question *question, const struct geo_prepared *area, const struct geo_outlines *outlines,
                   struct leg_window window);
enum geo_relation question_relation(struct question *question, uint16_t country);
/* The whole of it for one entry; `watched` is the area of LEG_WATCH_AREA. */
bool question_entry(struct question *question, const struct leg_entry *entry, const struct geo_prepared *watched, struct leg_match *match);
void match_from_entry(struct leg_match *match, const struct leg_entry *entry);
struct leg_match *matches_add(struct leg_matches *matches);

#endif
