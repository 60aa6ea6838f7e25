#include <math.h>
#include <stdlib.h>

#include "kernel/geo/grid.h"

#define FEW_PIECES 16      /* searched one by one */
#define BITS 64

struct piece {
	struct geo_box box;
	struct geo_hit hit;
	uint32_t polygon; /* number of its grid */
	struct geo_disc disc;
	double half; /* of a disc: sphere_half(radius) */
	uint32_t order;
};
struct geo_prepared {
	struct arena arena; /* holds this struct too */
	struct piece *pieces;
	size_t piece_count;
	struct geo_box *groups; /* each around group_size pieces that lie near each other */
	size_t group_count, group_size;
	struct grid *grids;
	uint16_t *countries;
	size_t country_count;
	uint64_t named[GEO_COUNTRIES / BITS + 1];
};

bool geo_box_meets(struct geo_box a, struct geo_box b)
{
	return a.x0 <= b.x1 && b.x0 <= a.x1 && a.y0 <= b.y1 && b.y0 <= a.y1;
}

static struct geo_box box_around(struct geo_box a, struct geo_box b)
{
	return (struct geo_box){ a.x0 < b.x0 ? a.x0 : b.x0, a.y0 < b.y0 ? a.y0 : b.y0, a.x1 > b.x1 ? a.x1 : b.x1, a.y1 > b.y1 ? a.y1 : b.y1 };
}

/* Interleaves the bits of a box's middle, so that sorting by it brings neighbours together. */
static uint32_t place_in_order(struct geo_box box)
{
	uint32_t x = (uint32_t)(((int64_t)box.x0 + box.x1 + 2LL * GEO_X_MAX) >> 17) & 0xffff;
	uint32_t y = (uint32_t)(((int64_t)box.y0 + box.y1 + 2LL * GEO_X_MAX) >> 17) & 0xffff;
	uint32_t order = 0;
	for (uint32_t bit = 0; bit < 16; bit++)
		order |= (x >> bit & 1) << (2 * bit) | (y >> bit & 1) << (2 * bit + 1);
	return order;
}

static int compare_pieces(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->hit.kind != b->hit.kind)
		return a->hit.kind < b->hit.kind ? -1 : 1;
	return (a->hit.part > b->hit.part) - (a->hit.part < b->hit.part);
}

static void group_pieces(struct geo_prepared *prepared)
{
	size_t count = prepared->piece_count;
	prepared->group_size = FEW_PIECES;
	if (count > FEW_PIECES) {
		for (size_t i = 0; i < count; i++)
			prepared->pieces[i].order = place_in_order(prepared->pieces[i].box);
		qsort(prepared->pieces, count, sizeof *prepared->pieces, compare_pieces);
		while (prepared->group_size * prepared->group_size < count)
			prepared->group_size *= 2;
	}
	prepared->group_count = (count + prepared->group_size - 1) / prepared->group_size;
	prepared->groups = ARENA_NEW_ARRAY(&prepared->arena, struct geo_box, prepared->group_count);
	for (size_t i = 0; i < count; i++) {
		struct geo_box *group = &prepared->groups[i / prepared->group_size];
		*group = i % prepared->group_size ? box_around(*group, prepared->pieces[i].box) : prepared->pieces[i].box;
	}
}

struct geo_prepared *geo_prepared_new(const struct geo_area *area)
{
	struct arena arena;
	arena_init(&arena);
	struct geo_prepared *prepared = ARENA_NEW(&arena, struct geo_prepared);
	prepared->arena = arena;
	prepared->piece_count = area->polygon_count + area->disc_count;
	prepared->pieces = ARENA_NEW_ARRAY(&prepared->arena, struct piece, prepared->piece_count);
	prepared->grids = ARENA_NEW_ARRAY(&prepared->arena, struct grid, area->polygon_count);
	for (size_t i = 0; i < area->polygon_count; i++) {
		const struct geo_polygon *polygon = &area->polygons[i];
		grid_init(&prepared->arena, &prepared->grids[i], polygon);
		prepared->pieces[i] = (struct piece){ .box = polygon->box, .hit = { GEO_PART_POLYGON, polygon->part }, .polygon = (uint32_t)i };
	}
	for (size_t i = 0; i < area->disc_count; i++)
		prepared->pieces[area->polygon_count + i] = (struct piece){
			.box = geo_disc_box(&area->discs[i]),
			.hit = { GEO_PART_DISC, (int32_t)i },
			.disc = area->discs[i],
			.half = sphere_half(area->discs[i].radius_m),
		};
	group_pieces(prepared);
	prepared->countries = ARENA_NEW_ARRAY(&prepared->arena, uint16_t, area->country_count);
	prepared->country_count = area->country_count;
	for (size_t i = 0; i < area->country_count; i++) {
		uint16_t country = area->countries[i];
		prepared->countries[i] = country;
		prepared->named[country / BITS] |= UINT64_C(1) << country % BITS;
	}
	return prepared;
}

