/* HTML out of templates. tools/make_pages.py turns a room's pages/NAME.html into C (ROOM_pages.h/.c).
 *
 *   {{ page trip_edit(const struct trip_edit_view *view) }}    first line of every file: the C signature (after `struct html *out`)
 *   {{ view->name }}           a value, escaped by its type: struct str, const char *, integers (the language's digits),
 *                              bool (yes/no is a mistake: refused), struct html_markup (already HTML, from cmark or another template)
 *   {{ t travel.trip_title }}  a message; {{ t travel.legs count=view->count name=view->name }} with arguments (escaped)
 *   {{ if EXPR }} {{ elif EXPR }} {{ else }} {{ end }}
 *   {{ for leg in view->legs : view->leg_count }} ... {{ leg->place }} ... {{ end }}   leg is a pointer to the element; leg_index counts from 0
 *   {{ call trip_row(leg, view) }}   another template of the room or of kernel/html (layout parts), `out` is passed by itself
 *   {{ form_token }}           the hidden field of a form; required once in every <form method="post"> (build error without)
 *   {{ raw VALUE }}            only for struct html_markup
 *   {{ date DAYS }} {{ time MICROSECONDS }} {{ time MICROSECONDS zone=EXPR }}   <time datetime=...> with the reader's calendar
 * The generator knows HTML: attributes must be quoted, tags must nest, no <script> text, no style= or on*= attributes, ids must not
 * double, an <input> needs a <label for>, an <img> an alt, a value in href/src/action must start with a literal "/" or "#" or be of type
 * struct html_url. */
#ifndef CHANCERY_KERNEL_HTML_H
#define CHANCERY_KERNEL_HTML_H

#include "base/base.h"
#include "kernel/text/text.h"

struct request;

/* HTML text that is already safe. */
struct html_markup { struct str text; };
/* A checked address: local path or http(s)/mailto/tel/sms scheme. */
struct html_url { struct str text; };
/* Checks the scheme; anything else becomes "#". */
struct html_url html_url(struct arena *arena, struct str text);

/* Where a template writes. */
struct html {
	struct buf *buf;
	struct arena *arena;
	enum language language;
	struct request *request; /* for the form token and layout; may be NULL (mail, print) */
	struct str zone;         /* IANA zone for {{ time }} ; "UTC" unless set */
};

void html_put_text(struct html *out, struct str text);
void html_put_c(struct html *out, const char *text);
void html_put_int(struct html *out, int64_t value);
void html_put_markup(struct html *out, struct html_markup markup);
void html_put_url(struct html *out, struct html_url url);
void html_put_message(struct html *out, enum msg message, const struct msg_arg *args, size_t count);

/* --- layout: the frame of every page --------------------------------------------------------------------- */
struct page {
	struct str title;            /* <title> and <h1> */
	bool officer_page;           /* the desk's navigation (from the menu tables) and linked CSS/JS allowed; public pages inline their CSS */
	const struct err *errors;    /* an error summary that links to the fields, or NULL */
	struct str notice;           /* a one-line confirmation at the top, or STR_NONE */
	struct str refresh;          /* seconds as text for a plain refresh, or STR_NONE */
	struct str canonical;        /* path without the language, for the language links */
	const char *script;          /* "/assets/board.js" or NULL; officers' pages only */
};
/* Starts and ends the page; between them the room's template writes the <main>. */
void page_begin(struct html *out, const struct page *page);
void page_end(struct html *out, const struct page *page);
/* Fills `out` for a response in the reader's language. */
struct html html_begin(struct request *request, struct response *response);

/* --- form fields as templates use them: {{ call field_text(...) }} --------------------------------------- */
/* Each writes label, hint, the field's error (linked by aria-describedby) and the control, filled with `value`. */
struct field {
	const char *name;       /* of the form field and id */
	enum msg label;
	enum msg hint;          /* 0: none */
	struct str value;
	const struct err *errors;
	const char *type;       /* text email tel number password date-as-text ... */
	const char *autocomplete; /* or NULL */
	bool required;
	size_t row;             /* SIZE_MAX; else the field is name.row */
};
struct option { struct str value; struct str text; bool chosen; };
void field_text(struct html *out, const struct field *field);
void field_area(struct html *out, const struct field *field, int rows);
void field_select(struct html *out, const struct field *field, const struct option *options, size_t count);
void field_radios(struct html *out, const struct field *field, const struct option *options, size_t count);
void field_checks(struct html *out, const struct field *field, const struct option *options, size_t count);

#endif
