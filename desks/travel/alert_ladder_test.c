/* The ladder: its words, a person's way up, and over the store and the engine who is told by what and when. */
#include <stdio.h>

#include "tests/alerts/alert_fixture.h"

#include "desks/travel/board.h"
#include "desks/travel/response.h"

#define MAIL CHANNEL_BIT(CHANNEL_MAIL)
#define SMS CHANNEL_BIT(CHANNEL_SMS)
#define MINUTES(n) ((double)(n) / 60.0)

#define SFAX 34.74, 10.76, "TN"

/* --- words -------------------------------------------------------------------------------------------------------- */

static void words(void **state)
{
	static const struct {
		const char *text, *written; /* NULL: refused */
	} cases[] = {
		{ "", "" },
		{ "own:5/15/60 contact", "own:5/15/60 contact" },
		{ "  mail:15   SMS:030 ", "mail:15 sms:30" },
		{ "mail:7/7/7", "mail:7" },
		{ "contact", "contact" },
		{ "mail:0", "mail:0" },
		{ "sms:10080", "sms:10080" },
		{ "sms:10081", NULL },
		{ "sms:-1", NULL },
		{ "sms", NULL },
		{ "sms:", NULL },
		{ "sms:1/2", NULL },
		{ "sms:1/2/3/4", NULL },
		{ "sms:1 sms:2", NULL },
		{ "own:1 sms:2", NULL },
		{ "sms:1 own:2", NULL },
		{ "contact sms:1", NULL },
		{ "contact contact", NULL },
		{ "pigeon:1", NULL },
		{ "contact:5", NULL },
	};
	struct arena arena;
	struct err err;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ladder ladder = { .count = 99 };
		err_init(&err, &arena);
		const enum rc rc = ladder_read(str_from(cases[i].text), &ladder, &err);
		if (!cases[i].written) {
			if (rc != INVALID || ladder.count != 99)
				fail_msg("'%s' was taken", cases[i].text);
		} else if (rc != OK || !str_equal(ladder_write(&arena, &ladder), str_from(cases[i].written))) {
			fail_msg("'%s' was read as '%s'", cases[i].text, rc == OK ? ladder_write(&arena, &ladder).ptr : "nothing");
		}
	}
	arena_release(&arena);
}

static struct ladder ladder_of(const char *text)
{
	struct ladder ladder = { .count = 0 };
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	assert_int_equal(ladder_read(str_from(text), &ladder, &err), OK);
	arena_release(&arena);
	return ladder;
}

static void climbs(void **state)
{
	static const struct {
		const char *text;
		int severity;
		unsigned channels;
		uint32_t order; /* hexadecimal: the first in the lowest digit */
		int mail, sms, contact; /* minutes; -1 none */
	} cases[] = {
		{ "", SEVERITY_EXTREME, MAIL | SMS, 0, 0, 0, -1 },
		{ "own:5/15/60 contact", SEVERITY_EXTREME, MAIL | SMS, 0x12, 5, 0, 10 },
		{ "own:5/15/60 contact", SEVERITY_SEVERE, MAIL | SMS, 0x21, 0, 15, 30 },
		{ "own:5/15/60 contact", SEVERITY_MINOR, MAIL | SMS, 0, 0, 60, 120 },
		{ "own:5/15/60", SEVERITY_UNKNOWN, SMS, 0x2, -1, 0, -1 },
		/* A way the person does not have is no wait. */
		{ "sms:15 mail:30 contact", SEVERITY_SEVERE, MAIL, 0, 0, -1, 30 },
		{ "sms:15 mail:30 contact", SEVERITY_SEVERE, MAIL | SMS, 0x21, 15, 0, 45 },
		/* What is not named comes last. */
		{ "sms:15", SEVERITY_SEVERE, MAIL | SMS, 0, 15, 0, -1 },
		{ "contact", SEVERITY_SEVERE, MAIL | SMS, 0, 0, 0, 0 },
		/* Nobody to tell: the emergency contact at once. */
		{ "own:15 contact", SEVERITY_SEVERE, 0, 0, -1, -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct ladder ladder = ladder_of(cases[i].text);
		struct ladder_climb climb;
		ladder_climb(&ladder, cases[i].severity, cases[i].channels, cases[i].order, &climb);
		const int64_t wanted[] = { cases[i].mail, cases[i].sms, cases[i].contact },
			      got[] = { climb.after[CHANNEL_MAIL], climb.after[CHANNEL_SMS], climb.contact_after };
		for (size_t j = 0; j < COUNT_OF(wanted); j++)
			if (got[j] != (wanted[j] < 0 ? -1 : wanted[j] * CLOCK_MINUTE))
				fail_msg("case %zu: value %zu is %lld", i, j, (long long)got[j]);
	}
	assert_int_equal(ladder_order_add(ladder_order_add(ladder_order_add(0, CHANNEL_SMS), CHANNEL_MAIL), CHANNEL_SMS), 0x12);
}

/* --- over the store ----------------------------------------------------------------------------------------------- */

static void put_ladder(struct scene *scene, const char *rungs)
{
	assert_rc(scene->fixture, OK, ladder_add(scene->house, S("Steps"), str_from(rungs), clock_now(), fixture_err(scene->fixture)));
}

struct ranking {
	int64_t person_id;
	enum channel_kind first, second;
};

static enum rc rank_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct ranking *ranking = context;

	enum rc rc = set_alert_rank(tx, &(struct set_alert_rank_args){ .rank = 1, .person_id = ranking->person_id, .channel = ranking->first }, NULL, err);
	if (rc == OK)
		rc = set_alert_rank(tx, &(struct set_alert_rank_args){ .rank = 2, .person_id = ranking->person_id, .channel = ranking->second }, NULL, err);
	return rc == OK ? person_touch(tx, ranking->person_id, clock_now(), err) : rc;
}

