/* How fast: a token bucket that slows down when the carrier says 'throttled' and feels its way back. No lock, no clock. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMPP_PACING_H
#define CHANCERY_ADAPTERS_CHANNEL_SMPP_PACING_H

#include "base/base.h"

#define PACING_PAUSE CLOCK_SECOND        /* nothing is sent so long after a throttle answer */
#define PACING_QUIET (2 * CLOCK_SECOND)  /* without a throttle answer: one step faster */
#define PACING_BURST (CLOCK_SECOND / 10) /* most that is saved up: a tenth of a second's worth */

struct pacing {
	double ceiling;       /* agreed PDUs a second; 0: none */
	double rate;          /* now allowed; 0: no limit */
	double tokens;        /* may be below 0 after a message of many parts */
	int64_t refilled;     /* monotonic microseconds, like all times here */
	int64_t paused_until;
	int64_t changed;      /* when the rate last changed or a throttle answer came */
	uint64_t mark;        /* throttle answers to submits up to this serial belong to a slowing already done */
	int64_t second;       /* start of the second being counted, for the rate met so far */
	double counted, met;
};

void pacing_init(struct pacing *pacing, double ceiling, int64_t now);
/* PDUs that may be sent now; SIZE_MAX without a limit. */
size_t pacing_room(struct pacing *pacing, int64_t now);
void pacing_take(struct pacing *pacing, size_t count);
/* Counts answers that took a message. */
void pacing_accepted(struct pacing *pacing, size_t count, int64_t now);
/* A throttle answer to submit number `serial`, when the next to be sent is `next`. Slows to 0.7 of the rate once for all
 * that was in flight, and pauses. */
void pacing_throttled(struct pacing *pacing, uint64_t serial, uint64_t next, int64_t now);
/* When pacing_room will say more than a crumb; `now` or before: at once. */
int64_t pacing_ready(struct pacing *pacing, int64_t now);

#endif
