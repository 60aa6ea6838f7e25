/* Importing watches: areas that people follow, as GeoJSON. */
#include <jansson.h>
#include <stdlib.h>

#include "desks/travel/features.h"
#include "desks/travel/watch.h"
#include "kernel/geo/geo.h"

#include "travel_sql.h"

#define ID_MAX 200 /* bytes */

enum column { COLUMN_FEATURE, COLUMN_COUNT };
static const char *const columns[COLUMN_COUNT] = { "feature" };

struct row {
	struct str id, person, name; /* person empty: one is made for it */
	struct str area;
};

struct context {
	struct house *house;
	struct str zone;
};

/* --- reading ---------------------------------------------------------------------------------------------------- */

/* A text, or a whole number as text. */
static struct str json_text(struct arena *arena, const json_t *value)
{
	if (json_is_string(value))
		return str_copy(arena, (struct str){ json_string_value(value), json_string_length(value) });
	if (json_is_integer(value))
		return str_format(arena, "%lld", (long long)json_integer_value(value));
	return S("");
}

static enum rc read_geometry(struct arena *arena, const json_t *geometry, struct str *area_out, struct err *err)
{
	const struct geo_reading reading = { .keep_crossing = true };
	struct geo_report *report = ARENA_NEW(arena, struct geo_report);
	struct geo_area area;

	const char *type = json_string_value(json_object_get(geometry, "type"));
	if (!type || (strcmp(type, "Polygon") != 0 && strcmp(type, "MultiPolygon") != 0))
		return err_set(err, INVALID, "geometry: must be a Polygon or MultiPolygon");
	geo_report_init(report);
	if (geo_read_json(arena, geometry, &reading, &area, report) == OK) {
		*area_out = geo_write_area(arena, &area);
		return OK;
	}
	for (size_t i = 0; i < report->count; i++)
		if (geo_severity(report->findings[i].code) == GEO_ERROR)
			return err_set(err, INVALID, "geometry: %s (polygon %d, ring %d, vertex %d)", geo_code_name(report->findings[i].code),
			               report->findings[i].polygon, report->findings[i].ring, report->findings[i].vertex);
	return err_set(err, INVALID, "geometry: cannot be read");
}

static enum rc read_feature(struct arena *arena, const json_t *feature, struct row *row, struct err *err)
{
	const json_t *properties = json_object_get(feature, "properties");
	const char *type = json_string_value(json_object_get(feature, "type"));

	if (!type || strcmp(type, "Feature") != 0)
		return err_set(err, INVALID, "type: must be Feature");
	row->id = json_text(arena, json_object_get(feature, "id"));
	if (!row->id.len)
		row->id = json_text(arena, json_object_get(properties, "id"));
	if (!row->id.len || row->id.len > ID_MAX || !utf8_valid(row->id) || memchr(row->id.ptr, 0, row->id.len))
		return err_set(err, INVALID, "id: must be a text or whole number of 1 to %d bytes", ID_MAX);
	row->person = json_text(arena, json_object_get(properties, "person"));
	row->name = json_text(arena, json_object_get(properties, "name"));
	if (!row->name.len)
		row->name = row->id;
	enum rc rc = person_name_read(arena, row->name, S("name"), &row->name, err);
	return rc == OK ? read_geometry(arena, json_object_get(feature, "geometry"), &row->area, err) : rc;
}

static enum rc read_row(void *context, struct arena *arena, const struct str *values, void *row, struct err *err)
{
	json_error_t where;
	(void)context;

	json_t *feature = json_loadb(values[COLUMN_FEATURE].ptr, values[COLUMN_FEATURE].len, JSON_REJECT_DUPLICATES, &where);
	if (!feature)
		return err_set(err, INVALID, "no JSON: %s (line %d of the feature)", where.text, where.line);
	enum rc rc = read_feature(arena, feature, row, err);
	json_decref(feature);
	return rc;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

/* Who follows: an imported person, or one that is made for this watch. */
static enum rc find_owner(struct db_tx *tx, struct arena *arena, int64_t batch_id, const struct row *row, int64_t now, int64_t *person_id,
                          struct err *err)
{
	const struct person_new new = {
		.name = row->name,
		.language = LANGUAGE_EN,
		.source = PERSON_FROM_IMPORT,
		.batch_id = batch_id,
		.external_id = STR_NONE,
		.form_key = STR_NONE,
	};
	struct person person;
	enum rc rc;

