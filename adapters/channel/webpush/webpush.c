/* One thread with libcurl's multi interface: many messages at once over few connections, HTTP/2 where the service speaks it.
 *
 * A service is a host; each has its own token, and its own pause when it says that it is asked too much or is away. Others go on meanwhile. */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "adapters/channel/webpush/webpush.h"

#define SERVICES_MOST 64          /* remembered; the one not used for longest makes room */
#define CONNECTIONS_PER_SERVICE 8
#define TTL_MOST 2419200          /* seconds: 28 days, the least that a vendor takes at most */
#define TTL_DEFAULT (24 * 60 * 60)
#define TOKEN_RENEW (PUSH_TOKEN_LIFE - CLOCK_HOUR)
#define REPLY_MOST (16 * 1024)    /* of a body; a service that says more is cut off */
#define PAUSE_FIRST CLOCK_SECOND
#define PAUSE_MOST CLOCK_MINUTE
#define PLAIN_LEAST 600           /* below that a 413 is about something else */
#define DOUBT_PAUSE (10 * CLOCK_SECOND)
#define REPORTS 64

enum slot_state {
	SLOT_FREE,
	SLOT_WAITING, /* for the thread */
	SLOT_SENDING, /* the thread's, in the multi handle */
	SLOT_DONE,    /* the thread's, to be reported */
};

struct service {
	char origin[300];
	struct str token;     /* of `memory` */
	struct arena memory;
	int64_t token_until;  /* clock_now() */
	int64_t held_until;   /* monotonic; 0: not held */
	int64_t pause;        /* the last one, doubling */
	int64_t used;
};

struct push_slot {
	struct pusher *pusher;
	enum slot_state state; /* guarded by the lock; what follows is its holder's */
	int64_t message;
	struct arena memory;   /* of the message's texts */
	struct channel_push push;
	struct str to;
	struct push_endpoint endpoint;
	struct service *service;
	size_t plain_most;
	bool token_renewed;
	struct buf body;
	CURL *easy;
	struct curl_slist *headers;
	char reply[121];
	size_t reply_length, reply_total;
	bool blocked;          /* the name leads to an address that is not public */
	struct channel_result result;
	char text[160];
};

struct pusher {
	struct channel channel; /* first */
	struct webpush_settings settings;
	struct arena memory;
	struct push_signer *signer;
	const struct channel_events *events;
	void *context;
	pthread_t thread;
	bool running;
	CURLM *multi;

	pthread_mutex_t lock;
	/* Guarded by lock. */
	struct push_slot *slots; /* settings.window */
	size_t outstanding;
	bool stopping, wants_room, started;
	int64_t stop_by;
	struct channel_counters counters;

	/* The thread's own. */
	struct service services[SERVICES_MOST];
	size_t service_count;
	bool doubts;
	int64_t doubts_told;
};

struct webpush_settings webpush_defaults(void)
{
	return (struct webpush_settings){ .window = 100, .connect_within = 10 * CLOCK_SECOND, .answer_within = 30 * CLOCK_SECOND };
}

/* --- what the engine calls ---------------------------------------------------------------------------------------- */

static size_t room_now(const struct pusher *p)
{
	return p->started && !p->stopping ? p->settings.window - p->outstanding : 0;
}

static struct channel_push copy_push(struct arena *arena, const struct channel_push *from)
{
	struct channel_push push = *from;
	struct str *const texts[] = { &push.point,      &push.secret,     &push.title,           &push.body,            &push.language,    &push.open,
		                      &push.answer,     &push.words.safe, &push.words.help,      &push.words.said_safe, &push.words.said_help,
		                      &push.words.unsaid, &push.topic };

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = str_copy(arena, *texts[i]);
	return push;
}

static void take(struct pusher *p, const struct channel_message *message)
{
	struct push_slot *slot = p->slots;

	while (slot->state != SLOT_FREE)
		slot++; /* there is one: the caller saw room */
	arena_clear(&slot->memory);
	slot->message = message->id;
	slot->to = str_copy(&slot->memory, message->to);
	slot->push = copy_push(&slot->memory, message->push);
	slot->plain_most = PUSH_PLAIN_MAX;
	slot->token_renewed = false;
	slot->state = SLOT_WAITING;
	p->outstanding++;
	p->counters.submitted++;
}

