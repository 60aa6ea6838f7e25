/* Texts of people: made safe, freed of HTML, of what is quoted and of signatures. */
#include "kernel/mail/private.h"

struct str mail_clean(struct arena *arena, struct str text, size_t most, bool *cut)
{
	struct buf out;
	buf_init(&out);
	for (size_t at = 0; at < text.len;) {
		uint32_t code = utf8_next(text, &at);
		if ((code < ' ' && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0))
			continue;
		char bytes[4];
		size_t size = utf8_put(code, bytes);
		if (out.len + size > most) {
			if (cut)
				*cut = true;
			break;
		}
		buf_add(&out, bytes, size);
	}
	struct str clean = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return clean;
}

struct str mail_clean_line(struct arena *arena, struct str text)
{
	struct str clean = mail_clean(arena, text, MAIL_FIELD_MAX, NULL);
	char *line = str_c(arena, clean);
	for (size_t i = 0; i < clean.len; i++)
		if (line[i] == '\n' || line[i] == '\t')
			line[i] = ' ';
	return str_trim((struct str){ line, clean.len });
}

/* --- HTML ------------------------------------------------------------------------------------------------- */

static bool letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The name of a tag that begins at `at` ("<" or "</"), lower-cased into out[16]; false if it is no tag. */
static bool tag_name(struct str html, size_t at, char out[16], bool *end)
{
	at++;
	*end = at < html.len && html.ptr[at] == '/';
	at += *end;
	size_t n = 0;
	while (at < html.len && n < 15 && (letter(html.ptr[at]) || (n > 0 && html.ptr[at] >= '0' && html.ptr[at] <= '9')))
		out[n++] = (char)(html.ptr[at++] | 0x20);
	out[n] = 0;
	return n > 0 || (at < html.len && html.ptr[at] == '!');
}

static bool name_in(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static size_t entity(struct str html, size_t at, struct buf *out)
{
	static const struct {
		const char *name;
		uint32_t code;
	} NAMES[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' }, { "zwnj", 0x200C } };
	size_t end = str_find(html, S(";"), at);
	if (end == SIZE_MAX || end - at > 10 || end - at < 2)
		return 0;
	struct str name = str_slice(html, at + 1, end);
	uint32_t code = 0;
	if (name.ptr[0] == '#') {
		bool hex = name.len > 1 && (name.ptr[1] | 0x20) == 'x';
		for (size_t i = hex ? 2 : 1; i < name.len; i++) {
			char c = name.ptr[i];
			uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (uint32_t)((c | 0x20) - 'a' + 10) : 99;
			if (digit >= (hex ? 16u : 10u) || code > 0x110000)
				return 0;
			code = code * (hex ? 16 : 10) + digit;
		}
	}
	for (size_t i = 0; i < COUNT_OF(NAMES); i++)
		if (str_equal(name, str_from(NAMES[i].name)))
			code = NAMES[i].code;
	if (code == 0)
		return 0;
	char bytes[4];
	buf_add(out, bytes, utf8_put(code, bytes));
	return end + 1 - at;
}

static void line_end(struct buf *out)
{
	if (out->len > 0 && out->ptr[out->len - 1] != '\n')
		buf_add_char(out, '\n');
}

static void convert_html(struct str html, bool hide, struct buf *out)
{
	static const char *const HIDDEN[] = { "script", "style", "head", "title", "blockquote", "template" };
	static const char *const BLOCKS[] = { "p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "hr" };
	size_t hidden = 0;
	for (size_t at = 0; at < html.len;) {
		char name[16];
		bool end;
		if (html.ptr[at] == '<' && tag_name(html, at, name, &end)) {
			if (hide && name_in(name, HIDDEN, COUNT_OF(HIDDEN)))
				hidden = end ? (hidden ? hidden - 1 : 0) : hidden + 1;
			if (!hidden && name_in(name, BLOCKS, COUNT_OF(BLOCKS)))
				line_end(out);
			bool comment = str_starts(str_slice(html, at, html.len), S("<!--"));
			size_t close = str_find(html, comment ? S("-->") : S(">"), at);
			at = close == SIZE_MAX ? html.len : close + (comment ? 3 : 1);
			continue;
		}
		size_t used = html.ptr[at] == '&' && !hidden ? entity(html, at, out) : 0;
		if (used == 0) {
			char c = html.ptr[at];
			bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
			/* Blanks of the source mean one blank. */
			if (!hidden && !(blank && (out->len == 0 || out->ptr[out->len - 1] == ' ' || out->ptr[out->len - 1] == '\n')))
				buf_add_char(out, blank ? ' ' : c);
			used = 1;
		}
		at += used;
	}
}

struct str mail_text_of_html(struct arena *arena, struct str html)
{
	struct buf out;
	buf_init(&out);
	convert_html(html, true, &out);
	/* A <style> or <head> that is never closed would hide everything; better to show too much. */
	if (str_trim(buf_str(&out)).len == 0) {
		buf_clear(&out);
		convert_html(html, false, &out);
	}
	struct str text = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return text;
}

/* --- quotes ----------------------------------------------------------------------------------------------- */

static bool starts_any(struct str line, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(words[i]);
		if (line.len >= length && str_equal_nocase(str_slice(line, 0, length), (struct str){ words[i], length }))
			return true;
	}
	return false;
}

/* A line of underscores or dashes, as some programs draw above the old mail. */
static bool is_rule(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] != '_')
			return false;
	return line.len >= 20;
}

