/* What handlers ask of a request. */
#include "kernel/http/exchange.h"

static struct str first_of(const struct http_field *fields, size_t count, const char *name)
{
	struct str wanted = str_from(name);
	for (size_t i = 0; i < count; i++)
		if (str_equal(fields[i].name, wanted))
			return fields[i].value;
	return STR_NONE;
}

struct str request_capture(const struct request *request, const char *name)
{
	return first_of(request->captures, request->capture_count, name);
}

struct str request_query(const struct request *request, const char *name)
{
	return first_of(request->query, request->query_count, name);
}

struct str request_form(const struct request *request, const char *name)
{
	return first_of(request->form, request->form_count, name);
}

size_t request_form_all(const struct request *request, const char *name, struct str **values_out)
{
	struct str wanted = str_from(name), *values = NULL;
	size_t count = 0, capacity = 0;
	for (size_t i = 0; i < request->form_count; i++)
		if (str_equal(request->form[i].name, wanted))
			ARENA_PUSH(request->arena, values, count, capacity, request->form[i].value);
	*values_out = values;
	return count;
}

struct str request_cookie(const struct request *request, const char *name)
{
	struct str full = request->secure ? str_format(request->arena, "__Host-%s", name) : str_from(name);
	return head_cookie(request->cookies, full);
}

/* The N of "prefix.N" or "prefix.N.rest"; -1 for other names. */
static int64_t row_of(struct str name, struct str prefix)
{
	if (!str_starts(name, prefix) || name.len <= prefix.len + 1 || name.ptr[prefix.len] != '.')
		return -1;
	struct str number, rest;
	int64_t row;
	str_cut(str_slice(name, prefix.len + 1, name.len), '.', &number, &rest);
	/* One spelling for each row: "01" would be a second row 1. */
	if (number.len == 0 || number.len > 6 || (number.len > 1 && number.ptr[0] == '0') || !str_to_int(number, &row))
		return -1;
	return row;
}

size_t request_form_rows(const struct request *request, const char *prefix, size_t most)
{
	size_t rows = 0;
	for (size_t i = 0; i < request->form_count; i++) {
		int64_t row = row_of(request->form[i].name, str_from(prefix));
		if (row >= 0 && (size_t)row < most && (size_t)row >= rows)
			rows = (size_t)row + 1;
	}
	return rows;
}

bool request_form_rows_over(const struct request *request, const char *prefix, size_t most)
{
	for (size_t i = 0; i < request->form_count; i++) {
		int64_t row = row_of(request->form[i].name, str_from(prefix));
		if (row >= 0 && (size_t)row >= most)
			return true;
	}
	return false;
}
