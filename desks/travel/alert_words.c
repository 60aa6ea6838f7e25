/* CAP's terms and areas in words. */
#include <math.h>

#include "desks/travel/alert.h"

static const enum msg kinds[ALERT_KIND_COUNT] = {
	MSG_none,
	MSG_alert_kind_security,
	MSG_alert_kind_weather,
	MSG_alert_kind_health,
	MSG_alert_kind_demonstration,
	MSG_alert_kind_disaster,
	MSG_alert_kind_message,
};
static const enum msg severities[SEVERITY_COUNT] = {
	MSG_none,
	MSG_alert_severity_extreme,
	MSG_alert_severity_severe,
	MSG_alert_severity_moderate,
	MSG_alert_severity_minor,
	MSG_alert_severity_unknown,
};
static const enum msg urgencies[URGENCY_COUNT] = {
	MSG_none,
	MSG_alert_urgency_immediate,
	MSG_alert_urgency_expected,
	MSG_alert_urgency_future,
	MSG_alert_urgency_past,
	MSG_alert_urgency_unknown,
};
static const enum msg certainties[CERTAINTY_COUNT] = {
	MSG_none,
	MSG_alert_certainty_observed,
	MSG_alert_certainty_likely,
	MSG_alert_certainty_possible,
	MSG_alert_certainty_unlikely,
	MSG_alert_certainty_unknown,
};
static const enum msg types[ALERT_TYPE_COUNT] = {
	MSG_none, MSG_alert_type_new, MSG_alert_type_update, MSG_alert_type_cancel, MSG_alert_type_clear,
};

enum msg kind_message(enum alert_kind kind)
{
	return kind > 0 && kind < ALERT_KIND_COUNT ? kinds[kind] : MSG_none;
}

enum msg severity_message(enum alert_severity severity)
{
	return severity > 0 && severity < SEVERITY_COUNT ? severities[severity] : MSG_none;
}

enum msg urgency_message(enum alert_urgency urgency)
{
	return urgency > 0 && urgency < URGENCY_COUNT ? urgencies[urgency] : MSG_none;
}

enum msg certainty_message(enum alert_certainty certainty)
{
	return certainty > 0 && certainty < CERTAINTY_COUNT ? certainties[certainty] : MSG_none;
}

enum msg type_message(enum alert_type type)
{
	return type > 0 && type < ALERT_TYPE_COUNT ? types[type] : MSG_none;
}

const char *severity_class(enum alert_severity severity)
{
	static const char *const classes[SEVERITY_COUNT] = {
		"minor", "extreme", "severe", "moderate", "minor", "minor"
	};

	return severity > 0 && severity < SEVERITY_COUNT ? classes[severity] : classes[0];
}

enum message_lane severity_lane(enum alert_severity severity)
{
	if (severity == SEVERITY_EXTREME)
		return LANE_ALERT_EXTREME;
	return severity == SEVERITY_SEVERE ? LANE_ALERT_SEVERE : LANE_ALERT;
}

/* --- findings of a pasted area
 * ------------------------------------------------------------------------------------ */

static const enum msg findings[GEO_CODE_COUNT] = {
	[GEO_EMPTY] = MSG_alert_area_empty,
	[GEO_TOO_LARGE] = MSG_alert_area_too_large,
	[GEO_BAD_TEXT] = MSG_alert_area_bad_text,
	[GEO_ODD_NUMBERS] = MSG_alert_area_odd_numbers,
	[GEO_BAD_JSON] = MSG_alert_area_bad_json,
	[GEO_BAD_TYPE] = MSG_alert_area_bad_type,
	[GEO_BAD_POSITION] = MSG_alert_area_bad_position,
	[GEO_BAD_REFERENCE] = MSG_alert_area_bad_reference,
	[GEO_TOO_MANY_VERTICES] = MSG_alert_area_too_many_vertices,
	[GEO_TOO_MANY_PARTS] = MSG_alert_area_too_many_parts,
	[GEO_TOO_FEW_POINTS] = MSG_alert_area_too_few_points,
	[GEO_NO_WIDTH] = MSG_alert_area_no_width,
	[GEO_LATITUDE_RANGE] = MSG_alert_area_latitude_range,
	[GEO_LONGITUDE_RANGE] = MSG_alert_area_longitude_range,
	[GEO_SWAPPED] = MSG_alert_area_swapped,
	[GEO_SELF_CROSSING] = MSG_alert_area_self_crossing,
	[GEO_TOO_WIDE] = MSG_alert_area_too_wide,
	[GEO_BAD_RADIUS] = MSG_alert_area_bad_radius,
	[GEO_BAD_COUNTRY] = MSG_alert_area_bad_country,
	[GEO_LOOKS_SWAPPED] = MSG_alert_area_looks_swapped,
	[GEO_CROSSING_KEPT] = MSG_alert_area_self_crossing,
	[GEO_SELF_TOUCHING] = MSG_alert_area_self_touching,
	[GEO_HOLE_OUTSIDE] = MSG_alert_area_hole_outside,
	[GEO_AROUND_POLE] = MSG_alert_area_around_pole,
	[GEO_HEMISPHERE] = MSG_alert_area_hemisphere,
	[GEO_WHOLE_WORLD] = MSG_alert_area_whole_world,
	[GEO_CLOSED] = MSG_alert_area_closed,
	[GEO_DUPLICATES_REMOVED] = MSG_alert_area_duplicates,
	[GEO_SPLIT] = MSG_alert_area_split,
};

