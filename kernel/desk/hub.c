/* Events to listeners. One lock, one thread: publishing leaves the event with its topic; the thread gives it a number,
 * keeps it for replay and wakes who sleeps. Nothing here waits for a browser. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/desk/hub.h"

struct event {
	int64_t id;
	struct buf data;
	bool refresh; /* too long to send: the page is to be read again */
};

struct topic {
	struct topic *next;
	char *name;
	size_t name_length;
	uint64_t hash;
	size_t listeners;
	struct event ring[HUB_REPLAY];
	size_t first, count; /* of the ring */
	int64_t dropped;     /* every event up to this number is gone from the ring */
	int64_t last_at;     /* monotonic time of the last event given out */
	struct buf pending;
	bool has_pending, pending_refresh;
};

struct hub_listener {
	struct hub *hub;
	struct topic *topic;
	struct hub_listener *next, *previous;
	int64_t seen;
	int64_t heartbeat; /* monotonic time of the next one */
	int64_t period;    /* between two */
	bool asleep, greeted;
	void (*wake)(void *context);
	void *context;
};

#define HUB_BUCKETS 256

struct hub {
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t changed;
	pthread_t thread;
	struct topic *buckets[HUB_BUCKETS];
	struct hub_listener *listeners;
	size_t listeners_max;
	int64_t heartbeat;
	uint64_t seed;
	int64_t start_id; /* ids of this process begin after it */
	int64_t last_id;
	bool ending;
	struct hub_counts counts;
};

static void topic_free(struct topic *topic)
{
	for (size_t i = 0; i < HUB_REPLAY; i++)
		buf_release(&topic->ring[i].data);
	buf_release(&topic->pending);
	free(topic->name);
	free(topic);
}

/* Forgets the topic that has been quiet longest and that nobody listens to. Called when there are too many. */
static void topic_forget_one(struct hub *hub)
{
	struct topic **oldest = NULL;
	for (size_t i = 0; i < HUB_BUCKETS; i++)
		for (struct topic **at = &hub->buckets[i]; *at; at = &(*at)->next)
			if ((*at)->listeners == 0 && !(*at)->has_pending &&
			    (!oldest || (*at)->last_at < (*oldest)->last_at))
				oldest = at;
	if (!oldest)
		return;
	struct topic *gone = *oldest;
	*oldest = gone->next;
	topic_free(gone);
	hub->counts.topics--;
}

static struct topic *topic_get(struct hub *hub, struct str name)
{
	uint64_t hash = hash_bytes(name.ptr, name.len, hub->seed);
	struct topic **bucket = &hub->buckets[hash % HUB_BUCKETS];
	for (struct topic *topic = *bucket; topic; topic = topic->next)
		if (topic->hash == hash && topic->name_length == name.len &&
		    memcmp(topic->name, name.ptr, name.len) == 0)
			return topic;
	if (hub->counts.topics >= HUB_TOPICS_MAX)
		topic_forget_one(hub);
	struct topic *topic = calloc(1, sizeof *topic);
	char *copy = malloc(name.len + 1);
	if (!topic || !copy)
		abort(); /* as everywhere: no caller could do better */
	memcpy(copy, name.ptr, name.len);
	copy[name.len] = 0;
	topic->name = copy;
	topic->name_length = name.len;
	topic->hash = hash;
	topic->dropped = hub->last_id; /* what came before, here or in an earlier process, cannot be replayed */
	topic->last_at = INT64_MIN / 2;
	buf_init(&topic->pending);
	for (size_t i = 0; i < HUB_REPLAY; i++)
		buf_init(&topic->ring[i].data);
	topic->next = hub->buckets[hash % HUB_BUCKETS];
	hub->buckets[hash % HUB_BUCKETS] = topic;
	hub->counts.topics++;
	return topic;
}

/* Moves the pending event into the ring under a new number. */
static void topic_flush(struct hub *hub, struct topic *topic, int64_t now)
{
	if (topic->count == HUB_REPLAY) {
		topic->dropped = topic->ring[topic->first].id;
		topic->first = (topic->first + 1) % HUB_REPLAY;
		topic->count--;
	}
	struct event *event = &topic->ring[(topic->first + topic->count) % HUB_REPLAY];
	buf_clear(&event->data);
	buf_add_str(&event->data, buf_str(&topic->pending));
	event->refresh = topic->pending_refresh;
	event->id = ++hub->last_id;
	topic->count++;
	topic->has_pending = false;
	topic->last_at = now;
}

