/* The web server: libmicrohttpd in front, a small pool of workers that run handlers, plain synchronous functions.
 *
 * A handler reads `struct request`, fills `struct response` and returns. Everything it allocates comes from
 * request->arena and lives until the response is sent. Before the handler runs the kernel has: refused ambiguous
 * heads, matched the route, read and bounded the body, decoded the form (UTF-8 checked, NUL refused), found the
 * reader's language, asked kernel/access for the officer and the permission, and for POST checked the form token
 * and the fetch metadata. */
#ifndef CHANCERY_KERNEL_HTTP_H
#define CHANCERY_KERNEL_HTTP_H

#include "base/base.h"
#include "kernel/desk/desk.h"
#include "kernel/html/html.h"

/* A pasted polygon of 200,000 vertices fits, in GeoJSON of 15 digits and percent-encoded as forms are. Beyond: 413, after what follows was read
 * and thrown away, because a browser that is still sending never sees an answer; more than HTTP_DISCARD_MAX is refused at once. */
#define HTTP_BODY_MAX (12 * 1024 * 1024)
#define HTTP_DISCARD_MAX (64 * 1024 * 1024)
#define HTTP_BODIES_MAX (64 * 1024 * 1024) /* of all requests being read at one time; beyond: 503 */
#define HTTP_HEAD_MAX (16 * 1024)          /* request line and header lines; beyond: 431 */
#define HTTP_HEAD_LINES_MAX 100
#define HTTP_TARGET_MAX 4096
#define HTTP_FIELDS_MAX 2000
#define HTTP_FIELD_NAME_MAX 128
#define HTTP_CAPTURES_MAX 8
#define HTTP_SEGMENTS_MAX 16 /* of a path */
#define HTTP_QUEUE_MAX 256   /* requests waiting for a worker; beyond: 503 */
#define HTTP_CONNECTIONS_MAX 1000

struct http_field {
	struct str name, value;
};

struct exchange; /* the kernel's own side of a request */

struct request {
	struct arena *arena;
	struct house *house;
	const struct route *route;
	enum method method;
	struct str path; /* decoded, without the query */
	struct http_field captures[HTTP_CAPTURES_MAX];
	size_t capture_count;
	struct http_field *query;
	size_t query_count;
	struct http_field *form; /* POST: urlencoded or multipart; files appear with their content as value */
	size_t form_count;
	struct str cookies; /* the Cookie header */
	struct str if_none_match, accept_language, origin, fetch_site;
	int64_t last_event_id; /* SSE; -1 when absent */
	uint64_t
		source; /* keyed hash of the client's address, rotated daily; 0 unknown. The address itself is not kept */
	enum language language;        /* what the page will be in */
	const struct officer *officer; /* NULL when nobody is signed in */
	int64_t now;                   /* UTC microseconds, one value for the whole request */
	struct str body;               /* of a machine route, as it came; its type is in content_type */
	struct str content_type, host;
	bool secure; /* the public URL is https: cookies are Secure and __Host- */
	struct exchange *exchange;
};

/* Value of a captured path segment, a query or form field; STR_NONE when absent. The first of several. */
struct str request_capture(const struct request *request, const char *name);
struct str request_query(const struct request *request, const char *name);
struct str request_form(const struct request *request, const char *name);
/* All values of a repeated form field, in order. */
size_t request_form_all(const struct request *request, const char *name, struct str **values_out);
struct str request_cookie(const struct request *request, const char *name);
/* Rows of a repeated group: for prefix "leg" one more than the highest N among fields named leg.N or leg.N.SOMETHING,
 * 0 without any. Higher N than `most` - 1 do not count: check request_form_rows_over to refuse rather than to drop them. */
size_t request_form_rows(const struct request *request, const char *prefix, size_t most);
bool request_form_rows_over(const struct request *request, const char *prefix, size_t most);

struct response {
	struct arena *arena;
	int status;              /* 200 unless set */
	struct str content_type; /* "text/html; charset=utf-8" unless set */
	struct buf body;
	struct http_field *headers;
	size_t header_count;
	bool cacheable; /* public page: ETag from the body, max-age short; otherwise no-store. Ignored when the page
	                             holds a form token, sets a cookie or an officer is signed in */
	struct event_stream *stream; /* set by response_stream */
};

/* Adds a header. Names of the kernel's own (Content-Length, Content-Security-Policy ...) and values with control bytes are refused
 * (500: a mistake of the handler). */
void response_header(struct response *response, const char *name, struct str value);
/* 303 to a local path, with or without query. Bytes beyond ASCII and blanks are escaped; what does not begin with exactly one slash,
 * or holds a backslash or control byte, is refused (500): check what comes from outside first. The language that the reader chose in the
 * address (?lang=) goes along. */
void response_redirect(struct response *response, struct str path);
/* The same for one problem the kernel knows, without details. */
void response_problem(struct request *request, struct response *response, enum problem problem, const struct err *err);
/* An error page in the reader's language, which says what to do, with the status of `rc`; for FAILED the detail goes to the log only. */
void response_error(struct request *request, struct response *response, enum rc rc, const struct err *err);
/* A file to save: content disposition with a safe ASCII name. */
void response_download(struct response *response, struct str content_type, const char *file_name);
/* Sets a cookie: HttpOnly, SameSite=Lax, Path=/; Secure and __Host- when the public URL is https. max_age < 0: session. */
void response_cookie(struct request *request, struct response *response, const char *name, struct str value,
                     int64_t max_age_seconds);

/* --- form tokens ---------------------------------------------------------------------------------------- */
/* Every form holds {{ form_token }}: bound to the browser's cookie and to one rendering, so that it is both the
 * defence against cross-site posts and the key that makes a double submit harmless. */
struct str form_token(struct request *request);
/* The random part of the submitted token (STR_NONE on GET): store it UNIQUE with what the form makes; a CONFLICT then means
 * "already done": answer with the first result. */
struct str request_form_key(const struct request *request);

/* --- server-sent events --------------------------------------------------------------------------------- */
/* Turns the response into an event stream of `topic` (hub.h); BUSY (503) when too many listen. */
enum rc response_stream(struct request *request, struct response *response, struct str topic);

/* --- the server ----------------------------------------------------------------------------------------- */
extern const struct desk http_desk; /* /health, /metrics, /test/clock on the private listener; settings of limits */

struct http_options {
	const char *listen;         /* "127.0.0.1:8080", "[::1]:8080" or "unix:/path" */
	const char *private_listen; /* the same for PERMIT_PRIVATE routes, or NULL */
	bool allow_public_address;  /* else only loopback and unix sockets are bound */
	/* Told the port really bound (0 for a unix socket) before the first request can come; or NULL. */
	void (*bound)(void *context, int port);
	void *context;
	unsigned workers;           /* 0: 4 */
	size_t queue_most;          /* 0: HTTP_QUEUE_MAX */
	int64_t head_timeout;       /* microseconds for a whole head, and for a connection to stay idle; 0: 30 s */
	int64_t body_timeout;       /* for a whole body; 0: 120 s */
	int64_t send_timeout;       /* for a whole response but streams; 0: 300 s */
};
struct http_server;
enum rc http_start(struct house *house, const struct http_options *options, struct http_server **server_out,
                   struct err *err);
/* The port really bound (for port 0). */
int http_port(const struct http_server *server, bool private_listener);
/* Stops accepting, lets running handlers end, closes. */
void http_stop(struct http_server *server);

#endif
