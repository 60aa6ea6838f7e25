#include "kernel/http/testing.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/un.h>

static atomic_int slow_running;
static atomic_bool slow_release;

static void echo_get(struct request *request, struct response *response)
{
	struct str a = request_capture(request, "a"), q = request_query(request, "q");
	buf_format(&response->body, "path=%.*s a=%.*s q=%.*s none=%d", STR_ARG(request->path), STR_ARG(a), STR_ARG(q),
	           str_is_none(q));
}

static void form_get(struct request *request, struct response *response)
{
	response->cacheable = true; /* must be ignored: the page holds a token */
	buf_add_str(&response->body, form_token(request));
}

static void form_post(struct request *request, struct response *response)
{
	struct str *all;
	struct str key = request_form_key(request);
	size_t count = request_form_all(request, "many", &all);
	buf_format(&response->body, "key=%.*s name=%.*s many=%zu rows=%zu over=%d", STR_ARG(key),
	           STR_ARG(request_form(request, "name")), count, request_form_rows(request, "leg", 3),
	           request_form_rows_over(request, "leg", 3));
}

static void slow_get(struct request *request, struct response *response)
{
	(void)request;
	atomic_fetch_add(&slow_running, 1);
	while (!atomic_load(&slow_release))
		pause_milliseconds(2);
	atomic_fetch_sub(&slow_running, 1);
	buf_add_str(&response->body, S("slow"));
}

static void secret_get(struct request *request, struct response *response)
{
	(void)request;
	buf_add_str(&response->body, S("secret"));
}

static void private_get(struct request *request, struct response *response)
{
	(void)request;
	buf_add_str(&response->body, S("private"));
}

static void source_get(struct request *request, struct response *response)
{
	buf_format(&response->body, "%016llx", (unsigned long long)request->source);
}

