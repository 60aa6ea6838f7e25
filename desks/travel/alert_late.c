/* Who comes in later: people who enrol or change their plans while an alert is in force, and those whom a stop of
 * the program
 * made us miss. Everything here may be done twice: the second time finds nothing to do. */
#include <pthread.h>
#include <stdlib.h>

#include "desks/travel/alert.h"
#include "kernel/desk/hub.h"

#include "travel_sql.h"

#define IN_FORCE_MAX 1000

/* One alert in force as this process knows it. */
struct in_force {
	int64_t alert_id, version_id;
	bool include_possible;
};
struct in_force_state {
	struct alert_index *index;
	pthread_mutex_t lock; /* guards alerts and count, and serialises refreshes */
	struct in_force alerts[IN_FORCE_MAX];
	size_t count;
};

static struct in_force_state *state_of(const struct house *house)
{
	return house->state[SLOT_TRAVEL];
}

/* --- alerts in force, in memory
 * ----------------------------------------------------------------------------------- */

static struct leg_window window_of(const struct alert_version *version)
{
	return (struct leg_window){ .from = leg_minutes_from(version->effective),
		                    .to = leg_minutes_to(version->expires) };
}

struct refresh_work {
	struct in_force_state *state;
	struct in_force *fresh;
	size_t count;
};

static enum rc refresh_one(struct db_tx *tx, struct refresh_work *work, const struct alert_row *row, struct err *err)
{
	struct in_force_state *state = work->state;
	struct alert_version version;
	struct arena arena;
	enum rc rc = OK;

	for (size_t i = 0; i < state->count; i++)
		if (state->alerts[i].alert_id == row->id && state->alerts[i].version_id == row->version_id) {
			work->fresh[work->count++] = state->alerts[i];
			return OK;
		}
	arena_init(&arena);
	rc = version_find(tx, &arena, row->version_id, &version, err);
	if (rc == OK) {
		alert_index_set(state->index, row->id, geo_prepared_new(&version.area), window_of(&version));
		work->fresh[work->count++] = (struct in_force){ row->id, row->version_id, version.include_possible };
	}
	arena_release(&arena);
	return rc;
}

static enum rc refresh_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct refresh_work *work = context;
	struct alert_row *rows;
	struct arena arena;
	size_t count;

	work->count = 0;
	arena_init(&arena);
	enum rc rc = alert_list_in_force(tx, &arena, &rows, &count, err);
	if (rc == OK && count > IN_FORCE_MAX)
		rc = err_set(err, FAILED, "more than %d alerts in force", IN_FORCE_MAX);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = refresh_one(tx, work, &rows[i], err);
	arena_release(&arena);
	return rc;
}

static bool is_in(const struct in_force *list, size_t count, int64_t alert_id)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].alert_id == alert_id)
			return true;
	return false;
}

enum rc alert_in_force_refresh(struct house *house, struct err *err)
{
	struct in_force_state *state = state_of(house);
	struct arena arena;

	if (!state)
		return OK; /* a command that serves nobody */
	arena_init(&arena);
	struct refresh_work work = { .state = state, .fresh = ARENA_NEW_ARRAY(&arena, struct in_force, IN_FORCE_MAX) };
	pthread_mutex_lock(&state->lock);
	enum rc rc = db_read(house->db, refresh_in_store, &work, err);
	if (rc == OK) {
		for (size_t i = 0; i < state->count; i++)
			if (!is_in(work.fresh, work.count, state->alerts[i].alert_id))
				alert_index_remove(state->index, state->alerts[i].alert_id);
		memcpy(state->alerts, work.fresh, work.count * sizeof *work.fresh);
		state->count = work.count;
	}
	pthread_mutex_unlock(&state->lock);
	arena_release(&arena);
	return rc;
}

enum rc alert_in_force_start(struct house *house, struct err *err)
{
	struct in_force_state *state = calloc(1, sizeof *state);

	if (!state)
		abort();
	state->index = alert_index_new(places_outlines(places_of(house)));
	pthread_mutex_init(&state->lock, NULL);
	house_set_state(house, SLOT_TRAVEL, state);
	return alert_in_force_refresh(house, err);
}

