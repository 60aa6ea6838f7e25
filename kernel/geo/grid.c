#include <math.h>

#include "kernel/geo/grid.h"
#include "kernel/geo/measure.h"

#define CELLS_PER_EDGE 32
#define CELLS_MIN 32
#define CELLS_MAX ((size_t)4 << 20)
#define ENTRIES_MAX ((uint64_t)6 << 20)
#define ENTRIES_PER_EDGE 8 /* beyond ENTRIES_MAX */
#define BOX_CELLS_MAX 4096

static int64_t column_left(const struct grid *grid, uint32_t column)
{
	return (int64_t)grid->box.x0 + ((int64_t)column << grid->shift) - 1;
}

static int64_t row_lower(const struct grid *grid, uint32_t row)
{
	return (int64_t)grid->box.y0 + ((int64_t)row << grid->shift) - 1;
}

/* x of the edge at a height, near enough: within 1e-5 units. */
static double edge_x(struct grid_edge edge, int64_t y)
{
	if (edge.y1 == edge.y2)
		return edge.x1;
	double slope = ((double)edge.x2 - edge.x1) / ((double)edge.y2 - edge.y1);
	return edge.x1 + slope * (double)(y - edge.y1);
}

bool grid_rows(const struct grid *grid, struct grid_edge edge, uint32_t *first, uint32_t *last)
{
	if (edge.y2 < grid->box.y0 || edge.y1 > grid->box.y1)
		return false;
	*first = edge.y1 < grid->box.y0 ? 0 : grid_row(grid, edge.y1);
	*last = edge.y2 > grid->box.y1 ? grid->rows - 1 : grid_row(grid, edge.y2);
	return true;
}

bool grid_row_span(const struct grid *grid, struct grid_edge edge, uint32_t row, uint32_t *first, uint32_t *last)
{
	int64_t lower = row_lower(grid, row), upper = lower + ((int64_t)1 << grid->shift) + 1;
	double left, right;
	if (edge.y1 == edge.y2) {
		left = edge.x1;
		right = edge.x2;
	} else {
		double from = edge_x(edge, lower > edge.y1 ? lower : edge.y1);
		double to = edge_x(edge, upper < edge.y2 ? upper : edge.y2);
		left = from < to ? from : to;
		right = from < to ? to : from;
	}
	/* Two units more on either side than needed: a further cell costs time, a missing one truth. */
	left -= 2;
	right += 2;
	if (right < grid->box.x0 || left > grid->box.x1)
		return false;
	*first = left <= grid->box.x0 ? 0 : (uint32_t)((int64_t)left - grid->box.x0) >> grid->shift;
	*last = right >= grid->box.x1 ? grid->columns - 1 : (uint32_t)((int64_t)right - grid->box.x0) >> grid->shift;
	return true;
}

static void take_edges(struct arena *arena, struct grid *grid, const struct geo_polygon *polygon)
{
	size_t count = 0;
	for (size_t r = 0; r < polygon->ring_count; r++)
		count += polygon->rings[r].count;
	grid->edges = ARENA_NEW_ARRAY(arena, struct grid_edge, count);
	grid->edge_count = (uint32_t)count;
	count = 0;
	for (size_t r = 0; r < polygon->ring_count; r++) {
		const struct geo_ring *ring = &polygon->rings[r];
		for (size_t i = 0; i < ring->count; i++) {
			struct geo_xy a = ring->points[i], b = ring->points[i + 1 < ring->count ? i + 1 : 0];
			if (a.y > b.y || (a.y == b.y && a.x > b.x)) {
				struct geo_xy swap = a;
				a = b;
				b = swap;
			}
			grid->edges[count++] = (struct grid_edge){ a.x, a.y, b.x, b.y };
		}
	}
	grid->outer = polygon->rings[0].points[0];
}

/* How many entries a grid of cells of this size would have, roughly. */
static uint64_t estimate_entries(const struct grid *grid, int shift)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < grid->edge_count; i++) {
		struct grid_edge e = grid->edges[i];
		int64_t width = (int64_t)e.x2 - e.x1, height = (int64_t)e.y2 - e.y1;
		sum += (uint64_t)((width < 0 ? -width : width) >> shift) + 2 * (uint64_t)(height >> shift) + 2;
	}
	return sum;
}

