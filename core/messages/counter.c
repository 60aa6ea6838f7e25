/* Running counters. */
#include <stdlib.h>

#include "core/messages/counter.h"
#include "messages_sql.h"

void counters_init(struct counters *counters, struct arena *arena)
{
	*counters = (struct counters){ .arena = arena };
}

void counters_add(struct counters *counters, int64_t notice_id, int64_t channel, int64_t state, int64_t people)
{
	/* Few notices change in one transaction, and mostly the ones changed last. */
	for (size_t i = counters->count; i-- > 0;) {
		struct counter_change *item = &counters->items[i];
		if (item->notice_id == notice_id && item->channel == channel && item->state == state) {
			item->people += people;
			return;
		}
	}
	struct counter_change item = { notice_id, channel, state, people };
	ARENA_PUSH(counters->arena, counters->items, counters->count, counters->capacity, item);
}

void counters_move(struct counters *counters, int64_t notice_id, int64_t channel, enum message_state from,
                   enum message_state to, int64_t people)
{
	if (from == to || people == 0)
		return;
	counters_add(counters, notice_id, channel, from, -people);
	counters_add(counters, notice_id, channel, to, people);
}

static int compare(const void *left, const void *right)
{
	const struct counter_change *a = left, *b = right;
	if (a->notice_id != b->notice_id)
		return a->notice_id < b->notice_id ? -1 : 1;
	if (a->channel != b->channel)
		return a->channel < b->channel ? -1 : 1;
	return (a->state > b->state) - (a->state < b->state);
}

enum rc counters_write(struct db_tx *tx, struct counters *counters, struct err *err)
{
	if (counters->count > 0)
		qsort(counters->items, counters->count, sizeof *counters->items, compare);
	for (size_t i = 0; i < counters->count; i++) {
		const struct counter_change *item = &counters->items[i];
		if (item->people == 0)
			continue;
		struct counter_add_args args = { .notice_id = item->notice_id, .channel = item->channel, .state = item->state,
			                         .people = item->people };
		enum rc rc = counter_add(tx, &args, NULL, err);
		if (rc != OK)
			return rc;
	}
	return OK;
}

static void count_row(struct message_counts *counts, const struct counter_row *row)
{
	if (row->channel < 0 || row->channel >= CHANNEL_KIND_COUNT)
		return;
	int64_t state = row->state == MESSAGE_WAS_IN_DOUBT ? MESSAGE_STATE_COUNT : row->state;
	if (state >= 0 && state <= MESSAGE_STATE_COUNT)
		counts->of[row->channel][state] += row->people;
}

enum rc message_count_event(struct db_tx *tx, enum notice_kind kind, int64_t event_id, struct message_counts *out,
                            struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct counter_list_event_args args = { .kind = kind, .event_id = event_id };
	struct counter_row *rows;
	size_t count;
	enum rc rc = counter_list_event(tx, &arena, &args, &rows, &count, err);
	if (rc == OK) {
		*out = (struct message_counts){ 0 };
		for (size_t i = 0; i < count; i++)
			count_row(out, &rows[i]);
	}
	arena_release(&arena);
	return rc;
}

enum rc message_count_notice(struct db_tx *tx, int64_t notice_id, struct message_counts *out, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct counter_list_args args = { .notice_id = notice_id };
	struct counter_row *rows;
	size_t count;
	enum rc rc = counter_list(tx, &arena, &args, &rows, &count, err);
	if (rc == OK) {
		*out = (struct message_counts){ 0 };
		for (size_t i = 0; i < count; i++)
			count_row(out, &rows[i]);
	}
	arena_release(&arena);
	return rc;
}
