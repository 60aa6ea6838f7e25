/* The delivery engine on both stores, with roads that do what the test says. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/engine_fixture.h"

#define BOTH_CHANNELS (CHANNEL_BIT(CHANNEL_MAIL) | CHANNEL_BIT(CHANNEL_SMS))
#define SMS CHANNEL_BIT(CHANNEL_SMS)

static void phone_of(int64_t person, char out[32])
{
	snprintf(out, 32, "+1555%07lld", (long long)person);
}

static size_t sent_to(const struct rig *rig, int64_t person)
{
	char to[32];
	phone_of(person, to);
	return fake_count_to(&rig->sms, to);
}

static void move_clock(int64_t by)
{
	clock_set_offset(clock_offset() + by);
}

/* --- the plain path ------------------------------------------------------------------------------------------------ */

static void test_everyone_once(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2500);
	int64_t notice = rig_send(&rig, 1, 1, 2500, BOTH_CHANNELS);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_PLANNED), 2500);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_QUEUED), 2500);
	rig_check(&rig);
	for (int i = 0; i < 200 && rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED) < 2500; i++) {
		rig_turn(&rig);
		fake_accept_all(&rig.sms);
		fake_accept_all(&rig.mail);
		rig_turn(&rig);
		rig_check(&rig);
	}
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 2500);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_QUEUED), 0);
	assert_int_equal(rig.sms.submitted, 2500);
	for (int64_t person = 1; person <= 2500; person += 37)
		assert_int_equal(sent_to(&rig, person), 1);
	while (rig_count(&rig, notice, CHANNEL_MAIL, MESSAGE_ACCEPTED) < 2500) {
		fake_accept_all(&rig.mail);
		rig_turn(&rig);
	}
	assert_int_equal(rig.mail.submitted, 2500);
	assert_true(record.progress > 0);
	struct get_message_row row = rig_message(&rig, notice, 17, CHANNEL_MAIL);
	assert_int_equal(row.attempts, 1);
	assert_int_equal(row.was_in_doubt, 0);
	assert_int_equal(row.status_code, 250);
	assert_string_equal(rig.mail.messages[0].references, "<event.1@localhost>");
	assert_string_equal(rig.mail.messages[0].unsubscribe, "https://chancery.example/unsubscribe/x");
	rig_release(&rig);
}

/* A sign-in code leaves at once, whatever is queued. */
static void test_codes_first(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3000);
	rig.sms.window = 10;
	rig_send(&rig, 1, 1, 3000, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 10);
	struct message_single code = { .lane = LANE_CODE, .channel = CHANNEL_SMS, .address = S("+15559999999"), .body = S("123456"),
		                       .expires_at = clock_now() + CLOCK_HOUR };
	rig_queue(&rig, &code);
	rig_turn(&rig);
	fake_accept(&rig.sms, 0, 0, "A1"); /* room for one */
	rig_turn(&rig);
	assert_string_equal(rig.sms.messages[10].to, "+15559999999");
	assert_string_equal(rig.sms.messages[10].text, "123456");
	rig_check(&rig);
	rig_release(&rig);
}

/* --- freezing ---------------------------------------------------------------------------------------------------------- */

struct freezing {
	struct notice_new notice;
	const struct notice_person *people;
	size_t count;
	int64_t id;
};

static enum rc freeze_work(struct db_tx *tx, void *context, struct err *err)
{
	struct freezing *freezing = context;
	return notice_freeze(tx, &freezing->notice, freezing->people, freezing->count, clock_now(), &freezing->id, err);
}

struct seen {
	int64_t person[32], group[32];
	unsigned channels[32];
	size_t count;
	int64_t notice_id;
};

static enum rc see(void *context, int64_t person_id, int64_t text_group, unsigned channels)
{
	struct seen *seen = context;
	assert_true(seen->count < 32);
	seen->person[seen->count] = person_id;
	seen->group[seen->count] = text_group;
	seen->channels[seen->count++] = channels;
	return OK;
}

static enum rc each_work(struct db_tx *tx, void *context, struct err *err)
{
	struct seen *seen = context;
	seen->count = 0;
	return notice_each_person(tx, seen->notice_id, see, seen, err);
}

