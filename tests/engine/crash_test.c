/* Doubt, crashes, receipts, and two processes. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/engine_fixture.h"

#define SMS CHANNEL_BIT(CHANNEL_SMS)
#define MAIL CHANNEL_BIT(CHANNEL_MAIL)

static void phone_of(int64_t person, char out[32])
{
	snprintf(out, 32, "+1555%07lld", (long long)person);
}

/* Index of the last message handed over to a person's phone; fails the test if there is none. */
static size_t last_to(const struct rig *rig, int64_t person)
{
	char to[32];
	phone_of(person, to);
	for (size_t i = rig->sms.count; i-- > 0;)
		if (strcmp(rig->sms.messages[i].to, to) == 0)
			return i;
	fail_msg("nothing was handed over to person %lld", (long long)person);
	return 0;
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

/* --- doubt ------------------------------------------------------------------------------------------------------------------------ */

static void test_cut_sends_again_at_once(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 30);
	rig.sms.window = 10;
	int64_t notice = rig_send(&rig, 1, 1, 30, SMS);
	rig_turn(&rig);
	fake_accept(&rig.sms, 0, 0, "A1");
	fake_cut(&rig.sms);
	rig_turn(&rig);
	int64_t doubt = rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_IN_DOUBT);
	assert_in_range(doubt, 9, 10);
	rig_check(&rig);
	fake_up(&rig.sms);
	for (int i = 0; i < 20 && rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED) < 30; i++) {
		rig_turn(&rig);
		fake_accept_all(&rig.sms);
		rig_turn(&rig);
		rig_check(&rig);
	}
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 30);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_WAS_IN_DOUBT), doubt);
	assert_int_equal(rig.sms.submitted, 30 + doubt);
	for (int64_t person = 1; person <= 30; person++) {
		struct get_message_row row = rig_message(&rig, notice, person, CHANNEL_SMS);
		assert_int_equal(sent_to(&rig, person), 1 + row.was_in_doubt);
	}
	rig_release(&rig);
}

/* No answer in time, the line stands: the copy may still be taken, so nothing is sent before the line is cut. */
static void test_silence_waits_for_the_cut(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3);
	int64_t notice = rig_send(&rig, 1, 1, 3, SMS);
	rig_turn(&rig);
	size_t one = last_to(&rig, 1), two = last_to(&rig, 2), three = last_to(&rig, 3);
	fake_doubt(&rig.sms, one);
	fake_doubt(&rig.sms, two);
	fake_doubt(&rig.sms, three);
	rig_turn(&rig);
	move_clock(CLOCK_HOUR);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 3);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_IN_DOUBT), 3);
	fake_late(&rig.sms, one, CHANNEL_ACCEPTED, "B1");
	fake_late(&rig.sms, two, CHANNEL_REFUSED, "");
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_ACCEPTED);
	assert_int_equal(rig_message(&rig, notice, 2, CHANNEL_SMS).state, MESSAGE_FAILED);
	fake_receipt(&rig.sms, "B1", "+15550000001", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_cut(&rig.sms);
	rig_turn(&rig);
	fake_up(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 4);
	assert_int_equal(last_to(&rig, 3), 3);
	fake_late(&rig.sms, three, CHANNEL_ACCEPTED, "B3"); /* the first copy was taken, after all; the second is out */
	rig_turn(&rig);
	fake_refuse(&rig.sms, 3, CHANNEL_FAULT_MESSAGE, 0x45); /* which does not undo the first */
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 3, CHANNEL_SMS).state, MESSAGE_ACCEPTED);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_DELIVERED);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_WAS_IN_DOUBT), 3);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- crashes ------------------------------------------------------------------------------------------------------------------------- */

