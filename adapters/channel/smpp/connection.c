/* The route's thread: one loop over one socket and one eventfd. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/channel/smpp/route.h"

_Thread_local struct smpp_route *smpp_route_here;

/* --- events ----------------------------------------------------------------------------------------------- */

void smpp_route_flush(struct smpp_route *r)
{
	if (r->announce_up) {
		r->announce_up = false;
		r->reason[0] = 0;
		log_info("smpp_up", LOGC("route", r->channel.name));
		r->events->on_state(r->context, &r->channel, true, S("bound"));
	}
	/* Results before receipts: a carrier may send both in one piece, and a receipt should find its message. */
	size_t results = r->result_count, receipts = r->receipt_count, incoming = r->incoming_count;
	r->result_count = r->receipt_count = r->incoming_count = 0;
	if (results)
		r->events->on_results(r->context, &r->channel, r->results, results);
	if (receipts)
		r->events->on_receipts(r->context, &r->channel, r->receipts, receipts);
	if (incoming)
		r->events->on_incoming(r->context, &r->channel, r->incoming, incoming);
	arena_clear(&r->batch);
}

static void flush_refusals(struct smpp_route *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->refusal_count > 0 && r->result_count < ROUTE_BATCH) {
		const struct refusal *refusal = &r->refusals[--r->refusal_count];
		r->outstanding--;
		r->counters.refused++;
		r->results[r->result_count++] = (struct channel_result){
			.message = refusal->message,
			.part = CHANNEL_WHOLE_MESSAGE,
			.outcome = CHANNEL_REFUSED,
			.fault = refusal->fault,
			.text = str_from(refusal->why),
		};
	}
	pthread_mutex_unlock(&r->lock);
	smpp_route_flush(r);
}

static void tell_down(struct smpp_route *r, const char *reason)
{
	/* A carrier that is away for hours is said once, not each minute. */
	if (strcmp(r->reason, reason) != 0) {
		snprintf(r->reason, sizeof r->reason, "%s", reason);
		log_warn("smpp_down", LOGC("route", r->channel.name), LOGC("reason", reason));
	}
	r->events->on_state(r->context, &r->channel, false, str_from(reason));
}

/* --- connecting ------------------------------------------------------------------------------------------- */

static void wait_before_retry(struct smpp_route *r, int64_t now)
{
	r->retry_wait = r->retry_wait ? r->retry_wait * 2 : r->settings.retry_first;
	if (r->retry_wait > r->settings.retry_most)
		r->retry_wait = r->settings.retry_most;
	/* Up to a fifth more, so that many routes cut at once do not come back at once. */
	r->retry_at = now + r->retry_wait + (int64_t)rand_below((uint64_t)r->retry_wait / 5 + 1);
}

static void drop_addresses(struct smpp_route *r)
{
	if (r->addresses)
		freeaddrinfo(r->addresses);
	r->addresses = r->address = NULL;
}

