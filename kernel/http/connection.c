/* libmicrohttpd's callbacks: from a connection's bytes to an exchange in the queue, and from a made response to bytes.
 * All of them run in the listener's one thread and must never wait. */
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "kernel/http/connection.h"
#include "kernel/html/assets.h"
#include "kernel/http/layout.h"

static void set_deadline(struct exchange *exchange, int64_t timeout)
{
	if (!exchange->connection)
		return;
	pthread_mutex_lock(&exchange->listener->lock);
	exchange->connection->deadline = timeout == INT64_MAX ? INT64_MAX : clock_monotonic() + timeout;
	pthread_mutex_unlock(&exchange->listener->lock);
}

void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                   enum MHD_ConnectionNotificationCode code)
{
	struct listener *listener = context;
	pthread_mutex_lock(&listener->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		struct connection *connection = calloc(1, sizeof *connection);
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (connection && info) {
			connection->fd = info->connect_fd;
			connection->deadline = clock_monotonic() + listener->server->head_timeout;
			connection->next = listener->connections;
			if (connection->next)
				connection->next->previous = connection;
			listener->connections = connection;
		}
		*socket_context = connection;
	} else if (*socket_context) {
		struct connection *connection = *socket_context;
		if (connection->previous)
			connection->previous->next = connection->next;
		else
			listener->connections = connection->next;
		if (connection->next)
			connection->next->previous = connection->previous;
		free(connection);
		*socket_context = NULL;
	}
	pthread_mutex_unlock(&listener->lock);
}

void connections_reap(struct listener *listener, int64_t now)
{
	pthread_mutex_lock(&listener->lock);
	for (struct connection *connection = listener->connections; connection; connection = connection->next)
		if (connection->deadline <= now) {
			/* The descriptor is the library's: it closes it when it sees the end. */
			shutdown(connection->fd, SHUT_RDWR);
			connection->deadline = INT64_MAX;
		}
	pthread_mutex_unlock(&listener->lock);
}

/* The request line is read: the exchange begins. What is returned becomes *request_context of the callbacks below. */
void *on_target(void *context, const char *uri, struct MHD_Connection *mhd)
{
	struct listener *listener = context;
	struct exchange *exchange = calloc(1, sizeof *exchange);
	if (!exchange)
		return NULL;
	exchange->server = listener->server;
	exchange->listener = listener;
	exchange->mhd = mhd;
	exchange->began = clock_monotonic();
	exchange->target_at = uri;
	arena_init(&exchange->arena);
	buf_init(&exchange->body);
	buf_init(&exchange->response.body);
	exchange->raw_target = str_copy(&exchange->arena, str_from(uri));
	exchange->response.arena = &exchange->arena;
	exchange->response.status = 200;
	exchange->response.content_type = S("text/html; charset=utf-8");
	exchange->request.arena = &exchange->arena;
	exchange->request.house = listener->server->house;
	exchange->request.exchange = exchange;
	exchange->request.now = clock_now();
	exchange->request.last_event_id = -1;
	exchange->request.language = LANGUAGE_EN;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	exchange->connection = info ? info->socket_context : NULL;
	return exchange;
}

size_t on_unescape(void *context, struct MHD_Connection *mhd, char *text)
{
	/* Decoding is ours (head.c, form.c), done once. */
	(void)context;
	(void)mhd;
	return strlen(text);
}

/* --- sending --------------------------------------------------------------------------------------------- */

static void add_line(struct MHD_Response *made, struct str name, struct str value)
{
	/* Both are NUL-terminated: literals or made in an arena. */
	MHD_add_response_header(made, name.ptr, value.ptr);
}

static enum MHD_Result send_response(struct exchange *exchange)
{
	struct response *response = &exchange->response;
	struct http_server *server = exchange->server;
	struct MHD_Response *made;
	if (response->stream) {
		made = stream_response(exchange);
	} else if (response->body.len == 0) {
		made = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
	} else {
		made = MHD_create_response_from_buffer_with_free_callback(response->body.len, response->body.ptr, free);
		if (made)
			buf_init(&response->body); /* the memory is the library's now */
	}
	if (!made)
		return MHD_NO;
	for (size_t i = 0; i < server->fixed_header_count; i++)
		add_line(made, server->fixed_headers[i].name, server->fixed_headers[i].value);
	for (size_t i = 0; i < response->header_count; i++)
		add_line(made, response->headers[i].name, response->headers[i].value);
	if (exchange->close)
		MHD_add_response_header(made, "Connection", "close");
	exchange->state = EXCHANGE_SENT;
	set_deadline(exchange, response->stream ? INT64_MAX : server->send_timeout);
	enum MHD_Result queued = MHD_queue_response(exchange->mhd, (unsigned)response->status, made);
	MHD_destroy_response(made);
	return queued;
}

/* Answers with a problem at once, from this thread. */
static enum MHD_Result send_problem(struct exchange *exchange, enum problem problem)
{
	response_problem(&exchange->request, &exchange->response, problem, NULL);
	response_finish(exchange);
	return send_response(exchange);
}

