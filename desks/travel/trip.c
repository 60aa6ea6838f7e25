/* Trips: from form to rows and back. A new field of a trip goes through this file four times: read, check, write, export
 * (docs/first-change.md). */
#include <jansson.h>

#include "desks/travel/trip.h"

#include "travel_sql.h"

void trip_init(struct trip *trip)
{
	*trip = (struct trip){ .external_id = STR_NONE, .note = S(""), .ended_at = DB_NULL, .batch_id = DB_NULL };
}

/* --- the form --------------------------------------------------------------------------------------------------- */

void trip_form_init(struct trip_form *form)
{
	*form = (struct trip_form){ .leg_rows = TRIP_LEGS_SHOWN, .companions = S(""), .companion_names = S(""), .note = S("") };
	form->legs[0].open = true;
}

static struct str value(const struct request *request, const char *name)
{
	const struct str text = request_form(request, name);
	return str_is_none(text) ? S("") : str_trim(text);
}

void trip_form_read(const struct request *request, struct trip_form *form)
{
	trip_form_init(form);
	const size_t rows = request_form_rows(request, "leg", TRIP_LEGS_MAX);
	if (rows > form->leg_rows)
		form->leg_rows = rows;
	for (size_t i = 0; i < rows; i++) {
		leg_form_read(request, i, &form->legs[i]);
		form->legs[i].open = i == 0 || !leg_form_is_empty(&form->legs[i]);
	}
	form->companions = value(request, "companions");
	form->companion_names = value(request, "companion_names");
	form->note = value(request, "note");
}

void trip_form_changes(struct trip_form *form, const struct trip *stored)
{
	int64_t earliest = 0;

	for (size_t i = 0; i < stored->leg_count; i++)
		if (!earliest || stored->legs[i].to < earliest)
			earliest = stored->legs[i].to;
	for (size_t i = 0; i < TRIP_LEGS_MAX; i++)
		form->legs[i].earliest_end = earliest;
}

bool trip_form_is_empty(const struct trip_form *form)
{
	for (size_t i = 0; i < form->leg_rows; i++)
		if (!leg_form_is_empty(&form->legs[i]))
			return false;
	return !form->companion_names.len && !form->note.len && (!form->companions.len || str_equal(form->companions, S("0")));
}

void trip_form_add_leg(struct trip_form *form)
{
	/* The first row that is still closed, or a new one. */
	size_t row = 1;
	while (row < form->leg_rows && form->legs[row].open)
		row++;
	if (row == form->leg_rows && form->leg_rows < TRIP_LEGS_MAX)
		form->leg_rows++;
	if (row < form->leg_rows)
		form->legs[row].open = true;
}

void trip_form_fill(struct arena *arena, enum language language, const struct trip *trip, struct trip_form *form)
{
	struct buf names;

	trip_form_init(form);
	form->leg_rows = trip->leg_count + 1 < TRIP_LEGS_MAX ? trip->leg_count + 1 : TRIP_LEGS_MAX;
	for (size_t i = 0; i < trip->leg_count && i < TRIP_LEGS_MAX; i++)
		leg_form_fill(arena, language, &trip->legs[i], &form->legs[i]);
	form->companions = str_format(arena, "%lld", (long long)trip->companions);
	form->note = trip->note;
	buf_init(&names);
	for (size_t i = 0; i < trip->companion_name_count; i++)
		buf_format(&names, "%s%.*s", i ? "\n" : "", STR_ARG(trip->companion_names[i]));
	form->companion_names = str_copy(arena, buf_str(&names));
	buf_release(&names);
}

void trip_form_prepare(struct arena *arena, enum language language, struct trip_form *form)
{
	for (size_t i = 0; i < form->leg_rows; i++)
		leg_form_prepare(arena, language, &form->legs[i]);
}

/* --- the check -------------------------------------------------------------------------------------------------- */

static enum rc check_legs(struct places *places, struct arena *arena, enum language language, int64_t now, struct trip_form *form,
                          struct trip *out, struct err *err)
{
	enum rc worst = OK;