static size_t submit(struct channel *channel, const struct channel_message *messages, size_t count)
{
	struct pusher *p = (struct pusher *)channel;
	size_t taken = 0;

	pthread_mutex_lock(&p->lock);
	while (taken < count && room_now(p) > 0)
		take(p, &messages[taken++]);
	if (taken < count)
		p->wants_room = true;
	pthread_mutex_unlock(&p->lock);
	if (taken)
		curl_multi_wakeup(p->multi);
	return taken;
}

static size_t capacity(struct channel *channel)
{
	struct pusher *p = (struct pusher *)channel;

	pthread_mutex_lock(&p->lock);
	const size_t room = room_now(p);
	if (room == 0)
		p->wants_room = true;
	pthread_mutex_unlock(&p->lock);
	return room;
}

static void acknowledge(struct channel *channel, const uint64_t *tickets, size_t count, bool stored)
{
	/* A push service sends nothing that would be answered. */
	(void)channel;
	(void)tickets;
	(void)count;
	(void)stored;
}

static void counters(struct channel *channel, struct channel_counters *out)
{
	struct pusher *p = (struct pusher *)channel;

	pthread_mutex_lock(&p->lock);
	*out = p->counters;
	out->up = p->started;
	out->window = p->settings.window;
	out->outstanding = p->outstanding;
	pthread_mutex_unlock(&p->lock);
}

/* --- services ----------------------------------------------------------------------------------------------------- */

static struct service *service_of(struct pusher *p, struct str origin)
{
	struct service *oldest = p->services;

	for (size_t i = 0; i < p->service_count; i++) {
		if (str_equal(str_from(p->services[i].origin), origin)) {
			p->services[i].used = clock_monotonic();
			return &p->services[i];
		}
		if (p->services[i].used < oldest->used)
			oldest = &p->services[i];
	}
	if (p->service_count < SERVICES_MOST)
		oldest = &p->services[p->service_count++];
	else
		arena_release(&oldest->memory);
	*oldest = (struct service){ .used = clock_monotonic() };
	arena_init(&oldest->memory);
	snprintf(oldest->origin, sizeof oldest->origin, "%.*s", STR_ARG(origin));
	/* Slots on their way to the one that made room must not speak for this one. */
	for (size_t i = 0; i < p->settings.window; i++)
		if (p->slots[i].service == oldest)
			p->slots[i].service = NULL;
	return oldest;
}

static enum rc token_make(struct pusher *p, struct service *service, struct err *err)
{
	const int64_t now = clock_now();

	if (service->token.len && now < service->token_until && now > service->token_until - 2 * PUSH_TOKEN_LIFE)
		return OK;
	arena_clear(&service->memory);
	service->token = S("");
	enum rc rc = push_signer_header(p->signer, &service->memory, str_from(service->origin), now, &service->token, err);
	if (rc == OK)
		service->token_until = now + TOKEN_RENEW;
	return rc;
}

static void service_works(struct service *service)
{
	/* A pause that it asked for stands: this answer may belong to a message that was on its way before. */
	if (service)
		service->pause = 0;
}

/* `asked`: how long it asked us to wait, 0 if it did not say. */
static void service_hold(const struct pusher *p, struct service *service, int64_t asked, const char *why)
{
	if (!service)
		return;
	const int64_t now = clock_monotonic();
	if (asked > 0) {
		const int64_t until = now + (asked < WEBPUSH_HELD_MOST ? asked : WEBPUSH_HELD_MOST);
		service->held_until = until > service->held_until ? until : service->held_until;
	} else if (service->held_until <= now) { /* many on their way share one failure */
		service->pause = service->pause ? service->pause * 2 : PAUSE_FIRST;
		if (service->pause > PAUSE_MOST)
			service->pause = PAUSE_MOST;
		service->held_until = now + service->pause + (int64_t)rand_below((uint64_t)service->pause / 5 + 1);
	}
	log_warn("webpush_held", LOGC("road", p->channel.name), LOGC("service", service->origin), LOGC("why", why),
	         LOGI("ms", (service->held_until - now) / 1000));
}

/* --- one message ---------------------------------------------------------------------------------------------------- */

