/* Bad days of the delivery path, each of which once broke a promise: see the comment of each test. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/engine_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_nothing_outlives_its_block),
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
