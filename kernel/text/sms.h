/* Short messages as octets: alphabets, counting, cutting into parts, and reading what phones send.
 *
 * Four encodings go out, the one that takes the fewest parts: the GSM 7 bit default alphabet with its extension table (3GPP
 * TS 23.038, 6.2.1 and 6.2.1.1); the same with national language shift tables (6.2.1.2) where the road takes them; UCS-2,
 * which phones read as UTF-16BE; 8-bit Latin-1 where the road takes it. In SMPP a septet travels in an octet of its own
 * after the user data header; the message centre packs.
 *
 * Nothing here knows of SMPP's packets, of routes or of people. */
#ifndef CHANCERY_KERNEL_TEXT_SMS_H
#define CHANCERY_KERNEL_TEXT_SMS_H

#include "base/base.h"

#define SMS_PARTS_MAX 10          /* parts allowed when the options say nothing */
#define SMS_PARTS_CEILING 255     /* the header counts parts in one octet (3GPP TS 23.040, 9.2.3.24.1) */
#define SMS_TEXT_MAX (128 * 1024) /* bytes of UTF-8 looked at; longer texts are refused */
#define SMS_OCTETS 140            /* user data of one short message on the air */
#define SMS_SEPTETS 160           /* the same in septets */

/* data_coding and esm_class of SMPP 3.4 (5.2.19, 5.2.12) */
#define SMS_DATA_CODING_DEFAULT 0x00
#define SMS_DATA_CODING_LATIN1 0x03
#define SMS_DATA_CODING_UCS2 0x08
#define SMS_ESM_CLASS_UDH 0x40

/* National language identifiers (TS 23.038, 6.2.1.2.4): 1 Turkish, 2 Spanish (single shift only), 3 Portuguese, 4 Bengali,
 * 5 Gujarati, 6 Hindi, 7 Kannada, 8 Malayalam, 9 Oriya, 10 Punjabi, 11 Tamil, 12 Telugu, 13 Urdu. */
#define SMS_LANGUAGE_COUNT 13
#define SMS_LANGUAGES_ALL 0x3FFE /* bits 1 << language */

/* The languages of the tables in use, 0 the default ones. */
struct sms_shift {
	uint8_t locking, single;
};

enum sms_encoding { SMS_GSM7, SMS_UCS2, SMS_LATIN1 };

/* How octets are read. */
enum sms_charset {
	SMS_CHARSET_GSM7,
	SMS_CHARSET_ASCII,
	SMS_CHARSET_LATIN1,
	SMS_CHARSET_CYRILLIC, /* ISO 8859-5 */
	SMS_CHARSET_HEBREW,   /* ISO 8859-8 */
	SMS_CHARSET_UTF16,
	SMS_CHARSET_UTF8,
	SMS_CHARSET_BINARY, /* also what we have no table for */
};

/* How the parts of a long text are told to belong together. */
enum sms_joining {
	SMS_JOIN_UDH_8,   /* user data header, reference of 8 bits */
	SMS_JOIN_UDH_16,  /* reference of 16 bits: clashes less, costs one septet a part */
	SMS_JOIN_SAR,     /* SMPP's sar_ TLVs (5.3.2.22-24): the carrier makes the headers, so room is left for the wider one */
	SMS_JOIN_PAYLOAD, /* one PDU, the whole text in TLV message_payload: the carrier cuts, and parts are an estimate */
};

/* What a road can do with texts. All zero is what every carrier takes. */
struct sms_road {
	enum sms_joining joining;
	/* What data_coding 0 means to the carrier, both ways: GSM7, or ASCII or LATIN1 where it converts to the GSM alphabet. */
	enum sms_charset unspecified;
	uint16_t languages; /* national tables that may be used: bits 1 << language, SMS_LANGUAGES_ALL; GSM7 roads only */
	bool latin1;        /* data_coding 3 may be used */
	bool packed;        /* incoming GSM text comes packed, eight septets in seven octets */
};

struct sms_options {
	struct sms_road road;
	size_t parts_max;   /* 0 means SMS_PARTS_MAX; at most SMS_PARTS_CEILING */
	uint16_t reference; /* the caller counts it per sender and recipient; cut to 8 bits where they are used */
	bool transliterate; /* typographic quotes, dashes and spaces become plain if the whole then fits GSM */
};

struct sms_measure {
	enum sms_encoding encoding;
	struct sms_shift shift; /* of GSM7 */
	size_t units;           /* septets (an extended character is two), octets or UTF-16 code units; headers not counted */
	size_t parts;           /* at least 1; may exceed the limit, which is then for the caller to say */
	size_t part_units;      /* room of each part in units: without shift tables 160/153/152, 140/134/133 or 70/67/66 */
	size_t units_left;      /* units that still fit into the last part */
	uint32_t forced_by;     /* first character that the default GSM alphabet lacks; 0 if none (U+0000 itself is refused) */
	size_t forced_at;       /* its byte offset in the text given */
	bool too_many;          /* more parts than the options allow */
	bool transliterated;    /* the options asked for it and it changed something */
};

