/* The outbox (what we tell people), the inbox (what they tell us) and everything between a frozen audience and an answer.
 *
 * The life of a message (docs/message-states.md):
 *   queued -> submitted -> accepted -> delivered | failed | expired
 *   queued -> superseded | expired | not sent;  submitted -> in doubt -> submitted (sent again) | accepted | delivered | expired
 * 'submitted' is written durably BEFORE the message is handed to a carrier, in one batch with the results of the one before:
 * what is not marked was certainly not sent, what is marked and unanswered after a crash is 'in doubt'. */
#ifndef CHANCERY_CORE_MESSAGES_H
#define CHANCERY_CORE_MESSAGES_H

#include "base/base.h"
#include "core/messages/channel.h"
#include "core/people/people.h"
#include "kernel/desk/desk.h"
#include "kernel/text/keyword.h"
#include "kernel/text/sms.h"

extern const struct desk messages_desk;

enum message_state {
	MESSAGE_PLANNED = 0, /* only in counters: the whole */
	MESSAGE_QUEUED = 1,
	MESSAGE_LEASED = 2,    /* only in memory: a dispatcher holds it; the row says queued */
	MESSAGE_SUBMITTED = 3, /* being handed over, or handed over and not answered */
	MESSAGE_ACCEPTED = 4,  /* the carrier or relay took it; nobody knows more */
	MESSAGE_DELIVERED = 5, /* a receipt said so */
	MESSAGE_FAILED = 6,
	MESSAGE_IN_DOUBT = 7,
	MESSAGE_EXPIRED = 8,
	MESSAGE_SUPERSEDED = 9,
	MESSAGE_NOT_SENT = 10, /* opted out, suppressed, plans changed */
	MESSAGE_STATE_COUNT,
	MESSAGE_WAS_IN_DOUBT = 100, /* only in counters, in no sum */
};

enum message_reason {
	REASON_NONE,
	REASON_REFUSED,        /* permanent refusal by the carrier; status_code says which */
	REASON_UNKNOWN_ADDRESS,/* hard bounce, unknown subscriber: the contact ended */
	REASON_RECEIPT_FAILED, /* a receipt said undeliverable, rejected, deleted */
	REASON_RECEIPT_EXPIRED,
	REASON_OPTED_OUT,
	REASON_NO_CONTACT,     /* the contact was removed or ended after the audience was frozen */
	REASON_PLANS_CHANGED,  /* no longer due: left the plan before it began */
	REASON_TOO_LONG,       /* cannot be encoded within the limit of parts */
	REASON_ERASED,
	REASON_ANSWERED,       /* the person answered before this way's turn came */
	REASON_COUNT,
};

enum message_lane { LANE_CODE = 0, LANE_ANSWER = 1, LANE_ALERT_EXTREME = 2, LANE_ALERT_SEVERE = 3, LANE_ALERT = 4, LANE_REST = 5, LANE_COUNT };

enum notice_kind { NOTICE_ALERT = 1, NOTICE_KIND_COUNT };

