/* Do edges of a polygon cross? A sweep from left to right (Shamos and Hoey): the edges under the sweep line stand in a treap,
 * lowest first, and are compared with their neighbours only. All comparisons are exact. Vertical edges are handled by ordering
 * points by x, then y, as if the plane leant a hair. Touching is no crossing and does not disturb the order. */
#include <stdlib.h>

#include "kernel/geo/wide.h"

#define NONE UINT32_MAX
#define SHARED_VERTICES_MAX 8 /* at one point; further ones are taken to touch only */

struct sweep_edge {
	struct wide_xy left, right;
	uint32_t ring, vertex;
	uint32_t child[2], parent, priority;
	uint32_t below, above; /* neighbours */
};
struct sweep_vertex {
	struct wide_xy at;
	struct wide_xy previous, next;
	uint32_t ring, vertex;
	uint32_t edges[2]; /* the one before and the one after */
};
struct sweep {
	struct sweep_edge *edges;
	uint32_t root;
	struct wide_fault fault;
};

static bool same(struct wide_xy a, struct wide_xy b)
{
	return a.x == b.x && a.y == b.y;
}

static int compare_points(struct wide_xy a, struct wide_xy b)
{
	if (a.x != b.x)
		return a.x < b.x ? -1 : 1;
	return (a.y > b.y) - (a.y < b.y);
}

static int compare_vertices(const void *left, const void *right)
{
	const struct sweep_vertex *a = left, *b = right;
	int order = compare_points(a->at, b->at);
	if (order)
		return order;
	if (a->ring != b->ring)
		return a->ring < b->ring ? -1 : 1;
	return (a->vertex > b->vertex) - (a->vertex < b->vertex);
}

static void note_fault(struct sweep *sweep, enum wide_verdict verdict, uint32_t ring, uint32_t vertex, const struct sweep_edge *other,
                       double x, double y)
{
	if (verdict > sweep->fault.verdict)
		sweep->fault = (struct wide_fault){ verdict, ring, vertex, other->ring, other->vertex, x, y };
}

/* The point `at` lies on edge `other`, whose ends it is not: the way previous-at-next touches the edge or crosses it there. */
static void note_touch(struct sweep *sweep, const struct sweep_vertex *v, const struct sweep_edge *other)
{
	int before = wide_side(other->left, other->right, v->previous), after = wide_side(other->left, other->right, v->next);
	note_fault(sweep, before * after < 0 ? WIDE_CROSSES : WIDE_TOUCHES, v->ring, v->vertex, other, (double)v->at.x, (double)v->at.y);
}

/* Does d lie in the sector that opens counter-clockwise from a to b around p? */
static bool in_sector(struct wide_xy p, struct wide_xy a, struct wide_xy b, struct wide_xy d)
{
	int turn = wide_side(p, a, b);
	if (turn > 0 || (turn == 0 && wide_side(p, a, d) == 0))
		return wide_side(p, a, d) > 0 && wide_side(p, d, b) > 0;
	return !(wide_side(p, b, d) >= 0 && wide_side(p, d, a) >= 0);
}

static void note_shared(struct sweep *sweep, const struct sweep_vertex *a, const struct sweep_vertex *b)
{
	bool collinear = wide_side(a->at, a->previous, b->previous) == 0 || wide_side(a->at, a->previous, b->next) == 0 ||
	                 wide_side(a->at, a->next, b->previous) == 0 || wide_side(a->at, a->next, b->next) == 0;
	bool crosses = !collinear && in_sector(a->at, a->previous, a->next, b->previous) != in_sector(a->at, a->previous, a->next, b->next);
	note_fault(sweep, crosses ? WIDE_CROSSES : WIDE_TOUCHES, a->ring, a->vertex, &sweep->edges[b->edges[1]], (double)a->at.x,
	           (double)a->at.y);
}

static void check_pair(struct sweep *sweep, uint32_t first, uint32_t second)
{
	if (first == NONE || second == NONE)
		return;
	const struct sweep_edge *a = &sweep->edges[first], *b = &sweep->edges[second];
	int b1 = wide_side(a->left, a->right, b->left), b2 = wide_side(a->left, a->right, b->right);
	if (b1 * b2 >= 0)
		return;
	int a1 = wide_side(b->left, b->right, a->left), a2 = wide_side(b->left, b->right, a->right);
	if (a1 * a2 >= 0)
		return;
	double ax = (double)(a->right.x - a->left.x), ay = (double)(a->right.y - a->left.y);
	double bx = (double)(b->right.x - b->left.x), by = (double)(b->right.y - b->left.y);
	double along = ((double)(b->left.x - a->left.x) * by - (double)(b->left.y - a->left.y) * bx) / (ax * by - ay * bx);
	note_fault(sweep, WIDE_CROSSES, a->ring, a->vertex, b, (double)a->left.x + along * ax, (double)a->left.y + along * ay);
}

static void set_child(struct sweep *sweep, uint32_t parent, int which, uint32_t child)
{
	if (parent == NONE)
		sweep->root = child;
	else
		sweep->edges[parent].child[which] = child;
	if (child != NONE)
		sweep->edges[child].parent = parent;
}

static int which_child(const struct sweep *sweep, uint32_t node)
{
	uint32_t parent = sweep->edges[node].parent;
	return parent != NONE && sweep->edges[parent].child[1] == node;
}

/* Lifts a node above its parent. */
static void rotate(struct sweep *sweep, uint32_t node)
{
	uint32_t parent = sweep->edges[node].parent;
	int which = which_child(sweep, node), above = which_child(sweep, parent);
	uint32_t grandparent = sweep->edges[parent].parent;
	set_child(sweep, parent, which, sweep->edges[node].child[!which]);
	set_child(sweep, node, !which, parent);
	set_child(sweep, grandparent, above, node);
}

