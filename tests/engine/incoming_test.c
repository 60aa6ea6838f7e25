/* Incoming messages: stored, joined, read by rule, answered, left to an officer. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/engine_fixture.h"

#include "core/messages/render.h"
#include "kernel/mail/mail.h"
#include "kernel/text/sms.h"

#define OWN "+15550100"

struct box {
	struct rig *rig;
	struct get_incoming_row *rows;
	size_t count;
};

static enum rc box_work(struct db_tx *tx, void *context, struct err *err)
{
	struct box *box = context;
	return get_incoming(tx, &box->rig->fixture->arena, &box->rows, &box->count, err);
}

static struct box incoming(struct rig *rig)
{
	struct box box = { rig, NULL, 0 };
	rig_read(rig, box_work, &box);
	return box;
}

struct text_work {
	struct rig *rig;
	int64_t id;
	struct get_text_row row;
};

static enum rc text_of_work(struct db_tx *tx, void *context, struct err *err)
{
	struct text_work *work = context;
	struct get_text_args args = { .message_id = work->id };
	return get_text(tx, &work->rig->fixture->arena, &args, &work->row, err);
}

static struct get_text_row text_of(struct rig *rig, int64_t message_id)
{
	struct text_work work = { .rig = rig, .id = message_id };
	rig_read(rig, text_of_work, &work);
	return work.row;
}

static void say(struct rig *rig, int64_t person, const char *text)
{
	char from[32];
	snprintf(from, sizeof from, "+1555%07lld", (long long)person);
	fake_incoming(&rig->sms, from, OWN, str_from(text), 0, 0);
	rig_turn(rig);
}

static struct get_incoming_row last(struct rig *rig)
{
	struct box box = incoming(rig);
	assert_true(box.count > 0);
	return box.rows[box.count - 1];
}

static struct person find_person(struct rig *rig, int64_t id);

struct person_work {
	struct rig *rig;
	int64_t id;
	struct person person;
};

static enum rc person_work(struct db_tx *tx, void *context, struct err *err)
{
	struct person_work *work = context;
	return person_find(tx, &work->rig->fixture->arena, work->id, &work->person, err);
}

static struct person find_person(struct rig *rig, int64_t id)
{
	struct person_work work = { .rig = rig, .id = id };
	rig_read(rig, person_work, &work);
	return work.person;
}

/* --- rules ------------------------------------------------------------------------------------------------------------ */

