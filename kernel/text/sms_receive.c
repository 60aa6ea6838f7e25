/* Reading of incoming short messages. Whatever arrives becomes some text: a person may be behind it. */
#include "base/base.h"
#include "kernel/text/sms.h"
#include "kernel/text/sms_alphabet.h"

/* Information elements, 3GPP TS 23.040, 9.2.3.24 */
#define IE_CONCATENATION_8 0x00
#define IE_PORTS_8 0x04
#define IE_PORTS_16 0x05
#define IE_CONCATENATION_16 0x08
#define IE_SINGLE_SHIFT 0x24
#define IE_LOCKING_SHIFT 0x25

#define REPLACEMENT 0xFFFD

static uint8_t octet(struct str bytes, size_t at)
{
	return (uint8_t)bytes.ptr[at];
}

/* Alphabet of the general data coding group: bits 3 and 2. */
static enum sms_charset general_charset(uint8_t data_coding)
{
	if (data_coding & 0x20) /* compressed */
		return SMS_CHARSET_BINARY;
	switch ((data_coding >> 2) & 3) {
	case 1: return SMS_CHARSET_BINARY;
	case 2: return SMS_CHARSET_UTF16;
	default: return SMS_CHARSET_GSM7;
	}
}

enum sms_charset sms_charset(uint8_t data_coding, enum sms_charset unspecified)
{
	switch (data_coding >> 4) {
	case 0x0: break;
	case 0xE: return SMS_CHARSET_UTF16;                                       /* message waiting, stored, UCS-2 */
	case 0xF: return data_coding & 4 ? SMS_CHARSET_BINARY : SMS_CHARSET_GSM7; /* with message class */
	default:
		/* 8..B are reserved and to be read as the default alphabet, C and D are message waiting in it */
		return data_coding < 0x80 ? general_charset(data_coding) : SMS_CHARSET_GSM7;
	}
	switch (data_coding) {
	case 0: return unspecified;
	case 1: return SMS_CHARSET_ASCII;
	case 3: return SMS_CHARSET_LATIN1;
	case 6: return SMS_CHARSET_CYRILLIC;
	case 7: return SMS_CHARSET_HEBREW;
	case 8: return SMS_CHARSET_UTF16;
	default: return SMS_CHARSET_BINARY;
	}
}

static void take_concatenation(struct sms_udh *udh, bool wide, unsigned reference, uint8_t total, uint8_t sequence)
{
	if (total == 0 || sequence == 0 || sequence > total)
		return;
	udh->concatenation = (struct sms_concatenation){ (uint16_t)reference, wide, total, sequence };
}

/* An element of a known kind but the wrong length is skipped like an unknown one. */
static void take_element(struct sms_udh *udh, uint8_t id, struct str data)
{
	if (id == IE_CONCATENATION_8 && data.len == 3)
		take_concatenation(udh, false, octet(data, 0), octet(data, 1), octet(data, 2));
	else if (id == IE_CONCATENATION_16 && data.len == 4)
		take_concatenation(udh, true, (unsigned)octet(data, 0) << 8 | octet(data, 1), octet(data, 2),
		                   octet(data, 3));
	else if ((id == IE_PORTS_8 && data.len == 2) || (id == IE_PORTS_16 && data.len == 4))
		udh->has_ports = true;
	else if (id == IE_SINGLE_SHIFT && data.len == 1)
		udh->shift.single = octet(data, 0);
	else if (id == IE_LOCKING_SHIFT && data.len == 1)
		udh->shift.locking = octet(data, 0);
}

bool sms_udh_parse(struct str bytes, struct sms_udh *out)
{
	struct sms_udh udh = { 0 };

	if (bytes.len == 0 || (size_t)octet(bytes, 0) + 1 > bytes.len)
		return false;
	udh.octets = (size_t)octet(bytes, 0) + 1;
	for (size_t at = 1; at < udh.octets;) {
		if (at + 2 > udh.octets || at + 2 + octet(bytes, at + 1) > udh.octets)
			return false;
		size_t length = octet(bytes, at + 1);

		take_element(&udh, octet(bytes, at), str_slice(bytes, at + 2, at + 2 + length));
		at += 2 + length;
	}
	*out = udh;
	return true;
}

unsigned sms_fill_bits(size_t udh_octets)
{
	return (unsigned)((7 - udh_octets * 8 % 7) % 7);
}

struct str sms_pack(struct arena *arena, struct str septets, unsigned fill_bits)
{
	size_t bits = fill_bits + septets.len * 7, len = (bits + 7) / 8;
	uint8_t *out = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < septets.len; i++) {
		size_t bit = fill_bits + i * 7;
		unsigned value = (unsigned)(octet(septets, i) & 0x7F) << (bit % 8);

		out[bit / 8] |= (uint8_t)(value & 0xFF);
		if (value > 0xFF)
			out[bit / 8 + 1] |= (uint8_t)(value >> 8);
	}
	return (struct str){ (const char *)out, len };
}

