/* The dispatcher: one thread that turns frozen audiences into messages, marks, hands over, and writes what became of them. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/messages/internal.h"

#define LOOK_EVERY CLOCK_SECOND            /* for what comes due by itself */
#define CLOSE_EVERY (CLOCK_SECOND / 4)
#define PRUNE_EVERY CLOCK_HOUR
#define RECEIPTS_KEPT (4 * CLOCK_DAY)      /* in memory; blocks wait three days for theirs */
#define GONE_EVERY (5 * CLOCK_SECOND)      /* for dispatchers that are silent */
#define REST (CLOCK_SECOND / 5)            /* after the store failed */
#define RENDER_AGAIN CLOCK_MINUTE
#define ROOM_AGAIN (5 * CLOCK_SECOND)
#define CLOCK_PUT_BACK (5 * CLOCK_SECOND)  /* by more than this */
#define FAILURES_MOST 5                    /* in a row; then what it stumbles over is looked for */
#define FOLLOW_WAIT (CLOCK_SECOND / 5)
#define CHANGES_MOST 1000

/* --- making ------------------------------------------------------------------------------------------------------------------ */

struct engine *engine_of(struct house *house)
{
	struct engine *engine = house->state[SLOT_MESSAGES];
	if (engine)
		return engine;
	engine = calloc(1, sizeof *engine);
	if (!engine)
		abort();
	engine->house = house;
	engine->lock_file = -1;
	pthread_mutex_init(&engine->mailbox_lock, NULL);
	pthread_mutex_init(&engine->lives_lock, NULL);
	pthread_mutex_init(&engine->figures_lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	arena_init(&engine->fold.arena);
	engine->block_look = engine->ask_all = true;
	for (size_t i = 0; i < CHANNEL_KIND_COUNT; i++)
		engine->loose_look[i] = true;
	house->state[SLOT_MESSAGES] = engine;
	return engine;
}

void messages_register(struct house *house, enum notice_kind kind, const struct notice_desk *desk)
{
	if (kind > 0 && kind < NOTICE_KIND_COUNT)
		engine_of(house)->desks[kind] = desk;
}

struct route_work {
	struct str name, carrier;
	int64_t channel, id, carrier_id;
};

static enum rc find_route(struct db_tx *tx, struct str name, int64_t channel, int64_t *id_out, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct route_add_args add = { .name = name, .channel = channel };
	enum rc rc = route_add(tx, &add, NULL, err);
	struct route_find_args find = { .name = name };
	struct route_find_row row;
	if (rc == OK)
		rc = route_find(tx, &arena, &find, &row, err);
	if (rc == OK && row.channel != channel)
		rc = err_set(err, CONFLICT, "route %.*s was of another channel before", STR_ARG(name));
	if (rc == OK)
		*id_out = row.id;
	arena_release(&arena);
	return rc;
}

static enum rc find_routes(struct db_tx *tx, void *context, struct err *err)
{
	struct route_work *work = context;
	enum rc rc = find_route(tx, work->carrier, work->channel, &work->carrier_id, err);
	return rc == OK ? find_route(tx, work->name, work->channel, &work->id, err) : rc;
}

enum rc messages_add_route(struct house *house, const struct messages_route *route, struct err *err)
{
	struct engine *engine = engine_of(house);
	if (engine->road_count == ROUTES_MAX)
		return err_set(err, INVALID, "more than %d routes", ROUTES_MAX);
	for (size_t i = 0; i < engine->road_count; i++)
		if (strcmp(engine->roads[i].channel->name, route->channel->name) == 0)
			return err_set(err, CONFLICT, "two routes are named %s", route->channel->name);
	struct route_work work = { .name = str_from(route->channel->name), .channel = route->channel->kind };
	work.carrier = str_is_empty(route->carrier) ? work.name : route->carrier;
	if (!str_is_empty(route->carrier) && !str_starts(work.name, str_format(err->arena, "%.*s/", STR_ARG(route->carrier))))
		return err_set(err, INVALID, "a road of carrier %.*s is named %.*s/N", STR_ARG(route->carrier), STR_ARG(route->carrier));
	enum rc rc = db_write(house->db, DB_LANE_PERSON, find_routes, &work, err);
	const struct routing_terms terms = { route->prefixes, route->cost, route->weight, route->receipts };
	size_t carrier_index = 0;
	if (rc == OK)
		rc = routing_add(&engine->routing[work.channel], work.carrier_id, &terms, &carrier_index, err);
	if (rc != OK)
		return rc;
	struct road *road = &engine->roads[engine->road_count];
	memset(road, 0, sizeof *road);
	road->engine = engine;
	road->route = *route;
	road->channel = route->channel;
	road->id = work.id;
	road->carrier = work.carrier_id;
	road->carrier_index = carrier_index;
	road->index = (uint8_t)engine->road_count;
	pthread_mutex_init(&road->lock, NULL);
	engine->road_count++;
	return OK;
}

/* --- memory after a commit ----------------------------------------------------------------------------------------------------- */

void moves_apply(struct engine *engine, const struct moves *moves)
{
	int64_t now = clock_now();
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		if (move->live)
			move->live->changed = true;
		bool waits = move->to == MESSAGE_QUEUED || move->to == MESSAGE_IN_DOUBT;
		struct work *work = move->block_id > 0 ? id_map_get(&engine->works, move->block_id) : NULL;
		if (!work) {
			if (waits && move->not_before <= now)
				for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
					engine->loose_look[channel] = true;
			continue;
		}
		work->count[move->from]--;
		work->count[move->to]++;
		int64_t *backlog = &engine->backlog[work->channel][work->lane];
		*backlog += (move->to == MESSAGE_QUEUED) - (move->from == MESSAGE_QUEUED);
		if (waits && move->not_before < work->again_at)
			work->again_at = move->not_before;
	}
}

