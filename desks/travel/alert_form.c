/* The officer's form: as typed, checked, and filled from what is stored. */
#include <math.h>

#include "core/places/map.h"
#include "desks/travel/alert.h"
#include "desks/travel/where.h"

#define TIME_TEXT_MAX 8
#define COUNTRY_GUESSES 4 /* countries named in "did you mean" */

/* --- local times -------------------------------------------------------------------------------------------------- */

static bool read_clock(struct str text, int64_t *minutes)
{
	struct str hours, rest;
	int64_t hour, minute = 0;

	const bool has_minutes = str_cut(text, ':', &hours, &rest) || str_cut(text, '.', &hours, &rest);
	if (!str_to_int(hours, &hour) || (has_minutes && (rest.len != 2 || !str_to_int(rest, &minute))))
		return false;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*minutes = hour * 60 + minute;
	return true;
}

bool local_time(struct arena *arena, struct str zone_name, int64_t day, struct str time, int64_t *out)
{
	const struct zone *zone = zone_find(zone_name);
	int64_t minutes;

	if (!zone || time.len > 4 * TIME_TEXT_MAX || !read_clock(text_ascii_digits(arena, str_trim(time)), &minutes))
		return false;
	/* Twice, because the offset is that of the time looked for. */
	const int64_t local = day * CLOCK_DAY + minutes * CLOCK_MINUTE;
	int64_t at = local - zone_offset(zone, local) * CLOCK_SECOND;
	at = local - zone_offset(zone, at) * CLOCK_SECOND;
	*out = at;
	return true;
}

static void fill_time(struct arena *arena, enum language language, struct str zone_name, int64_t at, struct str *date,
                      struct str *time)
{
	const struct zone *zone = zone_find(zone_name);
	const int64_t local = at + (zone ? zone_offset(zone, at) : 0) * CLOCK_SECOND;
	const int64_t minutes = (local % CLOCK_DAY + CLOCK_DAY) % CLOCK_DAY / CLOCK_MINUTE;

	*date = text_date_input(arena, language, zone ? zone_day(zone, at) : at / CLOCK_DAY);
	*time = str_format(arena, "%02d:%02d", (int)(minutes / 60), (int)(minutes % 60));
}

/* --- filling ------------------------------------------------------------------------------------------------------ */

void alert_form_init(struct alert_form *form, struct arena *arena, enum language language, struct str zone, int64_t now)
{
	*form = (struct alert_form){
		.type = ALERT_NEW,
		.kind = S("1"),
		.severity = S("2"),
		.urgency = S("1"),
		.certainty = S("2"),
		.zone = zone_find(zone) ? zone : S("UTC"),
		.language = str_from(languages[language].tag),
		.circle_rows = ALERT_CIRCLES_SPARE,
		.mail = true,
		.sms = true,
		.push = true,
		.include_possible = true,
		.ladder = S(""),
		.map = STR_NONE,
	};
	/* A day from the next full hour. */
	const int64_t expires = (now / CLOCK_HOUR + 25) * CLOCK_HOUR;
	fill_time(arena, language, form->zone, expires, &form->expires_date, &form->expires_time);
	geo_report_init(&form->report);
}

static struct str form_text(const struct request *request, const char *name)
{
	const struct str text = request_form(request, name);

	return str_is_none(text) ? S("") : text;
}

static struct str row_text(const struct request *request, const char *group, size_t row, const char *name)
{
	return form_text(request, str_format(request->arena, "%s.%zu.%s", group, row, name).ptr);
}

static bool ticked(const struct request *request, const char *name, const char *value)
{
	struct str *values;
	const size_t count = request_form_all(request, name, &values);

	for (size_t i = 0; i < count; i++)
		if (str_equal(values[i], str_from(value)))
			return true;
	return false;
}

