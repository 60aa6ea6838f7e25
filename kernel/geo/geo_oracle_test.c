/* Against other truths: GEOS (exact predicates on the same whole numbers), and dense sampling for discs. */
#include <geos_c.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/geo/geo.h"

#define PAIRS 100000
#define POINTS_PER_POLYGON 250
#define TURN 360.0

static uint64_t state = 0x1234567;
static struct arena arena;

/* Repeatable numbers: a failure can be run again. */
static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static double uniform(double low, double high)
{
	return low + (high - low) * (double)(next_random() >> 11) / 9007199254740992.0;
}

static double rounded(double degrees)
{
	return round(degrees * GEO_UNITS) / GEO_UNITS;
}

static void quiet(const char *message, void *context)
{
	(void)message, (void)context;
}

/* A ring around a centre: star-shaped, spiky or smooth, so that it does not cross itself. */
static struct geo_line make_star(double longitude, double latitude, double width, double height, size_t count, double inner, bool coarse)
{
	struct geo_line line = { ARENA_NEW_ARRAY(&arena, struct geo_point, count + 1), count + 1, NULL };
	for (size_t i = 0; i < count; i++) {
		double angle = 2 * M_PI * (double)i / (double)count, radius = uniform(inner, 1);
		double x = longitude + width * radius * cos(angle), y = latitude + height * radius * sin(angle);
		/* Coarse coordinates bring points onto edges and corners. */
		line.points[i] = coarse ? (struct geo_point){ round(x), round(y) } : (struct geo_point){ rounded(x), rounded(y) };
	}
	line.points[count] = line.points[0];
	return line;
}

static GEOSGeometry *geos_ring(GEOSContextHandle_t geos, const struct geo_line *line)
{
	GEOSCoordSequence *sequence = GEOSCoordSeq_create_r(geos, (unsigned)line->count, 2);
	for (unsigned i = 0; i < line->count; i++)
		GEOSCoordSeq_setXY_r(geos, sequence, i, round(line->points[i].longitude * GEO_UNITS), round(line->points[i].latitude * GEO_UNITS));
	return GEOSGeom_createLinearRing_r(geos, sequence);
}

static GEOSGeometry *geos_polygon(GEOSContextHandle_t geos, const struct geo_line *rings, size_t count)
{
	GEOSGeometry *holes[1];
	for (size_t i = 1; i < count; i++)
		holes[i - 1] = geos_ring(geos, &rings[i]);
	return GEOSGeom_createPolygon_r(geos, geos_ring(geos, &rings[0]), holes, (unsigned)count - 1);
}

static GEOSGeometry *geos_point(GEOSContextHandle_t geos, double x, double y)
{
	return GEOSGeom_createPointFromXY_r(geos, x, y);
}

struct sample {
	struct geo_line rings[2];
	size_t ring_count;
	GEOSGeometry *geometry; /* unsplit, in units; longitudes run on */
	const GEOSPreparedGeometry *prepared_geometry;
	struct geo_area area;
	struct geo_prepared *prepared;
	double x, y, width, height;
	bool coarse;
};

static bool make_geometry(GEOSContextHandle_t geos, struct sample *sample, double inner)
{
	size_t count = 3 + next_random() % (next_random() % 8 ? 40 : 2000);
	sample->rings[0] = make_star(sample->x, sample->y, sample->width, sample->height, count, inner, sample->coarse);
	sample->ring_count = 1;
	if (next_random() % 3 == 0) {
		sample->rings[1] = make_star(sample->x, sample->y, sample->width * inner / 2, sample->height * inner / 2, 3 + next_random() % 20, 0.5,
		                             sample->coarse);
		sample->ring_count = 2;
	}
	sample->geometry = geos_polygon(geos, sample->rings, sample->ring_count);
	if (GEOSisValid_r(geos, sample->geometry) == 1)
		return true;
	GEOSGeom_destroy_r(geos, sample->geometry);
	return false;
}

