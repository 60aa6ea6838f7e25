/* The mail channel against the simulated relay, over a real socket; and what it writes, as GMime reads it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/channel/smtp/smtp.h"
#include "base/base.h"
#include "kernel/mail/mail.h"
#include "tests/simulator/simulator.h"

#define MAILS_MAX 5000
#define WAIT (20 * CLOCK_SECOND)

struct engine {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct channel *channel;
	size_t wanted, next;
	bool again;
	size_t queue[MAILS_MAX], queue_count;
	uint8_t accepted[MAILS_MAX], refused[MAILS_MAX], doubt[MAILS_MAX], returned[MAILS_MAX];
	size_t results, ended, ups, downs;
	struct channel_result last;
	char last_text[200];
	const char *domain;
};

static struct channel_mail sample(const char *id)
{
	return (struct channel_mail){
		.envelope_from = S("bounce+t0ken@chancery.example"), .from_address = S("alerts@chancery.example"), .from_name = S("Ministère des Affaires"),
		.reply_to = S("answer+r3ply@chancery.example"), .subject = S("هشدار زلزله در تبریز"), .text = S("سلام\n.a line with a dot\nFrom here on\n"),
		.html = S("<p dir=\"rtl\">سلام</p>"), .message_id = str_from(id), .references = S("<m.1@chancery.example> <m.2@chancery.example>"),
		.list_id = S("alerts.chancery.example"), .unsubscribe = S("https://chancery.example/u/abc"), .language = S("fa"),
		.date = INT64_C(1795519800) * CLOCK_SECOND, .automatic = true,
	};
}

static void submit_more(struct engine *e)
{
	while (e->next <= e->wanted || e->queue_count > 0) {
		size_t number = e->queue_count > 0 ? e->queue[e->queue_count - 1] : e->next;
		char to[64], id[64];
		snprintf(to, sizeof to, "p%zu@%s", number, e->domain);
		snprintf(id, sizeof id, "m.%zu@chancery.example", number);
		struct channel_mail mail = sample(id);
		struct channel_message message = { .id = (int64_t)number, .to = str_from(to), .mail = &mail };
		if (channel_submit(e->channel, &message, 1) == 0)
			return;
		if (e->queue_count > 0)
			e->queue_count--;
		else
			e->next++;
	}
}

static void on_results(void *context, struct channel *channel, const struct channel_result *results, size_t count)
{
	struct engine *e = context;
	(void)channel;
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < count; i++) {
		const struct channel_result *r = &results[i];
		size_t n = (size_t)r->message;
		e->results++;
		e->last = *r;
		snprintf(e->last_text, sizeof e->last_text, "%.*s", STR_ARG(r->text));
		uint8_t *counts[] = { e->accepted, e->refused, e->doubt, e->returned };
		counts[r->outcome][n]++;
		bool retry = r->outcome == CHANNEL_RETURNED || (r->outcome == CHANNEL_REFUSED && r->fault == CHANNEL_FAULT_TEMPORARY);
		if (e->again && retry)
			e->queue[e->queue_count++] = n;
		else
			e->ended++;
	}
	submit_more(e);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

static void on_receipts(void *context, struct channel *channel, const struct channel_receipt *receipts, size_t count)
{
	(void)context;
	(void)channel;
	(void)receipts;
	(void)count;
}

static void on_incoming(void *context, struct channel *channel, const struct channel_incoming *incoming, size_t count)
{
	(void)context;
	(void)channel;
	(void)incoming;
	(void)count;
}

static void on_state(void *context, struct channel *channel, bool up, struct str reason)
{
	struct engine *e = context;
	(void)channel;
	(void)reason;
	pthread_mutex_lock(&e->lock);
	if (up)
		e->ups++;
	else
		e->downs++;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

static void on_room(void *context, struct channel *channel)
{
	struct engine *e = context;
	(void)channel;
	pthread_mutex_lock(&e->lock);
	submit_more(e);
	pthread_mutex_unlock(&e->lock);
}

static const struct channel_events EVENTS = { on_results, on_receipts, on_incoming, on_state, on_room };

struct fixture {
	struct simulator simulator;
	struct engine engine;
	struct arena arena;
	struct err err;
	struct smtp_relay_settings settings;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	log_set_level(LOG_ERROR);
	arena_init(&f->arena);
	err_init(&f->err, &f->arena);
	struct simulator_options options;
	simulator_defaults(&options);
	assert_int_equal(simulator_start(&f->simulator, &options, &f->err), OK);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&f->engine.lock, NULL);
	pthread_cond_init(&f->engine.changed, &attributes);
	f->engine.next = 1;
	f->engine.domain = "example.org";
	f->settings = smtp_relay_defaults();
	f->settings.name = S("relay");
	f->settings.host = S("127.0.0.1");
	f->settings.port = f->simulator.smtp_port;
	f->settings.helo = S("chancery.example");
	f->settings.retry_first = CLOCK_SECOND / 50;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	channel_free(f->engine.channel);
	simulator_stop(&f->simulator);
	pthread_cond_destroy(&f->engine.changed);
	pthread_mutex_destroy(&f->engine.lock);
	arena_release(&f->arena);
	free(f);
	return 0;
}

static void faults(struct fixture *f, const char *name, int64_t value)
{
	struct faults now = simulator_faults(&f->simulator);
	assert_true(faults_set(&now, name, value));
	simulator_set_faults(&f->simulator, &now);
}

static void begin(struct fixture *f, size_t wanted)
{
	f->engine.wanted = wanted;
	assert_int_equal(smtp_channel_new(&f->settings, &f->engine.channel, &f->err), OK);
	assert_int_equal(channel_start(f->engine.channel, &EVENTS, &f->engine, &f->err), OK);
}

static bool wait_for(struct engine *e, const size_t *what, size_t count)
{
	int64_t until = clock_monotonic() + WAIT;
	struct timespec at = { .tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND * 1000 };
	int code = 0;
	pthread_mutex_lock(&e->lock);
	while (*what < count && code == 0)
		code = pthread_cond_timedwait(&e->changed, &e->lock, &at);
	bool enough = *what >= count;
	pthread_mutex_unlock(&e->lock);
	return enough;
}

static size_t sum(const uint8_t *counts, size_t last)
{
	size_t total = 0;
	for (size_t i = 1; i <= last; i++)
		total += counts[i];
	return total;
}

static struct store_counts counts_of(struct fixture *f)
{
	struct store_counts counts;
	store_counts(f->simulator.store, &counts);
	return counts;
}

static void assert_text(struct str got, const char *want)
{
	if (!str_equal(got, str_from(want)))
		print_error("got \"%.*s\", want \"%s\"\n", STR_ARG(got), want);
	assert_true(str_equal(got, str_from(want)));
}

static void mails_arrive_once_and_as_they_were_written(void **state)
{
	struct fixture *f = *state;
	const size_t n = 1000;
	begin(f, n);
	assert_true(wait_for(&f->engine, &f->engine.results, n));
	assert_int_equal(sum(f->engine.accepted, n), n);
	struct store_counts counts = counts_of(f);
	assert_int_equal(counts.received[BOX_MAILBOX], n);
	assert_int_equal(counts.doubled[BOX_MAILBOX], 0);
	assert_true(counts.of[COUNT_MAIL_CONNECTIONS] <= 8); /* they are kept */
	struct store_message *messages;
	assert_int_equal(store_list(f->simulator.store, &f->arena, BOX_MAILBOX, S("p7@example.org"), 0, 5, &messages), 1);
	struct mail_view v;
	mailbox_view(&f->arena, messages[0].body, &v);
	assert_text(messages[0].other, "bounce+t0ken@chancery.example");
	assert_text(v.from, "Ministère des Affaires <alerts@chancery.example>");
	assert_text(v.to, "p7@example.org");
	assert_text(v.reply_to, "answer+r3ply@chancery.example");
	assert_text(v.subject, "هشدار زلزله در تبریز");
	assert_text(v.text, "سلام\r\n.a line with a dot\r\nFrom here on\r\n");
	assert_true(str_starts(v.html, S("<p dir=\"rtl\">سلام</p>")));
	assert_text(v.message_id, "m.7@chancery.example");
	assert_text(v.in_reply_to, "<m.2@chancery.example>");
	assert_text(v.references, "<m.1@chancery.example> <m.2@chancery.example>");
	assert_text(v.list_unsubscribe, "<https://chancery.example/u/abc>");
	assert_text(v.list_unsubscribe_post, "List-Unsubscribe=One-Click");
	assert_text(v.auto_submitted, "auto-generated");
	assert_text(v.content_language, "fa");
	for (size_t i = 0; i < messages[0].body.len; i++) /* seven bits: no relay on the way can break it */
		assert_true((unsigned char)messages[0].body.ptr[i] < 0x80);
	assert_true(str_find(messages[0].body, S("Date: Tue, 24 Nov 2026 11:30:00 +0000"), 0) != SIZE_MAX);
}

