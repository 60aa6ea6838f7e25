#include <math.h>
#include <stdlib.h>

#include "kernel/geo/measure.h"
#include "kernel/geo/report.h"
#include "kernel/geo/wide.h"

#define TURN (2 * (int64_t)GEO_X_MAX)
#define LETTERS 26
#define WORLD_KM2 (4 * M_PI * GEO_EARTH_RADIUS_M * GEO_EARTH_RADIUS_M / 1e6)
#define WHOLE_WORLD 0.9 /* of the earth */
#define HEMISPHERE 0.5

/* A polygon on its way from what was given to what is kept. */
struct intake {
	struct arena *arena;
	const struct geo_line *lines;
	struct wide_polygon wide;
	struct geo_report *report;
	int32_t polygon, ring;
	bool split;
};

bool geo_xy_from(double longitude, double latitude, struct geo_xy *out)
{
	if (!(longitude >= -360 && longitude <= 360 && latitude >= -90 && latitude <= 90))
		return false;
	int64_t x = llround(longitude * GEO_UNITS);
	if (x > GEO_X_MAX)
		x -= TURN;
	else if (x < -GEO_X_MAX)
		x += TURN;
	*out = (struct geo_xy){ (int32_t)x, (int32_t)llround(latitude * GEO_UNITS) };
	return true;
}

uint16_t geo_country(struct str code)
{
	if (code.len != 2)
		return 0;
	int number[2];
	for (int i = 0; i < 2; i++) {
		int letter = (unsigned char)code.ptr[i] | 0x20;
		if (letter < 'a' || letter > 'z')
			return 0;
		number[i] = letter - 'a';
	}
	return (uint16_t)(number[0] * LETTERS + number[1] + 1);
}

#define CODES_OF(a)                                                                                                            \
	a "A" a "B" a "C" a "D" a "E" a "F" a "G" a "H" a "I" a "J" a "K" a "L" a "M" a "N" a "O" a "P" a "Q" a "R" a "S" a "T" a "U" \
	a "V" a "W" a "X" a "Y" a "Z"

struct str geo_country_code(uint16_t country)
{
	static const char codes[] = CODES_OF("A") CODES_OF("B") CODES_OF("C") CODES_OF("D") CODES_OF("E") CODES_OF("F") CODES_OF("G")
		CODES_OF("H") CODES_OF("I") CODES_OF("J") CODES_OF("K") CODES_OF("L") CODES_OF("M") CODES_OF("N") CODES_OF("O")
		CODES_OF("P") CODES_OF("Q") CODES_OF("R") CODES_OF("S") CODES_OF("T") CODES_OF("U") CODES_OF("V") CODES_OF("W")
		CODES_OF("X") CODES_OF("Y") CODES_OF("Z");
	if (country == 0 || country >= GEO_COUNTRIES)
		return S("");
	return (struct str){ codes + 2 * (country - 1), 2 };
}

void geo_area_init(struct geo_area *area)
{
	*area = (struct geo_area){ .polygons = NULL };
}

bool geo_area_is_empty(const struct geo_area *area)
{
	return area->polygon_count == 0 && area->disc_count == 0 && area->country_count == 0;
}

static enum rc say_at(const struct intake *in, enum geo_code code, size_t vertex)
{
	const struct geo_line *line = &in->lines[in->ring];
	struct geo_finding finding = finding_of(code);
	finding.polygon = in->polygon;
	finding.ring = in->ring;
	finding.vertex = (int32_t)vertex;
	if (vertex < line->count) {
		finding.longitude = line->points[vertex].longitude;
		finding.latitude = line->points[vertex].latitude;
		finding.line = line->lines ? line->lines[vertex] : 0;
	}
	return report_finding(in->report, finding);
}

static enum rc say_of_ring(const struct intake *in, enum geo_code code, int64_t number)
{
	const struct geo_line *line = &in->lines[in->ring];
	struct geo_finding finding = finding_of(code);
	finding.polygon = in->polygon;
	finding.ring = in->ring;
	finding.number = number;
	finding.line = line->lines && line->count ? line->lines[0] : 0;
	return report_finding(in->report, finding);
}

