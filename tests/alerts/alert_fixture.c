#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/alerts/alert_fixture.h"

static const struct desk *const desks[] = { &house_desk, &people_desk, &audience_desk, &messages_desk, &travel_desk };

static struct places *scene_places(void)
{
	static struct places *places;
	static struct arena arena;
	struct err err;

	if (!places) {
		const char *build = getenv("CHANCERY_BUILD");
		arena_init(&arena);
		err_init(&err, &arena);
		if (places_open(build ? build : "", NULL, &places, &err) != OK)
			fail_msg("%.*s", STR_ARG(err.detail));
	}
	return places;
}

static void scene_start(struct scene *scene)
{
	const struct house_options options = { .db = scene->fixture->db,
		                               .desks = desks,
		                               .desk_count = COUNT_OF(desks),
		                               .data_folder = scene->folder,
		                               .public_url = "https://chancery.example" };
	struct err *err = fixture_err(scene->fixture);

	assert_rc(scene->fixture, OK, house_new(&options, &scene->house, err));
	house_set_state(scene->house, SLOT_PLACES, scene_places());
	assert_rc(scene->fixture, OK, house_start(scene->house, err));
	const struct messages_route sms = { .channel = &scene->sms.channel, .receipts = true },
				    mail = { .channel = &scene->mail.channel };
	assert_rc(scene->fixture, OK, messages_add_route(scene->house, &sms, err));
	assert_rc(scene->fixture, OK, messages_add_route(scene->house, &mail, err));
	scene->engine = engine_of(scene->house);
	assert_rc(scene->fixture, OK, dispatcher_number(scene->engine, err));
	engines_add(scene->engine);
	for (size_t i = 0; i < scene->engine->road_count; i++)
		channel_start(scene->engine->roads[i].channel, &road_events, &scene->engine->roads[i], err);
}

static void scene_stop(struct scene *scene)
{
	engines_remove(scene->engine);
	house_stop(scene->house);
	house_free(scene->house);
}

void scene_restart(struct scene *scene)
{
	scene_stop(scene);
	scene_start(scene);
}

int scene_setup(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);

	if (!scene || fixture_setup(state) != 0)
		return -1;
	scene->fixture = *state;
	log_set_level(LOG_ERROR);
	snprintf(scene->folder, sizeof scene->folder, "%s", "/tmp/chancery-alert-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	fake_init(&scene->sms, "carrier", CHANNEL_SMS, 100);
	fake_init(&scene->mail, "relay", CHANNEL_MAIL, 100);
	scene_start(scene);
	*state = scene;
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int scene_teardown(void **state)
{
	struct scene *scene = *state;
	void *fixture = scene->fixture;

	scene_stop(scene);
	fake_release(&scene->sms);
	fake_release(&scene->mail);
	nftw(scene->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	clock_set_offset(0);
	free(scene);
	return fixture_teardown(&fixture);
}

/* --- people ------------------------------------------------------------------------------------------------------- */

void scene_write(struct scene *scene, db_work work, void *context)
{
	assert_rc(scene->fixture, OK,
	          db_write(scene->fixture->db, DB_LANE_PERSON, work, context, fixture_err(scene->fixture)));
}

void scene_read(struct scene *scene, db_work work, void *context)
{
	assert_rc(scene->fixture, OK, db_read(scene->fixture->db, work, context, fixture_err(scene->fixture)));
}

static enum rc put_leg(struct db_tx *tx, const struct someone *someone, struct err *err)
{
	const int64_t now = clock_now();
	const struct put_alert_leg_args leg = { .person_id = someone->id,
		                                .kind = someone->whole_country ? 3 : 1,
		                                .latitude = someone->latitude,
		                                .longitude = someone->longitude,
		                                .country = str_from(someone->country),
		                                .from_at = now + someone->from * CLOCK_HOUR,
		                                .to_at = now + someone->to * CLOCK_HOUR };

	return put_alert_leg(tx, &leg, NULL, err);
}

static enum rc put_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct someone *someone = context;
	struct arena arena;

	arena_init(&arena);
	const struct put_alert_person_args person = { .id = someone->id,
		                                      .public_id =
		                                              str_format(&arena, "%032llx", (long long)someone->id),
		                                      .language =
		                                              str_from(someone->language ? someone->language : "en") };
	enum rc rc = put_alert_person(tx, &person, NULL, err);
	for (int64_t channel = CHANNEL_MAIL; rc == OK && channel <= CHANNEL_SMS; channel++) {
		const bool confirmed = (someone->channels & CHANNEL_BIT(channel)) != 0,
			   there = confirmed || (someone->unconfirmed & CHANNEL_BIT(channel));
		const struct str address = channel == CHANNEL_MAIL
		                                   ? str_format(&arena, "p%lld@example.org", (long long)someone->id)
		                                   : str_format(&arena, "+1555%07lld", (long long)someone->id);
		if (there)
			rc = put_alert_contact(
				tx,
				&(struct put_alert_contact_args){ .person_id = someone->id,
			                                          .channel = channel,
			                                          .address = address,
			                                          .confirmed_at = confirmed ? 1 : DB_NULL },
				NULL, err);
	}
	if (rc == OK && someone->country)
		rc = put_leg(tx, someone, err);
	if (rc == OK)
		rc = person_touch(tx, someone->id, clock_now(), err);
	arena_release(&arena);
	return rc;
}

void put_someone(struct scene *scene, const struct someone *someone)
{
	struct someone copy = *someone;

	scene_write(scene, put_work, &copy);
}

static enum rc move_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct someone *someone = context;

	enum rc rc = end_alert_legs(
		tx, &(struct end_alert_legs_args){ .ended_at = clock_now(), .person_id = someone->id }, NULL, err);
	if (rc == OK && someone->country)
		rc = put_leg(tx, someone, err);
	return rc == OK ? person_touch(tx, someone->id, clock_now(), err) : rc;
}

