/* Bad days of the delivery path, each of which once broke a promise: see the comment of each test. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/engine/engine_fixture.h"
#include "tests/engine/faulty_store.h"

#define SMS CHANNEL_BIT(CHANNEL_SMS)
#define MAIL CHANNEL_BIT(CHANNEL_MAIL)

static void move_clock(int64_t by)
{
	clock_set_offset(clock_offset() + by);
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

/* Every message in memory speaks of a block that is in memory. */
static void assert_works_live(const struct rig *rig)
{
	size_t at = 0;
	void *value;
	while (id_map_each(&rig->engine->flights, &at, &value)) {
		const struct flight *flight = value;
		if (flight->work)
			assert_ptr_equal(flight->work, id_map_get(&rig->engine->works, flight->id >> BLOCK_ID_BITS));
	}
}

/* A slow relay, and a later version while messages of the old one wait in memory for room: their block ends and is
 * forgotten; they must be so, too. */
static void test_nothing_outlives_its_block(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1500);
	rig.mail.window = 2;
	int64_t notice = rig_send(&rig, 1, 1, 1500, MAIL);
	rig_turn(&rig);
	assert_true(rig.engine->loaded[CHANNEL_MAIL][LANE_ALERT].count > 1000);
	rig_supersede(&rig, 1);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_MAIL, MESSAGE_QUEUED), 0);
	assert_works_live(&rig);
	fake_accept_all(&rig.mail);
	rig_turn(&rig);
	assert_works_live(&rig);
	rig_check(&rig);
	/* And so when the road is away and time runs out. */
	notice = rig_send_later(&rig, 2, 1, 1500, MAIL, 0, clock_now() + CLOCK_HOUR);
	rig_turn(&rig);
	fake_cut(&rig.mail);
	rig_turn(&rig);
	move_clock(2 * CLOCK_HOUR);
	rig_turn(&rig);
	assert_works_live(&rig);
	fake_up(&rig.mail);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_MAIL, MESSAGE_QUEUED), 0);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- nobody waits for others ------------------------------------------------------------------------------------- */

/* An old alert is held for an officer's word; a new one of the same lane leaves all the same. */
static void test_held_alert_blocks_no_other(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 12000);
	rig.sms.window = 5;
	int64_t old = rig_send(&rig, 1, 1, 12000, SMS);
	rig_turn(&rig);
	size_t sent = rig.sms.submitted;
	rig_crash(&rig);
	move_clock(7 * CLOCK_HOUR);
	log_set_level(LOG_ERROR + 1);
	rig_start(&rig);
	log_set_level(LOG_ERROR);
	rig_turn(&rig);
	int64_t fresh = rig_send(&rig, 2, 1, 5, SMS);
	rig_turn(&rig);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, fresh, CHANNEL_SMS, MESSAGE_ACCEPTED), 5);
	assert_int_equal(rig.sms.submitted, sent + 5);
	assert_int_equal(rig_count(&rig, old, CHANNEL_SMS, MESSAGE_QUEUED) + rig_count(&rig, old, CHANNEL_SMS, MESSAGE_IN_DOUBT), 12000);
	rig_check(&rig);
	rig_release(&rig);
}

/* However many are refused for now, everyone gets a first try before their second. */
static void test_refusals_block_nobody(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 12000);
	rig.sms.window = 600;
	int64_t notice = rig_send(&rig, 1, 1, 12000, SMS);
	size_t tried = 0;
	bool seen[12001] = { false };
	/* On a slow machine the first are due again meanwhile. */
	for (int i = 0; i < 200 && tried < 12000 && rig.sms.count < FAKE_MOST; i++) {
		rig_turn(&rig);
		for (size_t k = 0; k < rig.sms.count; k++)
			if (rig.sms.messages[k].answered == 0) {
				size_t person = (size_t)strtoul(rig.sms.messages[k].to + 5, NULL, 10);
				assert_in_range(person, 1, 12000);
				tried += !seen[person];
				seen[person] = true;
				fake_refuse(&rig.sms, k, CHANNEL_FAULT_TEMPORARY, 8);
			}
	}
	rig_turn(&rig);
	assert_int_equal(tried, 12000);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_QUEUED), 12000);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- receipts of long messages ---------------------------------------------------------------------------------------- */

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

static void long_text(char text[400])
{
	memset(text, 'y', 399);
	text[399] = 0;
	record.text = text;
}