/* Dies after each number of steps of a delivery; nobody is lost, and only what was being handed over comes twice. */
static void test_crash_at_every_step(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 60);
	rig.sms.window = 8;
	for (int die_at = 0; die_at < 12; die_at++) {
		rig.sms.count = 0;
		size_t before = rig.sms.submitted;
		int64_t notice = rig_send(&rig, 100 + die_at, 1, 60, SMS);
		for (int step = 0; step < die_at; step++) {
			if (step % 2 == 0)
				rig_turn(&rig);
			else
				fake_accept_all(&rig.sms); /* answered, not recorded */
		}
		rig_crash(&rig);
		rig_check(&rig);
		rig_start(&rig);
		rig_turn(&rig);
		rig_check(&rig);
		for (int i = 0; i < 40 && rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED) < 60; i++) {
			fake_accept_all(&rig.sms);
			rig_turn(&rig);
		}
		assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 60);
		int64_t doubted = rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_WAS_IN_DOUBT);
		size_t sent = rig.sms.submitted - before;
		assert_true(sent >= 60);
		assert_true((int64_t)sent - 60 <= doubted);
		/* The window, what was answered and not recorded, and what was marked ahead. */
		assert_true(doubted <= 3 * 8);
		for (int64_t person = 1; person <= 60; person++) {
			size_t copies = sent_to(&rig, person);
			assert_true(copies == 1 || (copies == 2 && rig_message(&rig, notice, person, CHANNEL_SMS).was_in_doubt == 1));
		}
		rig_check(&rig);
	}
	rig_release(&rig);
}

/* Receipts find their messages over a restart. */
static void test_receipts_after_a_restart(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3);
	int64_t notice = rig_send(&rig, 1, 1, 2, SMS);
	struct message_single code = { .lane = LANE_CODE, .channel = CHANNEL_SMS, .address = S("+15559999999"), .body = S("1"),
		                       .expires_at = clock_now() + CLOCK_HOUR };
	rig_queue(&rig, &code);
	rig_turn(&rig);
	for (uint16_t i = 0; i < 3; i++) {
		char id[8];
		snprintf(id, sizeof id, "C%u", i);
		fake_accept(&rig.sms, i, 0, id);
	}
	rig_turn(&rig);
	rig_crash(&rig);
	rig_start(&rig);
	rig_turn(&rig);
	for (int i = 0; i < 3; i++) {
		char id[8];
		snprintf(id, sizeof id, "c%d", i); /* the carrier changes the case */
		fake_receipt(&rig.sms, id, "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	}
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 2);
	assert_int_equal(rig_count(&rig, 0, CHANNEL_SMS, MESSAGE_DELIVERED), 1);
	assert_int_equal(rig.sms.tickets_stored, 3);
	rig_check(&rig);
	rig_release(&rig);
}

/* Alerts that grew old while the program stood still wait for an officer. */
static enum rc resume_work(struct db_tx *tx, void *context, struct err *err)
{
	return notice_resume(tx, *(const int64_t *)context, err);
}

static void test_old_alerts_are_held(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3000);
	rig.sms.window = 5;
	int64_t old = rig_send(&rig, 1, 1, 3000, SMS);
	rig_turn(&rig);
	size_t sent = rig.sms.submitted;
	rig_crash(&rig);
	move_clock(7 * CLOCK_HOUR);
	log_set_level(LOG_ERROR + 1);
	rig_start(&rig);
	int64_t fresh = rig_send(&rig, 2, 1, 3, SMS); /* sent after the stop: not held */
	rig_turn(&rig);
	log_set_level(LOG_ERROR);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, fresh, CHANNEL_SMS, MESSAGE_ACCEPTED), 3);
	assert_int_equal(rig.sms.submitted, sent + 3);
	assert_int_equal(rig_count(&rig, old, CHANNEL_SMS, MESSAGE_QUEUED) + rig_count(&rig, old, CHANNEL_SMS, MESSAGE_IN_DOUBT), 3000);
	rig_check(&rig);
	rig_write(&rig, resume_work, &old, OK);
	rig_write(&rig, resume_work, &old, NOT_FOUND);
	rig_turn(&rig);
	assert_true(rig.sms.submitted > sent + 3);
	rig_check(&rig);
	/* A short stop holds nothing. */
	rig_crash(&rig);
	move_clock(CLOCK_HOUR);
	rig_start(&rig);
	size_t now = rig.sms.submitted;
	rig_turn(&rig);
	assert_true(rig.sms.submitted > now);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- time ------------------------------------------------------------------------------------------------------------------------------ */

