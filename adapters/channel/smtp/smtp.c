/* The channel and its thread: takes mails, spreads them over kept connections, tells the results. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/channel/smtp/private.h"
#include "kernel/mail/mail.h"

#define CONNECTION_IDLE (60 * CLOCK_SECOND) /* after which a kept connection is closed: relays close theirs */
#define FAILURES_BEFORE_DOWN 3
#define MAILS_AHEAD 32          /* a connection: what is at hand when its turn comes */
#define HELD_MAX (16u << 20)    /* bytes of mails at hand; large ones are taken fewer at a time */
#define RESULTS_AT_ONCE 64

struct relay {
	struct channel channel; /* first */
	struct smtp_relay_settings settings;
	struct arena memory;
	const struct channel_events *events;
	void *context;
	pthread_t thread;
	bool running;
	char *url;
	CURLM *multi;

	pthread_mutex_t lock;
	/* Guarded by lock. */
	struct mail_slot *slots;   /* slot_count */
	size_t slot_count;
	struct mail_slot **free_slots;
	size_t free_count;
	struct mail_slot **waiting; /* a ring */
	size_t waiting_first, waiting_count;
	struct mail_slot **unwritable; /* refused by us, to be reported */
	size_t unwritable_count;
	size_t held;                /* bytes of mails at hand */
	bool up, stopping, wants_room;
	int64_t stop_by;
	struct channel_counters counters;

	/* The thread's own. */
	struct session *sessions;   /* settings.connections */
	struct mail_slot **done;    /* slot_count */
	size_t done_count;
	int64_t retry_at, retry_wait;
	size_t failures;            /* useless connections in a row */
	bool told_up, down_now;
	char down_reason[160];
};

const struct smtp_relay_settings *relay_settings(const struct relay *r)
{
	return &r->settings;
}

const char *relay_url(const struct relay *r)
{
	return r->url;
}

CURLM *relay_multi(const struct relay *r)
{
	return r->multi;
}

struct smtp_relay_settings smtp_relay_defaults(void)
{
	return (struct smtp_relay_settings){
		.port = 25,
		.connections = 4,
		.connect_within = 30 * CLOCK_SECOND,
		.answer_within = 5 * CLOCK_MINUTE,
		.retry_first = CLOCK_SECOND,
		.retry_most = 60 * CLOCK_SECOND,
	};
}

/* --- what the engine calls -------------------------------------------------------------------------------- */

static size_t room_now(const struct relay *r)
{
	return r->up && !r->stopping && r->held < HELD_MAX ? r->free_count : 0;
}

/* Lines that begin with a dot get another one (RFC 5321, 4.5.2), and the mail its end. */
static void stuff_dots(struct buf *content)
{
	size_t dots = 0;
	for (size_t i = 0; i < content->len; i++)
		dots += content->ptr[i] == '.' && (i == 0 || content->ptr[i - 1] == '\n');
	bool ends = content->len >= 2 && memcmp(content->ptr + content->len - 2, "\r\n", 2) == 0;
	size_t length = content->len;
	buf_reserve(content, dots + 5);
	content->len += dots;
	for (size_t i = length; dots > 0 && i-- > 0;) {
		content->ptr[i + dots] = content->ptr[i];
		if (content->ptr[i] == '.' && (i == 0 || content->ptr[i - 1] == '\n'))
			content->ptr[i + --dots] = '.';
	}
	buf_add_str(content, ends ? S(".\r\n") : S("\r\n.\r\n"));
}

/* Without the lock: the slot is the submitter's. */
static void fill(struct mail_slot *slot, const struct channel_message *m)
{
	struct smtp_envelope envelope;
	enum channel_fault fault;
	slot->message = m->id;
	buf_clear(&slot->content);
	const char *why = smtp_compose(m, &slot->content, &envelope, &fault);
	if (why) {
		slot->result = (struct channel_result){ .part = CHANNEL_WHOLE_MESSAGE, .outcome = CHANNEL_REFUSED, .fault = fault };
		slot->code = 0;
		slot->reply_length = strlen(why) < REPLY_MAX ? strlen(why) : REPLY_MAX;
		memcpy(slot->reply, why, slot->reply_length);
		slot->state = SLOT_DONE;
		return;
	}
	stuff_dots(&slot->content);
	slot->utf8 = envelope.utf8;
	memcpy(slot->from, envelope.from, sizeof slot->from);
	memcpy(slot->to, envelope.to, sizeof slot->to);
	slot->state = SLOT_WAITING;
}

