#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "core/places/fold.h"

/* Letters that Unicode does not decompose but that people type otherwise; the same table stands in
 * tools/placefold.py. */
static const struct {
	uint32_t from;
	const char *to;
} special[] = {
	{ 0x00DF, "ss" },
	{ 0x00E6, "ae" },
	{ 0x0153, "oe" },
	{ 0x00F8, "o" },
	{ 0x0142, "l" },
	{ 0x0111, "d" },
	{ 0x00F0, "d" },
	{ 0x00FE, "th" },
	{ 0x0131, "i" },
	{ 0x0127, "h" },
	{ 0x014B, "n" },
	{ 0x0259, "e" },
	{ 0x0253, "b" },
	{ 0x0257, "d" },
	{ 0x0199, "k" },
	{ 0x01B4, "y" },
	{ 0x025B, "e" },
	{ 0x0254, "o" },
	/* Arabic script: one form for ye, kaf, he and alef, whatever keyboard wrote it. */
	{ 0x0649, "\u064A" },
	{ 0x06CC, "\u064A" },
	{ 0x06D2, "\u064A" },
	{ 0x06A9, "\u0643" },
	{ 0x06C1, "\u0647" },
	{ 0x06BE, "\u0647" },
	{ 0x06D5, "\u0647" },
	{ 0x0629, "\u0647" },
	{ 0x06C3, "\u0647" },
	{ 0x0671, "\u0627" },
};

/* Signs inside words that many leave out. */
static bool dropped(uint32_t code)
{
	switch (code) {
	case '\'':
	case '`':
	case 0x00B4:
	case 0x2018:
	case 0x2019:
	case 0x02BB:
	case 0x02BC:
	case 0x02BE:
	case 0x02BF:
	case 0x02B9:
	case 0x02BA:
	case 0x2032:
	case 0x0640: return true;
	default: return code >= 0xFE00 && code <= 0xFE0F;
	}
}

struct folding {
	struct buf *out;
	bool space; /* a blank is due before the next letter */
};

static void emit(struct folding *folding, const char *bytes, size_t size)
{
	if (folding->space && folding->out->len > 0)
		buf_add_char(folding->out, ' ');
	folding->space = false;
	buf_add(folding->out, bytes, size);
}

static void fold_decomposed(struct folding *folding, uint32_t code)
{
	code = (uint32_t)u_foldCase((UChar32)code, U_FOLD_CASE_DEFAULT);
	uint8_t class = u_getCombiningClass((UChar32)code);
	/* 9 is the virama and 8 the kana voicing mark: both tell words apart, unlike accents. */
	if ((class != 0 && class != 8 && class != 9) || u_charType((UChar32)code) == U_FORMAT_CHAR || dropped(code))
		return;
	for (size_t i = 0; i < COUNT_OF(special); i++)
		if (special[i].from == code) {
			emit(folding, special[i].to, strlen(special[i].to));
			return;
		}
	int32_t digit = u_charDigitValue((UChar32)code);
	uint32_t category = U_MASK(u_charType((UChar32)code));
	char bytes[4];
	if ((category & U_GC_ND_MASK) && digit >= 0) {
		bytes[0] = (char)('0' + digit);
		emit(folding, bytes, 1);
	} else if (category & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK)) {
		emit(folding, bytes, utf8_put(code, bytes));
	} else {
		folding->space = true;
	}
}

struct str place_fold(struct arena *arena, struct str text)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&status);
	struct buf out;
	buf_init(&out);
	struct folding folding = { &out, false };
	for (size_t at = 0; at < text.len && U_SUCCESS(status);) {
		uint32_t code = utf8_next(text, &at);
		UChar units[32];
		UErrorCode lookup = U_ZERO_ERROR;
		int32_t count = unorm2_getDecomposition(nfkd, (UChar32)code, units, (int32_t)COUNT_OF(units), &lookup);
		if (count < 0 || U_FAILURE(lookup)) {
			fold_decomposed(&folding, code);
			continue;
		}
		for (int32_t i = 0; i < count;) {
			uint32_t part = units[i++];
			if (part >= 0xD800 && part < 0xDC00 && i < count) /* decompositions are well-formed UTF-16 */
				part = 0x10000 + ((part - 0xD800) << 10) + (units[i++] - 0xDC00U);
			fold_decomposed(&folding, part);
		}
	}
	struct str key = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return key;
}

size_t place_code_points(struct str text, uint32_t *out, size_t room)
{
	size_t count = 0;
	for (size_t at = 0; at < text.len; count++) {
		uint32_t code = utf8_next(text, &at);
		if (count < room)
			out[count] = code;
	}
	return count;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t place_distance(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count, size_t most)
{
	size_t rows[3][PLACE_DISTANCE_MAX + 1];
	size_t difference = a_count > b_count ? a_count - b_count : b_count - a_count;
	if (difference > most || a_count > PLACE_DISTANCE_MAX || b_count > PLACE_DISTANCE_MAX)
		return most + 1;
	for (size_t j = 0; j <= b_count; j++)
		rows[0][j] = j;
	size_t *before = rows[2], *above = rows[0], *row = rows[1];
	for (size_t i = 1; i <= a_count; i++) {
		size_t best = row[0] = i;
		for (size_t j = 1; j <= b_count; j++) {
			size_t cost = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cost = least(cost, before[j - 2] + 1);
			row[j] = cost;
			best = least(best, cost);
		}
		if (best > most)
			return most + 1;
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return least(above[b_count], most + 1);
}