/* --- the head -------------------------------------------------------------------------------------------- */

struct line_list {
	struct http_field *lines;
	size_t count;
};

static enum MHD_Result collect_line(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                    const char *value, size_t value_size)
{
	struct line_list *list = context;
	(void)kind;
	/* A line without value (never seen of this library) counts as empty, right behind the colon. */
	const char *text = value ? value : name + name_size + 1;
	list->lines[list->count++] = (struct http_field){ { name, name_size }, { text, value ? value_size : 0 } };
	return list->count > HTTP_HEAD_LINES_MAX ? MHD_NO : MHD_YES;
}

/* Reads the head strictly; false with the problem to answer. */
static bool read_head(struct exchange *exchange, const char *method, const char *version, enum problem *problem)
{
	struct line_list list = { ARENA_NEW_ARRAY(&exchange->arena, struct http_field, HTTP_HEAD_LINES_MAX + 1), 0 };
	MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, collect_line, &list);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct head head = { str_from(method),
		             { exchange->target_at, exchange->raw_target.len },
		             str_from(version),
		             list.lines,
		             list.count };
	const char *reason = "layout";
	*problem = PROBLEM_BAD_REQUEST;
	/* Above the limit not all lines were collected, and length is what is wrong. */
	bool plain = !layout_is_known() || list.count > HTTP_HEAD_LINES_MAX ||
	             (info && layout_is_plain(&head, info->header_size));
	head.target = exchange->raw_target;
	if (info && info->header_size > HTTP_HEAD_MAX) {
		reason = "head_length";
		*problem = PROBLEM_HEAD_TOO_LARGE;
	} else if (plain && head_check(&head, &exchange->facts, problem, &reason)) {
		return true;
	}
	atomic_fetch_add(&exchange->server->counters.refused_heads, 1);
	log_debug("head_refused", LOGC("reason", reason));
	return false;
}

/* Rebinding of names lets a page of another site speak to this machine's loopback: the private listener answers to its addresses only. */
static bool is_local_host(struct str host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str name = str_from(names[i]);
		if (str_starts(host, name) && (host.len == name.len || host.ptr[name.len] == ':'))
			return true;
	}
	return false;
}

static bool find_route(struct exchange *exchange, struct str method, enum problem *problem)
{
	struct request *request = &exchange->request;
	exchange->head_only = str_equal(method, S("HEAD"));
	request->method = str_equal(method, S("POST")) ? METHOD_POST : METHOD_GET;
	struct route_match match = routes_match(&exchange->listener->routes, request->method, &exchange->target);
	bool known = exchange->head_only || request->method == METHOD_POST || str_equal(method, S("GET"));
	if (known && match.route) {
		request->route = match.route;
		memcpy(request->captures, match.captures, sizeof match.captures);
		request->capture_count = match.capture_count;
		return true;
	}
	*problem = PROBLEM_NOT_FOUND;
	if (match.allows[METHOD_GET] || match.allows[METHOD_POST]) {
		*problem = PROBLEM_METHOD;
		response_header(&exchange->response, "Allow",
		                !match.allows[METHOD_GET]   ? S("POST")
		                : match.allows[METHOD_POST] ? S("GET, HEAD, POST")
		                                            : S("GET, HEAD"));
	}
	return false;
}

/* Serves a file of the front end; false if there is none of that name. */
static bool serve_asset(struct exchange *exchange, struct str method)
{
	struct response *response = &exchange->response;
	exchange->head_only = str_equal(method, S("HEAD"));
	if (exchange->listener->is_private || !str_starts(exchange->target.path, S("/assets/")) ||
	    (!exchange->head_only && !str_equal(method, S("GET"))))
		return false;
	const struct asset *asset = asset_find(exchange->target.path);
	if (!asset)
		return false;
	bool packed = exchange->accepts_gzip && asset->gzip;
	if (packed)
		buf_add(&response->body, asset->gzip, asset->gzip_size);
	else
		buf_add(&response->body, asset->bytes, asset->size);
	response->content_type = str_from(asset->content_type);
	response_finish_asset(exchange, packed, asset->gzip != NULL);
	return true;
}

/* The head is read: refuse, serve, or go on with the body. */
static enum MHD_Result begin(struct exchange *exchange, const char *method, const char *version)
{
	struct http_server *server = exchange->server;
	struct str method_text = str_from(method);
	enum problem problem;
	if (!read_head(exchange, method, version, &problem)) {
		/* Nobody can say where the next request begins. */
		exchange->close = true;
		if (problem == PROBLEM_TOO_LARGE && exchange->facts.content_length <= HTTP_DISCARD_MAX && !exchange->facts.expects) {
			exchange->too_large = true;
			exchange->state = EXCHANGE_BODY;
			set_deadline(exchange, server->body_timeout);
			return MHD_YES;
		}
		return send_problem(exchange, problem);
	}
	exchange->state = EXCHANGE_BODY;
	exchange_fill(exchange);
	/* An unread body ends the connection with the answer. */
	exchange->close = exchange->facts.content_length > 0;
	if (!target_parse(&exchange->arena, exchange->raw_target, &exchange->target, &problem))
		return send_problem(exchange, problem);
	exchange->request.path = exchange->target.path;
	if (exchange->listener->is_private && !exchange->listener->is_unix && !is_local_host(exchange->facts.host))
		return send_problem(exchange, PROBLEM_BAD_REQUEST);
	if (serve_asset(exchange, method_text))
		return send_response(exchange);
	if (!find_route(exchange, method_text, &problem)) {
		exchange_fill_reader(exchange);
		return send_problem(exchange, problem);
	}
	if (atomic_load(&server->stopping)) {
		exchange->close = true;
		return send_problem(exchange, PROBLEM_BUSY);
	}
	exchange->close = false;
	set_deadline(exchange, server->body_timeout);
	return MHD_YES;
}