static struct mail_slot *take_free(struct relay *r, bool *last)
{
	pthread_mutex_lock(&r->lock);
	struct mail_slot *slot = room_now(r) > 0 ? r->free_slots[--r->free_count] : NULL;
	if (slot)
		slot->state = SLOT_FILLING;
	else
		r->wants_room = true;
	*last = !slot;
	pthread_mutex_unlock(&r->lock);
	return slot;
}

static size_t submit(struct channel *channel, const struct channel_message *messages, size_t count)
{
	struct relay *r = (struct relay *)channel;
	size_t taken = 0;
	bool last = false;
	while (taken < count && !last) {
		struct mail_slot *slot = take_free(r, &last);
		if (!slot)
			break;
		fill(slot, &messages[taken++]);
		pthread_mutex_lock(&r->lock);
		r->held += slot->content.len;
		if (slot->state == SLOT_DONE)
			r->unwritable[r->unwritable_count++] = slot;
		else
			r->waiting[(r->waiting_first + r->waiting_count++) % r->slot_count] = slot;
		r->counters.submitted++;
		pthread_mutex_unlock(&r->lock);
	}
	if (taken > 0 && !pthread_equal(pthread_self(), r->thread))
		curl_multi_wakeup(r->multi);
	return taken;
}

static size_t capacity(struct channel *channel)
{
	struct relay *r = (struct relay *)channel;
	pthread_mutex_lock(&r->lock);
	size_t room = room_now(r);
	if (room == 0)
		r->wants_room = true;
	pthread_mutex_unlock(&r->lock);
	return room;
}

static void acknowledge(struct channel *channel, const uint64_t *tickets, size_t count, bool stored)
{
	/* A relay sends nothing that would be answered. */
	(void)channel;
	(void)tickets;
	(void)count;
	(void)stored;
}

static void counters(struct channel *channel, struct channel_counters *out)
{
	struct relay *r = (struct relay *)channel;
	pthread_mutex_lock(&r->lock);
	*out = r->counters;
	out->up = r->up;
	out->window = r->slot_count;
	out->outstanding = r->slot_count - r->free_count;
	pthread_mutex_unlock(&r->lock);
}

/* --- up and down ------------------------------------------------------------------------------------------ */

static bool any_open(const struct relay *r)
{
	for (size_t i = 0; i < r->settings.connections; i++)
		if (r->sessions[i].state == SESSION_OPEN)
			return true;
	return false;
}

void relay_works(struct relay *r)
{
	r->failures = 0;
	r->retry_wait = 0;
	r->down_reason[0] = 0;
	if (r->told_up)
		return;
	r->told_up = true;
	log_info("smtp_up", LOGC("relay", r->channel.name));
	r->events->on_state(r->context, &r->channel, true, S("the relay answers"));
}

/* The next try waits; while other connections stand, the road stays up with them. */
void relay_fails(struct relay *r, CURLcode code, struct str reason)
{
	bool away = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_LOGIN_DENIED ||
	            code == CURLE_USE_SSL_FAILED || code == CURLE_PEER_FAILED_VERIFICATION;
	bool before_mail = code != CURLE_RECV_ERROR && code != CURLE_SEND_ERROR;
	bool few = ++r->failures < FAILURES_BEFORE_DOWN && !away;
	if (few && !before_mail)
		return; /* one that the relay closed says little: at once again */
	int64_t now = clock_monotonic();
	if (r->retry_at <= now) {
		r->retry_wait = r->retry_wait ? r->retry_wait * 2 : r->settings.retry_first;
		if (r->retry_wait > r->settings.retry_most)
			r->retry_wait = r->settings.retry_most;
		r->retry_at = now + r->retry_wait + (int64_t)rand_below((uint64_t)r->retry_wait / 5 + 1);
	}
	if (few || any_open(r) || r->down_now)
		return;
	r->down_now = true;
	r->told_up = false;
	pthread_mutex_lock(&r->lock);
	r->up = false;
	pthread_mutex_unlock(&r->lock);
	if (strncmp(r->down_reason, reason.ptr ? reason.ptr : "", sizeof r->down_reason - 1) != 0) {
		snprintf(r->down_reason, sizeof r->down_reason, "%.*s", STR_ARG(reason));
		log_warn("smtp_down", LOGC("relay", r->channel.name), LOGC("reason", r->down_reason));
	}
	r->events->on_state(r->context, &r->channel, false, reason);
}

