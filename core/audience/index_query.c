/* Asking the leg index. */
#include <stdlib.h>

#include "core/audience/index.h"

#define MATCHES_FIRST 1024
#define FEW_PIECES 64

void leg_matches_init(struct leg_matches *matches)
{
	*matches = (struct leg_matches){ NULL, 0, 0 };
}

void leg_matches_release(struct leg_matches *matches)
{
	free(matches->items);
	leg_matches_init(matches);
}

static void reserve(struct leg_matches *matches, size_t extra)
{
	if (matches->count + extra <= matches->capacity)
		return;
	size_t capacity = matches->capacity ? 2 * matches->capacity : MATCHES_FIRST;
	if (capacity < matches->count + extra)
		capacity = matches->count + extra;
	matches->items = take_memory(matches->items, capacity, sizeof *matches->items);
	matches->capacity = capacity;
}

struct leg_match *matches_add(struct leg_matches *matches)
{
	reserve(matches, 1);
	return &matches->items[matches->count++];
}

void match_from_entry(struct leg_match *match, const struct leg_entry *entry)
{
	*match = (struct leg_match){ .leg_id = entry->leg_id, .person_id = entry->person_id, .at = entry->at, .from = entry->from,
		                     .to = entry->to, .country = entry->country, .kind = (uint8_t)entry->kind };
}

static void set_why(struct leg_match *match, enum match_why why, struct geo_hit hit)
{
	match->why = (uint8_t)why;
	match->certain = why < MATCH_COUNTRY_MET;
	match->part_kind = (uint8_t)hit.kind;
	match->part = (uint16_t)hit.part;
}

static struct geo_hit country_hit(uint16_t country)
{
	return (struct geo_hit){ GEO_PART_COUNTRY, country };
}

/* --- what an area means ------------------------------------------------------------------------------------ */
void question_init(struct question *question, const struct geo_prepared *area, const struct geo_outlines *outlines,
                   struct leg_window window)
{
	question->area = area;
	question->outlines = outlines;
	question->window = window;
	memset(question->relations, RELATION_UNKNOWN, sizeof question->relations);
}

static const struct geo_prepared *outline_of(const struct question *question, uint16_t country)
{
	return question->outlines && country < GEO_COUNTRIES ? question->outlines->of[country] : NULL;
}

enum geo_relation question_relation(struct question *question, uint16_t country)
{
	const struct geo_prepared *outline = outline_of(question, country);
	if (!outline)
		return GEO_APART;
	if (question->relations[country] == RELATION_UNKNOWN)
		question->relations[country] = (int8_t)geo_prepared_relation(question->area, outline, &question->hits[country]);
	return (enum geo_relation)question->relations[country];
}

/* A leg somewhere in a country, or a watch of one. */
static bool question_country(struct question *question, uint16_t country, struct leg_match *match)
{
	if (geo_prepared_names(question->area, country)) {
		set_why(match, MATCH_COUNTRY_NAMED, country_hit(country));
		return true;
	}
	enum geo_relation relation = question_relation(question, country);
	if (relation == GEO_APART)
		return false;
	set_why(match, relation == GEO_HOLDS ? MATCH_COUNTRY_HELD : MATCH_COUNTRY_MET, question->hits[country]);
	return true;
}

/* Does a disc match by a named country: its own, or one of `candidates` that it reaches into? */
static bool disc_in_countries(const struct question *question, const struct geo_disc *disc, uint16_t country, const uint16_t *candidates,
                              size_t count, struct leg_match *match)
{
	if (geo_prepared_names(question->area, country)) {
		set_why(match, MATCH_COUNTRY_NAMED, country_hit(country));
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct geo_prepared *outline = outline_of(question, candidates[i]);
		if (outline && geo_prepared_disc(outline, disc, NULL)) {
			set_why(match, MATCH_COUNTRY_REACHED, country_hit(candidates[i]));
			return true;
		}
	}
	return false;
}

static bool question_watched(struct question *question, const struct leg_entry *entry, const struct geo_prepared *watched,
                             struct leg_match *match)
{
	struct geo_hit hit;
	size_t own, count;
	const uint16_t *own_countries = geo_prepared_countries(watched, &own), *named = geo_prepared_countries(question->area, &count);
	if (geo_prepared_meets(question->area, watched, &hit)) {
		set_why(match, MATCH_AREA, hit);
		return true;
	}
	if (entry->country && question_country(question, entry->country, match) && match->certain)
		return true;
	/* The area watched may itself be given by countries. */
	bool found = false;
	for (size_t i = 0; i < own && !(found && match->certain); i++)
		found = question_country(question, own_countries[i], match) || found;
	for (size_t i = 0; i < count && !found; i++) {
		const struct geo_prepared *outline = outline_of(question, named[i]);
		found = outline && geo_prepared_meets(outline, watched, NULL);
		if (found)
			set_why(match, MATCH_COUNTRY_REACHED, country_hit(named[i]));
	}
	return found;
}

