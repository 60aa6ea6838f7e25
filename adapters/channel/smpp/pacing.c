#include "adapters/channel/smpp/pacing.h"

#define RATE_LEAST 1.0
#define RATE_FIRST 10.0     /* after a first burst of which nothing was taken */
#define RATE_FORGET 1e6     /* a limit found by feeling that grew beyond this is none */
#define SLOWER 0.7
#define HOLD 0.97           /* of the limit */
#define CLIMB 0.4           /* of the way that is left, each step */
#define CLIMB_LEAST 0.01    /* of the limit */
#define BLIND 1.4           /* each step while no limit is known */
#define PROBE_FIRST 0.0025  /* of the limit, each step; grows */
#define PROBE_GROWS 1.1
#define PROBE_MOST 0.1
#define PATIENCE_FIRST (2 * CLOCK_SECOND)
#define PATIENCE_MOST (5 * CLOCK_MINUTE)
#define SAME 0.1            /* two limits that differ by less are the same */
#define BELOW 0.98          /* where it throttled */
#define USED 0.8            /* of the rate: below, the rate was not what met the limit */
#define HALF (CLOCK_SECOND / 2)
#define MEASURE_LEAST (CLOCK_SECOND / 4)
#define FULL_FORGETS 16     /* answers */
#define FULL_MOST 0.35

void pacing_init(struct pacing *p, double ceiling, int64_t now)
{
	*p = (struct pacing){ .ceiling = ceiling, .rate = ceiling, .refilled = now, .changed = now, .cut_at = now - CLOCK_SECOND,
		              .patience = PATIENCE_FIRST, .half = now, .half_before = now };
	p->tokens = ceiling * (double)PACING_BURST / (double)CLOCK_SECOND;
	if (p->tokens < 1)
		p->tokens = 1;
}

static double burst(const struct pacing *p)
{
	double most = p->rate * (double)PACING_BURST / (double)CLOCK_SECOND;
	return most < 1 ? 1 : most;
}

static double hold_rate(const struct pacing *p)
{
	double hold = p->limit * HOLD;
	return p->ceiling > 0 && hold > p->ceiling ? p->ceiling : hold;
}

static double raised(const struct pacing *p, double by)
{
	double step = by < RATE_LEAST / 4 ? RATE_LEAST / 4 : by;
	return p->ceiling > 0 && p->rate + step > p->ceiling ? p->ceiling : p->rate + step;
}

/* One step beyond the limit that was found, to see whether it still stands; only if there is more to send. */
static void probe(struct pacing *p, int64_t at)
{
	if (!p->starved || at - p->held_at < p->patience)
		return;
	p->rate = raised(p, p->probe * p->limit);
	p->probe = p->probe * PROBE_GROWS < PROBE_MOST ? p->probe * PROBE_GROWS : PROBE_MOST;
	if (p->rate > p->limit * (1 + SAME)) {
		p->limit = p->rate / HOLD; /* it was wrong, or is no more */
		p->patience = PATIENCE_FIRST;
		p->held_at = at - p->patience;
	}
}

static void step(struct pacing *p, int64_t at)
{
	if (p->limit <= 0) {
		if (p->starved)
			p->rate = raised(p, p->rate * (BLIND - 1));
	} else if (p->rate < hold_rate(p)) {
		double hold = hold_rate(p), way = (hold - p->rate) * CLIMB;
		p->rate = raised(p, way > p->limit * CLIMB_LEAST ? way : p->limit * CLIMB_LEAST);
		if (p->rate >= hold) {
			p->rate = hold;
			p->held_at = at;
			p->probe = PROBE_FIRST;
		}
	} else {
		probe(p, at);
	}
	p->starved = false;
	if (p->ceiling <= 0 && p->rate > RATE_FORGET)
		p->rate = p->limit = 0;
}

static void recover(struct pacing *p, int64_t now)
{
	while (p->rate > 0 && (p->ceiling <= 0 || p->rate < p->ceiling) && now - p->changed >= PACING_QUIET) {
		p->changed += PACING_QUIET;
		/* A long idle time is one step, since nothing was learnt in it. */
		if (now - p->changed >= 4 * PACING_QUIET && p->limit > 0 && p->rate >= hold_rate(p))
			p->changed = now - now % PACING_QUIET;
		if (p->limit <= 0 && now - p->changed >= 4 * PACING_QUIET)
			p->changed = now;
		step(p, p->changed);
	}
}

static void refill(struct pacing *p, int64_t now)
{
	recover(p, now);
	if (now > p->refilled) {
		p->tokens += p->rate * (double)(now - p->refilled) / (double)CLOCK_SECOND;
		p->refilled = now;
	}
	if (p->tokens > burst(p))
		p->tokens = burst(p);
}

