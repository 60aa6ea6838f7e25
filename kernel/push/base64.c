#include "base/base.h"
#include "kernel/push/push.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str push_base64_write(struct arena *arena, const void *bytes, size_t size)
{
	const uint8_t *in = bytes;
	const size_t length = (size * 4 + 2) / 3;
	char *out = arena_alloc(arena, length + 1);

	for (size_t i = 0; i < length; i++) {
		/* The i-th letter holds the six bits from bit 6 i on. */
		const size_t at = i * 6 / 8, shift = i * 6 % 8;
		const unsigned pair = (unsigned)in[at] << 8 | (at + 1 < size ? in[at + 1] : 0u);
		out[i] = letters[pair >> (10 - shift) & 63];
	}
	return (struct str){ out, length };
}

bool push_base64_read(struct str text, uint8_t *out, size_t most, size_t *size_out)
{
	unsigned held = 0, bits = 0;
	size_t size = 0;

	while (text.len && text.ptr[text.len - 1] == '=')
		text.len--;
	if (text.len % 4 == 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *letter = text.ptr[i] ? strchr(letters, text.ptr[i]) : NULL;
		if (!letter)
			return false;
		held = (held << 6 | (unsigned)(letter - letters)) & 0xffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (size == most)
			return false;
		out[size++] = (uint8_t)(held >> bits);
	}
	*size_out = size;
	return true;
}
