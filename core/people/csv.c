/* Reading of CSV files. */
#include <errno.h>
#include <unistd.h>

#include "core/people/csv.h"

void csv_init(struct csv *csv, int file)
{
	csv->file = file;
	csv->separator = 0;
	csv->line = 0;
	csv->next_line = 1;
	csv->column_count = 0;
	csv->ended = false;
	csv->failed = 0;
	csv->at = csv->size = 0;
	buf_init(&csv->record);
}

void csv_release(struct csv *csv)
{
	buf_release(&csv->record);
}

/* The next byte, or -1 at the end. */
static int next_byte(struct csv *csv)
{
	if (csv->at == csv->size) {
		ssize_t got;
		do
			got = read(csv->file, csv->chunk, sizeof csv->chunk);
		while (got < 0 && errno == EINTR);
		csv->failed = got < 0 ? errno : csv->failed;
		csv->size = got > 0 ? (size_t)got : 0;
		csv->at = 0;
		if (csv->size == 0)
			return -1;
	}
	return (unsigned char)csv->chunk[csv->at++];
}

static int peek_byte(struct csv *csv)
{
	const int byte = next_byte(csv);
	if (byte >= 0)
		csv->at--;
	return byte;
}

/* Goes on behind the line end, whatever stands before it. */
static void skip_line(struct csv *csv)
{
	int byte;
	while ((byte = next_byte(csv)) >= 0 && byte != '\n')
		;
	csv->next_line++;
}

/* The first bytes tell whether this is a text that we read at all. */
static enum rc check_start(struct csv *csv, struct err *err)
{
	if (peek_byte(csv) < 0)
		return OK;
	const unsigned char *bytes = (const unsigned char *)csv->chunk;
	if (csv->size >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf) {
		csv->at = 3;
		return OK;
	}
	if (csv->size >= 2 && ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff)))
		return err_set(err, CONFLICT, "line 1: the file is UTF-16; save it as UTF-8");
	const size_t looked_at = csv->size < 256 ? csv->size : 256;
	if (memchr(bytes, 0, looked_at))
		return err_set(err, CONFLICT, "line 1: the file is UTF-16 or no text; save it as CSV in UTF-8");
	return OK;
}

/* Of the signs that separate columns, the one that the first line has most of outside of quotes. */
static char find_separator(const struct csv *csv)
{
	static const char signs[] = ",;\t";
	size_t counts[3] = { 0 }, best = 0;
	bool quoted = false;
	for (size_t i = csv->at; i < csv->size && (quoted || csv->chunk[i] != '\n'); i++) {
		if (csv->chunk[i] == '"')
			quoted = !quoted;
		for (size_t sign = 0; sign < 3 && !quoted; sign++)
			counts[sign] += csv->chunk[i] == signs[sign];
	}
	for (size_t sign = 1; sign < 3; sign++)
		if (counts[sign] > counts[best])
			best = sign;
	return signs[best];
}

struct field {
	bool quoted, closed; /* began with a quote; that quote was closed */
	bool any;            /* something stands in the record */
};

static enum rc add_byte(struct csv *csv, int byte, struct err *err)
{
	if (csv->record.len >= CSV_RECORD_MAX) {
		skip_line(csv);
		return err_set(err, INVALID, "is longer than %d bytes (a quote that is not closed?)", CSV_RECORD_MAX);
	}
	buf_add_char(&csv->record, (char)byte);
	return OK;
}

static enum rc end_field(struct csv *csv, struct field *field, bool last, struct err *err)
{
	if (csv->column_count == CSV_COLUMNS_MAX) {
		if (!last)
			skip_line(csv);
		return err_set(err, INVALID, "has more than %d columns", CSV_COLUMNS_MAX);
	}
	csv->ends[csv->column_count++] = csv->record.len;
	field->quoted = field->closed = false;
	return OK;
}

/* A byte that is neither separator nor line end. */
static enum rc take_byte(struct csv *csv, struct field *field, int byte, struct err *err)
{
	const size_t start = csv->column_count ? csv->ends[csv->column_count - 1] : 0;

	field->any = true;
	if (byte == '"' && csv->record.len == start && !field->quoted) {
		field->quoted = true;
		return OK;
	}
	if (field->quoted && !field->closed && byte == '"') {
		if (peek_byte(csv) != '"') {
			field->closed = true;
			return OK;
		}
		next_byte(csv);
	} else if (field->closed) {
		skip_line(csv);
		return err_set(err, INVALID, "has text behind a closing quote");
	}
	return add_byte(csv, byte, err);
}

/* Reads one record; *any tells whether there was anything in it. */
static enum rc read_record(struct csv *csv, bool *any, struct err *err)
{
	struct field field = { 0 };
	enum rc rc = OK;

	csv->record.len = 0;
	csv->column_count = 0;
	csv->line = csv->next_line;
	while (rc == OK) {
		const int byte = next_byte(csv);
		const bool inside = field.quoted && !field.closed;
		if (byte < 0) {
			csv->ended = true;
			if (inside)
				return err_set(err, INVALID, "has a quote that is not closed");
			break;
		}
		if (byte == '\n') {
			csv->next_line++;
			if (!inside)
				break;
		}
		if (byte == '\r' && !inside && peek_byte(csv) == '\n')
			continue;
		if (byte == csv->separator && !inside) {
			field.any = true;
			rc = end_field(csv, &field, false, err);
		} else {
			rc = take_byte(csv, &field, byte, err);
		}
	}
	if (rc == OK && field.any)
		rc = end_field(csv, &field, true, err);
	*any = field.any;
	return rc;
}

static enum rc check_record(struct csv *csv, struct err *err)
{
	const struct str all = buf_str(&csv->record);

	if (all.len && memchr(all.ptr, 0, all.len))
		return err_set(err, INVALID, "holds a zero byte");
	size_t start = 0;
	for (size_t i = 0; i < csv->column_count; i++) {
		csv->columns[i] = (struct str){ all.ptr + start, csv->ends[i] - start };
		if (!utf8_valid(csv->columns[i]))
			return err_set(err, INVALID, "is not UTF-8 (Latin-1 or Windows-1252?); save the file as UTF-8");
		start = csv->ends[i];
	}
	return OK;
}

enum rc csv_next(struct csv *csv, struct err *err)
{
	if (csv->line == 0) {
		enum rc rc = check_start(csv, err);
		if (rc != OK) {
			csv->ended = true;
			csv->line = 1;
			return rc;
		}
		csv->separator = find_separator(csv);
	}
	while (!csv->ended) {
		bool any;
		enum rc rc = read_record(csv, &any, err);
		if (csv->failed)
			return err_set(err, FAILED, "reading failed: %s", strerror(csv->failed));
		if (rc == OK && any)
			return check_record(csv, err);
		if (rc != OK)
			return rc;
	}
	return NOT_FOUND;
}

int csv_find_column(const struct csv *csv, const char *name)
{
	for (size_t i = 0; i < csv->column_count; i++)
		if (str_equal_nocase(str_trim(csv->columns[i]), str_from(name)))
			return (int)i;
	return -1;
}
