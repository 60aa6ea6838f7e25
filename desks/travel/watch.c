/* Following a country or an area. */
#include <jansson.h>

#include "desks/travel/watch.h"
#include "kernel/geo/geo.h"
#include "kernel/text/phone.h"

#include "travel_sql.h"

/* --- the form --------------------------------------------------------------------------------------------------- */

void watch_form_init(struct watch_form *form)
{
	*form = (struct watch_form){ .place = S(""), .choice = S(""), .choice_for = S(""), .radius = S(""), .polygon = S(""), .name = S("") };
}

static struct str value(const struct request *request, const char *name)
{
	const struct str text = request_form(request, name);
	return str_is_none(text) ? S("") : str_trim(text);
}

void watch_form_read(const struct request *request, struct watch_form *form)
{
	*form = (struct watch_form){
		.place = value(request, "watch_place"),
		.choice = value(request, "watch_choice"),
		.choice_for = value(request, "watch_choice_for"),
		.radius = value(request, "watch_radius"),
		.polygon = value(request, "watch_polygon"),
		.name = value(request, "watch_name"),
	};
}

bool watch_form_is_empty(const struct watch_form *form)
{
	return !form->place.len && !form->radius.len && !form->polygon.len && !form->name.len;
}

void watch_form_prepare(struct watch_form *form)
{
	for (size_t i = 0; i < form->choice_count; i++)
		form->choices[i].chosen = str_equal(form->choices[i].value, form->choice);
}

/* A disc without corners and nothing else: the only area whose form is a place and a radius. */
static bool only_disc(const struct geo_area *area)
{
	return area->disc_count == 1 && !area->polygon_count && !area->country_count;
}

void watch_form_fill(struct arena *arena, const struct watch *watch, struct watch_form *form)
{
	const struct geo_reading reading = { .keep_crossing = true };
	struct geo_report report;
	struct geo_area area;

	watch_form_init(form);
	form->name = watch->name;
	if (watch->kind == WATCH_COUNTRY) {
		form->place = form->choice_for = watch->name;
		form->choice = str_concat(arena, S("c"), watch->country);
		return;
	}
	geo_report_init(&report);
	if (geo_read_geojson(arena, watch->area, &reading, &area, &report) == OK && only_disc(&area)) {
		form->place = str_format(arena, "%.5f, %.5f", geo_degrees(area.discs[0].centre.y), geo_degrees(area.discs[0].centre.x));
		form->radius = str_format(arena, "%.0f", area.discs[0].radius_m / 1000);
		return;
	}
	form->polygon = watch->area;
}

/* --- the check -------------------------------------------------------------------------------------------------- */

/* The person's own zone: that of the country of their telephone, else the ministry's. */
static struct str home_zone(struct house *house, struct arena *arena, struct str phone)
{
	struct country country;
	struct err err;

	err_init(&err, arena);
	if (phone.len && country_find(travel_places(house), arena, str_from(phone_region(phone)), "en", &country, &err) == OK && country.zone.len)
		return country.zone;
	return setting_text(house, arena, "travel.home_zone");
}

static enum rc check_radius(struct arena *arena, const struct watch_form *form, int64_t *kilometres, struct err *err)
{
	*kilometres = WATCH_RADIUS_INITIAL_KM;
	if (form->radius.len && (!str_to_int(text_ascii_digits(arena, form->radius), kilometres) || *kilometres < 1 ||
	                         *kilometres > WATCH_RADIUS_MAX_KM))
		return err_field(err, S("watch_radius"), MSG_travel_watch_radius_form, STR_NONE, STR_NONE);
	return OK;
}

static enum rc check_place(struct house *house, struct arena *arena, enum language language, struct watch_form *form, struct watch *out,
                           struct err *err)
{
	static const enum msg messages[] = {
		[WHERE_CHOOSE] = MSG_travel_place_choose,
		[WHERE_GUESS] = MSG_travel_place_guess,
		[WHERE_NOTHING] = MSG_travel_place_unknown,
		[WHERE_OUT_OF_RANGE] = MSG_travel_place_range,
	};
	const struct str choice = str_equal(form->choice_for, form->place) ? form->choice : STR_NONE;
	enum where_answer answer;
	struct where where;
	struct geo_report report;
	struct geo_area area;
	int64_t kilometres;

