/* Whom a version reaches: the index is asked, and each person gets a time for each channel. */
#include <stdlib.h>

#include "desks/travel/alert.h"

#include "travel_sql.h"

static bool is_watch(const struct leg_match *match)
{
	return match->kind == LEG_WATCH_COUNTRY || match->kind == LEG_WATCH_AREA;
}

static bool is_night(const struct zone *zone, int64_t at)
{
	const int hour = zone ? zone_hour(zone, at) : ALERT_MORNING;

	return hour >= ALERT_NIGHT_BEGINS || hour < ALERT_MORNING;
}

void hit_times(const struct alert_version *version, const struct leg_match *match, const struct zone *zone, int64_t now,
               struct alert_hit *hit)
{
	const int64_t arrival = is_watch(match) ? 0 : match->from * CLOCK_MINUTE;
	const int64_t first = arrival > now ? arrival : now;
	const bool sleeps = severity_is_low(version->severity) && !version->sms_at_night;
	struct ladder_climb climb;

	hit->later = arrival > now;
	hit->asleep = !hit->later && is_night(zone, now);
	hit->first = hit->later ? arrival : 0;
	hit->first_sms = sleeps && is_night(zone, first) ? zone_next_hour(zone, first, ALERT_MORNING) : hit->first;
	ladder_climb(&version->ladder, version->severity, hit->channels, hit->order, &climb);
	for (size_t i = 0; i < CHANNEL_KIND_COUNT; i++)
		hit->not_before[i] = climb.after[i] > 0 ? first + climb.after[i] : hit->first;
	const int64_t sms = climb.after[CHANNEL_SMS] > 0 ? hit->not_before[CHANNEL_SMS] : first;
	hit->waits = sleeps && is_night(zone, sms);
	if (hit->waits)
		hit->not_before[CHANNEL_SMS] = zone_next_hour(zone, sms, ALERT_MORNING);
}

/* --- zones of many places
 * ----------------------------------------------------------------------------------------- */

/* The zone is asked once for each tenth of a degree within a country: finding the nearest place takes too long for
 * a million people. */
#define CELLS_PER_DEGREE 10

struct zone_cell {
	uint64_t key; /* 0: free */
	const struct zone *zone;
};
struct zone_cells {
	struct arena *arena;
	struct places *places;
	struct zone_cell *cells;
	size_t count, capacity;
};

static struct zone_cell *cell_slot(struct zone_cell *cells, size_t capacity, uint64_t key)
{
	size_t at = (size_t)(hash_bytes(&key, sizeof key, 0) & (capacity - 1));

	while (cells[at].key && cells[at].key != key)
		at = (at + 1) & (capacity - 1);
	return &cells[at];
}

static void cells_grow(struct zone_cells *cells)
{
	const size_t capacity = cells->capacity ? cells->capacity * 2 : 1024;
	struct zone_cell *grown = ARENA_NEW_ARRAY(cells->arena, struct zone_cell, capacity);

	for (size_t i = 0; i < cells->capacity; i++)
		if (cells->cells[i].key)
			*cell_slot(grown, capacity, cells->cells[i].key) = cells->cells[i];
	cells->cells = grown;
	cells->capacity = capacity;
}

static const struct zone *zone_of_match(struct zone_cells *cells, const struct leg_match *match)
{
	const uint64_t column = (uint64_t)(((int64_t)match->at.x + GEO_X_MAX) / (GEO_UNITS / CELLS_PER_DEGREE));
	const uint64_t row = (uint64_t)(((int64_t)match->at.y + GEO_Y_MAX) / (GEO_UNITS / CELLS_PER_DEGREE));
	const uint64_t key = (uint64_t)match->country << 40 | column << 20 | row | UINT64_C(1) << 60;

	if (2 * cells->count >= cells->capacity)
		cells_grow(cells);
	struct zone_cell *cell = cell_slot(cells->cells, cells->capacity, key);
	if (!cell->key) {
		const struct str name = place_zone_at(cells->places, geo_degrees(match->at.y), geo_degrees(match->at.x),
		                                      geo_country_code(match->country));
		*cell = (struct zone_cell){ key, str_is_none(name) ? NULL : zone_find(name) };
		cells->count++;
	}
	return cell->zone;
}

/* Watches by id, for the zone that the person gave. */
struct watch_zones {
	struct arena *arena;
	const struct zone **zones; /* [0 .. size) */
	size_t size;
	struct str last;
	const struct zone *last_zone;
};

static enum rc take_watch(void *context, const struct alert_watch_zones_row *row)
{
	struct watch_zones *watches = context;

	if (row->id < 0 || (size_t)row->id >= watches->size)
		return OK;
	if (!watches->last_zone || !str_equal(watches->last, row->zone)) {
		watches->last = str_copy(watches->arena, row->zone);
		watches->last_zone = zone_find(watches->last);
	}
	watches->zones[row->id] = watches->last_zone;
	return OK;
}

