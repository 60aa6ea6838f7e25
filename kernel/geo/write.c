/* Writing areas: as they are stored, as GeoJSON, as CAP. Numbers are written from whole numbers, so no locale and no rounding
 * comes in. */
#include <math.h>

#include "kernel/geo/measure.h"
#include "kernel/geo/wide.h"

#define DEGREE_DECIMALS 7
#define RADIUS_DECIMALS 3 /* of metres: discs are kept to the millimetre */

/* value / 10^decimals without trailing zeros. */
static void write_scaled(struct buf *buf, int64_t value, int decimals)
{
	int64_t scale = 1;
	for (int i = 0; i < decimals; i++)
		scale *= 10;
	if (value < 0)
		buf_add_char(buf, '-');
	int64_t size = value < 0 ? -value : value, rest = size % scale;
	buf_add_int(buf, size / scale);
	if (rest)
		buf_add_char(buf, '.');
	for (scale /= 10; rest; scale /= 10) {
		buf_add_char(buf, (char)('0' + rest / scale));
		rest %= scale;
	}
}

void geo_write_degrees(struct buf *buf, int32_t units)
{
	write_scaled(buf, units, DEGREE_DECIMALS);
}

static int64_t millimetres(const struct geo_disc *disc)
{
	return llround(disc->radius_m * 1000);
}

static void write_position(struct buf *buf, struct geo_xy at)
{
	buf_add_char(buf, '[');
	geo_write_degrees(buf, at.x);
	buf_add_char(buf, ',');
	geo_write_degrees(buf, at.y);
	buf_add_char(buf, ']');
}

/* Closed, counter-clockwise or (holes) clockwise, beginning with the first point. */
static void write_ring(struct buf *buf, const struct geo_ring *ring, bool hole)
{
	bool forward = (ring_turn(ring) > 0) != hole;
	buf_add_char(buf, '[');
	for (size_t i = 0; i <= ring->count; i++) {
		if (i)
			buf_add_char(buf, ',');
		write_position(buf, ring->points[(forward ? i : ring->count - i) % ring->count]);
	}
	buf_add_char(buf, ']');
}

static void write_polygon(struct buf *buf, const struct geo_polygon *polygon)
{
	buf_add_char(buf, '[');
	for (size_t r = 0; r < polygon->ring_count; r++) {
		if (r)
			buf_add_char(buf, ',');
		write_ring(buf, &polygon->rings[r], r > 0);
	}
	buf_add_char(buf, ']');
}

static struct str taken(struct arena *arena, struct buf *buf)
{
	struct str text = str_copy(arena, buf_str(buf));
	buf_release(buf);
	return text;
}

static void begin_member(struct buf *buf, const char *name)
{
	buf_format(buf, "%s\"%s\":[", buf->len > 1 ? "," : "", name);
}

static void write_discs(struct buf *buf, const struct geo_area *area)
{
	begin_member(buf, "discs");
	for (size_t i = 0; i < area->disc_count; i++) {
		buf_format(buf, "%s{\"lat\":", i ? "," : "");
		geo_write_degrees(buf, area->discs[i].centre.y);
		buf_format(buf, ",\"lon\":");
		geo_write_degrees(buf, area->discs[i].centre.x);
		buf_format(buf, ",\"radius\":");
		write_scaled(buf, millimetres(&area->discs[i]), RADIUS_DECIMALS);
		buf_add_char(buf, '}');
	}
	buf_add_char(buf, ']');
}

static void write_polygons(struct buf *buf, const struct geo_area *area)
{
	bool in_order = true;
	begin_member(buf, "polygons");
	for (size_t i = 0; i < area->polygon_count; i++) {
		if (i)
			buf_add_char(buf, ',');
		write_polygon(buf, &area->polygons[i]);
		in_order = in_order && area->polygons[i].part == (int32_t)i;
	}
	buf_add_char(buf, ']');
	if (in_order)
		return;
	begin_member(buf, "parts");
	for (size_t i = 0; i < area->polygon_count; i++)
		buf_format(buf, "%s%d", i ? "," : "", (int)area->polygons[i].part);
	buf_add_char(buf, ']');
}

struct str geo_write_area(struct arena *arena, const struct geo_area *area)
{
	struct buf buf;
	buf_init(&buf);
	buf_add_char(&buf, '{');
	if (area->country_count) {
		begin_member(&buf, "countries");
		for (size_t i = 0; i < area->country_count; i++)
			buf_format(&buf, "%s\"%.*s\"", i ? "," : "", STR_ARG(geo_country_code(area->countries[i])));
		buf_add_char(&buf, ']');
	}
	if (area->disc_count)
		write_discs(&buf, area);
	if (area->polygon_count)
		write_polygons(&buf, area);
	buf_add_char(&buf, '}');
	return taken(arena, &buf);
}

static void begin_feature(struct buf *buf, bool *first)
{
	buf_format(buf, "%s{\"type\":\"Feature\",\"properties\":{", *first ? "" : ",");
	*first = false;
}

