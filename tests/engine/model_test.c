/* The proof run of the outbox: every interleaving of two dispatchers, one message, carriers that accept, refuse, stay silent or
 * are cut, receipts, a supersede, the end of its time, and crashes at any step, over the table of core/messages/state.c itself.
 *
 * A world is everything that matters for one message. From the first world all that can happen next is tried, and from each of
 * those again, until no new world appears. In each the promises are checked:
 *   - nothing happens to a row that the table does not know;
 *   - a second copy is with a carrier only if the row says that it was in doubt;
 *   - nothing is handed over after it was superseded or its time was over, nor without a mark of its own;
 *   - 'accepted', 'delivered' and 'failed' are only said when a carrier said so, and what a carrier was told is stored is;
 *   - no row stays 'submitted' that nobody has in hand.
 * At the end each cell of the table is spoilt in turn, to see that the promises would have noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/messages/state.h"

#define DISPATCHERS 2
#define COPIES 3   /* hand-overs followed, at most */
#define FAULTS 2   /* crashes, cuts and silences in one life */

/* What a dispatcher has of the message in memory. */
enum hold { HOLD_NONE, HOLD_LOADED, HOLD_STAGED, HOLD_HANDED, HOLD_ANSWERED };
/* What it knows and has not written. */
enum outcome { OUT_NONE, OUT_ACCEPTED, OUT_LATER, OUT_REFUSED, OUT_DOUBT_WAITS, OUT_DOUBT, OUT_RETURNED };
/* A copy with a carrier. */
enum copy_at {
	COPY_NONE,
	COPY_HANDED,   /* the carrier has not decided */
	COPY_ACCEPTED, /* it took it; the answer is on its way */
	COPY_REFUSED,  /* for good; the answer is on its way */
	COPY_LATER,    /* for now; the answer is on its way */
	COPY_TOLD,     /* accepted, the dispatcher heard it and has not written it */
	COPY_KNOWN,    /* accepted and written: its id is known */
	COPY_UNKNOWN,  /* accepted, and we shall never hear of it */
	COPY_GONE,     /* not with the carrier */
};
enum receipt_at { RECEIPT_NONE, RECEIPT_DELIVERED, RECEIPT_FAILED, RECEIPT_EXPIRED, RECEIPT_WRITTEN };

struct dispatcher {
	uint8_t alive, hold, was, outcome, copy, cut, lost; /* lost: another took what it had, and it has not asked the store yet */
};
struct copy {
	uint8_t at, by, receipt, said_delivered;
};
struct world {
	uint8_t row, was_in_doubt, due, owner; /* of the store */
	uint8_t lease;                         /* which dispatcher has the block */
	uint8_t superseded, over, faults, copies;
	uint8_t accept_written, deliver_written, refusal_heard, receipt_failed, receipt_expired;
	struct dispatcher d[DISPATCHERS];
	struct copy c[COPIES];
};

typedef bool (*transition)(enum message_state, enum message_event, enum message_state *);

struct model {
	transition next;
	bool loose;          /* no block: whoever marks first has it */
	bool resends;        /* its lane sends again what is in doubt */
	unsigned copies;     /* hand-overs followed */
	bool no_gate, no_mark, no_owner; /* rules of the engine, left out to see that they are missed */
	struct world *worlds;
	size_t count, capacity;
	uint32_t *places;    /* hash table of indexes + 1 */
	size_t place_count;
	const char *broken;  /* the first promise that was broken */
	struct world breaker;
	uint8_t used[MESSAGE_STATE_COUNT][EVENT_COUNT]; /* cells the run came by */
};

/* --- the set of worlds ---------------------------------------------------------------------------------------------- */

static bool find_place(const struct model *model, const struct world *world, size_t *at)
{
	size_t mask = model->place_count - 1;
	for (*at = (size_t)hash_bytes(world, sizeof *world, 1) & mask; model->places[*at]; *at = (*at + 1) & mask)
		if (memcmp(&model->worlds[model->places[*at] - 1], world, sizeof *world) == 0)
			return true;
	return false;
}

