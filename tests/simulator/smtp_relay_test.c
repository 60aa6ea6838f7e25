/* The mail channel against a relay with the habits of real ones (odd_relay.py): TLS and its proof, login, what is not offered, odd answers. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/channel/smtp/smtp.h"

#define MESSAGES_MAX 64
#define WAIT (30 * CLOCK_SECOND)

extern char **environ;

struct rig {
	char folder[40];
	pid_t relay;
	FILE *said;              /* by the relay */
	int stop;                /* closing it ends the relay */
	struct arena arena;
	struct err err;
	struct smtp_relay_settings settings;
	struct channel *channel;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t count, downs;
	struct channel_result results[MESSAGES_MAX]; /* by message */
	char texts[MESSAGES_MAX][400];
	char reason[200];
};

static void on_results(void *context, struct channel *channel, const struct channel_result *results, size_t count)
{
	struct rig *rig = context;
	(void)channel;
	pthread_mutex_lock(&rig->lock);
	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)results[i].message;
		rig->results[at] = results[i];
		snprintf(rig->texts[at], sizeof rig->texts[at], "%.*s", STR_ARG(results[i].text));
		rig->count++;
	}
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
}

static void on_receipts(void *context, struct channel *channel, const struct channel_receipt *receipts, size_t count)
{
	(void)context, (void)channel, (void)receipts, (void)count;
}

static void on_incoming(void *context, struct channel *channel, const struct channel_incoming *incoming, size_t count)
{
	(void)context, (void)channel, (void)incoming, (void)count;
}

static void on_state(void *context, struct channel *channel, bool up, struct str reason)
{
	struct rig *rig = context;
	(void)channel;
	pthread_mutex_lock(&rig->lock);
	if (!up) {
		rig->downs++;
		snprintf(rig->reason, sizeof rig->reason, "%.*s", STR_ARG(reason));
	}
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
}

static void on_room(void *context, struct channel *channel)
{
	(void)context, (void)channel;
}

static const struct channel_events EVENTS = { on_results, on_receipts, on_incoming, on_state, on_room };

