/* The invented world of the demo. The draws come from a generator of our own with a fixed seed, so that everybody meets the same people. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "cmd/demo_world.h"

#define SEED UINT64_C(20260101)

struct draw {
	uint64_t state;
};

/* splitmix64 */
static uint64_t
draw_next(struct draw *draw)
{
	uint64_t z = draw->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t
draw_below(struct draw *draw, size_t bound)
{
	return (size_t)(draw_next(draw) % bound);
}

static bool
draw_percent(struct draw *draw, size_t percent)
{
	return draw_below(draw, 100) < percent;
}

struct demo_place {
	const char *name;
	const char *country; /* ISO 3166-1 alpha-2 */
	double latitude, longitude;
	unsigned weight;
};

/* Places where people travel and work. More are in Lisbon, where yesterday's alert was, in Athens, where today's is, and in Tunis, where the
 * reader is told to send one. */
static const struct demo_place places[] = {
	{ "Lisbon", "PT", 38.717, -9.133, 16 },      { "Athens", "GR", 37.984, 23.728, 10 },       { "Porto", "PT", 41.150, -8.611, 2 },
	{ "Madrid", "ES", 40.416, -3.703, 3 },       { "Barcelona", "ES", 41.389, 2.159, 3 },      { "Paris", "FR", 48.853, 2.349, 3 },
	{ "Marseille", "FR", 43.297, 5.381, 1 },     { "Rome", "IT", 41.892, 12.511, 3 },          { "Milan", "IT", 45.464, 9.190, 2 },
	{ "Vienna", "AT", 48.208, 16.372, 1 },       { "Berlin", "DE", 52.524, 13.411, 2 },        { "Warsaw", "PL", 52.230, 21.012, 1 },
	{ "Bucharest", "RO", 44.432, 26.104, 1 },    { "Istanbul", "TR", 41.014, 28.950, 4 },      { "Ankara", "TR", 39.920, 32.854, 1 },
	{ "Tbilisi", "GE", 41.694, 44.834, 1 },      { "Yerevan", "AM", 40.182, 44.515, 1 },       { "Baku", "AZ", 40.378, 49.892, 1 },
	{ "Tehran", "IR", 35.694, 51.422, 4 },       { "Isfahan", "IR", 32.652, 51.675, 2 },       { "Shiraz", "IR", 29.610, 52.531, 2 },
	{ "Amman", "JO", 31.955, 35.945, 2 },        { "Beirut", "LB", 33.893, 35.502, 2 },        { "Cairo", "EG", 30.063, 31.250, 3 },
	{ "Alexandria", "EG", 31.202, 29.916, 1 },   { "Tunis", "TN", 36.819, 10.166, 10 },         { "Algiers", "DZ", 36.732, 3.088, 2 },
	{ "Casablanca", "MA", 33.589, -7.604, 2 },   { "Marrakesh", "MA", 31.634, -8.000, 2 },     { "Dakar", "SN", 14.694, -17.444, 1 },
	{ "Accra", "GH", 5.556, -0.197, 1 },         { "Lagos", "NG", 6.455, 3.394, 1 },           { "Nairobi", "KE", -1.283, 36.817, 2 },
	{ "Addis Ababa", "ET", 9.025, 38.747, 1 },   { "Cape Town", "ZA", -33.926, 18.423, 2 },    { "Dubai", "AE", 25.077, 55.309, 3 },
	{ "Doha", "QA", 25.285, 51.531, 1 },         { "Muscat", "OM", 23.584, 58.408, 1 },        { "Mumbai", "IN", 19.073, 72.883, 2 },
	{ "Delhi", "IN", 28.652, 77.231, 2 },        { "Kathmandu", "NP", 27.702, 85.321, 1 },     { "Colombo", "LK", 6.935, 79.848, 1 },
	{ "Bangkok", "TH", 13.754, 100.501, 3 },     { "Hanoi", "VN", 21.025, 105.841, 1 },        { "Singapore", "SG", 1.290, 103.850, 2 },
	{ "Jakarta", "ID", -6.215, 106.845, 1 },     { "Manila", "PH", 14.604, 120.982, 1 },       { "Tokyo", "JP", 35.690, 139.692, 3 },
	{ "Osaka", "JP", 34.694, 135.502, 1 },       { "Seoul", "KR", 37.566, 126.978, 2 },        { "Sydney", "AU", -33.868, 151.207, 2 },
	{ "Auckland", "NZ", -36.849, 174.763, 1 },   { "Suva", "FJ", -18.142, 178.442, 1 },        { "Mexico City", "MX", 19.428, -99.128, 2 },
	{ "Havana", "CU", 23.133, -82.383, 1 },      { "Lima", "PE", -12.043, -77.028, 1 },        { "Bogota", "CO", 4.609, -74.082, 1 },
	{ "Sao Paulo", "BR", -23.548, -46.636, 2 },  { "Buenos Aires", "AR", -34.613, -58.377, 2 }, { "New York", "US", 40.714, -74.006, 3 },
	{ "Los Angeles", "US", 34.052, -118.244, 2 }, { "Toronto", "CA", 43.700, -79.416, 2 },
};

struct demo_names {
	const char *language;
	unsigned percent;
	const char *given[8];
	const char *family[6]; /* words for 'example', 'model' and the like: nobody is called so */
};

static const struct demo_names names[] = {
	{ "en", 40, { "Alice", "Benjamin", "Clara", "Daniel", "Emily", "Frank", "Grace", "Henry" },
	  { "Example", "Sample", "Specimen", "Placeholder", "Testperson", "Demo" } },
	{ "fr", 25, { "Amélie", "Bastien", "Chloé", "Damien", "Élodie", "Florian", "Gaëlle", "Hugo" },
	  { "Exemple", "Modèle", "Spécimen", "Échantillon", "Personnage", "Essai" } },
	{ "ar", 18, { "أحمد", "بشرى", "خالد", "دينا", "سامي", "فاطمة", "كريم", "ليلى" },
	  { "مثال", "نموذج", "عينة", "تجربة", "اختبار", "شخصية" } },
	{ "fa", 17, { "آرش", "بهار", "پریسا", "داریوش", "رویا", "سهراب", "کیان", "نرگس" },
	  { "نمونه", "مثالی", "آزمایشی", "الگو", "فرضی", "نمایشی" } },
};

static FILE *
file_new(struct arena *arena, const char *folder, const char *name, struct err *err)
{
	const char *path = str_format(arena, "%s/%s", folder, name).ptr;

	FILE *file = fopen(path, "we");
	if (!file)
		err_set(err, FAILED, "%s: %s", path, strerror(errno));
	return file;
}

static enum rc
file_end(FILE *file, const char *name, struct err *err)
{
	const bool bad = ferror(file) != 0;

	return fclose(file) != 0 || bad ? err_set(err, FAILED, "%s cannot be written: %s", name, strerror(errno)) : OK;
}

static const struct demo_names *
draw_names(struct draw *draw)
{
	size_t at = draw_below(draw, 100);

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (at < names[i].percent)
			return &names[i];
		at -= names[i].percent;
	}
	return &names[0];
}

