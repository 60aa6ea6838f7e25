#include "kernel/zone/zone_rule.h"

struct scanner {
	struct str text;
	size_t at;
};

static char peek(const struct scanner *s)
{
	return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

static bool skip(struct scanner *s, char c)
{
	if (peek(s) != c || s->at >= s->text.len)
		return false;
	s->at++;
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* CET, or <+0330> in which signs and digits may stand. */
static bool scan_name(struct scanner *s)
{
	bool quoted = skip(s, '<');
	size_t start = s->at;
	while (is_letter(peek(s)) || (quoted && (is_digit(peek(s)) || peek(s) == '+' || peek(s) == '-')))
		s->at++;
	if (s->at - start < 3)
		return false;
	return !quoted || skip(s, '>');
}

static bool scan_number(struct scanner *s, int most, int *out)
{
	if (!is_digit(peek(s)))
		return false;
	int value = 0;
	while (is_digit(peek(s))) {
		value = value * 10 + (peek(s) - '0');
		if (value > most)
			return false;
		s->at++;
	}
	*out = value;
	return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool scan_time(struct scanner *s, int hours_most, int32_t *out)
{
	bool negative = skip(s, '-');
	if (!negative)
		skip(s, '+');
	int hours, minutes = 0, seconds = 0;
	if (!scan_number(s, hours_most, &hours))
		return false;
	if (skip(s, ':')) {
		if (!scan_number(s, 59, &minutes))
			return false;
		if (skip(s, ':') && !scan_number(s, 59, &seconds))
			return false;
	}
	int32_t value = hours * 3600 + minutes * 60 + seconds;
	*out = negative ? -value : value;
	return true;
}

static bool scan_date(struct scanner *s, struct zone_date *out)
{
	struct zone_date date = { .time = 7200 };
	if (skip(s, 'J')) {
		date.kind = ZONE_DATE_JULIAN;
		if (!scan_number(s, 365, &date.day) || date.day == 0)
			return false;
	} else if (skip(s, 'M')) {
		date.kind = ZONE_DATE_WEEK;
		if (!scan_number(s, 12, &date.month) || date.month == 0 || !skip(s, '.') ||
		    !scan_number(s, 5, &date.week) || date.week == 0 || !skip(s, '.') || !scan_number(s, 6, &date.day))
			return false;
	} else {
		date.kind = ZONE_DATE_DAY;
		if (!scan_number(s, 365, &date.day))
			return false;
	}
	if (skip(s, '/') && !scan_time(s, 167, &date.time))
		return false;
	*out = date;
	return true;
}

bool zone_rule_parse(struct str text, struct zone_rule *rule_out)
{
	struct scanner s = { text, 0 };
	struct zone_rule rule = { 0 };
	int32_t west;
	if (!scan_name(&s) || !scan_time(&s, 24, &west))
		return false;
	rule.standard = -west; /* POSIX counts west of Greenwich as positive */
	if (s.at < text.len) {
		rule.has_daylight = true;
		rule.daylight = rule.standard + 3600;
		if (!scan_name(&s))
			return false;
		if (peek(&s) != ',') {
			if (!scan_time(&s, 24, &west))
				return false;
			rule.daylight = -west;
		}
		if (!skip(&s, ',') || !scan_date(&s, &rule.begin) || !skip(&s, ',') || !scan_date(&s, &rule.end))
			return false;
	}
	if (s.at != text.len)
		return false;
	*rule_out = rule;
	return true;
}

static bool leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Local seconds since 1970 of a rule's date in `year`. */
static int64_t date_seconds(const struct zone_date *date, int year)
{
	int64_t days = date_to_days(year, 1, 1);
	if (date->kind == ZONE_DATE_DAY) {
		days += date->day;
	} else if (date->kind == ZONE_DATE_JULIAN) {
		days += date->day - 1 + (leap_year(year) && date->day > 59);
	} else {
		int64_t first = date_to_days(year, date->month, 1);
		int64_t next =
			date->month == 12 ? date_to_days(year + 1, 1, 1) : date_to_days(year, date->month + 1, 1);
		int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
		days = first + (date->day - weekday + 7) % 7 + 7 * (date->week - 1);
		while (days >= next)
			days -= 7; /* week 5 is the last one */
	}
	return days * 86400 + date->time;
}

size_t zone_rule_year(const struct zone_rule *rule, int year, struct zone_change changes[2])
{
	if (!rule->has_daylight) {
		changes[0] = (struct zone_change){ date_to_days(year, 1, 1) * 86400 - rule->standard, rule->standard };
		return 1;
	}
	struct zone_change begin = { date_seconds(&rule->begin, year) - rule->standard, rule->daylight };
	struct zone_change end = { date_seconds(&rule->end, year) - rule->daylight, rule->standard };
	changes[0] = begin.at < end.at ? begin : end;
	changes[1] = begin.at < end.at ? end : begin;
	return 2;
}
