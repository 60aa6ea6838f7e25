/* libmicrohttpd on loopback, one thread. */
#include <errno.h>
#include <unistd.h>
#include <stdlib.h>

#include <microhttpd.h>

#include "tests/simulator/web.h"

struct web {
	struct simulator *simulator;
	struct MHD_Daemon *daemon;
};

/* What a request needs from its head to its end. */
struct exchange {
	struct arena arena;
	struct buf body;
	bool too_big;
	struct web_request request;
};

static struct str find_field(const struct web_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(fields[i].name, str_from(name)))
			return fields[i].value;
	return STR_NONE;
}

struct str web_query(const struct web_request *request, const char *name)
{
	return find_field(request->query, request->query_count, name);
}

struct str web_field(const struct web_request *request, const char *name)
{
	return find_field(request->fields, request->field_count, name);
}

void web_error(struct web_answer *answer, int status, const char *text)
{
	answer->status = status;
	answer->type = "text/plain; charset=utf-8";
	buf_clear(&answer->body);
	buf_format(&answer->body, "%s\n", text);
}

void web_json(struct web_answer *answer, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);
	answer->type = "application/json";
	buf_add_str(&answer->body, str_from(text));
	buf_add_char(&answer->body, '\n');
	free(text);
	json_decref(value);
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static struct str url_decode(struct arena *arena, struct str text, bool plus)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++) {
		int high = i + 2 < text.len && text.ptr[i] == '%' ? hex_digit(text.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
		if (low >= 0) {
			out[length++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[length++] = plus && text.ptr[i] == '+' ? ' ' : text.ptr[i];
		}
	}
	return (struct str){ out, length };
}

static void read_form(struct web_request *request, struct str text)
{
	while (text.len > 0 && request->field_count < WEB_FIELDS_MAX) {
		struct str pair, name, value;
		str_cut(text, '&', &pair, &text);
		if (!str_cut(pair, '=', &name, &value))
			value = S("");
		request->fields[request->field_count++] = (struct web_field){ url_decode(request->arena, name, true),
			                                                      url_decode(request->arena, value, true) };
	}
}

/* Texts, numbers and truths of one object become fields like those of a form. */
static bool read_json(struct web_request *request, struct str text)
{
	json_error_t error;
	json_t *object = json_loadb(text.ptr, text.len, 0, &error);
	const char *name;
	json_t *value;
	if (!json_is_object(object)) {
		json_decref(object);
		return false;
	}
	json_object_foreach(object, name, value) {
		struct str field = STR_NONE;
		if (json_is_string(value))
			field = str_copy(request->arena, (struct str){ json_string_value(value), json_string_length(value) });
		else if (json_is_integer(value))
			field = str_format(request->arena, "%lld", (long long)json_integer_value(value));
		else if (json_is_boolean(value))
			field = json_is_true(value) ? S("1") : S("0");
		if (!str_is_none(field) && request->field_count < WEB_FIELDS_MAX)
			request->fields[request->field_count++] = (struct web_field){ str_copy(request->arena, str_from(name)), field };
	}
	json_decref(object);
	return true;
}

static enum MHD_Result add_query(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct web_request *request = context;
	(void)kind;
	if (request->query_count < WEB_FIELDS_MAX)
		request->query[request->query_count++] = (struct web_field){ str_copy(request->arena, str_from(name)),
			                                                     str_copy(request->arena, str_from(value ? value : "")) };
	return MHD_YES;
}

/* A page of another site must not make a phone speak: a POST that names an origin names ours. */
static bool origin_is_ours(struct MHD_Connection *connection)
{
	struct str origin = str_from(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin"));
	struct str host = str_from(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"));
	return str_is_none(origin) || (str_starts(origin, S("http://")) && str_equal(str_slice(origin, 7, origin.len), host));
}

/* --- answering -------------------------------------------------------------------------------------------- */

static void make_answer(struct MHD_Connection *connection, struct exchange *x, struct web_answer *answer)
{
	struct web_request *request = &x->request;
	bool post = str_equal(request->method, S("POST"));
	struct str type = str_from(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type"));
	request->body = buf_str(&x->body);
	/* curl calls everything a form; what begins like an object is none. */
	request->form = str_starts(type, S("application/x-www-form-urlencoded")) && !str_starts(request->body, S("{"));
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, request);
	if (x->too_big) {
		web_error(answer, 413, "too big");
	} else if (!post && !str_equal(request->method, S("GET"))) {
		web_error(answer, 405, "GET or POST");
	} else if (post && !origin_is_ours(connection)) {
		web_error(answer, 403, "from another site");
	} else if (post && !request->form && request->body.len > 0 && !read_json(request, request->body)) {
		web_error(answer, 400, "not a JSON object");
	} else {
		if (post && request->form)
			read_form(request, request->body);
		if (!api_answer(request, answer) && !pages_answer(request, answer))
			web_error(answer, 404, "no such page");
	}
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct web_answer *answer)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(answer->body.len, answer->body.ptr ? answer->body.ptr : "", MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(response, "Content-Type", answer->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Content-Security-Policy",
	                        answer->sandbox ? "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups"
	                                        : "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-src 'self'");
	if (answer->location)
		MHD_add_response_header(response, "Location", answer->location);
	enum MHD_Result result = MHD_queue_response(connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
	struct web *web = context;
	struct exchange *x = *state;
	(void)version;
	if (!x) {
		x = calloc(1, sizeof *x);
		if (!x)
			return MHD_NO;
		arena_init(&x->arena);
		buf_init(&x->body);
		x->request = (struct web_request){ .simulator = web->simulator, .arena = &x->arena };
		x->request.method = str_copy(&x->arena, str_from(method));
		x->request.path = str_copy(&x->arena, str_from(url)); /* libmicrohttpd has decoded it */
		*state = x;
		return MHD_YES;
	}
	if (*size > 0) {
		x->too_big = x->too_big || x->body.len + *size > WEB_BODY_MAX;
		if (!x->too_big)
			buf_add(&x->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	struct web_answer answer = { .status = 200, .type = "text/html; charset=utf-8" };
	buf_init(&answer.body);
	make_answer(connection, x, &answer);
	enum MHD_Result result = send_answer(connection, &answer);
	buf_release(&answer.body);
	return result;
}

static void completed(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *state;
	(void)context;
	(void)connection;
	(void)code;
	if (!x)
		return;
	arena_release(&x->arena);
	buf_release(&x->body);
	free(x);
	*state = NULL;
}

enum rc web_start(struct simulator *simulator, struct err *err)
{
	int listener = simulator_listen(simulator->options.http_port, &simulator->http_port);
	if (listener < 0)
		return err_set(err, FAILED, "HTTP port %u: %s", simulator->options.http_port, strerror(errno));
	struct web *web = calloc(1, sizeof *web);
	if (web) {
		web->simulator = simulator;
		web->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, handle, web,
		                               MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
		                               MHD_OPTION_CONNECTION_LIMIT, 200u, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
	}
	if (!web || !web->daemon) {
		close(listener);
		free(web);
		return err_set(err, FAILED, "the web server does not start");
	}
	simulator->web = web;
	return OK;
}

void web_stop(struct web *web)
{
	if (!web)
		return;
	MHD_stop_daemon(web->daemon);
	free(web);
}
