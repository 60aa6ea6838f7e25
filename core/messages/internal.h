/* What the files of core/messages share. Private to the room.
 *
 * One dispatcher thread owns everything in `struct engine` that is not named in a lock's comment. Channels call back on
 * threads of their own and only touch the mailbox (under mailbox_lock) and a road's staged messages (under its lock). */
#ifndef CHANCERY_CORE_MESSAGES_INTERNAL_H
#define CHANCERY_CORE_MESSAGES_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"
#include "core/messages/block.h"
#include "core/messages/channel.h"
#include "core/messages/counter.h"
#include "core/messages/id_map.h"
#include "core/messages/messages.h"
#include "core/messages/receipt_index.h"
#include "core/messages/routing.h"
#include "core/messages/state.h"
#include "messages_sql.h"

#define ROUTES_MAX 128 /* roads: carriers times their binds */
#define ROAD_NONE UINT8_MAX /* not chosen yet */
#define HELD_SETS 16      /* sets of carriers that messages may wait for */
#define HELD_MOST 1024    /* messages in memory waiting for room with their carriers, each set */
#define PARTS_MAX 32 /* of one SMS; a mask of as many bits follows them */

/* "Not yet" in time columns: as wide as a real time, so that a row does not grow when it is written again. */
#define MESSAGE_NEVER (-(INT64_C(1) << 60))
/* Due since ever, whatever the clock says later: it may be put back. */
#define MESSAGE_AT_ONCE MESSAGE_NEVER
/* "Chosen at the hand-over" in message.contact_id; as wide as a real id will be. */
#define MESSAGE_CONTACT_LATER (-(INT64_C(1) << 30))
#define MESSAGE_CARRIER_ID_WIDTH 18 /* a little less than what the row was inserted with */

#define LOADED_MOST 1024   /* messages in memory waiting, per channel and lane */
#define LOOKAHEAD 8000     /* messages in opened blocks below which the next block is opened, per channel and lane */
#define BATCH_MOST 1000    /* messages rendered and marked in one transaction */
#define WORK_MOST (30 * INT64_C(1000)) /* microseconds after which a transaction of steps takes no further step */
#define LEASE (15 * CLOCK_SECOND)
#define BEAT (4 * CLOCK_SECOND)

/* --- a notice in memory -------------------------------------------------------------------------------------- */

/* The gate is read right before each hand-over. A supersede shuts it to "suspect" inside its transaction, before the
 * commit; the dispatcher then asks the store and opens it again or leaves it shut. The bits above count the suspicions,
 * so that an answer to an earlier one does not open a later one. */
enum { GATE_OPEN = 0, GATE_SUSPECT = 1, GATE_SUPERSEDED = 2, GATE_BITS = 3, GATE_STEP = 4 };

struct live {
	int64_t id, kind, event_id, subject_id, lane, expires_at;
	bool held;
	bool end_loose;          /* loose messages of it are to be ended */
	bool in_batch;           /* messages of it are about to be marked: the store is asked whether it is superseded */
	bool changed;            /* progress to tell */
	int64_t told_at;         /* monotonic, when listeners were told last */
	_Atomic uint64_t gate;
};

/* --- an opened block in memory ------------------------------------------------------------------------------- */

struct work {
	int64_t id;
	struct live *live;
	int64_t channel, text_group, lane;
	int32_t count[MESSAGE_STATE_COUNT]; /* its messages by state, as committed */
	int64_t cursor;    /* place of the next message to load */
	int64_t opened_at; /* UTC microseconds */
	int64_t again_at;  /* UTC microseconds: when to walk it again from the start; INT64_MAX never */
	enum block_state state, stored; /* stored: as the row says */
	struct work *next; /* of its channel and lane */
};

/* --- a message in memory -------------------------------------------------------------------------------------- */

enum phase {
	PHASE_LOADED,  /* in a queue; the row says queued or in doubt */
	PHASE_PICKED,  /* being rendered and marked */
	PHASE_STAGED,  /* marked; waits for room on its road */
	PHASE_HANDED,  /* with the channel */
};

