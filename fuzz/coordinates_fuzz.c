/* Pasted coordinates and CAP's circle: read or refused with a reason; what is read can be asked. */
#include <stdlib.h>

#include "kernel/geo/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct geo_area area;
	struct geo_report report;
	struct str text = { (const char *)data, size };
	arena_init(&arena);
	geo_report_init(&report);
	if (geo_read(&arena, text, NULL, &area, &report) == OK) {
		struct geo_prepared *prepared = geo_prepared_new(&area);
		struct geo_xy label;
		if (report.refused || !geo_prepared_meets(prepared, prepared, NULL) || !geo_area_label(&area, &label))
			abort();
		geo_prepared_free(prepared);
	} else if (!report.refused) {
		abort();
	}
	geo_report_init(&report);
	if (geo_read_cap_circle(&arena, text, &area, &report) == OK && area.disc_count != 1)
		abort();
	arena_release(&arena);
	return 0;
}
