/* Notices in memory: what the hand-over must know of them without asking the store. */
#include <stdlib.h>

#include "core/messages/internal.h"

#define TELL_EVERY (250 * INT64_C(1000)) /* microseconds between two words to the listeners of one event */

static void settle(struct live *live, uint64_t seen, bool superseded)
{
	uint64_t base = seen & ~(uint64_t)GATE_BITS;
	/* Fails if it came under suspicion again since: then the store is asked again. */
	atomic_compare_exchange_strong(&live->gate, &seen, base | (superseded ? GATE_SUPERSEDED : GATE_OPEN));
}

struct live *live_known(struct engine *engine, int64_t notice_id)
{
	pthread_mutex_lock(&engine->lives_lock);
	struct live *live = id_map_get(&engine->lives, notice_id);
	pthread_mutex_unlock(&engine->lives_lock);
	return live;
}

/* The transaction and the dispatcher may have read the same notice: the first stays. */
static struct live *keep_live(struct engine *engine, struct live *live)
{
	pthread_mutex_lock(&engine->lives_lock);
	struct live *first = id_map_get(&engine->lives, live->id);
	if (!first)
		id_map_set(&engine->lives, live->id, live);
	pthread_mutex_unlock(&engine->lives_lock);
	if (!first)
		return live;
	free(live);
	return first;
}

enum rc live_find(struct engine *engine, struct db_tx *tx, int64_t notice_id, struct live **out, struct err *err)
{
	struct live *live = live_known(engine, notice_id);
	if (live) {
		*out = live;
		return OK;
	}
	struct arena arena;
	arena_init(&arena);
	struct notice_find_args args = { .id = notice_id };
	struct notice_row row;
	enum rc rc = notice_find(tx, &arena, &args, &row, err);
	arena_release(&arena);
	if (rc != OK)
		return rc;
	live = calloc(1, sizeof *live);
	if (!live)
		abort();
	live->id = row.id;
	live->kind = row.kind;
	live->event_id = row.event_id;
	live->subject_id = row.subject_id;
	live->lane = row.lane;
	live->expires_at = row.expires_at;
	live->held = row.held_at != DB_NULL;
	/* Under suspicion until a writing transaction has asked: what was read may be a moment old. */
	atomic_store(&live->gate, row.superseded_at != DB_NULL ? GATE_SUPERSEDED : GATE_SUSPECT);
	*out = keep_live(engine, live);
	return OK;
}

bool live_is_open(const struct live *live, int64_t now)
{
	return (atomic_load(&live->gate) & GATE_BITS) == GATE_OPEN && !live->held && live->expires_at > now;
}

enum rc lives_ask(struct engine *engine, struct db_tx *tx, struct arena *arena, bool all, struct verdict **out,
                  size_t *count_out, struct err *err)
{
	struct verdict *verdicts = NULL;
	size_t count = 0, capacity = 0, at = 0;
	void *value;
	/* The dispatcher may read in another notice meanwhile; none is forgotten. */
	pthread_mutex_lock(&engine->lives_lock);
	while (id_map_each(&engine->lives, &at, &value)) {
		struct verdict verdict = { .live = value, .gate = atomic_load(&((struct live *)value)->gate) };
		uint64_t gate = verdict.gate & GATE_BITS;
		if (gate != GATE_SUPERSEDED && (all || verdict.live->in_batch || gate == GATE_SUSPECT))
			ARENA_PUSH(arena, verdicts, count, capacity, verdict);
	}
	pthread_mutex_unlock(&engine->lives_lock);
	for (size_t i = 0; i < count; i++) {
		struct notice_find_settled_args args = { .id = verdicts[i].live->id };
		struct notice_row row;
		enum rc rc = notice_find_settled(tx, arena, &args, &row, err);
		if (rc != OK)
			return rc;
		verdicts[i].superseded = row.superseded_at != DB_NULL;
		verdicts[i].held = row.held_at != DB_NULL;
	}
	*out = verdicts;
	*count_out = count;
	return OK;
}

void lives_settle(struct engine *engine, const struct verdict *verdicts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct live *live = verdicts[i].live;
		settle(live, verdicts[i].gate, verdicts[i].superseded);
		/* What waited for the answer goes on at once, whatever it is. */
		engine->again |= (verdicts[i].gate & GATE_BITS) == GATE_SUSPECT;
		if (live->held && !verdicts[i].held)
			blocks_look(engine);
		live->held = verdicts[i].held;
		live->changed |= verdicts[i].superseded;
	}
}

void lives_tell(struct engine *engine, bool all)
{
	int64_t now = clock_monotonic();
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->lives, &at, &value)) {
		struct live *live = value;
		if (!live->changed || (!all && now - live->told_at < TELL_EVERY))
			continue;
		live->changed = false;
		live->told_at = now;
		const struct notice_desk *desk = live->kind > 0 && live->kind < NOTICE_KIND_COUNT ? engine->desks[live->kind] : NULL;
		if (desk && desk->progress)
			desk->progress(engine->house, live->event_id);
	}
}

/* Forgets notices nothing in memory speaks of any more. */
void lives_prune(struct engine *engine)
{
	struct id_map used = { 0 };
	struct arena arena;
	struct live **gone = NULL;
	size_t at = 0, count = 0, capacity = 0;
	void *value;
	arena_init(&arena);
	while (id_map_each(&engine->works, &at, &value))
		id_map_set(&used, ((struct work *)value)->live->id, value);
	for (at = 0; id_map_each(&engine->flights, &at, &value);)
		if (((struct flight *)value)->live)
			id_map_set(&used, ((struct flight *)value)->live->id, value);
	for (at = 0; id_map_each(&engine->lives, &at, &value);) {
		struct live *live = value;
		if (!live->changed && !live->end_loose && !id_map_get(&used, live->id))
			ARENA_PUSH(&arena, gone, count, capacity, live);
	}
	pthread_mutex_lock(&engine->lives_lock);
	for (size_t i = 0; i < count; i++) {
		id_map_remove(&engine->lives, gone[i]->id);
		free(gone[i]);
	}
	pthread_mutex_unlock(&engine->lives_lock);
	id_map_release(&used);
	arena_release(&arena);
}

void lives_release(struct engine *engine)
{
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->lives, &at, &value))
		free(value);
	id_map_release(&engine->lives);
}
