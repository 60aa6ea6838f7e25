/* Counting and cutting of outgoing texts, over the plan that takes the fewest parts. */
#include "base/base.h"
#include "kernel/text/sms.h"
#include "kernel/text/sms_alphabet.h"
#include "kernel/text/sms_plan.h"

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

/* A text ready to go out. */
struct prepared {
	struct str text;
	struct sms_plan plan;
	struct sms_measure measure;
};

/* Takes the text in plain signs if it then fits 7 bits as a whole: the default alphabet, or else the tables of a language.
 * Half a change would lose the signs for nothing. */
static bool take_plain(struct arena *arena, const struct sms_options *options, struct prepared *prepared, struct sms_count *count)
{
	struct str plain = sms_plain(arena, prepared->text);
	struct sms_plan plan;
	struct sms_count counted;

	if (str_is_none(plain) || str_equal(plain, prepared->text))
		return false;
	sms_plan_choose(plain, options, &plan, &counted);
	if (plan.encoding != SMS_GSM7 || (plan.shift.locking | plan.shift.single && counted.parts >= count->parts))
		return false;
	prepared->text = plain;
	prepared->plan = plan;
	*count = counted;
	return true;
}

/* Checks the text, brings it to the form that goes out, and counts. */
static enum rc prepare(struct arena *arena, struct str text, const struct sms_options *options, struct prepared *out,
                       struct err *err)
{
	struct prepared prepared = { .text = STR_NONE };
	struct sms_measure *measure = &prepared.measure;
	struct sms_count count;

	if (text.len > SMS_TEXT_MAX)
		return err_set(err, INVALID, "text of %zu bytes is too long for SMS", text.len);
	if (text.len > 0 && (!utf8_valid(text) || memchr(text.ptr, 0, text.len) != NULL))
		return err_set(err, INVALID, "text is not UTF-8 or holds U+0000");

	prepared.text = fold_line_breaks(arena, text);
	size_t forced = sms_find_forced(&options->road, text, &measure->forced_by);

	measure->forced_at = forced == SIZE_MAX ? 0 : forced;
	sms_plan_choose(prepared.text, options, &prepared.plan, &count);
	if (forced != SIZE_MAX && options->transliterate)
		measure->transliterated = take_plain(arena, options, &prepared, &count);
	measure->encoding = prepared.plan.encoding;
	measure->shift = prepared.plan.shift;
	measure->units = count.units;
	measure->parts = count.parts;
	measure->part_units = count.parts == 1 ? prepared.plan.single_units : prepared.plan.part_units;
	measure->units_left = measure->part_units - count.last;
	measure->too_many = count.parts > sms_parts_allowed(options);
	*out = prepared;
	return OK;
}

static const struct sms_options no_options;

enum rc sms_measure(struct arena *arena, struct str text, const struct sms_options *options, struct sms_measure *out,
                    struct err *err)
{
	struct prepared prepared;
	enum rc rc = prepare(arena, text, options != NULL ? options : &no_options, &prepared, err);

	if (rc == OK)
		*out = prepared.measure;
	return rc;
}

