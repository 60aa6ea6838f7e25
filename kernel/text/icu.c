/* Numbers, plurals, dates and times by ICU.
 *
 * Number formatters and plural rules are immutable once made and shared by all threads (ICU documents unumf_* and uplrules_select
 * as thread-safe); date formatters are not, so each thread keeps its own. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/ucal.h>
#include <unicode/uchar.h>
#include <unicode/udat.h>
#include <unicode/udatpg.h>
#include <unicode/unumberformatter.h>
#include <unicode/upluralrules.h>
#include <unicode/ureldatefmt.h>
#include <unicode/ustring.h>

#include "kernel/text/icu.h"

#define UNITS_MAX 256 /* UTF-16 units of one formatted value */
#define ZONE_LONGEST 64

/* Dates in English the way most of the world writes them (14 March 2026), Persian ones in the Persian calendar. */
static const char *const locales[LANGUAGE_COUNT] = {
	[LANGUAGE_EN] = "en_GB",
	[LANGUAGE_FR] = "fr",
	[LANGUAGE_AR] = "ar",
	[LANGUAGE_FA] = "fa@calendar=persian",
};

static struct {
	pthread_once_t once;
	UNumberFormatter *numbers[LANGUAGE_COUNT];
	UPluralRules *plurals[LANGUAGE_COUNT];
	pthread_key_t key;
	bool has_key;
} shared = { .once = PTHREAD_ONCE_INIT };

/* One thread's formatters; made when first needed. */
struct thread_formats {
	UDateFormat *date[LANGUAGE_COUNT];
	UDateFormat *date_time[LANGUAGE_COUNT];
	char zone[LANGUAGE_COUNT][ZONE_LONGEST]; /* of date_time */
	URelativeDateTimeFormatter *relative[LANGUAGE_COUNT];
	UCalendar *persian;
};

static void thread_formats_free(void *value)
{
	struct thread_formats *formats = value;
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		if (formats->date[i] != NULL)
			udat_close(formats->date[i]);
		if (formats->date_time[i] != NULL)
			udat_close(formats->date_time[i]);
		if (formats->relative[i] != NULL)
			ureldatefmt_close(formats->relative[i]);
	}
	if (formats->persian != NULL)
		ucal_close(formats->persian);
	free(formats);
}

static void shared_init(void)
{
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		UErrorCode status = U_ZERO_ERROR;
		shared.numbers[i] = unumf_openForSkeletonAndLocale(u"", 0, locales[i], &status);
		shared.plurals[i] = uplrules_open(locales[i], &status);
		if (U_FAILURE(status))
			log_error("icu", LOGC("error", u_errorName(status)));
	}
	shared.has_key = pthread_key_create(&shared.key, thread_formats_free) == 0;
}

static struct thread_formats *thread_formats(void)
{
	pthread_once(&shared.once, shared_init);
	if (!shared.has_key)
		return NULL;
	struct thread_formats *formats = pthread_getspecific(shared.key);
	if (formats == NULL) {
		formats = calloc(1, sizeof *formats);
		if (formats != NULL && pthread_setspecific(shared.key, formats) != 0) {
			free(formats);
			formats = NULL;
		}
	}
	return formats;
}

/* UTF-16 to UTF-8 in the arena. */
static struct str from_utf16(struct arena *arena, const UChar *units, int32_t count)
{
	char bytes[UNITS_MAX * 3 + 1];
	int32_t size = 0;
	UErrorCode status = U_ZERO_ERROR;
	u_strToUTF8(bytes, (int32_t)sizeof bytes, &size, units, count, &status);
	if (U_FAILURE(status))
		return STR_NONE;
	return str_copy(arena, (struct str){ bytes, (size_t)size });
}