/* One random polygon, often across the 180th meridian, sometimes with a hole; false if GEOS finds it invalid. */
static bool make_sample(GEOSContextHandle_t geos, struct sample *sample)
{
	bool crossing = next_random() % 3 == 0;
	sample->coarse = next_random() % 4 == 0;
	sample->width = sample->coarse ? uniform(5, 40) : uniform(0.001, 80);
	sample->height = sample->coarse ? uniform(5, 40) : uniform(0.001, 40);
	sample->x = crossing ? 180 + uniform(-1, 1) * sample->width : uniform(-180 + sample->width, 180 - sample->width);
	sample->y = uniform(-90 + sample->height, 90 - sample->height);
	return make_geometry(geos, sample, next_random() % 2 ? 0.8 : 0.2);
}

/* One near another, smaller or larger; away from the 180th meridian. */
static bool make_neighbour(GEOSContextHandle_t geos, const struct sample *of, struct sample *sample)
{
	double scale = uniform(0.02, 1.5);
	sample->coarse = of->coarse && scale > 0.5;
	sample->width = fmin(of->width * scale, 85);
	sample->height = fmin(of->height * scale, 40);
	sample->x = fmax(-179 + sample->width, fmin(179 - sample->width, of->x + uniform(-1, 1) * (of->width + sample->width) * 0.8));
	sample->y = fmax(-90 + sample->height, fmin(90 - sample->height, of->y + uniform(-1, 1) * (of->height + sample->height) * 0.8));
	return make_geometry(geos, sample, next_random() % 2 ? 0.8 : 0.2);
}

static void prepare_sample(GEOSContextHandle_t geos, struct sample *sample)
{
	struct geo_report report;
	geo_report_init(&report);
	geo_area_init(&sample->area);
	enum rc rc = geo_area_add_polygon(&arena, &sample->area, sample->rings, sample->ring_count, NULL, &report);
	if (rc != OK)
		fail_msg("GEOS calls it valid, we say %s", geo_code_name(report.findings[report.count - 1].code));
	sample->prepared = geo_prepared_new(&sample->area);
	sample->prepared_geometry = GEOSPrepare_r(geos, sample->geometry);
}

static void release_sample(GEOSContextHandle_t geos, struct sample *sample)
{
	geo_prepared_free(sample->prepared);
	GEOSPreparedGeom_destroy_r(geos, sample->prepared_geometry);
	GEOSGeom_destroy_r(geos, sample->geometry);
	arena_clear(&arena);
}

static bool geos_says(GEOSContextHandle_t geos, const struct sample *sample, double longitude, double latitude)
{
	for (int turn = -1; turn <= 1; turn++) {
		GEOSGeometry *point = geos_point(geos, round((longitude + turn * TURN) * GEO_UNITS), round(latitude * GEO_UNITS));
		int in = GEOSPreparedIntersects_r(geos, sample->prepared_geometry, point);
		GEOSGeom_destroy_r(geos, point);
		if (in == 1)
			return true;
	}
	return false;
}

/* Somewhere around the polygon; now and then just on a corner or on its row or column. */
static void pick_point(const struct sample *sample, double *longitude, double *latitude)
{
	const struct geo_line *ring = &sample->rings[next_random() % sample->ring_count];
	struct geo_point corner = ring->points[next_random() % ring->count];
	*longitude = sample->x + uniform(-1.1, 1.1) * sample->width;
	*latitude = sample->y + uniform(-1.1, 1.1) * sample->height;
	if (sample->coarse) {
		*longitude = round(*longitude);
		*latitude = round(*latitude);
	}
	if (next_random() % 16 == 0)
		*longitude = corner.longitude;
	if (next_random() % 16 == 0)
		*latitude = corner.latitude;
	*latitude = *latitude > 90 ? 90 : *latitude < -90 ? -90 : *latitude;
	while (*longitude > 180)
		*longitude -= TURN;
	while (*longitude < -180)
		*longitude += TURN;
}

