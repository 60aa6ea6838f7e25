/* Text that a spreadsheet leaves alone. */
#include "base/base.h"
#include "kernel/text/text.h"

static bool begins_formula(char c)
{
	return c != 0 && strchr("=+-@", c) != NULL;
}

/* A telephone number in international form is a number to a spreadsheet, nothing worse. */
static bool is_number(struct str text)
{
	for (size_t i = 1; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return text.len > 1 && text.ptr[0] == '+';
}

struct str text_for_spreadsheet(struct arena *arena, struct str text)
{
	if (str_is_empty(text) || is_number(text))
		return text;
	char *out = arena_alloc(arena, text.len * 2 + 1);
	size_t n = 0;
	char before = ';'; /* a field begins as if after a separator */
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];
		if ((strchr(";\t\r\n", before) && before && begins_formula(c)) || (i == 0 && (c == '\t' || c == '\r')))
			out[n++] = '\'';
		out[n++] = c;
		if (c != ' ' && c != '"')
			before = c;
	}
	return (struct str){ out, n };
}
