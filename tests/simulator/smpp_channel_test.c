/* The SMS channel against the simulated SMS centre, over a real socket. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/channel/smpp/smpp.h"
#include "base/base.h"
#include "kernel/smpp/smpp.h"
#include "tests/simulator/simulator.h"
#include "tests/simulator/tls_peer.h"

#define MESSAGES_MAX 200000
#define WAIT (20 * CLOCK_SECOND)

/* An engine as small as can be: submits messages 1..wanted as there is room, and writes down what it is told. */
struct engine {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct channel *channel;
	size_t wanted, next, part_count;
	bool again;                     /* send throttled, busy and returned ones once more, as an engine does */
	bool refuse_first;              /* answer the first receipts and messages 'not stored' */
	size_t *queue;                  /* numbers to send again */
	size_t queue_count;
	uint8_t *accepted, *doubt, *refused, *returned, *late, *delivered, *failed; /* by number: how often */
	uint64_t *key;
	struct channel_result last_refusal;
	size_t ended; /* accepted or in doubt */
	char down_reason[200];
	size_t results, receipts, unmatched, incoming, ups, downs, refused_tickets, pending;
	char incoming_text[512];
	struct channel_incoming last_incoming;
	char incoming_from[32];
};

static const struct channel_part PARTS[] = {
	{ 0, 0x40, { "\x05\x00\x03\x07\x03\x01one ", 10 } },
	{ 0, 0x40, { "\x05\x00\x03\x07\x03\x02two ", 10 } },
	{ 0, 0x40, { "\x05\x00\x03\x07\x03\x03three", 11 } },
};

