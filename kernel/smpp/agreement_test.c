/* What operators write about a carrier, and absolute times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/smpp/smpp.h"

static void status_rules(void **state)
{
	(void)state;
	struct smpp_status_rule rules[SMPP_STATUS_RULES_MAX];
	size_t count = 99;
	assert_true(smpp_status_rules_parse(S(" 0x401=permanent  69=throttle 0x0B=temporary 1026=recipient "), rules, &count));
	assert_int_equal(count, 4);
	assert_int_equal(smpp_status_group_by(rules, count, 0x401), SMPP_GROUP_MESSAGE);
	assert_int_equal(smpp_status_group_by(rules, count, 0x45), SMPP_GROUP_THROTTLE);
	assert_int_equal(smpp_status_group_by(rules, count, 0x0B), SMPP_GROUP_TEMPORARY);
	assert_int_equal(smpp_status_group_by(rules, count, 1026), SMPP_GROUP_RECIPIENT);
	assert_int_equal(smpp_status_group_by(rules, count, 0x58), SMPP_GROUP_THROTTLE); /* not named: the standard's */
	assert_int_equal(smpp_status_group_by(rules, count, 0), SMPP_GROUP_OK);
	assert_true(smpp_status_rules_parse(S(""), rules, &count));
	assert_int_equal(count, 0);
	static const char *const bad[] = { "0=throttle", "69", "69=", "=throttle", "69=Throttle", "0x=throttle", "4294967296=throttle", "-1=throttle", "69=ok" };
	count = 7;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(smpp_status_rules_parse(str_from(bad[i]), rules, &count));
	struct buf many;
	buf_init(&many);
	for (int i = 0; i < SMPP_STATUS_RULES_MAX; i++)
		buf_add_str(&many, S("69=throttle "));
	assert_true(smpp_status_rules_parse(buf_str(&many), rules, &count));
	buf_add_str(&many, S("69=throttle"));
	assert_false(smpp_status_rules_parse(buf_str(&many), rules, &count));
	assert_int_equal(count, SMPP_STATUS_RULES_MAX);
	buf_release(&many);
}

static void vendor_tlvs(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out);
	assert_true(smpp_vendor_parse(S("1400=0102ff 3fff= 1401=41"), &out));
	assert_int_equal(out.len, 16);
	assert_memory_equal(out.ptr, "\x14\x00\x00\x03\x01\x02\xff\x3f\xff\x00\x00\x14\x01\x00\x01\x41", 16);
	static const char *const bad[] = { "13FF=00", "4000=00", "1400", "1400=0", "1400=0g", "=00", "114000=00" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(smpp_vendor_parse(str_from(bad[i]), &out));
	assert_int_equal(out.len, 16);
	struct buf big;
	buf_init(&big);
	buf_add_str(&big, S("1400="));
	for (int i = 0; i < 4092; i++)
		buf_add_str(&big, S("ab"));
	buf_clear(&out);
	assert_true(smpp_vendor_parse(buf_str(&big), &out));
	assert_int_equal(out.len, 4096);
	buf_add_str(&big, S("cd"));
	assert_false(smpp_vendor_parse(buf_str(&big), &out));
	assert_int_equal(out.len, 4096);
	buf_release(&big);
	buf_release(&out);
}

static void absolute_times(void **state)
{
	(void)state;
	char text[17];
	smpp_time_absolute(INT64_C(1795534508) * CLOCK_SECOND + 999999, text); /* 2026-11-24 15:35:08.99 UTC */
	assert_string_equal(text, "261124153508000+");
	smpp_time_absolute(INT64_C(951782399) * CLOCK_SECOND, text); /* the second before 29 February 2000 */
	assert_string_equal(text, "000228235959000+");
	smpp_time_absolute(INT64_C(4102444799) * CLOCK_SECOND, text);
	assert_string_equal(text, "991231235959000+");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_rules),
		cmocka_unit_test(vendor_tlvs),
		cmocka_unit_test(absolute_times),
	};
	return cmocka_run_group_tests_name("agreement", tests, NULL, NULL);
}
