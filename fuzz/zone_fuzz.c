/* A zone file: no bytes may crash the reader, and what it accepts must answer. */
#include "kernel/zone/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *zone = NULL;
	if (zone_parse((struct str){ (const char *)data, size }, &zone, NULL) != OK)
		return 0;
	for (int64_t day = -25000; day < 90000; day += 4999) {
		int64_t start = zone_day_start(zone, day);
		(void)zone_hour(zone, start);
		(void)zone_next_hour(zone, start, 8);
	}
	zone_free(zone);
	return 0;
}