static void test_safe_and_help(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	say(&rig, 1, "SAFE");
	struct get_incoming_row row = last(&rig);
	assert_int_equal(row.state, 2);
	assert_int_equal(row.person_id, 1);
	assert_int_equal(row.event_id, 7);
	assert_int_equal(row.keyword, KEYWORD_SAFE);
	assert_int_equal(record.answered, KEYWORD_SAFE);
	assert_int_equal(rig.sms.tickets_stored, 1);
	/* Answered, in the person's language, to the number that wrote. */
	assert_int_equal(rig.sms.count, 1);
	assert_string_equal(rig.sms.messages[0].to, "+15550000001");
	assert_true(strstr(rig.sms.messages[0].text, "you are safe") != NULL);
	say(&rig, 2, "Help trapped in the hotel");
	assert_int_equal(record.answered, KEYWORD_HELP);
	assert_int_equal(rig.sms.count, 2);
	assert_true(str_find(text_of(&rig, last(&rig).answer_id).body, S("besoin d'aide"), 0) != SIZE_MAX); /* person 2 reads French */
	say(&rig, 2, "help");
	row = last(&rig);
	assert_true(str_find(text_of(&rig, row.answer_id).body, S("STOP"), 0) != SIZE_MAX); /* both meanings */
	say(&rig, 1, "safe but no passport");
	row = last(&rig);
	assert_int_equal(row.state, 3); /* counted, and an officer reads the note */
	assert_int_equal(row.why, WHY_TO_READ);
	assert_int_equal(row.event_id, 7);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_answers_that_fit_nothing(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	record.answer_rc = NOT_FOUND;
	say(&rig, 1, "SAFE");
	assert_int_equal(last(&rig).state, 3);
	assert_int_equal(last(&rig).why, WHY_NO_ALERT);
	record.answer_rc = CONFLICT;
	say(&rig, 1, "HELP flood");
	assert_int_equal(last(&rig).why, WHY_SEVERAL_ALERTS);
	assert_int_equal(last(&rig).urgent, 1);
	assert_int_equal(last(&rig).person_id, 1);
	say(&rig, 77, "SAFE"); /* nobody's number */
	assert_int_equal(last(&rig).why, WHY_UNKNOWN_SENDER);
	assert_int_equal(last(&rig).person_id, DB_NULL);
	assert_int_equal(last(&rig).answer_id, DB_NULL);
	say(&rig, 77, "we are not safe, please come");
	assert_int_equal(last(&rig).urgent, 1);
	say(&rig, 1, "When does the consulate open?");
	assert_int_equal(last(&rig).state, 3);
	assert_int_equal(last(&rig).why, WHY_FREE_TEXT);
	assert_true(last(&rig).answer_id != DB_NULL); /* told that it was received */
	rig_release(&rig);
}

static void test_stop_and_start(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	say(&rig, 1, "STOP");
	assert_int_equal(last(&rig).state, 2);
	assert_true(last(&rig).answer_id != DB_NULL);
	assert_int_equal(rig.sms.count, 1); /* one confirmation, though no more messages are wanted */
	assert_int_equal(person_channels(&(struct person){ 0 }), 0);
	struct person person = find_person(&rig, 1);
	assert_false(person_channels(&person) & CHANNEL_BIT(CHANNEL_SMS));
	assert_true(person_channels(&person) & CHANNEL_BIT(CHANNEL_MAIL));
	say(&rig, 1, "stop");
	assert_int_equal(last(&rig).answer_id, DB_NULL); /* and only one */
	say(&rig, 1, "START");
	person = find_person(&rig, 1);
	assert_true(person_channels(&person) & CHANNEL_BIT(CHANNEL_SMS));
	assert_int_equal(rig.sms.count, 2);
	say(&rig, 1, "yes"); /* who had not stopped says yes to something else */
	assert_int_equal(last(&rig).state, 3);
	say(&rig, 1, "stop bombing here, help us");
	person = find_person(&rig, 1);
	assert_true(person_channels(&person) & CHANNEL_BIT(CHANNEL_SMS));
	rig_release(&rig);
}

static struct str stays(struct house *house, struct db_tx *tx, struct arena *arena, const struct person *person)
{
	(void)house;
	(void)tx;
	return person->id == 1 ? str_format(arena, "Tunis 3 May") : STR_NONE;
}

static void test_language_and_where(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	messages_set_stays(rig.house, stays);
	rig.house->public_url = "https://c.example";
	say(&rig, 1, "LANG fr");
	struct person person = find_person(&rig, 1);
	assert_int_equal(person.language, LANGUAGE_FR);
	assert_true(str_find(text_of(&rig, last(&rig).answer_id).body, S("en français"), 0) != SIZE_MAX);
	say(&rig, 1, "LANG xx");
	assert_int_equal(last(&rig).state, 3); /* not understood, so an officer reads it */
	say(&rig, 1, "WHERE");
	struct get_text_row text = text_of(&rig, last(&rig).answer_id);
	assert_true(str_find(text.body, S("Tunis 3 May"), 0) != SIZE_MAX);
	assert_true(str_find(text.body, S("https://c.example/my/"), 0) != SIZE_MAX);
	say(&rig, 2, "WHERE");
	text = text_of(&rig, last(&rig).answer_id);
	assert_true(str_find(text.body, S("https://c.example/my/"), 0) != SIZE_MAX);
	rig_release(&rig);
}

/* Texts of codes and answers do not stay for ever; what is still to be sent keeps its text. */
static enum rc count_texts_work(struct db_tx *tx, void *context, struct err *err)
{
	struct get_texts_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = get_texts(tx, &arena, &row, err);
	arena_release(&arena);
	*(int64_t *)context = row.texts;
	return rc;
}

static void test_texts_are_forgotten(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	say(&rig, 1, "SAFE");
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	fake_cut(&rig.sms);
	struct message_single late = { .lane = LANE_REST, .channel = CHANNEL_SMS, .address = S("+15559999999"), .body = S("1"),
		                       .expires_at = clock_now() + 30 * CLOCK_DAY };
	rig_queue(&rig, &late);
	rig_turn(&rig);
	int64_t texts = 0;
	rig_read(&rig, count_texts_work, &texts);
	assert_int_equal(texts, 2);
	const struct job *job = &messages_desk.jobs[0];
	job->run(rig.house);
	rig_read(&rig, count_texts_work, &texts);
	assert_int_equal(texts, 2);
	clock_set_offset(clock_offset() + 8 * CLOCK_DAY);
	job->run(rig.house);
	rig_read(&rig, count_texts_work, &texts);
	assert_int_equal(texts, 1);
	rig.engine->pruned_at = 0;
	rig_turn(&rig);
	fake_up(&rig.sms);
	rig_turn(&rig);
	assert_string_equal(rig.sms.messages[rig.sms.count - 1].to, "+15559999999");
	rig_check(&rig);
	rig_release(&rig);
}

/* --- whom not to answer -------------------------------------------------------------------------------------------------- */

static void test_never_answered(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	static const char *const senders[] = { "12345", "BANK", "", OWN, "+1555", "+1555abc0001" };
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		fake_incoming(&rig.sms, senders[i], OWN, S("LANG"), 0, 0);
		rig_turn(&rig);
		assert_int_equal(last(&rig).answer_id, DB_NULL);
		assert_int_equal(last(&rig).state, 3);
	}
	assert_int_equal(rig.sms.count, 0);
	rig_release(&rig);
}