struct sms_part {
	uint8_t esm_class;   /* SMS_ESM_CLASS_UDH or 0 */
	uint8_t data_coding; /* SMS_DATA_CODING_* */
	size_t units;
	uint16_t sar_reference; /* SMS_JOIN_SAR */
	uint8_t sar_total, sar_number; /* sar_total 0: none */
	bool payload;        /* short_message goes into message_payload */
	struct str short_message; /* header and text, ready for submit_sm; at most 160 octets unless `payload` */
	struct str text;          /* what this part shows: a slice of sms_message.text */
};

struct sms_message {
	struct sms_measure measure;
	struct str text;   /* as it goes out: line breaks are LF, transliterated if so */
	size_t part_count; /* PDUs: measure.parts, or 1 with SMS_JOIN_PAYLOAD */
	struct sms_part *parts;
};

/* Counts what `text` costs. CR LF counts as LF. `options` NULL means all zero.
 * Fewest parts win; of equal ones the encoding that more phones read: the default alphabet, UCS-2, shift tables, Latin-1.
 * INVALID if the text is not UTF-8, holds U+0000 or exceeds SMS_TEXT_MAX. Scratch memory comes from `arena`. */
enum rc sms_measure(struct arena *arena, struct str text, const struct sms_options *options, struct sms_measure *out,
                    struct err *err);

/* Cuts `text` into parts (one without concatenation if it fits). Never cuts an escape from its character nor a surrogate
 * pair, and a grapheme cluster only if it alone overfills a part.
 * INVALID as sms_measure, and if it takes more parts than allowed. The result lives in `arena`. */
enum rc sms_split(struct arena *arena, struct str text, const struct sms_options *options, struct sms_message *out,
                  struct err *err);

/* The octet sequence of one code point in the GSM default alphabet: 1, or 2 with escape; 0 if it has none. */
size_t sms_gsm7_put(uint32_t code, uint8_t out[2]);

/* What a data_coding says: SMPP's values 0..15 and the GSM data coding schemes above (3GPP TS 23.038, 4).
 * `unspecified` is what this route means by 0 ("SMSC default alphabet"): usually GSM7, on some routes Latin-1. */
enum sms_charset sms_charset(uint8_t data_coding, enum sms_charset unspecified);

struct sms_concatenation {
	uint16_t reference;
	bool wide;        /* 16 bit reference: never joins with parts of the other kind */
	uint8_t total;    /* 0: not a part of a longer message */
	uint8_t sequence; /* 1..total */
};

/* User data header (3GPP TS 23.040, 9.2.3.24). */
struct sms_udh {
	size_t octets; /* with the length octet; what follows is text */
	struct sms_concatenation concatenation;
	struct sms_shift shift; /* national languages told (also reserved numbers), 0 none */
	bool has_ports;        /* addressed to an application port: not a text for people */
};

/* Walks the information elements in whatever order; unknown ones are skipped, of repeated ones the last counts, a
 * concatenation element with total 0 or a sequence outside 1..total is ignored.
 * False, and *out untouched, if a length runs past the bytes. */
bool sms_udh_parse(struct str bytes, struct sms_udh *out);

struct sms_received {
	struct str bytes; /* short_message or message_payload */
	uint8_t esm_class;
	uint8_t data_coding;
	enum sms_charset unspecified; /* setting of the route, see sms_charset */
	bool packed;                  /* setting of the route: GSM text comes packed, eight septets in seven octets */
};

/* One incoming short message taken apart, before parts are joined. */
struct sms_incoming {
	struct sms_udh header; /* all zero without one */
	bool header_broken;    /* announced, but its lengths are impossible: everything was taken as text */
	enum sms_charset charset;
	struct str payload; /* without header, septets one per octet: bytes of parts may be joined, then decoded */
};

/* Takes a message apart; never fails. `payload` may point into `received->bytes`. */
void sms_take_apart(struct arena *arena, const struct sms_received *received, struct sms_incoming *out);

/* How a payload is to be read, as one number that may be stored: its charset and the languages of its tables. Payloads of
 * parts with the same number may be joined. */
int64_t sms_reading(const struct sms_incoming *incoming);

/* Text of joined payloads as UTF-8. Phones do cut surrogate and escape pairs, so join the bytes of parts first.
 * What cannot be read (also U+0000) becomes U+FFFD and sets *lossy (may be NULL); text never vanishes. Binary
 * keeps its printable ASCII. An unknown escape shows the plain character, a double or last escape a space
 * (3GPP TS 23.038, 6.2.1). */
struct str sms_read(struct arena *arena, int64_t reading, struct str payload, bool *lossy);

/* The same for a charset without national tables. */
struct str sms_decode(struct arena *arena, enum sms_charset charset, struct str payload, bool *lossy);

/* Packs septets (one per octet, high bit ignored) into octets, after `fill_bits` (0..6) zero bits
 * (3GPP TS 23.038, 6.1.2.1.1). */
struct str sms_pack(struct arena *arena, struct str septets, unsigned fill_bits);

/* Unpacks `count` septets that start after `fill_bits`; count is cut to what the octets hold. */
struct str sms_unpack(struct arena *arena, struct str octets, size_t count, unsigned fill_bits);

/* Fill bits that bring the text after a header of `udh_octets` to a septet border. */
unsigned sms_fill_bits(size_t udh_octets);

#endif