static const struct route test_routes[] = {
	{ METHOD_GET, "/echo/:a", echo_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/form", form_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/form", form_post, "", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/slow", slow_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/secret/:token", secret_get, "", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_GET, "/source", source_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/inner", private_get, "", PERMIT_PRIVATE, RATE_PAGE, true },
};
static const struct desk test_desk = { .name = "test", .routes = test_routes, .route_count = COUNT_OF(test_routes) };
static const struct desk *const desks[] = { &house_desk, &http_desk, &test_desk };

static int setup(void **state)
{
	*state = fixture_new(desks, COUNT_OF(desks), "http://localhost", (struct http_options){ .workers = 2 });
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static void expect(int port, const char *line, const char *more, int status)
{
	struct reply reply = client_ask(port, line, more);
	if (reply.status != status)
		fail_msg("%s gave %d, not %d", line, reply.status, status);
	assert_guarded(&reply);
	reply_free(&reply);
}

struct open_form {
	char cookie[64]; /* "chancery_form=..." */
	char token[64];
};

static struct reply send_form(int port, const char *path, const struct open_form *form, const char *more,
                              const char *fields)
{
	char head[512], *body = malloc(strlen(fields) + 128);
	snprintf(head, sizeof head, "Cookie: other=1; %s\r\n%s", form->cookie, more);
	snprintf(body, strlen(fields) + 128, "form_token=%s&%s", form->token, fields);
	struct reply reply = client_post(port, path, head, body);
	free(body);
	return reply;
}

static void expect_form(int port, const struct open_form *form, const char *more, const char *fields, int status)
{
	struct reply reply = send_form(port, "/form", form, more, fields);
	if (reply.status != status)
		fail_msg("[%s] %.80s gave %d, not %d", more, fields, reply.status, status);
	assert_guarded(&reply);
	reply_free(&reply);
}

static bool always_failing_seen;

static void sources_are_hashed(void **state)
{
	struct fixture *fixture = *state;
	struct reply a = client_ask(fixture->port, "GET /source", "X-Forwarded-For: 9.9.9.9, 192.0.2.1\r\n");
	struct reply same = client_ask(fixture->port, "GET /source", "X-Forwarded-For: 8.8.8.8, 192.0.2.1\r\n");
	struct reply b = client_ask(fixture->port, "GET /source", "X-Forwarded-For: 192.0.2.2\r\n");
	struct reply six = client_ask(fixture->port, "GET /source", "X-Forwarded-For: 2001:db8::1\r\n");
	struct reply six_same = client_ask(fixture->port, "GET /source", "X-Forwarded-For: 2001:db8::ffff\r\n");
	struct reply mapped = client_ask(fixture->port, "GET /source", "X-Forwarded-For: ::ffff:192.0.2.1\r\n");
	assert_string_equal(reply_body(&a), reply_body(&same));
	assert_string_equal(reply_body(&a), reply_body(&mapped));
	assert_string_not_equal(reply_body(&a), reply_body(&b));
	assert_string_equal(reply_body(&six), reply_body(&six_same));
	assert_string_not_equal(reply_body(&a), reply_body(&six));
	/* Another day, another key. */
	clock_set_offset(CLOCK_DAY);
	struct reply later = client_ask(fixture->port, "GET /source", "X-Forwarded-For: 192.0.2.1\r\n");
	clock_set_offset(0);
	assert_string_not_equal(reply_body(&a), reply_body(&later));
	reply_free(&a);
	reply_free(&same);
	reply_free(&b);
	reply_free(&six);
	reply_free(&six_same);
	reply_free(&mapped);
	reply_free(&later);
}

static void floods_are_slowed_and_refused(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(setting_set(fixture->house, "http.form_burst", S("5"), &fixture->err), OK);
	assert_int_equal(setting_set(fixture->house, "http.form_per_minute", S("1"), &fixture->err), OK);
	int refused = 0;
	char value[64];
	for (int i = 0; i < 8; i++) {
		struct reply reply = client_post(fixture->port, "/form", "X-Forwarded-For: 192.0.2.7\r\n", "a=b");
		if (reply.status == 429) {
			refused++;
			assert_true(reply_header(&reply, "Retry-After", value, sizeof value));
			assert_guarded(&reply);
		}
		reply_free(&reply);
	}
	assert_int_equal(refused, 3);
	struct reply other = client_post(fixture->port, "/form", "X-Forwarded-For: 192.0.2.8\r\n", "a=b");
	assert_int_equal(other.status, 403); /* others are not hit */
	reply_free(&other);

	assert_int_equal(setting_set(fixture->house, "http.secret_burst", S("4"), &fixture->err), OK);
	assert_int_equal(setting_set(fixture->house, "http.secret_per_minute", S("1"), &fixture->err), OK);
	int64_t took[6];
	int statuses[6];
	for (int i = 0; i < 6; i++) {
		int64_t start = clock_monotonic();
		struct reply reply = client_ask(fixture->port, "GET /secret/guess", "X-Forwarded-For: 192.0.2.9\r\n");
		took[i] = (clock_monotonic() - start) / 1000;
		statuses[i] = reply.status;
		reply_free(&reply);
		/* While one waits in the tarpit nobody else does. */
		start = clock_monotonic();
		reply = client_ask(fixture->port, "GET /secret/own", "X-Forwarded-For: 192.0.2.10\r\n");
		if (i == 0)
			assert_true(clock_monotonic() - start < 500000);
		reply_free(&reply);
		if (i == 3)
			break;
	}
	assert_int_equal(statuses[0], 200);
	assert_true(took[0] < 500);
	assert_int_equal(statuses[2], 200);
	assert_true(took[2] > 1500); /* slowed */
	assert_int_equal(statuses[3], 200);
	assert_true(took[3] > 3000);
	struct reply last = client_ask(fixture->port, "GET /secret/guess", "X-Forwarded-For: 192.0.2.9\r\n");
	assert_int_equal(last.status, 429);
	assert_guarded(&last);
	reply_free(&last);
}

static void the_private_listener(void **state)
{
	struct fixture *fixture = *state;
	struct reply reply = client_ask(fixture->private_port, "GET /health", "");
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply_body(&reply), "ok=yes\n"));
	assert_guarded(&reply);
	reply_free(&reply);
	reply = client_ask(fixture->private_port, "GET /metrics", "");
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply_body(&reply), "\nchancery_http_responses_total{class=\"2xx\"} "));
	reply_free(&reply);
	reply = client_ask(fixture->private_port, "GET /inner", "");
	assert_string_equal(reply_body(&reply), "private");
	reply_free(&reply);
	expect(fixture->private_port, "GET /", "", 404);
	/* A name that leads here by rebinding is not ours. */
	const char *foreign = "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
	reply = client_raw(fixture->private_port, foreign, strlen(foreign));
	assert_int_equal(reply.status, 400);
	reply_free(&reply);

	int64_t before = clock_now();
	int fd = client_connect(fixture->private_port);
	const char *move = "POST /test/clock HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			   "application/json\r\nContent-Length: 16\r\n"
			   "Connection: close\r\n\r\n{\"offset\": 3600}";
	client_send(fd, move, strlen(move));
	reply = client_read(fd, NULL, 5000);
	assert_int_equal(reply.status, 200);
	assert_true(clock_now() - before >= CLOCK_HOUR);
	clock_set_offset(0);
	reply_free(&reply);
	close(fd);
	reply = client_post(fixture->private_port, "/test/clock", "", "{\"offset\": \"x\"}");
	assert_int_equal(reply.status, 422);
	reply_free(&reply);
}