/* The carrier gives up one part before it has answered for the others: the message is lost all the same. */
static void test_part_fails_before_the_last_answer(void **state)
{
	struct rig rig;
	char text[400];
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	long_text(text);
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.messages[0].parts, 3);
	fake_accept(&rig.sms, 0, 0, "E0");
	fake_receipt(&rig.sms, "E0", "", CHANNEL_DELIVERY_FAILED, "UNDELIV");
	rig_turn(&rig);
	fake_accept(&rig.sms, 0, 1, "E1");
	fake_accept(&rig.sms, 0, 2, "E2");
	rig_turn(&rig);
	struct get_message_row row = rig_message(&rig, notice, 1, CHANNEL_SMS);
	assert_int_equal(row.state, MESSAGE_FAILED);
	assert_int_equal(row.reason, REASON_RECEIPT_FAILED);
	assert_int_equal(record.unreachable_count, 1);
	assert_int_equal(record.unreachable[0], 1);
	rig_check(&rig);
	rig_release(&rig);
}

/* Some parts were taken, the others wait, and the program starts anew: receipts of the first still find them. */
static void test_receipt_of_a_part_after_a_restart(void **state)
{
	struct rig rig;
	char text[400];
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	long_text(text);
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	struct message_single single = { .lane = LANE_CODE, .channel = CHANNEL_SMS, .address = S("+15559999999"), .body = str_from(text),
		                         .expires_at = clock_now() + CLOCK_HOUR };
	rig_queue(&rig, &single);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 2);
	for (size_t i = 0; i < 2; i++) {
		fake_accept(&rig.sms, i, 0, i ? "F0" : "E0");
		fake_accept(&rig.sms, i, 1, i ? "F1" : "E1");
		fake_refuse(&rig.sms, i, CHANNEL_FAULT_TEMPORARY, 8);
	}
	rig_turn(&rig);
	rig_crash(&rig);
	rig_start(&rig);
	rig_turn(&rig);
	fake_receipt(&rig.sms, "E0", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_receipt(&rig.sms, "F0", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(unmatched(&rig), 0);
	move_clock(CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 4);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	for (size_t i = 2; i < 4; i++) {
		char id[40];
		snprintf(id, sizeof id, "%llX02", (unsigned long long)rig.sms.messages[i].id);
		fake_receipt(&rig.sms, id, "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	}
	fake_receipt(&rig.sms, "E1", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_receipt(&rig.sms, "F1", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(unmatched(&rig), 0);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_DELIVERED);
	assert_int_equal(rig_count(&rig, 0, CHANNEL_SMS, MESSAGE_DELIVERED), 1);
	rig_check(&rig);
	rig_release(&rig);
}

/* A carrier brings receipts of somebody else's messages by the hundred thousand; those that come before our answers are matched
 * all the same. */
static void test_foreign_receipts_crowd_nobody_out(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1);
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	rig_turn(&rig);
	size_t many = 250000;
	struct waiting_receipt *foreign = calloc(many, sizeof *foreign);
	assert_non_null(foreign);
	for (size_t i = 0; i < many; i++)
		foreign[i] = (struct waiting_receipt){ .id = -1 - (int64_t)i, .route = rig.engine->roads[0].id, .keys = { rand_u64() }, .key_count = 1,
			                               .next = i + 1 < many ? &foreign[i + 1] : NULL };
	rig.engine->fold.kept = foreign;
	receipts_settle(rig.engine);
	free(foreign);
	fake_receipt(&rig.sms, "D0", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(unmatched(&rig), 1);
	fake_accept(&rig.sms, 0, 0, "D0");
	rig_turn(&rig);
	assert_int_equal(unmatched(&rig), 0);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_DELIVERED);
	rig_release(&rig);
}

/* One of two processes dies; the carrier brings its receipts to the other at once, which knows none of the ids yet. */
static void test_receipts_of_the_dead(void **state)
{
	struct rig rig, other = { 0 };
	rig_init(&rig, *state);
	rig_people(&rig, 1, 10);
	other.fixture = rig.fixture;
	memcpy(other.folder, rig.folder, sizeof other.folder);
	fake_init(&other.sms, "carrier", CHANNEL_SMS, 100);
	fake_init(&other.mail, "relay", CHANNEL_MAIL, 50);
	rig_start(&other);
	rig_turn(&other);
	int64_t notice = rig_send(&rig, 1, 1, 5, SMS);
	const struct notice_person late = { .person_id = 7, .channels = SMS, .text_group = 1 };
	rig_add(&rig, notice, &late);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 6);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	rig_crash(&rig);
	for (size_t i = 0; i < 6; i++) {
		char id[40];
		snprintf(id, sizeof id, "%llX00", (unsigned long long)rig.sms.messages[i].id);
		fake_receipt(&other.sms, id, "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	}
	rig_turn(&other);
	assert_int_equal(unmatched(&other), 6);
	move_clock(20 * CLOCK_SECOND);
	log_set_level(LOG_ERROR + 1);
	rig_turn(&other);
	log_set_level(LOG_ERROR);
	assert_int_equal(unmatched(&other), 0);
	assert_int_equal(rig_count(&other, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 6);
	assert_int_equal(other.sms.submitted, 0);
	rig_check(&other);
	/* And so where the one comes back before it is missed. */
	int64_t second = rig_send(&other, 2, 1, 3, SMS);
	rig_turn(&other);
	fake_accept_all(&other.sms);
	rig_turn(&other);
	rig_start(&rig);
	rig_turn(&rig);
	rig_crash(&other);
	for (size_t i = 0; i < 3; i++) {
		char id[40];
		snprintf(id, sizeof id, "%llX00", (unsigned long long)other.sms.messages[i].id);
		fake_receipt(&rig.sms, id, "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	}
	rig_turn(&rig);
	rig_start(&other);
	rig_turn(&other);
	assert_int_equal(unmatched(&other), 0);
	assert_int_equal(rig_count(&other, second, CHANNEL_SMS, MESSAGE_DELIVERED), 3);
	rig_check(&other);
	rig_crash(&other);
	fake_release(&other.sms);
	fake_release(&other.mail);
	rig_release(&rig);
}

/* --- time ---------------------------------------------------------------------------------------------------------- */

/* The clock is put back by an hour: what was about to leave leaves, and what was refused is tried again in minutes. */
static void test_clock_put_back(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3000);
	rig.sms.window = 50;
	int64_t notice = rig_send(&rig, 1, 1, 3000, SMS);
	struct message_single code = { .lane = LANE_CODE, .channel = CHANNEL_SMS, .address = S("+15559999999"), .body = S("1"),
		                       .expires_at = clock_now() + CLOCK_HOUR };
	rig_queue(&rig, &code);
	rig_turn(&rig);
	for (size_t i = 0; i < 10; i++)
		fake_refuse(&rig.sms, i, CHANNEL_FAULT_TEMPORARY, 8); /* the code among them */
	rig_turn(&rig);
	move_clock(-CLOCK_HOUR);
	for (int i = 0; i < 200 && rig.sms.submitted < 3001; i++) {
		fake_accept_all(&rig.sms);
		rig_turn(&rig);
	}
	move_clock(3 * CLOCK_MINUTE);
	for (int i = 0; i < 10; i++) {
		fake_accept_all(&rig.sms);
		rig_turn(&rig);
	}
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 3000);
	assert_int_equal(rig_count(&rig, 0, CHANNEL_SMS, MESSAGE_ACCEPTED), 1);
	assert_int_equal(rig.sms.submitted, 3011);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- a store that fails ------------------------------------------------------------------------------------------- */

/* The store is away for a good while; whatever carriers said meanwhile is written when it is back. */
static void test_outage_loses_no_answer(void **state)
{
	struct rig rig;
	faulty_open(*state);
	rig_init(&rig, *state);
	rig_people(&rig, 1, 10);
	int64_t notice = rig_send(&rig, 1, 1, 10, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 10);
	fake_refuse(&rig.sms, 0, CHANNEL_FAULT_RECIPIENT, 11);
	fake_refuse(&rig.sms, 1, CHANNEL_FAULT_TEMPORARY, 8);
	fake_doubt(&rig.sms, 2);
	fake_accept(&rig.sms, 3, 0, "A3");
	fake_receipt(&rig.sms, "A3", "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	fake_incoming(&rig.sms, "+15550000005", "+15550100", S("SAFE"), 0, 0);
	log_set_level(LOG_ERROR + 1);
	faults.down = true;
	for (int i = 0; i < 30; i++) {
		rig.engine->rest_until = 0;
		engine_round(rig.engine);
	}
	faults.down = false;
	rig_turn(&rig);
	log_set_level(LOG_ERROR);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_FAILED), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_QUEUED), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_IN_DOUBT), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 1);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUBMITTED), 6);
	assert_int_equal(rig.sms.tickets_stored, 2);
	assert_int_equal(rig.sms.tickets_refused, 0);
	rig_check(&rig);
	rig_release(&rig);
}

/* Commits whose outcome nobody can tell, at each step of a delivery, made or not: everyone gets it, nobody twice. */
static void lose_outcomes(struct rig *rig, int64_t *event, _Atomic int *lost)
{
	for (int step = 0; step < 8; step++) {
		rig->sms.count = 0;
		size_t before = rig->sms.submitted;
		int64_t notice = rig_send(rig, ++*event, 1, 1100, SMS);
		faults.skip_commits = step;
		*lost = 1;
		for (int i = 0; i < 60 && rig_count(rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED) < 1100; i++) {
			rig_turn(rig);
			size_t first = rig->sms.count;
			while (first > 0 && rig->sms.messages[first - 1].answered == 0)
				first--;
			fake_accept_all(&rig->sms);
			rig_turn(rig);
			for (size_t k = first; k < rig->sms.count; k++) {
				char id[40];
				snprintf(id, sizeof id, "%llX00", (unsigned long long)rig->sms.messages[k].id);
				fake_receipt(&rig->sms, id, "", CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
			}
			rig_turn(rig);
		}
		*lost = faults.skip_commits = 0;
		assert_int_equal(rig_count(rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 1100);
		assert_int_equal(rig->sms.submitted - before, 1100);
		rig_check(rig);
		/* Memory agrees with the store: what is done is forgotten. */
		rig_turn(rig);
		size_t at = 0;
		void *value;
		while (id_map_each(&rig->engine->works, &at, &value)) {
			const struct work *work = value;
			assert_int_equal(work->count[MESSAGE_QUEUED] + work->count[MESSAGE_SUBMITTED] + work->count[MESSAGE_IN_DOUBT], 0);
		}
		assert_int_equal(rig->engine->flights.count, 0);
	}
}

static void test_commits_of_unknown_outcome(void **state)
{
	struct rig rig;
	int64_t event = 0;
	faulty_open(*state);
	rig_init(&rig, *state);
	rig_people(&rig, 1, 1100);
	rig.sms.window = 100;
	log_set_level(LOG_ERROR + 1);
	lose_outcomes(&rig, &event, &faults.lost_commits);
	lose_outcomes(&rig, &event, &faults.lost_rollbacks);
	log_set_level(LOG_ERROR);
	rig_release(&rig);
}

/* A block that cannot be opened: what people write is read all the same, and what is out of time ends. */
static void test_block_that_cannot_be_opened(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 20);
	int64_t ends = rig_send_later(&rig, 1, 1, 5, MAIL, 0, clock_now() + CLOCK_MINUTE / 2);
	fake_cut(&rig.mail);
	rig_turn(&rig);
	rig_send_later(&rig, 2, 1, 10, SMS, clock_now() + CLOCK_MINUTE, clock_now() + CLOCK_DAY);
	record.due_spoils = 4;
	move_clock(2 * CLOCK_MINUTE);
	fake_incoming(&rig.sms, "+15550000005", "+15550100", S("SAFE"), 0, 0);
	log_set_level(LOG_ERROR + 1);
	rig_turn(&rig);
	log_set_level(LOG_ERROR);
	assert_int_equal(record.answers, 1);
	assert_int_equal(rig_count(&rig, ends, CHANNEL_MAIL, MESSAGE_EXPIRED), 5);
	record.due_spoils = 0;
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 11); /* and the answer to SAFE */
	rig_check(&rig);
	rig_release(&rig);
}

/* --- doubt --------------------------------------------------------------------------------------------------------- */

/* A relay that cut one connection behind a whole mail: no answer can come any more, so it is sent again after a while, and
 * not as fast as the relay cuts. */
static void test_mail_in_doubt_is_sent_again(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 3);
	int64_t notice = rig_send(&rig, 1, 1, 3, MAIL);
	rig_turn(&rig);
	fake_accept(&rig.mail, 0, 0, "");
	fake_doubt(&rig.mail, 1);
	fake_accept(&rig.mail, 2, 0, "");
	rig_turn(&rig);
	assert_int_equal(rig.mail.submitted, 3);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_MAIL, MESSAGE_IN_DOUBT), 1);
	move_clock(40 * CLOCK_SECOND);
	rig_turn(&rig);
	assert_int_equal(rig.mail.submitted, 4);
	fake_doubt(&rig.mail, 3);
	rig_turn(&rig);
	move_clock(40 * CLOCK_SECOND);
	rig_turn(&rig);
	assert_int_equal(rig.mail.submitted, 4);
	move_clock(40 * CLOCK_SECOND);
	rig_turn(&rig);
	assert_int_equal(rig.mail.submitted, 5);
	fake_accept_all(&rig.mail);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_MAIL, MESSAGE_ACCEPTED), 3);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_MAIL, MESSAGE_WAS_IN_DOUBT), 1);
	rig_check(&rig);
	rig_release(&rig);
}

