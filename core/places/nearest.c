/* The place nearest to a coordinate: places sorted by whole degree, looked at in growing rings of degrees. */
#include <math.h>

#include "core/places/places_internal.h"
#include "kernel/zone/zone.h"

#define POINT_BYTES 16           /* of points.data; see tools/make_gazetteer.py */
#define METRES_A_DEGREE 111194.9 /* of a great circle on the sphere of the design */

static uint32_t little_endian(const uint8_t *p, size_t size)
{
	uint32_t value = 0;
	for (size_t i = size; i-- > 0;)
		value = value << 8 | p[i];
	return value;
}

static int floor_degree(int32_t value)
{
	return value / 100000 - (value % 100000 < 0);
}

static size_t cell_of(int row, int column)
{
	return (size_t)row * 360 + (size_t)(((column % 360) + 360) % 360);
}

static size_t cell_at(int32_t lat, int32_t lon)
{
	int row = floor_degree(lat) + 90;
	return cell_of(row > 179 ? 179 : row, floor_degree(lon) + 180);
}

static enum rc read_points(struct places *places, const uint8_t *data, size_t size, struct err *err)
{
	places->point_count = size / POINT_BYTES;
	places->points = ARENA_NEW_ARRAY(&places->arena, struct nearest_point, places->point_count + 1);
	places->cells = ARENA_NEW_ARRAY(&places->arena, uint32_t, PLACES_CELLS + 1);
	size_t filled = 0; /* cells[0..filled] are set */
	for (size_t i = 0; i < places->point_count; i++) {
		const uint8_t *p = data + i * POINT_BYTES;
		struct nearest_point *point = &places->points[i];
		*point = (struct nearest_point){ (int32_t)little_endian(p, 4),
			                         (int32_t)little_endian(p + 4, 4),
			                         little_endian(p + 8, 4),
			                         (uint16_t)little_endian(p + 12, 2),
			                         { (char)p[14], (char)p[15] } };
		size_t cell =
			point->lat < -9000000 || point->lat > 9000000 || point->lon < -18000000 || point->lon > 18000000
				? PLACES_CELLS
				: cell_at(point->lat, point->lon);
		if (cell >= PLACES_CELLS || cell < filled || point->zone == 0 || point->zone > places->zone_count)
			return err_set(err, FAILED, "gazetteer: points are broken at %zu", i);
		while (filled < cell)
			places->cells[++filled] = (uint32_t)i;
	}
	while (filled < PLACES_CELLS)
		places->cells[++filled] = (uint32_t)places->point_count;
	return OK;
}

enum rc places_load_nearest(struct places *places, sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc = places_prepare(db, "SELECT data FROM points", &statement, err);
	if (rc == OK && sqlite3_step(statement) != SQLITE_ROW)
		rc = err_set(err, FAILED, "gazetteer: no points");
	if (rc == OK) {
		const uint8_t *data = sqlite3_column_blob(statement, 0);
		size_t size = (size_t)sqlite3_column_bytes(statement, 0);
		rc = data == NULL || size % POINT_BYTES != 0 ? err_set(err, FAILED, "gazetteer: points are cut")
		                                             : read_points(places, data, size, err);
	}
	sqlite3_finalize(statement);
	return rc;
}

static double radians(double degrees)
{
	return degrees * (M_PI / 180.0);
}

static double distance(double lat0, double lon0, double lat1, double lon1)
{
	double a = sin(radians(lat1 - lat0) / 2), b = sin(radians(lon1 - lon0) / 2);
	double h = a * a + cos(radians(lat0)) * cos(radians(lat1)) * b * b;
	return 2 * GEO_EARTH_RADIUS_M * asin(fmin(1, sqrt(h)));
}

struct search {
	double lat, lon;
	const char *country; /* two letters, or NULL for any */
	const struct nearest_point *best;
	double metres;
};

static void look_at_cell(const struct places *places, size_t cell, struct search *search)
{
	for (uint32_t i = places->cells[cell]; i < places->cells[cell + 1]; i++) {
		const struct nearest_point *point = &places->points[i];
		if (search->country != NULL && memcmp(point->country, search->country, 2) != 0)
			continue;
		/* The way north or south alone is too far: most points end here, without trigonometry. */
		if (search->best != NULL && fabs(search->lat - point->lat / 100000.0) * METRES_A_DEGREE > search->metres * 1.000001)
			continue;
		double metres = distance(search->lat, search->lon, point->lat / 100000.0, point->lon / 100000.0);
		if (search->best == NULL || metres < search->metres ||
		    (metres == search->metres && point->rank < search->best->rank)) {
			search->best = point;
			search->metres = metres;
		}
	}
}

