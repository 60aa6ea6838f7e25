/* The pages of answers and of the board over real HTTP, on both stores. */
#include "tests/board/board_fixture.h"
#include "tests/traveller/traveller_fixture.h"

#include "desks/travel/board.h"

#include "board_sql.h"

/* --- who is asking -------------------------------------------------------------------------------------------- */

static struct officer officer; /* id 0: nobody */

static const struct officer *identify(struct request *request)
{
	(void)request;
	return officer.id > 0 ? &officer : NULL;
}

static bool allows(const struct officer *who, enum permission permission)
{
	return permission == PERMIT_ANYONE || (who && permission <= who->permission);
}

static void be(int64_t id, enum permission permission)
{
	officer = (struct officer){ .id = id, .name = id == WORLD_ANA ? S("Ana Officer") : S("Ben Officer"), .permission = permission,
		                    .language = S("en"), .zone = S("UTC") };
}

static struct traveller *begin(void **state)
{
	struct traveller *traveller = *state;
	world_make(traveller->fixture);
	house_set_identify(traveller->house, identify, allows);
	board_fill(traveller->house);
	officer = (struct officer){ .id = 0 };
	return traveller;
}

/* --- the answer's link ------------------------------------------------------------------------------------------ */

static struct str link_of(struct traveller *traveller, int64_t person_id, int64_t number)
{
	const struct person person = { .id = person_id, .salt = 100 + person_id };
	const struct alert alert = { .number = number };
	return alert_answer_path(traveller->house, &traveller->fixture->arena, &alert, &person);
}

static void test_a_link_asks_and_records(void **state)
{
	struct traveller *traveller = begin(state);
	const struct str link = link_of(traveller, 1, 47);
	struct reply page = visit(traveller, link);
	assert_int_equal(page.status, 200);
	assert_holds(page, "Storm near Tunis &lt;now&gt;");
	assert_holds(page, "value=\"safe\"");
	assert_holds(page, "value=\"help\"");
	assert_holds(page, "Lina");
	assert_lacks(page, "Otto"); /* of a trip long over */
	assert_lacks(page, "Exercise");
	assert_holds((struct reply){ .body = page.head }, "Referrer-Policy: no-referrer");
	/* Opening it, however often, says nothing. */
	visit(traveller, link);
	assert_int_equal(world_sums(traveller->fixture, WORLD_ALERT).of[COUNTER_SILENT], WORLD_PEOPLE);

	page = submit(traveller, link, "status", "help", "note", "no <water>", "place", "Hotel\nCarthage", "companion.0.id", "1",
	              "companion.0.status", "1", "companion.1.id", "2", "companion.1.status", "2", "others_safe", "1", "others_help", "1", NULL);
	assert_int_equal(page.status, 303);
	page = follow(traveller, page);
	assert_holds(page, "you need help");
	assert_holds(page, "no &lt;water&gt;");
	assert_holds(page, "Hotel Carthage");
	struct alert_counters sums = world_sums(traveller->fixture, WORLD_ALERT);
	assert_int_equal(sums.of[COUNTER_HELP], 1);
	assert_int_equal(sums.of[COUNTER_COMPANIONS_SAFE], 2);
	assert_int_equal(sums.of[COUNTER_COMPANIONS_HELP], 2);
	/* Changed. */
	page = submit(traveller, link, "status", "safe", "note", "", "place", "", NULL);
	page = follow(traveller, page);
	assert_holds(page, "you are safe");
	sums = world_sums(traveller->fixture, WORLD_ALERT);
	assert_int_equal(sums.of[COUNTER_SAFE], 1);
	assert_int_equal(sums.of[COUNTER_COMPANIONS_HELP], 2); /* not asked for this time */
	world_assert_sums(traveller->fixture, WORLD_ALERT);
}

