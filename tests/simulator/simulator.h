/* The simulator: an SMS centre, a mail relay and the phones and mailboxes behind them, for the demo and the scenarios.
 *
 * It is no part of the product and shares with it only the SMPP codec; texts it decodes by itself, so that a wrong
 * encoder is seen. Everything listens on loopback. Three threads (SMPP, SMTP, web) meet in the store. */
#ifndef CHANCERY_TESTS_SIMULATOR_H
#define CHANCERY_TESTS_SIMULATOR_H

#include <pthread.h>

#include "base/base.h"

/* --- faults ----------------------------------------------------------------------------------------------- */

/* How receipts look; see deliver.c. MIXED gives each message one of the others by its number. */
enum receipt_style {
	RECEIPT_PLAIN,
	RECEIPT_HEX,       /* id in hex in the answer, in decimal in the receipt */
	RECEIPT_FOLDED,    /* other case, leading zeros gone */
	RECEIPT_TLV,       /* TLVs alone, no text */
	RECEIPT_MINIMAL,   /* id and stat */
	RECEIPT_SHUFFLED,  /* other order, no sub and dlvrd, 14-digit dates, hex error */
	RECEIPT_PAYLOAD,   /* text in message_payload */
	RECEIPT_UCS2,
	RECEIPT_MIXED,
};

/* All off by default. Percentages are of messages, drawn at random. One table, faults.c, names them for options, JSON
 * and --help. */
struct faults {
	/* SMS */
	int64_t latency_ms;            /* before each submit answer */
	int64_t jitter_ms;             /* and up to so many more, drawn for each: answers come out of order */
	int64_t throttle_per_second;   /* submits above are answered 0x58; 0: no limit */
	int64_t window_limit;          /* unanswered submits above are answered 0x14; 0: no limit */
	int64_t queue_full_percent;    /* answered 0x14 whatever waits */
	int64_t reject_percent;        /* answered 0x0B: no such number */
	int64_t busy_percent;          /* answered 0x64: try later */
	int64_t drop_response_percent; /* taken, never answered */
	int64_t late_response_ms;      /* those are answered after all, so much later; 0: never */
	int64_t double_response_percent; /* answered twice */
	int64_t cut_every;             /* the connection is cut after so many submits, the last one taken and unanswered */
	int64_t cut_before;            /* 1: the last one is not taken */
	int64_t down_ms;               /* after a cut no connection is taken for so long */
	int64_t stall_every;           /* nothing is read or answered for stall_ms after so many submits */
	int64_t stall_ms;
	int64_t enquire_ms;            /* the centre asks enquire_link so often; unanswered three times, it cuts; 0: never */
	int64_t bind_fail;             /* so many binds, counted from when this was set, are refused with 0x0D */
	int64_t refuse_bind;           /* status for binds; 0: accepted */
	int64_t receipts;              /* 1: sent where asked for (default), 0: never */
	int64_t receipt_delay_ms;
	int64_t receipt_style;         /* enum receipt_style */
	int64_t receipt_fail_percent;  /* receipts that say UNDELIV */
	int64_t receipt_double_percent; /* receipts sent twice */
	int64_t receipt_first;         /* 1: the receipt leaves before the submit answer */
	int64_t receipt_strange_percent; /* one more receipt for an id that nobody was told */
	int64_t receipt_other_bind;    /* 1: never over the connection it was submitted by, if there is another */
	int64_t receipt_intermediate;  /* 1: an ACCEPTD before the final one */
	/* mail */
	int64_t mail_latency_ms;       /* before the answer to DATA */
	int64_t mail_reject_percent;   /* 550 5.1.1 */
	int64_t mail_busy_percent;     /* 451 4.3.0 */
	int64_t mail_policy_percent;   /* 550 5.7.1 */
	int64_t mail_cut_percent;      /* taken, and the connection cut instead of an answer */
	int64_t mail_refuse;           /* 1: connections are answered 421 */
};

void faults_init(struct faults *faults);
/* Sets one by name; false for an unknown name or a value out of bounds. */
bool faults_set(struct faults *faults, const char *name, int64_t value);
/* Calls `each` with every name, value and one line of help. */
void faults_each(const struct faults *faults, void (*each)(void *context, const char *name, int64_t value, const char *help),
                 void *context);
/* True in `percent` of calls. */
bool faults_draw(int64_t percent);

/* --- what arrived ----------------------------------------------------------------------------------------- */

enum box_kind { BOX_PHONE, BOX_MAILBOX, BOX_KINDS };

struct store_message {
	uint64_t sequence; /* 1.. over everything */
	int64_t at;        /* UTC microseconds */
	enum box_kind kind;
	bool sent;         /* by the phone or mailbox; else received */
	struct str box;    /* number or address */
	struct str other;  /* the other side: SMS sender, envelope sender */
	struct str body;   /* text of the SMS; whole mail as it came */
	unsigned parts;    /* SMS */
	unsigned data_coding;
};

struct store_box {
	struct str address;
	uint32_t received, doubled; /* doubled: received once more with the same mark */
	uint64_t last;              /* sequence of the newest message */
};

/* Running counters; store_counter_name gives the names in the JSON. */
enum counter {
	COUNT_CONNECTIONS, COUNT_BINDS, COUNT_ENQUIRIES, COUNT_SUBMITS, COUNT_ACCEPTED, COUNT_THROTTLED, COUNT_REJECTED,
	COUNT_UNANSWERED, COUNT_CUT, COUNT_STALLS, COUNT_STRANGE_RECEIPTS, COUNT_RECEIPTS_SENT, COUNT_RECEIPTS_ACKNOWLEDGED, COUNT_RECEIPTS_REFUSED,
	COUNT_INCOMING_SENT, COUNT_INCOMING_ACKNOWLEDGED, COUNT_INCOMING_REFUSED,
	COUNT_MAIL_CONNECTIONS, COUNT_MAIL_ACCEPTED, COUNT_MAIL_REFUSED, COUNT_MAIL_CUT,
	COUNTERS,
};

