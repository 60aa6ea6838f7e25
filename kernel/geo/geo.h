/* Places on the earth: areas, what lies in them, how they are read and written.
 *
 * Coordinates are held in units of 1e-7 degree (about 1 cm), so that "on the edge" is an exact question. Edges are
 * straight in longitude and latitude (CAP 1.2, RFC 7946); touching counts as inside. A polygon that crosses the 180th
 * meridian is cut there (RFC 7946, 3.1.9). Discs are all points within the radius by haversine on a sphere of
 * GEO_EARTH_RADIUS_M; a disc against a polygon is decided within 1 m. */
#ifndef CHANCERY_KERNEL_GEO_H
#define CHANCERY_KERNEL_GEO_H

#include "base/base.h"

#define GEO_EARTH_RADIUS_M 6371008.8
#define GEO_UNITS 10000000 /* per degree */
#define GEO_X_MAX (180 * GEO_UNITS)
#define GEO_Y_MAX (90 * GEO_UNITS)

/* Limits of what is read. */
#define GEO_VERTICES_MAX 200000      /* of one area, before closing points are dropped */
#define GEO_PARTS_MAX 20000          /* polygons, or discs, of one area */
#define GEO_TEXT_MAX ((size_t)32 << 20) /* bytes */
#define GEO_RADIUS_MAX_M 20037508.0  /* half of the equator: the whole earth */
#define GEO_COUNTRIES 677            /* country numbers are 1 .. 676; 0 is none */

/* A point: x is the longitude, y the latitude. */
struct geo_xy {
	int32_t x, y;
};
/* A rectangle, edges included. Empty if x0 > x1. It never crosses the 180th meridian. */
struct geo_box {
	int32_t x0, y0, x1, y1;
};
struct geo_ring {
	struct geo_xy *points; /* the first is not repeated at the end */
	size_t count;
};
/* The first ring is the outer one, the others are holes. */
struct geo_polygon {
	struct geo_ring *rings;
	size_t ring_count;
	struct geo_box box;
	int32_t part; /* number of the polygon as it was given, from 0; pieces cut at the meridian share it */
};
struct geo_disc {
	struct geo_xy centre;
	double radius_m;
};
/* A place made of parts; a point is in it if it is in any part. Held in an arena. */
struct geo_area {
	struct geo_polygon *polygons;
	size_t polygon_count, polygon_capacity;
	struct geo_disc *discs;
	size_t disc_count, disc_capacity;
	uint16_t *countries; /* ISO 3166-1 alpha-2 as numbers, ascending, each once */
	size_t country_count, country_capacity;
	size_t vertex_count;   /* of all polygons */
	int32_t polygon_parts; /* polygons as given */
};

/* --- points ------------------------------------------------------------------------------------------------ */
/* Rounds degrees to a point. Longitudes of -360 .. 360 are brought into -180 .. 180; false if out of range or not finite. */
bool geo_xy_from(double longitude, double latitude, struct geo_xy *out);
static inline double geo_degrees(int32_t units) { return (double)units / GEO_UNITS; }
/* Great-circle distance in metres by haversine. */
double geo_distance(struct geo_xy a, struct geo_xy b);
bool geo_box_meets(struct geo_box a, struct geo_box b);

/* --- countries --------------------------------------------------------------------------------------------- */
/* The number of a code of two ASCII letters (either case), 0 if it is none. That the code is assigned is not checked. */
uint16_t geo_country(struct str code);
/* The code of a number, empty for 0. Static memory. */
struct str geo_country_code(uint16_t country);

