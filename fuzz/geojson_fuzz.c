/* GeoJSON and stored areas: whatever is accepted can be prepared, written, read again as the same, and asked. */
#include <stdlib.h>

#include "kernel/geo/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void ask(const struct geo_area *area)
{
	struct geo_prepared *prepared = geo_prepared_new(area);
	for (size_t p = 0; p < area->polygon_count; p++) {
		const struct geo_ring *ring = &area->polygons[p].rings[0];
		/* Corners touch; but pieces of a crossing ring may be cut so that a rounded corner is none. */
		for (size_t i = 0; i < ring->count && i < 64; i++)
			check(geo_prepared_point(prepared, ring->points[i], NULL));
	}
	for (size_t i = 0; i < area->disc_count && i < 64; i++)
		check(geo_prepared_disc(prepared, &area->discs[i], NULL));
	check(area->polygon_count + area->disc_count == 0 || geo_prepared_meets(prepared, prepared, NULL));
	geo_prepared_free(prepared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct geo_reading lenient = { .keep_crossing = true };
	struct arena arena;
	struct geo_area area, again;
	struct geo_report report;
	size_t count;
	arena_init(&arena);
	geo_report_init(&report);
	if (geo_read_geojson(&arena, (struct str){ (const char *)data, size }, &lenient, &area, &report) == OK) {
		check(!report.refused);
		ask(&area);
		struct str stored = geo_write_area(&arena, &area);
		geo_report_init(&report);
		check(geo_read_geojson(&arena, stored, NULL, &again, &report) == OK);
		check(again.polygon_count == area.polygon_count && again.disc_count == area.disc_count && again.country_count == area.country_count);
		check(again.vertex_count == area.vertex_count);
		geo_write_geojson(&arena, &area);
		geo_write_cap_polygons(&arena, &area, &count);
		geo_write_cap_circles(&arena, &area, &count);
	} else {
		check(report.refused && report.count > 0);
	}
	arena_release(&arena);
	return 0;
}
