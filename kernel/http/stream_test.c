#include "kernel/http/testing.h"

static void events_get(struct request *request, struct response *response)
{
	struct str topic = str_format(request->arena, "alert/%.*s", STR_ARG(request_capture(request, "id")));
	enum rc rc = response_stream(request, response, topic);
	if (rc != OK)
		response_error(request, response, rc, NULL);
}

static void page_get(struct request *request, struct response *response)
{
	(void)request;
	buf_add_str(&response->body, S("page"));
}

static const struct route test_routes[] = {
	{ METHOD_GET, "/alert/:id/events", events_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/page", page_get, "", PERMIT_ANYONE, RATE_PAGE, false },
};
static const struct desk test_desk = { .name = "test", .routes = test_routes, .route_count = COUNT_OF(test_routes) };
static const struct desk *const desks[] = { &house_desk, &http_desk, &test_desk };

static int setup(void **state)
{
	*state = fixture_new(desks, COUNT_OF(desks), "http://localhost", (struct http_options){ .workers = 1 });
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static int listen_to(int port, const char *id, const char *more)
{
	char request[256];
	int fd = client_connect(port);
	snprintf(request, sizeof request,
	         "GET /alert/%s/events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n%s\r\n", id, more);
	client_send(fd, request, strlen(request));
	return fd;
}

/* What an opened stream begins with. */
static void assert_opened(int fd)
{
	struct reply reply = client_read(fd, "retry: 3000\n\n", 5000);
	char value[128];
	assert_int_equal(reply.status, 200);
	assert_true(reply_header(&reply, "Content-Type", value, sizeof value));
	assert_string_equal(value, "text/event-stream; charset=utf-8");
	assert_guarded(&reply);
	assert_non_null(strstr(reply.bytes, "retry: 3000\n\n"));
	reply_free(&reply);
}

static void events_arrive(void **state)
{
	struct fixture *fixture = *state;
	int fd = listen_to(fixture->port, "1", ""), other = listen_to(fixture->port, "2", "");
	assert_opened(fd);
	assert_opened(other);
	int64_t start = clock_monotonic();
	hub_publish(fixture->house->hub, S("alert/1"), S("{\"safe\": 1}\nsecond line"));
	struct reply reply = client_read(fd, "second line\n\n", 5000);
	assert_non_null(strstr(reply.bytes, "data: {\"safe\": 1}\ndata: second line\n\n"));
	assert_non_null(strstr(reply.bytes, "id: "));
	assert_true(clock_monotonic() - start < CLOCK_SECOND);
	reply_free(&reply);
	reply = client_read(other, "data", 300);
	assert_int_equal(reply.size, 0);
	reply_free(&reply);
	close(fd);
	close(other);
}

static void bursts_are_merged(void **state)
{
	struct fixture *fixture = *state;
	int fd = listen_to(fixture->port, "1", "");
	assert_opened(fd);
	hub_publish(fixture->house->hub, S("alert/1"), S("first"));
	struct reply reply = client_read(fd, "data: first\n\n", 2000);
	assert_non_null(strstr(reply.bytes, "data: first\n\n"));
	reply_free(&reply);
	char data[32];
	for (int i = 0; i < 100; i++)
		hub_publish(fixture->house->hub, S("alert/1"),
		            (struct str){ data, (size_t)snprintf(data, sizeof data, "burst %d", i) });
	reply = client_read(fd, "burst 99\n\n", 2000);
	int events = 0;
	for (const char *at = reply.bytes; (at = strstr(at, "data: ")); at++)
		events++;
	assert_non_null(strstr(reply.bytes, "data: burst 99\n\n")); /* the last wins */
	assert_true(events <= 2);
	reply_free(&reply);
	close(fd);
}

/* The id of the last event in what came. */
static long long last_id(const struct reply *reply)
{
	long long id = -1;
	for (const char *at = reply->bytes; (at = strstr(at, "id: ")); at++)
		id = strtoll(at + 4, NULL, 10);
	return id;
}

static void what_was_missed_is_replayed(void **state)
{
	struct fixture *fixture = *state;
	char more[64], data[32];
	int fd = listen_to(fixture->port, "1", "");
	assert_opened(fd);
	hub_publish(fixture->house->hub, S("alert/1"), S("seen"));
	struct reply reply = client_read(fd, "data: seen\n\n", 2000);
	long long id = last_id(&reply);
	assert_true(id > 0);
	reply_free(&reply);
	close(fd);
	for (int i = 0; i < 3; i++) {
		hub_publish(fixture->house->hub, S("alert/1"),
		            (struct str){ data, (size_t)snprintf(data, sizeof data, "missed %d", i) });
		hub_publish(fixture->house->hub, S("alert/2"), S("not for this one"));
		pause_milliseconds(280);
	}
	snprintf(more, sizeof more, "Last-Event-ID: %lld\r\n", id);
	fd = listen_to(fixture->port, "1", more);
	reply = client_read(fd, "missed 2\n\n", 2000);
	const char *one = strstr(reply.bytes, "data: missed 0\n\n"),
		   *two = one ? strstr(one, "data: missed 1\n\n") : NULL;
	if (!two)
		fail_msg("%s", reply.bytes);
	assert_non_null(strstr(two, "data: missed 2\n\n"));
	assert_null(strstr(reply.bytes, "data: seen"));
	assert_null(strstr(reply.bytes, "not for this one"));
	reply_free(&reply);
	close(fd);
	/* Somebody new hears the last one: it may have happened between the page and the listening. */
	fd = listen_to(fixture->port, "1", "");
	reply = client_read(fd, "missed 2\n\n", 2000);
	assert_non_null(strstr(reply.bytes, "data: missed 2\n\n"));
	assert_null(strstr(reply.bytes, "missed 1"));
	reply_free(&reply);
	close(fd);
	/* An id of a process before this one: what it missed is unknown, so the page is to be read again. */
	fd = listen_to(fixture->port, "1", "Last-Event-ID: 12\r\n");
	reply = client_read(fd, "event: refresh\n", 2000);
	assert_non_null(strstr(reply.bytes, "event: refresh\n"));
	assert_null(strstr(reply.bytes, "missed"));
	reply_free(&reply);
	close(fd);
}

static void listeners_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	hub_set_listeners_max(fixture->house->hub, 3);
	int fds[3];
	for (int i = 0; i < 3; i++) {
		fds[i] = listen_to(fixture->port, "1", "");
		assert_opened(fds[i]);
	}
	struct reply reply = client_ask(fixture->port, "GET /alert/1/events", "");
	assert_int_equal(reply.status, 503);
	assert_guarded(&reply);
	reply_free(&reply);
	/* The server's one worker is free all the time: listeners hold none. */
	reply = client_ask(fixture->port, "GET /page", "");
	assert_int_equal(reply.status, 200);
	reply_free(&reply);
	/* A listener that went is noticed when something is written to it; then there is room again. */
	close(fds[0]);
	for (int tries = 0; hub_count(fixture->house->hub).listeners > 2; tries++) {
		hub_publish(fixture->house->hub, S("alert/1"), S("x"));
		pause_milliseconds(100);
		assert_true(tries < 50);
	}
	int fd = listen_to(fixture->port, "1", "");
	assert_opened(fd);
	close(fd);
	close(fds[1]);
	close(fds[2]);
}

static void silence_is_broken(void **state)
{
	struct fixture *fixture = *state;
	hub_set_heartbeat(fixture->house->hub, CLOCK_SECOND / 5);
	int fd = listen_to(fixture->port, "1", "");
	assert_opened(fd);
	int64_t start = clock_monotonic();
	for (int i = 0; i < 3; i++) {
		struct reply reply = client_read(fd, ":\n\n", 2000);
		assert_non_null(strstr(reply.bytes, ":\n\n"));
		reply_free(&reply);
	}
	assert_true(clock_monotonic() - start >= CLOCK_SECOND / 2);
	/* Someone who went without a word is noticed by it. */
	close(fd);
	for (int tries = 0; hub_count(fixture->house->hub).listeners > 0; tries++) {
		assert_true(tries < 100);
		pause_milliseconds(50);
	}
}

/* One that does not read must not hold up those who publish, nor grow without bound. */
static void a_slow_listener_blocks_nobody(void **state)
{
	struct fixture *fixture = *state;
	int slow = listen_to(fixture->port, "1", "");
	int small = 2048;
	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	int quick = listen_to(fixture->port, "1", "");
	assert_opened(quick);
	char *data = malloc(HUB_DATA_MAX);
	memset(data, 'd', HUB_DATA_MAX);
	int64_t longest = 0;
	for (int i = 0; i < 200000; i++) {
		int64_t start = clock_monotonic();
		hub_publish(fixture->house->hub, S("alert/1"), (struct str){ data, HUB_DATA_MAX });
		int64_t took = clock_monotonic() - start;
		longest = took > longest ? took : longest;
	}
	assert_true(longest < CLOCK_SECOND);
	hub_publish(fixture->house->hub, S("alert/1"), S("the last"));
	struct reply reply = client_read(quick, "data: the last\n\n", 5000);
	assert_non_null(strstr(reply.bytes, "data: the last\n\n"));
	reply_free(&reply);
	free(data);
	close(slow);
	close(quick);
}

static void the_server_stops_under_listeners(void **state)
{
	struct fixture *fixture =
		fixture_new(desks, COUNT_OF(desks), "http://localhost", (struct http_options){ .workers = 1 });
	(void)state;
	int fds[20];
	for (int i = 0; i < 20; i++) {
		fds[i] = listen_to(fixture->port, "1", "");
		assert_opened(fds[i]);
	}
	int64_t start = clock_monotonic();
	fixture_free(fixture);
	assert_true(clock_monotonic() - start < 2 * CLOCK_SECOND);
	for (int i = 0; i < 20; i++) {
		struct reply reply = client_read(fds[i], NULL, 1000);
		reply_free(&reply);
		close(fds[i]);
	}
}

int main(void)
{
	log_set_level(LOG_ERROR + 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_arrive, setup, teardown),
		cmocka_unit_test_setup_teardown(bursts_are_merged, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_missed_is_replayed, setup, teardown),
		cmocka_unit_test_setup_teardown(listeners_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_is_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_listener_blocks_nobody, setup, teardown),
		cmocka_unit_test(the_server_stops_under_listeners),
	};
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
