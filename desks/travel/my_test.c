/* The person's own page: getting in, changing everything, taking it along, deleting it. */
#include "tests/traveller/traveller_fixture.h"

#include "desks/travel/my.h"
#include "desks/travel/trip.h"

static struct str below(struct traveller *t, struct str path, const char *what)
{
	return str_format(&t->fixture->arena, "%.*s/%s", STR_ARG(path), what);
}

/* --- getting in ------------------------------------------------------------------------------------------------- */

static void opens_by_code(void **state)
{
	struct traveller *t = *state;

	enrolled(t, "Amal", "amal@example.org", NULL);
	visit(t, S("/my"));
	struct reply sent = submit(t, S("/my"), "address", " Amal@example.org ", NULL);
	struct reply page = follow(t, sent);
	assert_holds(page, "If this address is enrolled and confirmed");
	/* A telephone's keyboard begins with a large letter; it is the same mailbox. */
	code_of(t, "amal@example.org");
	assert_int_equal(submit(t, sent.location, "code", "000000", NULL).status, 422);
	assert_int_equal(messages_queued(t), 2);

	visit(t, S("/my"));
	sent = submit(t, S("/my"), "address", "amal@EXAMPLE.org", NULL);
	visit(t, sent.location);
	struct str code = code_of(t, "amal@example.org");
	struct reply opened = submit(t, sent.location, "code", code.ptr, NULL);
	page = follow(t, opened);
	assert_holds(page, "<dd><bdi>Amal</bdi></dd>");
	/* The button pressed twice gives the same page; the code alone is used up. */
	struct reply again = submit(t, sent.location, "code", code.ptr, NULL);
	assert_int_equal(again.status, 303);
	assert_true(str_equal(again.location, opened.location));
}

static void an_unknown_address_gets_the_same_answers(void **state)
{
	struct traveller *t = *state;
	int64_t before = messages_queued(t);

	visit(t, S("/my"));
	struct reply sent = submit(t, S("/my"), "address", "nobody@example.org", NULL);
	struct reply page = follow(t, sent);
	assert_int_equal(page.status, 200);
	assert_holds(page, "If this address is enrolled and confirmed");
	page = submit(t, sent.location, "code", "123456", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "This is not the code");
	assert_int_equal(messages_queued(t), before);
}

static void two_on_one_telephone_choose(void **state)
{
	struct traveller *t = *state;

	enrolled(t, "Amal", NULL, "+33639980002");
	enrolled(t, "Ines", NULL, "+33639980002");
	visit(t, S("/my"));
	struct reply sent = submit(t, S("/my"), "address", "0033 6 39 98 00 02", NULL);
	visit(t, sent.location);
	struct reply page = follow(t, submit(t, sent.location, "code", code_of(t, "+33639980002").ptr, NULL));
	assert_holds(page, "Amal");
	assert_holds(page, "Ines");
	page = visit(t, cut(t, page.body, "<li><a href=\"/my/", '"').len ? str_concat(&t->fixture->arena, S("/my/"),
	                                                                             cut(t, page.body, "<li><a href=\"/my/", '"'))
	                                                                 : S(""));
	assert_int_equal(page.status, 200);
	assert_holds(page, "Amal");
}

static void wrong_codes_slow_down_and_lock_nobody_out(void **state)
{
	struct traveller *t = *state;
	int waits = 0, wrong = 0;

	enrolled(t, "Amal", "amal@example.org", NULL);
	visit(t, S("/my"));
	struct reply attacker = submit(t, S("/my"), "address", "amal@example.org", NULL);
	visit(t, attacker.location);
	struct str code = code_of(t, "amal@example.org");
	const char *guess = str_equal(code, S("000001")) ? "000002" : "000001";
	for (int i = 0; i < 50; i++) {
		struct reply page = submit(t, attacker.location, "code", guess, NULL);
		assert_int_equal(page.status, 422);
		waits += holds(page.body, "Too many wrong codes");
		wrong += holds(page.body, "This is not the code");
	}
	assert_int_equal(wrong, CODE_WRONG_FREE + 1);
	assert_int_equal(waits, 50 - wrong);
	/* Someone who asks for a code of their own is not slowed by that. */
	visit(t, S("/my"));
	struct reply sent = submit(t, S("/my"), "address", "amal@example.org", NULL);
	assert_int_equal(submit(t, sent.location, "code", code_of(t, "amal@example.org").ptr, NULL).status, 303);
	/* And the one who was too fast gets in after the wait. */
	clock_set_offset(2 * CLOCK_SECOND);
	assert_int_equal(submit(t, attacker.location, "code", code.ptr, NULL).status, 303);
	clock_set_offset(0);
}

