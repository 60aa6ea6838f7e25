#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/geo/geo.h"

static struct arena arena;
static struct geo_report report;

/* cmocka's comparison is of single precision. */
static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.9f is not %.9f", got, want);
}

static struct geo_xy at(double longitude, double latitude)
{
	struct geo_xy point;
	assert_true(geo_xy_from(longitude, latitude, &point));
	return point;
}

/* Reads what must be accepted. */
static struct geo_area area_of(const char *text)
{
	struct geo_area area;
	geo_report_init(&report);
	enum rc rc = geo_read(&arena, str_from(text), NULL, &area, &report);
	if (rc != OK)
		fail_msg("%s: %s", text, geo_code_name(report.findings[report.count - 1].code));
	assert_false(report.refused);
	return area;
}

/* Reads what must be refused, and returns why. */
static const struct geo_finding *refusal_of(const char *text)
{
	struct geo_area area;
	geo_report_init(&report);
	assert_int_equal(geo_read(&arena, str_from(text), NULL, &area, &report), INVALID);
	assert_true(report.refused);
	assert_true(report.count > 0);
	return &report.findings[report.count - 1];
}

static bool holds(const char *text, double longitude, double latitude)
{
	struct geo_area area = area_of(text);
	struct geo_prepared *prepared = geo_prepared_new(&area);
	bool result = geo_prepared_point(prepared, at(longitude, latitude), NULL);
	geo_prepared_free(prepared);
	return result;
}

static bool disc_meets(const char *text, double longitude, double latitude, double radius_m)
{
	struct geo_area area = area_of(text);
	struct geo_prepared *prepared = geo_prepared_new(&area);
	struct geo_disc disc = { at(longitude, latitude), radius_m };
	bool result = geo_prepared_disc(prepared, &disc, NULL);
	geo_prepared_free(prepared);
	return result;
}

/* --- points, countries, distances --------------------------------------------------------------------------- */
static void test_points(void **unused)
{
	struct geo_xy point = { 1, 2 };
	(void)unused;
	assert_true(geo_xy_from(-180, -90, &point));
	assert_int_equal(point.x, -GEO_X_MAX);
	assert_int_equal(point.y, -GEO_Y_MAX);
	assert_true(geo_xy_from(190, 0.00000005, &point));
	assert_int_equal(point.x, -170 * GEO_UNITS);
	assert_int_equal(point.y, 1);
	point = (struct geo_xy){ 1, 2 };
	assert_false(geo_xy_from(0, 90.0000001, &point));
	assert_false(geo_xy_from(361, 0, &point));
	assert_false(geo_xy_from(NAN, 0, &point));
	assert_false(geo_xy_from(0, NAN, &point));
	assert_int_equal(point.x, 1);
	assert_int_equal(point.y, 2);
}

static void test_countries(void **unused)
{
	(void)unused;
	assert_int_equal(geo_country(S("AA")), 1);
	assert_int_equal(geo_country(S("zz")), 676);
	assert_int_equal(geo_country(S("T1")), 0);
	assert_int_equal(geo_country(S("TUN")), 0);
	assert_int_equal(geo_country(STR_NONE), 0);
	for (uint16_t i = 1; i < GEO_COUNTRIES; i++)
		assert_int_equal(geo_country(geo_country_code(i)), i);
	assert_int_equal(geo_country_code(0).len, 0);
	assert_int_equal(geo_country_code(GEO_COUNTRIES).len, 0);
}

static void test_distances(void **unused)
{
	(void)unused;
	/* A degree of latitude is 2 pi R / 360 = 111,195.08 m. */
	assert_near(geo_distance(at(5, 10), at(5, 11)), 111195.08, 0.01);
	/* A degree of longitude at 60 degrees: a chord over the parallel, a little less than half of that. */
	assert_near(geo_distance(at(0, 60), at(1, 60)), 55597.0, 2);
	assert_near(geo_distance(at(-180, 0), at(180, 0)), 0, 1e-6);
	assert_near(geo_distance(at(0, 0), at(180, 0)), M_PI * GEO_EARTH_RADIUS_M, 0.01);
	assert_near(geo_distance(at(17, 90), at(-120, 90)), 0, 1e-6);
}

/* --- points in areas ----------------------------------------------------------------------------------------- */
#define SQUARE "10,10 10,20 20,20 20,10 10,10"

static void test_touching_counts(void **unused)
{
	(void)unused;
	assert_true(holds(SQUARE, 15, 15));
	assert_true(holds(SQUARE, 10, 10));
	assert_true(holds(SQUARE, 20, 20));
	assert_true(holds(SQUARE, 10, 13.7));
	assert_true(holds(SQUARE, 13.7, 20));
	assert_false(holds(SQUARE, 9.9999999, 13.7));
	assert_false(holds(SQUARE, 13.7, 20.0000001));
	/* A slanting edge: (0,0) to (10,30) passes through (1,3) and not through (1,3.0000001). */
	assert_true(holds("0,0 30,10 0,10 0,0", 1, 3));
	assert_false(holds("0,0 30,10 0,10 0,0", 1, 3.0000001));
}

#define WITH_HOLE                                                                            \
	"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[30,0],[30,30],[0,30],[0,0]]," \
	"[[10,10],[10,20],[20,20],[20,10],[10,10]]]}"