void geo_prepared_free(struct geo_prepared *prepared)
{
	if (!prepared)
		return;
	struct arena arena = prepared->arena; /* the struct itself lies in it */
	arena_release(&arena);
}

size_t geo_prepared_bytes(const struct geo_prepared *prepared)
{
	return prepared->arena.used;
}

/* The next piece at or after `from` whose box meets `box`; piece_count if there is none. */
static size_t next_piece(const struct geo_prepared *prepared, struct geo_box box, size_t from)
{
	size_t at = from;
	while (at < prepared->piece_count) {
		size_t group = at / prepared->group_size, end = (group + 1) * prepared->group_size;
		if (!geo_box_meets(prepared->groups[group], box)) {
			at = end;
			continue;
		}
		if (end > prepared->piece_count)
			end = prepared->piece_count;
		for (; at < end; at++)
			if (geo_box_meets(prepared->pieces[at].box, box))
				return at;
	}
	return prepared->piece_count;
}

static const struct geo_box everywhere = { -GEO_X_MAX, -GEO_Y_MAX, GEO_X_MAX, GEO_Y_MAX };

/* Where to look for what may touch something in this box: at the 180th meridian and at the poles that is elsewhere too. */
static struct geo_box neighbourhood(struct geo_box box)
{
	bool at_seam = box.x0 == -GEO_X_MAX || box.x1 == GEO_X_MAX || box.y0 == -GEO_Y_MAX || box.y1 == GEO_Y_MAX;
	return at_seam ? everywhere : box;
}

static bool piece_point(const struct geo_prepared *prepared, const struct piece *piece, struct geo_xy point)
{
	if (piece->hit.kind == GEO_PART_POLYGON)
		return grid_point_anywhere(&prepared->grids[piece->polygon], point);
	return sphere_between(piece->disc.centre, point) <= piece->half;
}

static void set_hit(struct geo_hit *hit, const struct piece *piece)
{
	if (hit)
		*hit = piece->hit;
}

bool geo_prepared_point(const struct geo_prepared *prepared, struct geo_xy point, struct geo_hit *hit)
{
	struct geo_box box = neighbourhood((struct geo_box){ point.x, point.y, point.x, point.y });
	for (size_t i = next_piece(prepared, box, 0); i < prepared->piece_count; i = next_piece(prepared, box, i + 1)) {
		if (piece_point(prepared, &prepared->pieces[i], point)) {
			set_hit(hit, &prepared->pieces[i]);
			return true;
		}
	}
	return false;
}

static bool piece_meets_disc(const struct geo_prepared *prepared, const struct piece *piece, const struct geo_disc *disc)
{
	if (piece->hit.kind == GEO_PART_POLYGON)
		return grid_disc(&prepared->grids[piece->polygon], disc);
	return sphere_between(piece->disc.centre, disc->centre) <= sphere_half(piece->disc.radius_m + disc->radius_m);
}

bool geo_prepared_disc(const struct geo_prepared *prepared, const struct geo_disc *disc, struct geo_hit *hit)
{
	struct geo_box box = neighbourhood(geo_disc_box(disc));
	for (size_t i = next_piece(prepared, box, 0); i < prepared->piece_count; i = next_piece(prepared, box, i + 1)) {
		if (piece_meets_disc(prepared, &prepared->pieces[i], disc)) {
			set_hit(hit, &prepared->pieces[i]);
			return true;
		}
	}
	return false;
}

static bool piece_meets(const struct geo_prepared *a, const struct piece *p, const struct geo_prepared *b, const struct piece *q)
{
	if (q->hit.kind == GEO_PART_DISC)
		return piece_meets_disc(a, p, &q->disc);
	if (p->hit.kind == GEO_PART_DISC)
		return piece_meets_disc(b, q, &p->disc);
	return grid_meets(&a->grids[p->polygon], &b->grids[q->polygon]);
}

static bool piece_holds(const struct geo_prepared *a, const struct piece *p, const struct geo_prepared *b, const struct piece *q)
{
	if (p->hit.kind == GEO_PART_DISC && q->hit.kind == GEO_PART_DISC)
		return geo_distance(p->disc.centre, q->disc.centre) + q->disc.radius_m <= p->disc.radius_m;
	if (p->hit.kind == GEO_PART_DISC)
		return grid_in_disc(&b->grids[q->polygon], &p->disc);
	const struct grid *grid = &a->grids[p->polygon];
	if (q->hit.kind == GEO_PART_DISC)
		return grid_point_anywhere(grid, q->disc.centre) && !grid_edge_near(grid, &q->disc);
	return grid_holds(grid, &b->grids[q->polygon]);
}