static void rehash(struct model *model)
{
	free(model->places);
	model->place_count = model->capacity * 4;
	model->places = calloc(model->place_count, sizeof *model->places);
	assert_non_null(model->places);
	for (size_t i = 0, at; i < model->count; i++)
		if (!find_place(model, &model->worlds[i], &at))
			model->places[at] = (uint32_t)i + 1;
}

static void add_world(struct model *model, const struct world *world)
{
	size_t at;
	if (model->count == model->capacity) {
		model->capacity = model->capacity ? model->capacity * 2 : 1024;
		model->worlds = realloc(model->worlds, model->capacity * sizeof *model->worlds);
		assert_non_null(model->worlds);
		rehash(model);
	}
	if (find_place(model, world, &at))
		return;
	model->worlds[model->count++] = *world;
	model->places[at] = (uint32_t)model->count;
}

static void broken(struct model *model, const struct world *world, const char *promise)
{
	if (model->broken)
		return;
	model->broken = promise;
	model->breaker = *world;
}

/* --- one event of the row, as message_happen writes it ------------------------------------------------------------------ */

static void happen(struct model *model, struct world *world, enum message_event event, bool waits)
{
	enum message_state was = (enum message_state)world->row, next = was;
	model->used[was][event] = 1;
	if (!model->next(was, event, &next)) {
		broken(model, world, "nothing happens that the table does not know");
		return;
	}
	world->row = (uint8_t)next;
	if (next != was && next == MESSAGE_QUEUED)
		world->due = 1;
	if (next != was && next == MESSAGE_IN_DOUBT) {
		world->was_in_doubt = 1;
		world->due = !waits && model->resends;
	}
	if (event == EVENT_ACCEPT)
		world->accept_written = 1;
	if (event == EVENT_DELIVER)
		world->deliver_written = 1;
}

static bool holds_lease(const struct model *model, const struct world *world, unsigned i)
{
	return model->loose || (world->lease == i && !world->d[i].lost);
}

/* --- what a dispatcher does ------------------------------------------------------------------------------------------------ */

static void load(struct model *model, struct world world, unsigned i)
{
	struct dispatcher *d = &world.d[i];
	bool waits = world.row == MESSAGE_QUEUED || world.row == MESSAGE_IN_DOUBT;
	if (d->hold != HOLD_NONE || !waits || !world.due || world.over || world.superseded || !holds_lease(model, &world, i))
		return;
	d->hold = HOLD_LOADED;
	d->was = world.row;
	add_world(model, &world);
}

static void mark(struct model *model, struct world world, unsigned i)
{
	struct dispatcher *d = &world.d[i];
	if (d->hold != HOLD_LOADED)
		return;
	/* The update asks whether the row still stands where it stood. */
	bool mine = holds_lease(model, &world, i) && (!world.superseded || model->no_gate) && world.row == d->was;
	d->hold = HOLD_NONE;
	if (mine) {
		if (!model->no_mark)
			happen(model, &world, EVENT_SUBMIT, false);
		world.owner = (uint8_t)i;
		d->hold = HOLD_STAGED;
	}
	d->was = 0;
	add_world(model, &world);
}

static void withhold(struct model *model, struct world world, unsigned i)
{
	struct dispatcher *d = &world.d[i];
	if (d->hold != HOLD_LOADED || world.row != d->was || !holds_lease(model, &world, i))
		return;
	if (d->was == MESSAGE_IN_DOUBT)
		world.due = 0;
	else
		happen(model, &world, EVENT_WITHHOLD, false);
	d->hold = HOLD_NONE;
	d->was = 0;
	add_world(model, &world);
}

static void answered(struct dispatcher *d, enum outcome outcome)
{
	d->hold = HOLD_ANSWERED;
	d->outcome = (uint8_t)outcome;
}

