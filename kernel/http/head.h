/* The strict reading of a request's head, over what libmicrohttpd found. Pure functions; private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_HEAD_H
#define CHANCERY_KERNEL_HTTP_HEAD_H

#include "kernel/http/http.h"

struct head {
	struct str method, target, version;
	const struct http_field *lines;
	size_t line_count;
};

/* What the kernel wants of the lines; STR_NONE for what is absent. Views into the head. */
struct head_facts {
	int64_t content_length; /* -1 absent */
	int64_t last_event_id;  /* -1 absent or not a number */
	bool expects;           /* Expect: 100-continue: the body comes only when asked for */
	struct str host, content_type, cookies, accept_language, accept_encoding, if_none_match, origin, fetch_site,
		forwarded_for;
};

/* Checks the head by RFC 9110 and 9112, refusing whatever two readers could understand differently: lines that double,
 * a length beside a transfer coding, any transfer coding at all (411: nginx buffers bodies and sends their length), control bytes, targets that
 * are not a plain path, bodies where none belongs. True if it is good; else *problem says what to answer and
 * *reason (static, for the log) why. *facts is filled if it is good, and for a body that is only too large. */
bool head_check(const struct head *head, struct head_facts *facts, enum problem *problem, const char **reason);

/* A target split into decoded segments. */
struct target {
	struct str path; /* decoded, "/a/b" */
	struct str segments[HTTP_SEGMENTS_MAX];
	size_t segment_count; /* 0 for "/" */
	struct str query;     /* raw, without '?'; STR_NONE when there is none */
};
/* Decodes the path once. Refuses bad escapes, control bytes, encoded slashes, backslashes, dot segments, empty segments (but the last)
 * and what is not UTF-8. True, else *problem. */
bool target_parse(struct arena *arena, struct str raw, struct target *target, enum problem *problem);

/* True if the header `accept_encoding` takes gzip (RFC 9110, 12.5.3: q=0 refuses). */
bool head_accepts_gzip(struct str accept_encoding);
/* True if a If-None-Match list holds `etag` (weak comparison; "*" holds all). */
bool head_etag_matches(struct str if_none_match, struct str etag);
/* The value of one cookie of a Cookie line (the first of that name), or STR_NONE. */
struct str head_cookie(struct str cookies, struct str name);

#endif
