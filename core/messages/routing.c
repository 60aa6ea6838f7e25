#include <stdlib.h>

#include "core/messages/routing.h"

#define SLOW_AFTER (5 * CLOCK_MINUTE)
#define SLOW_PERCENT 15
#define SLOW_LEAST 20         /* samples below which nothing is said */
#define ERRORS_MOST 50        /* in a minute */
#define SETTLE (5 * CLOCK_MINUTE)
#define QUIET (15 * CLOCK_MINUTE)
#define NUMBERS_MAX (1u << 16)

void routing_release(struct routing *routing)
{
	for (size_t i = 0; i < routing->count; i++) {
		free(routing->carriers[i]->prefixes);
		free(routing->carriers[i]->samples);
		free(routing->carriers[i]);
	}
	*routing = (struct routing){ 0 };
}

/* --- prefixes -------------------------------------------------------------------------------------------------------- */

static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t least = a_length < b_length ? a_length : b_length;
	int order = memcmp(a, b, least);
	return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct routing_prefix *x = a, *y = b;
	return compare(x->digits, x->length, y->digits, y->length);
}

static bool add_prefix(struct routing_carrier *carrier, struct str digits)
{
	if (digits.len == 0 || digits.len > ROUTING_PREFIX_DIGITS || carrier->prefix_count == NUMBERS_MAX)
		return false;
	for (size_t i = 0; i < digits.len; i++)
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
	carrier->prefixes = realloc(carrier->prefixes, (carrier->prefix_count + 1) * sizeof *carrier->prefixes);
	if (!carrier->prefixes)
		abort();
	struct routing_prefix *prefix = &carrier->prefixes[carrier->prefix_count++];
	prefix->length = (uint8_t)digits.len;
	memcpy(prefix->digits, digits.ptr, digits.len);
	return true;
}

static bool add_prefixes(struct routing_carrier *carrier, struct str list)
{
	for (struct str item, rest = list; !str_is_empty(rest);) {
		struct str tail;
		str_cut(rest, ' ', &item, &tail);
		rest = str_is_none(tail) ? S("") : tail;
		if (!str_is_empty(item) && !add_prefix(carrier, str_slice(item, item.ptr[0] == '+', item.len)))
			return false;
	}
	if (carrier->prefix_count > 0)
		qsort(carrier->prefixes, carrier->prefix_count, sizeof *carrier->prefixes, compare_prefixes);
	return true;
}

/* Digits of the longest prefix that the number begins with; 0 for a carrier of all numbers, -1 if it does not serve this one. */
static int prefix_length(const struct routing_carrier *carrier, struct str digits)
{
	if (carrier->prefix_count == 0)
		return 0;
	for (size_t length = digits.len < ROUTING_PREFIX_DIGITS ? digits.len : ROUTING_PREFIX_DIGITS; length > 0; length--) {
		struct routing_prefix wanted = { .length = (uint8_t)length };
		memcpy(wanted.digits, digits.ptr, length);
		if (bsearch(&wanted, carrier->prefixes, carrier->prefix_count, sizeof wanted, compare_prefixes))
			return (int)length;
	}
	return -1;
}

/* --- choosing -------------------------------------------------------------------------------------------------------- */

struct best {
	int length;
	int64_t cost;
	bool weighted;
	uint32_t set;
};

/* True if `a` goes before `b`. */
static int rank(const struct best *a, const struct best *b)
{
	if (a->length != b->length)
		return a->length > b->length ? 1 : -1;
	if (a->weighted != b->weighted)
		return a->weighted ? 1 : -1;
	return a->cost != b->cost ? (a->cost < b->cost ? 1 : -1) : 0;
}

/* True if `a`, where both are up, is chosen before `b` for whatever number `b` serves. */
static bool goes_before(const struct routing_carrier *a, const struct routing_carrier *b)
{
	struct best own = { 0, a->cost, a->weight > 0, 0 }, other = { 0, b->cost, b->weight > 0, 0 };
	if (rank(&own, &other) <= 0 || (a->prefix_count == 0) != (b->prefix_count == 0))
		return false;
	for (size_t i = 0; i < b->prefix_count; i++)
		if (!bsearch(&b->prefixes[i], a->prefixes, a->prefix_count, sizeof b->prefixes[i], compare_prefixes))
			return false;
	return true;
}

