/* What one message says, and to which address. */
#include "core/messages/render.h"
#include "kernel/access/access.h"
#include "kernel/text/sms.h"

#define MAIL_PURPOSE "mail"

struct str mail_token(const struct house *house, struct arena *arena, int64_t message_id)
{
	return capability_token(house, arena, MAIL_PURPOSE, message_id, 0);
}

int64_t mail_token_read(const struct house *house, struct str token)
{
	int64_t id;
	return capability_id(token, &id) && capability_check(house, token, MAIL_PURPOSE, id, 0) ? id : 0;
}

/* --- to whom ------------------------------------------------------------------------------------------------------- */

static const struct contact *find_contact(const struct person *person, int64_t contact_id)
{
	for (size_t i = 0; i < person->contact_count; i++)
		if (person->contacts[i].id == contact_id)
			return &person->contacts[i];
	return NULL;
}

/* The address of a notice's message is chosen when it leaves: what was the best when the audience was frozen may be gone. */
static const struct contact *choose_contact(const struct person *person, enum channel_kind channel, enum message_reason *reason)
{
	const struct contact *contact = person_contact(person, channel);
	if (contact)
		return contact;
	*reason = REASON_NO_CONTACT;
	for (size_t i = 0; i < person->contact_count; i++)
		if (person->contacts[i].channel == channel && person->contacts[i].opted_out)
			*reason = REASON_OPTED_OUT;
	return NULL;
}

/* --- short messages -------------------------------------------------------------------------------------------------- */

static enum rc already_accepted(struct db_tx *tx, struct arena *arena, struct flight *flight, struct err *err)
{
	struct message_part_list_args args = { .message_id = flight->id };
	struct message_part_list_row *rows;
	size_t count;
	enum rc rc = message_part_list(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].part >= 0 && rows[i].part < PARTS_MAX)
			flight->accepted |= UINT32_C(1) << rows[i].part;
	return rc;
}

static uint32_t all_parts(size_t count)
{
	return count >= 32 ? UINT32_MAX : (UINT32_C(1) << count) - 1;
}

/* The parts that are wanted, as one run: the contract hands over neighbours. Parts between two missing ones are sent
 * again with them; phones drop a part they have. */
static void choose_parts(struct flight *flight, size_t count, size_t *first, size_t *end)
{
	*first = 0;
	*end = count;
	while (*first < *end && flight->accepted & (UINT32_C(1) << *first))
		(*first)++;
	while (*end > *first && flight->accepted & (UINT32_C(1) << (*end - 1)))
		(*end)--;
	if (*first == *end) {
		*first = 0;
		*end = count;
		flight->accepted = 0;
	}
	flight->wanted = all_parts(*end) & ~all_parts(*first);
	flight->accepted &= ~flight->wanted;
}

/* Joins the parts on the phone. The same each time the message is sent, since single parts are sent again; another for each
 * message to one person, as far back as the width allows (8 bits: 128 notices), because notices and single messages count up
 * and the factor is odd; another for people who share a phone and are told the same notice. */
static uint16_t reference_of(const struct flight *flight)
{
	const uint64_t odd = 40503;
	uint64_t count = flight->live ? (uint64_t)flight->live->id * 2 : (uint64_t)(flight->id >> BLOCK_ID_BITS) * 2 + 1;
	return (uint16_t)(count * odd + (uint64_t)flight->person_id);
}

static enum rc render_sms(struct engine *engine, struct db_tx *tx, struct batch *batch, struct flight *flight, struct str text,
                          enum message_reason *reason, struct err *err)
{
	struct sms_options options = {
		.road = engine->roads[flight->road].route.sms,
		.parts_max = (size_t)setting_int(engine->house, "messages.sms_parts"),
		.reference = reference_of(flight),
		.transliterate = true,
	};
	struct sms_message sms;
	struct err quiet;
	err_init(&quiet, &batch->arena);
	if (sms_split(&batch->arena, text, &options, &sms, &quiet) != OK) {
		*reason = REASON_TOO_LONG;
		return OK;
	}
	enum rc rc = OK;
	/* Parts that another carrier took do not count: a message goes by one carrier whole. */
	bool same = route_carrier(engine, flight->route) == engine->roads[flight->road].carrier;
	if (flight->parts > 1 && flight->parts == sms.part_count && same)
		rc = already_accepted(tx, &batch->arena, flight, err);
	if (rc != OK)
		return rc;
	size_t first, end;
	choose_parts(flight, sms.part_count, &first, &end);
	struct channel_part *parts = ARENA_NEW_ARRAY(&batch->arena, struct channel_part, end - first);
	for (size_t i = first; i < end; i++)
		parts[i - first] = (struct channel_part){ sms.parts[i].data_coding, sms.parts[i].esm_class, sms.parts[i].short_message };
	struct channel_sms *out = ARENA_NEW(&batch->arena, struct channel_sms);
	*out = (struct channel_sms){
		.sender = S(""),
		.parts = parts,
		.part_count = end - first,
		.first_part = (uint16_t)first,
		.expires = flight->expires_at,
		.receipt = engine->roads[flight->road].route.receipts,
		.sar_reference = sms.parts[0].sar_reference,
		.sar_total = sms.parts[0].sar_total,
		.payload = sms.parts[0].payload,
	};
	flight->parts = (uint16_t)sms.part_count;
	flight->message.sms = out;
	return OK;
}

/* --- mail ---------------------------------------------------------------------------------------------------------------- */

