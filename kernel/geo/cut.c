/* Cutting polygons along a meridian. The line is thought to run a hair right of x = line, so that no vertex lies on it. */
#include <stdlib.h>

#include "kernel/geo/wide.h"

#define NO_CHAIN SIZE_MAX

struct crossing {
	struct wide_xy inside, outside;
	int64_t y; /* rounded */
	size_t chain;
	bool leaves; /* the chain ends here; else it begins here */
};
/* What a ring does between entering and leaving. */
struct chain {
	struct wide_xy *points;
	size_t count;
	size_t enters, leaves; /* positions in the sorted crossings */
	bool used;
};
struct cut {
	struct arena *arena;
	int64_t line;
	struct crossing *crossings;
	size_t crossing_count, crossing_capacity;
	struct chain *chains;
	size_t chain_count, chain_capacity;
	struct wide_ring *whole; /* rings that lie left of the line */
	size_t whole_count, whole_capacity;
};

int wide_side(struct wide_xy a, struct wide_xy b, struct wide_xy c)
{
	__int128 left = (__int128)(b.x - a.x) * (c.y - a.y), right = (__int128)(b.y - a.y) * (c.x - a.x);
	return (left > right) - (left < right);
}

void wide_range(const struct wide_ring *ring, int64_t *low, int64_t *high)
{
	*low = *high = ring->points[0].x;
	for (size_t i = 1; i < ring->count; i++) {
		*low = ring->points[i].x < *low ? ring->points[i].x : *low;
		*high = ring->points[i].x > *high ? ring->points[i].x : *high;
	}
}

int wide_point(const struct wide_ring *ring, struct wide_xy p)
{
	bool inside = false;
	for (size_t i = 0, j = ring->count - 1; i < ring->count; j = i++) {
		struct wide_xy a = ring->points[j], b = ring->points[i];
		if (a.y > b.y) {
			struct wide_xy swap = a;
			a = b;
			b = swap;
		}
		if (p.y < a.y || p.y > b.y)
			continue;
		int side = wide_side(a, b, p);
		bool between = a.x < b.x ? p.x >= a.x && p.x <= b.x : p.x >= b.x && p.x <= a.x;
		if (side == 0 && between)
			return 0;
		if (p.y < b.y && side < 0) /* the edge is left of the point */
			inside = !inside;
	}
	return inside ? 1 : -1;
}

/* Where an edge crosses the line, as a fraction. */
static void fraction(const struct crossing *c, int64_t line, __int128 *numerator, int64_t *denominator)
{
	*denominator = c->outside.x - c->inside.x; /* > 0 */
	*numerator = (__int128)c->inside.y * *denominator + (__int128)(c->outside.y - c->inside.y) * (line - c->inside.x);
}

static int compare_crossings(const void *left, const void *right, void *context)
{
	const struct crossing *a = left, *b = right;
	int64_t line = *(const int64_t *)context, da, db;
	__int128 na, nb;
	fraction(a, line, &na, &da);
	fraction(b, line, &nb, &db);
	if (na * db != nb * da)
		return na * db < nb * da ? -1 : 1;
	/* A hair further right the steeper one is higher. */
	__int128 slope_a = (__int128)(a->outside.y - a->inside.y) * db, slope_b = (__int128)(b->outside.y - b->inside.y) * da;
	return (slope_a > slope_b) - (slope_a < slope_b);
}

static size_t add_crossing(struct cut *cut, struct wide_xy inside, struct wide_xy outside, bool leaves)
{
	struct crossing crossing = { inside, outside, 0, cut->chain_count, leaves };
	__int128 numerator;
	int64_t denominator;
	fraction(&crossing, cut->line, &numerator, &denominator);
	numerator = 2 * numerator + denominator; /* rounds to the nearest */
	__int128 quotient = numerator / (2 * (__int128)denominator);
	if (quotient * 2 * denominator > numerator)
		quotient--;
	crossing.y = (int64_t)quotient;
	ARENA_PUSH(cut->arena, cut->crossings, cut->crossing_count, cut->crossing_capacity, crossing);
	return cut->crossing_count - 1;
}

