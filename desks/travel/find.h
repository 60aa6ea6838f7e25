/* Looking a place or country up, and the public page of a country. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_FIND_H
#define CHANCERY_DESKS_TRAVEL_FIND_H

#include "desks/travel/alert.h"
#include "desks/travel/where.h"
#include "kernel/http/http.h"

#define FIND_PLACES_MAX 10
#define FIND_COUNTRIES_MAX 5

struct find_place {
	const struct place *place;
	struct str name, code;
	bool guess;
};
struct find_view {
	struct page page;
	struct str query;
	bool asked, too_long;
	struct country *countries;      /* found; without a question: all */
	size_t country_count;
	struct find_place *places;
	size_t place_count;
	struct str attribution;
};
void find_get(struct request *request, struct response *response);

struct country_view {
	struct page page;
	struct country country;
	struct str code;
	struct alert_public *alerts;    /* in force, that touch it */
	size_t alert_count;
	struct str attribution;
};
void country_get(struct request *request, struct response *response);
void country_map_get(struct request *request, struct response *response);

#endif
