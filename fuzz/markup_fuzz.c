/* Officers' Markdown: whatever they paste, the page gets only the elements and addresses that are meant. */
#include <stdlib.h>

#include "desks/travel/alert_views.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str elements[] = {
	S("p"),  S("em"),   S("strong"), S("ul"),         S("ol"), S("li"), S("a"),  S("h3"),
	S("h4"), S("h5"),   S("h6"),     S("blockquote"), S("br"), S("hr"), S("code"), S("pre"),
};

static bool is_known(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(elements); i++)
		if (str_equal(name, elements[i]))
			return true;
	return false;
}

/* One start or end tag without its brackets: a known element, and no attributes but href and title, start, class and language. */
static void check_tag(struct str tag)
{
	size_t end = 0;
	if (tag.len > 0 && tag.ptr[0] == '/')
		tag = str_slice(tag, 1, tag.len);
	while (end < tag.len && tag.ptr[end] != ' ' && tag.ptr[end] != '/')
		end++;
	if (!is_known(str_slice(tag, 0, end)))
		abort();
	struct str attributes = str_trim(str_slice(tag, end, tag.len));
	if (attributes.len == 0 || str_equal(attributes, S("/")))
		return;
	static const struct str allowed[] = { S("href=\""), S("start=\""), S("class=\"language-"), S("title=\"") };
	for (size_t i = 0; i < COUNT_OF(allowed); i++)
		if (str_starts(attributes, allowed[i])) {
			struct str value = str_slice(attributes, allowed[i].len, attributes.len);
			/* cmark empties addresses that could run something. */
			if (i == 0 && (str_starts(value, S("javascript:")) || str_starts(value, S("vbscript:")) || str_starts(value, S("data:"))))
				abort();
			return;
		}
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena);
	struct str html = alert_markup(&arena, (struct str){ (const char *)data, size }).text;
	if (!utf8_valid(html))
		abort();
	for (size_t at = 0, end; (at = str_find(html, S("<"), at)) < html.len; at = end) {
		end = str_find(html, S(">"), at);
		if (end >= html.len)
			abort();
		struct str tag = str_slice(html, at + 1, end);
		if (!str_equal(tag, S("!-- raw HTML omitted --")))
			check_tag(tag);
	}
	arena_release(&arena);
	return 0;
}