static enum rc watches_in_store(struct db_tx *tx, void *context, struct err *err)
{
	return alert_watch_zones(tx, take_watch, context, err);
}

/* --- people's own order of their ways
 * ----------------------------------------------------------------------------- */

struct order_work {
	struct alert_hit *hits;
	size_t count, at;
};

static enum rc take_order(void *context, const struct ladder_order_row *row)
{
	struct order_work *work = context;

	while (work->at < work->count && work->hits[work->at].person_id < row->person_id)
		work->at++;
	if (work->at < work->count && work->hits[work->at].person_id == row->person_id && row->channel > 0 && row->channel < CHANNEL_KIND_COUNT)
		work->hits[work->at].order = ladder_order_add(work->hits[work->at].order, (enum channel_kind)row->channel);
	return OK;
}

static enum rc orders_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct order_work *work = context;
	const struct ladder_orders_args args = { .first = work->hits[0].person_id, .last = work->hits[work->count - 1].person_id };

	work->at = 0;
	return ladder_orders(tx, &args, take_order, work, err);
}

static enum rc orders_load(struct house *house, const struct alert_version *version, struct alert_hit *hits, size_t count, struct err *err)
{
	struct order_work work = { .hits = hits, .count = count };
	const bool own = version->ladder.count > 0 && version->ladder.rungs[0].channel == CHANNEL_NONE;

	return own && count ? db_read(house->db, orders_in_store, &work, err) : OK;
}

/* --- the audience ------------------------------------------------------------------------------------------------- */

static enum rc watches_load(struct house *house, struct arena *arena, const struct leg_match *matches,
                            const struct leg_hit *hits, size_t count, struct watch_zones *out, struct err *err)
{
	int64_t highest = -1;

	for (size_t i = 0; i < count; i++)
		if (is_watch(&matches[hits[i].match]) && -matches[hits[i].match].leg_id > highest)
			highest = -matches[hits[i].match].leg_id;
	*out = (struct watch_zones){ .arena = arena, .size = (size_t)(highest + 1) };
	if (highest < 0)
		return OK;
	out->zones = ARENA_NEW_ARRAY(arena, const struct zone *, out->size);
	return db_read(house->db, watches_in_store, out, err);
}

static struct leg_window window_of(const struct alert_version *version, int64_t now)
{
	const int64_t from = version->effective > now ? version->effective : now;

	return (struct leg_window){ .from = leg_minutes_from(from), .to = leg_minutes_to(version->expires) };
}

enum rc alert_match(struct house *house, struct arena *arena, const struct alert_version *version, int64_t now,
                    struct alert_audience *out, struct err *err)
{
	struct leg_matches matches;
	struct watch_zones watches;
	struct arena scratch;
	size_t count = 0;

	if (geo_area_is_empty(&version->area) || version->expires <= now) {
		*out = (struct alert_audience){ NULL, 0 };
		return OK;
	}
	/* An import that has just become visible counts whole: nobody sends to the part of it that was read so far. */
	enum rc rc = audience_catch_up(house, err);
	if (rc != OK)
		return rc;
	arena_init(&scratch);
	leg_matches_init(&matches);
	struct geo_prepared *prepared = geo_prepared_new(&version->area);
	leg_index_query(audience_index(house), prepared, window_of(version, now), &matches);
	geo_prepared_free(prepared);
	const struct leg_hit *people =
		leg_index_people(audience_index(house), &scratch, &matches, !version->include_possible, &count);
	rc = watches_load(house, &scratch, matches.items, people, count, &watches, err);
	if (rc == OK) {
		struct zone_cells cells = { .arena = &scratch, .places = places_of(house) };
		struct alert_hit *hits = ARENA_NEW_ARRAY(arena, struct alert_hit, count);
		for (size_t i = 0; i < count; i++) {
			const struct leg_match *match = &matches.items[people[i].match];
			hits[i] = (struct alert_hit){ .person_id = people[i].person_id,
				                      .leg_id = match->leg_id,
				                      .country = match->country,
				                      .channels = (uint8_t)(people[i].channels & version->channels),
				                      .language = people[i].language,
				                      .certain = people[i].certain };
		}
		rc = orders_load(house, version, hits, count, err);
		for (size_t i = 0; rc == OK && i < count; i++) {
			const struct leg_match *match = &matches.items[people[i].match];
			hit_times(version, match, is_watch(match) ? watches.zones[-match->leg_id] : zone_of_match(&cells, match), now,
			          &hits[i]);
		}
		if (rc == OK)
			*out = (struct alert_audience){ hits, count };
	}
	leg_matches_release(&matches);
	arena_release(&scratch);
	return rc;
}
