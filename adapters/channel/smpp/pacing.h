/* How fast: a token bucket that slows down when the carrier says 'throttled', remembers where that was, and settles a little below it
 * instead of swinging about it. No lock, no clock.
 *
 * A throttle answer cuts the rate to 0.7 once for all that was in flight. From there it climbs fast to 0.97 of the limit that was found, and
 * stays. Beyond, it feels its way only after a while, in small steps that grow, and after a longer while each time the limit was found to
 * be where it was. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMPP_PACING_H
#define CHANCERY_ADAPTERS_CHANNEL_SMPP_PACING_H

#include "base/base.h"

#define PACING_PAUSE (3 * CLOCK_SECOND / 10) /* nothing is sent so long after a throttle answer; a second if that was not enough */
#define PACING_QUIET (CLOCK_SECOND / 4)      /* without a throttle answer: one step faster */
#define PACING_BURST (CLOCK_SECOND / 10)     /* most that is saved up: a tenth of a second's worth */

struct pacing {
	double ceiling;       /* agreed PDUs a second; 0: none */
	double rate;          /* now allowed; 0: no limit */
	double limit;         /* where the carrier throttled; 0: not known */
	double tokens;        /* may be below 0 after a message of many parts */
	int64_t refilled;     /* monotonic microseconds, like all times here */
	int64_t paused_until;
	int64_t changed;      /* the last step, or a throttle answer */
	int64_t cut_at;       /* when the rate was cut last */
	int64_t held_at;      /* since when it stays below the limit */
	int64_t patience;     /* so long */
	double probe;         /* next step beyond, as a part of the limit */
	bool starved;         /* there was more to send than the rate allowed, since the last step */
	uint64_t mark;        /* throttle answers to submits up to this serial belong to a slowing already done */
	int64_t half, half_before;     /* start of the half second being counted, and of the one before it or where counting began */
	double counted, counted_before;/* taken in them */
	double full;          /* recent answers that said 'queue full', as a part of all */
};

void pacing_init(struct pacing *pacing, double ceiling, int64_t now);
/* PDUs that may be sent now; SIZE_MAX without a limit. */
size_t pacing_room(struct pacing *pacing, int64_t now);
void pacing_take(struct pacing *pacing, size_t count);
/* Counts answers that took a message. */
void pacing_accepted(struct pacing *pacing, size_t count, int64_t now);
/* A throttle answer to submit number `serial`, when the next to be sent is `next`. */
void pacing_throttled(struct pacing *pacing, uint64_t serial, uint64_t next, int64_t now);
/* A 'queue full' answer. Many in a row say that the carrier is full: true, and it was taken as a throttle answer. A single one speaks of the
 * queue of one recipient: false, and nothing changes. */
bool pacing_queue_full(struct pacing *pacing, uint64_t serial, uint64_t next, int64_t now);
/* When pacing_room will say more than a crumb; `now` or before: at once. */
int64_t pacing_ready(struct pacing *pacing, int64_t now);

#endif
