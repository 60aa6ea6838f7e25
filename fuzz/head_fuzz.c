/* Heads: method, target, version and lines, one a line, as the library would hand them over. */
#include <stdlib.h>

#include "kernel/http/head.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A decoded path never walks and holds no byte that ends or splits anything. */
static void check_target(const struct target *target)
{
	must(target->path.len > 0 && target->path.ptr[0] == '/' && utf8_valid(target->path));
	must(target->segment_count <= HTTP_SEGMENTS_MAX);
	for (size_t i = 0; i < target->segment_count; i++) {
		struct str segment = target->segments[i];
		must(!str_equal(segment, S(".")) && !str_equal(segment, S("..")));
		must(segment.ptr[segment.len] == 0 && strlen(segment.ptr) == segment.len);
		must(!memchr(segment.ptr, '/', segment.len) && !memchr(segment.ptr, '\\', segment.len));
	}
}

static void check_facts(const struct head_facts *facts)
{
	must(facts->content_length >= -1 && facts->content_length <= HTTP_BODY_MAX);
	(void)head_accepts_gzip(facts->accept_encoding);
	(void)head_etag_matches(facts->if_none_match, S("W/\"0123\""));
	struct str cookie = head_cookie(facts->cookies, S("chancery_form"));
	must(str_is_none(cookie) || !memchr(cookie.ptr, ';', cookie.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_field lines[HTTP_HEAD_LINES_MAX + 1];
	struct head head = { .method = S("GET"), .target = S("/"), .version = S("HTTP/1.1"), .lines = lines };
	struct str rest = { (const char *)data, size }, *const first[] = { &head.method, &head.target, &head.version };
	bool more = size > 0;
	for (size_t i = 0; more && i < COUNT_OF(first); i++)
		more = str_cut(rest, '\n', first[i], &rest);
	while (more && head.line_count < COUNT_OF(lines)) {
		struct str line, name, value;
		more = str_cut(rest, '\n', &line, &rest);
		str_cut(line, ':', &name, &value);
		lines[head.line_count++] = (struct http_field){ name, str_is_none(value) ? S("") : value };
	}
	struct arena arena;
	struct head_facts facts;
	struct target target;
	enum problem problem = PROBLEM_COUNT;
	const char *reason = NULL;
	arena_init(&arena);
	if (head_check(&head, &facts, &problem, &reason))
		check_facts(&facts);
	else
		must(problem < PROBLEM_COUNT && reason);
	/* Also of heads that were refused: it must stand alone. */
	if (target_parse(&arena, head.target, &target, &problem))
		check_target(&target);
	arena_release(&arena);
	return 0;
}
