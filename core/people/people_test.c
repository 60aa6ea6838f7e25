#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/base.h"
#include "core/people/people.h"

struct mailbox_case { const char *text, *wanted; };

static void
mailboxes(void **state)
{
	(void)state;
	static const struct mailbox_case cases[] = {
		{ "amal@example.org", "amal@example.org" },
		{ "  Amal.Ben@Example.ORG ", "amal.ben@example.org" },
		{ "a+b@example.co.uk", "a+b@example.co.uk" },
		{ "用户@例子.example", "用户@例子.example" },
		{ "", NULL },
		{ "amal", NULL },
		{ "amal@", NULL },
		{ "@example.org", NULL },
		{ "amal@example", NULL },
		{ "amal@example..org", NULL },
		{ "amal@example.org.", NULL },
		{ "amal@-example.org", NULL },
		{ "a..b@example.org", NULL },
		{ ".a@example.org", NULL },
		{ "a@b@example.org", NULL },
		{ "a b@example.org", NULL },
		{ "a\nBcc: x@example.org", NULL },
		{ "a@example.org\r\nBcc:x", NULL },
		{ "<a@example.org>", NULL },
		{ "a@exa_mple.org", NULL },
		{ "\xff@example.org", NULL },
	};
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err;
		struct str out = S("untouched");
		err_init(&err, &arena);
		enum rc rc = mailbox_read(&arena, str_from(cases[i].text), S("email"), &out, &err);
		if (cases[i].wanted) {
			assert_int_equal(rc, OK);
			assert_string_equal(out.ptr, cases[i].wanted);
		} else {
			assert_int_equal(rc, INVALID);
			assert_non_null(err_find(&err, S("email")));
			assert_string_equal(out.ptr, "untouched");
		}
	}
	arena_release(&arena);
}

static void
mailbox_sizes_at_the_edge(void **state)
{
	(void)state;
	struct arena arena;
	struct err err;
	struct str out;
	char local[66], text[400];

	arena_init(&arena);
	err_init(&err, &arena);
	memset(local, 'a', sizeof local);
	snprintf(text, sizeof text, "%.64s@example.org", local);
	assert_int_equal(mailbox_read(&arena, str_from(text), S("email"), &out, &err), OK);
	snprintf(text, sizeof text, "%.65s@example.org", local);
	assert_int_equal(mailbox_read(&arena, str_from(text), S("email"), &out, &err), INVALID);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes),
		cmocka_unit_test(mailbox_sizes_at_the_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