const char *text_plural_category(enum language language, int64_t number)
{
	static const char *const categories[] = { "zero", "one", "two", "few", "many", "other" };
	pthread_once(&shared.once, shared_init);
	UChar units[16];
	UErrorCode status = U_ZERO_ERROR;
	int32_t count = 0;
	if (shared.plurals[language] != NULL)
		count = uplrules_select(shared.plurals[language], (double)number, units, (int32_t)COUNT_OF(units), &status);
	for (size_t i = 0; U_SUCCESS(status) && i < COUNT_OF(categories); i++) {
		UChar name[16];
		u_charsToUChars(categories[i], name, (int32_t)strlen(categories[i]) + 1);
		if (u_strncmp(name, units, count) == 0 && (int32_t)strlen(categories[i]) == count)
			return categories[i];
	}
	return "other";
}

struct str text_number(struct arena *arena, enum language language, int64_t value)
{
	pthread_once(&shared.once, shared_init);
	UErrorCode status = U_ZERO_ERROR;
	UFormattedNumber *result = unumf_openResult(&status);
	struct str text = STR_NONE;
	if (U_SUCCESS(status) && shared.numbers[language] != NULL) {
		UChar units[UNITS_MAX];
		unumf_formatInt(shared.numbers[language], value, result, &status);
		int32_t count = unumf_resultToString(result, units, UNITS_MAX, &status);
		if (U_SUCCESS(status))
			text = from_utf16(arena, units, count);
	}
	unumf_closeResult(result);
	/* A number is never lost: ICU without data still leaves the ASCII digits. */
	return str_is_none(text) ? str_format(arena, "%lld", (long long)value) : text;
}

static UDateFormat *date_format_open(enum language language, const char *skeleton_text, const char *zone)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar skeleton[32], pattern[128], zone_units[ZONE_LONGEST];
	u_charsToUChars(skeleton_text, skeleton, (int32_t)strlen(skeleton_text) + 1);
	u_charsToUChars(zone, zone_units, (int32_t)strlen(zone) + 1);
	UDateTimePatternGenerator *generator = udatpg_open(locales[language], &status);
	int32_t count = 0;
	if (U_SUCCESS(status))
		count = udatpg_getBestPattern(generator, skeleton, -1, pattern, (int32_t)COUNT_OF(pattern), &status);
	UDateFormat *format = NULL;
	if (U_SUCCESS(status))
		format = udat_open(UDAT_PATTERN, UDAT_PATTERN, locales[language], zone_units, -1, pattern, count, &status);
	udatpg_close(generator);
	if (U_FAILURE(status)) {
		log_error("icu", LOGC("error", u_errorName(status)));
		return NULL;
	}
	return format;
}

static struct str date_format_apply(struct arena *arena, const UDateFormat *format, double milliseconds)
{
	UChar units[UNITS_MAX];
	UErrorCode status = U_ZERO_ERROR;
	int32_t count = udat_format(format, milliseconds, units, UNITS_MAX, NULL, &status);
	return U_SUCCESS(status) ? from_utf16(arena, units, count) : STR_NONE;
}

struct str text_date(struct arena *arena, enum language language, int64_t days)
{
	struct thread_formats *formats = thread_formats();
	struct str text = STR_NONE;
	if (formats != NULL) {
		if (formats->date[language] == NULL)
			formats->date[language] = date_format_open(language, "yMMMMd", "Etc/UTC");
		if (formats->date[language] != NULL)
			text = date_format_apply(arena, formats->date[language], (double)days * 86400000.0);
	}
	return str_is_none(text) ? date_format(arena, days) : text;
}

/* ICU takes any unknown zone for GMT without a word; here an unknown one is UTC and said to be so. */
static const char *known_zone(const char *zone)
{
	if (zone == NULL || strlen(zone) >= ZONE_LONGEST || strlen(zone) == 0)
		return "Etc/UTC";
	UChar units[ZONE_LONGEST], canonical[ZONE_LONGEST];
	for (const char *c = zone; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7E)
			return "Etc/UTC";
	}
	u_charsToUChars(zone, units, (int32_t)strlen(zone) + 1);
	UErrorCode status = U_ZERO_ERROR;
	UBool system_zone = false;
	ucal_getCanonicalTimeZoneID(units, -1, canonical, ZONE_LONGEST, &system_zone, &status);
	return U_SUCCESS(status) && system_zone ? zone : "Etc/UTC";
}

