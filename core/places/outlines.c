/* Outlines of countries, and the file by which a ministry says what a disputed one belongs to. */
#include <jansson.h>

#include "core/places/places_internal.h"

#define SHOWN_NAMES_MAX 2000
/* Nearer than this to a place of the gazetteer its country is right more often than the outlines' (measured over
 * all places that have another within this distance: 8 wrong against 19 of 3,489). */
#define SURE_METRES 500.0

/* ---- the overrides ---- */

static enum rc read_shown_names(struct places *places, json_t *display, struct err *err)
{
	const char *code, *language;
	json_t *names, *name;
	size_t total = 0;
	json_object_foreach(display, code, names)
	{
		size_t index = places_country(places, str_from(code));
		if (index == SIZE_MAX || !json_is_object(names))
			return err_set(err, FAILED, "overrides: display: %s is no country with names", code);
		struct country_record *record = &places->countries[index];
		record->shown = ARENA_NEW_ARRAY(&places->arena, struct country_name, json_object_size(names) + 1);
		json_object_foreach(names, language, name)
		{
			if (!json_is_string(name) || ++total > SHOWN_NAMES_MAX)
				return err_set(err, FAILED,
				               "overrides: display: %s: %s is no text, or there are too many", code,
				               language);
			record->shown[record->shown_count++] = (struct country_name){
				str_copy(&places->arena, str_from(language)),
				str_copy(&places->arena,
				         (struct str){ json_string_value(name), json_string_length(name) })
			};
		}
	}
	return OK;
}

/* Reads the file into *root_out (to be released with json_decref); *root_out is NULL if `path` is. */
static enum rc read_overrides(struct places *places, const char *path, json_t **root_out, struct err *err)
{
	json_error_t error;
	*root_out = NULL;
	if (path == NULL)
		return OK;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL)
		return err_set(err, FAILED, "%s:%d: %s", path, error.line, error.text);
	enum rc rc = json_is_object(root) ? read_shown_names(places, json_object_get(root, "display"), err)
	                                  : err_set(err, FAILED, "%s: not an object", path);
	if (rc != OK)
		json_decref(root);
	else
		*root_out = root;
	return rc;
}

/* Whom the unit belongs to: the overrides' word, else what stands in the file. */
static struct str unit_code(json_t *overrides, struct str name, struct str code)
{
	size_t i;
	json_t *part;
	json_array_foreach(json_object_get(overrides, "parts"), i, part)
	{
		const char *part_name = json_string_value(json_object_get(part, "name"));
		const char *part_code = json_string_value(json_object_get(part, "code"));
		if (part_name != NULL && part_code != NULL && str_equal(str_from(part_name), name))
			return str_from(part_code);
	}
	json_t *feature = json_object_getn(json_object_get(overrides, "features"), name.ptr, name.len);
	return json_is_string(feature) ? str_from(json_string_value(feature)) : code;
}

/* ---- units ---- */

struct unit_reader {
	const uint8_t *at;
	size_t left;
	bool broken;
};

static uint32_t read_u32(struct unit_reader *reader)
{
	if (reader->left < 4) {
		reader->broken = true;
		return 0;
	}
	uint32_t value = (uint32_t)reader->at[0] | (uint32_t)reader->at[1] << 8 | (uint32_t)reader->at[2] << 16 |
	                 (uint32_t)reader->at[3] << 24;
	reader->at += 4;
	reader->left -= 4;
	return value;
}

/* A count of things that take at least `size` bytes each; 0 and broken if they cannot all be there. */
static size_t read_count(struct unit_reader *reader, size_t size)
{
	uint32_t count = read_u32(reader);
	if (count > reader->left / size)
		reader->broken = true;
	return reader->broken ? 0 : count;
}

static void read_ring(struct arena *arena, struct unit_reader *reader, struct geo_ring *ring)
{
	ring->count = read_count(reader, 8);
	ring->points = ARENA_NEW_ARRAY(arena, struct geo_xy, ring->count + 1);
	for (size_t i = 0; i < ring->count; i++) {
		ring->points[i].x = (int32_t)read_u32(reader);
		ring->points[i].y = (int32_t)read_u32(reader);
	}
}

