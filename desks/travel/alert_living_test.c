/* A living alert over the store and the delivery engine: each person gets exactly the texts they should have. */
#include <pthread.h>
#include <unistd.h>

#include "tests/alerts/alert_fixture.h"

#include "desks/travel/board.h"

#define MAIL CHANNEL_BIT(CHANNEL_MAIL)
#define SMS CHANNEL_BIT(CHANNEL_SMS)

/* Sfax, and places 100 km north and south of it. */
#define SFAX 34.74, 10.76, "TN"
#define NORTH 35.74, 10.66, "TN"
#define SOUTH 33.88, 10.10, "TN"

static void first_version(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL });
	put_someone(scene, &(struct someone){ 2, SFAX, -24, 240, MAIL | SMS, 0, false, "ar" });
	put_someone(scene, &(struct someone){ 3, SFAX, -24, 240, 0, MAIL, false, NULL });
	put_someone(scene, &(struct someone){ 4, NORTH, -24, 240, MAIL, 0, false, NULL });
	put_someone(scene, &(struct someone){ 5, 36.8, 10.18, "TN", -24, 240, MAIL, 0, true, NULL });
	put_someone(scene, &(struct someone){ 6, SFAX, -48, -24, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	turn(scene);
	nothing_else(scene);
	assert_int_equal(send_alert(scene, id), 3);
	assert_int_equal(people_in(scene, id, COUNTER_TARGETED), 4);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 1);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	assert_int_equal(heard(scene, 2, NULL), 2);
	assert_int_equal(heard(scene, 5, "Storm\n\nWe only know"), 1);
	nothing_else(scene);
	sums_hold(scene);
	/* Sending again finds nothing to send. */
	int64_t people = 0;
	assert_rc(scene->fixture, CONFLICT,
	          alert_send_command(scene->house, &scene->fixture->arena, id, clock_now(), &people,
	                             fixture_err(scene->fixture)));
}

/* --- an index that is behind --------------------------------------------------------------------------------------- */

static pthread_mutex_t slow = PTHREAD_MUTEX_INITIALIZER;

static void slow_listener(struct house *house, const int64_t *person_ids, size_t count)
{
	(void)house;
	(void)person_ids;
	(void)count;
	pthread_mutex_lock(&slow);
	pthread_mutex_unlock(&slow);
}

/* Whoever sends waits for the index a bounded time, is told that it is behind, and sends to everybody once it is not. */
static void an_index_that_is_behind_is_waited_for_a_while(void **state)
{
	struct scene *scene = *state;
	int64_t people = 0;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	assert_rc(scene->fixture, OK, setting_set(scene->house, "audience.patience_seconds", S("1"), fixture_err(scene->fixture)));
	audience_on_change(scene->house, slow_listener);
	pthread_mutex_lock(&slow);
	assert_rc(scene->fixture, OK, audience_serve(scene->house, fixture_err(scene->fixture)));
	put_someone(scene, &(struct someone){ 2, SFAX, -24, 240, MAIL, 0, false, NULL });
	const int64_t began = clock_monotonic();
	/* Once the follower has begun with person 2 it holds the index; before that, this thread would be the one that hangs. */
	while (leg_index_count(audience_index(scene->house)) < 2 && clock_monotonic() - began < 5 * CLOCK_SECOND)
		usleep(1000);
	assert_rc(scene->fixture, BUSY,
	          alert_send_command(scene->house, &scene->fixture->arena, id, clock_now(), &people, fixture_err(scene->fixture)));
	assert_true(clock_monotonic() - began < 9 * CLOCK_SECOND);
	pthread_mutex_unlock(&slow);
	assert_rc(scene->fixture, OK,
	          alert_send_command(scene->house, &scene->fixture->arena, id, clock_now(), &people, fixture_err(scene->fixture)));
	assert_int_equal(people, 2);
}

static void twice_pressed(void **state)
{
	struct scene *scene = *state;
	int64_t first = 0, second = 0;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	const struct alert_sending sending = { .form_key = S("key"), .officer_id = 1, .expected = 1 };
	assert_rc(scene->fixture, OK,
	          alert_send(scene->house, &scene->fixture->arena, id, &sending, clock_now(), &first,
	                     fixture_err(scene->fixture)));
	assert_rc(scene->fixture, OK,
	          alert_send(scene->house, &scene->fixture->arena, id, &sending, clock_now(), &second,
	                     fixture_err(scene->fixture)));
	assert_int_equal(first, 1);
	assert_int_equal(second, 1);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);
}

