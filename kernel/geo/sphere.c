/* Distances on the sphere, and discs against polygons. */
#include <math.h>

#include "kernel/geo/grid.h"

#define RADIANS_PER_UNIT (M_PI / 180 / GEO_UNITS)
#define TOLERANCE_M 0.05
#define HALVINGS_MAX 40
#define COLUMNS_WITH_BOUNDS 4096

double sphere_half(double metres)
{
	double angle = metres / (2 * GEO_EARTH_RADIUS_M);
	if (angle >= M_PI_2)
		return 1;
	double s = sin(angle);
	return s * s;
}

double sphere_between(struct geo_xy a, struct geo_xy b)
{
	double latitude = sin(((double)a.y - b.y) * RADIANS_PER_UNIT / 2), longitude = sin(((double)a.x - b.x) * RADIANS_PER_UNIT / 2);
	return latitude * latitude + cos(a.y * RADIANS_PER_UNIT) * cos(b.y * RADIANS_PER_UNIT) * longitude * longitude;
}

double geo_distance(struct geo_xy a, struct geo_xy b)
{
	double h = sphere_between(a, b);
	return 2 * GEO_EARTH_RADIUS_M * asin(h >= 1 ? 1 : sqrt(h));
}

/* An edge seen from the centre of a disc: radians as a function of t in 0 .. 1. */
struct view {
	double centre_cos;
	double latitude, latitude_step;   /* of the edge's points */
	double from_latitude;             /* its first point's latitude less the centre's */
	double from_longitude, longitude_step;
	double half;      /* sphere_half of the radius */
	double curvature; /* bound of the second derivative of seen() */
	double tolerance;
};

static double seen(const struct view *view, double t)
{
	double latitude = sin((view->from_latitude + t * view->latitude_step) / 2);
	double longitude = sin((view->from_longitude + t * view->longitude_step) / 2);
	return latitude * latitude + view->centre_cos * cos(view->latitude + t * view->latitude_step) * longitude * longitude;
}

/* Does seen() come down to view->half between a and b, where it is above at both ends? It cannot sag below its ends by more
 * than the eighth of its curvature times the square of the width. */
static bool comes_near(const struct view *view, double a, double at_a, double b, double at_b, int depth)
{
	double width = b - a, sag = view->curvature * width * width / 8;
	if ((at_a < at_b ? at_a : at_b) - sag > view->half || sag < view->tolerance || depth == HALVINGS_MAX)
		return false;
	double middle = a + width / 2, at_middle = seen(view, middle);
	if (at_middle <= view->half)
		return true;
	/* The nearer half first. */
	if (at_a < at_b)
		return comes_near(view, a, at_a, middle, at_middle, depth + 1) || comes_near(view, middle, at_middle, b, at_b, depth + 1);
	return comes_near(view, middle, at_middle, b, at_b, depth + 1) || comes_near(view, a, at_a, middle, at_middle, depth + 1);
}

static bool edge_in_reach(struct grid_edge e, const struct geo_disc *disc, double half, double centre_cos)
{
	struct view view = {
		.centre_cos = centre_cos,
		.latitude = e.y1 * RADIANS_PER_UNIT,
		.latitude_step = ((double)e.y2 - e.y1) * RADIANS_PER_UNIT,
		.from_latitude = ((double)e.y1 - disc->centre.y) * RADIANS_PER_UNIT,
		.from_longitude = ((double)e.x1 - disc->centre.x) * RADIANS_PER_UNIT,
		.longitude_step = ((double)e.x2 - e.x1) * RADIANS_PER_UNIT,
		.half = half,
	};
	double at_first = seen(&view, 0);
	if (at_first <= half)
		return true;
	double at_second = seen(&view, 1);
	if (at_second <= half)
		return true;
	/* seen() is a quarter of the squared chord |p - c|^2, so its second derivative is (|p'|^2 + (p - c) p'') / 2, and
	 * |p'|, |p''| of a point moving evenly in longitude and latitude are bounded by the sum of both steps. */
	double step = fabs(view.latitude_step) + fabs(view.longitude_step);
	double chord = 2 * sqrt(at_first < at_second ? at_second : at_first) + step;
	view.curvature = step * step * (1 + (chord < 2 ? chord : 2)) / 2;
	view.tolerance = sqrt(half * (1 - half)) * TOLERANCE_M / GEO_EARTH_RADIUS_M;
	if (view.tolerance < 1e-17)
		view.tolerance = 1e-17;
	return comes_near(&view, 0, at_first, 1, at_second, 0);
}