static struct geo_box ring_box(const struct geo_ring *ring)
{
	struct geo_box box = { INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN };
	for (size_t i = 0; i < ring->count; i++) {
		box.x0 = ring->points[i].x < box.x0 ? ring->points[i].x : box.x0;
		box.y0 = ring->points[i].y < box.y0 ? ring->points[i].y : box.y0;
		box.x1 = ring->points[i].x > box.x1 ? ring->points[i].x : box.x1;
		box.y1 = ring->points[i].y > box.y1 ? ring->points[i].y : box.y1;
	}
	return box;
}

static bool box_valid(struct geo_box box)
{
	return box.x0 >= -GEO_X_MAX && box.x1 <= GEO_X_MAX && box.y0 >= -GEO_Y_MAX && box.y1 <= GEO_Y_MAX;
}

/* Adds the polygons of a unit's bytes to the area; false if the bytes are broken. */
static bool add_unit(struct arena *arena, struct geo_area *area, struct str data)
{
	struct unit_reader reader = { (const uint8_t *)data.ptr, data.len, false };
	size_t polygons = read_count(&reader, 4 + 4 + 3 * 8);
	for (size_t p = 0; p < polygons && !reader.broken; p++) {
		struct geo_polygon polygon = { .part = area->polygon_parts++ };
		polygon.ring_count = read_count(&reader, 4 + 3 * 8);
		polygon.rings = ARENA_NEW_ARRAY(arena, struct geo_ring, polygon.ring_count + 1);
		for (size_t r = 0; r < polygon.ring_count && !reader.broken; r++) {
			read_ring(arena, &reader, &polygon.rings[r]);
			reader.broken =
				reader.broken || polygon.rings[r].count < 3 || !box_valid(ring_box(&polygon.rings[r]));
			area->vertex_count += polygon.rings[r].count;
		}
		if (reader.broken || polygon.ring_count == 0)
			return false;
		polygon.box = ring_box(&polygon.rings[0]);
		ARENA_PUSH(arena, area->polygons, area->polygon_count, area->polygon_capacity, polygon);
	}
	return !reader.broken && reader.left == 0 && polygons > 0;
}

static struct geo_area *area_of(struct places *places, struct country_record *record, enum outline_level level)
{
	if (record->areas[level] == NULL) {
		record->areas[level] = ARENA_NEW(&places->arena, struct geo_area);
		geo_area_init(record->areas[level]);
	}
	return record->areas[level];
}

