/* Answers and the sums they move, on both stores. */
#include "tests/board/board_fixture.h"

#include "kernel/access/access.h"

#include "board_sql.h"

struct recording {
	struct response_new response;
	int64_t now, id;
};

static enum rc record(struct db_tx *tx, void *context, struct err *err)
{
	struct recording *recording = context;
	return response_record(tx, &recording->response, recording->now ? recording->now : WORLD_NOW, &recording->id, NULL, NULL, err);
}

static void test_an_answer_moves_one_person(void **state)
{
	struct fixture *fixture = *state;
	world_make(fixture);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 1, RESPONSE_SAFE));
	struct alert_counters sums = world_sums(fixture, WORLD_ALERT);
	assert_int_equal(sums.of[COUNTER_TARGETED], WORLD_PEOPLE);
	assert_int_equal(sums.of[COUNTER_SAFE], 1);
	assert_int_equal(sums.of[COUNTER_SILENT], WORLD_PEOPLE - 1);
	struct recipient row = world_row(fixture, WORLD_ALERT, 1);
	assert_int_equal(row.class, COUNTER_SAFE);
	assert_int_equal(row.case_state, CASE_NONE);
	assert_int_equal(row.answered_at, WORLD_NOW);
	assert_int_equal(row.certain, 1);
	world_assert_sums(fixture, WORLD_ALERT);
	/* The exercise knows nothing of it. */
	assert_int_equal(world_sums(fixture, WORLD_OTHER).of[COUNTER_SAFE], 0);
}

static void test_the_last_answer_wins_and_all_are_kept(void **state)
{
	struct fixture *fixture = *state;
	world_make(fixture);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 2, RESPONSE_HELP));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 2).case_state, CASE_OPEN);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 2, RESPONSE_SAFE));
	struct recipient row = world_row(fixture, WORLD_ALERT, 2);
	assert_int_equal(row.class, COUNTER_SAFE);
	/* A case stays open until an officer closes it: a false 'safe' must not hide a call for help. */
	assert_int_equal(row.case_state, CASE_OPEN);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 2, RESPONSE_HELP));
	struct alert_counters sums = world_sums(fixture, WORLD_ALERT);
	assert_int_equal(sums.of[COUNTER_HELP], 1);
	assert_int_equal(sums.of[COUNTER_SAFE], 0);
	world_assert_sums(fixture, WORLD_ALERT);
}

static enum rc count_responses(struct db_tx *tx, void *context, struct err *err)
{
	struct arena arena;
	struct get_responses_row row;
	arena_init(&arena);
	enum rc rc = get_responses(tx, &arena, &(struct get_responses_args){ .alert_id = WORLD_ALERT, .person_id = 3 }, &row, err);
	*(int64_t *)context = row.answers;
	arena_release(&arena);
	return rc;
}

static void test_a_double_submit_is_one_answer(void **state)
{
	struct fixture *fixture = *state;
	struct recording recording = { .response = { .alert_id = WORLD_ALERT, .person_id = 3, .status = RESPONSE_HELP, .by = RESPONSE_BY_LINK,
		                                     .form_key = S("key"), .note = S("no water"), .place = S("Hotel") } };
	int64_t count = 0;
	world_make(fixture);
	assert_rc(fixture, OK, world_write(fixture, record, &recording));
	const int64_t first = recording.id;
	recording.response.status = RESPONSE_SAFE; /* the second button of the same form, too */
	assert_rc(fixture, OK, world_write(fixture, record, &recording));
	assert_int_equal(recording.id, first);
	assert_int_equal(world_row(fixture, WORLD_ALERT, 3).class, COUNTER_HELP);
	assert_rc(fixture, OK, db_read(fixture->db, count_responses, &count, fixture_err(fixture)));
	assert_int_equal(count, 1);
	recording.response.person_id = 4;
	assert_rc(fixture, CONFLICT, world_write(fixture, record, &recording));
	world_assert_sums(fixture, WORLD_ALERT);
}