	out->legs = ARENA_NEW_ARRAY(arena, struct trip_leg, TRIP_LEGS_MAX);
	out->leg_count = 0;
	for (size_t i = 0; i < form->leg_rows; i++) {
		if (leg_form_is_empty(&form->legs[i]))
			continue;
		enum rc rc = leg_form_check(places, arena, language, now, &form->legs[i], i, &out->legs[out->leg_count], err);
		if (rc == OK)
			out->leg_count++;
		else if (worst == OK || rc != INVALID)
			worst = rc;
	}
	if (worst == OK && !out->leg_count)
		return err_field(err, S("leg.0.place"), MSG_travel_place_missing, STR_NONE, STR_NONE);
	return worst;
}

static enum rc check_companions(struct arena *arena, const struct trip_form *form, struct trip *out, struct err *err)
{
	struct str rest = form->companion_names;
	enum rc rc = OK;

	out->companion_names = ARENA_NEW_ARRAY(arena, struct str, TRIP_COMPANIONS_MAX);
	out->companion_name_count = 0;
	for (bool more = rest.len > 0; more;) {
		struct str line;
		more = str_cut(rest, '\n', &line, &rest);
		if (!str_trim(line).len)
			continue;
		if (out->companion_name_count == TRIP_COMPANIONS_MAX)
			return err_field(err, S("companion_names"), MSG_travel_companions_form, STR_NONE, STR_NONE);
		rc = person_name_read(arena, line, S("companion_names"), &out->companion_names[out->companion_name_count++], err);
		if (rc != OK)
			return rc;
	}
	out->companions = 0;
	if (form->companions.len && (!str_to_int(text_ascii_digits(arena, form->companions), &out->companions) || out->companions < 0 ||
	                             out->companions > TRIP_COMPANIONS_MAX))
		return err_field(err, S("companions"), MSG_travel_companions_form, STR_NONE, STR_NONE);
	/* Who is named is counted. */
	if (out->companions < (int64_t)out->companion_name_count)
		out->companions = (int64_t)out->companion_name_count;
	return OK;
}

enum rc trip_form_check(struct places *places, struct arena *arena, enum language language, int64_t now, struct trip_form *form,
                        struct trip *out, struct err *err)
{
	struct trip trip;

	trip_init(&trip);
	enum rc rc = check_legs(places, arena, language, now, form, &trip, err);
	if (rc != OK && rc != INVALID)
		return rc;
	if (check_companions(arena, form, &trip, err) != OK)
		rc = INVALID;
	if (utf8_length(form->note) > TRIP_NOTE_MAX)
		rc = err_field(err, S("note"), MSG_travel_note_long, STR_NONE, STR_NONE);
	trip.note = form->note;
	if (rc == OK)
		*out = trip;
	return rc;
}

/* --- the rows --------------------------------------------------------------------------------------------------- */

enum rc trip_write_leg(struct db_tx *tx, struct arena *arena, const struct trip *trip, size_t index, size_t position, struct err *err)
{
	const struct trip_leg *leg = &trip->legs[index];
	const struct trip_leg_insert_args args = {
		.person_id = trip->person_id,
		.trip_id = trip->id,
		.position = (int64_t)position + 1,
		.kind = (int64_t)leg->kind,
		.place_id = leg->place_id,
		.place_name = leg->place,
		.latitude = leg->latitude,
		.longitude = leg->longitude,
		.radius = leg->radius,
		.country = leg->country,
		.zone = leg->zone,
		.from_date = leg->from,
		.to_date = leg->to,
		.from_unsure = leg->from_unsure,
		.to_unsure = leg->to_unsure,
		.from_at = leg->from_at,
		.to_at = leg->to_at,
		.arrival_at = leg->arrival_at,
		.batch_id = trip->batch_id,
	};
	struct trip_leg_insert_row row;