struct finding {
	int64_t notice_id, person_id, group;
	unsigned channels;
	enum rc rc;
};

static enum rc find_work(struct db_tx *tx, void *context, struct err *err)
{
	struct finding *finding = context;
	finding->rc = notice_find_person(tx, finding->notice_id, finding->person_id, &finding->channels, &finding->group, err);
	return OK;
}

static void test_frozen_is_read_back(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	const struct notice_person people[] = {
		{ .person_id = 3, .channels = BOTH_CHANNELS, .text_group = 1 },
		{ .person_id = 200, .channels = SMS, .text_group = 2 },
		{ .person_id = 201, .channels = 0, .text_group = 1 },
		{ .person_id = INT64_C(1) << 40, .channels = SMS, .text_group = 1, .not_before = { 0, 0, 5 } },
	};
	struct freezing freezing = { .notice = { .kind = NOTICE_ALERT, .event_id = 1, .expires_at = clock_now() + CLOCK_DAY },
		                     .people = people, .count = 4 };
	rig_write(&rig, freeze_work, &freezing, OK);
	struct seen seen = { .notice_id = freezing.id };
	rig_read(&rig, each_work, &seen);
	assert_int_equal(seen.count, 5);
	unsigned channels[5] = { 0 };
	for (size_t i = 0; i < seen.count; i++)
		for (size_t p = 0; p < 4; p++)
			if (seen.person[i] == people[p].person_id) {
				channels[p] |= seen.channels[i];
				assert_int_equal(seen.group[i], people[p].text_group);
			}
	for (size_t p = 0; p < 4; p++) {
		assert_int_equal(channels[p], people[p].channels);
		struct finding finding = { .notice_id = freezing.id, .person_id = people[p].person_id };
		rig_read(&rig, find_work, &finding);
		assert_int_equal(finding.rc, OK);
		assert_int_equal(finding.channels, people[p].channels);
		assert_int_equal(finding.group, people[p].text_group);
	}
	struct finding nobody = { .notice_id = freezing.id, .person_id = 4 };
	rig_read(&rig, find_work, &nobody);
	assert_int_equal(nobody.rc, NOT_FOUND);
	assert_int_equal(rig_count(&rig, freezing.id, CHANNEL_SMS, MESSAGE_PLANNED), 3);
	assert_int_equal(rig_count(&rig, freezing.id, CHANNEL_MAIL, MESSAGE_PLANNED), 1);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_bad_audiences_are_refused(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	const struct notice_person unsorted[] = { { .person_id = 2, .channels = SMS }, { .person_id = 1, .channels = SMS } };
	const struct notice_person twice[] = { { .person_id = 2, .channels = SMS }, { .person_id = 2, .channels = SMS } };
	const struct notice_person zero[] = { { .person_id = 0, .channels = SMS } };
	struct freezing freezing = { .notice = { .kind = NOTICE_ALERT, .event_id = 1, .expires_at = clock_now() + CLOCK_DAY } };
	const struct notice_person *const bad[] = { unsorted, twice, zero };
	const size_t counts[] = { 2, 2, 1 };
	for (size_t i = 0; i < 3; i++) {
		freezing.people = bad[i];
		freezing.count = counts[i];
		rig_write(&rig, freeze_work, &freezing, FAILED);
	}
	/* Nobody is an audience, too: an alert that reaches no one is still sent and counted. */
	freezing.count = 0;
	rig_write(&rig, freeze_work, &freezing, OK);
	rig_turn(&rig);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- late joiners ---------------------------------------------------------------------------------------------------------- */

static void test_late_joiner_gets_it_once(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 20);
	int64_t notice = rig_send(&rig, 1, 1, 10, SMS);
	const struct notice_person in_block = { .person_id = 5, .channels = SMS, .text_group = 1 };
	const struct notice_person outside = { .person_id = 15, .channels = SMS, .text_group = 1 };
	rig_add(&rig, notice, &in_block); /* before the block is opened */
	rig_add(&rig, notice, &outside);
	rig_add(&rig, notice, &outside);
	rig_check(&rig);
	rig_turn(&rig);
	rig_add(&rig, notice, &in_block); /* and after */
	rig_add(&rig, notice, &outside);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 11);
	assert_int_equal(sent_to(&rig, 5), 1);
	assert_int_equal(sent_to(&rig, 15), 1);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_PLANNED), 11);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 11);
	struct finding finding = { .notice_id = notice, .person_id = 15 };
	rig_read(&rig, find_work, &finding);
	assert_int_equal(finding.rc, OK);
	assert_int_equal(finding.channels, SMS);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- superseding ------------------------------------------------------------------------------------------------------------- */

