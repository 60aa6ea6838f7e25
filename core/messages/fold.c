/* Results of hand-overs: from what channels report to what the rows say. */
#include <stdlib.h>

#include "core/messages/internal.h"

#define RETRIES_KNOWN 5
#define RETRY_SPREAD 20 /* per cent either way, so that those refused together do not come back together */

int64_t retry_after(unsigned attempts)
{
	static const int64_t waits[RETRIES_KNOWN] = { 30 * CLOCK_SECOND, CLOCK_MINUTE, 2 * CLOCK_MINUTE, 5 * CLOCK_MINUTE,
		                                      10 * CLOCK_MINUTE };
	int64_t wait = waits[attempts == 0 ? 0 : attempts - 1 < RETRIES_KNOWN ? attempts - 1 : RETRIES_KNOWN - 1];
	int64_t spread = wait * RETRY_SPREAD / 100;
	return wait - spread + (int64_t)rand_below((uint64_t)spread * 2 + 1);
}

bool lane_resends(int64_t lane)
{
	return lane != LANE_ANSWER && lane != LANE_REST;
}

/* --- taking in ------------------------------------------------------------------------------------------------------- */

void mail_release(struct mail *mail)
{
	for (size_t i = 0; i < mail->incoming_count; i++)
		free((void *)(uintptr_t)mail->incoming[i].bytes.ptr);
	free(mail->results);
	free(mail->receipts);
	free(mail->incoming);
	*mail = (struct mail){ 0 };
}

static struct str padded(struct arena *arena, const char *carrier_id)
{
	return str_format(arena, "%-*s", MESSAGE_CARRIER_ID_WIDTH, carrier_id);
}

static void finish(struct engine *engine, struct flight *flight)
{
	struct fold *fold = &engine->fold;
	static const enum message_event events[] = {
		[WORST_ACCEPTED] = EVENT_ACCEPT,
		[WORST_LATER] = EVENT_LATER,
		[WORST_DOUBT] = EVENT_DOUBT,
		[WORST_REFUSED] = EVENT_REFUSE,
	};
	if (flight->outcome == WORST_ACCEPTED && flight->parts == 1) {
		struct message_accept_args args = {
			.status_code = flight->status_code,
			.accepted_at = clock_now(),
			.carrier_id = padded(&fold->arena, flight->carrier_id),
			.id = flight->id,
			.owner = engine->id,
		};
		size_t capacity = fold->accept_capacity;
		ARENA_PUSH(&fold->arena, fold->accepted, fold->accept_count, capacity, flight);
		fold->accept_count--;
		ARENA_PUSH(&fold->arena, fold->accepts, fold->accept_count, fold->accept_capacity, args);
		return;
	}
	struct ending ending = {
		.flight = flight,
		.id = flight->id,
		.event = events[flight->outcome],
		.bounced = flight->bounced,
		.waited = flight->waited,
		.reason = flight->outcome != WORST_REFUSED ? REASON_NONE
		          : flight->bounced                ? REASON_UNKNOWN_ADDRESS
		                                           : REASON_REFUSED,
		.status_code = flight->status_code,
		.part = -1,
		.status = flight->status,
	};
	ARENA_PUSH(&fold->arena, fold->endings, fold->ending_count, fold->ending_capacity, ending);
}

static enum worst worst_of(const struct report *report)
{
	switch (report->outcome) {
	case CHANNEL_ACCEPTED:
		return WORST_ACCEPTED;
	case CHANNEL_IN_DOUBT:
		return WORST_DOUBT;
	case CHANNEL_REFUSED:
		return report->fault == CHANNEL_FAULT_RECIPIENT || report->fault == CHANNEL_FAULT_MESSAGE ? WORST_REFUSED
		                                                                                         : WORST_LATER;
	default:
		return WORST_LATER;
	}
}