static void test_points_against_geos(void **unused)
{
	GEOSContextHandle_t geos = GEOS_init_r();
	size_t pairs = 0, inside = 0, split = 0, differences = 0;
	(void)unused;
	GEOSContext_setNoticeMessageHandler_r(geos, quiet, NULL);
	while (pairs < PAIRS) {
		struct sample sample = { .ring_count = 0 };
		if (!make_sample(geos, &sample))
			continue;
		prepare_sample(geos, &sample);
		split += sample.area.polygon_count > 1;
		for (int i = 0; i < POINTS_PER_POLYGON; i++, pairs++) {
			double longitude, latitude;
			struct geo_xy point;
			pick_point(&sample, &longitude, &latitude);
			assert_true(geo_xy_from(longitude, latitude, &point));
			bool ours = geo_prepared_point(sample.prepared, point, NULL), theirs = geos_says(geos, &sample, longitude, latitude);
			inside += theirs;
			if (ours != theirs && differences++ < 5)
				print_error("polygon around %f,%f: point %.7f,%.7f is %d, GEOS says %d\n", sample.x, sample.y, longitude, latitude, ours, theirs);
		}
		release_sample(geos, &sample);
	}
	GEOS_finish_r(geos);
	print_message("%zu pairs, %zu inside, %zu polygons cut at the meridian, %zu differences\n", pairs, inside, split, differences);
	assert_int_equal(differences, 0);
	assert_in_range(inside, PAIRS / 5, PAIRS * 4 / 5);
	assert_in_range(split, 20, pairs);
}

/* By the definition, edge by edge: on an edge, or an odd number of edges to the left. */
static bool surrounded(const struct geo_line *ring, int64_t x, int64_t y)
{
	bool inside = false;
	for (size_t i = 0; i + 1 < ring->count; i++) {
		int64_t ax = llround(ring->points[i].longitude * GEO_UNITS), ay = llround(ring->points[i].latitude * GEO_UNITS);
		int64_t bx = llround(ring->points[i + 1].longitude * GEO_UNITS), by = llround(ring->points[i + 1].latitude * GEO_UNITS);
		int64_t turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
		bool in_box = x >= (ax < bx ? ax : bx) && x <= (ax < bx ? bx : ax) && y >= (ay < by ? ay : by) && y <= (ay < by ? by : ay);
		if (turn == 0 && in_box)
			return true;
		if ((ay <= y) != (by <= y) && (turn < 0) == (by > ay))
			inside = !inside;
	}
	return inside;
}

/* Polygons of a few hundred units, crossing themselves or not, asked at every unit: edges run through cells' corners all the
 * time. */
static void test_every_point_of_tiny_polygons(void **unused)
{
	size_t points = 0, differences = 0;
	struct geo_reading reading = { .keep_crossing = true };
	(void)unused;
	for (int i = 0; i < 1500; i++) {
		size_t count = 3 + next_random() % 10;
		int64_t size = next_random() % 2 ? 40 : 150;
		struct geo_line line = { ARENA_NEW_ARRAY(&arena, struct geo_point, count + 1), count + 1, NULL };
		for (size_t k = 0; k < count; k++)
			line.points[k] = (struct geo_point){ (double)(next_random() % (uint64_t)size) / GEO_UNITS, (double)(next_random() % (uint64_t)size) / GEO_UNITS };
		line.points[count] = line.points[0];
		struct geo_area area;
		struct geo_report report;
		geo_report_init(&report);
		geo_area_init(&area);
		if (geo_area_add_polygon(&arena, &area, &line, 1, &reading, &report) != OK)
			continue;
		struct geo_prepared *prepared = geo_prepared_new(&area);
		for (int64_t x = -1; x <= size; x++) {
			for (int64_t y = -1; y <= size; y++, points++) {
				bool ours = geo_prepared_point(prepared, (struct geo_xy){ (int32_t)x, (int32_t)y }, NULL);
				differences += ours != surrounded(&line, x, y);
			}
		}
		geo_prepared_free(prepared);
		arena_clear(&arena);
	}
	print_message("%zu points, %zu differences\n", points, differences);
	assert_int_equal(differences, 0);
	assert_true(points > 1000000);
}