/* All latitudes and longitudes in range; if not, whether they would be when exchanged. */
static enum rc check_ranges(const struct intake *in)
{
	const struct geo_line *line = &in->lines[in->ring];
	size_t bad_latitude = line->count, bad_longitude = line->count;
	bool right_if_swapped = true;
	for (size_t i = 0; i < line->count; i++) {
		struct geo_point p = line->points[i];
		if (!(fabs(p.latitude) <= 90) && bad_latitude == line->count)
			bad_latitude = i;
		if (!(fabs(p.longitude) <= 360) && bad_longitude == line->count)
			bad_longitude = i;
		if (!(fabs(p.longitude) <= 90) || !(fabs(p.latitude) <= 180))
			right_if_swapped = false;
	}
	if (bad_latitude < line->count)
		return say_at(in, right_if_swapped ? GEO_SWAPPED : GEO_LATITUDE_RANGE, bad_latitude);
	if (bad_longitude < line->count)
		return say_at(in, GEO_LONGITUDE_RANGE, bad_longitude);
	return OK;
}

static bool same_point(struct wide_xy a, struct wide_xy b)
{
	return a.x == b.x && a.y == b.y;
}

/* Rounds, closes and drops points that repeat the one before. */
static enum rc take_points(const struct intake *in, struct wide_ring *ring)
{
	const struct geo_line *line = &in->lines[in->ring];
	size_t count = 0, repeated = 0;
	ring->points = ARENA_NEW_ARRAY(in->arena, struct wide_xy, line->count);
	for (size_t i = 0; i < line->count; i++) {
		struct wide_xy at = { llround(line->points[i].longitude * GEO_UNITS), llround(line->points[i].latitude * GEO_UNITS) };
		if (count && same_point(ring->points[count - 1], at))
			repeated++;
		else
			ring->points[count++] = at;
	}
	bool closed = count > 1 && same_point(ring->points[0], ring->points[count - 1]);
	ring->count = closed ? count - 1 : count;
	if (repeated)
		say_of_ring(in, GEO_DUPLICATES_REMOVED, (int64_t)repeated);
	if (ring->count < 3)
		return say_of_ring(in, GEO_TOO_FEW_POINTS, (int64_t)ring->count);
	if (!closed)
		say_of_ring(in, GEO_CLOSED, -1);
	return OK;
}

/* The ring goes around a pole: adds the way to the nearer one and back, from the point that is nearest to it, so that the way
 * crosses no edge. */
static void close_at_pole(const struct intake *in, struct wide_ring *ring, int64_t turn)
{
	double sum = 0;
	size_t best = 0, n = ring->count;
	for (size_t i = 0; i < n; i++)
		sum += (double)ring->points[i].y;
	int64_t pole = sum >= 0 ? GEO_Y_MAX : -GEO_Y_MAX;
	for (size_t i = 1; i < n; i++)
		if (llabs(pole - ring->points[i].y) < llabs(pole - ring->points[best].y))
			best = i;
	struct wide_ring out = { ARENA_NEW_ARRAY(in->arena, struct wide_xy, n + 3), 0 };
	for (size_t k = 0; k <= n; k++) {
		struct wide_xy at = ring->points[(best + k) % n];
		if (best + k >= n)
			at.x += turn;
		out.points[out.count++] = at;
	}
	struct wide_xy first = out.points[0], last = out.points[n];
	if (first.y != pole) {
		out.points[out.count++] = (struct wide_xy){ last.x, pole };
		out.points[out.count++] = (struct wide_xy){ first.x, pole };
	}
	*ring = out;
	say_of_ring(in, GEO_AROUND_POLE, pole > 0 ? 1 : -1);
}

/* Makes longitudes run on where an edge takes the short way over the 180th meridian. Rings that already do are left alone,
 * and so is an edge from -180 to 180: it runs along the rim of the map. */
