/* What WHERE is answered with: a person's stays that are not over, in one short text in their language. */
#include <stdlib.h>

#include "desks/travel/trip.h"

#define STAYS_SHOWN 3         /* more would make a text of many parts; the link shows all */
#define STAY_PLACE_SHOWN 40   /* characters */
#define STAY_GRACE_DAYS 1     /* it may still be yesterday where they are */

/* The first characters of a place; whoever typed an essay knows it by its beginning. */
static struct str short_place(struct arena *arena, struct str place)
{
	size_t at = 0;

	if (utf8_length(place) <= STAY_PLACE_SHOWN)
		return place;
	for (size_t i = 0; i < STAY_PLACE_SHOWN; i++)
		utf8_next(place, &at);
	return str_concat(arena, str_slice(place, 0, at), S(".."));
}

static struct str stay_words(struct arena *arena, enum language language, const struct trip_leg *leg)
{
	const bool unsure = leg->from_unsure > 0 || leg->to_unsure > 0;

	return T(arena, language, unsure ? MSG_travel_stay_sms_unsure : MSG_travel_stay_sms, MSG_S("place", short_place(arena, leg->place)),
	         MSG_S("from", text_date(arena, language, leg->from)), MSG_S("to", text_date(arena, language, leg->to)));
}

static int by_first_day(const void *a, const void *b)
{
	const struct trip_leg *one = *(const struct trip_leg *const *)a, *other = *(const struct trip_leg *const *)b;

	if (one->from != other->from)
		return one->from < other->from ? -1 : 1;
	return one->id < other->id ? -1 : one->id > other->id;
}

struct str stays_text(struct house *house, struct db_tx *tx, struct arena *arena, const struct person *person)
{
	const int64_t today = clock_now() / CLOCK_DAY;
	struct str words = STR_NONE;
	struct trip *trips;
	size_t trip_count, count = 0, most = 0;
	struct err err;

	(void)house;
	err_init(&err, arena);
	if (trip_list(tx, arena, person->id, false, &trips, &trip_count, &err) != OK) {
		log_warn("travel.stays", LOGI("person", person->id), LOGS("detail", err.detail));
		return STR_NONE; /* the link alone still tells */
	}
	for (size_t i = 0; i < trip_count; i++)
		most += trips[i].leg_count;
	const struct trip_leg **legs = ARENA_NEW_ARRAY(arena, const struct trip_leg *, most);
	for (size_t i = 0; i < trip_count; i++)
		for (size_t j = 0; j < trips[i].leg_count; j++)
			if (trips[i].legs[j].to + trips[i].legs[j].to_unsure + STAY_GRACE_DAYS >= today)
				legs[count++] = &trips[i].legs[j];
	if (count)
		qsort(legs, count, sizeof *legs, by_first_day);
	for (size_t i = 0; i < count && i < STAYS_SHOWN; i++) {
		const struct str stay = stay_words(arena, person->language, legs[i]);
		words = i ? T(arena, person->language, MSG_travel_stays_join, MSG_S("list", words), MSG_S("stay", stay)) : stay;
	}
	if (count > STAYS_SHOWN) {
		const struct str more = T(arena, person->language, MSG_travel_stays_more, MSG_N("count", count - STAYS_SHOWN));
		words = T(arena, person->language, MSG_travel_stays_join, MSG_S("list", words), MSG_S("stay", more));
	}
	return words;
}
