/* Enrolling, confirming and the person's page, over HTTP, on both stores. */
#include "tests/traveller/traveller_fixture.h"

/* The form filled as most fill it; `t` has visited it. */
static struct reply enrol_amal(struct traveller *t)
{
	return submit(t, S("/enrol"), "name", "Amal Ben Salah", "language", "fr", "email", "amal@example.org", "mobile", "06 39 98 00 01",
	              "mobile_country", "FR", "mobile_sure", "yes", "first", "sms", "leg.0.place", "Tunis", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10),
	              "companions", "2", "companion_names", "Ines\nYoussef", NULL);
}

static void enrols_confirms_and_comes_back(void **state)
{
	struct traveller *t = *state;
	size_t count;

	struct reply page = visit(t, S("/enrol"));
	assert_int_equal(page.status, 200);
	struct reply sent = enrol_amal(t);
	page = follow(t, sent);
	assert_int_equal(page.status, 200);
	assert_holds(page, "amal@example.org");
	assert_holds(page, "+33 6 39 98 00 01");
	assert_holds(page, "no alert");
	assert_holds(page, "Tunis");

	struct get_person_of_row person = person_of(t, "amal@example.org");
	assert_string_equal(person.language.ptr, "fr");
	assert_true(person.confirmed_at == DB_NULL);
	assert_int_equal(person.rank, 2);
	assert_int_equal(person_of(t, "+33639980001").rank, 1);
	struct list_legs_row *legs = legs_of(t, person.id, &count);
	assert_int_equal(count, 1);
	assert_string_equal(legs[0].country.ptr, "TN");
	assert_string_equal(legs[0].zone.ptr, "Africa/Tunis");
	assert_int_equal(legs[0].from_date, t->day + 3);
	assert_int_equal(legs[0].to_at - legs[0].from_at, 8 * CLOCK_DAY);

	/* The text message's last line binds the code to the site. */
	struct str sms_code = code_of(t, "+33639980001");
	struct str sms = message_to(t, "+33639980001").body;
	assert_true(str_ends(sms, str_format(&t->fixture->arena, "\n\n@chancery.example #%s", sms_code.ptr)));

	struct str mail_contact = str_format(&t->fixture->arena, "%lld", (long long)person.contact_id);
	struct str mail_field = str_format(&t->fixture->arena, "code_%s", mail_contact.ptr);
	struct str path = str_copy(&t->fixture->arena, sent.location);
	page = submit(t, path, "contact", mail_contact.ptr, mail_field.ptr, "0", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "This is not the code");
	/* Digits of any script, and blanks between. */
	struct str code = code_of(t, "amal@example.org");
	struct str typed = str_format(&t->fixture->arena, "%.3s %.3s", code.ptr, code.ptr + 3);
	page = submit(t, path, "contact", mail_contact.ptr, mail_field.ptr, typed.ptr, NULL);
	page = follow(t, page);
	assert_true(person_of(t, "amal@example.org").confirmed_at != DB_NULL);
	assert_true(person_of(t, "+33639980001").confirmed_at == DB_NULL);
	assert_true(holds(message_to(t, "amal@example.org").body, "https://chancery.example/my/"));

	struct str sms_contact = str_format(&t->fixture->arena, "%lld", (long long)person_of(t, "+33639980001").contact_id);
	struct str sms_field = str_format(&t->fixture->arena, "code_%s", sms_contact.ptr);
	page = follow(t, submit(t, path, "contact", sms_contact.ptr, sms_field.ptr, sms_code.ptr, NULL));
	assert_int_equal(page.status, 200);
	assert_holds(page, "Amal Ben Salah");
	assert_holds(page, "You are enrolled and your addresses are confirmed");
	assert_lacks(page, "We cannot reach you");
	assert_holds(page, "Ines");
	assert_true(person_of(t, "+33639980001").confirmed_at != DB_NULL);
}

static void the_same_form_twice_enrols_once(void **state)
{
	struct traveller *t = *state;

	visit(t, S("/enrol"));
	struct reply first = enrol_amal(t), second = enrol_amal(t);
	assert_int_equal(first.status, 303);
	assert_int_equal(second.status, 303);
	assert_true(str_equal(first.location, second.location));
	assert_int_equal(people_enrolled(t), 1);
	assert_int_equal(messages_queued(t), 2);
}

static void unconfirmed_page_says_so(void **state)
{
	struct traveller *t = *state;

	visit(t, S("/enrol"));
	struct reply page = follow(t, enrol_amal(t));
	size_t at = str_find(page.body, S("href=\"/my/"), 0);
	assert_true(at != SIZE_MAX);
	struct str path = str_slice(page.body, at + 6, str_find(page.body, S("\""), at + 6));
	path = str_slice(path, 0, 4 + str_find(str_slice(path, 4, path.len), S("/"), 0));
	page = visit(t, path);
	assert_int_equal(page.status, 200);
	assert_holds(page, "We cannot reach you");
	assert_holds(page, "Not confirmed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_TRAVELLER(enrols_confirms_and_comes_back),
		BOTH_TRAVELLER(the_same_form_twice_enrols_once),
		SQLITE_TRAVELLER(unconfirmed_page_says_so),
	};
	return fixture_main(tests);
}
