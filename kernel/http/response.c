/* What handlers make of a response, and what the kernel adds to every one of them. */
#include <sodium.h>

#include "kernel/http/exchange.h"

#define GZIP_LEAST 256
#define CACHE_SECONDS 15

static struct exchange *exchange_of_response(struct response *response)
{
	return (struct exchange *)(void *)((char *)response - offsetof(struct exchange, response));
}

static void add_header(struct response *response, struct str name, struct str value)
{
	/* Seldom more than a handful: grown one by one, so that struct response needs no capacity. */
	struct http_field *headers = ARENA_NEW_ARRAY(response->arena, struct http_field, response->header_count + 1);
	if (response->header_count > 0)
		memcpy(headers, response->headers, response->header_count * sizeof *headers);
	headers[response->header_count++] = (struct http_field){ name, value };
	response->headers = headers;
}

static bool is_header_safe(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

/* Those every response has, or that are made from fields of struct response. */
static bool is_kernels_own(struct exchange *exchange, struct str name)
{
	static const char *const own[] = { "content-length",    "content-type", "content-encoding",
		                           "transfer-encoding", "connection",   "date",
		                           "cache-control",     "etag",         "vary" };
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (str_equal_nocase(name, str_from(own[i])))
			return true;
	for (size_t i = 0; i < exchange->server->fixed_header_count; i++)
		if (str_equal_nocase(name, exchange->server->fixed_headers[i].name))
			return true;
	return false;
}

void response_header(struct response *response, const char *name, struct str value)
{
	struct exchange *exchange = exchange_of_response(response);
	if (is_kernels_own(exchange, str_from(name)) || !is_header_safe(value)) {
		log_error("header_refused", LOGC("name", name),
		          LOGC("route", exchange->request.route ? exchange->request.route->path : ""));
		exchange->mistake = true;
		return;
	}
	add_header(response, str_copy(response->arena, str_from(name)), str_copy(response->arena, value));
}

/* A path of ours: one slash first, then neither a second one nor a backslash (browsers read "/\host" as another site), and
 * nothing that ends the line. */
static bool is_local_path(struct str path)
{
	if (path.len == 0 || path.ptr[0] != '/' || (path.len > 1 && path.ptr[1] == '/'))
		return false;
	for (size_t i = 0; i < path.len; i++)
		if ((unsigned char)path.ptr[i] < ' ' || path.ptr[i] == 0x7f || path.ptr[i] == '\\')
			return false;
	return true;
}

/* A header line is ASCII: other bytes are escaped. */
static struct str escape_path(struct arena *arena, struct str path)
{
	char *out = arena_alloc(arena, path.len * 3 + 1);
	size_t n = 0;
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];
		if (c > ' ' && c < 0x7f) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = "0123456789ABCDEF"[c >> 4];
		out[n++] = "0123456789ABCDEF"[c & 15];
	}
	return (struct str){ out, n };
}

/* The language that the reader chose in the address goes along. */
static struct str keep_language(const struct request *request, struct arena *arena, struct str path)
{
	const struct str chosen = request_query(request, "lang");
	struct str before, after;
	if (str_is_none(chosen) || language_find(chosen) != request->language || str_find(path, S("lang="), 0) != SIZE_MAX)
		return path;
	const bool anchor = str_cut(path, '#', &before, &after);
	return str_format(arena, "%.*s%slang=%s%s%.*s", STR_ARG(before), str_find(before, S("?"), 0) == SIZE_MAX ? "?" : "&",
	                  languages[request->language].tag, anchor ? "#" : "", STR_ARG(after));
}

void response_redirect(struct response *response, struct str path)
{
	struct exchange *exchange = exchange_of_response(response);
	if (!is_local_path(path)) {
		log_error("redirect_refused",
		          LOGC("route", exchange->request.route ? exchange->request.route->path : ""));
		exchange->mistake = true;
		return;
	}
	response->status = 303;
	buf_clear(&response->body);
	add_header(response, S("Location"), escape_path(response->arena, keep_language(&exchange->request, response->arena, path)));
}