static void numbers_that_moved(void **state)
{
	struct scene *scene = *state;
	int64_t people = 0;

	for (int64_t i = 1; i <= 30; i++)
		put_someone(scene, &(struct someone){ i, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	struct alert_sending sending = { .form_key = S("key"), .officer_id = 1, .expected = 19 };
	assert_rc(scene->fixture, CONFLICT,
	          alert_send(scene->house, &scene->fixture->arena, id, &sending, clock_now(), &people,
	                     fixture_err(scene->fixture)));
	turn(scene);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_TARGETED), 0);
	sending.expected = 20;
	assert_rc(scene->fixture, OK,
	          alert_send(scene->house, &scene->fixture->arena, id, &sending, clock_now(), &people,
	                     fixture_err(scene->fixture)));
	assert_int_equal(people, 30);
}

/* Shrinks, grows, is cleared; with arrivals, late joiners and changed plans in between. */
static void whole_life(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL }); /* inside all along */
	put_someone(scene,
	            &(struct someone){ 2, SOUTH, -24, 240, MAIL, 0, false, NULL }); /* in the first version only */
	put_someone(scene,
	            &(struct someone){ 3, NORTH, -24, 240, MAIL, 0, false, NULL }); /* in the second version only */
	put_someone(scene, &(struct someone){ 4, SFAX, 72, 240, MAIL, 0, false, NULL }); /* arrives in three days */
	put_someone(scene,
	            &(struct someone){ 5, 36.8, 10.18, "TN", -24, 240, MAIL, 0, false, NULL }); /* never inside */
	put_someone(scene, &(struct someone){ 6, SFAX, -24, 240, 0, 0, false, NULL });   /* nobody can reach them */
	put_someone(scene, &(struct someone){ 8, SFAX, 72, 240, MAIL, 0, false, NULL }); /* will change plans */
	put_someone(scene, &(struct someone){ 9, SFAX, 72, 240, MAIL, 0, false, NULL }); /* will come at once */
	put_someone(scene, &(struct someone){ 10, SOUTH, 72, 240, MAIL, 0, false,
	                                      NULL }); /* would arrive where it is over by then */
	follow(scene);

	/* Sfax and the south. */
	const struct str id = draft(scene, 34.31, 10.43, 0.75, NULL);
	assert_int_equal(send_alert(scene, id), 6);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	assert_int_equal(heard(scene, 2, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_TARGETED), 7);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 1);
	sums_hold(scene);

	/* Someone enrols, once with and once without a confirmed address. */
	put_someone(scene, &(struct someone){ 7, SFAX, -1, 240, MAIL, 0, false, NULL });
	put_someone(scene, &(struct someone){ 11, SFAX, -1, 240, 0, MAIL, false, NULL });
	follow(scene);
	turn(scene);
	assert_int_equal(heard(scene, 7, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_LATE), 2);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 2);
	sums_hold(scene);
	confirm_someone(scene, 11, CHANNEL_MAIL);
	turn(scene);
	assert_int_equal(heard(scene, 11, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 1);
	sums_hold(scene);

	/* Plans change: away, and to now. */
	move_someone(scene, &(struct someone){ 8, 36.8, 10.18, "TN", 72, 240, MAIL, 0, false, NULL });
	move_someone(scene, &(struct someone){ 9, SFAX, 0, 240, MAIL, 0, false, NULL });
	turn(scene);
	assert_int_equal(heard(scene, 9, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_RELEASED + COUNTER_SILENT), 1);
	sums_hold(scene);

	/* Sfax and the north: who is in the south is released, told or not. */
	next_version(scene, id, "update", 35.24, 10.71, 0.75, NULL);
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Update: Storm"), 1);
	assert_int_equal(heard(scene, 7, "Update: Storm"), 1);
	assert_int_equal(heard(scene, 9, "Update: Storm"), 1);
	assert_int_equal(heard(scene, 11, "Update: Storm"), 1);
	assert_int_equal(heard(scene, 2, "No longer for you: Storm"), 1);
	assert_int_equal(heard(scene, 3, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_TARGETED), 10);
	assert_int_equal(people_in(scene, id, COUNTER_RELEASED + COUNTER_SILENT), 3);
	sums_hold(scene);

	/* Who was released and comes back hears of it anew. */
	move_someone(scene, &(struct someone){ 2, SFAX, 0, 240, MAIL, 0, false, NULL });
	turn(scene);
	assert_int_equal(heard(scene, 2, "Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);

	/* Three days on: the arrival. */
	wait_hours(scene, 71.5);
	nothing_else(scene);
	wait_hours(scene, 0.75);
	assert_int_equal(heard(scene, 4, "Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);

	next_version(scene, id, "clear", 0, 0, 0, NULL);
	assert_int_equal(send_alert(scene, id), 7);
	turn(scene);
	static const int64_t cleared[] = { 1, 2, 3, 4, 7, 9, 11 };
	for (size_t i = 0; i < COUNT_OF(cleared); i++)
		assert_int_equal(heard(scene, cleared[i], "All clear: Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);

	/* It is over: nobody joins any more. */
	put_someone(scene, &(struct someone){ 12, SFAX, -1, 240, MAIL, 0, false, NULL });
	follow(scene);
	wait_hours(scene, 48);
	nothing_else(scene);
	sums_hold(scene);
}

/* What is still queued when a new version comes is dropped, and who never got it hears of it as new. */
static void overtaken_in_the_queue(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL });
	put_someone(scene, &(struct someone){ 2, SOUTH, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.31, 10.43, 0.75, NULL);
	send_alert(scene, id);
	next_version(scene, id, "update", 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_RELEASED + COUNTER_SILENT), 1);
	sums_hold(scene);
	/* The same with a cancel: nobody was told, so nobody is. */
	next_version(scene, id, "update", 34.31, 10.43, 0.75, NULL);
	send_alert(scene, id);
	next_version(scene, id, "cancel", 0, 0, 0, NULL);
	assert_int_equal(send_alert(scene, id), 1);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Cancelled: Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);
}

/* Someone enrols while no process serves: the next start finds them. */
static void missed_while_down(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	put_someone(scene, &(struct someone){ 2, SFAX, -1, 240, MAIL, 0, false, NULL });
	put_someone(scene, &(struct someone){ 3, SFAX, 24, 240, MAIL, 0, false, NULL });
	scene_restart(scene);
	turn(scene);
	nothing_else(scene);
	wait_hours(scene, 0.1);
	assert_int_equal(heard(scene, 2, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_LATE), 2);
	sums_hold(scene);
	/* A late joiner who arrives later hears then, and after a change of plans not at all. */
	put_someone(scene, &(struct someone){ 4, SFAX, 24, 240, MAIL, 0, false, NULL });
	follow(scene);
	move_someone(scene, &(struct someone){ 4, NORTH, 24, 240, MAIL, 0, false, NULL });
	wait_hours(scene, 24);
	assert_int_equal(heard(scene, 3, "Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);
}

/* An arrival that is put off is put off for the message too. */
static void put_off(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, 24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	move_someone(scene, &(struct someone){ 1, SFAX, 48, 240, MAIL, 0, false, NULL });
	wait_hours(scene, 25);
	nothing_else(scene);
	sums_hold(scene);
	wait_hours(scene, 24);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);
}

static void runs_out(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 2400, MAIL, 0, false, NULL });
	put_someone(scene, &(struct someone){ 2, SFAX, 239, 2400, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	wait_hours(scene, 241);
	nothing_else(scene);
	struct str json;
	assert_rc(scene->fixture, OK,
	          alert_show_json(scene->house, &scene->fixture->arena, id, &json, fixture_err(scene->fixture)));
	assert_true(str_find(json, S("\"state\":\"ended\""), 0) != SIZE_MAX);
	put_someone(scene, &(struct someone){ 3, SFAX, 0, 240, MAIL, 0, false, NULL });
	follow(scene);
	turn(scene);
	nothing_else(scene);
	sums_hold(scene);
}

/* A sweep while the queue is long tells nobody twice. */
static void sweep_beside_the_queue(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	put_someone(scene, &(struct someone){ 2, SFAX, 24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	put_someone(scene, &(struct someone){ 3, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	board_fill(scene->house);
	for (int i = 0; i < 3; i++) {
		alert_sweep(scene->house);
		/* Neither does a change that changes nothing. */
		confirm_someone(scene, 1, CHANNEL_MAIL);
		confirm_someone(scene, 3, CHANNEL_MAIL);
	}
	turn(scene);
	assert_int_equal(heard(scene, 1, NULL), 2);
	assert_int_equal(heard(scene, 3, "Storm"), 1);
	alert_sweep(scene->house);
	turn(scene);
	nothing_else(scene);
	sums_hold(scene);
}

/* Plans that moved forward, or away, while no process served. */
static void moved_while_down(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, 48, 240, MAIL | SMS, 0, false, NULL });
	put_someone(scene, &(struct someone){ 2, SFAX, 48, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	turn(scene);
	move_someone(scene, &(struct someone){ 1, SFAX, 72, 240, MAIL, 0, false, NULL });
	turn(scene);
	nothing_else(scene);
	audience_on_change(scene->house, NULL);
	move_someone(scene, &(struct someone){ 1, SFAX, -1, 240, MAIL, 0, false, NULL });
	move_someone(scene, &(struct someone){ 2, NORTH, -1, 240, MAIL, 0, false, NULL });
	scene_restart(scene);
	alert_sweep(scene->house);
	turn(scene);
	assert_int_equal(heard(scene, 1, NULL), 2);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_RELEASED + COUNTER_SILENT), 1);
	sums_hold(scene);
	/* The messages frozen for the old arrival are not sent besides. */
	wait_hours(scene, 49);
	wait_hours(scene, 24);
	nothing_else(scene);
	sums_hold(scene);
}

/* An address that did not work, and a new one: told again. */
static void bounced_and_renewed(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	scene->refuse_mail = true;
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	follow(scene);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 1);
	sums_hold(scene);
	scene->refuse_mail = false;
	turn(scene);
	nothing_else(scene);
	renew_mailbox(scene, 1);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_SILENT), 1);
	sums_hold(scene);
	/* Who did not hear of it before the cancel would not be told; this one did. */
	next_version(scene, id, "cancel", 0, 0, 0, NULL);
	assert_int_equal(send_alert(scene, id), 1);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Cancelled: Storm"), 1);
	nothing_else(scene);
	sums_hold(scene);
}

/* Who was told and confirms a second address hears by it too, once; and the all-clear goes both ways. */
static void second_way(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, SMS, false, NULL });
	put_someone(scene, &(struct someone){ 2, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, NULL) + heard(scene, 2, NULL), 2);
	confirm_someone(scene, 1, CHANNEL_SMS);
	confirm_someone(scene, 1, CHANNEL_SMS);
	confirm_someone(scene, 2, CHANNEL_MAIL);
	turn(scene);
	assert_int_equal(heard(scene, 1, NULL), 1);
	confirm_someone(scene, 1, CHANNEL_SMS);
	turn(scene);
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_LATE), 0);
	next_version(scene, id, "clear", 0, 0, 0, NULL);
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, NULL), 2);
	assert_int_equal(heard(scene, 2, NULL), 1);
	nothing_else(scene);
	sums_hold(scene);
}

