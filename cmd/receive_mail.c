/* `chancery receive-mail SENDER RECIPIENT`: one mail on standard input, from the mail system's pipe. */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/messages/messages.h"
#include "desks/travel/travel.h"
#include "kernel/mail/mail.h"

#define PATIENCE (3 * CLOCK_SECOND)
#define TRY_AGAIN 200000 /* microseconds */

/* The mail with what the mail system says of its envelope on top, where nobody else can have written it. */
static enum rc
mail_take(struct arena *arena, struct str sender, struct str recipient, struct str *out, struct err *err)
{
	char part[65536];
	struct buf raw;
	size_t size;

	buf_init(&raw);
	buf_format(&raw, "Return-Path: <%.*s>\r\n", STR_ARG(mail_address_valid(sender) ? sender : S("")));
	if (mail_address_valid(recipient))
		buf_format(&raw, "Delivered-To: %.*s\r\n", STR_ARG(recipient));
	const size_t head = raw.len;
	while (raw.len <= MAIL_SIZE_MAX && (size = fread(part, 1, sizeof part, stdin)) > 0)
		buf_add(&raw, part, size);
	enum rc rc = OK;
	if (ferror(stdin))
		rc = err_set(err, FAILED, "the mail could not be read from standard input");
	else if (raw.len == head)
		rc = err_set(err, INVALID, "there is no mail on standard input");
	else if (raw.len > MAIL_SIZE_MAX)
		rc = err_set(err, INVALID, "the message is larger than %u megabytes", MAIL_SIZE_MAX >> 20);
	if (rc == OK)
		*out = str_copy(arena, buf_str(&raw));
	buf_release(&raw);
	return rc;
}

static enum rc
mail_add(struct house *house, const struct incoming_mail *mail, struct err *err)
{
	const int64_t until = clock_monotonic() + PATIENCE;

	/* A bounce may be faster than the note that the relay took the mail; a short wait spares the mail system's long one. */
	for (;;) {
		struct err once;
		err_init(&once, err->arena);
		enum rc rc = incoming_mail_add(house, mail, &once);
		if (rc != BUSY || clock_monotonic() > until) {
			*err = once;
			return rc;
		}
		usleep(TRY_AGAIN);
	}
}

int
command_receive_mail(struct command_line *line)
{
	static const struct option options[] = { { NULL, 0, NULL, 0 } };
	struct house *house = NULL;
	struct incoming_mail mail;
	struct str raw;
	struct arena arena;
	struct err err;

	optind = 0;
	if (getopt_long(line->argc, line->argv, "+", options, NULL) != -1 || optind + 2 != line->argc) {
		/* A pipe that is set up wrongly must not cost anyone their mail: it waits until the operator has mended it. */
		command_usage(line, "name the envelope's sender (may be empty) and its recipient; -- before them lets them begin with anything");
		return EX_TEMPFAIL;
	}
	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = mail_take(&arena, str_from(line->argv[optind]), str_from(line->argv[optind + 1]), &raw, &err);
	if (rc == OK)
		rc = mail_read(&arena, raw, &mail, &err);
	const bool refused = rc == INVALID;
	if (rc == OK)
		rc = command_house_open(line, NULL, false, &house, &err);
	if (rc == OK) {
		travel_register(house);
		rc = mail_add(house, &mail, &err);
	}
	command_fail(rc, &err);
	if (house) {
		messages_desk.stop(house);
		command_house_close(house);
	}
	arena_release(&arena);
	/* Mail systems read sysexits.h: with 'temporary failure' they keep the mail and come again, with anything else they give it back. */
	return rc == OK ? 0 : refused ? EX_DATAERR : EX_TEMPFAIL;
}
