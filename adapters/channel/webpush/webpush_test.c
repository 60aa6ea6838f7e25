/* The channel against a small service of the test's own, which answers by the path it is asked for. */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "adapters/channel/webpush/webpush.h"

#define UA_PUBLIC "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define UA_SECRET "BTBZMqHH6r4Tts7J_aSIgg"
#define SEEN_MOST 400

/* --- the service ------------------------------------------------------------------------------------------------------- */

struct seen {
	char path[128], head[2048];
	size_t body;
};

struct service {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	struct seen seen[SEEN_MOST];
	size_t count;
	atomic_bool ending;
};

/* What is answered to a path: "/410/x" 410; "/413-2000/x" 413 for longer bodies, else 201; "/cut" nothing, "/hang" nothing for long. */
static void answer(struct service *service, int socket, const struct seen *seen)
{
	char text[256], extra[96] = "";
	long status = strtol(seen->path + 1, NULL, 10);

	if (strncmp(seen->path, "/413-2000", 9) == 0)
		status = seen->body > 2000 ? 413 : 201;
	if (strncmp(seen->path, "/403-once", 9) == 0) {
		size_t before = 0;
		for (size_t i = 0; i < service->count; i++)
			before += strcmp(service->seen[i].path, seen->path) == 0;
		status = before > 1 ? 201 : 403;
	}
	if (strncmp(seen->path, "/hang", 5) == 0) {
		for (int i = 0; i < 100 && !service->ending; i++)
			nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		return;
	}
	if (strncmp(seen->path, "/cut", 4) == 0)
		return;
	if (status == 429)
		snprintf(extra, sizeof extra, "Retry-After: 1\r\n");
	if (status == 307)
		snprintf(extra, sizeof extra, "Location: http://127.0.0.1:%u/201/elsewhere\r\n", service->port);
	const int length = snprintf(text, sizeof text, "HTTP/1.1 %ld X\r\n%sContent-Length: 5\r\nConnection: close\r\n\r\nhello", status, extra);
	const ssize_t written = write(socket, text, (size_t)length);
	assert_int_equal(written, length);
}

static void serve_one(struct service *service, int socket)
{
	char bytes[8192];
	size_t length = 0, body = 0;
	const char *end = NULL;
	struct seen seen = { "", "", 0 };

	while (length < sizeof bytes - 1) {
		const ssize_t got = read(socket, bytes + length, sizeof bytes - 1 - length);
		if (got <= 0)
			return;
		length += (size_t)got;
		bytes[length] = 0;
		end = strstr(bytes, "\r\n\r\n");
		if (!end)
			continue;
		const char *size = strstr(bytes, "Content-Length: ");
		body = size ? (size_t)strtoul(size + 16, NULL, 10) : 0;
		if (length >= (size_t)(end - bytes) + 4 + body)
			break;
	}
	assert_non_null(end);
	snprintf(seen.head, sizeof seen.head, "%.*s", (int)(end - bytes), bytes);
	assert_int_equal(sscanf(bytes, "POST %127s", seen.path), 1);
	seen.body = body;
	pthread_mutex_lock(&service->lock);
	assert_true(service->count < SEEN_MOST);
	service->seen[service->count++] = seen;
	pthread_mutex_unlock(&service->lock);
	answer(service, socket, &seen);
}

static void *serve(void *context)
{
	struct service *service = context;

	for (;;) {
		const int socket = accept(service->listener, NULL, NULL);
		if (socket < 0)
			return NULL;
		serve_one(service, socket);
		close(socket);
	}
}

/* --- the engine's side --------------------------------------------------------------------------------------------------- */

struct rig {
	struct arena arena;
	struct err err;
	struct service service;
	struct channel *channel;
	pthread_mutex_t lock;
	struct channel_result results[SEEN_MOST];
	char texts[SEEN_MOST][160];
	size_t result_count, downs;
};

static void on_results(void *context, struct channel *channel, const struct channel_result *results, size_t count)
{
	struct rig *rig = context;

	(void)channel;
	pthread_mutex_lock(&rig->lock);
	for (size_t i = 0; i < count; i++) {
		snprintf(rig->texts[rig->result_count], 160, "%.*s", STR_ARG(results[i].text));
		rig->results[rig->result_count++] = results[i];
	}
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

	(void)channel, (void)reason;
	pthread_mutex_lock(&rig->lock);
	rig->downs += !up;
	pthread_mutex_unlock(&rig->lock);
}

static void on_room(void *context, struct channel *channel)
{
	(void)context, (void)channel;
}

static const struct channel_events events = { on_results, on_receipts, on_incoming, on_state, on_room };

