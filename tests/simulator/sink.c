/* The simulated mail relay: takes every mail for every mailbox, or fails as it is told to. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/simulator/simulator.h"

#define SINK_CONNECTIONS_MAX 128
#define SINK_READ_SIZE 65536
#define SINK_LINE_MAX 2048            /* RFC 5321, 4.5.3.1.4 says 512 */
#define SINK_MAIL_MAX (16u << 20)
#define SINK_RECIPIENTS_MAX 100

struct session {
	int fd;
	bool in_data, closing;
	int64_t answer_at;       /* an answer to DATA waits until then; 0: none waits */
	const char *answer;
	struct buf in, out, mail;
	size_t out_at;
	struct arena memory;     /* of one transaction */
	struct str from;         /* none before MAIL */
	struct str recipients[SINK_RECIPIENTS_MAX];
	size_t recipient_count;
};

struct sink {
	struct simulator *simulator;
	struct store *store;
	pthread_t thread;
	int listener, wake;
	struct session *sessions[SINK_CONNECTIONS_MAX];
	size_t session_count;
	struct faults faults;
	pthread_mutex_t lock; /* guards: */
	bool stopping;
};

static void reply(struct session *s, const char *line)
{
	buf_add_str(&s->out, str_from(line));
	buf_add_str(&s->out, S("\r\n"));
}

static void reset(struct session *s)
{
	s->from = STR_NONE;
	s->recipient_count = 0;
	buf_clear(&s->mail);
	arena_clear(&s->memory);
}

/* The path between < and >, without source route. */
static bool read_path(struct str line, struct str *out)
{
	size_t open = str_find(line, S("<"), 0), end = str_find(line, S(">"), 0);
	if (open == SIZE_MAX || end == SIZE_MAX || end < open)
		return false;
	*out = str_slice(line, open + 1, end);
	return out->len <= 320;
}

static void take_mail_from(struct session *s, struct str line)
{
	struct str path;
	reset(s);
	if (!read_path(line, &path)) {
		reply(s, "501 5.1.7 bad sender");
		return;
	}
	s->from = str_copy(&s->memory, path);
	reply(s, "250 2.1.0 sender ok");
}

/* Local parts that fail always, so that a person may try it: no-such-user@..., full@... */
static void take_recipient(struct session *s, struct str line)
{
	struct str path;
	if (str_is_none(s->from)) {
		reply(s, "503 5.5.1 MAIL first");
	} else if (!read_path(line, &path) || str_find(path, S("@"), 0) == SIZE_MAX) {
		reply(s, "501 5.1.3 bad recipient");
	} else if (str_starts(path, S("no-such-user"))) {
		reply(s, "550 5.1.1 no such user");
	} else if (str_starts(path, S("full@"))) {
		reply(s, "452 4.2.2 mailbox full");
	} else if (s->recipient_count == SINK_RECIPIENTS_MAX) {
		reply(s, "452 4.5.3 too many recipients");
	} else {
		s->recipients[s->recipient_count++] = str_copy(&s->memory, path);
		reply(s, "250 2.1.5 recipient ok");
	}
}

static void take_line(struct session *s, struct str line)
{
	struct str verb = str_slice(line, 0, 4);
	if (str_equal_nocase(verb, S("EHLO")))
		reply(s, "250-simulator\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250-SIZE 16777216\r\n250 ENHANCEDSTATUSCODES");
	else if (str_equal_nocase(verb, S("HELO")))
		reply(s, "250 simulator");
	else if (str_equal_nocase(verb, S("MAIL")))
		take_mail_from(s, line);
	else if (str_equal_nocase(verb, S("RCPT")))
		take_recipient(s, line);
	else if (str_equal_nocase(verb, S("DATA"))) {
		s->in_data = s->recipient_count > 0;
		reply(s, s->in_data ? "354 go on" : "503 5.5.1 RCPT first");
	} else if (str_equal_nocase(verb, S("RSET"))) {
		reset(s);
		reply(s, "250 2.0.0 ok");
	} else if (str_equal_nocase(verb, S("NOOP")))
		reply(s, "250 2.0.0 ok");
	else if (str_equal_nocase(verb, S("QUIT"))) {
		reply(s, "221 2.0.0 bye");
		s->closing = true;
	} else
		reply(s, "502 5.5.1 unknown command");
}