/* --- the body ---------------------------------------------------------------------------------------------- */

static void take_body(struct exchange *exchange, const char *bytes, size_t size)
{
	struct http_server *server = exchange->server;
	if (exchange->overflow || exchange->too_large)
		return;
	/* The head's length was checked, and the library reads no more than it says; together they may still be too large. */
	if (exchange->body.len + size > HTTP_BODY_MAX ||
	    atomic_fetch_add(&server->bodies, size) + size > HTTP_BODIES_MAX) {
		if (exchange->body.len + size <= HTTP_BODY_MAX)
			atomic_fetch_sub(&server->bodies, size);
		exchange->overflow = true;
		return;
	}
	buf_add(&exchange->body, bytes, size);
}

/* Seconds a try with secrets has to wait: none while half of the bucket is left, then up to TARPIT_MOST. */
static int64_t tarpit_delay(double share)
{
	if (share >= 0.5)
		return 0;
	return share < 0 ? TARPIT_MOST : (int64_t)((0.5 - share) * 2 * (double)TARPIT_MOST);
}

static enum MHD_Result dispatch(struct exchange *exchange)
{
	struct http_server *server = exchange->server;
	int64_t delay = 0;
	if (exchange->too_large)
		return send_problem(exchange, PROBLEM_TOO_LARGE);
	if (exchange->overflow) {
		exchange->close = true;
		return send_problem(exchange, PROBLEM_BUSY);
	}
	if (exchange->request.route->rate == RATE_SECRET && !exchange->listener->is_private) {
		int64_t retry_after = 0;
		double share = rate_take(&server->rates, RATE_SECRET, exchange->request.source,
		                         rate_limit_of(server->house, RATE_SECRET), clock_monotonic(), &retry_after);
		delay = tarpit_delay(share);
		exchange->limited = share < 0;
		if (exchange->limited) {
			atomic_fetch_add(&server->counters.rate_limited, 1);
			response_header(&exchange->response, "Retry-After",
			                str_format(&exchange->arena, "%lld", (long long)retry_after));
		}
	}
	set_deadline(exchange, INT64_MAX);
	enum take_in taken = server_take_in(server, exchange, delay);
	if (taken == TAKEN_IN)
		return MHD_YES;
	response_header(&exchange->response, "Retry-After", S("5"));
	return send_problem(exchange, taken == TARPIT_FULL ? PROBLEM_TOO_MANY : PROBLEM_BUSY);
}

enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
                           const char *version, const char *bytes, size_t *size, void **request_context)
{
	struct exchange *exchange = *request_context;
	(void)context;
	(void)mhd;
	(void)url;
	if (!exchange)
		return MHD_NO; /* out of memory when it began */
	switch (exchange->state) {
	case EXCHANGE_HEAD: return begin(exchange, method, version);
	case EXCHANGE_BODY:
		if (*size > 0) {
			take_body(exchange, bytes, *size);
			*size = 0;
			return MHD_YES;
		}
		return dispatch(exchange);
	case EXCHANGE_READY: return send_response(exchange);
	case EXCHANGE_WAITING:
	case EXCHANGE_SENT: break;
	}
	return MHD_YES;
}

void on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                  enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *request_context;
	(void)context;
	(void)mhd;
	(void)code;
	if (!exchange)
		return;
	struct http_counters *counters = &exchange->server->counters;
	int64_t took = clock_monotonic() - exchange->began;
	int class = exchange->response.status / 100;
	if (exchange->state == EXCHANGE_SENT && class >= 1 && class <= 5)
		atomic_fetch_add(&counters->requests[class], 1);
	if (!exchange->stream.listener)
		atomic_fetch_add(&counters->microseconds, took);
	/* The route's pattern, never the path: paths carry tokens. */
	log_debug("request", LOGC("route", exchange->request.route ? exchange->request.route->path : "-"),
	          LOGI("status", exchange->response.status), LOGI("ms", took / 1000));
	stream_end(exchange);
	atomic_fetch_sub(&exchange->server->bodies, exchange->body.len);
	set_deadline(exchange, exchange->server->head_timeout);
	buf_release(&exchange->body);
	buf_release(&exchange->response.body);
	arena_release(&exchange->arena);
	free(exchange);
	*request_context = NULL;
}
