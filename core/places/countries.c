/* Countries: their names in the reader's language (CLDR, through ICU), and finding them by any name. */
#include <stdlib.h>
#include <unicode/ucol.h>
#include <unicode/uldnames.h>
#include <unicode/ustring.h>

#include "core/places/places_internal.h"

#define COUNTRIES_MAX 400
#define ZONES_MAX 64 /* of one country */
#define NAME_UNITS 160

/* CLDR's names in these languages can be typed besides those of iso-codes: they are the usual short ones. */
static const char *const key_languages[] = { "am", "ar", "bn", "cs", "de", "el", "en", "es", "fa", "fr", "ha",     "he",
	                                     "hi", "hu", "id", "it", "ja", "ko", "ms", "nl", "pl", "ps", "pt",     "ro",
	                                     "ru", "so", "sv", "sw", "th", "tr", "uk", "ur", "vi", "zh", "zh_Hant" };

static struct str from_units(struct arena *arena, const UChar *units, int32_t length)
{
	char bytes[NAME_UNITS * 3 + 1];
	int32_t size = 0;
	UErrorCode status = U_ZERO_ERROR;
	u_strToUTF8(bytes, (int32_t)sizeof bytes, &size, units, length, &status);
	return U_FAILURE(status) ? STR_NONE : str_copy(arena, (struct str){ bytes, (size_t)size });
}

static ULocaleDisplayNames *open_names(const char *language, UDisplayContext length)
{
	UDisplayContext contexts[] = { UDISPCTX_STANDARD_NAMES, length };
	UErrorCode status = U_ZERO_ERROR;
	ULocaleDisplayNames *names =
		uldn_openForContext(language != NULL ? language : "en", contexts, (int32_t)COUNT_OF(contexts), &status);
	return U_FAILURE(status) ? NULL : names;
}

/* CLDR's name of a region, or STR_NONE. */
static struct str region_name(struct arena *arena, const ULocaleDisplayNames *names, const char *code)
{
	UChar units[NAME_UNITS];
	UErrorCode status = U_ZERO_ERROR;
	if (names == NULL)
		return STR_NONE;
	int32_t length = uldn_regionDisplayName(names, code, units, NAME_UNITS, &status);
	if (U_FAILURE(status) || length <= 0 || length >= NAME_UNITS)
		return STR_NONE;
	struct str name = from_units(arena, units, length);
	return str_equal(name, str_from(code)) ? STR_NONE : name;
}

/* ---- loading ---- */

static int compare_keys(const void *a, const void *b)
{
	const struct country_key *x = a, *y = b;
	int order = str_compare(x->key, y->key);
	return order != 0 ? order : (int)x->country - (int)y->country;
}

static enum rc load_records(struct places *places, sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc = places_prepare(db, "SELECT code, alpha_3, name, calling, zone FROM country ORDER BY code",
	                            &statement, err);
	places->countries = ARENA_NEW_ARRAY(&places->arena, struct country_record, COUNTRIES_MAX);
	while (rc == OK && sqlite3_step(statement) == SQLITE_ROW) {
		struct str code = places_column(statement, 0), alpha_3 = places_column(statement, 1);
		int64_t zone = sqlite3_column_int64(statement, 4);
		if (places->country_count == COUNTRIES_MAX || code.len != 2 || alpha_3.len > 3 || zone < 0 ||
		    zone > (int64_t)places->zone_count) {
			rc = err_set(err, FAILED, "gazetteer: countries are broken");
			break;
		}
		struct country_record *record = &places->countries[places->country_count++];
		memcpy(record->code, code.ptr, code.len);
		memcpy(record->alpha_3, alpha_3.ptr, alpha_3.len);
		record->english = str_copy(&places->arena, places_column(statement, 2));
		record->calling = str_copy(&places->arena, places_column(statement, 3));
		record->zone = (uint16_t)zone;
	}
	sqlite3_finalize(statement);
	return rc;
}

static enum rc load_country_zones(struct places *places, sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc = places_prepare(db, "SELECT code, zone FROM country_zone ORDER BY code, zone", &statement, err);
	uint16_t *zones = NULL;
	size_t count = 0, capacity = 0, first = 0, country = SIZE_MAX;
	while (rc == OK && sqlite3_step(statement) == SQLITE_ROW) {
		size_t index = places_country(places, places_column(statement, 0));
		int64_t zone = sqlite3_column_int64(statement, 1);
		if (index == SIZE_MAX || zone < 1 || zone > (int64_t)places->zone_count) {
			rc = err_set(err, FAILED, "gazetteer: zones of countries are broken");
			break;
		}
		if (index != country) {
			country = index;
			first = count;
		}
		ARENA_PUSH(&places->arena, zones, count, capacity, (uint16_t)zone);
		places->countries[index].zone_count = count - first;
	}
	sqlite3_finalize(statement);
	/* The array may have moved while it grew: set the slices at the end. */
	size_t at = 0;
	for (size_t i = 0; rc == OK && i < places->country_count; i++) {
		places->countries[i].zones = zones + at;
		at += places->countries[i].zone_count;
	}
	return rc;
}

