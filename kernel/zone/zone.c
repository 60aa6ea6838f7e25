#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>
#include <unistd.h>

#include "kernel/zone/zone.h"
#include "kernel/zone/zone_rule.h"

#define ZONE_FILE_MAX 65536
#define ZONE_FOLDER "/usr/share/zoneinfo"
#define ZONE_TABLE_MAX 1024 /* names kept; there are about 600 */
#define SECONDS_A_DAY 86400

/* Between changes[i].at and changes[i + 1].at the offset is changes[i].offset. changes[0].at is INT64_MIN. */
struct zone {
	char name[ZONE_NAME_MAX + 1];
	struct zone_change *changes;
	size_t count, capacity;
};

/* Guarded by zones_lock; entries are never changed once they stand in it. */
static struct zone *zones[ZONE_TABLE_MAX];
static size_t zone_count;
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;

static void *need(void *memory)
{
	if (memory == NULL)
		abort(); /* out of memory: nobody can go on */
	return memory;
}

static void add_change(struct zone *zone, int64_t at, int32_t offset)
{
	if (zone->count > 0 && zone->changes[zone->count - 1].offset == offset)
		return;
	if (zone->count == zone->capacity) {
		zone->capacity = zone->capacity ? zone->capacity * 2 : 64;
		zone->changes = need(reallocarray(zone->changes, zone->capacity, sizeof *zone->changes));
	}
	zone->changes[zone->count++] = (struct zone_change){ at, offset };
}

static int64_t year_start(int year)
{
	return date_to_days(year, 1, 1) * SECONDS_A_DAY;
}

/* ---- TZif ---- */

struct reader {
	const uint8_t *at;
	size_t left;
};

struct counts {
	uint32_t isut, isstd, leap, time, type, letters;
};

static int64_t big_endian(const uint8_t *p, size_t size)
{
	uint64_t value = (p[0] & 0x80) ? UINT64_MAX : 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[i];
	return (int64_t)value;
}

static bool take(struct reader *reader, size_t size, const uint8_t **out)
{
	if (reader->left < size)
		return false;
	*out = reader->at;
	reader->at += size;
	reader->left -= size;
	return true;
}

static bool read_header(struct reader *reader, uint8_t *version, struct counts *counts)
{
	const uint8_t *p;
	if (!take(reader, 44, &p) || memcmp(p, "TZif", 4) != 0)
		return false;
	uint32_t *fields[] = { &counts->isut, &counts->isstd, &counts->leap,
		               &counts->time, &counts->type,  &counts->letters };
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		*fields[i] = (uint32_t)(big_endian(p + 20 + 4 * i, 4) & UINT32_MAX);
		if (*fields[i] > ZONE_FILE_MAX)
			return false;
	}
	*version = p[4];
	return counts->type > 0 && counts->type <= 256;
}

static size_t data_size(const struct counts *c, size_t time_size)
{
	return c->time * (time_size + 1) + c->type * 6 + c->letters + c->leap * (time_size + 4) + c->isstd + c->isut;
}

static bool read_data(struct reader *reader, const struct counts *counts, size_t time_size, struct zone *zone)
{
	const uint8_t *times, *kinds, *types, *rest;
	if (!take(reader, counts->time * time_size, &times) || !take(reader, counts->time, &kinds) ||
	    !take(reader, counts->type * 6, &types) ||
	    !take(reader, data_size(counts, time_size) - counts->time * (time_size + 1) - counts->type * 6, &rest))
		return false;
	int64_t last = INT64_MIN;
	add_change(zone, INT64_MIN, (int32_t)big_endian(types, 4)); /* RFC 9636 3.2: type 0 before the first time */
	for (uint32_t i = 0; i < counts->time; i++) {
		int64_t at = big_endian(times + i * time_size, time_size);
		if (kinds[i] >= counts->type || (i > 0 && at <= last))
			return false;
		last = at;
		if (at > year_start(ZONE_YEAR_MAX))
			break;
		add_change(zone, at, (int32_t)big_endian(types + kinds[i] * 6, 4));
	}
	for (size_t i = 0; i < zone->count; i++)
		if (zone->changes[i].offset < -93599 ||
		    zone->changes[i].offset > 93599) /* RFC 9636: about 26 hours at most */
			return false;
	return true;
}