static void test_what_is_wrong_comes_back_filled(void **state)
{
	struct traveller *traveller = begin(state);
	const struct str link = link_of(traveller, 1, 47);
	char *note = arena_alloc(&traveller->fixture->arena, RESPONSE_NOTE_MAX + 2);
	memset(note, 'n', RESPONSE_NOTE_MAX + 1);
	visit(traveller, link);
	struct reply page = submit(traveller, link, "status", "help", "note", note, "place", "Hotel Carthage", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "Hotel Carthage");
	assert_holds(page, "1000 characters");
	visit(traveller, link);
	page = submit(traveller, link, "note", "without a button", "place", "", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "without a button");
	visit(traveller, link);
	page = submit(traveller, link, "status", "safe", "note", "", "place", "", "others_safe", "2", "others_help", "1", NULL);
	assert_int_equal(page.status, 422);
	assert_int_equal(world_sums(traveller->fixture, WORLD_ALERT).of[COUNTER_SILENT], WORLD_PEOPLE);
}

/* Some browsers within mail programs refuse cookies. */
static void test_an_answer_needs_no_cookie(void **state)
{
	struct traveller *traveller = begin(state);
	const struct str link = link_of(traveller, 1, 47);
	visit(traveller, link);
	traveller->cookies[0] = 0;
	assert_int_equal(submit(traveller, link, "status", "help", "note", "", "place", "", NULL).status, 303);
	/* Pressed twice: once. */
	traveller->cookies[0] = 0;
	assert_int_equal(submit(traveller, link, "status", "help", "note", "", "place", "", NULL).status, 303);
	assert_int_equal(world_sums(traveller->fixture, WORLD_ALERT).of[COUNTER_HELP], 1);
	traveller->token[0] = 0;
	assert_int_equal(submit(traveller, link, "status", "safe", "note", "", "place", "", NULL).status, 303);
	assert_int_equal(world_sums(traveller->fixture, WORLD_ALERT).of[COUNTER_SAFE], 1);
}

static enum rc end_alert(struct db_tx *tx, void *context, struct err *err)
{
	return set_alert_state(tx, &(struct set_alert_state_args){ .state = 3, .ended_at = *(int64_t *)context, .id = WORLD_ALERT }, NULL, err);
}

static void test_links_that_do_not_work_say_so(void **state)
{
	struct traveller *traveller = begin(state);
	struct fixture *fixture = traveller->fixture;
	const struct str link = link_of(traveller, 1, 47);
	char *bent = str_c(&fixture->arena, link);
	bent[link.len - 3] = bent[link.len - 3] == '0' ? '1' : '0';
	struct reply page = visit(traveller, str_from(bent));
	assert_int_equal(page.status, 404);
	assert_holds(page, "/my");
	assert_int_equal(visit(traveller, S("/a/x")).status, 404);
	assert_int_equal(visit(traveller, link_of(traveller, 1, 99)).status, 404);
	/* One who was never told of the exercise. */
	visit(traveller, link);
	assert_int_equal(submit(traveller, link_of(traveller, 1, 48), "status", "safe", NULL).status, 404);
	int64_t ended = WORLD_NOW - CLOCK_DAY;
	assert_rc(fixture, OK, world_write(fixture, end_alert, &ended));
	page = visit(traveller, link);
	assert_int_equal(page.status, 200);
	assert_holds(page, "This alert has ended");
	/* It is for answering alone: whoever was forwarded it gets no further without a code. */
	assert_lacks(page, "href=\"/my/");
	assert_holds(page, "href=\"/my\"");
	ended = WORLD_NOW - (RESPONSE_LINK_DAYS + 1) * CLOCK_DAY;
	assert_rc(fixture, OK, world_write(fixture, end_alert, &ended));
	page = visit(traveller, link);
	assert_int_equal(page.status, 410);
	assert_holds(page, "/my");
	assert_int_equal(submit(traveller, link, "status", "safe", NULL).status, 410);
	assert_int_equal(world_sums(fixture, WORLD_ALERT).of[COUNTER_SILENT], WORLD_PEOPLE);
}

