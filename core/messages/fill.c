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

void flight_let_go(struct engine *engine, struct flight *flight, int64_t again_at)
{
	if (flight->work && flight->work->again_at > again_at)
		flight->work->again_at = again_at;
	if (!flight->work && again_at <= clock_now())
		engine->loose_look[flight->channel] = true;
	batch_done(flight->batch);
	flight->batch = NULL;
	flight_drop(engine, flight);
}

void batch_done(struct batch *batch)
{
	if (batch && atomic_fetch_sub(&batch->left, 1) == 1) {
		arena_release(&batch->arena);
		free(batch);
	}
}

#define NOTICES_SHARING 16 /* of one lane, that are counted when it is shared */

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

/* At most `most`; *loaded_out tells how many. */
static enum rc load_work(struct engine *engine, struct db_tx *tx, struct arena *arena, struct work *work, size_t most, int64_t now,
                         size_t *loaded_out, struct err *err)
{
	if (work->count[MESSAGE_QUEUED] + work->count[MESSAGE_IN_DOUBT] == 0 || !live_is_open(work->live, now))
		return OK;
	enum rc rc = OK;
	if (work->cursor >= BLOCK_PEOPLE_MAX && work->again_at <= now)
		rc = rewind_work(tx, arena, work, now, err);
	if (rc != OK || work->cursor >= BLOCK_PEOPLE_MAX)
		return rc;
	struct message_list_block_args args = { .first = block_message_id(work->id, work->cursor),
		                                .last = block_message_id(work->id, BLOCK_PEOPLE_MAX - 1),
		                                .now = now, .most = (int64_t)most };
	struct message_due *rows;
	size_t count;
	rc = message_list_block(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		load_row(engine, &rows[i], work->live, work);
	if (rc == OK)
		*loaded_out = count;
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

struct share {
	const struct live *live;
	size_t taken;
};

/* The notices that have something to load in a lane, as far as that matters. */
static size_t list_shares(const struct engine *engine, int64_t channel, int64_t lane, struct share shares[NOTICES_SHARING])
{
	size_t count = 0;
	for (const struct work *work = engine->first[channel][lane]; work && count < NOTICES_SHARING; work = work->next) {
		bool known = work->count[MESSAGE_QUEUED] + work->count[MESSAGE_IN_DOUBT] == 0 || work->cursor >= BLOCK_PEOPLE_MAX;
		for (size_t i = 0; i < count && !known; i++)
			known = shares[i].live == work->live;
		if (!known)
			shares[count++] = (struct share){ .live = work->live };
	}
	return count;
}

static size_t *taken_of(struct share *shares, size_t count, const struct live *live, size_t *others)
{
	for (size_t i = 0; i < count; i++)
		if (shares[i].live == live)
			return &shares[i].taken;
	return others;
}

/* Fills a lane's queue from its blocks: each notice its share first, then what room is left. */
static enum rc load_lane(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t channel, int64_t lane, int64_t now,
                         struct err *err)
{
	struct queue *queue = &engine->loaded[channel][lane];
	struct share shares[NOTICES_SHARING];
	size_t count = list_shares(engine, channel, lane, shares), others = 0;
	size_t share = count > 1 ? (LOADED_MOST - queue->count) / count + 1 : LOADED_MOST;
	enum rc rc = OK;
	for (int round = 0; rc == OK && round < 2; round++)
		for (struct work *work = engine->first[channel][lane]; rc == OK && work && queue->count < LOADED_MOST; work = work->next) {
			size_t *taken = taken_of(shares, count, work->live, &others);
			size_t room = LOADED_MOST - queue->count, left = round > 0 ? room : share > *taken ? share - *taken : 0, loaded = 0;
			if (left > 0)
				rc = load_work(engine, tx, arena, work, left < room ? left : room, now, &loaded, err);
			*taken += loaded;
		}
	return rc;
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
			if (rc == OK)
				rc = load_lane(engine, tx, arena, channel, lane, now, err);
		}
		if (rc != OK)
			engine->loose_look[channel] = true;
	}
	return rc;
}

/* --- choosing ------------------------------------------------------------------------------------------------------- */

static bool may_leave(const struct flight *flight, int64_t now)
{
	return flight->expires_at > now && (!flight->live || live_is_open(flight->live, now));
}

static struct flight *pick_lane(struct engine *engine, int64_t channel, int64_t lane, int64_t now)
{
	struct flight *flight;
	/* Ended or held by now: the row is looked at again where that can change. */
	while ((flight = queue_pop(&engine->loaded[channel][lane])) && !may_leave(flight, now))
		flight_let_go(engine, flight, now);
	return flight;
}