static void store_mail(struct sink *sink, struct session *s)
{
	for (size_t i = 0; i < s->recipient_count; i++)
		store_add(sink->store, &(struct store_message){ .at = clock_now(), .kind = BOX_MAILBOX, .box = s->recipients[i],
		                                                .other = s->from, .body = buf_str(&s->mail), .parts = 1 });
}

/* The mail is whole: decides what becomes of it. */
static void finish_mail(struct sink *sink, struct session *s)
{
	const struct faults *f = &sink->faults;
	s->in_data = false;
	if (s->mail.len > SINK_MAIL_MAX)
		s->answer = "552 5.3.4 too big";
	else if (faults_draw(f->mail_reject_percent))
		s->answer = "550 5.1.1 no such user";
	else if (faults_draw(f->mail_policy_percent))
		s->answer = "550 5.7.1 refused by policy";
	else if (faults_draw(f->mail_busy_percent))
		s->answer = "451 4.3.0 try again later";
	else {
		store_mail(sink, s);
		s->answer = "250 2.0.0 taken";
		if (faults_draw(f->mail_cut_percent)) {
			store_bump(sink->store, COUNT_MAIL_CUT, 1);
			s->closing = true;
			s->answer = NULL;
		}
	}
	if (s->answer)
		store_bump(sink->store, s->answer[0] == '2' ? COUNT_MAIL_ACCEPTED : COUNT_MAIL_REFUSED, 1);
	s->answer_at = clock_monotonic() + f->mail_latency_ms * 1000;
	reset(s);
}

/* A line of the mail; dots are unstuffed (RFC 5321, 4.5.2). */
static void take_data_line(struct sink *sink, struct session *s, struct str line)
{
	if (str_equal(line, S("."))) {
		finish_mail(sink, s);
		return;
	}
	if (str_starts(line, S(".")))
		line = str_slice(line, 1, line.len);
	if (s->mail.len > SINK_MAIL_MAX)
		return; /* counted by its size, said at the end */
	buf_add_str(&s->mail, line);
	buf_add_str(&s->mail, S("\r\n"));
}

/* Handles whole lines until an answer has to wait. False when a line is too long. */
static bool take_input(struct sink *sink, struct session *s)
{
	struct str rest = buf_str(&s->in), line, after;
	while (s->answer_at == 0 && !s->closing && str_cut(rest, '\n', &line, &after)) {
		if (str_ends(line, S("\r")))
			line.len--;
		if (s->in_data)
			take_data_line(sink, s, line);
		else
			take_line(s, line);
		rest = after;
	}
	buf_consume(&s->in, s->in.len - rest.len);
	return s->in_data || rest.len <= SINK_LINE_MAX || s->answer_at != 0;
}

static void open_session(struct sink *sink)
{
	int fd = accept4(sink->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct session *s = sink->session_count < SINK_CONNECTIONS_MAX ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		close(fd);
		return;
	}
	s->fd = fd;
	buf_init(&s->in);
	buf_init(&s->out);
	buf_init(&s->mail);
	arena_init(&s->memory);
	sink->sessions[sink->session_count++] = s;
	store_bump(sink->store, COUNT_MAIL_CONNECTIONS, 1);
	s->closing = sink->faults.mail_refuse != 0;
	reply(s, s->closing ? "421 4.3.2 not now" : "220 simulator ESMTP");
}

static void close_session(struct sink *sink, size_t index)
{
	struct session *s = sink->sessions[index];
	close(s->fd);
	buf_release(&s->in);
	buf_release(&s->out);
	buf_release(&s->mail);
	arena_release(&s->memory);
	free(s);
	sink->sessions[index] = sink->sessions[--sink->session_count];
}