static void test_holes(void **unused)
{
	(void)unused;
	assert_true(holds(WITH_HOLE, 5, 5));
	assert_false(holds(WITH_HOLE, 15, 15));
	assert_true(holds(WITH_HOLE, 10, 15)); /* the rim of the hole touches */
	assert_false(disc_meets(WITH_HOLE, 15, 15, 500000)); /* 5 degrees: 537 km along the parallel, 556 north */
	assert_true(disc_meets(WITH_HOLE, 15, 15, 540000));
}

static void test_meridian(void **unused)
{
	static const char *const same[] = { "-5,170 -5,-170 5,-170 5,170 -5,170", "-5,170 -5,190 5,190 5,170 -5,170",
		                            "-5,-190 -5,-170 5,-170 5,-190 -5,-190" };
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		assert_true(holds(same[i], 175, 0));
		assert_true(holds(same[i], -175, 0));
		assert_true(holds(same[i], 180, 0));
		assert_true(holds(same[i], -180, 5));
		assert_false(holds(same[i], 0, 0));
		assert_false(holds(same[i], -180, 5.0000001));
		assert_false(holds(same[i], 169.9999999, 0));
		assert_false(holds(same[i], -169.9999999, 0));
		struct geo_area area = area_of(same[i]);
		assert_non_null(geo_report_find(&report, GEO_SPLIT));
		assert_int_equal(area.polygon_count, 2);
		assert_int_equal(area.polygons[0].part, 0);
		assert_int_equal(area.polygons[1].part, 0);
		assert_int_equal(area.polygons[0].box.x0, 170 * GEO_UNITS);
		assert_int_equal(area.polygons[0].box.x1, GEO_X_MAX);
		assert_int_equal(area.polygons[1].box.x0, -GEO_X_MAX);
		assert_int_equal(area.polygons[1].box.x1, -170 * GEO_UNITS);
	}
	/* What ends at the meridian touches it from both sides. */
	assert_true(holds("0,170 0,180 10,180 10,170 0,170", -180, 5));
	/* A slanting edge crosses at half its height. */
	assert_true(holds("0,179 10,-179 0,-179 0,179", 180, 5));
	assert_false(holds("0,179 10,-179 0,-179 0,179", 180, 5.0000001));
}

static void test_meridian_cut_in_many(void **unused)
{
	/* A comb whose teeth reach over the meridian: four pieces there, one here; and one with a hole on the line. */
	struct geo_area area = area_of("0,170 0,185 1,185 1,175 2,175 2,185 3,185 3,175 4,175 4,185 5,185 5,175 6,175 6,185 7,185 7,170 0,170");
	assert_int_equal(area.polygon_count, 5);
	(void)unused;
	area = area_of("{\"type\":\"Polygon\",\"coordinates\":[[[170,0],[190,0],[190,30],[170,30],[170,0]],"
		       "[[-182,10],[-178,10],[-178,20],[-182,20],[-182,10]]]}");
	assert_int_equal(area.polygon_count, 2);
	assert_int_equal(area.polygons[0].ring_count, 1);
	struct geo_prepared *prepared = geo_prepared_new(&area);
	assert_false(geo_prepared_point(prepared, at(180, 15), NULL));
	assert_false(geo_prepared_point(prepared, at(-179, 15), NULL));
	assert_true(geo_prepared_point(prepared, at(178, 15), NULL));
	assert_true(geo_prepared_point(prepared, at(180, 10), NULL));
	assert_true(geo_prepared_point(prepared, at(180, 9), NULL));
	geo_prepared_free(prepared);
}

#define CAP_NORTH "70,-120 70,0 70,120 70,-120"
#define ANTARCTIC "-60,-180 -60,-90 -60,0 -60,90 -60,180 -90,180 -90,-180 -60,-180"

static void test_poles(void **unused)
{
	(void)unused;
	/* A ring around the pole holds the pole. */
	assert_true(holds(CAP_NORTH, 33, 90));
	assert_non_null(geo_report_find(&report, GEO_AROUND_POLE));
	assert_true(holds(CAP_NORTH, 180, 80));
	assert_true(holds(CAP_NORTH, 60, 70));
	assert_false(holds(CAP_NORTH, 60, 69.9999999));
	/* The same in the south as maps draw it, along the rim. */
	assert_true(holds(ANTARCTIC, -77, -90));
	assert_null(geo_report_find(&report, GEO_AROUND_POLE));
	assert_true(holds(ANTARCTIC, 180, -75));
	assert_true(holds(ANTARCTIC, 12, -60));
	assert_false(holds(ANTARCTIC, 12, -59));
	/* A slice that reaches the pole touches it, and it is one point whatever its longitude. */
	assert_true(holds("80,0 90,0 90,10 80,10 80,0", 170, 90));
	assert_false(holds("80,0 89,0 89,10 80,10 80,0", 170, 90));
	/* A disc beyond the pole reaches over it: its centre is 1 degree from the pole, 175 degrees of longitude from either corner. */
	double over = 2 * GEO_EARTH_RADIUS_M * asin(cos(89 * M_PI / 180) * sin(87.5 * M_PI / 180));
	assert_true(disc_meets("80,0 89,0 89,10 80,10 80,0", -175, 89, over + 1));
	assert_false(disc_meets("80,0 89,0 89,10 80,10 80,0", -175, 89, over - 1));
	assert_true(disc_meets(ANTARCTIC, 0, -59, 111196));
	assert_false(disc_meets(ANTARCTIC, 0, -59, 111193));
}

