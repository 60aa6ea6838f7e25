/* HTML out of templates. tools/make_pages.py turns a room's pages/NAME.html into C (ROOM_pages.h/.c).
 *
 *   {{ include "desks/travel/travel.h" }}   before the first page: a header with the view structs (without a folder: the room's own)
 *   {{ page trip_edit(const struct trip_edit_view *view) }}    starts a page: its C signature (after `struct html *out`); a file may hold several
 *   {{ view->name }}           a value, escaped by its type: struct str, const char *, integers (the language's digits in text and in
 *                              title, alt, placeholder, aria-label; ASCII digits in other attributes; percent-encoded in addresses);
 *                              a bool (yes/no) is a mistake and refused by the compiler
 *   {{ t travel.trip_title }}  a message; {{ t travel.legs count=view->count name=view->name }} with arguments (escaped; checked against
 *                              the catalogue: a counted argument must be a number)
 *   {{ message EXPR }}         a message whose key is a value (enum msg); arguments likewise, unchecked
 *   {{ if EXPR }} {{ elif EXPR }} {{ else }} {{ end }}     also inside a tag ({{ if x }} checked{{ end }}) or a value
 *   {{ for leg in view->legs : view->leg_count }} ... {{ leg->place }} ... {{ end }}   leg is a pointer to the element; leg_index counts from 0
 *   {{ call trip_row(leg, view) }}   another template of the room or of kernel/html (layout parts), `out` is passed by itself
 *   {{ field text name label=people.name hint=people.name_hint value=view->name autocomplete="name" required }}
 *                              a form field: text, area (rows=), select, radios, checks (options= count=); options as members of struct field
 *   {{ form_token }}           the hidden field of a form; required once in every <form method="post"> (build error without)
 *   {{ raw VALUE }}            only for struct html_markup
 *   {{ date DAYS }} {{ time MICROSECONDS }} {{ time MICROSECONDS zone=EXPR }} {{ relative MICROSECONDS }}
 *                              <time datetime=...> with the reader's calendar
 *   {{ # a comment }}          and <!-- --> are left out
 * Whole expressions of C stand in {{ }}; write "} }" where two braces end one.
 *
 * The generator knows HTML: attributes must be quoted, tags must nest (within each branch too), no <script> text, no style= or on*=
 * attributes, ids must not double, an <input> needs a <label for>, an <img> an alt, a <th> a scope, a <button> a type; a value in
 * href/src/action must start with a literal "/", "#" or "?" or be of type struct html_url. Text that is not from the catalogues is
 * refused, except within <code>, <kbd>, <samp> or an element marked translate="no" or lang="..".
 * Links and forms with literal local addresses carry the reader's choice of language on (?lang=fa) by themselves. */
#ifndef CHANCERY_KERNEL_HTML_H
#define CHANCERY_KERNEL_HTML_H

#include "base/base.h"
#include "kernel/text/text.h"

struct request;
struct response;

/* HTML text that is already safe. */
struct html_markup { struct str text; };
/* A checked address: local path or http(s)/mailto/tel/sms scheme. */
struct html_url { struct str text; };
/* Checks the scheme; anything else (and "//host", and control bytes or blanks) becomes "#". */
struct html_url html_url(struct arena *arena, struct str text);
/* "tel:+4930..." of a number in E.164. */
struct html_url html_tel(struct arena *arena, struct str number);

/* Where a template writes. */
struct html {
	struct buf *buf;
	struct arena *arena;
	enum language language;
	bool language_chosen;      /* the reader chose it in the address: links carry it on */
	struct request *request;   /* for the form token and layout; may be NULL (mail, print) */
	struct str zone;           /* IANA zone for {{ time }} ; "UTC" unless set */
	int64_t now;               /* UTC microseconds, for {{ relative }} */
	const struct err *errors;  /* of the form on this page, set by page_begin; fields look here unless they bring their own */
};

/* --- what generated code calls --------------------------------------------------------------------------- */
/* Markup that stands in the template. */
void html_literal(struct html *out, const char *text, size_t size);
/* Text, escaped; control bytes become U+FFFD. */
void html_put_text(struct html *out, struct str text);
void html_put_c(struct html *out, const char *text);
/* Numbers for people: the language's digits and grouping. */
void html_put_int(struct html *out, int64_t value);
void html_put_uint(struct html *out, uint64_t value);
/* Numbers for machines: ASCII digits. */
void html_put_plain_int(struct html *out, int64_t value);
void html_put_plain_uint(struct html *out, uint64_t value);
void html_put_markup(struct html *out, struct html_markup markup);
/* An address as it is, and one that carries the choice of language on if it is a local path. */
void html_put_url(struct html *out, struct html_url url);
void html_put_link(struct html *out, struct html_url url);
/* A piece of an address: all but RFC 3986's unreserved characters is percent-encoded. */
void html_put_part_text(struct html *out, struct str text);
void html_put_part_c(struct html *out, const char *text);
void html_put_message(struct html *out, enum msg message, const struct msg_arg *args, size_t count);
void html_put_date(struct html *out, int64_t days);
/* `zone` STR_NONE: out->zone. */
void html_put_time(struct html *out, int64_t microseconds, struct str zone);
void html_put_relative(struct html *out, int64_t microseconds);
/* The hidden field "form_token"; nothing without a request. */
void html_put_form_token(struct html *out);
/* "?lang=fa" (or "&amp;lang=fa" after a '?') if the reader chose the language; and the same as a hidden field. */
void html_put_language(struct html *out, bool after_question);
void html_put_language_field(struct html *out);
/* Values as text in the arena (numbers in ASCII digits). */
struct str html_str_text(struct html *out, struct str text);
struct str html_str_c(struct html *out, const char *text);
struct str html_str_int(struct html *out, int64_t value);
struct str html_str_uint(struct html *out, uint64_t value);
struct msg_arg html_arg_text(const char *name, struct str text);
struct msg_arg html_arg_c(const char *name, const char *text);
struct msg_arg html_arg_int(const char *name, int64_t value);
struct msg_arg html_arg_uint(const char *name, uint64_t value);