size_t pacing_room(struct pacing *p, int64_t now)
{
	if (now < p->paused_until)
		return 0;
	if (p->rate <= 0)
		return SIZE_MAX;
	refill(p, now);
	if (p->rate <= 0)
		return SIZE_MAX;
	return p->tokens < 1 ? 0 : (size_t)p->tokens;
}

void pacing_take(struct pacing *p, size_t count)
{
	if (p->rate <= 0)
		return;
	p->tokens -= (double)count;
	p->starved |= p->tokens < 1;
}

/* --- measuring ---------------------------------------------------------------------------------------------------- */

static void turn_halves(struct pacing *p, int64_t now)
{
	if (now - p->half < HALF)
		return;
	bool next = now - p->half < 2 * HALF;
	p->counted_before = next ? p->counted : 0;
	p->half_before = next ? p->half : now - HALF;
	p->half = now - (next ? (now - p->half) % HALF : 0);
	p->counted = 0;
}

/* What was taken a second, over the last half to whole second. */
static double measured(struct pacing *p, int64_t now)
{
	turn_halves(p, now);
	int64_t time = now - p->half_before;
	if (time < MEASURE_LEAST)
		time = MEASURE_LEAST;
	return (p->counted + p->counted_before) * (double)CLOCK_SECOND / (double)time;
}

void pacing_accepted(struct pacing *p, size_t count, int64_t now)
{
	turn_halves(p, now);
	p->counted += (double)count;
	p->full -= p->full / FULL_FORGETS;
}

/* --- slowing -------------------------------------------------------------------------------------------------------- */

static void pause(struct pacing *p, int64_t until)
{
	p->paused_until = until;
	p->refilled = until;
	p->tokens = p->tokens < 0 ? p->tokens : 0;
	p->half = p->half_before = until;
	p->counted = p->counted_before = 0;
}

/* A little below where the carrier throttled is its limit. Far below the limit known so far it may as well be a stumble, its or ours, so
 * the limit goes half of the way; if it really is lower, it is hit again at once. */
static void learn(struct pacing *p, double from)
{
	bool same = p->limit > 0 && from > p->limit * (1 - SAME) && from < p->limit * (1 + SAME);
	p->patience = same ? p->patience * 2 : PATIENCE_FIRST;
	if (p->patience > PATIENCE_MOST)
		p->patience = PATIENCE_MOST;
	if (from < p->limit * (1 - SAME))
		from += (p->limit - from) / 2;
	else
		from *= BELOW;
	p->limit = from < RATE_LEAST ? RATE_LEAST : from;
}

void pacing_throttled(struct pacing *p, uint64_t serial, uint64_t next, int64_t now)
{
	p->changed = now > p->paused_until ? now : p->paused_until;
	if (serial < p->mark)
		return;
	p->mark = next;
	if (now - p->cut_at < CLOCK_SECOND) {
		/* The carrier counts by the second: this one is spent. */
		pause(p, p->cut_at + CLOCK_SECOND);
		p->changed = p->paused_until;
		return;
	}
	bool seen = now - p->half_before >= HALF;
	double met = measured(p, now), from = p->rate;
	if (p->rate <= 0)
		from = met > RATE_FIRST ? met : RATE_FIRST; /* a burst without any limit tells little: it is not taken for one */
	else if (p->limit > 0 && seen && met < from * USED)
		from = met; /* less was sent than allowed */
	if (p->rate > 0)
		learn(p, from);
	p->rate = from * SLOWER < RATE_LEAST ? RATE_LEAST : from * SLOWER;
	p->cut_at = now;
	pause(p, now + PACING_PAUSE);
	p->changed = p->paused_until;
}

bool pacing_queue_full(struct pacing *p, uint64_t serial, uint64_t next, int64_t now)
{
	p->full += (1 - p->full) / FULL_FORGETS;
	if (p->full < FULL_MOST)
		return false;
	pacing_throttled(p, serial, next, now);
	return true;
}

int64_t pacing_ready(struct pacing *p, int64_t now)
{
	if (now < p->paused_until)
		return p->paused_until;
	if (p->rate <= 0)
		return now;
	refill(p, now);
	if (p->rate <= 0)
		return now;
	/* Not for each single PDU: a fiftieth of a second's worth, so that fast routes are not woken thousands of times. */
	double want = p->rate / 50;
	if (want < 1)
		want = 1;
	return p->tokens >= want ? now : now + (int64_t)((want - p->tokens) / p->rate * (double)CLOCK_SECOND) + 1;
}