static enum rc unwrap(const struct intake *in, struct wide_ring *ring)
{
	int64_t low, high, shift = 0;
	wide_range(ring, &low, &high);
	if (low < -GEO_X_MAX || high > GEO_X_MAX)
		return high - low > TURN ? say_of_ring(in, GEO_TOO_WIDE, -1) : OK;
	int64_t before = ring->points[0].x, first = before;
	for (size_t i = 1; i <= ring->count; i++) {
		int64_t at = i < ring->count ? ring->points[i].x : first, step = at - before;
		if (step > GEO_X_MAX && step < TURN)
			shift -= TURN;
		else if (step < -GEO_X_MAX && step > -TURN)
			shift += TURN;
		before = at;
		if (i < ring->count)
			ring->points[i].x += shift;
	}
	if (shift == TURN || shift == -TURN) {
		close_at_pole(in, ring, shift);
		return OK;
	}
	wide_range(ring, &low, &high);
	return shift != 0 || high - low > TURN ? say_of_ring(in, GEO_TOO_WIDE, -1) : OK;
}

static enum rc check_width(const struct intake *in, const struct wide_ring *ring)
{
	for (size_t i = 2; i < ring->count; i++)
		if (wide_side(ring->points[0], ring->points[1], ring->points[i]) != 0)
			return OK;
	return say_of_ring(in, GEO_NO_WIDTH, -1);
}

static enum rc take_ring(struct intake *in, struct wide_ring *ring)
{
	enum rc rc = check_ranges(in);
	if (rc == OK)
		rc = take_points(in, ring);
	if (rc == OK)
		rc = unwrap(in, ring);
	return rc == OK ? check_width(in, ring) : rc;
}

static void shift_ring(struct wide_ring *ring, int64_t by)
{
	for (size_t i = 0; i < ring->count; i++)
		ring->points[i].x += by;
}

/* A hole may have been given a turn away from its outer ring. */
static void place_holes(struct intake *in)
{
	int64_t low, high, hole_low, hole_high;
	const struct wide_ring *outer = &in->wide.rings[0];
	wide_range(outer, &low, &high);
	for (size_t r = 1; r < in->wide.count; r++) {
		struct wide_ring *hole = &in->wide.rings[r];
		wide_range(hole, &hole_low, &hole_high);
		if (hole_low < low && hole_high + TURN <= high)
			shift_ring(hole, TURN);
		else if (hole_high > high && hole_low - TURN >= low)
			shift_ring(hole, -TURN);
		int side = 0;
		for (size_t i = 0; i < hole->count && side == 0; i++)
			side = wide_point(outer, hole->points[i]);
		in->ring = (int32_t)r;
		if (side < 0)
			say_of_ring(in, GEO_HOLE_OUTSIDE, -1);
	}
}

static enum rc check_crossings(struct intake *in, bool keep_crossing)
{
	struct wide_fault fault = wide_check(&in->wide);
	if (fault.verdict == WIDE_SIMPLE)
		return OK;
	bool crosses = fault.verdict == WIDE_CROSSES;
	struct geo_finding finding = finding_of(!crosses ? GEO_SELF_TOUCHING : keep_crossing ? GEO_CROSSING_KEPT : GEO_SELF_CROSSING);
	double x = fault.x;
	while (x > GEO_X_MAX)
		x -= (double)TURN;
	while (x < -GEO_X_MAX)
		x += (double)TURN;
	finding.polygon = in->polygon;
	finding.ring = (int32_t)fault.ring;
	finding.vertex = (int32_t)fault.vertex;
	finding.other = (int32_t)fault.other_vertex;
	finding.longitude = x / GEO_UNITS;
	finding.latitude = fault.y / GEO_UNITS;
	return report_finding(in->report, finding);
}

/* Edges of more than half a turn get a point in the middle: read again, they would be taken the short way. */
static struct geo_ring keep_ring(struct arena *arena, const struct wide_ring *ring, int64_t shift)
{
	struct geo_ring out = { ARENA_NEW_ARRAY(arena, struct geo_xy, ring->count * 2), 0 };
	for (size_t i = 0; i < ring->count; i++) {
		struct wide_xy a = ring->points[i], b = ring->points[i + 1 < ring->count ? i + 1 : 0];
		out.points[out.count++] = (struct geo_xy){ (int32_t)(a.x + shift), (int32_t)a.y };
		if (llabs(b.x - a.x) > GEO_X_MAX)
			out.points[out.count++] = (struct geo_xy){ (int32_t)((a.x + b.x) / 2 + shift), (int32_t)((a.y + b.y) / 2) };
	}
	return out;
}