void move_someone(struct scene *scene, const struct someone *someone)
{
	struct someone copy = *someone;

	scene_write(scene, move_work, &copy);
	follow(scene);
}

static enum rc renew_work(struct db_tx *tx, void *context, struct err *err)
{
	const int64_t person_id = *(const int64_t *)context;

	enum rc rc = renew_alert_contact(tx, &(struct renew_alert_contact_args){ .person_id = person_id }, NULL, err);
	return rc == OK ? person_touch(tx, person_id, clock_now(), err) : rc;
}

void renew_mailbox(struct scene *scene, int64_t person_id)
{
	scene_write(scene, renew_work, &person_id);
	follow(scene);
}

struct confirming {
	int64_t person_id;
	enum channel_kind channel;
};

static enum rc confirm_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct confirming *confirming = context;

	enum rc rc = confirm_alert_contact(tx,
	                                   &(struct confirm_alert_contact_args){ .person_id = confirming->person_id,
	                                                                         .channel = confirming->channel },
	                                   NULL, err);
	return rc == OK ? person_touch(tx, confirming->person_id, clock_now(), err) : rc;
}

void confirm_someone(struct scene *scene, int64_t person_id, enum channel_kind channel)
{
	struct confirming confirming = { person_id, channel };

	scene_write(scene, confirm_work, &confirming);
	follow(scene);
}

/* --- time --------------------------------------------------------------------------------------------------------- */

void follow(struct scene *scene)
{
	assert_rc(scene->fixture, OK, audience_catch_up(scene->house, fixture_err(scene->fixture)));
}

static enum rc latest_work(struct db_tx *tx, void *context, struct err *err)
{
	return db_change_latest(tx, context, err);
}

void turn(struct scene *scene)
{
	int rounds = 0;

	/* Handed over, answered, and what follows from the answer handed over. */
	for (int quiet = 0; quiet < 4 && rounds < 2000; rounds++) {
		int64_t latest = 0;
		scene_read(scene, latest_work, &latest);
		atomic_store(&scene->engine->change_latest, latest);
		atomic_store(&scene->engine->look, true);
		scene->engine->closed_at = scene->engine->swept_at = scene->engine->parts_at = scene->engine->gone_at =
			0;
		scene->engine->beat_at = scene->engine->rest_until = 0;
		quiet = engine_round(scene->engine) ? 0 : quiet + 1;
		fake_accept_all(&scene->sms);
		for (size_t i = scene->heard_mail; scene->refuse_mail && i < scene->mail.count; i++)
			if (scene->mail.messages[i].answered < scene->mail.messages[i].parts)
				fake_refuse(&scene->mail, i, CHANNEL_FAULT_RECIPIENT, 550);
		fake_accept_all(&scene->mail);
	}
	assert_true(rounds < 2000);
}

void clock_to(int hour)
{
	const struct zone *zone = zone_find(S("Africa/Tunis"));
	const int64_t now = clock_now();

	assert_non_null(zone);
	clock_set_offset(clock_offset() + zone_next_hour(zone, now + CLOCK_HOUR, hour) - now);
}

void wait_hours(struct scene *scene, double hours)
{
	clock_set_offset(clock_offset() + (int64_t)(hours * (double)CLOCK_HOUR));
	follow(scene);
	alert_sweep(scene->house);
	alert_expire(scene->house);
	turn(scene);
}

/* --- alerts ------------------------------------------------------------------------------------------------------- */

