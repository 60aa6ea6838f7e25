/* Importing trips: one line a stay; lines with the same person and trip are stays of one trip. */
#include "desks/travel/trip.h"
#include "kernel/desk/desk.h"

#include "travel_sql.h"

#define ID_MAX 200          /* bytes */
#define PLACES_KEPT 20000   /* names looked up once an import, then forgotten and begun anew */

enum column {
	COLUMN_PERSON, COLUMN_FROM, COLUMN_TO, COLUMN_TRIP, COLUMN_PLACE, COLUMN_LATITUDE, COLUMN_LONGITUDE, COLUMN_COUNTRY, COLUMN_FROM_UNSURE,
	COLUMN_TO_UNSURE, COLUMN_COMPANIONS, COLUMN_RADIUS, COLUMN_COUNT,
};
static const char *const columns[COLUMN_COUNT] = { "person_id", "from", "to", "trip_id", "place", "latitude", "longitude", "country", "from_unsure",
	                                           "to_unsure", "companions", "radius_km" };

struct row {
	struct str person, trip; /* ids of the source; trip empty: a trip of its own */
	struct trip_leg leg;
	int64_t companions;
};

struct seen_place {
	struct where where;
	enum where_answer answer;
};

struct context {
	struct house *house;
	struct arena arena;      /* of the places */
	struct map places;
	/* The trip of the line before: lines of one trip mostly stand together. */
	struct str person, trip;
	char buffer[2 * ID_MAX];
	int64_t person_id, trip_id, legs;
};

/* --- reading ---------------------------------------------------------------------------------------------------- */

static enum rc read_number(struct str text, const char *name, int64_t least, int64_t most, int64_t initial, int64_t *out, struct err *err)
{
	*out = initial;
	if (!text.len || (str_to_int(text, out) && *out >= least && *out <= most))
		return OK;
	return err_set(err, INVALID, "%s: must be a number from %lld to %lld", name, (long long)least, (long long)most);
}

static enum rc read_day(struct str text, const char *name, int64_t *out, struct err *err)
{
	if (date_parse(text, out) || text_read_date(text, LANGUAGE_EN, out))
		return OK;
	return err_set(err, INVALID, "%s: '%.*s' is no day; write YYYY-MM-DD", name, (int)(text.len < 30 ? text.len : 30), text.ptr ? text.ptr : "");
}

/* A place by name, with or without a country; each name is looked up once. */
static enum rc find_named(struct context *context, struct arena *arena, struct str place, struct str country, struct where *out, struct err *err)
{
	static const char *const why[] = { [WHERE_CHOOSE] = "several places are called so", [WHERE_GUESS] = "no place is called so",
		                           [WHERE_NOTHING] = "no place is called so", [WHERE_OUT_OF_RANGE] = "coordinates out of range" };
	const struct str key = str_format(arena, "%.*s\n%.*s", STR_ARG(country), STR_ARG(place));
	struct places *places = travel_places(context->house);
	struct seen_place *seen = map_get(&context->places, key);

	if (!seen) {
		struct choice *choices;
		size_t count;
		if (context->places.count >= PLACES_KEPT) {
			arena_clear(&context->arena);
			map_init(&context->places, &context->arena);
		}
		seen = ARENA_NEW(&context->arena, struct seen_place);
		enum rc rc = country.len ? where_read_in(places, &context->arena, LANGUAGE_EN, place, country, &seen->answer, &seen->where, err)
		                         : where_read(places, &context->arena, LANGUAGE_EN, place, STR_NONE, false, &seen->answer, &seen->where,
		                                      &choices, &count, err);
		if (rc != OK)
			return rc;
		map_set(&context->places, key, seen);
	}
	if (seen->answer != WHERE_FOUND)
		return err_set(err, INVALID, "place: '%.*s': %s", (int)(place.len < 60 ? place.len : 60), place.ptr, why[seen->answer]);
	*out = seen->where;
	return OK;
}

static enum rc read_place(struct context *context, struct arena *arena, const struct str *values, struct where *out, struct err *err)
{
	struct places *places = travel_places(context->house);
	const struct str country = values[COLUMN_COUNTRY], latitude_text = values[COLUMN_LATITUDE], longitude_text = values[COLUMN_LONGITUDE];
	double latitude, longitude;

