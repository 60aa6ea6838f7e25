/* What libmicrohttpd 0.9.75 hides of a head, found by where its pieces lie.
 *
 * That version joins folded lines (and glues the second line to the first one's *name*), takes a bare CR or LF for the end of a line,
 * drops lines with an empty name and skips extra blanks in the request line: a proxy may have read such a head differently. It
 * parses in place, in one buffer, so a plain head leaves a plain layout: every line's name begins right behind the CRLF of the
 * line before, and the whole is as long as the head it reports. Everything else moved something. Only addresses are
 * compared, nothing is read. Later versions refuse these heads themselves and may lay them out otherwise. */
#include "kernel/http/layout.h"

static uintptr_t address(const char *text)
{
	return (uintptr_t)text;
}

bool layout_is_known(void)
{
	/* 0.9.76 is 0.9.75 with one repair. */
	const char *version = MHD_get_version();
	return strcmp(version, "0.9.75") == 0 || strcmp(version, "0.9.76") == 0;
}

bool layout_is_plain(const struct head *head, size_t head_size)
{
	uintptr_t start = address(head->method.ptr);
	uintptr_t at = start + head->method.len + 1;
	if (address(head->target.ptr) != at)
		return false;
	at += head->target.len + 1;
	if (address(head->version.ptr) != at)
		return false;
	at += head->version.len + 2;
	for (size_t i = 0; i < head->line_count; i++) {
		const struct http_field *line = &head->lines[i];
		uintptr_t name_end = at + line->name.len + 1;
		if (address(line->name.ptr) != at || address(line->value.ptr) < name_end)
			return false;
		at = address(line->value.ptr) + line->value.len + 2;
	}
	return at + 2 == start + head_size;
}