/* --- one transaction ------------------------------------------------------------------------------------------------------------ */

struct cycle {
	struct engine *engine;
	struct arena arena; /* of one run of the work */
	struct filled *filled;
	struct message_submit_args *submits;
	struct flight **submitted; /* in the order of `submits` */
	size_t submit_count;
	bool *mine;                /* by submit: false if the row had moved */
	struct verdict *verdicts;
	size_t verdict_count;
	struct moves moves;
	bool lost;                 /* another took what we had */
	bool marks;                /* new messages are marked */
	int64_t now;
};

static enum rc beat(struct cycle *cycle, struct db_tx *tx, struct err *err)
{
	struct dispatcher_beat_args args = { .id = cycle->engine->id, .seen_at = cycle->now, .lease_until = cycle->now + LEASE };
	int64_t changed = 0;
	enum rc rc = dispatcher_beat(tx, &args, &changed, err);
	cycle->lost = rc == OK && changed == 0;
	return cycle->lost ? err_set(err, CONFLICT, "another dispatcher took over") : rc;
}

static bool verdict_forbids(const struct cycle *cycle, const struct live *live)
{
	for (size_t i = 0; i < cycle->verdict_count; i++)
		if (cycle->verdicts[i].live == live)
			return cycle->verdicts[i].superseded || cycle->verdicts[i].held;
	return live && (atomic_load(&live->gate) & GATE_BITS) == GATE_SUPERSEDED;
}