static void test_discs(void **unused)
{
	(void)unused;
	assert_true(disc_meets(SQUARE, 9, 20, 104500)); /* to the corner (10,20): 104,488 m */
	assert_false(disc_meets(SQUARE, 9, 20, 104480));
	assert_true(disc_meets(SQUARE, 15, 15, 0));
	assert_true(disc_meets(SQUARE, 10, 15, 0));
	assert_false(disc_meets(SQUARE, 9.9999999, 15, 0));
	assert_true(disc_meets(SQUARE, 0, 0, 5000000)); /* holds all of it */
	assert_true(disc_meets(SQUARE, -165, -15, GEO_RADIUS_MAX_M)); /* all the earth */
	/* Over the 180th meridian: 1 degree at the equator. */
	assert_true(disc_meets("-5,170 -5,179.5 5,179.5 5,170 -5,170", -179.5, 0, 111196));
	assert_false(disc_meets("-5,170 -5,179.5 5,179.5 5,170 -5,170", -179.5, 0, 111194));
	/* Straight in longitude and latitude, not along the great circle: the parallel of 60 from 0 to 90 bulges south of it, so
	 * a disc on the great circle's summit (45, 67.79) is 8 degrees away. */
	assert_false(disc_meets("50,0 60,0 60,90 50,90 50,0", 45, 67.79, 800000));
	assert_true(disc_meets("50,0 60,0 60,90 50,90 50,0", 45, 67.79, 900000));
}

static void test_areas_of_discs(void **unused)
{
	struct geo_area area;
	struct geo_disc disc = { { 0, 0 }, 100000 };
	struct geo_hit hit;
	(void)unused;
	geo_report_init(&report);
	assert_int_equal(geo_read_cap_circle(&arena, S("32.9,-16.9 25.5"), &area, &report), OK);
	assert_near(area.discs[0].radius_m, 25500, 0);
	assert_int_equal(geo_area_add_disc(&arena, &area, 179.9, 0, 50000, &report), OK);
	struct geo_prepared *prepared = geo_prepared_new(&area);
	assert_true(geo_prepared_point(prepared, at(-16.9, 32.9), &hit));
	assert_int_equal(hit.kind, GEO_PART_DISC);
	assert_int_equal(hit.part, 0);
	assert_true(geo_prepared_point(prepared, at(-179.9, 0), &hit)); /* 22.2 km over the meridian */
	assert_int_equal(hit.part, 1);
	assert_false(geo_prepared_point(prepared, at(-179.6, 0), &hit)); /* 55.6 km */
	disc.centre = at(-179, 0); /* 122.3 km */
	assert_true(geo_prepared_disc(prepared, &disc, NULL));
	disc.radius_m = 72000;
	assert_false(geo_prepared_disc(prepared, &disc, NULL));
	geo_prepared_free(prepared);
}

static enum geo_relation relation(const char *outer, const char *inner)
{
	struct geo_area a = area_of(outer), b = area_of(inner);
	struct geo_prepared *prepared_a = geo_prepared_new(&a), *prepared_b = geo_prepared_new(&b);
	enum geo_relation result = geo_prepared_relation(prepared_a, prepared_b, NULL);
	assert_int_equal(geo_prepared_meets(prepared_a, prepared_b, NULL), result != GEO_APART);
	assert_int_equal(geo_prepared_meets(prepared_b, prepared_a, NULL), result != GEO_APART);
	geo_prepared_free(prepared_a);
	geo_prepared_free(prepared_b);
	return result;
}

#define DISC(longitude, latitude, radius) "{\"type\":\"Disc\",\"coordinates\":[" #longitude "," #latitude "],\"radius\":" #radius "}"

static void test_relations(void **unused)
{
	(void)unused;
	assert_int_equal(relation(SQUARE, SQUARE), GEO_HOLDS);
	assert_int_equal(relation(SQUARE, "12,12 12,13 13,13 12,12"), GEO_HOLDS);
	assert_int_equal(relation("12,12 12,13 13,13 12,12", SQUARE), GEO_MEETS);
	assert_int_equal(relation(SQUARE, "20,20 30,20 30,30 20,20"), GEO_MEETS); /* a corner touches */
	assert_int_equal(relation(SQUARE, "20.0000001,20 30,20 30,30 20.0000001,20"), GEO_APART);
	/* A country that fills a hole (as Lesotho does) is met at its border, not held. */
	assert_int_equal(relation(WITH_HOLE, "10,10 10,20 20,20 20,10 10,10"), GEO_MEETS);
	assert_int_equal(relation(WITH_HOLE, "11,11 11,19 19,19 11,11"), GEO_APART);
	assert_int_equal(relation(WITH_HOLE, "5,5 5,25 25,25 25,5 5,5"), GEO_MEETS);
	/* Both pieces of one that crosses the meridian. */
	assert_int_equal(relation("-10,160 -10,200 10,200 10,160 -10,160", "-5,175 -5,185 5,185 5,175 -5,175"), GEO_HOLDS);
	assert_int_equal(relation("-10,160 -10,180 10,180 10,160 -10,160", "-5,175 -5,185 5,185 5,175 -5,175"), GEO_MEETS);
	/* Sides of the meridian that touch, and that miss each other. */
	assert_int_equal(relation("0,170 0,180 10,180 10,170 0,170", "10,-180 20,-180 20,-170 10,-170 10,-180"), GEO_MEETS);
	assert_int_equal(relation("0,170 0,180 10,180 10,170 0,170", "10.1,-180 20,-180 20,-170 10.1,-170 10.1,-180"), GEO_APART);
	/* Discs: the far corner of the square is 783 km from its middle. */
	assert_int_equal(relation(DISC(15, 15, 790000), SQUARE), GEO_HOLDS);
	assert_int_equal(relation(DISC(15, 15, 770000), SQUARE), GEO_MEETS);
	assert_int_equal(relation(SQUARE, DISC(15, 15, 500000)), GEO_HOLDS);
	assert_int_equal(relation(SQUARE, DISC(15, 15, 560000)), GEO_MEETS);
	assert_int_equal(relation(SQUARE, DISC(0, 0, 500000)), GEO_APART);
	assert_int_equal(relation(DISC(0, 0, 500000), DISC(1, 0, 380000)), GEO_HOLDS);
	assert_int_equal(relation(DISC(0, 0, 500000), DISC(1, 0, 390000)), GEO_MEETS);
	assert_int_equal(relation(DISC(0, 0, 500000), DISC(10, 0, 600000)), GEO_APART);
}

