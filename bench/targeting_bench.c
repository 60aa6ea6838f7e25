/* bench/targeting: see there. The world is invented: half of all places lie in the box of a star of 10,000 corners, ragged like
 * a coast, that holds half of the box; 200 countries in a grid; discs of 1 to 50 km. All legs fall into the window, so that all
 * have to be looked at and as many as possible are found. A second star of 10,000 spikes is the worst case for the grid; it is
 * not asked of PostGIS, which takes 0.1 ms a point for it. */
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <math.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/audience/audience.h"

#define VERTICES 10000
#define HARMONICS 1000
#define SPIKE_INNER 0.596 /* spikes of 0.596 to 1: the star has half the area of its box */
#define CENTRE_LONGITUDE 20.0
#define CENTRE_LATITUDE 15.0
#define HALF_WIDTH 30.0
#define HALF_HEIGHT 20.0
#define COUNTRY_COLUMNS 20
#define COUNTRY_ROWS 10
#define OUTLINE_VERTICES 400
#define RUNS 5
#define CHUNK 65536
#define ONE_MILLION 1000000
#define TEN_MILLION 10000000
#define YEAR_MINUTES (365 * 24 * 60)
#define POSTGRES_BIN "/usr/lib/postgresql/15/bin/"

static uint64_t state = 88172645463325252;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static double uniform(double low, double high)
{
	return low + (high - low) * (double)(next_random() >> 11) / 9007199254740992.0;
}

static double seconds(void)
{
	return (double)clock_monotonic() / 1e6;
}

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench/targeting: %s: %s\n", what, why);
	exit(3);
}

/* --- the world ------------------------------------------------------------------------------------------------ */
static struct geo_area star(struct arena *arena, double longitude, double latitude, double width, double height, size_t count, double inner)
{
	struct geo_line line = { ARENA_NEW_ARRAY(arena, struct geo_point, count), count, NULL };
	struct geo_area area;
	struct geo_report report;
	for (size_t i = 0; i < count; i++) {
		double angle = 2 * M_PI * (double)i / (double)count, radius = i % (count / 4) ? uniform(inner, 1) : 1;
		line.points[i] = (struct geo_point){ longitude + width * radius * cos(angle), latitude + height * radius * sin(angle) };
	}
	geo_area_init(&area);
	geo_report_init(&report);
	if (geo_area_add_polygon(arena, &area, &line, 1, NULL, &report) != OK)
		fail("star", geo_code_name(report.findings[report.count - 1].code));
	return area;
}

static double share_of_box(const double *shape, double raggedness, struct geo_line *line)
{
	double west = 0, east = 0, south = 0, north = 0, turn = 0;
	for (size_t i = 0; i < VERTICES; i++) {
		double angle = 2 * M_PI * (double)i / VERTICES, radius = fmax(0.05, 1 + raggedness * shape[i]);
		struct geo_point p = { radius * cos(angle), radius * sin(angle) }, before = line->points[i ? i - 1 : 0];
		west = fmin(west, p.longitude), east = fmax(east, p.longitude);
		south = fmin(south, p.latitude), north = fmax(north, p.latitude);
		turn += i ? before.longitude * p.latitude - p.longitude * before.latitude : 0;
		line->points[i] = p;
	}
	return turn / 2 / ((east - west) * (north - south));
}

/* A ragged star: waves of falling height along the circle, as high as makes it hold half of its box. */
static struct geo_area coast(struct arena *arena)
{
	double *shape = ARENA_NEW_ARRAY(arena, double, VERTICES), low = 0, high = 2;
	struct geo_line line = { ARENA_NEW_ARRAY(arena, struct geo_point, VERTICES), VERTICES, NULL };
	struct geo_area area;
	struct geo_report report;
	for (int k = 1; k <= HARMONICS; k++) {
		double phase = uniform(0, 2 * M_PI), height = uniform(0.2, 1) / k;
		for (size_t i = 0; i < VERTICES; i++)
			shape[i] += height * cos(2 * M_PI * k * (double)i / VERTICES + phase);
	}
	for (int halving = 0; halving < 50; halving++) {
		double middle = (low + high) / 2;
		if (share_of_box(shape, middle, &line) > 0.5)
			low = middle;
		else
			high = middle;
	}
	for (size_t i = 0; i < VERTICES; i++)
		line.points[i] = (struct geo_point){ CENTRE_LONGITUDE + HALF_WIDTH * line.points[i].longitude,
			                             CENTRE_LATITUDE + HALF_HEIGHT * line.points[i].latitude };
	geo_area_init(&area);
	geo_report_init(&report);
	if (geo_area_add_polygon(arena, &area, &line, 1, NULL, &report) != OK)
		fail("coast", geo_code_name(report.findings[report.count - 1].code));
	return area;
}