struct batch {
	struct arena arena; /* rendered texts */
	_Atomic size_t left; /* messages not yet handed over */
};

struct flight {
	int64_t id, person_id, event_id, contact_id, expires_at;
	struct live *live;      /* NULL for single messages */
	struct work *work;      /* NULL for loose messages */
	enum phase phase;
	uint8_t channel, lane, text_group, was; /* was: state of the row before it was marked */
	uint8_t road;
	uint32_t carriers;      /* those that should take it, where there are several */
	int64_t route;          /* road of the attempt before, 0 none */
	uint16_t attempts;      /* with the present one */
	uint16_t parts;
	uint32_t wanted;        /* parts to hand over this time */
	uint32_t accepted;      /* of all parts, earlier attempts included */
	uint32_t answered;      /* of the wanted */
	uint8_t outcome;        /* the worst so far: enum worst */
	bool bounced;           /* permanent, and the address is to blame */
	bool waited;            /* throttled or never handed over: not an attempt */
	bool cancelled;         /* guarded by the road's lock */
	int64_t status_code;
	char carrier_id[65];
	char status[81];        /* the carrier's word, where it was not plainly accepted */
	struct channel_message message;
	struct batch *batch;
	struct flight *next;
};

/* In the order in which one decides over the others. */
enum worst { WORST_ACCEPTED, WORST_LATER, WORST_DOUBT, WORST_REFUSED };

struct queue {
	struct flight *first, *last;
	size_t count;
};

/* --- a road out ------------------------------------------------------------------------------------------------ */

struct road {
	struct engine *engine;
	struct messages_route route;
	struct channel *channel;
	int64_t id;               /* row of `route` */
	int64_t carrier;          /* row of `route` of its carrier: receipts are matched under it; the same as id where the road is alone */
	size_t carrier_index;     /* in the channel's routing */
	uint8_t index;
	_Atomic bool up;
	bool went_down;           /* since the last look; guarded by mailbox_lock */
	pthread_mutex_t lock;     /* guards staged, staged_count and handed, and keeps two submits apart */
	struct queue staged[LANE_COUNT];
	size_t staged_count;
	size_t handed;            /* messages handed over, ever */
	size_t handed_seen;       /* of them, as the dispatcher saw last; dispatcher's */
	size_t pace;              /* handed over between its last two looks; dispatcher's */
	size_t unrecorded;        /* marked and not folded: staged, handed over, answered; dispatcher's */
};

/* Messages whose carriers have no room, by the set of carriers; their addresses need not be looked up again and again. */
struct held {
	uint32_t carriers;
	size_t count;
	struct queue lanes[LANE_COUNT];
};

/* --- what channels report --------------------------------------------------------------------------------------- */

struct report {
	int64_t message;
	uint64_t key;
	uint32_t code;
	uint16_t part;
	uint8_t road, outcome, fault;
	bool late;
	char carrier_id[65];
	char text[81];
};

struct receipt_report {
	uint64_t ticket;
	uint64_t keys[CHANNEL_RECEIPT_KEYS];
	size_t key_count;
	int64_t unmatched_id; /* kept before and matched now; then no ticket */
	uint8_t road, delivery;
	bool has_ticket, by_content, skip;
	char carrier_id[65];
	char from[65];
	char stat[41];
	char error[41];
	size_t incoming; /* index of the same as an incoming message, when by_content */
};

struct incoming_report {
	uint64_t ticket;
	uint8_t road;
	uint8_t data_coding, esm_class;
	uint16_t part_reference;
	uint8_t part_total, part_number;
	bool only_if_unmatched; /* stands here for a receipt by content */
	bool take;              /* to be stored */
	bool skip;
	char from[65], to[65];
	struct str bytes; /* heap */
};

#define DIGITS_SAME 8 /* last digits that must agree where a carrier writes numbers its own way */
#define REPORTS_MOST 200000
#define RECEIPTS_MOST 20000
#define INCOMING_MOST 5000

