#include <math.h>

#include "core/places/places_internal.h"

#include "core/places/map_path.h"

#define DISC_POINTS 72
#define SMALL 14 /* units: what is drawn smaller gets a ring around it */
#define MARK_RADIUS 11
#define WINDOW_LEAST 0.6 /* degrees of latitude: no map shows less */
#define COUNTRY_LEAST 2.0

#define SEA "#eef3f6"
#define LAND "#d3d7da"
#define CHOSEN "#a9b4bd"
#define BORDER "#ffffff"

static const struct tone {
	const char *fill, *opacity, *stroke, *dashes;
} tones[MAP_TONE_COUNT] = {
	[MAP_PLAIN] = { "#2f5d8a", ".35", "#1d3f60", "" },       [MAP_MINOR] = { "#e6c229", ".35", "#6b5a00", "2 3" },
	[MAP_MODERATE] = { "#e08e1b", ".40", "#7a4400", "8 3" }, [MAP_SEVERE] = { "#d1451d", ".50", "#7a1f06", "" },
	[MAP_EXTREME] = { "#8f0d3a", ".60", "#4a0019", "" },     [MAP_PAST] = { "#6a6f74", ".25", "#44484c", "1 4" },
};

/* What one drawing is made with. */
struct canvas {
	const struct places *places;
	struct map_projection projection;
	struct arena scratch;
	struct buf *out;
};

static void add_escaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c == '&')
			buf_add_str(out, S("&amp;"));
		else if (c == '<')
			buf_add_str(out, S("&lt;"));
		else if (c == '>')
			buf_add_str(out, S("&gt;"));
		else if (c >= 0x20 || c == '\n' || c == '\t') /* XML knows no other control characters */
			buf_add_char(out, (char)c);
	}
}

/* ---- polygons ---- */

/* Shifts of -360, 0 and 360 degrees that bring the box into the window. */
static bool in_window(const struct canvas *canvas, struct geo_box box, double shift)
{
	const struct map_window *w = &canvas->projection.window;
	return geo_degrees(box.x0) + shift <= w->east && geo_degrees(box.x1) + shift >= w->west &&
	       geo_degrees(box.y0) <= w->north && geo_degrees(box.y1) >= w->south;
}

enum which_rings { RINGS_WITHOUT_SEAM, RINGS_WITH_SEAM, RINGS_ALL };

/* Appends all rings of the area's polygons that are to be seen; returns whether there were any. */
static bool add_polygons(struct canvas *canvas, struct map_path *path, const struct geo_area *area,
                         enum which_rings which, enum map_ring_kind kind, double box[4])
{
	bool any = false;
	for (size_t i = 0; i < area->polygon_count; i++) {
		const struct geo_polygon *polygon = &area->polygons[i];
		for (double shift = -360; shift <= 360; shift += 360) {
			if (!in_window(canvas, polygon->box, shift))
				continue;
			/* One seam makes the whole polygon one with seams: holes must stay in the same path as
			 * what they are cut from. */
			bool seam = which != RINGS_ALL &&
			            map_ring_has_seam(polygon->rings[0].points, polygon->rings[0].count);
			if (which != RINGS_ALL && seam != (which == RINGS_WITH_SEAM))
				continue;
			for (size_t r = 0; r < polygon->ring_count; r++) {
				struct map_ring ring = { polygon->rings[r].points, polygon->rings[r].count, shift };
				any = map_path_ring(path, &canvas->scratch, &canvas->projection, ring, kind, box) ||
				      any;
				arena_clear(&canvas->scratch);
			}
		}
	}
	return any;
}

static const double no_box[4] = { 1, 1, 0, 0 };

static void begin_path(struct canvas *canvas, struct map_path *path)
{
	buf_add_str(canvas->out, S("<path d=\"M0 0"));
	*path = (struct map_path){ canvas->out, 0, 0 };
}