bool question_entry(struct question *question, const struct leg_entry *entry, const struct geo_prepared *watched, struct leg_match *match)
{
	struct geo_hit hit;
	const uint16_t *named;
	size_t count;
	bool timeless = entry->kind == LEG_WATCH_AREA || entry->kind == LEG_WATCH_COUNTRY;
	if (!timeless && (entry->from > question->window.to || entry->to < question->window.from))
		return false;
	struct geo_disc disc = { entry->at, entry->radius_m };
	match_from_entry(match, entry);
	switch (entry->kind) {
	case LEG_POINT:
		if (geo_prepared_point(question->area, entry->at, &hit)) {
			set_why(match, MATCH_POINT, hit);
			return true;
		}
		if (!geo_prepared_names(question->area, entry->country))
			return false;
		set_why(match, MATCH_COUNTRY_NAMED, country_hit(entry->country));
		return true;
	case LEG_DISC:
		if (geo_prepared_disc(question->area, &disc, &hit)) {
			set_why(match, MATCH_DISC, hit);
			return true;
		}
		named = geo_prepared_countries(question->area, &count);
		return disc_in_countries(question, &disc, entry->country, named, count, match);
	case LEG_COUNTRY:
	case LEG_WATCH_COUNTRY:
		return question_country(question, entry->country, match);
	case LEG_WATCH_AREA:
		return question_watched(question, entry, watched, match);
	}
	return false;
}

bool leg_match_one(const struct geo_prepared *area, const struct geo_outlines *outlines, struct leg_window window,
                   const struct leg_entry *entry, struct leg_match *match)
{
	struct question question;
	struct leg_match found;
	struct geo_prepared *watched = entry->kind == LEG_WATCH_AREA ? geo_prepared_new(entry->area) : NULL;
	question_init(&question, area, outlines, window);
	bool result = question_entry(&question, entry, watched, &found);
	geo_prepared_free(watched);
	if (result)
		*match = found;
	return result;
}

/* --- sorted segments --------------------------------------------------------------------------------------- */
struct query {
	struct question question;
	const struct leg_index *index;
	const struct leg_segment *segment;
	struct leg_matches *matches;
	uint32_t *pieces; /* room for all pieces of the area */
	size_t piece_count;
	size_t country_count;
	uint8_t named[GEO_COUNTRIES + 1];
	bool changes; /* some rows of the segments may be out of date */
};

static bool is_live(const struct query *query, int64_t person_id)
{
	if (!query->changes)
		return true;
	const struct version *version = index_version_find(&query->index->versions, person_id);
	return !version || version->segment == query->segment->number;
}

/* The rows of a block whose time meets the window, as bits. */
static uint64_t rows_in_time(const struct leg_table *table, size_t start, struct leg_window window)
{
	size_t count = table->count - start < BLOCK_SIZE ? table->count - start : BLOCK_SIZE;
	uint64_t bits = 0;
	for (size_t i = 0; i < count; i++)
		bits |= (uint64_t)((table->from[start + i] <= window.to) & (table->to[start + i] >= window.from)) << i;
	return bits;
}

static uint64_t rows_in_countries(const struct query *query, const struct leg_table *table, size_t start)
{
	size_t count = table->count - start < BLOCK_SIZE ? table->count - start : BLOCK_SIZE;
	uint64_t bits = 0;
	for (size_t i = 0; i < count; i++)
		bits |= (uint64_t)query->named[table->country[start + i]] << i;
	return bits;
}

static void match_from_row(struct leg_match *match, const struct leg_table *table, size_t row, enum leg_kind kind)
{
	match->leg_id = table->leg[row];
	match->person_id = table->person[row];
	match->at = (struct geo_xy){ table->x[row], table->y[row] };
	match->from = table->from[row];
	match->to = table->to[row];
	match->country = table->country[row];
	match->kind = (uint8_t)kind;
}