static struct flight *pick(struct engine *engine, int64_t channel, int64_t lanes, int64_t now)
{
	struct flight *flight = NULL;
	for (int64_t lane = 0; lane < lanes && !flight; lane++)
		flight = pick_lane(engine, channel, lane, now);
	return flight;
}

struct filling {
	struct engine *engine;
	struct batch *batch;
	size_t room[ROUTES_MAX], urgent[ROUTES_MAX];
	int64_t now;
};

/* The urgent lanes find room beside a whole batch of the others. */
static bool is_full(const struct filling *filling, int64_t lanes)
{
	const struct filled *out = &filling->engine->ready;
	size_t most = lanes > LANE_ANSWER + 1 ? BATCH_MOST : 2 * BATCH_MOST;
	return out->count + out->withheld_count + out->failed_count >= most;
}

static void render_picked(struct filling *filling, struct db_tx *tx, struct flight *flight)
{
	struct engine *engine = filling->engine;
	struct filled *out = &engine->ready;
	enum message_reason reason = REASON_NONE;
	struct err own;
	err_init(&own, &out->arena);
	enum rc rc = render(engine, tx, filling->batch, flight, &reason, &own);
	if (rc == BUSY && flight->road == ROAD_NONE && held_push(engine, flight))
		return;
	if (rc == OK && reason == REASON_NONE) {
		ARENA_PUSH(&out->arena, out->flights, out->count, out->capacity, flight);
		flight->batch = filling->batch;
		atomic_fetch_add(&filling->batch->left, 1);
		engine->roads[flight->road].ready++;
	} else if (rc == OK) {
		struct withheld withheld = { flight, reason };
		ARENA_PUSH(&out->arena, out->withheld, out->withheld_count, out->withheld_capacity, withheld);
	} else {
		/* A spoilt read or a broken text must not end the round for the others; a broken store ends it by itself. Where too
		 * many wait for its carriers already, there is nothing to say. */
		if (rc != BUSY || flight->road != ROAD_NONE)
			log_error("message_not_rendered", LOGI("message", flight->id), LOGC("rc", rc_name(rc)), LOGS("detail", own.detail));
		ARENA_PUSH(&out->arena, out->failed, out->failed_count, out->failed_capacity, flight);
	}
}

/* Picks and renders for one road from the first `lanes` lanes. */
static void fill_road(struct filling *filling, struct db_tx *tx, struct road *road, int64_t lanes, size_t room, size_t *taken)
{
	while (*taken < room && !is_full(filling, lanes)) {
		struct flight *flight = pick(filling->engine, (int64_t)road->channel->kind, lanes, filling->now);
		if (!flight)
			break;
		flight->phase = PHASE_PICKED;
		flight->road = road->index;
		render_picked(filling, tx, flight);
		*taken += flight->parts > 1 ? flight->parts : 1;
	}
}

/* The next message for a channel of several roads: those that waited for their carrier go first in their lane. */
static struct flight *pick_among(struct engine *engine, int64_t channel, int64_t lanes, int64_t now)
{
	for (int64_t lane = 0; lane < lanes; lane++) {
		struct flight *flight = NULL;
		while ((flight = held_pop(engine, channel, lane)) && !may_leave(flight, now))
			flight_let_go(engine, flight, now);
		if (!flight)
			flight = pick_lane(engine, channel, lane, now);
		if (flight)
			return flight;
	}
	return NULL;
}

/* Picks and renders from the first `lanes` lanes; each message chooses its road when its address is known. */
static void fill_among(struct filling *filling, struct db_tx *tx, int64_t channel, int64_t lanes)
{
	struct engine *engine = filling->engine;
	while (roads_look_further(engine, channel) && !is_full(filling, lanes)) {
		struct flight *flight = pick_among(engine, channel, lanes, filling->now);
		if (!flight)
			break;
		flight->phase = PHASE_PICKED;
		flight->road = ROAD_NONE;
		size_t count = engine->ready.count;
		render_picked(filling, tx, flight);
		if (engine->ready.count > count)
			road_take_room(engine, flight);
	}
}

/* First the urgent lanes, which may go beyond the usual room, then all. */
static void fill_several(struct filling *filling, struct db_tx *tx, int64_t channel)
{
	struct engine *engine = filling->engine;
	size_t left[ROUTES_MAX];
	roads_set_room(engine, channel, filling->urgent);
	fill_among(filling, tx, channel, LANE_ANSWER + 1);
	for (size_t i = 0; i < engine->road_count; i++) {
		size_t taken = filling->urgent[i] - engine->room[i];
		left[i] = filling->room[i] > taken ? filling->room[i] - taken : 0;
	}
	roads_set_room(engine, channel, left);
	fill_among(filling, tx, channel, LANE_COUNT);
}