static struct str file_of(struct scene *scene, double latitude, double longitude, double half, const char *more)
{
	struct arena *arena = &scene->fixture->arena;

	return str_format(arena,
	                  "{\"kind\":\"weather\",%s\"hours\":240,\"zone\":\"Africa/"
	                  "Tunis\",\"area\":{\"type\":\"Polygon\",\"coordinates\":"
	                  "[[[%f,%f],[%f,%f],[%f,%f],[%f,%f],[%f,%f]]]},\"texts\":{\"en\":{\"headline\":\"Storm\","
	                  "\"instruction\":\"Stay inside\"}}%s%s}",
	                  more && strstr(more, "severity") ? "" : "\"severity\":\"Severe\",", longitude - half,
	                  latitude - half, longitude + half, latitude - half, longitude + half, latitude + half,
	                  longitude - half, latitude + half, longitude - half, latitude - half, more ? "," : "",
	                  more ? more : "");
}

struct str draft(struct scene *scene, double latitude, double longitude, double half, const char *more)
{
	struct str id = STR_NONE;

	assert_rc(scene->fixture, OK,
	          alert_create_json(scene->house, &scene->fixture->arena,
	                            file_of(scene, latitude, longitude, half, more), clock_now(), &id,
	                            fixture_err(scene->fixture)));
	return id;
}

void next_version(struct scene *scene, struct str id, const char *type, double latitude, double longitude, double half,
                  const char *more)
{
	const struct str json = half > 0 ? file_of(scene, latitude, longitude, half, more) : STR_NONE;

	assert_rc(scene->fixture, OK,
	          alert_next_json(scene->house, &scene->fixture->arena, id, str_from(type), json, clock_now(),
	                          fixture_err(scene->fixture)));
}

int64_t send_alert(struct scene *scene, struct str id)
{
	int64_t people = -1;

	assert_rc(scene->fixture, OK,
	          alert_send_command(scene->house, &scene->fixture->arena, id, clock_now(), &people,
	                             fixture_err(scene->fixture)));
	return people;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static size_t hear(struct fake_channel *fake, size_t from, const char *address, const char *beginning)
{
	size_t count = 0;

	for (size_t i = from; i < fake->count; i++) {
		struct fake_message *message = &fake->messages[i];
		if (strcmp(message->to, address) != 0)
			continue;
		count++;
		if (beginning && strncmp(message->text, beginning, strlen(beginning)) != 0)
			fail_msg("%s got '%.60s', not '%s'", address, message->text, beginning);
		message->to[0] = 0; /* looked at */
	}
	return count;
}

size_t heard(struct scene *scene, int64_t person_id, const char *beginning)
{
	char mailbox[64], number[64];

	snprintf(mailbox, sizeof mailbox, "p%lld@example.org", (long long)person_id);
	snprintf(number, sizeof number, "+1555%07lld", (long long)person_id);
	return hear(&scene->mail, scene->heard_mail, mailbox, beginning) +
	       hear(&scene->sms, scene->heard_sms, number, beginning);
}

static void nothing_left(const struct fake_channel *fake, size_t *from)
{
	for (; *from < fake->count; (*from)++)
		if (fake->messages[*from].to[0])
			fail_msg("%s got '%.60s'", fake->messages[*from].to, fake->messages[*from].text);
}

void nothing_else(struct scene *scene)
{
	nothing_left(&scene->mail, &scene->heard_mail);
	nothing_left(&scene->sms, &scene->heard_sms);
}

struct counting_work {
	struct str id;
	struct alert_counters counters;
	struct arena *arena;
};

static enum rc count_work(struct db_tx *tx, void *context, struct err *err)
{
	struct counting_work *work = context;
	struct alert alert;

	enum rc rc = alert_find_public(tx, work->arena, work->id, &alert, err);
	return rc == OK ? alert_counters_find(tx, alert.id, &work->counters, err) : rc;
}

int64_t people_in(struct scene *scene, struct str id, enum alert_counter class)
{
	struct counting_work work = { .id = id, .arena = &scene->fixture->arena };

	scene_read(scene, count_work, &work);
	return work.counters.of[class];
}

static void print_line(void *context, struct str line)
{
	(void)context;
	print_error("%.*s\n", STR_ARG(line));
}

void sums_hold(struct scene *scene)
{
	int64_t wrong = -1;

	assert_rc(scene->fixture, OK, alert_check(scene->house, print_line, NULL, &wrong, fixture_err(scene->fixture)));
	assert_int_equal(wrong, 0);
	assert_rc(scene->fixture, OK,
	          messages_check(scene->fixture->db, print_line, NULL, &wrong, fixture_err(scene->fixture)));
	assert_int_equal(wrong, 0);
}
