#include "kernel/http/testing.h"

#include "kernel/access/access.h"
#include "kernel/html/error_page.h"

#include <sodium.h>
#include <zlib.h>

/* --- a desk to ask ------------------------------------------------------------------------------------------ */

static void page_get(struct request *request, struct response *response)
{
	response->cacheable = true;
	buf_format(&response->body, "<p>public page %s</p>", languages[request->language].tag);
	for (int i = 0; i < 100; i++)
		buf_add_str(&response->body, S("<li>the same words again</li>"));
}

static void echo_get(struct request *request, struct response *response)
{
	struct str a = request_capture(request, "a"), q = request_query(request, "q");
	buf_format(&response->body, "path=%.*s a=%.*s q=%.*s none=%d", STR_ARG(request->path), STR_ARG(a), STR_ARG(q),
	           str_is_none(q));
}

static void fixed_get(struct request *request, struct response *response)
{
	(void)request;
	buf_add_str(&response->body, S("fixed"));
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

static void machine_post(struct request *request, struct response *response)
{
	buf_format(&response->body, "body=%zu one=%.*s", request->body.len,
	           STR_ARG(request_form(request, "List-Unsubscribe")));
}

static void file_post(struct request *request, struct response *response)
{
	struct str file = request_form(request, "file");
	buf_format(&response->body, "file=%zu first=%d", file.len, file.len ? (unsigned char)file.ptr[0] : -1);
}

static void redirect_get(struct request *request, struct response *response)
{
	response_redirect(response, request_query(request, "to"));
}

static void mistake_get(struct request *request, struct response *response)
{
	(void)request;
	buf_add_str(&response->body, S("half a page"));
	response_header(response, "X-Thing", S("a\r\nSet-Cookie: b=c"));
}

static void error_get(struct request *request, struct response *response)
{
	struct err err;
	err_init(&err, request->arena);
	int64_t rc = FAILED;
	(void)str_to_int(request_query(request, "rc"), &rc);
	err_set(&err, FAILED, "inner detail");
	response_error(request, response, (enum rc)rc, &err);
}

static void cookie_get(struct request *request, struct response *response)
{
	response->cacheable = true;
	response_cookie(request, response, "seen", S("yes"), 60);
	buf_format(&response->body, "cookie=%.*s", STR_ARG(request_cookie(request, "seen")));
}

static void download_get(struct request *request, struct response *response)
{
	(void)request;
	response_download(response, S("text/csv; charset=utf-8"), "../a b\"\r\n.csv");
	buf_add_str(&response->body, S("a,b\n"));
}

static const struct route test_routes[] = {
	{ METHOD_GET, "/", page_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/echo/:a", echo_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/echo/fixed", fixed_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/form", form_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/form", form_post, "", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_POST, "/unsubscribe/:token", machine_post, "", PERMIT_ANYONE, RATE_FORM, true },
	{ METHOD_POST, "/file", file_post, "", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/redirect", redirect_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/mistake", mistake_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/error", error_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/cookie", cookie_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/download", download_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/officer/page", fixed_get, "", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_POST, "/officer/act", form_post, "", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/inner", fixed_get, "", PERMIT_PRIVATE, RATE_PAGE, true },
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

static void pages_and_routes(void **state)
{
	struct fixture *fixture = *state;
	struct reply reply = client_ask(fixture->port, "GET /echo/a%20%C3%A9?q=x+y%26z&r=1", "");
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply_body(&reply), "path=/echo/a \xc3\xa9 a=a \xc3\xa9 q=x y&z none=0");
	assert_guarded(&reply);
	reply_free(&reply);

	reply = client_ask(fixture->port, "GET /echo/fixed", "");
	assert_string_equal(reply_body(&reply), "fixed");
	reply_free(&reply);

	expect(fixture->port, "GET /nowhere", "", 404);
	expect(fixture->port, "GET /echo/", "", 404);
	expect(fixture->port, "GET /echo/a/b", "", 404);
	expect(fixture->port, "GET /inner", "", 404);
	expect(fixture->port, "GET /health", "", 404);
	/* Refused: two readers of these paths could come to different files. */
	static const char *const bad[] = { "/echo/..",      "/echo/%2e%2e",  "/./echo/a",     "/echo//a",
		                           "/echo/%00",     "/echo/%ff",     "/echo/%c0%af",  "/echo/%2f",
		                           "/echo/%5c",     "/echo/%zz",     "/echo/%4",      "/echo/a?q=%00",
		                           "/echo/a?q=%ff", "/echo/a?q=%g1", "/echo/%0d%0aX", "/echo/%ed%a0%80" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char line[64];
		snprintf(line, sizeof line, "GET %s", bad[i]);
		expect(fixture->port, line, "", 400);
	}
}

static void methods(void **state)
{
	struct fixture *fixture = *state;
	char allow[64];
	struct reply reply = client_ask(fixture->port, "TRACE /form", "");
	assert_int_equal(reply.status, 405);
	assert_true(reply_header(&reply, "Allow", allow, sizeof allow));
	assert_string_equal(allow, "GET, HEAD, POST");
	assert_null(strstr(reply_body(&reply), "TRACE /form")); /* nothing of the request comes back */
	assert_guarded(&reply);
	reply_free(&reply);

	reply = client_ask(fixture->port, "DELETE /echo/a", "");
	assert_int_equal(reply.status, 405);
	assert_true(reply_header(&reply, "Allow", allow, sizeof allow));
	assert_string_equal(allow, "GET, HEAD");
	reply_free(&reply);

	reply = client_post(fixture->port, "/echo/a", "", "");
	assert_int_equal(reply.status, 405);
	reply_free(&reply);
	reply = client_ask(fixture->port, "GET /unsubscribe/x", "");
	assert_int_equal(reply.status, 405);
	assert_true(reply_header(&reply, "Allow", allow, sizeof allow));
	assert_string_equal(allow, "POST");
	reply_free(&reply);
	expect(fixture->port, "OPTIONS /form", "", 405);
	expect(fixture->port, "BREW /nowhere", "", 404);
}

static void head_answers_like_get(void **state)
{
	struct fixture *fixture = *state;
	char get_length[32], head_length[32];
	struct reply get = client_ask(fixture->port, "GET /echo/abc", "");
	struct reply head = client_ask(fixture->port, "HEAD /echo/abc", "");
	assert_int_equal(head.status, 200);
	assert_guarded(&head);
	assert_true(reply_header(&get, "Content-Length", get_length, sizeof get_length));
	assert_true(reply_header(&head, "Content-Length", head_length, sizeof head_length));
	assert_string_equal(get_length, head_length);
	assert_string_equal(reply_body(&head), "");
	assert_true(strlen(reply_body(&get)) > 0);
	reply_free(&get);
	reply_free(&head);
}

/* --- bodies and forms ---------------------------------------------------------------------------------------- */

static void large_bodies_are_refused_unread(void **state)
{
	struct fixture *fixture = *state;
	char head[256];
	/* One byte too many: refused before a byte of it was sent. */
	snprintf(head, sizeof head,
	         "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
	         HTTP_BODY_MAX + 1);
	int fd = client_connect(fixture->port);
	client_send(fd, head, strlen(head));
	struct reply reply = client_read(fd, NULL, 5000);
	assert_int_equal(reply.status, 413);
	assert_guarded(&reply);
	reply_free(&reply);
	close(fd);
	/* Whoever sends it without asking first is heard out, and then sees the answer. */
	char *large = malloc(HTTP_BODY_MAX + 2);
	memset(large, 'a', HTTP_BODY_MAX + 1);
	large[HTTP_BODY_MAX + 1] = 0;
	reply = client_post(fixture->port, "/form", "", large);
	assert_int_equal(reply.status, 413);
	reply_free(&reply);
	free(large);
	/* Exactly as much as is allowed is read, and then fails only for want of a token. */
	char *body = malloc(HTTP_BODY_MAX + 1);
	memset(body, 'a', HTTP_BODY_MAX);
	memcpy(body, "name=", 5);
	body[HTTP_BODY_MAX] = 0;
	reply = client_post(fixture->port, "/form", "", body);
	assert_int_equal(reply.status, 403);
	reply_free(&reply);
	free(body);
	reply = client_ask(fixture->port, "POST /form", "Content-Length: 3\r\nContent-Encoding: gzip\r\n");
	assert_int_equal(reply.status, 415);
	reply_free(&reply);
}

struct open_form {
	char cookie[64]; /* "chancery_form=..." */
	char token[64];
};

static struct open_form open_form(int port)
{
	struct open_form form;
	char value[256];
	struct reply reply = client_ask(port, "GET /form", "");
	assert_int_equal(reply.status, 200);
	assert_true(reply_header(&reply, "Set-Cookie", value, sizeof value));
	assert_non_null(strstr(value, "; Path=/; HttpOnly; SameSite=Lax"));
	value[strcspn(value, ";")] = 0;
	snprintf(form.cookie, sizeof form.cookie, "%.60s", value);
	snprintf(form.token, sizeof form.token, "%.60s", reply_body(&reply));
	assert_true(reply_header(&reply, "Cache-Control", value, sizeof value));
	assert_string_equal(value, "no-store");
	reply_free(&reply);
	return form;
}

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

static void forms_need_their_token(void **state)
{
	struct fixture *fixture = *state;
	struct open_form form = open_form(fixture->port), other = open_form(fixture->port);
	struct reply reply = send_form(fixture->port, "/form", &form, "",
	                               "name=A+%26%20B&many=1&many=2&leg.0.place=x&leg.2.place=y&leg.01=z");
	assert_int_equal(reply.status, 200);
	char right[128];
	snprintf(right, sizeof right, "key=%.16s name=A & B many=2 rows=3 over=0", form.token);
	assert_string_equal(reply_body(&reply), right);
	reply_free(&reply);

	struct open_form bad = form;
	snprintf(bad.cookie, sizeof bad.cookie, "%s", other.cookie);
	expect_form(fixture->port, &bad, "", "name=a", 403); /* another browser's cookie */
	bad = form;
	bad.token[20] = bad.token[20] == 'a' ? 'b' : 'a';
	expect_form(fixture->port, &bad, "", "name=a", 403);
	bad = form;
	bad.token[2] = bad.token[2] == 'a' ? 'b' : 'a';
	expect_form(fixture->port, &bad, "", "name=a", 403);
	bad = form;
	bad.token[strlen(bad.token) - 1] = 0;
	expect_form(fixture->port, &bad, "", "name=a", 403);
	bad = form;
	snprintf(bad.cookie, sizeof bad.cookie, "chancery_form=");
	expect_form(fixture->port, &bad, "", "name=a", 403);
	reply = client_post(fixture->port, "/form", "", "name=a");
	assert_int_equal(reply.status, 403);
	assert_non_null(strstr(reply_body(&reply), "open the form again"));
	reply_free(&reply);

	/* What the browser says of where it came from. */
	char ours[64];
	snprintf(ours, sizeof ours, "Origin: http://localhost:%d\r\n", fixture->port);
	expect_form(fixture->port, &form, ours, "name=a", 200);
	expect_form(fixture->port, &form, "Origin: null\r\nSec-Fetch-Site: same-origin\r\n", "name=a", 200);
	expect_form(fixture->port, &form, "Sec-Fetch-Site: none\r\n", "name=a", 200);
	expect_form(fixture->port, &form, "Sec-Fetch-Site: cross-site\r\n", "name=a", 403);
	expect_form(fixture->port, &form, "Sec-Fetch-Site: same-site\r\n", "name=a", 403);
	expect_form(fixture->port, &form, "Origin: http://evil.example\r\n", "name=a", 403);
	expect_form(fixture->port, &form, "Origin: http://localhost.evil.example\r\n", "name=a", 403);

	/* A known browser keeps its cookie. */
	char more[128], value[256];
	snprintf(more, sizeof more, "Cookie: %s\r\n", form.cookie);
	reply = client_ask(fixture->port, "GET /form", more);
	assert_false(reply_header(&reply, "Set-Cookie", value, sizeof value));
	reply_free(&reply);
}

static void forms_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct open_form form = open_form(fixture->port);
	expect_form(fixture->port, &form, "", "name=%00", 400);
	expect_form(fixture->port, &form, "", "name=%ff", 400);
	expect_form(fixture->port, &form, "", "name=%4", 400);
	expect_form(fixture->port, &form, "", "na%c0me=a", 400);
	struct buf many;
	buf_init(&many);
	for (int i = 0; i < HTTP_FIELDS_MAX - 1; i++) /* with the token that is just the most */
		buf_add_str(&many, i ? S("&many=1") : S("many=1"));
	buf_add_char(&many, 0);
	struct reply reply = send_form(fixture->port, "/form", &form, "", many.ptr);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply_body(&reply), "many=1999"));
	reply_free(&reply);
	many.len--;
	buf_add(&many, "&many=1", 8);
	expect_form(fixture->port, &form, "", many.ptr, 413);
	buf_clear(&many);
	for (int i = 0; i < HTTP_FIELD_NAME_MAX; i++)
		buf_add_char(&many, 'n');
	buf_add(&many, "=1", 3);
	expect_form(fixture->port, &form, "", many.ptr, 200);
	many.ptr[HTTP_FIELD_NAME_MAX] = 'n';
	many.len--;
	buf_add(&many, "=1", 3);
	expect_form(fixture->port, &form, "", many.ptr, 413);
	buf_release(&many);
	expect_form(fixture->port, &form, "", "leg.3.place=x", 200);
	reply = client_ask(fixture->port, "POST /form", "Content-Type: text/plain\r\nContent-Length: 0\r\n");
	assert_int_equal(reply.status, 403);
	reply_free(&reply);
	int fd = client_connect(fixture->port);
	const char *plain = "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: "
			    "3\r\nConnection: close\r\n\r\na=b";
	client_send(fd, plain, strlen(plain));
	reply = client_read(fd, NULL, 5000);
	assert_int_equal(reply.status, 415);
	reply_free(&reply);
	close(fd);
}

