/* Notices after their freeze, and single messages: everything that is called in others' transactions. */
#include <stdlib.h>

#include "core/messages/internal.h"

/* Engines of this process, so that a supersede reaches their gates before its commit. Usually one. */
#define ENGINES_MAX 16
static pthread_mutex_t engines_lock = PTHREAD_MUTEX_INITIALIZER; /* guards engines, engine_count */
static struct engine *engines[ENGINES_MAX];
static size_t engine_count;

void engines_add(struct engine *engine)
{
	pthread_mutex_lock(&engines_lock);
	if (engine_count == ENGINES_MAX)
		abort();
	engines[engine_count++] = engine;
	pthread_mutex_unlock(&engines_lock);
}

void engines_remove(struct engine *engine)
{
	pthread_mutex_lock(&engines_lock);
	for (size_t i = 0; i < engine_count; i++)
		if (engines[i] == engine)
			engines[i--] = engines[--engine_count];
	pthread_mutex_unlock(&engines_lock);
}

static void shut(struct live *live)
{
	uint64_t gate = atomic_load(&live->gate);
	/* A superseded notice stays so; every other suspicion counts anew. */
	while ((gate & GATE_BITS) != GATE_SUPERSEDED &&
	       !atomic_compare_exchange_weak(&live->gate, &gate, ((gate & ~(uint64_t)GATE_BITS) + GATE_STEP) | GATE_SUSPECT))
		;
}

static void suspect(struct engine *engine, enum notice_kind kind, int64_t event_id, int64_t before)
{
	size_t at = 0;
	void *value;
	bool any = false;
	pthread_mutex_lock(&engine->lives_lock);
	while (id_map_each(&engine->lives, &at, &value)) {
		struct live *live = value;
		if (live->kind == (int64_t)kind && live->event_id == event_id && live->id < before) {
			shut(live);
			any = true;
		}
	}
	pthread_mutex_unlock(&engine->lives_lock);
	/* A hand-over that looked at the gate a moment ago ends before the commit. */
	for (size_t i = 0; any && i < engine->road_count; i++) {
		pthread_mutex_lock(&engine->roads[i].lock);
		pthread_mutex_unlock(&engine->roads[i].lock);
	}
	if (any)
		engine_wake(engine);
}

void engines_suspect(enum notice_kind kind, int64_t event_id, int64_t before)
{
	pthread_mutex_lock(&engines_lock);
	for (size_t i = 0; i < engine_count; i++)
		suspect(engines[i], kind, event_id, before);
	pthread_mutex_unlock(&engines_lock);
}

/* Frozen blocks hold no message rows yet: dropping one is one row and its counter. */
static enum rc drop_blocks(struct db_tx *tx, struct arena *arena, int64_t notice_id, struct err *err)
{
	struct block_drop_args args = { .notice_id = notice_id };
	struct block_drop_row *dropped;
	size_t count;
	enum rc rc = block_drop(tx, arena, &args, &dropped, &count, err);
	struct counters counters;
	counters_init(&counters, arena);
	for (size_t i = 0; rc == OK && i < count; i++)
		counters_move(&counters, notice_id, dropped[i].channel, MESSAGE_QUEUED, MESSAGE_SUPERSEDED, dropped[i].people);
	return rc == OK ? counters_write(tx, &counters, err) : rc;
}

enum rc notice_supersede(struct db_tx *tx, enum notice_kind kind, int64_t event_id, int64_t keep_notice_id, int64_t now,
                         struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	int64_t before = keep_notice_id > 0 ? keep_notice_id : INT64_MAX;
	struct notice_mark_superseded_args args = { .superseded_at = now, .kind = kind, .event_id = event_id, .before = before };
	struct notice_mark_superseded_row *marked;
	size_t count;
	enum rc rc = notice_mark_superseded(tx, &arena, &args, &marked, &count, err);
	if (rc == OK && count > 0)
		engines_suspect(kind, event_id, before);
	for (size_t i = 0; rc == OK && i < count; i++) {
		rc = drop_blocks(tx, &arena, marked[i].id, err);
		if (rc == OK)
			rc = db_change_append(tx, S("notice"), marked[i].id, err);
	}
	arena_release(&arena);
	return rc;
}

