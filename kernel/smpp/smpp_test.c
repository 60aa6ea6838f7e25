#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/smpp/smpp.h"

static void assert_text(struct str got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.ptr ? got.ptr : "", want, got.len);
}

static struct smpp_message sample(void)
{
	return (struct smpp_message){
		.service_type = S("CMT"), .source = { 5, 0, S("MFA") }, .destination = { 1, 1, S("15550100") },
		.esm_class = 0x40, .priority = 1, .validity_period = S("000001000000000R"), .registered_delivery = 1,
		.data_coding = 8, .short_message = { "\x05\x00\x03\x01\x02\x01\x06\x33", 8 },
		.sar_reference = 0xBEEF, .sar_total = 3, .sar_number = 2,
	};
}

static void a_message_survives_the_wire(void **state)
{
	(void)state;
	static const uint32_t COMMANDS[] = { SMPP_SUBMIT_SM, SMPP_DELIVER_SM };
	for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
		struct buf buf;
		buf_init(&buf);
		struct smpp_message m = sample();
		assert_true(smpp_put_message(&buf, COMMANDS[i], 77, &m));
		struct smpp_pdu pdu;
		assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
		assert_int_equal(pdu.command, COMMANDS[i]);
		assert_int_equal(pdu.sequence, 77);
		assert_text(pdu.message.service_type, "CMT");
		assert_text(pdu.message.source.text, "MFA");
		assert_int_equal(pdu.message.source.ton, 5);
		assert_text(pdu.message.destination.text, "15550100");
		assert_int_equal(pdu.message.esm_class, 0x40);
		assert_int_equal(pdu.message.data_coding, 8);
		assert_int_equal(pdu.message.registered_delivery, 1);
		assert_text(pdu.message.validity_period, "000001000000000R");
		assert_int_equal(pdu.message.short_message.len, 8);
		assert_memory_equal(pdu.message.short_message.ptr, m.short_message.ptr, 8);
		assert_int_equal(pdu.message.sar_reference, 0xBEEF);
		assert_int_equal(pdu.message.sar_total, 3);
		assert_int_equal(pdu.message.sar_number, 2);
		buf_release(&buf);
	}
}

/* The worked example of SMPP 3.4 section 3.2.3 (bind_transmitter of "SMPP3TEST"). */
static void the_example_of_the_standard_is_written_byte_for_byte(void **state)
{
	(void)state;
	static const uint8_t want[] = { 0x00, 0x00, 0x00, 0x2F, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
		                        0x53, 0x4D, 0x50, 0x50, 0x33, 0x54, 0x45, 0x53, 0x54, 0x00, 0x73, 0x65, 0x63, 0x72, 0x65, 0x74,
		                        0x30, 0x38, 0x00, 0x53, 0x55, 0x42, 0x4D, 0x49, 0x54, 0x31, 0x00, 0x00, 0x01, 0x01, 0x00 };
	struct buf buf;
	buf_init(&buf);
	struct smpp_bind bind = { S("SMPP3TEST"), S("secret08"), S("SUBMIT1"), 0, { 1, 1, S("") } };
	assert_true(smpp_put_bind(&buf, SMPP_BIND_TRANSMITTER, 1, &bind));
	assert_int_equal(buf.len, sizeof want);
	assert_memory_equal(buf.ptr, want, sizeof want);
	struct smpp_pdu pdu;
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_text(pdu.bind.system_id, "SMPP3TEST");
	assert_text(pdu.bind.password, "secret08");
	assert_text(pdu.bind.system_type, "SUBMIT1");
	buf_release(&buf);
}

static void data_sm_carries_a_payload(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	struct smpp_message m = { .source = { 1, 1, S("15550100") }, .destination = { 3, 0, S("4411") },
		                  .data_coding = 3, .message_payload = S("SAFE"), .receipted_message_id = S("AB12"),
		                  .network_error_code = { "\x03\x00\x01", 3 }, .message_state = 2, .has_message_state = true };
	assert_true(smpp_put_message(&buf, SMPP_DATA_SM, 5, &m));
	struct smpp_pdu pdu;
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_text(smpp_message_bytes(&pdu.message), "SAFE");
	assert_text(pdu.message.receipted_message_id, "AB12");
	assert_int_equal(pdu.message.message_state, 2);
	assert_int_equal(pdu.message.data_coding, 3);
	m.short_message = S("no room for this");
	assert_false(smpp_put_message(&buf, SMPP_DATA_SM, 5, &m));
	buf_release(&buf);
}

