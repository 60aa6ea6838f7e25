/* What a relay answers, in whatever pieces it comes: the same replies as in one piece, within their bounds. */
#include <stdlib.h>

#include "kernel/mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads all; returns a hash of every reply, and how it ended. */
static uint64_t read_all(const char *bytes, size_t size, size_t piece, enum mail_reply_state *last)
{
	static struct mail_reply reply;
	uint64_t hash = 1;
	memset(&reply, 0, sizeof reply);
	*last = MAIL_REPLY_MORE;
	for (size_t at = 0; at < size && *last != MAIL_REPLY_BAD;) {
		size_t used, end = size - at < piece ? size : at + piece;
		*last = mail_reply_read(&reply, (struct str){ bytes + at, end - at }, &used);
		if (used > end - at || reply.text_length > sizeof reply.text || (*last != MAIL_REPLY_BAD && used == 0))
			abort();
		at += used;
		if (*last != MAIL_REPLY_WHOLE)
			continue;
		if (reply.code < 200 || reply.code > 599 || reply.text_length < 3)
			abort();
		hash = hash_bytes(reply.text, reply.text_length, hash);
		mail_fault_of(reply.code, S(""), (struct str){ reply.text, reply.text_length });
	}
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum mail_reply_state whole, pieces;
	uint64_t first = read_all((const char *)data, size, size, &whole), second = read_all((const char *)data, size, 7, &pieces);
	if (first != second || (whole == MAIL_REPLY_BAD) != (pieces == MAIL_REPLY_BAD))
		abort();
	return 0;
}
