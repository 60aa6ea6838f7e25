/* Receipts to messages, in memory. */
#include <stdlib.h>

#include "core/messages/receipt_index.h"

/* value: message id (44 bits), part (8), day (12) */
#define PART_BITS 8
#define DAY_BITS 12
#define DAY_MASK ((UINT64_C(1) << DAY_BITS) - 1)
#define CAPACITY_FIRST 1024

struct receipt_entry {
	uint64_t key; /* mixed with the route; 0: free */
	uint64_t value;
};

static uint64_t mix(int64_t route, uint64_t key)
{
	uint64_t x = key ^ ((uint64_t)route * UINT64_C(0x9E3779B97F4A7C15));
	x ^= x >> 31;
	x *= UINT64_C(0xD6E8FEB86659FD93);
	x ^= x >> 32;
	return x ? x : 1;
}

static uint64_t day_of(int64_t now)
{
	return (uint64_t)(now / CLOCK_DAY) & DAY_MASK;
}

void receipt_index_release(struct receipt_index *index)
{
	free(index->entries);
	*index = (struct receipt_index){ 0 };
}

static void put(struct receipt_index *index, uint64_t key, uint64_t value)
{
	size_t mask = index->capacity - 1, at = (size_t)key & mask;
	while (index->entries[at].key != 0) {
		if (index->entries[at].key == key && index->entries[at].value >> DAY_BITS == value >> DAY_BITS)
			return;
		at = (at + 1) & mask;
	}
	index->entries[at] = (struct receipt_entry){ key, value };
	index->count++;
}

/* A table of `capacity` with those entries that are younger than `days`. */
static void rebuild(struct receipt_index *index, size_t capacity, uint64_t today, uint64_t days)
{
	struct receipt_index fresh = { .capacity = capacity };
	fresh.entries = calloc(capacity, sizeof *fresh.entries);
	if (!fresh.entries)
		abort();
	for (size_t i = 0; i < index->capacity; i++) {
		const struct receipt_entry *entry = &index->entries[i];
		if (entry->key != 0 && ((today - (entry->value & DAY_MASK)) & DAY_MASK) <= days)
			put(&fresh, entry->key, entry->value);
	}
	free(index->entries);
	*index = fresh;
}

void receipt_index_add(struct receipt_index *index, int64_t route, uint64_t key, int64_t message_id, unsigned part, int64_t now)
{
	if ((index->count + 1) * 4 > index->capacity * 3)
		rebuild(index, index->capacity ? index->capacity * 2 : CAPACITY_FIRST, 0, DAY_MASK);
	uint64_t value = (uint64_t)message_id << (PART_BITS + DAY_BITS) | (uint64_t)(part & 0xff) << DAY_BITS | day_of(now);
	put(index, mix(route, key), value);
}

size_t receipt_index_find(const struct receipt_index *index, int64_t route, uint64_t key, struct receipt_match *out, size_t most)
{
	if (index->count == 0)
		return 0;
	size_t found = 0, mask = index->capacity - 1;
	uint64_t mixed = mix(route, key);
	for (size_t at = (size_t)mixed & mask; index->entries[at].key != 0; at = (at + 1) & mask) {
		if (index->entries[at].key != mixed)
			continue;
		uint64_t value = index->entries[at].value;
		if (found < most)
			out[found] = (struct receipt_match){ (int64_t)(value >> (PART_BITS + DAY_BITS)),
				                             (unsigned)(value >> DAY_BITS) & 0xff };
		found++;
	}
	return found;
}

void receipt_index_sweep(struct receipt_index *index, int64_t now, int64_t age)
{
	if (index->count == 0)
		return;
	rebuild(index, index->capacity, day_of(now), (uint64_t)((age + CLOCK_DAY - 1) / CLOCK_DAY));
}
