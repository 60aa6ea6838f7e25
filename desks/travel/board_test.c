/* Officers side by side on one board: cases, calls, undo, asking again, checks; on both stores. */
#include <pthread.h>

#include "tests/board/board_fixture.h"

#include "core/messages/messages.h"
#include "desks/travel/board.h"

#include "board_sql.h"

/* --- doing ---------------------------------------------------------------------------------------------------- */

struct doing {
	struct board_deed deed;
	struct board_holder holder;
};

static enum rc do_deed(struct db_tx *tx, void *context, struct err *err)
{
	struct doing *doing = context;
	return board_do(tx, &doing->deed, WORLD_NOW, &doing->holder, err);
}

static enum rc deed(struct fixture *fixture, int64_t officer_id, int64_t person_id, enum board_action_kind kind, struct doing *out)
{
	*out = (struct doing){ .deed = { .alert = world_alert(fixture, WORLD_ALERT), .person_id = person_id, .officer_id = officer_id, .kind = kind,
		                         .form_key = STR_NONE, .text = S("") } };
	return world_write(fixture, do_deed, out);
}

struct newest { int64_t person_id, id; };

static enum rc find_newest(struct db_tx *tx, void *context, struct err *err)
{
	struct newest *newest = context;
	struct get_newest_action_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = get_newest_action(
		tx, &arena, &(struct get_newest_action_args){ .alert_id = WORLD_ALERT, .person_id = newest->person_id }, &row, err);
	newest->id = row.id;
	arena_release(&arena);
	return rc;
}

static int64_t newest_action(struct fixture *fixture, int64_t person_id)
{
	struct newest newest = { .person_id = person_id };
	assert_rc(fixture, OK, db_read(fixture->db, find_newest, &newest, fixture_err(fixture)));
	return newest.id;
}

static enum rc undo(struct fixture *fixture, int64_t officer_id, int64_t person_id, int64_t action_id)
{
	struct doing doing = { .deed = { .alert = world_alert(fixture, WORLD_ALERT), .person_id = person_id, .officer_id = officer_id,
		                         .kind = BOARD_UNDO, .form_key = STR_NONE, .text = S(""), .action_id = action_id } };
	return world_write(fixture, do_deed, &doing);
}

/* --- cases ---------------------------------------------------------------------------------------------------- */

static void test_a_case_has_one_owner(void **state)
{
	struct fixture *fixture = *state;
	struct doing doing;
	world_make(fixture);
	assert_rc(fixture, CONFLICT, deed(fixture, WORLD_ANA, 1, BOARD_TAKE, &doing)); /* there is no case */
	assert_int_equal(doing.holder.officer_id, 0);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 1, RESPONSE_HELP));
	assert_rc(fixture, OK, deed(fixture, WORLD_ANA, 1, BOARD_TAKE, &doing));
	assert_rc(fixture, OK, deed(fixture, WORLD_ANA, 1, BOARD_TAKE, &doing)); /* said twice */
	assert_rc(fixture, CONFLICT, deed(fixture, WORLD_BEN, 1, BOARD_TAKE, &doing));
	assert_int_equal(doing.holder.officer_id, WORLD_ANA);
	assert_int_equal(doing.holder.since, WORLD_NOW);
	assert_rc(fixture, CONFLICT, deed(fixture, WORLD_BEN, 1, BOARD_RELEASE, &doing));
	assert_rc(fixture, CONFLICT, deed(fixture, WORLD_BEN, 1, BOARD_RESOLVE, &doing));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 1).case_owner, WORLD_ANA);
	assert_rc(fixture, OK, deed(fixture, WORLD_BEN, 1, BOARD_TAKE_OVER, &doing));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 1).case_owner, WORLD_BEN);
	assert_rc(fixture, OK, deed(fixture, WORLD_BEN, 1, BOARD_RESOLVE, &doing));
	struct recipient row = world_row(fixture, WORLD_ALERT, 1);
	assert_int_equal(row.case_state, CASE_RESOLVED);
	assert_int_equal(row.class, COUNTER_HELP);
	/* Help said again opens it anew, for anyone. */
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 1, RESPONSE_HELP));
	row = world_row(fixture, WORLD_ALERT, 1);
	assert_int_equal(row.case_state, CASE_OPEN);
	assert_int_equal(row.case_owner, DB_NULL);
	assert_int_equal(world_ledger(fixture, "board.take"), 1);
	world_assert_sums(fixture, WORLD_ALERT);
}

