/* The table of routes, made once from the desks. Private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_ROUTE_H
#define CHANCERY_KERNEL_HTTP_ROUTE_H

#include "kernel/http/head.h"

struct route_entry {
	const struct route *route;
	struct str segments[HTTP_SEGMENTS_MAX]; /* a capture's without the colon */
	bool captured[HTTP_SEGMENTS_MAX];
	size_t segment_count;
};

struct routes {
	struct route_entry
		*entries; /* those with fixed segments further left stand first, so the first match is the closest */
	size_t count;
};

/* Takes the routes of all desks that are (is_private) or are not for the private listener. CONFLICT when two answer to the same
 * addresses and method, INVALID for a path that is malformed. */
enum rc routes_build(struct routes *routes, struct arena *arena, const struct house *house, bool is_private,
                     struct err *err);

struct route_match {
	const struct route *route; /* NULL: none of that method */
	bool allows[2];            /* by enum method: which the address knows at all */
	struct http_field captures[HTTP_CAPTURES_MAX];
	size_t capture_count;
};
/* The route of an address. Values of captures are those of the target. */
struct route_match routes_match(const struct routes *routes, enum method method, const struct target *target);

#endif
