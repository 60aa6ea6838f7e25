/* Finding places by name.
 *
 * Candidates come from three questions, each answered in order of population and cut off early: names that are exactly
 * the query, places in whose names all words stand (the last may be a beginning), and the same with the words at the
 * end read as a country or a province. If little is found, names near to the query. Then all are weighed together. */
#include <math.h>
#include <stdlib.h>

#include "core/places/places_internal.h"

#define CANDIDATES_MAX 600
#define CANDIDATES_EACH 100   /* of one question */
#define ENOUGH 5              /* with fewer places than this, near names are looked for as well ... */
#define KNOWN_POPULATION 5000 /* ... unless one of this many people has exactly the name typed */
#define COUNTRY_WORDS_MAX 5   /* "bosnia and herzegovina", "united arab emirates" */
#define NEAR_MAX 24

#define WEIGHT_EXACT 3.0       /* the usual name */
#define WEIGHT_EXACT_OTHER 1.3 /* another name */
#define WEIGHT_GUESS (-1.0)    /* and for each edit WEIGHT_EDIT */
#define WEIGHT_EDIT (-2.0)
#define WEIGHT_SCATTERED (-4.0) /* the words stand in different names of the place */

struct candidate {
	int64_t rank;
	bool guess;
	size_t distance; /* of a guess */
	struct str fits; /* the key that the place's names are weighed against */
};

struct place_query {
	struct places *places;
	struct places_connection *connection;
	struct arena *arena;
	struct str key; /* folded, one blank between words */
	struct str *words;
	size_t word_count;
	struct str country; /* upper case; empty for all */
	struct candidate candidates[CANDIDATES_MAX];
	size_t count;
	enum rc rc;
	struct err *err;
};

static void add_candidate(struct place_query *query, int64_t rank, struct str fits, bool guess, size_t distance)
{
	/* The same place may be found by the whole query and by a part of it: whatever fits better counts. */
	for (size_t i = 0; i < query->count; i++)
		if (query->candidates[i].rank == rank && (guess || str_equal(query->candidates[i].fits, fits)))
			return;
	if (query->count < CANDIDATES_MAX)
		query->candidates[query->count++] = (struct candidate){ rank, guess, distance, fits };
}

/* Runs a statement that gives ranks; all become candidates. */
static size_t collect(struct place_query *query, sqlite3_stmt *statement, struct str fits, bool guess, size_t distance)
{
	size_t count = 0;
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		add_candidate(query, sqlite3_column_int64(statement, 0), fits, guess, distance);
		count++;
	}
	if (step != SQLITE_DONE && query->rc == OK)
		query->rc = err_set(query->err, FAILED, "gazetteer: %s", sqlite3_errmsg(query->connection->db));
	sqlite3_reset(statement);
	return count;
}

static void bind_text(sqlite3_stmt *statement, int index, struct str text)
{
	sqlite3_bind_text64(statement, index, text.ptr != NULL ? text.ptr : "", text.len, SQLITE_TRANSIENT,
	                    SQLITE_UTF8);
}

static size_t find_exact(struct place_query *query, struct str key, struct str country, struct str fits, bool guess,
                         size_t distance)
{
	enum places_statement which = country.len > 0 ? STATEMENT_EXACT_IN : STATEMENT_EXACT;
	sqlite3_stmt *statement = query->connection->statements[which];
	bind_text(statement, 1, key);
	sqlite3_bind_int64(statement, 2, CANDIDATES_EACH);
	if (country.len > 0)
		bind_text(statement, 3, country);
	return collect(query, statement, fits, guess, distance);
}

/* The words are folded, so they hold nothing but letters, digits and marks: no query syntax can come in with them. */
static void add_term(struct buf *match, const char *columns, struct str word, bool beginning)
{
	if (match->len > 0)
		buf_add_str(match, S(" AND "));
	buf_format(match, "%s : \"%.*s\"%s", columns, STR_ARG(word), beginning ? "*" : "");
}

static void add_country_term(struct buf *match, struct str country)
{
	if (country.len > 0)
		buf_format(match, " AND context : \"\xEE\x80\x80%c%c\"", country.ptr[0] + 32, country.ptr[1] + 32);
}

static size_t run_match(struct place_query *query, const struct buf *match, struct str fits)
{
	sqlite3_stmt *statement = query->connection->statements[STATEMENT_WORDS];
	bind_text(statement, 1, buf_str(match));
	sqlite3_bind_int64(statement, 2, CANDIDATES_EACH);
	return collect(query, statement, fits, false, 0);
}

/* Places in whose names words [from, to) stand, the last of the query as a beginning. */
static size_t find_words(struct place_query *query, size_t from, size_t to, struct str country, struct str fits)
{
	struct buf match;
	buf_init(&match);
	for (size_t i = from; i < to; i++)
		add_term(&match, "names", query->words[i], i + 1 == query->word_count);
	add_country_term(&match, country);
	size_t count = run_match(query, &match, fits);
	buf_release(&match);
	return count;
}