static void test_undo_brings_back_what_was(void **state)
{
	struct fixture *fixture = *state;
	struct doing doing;
	world_make(fixture);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 1, RESPONSE_HELP));
	assert_rc(fixture, OK, deed(fixture, WORLD_ANA, 1, BOARD_TAKE, &doing));
	const int64_t take = newest_action(fixture, 1);
	doing.deed.kind = BOARD_RESOLVE;
	doing.deed.safe = true;
	doing.deed.text = S("at the embassy");
	assert_rc(fixture, OK, world_write(fixture, do_deed, &doing));
	const int64_t resolve = newest_action(fixture, 1);
	assert_int_equal(world_row(fixture, WORLD_ALERT, 1).class, COUNTER_SAFE);
	/* Out of order: the case has moved on. */
	assert_rc(fixture, CONFLICT, undo(fixture, WORLD_BEN, 1, take));
	assert_rc(fixture, OK, undo(fixture, WORLD_BEN, 1, resolve));
	struct recipient row = world_row(fixture, WORLD_ALERT, 1);
	assert_int_equal(row.class, COUNTER_HELP);
	assert_int_equal(row.case_state, CASE_TAKEN);
	assert_int_equal(row.case_owner, WORLD_ANA);
	assert_rc(fixture, OK, undo(fixture, WORLD_BEN, 1, resolve)); /* twice changes nothing */
	assert_rc(fixture, OK, undo(fixture, WORLD_ANA, 1, take));
	assert_int_equal(world_row(fixture, WORLD_ALERT, 1).case_state, CASE_OPEN);
	assert_rc(fixture, NOT_FOUND, undo(fixture, WORLD_ANA, 2, take)); /* of someone else */
	world_assert_sums(fixture, WORLD_ALERT);
}

static void test_marks_for_others(void **state)
{
	struct fixture *fixture = *state;
	struct doing doing;
	world_make(fixture);
	assert_rc(fixture, OK, deed(fixture, WORLD_ANA, 2, BOARD_MARK_HELP, &doing));
	const int64_t help = newest_action(fixture, 2);
	assert_int_equal(world_row(fixture, WORLD_ALERT, 2).case_state, CASE_OPEN);
	assert_rc(fixture, OK, undo(fixture, WORLD_ANA, 2, help));
	struct recipient row = world_row(fixture, WORLD_ALERT, 2);
	assert_int_equal(row.class, COUNTER_SILENT);
	assert_int_equal(row.case_state, CASE_NONE);
	/* The person said so themself meanwhile: the mark goes, their word and the case stay. */
	assert_rc(fixture, OK, deed(fixture, WORLD_ANA, 3, BOARD_MARK_HELP, &doing));
	const int64_t mark = newest_action(fixture, 3);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 3, RESPONSE_HELP));
	assert_rc(fixture, OK, undo(fixture, WORLD_ANA, 3, mark));
	row = world_row(fixture, WORLD_ALERT, 3);
	assert_int_equal(row.class, COUNTER_HELP);
	assert_int_equal(row.case_state, CASE_OPEN);
	/* A safe mark over a call for help leaves the case open. */
	assert_rc(fixture, OK, deed(fixture, WORLD_ANA, 3, BOARD_MARK_SAFE, &doing));
	row = world_row(fixture, WORLD_ALERT, 3);
	assert_int_equal(row.class, COUNTER_SAFE);
	assert_int_equal(row.case_state, CASE_OPEN);
	world_assert_sums(fixture, WORLD_ALERT);
}

static void test_a_deed_is_done_once(void **state)
{
	struct fixture *fixture = *state;
	struct doing doing;
	world_make(fixture);
	assert_rc(fixture, INVALID, deed(fixture, WORLD_ANA, 4, BOARD_NOTE, &doing)); /* without text */
	doing.deed.text = S("called the hotel");
	doing.deed.form_key = S("form-1");
	assert_rc(fixture, OK, world_write(fixture, do_deed, &doing));
	assert_rc(fixture, OK, world_write(fixture, do_deed, &doing));
	assert_int_equal(world_ledger(fixture, "board.note"), 1);
	doing.deed.person_id = 99;
	doing.deed.form_key = STR_NONE;
	assert_rc(fixture, NOT_FOUND, world_write(fixture, do_deed, &doing));
}

