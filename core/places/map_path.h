/* Rings as SVG path data. Private to the room. */
#ifndef CHANCERY_CORE_PLACES_MAP_PATH_H
#define CHANCERY_CORE_PLACES_MAP_PATH_H

#include "core/places/map.h"

#define MAP_SIZE 1000 /* units of the longer side of the picture */

/* From degrees to units of the picture. */
struct map_projection {
	struct map_window window;
	double x_scale, y_scale; /* units a degree */
	double width, height;    /* of the picture */
};

struct map_xy {
	double x, y;
};

struct map_projection map_projection_of(struct map_window window);

/* Path data under way: points are written relative to the last one, as whole units. */
struct map_path {
	struct buf *out;
	int x, y;
};

/* What ring to write: points in 1e-7 degrees, moved by `shift` degrees of longitude. */
struct map_ring {
	const struct geo_xy *points;
	size_t count;
	double shift;
};

enum map_ring_kind {
	MAP_RING_CLOSED, /* filled, and stroked as it is */
	MAP_RING_STROKE, /* the line only, left out where the ring was cut at the 180th meridian or a pole */
};

/* Clips the ring to the picture, drops what is finer than a unit, and appends it. Returns false if nothing of it
 * is there. `box_out` (may be NULL) gets the drawn extent: x0, y0, x1, y1 in units, widened if something is in it
 * already (x0 <= x1). */
bool map_path_ring(struct map_path *path, struct arena *scratch, const struct map_projection *projection,
                   struct map_ring ring, enum map_ring_kind kind, double box_out[4]);

/* True if an edge of the ring lies on the 180th meridian or at a pole. */
bool map_ring_has_seam(const struct geo_xy *points, size_t count);

#endif