static enum rc load_units(struct places *places, sqlite3 *db, json_t *overrides, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc =
		places_prepare(db, "SELECT level, name, code, data FROM unit ORDER BY level, name", &statement, err);
	int step = SQLITE_DONE;
	while (rc == OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t grain = sqlite3_column_int64(statement, 0);
		enum outline_level level = grain == 110 ? LEVEL_110M : grain == 50 ? LEVEL_50M : LEVEL_10M;
		struct str name = places_column(statement, 1);
		struct str code = unit_code(overrides, name, places_column(statement, 2));
		if (code.len == 0)
			continue;
		size_t index = places_country(places, code);
		struct str data = { sqlite3_column_blob(statement, 3), (size_t)sqlite3_column_bytes(statement, 3) };
		if (index == SIZE_MAX)
			rc = err_set(err, FAILED, "outlines: %.*s belongs to %.*s, which is no country", STR_ARG(name),
			             STR_ARG(code));
		else if (data.ptr == NULL ||
		         !add_unit(&places->arena, area_of(places, &places->countries[index], level), data))
			rc = err_set(err, FAILED, "outlines: %.*s is broken", STR_ARG(name));
	}
	if (rc == OK && step != SQLITE_DONE)
		rc = err_set(err, FAILED, "outlines: %s", sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	return rc;
}

static enum rc load_discs(struct places *places, sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	size_t capacity = 0;
	enum rc rc = places_prepare(db, "SELECT code, lat, lon, radius FROM disc ORDER BY code", &statement, err);
	while (rc == OK && sqlite3_step(statement) == SQLITE_ROW) {
		struct country_disc disc = { .country = places_country(places, places_column(statement, 0)) };
		disc.disc.radius_m = sqlite3_column_double(statement, 3);
		if (disc.country == SIZE_MAX || !(disc.disc.radius_m > 0) ||
		    !geo_xy_from(sqlite3_column_double(statement, 2), sqlite3_column_double(statement, 1),
		                 &disc.disc.centre)) {
			rc = err_set(err, FAILED, "outlines: discs are broken");
			break;
		}
		ARENA_PUSH(&places->arena, places->discs, places->disc_count, capacity, disc);
		struct geo_area *area = area_of(places, &places->countries[disc.country], LEVEL_10M);
		ARENA_PUSH(&places->arena, area->discs, area->disc_count, area->disc_capacity, disc.disc);
	}
	sqlite3_finalize(statement);
	return rc;
}

/* ---- what follows from the outlines ---- */

const struct geo_area *places_finest(const struct country_record *record)
{
	return record->areas[LEVEL_10M];
}

static void measure_country(struct country_record *record)
{
	const struct geo_area *area = places_finest(record);
	struct geo_box boxes[2];
	struct geo_xy label;
	size_t count = geo_area_boxes(area, boxes);
	if (count == 0 || !geo_area_label(area, &label))
		return;
	record->lon = geo_degrees(label.x);
	record->lat = geo_degrees(label.y);
	/* Two boxes lie on both sides of the 180th meridian; the western edge is that of the one that reaches it
	 * from the west. */
	size_t western = count == 2 && boxes[1].x0 > boxes[0].x0 ? 1 : 0, eastern = count == 2 ? 1 - western : 0;
	record->west = geo_degrees(boxes[western].x0);
	record->east = geo_degrees(boxes[eastern].x1);
	record->south = geo_degrees(boxes[0].y0 < boxes[count - 1].y0 ? boxes[0].y0 : boxes[count - 1].y0);
	record->north = geo_degrees(boxes[0].y1 > boxes[count - 1].y1 ? boxes[0].y1 : boxes[count - 1].y1);
}

enum rc places_load_outlines(struct places *places, sqlite3 *db, const char *overrides, struct err *err)
{
	json_t *root = NULL;
	enum rc rc = read_overrides(places, overrides, &root, err);
	if (rc == OK)
		rc = load_units(places, db, root, err);
	if (rc == OK)
		rc = load_discs(places, db, err);
	json_decref(root);
	geo_outlines_init(&places->outlines);
	for (size_t i = 0; rc == OK && i < places->country_count; i++) {
		struct country_record *record = &places->countries[i];
		if (places_finest(record) == NULL)
			continue;
		measure_country(record);
		geo_outlines_set(&places->outlines, geo_country(str_from(record->code)), places_finest(record));
	}
	return rc;
}

void places_release_outlines(struct places *places)
{
	geo_outlines_release(&places->outlines);
}

const struct geo_outlines *places_outlines(const struct places *places)
{
	return &places->outlines;
}

const struct geo_area *country_area(const struct places *places, struct str code)
{
	size_t index = places_country(places, code);
	return index == SIZE_MAX ? NULL : places_finest(&places->countries[index]);
}

uint16_t places_outline_at(const struct places *places, struct geo_xy point)
{
	/* The smallest countries lie within others' outlines: first those. */
	for (size_t i = 0; i < places->disc_count; i++)
		if (geo_distance(places->discs[i].disc.centre, point) <= places->discs[i].disc.radius_m)
			return geo_country(str_from(places->countries[places->discs[i].country].code));
	uint16_t country = geo_outlines_at(&places->outlines, point);
	return country != 0 ? country : geo_outlines_near(&places->outlines, point, PLACE_COAST_METRES);
}

/* The outlines are some hundred metres off at borders and leave out atolls, so a place of the gazetteer that is
 * very near goes before them, and one as near as a coast goes before nothing. */
bool place_country_at(struct places *places, double lat, double lon, char code_out[3])
{
	struct geo_xy point;
	double metres;
	size_t index = places_nearest(places, lat, lon, SIZE_MAX, &metres);
	if (index == SIZE_MAX || !geo_xy_from(lon, lat, &point))
		return false;
	const char *code = places->points[index].country;
	if (metres > SURE_METRES) {
		uint16_t country = places_outline_at(places, point);
		if (country != 0)
			code = geo_country_code(country).ptr;
		else if (metres > PLACE_COAST_METRES)
			return false;
	}
	memcpy(code_out, code, 2);
	code_out[2] = '\0';
	return true;
}