static enum rc show(struct db_tx *tx, void *context, struct err *err)
{
	const struct board_alert *alert = context;
	const int64_t people[] = { 1, 2, 3 };
	return board_show_contacts(tx, alert, WORLD_ANA, people, 3, S("form-2"), WORLD_NOW, err);
}

static void test_reading_addresses_is_logged(void **state)
{
	struct fixture *fixture = *state;
	world_make(fixture);
	struct board_alert alert = world_alert(fixture, WORLD_ALERT);
	assert_rc(fixture, OK, world_write(fixture, show, &alert));
	assert_rc(fixture, OK, world_write(fixture, show, &alert));
	assert_int_equal(world_ledger(fixture, "contact.read"), 1);
	alert = world_alert(fixture, WORLD_OTHER); /* 1 and 2 are not of it */
	assert_rc(fixture, OK, world_write(fixture, show, &alert));
	assert_int_equal(world_ledger(fixture, "contact.read"), 1);
}

/* --- many officers at once -------------------------------------------------------------------------------------- */

#define OFFICERS 8

struct taker {
	pthread_t thread;
	struct fixture *fixture;
	struct doing doing;
	struct arena arena;
	struct err err;
	enum rc rc;
};

static void *take(void *context)
{
	struct taker *taker = context;
	taker->rc = db_write(taker->fixture->db, DB_LANE_PERSON, do_deed, &taker->doing, &taker->err);
	return NULL;
}

static void test_of_many_who_take_one_gets_it(void **state)
{
	struct fixture *fixture = *state;
	struct taker takers[OFFICERS];
	int64_t owner = 0;
	world_make(fixture);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 5, RESPONSE_HELP));
	for (size_t i = 0; i < OFFICERS; i++) {
		takers[i] = (struct taker){ .fixture = fixture,
			                    .doing = { .deed = { .alert = world_alert(fixture, WORLD_ALERT), .person_id = 5,
			                                         .officer_id = 10 + (int64_t)i, .kind = BOARD_TAKE, .form_key = STR_NONE,
			                                         .text = S("") } } };
		arena_init(&takers[i].arena);
		err_init(&takers[i].err, &takers[i].arena);
	}
	for (size_t i = 0; i < OFFICERS; i++)
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
	for (size_t i = 0; i < OFFICERS; i++) {
		pthread_join(takers[i].thread, NULL);
		if (takers[i].rc == OK) {
			assert_int_equal(owner, 0);
			owner = takers[i].doing.deed.officer_id;
		}
	}
	assert_int_equal(world_row(fixture, WORLD_ALERT, 5).case_owner, owner);
	for (size_t i = 0; i < OFFICERS; i++) {
		if (takers[i].rc != OK) {
			assert_int_equal(takers[i].rc, CONFLICT);
			assert_int_equal(takers[i].doing.holder.officer_id, owner);
		}
		arena_release(&takers[i].arena);
	}
}

/* --- calls ------------------------------------------------------------------------------------------------------ */

struct calling {
	struct board_alert alert;
	int64_t officer_id, now, person_id;
	struct call_report report;
	struct board_holder holder;
};

static enum rc next(struct db_tx *tx, void *context, struct err *err)
{
	struct calling *calling = context;
	return call_next(tx, &calling->alert, calling->officer_id, calling->now, &calling->person_id, err);
}

static enum rc finish(struct db_tx *tx, void *context, struct err *err)
{
	struct calling *calling = context;
	calling->report.alert = calling->alert;
	calling->report.person_id = calling->person_id;
	calling->report.officer_id = calling->officer_id;
	return call_finish(tx, &calling->report, calling->now, &calling->holder, err);
}

static enum rc give_back(struct db_tx *tx, void *context, struct err *err)
{
	struct calling *calling = context;
	return call_free(tx, &calling->alert, calling->person_id, calling->officer_id, calling->now, err);
}

