/* The channel's thread tells the events; beside it one worker a connection sends, a mail at a time, over libcurl.
 *
 * Not libcurl's multi interface: it waits for the relay's answer to a whole mail with every other transfer standing
 * (docs/decisions/0020-mail-workers.md). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "adapters/channel/smtp/smtp.h"
#include "kernel/mail/mail.h"

#define CONNECTION_IDLE 60 /* seconds after which a kept connection is not used again: relays close theirs */
#define FAILURES_BEFORE_DOWN 3

enum slot_state {
	SLOT_FREE,
	SLOT_WAITING, /* for its worker */
	SLOT_SENDING, /* the worker's */
	SLOT_DONE,    /* for the channel's thread to report */
	SLOT_REFUSED, /* the same, never sent */
};

struct relay;

/* A mail on its way, and the worker that carries it. */
struct mail_slot {
	struct relay *relay;
	pthread_t worker;
	bool working;          /* the worker was started */
	enum slot_state state; /* guarded by the relay's lock; what follows is its holder's */
	int64_t message;
	struct buf content;
	char from[260], to[260];
	const char *why;       /* REFUSED */
	enum channel_fault fault;
	CURL *easy;
	CURLcode result;
	int socket;            /* of the kept connection, -1: none */
	int64_t deadline;      /* monotonic */
	bool overdue;
	size_t at;             /* bytes given to libcurl */
	bool all_read;         /* all of them: from here on the relay may have the mail */
	int code;              /* of the relay's last reply, 0 before any */
	char reply[400];
	size_t reply_length;
};

struct relay {
	struct channel channel; /* first */
	struct smtp_relay_settings settings;
	struct arena memory;
	const struct channel_events *events;
	void *context;
	pthread_t thread;
	bool running;
	char *url;

	pthread_mutex_t lock;
	pthread_cond_t work;    /* for workers: a slot waits, or the end */
	pthread_cond_t changed; /* for the thread: a slot is done, or the end */
	/* Guarded by lock. */
	struct mail_slot *slots; /* settings.connections */
	size_t outstanding;
	bool up, stopping, ending, wants_room;
	int64_t stop_by;
	struct channel_counters counters;

	atomic_bool give_up;     /* transfers end as soon as libcurl asks */

	/* The thread's own. */
	int64_t retry_at, retry_wait;
	size_t failures;         /* broken connections in a row */
	bool told_up;
	char down_reason[160];
};

struct smtp_relay_settings smtp_relay_defaults(void)
{
	return (struct smtp_relay_settings){
		.port = 25,
		.connections = 4,
		.connect_within = 15 * CLOCK_SECOND,
		.answer_within = 5 * CLOCK_MINUTE,
		.retry_first = CLOCK_SECOND,
		.retry_most = 60 * CLOCK_SECOND,
	};
}

/* --- what the engine calls -------------------------------------------------------------------------------- */

static size_t room_now(const struct relay *r)
{
	return r->up && !r->stopping ? r->settings.connections - r->outstanding : 0;
}

static void take(struct relay *r, const struct channel_message *m)
{
	struct mail_slot *slot = r->slots;
	while (slot->state != SLOT_FREE)
		slot++; /* there is one: the caller saw room */
	slot->message = m->id;
	buf_clear(&slot->content);
	slot->why = smtp_compose(m, &slot->content, &slot->fault);
	slot->state = slot->why ? SLOT_REFUSED : SLOT_WAITING;
	if (slot->why) {
		pthread_cond_signal(&r->changed);
	} else {
		snprintf(slot->from, sizeof slot->from, "%.*s", STR_ARG(m->mail->envelope_from));
		snprintf(slot->to, sizeof slot->to, "%.*s", STR_ARG(m->to));
	}
	r->outstanding++;
	r->counters.submitted++;
	pthread_cond_broadcast(&r->work);
}

static size_t submit(struct channel *channel, const struct channel_message *messages, size_t count)
{
	struct relay *r = (struct relay *)channel;
	size_t taken = 0;
	pthread_mutex_lock(&r->lock);
	while (taken < count && room_now(r) > 0)
		take(r, &messages[taken++]);
	if (taken < count)
		r->wants_room = true;
	pthread_mutex_unlock(&r->lock);
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
	out->window = r->settings.connections;
	out->outstanding = r->outstanding;
	pthread_mutex_unlock(&r->lock);
}

/* --- one mail --------------------------------------------------------------------------------------------- */

static size_t give_content(char *out, size_t size, size_t count, void *context)
{
	struct mail_slot *slot = context;
	size_t most = size * count, left = slot->content.len - slot->at;
	if (left < most)
		most = left;
	memcpy(out, slot->content.ptr + slot->at, most);
	slot->at += most;
	slot->all_read = slot->at == slot->content.len; /* it knows the size and may not ask again */
	return most;
}