/* With the lock held; submits what there is room for. */
static void submit_more(struct engine *e)
{
	while (e->next <= e->wanted || e->queue_count > 0) {
		size_t number = e->queue_count > 0 ? e->queue[e->queue_count - 1] : e->next;
		char to[24], text[64];
		snprintf(to, sizeof to, "+1555%07zu", number);
		size_t length = (size_t)snprintf(text, sizeof text, "Message #M%zu", number);
		struct channel_part single = { 0, 0, { text, length } };
		struct channel_sms sms = { .sender = S("4411"), .parts = e->part_count > 1 ? PARTS : &single, .part_count = e->part_count,
			                   .expires = clock_now() + CLOCK_HOUR, .receipt = true };
		struct channel_message message = { .id = (int64_t)number, .to = str_from(to), .sms = &sms };
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
		if (r->late)
			e->late[n]++;
		if (r->outcome == CHANNEL_ACCEPTED) {
			e->accepted[n]++;
			e->key[n] = r->key;
		} else if (r->outcome == CHANNEL_IN_DOUBT) {
			e->doubt[n]++;
		} else if (r->outcome == CHANNEL_RETURNED) {
			e->returned[n]++;
		} else {
			e->refused[n]++;
			e->last_refusal = *r;
		}
		if (!r->late && (r->outcome == CHANNEL_ACCEPTED || r->outcome == CHANNEL_IN_DOUBT))
			e->ended++;
		bool retry = r->outcome == CHANNEL_RETURNED || (r->outcome == CHANNEL_REFUSED &&
		             (r->fault == CHANNEL_FAULT_THROTTLE || r->fault == CHANNEL_FAULT_TEMPORARY));
		if (e->again && retry)
			e->queue[e->queue_count++] = n;
	}
	submit_more(e);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

static void on_receipts(void *context, struct channel *channel, const struct channel_receipt *receipts, size_t count)
{
	struct engine *e = context;
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < count; i++) {
		const struct channel_receipt *r = &receipts[i];
		bool stored = !(e->refuse_first && e->refused_tickets < 5);
		if (stored) {
			/* The phone's number says which message it is; the keys must agree. */
			int64_t n = 0;
			bool number = str_starts(r->from, S("+1555")) && str_to_int(str_slice(r->from, 5, r->from.len), &n);
			bool match = false;
			for (size_t k = 0; number && k < r->key_count; k++)
				match = match || r->keys[k] == e->key[n];
			e->receipts++;
			if (!match)
				e->unmatched++;
			else if (r->delivery == CHANNEL_DELIVERY_DELIVERED)
				e->delivered[n]++;
			else if (r->delivery == CHANNEL_DELIVERY_FAILED)
				e->failed[n]++;
			else if (r->delivery == CHANNEL_DELIVERY_PENDING)
				e->pending++;
		} else {
			e->refused_tickets++;
		}
		channel_acknowledge(channel, &r->ticket, 1, stored);
	}
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

static void on_incoming(void *context, struct channel *channel, const struct channel_incoming *incoming, size_t count)
{
	struct engine *e = context;
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < count; i++) {
		e->incoming++;
		e->last_incoming = incoming[i];
		snprintf(e->incoming_text, sizeof e->incoming_text, "%.*s", STR_ARG(incoming[i].bytes));
		snprintf(e->incoming_from, sizeof e->incoming_from, "%.*s", STR_ARG(incoming[i].from));
		channel_acknowledge(channel, &incoming[i].ticket, 1, true);
	}
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

static void on_state(void *context, struct channel *channel, bool up, struct str reason)
{
	struct engine *e = context;
	(void)channel;
	pthread_mutex_lock(&e->lock);
	if (!up)
		snprintf(e->down_reason, sizeof e->down_reason, "%.*s", STR_ARG(reason));
	if (up)
		e->ups++;
	else
		e->downs++;
	submit_more(e);
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
	struct smpp_route_settings settings;
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
	struct engine *e = &f->engine;
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, &attributes);
	e->next = 1;
	e->part_count = 1;
	e->queue = calloc(MESSAGES_MAX, sizeof *e->queue);
	e->key = calloc(MESSAGES_MAX, sizeof *e->key);
	uint8_t **counts[] = { &e->accepted, &e->doubt, &e->refused, &e->returned, &e->late, &e->delivered, &e->failed };
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		*counts[i] = calloc(MESSAGES_MAX, 1);
	f->settings = smpp_route_defaults();
	f->settings.name = S("test");
	f->settings.host = S("127.0.0.1");
	f->settings.port = f->simulator.smpp_port;
	f->settings.system_id = S("chancery");
	f->settings.password = S("secret");
	f->settings.retry_first = CLOCK_SECOND / 50;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct engine *e = &f->engine;
	channel_free(e->channel);
	simulator_stop(&f->simulator);
	uint8_t *counts[] = { e->accepted, e->doubt, e->refused, e->returned, e->late, e->delivered, e->failed };
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		free(counts[i]);
	free(e->queue);
	free(e->key);
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
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
	assert_int_equal(smpp_channel_new(&f->settings, &f->engine.channel, &f->err), OK);
	assert_int_equal(channel_start(f->engine.channel, &EVENTS, &f->engine, &f->err), OK);
}

/* Waits until *what reaches `count`. */
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

/* --- tests ------------------------------------------------------------------------------------------------ */

static void every_message_arrives_once_and_its_receipt_finds_it(void **state)
{
	struct fixture *f = *state;
	const size_t n = 20000;
	faults(f, "receipt_style", RECEIPT_MIXED);
	begin(f, n);
	assert_true(wait_for(&f->engine, &f->engine.results, n));
	assert_true(wait_for(&f->engine, &f->engine.receipts, n));
	assert_int_equal(sum(f->engine.accepted, n), n);
	assert_int_equal(f->engine.unmatched, 0);
	for (size_t i = 1; i <= n; i++)
		assert_int_equal(f->engine.delivered[i], 1);
	struct store_counts counts = counts_of(f);
	assert_int_equal(counts.received[BOX_PHONE], n);
	assert_int_equal(counts.doubled[BOX_PHONE], 0);
	channel_stop(f->engine.channel, CLOCK_SECOND);
	assert_int_equal(counts_of(f).of[COUNT_RECEIPTS_ACKNOWLEDGED], n);
	assert_int_equal(f->engine.ups, 1);
	assert_int_equal(f->engine.downs, 1);
}