static void test_loops_end(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	for (int i = 0; i < 6; i++)
		say(&rig, 1, "WHERE");
	assert_int_equal(rig.sms.count, 3);
	assert_int_equal(last(&rig).why, WHY_LOOP);
	/* Different texts, answered each: ten an hour. */
	for (int i = 0; i < 15; i++) {
		char text[32];
		snprintf(text, sizeof text, "question %d", i);
		say(&rig, 2, text);
	}
	assert_int_equal(rig.sms.count, 3 + 10);
	/* An answer to 'are you safe' counts all the same. */
	size_t answers = record.answers;
	say(&rig, 2, "HELP");
	assert_int_equal(record.answers, answers + 1);
	assert_int_equal(last(&rig).answer_id, DB_NULL);
	clock_set_offset(clock_offset() + 2 * CLOCK_HOUR);
	say(&rig, 1, "WHERE");
	assert_int_equal(rig.sms.count, 14);
	rig_release(&rig);
}

/* --- parts -------------------------------------------------------------------------------------------------------------------- */

static void part(struct rig *rig, const char *from, uint8_t reference, uint8_t total, uint8_t number, struct str text,
                 uint8_t coding)
{
	struct buf bytes;
	buf_init(&bytes);
	const uint8_t head[] = { 5, 0, 3, reference, total, number };
	buf_add(&bytes, head, sizeof head);
	buf_add_str(&bytes, text);
	fake_incoming(&rig->sms, from, OWN, buf_str(&bytes), 0x40, coding);
	buf_release(&bytes);
}

