/* A small raw client for the tests of this room: what it sends is exactly what the test wrote. */
#ifndef CHANCERY_KERNEL_HTTP_TESTING_H
#define CHANCERY_KERNEL_HTTP_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kernel/desk/hub.h"
#include "kernel/http/http.h"

struct reply {
	char *bytes; /* everything received, NUL-terminated */
	size_t size;
	int status; /* 0: nothing came */
};

static inline int client_connect(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static inline void client_send(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
		if (sent <= 0)
			return; /* refused early: the reply says so */
		bytes += sent;
		size -= (size_t)sent;
	}
}

/* Reads until `until` stands in what came (NULL: until the connection ends), for at most `milliseconds`. */
static inline struct reply client_read(int fd, const char *until, int milliseconds)
{
	struct reply reply = { calloc(1, 1 << 20), 0, 0 };
	int64_t end = clock_monotonic() + milliseconds * 1000;
	for (;;) {
		int64_t left = (end - clock_monotonic()) / 1000;
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
			break;
		ssize_t got = recv(fd, reply.bytes + reply.size, (1 << 20) - 1 - reply.size, 0);
		if (got <= 0)
			break;
		reply.size += (size_t)got;
		if (until && strstr(reply.bytes, until))
			break;
	}
	if (sscanf(reply.bytes, "HTTP/1.1 %d", &reply.status) != 1)
		reply.status = 0;
	return reply;
}

/* One connection, one request as written, everything until the server closes. The client says that it sends no more. */
static inline struct reply client_raw(int port, const char *bytes, size_t size)
{
	int fd = client_connect(port);
	client_send(fd, bytes, size);
	shutdown(fd, SHUT_WR);
	struct reply reply = client_read(fd, NULL, 5000);
	close(fd);
	return reply;
}

/* "GET /path" with the usual head and further lines ("A: b\r\n" or ""). */
static inline struct reply client_ask(int port, const char *line, const char *more)
{
	char head[8192];
	int size = snprintf(head, sizeof head, "%s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n%s\r\n", line,
	                    port, more);
	assert_true(size > 0 && (size_t)size < sizeof head);
	int fd = client_connect(port);
	client_send(fd, head, (size_t)size);
	struct reply reply = client_read(fd, NULL, 10000);
	close(fd);
	return reply;
}

static inline struct reply client_post(int port, const char *path, const char *more, const char *body)
{
	size_t room = strlen(body) + strlen(more) + 1024;
	char *bytes = malloc(room);
	int size = snprintf(bytes, room,
	                    "POST %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n"
	                    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n%s\r\n%s",
	                    path, port, strlen(body), more, body);
	int fd = client_connect(port);
	client_send(fd, bytes, (size_t)size);
	free(bytes);
	struct reply reply = client_read(fd, NULL, 10000);
	close(fd);
	return reply;
}

static inline void reply_free(struct reply *reply)
{
	free(reply->bytes);
}

/* The value of a header into `out`; false if it is not there. */
static inline bool reply_header(const struct reply *reply, const char *name, char *out, size_t size)
{
	char wanted[128];
	const char *end = strstr(reply->bytes, "\r\n\r\n");
	snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
	const char *at = strcasestr(reply->bytes, wanted);
	if (!at || !end || at > end)
		return false;
	at += strlen(wanted);
	size_t length = strcspn(at, "\r");
	assert_true(length < size);
	memcpy(out, at, length);
	out[length] = 0;
	return true;
}

static inline const char *reply_body(const struct reply *reply)
{
	const char *end = strstr(reply->bytes, "\r\n\r\n");
	return end ? end + 4 : "";
}

static inline void pause_milliseconds(long milliseconds)
{
	const struct timespec pause = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

struct fixture {
	struct house *house;
	struct http_server *server;
	int port, private_port;
	struct arena arena;
	struct err err;
};

/* A server of the desks given on free ports of the loopback; the desks must outlive it. */
static inline struct fixture *fixture_new(const struct desk *const *desks, size_t desk_count, const char *public_url,
                                          struct http_options options)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	arena_init(&fixture->arena);
	err_init(&fixture->err, &fixture->arena);
	const struct house_options house_options = {
		.desks = desks, .desk_count = desk_count, .public_url = public_url, .test_clock = true
	};
	assert_int_equal(house_new(&house_options, &fixture->house, &fixture->err), OK);
	assert_int_equal(house_start(fixture->house, &fixture->err), OK);
	if (!options.listen)
		options.listen = "127.0.0.1:0";
	options.private_listen = "127.0.0.1:0";
	assert_int_equal(http_start(fixture->house, &options, &fixture->server, &fixture->err), OK);
	fixture->port = http_port(fixture->server, false);
	fixture->private_port = http_port(fixture->server, true);
	return fixture;
}

static inline void fixture_free(struct fixture *fixture)
{
	http_stop(fixture->server);
	house_stop(fixture->house);
	house_free(fixture->house);
	arena_release(&fixture->arena);
	free(fixture);
}

/* What every response must have. */
static inline void assert_guarded(const struct reply *reply)
{
	static const char *const names[] = { "Content-Security-Policy",
		                             "X-Content-Type-Options",
		                             "Referrer-Policy",
		                             "Cross-Origin-Opener-Policy",
		                             "Cross-Origin-Resource-Policy",
		                             "Permissions-Policy",
		                             "Cache-Control" };
	char value[1024];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (!reply_header(reply, names[i], value, sizeof value))
			fail_msg("no %s in: %.300s", names[i], reply->bytes);
	assert_true(reply_header(reply, "Content-Security-Policy", value, sizeof value));
	assert_non_null(strstr(value, "default-src 'none'"));
	assert_non_null(strstr(value, "frame-ancestors 'none'"));
	assert_null(strstr(value, "unsafe"));
}

#endif