static void add_key(struct places *places, size_t *capacity, struct str key, size_t country, int64_t languages)
{
	if (key.len == 0)
		return;
	struct country_key added = { key, (uint16_t)country, (uint16_t)languages };
	ARENA_PUSH(&places->arena, places->country_keys, places->country_key_count, *capacity, added);
}

static void add_cldr_keys(struct places *places, size_t *capacity)
{
	struct arena scratch;
	arena_init(&scratch);
	for (size_t l = 0; l < COUNT_OF(key_languages); l++) {
		const UDisplayContext lengths[] = { UDISPCTX_LENGTH_FULL, UDISPCTX_LENGTH_SHORT };
		for (size_t s = 0; s < COUNT_OF(lengths); s++) {
			ULocaleDisplayNames *names = open_names(key_languages[l], lengths[s]);
			for (size_t i = 0; i < places->country_count; i++) {
				struct str name = region_name(&scratch, names, places->countries[i].code);
				if (!str_is_none(name))
					add_key(places, capacity, place_fold(&places->arena, name), i, 1);
			}
			uldn_close(names);
			arena_clear(&scratch);
		}
	}
	arena_release(&scratch);
}

static enum rc load_keys(struct places *places, sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc =
		places_prepare(db, "SELECT key, code, languages FROM country_key ORDER BY key, code", &statement, err);
	size_t capacity = 0;
	while (rc == OK && sqlite3_step(statement) == SQLITE_ROW) {
		size_t index = places_country(places, places_column(statement, 1));
		if (index == SIZE_MAX)
			rc = err_set(err, FAILED, "gazetteer: names of countries are broken");
		else
			add_key(places, &capacity, str_copy(&places->arena, places_column(statement, 0)), index,
			        sqlite3_column_int64(statement, 2));
	}
	sqlite3_finalize(statement);
	if (rc != OK)
		return rc;
	add_cldr_keys(places, &capacity);
	qsort(places->country_keys, places->country_key_count, sizeof *places->country_keys, compare_keys);
	size_t kept = 0;
	for (size_t i = 0; i < places->country_key_count; i++) {
		struct country_key *last = kept > 0 ? &places->country_keys[kept - 1] : NULL;
		if (last == NULL || compare_keys(last, &places->country_keys[i]) != 0)
			places->country_keys[kept++] = places->country_keys[i];
		else
			last->languages = (uint16_t)(last->languages + places->country_keys[i].languages);
	}
	places->country_key_count = kept;
	return OK;
}

enum rc places_load_countries(struct places *places, sqlite3 *db, struct err *err)
{
	enum rc rc = load_records(places, db, err);
	if (rc == OK)
		rc = load_country_zones(places, db, err);
	if (rc == OK)
		rc = load_keys(places, db, err);
	return rc;
}

/* ---- questions ---- */

