/* Answers of any bytes: nothing breaks, slices stay inside, and what is folded once stays as it is. */
#include <stdlib.h>

#include "base/base.h"
#include "kernel/text/keyword.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const languages[] = { NULL, "en", "fr-CA", "ar", "fa-IR" };
	struct keyword_reply reply;
	struct arena arena;

	if (size < 1)
		return 0;
	struct str text = { (const char *)data + 1, size - 1 };

	arena_init(&arena);
	struct str folded = keyword_normalise(&arena, text);

	check(utf8_valid(folded) && memchr(folded.ptr, 0, folded.len) == NULL);
	check(str_equal(keyword_normalise(&arena, folded), folded));
	keyword_parse(&arena, text, str_from(languages[data[0] % COUNT_OF(languages)]), &reply);
	check(reply.rest.len == 0 ||
	      (reply.rest.ptr >= text.ptr && reply.rest.ptr + reply.rest.len <= text.ptr + text.len));
	check(!reply.urgent || reply.keyword == KEYWORD_UNKNOWN);
	check(str_is_none(reply.language) == (reply.keyword != KEYWORD_LANGUAGE));
	check(!reply.reference_certain || reply.reference != 0);
	arena_release(&arena);
	return 0;
}