/* Starts the relay with `options` (NULL at the end), and the channel if `start`. */
static void relay_start(struct rig *rig, const char *const *options)
{
	char *argv[12] = { "python3", "tests/simulator/odd_relay.py", rig->folder };
	size_t count = 3;
	for (; options && *options; options++)
		argv[count++] = (char *)(uintptr_t)*options;
	int in[2], out[2];
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addclose(&actions, in[1]);
	posix_spawn_file_actions_addclose(&actions, out[0]);
	assert_int_equal(posix_spawnp(&rig->relay, "python3", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	rig->stop = in[1];
	rig->said = fdopen(out[0], "r");
	char line[40];
	int64_t port;
	assert_non_null(fgets(line, sizeof line, rig->said));
	assert_true(str_starts(str_from(line), S("port ")));
	assert_true(str_to_int(str_trim(str_slice(str_from(line), 5, SIZE_MAX)), &port));
	rig->settings.port = (uint16_t)port;
}

static void channel_begin(struct rig *rig)
{
	assert_int_equal(smtp_channel_new(&rig->settings, &rig->channel, &rig->err), OK);
	assert_int_equal(channel_start(rig->channel, &EVENTS, rig, &rig->err), OK);
}

static void submit(struct rig *rig, int64_t id, const char *to)
{
	struct channel_mail mail = {
		.envelope_from = S("bounce+t0ken@chancery.example"), .from_address = S("alerts@chancery.example"), .from_name = S("Ministère"),
		.subject = S("Alerte"), .text = S("Bonjour\n"), .message_id = S("m.1@chancery.example"), .date = INT64_C(1795519800) * CLOCK_SECOND,
	};
	struct channel_message message = { .id = id, .to = str_from(to), .mail = &mail };
	int64_t until = clock_monotonic() + WAIT;
	while (channel_submit(rig->channel, &message, 1) == 0 && clock_monotonic() < until)
		usleep(5000);
}

static void wait_for(struct rig *rig, const size_t *what, size_t count)
{
	int64_t until = clock_monotonic() + WAIT;
	struct timespec at = { .tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND * 1000 };
	int code = 0;
	pthread_mutex_lock(&rig->lock);
	while (*what < count && code == 0)
		code = pthread_cond_timedwait(&rig->changed, &rig->lock, &at);
	assert_true(*what >= count);
	pthread_mutex_unlock(&rig->lock);
}

static void expect_line(struct rig *rig, const char *want)
{
	char line[500];
	assert_non_null(fgets(line, sizeof line, rig->said));
	assert_string_equal(str_c(&rig->arena, str_trim(str_from(line))), want);
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	log_set_level(LOG_ERROR);
	arena_init(&rig->arena);
	err_init(&rig->err, &rig->arena);
	snprintf(rig->folder, sizeof rig->folder, "/tmp/chancery-relay-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&rig->lock, NULL);
	pthread_cond_init(&rig->changed, &attributes);
	rig->settings = smtp_relay_defaults();
	rig->settings.name = S("relay");
	rig->settings.host = S("localhost");
	rig->settings.connections = 2;
	rig->settings.retry_first = CLOCK_SECOND / 50;
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	channel_free(rig->channel);
	close(rig->stop);
	fclose(rig->said);
	waitpid(rig->relay, NULL, 0);
	unlink(str_format(&rig->arena, "%s/ca.pem", rig->folder).ptr);
	unlink(str_format(&rig->arena, "%s/key.pem", rig->folder).ptr);
	rmdir(rig->folder);
	pthread_cond_destroy(&rig->changed);
	pthread_mutex_destroy(&rig->lock);
	arena_release(&rig->arena);
	free(rig);
	return 0;
}

static void one_by_tls(struct rig *rig, const char *option, enum smtp_tls tls)
{
	relay_start(rig, (const char *const[]){ option, "--auth", "chancery:s3cret pass", NULL });
	rig->settings.tls = tls;
	rig->settings.ca_file = str_format(&rig->arena, "%s/ca.pem", rig->folder);
	rig->settings.user = S("chancery");
	rig->settings.password = S("s3cret pass");
	channel_begin(rig);
	submit(rig, 1, "sara@example.org");
	submit(rig, 2, "ali@example.org");
	wait_for(rig, &rig->count, 2);
	assert_int_equal(rig->results[1].outcome, CHANNEL_ACCEPTED);
	assert_int_equal(rig->results[2].outcome, CHANNEL_ACCEPTED);
	char line[500];
	assert_non_null(fgets(line, sizeof line, rig->said));
	assert_true(str_starts(str_from(line), S("mail tls chancery bounce+t0ken@chancery.example ")));
}

static void starttls_and_login(void **state)
{
	one_by_tls(*state, "--starttls", SMTP_TLS_REQUIRED);
}

static void tls_from_the_first_byte(void **state)
{
	one_by_tls(*state, "--implicit", SMTP_TLS_IMPLICIT);
}

/* Nothing leaves: mails come back, the operator is told why. */
static void expect_nothing_leaves(struct rig *rig)
{
	channel_begin(rig);
	submit(rig, 1, "sara@example.org");
	wait_for(rig, &rig->count, 1);
	wait_for(rig, &rig->downs, 1);
	assert_int_equal(rig->results[1].outcome, CHANNEL_RETURNED);
	assert_true(strlen(rig->reason) > 10);
}

static void a_certificate_that_does_not_hold(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, (const char *const[]){ "--starttls", NULL });
	rig->settings.tls = SMTP_TLS_REQUIRED; /* the system's certificates do not vouch for it */
	expect_nothing_leaves(rig);
}

static void a_certificate_of_another_host(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, (const char *const[]){ "--starttls", NULL });
	rig->settings.tls = SMTP_TLS_REQUIRED;
	rig->settings.ca_file = str_format(&rig->arena, "%s/ca.pem", rig->folder);
	rig->settings.host = S("127.0.0.1");
	expect_nothing_leaves(rig);
}

static void a_relay_without_tls(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, NULL);
	rig->settings.tls = SMTP_TLS_REQUIRED;
	expect_nothing_leaves(rig);
}

static void a_wrong_password(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, (const char *const[]){ "--auth", "chancery:other", NULL });
	rig->settings.user = S("chancery");
	rig->settings.password = S("wrong");
	expect_nothing_leaves(rig);
}