static void test_parts_in_any_order(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	/* Two people with the same reference, parts mixed, the last one first, one twice. */
	part(&rig, "+15550000001", 9, 3, 3, S("from our room"), 0);
	part(&rig, "+15550000002", 9, 2, 2, S("everyone well"), 0);
	rig_turn(&rig);
	part(&rig, "+15550000001", 9, 3, 1, S("HELP we are on "), 0);
	part(&rig, "+15550000001", 9, 3, 1, S("HELP we are on "), 0);
	rig_turn(&rig);
	assert_int_equal(incoming(&rig).count, 0);
	assert_int_equal(rig.sms.tickets_stored, 4);
	rig_crash(&rig); /* what was stored outlives us */
	rig_start(&rig);
	part(&rig, "+15550000001", 9, 3, 2, S("the roof, smoke comes "), 0);
	part(&rig, "+15550000002", 9, 2, 1, S("SAFE "), 0);
	rig_turn(&rig);
	struct box box = incoming(&rig);
	assert_int_equal(box.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(box.rows[i].body.ptr, box.rows[i].person_id == 1
		                                                  ? "HELP we are on the roof, smoke comes from our room"
		                                                  : "SAFE everyone well");
	assert_int_equal(record.answers, 2);
	/* A surrogate pair cut in two: U+1F198. */
	part(&rig, "+15550000001", 10, 2, 1, (struct str){ "\0A\xd8\x3c", 4 }, 8);
	part(&rig, "+15550000001", 10, 2, 2, (struct str){ "\xdd\x98\0B", 4 }, 8);
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "A\xf0\x9f\x86\x98" "B");
	rig_release(&rig);
}

/* A phone uses a reference again before the rest of an earlier text came: neither is lost, and they are not mixed. */
static void test_reference_used_again(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	part(&rig, "+15550000001", 7, 2, 1, S("Yesterday's words "), 0);
	rig_turn(&rig);
	part(&rig, "+15550000001", 7, 2, 1, S("HELP in the "), 0);
	part(&rig, "+15550000001", 7, 2, 2, S("cellar"), 0);
	rig_turn(&rig);
	struct box box = incoming(&rig);
	assert_int_equal(box.count, 2);
	assert_string_equal(box.rows[0].body.ptr, "Yesterday's words [...]");
	assert_string_equal(box.rows[1].body.ptr, "HELP in the cellar");
	assert_int_equal(record.answered, KEYWORD_HELP);
	rig_release(&rig);
}

static void test_missing_parts_are_not_waited_for_for_ever(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	part(&rig, "+15550000001", 9, 4, 1, S("HELP we are in the "), 0);
	part(&rig, "+15550000001", 9, 4, 3, S(" street"), 0);
	rig_turn(&rig);
	assert_int_equal(incoming(&rig).count, 0);
	clock_set_offset(clock_offset() + 6 * CLOCK_MINUTE);
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "HELP we are in the [...] street[...]");
	assert_int_equal(last(&rig).state, 3);
	assert_int_equal(last(&rig).why, WHY_PARTS_MISSING);
	assert_int_equal(last(&rig).urgent, 1);
	rig_release(&rig);
}

/* 8 and 16 bits, elements in any order, SAR TLVs, tables of a language: all the same to the reader. */
static void test_parts_of_every_kind(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	/* the same number, narrow and wide and by TLV: three messages */
	fake_incoming(&rig.sms, "+15550000001", OWN, S("\x05\x00\x03\x09\x02\x01narrow "), 0x40, 0);
	fake_incoming(&rig.sms, "+15550000001", OWN, S("\x06\x08\x04\x00\x09\x02\x02" "end"), 0x40, 0);
	fake_incoming(&rig.sms, "+15550000001", OWN, S("\x06\x08\x04\x00\x09\x02\x01wide "), 0x40, 0);
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "wide end");
	/* another element first, and one after, over another connection */
	fake_cut(&rig.sms);
	fake_up(&rig.sms);
	fake_incoming(&rig.sms, "+15550000001", OWN, S("\x0B\x70\x02zz\x00\x03\x09\x02\x02\x71\x00" "end"), 0x40, 0);
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "narrow end");
	/* SAR */
	for (uint8_t number = 3; number >= 1; number--) {
		char text[16];
		snprintf(text, sizeof text, "part %u,", number);
		struct channel_incoming message = { .ticket = number, .from = S("+15550000001"), .to = S(OWN), .bytes = str_from(text),
			                            .part_reference = 777, .part_total = 3, .part_number = number };
		rig.sms.events->on_incoming(rig.sms.context, &rig.sms.channel, &message, 1);
	}
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "part 1,part 2,part 3,");
	/* Turkish: an escape cut from its letter, and the locking table */
	fake_incoming(&rig.sms, "+15550000001", OWN, S("\x08\x24\x01\x01\x00\x03\x0A\x02\x01HELP \x1B"), 0x40, 0);
	fake_incoming(&rig.sms, "+15550000001", OWN, S("\x08\x00\x03\x0A\x02\x02\x24\x01\x01s"), 0x40, 0);
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "HELP \xC5\x9F");
	fake_incoming(&rig.sms, "+15550000001", OWN, S("\x03\x25\x01\x01ya\x0Cmur"), 0x40, 0);
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "ya\xC4\x9Fmur");
	rig_release(&rig);
}