static void test_refusals_change_nothing(void **state)
{
	struct fixture *fixture = *state;
	char *text = arena_alloc(&fixture->arena, RESPONSE_NOTE_MAX + 1);
	memset(text, 'a', RESPONSE_NOTE_MAX + 1);
	const struct companion_answer strange = { 9, COMPANION_SAFE };
	struct recording ok = { .response = { .alert_id = WORLD_ALERT, .person_id = 1, .status = RESPONSE_SAFE, .by = RESPONSE_BY_LINK,
		                              .form_key = STR_NONE } };
	world_make(fixture);
	struct recording bad = ok;
	bad.response.person_id = 99; /* nobody told them */
	assert_rc(fixture, NOT_FOUND, world_write(fixture, record, &bad));
	bad = ok;
	bad.response.alert_id = WORLD_OTHER;
	assert_rc(fixture, NOT_FOUND, world_write(fixture, record, &bad));
	bad = ok;
	bad.response.alert_id = 999;
	assert_rc(fixture, NOT_FOUND, world_write(fixture, record, &bad));
	bad = ok;
	bad.response.note = (struct str){ text, RESPONSE_NOTE_MAX + 1 };
	assert_rc(fixture, INVALID, world_write(fixture, record, &bad));
	bad = ok;
	bad.response.companions = &strange;
	bad.response.companion_count = 1;
	assert_rc(fixture, INVALID, world_write(fixture, record, &bad));
	bad = ok;
	bad.response.others_said = true;
	bad.response.others_safe = 2;
	bad.response.others_help = 1; /* two have no name */
	assert_rc(fixture, INVALID, world_write(fixture, record, &bad));
	bad = ok;
	bad.response.status = RESPONSE_WITHDRAWN;
	assert_rc(fixture, INVALID, world_write(fixture, record, &bad));
	struct alert_counters sums = world_sums(fixture, WORLD_ALERT);
	assert_int_equal(sums.of[COUNTER_SILENT], WORLD_PEOPLE);
	world_assert_sums(fixture, WORLD_ALERT);
	ok.response.note = (struct str){ text, RESPONSE_NOTE_MAX };
	assert_rc(fixture, OK, world_write(fixture, record, &ok));
}

static void test_companions_are_counted_beside(void **state)
{
	struct fixture *fixture = *state;
	struct companion_answer said[] = { { 1, COMPANION_SAFE }, { 2, COMPANION_HELP } };
	struct recording recording = { .response = { .alert_id = WORLD_ALERT, .person_id = 1, .status = RESPONSE_SAFE, .by = RESPONSE_BY_LINK,
		                                     .form_key = STR_NONE, .companions = said, .companion_count = 2, .others_said = true,
		                                     .others_safe = 1, .others_help = 1 } };
	world_make(fixture);
	assert_rc(fixture, OK, world_write(fixture, record, &recording));
	struct alert_counters sums = world_sums(fixture, WORLD_ALERT);
	assert_int_equal(sums.of[COUNTER_COMPANIONS_SAFE], 2);
	assert_int_equal(sums.of[COUNTER_COMPANIONS_HELP], 2);
	assert_int_equal(sums.of[COUNTER_SAFE], 1);
	world_assert_sums(fixture, WORLD_ALERT);
	/* Said anew: one is elsewhere, of the other nothing is said any more; the unnamed keep what was said. */
	said[0].status = COMPANION_ELSEWHERE;
	said[1].status = COMPANION_UNSAID;
	recording.response.others_said = false;
	assert_rc(fixture, OK, world_write(fixture, record, &recording));
	sums = world_sums(fixture, WORLD_ALERT);
	assert_int_equal(sums.of[COUNTER_COMPANIONS_SAFE], 1);
	assert_int_equal(sums.of[COUNTER_COMPANIONS_HELP], 1);
	world_assert_sums(fixture, WORLD_ALERT);
}

static enum rc set_unreachable(struct db_tx *tx, void *context, struct err *err)
{
	return recipient_set_unreachable(tx, WORLD_ALERT, 4, *(bool *)context, WORLD_NOW, err);
}

static void test_unreachable_is_no_answer(void **state)
{
	struct fixture *fixture = *state;
	bool unreachable = true;
	world_make(fixture);
	assert_rc(fixture, OK, world_write(fixture, set_unreachable, &unreachable));
	assert_rc(fixture, OK, world_write(fixture, set_unreachable, &unreachable));
	assert_int_equal(world_sums(fixture, WORLD_ALERT).of[COUNTER_UNREACHABLE], 1);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 4, RESPONSE_SAFE));
	assert_rc(fixture, OK, world_write(fixture, set_unreachable, &unreachable));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 4).class, COUNTER_SAFE);
	assert_int_equal(world_row(fixture, WORLD_ALERT, 4).class_unanswered, COUNTER_UNREACHABLE);
	unreachable = false;
	assert_rc(fixture, OK, world_write(fixture, set_unreachable, &unreachable));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 4).class_unanswered, COUNTER_SILENT);
	world_assert_sums(fixture, WORLD_ALERT);
}