static void test_the_page_speaks_the_persons_language(void **state)
{
	struct traveller *traveller = begin(state);
	struct reply page = visit(traveller, link_of(traveller, 3, 47));
	assert_holds(page, "<html lang=\"fa\" dir=\"rtl\"");
	assert_holds(page, "توفان");
	assert_holds(visit(traveller, link_of(traveller, 3, 48)), "class=\"exercise\"");
	page = visit(traveller, str_concat(&traveller->fixture->arena, link_of(traveller, 3, 47), S("?lang=en")));
	assert_holds(page, "I am safe");
}

/* --- the board ---------------------------------------------------------------------------------------------------- */

static void test_the_board_is_for_officers(void **state)
{
	struct traveller *traveller = begin(state);
	const char *const pages[] = { "/desk/alert/alert7/board", "/desk/alert/alert7/calls", "/desk/alert/alert7/ask", "/desk/alert/alert7/handover",
		                      "/desk/alert/alert7/board.csv", "/desk/alert/alert7/person/person1" };
	for (size_t i = 0; i < COUNT_OF(pages); i++)
		assert_int_not_equal(visit(traveller, str_from(pages[i])).status, 200);
	be(WORLD_ANA, PERMIT_READER);
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		struct reply page = visit(traveller, str_from(pages[i]));
		assert_int_equal(page.status, i == 4 ? 403 : 200);
		assert_lacks(page, "+2162000");
		assert_lacks(page, "name=\"do\"");
	}
	assert_int_equal(visit(traveller, S("/desk/alert/nothing/board")).status, 404);
	assert_int_equal(visit(traveller, S("/desk/alert/alert7/person/nobody")).status, 404);
}

static void test_lists_are_filtered_and_searched(void **state)
{
	struct traveller *traveller = begin(state);
	assert_rc(traveller->fixture, OK, world_answer(traveller->fixture, WORLD_ALERT, 2, RESPONSE_SAFE));
	assert_rc(traveller->fixture, OK, world_answer(traveller->fixture, WORLD_ALERT, 1, RESPONSE_HELP));
	be(WORLD_ANA, PERMIT_OFFICER);
	struct reply page = visit(traveller, S("/desk/alert/alert7/board"));
	assert_holds(page, "Amal Example");
	assert_lacks(page, "Björn");
	assert_holds(page, "<b>6</b>");
	page = visit(traveller, S("/desk/alert/alert7/board?view=all&q=bjorn"));
	assert_holds(page, "Björn Example");
	assert_lacks(page, "Amal");
	page = visit(traveller, S("/desk/alert/alert7/board?view=all&q=%D9%85%D8%B1%D9%8A%D9%85")); /* with the Arabic ye */
	assert_holds(page, "مریم");
	page = visit(traveller, S("/desk/alert/alert7/board?view=silent&language=fr"));
	assert_holds(page, "Émile");
	assert_lacks(page, "Chen");
	page = visit(traveller, S("/desk/alert/alert7/board?view=all&country=TN"));
	assert_holds(page, "Amal Example");
	assert_lacks(page, "Chen");
	page = visit(traveller, S("/desk/alert/alert7/board?view=silent&q=nobody%20of%20this%20name"));
	assert_holds(page, "Nobody here");
	page = visit(traveller, S("/desk/alert/alert8/board?view=all"));
	assert_holds(page, "class=\"exercise\"");
	assert_lacks(page, "Amal");
}

static void test_addresses_are_shown_when_asked_for(void **state)
{
	struct traveller *traveller = begin(state);
	be(WORLD_ANA, PERMIT_OFFICER);
	struct reply page = visit(traveller, S("/desk/alert/alert7/board?view=all"));
	assert_lacks(page, "+2162000");
	page = submit(traveller, S("/desk/alert/alert7/board/contacts"), "view", "all", "person", "person1", "person", "person2", NULL);
	assert_int_equal(page.status, 303);
	page = follow(traveller, page);
	assert_holds(page, "+21620000001");
	assert_holds(page, "+21620000002");
	assert_lacks(page, "+21620000003");
	assert_int_equal(world_ledger(traveller->fixture, "contact.read"), 1);
	be(WORLD_BEN, PERMIT_OFFICER);
	assert_lacks(visit(traveller, S("/desk/alert/alert7/board?view=all")), "+2162000");
	visit(traveller, S("/desk/alert/alert7/person/person4"));
	page = submit(traveller, S("/desk/alert/alert7/person/person4"), "do", "contact", NULL);
	page = follow(traveller, page);
	assert_holds(page, "+21620000004");
	assert_holds(page, "p4@example.org");
}

