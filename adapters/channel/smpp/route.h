/* Inside of the SMS channel; see smpp.h.
 *
 * smpp.c      what the engine calls (any thread)
 * connection.c  the route's thread: connecting, reading, writing, timers
 * answers.c   what each PDU from the carrier means
 * slots.c     the parts in flight
 * transport.c in the clear or in TLS
 * pacing.c    how fast */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMPP_ROUTE_H
#define CHANCERY_ADAPTERS_CHANNEL_SMPP_ROUTE_H

#include <netdb.h>
#include <pthread.h>

#include "adapters/channel/smpp/pacing.h"
#include "adapters/channel/smpp/smpp.h"
#include "adapters/channel/smpp/transport.h"
#include "base/base.h"
#include "kernel/smpp/smpp.h"

#define ROUTE_BATCH 1024                    /* most results, receipts or messages in one event */
#define ROUTE_READ_SIZE (SMPP_PDU_MAX * 2)  /* of the input buffer: one whole PDU always fits beside a piece of the next */
#define ROUTE_WRITE_HIGH (4u << 20)         /* unsent bytes above which nothing more is read: the carrier does not read either */
#define ROUTE_LATE_KEPT (10 * CLOCK_MINUTE) /* so long an answer after its time is still known */
#define ROUTE_CLOSE_WITHIN (2 * CLOCK_SECOND)

enum slot_state {
	SLOT_FREE,
	SLOT_STAGED, /* encoded, not yet given to the connection */
	SLOT_SENT,   /* in the connection's output, perhaps written */
	SLOT_LATE,   /* in doubt was reported; an answer may still come */
};

/* A part in flight. Its place in the ring is its serial modulo the ring's size, its sequence_number the serial's low 31
 * bits, so an answer finds it without a search. */
struct smpp_slot {
	uint64_t serial;
	uint64_t end;    /* SENT: position in the connection's output behind its last byte */
	int64_t message;
	int64_t sent_at; /* monotonic */
	uint16_t part;
	uint8_t state;
};

/* A message that cannot be put on the wire, waiting to be reported on the route's thread. */
struct refusal {
	int64_t message;
	enum channel_fault fault;
	const char *why;
};

enum route_state { ROUTE_DOWN, ROUTE_CONNECTING, ROUTE_SECURING, ROUTE_BINDING, ROUTE_UP, ROUTE_CLOSING };

struct smpp_route {
	struct channel channel; /* first */
	struct smpp_route_settings settings;
	struct arena memory;    /* of the copied settings */
	struct transport_tls *tls; /* NULL: in the clear */
	const struct channel_events *events;
	void *context;
	pthread_t thread;
	bool running;           /* between start and stop; the owner's */
	int wake;               /* eventfd */

	pthread_mutex_t lock;
	/* Guarded by lock. */
	struct smpp_slot *slots;
	size_t mask;
	uint64_t next, oldest;  /* serials: the next to be given, and one before which nothing waits for its timer */
	size_t outstanding;     /* STAGED + SENT + refusals */
	size_t in_flight;       /* SENT */
	size_t late;            /* LATE */
	struct buf staged;      /* PDUs of STAGED slots, in order */
	struct buf replies;     /* deliver_sm_resp and data_sm_resp */
	struct refusal *refusals;
	size_t refusal_count;
	uint32_t generation;    /* of the connection, part of tickets */
	bool up;                /* bound: submits are taken */
	bool stopping;
	int64_t stop_by;
	bool wants_room;
	struct pacing pacing;
	struct channel_counters counters;

	/* The thread's own. */
	enum route_state state;
	struct transport line;
	struct addrinfo *addresses, *address;
	int64_t deadline;       /* of connecting, binding, closing */
	int64_t retry_at, retry_wait;
	int64_t heard_at, enquire_at;
	struct buf in, out;
	size_t out_at;          /* bytes of `out` already written */
	uint64_t queued, written; /* output positions of this connection */
	const char *close_reason; /* set while PDUs are read: close after them */
	bool announce_up;
	struct arena batch;     /* texts of one batch of events */
	struct channel_result results[ROUTE_BATCH];
	struct channel_receipt receipts[ROUTE_BATCH];
	struct channel_incoming incoming[ROUTE_BATCH];
	struct channel_incoming typed[ROUTE_BATCH]; /* the messages behind receipts known by their look alone */
	size_t result_count, receipt_count, incoming_count;
	char reason[160];       /* last one told, so that the log does not repeat it each second */
};

/* connection.c */
/* The route whose thread this is, or NULL: it need not be woken by itself. */
extern _Thread_local struct smpp_route *smpp_route_here;
void *smpp_route_run(void *route);
/* Calls the events with what has gathered, in an order that makes sense to the engine. Without the lock. */
void smpp_route_flush(struct smpp_route *route);

/* slots.c; all with the lock held. */
/* Takes the next serial and its slot, STAGED. There always is one, since no more than the window is outstanding. */
struct smpp_slot *smpp_slot_take(struct smpp_route *route, int64_t message, uint16_t part, int64_t now);
/* The slot an answer to `sequence` belongs to (SENT or LATE), or NULL. */
struct smpp_slot *smpp_slot_find(struct smpp_route *route, uint32_t sequence);
/* Ends a SENT, STAGED or LATE slot and adds its result, which the caller fills; NULL never: the caller sees to room. */
struct channel_result *smpp_slot_end(struct smpp_route *route, struct smpp_slot *slot, enum channel_outcome outcome);
/* Reports parts whose answer did not come in time as in doubt; stops when the batch is full. Returns when the next one is
 * due (monotonic), or INT64_MAX. */
int64_t smpp_slot_expire(struct smpp_route *route, int64_t now);
/* The connection is gone: reports what was handed over as in doubt and the rest as returned, until the batch is full.
 * True when all is reported. */
bool smpp_slot_abandon(struct smpp_route *route, uint64_t written);
static inline uint32_t smpp_slot_sequence(uint64_t serial) { return (uint32_t)(serial & SMPP_SEQUENCE_MAX); }
/* The serial of something that needs a sequence_number but no slot. */
uint64_t smpp_slot_serial(struct smpp_route *route);

/* answers.c; with the lock held. False when a batch is full: flush, then give the same PDU again. */
bool answer_pdu(struct smpp_route *route, struct str pdu, int64_t now);

#endif
