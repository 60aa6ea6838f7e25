/* The life of one message as a table. docs/message-states.md draws it. */
#ifndef CHANCERY_CORE_MESSAGES_STATE_H
#define CHANCERY_CORE_MESSAGES_STATE_H

#include "core/messages/messages.h"

/* What can happen to a message. */
enum message_event {
	EVENT_SUBMIT,           /* marked, to be handed over */
	EVENT_ACCEPT,           /* the carrier took every part */
	EVENT_LATER,            /* refused for now, throttled, or never handed over: try again */
	EVENT_REFUSE,           /* refused for good */
	EVENT_DOUBT,            /* handed over, and nobody answered */
	EVENT_DELIVER,          /* receipts say that every part arrived */
	EVENT_RECEIPT_FAIL,     /* a receipt says that it will never arrive */
	EVENT_RECEIPT_EXPIRE,   /* a receipt says that the carrier gave up */
	EVENT_EXPIRE,           /* its time is over */
	EVENT_SUPERSEDE,        /* a later version of the alert was sent */
	EVENT_WITHHOLD,         /* not to be sent: no contact, opted out, plans changed, too long */
	EVENT_COUNT,
};

/* The state `event` leads to from `state`: the same one where it changes nothing. False, and *next untouched, where the
 * event cannot happen in that state; the caller then has lost track of the message and must not write. */
bool message_next(enum message_state state, enum message_event event, enum message_state *next);

/* A late result (of a hand-over that was reported in doubt before) counts in fewer states: an acceptance always, a
 * refusal only while the message is still in doubt, since afterwards another copy is on its way. */
bool message_late_counts(enum message_state state, enum message_event event);

/* Delivered, failed, expired, superseded, not sent. */
bool message_is_ended(enum message_state state);
/* Ended without anyone having taken it for delivery: what makes a person unreachable. */
bool message_is_lost(enum message_state state);
/* "queued", "in doubt" ... for logs and checks. */
const char *message_state_name(enum message_state state);
const char *message_reason_name(enum message_reason reason);

#endif