static void responses_are_read_with_and_without_a_body(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	struct smpp_pdu pdu;
	assert_true(smpp_put_message_response(&buf, SMPP_SUBMIT_SM, SMPP_ROK, 9, S("id-1")));
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_int_equal(pdu.command, SMPP_SUBMIT_SM | SMPP_RESPONSE);
	assert_text(pdu.id, "id-1");
	buf_clear(&buf);
	assert_true(smpp_put_message_response(&buf, SMPP_SUBMIT_SM, SMPP_RTHROTTLED, 10, S("id-1")));
	assert_int_equal(buf.len, SMPP_HEADER_SIZE);
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_int_equal(pdu.status, SMPP_RTHROTTLED);
	assert_text(pdu.id, "");
	buf_clear(&buf);
	assert_true(smpp_put_bind_response(&buf, SMPP_BIND_TRANSCEIVER, SMPP_ROK, 1, S("SMSC")));
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_text(pdu.id, "SMSC");
	buf_clear(&buf);
	smpp_put_empty(&buf, SMPP_ENQUIRE_LINK, 0, 3);
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_int_equal(pdu.command, SMPP_ENQUIRE_LINK);
	buf_release(&buf);
}

static void what_does_not_fit_is_not_written(void **state)
{
	(void)state;
	char big[SMPP_SHORT_MESSAGE_MAX + 1];
	memset(big, 'x', sizeof big);
	struct buf buf;
	buf_init(&buf);
	struct smpp_message m = sample();
	m.short_message = (struct str){ big, SMPP_SHORT_MESSAGE_MAX };
	assert_true(smpp_put_message(&buf, SMPP_SUBMIT_SM, 1, &m));
	buf_clear(&buf);
	m.short_message.len++;
	assert_false(smpp_put_message(&buf, SMPP_SUBMIT_SM, 1, &m));
	m = sample();
	m.destination.text = (struct str){ "155\0" "0100", 8 };
	assert_false(smpp_put_message(&buf, SMPP_SUBMIT_SM, 1, &m));
	m = sample();
	m.destination.text = (struct str){ big, SMPP_ADDRESS_MAX };
	assert_true(smpp_put_message(&buf, SMPP_SUBMIT_SM, 1, &m));
	buf_clear(&buf);
	m.destination.text.len++;
	assert_false(smpp_put_message(&buf, SMPP_SUBMIT_SM, 1, &m));
	assert_false(smpp_put_message_response(&buf, SMPP_SUBMIT_SM, 0, 1, (struct str){ big, SMPP_MESSAGE_ID_MAX + 1 }));
	assert_int_equal(buf.len, 0);
	buf_release(&buf);
}

static void frames_are_cut_from_a_stream(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	struct str pdu = STR_NONE;
	smpp_put_empty(&buf, SMPP_ENQUIRE_LINK, 0, 1);
	smpp_put_empty(&buf, SMPP_UNBIND, 0, 2);
	for (size_t n = 0; n < SMPP_HEADER_SIZE; n++)
		assert_int_equal(smpp_frame((struct str){ buf.ptr, n }, &pdu), SMPP_FRAME_MORE);
	assert_true(str_is_none(pdu));
	assert_int_equal(smpp_frame(buf_str(&buf), &pdu), SMPP_FRAME_WHOLE);
	assert_int_equal(pdu.len, SMPP_HEADER_SIZE);
	buf_release(&buf);

	assert_int_equal(smpp_frame((struct str){ "\x00\x00\x00\x0f", 4 }, &pdu), SMPP_FRAME_BAD);
	assert_int_equal(smpp_frame((struct str){ "\x40\x00\x00\x00", 4 }, &pdu), SMPP_FRAME_BAD);
	assert_int_equal(smpp_frame((struct str){ "\xff\xff\xff\xff", 4 }, &pdu), SMPP_FRAME_BAD);
	assert_int_equal(smpp_frame((struct str){ "\x00\x01\x00\x00", 4 }, &pdu), SMPP_FRAME_MORE);
	assert_int_equal(smpp_frame((struct str){ "\x00\x01\x00\x01", 4 }, &pdu), SMPP_FRAME_BAD);
}