static void list_submits(struct cycle *cycle)
{
	const struct filled *filled = cycle->filled;
	struct engine *engine = cycle->engine;
	cycle->submits = ARENA_NEW_ARRAY(&cycle->arena, struct message_submit_args, filled->count + 1);
	cycle->submitted = ARENA_NEW_ARRAY(&cycle->arena, struct flight *, filled->count + 1);
	cycle->mine = ARENA_NEW_ARRAY(&cycle->arena, bool, filled->count + 1);
	cycle->submit_count = 0;
	for (size_t i = 0; i < filled->count; i++) {
		struct flight *flight = filled->flights[i];
		if (verdict_forbids(cycle, flight->live))
			continue;
		cycle->submitted[cycle->submit_count] = flight;
		cycle->mine[cycle->submit_count] = true;
		cycle->submits[cycle->submit_count++] = (struct message_submit_args){
			.owner = engine->id,
			.route = engine->roads[flight->road].id,
			.contact_id = flight->contact_id,
			.attempts = flight->attempts + 1,
			.parts = flight->parts,
			.submitted_at = cycle->now,
			.id = flight->id,
			.was = flight->was,
		};
	}
}

/* Some rows had moved (another process, a late answer): finds out which are ours. */
static enum rc find_mine(struct cycle *cycle, struct db_tx *tx, struct err *err)
{
	for (size_t i = 0; i < cycle->submit_count; i++) {
		struct message_is_mine_args args = { .id = cycle->submits[i].id, .owner = cycle->engine->id, .submitted_at = cycle->now };
		struct message_is_mine_row row;
		struct err quiet;
		err_init(&quiet, &cycle->arena);
		enum rc rc = message_is_mine(tx, &cycle->arena, &args, &row, &quiet);
		if (rc != OK && rc != NOT_FOUND)
			return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
		cycle->mine[i] = rc == OK;
	}
	return OK;
}

static enum rc mark(struct cycle *cycle, struct db_tx *tx, struct counters *counters, struct err *err)
{
	list_submits(cycle);
	int64_t written = 0;
	enum rc rc = OK;
	if (cycle->submit_count > 0)
		rc = message_submit(tx, cycle->submits, cycle->submit_count, &written, err);
	if (rc == OK && written != (int64_t)cycle->submit_count)
		rc = find_mine(cycle, tx, err);
	for (size_t i = 0; rc == OK && i < cycle->submit_count; i++) {
		const struct flight *flight = cycle->submitted[i];
		if (!cycle->mine[i])
			continue;
		counters_move(counters, flight->live ? flight->live->id : 0, flight->channel, (enum message_state)flight->was,
		              MESSAGE_SUBMITTED, 1);
		struct move move = { .id = flight->id, .block_id = flight->work ? flight->work->id : 0, .live = flight->live,
			             .from = flight->was, .to = MESSAGE_SUBMITTED };
		ARENA_PUSH(&cycle->arena, cycle->moves.items, cycle->moves.count, cycle->moves.capacity, move);
	}
	return rc;
}

/* What could not be rendered waits a minute; what found its carriers full and too many waiting for them, a moment. */
static int64_t again_after(const struct flight *flight)
{
	return flight->road == ROAD_NONE && flight->carriers != 0 ? ROOM_AGAIN : RENDER_AGAIN;
}

static enum rc withhold(struct cycle *cycle, struct db_tx *tx, struct counters *counters, struct err *err)
{
	const struct filled *filled = cycle->filled;
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < filled->withheld_count; i++) {
		const struct withheld *withheld = &filled->withheld[i];
		/* What is in doubt may have arrived, so it is not 'not sent': it waits for its receipt or its end. */
		bool doubt = withheld->flight->was == MESSAGE_IN_DOUBT;
		struct happening what = { .event = EVENT_WITHHOLD, .reason = withheld->reason, .status_code = -1, .now = cycle->now };
		struct message_postpone_args args = { .id = withheld->flight->id, .not_before = withheld->flight->expires_at };
		rc = doubt ? message_postpone(tx, &args, NULL, err)
		           : message_happen(cycle->engine, tx, &cycle->arena, withheld->flight->id, &what, counters, &cycle->moves, err);
	}
	for (size_t i = 0; rc == OK && i < filled->failed_count; i++) {
		struct message_postpone_args args = { .id = filled->failed[i]->id, .not_before = cycle->now + again_after(filled->failed[i]) };
		rc = message_postpone(tx, &args, NULL, err);
	}
	return rc;
}