static void test_expiry(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2100);
	fake_cut(&rig.sms);
	int64_t notice = rig_send_later(&rig, 1, 1, 2000, SMS, 0, clock_now() + CLOCK_HOUR);
	const struct notice_person late = { .person_id = 2050, .channels = SMS, .text_group = 1 };
	rig_add(&rig, notice, &late);
	struct message_single code = { .lane = LANE_CODE, .channel = CHANNEL_SMS, .address = S("+15559999999"), .body = S("1"),
		                       .expires_at = clock_now() + CLOCK_MINUTE };
	rig_queue(&rig, &code);
	fake_up(&rig.sms);
	rig.sms.window = 2;
	rig_turn(&rig);
	fake_doubt(&rig.sms, 1);
	rig_turn(&rig);
	move_clock(2 * CLOCK_HOUR);
	rig_turn(&rig);
	size_t sent = rig.sms.submitted;
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, sent);
	int64_t submitted = rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUBMITTED);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_EXPIRED), 2001 - submitted);
	assert_int_equal(record.unreachable_count, COUNT_OF(record.unreachable)); /* as far as it keeps */
	rig_check(&rig);
	/* The answer of what was out then still counts. */
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED) + rig_count(&rig, 0, CHANNEL_SMS, MESSAGE_ACCEPTED),
	                 submitted + 1);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_deferred_until_due(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 10);
	int64_t notice = rig_send_later(&rig, 1, 1, 10, SMS, clock_now() + CLOCK_DAY, clock_now() + 3 * CLOCK_DAY);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 0);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_QUEUED), 10);
	record.not_due = 4;
	move_clock(CLOCK_DAY + CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 9);
	struct get_message_row row = rig_message(&rig, notice, 4, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_NOT_SENT);
	assert_int_equal(row.reason, REASON_PLANS_CHANGED);
	assert_int_equal(record.unreachable_count, 0); /* left the plan: nobody looks for them */
	rig_check(&rig);
	rig_release(&rig);
}

/* --- the ladder ------------------------------------------------------------------------------------------------------------------------- */

/* Mail at once, SMS an hour later. */
static int64_t send_rungs(struct rig *rig, int64_t event_id, int64_t count)
{
	const int64_t times[CHANNEL_KIND_COUNT] = { [CHANNEL_SMS] = clock_now() + CLOCK_HOUR };
	return rig_send_by(rig, event_id, 1, count, MAIL | SMS, times, clock_now() + CLOCK_DAY);
}

/* Turns until the mails are out, and lets the first `refused` bounce. */
static void bounce(struct rig *rig, size_t refused)
{
	rig_turn(rig);
	for (size_t i = 0; i < refused; i++)
		fake_refuse(&rig->mail, i, CHANNEL_FAULT_RECIPIENT, 550);
	fake_accept_all(&rig->mail);
}

static void test_way_gone(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 10);
	record.raises = true;
	int64_t notice = send_rungs(&rig, 1, 10);
	bounce(&rig, 3);
	rig_turn(&rig);
	/* Their next way at once, nobody else's; and the sums are those of before. */
	assert_int_equal(record.lost, 3);
	assert_int_equal(rig.sms.submitted, 3);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_PLANNED), 10);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_QUEUED), 7);
	for (size_t i = 0; i < record.unreachable_count; i++)
		assert_true(record.unreachable[i] < 0); /* reachable: the SMS is on its way */
	rig_check(&rig);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	/* The block that opens later has them on its list, and does not send them again. */
	move_clock(CLOCK_HOUR + CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 10);
	for (size_t i = 0; i < rig.sms.count; i++)
		assert_int_equal(fake_count_to(&rig.sms, rig.sms.messages[i].to), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_PLANNED), 10);
	rig_check(&rig);
	rig_release(&rig);
}