/* libcurl passes each line of the relay's replies. The last one is kept, but no longer once the relay has said no: after
 * that libcurl may say QUIT, and the answer to that is no news. */
static size_t take_reply(char *line, size_t size, size_t count, void *context)
{
	struct mail_slot *slot = context;
	size_t length = size * count;
	struct str text = str_trim((struct str){ line, length });
	int64_t code;
	if (slot->code < 400 && text.len >= 3 && str_to_int(str_slice(text, 0, 3), &code) && code >= 200 && code < 600) {
		slot->code = (int)code;
		slot->reply_length = text.len < sizeof slot->reply ? text.len : sizeof slot->reply;
		memcpy(slot->reply, text.ptr, slot->reply_length);
		for (size_t i = 0; i < slot->reply_length; i++)
			if ((unsigned char)slot->reply[i] < ' ' || (unsigned char)slot->reply[i] > '~')
				slot->reply[i] = '?';
	}
	return length;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct mail_slot *slot = context;
	(void)purpose;
	slot->socket = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	return slot->socket;
}

static int close_socket(void *context, curl_socket_t fd)
{
	struct mail_slot *slot = context;
	if (slot->socket == fd)
		slot->socket = -1;
	return close(fd);
}

/* libcurl asks a few times a second, and each second while it waits for the relay. A transfer that is to end loses its
 * socket first, for at its end libcurl says QUIT and would wait for the answer of a relay that gives none. */
static int ask_give_up(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct mail_slot *slot = context;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	slot->overdue = clock_monotonic() >= slot->deadline;
	if (!slot->overdue && !atomic_load(&slot->relay->give_up))
		return 0;
	if (slot->socket >= 0)
		shutdown(slot->socket, SHUT_RDWR);
	return 1;
}

static void set_options(struct mail_slot *slot, struct curl_slist *recipients)
{
	const struct smtp_relay_settings *s = &slot->relay->settings;
	CURL *easy = slot->easy;
	curl_easy_reset(easy); /* keeps the connection */
	curl_easy_setopt(easy, CURLOPT_URL, slot->relay->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* the relay is ours: never by way of another */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, slot->from); /* empty gives <> */
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_content);
	curl_easy_setopt(easy, CURLOPT_READDATA, slot);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_reply);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, ask_give_up);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, slot);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)slot->content.len);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->connect_within / 1000));
	curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(s->answer_within / CLOCK_SECOND + 10)); /* ask_give_up is first */
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, slot);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, slot);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	if (s->tls == SMTP_TLS_REQUIRED)
		curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	if (s->user.len) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, s->user.ptr);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, s->password.ptr);
	}
}

static CURLcode send_mail(struct mail_slot *slot)
{
	slot->at = 0;
	slot->overdue = false;
	slot->deadline = clock_monotonic() + slot->relay->settings.answer_within;
	struct curl_slist *recipients = curl_slist_append(NULL, slot->to);
	if (!slot->easy)
		slot->easy = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	if (slot->easy && recipients) {
		set_options(slot, recipients);
		code = curl_easy_perform(slot->easy);
	}
	curl_slist_free_all(recipients);
	return code;
}