/* The part of the key that holds words [from, to). */
static struct str key_part(const struct place_query *query, size_t from, size_t to)
{
	const char *start = query->words[from].ptr, *end = query->words[to - 1].ptr + query->words[to - 1].len;
	return (struct str){ start, (size_t)(end - start) };
}

/* "paris france", "iran tehran": words at one end name a country. */
static void find_with_country(struct place_query *query)
{
	size_t most = query->word_count - 1 < COUNTRY_WORDS_MAX ? query->word_count - 1 : COUNTRY_WORDS_MAX;
	for (size_t n = 1; n <= most; n++) {
		for (size_t side = 0; side < 2; side++) {
			size_t from = side == 0 ? 0 : n, to = side == 0 ? query->word_count - n : query->word_count;
			struct str name = side == 0 ? key_part(query, to, query->word_count) : key_part(query, 0, n);
			size_t countries[4];
			size_t count = places_country_exact(query->places, name, countries, COUNT_OF(countries));
			for (size_t i = 0; i < count; i++) {
				struct str code = str_from(query->places->countries[countries[i]].code);
				if (query->country.len > 0 && !str_equal(code, query->country))
					continue;
				struct str rest = key_part(query, from, to);
				find_exact(query, rest, code, rest, false, 0);
				find_words(query, from, to, code, rest);
			}
		}
	}
}

/* "paris texas": the first words stand in a name, the others there or in the province's. */
static void find_with_province(struct place_query *query)
{
	for (size_t names = query->word_count - 1; names >= 1; names--) {
		struct buf match;
		buf_init(&match);
		for (size_t i = 0; i < query->word_count; i++)
			add_term(&match, i < names ? "names" : "{names context}", query->words[i],
			         i + 1 == query->word_count);
		add_country_term(&match, query->country);
		size_t count = run_match(query, &match, key_part(query, 0, names));
		buf_release(&match);
		if (count > 0)
			return;
	}
}

/* True if every word of `words` stands in the key, the last one at least as the beginning of a word. */
static bool holds_words(struct str key, struct str words)
{
	struct str word;
	for (bool more = true; more;) {
		more = str_cut(words, ' ', &word, &words);
		bool found = false;
		for (size_t at = str_find(key, word, 0); at != SIZE_MAX && !found; at = str_find(key, word, at + 1)) {
			bool begins = at == 0 || key.ptr[at - 1] == ' ',
			     ends = at + word.len == key.len || key.ptr[at + word.len] == ' ';
			found = begins && (ends || !more);
		}
		if (!found)
			return false;
	}
	return true;
}

/* How well one key fits. The usual name counts for more than what it is called elsewhere. */
static double weigh_name(struct str key, struct str fits, bool usual)
{
	if (str_equal(key, fits))
		return usual ? WEIGHT_EXACT : WEIGHT_EXACT_OTHER;
	if (!str_starts(key, fits))
		return holds_words(key, fits) ? 0.2 : WEIGHT_SCATTERED;
	if (key.ptr[fits.len] == ' ')
		return usual ? 1.8 : 0.5; /* whole first words */
	return usual ? 1.4 : 0.4;
}

/* How well a place's names fit, in powers of ten of population that it outweighs. */
static double weigh_names(struct str keys, struct str fits)
{
	struct str key;
	double best = WEIGHT_SCATTERED;
	bool usual = true;
	for (bool more = true; more; usual = false) {
		more = str_cut(keys, '\n', &key, &keys);
		best = fmax(best, weigh_name(key, fits, usual));
	}
	return best;
}

/* Is one of the candidates surely what was meant: a place of some size that has exactly this name? */
static bool surely_found(struct place_query *query)
{
	sqlite3_stmt *statement = query->connection->statements[STATEMENT_PLACE];
	bool sure = false;
	for (size_t i = 0; i < query->count && !sure; i++) {
		sqlite3_bind_int64(statement, 1, query->candidates[i].rank);
		if (sqlite3_step(statement) == SQLITE_ROW)
			sure = sqlite3_column_int64(statement, 11) >= KNOWN_POPULATION &&
			       weigh_names(places_column(statement, 5), query->candidates[i].fits) >=
			               WEIGHT_EXACT_OTHER;
		sqlite3_reset(statement);
	}
	return sure;
}

static void find_near(struct place_query *query)
{
	struct str near[NEAR_MAX];
	size_t count = places_fuzzy(query->places, query->key, near, NEAR_MAX);
	uint32_t wanted[PLACE_DISTANCE_MAX], other[PLACE_DISTANCE_MAX];
	size_t wanted_count = place_code_points(query->key, wanted, PLACE_DISTANCE_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t other_count = place_code_points(near[i], other, PLACE_DISTANCE_MAX);
		size_t distance = place_distance(wanted, wanted_count, other, other_count, 2);
		find_exact(query, near[i], query->country, near[i], true, distance);
	}
}

