/* Maps drawn by the server: outlines of countries with areas over them, as one SVG text for <img>.
 *
 * Equirectangular, shrunk in longitude by the cosine of the middle latitude; no letters in the picture, so it
 * serves every language; `title` and `description` are what a screen reader says. Nothing in it refers to anything
 * outside. */
#ifndef CHANCERY_CORE_PLACES_MAP_H
#define CHANCERY_CORE_PLACES_MAP_H

#include "core/places/places.h"

/* How a shape is painted. Tones differ in brightness and in the stroke's pattern, not only in hue. */
enum map_tone {
	MAP_PLAIN, /* watches, own legs */
	MAP_MINOR, /* CAP severity Minor and Unknown */
	MAP_MODERATE,
	MAP_SEVERE,
	MAP_EXTREME,
	MAP_PAST, /* over, cancelled, released */
	MAP_TONE_COUNT
};

/* One area to paint. Countries that it names are painted whole; what would be too small to see gets a ring around
 * it. */
struct map_shape {
	const struct geo_area *area;
	enum map_tone tone;
	struct str title; /* of this shape; may be empty */
};

/* Degrees; east may exceed 180 when the 180th meridian lies within (west is within -180..180). */
struct map_window {
	double west, south, east, north;
};

/* All inhabited land. */
struct map_window map_window_world(void);
/* A country with its surroundings, far islands left out; false if it has no outline. */
bool map_window_country(const struct places *places, struct str code, struct map_window *window_out);
/* All of the areas with a margin; the world if they have no extent or most of it. */
struct map_window map_window_shapes(const struct places *places, const struct map_shape *shapes, size_t count);

/* Appends the SVG document. `country` is drawn darker than the others (empty: none). `title` must not be empty. */
void map_draw(const struct places *places, struct buf *out, struct map_window window, struct str country,
              const struct map_shape *shapes, size_t count, struct str title, struct str description);

#endif