enum rc routing_add(struct routing *routing, int64_t id, const struct routing_terms *terms, size_t *index_out, struct err *err)
{
	for (size_t i = 0; i < routing->count; i++)
		if (routing->carriers[i]->id == id) {
			*index_out = i;
			return OK;
		}
	if (routing->count == ROUTING_CARRIERS_MAX)
		return err_set(err, INVALID, "more than %d carriers", ROUTING_CARRIERS_MAX);
	struct routing_carrier *carrier = calloc(1, sizeof *carrier);
	if (!carrier || !(carrier->samples = calloc(ROUTING_SAMPLES, sizeof *carrier->samples)))
		abort();
	carrier->id = id;
	carrier->cost = terms->cost;
	carrier->weight = terms->weight;
	carrier->receipts = terms->receipts;
	*index_out = routing->count;
	routing->carriers[routing->count++] = carrier;
	if (!add_prefixes(carrier, terms->prefixes))
		return err_set(err, INVALID, "prefixes are +DIGITS, at most %d digits each: %.*s", ROUTING_PREFIX_DIGITS, STR_ARG(terms->prefixes));
	for (size_t i = 0; i < routing->count; i++)
		for (size_t other = 0; other < routing->count; other++)
			if (goes_before(routing->carriers[other], routing->carriers[i]))
				routing->carriers[i]->before |= UINT32_C(1) << other;
	return OK;
}

uint32_t routing_choose(const struct routing *routing, struct str number)
{
	struct str digits = str_slice(number, str_starts(number, S("+")), number.len);
	struct best best = { .set = 0 };
	uint32_t serve = 0;
	for (size_t i = 0; i < routing->count; i++) {
		const struct routing_carrier *carrier = routing->carriers[i];
		int length = prefix_length(carrier, digits);
		if (length < 0)
			continue;
		serve |= UINT32_C(1) << i;
		struct best own = { length, carrier->cost, carrier->weight > 0, UINT32_C(1) << i };
		if (!carrier->up)
			continue;
		int order = best.set ? rank(&own, &best) : 1;
		if (order > 0)
			best = own;
		else if (order == 0)
			best.set |= own.set;
	}
	return best.set ? best.set : serve;
}

double routing_share(const struct routing_carrier *carrier)
{
	return (double)carrier->weight * (double)(100 - carrier->cut) / 100;
}

bool routing_draw(const struct routing *routing, uint32_t set, size_t *index_out)
{
	size_t open[ROUTING_CARRIERS_MAX], count = 0;
	double sum = 0;
	for (size_t i = 0; i < routing->count; i++)
		if (set >> i & 1 && routing->carriers[i]->up && routing->carriers[i]->room > 0) {
			open[count++] = i;
			sum += routing_share(routing->carriers[i]);
		}
	if (count == 0)
		return false;
	size_t drawn = 0;
	if (sum > 0) {
		double at = (double)rand_below(NUMBERS_MAX) / NUMBERS_MAX * sum;
		while (drawn + 1 < count && at >= routing_share(routing->carriers[open[drawn]]))
			at -= routing_share(routing->carriers[open[drawn++]]);
	} else {
		drawn = (size_t)rand_below(count);
	}
	*index_out = open[drawn];
	return true;
}

bool routing_is_open(const struct routing *routing, size_t index)
{
	const struct routing_carrier *carrier = routing->carriers[index];
	for (size_t i = 0; i < routing->count; i++)
		if (carrier->before >> i & 1 && routing->carriers[i]->up)
			return false;
	return carrier->up && carrier->room > 0;
}

bool routing_should_look(const struct routing *routing, uint32_t set)
{
	bool up = false, elsewhere = false;
	for (size_t i = 0; i < routing->count; i++) {
		const struct routing_carrier *carrier = routing->carriers[i];
		bool member = set >> i & 1;
		if (member && carrier->up && carrier->room > 0)
			return true;
		up |= member && carrier->up;
		elsewhere |= !member && carrier->up && carrier->room > 0;
	}
	return !up && elsewhere;
}

/* --- how they do ------------------------------------------------------------------------------------------------------ */