static void prefer_sms(struct scene *scene, int64_t person_id)
{
	struct ranking ranking = { person_id, CHANNEL_SMS, CHANNEL_MAIL };

	scene_write(scene, rank_work, &ranking);
}

struct answering {
	struct str id;
	int64_t person_id;
	enum response_by by;
};

static enum rc answer_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct answering *answering = context;
	struct alert alert;
	struct arena arena;
	int64_t response;

	arena_init(&arena);
	enum rc rc = alert_find_public(tx, &arena, answering->id, &alert, err);
	const struct response_new said = { .alert_id = alert.id,
		                           .person_id = answering->person_id,
		                           .status = RESPONSE_SAFE,
		                           .by = answering->by,
		                           .officer_id = answering->by == RESPONSE_BY_OFFICER ? 1 : 0,
		                           .form_key = STR_NONE };
	if (rc == OK)
		rc = response_record(tx, &said, clock_now(), &response, NULL, NULL, err);
	arena_release(&arena);
	return rc;
}

static void answers(struct scene *scene, struct str id, int64_t person_id, enum response_by by)
{
	struct answering answering = { id, person_id, by };

	scene_write(scene, answer_work, &answering);
}

struct looking {
	struct arena *arena;
	int64_t person_id;
	enum channel_kind channel;
	int64_t state, reason;
};

static enum rc look_work(struct db_tx *tx, void *context, struct err *err)
{
	struct looking *looking = context;
	struct get_alert_messages_row *rows;
	size_t count;

	enum rc rc = get_alert_messages(tx, looking->arena, &(struct get_alert_messages_args){ .person_id = looking->person_id }, &rows, &count, err);
	looking->state = looking->reason = -1;
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].channel == (int64_t)looking->channel) {
			looking->state = rows[i].state;
			looking->reason = rows[i].reason;
		}
	return rc;
}

/* The newest message of a person by a channel; -1 if there is no row. */
static struct looking message_of(struct scene *scene, int64_t person_id, enum channel_kind channel)
{
	struct looking looking = { .arena = &scene->fixture->arena, .person_id = person_id, .channel = channel };

	scene_read(scene, look_work, &looking);
	return looking;
}

/* How many mails and SMS of the next turns go to someone: "m", "s", "ms" or "". */
static void hears(struct scene *scene, int64_t person_id, const char *wanted)
{
	char mailbox[64], number[64];
	size_t mails = 0, texts = 0;

	snprintf(mailbox, sizeof mailbox, "p%lld@example.org", (long long)person_id);
	snprintf(number, sizeof number, "+1555%07lld", (long long)person_id);
	for (size_t i = scene->heard_mail; i < scene->mail.count; i++)
		mails += strcmp(scene->mail.messages[i].to, mailbox) == 0;
	for (size_t i = scene->heard_sms; i < scene->sms.count; i++)
		texts += strcmp(scene->sms.messages[i].to, number) == 0;
	if (mails != (strchr(wanted, 'm') != NULL) || texts != (strchr(wanted, 's') != NULL))
		fail_msg("person %lld got %zu mails and %zu SMS, not '%s'", (long long)person_id, mails, texts, wanted);
	heard(scene, person_id, NULL);
}

