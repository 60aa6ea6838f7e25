#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/fatal.h"

#define FIRST_CAPACITY ((size_t)64)

void buf_init(struct buf *buf)
{
	*buf = (struct buf){ NULL, 0, 0 };
}

void buf_release(struct buf *buf)
{
	free(buf->ptr);
	buf_init(buf);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
}

void buf_reserve(struct buf *buf, size_t extra)
{
	if (extra <= buf->capacity - buf->len)
		return;
	if (extra > SIZE_MAX / 2 - buf->len)
		base_fatal("buf: too large");
	size_t need = buf->len + extra;
	size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
	while (capacity < need)
		capacity *= 2;
	char *larger = realloc(buf->ptr, capacity);
	if (!larger)
		base_fatal("buf: out of memory");
	buf->ptr = larger;
	buf->capacity = capacity;
}

void buf_add(struct buf *buf, const void *bytes, size_t size)
{
	if (size == 0)
		return;
	buf_reserve(buf, size);
	memcpy(buf->ptr + buf->len, bytes, size);
	buf->len += size;
}

void buf_add_str(struct buf *buf, struct str s)
{
	buf_add(buf, s.ptr, s.len);
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_add_int(struct buf *buf, int64_t value)
{
	char digits[20]; /* "-9223372036854775808" */
	size_t at = sizeof digits;
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		digits[--at] = '-';
	buf_add(buf, digits + at, sizeof digits - at);
}

void buf_format(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	if (length < 0)
		base_fatal("buf: format failed");
	buf_reserve(buf, (size_t)length + 1);
	if (vsnprintf(buf->ptr + buf->len, (size_t)length + 1, format, again) != length)
		base_fatal("buf: format failed");
	buf->len += (size_t)length;
	va_end(again);
	va_end(args);
}

void buf_add_u8(struct buf *buf, uint8_t value)
{
	buf_add(buf, &value, 1);
}

void buf_add_u16(struct buf *buf, uint16_t value)
{
	uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };
	buf_add(buf, bytes, sizeof bytes);
}

void buf_add_u32(struct buf *buf, uint32_t value)
{
	uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value };
	buf_add(buf, bytes, sizeof bytes);
}

void buf_add_varint(struct buf *buf, uint64_t value)
{
	uint8_t bytes[10]; /* 64 bits in groups of 7 */
	size_t count = 0;
	do {
		bytes[count++] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
		value >>= 7;
	} while (value);
	buf_add(buf, bytes, count);
}

void buf_consume(struct buf *buf, size_t size)
{
	if (size >= buf->len) {
		buf->len = 0;
		return;
	}
	if (size == 0)
		return;
	buf->len -= size;
	memmove(buf->ptr, buf->ptr + size, buf->len);
}