	if (row->person.len) {
		rc = person_id_find_imported(tx, arena, row->person, person_id, err);
		if (rc == NOT_FOUND)
			return err_set(err, rc, "person: nobody with '%.*s' is here", (int)(row->person.len < 60 ? row->person.len : 60), row->person.ptr);
		return rc == CONFLICT ? err_set(err, rc, "person: several people have this id") : rc;
	}
	rc = person_stage(tx, arena, &new, now, &person, err);
	if (rc == OK)
		*person_id = person.id;
	return rc;
}

static enum rc write_row(struct db_tx *tx, void *data, struct arena *arena, int64_t batch_id, const void *row_data, int64_t now, struct err *err)
{
	const struct context *context = data;
	const struct row *row = row_data;
	struct watch_insert_row written;
	int64_t person_id;

	enum rc rc = find_owner(tx, arena, batch_id, row, now, &person_id, err);
	if (rc != OK)
		return rc;
	const struct watch_insert_args args = {
		.public_id = rand_id(arena),
		.external_id = row->id,
		.person_id = person_id,
		.kind = WATCH_AREA,
		.country = S(""),
		.name = row->name,
		.area = row->area,
		.zone = context->zone,
		.created_at = now,
		.batch_id = batch_id,
	};
	return watch_insert(tx, arena, &args, &written, err);
}

static enum rc discard_rows(struct db_tx *tx, int64_t batch_id, int64_t most, int64_t *removed, struct err *err)
{
	int64_t watches = 0, people = 0;

	enum rc rc = import_watch_remove(tx, &(struct import_watch_remove_args){ .batch_id = batch_id, .most = most }, &watches, err);
	if (rc == OK && !watches)
		rc = person_discard_staged(tx, batch_id, most, &people, err);
	if (rc == OK)
		*removed = watches + people;
	return rc;
}

static const struct import_kind kind = {
	.name = "watches",
	.columns = columns,
	.column_count = COLUMN_COUNT,
	.required = COLUMN_COUNT,
	.row_size = sizeof(struct row),
	.read = read_row,
	.write = write_row,
	.discard = discard_rows,
};

static enum rc add_features(struct import *import, struct features *features, struct err *err)
{
	struct arena scratch;
	enum rc rc = OK;

	arena_init(&scratch);
	while (rc == OK) {
		struct err own;
		arena_clear(&scratch);
		err_init(&own, &scratch);
		const enum rc next = features_next(features, &own);
		const struct str text = buf_str(&features->text);
		if (next == INVALID)
			import_wrong(import, features->line, own.detail);
		else if (next == OK)
			rc = import_add(import, features->line, &text, err);
		else
			rc = next == NOT_FOUND ? NOT_FOUND : err_set(err, next == CONFLICT ? INVALID : next, "%.*s", STR_ARG(own.detail));
	}
	arena_release(&scratch);
	return rc == NOT_FOUND ? OK : rc;
}

enum rc watches_import(struct house *house, struct arena *arena, int file, const struct import_options *options, struct import_result *result,
                       struct err *err)
{
	struct context context = { .house = house, .zone = setting_text(house, arena, "travel.home_zone") };
	struct features *features = malloc(sizeof *features);
	struct import *import;

	*result = (struct import_result){ .batch = STR_NONE };
	if (!features)
		return err_set(err, FAILED, "no memory for an import");
	features_init(features, file);
	enum rc rc = import_begin(house, &kind, &context, options, &import, err);
	if (rc == OK) {
		rc = add_features(import, features, err);
		rc = import_end(import, arena, rc, result, err);
	}
	features_release(features);
	free(features);
	return rc;
}
