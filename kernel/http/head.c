/* The strict reading of a request's head. */
#include "kernel/http/head.h"

#define METHOD_LENGTH_MAX 16
#define HOST_LENGTH_MAX 255

/* RFC 9110, 5.6.2: tchar. */
static bool is_token_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char((unsigned char)s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* Blanks around a value (RFC 9110, 5.6.3) belong to the line, not to it. */
static struct str trim_blanks(struct str s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool refuse(enum problem what, const char *why, enum problem *problem, const char **reason)
{
	*problem = what;
	*reason = why;
	return false;
}

static bool check_request_line(const struct head *head, enum problem *problem, const char **reason)
{
	if (head->method.len == 0 || head->method.len > METHOD_LENGTH_MAX)
		return refuse(PROBLEM_BAD_REQUEST, "method", problem, reason);
	for (size_t i = 0; i < head->method.len; i++)
		if (head->method.ptr[i] < 'A' || head->method.ptr[i] > 'Z')
			return refuse(PROBLEM_BAD_REQUEST, "method", problem, reason);
	if (!str_equal(head->version, S("HTTP/1.1")) && !str_equal(head->version, S("HTTP/1.0")))
		return refuse(PROBLEM_BAD_REQUEST, "version", problem, reason);
	if (head->target.len > HTTP_TARGET_MAX)
		return refuse(PROBLEM_HEAD_TOO_LARGE, "target_length", problem, reason);
	/* Origin form only: an absolute target would name a second host beside the Host line. */
	if (head->target.len == 0 || head->target.ptr[0] != '/' || str_starts(head->target, S("//")))
		return refuse(PROBLEM_BAD_REQUEST, "target_form", problem, reason);
	for (size_t i = 0; i < head->target.len; i++) {
		unsigned char c = (unsigned char)head->target.ptr[i];
		if (c <= ' ' || c >= 0x7f || c == '#')
			return refuse(PROBLEM_BAD_REQUEST, "target_bytes", problem, reason);
	}
	return true;
}

/* RFC 9110, 7.2: a name or address with an optional port. */
static bool is_host(struct str host)
{
	if (host.len == 0 || host.len > HOST_LENGTH_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!plain && !strchr(".-_:[]", c))
			return false;
	}
	return true;
}

static bool read_length(struct str value, int64_t *length)
{
	/* Digits only: no sign, no list, nothing that another reader could take for another number. */
	if (value.len == 0 || value.len > 18)
		return false;
	int64_t sum = 0;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return false;
		sum = sum * 10 + (value.ptr[i] - '0');
	}
	*length = sum;
	return true;
}

/* The lines that may stand once at most, and where their values go. */
enum known_line {
	LINE_HOST,
	LINE_CONTENT_LENGTH,
	LINE_TRANSFER_ENCODING,
	LINE_CONTENT_TYPE,
	LINE_CONTENT_ENCODING,
	LINE_COOKIE,
	LINE_ORIGIN,
	LINE_FETCH_SITE,
	LINE_EXPECT,
	LINE_EVENT_ID,
	LINE_AUTHORIZATION,
	LINE_IF_NONE_MATCH,
	LINE_COUNT,
};
static const char *const known_lines[LINE_COUNT] = {
	"host",          "content-length", "transfer-encoding", "content-type", "content-encoding",
	"cookie",        "origin",         "sec-fetch-site",    "expect",       "last-event-id",
	"authorization", "if-none-match",
};

