/* Counting and cutting of outgoing texts. One walk over the code points (struct cutter) serves both, so that what an
 * officer is shown and what goes out cannot differ. */
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/base.h"
#include "kernel/text/sms.h"
#include "kernel/text/sms_alphabet.h"

#define UCS2_UNITS (SMS_OCTETS / 2)
#define UDH_OCTETS_8 6  /* 05 00 03 reference total sequence */
#define UDH_OCTETS_16 7 /* 06 08 04 reference(2) total sequence */

/* What the text looks like just before the next character: enough to tell whether a cluster ends there. */
struct cluster {
	int32_t last;           /* grapheme cluster break class of the last character, -1 at the start */
	bool pictograph_joined; /* a pictograph, extenders and a joiner stand before */
	bool pictograph;        /* a pictograph and extenders stand before */
	bool odd_indicators;    /* an odd number of regional indicators stands before */
};

static bool is_control(int32_t class)
{
	return class == U_GCB_CONTROL || class == U_GCB_CR || class == U_GCB_LF;
}

/* Hangul syllables hold together: rules GB6 to GB8 of UAX #29. */
static bool hangul_joins(int32_t before, int32_t after)
{
	if (before == U_GCB_L)
		return after == U_GCB_L || after == U_GCB_V || after == U_GCB_LV || after == U_GCB_LVT;
	if (before == U_GCB_LV || before == U_GCB_V)
		return after == U_GCB_V || after == U_GCB_T;
	return (before == U_GCB_LVT || before == U_GCB_T) && after == U_GCB_T;
}

/* Takes the next character; true if a grapheme cluster starts with it (UAX #29, rules GB3 to GB13). */
static bool cluster_step(struct cluster *cluster, uint32_t code)
{
	int32_t before = cluster->last;
	int32_t class = u_getIntPropertyValue((UChar32)code, UCHAR_GRAPHEME_CLUSTER_BREAK);
	bool pictograph = u_hasBinaryProperty((UChar32)code, UCHAR_EXTENDED_PICTOGRAPHIC);
	bool starts = true;

	if (before == U_GCB_CR && class == U_GCB_LF)
		starts = false;
	else if (before < 0 || is_control(before) || is_control(class))
		starts = true;
	else if (hangul_joins(before, class) || class == U_GCB_EXTEND || class == U_GCB_ZWJ ||
	         class == U_GCB_SPACING_MARK || before == U_GCB_PREPEND || (cluster->pictograph_joined && pictograph) ||
	         (class == U_GCB_REGIONAL_INDICATOR && cluster->odd_indicators))
		starts = false;

	cluster->pictograph_joined = cluster->pictograph && class == U_GCB_ZWJ;
	cluster->pictograph = pictograph || (cluster->pictograph && class == U_GCB_EXTEND);
	cluster->odd_indicators = class == U_GCB_REGIONAL_INDICATOR && !cluster->odd_indicators;
	cluster->last = class;
	return starts;
}

/* Where parts end, found while walking the text once. */
struct cutter {
	struct str text;
	enum sms_encoding encoding;
	size_t room;         /* units a part may hold */
	size_t at;           /* byte offset of the next character */
	size_t part_from;    /* byte offset where the part being filled starts */
	size_t part_units;   /* units in it up to `at` */
	size_t border;       /* last cluster border in it (byte offset) */
	size_t border_units; /* units in it before the border */
	struct cluster cluster;
};

static void cutter_init(struct cutter *cutter, struct str text, enum sms_encoding encoding, size_t room)
{
	*cutter = (struct cutter){ .text = text, .encoding = encoding, .room = room, .cluster = { .last = -1 } };
}

static size_t code_units(enum sms_encoding encoding, uint32_t code)
{
	uint8_t septets[2];

	if (encoding == SMS_GSM7)
		return sms_gsm7_put(code, septets);
	return code > 0xFFFF ? 2 : 1;
}

