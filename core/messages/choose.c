/* Which road a message takes, where a channel has several: between routing.c, which knows carriers, and the rounds of fill.c. */
#include "core/messages/internal.h"
#include "kernel/smpp/smpp.h"

#define WANTED_LATELY (10 * CLOCK_SECOND)
#define PROBES 1000 /* messages looked at in a second for a carrier that nobody wanted lately */

/* --- binds and carriers ------------------------------------------------------------------------------------------------ */

enum rc route_carriers_load(struct engine *engine, struct db_tx *tx, struct arena *arena, struct err *err)
{
	struct route_list_row *rows;
	size_t count;
	enum rc rc = route_list(tx, arena, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		/* The roads of a carrier are named CARRIER/N; whatever bind a message went by, its receipt is looked for under CARRIER. */
		struct str carrier, number;
		bool bind = str_cut(rows[i].name, '/', &carrier, &number);
		for (size_t k = 0; bind && k < count; k++)
			if (str_equal(rows[k].name, carrier))
				id_map_set(&engine->route_carriers, rows[i].id, (void *)(intptr_t)rows[k].id);
	}
	return rc;
}

int64_t route_carrier(const struct engine *engine, int64_t route)
{
	const void *carrier = id_map_get(&engine->route_carriers, route);
	return carrier ? (int64_t)(intptr_t)carrier : route;
}

bool roads_are_several(const struct engine *engine, int64_t channel)
{
	size_t sending = 0;
	for (size_t i = 0; i < engine->road_count; i++)
		sending += (int64_t)engine->roads[i].channel->kind == channel && !engine->roads[i].route.receives_only;
	return sending > 1;
}

/* --- room -------------------------------------------------------------------------------------------------------------- */

void roads_set_room(struct engine *engine, int64_t channel, const size_t *room)
{
	struct routing *routing = &engine->routing[channel];
	for (size_t i = 0; i < routing->count; i++) {
		routing->carriers[i]->up = false;
		routing->carriers[i]->room = 0;
	}
	for (size_t i = 0; i < engine->road_count; i++) {
		struct road *road = &engine->roads[i];
		engine->room[i] = room[i];
		if ((int64_t)road->channel->kind != channel || road->route.receives_only)
			continue;
		struct routing_carrier *carrier = routing->carriers[road->carrier_index];
		carrier->up |= road->up;
		carrier->room += road->up ? room[i] : 0;
	}
}

bool roads_look_further(struct engine *engine, int64_t channel)
{
	const struct routing *routing = &engine->routing[channel];
	int64_t now = clock_monotonic();
	bool room = false, wanted = false;
	size_t held = 0;
	for (size_t i = 0; i < routing->count; i++) {
		const struct routing_carrier *carrier = routing->carriers[i];
		bool open = routing_is_open(routing, i);
		room |= open;
		wanted |= open && carrier->wanted_at != 0 && now - carrier->wanted_at < WANTED_LATELY;
	}
	for (size_t i = 0; i < HELD_SETS; i++)
		held += engine->held[channel][i].count;
	if (!room || wanted || held < HELD_MOST / 2)
		return room;
	/* Enough wait for carriers without room, and those with room are nobody's: further messages are looked at now and then only. */
	if (now - engine->probed_at >= CLOCK_SECOND) {
		engine->probed_at = now;
		engine->probes = PROBES;
	}
	return engine->probes > 0 && engine->probes-- > 0;
}

void road_take_room(struct engine *engine, const struct flight *flight)
{
	size_t parts = flight->parts > 1 ? flight->parts : 1;
	struct road *road = &engine->roads[flight->road];
	struct routing_carrier *carrier = engine->routing[flight->channel].carriers[road->carrier_index];
	size_t *room = &engine->room[flight->road];
	size_t taken = parts < *room ? parts : *room;
	*room -= taken;
	carrier->room -= taken < carrier->room ? taken : carrier->room;
}

/* --- choosing ------------------------------------------------------------------------------------------------------------ */

/* The carrier that has some parts of the message already, if it is up: the others go the same way. */
static uint32_t same_carrier(const struct engine *engine, const struct flight *flight)
{
	const struct routing *routing = &engine->routing[flight->channel];
	if (flight->parts < 2 || flight->attempts == 0 || flight->route == 0)
		return 0;
	int64_t carrier = route_carrier(engine, flight->route);
	for (size_t i = 0; i < routing->count; i++)
		if (routing->carriers[i]->id == carrier && routing->carriers[i]->up)
			return UINT32_C(1) << i;
	return 0;
}

/* Of a carrier's roads the one with the most room. */
static uint8_t road_of(const struct engine *engine, int64_t channel, size_t carrier)
{
	uint8_t best = ROAD_NONE;
	for (size_t i = 0; i < engine->road_count; i++) {
		const struct road *road = &engine->roads[i];
		if ((int64_t)road->channel->kind != channel || road->route.receives_only || road->carrier_index != carrier || !road->up)
			continue;
		if (best == ROAD_NONE || engine->room[i] > engine->room[best])
			best = (uint8_t)i;
	}
	return best;
}