	if (country.len && !country_known(places, country))
		return err_set(err, INVALID, "country: '%.*s' is no ISO 3166-1 code", (int)(country.len < 10 ? country.len : 10), country.ptr);
	if (latitude_text.len || longitude_text.len) {
		if (!str_to_double(latitude_text, &latitude) || !str_to_double(longitude_text, &longitude) || !(latitude >= -90 && latitude <= 90) ||
		    !(longitude >= -180 && longitude <= 180))
			return err_set(err, INVALID, "latitude, longitude: must be decimal degrees");
		enum rc rc = where_coordinates(places, arena, LANGUAGE_EN, latitude, longitude, out, err);
		/* A name that comes along is shown, not looked up. */
		if (rc == OK && values[COLUMN_PLACE].len)
			out->name = str_copy(arena, values[COLUMN_PLACE]);
		return rc;
	}
	if (values[COLUMN_PLACE].len)
		return find_named(context, arena, values[COLUMN_PLACE], country, out, err);
	if (country.len)
		return where_country(places, arena, LANGUAGE_EN, country, out, err);
	return err_set(err, INVALID, "place: there must be a place, coordinates or a country");
}

static enum rc read_days(struct arena *arena, const struct str *values, struct trip_leg *leg, struct err *err)
{
	(void)arena;
	enum rc rc = read_day(values[COLUMN_FROM], "from", &leg->from, err);
	if (rc == OK)
		rc = read_day(values[COLUMN_TO], "to", &leg->to, err);
	if (rc == OK && leg->to < leg->from)
		rc = err_set(err, INVALID, "to: comes before from");
	if (rc == OK && leg->to - leg->from > LEG_DAYS_MAX)
		rc = err_set(err, INVALID, "to: a stay is at most %d days long", LEG_DAYS_MAX);
	if (rc == OK)
		rc = read_number(values[COLUMN_FROM_UNSURE], "from_unsure", 0, LEG_UNSURE_MAX, 0, &leg->from_unsure, err);
	return rc == OK ? read_number(values[COLUMN_TO_UNSURE], "to_unsure", 0, LEG_UNSURE_MAX, 0, &leg->to_unsure, err) : rc;
}

static enum rc read_row(void *data, struct arena *arena, const struct str *values, void *row_data, struct err *err)
{
	struct context *context = data;
	struct row *row = row_data;
	struct where where;
	int64_t kilometres = 0;

