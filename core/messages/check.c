/* The sums of messages, recomputed from the rows. */
#include <stdlib.h>

#include "core/messages/internal.h"

struct checking {
	void (*report)(void *context, struct str line);
	void *context;
	int64_t wrong;
	struct arena arena;
	struct counter_change *items; /* rows and blocks count up, counters down: what is left is wrong */
	size_t count, capacity;
};

static void add(struct checking *checking, const struct check_sum *sum, int64_t state, int64_t sign)
{
	struct counter_change item = { sum->notice_id, sum->channel, state, sign * sum->people };
	ARENA_PUSH(&checking->arena, checking->items, checking->count, checking->capacity, item);
}

static bool is_counted(int64_t state)
{
	return state > MESSAGE_PLANNED && state < MESSAGE_STATE_COUNT && state != MESSAGE_LEASED;
}

static enum rc gather(struct checking *checking, struct db_tx *tx, struct err *err)
{
	struct check_sum *rows[4];
	size_t counts[4] = { 0 };
	struct arena *arena = &checking->arena;
	enum rc rc = check_rows(tx, arena, &rows[0], &counts[0], err);
	if (rc == OK)
		rc = check_blocks(tx, arena, &rows[1], &counts[1], err);
	if (rc == OK)
		rc = check_doubts(tx, arena, &rows[2], &counts[2], err);
	if (rc == OK)
		rc = check_counters(tx, arena, &rows[3], &counts[3], err);
	for (size_t set = 0; rc == OK && set < 3; set++)
		for (size_t i = 0; i < counts[set]; i++) {
			add(checking, &rows[set][i], rows[set][i].state, 1);
			if (set < 2)
				add(checking, &rows[set][i], MESSAGE_PLANNED, 1);
		}
	for (size_t i = 0; rc == OK && i < counts[3]; i++) {
		add(checking, &rows[3][i], rows[3][i].state, -1);
		/* And the sum the design promises, under a state of its own. */
		if (rows[3][i].state == MESSAGE_PLANNED)
			add(checking, &rows[3][i], -1, 1);
		else if (is_counted(rows[3][i].state))
			add(checking, &rows[3][i], -1, -1);
	}
	return rc;
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

static void report(struct checking *checking, const struct counter_change *item, int64_t difference)
{
	const char *what = item->state < 0                       ? "planned_is_not_the_sum"
	                   : item->state == MESSAGE_WAS_IN_DOUBT ? "was_in_doubt"
	                                                         : message_state_name((enum message_state)item->state);
	checking->wrong++;
	if (checking->report)
		checking->report(checking->context,
		                 str_format(&checking->arena, "notice=%lld channel=%lld counter=%s rows_minus_counter=%lld",
		                            (long long)item->notice_id, (long long)item->channel, what, (long long)difference));
}

static enum rc check_work(struct db_tx *tx, void *context, struct err *err)
{
	struct checking *checking = context;
	arena_clear(&checking->arena);
	checking->items = NULL;
	checking->count = checking->capacity = 0;
	checking->wrong = 0;
	enum rc rc = gather(checking, tx, err);
	if (rc != OK || checking->count == 0)
		return rc;
	qsort(checking->items, checking->count, sizeof *checking->items, compare);
	for (size_t i = 0; i < checking->count;) {
		int64_t difference = 0;
		size_t from = i;
		for (; i < checking->count && compare(&checking->items[from], &checking->items[i]) == 0; i++)
			difference += checking->items[i].people;
		if (difference != 0)
			report(checking, &checking->items[from], difference);
	}
	return OK;
}

enum rc messages_check(struct db *db, void (*report_line)(void *context, struct str line), void *context, int64_t *wrong_out,
                       struct err *err)
{
	struct checking checking = { .report = report_line, .context = context };
	arena_init(&checking.arena);
	enum rc rc = db_read(db, check_work, &checking, err);
	if (rc == OK)
		*wrong_out = checking.wrong;
	arena_release(&checking.arena);
	return rc;
}