/* Adds rows that all match for one reason; MATCH_COUNTRY_NAMED: each by its own country. */
static void add_rows(struct query *query, const struct leg_table *table, size_t start, uint64_t bits, enum leg_kind kind,
                     enum match_why why, struct geo_hit hit)
{
	reserve(query->matches, BLOCK_SIZE);
	for (; bits; bits &= bits - 1) {
		size_t row = start + (size_t)__builtin_ctzll(bits);
		if (!is_live(query, table->person[row]))
			continue;
		struct leg_match *match = &query->matches->items[query->matches->count++];
		match_from_row(match, table, row, kind);
		set_why(match, why, why == MATCH_COUNTRY_NAMED ? country_hit(table->country[row]) : hit);
	}
}

static size_t find_pieces(struct query *query, struct geo_box box)
{
	return geo_prepared_pieces(query->question.area, box, query->pieces, query->piece_count);
}

/* A block with points on the 180th meridian or at a pole, where a point has more than one longitude. */
static uint64_t add_seam_points(struct query *query, const struct leg_table *table, size_t start, uint64_t bits)
{
	uint64_t taken = 0;
	for (uint64_t rest = bits; rest; rest &= rest - 1) {
		size_t bit = (size_t)__builtin_ctzll(rest);
		struct geo_hit hit;
		if (geo_prepared_point(query->question.area, (struct geo_xy){ table->x[start + bit], table->y[start + bit] }, &hit)) {
			add_rows(query, table, start, UINT64_C(1) << bit, LEG_POINT, MATCH_POINT, hit);
			taken |= UINT64_C(1) << bit;
		}
	}
	return taken;
}

static void query_points(struct query *query, const struct leg_table *table)
{
	const struct geo_prepared *area = query->question.area;
	for (size_t start = 0; start < table->count; start += BLOCK_SIZE) {
		size_t block = start / BLOCK_SIZE, count = 0;
		bool at_seam = table->at_seam[block];
		if (!at_seam && query->piece_count)
			count = find_pieces(query, table->boxes[block]);
		uint64_t named = query->country_count ? rows_in_countries(query, table, start) : 0;
		if (count == 0 && named == 0 && !at_seam)
			continue;
		uint64_t bits = rows_in_time(table, start, query->question.window);
		if (at_seam && query->piece_count)
			bits &= ~add_seam_points(query, table, start, bits);
		for (size_t p = 0; p < count && bits; p++) {
			enum geo_relation relation = geo_piece_box(area, query->pieces[p], table->boxes[block]);
			uint64_t in = relation == GEO_HOLDS ? bits : 0;
			if (relation == GEO_MEETS)
				in = geo_piece_points(area, query->pieces[p], table->x + start, table->y + start, bits);
			if (in)
				add_rows(query, table, start, in, LEG_POINT, MATCH_POINT, geo_piece_hit(area, query->pieces[p]));
			bits &= ~in;
		}
		if (bits & named)
			add_rows(query, table, start, bits & named, LEG_POINT, MATCH_COUNTRY_NAMED, country_hit(0));
	}
}

static struct geo_disc disc_of(const struct leg_table *table, size_t row)
{
	return (struct geo_disc){ { table->x[row], table->y[row] }, table->radius[row] };
}

static uint64_t discs_in_piece(const struct query *query, const struct leg_table *table, size_t start, uint32_t piece, uint64_t bits)
{
	uint64_t in = 0;
	for (; bits; bits &= bits - 1) {
		size_t bit = (size_t)__builtin_ctzll(bits);
		struct geo_disc disc = disc_of(table, start + bit);
		if (geo_piece_disc(query->question.area, piece, &disc))
			in |= UINT64_C(1) << bit;
	}
	return in;
}

/* May anything within the box meet the outline? */
static bool outline_near(const struct geo_prepared *outline, struct geo_box box)
{
	uint32_t pieces[FEW_PIECES];
	size_t count = geo_prepared_pieces(outline, box, pieces, FEW_PIECES);
	for (size_t i = 0; i < count && i < FEW_PIECES; i++)
		if (geo_piece_box(outline, pieces[i], box) != GEO_APART)
			return true;
	return count > FEW_PIECES;
}

/* Discs by the named countries: by their own, or because they reach into one of those near the block. */
static void add_discs_of_countries(struct query *query, const struct leg_table *table, size_t start, uint64_t bits)
{
	size_t block = start / BLOCK_SIZE, count, near = 0;
	const uint16_t *named = geo_prepared_countries(query->question.area, &count);
	uint16_t candidates[GEO_COUNTRIES];
	for (size_t i = 0; i < count; i++) {
		const struct geo_prepared *outline = outline_of(&query->question, named[i]);
		if (outline && (table->at_seam[block] || outline_near(outline, table->boxes[block])))
			candidates[near++] = named[i];
	}
	if (near == 0)
		bits &= rows_in_countries(query, table, start);
	for (; bits; bits &= bits - 1) {
		size_t row = start + (size_t)__builtin_ctzll(bits);
		struct geo_disc disc = disc_of(table, row);
		struct leg_match match;
		if (!disc_in_countries(&query->question, &disc, table->country[row], candidates, near, &match) ||
		    !is_live(query, table->person[row]))
			continue;
		match_from_row(&match, table, row, LEG_DISC);
		*matches_add(query->matches) = match;
	}
}

