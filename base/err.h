/* What went wrong, in a form that one function maps to HTTP, JSON and exit status. */
#ifndef CHANCERY_BASE_ERR_H
#define CHANCERY_BASE_ERR_H

#include "str.h"

enum rc {
	OK = 0,
	NOT_FOUND, /* no such thing, or not for you to know of:      404, exit 1 */
	DENIED,    /* you may not:                                   403, exit 1 */
	INVALID,   /* the input breaks a rule; fields say which:     422, exit 1 */
	CONFLICT,  /* someone else was first, or the state forbids:  409, exit 1 */
	BUSY,      /* try again later:                               503, exit 3 */
	FAILED,    /* our fault:                                     500, exit 3 */
};

#define ERR_ARGS_MAX 3

/* One broken rule. `message` is a message key of the catalogue (enum msg), with its arguments in order. */
struct err_field {
	struct str field; /* the form field, column or option; empty: the whole thing */
	int message;
	struct str args[ERR_ARGS_MAX];
	struct err_field *next;
};

/* Held in an arena; init before use. Functions that return a code other than OK add what they know. */
struct err {
	struct arena *arena;
	struct str detail;         /* for logs and command lines, English; the first one stays */
	struct err_field *fields;  /* in the order they were added */
	struct err_field *last;
	size_t field_count;
};

void err_init(struct err *err, struct arena *arena);
/* Sets the detail if none stands yet and returns `rc`, so that one can write: return err_set(err, FAILED, "..."). err may be NULL. */
enum rc err_set(struct err *err, enum rc rc, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Adds a broken rule (args are copied; STR_NONE for unused ones) and returns INVALID. err may be NULL. */
enum rc err_field(struct err *err, struct str field, int message, struct str arg0, struct str arg1);
/* The first broken rule of `field`, or NULL. */
const struct err_field *err_find(const struct err *err, struct str field);
/* Lower-case name of a code: "ok", "not_found" ... */
const char *rc_name(enum rc rc);
/* Exit status of a command: 0, 1 (the answer is no) or 3 (failed). */
int rc_exit(enum rc rc);

#endif
