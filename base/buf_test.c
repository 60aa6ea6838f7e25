#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static void test_texts_and_numbers(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	assert_true(str_equal(buf_str(&buf), S("")));
	buf_add_str(&buf, STR_NONE);
	buf_add(&buf, NULL, 0);
	buf_add_str(&buf, S("ab"));
	buf_add_char(&buf, ' ');
	buf_add_int(&buf, 0);
	buf_add_char(&buf, ' ');
	buf_add_int(&buf, INT64_MIN);
	buf_add_char(&buf, ' ');
	buf_add_int(&buf, INT64_MAX);
	buf_format(&buf, " %d-%s", 7, "x");
	assert_true(str_equal(buf_str(&buf), S("ab 0 -9223372036854775808 9223372036854775807 7-x")));
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	assert_true(buf.capacity > 0);
	buf_release(&buf);
	assert_int_equal(buf.capacity, 0);
}

static void test_big_endian(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	buf_add_u8(&buf, 0xFE);
	buf_add_u16(&buf, 0x0102);
	buf_add_u32(&buf, 0xA1B2C3D4);
	assert_true(str_equal(buf_str(&buf), S("\xFE\x01\x02\xA1\xB2\xC3\xD4")));
	buf_release(&buf);
}

static void test_varint(void **state)
{
	(void)state;
	static const struct {
		uint64_t value;
		struct str bytes;
	} cases[] = {
		{ 0, { "\x00", 1 } },
		{ 127, { "\x7F", 1 } },
		{ 128, { "\x80\x01", 2 } },
		{ 624485, { "\xE5\x8E\x26", 3 } }, /* the example of DWARF's appendix on LEB128 */
		{ UINT64_MAX, { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf buf;
		buf_init(&buf);
		buf_add_varint(&buf, cases[i].value);
		assert_true(str_equal(buf_str(&buf), cases[i].bytes));
		buf_release(&buf);
	}
}

static void test_grow_and_consume(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	buf_consume(&buf, 5);
	for (uint32_t i = 0; i < 10000; i++)
		buf_add_u32(&buf, i);
	assert_int_equal(buf.len, 40000);
	buf_consume(&buf, 0);
	buf_consume(&buf, (size_t)4 * 9999);
	assert_true(str_equal(buf_str(&buf), S("\x00\x00\x27\x0F")));
	buf_consume(&buf, 4);
	assert_int_equal(buf.len, 0);
	buf_release(&buf);
}

static void test_format_longer_than_capacity(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf);
	for (int length = 0; length < 300; length++) {
		size_t before = buf.len;
		buf_format(&buf, "%*s", length, "");
		assert_int_equal(buf.len - before, length);
	}
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_and_numbers),
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_grow_and_consume),
		cmocka_unit_test(test_format_longer_than_capacity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
