/* One connection to the relay. libcurl makes it (name, TLS, the certificate's proof, AUTH); the conversation is ours, since
 * libcurl sends MAIL, RCPT, DATA and the mail one by one and waits each time (docs/decisions/0045-mail-pipelining.md).
 *
 * With PIPELINING (RFC 2920) the next mail's envelope goes with the mail before it, so a mail costs one round trip. DATA is
 * always the last command of a group, and a mail's content leaves only after the relay's 354: what was not taken wholly is
 * never in doubt. */
#include <stdio.h>
#include <sys/socket.h>

#include "adapters/channel/smtp/private.h"

#define SLOW (2 * CLOCK_SECOND) /* for an answer to a mail, before the one behind it goes another way */

/* --- what the relay offers ---------------------------------------------------------------------------------- */

/* libcurl passes each line of the relay's replies while it connects. The last EHLO's lines count: after STARTTLS there is
 * a second one. */
static size_t take_offer(char *bytes, size_t size, size_t count, void *context)
{
	struct session *s = context;
	struct str line = str_trim((struct str){ bytes, size * count }), word, rest;
	if (str_starts(line, S("220")))
		s->pipelining = s->smtp_utf8 = s->eight_bit = false;
	if (str_starts(line, S("250"))) {
		str_cut(str_slice(line, 4, line.len), ' ', &word, &rest);
		s->pipelining |= str_equal_nocase(word, S("PIPELINING"));
		s->smtp_utf8 |= str_equal_nocase(word, S("SMTPUTF8"));
		s->eight_bit |= str_equal_nocase(word, S("8BITMIME"));
	}
	int64_t code;
	/* The reason when it ends here: the last refusal. */
	if (line.len >= 3 && str_to_int(str_slice(line, 0, 3), &code) && code >= 400 && code < 600) {
		s->reply.code = (int)code;
		s->reply.text_length = line.len < REPLY_MAX ? line.len : REPLY_MAX;
		memcpy(s->reply.text, line.ptr, s->reply.text_length);
	}
	return size * count;
}

static void set_options(struct session *s)
{
	const struct smtp_relay_settings *settings = relay_settings(s->relay);
	CURL *easy = s->easy;
	curl_easy_setopt(easy, CURLOPT_URL, relay_url(s->relay));
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* the relay is ours: never by way of another */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_offer);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(settings->connect_within / 1000));
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
	if (settings->tls == SMTP_TLS_REQUIRED)
		curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	if (settings->ca_file.len)
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file.ptr);
	if (settings->user.len) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, settings->user.ptr);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, settings->password.ptr);
	}
}

bool session_open(struct session *s)
{
	s->easy = curl_easy_init();
	if (!s->easy)
		return false;
	set_options(s);
	s->state = SESSION_CONNECTING;
	s->socket = -1;
	s->pipelining = s->smtp_utf8 = s->eight_bit = s->worked = s->reset_first = s->abandoned = s->blocked = false;
	memset(&s->reply, 0, sizeof s->reply);
	s->expected_count = s->slot_count = s->out_at = 0;
	s->queued = s->sent = 0;
	buf_clear(&s->out);
	buf_clear(&s->next);
	curl_multi_add_handle(relay_multi(s->relay), s->easy);
	return true;
}

/* A socket that is shut first: libcurl could otherwise say QUIT and wait for the answer of a relay that gives none. */
static void drop(struct session *s)
{
	if (s->socket >= 0)
		shutdown(s->socket, SHUT_RDWR);
	if (s->easy) {
		curl_multi_remove_handle(relay_multi(s->relay), s->easy);
		curl_easy_cleanup(s->easy);
	}
	s->easy = NULL;
	s->socket = -1;
	s->state = SESSION_CLOSED;
}

void session_connected(struct session *s, CURLcode code)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (code == CURLE_OK && curl_easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD) {
		s->socket = fd;
		s->state = SESSION_OPEN;
		memset(&s->reply, 0, sizeof s->reply);
		s->idle_since = clock_monotonic();
		return;
	}
	char text[REPLY_MAX];
	struct str reason = { text, s->reply.text_length };
	memcpy(text, s->reply.text, s->reply.text_length);
	if (s->reply.code < 400)
		reason = str_from(curl_easy_strerror(code));
	drop(s);
	relay_fails(s->relay, code, reason);
}

/* --- sending ------------------------------------------------------------------------------------------------ */

static void expect(struct session *s, enum smtp_step step, struct mail_slot *slot)
{
	s->expected[s->expected_count].step = step;
	s->expected[s->expected_count++].slot = slot;
}

static void put(struct session *s, struct str bytes)
{
	buf_add_str(&s->next, bytes);
	s->queued += bytes.len;
}

static void put_command(struct session *s, const char *verb, const char *path, const char *more)
{
	put(s, str_from(verb));
	put(s, str_from(path));
	put(s, str_from(more));
}