/* A ring around what is too small to be seen. */
static void add_mark(struct canvas *canvas, const double box[4], const char *fill, const char *stroke)
{
	if (box[0] > box[2] || box[2] - box[0] >= SMALL || box[3] - box[1] >= SMALL)
		return;
	buf_format(canvas->out, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\" fill=\"%s\" fill-opacity=\".4\" stroke=\"%s\"/>",
	           (int)((box[0] + box[2]) / 2), (int)((box[1] + box[3]) / 2), MARK_RADIUS, fill, stroke);
}

/* ---- countries ---- */

/* The grain that suits the window, or the next finer one that has the country. */
static const struct geo_area *suitable(const struct canvas *canvas, const struct country_record *record)
{
	double width = canvas->projection.window.north - canvas->projection.window.south;
	unsigned level = width > 100 ? LEVEL_110M : width > 12 ? LEVEL_50M : LEVEL_10M;
	while (level < LEVEL_10M && record->areas[level] == NULL)
		level++;
	return record->areas[level];
}

/* All countries but `but` (SIZE_MAX: none) in one path. */
static void draw_land(struct canvas *canvas, size_t but, enum which_rings which, const char *stroke)
{
	struct map_path path;
	begin_path(canvas, &path);
	bool world = canvas->projection.window.north - canvas->projection.window.south > 100;
	for (size_t i = 0; i < canvas->places->country_count; i++) {
		const struct country_record *record = &canvas->places->countries[i];
		/* On the map of the world countries that the coarse grain leaves out are specks; they are drawn
		 * when chosen. */
		const struct geo_area *area = world ? record->areas[LEVEL_110M] : suitable(canvas, record);
		if (i != but && area != NULL)
			add_polygons(canvas, &path, area, which, MAP_RING_CLOSED, NULL);
	}
	buf_format(canvas->out, "\" fill=\"" LAND "\" stroke=\"%s\"/>", stroke);
}

/* `width` is the stroke's: a wide one makes the specks of island states visible. */
static void draw_country(struct canvas *canvas, size_t index, const char *fill, const char *opacity, const char *stroke,
                         int width)
{
	const struct country_record *record = &canvas->places->countries[index];
	const struct geo_area *area = suitable(canvas, record);
	if (area == NULL)
		return;
	double box[4];
	memcpy(box, no_box, sizeof box);
	struct map_path path;
	begin_path(canvas, &path);
	add_polygons(canvas, &path, area, RINGS_ALL, MAP_RING_CLOSED, box);
	buf_format(canvas->out, "\" fill=\"%s\" fill-opacity=\"%s\" fill-rule=\"evenodd\"/>", fill, opacity);
	begin_path(canvas, &path);
	add_polygons(canvas, &path, area, RINGS_ALL, MAP_RING_STROKE, NULL);
	buf_format(canvas->out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"%d\"/>", stroke, width);
	for (size_t i = 0; i < area->disc_count && box[0] > box[2]; i++) {
		const struct map_projection *p = &canvas->projection;
		box[0] = box[2] = (geo_degrees(area->discs[i].centre.x) - p->window.west) * p->x_scale;
		box[1] = box[3] = (p->window.north - geo_degrees(area->discs[i].centre.y)) * p->y_scale;
	}
	add_mark(canvas, box, fill, stroke);
}

/* ---- discs ---- */

static struct geo_xy units_of(double lon, double lat)
{
	return (struct geo_xy){ (int32_t)lround(lon * GEO_UNITS), (int32_t)lround(lat * GEO_UNITS) };
}

static double wrapped(double lon)
{
	return lon - 360 * floor((lon + 180) / 360);
}

/* Points of the circle of angular radius `angle` (radians) around (lon, lat) in degrees; longitudes are relative
 * to lon, -180..180. */
static void circle_points(double lat, double angle, double lons[DISC_POINTS], double lats[DISC_POINTS])
{
	double f = lat * M_PI / 180;
	for (size_t i = 0; i < DISC_POINTS; i++) {
		double bearing = 2 * M_PI * (double)i / DISC_POINTS;
		double s = sin(f) * cos(angle) + cos(f) * sin(angle) * cos(bearing);
		lats[i] = asin(fmax(-1, fmin(1, s))) * 180 / M_PI;
		lons[i] = atan2(sin(bearing) * sin(angle) * cos(f), cos(angle) - sin(f) * s) * 180 / M_PI;
	}
}

