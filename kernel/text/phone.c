#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdatomic.h>
#include <unicode/uchar.h>

#include "base/base.h"
#include "kernel/text/phone.h"
#include "kernel/text/phone_table.h"

#define DIGITS_MAX 40   /* digits of input kept; no plan has nearly as many */
#define NATIONAL_MAX 64 /* a transform rule adds a few digits */
#define CALLING_CODE_MAX 3
#define NATIONAL_LENGTH_MIN 2
#define GROUPS_MAX 8

/* Digits, ASCII. */
struct digits {
	char at[NATIONAL_MAX];
	size_t len;
};

/* What was found out about a number on the way. */
struct reading {
	struct digits national;
	const struct phone_code *code;
	const struct phone_plan *plan; /* of its region; NULL if that is not known */
	enum phone_problem problem;
	bool failed; /* memory ran out */
};

/* Matching ------------------------------------------------------------------------------------------------------- */

/* The compiled pattern. Two threads may compile the same one; the slower drops its copy. */
static pcre2_code *compiled(uint16_t pattern, bool *failed)
{
	pcre2_code *code = atomic_load_explicit(&phone_compiled[pattern], memory_order_acquire), *known = NULL;
	PCRE2_SIZE offset;
	int error;

	if (code != NULL)
		return code;
	code = pcre2_compile((PCRE2_SPTR)phone_patterns[pattern], PCRE2_ZERO_TERMINATED, PCRE2_DOLLAR_ENDONLY, &error,
	                     &offset, NULL);
	if (code == NULL) {
		*failed = true;
		return NULL;
	}
	if (!atomic_compare_exchange_strong_explicit(&phone_compiled[pattern], &known, code, memory_order_acq_rel,
	                                             memory_order_acquire)) {
		pcre2_code_free(code);
		return known;
	}
	return code;
}

/* Where groups of a match start and end; group 0 is the whole. */
struct groups {
	size_t count;
	struct str text[GROUPS_MAX]; /* STR_NONE for a group that took no part */
};

/* Matches at the start of the digits, or all of them. */
static bool match_groups(uint16_t pattern, struct str digits, bool whole, struct groups *out, bool *failed)
{
	pcre2_code *code = pattern == 0 ? NULL : compiled(pattern, failed);

	if (code == NULL)
		return false;
	pcre2_match_data *data = pcre2_match_data_create(GROUPS_MAX, NULL);

	if (data == NULL) {
		*failed = true;
		return false;
	}
	int count = pcre2_match(code, (PCRE2_SPTR)digits.ptr, digits.len, 0,
	                        whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : PCRE2_ANCHORED, data, NULL);

	if (count >= 0 && out != NULL) {
		const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);

		out->count = count == 0 ? GROUPS_MAX : (size_t)count;
		for (size_t i = 0; i < out->count; i++)
			out->text[i] = offsets[2 * i] == PCRE2_UNSET
			                       ? STR_NONE
			                       : str_slice(digits, offsets[2 * i], offsets[2 * i + 1]);
	}
	/* no match is the only answer besides a match that does not mean trouble */
	*failed |= count < 0 && count != PCRE2_ERROR_NOMATCH;
	pcre2_match_data_free(data);
	return count >= 0;
}

static bool matches(uint16_t pattern, struct str digits, bool whole, bool *failed)
{
	return match_groups(pattern, digits, whole, NULL, failed);
}

static struct str digits_str(const struct digits *digits)
{
	return (struct str){ digits->at, digits->len };
}

/* Adds as far as there is room; numbers that need more are too long in any plan. */
static void digits_add(struct digits *digits, struct str more)
{
	for (size_t i = 0; i < more.len && digits->len < NATIONAL_MAX; i++)
		digits->at[digits->len++] = more.ptr[i];
}

/* Plans ---------------------------------------------------------------------------------------------------------- */

