#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/mail/mail.h"

static struct arena arena;

static void assert_text(struct str got, const char *want)
{
	if (!str_equal(got, str_from(want)))
		print_error("got \"%.*s\", want \"%s\"\n", STR_ARG(got), want);
	assert_true(str_equal(got, str_from(want)));
}

static struct incoming_mail read_mail(const char *raw)
{
	struct incoming_mail mail;
	struct err err;
	err_init(&err, &arena);
	assert_int_equal(mail_read(&arena, str_from(raw), &mail, &err), OK);
	return mail;
}

static void an_answer_is_read_whole(void **state)
{
	(void)state;
	struct incoming_mail m = read_mail("Return-Path: <sara@example.org>\r\n"
	                                   "Delivered-To: answer+k7f3q@chancery.example\r\n"
	                                   "From: =?utf-8?B?2LPYp9ix2Kc=?= <sara@example.org>\r\n"
	                                   "To: Ministry <answer@chancery.example>\r\n"
	                                   "Subject: Re: =?utf-8?Q?Alerte_s=C3=A9isme?=\r\n"
	                                   "Message-ID: <abc@example.org>\r\n"
	                                   "In-Reply-To: <m.47.9@chancery.example>\r\n"
	                                   "References: <m.47.1@chancery.example>\r\n <m.47.9@chancery.example>\r\n"
	                                   "Content-Type: text/plain; charset=utf-8\r\n\r\n"
	                                   "SAFE, we are in Tabriz.\r\nmore\r\n\r\nOn Tue, 24 Nov 2026 at 11:30, Ministry <answer@chancery.example> wrote:\r\n"
	                                   "> Answer HELP if you need help\r\n> bye\r\n");
	assert_text(m.from, "sara@example.org");
	assert_text(m.from_name, "سارا");
	assert_text(m.envelope_from, "sara@example.org");
	assert_text(m.delivered_to, "answer+k7f3q@chancery.example");
	assert_text(m.token, "k7f3q");
	assert_text(m.subject, "Re: Alerte séisme");
	assert_text(m.message_id, "abc@example.org");
	assert_text(m.in_reply_to, "m.47.9@chancery.example");
	assert_int_equal(m.reference_count, 2);
	assert_text(m.references[1], "m.47.9@chancery.example");
	assert_text(m.text, "SAFE, we are in Tabriz.\nmore");
	assert_true(str_find(m.whole_text, S("HELP"), 0) != SIZE_MAX);
	assert_false(m.automatic);
	assert_false(m.bounce.is_bounce);
	assert_false(m.cut);
}

static struct str text_of(const char *body)
{
	struct str raw = str_format(&arena, "From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n%s", body);
	return read_mail(raw.ptr).text;
}