/* Many parts: the search by groups finds each of them. */
static void test_many_parts(void **unused)
{
	struct geo_area area;
	geo_area_init(&area);
	geo_report_init(&report);
	(void)unused;
	for (int i = 0; i < 2000; i++) {
		double west = -179 + i % 50 * 7, south = -80 + i / 50 * 4;
		struct geo_point corners[] = { { west, south }, { west + 3, south }, { west + 3, south + 2 }, { west, south } };
		struct geo_line line = { corners, 4, NULL };
		assert_int_equal(geo_area_add_polygon(&arena, &area, &line, 1, NULL, &report), OK);
	}
	struct geo_prepared *prepared = geo_prepared_new(&area);
	for (int i = 0; i < 2000; i++) {
		struct geo_hit hit;
		double west = -179 + i % 50 * 7, south = -80 + i / 50 * 4;
		assert_true(geo_prepared_point(prepared, at(west + 2, south + 1), &hit));
		assert_int_equal(hit.part, i);
		assert_false(geo_prepared_point(prepared, at(west + 1, south + 1.5), NULL));
		assert_false(geo_prepared_point(prepared, at(west + 3.5, south + 1), NULL));
	}
	geo_prepared_free(prepared);
}

/* --- reading ------------------------------------------------------------------------------------------------- */
static void test_coordinates_read(void **unused)
{
	(void)unused;
	struct geo_area area = area_of("10,10 10,20\n20,20\n20,10");
	assert_non_null(geo_report_find(&report, GEO_CLOSED));
	assert_int_equal(area.polygon_count, 1);
	assert_int_equal(area.vertex_count, 4);
	area = area_of("\xef\xbb\xbf  10.5\t-10.25 \r\n 10.5 ; 20 \r\n+20,20\r\n20,20\r\n10.5 -10.25\r\n");
	assert_null(geo_report_find(&report, GEO_CLOSED));
	assert_int_equal(geo_report_find(&report, GEO_DUPLICATES_REMOVED)->number, 1);
	assert_int_equal(area.polygons[0].box.x0, -102500000);
	/* An empty line begins the next polygon. */
	area = area_of("0,0 0,1 1,1 0,0\n\n5,5 5,6 6,6 5,5");
	assert_int_equal(area.polygon_count, 2);
	assert_int_equal(area.polygons[1].part, 1);
	/* Persian digits, Arabic decimal point, typographic minus. */
	area = area_of("\u06f1\u06f0\u066b\u06f5,\u2212\u06f1\u06f0 10.5,20 20,20 10.5,-10");
	assert_int_equal(area.polygons[0].box.y0, 105000000);
	assert_int_equal(area.polygons[0].box.x0, -100000000);
}

static void assert_refused_at(const char *text, enum geo_code code, size_t line, size_t column)
{
	const struct geo_finding *finding = refusal_of(text);
	assert_string_equal(geo_code_name(finding->code), geo_code_name(code));
	if (line)
		assert_int_equal(finding->line, line);
	if (column)
		assert_int_equal(finding->column, column);
}

static void test_coordinates_refused(void **unused)
{
	(void)unused;
	assert_refused_at("", GEO_EMPTY, 0, 0);
	assert_refused_at(" \n\n , ", GEO_EMPTY, 0, 0);
	assert_refused_at("10,10 10,20 north,20", GEO_BAD_TEXT, 1, 13);
	assert_refused_at("10,10\n10,20\n20,2x0\n", GEO_BAD_TEXT, 3, 5);
	assert_refused_at("10,10\n10,20\n20,2..0\n", GEO_BAD_TEXT, 3, 4);
	assert_refused_at("10,10 10-20 20,20", GEO_BAD_TEXT, 1, 7);
	assert_refused_at("10,10 10,20 20", GEO_ODD_NUMBERS, 1, 13);
	assert_refused_at("10,10 10,20 20,20\n10\n\n1,1 1,2 2,2", GEO_ODD_NUMBERS, 2, 1);
	assert_refused_at("10,10 10,20 10,10", GEO_TOO_FEW_POINTS, 1, 0);
	assert_refused_at("10,10 10,20", GEO_TOO_FEW_POINTS, 0, 0);
	assert_refused_at("10,10 11,11 12,12 10,10", GEO_NO_WIDTH, 0, 0);
	assert_refused_at("10,10\n20,400\n91,20", GEO_LATITUDE_RANGE, 3, 0);
	assert_refused_at("10,10 20,361 30,20", GEO_LONGITUDE_RANGE, 0, 0);
	assert_refused_at("100,10 120,10 120,20", GEO_SWAPPED, 1, 0);
	assert_refused_at("0,-200 0,170 10,170 10,-200 0,-200", GEO_TOO_WIDE, 0, 0);
	assert_refused_at("1111111111111111111111111111111111111111,1 1,1 1,1", GEO_BAD_TEXT, 1, 1);
}

