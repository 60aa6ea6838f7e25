/* The simulated SMS centre: listens, accepts any bind, one thread with poll. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/simulator/smsc.h"

#define ENQUIRIES_MOST 3 /* unanswered before the centre cuts */

static void take_bind(struct smsc *smsc, struct connection *c, const struct smpp_pdu *pdu)
{
	if (smsc->bind_fail != smsc->faults.bind_fail) {
		smsc->bind_fail = smsc->faults.bind_fail;
		smsc->binds_failed = 0;
	}
	bool fails = smsc->binds_failed < smsc->bind_fail;
	if (smsc->faults.refuse_bind || c->bound || fails) {
		uint32_t status = c->bound ? SMPP_RALYBND : fails ? SMPP_RBINDFAIL : (uint32_t)smsc->faults.refuse_bind;
		smsc->binds_failed += fails;
		smpp_put_bind_response(&c->out, pdu->command, status, pdu->sequence, S(""));
		return;
	}
	c->bound = true;
	c->sends = pdu->command != SMPP_BIND_RECEIVER;
	c->receives = pdu->command != SMPP_BIND_TRANSMITTER;
	store_bump(smsc->store, COUNT_BINDS, 1);
	smpp_put_bind_response(&c->out, pdu->command, SMPP_ROK, pdu->sequence, S("simulator"));
}

static void take_pdu(struct smsc *smsc, struct connection *c, struct str frame)
{
	struct smpp_pdu pdu;
	uint32_t status = smpp_decode(frame, &pdu);
	if (status != SMPP_ROK) {
		if (!(pdu.command & SMPP_RESPONSE))
			smpp_put_empty(&c->out, SMPP_GENERIC_NACK, status, pdu.sequence);
		return;
	}
	switch (pdu.command) {
	case SMPP_BIND_RECEIVER:
	case SMPP_BIND_TRANSMITTER:
	case SMPP_BIND_TRANSCEIVER:
		take_bind(smsc, c, &pdu);
		break;
	case SMPP_SUBMIT_SM:
	case SMPP_DATA_SM:
		smsc_submit(smsc, c, &pdu);
		break;
	case SMPP_DELIVER_SM | SMPP_RESPONSE:
		smsc_delivered(smsc, c, &pdu);
		break;
	case SMPP_ENQUIRE_LINK:
		store_bump(smsc->store, COUNT_ENQUIRIES, 1);
		smpp_put_empty(&c->out, SMPP_ENQUIRE_LINK | SMPP_RESPONSE, SMPP_ROK, pdu.sequence);
		break;
	case SMPP_ENQUIRE_LINK | SMPP_RESPONSE:
		c->enquiries = 0;
		break;
	case SMPP_UNBIND:
		c->bound = false;
		smpp_put_empty(&c->out, SMPP_UNBIND | SMPP_RESPONSE, SMPP_ROK, pdu.sequence);
		break;
	default:
		break; /* answers to nothing we keep */
	}
}