/* Greylisting (450 4.7.1) is said of one recipient, not of the relay's pace: it comes back after a while, not at once and for
 * ever. */
static void test_greylisting_is_not_hammered(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	int64_t notice = rig_send(&rig, 1, 1, 2, MAIL);
	rig_turn(&rig);
	assert_int_equal(rig.mail.submitted, 2);
	fake_refuse(&rig.mail, 0, CHANNEL_FAULT_THROTTLE, 450);
	rig_turn(&rig);
	assert_int_equal(rig.mail.submitted, 2);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_MAIL, MESSAGE_QUEUED), 1);
	move_clock(40 * CLOCK_SECOND);
	rig_turn(&rig);
	assert_int_equal(rig.mail.submitted, 3);
	rig_check(&rig);
	rig_release(&rig);
}

/* A carrier that takes a window and cuts, again and again, does not send people a copy a second. */
static void test_cuts_in_a_row(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 5);
	int64_t notice = rig_send(&rig, 1, 1, 5, SMS);
	rig_turn(&rig);
	for (int i = 0; i < 6; i++) {
		fake_cut(&rig.sms);
		rig_turn(&rig);
		fake_up(&rig.sms);
		rig_turn(&rig);
	}
	assert_int_equal(rig.sms.submitted, 10); /* again at once, and then no more for a while */
	move_clock(31 * CLOCK_SECOND);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 15);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 5);
	rig_check(&rig);
	rig_release(&rig);
}

