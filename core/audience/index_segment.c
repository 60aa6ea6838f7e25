/* Sorted tables of legs. */
#include <math.h>
#include <stdlib.h>

#include "core/audience/index.h"

#define RADIX_BITS 11
#define RADIX_SIZE (1u << RADIX_BITS)
#define RADIX_PASSES 3
#define TABLE_FIRST 1024
#define HILBERT_BITS 16
#define DISC_HILBERT_BITS 15
#define SMALL_DISC_M 10000u /* classes of size, so that a block of small discs has a small box */
#define MIDDLE_DISC_M 100000u

void *take_memory(void *old, size_t count, size_t size)
{
	size_t bytes;
	void *memory = __builtin_mul_overflow(count, size, &bytes) ? NULL : realloc(old, bytes ? bytes : 1);
	if (!memory) {
		log_error("leg_index_out_of_memory");
		abort();
	}
	return memory;
}

struct leg_segment *segment_new(void)
{
	struct leg_segment *segment = take_memory(NULL, 1, sizeof *segment);
	*segment = (struct leg_segment){ .number = 0 };
	return segment;
}

static void free_columns(struct leg_table *table)
{
	free(table->x);
	free(table->y);
	free(table->from);
	free(table->to);
	free(table->leg);
	free(table->person);
	free(table->country);
	free(table->radius);
	free(table->kind);
	free(table->boxes);
	free(table->at_seam);
}

void segment_free(struct leg_segment *segment)
{
	if (!segment)
		return;
	for (int t = 0; t < TABLE_COUNT; t++)
		free_columns(&segment->tables[t]);
	free(segment);
}

static void set_capacity(struct leg_table *table, int kind, size_t capacity)
{
	table->x = take_memory(table->x, capacity, sizeof *table->x);
	table->y = take_memory(table->y, capacity, sizeof *table->y);
	table->from = take_memory(table->from, capacity, sizeof *table->from);
	table->to = take_memory(table->to, capacity, sizeof *table->to);
	table->leg = take_memory(table->leg, capacity, sizeof *table->leg);
	table->person = take_memory(table->person, capacity, sizeof *table->person);
	table->country = take_memory(table->country, capacity, sizeof *table->country);
	if (kind == TABLE_DISCS)
		table->radius = take_memory(table->radius, capacity, sizeof *table->radius);
	if (kind == TABLE_COUNTRIES)
		table->kind = take_memory(table->kind, capacity, sizeof *table->kind);
	table->capacity = capacity;
}

static size_t new_row(struct leg_segment *segment, int kind)
{
	struct leg_table *table = &segment->tables[kind];
	if (table->count == table->capacity)
		set_capacity(table, kind, table->capacity ? table->capacity + table->capacity / 2 : TABLE_FIRST);
	return table->count++;
}

void segment_add(struct leg_segment *segment, const struct leg_entry *entry)
{
	int kind = entry->kind == LEG_POINT ? TABLE_POINTS : entry->kind == LEG_DISC ? TABLE_DISCS : TABLE_COUNTRIES;
	struct leg_table *table = &segment->tables[kind];
	size_t row = new_row(segment, kind);
	table->x[row] = entry->at.x;
	table->y[row] = entry->at.y;
	table->from[row] = entry->from;
	table->to[row] = entry->to;
	table->leg[row] = entry->leg_id;
	table->person[row] = entry->person_id;
	table->country[row] = entry->country;
	if (kind == TABLE_DISCS)
		table->radius[row] = entry->radius_m;
	if (kind == TABLE_COUNTRIES)
		table->kind[row] = (uint8_t)entry->kind;
}

void segment_copy_row(struct leg_segment *to, const struct leg_segment *from, int kind, size_t row)
{
	const struct leg_table *source = &from->tables[kind];
	struct leg_table *table = &to->tables[kind];
	size_t at = new_row(to, kind);
	table->x[at] = source->x[row];
	table->y[at] = source->y[row];
	table->from[at] = source->from[row];
	table->to[at] = source->to[row];
	table->leg[at] = source->leg[row];
	table->person[at] = source->person[row];
	table->country[at] = source->country[row];
	if (kind == TABLE_DISCS)
		table->radius[at] = source->radius[row];
	if (kind == TABLE_COUNTRIES)
		table->kind[at] = source->kind[row];
}

