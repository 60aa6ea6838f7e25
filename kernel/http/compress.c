/* gzip, with a small memory for pages that are the same for everyone.
 *
 * Pages with a form token are compressed too: the token is masked anew in every rendering, so the length of the page says
 * nothing about it (the attack called BREACH needs a constant secret). */
#include <stdlib.h>

#include <zlib.h>

#include "kernel/http/exchange.h"

#define CACHE_ENTRIES 64
#define CACHE_BYTES_MAX (4 * 1024 * 1024)

struct cached {
	uint8_t etag[ETAG_SIZE];
	struct buf bytes;
	uint64_t used; /* count of uses at the last use; 0 empty */
};

struct gzip_cache {
	pthread_mutex_t lock; /* guards everything below */
	struct cached entries[CACHE_ENTRIES];
	size_t bytes;
	uint64_t uses;
};

struct gzip_cache *gzip_cache_new(void)
{
	struct gzip_cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		abort();
	pthread_mutex_init(&cache->lock, NULL);
	for (size_t i = 0; i < CACHE_ENTRIES; i++)
		buf_init(&cache->entries[i].bytes);
	return cache;
}

void gzip_cache_free(struct gzip_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < CACHE_ENTRIES; i++)
		buf_release(&cache->entries[i].bytes);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static void compress_into(struct str in, int level, struct buf *out)
{
	z_stream stream = { .next_in = (unsigned char *)(uintptr_t)in.ptr, .avail_in = (unsigned)in.len };
	/* 15 + 16: the largest window, with gzip's frame. */
	if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* out of memory, as everywhere */
	size_t bound = deflateBound(&stream, (unsigned long)in.len);
	buf_reserve(out, bound);
	stream.next_out = (unsigned char *)out->ptr + out->len;
	stream.avail_out = (unsigned)bound;
	int rc = deflate(&stream, Z_FINISH);
	if (rc != Z_STREAM_END)
		abort(); /* the bound says that it fits */
	out->len += bound - stream.avail_out;
	deflateEnd(&stream);
}

static bool cache_find(struct gzip_cache *cache, const uint8_t *etag, struct buf *out)
{
	bool found = false;
	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < CACHE_ENTRIES && !found; i++) {
		struct cached *entry = &cache->entries[i];
		if (entry->used == 0 || memcmp(entry->etag, etag, ETAG_SIZE) != 0)
			continue;
		entry->used = ++cache->uses;
		buf_add_str(out, buf_str(&entry->bytes));
		found = true;
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

static void forget(struct gzip_cache *cache, struct cached *entry)
{
	cache->bytes -= entry->bytes.len;
	buf_release(&entry->bytes);
	buf_init(&entry->bytes);
	entry->used = 0;
}

/* The entry unused longest; empty ones come first unless only full ones are wanted. */
static struct cached *oldest_entry(struct gzip_cache *cache, bool full)
{
	struct cached *oldest = NULL;
	for (size_t i = 0; i < CACHE_ENTRIES; i++) {
		struct cached *entry = &cache->entries[i];
		if ((entry->used > 0 || !full) && (!oldest || entry->used < oldest->used))
			oldest = entry;
	}
	return oldest;
}

static void cache_add(struct gzip_cache *cache, const uint8_t *etag, struct str bytes)
{
	if (bytes.len > CACHE_BYTES_MAX / 8)
		return;
	pthread_mutex_lock(&cache->lock);
	while (cache->bytes + bytes.len > CACHE_BYTES_MAX)
		forget(cache, oldest_entry(cache, true));
	struct cached *entry = oldest_entry(cache, false);
	forget(cache, entry);
	memcpy(entry->etag, etag, ETAG_SIZE);
	buf_add_str(&entry->bytes, bytes);
	cache->bytes += bytes.len;
	entry->used = ++cache->uses;
	pthread_mutex_unlock(&cache->lock);
}

void gzip_bytes(struct gzip_cache *cache, struct str in, const uint8_t *etag, struct buf *out)
{
	if (!etag) {
		compress_into(in, 5, out);
		return;
	}
	if (cache_find(cache, etag, out))
		return;
	/* Made once, sent many times. */
	size_t from = out->len;
	compress_into(in, 9, out);
	cache_add(cache, etag, (struct str){ out->ptr + from, out->len - from });
}