/* Tries the relay again when its time has come: taking mails is how it is tried. */
static void retry(struct relay *r, int64_t now)
{
	if (!r->down_now || now < r->retry_at)
		return;
	r->down_now = false;
	pthread_mutex_lock(&r->lock);
	r->up = true;
	r->wants_room = true;
	pthread_mutex_unlock(&r->lock);
	r->events->on_state(r->context, &r->channel, true, S("to be tried again"));
}

/* --- results ---------------------------------------------------------------------------------------------- */

void relay_finish(struct relay *r, struct mail_slot *slot)
{
	r->done[r->done_count++] = slot;
}

static void count_result(struct relay *r, const struct channel_result *result)
{
	switch (result->outcome) {
	case CHANNEL_ACCEPTED:
		r->counters.accepted++;
		break;
	case CHANNEL_REFUSED:
		r->counters.refused++;
		if (result->fault == CHANNEL_FAULT_THROTTLE)
			r->counters.throttled++;
		break;
	case CHANNEL_IN_DOUBT:
		r->counters.in_doubt++;
		break;
	case CHANNEL_RETURNED:
		r->counters.returned++;
		break;
	}
}

/* Frees the slots, then tells: the event may submit the next mails at once. The texts are copied first. */
static void report(struct relay *r)
{
	while (r->done_count > 0) {
		struct channel_result results[RESULTS_AT_ONCE];
		char texts[RESULTS_AT_ONCE][REPLY_MAX];
		size_t count = r->done_count < RESULTS_AT_ONCE ? r->done_count : RESULTS_AT_ONCE;
		pthread_mutex_lock(&r->lock);
		for (size_t i = 0; i < count; i++) {
			struct mail_slot *slot = r->done[i];
			memcpy(texts[i], slot->reply, slot->reply_length);
			results[i] = slot->result;
			results[i].message = slot->message;
			results[i].code = (uint32_t)slot->code;
			results[i].text = (struct str){ texts[i], slot->reply_length };
			count_result(r, &results[i]);
			r->held -= slot->content.len;
			slot->state = SLOT_FREE;
			r->free_slots[r->free_count++] = slot;
		}
		pthread_mutex_unlock(&r->lock);
		r->done_count -= count;
		memmove(r->done, r->done + count, r->done_count * sizeof *r->done);
		r->events->on_results(r->context, &r->channel, results, count);
	}
}

static void offer_room(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	bool room = r->wants_room && room_now(r) > 0;
	if (room)
		r->wants_room = false;
	pthread_mutex_unlock(&r->lock);
	if (room)
		r->events->on_room(r->context, &r->channel);
}

/* --- the thread ------------------------------------------------------------------------------------------- */

static struct mail_slot *next_waiting(struct relay *r)
{
	struct mail_slot *slot = NULL;
	pthread_mutex_lock(&r->lock);
	if (r->waiting_count > 0) {
		slot = r->waiting[r->waiting_first];
		r->waiting_first = (r->waiting_first + 1) % r->slot_count;
		r->waiting_count--;
	}
	pthread_mutex_unlock(&r->lock);
	return slot;
}

static size_t count_waiting(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	size_t count = r->waiting_count;
	pthread_mutex_unlock(&r->lock);
	return count;
}

static void take_unwritable(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->unwritable_count > 0)
		relay_finish(r, r->unwritable[--r->unwritable_count]);
	pthread_mutex_unlock(&r->lock);
}