/* Arrays on the heap; what channels put in and the dispatcher takes out whole. */
struct mail {
	struct report *results;
	size_t result_count, result_capacity;
	struct receipt_report *receipts;
	size_t receipt_count, receipt_capacity;
	struct incoming_report *incoming;
	size_t incoming_count, incoming_capacity;
};

/* --- what waits to be written ------------------------------------------------------------------------------------ */

/* A message whose answers are complete. */
struct ending {
	struct flight *flight; /* NULL: late, or of a process before this one */
	int64_t id;
	enum message_event event;
	bool late, bounced, waited;
	bool skip; /* the store or the desk cannot take it: see fold_isolate */
	enum message_reason reason;
	int64_t status_code, part;
	const char *carrier_id, *status; /* of the flight or the report; NULL none */
};

/* Everything of one transaction that came from channels; kept until it is committed. */
struct fold {
	struct arena arena;
	struct mail mail;
	struct message_accept_args *accepts; /* plainly accepted, one part */
	struct flight **accepted;
	size_t accept_count, accept_capacity;
	struct ending *endings;
	size_t ending_count, ending_capacity;
	struct message_part_put_args *parts;
	size_t part_count, part_capacity;
	bool down[ROUTES_MAX];
	bool filled;
	struct waiting_receipt *kept; /* receipts without a message, kept in this transaction; in its arena */
	_Atomic bool slowly; /* accepted ones are written one by one */
};

/* A receipt that came before the answer with its id. */
struct waiting_receipt {
	int64_t id; /* row of receipt_unmatched */
	int64_t route;
	uint64_t keys[CHANNEL_RECEIPT_KEYS]; /* it waits under each, since the answer may write the id in another form */
	size_t key_count;
	int64_t last_digits; /* of the phone; 0 not told */
	uint8_t delivery;
	char stat[41];
	struct waiting_receipt *next; /* of those kept in one transaction */
};

/* What a transaction moved, applied to memory after its commit. */
struct move {
	int64_t id, block_id;
	struct live *live;
	uint8_t from, to;
	int64_t not_before;
};

struct moves {
	struct move *items;
	size_t count, capacity;
};

struct engine {
	struct house *house;
	const struct notice_desk *desks[NOTICE_KIND_COUNT];
	messages_stays stays;
	struct road roads[ROUTES_MAX];
	size_t road_count;
	struct routing routing[CHANNEL_KIND_COUNT];
	struct id_map route_carriers;  /* row of `route` of a bind to that of its carrier */
	size_t room[ROUTES_MAX];       /* of this round */
	struct held held[CHANNEL_KIND_COUNT][HELD_SETS];
	int64_t probed_at;             /* monotonic: see roads_look_further */
	int probes;
	int64_t id;              /* of this dispatcher */
	int lock_file;

	pthread_t thread, follower;
	bool serving;
	_Atomic bool stopping, follower_stop;
	_Atomic int64_t lease_until; /* UTC microseconds, as the store has it */

	pthread_mutex_t mailbox_lock; /* guards mailbox, woken, and went_down of roads */
	pthread_cond_t wake;
	struct mail mailbox;
	bool woken;
	_Atomic int64_t change_latest; /* told by the follower */
	_Atomic bool look;             /* messages_wake */

	pthread_mutex_t lives_lock;    /* guards `lives` against notice_supersede of other threads */
	struct id_map lives;