static void query_discs(struct query *query, const struct leg_table *table)
{
	const struct geo_prepared *area = query->question.area;
	for (size_t start = 0; start < table->count; start += BLOCK_SIZE) {
		size_t block = start / BLOCK_SIZE;
		/* At the seam boxes say nothing about what touches from the other side: all pieces are asked. */
		struct geo_box box = table->at_seam[block] ? (struct geo_box){ -GEO_X_MAX, -GEO_Y_MAX, GEO_X_MAX, GEO_Y_MAX } : table->boxes[block];
		size_t count = query->piece_count ? find_pieces(query, box) : 0;
		if (count == 0 && query->country_count == 0)
			continue;
		uint64_t bits = rows_in_time(table, start, query->question.window);
		for (size_t p = 0; p < count && bits; p++) {
			enum geo_relation relation = table->at_seam[block] ? GEO_MEETS : geo_piece_box(area, query->pieces[p], box);
			uint64_t in = relation == GEO_HOLDS ? bits : 0;
			if (relation == GEO_MEETS)
				in = discs_in_piece(query, table, start, query->pieces[p], bits);
			if (in)
				add_rows(query, table, start, in, LEG_DISC, MATCH_DISC, geo_piece_hit(area, query->pieces[p]));
			bits &= ~in;
		}
		if (bits && query->country_count)
			add_discs_of_countries(query, table, start, bits);
	}
}

static void query_countries(struct query *query, const struct leg_segment *segment)
{
	const struct leg_table *table = &segment->tables[TABLE_COUNTRIES];
	for (uint16_t country = 1; country < GEO_COUNTRIES; country++) {
		size_t start = segment->country_start[country], end = segment->country_start[country + 1];
		struct leg_match reason;
		if (start == end || !question_country(&query->question, country, &reason))
			continue;
		for (size_t row = start; row < end; row++) {
			bool in_time = table->from[row] <= query->question.window.to && table->to[row] >= query->question.window.from;
			if (!in_time || !is_live(query, table->person[row]))
				continue;
			match_from_row(&reason, table, row, (enum leg_kind)table->kind[row]);
			*matches_add(query->matches) = reason;
		}
	}
}

/* --- the whole --------------------------------------------------------------------------------------------- */
/* What changed since the last flush, and the watched areas. */
static void query_unsorted(struct query *query)
{
	const struct leg_index *index = query->index;
	struct leg_match match;
	for (size_t i = 0; i < index->delta_count; i++) {
		const struct delta_entry *delta = &index->delta[i];
		const struct version *version = index_version_find(&index->versions, delta->entry.person_id);
		if (version && version->version == delta->version && question_entry(&query->question, &delta->entry, NULL, &match))
			*matches_add(query->matches) = match;
	}
	for (size_t i = 0; i < index->watch_count; i++) {
		const struct leg_watch *watch = &index->watches[i];
		const struct version *version = index_version_find(&index->versions, watch->entry.person_id);
		if ((version ? version->version : 0) == watch->version && question_entry(&query->question, &watch->entry, watch->area, &match))
			*matches_add(query->matches) = match;
	}
}

void leg_index_query(struct leg_index *index, const struct geo_prepared *area, struct leg_window window, struct leg_matches *matches)
{
	struct query query = { .index = index, .matches = matches, .piece_count = geo_prepared_piece_count(area) };
	const uint16_t *named = geo_prepared_countries(area, &query.country_count);
	query.pieces = take_memory(NULL, query.piece_count, sizeof *query.pieces);
	for (size_t i = 0; i < query.country_count; i++)
		query.named[named[i]] = 1;
	pthread_rwlock_rdlock(&index->lock);
	question_init(&query.question, area, index->outlines, window);
	query.changes = index->versions.count > 0;
	for (size_t s = 0; s < index->segment_count; s++) {
		query.segment = index->segments[s];
		query_points(&query, &query.segment->tables[TABLE_POINTS]);
		query_discs(&query, &query.segment->tables[TABLE_DISCS]);
		query_countries(&query, query.segment);
	}
	query_unsorted(&query);
	pthread_rwlock_unlock(&index->lock);
	free(query.pieces);
}