static void refusals_are_told_apart(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *fault;
		enum channel_fault want;
		uint32_t code;
	} CASES[] = { { "mail_reject_percent", CHANNEL_FAULT_RECIPIENT, 550 }, { "mail_policy_percent", CHANNEL_FAULT_MESSAGE, 550 },
		      { "mail_busy_percent", CHANNEL_FAULT_TEMPORARY, 451 } };
	begin(f, 0);
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		faults(f, CASES[i].fault, 100);
		pthread_mutex_lock(&f->engine.lock);
		f->engine.wanted++;
		submit_more(&f->engine);
		pthread_mutex_unlock(&f->engine.lock);
		assert_true(wait_for(&f->engine, &f->engine.results, i + 1));
		assert_int_equal(f->engine.last.outcome, CHANNEL_REFUSED);
		assert_int_equal(f->engine.last.fault, CASES[i].want);
		assert_int_equal(f->engine.last.code, CASES[i].code);
		assert_true(strstr(f->engine.last_text, ".") != NULL);
		faults(f, CASES[i].fault, 0);
	}
	assert_int_equal(counts_of(f).received[BOX_MAILBOX], 0);
	assert_int_equal(f->engine.downs, 0);
}

static void refused_at_the_recipient(void **state)
{
	struct fixture *f = *state;
	begin(f, 0);
	struct channel_mail mail = sample("m.9@chancery.example");
	struct channel_message gone = { 1, S("no-such-user@example.org"), .mail = &mail }, full = { 2, S("full@example.org"), .mail = &mail };
	assert_int_equal(channel_submit(f->engine.channel, &gone, 1), 1);
	assert_true(wait_for(&f->engine, &f->engine.results, 1));
	assert_int_equal(f->engine.last.fault, CHANNEL_FAULT_RECIPIENT);
	assert_int_equal(channel_submit(f->engine.channel, &full, 1), 1);
	assert_true(wait_for(&f->engine, &f->engine.results, 2));
	assert_int_equal(f->engine.last.fault, CHANNEL_FAULT_TEMPORARY);
	assert_string_equal(f->engine.last_text, "452 4.2.2 mailbox full");
}