struct weighed {
	struct place place;
	double weight;
	int64_t rank;
};

static int compare_weighed(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Sorts, best first, and keeps each place once; returns how many are left. */
static size_t sort_weighed(struct weighed *weighed, size_t count)
{
	qsort(weighed, count, sizeof *weighed, compare_weighed);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		bool again = false;
		for (size_t j = 0; j < kept && !again; j++)
			again = weighed[j].rank == weighed[i].rank;
		if (!again)
			weighed[kept++] = weighed[i];
	}
	return kept;
}

/* Reads what is needed to weigh a candidate; its names for the reader are read only for those that are shown. */
static bool weigh(struct place_query *query, const struct candidate *candidate, struct weighed *out)
{
	sqlite3_stmt *statement = query->connection->statements[STATEMENT_PLACE];
	sqlite3_bind_int64(statement, 1, candidate->rank);
	bool found = sqlite3_step(statement) == SQLITE_ROW;
	if (found) {
		*out = (struct weighed){ .rank = candidate->rank, .place.guess = candidate->guess };
		double population = (double)sqlite3_column_int64(statement, 11);
		out->weight = log10(population + 10) + weigh_names(places_column(statement, 5), candidate->fits);
		if (candidate->guess)
			out->weight += WEIGHT_GUESS + WEIGHT_EDIT * (double)candidate->distance;
	} else if (query->rc == OK) {
		query->rc =
			err_set(query->err, FAILED, "gazetteer: place %lld cannot be read", (long long)candidate->rank);
	}
	sqlite3_reset(statement);
	return found;
}

static void answer(struct place_query *query, const char *language, size_t limit, struct place **found_out,
                   size_t *count_out)
{
	struct weighed *weighed = ARENA_NEW_ARRAY(query->arena, struct weighed, query->count + 1);
	size_t count = 0;
	for (size_t i = 0; i < query->count; i++)
		count += weigh(query, &query->candidates[i], &weighed[count]);
	if (query->rc != OK)
		return;
	count = sort_weighed(weighed, count);
	if (count > limit)
		count = limit;
	struct place *found = ARENA_NEW_ARRAY(query->arena, struct place, count + 1);
	sqlite3_stmt *statement = query->connection->statements[STATEMENT_PLACE];
	for (size_t i = 0; i < count; i++) {
		sqlite3_bind_int64(statement, 1, weighed[i].rank);
		if (sqlite3_step(statement) == SQLITE_ROW)
			places_read_row(query->places, query->connection, query->arena, statement, language, query->key,
			                &found[i], NULL);
		else if (query->rc == OK)
			query->rc = err_set(query->err, FAILED, "gazetteer: %s", sqlite3_errmsg(query->connection->db));
		found[i].guess = weighed[i].place.guess;
		sqlite3_reset(statement);
	}
	if (query->rc != OK)
		return;
	*found_out = found;
	*count_out = count;
}

static void split_words(struct place_query *query)
{
	size_t most = 1;
	for (size_t i = 0; i < query->key.len; i++)
		most += query->key.ptr[i] == ' ';
	query->words = ARENA_NEW_ARRAY(query->arena, struct str, most);
	struct str rest = query->key, word;
	for (bool more = query->key.len > 0; more;) {
		more = str_cut(rest, ' ', &word, &rest);
		query->words[query->word_count++] = word;
	}
}

enum rc place_search(struct places *places, struct arena *arena, struct str text, const char *language,
                     struct str country, size_t limit, struct place **found_out, size_t *count_out, struct err *err)
{
	enum rc rc = places_check_query(text, err);
	if (rc != OK)
		return rc;
	if (country.len > 0 && !country_known(places, country))
		return err_set(err, INVALID, "no such country");
	struct place_query *query = ARENA_NEW(arena, struct place_query);
	*query = (struct place_query){
		.places = places, .arena = arena, .key = place_fold(arena, text), .country = country, .err = err
	};
	split_words(query);
	if (limit > PLACE_LIMIT_MAX)
		limit = PLACE_LIMIT_MAX;
	if (query->word_count == 0 || limit == 0) {
		*found_out = ARENA_NEW(arena, struct place);
		*count_out = 0;
		return OK;
	}
	query->connection = places_take(places);
	find_exact(query, query->key, country, query->key, false, 0);
	find_words(query, 0, query->word_count, country, query->key);
	if (query->word_count > 1)
		find_with_country(query);
	if (query->word_count > 1 && query->count < limit)
		find_with_province(query);
	if (query->count < ENOUGH && !surely_found(query))
		find_near(query);
	answer(query, language, limit, found_out, count_out);
	places_return(places, query->connection);
	return query->rc;
}
