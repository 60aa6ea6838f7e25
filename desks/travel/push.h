/* Notifications in browsers: the block of a form that offers them, and what browsers post. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_PUSH_H
#define CHANCERY_DESKS_TRAVEL_PUSH_H

#include "core/people/people.h"
#include "kernel/http/http.h"

#define PUSH_KNOWN_END 16 /* letters at the end of an endpoint by which a browser finds itself; far too few to post to it */

struct push_offer {
	struct str key;   /* the installation's public key; empty: web push is not set up, nothing is offered */
	struct str known; /* ends of the endpoints that the person has */
	struct str endpoint, point, secret; /* what a form came with */
	bool sends;       /* the form is sent as soon as the browser has subscribed */
};

/* `person` NULL: nobody yet. Sets page->script where something is offered. */
void push_offer_fill(struct request *request, const struct person *person, struct page *page, struct push_offer *out);
/* The fields of a form: OK with *given false when they are empty. INVALID with a field error when they are no subscription that we may use. */
enum rc push_form_read(struct request *request, struct push_subscription *out, bool *given, struct err *err);

void my_push_post(struct request *request, struct response *response);
void push_renew_post(struct request *request, struct response *response);
void push_worker_get(struct request *request, struct response *response);
/* response_page.c: an answer by a notification's button. */
void answer_push_post(struct request *request, struct response *response);

#endif
