/* Reading incoming messages: what can be handled by rule is, everything else waits for an officer. Nothing is guessed. */
#include "core/messages/internal.h"

#define PEOPLE_MOST 8                /* of one address */
#define GUARD_TIME CLOCK_HOUR
#define GUARD_SAME 3                 /* the same text from one address more often is a loop */
#define GUARD_ANSWERS 10             /* automatic answers to one address */
#define ANSWER_EXPIRES (6 * CLOCK_HOUR)
#define NUMBER_DIGITS_LEAST 8        /* fewer are short codes */

void messages_set_stays(struct house *house, messages_stays stays)
{
	engine_of(house)->stays = stays;
}

struct reader {
	struct house *house;
	struct engine *engine;
	struct db_tx *tx;
	struct arena *arena;
	const struct incoming_item *item;
	struct keyword_reply said;
	int64_t *person_ids;
	size_t person_count;
	struct str own_address;   /* the address we know the sender by, where a mail came from another one */
	struct person first;      /* of them, when person_count > 0 */
	enum language language;   /* of the answer */
	bool may_answer;
	int64_t now;
	struct incoming_set_read_args result;
};

/* --- may we answer ------------------------------------------------------------------------------------------------------ */

/* Only what looks like a telephone of a person: short codes, names and our own number would answer back for ever. */
static bool is_telephone(struct str address, struct str own)
{
	if (address.len < NUMBER_DIGITS_LEAST + 1 || address.ptr[0] != '+' || str_equal(address, own))
		return false;
	for (size_t i = 1; i < address.len; i++)
		if (address.ptr[i] < '0' || address.ptr[i] > '9')
			return false;
	return true;
}

