/* Escaping and the values of templates. */
#include "kernel/html/html.h"

#include "kernel/http/http.h"

void html_literal(struct html *out, const char *text, size_t size)
{
	buf_add(out->buf, text, size);
}

void html_put_text(struct html *out, struct str text)
{
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *instead = NULL;
		unsigned char c = (unsigned char)text.ptr[i];
		switch (c) {
		case '&':
			instead = "&amp;";
			break;
		case '<':
			instead = "&lt;";
			break;
		case '>':
			instead = "&gt;";
			break;
		case '"':
			instead = "&quot;";
			break;
		case '\'':
			instead = "&#39;";
			break;
		default:
			if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
				instead = "\uFFFD";
		}
		if (instead == NULL)
			continue;
		buf_add(out->buf, text.ptr + from, i - from);
		buf_add_str(out->buf, str_from(instead));
		from = i + 1;
	}
	if (text.len > from)
		buf_add(out->buf, text.ptr + from, text.len - from);
}

void html_put_c(struct html *out, const char *text)
{
	html_put_text(out, str_from(text));
}

void html_put_int(struct html *out, int64_t value)
{
	html_put_text(out, text_number(out->arena, out->language, value));
}

void html_put_uint(struct html *out, uint64_t value)
{
	if (value <= INT64_MAX)
		html_put_int(out, (int64_t)value);
	else
		html_put_plain_uint(out, value);
}

void html_put_plain_int(struct html *out, int64_t value)
{
	buf_add_int(out->buf, value);
}

void html_put_plain_uint(struct html *out, uint64_t value)
{
	buf_format(out->buf, "%llu", (unsigned long long)value);
}

void html_put_markup(struct html *out, struct html_markup markup)
{
	buf_add_str(out->buf, markup.text);
}

/* Is `text` a local path? "//host" is an address of someone else. */
static bool is_local(struct str text)
{
	return str_starts(text, S("/")) && !str_starts(text, S("//")) && !str_starts(text, S("/\\"));
}

struct html_url html_url(struct arena *arena, struct str text)
{
	static const char *const schemes[] = { "https://", "http://", "mailto:", "tel:", "sms:" };
	bool known = is_local(text) || str_starts(text, S("#")) || str_starts(text, S("?"));
	for (size_t i = 0; i < COUNT_OF(schemes) && !known; i++) {
		struct str scheme = str_from(schemes[i]);
		known = text.len > scheme.len && str_equal_nocase(str_slice(text, 0, scheme.len), scheme);
	}
	for (size_t i = 0; i < text.len && known; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		known = c > 0x20 && c != 0x7F && c != '\\';
	}
	return (struct html_url){ known ? str_copy(arena, text) : S("#") };
}

struct html_url html_tel(struct arena *arena, struct str number)
{
	return html_url(arena, str_format(arena, "tel:%.*s", STR_ARG(number)));
}

void html_put_url(struct html *out, struct html_url url)
{
	html_put_text(out, url.text);
}

void html_put_link(struct html *out, struct html_url url)
{
	size_t fragment = str_find(url.text, S("#"), 0);
	struct str before = str_slice(url.text, 0, fragment);
	html_put_text(out, before);
	if (is_local(url.text) && str_find(before, S("lang="), 0) == SIZE_MAX)
		html_put_language(out, str_find(before, S("?"), 0) != SIZE_MAX);
	if (fragment != SIZE_MAX)
		html_put_text(out, str_slice(url.text, fragment, url.text.len));
}

void html_put_part_text(struct html *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		                  c == '_' || c == '~';
		if (unreserved)
			buf_add_char(out->buf, (char)c);
		else
			buf_format(out->buf, "%%%02X", c);
	}
}

void html_put_part_c(struct html *out, const char *text)
{
	html_put_part_text(out, str_from(text));
}

void html_put_message(struct html *out, enum msg message, const struct msg_arg *args, size_t count)
{
	html_put_text(out, message_text(out->arena, out->language, message, args, count, true));
}

void html_put_date(struct html *out, int64_t days)
{
	struct str machine = date_format(out->arena, days);
	buf_format(out->buf, "<time datetime=\"%.*s\">", STR_ARG(machine));
	html_put_text(out, text_date(out->arena, out->language, days));
	html_literal(out, "</time>", 7);
}

void html_put_time(struct html *out, int64_t microseconds, struct str zone)
{
	struct str machine = clock_format(out->arena, microseconds);
	buf_format(out->buf, "<time datetime=\"%.*s\">", STR_ARG(machine));
	const char *name = str_c(out->arena, str_is_empty(zone) ? out->zone : zone);
	html_put_text(out, text_date_time(out->arena, out->language, microseconds, name));
	html_literal(out, "</time>", 7);
}

void html_put_relative(struct html *out, int64_t microseconds)
{
	struct str machine = clock_format(out->arena, microseconds);
	buf_format(out->buf, "<time datetime=\"%.*s\">", STR_ARG(machine));
	html_put_text(out, text_relative(out->arena, out->language, microseconds, out->now));
	html_literal(out, "</time>", 7);
}

void html_put_form_token(struct html *out)
{
	if (out->request == NULL)
		return;
	buf_add_str(out->buf, S("<input type=\"hidden\" name=\"form_token\" value=\""));
	html_put_text(out, form_token(out->request));
	buf_add_str(out->buf, S("\">"));
}

void html_put_language(struct html *out, bool after_question)
{
	if (out->language_chosen)
		buf_format(out->buf, "%slang=%s", after_question ? "&amp;" : "?", languages[out->language].tag);
}

void html_put_language_field(struct html *out)
{
	if (out->language_chosen)
		buf_format(out->buf, "<input type=\"hidden\" name=\"lang\" value=\"%s\">", languages[out->language].tag);
}

struct str html_str_text(struct html *out, struct str text)
{
	(void)out;
	return text;
}

struct str html_str_c(struct html *out, const char *text)
{
	(void)out;
	return str_from(text);
}

struct str html_str_int(struct html *out, int64_t value)
{
	return str_format(out->arena, "%lld", (long long)value);
}

struct str html_str_uint(struct html *out, uint64_t value)
{
	return str_format(out->arena, "%llu", (unsigned long long)value);
}

struct msg_arg html_arg_text(const char *name, struct str text)
{
	return MSG_S(name, text);
}

struct msg_arg html_arg_c(const char *name, const char *text)
{
	return MSG_S(name, str_from(text));
}

struct msg_arg html_arg_int(const char *name, int64_t value)
{
	return MSG_N(name, value);
}

struct msg_arg html_arg_uint(const char *name, uint64_t value)
{
	return MSG_N(name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

struct html html_plain(struct buf *buf, struct arena *arena, enum language language)
{
	return (struct html){ .buf = buf, .arena = arena, .language = language, .zone = S("UTC"), .now = clock_now() };
}

struct html html_begin(struct request *request, struct response *response)
{
	struct html out = html_plain(&response->body, request->arena, request->language);
	out.request = request;
	out.now = request->now;
	/* A choice that is no language of ours is none: links do not carry it on. */
	out.language_chosen = language_find(request_query(request, "lang")) == request->language;
	return out;
}