static void hand_over(struct model *model, struct world world, unsigned i)
{
	struct dispatcher *d = &world.d[i];
	if (d->hold != HOLD_STAGED || world.copies == model->copies)
		return;
	bool shut = !model->no_gate && (world.superseded || world.over);
	if (shut || !holds_lease(model, &world, i)) {
		/* The gate, the clock, or the store, which it has to ask after its lease ran out. */
		answered(d, OUT_RETURNED);
		add_world(model, &world);
		return;
	}
	if (world.superseded || world.over)
		broken(model, &world, "nothing is handed over after it was superseded or its time was over");
	if (world.row == MESSAGE_QUEUED)
		broken(model, &world, "nothing is handed over that is not marked");
	d->copy = world.copies;
	d->hold = HOLD_HANDED;
	world.c[world.copies++] = (struct copy){ .at = COPY_HANDED, .by = (uint8_t)i };
	add_world(model, &world);
}

static bool is_answer(uint8_t at)
{
	return at == COPY_ACCEPTED || at == COPY_REFUSED || at == COPY_LATER;
}

/* An answer arrives: of what it has in hand, or of a copy that it had given up as in doubt. */
static void hear(struct model *model, struct world world, unsigned i)
{
	struct dispatcher *d = &world.d[i];
	for (unsigned k = 0; k < world.copies; k++) {
		if (world.c[k].by != i || !is_answer(world.c[k].at))
			continue;
		struct world then = world;
		struct copy *copy = &then.c[k];
		bool accepted = copy->at == COPY_ACCEPTED, refused = copy->at == COPY_REFUSED;
		enum message_event event = accepted ? EVENT_ACCEPT : refused ? EVENT_REFUSE : EVENT_LATER;
		then.refusal_heard |= refused;
		if (d->hold == HOLD_HANDED && d->copy == k) {
			answered(&then.d[i], accepted ? OUT_ACCEPTED : refused ? OUT_REFUSED : OUT_LATER);
			copy->at = accepted ? COPY_TOLD : COPY_GONE;
		} else if (d->hold == HOLD_ANSWERED && d->copy == k) {
			continue; /* the doubt is written first */
		} else {
			if (message_late_counts((enum message_state)then.row, event))
				happen(model, &then, event, true);
			copy->at = accepted ? COPY_KNOWN : COPY_GONE;
			/* A second copy that has not left yet stays. */
			if (accepted && then.d[i].hold == HOLD_STAGED)
				answered(&then.d[i], OUT_RETURNED);
		}
		add_world(model, &then);
	}
}

static void fall_silent(struct model *model, struct world world, unsigned i)
{
	if (world.d[i].hold != HOLD_HANDED || world.faults == FAULTS)
		return;
	world.faults++;
	answered(&world.d[i], OUT_DOUBT_WAITS);
	add_world(model, &world);
}

/* The connection is gone: what was on it is in doubt, and no answer comes any more. */
static void lose_answers(struct world *world, unsigned i)
{
	for (unsigned k = 0; k < world->copies; k++) {
		struct copy *copy = &world->c[k];
		if (copy->by != i)
			continue;
		if (copy->at == COPY_ACCEPTED)
			copy->at = COPY_UNKNOWN;
		else if (copy->at == COPY_REFUSED || copy->at == COPY_LATER)
			copy->at = COPY_GONE;
	}
}

static void cut(struct model *model, struct world world, unsigned i)
{
	struct dispatcher *d = &world.d[i];
	if (world.faults == FAULTS)
		return;
	world.faults++;
	for (unsigned k = 0; k < world.copies; k++)
		if (world.c[k].by == i && world.c[k].at == COPY_HANDED) {
			/* The carrier has it, or had it not yet. */
			struct world other = world;
			other.c[k].at = COPY_GONE;
			other.d[i].cut = 1;
			lose_answers(&other, i);
			if (other.d[i].hold == HOLD_HANDED)
				answered(&other.d[i], OUT_DOUBT);
			else if (other.d[i].hold == HOLD_STAGED)
				answered(&other.d[i], OUT_RETURNED);
			add_world(model, &other);
			world.c[k].at = COPY_UNKNOWN;
		}
	d->cut = 1;
	lose_answers(&world, i);
	if (d->hold == HOLD_HANDED)
		answered(d, OUT_DOUBT);
	else if (d->hold == HOLD_STAGED)
		answered(d, OUT_RETURNED);
	add_world(model, &world);
}