static const struct phone_plan *plan_of_region(struct str country)
{
	size_t low = 0, high = phone_region_count;
	char region[2];

	if (country.len != 2)
		return NULL;
	for (size_t i = 0; i < 2; i++)
		region[i] = (char)(country.ptr[i] >= 'a' && country.ptr[i] <= 'z' ? country.ptr[i] - 'a' + 'A'
		                                                                  : country.ptr[i]);
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = memcmp(phone_plans[middle].region, region, 2);

		if (order == 0)
			return &phone_plans[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct phone_code *find_code(unsigned code)
{
	size_t low = 0, high = phone_code_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (phone_codes[middle].code == code)
			return &phone_codes[middle];
		if (phone_codes[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct phone_plan *plan_of_code(const struct phone_code *code, size_t index)
{
	return &phone_plans[phone_code_plans[code->first + index]];
}

/* The calling code that digits begin with; no code is the beginning of another. */
static const struct phone_code *leading_code(struct str digits, size_t *length_out)
{
	unsigned value = 0;

	for (size_t i = 0; i < digits.len && i < CALLING_CODE_MAX; i++) {
		value = value * 10 + (unsigned)(digits.ptr[i] - '0');
		const struct phone_code *code = value > 0 ? find_code(value) : NULL;

		if (code != NULL) {
			*length_out = i + 1;
			return code;
		}
		if (value == 0)
			return NULL;
	}
	return NULL;
}

static enum phone_problem check_length(uint32_t lengths, size_t len)
{
	if (len < 32 && (lengths >> len & 1) != 0)
		return PHONE_POSSIBLE;
	if (len >= 32 || lengths >> len == 0)
		return PHONE_TOO_LONG;
	return (lengths & ((1u << len) - 1)) == 0 ? PHONE_TOO_SHORT : PHONE_WRONG_LENGTH;
}

static bool is_kind(const struct phone_plan *plan, enum phone_kind kind, struct str national, bool *failed)
{
	const struct phone_plan_kind *row = &plan->kinds[kind];

	if (row->pattern == 0 || (row->lengths != 0 && check_length(row->lengths, national.len) != PHONE_POSSIBLE))
		return false;
	return matches(row->pattern, national, true, failed);
}

static enum phone_type type_in_plan(const struct phone_plan *plan, struct str national, bool *failed)
{
	static const struct {
		enum phone_kind kind;
		enum phone_type type;
	} others[] = {
		{ PHONE_KIND_MOBILE, PHONE_MOBILE },
		{ PHONE_KIND_PREMIUM, PHONE_PREMIUM },
		{ PHONE_KIND_TOLL_FREE, PHONE_TOLL_FREE },
		{ PHONE_KIND_VOIP, PHONE_VOIP },
		{ PHONE_KIND_SHARED_COST, PHONE_SHARED_COST },
		{ PHONE_KIND_PERSONAL, PHONE_PERSONAL },
		{ PHONE_KIND_PAGER, PHONE_PAGER },
		{ PHONE_KIND_UAN, PHONE_UAN },
		{ PHONE_KIND_VOICEMAIL, PHONE_VOICEMAIL },
	};

	if (!matches(plan->general, national, true, failed))
		return PHONE_TYPE_UNKNOWN;
	if (is_kind(plan, PHONE_KIND_FIXED, national, failed)) {
		const struct phone_plan_kind *mobile = &plan->kinds[PHONE_KIND_MOBILE];
		bool either =
			mobile->as_fixed || mobile->pattern == 0 || is_kind(plan, PHONE_KIND_MOBILE, national, failed);

		return either ? PHONE_FIXED_OR_MOBILE : PHONE_FIXED;
	}
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (is_kind(plan, others[i].kind, national, failed))
			return others[i].type;
	return PHONE_TYPE_UNKNOWN;
}

/* Which of the countries that share a calling code has this number; NULL if none claims it. */
static const struct phone_plan *claimant(const struct phone_code *code, struct str national, bool *failed)
{
	if (code->count == 1)
		return plan_of_code(code, 0);
	for (size_t i = 0; i < code->count; i++) {
		const struct phone_plan *plan = plan_of_code(code, i);

		if (plan->leading_digits != 0 ? matches(plan->leading_digits, national, false, failed)
		                              : type_in_plan(plan, national, failed) != PHONE_TYPE_UNKNOWN)
			return plan;
	}
	return NULL;
}

/* National prefixes ---------------------------------------------------------------------------------------------- */

/* Writes a rule such as "9$1" with the groups put in. */
static void apply_rule(const char *rule, const struct groups *groups, struct digits *out)
{
	for (; *rule != '\0'; rule++) {
		if (rule[0] == '$' && rule[1] >= '0' && rule[1] <= '9') {
			size_t group = (size_t)(*++rule - '0');

			if (group < groups->count && !str_is_none(groups->text[group]))
				digits_add(out, groups->text[group]);
		} else {
			digits_add(out, (struct str){ rule, 1 });
		}
	}
}

/* Takes the national prefix off (0, 8, the carrier codes of Brazil, the 15 of Argentina), unless what remains would
 * be less of a number than what stands: zeros that belong to the number (Italy) stay. */
static struct digits strip_prefix(const struct phone_plan *plan, struct str digits, bool *failed)
{
	struct digits whole = { .len = 0 }, rest = { .len = 0 };
	struct groups groups;

	digits_add(&whole, digits);
	if (!match_groups(plan->national_prefix, digits, false, &groups, failed))
		return whole;
	/* the rule speaks of the last group; where that took no part, the prefix is simply dropped */
	struct str last = groups.count > 1 ? groups.text[groups.count - 1] : STR_NONE;

	if (plan->transform != NULL && last.len > 0)
		apply_rule(plan->transform, &groups, &rest);
	digits_add(&rest, str_slice(digits, groups.text[0].len, digits.len));
	if (matches(plan->general, digits, true, failed) && !matches(plan->general, digits_str(&rest), true, failed))
		return whole;
	enum phone_problem problem = check_length(plan->lengths, rest.len);

	return problem == PHONE_TOO_SHORT || problem == PHONE_WRONG_LENGTH ? whole : rest;
}

/* Reading -------------------------------------------------------------------------------------------------------- */

static bool is_plus(uint32_t c)
{
	return c == '+' || c == 0xFF0B || c == 0xFE62 || c == 0x207A;
}

static bool is_separator(uint32_t c)
{
	if (u_isUWhiteSpace((UChar32)c) || u_charType((UChar32)c) == U_DASH_PUNCTUATION ||
	    u_hasBinaryProperty((UChar32)c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
		return true;
	switch (c) {
	case '.':
	case '/':
	case '(':
	case ')':
	case '[':
	case ']':
	case ',':
	case '~':
	case 0x00B7:
	case 0x2212:
	case 0x30FB:
	case 0x30FC:
	case 0xFF08:
	case 0xFF09:
	case 0xFF0C:
	case 0xFF0E:
	case 0xFF0F:
	case 0xFF5E: return true;
	default: return false;
	}
}

static bool starts_extension(struct str text)
{
	static const struct str marks[] = { { "x", 1 }, { "#", 1 }, { ";ext", 4 }, { "ext", 3 }, { ";", 1 } };

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (text.len >= marks[i].len && str_equal_nocase(str_slice(text, 0, marks[i].len), marks[i]))
			return true;
	return false;
}

/* The digits of the input as ASCII, and whether a plus leads them. In right-to-left text it may have been typed last. */
static enum phone_problem read_input(struct str text, struct digits *out, bool *plus_out)
{
	struct digits digits = { .len = 0 };
	size_t plus = 0;
	bool after_plus = false; /* a plus that is not at the start: only the end may follow */

	if (text.len > PHONE_INPUT_MAX)
		return PHONE_TOO_LONG;
	text = str_trim(text);
	if (text.len > 4 && str_equal_nocase(str_slice(text, 0, 4), S("tel:")))
		text = str_slice(text, 4, text.len);
	for (size_t at = 0; at < text.len;) {
		size_t start = at;
		uint32_t c = utf8_next(text, &at);
		int32_t digit = u_charType((UChar32)c) == U_DECIMAL_DIGIT_NUMBER ? u_charDigitValue((UChar32)c) : -1;

		if (digit >= 0 && !after_plus) {
			if (digits.len < DIGITS_MAX)
				digits.at[digits.len++] = (char)('0' + digit);
		} else if (is_plus(c) && plus == 0) {
			plus = 1;
			after_plus = digits.len > 0;
		} else if (!is_separator(c)) {
			return digits.len > 0 && starts_extension(str_slice(text, start, text.len))
			               ? PHONE_HAS_EXTENSION
			               : PHONE_NOT_A_NUMBER;
		}
	}
	if (digits.len == 0)
		return PHONE_NOT_A_NUMBER;
	*out = digits;
	*plus_out = plus > 0;
	return PHONE_POSSIBLE;
}

/* Settles a number of calling code `code` whose rest, perhaps with a national prefix, is `digits`. `home` is the
 * country it was typed in, if it is in national form: it stands where no country claims the number. */
static void settle(struct reading *reading, const struct phone_code *code, const struct phone_plan *home,
                   struct str digits)
{
	const struct phone_plan *main_plan = plan_of_code(code, 0);

	reading->code = code;
	reading->national = strip_prefix(home != NULL ? home : main_plan, digits, &reading->failed);
	struct str national = digits_str(&reading->national);

	reading->plan = claimant(code, national, &reading->failed);
	if (reading->plan == NULL)
		reading->plan = home;
	uint32_t lengths = reading->plan != NULL ? reading->plan->lengths : main_plan->lengths;

	reading->problem = national.len < NATIONAL_LENGTH_MIN ? PHONE_TOO_SHORT : check_length(lengths, national.len);
	size_t code_digits = code->code > 99 ? 3 : code->code > 9 ? 2 : 1;

	/* some plans list longer numbers for use inside the country; nobody abroad can be reached by them */
	if (reading->problem == PHONE_POSSIBLE && code_digits + national.len > PHONE_E164_DIGITS)
		reading->problem = PHONE_TOO_LONG;
}

static void read_international(struct reading *reading, struct str digits)
{
	size_t length;
	const struct phone_code *code = leading_code(digits, &length);

	if (code == NULL) {
		reading->problem = PHONE_UNKNOWN_COUNTRY_CODE;
		return;
	}
	settle(reading, code, NULL, str_slice(digits, length, digits.len));
}

/* "989121234567" typed in Iran: the country's own code without a plus? */
static bool repeats_own_code(const struct phone_plan *plan, struct str digits, size_t *length_out, bool *failed)
{
	size_t length;
	const struct phone_code *code = leading_code(digits, &length);

	if (code == NULL || code->code != plan->calling_code)
		return false;
	struct digits shorter = strip_prefix(plan, str_slice(digits, length, digits.len), failed);
	struct digits as_is = strip_prefix(plan, digits, failed);

	*length_out = length;
	return check_length(plan->lengths, as_is.len) == PHONE_TOO_LONG ||
	       (!matches(plan->general, digits_str(&as_is), true, failed) &&
	        matches(plan->general, digits_str(&shorter), true, failed));
}

static void read_national(struct reading *reading, const struct phone_plan *plan, struct str digits)
{
	struct groups groups;
	size_t length;

	if (match_groups(plan->international_prefix, digits, false, &groups, &reading->failed)) {
		struct str rest = str_slice(digits, groups.text[0].len, digits.len);

		if (rest.len > 0 && rest.ptr[0] != '0') {
			read_international(reading, rest);
			return;
		}
	}
	if (repeats_own_code(plan, digits, &length, &reading->failed)) {
		read_international(reading, digits);
		return;
	}
	settle(reading, find_code(plan->calling_code), plan, digits);
	/* 00 is dialled in most of the world: who is abroad types it even where home has another prefix */
	if (reading->problem != PHONE_POSSIBLE && str_starts(digits, S("00"))) {
		struct reading other = { .failed = reading->failed };

		read_international(&other, str_slice(digits, 2, digits.len));
		if (other.problem == PHONE_POSSIBLE)
			*reading = other;
	}
}

static void read_number(struct reading *reading, struct str text, const struct phone_plan *plan)
{
	struct digits digits;
	bool plus;

	reading->problem = read_input(text, &digits, &plus);
	if (reading->problem != PHONE_POSSIBLE)
		return;
	struct str all = digits_str(&digits);

	if (plus || plan == NULL) {
		bool doubled = str_starts(all, S("00")); /* "+0098..." means what it must mean */

		if (plus || doubled)
			read_international(reading, str_slice(all, doubled ? 2 : 0, all.len));
		else
			reading->problem = PHONE_NEEDS_COUNTRY;
		return;
	}
	read_national(reading, plan, all);
}

enum rc phone_parse(struct arena *arena, struct str text, struct str country, struct phone_number *out,
                    enum phone_problem *problem)
{
	struct reading reading = { .problem = PHONE_POSSIBLE };
	struct phone_number number = { .type = PHONE_TYPE_UNKNOWN };

	read_number(&reading, text, plan_of_region(country));
	if (!reading.failed && reading.problem == PHONE_POSSIBLE) {
		struct str national = digits_str(&reading.national);
		const struct phone_plan *plan = reading.plan != NULL ? reading.plan : plan_of_code(reading.code, 0);

		number.type = type_in_plan(plan, national, &reading.failed);
		number.valid = number.type != PHONE_TYPE_UNKNOWN;
		if (reading.plan != NULL)
			memcpy(number.region, reading.plan->region, sizeof number.region);
		number.e164 = str_format(arena, "+%u%.*s", (unsigned)reading.code->code, STR_ARG(national));
	}
	if (reading.failed)
		return FAILED;
	if (problem != NULL)
		*problem = reading.problem;
	if (reading.problem != PHONE_POSSIBLE)
		return INVALID;
	*out = number;
	return OK;
}

bool phone_takes_sms(enum phone_type type)
{
	return type == PHONE_TYPE_UNKNOWN || type == PHONE_MOBILE || type == PHONE_FIXED_OR_MOBILE ||
	       type == PHONE_PERSONAL || type == PHONE_PAGER;
}

/* Splits E.164 into code and national digits; false if it is none. */
static bool split_e164(struct str e164, const struct phone_code **code_out, struct str *national_out)
{
	size_t length;

	if (e164.len < 2 || e164.ptr[0] != '+' || e164.len > PHONE_E164_DIGITS + 1)
		return false;
	for (size_t i = 1; i < e164.len; i++)
		if (e164.ptr[i] < '0' || e164.ptr[i] > '9')
			return false;
	*code_out = leading_code(str_slice(e164, 1, e164.len), &length);
	if (*code_out == NULL)
		return false;
	*national_out = str_slice(e164, 1 + length, e164.len);
	return true;
}

const char *phone_region(struct str e164)
{
	const struct phone_code *code;
	struct str national;
	bool failed = false;

	if (!split_e164(e164, &code, &national))
		return "";
	const struct phone_plan *plan = claimant(code, national, &failed);

	return plan != NULL ? plan->region : "";
}

/* Groups of digits with single spaces, whatever signs the national format has. */
static struct str format_groups(struct arena *arena, const char *format, const struct groups *groups)
{
	struct str out = S("");
	bool space = false;

	for (; *format != '\0'; format++) {
		if (format[0] != '$' || format[1] < '1' || format[1] > '9') {
			/* digits in a format (the 15 of Argentina) are not part of the international form */
			space = out.len > 0;
			continue;
		}
		size_t group = (size_t)(*++format - '0');

		if (group < groups->count)
			out = str_format(arena, "%.*s%s%.*s", STR_ARG(out), space ? " " : "",
			                 STR_ARG(groups->text[group]));
		space = false;
	}
	return out;
}

struct str phone_format_display(struct arena *arena, struct str e164)
{
	const struct phone_code *code;
	struct str national;
	bool failed = false;

	if (!split_e164(e164, &code, &national))
		return e164;
	const struct phone_plan *plan = claimant(code, national, &failed);

	if (plan == NULL || plan->format_count == 0)
		plan = plan_of_code(code, 0);
	for (size_t i = 0; i < plan->format_count; i++) {
		const struct phone_format *format = &phone_formats[plan->format_first + i];
		struct groups groups;

		if (format->leading != 0 && !matches(format->leading, national, false, &failed))
			continue;
		if (match_groups(format->pattern, national, true, &groups, &failed))
			return str_format(arena, "+%u %.*s", (unsigned)code->code,
			                  STR_ARG(format_groups(arena, format->format, &groups)));
	}
	return str_format(arena, "+%u %.*s", (unsigned)code->code, STR_ARG(national));
}

unsigned phone_calling_code(struct str country)
{
	const struct phone_plan *plan = plan_of_region(country);

	return plan != NULL ? plan->calling_code : 0;
}

const char *phone_problem_name(enum phone_problem problem)
{
	static const char *const names[] = { "possible",      "not_a_number",         "has_extension",
		                             "needs_country", "unknown_country_code", "too_short",
		                             "too_long",      "wrong_length" };

	return names[problem];
}

const char *phone_type_name(enum phone_type type)
{
	static const char *const names[] = { "unknown",   "fixed",   "mobile",      "fixed_or_mobile",
		                             "toll_free", "premium", "shared_cost", "voip",
		                             "personal",  "pager",   "uan",         "voicemail" };

	return names[type];
}