/* One feature for all pieces of a polygon as given; returns the number of pieces. */
static size_t write_part(struct buf *buf, const struct geo_area *area, size_t from, bool *first)
{
	size_t end = from + 1;
	while (end < area->polygon_count && area->polygons[end].part == area->polygons[from].part)
		end++;
	begin_feature(buf, first);
	buf_format(buf, "\"part\":%d},\"geometry\":{\"type\":\"%s\",\"coordinates\":", (int)area->polygons[from].part,
	           end - from > 1 ? "MultiPolygon" : "Polygon");
	if (end - from > 1)
		buf_add_char(buf, '[');
	for (size_t i = from; i < end; i++) {
		if (i > from)
			buf_add_char(buf, ',');
		write_polygon(buf, &area->polygons[i]);
	}
	if (end - from > 1)
		buf_add_char(buf, ']');
	buf_format(buf, "}}");
	return end - from;
}

struct str geo_write_geojson(struct arena *arena, const struct geo_area *area)
{
	struct buf buf;
	bool first = true;
	buf_init(&buf);
	buf_format(&buf, "{\"type\":\"FeatureCollection\",\"features\":[");
	for (size_t i = 0; i < area->polygon_count;)
		i += write_part(&buf, area, i, &first);
	for (size_t i = 0; i < area->disc_count; i++) {
		begin_feature(&buf, &first);
		buf_format(&buf, "\"radius\":");
		write_scaled(&buf, millimetres(&area->discs[i]), RADIUS_DECIMALS);
		buf_format(&buf, "},\"geometry\":{\"type\":\"Point\",\"coordinates\":");
		write_position(&buf, area->discs[i].centre);
		buf_format(&buf, "}}");
	}
	for (size_t i = 0; i < area->country_count; i++) {
		begin_feature(&buf, &first);
		buf_format(&buf, "\"country\":\"%.*s\"},\"geometry\":null}", STR_ARG(geo_country_code(area->countries[i])));
	}
	buf_format(&buf, "]}");
	return taken(arena, &buf);
}

struct texts {
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
};

static void add_cap_polygon(struct texts *texts, const struct wide_ring *ring)
{
	struct buf buf;
	buf_init(&buf);
	for (size_t i = 0; i <= ring->count; i++) {
		struct wide_xy at = ring->points[i % ring->count];
		if (i)
			buf_add_char(&buf, ' ');
		geo_write_degrees(&buf, (int32_t)at.y);
		buf_add_char(&buf, ',');
		geo_write_degrees(&buf, (int32_t)at.x);
	}
	struct str text = taken(texts->arena, &buf);
	ARENA_PUSH(texts->arena, texts->items, texts->count, texts->capacity, text);
}

/* A meridian through the middle one of the polygon's holes; false if there is none wide enough to cut. */
static bool find_cut(const struct wide_polygon *polygon, int64_t *line)
{
	for (size_t k = 0; k + 1 < polygon->count; k++) {
		size_t r = 1 + (polygon->count / 2 + k) % (polygon->count - 1);
		int64_t low, high;
		wide_range(&polygon->rings[r], &low, &high);
		*line = low + (high - low) / 2;
		if (*line > low && *line < high)
			return true;
	}
	return false;
}

static void add_without_holes(struct texts *texts, const struct wide_polygon *polygon)
{
	int64_t line;
	if (!find_cut(polygon, &line)) {
		add_cap_polygon(texts, &polygon->rings[0]);
		return;
	}
	struct wide_list pieces = { NULL, 0, 0 };
	wide_cut_left(texts->arena, polygon, line, &pieces);
	wide_cut_right(texts->arena, polygon, line, &pieces);
	for (size_t i = 0; i < pieces.count; i++)
		add_without_holes(texts, &pieces.items[i]);
}

struct str *geo_write_cap_polygons(struct arena *arena, const struct geo_area *area, size_t *count_out)
{
	struct texts texts = { .arena = arena };
	for (size_t i = 0; i < area->polygon_count; i++) {
		struct wide_polygon polygon = wide_from(arena, &area->polygons[i]);
		add_without_holes(&texts, &polygon);
	}
	*count_out = texts.count;
	return texts.items;
}

struct str *geo_write_cap_circles(struct arena *arena, const struct geo_area *area, size_t *count_out)
{
	struct str *texts = ARENA_NEW_ARRAY(arena, struct str, area->disc_count);
	for (size_t i = 0; i < area->disc_count; i++) {
		struct buf buf;
		buf_init(&buf);
		geo_write_degrees(&buf, area->discs[i].centre.y);
		buf_add_char(&buf, ',');
		geo_write_degrees(&buf, area->discs[i].centre.x);
		buf_add_char(&buf, ' ');
		write_scaled(&buf, millimetres(&area->discs[i]), RADIUS_DECIMALS + 3); /* kilometres */
		texts[i] = taken(arena, &buf);
	}
	*count_out = area->disc_count;
	return texts;
}
