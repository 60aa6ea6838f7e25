/* The rule for years to come at the end of a TZif file: POSIX TZ with RFC 9636's extensions. Private to the room. */
#ifndef CHANCERY_KERNEL_ZONE_RULE_H
#define CHANCERY_KERNEL_ZONE_RULE_H

#include "base/base.h"

struct zone_change {
	int64_t at;     /* seconds since 1970, UTC */
	int32_t offset; /* seconds east of UTC from then on */
};

enum zone_date_kind { ZONE_DATE_JULIAN, ZONE_DATE_DAY, ZONE_DATE_WEEK };

struct zone_date {
	enum zone_date_kind kind; /* Jn: 1..365 without 29 February; n: 0..365; Mm.w.d */
	int day, week, month;     /* day of year, or day of week with 0 Sunday */
	int32_t time;             /* seconds after local midnight, -167..167 hours */
};

struct zone_rule {
	int32_t standard, daylight; /* seconds east */
	bool has_daylight;
	struct zone_date begin, end; /* of daylight time */
};

/* Reads "CET-1CEST,M3.5.0,M10.5.0/3"; false if it breaks the syntax or names daylight time without dates. */
bool zone_rule_parse(struct str text, struct zone_rule *rule_out);

/* The changes of `year` in order of time; returns how many (1 where there is no daylight time: the standing offset). */
size_t zone_rule_year(const struct zone_rule *rule, int year, struct zone_change changes[2]);

#endif
