/* Coordinates as people type them: an answer within range, or none. */
#include <stdlib.h>

#include "desks/travel/where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	double latitude = 0, longitude = 0;
	struct arena arena;

	arena_init(&arena);
	if (coordinates_read(&arena, (struct str){ (const char *)data, size }, &latitude, &longitude) == COORDINATES_READ &&
	    !(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180))
		abort();
	arena_release(&arena);
	return 0;
}