/* The footer's rule stands for all instants after the last one of the table. */
static bool extend_by_footer(struct reader *reader, int64_t last_time, struct zone *zone)
{
	if (reader->left < 2 || reader->at[0] != '\n')
		return false;
	const uint8_t *end = memchr(reader->at + 1, '\n', reader->left - 1);
	if (end == NULL)
		return false;
	struct str text = { (const char *)reader->at + 1, (size_t)(end - reader->at) - 1 };
	if (text.len == 0)
		return true;
	struct zone_rule rule;
	if (!zone_rule_parse(text, &rule))
		return false;
	int64_t from = last_time < year_start(1900) ? year_start(1900) : last_time;
	int year, month, day;
	date_from_days(from / SECONDS_A_DAY, &year, &month, &day);
	for (; year < ZONE_YEAR_MAX; year++) {
		struct zone_change changes[2];
		size_t count = zone_rule_year(&rule, year, changes);
		for (size_t i = 0; i < count; i++)
			if (changes[i].at > last_time)
				add_change(zone, changes[i].at, changes[i].offset);
	}
	return true;
}

static bool parse_tzif(struct str bytes, struct zone *zone)
{
	struct reader reader = { (const uint8_t *)bytes.ptr, bytes.len };
	struct counts counts;
	uint8_t version;
	if (!read_header(&reader, &version, &counts))
		return false;
	if (version == 0)
		return read_data(&reader, &counts, 4, zone);
	const uint8_t *skipped;
	if (!take(&reader, data_size(&counts, 4), &skipped) || !read_header(&reader, &version, &counts))
		return false;
	const uint8_t *times = reader.at;
	if (!read_data(&reader, &counts, 8, zone))
		return false;
	int64_t last = counts.time == 0 ? INT64_MIN : big_endian(times + (counts.time - 1) * (size_t)8, 8);
	return extend_by_footer(&reader, last, zone);
}

enum rc zone_parse(struct str bytes, struct zone **zone_out, struct err *err)
{
	if (bytes.len > ZONE_FILE_MAX)
		return err_set(err, INVALID, "time zone file larger than %d bytes", ZONE_FILE_MAX);
	struct zone *zone = need(calloc(1, sizeof *zone));
	if (!parse_tzif(bytes, zone)) {
		zone_free(zone);
		return err_set(err, INVALID, "time zone file breaks the TZif format");
	}
	*zone_out = zone;
	return OK;
}

void zone_free(struct zone *zone)
{
	if (zone == NULL)
		return;
	free(zone->changes);
	free(zone);
}

/* ---- where rules come from ---- */

static bool name_valid(struct str name)
{
	if (name.len == 0 || name.len > ZONE_NAME_MAX || name.ptr[0] == '/')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && c != '/' && c != '_' && c != '-' && c != '+')
			return false; /* dots are refused, so no name leaves the folder */
	}
	return true;
}

/* Reads the zone's file; NULL if there is none or it is broken (logged). */
static struct zone *read_file(struct str name)
{
	const char *folder = getenv("TZDIR");
	char path[4096];
	int length = snprintf(path, sizeof path, "%s/%.*s", folder != NULL ? folder : ZONE_FOLDER, STR_ARG(name));
	if (length < 0 || (size_t)length >= sizeof path)
		return NULL;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return NULL;
	struct stat status;
	char *bytes = need(malloc(ZONE_FILE_MAX + 1));
	size_t size = 0;
	ssize_t got = 0;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
		while (size <= ZONE_FILE_MAX &&
		       ((got = read(file, bytes + size, ZONE_FILE_MAX + 1 - size)) > 0 || (got < 0 && errno == EINTR)))
			size += got > 0 ? (size_t)got : 0;
	}
	close(file);
	struct zone *zone = NULL;
	if (size > 0 && got == 0 && zone_parse((struct str){ bytes, size }, &zone, NULL) != OK)
		log_error("zone_file_broken", LOGS("zone", name));
	free(bytes);
	return zone;
}