static void a_cut_after_the_mail_is_in_doubt(void **state)
{
	struct fixture *f = *state;
	const size_t n = 60;
	faults(f, "mail_cut_percent", 30);
	f->engine.again = true;
	begin(f, n);
	assert_true(wait_for(&f->engine, &f->engine.ended, n));
	assert_int_equal(sum(f->engine.accepted, n) + sum(f->engine.doubt, n), n);
	assert_int_equal(sum(f->engine.doubt, n), counts_of(f).of[COUNT_MAIL_CUT]);
	assert_true(sum(f->engine.doubt, n) > 0);
	assert_int_equal(counts_of(f).received[BOX_MAILBOX], n); /* nothing that came back had been taken */
	assert_int_equal(counts_of(f).doubled[BOX_MAILBOX], 0);
}

static void a_relay_that_is_away_gives_mails_back(void **state)
{
	struct fixture *f = *state;
	faults(f, "mail_refuse", 1);
	f->engine.again = true;
	begin(f, 20);
	assert_true(wait_for(&f->engine, &f->engine.downs, 1));
	assert_int_equal(counts_of(f).received[BOX_MAILBOX], 0);
	faults(f, "mail_refuse", 0);
	assert_true(wait_for(&f->engine, &f->engine.ended, 20));
	assert_int_equal(sum(f->engine.accepted, 20), 20);
	assert_int_equal(sum(f->engine.doubt, 20), 0);
	assert_true(f->engine.ups >= 1);
	assert_int_equal(counts_of(f).doubled[BOX_MAILBOX], 0);
	/* Nobody listens at all. */
	channel_stop(f->engine.channel, CLOCK_SECOND);
	channel_free(f->engine.channel);
	f->settings.port = 1;
	size_t downs = f->engine.downs, returned = sum(f->engine.returned, 21);
	f->engine.again = false;
	begin(f, 21);
	assert_true(wait_for(&f->engine, &f->engine.downs, downs + 1));
	assert_true(wait_for(&f->engine, &f->engine.ended, 21));
	assert_int_equal(sum(f->engine.returned, 21), returned + 1);
}