struct str sms_unpack(struct arena *arena, struct str octets, size_t count, unsigned fill_bits)
{
	size_t bits = octets.len * 8, most = bits > fill_bits ? (bits - fill_bits) / 7 : 0;

	if (count > most)
		count = most;
	char *out = arena_alloc(arena, count + 1);

	for (size_t i = 0; i < count; i++) {
		size_t bit = fill_bits + i * 7;
		unsigned value = octet(octets, bit / 8);

		if (bit / 8 + 1 < octets.len)
			value |= (unsigned)octet(octets, bit / 8 + 1) << 8;
		out[i] = (char)(value >> (bit % 8) & 0x7F);
	}
	return (struct str){ out, count };
}

/* Packed text whose septet count is not told: seven zero bits at the very end are filling, not an '@'. */
static struct str unpack_payload(struct arena *arena, struct str payload, size_t udh_octets)
{
	unsigned fill = sms_fill_bits(udh_octets);
	struct str septets = sms_unpack(arena, payload, SIZE_MAX, fill);

	if (septets.len > 0 && fill + septets.len * 7 == payload.len * 8 && septets.ptr[septets.len - 1] == 0)
		septets.len--;
	return septets;
}

void sms_take_apart(struct arena *arena, const struct sms_received *received, struct sms_incoming *out)
{
	struct sms_incoming incoming = { .payload = received->bytes };

	if (received->esm_class & SMS_ESM_CLASS_UDH) {
		if (sms_udh_parse(received->bytes, &incoming.header))
			incoming.payload = str_slice(received->bytes, incoming.header.octets, received->bytes.len);
		else
			incoming.header_broken = true;
	}
	incoming.charset = sms_charset(received->data_coding, received->unspecified);
	/* Shift tables are those of the 7 bit alphabet, whatever else the route means by 0: septets came through as they are. */
	if (received->data_coding == 0 && (incoming.header.shift.locking != 0 || incoming.header.shift.single != 0))
		incoming.charset = SMS_CHARSET_GSM7;
	if (incoming.charset == SMS_CHARSET_GSM7 && received->packed)
		incoming.payload = unpack_payload(arena, incoming.payload, incoming.header.octets);
	*out = incoming;
}

/* Text being written; every way of reading ends here. */
struct decoder {
	char *out;
	size_t len;
	bool lossy;
};

static void emit(struct decoder *decoder, uint32_t code)
{
	/* U+0000 cannot be stored by every database */
	if (code == 0 || code == REPLACEMENT) {
		code = REPLACEMENT;
		decoder->lossy = true;
	}
	decoder->len += utf8_put(code, decoder->out + decoder->len);
}

static void decode_gsm7(struct decoder *decoder, struct str payload, struct sms_shift shift)
{
	for (size_t i = 0; i < payload.len; i++) {
		uint8_t septet = octet(payload, i);

		if (septet > 0x7F) {
			emit(decoder, REPLACEMENT);
		} else if (septet != GSM7_ESCAPE) {
			emit(decoder, gsm7_read(shift, septet, false));
		} else if (i + 1 == payload.len || octet(payload, i + 1) == GSM7_ESCAPE) {
			emit(decoder, ' ');
			i++;
		} else if (octet(payload, i + 1) <= 0x7F) {
			uint16_t code = gsm7_read(shift, octet(payload, ++i), true);

			emit(decoder, code != 0 ? code : gsm7_read(shift, octet(payload, i), false));
		}
	}
}

static bool all_printable_ascii(struct str payload)
{
	for (size_t i = 0; i < payload.len; i++)
		if (octet(payload, i) < 0x20 || octet(payload, i) > 0x7E)
			return false;
	return true;
}

static void decode_ascii(struct decoder *decoder, struct str payload)
{
	for (size_t i = 0; i < payload.len; i++)
		emit(decoder, octet(payload, i) < 0x80 ? octet(payload, i) : REPLACEMENT);
}