static void choose_cells(struct grid *grid)
{
	uint32_t width = (uint32_t)grid->box.x1 - (uint32_t)grid->box.x0, height = (uint32_t)grid->box.y1 - (uint32_t)grid->box.y0;
	size_t most = (size_t)grid->edge_count * CELLS_PER_EDGE;
	if (most < CELLS_MIN)
		most = CELLS_MIN;
	if (most > CELLS_MAX)
		most = CELLS_MAX;
	int shift = 4; /* cells of less than 16 units (16 cm) are of no use */
	while (((size_t)(width >> shift) + 1) * ((size_t)(height >> shift) + 1) > most)
		shift++;
	uint64_t entries_most = ENTRIES_MAX + (uint64_t)grid->edge_count * ENTRIES_PER_EDGE;
	while (shift < 31 && estimate_entries(grid, shift) > entries_most)
		shift++;
	grid->shift = shift;
	grid->columns = (width >> shift) + 1;
	grid->rows = (height >> shift) + 1;
}

/* Is the corner (left + 1/2, a hair above lower + 1/2) right of the edge? The edge crosses that height. */
static bool corner_right_of(struct grid_edge edge, int64_t left, int64_t lower)
{
	__int128 dx = (int64_t)edge.x2 - edge.x1, dy = (int64_t)edge.y2 - edge.y1;
	__int128 at_edge = dx * (2 * (lower - edge.y1) + 1), at_corner = dy * (2 * (left - edge.x1) + 1);
	return at_edge != at_corner ? at_edge < at_corner : dx < 0;
}

/* Marks for each row the first column whose lower left corner is right of an edge: inside changes there. */
static void mark_corners(const struct grid *grid, uint8_t *marks)
{
	for (uint32_t i = 0; i < grid->edge_count; i++) {
		struct grid_edge e = grid->edges[i];
		if (e.y1 == e.y2)
			continue;
		uint32_t first = (uint32_t)(((int64_t)e.y1 - grid->box.y0 + ((int64_t)1 << grid->shift)) >> grid->shift);
		uint32_t last = grid_row(grid, e.y2);
		double slope = ((double)e.x2 - e.x1) / ((double)e.y2 - e.y1);
		for (uint32_t row = first; row <= last; row++) {
			int64_t lower = row_lower(grid, row);
			double at = e.x1 + slope * ((double)(lower - e.y1) + 0.5) - grid->box.x0 + 0.5;
			uint32_t column = at < 0 ? 0 : ((uint32_t)(int64_t)at >> grid->shift) + 1;
			if (column > grid->columns)
				column = grid->columns;
			while (column > 0 && corner_right_of(e, column_left(grid, column - 1), lower))
				column--;
			while (column < grid->columns && !corner_right_of(e, column_left(grid, column), lower))
				column++;
			if (column < grid->columns)
				marks[(size_t)row * grid->columns + column] ^= 1;
		}
	}
}

/* What the cell with this left and lower line must know about an edge. */
static struct grid_entry make_entry(struct grid_edge e, uint32_t number, int64_t left, int64_t lower)
{
	if (e.x1 > left && e.x2 > left)
		return (struct grid_entry){ number, 0 };
	__int128 along = 2 * (left - e.x1) + 1;
	__int128 numerator = along * ((int64_t)e.y2 - e.y1);
	__int128 denominator = 2 * ((int64_t)e.x2 - e.x1);
	if (denominator < 0) {
		numerator = -numerator;
		denominator = -denominator;
	}
	/* The smallest whole number not below the quotient: guessed in floating point, then put right. */
	int64_t rise = (int64_t)ceil((double)numerator / (double)denominator);
	while ((rise - 1) * denominator >= numerator)
		rise--;
	while (rise * denominator < numerator)
		rise++;
	int64_t height = e.y1 + rise;
	uint32_t flags = GRID_CROSSES | (e.x2 > e.x1 ? GRID_RIGHTWARD : 0);
	if (height >= lower + 2 || (height == lower + 1 && 2 * numerator > (2 * (lower - e.y1) + 1) * denominator))
		flags |= GRID_COUNTS;
	return (struct grid_entry){ number | flags, (int32_t)height };
}

/* Calls for each cell an edge may touch: counts (entries == NULL) or fills. `next` has a place per cell. */
static void visit_cells(const struct grid *grid, uint32_t *next, struct grid_entry *entries)
{
	for (uint32_t i = 0; i < grid->edge_count; i++) {
		struct grid_edge e = grid->edges[i];
		int64_t rightmost = e.x1 > e.x2 ? e.x1 : e.x2;
		uint32_t row, last_row, column, last_column;
		if (!grid_rows(grid, e, &row, &last_row))
			continue;
		for (; row <= last_row; row++) {
			if (!grid_row_span(grid, e, row, &column, &last_column))
				continue;
			int64_t lower = row_lower(grid, row);
			for (; column <= last_column; column++) {
				int64_t left = column_left(grid, column);
				if (rightmost <= left)
					break;
				uint32_t *at = &next[(size_t)row * grid->columns + column];
				if (entries)
					entries[*at] = make_entry(e, i, left, lower);
				(*at)++;
			}
		}
	}
}

