/* What people answer: SAFE, HELP, STOP and their like, in the languages shipped, in whatever case, script and spelling.
 *
 * Two mistakes must not happen: counting someone as safe who did not say so, and ending the messages of someone who
 * asked for help. Where a text allows doubt it is KEYWORD_UNKNOWN, which means: a person reads it (the inbox).
 * There is no substring matching; words are compared whole.
 *
 * Knows no alerts, people or channels. Give it what the person wrote, without quoted earlier messages. */
#ifndef CHANCERY_KERNEL_TEXT_KEYWORD_H
#define CHANCERY_KERNEL_TEXT_KEYWORD_H

#include "base/base.h"

#define KEYWORD_TEXT_MAX 16384 /* bytes looked at; only HELP is recognised in longer texts */
#define KEYWORD_WORDS_MAX 512  /* words looked at, likewise */
#define KEYWORD_REFERENCE_DIGITS 9

enum keyword {
	KEYWORD_UNKNOWN,
	KEYWORD_SAFE,
	KEYWORD_HELP,
	KEYWORD_STOP,
	KEYWORD_START,
	KEYWORD_WHERE,
	KEYWORD_LANGUAGE,
};

struct keyword_reply {
	enum keyword keyword;
	struct str rest;         /* what follows the keyword, as written (a slice of the text); may be empty;
	                            * all of the text if unknown */
	uint32_t reference;      /* number of the alert named after the keyword ("SAFE 47"), 0 none */
	bool reference_certain;  /* written as #47, A47, SAFE47 or alone; else it may count people ("SAFE 3 adults")
	                            * and stays in rest too */
	struct str language;     /* KEYWORD_LANGUAGE: BCP 47 tag, "" if none was named */
	const char *said_in;     /* language of the word list that matched, NULL if unknown */
	bool help_keyword_only;  /* the bare word HELP (AIDE ...): perhaps a question about the service */
	bool bare_yes;           /* START said as YES: to anyone who had not stopped, an answer to something else */
	bool note_needs_reading; /* SAFE, but the note holds a 'but', a denial or a need: an officer should see it */
	bool urgent;             /* unknown, and it names help or denies safety: first in the inbox */
};

/* Brings text to the form in which words are compared: NFKC, case folded, without invisible characters (zero-width
 * marks, variation selectors, direction controls), Latin letters without accents (marks of other scripts stay), Arabic
 * without vowel marks and tatweel and with one form each of alef, ye, kaf and he, decimal digits of every script as
 * ASCII, white space and control characters as single spaces, none at the ends. Bad UTF-8 becomes U+FFFD. */
struct str keyword_normalise(struct arena *arena, struct str text);

/* Reads an answer. `preferred` is the person's language (BCP 47, may be STR_NONE); its words are tried first.
 * The first words decide, after greetings and courtesies; for SAFE and HELP the rest is a note, the others stand
 * alone or with courtesies ("STOP PLEASE", "stop all messages"). Never fails: what is not clear is KEYWORD_UNKNOWN. */
void keyword_parse(struct arena *arena, struct str text, struct str preferred, struct keyword_reply *out);

/* Lower-case name: "unknown", "safe", "help", "stop", "start", "where", "language". */
const char *keyword_name(enum keyword keyword);

#endif
