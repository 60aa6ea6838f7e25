/* Blocks: opening them into message rows, ending what is superseded or out of time, closing them. */
#include <stdlib.h>

#include "core/messages/internal.h"

struct work *work_add(struct engine *engine, int64_t id, struct live *live, int64_t channel, int64_t text_group, int64_t lane)
{
	struct work *work = calloc(1, sizeof *work);
	if (!work)
		abort();
	work->id = id;
	work->live = live;
	work->channel = channel;
	work->text_group = text_group;
	work->lane = lane;
	work->state = work->stored = BLOCK_OPENED;
	work->again_at = INT64_MAX;
	work->opened_at = clock_now();
	struct work **at = &engine->first[channel][lane];
	while (*at)
		at = &(*at)->next;
	*at = work;
	id_map_set(&engine->works, id, work);
	return work;
}

void work_remove(struct engine *engine, struct work *work)
{
	for (struct work **at = &engine->first[work->channel][work->lane]; *at; at = &(*at)->next)
		if (*at == work) {
			*at = work->next;
			break;
		}
	id_map_remove(&engine->works, work->id);
	free(work);
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

/* One block that a transaction opened. */
struct opened {
	int64_t id, channel, text_group, lane;
	struct live *live;
	int32_t count[MESSAGE_STATE_COUNT];
	int64_t later; /* the earliest message that is not due yet, INT64_MAX none */
};

struct opening {
	struct engine *engine;
	bool all; /* everything due, whatever is open already */
	struct arena arena;
	struct opened *opened;
	size_t count, capacity;
	int64_t ready[CHANNEL_KIND_COUNT][LANE_COUNT]; /* see count_ready */
	int64_t now;
};

/* Messages of opened blocks that wait for their turn alone: those in memory, and those that are to be loaded. What is held for
 * an officer's word, or was refused and waits for its next try, keeps nobody else from their first. */
static void count_ready(struct opening *opening)
{
	const struct engine *engine = opening->engine;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++) {
			int64_t ready = (int64_t)engine->loaded[channel][lane].count;
			for (const struct work *work = engine->first[channel][lane]; work; work = work->next) {
				int64_t queued = work->count[MESSAGE_QUEUED], left = BLOCK_PEOPLE_MAX - work->cursor;
				if (left <= 0 && work->again_at <= opening->now)
					left = queued;
				if (queued > 0 && left > 0 && !work->live->held &&
				    (atomic_load(&work->live->gate) & GATE_BITS) != GATE_SUPERSEDED)
					ready += left < queued ? left : queued;
			}
			opening->ready[channel][lane] = ready;
		}
}

static bool wants_blocks(const struct opening *opening, int64_t channel, int64_t lane)
{
	const struct engine *engine = opening->engine;
	if (opening->all)
		return true;
	int64_t queued = opening->ready[channel][lane];
	for (size_t i = 0; i < opening->count; i++)
		if (opening->opened[i].channel == channel && opening->opened[i].lane == lane)
			queued += opening->opened[i].count[MESSAGE_QUEUED];
	if (queued >= LOOKAHEAD)
		return false;
	for (size_t i = 0; i < engine->road_count; i++)
		if ((int64_t)engine->roads[i].channel->kind == channel)
			return true;
	return false;
}

/* Whether a message of a block that waited is still due, and when. */
static enum message_state state_now(struct opening *opening, struct db_tx *tx, const struct opened *block, bool deferred,
                                    int64_t person_id, int64_t *not_before, int64_t *reason)
{
	struct engine *engine = opening->engine;
	if (block->live->expires_at <= opening->now)
		return MESSAGE_EXPIRED;
	const struct notice_desk *desk = engine->desks[block->live->kind];
	if (!deferred || !desk || !desk->due)
		return MESSAGE_QUEUED;
	if (desk->due(engine->house, tx, block->live->event_id, block->live->subject_id, person_id, not_before))
		return MESSAGE_QUEUED;
	*reason = REASON_PLANS_CHANGED;
	return MESSAGE_NOT_SENT;
}

/* Neighbours in a block that come to the same. */
struct run {
	int64_t first;      /* place of the first */
	int64_t count;
	int64_t not_before, reason;
	enum message_state state;
	struct buf ids;     /* a JSON array */
	int64_t written;    /* by all runs of the block so far */
};