/* A crash after the bounce was booked, an update while the rungs wait, and everybody's way gone. */
static void test_way_gone_and_crash(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 5);
	record.raises = true;
	int64_t notice = send_rungs(&rig, 1, 5);
	fake_cut(&rig.sms);
	bounce(&rig, 2);
	rig_turn(&rig);
	rig_check(&rig);
	rig_crash(&rig);
	rig_start(&rig);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_PLANNED), 5);
	rig_check(&rig);
	rig_supersede(&rig, 1);
	rig_turn(&rig);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUPERSEDED) + (int64_t)rig.sms.submitted, 5);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_all_ways_gone(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 4);
	record.raises = true;
	int64_t notice = send_rungs(&rig, 1, 4);
	bounce(&rig, 4);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 4);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	/* The block is empty by now. */
	move_clock(CLOCK_HOUR + CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 4);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 4);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_QUEUED), 0);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_answered_before_the_hand_over(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 5);
	record.withholds_person = 3;
	int64_t notice = rig_send(&rig, 1, 1, 5, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 4);
	struct get_message_row row = rig_message(&rig, notice, 3, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_NOT_SENT);
	assert_int_equal(row.reason, REASON_ANSWERED);
	assert_int_equal(record.lost, 0);
	assert_int_equal(record.unreachable_count, 0);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- receipts -------------------------------------------------------------------------------------------------------------------------- */

static enum rc unmatched_work(struct db_tx *tx, void *context, struct err *err)
{
	struct get_unmatched_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = get_unmatched(tx, &arena, &row, err);
	arena_release(&arena);
	*(int64_t *)context = row.waiting;
	return rc;
}

static int64_t unmatched(struct rig *rig)
{
	int64_t waiting = -1;
	rig_read(rig, unmatched_work, &waiting);
	return waiting;
}