/* At whatever step the new version comes, nothing of the old one leaves after its commit. */
static void test_supersede_at_every_step(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3000);
	for (int step = 0; step < 5; step++) {
		int64_t event = 10 + step;
		rig.sms.window = 20;
		rig.sms.count = 0;
		rig.sms.outstanding = 0;
		size_t before = rig.sms.submitted;
		int64_t first = rig_send(&rig, event, 1, 3000, SMS);
		if (step == 1) { /* opened and loaded, road full */
			rig_turn(&rig);
		} else if (step == 2) { /* half way */
			rig_turn(&rig);
			fake_accept_all(&rig.sms);
			rig_turn(&rig);
		} else if (step == 3) { /* one is refused for now and waits */
			rig_turn(&rig);
			fake_refuse(&rig.sms, 0, CHANNEL_FAULT_TEMPORARY, 8);
			rig_turn(&rig);
		} else if (step == 4) { /* some are in doubt */
			rig_turn(&rig);
			fake_doubt(&rig.sms, 0);
			rig_turn(&rig);
		}
		size_t sent = rig.sms.submitted - before;
		int64_t second = rig_send(&rig, event, 1, 10, SMS);
		rig_check(&rig);
		size_t kept = rig.sms.count;
		for (int i = 0; i < 4; i++) {
			rig_turn(&rig);
			fake_accept_all(&rig.sms);
			rig_turn(&rig);
		}
		for (size_t i = kept; i < rig.sms.count; i++) {
			char text[64];
			snprintf(text, sizeof text, "notice %lld group 1 person", (long long)(event * 10));
			assert_true(strncmp(rig.sms.messages[i].text, text, strlen(text)) == 0);
		}
		assert_int_equal(rig.sms.submitted - before, sent + 10);
		int64_t doubt = step == 4;
		assert_int_equal(rig_count(&rig, first, CHANNEL_SMS, MESSAGE_QUEUED), 0);
		assert_int_equal(rig_count(&rig, first, CHANNEL_SMS, MESSAGE_IN_DOUBT), doubt);
		assert_int_equal(rig_count(&rig, first, CHANNEL_SMS, MESSAGE_SUPERSEDED) +
		                         rig_count(&rig, first, CHANNEL_SMS, MESSAGE_ACCEPTED) + doubt,
		                 3000);
		assert_int_equal(rig_count(&rig, second, CHANNEL_SMS, MESSAGE_ACCEPTED), 10);
		rig_check(&rig);
	}
	rig_release(&rig);
}

/* What is marked but has not left is taken back by a supersede that comes between. */
static void test_supersede_stops_what_is_staged(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 100);
	rig.sms.window = 10;
	int64_t notice = rig_send(&rig, 1, 1, 100, SMS);
	rig_turn(&rig);
	fake_accept_all(&rig.sms); /* ten more leave, and as many are marked ahead */
	rig_turn(&rig);
	struct road *road = &rig.engine->roads[0];
	assert_true(road->staged_count > 0);
	size_t sent = rig.sms.submitted;
	rig_supersede(&rig, 1);
	/* The carrier has room again before the dispatcher has looked: the gate is shut all the same. */
	fake_accept_all(&rig.sms);
	assert_int_equal(rig.sms.submitted, sent);
	rig_turn(&rig);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, sent);
	assert_int_equal(road->staged_count, 0);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), (int64_t)sent);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUPERSEDED), 100 - (int64_t)sent);
	rig_check(&rig);
	rig_release(&rig);
}

