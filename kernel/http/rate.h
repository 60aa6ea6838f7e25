/* Token buckets by source, in memory: a first wall against floods. Budgets that must hold across restarts and processes are in
 * kernel/access. Private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_RATE_H
#define CHANCERY_KERNEL_HTTP_RATE_H

#include <pthread.h>

#include "kernel/http/http.h"

#define RATE_BUCKETS 16384 /* sources remembered; one that was forgotten starts with a full bucket */

struct rate_bucket {
	uint64_t key;
	double tokens;
	int64_t at; /* monotonic time of the last look */
};

struct rate_table {
	pthread_mutex_t lock; /* guards the buckets */
	struct rate_bucket *buckets;
};

void rate_init(struct rate_table *table);
void rate_release(struct rate_table *table);

struct rate_limit {
	double per_second;
	double burst;
};
/* Takes one token of (class, source) at monotonic time `now`. Returns the share of the bucket that is left, 0..1, or -1 when it was
 * empty; then *retry_after gets the seconds until there is one again. Source 0 (unknown) is never limited. */
double rate_take(struct rate_table *table, enum rate_class rate, uint64_t source, struct rate_limit limit, int64_t now,
                 int64_t *retry_after);

#endif