/* Ends the connection, reports everything that was on it, and sets when to try again. */
static void disconnect(struct smpp_route *r, const char *reason)
{
	transport_close(&r->line);
	r->state = ROUTE_DOWN;
	r->close_reason = NULL;
	pthread_mutex_lock(&r->lock);
	r->up = false;
	r->announce_up = false;
	r->generation++;
	r->generation &= 0x7fffffff;
	buf_clear(&r->staged);
	buf_clear(&r->replies);
	while (!smpp_slot_abandon(r, r->written)) {
		pthread_mutex_unlock(&r->lock);
		smpp_route_flush(r);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	smpp_route_flush(r);
	flush_refusals(r);
	buf_clear(&r->in);
	buf_clear(&r->out);
	r->out_at = 0;
	drop_addresses(r);
	wait_before_retry(r, clock_monotonic());
	tell_down(r, reason);
}

/* Why reading or writing failed. */
static const char *line_failure(struct smpp_route *r)
{
	return r->line.failure[0] ? r->line.failure : strerror(errno);
}

/* Tries the next address of the host; false when none is left. */
static bool connect_next(struct smpp_route *r, int64_t now)
{
	for (; r->address; r->address = r->address->ai_next) {
		int fd = socket(r->address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		/* Carriers delay their ACKs: with Nagle's algorithm each small batch would wait for one. */
		int on = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (connect(fd, r->address->ai_addr, r->address->ai_addrlen) == 0 || errno == EINPROGRESS) {
			r->address = r->address->ai_next;
			r->line.fd = fd;
			r->state = ROUTE_CONNECTING;
			r->deadline = now + r->settings.connect_within;
			return true;
		}
		close(fd);
	}
	return false;
}

static void start_connecting(struct smpp_route *r, int64_t now)
{
	char port[8];
	snprintf(port, sizeof port, "%u", r->settings.port);
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	int code = getaddrinfo(r->settings.host.ptr, port, &hints, &r->addresses);
	if (code) {
		r->addresses = NULL;
		disconnect(r, gai_strerror(code));
		return;
	}
	r->address = r->addresses;
	if (!connect_next(r, now))
		disconnect(r, strerror(errno));
}

static void start_binding(struct smpp_route *r, int64_t now)
{
	const struct smpp_route_settings *s = &r->settings;
	struct smpp_bind bind = { s->system_id, s->password, s->system_type, SMPP_VERSION, { 0, 0, S("") } };
	pthread_mutex_lock(&r->lock);
	uint32_t sequence = smpp_slot_sequence(smpp_slot_serial(r));
	pthread_mutex_unlock(&r->lock);
	static const uint32_t commands[] = { [SMPP_ROUTE_TRANSCEIVER] = SMPP_BIND_TRANSCEIVER,
		                             [SMPP_ROUTE_TRANSMITTER] = SMPP_BIND_TRANSMITTER,
		                             [SMPP_ROUTE_RECEIVER] = SMPP_BIND_RECEIVER };
	smpp_put_bind(&r->out, commands[s->bind], sequence, &bind);
	r->queued = r->out.len;
	r->written = 0;
	r->state = ROUTE_BINDING;
	r->deadline = now + s->connect_within;
	r->heard_at = now;
}

/* Goes on with the TLS handshake. */
static void secure(struct smpp_route *r, int64_t now)
{
	enum transport_handshake state = transport_handshake(&r->line);
	if (state == TRANSPORT_READY)
		start_binding(r, now);
	else if (state == TRANSPORT_FAILED)
		disconnect(r, r->line.failure);
}

static void connected(struct smpp_route *r, int64_t now)
{
	int code = 0;
	socklen_t size = sizeof code;
	getsockopt(r->line.fd, SOL_SOCKET, SO_ERROR, &code, &size);
	if (code) {
		transport_close(&r->line);
		if (!connect_next(r, now))
			disconnect(r, strerror(code));
		return;
	}
	drop_addresses(r);
	if (!transport_open(&r->line, r->line.fd, r->tls)) {
		disconnect(r, "TLS cannot be set up");
		return;
	}
	if (!r->tls) {
		start_binding(r, now);
		return;
	}
	r->state = ROUTE_SECURING;
	r->deadline = now + r->settings.connect_within;
	secure(r, now);
}

/* --- reading and writing ---------------------------------------------------------------------------------- */

static uint32_t load_u32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Moves what was submitted into the output, as far as the window lets it (a message of more parts than the window is
 * staged whole). With the lock held. */
static void move_staged(struct smpp_route *r, int64_t now)
{
	size_t at = 0;
	while (at < r->staged.len && r->in_flight < r->settings.window) {
		size_t length = load_u32(r->staged.ptr + at);
		uint32_t sequence = load_u32(r->staged.ptr + at + 12);
		struct smpp_slot *slot = &r->slots[sequence & r->mask];
		at += length;
		slot->state = SLOT_SENT;
		slot->sent_at = now;
		slot->end = r->queued + at;
		r->in_flight++;
	}
	if (at == 0)
		return;
	buf_add(&r->out, r->staged.ptr, at);
	r->queued += at;
	buf_consume(&r->staged, at);
}

static void gather_output(struct smpp_route *r, int64_t now)
{
	pthread_mutex_lock(&r->lock);
	if (r->state == ROUTE_UP || r->state == ROUTE_CLOSING) {
		buf_add(&r->out, r->replies.ptr, r->replies.len);
		r->queued += r->replies.len;
		buf_clear(&r->replies);
	}
	if (r->state == ROUTE_UP && r->out.len - r->out_at < ROUTE_WRITE_HIGH)
		move_staged(r, now);
	pthread_mutex_unlock(&r->lock);
}

/* Writes as much as the socket takes. False when the connection is broken. */
static bool write_output(struct smpp_route *r)
{
	while (r->out_at < r->out.len) {
		ssize_t n = transport_send(&r->line, r->out.ptr + r->out_at, r->out.len - r->out_at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		r->out_at += (size_t)n;
		r->written += (uint64_t)n;
	}
	buf_clear(&r->out);
	r->out_at = 0;
	return true;
}

/* Cuts PDUs from the input and handles them. False when the stream cannot be followed. */
static bool take_input(struct smpp_route *r, int64_t now)
{
	struct str rest = buf_str(&r->in);
	struct str pdu;
	enum smpp_frame frame = SMPP_FRAME_MORE;
	bool more = true;
	while (more) {
		pthread_mutex_lock(&r->lock);
		while ((frame = smpp_frame(rest, &pdu)) == SMPP_FRAME_WHOLE && answer_pdu(r, pdu, now))
			rest = str_slice(rest, pdu.len, rest.len);
		more = frame == SMPP_FRAME_WHOLE; /* a batch is full */
		pthread_mutex_unlock(&r->lock);
		smpp_route_flush(r);
	}
	buf_consume(&r->in, r->in.len - rest.len);
	return frame != SMPP_FRAME_BAD;
}

/* Reads once. Returns NULL, or why the connection is at its end. */
static const char *read_input(struct smpp_route *r, int64_t now)
{
	buf_reserve(&r->in, ROUTE_READ_SIZE - r->in.len);
	ssize_t n = transport_receive(&r->line, r->in.ptr + r->in.len, ROUTE_READ_SIZE - r->in.len);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? NULL : line_failure(r);
	if (n == 0)
		return r->state == ROUTE_CLOSING ? "unbound" : "closed by the carrier";
	r->in.len += (size_t)n;
	r->heard_at = now;
	if (!take_input(r, now))
		return "the carrier's bytes are no SMPP";
	return r->close_reason;
}

/* --- timers ----------------------------------------------------------------------------------------------- */

static void send_empty(struct smpp_route *r, uint32_t command)
{
	pthread_mutex_lock(&r->lock);
	uint32_t sequence = smpp_slot_sequence(smpp_slot_serial(r));
	pthread_mutex_unlock(&r->lock);
	size_t before = r->out.len;
	smpp_put_empty(&r->out, command, SMPP_ROK, sequence);
	r->queued += r->out.len - before;
}

/* Reports parts without an answer; returns when the next one is due. */
static int64_t expire(struct smpp_route *r, int64_t now)
{
	int64_t due;
	bool full;
	do {
		pthread_mutex_lock(&r->lock);
		due = smpp_slot_expire(r, now);
		full = r->result_count == ROUTE_BATCH;
		pthread_mutex_unlock(&r->lock);
		smpp_route_flush(r);
	} while (full);
	return due;
}

/* What time demands in this state; *next is when to look again. Returns why to disconnect, or NULL. */
static const char *run_timers(struct smpp_route *r, int64_t now, int64_t *next)
{
	switch (r->state) {
	case ROUTE_DOWN:
		*next = r->retry_at;
		return NULL;
	case ROUTE_CONNECTING:
	case ROUTE_SECURING:
	case ROUTE_BINDING:
		*next = r->deadline;
		return now < r->deadline           ? NULL
		       : r->state == ROUTE_BINDING ? "no answer to the bind"
		                                   : "connecting took too long";
	case ROUTE_UP: {
		/* Any byte shows that the line lives, not only the answer to enquire_link. */
		int64_t dead_at = r->heard_at + 2 * r->settings.enquire_every;
		if (now >= dead_at)
			return "nothing heard from the carrier";
		if (now >= r->enquire_at) {
			send_empty(r, SMPP_ENQUIRE_LINK);
			r->enquire_at = now + r->settings.enquire_every;
		}
		int64_t due = expire(r, now);
		*next = due < r->enquire_at ? due : r->enquire_at;
		if (dead_at < *next)
			*next = dead_at;
		return NULL;
	}
	case ROUTE_CLOSING:
		expire(r, now);
		*next = r->deadline;
		return now < r->deadline ? NULL : "unbound";
	}
	return NULL;
}

/* Tells the engine that there is room, if it wants to know; else sets when there will be. */
static void offer_room(struct smpp_route *r, int64_t now, int64_t *next)
{
	bool room = false;
	pthread_mutex_lock(&r->lock);
	if (r->wants_room && r->up && !r->stopping && r->outstanding < r->settings.window) {
		int64_t ready = pacing_ready(&r->pacing, now);
		room = ready <= now;
		if (room)
			r->wants_room = false;
		else if (ready < *next)
			*next = ready;
	}
	pthread_mutex_unlock(&r->lock);
	if (room)
		r->events->on_room(r->context, &r->channel);
}

/* Moves towards the end once channel_stop was called. True when the thread may end. */
static bool stopping(struct smpp_route *r, int64_t now, int64_t *next)
{
	pthread_mutex_lock(&r->lock);
	bool stop = r->stopping;
	bool waiting = r->outstanding > 0 && now < r->stop_by;
	int64_t stop_by = r->stop_by;
	pthread_mutex_unlock(&r->lock);
	if (!stop)
		return false;
	if (r->state == ROUTE_UP && waiting) {
		if (stop_by < *next)
			*next = stop_by;
		return false;
	}
	if (r->state == ROUTE_UP) {
		send_empty(r, SMPP_UNBIND);
		r->state = ROUTE_CLOSING;
		r->deadline = now + ROUTE_CLOSE_WITHIN;
		*next = r->deadline;
		return false;
	}
	if (r->state == ROUTE_CLOSING)
		return false;
	if (r->state != ROUTE_DOWN)
		disconnect(r, "stopped");
	return true;
}

/* --- the loop --------------------------------------------------------------------------------------------- */

static bool staged_now(struct smpp_route *r)
{
	pthread_mutex_lock(&r->lock);
	bool staged = (r->staged.len > 0 && r->in_flight < r->settings.window) || r->replies.len > 0 || r->refusal_count > 0;
	pthread_mutex_unlock(&r->lock);
	return staged && r->state == ROUTE_UP && r->out.len - r->out_at < ROUTE_WRITE_HIGH;
}

/* Sleeps until something can be done, and does what the socket allows. Returns why to disconnect, or NULL. */
static const char *wait_and_read(struct smpp_route *r, int64_t now, int64_t next)
{
	struct pollfd polled[2] = { { .fd = r->wake, .events = POLLIN }, { .fd = r->line.fd } };
	bool writing = r->out_at < r->out.len || r->state == ROUTE_CONNECTING || r->line.wants_write;
	bool reading = r->state != ROUTE_CONNECTING && r->out.len - r->out_at < ROUTE_WRITE_HIGH;
	bool pending = reading && transport_has_pending(&r->line);
	polled[1].events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0));
	int64_t wait = staged_now(r) || pending ? 0 : next - now;
	int milliseconds = wait <= 0 ? 0 : wait > 3600 * CLOCK_SECOND ? 3600000 : (int)((wait + 999) / 1000);
	if (poll(polled, r->line.fd >= 0 ? 2 : 1, milliseconds) < 0)
		return errno == EINTR ? NULL : strerror(errno);
	now = clock_monotonic();
	if (polled[0].revents) {
		uint64_t count;
		ssize_t ignored = read(r->wake, &count, sizeof count);
		(void)ignored;
	}
	if (r->line.fd < 0 || (!polled[1].revents && !pending))
		return NULL;
	if (r->state == ROUTE_CONNECTING) {
		connected(r, now);
		return NULL;
	}
	if (r->state == ROUTE_SECURING) {
		secure(r, now);
		return NULL;
	}
	if (pending || polled[1].revents & (POLLIN | POLLHUP | POLLERR) || (r->line.wants_write && polled[1].revents & POLLOUT))
		return read_input(r, now);
	return NULL;
}

void *smpp_route_run(void *argument)
{
	struct smpp_route *r = argument;
	smpp_route_here = r;
	/* TLS writes without MSG_NOSIGNAL; a broken line is an error here, no signal. */
	sigset_t pipe;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	for (;;) {
		int64_t now = clock_monotonic();
		int64_t next = INT64_MAX;
		if (r->state == ROUTE_DOWN && now >= r->retry_at) {
			pthread_mutex_lock(&r->lock);
			bool stop = r->stopping;
			pthread_mutex_unlock(&r->lock);
			if (!stop)
				start_connecting(r, now);
		}
		const char *failed = run_timers(r, now, &next);
		if (!failed) {
			flush_refusals(r);
			offer_room(r, now, &next);
			if (stopping(r, now, &next))
				return NULL;
			if (r->line.fd >= 0 && r->state != ROUTE_CONNECTING && r->state != ROUTE_SECURING) {
				gather_output(r, now);
				if (!write_output(r))
					failed = line_failure(r);
			}
		}
		if (!failed)
			failed = wait_and_read(r, now, next);
		if (failed)
			disconnect(r, failed);
	}
}