static void take_result(struct engine *engine, struct flight *flight, const struct report *report)
{
	struct fold *fold = &engine->fold;
	bool whole = report->part == CHANNEL_WHOLE_MESSAGE || report->part >= PARTS_MAX;
	uint32_t bit = whole ? flight->wanted : UINT32_C(1) << report->part;
	if (flight->answered & bit)
		return; /* each part is reported once */
	enum worst worst = worst_of(report);
	flight->answered |= bit;
	if (worst == WORST_ACCEPTED)
		flight->accepted |= bit;
	else
		memcpy(flight->status, report->text, sizeof flight->status);
	if (worst >= flight->outcome) {
		/* A carrier's throttling has slowed its road down. A relay's is greylisting mostly, which speaks of this recipient. */
		bool throttled = report->fault == CHANNEL_FAULT_THROTTLE && flight->channel != CHANNEL_MAIL;
		bool waited = report->outcome == CHANNEL_RETURNED || throttled;
		/* An attempt is spared only if nothing worse than waiting happened to any part. */
		flight->waited = worst == WORST_LATER && waited && (flight->outcome != WORST_LATER || flight->waited);
		flight->outcome = (uint8_t)worst;
		flight->status_code = report->code;
	}
	flight->bounced |= report->outcome == CHANNEL_REFUSED && report->fault == CHANNEL_FAULT_RECIPIENT;
	if (worst == WORST_ACCEPTED && flight->parts > 1) {
		struct message_part_put_args part = { .message_id = flight->id, .part = report->part, .state = MESSAGE_ACCEPTED,
			                              .carrier_id = str_from(report->carrier_id) };
		ARENA_PUSH(&fold->arena, fold->parts, fold->part_count, fold->part_capacity, part);
	} else if (worst == WORST_ACCEPTED) {
		memcpy(flight->carrier_id, report->carrier_id, sizeof flight->carrier_id);
	}
	if ((flight->answered & flight->wanted) == flight->wanted)
		finish(engine, flight);
}

/* Late, or of a message this process does not have in memory: the row decides. */
static void take_late(struct engine *engine, const struct report *report)
{
	static const enum message_event events[] = {
		[WORST_ACCEPTED] = EVENT_ACCEPT,
		[WORST_LATER] = EVENT_LATER,
		[WORST_DOUBT] = EVENT_DOUBT,
		[WORST_REFUSED] = EVENT_REFUSE,
	};
	struct fold *fold = &engine->fold;
	struct flight *again = id_map_get(&engine->flights, report->message);
	if (again && report->outcome == CHANNEL_ACCEPTED)
		road_cancel(engine, again);
	enum worst worst = worst_of(report);
	bool bounced = worst == WORST_REFUSED && report->fault == CHANNEL_FAULT_RECIPIENT;
	struct ending ending = {
		.id = report->message,
		.event = events[worst],
		.late = true,
		.bounced = bounced,
		.reason = worst != WORST_REFUSED ? REASON_NONE : bounced ? REASON_UNKNOWN_ADDRESS : REASON_REFUSED,
		.status_code = report->code,
		.part = report->part,
		.carrier_id = worst == WORST_ACCEPTED ? report->carrier_id : NULL,
		.status = worst == WORST_ACCEPTED ? NULL : report->text,
	};
	ARENA_PUSH(&fold->arena, fold->endings, fold->ending_count, fold->ending_capacity, ending);
}

void fold_take(struct engine *engine)
{
	struct fold *fold = &engine->fold;
	if (fold->filled)
		return; /* the last one is not stored yet */
	pthread_mutex_lock(&engine->mailbox_lock);
	struct mail empty = fold->mail;
	fold->mail = engine->mailbox;
	empty.result_count = empty.receipt_count = empty.incoming_count = 0;
	engine->mailbox = empty;
	for (size_t i = 0; i < engine->road_count; i++) {
		fold->down[i] = engine->roads[i].went_down;
		engine->roads[i].went_down = false;
		fold->filled |= fold->down[i];
	}
	pthread_mutex_unlock(&engine->mailbox_lock);
	for (size_t i = 0; i < fold->mail.result_count; i++) {
		const struct report *report = &fold->mail.results[i];
		struct flight *flight = report->late ? NULL : id_map_get(&engine->flights, report->message);
		routing_note(engine, report);
		if (report->outcome == CHANNEL_ACCEPTED && report->key != 0) {
			/* Before the row says 'accepted': the receipt may stand right behind the answer. */
			unsigned part = report->part < PARTS_MAX ? report->part : 0;
			receipt_index_add(&engine->receipts, engine->roads[report->road].carrier, report->key, report->message, part,
			                  clock_now());
			receipts_claim(engine, report);
		}
		if (flight)
			take_result(engine, flight, report);
		else
			take_late(engine, report);
	}
	fold->filled |= fold->mail.result_count + fold->mail.receipt_count + fold->mail.incoming_count > 0;
}

