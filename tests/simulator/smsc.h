/* Inside of the simulated SMS centre. smsc.c: connections; submit.c: what is submitted; deliver.c: receipts and what
 * phones send. Everything but the queue from the other threads belongs to the one thread. */
#ifndef CHANCERY_TESTS_SIMULATOR_SMSC_H
#define CHANCERY_TESTS_SIMULATOR_SMSC_H

#include <pthread.h>

#include "kernel/smpp/smpp.h"
#include "tests/simulator/simulator.h"

#define SMSC_CONNECTIONS_MAX 64
#define SMSC_READ_SIZE (SMPP_PDU_MAX * 2)
#define SMSC_DELIVER_WINDOW 100        /* unacknowledged deliver_sm on one connection */
#define SMSC_DELIVER_SLOTS 1024        /* power of two above the window */
#define SMSC_RETRY_AFTER CLOCK_SECOND  /* of a deliver_sm that was refused */
#define SMSC_ASSEMBLIES_MAX 100000     /* long messages waiting for parts */

/* Something for the ESME: a receipt or a part of a message from a phone. */
struct delivery {
	struct delivery *next;
	int64_t due;           /* monotonic */
	bool receipt, intermediate, failed;
	enum receipt_style style;
	uint64_t id;           /* receipt: of the message */
	int64_t submitted;     /* receipt: UTC microseconds */
	uint64_t connection;   /* receipt: number of the one it was submitted by */
	struct smpp_address from, to; /* texts lie behind this struct */
	uint8_t esm_class, data_coding;
	struct str bytes;
};

struct delivery_queue {
	struct delivery *first, *last;
};

/* Answers that wait for their time, in the order of it. */
struct delayed {
	int64_t due;
	size_t size;
	char bytes[88];  /* of an answer: header, id of at most 64 and its end */
};

struct connection {
	int fd;
	bool bound, sends, receives, closing;
	struct buf in, out;
	size_t out_at;
	struct delayed *delayed;     /* ring */
	size_t delayed_first, delayed_count, delayed_room;
	struct delivery *unanswered[SMSC_DELIVER_SLOTS];
	size_t unanswered_count;
	uint32_t sequence;
	uint64_t number;             /* of the connection; 1.. */
	uint64_t submits;
	int64_t enquire_at;
	unsigned enquiries;          /* of ours, unanswered */
};

struct assembly;

struct smsc {
	struct simulator *simulator;
	struct store *store;
	pthread_t thread;
	int listener, wake;
	struct connection *connections[SMSC_CONNECTIONS_MAX];
	size_t connection_count, turn;
	struct faults faults;        /* copied for each round of the loop */
	uint64_t next_id, next_connection;
	uint64_t submits;            /* over all connections, for stalls */
	int64_t stalled_until, down_until; /* monotonic */
	int64_t bind_fail, binds_failed;
	int64_t second;              /* being counted for the throttle */
	int64_t second_submits;
	struct delivery_queue fresh, retry;
	struct assembly **assemblies; /* hash table */
	size_t assembly_count;
	struct arena scratch;        /* cleared each round */

	pthread_mutex_t lock;        /* guards: */
	struct delivery_queue from_phones;
	bool stopping;
};

/* submit.c */
void smsc_submit(struct smsc *smsc, struct connection *connection, const struct smpp_pdu *pdu);
void smsc_assemblies_free(struct smsc *smsc);
/* Appends an answer that leaves after `delay` microseconds. */
void smsc_answer(struct connection *connection, uint32_t command, uint32_t status, uint32_t sequence, struct str id, int64_t delay);
/* Moves answers whose time has come to the output; returns when the next is due, or INT64_MAX. */
int64_t smsc_release_answers(struct connection *connection, int64_t now);

/* deliver.c */
void smsc_queue_receipts(struct smsc *smsc, const struct connection *by, const struct smpp_message *submitted, uint64_t id, enum receipt_style style);
/* Sends what is due over connections that can take it; returns when to look again. */
int64_t smsc_deliver(struct smsc *smsc, int64_t now);
void smsc_delivered(struct smsc *smsc, struct connection *connection, const struct smpp_pdu *answer);
/* The connection is gone: what it had not answered goes out again. */
void smsc_requeue(struct smsc *smsc, struct connection *connection);
void smsc_deliveries_free(struct delivery_queue *queue);
/* The id of a message in the answer to its submit, in the form of the style. */
struct str smsc_id_text(struct arena *arena, uint64_t id, enum receipt_style style, bool in_receipt);
enum receipt_style smsc_style_of(const struct faults *faults, uint64_t id);

#endif
