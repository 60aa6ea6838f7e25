/* The contract between the message engine and the channels (SMPP routes, the SMTP relay ...).
 *
 * A channel is one road out: one carrier's SMPP bind, one mail relay. The engine owns what must be remembered; a
 * channel owns a connection and what is in flight on it, and remembers nothing over a restart.
 *
 * Threads. A channel runs one thread of its own, from channel_start to channel_stop. Events are called on that thread,
 * one at a time, with no lock held; so an event may call channel_capacity, channel_submit, channel_acknowledge and
 * channel_counters of the same channel (refilling the window from on_results is the fast way), but never channel_stop or
 * channel_free. The same four may be called from any other thread at any time after start; two submits of one channel
 * may not run at the same time. An event should return soon: while it runs the channel neither reads nor writes.
 *
 * Memory. What is passed to submit is read before submit returns and may be reused then. What is passed to an event is
 * valid until the event returns.
 *
 * What is promised. Each part of each message that submit took is reported exactly once as ACCEPTED, REFUSED, IN_DOUBT
 * or RETURNED, the last at channel_stop. Only after IN_DOUBT may a second report follow, marked `late`, when the answer
 * comes after all. The process may die at any moment: what was submitted and not yet reported is then in doubt, which is
 * why a channel takes no more than its window. */
#ifndef CHANCERY_CORE_MESSAGES_CHANNEL_H
#define CHANCERY_CORE_MESSAGES_CHANNEL_H

#include "base/base.h"
#include "core/people/people.h" /* enum channel_kind */

/* One SMS part, ready for the wire: bytes of the short_message field, with its user data header when esm_class has 0x40. */
struct channel_part {
	uint8_t data_coding;
	uint8_t esm_class;
	struct str bytes; /* at most CHANNEL_PART_BYTES_MAX */
};

#define CHANNEL_PART_BYTES_MAX 254 /* sm_length of SMPP 3.4, 5.2.21 */
#define CHANNEL_PAYLOAD_MAX 40000    /* 255 parts */
#define CHANNEL_PARTS_MAX 255      /* a concatenation header counts in one octet */

struct channel_sms {
	struct str sender;                /* as the phone shows it: +E.164, short code or at most 11 letters and digits; empty: the route's own */
	const struct channel_part *parts; /* in order */
	size_t part_count;                /* 1..CHANNEL_PARTS_MAX */
	uint16_t first_part;              /* what parts[0] is called in results; for sending some parts again */
	int64_t expires;                  /* UTC microseconds after which the carrier need not try; 0: the carrier's default */
	bool receipt;                     /* ask for a delivery receipt */
	/* Where the carrier joins the parts by TLVs (5.3.2.22-24): their reference and how many there are in all; 0: it does
	 * not. The number of parts[i] is first_part + i + 1. */
	uint16_t sar_reference;
	uint8_t sar_total;
	bool payload;                     /* the one part goes into TLV message_payload, at most CHANNEL_PAYLOAD_MAX bytes */
};

struct channel_mail {
	struct str envelope_from; /* return path with the bounce token (VERP); empty: <> (automatic mail that must not bounce) */
	struct str from_address;  /* From: */
	struct str from_name;     /* UTF-8, may be empty */
	struct str reply_to;      /* address; empty: none */
	struct str subject;       /* UTF-8 */
	struct str text;          /* plain text body, UTF-8 */
	struct str html;          /* HTML body, UTF-8; empty: text alone */
	struct str message_id;    /* without <>; required, so that a second copy of one message is known as such */
	struct str references;    /* message ids with <>, separated by blanks; the last one becomes In-Reply-To; empty: none */
	struct str list_id;       /* RFC 2919, without <>; empty: none */
	struct str unsubscribe;   /* https address for RFC 8058 one-click; empty: none */
	struct str language;      /* BCP 47, for Content-Language; empty: none */
	int64_t date;             /* UTC microseconds for Date: */
	bool automatic;           /* Auto-Submitted: auto-generated (RFC 3834) */
};

