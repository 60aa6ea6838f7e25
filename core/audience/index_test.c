#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/audience/audience.h"

#define COUNTRIES 40
#define PEOPLE 4000
#define LEGS_MAX 4

static uint64_t state = 42;
static struct arena arena;

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

/* --- a small world: countries are boxes of 30 by 20 degrees in rows ----------------------------------------- */
static uint16_t country_number(int i)
{
	char code[2] = { (char)('A' + i / 26), (char)('A' + i % 26) };
	return geo_country((struct str){ code, 2 });
}

static struct geo_area box_area(double west, double south, double east, double north)
{
	struct geo_point corners[] = { { west, south }, { east, south }, { east, north }, { west, north }, { west, south } };
	struct geo_line line = { corners, 5, NULL };
	struct geo_area area;
	struct geo_report report;
	geo_report_init(&report);
	geo_area_init(&area);
	assert_int_equal(geo_area_add_polygon(&arena, &area, &line, 1, NULL, &report), OK);
	return area;
}

static void make_world(struct geo_outlines *outlines)
{
	geo_outlines_init(outlines);
	for (int i = 0; i < COUNTRIES; i++) {
		double west = -178 + i % 10 * 36, south = -70 + i / 10 * 36;
		struct geo_area area = box_area(west, south, west + 30, south + 20);
		geo_outlines_set(outlines, country_number(i), &area);
	}
}

static struct leg_entry random_entry(int64_t id, int64_t person)
{
	struct leg_entry entry = { .leg_id = id, .person_id = person, .from = (int32_t)(next_random() % 1000) };
	entry.to = entry.from + (int32_t)(next_random() % 300);
	entry.country = country_number((int)(next_random() % COUNTRIES));
	/* Most in few towns, so that blocks have small boxes. */
	double longitude = uniform(-180, 180), latitude = uniform(-90, 90);
	if (next_random() % 4) {
		int town = (int)(next_random() % 12);
		longitude = -170 + 29 * town + uniform(-1, 1);
		latitude = -60 + town * 37 % 120 + uniform(-1, 1);
	}
	assert_true(geo_xy_from(longitude, latitude, &entry.at));
	if (next_random() % 40 == 0)
		entry.at.x = next_random() % 2 ? GEO_X_MAX : -GEO_X_MAX;
	if (next_random() % 60 == 0)
		entry.at.y = next_random() % 2 ? GEO_Y_MAX : -GEO_Y_MAX;
	uint64_t pick = next_random() % 100;
	entry.kind = pick < 70 ? LEG_POINT : pick < 88 ? LEG_DISC : pick < 95 ? LEG_COUNTRY : pick < 98 ? LEG_WATCH_COUNTRY : LEG_WATCH_AREA;
	if (entry.kind == LEG_DISC)
		entry.radius_m = (uint32_t)uniform(0, next_random() % 8 ? 50000 : 2000000);
	if (entry.kind >= LEG_WATCH_COUNTRY)
		entry.leg_id = -id;
	if (entry.kind == LEG_WATCH_AREA) {
		struct geo_area *area = ARENA_NEW(&arena, struct geo_area);
		double west = uniform(-180, 170), south = uniform(-90, 80);
		*area = box_area(west, south, west + uniform(0.1, 9), south + uniform(0.1, 9));
		entry.area = area;
		entry.country = 0;
	}
	return entry;
}

