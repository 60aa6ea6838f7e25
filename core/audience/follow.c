/* The index of this process: built from the store at start, kept by the change sequence. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/audience/audience.h"
#include "core/people/people.h"
#include "core/places/places.h"

#include "audience_sql.h"

#define CHANGES_AT_ONCE 2000
#define PAST (2 * CLOCK_DAY) /* stays that ended longer ago are not loaded */
#define WAIT CLOCK_SECOND
#define RUN_LEAST 50 /* fewer people are read one by one ... */
#define RUN_SPREAD 4 /* ... and those who lie farther apart */

struct audience {
	struct house *house;
	struct leg_index *index;
	audience_listener listener;
	pthread_mutex_t lock;   /* guards following */
	pthread_cond_t free;    /* on the monotonic clock: nobody follows any more */
	bool following;         /* one follows at a time: seen and deadline are its own */
	int64_t seen;
	int64_t deadline; /* monotonic: whoever follows now gives up then; 0 never */
	pthread_t thread;
	bool serving;
	atomic_bool stopping;
};

static struct audience *audience_of(const struct house *house)
{
	return house->state[SLOT_AUDIENCE];
}

struct leg_index *audience_index(const struct house *house)
{
	return audience_of(house)->index;
}

void audience_on_change(struct house *house, audience_listener listener)
{
	struct audience *audience = audience_of(house);

	/* A house without an audience has nobody who could change. */
	if (audience)
		audience->listener = listener;
}

static struct leg_person reach_of(const struct index_reach_row *row)
{
	const enum language language = language_find(row->language);

	return (struct leg_person){
		.channels = (uint8_t)((row->mail > 0 ? CHANNEL_BIT(CHANNEL_MAIL) : 0) |
		                      (row->sms > 0 ? CHANNEL_BIT(CHANNEL_SMS) : 0)),
		.language = (uint8_t)(language == LANGUAGE_COUNT ? LANGUAGE_EN : language),
	};
}

/* False for a row that cannot be: it is logged and left out, the rest of the world goes on. */
static bool leg_of(const struct index_leg_row *row, struct leg_entry *out)
{
	struct geo_xy at;

	if (!geo_xy_from(row->longitude, row->latitude, &at)) {
		log_error("audience.leg", LOGI("leg", row->id), LOGC("why", "coordinates"));
		return false;
	}
	*out = (struct leg_entry){
		.leg_id = row->id,
		.person_id = row->person_id,
		.kind = row->kind == 2   ? LEG_DISC
		        : row->kind == 3 ? LEG_COUNTRY
		                         : LEG_POINT,
		.at = at,
		.radius_m = (uint32_t)row->radius,
		.country = geo_country(row->country),
		.from = leg_minutes_from(row->from_at),
		.to = leg_minutes_to(row->to_at),
	};
	return true;
}

static bool watch_of(struct arena *arena, const struct index_watch_row *row, struct leg_entry *out)
{
	struct geo_area *area = NULL;

	if (row->kind == 2) {
		struct geo_report report;
		geo_report_init(&report);
		area = ARENA_NEW(arena, struct geo_area);
		const struct geo_reading reading = { .keep_crossing = true };
		if (geo_read_geojson(arena, row->area, &reading, area, &report) != OK) {
			log_error("audience.watch", LOGI("watch", row->id), LOGC("why", "area"));
			return false;
		}
	}
	*out = (struct leg_entry){
		.leg_id = -row->id,
		.person_id = row->person_id,
		.kind = area ? LEG_WATCH_AREA : LEG_WATCH_COUNTRY,
		.country = geo_country(row->country),
		.area = area,
	};
	return true;
}

enum rc audience_read_person(struct db_tx *tx, struct arena *arena, int64_t person_id, struct leg_person *person_out,
                             struct leg_entry **entries_out, size_t *count_out, struct err *err)
{
	struct index_reach_row reach;
	struct index_leg_row *legs = NULL;
	struct index_watch_row *watches = NULL;
	size_t leg_count = 0, watch_count = 0, count = 0;