static struct routing_minute *minute_at(struct routing_carrier *carrier, int64_t at)
{
	int64_t minute = at / CLOCK_MINUTE;
	struct routing_minute *slot = &carrier->minutes[minute % (ROUTING_MINUTES + 1)];
	if (slot->minute != minute)
		*slot = (struct routing_minute){ .minute = minute };
	return slot;
}

void routing_accepted(struct routing *routing, size_t index, uint64_t key, int64_t now)
{
	struct routing_carrier *carrier = routing->carriers[index];
	if (!carrier->receipts || key == 0)
		return;
	struct routing_minute *minute = minute_at(carrier, now);
	struct routing_sample *sample = &carrier->samples[key & (ROUTING_SAMPLES - 1)];
	bool taken = sample->key != 0 && now - sample->at < ROUTING_MINUTES * CLOCK_MINUTE;
	if (taken || minute->sampled >= ROUTING_SAMPLES_MINUTE)
		return;
	*sample = (struct routing_sample){ key, now };
	minute->sampled++;
}

void routing_ended(struct routing *routing, size_t index, uint64_t key, int64_t now)
{
	struct routing_carrier *carrier = routing->carriers[index];
	struct routing_sample *sample = &carrier->samples[key & (ROUTING_SAMPLES - 1)];
	if (key == 0 || sample->key != key)
		return;
	if (now - sample->at <= SLOW_AFTER)
		minute_at(carrier, sample->at)->quick++;
	sample->key = 0;
}

void routing_erred(struct routing *routing, size_t index, int64_t now)
{
	minute_at(routing->carriers[index], now)->errors++;
}

/* Whether too many of what it took five to twenty minutes ago were not told of within five minutes. */
static bool is_slow(const struct routing_carrier *carrier, int64_t now)
{
	int64_t last = now / CLOCK_MINUTE - SLOW_AFTER / CLOCK_MINUTE;
	uint64_t sampled = 0, quick = 0;
	for (size_t i = 0; i < COUNT_OF(carrier->minutes); i++) {
		const struct routing_minute *minute = &carrier->minutes[i];
		if (minute->minute < last && minute->minute >= last - QUIET / CLOCK_MINUTE) {
			sampled += minute->sampled;
			quick += minute->quick;
		}
	}
	return sampled >= SLOW_LEAST && (sampled - quick) * 100 >= sampled * SLOW_PERCENT;
}

static uint32_t errors_of(const struct routing_carrier *carrier, int64_t now)
{
	uint32_t errors = 0;
	/* The minute that is over; the one that runs is looked at in its turn. */
	for (size_t i = 0; i < COUNT_OF(carrier->minutes); i++)
		if (carrier->minutes[i].minute == now / CLOCK_MINUTE - 1)
			errors += carrier->minutes[i].errors;
	return errors;
}

static bool turn_one(struct routing_carrier *carrier, bool slow, bool all_slow, int64_t now)
{
	bool erred = errors_of(carrier, now) >= ERRORS_MOST;
	bool settled = carrier->changed_at == 0 || now - carrier->changed_at >= SETTLE;
	int64_t cut = carrier->cut;
	if (slow || erred)
		carrier->troubled_at = now;
	if (erred || (slow && !all_slow && settled))
		cut += ROUTING_STEP;
	else if (cut > 0 && settled && now - carrier->troubled_at >= QUIET)
		cut -= ROUTING_STEP;
	if (cut > ROUTING_CUT_MOST)
		cut = ROUTING_CUT_MOST;
	if (cut == carrier->cut)
		return false;
	carrier->cut = cut;
	carrier->changed_at = now;
	return true;
}

bool routing_turn(struct routing *routing, int64_t now)
{
	bool slow[ROUTING_CARRIERS_MAX], all = true, moved = false;
	if (now / CLOCK_MINUTE == routing->turned)
		return false;
	routing->turned = now / CLOCK_MINUTE;
	for (size_t i = 0; i < routing->count; i++) {
		slow[i] = is_slow(routing->carriers[i], now);
		all = all && slow[i];
	}
	for (size_t i = 0; i < routing->count; i++)
		moved |= turn_one(routing->carriers[i], slow[i], all, now);
	return moved;
}