/* --- what a reader has to say ------------------------------------------------------------------------------ */
enum geo_severity { GEO_NOTE, GEO_WARNING, GEO_ERROR };
enum geo_code {
	/* errors: the area is refused */
	GEO_EMPTY,              /* nothing there that makes an area */
	GEO_TOO_LARGE,          /* the text is longer than GEO_TEXT_MAX */
	GEO_BAD_TEXT,           /* something that is no number stands at line, column */
	GEO_ODD_NUMBERS,        /* a latitude without its longitude, at line */
	GEO_BAD_JSON,           /* not JSON: line, column */
	GEO_BAD_TYPE,           /* GeoJSON of a type that has no area */
	GEO_BAD_POSITION,       /* a position that is not two or three numbers */
	GEO_BAD_REFERENCE,      /* GeoJSON with a "crs" other than longitude and latitude */
	GEO_TOO_MANY_VERTICES,  /* more than GEO_VERTICES_MAX */
	GEO_TOO_MANY_PARTS,     /* more than GEO_PARTS_MAX */
	GEO_TOO_FEW_POINTS,     /* fewer than three different points */
	GEO_NO_WIDTH,           /* all points on one line */
	GEO_LATITUDE_RANGE,     /* not within -90 .. 90 */
	GEO_LONGITUDE_RANGE,    /* not within -360 .. 360 */
	GEO_SWAPPED,            /* latitude out of range, and all would be right with latitude and longitude exchanged */
	GEO_SELF_CROSSING,      /* two edges cross at latitude, longitude; `other` is the second edge's first vertex */
	GEO_TOO_WIDE,           /* goes around the earth more than once */
	GEO_BAD_RADIUS,         /* a radius below 0, above GEO_RADIUS_MAX_M or no number */
	GEO_BAD_COUNTRY,        /* not two letters */
	/* warnings: taken, but show them */
	GEO_LOOKS_SWAPPED,      /* apart from where it should be, and not so with latitude and longitude exchanged */
	GEO_CROSSING_KEPT,      /* as GEO_SELF_CROSSING, but the reading keeps it */
	GEO_SELF_TOUCHING,      /* a ring touches itself or another ring */
	GEO_HOLE_OUTSIDE,       /* a hole that does not lie in its outer ring adds to the area */
	GEO_AROUND_POLE,        /* a ring around a pole was taken to hold the nearer pole */
	GEO_HEMISPHERE,         /* more than half of the earth */
	GEO_WHOLE_WORLD,        /* more than nine tenths of the earth */
	/* notes: repaired, said */
	GEO_CLOSED,             /* a ring's first point was not repeated at its end */
	GEO_DUPLICATES_REMOVED, /* `number` points that repeated the one before */
	GEO_SPLIT,              /* crosses the 180th meridian and was cut there */
	GEO_CODE_COUNT
};
/* One thing said. Numbers that say nothing are -1 (line, column: 0). */
struct geo_finding {
	enum geo_code code;
	int32_t polygon, ring, vertex; /* as given, from 0 */
	int32_t other;
	double longitude, latitude;    /* where; NAN if nowhere */
	size_t line, column;           /* of the text, from 1 */
	int64_t number;
};
#define GEO_FINDINGS_MAX 32
struct geo_report {
	struct geo_finding findings[GEO_FINDINGS_MAX];
	size_t count;
	size_t dropped;  /* further findings without room */
	bool refused;    /* there is an error among them */
};
enum geo_severity geo_severity(enum geo_code code);
/* Lower-case name for machines: "too_few_points". */
const char *geo_code_name(enum geo_code code);
/* The first finding of a code, or NULL. */
const struct geo_finding *geo_report_find(const struct geo_report *report, enum geo_code code);

/* --- making and reading areas ------------------------------------------------------------------------------ */
struct geo_prepared;
/* How strictly to read. All zero: as from an officer. */
struct geo_reading {
	bool keep_crossing;                  /* GEO_CROSSING_KEPT instead of GEO_SELF_CROSSING, for feeds; inside is what an odd number of edges surround */
	const struct geo_prepared *expected; /* where the area should lie (land, a country), for GEO_LOOKS_SWAPPED; may be NULL */
};
/* A point as given, in degrees; longitudes may run on beyond 180 (170, 175, 190). */
struct geo_point {
	double longitude, latitude;
};
struct geo_line {
	struct geo_point *points;
	size_t count;
	const uint32_t *lines; /* where each point stands in the text, for the report; may be NULL */
};
void geo_report_init(struct geo_report *report);
void geo_area_init(struct geo_area *area);
bool geo_area_is_empty(const struct geo_area *area);

/* Checks, closes, cuts and adds one polygon (outer ring, then holes). Between two points more than 180 degrees apart an
 * edge is taken the short way, over the 180th meridian. INVALID with an error in the report, and then nothing is added. */