struct str text_date_time(struct arena *arena, enum language language, int64_t microseconds, const char *zone)
{
	struct thread_formats *formats = thread_formats();
	struct str text = STR_NONE;
	if (formats != NULL) {
		zone = zone == NULL ? "Etc/UTC" : zone;
		if (formats->date_time[language] == NULL || strcmp(formats->zone[language], zone) != 0) {
			const char *known = known_zone(zone);
			UDateFormat *format = date_format_open(language, "yMMMMdHmO", known);
			if (formats->date_time[language] != NULL)
				udat_close(formats->date_time[language]);
			formats->date_time[language] = format;
			snprintf(formats->zone[language], ZONE_LONGEST, "%s", strlen(zone) < ZONE_LONGEST ? zone : known);
		}
		if (formats->date_time[language] != NULL)
			text = date_format_apply(arena, formats->date_time[language], (double)(microseconds / 1000));
	}
	return str_is_none(text) ? clock_format(arena, microseconds) : text;
}

struct str text_relative(struct arena *arena, enum language language, int64_t microseconds, int64_t now)
{
	static const struct {
		int64_t size;
		URelativeDateTimeUnit unit;
	} units[] = { { 365 * CLOCK_DAY, UDAT_REL_UNIT_YEAR },  { 30 * CLOCK_DAY, UDAT_REL_UNIT_MONTH }, { 7 * CLOCK_DAY, UDAT_REL_UNIT_WEEK },
		      { CLOCK_DAY, UDAT_REL_UNIT_DAY },         { CLOCK_HOUR, UDAT_REL_UNIT_HOUR },       { CLOCK_MINUTE, UDAT_REL_UNIT_MINUTE },
		      { CLOCK_SECOND, UDAT_REL_UNIT_SECOND } };
	int64_t distance = microseconds - now;
	int64_t size = distance < 0 ? -distance : distance;
	size_t at = 0;
	while (at + 1 < COUNT_OF(units) && size < units[at].size)
		at++;
	struct thread_formats *formats = thread_formats();
	struct str text = STR_NONE;
	UErrorCode status = U_ZERO_ERROR;
	if (formats != NULL && formats->relative[language] == NULL)
		formats->relative[language] =
			ureldatefmt_open(locales[language], NULL, UDAT_STYLE_LONG, UDISPCTX_CAPITALIZATION_NONE, &status);
	if (formats != NULL && U_SUCCESS(status)) {
		UChar out[UNITS_MAX];
		double value = (double)(size / units[at].size);
		int32_t count = ureldatefmt_formatNumeric(formats->relative[language], distance > 0 ? value : -value, units[at].unit, out,
		                                          UNITS_MAX, &status);
		if (U_SUCCESS(status))
			text = from_utf16(arena, out, count);
	}
	return str_is_none(text) ? clock_format(arena, microseconds) : text;
}

/* --- dates people type -------------------------------------------------------------------------------------- */

struct str text_ascii_digits(struct arena *arena, struct str text)
{
	char *out = arena_alloc(arena, text.len + 1); /* ASCII digits are never longer than what they replace */
	size_t length = 0;
	for (size_t at = 0; at < text.len;) {
		size_t from = at;
		int32_t digit = u_charDigitValue((UChar32)utf8_next(text, &at));
		if (digit >= 0) {
			out[length++] = (char)('0' + digit);
		} else {
			memcpy(out + length, text.ptr + from, at - from);
			length += at - from;
		}
	}
	out[length] = '\0';
	return (struct str){ out, length };
}