static enum rc failing_probe(struct house *house, struct err *err)
{
	(void)house;
	always_failing_seen = true;
	return err_set(err, FAILED, "oldest is \"late\" by 9 s");
}

static void health_tells_what_is_ill(void **state)
{
	struct fixture *fixture = *state;
	house_add_probe(fixture->house, "queue", failing_probe);
	struct reply reply = client_ask(fixture->private_port, "GET /health", "");
	assert_int_equal(reply.status, 503);
	assert_non_null(strstr(reply_body(&reply), "name=queue ok=no reason=\"oldest is 'late' by 9 s\"\nok=no\n"));
	assert_true(always_failing_seen);
	reply_free(&reply);
}

/* --- threads, queue and time --------------------------------------------------------------------------------- */

static void slow_handlers_do_not_block(void **state)
{
	struct fixture *fixture = fixture_new(desks, COUNT_OF(desks), "http://localhost",
	                                      (struct http_options){ .workers = 2, .queue_most = 3 });
	(void)state;
	int slow[5];
	const char *request = "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	atomic_store(&slow_release, false);
	for (int i = 0; i < 2; i++) {
		slow[i] = client_connect(fixture->port);
		client_send(slow[i], request, strlen(request));
	}
	while (atomic_load(&slow_running) < 2)
		pause_milliseconds(2);
	for (int i = 2; i < 5; i++) {
		slow[i] = client_connect(fixture->port);
		client_send(slow[i], request, strlen(request));
	}
	/* Both workers are busy and the queue fills: then others hear it at once. What needs no worker is still answered. */
	char value[16];
	struct reply reply;
	for (int tries = 0;; tries++) {
		reply = client_ask(fixture->private_port, "GET /nowhere", "");
		assert_int_equal(reply.status, 404);
		reply_free(&reply);
		int64_t start = clock_monotonic();
		int fd = client_connect(fixture->port);
		client_send(fd, request, strlen(request));
		reply = client_read(fd, "\r\n\r\n", 300);
		close(fd);
		if (reply.status == 503) {
			assert_true(clock_monotonic() - start < 300000);
			break;
		}
		reply_free(&reply);
		assert_true(tries < 10);
	}
	assert_true(reply_header(&reply, "Retry-After", value, sizeof value));
	assert_guarded(&reply);
	reply_free(&reply);
	atomic_store(&slow_release, true);
	for (int i = 0; i < 5; i++) {
		reply = client_read(slow[i], NULL, 5000);
		assert_int_equal(reply.status, 200);
		reply_free(&reply);
		close(slow[i]);
	}
	fixture_free(fixture);
}

