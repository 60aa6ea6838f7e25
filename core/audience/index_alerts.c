/* The alerts in force, asked for one leg. They are few (tens, hundreds in the worst of times), so they stand in a list. */
#include <pthread.h>
#include <stdlib.h>

#include "core/audience/index.h"

struct alert_place {
	int64_t alert_id;
	struct geo_prepared *area;
	struct leg_window window;
};
struct alert_index {
	const struct geo_outlines *outlines;
	pthread_rwlock_t lock; /* guards what follows */
	struct alert_place *alerts; /* ascending by id */
	size_t count;
};

struct alert_index *alert_index_new(const struct geo_outlines *outlines)
{
	struct alert_index *index = take_memory(NULL, 1, sizeof *index);
	index->outlines = outlines;
	index->alerts = NULL;
	index->count = 0;
	pthread_rwlock_init(&index->lock, NULL);
	return index;
}

void alert_index_free(struct alert_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->count; i++)
		geo_prepared_free(index->alerts[i].area);
	free(index->alerts);
	pthread_rwlock_destroy(&index->lock);
	free(index);
}

static size_t find_place(const struct alert_index *index, int64_t alert_id)
{
	size_t at = 0;
	while (at < index->count && index->alerts[at].alert_id < alert_id)
		at++;
	return at;
}

void alert_index_set(struct alert_index *index, int64_t alert_id, struct geo_prepared *area, struct leg_window window)
{
	pthread_rwlock_wrlock(&index->lock);
	size_t at = find_place(index, alert_id);
	if (at < index->count && index->alerts[at].alert_id == alert_id) {
		geo_prepared_free(index->alerts[at].area);
	} else {
		index->alerts = take_memory(index->alerts, index->count + 1, sizeof *index->alerts);
		memmove(index->alerts + at + 1, index->alerts + at, (index->count - at) * sizeof *index->alerts);
		index->count++;
	}
	index->alerts[at] = (struct alert_place){ alert_id, area, window };
	pthread_rwlock_unlock(&index->lock);
}

void alert_index_remove(struct alert_index *index, int64_t alert_id)
{
	pthread_rwlock_wrlock(&index->lock);
	size_t at = find_place(index, alert_id);
	if (at < index->count && index->alerts[at].alert_id == alert_id) {
		geo_prepared_free(index->alerts[at].area);
		index->count--;
		memmove(index->alerts + at, index->alerts + at + 1, (index->count - at) * sizeof *index->alerts);
	}
	pthread_rwlock_unlock(&index->lock);
}

size_t alert_index_count(struct alert_index *index)
{
	pthread_rwlock_rdlock(&index->lock);
	size_t count = index->count;
	pthread_rwlock_unlock(&index->lock);
	return count;
}

struct alert_match *alert_index_query(struct alert_index *index, struct arena *arena, const struct leg_entry *entry, size_t *count_out)
{
	struct alert_match *found = NULL;
	size_t count = 0, capacity = 0;
	struct geo_prepared *watched = entry->kind == LEG_WATCH_AREA ? geo_prepared_new(entry->area) : NULL;
	pthread_rwlock_rdlock(&index->lock);
	for (size_t i = 0; i < index->count; i++) {
		struct alert_match match = { .alert_id = index->alerts[i].alert_id };
		struct question question;
		question_init(&question, index->alerts[i].area, index->outlines, index->alerts[i].window);
		if (question_entry(&question, entry, watched, &match.match))
			ARENA_PUSH(arena, found, count, capacity, match);
	}
	pthread_rwlock_unlock(&index->lock);
	geo_prepared_free(watched);
	*count_out = count;
	return found;
}
