/* A growing byte buffer on the heap. Init, release; the caller owns it. */
#ifndef CHANCERY_BASE_BUF_H
#define CHANCERY_BASE_BUF_H

#include <stdint.h>

#include "str.h"

struct buf {
	char *ptr;
	size_t len;
	size_t capacity;
};

void buf_init(struct buf *buf);
void buf_release(struct buf *buf);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *buf);
/* Makes room for `extra` more bytes (ends the process when memory runs out). */
void buf_reserve(struct buf *buf, size_t extra);
/* Appends; `bytes` must not lie in the buffer itself. */
void buf_add(struct buf *buf, const void *bytes, size_t size);
void buf_add_str(struct buf *buf, struct str s);
void buf_add_char(struct buf *buf, char c);
void buf_add_int(struct buf *buf, int64_t value);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Big-endian integers, as SMPP and others write them. */
void buf_add_u8(struct buf *buf, uint8_t value);
void buf_add_u16(struct buf *buf, uint16_t value);
void buf_add_u32(struct buf *buf, uint32_t value);
/* LEB128 of an unsigned number. */
void buf_add_varint(struct buf *buf, uint64_t value);
/* Drops the first `size` bytes (the rest moves down). */
void buf_consume(struct buf *buf, size_t size);
/* A view of the content; valid until the buffer changes. */
static inline struct str buf_str(const struct buf *buf) { return (struct str){ buf->ptr ? buf->ptr : "", buf->len }; }

#endif