static void files_come_whole(void **state)
{
	struct fixture *fixture = *state;
	struct open_form form = open_form(fixture->port);
	struct buf body;
	buf_init(&body);
	buf_format(&body, "--XX\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\n%s\r\n", form.token);
	buf_add_str(&body, S("--XX\r\nContent-Disposition: form-data; name=\"file\"; "
	                     "filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n"));
	char content[300];
	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (char)(255 - i % 256); /* every byte, NUL and bad UTF-8 among them */
	buf_add(&body, content, sizeof content);
	buf_add_str(&body, S("\r\n--XX--\r\n"));
	struct buf bytes;
	buf_init(&bytes);
	buf_format(&bytes,
	           "POST /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; "
	           "boundary=XX\r\n"
	           "Content-Length: %zu\r\nCookie: %s\r\n\r\n",
	           body.len, form.cookie);
	buf_add_str(&bytes, buf_str(&body));
	int fd = client_connect(fixture->port);
	client_send(fd, bytes.ptr, bytes.len);
	struct reply reply = client_read(fd, NULL, 5000);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply_body(&reply), "file=300 first=255");
	reply_free(&reply);
	close(fd);
	buf_release(&body);
	buf_release(&bytes);
}

static void machine_routes_need_no_token(void **state)
{
	struct fixture *fixture = *state;
	struct reply reply = client_post(fixture->port, "/unsubscribe/abc", "", "List-Unsubscribe=One-Click");
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply_body(&reply), "body=26 one=One-Click");
	reply_free(&reply);
	int fd = client_connect(fixture->port);
	const char *json = "POST /unsubscribe/a HTTP/1.1\r\nHost: a\r\nContent-Type: "
			   "application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
	client_send(fd, json, strlen(json));
	reply = client_read(fd, NULL, 5000);
	assert_string_equal(reply_body(&reply), "body=2 one=");
	reply_free(&reply);
	close(fd);
}

