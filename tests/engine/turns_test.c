/* Who goes when: alerts of one lane take turns, and what another process took over is its business. */
#include "tests/engine/engine_fixture.h"

#define SMS CHANNEL_BIT(CHANNEL_SMS)

static void move_clock(int64_t by)
{
	clock_set_offset(clock_offset() + by);
}

/* Sends until so many more left. */
static void send_more(struct rig *rig, size_t more)
{
	size_t until = rig->sms.submitted + more;
	for (int i = 0; i < 1000 && rig->sms.submitted < until; i++) {
		fake_accept_all(&rig->sms);
		rig_turn(rig);
	}
	assert_true(rig->sms.submitted >= until);
}

static int64_t left_of(struct rig *rig, int64_t notice)
{
	return 2500 - rig_count(rig, notice, CHANNEL_SMS, MESSAGE_QUEUED);
}

/* Two alerts to the same people go on side by side, also when one had begun long before. */
static void test_alerts_share(void **state)
{
	struct rig rig;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 2500);
	rig.sms.window = 100;
	int64_t first = rig_send(&rig, 1, 1, 2500, SMS), second = rig_send(&rig, 2, 1, 2500, SMS);
	send_more(&rig, 2500);
	assert_in_range(left_of(&rig, first), 800, 2500);
	assert_in_range(left_of(&rig, second), 800, 2500);
	int64_t third = rig_send(&rig, 3, 1, 2500, SMS);
	send_more(&rig, 2400);
	assert_in_range(left_of(&rig, third), 300, 2500); /* a thousand others stood in the queue already */
	rig_check(&rig);
	for (int i = 0; i < 1000 && rig.sms.submitted < 7500; i++)
		send_more(&rig, 1);
	fake_accept_all(&rig.sms);
	rig_turn(&rig);
	/* The same person three times, read at once with others: each message found its address. */
	const int64_t notices[] = { first, second, third };
	for (size_t i = 0; i < COUNT_OF(notices); i++)
		assert_int_equal(rig_count(&rig, notices[i], CHANNEL_SMS, MESSAGE_ACCEPTED), 2500);
	assert_int_equal(rig.sms.submitted, 7500);
	rig_check(&rig);
	rig_release(&rig);
}

/* Taken for dead, its answers do not move rows that another has in hand by now. */
static void test_answers_of_what_another_took(void **state)
{
	struct rig rig, other;
	rig_init(&rig, *state);
	rig_people(&rig, 1, 20);
	rig.sms.window = 10;
	int64_t notice = rig_send(&rig, 1, 1, 20, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.submitted, 10);
	memset(&other, 0, sizeof other);
	other.fixture = rig.fixture;
	memcpy(other.folder, rig.folder, sizeof other.folder);
	fake_init(&other.sms, "carrier", CHANNEL_SMS, 100);
	fake_init(&other.mail, "relay", CHANNEL_MAIL, 50);
	rig_start(&other);
	move_clock(20 * CLOCK_SECOND);
	log_set_level(LOG_ERROR + 1);
	rig_turn(&other);
	assert_int_equal(other.sms.submitted, 20);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUBMITTED), 20);
	for (size_t i = 0; i < 10; i++)
		fake_refuse(&rig.sms, i, i % 2 ? CHANNEL_FAULT_TEMPORARY : CHANNEL_FAULT_RECIPIENT, 8);
	rig_turn(&rig);
	log_set_level(LOG_ERROR);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUBMITTED), 20);
	rig_check(&rig);
	fake_accept_all(&other.sms);
	rig_turn(&other);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 20);
	rig_check(&other);
	rig_crash(&other);
	fake_release(&other.sms);
	fake_release(&other.mail);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_alerts_share),
		BOTH(test_answers_of_what_another_took),
	};
	return fixture_main(tests);
}
