/* How a text is going to be put into parts; private to kernel/text.
 *
 * sms_cut.c    where parts end
 * sms_plan.c   which alphabet takes the fewest parts
 * sms_plain.c  typographic signs made plain
 * sms.c        the two public functions over these */
#ifndef CHANCERY_KERNEL_TEXT_SMS_PLAN_H
#define CHANCERY_KERNEL_TEXT_SMS_PLAN_H

#include "kernel/text/sms.h"

/* An alphabet and the room it leaves. */
struct sms_plan {
	enum sms_encoding encoding;
	struct sms_shift shift;
	enum sms_charset charset;  /* of the octets: GSM7, ASCII or LATIN1 where the carrier converts, LATIN1, UTF16 */
	size_t single_units;       /* room of a message of one part */
	size_t part_units;         /* room of a part of several */
};

/* What a plan makes of a text. */
struct sms_count {
	size_t units; /* in all */
	size_t parts;
	size_t last;  /* units in the last part */
};

/* Units of one character: 0 if the plan's alphabet lacks it. */
size_t sms_plan_units(const struct sms_plan *plan, uint32_t code);

/* Finds the plan with the fewest parts, and what it makes of the text. UCS-2 takes any text, so there always is one. */
void sms_plan_choose(struct str text, const struct sms_options *options, struct sms_plan *plan, struct sms_count *count);

/* The default alphabet on this road. */
struct sms_plan sms_plan_default(const struct sms_road *road);

/* Byte offset of the first character the default alphabet lacks on this road, or SIZE_MAX. */
size_t sms_find_forced(const struct sms_road *road, struct str text, uint32_t *code_out);

size_t sms_parts_allowed(const struct sms_options *options);

/* Octets of the header of a plan's part: with its concatenation element if `joined`, 0 for none. */
size_t sms_header_octets(struct sms_shift shift, enum sms_joining joining, bool joined);

/* What the text looks like just before the next character: enough to tell whether a cluster ends there. */
struct sms_cluster {
	int32_t last;           /* grapheme cluster break class of the last character, -1 at the start */
	bool pictograph_joined; /* a pictograph, extenders and a joiner stand before */
	bool pictograph;        /* a pictograph and extenders stand before */
	bool odd_indicators;    /* an odd number of regional indicators stands before */
};

/* Where parts end, found while walking the text once. */
struct sms_cutter {
	struct str text;
	const struct sms_plan *plan;
	bool clusters;       /* the alphabet has characters that join the one before */
	size_t room;         /* units a part may hold */
	size_t at;           /* byte offset of the next character */
	size_t part_from;    /* byte offset where the part being filled starts */
	size_t part_units;   /* units in it up to `at` */
	size_t border;       /* last cluster border in it (byte offset) */
	size_t border_units; /* units in it before the border */
	struct sms_cluster cluster;
};

void sms_cutter_init(struct sms_cutter *cutter, struct str text, const struct sms_plan *plan, size_t room);

/* Gives the next part as byte offsets from..to; false after the last. An empty text is one empty part. */
bool sms_cutter_next(struct sms_cutter *cutter, size_t *from_out, size_t *to_out, size_t *units_out);

/* The text with typographic signs made plain and accents composed, in `arena`; STR_NONE if ICU cannot. */
struct str sms_plain(struct arena *arena, struct str text);

#endif
