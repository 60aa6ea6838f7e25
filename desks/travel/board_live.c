/* Tells open pages that something of an alert changed; see kernel/desk/hub.h. The truth is in the store: what is told is only that
 * reading it again is worth while. */
#include <stdio.h>

#include "desks/travel/board.h"

#include "kernel/desk/hub.h"

#define CHANGES_MOST 1000

void board_publish(struct house *house, int64_t alert_id)
{
	char topic[40];
	const int size = snprintf(topic, sizeof topic, "alert/%lld", (long long)alert_id);
	if (house->hub)
		hub_publish(house->hub, (struct str){ topic, (size_t)size }, S("board"));
}

/* The change sequence as far as listeners were told; DB_NULL: not looked yet. Several houses of one process (tests) only tell twice. */
static _Atomic int64_t told = DB_NULL;

static enum rc read_latest(struct db_tx *tx, void *context, struct err *err)
{
	return db_change_latest(tx, context, err);
}

void board_follow(struct house *house)
{
	struct arena arena;
	struct err err;
	struct db_change *changes;
	size_t count = 0;
	int64_t latest = 0, seen = told;
	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = OK;
	if (seen == DB_NULL)
		rc = db_read(house->db, read_latest, &latest, &err);
	else
		rc = db_changes_since(house->db, &arena, seen, CHANGES_MOST, &changes, &count, &err);
	if (rc == CONFLICT) /* trimmed while nobody looked */
		rc = db_read(house->db, read_latest, &latest, &err);
	for (size_t i = 0; i < count; i++) {
		if (str_equal(changes[i].kind, S("board")) && (i + 1 == count || changes[i + 1].subject != changes[i].subject))
			board_publish(house, changes[i].subject);
		latest = changes[i].id;
	}
	if (rc == OK && latest > 0)
		told = latest;
	if (rc != OK)
		log_warn("board.follow", LOGS("detail", err.detail));
	arena_release(&arena);
}