static void conclude(struct push_slot *slot, enum channel_outcome outcome, enum channel_fault fault, long code, const char *text)
{
	snprintf(slot->text, sizeof slot->text, "%s", text);
	slot->result = (struct channel_result){ .message = slot->message, .outcome = outcome, .fault = fault, .code = (uint32_t)code };
	pthread_mutex_lock(&slot->pusher->lock);
	slot->state = SLOT_DONE;
	pthread_mutex_unlock(&slot->pusher->lock);
}

static void refuse(struct push_slot *slot, enum channel_fault fault, long code, const char *text)
{
	conclude(slot, CHANNEL_REFUSED, fault, code, text);
}

static size_t take_reply(char *bytes, size_t size, size_t count, void *context)
{
	struct push_slot *slot = context;
	const size_t length = size * count;

	for (size_t i = 0; i < length && slot->reply_length < sizeof slot->reply - 1; i++)
		slot->reply[slot->reply_length++] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : ' ';
	slot->reply_total += length;
	return slot->reply_total <= REPLY_MOST ? length : 0;
}

/* Called for the very address that is about to be called: a name that leads elsewhere a moment later changes nothing. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct push_slot *slot = context;
	bool allowed = push_address_allowed(&address->addr);

	(void)purpose;
	if (slot->endpoint.loopback && address->family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &address->addr, sizeof in);
		allowed = ntohl(in.sin_addr.s_addr) == INADDR_LOOPBACK;
	}
	if (!allowed) {
		slot->blocked = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void add_header(struct push_slot *slot, const char *text)
{
	struct curl_slist *longer = curl_slist_append(slot->headers, text);
	if (!longer)
		abort();
	slot->headers = longer;
}

static void set_headers(struct push_slot *slot)
{
	static const char *const urgencies[] = { "low", "normal", "high" };
	const struct channel_push *push = &slot->push;
	struct arena *arena = &slot->memory;
	int64_t ttl = push->expires > 0 ? (push->expires - clock_now()) / CLOCK_SECOND : TTL_DEFAULT;

	ttl = ttl < 0 ? 0 : ttl > TTL_MOST ? TTL_MOST : ttl;
	curl_slist_free_all(slot->headers);
	slot->headers = NULL;
	add_header(slot, str_format(arena, "TTL: %lld", (long long)ttl).ptr);
	add_header(slot, str_format(arena, "Urgency: %s", urgencies[push->urgency]).ptr);
	if (push->topic.len)
		add_header(slot, str_format(arena, "Topic: %.*s", STR_ARG(push->topic)).ptr);
	add_header(slot, str_format(arena, "Authorization: %.*s", STR_ARG(slot->service->token)).ptr);
	add_header(slot, "Content-Encoding: aes128gcm");
	add_header(slot, "Content-Type: application/octet-stream");
	add_header(slot, "Expect:");
}

static void set_options(struct push_slot *slot)
{
	const struct webpush_settings *settings = &slot->pusher->settings;
	CURL *easy = slot->easy;

	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
	curl_easy_setopt(easy, CURLOPT_URL, slot->to.ptr);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, slot->endpoint.loopback ? "http" : "https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a proxy would resolve names itself */
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, slot->body.ptr);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)slot->body.len);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_reply);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, slot);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(settings->connect_within / 1000));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(settings->answer_within / 1000));
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "Chancery");
}

/* Writes and encrypts what the slot says, and hands it to libcurl. */
static void send_slot(struct pusher *p, struct push_slot *slot)
{
	struct push_keys keys;
	struct err err;

	err_init(&err, &slot->memory);
	const struct str plain = webpush_compose(&slot->memory, &slot->push, slot->plain_most);
	if (str_is_none(plain)) {
		refuse(slot, CHANNEL_FAULT_MESSAGE, 0, "does not fit into a notification");
		return;
	}
	if (push_keys_read(slot->push.point, slot->push.secret, &keys, &err) != OK) {
		refuse(slot, CHANNEL_FAULT_RECIPIENT, 0, "the browser's keys are broken");
		return;
	}
	buf_clear(&slot->body);
	enum rc rc = push_encrypt(&keys, plain, &slot->body, &err);
	if (rc == OK)
		rc = token_make(p, slot->service, &err);
	if (rc == OK && !slot->easy)
		slot->easy = curl_easy_init();
	if (rc != OK || !slot->easy) {
		refuse(slot, CHANNEL_FAULT_TEMPORARY, 0, rc != OK ? err.detail.ptr : "out of memory");
		return;
	}
	slot->reply_length = slot->reply_total = 0;
	slot->blocked = false;
	set_headers(slot);
	set_options(slot);
	if (curl_multi_add_handle(p->multi, slot->easy) != CURLM_OK)
		refuse(slot, CHANNEL_FAULT_TEMPORARY, 0, "libcurl takes no more");
}