	struct id_map flights;
	struct flight *spare;          /* to use again */
	struct id_map works;
	struct work *first[CHANNEL_KIND_COUNT][LANE_COUNT];
	struct queue loaded[CHANNEL_KIND_COUNT][LANE_COUNT];
	int64_t backlog[CHANNEL_KIND_COUNT][LANE_COUNT]; /* queued in opened blocks */
	bool loose_look[CHANNEL_KIND_COUNT]; /* a loose message may wait */
	bool again;                    /* another round at once */
	bool ask_all;                  /* a notice was superseded, held or resumed somewhere */
	bool block_look;               /* a block may wait */
	bool read_look;                /* an incoming message may be unread */
	bool read_singly;              /* the rules stumbled over one: one by one for now */
	bool recovered;
	int64_t change_seen;
	int64_t parts_at, looked_at, beat_at, swept_at, closed_at, gone_at, pruned_at, counted_at; /* monotonic: when it is next time to */
	int64_t clock_ahead;           /* wall clock less monotonic clock at the last look, 0 before the first */
	bool clock_put_back;           /* times of next tries are to be brought forward */
	int64_t rest_until;            /* monotonic: the store failed; nothing new is marked before */
	int64_t unknown_seen;          /* db_unknown_commits when memory was last known to agree with the store */
	int64_t *unsure, unsure_at;    /* messages marked at that time in a transaction of unknown outcome; heap */
	size_t unsure_count;
	int failures;                  /* of the transaction, in a row, that another try does not mend */
	struct fold fold;
	struct receipt_index receipts;
	struct id_map waiting;         /* hash of route and key to struct waiting_link: receipts that came before their answer */
	struct id_map waiting_old;     /* those of before; forgotten when `waiting` is full */
	size_t waiting_count;          /* receipts in `waiting` */

	pthread_mutex_t figures_lock;  /* guards figures */
	struct messages_figures figures;
	bool alarmed;
};

struct engine *engine_of(struct house *house);

/* --- notice.c ------------------------------------------------------------------------------------------------- */
/* Called in a superseding transaction: shuts the gates of these notices in every engine of the process until each has asked the store. */
void engines_suspect(enum notice_kind kind, int64_t event_id, int64_t before);
void engines_add(struct engine *engine);
void engines_remove(struct engine *engine);
/* Queues a message and returns its id; for what this room itself answers. */
enum rc loose_message_id(struct db_tx *tx, int64_t *id_out, struct err *err);

/* --- live.c: notices in memory --------------------------------------------------------------------------------- */
/* The notice, read from the store if it is not known yet. */
enum rc live_find(struct engine *engine, struct db_tx *tx, int64_t notice_id, struct live **out, struct err *err);
/* True if a message of it may be handed over at `now`. */
bool live_is_open(const struct live *live, int64_t now);
/* In a writing transaction: looks up those under suspicion or in the batch (or all); the answers are put in force by lives_settle
 * after the commit. */
struct verdict { struct live *live; uint64_t gate; bool superseded, held; };
enum rc lives_ask(struct engine *engine, struct db_tx *tx, struct arena *arena, bool all, struct verdict **out,
                  size_t *count_out, struct err *err);
void lives_settle(struct engine *engine, const struct verdict *verdicts, size_t count);
void lives_release(struct engine *engine);
void lives_prune(struct engine *engine);
void lives_tell(struct engine *engine, bool all);

/* --- open.c: blocks ---------------------------------------------------------------------------------------------- */
/* Opens frozen blocks that are due and wanted, at most WORK_MOST long; *opened_out tells whether any. */
enum rc blocks_open(struct engine *engine, bool all, bool *opened_out, struct err *err);
struct work *work_add(struct engine *engine, int64_t id, struct live *live, int64_t channel, int64_t text_group, int64_t lane);
void work_remove(struct engine *engine, struct work *work);
/* Ends what is superseded or out of time, in steps; *more_out tells whether something is left. */
enum rc blocks_end(struct engine *engine, bool *more_out, struct err *err);
/* Writes the states of blocks that have nothing open left. */
enum rc blocks_close(struct engine *engine, struct err *err);

/* --- fill.c: from rows to rendered messages -------------------------------------------------------------------- */
/* A message that is not to be sent. */
struct withheld { struct flight *flight; enum message_reason reason; };
struct filled {
	struct batch *batch;
	struct flight **flights;
	size_t count, capacity;
	struct withheld *withheld;
	size_t withheld_count, withheld_capacity;
	struct flight **failed; /* could not be rendered now */
	size_t failed_count, failed_capacity;
};
/* Loads, picks for every road with room, and renders. */
enum rc fill(struct engine *engine, struct arena *arena, struct filled *out, struct err *err);
struct flight *flight_new(struct engine *engine);
/* Forgets a message; its row is read again when `again_at` comes. */
void flight_drop(struct engine *engine, struct flight *flight);
void queue_push(struct queue *queue, struct flight *flight);
struct flight *queue_pop(struct queue *queue);
void batch_done(struct batch *batch);

