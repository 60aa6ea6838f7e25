/* A mail as the mail system hands it over. What comes out is UTF-8 within its bounds. */
#include <stdlib.h>

#include "kernel/mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str text, size_t most)
{
	if (text.len > most || !utf8_valid(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct incoming_mail mail;
	arena_init(&arena);
	if (mail_read(&arena, (struct str){ (const char *)data, size }, &mail, NULL) == OK) {
		check(mail.text, MAIL_TEXT_MAX);
		check(mail.whole_text, MAIL_TEXT_MAX);
		check(mail.subject, MAIL_FIELD_MAX);
		check(mail.from, MAIL_FIELD_MAX);
		check(mail.delivered_to, MAIL_FIELD_MAX);
		check(mail.bounce.status, 9);
		check(mail.bounce.message_id, MAIL_FIELD_MAX);
		if (mail.text.len > mail.whole_text.len || (mail.bounce.is_bounce && !mail.automatic))
			abort();
	}
	arena_release(&arena);
	return 0;
}
