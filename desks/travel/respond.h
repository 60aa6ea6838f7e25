/* Answers that the room's pages share. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_RESPOND_H
#define CHANCERY_DESKS_TRAVEL_RESPOND_H

#include "kernel/http/http.h"

/* The error page of a code; a budget that is used up is 429. */
void respond_error(struct request *request, struct response *response, enum rc rc, const struct err *err);
/* What stands behind the last slash of a link. */
struct str link_token(struct str path);
/* The host of the public URL, without a port. */
struct str public_host(const struct house *house);

#endif