	if (utf8_length(form->place) > WATCH_NAME_MAX)
		return err_field(err, S("watch_place"), MSG_travel_place_long, STR_NONE, STR_NONE);
	enum rc rc = where_read(travel_places(house), arena, language, form->place, choice, true, &answer, &where, &form->choices, &form->choice_count, err);
	if (rc != OK)
		return rc;
	form->choice_for = form->place;
	if (answer != WHERE_FOUND)
		return err_field(err, form->choice_count ? S("watch_choice") : S("watch_place"), (int)messages[answer], form->place, STR_NONE);
	form->choice_count = 0;
	if (where.kind == LEG_COUNTRY) {
		out->kind = WATCH_COUNTRY;
		out->country = where.country;
		out->area = S("");
		out->name = where.name;
		return OK;
	}
	rc = check_radius(arena, form, &kilometres, err);
	if (rc != OK)
		return rc;
	geo_report_init(&report);
	geo_area_init(&area);
	rc = geo_area_add_disc(arena, &area, where.longitude, where.latitude, (double)kilometres * 1000, &report);
	if (rc != OK)
		return err_field(err, S("watch_radius"), MSG_travel_watch_radius_form, STR_NONE, STR_NONE);
	out->kind = WATCH_AREA;
	out->country = S("");
	out->area = geo_write_area(arena, &area);
	out->name = T(arena, language, MSG_travel_watch_circle, MSG_N("kilometres", kilometres), MSG_S("place", where.name));
	return OK;
}

/* What is wrong with a pasted area, in the reader's words. */
static enum rc polygon_error(struct arena *arena, const struct geo_report *report, struct err *err)
{
	const struct geo_finding *finding = NULL;
	for (size_t i = 0; i < report->count && !finding; i++)
		if (geo_severity(report->findings[i].code) == GEO_ERROR)
			finding = &report->findings[i];
	const enum geo_code code = finding ? finding->code : GEO_EMPTY;
	enum msg message = MSG_travel_polygon_form;
	switch (code) {
	case GEO_SWAPPED: message = MSG_travel_polygon_swapped; break;
	case GEO_SELF_CROSSING: message = MSG_travel_polygon_crossing; break;
	case GEO_LATITUDE_RANGE: case GEO_LONGITUDE_RANGE: message = MSG_travel_place_range; break;
	case GEO_TOO_MANY_VERTICES: case GEO_TOO_MANY_PARTS: case GEO_TOO_LARGE: message = MSG_travel_polygon_large; break;
	case GEO_TOO_FEW_POINTS: case GEO_NO_WIDTH: case GEO_EMPTY: message = MSG_travel_polygon_small; break;
	default: break;
	}
	const struct str line = finding && finding->line ? str_format(arena, "%zu", finding->line) : S("1");
	return err_field(err, S("watch_polygon"), (int)message, line, STR_NONE);
}

static enum rc check_polygon(struct arena *arena, enum language language, struct watch_form *form, struct watch *out, struct err *err)
{
	const struct geo_reading reading = { 0 };
	struct geo_area area;

	if (form->polygon.len > WATCH_AREA_TEXT_MAX)
		return err_field(err, S("watch_polygon"), MSG_travel_polygon_large, STR_NONE, STR_NONE);
	form->report = ARENA_NEW(arena, struct geo_report);
	geo_report_init(form->report);
	if (geo_read(arena, form->polygon, &reading, &area, form->report) != OK)
		return polygon_error(arena, form->report, err);
	if (geo_report_find(form->report, GEO_WHOLE_WORLD) || geo_report_find(form->report, GEO_HEMISPHERE))
		return err_field(err, S("watch_polygon"), MSG_travel_polygon_world, STR_NONE, STR_NONE);
	out->kind = WATCH_AREA;
	out->country = S("");
	out->area = geo_write_area(arena, &area);
	out->name = T(arena, language, MSG_travel_watch_polygon);
	return OK;
}

enum rc watch_form_check(struct house *house, struct arena *arena, enum language language, struct str phone, struct watch_form *form,
                         struct watch *out, struct err *err)
{
	struct watch watch = { .external_id = STR_NONE, .batch_id = DB_NULL };
	enum rc rc;

	if (form->place.len && form->polygon.len)
		rc = err_field(err, S("watch_polygon"), MSG_travel_watch_both, STR_NONE, STR_NONE);
	else if (form->polygon.len)
		rc = check_polygon(arena, language, form, &watch, err);
	else if (form->place.len)
		rc = check_place(house, arena, language, form, &watch, err);
	else
		rc = err_field(err, S("watch_place"), MSG_travel_watch_missing, STR_NONE, STR_NONE);
	if (form->name.len && person_name_read(arena, form->name, S("watch_name"), &watch.name, err) != OK && rc == OK)
		rc = INVALID;
	watch.zone = home_zone(house, arena, phone);
	if (rc == OK)
		*out = watch;
	return rc;
}

/* --- the rows --------------------------------------------------------------------------------------------------- */