void grid_init(struct arena *arena, struct grid *grid, const struct geo_polygon *polygon)
{
	*grid = (struct grid){ .box = polygon->box };
	take_edges(arena, grid, polygon);
	choose_cells(grid);
	size_t cells = (size_t)grid->columns * grid->rows;
	struct arena scratch;
	arena_init(&scratch);
	uint8_t *marks = ARENA_NEW_ARRAY(&scratch, uint8_t, cells);
	uint32_t *next = ARENA_NEW_ARRAY(&scratch, uint32_t, cells);
	mark_corners(grid, marks);
	visit_cells(grid, next, NULL);
	grid->cells = ARENA_NEW_ARRAY(arena, uint32_t, cells + 1);
	uint32_t start = 0;
	bool inside = false;
	for (size_t i = 0; i < cells; i++) {
		uint32_t count = next[i];
		inside = (i % grid->columns ? inside : false) ^ marks[i];
		next[i] = start;
		grid->cells[i] = start | (inside ? GRID_CORNER_INSIDE : 0);
		start += count;
	}
	grid->cells[cells] = start;
	grid->entries = ARENA_NEW_ARRAY(arena, struct grid_entry, start);
	visit_cells(grid, next, grid->entries);
	grid->has_label = polygon_label(polygon, &grid->label);
	arena_release(&scratch);
}

enum geo_relation grid_box(const struct grid *grid, struct geo_box box)
{
	struct geo_box own = grid->box;
	if (!geo_box_meets(box, own))
		return GEO_APART;
	bool within = box.x0 >= own.x0 && box.x1 <= own.x1 && box.y0 >= own.y0 && box.y1 <= own.y1;
	uint32_t c0 = grid_column(grid, box.x0 > own.x0 ? box.x0 : own.x0), c1 = grid_column(grid, box.x1 < own.x1 ? box.x1 : own.x1);
	uint32_t r0 = grid_row(grid, box.y0 > own.y0 ? box.y0 : own.y0), r1 = grid_row(grid, box.y1 < own.y1 ? box.y1 : own.y1);
	if ((uint64_t)(c1 - c0 + 1) * (r1 - r0 + 1) > BOX_CELLS_MAX)
		return GEO_MEETS;
	uint32_t inside = grid->cells[(size_t)r0 * grid->columns + c0] & GRID_CORNER_INSIDE;
	if (inside && !within)
		return GEO_MEETS;
	for (uint32_t row = r0; row <= r1; row++) {
		const uint32_t *cell = grid->cells + (size_t)row * grid->columns;
		for (uint32_t column = c0; column <= c1; column++)
			if ((cell[column] ^ inside) & GRID_CORNER_INSIDE || (cell[column] ^ cell[column + 1]) & GRID_START)
				return GEO_MEETS;
	}
	return inside ? GEO_HOLDS : GEO_APART;
}

static int side_of(int32_t ax, int32_t ay, int32_t bx, int32_t by, int32_t x, int32_t y)
{
	int64_t left = ((int64_t)bx - ax) * ((int64_t)y - ay), right = ((int64_t)by - ay) * ((int64_t)x - ax);
	return (left > right) - (left < right);
}

static bool ranges_meet(int32_t a1, int32_t a2, int32_t b1, int32_t b2)
{
	int32_t a_low = a1 < a2 ? a1 : a2, a_high = a1 < a2 ? a2 : a1;
	int32_t b_low = b1 < b2 ? b1 : b2, b_high = b1 < b2 ? b2 : b1;
	return a_low <= b_high && b_low <= a_high;
}

bool segments_meet(struct grid_edge a, struct grid_edge b, bool *proper)
{
	if (proper)
		*proper = false;
	if (a.y1 > b.y2 || b.y1 > a.y2 || !ranges_meet(a.x1, a.x2, b.x1, b.x2))
		return false;
	int b1 = side_of(a.x1, a.y1, a.x2, a.y2, b.x1, b.y1), b2 = side_of(a.x1, a.y1, a.x2, a.y2, b.x2, b.y2);
	if (b1 * b2 > 0)
		return false;
	int a1 = side_of(b.x1, b.y1, b.x2, b.y2, a.x1, a.y1), a2 = side_of(b.x1, b.y1, b.x2, b.y2, a.x2, a.y2);
	if (a1 * a2 > 0)
		return false;
	if (proper)
		*proper = b1 * b2 < 0 && a1 * a2 < 0;
	return true; /* on one line: their rectangles meet, so they do */
}

