/* The world's numbering plans as tools/make_phone_table.py writes them at build time; private to kernel/text. */
#ifndef CHANCERY_KERNEL_TEXT_PHONE_TABLE_H
#define CHANCERY_KERNEL_TEXT_PHONE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Patterns are numbered; 0 is none. They are compiled when first used and then kept: the slots of phone_compiled are
 * shared by all threads and only ever go from NULL to a finished, immutable pattern (see phone.c). */
struct pcre2_real_code_8;
extern const char *const phone_patterns[];
extern const size_t phone_pattern_count;
extern _Atomic(struct pcre2_real_code_8 *) phone_compiled[];

enum phone_kind {
	PHONE_KIND_FIXED,
	PHONE_KIND_MOBILE,
	PHONE_KIND_TOLL_FREE,
	PHONE_KIND_PREMIUM,
	PHONE_KIND_PERSONAL,
	PHONE_KIND_VOICEMAIL,
	PHONE_KIND_UAN,
	PHONE_KIND_PAGER,
	PHONE_KIND_VOIP,
	PHONE_KIND_SHARED_COST,
	PHONE_KIND_COUNT,
};

struct phone_plan_kind {
	uint16_t pattern;
	bool as_fixed;    /* the plan does not tell them from fixed lines */
	uint32_t lengths; /* bit n: numbers of n digits; 0 means those of the plan */
};

struct phone_format {
	uint16_t pattern;
	uint16_t leading;   /* what the number must begin with, 0 anything */
	const char *format; /* "$1 $2 $3" */
};

struct phone_plan {
	char region[3]; /* ISO 3166-1 alpha-2; "" for calling codes of no country */
	uint16_t calling_code;
	uint16_t international_prefix;
	uint16_t general;
	uint16_t national_prefix;
	uint16_t leading_digits; /* tells this country's numbers from those of others with its calling code */
	const char *transform;   /* what a matched national prefix becomes; NULL: nothing */
	uint32_t lengths;
	uint16_t format_first, format_count; /* none: those of the first country of the calling code */
	struct phone_plan_kind kinds[PHONE_KIND_COUNT];
};
extern const struct phone_format phone_formats[];
extern const struct phone_plan phone_plans[]; /* by region; those of no country at the end */
extern const size_t phone_region_count;       /* those with a region */

/* A calling code and its plans; the first of them is the main one. Sorted by code. */
struct phone_code {
	uint16_t code;
	uint16_t first, count; /* in phone_code_plans */
};
extern const struct phone_code phone_codes[];
extern const size_t phone_code_count;
extern const uint16_t phone_code_plans[];

#endif