bool fold_is_empty(const struct fold *fold)
{
	return !fold->filled;
}

/* --- one event of one message ---------------------------------------------------------------------------------------------- */

static bool is_open_or_arrived(enum message_state state)
{
	return state == MESSAGE_QUEUED || state == MESSAGE_SUBMITTED || state == MESSAGE_IN_DOUBT || state == MESSAGE_ACCEPTED ||
	       state == MESSAGE_DELIVERED;
}

static enum rc waits_in_blocks(struct db_tx *tx, struct arena *arena, int64_t kind, int64_t event_id, int64_t person_id,
                               bool *waits, struct err *err)
{
	struct block_list_frozen_person_args args = { .kind = kind, .event_id = event_id, .person_id = person_id };
	struct block_list_frozen_person_row *rows;
	size_t count;
	enum rc rc = block_list_frozen_person(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		*waits |= block_has(rows[i].ids, person_id);
	return rc;
}

enum rc tell_reachable(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t notice_id, int64_t person_id,
                       int64_t event_id, int64_t now, struct err *err)
{
	struct live *live;
	enum rc rc = live_find(engine, tx, notice_id, &live, err);
	if (rc != OK)
		return rc;
	const struct notice_desk *desk = engine->desks[live->kind];
	if (!desk || !desk->unreachable)
		return OK;
	struct message_states_of_person_args args = { .person_id = person_id, .event_id = event_id };
	struct message_states_of_person_row *rows;
	size_t count;
	rc = message_states_of_person(tx, arena, &args, &rows, &count, err);
	bool reachable = false, lost = false;
	for (size_t i = 0; rc == OK && i < count; i++) {
		enum message_state state = (enum message_state)rows[i].state;
		reachable |= is_open_or_arrived(state);
		/* Whose plans changed was not tried at all. */
		lost |= message_is_lost(state) && rows[i].reason != REASON_PLANS_CHANGED;
	}
	if (rc == OK && !reachable && lost)
		rc = waits_in_blocks(tx, arena, live->kind, event_id, person_id, &reachable, err);
	if (rc != OK || (!reachable && !lost))
		return rc;
	return desk->unreachable(tx, event_id, person_id, !reachable, now, err);
}

static void fill_set(struct message_set_args *set, const struct message_row *row)
{
	*set = (struct message_set_args){
		.state = row->state,
		.reason = row->reason,
		.was_in_doubt = row->was_in_doubt,
		.attempts = row->attempts,
		.parts_delivered = row->parts_delivered,
		.status_code = row->status_code,
		.not_before = row->not_before,
		.accepted_at = row->accepted_at,
		.ended_at = row->ended_at,
		.carrier_id = row->carrier_id,
		.carrier_status = row->carrier_status,
		.id = row->id,
	};
}

static void set_next(struct message_set_args *set, const struct message_row *row, enum message_state next,
                     const struct happening *what)
{
	set->state = next;
	if (next == MESSAGE_ACCEPTED && set->accepted_at < 0)
		set->accepted_at = what->now;
	set->ended_at = message_is_ended(next) ? what->now : MESSAGE_NEVER;
	set->reason = message_is_ended(next) ? (int64_t)what->reason : REASON_NONE;
	if (next == MESSAGE_QUEUED) {
		if (what->waited && set->attempts > 0)
			set->attempts--;
		set->not_before = what->now + (what->waited ? 0 : retry_after((unsigned)set->attempts));
	}
	if (next == MESSAGE_IN_DOUBT) {
		set->was_in_doubt = 1;
		/* A mail's connection is gone with its answer, so that no cut of the road need be waited for. */
		bool waits = (what->doubt_waits && row->channel != CHANNEL_MAIL) || !lane_resends(row->lane);
		set->not_before = waits ? row->expires_at : what->now + retry_after((unsigned)set->attempts);
	}
}

/* What follows for the contact and the person. */
static enum rc follow_up(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct message_row *row,
                         enum message_state was, enum message_state next, const struct happening *what, struct err *err)
{
	enum rc rc = OK;
	if (next == MESSAGE_FAILED && what->bounced && row->contact_id > 0) {
		struct err quiet;
		err_init(&quiet, arena);
		rc = contact_end(tx, row->contact_id, S("unknown address"), what->now, &quiet);
		if (rc == NOT_FOUND)
			rc = OK; /* removed meanwhile */
	}
	if (rc == OK && row->notice_id > 0 && message_is_lost(was) != message_is_lost(next))
		rc = tell_reachable(engine, tx, arena, row->notice_id, row->person_id, row->event_id, what->now, err);
	return rc;
}

enum rc message_happen(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t id,
                       const struct happening *what, struct counters *counters, struct moves *moves, struct err *err)
{
	struct message_find_locked_args find = { .id = id };
	struct message_row row;
	enum rc rc = message_find_locked(tx, arena, &find, &row, err);
	if (rc != OK)
		return rc;
	enum message_state was = (enum message_state)row.state, next = was;
	bool counts = !what->late || message_late_counts(was, what->event);
	if (counts && !message_next(was, what->event, &next)) {
		/* Nothing is written that we cannot account for; the row stays as it is, and the operator hears of it. */
		log_error("message_out_of_step", LOGI("message", id), LOGC("state", message_state_name(was)),
		          LOGI("happened", what->event));
		return OK;
	}
	struct message_set_args set;
	fill_set(&set, &row);
	if (next != was)
		set_next(&set, &row, next, what);
	if (counts && what->status_code >= 0)
		set.status_code = what->status_code;
	if (counts && what->carrier_id)
		set.carrier_id = padded(arena, what->carrier_id);
	if (what->status)
		set.carrier_status = str_from(what->status);
	set.parts_delivered += what->parts_delivered;
	rc = message_set(tx, &set, NULL, err);
	if (rc != OK)
		return rc;
	counters_move(counters, row.notice_id, row.channel, was, next, 1);
	if (set.was_in_doubt != row.was_in_doubt)
		counters_add(counters, row.notice_id, row.channel, MESSAGE_WAS_IN_DOUBT, 1);
	struct move move = { .id = id, .block_id = row.block_id, .from = (uint8_t)was, .to = (uint8_t)next,
		             .not_before = set.not_before, .live = id_map_get(&engine->lives, row.notice_id) };
	ARENA_PUSH(arena, moves->items, moves->count, moves->capacity, move);
	return next != was ? follow_up(engine, tx, arena, &row, was, next, what, err) : OK;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------ */

static enum rc write_accept_slowly(struct engine *engine, struct db_tx *tx, struct arena *arena, struct counters *counters,
                                   struct moves *moves, struct err *err)
{
	/* Some row did not stand at 'submitted' any more: a late answer or a receipt was first. */
	struct fold *fold = &engine->fold;
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < fold->accept_count; i++) {
		const struct message_accept_args *args = &fold->accepts[i];
		struct happening what = { .event = EVENT_ACCEPT, .status_code = args->status_code, .now = args->accepted_at,
			                  .carrier_id = fold->accepted[i]->carrier_id };
		rc = message_happen(engine, tx, arena, args->id, &what, counters, moves, err);
	}
	return rc;
}

static enum rc write_accepts(struct engine *engine, struct db_tx *tx, struct arena *arena, struct counters *counters,
                             struct moves *moves, struct err *err)
{
	struct fold *fold = &engine->fold;
	if (fold->accept_count == 0)
		return OK;
	if (fold->slowly)
		return write_accept_slowly(engine, tx, arena, counters, moves, err);
	int64_t written = 0;
	enum rc rc = message_accept(tx, fold->accepts, fold->accept_count, &written, err);
	if (rc == OK && written != (int64_t)fold->accept_count) {
		/* Which of them cannot be told now, so the whole transaction is done again one by one. */
		fold->slowly = true;
		return err_set(err, CONFLICT, "answers met rows that had moved");
	}
	for (size_t i = 0; rc == OK && i < fold->accept_count; i++) {
		const struct flight *flight = fold->accepted[i];
		counters_move(counters, flight->live ? flight->live->id : 0, flight->channel, MESSAGE_SUBMITTED, MESSAGE_ACCEPTED, 1);
		struct move move = { .id = flight->id, .block_id = flight->work ? flight->work->id : 0, .live = flight->live,
			             .from = MESSAGE_SUBMITTED, .to = MESSAGE_ACCEPTED };
		ARENA_PUSH(arena, moves->items, moves->count, moves->capacity, move);
	}
	return rc;
}

/* A late answer of one part of several: the message is accepted when the last part is. */
static enum rc late_part(struct db_tx *tx, struct arena *arena, const struct ending *ending, struct happening *what, bool *counts,
                         struct err *err)
{
	struct message_find_args find = { .id = ending->id };
	struct message_row row;
	enum rc rc = message_find(tx, arena, &find, &row, err);
	if (rc != OK || row.parts <= 1 || ending->part >= PARTS_MAX)
		return rc;
	what->carrier_id = NULL;
	if (ending->event != EVENT_ACCEPT)
		return OK;
	struct message_part_put_args part = { .message_id = ending->id, .part = ending->part, .state = MESSAGE_ACCEPTED,
		                              .carrier_id = str_from(ending->carrier_id) };
	rc = message_part_put(tx, &part, NULL, err);
	struct message_part_list_args list = { .message_id = ending->id };
	struct message_part_list_row *rows;
	size_t count = 0;
	if (rc == OK)
		rc = message_part_list(tx, arena, &list, &rows, &count, err);
	*counts = (int64_t)count >= row.parts;
	return rc;
}

/* All parts are accepted by now; but a receipt may have said before that one of them is lost, and with it the message. */
static enum rc end_by_lost_part(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t id, int64_t now,
                                struct counters *counters, struct moves *moves, struct err *err)
{
	struct message_part_list_args list = { .message_id = id };
	struct message_part_list_row *rows;
	size_t count;
	enum rc rc = message_part_list(tx, arena, &list, &rows, &count, err);
	bool lost = false;
	for (size_t i = 0; rc == OK && i < count; i++)
		lost |= rows[i].state == MESSAGE_FAILED;
	struct happening what = { .event = EVENT_RECEIPT_FAIL, .reason = REASON_RECEIPT_FAILED, .status_code = -1, .now = now };
	return lost ? message_happen(engine, tx, arena, id, &what, counters, moves, err) : rc;
}

static enum rc write_ending(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct ending *ending,
                            struct counters *counters, struct moves *moves, struct err *err)
{
	struct happening what = {
		.event = ending->event,
		.late = ending->late,
		.bounced = ending->bounced,
		.waited = ending->waited,
		.doubt_waits = true, /* until the road is cut or we start anew */
		.reason = ending->reason,
		.status_code = ending->status_code,
		.now = clock_now(),
		.carrier_id = ending->carrier_id,
		.status = str_is_empty(str_from(ending->status)) ? NULL : ending->status,
	};
	bool counts = true;
	enum rc rc = OK;
	if (ending->late)
		rc = late_part(tx, arena, ending, &what, &counts, err);
	if (rc == OK && counts)
		rc = message_happen(engine, tx, arena, ending->id, &what, counters, moves, err);
	if (rc == OK && counts && ending->event == EVENT_ACCEPT)
		rc = end_by_lost_part(engine, tx, arena, ending->id, what.now, counters, moves, err);
	if (rc == NOT_FOUND) {
		log_error("answer_without_message", LOGI("message", ending->id));
		rc = OK;
	}
	return rc;
}

/* The road was cut: what is in doubt on it may be sent again. */
static enum rc release_doubts(struct engine *engine, struct db_tx *tx, const struct road *road, const struct moves *moves,
                              struct err *err)
{
	int64_t now = clock_now();
	enum rc rc = OK;
	size_t at = 0;
	void *value;
	while (rc == OK && id_map_each(&engine->works, &at, &value)) {
		struct work *work = value;
		bool doubts = work->count[MESSAGE_IN_DOUBT] > 0;
		for (size_t i = 0; !doubts && i < moves->count; i++)
			doubts = moves->items[i].block_id == work->id && moves->items[i].to == MESSAGE_IN_DOUBT;
		if (!doubts || !lane_resends(work->lane))
			continue;
		struct message_release_doubt_args args = { .not_before = now, .first = block_message_id(work->id, 0),
			                                   .last = block_message_id(work->id, BLOCK_PEOPLE_MAX - 1),
			                                   .route = road->id };
		rc = message_release_doubt(tx, &args, NULL, err);
		if (work->again_at > now)
			work->again_at = now; /* walked once in vain if this transaction fails */
	}
	struct message_release_loose_doubt_args args = { .not_before = now, .route = road->id, .owner = engine->id };
	if (rc == OK)
		rc = message_release_loose_doubt(tx, &args, NULL, err);
	engine->loose_look[road->channel->kind] = true;
	return rc;
}

enum rc fold_write(struct engine *engine, struct db_tx *tx, struct arena *arena, struct counters *counters,
                   struct moves *moves, struct err *err)
{
	struct fold *fold = &engine->fold;
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < fold->part_count; i++)
		rc = message_part_put(tx, &fold->parts[i], NULL, err);
	if (rc == OK)
		rc = write_accepts(engine, tx, arena, counters, moves, err);
	for (size_t i = 0; rc == OK && i < fold->ending_count; i++)
		if (!fold->endings[i].skip)
			rc = write_ending(engine, tx, arena, &fold->endings[i], counters, moves, err);
	for (size_t i = 0; rc == OK && i < engine->road_count; i++)
		if (fold->down[i])
			rc = release_doubts(engine, tx, &engine->roads[i], moves, err);
	return rc;
}