struct channel_message {
	int64_t id;     /* the engine's own number; comes back in results */
	struct str to;  /* +E.164 for SMS, mailbox for mail */
	const struct channel_sms *sms;   /* set for CHANNEL_SMS */
	const struct channel_mail *mail; /* set for CHANNEL_MAIL */
};

enum channel_outcome {
	CHANNEL_ACCEPTED, /* the carrier or relay took it; says nothing about delivery */
	CHANNEL_REFUSED,  /* it said no; `fault` says what follows */
	CHANNEL_IN_DOUBT, /* handed over, no answer: the connection was cut or the response timer ran out */
	CHANNEL_RETURNED, /* never handed over (the road went down before): nobody has it, send it again at will */
};

enum channel_fault {
	CHANNEL_FAULT_NONE,
	CHANNEL_FAULT_RECIPIENT, /* permanent: this address cannot be reached (no such user, bad number) */
	CHANNEL_FAULT_MESSAGE,   /* permanent: this message, our sender, our account or a policy; says nothing against the address */
	CHANNEL_FAULT_TEMPORARY, /* try again later */
	CHANNEL_FAULT_THROTTLE,  /* too fast; the channel has slowed itself down, try again when it has room */
};

/* The part of a result that speaks of a message which could not be cut to the wire at all. */
#define CHANNEL_WHOLE_MESSAGE UINT16_MAX

struct channel_result {
	int64_t message;
	uint16_t part;                /* 0.., or CHANNEL_WHOLE_MESSAGE */
	bool late;                    /* an IN_DOUBT was reported for this part before */
	enum channel_outcome outcome;
	enum channel_fault fault;     /* for REFUSED */
	uint32_t code;                /* SMPP command_status, or the SMTP reply code */
	uint64_t key;                 /* ACCEPTED by SMPP: what a receipt will be matched by, unique per channel; 0: the carrier gave no id */
	struct str carrier_id;        /* ACCEPTED by SMPP: the carrier's message id as given (at most 64 bytes) */
	struct str text;              /* for people and logs of the operator: name of the status, the relay's answer (holds no address of ours to a person) */
};

/* What a carrier says became of an accepted message (SMPP 3.4, 5.2.28 and appendix B). */
enum channel_delivery {
	CHANNEL_DELIVERY_UNKNOWN,   /* a word we do not know: keep waiting, never a failure */
	CHANNEL_DELIVERY_PENDING,   /* accepted, en route, buffered: not final */
	CHANNEL_DELIVERY_DELIVERED,
	CHANNEL_DELIVERY_EXPIRED,
	CHANNEL_DELIVERY_FAILED,    /* undeliverable, deleted, rejected */
};

#define CHANNEL_RECEIPT_KEYS 3

struct channel_incoming;

struct channel_receipt {
	uint64_t ticket; /* pass to channel_acknowledge once it is stored */
	/* Look these up in order among the keys of this channel's accepted parts. The first is the id as given (folded); the
	 * others are its hex and decimal readings and may belong to another message by chance, so they count only where
	 * `from` is that message's recipient. */
	uint64_t keys[CHANNEL_RECEIPT_KEYS];
	size_t key_count;
	struct str carrier_id; /* as given */
	struct str from;       /* the phone the receipt speaks of, +E.164 where that can be told, else as given; may be empty */
	enum channel_delivery delivery;
	struct str stat;       /* the carrier's own word, for example DELIVRD; may be empty */
	struct str error;      /* the carrier's own error code, text; may be empty */
	int64_t done;          /* done date in UTC microseconds as far as the carrier tells its zone; 0: not told */
	/* Set when nothing but the text's look makes it a receipt. Where no part of ours matches both key and `from`, a person
	 * typed it: treat this message (same ticket) as incoming. NULL for what the carrier itself marks as a receipt. */
	const struct channel_incoming *by_content;
};

/* A message from a phone. Text may come in parts; joining them is the receiver's work. */
struct channel_incoming {
	uint64_t ticket;
	struct str from; /* +E.164 where that can be told, else as given (short codes, names, national numbers) */
	struct str to;
	uint8_t data_coding;
	uint8_t esm_class;  /* 0x40: `bytes` begins with a user data header */
	struct str bytes;   /* short_message or message_payload */
	uint16_t part_reference; /* from the SAR TLVs (5.3.2.22-24); part_total 0: none */
	uint8_t part_total, part_number;
};

