/* Enrolling, confirming and the person's page, over HTTP, on both stores. */
#include "tests/traveller/traveller_fixture.h"

#include "desks/travel/enrol.h"

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

/* --- bad input -------------------------------------------------------------------------------------------------- */

struct bad_case {
	const char *name, *email, *mobile, *mobile_country, *place, *from, *to; /* NULL: a good one */
	const char *field, *says;
};

static char four_hundred[401], two_hundred[201], place_of_201[202];

static void bad_input_says_what_is_wrong(void **state)
{
	struct traveller *t = *state;
	const struct bad_case cases[] = {
		{ .name = "", .field = "name", .says = "Enter a name" },
		{ .name = "   ", .field = "name", .says = "Enter a name" },
		{ .name = four_hundred, .field = "name", .says = "longer than 200" },
		{ .name = "Amal\nBcc: x", .field = "name", .says = "no line breaks" },
		{ .email = "", .field = "email", .says = "otherwise we cannot reach you" },
		{ .email = "amal", .field = "email", .says = "such as name@example.org" },
		{ .email = "a@b@example.org", .field = "email", .says = "such as name@example.org" },
		{ .email = "amal@example.org\r\nBcc: x@example.org", .field = "email", .says = "such as name@example.org" },
		{ .mobile = "123", .mobile_country = "FR", .field = "mobile", .says = "too few digits" },
		{ .mobile = "1234567890123456789012345678901234567890", .mobile_country = "FR", .field = "mobile", .says = "too many digits" },
		{ .mobile = "06 39 98 00 01", .field = "mobile", .says = "Choose the country" },
		{ .mobile = "call me", .mobile_country = "FR", .field = "mobile", .says = "not a telephone number" },
		{ .mobile = "+999 123 456 789", .field = "mobile", .says = "no country with this code" },
		{ .mobile = "06 39 98 00 01", .mobile_country = "FR", .field = "mobile_sure", .says = "tick the box" },
		{ .mobile = "01 99 00 00 01", .mobile_country = "FR", .field = "mobile_sure", .says = "tick the box" },
		{ .place = "", .field = "leg.0.place", .says = "where you will be" },
		{ .place = "qqqqxxxxzzzzzz", .field = "leg.0.place", .says = "We found no place" },
		{ .place = "Tripoli", .field = "leg.0.choice", .says = "Several places are called" },
		{ .place = "Tehrann", .field = "leg.0.choice", .says = "Did you mean" },
		{ .place = "91, 10", .field = "leg.0.place", .says = "do not exist" },
		{ .place = place_of_201, .field = "leg.0.place", .says = "at most 200 characters" },
		{ .from = "", .field = "leg.0.from", .says = "first day of this stay" },
		{ .to = "", .field = "leg.0.to", .says = "last day of this stay" },
		{ .from = "30/02/2027", .field = "leg.0.from", .says = "not a day we can read" },
		{ .from = "tomorrow", .field = "leg.0.from", .says = "not a day we can read" },
		{ .from = "01/01/27", .field = "leg.0.from", .says = "not a day we can read" },
		{ .from = date_in(t, 10), .to = date_in(t, 3), .field = "leg.0.to", .says = "comes before the first day" },
		{ .from = "01/01/2001", .to = "10/01/2001", .field = "leg.0.to", .says = "over already" },
		{ .from = date_in(t, -2), .to = date_in(t, -2), .field = "leg.0.to", .says = "over already" },
		{ .from = date_in(t, 3), .to = date_in(t, 30 * 365), .field = "leg.0.to", .says = "at most three years" },
		{ .from = date_in(t, 30 * 365), .to = date_in(t, 30 * 365 + 1), .field = "leg.0.from", .says = "three years ahead" },
	};

	memset(four_hundred, 'a', 400);
	memset(place_of_201, 'a', 201);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct bad_case *bad = &cases[i];
		visit(t, S("/enrol"));
		struct reply page = submit(t, S("/enrol"), "name", bad->name ? bad->name : "Amal", "email", bad->email ? bad->email : "amal@example.org",
		                           "mobile", bad->mobile ? bad->mobile : "", "mobile_country", bad->mobile_country ? bad->mobile_country : "",
		                           "leg.0.place", bad->place ? bad->place : "Tunis", "leg.0.from", bad->from ? bad->from : date_in(t, 3),
		                           "leg.0.to", bad->to ? bad->to : date_in(t, 10), "note", "<keep> this", NULL);
		if (page.status != 422)
			fail_msg("case %zu (%s): %d", i, bad->says, page.status);
		assert_holds(page, bad->says);
		/* The summary links to the field, the field says it, and what was typed is still there. */
		assert_holds(page, str_format(&t->fixture->arena, "<a href=\"#%s\">", bad->field).ptr);
		assert_holds(page, str_format(&t->fixture->arena, "id=\"%s-error\"", bad->field).ptr);
		assert_holds(page, "&lt;keep&gt; this");
		/* And in the other languages. */
		for (size_t other = 0; other < 3; other++) {
			static const char *const paths[] = { "/enrol?lang=fr", "/enrol?lang=ar", "/enrol?lang=fa" };
			visit(t, str_from(paths[other]));
			page = submit(t, str_from(paths[other]), "name", bad->name ? bad->name : "Amal", "email",
			              bad->email ? bad->email : "amal@example.org", "mobile", bad->mobile ? bad->mobile : "", "mobile_country",
			              bad->mobile_country ? bad->mobile_country : "", "leg.0.place", bad->place ? bad->place : "Tunis", "leg.0.from",
			              bad->from ? bad->from : date_in(t, 3), "leg.0.to", bad->to ? bad->to : date_in(t, 10), NULL);
			assert_int_equal(page.status, 422);
			assert_holds(page, str_format(&t->fixture->arena, "id=\"%s-error\"", bad->field).ptr);
			assert_lacks(page, bad->says);
		}
	}
	assert_int_equal(people_enrolled(t), 0);
	assert_int_equal(messages_queued(t), 0);
}