/* A carrier that missed our answer repeats a part of what was joined; a phone that uses its reference again begins anew. */
static void test_parts_come_again(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	part(&rig, "+15550000001", 9, 2, 1, S("SAFE at "), 0);
	part(&rig, "+15550000001", 9, 2, 2, S("the hotel"), 0);
	rig_turn(&rig);
	assert_int_equal(incoming(&rig).count, 1);
	part(&rig, "+15550000001", 9, 2, 2, S("the hotel"), 0);
	rig_turn(&rig);
	clock_set_offset(clock_offset() + 10 * CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(incoming(&rig).count, 1);
	assert_int_equal(rig.sms.tickets_stored, 3);
	/* the reference again, for another message */
	part(&rig, "+15550000001", 9, 2, 2, S("the station"), 0);
	part(&rig, "+15550000001", 9, 2, 1, S("now at "), 0);
	rig_turn(&rig);
	assert_int_equal(incoming(&rig).count, 2);
	assert_string_equal(last(&rig).body.ptr, "now at the station");
	/* and while a part of the one before is still missing: that one is shown as it is */
	part(&rig, "+15550000001", 10, 2, 1, S("HELP, I am "), 0);
	rig_turn(&rig);
	part(&rig, "+15550000001", 10, 2, 1, S("it is over, "), 0);
	part(&rig, "+15550000001", 10, 2, 2, S("thanks"), 0);
	rig_turn(&rig);
	struct box box = incoming(&rig);
	assert_int_equal(box.count, 4);
	assert_string_equal(box.rows[2].body.ptr, "HELP, I am [...]");
	assert_int_equal(box.rows[2].why, WHY_PARTS_MISSING);
	assert_string_equal(box.rows[3].body.ptr, "it is over, thanks");
	/* nothing of it stays */
	clock_set_offset(clock_offset() + 2 * CLOCK_HOUR);
	rig_turn(&rig);
	assert_int_equal(incoming(&rig).count, 4);
	rig_release(&rig);
}

/* Bytes of any kind are kept and shown, never a reason to stop. */
static void test_hostile_bytes(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	for (int i = 0; i < 300; i++) {
		uint8_t bytes[160];
		rand_bytes(bytes, sizeof bytes);
		char from[16];
		rand_bytes(from, sizeof from);
		struct channel_incoming message = {
			.ticket = (uint64_t)i + 1000,
			.from = { i % 3 ? "+15550000001" : from, i % 3 ? 12 : sizeof from },
			.to = S(OWN),
			.data_coding = (uint8_t)rand_below(256),
			.esm_class = i % 2 ? 0x40 : 0,
			.bytes = { (const char *)bytes, rand_below(sizeof bytes) },
			.part_total = (uint8_t)rand_below(3),
			.part_number = (uint8_t)rand_below(4),
		};
		rig.sms.events->on_incoming(rig.sms.context, &rig.sms.channel, &message, 1);
	}
	rig_turn(&rig);
	assert_int_equal(rig.sms.tickets_stored, 300);
	rig_check(&rig);
	rig_release(&rig);
}

/* A receipt that only looks like one, and is of nothing we sent, is what a person typed. */
static void test_receipt_by_content(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	struct channel_incoming typed = { .ticket = 5, .from = S("+15550000001"), .to = S(OWN),
		                          .bytes = S("id:123 stat:DELIVRD what does this mean?") };
	struct channel_receipt receipt = { .ticket = 5, .carrier_id = S("123"), .from = typed.from,
		                           .delivery = CHANNEL_DELIVERY_DELIVERED, .stat = S("DELIVRD"), .error = S(""),
		                           .keys = { 42 }, .key_count = 1, .by_content = &typed };
	rig.sms.events->on_receipts(rig.sms.context, &rig.sms.channel, &receipt, 1);
	rig_turn(&rig);
	assert_string_equal(last(&rig).body.ptr, "id:123 stat:DELIVRD what does this mean?");
	assert_int_equal(rig.sms.tickets_stored, 1);
	rig_release(&rig);
}

/* --- mail ------------------------------------------------------------------------------------------------------------------------- */

static void add_mail(struct rig *rig, const char *raw, enum rc expected)
{
	struct incoming_mail mail;
	assert_rc(rig->fixture, OK, mail_read(&rig->fixture->arena, str_from(raw), &mail, fixture_err(rig->fixture)));
	assert_rc(rig->fixture, expected, incoming_mail_add(rig->house, &mail, fixture_err(rig->fixture)));
}

static void test_mail_answers(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3);
	int64_t notice = rig_send(&rig, 9, 1, 1, CHANNEL_BIT(CHANNEL_MAIL));
	rig_turn(&rig);
	fake_accept_all(&rig.mail);
	rig_turn(&rig);
	struct get_message_row sent = rig_message(&rig, notice, 1, CHANNEL_MAIL);
	struct str token = mail_token(rig.house, &rig.fixture->arena, sent.id);
	/* To the reply address, from another mailbox than the one we know. */
	char raw[2000];
	snprintf(raw, sizeof raw,
	         "From: Private <other@example.com>\nTo: reply+%.*s@localhost\nDelivered-To: reply+%.*s@localhost\n"
	         "Message-ID: <1@example.com>\nSubject: Re: An alert\n\nI am safe\n\n> On Monday you wrote\n> HELP\n",
	         STR_ARG(token), STR_ARG(token));
	add_mail(&rig, raw, OK);
	assert_int_equal(last(&rig).state, 2);
	assert_int_equal(last(&rig).person_id, 1);
	assert_int_equal(record.answered, KEYWORD_SAFE);
	assert_int_equal(record.answered_person, 1);
	assert_int_equal(record.answered_hint, 9);
	add_mail(&rig, raw, OK); /* delivered twice */
	assert_int_equal(incoming(&rig).count, 1);
	assert_int_equal(record.answers, 1);
	rig_turn(&rig);
	assert_int_equal(rig.mail.count, 2);
	assert_string_equal(rig.mail.messages[1].to, "other@example.com");
	assert_string_equal(rig.mail.messages[1].references, "<1@example.com>");
	/* By References alone, and by the sender's address alone. */
	snprintf(raw, sizeof raw,
	         "From: p1@example.org\nTo: alerts@localhost\nIn-Reply-To: <m.%.*s@localhost>\nMessage-ID: <2@example.org>\n\nHELP flood\n",
	         STR_ARG(token));
	add_mail(&rig, raw, OK);
	assert_int_equal(record.answered, KEYWORD_HELP);
	add_mail(&rig, "From: p2@example.org\nTo: alerts@localhost\nMessage-ID: <3@example.org>\n\nSTOP\n", OK);
	struct person person = find_person(&rig, 2);
	assert_false(person_channels(&person) & CHANNEL_BIT(CHANNEL_MAIL));
	add_mail(&rig, "From: stranger@example.org\nTo: alerts@localhost\nMessage-ID: <4@example.org>\n\nSAFE\n", OK);
	assert_int_equal(last(&rig).why, WHY_UNKNOWN_SENDER);
	/* The same Message-ID from somebody else is another mail. */
	size_t before = incoming(&rig).count;
	add_mail(&rig, "From: other@example.net\nTo: alerts@localhost\nMessage-ID: <4@example.org>\n\nHELP me\n", OK);
	assert_int_equal(incoming(&rig).count, before + 1);
	assert_int_equal(last(&rig).why, WHY_UNKNOWN_SENDER);
	/* A forged token is nobody's. */
	add_mail(&rig,
	         "From: stranger@example.org\nTo: reply+04aaaaaaaaaaaaaaaaaaaa@localhost\n"
	         "Delivered-To: reply+04aaaaaaaaaaaaaaaaaaaa@localhost\nMessage-ID: <5@example.org>\n\nSAFE\n", OK);
	assert_int_equal(last(&rig).why, WHY_UNKNOWN_SENDER);
	size_t answers = record.answers;
	add_mail(&rig, "From: p3@example.org\nTo: alerts@localhost\nAuto-Submitted: auto-replied\nMessage-ID: <6@example.org>\n\nSAFE\n", OK);
	assert_int_equal(record.answers, answers);
	assert_int_equal(last(&rig).state, 2);
	rig_check(&rig);
	rig_release(&rig);
}

