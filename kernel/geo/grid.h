/* Exact point-in-polygon by a grid of cells. Private to this room.
 *
 * Cells are squares of 2^shift units. Column c holds x in (left(c), left(c) + 2^shift], its left line runs at left(c) + 1/2, so
 * no vertex lies on a line; rows likewise. Each cell knows whether its lower left corner is inside (an odd number of edges away)
 * and lists the edges near it. From a point one walks left to the cell's left line and down to the corner, counting edges:
 * those crossed by the first walk need one comparison of two exact products, those crossed by the second one integer
 * comparison with a height computed beforehand. Where the walk meets an edge's end, the point is thought to lie a
 * hair higher. */
#ifndef CHANCERY_KERNEL_GEO_GRID_H
#define CHANCERY_KERNEL_GEO_GRID_H

#include "kernel/geo/geo.h"

/* y1 <= y2, and x1 <= x2 where they are equal. */
struct grid_edge {
	int32_t x1, y1, x2, y2;
};

#define GRID_CROSSES 0x80000000u  /* the edge crosses the (endless) left line of the cell, at height left_y or up to 1 unit below */
#define GRID_RIGHTWARD 0x40000000u /* and lies right of it above */
#define GRID_COUNTS 0x20000000u   /* and does so within or above the cell's lower line */
#define GRID_EDGE 0x1fffffffu     /* number of the edge */
#define GRID_CORNER_INSIDE 0x80000000u
#define GRID_START 0x7fffffffu

struct grid_entry {
	uint32_t edge;
	int32_t left_y;
};
struct grid {
	struct geo_box box;
	struct grid_edge *edges;
	uint32_t edge_count;
	uint32_t columns, rows;
	int shift;
	uint32_t *cells; /* columns * rows + 1: first entry, and whether the corner is inside */
	struct grid_entry *entries;
	struct geo_xy outer; /* a vertex of the outer ring */
	struct geo_xy label; /* a point inside */
	bool has_label;
};

enum grid_side { GRID_OUT, GRID_IN, GRID_ON };

/* Builds the grid of all rings of a polygon in the arena. */
void grid_init(struct arena *arena, struct grid *grid, const struct geo_polygon *polygon);

static inline uint32_t grid_column(const struct grid *grid, int32_t x)
{
	return ((uint32_t)x - (uint32_t)grid->box.x0) >> grid->shift;
}

static inline uint32_t grid_row(const struct grid *grid, int32_t y)
{
	return ((uint32_t)y - (uint32_t)grid->box.y0) >> grid->shift;
}

static inline bool geo_box_holds(struct geo_box box, int32_t x, int32_t y)
{
	return x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1;
}

/* Where a point lies that is within grid->box. Differences are below 2^31.8 and 2^30.8, so products fit 64 bits. */
static inline enum grid_side grid_point_in_box(const struct grid *grid, int32_t x, int32_t y)
{
	const uint32_t *cell = grid->cells + (size_t)grid_row(grid, y) * grid->columns + grid_column(grid, x);
	bool inside = (cell[0] & GRID_CORNER_INSIDE) != 0;
	for (uint32_t i = cell[0] & GRID_START, end = cell[1] & GRID_START; i < end; i++) {
		struct grid_entry entry = grid->entries[i];
		struct grid_edge edge = grid->edges[entry.edge & GRID_EDGE];
		bool above = y >= entry.left_y; /* the point is above where the edge crosses the left line */
		if (edge.y1 <= y && y < edge.y2) {
			int64_t at_edge = ((int64_t)edge.x2 - edge.x1) * ((int64_t)y - edge.y1);
			int64_t at_point = ((int64_t)x - edge.x1) * ((int64_t)edge.y2 - edge.y1);
			if (at_edge == at_point)
				return GRID_ON;
			bool right_of_line = !(entry.edge & GRID_CROSSES) || above == ((entry.edge & GRID_RIGHTWARD) != 0);
			inside ^= (at_edge < at_point) & right_of_line;
		} else if (y == edge.y2 && (x == edge.x2 || (edge.y1 == edge.y2 && x >= edge.x1 && x <= edge.x2))) {
			return GRID_ON;
		}
		inside ^= ((entry.edge & GRID_COUNTS) != 0) & above;
	}
	return inside ? GRID_IN : GRID_OUT;
}

static inline enum grid_side grid_point(const struct grid *grid, struct geo_xy point)
{
	return geo_box_holds(grid->box, point.x, point.y) ? grid_point_in_box(grid, point.x, point.y) : GRID_OUT;
}

/* The columns that an edge may touch within a row, clamped to the grid; false if it does not come there. */
bool grid_row_span(const struct grid *grid, struct grid_edge edge, uint32_t row, uint32_t *first, uint32_t *last);
/* The rows an edge may touch, clamped; false if none. */
bool grid_rows(const struct grid *grid, struct grid_edge edge, uint32_t *first, uint32_t *last);

/* GEO_HOLDS and GEO_APART are certain, GEO_MEETS is not. */
enum geo_relation grid_box(const struct grid *grid, struct geo_box box);
/* Is a point in the polygon that may lie on the 180th meridian (of either sign) or at a pole (of any longitude)? */
bool grid_point_anywhere(const struct grid *grid, struct geo_xy point);
/* Does any edge come within the disc's radius of its centre? */
bool grid_edge_near(const struct grid *grid, const struct geo_disc *disc);
/* Does the disc meet the polygon? Within 1 m (in fact within about 0.1 m). */
bool grid_disc(const struct grid *grid, const struct geo_disc *disc);
bool grid_meets(const struct grid *a, const struct grid *b);
bool grid_holds(const struct grid *outer, const struct grid *inner);
/* Does the disc hold the polygon? */
bool grid_in_disc(const struct grid *grid, const struct geo_disc *disc);

/* sin^2 of half the angle that a radius spans: what haversine compares. */
double sphere_half(double metres);
/* The haversine function of the angle between two points: sin^2 of half of it. */
double sphere_between(struct geo_xy a, struct geo_xy b);

/* Do two closed segments share a point? `*proper` (may be NULL): they cross inside both. */
bool segments_meet(struct grid_edge a, struct grid_edge b, bool *proper);

#endif
