/* A relay's replies, from the bytes of its connection (RFC 5321, 4.2). */
#include "kernel/mail/mail.h"

static void add_text(struct mail_reply *reply, struct str said)
{
	size_t room = sizeof reply->text - reply->text_length;
	size_t length = said.len < room ? said.len : room;
	memcpy(reply->text + reply->text_length, said.ptr, length);
	for (size_t i = reply->text_length; i < reply->text_length + length; i++)
		if ((unsigned char)reply->text[i] < ' ' || (unsigned char)reply->text[i] > '~')
			reply->text[i] = '?';
	reply->text_length += length;
}

/* The lines' words behind one another: what a refusal means often stands in the last one. */
static enum mail_reply_state take_line(struct mail_reply *reply, struct str line)
{
	int64_t code;
	line = str_trim(line);
	if (line.len < 3 || !str_to_int(str_slice(line, 0, 3), &code) || code < 200 || code > 599)
		return MAIL_REPLY_BAD;
	bool more = line.len > 3 && line.ptr[3] == '-';
	if (!reply->in_reply) {
		reply->text_length = 0;
		add_text(reply, line);
	} else if (line.len > 4) {
		add_text(reply, S(" "));
		add_text(reply, str_slice(line, 4, line.len));
	}
	reply->in_reply = more;
	reply->code = (int)code;
	return more ? MAIL_REPLY_MORE : MAIL_REPLY_WHOLE;
}

enum mail_reply_state mail_reply_read(struct mail_reply *reply, struct str bytes, size_t *used)
{
	enum mail_reply_state state = MAIL_REPLY_MORE;
	*used = 0;
	while (*used < bytes.len && state == MAIL_REPLY_MORE) {
		struct str rest = str_slice(bytes, *used, bytes.len);
		const char *end = memchr(rest.ptr, '\n', rest.len);
		size_t n = end ? (size_t)(end - rest.ptr) + 1 : rest.len;
		if (n > sizeof reply->line - reply->line_length)
			return MAIL_REPLY_BAD;
		memcpy(reply->line + reply->line_length, rest.ptr, n);
		reply->line_length += n;
		*used += n;
		if (!end)
			break;
		struct str line = { reply->line, reply->line_length };
		reply->line_length = 0;
		state = take_line(reply, line);
	}
	return state;
}
