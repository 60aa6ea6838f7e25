/* Telephone numbers: what people type becomes E.164 (ITU-T E.164), by the world's current numbering plans.
 *
 * A number that is not possible (no such length, no such country code) is refused with the reason. One that is possible
 * but stands in no range known is accepted and only marked: new ranges open faster than tables follow. */
#ifndef CHANCERY_KERNEL_TEXT_PHONE_H
#define CHANCERY_KERNEL_TEXT_PHONE_H

#include "base/base.h"

#define PHONE_INPUT_MAX 250 /* bytes of input looked at; longer ones are PHONE_TOO_LONG */
#define PHONE_E164_DIGITS 15

enum phone_problem {
	PHONE_POSSIBLE,
	PHONE_NOT_A_NUMBER,  /* letters, signs that do not belong, or no digit */
	PHONE_HAS_EXTENSION, /* a number behind a number takes no messages */
	PHONE_NEEDS_COUNTRY, /* national form, and no country known */
	PHONE_UNKNOWN_COUNTRY_CODE,
	PHONE_TOO_SHORT,
	PHONE_TOO_LONG,
	PHONE_WRONG_LENGTH, /* between lengths that exist */
};

enum phone_type {
	PHONE_TYPE_UNKNOWN, /* in no known range */
	PHONE_FIXED,
	PHONE_MOBILE,
	PHONE_FIXED_OR_MOBILE, /* the plan does not tell them apart (North America) */
	PHONE_TOLL_FREE,
	PHONE_PREMIUM,
	PHONE_SHARED_COST,
	PHONE_VOIP,
	PHONE_PERSONAL,
	PHONE_PAGER,
	PHONE_UAN,
	PHONE_VOICEMAIL,
};

struct phone_number {
	struct str e164; /* "+989121234567" */
	char region[3];  /* ISO 3166-1 alpha-2, "" if not known or of no country (satellite, international services) */
	enum phone_type type;
	bool valid; /* in a known range; if not, ask 'are you sure' and accept */
};

/* Reads a number in national form of `country` (ISO alpha-2 of either case; STR_NONE or one without a plan: only
 * international form) or in international form: '+' or 00 or the country's own prefix. Digits of any script, spaces,
 * dashes, dots, slashes, brackets and invisible marks are understood, "(0)" after the country code and "tel:" too.
 * OK; INVALID with the reason in *problem (may be NULL), *out untouched; FAILED if memory ran out. */
enum rc phone_parse(struct arena *arena, struct str text, struct str country, struct phone_number *out,
                    enum phone_problem *problem);

/* May a text message reach this type? True where that cannot be told. */
bool phone_takes_sms(enum phone_type type);

/* The country whose number this is: a static ISO alpha-2 code, "" if not known. `e164` as phone_parse made it. */
const char *phone_region(struct str e164);

/* For people to read: "+98 912 123 4567". Anything that is not E.164 comes back as it is. */
struct str phone_format_display(struct arena *arena, struct str e164);

/* Calling code of a country (98 for "IR"), 0 if it has none. */
unsigned phone_calling_code(struct str country);

/* "possible", "not_a_number", "has_extension" ... for logs and JSON. */
const char *phone_problem_name(enum phone_problem problem);
const char *phone_type_name(enum phone_type type);

#endif