static struct geo_prepared *random_area(void)
{
	struct geo_area area;
	struct geo_report report;
	geo_report_init(&report);
	geo_area_init(&area);
	/* Now and then one that ends at the meridian or a pole, or a small one between towns. */
	uint64_t pick = next_random() % 8;
	double south = uniform(-80, 40);
	if (pick == 0)
		area = box_area(170, south, 180, south + 40);
	else if (pick == 1)
		area = box_area(-180, south, -150, south + 40);
	else if (pick == 2)
		area = box_area(20, 80, 40, 90);
	else if (pick == 3)
		area = box_area(-167.5, -62, -166.5, -58);
	if (pick <= 3 && next_random() % 2)
		return geo_prepared_new(&area);
	for (uint64_t i = 0, count = next_random() % 3; i < count; i++) {
		struct geo_point points[65];
		double longitude = uniform(-180, 180), latitude = uniform(-60, 60), size = uniform(1, 30);
		for (int k = 0; k < 64; k++) {
			double radius = size * uniform(0.3, 1);
			points[k] = (struct geo_point){ longitude + 2 * radius * cos(k * M_PI / 32), latitude + radius * sin(k * M_PI / 32) };
		}
		points[64] = points[0];
		struct geo_line line = { points, 65, NULL };
		assert_int_equal(geo_area_add_polygon(&arena, &area, &line, 1, NULL, &report), OK);
	}
	for (uint64_t i = 0, count = next_random() % 3; i < count; i++)
		assert_int_equal(geo_area_add_disc(&arena, &area, uniform(-180, 180), uniform(-90, 90), uniform(0, 3e6), &report), OK);
	for (uint64_t i = 0, count = next_random() % 3; i < count; i++)
		assert_int_equal(geo_area_add_country(&arena, &area, geo_country_code(country_number((int)(next_random() % COUNTRIES))), &report), OK);
	return geo_prepared_new(&area);
}

/* --- the index against asking each leg ---------------------------------------------------------------------- */
struct model {
	struct leg_entry entries[PEOPLE][LEGS_MAX];
	size_t counts[PEOPLE];
	int64_t last_id;
};

static void fill_person(struct model *model, int person)
{
	model->counts[person] = next_random() % (LEGS_MAX + 1);
	for (size_t i = 0; i < model->counts[person]; i++)
		model->entries[person][i] = random_entry(++model->last_id, person + 1);
}

static int compare_matches(const void *left, const void *right)
{
	const struct leg_match *a = left, *b = right;
	return (a->leg_id > b->leg_id) - (a->leg_id < b->leg_id);
}

static size_t compare_query(struct leg_index *index, const struct model *model, const struct geo_outlines *outlines)
{
	struct geo_prepared *area = random_area();
	struct leg_window window = { (int32_t)(next_random() % 1000), 0 };
	struct leg_matches matches, expected;
	window.to = window.from + (int32_t)(next_random() % 500);
	leg_matches_init(&matches);
	leg_index_query(index, area, window, &matches);
	leg_matches_init(&expected);
	expected.items = malloc(sizeof *expected.items * PEOPLE * LEGS_MAX);
	for (int person = 0; person < PEOPLE; person++)
		for (size_t i = 0; i < model->counts[person]; i++)
			expected.count += leg_match_one(area, outlines, window, &model->entries[person][i], &expected.items[expected.count]);
	assert_int_equal(matches.count, expected.count);
	if (matches.count)
		qsort(matches.items, matches.count, sizeof *matches.items, compare_matches);
	qsort(expected.items, expected.count, sizeof *expected.items, compare_matches);
	for (size_t i = 0; i < matches.count; i++) {
		const struct leg_match *got = &matches.items[i], *want = &expected.items[i];
		assert_int_equal(got->leg_id, want->leg_id);
		assert_int_equal(got->person_id, want->person_id);
		assert_int_equal(got->why, want->why);
		assert_int_equal(got->certain, want->certain);
		assert_int_equal(got->part_kind, want->part_kind);
		assert_int_equal(got->part, want->part);
		assert_int_equal(got->country, want->country);
		assert_int_equal(got->kind, want->kind);
		if (got->kind < LEG_WATCH_COUNTRY)
			assert_int_equal(got->from, want->from);
	}
	size_t count = matches.count;
	leg_matches_release(&matches);
	leg_matches_release(&expected);
	geo_prepared_free(area);
	return count;
}