static enum rc cycle_work(struct db_tx *tx, void *context, struct err *err)
{
	struct cycle *cycle = context;
	struct engine *engine = cycle->engine;
	struct counters counters;
	arena_clear(&cycle->arena);
	counters_init(&counters, &cycle->arena);
	cycle->moves = (struct moves){ 0 };
	cycle->now = clock_now();
	enum rc rc = beat(cycle, tx, err);
	if (rc == OK)
		rc = lives_ask(engine, tx, &cycle->arena, engine->ask_all, &cycle->verdicts, &cycle->verdict_count, err);
	if (rc == OK)
		rc = fold_write(engine, tx, &cycle->arena, &counters, &cycle->moves, err);
	if (rc == OK)
		rc = receipts_write(engine, tx, &cycle->arena, &counters, &cycle->moves, err);
	if (rc == OK)
		rc = incoming_write(engine, tx, &cycle->arena, err);
	if (rc == OK)
		rc = mark(cycle, tx, &counters, err);
	if (rc == OK)
		rc = withhold(cycle, tx, &counters, err);
	return rc == OK ? counters_write(tx, &counters, err) : rc;
}

/* --- after it ---------------------------------------------------------------------------------------------------------------------- */

/* Back to the rows: they are loaded again when they are due. */
static void let_go(struct engine *engine, struct flight *flight, int64_t again_at)
{
	if (flight->work && flight->work->again_at > again_at)
		flight->work->again_at = again_at;
	if (!flight->work && again_at <= clock_now())
		engine->loose_look[flight->channel] = true;
	flight_drop(engine, flight);
}

static void stage(struct cycle *cycle)
{
	struct engine *engine = cycle->engine;
	struct filled *filled = cycle->filled;
	size_t next = 0;
	for (size_t i = 0; i < filled->count; i++) {
		struct flight *flight = filled->flights[i];
		bool listed = next < cycle->submit_count && cycle->submitted[next] == flight;
		bool mine = listed && cycle->mine[next];
		next += listed;
		if (!mine) {
			batch_done(filled->batch);
			let_go(engine, flight, cycle->now);
			continue;
		}
		struct road *road = &engine->roads[flight->road];
		flight->attempts++;
		flight->batch = filled->batch;
		road->unrecorded++;
		road_stage(road, flight);
	}
	for (size_t i = 0; i < filled->withheld_count; i++)
		let_go(engine, filled->withheld[i].flight, INT64_MAX);
	for (size_t i = 0; i < filled->failed_count; i++)
		let_go(engine, filled->failed[i], cycle->now + again_after(filled->failed[i]));
}

static void put_down(struct engine *engine, struct filled *filled)
{
	int64_t now = clock_now();
	for (size_t i = 0; i < filled->count; i++) {
		batch_done(filled->batch);
		let_go(engine, filled->flights[i], now);
	}
	for (size_t i = 0; i < filled->withheld_count; i++)
		let_go(engine, filled->withheld[i].flight, now);
	for (size_t i = 0; i < filled->failed_count; i++)
		let_go(engine, filled->failed[i], now);
}

/* Everything this process had is another's now (it was taken for dead): starts from the store again. What is with the
 * carriers is answered as if it were late. */
static void start_over(struct engine *engine)
{
	log_error("dispatcher_lost", LOGI("dispatcher", engine->id));
	for (size_t i = 0; i < engine->road_count; i++)
		road_return(&engine->roads[i]);
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++) {
			struct flight *flight;
			while ((flight = queue_pop(&engine->loaded[channel][lane])))
				flight_drop(engine, flight);
			engine->backlog[channel][lane] = 0;
		}
	for (int64_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (struct flight *flight; (flight = held_drop(engine, channel));)
			flight_drop(engine, flight);
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->flights, &at, &value))
		((struct flight *)value)->work = NULL;
	for (at = 0; id_map_each(&engine->works, &at, &value);)
		free(value);
	id_map_release(&engine->works);
	memset(engine->first, 0, sizeof engine->first);
	engine->fold.slowly = true;
	engine->recovered = false;
}

