/* From a request that is read to a response that is made: what a worker does. */
#include "kernel/http/exchange.h"
#include "kernel/http/form.h"

void exchange_fill(struct exchange *exchange)
{
	struct http_server *server = exchange->server;
	struct request *request = &exchange->request;
	const struct head_facts *facts = &exchange->facts;
	request->path = S("/"); /* until the target is read */
	request->cookies = facts->cookies;
	request->if_none_match = facts->if_none_match;
	request->accept_language = facts->accept_language;
	request->origin = facts->origin;
	request->fetch_site = facts->fetch_site;
	request->last_event_id = facts->last_event_id;
	request->content_type = facts->content_type;
	request->host = facts->host;
	request->secure = str_starts(str_from(server->house->public_url), S("https://"));
	request->source = source_hash(exchange);
	exchange->accepts_gzip = head_accepts_gzip(facts->accept_encoding);
	request->language = language_accept(facts->accept_language);
}

/* The reader's choice comes before the officer's profile, that before what the browser says. */
static void choose_language(struct request *request)
{
	struct str chosen[] = { request_form(request, "lang"), request_query(request, "lang"),
		                request_cookie(request, "chancery_lang") };
	for (size_t i = 0; i < COUNT_OF(chosen); i++) {
		enum language language = str_is_none(chosen[i]) ? LANGUAGE_COUNT : language_find(chosen[i]);
		if (language != LANGUAGE_COUNT) {
			request->language = language;
			return;
		}
	}
}

static bool read_query(struct exchange *exchange, enum problem *problem)
{
	struct request *request = &exchange->request;
	if (str_is_none(exchange->target.query))
		return true;
	struct form form;
	char *bytes = str_c(request->arena, exchange->target.query);
	if (!form_urlencoded(request->arena, bytes, exchange->target.query.len, &form, problem))
		return false;
	request->query = form.fields;
	request->query_count = form.count;
	return true;
}

void exchange_fill_reader(struct exchange *exchange)
{
	enum problem ignored;
	(void)read_query(exchange, &ignored);
	choose_language(&exchange->request);
}

static bool read_form(struct exchange *exchange, enum problem *problem)
{
	struct request *request = &exchange->request;
	struct form form = { NULL, 0 };
	struct str boundary;
	bool read = true;
	if (request->method != METHOD_POST)
		return true;
	buf_reserve(&exchange->body, 1);
	exchange->body.ptr[exchange->body.len] = 0;
	if (request->route->machine) {
		request->body = buf_str(&exchange->body);
		/* One-click unsubscribe comes as a form; others need not. What cannot be read as one is no form, which is no mistake here. */
		if (form_type(request->content_type, &boundary) == FORM_URLENCODED) {
			char *copy = str_c(request->arena, request->body);
			if (!form_urlencoded(request->arena, copy, request->body.len, &form, problem))
				form = (struct form){ NULL, 0 };
		}
	} else if (exchange->body.len > 0) {
		switch (form_type(request->content_type, &boundary)) {
		case FORM_URLENCODED:
			read = form_urlencoded(request->arena, exchange->body.ptr, exchange->body.len, &form, problem);
			break;
		case FORM_MULTIPART:
			read = form_multipart(request->arena, exchange->body.ptr, exchange->body.len, boundary, &form,
			                      problem);
			break;
		case FORM_OTHER: *problem = PROBLEM_MEDIA_TYPE; return false;
		}
	}
	request->form = form.fields;
	request->form_count = form.count;
	return read;
}

/* application/x-www-form-urlencoded of what may stand in a query. */
static struct str escape(struct arena *arena, struct str s)
{
	char *out = arena_alloc(arena, s.len * 3 + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
		             c == '_' || c == '.' || c == '/';
		if (plain) {
			out[n++] = (char)c;
		} else {
			out[n++] = '%';
			out[n++] = "0123456789ABCDEF"[c >> 4];
			out[n++] = "0123456789ABCDEF"[c & 15];
		}
	}
	return (struct str){ out, n };
}

/* Whether the handler may run; fills the response if not. */
static bool check_permission(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	struct house *house = request->house;
	if (exchange->listener->is_private)
		return true;
	request->officer = house_officer(house, request);
	if (house_may(house, request->officer, request->route->permission))
		return true;
	if (request->officer)
		response_problem(request, &exchange->response, PROBLEM_DENIED, NULL);
	else if (request->method == METHOD_GET)
		response_redirect(&exchange->response, str_concat(request->arena, S("/sign-in?next="),
		                                                  escape(request->arena, exchange->raw_target)));
	else
		response_problem(request, &exchange->response, PROBLEM_SIGN_IN, NULL);
	return false;
}

struct rate_limit rate_limit_of(struct house *house, enum rate_class rate)
{
	bool secret = rate == RATE_SECRET;
	return (struct rate_limit){
		.per_second =
			(double)setting_int(house, secret ? "http.secret_per_minute" : "http.form_per_minute") / 60,
		.burst = (double)setting_int(house, secret ? "http.secret_burst" : "http.form_burst"),
	};
}

/* Posts of the public are limited by source; officers, whom we know, are not. RATE_SECRET was limited before (tarpit). */
static bool check_rate(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	int64_t retry_after = 0;
	if (request->method != METHOD_POST || request->route->rate != RATE_FORM || request->officer ||
	    exchange->listener->is_private)
		return true;
	if (rate_take(&exchange->server->rates, RATE_FORM, request->source, rate_limit_of(request->house, RATE_FORM),
	              clock_monotonic(), &retry_after) >= 0)
		return true;
	atomic_fetch_add(&exchange->server->counters.rate_limited, 1);
	response_header(&exchange->response, "Retry-After", str_format(request->arena, "%lld", (long long)retry_after));
	response_problem(request, &exchange->response, PROBLEM_TOO_MANY, NULL);
	return false;
}

static bool check_form(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	if (request->method != METHOD_POST || request->route->machine)
		return true;
	if (form_origin_is_ours(exchange) && form_token_check(exchange))
		return true;
	atomic_fetch_add(&exchange->server->counters.forms_refused, 1);
	response_problem(request, &exchange->response, PROBLEM_FORM, NULL);
	return false;
}

void exchange_run(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	enum problem problem;
	bool read = read_query(exchange, &problem) && read_form(exchange, &problem);
	choose_language(request);
	if (!read)
		response_problem(request, &exchange->response, problem, NULL);
	else if (check_permission(exchange) && check_rate(exchange) && check_form(exchange))
		request->route->handle(request, &exchange->response);
	response_finish(exchange);
}
