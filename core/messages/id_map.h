/* A hash map from positive numbers to pointers, on the heap; for one thread. */
#ifndef CHANCERY_CORE_MESSAGES_ID_MAP_H
#define CHANCERY_CORE_MESSAGES_ID_MAP_H

#include "base/base.h"

struct id_map {
	struct id_entry *entries; /* open addressing, linear probing */
	size_t capacity, count;   /* capacity is a power of two or 0 */
};

struct id_entry {
	int64_t id; /* 0: free */
	void *value;
};

void id_map_release(struct id_map *map);
/* Sets; `id` > 0, `value` not NULL. */
void id_map_set(struct id_map *map, int64_t id, void *value);
/* The value, or NULL. */
void *id_map_get(const struct id_map *map, int64_t id);
/* Removes; returns the value that stood there, or NULL. */
void *id_map_remove(struct id_map *map, int64_t id);
/* Walks all entries: start with *at = 0; false at the end. The map must not change meanwhile. */
bool id_map_each(const struct id_map *map, size_t *at, void **value_out);

#endif