/* Every cut and every lying length of a good PDU is refused or read within bounds (run under the sanitizers). */
static void cut_and_lying_pdus_are_refused(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	struct smpp_message m = sample();
	m.message_payload = S("payload");
	assert_true(smpp_put_message(&buf, SMPP_DELIVER_SM, 1, &m));
	for (size_t n = SMPP_HEADER_SIZE; n < buf.len; n++) {
		char *copy = malloc(n);
		memcpy(copy, buf.ptr, n);
		copy[2] = (char)(n >> 8);
		copy[3] = (char)n;
		struct smpp_pdu pdu;
		uint32_t status = smpp_decode((struct str){ copy, n }, &pdu);
		/* Cut exactly between two TLVs it is another good PDU; everywhere else it is not. */
		if (status == SMPP_ROK)
			assert_text(pdu.message.destination.text, "15550100");
		else
			assert_true(status == SMPP_RINVMSGLEN || status == SMPP_RINVOPTPARSTREAM);
		assert_int_equal(pdu.command, SMPP_DELIVER_SM);
		free(copy);
	}
	struct smpp_pdu pdu = { .command = 0 };
	assert_int_equal(smpp_decode((struct str){ buf.ptr, buf.len - 1 }, &pdu), SMPP_RINVCMDLEN);
	assert_int_equal(pdu.command, 0);
	buf_release(&buf);
}

static void unknown_things_are_skipped_or_named(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	struct smpp_message m = sample();
	m.vendor = (struct str){ "\x14\x00\x00\x03" "abc" "\x04\x27\x00\x02\x01\x02", 13 };
	assert_true(smpp_put_message(&buf, SMPP_DELIVER_SM, 1, &m));
	struct smpp_pdu pdu;
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_false(pdu.message.has_message_state); /* two octets are no message_state */
	buf_clear(&buf);
	smpp_put_empty(&buf, 0x21, 0, 4);
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_RINVCMDID);
	assert_int_equal(pdu.sequence, 4);
	buf_release(&buf);
}

static void relative_times(void **state)
{
	(void)state;
	char text[17];
	smpp_time_relative(90061, text);
	assert_string_equal(text, "000001010101000R");
	smpp_time_relative(-5, text);
	assert_string_equal(text, "000000000001000R");
	smpp_time_relative(INT64_MAX, text);
	assert_string_equal(text, "000030000000000R");
}

static void statuses_have_their_groups(void **state)
{
	(void)state;
	assert_int_equal(smpp_status_group(0), SMPP_GROUP_OK);
	assert_int_equal(smpp_status_group(0x58), SMPP_GROUP_THROTTLE);
	assert_int_equal(smpp_status_group(0x14), SMPP_GROUP_THROTTLE);
	assert_int_equal(smpp_status_group(0x0B), SMPP_GROUP_RECIPIENT);
	assert_int_equal(smpp_status_group(0x0E), SMPP_GROUP_BIND);
	assert_int_equal(smpp_status_group(0x61), SMPP_GROUP_MESSAGE);
	assert_int_equal(smpp_status_group(0x64), SMPP_GROUP_TEMPORARY);
	assert_int_equal(smpp_status_group(0x400), SMPP_GROUP_TEMPORARY);
	assert_string_equal(smpp_status_name(0x58), "ESME_RTHROTTLED");
	assert_string_equal(smpp_status_name(0x455), "vendor status");
	assert_string_equal(smpp_status_name(0x12345), "unknown status");
}

struct receipt_case {
	const char *text, *id, *stat, *error;
	enum smpp_state state;
	const char *done; /* RFC 3339, or NULL */
};