/* The disc's edge as a ring around longitude 0: the caller shifts it to the centre. Returns the number of points. */
static size_t disc_ring(const struct geo_disc *disc, struct geo_xy points[DISC_POINTS + 3])
{
	double lat = geo_degrees(disc->centre.y), angle = fmin(disc->radius_m / GEO_EARTH_RADIUS_M, M_PI / 2),
	       lons[DISC_POINTS], lats[DISC_POINTS];
	circle_points(lat, angle, lons, lats);
	double reach = fabs(lat) + angle * 180 / M_PI;
	if (reach <= 90) {
		for (size_t i = 0; i < DISC_POINTS; i++)
			points[i] = units_of(lons[i], lats[i]);
		return DISC_POINTS;
	}
	/* A pole lies within: the circle runs through all longitudes; go along it from -180 to 180 and back along
	 * the pole. */
	size_t start = 0;
	for (size_t i = 1; i < DISC_POINTS; i++)
		if (lons[i] < lons[start])
			start = i;
	bool eastward =
		lons[(start + 1) % DISC_POINTS] > lons[start] && lons[(start + 1) % DISC_POINTS] - lons[start] < 180;
	size_t count = 0;
	for (size_t i = 0; i < DISC_POINTS; i++) {
		size_t at = (eastward ? start + i : start + DISC_POINTS - i) % DISC_POINTS;
		points[count++] = units_of(lons[at], lats[at]);
	}
	double pole = lat > 0 ? 90 : -90;
	points[count++] = units_of(180, lats[start]);
	points[count++] = units_of(180, pole);
	points[count++] = units_of(-180, pole);
	return count;
}

static void add_disc(struct canvas *canvas, struct map_path *path, const struct geo_disc *disc, double box[4])
{
	struct geo_xy points[DISC_POINTS + 3];
	size_t count = disc_ring(disc, points);
	for (double shift = -360; shift <= 360; shift += 360) {
		struct map_ring ring = { points, count, geo_degrees(disc->centre.x) + shift };
		map_path_ring(path, &canvas->scratch, &canvas->projection, ring, MAP_RING_CLOSED, box);
		arena_clear(&canvas->scratch);
	}
}

/* ---- shapes ---- */

static void draw_shape(struct canvas *canvas, const struct map_shape *shape)
{
	const struct tone *tone = &tones[shape->tone < MAP_TONE_COUNT ? shape->tone : MAP_PLAIN];
	const struct geo_area *area = shape->area;
	buf_add_str(canvas->out, S("<g>"));
	if (shape->title.len > 0) {
		buf_add_str(canvas->out, S("<title>"));
		add_escaped(canvas->out, shape->title);
		buf_add_str(canvas->out, S("</title>"));
	}
	for (size_t i = 0; i < area->country_count; i++) {
		size_t index = places_country(canvas->places, geo_country_code(area->countries[i]));
		if (index != SIZE_MAX)
			draw_country(canvas, index, tone->fill, tone->opacity, tone->stroke, 2);
	}
	if (area->polygon_count > 0) {
		double box[4];
		memcpy(box, no_box, sizeof box);
		struct map_path path;
		begin_path(canvas, &path);
		add_polygons(canvas, &path, area, RINGS_ALL, MAP_RING_CLOSED, box);
		buf_format(canvas->out, "\" fill=\"%s\" fill-opacity=\"%s\" fill-rule=\"evenodd\"/>", tone->fill,
		           tone->opacity);
		begin_path(canvas, &path);
		add_polygons(canvas, &path, area, RINGS_ALL, MAP_RING_STROKE, NULL);
		buf_format(canvas->out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>",
		           tone->stroke, tone->dashes);
		add_mark(canvas, box, tone->fill, tone->stroke);
	}
	for (size_t i = 0; i < area->disc_count; i++) {
		double box[4];
		memcpy(box, no_box, sizeof box);
		struct map_path path;
		begin_path(canvas, &path);
		add_disc(canvas, &path, &area->discs[i], box);
		buf_format(
			canvas->out,
			"\" fill=\"%s\" fill-opacity=\"%s\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>",
			tone->fill, tone->opacity, tone->stroke, tone->dashes);
		add_mark(canvas, box, tone->fill, tone->stroke);
	}
	buf_add_str(canvas->out, S("</g>"));
}