static enum rc write_run(struct opening *opening, struct db_tx *tx, const struct opened *block, struct run *run, struct err *err)
{
	if (run->count == 0)
		return OK;
	const struct live *live = block->live;
	buf_add_char(&run->ids, ']');
	struct message_insert_run_args args = {
		.first = block_message_id(block->id, run->first),
		.person_ids = buf_str(&run->ids),
		.block_id = block->id,
		.notice_id = live->id,
		.event_id = live->event_id,
		.channel = block->channel,
		.text_group = block->text_group,
		.lane = live->lane,
		.state = run->state,
		.reason = run->reason,
		/* As wide as any other time, so that the row keeps its size when it is tried again. */
		.not_before = run->not_before > 0 ? run->not_before : MESSAGE_AT_ONCE,
		.expires_at = live->expires_at,
		.created_at = opening->now,
		.ended_at = run->state == MESSAGE_QUEUED ? MESSAGE_NEVER : opening->now,
	};
	int64_t written = 0;
	enum rc rc = message_insert_run(tx, &args, &written, err);
	run->written += written;
	return rc;
}

static enum rc write_runs(struct opening *opening, struct db_tx *tx, const struct block_next_row *row, struct opened *block,
                          struct run *run, struct err *err)
{
	size_t at = 0;
	int64_t place = 0, person_id = 0;
	enum rc rc = OK;
	for (; rc == OK && block_next_id(row->ids, &at, &person_id); place++) {
		int64_t not_before = row->not_before, reason = REASON_NONE;
		enum message_state state = state_now(opening, tx, block, row->not_before > 0, person_id, &not_before, &reason);
		if (state == MESSAGE_QUEUED && not_before > opening->now && not_before < block->later)
			block->later = not_before;
		block->count[state]++;
		if (run->count == 0 || state != run->state || reason != run->reason || not_before != run->not_before) {
			rc = write_run(opening, tx, block, run, err);
			run->first = place;
			run->count = 0;
			run->state = state;
			run->reason = reason;
			run->not_before = not_before;
			buf_clear(&run->ids);
		}
		buf_add_char(&run->ids, run->count == 0 ? '[' : ',');
		buf_add_int(&run->ids, person_id);
		run->count++;
	}
	if (rc == OK)
		rc = write_run(opening, tx, block, run, err);
	if (rc == OK && place != row->people)
		rc = err_set(err, FAILED, "block %lld holds %lld people, not %lld", (long long)row->id, (long long)place,
		             (long long)row->people);
	return rc;
}

/* The rows of a block; those that stand already (late joiners) are left out by the store. */
static enum rc insert_rows(struct opening *opening, struct db_tx *tx, const struct block_next_row *row, struct opened *block,
                           struct err *err)
{
	struct run run = { 0 };
	buf_init(&run.ids);
	enum rc rc = write_runs(opening, tx, row, block, &run, err);
	buf_release(&run.ids);
	if (rc != OK || run.written == row->people)
		return rc;
	struct message_count_range_args range = { .first = block_message_id(row->id, 0),
		                                  .last = block_message_id(row->id, BLOCK_PEOPLE_MAX - 1) };
	struct message_count_range_row *states;
	size_t count;
	rc = message_count_range(tx, &opening->arena, &range, &states, &count, err);
	memset(block->count, 0, sizeof block->count);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (states[i].state >= 0 && states[i].state < MESSAGE_STATE_COUNT)
			block->count[states[i].state] = (int32_t)states[i].people;
	return rc;
}

/* The counters stood at "all queued"; now they say what became of each. */
static enum rc count_block(struct opening *opening, struct db_tx *tx, const struct opened *block, int64_t people, struct err *err)
{
	struct counters counters;
	counters_init(&counters, &opening->arena);
	int64_t rows = 0;
	for (enum message_state state = MESSAGE_QUEUED; state < MESSAGE_STATE_COUNT; state++) {
		rows += block->count[state];
		counters_move(&counters, block->live->id, block->channel, MESSAGE_QUEUED, state, block->count[state]);
	}
	if (rows != people) {
		counters_add(&counters, block->live->id, block->channel, MESSAGE_PLANNED, rows - people);
		counters_add(&counters, block->live->id, block->channel, MESSAGE_QUEUED, rows - people);
	}
	return counters_write(tx, &counters, err);
}

/* Those whose message ended at once may be unreachable now. */
static enum rc tell_ended(struct opening *opening, struct db_tx *tx, const struct block_next_row *row,
                          const struct opened *block, struct err *err)
{
	if (block->count[MESSAGE_EXPIRED] == 0)
		return OK; /* 'plans changed' is not 'cannot be reached' */
	size_t at = 0;
	int64_t person_id = 0;
	enum rc rc = OK;
	while (rc == OK && block_next_id(row->ids, &at, &person_id))
		rc = tell_reachable(opening->engine, tx, &opening->arena, block->live->id, person_id, block->live->event_id,
		                    opening->now, err);
	return rc;
}

