/* The ladder: a person is told by one way after the other, until they answer (docs/decisions/0052). Private to the room.
 *
 * Written as words, one a rung: "own:5/15/60 contact", "mail:15 sms:30". The minutes are how long an answer is awaited before the next rung, of
 * Extreme, Severe and everything below; one number stands for all three. "own" is every way in the person's own order and stands alone but for
 * "contact", the emergency contact, which comes last and has no minutes. */
#ifndef CHANCERY_DESKS_TRAVEL_ALERT_LADDER_H
#define CHANCERY_DESKS_TRAVEL_ALERT_LADDER_H

#include "core/messages/messages.h"
#include "kernel/text/text.h"

#define LADDER_RUNGS_MAX 4
#define LADDER_NAME_MAX 60                /* characters */
#define LADDER_TEXT_MAX 200               /* bytes */
#define LADDER_WAIT_MAX (7 * 24 * 60)     /* minutes */
#define LADDER_WAITS 3                    /* Extreme, Severe, below */
#define LADDER_ORDER_BITS 4               /* of one channel in an order */

struct ladder_rung {
	enum channel_kind channel; /* CHANNEL_NONE: the person's own order */
	int32_t minutes[LADDER_WAITS];
};
struct ladder {
	struct ladder_rung rungs[LADDER_RUNGS_MAX];
	size_t count; /* 0 and no contact: all at once */
	bool contact; /* the emergency contact comes last */
};
static inline bool ladder_is_empty(const struct ladder *ladder) { return ladder->count == 0 && !ladder->contact; }

/* Reads the words; an empty text is no ladder. INVALID with a detail in English. */
enum rc ladder_read(struct str text, struct ladder *out, struct err *err);
/* The same words in their shortest form, in the arena; empty for no ladder. */
struct str ladder_write(struct arena *arena, const struct ladder *ladder);
/* What an officer reads: "own order, 5/15/60 min apart; then the emergency contact". */
struct str ladder_words(struct arena *arena, enum language language, const struct ladder *ladder);
/* "e-mail", "SMS" in a language. */
struct str ladder_channel_words(struct arena *arena, enum language language, enum channel_kind channel);

/* One person's way up. Microseconds after the first rung; -1: not a rung of theirs. */
struct ladder_climb {
	int64_t after[CHANNEL_KIND_COUNT];
	int64_t contact_after;
	int64_t last_wait; /* how long an answer to the last rung is awaited */
};
/* `severity` as enum alert_severity, `channels` the person's CHANNEL_BITs; `order` their own order, LADDER_ORDER_BITS a channel, the first in
 * the lowest bits (0: as the channels are numbered). Without a ladder every channel is at 0. */
void ladder_climb(const struct ladder *ladder, int64_t severity, unsigned channels, uint32_t order, struct ladder_climb *out);
/* The channel of `channels` that comes last on the way up; CHANNEL_NONE if there is none. */
enum channel_kind ladder_last(const struct ladder_climb *climb, unsigned channels);
/* Puts a channel behind those in an order; one that is there already stays where it is. */
uint32_t ladder_order_add(uint32_t order, enum channel_kind channel);

/* --- templates --------------------------------------------------------------------------------------------------- */
struct ladder_template {
	struct str name, rungs;
};
/* By name. */
enum rc ladder_list(struct db_tx *tx, struct arena *arena, struct ladder_template **list_out, size_t *count_out, struct err *err);
enum rc ladder_find(struct db_tx *tx, struct arena *arena, struct str name, struct ladder_template *out, struct err *err);

/* --- what the delivery engine asks -------------------------------------------------------------------------------- */
struct alert_version;
/* Whether a message of a sent version is not needed any more: the person has answered since, and another message of it was handed over to them.
 * The text for those for whom it is over always goes. */
enum rc ladder_is_answered(struct db_tx *tx, struct arena *arena, const struct alert_version *version, int64_t person_id, enum channel_kind channel,
                           int64_t text_group, bool *answered_out, struct err *err);
/* notice_desk.lost: the next rung is brought forward. */
enum rc ladder_raise_next(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t now, struct err *err);
/* The job: emergency contacts whose turn has come. */
void alert_contacts(struct house *house);

#endif
