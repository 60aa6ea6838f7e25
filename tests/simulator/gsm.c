/* Texts of short messages. A second reading of the tables of 3GPP TS 23.038 (6.2.1, 6.2.1.1), independent of the
 * product's own, so that a mistake there does not hide itself here. */
#include "tests/simulator/simulator.h"

#define ESCAPE 0x1B

/* Characters 0x00-0x7F of the default alphabet in UTF-8, read in order; 0x1B stands as a space. */
static const char DEFAULT_ALPHABET[] =
	"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
	"¿abcdefghijklmnopqrstuvwxyzäöñüà";

static const struct {
	uint8_t septet;
	uint32_t code;
} EXTENSION[] = {
	{ 0x0A, 0x0C }, { 0x14, '^' }, { 0x28, '{' }, { 0x29, '}' }, { 0x2F, '\\' },
	{ 0x3C, '[' },  { 0x3D, '~' }, { 0x3E, ']' }, { 0x40, '|' }, { 0x65, 0x20AC },
};

static uint32_t codes[128];
static pthread_once_t codes_made = PTHREAD_ONCE_INIT;

static void make_codes(void)
{
	struct str table = { DEFAULT_ALPHABET, sizeof DEFAULT_ALPHABET - 1 };
	size_t at = 0;
	for (size_t i = 0; i < 128 && at < table.len; i++)
		codes[i] = utf8_next(table, &at);
}

static uint32_t default_code(uint8_t septet)
{
	pthread_once(&codes_made, make_codes);
	return codes[septet];
}

static void add_code(struct buf *buf, uint32_t code)
{
	char bytes[4];
	buf_add(buf, bytes, utf8_put(code, bytes));
}

static void decode_gsm(struct buf *out, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t septet = (uint8_t)bytes.ptr[i] & 0x7F;
		if (septet != ESCAPE) {
			add_code(out, default_code(septet));
			continue;
		}
		uint8_t next = i + 1 < bytes.len ? (uint8_t)bytes.ptr[++i] & 0x7F : 0x20;
		uint32_t code = default_code(next);
		for (size_t k = 0; k < COUNT_OF(EXTENSION); k++)
			if (EXTENSION[k].septet == next)
				code = EXTENSION[k].code;
		add_code(out, code);
	}
}

static void decode_ucs2(struct buf *out, struct str bytes)
{
	for (size_t i = 0; i + 1 < bytes.len; i += 2) {
		uint32_t unit = (uint32_t)((uint8_t)bytes.ptr[i] << 8 | (uint8_t)bytes.ptr[i + 1]);
		if (unit >= 0xD800 && unit < 0xDC00 && i + 3 < bytes.len) {
			uint32_t low = (uint32_t)((uint8_t)bytes.ptr[i + 2] << 8 | (uint8_t)bytes.ptr[i + 3]);
			if (low >= 0xDC00 && low < 0xE000) {
				unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
				i += 2;
			}
		}
		add_code(out, unit);
	}
}

struct str gsm_decode(struct arena *arena, uint8_t data_coding, struct str bytes)
{
	struct buf out;
	buf_init(&out);
	if (data_coding == 8)
		decode_ucs2(&out, bytes);
	else if (data_coding == 3)
		for (size_t i = 0; i < bytes.len; i++)
			add_code(&out, (uint8_t)bytes.ptr[i]);
	else
		decode_gsm(&out, bytes);
	struct str text = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return text;
}

/* The septets of one character, or 0. */
static size_t encode_one(uint32_t code, uint8_t out[2])
{
	for (uint8_t septet = 0; septet < 128; septet++) {
		if (septet != ESCAPE && default_code(septet) == code) {
			out[0] = septet;
			return 1;
		}
	}
	for (size_t k = 0; k < COUNT_OF(EXTENSION); k++) {
		if (EXTENSION[k].code == code) {
			out[0] = ESCAPE;
			out[1] = EXTENSION[k].septet;
			return 2;
		}
	}
	return 0;
}

static void encode_ucs2(struct buf *out, struct str text)
{
	for (size_t at = 0; at < text.len;) {
		uint32_t code = utf8_next(text, &at);
		if (code >= 0x10000) {
			buf_add_u16(out, (uint16_t)(0xD800 + ((code - 0x10000) >> 10)));
			code = 0xDC00 + ((code - 0x10000) & 0x3FF);
		}
		buf_add_u16(out, (uint16_t)code);
	}
}

struct str gsm_encode(struct arena *arena, struct str text, uint8_t *data_coding)
{
	struct buf out;
	buf_init(&out);
	*data_coding = 0;
	for (size_t at = 0; at < text.len && *data_coding == 0;) {
		uint8_t septets[2];
		size_t count = encode_one(utf8_next(text, &at), septets);
		buf_add(&out, septets, count);
		if (count == 0)
			*data_coding = 8;
	}
	if (*data_coding == 8) {
		buf_clear(&out);
		encode_ucs2(&out, text);
	}
	struct str bytes = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return bytes;
}
