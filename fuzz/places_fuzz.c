/* What people type: no bytes may crash the folding of names or the measure of their distance. The searches themselves
 * run on folded text only, which holds letters, digits, marks and blanks. */
#include <stdlib.h>

#include "core/places/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena);
	struct str text = { (const char *)data, size };
	struct str key = place_fold(&arena, text);
	/* A key is its own key, is UTF-8, and holds nothing that means something to a full-text query. */
	if (!utf8_valid(key) || !str_equal(place_fold(&arena, key), key))
		abort();
	for (size_t i = 0; i < key.len; i++)
		if (strchr("\"'*:()^+-{}", key.ptr[i]) != NULL)
			abort();
	uint32_t a[PLACE_DISTANCE_MAX], b[PLACE_DISTANCE_MAX];
	size_t a_count = place_code_points(key, a, PLACE_DISTANCE_MAX),
	       b_count = place_code_points(text, b, PLACE_DISTANCE_MAX);
	if (a_count <= PLACE_DISTANCE_MAX && b_count <= PLACE_DISTANCE_MAX &&
	    place_distance(a, a_count, b, b_count, 3) != place_distance(b, b_count, a, a_count, 3))
		abort();
	arena_release(&arena);
	return 0;
}