/* Low severity: mail at once, SMS in the morning; for late joiners and arrivals too. */
static void low_severity_at_night(void **state)
{
	struct scene *scene = *state;

	clock_to(23);
	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	put_someone(scene, &(struct someone){ 2, SFAX, 25, 240, MAIL | SMS, 0, false,
	                                      NULL }); /* arrives at midnight of the next day */
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, "\"severity\":\"Moderate\"");
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, "Storm"), 1);
	put_someone(scene, &(struct someone){ 3, SFAX, -1, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	turn(scene);
	assert_int_equal(heard(scene, 3, "Storm"), 1);
	nothing_else(scene);
	wait_hours(scene, 7.5); /* 06:30 */
	nothing_else(scene);
	wait_hours(scene, 0.75); /* 07:15 */
	assert_int_equal(heard(scene, 1, NULL), 1);
	assert_int_equal(heard(scene, 3, NULL), 1);
	nothing_else(scene);
	sums_hold(scene);
	wait_hours(scene, 17); /* after midnight */
	wait_hours(scene, 6);
	nothing_else(scene);
	wait_hours(scene, 1.5); /* morning of the arrival day */
	assert_int_equal(heard(scene, 2, NULL), 2);
	nothing_else(scene);
	sums_hold(scene);
}

static void by_country(void **state)
{
	struct scene *scene = *state;

	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL, 0, false, NULL });
	put_someone(scene, &(struct someone){ 2, 36.8, 10.18, "TN", -24, 240, SMS, 0, true, "fa" });
	put_someone(scene, &(struct someone){ 3, 36.75, 3.05, "DZ", -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	struct str id = STR_NONE;
	const struct str json = S("{\"countries\":[\"Tunisia\"],\"hours\":5,\"exercise\":true,\"channels\":[\"sms\"],"
	                          "\"texts\":{\"en\":{\"headline\":\"Drill\"}}}");
	assert_rc(scene->fixture, OK,
	          alert_create_json(scene->house, &scene->fixture->arena, json, clock_now(), &id,
	                            fixture_err(scene->fixture)));
	assert_int_equal(send_alert(scene, id), 1);
	assert_int_equal(people_in(scene, id, COUNTER_TARGETED), 2);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 1);
	turn(scene);
	assert_int_equal(heard(scene, 2, NULL), 1);
	nothing_else(scene);
	sums_hold(scene);
}