/* The user data header of part `sequence` of `total`; nothing if there is nothing to say. */
static size_t put_header(uint8_t *out, struct sms_shift shift, const struct sms_options *options, size_t total, size_t sequence)
{
	bool wide = options->road.joining == SMS_JOIN_UDH_16;
	size_t at = 1;

	if (total > 1) {
		out[at++] = wide ? 0x08 : 0x00;
		out[at++] = wide ? 4 : 3;
		if (wide)
			out[at++] = (uint8_t)(options->reference >> 8);
		out[at++] = (uint8_t)(options->reference & 0xFF);
		out[at++] = (uint8_t)total;
		out[at++] = (uint8_t)sequence;
	}
	if (shift.single != 0) {
		out[at++] = 0x24;
		out[at++] = 1;
		out[at++] = shift.single;
	}
	if (shift.locking != 0) {
		out[at++] = 0x25;
		out[at++] = 1;
		out[at++] = shift.locking;
	}
	out[0] = (uint8_t)(at - 1);
	return at > 1 ? at : 0;
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

static size_t put_character(const struct sms_plan *plan, uint32_t code, uint8_t *out)
{
	if (plan->charset == SMS_CHARSET_GSM7)
		return gsm7_put(plan->shift, code, out);
	if (plan->charset == SMS_CHARSET_UTF16)
		return put_ucs2(code, out);
	*out = (uint8_t)code; /* ASCII and Latin-1 */
	return 1;
}

#define UDH_MOST 13 /* length, concatenation of 16 bits, two shifts */

/* Fills in what goes on the wire. `total` is 1 for a message of one part and where the carrier joins. */
static void part_make(struct arena *arena, const struct prepared *prepared, const struct sms_options *options, size_t total,
                      size_t sequence, struct sms_part *part)
{
	const struct sms_plan *plan = &prepared->plan;
	uint8_t *out = arena_alloc(arena, UDH_MOST + part->units * 2 + 1);
	size_t len = put_header(out, plan->shift, options, total, sequence);

	part->esm_class = len > 0 ? SMS_ESM_CLASS_UDH : 0;
	part->data_coding = plan->encoding == SMS_UCS2     ? SMS_DATA_CODING_UCS2
	                    : plan->encoding == SMS_LATIN1 ? SMS_DATA_CODING_LATIN1
	                                                   : SMS_DATA_CODING_DEFAULT;
	for (size_t at = 0; at < part->text.len;)
		len += put_character(plan, utf8_next(part->text, &at), out + len);
	part->short_message = (struct str){ (const char *)out, len };
}

static void split_whole(struct arena *arena, const struct prepared *prepared, const struct sms_options *options,
                        struct sms_message *message)
{
	message->part_count = 1;
	message->parts = ARENA_NEW_ARRAY(arena, struct sms_part, 1);
	message->parts[0] = (struct sms_part){ .units = prepared->measure.units, .text = prepared->text };
	part_make(arena, prepared, options, 1, 1, &message->parts[0]);
	message->parts[0].payload = prepared->measure.parts > 1;
}

enum rc sms_split(struct arena *arena, struct str text, const struct sms_options *options, struct sms_message *out,
                  struct err *err)
{
	struct sms_message message = { 0 };
	struct prepared prepared;
	struct sms_cutter cutter;
	size_t from, to, units;

	if (options == NULL)
		options = &no_options;
	enum rc rc = prepare(arena, text, options, &prepared, err);

	if (rc != OK)
		return rc;
	if (prepared.measure.too_many)
		return err_set(err, INVALID, "text takes %zu SMS parts, %zu are allowed", prepared.measure.parts,
		               sms_parts_allowed(options));
	message.measure = prepared.measure;
	message.text = prepared.text;
	if (message.measure.parts == 1 || options->road.joining == SMS_JOIN_PAYLOAD) {
		split_whole(arena, &prepared, options, &message);
		*out = message;
		return OK;
	}
	bool sar = options->road.joining == SMS_JOIN_SAR;

	message.part_count = message.measure.parts;
	message.parts = ARENA_NEW_ARRAY(arena, struct sms_part, message.part_count);
	sms_cutter_init(&cutter, message.text, &prepared.plan, prepared.plan.part_units);
	for (size_t i = 0; i < message.part_count && sms_cutter_next(&cutter, &from, &to, &units); i++) {
		struct sms_part *part = &message.parts[i];

		*part = (struct sms_part){ .units = units, .text = str_slice(message.text, from, to) };
		part_make(arena, &prepared, options, sar ? 1 : message.part_count, i + 1, part);
		if (sar) {
			part->sar_reference = options->reference;
			part->sar_total = (uint8_t)message.part_count;
			part->sar_number = (uint8_t)(i + 1);
		}
	}
	*out = message;
	return OK;
}