/* In front: it was given to a connection before, and is handed to another. */
static void put_back(struct relay *r, struct mail_slot *slot)
{
	pthread_mutex_lock(&r->lock);
	slot->state = SLOT_WAITING;
	r->waiting_first = (r->waiting_first + r->slot_count - 1) % r->slot_count;
	r->waiting[r->waiting_first] = slot;
	r->waiting_count++;
	pthread_mutex_unlock(&r->lock);
}

static bool any_connecting(const struct relay *r)
{
	for (size_t i = 0; i < r->settings.connections; i++)
		if (r->sessions[i].state == SESSION_CONNECTING)
			return true;
	return false;
}

/* Gives what waits to connections, idle ones first; behind another mail only when no connection of its own is to come. */
static void spread(struct relay *r)
{
	int rounds = any_connecting(r) ? 1 : 2;
	for (int busy = 0; busy < rounds; busy++)
		for (size_t i = 0; i < r->settings.connections; i++) {
			struct session *s = &r->sessions[i];
			while (session_has_room(s) && (busy || s->slot_count == 0)) {
				struct mail_slot *slot = next_waiting(r);
				if (!slot)
					return;
				slot->state = SLOT_SENDING;
				session_give(s, slot);
			}
		}
}

/* While the road is down, or at the end, nobody will carry what waits. */
static void return_waiting(struct relay *r)
{
	struct mail_slot *slot;
	while ((slot = next_waiting(r))) {
		slot->result = (struct channel_result){ .outcome = CHANNEL_RETURNED };
		slot->code = 0;
		slot->reply_length = 0;
		relay_finish(r, slot);
	}
}

/* As many connections as mails wait for one. */
static void connect_more(struct relay *r, int64_t now)
{
	size_t waiting = count_waiting(r), coming = 0;
	if (waiting == 0 || r->down_now || now < r->retry_at)
		return;
	for (size_t i = 0; i < r->settings.connections; i++)
		coming += r->sessions[i].state == SESSION_CONNECTING || (r->sessions[i].state == SESSION_OPEN && r->sessions[i].slot_count == 0);
	/* A relay that failed is tried by one alone. */
	size_t most = r->failures > 0 && !any_open(r) ? 1 : waiting;
	for (size_t i = 0; i < r->settings.connections && coming < most; i++)
		if (r->sessions[i].state == SESSION_CLOSED && session_open(&r->sessions[i]))
			coming++;
}

static void take_connected(struct relay *r)
{
	int running, left;
	CURLMsg *message;
	curl_multi_perform(r->multi, &running);
	while ((message = curl_multi_info_read(r->multi, &left))) {
		char *private = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE || curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK || !private)
			continue;
		session_connected((struct session *)(void *)private, code);
	}
}

static void watch_time(struct relay *r, int64_t now)
{
	for (size_t i = 0; i < r->settings.connections; i++) {
		struct session *s = &r->sessions[i];
		if (s->state != SESSION_OPEN)
			continue;
		if (now >= session_deadline(s))
			session_break(s, CURLE_OPERATION_TIMEDOUT, S("no answer in time"));
		else if (s->slot_count == 0 && now - s->idle_since >= CONNECTION_IDLE)
			session_close(s);
		struct mail_slot *behind = session_take_back(s, now);
		if (behind)
			put_back(r, behind);
	}
}

/* Sleeps until a connection has something to say, mails come, or it is time for something. */
static void wait_for_work(struct relay *r)
{
	struct curl_waitfd polled[SMTP_CONNECTIONS_MAX];
	struct session *of[SMTP_CONNECTIONS_MAX];
	unsigned count = 0;
	int64_t now = clock_monotonic(), until = now + CLOCK_SECOND;
	for (size_t i = 0; i < r->settings.connections; i++) {
		struct session *s = &r->sessions[i];
		if (s->state != SESSION_OPEN)
			continue;
		polled[count] = (struct curl_waitfd){ .fd = s->socket, .events = (short)(CURL_WAIT_POLLIN | (s->blocked ? CURL_WAIT_POLLOUT : 0)) };
		of[count++] = s;
		if (session_deadline(s) < until)
			until = session_deadline(s);
	}
	if (r->retry_at > now && r->retry_at < until)
		until = r->retry_at;
	pthread_mutex_lock(&r->lock);
	if (r->stopping && r->stop_by < until)
		until = r->stop_by;
	if ((r->wants_room && room_now(r) > 0) || (r->stopping && r->free_count == r->slot_count))
		until = now;
	pthread_mutex_unlock(&r->lock);
	int wait = until <= now ? 0 : (int)((until - now + 999) / 1000);
	curl_multi_poll(r->multi, polled, count, wait, NULL);
	for (unsigned i = 0; i < count; i++)
		if (polled[i].revents)
			session_turn(of[i], (polled[i].revents & ~CURL_WAIT_POLLOUT) != 0);
}

