/* Token buckets by source. */
#include <stdlib.h>

#include "kernel/http/rate.h"

#define WAYS 8 /* buckets a source may lie in; the one unused longest gives way */

void rate_init(struct rate_table *table)
{
	pthread_mutex_init(&table->lock, NULL);
	table->buckets = calloc(RATE_BUCKETS, sizeof *table->buckets);
	if (!table->buckets)
		abort();
}

void rate_release(struct rate_table *table)
{
	free(table->buckets);
	pthread_mutex_destroy(&table->lock);
}

static struct rate_bucket *find_bucket(struct rate_table *table, uint64_t key, struct rate_limit limit, int64_t now)
{
	struct rate_bucket *set = &table->buckets[key % (RATE_BUCKETS / WAYS) * WAYS];
	struct rate_bucket *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].at < oldest->at)
			oldest = &set[i];
	}
	*oldest = (struct rate_bucket){ key, limit.burst, now };
	return oldest;
}

double rate_take(struct rate_table *table, enum rate_class rate, uint64_t source, struct rate_limit limit, int64_t now,
                 int64_t *retry_after)
{
	if (source == 0)
		return 1;
	uint64_t key = source ^ ((uint64_t)rate * UINT64_C(0x9e3779b97f4a7c15));
	pthread_mutex_lock(&table->lock);
	struct rate_bucket *bucket = find_bucket(table, key ? key : 1, limit, now);
	double gained = (double)(now - bucket->at) / (double)CLOCK_SECOND * limit.per_second;
	bucket->tokens = bucket->tokens + gained > limit.burst ? limit.burst : bucket->tokens + gained;
	bucket->at = now;
	double share;
	if (bucket->tokens >= 1) {
		bucket->tokens -= 1;
		share = bucket->tokens / limit.burst;
	} else {
		share = -1;
		*retry_after = 1 + (int64_t)((1 - bucket->tokens) / limit.per_second);
	}
	pthread_mutex_unlock(&table->lock);
	return share;
}
