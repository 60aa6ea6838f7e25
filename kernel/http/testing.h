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
	int size = snprintf(head, sizeof head, "%s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n%s\r\n", line, port, more);
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

#endif