static void silence_is_doubt(void **state)
{
	struct fixture *f = *state;
	faults(f, "mail_latency_ms", 60000);
	f->settings.answer_within = CLOCK_SECOND / 2;
	begin(f, 3);
	assert_true(wait_for(&f->engine, &f->engine.results, 3));
	assert_int_equal(sum(f->engine.doubt, 3), 3);
	f->engine.wanted = 3;
	channel_stop(f->engine.channel, 0);
	/* Stopping while mails are on their way. */
	f->settings.answer_within = CLOCK_MINUTE;
	channel_free(f->engine.channel);
	begin(f, 6);
	assert_true(store_wait(f->simulator.store, BOX_MAILBOX, 6, WAIT));
	channel_stop(f->engine.channel, 0);
	assert_int_equal(f->engine.results, 6);
	assert_int_equal(sum(f->engine.doubt, 6), 6);
}

static void headers_cannot_be_injected(void **state)
{
	struct fixture *f = *state;
	struct channel_mail good = sample("m.1@chancery.example"), mail;
	struct channel_message message = { 1, S("p1@example.org"), .mail = &mail };
	struct buf out;
	struct smtp_envelope envelope;
	enum channel_fault fault;
	buf_init(&out);
	static const struct str EVIL = S("x@chancery.example>\r\nBcc: <all@example.org");
	struct str *const fields[] = { &mail.envelope_from, &mail.from_address, &mail.reply_to, &mail.message_id, &mail.references, &mail.list_id, &mail.unsubscribe, &mail.language };
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		mail = good;
		*fields[i] = EVIL;
		assert_non_null(smtp_compose(&message, &out, &envelope, &fault));
		assert_int_equal(fault, CHANNEL_FAULT_MESSAGE);
	}
	mail = good;
	message.to = EVIL;
	assert_non_null(smtp_compose(&message, &out, &envelope, &fault));
	assert_int_equal(fault, CHANNEL_FAULT_RECIPIENT);
	assert_int_equal(out.len, 0);
	/* Names and subjects are people's texts: they go through, on one line. */
	message.to = S("p1@example.org");
	mail.subject = S("Alert\r\nBcc: all@example.org\r\n\r\nbody");
	mail.from_name = S("Name\nX-Evil: 1\", <a@b.example>");
	assert_null(smtp_compose(&message, &out, &envelope, &fault));
	struct mail_view v;
	mailbox_view(&f->arena, buf_str(&out), &v);
	assert_text(v.subject, "Alert  Bcc: all@example.org    body");
	assert_true(str_ends(v.from, S("<alerts@chancery.example>")));
	assert_true(str_find(buf_str(&out), S("\nBcc:"), 0) == SIZE_MAX);
	assert_true(str_find(buf_str(&out), S("\nX-Evil:"), 0) == SIZE_MAX);
	assert_text(v.to, "p1@example.org");
	/* What is too long or no UTF-8 is refused, not cut. */
	buf_clear(&out);
	mail = good;
	mail.text = S("\xff");
	assert_non_null(smtp_compose(&message, &out, &envelope, &fault));
	char big[1001];
	memset(big, 'x', sizeof big);
	mail = good;
	mail.subject = (struct str){ big, 1000 };
	assert_null(smtp_compose(&message, &out, &envelope, &fault));
	mail.subject.len++;
	assert_non_null(smtp_compose(&message, &out, &envelope, &fault));
	buf_release(&out);
}