/* Opens the next block of a channel and lane; NOT_FOUND if none waits. */
static enum rc open_next(struct opening *opening, struct db_tx *tx, int64_t channel, int64_t lane, struct err *err)
{
	struct engine *engine = opening->engine;
	struct block_next_args args = { .channel = channel, .lane = lane, .now = opening->now };
	struct block_next_row row;
	enum rc rc = block_next(tx, &opening->arena, &args, &row, err);
	if (rc != OK)
		return rc;
	struct opened block = { .id = row.id, .channel = channel, .text_group = row.text_group, .lane = lane, .later = INT64_MAX };
	rc = live_find(engine, tx, row.notice_id, &block.live, err);
	if (rc == OK) {
		struct block_lease_args lease = { .id = row.id, .state = BLOCK_OPENED, .lease_owner = engine->id };
		rc = block_lease(tx, &lease, NULL, err);
	}
	if (rc == OK)
		rc = insert_rows(opening, tx, &row, &block, err);
	if (rc == OK)
		rc = count_block(opening, tx, &block, row.people, err);
	if (rc == OK)
		rc = tell_ended(opening, tx, &row, &block, err);
	if (rc == OK)
		ARENA_PUSH(&opening->arena, opening->opened, opening->count, opening->capacity, block);
	return rc == NOT_FOUND ? FAILED : rc;
}

