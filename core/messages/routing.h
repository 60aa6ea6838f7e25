/* Which carrier takes a message: the longest prefix, then the price, then a draw by weight among those that are up; and how the
 * weights move when a carrier slows. The dispatcher's alone: no lock, no clock, no store.
 *
 * A carrier may have several roads (binds). A set of carriers is a mask with a bit for each, by the order they were added. */
#ifndef CHANCERY_CORE_MESSAGES_ROUTING_H
#define CHANCERY_CORE_MESSAGES_ROUTING_H

#include "base/base.h"

#define ROUTING_CARRIERS_MAX 32
#define ROUTING_PREFIX_DIGITS 15
#define ROUTING_MINUTES 20
#define ROUTING_SAMPLES 4096        /* receipts awaited for the measure of speed, each carrier; a power of two */
#define ROUTING_SAMPLES_MINUTE 150  /* of each minute's messages */
#define ROUTING_STEP 10             /* points taken or given back at once, of 100 */
#define ROUTING_CUT_MOST 90         /* so that a slow carrier is still seen to recover */

struct routing_prefix {
	uint8_t length;
	char digits[ROUTING_PREFIX_DIGITS];
};

struct routing_sample {
	uint64_t key; /* of the receipt; 0: none */
	int64_t at;
};

struct routing_minute {
	int64_t minute;
	uint32_t sampled, quick, errors;
};

struct routing_carrier {
	int64_t id;                      /* row of `route` */
	struct routing_prefix *prefixes; /* sorted; none: every number */
	size_t prefix_count;
	int64_t cost, weight;
	bool receipts;                   /* it tells what became of messages, so its speed can be seen */
	bool up;                         /* the caller's: some road of it takes messages */
	size_t room;                     /* the caller's: messages it takes now */
	uint32_t before;                 /* those that go before it wherever it serves, as long as they are up */
	int64_t wanted_at;               /* the caller's: monotonic, when a message should have gone by it last */
	int64_t cut;                     /* points of 100 taken from its weight */
	int64_t changed_at, troubled_at; /* when the cut changed, when it was slow or erred last; 0 never */
	struct routing_sample *samples;
	struct routing_minute minutes[ROUTING_MINUTES + 1];
};

struct routing {
	struct routing_carrier *carriers[ROUTING_CARRIERS_MAX];
	size_t count;
	int64_t turned; /* minute of the last routing_turn */
};

void routing_release(struct routing *routing);
/* What a carrier serves: `prefixes` as "+216 +33", empty for every number. */
struct routing_terms {
	struct str prefixes;
	int64_t cost, weight;
	bool receipts;
};
/* The carrier of that id, added if it is new. INVALID for a prefix that is none, or when ROUTING_CARRIERS_MAX is reached. */
enum rc routing_add(struct routing *routing, int64_t id, const struct routing_terms *terms, size_t *index_out, struct err *err);
/* The carriers that should take a message to this number now: those up with the longest prefix, of them the cheapest, of them those
 * with a weight if there are any. When none that serves it is up: all that serve it. 0: nobody serves it. Does not look at room. */
uint32_t routing_choose(const struct routing *routing, struct str number);
/* Draws one of the set by weight, among those with room and up; false if there is none. */
bool routing_draw(const struct routing *routing, uint32_t set, size_t *index_out);
/* True if the carrier is up and has room, and no other that is up goes before it for whatever number. */
bool routing_is_open(const struct routing *routing, size_t index);
/* True if one of the set has room, or if none of it is up while another carrier is: then its messages should be chosen for anew. */
bool routing_should_look(const struct routing *routing, uint32_t set);

/* What a carrier did: took a message whose receipt will have that key (0: none known); told the end of one; erred (refused for now,
 * did not answer). Times are UTC microseconds. */
void routing_accepted(struct routing *routing, size_t index, uint64_t key, int64_t now);
void routing_ended(struct routing *routing, size_t index, uint64_t key, int64_t now);
void routing_erred(struct routing *routing, size_t index, int64_t now);
/* Moves the weights, at most once a minute: call it often. Ten points off when 15 % of the last quarter of an hour's messages took
 * more than five minutes (unless all carriers are so, and not within five minutes of a change) or when there were fifty errors in a
 * minute; ten points back each five minutes once nothing was wrong for fifteen. True if any moved. */
bool routing_turn(struct routing *routing, int64_t now);
/* The share a carrier has now: its weight less what was cut. */
double routing_share(const struct routing_carrier *carrier);

#endif