/* --- what cannot be written ------------------------------------------------------------------------------------------------------ */

struct probe {
	struct engine *engine;
	const struct ending *ending;
	const struct receipt_report *receipt;
	const struct incoming_report *incoming;
};

/* CONFLICT when it could be written: nothing of it is to stay. */
static enum rc probe_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct probe *probe = context;
	struct arena arena;
	struct counters counters;
	struct moves moves = { 0 };
	arena_init(&arena);
	counters_init(&counters, &arena);
	enum rc rc = OK;
	if (probe->ending)
		rc = write_ending(probe->engine, tx, &arena, probe->ending, &counters, &moves, err);
	else if (probe->receipt)
		rc = receipt_write(probe->engine, tx, &arena, probe->receipt, &counters, &moves, err);
	else
		rc = incoming_store(probe->engine, tx, &arena, probe->incoming, err);
	if (rc == OK)
		rc = counters_write(tx, &counters, err);
	probe->engine->fold.kept = NULL; /* it lay in this arena */
	arena_release(&arena);
	return rc == OK ? CONFLICT : rc == CONFLICT ? FAILED : rc;
}

static enum rc beat_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct engine *engine = context;
	int64_t now = clock_now();
	struct dispatcher_beat_args args = { .id = engine->id, .seen_at = now, .lease_until = now + LEASE };
	return dispatcher_beat(tx, &args, NULL, err);
}