static void codes_have_a_budget(void **state)
{
	struct traveller *t = *state;
	int sent = 0, refused = 0;

	enrolled(t, "Amal", "amal@example.org", NULL);
	for (int i = 0; i < 10; i++) {
		visit(t, S("/my"));
		struct reply reply = submit(t, S("/my"), "address", "amal@example.org", NULL);
		sent += reply.status == 303;
		refused += reply.status == 429;
	}
	assert_int_equal(sent, 4); /* the one of enrolment was the first of five */
	assert_int_equal(refused, 6);
}

/* Labels after a plus are one mailbox, however it is written: whoever would flood it gets five. */
static void one_mailbox_has_one_budget(void **state)
{
	static const char *const spellings[] = { "amal@example.org", "AMAL@example.org", "amal+1@example.org", "Amal+2@example.org", "amal+3@example.org",
		                                 "amal+4@example.org" };
	struct traveller *t = *state;

	for (size_t i = 0; i < COUNT_OF(spellings); i++) {
		visit(t, S("/my"));
		assert_int_equal(submit(t, S("/my"), "address", spellings[i], NULL).status, i < 5 ? 303 : 429);
	}
}

struct confirm_ask {
	int64_t contact_id;
};

static enum rc confirm_one(struct db_tx *tx, void *context, struct err *err)
{
	const struct confirm_ask *ask = context;
	return contact_set_confirmed(tx, ask->contact_id, CONTACT_BY_CODE, clock_now(), err);
}

static enum rc find_owners(struct db_tx *tx, void *context, struct err *err)
{
	struct traveller *t = context;
	int64_t *ids;
	size_t count;

	enum rc rc = person_list_by_address(tx, &t->fixture->arena, CHANNEL_SMS, S("+33639980007"), 8, &ids, &count, err);
	assert_int_equal(count, 1);
	return rc;
}

static enum rc stop_all(struct db_tx *tx, void *context, struct err *err)
{
	return contact_opt_out(tx, CHANNEL_SMS, S("+33639980007"), true, clock_now(), context, err);
}