static void stop_lets_handlers_end(void **state)
{
	(void)state;
	struct fixture *fixture =
		fixture_new(desks, COUNT_OF(desks), "http://localhost", (struct http_options){ .workers = 1 });
	const char *request = "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	atomic_store(&slow_release, true);
	int fd = client_connect(fixture->port);
	client_send(fd, request, strlen(request));
	struct reply reply = client_read(fd, NULL, 5000);
	assert_int_equal(reply.status, 200);
	reply_free(&reply);
	close(fd);
	/* Connections of all kinds are open when it stops: idle, half a head, half a body. */
	int idle = client_connect(fixture->port), half = client_connect(fixture->port),
	    body = client_connect(fixture->port);
	client_send(half, "GET /ec", 7);
	const char *begun = "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nname=";
	client_send(body, begun, strlen(begun));
	pause_milliseconds(20);
	fixture_free(fixture);
	reply = client_read(idle, NULL, 2000);
	assert_int_equal(reply.size, 0);
	reply_free(&reply);
	close(idle);
	close(half);
	close(body);
}

static void slow_senders_are_cut(void **state)
{
	(void)state;
	struct fixture *fixture = fixture_new(
		desks, COUNT_OF(desks), "http://localhost",
		(struct http_options){ .workers = 1, .head_timeout = CLOCK_SECOND, .body_timeout = CLOCK_SECOND });
	int head = client_connect(fixture->port), body = client_connect(fixture->port),
	    idle = client_connect(fixture->port);
	const char *begun = "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
	int64_t start = clock_monotonic();
	client_send(head, "GET / HTTP/1.1\r\n", 16);
	client_send(body, begun, strlen(begun));
	/* A byte now and then keeps a connection busy, but not alive. */
	bool head_open = true, body_open = true;
	while ((head_open || body_open) && clock_monotonic() - start < 5 * CLOCK_SECOND) {
		pause_milliseconds(50);
		head_open = head_open && send(head, "X", 1, MSG_NOSIGNAL) == 1;
		body_open = body_open && send(body, "x", 1, MSG_NOSIGNAL) == 1;
	}
	int64_t took = clock_monotonic() - start;
	assert_false(head_open);
	assert_false(body_open);
	assert_true(took >= CLOCK_SECOND && took < 3 * CLOCK_SECOND);
	struct reply reply = client_read(idle, NULL, 3000);
	assert_true(clock_monotonic() - start < 4 * CLOCK_SECOND);
	assert_int_equal(reply.size, 0);
	reply_free(&reply);
	/* One that asks in time is not cut. */
	reply = client_ask(fixture->port, "GET /echo/a", "");
	assert_int_equal(reply.status, 200);
	reply_free(&reply);
	close(head);
	close(body);
	close(idle);
	fixture_free(fixture);
}

static void https_makes_cookies_secure(void **state)
{
	(void)state;
	struct fixture *fixture =
		fixture_new(desks, COUNT_OF(desks), "https://chancery.example", (struct http_options){ .workers = 1 });
	char value[256];
	struct reply reply = client_ask(fixture->port, "GET /form", "");
	assert_true(reply_header(&reply, "Set-Cookie", value, sizeof value));
	assert_true(strncmp(value, "__Host-chancery_form=", 21) == 0);
	assert_non_null(strstr(value, "; Path=/; HttpOnly; SameSite=Lax; Secure"));
	assert_null(strstr(value, "Domain"));
	assert_true(reply_header(&reply, "Strict-Transport-Security", value, sizeof value));
	reply_free(&reply);
	struct open_form form;
	reply = client_ask(fixture->port, "GET /form", "");
	assert_true(reply_header(&reply, "Set-Cookie", value, sizeof value));
	value[strcspn(value, ";")] = 0;
	snprintf(form.cookie, sizeof form.cookie, "%.60s", value);
	snprintf(form.token, sizeof form.token, "%.60s", reply_body(&reply));
	reply_free(&reply);
	expect_form(fixture->port, &form, "Origin: https://chancery.example\r\n", "name=a", 200);
	expect_form(fixture->port, &form, "Origin: http://evil.example\r\n", "name=a", 403);
	/* A cookie without the prefix may have been set by a neighbour of the domain. */
	struct open_form bare = form;
	snprintf(bare.cookie, sizeof bare.cookie, "%.60s", form.cookie + 7);
	expect_form(fixture->port, &bare, "", "name=a", 403);
	fixture_free(fixture);
}