/* --- an orderly end -------------------------------------------------------------------------------------------------- */

static size_t handed_over(struct fake_channel *fake)
{
	pthread_mutex_lock(&fake->lock);
	size_t count = fake->submitted;
	pthread_mutex_unlock(&fake->lock);
	return count;
}

/* What was marked ahead and not handed over when the program is stopped is not in doubt. */
static void test_orderly_stop_leaves_no_doubt(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig.mail.window = 2;
	rig.mail.stops_quietly = true;
	for (int i = 0; i < 6; i++) {
		struct message_single mail = { .lane = LANE_ANSWER, .channel = CHANNEL_MAIL, .address = S("a@example.org"),
			                       .subject = S("s"), .body = S("b"), .expires_at = clock_now() + CLOCK_HOUR };
		rig_queue(&rig, &mail);
	}
	/* The rig's engine is not turned by hand this time. */
	engines_remove(rig.engine);
	close(rig.engine->lock_file);
	rig.engine->lock_file = -1;
	assert_rc(rig.fixture, OK, messages_serve(rig.house, fixture_err(rig.fixture)));
	/* Two with the relay, two marked ahead. Nothing is asserted while threads run on what is on this stack. */
	for (int i = 0; i < 200 && (handed_over(&rig.mail) < 2 || rig_count(&rig, 0, CHANNEL_MAIL, MESSAGE_SUBMITTED) < 4); i++)
		usleep(10000);
	messages_stop(rig.house, 0);
	assert_int_equal(rig.mail.submitted, 2);
	assert_int_equal(rig_count(&rig, 0, CHANNEL_MAIL, MESSAGE_SUBMITTED), 2);
	assert_int_equal(rig_count(&rig, 0, CHANNEL_MAIL, MESSAGE_QUEUED), 4);
	rig_check(&rig);
	engines_add(rig.engine);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_nothing_outlives_its_block),
		BOTH(test_held_alert_blocks_no_other),
		BOTH(test_refusals_block_nobody),
		BOTH(test_orderly_stop_leaves_no_doubt),
		BOTH(test_block_that_cannot_be_opened),
		BOTH(test_mail_in_doubt_is_sent_again),
		BOTH(test_greylisting_is_not_hammered),
		BOTH(test_cuts_in_a_row),
		BOTH(test_part_fails_before_the_last_answer),
		BOTH(test_receipt_of_a_part_after_a_restart),
		BOTH(test_receipts_of_the_dead),
		BOTH(test_foreign_receipts_crowd_nobody_out),
		BOTH(test_clock_put_back),
		BOTH(test_outage_loses_no_answer),
		BOTH(test_commits_of_unknown_outcome),
	};
	log_set_level(LOG_ERROR);
	if (getenv("ONLY"))
		cmocka_set_test_filter(getenv("ONLY"));
	return fixture_main(tests);
}