static bool gather_lines(const struct head *head, struct str values[LINE_COUNT], struct head_facts *facts,
                         enum problem *problem, const char **reason)
{
	size_t size = head->method.len + head->target.len + head->version.len + 6;
	if (head->line_count > HTTP_HEAD_LINES_MAX)
		return refuse(PROBLEM_HEAD_TOO_LARGE, "lines", problem, reason);
	for (size_t i = 0; i < head->line_count; i++) {
		struct str name = head->lines[i].name;
		if (!is_token(name))
			return refuse(PROBLEM_BAD_REQUEST, "line_name", problem, reason);
		if (has_control(head->lines[i].value))
			return refuse(PROBLEM_BAD_REQUEST, "line_value", problem, reason);
		size += name.len + head->lines[i].value.len + 4;
		if (size > HTTP_HEAD_MAX)
			return refuse(PROBLEM_HEAD_TOO_LARGE, "head_length", problem, reason);
		struct str value = trim_blanks(head->lines[i].value);
		for (size_t k = 0; k < LINE_COUNT; k++) {
			if (!str_equal_nocase(name, str_from(known_lines[k])))
				continue;
			if (!str_is_none(values[k]))
				return refuse(PROBLEM_BAD_REQUEST, "line_doubled", problem, reason);
			values[k] = value;
		}
		/* Of lists that may come in several lines the last line counts for the address of the client (the proxy adds at
		 * the end), the first for the others. */
		if (str_equal_nocase(name, S("x-forwarded-for")))
			facts->forwarded_for = value;
		else if (str_equal_nocase(name, S("accept-language")) && str_is_none(facts->accept_language))
			facts->accept_language = value;
		else if (str_equal_nocase(name, S("accept-encoding")) && str_is_none(facts->accept_encoding))
			facts->accept_encoding = value;
	}
	return true;
}

static bool check_body(const struct head *head, const struct str values[LINE_COUNT], struct head_facts *facts,
                       enum problem *problem, const char **reason)
{
	struct str length = values[LINE_CONTENT_LENGTH];
	if (!str_is_none(values[LINE_TRANSFER_ENCODING])) {
		if (!str_is_none(length))
			return refuse(PROBLEM_BAD_REQUEST, "length_and_coding", problem, reason);
		return refuse(PROBLEM_LENGTH, "transfer_coding", problem, reason);
	}
	if (!str_is_none(length) && !read_length(length, &facts->content_length))
		return refuse(PROBLEM_BAD_REQUEST, "length", problem, reason);
	if (!str_equal(head->method, S("POST"))) {
		if (facts->content_length > 0)
			return refuse(PROBLEM_BAD_REQUEST, "body_unexpected", problem, reason);
	} else if (facts->content_length < 0) {
		return refuse(PROBLEM_LENGTH, "no_length", problem, reason);
	}
	if (!str_is_none(values[LINE_CONTENT_ENCODING]) &&
	    !str_equal_nocase(values[LINE_CONTENT_ENCODING], S("identity")))
		return refuse(PROBLEM_MEDIA_TYPE, "content_coding", problem, reason);
	if (!str_is_none(values[LINE_EXPECT]) && !str_equal_nocase(values[LINE_EXPECT], S("100-continue")))
		return refuse(PROBLEM_BAD_REQUEST, "expect", problem, reason);
	facts->expects = !str_is_none(values[LINE_EXPECT]);
	return true;
}

bool head_check(const struct head *head, struct head_facts *facts, enum problem *problem, const char **reason)
{
	struct head_facts found = { .content_length = -1, .last_event_id = -1 };
	struct str values[LINE_COUNT] = { 0 };
	if (!check_request_line(head, problem, reason) || !gather_lines(head, values, &found, problem, reason))
		return false;
	if (str_is_none(values[LINE_HOST])) {
		if (str_equal(head->version, S("HTTP/1.1")))
			return refuse(PROBLEM_BAD_REQUEST, "no_host", problem, reason);
	} else if (!is_host(values[LINE_HOST])) {
		return refuse(PROBLEM_BAD_REQUEST, "host", problem, reason);
	}
	if (!check_body(head, values, &found, problem, reason))
		return false;
	int64_t event_id;
	if (!str_is_none(values[LINE_EVENT_ID]) && read_length(values[LINE_EVENT_ID], &event_id))
		found.last_event_id = event_id;
	found.host = values[LINE_HOST];
	found.content_type = values[LINE_CONTENT_TYPE];
	found.cookies = values[LINE_COOKIE];
	found.origin = values[LINE_ORIGIN];
	found.fetch_site = values[LINE_FETCH_SITE];
	found.if_none_match = values[LINE_IF_NONE_MATCH];
	*facts = found;
	/* Last, with the facts told: the caller may want to read so much and throw it away. */
	return found.content_length > HTTP_BODY_MAX ? refuse(PROBLEM_TOO_LARGE, "body_length", problem, reason) : true;
}

/* --- targets ---------------------------------------------------------------------------------------------- */