static void test_index_against_each_leg(void **unused)
{
	struct geo_outlines outlines;
	struct model *model = calloc(1, sizeof *model);
	size_t matches = 0;
	(void)unused;
	make_world(&outlines);
	struct leg_index *index = leg_index_new(&outlines);
	for (int person = 0; person < PEOPLE; person++) {
		fill_person(model, person);
		leg_index_load_person(index, person + 1, (struct leg_person){ 1, 2 });
		for (size_t i = 0; i < model->counts[person]; i++)
			leg_index_load(index, &model->entries[person][i]);
	}
	leg_index_build(index);
	for (int round = 0; round < 100; round++) {
		matches += compare_query(index, model, &outlines);
		for (uint64_t i = 0, count = next_random() % 200; i < count; i++) {
			int person = (int)(next_random() % PEOPLE);
			fill_person(model, person);
			leg_index_set_person(index, person + 1, (struct leg_person){ 1, 2 }, model->entries[person], model->counts[person]);
		}
		matches += compare_query(index, model, &outlines);
		if (round % 9 == 8)
			leg_index_merge(index);
		matches += compare_query(index, model, &outlines);
	}
	print_message("%zu matches compared\n", matches);
	assert_true(matches > 50000);
	leg_index_free(index);
	geo_outlines_release(&outlines);
	free(model);
	arena_clear(&arena);
}

/* More changes than the unsorted list and the segments of changes have room for. */
static void test_many_changes_without_merge(void **unused)
{
	struct leg_index *index = leg_index_new(NULL);
	struct geo_area area = box_area(-180, -90, 180, 90);
	struct geo_prepared *world = geo_prepared_new(&area);
	struct leg_matches matches;
	(void)unused;
	leg_matches_init(&matches);
	for (int round = 0; round < 3; round++) {
		for (int64_t person = 1; person <= 800000; person++) {
			struct leg_entry entry = { .leg_id = person, .person_id = person, .kind = LEG_POINT, .from = round, .to = round };
			entry.at = (struct geo_xy){ (int32_t)(next_random() % GEO_X_MAX), 0 };
			leg_index_set_person(index, person, (struct leg_person){ 1, 1 }, &entry, person % 8 != 0);
		}
		matches.count = 0;
		leg_index_query(index, world, (struct leg_window){ 0, 10 }, &matches);
		assert_int_equal(matches.count, 700000);
		for (size_t i = 0; i < matches.count; i++)
			assert_int_equal(matches.items[i].from, round);
	}
	assert_true(leg_index_wants_merge(index));
	leg_index_merge(index);
	assert_false(leg_index_wants_merge(index));
	assert_int_equal(leg_index_count(index), 700000);
	leg_matches_release(&matches);
	geo_prepared_free(world);
	leg_index_free(index);
	arena_clear(&arena);
}

/* --- hand-worked ---------------------------------------------------------------------------------------------- */
static struct leg_entry point_at(double longitude, double latitude, const char *country)
{
	struct leg_entry entry = { .leg_id = 1, .person_id = 1, .kind = LEG_POINT, .country = geo_country(str_from(country)), .from = 100, .to = 200 };
	assert_true(geo_xy_from(longitude, latitude, &entry.at));
	return entry;
}

static struct leg_entry with_kind(struct leg_entry entry, enum leg_kind kind, uint32_t radius_m)
{
	entry.kind = kind;
	entry.radius_m = radius_m;
	return entry;
}

static enum match_why why(const struct geo_prepared *area, const struct geo_outlines *outlines, struct leg_entry entry)
{
	struct leg_match match;
	if (!leg_match_one(area, outlines, (struct leg_window){ 150, 300 }, &entry, &match))
		return 0;
	assert_int_equal(match.certain, match.why != MATCH_COUNTRY_MET && match.why != MATCH_COUNTRY_REACHED);
	return match.why;
}