static void what_is_unusual_is_taken(void **state)
{
	struct traveller *t = *state;
	size_t count;
	const char *const names[] = { "A", "محمد بن عبد الله", "Zoë 🧳👨‍👩‍👧", "O’Neil-d’Àvila", two_hundred };

	memset(two_hundred, 'a', 200);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		visit(t, S("/enrol"));
		struct str email = str_format(&t->fixture->arena, "p%zu@example.org", i);
		struct reply page = follow(t, submit(t, S("/enrol"), "name", names[i], "email", email.ptr, "leg.0.place", "Tunis", "leg.0.from", date_in(t, 0),
		                                     "leg.0.to", date_in(t, 0), NULL));
		assert_int_equal(page.status, 200);
	}
	/* Dates in the Persian calendar and Persian digits, a place in Persian, from the Persian page. */
	visit(t, S("/enrol?lang=fa"));
	const struct str from = text_date_input(&t->fixture->arena, LANGUAGE_FA, t->day + 5), to = text_date_input(&t->fixture->arena, LANGUAGE_FA, t->day + 9);
	struct reply page = submit(t, S("/enrol?lang=fa"), "name", "مریم", "language", "fa", "email", "maryam@example.org", "leg.0.place", "شیراز",
	                           "leg.0.from", from.ptr, "leg.0.to", to.ptr, NULL);
	assert_int_equal(page.status, 303);
	assert_true(holds(page.location, "lang=fa"));
	struct list_legs_row *legs = legs_of(t, person_of(t, "maryam@example.org").id, &count);
	assert_int_equal(legs[0].from_date, t->day + 5);
	assert_int_equal(legs[0].to_date, t->day + 9);
	assert_string_equal(legs[0].country.ptr, "IR");
	assert_true(holds(message_to(t, "maryam@example.org").body, "کد شما"));
	/* Arabic digits. */
	visit(t, S("/enrol?lang=ar"));
	int year, month, day;
	date_from_days(t->day + 5, &year, &month, &day);
	struct str arabic = text_number(&t->fixture->arena, LANGUAGE_AR, day);
	arabic = str_format(&t->fixture->arena, "%.*s/%02d/%04d", STR_ARG(arabic), month, year);
	page = submit(t, S("/enrol?lang=ar"), "name", "ليلى", "email", "leila@example.org", "leg.0.place", "بيروت", "leg.0.from", arabic.ptr,
	              "leg.0.to", arabic.ptr, NULL);
	assert_int_equal(page.status, 303);
	legs = legs_of(t, person_of(t, "leila@example.org").id, &count);
	assert_int_equal(legs[0].from_date, t->day + 5);
	assert_string_equal(legs[0].country.ptr, "LB");
}