static void start_slot(struct pusher *p, struct push_slot *slot)
{
	struct err err;

	slot->service = NULL;
	err_init(&err, &slot->memory);
	if (push_endpoint_read(&slot->memory, slot->to, &p->settings.policy, &slot->endpoint, &err) != OK) {
		refuse(slot, CHANNEL_FAULT_MESSAGE, 0, err.detail.ptr);
		return;
	}
	slot->service = service_of(p, slot->endpoint.origin);
	if (slot->service->held_until > clock_monotonic()) {
		refuse(slot, CHANNEL_FAULT_TEMPORARY, 0, "the push service asked us to wait, or is away");
		return;
	}
	send_slot(p, slot);
}

/* --- what services say ------------------------------------------------------------------------------------------------ */

/* True when the message goes out once more, shorter or with a new token. */
static bool again(struct pusher *p, struct push_slot *slot, long status)
{
	if (!slot->service)
		slot->service = service_of(p, slot->endpoint.origin);
	if (status == 413 && slot->plain_most / 2 >= PLAIN_LEAST) {
		slot->plain_most /= 2;
		send_slot(p, slot);
		return true;
	}
	/* The token may have grown old on the way, or a clock was set: one new one, before it counts. */
	if ((status == 401 || status == 403) && !slot->token_renewed) {
		slot->token_renewed = true;
		slot->service->token_until = 0;
		send_slot(p, slot);
		return true;
	}
	return false;
}

static void judge_status(struct pusher *p, struct push_slot *slot, long status, int64_t asked)
{
	char text[sizeof slot->text];

	slot->reply[slot->reply_length] = 0;
	snprintf(text, sizeof text, "HTTP %ld%s%s", status, slot->reply_length && status != 404 && status != 410 ? ": " : "",
	         slot->reply_length && status != 404 && status != 410 ? slot->reply : "");
	if (status / 100 == 2) {
		service_works(slot->service);
		conclude(slot, CHANNEL_ACCEPTED, CHANNEL_FAULT_NONE, status, text);
	} else if (status == 404 || status == 410) {
		refuse(slot, CHANNEL_FAULT_RECIPIENT, status, text);
	} else if (status == 429 || status / 100 == 5) {
		if (status == 429 || asked > 0 || status >= 502)
			service_hold(p, slot->service, asked, text);
		refuse(slot, CHANNEL_FAULT_TEMPORARY, status, text);
	} else {
		/* 400, 401, 403, 413 ...: our key, our clock, our message. Never a word against the browser. */
		log_error("webpush_refused", LOGC("road", p->channel.name), LOGC("service", slot->service ? slot->service->origin : ""),
		          LOGC("answer", text));
		refuse(slot, CHANNEL_FAULT_MESSAGE, status, text);
	}
}

static void judge_failure(struct pusher *p, struct push_slot *slot, CURLcode code)
{
	curl_off_t sent = 0;
	const char *reason = slot->blocked ? "the push service's name leads to an address that is not public" : curl_easy_strerror(code);

	curl_easy_getinfo(slot->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	service_hold(p, slot->service, 0, reason);
	if (sent > 0) {
		p->doubts = true;
		conclude(slot, CHANNEL_IN_DOUBT, CHANNEL_FAULT_NONE, 0, reason);
	} else {
		refuse(slot, CHANNEL_FAULT_TEMPORARY, 0, reason);
	}
}

static void finish_transfer(struct pusher *p, CURL *easy, CURLcode code)
{
	struct push_slot *slot = NULL;
	long status = 0;
	curl_off_t asked = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&slot);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &asked);
	curl_multi_remove_handle(p->multi, easy);
	/* The status decides, even when the rest of the answer was too long or was cut. */
	if (status >= 200) {
		if (!again(p, slot, status))
			judge_status(p, slot, status, asked > 0 ? (asked < 86400 ? (int64_t)asked : 86400) * CLOCK_SECOND : 0);
	} else {
		judge_failure(p, slot, code);
	}
}