void alert_form_request(struct alert_form *form, const struct request *request, enum alert_type type)
{
	*form = (struct alert_form){
		.type = type,
		.kind = form_text(request, "kind"),
		.severity = form_text(request, "severity"),
		.urgency = form_text(request, "urgency"),
		.certainty = form_text(request, "certainty"),
		.zone = str_trim(form_text(request, "zone")),
		.language = form_text(request, "language"),
		.exercise = form_text(request, "exercise"),
		.effective_date = str_trim(form_text(request, "effective_date")),
		.effective_time = str_trim(form_text(request, "effective_time")),
		.onset_date = str_trim(form_text(request, "onset_date")),
		.onset_time = str_trim(form_text(request, "onset_time")),
		.expires_date = str_trim(form_text(request, "expires_date")),
		.expires_time = str_trim(form_text(request, "expires_time")),
		.countries = str_trim(form_text(request, "countries")),
		.polygon = str_trim(form_text(request, "polygon")),
		.area_description = str_trim(form_text(request, "area_description")),
		.mail = ticked(request, "channels", "mail"),
		.sms = ticked(request, "channels", "sms"),
		.push = ticked(request, "channels", "push"),
		.include_possible = ticked(request, "options", "possible"),
		.sms_at_night = ticked(request, "options", "night"),
		.ladder = str_trim(form_text(request, "ladder")),
		.map = STR_NONE,
	};
	geo_report_init(&form->report);
	form->circle_rows = request_form_rows(request, "circle", ALERT_CIRCLES_MAX);
	for (size_t i = 0; i < form->circle_rows; i++)
		form->circles[i] = (struct circle_form){ .place = str_trim(row_text(request, "circle", i, "place")),
			                                 .km = str_trim(row_text(request, "circle", i, "km")),
			                                 .choice = row_text(request, "circle", i, "choice"),
			                                 .choice_for = row_text(request, "circle", i, "choice_for") };
	for (size_t i = 0; i < GROUP_TEXTS * LANGUAGE_COUNT; i++)
		form->texts[i / LANGUAGE_COUNT][i % LANGUAGE_COUNT] = (struct text_form){
			.headline = str_trim(row_text(request, "text", i, "headline")),
			.description = str_trim(row_text(request, "text", i, "description")),
			.instruction = str_trim(row_text(request, "text", i, "instruction")),
			.sms = str_trim(row_text(request, "text", i, "sms")),
		};
}

static struct str number_text(struct arena *arena, int64_t number)
{
	return str_format(arena, "%lld", (long long)number);
}

static void fill_area(struct alert_form *form, struct house *house, struct arena *arena, enum language language,
                      const struct geo_area *area)
{
	struct buf buf;

	buf_init(&buf);
	for (size_t i = 0; i < area->country_count; i++) {
		if (i)
			buf_add_str(&buf, S("; "));
		buf_add_str(&buf, country_name(places_of(house), arena, geo_country_code(area->countries[i]),
		                               languages[language].tag));
	}
	form->countries = str_copy(arena, buf_str(&buf));
	buf_release(&buf);
	for (size_t i = 0; i < area->disc_count && form->circle_rows < ALERT_CIRCLES_MAX; i++)
		form->circles[form->circle_rows++] = (struct circle_form){
			.place = str_format(arena, "%.7g, %.7g", geo_degrees(area->discs[i].centre.y),
			                    geo_degrees(area->discs[i].centre.x)),
			.km = str_format(arena, "%.6g", area->discs[i].radius_m / 1000),
		};
	if (area->polygon_count) {
		struct geo_area polygons;
		geo_area_init(&polygons);
		polygons.polygons = area->polygons;
		polygons.polygon_count = area->polygon_count;
		polygons.vertex_count = area->vertex_count;
		polygons.polygon_parts = area->polygon_parts;
		form->polygon = geo_write_geojson(arena, &polygons);
	}
	for (size_t i = 0; i < ALERT_CIRCLES_SPARE && form->circle_rows < ALERT_CIRCLES_MAX; i++)
		form->circle_rows++;
}