/* --- responses ------------------------------------------------------------------------------------------------ */

static void public_pages_are_cached_and_packed(void **state)
{
	struct fixture *fixture = *state;
	char etag[128], value[256], more[256];
	struct reply plain = client_ask(fixture->port, "GET /", "Accept-Language: fa-IR, en;q=0.5\r\n");
	assert_int_equal(plain.status, 200);
	assert_non_null(strstr(reply_body(&plain), "public page fa"));
	assert_true(reply_header(&plain, "ETag", etag, sizeof etag));
	assert_true(reply_header(&plain, "Vary", value, sizeof value));
	assert_non_null(strstr(value, "Accept-Language"));
	assert_true(reply_header(&plain, "Cache-Control", value, sizeof value));
	assert_non_null(strstr(value, "max-age="));
	assert_false(reply_header(&plain, "Content-Encoding", value, sizeof value));

	for (int round = 0; round < 2; round++) { /* made, then from the memory */
		struct reply packed = client_ask(fixture->port, "GET /",
		                                 "Accept-Language: fa\r\nAccept-Encoding: br, gzip;q=0.8\r\n");
		assert_true(reply_header(&packed, "Content-Encoding", value, sizeof value));
		assert_string_equal(value, "gzip");
		assert_true(reply_header(&packed, "Content-Length", value, sizeof value));
		const char *body = reply_body(&packed);
		size_t size = packed.size - (size_t)(body - packed.bytes);
		assert_int_equal(strtol(value, NULL, 10), (long)size);
		assert_true(size < strlen(reply_body(&plain)) / 5);
		unsigned char out[8192];
		z_stream stream = { .next_in = (unsigned char *)(uintptr_t)body,
			            .avail_in = (unsigned)size,
			            .next_out = out,
			            .avail_out = sizeof out };
		assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
		assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
		assert_int_equal(stream.total_out, strlen(reply_body(&plain)));
		assert_memory_equal(out, reply_body(&plain), stream.total_out);
		inflateEnd(&stream);
		reply_free(&packed);
	}
	size_t length = strlen(reply_body(&plain));
	reply_free(&plain);

	snprintf(more, sizeof more, "Accept-Language: fa\r\nIf-None-Match: \"x\", %s\r\n", etag);
	struct reply same = client_ask(fixture->port, "GET /", more);
	assert_int_equal(same.status, 304);
	assert_string_equal(reply_body(&same), "");
	/* RFC 9110, 8.6: none, or that of the page. */
	if (reply_header(&same, "Content-Length", value, sizeof value))
		assert_int_equal(strtol(value, NULL, 10), (long)length);
	assert_guarded(&same);
	reply_free(&same);
	snprintf(more, sizeof more, "Accept-Language: en\r\nIf-None-Match: %s\r\n", etag);
	struct reply other = client_ask(fixture->port, "GET /", more);
	assert_int_equal(other.status, 200); /* another language is another page */
	reply_free(&other);
	other = client_ask(fixture->port, "GET /?lang=ar",
	                   "Accept-Language: en\r\nAccept-Encoding: gzip;q=0, *;q=0\r\n");
	assert_non_null(strstr(reply_body(&other), "public page ar"));
	reply_free(&other);
	other = client_ask(fixture->port, "GET /cookie", "");
	assert_true(reply_header(&other, "Cache-Control", value, sizeof value));
	assert_string_equal(value, "no-store"); /* it sets a cookie, so it is nobody else's */
	assert_true(reply_header(&other, "Set-Cookie", value, sizeof value));
	assert_string_equal(value, "seen=yes; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
	reply_free(&other);
}

static void redirects_stay_here(void **state)
{
	struct fixture *fixture = *state;
	char value[256];
	struct reply reply = client_ask(fixture->port, "GET /redirect?to=/echo/a%3Fq=1", "");
	assert_int_equal(reply.status, 303);
	assert_true(reply_header(&reply, "Location", value, sizeof value));
	assert_string_equal(value, "/echo/a?q=1");
	reply_free(&reply);
	reply = client_ask(fixture->port, "GET /redirect?to=/echo%3Fq=1%23end&lang=fr", "");
	assert_true(reply_header(&reply, "Location", value, sizeof value));
	assert_string_equal(value, "/echo?q=1&lang=fr#end");
	reply_free(&reply);
	reply = client_ask(fixture->port, "GET /redirect?to=/echo%3Flang=ar&lang=fr", "");
	assert_true(reply_header(&reply, "Location", value, sizeof value));
	assert_string_equal(value, "/echo?lang=ar");
	reply_free(&reply);
	reply = client_ask(fixture->port, "GET /redirect?to=/echo&lang=%22x", "");
	assert_true(reply_header(&reply, "Location", value, sizeof value));
	assert_string_equal(value, "/echo");
	reply_free(&reply);
	reply = client_ask(fixture->port, "GET /redirect?to=/%C3%A9%20a%ff", "");
	assert_int_equal(reply.status, 400);
	reply_free(&reply);
	reply = client_ask(fixture->port, "GET /redirect?to=/%C3%A9%20a", "");
	assert_int_equal(reply.status, 303);
	assert_true(reply_header(&reply, "Location", value, sizeof value));
	assert_string_equal(value, "/%C3%A9%20a");
	assert_guarded(&reply);
	reply_free(&reply);
	static const char *const bad[] = { "https://evil.example/", "//evil.example", "/%5Cevil.example", "", "echo",
		                           "/a%0d%0aX:+y",          "/a%09b" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char line[128];
		snprintf(line, sizeof line, "GET /redirect?to=%s", bad[i]);
		reply = client_ask(fixture->port, line, "");
		assert_int_equal(reply.status, 500);
		assert_false(reply_header(&reply, "Location", value, sizeof value));
		reply_free(&reply);
	}
}

static void mistakes_do_not_get_out(void **state)
{
	struct fixture *fixture = *state;
	char value[256];
	struct reply reply = client_ask(fixture->port, "GET /mistake", "");
	assert_int_equal(reply.status, 500);
	assert_null(strstr(reply.bytes, "half a page"));
	assert_false(reply_header(&reply, "Set-Cookie", value, sizeof value));
	assert_guarded(&reply);
	reply_free(&reply);
	static const struct {
		enum rc rc;
		int status;
	} codes[] = { { NOT_FOUND, 404 }, { DENIED, 403 }, { INVALID, 422 },
		      { CONFLICT, 409 },  { BUSY, 503 },   { FAILED, 500 } };
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		char line[64];
		snprintf(line, sizeof line, "GET /error?rc=%d", codes[i].rc);
		reply = client_ask(fixture->port, line, "");
		assert_int_equal(reply.status, codes[i].status);
		assert_null(strstr(reply.bytes, "inner detail"));
		assert_guarded(&reply);
		reply_free(&reply);
	}
	reply = client_ask(fixture->port, "GET /download", "");
	assert_true(reply_header(&reply, "Content-Disposition", value, sizeof value));
	assert_string_equal(value, "attachment; filename=\"_._a_b___.csv\"");
	reply_free(&reply);
}