/* A store that takes nothing at all says nothing about what it is given. */
static bool store_takes(struct engine *engine)
{
	return db_write(engine->house->db, DB_LANE_DELIVERY, beat_work, engine, NULL) == OK;
}

static bool stumbles(struct probe probe, const char *what, int64_t id)
{
	struct arena arena;
	struct err err;
	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = db_write(probe.engine->house->db, DB_LANE_DELIVERY, probe_work, &probe, &err);
	bool bad = (rc == FAILED || rc == INVALID || rc == NOT_FOUND || rc == DENIED) && store_takes(probe.engine);
	if (bad)
		log_error("left_out", LOGC("what", what), LOGI("message", id), LOGS("detail", err.detail));
	arena_release(&arena);
	return bad;
}

void fold_isolate(struct engine *engine)
{
	struct fold *fold = &engine->fold;
	if (!store_takes(engine))
		return;
	for (size_t i = 0; i < fold->ending_count; i++)
		fold->endings[i].skip = stumbles((struct probe){ .engine = engine, .ending = &fold->endings[i] }, "answer", fold->endings[i].id);
	for (size_t i = 0; i < fold->mail.receipt_count; i++)
		fold->mail.receipts[i].skip = stumbles((struct probe){ .engine = engine, .receipt = &fold->mail.receipts[i] }, "receipt", 0);
	for (size_t i = 0; i < fold->mail.incoming_count; i++)
		if (fold->mail.incoming[i].take)
			fold->mail.incoming[i].skip =
				stumbles((struct probe){ .engine = engine, .incoming = &fold->mail.incoming[i] }, "incoming", 0);
}

