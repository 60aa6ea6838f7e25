/* Mailboxes and names as people type them; addresses, statuses and texts as mail systems write them. */
#include <stdlib.h>

#include "core/people/people.h"
#include "kernel/mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Nothing that would end a line, a header or an address of the mails we write. */
static void check_mailbox(struct arena *arena, struct str mailbox)
{
	struct str again;
	check(mailbox.len > 2 && mailbox.len <= MAILBOX_MAX && utf8_valid(mailbox));
	for (size_t i = 0; i < mailbox.len; i++)
		check((unsigned char)mailbox.ptr[i] > ' ' && !strchr("<>\"\x7f", mailbox.ptr[i]));
	check(mailbox_read(arena, mailbox, S("email"), &again, NULL) == OK && str_equal(again, mailbox));
	check(mail_address_valid(mailbox));
}

static void check_name(struct arena *arena, struct str name)
{
	struct str again;
	check(name.len > 0 && utf8_valid(name) && utf8_length(name) <= PERSON_NAME_MAX);
	for (size_t i = 0; i < name.len; i++)
		check((unsigned char)name.ptr[i] >= ' ');
	check(person_name_read(arena, name, S("name"), &again, NULL) == OK && str_equal(again, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size }, out;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = mailbox_read(&arena, text, S("email"), &out, &err);
	check((rc == OK) == (err.field_count == 0));
	if (rc == OK)
		check_mailbox(&arena, out);
	if (person_name_read(&arena, text, S("name"), &out, NULL) == OK)
		check_name(&arena, out);
	(void)mail_address_valid(text);
	struct str status = mail_status_in(text);
	check(status.len == 0 || (status.ptr >= text.ptr && status.ptr + status.len <= text.ptr + text.len));
	(void)mail_fault_of(size > 0 ? 400 + data[0] : 0, status, text);
	(void)mail_fault_of(550, S(""), text);
	arena_release(&arena);
	return 0;
}