static int64_t newest_id(const struct topic *topic)
{
	return topic->count ? topic->ring[(topic->first + topic->count - 1) % HUB_REPLAY].id : topic->dropped;
}

static void wake(struct hub_listener *listener)
{
	if (!listener->asleep)
		return;
	listener->asleep = false;
	listener->wake(listener->context);
}

/* Gives out what is due and returns the time of the next thing to do. */
static int64_t hub_step(struct hub *hub, int64_t now)
{
	int64_t next = now + 60 * CLOCK_SECOND;
	for (size_t i = 0; i < HUB_BUCKETS; i++)
		for (struct topic *topic = hub->buckets[i]; topic; topic = topic->next) {
			if (!topic->has_pending)
				continue;
			if (topic->last_at + HUB_MERGE <= now)
				topic_flush(hub, topic, now);
			else if (topic->last_at + HUB_MERGE < next)
				next = topic->last_at + HUB_MERGE;
		}
	for (struct hub_listener *listener = hub->listeners; listener; listener = listener->next) {
		int64_t beat = listener->heartbeat;
		if (newest_id(listener->topic) > listener->seen || beat <= now) {
			wake(listener);
			beat = now + listener->period; /* what it will set when it takes */
		}
		if (beat < next)
			next = beat;
	}
	return next;
}

static void *hub_run(void *context)
{
	struct hub *hub = context;
	pthread_mutex_lock(&hub->lock);
	while (!hub->ending) {
		int64_t next = hub_step(hub, clock_monotonic());
		struct timespec until = { .tv_sec = (time_t)(next / CLOCK_SECOND),
			                  .tv_nsec = (long)(next % CLOCK_SECOND) * 1000 };
		pthread_cond_timedwait(&hub->changed, &hub->lock, &until);
	}
	pthread_mutex_unlock(&hub->lock);
	return NULL;
}

