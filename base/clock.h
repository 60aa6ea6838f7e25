/* Time: UTC microseconds since 1970 inside, always. */
#ifndef CHANCERY_BASE_CLOCK_H
#define CHANCERY_BASE_CLOCK_H

#include "str.h"

#define CLOCK_SECOND INT64_C(1000000)
#define CLOCK_MINUTE (60 * CLOCK_SECOND)
#define CLOCK_HOUR (60 * CLOCK_MINUTE)
#define CLOCK_DAY (24 * CLOCK_HOUR)

/* Now, with the test offset added. Thread-safe. */
int64_t clock_now(void);
/* Never goes back, not moved by the offset; for durations and timers. */
int64_t clock_monotonic(void);
/* Moves clock_now() by `microseconds` against the real clock; only tests and the demo do so. */
void clock_set_offset(int64_t microseconds);
int64_t clock_offset(void);

/* Proleptic Gregorian calendar. Days are counted from 1970-01-01. Months and days beyond their range carry over. */
int64_t date_to_days(int year, int month, int day);
void date_from_days(int64_t days, int *year, int *month, int *day);
/* True for a day that exists, years 1..9999. */
bool date_valid(int year, int month, int day);
/* Reads YYYY-MM-DD exactly. */
bool date_parse(struct str text, int64_t *days_out);
struct str date_format(struct arena *arena, int64_t days);

/* RFC 3339 with seconds and numeric offset "+00:00" as CAP wants it (never Z): 2026-11-24T11:30:00+00:00. */
struct str clock_format_cap(struct arena *arena, int64_t microseconds);
/* RFC 3339 with Z. */
struct str clock_format(struct arena *arena, int64_t microseconds);
/* Reads RFC 3339 / CAP date-times (seconds required, offset or Z required, fraction allowed and cut to microseconds;
 * second 60 only where a UTC day ends, it counts as the next second). */
bool clock_parse(struct str text, int64_t *microseconds_out);

#endif