static void files_that_break_rules(void **state)
{
	struct scene *scene = *state;
	static const struct {
		const char *json, *field;
	} cases[] = {
		{ "{\"countries\":[\"TN\"],\"texts\":{}}", "text.0.headline" },
		{ "{\"texts\":{\"en\":{\"headline\":\"X\"}}}", "countries" },
		{ "{\"countries\":[\"Atlantis\"],\"texts\":{\"en\":{\"headline\":\"X\"}}}", "countries" },
		{ "{\"countries\":[\"TN\"],\"severity\":\"Awful\",\"texts\":{\"en\":{\"headline\":\"X\"}}}",
		  "severity" },
		{ "{\"countries\":[\"TN\"],\"zone\":\"Mars/Olympus\",\"texts\":{\"en\":{\"headline\":\"X\"}}}",
		  "zone" },
		{ "{\"countries\":[\"TN\"],\"channels\":[],\"texts\":{\"en\":{\"headline\":\"X\"}}}", "channels" },
		{ "{\"countries\":[\"TN\"],\"hours\":-1,\"texts\":{\"en\":{\"headline\":\"X\"}}}", "expires" },
		{ "{\"countries\":[\"TN\"],\"expires\":\"tomorrow\",\"texts\":{\"en\":{\"headline\":\"X\"}}}",
		  "expires" },
		{ "{\"area\":\"34 10\\n35 11\\n35 10\\n34 11\\n34 10\",\"texts\":{\"en\":{\"headline\":\"X\"}}}",
		  "polygon" },
		{ "{\"circles\":[{\"place\":\"Sfax\",\"km\":-3}],\"texts\":{\"en\":{\"headline\":\"X\"}}}",
		  "circle.0.km" },
		{ "{\"circles\":[{\"place\":\"Qwrtzpfgh\",\"km\":3}],\"texts\":{\"en\":{\"headline\":\"X\"}}}",
		  "circle.0.place" },
		{ "{\"countries\":[\"TN\"],\"texts\":{\"en\":{\"instruction\":\"X\"}}}", "text.0.headline" },
		{ "[]", "" },
		{ "", "" },
		{ "{", "" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str id = S("untouched");
		struct err *err = fixture_err(scene->fixture);
		enum rc rc = alert_create_json(scene->house, &scene->fixture->arena, str_from(cases[i].json),
		                               clock_now(), &id, err);
		if (rc != INVALID || !str_equal(id, S("untouched")) ||
		    (cases[i].field[0] && !err_find(err, str_from(cases[i].field))))
			fail_msg("%s: %s, not an error of '%s'", cases[i].json, rc_name(rc), cases[i].field);
		err_init(&scene->fixture->err, &scene->fixture->arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_SCENE(first_version),
		BOTH_SCENE(an_index_that_is_behind_is_waited_for_a_while),
		BOTH_SCENE(twice_pressed),
		BOTH_SCENE(numbers_that_moved),
		BOTH_SCENE(whole_life),
		BOTH_SCENE(overtaken_in_the_queue),
		BOTH_SCENE(missed_while_down),
		BOTH_SCENE(put_off),
		BOTH_SCENE(runs_out),
		BOTH_SCENE(sweep_beside_the_queue),
		BOTH_SCENE(moved_while_down),
		BOTH_SCENE(bounced_and_renewed),
		BOTH_SCENE(second_way),
		BOTH_SCENE(low_severity_at_night),
		BOTH_SCENE(by_country),
		BOTH_SCENE(files_that_break_rules),
	};

	return fixture_main(tests);
}