/* A byte order mark is obeyed and dropped; without one it is big-endian. */
static void decode_utf16(struct decoder *decoder, struct str payload)
{
	size_t i = 0, high_at = 0;

	if (payload.len % 2 == 1 && all_printable_ascii(payload)) {
		decode_ascii(decoder, payload); /* some centres say UCS-2 and send ASCII */
		return;
	}
	if (payload.len >= 2 && octet(payload, 0) == 0xFF && octet(payload, 1) == 0xFE)
		high_at = 1;
	if (high_at == 1 || (payload.len >= 2 && octet(payload, 0) == 0xFE && octet(payload, 1) == 0xFF))
		i = 2;
	while (i + 2 <= payload.len) {
		uint32_t unit = (uint32_t)octet(payload, i + high_at) << 8 | octet(payload, i + 1 - high_at);

		i += 2;
		if (unit >= 0xD800 && unit <= 0xDBFF && i + 2 <= payload.len) {
			uint32_t low = (uint32_t)octet(payload, i + high_at) << 8 | octet(payload, i + 1 - high_at);

			if (low >= 0xDC00 && low <= 0xDFFF) {
				unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
				i += 2;
			}
		}
		emit(decoder, unit >= 0xD800 && unit <= 0xDFFF ? REPLACEMENT : unit);
	}
	if (i < payload.len)
		emit(decoder, REPLACEMENT);
}

/* ISO/IEC 8859-5: the Cyrillic block in its own order but for four signs. */
static uint32_t cyrillic(uint8_t byte)
{
	if (byte <= 0xA0 || byte == 0xAD)
		return byte;
	if (byte == 0xF0)
		return 0x2116;
	return byte == 0xFD ? 0x00A7 : 0x0401u + byte - 0xA1u;
}

/* ISO/IEC 8859-8: Hebrew letters, two direction marks, signs of Latin-1. */
static uint32_t hebrew(uint8_t byte)
{
	if (byte >= 0xE0 && byte <= 0xFA)
		return 0x05D0u + byte - 0xE0u;
	switch (byte) {
	case 0xAA: return 0x00D7;
	case 0xBA: return 0x00F7;
	case 0xDF: return 0x2017;
	case 0xFD: return 0x200E;
	case 0xFE: return 0x200F;
	default: return byte == 0xA1 || byte > 0xBE ? REPLACEMENT : byte;
	}
}

static void decode_bytes(struct decoder *decoder, struct str payload, enum sms_charset charset)
{
	for (size_t i = 0; i < payload.len; i++) {
		uint8_t byte = octet(payload, i);

		if (charset == SMS_CHARSET_CYRILLIC)
			emit(decoder, cyrillic(byte));
		else if (charset == SMS_CHARSET_HEBREW)
			emit(decoder, hebrew(byte));
		else if (charset == SMS_CHARSET_BINARY)
			emit(decoder,
			     byte == '\n' || byte == '\r' || (byte >= 0x20 && byte <= 0x7E) ? byte : REPLACEMENT);
		else
			emit(decoder, byte);
	}
}

#define READING_LOCKING_BIT 8 /* of the number of sms_reading, which is stored */
#define READING_SINGLE_BIT 16

int64_t sms_reading(const struct sms_incoming *incoming)
{
	int64_t reading = incoming->charset;

	if (incoming->charset == SMS_CHARSET_GSM7)
		reading |= (int64_t)incoming->header.shift.locking << READING_LOCKING_BIT |
		           (int64_t)incoming->header.shift.single << READING_SINGLE_BIT;
	return reading;
}

struct str sms_read(struct arena *arena, int64_t reading, struct str payload, bool *lossy)
{
	/* an octet becomes one code point below U+10000 at most */
	struct decoder decoder = { .out = arena_alloc(arena, payload.len * 3 + 4) };
	enum sms_charset charset = (enum sms_charset)(reading & 0xFF);

	switch (charset) {
	case SMS_CHARSET_GSM7: {
		struct sms_shift shift = { .locking = (uint8_t)(reading >> READING_LOCKING_BIT & 0xFF),
			                   .single = (uint8_t)(reading >> READING_SINGLE_BIT & 0xFF) };

		decode_gsm7(&decoder, payload, shift);
		break;
	}
	case SMS_CHARSET_ASCII: decode_ascii(&decoder, payload); break;
	case SMS_CHARSET_UTF16: decode_utf16(&decoder, payload); break;
	case SMS_CHARSET_UTF8:
		for (size_t at = 0; at < payload.len;)
			emit(&decoder, utf8_next(payload, &at));
		break;
	case SMS_CHARSET_LATIN1:
	case SMS_CHARSET_CYRILLIC:
	case SMS_CHARSET_HEBREW:
	case SMS_CHARSET_BINARY:
	default: decode_bytes(&decoder, payload, charset); break;
	}
	if (lossy != NULL)
		*lossy = decoder.lossy || charset >= SMS_CHARSET_BINARY;
	return (struct str){ decoder.out, decoder.len };
}

struct str sms_decode(struct arena *arena, enum sms_charset charset, struct str payload, bool *lossy)
{
	return sms_read(arena, (int64_t)charset, payload, lossy);
}
