#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include "base/base.h"
#include "kernel/text/keyword.h"

/* UTF-16 text as ICU wants it. */
struct wide {
	UChar *ptr;
	int32_t len;
};

/* NFKC makes 18 code units of one at most, and of few characters: so a little room is tried first. */
static struct wide apply(struct arena *arena, const UNormalizer2 *normalizer, struct wide in)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t capacity = in.len * 2 + 32;
	struct wide out = { ARENA_NEW_ARRAY(arena, UChar, (size_t)capacity), 0 };

	out.len = unorm2_normalize(normalizer, in.ptr, in.len, out.ptr, capacity, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR) {
		status = U_ZERO_ERROR;
		capacity = out.len + 1;
		out.ptr = ARENA_NEW_ARRAY(arena, UChar, (size_t)capacity);
		out.len = unorm2_normalize(normalizer, in.ptr, in.len, out.ptr, capacity, &status);
	}
	return U_SUCCESS(status) ? out : in;
}

static bool is_arabic_mark(UChar32 c)
{
	return (c >= 0x0610 && c <= 0x061A) || (c >= 0x064B && c <= 0x065F) || c == 0x0670 ||
	       (c >= 0x06D6 && c <= 0x06DC) || (c >= 0x06DF && c <= 0x06E8) || (c >= 0x06EA && c <= 0x06ED);
}

/* Letters that Arabic and Persian keyboards, and careless spelling, exchange. */
static UChar32 fold_letter(UChar32 c)
{
	switch (c) {
	case 0x0671: return 0x0627; /* alef wasla; other alefs lost their marks already */
	case 0x0649:
	case 0x06CC:
	case 0x06D2: return 0x064A; /* alef maksura, Persian ye, Urdu ye */
	case 0x06A9:
	case 0x06AA: return 0x0643; /* Persian and swash kaf */
	case 0x0629:
	case 0x06C1:
	case 0x06BE:
	case 0x06D5:
	case 0x06C3: return 0x0647; /* te marbuta and kinds of he */
	case 0x0131: return 'i';
	default: return c;
	}
}

/* The code point at *at, which moves past it. */
static UChar32 next_code(struct wide text, int32_t *at)
{
	UChar lead = text.ptr[(*at)++];

	if (!U16_IS_LEAD(lead) || *at == text.len || !U16_IS_TRAIL(text.ptr[*at]))
		return lead;
	return U16_GET_SUPPLEMENTARY(lead, text.ptr[(*at)++]);
}

/* Works on text that is fully decomposed: drops marks where that is right, folds letters and digits, tidies blanks. */
static struct wide fold(struct arena *arena, struct wide in)
{
	struct wide out = { ARENA_NEW_ARRAY(arena, UChar, (size_t)in.len + 1), 0 };
	UScriptCode base = USCRIPT_COMMON;
	bool blank = false;

	for (int32_t i = 0; i < in.len;) {
		UErrorCode status = U_ZERO_ERROR;
		UChar32 c = next_code(in, &i);

		if (u_isUWhiteSpace(c) || u_iscntrl(c)) {
			blank = out.len > 0;
			continue;
		}
		if (c == 0x0640 || is_arabic_mark(c) || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
			continue;
		if (u_charType(c) == U_NON_SPACING_MARK) {
			if (base == USCRIPT_LATIN)
				continue;
		} else {
			base = uscript_getScript(c, &status);
		}
		int32_t digit = u_charType(c) == U_DECIMAL_DIGIT_NUMBER ? u_charDigitValue(c) : -1;

		c = digit >= 0 ? '0' + digit : fold_letter(c);
		if (blank)
			out.ptr[out.len++] = ' ';
		blank = false;
		U16_APPEND_UNSAFE(out.ptr, out.len, c);
	}
	return out;
}

struct str keyword_normalise(struct arena *arena, struct str text)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *casefold = unorm2_getNFKCCasefoldInstance(&status);
	const UNormalizer2 *decompose = unorm2_getNFDInstance(&status);
	const UNormalizer2 *compose = unorm2_getNFCInstance(&status);
	struct wide wide;
	int32_t len = 0;

	if (U_FAILURE(status) || text.len > INT32_MAX / 64)
		return S("");
	wide.ptr = ARENA_NEW_ARRAY(arena, UChar, text.len + 1);
	wide.len = 0;
	for (size_t at = 0; at < text.len;) {
		UChar32 c = (UChar32)utf8_next(text, &at);

		U16_APPEND_UNSAFE(wide.ptr, wide.len, c);
	}
	wide = apply(arena, casefold, wide);
	wide = apply(arena, decompose, wide);
	wide = fold(arena, wide);
	wide = apply(arena, compose, wide);

	int32_t capacity = wide.len * 3 + 1;
	char *out = arena_alloc(arena, (size_t)capacity);

	u_strToUTF8(out, capacity, &len, wide.ptr, wide.len, &status);
	return U_SUCCESS(status) ? (struct str){ out, (size_t)len } : S("");
}
