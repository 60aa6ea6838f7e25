/* Dates as people type them, Accept-Language headers, and message patterns: whatever comes, an answer or a refusal. */
#include <stdlib.h>

#include "kernel/text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena);
	struct str text = { (const char *)data, size };
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		enum language language = (enum language)i;
		int64_t days, again = 0;
		if (text_read_date(text, language, &days) &&
		    (!text_read_date(text_date_input(&arena, language, days), language, &again) || again != days))
			abort();
		struct msg_arg args[] = { MSG_N("n", (int64_t)size), MSG_S("0", text) };
		text_fill(&arena, language, text, args, COUNT_OF(args), true);
		text_isolate(&arena, language, text);
	}
	if ((int)language_accept(text) >= LANGUAGE_COUNT)
		abort();
	text_ascii_digits(&arena, text);
	arena_release(&arena);
	return 0;
}