	enum rc rc =
		index_reach_find(tx, arena, &(struct index_reach_find_args){ .person_id = person_id }, &reach, err);
	if (rc == NOT_FOUND) {
		*person_out = (struct leg_person){ 0, 0 };
		*entries_out = NULL;
		*count_out = 0;
		return OK;
	}
	if (rc == OK)
		rc = index_legs_of(tx, arena, &(struct index_legs_of_args){ .person_id = person_id }, &legs, &leg_count,
		                   err);
	if (rc == OK)
		rc = index_watches_of(tx, arena, &(struct index_watches_of_args){ .person_id = person_id }, &watches,
		                      &watch_count, err);
	if (rc != OK)
		return rc;
	struct leg_entry *entries = ARENA_NEW_ARRAY(arena, struct leg_entry, leg_count + watch_count);
	for (size_t i = 0; i < leg_count; i++)
		count += leg_of(&legs[i], &entries[count]);
	for (size_t i = 0; i < watch_count; i++)
		count += watch_of(arena, &watches[i], &entries[count]);
	*person_out = reach_of(&reach);
	*entries_out = entries;
	*count_out = count;
	return OK;
}

/* --- at start ----------------------------------------------------------------------------------------------- */

struct load {
	struct audience *audience;
	struct arena scratch;
	int64_t seen;
	size_t legs, watches, people;
};

static enum rc load_leg(void *context, const struct index_leg_row *row)
{
	struct load *load = context;
	struct leg_entry entry;

	if (leg_of(row, &entry)) {
		leg_index_load(load->audience->index, &entry);
		load->legs++;
	}
	return OK;
}

static enum rc load_watch(void *context, const struct index_watch_row *row)
{
	struct load *load = context;
	struct leg_entry entry;

	if (watch_of(&load->scratch, row, &entry)) {
		leg_index_load(load->audience->index, &entry);
		load->watches++;
	}
	arena_clear(&load->scratch);
	return OK;
}

static enum rc load_person(void *context, const struct index_reach_row *row)
{
	struct load *load = context;

	leg_index_load_person(load->audience->index, row->id, reach_of(row));
	load->people++;
	return OK;
}

static enum rc load_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct load *load = context;

	enum rc rc = db_change_latest(tx, &load->seen, err);
	if (rc == OK)
		rc = index_leg_load(tx, &(struct index_leg_load_args){ .since = clock_now() - PAST }, load_leg, load,
		                    err);
	if (rc == OK)
		rc = index_watch_load(tx, load_watch, load, err);
	return rc == OK ? index_reach_load(tx, load_person, load, err) : rc;
}

static enum rc start(struct house *house, struct err *err)
{
	struct audience *audience = calloc(1, sizeof *audience);
	const int64_t began = clock_monotonic();

	if (!audience)
		abort();
	*audience = (struct audience){ .house = house, .index = leg_index_new(places_outlines(places_of(house))) };
	pthread_mutex_init(&audience->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&audience->free, &attributes);
	pthread_condattr_destroy(&attributes);
	house_set_state(house, SLOT_AUDIENCE, audience);

	struct load load = { .audience = audience };
	arena_init(&load.scratch);
	enum rc rc = db_read(house->db, load_in_store, &load, err);
	arena_release(&load.scratch);
	if (rc != OK)
		return rc;
	audience->seen = load.seen;
	leg_index_build(audience->index);
	log_info("audience.ready", LOGI("stays", load.legs), LOGI("watches", load.watches), LOGI("people", load.people),
	         LOGI("ms", (clock_monotonic() - began) / 1000));
	return OK;
}

/* --- following ---------------------------------------------------------------------------------------------- */

struct ids {
	struct arena *arena;
	int64_t *items;
	size_t count, capacity;
};

static enum rc take_batch_person(void *context, const struct index_batch_people_row *row)
{
	struct ids *ids = context;

	ARENA_PUSH(ids->arena, ids->items, ids->count, ids->capacity, row->id);
	return OK;
}