struct str finding_text(struct arena *arena, enum language language, const struct geo_finding *finding)
{
	const struct str words =
		T(arena, language, findings[finding->code], MSG_N("number", finding->number < 0 ? 0 : finding->number));
	struct str where = STR_NONE;

	if (isfinite(finding->latitude) && isfinite(finding->longitude))
		where = T(arena, language, MSG_alert_area_at,
		          MSG_S("latitude", str_format(arena, "%.4f", finding->latitude)),
		          MSG_S("longitude", str_format(arena, "%.4f", finding->longitude)));
	else if (finding->line)
		where = T(arena, language, MSG_alert_area_line, MSG_N("line", (int64_t)finding->line));
	else if (finding->vertex >= 0)
		where = T(arena, language, MSG_alert_area_vertex, MSG_N("polygon", finding->polygon + 1),
		          MSG_N("vertex", finding->vertex + 1));
	return str_is_none(where) ? words : str_format(arena, "%.*s %.*s", STR_ARG(words), STR_ARG(where));
}

/* --- areas -------------------------------------------------------------------------------------------------------- */

static struct str disc_words(struct places *places, struct arena *arena, enum language language,
                             const struct geo_disc *disc)
{
	const double latitude = geo_degrees(disc->centre.y), longitude = geo_degrees(disc->centre.x);
	struct str where = str_format(arena, "%.3f, %.3f", latitude, longitude);
	struct place place;
	struct err err;
	double metres;

	err_init(&err, arena);
	if (place_nearest(places, arena, latitude, longitude, STR_NONE, languages[language].tag, &place, &metres,
	                  &err) == OK &&
	    metres < 30000)
		where = place.name;
	return T(arena, language, MSG_alert_area_circle, MSG_N("km", (int64_t)llround(disc->radius_m / 1000)),
	         MSG_S("place", where));
}

struct str *area_words(struct places *places, struct arena *arena, enum language language, const struct geo_area *area,
                       size_t *count_out)
{
	struct str *words = ARENA_NEW_ARRAY(arena, struct str, area->country_count + area->disc_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < area->country_count; i++)
		words[count++] =
			country_name(places, arena, geo_country_code(area->countries[i]), languages[language].tag);
	for (size_t i = 0; i < area->disc_count; i++)
		words[count++] = disc_words(places, arena, language, &area->discs[i]);
	if (area->polygon_count) {
		struct geo_area polygons = *area;
		polygons.disc_count = 0;
		const double km2 = geo_area_km2(&polygons);
		words[count++] =
			T(arena, language, MSG_alert_area_marked, MSG_N("km2", (int64_t)(km2 < 1 ? 1 : llround(km2))));
	}
	*count_out = count;
	return words;
}

struct str area_description_of(struct places *places, struct arena *arena, enum language language,
                               const struct geo_area *area)
{
	const struct str comma = T(arena, language, MSG_alert_list_comma);
	struct buf buf;
	size_t count;

	buf_init(&buf);
	const struct str *words = area_words(places, arena, language, area, &count);
	for (size_t i = 0; i < count && buf.len < ALERT_DESCRIPTION_OF_AREA_MAX; i++) {
		if (i) {
			buf_add_str(&buf, comma);
			buf_add_char(&buf, ' ');
		}
		buf_add_str(&buf, words[i]);
	}
	const struct str out = str_copy(arena, buf_str(&buf));
	buf_release(&buf);
	return out;
}

struct str version_area(struct places *places, struct arena *arena, enum language language,
                        const struct alert_version *version)
{
	if (version->area_description.len)
		return version->area_description;
	return area_description_of(places, arena, language, &version->area);
}