static void *work(void *argument)
{
	struct mail_slot *slot = argument;
	struct relay *r = slot->relay;
	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (slot->state != SLOT_WAITING && !r->ending)
			pthread_cond_wait(&r->work, &r->lock);
		if (slot->state != SLOT_WAITING)
			break;
		slot->state = SLOT_SENDING;
		pthread_mutex_unlock(&r->lock);
		CURLcode result = atomic_load(&r->give_up) ? CURLE_ABORTED_BY_CALLBACK : CURLE_OK;
		slot->code = 0;
		slot->all_read = false;
		slot->reply_length = 0;
		if (result == CURLE_OK)
			result = send_mail(slot);
		pthread_mutex_lock(&r->lock);
		slot->result = result;
		slot->state = SLOT_DONE;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static enum channel_fault fault_of(const struct mail_slot *slot)
{
	struct str reply = { slot->reply, slot->reply_length };
	switch (mail_fault_of(slot->code, S(""), reply)) {
	case MAIL_FAULT_RECIPIENT:
		return CHANNEL_FAULT_RECIPIENT;
	case MAIL_FAULT_TEMPORARY:
		/* RFC 3463, 3.8: X.7.0 to X.7.2 of class 4 are greylisting and pacing. */
		return slot->code / 100 == 4 && str_starts(mail_status_in(reply), S("4.7.")) ? CHANNEL_FAULT_THROTTLE : CHANNEL_FAULT_TEMPORARY;
	case MAIL_FAULT_MESSAGE:
	case MAIL_FAULT_NONE:
		break;
	}
	return CHANNEL_FAULT_MESSAGE;
}

/* What became of a mail. *broken: the connection or the relay failed, not the mail. */
static struct channel_result judge(const struct mail_slot *slot, bool *broken)
{
	CURLcode code = slot->result;
	struct channel_result result = { .message = slot->message, .code = (uint32_t)slot->code, .text = { slot->reply, slot->reply_length } };
	bool negative = slot->code >= 400;
	*broken = false;
	if (code == CURLE_OK) {
		result.outcome = CHANNEL_ACCEPTED;
	} else if (negative && slot->code != 421) {
		result.outcome = CHANNEL_REFUSED;
		result.fault = fault_of(slot);
	} else {
		*broken = true;
		/* A relay that closes (421, RFC 5321, 3.8) has taken nothing. Without a word after the end of the mail nobody knows. */
		bool doubt = slot->all_read && !negative;
		result.outcome = doubt ? CHANNEL_IN_DOUBT : CHANNEL_RETURNED;
		if (!negative)
			result.text = slot->overdue ? S("no answer in time") : str_from(curl_easy_strerror(code));
	}
	return result;
}

/* --- up and down ------------------------------------------------------------------------------------------ */

static void set_up(struct relay *r, bool up)
{
	pthread_mutex_lock(&r->lock);
	r->up = up;
	pthread_mutex_unlock(&r->lock);
}

static void relay_works(struct relay *r)
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

static void relay_fails(struct relay *r, CURLcode code, struct str reason)
{
	/* One connection that the relay closed while it was idle says nothing; a relay that is away says it at once. */
	bool away = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
	if (++r->failures < FAILURES_BEFORE_DOWN && !away)
		return;
	bool first = r->up;
	r->retry_wait = !first ? r->retry_wait : r->retry_wait ? r->retry_wait * 2 : r->settings.retry_first;
	if (r->retry_wait > r->settings.retry_most)
		r->retry_wait = r->settings.retry_most;
	r->retry_at = clock_monotonic() + r->retry_wait + (int64_t)rand_below((uint64_t)r->retry_wait / 5 + 1);
	set_up(r, false);
	if (!first)
		return; /* the other connections' share of the same failure */
	r->told_up = false;
	if (strncmp(r->down_reason, reason.ptr ? reason.ptr : "", sizeof r->down_reason - 1) != 0) {
		snprintf(r->down_reason, sizeof r->down_reason, "%.*s", STR_ARG(reason));
		log_warn("smtp_down", LOGC("relay", r->channel.name), LOGC("reason", r->down_reason));
	}
	r->events->on_state(r->context, &r->channel, false, reason);
}

/* --- the thread ------------------------------------------------------------------------------------------- */

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

/* Frees the slot, then tells: the event may submit the next mail at once. The texts of the result are copied first. */
static void report(struct relay *r, struct mail_slot *slot, struct channel_result result)
{
	char text[sizeof slot->reply];
	size_t length = result.text.len < sizeof text ? result.text.len : sizeof text;
	if (length)
		memcpy(text, result.text.ptr, length);
	result.text = (struct str){ text, length };
	pthread_mutex_lock(&r->lock);
	slot->state = SLOT_FREE;
	r->outstanding--;
	count_result(r, &result);
	pthread_mutex_unlock(&r->lock);
	r->events->on_results(r->context, &r->channel, &result, 1);
}

static void finish(struct relay *r, struct mail_slot *slot)
{
	bool broken;
	struct channel_result result = judge(slot, &broken);
	/* State first: a mail that comes back must not be offered to a relay known to be away. */
	if (!broken)
		relay_works(r);
	else if (!atomic_load(&r->give_up))
		relay_fails(r, slot->result, result.text);
	report(r, slot, result);
}

static void collect_finished(struct relay *r)
{
	for (size_t i = 0; i < r->settings.connections; i++) {
		struct mail_slot *slot = &r->slots[i];
		pthread_mutex_lock(&r->lock);
		enum slot_state state = slot->state;
		pthread_mutex_unlock(&r->lock);
		if (state == SLOT_DONE)
			finish(r, slot);
		else if (state == SLOT_REFUSED)
			report(r, slot, (struct channel_result){ .message = slot->message, .part = CHANNEL_WHOLE_MESSAGE, .outcome = CHANNEL_REFUSED,
			                                         .fault = slot->fault, .text = str_from(slot->why) });
	}
}

/* Tries the relay again when its time has come: taking mails is how it is tried. */
static void retry(struct relay *r, int64_t now)
{
	pthread_mutex_lock(&r->lock);
	bool again = !r->up && now >= r->retry_at;
	if (again) {
		r->up = true;
		r->wants_room = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (again)
		r->events->on_state(r->context, &r->channel, true, S("to be tried again"));
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

/* Sleeps until a slot is done, a relay that is away is to be tried, or the end. False when all is told after stop. */
static bool wait_for_work(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	bool done = false;
	for (size_t i = 0; i < r->settings.connections; i++)
		done = done || r->slots[i].state == SLOT_DONE || r->slots[i].state == SLOT_REFUSED;
	int64_t until = clock_monotonic() + CLOCK_SECOND;
	if (!r->up && r->retry_at < until)
		until = r->retry_at;
	if (r->stopping && r->stop_by < until)
		until = r->stop_by;
	struct timespec at = { .tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND * 1000 };
	if (!done && !(r->stopping && r->outstanding == 0))
		pthread_cond_timedwait(&r->changed, &r->lock, &at);
	if (r->stopping && clock_monotonic() >= r->stop_by)
		atomic_store(&r->give_up, true);
	bool more = !r->stopping || r->outstanding > 0;
	pthread_mutex_unlock(&r->lock);
	return more;
}

static void *run(void *argument)
{
	struct relay *r = argument;
	/* Taking mails is how the relay is tried: the road is up until it is seen to be away. */
	r->events->on_state(r->context, &r->channel, true, S("not tried yet"));
	r->events->on_room(r->context, &r->channel);
	do {
		retry(r, clock_monotonic());
		offer_room(r);
		collect_finished(r);
	} while (wait_for_work(r));
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------- */

/* Says QUIT, but does not wait for the answer as libcurl would: the relay may hang. */
static void close_connection(const struct relay *r, struct mail_slot *slot)
{
	if (slot->socket >= 0 && r->settings.tls == SMTP_TLS_NONE) {
		ssize_t ignored = send(slot->socket, "QUIT\r\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)ignored;
	}
	if (slot->socket >= 0)
		shutdown(slot->socket, SHUT_RDWR);
	if (slot->easy)
		curl_easy_cleanup(slot->easy);
	slot->easy = NULL;
}

static void end_workers(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_broadcast(&r->work);
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < r->settings.connections; i++) {
		if (r->slots[i].working)
			pthread_join(r->slots[i].worker, NULL);
		r->slots[i].working = false;
		close_connection(r, &r->slots[i]);
	}
}

static enum rc start(struct channel *channel, const struct channel_events *events, void *context, struct err *err)
{
	struct relay *r = (struct relay *)channel;
	r->events = events;
	r->context = context;
	r->stopping = r->ending = false;
	r->up = true; /* until it is seen to be away */
	r->told_up = false;
	r->failures = 0;
	r->retry_wait = 0;
	atomic_store(&r->give_up, false);
	int code = 0;
	for (size_t i = 0; i < r->settings.connections && code == 0; i++) {
		code = pthread_create(&r->slots[i].worker, NULL, work, &r->slots[i]);
		r->slots[i].working = code == 0;
	}
	if (code == 0)
		code = pthread_create(&r->thread, NULL, run, r);
	if (code) {
		end_workers(r);
		return err_set(err, FAILED, "%s: cannot start a thread: %s", channel->name, strerror(code));
	}
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
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	end_workers(r);
	r->running = false;
}

static void free_relay(struct channel *channel)
{
	struct relay *r = (struct relay *)channel;
	stop(channel, 0);
	for (size_t i = 0; r->slots && i < r->settings.connections; i++)
		buf_release(&r->slots[i].content);
	free(r->slots);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->work);
	pthread_cond_destroy(&r->changed);
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
	/* The path of the address is what libcurl says in EHLO. */
	bool bare_ipv6 = str_find(s->host, S(":"), 0) != SIZE_MAX && !str_starts(s->host, S("["));
	struct buf url;
	buf_init(&url);
	buf_add_str(&url, bare_ipv6 ? S("smtp://[") : S("smtp://"));
	buf_add_str(&url, s->host);
	buf_format(&url, "%s:%u/", bare_ipv6 ? "]" : "", s->port);
	buf_add_str(&url, s->helo);
	r->url = str_c(&r->memory, buf_str(&url));
	buf_release(&url);
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
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	pthread_cond_init(&r->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	copy_settings(r, settings);
	r->channel = (struct channel){ &METHODS, r->settings.name.ptr, CHANNEL_MAIL };
	r->slots = calloc(settings->connections, sizeof *r->slots);
	if (!r->slots) {
		free_relay(&r->channel);
		return err_set(err, FAILED, "%.*s: out of memory", STR_ARG(settings->name));
	}
	for (size_t i = 0; i < settings->connections; i++) {
		r->slots[i].relay = r;
		r->slots[i].socket = -1;
		buf_init(&r->slots[i].content);
	}
	*out = &r->channel;
	return OK;
}
