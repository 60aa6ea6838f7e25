/* Forms and queries. Everything is decoded in place: a form costs its body and the array of fields. */
#include "kernel/http/form.h"

#define PART_HEAD_MAX 2048
#define BOUNDARY_MAX 70 /* RFC 2046, 5.1.1 */

static bool refuse(enum problem *problem, enum problem what)
{
	*problem = what;
	return false;
}

/* Adds a field whose texts are NUL-terminated already. */
static bool add_field(struct arena *arena, struct form *form, size_t *capacity, struct str name, struct str value,
                      bool is_file, enum problem *problem)
{
	if (form->count == HTTP_FIELDS_MAX || name.len > HTTP_FIELD_NAME_MAX)
		return refuse(problem, PROBLEM_TOO_LARGE);
	if (!utf8_valid(name) || memchr(name.ptr, 0, name.len))
		return refuse(problem, PROBLEM_BAD_REQUEST);
	if (!is_file && (!utf8_valid(value) || memchr(value.ptr, 0, value.len)))
		return refuse(problem, PROBLEM_BAD_REQUEST);
	struct http_field field = { name, value };
	ARENA_PUSH(arena, form->fields, form->count, *capacity, field);
	return true;
}

/* Decodes [from, to) to where it stands and ends it with NUL at or before `to`; false for a bad escape. */
static bool decode(char *bytes, size_t from, size_t to, struct str *out)
{
	size_t n = from;
	for (size_t i = from; i < to; i++) {
		char c = bytes[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < to ? str_hex_digit(bytes[i + 1]) : -1;
			int low = i + 2 < to ? str_hex_digit(bytes[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		bytes[n++] = c;
	}
	bytes[n] = 0;
	*out = (struct str){ bytes + from, n - from };
	return true;
}

bool form_urlencoded(struct arena *arena, char *bytes, size_t size, struct form *form, enum problem *problem)
{
	struct form found = { NULL, 0 };
	size_t capacity = 0, at = 0;
	while (at < size) {
		char *ampersand = memchr(bytes + at, '&', size - at);
		size_t end = ampersand ? (size_t)(ampersand - bytes) : size;
		if (end > at) {
			char *equals = memchr(bytes + at, '=', end - at);
			size_t middle = equals ? (size_t)(equals - bytes) : end;
			struct str name, value = S("");
			/* The value first: ending the name with NUL may write where '=' stood, never into the value. */
			if (equals && !decode(bytes, middle + 1, end, &value))
				return refuse(problem, PROBLEM_BAD_REQUEST);
			if (!decode(bytes, at, middle, &name))
				return refuse(problem, PROBLEM_BAD_REQUEST);
			if (!add_field(arena, &found, &capacity, name, value, false, problem))
				return false;
		}
		at = end + 1;
	}
	*form = found;
	return true;
}

/* --- multipart ---------------------------------------------------------------------------------------------- */

/* The value of parameter `name` of a header value such as `form-data; name="a"; filename="b"`; STR_NONE if absent.
 * Browsers escape a quote as %22 and line breaks as %0D%0A (WHATWG HTML, 4.10.21.8), so quoted texts hold no quote. */
static struct str parameter(struct str value, struct str name)
{
	size_t at = 0;
	while ((at = str_find(value, S(";"), at)) != SIZE_MAX) {
		at++;
		while (at < value.len && (value.ptr[at] == ' ' || value.ptr[at] == '\t'))
			at++;
		struct str rest = str_slice(value, at, value.len);
		size_t equals = str_find(rest, S("="), 0);
		if (equals == SIZE_MAX)
			return STR_NONE;
		bool same = str_equal_nocase(str_trim(str_slice(rest, 0, equals)), name);
		struct str text = str_slice(rest, equals + 1, rest.len);
		size_t length;
		if (text.len > 0 && text.ptr[0] == '"') {
			size_t quote = str_find(text, S("\""), 1);
			if (quote == SIZE_MAX)
				return STR_NONE;
			if (same)
				return str_slice(text, 1, quote);
			length = quote + 1;
		} else {
			size_t semicolon = str_find(text, S(";"), 0);
			length = semicolon == SIZE_MAX ? text.len : semicolon;
			if (same)
				return str_trim(str_slice(text, 0, length));
		}
		at += equals + 1 + length;
	}
	return STR_NONE;
}

struct part {
	struct str name;
	bool is_file;
	size_t body; /* where its content starts */
};

/* Reads the header lines of a part from `at`; false if they are not those of a form's part. */
static bool read_part_head(const char *bytes, size_t size, size_t at, struct part *part)
{
	struct part found = { STR_NONE, false, 0 };
	size_t start = at;
	for (;;) {
		size_t limit = size - start > PART_HEAD_MAX ? start + PART_HEAD_MAX : size;
		size_t end = str_find((struct str){ bytes, limit }, S("\r\n"), at);
		if (end == SIZE_MAX)
			return false;
		if (end == at) {
			found.body = at + 2;
			break;
		}
		struct str name, value;
		if (!str_cut((struct str){ bytes + at, end - at }, ':', &name, &value))
			return false;
		if (str_equal_nocase(name, S("content-disposition"))) {
			value = str_trim(value);
			if (!str_is_none(found.name) || value.len < 9 ||
			    !str_equal_nocase(str_slice(value, 0, 9), S("form-data")))
				return false;
			found.name = parameter(value, S("name"));
			found.is_file = !str_is_none(parameter(value, S("filename")));
		}
		at = end + 2;
	}
	if (str_is_none(found.name))
		return false;
	*part = found;
	return true;
}

bool form_multipart(struct arena *arena, char *bytes, size_t size, struct str boundary, struct form *form,
                    enum problem *problem)
{
	struct form found = { NULL, 0 };
	size_t capacity = 0;
	struct str all = { bytes, size };
	struct str delimiter = str_concat(arena, S("\r\n--"), boundary);
	struct str opening = str_slice(delimiter, 2, delimiter.len);
	*problem = PROBLEM_BAD_REQUEST;
	if (!str_starts(all, opening))
		return false; /* a preamble: browsers send none */
	size_t at = opening.len;
	for (;;) {
		/* Behind a delimiter: "--" ends the form, CRLF begins a part. */
		if (str_starts(str_slice(all, at, at + 2), S("--")))
			break;
		struct part part;
		if (!str_starts(str_slice(all, at, at + 2), S("\r\n")) || !read_part_head(bytes, size, at + 2, &part))
			return false;
		size_t end = str_find(all, delimiter, part.body);
		if (end == SIZE_MAX)
			return false;
		/* The quote or blank after the name and the CR before the delimiter are read: NULs go there. */
		char *name_end = bytes + (part.name.ptr - bytes) + part.name.len;
		*name_end = 0;
		bytes[end] = 0;
		if (!add_field(arena, &found, &capacity, part.name, (struct str){ bytes + part.body, end - part.body },
		               part.is_file, problem))
			return false;
		at = end + delimiter.len;
	}
	*form = found;
	return true;
}

static bool is_boundary(struct str boundary)
{
	if (boundary.len == 0 || boundary.len > BOUNDARY_MAX)
		return false;
	for (size_t i = 0; i < boundary.len; i++) {
		char c = boundary.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!plain && (c == 0 || !strchr("'()+_,-./:=? ", c)))
			return false;
	}
	return boundary.ptr[boundary.len - 1] != ' ';
}

enum form_type form_type(struct str content_type, struct str *boundary)
{
	struct str type, parameters;
	str_cut(content_type, ';', &type, &parameters);
	type = str_trim(type);
	if (str_equal_nocase(type, S("application/x-www-form-urlencoded")))
		return FORM_URLENCODED;
	if (!str_equal_nocase(type, S("multipart/form-data")))
		return FORM_OTHER;
	struct str found = parameter(content_type, S("boundary"));
	if (!is_boundary(found))
		return FORM_OTHER;
	*boundary = found;
	return FORM_MULTIPART;
}
