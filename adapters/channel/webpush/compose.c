/* What a notification says, in the form that web/push-worker.js reads. */
#include <jansson.h>
#include <stdlib.h>

#include "adapters/channel/webpush/webpush.h"

#define ELLIPSIS "…"

static json_t *text(struct str s)
{
	return json_stringn(s.ptr ? s.ptr : "", s.len);
}

/* At most `most` bytes, whole characters, with an ellipsis where something was cut. */
static struct str shortened(struct arena *arena, struct str s, size_t most)
{
	const size_t mark = sizeof ELLIPSIS - 1;

	if (s.len <= most)
		return s;
	if (most <= mark)
		return S("");
	size_t length = most - mark;
	while (length > 0 && ((unsigned char)s.ptr[length] & 0xc0) == 0x80)
		length--;
	return str_concat(arena, str_trim(str_slice(s, 0, length)), S(ELLIPSIS));
}

static struct str write(struct arena *arena, const struct channel_push *push, size_t title_most, size_t body_most)
{
	json_t *words = json_pack("{so, so, so, so, so}", "safe", text(push->words.safe), "help", text(push->words.help), "said_safe",
	                          text(push->words.said_safe), "said_help", text(push->words.said_help), "unsaid", text(push->words.unsaid));
	json_t *root = json_pack("{so, so, so, ss, so, so, sb}", "title", text(shortened(arena, push->title, title_most)), "body",
	                         text(shortened(arena, push->body, body_most)), "lang", text(push->language), "dir",
	                         push->right_to_left ? "rtl" : "ltr", "open", text(push->open), "tag", text(push->topic), "silent", push->silent);
	struct str out = STR_NONE;

	if (root && words && push->answer.len) {
		json_object_set_new(root, "answer", text(push->answer));
		json_object_set(root, "words", words);
	}
	char *bytes = root && words ? json_dumps(root, JSON_COMPACT) : NULL;
	if (bytes)
		out = str_copy(arena, str_from(bytes));
	free(bytes);
	json_decref(words);
	json_decref(root);
	return out;
}

struct str webpush_compose(struct arena *arena, const struct channel_push *push, size_t most)
{
	size_t title = push->title.len, body = push->body.len;

	for (;;) {
		const struct str out = write(arena, push, title, body);
		if (str_is_none(out) || out.len <= most)
			return out;
		/* Escapes make text longer than its bytes: half of what is too much is cut, and looked at again. */
		const size_t excess = (out.len - most) / 2 + 1;
		if (body > 0)
			body = body > excess ? body - excess : 0;
		else if (title > 0)
			title = title > excess ? title - excess : 0;
		else
			return STR_NONE;
	}
}
