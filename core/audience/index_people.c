/* From matches to people. */
#include <stdlib.h>

#include "core/audience/index.h"

#define RADIX_BITS 11
#define RADIX_SIZE (1u << RADIX_BITS)

struct ranked {
	uint64_t person; /* ids are positive, so their order is that of the unsigned number */
	uint32_t match;
};

/* Sorts by person, keeping the order of equals. Only the bits in use are looked at. */
static struct ranked *sort_by_person(struct ranked *items, struct ranked *spare, size_t count)
{
	uint64_t used = 0;
	for (size_t i = 0; i < count; i++)
		used |= items[i].person;
	for (int shift = 0; shift < 64 && used >> shift; shift += RADIX_BITS) {
		size_t starts[RADIX_SIZE] = { 0 }, sum = 0;
		for (size_t i = 0; i < count; i++)
			starts[items[i].person >> shift & (RADIX_SIZE - 1)]++;
		for (size_t i = 0; i < RADIX_SIZE; i++) {
			size_t here = starts[i];
			starts[i] = sum;
			sum += here;
		}
		for (size_t i = 0; i < count; i++)
			spare[starts[items[i].person >> shift & (RADIX_SIZE - 1)]++] = items[i];
		struct ranked *swap = items;
		items = spare;
		spare = swap;
	}
	return items;
}

static bool is_better(const struct leg_match *a, const struct leg_match *b)
{
	if (a->certain != b->certain)
		return a->certain;
	return a->from < b->from;
}

struct leg_hit *leg_index_people(struct leg_index *index, struct arena *arena, const struct leg_matches *matches, bool certain_only,
                                 size_t *count_out)
{
	struct ranked *items = take_memory(NULL, matches->count, sizeof *items), *spare = take_memory(NULL, matches->count, sizeof *spare);
	size_t count = 0, people = 0;
	for (size_t i = 0; i < matches->count; i++)
		if (matches->items[i].certain || !certain_only)
			items[count++] = (struct ranked){ (uint64_t)matches->items[i].person_id, (uint32_t)i };
	struct ranked *sorted = sort_by_person(items, spare, count);
	for (size_t i = 0; i < count; i++)
		people += i == 0 || sorted[i].person != sorted[i - 1].person;
	struct leg_hit *hits = ARENA_NEW_ARRAY(arena, struct leg_hit, people);
	people = 0;
	pthread_rwlock_rdlock(&index->lock);
	for (size_t i = 0; i < count; i++) {
		const struct leg_match *match = &matches->items[sorted[i].match];
		if (i && sorted[i].person == sorted[i - 1].person) {
			struct leg_hit *hit = &hits[people - 1];
			if (is_better(match, &matches->items[hit->match])) {
				hit->match = sorted[i].match;
				hit->certain = match->certain;
			}
			continue;
		}
		struct leg_person person = people_get(&index->people, match->person_id);
		hits[people++] = (struct leg_hit){ match->person_id, sorted[i].match, match->certain, person.channels, person.language };
	}
	pthread_rwlock_unlock(&index->lock);
	free(items);
	free(spare);
	*count_out = people;
	return hits;
}
