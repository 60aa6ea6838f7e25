/* One request and its response on their way, and the server around them. Private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_EXCHANGE_H
#define CHANCERY_KERNEL_HTTP_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "kernel/http/head.h"
#include "kernel/desk/hub.h"
#include "kernel/http/http.h"
#include "kernel/http/rate.h"
#include "kernel/http/route.h"

#define ETAG_SIZE 16

/* Whose turn it is. Only the thread whose turn it is touches the exchange; suspending and resuming the connection hands it over. */
enum exchange_state {
	EXCHANGE_HEAD,    /* libmicrohttpd reads the head */
	EXCHANGE_BODY,    /* libmicrohttpd reads the body */
	EXCHANGE_WAITING, /* suspended: in the queue, in the tarpit or with a worker */
	EXCHANGE_READY,   /* the response is made */
	EXCHANGE_SENT,    /* libmicrohttpd has it */
};

struct connection {
	struct connection *next, *previous;
	int fd;
	int64_t deadline; /* monotonic; INT64_MAX: none. Guarded by the listener's lock */
};

struct listener {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	struct routes routes;
	bool is_private, is_unix;
	char *unix_path; /* removed at the end */
	int port;
	pthread_mutex_t lock; /* guards the list of connections and their deadlines */
	struct connection *connections;
};

struct event_stream {
	struct hub_listener *listener; /* NULL: the response is not a stream */
	struct buf pending;            /* events being sent */
};

struct exchange {
	struct http_server *server;
	struct listener *listener;
	struct connection *connection;
	struct MHD_Connection *mhd;
	enum exchange_state state;
	struct arena arena;
	struct request request;
	struct response response;

	const char *target_at; /* where the library holds the target: an address, not to be read later */
	struct str raw_target; /* as it came, "/a?b" */
	struct head_facts facts;
	struct target target;
	struct buf body;
	bool too_large; /* the body is read and thrown away, then answered 413 */
	bool overflow;  /* the bodies being read are too large together: answer 503 when this one is over */
	bool head_only; /* HEAD */
	bool accepts_gzip;
	bool limited;  /* its source tried too often: 429 at the end of the wait */
	bool close;    /* the connection ends with this response */
	int64_t began; /* monotonic */

	struct exchange *next; /* in the queue or the tarpit; guarded by the server's lock */
	int64_t due;           /* tarpit: monotonic time of release */

	struct str form_cookie; /* the browser's cookie, or the new one */
	bool form_cookie_new, form_token_made, cookie_set;
	struct str form_key; /* of the submitted token */
	bool mistake;        /* the handler set something the kernel refuses: 500 */

	struct event_stream stream;
};

struct http_counters {
	atomic_llong requests[6]; /* by hundreds of the status; 0 unused */
	atomic_llong refused_heads, queue_full, rate_limited, forms_refused, microseconds;
};

struct gzip_cache;

struct http_server {
	struct house *house;
	struct arena arena;           /* routes and fixed headers */
	struct listener listeners[2]; /* public, private */
	size_t listener_count;
	struct http_field *fixed_headers;
	size_t fixed_header_count;
	int64_t head_timeout, body_timeout, send_timeout;
	struct rate_table rates;
	struct gzip_cache *gzip;
	struct http_counters counters;
	atomic_size_t bodies; /* bytes of bodies being read */
	atomic_size_t streams;
	atomic_size_t suspended; /* exchanges that wait */
	atomic_bool stopping;

	pthread_mutex_t lock; /* guards the queue, the tarpit and `ending` */
	pthread_cond_t work, tick;
	struct exchange *queue_head, **queue_tail;
	size_t queued, queue_most;
	struct exchange *tarpit;
	size_t tarpit_count;
	bool ending;
	pthread_t *workers;
	size_t worker_count;
	pthread_t timer;
	bool timer_runs;
};

static inline struct exchange *exchange_of(const struct request *request)
{
	return request->exchange;
}

/* dispatch.c: what a worker does with an exchange whose body is read; afterwards the response is finished. */
void exchange_run(struct exchange *exchange);
/* dispatch.c: fills the request from the head (all but query, form, officer). */
void exchange_fill(struct exchange *exchange);
/* For an answer without a handler: reads the query if it can be read, and the reader's choice of language. */
void exchange_fill_reader(struct exchange *exchange);
/* response.c: headers, ETag, compression. Call once, last. */
void response_finish(struct exchange *exchange);
/* The same for a file of the front end; `packed` the body is gzip, `varies` it might have been. */
void response_finish_asset(struct exchange *exchange, bool packed, bool varies);
/* form_token.c: for posts. False: refuse with PROBLEM_FORM. */
bool form_token_check(struct exchange *exchange);
/* form_token.c: true unless the browser says that the post came from another site. */
bool form_origin_is_ours(const struct exchange *exchange);
/* address.c: keyed hash of the client's address for today; 0 if unknown. */
uint64_t source_hash(const struct exchange *exchange);
/* stream.c: the response of an event stream, NULL if none can be made; and its end, whether or not it was sent. */
struct MHD_Response *stream_response(struct exchange *exchange);
void stream_end(struct exchange *exchange);
/* The fixed headers of every response, in the server's arena. */
void fixed_headers_build(struct http_server *server);
/* The limits of a rate class by the settings. */
struct rate_limit rate_limit_of(struct house *house, enum rate_class rate);

/* compress.c */
struct gzip_cache *gzip_cache_new(void);
void gzip_cache_free(struct gzip_cache *cache);
/* gzip of `in` (RFC 1952) appended to `out`; from the cache or into it when `etag` is given. */
void gzip_bytes(struct gzip_cache *cache, struct str in, const uint8_t *etag, struct buf *out);

/* listen.c: a listening socket for "127.0.0.1:8080", "[::1]:0", "localhost:8080" or "unix:/path". */
struct listen_socket {
	int fd;
	int port; /* 0 for unix */
	bool is_unix;
	struct str path; /* of a unix socket */
};
enum rc listen_open(struct arena *arena, const char *where, bool allow_public, struct listen_socket *socket_out,
                    struct err *err);

#endif
