/* Where people say they are, found in the gazetteer. */
#include "desks/travel/where.h"

#define NEAR_METRES 100000.0 /* farther places say nothing about a coordinate */

static const char *tag(enum language language)
{
	return languages[language].tag;
}

struct str where_place_name(struct places *places, struct arena *arena, enum language language, const struct place *place)
{
	const struct str country = country_name(places, arena, str_from(place->country), tag(language));
	const char *comma = languages[language].right_to_left ? "،" : ",";
	struct str name = place->name;

	/* The usual name beside it where another script is shown: names in the gazetteer carry no language. */
	if (!str_equal(place->name, place->usual_name) && languages[language].right_to_left)
		name = str_format(arena, "%.*s (%.*s)", STR_ARG(place->name), STR_ARG(place->usual_name));
	if (place->admin.len && !str_equal(place->admin, place->name))
		return str_format(arena, "%.*s%s %.*s%s %.*s", STR_ARG(name), comma, STR_ARG(place->admin), comma, STR_ARG(country));
	return str_format(arena, "%.*s%s %.*s", STR_ARG(name), comma, STR_ARG(country));
}

static struct where from_place(struct places *places, struct arena *arena, enum language language, const struct place *place)
{
	return (struct where){
		.kind = LEG_POINT,
		.place_id = place->id,
		.name = where_place_name(places, arena, language, place),
		.latitude = place->lat,
		.longitude = place->lon,
		.country = str_copy(arena, str_from(place->country)),
		.zone = place->zone,
	};
}

static struct where from_country(struct arena *arena, const struct country *country)
{
	return (struct where){
		.kind = LEG_COUNTRY,
		.place_id = DB_NULL,
		.name = country->name,
		.latitude = country->lat,
		.longitude = country->lon,
		.country = str_copy(arena, str_from(country->code)),
		.zone = country->zone.len ? country->zone : S("UTC"),
	};
}

enum rc where_coordinates(struct places *places, struct arena *arena, enum language language, double latitude, double longitude,
                          struct where *out, struct err *err)
{
	const struct str shown = str_format(arena, "%.4f, %.4f", latitude, longitude);
	char code[3] = "";
	struct place near;
	double metres;

	place_country_at(places, latitude, longitude, code);
	const struct str country = str_copy(arena, str_from(code));
	enum rc rc = place_nearest(places, arena, latitude, longitude, country, tag(language), &near, &metres, err);
	if (rc != OK && rc != NOT_FOUND)
		return rc;
	const struct str zone = rc == OK ? near.zone : place_zone_at(places, latitude, longitude, country);
	*out = (struct where){
		.kind = LEG_POINT,
		.place_id = DB_NULL,
		.name = rc == OK && metres <= NEAR_METRES
		            ? T(arena, language, MSG_travel_near_place, MSG_S("coordinates", shown),
		                MSG_S("place", where_place_name(places, arena, language, &near)))
		            : shown,
		.latitude = latitude,
		.longitude = longitude,
		.country = country,
		.zone = str_is_none(zone) ? S("UTC") : zone,
	};
	return OK;
}

enum rc where_country(struct places *places, struct arena *arena, enum language language, struct str code, struct where *out, struct err *err)
{
	struct country country;

	enum rc rc = country_find(places, arena, code, tag(language), &country, err);
	if (rc == OK)
		*out = from_country(arena, &country);
	return rc;
}

/* A choice is "p" and a place's id, or "c" and a country's code. */
static enum rc from_choice(struct places *places, struct arena *arena, enum language language, struct str choice, struct where *out,
                           struct err *err)
{
	struct place place;
	int64_t id;

	if (str_starts(choice, S("p")) && str_to_int(str_slice(choice, 1, choice.len), &id)) {
		enum rc rc = place_find(places, arena, id, tag(language), &place, err);
		if (rc == OK)
			*out = from_place(places, arena, language, &place);
		return rc;
	}
	return str_starts(choice, S("c")) ? where_country(places, arena, language, str_slice(choice, 1, choice.len), out, err) : NOT_FOUND;
}

static bool is_named(const struct place *place, struct str text)
{
	return str_equal_nocase(place->name, text) || str_equal_nocase(place->usual_name, text);
}

struct found {
	struct place *places;
	size_t place_count, sure; /* sure: how many of them are no guesses; they come first */
	struct country *countries;
	size_t country_count;
	bool country_named; /* the first country has exactly the name typed, in the reader's language or English ... */
	bool country_named_abroad; /* ... or in some other language, where a town may well be called so too */
};

static enum rc search(struct places *places, struct arena *arena, enum language language, struct str text, struct found *found, struct err *err)
{
	enum rc rc = place_search(places, arena, text, tag(language), STR_NONE, WHERE_CHOICES_MAX - 1, &found->places, &found->place_count, err);
	if (rc == OK)
		rc = country_search(places, arena, text, tag(language), 1, &found->countries, &found->country_count, err);
	if (rc != OK)
		return rc;
	while (found->sure < found->place_count && !found->places[found->sure].guess)
		found->sure++;
	found->country_named = found->country_count > 0 &&
	                       (found->countries[0].named || str_equal_nocase(str_from(found->countries[0].code), text));
	found->country_named_abroad = found->country_count > 0 && found->countries[0].named_abroad;
	return OK;
}