/* --- what a desk implements for its notices --------------------------------------------------------------- */
struct message_draft {            /* what render fills, all in the arena */
	struct str subject;       /* mail */
	struct str text;          /* plain text: the SMS, or the mail's text part */
	struct str html;          /* the mail's HTML part, or STR_NONE */
	struct str thread;        /* same for all versions of an event: References / Message-ID threading */
	struct str unsubscribe_url; /* RFC 8058 one-click, or STR_NONE */
	enum language language;
	/* Web push, paths of ours: what a tap opens, and where 'safe' and 'need help' are posted (STR_NONE: nothing to answer). */
	struct str open, answer;
	struct channel_push_words words;
	bool silent; /* web push: shown without sound, so that nobody is woken */
	enum message_reason withhold; /* set by render: not sent after all, and why */
};
/* One person's message of a notice on one channel. */
struct notice_turn {
	int64_t event_id, subject_id, notice_id, person_id;
	enum channel_kind channel;
};
struct notice_desk {
	/* Writes the text of a notice for one person; called on the dispatcher's thread, must not write to the store.
	 * `cache` is the notice's own (texts per language are prepared once): see notice_cache. */
	enum rc (*render)(struct house *house, struct arena *arena, struct db_tx *tx, int64_t subject_id, int64_t text_group,
	                  const struct person *person, enum channel_kind channel, struct message_draft *out, struct err *err);
	/* Still due? Called when a deferred block of a notice opens: anything but REASON_NONE makes the message 'not sent' for that reason;
	 * *not_before may be set later. */
	enum message_reason (*due)(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t *not_before);
	/* In the transaction in which a message of a notice failed for good, or was not sent because its way is gone: what else is there to tell the
	 * person by? Called before the desk is told that they are unreachable. May be NULL. */
	enum rc (*lost)(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t now, struct err *err);
	/* In the transaction in which the last of a person's messages of the event ended as failed, expired or not sent, with none accepted,
	 * delivered, in doubt or still to come: the person is unreachable. And when that is no longer so (a late answer or receipt): reachable.
	 * May be called twice with the same answer. Those frozen with no channel at all are the desk's own to book when it freezes. */
	enum rc (*unreachable)(struct db_tx *tx, int64_t event_id, int64_t person_id, bool unreachable, int64_t now, struct err *err);
	/* An incoming SAFE or HELP of `person_ids` (those the address belongs to). NOT_FOUND: no open alert of theirs. CONFLICT: more than one
	 * fits and the text does not say which. OK: recorded for *person_out and *event_out. In the transaction. */
	enum rc (*answer)(struct db_tx *tx, struct house *house, const int64_t *person_ids, size_t person_count, const struct keyword_reply *said,
	                  int64_t event_hint, enum channel_kind channel, int64_t incoming_id, int64_t now, int64_t *person_out, int64_t *event_out, struct err *err);
	/* Progress changed (merged to a few times a second): tell listeners. */
	void (*progress)(struct house *house, int64_t event_id);
};
/* Each notice kind is registered once at start. */
void messages_register(struct house *house, enum notice_kind kind, const struct notice_desk *desk);

/* --- sending to an audience ------------------------------------------------------------------------------- */
struct notice_new {
	enum notice_kind kind;
	int64_t event_id, subject_id;
	enum message_lane lane;
	bool exercise;
	bool beside; /* said beside the event's other notices: nothing of them is superseded (a reminder, someone told again) */
	int64_t expires_at;
};
/* One person of an audience, sorted by person id, each once. */
struct notice_person {
	int64_t person_id;
	uint8_t channels;     /* CHANNEL_BITs that are usable and wanted by the officer; 0: unreachable */
	uint8_t text_group;
	int64_t not_before[CHANNEL_KIND_COUNT]; /* by channel; 0 at once */
};
/* Freezes: writes notice, blocks and counters in the caller's transaction; when that commits, it is sent. Blocks of the
 * event's earlier notices that are still frozen are dropped and their messages still queued become superseded in steps
 * (the dispatcher checks superseded_at before each hand-over, so none leaves after the commit). Returns the notice id. */
enum rc notice_freeze(struct db_tx *tx, const struct notice_new *notice, const struct notice_person *people, size_t count, int64_t now,
                      int64_t *notice_id_out, struct err *err);
/* Adds one person after the freeze (late joiner): message rows at once, idempotent by (notice, channel, person). */
enum rc notice_add_person(struct db_tx *tx, int64_t notice_id, const struct notice_person *person, int64_t now, struct err *err);
/* Brings forward what is frozen for a person on a channel: a message row of its own, due at `not_before` (0: at once); the block counts one
 * less, the sums stay as they are. A late joiner's row that waits is moved. NOT_FOUND: nothing of theirs waits there (opened meanwhile, brought
 * forward before, or never planned); CONFLICT: superseded. */