static void addresses_beyond_ascii(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, NULL);
	channel_begin(rig);
	submit(rig, 1, "sara@bücher.example");
	wait_for(rig, &rig->count, 1);
	expect_line(rig, "mail plain - bounce+t0ken@chancery.example sara@xn--bcher-kva.example -");
	submit(rig, 2, "سارا@example.org");
	wait_for(rig, &rig->count, 2);
	expect_line(rig, "mail plain - bounce+t0ken@chancery.example سارا@example.org BODY=8BITMIME SMTPUTF8");
	submit(rig, 3, "sara@xn--.\xd9\x80.example"); /* no name at all */
	wait_for(rig, &rig->count, 3);
	assert_int_equal(rig->results[3].outcome, CHANNEL_REFUSED);
	assert_int_equal(rig->results[3].fault, CHANNEL_FAULT_RECIPIENT);
}

static void a_relay_without_smtputf8(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, (const char *const[]){ "--no-smtputf8", NULL });
	channel_begin(rig);
	submit(rig, 1, "سارا@example.org");
	wait_for(rig, &rig->count, 1);
	assert_int_equal(rig->results[1].outcome, CHANNEL_REFUSED);
	assert_int_equal(rig->results[1].fault, CHANNEL_FAULT_MESSAGE); /* nothing against the address */
	assert_non_null(strstr(rig->texts[1], "SMTPUTF8"));
	submit(rig, 2, "sara@bücher.example");
	wait_for(rig, &rig->count, 2);
	assert_int_equal(rig->results[2].outcome, CHANNEL_ACCEPTED);
}

static const struct {
	const char *to;
	enum channel_outcome outcome;
	enum channel_fault fault;
	uint32_t code;
	const char *text;
} ODD[] = {
	{ "sara@example.org", CHANNEL_ACCEPTED, CHANNEL_FAULT_NONE, 250, "250 2.0.0 taken" },
	{ "nobody@example.org", CHANNEL_REFUSED, CHANNEL_FAULT_RECIPIENT, 550, "550-5.1.1 The mailbox that you 5.1.1 wrote to: user unknown" },
	{ "ask-anyway@example.org", CHANNEL_REFUSED, CHANNEL_FAULT_RECIPIENT, 550, "550 5.1.1 user unknown" },
	{ "sara@example.org", CHANNEL_ACCEPTED, CHANNEL_FAULT_NONE, 250, "250 2.0.0 taken" },
	{ "not-now@example.org", CHANNEL_REFUSED, CHANNEL_FAULT_TEMPORARY, 451, "451 4.3.0 not now" },
	{ "spam@example.org", CHANNEL_REFUSED, CHANNEL_FAULT_MESSAGE, 554, "554 5.7.1 spam" },
	{ "slow-down@example.org", CHANNEL_REFUSED, CHANNEL_FAULT_THROTTLE, 450, "450 4.7.1 too fast" },
	{ "closing@example.org", CHANNEL_RETURNED, CHANNEL_FAULT_NONE, 421, "421 4.3.2 closing" },
	{ "closing-at-dot@example.org", CHANNEL_RETURNED, CHANNEL_FAULT_NONE, 421, "421 4.3.2 closing" },
	{ "cut-at-data@example.org", CHANNEL_RETURNED, CHANNEL_FAULT_NONE, 0, "the relay closed the connection" },
	{ "cut-at-dot@example.org", CHANNEL_IN_DOUBT, CHANNEL_FAULT_NONE, 0, "the relay closed the connection" },
	{ "babble@example.org", CHANNEL_RETURNED, CHANNEL_FAULT_NONE, 0, "the relay does not speak SMTP" },
	{ "sara@example.org", CHANNEL_ACCEPTED, CHANNEL_FAULT_NONE, 250, "250 2.0.0 taken" },
};

static void expect_odd(struct rig *rig, size_t i)
{
	const struct channel_result *r = &rig->results[i + 1];
	if (r->outcome != ODD[i].outcome || r->fault != ODD[i].fault || r->code != ODD[i].code || strcmp(rig->texts[i + 1], ODD[i].text) != 0)
		fail_msg("%s: outcome %d, fault %d, code %u, \"%s\"", ODD[i].to, (int)r->outcome, (int)r->fault, r->code, rig->texts[i + 1]);
}

