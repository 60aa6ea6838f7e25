/* Areas as people paste them and CAP writes them. */
#include <math.h>

#include "kernel/geo/report.h"

#define NUMBER_LENGTH_MAX 40
#define METRES_PER_KM 1000.0

struct scan {
	struct str text;
	size_t at;
	size_t line, column;
	bool blank_line; /* an empty line was skipped before the number */
};

static enum rc say_here(const struct scan *scan, struct geo_report *report, enum geo_code code)
{
	struct geo_finding finding = finding_of(code);
	finding.line = scan->line;
	finding.column = scan->column;
	return report_finding(report, finding);
}

static uint32_t look(const struct scan *scan, size_t *next)
{
	*next = scan->at;
	return utf8_next(scan->text, next);
}

/* Skips what separates numbers. */
static void skip_separators(struct scan *scan)
{
	size_t next, newlines = 0;
	scan->blank_line = false;
	while (scan->at < scan->text.len) {
		uint32_t c = look(scan, &next);
		bool separates = c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ';' || c == 0xa0 || c == 0xfeff || c == 0x60c;
		if (!separates)
			break;
		scan->at = next;
		scan->column++;
		if (c == '\n') {
			scan->line++;
			scan->column = 1;
			newlines++;
		} else if (c == ',' || c == ';' || c == 0x60c) {
			newlines = 0;
		}
		scan->blank_line = scan->blank_line || newlines > 1;
	}
}

/* The ASCII sign for a sign, digit or point of any script we expect; 0 for anything else. */
static char plain(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (char)c;
	if (c == '.' || c == '-' || c == '+')
		return (char)c;
	if (c == 0x2212) /* minus sign */
		return '-';
	if (c == 0x66b) /* Arabic decimal separator */
		return '.';
	if (c >= 0x660 && c <= 0x669)
		return (char)('0' + (c - 0x660));
	if (c >= 0x6f0 && c <= 0x6f9)
		return (char)('0' + (c - 0x6f0));
	return 0;
}

/* Reads the number at the scan's place; the report says what stands there if it is none. */
static enum rc read_number(struct scan *scan, struct geo_report *report, double *out)
{
	struct scan start = *scan;
	char text[NUMBER_LENGTH_MAX];
	size_t count = 0, next;
	while (scan->at < scan->text.len && count < NUMBER_LENGTH_MAX) {
		char c = plain(look(scan, &next));
		if (c == 0)
			break;
		text[count++] = c;
		scan->at = next;
		scan->column++;
	}
	struct str number = { text, count };
	if (count > 1 && text[0] == '+' && text[1] != '-')
		number = str_slice(number, 1, count);
	if (count == 0 || count == NUMBER_LENGTH_MAX || !str_to_double(number, out))
		return say_here(&start, report, GEO_BAD_TEXT);
	return OK;
}

struct pasted {
	struct arena *arena;
	struct geo_area area;
	const struct geo_reading *reading;
	struct geo_report *report;
	struct geo_point *points;
	uint32_t *lines;
	size_t count, capacity, line_count, line_capacity;
	size_t total;
};

static enum rc end_ring(struct pasted *pasted)
{
	if (pasted->count == 0)
		return OK;
	struct geo_line ring = { pasted->points, pasted->count, pasted->lines };
	enum rc rc = geo_area_add_polygon(pasted->arena, &pasted->area, &ring, 1, pasted->reading, pasted->report);
	pasted->points = NULL;
	pasted->lines = NULL;
	pasted->count = pasted->capacity = pasted->line_count = pasted->line_capacity = 0;
	return rc;
}

static enum rc read_pair(struct pasted *pasted, struct scan *scan)
{
	struct geo_point point;
	struct scan start = *scan;
	uint32_t line = (uint32_t)scan->line;
	enum rc rc = read_number(scan, pasted->report, &point.latitude);
	if (rc != OK)
		return rc;
	struct scan after_first = *scan;
	skip_separators(scan);
	bool lonely = scan->at == scan->text.len || scan->blank_line;
	if (lonely)
		return say_here(&start, pasted->report, GEO_ODD_NUMBERS);
	if (scan->at == after_first.at) /* "12.5x" or "1-2": two things without anything between */
		return say_here(scan, pasted->report, GEO_BAD_TEXT);
	rc = read_number(scan, pasted->report, &point.longitude);
	if (rc != OK)
		return rc;
	if (++pasted->total > GEO_VERTICES_MAX + GEO_PARTS_MAX)
		return say_here(&start, pasted->report, GEO_TOO_MANY_VERTICES);
	ARENA_PUSH(pasted->arena, pasted->points, pasted->count, pasted->capacity, point);
	ARENA_PUSH(pasted->arena, pasted->lines, pasted->line_count, pasted->line_capacity, line);
	return OK;
}

enum rc geo_read_coordinates(struct arena *arena, struct str text, const struct geo_reading *reading, struct geo_area *out,
                             struct geo_report *report)
{
	struct pasted pasted = { .arena = arena, .reading = reading, .report = report };
	struct scan scan = { text, 0, 1, 1, false };
	if (text.len > GEO_TEXT_MAX)
		return report_code(report, GEO_TOO_LARGE);
	geo_area_init(&pasted.area);
	enum rc rc = OK;
	for (skip_separators(&scan); scan.at < text.len && rc == OK; ) {
		if (scan.blank_line)
			rc = end_ring(&pasted);
		size_t before = scan.at;
		if (rc == OK)
			rc = read_pair(&pasted, &scan);
		size_t after = scan.at;
		if (rc != OK)
			break;
		skip_separators(&scan);
		if (scan.at < text.len && (scan.at == after || after == before))
			return say_here(&scan, report, GEO_BAD_TEXT);
	}
	if (rc == OK)
		rc = end_ring(&pasted);
	if (rc != OK)
		return rc;
	if (geo_area_is_empty(&pasted.area))
		return report_code(report, GEO_EMPTY);
	geo_area_judge(arena, &pasted.area, reading, report);
	*out = pasted.area;
	return OK;
}

enum rc geo_read_cap_circle(struct arena *arena, struct str text, struct geo_area *out, struct geo_report *report)
{
	struct scan scan = { text, 0, 1, 1, false };
	double numbers[3];
	struct geo_area area;
	geo_area_init(&area);
	for (int i = 0; i < 3; i++) {
		skip_separators(&scan);
		if (scan.at == text.len)
			return say_here(&scan, report, i == 0 ? GEO_EMPTY : GEO_ODD_NUMBERS);
		enum rc rc = read_number(&scan, report, &numbers[i]);
		if (rc != OK)
			return rc;
	}
	skip_separators(&scan);
	if (scan.at < text.len)
		return say_here(&scan, report, GEO_BAD_TEXT);
	enum rc rc = geo_area_add_disc(arena, &area, numbers[1], numbers[0], numbers[2] * METRES_PER_KM, report);
	if (rc != OK)
		return rc;
	geo_area_judge(arena, &area, NULL, report);
	*out = area;
	return OK;
}

enum rc geo_read(struct arena *arena, struct str text, const struct geo_reading *reading, struct geo_area *out, struct geo_report *report)
{
	struct str trimmed = str_trim(text);
	if (str_starts(trimmed, S("{")) || str_starts(trimmed, S("\xef\xbb\xbf{")))
		return geo_read_geojson(arena, trimmed, reading, out, report);
	return geo_read_coordinates(arena, text, reading, out, report);
}