static enum rc guard(struct reader *reader, bool *loop, struct err *err)
{
	const struct incoming_item *item = reader->item;
	struct incoming_count_address_args args = { .body = item->body, .address = item->address, .since = reader->now - GUARD_TIME };
	struct incoming_count_address_row row;
	enum rc rc = incoming_count_address(reader->tx, reader->arena, &args, &row, err);
	if (rc != OK)
		return rc;
	*loop = row.same > GUARD_SAME || row.answered >= GUARD_ANSWERS;
	reader->may_answer = !*loop && !item->quiet &&
	                     (item->channel == CHANNEL_SMS ? is_telephone(item->address, item->recipient)
	                                                   : !str_is_empty(item->address));
	return OK;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------- */

static enum rc answer(struct reader *reader, struct str text, struct err *err)
{
	if (!reader->may_answer)
		return OK;
	struct message_single message = {
		.lane = LANE_ANSWER,
		.channel = (enum channel_kind)reader->item->channel,
		/* To the address that wrote; the person, where that is certain, so that erasing them finds it. */
		.person_id = reader->person_count == 1 ? reader->person_ids[0] : 0,
		.address = reader->item->address,
		.subject = reader->item->channel == CHANNEL_MAIL ? T(reader->arena, reader->language, MSG_messages_mail_answer_subject)
		                                                 : S(""),
		.in_reply_to = reader->item->message_id,
		.body = text,
		.expires_at = reader->now + ANSWER_EXPIRES,
	};
	int64_t id;
	enum rc rc = message_queue(reader->tx, &message, reader->now, &id, err);
	if (rc == OK)
		reader->result.answer_id = id;
	return rc;
}

static enum rc answer_with(struct reader *reader, enum msg message, struct err *err)
{
	return answer(reader, T(reader->arena, reader->language, message), err);
}

static void handled(struct reader *reader)
{
	reader->result.state = 2;
	reader->result.why = WHY_NONE;
}

static void waits(struct reader *reader, enum incoming_why why)
{
	reader->result.state = 3;
	reader->result.why = why;
}

/* Who wrote it, when that is certain. */
static void name_person(struct reader *reader)
{
	if (reader->person_count == 1)
		reader->result.person_id = reader->person_ids[0];
}

/* --- the rules ----------------------------------------------------------------------------------------------------------------- */

/* Neither understood nor ignored: an officer reads it, and the sender knows. */
static enum rc to_officer(struct reader *reader, enum incoming_why why, struct err *err)
{
	waits(reader, why);
	name_person(reader);
	return reader->person_count > 0 ? answer_with(reader, MSG_messages_sms_received, err) : OK;
}

static enum rc rule_stop(struct reader *reader, bool out, struct err *err)
{
	if (reader->person_count == 0)
		return to_officer(reader, WHY_UNKNOWN_SENDER, err);
	int64_t changed = 0;
	struct str address = str_is_empty(reader->own_address) ? reader->item->address : reader->own_address;
	enum rc rc = contact_opt_out(reader->tx, (enum channel_kind)reader->item->channel, address, out, reader->now, &changed, err);
	if (rc != OK)
		return rc;
	if (!out && changed == 0 && reader->said.bare_yes)
		return to_officer(reader, WHY_FREE_TEXT, err); /* YES to something else */
	handled(reader);
	name_person(reader);
	if (out && changed == 0)
		return OK; /* said before: one confirmation is all a STOP gets */
	return answer_with(reader, out           ? MSG_messages_sms_stopped
	                           : changed > 0 ? MSG_messages_sms_started
	                                         : MSG_messages_sms_already_started,
	                   err);
}

static enum rc rule_language(struct reader *reader, struct err *err)
{
	if (reader->person_count == 0)
		return to_officer(reader, WHY_UNKNOWN_SENDER, err);
	handled(reader);
	name_person(reader);
	enum language language = str_is_empty(reader->said.language) ? LANGUAGE_COUNT : language_find(reader->said.language);
	if (language == LANGUAGE_COUNT)
		return answer_with(reader, MSG_messages_sms_language_list, err);
	for (size_t i = 0; i < reader->person_count; i++) {
		enum rc rc = person_set_language(reader->tx, reader->person_ids[i], language, reader->now, err);
		if (rc != OK)
			return rc;
	}
	reader->language = language;
	return answer(reader, T(reader->arena, language, MSG_messages_sms_language_set,
	                        MSG_S("language", str_from(languages[language].name))), err);
}

static enum rc rule_where(struct reader *reader, struct err *err)
{
	if (reader->person_count == 0)
		return to_officer(reader, WHY_UNKNOWN_SENDER, err);
	if (reader->person_count > 1)
		return to_officer(reader, WHY_SEVERAL_PEOPLE, err); /* one's stays are nothing for the other */
	handled(reader);
	name_person(reader);
	struct str path = person_manage_path(reader->house, reader->arena, &reader->first);
	struct str link = str_format(reader->arena, "%s%.*s", reader->house->public_url, STR_ARG(path));
	struct str stays = reader->engine->stays
	                           ? reader->engine->stays(reader->house, reader->tx, reader->arena, &reader->first)
	                           : STR_NONE;
	return answer(reader, str_is_empty(stays) ? T(reader->arena, reader->language, MSG_messages_sms_where_link, MSG_S("link", link))
	                                          : T(reader->arena, reader->language, MSG_messages_sms_where_stays,
	                                              MSG_S("stays", stays), MSG_S("link", link)), err);
}

/* The event of the message a mail answers, 0 if that cannot be told. */
static enum rc event_answered(struct reader *reader, int64_t *event_id, struct err *err)
{
	if (reader->item->reply_to_message <= 0)
		return OK;
	struct message_find_args args = { .id = reader->item->reply_to_message };
	struct message_row row;
	struct err quiet;
	err_init(&quiet, reader->arena);
	enum rc rc = message_find(reader->tx, reader->arena, &args, &row, &quiet);
	if (rc == OK)
		*event_id = row.event_id;
	return rc == OK || rc == NOT_FOUND ? OK : err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
}

static enum rc rule_answer(struct reader *reader, struct err *err)
{
	bool help = reader->said.keyword == KEYWORD_HELP;
	const struct notice_desk *desk = reader->engine->desks[NOTICE_ALERT];
	reader->result.urgent = help;
	if (reader->person_count == 0 || !desk || !desk->answer)
		return to_officer(reader, reader->person_count == 0 ? WHY_UNKNOWN_SENDER : WHY_NO_ALERT, err);
	int64_t event_hint = 0, person_id = 0, event_id = 0;
	enum rc rc = event_answered(reader, &event_hint, err);
	if (rc != OK)
		return rc;
	struct err quiet;
	err_init(&quiet, reader->arena);
	rc = desk->answer(reader->tx, reader->house, reader->person_ids, reader->person_count, &reader->said, event_hint,
	                  (enum channel_kind)reader->item->channel, reader->item->id, reader->now, &person_id, &event_id, &quiet);
	if (rc == NOT_FOUND)
		return to_officer(reader, WHY_NO_ALERT, err);
	if (rc == CONFLICT)
		return to_officer(reader, reader->person_count > 1 ? WHY_SEVERAL_PEOPLE : WHY_SEVERAL_ALERTS, err);
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	handled(reader);
	reader->result.urgent = 0;
	reader->result.person_id = person_id;
	reader->result.event_id = event_id;
	if (!help && reader->said.note_needs_reading)
		waits(reader, WHY_TO_READ);
	return answer_with(reader, !help                                ? MSG_messages_sms_safe_noted
	                           : reader->said.help_keyword_only     ? MSG_messages_sms_help_keyword_noted
	                                                                : MSG_messages_sms_help_noted,
	                   err);
}

static enum rc apply_rules(struct reader *reader, bool loop, struct err *err)
{
	/* An answer to 'are you safe' counts however often it comes; everything else that loops is left for an officer. */
	bool answers = reader->said.keyword == KEYWORD_SAFE || reader->said.keyword == KEYWORD_HELP ||
	               reader->said.keyword == KEYWORD_STOP;
	if (reader->item->parts_missing) {
		reader->result.urgent = reader->said.urgent || reader->said.keyword == KEYWORD_HELP;
		return to_officer(reader, WHY_PARTS_MISSING, err);
	}
	if (loop && !answers)
		return to_officer(reader, WHY_LOOP, err);
	switch (reader->said.keyword) {
	case KEYWORD_SAFE:
	case KEYWORD_HELP:
		return rule_answer(reader, err);
	case KEYWORD_STOP:
		return rule_stop(reader, true, err);
	case KEYWORD_START:
		return rule_stop(reader, false, err);
	case KEYWORD_WHERE:
		return rule_where(reader, err);
	case KEYWORD_LANGUAGE:
		return rule_language(reader, err);
	case KEYWORD_UNKNOWN:
		break;
	}
	return to_officer(reader, reader->person_count == 0 ? WHY_UNKNOWN_SENDER : WHY_FREE_TEXT, err);
}

/* --- one message ---------------------------------------------------------------------------------------------------------------- */

/* An answer to one of our mails carries its token: it is from the person we wrote to, whatever address they use now. */
static enum rc find_by_token(struct reader *reader, struct err *err)
{
	struct message_find_args args = { .id = reader->item->reply_to_message };
	struct message_row row;
	struct err quiet;
	err_init(&quiet, reader->arena);
	enum rc rc = message_find(reader->tx, reader->arena, &args, &row, &quiet);
	if (rc == OK && row.person_id > 0)
		rc = person_find(reader->tx, reader->arena, row.person_id, &reader->first, &quiet);
	else if (rc == OK)
		return OK;
	if (rc == NOT_FOUND)
		return OK; /* erased meanwhile */
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	reader->person_ids = ARENA_NEW(reader->arena, int64_t);
	reader->person_ids[0] = row.person_id;
	reader->person_count = 1;
	for (size_t i = 0; i < reader->first.contact_count; i++)
		if (reader->first.contacts[i].id == row.contact_id)
			reader->own_address = reader->first.contacts[i].address;
	return OK;
}

static enum rc find_people(struct reader *reader, struct err *err)
{
	enum rc found = reader->item->reply_to_message > 0 ? find_by_token(reader, err) : OK;
	if (found != OK || reader->person_count > 0 || str_is_empty(reader->item->address))
		return found;
	enum rc rc = person_list_by_address(reader->tx, reader->arena, (enum channel_kind)reader->item->channel,
	                                    reader->item->address, PEOPLE_MOST, &reader->person_ids, &reader->person_count, err);
	if (rc == OK && reader->person_count > 0)
		rc = person_find(reader->tx, reader->arena, reader->person_ids[0], &reader->first, err);
	return rc;
}

enum rc incoming_read_one(struct house *house, struct db_tx *tx, struct arena *arena, const struct incoming_item *item, struct err *err)
{
	struct reader reader = {
		.house = house,
		.engine = engine_of(house),
		.tx = tx,
		.arena = arena,
		.item = item,
		.now = clock_now(),
		.result = { .id = item->id, .person_id = DB_NULL, .event_id = DB_NULL, .answer_id = DB_NULL, .outcome = STR_NONE },
	};
	enum rc rc = find_people(&reader, err);
	if (rc != OK)
		return rc;
	struct str preferred = reader.person_count > 0 ? str_from(languages[reader.first.language].tag) : STR_NONE;
	keyword_parse(arena, item->body, preferred, &reader.said);
	enum language said_in = reader.said.said_in ? language_find(str_from(reader.said.said_in)) : LANGUAGE_COUNT;
	reader.language = reader.person_count > 0     ? reader.first.language
	                  : said_in < LANGUAGE_COUNT ? said_in
	                                             : LANGUAGE_EN;
	reader.result.keyword = reader.said.keyword;
	reader.result.urgent = reader.said.urgent;
	bool loop = false;
	rc = guard(&reader, &loop, err);
	if (rc == OK)
		rc = apply_rules(&reader, loop, err);
	return rc == OK ? incoming_set_read(tx, &reader.result, NULL, err) : rc;
}