/* sin^2 of half of the smallest difference between the centre and a range, in units. */
static double nearest(double centre, double low, double high)
{
	double difference = centre < low ? low - centre : centre > high ? centre - high : 0;
	double s = sin(difference * RADIANS_PER_UNIT / 2);
	return s * s;
}

/* The same for longitudes, which may be nearer the other way round. */
static double nearest_longitude(double centre, double low, double high)
{
	double turn = 2.0 * GEO_X_MAX, best = 1;
	for (int side = -1; side <= 1; side++) {
		double at = centre + side * turn;
		double difference = at < low ? low - at : at > high ? at - high : 0;
		if (difference < GEO_X_MAX) {
			double s = sin(difference * RADIANS_PER_UNIT / 2);
			best = s * s < best ? s * s : best;
		}
	}
	return best;
}

struct search {
	const struct grid *grid;
	const struct geo_disc *disc;
	double half, centre_cos;
	struct geo_box box; /* to look in: within the grid's */
};

static bool cell_in_reach(const struct search *search, const uint32_t *cell)
{
	const struct grid *grid = search->grid;
	for (uint32_t i = cell[0] & GRID_START, end = cell[1] & GRID_START; i < end; i++)
		if (edge_in_reach(grid->edges[grid->entries[i].edge & GRID_EDGE], search->disc, search->half, search->centre_cos))
			return true;
	return false;
}

/* Looks at the cells in search->box that come near enough. Haversine's two terms each have a lower bound over a cell. */
static bool cells_in_reach(const struct search *search)
{
	const struct grid *grid = search->grid;
	double columns[COLUMNS_WITH_BOUNDS], size = (double)((int64_t)1 << grid->shift);
	uint32_t c0 = grid_column(grid, search->box.x0), c1 = grid_column(grid, search->box.x1);
	uint32_t r0 = grid_row(grid, search->box.y0), r1 = grid_row(grid, search->box.y1);
	for (uint32_t column = c0; column <= c1 && column - c0 < COLUMNS_WITH_BOUNDS; column++) {
		double left = grid->box.x0 + (double)((int64_t)column << grid->shift);
		columns[column - c0] = nearest_longitude(search->disc->centre.x, left - 1, left + size + 1);
	}
	for (uint32_t row = r0; row <= r1; row++) {
		double lower = grid->box.y0 + (double)((int64_t)row << grid->shift) - 1, upper = lower + size + 2;
		double latitude = nearest(search->disc->centre.y, lower, upper);
		if (latitude > search->half)
			continue;
		double far = fmax(fabs(lower), fabs(upper)) * RADIANS_PER_UNIT;
		double scale = far >= M_PI_2 ? 0 : search->centre_cos * cos(far);
		const uint32_t *cells = grid->cells + (size_t)row * grid->columns;
		for (uint32_t column = c0; column <= c1; column++) {
			if (!((cells[column] ^ cells[column + 1]) & GRID_START))
				continue;
			if (column - c0 < COLUMNS_WITH_BOUNDS && latitude + scale * columns[column - c0] > search->half)
				continue;
			if (cell_in_reach(search, cells + column))
				return true;
		}
	}
	return false;
}

/* The longitudes a disc spans on either side of its centre, in units; half a turn if it holds a pole. */
static double disc_reach(const struct geo_disc *disc)
{
	double angle = disc->radius_m / GEO_EARTH_RADIUS_M, latitude = disc->centre.y * RADIANS_PER_UNIT;
	if (fabs(latitude) + angle >= M_PI_2)
		return GEO_X_MAX;
	double s = sin(angle) / cos(latitude);
	return s >= 1 ? GEO_X_MAX : ceil(asin(s) / RADIANS_PER_UNIT) + 1;
}

