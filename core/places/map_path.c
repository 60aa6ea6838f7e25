#include <math.h>

#include "core/places/map_path.h"

#define CLIP_MARGIN 8.0 /* units beyond the picture, so that clipped edges are not seen */
#define TOLERANCE 0.6   /* units by which a line may be off */

struct map_projection map_projection_of(struct map_window window)
{
	double middle = (window.south + window.north) / 2;
	bool world = window.east - window.west > 300;
	double shrink = world ? 1 : fmax(cos(middle * M_PI / 180), 0.05);
	double width = (window.east - window.west) * shrink, height = window.north - window.south;
	double scale = MAP_SIZE / fmax(width, height);
	return (struct map_projection){ window, scale * shrink, scale, width * scale, height * scale };
}

static bool on_seam(struct geo_xy a, struct geo_xy b)
{
	return (a.x == b.x && (a.x == GEO_X_MAX || a.x == -GEO_X_MAX)) ||
	       (a.y == b.y && (a.y == GEO_Y_MAX || a.y == -GEO_Y_MAX));
}

bool map_ring_has_seam(const struct geo_xy *points, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (on_seam(points[i], points[(i + 1) % count]))
			return true;
	return false;
}

/* ---- clipping (Sutherland and Hodgman): one side of the picture after the other ---- */

enum side { SIDE_LEFT, SIDE_RIGHT, SIDE_TOP, SIDE_BOTTOM };

static double beyond(struct map_xy p, enum side side, double limit)
{
	switch (side) {
	case SIDE_LEFT: return limit - p.x;
	case SIDE_RIGHT: return p.x - limit;
	case SIDE_TOP: return limit - p.y;
	default: return p.y - limit;
	}
}

static size_t clip_side(const struct map_xy *in, size_t count, struct map_xy *out, enum side side, double limit)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct map_xy a = in[i], b = in[(i + 1) % count];
		double a_beyond = beyond(a, side, limit), b_beyond = beyond(b, side, limit);
		if (a_beyond <= 0)
			out[kept++] = a;
		if ((a_beyond < 0 && b_beyond > 0) || (a_beyond > 0 && b_beyond < 0)) {
			double t = a_beyond / (a_beyond - b_beyond);
			out[kept++] = (struct map_xy){ a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t };
		}
	}
	return kept;
}

/* Each side may add a point for each edge that crosses it, so the room doubles at most. */
static struct map_xy *clip(struct arena *scratch, const struct map_projection *projection, struct map_xy *points,
                           size_t *count)
{
	const double limits[] = { -CLIP_MARGIN, projection->width + CLIP_MARGIN, -CLIP_MARGIN,
		                  projection->height + CLIP_MARGIN };
	for (unsigned side = 0; side < COUNT_OF(limits) && *count > 0; side++) {
		bool needed = false;
		for (size_t i = 0; i < *count && !needed; i++)
			needed = beyond(points[i], (enum side)side, limits[side]) > 0;
		if (!needed)
			continue;
		struct map_xy *out = ARENA_NEW_ARRAY(scratch, struct map_xy, *count * 2);
		*count = clip_side(points, *count, out, (enum side)side, limits[side]);
		points = out;
	}
	return points;
}

/* ---- leaving out what is too fine (Douglas and Peucker, with a stack of its own) ---- */