/* "From:" with another header line right below: the old mail as Outlook quotes it, in the languages met. */
static bool is_old_head(struct str line, struct str next)
{
	static const char *const FROM[] = { "From:", "*From:*", "De :", "De:", "Von:", "Da:", "Van:", "من:", "از:", "От:", "发件人:" };
	static const char *const SENT[] = { "Sent:", "*Sent:*", "Date:", "*Date:*", "To:", "*To:*", "Subject:", "Envoyé :", "Envoyé:", "À :", "Date :",
		                            "Gesendet:", "Enviado:", "Inviato:", "Verzonden:", "تم الإرسال:", "إلى:", "التاريخ:", "ارسال شده:", "به:", "تاریخ:", "Отправлено:", "发送时间:" };
	return starts_any(line, FROM, COUNT_OF(FROM)) && starts_any(next, SENT, COUNT_OF(SENT));
}

/* From here on nothing is the writer's. */
static bool is_end(struct str line, struct str next, bool exact_signature)
{
	static const char *const ENDS[] = { "-----Original Message", "-----Original-Nachricht", "-----Message d'origine", "---------- Forwarded message",
		                            "Begin forwarded message", "-------- Message d'origine", "-------- Original Message" };
	return exact_signature || starts_any(line, ENDS, COUNT_OF(ENDS)) || is_rule(line) || is_old_head(line, next);
}

/* What telephones add below. */
static bool is_advert(struct str line)
{
	static const char *const ADVERTS[] = { "Sent from my ", "Envoyé de mon ", "Envoyé depuis mon", "Get Outlook for", "Sent from Outlook", "أرسلت من ", "تم الإرسال من ", "ارسال شده از ", "Von meinem " };
	return starts_any(line, ADVERTS, COUNT_OF(ADVERTS));
}

struct lines {
	struct str *items;
	size_t count, room;
};

static void split_lines(struct arena *arena, struct str text, struct lines *out)
{
	while (text.len > 0) {
		struct str line, rest;
		str_cut(text, '\n', &line, &rest);
		ARENA_PUSH(arena, out->items, out->count, out->room, line);
		text = rest;
	}
}

static bool is_quoted(struct str line)
{
	return str_starts(str_trim(line), S(">"));
}

/* Marks the line or two above a quoted block that introduce it: "On ... wrote:". They end with a colon. */
static size_t introduction(const struct lines *lines, size_t quote)
{
	size_t at = quote;
	while (at > 0 && str_trim(lines->items[at - 1]).len == 0)
		at--;
	if (at == 0 || quote - at > 2)
		return quote;
	struct str last = str_trim(lines->items[at - 1]);
	if (!str_ends(last, S(":")) && !str_ends(last, S("：")))
		return quote;
	at--;
	/* Wrapped: the line above belongs to it if it is no paragraph of its own and holds a date or an address. */
	if (at > 0 && (str_find(last, S("@"), 0) == SIZE_MAX || last.len < 40)) {
		struct str above = str_trim(lines->items[at - 1]);
		bool digits = false;
		for (size_t i = 0; i < above.len; i++)
			digits = digits || (above.ptr[i] >= '0' && above.ptr[i] <= '9');
		if (digits && (str_starts(above, S("On ")) || str_starts(above, S("Le ")) || str_starts(above, S("Am "))))
			at--;
	}
	return at;
}

struct str mail_without_quotes(struct arena *arena, struct str text)
{
	struct lines lines = { NULL, 0, 0 };
	struct buf out;
	split_lines(arena, text, &lines);
	buf_init(&out);
	bool *dropped = ARENA_NEW_ARRAY(arena, bool, lines.count + 1);
	size_t end = lines.count;
	for (size_t i = 0; i < lines.count; i++) {
		struct str line = lines.items[i], next = i + 1 < lines.count ? str_trim(lines.items[i + 1]) : S("");
		if (is_end(str_trim(line), next, str_equal(line, S("-- ")) || str_equal(line, S("--")))) {
			end = i;
			break;
		}
		if (is_quoted(line)) {
			for (size_t k = i > 0 && dropped[i - 1] ? i : introduction(&lines, i); k <= i; k++)
				dropped[k] = true;
		} else if (is_advert(str_trim(line))) {
			dropped[i] = true;
		}
	}
	for (size_t i = 0; i < end; i++) {
		if (dropped[i])
			continue;
		buf_add_str(&out, lines.items[i]);
		buf_add_char(&out, '\n');
	}
	struct str kept = str_copy(arena, str_trim(buf_str(&out)));
	buf_release(&out);
	return kept;
}
