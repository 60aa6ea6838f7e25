/* Fills message texts. The build has checked the catalogues' syntax; text_fill checks what comes from elsewhere. */
#include "kernel/text/icu.h"
#include "kernel/text/text.h"

#define FILL_DEPTH_MAX 4

struct fill {
	struct arena *arena;
	enum language language;
	struct str pattern;
	size_t at;
	const struct msg_arg *args;
	size_t count;
	bool isolate;
	bool broken;
	struct str number; /* of the plural being filled, for '#' */
	struct buf out;
};

static void fill_run(struct fill *fill, bool write, int depth);

static char fill_peek(const struct fill *fill)
{
	return fill->at < fill->pattern.len ? fill->pattern.ptr[fill->at] : '\0';
}

static bool fill_take(struct fill *fill, char c)
{
	if (fill_peek(fill) != c || c == '\0') {
		fill->broken = true;
		return false;
	}
	fill->at++;
	return true;
}

static void fill_blanks(struct fill *fill)
{
	while (fill_peek(fill) == ' ' || fill_peek(fill) == '\n' || fill_peek(fill) == '\t')
		fill->at++;
}

/* A run of letters, digits, '_' and '='. */
static struct str fill_word(struct fill *fill)
{
	size_t from = fill->at;
	for (;;) {
		char c = fill_peek(fill);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '=')
			fill->at++;
		else
			break;
	}
	if (fill->at == from)
		fill->broken = true;
	return str_slice(fill->pattern, from, fill->at);
}

static const struct msg_arg *fill_find(const struct fill *fill, struct str name)
{
	for (size_t i = 0; i < fill->count; i++) {
		if (fill->args[i].name != NULL && str_equal(str_from(fill->args[i].name), name))
			return &fill->args[i];
	}
	return NULL;
}

static void fill_argument(struct fill *fill, const struct msg_arg *arg)
{
	if (arg == NULL)
		return;
	if (arg->is_number)
		buf_add_str(&fill->out, text_number(fill->arena, fill->language, arg->number));
	else
		buf_add_str(&fill->out, fill->isolate ? text_isolate(fill->arena, fill->language, arg->text) : arg->text);
}

/* Does the branch `category` fit the number? Exact forms (=0) win over categories, categories over 'other'. */
static int branch_rank(struct str category, int64_t number, struct str wanted)
{
	int64_t exact;
	if (str_starts(category, S("=")))
		return str_to_int(str_slice(category, 1, category.len), &exact) && exact == number ? 3 : 0;
	if (str_equal(category, wanted))
		return 2;
	return str_equal(category, S("other")) ? 1 : 0;
}

static void fill_plural(struct fill *fill, const struct msg_arg *arg, bool write, int depth)
{
	int64_t number = 0;
	if (arg != NULL && arg->is_number)
		number = arg->number;
	else if (arg != NULL && !str_to_int(arg->text, &number))
		number = 0;
	struct str wanted = str_from(text_plural_category(fill->language, number));
	struct str outer = fill->number;
	size_t best_at = SIZE_MAX;
	int best = 0;
	for (fill_blanks(fill); fill_peek(fill) != '}' && !fill->broken; fill_blanks(fill)) {
		struct str category = fill_word(fill);
		fill_blanks(fill);
		if (!fill_take(fill, '{'))
			return;
		int rank = branch_rank(category, number, wanted);
		if (rank > best) {
			best = rank;
			best_at = fill->at;
		}
		fill_run(fill, false, depth + 1);
		fill_take(fill, '}');
	}
	fill_take(fill, '}');
	if (fill->broken || !write || best_at == SIZE_MAX)
		return;
	size_t end = fill->at;
	fill->number = text_number(fill->arena, fill->language, number);
	fill->at = best_at;
	fill_run(fill, true, depth + 1);
	fill->number = outer;
	fill->at = end;
}

/* Writes up to the '}' that ends this run, or to the end of the pattern. */
static void fill_run(struct fill *fill, bool write, int depth)
{
	if (depth > FILL_DEPTH_MAX)
		fill->broken = true;
	while (!fill->broken && fill->at < fill->pattern.len && fill_peek(fill) != '}') {
		char c = fill->pattern.ptr[fill->at++];
		if (c == '#' && !str_is_none(fill->number)) {
			if (write)
				buf_add_str(&fill->out, fill->number);
			continue;
		}
		if (c != '{') {
			if (write)
				buf_add_char(&fill->out, c);
			continue;
		}
		const struct msg_arg *arg = fill_find(fill, fill_word(fill));
		if (fill_peek(fill) == '}') {
			fill->at++;
			if (write)
				fill_argument(fill, arg);
			continue;
		}
		fill_take(fill, ',');
		fill_blanks(fill);
		if (!fill->broken && !str_equal(fill_word(fill), S("plural")))
			fill->broken = true;
		fill_take(fill, ',');
		if (!fill->broken)
			fill_plural(fill, arg, write, depth);
	}
}

struct str text_fill(struct arena *arena, enum language language, struct str pattern, const struct msg_arg *args, size_t count, bool isolate)
{
	struct fill fill = { .arena = arena, .language = language, .pattern = pattern, .args = args, .count = count, .isolate = isolate,
		             .number = STR_NONE };
	buf_init(&fill.out);
	fill_run(&fill, true, 0);
	bool whole = !fill.broken && fill.at == pattern.len;
	struct str text = whole ? str_copy(arena, buf_str(&fill.out)) : STR_NONE;
	buf_release(&fill.out);
	return text;
}

struct str message_text(struct arena *arena, enum language language, enum msg message, const struct msg_arg *args, size_t count, bool isolate)
{
	if ((int)message <= 0 || message >= MSG_COUNT || (int)language < 0 || language >= LANGUAGE_COUNT)
		return S("");
	struct str pattern = str_from(message_texts[language][message]);
	if (count == 0 && memchr(pattern.ptr, '{', pattern.len) == NULL)
		return pattern; /* most texts: nothing to fill in, nothing to copy */
	struct str text = text_fill(arena, language, pattern, args, count, isolate);
	return str_is_none(text) ? S("") : text;
}

struct str err_field_text(struct arena *arena, enum language language, const struct err_field *field)
{
	static const char *const names[ERR_ARGS_MAX] = { "0", "1", "2" };
	struct msg_arg args[ERR_ARGS_MAX];
	for (size_t i = 0; i < ERR_ARGS_MAX; i++)
		args[i] = MSG_S(names[i], field->args[i]);
	return message_text(arena, language, (enum msg)field->message, args, ERR_ARGS_MAX, true);
}

/* Strong right-to-left letters: Hebrew, Arabic and their neighbours in the BMP, the right-to-left planes of the SMP. */
static bool is_right_to_left(uint32_t code)
{
	return (code >= 0x0590 && code <= 0x08FF) || (code >= 0xFB1D && code <= 0xFDFF) || (code >= 0xFE70 && code <= 0xFEFF) ||
	       (code >= 0x10800 && code <= 0x10FFF) || (code >= 0x1E800 && code <= 0x1EFFF) || code == 0x200F || code == 0x061C ||
	       code == 0x202B || code == 0x202E || code == 0x2067;
}

struct str text_isolate(struct arena *arena, enum language language, struct str text)
{
	bool needed = false;
	for (size_t at = 0; at < text.len && !needed;) {
		bool right_to_left = is_right_to_left(utf8_next(text, &at));
		needed = languages[language].right_to_left ? !right_to_left : right_to_left;
	}
	return needed ? str_format(arena, "\u2068%.*s\u2069", STR_ARG(text)) : text;
}