/* Is the new edge, which begins at the vertex, above the edge `at`? */
static bool goes_above(struct sweep *sweep, uint32_t edge, const struct sweep_vertex *v, uint32_t at)
{
	const struct sweep_edge *e = &sweep->edges[edge], *other = &sweep->edges[at];
	int side = wide_side(other->left, other->right, e->left);
	if (side != 0)
		return side > 0;
	if (!same(other->left, e->left))
		note_touch(sweep, v, other);
	side = wide_side(other->left, other->right, e->right);
	if (side == 0)
		note_fault(sweep, WIDE_TOUCHES, e->ring, e->vertex, other, (double)e->left.x, (double)e->left.y);
	return side > 0;
}

static void insert(struct sweep *sweep, uint32_t edge, const struct sweep_vertex *v)
{
	struct sweep_edge *e = &sweep->edges[edge];
	uint32_t parent = NONE, at = sweep->root;
	int which = 0;
	e->below = e->above = e->child[0] = e->child[1] = NONE;
	while (at != NONE) {
		parent = at;
		which = goes_above(sweep, edge, v, at);
		*(which ? &e->below : &e->above) = at;
		at = sweep->edges[at].child[which];
	}
	set_child(sweep, parent, which, edge);
	if (e->below != NONE)
		sweep->edges[e->below].above = edge;
	if (e->above != NONE)
		sweep->edges[e->above].below = edge;
	while (e->parent != NONE && sweep->edges[e->parent].priority < e->priority)
		rotate(sweep, edge);
	check_pair(sweep, e->below, edge);
	check_pair(sweep, edge, e->above);
}

static void look_at_neighbour(struct sweep *sweep, uint32_t neighbour, const struct sweep_vertex *v)
{
	if (neighbour == NONE)
		return;
	const struct sweep_edge *other = &sweep->edges[neighbour];
	if (!same(other->left, v->at) && !same(other->right, v->at) && wide_side(other->left, other->right, v->at) == 0)
		note_touch(sweep, v, other);
}

static void take_out(struct sweep *sweep, uint32_t edge, const struct sweep_vertex *v)
{
	struct sweep_edge *e = &sweep->edges[edge];
	while (e->child[0] != NONE || e->child[1] != NONE) {
		uint32_t low = e->child[0], high = e->child[1];
		bool lift_high = low == NONE || (high != NONE && sweep->edges[high].priority > sweep->edges[low].priority);
		rotate(sweep, lift_high ? high : low);
	}
	set_child(sweep, e->parent, which_child(sweep, edge), NONE);
	if (e->below != NONE)
		sweep->edges[e->below].above = e->above;
	if (e->above != NONE)
		sweep->edges[e->above].below = e->below;
	look_at_neighbour(sweep, e->below, v);
	look_at_neighbour(sweep, e->above, v);
	check_pair(sweep, e->below, e->above);
}

/* All vertices at one point: first what ends there, then what begins there. */
static void visit_point(struct sweep *sweep, const struct sweep_vertex *vertices, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int k = 0; k < 2; k++)
			if (same(sweep->edges[vertices[i].edges[k]].right, vertices[i].at))
				take_out(sweep, vertices[i].edges[k], &vertices[i]);
	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i && j < SHARED_VERTICES_MAX; j++)
			note_shared(sweep, &vertices[j], &vertices[i]);
	for (size_t i = 0; i < count; i++)
		for (int k = 0; k < 2; k++)
			if (same(sweep->edges[vertices[i].edges[k]].left, vertices[i].at))
				insert(sweep, vertices[i].edges[k], &vertices[i]);
}

static void fill(struct sweep *sweep, struct sweep_vertex *vertices, const struct wide_polygon *polygon)
{
	uint32_t count = 0, random = 0x9e3779b9;
	for (size_t r = 0; r < polygon->count; r++) {
		const struct wide_ring *ring = &polygon->rings[r];
		uint32_t first = count, size = (uint32_t)ring->count;
		for (uint32_t i = 0; i < size; i++, count++) {
			struct wide_xy a = ring->points[i], b = ring->points[i + 1 < size ? i + 1 : 0];
			struct wide_xy before = ring->points[i ? i - 1 : size - 1];
			bool rightwards = compare_points(a, b) < 0;
			random ^= random << 13; /* xorshift: any spread of priorities will do */
			random ^= random >> 17;
			random ^= random << 5;
			sweep->edges[count] = (struct sweep_edge){ .left = rightwards ? a : b, .right = rightwards ? b : a, .ring = (uint32_t)r,
				                                   .vertex = i, .parent = NONE, .priority = random };
			vertices[count] = (struct sweep_vertex){ a, before, b, (uint32_t)r, i, { i ? count - 1 : first + size - 1, count } };
		}
	}
}

struct wide_fault wide_check(const struct wide_polygon *polygon)
{
	struct arena arena;
	struct sweep sweep = { .root = NONE };
	size_t count = 0;
	for (size_t r = 0; r < polygon->count; r++)
		count += polygon->rings[r].count;
	arena_init(&arena);
	sweep.edges = ARENA_NEW_ARRAY(&arena, struct sweep_edge, count);
	struct sweep_vertex *vertices = ARENA_NEW_ARRAY(&arena, struct sweep_vertex, count);
	fill(&sweep, vertices, polygon);
	qsort(vertices, count, sizeof *vertices, compare_vertices);
	for (size_t i = 0, end; i < count && sweep.fault.verdict != WIDE_CROSSES; i = end) {
		for (end = i + 1; end < count && same(vertices[end].at, vertices[i].at); end++)
			;
		visit_point(&sweep, vertices + i, end - i);
	}
	arena_release(&arena);
	return sweep.fault;
}
