/* Which message a receipt speaks of: a hash table in memory of 16 bytes an entry, since an index in the store would be
 * written at random places and halve the engine's speed. Rebuilt at start from the rows. For one thread. */
#ifndef CHANCERY_CORE_MESSAGES_RECEIPT_INDEX_H
#define CHANCERY_CORE_MESSAGES_RECEIPT_INDEX_H

#include "base/base.h"

struct receipt_entry;
struct receipt_index {
	struct receipt_entry *entries;
	size_t capacity, count; /* capacity is a power of two or 0 */
};

struct receipt_match {
	int64_t message_id;
	unsigned part;
};

void receipt_index_release(struct receipt_index *index);
/* Remembers that `key` of `route` is `part` of the message. A key may stand for several. The same again changes nothing. */
void receipt_index_add(struct receipt_index *index, int64_t route, uint64_t key, int64_t message_id, unsigned part, int64_t now);
/* Fills at most `most` matches, newest addition last as far as known; returns how many there are. */
size_t receipt_index_find(const struct receipt_index *index, int64_t route, uint64_t key, struct receipt_match *out, size_t most);
/* Forgets what was added more than `age` microseconds before `now` (in whole days). */
void receipt_index_sweep(struct receipt_index *index, int64_t now, int64_t age);

#endif
