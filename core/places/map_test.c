#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <zlib.h>

#include "core/places/map.h"

static struct places *places;
static struct arena arena;

static int open_places(void **state)
{
	(void)state;
	struct err err;
	arena_init(&arena);
	err_init(&err, &arena);
	return places_open("", NULL, &places, &err) == OK ? 0 : -1;
}

static int close_places(void **state)
{
	(void)state;
	places_close(places);
	arena_release(&arena);
	return 0;
}

static size_t zipped_size(const struct buf *buf)
{
	uLongf size = compressBound(buf->len);
	Bytef *out = arena_alloc(&arena, size);
	assert_int_equal(compress2(out, &size, (const Bytef *)buf->ptr, buf->len, 9), Z_OK);
	return size;
}

static size_t count_of(struct str text, struct str part)
{
	size_t count = 0;
	for (size_t at = str_find(text, part, 0); at != SIZE_MAX; at = str_find(text, part, at + 1))
		count++;
	return count;
}

/* Well-formed, with the title first, and without anything that is fetched from elsewhere or runs. */
static void check_svg(const struct buf *buf)
{
	struct str text = buf_str(buf);
	xmlDocPtr document = xmlReadMemory(text.ptr, (int)text.len, "map.svg", NULL, XML_PARSE_NONET);
	assert_non_null(document);
	xmlNodePtr root = xmlDocGetRootElement(document);
	assert_string_equal((const char *)root->name, "svg");
	assert_string_equal((const char *)root->children->name, "title");
	xmlFreeDoc(document);
	assert_int_equal(count_of(text, S("http")), 1); /* the name space */
	assert_int_equal(count_of(text, S("<script")) + count_of(text, S("style=")) + count_of(text, S("nan")) +
	                         count_of(text, S("inf")),
	                 0);
}

static void test_world(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	map_draw(places, &buf, map_window_world(), STR_NONE, NULL, 0, S("Alerts in force"), S("None"));
	check_svg(&buf);
	print_message("world: %zu bytes, %zu compressed\n", buf.len, zipped_size(&buf));
	assert_true(zipped_size(&buf) < 9000);
	buf_release(&buf);
}

static void test_every_country(void **state)
{
	(void)state;
	struct country *list;
	size_t count = 0, largest = 0;
	assert_int_equal(country_list(places, &arena, "en", &list, &count, NULL), OK);
	struct buf buf;
	buf_init(&buf);
	for (size_t i = 0; i < count; i++) {
		struct map_window window;
		struct str code = str_from(list[i].code);
		if (!map_window_country(places, code, &window)) {
			print_message("no map of %s\n", list[i].code);
			assert_false(list[i].has_outline);
			continue;
		}
		assert_true(window.south >= -90 && window.north <= 90 && window.south < window.north);
		assert_true(window.west >= -180 && window.west <= 180 && window.east > window.west &&
		            window.east - window.west <= 360);
		buf_clear(&buf);
		map_draw(places, &buf, window, code, NULL, 0, list[i].name, STR_NONE);
		check_svg(&buf);
		size_t size = zipped_size(&buf);
		largest = size > largest ? size : largest;
	}
	print_message("largest map of a country: %zu bytes compressed\n", largest);
	assert_true(largest < 20000);
	buf_release(&buf);
	assert_false(map_window_country(places, S("ZZ"), &(struct map_window){ 0 }));
}

static void test_windows_over_the_meridian(void **state)
{
	(void)state;
	struct map_window w;
	assert_true(map_window_country(places, S("FJ"), &w));
	assert_true(w.west > 170 && w.east > 180 && w.east - w.west < 15);
	assert_true(map_window_country(places, S("RU"), &w));
	assert_true(w.west < 30 && w.east > 189 && w.east - w.west < 220);
	assert_true(map_window_country(places, S("US"), &w)); /* with Alaska */
	assert_true(w.east - w.west < 200 && w.north > 70 && w.south < 26);
	assert_true(map_window_country(places, S("FR"), &w)); /* the overseas parts are countries of their own here */
	assert_true(w.east - w.west < 25);
	assert_true(map_window_country(places, S("VA"), &w));
	assert_true(w.north - w.south < 1);
}

static struct geo_area area_of_polygon(const double (*corners)[2], size_t count)
{
	struct geo_area area;
	struct geo_report report;
	geo_area_init(&area);
	geo_report_init(&report);
	struct geo_point points[8];
	for (size_t i = 0; i < count; i++)
		points[i] = (struct geo_point){ corners[i][0], corners[i][1] };
	struct geo_line line = { points, count, 0 };
	assert_int_equal(geo_area_add_polygon(&arena, &area, &line, 1, &(struct geo_reading){ 0 }, &report), OK);
	return area;
}

