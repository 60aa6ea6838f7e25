/* What the delivery engine asks of alerts: texts, whether they are still due, and what became of people. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "desks/travel/alert.h"
#include "desks/travel/response.h"
#include "kernel/desk/hub.h"

#include "travel_sql.h"

#define CACHED_MAX 16 /* versions whose texts are held in memory */

/* A sent version never changes, so what was read once can be kept. */
struct cached {
	int64_t version_id; /* 0: free */
	uint64_t used;
	struct arena arena;
	struct alert alert;
	struct alert_version version;
	struct str area[LANGUAGE_COUNT]; /* in words; STR_NONE: not asked for yet */
};
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER; /* guards cache, cache_clock, cache_house */
static struct cached cache[CACHED_MAX];
static uint64_t cache_clock;
static const struct house *cache_house;

void alert_cache_clear(void)
{
	pthread_mutex_lock(&cache_lock);
	for (size_t i = 0; i < CACHED_MAX; i++) {
		if (cache[i].version_id)
			arena_release(&cache[i].arena);
		cache[i] = (struct cached){ 0 };
	}
	cache_house = NULL;
	pthread_mutex_unlock(&cache_lock);
}

/* With the lock held; the result is good until it is given back. */
static enum rc cached_find(const struct house *house, struct db_tx *tx, int64_t version_id, struct cached **out,
                           struct err *err)
{
	struct cached *oldest = &cache[0];

	if (cache_house != house) {
		for (size_t i = 0; i < CACHED_MAX; i++) {
			if (cache[i].version_id)
				arena_release(&cache[i].arena);
			cache[i] = (struct cached){ 0 };
		}
		cache_house = house;
	}
	for (size_t i = 0; i < CACHED_MAX; i++) {
		if (cache[i].version_id == version_id) {
			cache[i].used = ++cache_clock;
			*out = &cache[i];
			return OK;
		}
		if (cache[i].used < oldest->used)
			oldest = &cache[i];
	}
	if (oldest->version_id)
		arena_release(&oldest->arena);
	*oldest = (struct cached){ .used = ++cache_clock };
	arena_init(&oldest->arena);
	enum rc rc = version_find(tx, &oldest->arena, version_id, &oldest->version, err);
	if (rc == OK)
		rc = alert_find(tx, &oldest->arena, oldest->version.alert_id, &oldest->alert, err);
	if (rc != OK) {
		arena_release(&oldest->arena);
		*oldest = (struct cached){ 0 };
		return rc;
	}
	oldest->version_id = version_id;
	*out = oldest;
	return OK;
}

static enum rc render(struct house *house, struct arena *arena, struct db_tx *tx, int64_t subject_id,
                      int64_t text_group, const struct person *person, enum channel_kind channel,
                      struct message_draft *out, struct err *err)
{
	const struct str base = str_from(house->public_url ? house->public_url : "");
	struct cached *cached;

	if (text_group <= GROUP_NONE || text_group >= GROUP_COUNT)
		return err_set(err, FAILED, "version %lld has no texts %lld", (long long)subject_id,
		               (long long)text_group);
	pthread_mutex_lock(&cache_lock);
	enum rc rc = cached_find(house, tx, subject_id, &cached, err);
	if (rc == OK) {
		struct str *area = &cached->area[person->language];
		if (str_is_none(*area))
			*area = version_area(places_of(house), &cached->arena, person->language, &cached->version);
		const struct str answer_path = alert_answer_path(house, arena, &cached->alert, person);
		const struct alert_rendering rendering = {
			.alert = &cached->alert,
			.version = &cached->version,
			.group = (enum alert_group)text_group,
			.wanted = person->language,
			.answer_url = str_concat(arena, base, answer_path),
			.answer_path = answer_path,
			.manage_url = str_concat(arena, base, person_manage_path(house, arena, person)),
			.area = *area,
			.now = clock_now(),
		};
		struct message_draft draft;
		if (channel == CHANNEL_SMS)
			alert_render_sms(arena, &rendering, &draft);
		else if (channel == CHANNEL_PUSH)
			alert_render_push(arena, &rendering, &draft);
		else
			alert_render_mail(house, arena, &rendering, &draft);
		const struct contact *contact = channel == CHANNEL_MAIL ? person_contact(person, CHANNEL_MAIL) : NULL;
		if (contact)
			draft.unsubscribe_url =
				str_concat(arena, base, contact_unsubscribe_path(house, arena, person, contact));
		/* Texts of the version live in the cache, which may be given up before the message leaves. */
		draft.subject = str_copy(arena, draft.subject);
		bool answered = false;
		rc = ladder_is_answered(tx, arena, &cached->version, person->id, channel, text_group, &answered, err);
		draft.withhold = answered ? REASON_ANSWERED : REASON_NONE;
		*out = draft;
	}
	pthread_mutex_unlock(&cache_lock);
	return rc;
}

static void progress(struct house *house, int64_t event_id)
{
	char topic[40];

	if (!house->hub)
		return;
	const int length = snprintf(topic, sizeof topic, "alert/%lld", (long long)event_id);
	hub_publish(house->hub, (struct str){ topic, (size_t)length }, S("{}"));
}

const struct notice_desk alert_notice_desk = {
	.render = render,
	.due = alert_due,
	.lost = ladder_raise_next,
	.unreachable = recipient_set_unreachable,
	.answer = response_answer,
	.progress = progress,
};