static void test_crossings_found(void **unused)
{
	(void)unused;
	/* A bow tie crosses in its middle: between the 1st and 2nd, and the 3rd and 4th point. */
	const struct geo_finding *finding = refusal_of("0,0 10,10 10,0 0,10 0,0");
	assert_int_equal(finding->code, GEO_SELF_CROSSING);
	assert_near(finding->longitude, 5, 1e-9);
	assert_near(finding->latitude, 5, 1e-9);
	assert_true((finding->vertex == 0 && finding->other == 2) || (finding->vertex == 2 && finding->other == 0));
	/* Over the meridian too. */
	finding = refusal_of("0,175 10,-175 10,175 0,-175 0,175");
	assert_int_equal(finding->code, GEO_SELF_CROSSING);
	assert_near(fabs(finding->longitude), 180, 1e-9);
	/* Through a corner: the way from (0,0) leaves through the corner (5,5) of another part of the ring. */
	assert_int_equal(refusal_of("0,0 10,10 10,5 5,5 5,0 0,5 0,0")->code, GEO_SELF_CROSSING);
	/* A corner that only touches an edge is said, and taken. */
	area_of("0,0 0,10 10,10 5,5 10,0 0,0");
	assert_null(geo_report_find(&report, GEO_SELF_TOUCHING));
	area_of("0,0 0,10 10,10 0,5 10,0 0,0");
	assert_non_null(geo_report_find(&report, GEO_SELF_TOUCHING));
	/* A hole that crosses the outer ring, and one that lies outside. */
	assert_int_equal(refusal_of("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[5,5],[12,5],[12,6],[5,5]]]}")->code,
	                 GEO_SELF_CROSSING);
	area_of("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[15,5],[12,5],[12,6],[15,5]]]}");
	assert_non_null(geo_report_find(&report, GEO_HOLE_OUTSIDE));
	/* A feed's crossing ring is kept: the middle of a pentagram is surrounded twice and so outside. */
	struct geo_reading reading = { .keep_crossing = true };
	struct geo_area area;
	geo_report_init(&report);
	assert_int_equal(geo_read(&arena, S("10,0 -8,6 3,-10 3,10 -8,-6 10,0"), &reading, &area, &report), OK);
	assert_non_null(geo_report_find(&report, GEO_CROSSING_KEPT));
	struct geo_prepared *prepared = geo_prepared_new(&area);
	assert_false(geo_prepared_point(prepared, at(0, 0), NULL));
	assert_true(geo_prepared_point(prepared, at(0, 8), NULL));
	geo_prepared_free(prepared);
}

static void test_too_large(void **unused)
{
	(void)unused;
	area_of("-90,-180 -90,180 90,180 90,-180 -90,-180");
	assert_non_null(geo_report_find(&report, GEO_WHOLE_WORLD));
	assert_true(holds("-90,-180 -90,180 90,180 90,-180 -90,-180", 12, 34));
	area_of("-30,-180 -30,180 90,180 90,-180 -30,-180");
	assert_int_equal(geo_report_find(&report, GEO_HEMISPHERE)->number, 75); /* percent: (1 + sin 30) / 2 */
	area_of("0.5,-180 0.5,180 90,180 90,-180 0.5,-180");
	assert_null(geo_report_find(&report, GEO_HEMISPHERE));
}

static void test_expected_place(void **unused)
{
	struct geo_area expected = area_of("45,0 45,5 50,5 50,0 45,0"), area;
	struct geo_reading reading = { .expected = geo_prepared_new(&expected) };
	(void)unused;
	geo_report_init(&report);
	assert_int_equal(geo_read(&arena, S("48,2 48,3 49,3 48,2"), &reading, &area, &report), OK);
	assert_null(geo_report_find(&report, GEO_LOOKS_SWAPPED));
	assert_int_equal(geo_read(&arena, S("2,48 3,48 3,49 2,48"), &reading, &area, &report), OK);
	assert_non_null(geo_report_find(&report, GEO_LOOKS_SWAPPED));
	geo_report_init(&report);
	assert_int_equal(geo_read(&arena, S("12,48 13,48 13,49 12,48"), &reading, &area, &report), OK);
	assert_null(geo_report_find(&report, GEO_LOOKS_SWAPPED));
	geo_prepared_free((struct geo_prepared *)reading.expected);
}

