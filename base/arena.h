/* Region memory: everything of one request or batch is freed at once.
 *
 * An arena is owned by one thread. Allocation never returns NULL: when memory
 * runs out the process ends with a message, since no caller could do better. */
#ifndef CHANCERY_BASE_ARENA_H
#define CHANCERY_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk;
	size_t used;      /* bytes handed out in all chunks, for limits and tests */
};

/* Makes an empty arena; no memory is taken before the first allocation. */
void arena_init(struct arena *arena);

/* Frees every chunk. The arena may be used again after arena_init. */
void arena_release(struct arena *arena);

/* Forgets everything allocated but keeps one chunk for the next batch. */
void arena_clear(struct arena *arena);

/* Returns `size` bytes of zeroed memory aligned for any type; lives until clear or release. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));

/* Returns zeroed room for `count` objects of `size` bytes; ends the process if the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((malloc, returns_nonnull));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_NEW_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

/* Grows an array held in the arena: returns a copy of `items` with room for at least
 * `*capacity` doubled (at least 8) objects, and updates *capacity. The old copy stays until the arena goes. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size) __attribute__((returns_nonnull));

/* Appends `value` to the arena-held array `items` of `count` entries and room for `capacity`. */
#define ARENA_PUSH(arena, items, count, capacity, value)                                                       \
	do {                                                                                                   \
		if ((count) == (capacity))                                                                     \
			(items) = arena_grow((arena), (items), (count), &(capacity), sizeof *(items));         \
		(items)[(count)++] = (value);                                                                  \
	} while (0)

#endif