static void test_rules_by_hand(void **unused)
{
	struct geo_outlines outlines;
	struct geo_report report;
	struct geo_area area;
	(void)unused;
	/* XA is 0..10 by 0..10, XB 10..20 by 0..10 beside it. */
	geo_outlines_init(&outlines);
	area = box_area(0, 0, 10, 10);
	geo_outlines_set(&outlines, geo_country(S("XA")), &area);
	area = box_area(10, 0, 20, 10);
	geo_outlines_set(&outlines, geo_country(S("XB")), &area);

	/* An area that holds XA and reaches a degree into XB. */
	area = box_area(-1, -1, 11, 11);
	struct geo_prepared *prepared = geo_prepared_new(&area);
	assert_int_equal(why(prepared, &outlines, point_at(5, 5, "XA")), MATCH_POINT);
	assert_int_equal(why(prepared, &outlines, point_at(11, 5, "XB")), MATCH_POINT); /* on the edge */
	assert_int_equal(why(prepared, &outlines, point_at(11.0000001, 5, "XB")), 0);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(11.5, 5, "XB"), LEG_DISC, 60000)), MATCH_DISC); /* half a degree is 55.4 km */
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(11.5, 5, "XB"), LEG_DISC, 50000)), 0);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(5, 5, "XA"), LEG_COUNTRY, 0)), MATCH_COUNTRY_HELD);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(15, 5, "XB"), LEG_COUNTRY, 0)), MATCH_COUNTRY_MET);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(15, 5, "XB"), LEG_WATCH_COUNTRY, 0)), MATCH_COUNTRY_MET);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(5, 5, "XC"), LEG_COUNTRY, 0)), 0); /* no outline known */
	/* Time: the window is 150 .. 300, the leg 100 .. 200. */
	struct leg_entry entry = point_at(5, 5, "XA");
	entry.to = 150;
	assert_int_equal(why(prepared, &outlines, entry), MATCH_POINT);
	entry.to = 149;
	assert_int_equal(why(prepared, &outlines, entry), 0);
	entry.from = 300;
	entry.to = 400;
	assert_int_equal(why(prepared, &outlines, entry), MATCH_POINT);
	entry.from = 301;
	assert_int_equal(why(prepared, &outlines, entry), 0);
	geo_prepared_free(prepared);

	/* An area given as the country XA. */
	geo_area_init(&area);
	geo_report_init(&report);
	assert_int_equal(geo_area_add_country(&arena, &area, S("xa"), &report), OK);
	prepared = geo_prepared_new(&area);
	assert_int_equal(why(prepared, &outlines, point_at(5, 5, "XA")), MATCH_COUNTRY_NAMED);
	assert_int_equal(why(prepared, &outlines, point_at(50, 50, "XA")), MATCH_COUNTRY_NAMED); /* the stored code decides */
	assert_int_equal(why(prepared, &outlines, point_at(5, 5, "XB")), 0);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(10.5, 5, "XB"), LEG_DISC, 60000)), MATCH_COUNTRY_REACHED);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(10.5, 5, "XB"), LEG_DISC, 50000)), 0);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(10.5, 5, "XA"), LEG_DISC, 1)), MATCH_COUNTRY_NAMED);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(5, 5, "XA"), LEG_COUNTRY, 0)), MATCH_COUNTRY_NAMED);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(15, 5, "XB"), LEG_COUNTRY, 0)), 0);
	assert_int_equal(why(prepared, &outlines, with_kind(point_at(5, 5, "XA"), LEG_WATCH_COUNTRY, 0)), MATCH_COUNTRY_NAMED);

	/* A watched area: beside XA, touching it, or of the country itself. */
	struct geo_area watched = box_area(10, 3, 12, 4);
	entry = with_kind(point_at(0, 0, ""), LEG_WATCH_AREA, 0);
	entry.area = &watched;
	assert_int_equal(why(prepared, &outlines, entry), MATCH_COUNTRY_REACHED);
	watched = box_area(10.1, 3, 12, 4);
	assert_int_equal(why(prepared, &outlines, entry), 0);
	geo_prepared_free(prepared);
	area = box_area(11, 3, 30, 4);
	prepared = geo_prepared_new(&area);
	assert_int_equal(why(prepared, &outlines, entry), MATCH_AREA);
	geo_prepared_free(prepared);
	geo_outlines_release(&outlines);
	arena_clear(&arena);
}

