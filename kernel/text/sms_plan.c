/* Which alphabet takes the fewest parts. */
#include "base/base.h"
#include "kernel/text/sms_alphabet.h"
#include "kernel/text/sms_plan.h"

#define UDH_CONCATENATION_8 5  /* 00 03 reference total sequence */
#define UDH_CONCATENATION_16 6 /* 08 04 reference(2) total sequence */
#define UDH_SHIFT 3            /* 24 or 25, 01, language */
#define TABLES (SMS_LANGUAGE_COUNT + 1)

static size_t tables_of(struct sms_shift shift)
{
	return (size_t)(shift.locking != 0) + (size_t)(shift.single != 0);
}

size_t sms_header_octets(struct sms_shift shift, enum sms_joining joining, bool joined)
{
	size_t octets = tables_of(shift) * UDH_SHIFT;

	if (joined)
		octets += joining == SMS_JOIN_UDH_8 ? UDH_CONCATENATION_8 : UDH_CONCATENATION_16;
	return octets > 0 ? octets + 1 : 0; /* with the length octet */
}

/* The carrier that cuts a payload itself is assumed to use the short reference; the one that makes headers of TLVs may use
 * the long one, which must fit. */
static enum sms_joining assumed(enum sms_joining joining)
{
	return joining == SMS_JOIN_PAYLOAD ? SMS_JOIN_UDH_8 : joining;
}

static struct sms_plan plan_of(enum sms_encoding encoding, struct sms_shift shift, const struct sms_road *road)
{
	size_t single = sms_header_octets(shift, SMS_JOIN_UDH_8, false);
	size_t joined = sms_header_octets(shift, assumed(road->joining), true);
	struct sms_plan plan = { .encoding = encoding, .shift = shift };

	switch (encoding) {
	case SMS_GSM7:
		plan.charset = road->unspecified;
		plan.single_units = SMS_SEPTETS - (8 * single + 6) / 7;
		plan.part_units = SMS_SEPTETS - (8 * joined + 6) / 7;
		break;
	case SMS_LATIN1:
		plan.charset = SMS_CHARSET_LATIN1;
		plan.single_units = SMS_OCTETS;
		plan.part_units = SMS_OCTETS - joined;
		break;
	case SMS_UCS2:
		plan.charset = SMS_CHARSET_UTF16;
		plan.single_units = SMS_OCTETS / 2;
		plan.part_units = (SMS_OCTETS - joined) / 2;
		break;
	}
	return plan;
}

struct sms_plan sms_plan_default(const struct sms_road *road)
{
	return plan_of(SMS_GSM7, (struct sms_shift){ 0, 0 }, road);
}

/* Latin-1 without the control characters of its upper half, which phones do not show. */
static bool in_latin1(uint32_t code)
{
	return code != 0 && (code < 0x80 || (code >= 0xA0 && code <= 0xFF));
}

size_t sms_plan_units(const struct sms_plan *plan, uint32_t code)
{
	uint8_t septets[2];

	switch (plan->encoding) {
	case SMS_LATIN1: return in_latin1(code);
	case SMS_UCS2: return code > 0xFFFF ? 2 : 1;
	case SMS_GSM7: break;
	}
	/* where the carrier converts, a character must be in what we send and in what it makes of it */
	if ((plan->charset == SMS_CHARSET_ASCII && code >= 0x80) ||
	    (plan->charset == SMS_CHARSET_LATIN1 && !in_latin1(code)))
		return 0;
	if (code >= 'a' && code <= 'z')
		return 1; /* in every locking table */
	return gsm7_put(plan->shift, code, septets);
}

size_t sms_find_forced(const struct sms_road *road, struct str text, uint32_t *code_out)
{
	struct sms_plan plan = sms_plan_default(road);

	for (size_t at = 0; at < text.len;) {
		size_t start = at;
		uint32_t code = utf8_next(text, &at);

		if (sms_plan_units(&plan, code) == 0) {
			*code_out = code;
			return start;
		}
	}
	return SIZE_MAX;
}

size_t sms_parts_allowed(const struct sms_options *options)
{
	if (options->parts_max == 0)
		return SMS_PARTS_MAX;
	return options->parts_max > SMS_PARTS_CEILING ? SMS_PARTS_CEILING : options->parts_max;
}