/* ICU's rules, which may be years old; NULL if ICU does not know the zone either. */
static struct zone *read_icu(struct str name)
{
	UChar id[ZONE_NAME_MAX + 1];
	for (size_t i = 0; i < name.len; i++)
		id[i] = (UChar)name.ptr[i];
	id[name.len] = 0;
	UErrorCode status = U_ZERO_ERROR;
	UChar canonical[ZONE_NAME_MAX * 2];
	UBool known = 0;
	ucal_getCanonicalTimeZoneID(id, (int32_t)name.len, canonical, (int32_t)COUNT_OF(canonical), &known, &status);
	if (U_FAILURE(status) || !known)
		return NULL;
	UCalendar *calendar = ucal_open(id, (int32_t)name.len, "en", UCAL_GREGORIAN, &status);
	if (U_FAILURE(status))
		return NULL;
	struct zone *zone = need(calloc(1, sizeof *zone));
	UDate at = (double)year_start(1900) * 1000;
	ucal_setMillis(calendar, at, &status);
	for (bool first = true; U_SUCCESS(status); first = false) {
		int32_t offset =
			ucal_get(calendar, UCAL_ZONE_OFFSET, &status) + ucal_get(calendar, UCAL_DST_OFFSET, &status);
		add_change(zone, first ? INT64_MIN : (int64_t)(at / 1000), offset / 1000);
		if (!ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &at, &status) ||
		    at > (double)year_start(ZONE_YEAR_MAX) * 1000)
			break;
		ucal_setMillis(calendar, at, &status);
	}
	ucal_close(calendar);
	if (U_FAILURE(status)) {
		zone_free(zone);
		return NULL;
	}
	log_warn("zone_from_icu", LOGS("zone", name));
	return zone;
}

const struct zone *zone_find(struct str name)
{
	if (!name_valid(name))
		return NULL;
	pthread_mutex_lock(&zones_lock);
	struct zone *zone = NULL;
	for (size_t i = 0; i < zone_count && zone == NULL; i++)
		if (str_equal(str_from(zones[i]->name), name))
			zone = zones[i];
	if (zone == NULL && zone_count < ZONE_TABLE_MAX) {
		zone = read_file(name);
		if (zone == NULL)
			zone = read_icu(name);
		if (zone != NULL) {
			memcpy(zone->name, name.ptr, name.len);
			zones[zone_count++] = zone;
		}
	}
	pthread_mutex_unlock(&zones_lock);
	return zone;
}

/* ---- questions ---- */

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The index of the change in force at `seconds`. */
static size_t change_at(const struct zone *zone, int64_t seconds)
{
	size_t low = 0, high = zone->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (zone->changes[middle].at <= seconds)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int32_t zone_offset(const struct zone *zone, int64_t microseconds)
{
	return zone->changes[change_at(zone, floor_divide(microseconds, CLOCK_SECOND))].offset;
}

int64_t zone_day(const struct zone *zone, int64_t microseconds)
{
	return floor_divide(floor_divide(microseconds, CLOCK_SECOND) + zone_offset(zone, microseconds), SECONDS_A_DAY);
}

int zone_hour(const struct zone *zone, int64_t microseconds)
{
	int64_t local = floor_divide(microseconds, CLOCK_SECOND) + zone_offset(zone, microseconds);
	return (int)((local - floor_divide(local, SECONDS_A_DAY) * SECONDS_A_DAY) / 3600);
}

/* The first second at or after `from` whose local time is at least `local`. */
static int64_t first_at_local(const struct zone *zone, int64_t from, int64_t local)
{
	for (size_t i = change_at(zone, from);; i++) {
		int64_t begin = zone->changes[i].at > from ? zone->changes[i].at : from;
		int64_t candidate = local - zone->changes[i].offset;
		if (candidate < begin)
			candidate = begin;
		if (i + 1 == zone->count || candidate < zone->changes[i + 1].at)
			return candidate;
	}
}

int64_t zone_day_start(const struct zone *zone, int64_t days)
{
	/* No offset exceeds 26 hours, so the day cannot have begun two days before its UTC midnight. */
	return first_at_local(zone, (days - 2) * SECONDS_A_DAY, days * SECONDS_A_DAY) * CLOCK_SECOND;
}

int64_t zone_next_hour(const struct zone *zone, int64_t microseconds, int hour)
{
	int64_t seconds = -floor_divide(-microseconds, CLOCK_SECOND);
	if (zone_hour(zone, microseconds) == hour)
		return microseconds;
	int64_t local = seconds + zone_offset(zone, seconds * CLOCK_SECOND);
	int64_t target = floor_divide(local, SECONDS_A_DAY) * SECONDS_A_DAY + hour * 3600;
	if (target < local)
		target += SECONDS_A_DAY;
	return first_at_local(zone, seconds, target) * CLOCK_SECOND;
}
