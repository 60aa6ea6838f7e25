#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/fatal.h"

#define NUMBER_LENGTH_MAX 511 /* bytes of a number that str_to_double reads */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_from(const char *text)
{
	return text ? (struct str){ text, strlen(text) } : STR_NONE;
}

bool str_equal(struct str a, struct str b)
{
	if (!a.ptr || !b.ptr)
		return a.ptr == b.ptr;
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

bool str_equal_nocase(struct str a, struct str b)
{
	if (!a.ptr || !b.ptr)
		return a.ptr == b.ptr;
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

int str_compare(struct str a, struct str b)
{
	if (!a.ptr || !b.ptr)
		return (a.ptr != NULL) - (b.ptr != NULL);
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
	return prefix.len == 0 || (s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
	return suffix.len == 0 ||
	       (s.len >= suffix.len && memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

size_t str_find(struct str s, struct str needle, size_t from)
{
	if (from > s.len || needle.len > s.len - from)
		return SIZE_MAX;
	if (needle.len == 0)
		return from;
	const char *found = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
	return found ? (size_t)(found - s.ptr) : SIZE_MAX;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
	if (!s.ptr)
		return STR_NONE;
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return (struct str){ s.ptr + from, to - from };
}

struct str str_trim(struct str s)
{
	while (s.len && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool str_cut(struct str s, char separator, struct str *head, struct str *rest)
{
	const char *found = s.len ? memchr(s.ptr, separator, s.len) : NULL;
	size_t at = found ? (size_t)(found - s.ptr) : s.len;
	*head = str_slice(s, 0, at);
	*rest = found ? str_slice(s, at + 1, s.len) : STR_NONE;
	return found != NULL;
}

/* Room for `len` bytes and the NUL byte behind them. */
static char *new_text(struct arena *arena, size_t len)
{
	if (len == SIZE_MAX)
		base_fatal("str: text too large");
	return arena_alloc(arena, len + 1);
}

struct str str_copy(struct arena *arena, struct str s)
{
	return s.ptr ? (struct str){ str_c(arena, s), s.len } : STR_NONE;
}

char *str_c(struct arena *arena, struct str s)
{
	char *copy = new_text(arena, s.len);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

struct str str_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str made = str_vformat(arena, format, args);
	va_end(args);
	return made;
}

struct str str_vformat(struct arena *arena, const char *format, va_list args)
{
	char small[256];
	va_list again;
	va_copy(again, args);
	int length = vsnprintf(small, sizeof small, format, args);
	if (length < 0)
		base_fatal("str: format failed");
	struct str made = { NULL, (size_t)length };
	if (made.len < sizeof small) {
		made.ptr = str_c(arena, (struct str){ small, made.len });
	} else {
		char *text = new_text(arena, made.len);
		if (vsnprintf(text, made.len + 1, format, again) != length)
			base_fatal("str: format failed");
		made.ptr = text;
	}
	va_end(again);
	return made;
}

struct str str_lower(struct arena *arena, struct str s)
{
	if (!s.ptr)
		return STR_NONE;
	char *copy = str_c(arena, s);
	for (size_t i = 0; i < s.len; i++)
		copy[i] = lower(copy[i]);
	return (struct str){ copy, s.len };
}

struct str str_concat(struct arena *arena, struct str a, struct str b)
{
	if (a.len > SIZE_MAX - b.len)
		base_fatal("str: text too large");
	char *joined = new_text(arena, a.len + b.len);
	if (a.len)
		memcpy(joined, a.ptr, a.len);
	if (b.len)
		memcpy(joined + a.len, b.ptr, b.len);
	return (struct str){ joined, a.len + b.len };
}

bool str_to_int(struct str s, int64_t *out)
{
	bool negative = s.len && s.ptr[0] == '-';
	int64_t value = 0;
	if (s.len == (negative ? 1 : 0))
		return false;
	for (size_t i = negative; i < s.len; i++) {
		if (!is_digit(s.ptr[i]))
			return false;
		/* Built downwards, since the least number has no positive counterpart. */
		if (__builtin_mul_overflow(value, INT64_C(10), &value) ||
		    __builtin_sub_overflow(value, (int64_t)(s.ptr[i] - '0'), &value))
			return false;
	}
	if (!negative && __builtin_sub_overflow(INT64_C(0), value, &value))
		return false;
	*out = value;
	return true;
}

static size_t skip_digits(struct str s, size_t at)
{
	while (at < s.len && is_digit(s.ptr[at]))
		at++;
	return at;
}

/* True for -?digits[.digits][e[+-]digits], where digits may lack on one side of the point (as in XML Schema's decimal). */
static bool is_fraction(struct str s)
{
	size_t at = s.len && s.ptr[0] == '-' ? 1 : 0;
	size_t end = skip_digits(s, at);
	size_t digits = end - at;
	at = end;
	if (at < s.len && s.ptr[at] == '.') {
		end = skip_digits(s, at + 1);
		digits += end - at - 1;
		at = end;
	}
	if (digits == 0)
		return false;
	if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
		at++;
		if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
			at++;
		end = skip_digits(s, at);
		if (end == at)
			return false;
		at = end;
	}
	return at == s.len;
}

bool str_to_double(struct str s, double *out)
{
	char text[NUMBER_LENGTH_MAX + 1];
	if (s.len > NUMBER_LENGTH_MAX || !is_fraction(s))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	/* glibc keeps the "C" locale as a constant: this takes no memory and does not fail. */
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c_locale)
		return false;
	double value = strtod_l(text, NULL, c_locale);
	freelocale(c_locale);
	if (!isfinite(value))
		return false;
	*out = value;
	return true;
}

struct str str_hex(struct arena *arena, const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *in = bytes;
	if (size > SIZE_MAX / 4)
		base_fatal("str: text too large");
	char *out = new_text(arena, size * 2);
	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	return (struct str){ out, size * 2 };
}

int str_hex_digit(char c)
{
	c = lower(c);
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_from_hex(struct str hex, void *out, size_t size)
{
	unsigned char *bytes = out;
	if (hex.len % 2 || hex.len / 2 != size)
		return false;
	for (size_t i = 0; i < hex.len; i++)
		if (str_hex_digit(hex.ptr[i]) < 0)
			return false;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(str_hex_digit(hex.ptr[2 * i]) * 16 + str_hex_digit(hex.ptr[2 * i + 1]));
	return true;
}