enum rc notice_resume(struct db_tx *tx, int64_t notice_id, struct err *err)
{
	struct notice_release_args args = { .id = notice_id };
	int64_t changed;
	enum rc rc = notice_release(tx, &args, &changed, err);
	if (rc == OK && changed == 0)
		return err_set(err, NOT_FOUND, "notice %lld is not held", (long long)notice_id);
	return rc == OK ? db_change_append(tx, S("notice"), notice_id, err) : rc;
}

enum rc loose_message_id(struct db_tx *tx, int64_t *id_out, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct message_number_next_row row;
	enum rc rc = message_number_next(tx, &arena, &row, err);
	if (rc == OK)
		*id_out = block_message_id(row.last, BLOCK_LOOSE_PLACE);
	arena_release(&arena);
	return rc;
}

/* Inserts one loose message; *added tells whether it was not there yet. */
static enum rc insert_loose(struct db_tx *tx, struct message_insert_args *args, bool *added, struct err *err)
{
	enum rc rc = loose_message_id(tx, &args->id, err);
	int64_t changed = 0;
	if (rc == OK)
		rc = message_insert(tx, args, &changed, err);
	*added = changed > 0;
	if (rc != OK || !*added)
		return rc;
	struct arena arena;
	arena_init(&arena);
	struct counters counters;
	counters_init(&counters, &arena);
	counters_add(&counters, args->notice_id, args->channel, MESSAGE_PLANNED, 1);
	counters_add(&counters, args->notice_id, args->channel, MESSAGE_QUEUED, 1);
	rc = counters_write(tx, &counters, err);
	arena_release(&arena);
	return rc == OK ? db_change_append(tx, S("message"), args->id, err) : rc;
}

enum rc notice_add_person(struct db_tx *tx, int64_t notice_id, const struct notice_person *person, int64_t now, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct notice_find_settled_args find = { .id = notice_id };
	struct notice_row notice;
	enum rc rc = notice_find_settled(tx, &arena, &find, &notice, err);
	if (rc == OK && notice.superseded_at != DB_NULL)
		rc = err_set(err, CONFLICT, "notice %lld is superseded", (long long)notice_id);
	for (int64_t channel = CHANNEL_NONE + 1; rc == OK && channel < CHANNEL_KIND_COUNT; channel++) {
		if (!(person->channels & CHANNEL_BIT(channel)))
			continue;
		struct message_insert_args args = {
			.notice_id = notice_id,
			.event_id = notice.event_id,
			.person_id = person->person_id,
			.contact_id = MESSAGE_CONTACT_LATER,
			.channel = channel,
			.text_group = person->text_group,
			.lane = notice.lane,
			.not_before = person->not_before[channel],
			.expires_at = notice.expires_at,
			.created_at = now,
		};
		bool added;
		rc = insert_loose(tx, &args, &added, err);
	}
	arena_release(&arena);
	return rc;
}

/* Which frozen block of a notice and channel holds the person, and with which text; 0: none. */
static enum rc find_frozen_block(struct db_tx *tx, struct arena *arena, int64_t notice_id, int64_t person_id, enum channel_kind channel,
                                 int64_t *block_out, int64_t *text_group_out, struct err *err)
{
	struct block_list_person_args args = { .notice_id = notice_id, .person_id = person_id };
	struct block_list_person_row *rows;
	size_t count;
	enum rc rc = block_list_person(tx, arena, &args, &rows, &count, err);
	*block_out = 0;
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].state == BLOCK_FROZEN && rows[i].channel == (int64_t)channel && block_has(rows[i].ids, person_id)) {
			*block_out = rows[i].id;
			*text_group_out = rows[i].text_group;
		}
	return rc;
}