/* Pieces that encodings, lines and boundaries stumble over. */
static struct str random_text(struct arena *arena, size_t pieces)
{
	static const char *const PIECES[] = { "a", " ", "  ", "\n", "\n\n", "\n.", ".", "From ", "\nFrom ", "=", "=_", "=?utf-8?B?YQ==?=", "é", "سلام", "地震", "\xf0\x9f\x86\x98", "\t",
		                              "word ", "a longer word than the others ", "--=_", "\r\n", "\"", "\\", "<b>", "&amp;", "\xc2\xa0", "https://chancery.example/a/0123456789abcdefghijklmnop" };
	struct buf out;
	buf_init(&out);
	for (size_t i = 0; i < pieces; i++) {
		const char *piece = PIECES[rand_below(COUNT_OF(PIECES))];
		size_t times = rand_below(40) == 0 ? 1 + rand_below(300) : 1;
		for (size_t k = 0; k < times && out.len < 20000; k++)
			buf_add_str(&out, str_from(piece));
	}
	struct str text = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return text;
}

/* With LF at its lines' ends, and one line end at its end, where a mail's text has it. */
static struct str plain_lines(struct arena *arena, struct str text)
{
	struct buf out;
	buf_init(&out);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\r' || i + 1 == text.len || text.ptr[i + 1] != '\n')
			buf_add_char(&out, text.ptr[i]);
	while (out.len > 0 && out.ptr[out.len - 1] == '\n')
		out.len--;
	struct str plain = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return plain;
}

static struct str on_one_line(struct arena *arena, struct str text)
{
	char *line = (char *)(uintptr_t)str_copy(arena, text).ptr;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	return str_trim((struct str){ line, text.len });
}

/* Whatever is written, another program reads the same; and what goes over the wire is seven bits in lines no relay breaks. */
static void what_is_written_is_read(void **state)
{
	struct fixture *f = *state;
	struct buf out;
	buf_init(&out);
	for (size_t round = 0; round < 400; round++) {
		struct arena arena;
		struct smtp_envelope envelope;
		enum channel_fault fault;
		struct mail_view v;
		arena_init(&arena);
		struct channel_mail mail = sample("m.1@chancery.example");
		mail.text = random_text(&arena, rand_below(120));
		mail.html = round % 3 ? random_text(&arena, 1 + rand_below(120)) : S("");
		mail.subject = str_slice(random_text(&arena, rand_below(12)), 0, 1000);
		if (!utf8_valid(mail.subject))
			mail.subject = S("x");
		struct channel_message message = { .id = 1, .to = S("p1@example.org"), .mail = &mail };
		buf_clear(&out);
		assert_null(smtp_compose(&message, &out, &envelope, &fault));
		mailbox_view(&arena, buf_str(&out), &v);
		struct str wanted = plain_lines(&arena, mail.text), got = plain_lines(&arena, v.text);
		assert_true(str_equal(got, wanted));
		assert_true(str_equal(plain_lines(&arena, v.html), plain_lines(&arena, mail.html)));
		assert_text(str_trim(v.subject), str_c(&arena, on_one_line(&arena, mail.subject)));
		size_t column = 0;
		for (size_t i = 0; i < out.len; i++) {
			assert_true((unsigned char)out.ptr[i] < 0x80);
			assert_int_equal(out.ptr[i] == '\n', i > 0 && out.ptr[i - 1] == '\r' && out.ptr[i] == '\n');
			column = out.ptr[i] == '\n' ? 0 : column + 1;
			assert_true(column <= 998);
		}
		arena_release(&arena);
	}
	(void)f;
	buf_release(&out);
}