static void test_geojson_read(void **unused)
{
	(void)unused;
	struct geo_area area = area_of("{\"type\":\"FeatureCollection\",\"features\":["
		"{\"type\":\"Feature\",\"properties\":null,\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":"
		"[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5,100],[6,5,100],[6,6,100],[5,5,100]]]]}},"
		"{\"type\":\"Feature\",\"properties\":{\"radius\":1234.5},\"geometry\":{\"type\":\"Point\",\"coordinates\":[7,8]}},"
		"{\"type\":\"Feature\",\"properties\":{\"country\":\"tn\"},\"geometry\":null},"
		"{\"type\":\"Feature\",\"properties\":{},\"geometry\":null},"
		"{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":\"GeometryCollection\",\"geometries\":["
		"{\"type\":\"Disc\",\"coordinates\":[1,2],\"radius\":3}]}}]}");
	assert_int_equal(area.polygon_count, 2);
	assert_int_equal(area.disc_count, 2);
	assert_near(area.discs[0].radius_m, 1234.5, 0);
	assert_int_equal(area.discs[0].centre.x, 7 * GEO_UNITS);
	assert_int_equal(area.country_count, 1);
	assert_int_equal(area.countries[0], geo_country(S("TN")));
	assert_refused_at("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]", GEO_BAD_JSON, 1, 0);
	assert_refused_at("{\"type\":\"Point\",\"coordinates\":[7,8]}", GEO_BAD_TYPE, 0, 0);
	assert_refused_at("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,\"0\"],[1,1],[0,0]]]}", GEO_BAD_POSITION, 0, 0);
	assert_refused_at("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1],[1,1],[0,0]]]}", GEO_BAD_POSITION, 0, 0);
	assert_refused_at("{\"type\":\"Polygon\",\"coordinates\":[[0,0],[1,0],[1,1],[0,0]]}", GEO_BAD_POSITION, 0, 0);
	assert_refused_at("{\"type\":\"Polygon\",\"coordinates\":[]}", GEO_EMPTY, 0, 0);
	assert_refused_at("{\"type\":\"Polygon\"}", GEO_BAD_POSITION, 0, 0);
	assert_refused_at("{\"type\":\"FeatureCollection\",\"features\":[]}", GEO_EMPTY, 0, 0);
	assert_refused_at("{\"type\":\"Disc\",\"coordinates\":[1,2],\"radius\":-1}", GEO_BAD_RADIUS, 0, 0);
	assert_refused_at("{\"type\":\"Disc\",\"coordinates\":[1,2],\"radius\":20037509}", GEO_BAD_RADIUS, 0, 0);
	assert_refused_at("{\"type\":\"Disc\",\"coordinates\":[1,2]}", GEO_BAD_RADIUS, 0, 0);
	assert_refused_at("{\"countries\":[\"T\"]}", GEO_BAD_COUNTRY, 0, 0);
	assert_refused_at("{\"type\":\"Polygon\",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:EPSG::3857\"}},"
		"\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]}", GEO_BAD_REFERENCE, 0, 0);
	assert_refused_at("{}", GEO_EMPTY, 0, 0);
}

static char *ring_of(size_t count, bool crossing)
{
	struct buf buf;
	buf_init(&buf);
	for (size_t i = 0; i <= count; i++) {
		double angle = 2 * M_PI * (double)(i % count) / (double)count, radius = i % 2 ? 20 : 19.99;
		if (crossing && (i == count / 2))
			radius = -20;
		buf_format(&buf, "%.7f,%.7f\n", radius * cos(angle), radius * sin(angle));
	}
	char *text = str_c(&arena, buf_str(&buf));
	buf_release(&buf);
	return text;
}

static void test_limits(void **unused)
{
	(void)unused;
	int64_t start = clock_monotonic();
	struct geo_area area = area_of(ring_of(GEO_VERTICES_MAX, false));
	assert_int_equal(area.vertex_count, GEO_VERTICES_MAX);
	assert_true(clock_monotonic() - start < 5 * CLOCK_SECOND); /* generous: sanitizers; measured 0.2 s */
	assert_int_equal(refusal_of(ring_of(GEO_VERTICES_MAX, true))->code, GEO_SELF_CROSSING);
	assert_int_equal(refusal_of(ring_of(GEO_VERTICES_MAX + 1, false))->code, GEO_TOO_MANY_VERTICES);
	arena_clear(&arena);
	/* The same as GeoJSON, and texts that would only cost memory. */
	struct buf buf;
	buf_init(&buf);
	buf_format(&buf, "{\"type\":\"Polygon\",\"coordinates\":[[");
	for (size_t i = 0; i < 400000; i++)
		buf_format(&buf, "[0,0],");
	buf_format(&buf, "[0,0]]]}");
	assert_int_equal(refusal_of(str_c(&arena, buf_str(&buf)))->code, GEO_TOO_MANY_VERTICES);
	buf_clear(&buf);
	for (size_t i = 0; i < 200000; i++)
		buf_format(&buf, "{\"a\":");
	assert_int_equal(refusal_of(str_c(&arena, buf_str(&buf)))->code, GEO_BAD_JSON);
	buf_release(&buf);
	struct geo_area none;
	struct str huge = { arena_alloc(&arena, GEO_TEXT_MAX + 1), GEO_TEXT_MAX + 1 };
	geo_report_init(&report);
	assert_int_equal(geo_read(&arena, huge, NULL, &none, &report), INVALID);
	assert_int_equal(report.findings[0].code, GEO_TOO_LARGE);
	arena_clear(&arena);
	/* Parts. */
	geo_area_init(&area);
	geo_report_init(&report);
	for (int i = 0; i < GEO_PARTS_MAX; i++)
		assert_int_equal(geo_area_add_disc(&arena, &area, 0, 0, 1, &report), OK);
	assert_int_equal(geo_area_add_disc(&arena, &area, 0, 0, 1, &report), INVALID);
	assert_int_equal(report.findings[0].code, GEO_TOO_MANY_PARTS);
	arena_clear(&arena);
}