/* --- road.c: hand-over ------------------------------------------------------------------------------------------- */
extern const struct channel_events road_events;
/* Hands over what is staged as far as there is room; from any thread. */
void road_push(struct road *road);
void road_stage(struct road *road, struct flight *flight);
/* How many messages may be marked for the road now; *urgent: how many codes and answers, in any case. */
size_t road_room(struct road *road, size_t *urgent);
/* Everything staged goes back to the queue: the road is down, so nobody has it. */
void road_return(struct road *road);
/* An earlier copy was accepted after all: if this one has not left yet, it stays. */
void road_cancel(struct engine *engine, struct flight *flight);

/* --- choose.c: which road, where there are several ------------------------------------------------------------------ */
enum rc route_carriers_load(struct engine *engine, struct db_tx *tx, struct arena *arena, struct err *err);
/* The carrier (row of `route`) of a bind's row; the row itself where it is no bind. */
int64_t route_carrier(const struct engine *engine, int64_t route);
/* Whether messages of a channel must choose among roads. */
bool roads_are_several(const struct engine *engine, int64_t channel);
/* Tells how much each road takes in this round; then messages are chosen for, and take their room. */
void roads_set_room(struct engine *engine, int64_t channel, const size_t *room);
/* Whether another message should be looked at for them: a road has room, and it is likely that one is meant for it. */
bool roads_look_further(struct engine *engine, int64_t channel);
void road_take_room(struct engine *engine, const struct flight *flight);
/* Sets the flight's road. BUSY: flight->carriers say whom it waits for. NOT_FOUND: nobody serves the number. */
enum rc road_choose(struct engine *engine, struct flight *flight, struct str number, struct err *err);
/* Keeps a message until one of flight->carriers has room; false when too many are kept already. */
bool held_push(struct engine *engine, struct flight *flight);
/* The next whose carriers have room (or are all down, so that it must be chosen for anew); NULL none. */
struct flight *held_pop(struct engine *engine, int64_t channel, int64_t lane);
/* Blocks are about to be forgotten: so are their messages that are kept. */
void held_part_from_closed(struct engine *engine);
/* Any that is kept, to be forgotten; NULL none. */
struct flight *held_drop(struct engine *engine, int64_t channel);
/* What carriers did, for their weights; and the turn of the minute. */
void routing_note(struct engine *engine, const struct report *report);
void routing_note_receipt(struct engine *engine, const struct receipt_report *receipt);
void routing_look(struct engine *engine);

/* --- fold.c: results ------------------------------------------------------------------------------------------------ */
void fold_take(struct engine *engine);
bool fold_is_empty(const struct fold *fold);
enum rc fold_write(struct engine *engine, struct db_tx *tx, struct arena *arena, struct counters *counters,
                   struct moves *moves, struct err *err);
/* The transaction failed again and again: finds what it stumbles over, by writing each thing alone and rolling it back, and
 * leaves that out, so that one thing nobody foresaw does not stop all others. A message left out stays 'submitted' and is in
 * doubt at the next start; a receipt or text left out is refused to the carrier, which brings it again. */
void fold_isolate(struct engine *engine);
/* After the commit: tells the carriers, forgets what is answered. */
void fold_clear(struct engine *engine);
void mail_release(struct mail *mail);
/* One event of one message, whatever its state: reads the row, moves it and its counter, tells the desk what follows.
 * NOT_FOUND when the row is gone. */
struct happening {
	enum message_event event;
	bool late, bounced, waited, doubt_waits;
	enum message_reason reason;
	int64_t status_code; /* -1: leave */
	int64_t now;
	int64_t parts_delivered; /* added */
	const char *carrier_id, *status; /* NULL: leave */
};
enum rc message_happen(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t id,
                       const struct happening *what, struct counters *counters, struct moves *moves, struct err *err);
