#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include "base/base.h"
#include "kernel/text/keyword.h"
#include "kernel/text/keyword_words.h"

#define NEGATION_DISTANCE 3 /* "not at all safe": words between a denial and what it denies */
#define LANGUAGE_NAME_MAX 128

/* A word of the text: where it stands, and its form for comparing. */
struct word {
	size_t from, to;
	struct str folded;
	bool numbered; /* a number sign stands before it */
};

struct words {
	struct word *items;
	size_t count;
	bool question;  /* a question mark stands somewhere */
	bool truncated; /* there was more than we look at */
};

/* What an entry matched at some word. */
struct match {
	const struct keyword_word *entry;
	size_t next;     /* first word after it */
	struct str tail; /* digits written onto the keyword: "SAFE47" */
};

static bool is_apostrophe(uint32_t c)
{
	return c == '\'' || c == '`' || c == 0x00B4 || c == 0x02BC || c == 0x2018 || c == 0x2019 || c == 0x2032 ||
	       c == 0xFF07;
}

static bool is_question(uint32_t c)
{
	return c == '?' || c == 0x061F || c == 0xFF1F || c == 0x00BF || c == 0x203D || (c >= 0x2047 && c <= 0x2049);
}

static bool is_number_sign(uint32_t c)
{
	return c == '#' || c == 0xFF03 || c == 0x2116;
}

