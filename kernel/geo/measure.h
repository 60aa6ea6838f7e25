/* Measures of polygons. Private to this room. */
#ifndef CHANCERY_KERNEL_GEO_MEASURE_H
#define CHANCERY_KERNEL_GEO_MEASURE_H

#include "kernel/geo/geo.h"

/* The rectangle around a polygon's rings. */
struct geo_box polygon_box(const struct geo_polygon *polygon);
/* Square metres on the sphere, holes taken off. */
double polygon_square_metres(const struct geo_polygon *polygon);
/* A point inside, far from edges along one of several parallels; false if the polygon is too thin to hold one. */
bool polygon_label(const struct geo_polygon *polygon, struct geo_xy *out);
/* Twice the signed area of a ring in square units: > 0 counter-clockwise. */
double ring_turn(const struct geo_ring *ring);

#endif