static enum rc supersede_and_fail(struct db_tx *tx, void *context, struct err *err)
{
	enum rc rc = notice_supersede(tx, NOTICE_ALERT, *(const int64_t *)context, 0, clock_now(), err);
	return rc == OK ? CONFLICT : rc;
}

/* A supersede that is rolled back stops nothing for good. */
static void test_supersede_rolled_back(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 50);
	rig.sms.window = 10;
	int64_t event = 1, notice = rig_send(&rig, event, 1, 50, SMS);
	rig_turn(&rig);
	rig_write(&rig, supersede_and_fail, &event, CONFLICT);
	for (int i = 0; i < 20 && rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED) < 50; i++) {
		fake_accept_all(&rig.sms);
		rig_turn(&rig);
	}
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 50);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_late_joiner_of_a_superseded_notice(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 20);
	fake_cut(&rig.sms);
	int64_t notice = rig_send(&rig, 1, 1, 5, SMS);
	const struct notice_person person = { .person_id = 15, .channels = SMS, .text_group = 1 };
	rig_add(&rig, notice, &person);
	rig_turn(&rig);
	rig_supersede(&rig, 1);
	fake_up(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 0);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUPERSEDED), 6);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- refusals ------------------------------------------------------------------------------------------------------------------ */

static void test_temporary_refusals_back_off(void **state)
{
	static const int64_t waits[] = { 30, 60, 120, 300, 600, 600 };
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	for (size_t i = 0; i < COUNT_OF(waits); i++) {
		rig_turn(&rig);
		assert_int_equal(rig.sms.count, i + 1);
		fake_refuse(&rig.sms, i, CHANNEL_FAULT_TEMPORARY, 8);
		rig_turn(&rig);
		assert_int_equal(rig.sms.count, i + 1);
		struct get_message_row row = rig_message(&rig, notice, 1, CHANNEL_SMS);
		assert_int_equal(row.state, MESSAGE_QUEUED);
		assert_int_equal(row.attempts, i + 1);
		assert_int_equal(row.status_code, 8);
		assert_string_equal(row.carrier_status.ptr, "REFUSED");
		int64_t wait = row.not_before - clock_now();
		assert_in_range(wait, waits[i] * CLOCK_SECOND * 79 / 100, waits[i] * CLOCK_SECOND * 121 / 100);
		move_clock(waits[i] * CLOCK_SECOND * 78 / 100);
		rig_turn(&rig);
		assert_int_equal(rig.sms.count, i + 1); /* not before its time */
		move_clock(waits[i] * CLOCK_SECOND * 45 / 100);
		rig_check(&rig);
	}
	rig_turn(&rig);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 1);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_throttling_is_no_attempt(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	for (size_t i = 0; i < 20; i++) {
		rig_turn(&rig);
		assert_int_equal(rig.sms.count, i + 1);
		fake_refuse(&rig.sms, i, CHANNEL_FAULT_THROTTLE, 0x58);
	}
	rig_turn(&rig);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	struct get_message_row row = rig_message(&rig, notice, 1, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_ACCEPTED);
	assert_int_equal(row.attempts, 1);
	rig_check(&rig);
	rig_release(&rig);
}