	enum rc rc = trip_leg_insert(tx, arena, &args, &row, err);
	if (rc == OK)
		trip->legs[index].id = row.id;
	return rc;
}

static enum rc write_companion(struct db_tx *tx, const struct trip *trip, size_t i, struct err *err)
{
	return companion_insert(tx, &(struct companion_insert_args){ .trip_id = trip->id, .name = trip->companion_names[i] }, NULL, err);
}

enum rc trip_write(struct db_tx *tx, struct arena *arena, struct trip *trip, struct str form_key, int64_t now, struct err *err)
{
	const struct trip_insert_args args = {
		.public_id = rand_id(arena),
		.external_id = trip->external_id,
		.person_id = trip->person_id,
		.companions = trip->companions,
		.note = trip->note,
		.form_key = form_key,
		.created_at = now,
		.batch_id = trip->batch_id,
	};
	struct trip_insert_row row;

	enum rc rc = trip_insert(tx, arena, &args, &row, err);
	if (rc != OK)
		return rc;
	trip->id = row.id;
	trip->public_id = args.public_id;
	for (size_t i = 0; rc == OK && i < trip->leg_count; i++)
		rc = trip_write_leg(tx, arena, trip, i, i, err);
	for (size_t i = 0; rc == OK && i < trip->companion_name_count; i++)
		rc = write_companion(tx, trip, i, err);
	return rc;
}

enum rc trip_add(struct db_tx *tx, struct arena *arena, struct trip *trip, struct str form_key, int64_t now, struct err *err)
{
	struct trip_row *others;
	size_t other_count, open = 0;

	enum rc rc = trip_list_of(tx, arena, &(struct trip_list_of_args){ .person_id = trip->person_id }, &others, &other_count, err);
	if (rc != OK)
		return rc;
	for (size_t i = 0; i < other_count; i++)
		open += others[i].ended_at == DB_NULL;
	if (open >= TRIPS_MAX) {
		err_field(err, S("leg.0.place"), MSG_travel_trips_full, STR_NONE, STR_NONE);
		return CONFLICT;
	}
	rc = trip_write(tx, arena, trip, form_key, now, err);
	return rc == OK ? person_touch(tx, trip->person_id, now, err) : rc;
}

/* Stays that are the same keep their row; the others end, and new ones are written. */
static enum rc change_legs(struct db_tx *tx, struct arena *arena, const struct trip *before, const struct trip *after, int64_t now,
                           struct err *err)
{
	bool *kept = ARENA_NEW_ARRAY(arena, bool, before->leg_count + 1);
	enum rc rc = OK;

	for (size_t i = 0; rc == OK && i < after->leg_count; i++) {
		size_t same = 0;
		while (same < before->leg_count && (kept[same] || !leg_equal(&before->legs[same], &after->legs[i])))
			same++;
		if (same == before->leg_count) {
			rc = trip_write_leg(tx, arena, after, i, i, err);
			continue;
		}
		kept[same] = true;
		after->legs[i].id = before->legs[same].id;
		rc = trip_leg_put_position(
			tx, &(struct trip_leg_put_position_args){ .position = (int64_t)i + 1, .leg_id = before->legs[same].id }, NULL, err);
	}
	for (size_t i = 0; rc == OK && i < before->leg_count; i++)
		if (!kept[i])
			rc = trip_leg_put_ended(tx, &(struct trip_leg_put_ended_args){ .ended_at = now, .leg_id = before->legs[i].id }, NULL, err);
	return rc;
}

/* Named companions keep their row (they may have been answered for); others go and come. */
static enum rc change_companions(struct db_tx *tx, struct arena *arena, const struct trip *after, struct err *err)
{
	struct companion_list_of_row *rows;
	size_t row_count;
	bool *named = ARENA_NEW_ARRAY(arena, bool, after->companion_name_count + 1);