static void choosing_and_adding_loses_nothing(void **state)
{
	struct traveller *t = *state;
	size_t count;

	visit(t, S("/enrol"));
	struct reply page = submit(t, S("/enrol"), "name", "Amal", "email", "amal@example.org", "leg.0.place", "Tripoli", "leg.0.from", date_in(t, 3),
	                           "leg.0.to", date_in(t, 10), "note", "insulin", NULL);
	assert_int_equal(page.status, 422);
	assert_holds(page, "Tripoli, North Lebanon, Lebanon");
	struct str choice = cut(t, str_slice(page.body, str_find(page.body, S("name=\"leg.0.choice\" value="), 0), page.body.len), "value=\"", '"');
	assert_holds(page, "name=\"leg.0.choice_for\" value=\"Tripoli\"");
	page = submit(t, S("/enrol"), "do", "add_leg", "name", "Amal", "email", "amal@example.org", "leg.0.place", "Tripoli", "leg.0.choice", choice.ptr,
	              "leg.0.choice_for", "Tripoli", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), "note", "insulin", NULL);
	assert_int_equal(page.status, 200);
	assert_holds(page, "insulin");
	assert_holds(page, str_format(&t->fixture->arena, "name=\"leg.0.choice\" value=\"%s\"", choice.ptr).ptr);
	/* The choice stands for the text it was made for: another text is looked up anew. */
	page = submit(t, S("/enrol"), "name", "Amal", "email", "amal@example.org", "leg.0.place", "Sfax", "leg.0.choice", choice.ptr, "leg.0.choice_for",
	              "Tripoli", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), NULL);
	assert_int_equal(page.status, 303);
	struct list_legs_row *legs = legs_of(t, person_of(t, "amal@example.org").id, &count);
	assert_string_equal(legs[0].country.ptr, "TN");
	visit(t, S("/enrol"));
	page = submit(t, S("/enrol"), "name", "Amal", "email", "two@example.org", "leg.0.place", "Tripoli", "leg.0.choice", choice.ptr, "leg.0.choice_for",
	              "Tripoli", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), NULL);
	assert_int_equal(page.status, 303);
	/* Twelve stays and no more. */
	for (int i = 0; i < 20; i++) {
		visit(t, S("/enrol"));
		page = submit(t, S("/enrol"), "do", "add_leg", "leg.11.place", "Tunis", NULL);
		assert_int_equal(page.status, 200);
		assert_lacks(page, "leg.12.place");
	}
}

static void an_enrolment_needs_no_trip(void **state)
{
	struct traveller *t = *state;
	size_t count;

	visit(t, S("/enrol"));
	struct reply page = follow(t, submit(t, S("/enrol"), "name", "Amal", "email", "amal@example.org", "watch_place", "Lebanon", "mobile", "+33 6 39 98 00 06",
	                                     "mobile_sure", "yes", NULL));
	assert_holds(page, "Lebanon");
	int64_t person = person_of(t, "amal@example.org").id;
	struct list_watches_row *watches = watches_of(t, person, &count);
	assert_int_equal(count, 1);
	/* The telephone tells whose morning it is. */
	assert_string_equal(watches[0].zone.ptr, "Europe/Paris");
	legs_of(t, person, &count);
	assert_int_equal(count, 0);
}