static const struct receipt_case RECEIPTS[] = {
	{ "id:0123456789 sub:001 dlvrd:001 submit date:2611241130 done date:2611241131 stat:DELIVRD err:000 text:Hello", "0123456789",
	  "DELIVRD", "000", SMPP_STATE_DELIVERED, "2026-11-24T11:31:00Z" },
	{ "id:1 submit date:261124113000 done date:261124113105 stat:UNDELIV err:21b Text:abc", "1", "UNDELIV", "21b",
	  SMPP_STATE_UNDELIVERABLE, "2026-11-24T11:31:05Z" },
	{ "id:2 submit date:20261124113000 done date:20261124113105 stat:EXPIRED err:0375 text:", "2", "EXPIRED", "0375",
	  SMPP_STATE_EXPIRED, "2026-11-24T11:31:05Z" },
	{ "id:3 done date:202611241131 stat:REJECTD err:null", "3", "REJECTD", "null", SMPP_STATE_REJECTED, "2026-11-24T11:31:00Z" },
	{ "id:4-a5-b6 submitdate:0000000000 donedate:0000000000 stat:ACCEPTD err:375 text:x", "4-a5-b6", "ACCEPTD", "375",
	  SMPP_STATE_ACCEPTED, NULL },
	{ "stat:DELIVRD err:000 id:77 done date:2611241131 sub:001", "77", "DELIVRD", "000", SMPP_STATE_DELIVERED,
	  "2026-11-24T11:31:00Z" },
	{ "id:5 stat:FAILED text:none", "5", "FAILED", "", SMPP_STATE_UNDELIVERABLE, NULL },
	{ "id:6 stat:BUFFERD err:0", "6", "BUFFERD", "0", SMPP_STATE_ENROUTE, NULL },
	{ "id:7 stat:0 err:0", "7", "0", "0", SMPP_STATE_UNKNOWN_WORD, NULL },
	{ "id:8 stat:SOMETHINGVERYNEW err:1", "8", "SOMETHINGVERYNEW", "1", SMPP_STATE_UNKNOWN_WORD, NULL },
	{ "id:9 stat: err:000", "9", "", "000", SMPP_STATE_UNKNOWN_WORD, NULL },
	{ "id: 10 stat: DELIVRD", "10", "DELIVRD", "", SMPP_STATE_DELIVERED, NULL },
	{ "ID:11 STAT:delivrd ERR:000", "11", "delivrd", "000", SMPP_STATE_DELIVERED, NULL },
	{ "id:SAR-0a1b-2-1 stat:DELETED", "SAR-0a1b-2-1", "DELETED", "", SMPP_STATE_DELETED, NULL },
	{ "id:12 stat:UNDELIV err:001 text:id:99 stat:DELIVRD", "12", "UNDELIV", "001", SMPP_STATE_UNDELIVERABLE, NULL },
	{ "id:13 text:stat:DELIVRD ok stat:UNDELIV err:5", "13", "UNDELIV", "5", SMPP_STATE_UNDELIVERABLE, NULL },
	{ "id:14 stat:ENROUTE\x1b" "err:2", "14", "ENROUTE", "2", SMPP_STATE_ENROUTE, NULL },
	{ "id:15 done date:2613451131 stat:UNKNOWN", "15", "UNKNOWN", "", SMPP_STATE_UNKNOWN, NULL },
	{ "no labels at all", "", "", "", SMPP_STATE_UNKNOWN_WORD, NULL },
	{ "", "", "", "", SMPP_STATE_UNKNOWN_WORD, NULL },
};

static void receipts_as_carriers_write_them(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < COUNT_OF(RECEIPTS); i++) {
		const struct receipt_case *c = &RECEIPTS[i];
		char wide[512];
		size_t n = strlen(c->text);
		for (size_t k = 0; k < n; k++) {
			wide[2 * k] = 0;
			wide[2 * k + 1] = c->text[k];
		}
		/* The same in short_message, in the payload, in UCS-2, with a user data header. */
		struct smpp_message forms[] = {
			{ .esm_class = 0x04, .short_message = { c->text, n } },
			{ .esm_class = 0x04, .data_coding = 8, .message_payload = { c->text, n } },
			{ .esm_class = 0x04, .data_coding = 8, .short_message = { wide, 2 * n } },
		};
		for (size_t f = 0; f < COUNT_OF(forms); f++) {
			struct smpp_receipt r;
			assert_true(smpp_receipt_read(&arena, &forms[f], &r));
			assert_text(r.id, c->id);
			assert_text(r.stat, c->stat);
			assert_text(r.error, c->error);
			assert_int_equal(r.state, c->state);
			assert_false(r.by_content);
			int64_t done = 0;
			if (c->done)
				assert_true(clock_parse(str_from(c->done), &done));
			assert_int_equal(r.done, done);
		}
	}
	arena_release(&arena);
}

static void tlvs_win_over_text(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct smpp_receipt r;
	struct smpp_message m = { .short_message = S("id:1 stat:DELIVRD err:000"), .receipted_message_id = S("abc"),
		                  .has_message_state = true, .message_state = 5, .network_error_code = { "\x03\x01\x02", 3 } };
	assert_true(smpp_receipt_read(&arena, &m, &r));
	assert_text(r.id, "abc");
	assert_int_equal(r.state, SMPP_STATE_UNDELIVERABLE);
	assert_true(r.final);
	assert_text(r.error, "000");
	m.short_message = STR_NONE;
	assert_true(smpp_receipt_read(&arena, &m, &r));
	assert_text(r.error, "3/258");
	/* A state that says nothing does not hide the word that does. */
	m.short_message = S("id:1 stat:DELIVRD err:000");
	m.message_state = 7;
	assert_true(smpp_receipt_read(&arena, &m, &r));
	assert_int_equal(r.state, SMPP_STATE_DELIVERED);
	m.message_state = 200;
	assert_true(smpp_receipt_read(&arena, &m, &r));
	assert_int_equal(r.state, SMPP_STATE_DELIVERED);
	arena_release(&arena);
}