enum rc geo_area_add_polygon(struct arena *arena, struct geo_area *area, const struct geo_line *rings, size_t ring_count,
                             const struct geo_reading *reading, struct geo_report *report);
enum rc geo_area_add_disc(struct arena *arena, struct geo_area *area, double longitude, double latitude, double radius_m,
                          struct geo_report *report);
enum rc geo_area_add_country(struct arena *arena, struct geo_area *area, struct str code, struct geo_report *report);

/* Adds the warnings about the area as a whole: too large, in the wrong place. The readers below do so themselves. */
void geo_area_judge(struct arena *arena, const struct geo_area *area, const struct geo_reading *reading, struct geo_report *report);

/* The readers below set `*out` only when they return OK; INVALID: the report says why. All need an initialised report. */
/* GeoJSON if the text begins with '{', else coordinates as geo_read_coordinates. */
enum rc geo_read(struct arena *arena, struct str text, const struct geo_reading *reading, struct geo_area *out, struct geo_report *report);
/* GeoJSON (RFC 7946): Polygon, MultiPolygon, GeometryCollection, Feature, FeatureCollection. Besides: a Point with a
 * "radius" in metres (in the geometry or its feature's properties) is a disc; {"type":"Disc","coordinates":[lon,lat],
 * "radius":m}; a feature with the property "country" is a country; and what geo_write_area writes. */
enum rc geo_read_geojson(struct arena *arena, struct str text, const struct geo_reading *reading, struct geo_area *out,
                         struct geo_report *report);
struct json_t;
/* The same from parsed JSON (jansson's json_t). */
enum rc geo_read_json(struct arena *arena, const struct json_t *json, const struct geo_reading *reading, struct geo_area *out,
                      struct geo_report *report);
/* "lat,lon lat,lon ..." as CAP writes it, or a pair a line; comma, semicolon, tab and blanks separate, an empty line begins
 * the next polygon. Decimal degrees with a point. */
enum rc geo_read_coordinates(struct arena *arena, struct str text, const struct geo_reading *reading, struct geo_area *out,
                             struct geo_report *report);
/* CAP 1.2 <circle>: "lat,lon radius" with the radius in kilometres. */
enum rc geo_read_cap_circle(struct arena *arena, struct str text, struct geo_area *out, struct geo_report *report);

/* --- writing ----------------------------------------------------------------------------------------------- */
/* The form areas are stored in: {"countries":["TN"],"discs":[{"lat":..,"lon":..,"radius":..}],"polygons":[MultiPolygon
 * coordinates],"parts":[..]}; empty members are left out. Reading it again gives the same area to the last unit. */
struct str geo_write_area(struct arena *arena, const struct geo_area *area);
/* A GeoJSON FeatureCollection, one feature a part; outer rings counter-clockwise (RFC 7946, 3.1.6). */
struct str geo_write_geojson(struct arena *arena, const struct geo_area *area);
/* CAP 1.2 <polygon> texts, `*count_out` of them. CAP has no holes: a polygon with holes is cut through them. */
struct str *geo_write_cap_polygons(struct arena *arena, const struct geo_area *area, size_t *count_out);
/* CAP 1.2 <circle> texts, one a disc. */
struct str *geo_write_cap_circles(struct arena *arena, const struct geo_area *area, size_t *count_out);
/* "-12.5": the shortest exact decimal of a coordinate. Appends. */
void geo_write_degrees(struct buf *buf, int32_t units);

/* --- measures ---------------------------------------------------------------------------------------------- */
/* The sum of the parts (overlaps count twice, countries not) on the sphere, in square kilometres. */
double geo_area_km2(const struct geo_area *area);
/* Boxes that together hold all polygons and discs: one, or two where the area lies on both sides of the 180th meridian
 * and the gap is smaller that way. Returns how many (0 if there are only countries). */
size_t geo_area_boxes(const struct geo_area *area, struct geo_box boxes[2]);
/* A point well inside the largest part, for a label or a time zone; false if there are only countries. */
bool geo_area_label(const struct geo_area *area, struct geo_xy *out);
/* Rectangle around a disc; where it holds a pole or crosses the 180th meridian, of all longitudes. */
struct geo_box geo_disc_box(const struct geo_disc *disc);