/* False when all is told after stop. */
static bool go_on(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	bool stopping = r->stopping, idle = r->free_count == r->slot_count;
	int64_t stop_by = r->stop_by;
	pthread_mutex_unlock(&r->lock);
	if (!stopping)
		return true;
	if (clock_monotonic() >= stop_by) {
		for (size_t i = 0; i < r->settings.connections; i++)
			if (r->sessions[i].state != SESSION_CLOSED)
				session_break(&r->sessions[i], CURLE_ABORTED_BY_CALLBACK, S("stopped"));
		return_waiting(r);
		take_unwritable(r);
		report(r);
		return false;
	}
	return !idle;
}

static void *run(void *argument)
{
	struct relay *r = argument;
	/* Taking mails is how the relay is tried: the road is up until it is seen to be away. */
	r->events->on_state(r->context, &r->channel, true, S("not tried yet"));
	r->events->on_room(r->context, &r->channel);
	while (go_on(r)) {
		int64_t now = clock_monotonic();
		retry(r, now);
		take_connected(r);
		watch_time(r, now);
		take_unwritable(r);
		report(r);
		if (r->down_now)
			return_waiting(r);
		offer_room(r);
		connect_more(r, now);
		spread(r);
		for (size_t i = 0; i < r->settings.connections; i++)
			session_flush(&r->sessions[i]);
		report(r);
		wait_for_work(r);
	}
	for (size_t i = 0; i < r->settings.connections; i++)
		session_close(&r->sessions[i]);
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------- */

static enum rc start(struct channel *channel, const struct channel_events *events, void *context, struct err *err)
{
	struct relay *r = (struct relay *)channel;
	r->events = events;
	r->context = context;
	r->stopping = false;
	r->up = true; /* until it is seen to be away */
	r->told_up = r->down_now = false;
	r->failures = 0;
	r->retry_wait = r->retry_at = 0;
	int code = pthread_create(&r->thread, NULL, run, r);
	if (code)
		return err_set(err, FAILED, "%s: cannot start a thread: %s", channel->name, strerror(code));
	r->running = true;
	return OK;
}

static void stop(struct channel *channel, int64_t patience)
{
	struct relay *r = (struct relay *)channel;
	if (!r->running)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	r->stop_by = clock_monotonic() + patience;
	pthread_mutex_unlock(&r->lock);
	curl_multi_wakeup(r->multi);
	pthread_join(r->thread, NULL);
	r->running = false;
}

static void free_relay(struct channel *channel)
{
	struct relay *r = (struct relay *)channel;
	stop(channel, 0);
	for (size_t i = 0; r->slots && i < r->slot_count; i++)
		buf_release(&r->slots[i].content);
	for (size_t i = 0; r->sessions && i < r->settings.connections; i++) {
		buf_release(&r->sessions[i].out);
		buf_release(&r->sessions[i].next);
	}
	free(r->slots);
	free(r->sessions);
	if (r->multi)
		curl_multi_cleanup(r->multi);
	pthread_mutex_destroy(&r->lock);
	arena_release(&r->memory);
	free(r);
}

static const struct channel_methods METHODS = { start, stop, capacity, submit, acknowledge, counters, free_relay };

static pthread_once_t curl_made = PTHREAD_ONCE_INIT;

static void make_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool host_valid(struct str host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.ptr[i];
		bool good = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
		if (!good)
			return false;
	}
	return host.len <= 255;
}