void alert_form_fill(struct alert_form *form, struct house *house, struct arena *arena, enum language language,
                     const struct alert *alert, const struct alert_version *version)
{
	*form = (struct alert_form){
		.type = version->type,
		.kind = number_text(arena, alert->kind),
		.severity = number_text(arena, version->severity),
		.urgency = number_text(arena, version->urgency),
		.certainty = number_text(arena, version->certainty),
		.zone = version->zone,
		.language = str_from(languages[version->language].tag),
		.countries = S(""),
		.polygon = S(""),
		.area_description = version->area_description,
		.mail = (version->channels & CHANNEL_BIT(CHANNEL_MAIL)) != 0,
		.sms = (version->channels & CHANNEL_BIT(CHANNEL_SMS)) != 0,
		.push = (version->channels & CHANNEL_BIT(CHANNEL_PUSH)) != 0,
		.include_possible = version->include_possible,
		.sms_at_night = version->sms_at_night,
		.ladder = version->ladder_name,
		.map = STR_NONE,
	};
	geo_report_init(&form->report);
	if (version->effective)
		fill_time(arena, language, version->zone, version->effective, &form->effective_date,
		          &form->effective_time);
	if (version->onset)
		fill_time(arena, language, version->zone, version->onset, &form->onset_date, &form->onset_time);
	fill_time(arena, language, version->zone, version->expires, &form->expires_date, &form->expires_time);
	fill_area(form, house, arena, language, &version->area);
	for (size_t i = 0; i < version->text_count; i++) {
		const struct alert_text *text = &version->texts[i];
		if (text->group >= 1 && text->group <= GROUP_TEXTS)
			form->texts[text->group - 1][text->language] =
				(struct text_form){ text->headline, text->description, text->instruction, text->sms };
	}
}

/* --- checking ----------------------------------------------------------------------------------------------------- */

struct checking {
	struct house *house;
	struct arena *arena;
	struct places *places;
	enum language language;
	int64_t now;
	struct alert_form *form;
	struct alert_version *out;
	struct err *err;
};

static void broken(struct checking *checking, struct str field, enum msg message)
{
	err_field(checking->err, field, (int)message, STR_NONE, STR_NONE);
}

static int64_t check_term(struct checking *checking, struct str text, int64_t end, struct str field)
{
	int64_t value = 0;

	if (!str_to_int(text, &value) || value < 1 || value >= end) {
		broken(checking, field, MSG_alert_rule_choose);
		return 0;
	}
	return value;
}

static int64_t check_time(struct checking *checking, struct str date, struct str time, struct str field, int64_t empty)
{
	int64_t day, at = empty;

	if (!date.len && !time.len)
		return empty;
	if (!text_read_date(date, checking->language, &day))
		broken(checking, str_format(checking->arena, "%.*s_date", STR_ARG(field)), MSG_alert_rule_date);
	else if (!local_time(checking->arena, checking->form->zone, day, time.len ? time : S("00:00"), &at))
		broken(checking, str_format(checking->arena, "%.*s_time", STR_ARG(field)), MSG_alert_rule_time);
	return at;
}

static void check_times(struct checking *checking)
{
	struct alert_form *form = checking->form;
	struct alert_version *out = checking->out;
	const size_t before = checking->err->field_count;

	out->zone = form->zone;
	if (!form->zone.len || form->zone.len >= ZONE_NAME_MAX || !zone_find(form->zone)) {
		broken(checking, S("zone"), MSG_alert_rule_zone);
		return;
	}
	out->effective = check_time(checking, form->effective_date, form->effective_time, S("effective"), 0);
	out->onset = check_time(checking, form->onset_date, form->onset_time, S("onset"), 0);
	out->expires = check_time(checking, form->expires_date, form->expires_time, S("expires"), 0);
	if (checking->err->field_count > before)
		return;
	if (!out->expires)
		broken(checking, S("expires_date"), MSG_alert_rule_expires);
	else if (out->expires <= checking->now)
		broken(checking, S("expires_date"), MSG_alert_rule_expired);
	else if (out->expires > checking->now + ALERT_DAYS_MAX * CLOCK_DAY)
		broken(checking, S("expires_date"), MSG_alert_rule_too_long);
	else if (out->effective >= out->expires)
		broken(checking, S("effective_date"), MSG_alert_rule_order);
	else if (out->onset >= out->expires)
		broken(checking, S("onset_date"), MSG_alert_rule_order);
}