	enum rc rc = companion_list_of(tx, arena, &(struct companion_list_of_args){ .trip_id = after->id }, &rows, &row_count, err);
	for (size_t i = 0; rc == OK && i < row_count; i++) {
		size_t same = 0;
		while (same < after->companion_name_count && (named[same] || !str_equal(rows[i].name, after->companion_names[same])))
			same++;
		if (same < after->companion_name_count)
			named[same] = true;
		else
			rc = companion_remove(tx, &(struct companion_remove_args){ .companion_id = rows[i].id }, NULL, err);
	}
	for (size_t i = 0; rc == OK && i < after->companion_name_count; i++)
		if (!named[i])
			rc = write_companion(tx, after, i, err);
	return rc;
}

enum rc trip_change(struct db_tx *tx, struct arena *arena, const struct trip *before, const struct trip *after, int64_t now, struct err *err)
{
	struct trip stored = *after;

	stored.id = before->id;
	stored.person_id = before->person_id;
	stored.batch_id = before->batch_id;
	const struct trip_put_args args = {
		.companions = after->companions,
		.note = after->note,
		.changed_at = now,
		.trip_id = before->id,
	};
	enum rc rc = trip_put(tx, &args, NULL, err);
	if (rc == OK)
		rc = change_legs(tx, arena, before, &stored, now, err);
	if (rc == OK)
		rc = change_companions(tx, arena, &stored, err);
	return rc == OK ? person_touch(tx, before->person_id, now, err) : rc;
}

enum rc trip_end(struct db_tx *tx, const struct trip *trip, int64_t now, struct err *err)
{
	enum rc rc = trip_put_ended(tx, &(struct trip_put_ended_args){ .ended_at = now, .trip_id = trip->id }, NULL, err);
	if (rc == OK)
		rc = trip_leg_put_ended_all(tx, &(struct trip_leg_put_ended_all_args){ .ended_at = now, .trip_id = trip->id }, NULL, err);
	return rc == OK ? person_touch(tx, trip->person_id, now, err) : rc;
}

static enum rc read_legs(struct db_tx *tx, struct arena *arena, struct trip *trip, struct err *err)
{
	struct trip_leg_list_row *rows;

	enum rc rc = trip_leg_list(tx, arena, &(struct trip_leg_list_args){ .trip_id = trip->id }, &rows, &trip->leg_count, err);
	if (rc != OK)
		return rc;
	trip->legs = ARENA_NEW_ARRAY(arena, struct trip_leg, trip->leg_count);
	for (size_t i = 0; i < trip->leg_count; i++)
		trip->legs[i] = (struct trip_leg){
			.id = rows[i].id,
			.kind = (enum leg_kind)rows[i].kind,
			.place_id = rows[i].place_id,
			.place = rows[i].place_name,
			.latitude = rows[i].latitude,
			.longitude = rows[i].longitude,
			.radius = rows[i].radius,
			.country = rows[i].country,
			.zone = rows[i].zone,
			.from = rows[i].from_date,
			.to = rows[i].to_date,
			.from_unsure = rows[i].from_unsure,
			.to_unsure = rows[i].to_unsure,
			.from_at = rows[i].from_at,
			.to_at = rows[i].to_at,
			.arrival_at = rows[i].arrival_at,
		};
	return OK;
}

static enum rc trip_read(struct db_tx *tx, struct arena *arena, const struct trip_row *row, struct trip *out, struct err *err)
{
	struct companion_list_of_row *names;
	struct trip trip = {
		.id = row->id,
		.public_id = row->public_id,
		.external_id = row->external_id,
		.person_id = row->person_id,
		.companions = row->companions,
		.note = row->note,
		.created_at = row->created_at,
		.changed_at = row->changed_at,
		.ended_at = row->ended_at,
		.batch_id = DB_NULL,
	};

	enum rc rc = read_legs(tx, arena, &trip, err);
	if (rc == OK)
		rc = companion_list_of(tx, arena, &(struct companion_list_of_args){ .trip_id = trip.id }, &names, &trip.companion_name_count, err);
	if (rc != OK)
		return rc;
	trip.companion_names = ARENA_NEW_ARRAY(arena, struct str, trip.companion_name_count);
	for (size_t i = 0; i < trip.companion_name_count; i++)
		trip.companion_names[i] = names[i].name;
	*out = trip;
	return OK;
}