#define ON_STEPS "\"ladder\":\"Steps\""

static void one_after_the_other(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "own:5/15/60");
	for (int64_t id = 1; id <= 5; id++)
		put_someone(scene, &(struct someone){ id, SFAX, -24, 240, id == 4 ? SMS : MAIL | SMS, 0, false, NULL });
	prefer_sms(scene, 2);
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	assert_int_equal(send_alert(scene, id), 5);
	turn(scene);
	for (int64_t person = 1; person <= 5; person++)
		hears(scene, person, person == 2 || person == 4 ? "s" : "m");
	nothing_else(scene);
	sums_hold(scene);
	/* One by the link, one to an officer. */
	answers(scene, id, 1, RESPONSE_BY_LINK);
	answers(scene, id, 5, RESPONSE_BY_OFFICER);
	wait_hours(scene, MINUTES(14));
	nothing_else(scene);
	sums_hold(scene);
	wait_hours(scene, MINUTES(2));
	hears(scene, 2, "m");
	hears(scene, 3, "s");
	nothing_else(scene);
	assert_int_equal(message_of(scene, 1, CHANNEL_SMS).state, MESSAGE_NOT_SENT);
	assert_int_equal(message_of(scene, 1, CHANNEL_SMS).reason, REASON_ANSWERED);
	assert_int_equal(message_of(scene, 5, CHANNEL_SMS).reason, REASON_ANSWERED);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 0);
	sums_hold(scene);
	wait_hours(scene, 24);
	nothing_else(scene);
	sums_hold(scene);
}