static void the_window_is_never_exceeded(void **state)
{
	struct fixture *f = *state;
	faults(f, "latency_ms", 5);
	faults(f, "window_limit", 10); /* the eleventh unanswered submit would be refused */
	f->settings.window = 10;
	begin(f, 500);
	assert_true(wait_for(&f->engine, &f->engine.results, 500));
	assert_int_equal(sum(f->engine.accepted, 500), 500);
	assert_int_equal(counts_of(f).of[COUNT_THROTTLED], 0);
}

static void long_messages_are_reported_by_part_and_go_through_a_small_window(void **state)
{
	struct fixture *f = *state;
	f->settings.window = 2; /* smaller than one message */
	faults(f, "window_limit", 2);
	faults(f, "latency_ms", 1);
	f->engine.part_count = 3;
	begin(f, 50);
	assert_true(wait_for(&f->engine, &f->engine.results, 150));
	for (size_t i = 1; i <= 50; i++)
		assert_int_equal(f->engine.accepted[i], 3);
	assert_int_equal(counts_of(f).of[COUNT_THROTTLED], 0);
	struct store_message *messages;
	assert_int_equal(store_list(f->simulator.store, &f->arena, BOX_PHONE, S("+15550000001"), 0, 10, &messages), 1);
	assert_true(str_equal(messages[0].body, S("one two three")));
	assert_int_equal(messages[0].parts, 3);
}

static void refusals_say_whose_fault_it_is(void **state)
{
	struct fixture *f = *state;
	faults(f, "reject_percent", 100);
	begin(f, 10);
	assert_true(wait_for(&f->engine, &f->engine.results, 10));
	assert_int_equal(sum(f->engine.refused, 10), 10);
	assert_int_equal(f->engine.last_refusal.fault, CHANNEL_FAULT_RECIPIENT);
	assert_int_equal(f->engine.last_refusal.code, 0x0B);
	assert_int_equal(counts_of(f).received[BOX_PHONE], 0);
}

static void what_cannot_be_sent_is_reported_once(void **state)
{
	struct fixture *f = *state;
	begin(f, 0);
	assert_true(wait_for(&f->engine, &f->engine.ups, 1));
	char big[CHANNEL_PART_BYTES_MAX + 1] = "";
	struct channel_part good = { 0, 0, S("x") }, bad = { 0, 0, { big, sizeof big } };
	struct channel_sms fine = { .parts = &good, .part_count = 1 }, none = { .parts = &good, .part_count = 0 },
			   much = { .parts = &bad, .part_count = 1 }, who = { .sender = S("far too long a name"), .parts = &good, .part_count = 1 };
	struct channel_message messages[] = {
		{ 1, S("+15550000001"), &none, NULL }, { 2, S("+15550000001"), &much, NULL },  { 3, S("not a number"), &fine, NULL },
		{ 4, S(""), &fine, NULL },             { 5, S("+15550000001"), &who, NULL },   { 6, S("+1555000000112345"), &fine, NULL },
		{ 7, S("+15550000001"), &fine, NULL },
	};
	assert_int_equal(channel_submit(f->engine.channel, messages, COUNT_OF(messages)), COUNT_OF(messages));
	assert_true(wait_for(&f->engine, &f->engine.results, COUNT_OF(messages)));
	for (size_t i = 1; i <= 6; i++)
		assert_int_equal(f->engine.refused[i], 1);
	assert_int_equal(f->engine.accepted[7], 1);
	assert_int_equal(f->engine.last_refusal.part, CHANNEL_WHOLE_MESSAGE);
	struct channel_counters counters;
	channel_counters(f->engine.channel, &counters);
	assert_int_equal(counters.outstanding, 0);
}

static void throttling_slows_down_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	faults(f, "throttle_per_second", 300);
	faults(f, "receipts", 0);
	f->engine.again = true;
	f->settings.rate = 1000;
	begin(f, 600);
	assert_true(wait_for(&f->engine, &f->engine.ended, 600));
	assert_int_equal(sum(f->engine.accepted, 600), 600);
	struct channel_counters counters;
	channel_counters(f->engine.channel, &counters);
	assert_true(counters.throttled > 0);
	assert_true(counters.throttled < 400); /* one window's worth each time, not hammering */
	assert_true(counters.rate < 1000);
	assert_int_equal(counts_of(f).doubled[BOX_PHONE], 0);
}