struct withdrawing { int64_t id; };

static enum rc withdraw(struct db_tx *tx, void *context, struct err *err)
{
	return response_withdraw(tx, ((struct withdrawing *)context)->id, WORLD_ALERT, 5, WORLD_NOW, err);
}

static void test_withdrawing_lets_the_answer_before_decide(void **state)
{
	struct fixture *fixture = *state;
	struct recording first = { .response = { .alert_id = WORLD_ALERT, .person_id = 5, .status = RESPONSE_HELP, .by = RESPONSE_BY_OFFICER,
		                                 .officer_id = 1, .form_key = STR_NONE } };
	struct recording second = first;
	world_make(fixture);
	assert_rc(fixture, OK, world_write(fixture, record, &first));
	second.response.status = RESPONSE_SAFE;
	assert_rc(fixture, OK, world_write(fixture, record, &second));
	assert_rc(fixture, OK, world_write(fixture, withdraw, &(struct withdrawing){ second.id }));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 5).class, COUNTER_HELP);
	assert_rc(fixture, CONFLICT, world_write(fixture, withdraw, &(struct withdrawing){ second.id }));
	assert_rc(fixture, OK, world_write(fixture, withdraw, &(struct withdrawing){ first.id }));
	struct recipient row = world_row(fixture, WORLD_ALERT, 5);
	assert_int_equal(row.class, COUNTER_SILENT);
	assert_int_equal(row.answered_at, DB_NULL);
	assert_int_equal(row.case_state, CASE_OPEN); /* closing it is an officer's own deed */
	world_assert_sums(fixture, WORLD_ALERT);
}

/* --- SMS and mail --------------------------------------------------------------------------------------------- */

struct message {
	int64_t people[2];
	size_t people_count;
	struct keyword_reply said;
	int64_t hint, now, person, event;
};

static enum rc answer(struct db_tx *tx, void *context, struct err *err)
{
	struct message *message = context;
	return response_answer(tx, NULL, message->people, message->people_count, &message->said, message->hint, CHANNEL_SMS, 5,
	                       message->now ? message->now : WORLD_NOW, &message->person, &message->event, err);
}

static struct message message_from(int64_t person, struct fixture *fixture, const char *text)
{
	struct message message = { .people = { person }, .people_count = 1 };
	keyword_parse(&fixture->arena, str_from(text), S("en"), &message.said);
	return message;
}

static void test_an_sms_answers_the_one_alert(void **state)
{
	struct fixture *fixture = *state;
	struct message message = message_from(2, fixture, "HELP we are on the roof");
	world_make(fixture);
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	assert_int_equal(message.person, 2);
	assert_int_equal(message.event, WORLD_ALERT);
	struct recipient row = world_row(fixture, WORLD_ALERT, 2);
	assert_int_equal(row.class, COUNTER_HELP);
	assert_false(row.help_keyword_only);
	message = message_from(2, fixture, "help");
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	assert_true(world_row(fixture, WORLD_ALERT, 2).help_keyword_only);
	world_assert_sums(fixture, WORLD_ALERT);
}

static void test_nothing_is_guessed(void **state)
{
	struct fixture *fixture = *state;
	world_make(fixture);
	/* Person 3 was told of two alerts. */
	struct message message = message_from(3, fixture, "SAFE");
	assert_rc(fixture, CONFLICT, world_write(fixture, answer, &message));
	message = message_from(3, fixture, "SAFE #48");
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	assert_int_equal(message.event, WORLD_OTHER);
	message = message_from(3, fixture, "SAFE");
	message.hint = WORLD_ALERT;
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	assert_int_equal(message.event, WORLD_ALERT);
	/* Two people of one telephone. */
	message = message_from(1, fixture, "SAFE");
	message.people[1] = 2;
	message.people_count = 2;
	assert_rc(fixture, CONFLICT, world_write(fixture, answer, &message));
	/* A number that names an alert they were not told of. */
	message = message_from(1, fixture, "SAFE #48");
	assert_rc(fixture, NOT_FOUND, world_write(fixture, answer, &message));
	/* A count of people is no alert. */
	message = message_from(1, fixture, "SAFE 3 adults");
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	assert_int_equal(message.event, WORLD_ALERT);
	world_assert_sums(fixture, WORLD_ALERT);
	world_assert_sums(fixture, WORLD_OTHER);
}

static enum rc end_alert(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	return set_alert_state(tx, &(struct set_alert_state_args){ .state = 3, .ended_at = WORLD_NOW, .id = WORLD_ALERT }, NULL, err);
}