struct store_counts {
	uint64_t received[BOX_KINDS], doubled[BOX_KINDS], boxes[BOX_KINDS], sent[BOX_KINDS];
	uint64_t of[COUNTERS];
};

struct store;

/* Bodies are kept for the last `keep` messages; counts for all. */
struct store *store_new(size_t keep);
void store_free(struct store *store);
void store_clear(struct store *store);
/* Adds one; texts are copied. Two received messages of one box are the same if they have the same mark: the Message-ID
 * of a mail, "#TOKEN" in an SMS, else its whole text. Returns its sequence. */
uint64_t store_add(struct store *store, const struct store_message *message);
/* Kept messages of a box (address empty: of all boxes of the kind; kind BOX_KINDS: all), newest first, at most `most`,
 * those with a sequence below `before` (0: no bound), copied into the arena. */
size_t store_list(struct store *store, struct arena *arena, enum box_kind kind, struct str address, uint64_t before,
                  size_t most, struct store_message **out);
/* The message of that sequence, if it is still kept. */
bool store_find(struct store *store, struct arena *arena, uint64_t sequence, struct store_message *out);
/* All boxes of a kind in order of their first message, copied into the arena. */
size_t store_boxes(struct store *store, struct arena *arena, enum box_kind kind, struct store_box **out);
bool store_box(struct store *store, enum box_kind kind, struct str address, struct store_box *out);
void store_counts(struct store *store, struct store_counts *out);
void store_bump(struct store *store, enum counter counter, uint64_t by);
const char *store_counter_name(enum counter counter);
/* Waits until at least `count` messages of the kind were received; false after `timeout` microseconds. */
bool store_wait(struct store *store, enum box_kind kind, uint64_t count, int64_t timeout);

/* --- the whole -------------------------------------------------------------------------------------------- */

struct simulator_options {
	uint16_t smpp_port, smtp_port, http_port; /* 0: any */
	size_t keep;                              /* bodies; 0: 10,000 */
	struct str short_code;                    /* where a phone answers a message without a number; empty: 4411 */
	struct str mail_command;                  /* run by sh with each mail from a mailbox on its standard input; empty: none */
	struct str mail_url;                      /* each is posted there instead; empty: none */
	struct str mail_to;                       /* where a mailbox writes that has received nothing; empty: nowhere */
	struct faults faults;
};

struct smsc;
struct sink;
struct web;

struct simulator {
	struct simulator_options options;
	struct store *store;
	struct smsc *smsc;
	struct sink *sink;
	struct web *web;
	uint16_t smpp_port, smtp_port, http_port; /* as bound */
	pthread_mutex_t lock; /* guards faults */
	struct faults faults;
};

void simulator_defaults(struct simulator_options *options);
/* Binds the ports and starts the threads. FAILED with the detail in err. */
enum rc simulator_start(struct simulator *simulator, const struct simulator_options *options, struct err *err);
void simulator_stop(struct simulator *simulator);
struct faults simulator_faults(struct simulator *simulator);
void simulator_set_faults(struct simulator *simulator, const struct faults *faults);

/* A phone sends a text (UTF-8) to a number, empty: to whom it last received from. False if nobody is bound who could
 * take it later either (it is kept until someone binds), or the text is not UTF-8. */
bool simulator_phone_send(struct simulator *simulator, struct str phone, struct str to, struct str text);

/* What a mailbox writes: an answer to the message `answers` (0: to the last one), or a new mail, or a report that the
 * last one could not be delivered. */
struct mailbox_letter {
	struct str mailbox, to, subject, text;
	uint64_t answers;
	bool bounce;     /* an RFC 3464 report to the return path */
	bool automatic;  /* an out-of-office answer */
};
/* Builds it and hands it to the command or address of the options. INVALID or FAILED with the detail in err. */
enum rc simulator_mailbox_send(struct simulator *simulator, const struct mailbox_letter *letter, struct err *err);

/* --- inside ----------------------------------------------------------------------------------------------- */

/* Listens on loopback; returns the descriptor, or -1 with errno. *port gets the port bound. */
int simulator_listen(uint16_t port, uint16_t *bound);

enum rc smsc_start(struct simulator *simulator, struct err *err);
void smsc_stop(struct smsc *smsc);
enum rc sink_start(struct simulator *simulator, struct err *err);
void sink_stop(struct sink *sink);
enum rc web_start(struct simulator *simulator, struct err *err);
void web_stop(struct web *web);

/* gsm.c: an own reading of 3GPP TS 23.038, on purpose not the product's. */
struct str gsm_decode(struct arena *arena, uint8_t data_coding, struct str bytes);
/* GSM septets if all of the text has them, else UCS-2. */
struct str gsm_encode(struct arena *arena, struct str text, uint8_t *data_coding);

/* mailbox.c: what a mail says, read by GMime. */
struct mail_view {
	struct str from, to, reply_to, subject, text, html, message_id, references, in_reply_to;
	struct str list_unsubscribe, list_unsubscribe_post, auto_submitted, content_language;
};
void mailbox_view(struct arena *arena, struct str raw, struct mail_view *out);

#endif