/* The transaction that writes what it knows. */
static void record(struct model *model, struct world world, unsigned i)
{
	static const enum message_event events[] = {
		[OUT_ACCEPTED] = EVENT_ACCEPT, [OUT_LATER] = EVENT_LATER, [OUT_REFUSED] = EVENT_REFUSE,
		[OUT_DOUBT_WAITS] = EVENT_DOUBT, [OUT_DOUBT] = EVENT_DOUBT, [OUT_RETURNED] = EVENT_LATER,
	};
	struct dispatcher *d = &world.d[i];
	if (d->hold != HOLD_ANSWERED && !d->cut)
		return;
	if (d->hold == HOLD_ANSWERED) {
		enum message_event event = events[d->outcome];
		/* What another took meanwhile is the other's business: then it counts as a late answer does. */
		bool mine = world.row == MESSAGE_SUBMITTED && world.owner == i;
		if (mine || model->no_owner || message_late_counts((enum message_state)world.row, event))
			happen(model, &world, event, d->outcome == OUT_DOUBT_WAITS);
		if (d->outcome == OUT_ACCEPTED)
			world.c[d->copy].at = COPY_KNOWN;
		d->hold = HOLD_NONE;
		d->outcome = OUT_NONE;
		d->copy = 0;
	}
	if (d->cut && world.row == MESSAGE_IN_DOUBT && world.owner == i && model->resends)
		world.due = 1;
	d->cut = 0;
	add_world(model, &world);
}

/* --- death ------------------------------------------------------------------------------------------------------------------- */

static void crash(struct model *model, struct world world, unsigned i)
{
	if (world.faults == FAULTS)
		return;
	world.faults++;
	for (unsigned k = 0; k < world.copies; k++)
		if (world.c[k].by == i && world.c[k].at == COPY_TOLD)
			world.c[k].at = COPY_UNKNOWN;
	lose_answers(&world, i);
	world.d[i] = (struct dispatcher){ .alive = 0 };
	add_world(model, &world);
}

/* What `gone` was handing over is in doubt. */
static void recover_from(struct model *model, struct world *world, unsigned gone)
{
	if (world->row == MESSAGE_SUBMITTED && world->owner == gone)
		happen(model, world, EVENT_DOUBT, false);
	else if (world->row == MESSAGE_IN_DOUBT && world->owner == gone && model->resends)
		world->due = 1;
}

static void restart(struct model *model, struct world world, unsigned i)
{
	recover_from(model, &world, i);
	world.d[i] = (struct dispatcher){ .alive = 1 };
	add_world(model, &world);
}

/* The other was silent for too long, dead or not. Its hand-overs end there: it looks at its lease before each. */
static void take_over(struct model *model, struct world world, unsigned i)
{
	unsigned gone = 1 - i;
	if (world.lease != gone || world.faults == FAULTS || world.d[i].lost)
		return;
	world.faults++;
	world.lease = (uint8_t)i;
	world.d[gone].lost = world.d[gone].alive;
	recover_from(model, &world, gone);
	world.owner = world.owner == gone && world.row == MESSAGE_IN_DOUBT ? (uint8_t)i : world.owner;
	add_world(model, &world);
}

/* It asked the store and starts over: what it had not handed over goes back, what it had is answered as if it were late. */
static void start_over(struct model *model, struct world world, unsigned i)
{
	struct dispatcher *d = &world.d[i];
	if (!d->lost)
		return;
	d->lost = 0;
	if (d->hold == HOLD_LOADED) {
		d->hold = HOLD_NONE;
		d->was = 0;
	} else if (d->hold == HOLD_STAGED) {
		answered(d, OUT_RETURNED);
	}
	add_world(model, &world);
}

/* --- the world around -------------------------------------------------------------------------------------------------------- */

