/* Numbers, hexadecimal bytes, UTF-8 and times of day as they come in: whole and in range, or refused. */
#include <math.h>
#include <stdlib.h>

#include "desks/travel/alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_int(struct arena *arena, struct str text)
{
	int64_t number = 0, again = 0;
	if (str_to_int(text, &number)) {
		double same;
		check(str_to_int(str_format(arena, "%lld", (long long)number), &again) && again == number);
		check(str_to_double(text, &same) && same == (double)number);
	}
}

static void check_double(struct arena *arena, struct str text)
{
	double number, again;
	if (str_to_double(text, &number))
		check(isfinite(number) && str_to_double(str_format(arena, "%.17g", number), &again) && again == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	uint8_t bytes[16];
	int64_t at;
	struct arena arena;

	arena_init(&arena);
	check_int(&arena, text);
	check_double(&arena, text);
	if (str_from_hex(text, bytes, sizeof bytes))
		check(str_equal_nocase(str_hex(&arena, bytes, sizeof bytes), text));
	if (utf8_valid(text))
		check(utf8_length(text) <= text.len);
	if (local_time(&arena, S("Asia/Kathmandu"), 20000, text, &at))
		check(at >= 19999 * CLOCK_DAY && at < 20001 * CLOCK_DAY);
	arena_release(&arena);
	return 0;
}
