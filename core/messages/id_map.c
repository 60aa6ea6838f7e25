/* A hash map from positive numbers to pointers. */
#include <stdlib.h>

#include "core/messages/id_map.h"

#define CAPACITY_FIRST 64

static size_t place(const struct id_map *map, int64_t id)
{
	/* Fibonacci hashing: our ids are dense, the multiplication spreads them. */
	return (size_t)(((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (map->capacity - 1);
}

void id_map_release(struct id_map *map)
{
	free(map->entries);
	*map = (struct id_map){ 0 };
}

static void put(struct id_map *map, int64_t id, void *value)
{
	size_t at = place(map, id);
	while (map->entries[at].id != 0 && map->entries[at].id != id)
		at = (at + 1) & (map->capacity - 1);
	if (map->entries[at].id == 0)
		map->count++;
	map->entries[at] = (struct id_entry){ id, value };
}

static void grow(struct id_map *map)
{
	struct id_map bigger = { .capacity = map->capacity ? map->capacity * 2 : CAPACITY_FIRST };
	bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
	if (!bigger.entries)
		abort();
	for (size_t i = 0; i < map->capacity; i++)
		if (map->entries[i].id != 0)
			put(&bigger, map->entries[i].id, map->entries[i].value);
	free(map->entries);
	*map = bigger;
}

void id_map_set(struct id_map *map, int64_t id, void *value)
{
	if ((map->count + 1) * 4 > map->capacity * 3)
		grow(map);
	put(map, id, value);
}

void *id_map_get(const struct id_map *map, int64_t id)
{
	if (map->count == 0)
		return NULL;
	for (size_t at = place(map, id);; at = (at + 1) & (map->capacity - 1)) {
		if (map->entries[at].id == id)
			return map->entries[at].value;
		if (map->entries[at].id == 0)
			return NULL;
	}
}

void *id_map_remove(struct id_map *map, int64_t id)
{
	if (map->count == 0)
		return NULL;
	size_t at = place(map, id), mask = map->capacity - 1;
	while (map->entries[at].id != id) {
		if (map->entries[at].id == 0)
			return NULL;
		at = (at + 1) & mask;
	}
	void *value = map->entries[at].value;
	/* Closes the gap: entries further on that would not be found across it move into it. */
	for (size_t next = (at + 1) & mask; map->entries[next].id != 0; next = (next + 1) & mask) {
		size_t home = place(map, map->entries[next].id);
		if (((next - home) & mask) >= ((next - at) & mask)) {
			map->entries[at] = map->entries[next];
			at = next;
		}
	}
	map->entries[at] = (struct id_entry){ 0, NULL };
	map->count--;
	return value;
}

bool id_map_each(const struct id_map *map, size_t *at, void **value_out)
{
	for (; *at < map->capacity; (*at)++)
		if (map->entries[*at].id != 0) {
			*value_out = map->entries[(*at)++].value;
			return true;
		}
	return false;
}