static void rig_open(struct rig *rig, size_t window)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	static const uint8_t seed[32] = { 1 };
	struct webpush_settings settings = webpush_defaults();

	memset(rig, 0, sizeof *rig);
	arena_init(&rig->arena);
	err_init(&rig->err, &rig->arena);
	pthread_mutex_init(&rig->lock, NULL);
	pthread_mutex_init(&rig->service.lock, NULL);
	rig->service.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(rig->service.listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(rig->service.listener, 64), 0);
	assert_int_equal(getsockname(rig->service.listener, (struct sockaddr *)&address, &size), 0);
	rig->service.port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&rig->service.thread, NULL, serve, &rig->service), 0);
	settings.name = S("push");
	settings.seed = seed;
	settings.contact = S("mailto:desk@ministry.example");
	settings.policy.services = S("push.own.localhost");
	settings.policy.loopback = str_format(&rig->arena, "127.0.0.1:%u", rig->service.port);
	settings.window = window;
	settings.answer_within = CLOCK_SECOND;
	assert_int_equal(webpush_channel_new(&settings, &rig->channel, &rig->err), OK);
	assert_int_equal(channel_start(rig->channel, &events, rig, &rig->err), OK);
}

static void rig_close(struct rig *rig)
{
	rig->service.ending = true;
	channel_free(rig->channel);
	shutdown(rig->service.listener, SHUT_RDWR);
	close(rig->service.listener);
	pthread_join(rig->service.thread, NULL);
	arena_release(&rig->arena);
}

static const struct channel_push simple = {
	.point = { UA_PUBLIC, sizeof UA_PUBLIC - 1 },
	.secret = { UA_SECRET, sizeof UA_SECRET - 1 },
	.title = { "Earthquake", 10 },
	.body = { "Go outside.", 11 },
	.language = { "en", 2 },
	.open = { "/a/x", 4 },
	.topic = { "abc", 3 },
	.urgency = CHANNEL_URGENCY_HIGH,
};

static void post(struct rig *rig, int64_t id, struct str url, const struct channel_push *push)
{
	const struct channel_message message = { .id = id, .to = url, .push = push };
	while (channel_submit(rig->channel, &message, 1) == 0)
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
}

static struct str at(struct rig *rig, const char *path)
{
	return str_format(&rig->arena, "http://127.0.0.1:%u%s", rig->service.port, path);
}

static void wait_for(struct rig *rig, size_t count)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&rig->lock);
		const bool there = rig->result_count >= count;
		pthread_mutex_unlock(&rig->lock);
		if (there)
			return;
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	}
	fail_msg("%zu of %zu results", rig->result_count, count);
}

static const struct channel_result *result_of(const struct rig *rig, int64_t id)
{
	for (size_t i = 0; i < rig->result_count; i++)
		if (rig->results[i].message == id)
			return &rig->results[i];
	fail_msg("no result of %lld", (long long)id);
	return NULL;
}

/* --- tests ------------------------------------------------------------------------------------------------------------------ */

static void every_answer(void **state)
{
	static const struct {
		const char *path;
		enum channel_outcome outcome;
		enum channel_fault fault;
		uint32_t code;
	} cases[] = {
		{ "/201/a", CHANNEL_ACCEPTED, CHANNEL_FAULT_NONE, 201 },
		{ "/202/a", CHANNEL_ACCEPTED, CHANNEL_FAULT_NONE, 202 },
		{ "/404/a", CHANNEL_REFUSED, CHANNEL_FAULT_RECIPIENT, 404 },
		{ "/410/a", CHANNEL_REFUSED, CHANNEL_FAULT_RECIPIENT, 410 },
		{ "/400/a", CHANNEL_REFUSED, CHANNEL_FAULT_MESSAGE, 400 },
		{ "/401/a", CHANNEL_REFUSED, CHANNEL_FAULT_MESSAGE, 401 },
		{ "/403/a", CHANNEL_REFUSED, CHANNEL_FAULT_MESSAGE, 403 },
		{ "/403-once", CHANNEL_ACCEPTED, CHANNEL_FAULT_NONE, 201 },
		{ "/413/a", CHANNEL_REFUSED, CHANNEL_FAULT_MESSAGE, 413 },
		{ "/307/a", CHANNEL_REFUSED, CHANNEL_FAULT_MESSAGE, 307 },
		{ "/500/a", CHANNEL_REFUSED, CHANNEL_FAULT_TEMPORARY, 500 },
	};
	struct rig rig;

	(void)state;
	rig_open(&rig, 4);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		post(&rig, (int64_t)i + 1, at(&rig, cases[i].path), &simple);
		wait_for(&rig, i + 1);
		const struct channel_result *result = result_of(&rig, (int64_t)i + 1);
		if (result->outcome != cases[i].outcome || result->fault != cases[i].fault || result->code != cases[i].code)
			fail_msg("%s: outcome %d, fault %d, code %u", cases[i].path, result->outcome, result->fault, result->code);
	}
	/* The redirect was not followed; the refused were asked once, but for one try with a new token. */
	for (size_t i = 0; i < rig.service.count; i++)
		assert_null(strstr(rig.service.seen[i].path, "elsewhere"));
	rig_close(&rig);
}