static double off_line(struct map_xy p, struct map_xy a, struct map_xy b)
{
	double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
	double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
	t = fmin(1, fmax(0, t));
	return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/* The index between `from` and `to` that is farthest from the line, or 0 if all are near. */
static size_t farthest(const struct map_xy *points, size_t from, size_t to)
{
	double most = TOLERANCE;
	size_t index = 0;
	for (size_t i = from + 1; i < to; i++) {
		double off = off_line(points[i], points[from], points[to]);
		if (off > most) {
			most = off;
			index = i;
		}
	}
	return index;
}

static size_t simplify(struct arena *scratch, struct map_xy *points, size_t count)
{
	/* Points that round to the same place as the one before say nothing; that alone makes the rest cheap. */
	size_t distinct = 0;
	for (size_t i = 0; i < count; i++)
		if (distinct == 0 ||
		    fabs(points[i].x - points[distinct - 1].x) + fabs(points[i].y - points[distinct - 1].y) >=
		            TOLERANCE / 2)
			points[distinct++] = points[i];
	if (distinct < 4)
		return distinct;
	bool *keep = ARENA_NEW_ARRAY(scratch, bool, distinct);
	size_t *stack = ARENA_NEW_ARRAY(scratch, size_t, distinct * 2), depth = 0;
	size_t half = distinct / 2; /* a ring has no ends: cut it in two */
	keep[0] = keep[half] = keep[distinct - 1] = true;
	stack[depth++] = 0, stack[depth++] = half;
	stack[depth++] = half, stack[depth++] = distinct - 1;
	while (depth > 0) {
		size_t to = stack[--depth], from = stack[--depth], index = farthest(points, from, to);
		if (index == 0)
			continue;
		keep[index] = true;
		stack[depth++] = from, stack[depth++] = index;
		stack[depth++] = index, stack[depth++] = to;
	}
	size_t kept = 0;
	for (size_t i = 0; i < distinct; i++)
		if (keep[i])
			points[kept++] = points[i];
	return kept;
}

/* ---- writing ---- */

static void add_number(struct buf *out, int value, bool first)
{
	if (!first && value >= 0)
		buf_add_char(out, ' ');
	buf_add_int(out, value);
}

/* `command` 0 goes on with the one before. */
static void add_step(struct map_path *path, char command, int x, int y)
{
	if (command != '\0')
		buf_add_char(path->out, command);
	add_number(path->out, x - path->x, command != '\0');
	add_number(path->out, y - path->y, false);
	path->x = x;
	path->y = y;
}

static int to_unit(double value)
{
	return (int)lround(value);
}

static void widen(double box[4], int x, int y)
{
	bool empty = box[0] > box[2];
	box[0] = empty ? x : fmin(box[0], x);
	box[1] = empty ? y : fmin(box[1], y);
	box[2] = empty ? x : fmax(box[2], x);
	box[3] = empty ? y : fmax(box[3], y);
}

/* Where the seams lie in the picture, for the shift of the ring. */
struct seams {
	double x[2], y[2];
};

static bool step_on_seam(const struct seams *seams, struct map_xy a, struct map_xy b)
{
	for (size_t i = 0; i < 2; i++)
		if ((fabs(a.x - seams->x[i]) < 1e-6 && fabs(b.x - seams->x[i]) < 1e-6) ||
		    (fabs(a.y - seams->y[i]) < 1e-6 && fabs(b.y - seams->y[i]) < 1e-6))
			return true;
	return false;
}

static void write_ring(struct map_path *path, const struct map_xy *points, size_t count, enum map_ring_kind kind,
                       const struct seams *seams)
{
	bool pen_up = true;
	size_t steps = kind == MAP_RING_STROKE ? count + 1 : count;
	for (size_t i = 0; i < steps; i++) {
		struct map_xy p = points[i % count];
		int x = to_unit(p.x), y = to_unit(p.y);
		if (i > 0 && kind == MAP_RING_STROKE && step_on_seam(seams, points[i - 1], p))
			pen_up = true;
		if (!pen_up && x == path->x && y == path->y)
			continue;
		add_step(path, pen_up ? 'm' : '\0', x, y); /* pairs after the first of an 'm' are lines */
		pen_up = false;
	}
	if (kind == MAP_RING_CLOSED)
		buf_add_char(path->out, 'z');
}

bool map_path_ring(struct map_path *path, struct arena *scratch, const struct map_projection *projection,
                   struct map_ring ring, enum map_ring_kind kind, double box_out[4])
{
	size_t count = ring.count;
	struct map_xy *points = ARENA_NEW_ARRAY(scratch, struct map_xy, count + 1);
	for (size_t i = 0; i < count; i++)
		points[i] = (struct map_xy){
			(geo_degrees(ring.points[i].x) + ring.shift - projection->window.west) * projection->x_scale,
			(projection->window.north - geo_degrees(ring.points[i].y)) * projection->y_scale
		};
	points = clip(scratch, projection, points, &count);
	count = simplify(scratch, points, count);
	if (count == 0)
		return false;
	for (size_t i = 0; i < count && box_out != NULL; i++)
		widen(box_out, to_unit(points[i].x), to_unit(points[i].y));
	if (count < 3)
		return true;
	struct seams seams = { { (-180 + ring.shift - projection->window.west) * projection->x_scale,
		                 (180 + ring.shift - projection->window.west) * projection->x_scale },
		               { (projection->window.north - 90) * projection->y_scale,
		                 (projection->window.north + 90) * projection->y_scale } };
	write_ring(path, points, count, kind, &seams);
	if (kind == MAP_RING_CLOSED) {
		/* 'z' takes the pen back to the ring's start. */
		path->x = to_unit(points[0].x);
		path->y = to_unit(points[0].y);
	}
	return true;
}
