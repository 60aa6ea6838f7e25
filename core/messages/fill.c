/* From rows to messages ready to be marked: loading, choosing, and who sends what. */
#include <stdlib.h>

#include "core/messages/internal.h"
#include "core/messages/render.h"

void queue_push(struct queue *queue, struct flight *flight)
{
	flight->next = NULL;
	if (queue->last)
		queue->last->next = flight;
	else
		queue->first = flight;
	queue->last = flight;
	queue->count++;
}

struct flight *queue_pop(struct queue *queue)
{
	struct flight *flight = queue->first;
	if (!flight)
		return NULL;
	queue->first = flight->next;
	if (!queue->first)
		queue->last = NULL;
	queue->count--;
	flight->next = NULL;
	return flight;
}

struct flight *flight_new(struct engine *engine)
{
	struct flight *flight = engine->spare;
	if (flight)
		engine->spare = flight->next;
	else
		flight = malloc(sizeof *flight);
	if (!flight)
		abort();
	memset(flight, 0, sizeof *flight);
	return flight;
}

void flight_drop(struct engine *engine, struct flight *flight)
{
	id_map_remove(&engine->flights, flight->id);
	flight->next = engine->spare;
	engine->spare = flight;
}

void batch_done(struct batch *batch)
{
	if (batch && atomic_fetch_sub(&batch->left, 1) == 1) {
		arena_release(&batch->arena);
		free(batch);
	}
}

/* --- loading ----------------------------------------------------------------------------------------------------- */

static void load_row(struct engine *engine, const struct message_due *row, struct live *live, struct work *work)
{
	if (id_map_get(&engine->flights, row->id))
		return; /* in memory already; its row has not been marked yet */
	struct flight *flight = flight_new(engine);
	flight->id = row->id;
	flight->person_id = row->person_id;
	flight->event_id = row->event_id;
	flight->contact_id = row->contact_id;
	flight->expires_at = row->expires_at;
	flight->live = live;
	flight->work = work;
	flight->phase = PHASE_LOADED;
	flight->channel = (uint8_t)row->channel;
	flight->lane = (uint8_t)row->lane;
	flight->text_group = (uint8_t)row->text_group;
	flight->was = (uint8_t)row->state;
	flight->attempts = (uint16_t)row->attempts;
	flight->route = row->route;
	flight->parts = (uint16_t)row->parts;
	id_map_set(&engine->flights, flight->id, flight);
	queue_push(&engine->loaded[flight->channel][flight->lane], flight);
}

static enum rc load_loose(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t channel, int64_t lane,
                          int64_t now, struct err *err)
{
	struct queue *queue = &engine->loaded[channel][lane];
	if (queue->count >= LOADED_MOST) {
		engine->loose_look[channel] = true;
		return OK;
	}
	struct message_list_loose_args args = { .channel = channel, .lane = lane, .now = now, .most = 2 * LOADED_MOST };
	struct message_due *rows;
	size_t count;
	enum rc rc = message_list_loose(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		struct live *live = NULL;
		if (rows[i].notice_id > 0)
			rc = live_find(engine, tx, rows[i].notice_id, &live, err);
		if (rc != OK)
			break;
		if (rows[i].expires_at <= now)
			continue; /* the sweep ends it */
		uint64_t gate = live ? atomic_load(&live->gate) & GATE_BITS : GATE_OPEN;
		if (gate == GATE_SUSPECT)
			engine->loose_look[channel] = true;
		else if (gate == GATE_SUPERSEDED)
			live->end_loose |= rows[i].state == MESSAGE_QUEUED;
		else if (!live || live_is_open(live, now))
			load_row(engine, &rows[i], live, NULL);
	}
	return rc;
}

/* Goes back to a block's start when one of its messages is due again. */
static enum rc rewind_work(struct db_tx *tx, struct arena *arena, struct work *work, int64_t now, struct err *err)
{
	struct message_next_due_args args = { .first = block_message_id(work->id, 0),
		                              .last = block_message_id(work->id, BLOCK_PEOPLE_MAX - 1), .now = now };
	struct message_next_due_row row;
	enum rc rc = message_next_due(tx, arena, &args, &row, err);
	if (rc == OK) {
		work->again_at = row.due == DB_NULL ? INT64_MAX : row.due;
		work->cursor = 0;
	}
	return rc;
}