/* The next part as byte offsets and units; false after the last one. An empty text is one empty part. */
static bool cutter_next(struct cutter *cutter, size_t *from_out, size_t *to_out, size_t *units_out)
{
	size_t text_len = cutter->text.len;

	if (cutter->part_from > 0 && cutter->part_from >= text_len)
		return false;
	while (cutter->at < text_len) {
		size_t next = cutter->at;
		uint32_t code = utf8_next(cutter->text, &next);
		size_t units = code_units(cutter->encoding, code);

		/* no character of GSM joins the one before it */
		if (cutter->encoding == SMS_GSM7 || cluster_step(&cutter->cluster, code)) {
			cutter->border = cutter->at;
			cutter->border_units = cutter->part_units;
		}
		if (cutter->part_units + units > cutter->room) {
			/* a cluster larger than a part goes apart between its characters, for no border would help */
			bool has_border = cutter->border > cutter->part_from &&
			                  cutter->part_units - cutter->border_units + units <= cutter->room;
			size_t cut = has_border ? cutter->border : cutter->at;
			size_t cut_units = has_border ? cutter->border_units : cutter->part_units;

			*from_out = cutter->part_from;
			*to_out = cut;
			*units_out = cut_units;
			cutter->part_from = cut;
			cutter->part_units = cutter->part_units - cut_units + units;
			cutter->border = cut;
			cutter->border_units = 0;
			cutter->at = next;
			return true;
		}
		cutter->part_units += units;
		cutter->at = next;
	}
	*from_out = cutter->part_from;
	*to_out = text_len;
	*units_out = cutter->part_units;
	/* one past the end marks the end also for an empty text */
	cutter->part_from = text_len + 1;
	return true;
}

/* CR LF as LF: forms send the pair, phones show one break, and the CR would be paid for. */
static struct str fold_line_breaks(struct arena *arena, struct str text)
{
	size_t at = str_find(text, S("\r\n"), 0);

	if (at == SIZE_MAX)
		return text;
	char *out = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\r' || i + 1 == text.len || text.ptr[i + 1] != '\n')
			out[len++] = text.ptr[i];
	return (struct str){ out, len };
}

/* Byte offset of the first character that GSM lacks, or SIZE_MAX. */
static size_t find_forced(struct str text, uint32_t *code_out)
{
	uint8_t septets[2];

	for (size_t at = 0; at < text.len;) {
		size_t start = at;
		uint32_t code = utf8_next(text, &at);

		if (sms_gsm7_put(code, septets) == 0) {
			*code_out = code;
			return start;
		}
	}
	return SIZE_MAX;
}

/* The plain form of a typographic sign, "" for signs without a shape, NULL for all else. Letters are never touched. */
static const char *plain_form(uint32_t code)
{
	if (code >= 0x2000 && code <= 0x200A)
		return " ";
	switch (code) {
	case '\t':
	case 0x00A0:
	case 0x202F:
	case 0x205F:
	case 0x3000: return " ";
	case 0x2028:
	case 0x2029:
	case 0x0085: return "\n";
	case '`':
	case 0x00B4:
	case 0x2018:
	case 0x2019:
	case 0x201A:
	case 0x201B:
	case 0x2032:
	case 0x2035:
	case 0x2039:
	case 0x203A: return "'";
	case 0x00AB:
	case 0x00BB:
	case 0x201C:
	case 0x201D:
	case 0x201E:
	case 0x201F:
	case 0x2033:
	case 0x2036:
	case 0x301D:
	case 0x301E: return "\"";
	case 0x2010:
	case 0x2011:
	case 0x2012:
	case 0x2013:
	case 0x2014:
	case 0x2015:
	case 0x2212: return "-";
	case 0x2026: return "...";
	case 0x00AD:
	case 0x200B:
	case 0x200C:
	case 0x200D:
	case 0x2060:
	case 0xFEFF:
	case 0x200E:
	case 0x200F:
	case 0x061C: /* direction marks and isolates: nothing in GSM runs right to left */
	case 0x2066:
	case 0x2067:
	case 0x2068:
	case 0x2069: return "";
	default: return NULL;
	}
}