static bool write_session(struct session *s)
{
	while (s->out_at < s->out.len) {
		ssize_t n = send(s->fd, s->out.ptr + s->out_at, s->out.len - s->out_at, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		s->out_at += (size_t)n;
	}
	buf_clear(&s->out);
	s->out_at = 0;
	return true;
}

static bool read_session(struct sink *sink, struct session *s)
{
	buf_reserve(&s->in, SINK_READ_SIZE);
	ssize_t n = recv(s->fd, s->in.ptr + s->in.len, SINK_READ_SIZE, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	s->in.len += (size_t)n;
	return n > 0 && take_input(sink, s);
}

/* Sends answers whose time has come; returns when the next one has. */
static int64_t serve_sessions(struct sink *sink, int64_t now)
{
	int64_t next = INT64_MAX;
	for (size_t i = sink->session_count; i-- > 0;) {
		struct session *s = sink->sessions[i];
		bool good = true;
		if (s->answer_at && s->answer_at <= now) {
			s->answer_at = 0;
			if (s->answer)
				reply(s, s->answer);
			s->answer = NULL;
			good = take_input(sink, s);
		}
		if (s->answer_at && s->answer_at < next)
			next = s->answer_at;
		if (!write_session(s) || !good || (s->closing && s->out.len == 0 && s->answer_at == 0))
			close_session(sink, i);
	}
	return next;
}

static void wait_and_read(struct sink *sink, int64_t next)
{
	struct pollfd polled[SINK_CONNECTIONS_MAX + 2] = { { .fd = sink->listener, .events = POLLIN }, { .fd = sink->wake, .events = POLLIN } };
	size_t count = sink->session_count;
	for (size_t i = 0; i < count; i++) {
		const struct session *s = sink->sessions[i];
		polled[i + 2] = (struct pollfd){ .fd = s->fd,
			                         .events = (short)((s->answer_at ? 0 : POLLIN) | (s->out_at < s->out.len ? POLLOUT : 0)) };
	}
	int64_t wait = next == INT64_MAX ? 1000 : (next - clock_monotonic() + 999) / 1000;
	if (poll(polled, (nfds_t)count + 2, wait < 0 ? 0 : wait > 1000 ? 1000 : (int)wait) <= 0)
		return;
	sink->faults = simulator_faults(sink->simulator); /* after the sleep: a change counts for what comes after it */
	for (size_t i = count; i-- > 0;)
		if ((polled[i + 2].revents & (POLLIN | POLLHUP | POLLERR)) && !read_session(sink, sink->sessions[i]))
			close_session(sink, i);
	if (polled[0].revents)
		open_session(sink);
}

static void *run(void *argument)
{
	struct sink *sink = argument;
	for (;;) {
		pthread_mutex_lock(&sink->lock);
		bool stop = sink->stopping;
		pthread_mutex_unlock(&sink->lock);
		if (stop)
			return NULL;
		wait_and_read(sink, serve_sessions(sink, clock_monotonic()));
	}
}

enum rc sink_start(struct simulator *simulator, struct err *err)
{
	struct sink *sink = calloc(1, sizeof *sink);
	if (!sink)
		return err_set(err, FAILED, "out of memory");
	sink->simulator = simulator;
	sink->store = simulator->store;
	pthread_mutex_init(&sink->lock, NULL);
	sink->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sink->listener = simulator_listen(simulator->options.smtp_port, &simulator->smtp_port);
	simulator->sink = sink;
	if (sink->listener < 0 || sink->wake < 0 || pthread_create(&sink->thread, NULL, run, sink) != 0) {
		enum rc rc = err_set(err, FAILED, "SMTP port %u: %s", simulator->options.smtp_port, strerror(errno));
		if (sink->listener >= 0)
			close(sink->listener);
		if (sink->wake >= 0)
			close(sink->wake);
		free(sink);
		simulator->sink = NULL;
		return rc;
	}
	return OK;
}

void sink_stop(struct sink *sink)
{
	if (!sink)
		return;
	uint64_t one = 1;
	pthread_mutex_lock(&sink->lock);
	sink->stopping = true;
	pthread_mutex_unlock(&sink->lock);
	ssize_t ignored = write(sink->wake, &one, sizeof one);
	(void)ignored;
	pthread_join(sink->thread, NULL);
	while (sink->session_count)
		close_session(sink, 0);
	close(sink->listener);
	close(sink->wake);
	pthread_mutex_destroy(&sink->lock);
	free(sink);
}