static struct fixture *filled(void **state, struct house *house)
{
	struct fixture *fixture = *state;
	world_make(fixture);
	*house = (struct house){ .db = fixture->db };
	board_fill(house);
	return fixture;
}

static void test_a_person_is_called_by_one(void **state)
{
	struct house house;
	struct fixture *fixture = filled(state, &house);
	struct calling ana = { .alert = world_alert(fixture, WORLD_ALERT), .officer_id = WORLD_ANA, .now = WORLD_NOW };
	struct calling ben = ana;
	ben.officer_id = WORLD_BEN;
	assert_rc(fixture, OK, world_write(fixture, next, &ana));
	assert_rc(fixture, OK, world_write(fixture, next, &ben));
	assert_int_not_equal(ana.person_id, ben.person_id);
	const int64_t first = ana.person_id;
	assert_rc(fixture, OK, world_write(fixture, next, &ana)); /* what one has one keeps */
	assert_int_equal(ana.person_id, first);
	/* Ben cannot report of Ana's call. */
	struct calling strange = ben;
	strange.person_id = first;
	strange.report = (struct call_report){ .outcome = CALL_SAFE, .form_key = STR_NONE, .note = S("") };
	assert_rc(fixture, CONFLICT, world_write(fixture, finish, &strange));
	assert_int_equal(strange.holder.officer_id, WORLD_ANA);
	ana.report = (struct call_report){ .outcome = CALL_HELP, .form_key = S("call-1"), .note = S("leg broken") };
	assert_rc(fixture, OK, world_write(fixture, finish, &ana));
	assert_rc(fixture, OK, world_write(fixture, finish, &ana));
	struct recipient row = world_row(fixture, WORLD_ALERT, first);
	assert_int_equal(row.class, COUNTER_HELP);
	assert_int_equal(row.case_state, CASE_OPEN);
	assert_int_equal(row.calls, 1);
	assert_int_equal(row.call_state, CALL_REACHED);
	world_assert_sums(fixture, WORLD_ALERT);
	/* Undone: they wait to be called again, and nothing is said of them. */
	assert_rc(fixture, OK, undo(fixture, WORLD_ANA, first, newest_action(fixture, first)));
	row = world_row(fixture, WORLD_ALERT, first);
	assert_int_equal(row.class, COUNTER_SILENT);
	assert_int_equal(row.call_state, CALL_WAITING);
	assert_int_equal(row.calls, 0);
	world_assert_sums(fixture, WORLD_ALERT);
}

static void test_locks_run_out(void **state)
{
	struct house house;
	struct fixture *fixture = filled(state, &house);
	struct calling ana = { .alert = world_alert(fixture, WORLD_OTHER), .officer_id = WORLD_ANA, .now = WORLD_NOW };
	struct calling ben = ana;
	ben.officer_id = WORLD_BEN;
	assert_rc(fixture, OK, world_write(fixture, next, &ana)); /* of one person */
	assert_rc(fixture, NOT_FOUND, world_write(fixture, next, &ben));
	ben.now = WORLD_NOW + CALL_LOCK - 1;
	assert_rc(fixture, NOT_FOUND, world_write(fixture, next, &ben));
	ben.now = WORLD_NOW + CALL_LOCK;
	assert_rc(fixture, OK, world_write(fixture, next, &ben));
	ana.report = (struct call_report){ .outcome = CALL_NO_REPLY, .form_key = STR_NONE, .note = S("") };
	ana.now = ben.now;
	assert_rc(fixture, CONFLICT, world_write(fixture, finish, &ana)); /* too late: Ben has them */
	assert_int_equal(ana.holder.officer_id, WORLD_BEN);
	ben.report = (struct call_report){ .outcome = CALL_LATER, .form_key = STR_NONE, .note = S(""), .again_at = ben.now + CLOCK_HOUR };
	assert_rc(fixture, OK, world_write(fixture, finish, &ben));
	ana.now += CLOCK_HOUR - 1;
	assert_rc(fixture, NOT_FOUND, world_write(fixture, next, &ana));
	ana.now += 1;
	assert_rc(fixture, OK, world_write(fixture, next, &ana));
	assert_rc(fixture, OK, world_write(fixture, give_back, &ana));
	assert_rc(fixture, OK, world_write(fixture, next, &ben));
	ben.now = ana.now;
	assert_rc(fixture, OK, world_write(fixture, next, &ben));
	ben.report = (struct call_report){ .outcome = CALL_WRONG_NUMBER, .form_key = STR_NONE, .note = S("") };
	assert_rc(fixture, OK, world_write(fixture, finish, &ben));
	ana.now += 100 * CLOCK_DAY;
	assert_rc(fixture, NOT_FOUND, world_write(fixture, next, &ana));
}