static void render_mail(struct engine *engine, struct batch *batch, struct flight *flight, const struct message_draft *draft,
                        struct str in_reply_to)
{
	struct arena *arena = &batch->arena;
	struct house *house = engine->house;
	struct str domain = setting_text(house, arena, "messages.mail_domain");
	struct str token = mail_token(house, arena, flight->id);
	struct channel_mail *mail = ARENA_NEW(arena, struct channel_mail);
	*mail = (struct channel_mail){
		.envelope_from = str_format(arena, "bounce+%.*s@%.*s", STR_ARG(token), STR_ARG(domain)),
		.from_address = setting_text(house, arena, "messages.mail_from"),
		.from_name = setting_text(house, arena, "messages.mail_name"),
		.reply_to = str_format(arena, "reply+%.*s@%.*s", STR_ARG(token), STR_ARG(domain)),
		.subject = draft->subject,
		.text = draft->text,
		.html = str_is_none(draft->html) ? S("") : draft->html,
		.message_id = str_format(arena, "m.%.*s@%.*s", STR_ARG(token), STR_ARG(domain)),
		.references = S(""),
		.list_id = flight->live ? setting_text(house, arena, "messages.list_id") : S(""),
		.unsubscribe = str_is_none(draft->unsubscribe_url) ? S("") : draft->unsubscribe_url,
		.language = str_from(languages[draft->language].tag),
		.date = clock_now(),
		.automatic = true,
	};
	if (!str_is_empty(in_reply_to))
		mail->references = str_format(arena, "<%.*s>", STR_ARG(in_reply_to));
	else if (!str_is_empty(draft->thread))
		mail->references = str_format(arena, "<%.*s@%.*s>", STR_ARG(draft->thread), STR_ARG(domain));
	flight->parts = 1;
	flight->wanted = 1;
	flight->message.mail = mail;
}

/* --- all together ------------------------------------------------------------------------------------------------------- */

static enum rc draft_notice(struct engine *engine, struct db_tx *tx, struct batch *batch, struct flight *flight,
                            const struct person *person, struct message_draft *draft, struct err *err)
{
	const struct notice_desk *desk = engine->desks[flight->live->kind];
	if (!desk)
		return err_set(err, FAILED, "nobody renders notices of kind %lld", (long long)flight->live->kind);
	return desk->render(engine->house, &batch->arena, tx, flight->live->subject_id, flight->text_group, person,
	                    (enum channel_kind)flight->channel, draft, err);
}

static enum rc draft_single(struct db_tx *tx, struct batch *batch, struct flight *flight, const struct person *person,
                            struct message_draft *draft, struct str *address, struct str *in_reply_to, struct err *err)
{
	struct message_text_find_args args = { .message_id = flight->id };
	struct message_text_find_row row;
	enum rc rc = message_text_find(tx, &batch->arena, &args, &row, err);
	if (rc != OK)
		return rc;
	draft->subject = row.subject;
	draft->text = row.body;
	draft->html = STR_NONE;
	draft->language = person ? person->language : LANGUAGE_EN;
	*in_reply_to = row.in_reply_to;
	if (flight->contact_id == 0)
		*address = row.address;
	return OK;
}

/* The person and the contact; *reason says why there is none. */
static enum rc find_receiver(struct db_tx *tx, struct batch *batch, struct flight *flight, struct person *person,
                             struct str *address, enum message_reason *reason, struct err *err)
{
	if (flight->person_id == 0)
		return OK;
	struct err quiet;
	err_init(&quiet, &batch->arena);
	enum rc rc = person_find(tx, &batch->arena, flight->person_id, person, &quiet);
	if (rc == NOT_FOUND || (rc == OK && person->ended_at != DB_NULL)) {
		*reason = REASON_ERASED;
		return OK;
	}
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	const struct contact *contact = NULL;
	if (flight->live) {
		contact = choose_contact(person, (enum channel_kind)flight->channel, reason);
	} else if (flight->contact_id > 0) {
		contact = find_contact(person, flight->contact_id);
		if (!contact || contact->ended)
			*reason = REASON_NO_CONTACT;
	}
	if (contact) {
		flight->contact_id = contact->id;
		*address = contact->address;
	}
	return OK;
}

enum rc render(struct engine *engine, struct db_tx *tx, struct batch *batch, struct flight *flight, enum message_reason *reason,
               struct err *err)
{
	struct person person;
	struct str address = S(""), in_reply_to = S("");
	struct message_draft draft = { .subject = S(""), .text = S(""), .html = STR_NONE, .thread = S(""),
		                       .unsubscribe_url = STR_NONE };
	memset(&person, 0, sizeof person);
	flight->accepted = flight->answered = 0;
	flight->outcome = WORST_ACCEPTED;
	flight->bounced = flight->waited = false;
	flight->message = (struct channel_message){ .id = flight->id };
	enum rc rc = find_receiver(tx, batch, flight, &person, &address, reason, err);
	if (rc != OK || *reason != REASON_NONE)
		return rc;
	if (flight->road == ROAD_NONE) {
		if (flight->contact_id == 0) {
			struct message_text_find_args args = { .message_id = flight->id };
			struct message_text_find_row row;
			rc = message_text_find(tx, &batch->arena, &args, &row, err);
			address = rc == OK ? row.address : address;
		}
		if (rc == OK)
			rc = road_choose(engine, flight, address, err);
		if (rc != OK)
			return rc;
	}
	const struct person *whom = flight->person_id > 0 ? &person : NULL;
	rc = flight->live ? draft_notice(engine, tx, batch, flight, whom, &draft, err)
	                  : draft_single(tx, batch, flight, whom, &draft, &address, &in_reply_to, err);
	if (rc != OK)
		return rc;
	if (str_is_empty(address)) {
		*reason = REASON_NO_CONTACT;
		return OK;
	}
	flight->message.to = address;
	if (flight->channel == CHANNEL_SMS)
		return render_sms(engine, tx, batch, flight, draft.text, reason, err);
	render_mail(engine, batch, flight, &draft, in_reply_to);
	return OK;
}