static void report_failure(struct engine *engine, const char *what, enum rc rc, const struct err *err)
{
	log_error("delivery_stopped", LOGC("at", what), LOGC("rc", rc_name(rc)), LOGS("detail", err->detail));
	engine->rest_until = clock_monotonic() + REST;
}

static bool cycle_needed(const struct engine *engine, const struct filled *filled)
{
	if (!fold_is_empty(&engine->fold) || filled->count + filled->withheld_count + filled->failed_count > 0 || engine->ask_all ||
	    clock_monotonic() >= engine->beat_at || clock_now() >= atomic_load(&engine->lease_until))
		return true;
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->lives, &at, &value))
		if ((atomic_load(&((struct live *)value)->gate) & GATE_BITS) == GATE_SUSPECT)
			return true;
	return false;
}

/* Whether the marks of this transaction were made is not known: take_stock finds out before anything else is marked. */
static void remember_unsure(struct engine *engine, const struct cycle *cycle)
{
	if (db_unknown_commits(engine->house->db) == engine->unknown_seen || cycle->submit_count == 0)
		return;
	free(engine->unsure);
	engine->unsure = malloc(cycle->submit_count * sizeof *engine->unsure);
	if (!engine->unsure)
		abort();
	for (size_t i = 0; i < cycle->submit_count; i++)
		engine->unsure[i] = cycle->submits[i].id;
	engine->unsure_count = cycle->submit_count;
	engine->unsure_at = cycle->now;
}

static void run_cycle(struct engine *engine, struct filled *filled, struct err *err)
{
	struct cycle cycle = { .engine = engine, .filled = filled };
	arena_init(&cycle.arena);
	enum rc rc = db_write(engine->house->db, DB_LANE_DELIVERY, cycle_work, &cycle, err);
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->lives, &at, &value))
		((struct live *)value)->in_batch = false;
	if (rc == OK) {
		engine->failures = 0;
		engine->ask_all = false;
		engine->beat_at = clock_monotonic() + BEAT;
		atomic_store(&engine->lease_until, cycle.now + LEASE);
		lives_settle(engine, cycle.verdicts, cycle.verdict_count);
		moves_apply(engine, &cycle.moves);
		receipts_settle(engine);
		fold_clear(engine);
		stage(&cycle);
	} else {
		remember_unsure(engine, &cycle);
		put_down(engine, filled);
		if (cycle.lost)
			start_over(engine);
		else if (!(rc == CONFLICT && engine->fold.slowly))
			report_failure(engine, "cycle", rc, err);
		bool helpless = rc == FAILED && !db_is_full(engine->house->db);
		if ((helpless || rc == INVALID || rc == CONFLICT || rc == NOT_FOUND) && ++engine->failures == FAILURES_MOST) {
			engine->failures = 0;
			fold_isolate(engine);
		}
	}
	for (size_t i = 0; i < engine->road_count; i++)
		road_push(&engine->roads[i]);
	arena_release(&cycle.arena);
}

/* --- hearing of changes ---------------------------------------------------------------------------------------------------------- */

static void look_everywhere(struct engine *engine)
{
	engine->ask_all = engine->block_look = true;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		engine->loose_look[channel] = true;
}