static void put_mail(struct session *s, struct mail_slot *slot)
{
	put_command(s, "MAIL FROM:<", slot->from, slot->utf8 ? "> BODY=8BITMIME SMTPUTF8\r\n" : ">\r\n");
	expect(s, STEP_MAIL, slot);
}

static void put_recipient(struct session *s, struct mail_slot *slot)
{
	put_command(s, "RCPT TO:<", slot->to, ">\r\n");
	expect(s, STEP_RCPT, slot);
}

static void put_data(struct session *s, struct mail_slot *slot)
{
	put(s, S("DATA\r\n"));
	expect(s, STEP_DATA, slot);
}

bool session_has_room(const struct session *s)
{
	if (s->state != SESSION_OPEN || s->abandoned)
		return false;
	return s->slot_count == 0 || (s->pipelining && s->slot_count == 1 && s->slots[0]->content_end > 0);
}

void session_give(struct session *s, struct mail_slot *slot)
{
	slot->deadline = clock_monotonic() + relay_settings(s->relay)->answer_within;
	slot->content_end = 0;
	slot->refused = false;
	slot->code = 0;
	slot->reply_length = 0;
	if (slot->utf8 && !(s->smtp_utf8 && s->eight_bit)) {
		static const char WHY[] = "the relay does not offer SMTPUTF8 (RFC 6531), which this address needs";
		slot->result = (struct channel_result){ .outcome = CHANNEL_REFUSED, .fault = CHANNEL_FAULT_MESSAGE };
		slot->reply_length = sizeof WHY - 1;
		memcpy(slot->reply, WHY, slot->reply_length);
		relay_finish(s->relay, slot);
		return;
	}
	s->slots[s->slot_count++] = slot;
	if (s->reset_first) {
		put(s, S("RSET\r\n"));
		expect(s, STEP_RSET, slot);
		s->reset_first = false;
		if (!s->pipelining)
			return; /* MAIL follows the answer */
	}
	put_mail(s, slot);
	if (s->pipelining) {
		put_recipient(s, slot);
		put_data(s, slot);
	}
}

/* Sends without waiting. False when the connection is broken. */
static bool send_out(struct session *s)
{
	while (!s->blocked) {
		if (s->out_at == s->out.len) {
			struct buf empty = s->out;
			buf_clear(&empty);
			s->out = s->next;
			s->next = empty;
			s->out_at = 0;
			if (s->out.len == 0)
				return true;
		}
		size_t n = 0;
		CURLcode code = curl_easy_send(s->easy, s->out.ptr + s->out_at, s->out.len - s->out_at, &n);
		s->out_at += n;
		s->sent += n;
		if (code == CURLE_AGAIN)
			s->blocked = true;
		else if (code != CURLE_OK)
			return false;
	}
	return true;
}

void session_flush(struct session *s)
{
	if (s->state == SESSION_OPEN && (s->out_at < s->out.len || s->next.len > 0) && !send_out(s))
		session_break(s, CURLE_SEND_ERROR, S("the connection broke"));
}

/* --- answers ------------------------------------------------------------------------------------------------ */