static void a_cut_leaves_exactly_the_unanswered_in_doubt(void **state)
{
	struct fixture *f = *state;
	const size_t n = 3000;
	faults(f, "cut_every", 250);
	faults(f, "receipts", 0);
	f->engine.again = true;
	f->settings.window = 20;
	begin(f, n);
	assert_true(wait_for(&f->engine, &f->engine.ended, n));
	channel_stop(f->engine.channel, CLOCK_SECOND);
	size_t arrived_accepted = 0, doubt_total = sum(f->engine.doubt, n);
	for (size_t i = 1; i <= n; i++) {
		char phone[24];
		struct store_box box;
		snprintf(phone, sizeof phone, "+1555%07zu", i);
		bool arrived = store_box(f->simulator.store, BOX_PHONE, str_from(phone), &box);
		if (f->engine.accepted[i]) {
			assert_true(arrived);
			assert_int_equal(box.received, 1);
			arrived_accepted++;
		}
		assert_int_equal(f->engine.accepted[i] + f->engine.doubt[i], 1);
		if (arrived)
			assert_int_equal(box.received, 1); /* nothing returned had been taken */
	}
	assert_true(arrived_accepted > n / 2);
	assert_true(doubt_total >= 10);                         /* at least the one of each cut */
	assert_true(doubt_total <= 20 * counts_of(f).of[COUNT_CUT]); /* at most the window of each */
	assert_true(f->engine.downs >= 10);
}

static void silence_becomes_doubt_and_a_late_answer_is_still_told(void **state)
{
	struct fixture *f = *state;
	faults(f, "drop_response_percent", 100);
	f->settings.answer_within = CLOCK_SECOND / 5;
	begin(f, 5);
	assert_true(wait_for(&f->engine, &f->engine.results, 5));
	assert_int_equal(sum(f->engine.doubt, 5), 5);
	faults(f, "late_response_ms", 400);
	pthread_mutex_lock(&f->engine.lock);
	f->engine.wanted = 8;
	submit_more(&f->engine);
	pthread_mutex_unlock(&f->engine.lock);
	assert_true(wait_for(&f->engine, &f->engine.results, 11));
	for (size_t i = 6; i <= 8; i++) {
		assert_int_equal(f->engine.doubt[i], 1);
		assert_int_equal(f->engine.late[i], 1);
		assert_int_equal(f->engine.accepted[i], 1);
	}
	struct channel_counters counters;
	channel_counters(f->engine.channel, &counters);
	assert_int_equal(counters.outstanding, 0);
	assert_int_equal(counters.late, 3);
}

static void receipts_not_stored_come_again(void **state)
{
	struct fixture *f = *state;
	f->engine.refuse_first = true;
	begin(f, 20);
	assert_true(wait_for(&f->engine, &f->engine.receipts, 20));
	assert_int_equal(sum(f->engine.delivered, 20), 20);
	assert_int_equal(f->engine.refused_tickets, 5);
}

static void receipts_out_of_order_twice_and_intermediate(void **state)
{
	struct fixture *f = *state;
	faults(f, "receipt_first", 1);
	faults(f, "receipt_intermediate", 1);
	faults(f, "receipt_double_percent", 100);
	faults(f, "receipt_fail_percent", 100);
	begin(f, 10);
	assert_true(wait_for(&f->engine, &f->engine.receipts, 30));
	assert_true(wait_for(&f->engine, &f->engine.results, 10));
	assert_int_equal(sum(f->engine.delivered, 10), 0);
	assert_int_equal(f->engine.unmatched + f->engine.pending + sum(f->engine.failed, 10), 30);
	assert_true(f->engine.unmatched > 0); /* they came before the answer with the id */
}

