/* Reading GeoJSON (RFC 7946) and the form areas are stored in. */
#include <jansson.h>
#include <math.h>

#include "kernel/geo/report.h"

#define DEPTH_MAX 8       /* of features and collections */
#define RINGS_MAX 20000   /* of one polygon */
#define BRACKETS_MAX (GEO_VERTICES_MAX + 3 * GEO_PARTS_MAX) /* each position has one */
#define COMMAS_MAX (4 * BRACKETS_MAX)

struct reader {
	struct arena *arena;
	struct geo_area area;
	const struct geo_reading *reading;
	struct geo_report *report;
};

static enum rc read_value(struct reader *reader, const json_t *value, const json_t *properties, int depth);

static enum rc say_position(struct reader *reader, enum geo_code code, size_t ring, size_t vertex)
{
	struct geo_finding finding = finding_of(code);
	finding.polygon = reader->area.polygon_parts;
	finding.ring = (int32_t)ring;
	finding.vertex = (int32_t)vertex;
	return report_finding(reader->report, finding);
}

static bool read_position(const json_t *value, struct geo_point *out)
{
	const json_t *longitude = json_array_get(value, 0), *latitude = json_array_get(value, 1);
	if (!json_is_number(longitude) || !json_is_number(latitude))
		return false;
	*out = (struct geo_point){ json_number_value(longitude), json_number_value(latitude) };
	return true;
}

static enum rc read_ring(struct reader *reader, const json_t *value, size_t ring, struct geo_line *out)
{
	size_t count = json_array_size(value);
	if (!json_is_array(value))
		return say_position(reader, GEO_BAD_POSITION, ring, 0);
	if (count > GEO_VERTICES_MAX + 1)
		return report_code(reader->report, GEO_TOO_MANY_VERTICES);
	out->points = ARENA_NEW_ARRAY(reader->arena, struct geo_point, count);
	out->count = count;
	out->lines = NULL;
	for (size_t i = 0; i < count; i++)
		if (!read_position(json_array_get(value, i), &out->points[i]))
			return say_position(reader, GEO_BAD_POSITION, ring, i);
	return OK;
}

static enum rc read_polygon(struct reader *reader, const json_t *rings)
{
	size_t count = json_array_size(rings);
	if (!json_is_array(rings))
		return say_position(reader, GEO_BAD_POSITION, 0, 0);
	if (count > RINGS_MAX)
		return report_code(reader->report, GEO_TOO_MANY_PARTS);
	struct geo_line *lines = ARENA_NEW_ARRAY(reader->arena, struct geo_line, count);
	for (size_t r = 0; r < count; r++) {
		enum rc rc = read_ring(reader, json_array_get(rings, r), r, &lines[r]);
		if (rc != OK)
			return rc;
	}
	return geo_area_add_polygon(reader->arena, &reader->area, lines, count, reader->reading, reader->report);
}

static enum rc read_polygons(struct reader *reader, const json_t *polygons)
{
	if (!json_is_array(polygons))
		return say_position(reader, GEO_BAD_POSITION, 0, 0);
	if (json_array_size(polygons) > GEO_PARTS_MAX)
		return report_code(reader->report, GEO_TOO_MANY_PARTS);
	for (size_t i = 0; i < json_array_size(polygons); i++) {
		enum rc rc = read_polygon(reader, json_array_get(polygons, i));
		if (rc != OK)
			return rc;
	}
	return OK;
}

static enum rc read_disc(struct reader *reader, const json_t *coordinates, const json_t *radius)
{
	struct geo_point centre;
	if (!read_position(coordinates, &centre))
		return say_position(reader, GEO_BAD_POSITION, 0, 0);
	double metres = json_is_number(radius) ? json_number_value(radius) : NAN;
	return geo_area_add_disc(reader->arena, &reader->area, centre.longitude, centre.latitude, metres, reader->report);
}

static enum rc read_country(struct reader *reader, const json_t *code)
{
	struct str text = { json_string_value(code), json_string_length(code) };
	return geo_area_add_country(reader->arena, &reader->area, text, reader->report);
}

static enum rc read_members(struct reader *reader, const json_t *values, const json_t *properties, int depth)
{
	if (!json_is_array(values))
		return report_code(reader->report, GEO_BAD_TYPE);
	for (size_t i = 0; i < json_array_size(values); i++) {
		enum rc rc = read_value(reader, json_array_get(values, i), properties, depth + 1);
		if (rc != OK)
			return rc;
	}
	return OK;
}

static enum rc read_feature(struct reader *reader, const json_t *feature, int depth)
{
	const json_t *geometry = json_object_get(feature, "geometry"), *properties = json_object_get(feature, "properties");
	if (json_is_object(geometry))
		return read_value(reader, geometry, properties, depth + 1);
	const json_t *country = json_object_get(properties, "country");
	/* A feature may have no place at all (RFC 7946, 3.2). */
	return json_is_string(country) ? read_country(reader, country) : OK;
}

/* "parts": to which polygon as given each stored piece belongs. */
static enum rc read_parts(struct reader *reader, const json_t *parts)
{
	struct geo_area *area = &reader->area;
	if (!json_is_array(parts) || json_array_size(parts) != area->polygon_count)
		return report_code(reader->report, GEO_BAD_TYPE);
	area->polygon_parts = 0;
	for (size_t i = 0; i < area->polygon_count; i++) {
		json_int_t part = json_integer_value(json_array_get(parts, i));
		if (!json_is_integer(json_array_get(parts, i)) || part < 0 || part >= GEO_PARTS_MAX)
			return report_code(reader->report, GEO_BAD_TYPE);
		area->polygons[i].part = (int32_t)part;
		if (part >= area->polygon_parts)
			area->polygon_parts = (int32_t)part + 1;
	}
	return OK;
}