static void test_a_conflict_names_the_holder(void **state)
{
	struct traveller *traveller = begin(state);
	const struct str path = S("/desk/alert/alert7/person/person1");
	assert_rc(traveller->fixture, OK, world_answer(traveller->fixture, WORLD_ALERT, 1, RESPONSE_HELP));
	be(WORLD_ANA, PERMIT_OFFICER);
	visit(traveller, path);
	struct reply page = submit(traveller, path, "do", "take", NULL);
	assert_int_equal(page.status, 303);
	assert_holds(follow(traveller, page), "+21620000001"); /* whose case it is sees how to reach them */
	be(WORLD_BEN, PERMIT_OFFICER);
	visit(traveller, path);
	page = submit(traveller, path, "do", "take", "text", "I was writing this", NULL);
	assert_int_equal(page.status, 409);
	assert_holds(page, "Ana Officer");
	assert_holds(page, "I was writing this");
	assert_holds(page, "value=\"take_over\"");
	page = submit(traveller, path, "do", "take_over", "text", "night shift", NULL);
	page = follow(traveller, page);
	assert_holds(page, "night shift");
	page = submit(traveller, path, "do", "resolve", "safe", "1", "text", "", NULL);
	assert_int_equal(page.status, 303);
	assert_int_equal(world_row(traveller->fixture, WORLD_ALERT, 1).class, COUNTER_SAFE);
	page = follow(traveller, page);
	const struct str button = cut(traveller, page.body, "value=\"undo.", '"');
	page = submit(traveller, path, "do", str_c(&traveller->fixture->arena, str_concat(&traveller->fixture->arena, S("undo."), button)), NULL);
	assert_int_equal(page.status, 303);
	assert_int_equal(world_row(traveller->fixture, WORLD_ALERT, 1).class, COUNTER_HELP);
	assert_int_equal(world_row(traveller->fixture, WORLD_ALERT, 1).case_owner, WORLD_BEN);
	page = submit(traveller, path, "do", "dance", NULL);
	assert_int_equal(page.status, 422);
	visit(traveller, path);
	page = submit(traveller, path, "do", "note", "text", "", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "Write a note");
	world_assert_sums(traveller->fixture, WORLD_ALERT);
}

static void test_calls_go_one_by_one(void **state)
{
	struct traveller *traveller = begin(state);
	const struct str path = S("/desk/alert/alert7/calls");
	be(WORLD_ANA, PERMIT_OFFICER);
	assert_lacks(visit(traveller, path), "+2162000");
	struct reply page = follow(traveller, submit(traveller, path, NULL));
	assert_holds(page, "+21620000001");
	be(WORLD_BEN, PERMIT_OFFICER);
	page = visit(traveller, path);
	assert_holds(page, "Ana Officer");
	page = follow(traveller, submit(traveller, path, NULL));
	assert_holds(page, "+21620000002");
	page = submit(traveller, S("/desk/alert/alert7/calls/person1"), "do", "safe", "note", "", NULL);
	assert_int_equal(page.status, 409);
	page = submit(traveller, S("/desk/alert/alert7/calls/person2"), "do", "later", "minutes", "7", "note", "", NULL);
	assert_int_equal(page.status, 422); /* not offered */
	page = submit(traveller, S("/desk/alert/alert7/calls/person2"), "do", "safe", "note", "in the hotel", NULL);
	page = follow(traveller, page);
	assert_lacks(page, "+21620000002");
	assert_int_equal(world_row(traveller->fixture, WORLD_ALERT, 2).class, COUNTER_SAFE);
	page = visit(traveller, S("/desk/alert/alert7/calls?print=1"));
	assert_lacks(page, "Amal Example"); /* on the telephone */
	assert_lacks(page, "Björn");        /* answered */
	assert_holds(page, "Chen Example");
	assert_lacks(page, "+2162000");
	page = submit(traveller, S("/desk/alert/alert7/board/contacts"), "back", "calls", "page", "1", "person", "person4", NULL);
	page = follow(traveller, page);
	assert_holds(page, "+21620000004");
	world_assert_sums(traveller->fixture, WORLD_ALERT);
}

