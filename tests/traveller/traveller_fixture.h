/* The travellers' pages over real HTTP on a fresh store, and a small browser: cookies, forms, redirects. */
#ifndef CHANCERY_TESTS_TRAVELLER_FIXTURE_H
#define CHANCERY_TESTS_TRAVELLER_FIXTURE_H

#include "tests/support/store_fixture.h"

#include "desks/travel/travel.h"
#include "kernel/http/http.h"
#include "traveller_sql.h"

/* One set of places for all tests of a program: it takes a second to open. */
struct places *traveller_places(void);

struct traveller {
	struct fixture *fixture; /* its arena is used for everything returned */
	struct house *house;
	struct http_server *server;
	int port;
	char cookies[512];
	char token[128];         /* form token of the last page */
	int64_t day;             /* today, UTC */
};
struct reply {
	int status;
	struct str body;
	struct str location; /* STR_NONE without */
	struct str head;
};
void traveller_init(struct traveller *traveller, struct fixture *fixture);
void traveller_release(struct traveller *traveller);

/* GET; follows nothing. Remembers cookies and the page's form token. */
struct reply visit(struct traveller *traveller, struct str path);
/* POST of "name\0value\0" pairs: submit(t, path, "name", "Amal", "email", "a@example.org", NULL). The last page's form token goes along. */
struct reply submit(struct traveller *traveller, struct str path, ...) __attribute__((sentinel));
/* Follows a 303; fails the test if it is none. */
struct reply follow(struct traveller *traveller, struct reply reply);
bool holds(struct str text, const char *what);
/* Fails the test if the page lacks the text. */
void assert_holds(struct reply reply, const char *what);
void assert_lacks(struct reply reply, const char *what);
/* The six digits in the newest message to an address. */
struct str code_of(struct traveller *traveller, const char *address);
/* "dd/mm/yyyy", `days` from today. */
const char *date_in(struct traveller *traveller, int days);

struct get_person_of_row person_of(struct traveller *traveller, const char *address);
struct list_legs_row *legs_of(struct traveller *traveller, int64_t person_id, size_t *count);
struct list_watches_row *watches_of(struct traveller *traveller, int64_t person_id, size_t *count);
struct get_message_text_row message_to(struct traveller *traveller, const char *address);
int64_t people_enrolled(struct traveller *traveller);
int64_t trips_open(struct traveller *traveller);
int64_t messages_queued(struct traveller *traveller);

/* Rows that hold what belongs to a person. */
struct count_personal_row personal_rows(struct traveller *traveller, int64_t person_id);
/* Enrols someone with these addresses (NULL: none) and one stay in Tunis, confirms all addresses, and returns the path of their page. */
struct str enrolled(struct traveller *traveller, const char *name, const char *email, const char *mobile);
/* What stands between `start` and the next `end`; fails the test if it does not. */
struct str cut(struct traveller *traveller, struct str text, const char *start, char end);

/* For cmocka: BOTH_TRAVELLER(test) in the table, `struct traveller *t = *state`. */
int traveller_setup(void **state);
int traveller_teardown(void **state);
#define BOTH_TRAVELLER(test)                                                                              \
	{ #test " (sqlite)", test, traveller_setup, traveller_teardown, &fixture_kinds[0] },                  \
	{                                                                                                     \
		#test " (postgresql)", test, traveller_setup, traveller_teardown, &fixture_kinds[1]          \
	}
#define SQLITE_TRAVELLER(test) { #test " (sqlite)", test, traveller_setup, traveller_teardown, &fixture_kinds[0] }

#endif