static void keep_polygon(const struct intake *in, struct geo_area *area, const struct wide_polygon *wide, int64_t shift)
{
	struct geo_polygon polygon = { .rings = ARENA_NEW_ARRAY(in->arena, struct geo_ring, wide->count), .ring_count = wide->count,
		                       .part = area->polygon_parts };
	for (size_t r = 0; r < wide->count; r++) {
		polygon.rings[r] = keep_ring(in->arena, &wide->rings[r], shift);
		area->vertex_count += polygon.rings[r].count;
	}
	polygon.box = polygon_box(&polygon);
	ARENA_PUSH(in->arena, area->polygons, area->polygon_count, area->polygon_capacity, polygon);
}

/* Cuts at each meridian of 180 degrees the polygon crosses, and brings the pieces home. */
static void keep_pieces(struct intake *in, struct geo_area *area, const struct wide_polygon *wide)
{
	int64_t low, high, shift = 0;
	wide_range(&wide->rings[0], &low, &high);
	for (size_t r = 1; r < wide->count; r++) {
		int64_t ring_low, ring_high;
		wide_range(&wide->rings[r], &ring_low, &ring_high);
		low = ring_low < low ? ring_low : low;
		high = ring_high > high ? ring_high : high;
	}
	while (low + shift < -GEO_X_MAX)
		shift += TURN;
	while (low + shift >= GEO_X_MAX)
		shift -= TURN;
	if (high + shift <= GEO_X_MAX) {
		keep_polygon(in, area, wide, shift);
		return;
	}
	struct wide_list left = { NULL, 0, 0 }, right = { NULL, 0, 0 };
	in->split = true;
	wide_cut_left(in->arena, wide, GEO_X_MAX - shift, &left);
	wide_cut_right(in->arena, wide, GEO_X_MAX - shift, &right);
	for (size_t i = 0; i < left.count; i++)
		keep_polygon(in, area, &left.items[i], shift);
	for (size_t i = 0; i < right.count; i++)
		keep_pieces(in, area, &right.items[i]);
}

/* The closing point of a ring is not kept. */
static bool is_closed(const struct geo_line *ring)
{
	return ring->count > 1 && ring->points[0].longitude == ring->points[ring->count - 1].longitude &&
	       ring->points[0].latitude == ring->points[ring->count - 1].latitude;
}

enum rc geo_area_add_polygon(struct arena *arena, struct geo_area *area, const struct geo_line *rings, size_t ring_count,
                             const struct geo_reading *reading, struct geo_report *report)
{
	struct intake in = { .arena = arena, .lines = rings, .report = report, .polygon = area->polygon_parts };
	size_t vertices = area->vertex_count;
	if (ring_count == 0)
		return report_code(report, GEO_EMPTY);
	if (area->polygon_parts >= GEO_PARTS_MAX)
		return report_code(report, GEO_TOO_MANY_PARTS);
	for (size_t r = 0; r < ring_count; r++)
		vertices += rings[r].count - is_closed(&rings[r]);
	if (vertices > GEO_VERTICES_MAX)
		return report_code(report, GEO_TOO_MANY_VERTICES);
	for (size_t r = 0; r < ring_count; r++) {
		struct wide_ring ring = { NULL, 0 };
		in.ring = (int32_t)r;
		enum rc rc = take_ring(&in, &ring);
		if (rc != OK)
			return rc;
		ARENA_PUSH(arena, in.wide.rings, in.wide.count, in.wide.capacity, ring);
	}
	enum rc rc = check_crossings(&in, reading && reading->keep_crossing);
	if (rc != OK)
		return rc;
	place_holes(&in);
	const struct geo_area before = *area;
	keep_pieces(&in, area, &in.wide);
	/* Cutting at the meridian adds points: what is written out must be readable again. */
	if (area->vertex_count > GEO_VERTICES_MAX) {
		*area = before;
		return report_code(report, GEO_TOO_MANY_VERTICES);
	}
	in.ring = 0;
	if (in.split)
		say_of_ring(&in, GEO_SPLIT, -1);
	area->polygon_parts++;
	return OK;
}