static void test_receipts_in_any_order(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 8);
	int64_t notice = rig_send(&rig, 1, 1, 8, SMS);
	rig_turn(&rig);
	/* 1: before the answer, recorded in between */
	fake_receipt(&rig.sms, "D0", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(unmatched(&rig), 1);
	assert_int_equal(rig.sms.tickets_stored, 1);
	fake_accept(&rig.sms, 0, 0, "D0");
	rig_turn(&rig);
	assert_int_equal(unmatched(&rig), 0);
	/* 2: before the answer, both in one transaction; and twice */
	fake_receipt(&rig.sms, "D1", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_accept(&rig.sms, 1, 0, "D1");
	rig_turn(&rig);
	fake_receipt(&rig.sms, "D1", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	/* 3: not final, an unknown word, then delivered */
	fake_accept(&rig.sms, 2, 0, "D2");
	fake_receipt(&rig.sms, "D2", "", CHANNEL_DELIVERY_PENDING, "ENROUTE");
	rig_turn(&rig);
	fake_receipt(&rig.sms, "D2", "", CHANNEL_DELIVERY_UNKNOWN, "FUNNY");
	rig_turn(&rig);
	/* 4: failed, and then delivered, as a retry by the carrier may */
	fake_accept(&rig.sms, 3, 0, "D3");
	fake_receipt(&rig.sms, "D3", "", CHANNEL_DELIVERY_FAILED, "UNDELIV");
	rig_turn(&rig);
	/* 5: the carrier gave up */
	fake_accept(&rig.sms, 4, 0, "D4");
	fake_receipt(&rig.sms, "D4", "", CHANNEL_DELIVERY_EXPIRED, "EXPIRED");
	/* 6: an id nobody knows */
	fake_receipt(&rig.sms, "NOBODY", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	rig_check(&rig);
	assert_int_equal(unmatched(&rig), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 2);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_FAILED), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_EXPIRED), 1);
	for (int64_t person = 1; person <= 8; person++) {
		struct get_message_row row = rig_message(&rig, notice, person, CHANNEL_SMS);
		if (row.state == MESSAGE_ACCEPTED)
			assert_string_equal(row.carrier_status.ptr, "FUNNY");
		if (row.state == MESSAGE_FAILED) {
			assert_string_equal(row.carrier_status.ptr, "UNDELIV");
			assert_int_equal(row.reason, REASON_RECEIPT_FAILED);
			assert_true(record.unreachable_count > 0);
		}
	}
	assert_int_equal(rig_ended_contacts(&rig), 0); /* a receipt does not end a contact */
	fake_receipt(&rig.sms, "D3", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_receipt(&rig.sms, "D2", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 4);
	assert_true(record.unreachable[record.unreachable_count - 1] < 0); /* reachable after all */
	assert_int_equal(rig.sms.tickets_stored, 10);
	rig_check(&rig);
	rig_release(&rig);
}

/* Submit answers in hex, receipts in decimal: matched, since the phone agrees; a guess alone is not enough. */
static void test_receipts_by_other_readings(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	int64_t notice = rig_send(&rig, 1, 1, 2, SMS);
	rig_turn(&rig);
	fake_accept(&rig.sms, last_to(&rig, 1), 0, "10C8F40D");
	fake_accept(&rig.sms, last_to(&rig, 2), 0, "0A");
	rig_turn(&rig);
	fake_receipt(&rig.sms, "281605133", "15550000001", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_receipt(&rig.sms, "10", "+15550000001", CHANNEL_DELIVERY_DELIVERED, "DELIVRD"); /* another's phone */
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_DELIVERED);
	assert_int_equal(rig_message(&rig, notice, 2, CHANNEL_SMS).state, MESSAGE_ACCEPTED);
	assert_int_equal(unmatched(&rig), 1);
	rig_check(&rig);
	rig_release(&rig);
}

static void test_long_messages(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	char text[400];
	memset(text, 'y', sizeof text);
	text[sizeof text - 1] = 0;
	record.text = text;
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.messages[0].parts, 3);
	fake_accept(&rig.sms, 0, 0, "E0");
	fake_receipt(&rig.sms, "E0", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_SUBMITTED);
	fake_accept(&rig.sms, 0, 1, "E1");
	fake_refuse(&rig.sms, 0, CHANNEL_FAULT_TEMPORARY, 8);
	rig_turn(&rig);
	struct get_message_row row = rig_message(&rig, notice, 1, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_QUEUED);
	rig_check(&rig);
	move_clock(CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(rig.sms.count, 2); /* the missing part alone */
	assert_int_equal(rig.sms.messages[1].parts, 1);
	assert_int_equal(rig.sms.messages[1].first_part, 2);
	rig_crash(&rig); /* and its answer is lost */
	rig_start(&rig);
	rig_turn(&rig);
	assert_int_equal(rig.sms.count, 3);
	assert_int_equal(rig.sms.messages[2].first_part, 2);
	fake_accept(&rig.sms, 2, 2, "E2");
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_ACCEPTED);
	fake_receipt(&rig.sms, "E2", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_receipt(&rig.sms, "E2", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD"); /* twice is once */
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_ACCEPTED);
	rig_crash(&rig);
	rig_start(&rig);
	rig_turn(&rig);
	fake_receipt(&rig.sms, "E1", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	row = rig_message(&rig, notice, 1, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_DELIVERED);
	assert_int_equal(row.parts_delivered, 3);
	assert_int_equal(row.was_in_doubt, 1);
	rig_check(&rig);
	rig_release(&rig);
}

/* What nobody foresaw about one message does not stop the others. */
static void test_one_stumbling_block(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 5);
	int64_t notice = rig_send(&rig, 1, 1, 5, SMS);
	rig_turn(&rig);
	record.stumbles_person = 3;
	for (int64_t person = 1; person <= 4; person++)
		fake_refuse(&rig.sms, last_to(&rig, person), CHANNEL_FAULT_MESSAGE, 0x45);
	fake_accept(&rig.sms, last_to(&rig, 5), 0, "F5");
	fake_receipt(&rig.sms, "F5", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_incoming(&rig.sms, "+15550000005", "+15550100", S("SAFE"), 0, 0);
	log_set_level(LOG_ERROR + 1);
	for (int i = 0; i < 6; i++)
		rig_turn(&rig);
	log_set_level(LOG_ERROR);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_FAILED), 3);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 1);
	assert_int_equal(rig_message(&rig, notice, 3, CHANNEL_SMS).state, MESSAGE_SUBMITTED);
	assert_int_equal(record.answers, 1);
	assert_int_equal(rig.sms.tickets_stored, 2);
	rig_check(&rig);
	record.stumbles_person = 0;
	rig_crash(&rig);
	rig_start(&rig);
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 3, CHANNEL_SMS).was_in_doubt, 1);
	assert_int_equal(sent_to(&rig, 3), 2);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- two processes ---------------------------------------------------------------------------------------------------------------------- */