/* The page when nothing is known of the reader, or nobody wrote a better one. */
static void plain_page(struct response *response, enum problem problem)
{
	buf_format(&response->body,
	           "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%d</title></head>\n"
	           "<body><h1>%d</h1><p>%s</p></body></html>\n",
	           response->status, response->status, problem_text(problem));
}

void response_problem(struct request *request, struct response *response, enum problem problem, const struct err *err)
{
	struct exchange *exchange = exchange_of(request);
	house_error_page page = house_page_of_errors(exchange->server->house);
	buf_clear(&response->body);
	response->status = problem_status(problem);
	response->content_type = S("text/html; charset=utf-8");
	response->cacheable = false;
	/* Of a head that was refused nothing is believed, not even the language. */
	if (page && exchange->state != EXCHANGE_HEAD)
		page(request, response, problem, err);
	/* The page may have lost its status or written nothing: neither must make a failure look well. */
	response->status = problem_status(problem);
	if (response->body.len == 0)
		plain_page(response, problem);
}

void response_error(struct request *request, struct response *response, enum rc rc, const struct err *err)
{
	static const enum problem problem_of[] = {
		[OK] = PROBLEM_FAILED,       [NOT_FOUND] = PROBLEM_NOT_FOUND, [DENIED] = PROBLEM_DENIED,
		[INVALID] = PROBLEM_INVALID, [CONFLICT] = PROBLEM_CONFLICT,   [BUSY] = PROBLEM_BUSY,
		[FAILED] = PROBLEM_FAILED,
	};
	if (rc == FAILED || rc == OK)
		log_error("request_failed", LOGC("route", request->route ? request->route->path : ""),
		          LOGS("detail", err ? err->detail : STR_NONE));
	if (rc == BUSY)
		response_header(response, "Retry-After", S("5"));
	response_problem(request, response, problem_of[rc], err);
}

void response_download(struct response *response, struct str content_type, const char *file_name)
{
	char safe[128];
	size_t n = 0;
	for (const char *c = file_name; *c && n + 1 < sizeof safe; c++) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		             *c == '.' || *c == '-' || *c == '_';
		safe[n] = plain && !(n == 0 && *c == '.') ? *c : '_';
		n++;
	}
	safe[n] = 0;
	response->content_type = str_copy(response->arena, content_type);
	add_header(response, S("Content-Disposition"),
	           str_format(response->arena, "attachment; filename=\"%s\"", safe));
}

/* RFC 6265, 4.1.1: cookie-octet. */
static bool is_cookie_value(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\')
			return false;
	}
	return true;
}

void response_cookie(struct request *request, struct response *response, const char *name, struct str value,
                     int64_t max_age_seconds)
{
	struct exchange *exchange = exchange_of(request);
	if (!is_cookie_value(value)) {
		log_error("cookie_refused", LOGC("name", name));
		exchange->mistake = true;
		return;
	}
	struct str age =
		max_age_seconds < 0 ? S("") : str_format(response->arena, "; Max-Age=%lld", (long long)max_age_seconds);
	add_header(response, S("Set-Cookie"),
	           str_format(response->arena, "%s%s=%.*s; Path=/; HttpOnly; SameSite=Lax%s%.*s",
	                      request->secure ? "__Host-" : "", name, STR_ARG(value), request->secure ? "; Secure" : "",
	                      STR_ARG(age)));
	exchange->cookie_set = true;
}

/* --- what every response has -------------------------------------------------------------------------------- */