/* True when the first place is what was meant beyond reasonable doubt. */
static bool first_is_clear(const struct found *found, struct str text)
{
	if (!found->sure || found->country_named || (found->country_named_abroad && !is_named(&found->places[0], text)))
		return false;
	if (found->sure == 1)
		return true;
	/* Several have the name, or a name that begins so: the first must have it exactly and dwarf all others that have it. */
	if (!is_named(&found->places[0], text))
		return false;
	for (size_t i = 1; i < found->sure; i++)
		if (is_named(&found->places[i], text) && found->places[i].population * WHERE_CLEAR_FACTOR > found->places[0].population)
			return false;
	return true;
}

/* True when the country is what was meant: it is called so, and no large town is. */
static bool country_is_clear(const struct found *found, struct str text, bool country_first)
{
	if (!found->country_named)
		return false;
	for (size_t i = 0; i < found->sure && !country_first; i++)
		if (is_named(&found->places[i], text) && found->places[i].population >= WHERE_TOWN)
			return false;
	return true;
}

enum rc where_read_in(struct places *places, struct arena *arena, enum language language, struct str text, struct str country,
                      enum where_answer *answer, struct where *out, struct err *err)
{
	struct found found = { 0 };

	*answer = WHERE_NOTHING;
	if (text.len > PLACE_QUERY_MAX)
		return OK;
	enum rc rc = place_search(places, arena, text, tag(language), country, WHERE_CHOICES_MAX, &found.places, &found.place_count, err);
	if (rc != OK)
		return rc;
	while (found.sure < found.place_count && !found.places[found.sure].guess)
		found.sure++;
	if (first_is_clear(&found, text)) {
		*out = from_place(places, arena, language, &found.places[0]);
		*answer = WHERE_FOUND;
	} else if (found.sure) {
		*answer = WHERE_CHOOSE;
	} else if (found.place_count) {
		*answer = WHERE_GUESS;
	}
	return OK;
}

static void list_choices(struct places *places, struct arena *arena, enum language language, const struct found *found, bool sure,
                         struct choice **choices, size_t *choice_count)
{
	const size_t places_shown = sure ? found->sure : found->place_count;
	struct choice *options = ARENA_NEW_ARRAY(arena, struct choice, found->place_count + 1);
	size_t count = 0;

	/* A country whose name only begins so is offered last, so that 'Iran' is at hand for who types 'Ira'. */
	if (found->country_named)
		options[count++] = (struct choice){
			.value = str_format(arena, "c%s", found->countries[0].code),
			.text = T(arena, language, MSG_travel_somewhere_in, MSG_S("country", found->countries[0].name)),
		};
	for (size_t i = 0; i < places_shown; i++)
		options[count++] = (struct choice){
			.value = str_format(arena, "p%lld", (long long)found->places[i].id),
			.text = where_place_name(places, arena, language, &found->places[i]),
		};
	if (found->country_count && !found->country_named)
		options[count++] = (struct choice){
			.value = str_format(arena, "c%s", found->countries[0].code),
			.text = T(arena, language, MSG_travel_somewhere_in, MSG_S("country", found->countries[0].name)),
		};
	*choices = options;
	*choice_count = count;
}

enum rc where_read(struct places *places, struct arena *arena, enum language language, struct str text, struct str choice,
                   bool country_first, enum where_answer *answer, struct where *out, struct choice **choices, size_t *choice_count, struct err *err)
{
	double latitude, longitude;
	struct found found = { 0 };
	const struct str trimmed = str_trim(text);

	*choice_count = 0;
	switch (coordinates_read(arena, trimmed, &latitude, &longitude)) {
	case COORDINATES_OUT_OF_RANGE:
		*answer = WHERE_OUT_OF_RANGE;
		return OK;
	case COORDINATES_READ:
		*answer = WHERE_FOUND;
		return where_coordinates(places, arena, language, latitude, longitude, out, err);
	case COORDINATES_NONE:
		break;
	}
	if (!str_is_empty(choice)) {
		enum rc rc = from_choice(places, arena, language, choice, out, err);
		if (rc == OK)
			*answer = WHERE_FOUND;
		if (rc != NOT_FOUND)
			return rc;
	}
	enum rc rc = trimmed.len > PLACE_QUERY_MAX ? OK : search(places, arena, language, trimmed, &found, err);
	if (rc != OK)
		return rc;
	list_choices(places, arena, language, &found, found.sure > 0, choices, choice_count);
	if (country_is_clear(&found, trimmed, country_first)) {
		*out = from_country(arena, &found.countries[0]);
		*answer = WHERE_FOUND;
	} else if (first_is_clear(&found, trimmed)) {
		*out = from_place(places, arena, language, &found.places[0]);
		*answer = WHERE_FOUND;
	} else if (found.sure || found.country_named) {
		*answer = WHERE_CHOOSE;
	} else {
		*answer = *choice_count ? WHERE_GUESS : WHERE_NOTHING;
	}
	return OK;
}