static void officers_pages_ask_to_sign_in(void **state)
{
	struct fixture *fixture = *state;
	char value[256];
	struct reply reply = client_ask(fixture->port, "GET /officer/page?a=b&c=d", "");
	assert_int_equal(reply.status, 303);
	assert_true(reply_header(&reply, "Location", value, sizeof value));
	assert_string_equal(value, "/sign-in?next=/officer/page%3Fa%3Db%26c%3Dd");
	reply_free(&reply);
	reply = client_post(fixture->port, "/officer/act", "", "a=b");
	assert_int_equal(reply.status, 403);
	reply_free(&reply);
}

static const struct officer somebody = { .id = 1, .name = { "Reader", 6 }, .permission = PERMIT_READER };

static const struct officer *identify(struct request *request)
{
	struct str name = request_cookie(request, "who");
	return str_equal(name, S("reader")) ? &somebody : NULL;
}

static bool allows(const struct officer *officer, enum permission permission)
{
	return officer && permission <= PERMIT_READER;
}

static void officers_do_what_they_may(void **state)
{
	struct fixture *fixture = *state;
	house_set_identify(fixture->house, identify, allows);
	struct reply reply = client_ask(fixture->port, "GET /officer/page", "Cookie: who=reader\r\n");
	assert_int_equal(reply.status, 403); /* signed in, but not allowed: signing in again would not help */
	assert_guarded(&reply);
	reply_free(&reply);
	reply = client_ask(fixture->port, "GET /", "Cookie: who=reader\r\n");
	char value[128];
	assert_true(reply_header(&reply, "Cache-Control", value, sizeof value));
	assert_string_equal(value, "no-store"); /* a page for an officer is no public page */
	reply_free(&reply);
}