enum rc notice_raise_person(struct db_tx *tx, int64_t notice_id, int64_t person_id, enum channel_kind channel, int64_t not_before, int64_t now,
                            struct err *err);
/* Everything still queued of the event's notices before `keep_notice_id` becomes superseded (0: all). In steps; resumable. */
enum rc notice_supersede(struct db_tx *tx, enum notice_kind kind, int64_t event_id, int64_t keep_notice_id, int64_t now, struct err *err);
/* Calls `each` for everyone in a notice's blocks, in blocks' order (ascending within a block). Someone with two channels comes twice, with one
 * CHANNEL_BIT each; who has none comes once with 0. No other statement may run in `each`. Late joiners are not in blocks. */
enum rc notice_each_person(struct db_tx *tx, int64_t notice_id, enum rc (*each)(void *context, int64_t person_id, int64_t text_group, unsigned channels),
                           void *context, struct err *err);
/* Whether a person was frozen in the notice or added later: NOT_FOUND if not. `channels` gets the CHANNEL_BITs (0: no channel), `text_group` the group. */
enum rc notice_find_person(struct db_tx *tx, int64_t notice_id, int64_t person_id, unsigned *channels_out, int64_t *text_group_out, struct err *err);
/* When a person's messages of a notice that are still frozen will open, by channel: 0 at once; -1 where none is frozen. */
enum rc notice_find_frozen(struct db_tx *tx, int64_t notice_id, int64_t person_id, int64_t not_before[CHANNEL_KIND_COUNT], struct err *err);
/* Calls `each` for everyone whose messages of a notice are frozen until after `now`: who arrives later. As notice_each_person. */
enum rc notice_each_deferred(struct db_tx *tx, int64_t notice_id, int64_t now, enum rc (*each)(void *context, int64_t person_id, int64_t text_group, unsigned channels),
                             void *context, struct err *err);
/* An officer's word for a notice that grew old over a stop of the program (setting messages.old_after): it goes on. NOT_FOUND if it is not held.
 * To drop it instead: notice_supersede. The ledger entry is the caller's. */
enum rc notice_resume(struct db_tx *tx, int64_t notice_id, struct err *err);
/* Wakes the dispatcher (it notices commits by itself through the change sequence; after a moved clock it does not). */
void messages_wake(struct house *house);

/* --- roads out and the dispatcher ------------------------------------------------------------------------- */
struct channel; /* core/messages/channel.h */
struct messages_route {
	struct channel *channel;   /* not started; stays the caller's, who frees it after messages_stop */
	struct str carrier;        /* whose bind this is, where a carrier has several; empty: the channel stands for itself. The channel is then
	                            * named CARRIER/N: receipts are matched among all roads of a carrier, whatever bind they come by */
	bool receives_only;        /* a receiver bind: nothing is handed over to it */
	struct str prefixes;       /* numbers the carrier serves, "+216 +33"; empty: all. This and the two below count where the carrier is first named */
	int64_t cost, weight;      /* of one part; share among carriers of the same prefix and cost (0: only when no other is up) */
	bool receipts;             /* SMS: ask for delivery receipts */
	bool receipt_for_all;      /* the carrier gives one receipt for all parts of a long message */
	struct sms_road sms;       /* SMS: joining and alphabets of texts that go out, and how those that come in are read */
};
/* Counts what a text costs by SMS, for showing and refusing it before it is sent: by the road that takes the most parts for it, with
 * the parts allowed by the settings. Errors as sms_measure. */
enum rc messages_sms_measure(struct house *house, struct arena *arena, struct str text, struct sms_measure *out, struct err *err);
/* Adds a road before messages_serve. CONFLICT when one of that name is there, INVALID beyond ROUTES_MAX. */
enum rc messages_add_route(struct house *house, const struct messages_route *route, struct err *err);
/* Starts the dispatcher and the channels. Only `serve` does; other commands queue and leave the rest to the server. */
enum rc messages_serve(struct house *house, struct err *err);
/* Stops the channels (waiting at most `patience` microseconds for answers), folds what they reported, stops. */
void messages_stop(struct house *house, int64_t patience);