void fixed_headers_build(struct http_server *server)
{
	struct arena *arena = &server->arena;
	struct http_field headers[] = {
		{ S("Content-Security-Policy"),
		  str_format(arena,
		             "default-src 'none'; style-src 'self' '%s'; script-src 'self'; img-src 'self'; "
		             "connect-src "
		             "'self'; "
		             "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		             html_style_hash) },
		{ S("X-Content-Type-Options"), S("nosniff") },
		{ S("X-Frame-Options"), S("DENY") },
		{ S("Referrer-Policy"), S("no-referrer") },
		{ S("Cross-Origin-Opener-Policy"), S("same-origin") },
		{ S("Cross-Origin-Resource-Policy"), S("same-origin") },
		{ S("Permissions-Policy"), S("camera=(), geolocation=(), microphone=(), payment=(), usb=()") },
		{ S("Strict-Transport-Security"), S("max-age=63072000; includeSubDomains") },
	};
	size_t count = COUNT_OF(headers);
	if (!str_starts(str_from(server->house->public_url), S("https://")))
		count--; /* browsers ignore the last one over plain HTTP; behind a wrong proxy it would lock people out */
	server->fixed_headers = ARENA_NEW_ARRAY(arena, struct http_field, count);
	memcpy(server->fixed_headers, headers, count * sizeof *headers);
	server->fixed_header_count = count;
}

static bool is_text(struct str type)
{
	static const char *const kinds[] = { "text/",
		                             "application/json",
		                             "application/geo+json",
		                             "application/xml",
		                             "application/cap+xml",
		                             "application/atom+xml",
		                             "application/manifest+json",
		                             "application/problem+json",
		                             "image/svg+xml" };
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (str_starts(type, str_from(kinds[i])))
			return true;
	return false;
}

/* Gives a public page its ETag and turns it into 304 when the browser has it. Returns true with the tag's bytes. */
static bool make_cacheable(struct exchange *exchange, uint8_t tag[ETAG_SIZE])
{
	struct response *response = &exchange->response;
	if (!response->cacheable || response->status != 200 || exchange->request.method != METHOD_GET ||
	    exchange->form_token_made || exchange->cookie_set || exchange->request.officer) {
		add_header(response, S("Cache-Control"), S("no-store"));
		return false;
	}
	crypto_generichash(tag, ETAG_SIZE, (const unsigned char *)(response->body.ptr ? response->body.ptr : ""),
	                   response->body.len, NULL, 0);
	/* Weak: the same tag stands for the plain and the compressed bytes. */
	struct str hex = str_hex(response->arena, tag, ETAG_SIZE);
	struct str etag = str_format(response->arena, "W/\"%.*s\"", STR_ARG(hex));
	add_header(response, S("ETag"), etag);
	add_header(response, S("Cache-Control"),
	           str_format(response->arena, "public, max-age=%d, must-revalidate", CACHE_SECONDS));
	add_header(response, S("Vary"), S("Accept-Encoding, Accept-Language, Cookie"));
	if (head_etag_matches(exchange->facts.if_none_match, etag)) {
		/* The body stays: the library sends none with this status, but its length, which must be that of the page. */
		response->status = 304;
	}
	return true;
}

static void compress(struct exchange *exchange, const uint8_t *tag)
{
	struct response *response = &exchange->response;
	if (!exchange->accepts_gzip || response->body.len < GZIP_LEAST || !is_text(response->content_type))
		return;
	struct buf packed;
	buf_init(&packed);
	gzip_bytes(exchange->server->gzip, buf_str(&response->body), tag, &packed);
	if (packed.len < response->body.len) {
		struct buf plain = response->body;
		response->body = packed;
		packed = plain;
		add_header(response, S("Content-Encoding"), S("gzip"));
	}
	buf_release(&packed);
	if (!response->cacheable)
		add_header(response, S("Vary"), S("Accept-Encoding"));
}

void response_finish_asset(struct exchange *exchange, bool packed, bool varies)
{
	struct response *response = &exchange->response;
	/* The name holds a hash of the content, so it never changes. */
	add_header(response, S("Cache-Control"), S("public, max-age=31536000, immutable"));
	add_header(response, S("Content-Type"), response->content_type);
	if (varies)
		add_header(response, S("Vary"), S("Accept-Encoding"));
	if (packed)
		add_header(response, S("Content-Encoding"), S("gzip"));
}

void response_finish(struct exchange *exchange)
{
	struct response *response = &exchange->response;
	if (response->stream && !exchange->mistake)
		return; /* stream.c has its own */
	if (exchange->mistake) {
		stream_end(exchange);
		response->header_count = 0;
		response_problem(&exchange->request, response, PROBLEM_FAILED, NULL);
	}
	uint8_t tag[ETAG_SIZE];
	bool cached = make_cacheable(exchange, tag);
	response->cacheable = cached;
	compress(exchange, cached ? tag : NULL);
	if (response->body.len > 0 || response->status == 200)
		add_header(response, S("Content-Type"), response->content_type);
}
