/* The person's own page. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_MY_H
#define CHANCERY_DESKS_TRAVEL_MY_H

#include "desks/travel/contact_form.h"
#include "desks/travel/push.h"
#include "desks/travel/trip.h"
#include "desks/travel/watch.h"

/* Whose page it is, by the token in the address; within a transaction. NOT_FOUND: tampered, ended or too old. */
enum rc my_find(struct db_tx *tx, struct request *request, struct person *out, struct err *err);
/* The page that says so and offers a new link; status 404. Any other code: the usual error page. */
void my_refuse(struct request *request, struct response *response, enum rc rc, const struct err *err);
/* 303 to the person's page, with a word of what was done: "?done=KEY". */
void my_done(struct request *request, struct response *response, const char *what);
/* The person's page with errors, by the page's own token. */
void my_show(struct request *request, struct response *response, const struct err *errors, int status);
/* The one-line confirmation that ?done= asks for, or STR_NONE. */
struct str my_notice(const struct request *request);
/* Reads the person of the page's token in a transaction of its own; on failure the response is filled and false returned. */
bool my_open(struct request *request, struct response *response, struct person *out);

/* --- pages/my.html ---------------------------------------------------------------------------------------------- */
struct my_contact {
	const struct contact *contact;
	struct str address;
	bool first, last;
};
struct my_alert {
	struct str public_id, headline;
	int64_t sent_at;
	bool exercise;
	const char *css;
	enum msg answer;
	struct str answer_path; /* while it is in force; empty: no more answers */
};
#define MY_ALERTS_MAX 50
struct my_view {
	struct page page;
	struct str token, confirm_token;
	const struct person *person;
	struct my_contact *contacts;
	size_t contact_count;
	bool reachable;          /* at least one usable contact */
	bool open;               /* at least one contact to confirm */
	struct my_alert *alerts; /* that touched the person, newest first */
	size_t alert_count;
	struct trip *trips;
	size_t trip_count;
	struct watch *watches;
	size_t watch_count;
	struct emergency_contact emergency;
	bool has_emergency;
	struct push_offer push;
};
void my_page_get(struct request *request, struct response *response);

struct my_gone_view { struct page page; };
/* By a code: the address, the code, and which record if several have the address. */
struct my_ask_view { struct page page; struct str address; struct phone_form phone; };
struct my_code_view { struct page page; struct str token, typed; };
struct my_record { const struct person *person; struct str token; };
struct my_choose_view { struct page page; struct my_record *records; size_t record_count; };
void my_ask_get(struct request *request, struct response *response);
void my_ask_post(struct request *request, struct response *response);
void my_code_get(struct request *request, struct response *response);
void my_code_post(struct request *request, struct response *response);
void my_choose_get(struct request *request, struct response *response);

/* --- pages/my_change.html --------------------------------------------------------------------------------------- */
struct my_me_view { struct page page; struct str token, name; struct choice *languages; };
struct my_contact_view { struct page page; struct str token, email; struct phone_form mobile; };
struct my_emergency_view { struct page page; struct str token; struct emergency_form form; bool has; };
void my_me_get(struct request *request, struct response *response);
void my_me_post(struct request *request, struct response *response);
void my_contact_get(struct request *request, struct response *response);
void my_contact_post(struct request *request, struct response *response);
void my_contact_act_post(struct request *request, struct response *response);
void my_emergency_get(struct request *request, struct response *response);
void my_emergency_post(struct request *request, struct response *response);
void my_links_post(struct request *request, struct response *response);

/* --- pages/my_data.html ----------------------------------------------------------------------------------------- */
struct my_delete_view { struct page page; struct str token; size_t trips, watches, contacts; };
void my_export_get(struct request *request, struct response *response);
void my_delete_get(struct request *request, struct response *response);
void my_delete_post(struct request *request, struct response *response);
void my_deleted_get(struct request *request, struct response *response);

/* --- pages/unsubscribe.html ------------------------------------------------------------------------------------- */
struct unsubscribe_view { struct page page; struct str token, address; bool out, push; };
void unsubscribe_get(struct request *request, struct response *response);
void unsubscribe_post(struct request *request, struct response *response);
void unsubscribe_undo_post(struct request *request, struct response *response);

#endif