static uint16_t country_at(struct geo_xy at)
{
	int column = (int)((geo_degrees(at.x) + 180) / (360.0 / COUNTRY_COLUMNS)) % COUNTRY_COLUMNS;
	int row = (int)((geo_degrees(at.y) + 90) / (180.0 / COUNTRY_ROWS)) % COUNTRY_ROWS;
	return (uint16_t)(row * COUNTRY_COLUMNS + column + 1);
}

static void make_outlines(struct arena *arena, struct geo_outlines *outlines)
{
	double width = 180.0 / COUNTRY_COLUMNS, height = 90.0 / COUNTRY_ROWS;
	geo_outlines_init(outlines);
	for (int row = 0; row < COUNTRY_ROWS; row++) {
		for (int column = 0; column < COUNTRY_COLUMNS; column++) {
			double longitude = -180 + width * (2 * column + 1), latitude = -90 + height * (2 * row + 1);
			struct geo_area area = star(arena, longitude, latitude, width, height, OUTLINE_VERTICES, 0.8);
			geo_outlines_set(outlines, (uint16_t)(row * COUNTRY_COLUMNS + column + 1), &area);
		}
	}
}

static struct geo_box alert_box;

static struct geo_xy random_place(void)
{
	struct geo_xy at;
	bool in_box = next_random() % 2, is_there;
	do {
		double longitude = in_box ? uniform(geo_degrees(alert_box.x0), geo_degrees(alert_box.x1)) : uniform(-180, 180);
		double latitude = in_box ? uniform(geo_degrees(alert_box.y0), geo_degrees(alert_box.y1)) : uniform(-60, 75);
		geo_xy_from(longitude, latitude, &at);
		is_there = geo_box_meets(alert_box, (struct geo_box){ at.x, at.y, at.x, at.y });
	} while (is_there != in_box);
	return at;
}

static void random_entry(struct leg_entry *entry, int64_t id, bool points_only)
{
	uint64_t pick = points_only ? 0 : next_random() % 100;
	*entry = (struct leg_entry){ .leg_id = id, .person_id = 1 + id / 2, .at = random_place() };
	entry->kind = pick < 80 ? LEG_POINT : pick < 95 ? LEG_DISC : LEG_COUNTRY;
	entry->country = country_at(entry->at);
	entry->radius_m = entry->kind == LEG_DISC ? (uint32_t)uniform(1000, 50000) : 0;
	entry->from = (int32_t)(next_random() % YEAR_MINUTES);
	entry->to = entry->from + (int32_t)(next_random() % (YEAR_MINUTES / 12));
}

