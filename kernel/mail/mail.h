/* Mail that comes in: what was said, by whom, in answer to what; whether a machine wrote it; whether it is a bounce.
 *
 * GMime reads; this keeps it within bounds and decides. Nothing here writes anywhere. */
#ifndef CHANCERY_KERNEL_MAIL_H
#define CHANCERY_KERNEL_MAIL_H

#include "base/base.h"

#define MAIL_SIZE_MAX (25u << 20)  /* a larger mail is refused: the mail system bounces it and its sender knows */
#define MAIL_TEXT_MAX (64u << 10)  /* bytes of text kept; `cut` says that there was more */
#define MAIL_FIELD_MAX 2000        /* bytes of a header field kept */
#define MAIL_NESTING_MAX 60        /* marks of parts within parts; beyond it the body is taken as it stands, unparsed */

/* RFC 3464, 2.3.3 */
enum mail_action { MAIL_ACTION_NONE, MAIL_ACTION_FAILED, MAIL_ACTION_DELAYED, MAIL_ACTION_DELIVERED, MAIL_ACTION_RELAYED, MAIL_ACTION_EXPANDED };

/* What a refusal or bounce means for the address. */
enum mail_fault {
	MAIL_FAULT_NONE,
	MAIL_FAULT_RECIPIENT, /* there is no such mailbox or host, for good: the address ends */
	MAIL_FAULT_MESSAGE,   /* permanent, but about this mail, our sending or a policy: says nothing against the address */
	MAIL_FAULT_TEMPORARY, /* try again (a full mailbox too, although servers call that permanent) */
};

/* What a refusal or bounce says, as far as it can be told. */
enum mail_bounce_kind {
	MAIL_BOUNCE_OTHER,        /* nothing that could be read */
	MAIL_BOUNCE_USER_UNKNOWN,
	MAIL_BOUNCE_HOST_UNKNOWN, /* no such domain, or one that takes no mail (null MX, RFC 7505) */
	MAIL_BOUNCE_MOVED,
	MAIL_BOUNCE_DISABLED,     /* the mailbox is there, and off: for good only if it stays so */
	MAIL_BOUNCE_FULL,
	MAIL_BOUNCE_TOO_BIG,
	MAIL_BOUNCE_POLICY,       /* spam filter, authentication, reputation, rate: our side's fault or theirs, not the address's */
	MAIL_BOUNCE_NOT_REACHED,  /* their system was away until the relay gave up */
	MAIL_BOUNCE_DELAYED,      /* the relay still tries: no bounce */
	MAIL_BOUNCE_RELAYED,      /* handed on to a system that gives no reports */
	MAIL_BOUNCE_DELIVERED,
	MAIL_BOUNCE_EXPANDED,     /* delivered to a list, which sent it on */
	MAIL_BOUNCE_KIND_COUNT,
};
/* "user unknown": for people, and for rows. */
const char *mail_bounce_kind_name(enum mail_bounce_kind kind);

struct mail_bounce {
	bool is_bounce;
	bool ended;                   /* the mail will not arrive */
	enum mail_bounce_kind kind;
	enum mail_action action;      /* NONE: the report does not say (not an RFC 3464 report) */
	enum mail_fault fault;
	struct str status;            /* "5.1.1" (RFC 3463); empty: unknown */
	struct str recipient;         /* Final-Recipient, often another one than we wrote to */
	struct str original_recipient;
	struct str diagnostic;
	struct str message_id;        /* of our mail, without <>, from what of it was sent back; empty: unknown */
	struct str token;             /* of our return path, where a complaint tells it; empty: unknown */
};

/* Texts are UTF-8 in the arena, without control characters but line ends in the bodies (LF); empty where absent. */
struct incoming_mail {
	struct str envelope_from;  /* Return-Path; empty for <> and where the mail system does not say */
	struct str delivered_to;   /* the address of ours it came to: Delivered-To, X-Original-To, else the first of To */
	struct str token;          /* what stands in its local part behind the last '+' (VERP) */
	struct str from, from_name;
	struct str reply_to;
	struct str message_id;     /* without <>; empty: none */
	struct str in_reply_to;    /* the first id, without <> */
	struct str *references;    /* ids without <>, oldest first */
	size_t reference_count;
	struct str subject;
	struct str text;           /* what its writer wrote now: without quoted text and signature */
	struct str whole_text;     /* the same with them, for people to read */
	bool cut;                  /* a text was longer than MAIL_TEXT_MAX */
	bool unparsed;             /* nested too deep, or parts that are not there: the text is the raw body */
	uint64_t content_hash;     /* of all of it: the same mail handed over twice has the same */
	bool from_html;            /* there was no plain text part; tags were taken out */
	size_t attachments;
	bool automatic;            /* a machine wrote it (out of office, list, bounce): never an answer of a person */
	bool complaint;            /* a spam report (RFC 5965) or the like: its reader wants no more; `bounce` tells about which mail */
	struct mail_bounce bounce;
};

/* Reads a whole RFC 5322 message. INVALID if it is empty or larger than MAIL_SIZE_MAX; anything else is read as well as
 * it can be, since a message from someone in need may be malformed. */
enum rc mail_read(struct arena *arena, struct str raw, struct incoming_mail *out, struct err *err);

/* What an SMTP reply or a bounce says. The text goes before the status, for codes are known to lie; what it says of our own
 * side goes before all, so that no address ends for a fault of ours. Arguments as for mail_fault_of. */
enum mail_bounce_kind mail_bounce_kind_of(int code, struct str status, struct str text);

/* What it means: the reply code (0: unknown), the enhanced status (RFC 3463; empty: taken from the
 * text if it stands there) and the text. Codes are known to lie, so texts that speak of policy win over them. */
enum mail_fault mail_fault_of(int code, struct str status, struct str text);

/* The first enhanced status ("5.1.1") in a text, or empty. A slice of the text. */
struct str mail_status_in(struct str text);

#define MAIL_REPLY_LINE_MAX 2048 /* bytes; RFC 5321, 4.5.3.1.5 says 512 */
#define MAIL_REPLY_TEXT_MAX 400  /* of a reply that are kept */

/* A reply of a relay as it comes in. Begin with zeros; it stays valid until the next bytes are read. */
struct mail_reply {
	int code;                        /* of the last line */
	char text[MAIL_REPLY_TEXT_MAX];  /* "550-5.1.1 nobody here": printable ASCII; further lines behind the first, without their codes */
	size_t text_length;
	bool in_reply;                   /* its last line has not come */
	char line[MAIL_REPLY_LINE_MAX];
	size_t line_length;
};
enum mail_reply_state { MAIL_REPLY_MORE, MAIL_REPLY_WHOLE, MAIL_REPLY_BAD };
/* Reads on until a reply is whole (its last line has a code without '-'), the bytes end (MORE) or make no reply (BAD).
 * *used gets how many were read. */
enum mail_reply_state mail_reply_read(struct mail_reply *reply, struct str bytes, size_t *used);

/* True for an address that may stand in an envelope: local@domain without blanks, controls, <, > and quotes; at most 254
 * bytes (RFC 5321, 4.5.3.1.3 with its brackets). */
bool mail_address_valid(struct str address);

/* The address with its domain as it stands in the DNS: A-labels (RFC 5890, UTS 46 without transition) for what is not
 * ASCII. The local part stays as it is. False if the domain is no name. */
bool mail_address_to_ascii(struct arena *arena, struct str address, struct str *out);

#endif