static void test_the_table_is_safe_to_open(void **state)
{
	struct traveller *traveller = begin(state);
	be(WORLD_ANA, PERMIT_OFFICER);
	visit(traveller, link_of(traveller, 2, 47));
	submit(traveller, link_of(traveller, 2, 47), "status", "help", "note", "=HYPERLINK(\"http://x\")", "place", "+1 \"quoted\", place", NULL);
	struct reply page = visit(traveller, S("/desk/alert/alert7/board.csv"));
	assert_int_equal(page.status, 200);
	assert_true(str_starts(page.body, S("\xef\xbb\xbfId,Name,")));
	assert_holds(page, "\r\n#affected+id,#affected+name,");
	assert_holds(page, "\"'=HYPERLINK(\"\"http://x\"\")\"");
	assert_holds(page, "\"'+1 \"\"quoted\"\", place\"");
	assert_holds(page, "person6,Émile Example,fr,");
	assert_holds(page, ",needs_help,");
	assert_lacks(page, "+2162000");
	assert_holds((struct reply){ .body = page.head }, "text/csv");
}

static void test_every_page_in_every_language(void **state)
{
	struct traveller *traveller = begin(state);
	struct arena *arena = &traveller->fixture->arena;
	const char *const pages[] = { "/desk/alert/alert7/board?view=all&lang=", "/desk/alert/alert7/calls?lang=", "/desk/alert/alert7/calls?print=1&lang=",
		                      "/desk/alert/alert7/ask?lang=", "/desk/alert/alert7/handover?lang=", "/desk/alert/alert7/person/person1?lang=" };
	be(WORLD_ANA, PERMIT_OFFICER);
	assert_rc(traveller->fixture, OK, world_answer(traveller->fixture, WORLD_ALERT, 1, RESPONSE_HELP));
	visit(traveller, S("/desk/alert/alert7/person/person1"));
	submit(traveller, S("/desk/alert/alert7/person/person1"), "do", "take", "text", "mine", NULL);
	for (size_t i = 0; i < COUNT_OF(pages); i++)
		for (size_t language = 0; language < LANGUAGE_COUNT; language++) {
			struct reply page = visit(traveller, str_format(arena, "%s%s", pages[i], languages[language].tag));
			assert_int_equal(page.status, 200);
			assert_holds(page, str_c(arena, str_format(arena, "<html lang=\"%s\"", languages[language].tag)));
		}
	assert_holds(visit(traveller, S("/desk/alert/alert7/handover")), "mine");
}

int traveller_setup(void **state);
int traveller_teardown(void **state);

#define BOTH_PAGES(test)                                                                    \
	{ #test " (sqlite)", test, traveller_setup, traveller_teardown, &fixture_kinds[0] }, \
	{ #test " (postgresql)", test, traveller_setup, traveller_teardown, &fixture_kinds[1] }

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_PAGES(test_a_link_asks_and_records),
		BOTH_PAGES(test_what_is_wrong_comes_back_filled),
		BOTH_PAGES(test_an_answer_needs_no_cookie),
		BOTH_PAGES(test_links_that_do_not_work_say_so),
		BOTH_PAGES(test_the_page_speaks_the_persons_language),
		BOTH_PAGES(test_the_board_is_for_officers),
		BOTH_PAGES(test_lists_are_filtered_and_searched),
		BOTH_PAGES(test_addresses_are_shown_when_asked_for),
		BOTH_PAGES(test_a_conflict_names_the_holder),
		BOTH_PAGES(test_calls_go_one_by_one),
		BOTH_PAGES(test_the_table_is_safe_to_open),
		BOTH_PAGES(test_every_page_in_every_language),
	};
	return fixture_main(tests);
}