static enum rc take_any_person(void *context, const struct index_all_people_row *row)
{
	struct ids *ids = context;

	ARENA_PUSH(ids->arena, ids->items, ids->count, ids->capacity, row->id);
	return OK;
}

struct refresh {
	struct audience *audience;
	const int64_t *ids;
	size_t count;
	int64_t batch; /* list its people; -1 everybody */
	struct ids listed;
};

static enum rc list_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct refresh *refresh = context;

	refresh->listed.count = 0;
	if (refresh->batch < 0)
		return index_all_people(tx, take_any_person, &refresh->listed, err);
	return index_batch_people(tx, &(struct index_batch_people_args){ .batch_id = refresh->batch },
	                          take_batch_person, &refresh->listed, err);
}

static enum rc read_one_by_one(struct db_tx *tx, const struct refresh *refresh, struct arena *arena, struct err *err)
{
	enum rc rc = OK;

	for (size_t i = 0; rc == OK && i < refresh->count; i++) {
		struct leg_person person;
		struct leg_entry *entries;
		size_t count;
		rc = audience_read_person(tx, arena, refresh->ids[i], &person, &entries, &count, err);
		if (rc == OK)
			leg_index_set_person(refresh->audience->index, refresh->ids[i], person, entries, count);
		arena_clear(arena);
	}
	return rc;
}

/* What the store has of a run of people, each list ascending by person; the places are how far it was taken. */
struct run {
	struct index_reach_row *people;
	struct index_leg_row *legs;
	struct index_watch_row *watches;
	size_t person_count, leg_count, watch_count;
	size_t person_at, leg_at, watch_at;
};

static void set_from_run(struct audience *audience, struct run *run, int64_t person_id)
{
	struct leg_person person = { 0, 0 };
	size_t count = 0;
	struct arena arena;

	while (run->person_at < run->person_count && run->people[run->person_at].id < person_id)
		run->person_at++;
	while (run->leg_at < run->leg_count && run->legs[run->leg_at].person_id < person_id)
		run->leg_at++;
	while (run->watch_at < run->watch_count && run->watches[run->watch_at].person_id < person_id)
		run->watch_at++;
	size_t legs = run->leg_at, watches = run->watch_at;
	while (legs < run->leg_count && run->legs[legs].person_id == person_id)
		legs++;
	while (watches < run->watch_count && run->watches[watches].person_id == person_id)
		watches++;
	arena_init(&arena);
	struct leg_entry *entries =
		ARENA_NEW_ARRAY(&arena, struct leg_entry, legs - run->leg_at + watches - run->watch_at);
	/* Who is not listed is not visible, or has ended. */
	if (run->person_at < run->person_count && run->people[run->person_at].id == person_id) {
		person = reach_of(&run->people[run->person_at]);
		for (size_t i = run->leg_at; i < legs; i++)
			count += leg_of(&run->legs[i], &entries[count]);
		for (size_t i = run->watch_at; i < watches; i++)
			count += watch_of(&arena, &run->watches[i], &entries[count]);
	}
	leg_index_set_person(audience->index, person_id, person, entries, count);
	arena_release(&arena);
}

/* `ids` ascend and lie close together. */
static enum rc read_run(struct db_tx *tx, const struct refresh *refresh, struct arena *arena, struct err *err)
{
	const int64_t first = refresh->ids[0], last = refresh->ids[refresh->count - 1];
	struct run run = { 0 };

	enum rc rc = index_reach_range(tx, arena, &(struct index_reach_range_args){ .first = first, .last = last },
	                               &run.people, &run.person_count, err);
	if (rc == OK)
		rc = index_leg_range(tx, arena, &(struct index_leg_range_args){ .first = first, .last = last },
		                     &run.legs, &run.leg_count, err);
	if (rc == OK)
		rc = index_watch_range(tx, arena, &(struct index_watch_range_args){ .first = first, .last = last },
		                       &run.watches, &run.watch_count, err);
	for (size_t i = 0; rc == OK && i < refresh->count; i++)
		set_from_run(refresh->audience, &run, refresh->ids[i]);
	return rc;
}