static void test_part_is_named(void **unused)
{
	struct geo_area area = box_area(0, 0, 1, 1);
	struct geo_report report;
	struct leg_match match;
	(void)unused;
	geo_report_init(&report);
	struct geo_point corners[] = { { 179, 0 }, { -179, 0 }, { -179, 1 }, { 179, 1 } };
	struct geo_line line = { corners, 4, NULL };
	assert_int_equal(geo_area_add_polygon(&arena, &area, &line, 1, NULL, &report), OK);
	assert_int_equal(geo_area_add_disc(&arena, &area, 50, 50, 1000, &report), OK);
	struct geo_prepared *prepared = geo_prepared_new(&area);
	struct leg_entry entry = point_at(-179.5, 0.5, "");
	assert_true(leg_match_one(prepared, NULL, (struct leg_window){ 0, 1000 }, &entry, &match));
	assert_int_equal(match.part_kind, GEO_PART_POLYGON);
	assert_int_equal(match.part, 1);
	entry = point_at(50, 50, "");
	assert_true(leg_match_one(prepared, NULL, (struct leg_window){ 0, 1000 }, &entry, &match));
	assert_int_equal(match.part_kind, GEO_PART_DISC);
	assert_int_equal(match.part, 0);
	geo_prepared_free(prepared);
	arena_clear(&arena);
}

static void test_people_of_matches(void **unused)
{
	struct leg_index *index = leg_index_new(NULL);
	struct leg_match items[] = {
		{ .leg_id = 1, .person_id = 70000, .from = 5, .certain = false },
		{ .leg_id = 2, .person_id = 3, .from = 9, .certain = true },
		{ .leg_id = 3, .person_id = 70000, .from = 8, .certain = true },
		{ .leg_id = 4, .person_id = 3, .from = 2, .certain = true },
		{ .leg_id = 5, .person_id = 3, .from = 1, .certain = false },
		{ .leg_id = 6, .person_id = INT64_C(9000000000000), .from = 1, .certain = false },
	};
	struct leg_matches matches = { items, COUNT_OF(items), COUNT_OF(items) };
	size_t count;
	(void)unused;
	leg_index_load_person(index, 3, (struct leg_person){ 6, 2 });
	leg_index_load_person(index, INT64_C(9000000000000), (struct leg_person){ 4, 1 });
	struct leg_hit *hits = leg_index_people(index, &arena, &matches, false, &count);
	assert_int_equal(count, 3);
	assert_int_equal(hits[0].person_id, 3);
	assert_int_equal(items[hits[0].match].leg_id, 4);
	assert_int_equal(hits[0].channels, 6);
	assert_int_equal(hits[0].language, 2);
	assert_int_equal(hits[1].person_id, 70000);
	assert_int_equal(items[hits[1].match].leg_id, 3);
	assert_true(hits[1].certain);
	assert_int_equal(hits[1].channels, 0);
	assert_int_equal(hits[2].person_id, INT64_C(9000000000000));
	assert_false(hits[2].certain);
	assert_int_equal(hits[2].channels, 4);
	leg_index_people(index, &arena, &matches, true, &count);
	assert_int_equal(count, 2);
	matches.count = 0;
	leg_index_people(index, &arena, &matches, false, &count);
	assert_int_equal(count, 0);
	leg_index_free(index);
	arena_clear(&arena);
}

static void test_minutes(void **unused)
{
	(void)unused;
	assert_int_equal(leg_minutes_from(59999999), 0);
	assert_int_equal(leg_minutes_from(60000000), 1);
	assert_int_equal(leg_minutes_from(-1), -1);
	assert_int_equal(leg_minutes_to(1), 1);
	assert_int_equal(leg_minutes_to(60000000), 1);
	assert_int_equal(leg_minutes_to(-1), 0);
	assert_int_equal(leg_minutes_to(INT64_MAX), INT32_MAX);
	assert_int_equal(leg_minutes_from(-INT64_MAX), INT32_MIN);
}