/* --- the area ----------------------------------------------------------------------------------------------------- */

/* The country that is called `text`, in the officer's language or English, else in any other; false if there is none or more than one. Nobody
 * is alerted on a guess: `guesses` (may be NULL) gets the names that come near. */
static bool find_country(struct checking *checking, struct str text, struct str *code, struct str *guesses)
{
	struct country *found;
	size_t count, named = 0, abroad = 0, own = 0;
	struct err quiet;

	err_init(&quiet, checking->arena);
	if (country_search(checking->places, checking->arena, text, languages[checking->language].tag, COUNTRY_GUESSES, &found, &count,
	                   &quiet) != OK)
		count = 0;
	for (size_t i = count; i-- > 0;) {
		named += found[i].named;
		abroad += found[i].named_abroad;
		if (found[i].named || (found[i].named_abroad && !named))
			own = i;
	}
	if (named == 1 || (named == 0 && abroad == 1)) {
		*code = str_from(found[own].code);
		return true;
	}
	for (size_t i = 0; guesses && i < count; i++)
		*guesses = i ? T(checking->arena, checking->language, MSG_alert_country_or, MSG_S("list", *guesses), MSG_S("name", found[i].name))
		             : found[i].name;
	return false;
}

static void add_country(struct checking *checking, struct str text, struct geo_report *report)
{
	struct str code, guesses = STR_NONE;

	text = str_trim(text);
	if (!text.len)
		return;
	if (!find_country(checking, text, &code, &guesses))
		err_field(checking->err, S("countries"), str_is_none(guesses) ? MSG_alert_rule_country : MSG_alert_rule_country_guess, text, guesses);
	else if (checking->out->area.country_count >= ALERT_COUNTRIES_MAX)
		broken(checking, S("countries"), MSG_alert_rule_countries);
	else
		geo_area_add_country(checking->arena, &checking->out->area, code, report);
}

/* Semicolons and lines part countries; commas too, but some countries have one in their name. */
static void check_countries(struct checking *checking, struct geo_report *report)
{
	struct buf buf;
	struct str rest, line, code;

	buf_init(&buf);
	for (size_t i = 0; i < checking->form->countries.len; i++) {
		const char c = checking->form->countries.ptr[i];
		buf_add_char(&buf, c == '\n' || c == '\r' ? ';' : c);
	}
	rest = str_copy(checking->arena, buf_str(&buf));
	buf_release(&buf);
	while (rest.len) {
		if (!str_cut(rest, ';', &line, &rest))
			rest = S("");
		line = str_trim(line);
		if (str_find(line, S(","), 0) == SIZE_MAX && str_find(line, S("،"), 0) == SIZE_MAX) {
			add_country(checking, line, report);
		} else if (find_country(checking, line, &code, NULL)) {
			geo_area_add_country(checking->arena, &checking->out->area, code, report);
		} else {
			for (size_t at = 0; at <= line.len;) {
				size_t latin = str_find(line, S(","), at), arabic = str_find(line, S("،"), at);
				const size_t end = latin < arabic ? latin : arabic < line.len ? arabic : line.len;
				add_country(checking, str_slice(line, at, end), report);
				at = end + (end == arabic ? S("،").len : 1);
			}
		}
	}
}