size_t places_country(const struct places *places, struct str code)
{
	size_t low = 0, high = places->country_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_compare(str_from(places->countries[middle].code), code);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

bool country_known(const struct places *places, struct str code)
{
	return places_country(places, code) != SIZE_MAX;
}

/* The name the overrides give, else CLDR's, else that of iso-codes. `names` may be NULL. */
static struct str shown_name(struct arena *arena, const struct country_record *record, const ULocaleDisplayNames *names,
                             const char *language)
{
	struct str tag = str_from(language != NULL ? language : "en");
	for (size_t i = 0; i < record->shown_count; i++)
		if (str_equal_nocase(record->shown[i].language, tag))
			return record->shown[i].name;
	struct str name = region_name(arena, names, record->code);
	return str_is_none(name) ? record->english : name;
}

static void fill(const struct places *places, struct arena *arena, const struct country_record *record,
                 const ULocaleDisplayNames *names, const char *language, struct country *country)
{
	*country = (struct country){
		.name = shown_name(arena, record, names, language),
		.calling = record->calling,
		.zone = record->zone != 0 ? places->zones[record->zone] : S(""),
		.has_outline = places_finest(record) != NULL,
		.lat = record->lat,
		.lon = record->lon,
		.west = record->west,
		.south = record->south,
		.east = record->east,
		.north = record->north,
	};
	memcpy(country->code, record->code, sizeof country->code);
	memcpy(country->alpha_3, record->alpha_3, sizeof country->alpha_3);
}

enum rc country_find(struct places *places, struct arena *arena, struct str code, const char *language,
                     struct country *country_out, struct err *err)
{
	char upper[2];
	size_t index = SIZE_MAX;
	if (code.len == 2) {
		for (size_t i = 0; i < 2; i++)
			upper[i] = (char)(code.ptr[i] >= 'a' && code.ptr[i] <= 'z' ? code.ptr[i] - 'a' + 'A'
			                                                           : code.ptr[i]);
		index = places_country(places, (struct str){ upper, 2 });
	}
	if (index == SIZE_MAX)
		return err_set(err, NOT_FOUND, "no such country");
	ULocaleDisplayNames *names = open_names(language, UDISPCTX_LENGTH_FULL);
	fill(places, arena, &places->countries[index], names, language, country_out);
	uldn_close(names);
	return OK;
}

struct str country_name(struct places *places, struct arena *arena, struct str code, const char *language)
{
	struct country country;
	return country_find(places, arena, code, language, &country, NULL) == OK ? country.name : str_copy(arena, code);
}

struct sorted_country {
	struct country country;
	uint8_t *key;
};

static int compare_sorted(const void *a, const void *b)
{
	const struct sorted_country *x = a, *y = b;
	int order = strcmp((const char *)x->key, (const char *)y->key);
	return order != 0 ? order : strcmp(x->country.code, y->country.code);
}

/* The collation key of a name; the name itself where ICU has no collator. */
static uint8_t *sort_key(struct arena *arena, const UCollator *collator, struct str name)
{
	UChar units[NAME_UNITS];
	int32_t length = 0;
	UErrorCode status = U_ZERO_ERROR;
	u_strFromUTF8(units, NAME_UNITS, &length, name.ptr, (int32_t)name.len, &status);
	if (collator == NULL || U_FAILURE(status))
		return (uint8_t *)str_c(arena, name);
	int32_t size = ucol_getSortKey(collator, units, length, NULL, 0);
	uint8_t *key = arena_alloc(arena, (size_t)size + 1);
	ucol_getSortKey(collator, units, length, key, size);
	return key;
}

enum rc country_list(struct places *places, struct arena *arena, const char *language, struct country **list_out,
                     size_t *count_out, struct err *err)
{
	UErrorCode status = U_ZERO_ERROR;
	UCollator *collator = ucol_open(language != NULL ? language : "en", &status);
	if (U_FAILURE(status))
		return err_set(err, FAILED, "ICU has no collation: %s", u_errorName(status));
	ULocaleDisplayNames *names = open_names(language, UDISPCTX_LENGTH_FULL);
	size_t count = places->country_count;
	struct sorted_country *sorted = ARENA_NEW_ARRAY(arena, struct sorted_country, count);
	for (size_t i = 0; i < count; i++) {
		fill(places, arena, &places->countries[i], names, language, &sorted[i].country);
		sorted[i].key = sort_key(arena, collator, sorted[i].country.name);
	}
	uldn_close(names);
	ucol_close(collator);
	qsort(sorted, count, sizeof *sorted, compare_sorted);
	struct country *list = ARENA_NEW_ARRAY(arena, struct country, count);
	for (size_t i = 0; i < count; i++)
		list[i] = sorted[i].country;
	*list_out = list;
	*count_out = count;
	return OK;
}

/* ---- search ---- */

/* The first key not below `key`. */
static size_t first_key(const struct places *places, struct str key)
{
	size_t low = 0, high = places->country_key_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (str_compare(places->country_keys[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t places_country_exact(const struct places *places, struct str key, size_t *out, size_t room)
{
	size_t count = 0;
	for (size_t i = first_key(places, key);
	     i < places->country_key_count && str_equal(places->country_keys[i].key, key); i++)
		if (count < room)
			out[count++] = places->country_keys[i].country;
	return count;
}

enum { FIT_EXACT, FIT_BEGINNING, FIT_WORD, FIT_NEAR, FIT_NEARER_END = FIT_NEAR + 2, FIT_NONE };

/* How the key fits the query by its text alone. */
static unsigned fit_of(struct str key, struct str query)
{
	if (str_starts(key, query))
		return key.len == query.len ? FIT_EXACT : FIT_BEGINNING;
	for (size_t at = str_find(key, query, 0); at != SIZE_MAX; at = str_find(key, query, at + 1))
		if (key.ptr[at - 1] == ' ')
			return FIT_WORD;
	return FIT_NONE;
}

struct fit {
	unsigned rank; /* smaller is better; the lowest bit says that it was not in the reader's language or English */
	unsigned languages; /* how many say so */
	struct country country;
};

static int compare_fits(const void *a, const void *b)
{
	const struct fit *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->languages != y->languages && x->rank / 2 == FIT_EXACT)
		return x->languages > y->languages ? -1 : 1;
	int order = str_compare(x->country.name, y->country.name);
	return order != 0 ? order : strcmp(x->country.code, y->country.code);
}

static void take_better(struct fit *fit, unsigned rank, unsigned languages)
{
	if (rank < fit->rank || (rank == fit->rank && languages > fit->languages)) {
		fit->rank = rank;
		fit->languages = languages;
	}
}

static void fit_by_text(const struct places *places, struct str query, struct fit *best)
{
	for (size_t i = 0; i < places->country_key_count; i++) {
		const struct country_key *key = &places->country_keys[i];
		unsigned fit = fit_of(key->key, query);
		if (fit != FIT_NONE)
			take_better(&best[key->country], fit * 2 + 1, key->languages);
	}
}

static void fit_by_distance(const struct places *places, struct str query, struct fit *best)
{
	uint32_t wanted[PLACE_DISTANCE_MAX], key[PLACE_DISTANCE_MAX];
	size_t count = place_code_points(query, wanted, PLACE_DISTANCE_MAX);
	if (count < 4 || count > PLACE_DISTANCE_MAX)
		return;
	size_t most = count <= 5 ? 1 : 2;
	for (size_t i = 0; i < places->country_key_count; i++) {
		size_t length = place_code_points(places->country_keys[i].key, key, PLACE_DISTANCE_MAX);
		size_t distance =
			length <= PLACE_DISTANCE_MAX ? place_distance(wanted, count, key, length, most) : most + 1;
		if (distance <= most)
			take_better(&best[places->country_keys[i].country], (unsigned)(FIT_NEAR + distance - 1) * 2 + 1,
			            places->country_keys[i].languages);
	}
}

/* Every country that fits, best first; `fits` has room for all. */
static size_t collect_fits(struct places *places, struct arena *arena, struct str query, const char *language,
                           struct fit *fits)
{
	for (size_t i = 0; i < places->country_count; i++)
		fits[i].rank = UINT32_MAX;
	fit_by_text(places, query, fits);
	bool any = false;
	for (size_t i = 0; i < places->country_count; i++)
		any = any || fits[i].rank != UINT32_MAX;
	if (!any)
		fit_by_distance(places, query, fits);
	size_t count = 0;
	ULocaleDisplayNames *names = open_names(language, UDISPCTX_LENGTH_FULL);
	for (size_t i = 0; i < places->country_count; i++) {
		if (fits[i].rank == UINT32_MAX)
			continue;
		struct fit fit = fits[i];
		fill(places, arena, &places->countries[i], names, language, &fit.country);
		unsigned own = fit_of(place_fold(arena, fit.country.name), query),
			 english = fit_of(place_fold(arena, places->countries[i].english), query);
		own = own < english ? own : english;
		if (own != FIT_NONE && own * 2 < fit.rank)
			fit.rank = own * 2;
		fit.country.named = fit.rank == FIT_EXACT * 2;
		fit.country.named_abroad = fit.rank == FIT_EXACT * 2 + 1;
		fits[count++] = fit;
	}
	uldn_close(names);
	qsort(fits, count, sizeof *fits, compare_fits);
	return count;
}

enum rc places_check_query(struct str query, struct err *err)
{
	if (query.len > PLACE_QUERY_MAX)
		return err_set(err, INVALID, "query longer than %d bytes", PLACE_QUERY_MAX);
	if (!utf8_valid(query))
		return err_set(err, INVALID, "query is not UTF-8");
	return OK;
}

enum rc country_search(struct places *places, struct arena *arena, struct str query, const char *language, size_t limit,
                       struct country **found_out, size_t *count_out, struct err *err)
{
	enum rc rc = places_check_query(query, err);
	if (rc != OK)
		return rc;
	struct str key = place_fold(arena, query);
	struct fit *fits = ARENA_NEW_ARRAY(arena, struct fit, places->country_count);
	size_t count = key.len == 0 ? 0 : collect_fits(places, arena, key, language, fits);
	if (count > limit)
		count = limit;
	struct country *found = ARENA_NEW_ARRAY(arena, struct country, count + 1);
	for (size_t i = 0; i < count; i++)
		found[i] = fits[i].country;
	*found_out = found;
	*count_out = count;
	return OK;
}