void alert_in_force_stop(struct house *house)
{
	struct in_force_state *state = state_of(house);

	if (!state)
		return;
	house_set_state(house, SLOT_TRAVEL, NULL);
	alert_index_free(state->index);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

static size_t in_force_copy(struct in_force_state *state, struct arena *arena, struct in_force **out)
{
	pthread_mutex_lock(&state->lock);
	const size_t count = state->count;
	*out = ARENA_NEW_ARRAY(arena, struct in_force, count);
	if (count)
		memcpy(*out, state->alerts, count * sizeof **out);
	pthread_mutex_unlock(&state->lock);
	return count;
}

/* --- where one person stands
 * -------------------------------------------------------------------------------------- */

struct presence {
	bool inside;
	struct leg_match match;
	uint8_t channels; /* usable */
	const struct zone *zone;
};

static bool is_watch(const struct leg_match *match)
{
	return match->kind == LEG_WATCH_COUNTRY || match->kind == LEG_WATCH_AREA;
}

/* The same order as leg_index_people: certain first, then what begins first. */
static bool is_better(const struct leg_match *a, const struct leg_match *b)
{
	if (a->certain != b->certain)
		return a->certain;
	return !is_watch(a) && !is_watch(b) && a->from < b->from;
}

static enum rc zone_of(struct db_tx *tx, struct house *house, struct arena *arena, const struct leg_match *match,
                       const struct zone **out, struct err *err)
{
	struct alert_watch_zone_row row;

	if (!is_watch(match)) {
		const struct str name = place_zone_at(places_of(house), geo_degrees(match->at.y),
		                                      geo_degrees(match->at.x), geo_country_code(match->country));
		*out = str_is_none(name) ? NULL : zone_find(name);
		return OK;
	}
	enum rc rc = alert_watch_zone(tx, arena, &(struct alert_watch_zone_args){ .id = -match->leg_id }, &row, err);
	*out = rc == OK ? zone_find(row.zone) : NULL;
	return rc == NOT_FOUND ? OK : rc;
}

/* Where a person stands to one alert in force, by what the store has of them now. */
static enum rc presence_find(struct db_tx *tx, struct house *house, struct arena *arena, int64_t alert_id,
                             bool include_possible, int64_t person_id, int64_t now, struct presence *out,
                             struct err *err)
{
	struct presence presence = { .inside = false };
	struct leg_entry *entries;
	struct leg_person person;
	size_t count, match_count;

	enum rc rc = audience_read_person(tx, arena, person_id, &person, &entries, &count, err);
	if (rc != OK)
		return rc;
	presence.channels = person.channels;
	for (size_t i = 0; i < count; i++) {
		const struct alert_match *matches =
			alert_index_query(state_of(house)->index, arena, &entries[i], &match_count);
		for (size_t j = 0; j < match_count; j++) {
			const struct leg_match *match = &matches[j].match;
			if (matches[j].alert_id != alert_id || (!match->certain && !include_possible))
				continue;
			if (!is_watch(match) && match->to < leg_minutes_from(now))
				continue;
			if (!presence.inside || is_better(match, &presence.match))
				presence.match = *match;
			presence.inside = true;
		}
	}
	if (presence.inside)
		rc = zone_of(tx, house, arena, &presence.match, &presence.zone, err);
	if (rc == OK)
		*out = presence;
	return rc;
}

static enum rc take_order(void *context, const struct ladder_order_row *row)
{
	uint32_t *order = context;

	if (row->channel > 0 && row->channel < CHANNEL_KIND_COUNT)
		*order = ladder_order_add(*order, (enum channel_kind)row->channel);
	return OK;
}

/* The person's own order of their ways; 0 if the ladder does not ask for it. */
static enum rc order_find(struct db_tx *tx, const struct alert_version *version, int64_t person_id, uint32_t *order, struct err *err)
{
	*order = 0;
	if (version->ladder.count == 0 || version->ladder.rungs[0].channel != CHANNEL_NONE)
		return OK;
	return ladder_orders(tx, &(struct ladder_orders_args){ .first = person_id, .last = person_id }, take_order, order, err);
}

enum rc alert_ways_now(struct db_tx *tx, struct house *house, struct arena *arena, const struct alert_version *version, int64_t person_id,
                       int64_t now, unsigned *channels_out, uint32_t *order_out, int64_t not_before[CHANNEL_KIND_COUNT], struct err *err)
{
	/* All at once, so that only the night counts. */
	const struct alert_version flat = { .severity = version->severity, .sms_at_night = version->sms_at_night };
	struct presence presence;
	struct alert_hit hit = { .channels = 0 };

	*channels_out = 0;
	if (!state_of(house))
		return OK; /* a command that knows no places; the next rung comes in its time */
	enum rc rc = presence_find(tx, house, arena, version->alert_id, version->include_possible, person_id, now, &presence, err);
	if (rc == OK)
		rc = order_find(tx, version, person_id, order_out, err);
	if (rc != OK)
		return rc;
	hit.channels = presence.channels;
	if (presence.inside)
		hit_times(&flat, &presence.match, presence.zone, now, &hit);
	/* Who is on the way there is told when they arrive. */
	*channels_out = presence.inside && !hit.later ? presence.channels : 0;
	memcpy(not_before, hit.not_before, sizeof hit.not_before);
	return OK;
}

/* --- what is to be done
 * ------------------------------------------------------------------------------------------- */

struct late_work {
	struct house *house;
	struct in_force in_force;
	int64_t person_id, now;
	bool needed; /* found by looking, before writing */
};

/* What a person still has to be told by which way of the version in force. */
struct owed {
	uint8_t first;  /* channels without any message of this version, of who came in late: beside the frozen ones */
	uint8_t beside; /* by a notice of their own: whose message failed, said something else or is frozen for later */
	uint8_t tried;  /* channels that hold a message of this version, whatever became of it */
};

static bool is_live(int64_t state)
{
	return state == MESSAGE_QUEUED || state == MESSAGE_SUBMITTED || state == MESSAGE_IN_DOUBT ||
	       state == MESSAGE_ACCEPTED || state == MESSAGE_DELIVERED;
}

/* By channel, when the earliest frozen message of the version opens that tells the person of the alert; -1: none.
 * `*released`: the version's own
 * notice holds them as released. */
static enum rc frozen_find(struct db_tx *tx, struct arena *arena, const struct alert_version *version,
                           int64_t person_id, int64_t earliest[CHANNEL_KIND_COUNT], bool *released, struct err *err)
{
	struct alert_notice_list_row *notices;
	size_t count;

	for (size_t i = 0; i < CHANNEL_KIND_COUNT; i++)
		earliest[i] = -1;
	*released = false;
	enum rc rc = alert_notice_list(tx, arena, &(struct alert_notice_list_args){ .event_id = version->alert_id },
	                               &notices, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		int64_t not_before[CHANNEL_KIND_COUNT], group;
		unsigned channels;
		if (notices[i].subject_id != version->id)
			continue;
		rc = notice_find_person(tx, notices[i].id, person_id, &channels, &group, err);
		if (rc == NOT_FOUND) {
			rc = OK;
			continue;
		}
		if (rc == OK)
			rc = notice_find_frozen(tx, notices[i].id, person_id, not_before, err);
		if (rc == OK && notices[i].id == version->notice_id && group == GROUP_RELEASED)
			*released = true;
		for (size_t channel = 0; rc == OK && channel < CHANNEL_KIND_COUNT; channel++)
			if (group != GROUP_RELEASED && group != GROUP_REMINDER && not_before[channel] >= 0 &&
			    (earliest[channel] < 0 || not_before[channel] < earliest[channel]))
				earliest[channel] = not_before[channel];
	}
	return rc;
}

static enum rc owed_find(struct db_tx *tx, struct arena *arena, const struct alert_version *version, int64_t person_id,
                         bool late, const struct alert_hit *hit, int64_t now, struct owed *out, struct err *err)
{
	struct alert_told_person_row *rows;
	int64_t frozen[CHANNEL_KIND_COUNT];
	bool released;
	size_t count;

	*out = (struct owed){ 0 };
	enum rc rc = frozen_find(tx, arena, version, person_id, frozen, &released, err);
	if (rc == OK)
		rc = alert_told_person(
			tx, arena,
			&(struct alert_told_person_args){ .event_id = version->alert_id, .person_id = person_id },
			&rows, &count, err);
	for (int64_t channel = CHANNEL_NONE + 1; rc == OK && channel < CHANNEL_KIND_COUNT; channel++) {
		const uint8_t bit = (uint8_t)CHANNEL_BIT(channel);
		const int64_t wanted = hit->not_before[channel] > now ? hit->not_before[channel] : now;
		bool live = false, there = released || frozen[channel] >= 0;
		if (!(hit->channels & bit))
			continue;
		for (size_t i = 0; i < count; i++) {
			if (rows[i].channel != channel || rows[i].subject_id != version->id ||
			    rows[i].text_group == GROUP_REMINDER)
				continue;
			out->tried |= bit;
			live = live || (rows[i].text_group != GROUP_RELEASED && is_live(rows[i].state));
			there = there || rows[i].notice_id == version->notice_id;
		}
		/* Frozen for this time or sooner: its turn comes. */
		if (live || (frozen[channel] >= 0 && frozen[channel] <= wanted))
			continue;
		if (late && !there)
			out->first |= bit;
		else
			out->beside |= bit;
	}
	return rc;
}

static enum rc tell(struct db_tx *tx, const struct late_work *work, const struct alert *alert,
                    const struct alert_version *version, const struct alert_hit *hit, enum alert_group group,
                    struct owed owed, struct err *err)
{
	struct notice_person person = { .person_id = work->person_id, .text_group = (uint8_t)group };
	enum rc rc = OK;

	memcpy(person.not_before, hit->not_before, sizeof person.not_before);
	if (owed.first) {
		person.channels = owed.first;
		rc = notice_add_person(tx, version->notice_id, &person, work->now, err);
	}
	if (rc == OK && owed.beside) {
		const struct notice_new notice = { .kind = NOTICE_ALERT,
			                           .event_id = alert->id,
			                           .subject_id = version->id,
			                           .lane = severity_lane(version->severity),
			                           .exercise = alert->exercise,
			                           .expires_at = version->expires,
			                           .beside = true };
		int64_t notice_id;
		person.channels = owed.beside;
		rc = notice_freeze(tx, &notice, &person, 1, work->now, &notice_id, err);
	}
	return rc;
}

static enum rc write_row(struct db_tx *tx, const struct late_work *work, const struct alert_version *version,
                         const struct presence *presence, struct alert_standing before, const struct alert_step *step,
                         struct err *err)
{
	const struct recipient_put_args row = {
		.alert_id = version->alert_id,
		.person_id = work->person_id,
		.class = step->class,
		.released = step->releases,
		.late = step->joins,
		.certain = presence->inside ? presence->match.certain : 1,
		.leg_id = presence->inside ? presence->match.leg_id : 0,
		.changed_at = work->now,
	};
	struct alert_counters change = { { 0 } };

	alert_count_change(&change, before, step);
	change.of[COUNTER_LATE] += step->joins;
	enum rc rc = recipient_put(tx, &row, 1, NULL, err);
	return rc == OK ? alert_counters_add(tx, version->alert_id, &change, err) : rc;
}

struct late_view {
	struct alert alert;
	struct alert_version version;
	struct alert_standing before;
	struct presence presence;
	struct alert_hit hit;
	struct alert_step step;
	struct owed owed;
	bool row, speaks;
};

static enum rc late_look(struct db_tx *tx, struct arena *arena, const struct late_work *work, struct late_view *view,
                         struct err *err)
{
	const int64_t person_id = work->person_id;

	enum rc rc = alert_find(tx, arena, work->in_force.alert_id, &view->alert, err);
	/* Another version has come, or the end: its own audience holds this person, or the next look does. */
	if (rc == OK && (view->alert.state != ALERT_IN_FORCE || view->alert.version_id != work->in_force.version_id))
		return OK;
	if (rc == OK)
		rc = version_find(tx, arena, work->in_force.version_id, &view->version, err);
	if (rc == OK && view->version.expires <= work->now)
		return OK;
	if (rc == OK)
		rc = presence_find(tx, work->house, arena, view->alert.id, view->version.include_possible, person_id,
		                   work->now, &view->presence, err);
	if (rc == OK)
		rc = alert_standing_find(tx, arena, view->alert.id, person_id, &view->before, err);
	if (rc != OK)
		return rc;
	const bool inside = view->presence.inside, certain = inside && view->presence.match.certain;
	if (inside) {
		view->hit.channels = (uint8_t)(view->presence.channels & view->version.channels);
		rc = order_find(tx, &view->version, person_id, &view->hit.order, err);
		if (rc != OK)
			return rc;
		hit_times(&view->version, &view->presence.match, view->presence.zone, work->now, &view->hit);
	}
	view->step = alert_step(ALERT_UPDATE, inside, certain, view->hit.channels, (uint8_t)view->version.channels,
	                        view->before);
	view->row = view->step.joins || view->step.releases || view->step.readmits ||
	            (view->before.targeted && view->step.class != view->before.class);
	/* Who arrives later is told then: the sweep finds them, or their next change of plan. */
	const bool speaks_later = !inside || !view->hit.channels || view->hit.later,
		   late = view->before.late || view->step.joins;
	if (speaks_later)
		return rc;
	rc = owed_find(tx, arena, &view->version, person_id, late, &view->hit, work->now, &view->owed, err);
	if (rc == OK && view->before.told && !view->before.released) {
		/* Told before, and now there is another way to them (a second address confirmed): that way hears too, once. */
		uint8_t fresh = (uint8_t)((view->owed.first | view->owed.beside) & ~view->owed.tried);
		/* With a ladder only while an answer is awaited. */
		if (!ladder_is_empty(&view->version.ladder) && view->before.class != COUNTER_SILENT && view->before.class != COUNTER_UNREACHABLE)
			fresh = 0;
		view->owed.first = late ? view->owed.first & fresh : 0;
		view->owed.beside = late ? view->owed.beside & fresh : fresh;
		view->step.group = certain ? GROUP_NEW : GROUP_NEW_POSSIBLE;
	}
	view->speaks = view->owed.first || view->owed.beside;
	return rc;
}

static enum rc look_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct late_work *work = context;
	struct late_view view = { .row = false };
	struct arena arena;

	arena_init(&arena);
	enum rc rc = late_look(tx, &arena, work, &view, err);
	work->needed = rc == OK && (view.row || view.speaks);
	arena_release(&arena);
	return rc;
}