/* Composes accents (a text typed on some systems carries them apart). STR_NONE if ICU cannot. */
static struct str compose(struct arena *arena, struct str text)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
	int32_t capacity = (int32_t)text.len + 1;
	UChar *wide = ARENA_NEW_ARRAY(arena, UChar, (size_t)capacity);
	UChar *composed = ARENA_NEW_ARRAY(arena, UChar, (size_t)capacity * 3);
	int32_t wide_len = 0, composed_len = 0, out_len = 0;
	char *out = arena_alloc(arena, (size_t)capacity * 9);

	u_strFromUTF8(wide, capacity, &wide_len, text.ptr, (int32_t)text.len, &status);
	composed_len = unorm2_normalize(nfc, wide, wide_len, composed, capacity * 3, &status);
	u_strToUTF8(out, capacity * 9, &out_len, composed, composed_len, &status);
	return U_SUCCESS(status) ? (struct str){ out, (size_t)out_len } : STR_NONE;
}

/* The text in plain signs if it then fits GSM as a whole; otherwise as it is, since half a change would lose the signs
 * for nothing. */
static struct str transliterate(struct arena *arena, struct str text)
{
	struct str composed = compose(arena, text);
	struct buf buf;
	uint32_t code;

	if (str_is_none(composed))
		return text;
	buf_init(&buf);
	for (size_t at = 0; at < composed.len;) {
		size_t start = at;
		const char *plain = plain_form(utf8_next(composed, &at));

		if (plain != NULL)
			buf_add(&buf, plain, strlen(plain));
		else
			buf_add(&buf, composed.ptr + start, at - start);
	}
	struct str changed = buf_str(&buf);
	struct str result = find_forced(changed, &code) == SIZE_MAX ? str_copy(arena, changed) : text;

	buf_release(&buf);
	return result;
}

static size_t parts_allowed(const struct sms_options *options)
{
	if (options->parts_max == 0)
		return SMS_PARTS_MAX;
	return options->parts_max > SMS_PARTS_CEILING ? SMS_PARTS_CEILING : options->parts_max;
}

static size_t units_of(struct str text, enum sms_encoding encoding)
{
	size_t units = 0;

	for (size_t at = 0; at < text.len;)
		units += code_units(encoding, utf8_next(text, &at));
	return units;
}

static size_t room_of_part(enum sms_encoding encoding, enum sms_reference size)
{
	size_t udh = size == SMS_REFERENCE_16 ? UDH_OCTETS_16 : UDH_OCTETS_8;

	return encoding == SMS_GSM7 ? SMS_SEPTETS - (8 * udh + 6) / 7 : (SMS_OCTETS - udh) / 2;
}

/* Checks the text, brings it to the form that goes out, and counts. */
static enum rc prepare(struct arena *arena, struct str text, const struct sms_options *options, struct str *text_out,
                       struct sms_measure *out, struct err *err)
{
	struct sms_measure measure = { 0 };
	struct cutter cutter;
	size_t from, to, units = 0, single;

	if (text.len > SMS_TEXT_MAX)
		return err_set(err, INVALID, "text of %zu bytes is too long for SMS", text.len);
	if (text.len > 0 && (!utf8_valid(text) || memchr(text.ptr, 0, text.len) != NULL))
		return err_set(err, INVALID, "text is not UTF-8 or holds U+0000");

	struct str ready = fold_line_breaks(arena, text);
	size_t forced = find_forced(text, &measure.forced_by);

	measure.forced_at = forced == SIZE_MAX ? 0 : forced;
	if (forced != SIZE_MAX && options->transliterate) {
		struct str plain = transliterate(arena, ready);

		measure.transliterated = plain.ptr != ready.ptr;
		ready = plain;
	}
	measure.encoding = forced == SIZE_MAX || measure.transliterated ? SMS_GSM7 : SMS_UCS2;
	measure.units = units_of(ready, measure.encoding);
	single = measure.encoding == SMS_GSM7 ? SMS_SEPTETS : UCS2_UNITS;
	measure.part_units = measure.units <= single ? single : room_of_part(measure.encoding, options->reference_size);
	if (measure.units <= single) {
		measure.parts = 1;
		units = measure.units;
	} else {
		cutter_init(&cutter, ready, measure.encoding, measure.part_units);
		while (cutter_next(&cutter, &from, &to, &units))
			measure.parts++;
	}
	measure.units_left = measure.part_units - units;
	measure.too_many = measure.parts > parts_allowed(options);
	*text_out = ready;
	*out = measure;
	return OK;
}

