/* A mailbox of bounces, automatic answers and complaints, each as one mail system or another writes them (all written by us,
 * after what those systems are known to say), and what each must be sorted as. Every file of corpus/ stands in the table. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/mail/mail.h"

#define FOLDER "kernel/mail/corpus"
#define OURS "m.04k7f3qa9@chancery.example"
#define TOKEN "04k7f3qa9"

static struct arena arena;

static struct incoming_mail read_file(const char *name)
{
	struct incoming_mail mail;
	struct err err;
	static char raw[65536];
	err_init(&err, &arena);
	FILE *file = fopen(str_format(&arena, FOLDER "/%s.eml", name).ptr, "re");
	if (!file)
		fail_msg("%s is missing", name);
	size_t size = fread(raw, 1, sizeof raw, file);
	fclose(file);
	assert_true(size > 0 && size < sizeof raw);
	assert_int_equal(mail_read(&arena, (struct str){ raw, size }, &mail, &err), OK);
	return mail;
}

enum { ENDED = 1, ID = 2 }; /* the mail will not arrive; the id of our mail is found */

static const struct {
	const char *name;
	enum mail_bounce_kind kind;
	enum mail_fault fault;
	unsigned what;
	const char *status, *recipient;
} BOUNCES[] = {
#define GONE MAIL_FAULT_RECIPIENT
#define MAIL MAIL_FAULT_MESSAGE
#define SOFT MAIL_FAULT_TEMPORARY
	{ "postfix-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "sara@example.org" },
	{ "postfix-host-unknown", MAIL_BOUNCE_HOST_UNKNOWN, GONE, ENDED | ID, "5.4.4", "sara@exampel.org" },
	{ "postfix-gave-up", MAIL_BOUNCE_NOT_REACHED, SOFT, ENDED | ID, "4.4.1", "sara@example.org" },
	{ "postfix-delayed", MAIL_BOUNCE_DELAYED, SOFT, ID, "4.4.1", "sara@example.org" },
	{ "postfix-null-mx", MAIL_BOUNCE_HOST_UNKNOWN, GONE, ENDED | ID, "5.1.0", "sara@example.org" },
	{ "postfix-dns-trouble", MAIL_BOUNCE_NOT_REACHED, SOFT, ENDED | ID, "4.4.3", "sara@example.org" },
	{ "postfix-relayed", MAIL_BOUNCE_RELAYED, MAIL_FAULT_NONE, ID, "2.0.0", "sara@example.org" },
	{ "postfix-delivered", MAIL_BOUNCE_DELIVERED, MAIL_FAULT_NONE, ID, "2.0.0", "sara@example.org" },
	{ "postfix-too-big", MAIL_BOUNCE_TOO_BIG, MAIL, ENDED | ID, "5.3.4", "sara@example.org" },
	{ "sendmail-expanded", MAIL_BOUNCE_EXPANDED, MAIL_FAULT_NONE, ID, "2.0.0", "team@old.example" },
	{ "sendmail-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "sara@old.example" },
	{ "sendmail-warning", MAIL_BOUNCE_DELAYED, SOFT, ID, "", "sara@old.example" },
	{ "sendmail-old-words", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@ancient.example" },
	{ "qmail-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "sara@qmail.example" },
	{ "qmail-no-host", MAIL_BOUNCE_HOST_UNKNOWN, GONE, ENDED | ID, "5.1.2", "sara@nowhere.example" },
	{ "qmail-full", MAIL_BOUNCE_FULL, SOFT, ENDED | ID, "5.2.2", "sara@qmail.example" },
	{ "qmail-queue-too-long", MAIL_BOUNCE_NOT_REACHED, SOFT, ENDED | ID, "4.4.1", "sara@far.example" },
	{ "exim-unrouteable", MAIL_BOUNCE_HOST_UNKNOWN, GONE, ENDED | ID, "", "sara@exim.example" },
	{ "exim-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@example.org" },
	{ "exim-frozen-warning", MAIL_BOUNCE_DELAYED, SOFT, ID, "", "" },
	{ "exim-retry-timeout", MAIL_BOUNCE_NOT_REACHED, SOFT, ENDED | ID, "", "sara@far.example" },
	{ "exchange-2003", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "" },
	{ "exchange-2007-french", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "sara@corp.example" },
	{ "exchange-online-dbeb", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.4.1", "sara@example.org" },
	{ "exchange-online-blocked-ip", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.7.606", "sara@example.org" },
	{ "exchange-full-german", MAIL_BOUNCE_FULL, SOFT, ENDED | ID, "5.2.2", "sara@firma.example" },
	{ "exchange-too-large", MAIL_BOUNCE_TOO_BIG, MAIL, ENDED | ID, "5.2.3", "sara@corp.example" },
	{ "exchange-restricted", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.7.133", "team@corp.example" },
	{ "notes-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "sara@notes.example" },
	{ "notes-status-lies", MAIL_BOUNCE_FULL, SOFT, ENDED, "5.1.1", "sara@notes.example" },
	{ "groupwise", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "" },
	{ "gmail-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "sara@gmail.example" },
	{ "gmail-disabled", MAIL_BOUNCE_DISABLED, MAIL, ENDED | ID, "5.2.1", "sara@gmail.example" },
	{ "gmail-full", MAIL_BOUNCE_FULL, SOFT, ENDED | ID, "5.2.2", "sara@gmail.example" },
	{ "gmail-rate", MAIL_BOUNCE_POLICY, SOFT, ENDED | ID, "4.7.28", "sara@example.org" },
	{ "gmail-dmarc", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.7.26", "sara@example.org" },
	{ "gmail-delay", MAIL_BOUNCE_DELAYED, SOFT, ID, "4.4.1", "sara@example.org" },
	{ "yahoo-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@yahoo.example" },
	{ "yahoo-deferred", MAIL_BOUNCE_POLICY, SOFT, ENDED | ID, "4.7.0", "sara@example.org" },
	{ "hotmail-unavailable", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.5.0", "sara@hotmail.example" },
	{ "hotmail-blocklist", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.7.1", "sara@example.org" },
	{ "spamhaus-says-5.1.1", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.1.1", "sara@example.org" },
	{ "content-filter", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.7.1", "sara@example.org" },
	{ "our-domain-wrong", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.1.8", "sara@example.org" },
	{ "relay-denied", MAIL_BOUNCE_POLICY, MAIL, ENDED | ID, "5.7.1", "sara@example.org" },
	{ "unknown-behind-policy-code", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.7.1", "sara@example.org" },
	{ "moved-551", MAIL_BOUNCE_MOVED, GONE, ENDED | ID, "5.1.6", "sara@example.org" },
	{ "moved-words", MAIL_BOUNCE_MOVED, GONE, ENDED | ID, "", "sara@uni.example" },
	{ "suspended", MAIL_BOUNCE_DISABLED, MAIL, ENDED | ID, "5.0.0", "sara@example.org" },
	{ "carrier-docomo", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@docomo.example" },
	{ "carrier-kddi", MAIL_BOUNCE_FULL, SOFT, ENDED | ID, "", "sara@ezweb.example" },
	{ "carrier-gateway", MAIL_BOUNCE_DISABLED, MAIL, ENDED | ID, "", "5550100@mms.carrier.example" },
	{ "spanish-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@correo.example" },
	{ "french-full", MAIL_BOUNCE_FULL, SOFT, ENDED | ID, "", "sara@courrier.example" },
	{ "german-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@post.example" },
	{ "persian-full", MAIL_BOUNCE_FULL, SOFT, ENDED | ID, "", "sara@post.example" },
	{ "arabic-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@barid.example" },
	{ "russian-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@pochta.example" },
	{ "chinese-user-unknown", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "", "sara@youxiang.example" },
	{ "forwarded-address", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED, "5.1.1", "sara.old@forward.example" },
	{ "no-report-type", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED, "5.1.1", "sara@example.org" },
	{ "cut-short", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED, "5.1.1", "sara@example.org" },
	{ "internationalized", MAIL_BOUNCE_USER_UNKNOWN, GONE, ENDED | ID, "5.1.1", "سارا@example.org" },
	{ "says-nothing", MAIL_BOUNCE_OTHER, MAIL, ENDED, "", "" },
#undef GONE
#undef MAIL
#undef SOFT
};

static void expect_text(const char *name, const char *what, struct str got, const char *want)
{
	if (!str_equal(got, str_from(want)))
		fail_msg("%s: %s is \"%.*s\", not \"%s\"", name, what, STR_ARG(got), want);
}

static void expect_number(const char *name, const char *what, int got, int want)
{
	if (got != want)
		fail_msg("%s: %s is %d, not %d", name, what, got, want);
}

static void bounces_are_sorted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(BOUNCES); i++) {
		const char *name = BOUNCES[i].name;
		struct incoming_mail m = read_file(name);
		expect_number(name, "is_bounce", m.bounce.is_bounce, true);
		expect_number(name, "automatic", m.automatic, true);
		expect_number(name, "complaint", m.complaint, false);
		expect_text(name, "kind", str_from(mail_bounce_kind_name(m.bounce.kind)), mail_bounce_kind_name(BOUNCES[i].kind));
		expect_number(name, "fault", (int)m.bounce.fault, (int)BOUNCES[i].fault);
		expect_number(name, "ended", m.bounce.ended, (BOUNCES[i].what & ENDED) != 0);
		expect_text(name, "status", m.bounce.status, BOUNCES[i].status);
		expect_text(name, "recipient", m.bounce.recipient, BOUNCES[i].recipient);
		expect_text(name, "message id", m.bounce.message_id, BOUNCES[i].what & ID ? OURS : "");
		expect_text(name, "token", m.token, TOKEN);
	}
	struct incoming_mail forwarded = read_file("forwarded-address");
	expect_text("forwarded-address", "original recipient", forwarded.bounce.original_recipient, "sara@example.org");
}

static const char *const AUTOMATIC[] = { "auto-rfc3834", "auto-null-path", "auto-exchange-oof", "auto-apple", "auto-precedence", "auto-xautoreply", "auto-french",
	                                 "auto-persian", "auto-japanese", "auto-list", "auto-read-receipt" };
static const char *const PEOPLE[] = { "person-help", "person-subject-says-failure", "person-auto-no", "person-talks-of-mailbox" };

static void machines_and_people_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(AUTOMATIC); i++) {
		struct incoming_mail m = read_file(AUTOMATIC[i]);
		expect_number(AUTOMATIC[i], "automatic", m.automatic, true);
		expect_number(AUTOMATIC[i], "is_bounce", m.bounce.is_bounce, false);
		expect_number(AUTOMATIC[i], "complaint", m.complaint, false);
	}
	for (size_t i = 0; i < COUNT_OF(PEOPLE); i++) {
		struct incoming_mail m = read_file(PEOPLE[i]);
		expect_number(PEOPLE[i], "automatic", m.automatic, false);
		expect_number(PEOPLE[i], "is_bounce", m.bounce.is_bounce, false);
		expect_text(PEOPLE[i], "answered", m.in_reply_to, OURS);
	}
}

static const struct {
	const char *name;
	bool complaint;
	const char *message_id, *token, *recipient;
} COMPLAINTS[] = {
	{ "complaint-abuse", true, OURS, TOKEN, "sara@provider.example" },
	{ "complaint-redacted", true, "", TOKEN, "redacted" },
	{ "complaint-not-spam", false, OURS, TOKEN, "" },
	{ "complaint-jmrp", true, OURS, TOKEN, "sara@hotmail.example" },
};

static void complaints_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(COMPLAINTS); i++) {
		const char *name = COMPLAINTS[i].name;
		struct incoming_mail m = read_file(name);
		expect_number(name, "complaint", m.complaint, COMPLAINTS[i].complaint);
		expect_number(name, "automatic", m.automatic, true);
		expect_number(name, "is_bounce", m.bounce.is_bounce, false);
		expect_text(name, "message id", m.bounce.message_id, COMPLAINTS[i].message_id);
		expect_text(name, "token", m.bounce.token, COMPLAINTS[i].token);
		expect_text(name, "recipient", m.bounce.recipient, COMPLAINTS[i].recipient);
	}
}

static void every_file_is_in_a_table(void **state)
{
	(void)state;
	size_t files = 0;
	DIR *folder = opendir(FOLDER);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		files += str_ends(str_from(entry->d_name), S(".eml"));
	closedir(folder);
	assert_int_equal(files, COUNT_OF(BOUNCES) + COUNT_OF(AUTOMATIC) + COUNT_OF(PEOPLE) + COUNT_OF(COMPLAINTS));
	assert_true(COUNT_OF(BOUNCES) >= 30);
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounces_are_sorted),
		cmocka_unit_test(machines_and_people_are_told_apart),
		cmocka_unit_test(complaints_are_known),
		cmocka_unit_test(every_file_is_in_a_table),
	};
	return cmocka_run_group_tests_name("bounces", tests, setup, teardown);
}