static void test_report_keeps_the_error(void **unused)
{
	struct buf buf;
	(void)unused;
	buf_init(&buf);
	for (int i = 0; i < 3 * GEO_FINDINGS_MAX; i++)
		buf_format(&buf, "0,0 0,1 1,1\n\n");
	buf_format(&buf, "0,0 0,1 91,170\n");
	const struct geo_finding *last = refusal_of(str_c(&arena, buf_str(&buf)));
	assert_int_equal(last->code, GEO_LATITUDE_RANGE);
	assert_int_equal(last->polygon, 3 * GEO_FINDINGS_MAX);
	assert_int_equal(report.count, GEO_FINDINGS_MAX);
	assert_int_equal(report.dropped, 2 * GEO_FINDINGS_MAX + 1);
	buf_release(&buf);
}

/* --- writing ------------------------------------------------------------------------------------------------- */
static void assert_same_area(const struct geo_area *a, const struct geo_area *b)
{
	assert_int_equal(a->polygon_count, b->polygon_count);
	assert_int_equal(a->disc_count, b->disc_count);
	assert_int_equal(a->country_count, b->country_count);
	for (size_t p = 0; p < a->polygon_count; p++) {
		assert_int_equal(a->polygons[p].part, b->polygons[p].part);
		assert_int_equal(a->polygons[p].ring_count, b->polygons[p].ring_count);
		assert_memory_equal(&a->polygons[p].box, &b->polygons[p].box, sizeof(struct geo_box));
		for (size_t r = 0; r < a->polygons[p].ring_count; r++)
			assert_int_equal(a->polygons[p].rings[r].count, b->polygons[p].rings[r].count);
	}
	for (size_t i = 0; i < a->disc_count; i++)
		assert_memory_equal(&a->discs[i], &b->discs[i], sizeof(struct geo_disc));
	for (size_t i = 0; i < a->country_count; i++)
		assert_int_equal(a->countries[i], b->countries[i]);
	assert_near(geo_area_km2(a), geo_area_km2(b), 1e-9 * geo_area_km2(a));
}

static void test_written_and_read_again(void **unused)
{
	static const char *const texts[] = {
		SQUARE, WITH_HOLE, CAP_NORTH, ANTARCTIC, DISC(179.1234567, -0.0000001, 12345.678),
		"-5,170 -5,-170 5,-170 5,170 -5,170", "-90,-180 -90,180 90,180 90,-180 -90,-180",
		"0,-170 0,100 10,100 10,-170 0,-170", "70,10 70,130 75,-110 70,10",
		"{\"countries\":[\"TN\",\"DZ\"],\"discs\":[{\"lat\":1,\"lon\":2,\"radius\":3}],\"polygons\":[[[[0,0],[1,0],[1,1],[0,0]]]]}",
	};
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct geo_area area = area_of(texts[i]);
		struct str stored = geo_write_area(&arena, &area);
		struct geo_area again = area_of(stored.ptr);
		assert_same_area(&area, &again);
		assert_string_equal(geo_write_area(&arena, &again).ptr, stored.ptr);
		again = area_of(geo_write_geojson(&arena, &area).ptr);
		assert_near(geo_area_km2(&area), geo_area_km2(&again), 1e-6);
		assert_int_equal(again.polygon_count, area.polygon_count);
	}
	struct geo_area area = area_of(texts[COUNT_OF(texts) - 1]);
	assert_string_equal(geo_write_area(&arena, &area).ptr,
	                    "{\"countries\":[\"DZ\",\"TN\"],\"discs\":[{\"lat\":1,\"lon\":2,\"radius\":3}],\"polygons\":[[[[0,0],[1,0],[1,1],[0,0]]]]}");
}

static void test_degrees_written(void **unused)
{
	static const struct {
		int32_t units;
		const char *text;
	} cases[] = { { 0, "0" }, { 1, "0.0000001" }, { -1, "-0.0000001" }, { 125000000, "12.5" }, { -GEO_X_MAX, "-180" }, { 1234567890, "123.456789" } };
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf buf;
		buf_init(&buf);
		geo_write_degrees(&buf, cases[i].units);
		assert_string_equal(str_c(&arena, buf_str(&buf)), cases[i].text);
		buf_release(&buf);
	}
}

static void test_cap_written(void **unused)
{
	size_t count;
	(void)unused;
	struct geo_area area = area_of(SQUARE);
	struct str *texts = geo_write_cap_polygons(&arena, &area, &count);
	assert_int_equal(count, 1);
	assert_string_equal(texts[0].ptr, SQUARE);
	/* A hole is cut through: the pieces together are the same area, point for point. */
	area = area_of(WITH_HOLE);
	struct geo_prepared *whole = geo_prepared_new(&area);
	texts = geo_write_cap_polygons(&arena, &area, &count);
	assert_int_equal(count, 2);
	struct str joined = str_format(&arena, "%s\n\n%s", texts[0].ptr, texts[1].ptr);
	struct geo_area pieces = area_of(joined.ptr);
	assert_near(geo_area_km2(&pieces), geo_area_km2(&area), 1e-3);
	struct geo_prepared *cut = geo_prepared_new(&pieces);
	for (int x = -1; x <= 31; x++)
		for (int y = -1; y <= 31; y++)
			assert_int_equal(geo_prepared_point(whole, at(x, y), NULL), geo_prepared_point(cut, at(x, y), NULL));
	geo_prepared_free(whole);
	geo_prepared_free(cut);
	area = area_of(DISC(-16.9, 32.9, 25500));
	texts = geo_write_cap_circles(&arena, &area, &count);
	assert_int_equal(count, 1);
	assert_string_equal(texts[0].ptr, "32.9,-16.9 25.5");
	struct geo_area none;
	geo_report_init(&report);
	assert_int_equal(geo_read_cap_circle(&arena, S("32.9,-16.9"), &none, &report), INVALID);
	assert_int_equal(geo_read_cap_circle(&arena, S("32.9,-16.9 1 2"), &none, &report), INVALID);
	assert_int_equal(geo_read_cap_circle(&arena, S("32.9,-16.9 -1"), &none, &report), INVALID);
	assert_int_equal(geo_read_cap_circle(&arena, S("132.9,16.9 1"), &none, &report), INVALID);
	assert_int_equal(report.findings[3].code, GEO_SWAPPED);
}