/* A hard bounce ends the channel, not the person; the person is unreachable when no other channel is left. */
static void test_unknown_address(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	int64_t notice = rig_send(&rig, 1, 1, 1, BOTH_CHANNELS);
	rig_turn(&rig);
	fake_refuse(&rig.sms, 0, CHANNEL_FAULT_RECIPIENT, 11);
	rig_turn(&rig);
	struct get_message_row row = rig_message(&rig, notice, 1, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_FAILED);
	assert_int_equal(row.reason, REASON_UNKNOWN_ADDRESS);
	assert_int_equal(row.status_code, 11);
	assert_int_equal(rig_ended_contacts(&rig), 1);
	for (size_t i = 0; i < record.unreachable_count; i++)
		assert_true(record.unreachable[i] < 0); /* the mail is still on its way */
	fake_refuse(&rig.mail, 0, CHANNEL_FAULT_RECIPIENT, 550);
	rig_turn(&rig);
	assert_int_equal(rig_ended_contacts(&rig), 2);
	assert_true(record.unreachable_count > 0);
	assert_int_equal(record.unreachable[record.unreachable_count - 1], 1);
	rig_check(&rig);
	/* The next notice finds nobody to write to. */
	int64_t next = rig_send(&rig, 2, 1, 1, SMS);
	rig_turn(&rig);
	row = rig_message(&rig, next, 1, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_NOT_SENT);
	assert_int_equal(row.reason, REASON_NO_CONTACT);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_refused_message_says_nothing_against_the_address(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	rig_turn(&rig);
	fake_refuse(&rig.sms, 0, CHANNEL_FAULT_MESSAGE, 0x45);
	rig_turn(&rig);
	struct get_message_row row = rig_message(&rig, notice, 1, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_FAILED);
	assert_int_equal(row.reason, REASON_REFUSED);
	assert_int_equal(rig_ended_contacts(&rig), 0);
	rig_check(&rig);
	rig_release(&rig);
}

static enum rc opt_out_work(struct db_tx *tx, void *context, struct err *err)
{
	struct opt_out_contact_args args = { .person_id = *(const int64_t *)context, .channel = CHANNEL_SMS };
	return opt_out_contact(tx, &args, NULL, err);
}

static enum rc remove_work(struct db_tx *tx, void *context, struct err *err)
{
	struct remove_contact_args args = { .person_id = *(const int64_t *)context, .channel = CHANNEL_SMS };
	return remove_contact(tx, &args, NULL, err);
}

/* Between the freeze and the hand-over people change their minds, and texts can be too long. */
static void test_not_sent(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 4);
	fake_cut(&rig.sms);
	int64_t notice = rig_send(&rig, 1, 1, 3, SMS);
	rig_turn(&rig);
	int64_t one = 1, two = 2;
	rig_write(&rig, opt_out_work, &one, OK);
	rig_write(&rig, remove_work, &two, OK);
	fake_up(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 1);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).reason, REASON_OPTED_OUT);
	assert_int_equal(rig_message(&rig, notice, 2, CHANNEL_SMS).reason, REASON_NO_CONTACT);
	assert_int_equal(rig_message(&rig, notice, 2, CHANNEL_SMS).state, MESSAGE_NOT_SENT);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_NOT_SENT), 2);
	char text[2000];
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = 0;
	record.text = text;
	int64_t longer = rig_send(&rig, 2, 4, 1, SMS);
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, longer, 4, CHANNEL_SMS).reason, REASON_TOO_LONG);
	rig_check(&rig);
	rig_release(&rig);
}

/* A text that cannot be made for one person holds nobody else up, and is tried again. */
static void test_render_fails_for_one(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 10);
	record.fails_person = 3;
	int64_t notice = rig_send(&rig, 1, 1, 10, SMS);
	log_set_level(LOG_ERROR + 1);
	rig_turn(&rig);
	log_set_level(LOG_ERROR);
	assert_int_equal(rig.sms.submitted, 9);
	record.fails_person = 0;
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 9);
	move_clock(61 * CLOCK_SECOND);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 10);
	assert_int_equal(rig_message(&rig, notice, 3, CHANNEL_SMS).attempts, 1);
	rig_check(&rig);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_everyone_once),
		BOTH(test_codes_first),
		BOTH(test_frozen_is_read_back),
		BOTH(test_bad_audiences_are_refused),
		BOTH(test_late_joiner_gets_it_once),
		BOTH(test_supersede_at_every_step),
		BOTH(test_supersede_stops_what_is_staged),
		BOTH(test_supersede_rolled_back),
		BOTH(test_late_joiner_of_a_superseded_notice),
		BOTH(test_temporary_refusals_back_off),
		BOTH(test_throttling_is_no_attempt),
		BOTH(test_unknown_address),
		BOTH(test_refused_message_says_nothing_against_the_address),
		BOTH(test_not_sent),
		BOTH(test_render_fails_for_one),
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
