/* Which of a place's names to show to a reader.
 *
 * GeoNames' alternate names carry no language, so the letters decide: a name is a reader's if it is written wholly
 * in the letters that CLDR lists for the language. Among several the one whose transliteration is nearest to the
 * usual name wins. Cities that name a time zone have their names in every language in CLDR, and those come first. */
#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/udat.h>
#include <unicode/ulocdata.h>
#include <unicode/ustring.h>

#include "core/places/places_internal.h"

#define NAME_UNITS 256   /* UTF-16 units; longer names are not considered */
#define DISTANCE_MOST 12 /* a transliteration farther off than this is all the same to us */

/* UTF-8 to UTF-16; -1 if it does not fit. */
static int32_t to_units(struct str text, UChar *out, int32_t room)
{
	int32_t length = 0;
	UErrorCode status = U_ZERO_ERROR;
	u_strFromUTF8(out, room, &length, text.ptr, (int32_t)text.len, &status);
	return U_FAILURE(status) || length >= room ? -1 : length;
}

static struct str from_units(struct arena *arena, const UChar *units, int32_t length)
{
	char bytes[NAME_UNITS * 3 + 1];
	int32_t size = 0;
	UErrorCode status = U_ZERO_ERROR;
	u_strToUTF8(bytes, (int32_t)sizeof bytes, &size, units, length, &status);
	return U_FAILURE(status) ? STR_NONE : str_copy(arena, (struct str){ bytes, (size_t)size });
}

/* CLDR's letters of the language, frozen; NULL for languages in Latin letters and unknown ones. */
static USet *read_letters(const char *language)
{
	UErrorCode status = U_ZERO_ERROR;
	ULocaleData *data = ulocdata_open(language, &status);
	if (U_FAILURE(status))
		return NULL;
	USet *letters = ulocdata_getExemplarSet(data, NULL, 0, ULOCDATA_ES_STANDARD, &status);
	ulocdata_close(data);
	if (U_FAILURE(status) || letters == NULL)
		return NULL;
	if (status == U_USING_DEFAULT_WARNING || uset_isEmpty(letters) || uset_contains(letters, 'a')) {
		uset_close(letters);
		return NULL;
	}
	uset_freeze(letters);
	return letters;
}

const USet *places_letters(struct places *places, const char *language)
{
	if (language == NULL || strlen(language) >= PLACES_LANGUAGE_TAG)
		return NULL;
	const USet *letters = NULL;
	pthread_mutex_lock(&places->lock);
	size_t i = 0;
	while (i < places->language_count && strcmp(places->languages[i].tag, language) != 0)
		i++;
	if (i == places->language_count && i < PLACES_LANGUAGES) {
		struct places_language *added = &places->languages[places->language_count++];
		memcpy(added->tag, language, strlen(language) + 1);
		added->letters = read_letters(language);
	}
	if (i < places->language_count)
		letters = places->languages[i].letters;
	pthread_mutex_unlock(&places->lock);
	return letters;
}

static bool written_in(const USet *letters, struct str name)
{
	bool any = false;
	for (size_t at = 0; at < name.len;) {
		UChar32 code = (UChar32)utf8_next(name, &at);
		uint32_t category = U_MASK(u_charType(code));
		if (!(category & (U_GC_L_MASK | U_GC_M_MASK)))
			continue;
		if (!uset_contains(letters, u_tolower(code)))
			return false;
		any = true;
	}
	return any;
}