static void quotes_and_signatures_go(void **state)
{
	(void)state;
	static const char *const CASES[][2] = {
		{ "SAFE\n", "SAFE" },
		{ "SAFE\n-- \nSara\n+1 555 0100\n", "SAFE" },
		{ "HELP stuck\n\nSent from my iPhone\n", "HELP stuck" },
		{ "SAFE\n\nOn Tue, 24 Nov 2026 at 11:30, A very long ministry name\n<answer@chancery.example> wrote:\n\n> text\n", "SAFE" },
		{ "SAFE\n\nLe mar. 24 nov. 2026 à 11:30, Ministère <a@b.example> a écrit :\n> texte\n", "SAFE" },
		{ "SAFE\n\n________________________________\nFrom: Ministry\nSent: Tuesday\n\nHELP\n", "SAFE" },
		{ "SAFE\n\nFrom: Ministry <a@b.example>\nSent: Tuesday\nTo: Sara\n\nanswer HELP\n", "SAFE" },
		{ "SAFE\n\nمن: الوزارة\nتم الإرسال: الثلاثاء\nنص\n", "SAFE" },
		{ "SAFE\n-----Original Message-----\nHELP\n", "SAFE" },
		{ "> HELP if you need\n> help\nSAFE, answered below\n", "SAFE, answered below" },
		{ "HELP: no water\nFrom: here we cannot leave.\nTwo people: Ali, Sara\n", "HELP: no water\nFrom: here we cannot leave.\nTwo people: Ali, Sara" },
		{ "We need:\n> water\n", "" },
		{ "I said on Monday\nthat 2 of us need:\n\n\n\n> x\n", "I said on Monday\nthat 2 of us need:" },
		{ "", "" },
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		assert_text(text_of(CASES[i][0]), CASES[i][1]);
}

static void html_alone_is_read_too(void **state)
{
	(void)state;
	struct incoming_mail m = read_mail("From: a@b.example\nContent-Type: text/html; charset=utf-8\n\n"
	                                   "<html><head><title>no</title><style>p{color:red}</style></head><body><div>SAFE&nbsp;&amp; well</div>"
	                                   "<p>in&#x20;Tabriz</p><!-- <p>no</p> --><blockquote>HELP</blockquote><script>x()</script></body></html>");
	assert_true(m.from_html);
	assert_text(m.text, "SAFE & well\nin Tabriz");
	m = read_mail("From: a@b.example\nContent-Type: text/html\n\n<head><p>HELP me");
	assert_text(m.text, "HELP me");
}

static void parts_and_character_sets(void **state)
{
	(void)state;
	struct incoming_mail m = read_mail("From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
	                                   "--x\nContent-Type: multipart/alternative; boundary=y\n\n"
	                                   "--y\nContent-Type: text/html\n\n<p>html</p>\n"
	                                   "--y\nContent-Type: text/plain; charset=windows-1256\nContent-Transfer-Encoding: base64\n\n0+HH4w==\n--y--\n"
	                                   "--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nnot this\n"
	                                   "--x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n--x--\n");
	assert_text(m.text, "سلام");
	assert_false(m.from_html);
	assert_int_equal(m.attachments, 2);
	/* A set nobody knows, bytes that are none, and control characters. */
	m = read_mail("From: a@b.example\nContent-Type: text/plain; charset=x-nobody\n\nHELP \x01\xff now\n");
	assert_true(utf8_valid(m.text));
	assert_true(str_starts(m.text, S("HELP ")));
	assert_true(str_find(m.text, S("\x01"), 0) == SIZE_MAX);
}

static void machines_are_known(void **state)
{
	(void)state;
	static const struct {
		const char *head;
		bool automatic;
	} CASES[] = {
		{ "Auto-Submitted: auto-replied\n", true }, { "Auto-Submitted: auto-generated (vacation)\n", true }, { "Auto-Submitted: no\n", false },
		{ "X-Autoreply: yes\n", true },             { "Precedence: bulk\n", true },                        { "Precedence: first-class\n", false },
		{ "Subject: Automatic reply: Alert\n", true }, { "Subject: Re: automatic reply\n", false },        { "Subject: =?utf-8?B?2LHYryDYqtmE2YLYp9im2Yo=?=\n", true },
		{ "Return-Path: <>\n", true },              { "Return-Path: <a@b.example>\n", false },             { "List-Id: <x.example>\n", true },
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct str raw = str_format(&arena, "%sFrom: a@b.example\n\nSAFE\n", CASES[i].head);
		assert_int_equal(read_mail(raw.ptr).automatic, CASES[i].automatic);
	}
}

static void bounces_are_read(void **state)
{
	(void)state;
	static const char *const REPORT =
		"Return-Path: <>\nDelivered-To: bounce+v9x@chancery.example\nFrom: MAILER-DAEMON@mx.example (Mail Delivery System)\nSubject: Undelivered\n"
		"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n boundary=\"B\"\n\n--B\n\nSorry.\n\n"
		"--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\nArrival-Date: Tue, 24 Nov 2026 11:30:00 +0000\n\n"
		"Final-Recipient: rfc822; other@example.org\nOriginal-Recipient: rfc822;sara@example.org\nAction: %s\nStatus: %s\n"
		"Diagnostic-Code: smtp; 550 %s\n    folded\n\n"
		"--B\nContent-Type: message/rfc822\n\nFrom: x@chancery.example\nMessage-ID: <m.47.9@chancery.example>\nSubject: Alert\n\nanswer SAFE\n\n--B--\n";
	static const struct {
		const char *action, *status, *text;
		enum mail_action want;
		enum mail_fault fault;
	} CASES[] = {
		{ "failed", "5.1.1", "no such user", MAIL_ACTION_FAILED, MAIL_FAULT_RECIPIENT },
		{ "Failed", "5.1.10", "null MX", MAIL_ACTION_FAILED, MAIL_FAULT_RECIPIENT },
		{ "failed", "5.2.2", "mailbox full", MAIL_ACTION_FAILED, MAIL_FAULT_TEMPORARY },
		{ "failed", "5.7.1", "rejected", MAIL_ACTION_FAILED, MAIL_FAULT_MESSAGE },
		{ "failed", "5.1.1", "blocked by policy", MAIL_ACTION_FAILED, MAIL_FAULT_MESSAGE },
		{ "failed", "5.0.0", "user unknown", MAIL_ACTION_FAILED, MAIL_FAULT_RECIPIENT },
		{ "failed", "4.4.1", "timed out", MAIL_ACTION_FAILED, MAIL_FAULT_TEMPORARY },
		{ "delayed", "4.4.1", "timed out", MAIL_ACTION_DELAYED, MAIL_FAULT_TEMPORARY },
		{ "delivered", "2.0.0", "ok", MAIL_ACTION_DELIVERED, MAIL_FAULT_NONE },
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		char raw[2048];
		snprintf(raw, sizeof raw, REPORT, CASES[i].action, CASES[i].status, CASES[i].text);
		struct incoming_mail m = read_mail(raw);
		assert_true(m.bounce.is_bounce);
		assert_true(m.automatic);
		assert_int_equal(m.bounce.action, CASES[i].want);
		assert_int_equal(m.bounce.fault, CASES[i].fault);
		assert_text(m.bounce.status, CASES[i].status);
		assert_text(m.bounce.recipient, "other@example.org");
		assert_text(m.bounce.original_recipient, "sara@example.org");
		assert_text(m.bounce.message_id, "m.47.9@chancery.example");
		assert_text(m.token, "v9x");
		assert_text(m.envelope_from, "");
	}
	/* One that is no report (RFC 3464), as qmail writes. */
	struct incoming_mail m = read_mail("Return-Path: <>\nFrom: MAILER-DAEMON@old.example\nSubject: failure notice\n\nHi. <sara@example.org>:\n"
	                                   "Sorry, no mailbox here by that name. (#5.1.1)\n");
	assert_true(m.bounce.is_bounce);
	assert_text(m.bounce.status, "5.1.1");
	assert_int_equal(m.bounce.fault, MAIL_FAULT_RECIPIENT);
	m = read_mail("Return-Path: <>\nFrom: MAILER-DAEMON@old.example\n\nno idea from 10.5.1.1\n");
	assert_text(m.bounce.status, "");
	assert_int_equal(m.bounce.fault, MAIL_FAULT_MESSAGE);
}

static void complaints_are_no_answers(void **state)
{
	(void)state;
	struct incoming_mail m = read_mail("From: fbl@provider.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=B\n\n"
	                                   "--B\n\nspam\n--B\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--B\n"
	                                   "Content-Type: message/rfc822\n\nMessage-ID: <m1@chancery.example>\n\nx\n--B--\n");
	assert_true(m.complaint);
	assert_true(m.automatic);
	assert_false(m.bounce.is_bounce);
	assert_text(m.bounce.message_id, "m1@chancery.example");
}

static void bounds_hold(void **state)
{
	(void)state;
	struct incoming_mail m = { .attachments = 7 };
	struct err err;
	err_init(&err, &arena);
	assert_int_equal(mail_read(&arena, S(""), &m, &err), INVALID);
	char *big = calloc(1, (size_t)MAIL_SIZE_MAX + 1);
	memset(big, 'x', (size_t)MAIL_SIZE_MAX + 1);
	assert_int_equal(mail_read(&arena, (struct str){ big, (size_t)MAIL_SIZE_MAX + 1 }, &m, &err), INVALID);
	assert_int_equal(m.attachments, 7);
	memcpy(big, "From: a@b.example\n\n", 19);
	assert_int_equal(mail_read(&arena, (struct str){ big, MAIL_SIZE_MAX }, &m, &err), OK);
	assert_true(m.cut);
	assert_int_equal(m.whole_text.len, MAIL_TEXT_MAX);
	free(big);

	/* Mails within mails, deeper than any stack. */
	struct buf deep;
	buf_init(&deep);
	buf_add_str(&deep, S("From: a@b.example\nSubject: HELP\n"));
	for (size_t i = 0; i < 200000; i++)
		buf_add_str(&deep, S("Content-Type: message/rfc822\n\n"));
	assert_int_equal(mail_read(&arena, buf_str(&deep), &m, &err), OK);
	assert_true(m.unparsed);
	assert_text(m.subject, "HELP");
	buf_release(&deep);

	struct buf head;
	buf_init(&head);
	buf_add_str(&head, S("From: a@b.example\nReferences:"));
	for (size_t i = 0; i < 500; i++)
		buf_add_str(&head, S(" <a@b>"));
	buf_add_str(&head, S("\nTo: "));
	for (size_t i = 0; i < 20000; i++)
		buf_add_str(&head, S("x@y.example, "));
	buf_add_str(&head, S("\n\nx"));
	assert_int_equal(mail_read(&arena, buf_str(&head), &m, &err), OK);
	assert_int_equal(m.reference_count, 100);
	buf_release(&head);
}

static void addresses(void **state)
{
	(void)state;
	assert_true(mail_address_valid(S("a.b+c@example.org")));
	assert_true(mail_address_valid(S("سارا@example.org")));
	static const char *const BAD[] = { "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x@y>", "<a@b>", "\"a\"@b", "a@b,c@d" };
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		assert_false(mail_address_valid(str_from(BAD[i])));
	char big[260];
	memset(big, 'a', sizeof big);
	big[1] = '@';
	assert_true(mail_address_valid((struct str){ big, 254 }));
	assert_false(mail_address_valid((struct str){ big, 255 }));
}

static void replies_mean_what_they_mean(void **state)
{
	(void)state;
	assert_int_equal(mail_fault_of(550, S(""), S("550 5.1.1 <x>: User unknown")), MAIL_FAULT_RECIPIENT);
	assert_int_equal(mail_fault_of(550, S(""), S("550 no such user here")), MAIL_FAULT_RECIPIENT);
	assert_int_equal(mail_fault_of(550, S(""), S("550 go away")), MAIL_FAULT_MESSAGE);
	assert_int_equal(mail_fault_of(554, S(""), S("554 5.7.1 Relay access denied")), MAIL_FAULT_MESSAGE);
	assert_int_equal(mail_fault_of(552, S(""), S("552 5.2.2 over quota")), MAIL_FAULT_TEMPORARY);
	assert_int_equal(mail_fault_of(451, S(""), S("451 5.1.1 odd")), MAIL_FAULT_TEMPORARY);
	assert_int_equal(mail_fault_of(250, S(""), S("250 2.0.0 ok")), MAIL_FAULT_NONE);
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
		cmocka_unit_test(an_answer_is_read_whole), cmocka_unit_test(quotes_and_signatures_go), cmocka_unit_test(html_alone_is_read_too),
		cmocka_unit_test(parts_and_character_sets), cmocka_unit_test(machines_are_known), cmocka_unit_test(bounces_are_read),
		cmocka_unit_test(complaints_are_no_answers), cmocka_unit_test(bounds_hold), cmocka_unit_test(addresses),
		cmocka_unit_test(replies_mean_what_they_mean),
	};
	return cmocka_run_group_tests_name("mail", tests, setup, teardown);
}
