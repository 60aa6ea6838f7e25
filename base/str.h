/* Text as pointer and length. Bytes are UTF-8 unless a name says otherwise.
 *
 * A `struct str` made by a function that takes an arena is followed by a NUL byte
 * (so `.ptr` can be handed to C libraries); slices are not. `ptr == NULL` means
 * "no value" (SQL NULL), which is different from the empty text. */
#ifndef CHANCERY_BASE_STR_H
#define CHANCERY_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"

struct str {
	const char *ptr;
	size_t len;
};

/* A string literal as struct str. */
#define S(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).len, ((s).ptr ? (s).ptr : "")
#define STR_NONE ((struct str){ NULL, 0 })

/* Wraps a NUL-terminated text (NULL gives STR_NONE); does not copy. */
struct str str_from(const char *text);
static inline bool str_is_none(struct str s) { return s.ptr == NULL; }
static inline bool str_is_empty(struct str s) { return s.len == 0; }
/* Same bytes; STR_NONE equals only STR_NONE. */
bool str_equal(struct str a, struct str b);
/* ASCII letters compare without case; other bytes exactly. */
bool str_equal_nocase(struct str a, struct str b);
/* Byte order, shorter first on a common prefix, STR_NONE before all: <0, 0, >0. */
int str_compare(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Index of the first `needle` at or after `from`, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle, size_t from);
/* Bytes [from, to) clamped to the text. */
struct str str_slice(struct str s, size_t from, size_t to);
/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);
/* Cuts at the first `separator`: *head gets what stands before, *rest what follows;
 * false (head = all, rest = none) where there is none. */
bool str_cut(struct str s, char separator, struct str *head, struct str *rest);

/* Copies; the result is NUL-terminated. STR_NONE stays STR_NONE. */
struct str str_copy(struct arena *arena, struct str s);
/* A NUL-terminated copy as char *; STR_NONE gives "". */
char *str_c(struct arena *arena, struct str s);
/* printf into the arena. */
struct str str_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str str_vformat(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* ASCII letters lowered. */
struct str str_lower(struct arena *arena, struct str s);
/* Both texts joined; never STR_NONE. */
struct str str_concat(struct arena *arena, struct str a, struct str b);

/* Reads a whole decimal number ('-' allowed, no blanks, no '+', ASCII digits); false if it is none or out of range. */
bool str_to_int(struct str s, int64_t *out);
/* Reads a whole decimal fraction such as -12.5 or 1e-3 with '.', whatever the locale (at most 511 bytes,
 * digits may lack on one side of the point); false if it is none or not finite. */
bool str_to_double(struct str s, double *out);

/* The value of a hex digit of either case; -1 if it is none. */
int str_hex_digit(char c);
/* Lower-case hex of `size` bytes. */
struct str str_hex(struct arena *arena, const void *bytes, size_t size);
/* Reads hex of either case into `out` (`size` bytes); false unless exactly that many. */
bool str_from_hex(struct str hex, void *out, size_t size);

/* True if the bytes are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(struct str s);
/* Reads one code point at *at and moves *at past it; U+FFFD for a bad byte (moves by 1). *at must be < s.len. */
uint32_t utf8_next(struct str s, size_t *at);
/* Writes `code` as UTF-8 into out[4]; returns the number of bytes (1..4). Codes that cannot be written become U+FFFD. */
size_t utf8_put(uint32_t code, char out[4]);
/* Number of code points. */
size_t utf8_length(struct str s);

#endif