static void follow_changes(struct engine *engine, struct arena *arena, struct err *err)
{
	for (;;) {
		struct db_change *changes;
		size_t count;
		enum rc rc = db_changes_since(engine->house->db, arena, engine->change_seen, CHANGES_MOST, &changes, &count, err);
		if (rc == CONFLICT) {
			/* Trimmed: whatever they were, everything is looked at. */
			engine->change_seen = atomic_load(&engine->change_latest);
			look_everywhere(engine);
			return;
		}
		if (rc != OK) {
			report_failure(engine, "changes", rc, err);
			return;
		}
		for (size_t i = 0; i < count; i++) {
			if (str_equal(changes[i].kind, S("notice")))
				look_everywhere(engine);
			else if (str_equal(changes[i].kind, S("message")))
				for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
					engine->loose_look[channel] = true;
			else if (str_equal(changes[i].kind, S("receipt")))
				receipts_heard(engine, changes[i].subject);
			engine->change_seen = changes[i].id;
		}
		if (count < CHANGES_MOST)
			return;
	}
}

static void *follow(void *context)
{
	struct engine *engine = context;
	int64_t seen = 0;
	while (!engine->follower_stop) {
		int64_t latest = db_change_wait(engine->house->db, seen, FOLLOW_WAIT);
		if (latest > seen) {
			seen = latest;
			atomic_store(&engine->change_latest, latest);
			engine_wake(engine);
		}
	}
	return NULL;
}

/* --- a clock that is put back -------------------------------------------------------------------------------------------------------- */

static enum rc bring_forward_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct engine *engine = context;
	int64_t now = clock_now();
	struct message_bring_forward_loose_args loose = { .not_before = now };
	enum rc rc = message_bring_forward_loose(tx, &loose, NULL, err);
	size_t at = 0;
	void *value;
	while (rc == OK && id_map_each(&engine->works, &at, &value)) {
		const struct work *work = value;
		struct message_bring_forward_args args = { .not_before = now, .first = block_message_id(work->id, 0),
			                                   .last = block_message_id(work->id, BLOCK_PEOPLE_MAX - 1) };
		if (work->count[MESSAGE_QUEUED] + work->count[MESSAGE_IN_DOUBT] > 0)
			rc = message_bring_forward(tx, &args, NULL, err);
	}
	return rc;
}

static enum rc bring_forward(struct engine *engine, struct err *err)
{
	enum rc rc = db_write(engine->house->db, DB_LANE_DELIVERY, bring_forward_work, engine, err);
	if (rc != OK)
		return rc;
	log_warn("clock_put_back", LOGC("done", "next tries brought forward"));
	engine->clock_put_back = false;
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->works, &at, &value))
		((struct work *)value)->again_at = 0;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		engine->loose_look[channel] = true;
	return OK;
}

static void compare_clocks(struct engine *engine, int64_t monotonic)
{
	int64_t ahead = clock_now() - monotonic;
	/* What a time server does in small steps is no matter. */
	engine->clock_put_back |= engine->clock_ahead != 0 && ahead < engine->clock_ahead - CLOCK_PUT_BACK;
	engine->clock_ahead = ahead;
}

/* --- rounds ------------------------------------------------------------------------------------------------------------------------ */

static void look_at_clock(struct engine *engine)
{
	int64_t now = clock_monotonic();
	if (now >= engine->looked_at || atomic_exchange(&engine->look, false)) {
		engine->looked_at = now + LOOK_EVERY;
		routing_look(engine);
		compare_clocks(engine, now);
		/* What is marked and has run out meanwhile goes back, room or not. */
		for (size_t i = 0; i < engine->road_count; i++)
			road_push(&engine->roads[i]);
		engine->block_look = true;
		for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
			engine->loose_look[channel] = true;
	}
	for (size_t i = 0; i < engine->road_count; i++)
		if (!engine->roads[i].up)
			road_return(&engine->roads[i]);
}

static void deliver(struct engine *engine, struct arena *arena, struct err *err)
{
	struct filled filled = { 0 };
	fold_take(engine);
	enum rc rc = clock_monotonic() >= engine->rest_until ? fill(engine, arena, &filled, err) : OK;
	if (rc != OK) {
		report_failure(engine, "fill", rc, err);
		put_down(engine, &filled);
		filled = (struct filled){ 0 };
	}
	if (cycle_needed(engine, &filled))
		run_cycle(engine, &filled, err);
}