static const char *head_of(const struct rig *rig, const char *path)
{
	for (size_t i = 0; i < rig->service.count; i++)
		if (strcmp(rig->service.seen[i].path, path) == 0)
			return rig->service.seen[i].head;
	fail_msg("%s was not asked for", path);
	return "";
}

static void headers(void **state)
{
	struct channel_push push = simple;
	struct rig rig;

	(void)state;
	rig_open(&rig, 4);
	push.expires = clock_now() + 90 * CLOCK_SECOND;
	post(&rig, 1, at(&rig, "/201/a"), &push);
	push.expires = clock_now() + 365 * CLOCK_DAY;
	push.urgency = CHANNEL_URGENCY_LOW;
	push.topic = S("");
	post(&rig, 2, at(&rig, "/201/b"), &push);
	push.expires = clock_now() - CLOCK_SECOND;
	post(&rig, 3, at(&rig, "/201/c"), &push);
	wait_for(&rig, 3);
	const char *head = head_of(&rig, "/201/a");
	assert_true(strstr(head, "\r\nTTL: 89") || strstr(head, "\r\nTTL: 90"));
	assert_non_null(strstr(head, "\r\nUrgency: high"));
	assert_non_null(strstr(head, "\r\nTopic: abc"));
	assert_non_null(strstr(head, "\r\nContent-Encoding: aes128gcm"));
	assert_non_null(strstr(head, "\r\nAuthorization: vapid t="));
	assert_null(strstr(head, "Expect:"));
	head = head_of(&rig, "/201/b");
	assert_non_null(strstr(head, "\r\nTTL: 2419200\r\n"));
	assert_non_null(strstr(head, "\r\nUrgency: low"));
	assert_null(strstr(head, "\r\nTopic:"));
	assert_non_null(strstr(head_of(&rig, "/201/c"), "\r\nTTL: 0\r\n"));
	rig_close(&rig);
}

/* A 413 shortens, and what was long arrives short. */
static void too_large(void **state)
{
	struct channel_push push = simple;
	char body[3000];
	struct rig rig;

	(void)state;
	memset(body, 'x', sizeof body);
	push.body = (struct str){ body, sizeof body };
	rig_open(&rig, 4);
	post(&rig, 1, at(&rig, "/413-2000/a"), &push);
	wait_for(&rig, 1);
	assert_int_equal(result_of(&rig, 1)->outcome, CHANNEL_ACCEPTED);
	assert_int_equal(rig.service.count, 2);
	assert_int_equal(rig.service.seen[0].body, PUSH_BODY_MAX);
	assert_true(rig.service.seen[1].body < 2000);
	rig_close(&rig);
}

/* One that asks us to wait is left alone until then; each message is told at once. */
static void throttled(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 4);
	post(&rig, 1, at(&rig, "/429/a"), &simple);
	wait_for(&rig, 1);
	assert_int_equal(result_of(&rig, 1)->code, 429);
	assert_int_equal(result_of(&rig, 1)->fault, CHANNEL_FAULT_TEMPORARY);
	post(&rig, 2, at(&rig, "/201/b"), &simple);
	wait_for(&rig, 2);
	assert_int_equal(result_of(&rig, 2)->fault, CHANNEL_FAULT_TEMPORARY);
	assert_int_equal(rig.service.count, 1);
	nanosleep(&(struct timespec){ 1, 50000000 }, NULL);
	post(&rig, 3, at(&rig, "/201/c"), &simple);
	wait_for(&rig, 3);
	assert_int_equal(result_of(&rig, 3)->outcome, CHANNEL_ACCEPTED);
	rig_close(&rig);
}

