/* Frozen audiences: blocks of delta-coded person ids. */
#ifndef CHANCERY_CORE_MESSAGES_BLOCK_H
#define CHANCERY_CORE_MESSAGES_BLOCK_H

#include "core/messages/messages.h"

#define BLOCK_PEOPLE_MAX 1000
/* The messages of a block are numbered block * 1024 + place; the last place is for loose messages, numbered by themselves. */
#define BLOCK_ID_BITS 10
#define BLOCK_LOOSE_PLACE 1023

enum block_state { BLOCK_FROZEN = 1, BLOCK_OPENED = 2, BLOCK_DROPPED = 3, BLOCK_ANSWERED = 4, BLOCK_CLOSED = 5 };

static inline int64_t block_message_id(int64_t block_id, int64_t place) { return (block_id << BLOCK_ID_BITS) + place; }

/* Reads ids one by one: *at is the offset in the bytes (0 first), *id the last id (0 first). False at the end or if the bytes are broken. */
bool block_next_id(struct str ids, size_t *at, int64_t *id);
/* True if `person_id` is among them. */
bool block_has(struct str ids, int64_t person_id);

#endif
