/* Languages, message catalogues, and numbers and dates for people.
 *
 * Keys and texts stand in messages/ROOM.LANGUAGE.json (one flat object a file); tools/make_messages.py makes
 * enum msg (MSG_travel_trip_title for "travel.trip_title") and the tables, and fails the build when a language
 * lacks a text, a text has other arguments than the English one, or a plural lacks a category its language needs.
 * Text syntax: {name} is an argument; {count, plural, =0 {...} one {...} other {...}} a plural, '#' in it the number.
 * Braces stand for nothing else.
 *
 * All functions may be called from any thread at the same time. */
#ifndef CHANCERY_KERNEL_TEXT_H
#define CHANCERY_KERNEL_TEXT_H

#include "base/base.h"
#include "messages.h" /* generated: enum msg */

/* The order is that of LANGUAGES in tools/make_messages.py. */
enum language { LANGUAGE_EN, LANGUAGE_FR, LANGUAGE_AR, LANGUAGE_FA, LANGUAGE_COUNT };

struct language_info {
	const char *tag;    /* BCP 47: "fa" */
	const char *name;   /* in the language itself: "فارسی" */
	bool right_to_left;
};
extern const struct language_info languages[LANGUAGE_COUNT];

/* The language of a tag ("fa-IR" gives fa), or LANGUAGE_COUNT. */
enum language language_find(struct str tag);
/* The best shipped language for an Accept-Language header (RFC 9110, 12.5.4); English when none fits. */
enum language language_accept(struct str accept_language);

/* An argument of a message. */
struct msg_arg {
	const char *name;
	struct str text;
	int64_t number;
	bool is_number;
};
#define MSG_S(name, value) ((struct msg_arg){ (name), (value), 0, false })
#define MSG_N(name, value) ((struct msg_arg){ (name), { NULL, 0 }, (int64_t)(value), true })

/* The text of `message` in `language` with its arguments put in; numbers in the language's digits and grouping.
 * Plain text (not HTML). With `isolate` an argument of text whose letters may run against the language's direction is
 * wrapped in bidi isolates (U+2068 .. U+2069): in en and fr only if it holds right-to-left letters (so an SMS in plain
 * Latin stays GSM-7), in ar and fa whenever it holds anything else. A missing argument leaves its place empty. */
struct str message_text(struct arena *arena, enum language language, enum msg message, const struct msg_arg *args, size_t count, bool isolate);
#define T(arena, language, message, ...) \
	message_text((arena), (language), (message), (const struct msg_arg[]){ { NULL, { NULL, 0 }, 0, false }, ##__VA_ARGS__ } + 1, \
	             sizeof((const struct msg_arg[]){ { NULL, { NULL, 0 }, 0, false }, ##__VA_ARGS__ }) / sizeof(struct msg_arg) - 1, false)
/* The text of a broken rule: its args are named 0, 1, 2. An argument that the message counts ({0, plural, ...}) is read as a number. */
struct str err_field_text(struct arena *arena, enum language language, const struct err_field *field);
/* Any text in the catalogue's syntax, as message_text does it; tests and texts kept elsewhere use it. STR_NONE if the syntax is broken. */
struct str text_fill(struct arena *arena, enum language language, struct str pattern, const struct msg_arg *args, size_t count, bool isolate);
/* `text` within bidi isolates if `language` needs them around it (see message_text); otherwise as it is. */
struct str text_isolate(struct arena *arena, enum language language, struct str text);

/* Numbers, dates and times for people, by ICU: the language's digits and calendar (Persian for fa), in `zone` (IANA; "UTC").
 * Days are counted from 1970-01-01; times are UTC microseconds. A time always names its zone's offset. */
struct str text_number(struct arena *arena, enum language language, int64_t value);
struct str text_date(struct arena *arena, enum language language, int64_t days);
struct str text_date_time(struct arena *arena, enum language language, int64_t microseconds, const char *zone);
/* "3 minutes ago", "in 2 days": the largest unit that fits, rounded toward now. */
struct str text_relative(struct arena *arena, enum language language, int64_t microseconds, int64_t now);
/* Reads a date as people type it: YYYY-MM-DD, DD.MM.YYYY, DD/MM/YYYY (and YYYY/MM/DD) in any script's digits; four digits of the year
 * are a must. When the language is fa a year of 1300..1499 is one of the Persian calendar. false if it is none or does not exist. */
bool text_read_date(struct str text, enum language language, int64_t *days_out);
/* A day as a form field shows it for correction: what text_read_date reads back (DD/MM/YYYY; in fa YYYY/MM/DD of the Persian calendar). */
struct str text_date_input(struct arena *arena, enum language language, int64_t days);
/* The text of a CSV field so that no spreadsheet takes it, or a part of it, for a formula: what begins with = + - @, a tab or a carriage return
 * gets an apostrophe (OWASP, "CSV injection"); also behind a semicolon, tab or line break, where a spreadsheet that splits at semicolons (as in
 * much of Europe) begins a cell whatever the quotes say. Telephone numbers (+ and digits) stay. Quoting is the caller's. */
struct str text_for_spreadsheet(struct arena *arena, struct str text);
/* Any script's decimal digits to ASCII. */
struct str text_ascii_digits(struct arena *arena, struct str text);

#endif