/* Do two polygons meet, and does one hold the other? */
static void test_polygons_against_geos(void **unused)
{
	GEOSContextHandle_t geos = GEOS_init_r();
	size_t seen[3] = { 0 }, differences = 0;
	(void)unused;
	GEOSContext_setNoticeMessageHandler_r(geos, quiet, NULL);
	for (int round_number = 0; round_number < 4000; round_number++) {
		struct sample a = { .ring_count = 0 }, b = { .ring_count = 0 };
		if (!make_sample(geos, &a))
			continue;
		/* Across the meridian the pieces of the one meet the pieces of the other: points have shown that. */
		bool across = a.x + a.width >= 180 || a.x - a.width <= -180;
		if (across || !make_neighbour(geos, &a, &b)) {
			GEOSGeom_destroy_r(geos, a.geometry);
			continue;
		}
		prepare_sample(geos, &a);
		prepare_sample(geos, &b);
		bool holds = GEOSPreparedCovers_r(geos, a.prepared_geometry, b.geometry) == 1;
		bool meets = GEOSPreparedIntersects_r(geos, a.prepared_geometry, b.geometry) == 1;
		enum geo_relation theirs = holds ? GEO_HOLDS : meets ? GEO_MEETS : GEO_APART;
		enum geo_relation ours = geo_prepared_relation(a.prepared, b.prepared, NULL);
		seen[theirs]++;
		if (ours != theirs || geo_prepared_meets(b.prepared, a.prepared, NULL) != meets)
			print_error("%d, not %d: %zu\n", ours, theirs, differences++);
		geo_prepared_free(b.prepared);
		GEOSPreparedGeom_destroy_r(geos, b.prepared_geometry);
		GEOSGeom_destroy_r(geos, b.geometry);
		release_sample(geos, &a);
	}
	GEOS_finish_r(geos);
	print_message("apart %zu, meet %zu, held %zu, differences %zu\n", seen[GEO_APART], seen[GEO_MEETS], seen[GEO_HOLDS], differences);
	assert_int_equal(differences, 0);
	assert_true(seen[GEO_APART] > 50 && seen[GEO_MEETS] > 50 && seen[GEO_HOLDS] > 10);
}

/* Self-crossing: a ring is refused exactly if GEOS finds that its edges cross; touching is another matter. */
static void test_crossings_against_geos(void **unused)
{
	GEOSContextHandle_t geos = GEOS_init_r();
	size_t simple = 0, crossing = 0, touching = 0, differences = 0;
	(void)unused;
	GEOSContext_setNoticeMessageHandler_r(geos, quiet, NULL);
	for (int i = 0; i < 30000; i++) {
		size_t count = 3 + next_random() % 9;
		int grid = next_random() % 2 ? 6 : 1000000;
		struct geo_line line = { ARENA_NEW_ARRAY(&arena, struct geo_point, count + 1), count + 1, NULL };
		for (size_t k = 0; k < count; k++)
			line.points[k] = (struct geo_point){ (double)(next_random() % (uint64_t)grid) * 10 / grid, (double)(next_random() % (uint64_t)grid) * 10 / grid };
		line.points[count] = line.points[0];
		struct geo_area area;
		struct geo_report report;
		geo_report_init(&report);
		geo_area_init(&area);
		enum rc rc = geo_area_add_polygon(&arena, &area, &line, 1, NULL, &report);
		bool refused_for_crossing = geo_report_find(&report, GEO_SELF_CROSSING) != NULL;
		bool touches = geo_report_find(&report, GEO_SELF_TOUCHING) != NULL;
		GEOSGeometry *polygon = geos_polygon(geos, &line, 1);
		bool valid = GEOSisValid_r(geos, polygon) == 1;
		/* GEOS calls both crossing and touching invalid. Valid: neither (a repeated point apart). */
		if (rc == OK || refused_for_crossing)
			differences += valid ? refused_for_crossing || touches : !refused_for_crossing && !touches;
		simple += valid;
		crossing += refused_for_crossing;
		touching += touches && !refused_for_crossing;
		GEOSGeom_destroy_r(geos, polygon);
		arena_clear(&arena);
	}
	GEOS_finish_r(geos);
	print_message("simple %zu, crossing %zu, touching %zu, differences %zu\n", simple, crossing, touching, differences);
	assert_int_equal(differences, 0);
	assert_true(simple > 1000 && crossing > 1000 && touching > 100);
}