static void test_polygon_over_the_meridian(void **state)
{
	(void)state;
	const double corners[][2] = { { 170, -25 }, { -170, -25 }, { -170, -12 }, { 170, -12 } };
	struct geo_area area = area_of_polygon(corners, 4);
	struct map_shape shape = { &area, MAP_SEVERE, S("Cyclone <Ana> & \"more\"") };
	struct map_window w = map_window_shapes(places, &shape, 1);
	assert_true(w.west < 170 && w.west > 160 && w.east > 190 && w.east < 200);
	struct buf buf;
	buf_init(&buf);
	map_draw(places, &buf, w, STR_NONE, &shape, 1, S("a"), STR_NONE);
	check_svg(&buf);
	assert_int_equal(count_of(buf_str(&buf), S("Cyclone &lt;Ana&gt; &amp; \"more\"")), 1);
	/* The outline is one line around both halves: nowhere does it run along the meridian, that is straight
	 * down the middle. */
	size_t line = str_find(buf_str(&buf), S("fill=\"none\" stroke=\"#7a1f06\""), 0);
	assert_true(line != SIZE_MAX);
	size_t start = line;
	while (buf.ptr[start] != '<')
		start--;
	struct str path = str_slice(buf_str(&buf), start, line);
	assert_int_equal(count_of(path, S("m")), 4); /* a half each: begun, and begun again after the cut */
	buf_release(&buf);
}

/* A point far inside an area must be painted: the path's box holds where the point falls. */
static void test_disc_box(void **state)
{
	(void)state;
	const struct {
		double lon, lat, radius;
	} cases[] = {
		{ 51.4, 35.7, 200000 }, { 179.5, -17, 300000 }, { 0, 85, 2000000 },  { 10, -90, 500000 }, { 0, 0, 1 },
		{ 0, 89.9999, 100 },    { -180, 0, 1000 },      { 30, 10, 15000000 }
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct geo_area area;
		struct geo_report report;
		geo_area_init(&area);
		geo_report_init(&report);
		assert_int_equal(geo_area_add_disc(&arena, &area, cases[i].lon, cases[i].lat, cases[i].radius, &report),
		                 OK);
		struct map_shape shape = { &area, (enum map_tone)(i % MAP_TONE_COUNT), STR_NONE };
		struct map_window w = map_window_shapes(places, &shape, 1);
		assert_true(w.south < w.north && w.west < w.east && w.south >= -90 && w.north <= 90);
		struct buf buf;
		buf_init(&buf);
		map_draw(places, &buf, w, STR_NONE, &shape, 1, S("a"), STR_NONE);
		check_svg(&buf);
		map_draw(places, &buf, map_window_world(), STR_NONE, &shape, 1, S("a"), STR_NONE);
		buf_release(&buf);
	}
}

static void test_small_ones_are_marked(void **state)
{
	(void)state;
	struct geo_area area;
	struct geo_report report;
	geo_area_init(&area);
	geo_report_init(&report);
	const char *small[] = { "VA", "SG", "NR", "MC" };
	for (size_t i = 0; i < COUNT_OF(small); i++)
		assert_int_equal(geo_area_add_country(&arena, &area, str_from(small[i]), &report), OK);
	struct map_shape shape = { &area, MAP_EXTREME, STR_NONE };
	struct buf buf;
	buf_init(&buf);
	map_draw(places, &buf, map_window_world(), STR_NONE, &shape, 1, S("a"), STR_NONE);
	check_svg(&buf);
	assert_int_equal(count_of(buf_str(&buf), S("<circle")), COUNT_OF(small));
	buf_release(&buf);
}

static void test_large_area(void **state)
{
	(void)state;
	struct geo_area area;
	struct geo_report report;
	geo_area_init(&area);
	geo_report_init(&report);
	enum { POINTS = 150000 };
	struct geo_point *points = ARENA_NEW_ARRAY(&arena, struct geo_point, POINTS);
	for (size_t i = 0; i < POINTS; i++) {
		double angle = 2 * M_PI * (double)i / POINTS, radius = i % 2 ? 9.99 : 10;
		points[i] = (struct geo_point){ 50 + radius * cos(angle), 30 + radius * sin(angle) };
	}
	struct geo_line line = { points, POINTS, 0 };
	assert_int_equal(geo_area_add_polygon(&arena, &area, &line, 1, &(struct geo_reading){ 0 }, &report), OK);
	struct map_shape shape = { &area, MAP_MODERATE, STR_NONE };
	struct buf buf;
	buf_init(&buf);
	int64_t start = clock_monotonic();
	map_draw(places, &buf, map_window_shapes(places, &shape, 1), STR_NONE, &shape, 1, S("a"), STR_NONE);
	print_message("150,000 vertices: %zu bytes, %.1f ms\n", buf.len, (double)(clock_monotonic() - start) / 1000);
	check_svg(&buf);
	assert_true(buf.len < 60000);
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_world),
		cmocka_unit_test(test_every_country),
		cmocka_unit_test(test_windows_over_the_meridian),
		cmocka_unit_test(test_polygon_over_the_meridian),
		cmocka_unit_test(test_disc_box),
		cmocka_unit_test(test_small_ones_are_marked),
		cmocka_unit_test(test_large_area),
	};
	return cmocka_run_group_tests(tests, open_places, close_places);
}