/* What the dispatcher is doing, for the desk's page and /metrics. */
struct messages_figures {
	int64_t queued[CHANNEL_KIND_COUNT][LANE_COUNT]; /* in opened blocks and loose, as far as this process knows */
	int64_t oldest_unsent;      /* UTC microseconds: when the oldest message that was never tried became due; 0 none */
	int64_t submitted, in_doubt;
	int64_t unmatched_receipts;
	int64_t sent;               /* handed over since the start of the process */
	int64_t held_notices;
	int64_t inbox_waiting;
	size_t routes, routes_up;
};
void messages_figures(struct house *house, struct messages_figures *out);

/* Recomputes every sum from the rows and blocks, for `chancery check`: calls `report` for each notice and channel whose counters do not
 * hold (ids and numbers only), *wrong_out gets their number. */
enum rc messages_check(struct db *db, void (*report)(void *context, struct str line), void *context, int64_t *wrong_out, struct err *err);

/* Running counters: of[channel][state], with PLANNED and WAS_IN_DOUBT (at index MESSAGE_STATE_COUNT). At every moment, for each channel,
 * planned = queued + submitted + accepted + delivered + failed + in doubt + expired + superseded + not sent. */
struct message_counts {
	int64_t of[CHANNEL_KIND_COUNT][MESSAGE_STATE_COUNT + 1];
};
enum rc message_count_event(struct db_tx *tx, enum notice_kind kind, int64_t event_id, struct message_counts *out, struct err *err);
enum rc message_count_notice(struct db_tx *tx, int64_t notice_id, struct message_counts *out, struct err *err);

/* --- single messages -------------------------------------------------------------------------------------- */
struct message_single {
	enum message_lane lane;
	enum channel_kind channel;
	int64_t person_id, contact_id; /* 0 when unknown; a person may be given with an address, which is used then */
	struct str address;            /* used when contact_id is 0; else empty */
	struct str subject, body;
	struct str in_reply_to;        /* mail: id of the message it answers, without <>; or empty */
	int64_t expires_at;
};
/* Queues one message (codes, confirmations, answers) in the caller's transaction. */
enum rc message_queue(struct db_tx *tx, const struct message_single *message, int64_t now, int64_t *message_id_out, struct err *err);

/* --- the inbox -------------------------------------------------------------------------------------------- */
/* Why an incoming message waits for an officer. */
enum incoming_why { WHY_NONE, WHY_UNKNOWN_SENDER, WHY_SEVERAL_PEOPLE, WHY_SEVERAL_ALERTS, WHY_NO_ALERT, WHY_FREE_TEXT, WHY_NOT_READ, WHY_PARTS_MISSING,
	WHY_LOOP, /* too many or the same text again: kept, not answered */
	WHY_TO_READ, /* counted as safe, but the note holds a 'but': an officer should read it */
	WHY_COUNT };
/* What WHERE is answered with: the person's stays on record in one short text, or STR_NONE (then their own page's link alone). Set once at start. */
typedef struct str (*messages_stays)(struct house *house, struct db_tx *tx, struct arena *arena, const struct person *person);
void messages_set_stays(struct house *house, messages_stays stays);
/* Stores a received mail (parsed by kernel/mail) and lets the rules read it; for `chancery receive-mail`. Bounces are booked on the message
 * they speak of, automatic mail is kept unread. A Message-ID that came before is OK and changes nothing. BUSY: not now (exit status 75, so
 * that the mail system comes again). */
struct incoming_mail;
enum rc incoming_mail_add(struct house *house, const struct incoming_mail *mail, struct err *err);

#endif