/* --- the thread --------------------------------------------------------------------------------------------------------- */

static void count_result(struct pusher *p, const struct channel_result *result)
{
	switch (result->outcome) {
	case CHANNEL_ACCEPTED: p->counters.accepted++; break;
	case CHANNEL_REFUSED:
		p->counters.refused++;
		p->counters.throttled += result->code == 429;
		break;
	case CHANNEL_IN_DOUBT: p->counters.in_doubt++; break;
	case CHANNEL_RETURNED: p->counters.returned++; break;
	}
}

/* Frees slots, then tells: the event may submit at once. */
static void report_done(struct pusher *p)
{
	struct channel_result results[REPORTS];
	char texts[REPORTS][sizeof p->slots->text];
	size_t count;

	do {
		count = 0;
		pthread_mutex_lock(&p->lock);
		for (size_t i = 0; i < p->settings.window && count < REPORTS; i++) {
			struct push_slot *slot = &p->slots[i];
			if (slot->state != SLOT_DONE)
				continue;
			memcpy(texts[count], slot->text, sizeof slot->text);
			results[count] = slot->result;
			results[count].text = str_from(texts[count]);
			count_result(p, &results[count++]);
			slot->state = SLOT_FREE;
			p->outstanding--;
		}
		pthread_mutex_unlock(&p->lock);
		if (count)
			p->events->on_results(p->context, &p->channel, results, count);
	} while (count == REPORTS);
}

static void start_waiting(struct pusher *p)
{
	for (size_t i = 0; i < p->settings.window; i++) {
		struct push_slot *slot = &p->slots[i];
		pthread_mutex_lock(&p->lock);
		const bool waits = slot->state == SLOT_WAITING;
		if (waits)
			slot->state = SLOT_SENDING;
		pthread_mutex_unlock(&p->lock);
		if (waits)
			start_slot(p, slot);
	}
}

static void collect(struct pusher *p)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(p->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			finish_transfer(p, message->easy_handle, message->data.result);
}

/* What is in doubt can get no answer any more, for its connection is gone. The engine sends such messages again when the road was cut: it was,
 * to one service. */
static void tell_doubts(struct pusher *p)
{
	const int64_t now = clock_monotonic();

	if (!p->doubts || (p->doubts_told && now < p->doubts_told + DOUBT_PAUSE))
		return;
	p->doubts = false;
	p->doubts_told = now;
	p->events->on_state(p->context, &p->channel, false, S("a push service gave no answer; what is in doubt is sent again"));
	p->events->on_state(p->context, &p->channel, true, S("other services go on"));
}

static void offer_room(struct pusher *p)
{
	pthread_mutex_lock(&p->lock);
	const bool room = p->wants_room && room_now(p) > 0;
	if (room)
		p->wants_room = false;
	pthread_mutex_unlock(&p->lock);
	if (room)
		p->events->on_room(p->context, &p->channel);
}

