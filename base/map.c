#include "base/base.h"
#include "base/fatal.h"

#define FIRST_CAPACITY 16 /* a power of two, as all capacities are */

struct map_entry {
	struct str key;
	uint64_t hash;
	void *value; /* NULL: the entry is free */
};

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein 2012) with both halves of the key made from the seed. */
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
	const unsigned char *in = bytes;
	uint64_t other = rotate(seed, 32) ^ UINT64_C(0x9e3779b97f4a7c15);
	uint64_t v[4] = {
		seed ^ UINT64_C(0x736f6d6570736575),
		other ^ UINT64_C(0x646f72616e646f6d),
		seed ^ UINT64_C(0x6c7967656e657261),
		other ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word = 0;
	for (size_t i = 0; i < size; i++) {
		word |= (uint64_t)in[i] << (i % 8 * 8);
		if (i % 8 == 7) {
			v[3] ^= word;
			mix(v);
			v[0] ^= word;
			word = 0;
		}
	}
	word |= (uint64_t)size << 56;
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
	v[2] ^= 0xFF;
	for (int i = 0; i < 3; i++)
		mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *map, struct arena *arena)
{
	*map = (struct map){ .arena = arena, .seed = rand_u64() };
}

/* The entry of `key`, or the free one where it would go. There is always a free one. */
static struct map_entry *find_entry(const struct map *map, struct str key, uint64_t hash)
{
	size_t at = (size_t)hash & (map->capacity - 1);
	while (map->entries[at].value && (map->entries[at].hash != hash || !str_equal(map->entries[at].key, key)))
		at = (at + 1) & (map->capacity - 1);
	return &map->entries[at];
}

static void grow(struct map *map)
{
	struct map old = *map;
	if (old.capacity > SIZE_MAX / 2)
		base_fatal("map: too large");
	map->capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
	map->entries = ARENA_NEW_ARRAY(map->arena, struct map_entry, map->capacity);
	for (size_t i = 0; i < old.capacity; i++)
		if (old.entries[i].value)
			*find_entry(map, old.entries[i].key, old.entries[i].hash) = old.entries[i];
}

void *map_set(struct map *map, struct str key, void *value)
{
	if (!value)
		base_fatal("map: no value");
	if (map->count >= map->capacity / 4 * 3)
		grow(map);
	uint64_t hash = hash_bytes(key.ptr, key.len, map->seed);
	struct map_entry *entry = find_entry(map, key, hash);
	void *before = entry->value;
	if (!before) {
		entry->key = str_copy(map->arena, key);
		entry->hash = hash;
		map->count++;
	}
	entry->value = value;
	return before;
}

void *map_get(const struct map *map, struct str key)
{
	if (map->capacity == 0)
		return NULL;
	return find_entry(map, key, hash_bytes(key.ptr, key.len, map->seed))->value;
}