static void no_answer(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 4);
	post(&rig, 1, at(&rig, "/cut/a"), &simple);
	wait_for(&rig, 1);
	assert_int_equal(result_of(&rig, 1)->outcome, CHANNEL_IN_DOUBT);
	for (int i = 0; i < 200; i++) { /* and the engine is told that it may send again */
		pthread_mutex_lock(&rig.lock);
		const size_t downs = rig.downs;
		pthread_mutex_unlock(&rig.lock);
		if (downs)
			break;
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	}
	assert_int_equal(rig.downs, 1);
	nanosleep(&(struct timespec){ 1, 300000000 }, NULL); /* the pause after a failure */
	post(&rig, 2, at(&rig, "/hang/a"), &simple);
	wait_for(&rig, 2);
	assert_int_equal(result_of(&rig, 2)->outcome, CHANNEL_IN_DOUBT);
	rig_close(&rig);
}

static void guarded(void **state)
{
	struct channel_push push = simple;
	struct rig rig;

	(void)state;
	rig_open(&rig, 4);
	post(&rig, 1, S("https://evil.example/x"), &simple);
	post(&rig, 2, S("http://169.254.169.254/latest"), &simple);
	wait_for(&rig, 2);
	for (int64_t i = 1; i <= 2; i++) {
		assert_int_equal(result_of(&rig, i)->outcome, CHANNEL_REFUSED);
		assert_int_equal(result_of(&rig, i)->fault, CHANNEL_FAULT_MESSAGE);
	}
	/* A listed name that leads to the loopback: libcurl resolves names below localhost itself. */
	post(&rig, 3, S("https://push.own.localhost/x"), &simple);
	wait_for(&rig, 3);
	assert_int_equal(result_of(&rig, 3)->fault, CHANNEL_FAULT_TEMPORARY);
	assert_non_null(strstr(rig.texts[2], "not public"));
	push.point = S("BAAA");
	post(&rig, 4, at(&rig, "/201/a"), &push);
	wait_for(&rig, 4);
	assert_int_equal(result_of(&rig, 4)->fault, CHANNEL_FAULT_RECIPIENT);
	assert_int_equal(rig.service.count, 0);
	rig_close(&rig);
}

/* Each of many is reported once; at a stop the rest is told, too. */
static void many_and_stop(void **state)
{
	bool seen[301] = { false };
	struct rig rig;

	(void)state;
	rig_open(&rig, 20);
	for (int64_t i = 1; i <= 200; i++)
		post(&rig, i, at(&rig, "/201/a"), &simple);
	wait_for(&rig, 200);
	for (int64_t i = 201; i <= 220; i++)
		post(&rig, i, at(&rig, "/hang/a"), &simple);
	channel_stop(rig.channel, 200000);
	assert_int_equal(rig.result_count, 220);
	for (size_t i = 0; i < rig.result_count; i++) {
		const int64_t id = rig.results[i].message;
		assert_false(seen[id]);
		seen[id] = true;
		assert_true(id > 200 ? rig.results[i].outcome == CHANNEL_IN_DOUBT || rig.results[i].outcome == CHANNEL_RETURNED
		                     : rig.results[i].outcome == CHANNEL_ACCEPTED);
	}
	rig_close(&rig);
}

static void composed(void **state)
{
	struct arena arena;
	struct channel_push push = simple;
	char body[4000];

	(void)state;
	arena_init(&arena);
	push.answer = S("/a/x/push");
	push.words = (struct channel_push_words){ S("I am safe"), S("I need help"), S("Recorded"), S("Recorded"), S("Open") };
	struct str json = webpush_compose(&arena, &push, PUSH_PLAIN_MAX);
	json_t *root = json_loadb(json.ptr, json.len, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(root, "title")), "Earthquake");
	assert_string_equal(json_string_value(json_object_get(json_object_get(root, "words"), "safe")), "I am safe");
	json_decref(root);
	/* Three-byte letters are never cut apart, quotes and line ends take more room than they are long. */
	for (size_t i = 0; i < sizeof body; i += 4)
		memcpy(body + i, i % 8 ? "\xe2\x82\xac\"" : "\xe2\x82\xac\n", 4);
	push.body = (struct str){ body, sizeof body };
	for (size_t most = 250; most < 2641; most += 61) {
		json = webpush_compose(&arena, &push, most);
		assert_true(json.len <= most && json.len + 40 > most);
		assert_true(utf8_valid(json));
		root = json_loadb(json.ptr, json.len, 0, NULL);
		assert_non_null(root);
		json_decref(root);
	}
	assert_true(str_is_none(webpush_compose(&arena, &push, 100)));
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composed),  cmocka_unit_test(every_answer), cmocka_unit_test(headers), cmocka_unit_test(too_large),
		cmocka_unit_test(throttled), cmocka_unit_test(no_answer),    cmocka_unit_test(guarded), cmocka_unit_test(many_and_stop),
	};
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