static enum rc open_work(struct db_tx *tx, void *context, struct err *err)
{
	struct opening *opening = context;
	arena_clear(&opening->arena);
	opening->opened = NULL;
	opening->count = opening->capacity = 0;
	int64_t until = clock_monotonic() + WORK_MOST;
	for (int64_t lane = 0; lane < LANE_COUNT; lane++)
		for (int64_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
			while (wants_blocks(opening, channel, lane)) {
				if (opening->count > 0 && clock_monotonic() >= until)
					return OK;
				struct err quiet;
				err_init(&quiet, &opening->arena);
				enum rc rc = open_next(opening, tx, channel, lane, &quiet);
				if (rc == NOT_FOUND)
					break;
				if (rc != OK)
					return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
			}
	return OK;
}

static void keep_opened(struct engine *engine, const struct opened *opened)
{
	struct work *work = work_add(engine, opened->id, opened->live, opened->channel, opened->text_group, opened->lane);
	memcpy(work->count, opened->count, sizeof work->count);
	work->again_at = opened->later;
	engine->backlog[work->channel][work->lane] += opened->count[MESSAGE_QUEUED];
	opened->live->changed = true;
}

enum rc blocks_open(struct engine *engine, bool all, bool *opened_out, struct err *err)
{
	struct opening opening = { .engine = engine, .all = all, .now = clock_now() };
	arena_init(&opening.arena);
	count_ready(&opening);
	bool wanted = all;
	for (int64_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		for (int64_t lane = 0; lane < LANE_COUNT; lane++)
			wanted |= wants_blocks(&opening, channel, lane);
	enum rc rc = wanted ? db_write(engine->house->db, DB_LANE_DELIVERY, open_work, &opening, err) : OK;
	for (size_t i = 0; rc == OK && i < opening.count; i++)
		keep_opened(engine, &opening.opened[i]);
	*opened_out = rc == OK && opening.count > 0;
	if (rc == OK && wanted && opening.count == 0)
		engine->block_look = false; /* until something is sent or comes due */
	arena_release(&opening.arena);
	return rc;
}

/* --- ending ------------------------------------------------------------------------------------------------------- */

/* What a block or a loose lot is to come to. */
struct lot {
	int64_t first, last;            /* a block's messages, or */
	int64_t channel, lane, notice_id; /* loose ones: of a notice, or all that are out of time (0) */
	bool loose;
	enum message_event event;
};

struct ending_steps {
	struct engine *engine;
	struct arena lots_arena, arena;
	struct lot *lots;
	size_t count, capacity, done;
	struct moves moves;
	int64_t now;
};

static enum rc list_lot(struct ending_steps *steps, struct db_tx *tx, const struct lot *lot, struct message_open **rows,
                        size_t *count, struct err *err)
{
	if (!lot->loose) {
		struct message_list_open_args args = { .first = lot->first, .last = lot->last };
		return message_list_open(tx, &steps->arena, &args, rows, count, err);
	}
	if (lot->notice_id > 0) {
		struct message_list_loose_notice_args args = { .channel = lot->channel, .lane = lot->lane, .notice_id = lot->notice_id };
		return message_list_loose_notice(tx, &steps->arena, &args, rows, count, err);
	}
	struct message_list_loose_expired_args args = { .channel = lot->channel, .lane = lot->lane, .now = steps->now,
		                                        .most = BATCH_MOST };
	return message_list_loose_expired(tx, &steps->arena, &args, rows, count, err);
}

static enum rc end_lot(struct ending_steps *steps, struct db_tx *tx, const struct lot *lot, struct err *err)
{
	struct arena *arena = &steps->arena;
	struct message_open *rows;
	size_t count, ends = 0;
	enum rc rc = list_lot(steps, tx, lot, &rows, &count, err);
	if (rc != OK || count == 0)
		return rc;
	struct message_end_args *args = ARENA_NEW_ARRAY(arena, struct message_end_args, count);
	struct counters counters;
	counters_init(&counters, arena);
	for (size_t i = 0; i < count; i++) {
		enum message_state was = (enum message_state)rows[i].state, next;
		if (!message_next(was, lot->event, &next) || next == was)
			continue;
		args[ends++] = (struct message_end_args){ .state = next, .ended_at = steps->now, .id = rows[i].id, .was = was };
		counters_move(&counters, rows[i].notice_id, rows[i].channel, was, next, 1);
		struct move move = { .id = rows[i].id, .block_id = lot->loose ? 0 : rows[i].id >> BLOCK_ID_BITS,
			             .from = (uint8_t)was, .to = (uint8_t)next };
		move.live = id_map_get(&steps->engine->lives, rows[i].notice_id);
		ARENA_PUSH(arena, steps->moves.items, steps->moves.count, steps->moves.capacity, move);
	}
	int64_t written = 0;
	if (ends > 0)
		rc = message_end(tx, args, ends, &written, err);
	if (rc == OK && written != (int64_t)ends)
		rc = err_set(err, CONFLICT, "messages moved while they were ended");
	if (rc == OK)
		rc = counters_write(tx, &counters, err);
	for (size_t i = 0; rc == OK && lot->event == EVENT_EXPIRE && i < count; i++)
		if (rows[i].notice_id > 0)
			rc = tell_reachable(steps->engine, tx, arena, rows[i].notice_id, rows[i].person_id, rows[i].event_id,
			                    steps->now, err);
	return rc;
}

static enum rc end_work(struct db_tx *tx, void *context, struct err *err)
{
	struct ending_steps *steps = context;
	arena_clear(&steps->arena);
	steps->moves = (struct moves){ 0 };
	steps->done = 0;
	int64_t until = clock_monotonic() + WORK_MOST;
	enum rc rc = OK;
	while (rc == OK && steps->done < steps->count) {
		if (steps->done > 0 && clock_monotonic() >= until)
			break;
		rc = end_lot(steps, tx, &steps->lots[steps->done++], err);
	}
	return rc;
}

static void add_lot(struct ending_steps *steps, struct lot lot)
{
	ARENA_PUSH(&steps->lots_arena, steps->lots, steps->count, steps->capacity, lot);
}

static void find_lots(struct ending_steps *steps)
{
	struct engine *engine = steps->engine;
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->works, &at, &value)) {
		const struct work *work = value;
		bool superseded = (atomic_load(&work->live->gate) & GATE_BITS) == GATE_SUPERSEDED;
		bool expired = work->live->expires_at <= steps->now;
		if ((superseded && work->count[MESSAGE_QUEUED] > 0) ||
		    (expired && work->count[MESSAGE_QUEUED] + work->count[MESSAGE_IN_DOUBT] > 0))
			add_lot(steps, (struct lot){ .first = block_message_id(work->id, 0),
				                     .last = block_message_id(work->id, BLOCK_PEOPLE_MAX - 1),
				                     .event = superseded && work->count[MESSAGE_QUEUED] > 0 ? EVENT_SUPERSEDE : EVENT_EXPIRE });
	}
	at = 0;
	while (id_map_each(&engine->lives, &at, &value)) {
		struct live *live = value;
		if (!live->end_loose)
			continue;
		live->end_loose = false;
		bool superseded = (atomic_load(&live->gate) & GATE_BITS) == GATE_SUPERSEDED;
		for (int64_t channel = CHANNEL_NONE + 1; superseded && channel < CHANNEL_KIND_COUNT; channel++)
			add_lot(steps, (struct lot){ .loose = true, .channel = channel, .lane = live->lane, .notice_id = live->id,
				                     .event = EVENT_SUPERSEDE });
	}
	if (clock_monotonic() < engine->swept_at)
		return;
	engine->swept_at = clock_monotonic() + 5 * CLOCK_SECOND;
	for (int64_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		for (int64_t lane = 0; lane < LANE_COUNT; lane++)
			add_lot(steps, (struct lot){ .loose = true, .channel = channel, .lane = lane, .event = EVENT_EXPIRE });
}

enum rc blocks_end(struct engine *engine, bool *more_out, struct err *err)
{
	struct ending_steps steps = { .engine = engine, .now = clock_now() };
	arena_init(&steps.lots_arena);
	arena_init(&steps.arena);
	find_lots(&steps);
	enum rc rc = OK;
	if (steps.count > 0)
		rc = db_write(engine->house->db, DB_LANE_DELIVERY, end_work, &steps, err);
	if (rc == OK)
		moves_apply(engine, &steps.moves);
	*more_out = rc == OK && steps.done < steps.count;
	if (rc != OK || *more_out)
		engine->swept_at = 0; /* the loose ones may not have had their turn */
	arena_release(&steps.arena);
	arena_release(&steps.lots_arena);
	return rc;
}

/* --- closing -------------------------------------------------------------------------------------------------------- */

struct closing {
	struct engine *engine;
	struct arena arena;
	struct work **works;
	size_t count, capacity;
};

/* How long receipts are waited for after a notice ran out. */
#define RECEIPTS_AFTER (3 * CLOCK_DAY)

static enum block_state state_of(const struct work *work, int64_t now)
{
	if (work->count[MESSAGE_QUEUED] + work->count[MESSAGE_SUBMITTED] + work->count[MESSAGE_IN_DOUBT] > 0)
		return BLOCK_OPENED;
	if (work->channel == CHANNEL_SMS && work->live->expires_at + RECEIPTS_AFTER > now)
		return BLOCK_ANSWERED;
	return BLOCK_CLOSED;
}

static enum rc close_work(struct db_tx *tx, void *context, struct err *err)
{
	struct closing *closing = context;
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < closing->count; i++) {
		const struct work *work = closing->works[i];
		struct block_lease_args args = { .id = work->id, .state = work->state,
			                         .lease_owner = work->state == BLOCK_CLOSED ? 0 : closing->engine->id };
		rc = block_lease(tx, &args, NULL, err);
	}
	return rc;
}