/* Where a point stands on the curve of Hilbert through 2^bits by 2^bits cells: near on the curve is near on earth. */
static uint32_t hilbert(int32_t x, int32_t y, int bits)
{
	uint32_t column = (uint32_t)(((uint64_t)((int64_t)x + GEO_X_MAX) << bits) / (2 * (uint64_t)GEO_X_MAX + 1));
	uint32_t row = (uint32_t)(((uint64_t)((int64_t)y + GEO_Y_MAX) << bits) / (2 * (uint64_t)GEO_Y_MAX + 1));
	uint32_t place = 0;
	for (uint32_t side = 1u << (bits - 1); side; side >>= 1) {
		uint32_t right = (column & side) != 0, upper = (row & side) != 0;
		place = place << 2 | ((3 * right) ^ upper);
		if (!upper) {
			if (right) {
				column = ~column;
				row = ~row;
			}
			uint32_t swap = column;
			column = row;
			row = swap;
		}
	}
	return place;
}

static uint32_t sort_key(const struct leg_table *table, int kind, size_t row)
{
	if (kind == TABLE_COUNTRIES)
		return table->country[row];
	if (kind == TABLE_POINTS)
		return hilbert(table->x[row], table->y[row], HILBERT_BITS);
	uint32_t size = table->radius[row] < SMALL_DISC_M ? 0 : table->radius[row] < MIDDLE_DISC_M ? 1 : 2;
	return size << (2 * DISC_HILBERT_BITS) | hilbert(table->x[row], table->y[row], DISC_HILBERT_BITS);
}

struct keyed {
	uint32_t key, row;
};

/* Sorts by key, keeping the order of equals; returns the array (one of the two) that holds the result. */
static struct keyed *radix_sort(struct keyed *items, struct keyed *spare, size_t count)
{
	for (int pass = 0; pass < RADIX_PASSES; pass++) {
		int shift = pass * RADIX_BITS;
		size_t starts[RADIX_SIZE] = { 0 }, sum = 0;
		for (size_t i = 0; i < count; i++)
			starts[items[i].key >> shift & (RADIX_SIZE - 1)]++;
		for (size_t i = 0; i < RADIX_SIZE; i++) {
			size_t here = starts[i];
			starts[i] = sum;
			sum += here;
		}
		for (size_t i = 0; i < count; i++)
			spare[starts[items[i].key >> shift & (RADIX_SIZE - 1)]++] = items[i];
		struct keyed *swap = items;
		items = spare;
		spare = swap;
	}
	return items;
}

static int32_t *permute_32(int32_t *old, const uint32_t *order, size_t count)
{
	int32_t *column = take_memory(NULL, count, sizeof *column);
	for (size_t i = 0; i < count; i++)
		column[i] = old[order[i]];
	free(old);
	return column;
}

static int64_t *permute_64(int64_t *old, const uint32_t *order, size_t count)
{
	int64_t *column = take_memory(NULL, count, sizeof *column);
	for (size_t i = 0; i < count; i++)
		column[i] = old[order[i]];
	free(old);
	return column;
}