/* Marks of direction, which keyboards and copied text bring along. */
static bool is_invisible(uint32_t code)
{
	return (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0x061C || code == 0xFEFF;
}

static bool is_separator(uint32_t code)
{
	return code == '-' || code == '.' || code == '/' || code == 0x060D || (code >= 0x2010 && code <= 0x2014) || code == 0x2212 ||
	       code == 0x2044 || code == 0xFF0E || code == 0xFF0F || code == 0xFF0D || code == 0x3002;
}

/* Three numbers with separators between; their values and how many digits each had. */
static bool split_date(struct str text, int parts[3], int digits[3])
{
	int part = 0;
	bool separated = false;
	memset(parts, 0, 3 * sizeof *parts);
	memset(digits, 0, 3 * sizeof *digits);
	for (size_t at = 0; at < text.len;) {
		uint32_t code = utf8_next(text, &at);
		int32_t digit = u_charDigitValue((UChar32)code);
		if (is_invisible(code))
			continue;
		if (u_isUWhiteSpace((UChar32)code)) {
			/* Blanks may stand around separators, not within a number. */
			separated = separated || (part < 3 && digits[part] > 0);
			continue;
		}
		if (digit >= 0) {
			if (separated || part > 2 || ++digits[part] > 4)
				return false;
			parts[part] = parts[part] * 10 + digit;
		} else if (is_separator(code) && part < 2 && digits[part] > 0) {
			part++;
			separated = false;
		} else {
			return false;
		}
	}
	return part == 2 && digits[2] > 0;
}

/* The thread's Persian calendar, in UTC, at midnight of nothing yet. */
static UCalendar *persian_calendar(void)
{
	struct thread_formats *formats = thread_formats();
	if (formats == NULL)
		return NULL;
	if (formats->persian == NULL) {
		UErrorCode status = U_ZERO_ERROR;
		formats->persian = ucal_open(u"Etc/UTC", -1, "fa@calendar=persian", UCAL_DEFAULT, &status);
		if (U_FAILURE(status)) {
			log_error("icu", LOGC("error", u_errorName(status)));
			return NULL;
		}
		/* Strict: the 31st of a month of 30 days does not roll over. */
		ucal_setAttribute(formats->persian, UCAL_LENIENT, 0);
	}
	return formats->persian;
}

static bool persian_to_days(int year, int month, int day, int64_t *days_out)
{
	UCalendar *calendar = persian_calendar();
	if (calendar == NULL || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	UErrorCode status = U_ZERO_ERROR;
	ucal_clear(calendar);
	ucal_set(calendar, UCAL_YEAR, year);
	ucal_set(calendar, UCAL_MONTH, month - 1);
	ucal_set(calendar, UCAL_DATE, day);
	UDate milliseconds = ucal_getMillis(calendar, &status);
	if (U_FAILURE(status))
		return false;
	double days = milliseconds / 86400000.0;
	*days_out = (int64_t)(days < 0 ? days - 0.5 : days + 0.5);
	return true;
}

bool text_read_date(struct str text, enum language language, int64_t *days_out)
{
	int parts[3], digits[3];
	if (!split_date(text, parts, digits))
		return false;
	int year, month = parts[1], day;
	if (digits[0] == 4 && digits[2] <= 2) {
		year = parts[0];
		day = parts[2];
	} else if (digits[2] == 4 && digits[0] <= 2) {
		day = parts[0];
		year = parts[2];
	} else {
		return false;
	}
	if (digits[1] > 2)
		return false;
	if (language == LANGUAGE_FA && year >= 1300 && year <= 1499)
		return persian_to_days(year, month, day, days_out);
	if (!date_valid(year, month, day))
		return false;
	*days_out = date_to_days(year, month, day);
	return true;
}

struct str text_date_input(struct arena *arena, enum language language, int64_t days)
{
	int year, month, day;
	if (language == LANGUAGE_FA) {
		UCalendar *calendar = persian_calendar();
		UErrorCode status = U_ZERO_ERROR;
		if (calendar != NULL) {
			ucal_setMillis(calendar, (double)days * 86400000.0, &status);
			year = ucal_get(calendar, UCAL_YEAR, &status);
			month = ucal_get(calendar, UCAL_MONTH, &status) + 1;
			day = ucal_get(calendar, UCAL_DATE, &status);
			if (U_SUCCESS(status) && year >= 1300 && year <= 1499)
				return str_format(arena, "%04d/%02d/%02d", year, month, day);
		}
		return date_format(arena, days);
	}
	date_from_days(days, &year, &month, &day);
	return str_format(arena, "%02d/%02d/%04d", day, month, year);
}