static enum rc fill_work(struct db_tx *tx, void *context, struct err *err)
{
	struct filling *filling = context;
	struct engine *engine = filling->engine;
	struct arena arena;
	arena_init(&arena);
	filling->now = clock_now();
	enum rc rc = load(engine, tx, &arena, filling->now, err);
	for (int64_t channel = CHANNEL_NONE + 1; rc == OK && channel < CHANNEL_KIND_COUNT; channel++)
		if (roads_are_several(engine, channel))
			fill_several(filling, tx, channel);
	for (size_t i = 0; rc == OK && i < engine->road_count; i++) {
		struct road *road = &engine->roads[i];
		size_t taken = 0;
		if (road->route.receives_only || roads_are_several(engine, (int64_t)road->channel->kind))
			continue;
		fill_road(filling, tx, road, LANE_ANSWER + 1, filling->urgent[i], &taken);
		fill_road(filling, tx, road, LANE_COUNT, filling->room[i], &taken);
	}
	arena_release(&arena);
	id_map_release(&engine->people);
	arena_clear(&engine->people_arena);
	return rc;
}

enum rc fill(struct engine *engine, bool ahead, struct err *err)
{
	struct filling filling = { .engine = engine };
	bool any = false;
	for (size_t i = 0; i < engine->road_count; i++) {
		const struct road *road = &engine->roads[i];
		if (road->route.receives_only)
			continue;
		size_t wanted = ahead ? road->ahead : road->room;
		filling.room[i] = wanted > road->ready ? wanted - road->ready : 0;
		filling.urgent[i] = ahead ? 0 : road->urgent;
		any |= filling.room[i] + filling.urgent[i] > 0;
	}
	if (!any)
		return OK;
	if (engine->ready.count == 0)
		engine->ready.since = clock_monotonic();
	filling.batch = calloc(1, sizeof *filling.batch);
	if (!filling.batch)
		abort();
	arena_init(&filling.batch->arena);
	filling.batch->left = 1; /* our own, so that it stays until it is full */
	enum rc rc = db_read(engine->house->db, fill_work, &filling, err);
	batch_done(filling.batch);
	return rc;
}

/* --- what is ready ---------------------------------------------------------------------------------------------------- */

void filled_clear(struct filled *filled)
{
	arena_clear(&filled->arena);
	*filled = (struct filled){ .arena = filled->arena };
}

void filled_put_down(struct engine *engine, struct filled *filled)
{
	int64_t now = clock_now();
	for (size_t i = 0; i < filled->count; i++) {
		if (filled == &engine->ready)
			engine->roads[filled->flights[i]->road].ready--;
		flight_let_go(engine, filled->flights[i], now);
	}
	for (size_t i = 0; i < filled->withheld_count; i++)
		flight_let_go(engine, filled->withheld[i].flight, now);
	for (size_t i = 0; i < filled->failed_count; i++)
		flight_let_go(engine, filled->failed[i], now);
	filled_clear(filled);
}

void fill_take(struct engine *engine)
{
	struct filled *ready = &engine->ready, *marking = &engine->marking;
	size_t room[ROUTES_MAX], kept = 0;
	int64_t now = clock_now();
	for (size_t i = 0; i < engine->road_count; i++)
		room[i] = engine->roads[i].room;
	for (size_t i = 0; i < ready->count; i++) {
		struct flight *flight = ready->flights[i];
		struct road *road = &engine->roads[flight->road];
		size_t parts = flight->parts > 1 ? flight->parts : 1;
		if (flight->lane > LANE_ANSWER && room[flight->road] == 0 && road->up) {
			ready->flights[kept++] = flight;
			continue;
		}
		road->ready--;
		if (!road->up || !may_leave(flight, now)) {
			flight_let_go(engine, flight, now);
			continue;
		}
		room[flight->road] -= parts < room[flight->road] ? parts : room[flight->road];
		if (flight->live)
			flight->live->in_batch = true;
		ARENA_PUSH(&marking->arena, marking->flights, marking->count, marking->capacity, flight);
	}
	ready->count = kept;
	for (size_t i = 0; i < ready->withheld_count; i++)
		ARENA_PUSH(&marking->arena, marking->withheld, marking->withheld_count, marking->withheld_capacity, ready->withheld[i]);
	for (size_t i = 0; i < ready->failed_count; i++)
		ARENA_PUSH(&marking->arena, marking->failed, marking->failed_count, marking->failed_capacity, ready->failed[i]);
	ready->withheld_count = ready->failed_count = 0;
	if (kept == 0)
		filled_clear(ready);
}