static void what_cannot_be_sent_is_reported_once(void **state)
{
	struct fixture *f = *state;
	begin(f, 0);
	struct channel_mail mail = sample("");
	struct channel_message message = { 3, S("p1@example.org"), .mail = &mail };
	assert_int_equal(channel_submit(f->engine.channel, &message, 1), 1);
	assert_true(wait_for(&f->engine, &f->engine.results, 1));
	assert_int_equal(f->engine.last.part, CHANNEL_WHOLE_MESSAGE);
	assert_int_equal(f->engine.last.outcome, CHANNEL_REFUSED);
	assert_int_equal(f->engine.last.fault, CHANNEL_FAULT_MESSAGE);
	struct channel *none = NULL;
	f->settings.host = S("127.0.0.1/evil");
	assert_int_equal(smtp_channel_new(&f->settings, &none, &f->err), INVALID);
	f->settings.host = S("127.0.0.1");
	f->settings.connections = SMTP_CONNECTIONS_MAX + 1;
	assert_int_equal(smtp_channel_new(&f->settings, &none, &f->err), INVALID);
	assert_null(none);
}

/* What a mailbox of the simulator answers is what the reader of incoming mail understands. */
static void mailboxes_answer(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/simulator-mail-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	f->simulator.options.mail_command = str_format(&f->arena, "cat > %s", path);
	begin(f, 1);
	assert_true(wait_for(&f->engine, &f->engine.results, 1));
	static const struct {
		bool bounce, automatic;
	} CASES[] = { { false, false }, { false, true }, { true, false } };
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct mailbox_letter letter = { .mailbox = S("p1@example.org"), .to = S(""), .subject = S(""), .text = CASES[i].bounce ? S("") : S("HELP آب نداریم"),
			                         .bounce = CASES[i].bounce, .automatic = CASES[i].automatic };
		assert_int_equal(simulator_mailbox_send(&f->simulator, &letter, &f->err), OK);
		char raw[8192];
		ssize_t size = pread(fd, raw, sizeof raw, 0);
		assert_true(size > 0);
		struct incoming_mail mail;
		assert_int_equal(mail_read(&f->arena, (struct str){ raw, (size_t)size }, &mail, &f->err), OK);
		assert_int_equal(mail.automatic, CASES[i].bounce || CASES[i].automatic);
		assert_int_equal(mail.bounce.is_bounce, CASES[i].bounce);
		if (CASES[i].bounce) {
			assert_text(mail.token, "t0ken");
			assert_text(mail.bounce.message_id, "m.1@chancery.example");
			assert_int_equal(mail.bounce.fault, MAIL_FAULT_RECIPIENT);
		} else {
			assert_text(mail.text, "HELP آب نداریم");
			assert_text(mail.in_reply_to, "m.1@chancery.example");
			assert_text(mail.token, CASES[i].automatic ? "t0ken" : "r3ply");
			assert_text(mail.from, "p1@example.org");
		}
	}
	close(fd);
	unlink(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(mails_arrive_once_and_as_they_were_written), TEST(refusals_are_told_apart), TEST(refused_at_the_recipient),
		TEST(a_cut_after_the_mail_is_in_doubt), TEST(a_relay_that_is_away_gives_mails_back), TEST(silence_is_doubt),
		TEST(headers_cannot_be_injected), TEST(what_is_written_is_read), TEST(what_cannot_be_sent_is_reported_once), TEST(mailboxes_answer),
	};
	return cmocka_run_group_tests_name("smtp_channel", tests, NULL, NULL);
}