static enum rc late_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct late_work *work = context;
	struct late_view view = { .row = false };
	struct arena arena;

	arena_init(&arena);
	struct alert_hold_alone_row held;
	enum rc rc = alert_hold_alone(tx, &arena, &(struct alert_hold_alone_args){ .id = work->in_force.alert_id }, &held, err);
	if (rc == OK)
		rc = late_look(tx, &arena, work, &view, err);
	if (rc == OK && view.row)
		rc = write_row(tx, work, &view.version, &view.presence, view.before, &view.step, err);
	if (rc == OK && view.speaks)
		rc = tell(tx, work, &view.alert, &view.version, &view.hit, view.step.group, view.owed, err);
	arena_release(&arena);
	return rc;
}

static enum rc late_person(struct house *house, const struct in_force *in_force, int64_t person_id, bool *changed,
                           struct err *err)
{
	struct late_work work = { .house = house, .in_force = *in_force, .person_id = person_id, .now = clock_now() };

	enum rc rc = db_read(house->db, look_in_store, &work, err);
	if (rc == OK && work.needed) {
		rc = db_write(house->db, DB_LANE_DELIVERY, late_in_store, &work, err);
		*changed = *changed || rc == OK;
	}
	return rc;
}

void alert_people_changed(struct house *house, const int64_t *person_ids, size_t count)
{
	struct in_force *alerts;
	struct arena arena, scratch;
	struct err err;

	if (!state_of(house))
		return;
	arena_init(&arena);
	err_init(&err, &arena);
	if (alert_in_force_refresh(house, &err) != OK)
		log_warn("alert.in_force", LOGS("detail", err.detail));
	const size_t alert_count = in_force_copy(state_of(house), &arena, &alerts);
	arena_init(&scratch);
	for (size_t i = 0; i < alert_count; i++) {
		bool changed = false;
		for (size_t j = 0; j < count; j++) {
			struct err one;
			err_init(&one, &scratch);
			/* What fails now is found by the sweep. */
			if (late_person(house, &alerts[i], person_ids[j], &changed, &one) != OK)
				log_warn("alert.late", LOGI("alert", alerts[i].alert_id), LOGI("person", person_ids[j]),
				         LOGS("detail", one.detail));
			arena_clear(&scratch);
		}
		if (changed) {
			messages_wake(house);
			alert_notice_desk.progress(house, alerts[i].alert_id);
		}
	}
	arena_release(&scratch);
	arena_release(&arena);
}