static void phones_are_heard(void **state)
{
	struct fixture *f = *state;
	begin(f, 0);
	assert_true(wait_for(&f->engine, &f->engine.ups, 1));
	assert_true(simulator_phone_send(&f->simulator, S("+15550000009"), S(""), S("SAFE")));
	assert_true(wait_for(&f->engine, &f->engine.incoming, 1));
	assert_string_equal(f->engine.incoming_text, "SAFE");
	assert_string_equal(f->engine.incoming_from, "+15550000009");
	assert_int_equal(f->engine.last_incoming.data_coding, 0);
	assert_true(simulator_phone_send(&f->simulator, S("+15550000009"), S("4411"), S("من امن هستم")));
	assert_true(wait_for(&f->engine, &f->engine.incoming, 2));
	assert_int_equal(f->engine.last_incoming.data_coding, 8);
	assert_int_equal(f->engine.last_incoming.esm_class & 0x40, 0);
	char big[401];
	memset(big, 'a', 400);
	big[400] = 0;
	assert_true(simulator_phone_send(&f->simulator, S("+15550000009"), S("4411"), str_from(big)));
	assert_true(wait_for(&f->engine, &f->engine.incoming, 5));
	assert_int_equal(f->engine.last_incoming.esm_class & 0x40, 0x40);
	assert_int_equal(counts_of(f).of[COUNT_RECEIPTS_SENT], 0);
}

static void a_carrier_that_is_away_is_tried_again(void **state)
{
	struct fixture *f = *state;
	faults(f, "refuse_bind", 0x0E);
	f->engine.wanted = 0;
	begin(f, 3);
	assert_true(wait_for(&f->engine, &f->engine.downs, 3));
	assert_int_equal(f->engine.ups, 0);
	assert_int_equal(channel_capacity(f->engine.channel), 0);
	faults(f, "refuse_bind", 0);
	assert_true(wait_for(&f->engine, &f->engine.results, 3));
	assert_int_equal(sum(f->engine.accepted, 3), 3);
}

static void stopping_waits_for_answers_and_reports_the_rest(void **state)
{
	struct fixture *f = *state;
	faults(f, "latency_ms", 100);
	begin(f, 10);
	assert_true(wait_for(&f->engine, &f->engine.ups, 1));
	assert_true(store_wait(f->simulator.store, BOX_PHONE, 10, WAIT));
	channel_stop(f->engine.channel, CLOCK_SECOND);
	assert_int_equal(sum(f->engine.accepted, 10), 10);
	assert_int_equal(f->engine.results, 10);
	/* And again without patience. */
	assert_int_equal(channel_start(f->engine.channel, &EVENTS, &f->engine, &f->err), OK);
	faults(f, "latency_ms", 60000);
	pthread_mutex_lock(&f->engine.lock);
	f->engine.wanted = 20;
	pthread_mutex_unlock(&f->engine.lock);
	assert_true(wait_for(&f->engine, &f->engine.ups, 2));
	assert_true(store_wait(f->simulator.store, BOX_PHONE, 20, WAIT));
	channel_stop(f->engine.channel, 0);
	assert_int_equal(f->engine.results, 20);
	assert_int_equal(sum(f->engine.doubt, 20), 10);
}

static void the_agreed_rate_is_kept(void **state)
{
	struct fixture *f = *state;
	f->settings.rate = 200;
	faults(f, "receipts", 0);
	int64_t start = clock_monotonic();
	begin(f, 220);
	assert_true(wait_for(&f->engine, &f->engine.results, 220));
	int64_t took = clock_monotonic() - start;
	/* 20 are saved up at the start, the rest takes a second. */
	assert_true(took >= 95 * CLOCK_SECOND / 100);
	assert_true(took < 2 * CLOCK_SECOND);
}

/* --- what was agreed -------------------------------------------------------------------------------------------- */

/* A carrier played by the test, PDU by PDU. */
struct carrier {
	int listener, fd;
	struct buf in;
	size_t used;
};

static void carrier_listen(struct carrier *carrier, struct fixture *f)
{
	*carrier = (struct carrier){ .fd = -1 };
	buf_init(&carrier->in);
	carrier->listener = simulator_listen(0, &f->settings.port);
	assert_true(carrier->listener >= 0);
}

static void readable(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&polled, 1, 10000), 1);
}