/* What geo_write_area writes. */
static enum rc read_stored(struct reader *reader, const json_t *value)
{
	const json_t *countries = json_object_get(value, "countries"), *discs = json_object_get(value, "discs");
	const json_t *polygons = json_object_get(value, "polygons"), *parts = json_object_get(value, "parts");
	/* Cutting rounds, so that edges may cross by a unit where a stored piece ends at the meridian. */
	struct geo_reading lenient = { true, reader->reading ? reader->reading->expected : NULL };
	enum rc rc = OK;
	reader->reading = &lenient;
	for (size_t i = 0; i < json_array_size(countries) && rc == OK; i++)
		rc = read_country(reader, json_array_get(countries, i));
	for (size_t i = 0; i < json_array_size(discs) && rc == OK; i++) {
		const json_t *disc = json_array_get(discs, i);
		const json_t *longitude = json_object_get(disc, "lon"), *latitude = json_object_get(disc, "lat");
		const json_t *radius = json_object_get(disc, "radius");
		if (!json_is_number(longitude) || !json_is_number(latitude) || !json_is_number(radius))
			rc = report_code(reader->report, GEO_BAD_POSITION);
		else
			rc = geo_area_add_disc(reader->arena, &reader->area, json_number_value(longitude), json_number_value(latitude),
			                       json_number_value(radius), reader->report);
	}
	if (rc == OK && polygons)
		rc = read_polygons(reader, polygons);
	if (rc == OK && parts)
		rc = read_parts(reader, parts);
	return rc;
}

/* "crs" of GeoJSON of 2008: only longitude and latitude are understood. */
static bool reference_understood(const json_t *value)
{
	const json_t *crs = json_object_get(value, "crs");
	if (!crs || json_is_null(crs))
		return true;
	const char *name = json_string_value(json_object_get(json_object_get(crs, "properties"), "name"));
	return name && (strstr(name, "CRS84") || strstr(name, "4326"));
}

static enum rc read_typed(struct reader *reader, struct str type, const json_t *value, const json_t *properties, int depth)
{
	const json_t *coordinates = json_object_get(value, "coordinates"), *radius = json_object_get(value, "radius");
	if (str_equal(type, S("Polygon")))
		return read_polygon(reader, coordinates);
	if (str_equal(type, S("MultiPolygon")))
		return read_polygons(reader, coordinates);
	if (str_equal(type, S("Feature")))
		return read_feature(reader, value, depth);
	if (str_equal(type, S("FeatureCollection")))
		return read_members(reader, json_object_get(value, "features"), NULL, depth);
	if (str_equal(type, S("GeometryCollection")))
		return read_members(reader, json_object_get(value, "geometries"), properties, depth);
	if (!radius)
		radius = json_object_get(properties, "radius");
	if (str_equal(type, S("Disc")) || (str_equal(type, S("Point")) && radius))
		return read_disc(reader, coordinates, radius);
	return report_code(reader->report, GEO_BAD_TYPE);
}

static enum rc read_value(struct reader *reader, const json_t *value, const json_t *properties, int depth)
{
	const json_t *type = json_object_get(value, "type");
	if (!json_is_object(value) || depth > DEPTH_MAX)
		return report_code(reader->report, GEO_BAD_TYPE);
	if (!reference_understood(value))
		return report_code(reader->report, GEO_BAD_REFERENCE);
	if (json_is_string(type))
		return read_typed(reader, (struct str){ json_string_value(type), json_string_length(type) }, value, properties, depth);
	if (depth > 0 || type)
		return report_code(reader->report, GEO_BAD_TYPE);
	return read_stored(reader, value);
}

enum rc geo_read_json(struct arena *arena, const struct json_t *json, const struct geo_reading *reading, struct geo_area *out,
                      struct geo_report *report)
{
	struct reader reader = { .arena = arena, .reading = reading, .report = report };
	geo_area_init(&reader.area);
	enum rc rc = read_value(&reader, json, NULL, 0);
	if (rc != OK)
		return rc;
	if (geo_area_is_empty(&reader.area))
		return report_code(report, GEO_EMPTY);
	geo_area_judge(arena, &reader.area, reading, report);
	*out = reader.area;
	return OK;
}

/* Parsed JSON takes many times the memory of its text, so what cannot be an area within the limits is refused before. */
static enum rc check_size(struct str text, struct geo_report *report)
{
	size_t brackets = 0, commas = 0;
	if (text.len > GEO_TEXT_MAX)
		return report_code(report, GEO_TOO_LARGE);
	for (size_t i = 0; i < text.len; i++) {
		brackets += text.ptr[i] == '[' || text.ptr[i] == '{';
		commas += text.ptr[i] == ',';
	}
	return brackets > BRACKETS_MAX || commas > COMMAS_MAX ? report_code(report, GEO_TOO_MANY_VERTICES) : OK;
}

enum rc geo_read_geojson(struct arena *arena, struct str text, const struct geo_reading *reading, struct geo_area *out,
                         struct geo_report *report)
{
	json_error_t error;
	if (str_starts(text, S("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.len);
	enum rc rc = check_size(text, report);
	if (rc != OK)
		return rc;
	json_t *json = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		struct geo_finding finding = finding_of(GEO_BAD_JSON);
		finding.line = error.line > 0 ? (size_t)error.line : 0;
		finding.column = error.column > 0 ? (size_t)error.column : 0;
		return report_finding(report, finding);
	}
	rc = geo_read_json(arena, json, reading, out, report);
	json_decref(json);
	return rc;
}
