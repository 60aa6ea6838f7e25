/* Stays: reading what was typed, checking it, and the times that come of it. */
#include "desks/travel/leg.h"

#define GROUP "leg"

static struct str row_field(struct arena *arena, size_t row, const char *name)
{
	return str_format(arena, GROUP ".%zu.%s", row, name);
}

static struct str row_value(const struct request *request, size_t row, const char *name)
{
	const struct str value = request_form(request, row_field(request->arena, row, name).ptr);
	return str_is_none(value) ? S("") : value;
}

static bool row_ticked(const struct request *request, size_t row, const char *value)
{
	struct str *values;
	const size_t count = request_form_all(request, row_field(request->arena, row, "unsure").ptr, &values);
	for (size_t i = 0; i < count; i++)
		if (str_equal(values[i], str_from(value)))
			return true;
	return false;
}

void leg_form_read(const struct request *request, size_t row, struct leg_form *form)
{
	*form = (struct leg_form){
		.place = str_trim(row_value(request, row, "place")),
		.choice = row_value(request, row, "choice"),
		.choice_for = row_value(request, row, "choice_for"),
		.from = str_trim(row_value(request, row, "from")),
		.to = str_trim(row_value(request, row, "to")),
		.unsure_days = str_trim(row_value(request, row, "unsure_days")),
		.radius = row_value(request, row, "radius"),
		.from_unsure = row_ticked(request, row, "from"),
		.to_unsure = row_ticked(request, row, "to"),
	};
}

bool leg_form_is_empty(const struct leg_form *form)
{
	return !form->place.len && !form->from.len && !form->to.len && !form->unsure_days.len && !form->from_unsure && !form->to_unsure;
}

void leg_form_fill(struct arena *arena, enum language language, const struct trip_leg *leg, struct leg_form *form)
{
	const int64_t unsure = leg->from_unsure > leg->to_unsure ? leg->from_unsure : leg->to_unsure;
	*form = (struct leg_form){
		.place = leg->place,
		.from = text_date_input(arena, language, leg->from),
		.to = text_date_input(arena, language, leg->to),
		.from_unsure = leg->from_unsure > 0,
		.to_unsure = leg->to_unsure > 0,
		.unsure_days = unsure ? str_format(arena, "%lld", (long long)unsure) : S(""),
		.radius = str_format(arena, "%lld", (long long)(leg->radius / 1000)),
		.open = true,
	};
	/* The stored place stays chosen as long as its text is not changed. */
	form->choice_for = leg->place;
	if (leg->kind == LEG_COUNTRY)
		form->choice = str_concat(arena, S("c"), leg->country);
	else if (leg->place_id != DB_NULL)
		form->choice = str_format(arena, "p%lld", (long long)leg->place_id);
	else
		form->place = str_format(arena, "%.5f, %.5f", leg->latitude, leg->longitude);
}

void leg_form_prepare(struct arena *arena, enum language language, struct leg_form *form)
{
	static const int64_t radii[] = { 0, 10, 50, 100, 200 };
	int64_t given = 0;
	bool listed = false;

	str_to_int(text_ascii_digits(arena, form->radius), &given);
	form->radii = ARENA_NEW_ARRAY(arena, struct choice, COUNT_OF(radii) + 1);
	form->radius_count = 0;
	for (size_t i = 0; i <= COUNT_OF(radii); i++) {
		const int64_t radius = i < COUNT_OF(radii) ? radii[i] : given;
		if (i == COUNT_OF(radii) && (listed || radius < 0 || radius > LEG_RADIUS_MAX_KM))
			break;
		listed = listed || radius == given;
		form->radii[form->radius_count++] = (struct choice){
			.value = str_format(arena, "%lld", (long long)radius),
			.text = T(arena, language, MSG_travel_radius_choice, MSG_N("kilometres", radius)),
			.chosen = radius == given,
		};
	}
	form->unsure = ARENA_NEW_ARRAY(arena, struct choice, LEG_UNSURE_COUNT);
	form->unsure[0] = (struct choice){ S("from"), T(arena, language, MSG_travel_unsure_from), form->from_unsure };
	form->unsure[1] = (struct choice){ S("to"), T(arena, language, MSG_travel_unsure_to), form->to_unsure };
	form->more = form->from_unsure || form->to_unsure || form->unsure_days.len || given;
	for (size_t i = 0; i < form->choice_count; i++)
		form->choices[i].chosen = str_equal(form->choices[i].value, form->choice);
}

