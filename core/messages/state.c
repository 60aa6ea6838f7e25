/* The life of one message as a table. */
#include "core/messages/state.h"

/* Short names keep the table a table. */
enum {
	ill = -1, /* cannot happen */
	QUE = MESSAGE_QUEUED,
	SUB = MESSAGE_SUBMITTED,
	ACC = MESSAGE_ACCEPTED,
	DEL = MESSAGE_DELIVERED,
	FAI = MESSAGE_FAILED,
	DOU = MESSAGE_IN_DOUBT,
	EXP = MESSAGE_EXPIRED,
	SUP = MESSAGE_SUPERSEDED,
	NOT = MESSAGE_NOT_SENT,
};

/* Why some cells are not what one would expect:
 * - After a doubt a second copy is sent. The first may still be accepted, refused, delivered or lost, in any order with
 *   the second. One accepted copy counts, so an acceptance or a delivery wins over everything but a delivery.
 * - A message in doubt is not superseded: it may have arrived. It is not sent again, and ends by its receipt or expiry.
 * - A submitted message does not expire: its answer is on the way. */
static const signed char table[MESSAGE_STATE_COUNT][EVENT_COUNT] = {
	/*                        SUBMIT ACCEPT LATER REFUSE DOUBT DELIVER RFAIL REXPIRE EXPIRE SUPERS WITHHOLD */
	[MESSAGE_PLANNED] =     { ill,   ill,   ill,  ill,   ill,  ill,    ill,  ill,    ill,   ill,   ill },
	[MESSAGE_QUEUED] =      { SUB,   ACC,   ill,  ill,   ill,  DEL,    QUE,  QUE,    EXP,   SUP,   NOT },
	[MESSAGE_LEASED] =      { ill,   ill,   ill,  ill,   ill,  ill,    ill,  ill,    ill,   ill,   ill },
	[MESSAGE_SUBMITTED] =   { ill,   ACC,   QUE,  FAI,   DOU,  DEL,    SUB,  SUB,    ill,   ill,   ill },
	[MESSAGE_ACCEPTED] =    { ill,   ACC,   ACC,  ACC,   ACC,  DEL,    FAI,  EXP,    ill,   ill,   ill },
	[MESSAGE_DELIVERED] =   { ill,   DEL,   DEL,  DEL,   DEL,  DEL,    DEL,  DEL,    ill,   ill,   ill },
	[MESSAGE_FAILED] =      { ill,   ACC,   FAI,  FAI,   FAI,  DEL,    FAI,  FAI,    ill,   ill,   ill },
	[MESSAGE_IN_DOUBT] =    { SUB,   ACC,   QUE,  FAI,   DOU,  DEL,    DOU,  DOU,    EXP,   DOU,   ill },
	[MESSAGE_EXPIRED] =     { ill,   ACC,   EXP,  EXP,   EXP,  DEL,    EXP,  EXP,    ill,   ill,   ill },
	[MESSAGE_SUPERSEDED] =  { ill,   ACC,   SUP,  SUP,   SUP,  DEL,    SUP,  SUP,    ill,   ill,   ill },
	[MESSAGE_NOT_SENT] =    { ill,   ACC,   NOT,  NOT,   NOT,  DEL,    NOT,  NOT,    ill,   ill,   ill },
};

bool message_next(enum message_state state, enum message_event event, enum message_state *next)
{
	if ((unsigned)state >= MESSAGE_STATE_COUNT || (unsigned)event >= EVENT_COUNT)
		return false;
	int to = table[state][event];
	if (to == ill)
		return false;
	*next = (enum message_state)to;
	return true;
}

bool message_late_counts(enum message_state state, enum message_event event)
{
	return event == EVENT_ACCEPT || state == MESSAGE_IN_DOUBT;
}

bool message_is_ended(enum message_state state)
{
	return state == MESSAGE_DELIVERED || state == MESSAGE_FAILED || state == MESSAGE_EXPIRED ||
	       state == MESSAGE_SUPERSEDED || state == MESSAGE_NOT_SENT;
}

bool message_is_lost(enum message_state state)
{
	return state == MESSAGE_FAILED || state == MESSAGE_EXPIRED || state == MESSAGE_NOT_SENT;
}

static const char *const state_names[MESSAGE_STATE_COUNT] = {
	[MESSAGE_PLANNED] = "planned",   [MESSAGE_QUEUED] = "queued",         [MESSAGE_LEASED] = "leased",
	[MESSAGE_SUBMITTED] = "submitted", [MESSAGE_ACCEPTED] = "accepted",   [MESSAGE_DELIVERED] = "delivered",
	[MESSAGE_FAILED] = "failed",     [MESSAGE_IN_DOUBT] = "in_doubt",     [MESSAGE_EXPIRED] = "expired",
	[MESSAGE_SUPERSEDED] = "superseded", [MESSAGE_NOT_SENT] = "not_sent",
};

const char *message_state_name(enum message_state state)
{
	return (unsigned)state < MESSAGE_STATE_COUNT ? state_names[state] : "unknown";
}

static const char *const reason_names[REASON_COUNT] = {
	[REASON_NONE] = "none",
	[REASON_REFUSED] = "refused",
	[REASON_UNKNOWN_ADDRESS] = "unknown_address",
	[REASON_RECEIPT_FAILED] = "receipt_failed",
	[REASON_RECEIPT_EXPIRED] = "receipt_expired",
	[REASON_OPTED_OUT] = "opted_out",
	[REASON_NO_CONTACT] = "no_contact",
	[REASON_PLANS_CHANGED] = "plans_changed",
	[REASON_TOO_LONG] = "too_long",
	[REASON_ERASED] = "erased",
	[REASON_ANSWERED] = "answered",
};

const char *message_reason_name(enum message_reason reason)
{
	return (unsigned)reason < REASON_COUNT ? reason_names[reason] : "unknown";
}
