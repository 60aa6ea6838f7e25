/* Telephone numbers of any bytes: a number that is accepted is E.164, and reads as itself. */
#include <stdlib.h>

#include "base/base.h"
#include "kernel/text/phone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct phone_number number, again;
	struct arena arena;

	if (size < 2)
		return 0;
	struct str country = { (const char *)data, 2 }, text = { (const char *)data + 2, size - 2 };

	arena_init(&arena);
	enum phone_problem problem;
	enum rc rc = phone_parse(&arena, text, country, &number, &problem);

	check(rc == OK || rc == INVALID);
	check((rc == OK) == (problem == PHONE_POSSIBLE));
	if (rc == OK) {
		check(number.e164.len >= 3 && number.e164.len <= PHONE_E164_DIGITS + 1 && number.e164.ptr[0] == '+');
		for (size_t i = 1; i < number.e164.len; i++)
			check(number.e164.ptr[i] >= '0' && number.e164.ptr[i] <= '9');
		struct str display = phone_format_display(&arena, number.e164);

		check(display.len > number.e164.len);
		/* what is shown can be typed again; a number in no range may lose what looks like a national prefix */
		if (number.valid && phone_parse(&arena, display, STR_NONE, &again, NULL) == OK)
			check(str_starts(again.e164, str_slice(number.e164, 0, 2)));
	}
	arena_release(&arena);
	return 0;
}