enum rc geo_area_add_disc(struct arena *arena, struct geo_area *area, double longitude, double latitude, double radius_m,
                          struct geo_report *report)
{
	struct geo_disc disc = { { 0, 0 }, round(radius_m * 1000) / 1000 }; /* written and read again it stays the same */
	struct geo_finding finding = finding_of(GEO_BAD_RADIUS);
	finding.longitude = longitude;
	finding.latitude = latitude;
	if (area->disc_count >= GEO_PARTS_MAX)
		return report_code(report, GEO_TOO_MANY_PARTS);
	if (!(fabs(latitude) <= 90)) {
		finding.code = fabs(latitude) <= 180 && fabs(longitude) <= 90 ? GEO_SWAPPED : GEO_LATITUDE_RANGE;
		return report_finding(report, finding);
	}
	if (!geo_xy_from(longitude, latitude, &disc.centre)) {
		finding.code = GEO_LONGITUDE_RANGE;
		return report_finding(report, finding);
	}
	if (!(radius_m >= 0 && radius_m <= GEO_RADIUS_MAX_M))
		return report_finding(report, finding);
	ARENA_PUSH(arena, area->discs, area->disc_count, area->disc_capacity, disc);
	return OK;
}

enum rc geo_area_add_country(struct arena *arena, struct geo_area *area, struct str code, struct geo_report *report)
{
	uint16_t country = geo_country(code);
	size_t at = 0;
	if (country == 0)
		return report_code(report, GEO_BAD_COUNTRY);
	while (at < area->country_count && area->countries[at] < country)
		at++;
	if (at < area->country_count && area->countries[at] == country)
		return OK;
	ARENA_PUSH(arena, area->countries, area->country_count, area->country_capacity, country);
	memmove(area->countries + at + 1, area->countries + at, (area->country_count - 1 - at) * sizeof *area->countries);
	area->countries[at] = country;
	return OK;
}

/* The area with latitude and longitude exchanged, as far as that is possible. */
static struct geo_area exchanged(struct arena *arena, const struct geo_area *area)
{
	struct geo_area out;
	geo_area_init(&out);
	for (size_t p = 0; p < area->polygon_count; p++) {
		struct geo_polygon polygon = area->polygons[p];
		if (polygon.box.x0 < -GEO_Y_MAX || polygon.box.x1 > GEO_Y_MAX)
			continue;
		polygon.rings = ARENA_NEW_ARRAY(arena, struct geo_ring, polygon.ring_count);
		for (size_t r = 0; r < polygon.ring_count; r++) {
			const struct geo_ring *ring = &area->polygons[p].rings[r];
			polygon.rings[r] = (struct geo_ring){ ARENA_NEW_ARRAY(arena, struct geo_xy, ring->count), ring->count };
			for (size_t i = 0; i < ring->count; i++)
				polygon.rings[r].points[i] = (struct geo_xy){ ring->points[i].y, ring->points[i].x };
		}
		polygon.box = polygon_box(&polygon);
		ARENA_PUSH(arena, out.polygons, out.polygon_count, out.polygon_capacity, polygon);
	}
	for (size_t i = 0; i < area->disc_count; i++) {
		struct geo_disc disc = { { area->discs[i].centre.y, area->discs[i].centre.x }, area->discs[i].radius_m };
		if (disc.centre.y >= -GEO_Y_MAX && disc.centre.y <= GEO_Y_MAX)
			ARENA_PUSH(arena, out.discs, out.disc_count, out.disc_capacity, disc);
	}
	return out;
}

static bool meets(const struct geo_area *area, const struct geo_prepared *expected)
{
	struct geo_prepared *prepared = geo_prepared_new(area);
	bool result = geo_prepared_meets(expected, prepared, NULL);
	geo_prepared_free(prepared);
	return result;
}

void geo_area_judge(struct arena *arena, const struct geo_area *area, const struct geo_reading *reading, struct geo_report *report)
{
	double share = geo_area_km2(area) / WORLD_KM2;
	struct geo_finding finding = finding_of(share > WHOLE_WORLD ? GEO_WHOLE_WORLD : GEO_HEMISPHERE);
	finding.number = llround(share * 100);
	if (share > HEMISPHERE)
		report_finding(report, finding);
	if (!reading || !reading->expected || area->polygon_count + area->disc_count == 0 || meets(area, reading->expected))
		return;
	struct geo_area swapped = exchanged(arena, area);
	if (meets(&swapped, reading->expected))
		report_code(report, GEO_LOOKS_SWAPPED);
}