static enum rc read_in_store(struct db_tx *tx, void *context, struct err *err)
{
	const struct refresh *refresh = context;
	struct arena arena;

	arena_init(&arena);
	const int64_t span = refresh->ids[refresh->count - 1] - refresh->ids[0];
	const bool dense = refresh->count >= RUN_LEAST && span <= RUN_SPREAD * (int64_t)refresh->count;
	/* People with very many stays may be more rows than one statement gives: the index must not stand still for that. */
	enum rc rc = dense ? read_run(tx, refresh, &arena, NULL) : FAILED;
	if (rc != OK) {
		arena_clear(&arena);
		rc = read_one_by_one(tx, refresh, &arena, err);
	}
	arena_release(&arena);
	return rc;
}

/* In pieces, so that no snapshot stays open for long. */
static enum rc refresh_people(struct audience *audience, const int64_t *ids, size_t count, struct err *err)
{
	enum rc rc = OK;

	for (size_t at = 0; rc == OK && at < count; at += CHANGES_AT_ONCE) {
		if (audience->deadline && clock_monotonic() > audience->deadline)
			return err_set(err, BUSY, "the index is still behind the store");
		struct refresh piece = { .audience = audience,
			                 .ids = ids + at,
			                 .count = count - at < CHANGES_AT_ONCE ? count - at : CHANGES_AT_ONCE };
		rc = db_read(audience->house->db, read_in_store, &piece, err);
		if (rc == OK && audience->listener)
			audience->listener(audience->house, piece.ids, piece.count);
	}
	if (leg_index_wants_merge(audience->index))
		leg_index_merge(audience->index);
	return rc;
}