struct channel;

/* All are required. `context` is what channel_start was given. */
struct channel_events {
	void (*on_results)(void *context, struct channel *channel, const struct channel_result *results, size_t count);
	/* The carrier is told 'received' only after channel_acknowledge(ticket, true): store first. */
	void (*on_receipts)(void *context, struct channel *channel, const struct channel_receipt *receipts, size_t count);
	void (*on_incoming)(void *context, struct channel *channel, const struct channel_incoming *incoming, size_t count);
	/* The road came up or went down; `reason` is for operators. Parts in flight are reported (on_results) before 'down'. */
	void (*on_state)(void *context, struct channel *channel, bool up, struct str reason);
	/* There is room again after channel_capacity had answered 0 or submit had taken less than it was given. */
	void (*on_room)(void *context, struct channel *channel);
};

struct channel_counters {
	bool up;
	size_t window;      /* parts allowed in flight */
	size_t outstanding; /* parts submitted and not yet reported */
	double rate;        /* parts a second now allowed; 0: no limit */
	uint64_t submitted, accepted, refused, throttled, in_doubt, returned, late, receipts, incoming, connects;
};

struct channel_methods {
	enum rc (*start)(struct channel *, const struct channel_events *, void *context, struct err *);
	void (*stop)(struct channel *, int64_t patience);
	size_t (*capacity)(struct channel *);
	size_t (*submit)(struct channel *, const struct channel_message *messages, size_t count);
	void (*acknowledge)(struct channel *, const uint64_t *tickets, size_t count, bool stored);
	void (*counters)(struct channel *, struct channel_counters *out);
	void (*free)(struct channel *);
};

/* Adapters embed this as the first member of their own struct. */
struct channel {
	const struct channel_methods *methods;
	const char *name; /* of the route, for settings, logs and rows; lives as long as the channel */
	enum channel_kind kind;
};

/* Starts the channel's thread, which connects and keeps connecting. FAILED if the thread cannot be made. */
static inline enum rc channel_start(struct channel *channel, const struct channel_events *events, void *context,
                                    struct err *err)
{
	return channel->methods->start(channel, events, context, err);
}

/* Takes nothing new, waits at most `patience` microseconds for answers, closes, reports what is left, joins the thread.
 * No event comes after it returned. It may be started again. */
static inline void channel_stop(struct channel *channel, int64_t patience) { channel->methods->stop(channel, patience); }

/* How many parts (SMS) or messages (mail) may be submitted now: room in the window, and what the rate allows at this
 * moment. 0 while down or paused. */
static inline size_t channel_capacity(struct channel *channel) { return channel->methods->capacity(channel); }

/* Hands over messages without blocking; returns how many of them, from the first on, were taken. A message is taken
 * whole, when all its parts have room or nothing else is in flight. A message that can never be sent (no part, too many
 * or too long parts, an address or header that does not fit the protocol) is taken and reported once, as
 * CHANNEL_WHOLE_MESSAGE, REFUSED/MESSAGE or REFUSED/RECIPIENT. Mail is reported as part 0. */
static inline size_t channel_submit(struct channel *channel, const struct channel_message *messages, size_t count)
{
	return channel->methods->submit(channel, messages, count);
}

/* Answers receipts and incoming messages: `stored` true tells the carrier they are ours now; false makes it try again
 * later. Tickets of a connection that is gone are ignored, since the carrier repeats those by itself. */
static inline void channel_acknowledge(struct channel *channel, const uint64_t *tickets, size_t count, bool stored)
{
	channel->methods->acknowledge(channel, tickets, count, stored);
}

/* A snapshot for metrics. Counters run from start. */
static inline void channel_counters(struct channel *channel, struct channel_counters *out)
{
	channel->methods->counters(channel, out);
}

/* Frees a channel that is stopped or was never started. NULL is ignored. */
static inline void channel_free(struct channel *channel)
{
	if (channel)
		channel->methods->free(channel);
}

#endif