static void open_connection(struct smsc *smsc)
{
	int fd = accept4(smsc->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	bool taken = smsc->connection_count < SMSC_CONNECTIONS_MAX && clock_monotonic() >= smsc->down_until;
	struct connection *c = taken ? calloc(1, sizeof *c) : NULL;
	if (!c) {
		close(fd);
		return;
	}
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c->fd = fd;
	buf_init(&c->in);
	buf_init(&c->out);
	c->number = ++smsc->next_connection;
	smsc->connections[smsc->connection_count++] = c;
	store_bump(smsc->store, COUNT_CONNECTIONS, 1);
}

static void close_connection(struct smsc *smsc, size_t index)
{
	struct connection *c = smsc->connections[index];
	smsc_requeue(smsc, c);
	close(c->fd);
	buf_release(&c->in);
	buf_release(&c->out);
	free(c->delayed);
	free(c);
	smsc->connections[index] = smsc->connections[--smsc->connection_count];
}

/* Reads once and handles what is whole. False when the connection is at its end. */
static bool read_connection(struct smsc *smsc, struct connection *c)
{
	buf_reserve(&c->in, SMSC_READ_SIZE - c->in.len);
	ssize_t n = recv(c->fd, c->in.ptr + c->in.len, SMSC_READ_SIZE - c->in.len, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c->in.len += (size_t)n;
	struct str rest = buf_str(&c->in), frame;
	enum smpp_frame state;
	while ((state = smpp_frame(rest, &frame)) == SMPP_FRAME_WHOLE && !c->closing) {
		take_pdu(smsc, c, frame);
		rest = str_slice(rest, frame.len, rest.len);
	}
	buf_consume(&c->in, c->in.len - rest.len);
	return state != SMPP_FRAME_BAD;
}

static bool write_connection(struct connection *c)
{
	while (c->out_at < c->out.len) {
		ssize_t n = send(c->fd, c->out.ptr + c->out_at, c->out.len - c->out_at, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->out_at += (size_t)n;
	}
	buf_clear(&c->out);
	c->out_at = 0;
	return true;
}

/* Writes what is due on every connection, closes those at their end; returns when the next answer is due. */
static int64_t serve_connections(struct smsc *smsc, int64_t now)
{
	int64_t next = INT64_MAX;
	for (size_t i = smsc->connection_count; i-- > 0;) {
		struct connection *c = smsc->connections[i];
		int64_t due = smsc_release_answers(c, now);
		if (due < next)
			next = due;
		int64_t every = smsc->faults.enquire_ms * 1000;
		if (every && c->bound && now >= c->enquire_at) {
			if (c->enquiries++ == ENQUIRIES_MOST)
				c->closing = true;
			c->enquire_at = now + every;
			smpp_put_empty(&c->out, SMPP_ENQUIRE_LINK, SMPP_ROK, c->sequence = c->sequence == SMPP_SEQUENCE_MAX ? 1 : c->sequence + 1);
		}
		if (every && c->bound && c->enquire_at < next)
			next = c->enquire_at;
		if (!write_connection(c) || c->closing)
			close_connection(smsc, i);
	}
	return next;
}

static void wait_and_read(struct smsc *smsc, int64_t next)
{
	struct pollfd polled[SMSC_CONNECTIONS_MAX + 2] = { { .fd = smsc->listener, .events = POLLIN }, { .fd = smsc->wake, .events = POLLIN } };
	size_t count = smsc->connection_count;
	for (size_t i = 0; i < count; i++) {
		const struct connection *c = smsc->connections[i];
		polled[i + 2] = (struct pollfd){ .fd = c->fd, .events = (short)(POLLIN | (c->out_at < c->out.len ? POLLOUT : 0)) };
	}
	int64_t wait = next == INT64_MAX ? 1000 : (next - clock_monotonic() + 999) / 1000;
	if (poll(polled, (nfds_t)count + 2, wait < 0 ? 0 : wait > 1000 ? 1000 : (int)wait) <= 0)
		return;
	smsc->faults = simulator_faults(smsc->simulator); /* after the sleep: a change counts for what comes after it */
	if (polled[1].revents) {
		uint64_t value;
		ssize_t ignored = read(smsc->wake, &value, sizeof value);
		(void)ignored;
	}
	for (size_t i = count; i-- > 0;)
		if ((polled[i + 2].revents & (POLLIN | POLLHUP | POLLERR)) && !read_connection(smsc, smsc->connections[i]))
			close_connection(smsc, i);
	if (polled[0].revents)
		open_connection(smsc);
}

static void *run(void *argument)
{
	struct smsc *smsc = argument;
	for (;;) {
		pthread_mutex_lock(&smsc->lock);
		bool stop = smsc->stopping;
		pthread_mutex_unlock(&smsc->lock);
		if (stop)
			return NULL;
		int64_t now = clock_monotonic();
		if (now < smsc->stalled_until) { /* nothing is read, answered or sent: the line is open and dead */
			usleep(1000);
			continue;
		}
		int64_t deliveries = smsc_deliver(smsc, now);
		int64_t answers = serve_connections(smsc, now);
		arena_clear(&smsc->scratch);
		wait_and_read(smsc, deliveries < answers ? deliveries : answers);
	}
}

enum rc smsc_start(struct simulator *simulator, struct err *err)
{
	struct smsc *smsc = calloc(1, sizeof *smsc);
	if (!smsc)
		return err_set(err, FAILED, "out of memory");
	smsc->simulator = simulator;
	smsc->store = simulator->store;
	smsc->next_id = UINT64_C(281605133);
	arena_init(&smsc->scratch);
	pthread_mutex_init(&smsc->lock, NULL);
	smsc->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	smsc->listener = simulator_listen(simulator->options.smpp_port, &simulator->smpp_port);
	simulator->smsc = smsc;
	if (smsc->listener < 0 || smsc->wake < 0 || pthread_create(&smsc->thread, NULL, run, smsc) != 0) {
		enum rc rc = err_set(err, FAILED, "SMPP port %u: %s", simulator->options.smpp_port, strerror(errno));
		if (smsc->listener >= 0)
			close(smsc->listener);
		if (smsc->wake >= 0)
			close(smsc->wake);
		free(smsc);
		simulator->smsc = NULL;
		return rc;
	}
	return OK;
}

void smsc_stop(struct smsc *smsc)
{
	if (!smsc)
		return;
	uint64_t one = 1;
	pthread_mutex_lock(&smsc->lock);
	smsc->stopping = true;
	pthread_mutex_unlock(&smsc->lock);
	ssize_t ignored = write(smsc->wake, &one, sizeof one);
	(void)ignored;
	pthread_join(smsc->thread, NULL);
	while (smsc->connection_count)
		close_connection(smsc, 0);
	close(smsc->listener);
	close(smsc->wake);
	smsc_deliveries_free(&smsc->fresh);
	smsc_deliveries_free(&smsc->retry);
	smsc_deliveries_free(&smsc->from_phones);
	smsc_assemblies_free(smsc);
	arena_release(&smsc->scratch);
	pthread_mutex_destroy(&smsc->lock);
	free(smsc);
}
