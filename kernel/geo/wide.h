/* Polygons as they were given, whose longitudes may run on beyond 180: how they are checked and cut. Private to this room. */
#ifndef CHANCERY_KERNEL_GEO_WIDE_H
#define CHANCERY_KERNEL_GEO_WIDE_H

#include "kernel/geo/geo.h"

/* Units of 1e-7 degree; |x| stays below 2^35, |y| below 2^31. */
struct wide_xy {
	int64_t x, y;
};
struct wide_ring {
	struct wide_xy *points; /* the first is not repeated */
	size_t count;
};
/* The first ring is the outer one. */
struct wide_polygon {
	struct wide_ring *rings;
	size_t count, capacity;
};
struct wide_list {
	struct wide_polygon *items;
	size_t count, capacity;
};

/* > 0: c lies left of the way from a to b; 0: on one line. */
int wide_side(struct wide_xy a, struct wide_xy b, struct wide_xy c);
void wide_range(const struct wide_ring *ring, int64_t *low, int64_t *high);
/* > 0 inside, 0 on the ring, < 0 outside. */
int wide_point(const struct wide_ring *ring, struct wide_xy point);

/* The part of a polygon with x <= line, and that with x >= line, appended as polygons. Crossings are rounded to units. */
void wide_cut_left(struct arena *arena, const struct wide_polygon *polygon, int64_t line, struct wide_list *out);
void wide_cut_right(struct arena *arena, const struct wide_polygon *polygon, int64_t line, struct wide_list *out);
struct wide_polygon wide_from(struct arena *arena, const struct geo_polygon *polygon);

enum wide_verdict { WIDE_SIMPLE, WIDE_TOUCHES, WIDE_CROSSES };
struct wide_fault {
	enum wide_verdict verdict;
	uint32_t ring, vertex, other_ring, other_vertex; /* first vertices of the two edges */
	double x, y;                                     /* where, in units */
};
/* Looks for edges of a polygon's rings that cross or touch, in O(n log n). A crossing is reported before a touch. */
struct wide_fault wide_check(const struct wide_polygon *polygon);

#endif