/* Each alone, on whatever connection the one before left. */
static void odd_answers(struct rig *rig)
{
	channel_begin(rig);
	for (size_t i = 0; i < COUNT_OF(ODD); i++) {
		submit(rig, (int64_t)i + 1, ODD[i].to);
		wait_for(rig, &rig->count, i + 1);
		expect_odd(rig, i);
	}
}

static void odd_answers_with_pipelining(void **state)
{
	relay_start(*state, NULL);
	odd_answers(*state);
}

static void odd_answers_one_by_one(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, (const char *const[]){ "--no-pipelining", NULL });
	odd_answers(rig);
	for (int i = 0; i < 3; i++) /* and never a command before the answer to the one before */
		expect_line(rig, "mail plain - bounce+t0ken@chancery.example sara@example.org -");
}

/* One mail's fate is not its neighbour's: all at once on one connection. What was behind a cut comes back. */
static void odd_answers_side_by_side(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, NULL);
	rig->settings.connections = 1;
	channel_begin(rig);
	size_t refusals = 7; /* those that leave the connection */
	for (size_t round = 0; round < 4; round++)
		for (size_t i = 0; i < refusals; i++)
			submit(rig, (int64_t)(round * refusals + i) + 1, ODD[i].to);
	wait_for(rig, &rig->count, 4 * refusals);
	for (size_t round = 0; round < 4; round++)
		for (size_t i = 0; i < refusals; i++) {
			rig->results[i + 1] = rig->results[round * refusals + i + 1];
			if (round)
				memcpy(rig->texts[i + 1], rig->texts[round * refusals + i + 1], sizeof rig->texts[0]);
			expect_odd(rig, i);
		}
}

/* Two mails never answered hold up their connections; what went behind them in the same breath goes another way. */
static void a_slow_mail_holds_up_nobody(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, NULL);
	rig->settings.connections = 3;
	channel_begin(rig);
	for (int64_t id = 1; id <= 3; id++) /* all connections stand */
		submit(rig, id, "sara@example.org");
	wait_for(rig, &rig->count, 3);
	int64_t started = clock_monotonic();
	submit(rig, 4, "hang@example.org");
	submit(rig, 5, "hang@example.org");
	for (int64_t id = 6; id <= 30; id++)
		submit(rig, id, "sara@example.org");
	wait_for(rig, &rig->count, 28);
	assert_true(clock_monotonic() - started < 20 * CLOCK_SECOND);
	for (size_t id = 6; id <= 30; id++)
		assert_int_equal(rig->results[id].outcome, CHANNEL_ACCEPTED);
	channel_stop(rig->channel, 0);
	assert_int_equal(rig->count, 30);
	assert_int_equal(rig->results[4].outcome, CHANNEL_IN_DOUBT);
	assert_int_equal(rig->results[5].outcome, CHANNEL_IN_DOUBT);
}

/* A relay that wants a new connection now and then is no broken relay. */
static void few_mails_a_connection(void **state)
{
	struct rig *rig = *state;
	relay_start(rig, (const char *const[]){ "--mails-per-connection", "3", NULL });
	channel_begin(rig);
	size_t accepted = 0;
	for (int64_t id = 1; id <= 20; id++) {
		submit(rig, id, "sara@example.org");
		wait_for(rig, &rig->count, (size_t)id);
		/* The relay's 421 may cross with a mail that is just beginning. */
		assert_true(rig->results[id].outcome == CHANNEL_ACCEPTED || rig->results[id].outcome == CHANNEL_RETURNED);
		accepted += rig->results[id].outcome == CHANNEL_ACCEPTED;
	}
	assert_true(accepted >= 14);
	assert_int_equal(rig->downs, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(starttls_and_login),         TEST(tls_from_the_first_byte),  TEST(a_certificate_that_does_not_hold), TEST(a_certificate_of_another_host),
		TEST(a_relay_without_tls),        TEST(a_wrong_password),         TEST(addresses_beyond_ascii),           TEST(a_relay_without_smtputf8),
		TEST(odd_answers_with_pipelining), TEST(odd_answers_one_by_one), TEST(odd_answers_side_by_side),         TEST(few_mails_a_connection),
		TEST(a_slow_mail_holds_up_nobody),
	};
	return cmocka_run_group_tests_name("smtp_relay", tests, NULL, NULL);
}
