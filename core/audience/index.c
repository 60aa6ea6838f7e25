/* The leg index: what is held, and how it changes. Asking it: index_query.c. */
#include <stdlib.h>

#include "core/audience/index.h"

#define MAP_FIRST 64
#define WANTS_MERGE_SEGMENTS 8
#define WANTS_MERGE_PEOPLE 200000 /* changed since the last one */
#define MICROSECONDS_PER_MINUTE (60 * INT64_C(1000000))

static int64_t floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static int32_t clamp_minutes(int64_t minutes)
{
	return minutes > INT32_MAX ? INT32_MAX : minutes < INT32_MIN ? INT32_MIN : (int32_t)minutes;
}

int32_t leg_minutes_from(int64_t microseconds)
{
	return clamp_minutes(floor_divide(microseconds, MICROSECONDS_PER_MINUTE));
}

int32_t leg_minutes_to(int64_t microseconds)
{
	return clamp_minutes(-floor_divide(-microseconds, MICROSECONDS_PER_MINUTE));
}

/* --- versions ---------------------------------------------------------------------------------------------- */
static size_t place_of(int64_t key, size_t capacity)
{
	return (size_t)(((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (capacity - 1);
}

const struct version *index_version_find(const struct version_map *map, int64_t person_id)
{
	if (map->count == 0)
		return NULL;
	for (size_t at = place_of(person_id, map->capacity); map->places[at].version; at = (at + 1) & (map->capacity - 1))
		if (map->places[at].person_id == person_id)
			return &map->places[at];
	return NULL;
}

static void version_put(struct version_map *map, struct version version)
{
	size_t at = place_of(version.person_id, map->capacity);
	while (map->places[at].version && map->places[at].person_id != version.person_id)
		at = (at + 1) & (map->capacity - 1);
	map->count += map->places[at].version == 0;
	map->places[at] = version;
}

static void version_map_init(struct version_map *map, size_t capacity)
{
	map->places = take_memory(NULL, capacity, sizeof *map->places);
	memset(map->places, 0, capacity * sizeof *map->places);
	map->capacity = capacity;
	map->count = 0;
}

static void version_set(struct version_map *map, struct version version)
{
	if (2 * (map->count + 1) > map->capacity) {
		struct version_map larger;
		version_map_init(&larger, map->capacity ? 2 * map->capacity : MAP_FIRST);
		for (size_t i = 0; i < map->capacity; i++)
			if (map->places[i].version)
				version_put(&larger, map->places[i]);
		free(map->places);
		*map = larger;
	}
	version_put(map, version);
}

/* --- people ------------------------------------------------------------------------------------------------ */
static struct people_page **page_place(const struct people_map *map, int64_t number)
{
	size_t at = place_of(number, map->capacity);
	while (map->places[at] && map->places[at]->number != number)
		at = (at + 1) & (map->capacity - 1);
	return &map->places[at];
}

struct leg_person people_get(const struct people_map *map, int64_t person_id)
{
	const struct people_page *page = map->count ? *page_place(map, floor_divide(person_id, PEOPLE_PER_PAGE)) : NULL;
	return page ? page->people[(uint64_t)person_id % PEOPLE_PER_PAGE] : (struct leg_person){ 0, 0 };
}

static void people_set(struct people_map *map, int64_t person_id, struct leg_person person)
{
	int64_t number = floor_divide(person_id, PEOPLE_PER_PAGE);
	if (2 * (map->count + 1) > map->capacity) {
		struct people_map larger = { NULL, map->capacity ? 2 * map->capacity : MAP_FIRST, map->count };
		larger.places = take_memory(NULL, larger.capacity, sizeof(struct people_page *));
		memset(larger.places, 0, larger.capacity * sizeof(struct people_page *));
		for (size_t i = 0; i < map->capacity; i++)
			if (map->places[i])
				*page_place(&larger, map->places[i]->number) = map->places[i];
		free(map->places);
		*map = larger;
	}
	struct people_page **page = page_place(map, number);
	if (!*page) {
		*page = take_memory(NULL, 1, sizeof **page);
		memset(*page, 0, sizeof **page);
		(*page)->number = number;
		map->count++;
	}
	(*page)->people[(uint64_t)person_id % PEOPLE_PER_PAGE] = person;
}

/* --- life -------------------------------------------------------------------------------------------------- */
struct leg_index *leg_index_new(const struct geo_outlines *outlines)
{
	struct leg_index *index = take_memory(NULL, 1, sizeof *index);
	pthread_rwlockattr_t attributes;
	memset(index, 0, sizeof *index);
	index->outlines = outlines;
	pthread_rwlockattr_init(&attributes);
	/* A stream of questions must not keep a change waiting for ever. */
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&index->lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	pthread_mutex_init(&index->merging, NULL);
	return index;
}

void leg_index_free(struct leg_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->segment_count; i++)
		segment_free(index->segments[i]);
	for (size_t i = 0; i < index->watch_count; i++)
		geo_prepared_free(index->watches[i].area);
	for (size_t i = 0; i < index->people.capacity; i++)
		free(index->people.places[i]);
	free(index->people.places);
	free(index->watches);
	free(index->delta);
	free(index->versions.places);
	segment_free(index->loading);
	pthread_rwlock_destroy(&index->lock);
	pthread_mutex_destroy(&index->merging);
	free(index);
}

/* Watches hold at any time. */
static struct leg_entry timeless(const struct leg_entry *entry)
{
	struct leg_entry copy = *entry;
	if (entry->kind == LEG_WATCH_COUNTRY || entry->kind == LEG_WATCH_AREA) {
		copy.from = INT32_MIN;
		copy.to = INT32_MAX;
	}
	return copy;
}

static void add_watch(struct leg_index *index, const struct leg_entry *entry, struct geo_prepared *area, uint64_t version)
{
	struct leg_watch watch = { timeless(entry), area, version };
	watch.entry.area = NULL;
	if (index->watch_count == index->watch_capacity) {
		index->watch_capacity = index->watch_capacity ? 2 * index->watch_capacity : MAP_FIRST;
		index->watches = take_memory(index->watches, index->watch_capacity, sizeof *index->watches);
	}
	index->watches[index->watch_count++] = watch;
}

void leg_index_load(struct leg_index *index, const struct leg_entry *entry)
{
	if (entry->kind == LEG_WATCH_AREA) {
		struct geo_prepared *area = geo_prepared_new(entry->area);
		pthread_rwlock_wrlock(&index->lock);
		add_watch(index, entry, area, 0);
		pthread_rwlock_unlock(&index->lock);
		return;
	}
	struct leg_entry copy = timeless(entry);
	if (!index->loading)
		index->loading = segment_new();
	segment_add(index->loading, &copy);
}

void leg_index_load_person(struct leg_index *index, int64_t person_id, struct leg_person person)
{
	pthread_rwlock_wrlock(&index->lock);
	people_set(&index->people, person_id, person);
	pthread_rwlock_unlock(&index->lock);
}

void leg_index_build(struct leg_index *index)
{
	struct leg_segment *segment = index->loading;
	if (!segment)
		return;
	index->loading = NULL;
	segment_sort(segment);
	pthread_rwlock_wrlock(&index->lock);
	segment->number = ++index->last_segment;
	index->segments[index->segment_count++] = segment;
	pthread_rwlock_unlock(&index->lock);
}

/* --- changes (the lock is held for writing) ---------------------------------------------------------------- */
static bool delta_is_live(const struct leg_index *index, const struct delta_entry *entry)
{
	const struct version *version = index_version_find(&index->versions, entry->entry.person_id);
	return version && version->version == entry->version;
}

static bool watch_is_live(const struct leg_index *index, const struct leg_watch *watch)
{
	const struct version *version = index_version_find(&index->versions, watch->entry.person_id);
	return (version ? version->version : 0) == watch->version;
}

static void drop_dead_watches(struct leg_index *index)
{
	size_t kept = 0;
	for (size_t i = 0; i < index->watch_count; i++) {
		if (watch_is_live(index, &index->watches[i]))
			index->watches[kept++] = index->watches[i];
		else
			geo_prepared_free(index->watches[i].area);
	}
	index->watch_count = kept;
}

/* Makes a segment of the unsorted changes. */
static void flush_delta(struct leg_index *index)
{
	struct leg_segment *segment = segment_new();
	segment->number = ++index->last_segment;
	for (size_t i = 0; i < index->delta_count; i++) {
		const struct delta_entry *delta = &index->delta[i];
		if (!delta_is_live(index, delta))
			continue;
		segment_add(segment, &delta->entry);
		version_set(&index->versions, (struct version){ delta->entry.person_id, delta->version, segment->number });
	}
	index->delta_count = 0;
	segment_sort(segment);
	index->segments[index->segment_count++] = segment;
	drop_dead_watches(index);
}

static bool row_is_live(const struct version_map *versions, const struct leg_segment *segment, int table, size_t row)
{
	const struct version *version = index_version_find(versions, segment->tables[table].person[row]);
	return !version || version->segment == segment->number;
}

/* One segment of what is live in several. */
static struct leg_segment *join_segments(struct leg_segment *const *segments, size_t count, const struct version_map *versions)
{
	struct leg_segment *joined = segment_new();
	for (size_t s = 0; s < count; s++)
		for (int t = 0; t < TABLE_COUNT; t++)
			for (size_t row = 0; row < segments[s]->tables[t].count; row++)
				if (row_is_live(versions, segments[s], t, row))
					segment_copy_row(joined, segments[s], t, row);
	segment_sort(joined);
	return joined;
}

/* Without a merging thread the number of segments stays bounded all the same: those of changes become one. The first and
 * those that a merge is reading stay. */
static void compact(struct leg_index *index)
{
	size_t first = index->pinned ? index->pinned : 1;
	if (index->segment_count < first + SEGMENTS_MAX - 1)
		return;
	struct leg_segment **changed = index->segments + first;
	size_t count = index->segment_count - first;
	/* Numbers ascend among them, and people changed since then refer to no other within that range. */
	uint32_t low = changed[0]->number, high = changed[count - 1]->number;
	struct leg_segment *joined = join_segments(changed, count, &index->versions);
	joined->number = ++index->last_segment;
	for (size_t i = 0; i < index->versions.capacity; i++) {
		struct version *version = &index->versions.places[i];
		if (version->version && version->segment >= low && version->segment <= high)
			version->segment = joined->number;
	}
	for (size_t i = 0; i < count; i++)
		segment_free(changed[i]);
	changed[0] = joined;
	index->segment_count = first + 1;
}

void leg_index_set_person(struct leg_index *index, int64_t person_id, struct leg_person person, const struct leg_entry *entries,
                          size_t count)
{
	/* Areas are prepared before the lock is taken. */
	struct geo_prepared **areas = count ? take_memory(NULL, count, sizeof *areas) : NULL;
	for (size_t i = 0; i < count; i++)
		areas[i] = entries[i].kind == LEG_WATCH_AREA ? geo_prepared_new(entries[i].area) : NULL;
	pthread_rwlock_wrlock(&index->lock);
	uint64_t version = ++index->last_version;
	version_set(&index->versions, (struct version){ person_id, version, SEGMENT_DELTA });
	people_set(&index->people, person_id, person);
	if (index->delta_capacity < index->delta_count + count) {
		index->delta_capacity = 2 * (index->delta_count + count);
		index->delta = take_memory(index->delta, index->delta_capacity, sizeof *index->delta);
	}
	for (size_t i = 0; i < count; i++) {
		struct leg_entry entry = timeless(&entries[i]);
		entry.person_id = person_id;
		if (areas[i])
			add_watch(index, &entry, areas[i], version);
		else
			index->delta[index->delta_count++] = (struct delta_entry){ entry, version };
	}
	if (index->delta_count >= DELTA_MAX) {
		flush_delta(index);
		compact(index);
	}
	pthread_rwlock_unlock(&index->lock);
	free(areas);
}

bool leg_index_wants_merge(struct leg_index *index)
{
	pthread_rwlock_rdlock(&index->lock);
	bool wants = index->segment_count > WANTS_MERGE_SEGMENTS || index->versions.count > WANTS_MERGE_PEOPLE;
	pthread_rwlock_unlock(&index->lock);
	return wants;
}

/* Puts the merged segment in the place of those it was made of, and forgets the changes it holds. */
static void adopt(struct leg_index *index, struct leg_segment *joined, size_t replaced, uint64_t merged_version)
{
	struct version_map rest;
	joined->number = ++index->last_segment;
	for (size_t i = 0; i < replaced; i++)
		segment_free(index->segments[i]);
	memmove(index->segments + 1, index->segments + replaced, (index->segment_count - replaced) * sizeof *index->segments);
	index->segments[0] = joined;
	index->segment_count = index->segment_count - replaced + 1;
	drop_dead_watches(index);
	for (size_t i = 0; i < index->watch_count; i++)
		if (index->watches[i].version <= merged_version)
			index->watches[i].version = 0;
	version_map_init(&rest, MAP_FIRST);
	for (size_t i = 0; i < index->versions.capacity; i++)
		if (index->versions.places[i].version > merged_version)
			version_set(&rest, index->versions.places[i]);
	free(index->versions.places);
	index->versions = rest;
}

void leg_index_merge(struct leg_index *index)
{
	struct leg_segment *segments[SEGMENTS_MAX];
	pthread_mutex_lock(&index->merging);
	pthread_rwlock_wrlock(&index->lock);
	if (index->delta_count)
		flush_delta(index);
	size_t count = index->segment_count;
	uint64_t merged_version = index->last_version;
	memcpy(segments, index->segments, count * sizeof *segments);
	struct version_map versions = index->versions;
	if (versions.capacity) {
		versions.places = take_memory(NULL, versions.capacity, sizeof *versions.places);
		memcpy(versions.places, index->versions.places, versions.capacity * sizeof *versions.places);
	}
	/* While this merge runs, changes may not join the segments it reads: that would free them. */
	index->pinned = count;
	pthread_rwlock_unlock(&index->lock);

	struct leg_segment *joined = join_segments(segments, count, &versions);

	pthread_rwlock_wrlock(&index->lock);
	adopt(index, joined, count, merged_version);
	index->pinned = 0;
	pthread_rwlock_unlock(&index->lock);
	pthread_mutex_unlock(&index->merging);
	free(versions.places);
}

size_t leg_index_count(struct leg_index *index)
{
	pthread_rwlock_rdlock(&index->lock);
	size_t count = index->delta_count + index->watch_count;
	for (size_t s = 0; s < index->segment_count; s++)
		for (int t = 0; t < TABLE_COUNT; t++)
			count += index->segments[s]->tables[t].count;
	pthread_rwlock_unlock(&index->lock);
	return count;
}

size_t leg_index_bytes(struct leg_index *index)
{
	pthread_rwlock_rdlock(&index->lock);
	size_t bytes = sizeof *index + index->delta_capacity * sizeof *index->delta + index->versions.capacity * sizeof *index->versions.places +
	               index->watch_capacity * sizeof *index->watches + index->people.count * sizeof(struct people_page) +
	               index->people.capacity * sizeof(struct people_page *);
	for (size_t s = 0; s < index->segment_count; s++)
		bytes += segment_bytes(index->segments[s]);
	for (size_t i = 0; i < index->watch_count; i++)
		bytes += geo_prepared_bytes(index->watches[i].area);
	pthread_rwlock_unlock(&index->lock);
	return bytes;
}