/* Loads and builds; returns the seconds the index took, without the making of the entries. */
static double build(struct leg_index *index, int64_t count, bool points_only)
{
	struct leg_entry *chunk = malloc(CHUNK * sizeof *chunk);
	double taken = 0;
	if (!chunk)
		fail("build", "out of memory");
	for (int64_t done = 0; done < count;) {
		size_t here = 0;
		for (; here < CHUNK && done < count; done++)
			random_entry(&chunk[here++], done + 1, points_only);
		double start = seconds();
		for (size_t i = 0; i < here; i++) {
			leg_index_load_person(index, chunk[i].person_id, (struct leg_person){ 6, 1 });
			leg_index_load(index, &chunk[i]);
		}
		taken += seconds() - start;
	}
	double start = seconds();
	leg_index_build(index);
	taken += seconds() - start;
	free(chunk);
	return taken;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static double median(double *times)
{
	qsort(times, RUNS, sizeof *times, compare_doubles);
	return times[RUNS / 2];
}

static const struct leg_window whole_year = { 0, 2 * YEAR_MINUTES };

/* Median seconds from the parsed area to ids and reasons; each run into fresh memory, as a server would. */
static double ask(struct leg_index *index, const struct geo_area *area, struct leg_matches *matches)
{
	double times[RUNS];
	for (int run = 0; run < RUNS; run++) {
		leg_matches_release(matches);
		double start = seconds();
		struct geo_prepared *prepared = geo_prepared_new(area);
		leg_index_query(index, prepared, whole_year, matches);
		times[run] = seconds() - start;
		geo_prepared_free(prepared);
	}
	return median(times);
}

static void count_whys(const struct leg_matches *matches)
{
	static const char *const names[] = { "", "point", "disc", "country named", "country held", "area", "country met", "country reached" };
	size_t counts[COUNT_OF(names)] = { 0 };
	for (size_t i = 0; i < matches->count; i++)
		counts[matches->items[i].why]++;
	printf("   ");
	for (size_t i = 1; i < COUNT_OF(names); i++)
		if (counts[i])
			printf(" %s %zu;", names[i], counts[i]);
	printf("\n");
}

/* --- PostGIS -------------------------------------------------------------------------------------------------- */
static struct cluster {
	char folder[64];
	pid_t server;
} cluster; /* one at a time, stopped at exit whatever happens */

static void become_postgres(void)
{
	struct passwd *user = getpwnam("postgres");
	if (geteuid() != 0)
		return;
	if (!user || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		_exit(127);
}

static pid_t start_program(const char *const *arguments)
{
	pid_t child = fork();
	if (child == 0) {
		int nothing = open("/dev/null", O_RDWR);
		dup2(nothing, 0);
		dup2(nothing, 1);
		dup2(nothing, 2);
		become_postgres();
		prctl(PR_SET_PDEATHSIG, SIGINT);
		execv(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	if (child < 0)
		fail(arguments[0], "cannot be started");
	return child;
}

static void run_program(const char *const *arguments)
{
	int status;
	if (waitpid(start_program(arguments), &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail(arguments[0], "failed (is PostgreSQL 15 with PostGIS installed?)");
}

static PGconn *connect_cluster(void)
{
	char info[128];
	snprintf(info, sizeof info, "host=%s user=postgres dbname=postgres", cluster.folder);
	for (int try = 0; try < 100; try++) {
		PGconn *connection = PQconnectdb(info);
		if (PQstatus(connection) == CONNECTION_OK)
			return connection;
		PQfinish(connection);
		usleep(100000);
	}
	fail("PostgreSQL", "does not answer");
}

static void stop_cluster(void)
{
	if (cluster.server > 0) {
		kill(cluster.server, SIGINT);
		waitpid(cluster.server, NULL, 0);
	}
	pid_t child = cluster.folder[0] ? fork() : -1;
	if (child == 0) {
		execl("/bin/rm", "rm", "-rf", cluster.folder, (char *)NULL);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	memset(&cluster, 0, sizeof cluster);
}

static void start_cluster(void)
{
	struct passwd *user = getpwnam("postgres");
	char data[80];
	snprintf(cluster.folder, sizeof cluster.folder, "/tmp/chancery-targeting-XXXXXX");
	if (!mkdtemp(cluster.folder)) {
		cluster.folder[0] = '\0';
		fail("temporary folder", "cannot be made");
	}
	atexit(stop_cluster);
	if (geteuid() == 0 && (!user || chown(cluster.folder, user->pw_uid, user->pw_gid) != 0))
		fail("temporary folder", "cannot be given to user postgres");
	snprintf(data, sizeof data, "%s/data", cluster.folder);
	run_program((const char *[]){ POSTGRES_BIN "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", NULL });
	cluster.server = start_program((const char *[]){ POSTGRES_BIN "postgres", "-D", data, "-k", cluster.folder, "-c", "listen_addresses=",
	                                                  "-c", "fsync=off", "-c", "shared_buffers=512MB", "-c", "work_mem=64MB", NULL });
}

static void execute(PGconn *connection, const char *statement)
{
	PGresult *result = PQexec(connection, statement);
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
		fprintf(stderr, "%s", PQerrorMessage(connection));
		fail("PostGIS", statement);
	}
	PQclear(result);
}

static void copy_points(PGconn *connection, int64_t count)
{
	struct buf line;
	execute(connection, "CREATE EXTENSION postgis");
	execute(connection, "CREATE TABLE place (id bigint, geom geometry(Point, 4326))");
	execute(connection, "COPY place FROM STDIN");
	buf_init(&line);
	for (int64_t id = 1; id <= count; id++) {
		struct leg_entry entry;
		random_entry(&entry, id, true);
		buf_format(&line, "%lld\tSRID=4326;POINT(", (long long)id);
		geo_write_degrees(&line, entry.at.x);
		buf_add_char(&line, ' ');
		geo_write_degrees(&line, entry.at.y);
		buf_add_str(&line, S(")\n"));
		if (line.len > CHUNK || id == count) {
			if (PQputCopyData(connection, line.ptr, (int)line.len) != 1)
				fail("COPY", PQerrorMessage(connection));
			buf_clear(&line);
		}
	}
	buf_release(&line);
	PQputCopyEnd(connection, NULL);
	PQclear(PQgetResult(connection));
	execute(connection, "CREATE INDEX place_geom ON place USING gist (geom)");
	execute(connection, "VACUUM ANALYZE place");
}

static int compare_ids(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

static double ask_postgis(PGconn *connection, struct str polygon, int64_t **ids, size_t *count)
{
	double times[RUNS];
	const char *values[] = { polygon.ptr };
	for (int run = 0; run < RUNS; run++) {
		double start = seconds();
		PGresult *result = PQexecParams(connection, "SELECT id FROM place WHERE ST_Intersects(geom, ST_SetSRID(ST_GeomFromGeoJSON($1), 4326))",
		                                1, NULL, values, NULL, NULL, 1);
		times[run] = seconds() - start;
		if (PQresultStatus(result) != PGRES_TUPLES_OK)
			fail("PostGIS", PQerrorMessage(connection));
		*count = (size_t)PQntuples(result);
		*ids = realloc(*ids, (*count + 1) * sizeof **ids);
		for (size_t i = 0; i < *count; i++) {
			uint64_t big_endian;
			memcpy(&big_endian, PQgetvalue(result, (int)i, 0), sizeof big_endian);
			(*ids)[i] = (int64_t)__builtin_bswap64(big_endian);
		}
		PQclear(result);
	}
	qsort(*ids, *count, sizeof **ids, compare_ids);
	return median(times);
}

static size_t count_differences(const struct leg_matches *matches, const int64_t *ids, size_t count)
{
	int64_t *own = malloc((matches->count + 1) * sizeof *own);
	size_t differences = 0, i = 0, k = 0;
	for (size_t m = 0; m < matches->count; m++)
		own[m] = matches->items[m].leg_id;
	qsort(own, matches->count, sizeof *own, compare_ids);
	while (i < matches->count || k < count) {
		if (i < matches->count && k < count && own[i] == ids[k])
			i++, k++;
		else if (k == count || (i < matches->count && own[i] < ids[k]))
			differences++, i++;
		else
			differences++, k++;
	}
	free(own);
	return differences;
}

/* The geometry alone, without "type":"FeatureCollection" around it. */
static struct str geometry_text(struct arena *arena, const struct geo_area *area)
{
	struct str stored = geo_write_area(arena, area);
	size_t at = str_find(stored, S("\"polygons\":"), 0) + S("\"polygons\":").len;
	return str_format(arena, "{\"type\":\"MultiPolygon\",\"coordinates\":%.*s", STR_ARG(str_slice(stored, at, stored.len)));
}

static double compare_with_postgis(struct arena *arena, const struct geo_area *area, size_t *differences)
{
	struct leg_matches matches;
	int64_t *ids = NULL;
	size_t count;
	uint64_t seed = state;
	start_cluster();
	PGconn *connection = connect_cluster();
	copy_points(connection, ONE_MILLION);
	double theirs = ask_postgis(connection, geometry_text(arena, area), &ids, &count);
	PQfinish(connection);
	stop_cluster();
	state = seed; /* the same points again */
	struct leg_index *index = leg_index_new(NULL);
	build(index, ONE_MILLION, true);
	leg_matches_init(&matches);
	double ours = ask(index, area, &matches);
	*differences = count_differences(&matches, ids, count);
	printf("1,000,000 points, polygon          ours %8.1f ms   PostGIS (GiST, ST_Intersects) %8.1f ms   %zu and %zu found, %zu differences\n",
	       ours * 1e3, theirs * 1e3, matches.count, count, *differences);
	leg_matches_release(&matches);
	leg_index_free(index);
	free(ids);
	return theirs / ours;
}

/* --- all of it ------------------------------------------------------------------------------------------------- */
struct figures {
	double polygon_s, countries_s, build_s, megabytes;
};

static void measure(struct arena *arena, const struct geo_outlines *outlines, const struct geo_area *polygon, const struct geo_area *spiky,
                    const struct geo_area *countries, int64_t count, struct figures *out)
{
	struct leg_matches matches;
	struct leg_index *index = leg_index_new(outlines);
	size_t people;
	struct rusage usage;
	leg_matches_init(&matches);
	out->build_s = build(index, count, false);
	out->megabytes = (double)leg_index_bytes(index) / 1e6;
	printf("%'lld legs: built in %.2f s, %.0f MB (%.1f bytes a leg)\n", (long long)count, out->build_s, out->megabytes,
	       out->megabytes * 1e6 / (double)count);
	out->countries_s = ask(index, countries, &matches);
	printf("  by %zu countries %8.1f ms, %zu found\n", countries->country_count, out->countries_s * 1e3, matches.count);
	count_whys(&matches);
	double spiky_s = ask(index, spiky, &matches);
	printf("  by spiky star  %8.1f ms, %zu found\n", spiky_s * 1e3, matches.count);
	count_whys(&matches);
	out->polygon_s = ask(index, polygon, &matches);
	printf("  by polygon     %8.1f ms, %zu found\n", out->polygon_s * 1e3, matches.count);
	count_whys(&matches);
	double start = seconds();
	leg_index_people(index, arena, &matches, false, &people);
	getrusage(RUSAGE_SELF, &usage);
	printf("  to %zu people %.1f ms; most memory so far %ld MB\n", people, (seconds() - start) * 1e3, usage.ru_maxrss / 1024);
	leg_matches_release(&matches);
	leg_index_free(index);
}

/* Every second of the countries whose middle lies in the alert's box: about a quarter of all places. */
static void add_countries(struct arena *arena, struct geo_area *area)
{
	struct geo_report report;
	struct geo_xy middle;
	bool every_second = false;
	geo_report_init(&report);
	for (int i = 0; i < COUNTRY_ROWS * COUNTRY_COLUMNS; i++) {
		geo_xy_from(-180 + 360.0 / COUNTRY_COLUMNS * (i % COUNTRY_COLUMNS + 0.5), -90 + 180.0 / COUNTRY_ROWS * (i / COUNTRY_COLUMNS + 0.5), &middle);
		if (geo_box_meets(alert_box, (struct geo_box){ middle.x, middle.y, middle.x, middle.y }) && (every_second = !every_second))
			geo_area_add_country(arena, area, geo_country_code((uint16_t)(i + 1)), &report);
	}
}

int main(int argc, char **argv)
{
	struct arena arena;
	struct geo_outlines outlines;
	struct geo_report report;
	struct figures million = { 0 }, ten_million = { 0 };
	size_t differences;
	bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
	if (argc > 1 && !quick) {
		fprintf(stderr, "usage: bench/targeting [--quick]\n");
		return 2;
	}
	arena_init(&arena);
	make_outlines(&arena, &outlines);
	struct geo_area polygon = coast(&arena), countries;
	struct geo_area spiky = star(&arena, CENTRE_LONGITUDE, CENTRE_LATITUDE, HALF_WIDTH, HALF_HEIGHT, VERTICES, SPIKE_INNER);
	alert_box = polygon.polygons[0].box;
	double start = seconds();
	geo_report_init(&report);
	if (geo_read_geojson(&arena, geo_write_geojson(&arena, &polygon), NULL, &polygon, &report) != OK)
		fail("GeoJSON", "not read again");
	double parsed = seconds();
	struct geo_prepared *prepared = geo_prepared_new(&polygon);
	printf("polygon of %zu vertices: written and read %.1f ms, prepared %.1f ms, %.1f MB\n", polygon.vertex_count, (parsed - start) * 1e3,
	       (seconds() - parsed) * 1e3, (double)geo_prepared_bytes(prepared) / 1e6);
	geo_prepared_free(prepared);
	geo_area_init(&countries);
	add_countries(&arena, &countries);
	measure(&arena, &outlines, &polygon, &spiky, &countries, ONE_MILLION, &million);
	if (quick)
		return 0;
	measure(&arena, &outlines, &polygon, &spiky, &countries, TEN_MILLION, &ten_million);
	double ratio = compare_with_postgis(&arena, &polygon, &differences);
	printf("bench targeting ms_1m=%.1f ms_countries_1m=%.1f s_10m=%.3f build_s_10m=%.2f mb_10m=%.0f ratio_postgis=%.1f differences=%zu\n",
	       million.polygon_s * 1e3, million.countries_s * 1e3, ten_million.polygon_s, ten_million.build_s, ten_million.megabytes, ratio,
	       differences);
	geo_outlines_release(&outlines);
	arena_release(&arena);
	return differences ? 1 : 0;
}
