/* Hash maps held in an arena: text to pointer.
 * Seeded at random (SipHash-like mixing), so hostile keys cannot make them slow. Not for sharing between threads. */
#ifndef CHANCERY_BASE_MAP_H
#define CHANCERY_BASE_MAP_H

#include "str.h"

struct map_entry;
struct map {
	struct arena *arena;
	struct map_entry *entries;
	size_t capacity, count;
	uint64_t seed;
};

void map_init(struct map *map, struct arena *arena);
/* Sets `key` to `value` (the key is copied); returns the value that stood there, or NULL. `value` must not be NULL. */
void *map_set(struct map *map, struct str key, void *value);
/* The value of `key`, or NULL. */
void *map_get(const struct map *map, struct str key);

/* Mixes bytes into 64 bits under a seed. Not a cryptographic hash. */
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed);

#endif