static void permute(struct leg_table *table, const uint32_t *order)
{
	size_t count = table->count;
	table->x = permute_32(table->x, order, count);
	table->y = permute_32(table->y, order, count);
	table->from = permute_32(table->from, order, count);
	table->to = permute_32(table->to, order, count);
	table->leg = permute_64(table->leg, order, count);
	table->person = permute_64(table->person, order, count);
	uint16_t *country = take_memory(NULL, count, sizeof *country);
	for (size_t i = 0; i < count; i++)
		country[i] = table->country[order[i]];
	free(table->country);
	table->country = country;
	if (table->radius) {
		uint32_t *radius = take_memory(NULL, count, sizeof *radius);
		for (size_t i = 0; i < count; i++)
			radius[i] = table->radius[order[i]];
		free(table->radius);
		table->radius = radius;
	}
	if (table->kind) {
		uint8_t *kind = take_memory(NULL, count, sizeof *kind);
		for (size_t i = 0; i < count; i++)
			kind[i] = table->kind[order[i]];
		free(table->kind);
		table->kind = kind;
	}
	table->capacity = count;
}

static void sort_table(struct leg_table *table, int kind)
{
	size_t count = table->count;
	struct keyed *items = take_memory(NULL, count, sizeof *items), *spare = take_memory(NULL, count, sizeof *spare);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct keyed){ sort_key(table, kind, i), (uint32_t)i };
	struct keyed *sorted = radix_sort(items, spare, count);
	uint32_t *order = (uint32_t *)(sorted == items ? spare : items);
	for (size_t i = 0; i < count; i++)
		order[i] = sorted[i].row;
	free(sorted);
	permute(table, order);
	free(order);
}

static void add_boxes(struct leg_table *table, int kind)
{
	size_t blocks = (table->count + BLOCK_SIZE - 1) / BLOCK_SIZE;
	table->boxes = take_memory(NULL, blocks, sizeof *table->boxes);
	table->at_seam = take_memory(NULL, blocks, sizeof *table->at_seam);
	for (size_t b = 0; b < blocks; b++) {
		struct geo_box box = { INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN };
		size_t end = (b + 1) * BLOCK_SIZE < table->count ? (b + 1) * BLOCK_SIZE : table->count;
		for (size_t i = b * BLOCK_SIZE; i < end; i++) {
			struct geo_box own = { table->x[i], table->y[i], table->x[i], table->y[i] };
			if (kind == TABLE_DISCS)
				own = geo_disc_box(&(struct geo_disc){ { table->x[i], table->y[i] }, table->radius[i] });
			box.x0 = own.x0 < box.x0 ? own.x0 : box.x0;
			box.y0 = own.y0 < box.y0 ? own.y0 : box.y0;
			box.x1 = own.x1 > box.x1 ? own.x1 : box.x1;
			box.y1 = own.y1 > box.y1 ? own.y1 : box.y1;
		}
		table->boxes[b] = box;
		table->at_seam[b] = box.x0 <= -GEO_X_MAX || box.x1 >= GEO_X_MAX || box.y0 <= -GEO_Y_MAX || box.y1 >= GEO_Y_MAX;
	}
}

void segment_sort(struct leg_segment *segment)
{
	for (int t = 0; t < TABLE_COUNT; t++) {
		struct leg_table *table = &segment->tables[t];
		if (table->count == 0)
			continue;
		sort_table(table, t);
		if (t != TABLE_COUNTRIES)
			add_boxes(table, t);
	}
	const struct leg_table *countries = &segment->tables[TABLE_COUNTRIES];
	size_t at = 0;
	for (uint32_t country = 0; country <= GEO_COUNTRIES; country++) {
		while (at < countries->count && countries->country[at] < country)
			at++;
		segment->country_start[country] = (uint32_t)at;
	}
}

size_t segment_bytes(const struct leg_segment *segment)
{
	size_t bytes = sizeof *segment;
	for (int t = 0; t < TABLE_COUNT; t++) {
		const struct leg_table *table = &segment->tables[t];
		size_t row = 4 * sizeof *table->x + 2 * sizeof *table->leg + sizeof *table->country;
		row += table->radius ? sizeof *table->radius : 0;
		row += table->kind ? sizeof *table->kind : 0;
		bytes += table->capacity * row;
		if (table->boxes)
			bytes += (table->count + BLOCK_SIZE - 1) / BLOCK_SIZE * (sizeof *table->boxes + sizeof *table->at_seam);
	}
	return bytes;
}