static enum rc check_place(struct places *places, struct arena *arena, enum language language, struct leg_form *form, size_t row,
                           struct trip_leg *out, struct err *err)
{
	static const enum msg messages[] = {
		[WHERE_CHOOSE] = MSG_travel_place_choose,
		[WHERE_GUESS] = MSG_travel_place_guess,
		[WHERE_NOTHING] = MSG_travel_place_unknown,
		[WHERE_OUT_OF_RANGE] = MSG_travel_place_range,
	};
	const struct str field = row_field(arena, row, "place");
	const struct str choice = str_equal(form->choice_for, form->place) ? form->choice : STR_NONE;
	enum where_answer answer;
	struct where where;

	if (!form->place.len)
		return err_field(err, field, MSG_travel_place_missing, STR_NONE, STR_NONE);
	if (utf8_length(form->place) > LEG_PLACE_MAX)
		return err_field(err, field, MSG_travel_place_long, STR_NONE, STR_NONE);
	enum rc rc = where_read(places, arena, language, form->place, choice, false, &answer, &where, &form->choices, &form->choice_count, err);
	if (rc != OK)
		return rc;
	form->choice_for = form->place;
	if (answer != WHERE_FOUND) {
		form->open = true;
		if (str_is_none(choice))
			form->choice = S("");
		const bool choose = form->choice_count > 0;
		return err_field(err, choose ? row_field(arena, row, "choice") : field, (int)messages[answer], form->place, STR_NONE);
	}
	/* Chosen and shown: what follows from it stays with the text it was chosen for. */
	form->choice_count = 0;
	out->kind = where.kind;
	out->place_id = where.place_id;
	out->place = where.name;
	out->latitude = where.latitude;
	out->longitude = where.longitude;
	out->country = where.country;
	out->zone = where.zone;
	return OK;
}

static enum rc check_day(struct arena *arena, enum language language, struct str text, size_t row, const char *name, enum msg missing,
                         int64_t *out, struct err *err)
{
	const struct str field = row_field(arena, row, name);
	if (!text.len)
		return err_field(err, field, (int)missing, STR_NONE, STR_NONE);
	if (!text_read_date(text, language, out))
		return err_field(err, field, MSG_travel_date_form, text_date_input(arena, language, clock_now() / CLOCK_DAY), STR_NONE);
	return OK;
}

enum rc leg_check_days(struct arena *arena, const char *prefix, int64_t today, int64_t earliest_end, int64_t from, int64_t to, struct err *err)
{
	const struct str from_field = str_format(arena, "%sfrom", prefix), to_field = str_format(arena, "%sto", prefix);

	if (to < from)
		return err_field(err, to_field, MSG_travel_date_reversed, STR_NONE, STR_NONE);
	if (to < earliest_end)
		return err_field(err, to_field, MSG_travel_date_past, STR_NONE, STR_NONE);
	if (from - today > LEG_DAYS_MAX)
		return err_field(err, from_field, MSG_travel_date_far, STR_NONE, STR_NONE);
	if (to - from > LEG_DAYS_MAX)
		return err_field(err, to_field, MSG_travel_date_long, STR_NONE, STR_NONE);
	return OK;
}

static enum rc check_unsure(struct arena *arena, const struct leg_form *form, size_t row, struct trip_leg *out, struct err *err)
{
	int64_t days = LEG_UNSURE_INITIAL;