static void keep_reply(const struct session *s, struct mail_slot *slot)
{
	slot->code = s->reply.code;
	slot->reply_length = s->reply.text_length;
	memcpy(slot->reply, s->reply.text, s->reply.text_length);
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

static void finish(struct session *s, struct mail_slot *slot)
{
	for (size_t i = 0; i < s->slot_count; i++)
		if (s->slots[i] == slot) {
			s->slots[i] = s->slots[1];
			s->slot_count--;
			break;
		}
	if (s->slot_count == 0)
		s->idle_since = clock_monotonic();
	slot->result = (struct channel_result){ .outcome = slot->refused ? CHANNEL_REFUSED : CHANNEL_ACCEPTED };
	if (slot->refused)
		slot->result.fault = fault_of(slot);
	s->worked = true;
	relay_works(s->relay);
	relay_finish(s->relay, slot);
}

static void refuse(struct session *s, struct mail_slot *slot)
{
	if (slot->refused)
		return; /* by its first bad reply; the others only follow from it */
	slot->refused = true;
	keep_reply(s, slot);
}

static void put_content(struct session *s, struct mail_slot *slot)
{
	/* A relay that asks for the mail of an envelope it refused gets an empty one (RFC 2920, 3.1). */
	put(s, slot->refused ? S(".\r\n") : buf_str(&slot->content));
	slot->content_end = s->queued;
	slot->content_at = clock_monotonic();
	expect(s, STEP_DOT, slot);
}

static bool has(const struct session *s, const struct mail_slot *slot)
{
	return (s->slot_count > 0 && s->slots[0] == slot) || (s->slot_count > 1 && s->slots[1] == slot);
}

/* A whole reply to the oldest command. False: the relay does not speak as it should. */
static bool take_reply(struct session *s)
{
	if (s->expected_count == 0)
		return false;
	enum smtp_step step = s->expected[0].step;
	struct mail_slot *slot = s->expected[0].slot;
	memmove(s->expected, s->expected + 1, --s->expected_count * sizeof s->expected[0]);
	bool good = step == STEP_DATA ? s->reply.code == 354 : s->reply.code / 100 == 2;
	if (!good && s->reply.code < 400)
		return false;
	if (!has(s, slot) && step != STEP_RSET)
		return true; /* taken away meanwhile; no content follows, and the connection ends */
	if (step == STEP_RSET) {
		if (!s->pipelining)
			put_mail(s, slot);
		return true;
	}
	if (!good)
		refuse(s, slot);
	else if (step == STEP_DOT && !slot->refused)
		keep_reply(s, slot);
	if (step == STEP_DATA && good) {
		put_content(s, slot);
	} else if (step == STEP_DOT) {
		finish(s, slot);
	} else if (step == STEP_DATA || (!good && !s->pipelining)) {
		s->reset_first = true;
		finish(s, slot);
	} else if (!s->pipelining) {
		if (step == STEP_MAIL)
			put_recipient(s, slot);
		else
			put_data(s, slot);
	}
	return true;
}

static bool take_bytes(struct session *s, const char *bytes, size_t size)
{
	while (size > 0) {
		size_t used;
		enum mail_reply_state state = mail_reply_read(&s->reply, (struct str){ bytes, size }, &used);
		if (state == MAIL_REPLY_BAD)
			return false;
		if (state == MAIL_REPLY_WHOLE && (s->reply.code == 421 || !take_reply(s)))
			return false;
		bytes += used;
		size -= used;
	}
	return true;
}

void session_turn(struct session *s, bool readable)
{
	char bytes[16384];
	s->blocked = false;
	while (readable && s->state == SESSION_OPEN) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(s->easy, bytes, sizeof bytes, &n);
		if (code == CURLE_AGAIN)
			break;
		if (code != CURLE_OK || n == 0) {
			session_break(s, CURLE_RECV_ERROR, S("the relay closed the connection"));
		} else if (!take_bytes(s, bytes, n)) {
			char text[REPLY_MAX];
			size_t length = s->reply.text_length;
			memcpy(text, s->reply.text, length);
			session_break(s, CURLE_WEIRD_SERVER_REPLY, s->reply.code == 421 ? (struct str){ text, length } : S("the relay does not speak SMTP"));
		}
		if (s->abandoned && s->slot_count == 0)
			drop(s);
		if (n < sizeof bytes && relay_settings(s->relay)->tls == SMTP_TLS_NONE)
			break; /* with TLS more may lie in its own buffer */
	}
}

struct mail_slot *session_take_back(struct session *s, int64_t now)
{
	if (s->state != SESSION_OPEN || s->slot_count < 2 || s->slots[1]->content_end > 0 || now - s->slots[0]->content_at < SLOW)
		return NULL;
	s->slot_count = 1;
	s->abandoned = true;
	return s->slots[1];
}

/* --- the end ------------------------------------------------------------------------------------------------ */

int64_t session_deadline(const struct session *s)
{
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < s->slot_count; i++)
		if (s->slots[i]->deadline < first)
			first = s->slots[i]->deadline;
	return first;
}

void session_break(struct session *s, CURLcode code, struct str reason)
{
	/* 421 (RFC 5321, 3.8): the relay closes, and has not taken what it answers with that. */
	bool told_off = s->reply.code == 421 && code == CURLE_WEIRD_SERVER_REPLY;
	bool idle = s->slot_count == 0, useful = s->worked;
	drop(s);
	if (!(idle || useful) && code != CURLE_ABORTED_BY_CALLBACK)
		relay_fails(s->relay, code, reason);
	while (s->slot_count > 0) {
		struct mail_slot *slot = s->slots[0];
		s->slots[0] = s->slots[1];
		s->slot_count--;
		bool whole = slot->content_end > 0 && s->sent >= slot->content_end;
		slot->result = (struct channel_result){ .outcome = whole && !told_off ? CHANNEL_IN_DOUBT : CHANNEL_RETURNED };
		told_off = false; /* the reply was to the first; those behind it had no 354 */
		if (slot->refused) {
			slot->result.outcome = CHANNEL_REFUSED;
			slot->result.fault = fault_of(slot);
		} else {
			slot->code = s->reply.code == 421 ? 421 : 0;
			slot->reply_length = reason.len < REPLY_MAX ? reason.len : REPLY_MAX;
			memcpy(slot->reply, reason.ptr, slot->reply_length);
		}
		relay_finish(s->relay, slot);
	}
	s->expected_count = 0;
}

void session_close(struct session *s)
{
	size_t n;
	/* Without waiting for the answer: the relay may hang. */
	if (s->state == SESSION_OPEN && s->slot_count == 0 && s->out_at == s->out.len)
		curl_easy_send(s->easy, "QUIT\r\n", 6, &n);
	drop(s);
}