/* Numbers nobody has: +1 NXX 555 0100-0199 (North America), +44 7700 900000-900999 (Ofcom, drama), +33 6 39 98 00 00-99 99 (ARCEP, fiction). */
static struct str
fictional_number(struct arena *arena, size_t person)
{
	static const int areas[] = { 202, 212, 303, 312, 404, 415, 503, 512, 602, 617 };

	if (person < 1000)
		return str_format(arena, "+1%d5550%03zu", areas[person / 100], 100 + person % 100);
	if (person < 1500)
		return str_format(arena, "+447700900%03zu", person - 1000);
	return str_format(arena, "+336399%05zu", 80000 + person - 1500);
}

static void
person_write(FILE *file, struct arena *arena, struct draw *draw, size_t person)
{
	static const char *const domains[] = { "example.org", "example.com", "example.net" };
	const struct demo_names *of = draw_names(draw);
	const char *given = of->given[draw_below(draw, COUNT_OF(of->given))];
	const char *family = of->family[draw_below(draw, COUNT_OF(of->family))];
	const size_t reach = draw_below(draw, 100); /* 0..1 nothing, 2..24 SMS alone, 25..44 mail alone, else both */
	const bool mail = reach >= 25, mobile = reach >= 2 && (reach < 25 || reach >= 45);

	fprintf(file, "P%04zu,%s %s,%s,", person + 1, given, family, of->language);
	if (mail)
		fprintf(file, "traveller%04zu@%s", person + 1, domains[person % COUNT_OF(domains)]);
	fprintf(file, ",%.*s,\n", STR_ARG(mobile ? fictional_number(arena, person) : S("")));
}

static const struct demo_place *
draw_place(struct draw *draw)
{
	unsigned all = 0;

	for (size_t i = 0; i < COUNT_OF(places); i++)
		all += places[i].weight;
	size_t at = draw_below(draw, all);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		if (at < places[i].weight)
			return &places[i];
		at -= places[i].weight;
	}
	return &places[0];
}