	if (form->unsure_days.len && (!str_to_int(text_ascii_digits(arena, form->unsure_days), &days) || days < 0 || days > LEG_UNSURE_MAX))
		return err_field(err, row_field(arena, row, "unsure_days"), MSG_travel_unsure_form, STR_NONE, STR_NONE);
	/* A number of days without a tick says that both are not sure. */
	const bool both = form->unsure_days.len && !form->from_unsure && !form->to_unsure;
	out->from_unsure = form->from_unsure || both ? days : 0;
	out->to_unsure = form->to_unsure || both ? days : 0;
	return OK;
}

static enum rc check_radius(struct arena *arena, const struct leg_form *form, size_t row, struct trip_leg *out, struct err *err)
{
	int64_t kilometres = 0;

	if (form->radius.len && (!str_to_int(text_ascii_digits(arena, form->radius), &kilometres) || kilometres < 0 || kilometres > LEG_RADIUS_MAX_KM))
		return err_field(err, row_field(arena, row, "radius"), MSG_travel_radius_form, STR_NONE, STR_NONE);
	if (out->kind == LEG_POINT && kilometres > 0) {
		out->kind = LEG_DISC;
		out->radius = kilometres * 1000;
	}
	return OK;
}

enum rc leg_form_check(struct places *places, struct arena *arena, enum language language, int64_t now, struct leg_form *form, size_t row,
                       struct trip_leg *out, struct err *err)
{
	const char *prefix = str_format(arena, GROUP ".%zu.", row).ptr;
	struct trip_leg leg = { 0 };

	const enum rc place = check_place(places, arena, language, form, row, &leg, err);
	const enum rc from = check_day(arena, language, form->from, row, "from", MSG_travel_from_missing, &leg.from, err);
	const enum rc to = check_day(arena, language, form->to, row, "to", MSG_travel_to_missing, &leg.to, err);
	enum rc rc = place != OK ? place : from != OK ? from : to;
	/* Somewhere it is still yesterday. */
	const int64_t today = now / CLOCK_DAY, earliest_end = form->earliest_end && form->earliest_end < today ? form->earliest_end : today - 1;
	if (from == OK && to == OK && leg_check_days(arena, prefix, today, earliest_end, leg.from, leg.to, err) != OK)
		rc = INVALID;
	if (check_unsure(arena, form, row, &leg, err) != OK || check_radius(arena, form, row, &leg, err) != OK)
		rc = INVALID;
	if (place != OK && place != INVALID)
		return place; /* the gazetteer failed: no fault of what was typed */
	if (rc == OK)
		rc = leg_set_times(places, &leg, err);
	if (rc == OK)
		*out = leg;
	else
		form->open = true;
	return rc;
}

enum rc leg_set_times(struct places *places, struct trip_leg *leg, struct err *err)
{
	int64_t from_at, to_at, arrival_at, unused;
	const int64_t first = leg->from - leg->from_unsure, last = leg->to + leg->to_unsure;
	bool known;

	if (leg->kind == LEG_COUNTRY)
		known = country_window(places, leg->country, first, last, &from_at, &to_at) &&
		        country_window(places, leg->country, leg->from, leg->from, &arrival_at, &unused);
	else
		known = place_window(leg->zone, first, last, &from_at, &to_at) &&
		        place_window(leg->zone, leg->from, leg->from, &arrival_at, &unused);
	/* A country without places, as Antarctica: its days are those of UTC. */
	if (!known)
		known = place_window(S("UTC"), first, last, &from_at, &to_at) && place_window(S("UTC"), leg->from, leg->from, &arrival_at, &unused);
	if (!known)
		return err_set(err, INVALID, "no times for the days of a stay");
	leg->from_at = from_at;
	leg->to_at = to_at;
	leg->arrival_at = arrival_at;
	return OK;
}

bool leg_equal(const struct trip_leg *a, const struct trip_leg *b)
{
	return a->kind == b->kind && a->place_id == b->place_id && str_equal(a->place, b->place) && a->radius == b->radius &&
	       str_equal(a->country, b->country) && a->from == b->from && a->to == b->to && a->from_unsure == b->from_unsure &&
	       a->to_unsure == b->to_unsure && !(a->latitude < b->latitude) && !(b->latitude < a->latitude) &&
	       !(a->longitude < b->longitude) && !(b->longitude < a->longitude);
}