/* --- after the commit ----------------------------------------------------------------------------------------------------------- */

/* Tells the carriers: stored true for what is committed, false for what was left out. */
static void acknowledge(struct engine *engine, bool stored)
{
	struct mail *mail = &engine->fold.mail;
	for (size_t i = 0; i < engine->road_count; i++) {
		uint64_t tickets[256];
		size_t count = 0;
		for (size_t r = 0; r < mail->receipt_count + mail->incoming_count; r++) {
			bool receipt = r < mail->receipt_count;
			const struct receipt_report *got = receipt ? &mail->receipts[r] : NULL;
			const struct incoming_report *text = receipt ? NULL : &mail->incoming[r - mail->receipt_count];
			if ((receipt ? got->road : text->road) != i || (receipt ? !got->has_ticket : text->only_if_unmatched))
				continue;
			/* A text that looked like a receipt has one ticket with it. */
			bool skipped = receipt ? got->skip || (got->by_content && mail->incoming[got->incoming].skip) : text->skip;
			if (skipped == stored)
				continue;
			tickets[count++] = receipt ? got->ticket : text->ticket;
			if (count == COUNT_OF(tickets)) {
				channel_acknowledge(engine->roads[i].channel, tickets, count, stored);
				count = 0;
			}
		}
		if (count > 0)
			channel_acknowledge(engine->roads[i].channel, tickets, count, stored);
	}
}

static void forget(struct engine *engine, struct flight *flight)
{
	engine->roads[flight->road].unrecorded--;
	flight_drop(engine, flight);
}

void fold_clear(struct engine *engine)
{
	struct fold *fold = &engine->fold;
	acknowledge(engine, true);
	acknowledge(engine, false);
	for (size_t i = 0; i < fold->accept_count; i++)
		forget(engine, fold->accepted[i]);
	for (size_t i = 0; i < fold->ending_count; i++)
		if (fold->endings[i].flight)
			forget(engine, fold->endings[i].flight);
	for (size_t i = 0; i < fold->mail.incoming_count; i++)
		free((void *)(uintptr_t)fold->mail.incoming[i].bytes.ptr);
	fold->mail.result_count = fold->mail.receipt_count = fold->mail.incoming_count = 0;
	fold->accepts = NULL;
	fold->accepted = NULL;
	fold->endings = NULL;
	fold->parts = NULL;
	fold->accept_count = fold->accept_capacity = fold->ending_count = fold->ending_capacity = 0;
	fold->part_count = fold->part_capacity = 0;
	memset(fold->down, 0, sizeof fold->down);
	fold->filled = false;
	fold->slowly = false;
	arena_clear(&fold->arena);
}