static void keep_alive_and_pipelining(void **state)
{
	struct fixture *fixture = *state;
	int fd = client_connect(fixture->port);
	for (int i = 0; i < 20; i++) {
		char request[128], right[64];
		snprintf(request, sizeof request, "GET /echo/n%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
		snprintf(right, sizeof right, " a=n%d ", i);
		client_send(fd, request, strlen(request));
		struct reply reply = client_read(fd, "none=1", 5000);
		assert_int_equal(reply.status, 200);
		assert_non_null(strstr(reply.bytes, right));
		reply_free(&reply);
	}
	const char *two = "GET /echo/one HTTP/1.1\r\nHost: a\r\n\r\nGET /echo/two HTTP/1.1\r\nHost: a\r\nConnection: "
			  "close\r\n\r\n";
	client_send(fd, two, strlen(two));
	struct reply reply = client_read(fd, NULL, 5000);
	assert_non_null(strstr(reply.bytes, "a=one"));
	assert_non_null(strstr(strstr(reply.bytes, "a=one"), "a=two"));
	reply_free(&reply);
	close(fd);
	/* A head that was refused ends the connection: where the next request would begin is anybody's guess. */
	const char *bad =
		"GET /echo/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /echo/hidden HTTP/1.1\r\nHost: a\r\n\r\n";
	reply = client_raw(fixture->port, bad, strlen(bad));
	assert_int_equal(reply.status, 400);
	assert_null(strstr(reply.bytes, "hidden"));
	reply_free(&reply);
}

static const struct route conflicting[] = {
	{ METHOD_GET, "/x/:one", page_get, "", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/x/:two", page_get, "", PERMIT_ANYONE, RATE_PAGE, false },
};
static const struct route malformed[] = { { METHOD_GET, "/x//y", page_get, "", PERMIT_ANYONE, RATE_PAGE, false } };

static void custom_page(struct request *request, struct response *response, enum problem problem, const struct err *err)
{
	(void)err;
	buf_format(&response->body, "own page %d in %s", problem_status(problem), languages[request->language].tag);
	response->status = 200; /* must not win */
}

static void error_pages_speak_the_readers_language(void **state)
{
	struct fixture *fixture = *state;
	house_set_error_page(fixture->house, html_error_page);
	struct reply reply = client_ask(fixture->port, "GET /nowhere", "Accept-Language: fa\r\n");
	assert_int_equal(reply.status, 404);
	assert_non_null(strstr(reply_body(&reply), "lang=\"fa\""));
	assert_non_null(strstr(reply_body(&reply), "dir=\"rtl\""));
	assert_guarded(&reply);
	reply_free(&reply);
	/* The reader's own choice comes before what the browser says, on pages that are not there too. */
	reply = client_ask(fixture->port, "GET /nowhere?lang=ar", "Accept-Language: fr\r\n");
	assert_int_equal(reply.status, 404);
	assert_non_null(strstr(reply_body(&reply), "lang=\"ar\""));
	reply_free(&reply);
	reply = client_post(fixture->port, "/form", "Accept-Language: fr\r\n", "a=b");
	assert_int_equal(reply.status, 403);
	assert_non_null(strstr(reply_body(&reply), "lang=\"fr\""));
	reply_free(&reply);
	/* The one style that the policy allows is the one in the page. */
	char policy[1024], source[128];
	reply = client_ask(fixture->port, "GET /nowhere", "");
	assert_true(reply_header(&reply, "Content-Security-Policy", policy, sizeof policy));
	unsigned char digest[crypto_hash_sha256_BYTES];
	char base64[64];
	crypto_hash_sha256(digest, (const unsigned char *)html_style, html_style_size);
	sodium_bin2base64(base64, sizeof base64, digest, sizeof digest, sodium_base64_VARIANT_ORIGINAL);
	snprintf(source, sizeof source, "style-src 'self' 'sha256-%s';", base64);
	assert_non_null(strstr(policy, source));
	assert_non_null(strstr(reply_body(&reply), html_style));
	reply_free(&reply);
}

static void error_pages_can_be_ours(void **state)
{
	struct fixture *fixture = *state;
	house_set_error_page(fixture->house, custom_page);
	struct reply reply = client_ask(fixture->port, "GET /nowhere", "Accept-Language: ar\r\n");
	assert_int_equal(reply.status, 404);
	assert_string_equal(reply_body(&reply), "own page 404 in ar");
	assert_guarded(&reply);
	reply_free(&reply);
}

static void bad_routes_do_not_start(void **state)
{
	(void)state;
	static const struct {
		const struct route *routes;
		size_t count;
		enum rc rc;
	} cases[] = { { conflicting, 2, CONFLICT }, { malformed, 1, INVALID } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct desk bad = { .name = "bad", .routes = cases[i].routes, .route_count = cases[i].count };
		const struct desk *list[] = { &house_desk, &http_desk, &bad };
		const struct house_options options = { .desks = list, .desk_count = COUNT_OF(list) };
		struct house *house;
		struct http_server *server;
		struct arena arena;
		struct err err;
		arena_init(&arena);
		err_init(&err, &arena);
		assert_int_equal(house_new(&options, &house, &err), OK);
		assert_int_equal(house_start(house, &err), OK);
		struct http_options http = { .listen = "127.0.0.1:0", .workers = 1 };
		assert_int_equal(http_start(house, &http, &server, &err), cases[i].rc);
		house_stop(house);
		house_free(house);
		arena_release(&arena);
	}
}

int main(void)
{
	log_set_level(LOG_ERROR + 1);
	const struct CMUnitTest tests[] = {
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		WITH_SERVER(pages_and_routes),
		WITH_SERVER(methods),
		WITH_SERVER(head_answers_like_get),
		WITH_SERVER(large_bodies_are_refused_unread),
		WITH_SERVER(forms_need_their_token),
		WITH_SERVER(forms_are_bounded),
		WITH_SERVER(files_come_whole),
		WITH_SERVER(machine_routes_need_no_token),
		WITH_SERVER(public_pages_are_cached_and_packed),
		WITH_SERVER(redirects_stay_here),
		WITH_SERVER(mistakes_do_not_get_out),
		WITH_SERVER(officers_pages_ask_to_sign_in),
		WITH_SERVER(officers_do_what_they_may),
		WITH_SERVER(keep_alive_and_pipelining),
		WITH_SERVER(error_pages_speak_the_readers_language),
		WITH_SERVER(error_pages_can_be_ours),
		cmocka_unit_test(bad_routes_do_not_start),
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
