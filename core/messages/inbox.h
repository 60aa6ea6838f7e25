/* What officers do with incoming messages. Private to core/messages. */
#ifndef CHANCERY_CORE_MESSAGES_INBOX_H
#define CHANCERY_CORE_MESSAGES_INBOX_H

#include "core/messages/internal.h"

#define INBOX_TEXT_MAX 2000   /* characters of an answer */
#define INBOX_OUTCOME_MAX 200

enum inbox_action_kind {
	INBOX_TAKE = 1,
	INBOX_RELEASE = 2,
	INBOX_ASSIGN_SAFE = 3,
	INBOX_ANSWER = 4,
	INBOX_CLOSE = 5,
	INBOX_UNDO = 6,
	INBOX_ASSIGN_HELP = 7,
};

struct inbox_act {
	struct house *house;
	struct arena *arena;
	int64_t officer_id;
	enum inbox_action_kind kind;
	struct str public_id, form_key;
	int64_t seen_owner;       /* who had it on the page the officer saw, 0 nobody */
	struct str person;        /* assign: public id */
	int64_t alert_number;     /* assign: 0 not given */
	struct str text;          /* answer, or outcome */
	bool close;               /* answer: and close */
	int64_t now;
};

/* Does it in one transaction, with its entry in the history and the ledger. The same form again changes nothing. INVALID with a
 * field error (fields owner, other, alert, text, outcome); NOT_FOUND. */
enum rc inbox_act(struct inbox_act *act, struct err *err);
/* An officer asked for the address: recorded. */
enum rc inbox_reveal(struct house *house, int64_t officer_id, struct str public_id, int64_t now, struct err *err);

#endif