/* Cuts a ring that crosses the line into chains. `start` is inside and the point before it is not. */
static void add_chains(struct cut *cut, const struct wide_ring *ring, size_t start)
{
	struct wide_xy *points = NULL;
	size_t count = 0, capacity = 0;
	struct wide_xy before = ring->points[(start + ring->count - 1) % ring->count];
	for (size_t k = 0; k <= ring->count; k++) {
		struct wide_xy at = ring->points[(start + k) % ring->count];
		bool was_inside = before.x <= cut->line, is_inside = at.x <= cut->line;
		if (!was_inside && is_inside && k < ring->count) {
			points = NULL;
			count = capacity = 0;
			size_t crossing = add_crossing(cut, at, before, false);
			struct wide_xy on_line = { cut->line, cut->crossings[crossing].y };
			ARENA_PUSH(cut->arena, points, count, capacity, on_line);
		}
		if (was_inside && !is_inside) {
			size_t crossing = add_crossing(cut, before, at, true);
			struct wide_xy on_line = { cut->line, cut->crossings[crossing].y };
			ARENA_PUSH(cut->arena, points, count, capacity, on_line);
			struct chain chain = { points, count, 0, 0, false };
			ARENA_PUSH(cut->arena, cut->chains, cut->chain_count, cut->chain_capacity, chain);
		}
		if (is_inside && k < ring->count)
			ARENA_PUSH(cut->arena, points, count, capacity, at);
		before = at;
	}
}

static void add_ring(struct cut *cut, const struct wide_ring *ring)
{
	size_t inside = 0, start = NO_CHAIN;
	for (size_t i = 0; i < ring->count; i++) {
		if (ring->points[i].x > cut->line)
			continue;
		inside++;
		if (ring->points[(i + ring->count - 1) % ring->count].x > cut->line)
			start = i;
	}
	if (inside == ring->count)
		ARENA_PUSH(cut->arena, cut->whole, cut->whole_count, cut->whole_capacity, *ring);
	else if (inside > 0)
		add_chains(cut, ring, start);
}

/* Without points that repeat the one before; count 0 if no area is left. */
static struct wide_ring tidy(struct wide_ring ring)
{
	size_t count = 0;
	for (size_t i = 0; i < ring.count; i++)
		if (count == 0 || ring.points[i].x != ring.points[count - 1].x || ring.points[i].y != ring.points[count - 1].y)
			ring.points[count++] = ring.points[i];
	while (count > 1 && ring.points[0].x == ring.points[count - 1].x && ring.points[0].y == ring.points[count - 1].y)
		count--;
	ring.count = count;
	for (size_t i = 2; i < count; i++)
		if (wide_side(ring.points[0], ring.points[1], ring.points[i]) != 0)
			return ring;
	ring.count = 0;
	return ring;
}

/* Follows chains and the pieces of the line between paired crossings until it is back where it began. */
static struct wide_ring follow(struct cut *cut, size_t start)
{
	struct wide_ring ring = { NULL, 0 };
	size_t capacity = 0, at = start;
	bool forward = true;
	do {
		struct chain *chain = &cut->chains[at];
		chain->used = true;
		for (size_t i = 0; i < chain->count; i++)
			ARENA_PUSH(cut->arena, ring.points, ring.count, capacity, chain->points[forward ? i : chain->count - 1 - i]);
		size_t mate = (forward ? chain->leaves : chain->enters) ^ 1;
		at = cut->crossings[mate].chain;
		forward = !cut->crossings[mate].leaves;
	} while (!cut->chains[at].used);
	return tidy(ring);
}

static void push_ring(struct arena *arena, struct wide_polygon *polygon, struct wide_ring ring)
{
	ARENA_PUSH(arena, polygon->rings, polygon->count, polygon->capacity, ring);
}