/* The smallest distance from a point to a polygon's edges, by sampling and then narrowing around the best sample. */
static double sampled_distance(const struct geo_line *ring, struct geo_xy centre)
{
	double best = INFINITY;
	for (size_t i = 0; i + 1 < ring->count; i++) {
		double low = 0, high = 1;
		for (int pass = 0; pass < 6; pass++) {
			double best_here = INFINITY, at = low, step = (high - low) / 60;
			for (int k = 0; k <= 60; k++) {
				double t = low + step * k;
				double longitude = ring->points[i].longitude + t * (ring->points[i + 1].longitude - ring->points[i].longitude);
				double latitude = ring->points[i].latitude + t * (ring->points[i + 1].latitude - ring->points[i].latitude);
				struct geo_xy point;
				assert_true(geo_xy_from(longitude, latitude, &point));
				double distance = geo_distance(point, centre);
				if (distance < best_here) {
					best_here = distance;
					at = t;
				}
			}
			if (best_here < best)
				best = best_here;
			low = fmax(0, at - step);
			high = fmin(1, at + step);
		}
	}
	return best;
}

static void test_discs_against_sampling(void **unused)
{
	size_t compared = 0, met = 0, near = 0, differences = 0;
	(void)unused;
	for (int i = 0; i < 4000; i++) {
		/* Poles and the meridian get their share. */
		double latitude = next_random() % 4 == 0 ? (next_random() % 2 ? 1 : -1) * uniform(80, 89) : uniform(-70, 70);
		double longitude = next_random() % 3 == 0 ? 180 + uniform(-5, 5) : uniform(-170, 170);
		double height = fmin(uniform(0.01, 20), 90 - fabs(latitude)), width = uniform(0.01, 60);
		struct geo_line ring = make_star(longitude, latitude, width, height, 3 + next_random() % 6, 0.3, false);
		struct geo_area area;
		struct geo_report report;
		struct geo_disc disc = { { 0, 0 }, next_random() % 8 ? uniform(10, 800000) : uniform(1e6, 1.9e7) };
		geo_report_init(&report);
		geo_area_init(&area);
		if (geo_area_add_polygon(&arena, &area, &ring, 1, NULL, &report) != OK)
			continue;
		double reach = disc.radius_m / 111000 * 1.2;
		double at = longitude + uniform(-1, 1) * (width + reach / fmax(0.02, cos(latitude * M_PI / 180)));
		while (at > 180)
			at -= TURN;
		while (at < -180)
			at += TURN;
		assert_true(geo_xy_from(at, fmax(-90, fmin(90, latitude + uniform(-1, 1) * (height + reach))), &disc.centre));
		struct geo_prepared *prepared = geo_prepared_new(&area);
		bool inside = geo_prepared_point(prepared, disc.centre, NULL);
		double distance = inside ? 0 : sampled_distance(&ring, disc.centre);
		if (fabs(distance - disc.radius_m) > 1) {
			bool ours = geo_prepared_disc(prepared, &disc, NULL), theirs = inside || distance <= disc.radius_m;
			compared++;
			met += theirs;
			differences += ours != theirs;
		}
		/* The same discs with a radius just too short and just long enough. */
		if (!inside && distance > 3 && distance < 1.9e7) {
			struct geo_disc shorter = { disc.centre, distance - 1 }, longer = { disc.centre, distance + 1 };
			near++;
			differences += geo_prepared_disc(prepared, &shorter, NULL) || !geo_prepared_disc(prepared, &longer, NULL);
		}
		geo_prepared_free(prepared);
		arena_clear(&arena);
	}
	print_message("%zu discs, %zu met, %zu more within a metre of the edge, %zu differences\n", compared, met, near, differences);
	assert_int_equal(differences, 0);
	assert_true(met > compared / 10 && met < compared * 9 / 10 && near > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_points_against_geos),
		cmocka_unit_test(test_every_point_of_tiny_polygons),
		cmocka_unit_test(test_polygons_against_geos),
		cmocka_unit_test(test_crossings_against_geos),
		cmocka_unit_test(test_discs_against_sampling),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