static void addresses(void **state)
{
	struct fixture *fixture = *state;
	struct http_server *server = NULL;
	struct err err;
	static const struct {
		const char *where;
		enum rc rc;
	} cases[] = { { "0.0.0.0:0", DENIED },        { "[::]:0", DENIED },
		      { "192.0.2.1:0", DENIED },      { "[2001:db8::1]:0", DENIED },
		      { "127.0.0.1", INVALID },       { "127.0.0.1:65536", INVALID },
		      { "name.example:80", INVALID }, { "::1:80", INVALID },
		      { "unix:", INVALID },           { "", INVALID },
		      { "127.0.0.1:-1", INVALID } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		err_init(&err, &fixture->arena);
		struct http_options options = { .listen = cases[i].where, .workers = 1 };
		if (http_start(fixture->house, &options, &server, &err) != cases[i].rc)
			fail_msg("%s", cases[i].where);
		assert_null(server);
	}
	/* Taken: said, not ignored. */
	char taken[32];
	snprintf(taken, sizeof taken, "127.0.0.1:%d", fixture->port);
	struct http_options options = { .listen = taken, .workers = 1 };
	err_init(&err, &fixture->arena);
	assert_int_equal(http_start(fixture->house, &options, &server, &err), FAILED);
	options = (struct http_options){ .listen = "[::1]:0", .workers = 1 };
	if (http_start(fixture->house, &options, &server, &err) == OK)
		http_stop(server);
	options = (struct http_options){ .listen = "0.0.0.0:0", .workers = 1, .allow_public_address = true };
	assert_int_equal(http_start(fixture->house, &options, &server, &err), OK);
	http_stop(server);
}

static void unix_sockets(void **state)
{
	(void)state;
	char folder[] = "chancery_http_test_XXXXXX", where[64];
	assert_non_null(mkdtemp(folder));
	snprintf(where, sizeof where, "unix:%s/web.sock", folder);
	for (int round = 0; round < 2; round++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		snprintf(address.sun_path, sizeof address.sun_path, "%s", where + 5);
		if (round == 1) { /* a file that a dead process left */
			int dead = socket(AF_UNIX, SOCK_STREAM, 0);
			assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
			close(dead);
		}
		struct fixture *fixture = fixture_new(desks, COUNT_OF(desks), "http://localhost",
		                                      (struct http_options){ .workers = 1, .listen = where });
		struct stat status;
		assert_int_equal(stat(where + 5, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0660);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
		const char *request =
			"GET /source HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n";
		client_send(fd, request, strlen(request));
		struct reply reply = client_read(fd, NULL, 5000);
		assert_int_equal(reply.status, 200);
		assert_string_not_equal(reply_body(&reply), "0000000000000000");
		reply_free(&reply);
		close(fd);
		/* A living process keeps its socket. */
		struct http_server *second = NULL;
		struct http_options options = { .listen = where, .workers = 1 };
		assert_int_equal(http_start(fixture->house, &options, &second, &fixture->err), FAILED);
		fixture_free(fixture);
		assert_int_not_equal(access(where + 5, F_OK), 0);
	}
	rmdir(folder);
}

int main(void)
{
	log_set_level(LOG_ERROR + 1);
	const struct CMUnitTest tests[] = {
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		WITH_SERVER(sources_are_hashed),
		WITH_SERVER(floods_are_slowed_and_refused),
		WITH_SERVER(the_private_listener),
		WITH_SERVER(health_tells_what_is_ill),
		WITH_SERVER(addresses),
		cmocka_unit_test(slow_handlers_do_not_block),
		cmocka_unit_test(stop_lets_handlers_end),
		cmocka_unit_test(slow_senders_are_cut),
		cmocka_unit_test(https_makes_cookies_secure),
		cmocka_unit_test(unix_sockets),
	};
	return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