enum rc road_choose(struct engine *engine, struct flight *flight, struct str number, struct err *err)
{
	const struct routing *routing = &engine->routing[flight->channel];
	size_t carrier;
	flight->carriers = same_carrier(engine, flight);
	if (flight->carriers == 0)
		flight->carriers = routing_choose(routing, number);
	if (flight->carriers == 0)
		return err_set(err, NOT_FOUND, "no carrier serves numbers that begin as this one");
	for (size_t i = 0; i < routing->count; i++)
		if (flight->carriers >> i & 1)
			routing->carriers[i]->wanted_at = clock_monotonic();
	if (!routing_draw(routing, flight->carriers, &carrier))
		return err_set(err, BUSY, "its carrier has no room");
	flight->road = road_of(engine, flight->channel, carrier);
	return flight->road == ROAD_NONE ? err_set(err, BUSY, "its carrier has no room") : OK;
}

/* --- those whose carrier has no room -------------------------------------------------------------------------------------- */

bool held_push(struct engine *engine, struct flight *flight)
{
	struct held *held = engine->held[flight->channel];
	struct held *free = NULL;
	for (size_t i = 0; i < HELD_SETS; i++) {
		if (held[i].count == 0 && !free)
			free = &held[i];
		if (held[i].count > 0 && held[i].carriers == flight->carriers)
			free = &held[i];
		if (free && free->carriers == flight->carriers && free->count > 0)
			break;
	}
	if (!free || free->count >= HELD_MOST)
		return false;
	free->carriers = flight->carriers;
	free->count++;
	flight->phase = PHASE_LOADED;
	flight->road = 0; /* as those that were never picked: it has none yet */
	queue_push(&free->lanes[flight->lane], flight);
	return true;
}

struct flight *held_pop(struct engine *engine, int64_t channel, int64_t lane)
{
	for (size_t i = 0; i < HELD_SETS; i++) {
		struct held *held = &engine->held[channel][i];
		if (held->lanes[lane].count == 0 || !routing_should_look(&engine->routing[channel], held->carriers))
			continue;
		held->count--;
		return queue_pop(&held->lanes[lane]);
	}
	return NULL;
}

struct flight *held_drop(struct engine *engine, int64_t channel)
{
	for (size_t i = 0; i < HELD_SETS; i++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++) {
			struct held *held = &engine->held[channel][i];
			if (held->lanes[lane].count == 0)
				continue;
			held->count--;
			return queue_pop(&held->lanes[lane]);
		}
	return NULL;
}

void held_part_from_closed(struct engine *engine)
{
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t i = 0; i < HELD_SETS; i++)
			for (size_t lane = 0; lane < LANE_COUNT; lane++) {
				struct held *held = &engine->held[channel][i];
				for (size_t left = held->lanes[lane].count; left > 0; left--) {
					struct flight *flight = queue_pop(&held->lanes[lane]);
					if (flight->work && flight->work->stored == BLOCK_CLOSED) {
						held->count--;
						flight_drop(engine, flight);
					} else {
						queue_push(&held->lanes[lane], flight);
					}
				}
			}
}

/* --- how carriers do --------------------------------------------------------------------------------------------------------- */

void routing_note(struct engine *engine, const struct report *report)
{
	const struct road *road = &engine->roads[report->road];
	struct routing *routing = &engine->routing[road->channel->kind];
	/* 'Queue full' is the recipient's here. */
	bool temporary = report->outcome == CHANNEL_REFUSED && report->fault == CHANNEL_FAULT_TEMPORARY && report->code != SMPP_RMSGQFUL;
	if (report->outcome == CHANNEL_ACCEPTED)
		routing_accepted(routing, road->carrier_index, report->key, clock_now());
	else if (temporary || report->outcome == CHANNEL_IN_DOUBT)
		routing_erred(routing, road->carrier_index, clock_now());
}

void routing_note_receipt(struct engine *engine, const struct receipt_report *receipt)
{
	const struct road *road = &engine->roads[receipt->road];
	if (receipt->delivery == CHANNEL_DELIVERY_PENDING || receipt->delivery == CHANNEL_DELIVERY_UNKNOWN)
		return;
	for (size_t k = 0; k < receipt->key_count; k++)
		routing_ended(&engine->routing[road->channel->kind], road->carrier_index, receipt->keys[k], clock_now());
}

void routing_look(struct engine *engine)
{
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++) {
		struct routing *routing = &engine->routing[channel];
		if (!routing_turn(routing, clock_now()))
			continue;
		for (size_t i = 0; i < routing->count; i++)
			log_warn("carrier_weight", LOGI("route", routing->carriers[i]->id), LOGI("weight", routing->carriers[i]->weight),
			         LOGI("cut", routing->carriers[i]->cut));
	}
}