static void check_circle(struct checking *checking, size_t row, struct geo_report *report)
{
	struct circle_form *circle = &checking->form->circles[row];
	const struct str place_field = str_format(checking->arena, "circle.%zu.place", row),
			 km_field = str_format(checking->arena, "circle.%zu.km", row);
	enum where_answer answer = WHERE_NOTHING;
	struct where where;
	double km;

	if (!circle->place.len && !circle->km.len)
		return;
	if (!str_to_double(text_ascii_digits(checking->arena, circle->km), &km) || km <= 0 ||
	    km > ALERT_RADIUS_MAX_KM) {
		err_field(checking->err, km_field, MSG_alert_rule_km,
		          str_format(checking->arena, "%d", ALERT_RADIUS_MAX_KM), STR_NONE);
		km = 1;
	}
	if (!circle->place.len) {
		broken(checking, place_field, MSG_alert_rule_circle_place);
		return;
	}
	const struct str choice =
		str_equal(circle->choice_for, circle->place) && circle->choice.len ? circle->choice : STR_NONE;
	enum rc rc = where_read(checking->places, checking->arena, checking->language, circle->place, choice, false,
	                        &answer, &where, &circle->choices, &circle->choice_count, checking->err);
	if (rc != OK && rc != INVALID) {
		err_field(checking->err, place_field, MSG_alert_rule_place_unknown, circle->place, STR_NONE);
		return;
	}
	if (answer == WHERE_FOUND && where.kind == LEG_POINT)
		geo_area_add_disc(checking->arena, &checking->out->area, where.longitude, where.latitude, km * 1000,
		                  report);
	else if (answer == WHERE_FOUND)
		broken(checking, place_field, MSG_alert_rule_circle_country);
	else if (answer == WHERE_CHOOSE || answer == WHERE_GUESS)
		broken(checking, place_field, MSG_alert_rule_place_choose);
	else if (answer == WHERE_OUT_OF_RANGE)
		broken(checking, place_field, MSG_alert_rule_coordinates);
	else
		err_field(checking->err, place_field, MSG_alert_rule_place_unknown, circle->place, STR_NONE);
}

/* What was pasted and refused, drawn all the same where that can be, with a ring around each place that is wrong. */
static struct str draw_refused(struct checking *checking, struct str text)
{
	const struct geo_reading reading = { .keep_crossing = true };
	struct geo_report report;
	struct geo_area area, marks;
	struct buf buf;

	geo_report_init(&report);
	geo_area_init(&marks);
	if (geo_read(checking->arena, text, &reading, &area, &report) != OK)
		return STR_NONE;
	for (size_t i = 0; i < report.count; i++) {
		struct geo_report unused;
		geo_report_init(&unused);
		if (report.findings[i].code == GEO_CROSSING_KEPT)
			geo_area_add_disc(checking->arena, &marks, report.findings[i].longitude,
			                  report.findings[i].latitude, 1, &unused);
	}
	const struct map_shape shapes[] = { { &area, MAP_MODERATE, S("") }, { &marks, MAP_EXTREME, S("") } };
	buf_init(&buf);
	map_draw(checking->places, &buf, map_window_shapes(checking->places, shapes, 1), S(""), shapes,
	         marks.disc_count ? 2 : 1, T(checking->arena, checking->language, MSG_alert_map_title),
	         T(checking->arena, checking->language, MSG_alert_map_refused));
	const struct str svg = str_copy(checking->arena, buf_str(&buf));
	buf_release(&buf);
	return svg;
}

static void check_polygon(struct checking *checking)
{
	struct alert_form *form = checking->form;
	const struct geo_reading reading = { .keep_crossing = false };
	size_t said = 0;

	if (!form->polygon.len)
		return;
	if (geo_read(checking->arena, form->polygon, &reading, &checking->out->area, &form->report) == OK)
		return;
	for (size_t i = 0; i < form->report.count && said < 5; i++) {
		const struct geo_finding *finding = &form->report.findings[i];
		if (geo_severity(finding->code) != GEO_ERROR)
			continue;
		err_field(checking->err, S("polygon"), MSG_alert_rule_polygon,
		          finding_text(checking->arena, checking->language, finding), STR_NONE);
		said++;
	}
	form->map = draw_refused(checking, form->polygon);
}