static void decide(struct model *model, const struct world *world)
{
	static const uint8_t decisions[] = { COPY_ACCEPTED, COPY_REFUSED, COPY_LATER };
	for (unsigned k = 0; k < world->copies; k++) {
		if (world->c[k].at != COPY_HANDED)
			continue;
		bool heard = world->d[world->c[k].by].alive;
		for (size_t n = 0; n < COUNT_OF(decisions); n++) {
			struct world then = *world;
			then.c[k].at = heard ? decisions[n] : decisions[n] == COPY_ACCEPTED ? COPY_UNKNOWN : COPY_GONE;
			add_world(model, &then);
		}
	}
}

/* The carrier says what became of a copy; it is written as soon as its id is known, in the transaction of the answer at best. */
static void receive(struct model *model, const struct world *world)
{
	static const enum message_event events[] = { [RECEIPT_DELIVERED] = EVENT_DELIVER, [RECEIPT_FAILED] = EVENT_RECEIPT_FAIL,
		                                     [RECEIPT_EXPIRED] = EVENT_RECEIPT_EXPIRE };
	for (unsigned k = 0; k < world->copies; k++) {
		const struct copy *copy = &world->c[k];
		bool accepted = copy->at == COPY_ACCEPTED || copy->at == COPY_TOLD || copy->at == COPY_KNOWN || copy->at == COPY_UNKNOWN;
		for (uint8_t said = RECEIPT_DELIVERED; accepted && copy->receipt == RECEIPT_NONE && said <= RECEIPT_EXPIRED; said++) {
			struct world then = *world;
			then.c[k].receipt = said;
			then.c[k].said_delivered = said == RECEIPT_DELIVERED;
			then.receipt_failed |= said == RECEIPT_FAILED;
			then.receipt_expired |= said == RECEIPT_EXPIRED;
			add_world(model, &then);
		}
		if (copy->at != COPY_KNOWN || copy->receipt == RECEIPT_NONE || copy->receipt == RECEIPT_WRITTEN ||
		    !(world->d[0].alive || world->d[1].alive))
			continue;
		struct world then = *world;
		happen(model, &then, events[copy->receipt], false);
		then.c[k].receipt = RECEIPT_WRITTEN;
		add_world(model, &then);
	}
}

static void end(struct model *model, const struct world *world)
{
	struct world then = *world;
	if (!world->superseded) {
		then.superseded = 1;
		add_world(model, &then);
	} else if (world->row == MESSAGE_QUEUED || world->row == MESSAGE_IN_DOUBT) {
		happen(model, &then, EVENT_SUPERSEDE, false);
		add_world(model, &then);
	}
	then = *world;
	if (!world->over) {
		then.over = 1;
		add_world(model, &then);
	} else if (world->row == MESSAGE_QUEUED || world->row == MESSAGE_IN_DOUBT) {
		happen(model, &then, EVENT_EXPIRE, false);
		add_world(model, &then);
	}
}

/* --- the promises ---------------------------------------------------------------------------------------------------------------- */