static void test_alerts_in_force(void **unused)
{
	struct alert_index *index = alert_index_new(NULL);
	struct geo_area area = box_area(0, 0, 10, 10);
	size_t count;
	(void)unused;
	alert_index_set(index, 7, geo_prepared_new(&area), (struct leg_window){ 0, 150 });
	alert_index_set(index, 3, geo_prepared_new(&area), (struct leg_window){ 0, 99 });
	area = box_area(5, 5, 15, 15);
	alert_index_set(index, 5, geo_prepared_new(&area), (struct leg_window){ 0, 1000 });
	struct leg_entry entry = point_at(6, 6, "");
	struct alert_match *found = alert_index_query(index, &arena, &entry, &count);
	assert_int_equal(count, 2); /* 3 ended before the leg begins */
	assert_int_equal(found[0].alert_id, 5);
	assert_int_equal(found[1].alert_id, 7);
	assert_int_equal(found[1].match.why, MATCH_POINT);
	area = box_area(20, 20, 30, 30);
	alert_index_set(index, 7, geo_prepared_new(&area), (struct leg_window){ 0, 150 });
	alert_index_query(index, &arena, &entry, &count);
	assert_int_equal(count, 1);
	alert_index_remove(index, 5);
	alert_index_remove(index, 99);
	alert_index_query(index, &arena, &entry, &count);
	assert_int_equal(count, 0);
	assert_int_equal(alert_index_count(index), 2);
	alert_index_free(index);
	arena_clear(&arena);
}

/* --- threads: a person always has two legs, whoever changes and merges ------------------------------------------ */
#define BUSY_PEOPLE 20000
#define CHANGES 60000
struct busy {
	struct leg_index *index;
	_Atomic bool done;
};

static void set_two_legs(struct leg_index *index, int64_t person, uint64_t salt)
{
	struct leg_entry legs[2];
	for (int i = 0; i < 2; i++) {
		legs[i] = (struct leg_entry){ .leg_id = person * 2 + i, .person_id = person, .kind = LEG_POINT, .from = 0, .to = 10 };
		legs[i].at = (struct geo_xy){ (int32_t)(salt * 7919 % GEO_X_MAX), (int32_t)(salt * 104729 % GEO_Y_MAX) };
	}
	leg_index_set_person(index, person, (struct leg_person){ 1, 1 }, legs, 2);
}

static void *change_people(void *context)
{
	struct busy *busy = context;
	for (uint64_t i = 0; i < CHANGES; i++)
		set_two_legs(busy->index, (int64_t)(i * 31 % BUSY_PEOPLE) + 1, i);
	busy->done = true;
	return NULL;
}

static void *merge_often(void *context)
{
	struct busy *busy = context;
	while (!busy->done)
		leg_index_merge(busy->index);
	return NULL;
}

static void test_queries_beside_changes(void **unused)
{
	struct busy busy = { leg_index_new(NULL), false };
	struct geo_area area = box_area(-180, -90, 180, 90);
	struct geo_prepared *world = geo_prepared_new(&area);
	struct leg_matches matches;
	pthread_t changing, merging;
	size_t count;
	(void)unused;
	for (int64_t person = 1; person <= BUSY_PEOPLE; person++)
		set_two_legs(busy.index, person, (uint64_t)person);
	leg_matches_init(&matches);
	assert_int_equal(pthread_create(&changing, NULL, change_people, &busy), 0);
	assert_int_equal(pthread_create(&merging, NULL, merge_often, &busy), 0);
	for (bool last = false; !last;) {
		last = busy.done;
		matches.count = 0;
		leg_index_query(busy.index, world, (struct leg_window){ 0, 10 }, &matches);
		assert_int_equal(matches.count, 2 * BUSY_PEOPLE);
		leg_index_people(busy.index, &arena, &matches, true, &count);
		assert_int_equal(count, BUSY_PEOPLE);
		arena_clear(&arena);
	}
	pthread_join(changing, NULL);
	pthread_join(merging, NULL);
	leg_matches_release(&matches);
	geo_prepared_free(world);
	leg_index_free(busy.index);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_by_hand),
		cmocka_unit_test(test_part_is_named),
		cmocka_unit_test(test_people_of_matches),
		cmocka_unit_test(test_minutes),
		cmocka_unit_test(test_alerts_in_force),
		cmocka_unit_test(test_index_against_each_leg),
		cmocka_unit_test(test_many_changes_without_merge),
		cmocka_unit_test(test_queries_beside_changes),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