/* Decodes one segment into `out` (as long as `raw` at most); false for what must not stand in a path. */
static bool decode_segment(struct str raw, char *out, size_t *length)
{
	size_t n = 0;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.ptr[i];
		if (c == '%') {
			int high = i + 2 < raw.len ? str_hex_digit(raw.ptr[i + 1]) : -1;
			int low = i + 2 < raw.len ? str_hex_digit(raw.ptr[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
			if (c == '/')
				return false;
		}
		if ((unsigned char)c < ' ' || c == 0x7f || c == '\\')
			return false;
		out[n++] = c;
	}
	struct str decoded = { out, n };
	if (str_equal(decoded, S(".")) || str_equal(decoded, S("..")) || !utf8_valid(decoded))
		return false;
	*length = n;
	return true;
}

bool target_parse(struct arena *arena, struct str raw, struct target *target, enum problem *problem)
{
	struct target found = { .query = STR_NONE };
	struct str path = raw, query;
	if (str_cut(raw, '?', &path, &query))
		found.query = query;
	*problem = PROBLEM_BAD_REQUEST;
	if (path.len == 0 || path.ptr[0] != '/')
		return false;
	/* Decoded texts are at most as long as the raw one, with a NUL for each slash. */
	char *decoded = arena_alloc(arena, path.len + 1);
	char *joined = arena_alloc(arena, path.len + 1);
	size_t used = 0, joined_length = 0;
	struct str rest = str_slice(path, 1, path.len);
	while (rest.len > 0 || found.segment_count > 0) {
		struct str segment, tail;
		bool more = str_cut(rest, '/', &segment, &tail);
		if (segment.len == 0 && more)
			return false;
		if (found.segment_count == HTTP_SEGMENTS_MAX) {
			*problem = PROBLEM_NOT_FOUND;
			return false;
		}
		size_t length;
		if (!decode_segment(segment, decoded + used, &length))
			return false;
		found.segments[found.segment_count++] = (struct str){ decoded + used, length };
		joined[joined_length++] = '/';
		memcpy(joined + joined_length, decoded + used, length);
		joined_length += length;
		used += length + 1;
		if (!more)
			break;
		rest = tail;
	}
	if (found.segment_count == 0)
		joined[joined_length++] = '/';
	found.path = (struct str){ joined, joined_length };
	*target = found;
	return true;
}

/* --- values ------------------------------------------------------------------------------------------------ */

bool head_accepts_gzip(struct str accept_encoding)
{
	struct str rest = accept_encoding;
	bool any = false, more = rest.len > 0;
	while (more) {
		struct str item, parameters, coding;
		more = str_cut(rest, ',', &item, &rest);
		bool has_parameters = str_cut(item, ';', &coding, &parameters);
		coding = str_trim(coding);
		bool is_gzip = str_equal_nocase(coding, S("gzip")) || str_equal_nocase(coding, S("x-gzip"));
		if (!is_gzip && !str_equal(coding, S("*")))
			continue;
		bool refused = false;
		if (has_parameters) {
			struct str q = str_trim(parameters);
			double weight;
			if (str_starts(q, S("q=")) && str_to_double(str_slice(q, 2, q.len), &weight) && weight <= 0)
				refused = true;
		}
		if (is_gzip)
			return !refused;
		any = !refused;
	}
	return any;
}

bool head_etag_matches(struct str if_none_match, struct str etag)
{
	struct str rest = if_none_match;
	bool more = rest.len > 0;
	while (more) {
		struct str item;
		more = str_cut(rest, ',', &item, &rest);
		item = str_trim(item);
		if (str_equal(item, S("*")))
			return true;
		if (str_starts(item, S("W/")))
			item = str_slice(item, 2, item.len);
		struct str plain = str_starts(etag, S("W/")) ? str_slice(etag, 2, etag.len) : etag;
		if (str_equal(item, plain))
			return true;
	}
	return false;
}

struct str head_cookie(struct str cookies, struct str name)
{
	struct str rest = cookies;
	bool more = rest.len > 0;
	while (more) {
		struct str item, key, value;
		more = str_cut(rest, ';', &item, &rest);
		if (!str_cut(str_trim(item), '=', &key, &value) || !str_equal(key, name))
			continue;
		if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
			value = str_slice(value, 1, value.len - 1);
		return value;
	}
	return STR_NONE;
}
