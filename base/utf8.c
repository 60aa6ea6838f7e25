/* UTF-8 as RFC 3629 section 4 defines it. */
#include "base/base.h"

#define REPLACEMENT 0xFFFDu

static bool is_tail(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/* Decodes the code point at `at` (< s.len); returns its number of bytes, or 0 if they are not well formed. */
static size_t decode(struct str s, size_t at, uint32_t *code)
{
	const unsigned char *p = (const unsigned char *)s.ptr + at;
	size_t left = s.len - at;
	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] >= 0xC2 && p[0] <= 0xDF && left >= 2 && is_tail(p[1])) {
		*code = (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3Fu);
		return 2;
	}
	if ((p[0] & 0xF0) == 0xE0 && left >= 3 && is_tail(p[1]) && is_tail(p[2])) {
		uint32_t value = (uint32_t)(p[0] & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
		if (value < 0x800 || (value >= 0xD800 && value <= 0xDFFF))
			return 0;
		*code = value;
		return 3;
	}
	if (p[0] >= 0xF0 && p[0] <= 0xF4 && left >= 4 && is_tail(p[1]) && is_tail(p[2]) && is_tail(p[3])) {
		uint32_t value =
			(uint32_t)(p[0] & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
		if (value < 0x10000 || value > 0x10FFFF)
			return 0;
		*code = value;
		return 4;
	}
	return 0;
}

bool utf8_valid(struct str s)
{
	uint32_t code;
	for (size_t at = 0; at < s.len;) {
		/* Most texts are ASCII for long stretches. */
		uint64_t eight;
		if (s.len - at >= sizeof eight) {
			memcpy(&eight, s.ptr + at, sizeof eight);
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				at += sizeof eight;
				continue;
			}
		}
		size_t size = decode(s, at, &code);
		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

uint32_t utf8_next(struct str s, size_t *at)
{
	uint32_t code = REPLACEMENT;
	if ((unsigned char)s.ptr[*at] < 0x80)
		return (unsigned char)s.ptr[(*at)++];
	size_t size = decode(s, *at, &code);
	*at += size ? size : 1;
	return code;
}

size_t utf8_put(uint32_t code, char out[4])
{
	if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		code = REPLACEMENT;
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

size_t utf8_length(struct str s)
{
	size_t count = 0;
	for (size_t at = 0; at < s.len; count++)
		utf8_next(s, &at);
	return count;
}
