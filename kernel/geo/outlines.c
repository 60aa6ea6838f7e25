#include <math.h>

#include "kernel/geo/geo.h"

#define NEAR_EXACT_M 10.0

void geo_outlines_init(struct geo_outlines *outlines)
{
	*outlines = (struct geo_outlines){ { NULL } };
}

void geo_outlines_release(struct geo_outlines *outlines)
{
	for (size_t i = 0; i < GEO_COUNTRIES; i++)
		geo_prepared_free(outlines->of[i]);
	geo_outlines_init(outlines);
}

void geo_outlines_set(struct geo_outlines *outlines, uint16_t country, const struct geo_area *area)
{
	if (country == 0 || country >= GEO_COUNTRIES)
		return;
	geo_prepared_free(outlines->of[country]);
	outlines->of[country] = geo_prepared_new(area);
}

uint16_t geo_outlines_at(const struct geo_outlines *outlines, struct geo_xy point)
{
	for (uint16_t i = 1; i < GEO_COUNTRIES; i++)
		if (outlines->of[i] && geo_prepared_point(outlines->of[i], point, NULL))
			return i;
	return 0;
}

/* Distance from a point outside to a country in metres, at most `most`; more than `most` if it is not that near. */
static double distance_to(const struct geo_prepared *country, struct geo_xy point, double most)
{
	struct geo_disc disc = { point, most };
	if (!geo_prepared_disc(country, &disc, NULL))
		return most + NEAR_EXACT_M;
	double low = 0, high = most;
	while (high - low > NEAR_EXACT_M) {
		disc.radius_m = (low + high) / 2;
		if (geo_prepared_disc(country, &disc, NULL))
			high = disc.radius_m;
		else
			low = disc.radius_m;
	}
	return high;
}

uint16_t geo_outlines_near(const struct geo_outlines *outlines, struct geo_xy point, double most_m)
{
	uint16_t nearest = geo_outlines_at(outlines, point);
	if (nearest)
		return nearest;
	for (uint16_t i = 1; i < GEO_COUNTRIES; i++) {
		double distance = outlines->of[i] ? distance_to(outlines->of[i], point, most_m) : INFINITY;
		if (distance <= most_m) {
			nearest = i;
			most_m = distance;
		}
	}
	return nearest;
}