static void check_area(struct checking *checking)
{
	struct alert_version *out = checking->out;
	const size_t before = checking->err->field_count;
	struct geo_report report;

	geo_report_init(&report);
	geo_area_init(&out->area);
	check_polygon(checking);
	for (size_t i = 0; i < checking->form->circle_rows; i++)
		check_circle(checking, i, &report);
	check_countries(checking, &report);
	if (checking->err->field_count > before)
		return;
	if (geo_area_is_empty(&out->area)) {
		broken(checking, S("countries"), MSG_alert_rule_area);
		return;
	}
	out->area_text = geo_write_area(checking->arena, &out->area);
	out->area_description = checking->form->area_description;
	if (utf8_length(out->area_description) > ALERT_DESCRIPTION_OF_AREA_MAX)
		err_field(checking->err, S("area_description"), MSG_alert_rule_long,
		          str_format(checking->arena, "%d", ALERT_DESCRIPTION_OF_AREA_MAX), STR_NONE);
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

static void check_length(struct checking *checking, size_t row, const char *name, struct str text, int most)
{
	if (utf8_length(text) > (size_t)most)
		err_field(checking->err, str_format(checking->arena, "text.%zu.%s", row, name), MSG_alert_rule_long,
		          str_format(checking->arena, "%d", most), STR_NONE);
}

static bool text_is_empty(const struct text_form *text)
{
	return !text->headline.len && !text->description.len && !text->instruction.len && !text->sms.len;
}

static void check_text(struct checking *checking, size_t row, struct alert_text *texts, size_t *count)
{
	const struct text_form *text = &checking->form->texts[row / LANGUAGE_COUNT][row % LANGUAGE_COUNT];

	if (text_is_empty(text))
		return;
	if (!text->headline.len)
		broken(checking, str_format(checking->arena, "text.%zu.headline", row), MSG_alert_rule_headline);
	check_length(checking, row, "headline", text->headline, ALERT_HEADLINE_MAX);
	check_length(checking, row, "description", text->description, ALERT_DESCRIPTION_MAX);
	check_length(checking, row, "instruction", text->instruction, ALERT_INSTRUCTION_MAX);
	check_length(checking, row, "sms", text->sms, ALERT_SMS_MAX);
	texts[(*count)++] = (struct alert_text){ .group = (int64_t)(row / LANGUAGE_COUNT) + 1,
		                                 .language = (enum language)(row % LANGUAGE_COUNT),
		                                 .headline = text->headline,
		                                 .description = text->description,
		                                 .instruction = text->instruction,
		                                 .sms = text->sms };
}

static void check_texts(struct checking *checking, const struct alert_version *base)
{
	struct alert_version *out = checking->out;
	const bool ends = checking->form->type == ALERT_CANCEL || checking->form->type == ALERT_CLEAR;
	const size_t kept = ends && base ? base->text_count : 0;
	struct alert_text *texts =
		ARENA_NEW_ARRAY(checking->arena, struct alert_text, GROUP_TEXTS * LANGUAGE_COUNT + kept);
	size_t count = 0;

	/* A cancel writes only what it says itself; the texts it refers to stay. */
	for (size_t i = 0; i < kept; i++)
		if (base->texts[i].group == GROUP_NEW)
			texts[count++] = base->texts[i];
	for (size_t row = 0; row < GROUP_TEXTS * LANGUAGE_COUNT; row++) {
		const size_t group = row / LANGUAGE_COUNT + 1;
		if (ends ? group == GROUP_RELEASED : group == GROUP_NEW || checking->form->type == ALERT_UPDATE)
			check_text(checking, row, texts, &count);
	}
	out->texts = texts;
	out->text_count = count;
	if (count == 0)
		broken(checking, S("text.0.headline"), MSG_alert_rule_text);
	else if (!ends && texts[0].group != GROUP_NEW)
		broken(checking, S("text.0.headline"), MSG_alert_rule_text);
	/* Who has no text of their own gets a language that has one. */
	out->language = language_find(checking->form->language);
	if (out->language == LANGUAGE_COUNT || (!version_text(out, GROUP_NEW, out->language) && count))
		out->language = count ? texts[0].language : LANGUAGE_EN;
}

static void check_channels(struct checking *checking)
{
	struct alert_version *out = checking->out;

	out->channels = (checking->form->mail ? CHANNEL_BIT(CHANNEL_MAIL) : 0) |
	                (checking->form->sms ? CHANNEL_BIT(CHANNEL_SMS) : 0) |
	                (checking->form->push ? CHANNEL_BIT(CHANNEL_PUSH) : 0);
	if (!out->channels)
		broken(checking, S("channels"), MSG_alert_rule_channels);
	out->include_possible = checking->form->include_possible;
	out->sms_at_night = checking->form->sms_at_night;
}

struct ladder_work {
	struct checking *checking;
	struct ladder_template template;
};

static enum rc ladder_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct ladder_work *work = context;

	return ladder_find(tx, work->checking->arena, work->checking->form->ladder, &work->template, err);
}

