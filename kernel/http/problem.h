/* The page that says what is wrong. Private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_PROBLEM_H
#define CHANCERY_KERNEL_HTTP_PROBLEM_H

#include "kernel/html/html.h"
#include "kernel/http/http.h"

struct problem_view {
	struct page page;
	struct str text; /* what to do */
};

/* Writes the page into the response's body, in the reader's language. Touches no store. */
void problem_write(struct request *request, struct response *response, enum problem problem, const struct err *err);

#endif
