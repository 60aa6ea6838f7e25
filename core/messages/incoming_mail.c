/* Mail that comes in: bounces booked on their message, automatic mail kept, everything else read as an SMS is. */
#include "core/messages/render.h"
#include "kernel/mail/mail.h"

struct mail_work {
	struct house *house;
	struct arena *arena;
	const struct incoming_mail *mail;
	int64_t message_id;  /* of ours it answers or bounces, 0 unknown */
};

/* "m.TOKEN@domain" is the id of a message of ours. */
static int64_t read_message_id(const struct house *house, struct str id)
{
	if (!str_starts(id, S("m.")))
		return 0;
	size_t end = str_find(id, S("@"), 0);
	return end == SIZE_MAX ? 0 : mail_token_read(house, str_slice(id, 2, end));
}

static int64_t find_our_message(const struct house *house, const struct incoming_mail *mail)
{
	int64_t id = str_is_empty(mail->token) ? 0 : mail_token_read(house, mail->token);
	if (id == 0)
		id = read_message_id(house, mail->bounce.message_id);
	if (id == 0)
		id = read_message_id(house, mail->in_reply_to);
	for (size_t i = mail->reference_count; id == 0 && i-- > 0;)
		id = read_message_id(house, mail->references[i]);
	return id;
}

/* A bounce ends the message, and the address if that is to blame. Delays and full mailboxes say nothing final. */
static enum rc book_bounce(struct mail_work *work, struct db_tx *tx, bool *booked, struct err *err)
{
	const struct mail_bounce *bounce = &work->mail->bounce;
	bool final = (bounce->action == MAIL_ACTION_FAILED || bounce->action == MAIL_ACTION_NONE) &&
	             (bounce->fault == MAIL_FAULT_RECIPIENT || bounce->fault == MAIL_FAULT_MESSAGE);
	struct message_find_args find = { .id = work->message_id };
	struct message_row row;
	struct err quiet;
	err_init(&quiet, work->arena);
	enum rc rc = message_find(tx, work->arena, &find, &row, &quiet);
	if (rc == NOT_FOUND)
		return OK;
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	if (final && (row.state == MESSAGE_SUBMITTED || row.state == MESSAGE_IN_DOUBT))
		return err_set(err, BUSY, "the relay's own answer is not recorded yet");
	*booked = true;
	struct str status = str_is_empty(bounce->status) ? S("bounced") : str_slice(bounce->status, 0, 40);
	if (!final) {
		struct message_set_status_args args = { .id = row.id, .carrier_status = status };
		return message_set_status(tx, &args, NULL, err);
	}
	struct counters counters;
	struct moves moves = { 0 };
	counters_init(&counters, work->arena);
	bool bounced = bounce->fault == MAIL_FAULT_RECIPIENT;
	struct happening what = {
		.event = EVENT_RECEIPT_FAIL,
		.bounced = bounced,
		.reason = bounced ? REASON_UNKNOWN_ADDRESS : REASON_RECEIPT_FAILED,
		.status_code = -1,
		.now = clock_now(),
		.status = str_c(work->arena, status),
	};
	rc = message_happen(engine_of(work->house), tx, work->arena, row.id, &what, &counters, &moves, err);
	return rc == OK ? counters_write(tx, &counters, err) : rc;
}

/* Mails without an id are told apart by what they say; those with one by their sender, too: programs give one id to many. */
static struct str dedupe_of(struct arena *arena, const struct incoming_mail *mail)
{
	if (!str_is_empty(mail->message_id))
		return str_format(arena, "mail:%.*s:%016llx", STR_ARG(mail->message_id),
		                  (unsigned long long)hash_bytes(mail->from.ptr, mail->from.len, 1));
	uint64_t first = hash_bytes(mail->whole_text.ptr, mail->whole_text.len, 1);
	uint64_t second = hash_bytes(mail->from.ptr, mail->from.len, first);
	return str_format(arena, "mail-without-id:%016llx%016llx", (unsigned long long)first, (unsigned long long)second);
}

/* What was written: the new text; else all of it; else the subject, where some write their one word. */
static struct str body_of(const struct incoming_mail *mail)
{
	if (!str_is_empty(str_trim(mail->text)))
		return mail->text;
	if (!str_is_empty(str_trim(mail->subject)) && str_is_empty(str_trim(mail->whole_text)))
		return mail->subject;
	return mail->whole_text;
}

static enum rc store_mail(struct mail_work *work, struct db_tx *tx, struct incoming_item *item, int64_t *id, struct err *err)
{
	const struct incoming_mail *mail = work->mail;
	item->channel = CHANNEL_MAIL;
	item->reply_to_message = work->message_id;
	/* Where a mail's system says that it must not be answered, it is not. */
	item->address = str_lower(work->arena, str_is_empty(mail->reply_to) ? mail->from : mail->reply_to); /* as mailbox_read keeps them */
	item->recipient = mail->delivered_to;
	item->body = body_of(mail);
	item->message_id = mail->message_id;
	struct incoming_new incoming = {
		.channel = CHANNEL_MAIL,
		.reply_to_message = work->message_id,
		.dedupe = dedupe_of(work->arena, mail),
		.address = item->address,
		.recipient = item->recipient,
		.subject = mail->subject,
		.message_id = mail->message_id,
		.body = item->body,
	};
	enum rc rc = incoming_add(tx, work->arena, &incoming, clock_now(), id, err);
	item->id = *id;
	return rc;
}

static enum rc keep_automatic(struct db_tx *tx, int64_t id, struct str outcome, struct err *err)
{
	struct incoming_set_automatic_args args = { .id = id, .outcome = outcome };
	return incoming_set_automatic(tx, &args, NULL, err);
}

static enum rc add_work(struct db_tx *tx, void *context, struct err *err)
{
	struct mail_work *work = context;
	const struct incoming_mail *mail = work->mail;
	bool booked = false;
	work->message_id = find_our_message(work->house, mail);
	enum rc rc = mail->bounce.is_bounce && work->message_id > 0 ? book_bounce(work, tx, &booked, err) : OK;
	struct incoming_item item = { 0 };
	int64_t id = 0;
	if (rc == OK)
		rc = store_mail(work, tx, &item, &id, err);
	if (rc != OK || id == 0)
		return rc; /* 0: it came before */
	if (booked)
		return keep_automatic(tx, id, S("bounce"), err);
	if (mail->bounce.is_bounce || mail->complaint) {
		/* Of whom it speaks cannot be told: an officer looks. */
		struct incoming_give_up_args args = { .why = WHY_NOT_READ, .id = id };
		return incoming_give_up(tx, &args, NULL, err);
	}
	if (mail->automatic)
		return keep_automatic(tx, id, S("automatic"), err);
	return incoming_read_one(work->house, tx, work->arena, &item, err);
}

enum rc incoming_mail_add(struct house *house, const struct incoming_mail *mail, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct mail_work work = { .house = house, .arena = &arena, .mail = mail };
	enum rc rc = db_write(house->db, DB_LANE_PERSON, add_work, &work, err);
	arena_release(&arena);
	return rc;
}