/* Half the width in whole degrees of longitude of a circle of `degrees` around a latitude: how many columns to
 * look at. */
static int columns_for(double lat, int degrees)
{
	double edge = fabs(lat) + degrees;
	if (edge >= 89)
		return 180;
	int columns = (int)ceil(degrees / cos(radians(edge))) + 1;
	return columns > 180 ? 180 : columns;
}

/* Rings of rows and columns of whole degrees, until nothing beyond can be nearer. Looks at some cells twice, which
 * is cheap. */
static void find_nearest(const struct places *places, struct search *search)
{
	int row = (int)floor(search->lat) + 90, column = (int)floor(search->lon) + 180;
	if (row > 179)
		row = 179;
	look_at_cell(places, cell_of(row, column), search);
	for (int reach = 1; reach <= 256; reach *= 2) {
		int columns = columns_for(search->lat, reach);
		for (int r = row - reach; r <= row + reach; r++) {
			if (r < 0 || r > 179)
				continue;
			if (columns >= 180)
				for (int c = 0; c < 360; c++)
					look_at_cell(places, cell_of(r, c), search);
			else
				for (int c = column - columns; c <= column + columns; c++)
					look_at_cell(places, cell_of(r, c), search);
		}
		if (search->best != NULL && search->metres <= reach * METRES_A_DEGREE)
			return;
	}
}

size_t places_nearest(const struct places *places, double lat, double lon, size_t country, double *metres_out)
{
	if (!(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180))
		return SIZE_MAX;
	struct search search = { .lat = lat, .lon = lon };
	if (country != SIZE_MAX && places->countries[country].zone_count > 0) /* it has places */
		search.country = places->countries[country].code;
	find_nearest(places, &search);
	if (search.best == NULL)
		return SIZE_MAX;
	*metres_out = search.metres;
	return (size_t)(search.best - places->points);
}

enum rc place_nearest(struct places *places, struct arena *arena, double lat, double lon, struct str country,
                      const char *language, struct place *place_out, double *metres_out, struct err *err)
{
	double metres;
	size_t index = places_nearest(places, lat, lon, places_country(places, country), &metres);
	if (index == SIZE_MAX)
		return err_set(err, NOT_FOUND, "no such coordinate");
	struct places_connection *connection = places_take(places);
	sqlite3_stmt *statement = connection->statements[STATEMENT_PLACE];
	sqlite3_bind_int64(statement, 1, places->points[index].rank);
	enum rc rc = OK;
	if (sqlite3_step(statement) == SQLITE_ROW) {
		places_read_row(places, connection, arena, statement, language, STR_NONE, place_out, NULL);
		*metres_out = metres;
	} else {
		rc = err_set(err, FAILED, "gazetteer: %s", sqlite3_errmsg(connection->db));
	}
	places_return(places, connection);
	return rc;
}

struct str place_zone_at(struct places *places, double lat, double lon, struct str country)
{
	double metres;
	size_t index = places_nearest(places, lat, lon, places_country(places, country), &metres);
	return index == SIZE_MAX ? STR_NONE : places->zones[places->points[index].zone];
}

bool place_window(struct str zone_name, int64_t from_day, int64_t to_day, int64_t *from_out, int64_t *to_out)
{
	const struct zone *zone = zone_find(zone_name);
	if (zone == NULL)
		return false;
	*from_out = zone_day_start(zone, from_day);
	*to_out = zone_day_start(zone, to_day + 1);
	return true;
}

bool country_window(struct places *places, struct str code, int64_t from_day, int64_t to_day, int64_t *from_out,
                    int64_t *to_out)
{
	size_t index = places_country(places, code);
	bool any = false;
	int64_t first = INT64_MAX, last = INT64_MIN;
	for (size_t i = 0; index != SIZE_MAX && i < places->countries[index].zone_count; i++) {
		int64_t from, to;
		if (!place_window(places->zones[places->countries[index].zones[i]], from_day, to_day, &from, &to))
			continue;
		any = true;
		first = from < first ? from : first;
		last = to > last ? to : last;
	}
	if (any) {
		*from_out = first;
		*to_out = last;
	}
	return any;
}