/* Work that is done in steps, none longer than a transaction may be. */
static bool step(struct engine *engine, struct err *err)
{
	bool opened = false, ended = false, read = false;
	enum rc rc = engine->clock_put_back ? bring_forward(engine, err) : OK;
	if (rc == OK && engine->block_look)
		rc = blocks_open(engine, false, &opened, err);
	if (rc != OK) {
		/* A block that cannot be opened keeps nobody's answer from being read. */
		report_failure(engine, "open", rc, err);
		err->detail = STR_NONE;
	}
	rc = blocks_end(engine, &ended, err);
	if (rc == OK)
		rc = incoming_read(engine, &read, err);
	if (rc == OK && clock_monotonic() >= engine->closed_at) {
		engine->closed_at = clock_monotonic() + CLOSE_EVERY;
		rc = blocks_close(engine, err);
	}
	if (rc == OK && clock_monotonic() >= engine->pruned_at) {
		engine->pruned_at = clock_monotonic() + PRUNE_EVERY;
		lives_prune(engine);
		receipt_index_sweep(&engine->receipts, clock_now(), RECEIPTS_KEPT);
	}
	if (rc == OK && clock_monotonic() >= engine->gone_at) {
		engine->gone_at = clock_monotonic() + GONE_EVERY;
		rc = take_over_gone(engine, err);
	}
	if (rc != OK)
		report_failure(engine, "step", rc, err);
	return opened || ended || read;
}

bool engine_round(struct engine *engine)
{
	struct arena arena;
	struct err err;
	arena_init(&arena);
	err_init(&err, &arena);
	bool more = false;
	if (!engine->recovered) {
		enum rc rc = recover(engine, &err);
		if (rc == OK)
			engine->recovered = true;
		else
			report_failure(engine, "recover", rc, &err);
	}
	bool sure = engine->recovered;
	if (sure && db_unknown_commits(engine->house->db) != engine->unknown_seen) {
		enum rc rc = take_stock(engine, &err);
		sure = rc == OK;
		if (!sure)
			report_failure(engine, "take_stock", rc, &err);
	}
	if (sure) {
		if (atomic_load(&engine->change_latest) > engine->change_seen)
			follow_changes(engine, &arena, &err);
		look_at_clock(engine);
		deliver(engine, &arena, &err);
	}
	if (sure && engine->recovered && clock_monotonic() >= engine->rest_until)
		more = step(engine, &err);
	lives_tell(engine, false);
	figures_update(engine);
	arena_release(&arena);
	more |= engine->again;
	engine->again = false;
	return more;
}

/* When there is nothing to do until something happens: how long at most. */
static int64_t patience(const struct engine *engine)
{
	if (!engine->recovered || clock_monotonic() < engine->rest_until)
		return REST;
	bool queued = false;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t i = 0; i < HELD_SETS; i++)
			queued |= engine->held[channel][i].count > 0;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++)
			queued |= engine->loaded[channel][lane].count > 0;
	/* A paced road has room again without telling when it never was without. */
	return queued ? CLOCK_SECOND / 100 : CLOCK_SECOND / 4;
}

static void rest(struct engine *engine)
{
	int64_t until = clock_monotonic() + patience(engine);
	struct timespec at = { .tv_sec = (time_t)(until / CLOCK_SECOND), .tv_nsec = (long)(until % CLOCK_SECOND) * 1000 };
	pthread_mutex_lock(&engine->mailbox_lock);
	while (!engine->woken && !engine->stopping)
		if (pthread_cond_timedwait(&engine->wake, &engine->mailbox_lock, &at) != 0)
			break;
	engine->woken = false;
	pthread_mutex_unlock(&engine->mailbox_lock);
}