static void peoples_messages_are_no_receipts(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	static const char *TEXTS[] = { "SAFE", "", "my id: 12345", "HELP id:1 stat:DELIVRD err:000", "id:1 stat:DELIVRD", "id: stat:X err:1" };
	struct smpp_receipt r = { .state = SMPP_STATE_REJECTED };
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
		struct smpp_message m = { .short_message = str_from(TEXTS[i]) };
		assert_false(smpp_receipt_read(&arena, &m, &r));
	}
	assert_int_equal(r.state, SMPP_STATE_REJECTED);
	struct smpp_message m = { .short_message = S("id:1 sub:001 dlvrd:001 stat:DELIVRD err:000") };
	assert_true(smpp_receipt_read(&arena, &m, &r));
	assert_true(r.by_content);
	arena_release(&arena);
}

/* True if the receipt's id finds what was kept for the answer's id. */
static bool meets(const char *answer, const char *receipt)
{
	uint64_t kept[SMPP_ID_KEYS], sought[SMPP_ID_KEYS];
	size_t kept_count = smpp_id_keys(str_from(answer), kept);
	size_t count = smpp_id_keys(str_from(receipt), sought);
	for (size_t i = 0; kept_count && i < count; i++)
		if (sought[i] == kept[0])
			return true;
	return false;
}

static void ids_meet_in_every_form(void **state)
{
	(void)state;
	static const char *SAME[][2] = {
		{ "abc-1", "abc-1" }, { "ABCDEF", "abcdef" }, { "0001234", "1234" }, { "10C8F40D", "281605133" },
		{ "281605133", "10c8f40d" }, { "281605133", "0010C8F40D" }, { "812FC7470000001B", "9308878062554710043" },
		{ "9308878062554710043", "812fc7470000001b" }, { "0", "000" }, { "550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000" },
		{ "ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455" },
		{ "0x10C8F40D", "281605133" }, { "281605133", "0X10c8f40d" }, { "77 ", "0077" },
	};
	static const char *OTHER[][2] = {
		{ "1234", "1235" }, { "12", "120" }, { "", "" }, { "9223372036854775808", "9223372036854775809" },
		{ "abc", "abd" }, { "g1", "1" }, { "340282366920938463463374607431768211456", "0" },
	};
	for (size_t i = 0; i < COUNT_OF(SAME); i++)
		assert_true(meets(SAME[i][0], SAME[i][1]));
	for (size_t i = 0; i < COUNT_OF(OTHER); i++)
		assert_false(meets(OTHER[i][0], OTHER[i][1]));
	char big[SMPP_MESSAGE_ID_MAX + 1];
	memset(big, '1', sizeof big);
	uint64_t keys[SMPP_ID_KEYS];
	assert_int_equal(smpp_id_keys((struct str){ big, SMPP_MESSAGE_ID_MAX }, keys), 1);
	assert_int_equal(smpp_id_keys((struct str){ big, SMPP_MESSAGE_ID_MAX + 1 }, keys), 0);
	/* Stored in databases: must be the same for ever. */
	assert_int_equal(smpp_id_keys(S("10C8F40D"), keys), 2);
	assert_true(keys[0] == UINT64_C(0xa1c10e8872de44da));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_survives_the_wire),
		cmocka_unit_test(the_example_of_the_standard_is_written_byte_for_byte),
		cmocka_unit_test(data_sm_carries_a_payload),
		cmocka_unit_test(responses_are_read_with_and_without_a_body),
		cmocka_unit_test(what_does_not_fit_is_not_written),
		cmocka_unit_test(frames_are_cut_from_a_stream),
		cmocka_unit_test(cut_and_lying_pdus_are_refused),
		cmocka_unit_test(unknown_things_are_skipped_or_named),
		cmocka_unit_test(relative_times),
		cmocka_unit_test(statuses_have_their_groups),
		cmocka_unit_test(receipts_as_carriers_write_them),
		cmocka_unit_test(tlvs_win_over_text),
		cmocka_unit_test(peoples_messages_are_no_receipts),
		cmocka_unit_test(ids_meet_in_every_form),
	};
	return cmocka_run_group_tests_name("smpp", tests, NULL, NULL);
}