/* The next PDU; its bytes stay until the next call. */
static struct str carrier_read(struct carrier *carrier)
{
	struct str pdu;
	if (carrier->fd < 0) {
		readable(carrier->listener);
		carrier->fd = accept(carrier->listener, NULL, NULL);
	}
	buf_consume(&carrier->in, carrier->used);
	while (smpp_frame(buf_str(&carrier->in), &pdu) != SMPP_FRAME_WHOLE) {
		char bytes[4096];
		readable(carrier->fd);
		ssize_t n = recv(carrier->fd, bytes, sizeof bytes, 0);
		assert_true(n > 0);
		buf_add(&carrier->in, bytes, (size_t)n);
	}
	carrier->used = pdu.len;
	return pdu;
}

static void carrier_write(struct carrier *carrier, const struct buf *out)
{
	assert_int_equal(send(carrier->fd, out->ptr, out->len, MSG_NOSIGNAL), out->len);
}

static void carrier_accept_bind(struct carrier *carrier, uint32_t command)
{
	struct smpp_pdu pdu;
	struct buf out;
	assert_int_equal(smpp_decode(carrier_read(carrier), &pdu), SMPP_ROK);
	assert_int_equal(pdu.command, command);
	buf_init(&out);
	smpp_put_bind_response(&out, command, SMPP_ROK, pdu.sequence, S("carrier"));
	carrier_write(carrier, &out);
	buf_release(&out);
}

static void carrier_answer(struct carrier *carrier, uint32_t sequence, uint32_t status, const char *id)
{
	struct buf out;
	buf_init(&out);
	smpp_put_message_response(&out, SMPP_SUBMIT_SM, status, sequence, str_from(id));
	carrier_write(carrier, &out);
	buf_release(&out);
}

static void carrier_close(struct carrier *carrier)
{
	if (carrier->fd >= 0)
		close(carrier->fd);
	close(carrier->listener);
	buf_release(&carrier->in);
}

static void what_was_agreed_is_on_the_wire(void **state)
{
	struct fixture *f = *state;
	struct carrier carrier;
	struct smpp_pdu pdu;
	carrier_listen(&carrier, f);
	const struct smpp_status_rule rules[] = { { 0x0B, SMPP_GROUP_TEMPORARY }, { 0x401, SMPP_GROUP_MESSAGE } };
	f->settings.bind = SMPP_ROUTE_TRANSMITTER;
	f->settings.validity = SMPP_ROUTE_VALIDITY_ABSOLUTE;
	f->settings.source_ton = 2;
	f->settings.source_npi = 8;
	f->settings.destination_ton = 0;
	f->settings.destination_npi = 0;
	f->settings.vendor = (struct str){ "\x14\x00\x00\x02\x01\x02", 6 };
	f->settings.status_rules = rules;
	f->settings.status_rule_count = COUNT_OF(rules);
	begin(f, 2);
	carrier_accept_bind(&carrier, SMPP_BIND_TRANSMITTER);
	struct str bytes = carrier_read(&carrier);
	assert_int_equal(smpp_decode(bytes, &pdu), SMPP_ROK);
	assert_int_equal(pdu.command, SMPP_SUBMIT_SM);
	assert_int_equal(pdu.message.source.ton, 2);
	assert_int_equal(pdu.message.source.npi, 8);
	assert_int_equal(pdu.message.destination.ton, 0);
	assert_int_equal(pdu.message.destination.npi, 0);
	assert_true(str_equal(pdu.message.destination.text, S("15550000001")));
	char soonest[17], latest[17];
	smpp_time_absolute(clock_now() + CLOCK_HOUR - 20 * CLOCK_SECOND, soonest);
	smpp_time_absolute(clock_now() + CLOCK_HOUR, latest);
	assert_int_equal(pdu.message.validity_period.len, 16);
	assert_true(memcmp(pdu.message.validity_period.ptr, soonest, 16) >= 0);
	assert_true(memcmp(pdu.message.validity_period.ptr, latest, 16) <= 0);
	assert_true(str_ends(bytes, f->settings.vendor));
	carrier_answer(&carrier, pdu.sequence, 0x0B, "");
	assert_int_equal(smpp_decode(carrier_read(&carrier), &pdu), SMPP_ROK);
	assert_true(wait_for(&f->engine, &f->engine.results, 1));
	assert_int_equal(f->engine.last_refusal.fault, CHANNEL_FAULT_TEMPORARY);
	carrier_answer(&carrier, pdu.sequence, 0x401, "");
	assert_true(wait_for(&f->engine, &f->engine.results, 2));
	assert_int_equal(f->engine.last_refusal.fault, CHANNEL_FAULT_MESSAGE);
	carrier_close(&carrier);
}