static bool is_word_character(uint32_t c)
{
	return (U_MASK(u_charType((UChar32)c)) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0;
}

/* Letters, marks and numbers make words; apostrophes and invisible characters do not part them. */
static bool is_inside_word(uint32_t c)
{
	return is_word_character(c) || is_apostrophe(c) ||
	       u_hasBinaryProperty((UChar32)c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static struct str fold_word(struct arena *arena, struct str text)
{
	char *bare = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	for (size_t at = 0; at < text.len;) {
		size_t start = at;

		if (!is_apostrophe(utf8_next(text, &at))) {
			memcpy(bare + len, text.ptr + start, at - start);
			len += at - start;
		}
	}
	return keyword_normalise(arena, (struct str){ bare, len });
}

static void read_words(struct arena *arena, struct str text, struct words *out)
{
	struct words words = { .items = ARENA_NEW_ARRAY(arena, struct word, KEYWORD_WORDS_MAX),
		               .truncated = text.len > KEYWORD_TEXT_MAX };
	bool numbered = false;

	text = str_slice(text, 0, KEYWORD_TEXT_MAX);
	for (size_t at = 0; at < text.len;) {
		size_t from = at;
		uint32_t c = utf8_next(text, &at);

		words.question |= is_question(c);
		numbered |= is_number_sign(c);
		if (!is_word_character(c))
			continue;
		size_t to = at;

		while (at < text.len && is_inside_word(utf8_next(text, &at)))
			to = at;
		at = to; /* the character that ended it is looked at again */
		struct str folded = fold_word(arena, str_slice(text, from, to));

		if (folded.len == 0)
			continue;
		if (words.count == KEYWORD_WORDS_MAX) {
			words.truncated = true;
			break;
		}
		words.items[words.count++] = (struct word){ from, to, folded, numbered };
		numbered = false;
	}
	*out = words;
}

static bool is_in(const char *const *list, struct str word)
{
	for (; *list != NULL; list++)
		if (str_equal(word, str_from(*list)))
			return true;
	return false;
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* Compares a phrase with the words from `first` on. The text may leave out the phrase's spaces, not add its own. True
 * with the first word after the phrase, and the digits written onto its end if there are any. */
static bool match_phrase(const char *phrase, const struct words *words, size_t first, size_t *next_out,
                         struct str *tail_out)
{
	const char *want = phrase;

	for (size_t i = first; i < words->count; i++) {
		struct str have = words->items[i].folded;

		for (size_t at = 0; at < have.len; at++) {
			if (*want == ' ' && have.ptr[at] != ' ')
				want++;
			if (*want == '\0') {
				*tail_out = str_slice(have, at, have.len);
				*next_out = i + 1;
				return all_digits(*tail_out);
			}
			if (*want++ != have.ptr[at])
				return false;
		}
		if (*want == '\0') {
			*next_out = i + 1;
			*tail_out = STR_NONE;
			return true;
		}
		if (*want++ != ' ')
			return false;
	}
	return false;
}

/* The longest entry that starts at word `first`; of equals the one in the preferred language.
 * `only` KEYWORD_UNKNOWN: any keyword. */
static bool match_best(const struct words *words, size_t first, struct str preferred, enum keyword only,
                       struct match *out)
{
	struct match best = { 0 };

	for (size_t i = 0; i < keyword_word_count; i++) {
		const struct keyword_word *entry = &keyword_words[i];
		struct match match = { .entry = entry };

		if (only != KEYWORD_UNKNOWN && entry->keyword != only)
			continue;
		if (!match_phrase(entry->words, words, first, &match.next, &match.tail) || match.next < best.next)
			continue;
		if (match.next > best.next || (str_equal(str_from(entry->language), preferred) &&
		                               !str_equal(str_from(best.entry->language), preferred)))
			best = match;
	}
	if (best.entry == NULL)
		return false;
	*out = best;
	return true;
}

/* True if every word from `first` on is a courtesy (or, if given, stands in `also`). */
static bool only_courtesies(const struct words *words, size_t first, const char *const *also)
{
	for (size_t i = first; i < words->count; i++)
		if (!is_in(keyword_courtesies, words->items[i].folded) &&
		    (also == NULL || !is_in(also, words->items[i].folded)))
			return false;
	return true;
}

static bool any_in(const struct words *words, size_t first, const char *const *list)
{
	for (size_t i = first; i < words->count; i++)
		if (is_in(list, words->items[i].folded))
			return true;
	return false;
}

static bool names_help(const struct words *words, size_t first)
{
	struct match match;

	for (size_t i = first; i < words->count; i++)
		if (match_best(words, i, STR_NONE, KEYWORD_HELP, &match))
			return true;
	return false;
}

/* A word of safety with a denial near it, on either side: "not at all safe", "امن نیستم". */
static bool denies_safety(const struct words *words, size_t first)
{
	for (size_t i = first; i < words->count; i++) {
		if (is_in(keyword_unsafe, words->items[i].folded))
			return true;
		if (!is_in(keyword_safe_cores, words->items[i].folded))
			continue;
		size_t from = i >= first + NEGATION_DISTANCE ? i - NEGATION_DISTANCE : first;

		for (size_t j = from; j < words->count && j <= i + NEGATION_DISTANCE; j++)
			if (is_in(keyword_negations, words->items[j].folded))
				return true;
	}
	return false;
}

/* The first word after the longest reassurance that starts at `next`; `next` if there is none. */
static size_t skip_reassurance(const struct words *words, size_t next)
{
	size_t best = next;

	for (size_t i = 0; keyword_reassurances[i] != NULL; i++) {
		size_t end;
		struct str tail;

		if (match_phrase(keyword_reassurances[i], words, next, &end, &tail) && str_is_none(tail) && end > best)
			best = end;
	}
	return best;
}

/* May this be counted as safe? Every doubt says no: it then goes to a person, who is a minute late;
 * the other mistake kills. */
static bool safe_is_clear(const struct words *words, size_t next)
{
	if (words->question || words->truncated)
		return false;
	if (next < words->count && all_digits(words->items[next].folded))
		next++; /* "SAFE 47 not" */
	next = skip_reassurance(words, next);
	if (next < words->count && (is_in(keyword_negations, words->items[next].folded) ||
	                            is_in(keyword_safe_others, words->items[next].folded)))
		return false;
	return !names_help(words, next) && !denies_safety(words, next);
}

/* The alert's number behind the keyword. Returns the first word after it; *certain says that it can be nothing else. */
static size_t read_reference(const struct words *words, const struct match *match, uint32_t *reference_out,
                             bool *certain_out)
{
	size_t next = match->next;
	struct str digits = match->tail;
	bool certain = true;
	int64_t value;

	if (str_is_none(digits) && next < words->count) {
		const struct word *word = &words->items[next];

		digits = word->folded;
		if (digits.ptr[0] == 'a' && digits.len > 1)
			digits = str_slice(digits, 1, digits.len);
		else
			certain = word->numbered || only_courtesies(words, next + 1, NULL);
		next++;
	}
	if (!all_digits(digits) || digits.len > KEYWORD_REFERENCE_DIGITS || !str_to_int(digits, &value) || value == 0)
		return match->next;
	*reference_out = (uint32_t)value;
	*certain_out = certain;
	return certain ? next : match->next;
}

/* What stands behind word `next`, without the signs that join it to the keyword. */
static struct str rest_from(const struct words *words, size_t next, struct str text)
{
	size_t at = next == 0 ? 0 : words->items[next - 1].to;

	while (at < text.len) {
		size_t start = at;
		uint32_t c = utf8_next(text, &at);

		if (u_isUWhiteSpace((UChar32)c) || u_iscntrl((UChar32)c) ||
		    (c < 0x80 && c != 0 && strchr(",.;:!-", (int)c) != NULL) || c == 0x060C || c == 0x061B ||
		    c == 0x06D4 || c == 0x3002 || c == 0x2013 || c == 0x2014)
			continue;
		return str_trim(str_slice(text, start, text.len));
	}
	return S("");
}

/* The name ICU has for language `tag` in language `in`, folded and without spaces, equals `name`? */
static bool is_display_name(struct arena *arena, const char *tag, const char *in, struct str name)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar wide[LANGUAGE_NAME_MAX];
	char narrow[LANGUAGE_NAME_MAX * 3];
	int32_t len = uloc_getDisplayLanguage(tag, in, wide, LANGUAGE_NAME_MAX, &status);

	u_strToUTF8(narrow, (int32_t)sizeof narrow, &len, wide, len, &status);
	if (U_FAILURE(status))
		return false;
	struct str folded = keyword_normalise(arena, (struct str){ narrow, (size_t)len });
	size_t at = 0;

	for (size_t i = 0; i < folded.len; i++) {
		if (folded.ptr[i] == ' ' || folded.ptr[i] == '-')
			continue;
		if (at == name.len || name.ptr[at++] != folded.ptr[i])
			return false;
	}
	return at == name.len && at > 0;
}

/* A code such as "fa", "fas", "pt-BR" as its canonical tag; STR_NONE if it is none that ICU knows. */
static struct str language_of_code(struct arena *arena, const struct words *words, size_t first, size_t end)
{
	UErrorCode status = U_ZERO_ERROR;
	struct str code = words->items[first].folded;
	char tag[LANGUAGE_NAME_MAX];

	if (code.len < 2 || code.len > 3 || end - first > 3)
		return STR_NONE;
	for (size_t i = first + 1; i < end; i++)
		code = str_format(arena, "%.*s-%.*s", STR_ARG(code), STR_ARG(words->items[i].folded));
	int32_t parsed = 0;
	char locale[LANGUAGE_NAME_MAX];

	uloc_forLanguageTag(str_c(arena, code), locale, LANGUAGE_NAME_MAX, &parsed, &status);
	if (U_FAILURE(status) || (size_t)parsed != code.len || *uloc_getISO3Language(locale) == '\0')
		return STR_NONE;
	int32_t len = uloc_toLanguageTag(locale, tag, LANGUAGE_NAME_MAX, true, &status);

	return U_SUCCESS(status) && len < LANGUAGE_NAME_MAX ? str_copy(arena, (struct str){ tag, (size_t)len })
	                                                    : STR_NONE;
}

static struct str language_of_name(struct arena *arena, const struct words *words, size_t first, size_t end)
{
	static const char *const shipped[] = { "en", "fr", "ar", "fa" };
	struct str name = S("");

	for (size_t i = first; i < end; i++)
		name = str_concat(arena, name, words->items[i].folded);
	if (name.len > LANGUAGE_NAME_MAX)
		return STR_NONE;
	for (size_t i = 0; i < keyword_language_alias_count; i++)
		if (str_equal(name, str_from(keyword_language_aliases[i].name)))
			return str_from(keyword_language_aliases[i].tag);
	for (size_t i = 0; keyword_languages[i] != NULL; i++) {
		const char *tag = keyword_languages[i];

		if (is_display_name(arena, tag, tag, name))
			return str_from(tag);
		for (size_t j = 0; j < COUNT_OF(shipped); j++)
			if (is_display_name(arena, tag, shipped[j], name))
				return str_from(tag);
	}
	return STR_NONE;
}

/* The language asked for by the words from `next` on: "" if none was named, STR_NONE if it is not understood. */
static struct str read_language(struct arena *arena, const struct words *words, size_t next)
{
	size_t end = words->count;

	while (end > next && is_in(keyword_courtesies, words->items[end - 1].folded))
		end--;
	if (end == next)
		return S("");
	if (end > next + 1 &&
	    (str_equal(words->items[next].folded, S("to")) || str_equal(words->items[next].folded, S("in"))))
		next++;
	struct str tag = language_of_code(arena, words, next, end);

	return str_is_none(tag) ? language_of_name(arena, words, next, end) : tag;
}

/* Fills `reply` if the match stands by the rules of its keyword; false if it leaves doubt. */
static bool accept_match(struct arena *arena, const struct words *words, const struct match *match, size_t first,
                         struct str text, struct keyword_reply *reply)
{
	const struct keyword_word *entry = match->entry;
	size_t next = read_reference(words, match, &reply->reference, &reply->reference_certain);
	const char *const *also =
		entry->keyword == KEYWORD_STOP || entry->keyword == KEYWORD_START ? keyword_objects : NULL;

	if (entry->keyword != KEYWORD_HELP && words->truncated)
		return false;
	if (entry->extent == EXTENT_ALONE && !only_courtesies(words, next, also))
		return false;
	if (entry->keyword == KEYWORD_SAFE) {
		if (!safe_is_clear(words, match->next))
			return false;
		size_t note = skip_reassurance(words, next);

		reply->note_needs_reading =
			any_in(words, note, keyword_second_looks) || any_in(words, note, keyword_negations);
	}
	if (entry->keyword == KEYWORD_LANGUAGE) {
		reply->language = read_language(arena, words, match->next);
		if (str_is_none(reply->language))
			return false;
		reply->reference = 0;
		reply->reference_certain = false;
		next = match->next;
	}
	reply->keyword = entry->keyword;
	reply->said_in = entry->language;
	reply->rest = rest_from(words, next, text);
	reply->help_keyword_only = entry->keyword == KEYWORD_HELP && entry->bare && first == 0 && next == words->count;
	return true;
}

/* A text of yes and courtesies. */
static bool is_yes(const struct words *words)
{
	return words->count > 0 && !words->question && !words->truncated && any_in(words, 0, keyword_affirmations) &&
	       only_courtesies(words, 0, keyword_affirmations);
}

void keyword_parse(struct arena *arena, struct str text, struct str preferred, struct keyword_reply *out)
{
	struct str primary = preferred, region;
	struct words words;

	if (str_is_none(text))
		text = S("");
	if (!str_is_none(preferred))
		str_cut(preferred, '-', &primary, &region);
	read_words(arena, text, &words);
	for (size_t first = 0; first < words.count; first++) {
		struct keyword_reply reply = { 0 };
		struct match match;

		if (match_best(&words, first, primary, KEYWORD_UNKNOWN, &match)) {
			if (!accept_match(arena, &words, &match, first, text, &reply))
				break;
			*out = reply;
			return;
		}
		if (!is_in(keyword_courtesies, words.items[first].folded) &&
		    !is_in(keyword_affirmations, words.items[first].folded))
			break;
	}
	struct keyword_reply reply = { .rest = str_trim(text) };

	if (is_yes(&words)) {
		reply.keyword = KEYWORD_START;
		reply.bare_yes = true;
		reply.said_in = "en";
		reply.rest = S("");
	} else {
		reply.urgent = names_help(&words, 0) || denies_safety(&words, 0);
	}
	*out = reply;
}

const char *keyword_name(enum keyword keyword)
{
	switch (keyword) {
	case KEYWORD_SAFE: return "safe";
	case KEYWORD_HELP: return "help";
	case KEYWORD_STOP: return "stop";
	case KEYWORD_START: return "start";
	case KEYWORD_WHERE: return "where";
	case KEYWORD_LANGUAGE: return "language";
	case KEYWORD_UNKNOWN: break;
	}
	return "unknown";
}