static enum rc load_work(struct engine *engine, struct db_tx *tx, struct arena *arena, struct work *work, int64_t now,
                         struct err *err)
{
	struct queue *queue = &engine->loaded[work->channel][work->lane];
	if (work->count[MESSAGE_QUEUED] + work->count[MESSAGE_IN_DOUBT] == 0 || !live_is_open(work->live, now))
		return OK;
	enum rc rc = OK;
	if (work->cursor >= BLOCK_PEOPLE_MAX && work->again_at <= now)
		rc = rewind_work(tx, arena, work, now, err);
	if (rc != OK || work->cursor >= BLOCK_PEOPLE_MAX)
		return rc;
	size_t most = LOADED_MOST - queue->count;
	struct message_list_block_args args = { .first = block_message_id(work->id, work->cursor),
		                                .last = block_message_id(work->id, BLOCK_PEOPLE_MAX - 1),
		                                .now = now, .most = (int64_t)most };
	struct message_due *rows;
	size_t count;
	rc = message_list_block(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		load_row(engine, &rows[i], work->live, work);
	if (rc == OK)
		work->cursor = count < most ? BLOCK_PEOPLE_MAX : rows[count - 1].id + 1 - block_message_id(work->id, 0);
	return rc;
}

static bool has_road(const struct engine *engine, int64_t channel)
{
	for (size_t i = 0; i < engine->road_count; i++)
		if ((int64_t)engine->roads[i].channel->kind == channel && engine->roads[i].up)
			return true;
	return false;
}

static enum rc load(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t now, struct err *err)
{
	enum rc rc = OK;
	for (int64_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++) {
		if (!has_road(engine, channel))
			continue;
		bool loose = engine->loose_look[channel];
		engine->loose_look[channel] = false;
		for (int64_t lane = 0; rc == OK && lane < LANE_COUNT; lane++) {
			if (loose)
				rc = load_loose(engine, tx, arena, channel, lane, now, err);
			struct queue *queue = &engine->loaded[channel][lane];
			if (queue->count > LOADED_MOST / 2)
				continue;
			for (struct work *work = engine->first[channel][lane]; rc == OK && work && queue->count < LOADED_MOST;
			     work = work->next)
				rc = load_work(engine, tx, arena, work, now, err);
		}
		if (rc != OK)
			engine->loose_look[channel] = true;
	}
	return rc;
}

/* --- choosing ------------------------------------------------------------------------------------------------------- */

static bool still_goes(const struct flight *flight, int64_t now)
{
	return flight->expires_at > now && (!flight->live || live_is_open(flight->live, now));
}

/* Ended or held by now; the row is looked at again where that can change. */
static void let_go(struct engine *engine, struct flight *flight, int64_t now)
{
	if (flight->work && flight->work->again_at > now)
		flight->work->again_at = now;
	if (!flight->work)
		engine->loose_look[flight->channel] = true;
	flight_drop(engine, flight);
}

static struct flight *pick_lane(struct engine *engine, int64_t channel, int64_t lane, int64_t now)
{
	struct flight *flight;
	while ((flight = queue_pop(&engine->loaded[channel][lane])) && !still_goes(flight, now))
		let_go(engine, flight, now);
	return flight;
}

static struct flight *pick(struct engine *engine, int64_t channel, int64_t lanes, int64_t now)
{
	struct flight *flight = NULL;
	for (int64_t lane = 0; lane < lanes && !flight; lane++)
		flight = pick_lane(engine, channel, lane, now);
	return flight;
}

static enum rc render_picked(struct engine *engine, struct db_tx *tx, struct flight *flight, struct filled *out,
                             struct arena *arena, struct err *err)
{
	enum message_reason reason = REASON_NONE;
	struct err own;
	err_init(&own, arena);
	enum rc rc = render(engine, tx, out->batch, flight, &reason, &own);
	if (rc == BUSY && flight->road == ROAD_NONE && held_push(engine, flight))
		return OK;
	if (rc == OK && reason == REASON_NONE) {
		ARENA_PUSH(arena, out->flights, out->count, out->capacity, flight);
		if (flight->live)
			flight->live->in_batch = true;
	} else if (rc == OK) {
		struct withheld withheld = { flight, reason };
		ARENA_PUSH(arena, out->withheld, out->withheld_count, out->withheld_capacity, withheld);
	} else if (rc == BUSY && flight->road == ROAD_NONE) {
		ARENA_PUSH(arena, out->failed, out->failed_count, out->failed_capacity, flight); /* too many wait for its carrier already */
	} else {
		log_error("message_not_rendered", LOGI("message", flight->id), LOGC("rc", rc_name(rc)), LOGS("detail", own.detail));
		ARENA_PUSH(arena, out->failed, out->failed_count, out->failed_capacity, flight);
		/* A spoilt read or a broken text must not end the round for the others; a broken store ends it by itself. */
	}
	(void)err;
	return OK;
}

struct filling {
	struct engine *engine;
	struct arena *arena;
	struct filled *out;
	size_t room[ROUTES_MAX], urgent[ROUTES_MAX];
};

/* Picks and renders for one road from the first `lanes` lanes. */
static enum rc fill_road(struct filling *filling, struct db_tx *tx, struct road *road, int64_t lanes, size_t room, size_t *taken,
                         int64_t now, struct err *err)
{
	struct filled *out = filling->out;
	enum rc rc = OK;
	while (rc == OK && *taken < room && out->count + out->withheld_count < BATCH_MOST) {
		struct flight *flight = pick(filling->engine, (int64_t)road->channel->kind, lanes, now);
		if (!flight)
			break;
		flight->phase = PHASE_PICKED;
		flight->road = road->index;
		rc = render_picked(filling->engine, tx, flight, out, filling->arena, err);
		*taken += flight->parts > 1 ? flight->parts : 1;
	}
	return rc;
}

/* The next message for a channel of several roads: those that waited for their carrier go first in their lane. */
static struct flight *pick_among(struct engine *engine, int64_t channel, int64_t lanes, int64_t now)
{
	for (int64_t lane = 0; lane < lanes; lane++) {
		struct flight *flight = NULL;
		while ((flight = held_pop(engine, channel, lane)) && !still_goes(flight, now))
			let_go(engine, flight, now);
		if (!flight)
			flight = pick_lane(engine, channel, lane, now);
		if (flight)
			return flight;
	}
	return NULL;
}

/* Picks and renders from the first `lanes` lanes; each message chooses its road when its address is known. */
static enum rc fill_among(struct filling *filling, struct db_tx *tx, int64_t channel, int64_t lanes, int64_t now, struct err *err)
{
	struct filled *out = filling->out;
	struct engine *engine = filling->engine;
	enum rc rc = OK;
	while (rc == OK && roads_look_further(engine, channel) && out->count + out->withheld_count + out->failed_count < BATCH_MOST) {
		struct flight *flight = pick_among(engine, channel, lanes, now);
		if (!flight)
			break;
		flight->phase = PHASE_PICKED;
		flight->road = ROAD_NONE;
		size_t count = out->count;
		rc = render_picked(engine, tx, flight, out, filling->arena, err);
		if (out->count > count)
			road_take_room(engine, flight);
	}
	return rc;
}

/* First the urgent lanes, which may go beyond the usual room, then all. */
static enum rc fill_several(struct filling *filling, struct db_tx *tx, int64_t channel, int64_t now, struct err *err)
{
	struct engine *engine = filling->engine;
	size_t left[ROUTES_MAX];
	roads_set_room(engine, channel, filling->urgent);
	enum rc rc = fill_among(filling, tx, channel, LANE_ANSWER + 1, now, err);
	for (size_t i = 0; i < engine->road_count; i++) {
		size_t taken = filling->urgent[i] - engine->room[i];
		left[i] = filling->room[i] > taken ? filling->room[i] - taken : 0;
	}
	roads_set_room(engine, channel, left);
	return rc == OK ? fill_among(filling, tx, channel, LANE_COUNT, now, err) : rc;
}

static enum rc fill_work(struct db_tx *tx, void *context, struct err *err)
{
	struct filling *filling = context;
	struct engine *engine = filling->engine;
	int64_t now = clock_now();
	enum rc rc = load(engine, tx, filling->arena, now, err);
	for (int64_t channel = CHANNEL_NONE + 1; rc == OK && channel < CHANNEL_KIND_COUNT; channel++)
		if (roads_are_several(engine, channel))
			rc = fill_several(filling, tx, channel, now, err);
	for (size_t i = 0; rc == OK && i < engine->road_count; i++) {
		struct road *road = &engine->roads[i];
		size_t taken = 0;
		if (road->route.receives_only || roads_are_several(engine, (int64_t)road->channel->kind))
			continue;
		rc = fill_road(filling, tx, road, LANE_ANSWER + 1, filling->urgent[i], &taken, now, err);
		if (rc == OK)
			rc = fill_road(filling, tx, road, LANE_COUNT, filling->room[i], &taken, now, err);
	}
	return rc;
}

enum rc fill(struct engine *engine, struct arena *arena, struct filled *out, struct err *err)
{
	struct filling filling = { .engine = engine, .arena = arena, .out = out };
	bool any = false;
	for (size_t i = 0; i < engine->road_count; i++) {
		filling.room[i] = road_room(&engine->roads[i], &filling.urgent[i]);
		any |= filling.room[i] + filling.urgent[i] > 0;
	}
	*out = (struct filled){ 0 };
	if (!any)
		return OK;
	out->batch = calloc(1, sizeof *out->batch);
	if (!out->batch)
		abort();
	arena_init(&out->batch->arena);
	enum rc rc = db_read(engine->house->db, fill_work, &filling, err);
	out->batch->left = out->count;
	if (out->count == 0) {
		arena_release(&out->batch->arena);
		free(out->batch);
		out->batch = NULL;
	}
	return rc;
}