/* Answered while the second rung stood in a long queue: it is not handed over any more. */
static void answered_in_the_queue(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:15 sms:15");
	for (int64_t id = 1; id <= 3; id++)
		put_someone(scene, &(struct someone){ id, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	turn(scene);
	for (int64_t person = 1; person <= 3; person++)
		hears(scene, person, "m");
	/* The block opens while the carrier is away. */
	fake_cut(&scene->sms);
	wait_hours(scene, MINUTES(16));
	nothing_else(scene);
	answers(scene, id, 2, RESPONSE_BY_MAIL);
	fake_up(&scene->sms);
	turn(scene);
	hears(scene, 1, "s");
	hears(scene, 3, "s");
	nothing_else(scene);
	assert_int_equal(message_of(scene, 2, CHANNEL_SMS).reason, REASON_ANSWERED);
	sums_hold(scene);
}

/* A bounce raises the next rung at once; the later block sends it to nobody twice; the all-clear goes where the alert went. */
static void way_gone(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:15 sms:15");
	for (int64_t id = 1; id <= 3; id++)
		put_someone(scene, &(struct someone){ id, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	put_someone(scene, &(struct someone){ 4, SFAX, -24, 240, MAIL, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	scene->refuse_mail = true;
	turn(scene);
	scene->refuse_mail = false;
	for (int64_t person = 1; person <= 3; person++)
		hears(scene, person, "ms");
	hears(scene, 4, "m");
	nothing_else(scene);
	assert_int_equal(people_in(scene, id, COUNTER_UNREACHABLE), 1);
	sums_hold(scene);
	wait_hours(scene, MINUTES(20));
	nothing_else(scene);
	sums_hold(scene);
	scene_restart(scene);
	next_version(scene, id, "clear", 0, 0, 0, NULL);
	assert_int_equal(send_alert(scene, id), 3);
	turn(scene);
	for (int64_t person = 1; person <= 3; person++)
		hears(scene, person, "s");
	nothing_else(scene);
	sums_hold(scene);
}

/* Who answered hears an update by the way that reached them; the others climb anew. */
static void update(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:15 sms:15");
	for (int64_t id = 1; id <= 5; id++)
		put_someone(scene, &(struct someone){ id, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	turn(scene);
	answers(scene, id, 1, RESPONSE_BY_MAIL);
	wait_hours(scene, MINUTES(16));
	answers(scene, id, 2, RESPONSE_BY_SMS);
	answers(scene, id, 3, RESPONSE_BY_LINK); /* after the SMS */
	for (int64_t person = 1; person <= 5; person++)
		hears(scene, person, person == 1 ? "m" : "ms");
	nothing_else(scene);
	next_version(scene, id, "update", 34.74, 10.76, 0.3, NULL); /* keeps its ladder */
	send_alert(scene, id);
	turn(scene);
	hears(scene, 1, "m");
	hears(scene, 2, "s");
	hears(scene, 3, "s");
	hears(scene, 4, "m");
	hears(scene, 5, "m");
	nothing_else(scene);
	sums_hold(scene);
	answers(scene, id, 4, RESPONSE_BY_LINK);
	wait_hours(scene, MINUTES(16));
	hears(scene, 5, "s");
	nothing_else(scene);
	sums_hold(scene);
	/* The way that reached person 1 is gone by the next update: then by the other. */
	next_version(scene, id, "update", 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	scene->refuse_mail = true;
	turn(scene);
	scene->refuse_mail = false;
	hears(scene, 1, "ms");
	hears(scene, 2, "s");
	hears(scene, 3, "s");
	hears(scene, 4, "ms"); /* the mail of the second version had reached them */
	hears(scene, 5, "ms");
	nothing_else(scene);
	sums_hold(scene);
	wait_hours(scene, 1);
	nothing_else(scene);
	sums_hold(scene);
}

/* Who comes in later climbs too. */
static void late(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:15 sms:15");
	put_someone(scene, &(struct someone){ 1, SFAX, 48, 240, MAIL | SMS, 0, false, NULL }); /* arrives in two days */
	put_someone(scene, &(struct someone){ 2, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	turn(scene);
	hears(scene, 2, "m");
	nothing_else(scene);
	for (int64_t person = 3; person <= 6; person++)
		put_someone(scene, &(struct someone){ person, SFAX, -1, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	turn(scene);
	for (int64_t person = 3; person <= 6; person++)
		hears(scene, person, "m");
	nothing_else(scene);
	sums_hold(scene);
	answers(scene, id, 3, RESPONSE_BY_LINK);
	move_someone(scene, &(struct someone){ 1, SFAX, -1, 240, 0, 0, false, NULL }); /* comes sooner */
	turn(scene);
	hears(scene, 1, "m");
	wait_hours(scene, MINUTES(16));
	hears(scene, 1, "s");
	hears(scene, 2, "s");
	for (int64_t person = 4; person <= 6; person++)
		hears(scene, person, "s");
	nothing_else(scene);
	assert_int_equal(message_of(scene, 3, CHANNEL_SMS).reason, REASON_ANSWERED);
	sums_hold(scene);
	wait_hours(scene, 50);
	nothing_else(scene);
	sums_hold(scene);
}

/* A late joiner whose mailbox is dead is texted at once. */
static void late_way_gone(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:15 sms:15");
	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, SMS, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	put_someone(scene, &(struct someone){ 2, SFAX, -1, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	scene->refuse_mail = true;
	turn(scene);
	scene->refuse_mail = false;
	hears(scene, 1, "s");
	hears(scene, 2, "ms");
	nothing_else(scene);
	wait_hours(scene, 1);
	nothing_else(scene);
	sums_hold(scene);
}

/* The later of the two: the rung's time and the morning. And a dead mailbox at night wakes nobody. */
static void at_night(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:60 sms:60");
	clock_to(21); /* the SMS's turn comes at 22:00 */
	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS ",\"severity\":\"Moderate\"");
	send_alert(scene, id);
	turn(scene);
	hears(scene, 1, "m");
	wait_hours(scene, 2);
	nothing_else(scene);
	put_someone(scene, &(struct someone){ 2, SFAX, -1, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	scene->refuse_mail = true;
	turn(scene);
	scene->refuse_mail = false;
	hears(scene, 2, "m");
	nothing_else(scene);
	wait_hours(scene, 7.5); /* 06:30 */
	nothing_else(scene);
	wait_hours(scene, 0.75);
	hears(scene, 1, "s");
	hears(scene, 2, "s");
	nothing_else(scene);
	sums_hold(scene);
}

/* --- the emergency contact ---------------------------------------------------------------------------------------- */

struct naming {
	int64_t person_id;
	const char *email, *phone;
};

static enum rc name_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct naming *naming = context;
	const struct put_alert_emergency_args args = { .person_id = naming->person_id,
		                                       .email = str_from(naming->email),
		                                       .phone = str_from(naming->phone) };

	enum rc rc = put_alert_name(tx, &(struct put_alert_name_args){ .person_id = naming->person_id }, NULL, err);
	return rc == OK ? put_alert_emergency(tx, &args, NULL, err) : rc;
}

static void names_contact(struct scene *scene, int64_t person_id, const char *email, const char *phone)
{
	struct naming naming = { person_id, email, phone };

	scene_write(scene, name_work, &naming);
}

static size_t count_to(const struct fake_channel *fake, const char *address)
{
	return fake_count_to(fake, address);
}

static void contact_wait(struct scene *scene, double hours)
{
	board_fill(scene->house);
	wait_hours(scene, hours);
	alert_contacts(scene->house);
	turn(scene);
	alert_contacts(scene->house);
	turn(scene);
}

static void emergency_contacts(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:15 sms:30 contact");
	for (int64_t id = 1; id <= 6; id++)
		put_someone(scene, &(struct someone){ id, SFAX, -24, 240, id == 3 ? 0 : MAIL | SMS, 0, false, NULL });
	names_contact(scene, 1, "", "+33900000001");                  /* no answer */
	names_contact(scene, 2, "", "+33900000002");                  /* will answer */
	names_contact(scene, 3, "near3@example.net", "");             /* cannot be reached at all */
	names_contact(scene, 4, "near4@example.net", "+33900000004"); /* by SMS alone then */
	put_someone(scene, &(struct someone){ 9, 0, 0, NULL, 0, 0, 0, 0, false, NULL });
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	turn(scene);
	contact_wait(scene, MINUTES(1));
	assert_int_equal(count_to(&scene->mail, "near3@example.net"), 1);
	assert_int_equal(people_in(scene, id, COUNTER_CONTACTS), 1);
	contact_wait(scene, MINUTES(15)); /* the SMS left */
	answers(scene, id, 2, RESPONSE_BY_LINK);
	contact_wait(scene, MINUTES(28));
	assert_int_equal(people_in(scene, id, COUNTER_CONTACTS), 1);
	contact_wait(scene, MINUTES(3));
	assert_int_equal(count_to(&scene->sms, "+33900000001"), 1);
	assert_int_equal(count_to(&scene->sms, "+33900000002"), 0);
	assert_int_equal(count_to(&scene->sms, "+33900000004"), 1);
	assert_int_equal(count_to(&scene->mail, "near4@example.net"), 0);
	assert_int_equal(people_in(scene, id, COUNTER_CONTACTS), 3);
	sums_hold(scene);
	/* Never twice, whatever comes: time, a stop, an update. */
	contact_wait(scene, 5);
	scene_restart(scene);
	next_version(scene, id, "update", 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	turn(scene);
	contact_wait(scene, 5);
	contact_wait(scene, 5);
	assert_int_equal(count_to(&scene->sms, "+33900000001"), 1);
	assert_int_equal(count_to(&scene->mail, "near3@example.net"), 1);
	assert_int_equal(people_in(scene, id, COUNTER_CONTACTS), 3);
	sums_hold(scene);
}

static enum rc stop_work(struct db_tx *tx, void *context, struct err *err)
{
	int64_t changed = 0;

	return contact_opt_out(tx, CHANNEL_SMS, str_from(context), true, clock_now(), &changed, err);
}

/* A number whose owner stopped our messages is not written to, whoever gave it; nor by a way that the officer did not tick. */
static void contacts_who_stopped(void **state)
{
	struct scene *scene = *state;
	char number[] = "+15550000003";

	put_ladder(scene, "own:15 contact");
	for (int64_t id = 1; id <= 3; id++)
		put_someone(scene, &(struct someone){ id, SFAX, -24, 240, SMS, 0, false, NULL });
	names_contact(scene, 1, "", number);
	names_contact(scene, 2, "near2@example.net", "");
	follow(scene);
	scene_write(scene, stop_work, number);
	follow(scene);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS ",\"channels\":[\"sms\"]");
	send_alert(scene, id);
	turn(scene);
	assert_int_equal(heard(scene, 1, NULL) + heard(scene, 2, NULL), 2);
	contact_wait(scene, 0.5);
	contact_wait(scene, 5);
	assert_int_equal(people_in(scene, id, COUNTER_CONTACTS), 0);
	nothing_else(scene);
	sums_hold(scene);
}

/* Not in an exercise, not after the end, and not of who is gone from there. */
static void contacts_left_alone(void **state)
{
	struct scene *scene = *state;

	put_ladder(scene, "mail:15 sms:30 contact");
	for (int64_t id = 1; id <= 3; id++)
		put_someone(scene, &(struct someone){ id, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	names_contact(scene, 1, "", "+33900000001");
	names_contact(scene, 2, "", "+33900000002");
	names_contact(scene, 3, "near3@example.net", "");
	follow(scene);
	const struct str drill = draft(scene, 34.74, 10.76, 0.3, ON_STEPS ",\"exercise\":true");
	send_alert(scene, drill);
	turn(scene);
	contact_wait(scene, 0.3);
	contact_wait(scene, 5);
	assert_int_equal(people_in(scene, drill, COUNTER_CONTACTS), 0);
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	turn(scene);
	contact_wait(scene, 0.3);
	move_someone(scene, &(struct someone){ 3, 0, 0, NULL, 0, 0, 0, 0, false, NULL });
	next_version(scene, id, "clear", 0, 0, 0, NULL);
	send_alert(scene, id);
	turn(scene);
	contact_wait(scene, 5);
	assert_int_equal(people_in(scene, id, COUNTER_CONTACTS), 0);
	assert_int_equal(count_to(&scene->sms, "+33900000001"), 0);
	sums_hold(scene);
}

/* --- templates ---------------------------------------------------------------------------------------------------- */

static void templates(void **state)
{
	struct scene *scene = *state;
	struct err *err = fixture_err(scene->fixture);
	const int64_t now = clock_now();

	put_ladder(scene, "mail:15 sms:15");
	assert_rc(scene->fixture, CONFLICT, ladder_add(scene->house, S("Steps"), S("own:1"), now, err));
	assert_rc(scene->fixture, INVALID, ladder_add(scene->house, S(""), S("own:1"), now, fixture_err(scene->fixture)));
	assert_rc(scene->fixture, INVALID, ladder_add(scene->house, S("Empty"), S(""), now, fixture_err(scene->fixture)));
	assert_rc(scene->fixture, NOT_FOUND, ladder_change(scene->house, S("Other"), S("own:1"), now, fixture_err(scene->fixture)));
	put_someone(scene, &(struct someone){ 1, SFAX, -24, 240, MAIL | SMS, 0, false, NULL });
	follow(scene);
	/* What was sent does not change with its template, and an update keeps it. */
	const struct str id = draft(scene, 34.74, 10.76, 0.3, ON_STEPS);
	send_alert(scene, id);
	turn(scene);
	hears(scene, 1, "m");
	assert_rc(scene->fixture, OK, ladder_change(scene->house, S("Steps"), S("sms:1"), now, fixture_err(scene->fixture)));
	wait_hours(scene, MINUTES(16));
	hears(scene, 1, "s");
	assert_rc(scene->fixture, OK, ladder_remove(scene->house, S("Steps"), now, fixture_err(scene->fixture)));
	next_version(scene, id, "update", 34.74, 10.76, 0.3, NULL);
	send_alert(scene, id);
	turn(scene);
	hears(scene, 1, "m");
	nothing_else(scene);
	/* A new alert cannot have it any more. */
	struct str none = STR_NONE;
	assert_rc(scene->fixture, INVALID,
	          alert_create_json(scene->house, &scene->fixture->arena,
	                            S("{\"countries\":[\"TN\"],\"ladder\":\"Steps\",\"texts\":{\"en\":{\"headline\":\"X\"}}}"), clock_now(), &none,
	                            fixture_err(scene->fixture)));
	sums_hold(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(climbs),
		BOTH_SCENE(one_after_the_other),
		BOTH_SCENE(answered_in_the_queue),
		BOTH_SCENE(way_gone),
		BOTH_SCENE(update),
		BOTH_SCENE(late),
		BOTH_SCENE(late_way_gone),
		BOTH_SCENE(at_night),
		BOTH_SCENE(emergency_contacts),
		BOTH_SCENE(contacts_who_stopped),
		BOTH_SCENE(contacts_left_alone),
		BOTH_SCENE(templates),
	};

	return fixture_main(tests);
}