/* After a message ended (or came back to life): whether its person can be reached at all. */
enum rc tell_reachable(struct engine *engine, struct db_tx *tx, struct arena *arena, int64_t notice_id, int64_t person_id,
                       int64_t event_id, int64_t now, struct err *err);
int64_t retry_after(unsigned attempts);
/* Whether a message in doubt is sent again: alerts and codes are. */
bool lane_resends(int64_t lane);

/* --- receipt_waiting.c -------------------------------------------------------------------------------------------------- */
/* The last digits of a number, at most DIGITS_SAME of them; 0 for none. */
int64_t receipt_digits(struct str number);

/* --- receipt.c ---------------------------------------------------------------------------------------------------------- */
enum rc receipt_write(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_report *receipt,
                      struct counters *counters, struct moves *moves, struct err *err);
enum rc receipts_write(struct engine *engine, struct db_tx *tx, struct arena *arena, struct counters *counters,
                       struct moves *moves, struct err *err);
/* An answer came: receipts that were before it are taken up again. */
void receipts_claim(struct engine *engine, const struct report *answer);
/* Receipts that wait for their message, from the store. */
enum rc receipts_load_waiting(struct engine *engine, struct err *err);
void receipts_release(struct engine *engine);
/* Another process kept a receipt: perhaps it speaks of a message of ours. */
void receipts_heard(struct engine *engine, int64_t unmatched_id);
/* More ids are known than before: receipts that wait are looked up again. */
void receipts_retry(struct engine *engine);
/* After the commit: remembers what was kept for later. */
void receipts_settle(struct engine *engine);

/* --- incoming.c ------------------------------------------------------------------------------------------------------------ */
enum rc incoming_store(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct incoming_report *report,
                       struct err *err);
enum rc incoming_write(struct engine *engine, struct db_tx *tx, struct arena *arena, struct err *err);
/* Reads what is stored and not yet read, by the rules; *more_out: there is more. */
enum rc incoming_read(struct engine *engine, bool *more_out, struct err *err);
/* One stored message, as the rules see it. */
struct incoming_item {
	int64_t id, channel, reply_to_message;
	bool parts_missing, quiet; /* quiet: never answered by rule */
	struct str address, recipient, body;
	struct str message_id;   /* of a mail, for the answer */
};
/* Reads one message in the transaction and marks it as read. */
enum rc incoming_read_one(struct house *house, struct db_tx *tx, struct arena *arena, const struct incoming_item *item, struct err *err);
/* Stores one; *id_out 0 if its dedupe key is known already. */
struct incoming_new {
	int64_t channel, route, reply_to_message, why;
	struct str dedupe, address, recipient, subject, message_id, body;
};
enum rc incoming_add(struct db_tx *tx, struct arena *arena, const struct incoming_new *incoming, int64_t now, int64_t *id_out,
                     struct err *err);

/* --- recover.c ---------------------------------------------------------------------------------------------------------------- */
/* Takes up what a dispatcher of before left: blocks, what was being handed over, receipts awaited. */
enum rc recover(struct engine *engine, struct err *err);
enum rc take_over_gone(struct engine *engine, struct err *err);
/* After commits whose outcome nobody can tell: what stands marked and was never handed over goes back to the queue, blocks that
 * are ours are taken up, and those in memory counted anew. Nothing is in doubt by it. */
enum rc take_stock(struct engine *engine, struct err *err);
/* This dispatcher's number, kept in DATA/dispatcher.N, which stays locked while the process lives. */
enum rc dispatcher_number(struct engine *engine, struct err *err);

/* --- engine.c --------------------------------------------------------------------------------------------------------------- */
void engine_wake(struct engine *engine);
void engine_free(struct house *house);
void figures_update(struct engine *engine);
void moves_apply(struct engine *engine, const struct moves *moves);
/* One round of the dispatcher; true if there is more to do at once. For tests, too. */
bool engine_round(struct engine *engine);

#endif