	if (!values[COLUMN_PERSON].len || values[COLUMN_PERSON].len > ID_MAX || values[COLUMN_TRIP].len > ID_MAX)
		return err_set(err, INVALID, "person_id, trip_id: must have 1 to %d bytes", ID_MAX);
	row->person = str_copy(arena, values[COLUMN_PERSON]);
	row->trip = values[COLUMN_TRIP].len ? str_copy(arena, values[COLUMN_TRIP]) : S("");
	enum rc rc = read_place(context, arena, values, &where, err);
	if (rc == OK)
		rc = read_days(arena, values, &row->leg, err);
	if (rc == OK)
		rc = read_number(values[COLUMN_COMPANIONS], "companions", 0, TRIP_COMPANIONS_MAX, 0, &row->companions, err);
	if (rc == OK)
		rc = read_number(values[COLUMN_RADIUS], "radius_km", 0, LEG_RADIUS_MAX_KM, 0, &kilometres, err);
	if (rc != OK)
		return rc;
	row->leg.kind = where.kind == LEG_POINT && kilometres ? LEG_DISC : where.kind;
	row->leg.radius = row->leg.kind == LEG_DISC ? kilometres * 1000 : 0;
	row->leg.place_id = where.place_id;
	row->leg.place = str_copy(arena, where.name);
	row->leg.latitude = where.latitude;
	row->leg.longitude = where.longitude;
	row->leg.country = str_copy(arena, where.country);
	row->leg.zone = str_copy(arena, where.zone);
	return leg_set_times(travel_places(context->house), &row->leg, err);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static void remember(struct context *context, const struct row *row)
{
	memcpy(context->buffer, row->person.ptr, row->person.len);
	context->person = (struct str){ context->buffer, row->person.len };
	memcpy(context->buffer + ID_MAX, row->trip.ptr, row->trip.len);
	context->trip = (struct str){ context->buffer + ID_MAX, row->trip.len };
}

static enum rc find_person(struct db_tx *tx, struct context *context, struct arena *arena, const struct row *row, int64_t *person_id, struct err *err)
{
	if (context->person_id && str_equal(context->person, row->person)) {
		*person_id = context->person_id;
		return OK;
	}
	enum rc rc = person_id_find_imported(tx, arena, row->person, person_id, err);
	if (rc == NOT_FOUND)
		return err_set(err, rc, "person_id: nobody with '%.*s' is here", STR_ARG(row->person));
	return rc == CONFLICT ? err_set(err, rc, "person_id: several people have '%.*s'", STR_ARG(row->person)) : rc;
}

/* Adds the stay to the trip that the import has brought already. NOT_FOUND: there is none yet. */
static enum rc add_to_trip(struct db_tx *tx, struct context *context, struct arena *arena, int64_t batch_id, const struct row *row,
                           struct trip *trip, struct err *err)
{
	if (!row->trip.len)
		return NOT_FOUND;
	if (!context->trip_id || !str_equal(context->person, row->person) || !str_equal(context->trip, row->trip)) {
		const struct import_trip_find_args args = { .person_id = trip->person_id, .external_id = row->trip, .batch_id = batch_id };
		struct import_trip_find_row found;
		enum rc rc = import_trip_find(tx, arena, &args, &found, err);
		if (rc != OK)
			return rc;
		context->trip_id = found.id;
		context->legs = found.legs;
	}
	if (context->legs >= TRIP_LEGS_MAX)
		return err_set(err, CONFLICT, "trip_id: a trip has at most %d stays", TRIP_LEGS_MAX);
	trip->id = context->trip_id;
	enum rc rc = trip_write_leg(tx, arena, trip, 0, (size_t)context->legs, err);
	if (rc == OK)
		context->legs++;
	return rc;
}

static enum rc write_row(struct db_tx *tx, void *data, struct arena *arena, int64_t batch_id, const void *row_data, int64_t now, struct err *err)
{
	struct context *context = data;
	const struct row *row = row_data;
	struct trip_leg leg = row->leg;
	struct trip trip;

	trip_init(&trip);
	trip.external_id = row->trip.len ? row->trip : STR_NONE;
	trip.companions = row->companions;
	trip.legs = &leg;
	trip.leg_count = 1;
	trip.batch_id = batch_id;
	enum rc rc = find_person(tx, context, arena, row, &trip.person_id, err);
	if (rc != OK)
		return rc;
	rc = add_to_trip(tx, context, arena, batch_id, row, &trip, err);
	if (rc == NOT_FOUND) {
		rc = trip_write(tx, arena, &trip, STR_NONE, now, err);
		context->trip_id = trip.id;
		context->legs = 1;
	}
	if (rc == OK) {
		context->person_id = trip.person_id;
		remember(context, row);
	}
	return rc;
}

/* A transaction that is run again begins without memory of the one before. */
static void forget(void *data)
{
	struct context *context = data;
	context->person_id = context->trip_id = context->legs = 0;
	context->person = context->trip = STR_NONE;
}

static enum rc discard_rows(struct db_tx *tx, int64_t batch_id, int64_t most, int64_t *removed, struct err *err)
{
	int64_t legs = 0, trips = 0;

	enum rc rc = import_leg_remove(tx, &(struct import_leg_remove_args){ .batch_id = batch_id, .most = most }, &legs, err);
	if (rc == OK && !legs)
		rc = import_trip_remove(tx, &(struct import_trip_remove_args){ .batch_id = batch_id, .most = most }, &trips, err);
	if (rc == OK)
		*removed = legs + trips;
	return rc;
}

static const struct import_kind kind = {
	.name = "trips",
	.columns = columns,
	.column_count = COLUMN_COUNT,
	.required = COLUMN_TRIP,
	.row_size = sizeof(struct row),
	.begin = forget,
	.read = read_row,
	.write = write_row,
	.discard = discard_rows,
};

enum rc trips_import(struct house *house, struct arena *arena, int file, const struct import_options *options, struct import_result *result,
                     struct err *err)
{
	struct context *context = ARENA_NEW(arena, struct context);

	context->house = house;
	arena_init(&context->arena);
	map_init(&context->places, &context->arena);
	enum rc rc = import_lines(house, arena, file, &kind, context, options, result, err);
	arena_release(&context->arena);
	return rc;
}