static void nothing_is_half_enrolled(void **state)
{
	struct traveller *t = *state;

	for (int i = 0; i < 70; i++) {
		visit(t, S("/enrol"));
		struct reply page = submit(t, S("/enrol"), "name", "Amal", "email", str_format(&t->fixture->arena, "p%d@example.org", i).ptr,
		                           "leg.0.place", "Tunis", "leg.0.from", date_in(t, 3), "leg.0.to", date_in(t, 10), NULL);
		assert_int_equal(page.status, i < 60 ? 303 : 429);
	}
	/* Sixty people, and codes as far as the budget went: the rest can ask again. */
	assert_int_equal(people_enrolled(t), 60);
	assert_int_equal(messages_queued(t), 30);
}

/* --- what nobody confirms --------------------------------------------------------------------------------------- */

static struct reply enrol_mail(struct traveller *t, const char *name, const char *email)
{
	visit(t, S("/enrol"));
	return follow(t, submit(t, S("/enrol"), "name", name, "email", email, "leg.0.place", "Tunis", "leg.0.from", date_in(t, 3), "leg.0.to",
	                        date_in(t, 10), NULL));
}

static void nobody_confirmed_is_removed(void **state)
{
	struct traveller *t = *state;
	struct buf metrics;

	enrolled(t, "Amal", "amal@example.org", NULL);
	enrol_mail(t, "Never", "never@example.org");
	const int64_t never = person_of(t, "never@example.org").id;
	clock_set_offset(7 * CLOCK_DAY - CLOCK_HOUR);
	unconfirmed_remove(t->house);
	assert_int_equal(people_enrolled(t), 2);
	clock_set_offset(7 * CLOCK_DAY + CLOCK_HOUR);
	unconfirmed_remove(t->house);
	clock_set_offset(0);
	assert_int_equal(people_enrolled(t), 1);
	assert_true(person_of(t, "amal@example.org").id > 0);
	const struct count_personal_row left = personal_rows(t, never);
	assert_int_equal(left.names + left.contacts + left.trips + left.legs + left.texts, 0);
	buf_init(&metrics);
	unconfirmed_metrics(t->house, &metrics);
	assert_true(holds(buf_str(&metrics), "chancery_unconfirmed_removed_total "));
	assert_false(holds(buf_str(&metrics), "chancery_unconfirmed_removed_total 0\n"));
	buf_release(&metrics);
}

/* Whoever was in and changes to another address keeps the record, confirmed or not. */
static void a_changed_address_is_no_enrolment(void **state)
{
	struct traveller *t = *state;
	struct arena *arena = &t->fixture->arena;
	struct str path = enrolled(t, "Amal", "amal@example.org", NULL);
	const int64_t old = person_of(t, "amal@example.org").contact_id;

	visit(t, str_format(arena, "%.*s/contacts/new", STR_ARG(path)));
	submit(t, str_format(arena, "%.*s/contacts/new", STR_ARG(path)), "email", "other@example.org", NULL);
	visit(t, path);
	submit(t, str_format(arena, "%.*s/contacts/%lld", STR_ARG(path), (long long)old), "do", "remove", NULL);
	clock_set_offset(30 * CLOCK_DAY);
	unconfirmed_remove(t->house);
	clock_set_offset(0);
	assert_int_equal(people_enrolled(t), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_TRAVELLER(enrols_confirms_and_comes_back),
		BOTH_TRAVELLER(the_same_form_twice_enrols_once),
		SQLITE_TRAVELLER(unconfirmed_page_says_so),
		SQLITE_TRAVELLER(bad_input_says_what_is_wrong),
		SQLITE_TRAVELLER(what_is_unusual_is_taken),
		BOTH_TRAVELLER(choosing_and_adding_loses_nothing),
		SQLITE_TRAVELLER(an_enrolment_needs_no_trip),
		SQLITE_TRAVELLER(nothing_is_half_enrolled),
		BOTH_TRAVELLER(nobody_confirmed_is_removed),
		SQLITE_TRAVELLER(a_changed_address_is_no_enrolment),
	};
	return fixture_main(tests);
}