/* Enrolling someone's number before them takes neither their page nor their answers by SMS from them. */
static void others_enrolments_push_nobody_away(void **state)
{
	struct traveller *t = *state;
	struct confirm_ask ask;
	int64_t stopped = 0;

	for (int i = 0; i < 21; i++) {
		visit(t, S("/enrol"));
		assert_int_equal(submit(t, S("/enrol"), "name", "Mallory", "mobile", "+33639980007", "mobile_sure", "yes", "leg.0.place", "Tunis",
		                        "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), NULL).status, 303);
	}
	ask.contact_id = person_of(t, "+33639980007").contact_id;
	assert_rc(t->fixture, OK, db_write(t->fixture->db, DB_LANE_PERSON, confirm_one, &ask, fixture_err(t->fixture)));
	assert_rc(t->fixture, OK, db_read(t->fixture->db, find_owners, t, fixture_err(t->fixture)));
	assert_rc(t->fixture, OK, db_write(t->fixture->db, DB_LANE_PERSON, stop_all, &stopped, fixture_err(t->fixture)));
	assert_int_equal(stopped, 21);
}

static void codes_end_after_ten_minutes(void **state)
{
	struct traveller *t = *state;

	enrolled(t, "Amal", "amal@example.org", NULL);
	visit(t, S("/my"));
	struct reply sent = submit(t, S("/my"), "address", "amal@example.org", NULL);
	clock_set_offset(CODE_LIFE + CLOCK_SECOND);
	struct reply page = submit(t, sent.location, "code", code_of(t, "amal@example.org").ptr, NULL);
	clock_set_offset(0);
	assert_int_equal(page.status, 422);
	assert_holds(page, "no longer works");
}

static void links_end(void **state)
{
	struct traveller *t = *state;
	struct arena *arena = &t->fixture->arena;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	assert_int_equal(visit(t, path).status, 200);
	/* One character bent. */
	char *bent = str_c(arena, path);
	bent[path.len - 1] = bent[path.len - 1] == 'x' ? 'y' : 'x';
	struct reply page = visit(t, str_from(bent));
	assert_int_equal(page.status, 404);
	assert_holds(page, "This link no longer works");
	assert_holds(page, "href=\"/my\"");
	assert_int_equal(visit(t, S("/my/x")).status, 404);
	assert_int_equal(visit(t, S("/my/00000000000000000000000000000000000000000000000000000000")).status, 404);
	assert_int_equal(visit(t, S("/my/%00")).status, 400);
	/* After its time. */
	clock_set_offset(5 * CLOCK_HOUR);
	assert_int_equal(visit(t, path).status, 404);
	clock_set_offset(0);
	/* Ended by the person; the new one works. */
	visit(t, path);
	struct reply ended = submit(t, below(t, path, "links"), NULL);
	page = follow(t, ended);
	assert_int_equal(page.status, 200);
	assert_holds(page, "All earlier links have ended");
	assert_int_equal(visit(t, path).status, 404);
}

/* --- changing --------------------------------------------------------------------------------------------------- */

static void changes_name_and_language(void **state)
{
	struct traveller *t = *state;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	struct reply page = submit(t, below(t, path, "me"), "name", " أمل بن صالح 🧳 ", "language", "ar", NULL);
	page = follow(t, page);
	assert_holds(page, "أمل بن صالح 🧳");
	assert_string_equal(person_of(t, "amal@example.org").language.ptr, "ar");
	page = submit(t, below(t, path, "me"), "name", "", "language", "xx", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "Enter a name");
	assert_string_equal(person_of(t, "amal@example.org").language.ptr, "ar");
}

static void addresses_come_go_and_change_order(void **state)
{
	struct traveller *t = *state;
	struct arena *arena = &t->fixture->arena;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	struct reply page = follow(t, submit(t, below(t, path, "contacts/new"), "mobile", "+33639980003", "mobile_sure", "yes", NULL));
	assert_holds(page, "+33 6 39 98 00 03");
	struct get_person_of_row sms = person_of(t, "+33639980003");
	assert_true(sms.confirmed_at == DB_NULL);
	assert_int_equal(sms.rank, 2);
	struct str act = below(t, path, str_format(arena, "contacts/%lld", (long long)sms.contact_id).ptr);

	visit(t, path);
	assert_int_equal(submit(t, act, "do", "up", NULL).status, 303);
	assert_int_equal(person_of(t, "+33639980003").rank, 1);
	assert_int_equal(person_of(t, "amal@example.org").rank, 2);
	assert_int_equal(submit(t, act, "do", "leave", NULL).status, 303);
	assert_int_equal(person_of(t, "+33639980003").wanted, 0);
	assert_int_equal(submit(t, act, "do", "use", NULL).status, 303);
	assert_int_equal(person_of(t, "+33639980003").wanted, 1);
	assert_int_equal(submit(t, act, "do", "whatever", NULL).status, 404);
	assert_int_equal(submit(t, act, "do", "remove", NULL).status, 303);
	assert_int_equal(submit(t, act, "do", "remove", NULL).status, 303);
	page = visit(t, path);
	assert_lacks(page, "+33 6 39 98 00 03");
	/* Somebody else's contact is not reached by its number. */
	struct str other = enrolled(t, "Ines", "ines@example.org", NULL);
	act = below(t, other, str_format(arena, "contacts/%lld", (long long)person_of(t, "amal@example.org").contact_id).ptr);
	submit(t, act, "do", "remove", NULL);
	assert_true(person_of(t, "amal@example.org").contact_id > 0);
}

static void more_than_six_addresses_are_refused(void **state)
{
	struct traveller *t = *state;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	for (int i = 2; i <= PERSON_CONTACTS_MAX + 1; i++) {
		visit(t, path);
		struct str email = str_format(&t->fixture->arena, "amal%d@example.org", i);
		struct reply reply = submit(t, below(t, path, "contacts/new"), "email", email.ptr, NULL);
		assert_int_equal(reply.status, i <= PERSON_CONTACTS_MAX ? 303 : 422);
		if (i > PERSON_CONTACTS_MAX)
			assert_holds(reply, "You already have 6 addresses");
	}
}

static void emergency_contact_needs_consent(void **state)
{
	struct traveller *t = *state;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	int64_t person = person_of(t, "amal@example.org").id;
	struct reply page = submit(t, below(t, path, "emergency"), "emergency_name", "Leila", "emergency_relation", "sister", "emergency_phone",
	                           "+33 1 99 00 00 01", "emergency_phone_sure", "yes", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "Ask this person first");
	assert_holds(page, "value=\"Leila\"");
	assert_int_equal(personal_rows(t, person).emergency, 0);
	page = follow(t, submit(t, below(t, path, "emergency"), "emergency_name", "Leila", "emergency_relation", "sister", "emergency_phone",
	                        "+33 1 99 00 00 01", "emergency_phone_sure", "yes", "emergency_consent", "yes", NULL));
	assert_holds(page, "Leila");
	assert_int_equal(personal_rows(t, person).emergency, 1);
	page = follow(t, submit(t, below(t, path, "emergency"), "do", "remove", NULL));
	assert_int_equal(personal_rows(t, person).emergency, 0);
}

static void watches_are_followed_and_ended(void **state)
{
	struct traveller *t = *state;
	size_t count;

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	int64_t person = person_of(t, "amal@example.org").id;
	struct str new = below(t, path, "watches/new");
	follow(t, submit(t, new, "watch_place", "Lebanon", NULL));
	follow(t, submit(t, new, "watch_place", "Lebanon", NULL));
	follow(t, submit(t, new, "watch_place", "33.9, 35.5", "watch_radius", "٣٠", "watch_name", "my daughter’s home", NULL));
	follow(t, submit(t, new, "watch_polygon", "33 35\n33 36\n34 36\n34 35", NULL));
	struct list_watches_row *watches = watches_of(t, person, &count);
	assert_int_equal(count, 3);
	assert_string_equal(watches[0].country.ptr, "LB");
	assert_true(holds(watches[1].area, "30000"));
	assert_string_equal(watches[1].name.ptr, "my daughter’s home");
	assert_true(holds(watches[2].area, "polygons"));

	struct reply page = submit(t, new, "watch_polygon", "35 133\n36 133\n36 134", NULL);
	assert_int_equal(page.status, 303);
	page = submit(t, new, "watch_polygon", "133 35\n133 36\n134 36", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "exchanged");
	page = submit(t, new, "watch_polygon", "0 0\n1 1\n0 1\n1 0", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "crosses itself");
	page = submit(t, new, "watch_polygon", "-90 -180\n90 -180\n90 180\n-90 180", NULL);
	assert_int_equal(page.status, 422);
	page = submit(t, new, "watch_polygon", "rubbish", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "rubbish");
	page = submit(t, new, "watch_place", "Beirut", "watch_radius", "0", NULL);
	assert_int_equal(page.status, 422);

	page = visit(t, path);
	struct str id = cut(t, str_slice(page.body, str_find(page.body, S("daughter"), 0), page.body.len), "/watches/", '"');
	struct str watch = below(t, path, str_format(&t->fixture->arena, "watches/%s", id.ptr).ptr);
	page = visit(t, watch);
	assert_holds(page, "value=\"33.90000, 35.50000\"");
	assert_holds(page, "value=\"30\"");
	follow(t, submit(t, below(t, watch, "end"), NULL));
	assert_int_equal(submit(t, below(t, watch, "end"), NULL).status, 303);
	watches = watches_of(t, person, &count);
	assert_true(watches[1].ended_at != DB_NULL);
}

/* --- the copy and the deletion ---------------------------------------------------------------------------------- */

static void the_copy_is_complete(void **state)
{
	struct traveller *t = *state;

	visit(t, S("/enrol"));
	struct reply page = follow(t, submit(t, S("/enrol"), "name", "Amal \"<b>\"", "language", "fa", "email", "amal@example.org", "leg.0.place", "Tunis",
	                                     "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), "companion_names", "Youssef", "note",
	                                     "insulin", "watch_place", "Lebanon", "emergency_name", "Leila", "emergency_email", "leila@example.org",
	                                     "emergency_consent", "yes", NULL));
	struct str path = cut(t, page.body, "class=\"button secondary\" href=\"", '"');
	page = visit(t, below(t, path, "export"));
	assert_int_equal(page.status, 200);
	assert_true(holds(page.head, "attachment"));
	static const char *const parts[] = { "Amal \\\"<b>\\\"", "amal@example.org", "Tunis", "Youssef", "insulin", "\"LB\"", "Leila",
		                             "leila@example.org", "\"language\": \"fa\"", "messages_to_you", "کد شماست" };
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		assert_holds(page, parts[i]);
}

static void deletion_leaves_no_row_that_says_who(void **state)
{
	struct traveller *t = *state;

	struct str path = enrolled(t, "Amal", "amal@example.org", "+33639980004");
	int64_t person = person_of(t, "amal@example.org").id;
	submit(t, below(t, path, "watches/new"), "watch_place", "Lebanon", NULL);
	struct reply page = visit(t, below(t, path, "delete"));
	assert_int_equal(page.status, 200);
	assert_holds(page, "your name and 2 addresses");
	assert_int_equal(personal_rows(t, person).names, 1);
	struct reply deleted = submit(t, below(t, path, "delete"), NULL);
	page = follow(t, deleted);
	assert_holds(page, "Everything was deleted");
	struct count_personal_row rows = personal_rows(t, person);
	assert_int_equal(rows.names + rows.contacts + rows.emergency + rows.trips + rows.legs + rows.watches + rows.companions + rows.texts, 0);
	assert_int_equal(people_enrolled(t), 0);
	/* The button pressed twice; then the link is dead. */
	assert_int_equal(submit(t, below(t, path, "delete"), NULL).status, 303);
	assert_int_equal(visit(t, path).status, 404);
}

static void looking_changes_nothing(void **state)
{
	struct traveller *t = *state;
	static const char *const pages[] = { "", "/me", "/contacts/new", "/emergency", "/trips/new", "/watches/new", "/export", "/delete" };

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	int64_t changed = person_of(t, "amal@example.org").changed_at;
	int64_t messages = messages_queued(t);
	for (size_t i = 0; i < COUNT_OF(pages); i++)
		assert_int_equal(visit(t, str_format(&t->fixture->arena, "%.*s%s", STR_ARG(path), pages[i])).status, 200);
	assert_int_equal(visit(t, below(t, path, "links")).status, 405);
	assert_int_equal(person_of(t, "amal@example.org").changed_at, changed);
	assert_int_equal(messages_queued(t), messages);
}

struct change_ask {
	struct traveller *t;
	int64_t seen, person;
	bool told;
};

/* Whether the change sequence names the person since the last look. */
static bool is_told(struct change_ask *ask)
{
	struct db_change *changes;
	size_t count;
	bool told = false;

	assert_rc(ask->t->fixture, OK,
	          db_changes_since(ask->t->fixture->db, &ask->t->fixture->arena, ask->seen, 1000, &changes, &count, fixture_err(ask->t->fixture)));
	for (size_t i = 0; i < count; i++) {
		told = told || (str_equal(changes[i].kind, S("person")) && changes[i].subject == ask->person);
		ask->seen = changes[i].id;
	}
	return told;
}

/* Late joining and the leg index live from this. */
static void every_change_is_told(void **state)
{
	struct traveller *t = *state;
	struct arena *arena = &t->fixture->arena;
	struct change_ask ask = { .t = t };

	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	ask.person = person_of(t, "amal@example.org").id;
	assert_true(is_told(&ask));
	assert_false(is_told(&ask));
	submit(t, below(t, path, "me"), "name", "Amal B", "language", "en", NULL);
	assert_true(is_told(&ask));
	submit(t, below(t, path, "me"), "name", "Amal B", "language", "fa", NULL);
	assert_true(is_told(&ask));
	struct reply page = follow(t, submit(t, below(t, path, "contacts/new"), "email", "second@example.org", NULL));
	assert_true(is_told(&ask));
	struct str contact = str_format(arena, "%lld", (long long)person_of(t, "second@example.org").contact_id);
	struct str field = str_format(arena, "code_%s", contact.ptr);
	struct str confirm = str_concat(arena, S("/confirm/"), cut(t, page.body, "action=\"/confirm/", '"'));
	assert_int_equal(submit(t, confirm, "contact", contact.ptr, field.ptr, code_of(t, "second@example.org").ptr, NULL).status, 303);
	assert_true(is_told(&ask));
	static const char *const acts[] = { "leave", "use", "up", "remove" };
	for (size_t i = 0; i < COUNT_OF(acts); i++) {
		visit(t, path);
		submit(t, below(t, path, str_format(arena, "contacts/%s", contact.ptr).ptr), "do", acts[i], NULL);
		if (!is_told(&ask))
			fail_msg("'%s' was not told", acts[i]);
	}
	submit(t, below(t, path, "trips/new"), "leg.0.place", "Sfax", "leg.0.from", date_in(t, 20), "leg.0.to", date_in(t, 25), NULL);
	assert_true(is_told(&ask));
	page = visit(t, path);
	struct str trip = below(t, path, str_format(arena, "trips/%s", cut(t, page.body, "/trips/", '"').ptr).ptr);
	assert_int_equal(submit(t, trip, "leg.0.place", "Sfax", "leg.0.from", date_in(t, 21), "leg.0.to", date_in(t, 25), NULL).status, 303);
	assert_true(is_told(&ask));
	submit(t, below(t, trip, "end"), NULL);
	assert_true(is_told(&ask));
	submit(t, below(t, path, "watches/new"), "watch_place", "Lebanon", NULL);
	assert_true(is_told(&ask));
	page = visit(t, path);
	struct str watch = below(t, path, str_format(arena, "watches/%s", cut(t, page.body, "/watches/", '"').ptr).ptr);
	assert_int_equal(submit(t, watch, "watch_place", "Libya", NULL).status, 303);
	assert_true(is_told(&ask));
	submit(t, below(t, watch, "end"), NULL);
	assert_true(is_told(&ask));
	submit(t, below(t, path, "delete"), NULL);
	assert_true(is_told(&ask));
}

/* --- one click -------------------------------------------------------------------------------------------------- */

struct unsubscribe_ask {
	struct traveller *t;
	struct str path;
};

static enum rc find_path(struct db_tx *tx, void *context, struct err *err)
{
	struct unsubscribe_ask *ask = context;
	struct arena *arena = &ask->t->fixture->arena;
	struct contact contact;
	struct person person;

	enum rc rc = contact_find_confirmed(tx, arena, CHANNEL_MAIL, S("amal@example.org"), &contact, err);
	if (rc == OK)
		rc = person_find(tx, arena, contact.person_id, &person, err);
	if (rc == OK)
		ask->path = contact_unsubscribe_path(ask->t->house, arena, &person, &contact);
	return rc;
}

static void one_click_stops_a_mailbox(void **state)
{
	struct traveller *t = *state;
	struct unsubscribe_ask ask = { .t = t };

	enrolled(t, "Amal", "amal@example.org", "+33639980005");
	assert_rc(t->fixture, OK, db_read(t->fixture->db, find_path, &ask, fixture_err(t->fixture)));
	struct reply page = visit(t, ask.path);
	assert_int_equal(page.status, 200);
	assert_holds(page, "Stop alerts to this address?");
	assert_true(person_of(t, "amal@example.org").opted_out_at == DB_NULL);
	/* As a mail program does it: no cookie, no token. */
	char cookies[sizeof t->cookies];
	memcpy(cookies, t->cookies, sizeof cookies);
	t->cookies[0] = 0;
	t->token[0] = 0;
	page = submit(t, ask.path, "List-Unsubscribe", "One-Click", NULL);
	assert_int_equal(page.status, 204);
	assert_true(person_of(t, "amal@example.org").opted_out_at != DB_NULL);
	assert_true(person_of(t, "+33639980005").opted_out_at == DB_NULL);
	memcpy(t->cookies, cookies, sizeof cookies);
	page = visit(t, ask.path);
	assert_holds(page, "Alerts to this address have stopped");
	page = follow(t, submit(t, below(t, ask.path, "undo"), NULL));
	assert_true(person_of(t, "amal@example.org").opted_out_at == DB_NULL);
	assert_int_equal(visit(t, S("/unsubscribe/x1234")).status, 404);
}

/* --- WHERE by SMS ------------------------------------------------------------------------------------------------- */

struct stays_ask {
	struct traveller *t;
	int64_t person_id;
	enum language language;
	struct str words;
};

static enum rc find_stays(struct db_tx *tx, void *context, struct err *err)
{
	struct stays_ask *ask = context;
	struct arena *arena = &ask->t->fixture->arena;
	struct person person;

	enum rc rc = person_find(tx, arena, ask->person_id, &person, err);
	person.language = ask->language;
	if (rc == OK)
		ask->words = stays_text(ask->t->house, tx, arena, &person);
	return rc;
}

static struct str stays_in(struct traveller *t, int64_t person_id, enum language language)
{
	struct stays_ask ask = { t, person_id, language, STR_NONE };
	assert_rc(t->fixture, OK, db_read(t->fixture->db, find_stays, &ask, fixture_err(t->fixture)));
	return ask.words;
}

static void stays_are_told_in_the_persons_language(void **state)
{
	struct traveller *t = *state;
	struct arena *arena = &t->fixture->arena;
	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	const int64_t id = person_of(t, "amal@example.org").id;

	/* The nearest first, what is not sure said so, the fourth only counted. */
	visit(t, below(t, path, "trips/new"));
	follow(t, submit(t, below(t, path, "trips/new"), "leg.0.place", "Algiers", "leg.0.from", date_in(t, 1), "leg.0.to", date_in(t, 2), "leg.0.unsure", "to",
	                 "leg.1.place", "Cairo", "leg.1.from", date_in(t, 20), "leg.1.to", date_in(t, 22), "leg.2.place", "Rabat", "leg.2.from",
	                 date_in(t, 23), "leg.2.to", date_in(t, 24), NULL));
	const struct str algiers = T(arena, LANGUAGE_EN, MSG_travel_stay_sms_unsure, MSG_S("place", S("Algiers, Algeria")),
	                             MSG_S("from", text_date(arena, LANGUAGE_EN, t->day + 1)), MSG_S("to", text_date(arena, LANGUAGE_EN, t->day + 2)));
	struct str words = stays_in(t, id, LANGUAGE_EN);
	assert_true(str_starts(words, algiers));
	assert_true(holds(words, "; Tunis"));
	assert_true(holds(words, "Cairo"));
	assert_false(holds(words, "Rabat"));
	assert_true(str_ends(words, S("; 1 more")));
	words = stays_in(t, id, LANGUAGE_FA);
	assert_true(holds(words, "از"));
	assert_true(holds(words, "۱ اقامت دیگر"));
	/* What is over is not told, and nobody's nothing is nothing. */
	clock_set_offset(12 * CLOCK_DAY);
	assert_true(str_starts(stays_in(t, id, LANGUAGE_EN), S("Cairo")));
	clock_set_offset(30 * CLOCK_DAY);
	assert_true(str_is_empty(stays_in(t, id, LANGUAGE_EN)));
	clock_set_offset(0);
}

/* --- finding ---------------------------------------------------------------------------------------------------- */

static void finds_in_any_script(void **state)
{
	struct traveller *t = *state;
	static const char *const queries[] = { "Teheran", "%D8%AA%D9%87%D8%B1%D8%A7%D9%86", "%D0%A2%D0%B5%D0%B3%D0%B5%D1%80%D0%B0%D0%BD" };

	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		struct reply page = visit(t, str_format(&t->fixture->arena, "/find?q=%s", queries[i]));
		assert_int_equal(page.status, 200);
		assert_holds(page, "Tehran");
		assert_holds(page, "/country/IR");
	}
	struct reply page = visit(t, S("/find?q=Allemagne&lang=fr"));
	assert_holds(page, "<a href=\"/country/DE?lang=fr\">Allemagne</a>");
	page = visit(t, S("/find"));
	assert_holds(page, "/country/TN");
	page = visit(t, S("/find?q=%3Cscript%3Ealert(1)%3C/script%3E%22%27"));
	assert_int_equal(page.status, 200);
	assert_lacks(page, "<script>alert");
	page = visit(t, S("/country/tn"));
	assert_int_equal(page.status, 200);
	assert_holds(page, "<h1>Tunisia</h1>");
	assert_holds(page, "/country/TN/map.svg");
	page = visit(t, S("/country/TN/map.svg"));
	assert_int_equal(page.status, 200);
	assert_true(holds(page.head, "image/svg+xml"));
	assert_holds(page, "<svg");
	assert_int_equal(visit(t, S("/country/ZZ")).status, 404);
	assert_int_equal(visit(t, S("/country/%2e%2e")).status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_TRAVELLER(opens_by_code),
		SQLITE_TRAVELLER(an_unknown_address_gets_the_same_answers),
		BOTH_TRAVELLER(two_on_one_telephone_choose),
		BOTH_TRAVELLER(wrong_codes_slow_down_and_lock_nobody_out),
		SQLITE_TRAVELLER(codes_have_a_budget),
		SQLITE_TRAVELLER(one_mailbox_has_one_budget),
		BOTH_TRAVELLER(others_enrolments_push_nobody_away),
		SQLITE_TRAVELLER(codes_end_after_ten_minutes),
		SQLITE_TRAVELLER(links_end),
		SQLITE_TRAVELLER(changes_name_and_language),
		BOTH_TRAVELLER(addresses_come_go_and_change_order),
		SQLITE_TRAVELLER(more_than_six_addresses_are_refused),
		BOTH_TRAVELLER(emergency_contact_needs_consent),
		BOTH_TRAVELLER(watches_are_followed_and_ended),
		BOTH_TRAVELLER(the_copy_is_complete),
		BOTH_TRAVELLER(deletion_leaves_no_row_that_says_who),
		SQLITE_TRAVELLER(looking_changes_nothing),
		BOTH_TRAVELLER(every_change_is_told),
		BOTH_TRAVELLER(one_click_stops_a_mailbox),
		SQLITE_TRAVELLER(stays_are_told_in_the_persons_language),
		SQLITE_TRAVELLER(finds_in_any_script),
	};
	return fixture_main(tests);
}