/* A stay near a place: within about 15 km of it, sometimes with a radius, sometimes 'somewhere in the country'. */
static void
stay_write(FILE *file, struct arena *arena, struct draw *draw, size_t person, int64_t from, int64_t to, const struct demo_place *place)
{
	const double angle = (double)draw_below(draw, 3600) * M_PI / 1800.0;
	const double degrees = (double)draw_below(draw, 1000) / 1000.0 * 0.13;
	const double latitude = place->latitude + degrees * sin(angle);
	const double longitude = place->longitude + degrees * cos(angle) / cos(place->latitude * M_PI / 180.0);
	const size_t kind = draw_below(draw, 100);
	const char *unsure = draw_percent(draw, 15) ? "2" : "";
	const struct str days = str_format(arena, "%.*s,%.*s", STR_ARG(date_format(arena, from)), STR_ARG(date_format(arena, to)));
	const size_t companions = draw_percent(draw, 30) ? 1 + draw_below(draw, 3) : 0;

	/* person_id,trip_id,place,latitude,longitude,country,from,to,from_unsure,to_unsure,companions,radius_km */
	fprintf(file, "P%04zu,T%04zu,", person + 1, person + 1);
	if (kind < 6)
		fprintf(file, ",,,%s,", place->country);
	else
		fprintf(file, "%s,%.5f,%.5f,%s,", place->name, latitude, longitude, place->country);
	fprintf(file, "%.*s,%s,%s,%zu,%s\n", STR_ARG(days), unsure, unsure, companions, kind >= 6 && kind < 20 ? "20" : "");
}

static void
trip_write(FILE *file, struct arena *arena, struct draw *draw, size_t person, int64_t today)
{
	const size_t legs = draw_percent(draw, 25) ? 2 + draw_below(draw, 2) : 1;
	/* Most are there now; some come later. */
	int64_t from = draw_percent(draw, 80) ? today - 3 - (int64_t)draw_below(draw, 25) : today + 1 + (int64_t)draw_below(draw, 30);

	for (size_t leg = 0; leg < legs; leg++) {
		const int64_t to = from + (leg ? 4 : 20) + (int64_t)draw_below(draw, 25);
		stay_write(file, arena, draw, person, from, to, draw_place(draw));
		from = to;
	}
}

/* A pentagon of some 60 km around a place. */
static void
watch_write(FILE *file, struct draw *draw, size_t number)
{
	const struct demo_place *place = &places[number % COUNT_OF(places)];
	const double size = 0.3 + (double)draw_below(draw, 40) / 100.0;

	fprintf(file, "%s\n{\"type\":\"Feature\",\"id\":\"W%03zu\",\"properties\":{\"name\":\"Around %s\",\"person\":\"P%04zu\"},"
	              "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[",
	        number ? "," : "", number + 1, place->name, DEMO_PEOPLE - number);
	for (int corner = 0; corner <= 5; corner++) {
		const double angle = (double)(corner % 5) * 2 * M_PI / 5;
		fprintf(file, "%s[%.4f,%.4f]", corner ? "," : "", place->longitude + size * cos(angle), place->latitude + size * sin(angle));
	}
	fprintf(file, "]]}}");
}

enum rc
demo_world_write(struct arena *arena, const char *folder, int64_t today, struct err *err)
{
	struct draw draw = { SEED };

	FILE *file = file_new(arena, folder, "people.csv", err);
	if (!file)
		return FAILED;
	fprintf(file, "id,name,language,email,mobile,country\n");
	for (size_t person = 0; person < DEMO_PEOPLE; person++)
		person_write(file, arena, &draw, person);
	enum rc rc = file_end(file, "people.csv", err);

	file = rc == OK ? file_new(arena, folder, "trips.csv", err) : NULL;
	if (!file)
		return FAILED;
	fprintf(file, "person_id,trip_id,place,latitude,longitude,country,from,to,from_unsure,to_unsure,companions,radius_km\n");
	/* The last ones follow a place without a trip. */
	for (size_t person = 0; person < DEMO_PEOPLE - DEMO_WATCHES; person++)
		trip_write(file, arena, &draw, person, today);
	rc = file_end(file, "trips.csv", err);

	file = rc == OK ? file_new(arena, folder, "watches.geojson", err) : NULL;
	if (!file)
		return FAILED;
	fprintf(file, "{\"type\":\"FeatureCollection\",\"features\":[");
	for (size_t number = 0; number < DEMO_WATCHES; number++)
		watch_write(file, &draw, number);
	fprintf(file, "\n]}\n");
	return file_end(file, "watches.geojson", err);
}
