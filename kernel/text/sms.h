/* Short messages as octets: alphabets, counting, cutting into parts, and reading what phones send.
 *
 * Two encodings go out: the GSM 7 bit default alphabet with its extension table (3GPP TS 23.038, 6.2.1 and 6.2.1.1)
 * and UCS-2, which phones read as UTF-16BE. In SMPP a septet travels in an octet of its own after the user data
 * header; the message centre packs. National language shift tables (6.2.1.2) are read as far as the header goes
 * (struct sms_udh names them), not applied.
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
#define SMS_DATA_CODING_UCS2 0x08
#define SMS_ESM_CLASS_UDH 0x40

enum sms_encoding { SMS_GSM7, SMS_UCS2 };

/* Width of the reference number that joins the parts. 16 bits clash less and cost one septet a part. */
enum sms_reference { SMS_REFERENCE_8, SMS_REFERENCE_16 };

struct sms_options {
	size_t parts_max; /* 0 means SMS_PARTS_MAX; at most SMS_PARTS_CEILING */
	enum sms_reference reference_size;
	uint16_t reference; /* the caller counts it per sender and recipient; cut to 8 bits where they are used */
	bool transliterate; /* typographic quotes, dashes and spaces become plain if the whole then fits GSM */
};

struct sms_measure {
	enum sms_encoding encoding;
	size_t units;        /* septets (an extended character is two) or UTF-16 code units; headers not counted */
	size_t parts;        /* at least 1; may exceed the limit, which is then for the caller to say */
	size_t part_units;   /* room of each part in units: 160/153/152 or 70/67/66 */
	size_t units_left;   /* units that still fit into the last part */
	uint32_t forced_by;  /* first character that GSM lacks; 0 if none (U+0000 itself is refused) */
	size_t forced_at;    /* its byte offset in the text given */
	bool too_many;       /* more parts than the options allow */
	bool transliterated; /* the options asked for it and it changed something */
};

struct sms_part {
	uint8_t esm_class;   /* SMS_ESM_CLASS_UDH or 0 */
	uint8_t data_coding; /* SMS_DATA_CODING_DEFAULT or SMS_DATA_CODING_UCS2 */
	size_t units;
	struct str short_message; /* header and text, ready for submit_sm; at most 160 octets */
	struct str text;          /* what this part shows: a slice of sms_message.text */
};

struct sms_message {
	struct sms_measure measure;
	struct str text; /* as it goes out: line breaks are LF, transliterated if so */
	size_t part_count;
	struct sms_part *parts;
};

/* Counts what `text` costs. CR LF counts as LF. `options` NULL means all zero.
 * INVALID if the text is not UTF-8, holds U+0000 or exceeds SMS_TEXT_MAX. Scratch memory comes from `arena`. */
enum rc sms_measure(struct arena *arena, struct str text, const struct sms_options *options, struct sms_measure *out,
                    struct err *err);

/* Cuts `text` into parts (one without header if it fits, else with concatenation headers 00 03 or 08 04). Never cuts
 * an escape from its character nor a surrogate pair, and a grapheme cluster only if it alone overfills a part.
 * INVALID as sms_measure, and if it takes more parts than allowed. The result lives in `arena`. */
enum rc sms_split(struct arena *arena, struct str text, const struct sms_options *options, struct sms_message *out,
                  struct err *err);

/* The octet sequence of one code point in the GSM default alphabet: 1, or 2 with escape; 0 if it has none. */
size_t sms_gsm7_put(uint32_t code, uint8_t out[2]);

/* How incoming octets are read. */
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
	uint8_t single_shift;  /* national language of the single shift table, 0 none */
	uint8_t locking_shift; /* the same of the locking table */
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

/* Text of joined payloads as UTF-8. Phones do cut surrogate and escape pairs, so join the bytes of parts first.
 * What cannot be read (also U+0000) becomes U+FFFD and sets *lossy (may be NULL); text never vanishes. Binary
 * keeps its printable ASCII. An unknown escape shows the plain character, a double or last escape a space
 * (3GPP TS 23.038, 6.2.1). */
struct str sms_decode(struct arena *arena, enum sms_charset charset, struct str payload, bool *lossy);

/* Packs septets (one per octet, high bit ignored) into octets, after `fill_bits` (0..6) zero bits
 * (3GPP TS 23.038, 6.1.2.1.1). */
struct str sms_pack(struct arena *arena, struct str septets, unsigned fill_bits);

/* Unpacks `count` septets that start after `fill_bits`; count is cut to what the octets hold. */
struct str sms_unpack(struct arena *arena, struct str octets, size_t count, unsigned fill_bits);

/* Fill bits that bring the text after a header of `udh_octets` to a septet border. */
unsigned sms_fill_bits(size_t udh_octets);

#endif