static void a_receiver_takes_nothing_and_hears(void **state)
{
	struct fixture *f = *state;
	f->settings.bind = SMPP_ROUTE_RECEIVER;
	begin(f, 3);
	assert_true(wait_for(&f->engine, &f->engine.ups, 1));
	assert_int_equal(channel_capacity(f->engine.channel), 0);
	assert_true(simulator_phone_send(&f->simulator, S("+15550000009"), S(""), S("SAFE")));
	assert_true(wait_for(&f->engine, &f->engine.incoming, 1));
	assert_int_equal(f->engine.next, 1);
	struct channel_counters counters;
	channel_counters(f->engine.channel, &counters);
	assert_int_equal(counters.window, 0);
}

/* --- TLS ------------------------------------------------------------------------------------------------------ */

static struct tls_peer *secured(struct fixture *f, const char *name, char ca_file[64])
{
	snprintf(ca_file, 64, "%s", "/tmp/chancery-tls-XXXXXX");
	int file = mkstemp(ca_file);
	assert_true(file >= 0);
	close(file);
	struct tls_peer *peer = tls_peer_start(name, f->simulator.smpp_port, ca_file);
	assert_non_null(peer);
	f->settings.tls = true;
	f->settings.tls_ca = str_from(ca_file);
	f->settings.port = tls_peer_port(peer);
	return peer;
}

static void unsecured(struct fixture *f, struct tls_peer *peer, const char *ca_file)
{
	channel_free(f->engine.channel);
	f->engine.channel = NULL;
	tls_peer_stop(peer);
	unlink(ca_file);
}

static void tls_carries_everything_both_ways(void **state)
{
	struct fixture *f = *state;
	char ca_file[64];
	const size_t n = 10000;
	struct tls_peer *peer = secured(f, "127.0.0.1", ca_file);
	f->settings.window = 500;
	begin(f, n);
	assert_true(wait_for(&f->engine, &f->engine.results, n));
	assert_true(wait_for(&f->engine, &f->engine.receipts, n));
	assert_int_equal(sum(f->engine.accepted, n), n);
	assert_int_equal(sum(f->engine.delivered, n), n);
	assert_int_equal(f->engine.downs, 0);
	assert_int_equal(tls_peer_handshakes(peer), 1);
	unsecured(f, peer, ca_file);
}

static void a_cut_in_tls_loses_and_doubles_nothing(void **state)
{
	struct fixture *f = *state;
	char ca_file[64];
	const size_t n = 2000;
	struct tls_peer *peer = secured(f, "127.0.0.1", ca_file);
	faults(f, "cut_every", 200);
	faults(f, "receipts", 0);
	f->engine.again = true;
	f->settings.window = 20;
	begin(f, n);
	assert_true(wait_for(&f->engine, &f->engine.ended, n));
	for (size_t i = 1; i <= n; i++) {
		char phone[24];
		struct store_box box;
		snprintf(phone, sizeof phone, "+1555%07zu", i);
		bool arrived = store_box(f->simulator.store, BOX_PHONE, str_from(phone), &box);
		assert_int_equal(f->engine.accepted[i] + f->engine.doubt[i], 1);
		assert_true(arrived || f->engine.doubt[i]);
		if (arrived)
			assert_int_equal(box.received, 1);
	}
	assert_true(f->engine.downs >= 8);
	unsecured(f, peer, ca_file);
}