void map_draw(const struct places *places, struct buf *out, struct map_window window, struct str country,
              const struct map_shape *shapes, size_t count, struct str title, struct str description)
{
	struct canvas canvas = { .places = places, .projection = map_projection_of(window), .out = out };
	arena_init(&canvas.scratch);
	int width = (int)ceil(canvas.projection.width), height = (int)ceil(canvas.projection.height);
	buf_format(out,
	           "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
	           "role=\"img\" "
	           "stroke-linejoin=\"round\"><title>",
	           width, height, width, height);
	add_escaped(out, title);
	buf_add_str(out, S("</title>"));
	if (description.len > 0) {
		buf_add_str(out, S("<desc>"));
		add_escaped(out, description);
		buf_add_str(out, S("</desc>"));
	}
	buf_format(out, "<path d=\"M0 0h%dv%dh-%dz\" fill=\"" SEA "\"/>", width, height, width);
	size_t chosen = places_country(places, country);
	/* Polygons cut at the 180th meridian come first and without a border of their own, so that the cut is not
	 * seen. */
	draw_land(&canvas, chosen, RINGS_WITH_SEAM, LAND);
	draw_land(&canvas, chosen, RINGS_WITHOUT_SEAM, BORDER);
	if (chosen != SIZE_MAX)
		draw_country(&canvas, chosen, CHOSEN, "1", CHOSEN, 3);
	for (size_t i = 0; i < count; i++)
		draw_shape(&canvas, &shapes[i]);
	buf_add_str(out, S("</svg>"));
	arena_release(&canvas.scratch);
}

/* ---- windows ---- */

struct map_window map_window_world(void)
{
	return (struct map_window){ -180, -58, 180, 84 };
}

/* Makes the window at least `least` degrees high and about as wide, adds a margin, and keeps it on the earth. */
static struct map_window with_margin(struct map_window w, double least)
{
	double middle = (w.south + w.north) / 2, shrink = fmax(cos(middle * M_PI / 180), 0.05);
	double height = w.north - w.south, width = (w.east - w.west) * shrink;
	double side = fmax(fmax(height, width), least) * 1.16;
	/* Not a narrow strip: at least six tenths of the longer side. */
	double new_height = fmax(height * 1.16, side * 0.6), new_width = fmax(width * 1.16, side * 0.6) / shrink;
	double centre = (w.west + w.east) / 2;
	if (new_width > 300 || new_height > 130)
		return map_window_world();
	w.south = fmax(-90, middle - new_height / 2);
	w.north = fmin(90, middle + new_height / 2);
	centre = wrapped(centre);
	w.west = centre - new_width / 2;
	if (w.west < -180)
		w.west += 360;
	w.east = w.west + new_width;
	return w;
}

/* Twice the polygon's extent in square degrees, shrunk: enough to tell large from small. */
static double size_of(struct geo_box box)
{
	double shrink = cos((geo_degrees(box.y0) + geo_degrees(box.y1)) / 2 * M_PI / 180);
	return (geo_degrees(box.x1) - geo_degrees(box.x0)) * shrink * (geo_degrees(box.y1) - geo_degrees(box.y0));
}

static struct map_window window_of(struct geo_box box, double near)
{
	struct map_window w = { geo_degrees(box.x0), geo_degrees(box.y0), geo_degrees(box.x1), geo_degrees(box.y1) };
	double shift = 360 * round((near - (w.west + w.east) / 2) / 360); /* the nearer way around the earth */
	w.west += shift;
	w.east += shift;
	return w;
}