static void test_who_answered_or_was_released_is_not_called(void **state)
{
	struct house house;
	struct fixture *fixture = filled(state, &house);
	struct calling ana = { .alert = world_alert(fixture, WORLD_ALERT), .officer_id = WORLD_ANA, .now = WORLD_NOW };
	for (int64_t person = 1; person <= WORLD_PEOPLE; person++)
		assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, person, RESPONSE_SAFE));
	assert_rc(fixture, NOT_FOUND, world_write(fixture, next, &ana));
}

/* --- rows for everyone, checks ------------------------------------------------------------------------------------ */

static enum rc count_rows(struct db_tx *tx, void *context, struct err *err)
{
	struct get_rows_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = get_rows(tx, &arena, &(struct get_rows_args){ .alert_id = WORLD_ALERT }, &row, err);
	*(int64_t *)context = row.people;
	arena_release(&arena);
	return rc;
}

static void count_line(void *context, struct str line)
{
	(void)line;
	++*(int64_t *)context;
}

static enum rc wreck(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	return wreck_counter(tx, &(struct wreck_counter_args){ .alert_id = WORLD_ALERT, .class = COUNTER_COMPANIONS_SAFE }, NULL, err);
}

static enum rc wreck_class(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	return set_class(tx, &(struct set_class_args){ .class = COUNTER_SAFE, .alert_id = WORLD_ALERT, .person_id = 2 }, NULL, err);
}

static int64_t wrong_sums(struct fixture *fixture)
{
	struct house house = { .db = fixture->db };
	int64_t lines = 0, wrong = -1;
	assert_rc(fixture, OK, board_check(&house, count_line, &lines, &wrong, fixture_err(fixture)));
	assert_int_equal(lines, wrong);
	return wrong;
}

static void test_everyone_gets_a_row_and_the_check_counts_them(void **state)
{
	struct fixture *fixture = *state;
	struct house house = { .db = fixture->db };
	int64_t rows = 0;
	world_make(fixture);
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 1, RESPONSE_HELP));
	assert_int_equal(wrong_sums(fixture), 0); /* before the rows are there, too */
	board_fill(&house);
	board_fill(&house);
	assert_rc(fixture, OK, db_read(fixture->db, count_rows, &rows, fixture_err(fixture)));
	assert_int_equal(rows, WORLD_PEOPLE);
	assert_int_equal(world_row(fixture, WORLD_ALERT, 1).class, COUNTER_HELP); /* an answer is not overwritten */
	assert_int_equal(wrong_sums(fixture), 0);
	world_assert_sums(fixture, WORLD_ALERT);
	assert_rc(fixture, OK, world_write(fixture, wreck, NULL));
	assert_int_equal(wrong_sums(fixture), 1);
	assert_rc(fixture, OK, world_write(fixture, wreck_class, NULL));
	assert_int_equal(wrong_sums(fixture), 2);
}

/* --- asking again --------------------------------------------------------------------------------------------------- */

struct asking {
	struct fixture *fixture;
	struct board_alert alert;
	struct ask_plan plan;
	bool repeat;
	int64_t people;
	const char *key;
};

static enum rc plan(struct db_tx *tx, void *context, struct err *err)
{
	struct asking *asking = context;
	return ask_plan_make(tx, &asking->fixture->arena, &asking->alert, asking->repeat, WORLD_NOW, &asking->plan, err);
}

static enum rc ask(struct db_tx *tx, void *context, struct err *err)
{
	struct asking *asking = context;
	return ask_again(tx, &asking->fixture->arena, &asking->alert, &asking->plan, WORLD_ANA, str_from(asking->key), WORLD_NOW, &asking->people, err);
}