static void check(struct model *model, const struct world *world)
{
	unsigned with_carrier = 0, accepted = 0, delivered = 0, known = 0;
	for (unsigned k = 0; k < world->copies; k++) {
		uint8_t at = world->c[k].at;
		bool taken = at == COPY_ACCEPTED || at == COPY_TOLD || at == COPY_KNOWN || at == COPY_UNKNOWN;
		accepted += taken;
		with_carrier += taken || at == COPY_HANDED;
		known += at == COPY_KNOWN;
		delivered += world->c[k].said_delivered;
	}
	if (with_carrier > 1 && !world->was_in_doubt)
		broken(model, world, "a second copy is with a carrier only where the row says 'in doubt'");
	if (world->row == MESSAGE_ACCEPTED && accepted == 0)
		broken(model, world, "'accepted' only when a carrier took it");
	if (world->row == MESSAGE_DELIVERED && delivered == 0)
		broken(model, world, "'delivered' only when a receipt said so");
	if (world->row == MESSAGE_FAILED && !world->refusal_heard && !world->receipt_failed)
		broken(model, world, "'failed' only when a carrier said so");
	if (world->row == MESSAGE_EXPIRED && !world->over && !world->receipt_expired)
		broken(model, world, "'expired' only when its time was over or a carrier said so");
	if (world->row == MESSAGE_SUPERSEDED && !world->superseded)
		broken(model, world, "'superseded' only when it was");
	if (world->deliver_written && world->row != MESSAGE_DELIVERED)
		broken(model, world, "what was delivered stays so");
	if (known > 0 && world->row != MESSAGE_ACCEPTED && world->row != MESSAGE_DELIVERED && !world->receipt_failed && !world->receipt_expired)
		broken(model, world, "what a carrier took, and we know it, is accepted until a receipt says otherwise");
	if (world->row == MESSAGE_SUBMITTED && world->d[world->owner].alive && world->d[world->owner].hold < HOLD_STAGED)
		broken(model, world, "no row stays 'submitted' that nobody has in hand");
	if (world->row == MESSAGE_QUEUED && !world->due)
		broken(model, world, "what waits will be tried");
	if (world->row == MESSAGE_IN_DOUBT && !world->was_in_doubt)
		broken(model, world, "a doubt is remembered");
}

static void step(struct model *model, struct world world)
{
	for (unsigned i = 0; i < DISPATCHERS; i++) {
		if (!world.d[i].alive) {
			restart(model, world, i);
			continue;
		}
		load(model, world, i);
		mark(model, world, i);
		withhold(model, world, i);
		hand_over(model, world, i);
		hear(model, world, i);
		fall_silent(model, world, i);
		record(model, world, i);
		cut(model, world, i);
		crash(model, world, i);
		start_over(model, world, i);
		if (!model->loose)
			take_over(model, world, i);
	}
	decide(model, &world);
	receive(model, &world);
	end(model, &world);
}

/* Walks all worlds, or until a promise is broken. */
static void walk(struct model *model)
{
	struct world first;
	memset(&first, 0, sizeof first);
	first.row = MESSAGE_QUEUED;
	first.due = 1;
	for (unsigned i = 0; i < DISPATCHERS; i++)
		first.d[i].alive = 1;
	add_world(model, &first);
	for (size_t at = 0; at < model->count && !model->broken; at++) {
		struct world world = model->worlds[at];
		check(model, &world);
		step(model, world);
	}
}

static void release(struct model *model)
{
	free(model->worlds);
	free(model->places);
}

/* --- the runs ------------------------------------------------------------------------------------------------------------------- */

static void tell(const struct model *model)
{
	const struct world *w = &model->breaker;
	if (!model->broken)
		return;
	print_message("broken: %s\nrow %s, was in doubt %d, due %d, owner %d, lease %d, superseded %d, over %d\n", model->broken,
	              message_state_name((enum message_state)w->row), w->was_in_doubt, w->due, w->owner, w->lease, w->superseded, w->over);
	for (unsigned i = 0; i < DISPATCHERS; i++)
		print_message("dispatcher %u: alive %d, hold %d, was %d, outcome %d, copy %d, cut %d\n", i, w->d[i].alive, w->d[i].hold,
		              w->d[i].was, w->d[i].outcome, w->d[i].copy, w->d[i].cut);
	for (unsigned k = 0; k < w->copies; k++)
		print_message("copy %u: at %d, by %d, receipt %d\n", k, w->c[k].at, w->c[k].by, w->c[k].receipt);
}

static void test_all_interleavings(void **state)
{
	(void)state;
	for (int variant = 0; variant < 4; variant++) {
		struct model model = { .next = message_next, .loose = variant & 1, .resends = variant & 2, .copies = variant == 3 ? 2 : COPIES };
		walk(&model);
		print_message("%s, %s: %zu worlds\n", model.loose ? "loose" : "in a block", model.resends ? "sent again" : "not sent again",
		              model.count);
		tell(&model);
		assert_null(model.broken);
		assert_true(model.count > 1000);
		release(&model);
	}
}