static void widen_window(struct map_window *w, struct map_window by)
{
	w->west = fmin(w->west, by.west);
	w->east = fmax(w->east, by.east);
	w->south = fmin(w->south, by.south);
	w->north = fmax(w->north, by.north);
}

static double gap(const struct map_window *a, const struct map_window *b)
{
	double x = fmax(0, fmax(a->west - b->east, b->west - a->east)),
	       y = fmax(0, fmax(a->south - b->north, b->south - a->north));
	return fmax(x, y);
}

bool map_window_country(const struct places *places, struct str code, struct map_window *window_out)
{
	const struct geo_area *area = country_area(places, code);
	if (area == NULL)
		return false;
	if (area->polygon_count == 0) {
		double lon = geo_degrees(area->discs[0].centre.x), lat = geo_degrees(area->discs[0].centre.y);
		*window_out = with_margin((struct map_window){ lon, lat, lon, lat }, WINDOW_LEAST);
		return true;
	}
	size_t main = 0;
	for (size_t i = 1; i < area->polygon_count; i++)
		if (size_of(area->polygons[i].box) > size_of(area->polygons[main].box))
			main = i;
	struct map_window w = window_of(area->polygons[main].box, 0), all = w;
	double reach = fmax(1.5, 0.35 * fmax(w.east - w.west, w.north - w.south));
	/* Islands belong to the picture while they are near to what is in it already; three rounds let chains grow. */
	for (unsigned round_number = 0; round_number < 3; round_number++) {
		for (size_t i = 0; i < area->polygon_count; i++) {
			struct map_window part = window_of(area->polygons[i].box, (all.west + all.east) / 2);
			struct map_window grown = all;
			widen_window(&grown, part);
			bool small = size_of(area->polygons[i].box) < 0.002 * size_of(area->polygons[main].box);
			if (gap(&w, &part) <= (small ? reach / 3 : reach) && grown.east - grown.west < 200)
				all = grown;
		}
		w = all;
	}
	*window_out = with_margin(all, COUNTRY_LEAST);
	return true;
}

/* The box of a disc, on the side of the earth that is nearer to `near`. */
static struct map_window disc_window(const struct geo_disc *disc, double near)
{
	double lon = geo_degrees(disc->centre.x), lat = geo_degrees(disc->centre.y),
	       degrees = disc->radius_m / GEO_EARTH_RADIUS_M * 180 / M_PI;
	double wide = fabs(lat) + degrees >= 90 ? 180 : degrees / cos((fabs(lat) + degrees) * M_PI / 180);
	lon += 360 * round((near - lon) / 360);
	return (struct map_window){ lon - fmin(wide, 180), fmax(-90, lat - degrees), lon + fmin(wide, 180),
		                    fmin(90, lat + degrees) };
}

static void take_in(struct map_window *w, bool *any, struct map_window part)
{
	if (*any)
		widen_window(w, part);
	else
		*w = part;
	*any = true;
}

struct map_window map_window_shapes(const struct places *places, const struct map_shape *shapes, size_t count)
{
	struct map_window w = { 0, 0, 0, 0 }, part;
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct geo_area *area = shapes[i].area;
		for (size_t p = 0; p < area->polygon_count; p++)
			take_in(&w, &any, window_of(area->polygons[p].box, any ? (w.west + w.east) / 2 : 0));
		for (size_t d = 0; d < area->disc_count; d++)
			take_in(&w, &any, disc_window(&area->discs[d], any ? (w.west + w.east) / 2 : 0));
		for (size_t c = 0; c < area->country_count; c++)
			if (map_window_country(places, geo_country_code(area->countries[c]), &part)) {
				double shift =
					any ? 360 * round(((w.west + w.east) / 2 - (part.west + part.east) / 2) / 360)
					    : 0;
				part.west += shift;
				part.east += shift;
				take_in(&w, &any, part);
			}
	}
	return any ? with_margin(w, WINDOW_LEAST) : map_window_world();
}