static void *dispatch(void *context)
{
	struct engine *engine = context;
	while (!engine->stopping)
		if (!engine_round(engine))
			rest(engine);
	return NULL;
}

void messages_wake(struct house *house)
{
	struct engine *engine = house->state[SLOT_MESSAGES];
	if (!engine)
		return;
	atomic_store(&engine->look, true);
	engine_wake(engine);
}

/* --- start and stop ------------------------------------------------------------------------------------------------------------------ */

enum rc messages_serve(struct house *house, struct err *err)
{
	struct engine *engine = engine_of(house);
	enum rc rc = dispatcher_number(engine, err);
	if (rc != OK)
		return rc;
	engines_add(engine);
	engine->serving = true;
	engine->stopping = engine->follower_stop = false;
	for (size_t i = 0; i < engine->road_count; i++) {
		rc = channel_start(engine->roads[i].channel, &road_events, &engine->roads[i], err);
		if (rc != OK) {
			while (i-- > 0)
				channel_stop(engine->roads[i].channel, 0);
			engine->serving = false;
			engines_remove(engine);
			return rc;
		}
	}
	if (pthread_create(&engine->thread, NULL, dispatch, engine) != 0 ||
	    pthread_create(&engine->follower, NULL, follow, engine) != 0)
		return err_set(err, FAILED, "cannot start the dispatcher's threads");
	return OK;
}

void messages_stop(struct house *house, int64_t patience_left)
{
	struct engine *engine = house->state[SLOT_MESSAGES];
	if (!engine || !engine->serving)
		return;
	for (size_t i = 0; i < engine->road_count; i++) {
		channel_stop(engine->roads[i].channel, patience_left);
		/* Not every channel says at its end that it is down. What is marked and was not handed over goes back to the queue;
		 * standing 'submitted' it would be in doubt at the next start, though nobody has it. */
		engine->roads[i].up = false;
		road_return(&engine->roads[i]);
	}
	engine->follower_stop = true;
	engine->stopping = true;
	engine_wake(engine);
	pthread_join(engine->thread, NULL);
	pthread_join(engine->follower, NULL);
	/* What the channels reported at the end. */
	for (int tries = 0; tries < 3; tries++) {
		engine->rest_until = 0;
		engine_round(engine);
		if (fold_is_empty(&engine->fold) && engine->mailbox.result_count == 0)
			break;
	}
	lives_tell(engine, true);
	engines_remove(engine);
	engine->serving = false;
}

static void release_maps(struct engine *engine)
{
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->flights, &at, &value)) {
		/* What stands marked and was not handed over still has its text. */
		batch_done(((struct flight *)value)->batch);
		free(value);
	}
	id_map_release(&engine->flights);
	for (struct flight *next, *flight = engine->spare; flight; flight = next) {
		next = flight->next;
		free(flight);
	}
	for (at = 0; id_map_each(&engine->works, &at, &value);)
		free(value);
	id_map_release(&engine->works);
	id_map_release(&engine->route_carriers);
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		routing_release(&engine->routing[channel]);
	lives_release(engine);
	receipts_release(engine);
	free(engine->unsure);
}

void engine_free(struct house *house)
{
	struct engine *engine = house->state[SLOT_MESSAGES];
	if (!engine)
		return;
	messages_stop(house, 0);
	release_maps(engine);
	arena_release(&engine->fold.arena);
	mail_release(&engine->fold.mail);
	mail_release(&engine->mailbox);
	for (size_t i = 0; i < engine->road_count; i++)
		pthread_mutex_destroy(&engine->roads[i].lock);
	if (engine->lock_file >= 0)
		close(engine->lock_file); /* and with it the lock */
	pthread_cond_destroy(&engine->wake);
	pthread_mutex_destroy(&engine->mailbox_lock);
	pthread_mutex_destroy(&engine->lives_lock);
	pthread_mutex_destroy(&engine->figures_lock);
	free(engine);
	house->state[SLOT_MESSAGES] = NULL;
}