/* The engine's own rules, left out one by one. */
static void test_rules_are_missed(void **state)
{
	(void)state;
	struct model gate = { .next = message_next, .resends = true, .copies = COPIES, .no_gate = true };
	walk(&gate);
	assert_non_null(gate.broken);
	release(&gate);
	struct model mark_left_out = { .next = message_next, .resends = true, .copies = COPIES, .no_mark = true };
	walk(&mark_left_out);
	assert_non_null(mark_left_out.broken);
	release(&mark_left_out);
	struct model owner = { .next = message_next, .resends = true, .copies = COPIES, .no_owner = true };
	walk(&owner);
	assert_non_null(owner.broken);
	release(&owner);
}

static enum message_state spoilt_state, spoilt_to;
static enum message_event spoilt_event;

static bool spoilt_next(enum message_state state, enum message_event event, enum message_state *next)
{
	if (state != spoilt_state || event != spoilt_event)
		return message_next(state, event, next);
	if (spoilt_to == MESSAGE_PLANNED)
		return false;
	*next = spoilt_to;
	return true;
}

static bool spoilt_is_noticed(void)
{
	struct model model = { .next = spoilt_next, .resends = true, .copies = COPIES };
	walk(&model);
	bool noticed = model.broken != NULL;
	release(&model);
	return noticed;
}

/* Each cell the walk comes by, made to lead elsewhere. Some wrongs do no harm to these promises (an acceptance may be written
 * 'accepted' over 'superseded' or not); the worst ones are named and must be noticed. */
static void test_spoilt_tables_are_noticed(void **state)
{
	(void)state;
	static const struct { enum message_state state; enum message_event event; enum message_state to; } worst[] = {
		{ MESSAGE_SUBMITTED, EVENT_DOUBT, MESSAGE_QUEUED },      /* sent again without a word */
		{ MESSAGE_SUBMITTED, EVENT_ACCEPT, MESSAGE_DELIVERED },  /* delivered before anyone said so */
		{ MESSAGE_SUBMITTED, EVENT_ACCEPT, MESSAGE_QUEUED },
		{ MESSAGE_SUBMITTED, EVENT_LATER, MESSAGE_FAILED },      /* given up too early */
		{ MESSAGE_SUBMITTED, EVENT_LATER, MESSAGE_SUBMITTED },   /* stuck */
		{ MESSAGE_QUEUED, EVENT_SUBMIT, MESSAGE_QUEUED },        /* handed over without a mark */
		{ MESSAGE_ACCEPTED, EVENT_RECEIPT_FAIL, MESSAGE_DELIVERED },
		{ MESSAGE_ACCEPTED, EVENT_DELIVER, MESSAGE_ACCEPTED },   /* a receipt lost */
		{ MESSAGE_DELIVERED, EVENT_RECEIPT_FAIL, MESSAGE_FAILED },
		{ MESSAGE_IN_DOUBT, EVENT_ACCEPT, MESSAGE_IN_DOUBT },
		{ MESSAGE_IN_DOUBT, EVENT_EXPIRE, MESSAGE_SUPERSEDED },
		{ MESSAGE_FAILED, EVENT_DELIVER, MESSAGE_FAILED },
		{ MESSAGE_EXPIRED, EVENT_ACCEPT, MESSAGE_EXPIRED },
		{ MESSAGE_SUPERSEDED, EVENT_ACCEPT, MESSAGE_PLANNED },   /* not known to the table */
	};
	for (size_t i = 0; i < COUNT_OF(worst); i++) {
		spoilt_state = worst[i].state;
		spoilt_event = worst[i].event;
		spoilt_to = worst[i].to;
		if (!spoilt_is_noticed())
			fail_msg("a table that leads from %s by event %d to %s was not noticed", message_state_name(spoilt_state),
			         (int)spoilt_event, message_state_name(spoilt_to));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_interleavings),
		cmocka_unit_test(test_rules_are_missed),
		cmocka_unit_test(test_spoilt_tables_are_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