/* At the end of stop's patience: what had not gone out has not gone out, the rest is in doubt. */
static void give_up(struct pusher *p)
{
	for (size_t i = 0; i < p->settings.window; i++) {
		struct push_slot *slot = &p->slots[i];
		curl_off_t sent = 0;
		pthread_mutex_lock(&p->lock);
		const enum slot_state state = slot->state;
		pthread_mutex_unlock(&p->lock);
		if (state != SLOT_WAITING && state != SLOT_SENDING)
			continue;
		if (state == SLOT_SENDING) {
			curl_easy_getinfo(slot->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
			curl_multi_remove_handle(p->multi, slot->easy);
		}
		conclude(slot, sent > 0 ? CHANNEL_IN_DOUBT : CHANNEL_RETURNED, CHANNEL_FAULT_NONE, 0, "stopped");
	}
	report_done(p);
}

static void *run(void *argument)
{
	struct pusher *p = argument;
	bool more = true;

	p->events->on_state(p->context, &p->channel, true, S("ready"));
	p->events->on_room(p->context, &p->channel);
	while (more) {
		int still = 0;
		start_waiting(p);
		curl_multi_perform(p->multi, &still);
		collect(p);
		report_done(p);
		tell_doubts(p);
		offer_room(p);
		pthread_mutex_lock(&p->lock);
		const bool stopping = p->stopping, late = stopping && clock_monotonic() >= p->stop_by;
		more = !stopping || (p->outstanding > 0 && !late);
		pthread_mutex_unlock(&p->lock);
		if (late)
			give_up(p);
		else if (more)
			curl_multi_poll(p->multi, NULL, 0, stopping ? 20 : 1000, NULL);
	}
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static enum rc start(struct channel *channel, const struct channel_events *events, void *context, struct err *err)
{
	struct pusher *p = (struct pusher *)channel;

	p->events = events;
	p->context = context;
	p->stopping = false;
	p->started = true;
	const int code = pthread_create(&p->thread, NULL, run, p);
	if (code) {
		p->started = false;
		return err_set(err, FAILED, "%s: cannot start a thread: %s", channel->name, strerror(code));
	}
	p->running = true;
	return OK;
}

static void stop(struct channel *channel, int64_t patience)
{
	struct pusher *p = (struct pusher *)channel;

	if (!p->running)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	p->stop_by = clock_monotonic() + patience;
	pthread_mutex_unlock(&p->lock);
	curl_multi_wakeup(p->multi);
	pthread_join(p->thread, NULL);
	p->running = false;
	/* The dispatcher may still ask for room. */
	pthread_mutex_lock(&p->lock);
	p->started = false;
	pthread_mutex_unlock(&p->lock);
}

static void free_pusher(struct channel *channel)
{
	struct pusher *p = (struct pusher *)channel;

	stop(channel, 0);
	for (size_t i = 0; p->slots && i < p->settings.window; i++) {
		if (p->slots[i].easy)
			curl_easy_cleanup(p->slots[i].easy);
		curl_slist_free_all(p->slots[i].headers);
		buf_release(&p->slots[i].body);
		arena_release(&p->slots[i].memory);
	}
	if (p->multi)
		curl_multi_cleanup(p->multi);
	for (size_t i = 0; i < p->service_count; i++)
		arena_release(&p->services[i].memory);
	push_signer_free(p->signer);
	free(p->slots);
	pthread_mutex_destroy(&p->lock);
	arena_release(&p->memory);
	free(p);
}

static const struct channel_methods METHODS = { start, stop, capacity, submit, acknowledge, counters, free_pusher };

static pthread_once_t curl_made = PTHREAD_ONCE_INIT;

static void make_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum rc webpush_channel_new(const struct webpush_settings *settings, struct channel **out, struct err *err)
{
	if (settings->name.len == 0 || settings->window < 1 || settings->window > WEBPUSH_WINDOW_MAX || settings->connect_within <= 0 ||
	    settings->answer_within <= 0)
		return err_set(err, INVALID, "web push needs a name, a window of 1 to %d and times above zero", WEBPUSH_WINDOW_MAX);
	pthread_once(&curl_made, make_curl);
	struct pusher *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(err, FAILED, "out of memory");
	arena_init(&p->memory);
	pthread_mutex_init(&p->lock, NULL);
	p->settings = *settings;
	p->settings.name = str_copy(&p->memory, settings->name);
	p->settings.policy.services = str_copy(&p->memory, settings->policy.services);
	p->settings.policy.loopback = str_copy(&p->memory, settings->policy.loopback);
	p->settings.seed = NULL;
	p->channel = (struct channel){ &METHODS, p->settings.name.ptr, CHANNEL_PUSH };
	p->slots = calloc(settings->window, sizeof *p->slots);
	p->multi = curl_multi_init();
	enum rc rc = p->slots && p->multi ? push_signer_new(settings->seed, settings->contact, &p->signer, err)
	                                  : err_set(err, FAILED, "%.*s: out of memory", STR_ARG(settings->name));
	if (rc != OK) {
		free_pusher(&p->channel);
		return rc;
	}
	for (size_t i = 0; i < settings->window; i++) {
		p->slots[i].pusher = p;
		buf_init(&p->slots[i].body);
		arena_init(&p->slots[i].memory);
	}
	curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(p->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_PER_SERVICE);
	*out = &p->channel;
	return OK;
}