/* Stands in for the engine: the messages by SMS have left. */
static enum rc open_messages(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	enum rc rc = OK;
	for (int64_t person = 1; rc == OK && person < WORLD_PEOPLE; person++)
		rc = put_message(tx,
		                 &(struct put_message_args){ .id = 1000 + person, .notice_id = 1, .event_id = WORLD_ALERT, .person_id = person,
		                                             .channel = CHANNEL_SMS, .state = MESSAGE_ACCEPTED },
		                 NULL, err);
	return rc;
}

static enum rc count_notices(struct db_tx *tx, void *context, struct err *err)
{
	struct get_notices_row *row = context;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = get_notices(tx, &arena, &(struct get_notices_args){ .event_id = WORLD_ALERT }, row, err);
	arena_release(&arena);
	return rc;
}

static void test_asking_again_by_the_next_channel(void **state)
{
	struct house house;
	struct fixture *fixture = filled(state, &house);
	struct asking asking = { .fixture = fixture, .alert = world_alert(fixture, WORLD_ALERT), .key = "ask-1" };
	struct get_notices_row notices;
	assert_rc(fixture, OK, world_write(fixture, open_messages, NULL));
	assert_rc(fixture, OK, world_answer(fixture, WORLD_ALERT, 2, RESPONSE_SAFE));
	assert_rc(fixture, OK, db_read(fixture->db, plan, &asking, fixture_err(fixture)));
	/* 2 answered; 4 has a mailbox; 1, 3 and 5 have nothing else; the message of 6 has not left yet. */
	assert_int_equal(asking.plan.count, 1);
	assert_int_equal(asking.plan.people[0].person_id, 4);
	assert_int_equal(asking.plan.people[0].channels, CHANNEL_BIT(CHANNEL_MAIL));
	assert_int_equal(asking.plan.people[0].text_group, GROUP_REMINDER);
	assert_int_equal(asking.plan.other[CHANNEL_MAIL], 1);
	assert_int_equal(asking.plan.could_repeat, 3);
	assert_int_equal(asking.plan.not_told, 1);
	assert_int_equal(asking.plan.no_channel, 0);
	assert_rc(fixture, OK, world_write(fixture, ask, &asking));
	assert_int_equal(asking.people, 1);
	asking.people = 0;
	assert_rc(fixture, OK, world_write(fixture, ask, &asking)); /* the same form */
	assert_int_equal(asking.people, 1);
	assert_rc(fixture, OK, db_read(fixture->db, count_notices, &notices, fixture_err(fixture)));
	assert_int_equal(notices.notices, 2);
	assert_int_equal(notices.superseded, 0); /* the alert's own messages go on */
	/* 4 has been asked by mail now: nothing is left but the same again. */
	assert_rc(fixture, OK, db_read(fixture->db, plan, &asking, fixture_err(fixture)));
	assert_int_equal(asking.plan.count, 0);
	asking.key = "ask-2";
	assert_rc(fixture, CONFLICT, world_write(fixture, ask, &asking));
	asking.repeat = true;
	assert_rc(fixture, OK, db_read(fixture->db, plan, &asking, fixture_err(fixture)));
	assert_int_equal(asking.plan.count, 4);
	assert_int_equal(asking.plan.repeat[CHANNEL_SMS], 4);
	assert_rc(fixture, OK, world_write(fixture, ask, &asking));
	assert_int_equal(world_ledger(fixture, "alert.ask_again"), 2);
	world_assert_sums(fixture, WORLD_ALERT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_a_case_has_one_owner),
		BOTH(test_undo_brings_back_what_was),
		BOTH(test_marks_for_others),
		BOTH(test_a_deed_is_done_once),
		BOTH(test_reading_addresses_is_logged),
		BOTH(test_of_many_who_take_one_gets_it),
		BOTH(test_a_person_is_called_by_one),
		BOTH(test_locks_run_out),
		BOTH(test_who_answered_or_was_released_is_not_called),
		BOTH(test_everyone_gets_a_row_and_the_check_counts_them),
		BOTH(test_asking_again_by_the_next_channel),
	};
	return fixture_main(tests);
}
