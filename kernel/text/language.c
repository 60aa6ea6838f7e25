#include "kernel/text/text.h"

const struct language_info languages[LANGUAGE_COUNT] = {
	[LANGUAGE_EN] = { "en", "English", false },
	[LANGUAGE_FR] = { "fr", "français", false },
	[LANGUAGE_AR] = { "ar", "العربية", true },
	[LANGUAGE_FA] = { "fa", "فارسی", true },
};

/* A header of browsers names a dozen languages; what stands behind these is not read. */
#define ACCEPT_RANGES_MAX 64

enum language language_find(struct str tag)
{
	struct str primary = tag;
	for (size_t i = 0; i < tag.len; i++) {
		if (tag.ptr[i] == '-' || tag.ptr[i] == '_') {
			primary = str_slice(tag, 0, i);
			break;
		}
	}
	/* The longer names of the same languages (ISO 639-2 and -3). */
	static const struct {
		const char *code;
		enum language language;
	} others[] = { { "prs", LANGUAGE_FA }, { "pes", LANGUAGE_FA }, { "fas", LANGUAGE_FA }, { "per", LANGUAGE_FA },
		       { "ara", LANGUAGE_AR }, { "arb", LANGUAGE_AR }, { "eng", LANGUAGE_EN }, { "fra", LANGUAGE_FR },
		       { "fre", LANGUAGE_FR } };
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		if (str_equal_nocase(primary, str_from(languages[i].tag)))
			return (enum language)i;
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (str_equal_nocase(primary, str_from(others[i].code)))
			return others[i].language;
	}
	return LANGUAGE_COUNT;
}

/* Reads a weight ("0.8") in thousandths (RFC 9110, 12.4.2: at most three decimals); -1 if it is none. */
static int read_weight(struct str text)
{
	if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1'))
		return -1;
	if (text.len > 1 && text.ptr[1] != '.')
		return -1;
	int weight = (text.ptr[0] - '0') * 1000;
	int unit = 100;
	for (size_t i = 2; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -1;
		weight += (text.ptr[i] - '0') * unit;
		unit /= 10;
	}
	return weight > 1000 ? -1 : weight;
}

enum language language_accept(struct str accept_language)
{
	enum language best = LANGUAGE_EN;
	int best_weight = 0;
	struct str rest = accept_language, range;
	bool more = !str_is_empty(rest);
	for (int count = 0; more && count < ACCEPT_RANGES_MAX; count++) {
		struct str next;
		more = str_cut(rest, ',', &range, &next);
		rest = next;
		struct str tag, parameter;
		int weight = 1000;
		if (str_cut(range, ';', &tag, &parameter)) {
			parameter = str_trim(parameter);
			weight = str_starts(parameter, S("q=")) ? read_weight(str_slice(parameter, 2, parameter.len)) : -1;
		}
		tag = str_trim(tag);
		enum language language = str_equal(tag, S("*")) ? LANGUAGE_EN : language_find(tag);
		/* Equal weights: the first one named. */
		if (language != LANGUAGE_COUNT && weight > best_weight) {
			best = language;
			best_weight = weight;
		}
	}
	return best;
}
