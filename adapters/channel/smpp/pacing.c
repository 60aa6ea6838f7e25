#include "adapters/channel/smpp/pacing.h"

#define RATE_LEAST 1.0
#define RATE_FORGET 1e6 /* a limit found by feeling that grew beyond this is none */
#define SLOWER 0.7
#define STEP 0.05

void pacing_init(struct pacing *p, double ceiling, int64_t now)
{
	*p = (struct pacing){ .ceiling = ceiling, .rate = ceiling, .refilled = now, .changed = now, .second = now };
	p->tokens = ceiling * (double)PACING_BURST / (double)CLOCK_SECOND;
	if (p->tokens < 1)
		p->tokens = 1;
}

static double burst(const struct pacing *p)
{
	double most = p->rate * (double)PACING_BURST / (double)CLOCK_SECOND;
	return most < 1 ? 1 : most;
}

/* One step faster for each quiet time that passed. The steps are parts of the agreed rate, or of the present one. */
static void recover(struct pacing *p, int64_t now)
{
	while (p->rate > 0 && (p->ceiling <= 0 || p->rate < p->ceiling) && now - p->changed >= PACING_QUIET) {
		double step = STEP * (p->ceiling > 0 ? p->ceiling : p->rate);
		p->rate += step < RATE_LEAST ? RATE_LEAST : step;
		p->changed += PACING_QUIET;
		if (p->ceiling > 0 && p->rate > p->ceiling)
			p->rate = p->ceiling;
		if (p->ceiling <= 0 && p->rate > RATE_FORGET)
			p->rate = 0;
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
	return p->rate <= 0 ? SIZE_MAX : p->tokens < 1 ? 0 : (size_t)p->tokens;
}

void pacing_take(struct pacing *p, size_t count)
{
	if (p->rate > 0)
		p->tokens -= (double)count;
}

static void count_second(struct pacing *p, int64_t now)
{
	if (now - p->second < CLOCK_SECOND)
		return;
	p->met = now - p->second < 2 * CLOCK_SECOND ? p->counted : 0;
	p->counted = 0;
	p->second = now;
}

void pacing_accepted(struct pacing *p, size_t count, int64_t now)
{
	count_second(p, now);
	p->counted += (double)count;
}

void pacing_throttled(struct pacing *p, uint64_t serial, uint64_t next, int64_t now)
{
	p->changed = now;
	if (serial < p->mark)
		return;
	p->mark = next;
	count_second(p, now);
	double from = p->rate > 0 ? p->rate : p->met > p->counted ? p->met : p->counted;
	p->rate = from * SLOWER < RATE_LEAST ? RATE_LEAST : from * SLOWER;
	p->paused_until = now + PACING_PAUSE;
	p->refilled = p->paused_until;
	p->tokens = p->tokens < 0 ? p->tokens : 0;
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
