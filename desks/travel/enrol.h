/* Enrolment without an account, and the codes that confirm it. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_ENROL_H
#define CHANCERY_DESKS_TRAVEL_ENROL_H

#include "desks/travel/contact_form.h"
#include "desks/travel/push.h"
#include "desks/travel/trip.h"
#include "desks/travel/watch.h"

/* --- pages/enrol.html ------------------------------------------------------------------------------------------- */
struct enrol_view {
	struct page page;
	struct str name, email, first;
	struct phone_form mobile;
	struct choice *languages, *order;
	struct trip_form trip;
	struct watch_form watch;
	struct emergency_form emergency;
	bool emergency_open, watch_open;
	struct push_offer push;
};
#define ENROL_ORDER_COUNT 2
void enrol_get(struct request *request, struct response *response);
void enrol_post(struct request *request, struct response *response);

/* Erases enrolments by web that nobody confirmed within travel.unconfirmed_days, unless an alert in force or an open case holds them; a job. */
void unconfirmed_remove(struct house *house);
/* How many were, for /metrics. */
void unconfirmed_metrics(struct house *house, struct buf *out);

/* --- pages/confirm.html ----------------------------------------------------------------------------------------- */
struct confirm_contact {
	const struct contact *contact;
	struct str address;       /* as shown */
	bool sent;                /* a code is on its way */
	struct str typed;
};
struct confirm_view {
	struct page page;
	struct str token, my_token;
	struct confirm_contact *contacts;
	size_t contact_count, confirmed;
	struct trip *trips;
	size_t trip_count;
	struct watch *watches;
	size_t watch_count;
};
void confirm_get(struct request *request, struct response *response);
void confirm_post(struct request *request, struct response *response);
void confirm_send_post(struct request *request, struct response *response);

#define CONFIRM_SEND_PAUSE (30 * CLOCK_SECOND) /* a second code within it is the same button pressed twice */

/* Makes a code for a contact and queues the message with it, in the caller's transaction. BUSY with *retry_after: not now. */
enum rc confirm_send(struct db_tx *tx, struct house *house, struct arena *arena, const struct person *person, const struct contact *contact,
                     uint64_t source, int64_t now, int64_t *retry_after, struct err *err);
/* Queues a message with a code that was made. It goes to a contact that ended too: who types the code brings it back. */
enum rc code_message(struct db_tx *tx, struct house *house, struct arena *arena, enum language language, const struct contact *contact,
                     struct str digits, int64_t now, struct err *err);
/* Must it be confirmed (again) by a code before alerts go to it? A browser confirms itself, and one that ended never comes back. */
static inline bool contact_is_open(const struct contact *contact)
{
	return contact->channel != CHANNEL_PUSH && (!contact->confirmed || contact->ended);
}
/* Digits of any script, without the blanks and dashes that people put between. */
struct str code_digits(struct arena *arena, struct str typed);
/* An address as it is shown: numbers in groups; of a browser the service's host, for the rest of it is secret. */
struct str contact_display(struct arena *arena, const struct contact *contact);

#endif