static void test_an_answer_after_the_end(void **state)
{
	struct fixture *fixture = *state;
	world_make(fixture);
	assert_rc(fixture, OK, world_write(fixture, end_alert, NULL));
	struct message message = message_from(1, fixture, "SAFE");
	message.now = WORLD_NOW + RESPONSE_LATE_HOURS * CLOCK_HOUR - 1;
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	message.now = WORLD_NOW + RESPONSE_LATE_HOURS * CLOCK_HOUR;
	assert_rc(fixture, NOT_FOUND, world_write(fixture, answer, &message));
	/* Of two, the one in force. */
	message = message_from(3, fixture, "SAFE");
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	assert_int_equal(message.event, WORLD_OTHER);
	struct recording link = { .response = { .alert_id = WORLD_ALERT, .person_id = 2, .status = RESPONSE_HELP, .by = RESPONSE_BY_LINK,
		                                .form_key = STR_NONE } };
	link.now = WORLD_NOW + RESPONSE_LINK_DAYS * CLOCK_DAY - 1;
	assert_rc(fixture, OK, world_write(fixture, record, &link));
	link.now = WORLD_NOW + RESPONSE_LINK_DAYS * CLOCK_DAY;
	assert_rc(fixture, CONFLICT, world_write(fixture, record, &link));
}

static void test_a_very_long_sms_is_kept_and_marked(void **state)
{
	struct fixture *fixture = *state;
	char text[3000] = "HELP ";
	for (size_t i = 5; i + 2 < 2805; i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	world_make(fixture);
	struct message message = message_from(1, fixture, text);
	assert_rc(fixture, OK, world_write(fixture, answer, &message));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 1).class, COUNTER_HELP);
}

/* --- many, in any order ----------------------------------------------------------------------------------------- */

#define OPERATIONS 2000

static enum rc random_operation(struct db_tx *tx, void *context, struct err *err)
{
	uint64_t *random = context;
	const uint64_t draw = *random;
	const int64_t person = 1 + (int64_t)(draw % WORLD_PEOPLE);
	struct companion_answer said[] = { { 1, (enum companion_status)((draw >> 8) % 4) }, { 2, (enum companion_status)((draw >> 10) % 4) } };
	int64_t id;
	if ((draw >> 16) % 8 == 0)
		return recipient_set_unreachable(tx, WORLD_ALERT, person, (draw >> 20) % 2 != 0, WORLD_NOW, err);
	struct response_new response = {
		.alert_id = WORLD_ALERT,
		.person_id = person,
		.status = (draw >> 24) % 2 ? RESPONSE_SAFE : RESPONSE_HELP,
		.by = RESPONSE_BY_OFFICER,
		.officer_id = 1,
		.form_key = STR_NONE,
	};
	if (person == 1) {
		response.companions = said;
		response.companion_count = 2;
		response.others_said = (draw >> 28) % 2 != 0;
		response.others_safe = (int64_t)((draw >> 32) % 2);
		response.others_help = (int64_t)((draw >> 33) % 2);
	}
	enum rc rc = response_record(tx, &response, WORLD_NOW, &id, NULL, NULL, err);
	return rc == OK && (draw >> 40) % 3 == 0 ? response_withdraw(tx, id, WORLD_ALERT, person, WORLD_NOW, err) : rc;
}

static void test_sums_hold_after_any_operations(void **state)
{
	struct fixture *fixture = *state;
	uint64_t random = 0x9e3779b97f4a7c15;
	world_make(fixture);
	for (int i = 0; i < OPERATIONS; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		assert_rc(fixture, OK, world_write(fixture, random_operation, &random));
		if (i % 100 == 99)
			world_assert_sums(fixture, WORLD_ALERT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_an_answer_moves_one_person),
		BOTH(test_the_last_answer_wins_and_all_are_kept),
		BOTH(test_a_double_submit_is_one_answer),
		BOTH(test_refusals_change_nothing),
		BOTH(test_companions_are_counted_beside),
		BOTH(test_unreachable_is_no_answer),
		BOTH(test_withdrawing_lets_the_answer_before_decide),
		BOTH(test_an_sms_answers_the_one_alert),
		BOTH(test_nothing_is_guessed),
		BOTH(test_an_answer_after_the_end),
		BOTH(test_a_very_long_sms_is_kept_and_marked),
		BOTH(test_sums_hold_after_any_operations),
	};
	return fixture_main(tests);
}
