/* Inside of the simulator's web server: web.c transport and routes, api.c JSON, pages.c HTML. */
#ifndef CHANCERY_TESTS_SIMULATOR_WEB_H
#define CHANCERY_TESTS_SIMULATOR_WEB_H

#include <jansson.h>

#include "tests/simulator/simulator.h"

#define WEB_BODY_MAX (1u << 20)
#define WEB_FIELDS_MAX 40

struct web_field {
	struct str name, value;
};

struct web_request {
	struct simulator *simulator;
	struct arena *arena;
	struct str method, path;        /* path decoded, without the query */
	struct web_field query[WEB_FIELDS_MAX];
	size_t query_count;
	struct str body;
	bool form;                      /* the body is a form: the answer is a redirect */
	struct web_field fields[WEB_FIELDS_MAX]; /* of a form or of a JSON object's texts and numbers */
	size_t field_count;
};

struct web_answer {
	int status;
	const char *type;
	const char *location;
	bool sandbox; /* a mail's own HTML: no scripts, no requests */
	struct buf body;
};

struct str web_query(const struct web_request *request, const char *name);
struct str web_field(const struct web_request *request, const char *name);
void web_error(struct web_answer *answer, int status, const char *text);
void web_json(struct web_answer *answer, json_t *value); /* takes the reference */

/* True if the path was theirs. */
bool api_answer(struct web_request *request, struct web_answer *answer);
bool pages_answer(struct web_request *request, struct web_answer *answer);

#endif