static void a_certificate_for_another_is_refused(void **state)
{
	struct fixture *f = *state;
	char ca_file[64];
	struct tls_peer *peer = secured(f, "smsc.example", ca_file);
	begin(f, 1);
	assert_true(wait_for(&f->engine, &f->engine.downs, 2));
	assert_int_equal(f->engine.ups, 0);
	assert_non_null(strstr(f->engine.down_reason, "certificate does not hold"));
	channel_free(f->engine.channel);
	/* The name that was agreed, though the address is dialled. */
	f->settings.tls_name = S("smsc.example");
	begin(f, 1);
	assert_true(wait_for(&f->engine, &f->engine.results, 1));
	assert_int_equal(f->engine.accepted[1], 1);
	unsecured(f, peer, ca_file);
}

static void a_certificate_of_nobody_is_refused(void **state)
{
	struct fixture *f = *state;
	char ca_file[64];
	struct tls_peer *peer = secured(f, "127.0.0.1", ca_file);
	f->settings.tls_ca = S(""); /* the system's do not know it */
	begin(f, 1);
	assert_true(wait_for(&f->engine, &f->engine.downs, 2));
	assert_int_equal(f->engine.ups, 0);
	assert_non_null(strstr(f->engine.down_reason, "certificate does not hold"));
	assert_int_equal(counts_of(f).received[BOX_PHONE], 0);
	unsecured(f, peer, ca_file);
}

static void a_carrier_in_the_clear_is_not_taken_for_a_secure_one(void **state)
{
	struct fixture *f = *state;
	struct channel *none = NULL;
	f->settings.tls = true;
	f->settings.connect_within = CLOCK_SECOND / 2;
	begin(f, 1);
	assert_true(wait_for(&f->engine, &f->engine.downs, 2));
	assert_int_equal(f->engine.ups, 0);
	assert_int_equal(counts_of(f).of[COUNT_BINDS], 0);
	f->settings.tls_ca = S("/nonexistent/ca.pem");
	assert_int_equal(smpp_channel_new(&f->settings, &none, &f->err), INVALID);
	assert_null(none);
}

static void wrong_settings_are_refused(void **state)
{
	struct fixture *f = *state;
	struct channel *none = NULL;
	f->settings.window = 0;
	assert_int_equal(smpp_channel_new(&f->settings, &none, &f->err), INVALID);
	f->settings.window = SMPP_WINDOW_MAX + 1;
	assert_int_equal(smpp_channel_new(&f->settings, &none, &f->err), INVALID);
	f->settings.window = 10;
	f->settings.sender = S("twelve chars");
	assert_int_equal(smpp_channel_new(&f->settings, &none, &f->err), INVALID);
	assert_null(none);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_message_arrives_once_and_its_receipt_finds_it),
		TEST(the_window_is_never_exceeded),
		TEST(long_messages_are_reported_by_part_and_go_through_a_small_window),
		TEST(refusals_say_whose_fault_it_is),
		TEST(what_cannot_be_sent_is_reported_once),
		TEST(throttling_slows_down_and_loses_nothing),
		TEST(a_cut_leaves_exactly_the_unanswered_in_doubt),
		TEST(silence_becomes_doubt_and_a_late_answer_is_still_told),
		TEST(receipts_not_stored_come_again),
		TEST(receipts_out_of_order_twice_and_intermediate),
		TEST(phones_are_heard),
		TEST(a_carrier_that_is_away_is_tried_again),
		TEST(stopping_waits_for_answers_and_reports_the_rest),
		TEST(the_agreed_rate_is_kept),
		TEST(what_was_agreed_is_on_the_wire),
		TEST(a_receiver_takes_nothing_and_hears),
		TEST(tls_carries_everything_both_ways),
		TEST(a_cut_in_tls_loses_and_doubles_nothing),
		TEST(a_certificate_for_another_is_refused),
		TEST(a_certificate_of_nobody_is_refused),
		TEST(a_carrier_in_the_clear_is_not_taken_for_a_secure_one),
		TEST(wrong_settings_are_refused),
	};
	return cmocka_run_group_tests_name("smpp_channel", tests, NULL, NULL);
}
