/* People with very many stays: the index of who is where follows the store all the same. */
#include "tests/alerts/alert_fixture.h"

#include "core/audience/audience.h"

#define PEOPLE 60
#define STAYS 1700 /* together more rows than one statement gives */

static enum rc put_stays(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	int64_t now = clock_now();
	enum rc rc = OK;
	for (int64_t person = 1; rc == OK && person <= PEOPLE; person++) {
		struct put_alert_leg_args leg = { .person_id = person, .kind = 1, .latitude = 34.0, .longitude = 9.0, .country = S("TN"),
			                          .from_at = now, .to_at = now + CLOCK_DAY };
		for (int i = 0; rc == OK && i < STAYS; i++)
			rc = put_alert_leg(tx, &leg, NULL, err);
		if (rc == OK)
			rc = db_change_append(tx, S("person"), person, err);
	}
	return rc;
}

static void test_index_follows_many_stays(void **state)
{
	struct scene *scene = *state;
	for (int64_t person = 1; person <= PEOPLE; person++) {
		struct someone someone = { .id = person, .latitude = 34, .longitude = 9, .country = "TN", .from = -1, .to = 24,
			                   .channels = CHANNEL_BIT(CHANNEL_MAIL) };
		put_someone(scene, &someone);
	}
	follow(scene);
	size_t before = leg_index_count(audience_index(scene->house));
	scene_write(scene, put_stays, NULL);
	assert_rc(scene->fixture, OK, audience_catch_up(scene->house, fixture_err(scene->fixture)));
	assert_true(leg_index_count(audience_index(scene->house)) >= before + (size_t)PEOPLE * STAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "test_index_follows_many_stays (sqlite)", test_index_follows_many_stays, scene_setup, scene_teardown, &fixture_kinds[0] },
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