enum rc trip_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct str public_id, struct trip *out, struct err *err)
{
	struct trip_row row;

	enum rc rc = trip_row_find(tx, arena, &(struct trip_row_find_args){ .person_id = person_id, .public_id = public_id }, &row, err);
	return rc == OK ? trip_read(tx, arena, &row, out, err) : rc;
}

enum rc trip_find_form(struct db_tx *tx, struct arena *arena, int64_t person_id, struct str form_key, struct trip *out, struct err *err)
{
	struct trip_id_find_form_key_row row;

	if (str_is_none(form_key))
		return NOT_FOUND;
	enum rc rc = trip_id_find_form_key(tx, arena, &(struct trip_id_find_form_key_args){ .form_key = form_key }, &row, err);
	if (rc == OK && row.person_id != person_id)
		rc = NOT_FOUND;
	return rc == OK ? trip_find(tx, arena, person_id, row.public_id, out, err) : rc;
}

enum rc trip_list(struct db_tx *tx, struct arena *arena, int64_t person_id, bool ended, struct trip **trips_out, size_t *count_out,
                  struct err *err)
{
	struct trip_row *rows;
	size_t row_count, count = 0;

	enum rc rc = trip_list_of(tx, arena, &(struct trip_list_of_args){ .person_id = person_id }, &rows, &row_count, err);
	struct trip *trips = ARENA_NEW_ARRAY(arena, struct trip, rc == OK ? row_count : 0);
	for (size_t i = 0; rc == OK && i < row_count; i++)
		if (ended || rows[i].ended_at == DB_NULL)
			rc = trip_read(tx, arena, &rows[i], &trips[count++], err);
	if (rc == OK) {
		*trips_out = trips;
		*count_out = count;
	}
	return rc;
}

/* --- the person's own copy -------------------------------------------------------------------------------------- */

static json_t *text(struct str s)
{
	return json_stringn(s.ptr ? s.ptr : "", s.len);
}

static json_t *leg_export(struct arena *arena, const struct trip_leg *leg)
{
	return json_pack("{so, ss, sf, sf, sI, so, so, so, so, sI, sI}", "place", text(leg->place), "kind",
	                 leg->kind == LEG_COUNTRY ? "country" : leg->kind == LEG_DISC ? "disc" : "point", "latitude", leg->latitude, "longitude",
	                 leg->longitude, "radius_metres", (json_int_t)leg->radius, "country", text(leg->country), "zone", text(leg->zone), "from",
	                 text(date_format(arena, leg->from)), "to", text(date_format(arena, leg->to)), "from_unsure_days",
	                 (json_int_t)leg->from_unsure, "to_unsure_days", (json_int_t)leg->to_unsure);
}

json_t *trip_export(struct arena *arena, const struct trip *trip)
{
	json_t *legs = json_array(), *names = json_array();
	for (size_t i = 0; i < trip->leg_count; i++)
		json_array_append_new(legs, leg_export(arena, &trip->legs[i]));
	for (size_t i = 0; i < trip->companion_name_count; i++)
		json_array_append_new(names, text(trip->companion_names[i]));
	json_t *out = json_pack("{so, sI, so, so}", "id", text(trip->public_id), "companions", (json_int_t)trip->companions, "companion_names",
	                        names, "stays", legs);
	json_object_set_new(out, "note", text(trip->note));
	json_object_set_new(out, "enrolled_at", text(clock_format(arena, trip->created_at)));
	json_object_set_new(out, "changed_at", text(clock_format(arena, trip->changed_at)));
	if (trip->external_id.ptr)
		json_object_set_new(out, "external_id", text(trip->external_id));
	if (trip->ended_at != DB_NULL)
		json_object_set_new(out, "ended_at", text(clock_format(arena, trip->ended_at)));
	return out;
}