static int id_order(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* `batch` < 0: everybody. */
static enum rc refresh_listed(struct audience *audience, struct arena *arena, int64_t batch, struct err *err)
{
	struct refresh refresh = { .audience = audience, .batch = batch, .listed = { .arena = arena } };

	enum rc rc = db_read(audience->house->db, list_in_store, &refresh, err);
	if (rc == OK && refresh.listed.count > 1)
		qsort(refresh.listed.items, refresh.listed.count, sizeof *refresh.listed.items, id_order);
	return rc == OK ? refresh_people(audience, refresh.listed.items, refresh.listed.count, err) : rc;
}

static enum rc follow_changes(struct audience *audience, struct arena *arena, const struct db_change *changes,
                              size_t count, struct err *err)
{
	struct ids ids = { .arena = arena };
	enum rc rc = OK;

	for (size_t i = 0; i < count; i++)
		if (str_equal(changes[i].kind, S("person")))
			ARENA_PUSH(arena, ids.items, ids.count, ids.capacity, changes[i].subject);
	if (ids.count > 1)
		qsort(ids.items, ids.count, sizeof *ids.items, id_order);
	size_t kept = 0;
	for (size_t i = 0; i < ids.count; i++)
		if (i == 0 || ids.items[i] != ids.items[kept - 1])
			ids.items[kept++] = ids.items[i];
	if (kept)
		rc = refresh_people(audience, ids.items, kept, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (str_equal(changes[i].kind, S("batch")))
			rc = refresh_listed(audience, arena, changes[i].subject, err);
	return rc;
}

static enum rc latest_in_store(struct db_tx *tx, void *context, struct err *err)
{
	return db_change_latest(tx, context, err);
}

/* Follows what was committed until now; nobody else does. Goes no further than `until`, so that it ends however fast others write. */
static enum rc follow_until(struct audience *audience, int64_t until, struct err *err)
{
	struct house *house = audience->house;
	enum rc rc = OK;

	for (bool more = audience->seen < until; rc == OK && more;) {
		struct arena arena;
		struct db_change *changes;
		size_t count = 0;
		arena_init(&arena);
		rc = db_changes_since(house->db, &arena, audience->seen, CHANGES_AT_ONCE, &changes, &count, err);
		if (rc == CONFLICT) {
			/* Trimmed: everybody anew, up to what was newest before. */
			int64_t latest = 0;
			rc = db_read(house->db, latest_in_store, &latest, err);
			if (rc == OK)
				rc = refresh_listed(audience, &arena, -1, err);
			if (rc == OK)
				audience->seen = latest;
		} else if (rc == OK) {
			rc = follow_changes(audience, &arena, changes, count, err);
			if (rc == OK && count)
				audience->seen = changes[count - 1].id;
			more = count == CHANGES_AT_ONCE && audience->seen < until;
		}
		arena_release(&arena);
	}
	return rc;
}

/* Waits until nobody else follows; false when that is not before `deadline` (monotonic; 0: as long as it takes). */
static bool begin_following(struct audience *audience, int64_t deadline)
{
	const struct timespec at = { .tv_sec = deadline / CLOCK_SECOND, .tv_nsec = deadline % CLOCK_SECOND * 1000 };
	bool in_time = true;

	pthread_mutex_lock(&audience->lock);
	while (audience->following && in_time)
		in_time = (deadline ? pthread_cond_timedwait(&audience->free, &audience->lock, &at)
		                    : pthread_cond_wait(&audience->free, &audience->lock)) == 0;
	const bool mine = !audience->following;
	audience->following = true;
	pthread_mutex_unlock(&audience->lock);
	return mine;
}

static void end_following(struct audience *audience)
{
	pthread_mutex_lock(&audience->lock);
	audience->following = false;
	pthread_cond_broadcast(&audience->free);
	pthread_mutex_unlock(&audience->lock);
}

static enum rc catch_up(struct audience *audience, int64_t deadline, struct err *err)
{
	int64_t until = 0;

	enum rc rc = db_read(audience->house->db, latest_in_store, &until, err);
	if (rc != OK)
		return rc;
	if (!begin_following(audience, deadline))
		return err_set(err, BUSY, "the index is still behind the store");
	audience->deadline = deadline;
	rc = follow_until(audience, until, err);
	audience->deadline = 0;
	end_following(audience);
	return rc;
}

enum rc audience_catch_up(struct house *house, struct err *err)
{
	struct audience *audience = audience_of(house);

	/* A command has nobody else who would follow, and nobody who waits. */
	const int64_t patience = setting_int(house, "audience.patience_seconds") * CLOCK_SECOND;
	return catch_up(audience, audience->serving ? clock_monotonic() + patience : 0, err);
}

static void *follow(void *context)
{
	struct audience *audience = context;
	int64_t seen = 0;

	while (!atomic_load(&audience->stopping)) {
		struct arena arena;
		struct err err;
		arena_init(&arena);
		err_init(&err, &arena);
		seen = db_change_wait(audience->house->db, seen, WAIT);
		if (catch_up(audience, 0, &err) != OK)
			log_warn("audience.follow", LOGS("detail", err.detail));
		arena_release(&arena);
	}
	return NULL;
}

enum rc audience_serve(struct house *house, struct err *err)
{
	struct audience *audience = audience_of(house);

	if (pthread_create(&audience->thread, NULL, follow, audience) != 0)
		return err_set(err, FAILED, "no thread for the audience");
	audience->serving = true;
	return OK;
}

static void stop(struct house *house)
{
	struct audience *audience = audience_of(house);

	if (!audience)
		return;
	if (audience->serving) {
		atomic_store(&audience->stopping, true);
		pthread_join(audience->thread, NULL);
	}
	leg_index_free(audience->index);
	pthread_cond_destroy(&audience->free);
	pthread_mutex_destroy(&audience->lock);
	house_set_state(house, SLOT_AUDIENCE, NULL);
	free(audience);
}

static const struct setting settings[] = {
	{ "audience.patience_seconds", SETTING_INT, "10", 1, 60,
	  "So long an officer's page waits for the index of stays to know the newest changes, then it says that it is busy" },
};

const struct desk audience_desk = {
	.name = "audience",
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.migrations = audience_migrations,
	.migration_count = &audience_migration_count,
	.start = start,
	.stop = stop,
};