/* How far the name's transliteration is from the usual name. */
static size_t distance_to_usual(struct places_connection *connection, struct arena *arena, struct str name,
                                struct str usual_key)
{
	UErrorCode status = U_ZERO_ERROR;
	if (connection->latin == NULL) {
		static const UChar id[] = u"Any-Latin";
		connection->latin = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
	}
	UChar units[NAME_UNITS];
	int32_t length = to_units(name, units, NAME_UNITS / 4);
	if (U_FAILURE(status) || connection->latin == NULL || length < 0)
		return DISTANCE_MOST + 1;
	int32_t limit = length;
	utrans_transUChars(connection->latin, units, &length, NAME_UNITS, 0, &limit, &status);
	if (U_FAILURE(status))
		return DISTANCE_MOST + 1;
	struct str key = place_fold(arena, from_units(arena, units, length));
	uint32_t a[PLACE_DISTANCE_MAX], b[PLACE_DISTANCE_MAX];
	size_t a_count = place_code_points(key, a, PLACE_DISTANCE_MAX),
	       b_count = place_code_points(usual_key, b, PLACE_DISTANCE_MAX);
	if (a_count > PLACE_DISTANCE_MAX || b_count > PLACE_DISTANCE_MAX)
		return DISTANCE_MOST + 1;
	return place_distance(a, a_count, b, b_count, DISTANCE_MOST);
}

/* Alef, waw and yeh with a hamza or madda on them: written out in Arabic, mostly left out in the languages that
 * borrowed the script. Breaks ties between spellings. */
static size_t count_hamzas(struct str name)
{
	size_t count = 0;
	for (size_t at = 0; at < name.len;) {
		uint32_t code = utf8_next(name, &at);
		count += code >= 0x0622 && code <= 0x0626;
	}
	return count;
}

/* CLDR's name of the city that a zone is named after; STR_NONE if this place is not that city or CLDR has no other
 * name. */
static struct str zone_city(struct arena *arena, struct str ascii, struct str zone, const char *language)
{
	size_t start = zone.len;
	while (start > 0 && zone.ptr[start - 1] != '/')
		start--;
	if (start == 0 || zone.len - start != ascii.len)
		return STR_NONE;
	for (size_t i = 0; i < ascii.len; i++)
		if (ascii.ptr[i] != (zone.ptr[start + i] == '_' ? ' ' : zone.ptr[start + i]))
			return STR_NONE;
	UChar id[64], city[NAME_UNITS];
	static const UChar pattern[] = u"VVV"; /* exemplar city, UTS 35 */
	int32_t id_length = to_units(zone, id, (int32_t)COUNT_OF(id));
	UErrorCode status = U_ZERO_ERROR;
	if (id_length < 0)
		return STR_NONE;
	UDateFormat *format = udat_open(UDAT_PATTERN, UDAT_PATTERN, language, id, id_length, pattern, -1, &status);
	if (U_FAILURE(status))
		return STR_NONE;
	int32_t length = udat_format(format, 0, city, NAME_UNITS, NULL, &status);
	udat_close(format);
	if (U_FAILURE(status) || length >= NAME_UNITS)
		return STR_NONE;
	struct str name = from_units(arena, city, length);
	return str_equal(name, ascii) ? STR_NONE : name;
}

struct str places_local_name(struct places *places, struct places_connection *connection, struct arena *arena,
                             struct str others, struct str ascii, struct str zone, const char *language,
                             struct str query_key)
{
	if (language == NULL || strcmp(language, "en") == 0)
		return STR_NONE;
	struct str city = zone_city(arena, ascii, zone, language);
	if (!str_is_none(city))
		return city;
	const USet *letters = places_letters(places, language);
	if (letters == NULL)
		return STR_NONE;
	struct str best = STR_NONE, usual_key = place_fold(arena, ascii), name;
	size_t best_distance = SIZE_MAX;
	bool arabic = strncmp(language, "ar", 2) == 0;
	for (bool more = others.len > 0; more;) {
		more = str_cut(others, '\n', &name, &others);
		if (!written_in(letters, name))
			continue;
		size_t distance = 0; /* as typed: nothing is nearer */
		if (str_is_none(query_key) || !str_equal(place_fold(arena, name), query_key))
			distance = 1 + distance_to_usual(connection, arena, name, usual_key);
		distance = distance * 256 + (arabic ? 8 - (count_hamzas(name) & 7) : count_hamzas(name) & 7);
		if (distance < best_distance || (distance == best_distance && name.len < best.len)) {
			best = name;
			best_distance = distance;
		}
	}
	return str_copy(arena, best);
}