/* Gives a hole to the outer ring it lies in. */
static void place_hole(struct arena *arena, struct wide_list *list, size_t first, const struct wide_ring *hole)
{
	for (size_t p = first; p < list->count; p++) {
		int side = 0;
		for (size_t i = 0; i < hole->count && side == 0; i++)
			side = wide_point(&list->items[p].rings[0], hole->points[i]);
		if (side > 0) {
			push_ring(arena, &list->items[p], *hole);
			return;
		}
	}
	/* A hole that lies in no outer ring counts as area. */
	struct wide_polygon polygon = { NULL, 0, 0 };
	push_ring(arena, &polygon, *hole);
	ARENA_PUSH(arena, list->items, list->count, list->capacity, polygon);
}

void wide_cut_left(struct arena *arena, const struct wide_polygon *polygon, int64_t line, struct wide_list *out)
{
	struct cut cut = { .arena = arena, .line = line };
	size_t first = out->count, first_hole = 0;
	for (size_t r = 0; r < polygon->count; r++)
		add_ring(&cut, &polygon->rings[r]);
	if (cut.crossing_count)
		qsort_r(cut.crossings, cut.crossing_count, sizeof *cut.crossings, compare_crossings, &cut.line);
	for (size_t i = 0; i < cut.crossing_count; i++) {
		struct chain *chain = &cut.chains[cut.crossings[i].chain];
		*(cut.crossings[i].leaves ? &chain->leaves : &chain->enters) = i;
	}
	/* All that reaches the line bounds the area from outside: right of the line there is nothing. */
	for (size_t i = 0; i < cut.chain_count; i++) {
		if (cut.chains[i].used)
			continue;
		struct wide_ring ring = follow(&cut, i);
		if (ring.count == 0)
			continue;
		struct wide_polygon piece = { NULL, 0, 0 };
		push_ring(arena, &piece, ring);
		ARENA_PUSH(arena, out->items, out->count, out->capacity, piece);
	}
	if (cut.whole_count && cut.whole[0].points == polygon->rings[0].points) {
		struct wide_polygon piece = { NULL, 0, 0 };
		push_ring(arena, &piece, cut.whole[0]);
		ARENA_PUSH(arena, out->items, out->count, out->capacity, piece);
		first_hole = 1;
	}
	for (size_t i = first_hole; i < cut.whole_count; i++)
		place_hole(arena, out, first, &cut.whole[i]);
}

static struct wide_ring mirror(struct arena *arena, const struct wide_ring *ring)
{
	struct wide_ring out = { ARENA_NEW_ARRAY(arena, struct wide_xy, ring->count), ring->count };
	for (size_t i = 0; i < ring->count; i++)
		out.points[i] = (struct wide_xy){ -ring->points[i].x, ring->points[i].y };
	return out;
}

void wide_cut_right(struct arena *arena, const struct wide_polygon *polygon, int64_t line, struct wide_list *out)
{
	struct wide_polygon mirrored = { NULL, 0, 0 };
	struct wide_list left = { NULL, 0, 0 };
	for (size_t r = 0; r < polygon->count; r++)
		push_ring(arena, &mirrored, mirror(arena, &polygon->rings[r]));
	wide_cut_left(arena, &mirrored, -line, &left);
	for (size_t p = 0; p < left.count; p++) {
		struct wide_polygon piece = { NULL, 0, 0 };
		for (size_t r = 0; r < left.items[p].count; r++)
			push_ring(arena, &piece, mirror(arena, &left.items[p].rings[r]));
		ARENA_PUSH(arena, out->items, out->count, out->capacity, piece);
	}
}

struct wide_polygon wide_from(struct arena *arena, const struct geo_polygon *polygon)
{
	struct wide_polygon out = { NULL, 0, 0 };
	for (size_t r = 0; r < polygon->ring_count; r++) {
		const struct geo_ring *ring = &polygon->rings[r];
		struct wide_ring wide = { ARENA_NEW_ARRAY(arena, struct wide_xy, ring->count), ring->count };
		for (size_t i = 0; i < ring->count; i++)
			wide.points[i] = (struct wide_xy){ ring->points[i].x, ring->points[i].y };
		push_ring(arena, &out, wide);
	}
	return out;
}
