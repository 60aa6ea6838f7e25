/* The delivery engine on both stores, with roads that do what the test says. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/engine_fixture.h"

#define BOTH_CHANNELS (CHANNEL_BIT(CHANNEL_MAIL) | CHANNEL_BIT(CHANNEL_SMS))
#define SMS CHANNEL_BIT(CHANNEL_SMS)

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
	for (int64_t person = 1; person <= 2500; person += 37) {
		char to[32];
		snprintf(to, sizeof to, "+1555%07lld", (long long)person);
		assert_int_equal(fake_count_to(&rig.sms, to), 1);
	}
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
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_everyone_once),
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