/* False if the plan's alphabet lacks a character. */
static bool count(struct str text, const struct sms_plan *plan, struct sms_count *out)
{
	struct sms_count counted = { 0 };
	struct sms_cutter cutter;
	size_t from, to;

	for (size_t at = 0; at < text.len;) {
		size_t units = sms_plan_units(plan, utf8_next(text, &at));

		if (units == 0)
			return false;
		counted.units += units;
	}
	if (counted.units <= plan->single_units) {
		counted.parts = 1;
		counted.last = counted.units;
	} else {
		sms_cutter_init(&cutter, text, plan, plan->part_units);
		while (sms_cutter_next(&cutter, &from, &to, &counted.last))
			counted.parts++;
	}
	*out = counted;
	return true;
}

/* Septets of a text under every pair of tables; 0 in `units` is a pair that lacks a character. */
struct pairs {
	size_t units[TABLES][TABLES]; /* locking, single */
	uint16_t alive[TABLES];       /* for each locking table: bits of single ones */
};

static void count_pairs(struct str text, uint16_t allowed, struct pairs *pairs)
{
	*pairs = (struct pairs){ 0 };
	for (uint8_t locking = 0; locking < TABLES; locking++)
		if (allowed >> locking & 1 && (locking == 0 || gsm7_national(locking) != NULL))
			pairs->alive[locking] = allowed;
	for (size_t at = 0; at < text.len;) {
		struct gsm7_holders holders = gsm7_holders(utf8_next(text, &at));

		for (size_t locking = 0; locking < TABLES; locking++) {
			bool plain = holders.locking >> locking & 1;

			if (!plain)
				pairs->alive[locking] &= holders.single;
			for (size_t single = 0; pairs->alive[locking] >> single; single++)
				pairs->units[locking][single] += plain ? 1 : 2;
		}
	}
}

/* Looks for a pair of tables that takes fewer parts than *best; of equal pairs one table is better than two, then fewer
 * septets. Tables need a header of ours, so where the carrier joins parts they serve only what fits into one. */
static void choose_tables(struct str text, const struct sms_options *options, struct sms_plan *plan, struct sms_count *best)
{
	const struct sms_road *road = &options->road;
	bool ours = road->joining == SMS_JOIN_UDH_8 || road->joining == SMS_JOIN_UDH_16;
	size_t limit = best->parts, tables_best = SIZE_MAX;
	struct pairs pairs;

	count_pairs(text, (uint16_t)((road->languages & SMS_LANGUAGES_ALL) | 1), &pairs);
	for (size_t i = 1; i < (size_t)TABLES * TABLES; i++) {
		struct sms_shift shift = { .locking = (uint8_t)(i / TABLES), .single = (uint8_t)(i % TABLES) };
		size_t units = pairs.units[shift.locking][shift.single], tables = tables_of(shift);
		struct sms_plan tried = plan_of(SMS_GSM7, shift, road);
		struct sms_count counted;

		if (!(pairs.alive[shift.locking] >> shift.single & 1))
			continue;
		size_t least = units <= tried.single_units ? 1 : (units + tried.part_units - 1) / tried.part_units;

		if (least >= limit || least > best->parts || least > sms_parts_allowed(options) || (least > 1 && !ours) ||
		    !count(text, &tried, &counted) || counted.parts >= limit || counted.parts > best->parts)
			continue;
		if (counted.parts == best->parts &&
		    (tables > tables_best || (tables == tables_best && counted.units >= best->units)))
			continue;
		*plan = tried;
		*best = counted;
		tables_best = tables;
	}
}

void sms_plan_choose(struct str text, const struct sms_options *options, struct sms_plan *plan_out, struct sms_count *count_out)
{
	const struct sms_road *road = &options->road;
	const struct sms_shift none = { 0, 0 };
	struct sms_plan plan = sms_plan_default(road), tried = plan_of(SMS_UCS2, none, road);
	struct sms_count best, counted;
	bool plain = count(text, &plan, &best);

	if (!plain || best.parts > 1) {
		count(text, &tried, &counted); /* takes any text */
		if (!plain || counted.parts < best.parts) {
			plan = tried;
			best = counted;
		}
		if (best.parts > 1 && road->languages != 0 && road->unspecified == SMS_CHARSET_GSM7)
			choose_tables(text, options, &plan, &best);
		tried = plan_of(SMS_LATIN1, none, road);
		if (best.parts > 1 && road->latin1 && count(text, &tried, &counted) && counted.parts < best.parts) {
			plan = tried;
			best = counted;
		}
	}
	*plan_out = plan;
	*count_out = best;
}
