#include <stdatomic.h>
#include <time.h>

#include "base/base.h"
#include "base/fatal.h"

#define DAYS_PER_ERA 146097     /* 400 years */
#define DAYS_BEFORE_1970 719468 /* from 0000-03-01; years are counted from March, so that a leap day ends its year */
#define DAYS_LIMIT INT64_C(700000000000) /* about 1.9e9 years: beyond it an int cannot hold the year */

static _Atomic int64_t offset;

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	if (clock_gettime(id, &now) != 0)
		base_fatal("clock: cannot be read");
	return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_REALTIME) + atomic_load_explicit(&offset, memory_order_relaxed);
}

int64_t clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_set_offset(int64_t microseconds)
{
	atomic_store_explicit(&offset, microseconds, memory_order_relaxed);
}

int64_t clock_offset(void)
{
	return atomic_load_explicit(&offset, memory_order_relaxed);
}

/* Rounds towards minus infinity; divisor > 0. */
static int64_t divide_down(int64_t value, int64_t divisor)
{
	return value / divisor - (value % divisor < 0);
}

int64_t date_to_days(int year, int month, int day)
{
	/* Months since March of year 0; months beyond 1..12 reach into other years. */
	int64_t months = (int64_t)year * 12 + month - 3;
	int64_t y = divide_down(months, 12);
	int64_t m = months - y * 12;
	int64_t era = divide_down(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970;
}

void date_from_days(int64_t days, int *year, int *month, int *day)
{
	if (days > DAYS_LIMIT)
		days = DAYS_LIMIT;
	if (days < -DAYS_LIMIT)
		days = -DAYS_LIMIT;
	days += DAYS_BEFORE_1970;
	int64_t era = divide_down(days, DAYS_PER_ERA);
	int64_t day_of_era = days - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * day_of_year + 2) / 153; /* 0 is March */
	*day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(era * 400 + year_of_era + (m >= 10));
}

bool date_valid(int year, int month, int day)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= lengths[month - 1] + (month == 2 && leap);
}

/* Reads the `count` digits at `at`; false unless all are there. */
static bool read_digits(struct str text, size_t at, size_t count, int *out)
{
	int value = 0;
	if (at > text.len || text.len - at < count)
		return false;
	for (size_t i = at; i < at + count; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		value = value * 10 + (text.ptr[i] - '0');
	}
	*out = value;
	return true;
}

static bool char_at(struct str text, size_t at, char c)
{
	return at < text.len && text.ptr[at] == c;
}

bool date_parse(struct str text, int64_t *days_out)
{
	int year, month, day;
	if (text.len != 10 || !read_digits(text, 0, 4, &year) || !char_at(text, 4, '-') ||
	    !read_digits(text, 5, 2, &month) || !char_at(text, 7, '-') || !read_digits(text, 8, 2, &day) ||
	    !date_valid(year, month, day))
		return false;
	*days_out = date_to_days(year, month, day);
	return true;
}

struct str date_format(struct arena *arena, int64_t days)
{
	int year, month, day;
	date_from_days(days, &year, &month, &day);
	return str_format(arena, "%04d-%02d-%02d", year, month, day);
}

static struct str format_with(struct arena *arena, int64_t microseconds, const char *zone)
{
	int64_t seconds = divide_down(microseconds, CLOCK_SECOND);
	int64_t days = divide_down(seconds, 86400);
	int second = (int)(seconds - days * 86400);
	int year, month, day;
	date_from_days(days, &year, &month, &day);
	return str_format(arena, "%04d-%02d-%02dT%02d:%02d:%02d%s", year, month, day, second / 3600, second / 60 % 60,
	                  second % 60, zone);
}

struct str clock_format_cap(struct arena *arena, int64_t microseconds)
{
	return format_with(arena, microseconds, "+00:00");
}

struct str clock_format(struct arena *arena, int64_t microseconds)
{
	return format_with(arena, microseconds, "Z");
}

/* Reads ".digits" at *at if a point stands there: microseconds, further digits cut. */
static bool read_fraction(struct str text, size_t *at, int64_t *out)
{
	int64_t value = 0, unit = CLOCK_SECOND / 10;
	size_t start = *at + 1;
	*out = 0;
	if (!char_at(text, *at, '.'))
		return true;
	for (*at = start; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; ++*at) {
		value += unit * (text.ptr[*at] - '0');
		unit /= 10;
	}
	*out = value;
	return *at > start;
}

/* Reads the "Z" or "+hh:mm" that must end the text: minutes east of UTC. */
static bool read_zone(struct str text, size_t at, int *out)
{
	int hours, minutes;
	if (at + 1 == text.len && (text.ptr[at] == 'Z' || text.ptr[at] == 'z')) {
		*out = 0;
		return true;
	}
	if (at + 6 != text.len || (text.ptr[at] != '+' && text.ptr[at] != '-') ||
	    !read_digits(text, at + 1, 2, &hours) || !char_at(text, at + 3, ':') ||
	    !read_digits(text, at + 4, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*out = (hours * 60 + minutes) * (text.ptr[at] == '-' ? -1 : 1);
	return true;
}

bool clock_parse(struct str text, int64_t *microseconds_out)
{
	int64_t days, fraction;
	int hour, minute, second, zone;
	size_t at = 19;
	if (!date_parse(str_slice(text, 0, 10), &days) || !(char_at(text, 10, 'T') || char_at(text, 10, 't')) ||
	    !read_digits(text, 11, 2, &hour) || !char_at(text, 13, ':') || !read_digits(text, 14, 2, &minute) ||
	    !char_at(text, 16, ':') || !read_digits(text, 17, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	if (!read_fraction(text, &at, &fraction) || !read_zone(text, at, &zone))
		return false;
	int64_t minutes = days * 1440 + (int64_t)hour * 60 + minute - zone;
	/* A leap second ends a UTC day (RFC 3339 section 5.7); we count it as the first second of the next. */
	if (second == 60 && minutes - divide_down(minutes, 1440) * 1440 != 1439)
		return false;
	*microseconds_out = minutes * CLOCK_MINUTE + second * CLOCK_SECOND + fraction;
	return true;
}
