/* The person's own page. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_MY_H
#define CHANCERY_DESKS_TRAVEL_MY_H

#include "desks/travel/contact_form.h"
#include "desks/travel/trip.h"
#include "desks/travel/watch.h"

/* Whose page it is, by the token in the address; within a transaction. NOT_FOUND: tampered, ended or too old. */
enum rc my_find(struct db_tx *tx, struct request *request, struct person *out, struct err *err);
/* The page that says so and offers a new link; status 404. Any other code: the usual error page. */
void my_refuse(struct request *request, struct response *response, enum rc rc, const struct err *err);
/* 303 to the person's page, with a word of what was done: "?done=KEY". */
void my_done(struct request *request, struct response *response, const char *what);
/* The one-line confirmation that ?done= asks for, or STR_NONE. */
struct str my_notice(const struct request *request);
/* Reads the person of the page's token in a transaction of its own; on failure the response is filled and false returned. */
bool my_open(struct request *request, struct response *response, struct person *out);
/* Starts a page in the reader's language after a form was refused: status 422. */
void form_refused(struct response *response);

/* --- pages/my.html ---------------------------------------------------------------------------------------------- */
struct my_contact {
	const struct contact *contact;
	struct str address;
	bool first, last;
};
struct my_view {
	struct page page;
	struct str token, confirm_token;
	const struct person *person;
	struct my_contact *contacts;
	size_t contact_count;
	bool reachable;          /* at least one usable contact */
	struct trip *trips;
	size_t trip_count;
	struct watch *watches;
	size_t watch_count;
	struct emergency_contact emergency;
	bool has_emergency;
};
void my_page_get(struct request *request, struct response *response);

struct my_gone_view { struct page page; bool deleted; };

#endif
