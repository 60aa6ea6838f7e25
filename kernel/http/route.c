/* The table of routes. */
#include <stdlib.h>

#include "kernel/http/route.h"

static enum rc read_pattern(struct route_entry *entry, const struct route *route, struct err *err)
{
	struct str rest = str_from(route->path);
	size_t captures = 0;
	if (!route->handle || rest.len == 0 || rest.ptr[0] != '/')
		return err_set(err, INVALID, "route %s needs a path that starts with '/' and a handler", route->path);
	rest = str_slice(rest, 1, rest.len);
	while (rest.len > 0) {
		struct str segment;
		bool more = str_cut(rest, '/', &segment, &rest);
		bool captured = segment.len > 0 && segment.ptr[0] == ':';
		if (captured)
			segment = str_slice(segment, 1, segment.len);
		captures += captured;
		if (segment.len == 0 || (more && rest.len == 0) || entry->segment_count == HTTP_SEGMENTS_MAX ||
		    captures > HTTP_CAPTURES_MAX)
			return err_set(err, INVALID, "route %s: empty segment, slash at the end, or too many parts",
			               route->path);
		entry->segments[entry->segment_count] = segment;
		entry->captured[entry->segment_count++] = captured;
	}
	entry->route = route;
	return OK;
}

/* Fixed before captured, segment by segment; equal only for patterns that match the same addresses. */
static int compare_shapes(const struct route_entry *a, const struct route_entry *b)
{
	for (size_t i = 0; i < a->segment_count && i < b->segment_count; i++) {
		if (a->captured[i] != b->captured[i])
			return a->captured[i] ? 1 : -1;
		int order = a->captured[i] ? 0 : str_compare(a->segments[i], b->segments[i]);
		if (order)
			return order;
	}
	return (a->segment_count > b->segment_count) - (a->segment_count < b->segment_count);
}

static int compare_entries(const void *a, const void *b)
{
	const struct route_entry *first = a, *second = b;
	int order = compare_shapes(first, second);
	return order ? order : (int)first->route->method - (int)second->route->method;
}

enum rc routes_build(struct routes *routes, struct arena *arena, const struct house *house, bool is_private,
                     struct err *err)
{
	struct routes found = { NULL, 0 };
	size_t capacity = 0;
	for (size_t i = 0; i < house->desk_count; i++)
		for (size_t r = 0; r < house->desks[i]->route_count; r++) {
			const struct route *route = &house->desks[i]->routes[r];
			struct route_entry entry = { 0 };
			if ((route->permission == PERMIT_PRIVATE) != is_private)
				continue;
			enum rc rc = read_pattern(&entry, route, err);
			if (rc != OK)
				return rc;
			ARENA_PUSH(arena, found.entries, found.count, capacity, entry);
		}
	if (found.count > 0)
		qsort(found.entries, found.count, sizeof *found.entries, compare_entries);
	for (size_t i = 1; i < found.count; i++)
		if (compare_entries(&found.entries[i - 1], &found.entries[i]) == 0)
			return err_set(err, CONFLICT, "routes %s and %s answer to the same addresses",
			               found.entries[i - 1].route->path, found.entries[i].route->path);
	*routes = found;
	return OK;
}

static bool matches(const struct route_entry *entry, const struct target *target)
{
	if (entry->segment_count != target->segment_count)
		return false;
	for (size_t i = 0; i < entry->segment_count; i++) {
		if (entry->captured[i] ? target->segments[i].len == 0
		                       : !str_equal(entry->segments[i], target->segments[i]))
			return false;
	}
	return true;
}

struct route_match routes_match(const struct routes *routes, enum method method, const struct target *target)
{
	struct route_match match = { .route = NULL };
	for (size_t i = 0; i < routes->count; i++) {
		const struct route_entry *entry = &routes->entries[i];
		if (!matches(entry, target))
			continue;
		match.allows[entry->route->method] = true;
		if (match.route || entry->route->method != method)
			continue;
		match.route = entry->route;
		for (size_t s = 0; s < entry->segment_count; s++)
			if (entry->captured[s])
				match.captures[match.capture_count++] =
					(struct http_field){ entry->segments[s], target->segments[s] };
	}
	return match;
}