/* A row that stands: moved if it is a loose one that waits and was never tried. */
static enum rc move_forward(struct db_tx *tx, int64_t message_id, int64_t not_before, struct err *err)
{
	int64_t changed = 0;
	enum rc rc = message_raise(tx, &(struct message_raise_args){ .id = message_id, .not_before = not_before }, &changed, err);
	if (rc == OK && changed == 0)
		return NOT_FOUND;
	return rc == OK ? db_change_append(tx, S("message"), message_id, err) : rc;
}

static enum rc raise(struct db_tx *tx, struct arena *arena, int64_t notice_id, int64_t person_id, enum channel_kind channel,
                     int64_t not_before, int64_t now, struct err *err)
{
	struct notice_find_settled_args find = { .id = notice_id };
	struct message_list_notice_person_args list = { .notice_id = notice_id, .person_id = person_id };
	struct message_list_notice_person_row *rows = NULL;
	struct notice_row notice;
	size_t count = 0;
	int64_t block_id = 0, text_group = 0, changed = 0;
	enum rc rc = notice_find_settled(tx, arena, &find, &notice, err);
	if (rc == OK && notice.superseded_at != DB_NULL)
		rc = err_set(err, CONFLICT, "notice %lld is superseded", (long long)notice_id);
	if (rc == OK)
		rc = message_list_notice_person(tx, arena, &list, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].channel == (int64_t)channel)
			return move_forward(tx, rows[i].id, not_before > now ? not_before : now, err);
	if (rc == OK)
		rc = find_frozen_block(tx, arena, notice_id, person_id, channel, &block_id, &text_group, err);
	if (rc == OK && block_id > 0)
		rc = block_take_out(tx, &(struct block_take_out_args){ .id = block_id }, &changed, err);
	if (rc != OK || changed == 0)
		return rc == OK ? NOT_FOUND : rc;
	struct message_insert_args args = {
		.notice_id = notice_id,
		.event_id = notice.event_id,
		.person_id = person_id,
		.contact_id = MESSAGE_CONTACT_LATER,
		.channel = channel,
		.text_group = text_group,
		.lane = notice.lane,
		.not_before = not_before > now ? not_before : now,
		.expires_at = notice.expires_at,
		.created_at = now,
	};
	rc = loose_message_id(tx, &args.id, err);
	if (rc == OK)
		rc = message_insert(tx, &args, &changed, err);
	if (rc == OK && changed == 0)
		rc = err_set(err, CONFLICT, "the message was brought forward by someone else");
	/* Planned and queued before and after: no counter moves. */
	return rc == OK ? db_change_append(tx, S("message"), args.id, err) : rc;
}

enum rc notice_raise_person(struct db_tx *tx, int64_t notice_id, int64_t person_id, enum channel_kind channel, int64_t not_before, int64_t now,
                            struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	enum rc rc = raise(tx, &arena, notice_id, person_id, channel, not_before, now, err);
	arena_release(&arena);
	return rc;
}

enum rc message_queue(struct db_tx *tx, const struct message_single *message, int64_t now, int64_t *message_id_out,
                      struct err *err)
{
	bool has_address = !str_is_empty(message->address);
	if ((unsigned)message->lane >= LANE_COUNT || message->channel <= CHANNEL_NONE || message->channel >= CHANNEL_KIND_COUNT ||
	    has_address == (message->contact_id > 0))
		return err_set(err, FAILED, "a single message has a lane, a channel, and a contact or an address");
	struct message_insert_args args = {
		.person_id = message->person_id,
		.contact_id = message->contact_id,
		.channel = message->channel,
		.lane = message->lane,
		.expires_at = message->expires_at,
		.created_at = now,
	};
	bool added;
	enum rc rc = insert_loose(tx, &args, &added, err);
	if (rc != OK)
		return rc;
	struct message_text_insert_args text = {
		.message_id = args.id,
		.address = has_address ? message->address : S(""),
		.subject = str_is_none(message->subject) ? S("") : message->subject,
		.in_reply_to = str_is_none(message->in_reply_to) ? S("") : message->in_reply_to,
		.body = message->body,
	};
	rc = message_text_insert(tx, &text, NULL, err);
	if (rc == OK && message_id_out)
		*message_id_out = args.id;
	return rc;
}