static enum rc check_settings(const struct smtp_relay_settings *s, struct err *err)
{
	if (s->name.len == 0 || s->host.len == 0 || s->port == 0 || !host_valid(s->host) || !host_valid(s->helo))
		return err_set(err, INVALID, "a mail relay needs a name, a host and a port");
	if (s->connections < 1 || s->connections > SMTP_CONNECTIONS_MAX)
		return err_set(err, INVALID, "%.*s: connections are 1 to %d", STR_ARG(s->name), SMTP_CONNECTIONS_MAX);
	if (s->connect_within <= 0 || s->answer_within <= 0 || s->retry_first <= 0 || s->retry_most < s->retry_first)
		return err_set(err, INVALID, "%.*s: times must be above zero", STR_ARG(s->name));
	return OK;
}

static void copy_settings(struct relay *r, const struct smtp_relay_settings *from)
{
	struct smtp_relay_settings *s = &r->settings;
	*s = *from;
	s->name = str_copy(&r->memory, from->name);
	s->host = str_copy(&r->memory, from->host);
	s->helo = str_copy(&r->memory, from->helo.len ? from->helo : S("localhost"));
	s->user = str_copy(&r->memory, from->user);
	s->password = str_copy(&r->memory, from->password.len ? from->password : S(""));
	s->ca_file = str_copy(&r->memory, from->ca_file.len ? from->ca_file : S(""));
	/* The path of the address is what libcurl says in EHLO. */
	bool bare_ipv6 = str_find(s->host, S(":"), 0) != SIZE_MAX && !str_starts(s->host, S("["));
	struct buf url;
	buf_init(&url);
	buf_add_str(&url, s->tls == SMTP_TLS_IMPLICIT ? S("smtps://") : S("smtp://"));
	if (bare_ipv6)
		buf_add_char(&url, '[');
	buf_add_str(&url, s->host);
	buf_format(&url, "%s:%u/", bare_ipv6 ? "]" : "", s->port);
	buf_add_str(&url, s->helo);
	r->url = str_c(&r->memory, buf_str(&url));
	buf_release(&url);
}

/* False when memory is out. */
static bool make_slots(struct relay *r)
{
	r->slot_count = r->settings.connections * MAILS_AHEAD;
	r->slots = calloc(r->slot_count, sizeof *r->slots);
	r->sessions = calloc(r->settings.connections, sizeof *r->sessions);
	r->multi = curl_multi_init();
	if (!r->slots || !r->sessions || !r->multi)
		return false;
	r->free_slots = ARENA_NEW_ARRAY(&r->memory, struct mail_slot *, r->slot_count);
	r->waiting = ARENA_NEW_ARRAY(&r->memory, struct mail_slot *, r->slot_count);
	r->unwritable = ARENA_NEW_ARRAY(&r->memory, struct mail_slot *, r->slot_count);
	r->done = ARENA_NEW_ARRAY(&r->memory, struct mail_slot *, r->slot_count);
	for (size_t i = 0; i < r->slot_count; i++) {
		buf_init(&r->slots[i].content);
		r->free_slots[r->free_count++] = &r->slots[i];
	}
	for (size_t i = 0; i < r->settings.connections; i++) {
		r->sessions[i].relay = r;
		r->sessions[i].socket = -1;
		buf_init(&r->sessions[i].out);
		buf_init(&r->sessions[i].next);
	}
	curl_multi_setopt(r->multi, CURLMOPT_MAXCONNECTS, (long)r->settings.connections + 8);
	return true;
}

enum rc smtp_channel_new(const struct smtp_relay_settings *settings, struct channel **out, struct err *err)
{
	enum rc rc = check_settings(settings, err);
	if (rc != OK)
		return rc;
	pthread_once(&curl_made, make_curl);
	struct relay *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(err, FAILED, "out of memory");
	arena_init(&r->memory);
	pthread_mutex_init(&r->lock, NULL);
	copy_settings(r, settings);
	r->channel = (struct channel){ &METHODS, r->settings.name.ptr, CHANNEL_MAIL };
	if (!make_slots(r)) {
		free_relay(&r->channel);
		return err_set(err, FAILED, "%.*s: out of memory", STR_ARG(settings->name));
	}
	*out = &r->channel;
	return OK;
}
