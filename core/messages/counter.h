/* Running counters of messages, changed in the transaction that changes the states. */
#ifndef CHANCERY_CORE_MESSAGES_COUNTER_H
#define CHANCERY_CORE_MESSAGES_COUNTER_H

#include "core/messages/messages.h"

struct counter_change {
	int64_t notice_id, channel, state, people;
};

/* Changes gathered during a transaction. */
struct counters {
	struct arena *arena;
	struct counter_change *items;
	size_t count, capacity;
};

void counters_init(struct counters *counters, struct arena *arena);
/* Adds `people` (may be negative) to one counter. `state` may be MESSAGE_WAS_IN_DOUBT. */
void counters_add(struct counters *counters, int64_t notice_id, int64_t channel, int64_t state, int64_t people);
/* Moves `people` messages from one state to another. */
void counters_move(struct counters *counters, int64_t notice_id, int64_t channel, enum message_state from,
                   enum message_state to, int64_t people);
/* Writes them, always in the same order, so that two processes never wait for each other in a circle. */
enum rc counters_write(struct db_tx *tx, struct counters *counters, struct err *err);

#endif