struct hub *hub_new(void)
{
	struct hub *hub = calloc(1, sizeof *hub);
	if (!hub)
		abort();
	pthread_mutex_init(&hub->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&hub->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	hub->listeners_max = HUB_LISTENERS_MAX;
	hub->heartbeat = HUB_HEARTBEAT;
	hub->seed = rand_u64();
	/* Numbers grow over restarts, so that an id of an earlier process is known to be old. The real clock: the test
	 * clock may go back. */
	hub->start_id = clock_now() - clock_offset();
	hub->last_id = hub->start_id;
	if (pthread_create(&hub->thread, NULL, hub_run, hub) != 0)
		abort();
	return hub;
}

void hub_free(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	hub->ending = true;
	pthread_cond_signal(&hub->changed);
	pthread_mutex_unlock(&hub->lock);
	pthread_join(hub->thread, NULL);
	for (size_t i = 0; i < HUB_BUCKETS; i++)
		while (hub->buckets[i]) {
			struct topic *topic = hub->buckets[i];
			hub->buckets[i] = topic->next;
			topic_free(topic);
		}
	pthread_cond_destroy(&hub->changed);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

void hub_set_listeners_max(struct hub *hub, size_t most)
{
	pthread_mutex_lock(&hub->lock);
	hub->listeners_max = most;
	pthread_mutex_unlock(&hub->lock);
}

void hub_set_heartbeat(struct hub *hub, int64_t period)
{
	pthread_mutex_lock(&hub->lock);
	hub->heartbeat = period;
	pthread_mutex_unlock(&hub->lock);
}

void hub_publish(struct hub *hub, struct str topic_name, struct str data)
{
	pthread_mutex_lock(&hub->lock);
	struct topic *topic = topic_get(hub, topic_name);
	hub->counts.published++;
	if (topic->has_pending)
		hub->counts.merged++;
	buf_clear(&topic->pending);
	topic->pending_refresh = data.len > HUB_DATA_MAX;
	if (!topic->pending_refresh)
		buf_add_str(&topic->pending, data);
	topic->has_pending = true;
	pthread_cond_signal(&hub->changed);
	pthread_mutex_unlock(&hub->lock);
}

enum rc hub_listen(struct hub *hub, struct str topic_name, int64_t last_event_id, void (*wake_with)(void *context),
                   void *context, struct hub_listener **listener_out)
{
	struct hub_listener *listener = calloc(1, sizeof *listener);
	if (!listener)
		abort();
	pthread_mutex_lock(&hub->lock);
	if (hub->counts.listeners >= hub->listeners_max) {
		hub->counts.refused++;
		pthread_mutex_unlock(&hub->lock);
		free(listener);
		return BUSY;
	}
	struct topic *topic = topic_get(hub, topic_name);
	listener->hub = hub;
	listener->topic = topic;
	listener->wake = wake_with;
	listener->context = context;
	listener->period = hub->heartbeat;
	listener->heartbeat = clock_monotonic() + listener->period;
	/* Without an id: one before the newest, so that the newest comes. An id we never gave counts as older than all. */
	if (last_event_id < 0)
		listener->seen = topic->count ? newest_id(topic) - 1 : newest_id(topic);
	else
		listener->seen = last_event_id > hub->last_id ? hub->start_id - 1 : last_event_id;
	/* Between two events of a topic lie numbers of others; only what the ring dropped counts as lost. */
	if (last_event_id < 0 && listener->seen < topic->dropped)
		listener->seen = topic->dropped;
	listener->next = hub->listeners;
	if (hub->listeners)
		hub->listeners->previous = listener;
	hub->listeners = listener;
	topic->listeners++;
	hub->counts.listeners++;
	pthread_cond_signal(&hub->changed); /* the thread may sleep past this one's heartbeat */
	pthread_mutex_unlock(&hub->lock);
	*listener_out = listener;
	return OK;
}

void hub_leave(struct hub_listener *listener)
{
	struct hub *hub = listener->hub;
	pthread_mutex_lock(&hub->lock);
	if (listener->previous)
		listener->previous->next = listener->next;
	else
		hub->listeners = listener->next;
	if (listener->next)
		listener->next->previous = listener->previous;
	listener->topic->listeners--;
	hub->counts.listeners--;
	pthread_mutex_unlock(&hub->lock);
	free(listener);
}

/* One "data:" line for each line of the event; a lone CR would end a line too. */
static void add_data(struct buf *out, struct str data)
{
	buf_add_str(out, S("data: "));
	for (size_t i = 0; i < data.len; i++) {
		char c = data.ptr[i];
		if (c == '\r') {
			if (i + 1 < data.len && data.ptr[i + 1] == '\n')
				i++;
			c = '\n';
		}
		buf_add_char(out, c);
		if (c == '\n')
			buf_add_str(out, S("data: "));
	}
	buf_add_str(out, S("\n\n"));
}

static void add_event(struct buf *out, int64_t id, bool refresh, struct str data)
{
	buf_format(out, "id: %lld\n", (long long)id);
	if (refresh)
		buf_add_str(out, S("event: refresh\n"));
	add_data(out, data);
}

/* Appends what the listener has not seen; true if there was something. */
static bool take_events(struct hub_listener *listener, struct buf *out)
{
	struct topic *topic = listener->topic;
	bool some = false;
	if (listener->seen < topic->dropped) {
		/* What it missed is gone; reading the page again makes up for all events there are. */
		listener->seen = newest_id(topic);
		add_event(out, listener->seen, true, S(""));
		return true;
	}
	for (size_t i = 0; i < topic->count; i++) {
		const struct event *event = &topic->ring[(topic->first + i) % HUB_REPLAY];
		if (event->id <= listener->seen)
			continue;
		add_event(out, event->id, event->refresh, buf_str(&event->data));
		listener->seen = event->id;
		some = true;
	}
	return some;
}

bool hub_take(struct hub_listener *listener, struct buf *out, bool (*sleep)(void *context))
{
	struct hub *hub = listener->hub;
	pthread_mutex_lock(&hub->lock);
	int64_t now = clock_monotonic();
	bool some = false;
	if (!listener->greeted) {
		listener->greeted = true;
		buf_add_str(out, S("retry: 3000\n\n"));
		some = true;
	}
	if (take_events(listener, out))
		some = true;
	if (!some && listener->heartbeat <= now) {
		buf_add_str(out, S(":\n\n"));
		some = true;
	}
	if (some)
		listener->heartbeat = now + listener->period;
	if (!some && sleep)
		listener->asleep = sleep(listener->context);
	pthread_mutex_unlock(&hub->lock);
	return some;
}

void hub_wake_all(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	for (struct hub_listener *listener = hub->listeners; listener; listener = listener->next)
		wake(listener);
	pthread_mutex_unlock(&hub->lock);
}

struct hub_counts hub_count(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	struct hub_counts counts = hub->counts;
	pthread_mutex_unlock(&hub->lock);
	return counts;
}