bool geo_prepared_meets(const struct geo_prepared *a, const struct geo_prepared *b, struct geo_hit *hit)
{
	for (size_t j = 0; j < b->piece_count; j++) {
		struct geo_box box = neighbourhood(b->pieces[j].box);
		for (size_t i = next_piece(a, box, 0); i < a->piece_count; i = next_piece(a, box, i + 1)) {
			if (piece_meets(a, &a->pieces[i], b, &b->pieces[j])) {
				set_hit(hit, &a->pieces[i]);
				return true;
			}
		}
	}
	return false;
}

/* The first piece of `a` that holds the piece `q` of `b`; piece_count if none does. */
static size_t find_holder(const struct geo_prepared *a, const struct geo_prepared *b, const struct piece *q)
{
	for (size_t i = next_piece(a, q->box, 0); i < a->piece_count; i = next_piece(a, q->box, i + 1))
		if (piece_holds(a, &a->pieces[i], b, q))
			return i;
	return a->piece_count;
}

enum geo_relation geo_prepared_relation(const struct geo_prepared *outer, const struct geo_prepared *inner, struct geo_hit *hit)
{
	size_t held = 0, holder = outer->piece_count;
	for (; held < inner->piece_count; held++) {
		size_t found = find_holder(outer, inner, &inner->pieces[held]);
		if (found == outer->piece_count)
			break;
		if (held == 0)
			holder = found;
	}
	if (held == 0 || held < inner->piece_count) {
		/* The pieces held so far meet it too. */
		if (held == 0)
			return geo_prepared_meets(outer, inner, hit) ? GEO_MEETS : GEO_APART;
		set_hit(hit, &outer->pieces[holder]);
		return GEO_MEETS;
	}
	set_hit(hit, &outer->pieces[holder]);
	return GEO_HOLDS;
}

bool geo_prepared_names(const struct geo_prepared *prepared, uint16_t country)
{
	return country < GEO_COUNTRIES && (prepared->named[country / BITS] >> country % BITS & 1);
}

const uint16_t *geo_prepared_countries(const struct geo_prepared *prepared, size_t *count_out)
{
	*count_out = prepared->country_count;
	return prepared->countries;
}

size_t geo_prepared_pieces(const struct geo_prepared *prepared, struct geo_box box, uint32_t *out, size_t most)
{
	size_t count = 0;
	for (size_t i = next_piece(prepared, box, 0); i < prepared->piece_count; i = next_piece(prepared, box, i + 1)) {
		if (count < most)
			out[count] = (uint32_t)i;
		count++;
	}
	return count;
}

size_t geo_prepared_piece_count(const struct geo_prepared *prepared)
{
	return prepared->piece_count;
}

struct geo_hit geo_piece_hit(const struct geo_prepared *prepared, uint32_t piece)
{
	return prepared->pieces[piece].hit;
}

enum geo_relation geo_piece_box(const struct geo_prepared *prepared, uint32_t piece, struct geo_box box)
{
	const struct piece *p = &prepared->pieces[piece];
	if (p->hit.kind == GEO_PART_POLYGON)
		return grid_box(&prepared->grids[p->polygon], box);
	return geo_box_meets(p->box, box) ? GEO_MEETS : GEO_APART;
}

static uint64_t points_in_disc(const struct piece *piece, const int32_t *x, const int32_t *y, uint64_t mask)
{
	uint64_t in = 0;
	for (; mask; mask &= mask - 1) {
		int i = __builtin_ctzll(mask);
		struct geo_xy point = { x[i], y[i] };
		if (geo_box_holds(piece->box, point.x, point.y) && sphere_between(piece->disc.centre, point) <= piece->half)
			in |= UINT64_C(1) << i;
	}
	return in;
}

uint64_t geo_piece_points(const struct geo_prepared *prepared, uint32_t piece, const int32_t *x, const int32_t *y, uint64_t mask)
{
	const struct piece *p = &prepared->pieces[piece];
	if (p->hit.kind == GEO_PART_DISC)
		return points_in_disc(p, x, y, mask);
	const struct grid *grid = &prepared->grids[p->polygon];
	uint64_t in = 0;
	for (; mask; mask &= mask - 1) {
		int i = __builtin_ctzll(mask);
		if (geo_box_holds(grid->box, x[i], y[i]) && grid_point_in_box(grid, x[i], y[i]) != GRID_OUT)
			in |= UINT64_C(1) << i;
	}
	return in;
}

bool geo_piece_disc(const struct geo_prepared *prepared, uint32_t piece, const struct geo_disc *disc)
{
	return piece_meets_disc(prepared, &prepared->pieces[piece], disc);
}