/* The template as it is now; one that was taken away since stays as the draft has it. */
static void check_ladder(struct checking *checking, const struct alert_version *base)
{
	struct alert_version *out = checking->out;
	struct ladder_work work = { .checking = checking };
	struct err err;

	out->ladder_name = S("");
	out->ladder = (struct ladder){ .count = 0 };
	if (!checking->form->ladder.len)
		return;
	err_init(&err, checking->arena);
	if (db_read(checking->house->db, ladder_in_store, &work, &err) == OK && ladder_read(work.template.rungs, &out->ladder, &err) == OK) {
		out->ladder_name = work.template.name;
	} else if (base && str_equal(base->ladder_name, checking->form->ladder)) {
		out->ladder_name = base->ladder_name;
		out->ladder = base->ladder;
	} else {
		broken(checking, S("ladder"), MSG_alert_rule_choose);
	}
}

enum rc alert_form_check(struct house *house, struct arena *arena, enum language language, int64_t now,
                         struct alert_form *form, const struct alert_version *base, enum alert_kind *kind_out,
                         struct alert_version *out, struct err *err)
{
	struct alert_version version = { .type = form->type };
	struct checking checking = { .house = house,
		                     .arena = arena,
		                     .places = places_of(house),
		                     .language = language,
		                     .now = now,
		                     .form = form,
		                     .out = &version,
		                     .err = err };
	enum alert_kind kind = ALERT_SECURITY;

	if (form->type == ALERT_CANCEL || form->type == ALERT_CLEAR) {
		version = *base;
		check_channels(&checking);
		version.include_possible = base->include_possible;
		check_texts(&checking, base);
	} else {
		kind = (enum alert_kind)check_term(&checking, form->kind, ALERT_KIND_COUNT, S("kind"));
		version.severity =
			(enum alert_severity)check_term(&checking, form->severity, SEVERITY_COUNT, S("severity"));
		version.urgency = (enum alert_urgency)check_term(&checking, form->urgency, URGENCY_COUNT, S("urgency"));
		version.certainty =
			(enum alert_certainty)check_term(&checking, form->certainty, CERTAINTY_COUNT, S("certainty"));
		check_texts(&checking, base);
		check_area(&checking);
		check_times(&checking);
		check_channels(&checking);
		check_ladder(&checking, base);
	}
	if (err->field_count)
		return INVALID;
	*kind_out = kind;
	*out = version;
	return OK;
}