/* A dispatcher that was taken for dead starts over; the other delivers what it had. */
static void test_taken_over(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 40);
	rig.sms.window = 10;
	int64_t notice = rig_send(&rig, 1, 1, 40, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 10);
	struct rig other;
	memset(&other, 0, sizeof other);
	other.fixture = rig.fixture;
	memcpy(other.folder, rig.folder, sizeof other.folder);
	fake_init(&other.sms, "carrier", CHANNEL_SMS, 100);
	fake_init(&other.mail, "relay", CHANNEL_MAIL, 50);
	rig_start(&other);
	assert_true(other.engine->id != rig.engine->id); /* the lock is held */
	rig_turn(&other);
	assert_int_equal(other.sms.submitted, 0); /* the block is the first one's */
	move_clock(20 * CLOCK_SECOND); /* it is silent for too long */
	log_set_level(LOG_ERROR + 1);
	rig_turn(&other);
	assert_int_equal(other.sms.submitted, 40); /* ten of them may have arrived */
	assert_in_range(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_WAS_IN_DOUBT), 10, 20); /* and what was marked ahead */
	fake_accept_all(&other.sms);
	rig_turn(&other);
	rig_check(&other);
	fake_accept_all(&rig.sms); /* it wakes up: its answers count, but it sends nothing more */
	rig_turn(&rig);
	log_set_level(LOG_ERROR);
	assert_int_equal(rig.sms.submitted, 10);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 40);
	rig_check(&rig);
	int64_t second = rig_send(&rig, 2, 1, 5, SMS); /* and both work on */
	rig_turn(&rig);
	rig_turn(&other);
	fake_accept_all(&rig.sms);
	fake_accept_all(&other.sms);
	rig_turn(&rig);
	rig_turn(&other);
	assert_int_equal(rig_count(&rig, second, CHANNEL_SMS, MESSAGE_ACCEPTED), 5);
	assert_int_equal(rig.sms.submitted + other.sms.submitted, 55);
	rig_check(&rig);
	rig_crash(&other);
	fake_release(&other.sms);
	fake_release(&other.mail);
	rig_release(&rig);
}

/* --- the check itself ------------------------------------------------------------------------------------------------------------------- */

static enum rc wreck_work(struct db_tx *tx, void *context, struct err *err)
{
	struct wreck_counter_args args = { .notice_id = *(const int64_t *)context, .channel = CHANNEL_SMS, .state = MESSAGE_QUEUED };
	return wreck_counter(tx, &args, NULL, err);
}