static struct watch watch_from_row(const struct watch_row *row)
{
	return (struct watch){
		.id = row->id,
		.person_id = row->person_id,
		.public_id = row->public_id,
		.external_id = row->external_id,
		.kind = (enum watch_kind)row->kind,
		.country = row->country,
		.name = row->name,
		.area = row->area,
		.zone = row->zone,
		.created_at = row->created_at,
		.batch_id = DB_NULL,
	};
}

static bool watch_equal(const struct watch *a, const struct watch *b)
{
	return a->kind == b->kind && str_equal(a->country, b->country) && str_equal(a->area, b->area) && str_equal(a->name, b->name);
}

enum rc watch_add(struct db_tx *tx, struct arena *arena, struct watch *watch, int64_t now, struct err *err)
{
	struct watch *others;
	size_t other_count;
	struct watch_insert_row row;

	enum rc rc = watch_list(tx, arena, watch->person_id, &others, &other_count, err);
	if (rc != OK)
		return rc;
	for (size_t i = 0; i < other_count; i++) {
		if (!watch_equal(&others[i], watch))
			continue;
		*watch = others[i];
		return OK;
	}
	if (other_count >= WATCHES_MAX) {
		err_field(err, S("watch_place"), MSG_travel_watches_full, STR_NONE, STR_NONE);
		return CONFLICT;
	}
	const struct watch_insert_args args = {
		.public_id = rand_id(arena),
		.external_id = watch->external_id,
		.person_id = watch->person_id,
		.kind = (int64_t)watch->kind,
		.country = watch->country,
		.name = watch->name,
		.area = watch->area,
		.zone = watch->zone,
		.created_at = now,
		.batch_id = watch->batch_id,
	};
	rc = watch_insert(tx, arena, &args, &row, err);
	if (rc != OK)
		return rc;
	watch->id = row.id;
	watch->public_id = args.public_id;
	watch->created_at = now;
	return person_touch(tx, watch->person_id, now, err);
}

enum rc watch_change(struct db_tx *tx, const struct watch *before, const struct watch *after, int64_t now, struct err *err)
{
	const struct watch_put_args args = {
		.kind = (int64_t)after->kind,
		.country = after->country,
		.name = after->name,
		.area = after->area,
		.zone = after->zone,
		.watch_id = before->id,
	};

	enum rc rc = watch_put(tx, &args, NULL, err);
	return rc == OK ? person_touch(tx, before->person_id, now, err) : rc;
}

enum rc watch_end(struct db_tx *tx, const struct watch *watch, int64_t now, struct err *err)
{
	enum rc rc = watch_put_ended(tx, &(struct watch_put_ended_args){ .ended_at = now, .watch_id = watch->id }, NULL, err);
	return rc == OK ? person_touch(tx, watch->person_id, now, err) : rc;
}

enum rc watch_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct str public_id, struct watch *out, struct err *err)
{
	struct watch_row row;

	enum rc rc = watch_row_find(tx, arena, &(struct watch_row_find_args){ .person_id = person_id, .public_id = public_id }, &row, err);
	if (rc == OK)
		*out = watch_from_row(&row);
	return rc;
}

enum rc watch_list(struct db_tx *tx, struct arena *arena, int64_t person_id, struct watch **watches_out, size_t *count_out, struct err *err)
{
	struct watch_row *rows;
	size_t count;

	enum rc rc = watch_list_of(tx, arena, &(struct watch_list_of_args){ .person_id = person_id }, &rows, &count, err);
	if (rc != OK)
		return rc;
	struct watch *watches = ARENA_NEW_ARRAY(arena, struct watch, count);
	for (size_t i = 0; i < count; i++)
		watches[i] = watch_from_row(&rows[i]);
	*watches_out = watches;
	*count_out = count;
	return OK;
}

/* --- the person's own copy -------------------------------------------------------------------------------------- */

static json_t *text(struct str s)
{
	return json_stringn(s.ptr ? s.ptr : "", s.len);
}

json_t *watch_export(struct arena *arena, const struct watch *watch)
{
	json_t *out = json_pack("{so, so, so, so}", "id", text(watch->public_id), "name", text(watch->name), "zone", text(watch->zone),
	                        "since", text(clock_format(arena, watch->created_at)));
	if (watch->kind == WATCH_COUNTRY)
		json_object_set_new(out, "country", text(watch->country));
	else
		json_object_set_new(out, "area", json_loadb(watch->area.ptr, watch->area.len, 0, NULL));
	if (watch->external_id.ptr)
		json_object_set_new(out, "external_id", text(watch->external_id));
	return out;
}
