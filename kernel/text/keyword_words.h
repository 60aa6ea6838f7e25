/* The word lists of keyword.c; private to kernel/text. */
#ifndef CHANCERY_KERNEL_TEXT_KEYWORD_WORDS_H
#define CHANCERY_KERNEL_TEXT_KEYWORD_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/text/keyword.h"

/* How much of the text an entry must be. */
enum keyword_extent {
	EXTENT_NOTE,  /* text may follow: it is a note */
	EXTENT_ALONE, /* only courtesies may follow */
};

/* Words are written as keyword_normalise leaves them (a test holds them to it). A space may be missing in the text
 * ("optout", Persian without its zero-width joiner), so "i m safe" stands for "I'm safe" too. */
struct keyword_word {
	const char *language;
	enum keyword keyword;
	enum keyword_extent extent;
	bool bare; /* the word our messages ask for: alone it sets help_keyword_only */
	const char *words;
};

extern const struct keyword_word keyword_words[];
extern const size_t keyword_word_count;

/* Single words, NULL at the end. */
extern const char *const keyword_courtesies[];   /* may stand before and after any keyword */
extern const char *const keyword_objects[];      /* may follow STOP and START: what is to stop */
extern const char *const keyword_affirmations[]; /* may stand before a keyword; alone they are START */
extern const char *const keyword_negations[];
extern const char *const keyword_reassurances[]; /* phrases that deny and yet confirm: "safe, don't worry" */
extern const char *const keyword_safe_cores[];   /* words that speak of safety */
extern const char *const keyword_unsafe[];       /* words that deny it by themselves */
extern const char *const keyword_safe_others[];  /* after "safe" they make it speak of something else */
extern const char *const keyword_second_looks[]; /* in the note of a SAFE they make it worth an officer's look */

/* Names for languages beside those that ICU gives. */
struct keyword_language_alias {
	const char *name;
	const char *tag;
};
extern const struct keyword_language_alias keyword_language_aliases[];
extern const size_t keyword_language_alias_count;

/* Languages that LANG knows by name (any valid code is known besides); NULL at the end. */
extern const char *const keyword_languages[];

#endif