/* --- the sweep ---------------------------------------------------------------------------------------------------- */

struct sweep_work {
	struct arena *arena;
	int64_t version_id, now;
	struct alert_version version;
	struct alert_standings standings;
	struct deferred {
		int64_t person_id;
		unsigned channels;
	} *deferred; /* frozen for later */
	size_t deferred_count, deferred_capacity;
};

static enum rc sweep_version(struct db_tx *tx, void *context, struct err *err)
{
	struct sweep_work *work = context;

	return version_find(tx, work->arena, work->version_id, &work->version, err);
}

static enum rc take_deferred(void *context, int64_t person_id, int64_t text_group, unsigned channels)
{
	struct sweep_work *work = context;

	(void)text_group;
	const struct deferred one = { person_id, channels };
	ARENA_PUSH(work->arena, work->deferred, work->deferred_count, work->deferred_capacity, one);
	return OK;
}

static enum rc sweep_standings(struct db_tx *tx, void *context, struct err *err)
{
	struct sweep_work *work = context;

	work->deferred_count = 0;
	enum rc rc = alert_standings_load(tx, work->arena, work->version.alert_id, &work->standings, err);
	return rc == OK ? notice_each_deferred(tx, work->version.notice_id, work->now, take_deferred, work, err) : rc;
}

