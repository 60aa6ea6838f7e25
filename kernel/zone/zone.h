/* Time zones: from UTC to the clock and the calendar of a place, and back.
 *
 * Rules are read from the system's zone files (TZif, RFC 9636), because the package tzdata follows every
 * government's change while ICU's built-in copy stays what it was when Debian was released. Where a file is
 * missing ICU's rules are used. Zones are read once and kept for the life of the process; all functions are
 * thread-safe. */
#ifndef CHANCERY_KERNEL_ZONE_H
#define CHANCERY_KERNEL_ZONE_H

#include "base/base.h"

/* Names are at most this long ("America/Argentina/ComodRivadavia" has 32). */
#define ZONE_NAME_MAX 64
/* Rules are known for 1900-01-01 up to this year; later instants use the last rule's offset of that year. */
#define ZONE_YEAR_MAX 2200

struct zone;

/* The zone of an IANA name such as "Asia/Tehran" or "UTC"; NULL if there is none. Never freed. */
const struct zone *zone_find(struct str name);

/* Seconds to add to UTC at `microseconds` (since 1970, UTC) to get local time there; east is positive. */
int32_t zone_offset(const struct zone *zone, int64_t microseconds);

/* The local date (days since 1970-01-01) at `microseconds`. */
int64_t zone_day(const struct zone *zone, int64_t microseconds);

/* The local hour, 0..23, at `microseconds`. */
int zone_hour(const struct zone *zone, int64_t microseconds);

/* The first instant (UTC microseconds) at which the calendar there shows `days` or a later date. Where midnight
 * does not exist (clocks put forward at 24:00) that is 01:00; where a whole day was left out, the start of the next.
 * The end of a day is the start of the next one. */
int64_t zone_day_start(const struct zone *zone, int64_t days);

/* The first instant at or after `microseconds` at which the local clock shows `hour` (0..23) or, where that hour
 * is skipped, the first later time. Used to wait for morning. */
int64_t zone_next_hour(const struct zone *zone, int64_t microseconds, int hour);

/* Reads a TZif file's bytes (RFC 9636, versions 1 to 4) into a zone that the caller frees with zone_free.
 * INVALID with a detail if they break the format. Public for tests and fuzzing. */
enum rc zone_parse(struct str bytes, struct zone **zone_out, struct err *err);
void zone_free(struct zone *zone);

#endif