/* --- prepared areas: what lies where, fast ----------------------------------------------------------------- */
enum geo_part_kind { GEO_PART_NONE, GEO_PART_POLYGON, GEO_PART_DISC, GEO_PART_COUNTRY };
/* Which part of an area it was. */
struct geo_hit {
	enum geo_part_kind kind;
	int32_t part; /* polygon or disc as given, from 0; number of the country */
};
enum geo_relation { GEO_APART, GEO_MEETS, GEO_HOLDS };

/* Copies what it needs; immutable afterwards, so it may be shared between threads. Memory grows with the length of the edges,
 * bounded by about 100 MB for an area of GEO_VERTICES_MAX vertices. */
struct geo_prepared *geo_prepared_new(const struct geo_area *area);
void geo_prepared_free(struct geo_prepared *prepared);
size_t geo_prepared_bytes(const struct geo_prepared *prepared);

/* In a polygon or disc of the area? Countries are not looked at. `hit` may be NULL. */
bool geo_prepared_point(const struct geo_prepared *prepared, struct geo_xy point, struct geo_hit *hit);
/* Does the disc meet a polygon or disc of the area? */
bool geo_prepared_disc(const struct geo_prepared *prepared, const struct geo_disc *disc, struct geo_hit *hit);
/* Does a polygon or disc of one meet one of the other? `hit` names the part of `a`. */
bool geo_prepared_meets(const struct geo_prepared *a, const struct geo_prepared *b, struct geo_hit *hit);
/* GEO_HOLDS: each polygon and disc of `inner` lies wholly in one part of `outer`. `hit` names a part of `outer`. */
enum geo_relation geo_prepared_relation(const struct geo_prepared *outer, const struct geo_prepared *inner, struct geo_hit *hit);
/* Is the country named by the area? */
bool geo_prepared_names(const struct geo_prepared *prepared, uint16_t country);
/* The named countries, ascending. */
const uint16_t *geo_prepared_countries(const struct geo_prepared *prepared, size_t *count_out);

/* For indexes that hold blocks of points: the polygons and discs as numbered pieces. */
/* Numbers of the pieces whose boxes meet `box`, at most `most` are written to `out`; returns how many there are. */
size_t geo_prepared_pieces(const struct geo_prepared *prepared, struct geo_box box, uint32_t *out, size_t most);
size_t geo_prepared_piece_count(const struct geo_prepared *prepared);
struct geo_hit geo_piece_hit(const struct geo_prepared *prepared, uint32_t piece);
/* GEO_HOLDS: all of the box is in the piece; GEO_APART: nothing of it; GEO_MEETS: not known. */
enum geo_relation geo_piece_box(const struct geo_prepared *prepared, uint32_t piece, struct geo_box box);
/* Of the points x[i], y[i] with bit i in `mask` (64 at most): the bits of those in the piece. A point on the 180th meridian
 * or at a pole is right only by geo_prepared_point. */
uint64_t geo_piece_points(const struct geo_prepared *prepared, uint32_t piece, const int32_t *x, const int32_t *y, uint64_t mask);
bool geo_piece_disc(const struct geo_prepared *prepared, uint32_t piece, const struct geo_disc *disc);

/* --- outlines of countries --------------------------------------------------------------------------------- */
/* Owned by whoever fills it (core/places); read-only afterwards, so it may be shared between threads. */
struct geo_outlines {
	struct geo_prepared *of[GEO_COUNTRIES]; /* by country number; NULL where there is none */
};
void geo_outlines_init(struct geo_outlines *outlines);
void geo_outlines_release(struct geo_outlines *outlines);
/* Sets the outline of a country (replacing an earlier one); the area is copied. */
void geo_outlines_set(struct geo_outlines *outlines, uint16_t country, const struct geo_area *area);
/* The country a point lies in; on a border the lowest number. 0 if none. */
uint16_t geo_outlines_at(const struct geo_outlines *outlines, struct geo_xy point);
/* The country that is nearest within `most_m` metres, for points off a coarse coast; 0 if none. */
uint16_t geo_outlines_near(const struct geo_outlines *outlines, struct geo_xy point, double most_m);

#endif