static void test_check_finds_a_wrong_counter(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 5);
	int64_t notice = rig_send(&rig, 1, 1, 5, SMS), wrong = -1;
	rig_check(&rig);
	rig_write(&rig, wreck_work, &notice, OK);
	assert_rc(rig.fixture, OK, messages_check(rig.fixture->db, NULL, NULL, &wrong, fixture_err(rig.fixture)));
	assert_int_equal(wrong, 2); /* the counter, and the sum */
	rig_release(&rig);
}

/* --- anything at any time --------------------------------------------------------------------------------------------------------------- */

static void random_step(struct rig *rig, int64_t *event)
{
	size_t waiting = 0, index = 0;
	for (size_t i = 0; i < rig->sms.count; i++)
		if (rig->sms.messages[i].answered < rig->sms.messages[i].parts && rand_below(++waiting) == 0)
			index = i;
	switch (rand_below(14)) {
	case 0:
		rig_send(rig, *event, 1, 1 + (int64_t)rand_below(60), SMS);
		break;
	case 1:
		*event += 1;
		break;
	case 2:
		if (rig->sms.up)
			fake_cut(&rig->sms);
		else
			fake_up(&rig->sms);
		break;
	case 3:
		rig_crash(rig);
		rig_start(rig);
		break;
	case 4:
		rig_supersede(rig, *event);
		break;
	case 5:
		move_clock((int64_t)rand_below(120) * CLOCK_SECOND);
		break;
	case 6:
		if (waiting > 0)
			fake_refuse(&rig->sms, index, (enum channel_fault)(1 + rand_below(4)), 8);
		break;
	case 7:
		if (waiting > 0)
			fake_doubt(&rig->sms, index);
		break;
	case 8:
		if (rig->sms.count > 0) {
			char id[40];
			const struct fake_message *message = &rig->sms.messages[rand_below(rig->sms.count)];
			snprintf(id, sizeof id, "%llX00", (unsigned long long)message->id);
			fake_receipt(&rig->sms, id, "", (enum channel_delivery)rand_below(5), "X");
		}
		break;
	case 9:
		if (rig->sms.count > 0)
			fake_late(&rig->sms, rand_below(rig->sms.count), CHANNEL_ACCEPTED, "");
		break;
	default:
		if (rig->sms.up)
			fake_accept_all(&rig->sms);
		break;
	}
}

static void test_random(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 60);
	rig.sms.window = 7;
	int64_t event = 1;
	log_set_level(LOG_ERROR + 1);
	for (int i = 0; i < 200; i++) {
		random_step(&rig, &event);
		if (rand_below(3) > 0)
			rig_turn(&rig);
		if (i % 5 == 0)
			rig_check(&rig);
		if (rig.sms.count > FAKE_MOST / 2)
			rig.sms.count = 0;
	}
	if (!rig.sms.up)
		fake_up(&rig.sms);
	for (int i = 0; i < 30; i++) {
		fake_accept_all(&rig.sms);
		rig_turn(&rig);
	}
	log_set_level(LOG_ERROR);
	rig_check(&rig);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_cut_sends_again_at_once),
		BOTH(test_silence_waits_for_the_cut),
		BOTH(test_crash_at_every_step),
		BOTH(test_receipts_after_a_restart),
		BOTH(test_old_alerts_are_held),
		BOTH(test_expiry),
		BOTH(test_deferred_until_due),
		BOTH(test_way_gone),
		BOTH(test_way_gone_and_crash),
		BOTH(test_all_ways_gone),
		BOTH(test_answered_before_the_hand_over),
		BOTH(test_receipts_in_any_order),
		BOTH(test_receipts_by_other_readings),
		BOTH(test_long_messages),
		BOTH(test_one_stumbling_block),
		BOTH(test_taken_over),
		BOTH(test_check_finds_a_wrong_counter),
		BOTH(test_random),
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