static void disc_latitudes(const struct geo_disc *disc, int32_t *low, int32_t *high)
{
	double reach = ceil(disc->radius_m / GEO_EARTH_RADIUS_M / RADIANS_PER_UNIT) + 1;
	double lower = disc->centre.y - reach, upper = disc->centre.y + reach;
	*low = lower <= -GEO_Y_MAX ? -GEO_Y_MAX : (int32_t)lower;
	*high = upper >= GEO_Y_MAX ? GEO_Y_MAX : (int32_t)upper;
}

struct geo_box geo_disc_box(const struct geo_disc *disc)
{
	struct geo_box box = { -GEO_X_MAX, 0, GEO_X_MAX, 0 };
	disc_latitudes(disc, &box.y0, &box.y1);
	double reach = disc_reach(disc), left = disc->centre.x - reach, right = disc->centre.x + reach;
	if (left > -GEO_X_MAX && right < GEO_X_MAX) {
		box.x0 = (int32_t)left;
		box.x1 = (int32_t)right;
	}
	return box;
}

/* Searches the longitudes left .. right (units) of the grid. */
static bool span_in_reach(struct search *search, double left, double right, int32_t low, int32_t high)
{
	struct geo_box own = search->grid->box;
	if (right < own.x0 || left > own.x1 || high < own.y0 || low > own.y1)
		return false;
	search->box.x0 = left <= own.x0 ? own.x0 : (int32_t)left;
	search->box.x1 = right >= own.x1 ? own.x1 : (int32_t)right;
	search->box.y0 = low > own.y0 ? low : own.y0;
	search->box.y1 = high < own.y1 ? high : own.y1;
	return cells_in_reach(search);
}

bool grid_point_anywhere(const struct grid *grid, struct geo_xy point)
{
	if (grid_point(grid, point) != GRID_OUT)
		return true;
	if (point.y == GEO_Y_MAX || point.y == -GEO_Y_MAX)
		return point.y > 0 ? grid->box.y1 == GEO_Y_MAX : grid->box.y0 == -GEO_Y_MAX;
	if (point.x == GEO_X_MAX || point.x == -GEO_X_MAX)
		return grid_point(grid, (struct geo_xy){ -point.x, point.y }) != GRID_OUT;
	return false;
}

bool grid_edge_near(const struct grid *grid, const struct geo_disc *disc)
{
	if (disc->radius_m <= 0)
		return false;
	struct search search = { grid, disc, sphere_half(disc->radius_m), cos(disc->centre.y * RADIANS_PER_UNIT), { 0, 0, 0, 0 } };
	double turn = 2.0 * GEO_X_MAX, reach = disc_reach(disc), left = disc->centre.x - reach, right = disc->centre.x + reach;
	int32_t low, high;
	disc_latitudes(disc, &low, &high);
	if (reach >= GEO_X_MAX)
		return span_in_reach(&search, -GEO_X_MAX, GEO_X_MAX, low, high);
	return span_in_reach(&search, left, right, low, high) ||
	       (left <= -GEO_X_MAX && span_in_reach(&search, left + turn, GEO_X_MAX, low, high)) ||
	       (right >= GEO_X_MAX && span_in_reach(&search, -GEO_X_MAX, right - turn, low, high));
}

bool grid_disc(const struct grid *grid, const struct geo_disc *disc)
{
	return disc->radius_m >= M_PI * GEO_EARTH_RADIUS_M || grid_point_anywhere(grid, disc->centre) || grid_edge_near(grid, disc);
}

bool grid_in_disc(const struct grid *grid, const struct geo_disc *disc)
{
	/* What lies outside a disc is the disc around the opposite point. */
	struct geo_disc opposite = { { disc->centre.x <= 0 ? disc->centre.x + GEO_X_MAX : disc->centre.x - GEO_X_MAX, -disc->centre.y },
		                     M_PI * GEO_EARTH_RADIUS_M - disc->radius_m };
	return opposite.radius_m <= 0 || !grid_disc(grid, &opposite);
}