/* Blocks are about to be forgotten: so are their messages that still wait in memory (their rows have ended), and what else
 * speaks of them speaks of them no more. */
static void part_from_closed(struct engine *engine)
{
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++) {
			struct queue *queue = &engine->loaded[channel][lane];
			for (size_t left = queue->count; left > 0; left--) {
				struct flight *flight = queue_pop(queue);
				if (flight->work && flight->work->stored == BLOCK_CLOSED)
					flight_drop(engine, flight);
				else
					queue_push(queue, flight);
			}
		}
	held_part_from_closed(engine);
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->flights, &at, &value)) {
		struct flight *flight = value;
		if (flight->work && flight->work->stored == BLOCK_CLOSED)
			flight->work = NULL;
	}
}

enum rc blocks_close(struct engine *engine, struct err *err)
{
	struct closing closing = { .engine = engine };
	arena_init(&closing.arena);
	int64_t now = clock_now();
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->works, &at, &value)) {
		struct work *work = value;
		work->state = state_of(work, now);
		if (work->state != work->stored && closing.count < BATCH_MOST)
			ARENA_PUSH(&closing.arena, closing.works, closing.count, closing.capacity, work);
	}
	enum rc rc = OK;
	if (closing.count > 0)
		rc = db_write(engine->house->db, DB_LANE_DELIVERY, close_work, &closing, err);
	bool forgets = false;
	for (size_t i = 0; rc == OK && i < closing.count; i++) {
		closing.works[i]->stored = closing.works[i]->state;
		forgets |= closing.works[i]->state == BLOCK_CLOSED;
	}
	if (forgets)
		part_from_closed(engine);
	for (size_t i = 0; rc == OK && i < closing.count; i++)
		if (closing.works[i]->state == BLOCK_CLOSED)
			work_remove(engine, closing.works[i]);
	arena_release(&closing.arena);
	return rc;
}