static void bounce(char *raw, size_t size, struct str token, const char *status, const char *action, const char *id)
{
	snprintf(raw, size,
	         "Return-Path: <>\nFrom: MAILER-DAEMON@localhost\nTo: bounce+%.*s@localhost\nDelivered-To: bounce+%.*s@localhost\n"
	         "Message-ID: <%s@localhost>\nMIME-Version: 1.0\n"
	         "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nSorry.\n"
	         "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; localhost\n\nFinal-Recipient: rfc822; x@example.org\n"
	         "Action: %s\nStatus: %s\nDiagnostic-Code: smtp; 550 %s no such user\n--b--\n",
	         STR_ARG(token), STR_ARG(token), id, action, status, status);
}

static void test_bounces(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	int64_t notice = rig_send(&rig, 9, 1, 2, CHANNEL_BIT(CHANNEL_MAIL));
	rig_turn(&rig);
	char raw[3000];
	struct str token = mail_token(rig.house, &rig.fixture->arena, rig_message(&rig, notice, 1, CHANNEL_MAIL).id);
	bounce(raw, sizeof raw, token, "5.1.1", "failed", "b1");
	add_mail(&rig, raw, BUSY); /* faster than our own record */
	fake_accept_all(&rig.mail);
	rig_turn(&rig);
	struct str second = mail_token(rig.house, &rig.fixture->arena, rig_message(&rig, notice, 2, CHANNEL_MAIL).id);
	char delayed[3000];
	bounce(delayed, sizeof delayed, second, "4.4.1", "delayed", "b2");
	add_mail(&rig, delayed, OK);
	assert_int_equal(rig_message(&rig, notice, 2, CHANNEL_MAIL).state, MESSAGE_ACCEPTED);
	add_mail(&rig, raw, OK);
	struct get_message_row row = rig_message(&rig, notice, 1, CHANNEL_MAIL);
	assert_int_equal(row.state, MESSAGE_FAILED);
	assert_int_equal(row.reason, REASON_UNKNOWN_ADDRESS);
	assert_string_equal(row.carrier_status.ptr, "5.1.1");
	struct person person = find_person(&rig, 1);
	assert_false(person_channels(&person) & CHANNEL_BIT(CHANNEL_MAIL));
	assert_true(person_channels(&person) & CHANNEL_BIT(CHANNEL_SMS));
	assert_int_equal(record.unreachable[record.unreachable_count - 1], 1);
	/* The inbox shows neither. */
	struct box box = incoming(&rig);
	for (size_t i = 0; i < box.count; i++)
		assert_int_equal(box.rows[i].state, 2);
	rig_check(&rig);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_safe_and_help),
		BOTH(test_answers_that_fit_nothing),
		BOTH(test_stop_and_start),
		BOTH(test_language_and_where),
		BOTH(test_texts_are_forgotten),
		BOTH(test_never_answered),
		BOTH(test_loops_end),
		BOTH(test_parts_in_any_order),
		BOTH(test_reference_used_again),
		BOTH(test_parts_of_every_kind),
		BOTH(test_parts_come_again),
		BOTH(test_missing_parts_are_not_waited_for_for_ever),
		BOTH(test_hostile_bytes),
		BOTH(test_receipt_by_content),
		BOTH(test_mail_answers),
		BOTH(test_bounces),
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
