#include <math.h>

#include "kernel/geo/report.h"

static const struct {
	const char *name;
	enum geo_severity severity;
} codes[GEO_CODE_COUNT] = {
	[GEO_EMPTY] = { "empty", GEO_ERROR },
	[GEO_TOO_LARGE] = { "too_large", GEO_ERROR },
	[GEO_BAD_TEXT] = { "bad_text", GEO_ERROR },
	[GEO_ODD_NUMBERS] = { "odd_numbers", GEO_ERROR },
	[GEO_BAD_JSON] = { "bad_json", GEO_ERROR },
	[GEO_BAD_TYPE] = { "bad_type", GEO_ERROR },
	[GEO_BAD_POSITION] = { "bad_position", GEO_ERROR },
	[GEO_BAD_REFERENCE] = { "bad_reference", GEO_ERROR },
	[GEO_TOO_MANY_VERTICES] = { "too_many_vertices", GEO_ERROR },
	[GEO_TOO_MANY_PARTS] = { "too_many_parts", GEO_ERROR },
	[GEO_TOO_FEW_POINTS] = { "too_few_points", GEO_ERROR },
	[GEO_NO_WIDTH] = { "no_width", GEO_ERROR },
	[GEO_LATITUDE_RANGE] = { "latitude_range", GEO_ERROR },
	[GEO_LONGITUDE_RANGE] = { "longitude_range", GEO_ERROR },
	[GEO_SWAPPED] = { "swapped", GEO_ERROR },
	[GEO_SELF_CROSSING] = { "self_crossing", GEO_ERROR },
	[GEO_TOO_WIDE] = { "too_wide", GEO_ERROR },
	[GEO_BAD_RADIUS] = { "bad_radius", GEO_ERROR },
	[GEO_BAD_COUNTRY] = { "bad_country", GEO_ERROR },
	[GEO_LOOKS_SWAPPED] = { "looks_swapped", GEO_WARNING },
	[GEO_CROSSING_KEPT] = { "crossing_kept", GEO_WARNING },
	[GEO_SELF_TOUCHING] = { "self_touching", GEO_WARNING },
	[GEO_HOLE_OUTSIDE] = { "hole_outside", GEO_WARNING },
	[GEO_AROUND_POLE] = { "around_pole", GEO_WARNING },
	[GEO_HEMISPHERE] = { "hemisphere", GEO_WARNING },
	[GEO_WHOLE_WORLD] = { "whole_world", GEO_WARNING },
	[GEO_CLOSED] = { "closed", GEO_NOTE },
	[GEO_DUPLICATES_REMOVED] = { "duplicates_removed", GEO_NOTE },
	[GEO_SPLIT] = { "split", GEO_NOTE },
};

enum geo_severity geo_severity(enum geo_code code)
{
	return codes[code].severity;
}

const char *geo_code_name(enum geo_code code)
{
	return codes[code].name;
}

void geo_report_init(struct geo_report *report)
{
	report->count = report->dropped = 0;
	report->refused = false;
}

const struct geo_finding *geo_report_find(const struct geo_report *report, enum geo_code code)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].code == code)
			return &report->findings[i];
	return NULL;
}

struct geo_finding finding_of(enum geo_code code)
{
	return (struct geo_finding){ .code = code, .polygon = -1, .ring = -1, .vertex = -1, .other = -1, .longitude = NAN, .latitude = NAN,
		                     .number = -1 };
}

enum rc report_finding(struct geo_report *report, struct geo_finding finding)
{
	bool is_error = codes[finding.code].severity == GEO_ERROR;
	report->refused = report->refused || is_error;
	if (report->count < GEO_FINDINGS_MAX) {
		report->findings[report->count++] = finding;
	} else {
		report->dropped++;
		/* The error that refuses must be seen, whatever was said before it. */
		if (is_error && codes[report->findings[GEO_FINDINGS_MAX - 1].code].severity != GEO_ERROR)
			report->findings[GEO_FINDINGS_MAX - 1] = finding;
	}
	return is_error ? INVALID : OK;
}

enum rc report_code(struct geo_report *report, enum geo_code code)
{
	return report_finding(report, finding_of(code));
}