static const struct alert_hit *hit_of(const struct alert_audience *audience, int64_t person_id)
{
	size_t low = 0, high = audience->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (audience->hits[middle].person_id < person_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < audience->count && audience->hits[low].person_id == person_id ? &audience->hits[low] : NULL;
}

/* Something of theirs is frozen for later that would go at once now. */
static bool is_due(const struct alert_hit *hit, unsigned channels)
{
	for (unsigned channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		if (channels & hit->channels & CHANNEL_BIT(channel) && !hit->not_before[channel])
			return true;
	return false;
}

/* Whom a change has passed by: people inside who are not targeted, or were released; late ones whose time to be
 * told has come; and those who
 * were to arrive later and are there already, or do not come any more. */
static enum rc sweep_alert(struct house *house, struct arena *arena, const struct in_force *in_force, struct err *err)
{
	struct sweep_work work = { .arena = arena, .version_id = in_force->version_id, .now = clock_now() };
	struct alert_audience audience;
	size_t count = 0;

	enum rc rc = db_read(house->db, sweep_version, &work, err);
	if (rc == OK)
		rc = alert_match(house, arena, &work.version, work.now, &audience, err);
	if (rc == OK)
		rc = db_read(house->db, sweep_standings, &work, err);
	if (rc != OK)
		return rc;
	int64_t *people = ARENA_NEW_ARRAY(arena, int64_t, audience.count + work.deferred_count);
	for (size_t i = 0; i < audience.count; i++) {
		const struct alert_hit *hit = &audience.hits[i];
		const struct alert_standing standing = (size_t)hit->person_id < work.standings.size
		                                               ? work.standings.of[hit->person_id]
		                                               : (struct alert_standing){ 0 };
		if (!standing.targeted || standing.released ||
		    (standing.late && !standing.told && !hit->later && hit->channels))
			people[count++] = hit->person_id;
	}
	for (size_t i = 0; i < work.deferred_count; i++) {
		const struct alert_hit *hit = hit_of(&audience, work.deferred[i].person_id);
		const bool released = (size_t)work.deferred[i].person_id < work.standings.size &&
		                      work.standings.of[work.deferred[i].person_id].released;
		if (hit ? is_due(hit, work.deferred[i].channels) : !released)
			people[count++] = work.deferred[i].person_id;
	}
	if (count)
		alert_people_changed(house, people, count);
	return OK;
}

void alert_sweep(struct house *house)
{
	struct in_force *alerts;
	struct arena arena, scratch;
	struct err err;

	if (!state_of(house))
		return;
	arena_init(&arena);
	err_init(&err, &arena);
	if (alert_in_force_refresh(house, &err) != OK)
		log_warn("alert.in_force", LOGS("detail", err.detail));
	const size_t count = in_force_copy(state_of(house), &arena, &alerts);
	arena_init(&scratch);
	for (size_t i = 0; i < count; i++) {
		struct err one;
		err_init(&one, &scratch);
		if (sweep_alert(house, &scratch, &alerts[i], &one) != OK)
			log_warn("alert.sweep", LOGI("alert", alerts[i].alert_id), LOGS("detail", one.detail));
		arena_clear(&scratch);
	}
	arena_release(&scratch);
	arena_release(&arena);
}

/* --- still due? --------------------------------------------------------------------------------------------------- */

/* When a message whose turn has come may leave: the night and a later arrival may still hold it back. */
static int64_t turn_time(struct db_tx *tx, const struct alert_version *version, const struct notice_turn *turn, const struct presence *presence,
                         int64_t now)
{
	struct alert_version flat = *version;
	struct alert_hit hit = { .channels = (uint8_t)(presence->channels & version->channels) };
	struct arena arena;
	struct err err;

	flat.ladder = (struct ladder){ .count = 0 };
	hit_times(&flat, &presence->match, presence->zone, now, &hit);
	if (hit.later) {
		/* Without their order they are told a little sooner or later: nothing is lost. */
		arena_init(&arena);
		err_init(&err, &arena);
		if (order_find(tx, version, turn->person_id, &hit.order, &err) == OK)
			hit_times(version, &presence->match, presence->zone, now, &hit);
		arena_release(&arena);
	}
	/* Of an alert without a ladder that can wait for morning both ways wait. */
	return hit.not_before[ladder_is_empty(&version->ladder) ? CHANNEL_SMS : turn->channel];
}

enum message_reason alert_due(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t *not_before)
{
	struct alert_version version;
	struct alert_told_person_row *rows;
	struct presence presence;
	struct arena arena;
	struct err err;
	bool due = true, answered = false;
	size_t count;

	arena_init(&arena);
	err_init(&err, &arena);
	const int64_t now = clock_now();
	enum rc rc = version_find(tx, &arena, turn->subject_id, &version, &err);
	if (rc == OK)
		rc = ladder_is_answered(tx, &arena, &version, turn->person_id, turn->channel, GROUP_NONE, &answered, &err);
	if (rc == OK)
		rc = alert_told_person(tx, &arena,
		                       &(struct alert_told_person_args){ .event_id = turn->event_id, .person_id = turn->person_id },
		                       &rows, &count, &err);
	/* Told before by another notice, because the plans had moved forward. What that one itself froze for later is no news of it. */
	for (size_t i = 0; rc == OK && turn->notice_id == version.notice_id && i < count; i++)
		due = due && !(rows[i].subject_id == turn->subject_id && rows[i].notice_id != version.notice_id &&
		               rows[i].text_group != GROUP_RELEASED && rows[i].text_group != GROUP_REMINDER &&
		               is_live(rows[i].state));
	if (rc == OK && state_of(house))
		rc = presence_find(tx, house, &arena, turn->event_id, version.include_possible, turn->person_id, now, &presence,
		                   &err);
	if (rc != OK || !state_of(house)) {
		/* Better told without need than not told. */
		log_warn("alert.due", LOGI("alert", turn->event_id), LOGI("person", turn->person_id), LOGS("detail", err.detail));
	} else if (!presence.inside) {
		due = false;
	} else {
		const int64_t then = turn_time(tx, &version, turn, &presence, now);
		if (then > now)
			*not_before = then;
	}
	arena_release(&arena);
	return answered ? REASON_ANSWERED : due ? REASON_NONE : REASON_PLANS_CHANGED;
}
