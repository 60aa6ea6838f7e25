/* Typographic signs made plain: quotes, dashes, ellipsis, odd spaces, marks without a shape. Letters are never touched. */
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/base.h"
#include "kernel/text/sms_plan.h"

/* The plain form of a typographic sign, "" for signs without a shape, NULL for all else. Letters are never touched. */
static const char *plain_form(uint32_t code)
{
	if (code >= 0x2000 && code <= 0x200A)
		return " ";
	switch (code) {
	case '\t':
	case 0x00A0:
	case 0x202F:
	case 0x205F:
	case 0x3000: return " ";
	case 0x2028:
	case 0x2029:
	case 0x0085: return "\n";
	case '`':
	case 0x00B4:
	case 0x2018:
	case 0x2019:
	case 0x201A:
	case 0x201B:
	case 0x2032:
	case 0x2035:
	case 0x2039:
	case 0x203A: return "'";
	case 0x00AB:
	case 0x00BB:
	case 0x201C:
	case 0x201D:
	case 0x201E:
	case 0x201F:
	case 0x2033:
	case 0x2036:
	case 0x301D:
	case 0x301E: return "\"";
	case 0x2010:
	case 0x2011:
	case 0x2012:
	case 0x2013:
	case 0x2014:
	case 0x2015:
	case 0x2212: return "-";
	case 0x2026: return "...";
	case 0x00AD:
	case 0x200B:
	case 0x200C:
	case 0x200D:
	case 0x2060:
	case 0xFEFF:
	case 0x200E:
	case 0x200F:
	case 0x061C: /* direction marks and isolates: nothing in GSM runs right to left */
	case 0x2066:
	case 0x2067:
	case 0x2068:
	case 0x2069: return "";
	default: return NULL;
	}
}

/* Composes accents (a text typed on some systems carries them apart). STR_NONE if ICU cannot. */
static struct str compose(struct arena *arena, struct str text)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
	int32_t capacity = (int32_t)text.len + 1;
	UChar *wide = ARENA_NEW_ARRAY(arena, UChar, (size_t)capacity);
	UChar *composed = ARENA_NEW_ARRAY(arena, UChar, (size_t)capacity * 3);
	int32_t wide_len = 0, composed_len = 0, out_len = 0;
	char *out = arena_alloc(arena, (size_t)capacity * 9);

	u_strFromUTF8(wide, capacity, &wide_len, text.ptr, (int32_t)text.len, &status);
	composed_len = unorm2_normalize(nfc, wide, wide_len, composed, capacity * 3, &status);
	u_strToUTF8(out, capacity * 9, &out_len, composed, composed_len, &status);
	return U_SUCCESS(status) ? (struct str){ out, (size_t)out_len } : STR_NONE;
}

struct str sms_plain(struct arena *arena, struct str text)
{
	struct str composed = compose(arena, text);
	struct buf buf;

	if (str_is_none(composed))
		return STR_NONE;
	buf_init(&buf);
	for (size_t at = 0; at < composed.len;) {
		size_t start = at;
		const char *plain = plain_form(utf8_next(composed, &at));

		if (plain != NULL)
			buf_add(&buf, plain, strlen(plain));
		else
			buf_add(&buf, composed.ptr + start, at - start);
	}
	struct str result = str_copy(arena, buf_str(&buf));

	buf_release(&buf);
	return result;
}