/* bool is missing on purpose: the compiler then points to the template's line. */
#define HTML_INTEGERS(signed_function, unsigned_function)                                                        \
	short: (signed_function), int: (signed_function), long: (signed_function), long long: (signed_function),   \
	unsigned char: (unsigned_function), unsigned short: (unsigned_function), unsigned: (unsigned_function),    \
	unsigned long: (unsigned_function), unsigned long long: (unsigned_function)
#define html_put(out, value)                                                                                     \
	_Generic((value), struct str: html_put_text, char *: html_put_c, const char *: html_put_c,                 \
	         struct html_markup: html_put_markup, HTML_INTEGERS(html_put_int, html_put_uint))(out, value)
#define html_put_attribute(out, value)                                                                           \
	_Generic((value), struct str: html_put_text, char *: html_put_c, const char *: html_put_c,                 \
	         HTML_INTEGERS(html_put_plain_int, html_put_plain_uint))(out, value)
#define html_put_part(out, value)                                                                                \
	_Generic((value), struct str: html_put_part_text, char *: html_put_part_c, const char *: html_put_part_c,  \
	         HTML_INTEGERS(html_put_plain_int, html_put_plain_uint))(out, value)
#define html_str(out, value)                                                                                     \
	_Generic((value), struct str: html_str_text, char *: html_str_c, const char *: html_str_c,                 \
	         HTML_INTEGERS(html_str_int, html_str_uint))(out, value)
#define HTML_ARGUMENT(name, value)                                                                               \
	_Generic((value), struct str: html_arg_text, char *: html_arg_c, const char *: html_arg_c,                 \
	         HTML_INTEGERS(html_arg_int, html_arg_uint))(name, value)
#define HTML_NUMBER(name, value) _Generic((value), HTML_INTEGERS(html_arg_int, html_arg_uint))(name, value)

/* --- layout: the frame of every page --------------------------------------------------------------------- */
struct page {
	struct str title;            /* <title> and <h1> */
	bool officer_page;           /* the officers' navigation (from the menu tables) and dense style; script allowed */
	const struct err *errors;    /* an error summary that links to the fields, or NULL */
	struct str notice;           /* a one-line confirmation at the top, or STR_NONE */
	struct str refresh;          /* seconds as text for a plain refresh without JavaScript and a link that does it at once, or STR_NONE */
	struct str canonical;        /* path (and query) without the language, for the language links; STR_NONE: that of the request */
	const char *script;          /* "live.js" (of web/) or NULL; a page must work without */
	bool app;                    /* may be put on a home screen (iPhones give notifications to such pages alone) */
	struct str feed;             /* path of an Atom feed of what the page shows, without the language; STR_NONE: none */
	bool wide;                   /* a board: as wide as the window */
};
/* Starts and ends the page; between them the room's template writes what stands in <main> below the <h1>. */
void page_begin(struct html *out, const struct page *page);
void page_end(struct html *out, const struct page *page);
/* Fills `out` for a response in the reader's language. */
struct html html_begin(struct request *request, struct response *response);
/* An output without a request: mail, print, tests. */
struct html html_plain(struct buf *buf, struct arena *arena, enum language language);

/* The text of the inline <style> of every page, and its source expression for the Content-Security-Policy ("sha256-...", to be quoted there). */
extern const char html_style[];
extern const size_t html_style_size;
extern const char html_style_hash[];

/* --- form fields as templates use them: {{ field text NAME ... }} or {{ call field_text(&field) }} -------- */
/* Each writes label, hint, the field's error (linked by aria-describedby) and the control, filled with `value`. */
struct field {
	const char *name;       /* of the form field and its id */
	enum msg label;
	enum msg hint;          /* MSG_none: none */
	struct str value;
	const struct err *errors; /* NULL: those of the page */
	const char *type;       /* text email tel number password search url; "date": a date as text; "code": a one-time code. NULL: text */
	const char *autocomplete; /* or NULL */
	const char *inputmode;  /* or NULL: by the type */
	bool required;          /* optional fields say so in their label */
	const char *group;      /* NULL; else the field is group.row.name ("leg.0.place") */
	size_t row;
	size_t longest;         /* maxlength in characters; 0: none */
};
/* The field's full name: name, or group.row.name. */
struct str field_name(struct arena *arena, const struct field *field);
struct choice { struct str value; struct str text; bool chosen; };
void field_text(struct html *out, const struct field *field);
void field_area(struct html *out, const struct field *field, int rows);
void field_select(struct html *out, const struct field *field, const struct choice *options, size_t count);
void field_radios(struct html *out, const struct field *field, const struct choice *options, size_t count);
/* A list of boxes of one name; one option alone is a yes-or-no. */
void field_checks(struct html *out, const struct field *field, const struct choice *options, size_t count);

#endif