static const struct sms_options no_options;

enum rc sms_measure(struct arena *arena, struct str text, const struct sms_options *options, struct sms_measure *out,
                    struct err *err)
{
	struct str ready;

	return prepare(arena, text, options != NULL ? options : &no_options, &ready, out, err);
}

static size_t put_header(uint8_t *out, const struct sms_options *options, size_t total, size_t sequence)
{
	size_t at = 0;

	if (options->reference_size == SMS_REFERENCE_16) {
		out[at++] = 6;
		out[at++] = 0x08;
		out[at++] = 4;
		out[at++] = (uint8_t)(options->reference >> 8);
	} else {
		out[at++] = 5;
		out[at++] = 0x00;
		out[at++] = 3;
	}
	out[at++] = (uint8_t)(options->reference & 0xFF);
	out[at++] = (uint8_t)total;
	out[at++] = (uint8_t)sequence;
	return at;
}

static size_t put_ucs2(uint32_t code, uint8_t *out)
{
	if (code > 0xFFFF) {
		uint32_t high = 0xD800 + ((code - 0x10000) >> 10), low = 0xDC00 + ((code - 0x10000) & 0x3FF);

		put_ucs2(high, out);
		put_ucs2(low, out + 2);
		return 4;
	}
	out[0] = (uint8_t)(code >> 8);
	out[1] = (uint8_t)(code & 0xFF);
	return 2;
}

/* Header (in a message of several) and text of one part as octets. */
static struct str part_octets(struct arena *arena, const struct sms_message *message, const struct sms_options *options,
                              size_t sequence, const struct sms_part *part)
{
	size_t octets = message->measure.encoding == SMS_GSM7 ? part->units : part->units * 2;
	uint8_t *out = arena_alloc(arena, UDH_OCTETS_16 + octets + 1);
	size_t len = message->part_count > 1 ? put_header(out, options, message->part_count, sequence) : 0;

	for (size_t at = 0; at < part->text.len;) {
		uint32_t code = utf8_next(part->text, &at);

		len += message->measure.encoding == SMS_GSM7 ? sms_gsm7_put(code, out + len)
		                                             : put_ucs2(code, out + len);
	}
	return (struct str){ (const char *)out, len };
}

enum rc sms_split(struct arena *arena, struct str text, const struct sms_options *options, struct sms_message *out,
                  struct err *err)
{
	struct sms_message message = { 0 };
	struct cutter cutter;
	size_t from, to, units;

	if (options == NULL)
		options = &no_options;
	enum rc rc = prepare(arena, text, options, &message.text, &message.measure, err);

	if (rc != OK)
		return rc;
	if (message.measure.too_many)
		return err_set(err, INVALID, "text takes %zu SMS parts, %zu are allowed", message.measure.parts,
		               parts_allowed(options));
	message.part_count = message.measure.parts;
	message.parts = ARENA_NEW_ARRAY(arena, struct sms_part, message.part_count);
	cutter_init(&cutter, message.text, message.measure.encoding, message.measure.part_units);
	for (size_t i = 0; i < message.part_count && cutter_next(&cutter, &from, &to, &units); i++) {
		struct sms_part *part = &message.parts[i];

		part->esm_class = message.part_count > 1 ? SMS_ESM_CLASS_UDH : 0;
		part->data_coding =
			message.measure.encoding == SMS_GSM7 ? SMS_DATA_CODING_DEFAULT : SMS_DATA_CODING_UCS2;
		part->units = units;
		part->text = str_slice(message.text, from, to);
		part->short_message = part_octets(arena, &message, options, i + 1, part);
	}
	*out = message;
	return OK;
}
