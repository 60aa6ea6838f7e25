#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/base.h"
#include "base/fatal.h"

#define ID_BYTES 16
#define TOKEN_BLOCK 64 /* characters made from one draw; a multiple of 8, so that no bits are left over */

void rand_bytes(void *out, size_t size)
{
	unsigned char *at = out;
	while (size) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			base_fatal("rand: the kernel gives no random bytes");
		at += got;
		size -= (size_t)got;
	}
}

uint64_t rand_u64(void)
{
	uint64_t value;
	rand_bytes(&value, sizeof value);
	return value;
}

uint64_t rand_below(uint64_t bound)
{
	if (bound == 0)
		base_fatal("rand: bound is zero");
	/* The lowest 2^64 mod bound values are drawn again, else small results would come more often. */
	uint64_t excess = -bound % bound;
	uint64_t value;
	do
		value = rand_u64();
	while (value < excess);
	return value % bound;
}

struct str rand_id(struct arena *arena)
{
	uint8_t bytes[ID_BYTES];
	rand_bytes(bytes, sizeof bytes);
	return str_hex(arena, bytes, sizeof bytes);
}

static void encode(char *out, const uint8_t *bytes, size_t length)
{
	static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's: no i, l, o, u */
	uint32_t held = 0;
	int bits = 0;
	for (size_t i = 0; i < length; i++) {
		if (bits < 5) {
			held = (held << 8 | *bytes++) & 0xFFF;
			bits += 8;
		}
		bits -= 5;
		out[i] = alphabet[held >> bits & 31];
	}
}

struct str rand_token(struct arena *arena, size_t length)
{
	uint8_t bytes[TOKEN_BLOCK * 5 / 8];
	if (length == SIZE_MAX)
		base_fatal("rand: token too long");
	char *token = arena_alloc(arena, length + 1);
	for (size_t at = 0; at < length; at += TOKEN_BLOCK) {
		rand_bytes(bytes, sizeof bytes);
		encode(token + at, bytes, length - at < TOKEN_BLOCK ? length - at : TOKEN_BLOCK);
	}
	explicit_bzero(bytes, sizeof bytes);
	return (struct str){ token, length };
}

struct str base32_encode(struct arena *arena, const uint8_t *bytes, size_t length)
{
	if (length == SIZE_MAX)
		base_fatal("rand: text too long");
	char *text = arena_alloc(arena, length + 1);
	encode(text, bytes, length);
	return (struct str){ text, length };
}
