/* Error pages. The program makes html_error_page the house's (house_set_error_page). */
#ifndef CHANCERY_KERNEL_HTML_ERROR_PAGE_H
#define CHANCERY_KERNEL_HTML_ERROR_PAGE_H

#include "kernel/desk/desk.h"
#include "kernel/html/html.h"

/* The body of an error page in the reader's language: what happened, what it means for them, what to do next. Rules that `err`
 * says are broken are listed. */
void html_error_page(struct request *request, struct response *response, enum problem problem, const struct err *err);

/* View of pages/error_page.html. */
struct error_page {
	struct page page;
	enum msg text;
	struct str *rules; /* broken ones */
	size_t rule_count;
};

#endif