/* --- measures ------------------------------------------------------------------------------------------------- */
static void test_measures(void **unused)
{
	struct geo_xy label;
	struct geo_box boxes[2];
	double sphere = 4 * M_PI * GEO_EARTH_RADIUS_M * GEO_EARTH_RADIUS_M / 1e6;
	(void)unused;
	struct geo_area area = area_of("0,0 0,90 90,90 90,0 0,0");
	assert_near(geo_area_km2(&area), sphere / 8, 1);
	area = area_of("-90,-180 -90,180 90,180 90,-180 -90,-180");
	assert_near(geo_area_km2(&area), sphere, 1);
	area = area_of(CAP_NORTH);
	assert_near(geo_area_km2(&area), sphere * (1 - sin(70 * M_PI / 180)) / 2, 1);
	area = area_of(DISC(0, 0, 1000));
	assert_near(geo_area_km2(&area), M_PI, 0.001);
	area = area_of("-5,170 -5,-170 5,-170 5,170 -5,170");
	assert_near(geo_area_km2(&area), sphere * 20 / 360 * sin(5 * M_PI / 180), 1);
	assert_int_equal(geo_area_boxes(&area, boxes), 2);
	assert_int_equal(boxes[0].x0, 170 * GEO_UNITS);
	assert_int_equal(boxes[1].x1, -170 * GEO_UNITS);
	area = area_of(SQUARE "\n\n0,-10 0,-5 5,-5 0,-10");
	assert_int_equal(geo_area_boxes(&area, boxes), 1);
	assert_int_equal(boxes[0].x0, -10 * GEO_UNITS);
	assert_int_equal(boxes[0].x1, 20 * GEO_UNITS);
	/* A label lies inside, even in a horseshoe whose middle does not. */
	static const char *const shapes[] = { SQUARE, WITH_HOLE, "0,0 0,30 30,30 30,28 2,28 2,2 30,2 30,0 0,0" };
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		area = area_of(shapes[i]);
		assert_true(geo_area_label(&area, &label));
		assert_true(holds(shapes[i], geo_degrees(label.x), geo_degrees(label.y)));
	}
	area = area_of("{\"countries\":[\"TN\"]}");
	assert_false(geo_area_label(&area, &label));
	assert_int_equal(geo_area_boxes(&area, boxes), 0);
}

static void test_outlines(void **unused)
{
	struct geo_outlines outlines;
	struct geo_area area = area_of("0,0 0,10 10,10 10,0 0,0");
	uint16_t tunisia = geo_country(S("TN")), libya = geo_country(S("LY"));
	(void)unused;
	geo_outlines_init(&outlines);
	geo_outlines_set(&outlines, tunisia, &area);
	area = area_of("0,10.5 0,20 10,20 10,10.5 0,10.5");
	geo_outlines_set(&outlines, libya, &area);
	assert_int_equal(geo_outlines_at(&outlines, at(5, 5)), tunisia);
	assert_int_equal(geo_outlines_at(&outlines, at(15, 5)), libya);
	assert_int_equal(geo_outlines_at(&outlines, at(10.2, 5)), 0);
	assert_int_equal(geo_outlines_near(&outlines, at(10.2, 5), 100000), tunisia); /* 22 km against 33 */
	assert_int_equal(geo_outlines_near(&outlines, at(10.3, 5), 100000), libya);
	assert_int_equal(geo_outlines_near(&outlines, at(10.2, 5), 20000), 0);
	assert_int_equal(geo_outlines_near(&outlines, at(15, 5), 20000), libya);
	geo_outlines_release(&outlines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_distances),
		cmocka_unit_test(test_touching_counts),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_meridian),
		cmocka_unit_test(test_meridian_cut_in_many),
		cmocka_unit_test(test_poles),
		cmocka_unit_test(test_discs),
		cmocka_unit_test(test_areas_of_discs),
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_many_parts),
		cmocka_unit_test(test_coordinates_read),
		cmocka_unit_test(test_coordinates_refused),
		cmocka_unit_test(test_crossings_found),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_expected_place),
		cmocka_unit_test(test_geojson_read),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_report_keeps_the_error),
		cmocka_unit_test(test_written_and_read_again),
		cmocka_unit_test(test_degrees_written),
		cmocka_unit_test(test_cap_written),
		cmocka_unit_test(test_measures),
		cmocka_unit_test(test_outlines),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
