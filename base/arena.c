#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

#include "base/base.h"
#include "base/fatal.h"

#define ALIGNMENT _Alignof(max_align_t)
#define FIRST_CHUNK_SIZE ((size_t)4096)
#define LARGEST_CHUNK_SIZE ((size_t)1 << 20) /* larger objects get a chunk of their own size */
#define FIRST_CAPACITY 8

struct arena_chunk {
	struct arena_chunk *next; /* older */
	size_t size, used;        /* of data */
	_Alignas(max_align_t) char data[];
};

/* Under AddressSanitizer the free part of a chunk is poisoned and a gap stays behind each object,
 * so that running past an object is found as it is for malloc. */
#ifdef ARENA_POISONS
#define GAP ALIGNMENT
static void hide(void *at, size_t size)
{
	ASAN_POISON_MEMORY_REGION(at, size);
}
static void show(void *at, size_t size)
{
	ASAN_UNPOISON_MEMORY_REGION(at, size);
}
#else
#define GAP ((size_t)0)
static void hide(void *at, size_t size)
{
	(void)at, (void)size;
}
static void show(void *at, size_t size)
{
	(void)at, (void)size;
}
#endif

void arena_init(struct arena *arena)
{
	*arena = (struct arena){ NULL, 0 };
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;
		show(chunk->data, chunk->size);
		free(chunk);
		chunk = next;
	}
}

void arena_release(struct arena *arena)
{
	free_chunks(arena->chunk);
	arena_init(arena);
}

void arena_clear(struct arena *arena)
{
	struct arena_chunk *keep = arena->chunk;
	arena->used = 0;
	if (!keep)
		return;
	free_chunks(keep->next);
	keep->next = NULL;
	if (keep->size > LARGEST_CHUNK_SIZE) {
		/* One huge batch must not hold its memory for ever. */
		free_chunks(keep);
		arena->chunk = NULL;
		return;
	}
	keep->used = 0;
	hide(keep->data, keep->size);
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t need)
{
	size_t size = arena->chunk ? arena->chunk->size * 2 : FIRST_CHUNK_SIZE - sizeof(struct arena_chunk);
	if (size > LARGEST_CHUNK_SIZE)
		size = LARGEST_CHUNK_SIZE;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(struct arena_chunk))
		base_fatal("arena: object too large");
	struct arena_chunk *chunk = malloc(sizeof *chunk + size);
	if (!chunk)
		base_fatal("arena: out of memory");
	chunk->size = size;
	chunk->used = 0;
	chunk->next = arena->chunk;
	arena->chunk = chunk;
	hide(chunk->data, size);
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		base_fatal("arena: object too large");
	/* Even an empty object has an address of its own. */
	size_t rounded = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
	struct arena_chunk *chunk = arena->chunk;
	if (!chunk || chunk->size - chunk->used < rounded + GAP)
		chunk = add_chunk(arena, rounded + GAP);
	void *object = chunk->data + chunk->used;
	chunk->used += rounded + GAP;
	arena->used += rounded;
	show(object, size);
	return memset(object, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		base_fatal("arena: array too large");
	return arena_alloc(arena, total);
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
	size_t larger;
	if (__builtin_mul_overflow(*capacity, (size_t)2, &larger))
		base_fatal("arena: array too large");
	if (larger < FIRST_CAPACITY)
		larger = FIRST_CAPACITY;
	void *grown = arena_array(arena, larger, size);
	if (count)
		memcpy(grown, items, count * size);
	*capacity = larger;
	return grown;
}
