#include <math.h>
#include <stdlib.h>

#include "kernel/geo/measure.h"

#define RADIANS_PER_UNIT (M_PI / 180 / GEO_UNITS)
#define LABEL_LINES 15

struct geo_box polygon_box(const struct geo_polygon *polygon)
{
	struct geo_box box = { INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN };
	for (size_t r = 0; r < polygon->ring_count; r++) {
		for (size_t i = 0; i < polygon->rings[r].count; i++) {
			struct geo_xy p = polygon->rings[r].points[i];
			box.x0 = p.x < box.x0 ? p.x : box.x0;
			box.x1 = p.x > box.x1 ? p.x : box.x1;
			box.y0 = p.y < box.y0 ? p.y : box.y0;
			box.y1 = p.y > box.y1 ? p.y : box.y1;
		}
	}
	return box;
}

double ring_turn(const struct geo_ring *ring)
{
	double sum = 0;
	for (size_t i = 0; i < ring->count; i++) {
		struct geo_xy a = ring->points[i], b = ring->points[i + 1 < ring->count ? i + 1 : 0], o = ring->points[0];
		sum += ((double)a.x - o.x) * ((double)b.y - o.y) - ((double)b.x - o.x) * ((double)a.y - o.y);
	}
	return sum;
}

/* The area between an edge and the equator is the integral of sin(latitude) over longitude, and latitude runs evenly along an
 * edge; so its mean is (cos a - cos b) / (b - a), written here without a small difference of cosines. */
static double mean_sine(double a, double b)
{
	double half = (b - a) / 2, middle = (a + b) / 2;
	double shrink = fabs(half) < 1e-9 ? 1 : sin(half) / half;
	return sin(middle) * shrink;
}

static double ring_square_metres(const struct geo_ring *ring)
{
	double sum = 0;
	for (size_t i = 0; i < ring->count; i++) {
		struct geo_xy a = ring->points[i], b = ring->points[i + 1 < ring->count ? i + 1 : 0];
		sum += ((double)b.x - a.x) * RADIANS_PER_UNIT * mean_sine(a.y * RADIANS_PER_UNIT, b.y * RADIANS_PER_UNIT);
	}
	return fabs(sum) * GEO_EARTH_RADIUS_M * GEO_EARTH_RADIUS_M;
}

double polygon_square_metres(const struct geo_polygon *polygon)
{
	double sum = ring_square_metres(&polygon->rings[0]);
	for (size_t r = 1; r < polygon->ring_count; r++)
		sum -= ring_square_metres(&polygon->rings[r]);
	return sum < 0 ? 0 : sum;
}

double geo_area_km2(const struct geo_area *area)
{
	double sum = 0;
	for (size_t i = 0; i < area->polygon_count; i++)
		sum += polygon_square_metres(&area->polygons[i]);
	for (size_t i = 0; i < area->disc_count; i++) {
		double angle = fmin(area->discs[i].radius_m / GEO_EARTH_RADIUS_M, M_PI), s = sin(angle / 2);
		sum += 4 * M_PI * GEO_EARTH_RADIUS_M * GEO_EARTH_RADIUS_M * s * s;
	}
	return sum / 1e6;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Where edges cross a parallel, ascending. */
static size_t crossings_at(const struct geo_polygon *polygon, double y, double *out)
{
	size_t count = 0;
	for (size_t r = 0; r < polygon->ring_count; r++) {
		const struct geo_ring *ring = &polygon->rings[r];
		for (size_t i = 0; i < ring->count; i++) {
			struct geo_xy a = ring->points[i], b = ring->points[i + 1 < ring->count ? i + 1 : 0];
			if ((a.y <= y) != (b.y <= y))
				out[count++] = a.x + (y - a.y) * ((double)b.x - a.x) / ((double)b.y - a.y);
		}
	}
	qsort(out, count, sizeof *out, compare_doubles);
	return count;
}

bool polygon_label(const struct geo_polygon *polygon, struct geo_xy *out)
{
	struct arena arena;
	struct geo_box box = polygon_box(polygon);
	double widest = 2; /* units; thinner places are no places */
	bool found = false;
	size_t count = 0;
	arena_init(&arena);
	for (size_t r = 0; r < polygon->ring_count; r++)
		count += polygon->rings[r].count;
	double *at = ARENA_NEW_ARRAY(&arena, double, count);
	for (int line = 1; line <= LABEL_LINES; line++) {
		double y = floor(box.y0 + ((double)box.y1 - box.y0) * line / (LABEL_LINES + 1));
		double distance = fabs((double)line / (LABEL_LINES + 1) - 0.5);
		count = crossings_at(polygon, y + 0.5, at);
		for (size_t i = 0; i + 1 < count; i += 2) {
			/* A little for being near the middle. */
			double width = (at[i + 1] - at[i]) * cos(y * RADIANS_PER_UNIT) * (1 - distance / 2);
			if (width > widest) {
				widest = width;
				*out = (struct geo_xy){ (int32_t)((at[i] + at[i + 1]) / 2), (int32_t)y };
				found = true;
			}
		}
	}
	arena_release(&arena);
	return found;
}

bool geo_area_label(const struct geo_area *area, struct geo_xy *out)
{
	double largest = -1;
	for (size_t i = 0; i < area->polygon_count; i++) {
		double size = polygon_square_metres(&area->polygons[i]);
		struct geo_xy label;
		if (size > largest) {
			*out = polygon_label(&area->polygons[i], &label) ? label : area->polygons[i].rings[0].points[0];
			largest = size;
		}
	}
	for (size_t i = 0; i < area->disc_count; i++) {
		double s = sin(fmin(area->discs[i].radius_m / GEO_EARTH_RADIUS_M, M_PI) / 2);
		double size = 4 * M_PI * GEO_EARTH_RADIUS_M * GEO_EARTH_RADIUS_M * s * s;
		if (size > largest) {
			*out = area->discs[i].centre;
			largest = size;
		}
	}
	return largest >= 0;
}

static void widen(struct geo_box *box, struct geo_box by)
{
	box->x0 = by.x0 < box->x0 ? by.x0 : box->x0;
	box->y0 = by.y0 < box->y0 ? by.y0 : box->y0;
	box->x1 = by.x1 > box->x1 ? by.x1 : box->x1;
	box->y1 = by.y1 > box->y1 ? by.y1 : box->y1;
}

size_t geo_area_boxes(const struct geo_area *area, struct geo_box boxes[2])
{
	static const struct geo_box empty = { INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN };
	struct geo_box west = empty, east = empty; /* of the zero meridian */
	for (size_t i = 0; i < area->polygon_count + area->disc_count; i++) {
		struct geo_box box = i < area->polygon_count ? area->polygons[i].box : geo_disc_box(&area->discs[i - area->polygon_count]);
		widen((int64_t)box.x0 + box.x1 < 0 ? &west : &east, box);
	}
	struct geo_box all = west;
	widen(&all, east);
	if (all.x0 > all.x1)
		return 0;
	bool both = west.x0 <= west.x1 && east.x0 <= east.x1;
	/* Joined over the zero meridian there is a gap on the far side, and the other way round: the larger gap is left out. */
	int64_t gap_here = both ? (int64_t)east.x0 - west.x1 : 0, gap_there = both ? 2LL * GEO_X_MAX - ((int64_t)east.x1 - west.x0) : 0;
	if (!both || gap_here <= gap_there) {
		boxes[0] = all;
		return 1;
	}
	boxes[0] = east;
	boxes[1] = west;
	return 2;
}