/* Does an edge meet (or, if `proper`, cross) an edge of the grid? */
static bool edge_meets(const struct grid *grid, struct grid_edge edge, bool proper)
{
	uint32_t row, last_row, column, last_column;
	bool crosses;
	if (!grid_rows(grid, edge, &row, &last_row))
		return false;
	for (; row <= last_row; row++) {
		if (!grid_row_span(grid, edge, row, &column, &last_column))
			continue;
		for (; column <= last_column; column++) {
			const uint32_t *cell = grid->cells + (size_t)row * grid->columns + column;
			for (uint32_t i = cell[0] & GRID_START, end = cell[1] & GRID_START; i < end; i++)
				if (segments_meet(edge, grid->edges[grid->entries[i].edge & GRID_EDGE], &crosses) && (crosses || !proper))
					return true;
		}
	}
	return false;
}

/* Parts that end at the 180th meridian on opposite sides touch where they reach the same height: the ends of the one are
 * looked for in the other. */
static bool meridian_touches(const struct grid *east, const struct grid *west)
{
	if (east->box.x1 != GEO_X_MAX || west->box.x0 != -GEO_X_MAX)
		return false;
	for (uint32_t i = 0; i < east->edge_count; i++) {
		struct grid_edge e = east->edges[i];
		if ((e.x1 == GEO_X_MAX && grid_point(west, (struct geo_xy){ -GEO_X_MAX, e.y1 }) != GRID_OUT) ||
		    (e.x2 == GEO_X_MAX && grid_point(west, (struct geo_xy){ -GEO_X_MAX, e.y2 }) != GRID_OUT))
			return true;
	}
	for (uint32_t i = 0; i < west->edge_count; i++) {
		struct grid_edge e = west->edges[i];
		if ((e.x1 == -GEO_X_MAX && grid_point(east, (struct geo_xy){ GEO_X_MAX, e.y1 }) != GRID_OUT) ||
		    (e.x2 == -GEO_X_MAX && grid_point(east, (struct geo_xy){ GEO_X_MAX, e.y2 }) != GRID_OUT))
			return true;
	}
	return false;
}

bool grid_meets(const struct grid *a, const struct grid *b)
{
	/* At a pole all longitudes are one point. */
	if ((a->box.y1 == GEO_Y_MAX && b->box.y1 == GEO_Y_MAX) || (a->box.y0 == -GEO_Y_MAX && b->box.y0 == -GEO_Y_MAX))
		return true;
	if (meridian_touches(a, b) || meridian_touches(b, a))
		return true;
	if (!geo_box_meets(a->box, b->box))
		return false;
	if (grid_point(a, b->outer) != GRID_OUT || grid_point(b, a->outer) != GRID_OUT)
		return true;
	const struct grid *fewer = a->edge_count < b->edge_count ? a : b, *more = fewer == a ? b : a;
	for (uint32_t i = 0; i < fewer->edge_count; i++)
		if (edge_meets(more, fewer->edges[i], false))
			return true;
	return false;
}

bool grid_holds(const struct grid *outer, const struct grid *inner)
{
	struct geo_box o = outer->box, n = inner->box;
	if (n.x0 < o.x0 || n.x1 > o.x1 || n.y0 < o.y0 || n.y1 > o.y1)
		return false;
	if (inner->has_label && grid_point(outer, inner->label) == GRID_OUT)
		return false;
	for (uint32_t i = 0; i < inner->edge_count; i++) {
		struct grid_edge e = inner->edges[i];
		if (grid_point(outer, (struct geo_xy){ e.x1, e.y1 }) == GRID_OUT || grid_point(outer, (struct geo_xy){ e.x2, e.y2 }) == GRID_OUT)
			return false;
	}
	/* All corners lie in it. What could still stick out would be cut off by an edge of the outer polygon that comes inside. */
	for (uint32_t i = 0; i < outer->edge_count; i++) {
		struct grid_edge e = outer->edges[i];
		if (e.y1 > n.y1 || e.y2 < n.y0 || !ranges_meet(e.x1, e.x2, n.x0, n.x1))
			continue;
		if (grid_point(inner, (struct geo_xy){ e.x1, e.y1 }) == GRID_IN || grid_point(inner, (struct geo_xy){ e.x2, e.y2 }) == GRID_IN ||
		    edge_meets(inner, e, true))
			return false;
	}
	return true;
}
