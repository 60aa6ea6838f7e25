/* Figures in these tests come from 3GPP TS 23.038 and 23.040; headers and packing are written out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/base.h"
#include "kernel/text/sms.h"

static struct arena arena;

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

static struct str repeat(struct str unit, size_t count)
{
	char *out = arena_alloc(&arena, unit.len * count + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(out + i * unit.len, unit.ptr, unit.len);
	return (struct str){ out, unit.len * count };
}

static struct str join(struct str a, struct str b)
{
	return str_concat(&arena, a, b);
}

static struct sms_measure measure(struct str text, enum sms_joining size)
{
	struct sms_measure out;
	struct sms_options options = { .road.joining = size };

	assert_int_equal(sms_measure(&arena, text, &options, &out, NULL), OK);
	return out;
}

static struct sms_message split(struct str text, enum sms_joining size)
{
	struct sms_message out;
	struct sms_options options = { .road.joining = size, .reference = 0xABCD, .parts_max = SMS_PARTS_CEILING };

	assert_int_equal(sms_split(&arena, text, &options, &out, NULL), OK);
	return out;
}

/* Reads all parts back the way an incoming message is read. */
static struct str read_back(const struct sms_message *message)
{
	struct str joined = S("");
	enum sms_charset charset = SMS_CHARSET_BINARY;
	bool lossy;

	for (size_t i = 0; i < message->part_count; i++) {
		const struct sms_part *part = &message->parts[i];
		struct sms_received received = { .bytes = part->short_message,
			                         .esm_class = part->esm_class,
			                         .data_coding = part->data_coding };
		struct sms_incoming incoming;

		sms_take_apart(&arena, &received, &incoming);
		assert_false(incoming.header_broken);
		if (message->part_count > 1) {
			assert_int_equal(incoming.header.concatenation.total, message->part_count);
			assert_int_equal(incoming.header.concatenation.sequence, i + 1);
		}
		charset = incoming.charset;
		joined = join(joined, incoming.payload);
	}
	struct str text = sms_decode(&arena, charset, joined, &lossy);

	assert_false(lossy);
	return text;
}

static void assert_str(struct str got, struct str want)
{
	if (!str_equal(got, want))
		print_message("got  [%.*s]\nwant [%.*s]\n", STR_ARG(got), STR_ARG(want));
	assert_true(str_equal(got, want));
}

static void assert_hex(struct str got, const char *want)
{
	assert_string_equal(str_hex(&arena, got.ptr, got.len).ptr, want);
}

static void test_capacity(void **state)
{
	(void)state;
	static const struct {
		const char *unit;
		size_t count;
		enum sms_joining size;
		enum sms_encoding encoding;
		size_t units, parts, part_units, left;
	} rows[] = {
		{ "a", 0, SMS_JOIN_UDH_8, SMS_GSM7, 0, 1, 160, 160 },
		{ "a", 1, SMS_JOIN_UDH_8, SMS_GSM7, 1, 1, 160, 159 },
		{ "a", 160, SMS_JOIN_UDH_8, SMS_GSM7, 160, 1, 160, 0 },
		{ "a", 161, SMS_JOIN_UDH_8, SMS_GSM7, 161, 2, 153, 145 },
		{ "a", 161, SMS_JOIN_UDH_16, SMS_GSM7, 161, 2, 152, 143 },
		{ "a", 306, SMS_JOIN_UDH_8, SMS_GSM7, 306, 2, 153, 0 },
		{ "a", 306, SMS_JOIN_UDH_16, SMS_GSM7, 306, 3, 152, 150 },
		{ "a", 307, SMS_JOIN_UDH_8, SMS_GSM7, 307, 3, 153, 152 },
		{ "a", 304, SMS_JOIN_UDH_16, SMS_GSM7, 304, 2, 152, 0 },
		{ "\xE2\x82\xAC", 80, SMS_JOIN_UDH_8, SMS_GSM7, 160, 1, 160, 0 },
		/* 153 is odd: every part of euro signs wastes a septet */
		{ "\xE2\x82\xAC", 152, SMS_JOIN_UDH_8, SMS_GSM7, 304, 2, 153, 1 },
		{ "\xE2\x82\xAC", 153, SMS_JOIN_UDH_8, SMS_GSM7, 306, 3, 153, 151 },
		{ "\xE2\x82\xAC", 152, SMS_JOIN_UDH_16, SMS_GSM7, 304, 2, 152, 0 },
		{ "\xD8\xA7", 70, SMS_JOIN_UDH_8, SMS_UCS2, 70, 1, 70, 0 },
		{ "\xD8\xA7", 71, SMS_JOIN_UDH_8, SMS_UCS2, 71, 2, 67, 63 },
		{ "\xD8\xA7", 134, SMS_JOIN_UDH_8, SMS_UCS2, 134, 2, 67, 0 },
		{ "\xD8\xA7", 134, SMS_JOIN_UDH_16, SMS_UCS2, 134, 3, 66, 64 },
		{ "\xD8\xA7", 132, SMS_JOIN_UDH_16, SMS_UCS2, 132, 2, 66, 0 },
		/* 67 is odd: an emoji is two units and is not cut */
		{ "\xF0\x9F\x98\x80", 35, SMS_JOIN_UDH_8, SMS_UCS2, 70, 1, 70, 0 },
		{ "\xF0\x9F\x98\x80", 66, SMS_JOIN_UDH_8, SMS_UCS2, 132, 2, 67, 1 },
		{ "\xF0\x9F\x98\x80", 67, SMS_JOIN_UDH_8, SMS_UCS2, 134, 3, 67, 65 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str text = repeat(str_from(rows[i].unit), rows[i].count);
		struct sms_measure got = measure(text, rows[i].size);

		assert_int_equal(got.encoding, rows[i].encoding);
		assert_int_equal(got.units, rows[i].units);
		assert_int_equal(got.parts, rows[i].parts);
		assert_int_equal(got.part_units, rows[i].part_units);
		assert_int_equal(got.units_left, rows[i].left);
		struct sms_message message = split(text, rows[i].size);

		assert_int_equal(message.part_count, rows[i].parts);
		assert_str(read_back(&message), text);
	}
}

/* Capacities and fill bits of the known headers: 160 - ceil(8 x octets / 7). */
static void test_fill_bits(void **state)
{
	(void)state;
	static const struct {
		size_t octets, septets;
		unsigned fill;
	} rows[] = {
		{ 0, 160, 0 }, { 4, 155, 3 },  { 7, 152, 0 },  { 6, 153, 1 },
		{ 9, 149, 5 }, { 12, 146, 2 }, { 10, 148, 4 }, { 13, 145, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(sms_fill_bits(rows[i].octets), rows[i].fill);
		/* header, fill and text take 140 octets at most */
		assert_true(rows[i].octets * 8 + rows[i].fill + rows[i].septets * 7 <= SMS_OCTETS * 8);
		assert_true(rows[i].octets * 8 + rows[i].fill + (rows[i].septets + 1) * 7 > SMS_OCTETS * 8);
	}
}

static void test_octets(void **state)
{
	(void)state;
	struct sms_message message = split(S("@ \xC2\xA3 [~] \xE2\x82\xAC_"), SMS_JOIN_UDH_8);

	assert_int_equal(message.part_count, 1);
	assert_int_equal(message.parts[0].esm_class, 0);
	assert_int_equal(message.parts[0].data_coding, 0);
	assert_hex(message.parts[0].short_message, "002001201b3c1b3d1b3e201b6511");

	/* Persian: seen to stand in UTF-16 big-endian */
	message = split(S("\xDA\xA9\xD9\x85\xDA\xA9"), SMS_JOIN_UDH_8);
	assert_int_equal(message.parts[0].data_coding, 8);
	assert_hex(message.parts[0].short_message, "06a9064506a9");

	message = split(S("\xF0\x9F\x98\x80"), SMS_JOIN_UDH_8);
	assert_hex(message.parts[0].short_message, "d83dde00");

	message = split(repeat(S("b"), 161), SMS_JOIN_UDH_8);
	assert_int_equal(message.parts[0].esm_class, 0x40);
	assert_int_equal(message.parts[0].short_message.len, 159);
	assert_hex(str_slice(message.parts[0].short_message, 0, 7), "050003cd020162");
	assert_hex(message.parts[1].short_message, "050003cd02026262626262626262");

	message = split(repeat(S("b"), 153), SMS_JOIN_UDH_16);
	assert_int_equal(message.part_count, 1);
	message = split(repeat(S("b"), 161), SMS_JOIN_UDH_16);
	assert_hex(str_slice(message.parts[0].short_message, 0, 8), "060804abcd020162");
	assert_int_equal(message.parts[0].short_message.len, 159);

	message = split(repeat(S("\xD8\xA7"), 71), SMS_JOIN_UDH_16);
	assert_int_equal(message.parts[0].short_message.len, 7 + 132);
	assert_int_equal(message.parts[0].esm_class, 0x40);
	assert_int_equal(message.parts[0].data_coding, 8);
}

static void test_borders(void **state)
{
	(void)state;
	/* an escape pair that would straddle septets 153 and 154 moves on whole */
	struct str text = join(repeat(S("a"), 152), join(S("\xE2\x82\xAC"), repeat(S("b"), 20)));
	struct sms_message message = split(text, SMS_JOIN_UDH_8);

	assert_int_equal(message.parts[0].units, 152);
	assert_hex(str_slice(message.parts[1].short_message, 6, 9), "1b6562");
	assert_str(read_back(&message), text);

	/* a surrogate pair likewise */
	text = join(repeat(S("\xD8\xA7"), 66), join(S("\xF0\x9F\x98\x80"), repeat(S("\xD8\xA8"), 10)));
	message = split(text, SMS_JOIN_UDH_8);
	assert_int_equal(message.parts[0].units, 66);
	assert_hex(str_slice(message.parts[1].short_message, 6, 10), "d83dde00");
	assert_str(read_back(&message), text);

	/* a letter keeps its mark: 67 units would end between beh and fatha */
	text = join(repeat(S("\xD8\xA7"), 66), join(S("\xD8\xA8\xD9\x8E"), repeat(S("\xD8\xA7"), 10)));
	message = split(text, SMS_JOIN_UDH_8);
	assert_int_equal(message.parts[0].units, 66);
	assert_hex(str_slice(message.parts[1].short_message, 6, 10), "0628064e");

	/* a family of four stays one: woman, joiner, woman, joiner, girl, joiner, boy = 11 units */
	struct str family = S(
		"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D\xF0\x9F\x91\xA6");

	text = join(repeat(S("\xD8\xA7"), 60), join(family, S("\xD8\xA7")));
	message = split(text, SMS_JOIN_UDH_8);
	assert_int_equal(message.parts[0].units, 60);
	assert_int_equal(message.parts[1].units, 12);

	/* flags are pairs: the second flag moves on whole, not half of it */
	struct str flags = repeat(S("\xF0\x9F\x87\xAE\xF0\x9F\x87\xB7"), 2);

	text = join(repeat(S("\xD8\xA7"), 61), join(flags, S("\xD8\xA7\xD8\xA7")));
	message = split(text, SMS_JOIN_UDH_8);
	assert_int_equal(message.parts[0].units, 65);
	assert_int_equal(message.parts[1].units, 6);

	/* Hangul jamo of one syllable stay together */
	text = join(repeat(S("\xEA\xB0\x80"), 65),
	            join(S("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"), repeat(S("\xEA\xB0\x80"), 9)));
	message = split(text, SMS_JOIN_UDH_8);
	assert_int_equal(message.parts[0].units, 65);
}

static void test_giant_cluster(void **state)
{
	(void)state;
	/* one letter under 300 marks: must be cut somewhere, never inside a pair, never more than a part holds */
	struct str text = join(S("\xD8\xA8"), repeat(S("\xD9\x8E"), 300));
	struct sms_message message = split(text, SMS_JOIN_UDH_8);

	assert_int_equal(message.part_count, 5);
	assert_str(read_back(&message), text);

	/* one letter, then a cluster that fits no part, ending in surrogate pairs at every offset */
	for (size_t lead = 0; lead < 8; lead++) {
		text = join(repeat(S("\xD8\xA7"), lead), join(S("\xD8\xA8"), repeat(S("\xF0\x9D\x85\xA5"), 100)));
		message = split(text, SMS_JOIN_UDH_16);
		for (size_t i = 0; i < message.part_count; i++) {
			assert_true(message.parts[i].units <= 66);
			assert_true(message.parts[i].units > 0);
			assert_true(message.parts[i].short_message.len <= 140);
		}
		assert_str(read_back(&message), text);
	}
}

/* Each part alone is a text: no lone surrogate, no lone escape, and the slices add up. */
static void test_parts_stand_alone(void **state)
{
	(void)state;
	static const char *const units[] = { "a", "\xE2\x82\xAC", "\xD8\xA7", "\xF0\x9F\x98\x80", "e\xCC\x81", "{}" };

	for (size_t u = 0; u < COUNT_OF(units); u++) {
		for (size_t lead = 0; lead < 4; lead++) {
			struct str text = join(repeat(S("x"), lead), repeat(str_from(units[u]), 400));
			struct sms_message message = split(text, lead % 2 ? SMS_JOIN_UDH_16 : SMS_JOIN_UDH_8);
			struct str joined = S("");

			for (size_t i = 0; i < message.part_count; i++) {
				struct sms_part *part = &message.parts[i];
				struct sms_received received = { part->short_message, part->esm_class,
					                         part->data_coding, SMS_CHARSET_GSM7, false };
				struct sms_incoming incoming;
				bool lossy;

				sms_take_apart(&arena, &received, &incoming);
				assert_str(sms_decode(&arena, incoming.charset, incoming.payload, &lossy), part->text);
				assert_false(lossy);
				joined = join(joined, part->text);
			}
			assert_str(joined, text);
		}
	}
}

static void test_every_character(void **state)
{
	(void)state;
	size_t gsm = 0;

	for (uint32_t code = 1; code <= 0x10FFFF; code++) {
		char utf8[4];
		uint8_t septets[2];
		bool lossy;

		if (code >= 0xD800 && code <= 0xDFFF)
			continue;
		struct str text = { utf8, utf8_put(code, utf8) };
		struct sms_message message = split(text, SMS_JOIN_UDH_8);
		size_t count = sms_gsm7_put(code, septets);

		if (count > 0) {
			gsm++;
			assert_int_equal(message.measure.encoding, SMS_GSM7);
			assert_int_equal(message.parts[0].short_message.len, count);
		} else {
			assert_int_equal(message.measure.encoding, SMS_UCS2);
			assert_int_equal(message.measure.forced_by, code);
		}
		enum sms_charset charset = count > 0 ? SMS_CHARSET_GSM7 : SMS_CHARSET_UTF16;

		if (code == 0xFEFF || code == 0xFFFD || code == 0xFFFE) {
			arena_clear(&arena); /* a byte order mark alone, and the replacement itself */
			continue;
		}
		assert_str(sms_decode(&arena, charset, message.parts[0].short_message, &lossy), text);
		assert_false(lossy);
		arena_clear(&arena);
	}
	assert_int_equal(gsm, 127 + 10);
}

static void test_forced_by(void **state)
{
	(void)state;
	struct sms_measure got = measure(S("Caf\xC3\xA9, gar\xC3\xA7on"), SMS_JOIN_UDH_8);

	assert_int_equal(got.encoding, SMS_UCS2);
	assert_int_equal(got.forced_by, 0xE7);
	assert_int_equal(got.forced_at, 10);
	got = measure(S("Caf\xC3\xA9"), SMS_JOIN_UDH_8);
	assert_int_equal(got.forced_by, 0);
}

static void test_limits(void **state)
{
	(void)state;
	struct sms_message message;
	struct sms_measure got;
	struct sms_options options = { 0 };
	struct err err;

	err_init(&err, &arena);
	assert_int_equal(sms_split(&arena, repeat(S("a"), 1530), NULL, &message, &err), OK);
	assert_int_equal(message.part_count, SMS_PARTS_MAX);
	message.part_count = 77;
	assert_int_equal(sms_split(&arena, repeat(S("a"), 1531), NULL, &message, &err), INVALID);
	assert_int_equal(message.part_count, 77); /* untouched */
	assert_int_equal(sms_measure(&arena, repeat(S("a"), 1531), NULL, &got, &err), OK);
	assert_int_equal(got.parts, 11);
	assert_true(got.too_many);

	options.parts_max = SMS_PARTS_CEILING + 1;
	assert_int_equal(sms_split(&arena, repeat(S("a"), 255 * 153), &options, &message, NULL), OK);
	assert_int_equal(message.part_count, 255);
	assert_int_equal(sms_split(&arena, repeat(S("a"), 255 * 153 + 1), &options, &message, NULL), INVALID);

	assert_int_equal(sms_measure(&arena, repeat(S("a"), SMS_TEXT_MAX), NULL, &got, NULL), OK);
	assert_int_equal(sms_measure(&arena, repeat(S("a"), SMS_TEXT_MAX + 1), NULL, &got, NULL), INVALID);
	assert_int_equal(sms_measure(&arena, S("a\0b"), NULL, &got, NULL), INVALID);
	assert_int_equal(sms_measure(&arena, S("a\xFF"), NULL, &got, NULL), INVALID);
	assert_int_equal(sms_measure(&arena, S("\xED\xA0\x80"), NULL, &got, NULL), INVALID);
	assert_int_equal(sms_measure(&arena, STR_NONE, NULL, &got, NULL), OK);
	assert_int_equal(got.parts, 1);
}

static void test_line_breaks(void **state)
{
	(void)state;
	struct sms_message message = split(S("one\r\ntwo\rthree\n\r\n\r"), SMS_JOIN_UDH_8);

	assert_str(message.text, S("one\ntwo\rthree\n\n\r"));
	assert_int_equal(message.measure.units, 16);
}

static struct sms_message plain(struct str text)
{
	struct sms_message out;
	struct sms_options options = { .transliterate = true };

	assert_int_equal(sms_split(&arena, text, &options, &out, NULL), OK);
	return out;
}

static void test_transliterate(void **state)
{
	(void)state;
	struct sms_message message = plain(S("\xE2\x80\x9CStay\xE2\x80\x9D\xC2\xA0indoors \xE2\x80\x93 "
	                                     "don\xE2\x80\x99t move\xE2\x80\xA6\xE2\x80\x8B"));

	assert_str(message.text, S("\"Stay\" indoors - don't move..."));
	assert_int_equal(message.measure.encoding, SMS_GSM7);
	assert_true(message.measure.transliterated);
	assert_int_equal(message.measure.forced_by, 0x201C);

	/* accents typed apart are composed */
	message = plain(S("cafe\xCC\x81"));
	assert_str(message.text, S("caf\xC3\xA9"));
	assert_int_equal(message.measure.encoding, SMS_GSM7);

	/* isolates around an argument do not double the price of an English text */
	message = plain(S("near \xE2\x81\xA8Paris\xE2\x81\xA9."));
	assert_str(message.text, S("near Paris."));

	/* one letter GSM lacks: nothing is touched */
	message = plain(S("\xE2\x80\x9Cgar\xC3\xA7on\xE2\x80\x9D"));
	assert_str(message.text, S("\xE2\x80\x9Cgar\xC3\xA7on\xE2\x80\x9D"));
	assert_int_equal(message.measure.encoding, SMS_UCS2);
	assert_false(message.measure.transliterated);

	/* not asked: not done */
	message = split(S("don\xE2\x80\x99t"), SMS_JOIN_UDH_8);
	assert_str(message.text, S("don\xE2\x80\x99t"));
	assert_int_equal(message.measure.encoding, SMS_UCS2);

	/* asked, but nothing to do */
	message = plain(S("plain"));
	assert_false(message.measure.transliterated);
}

static void test_charset(void **state)
{
	(void)state;
	static const struct {
		uint8_t data_coding;
		enum sms_charset charset;
	} rows[] = {
		{ 0x00, SMS_CHARSET_GSM7 },     { 0x01, SMS_CHARSET_ASCII },  { 0x02, SMS_CHARSET_BINARY },
		{ 0x03, SMS_CHARSET_LATIN1 },   { 0x04, SMS_CHARSET_BINARY }, { 0x05, SMS_CHARSET_BINARY },
		{ 0x06, SMS_CHARSET_CYRILLIC }, { 0x07, SMS_CHARSET_HEBREW }, { 0x08, SMS_CHARSET_UTF16 },
		{ 0x10, SMS_CHARSET_GSM7 },     { 0x14, SMS_CHARSET_BINARY }, { 0x18, SMS_CHARSET_UTF16 },
		{ 0x1B, SMS_CHARSET_UTF16 },    { 0x38, SMS_CHARSET_BINARY }, { 0x48, SMS_CHARSET_UTF16 },
		{ 0x90, SMS_CHARSET_GSM7 },     { 0xC0, SMS_CHARSET_GSM7 },   { 0xD8, SMS_CHARSET_GSM7 },
		{ 0xE0, SMS_CHARSET_UTF16 },    { 0xF0, SMS_CHARSET_GSM7 },   { 0xF1, SMS_CHARSET_GSM7 },
		{ 0xF4, SMS_CHARSET_BINARY },   { 0xF5, SMS_CHARSET_BINARY },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(sms_charset(rows[i].data_coding, SMS_CHARSET_GSM7), rows[i].charset);
	assert_int_equal(sms_charset(0, SMS_CHARSET_LATIN1), SMS_CHARSET_LATIN1);
	assert_int_equal(sms_charset(0xF1, SMS_CHARSET_LATIN1), SMS_CHARSET_GSM7);
}

static void test_udh(void **state)
{
	(void)state;
	struct sms_udh udh;

	assert_true(sms_udh_parse(S("\x05\x00\x03\x2A\x03\x02hello"), &udh));
	assert_int_equal(udh.octets, 6);
	assert_int_equal(udh.concatenation.reference, 0x2A);
	assert_int_equal(udh.concatenation.total, 3);
	assert_int_equal(udh.concatenation.sequence, 2);
	assert_false(udh.concatenation.wide);

	/* language first, then 16 bit concatenation, then an unknown element */
	assert_true(sms_udh_parse(S("\x0D\x24\x01\x01\x08\x04\x12\x34\x02\x01\x70\x02xxtext"), &udh));
	assert_int_equal(udh.octets, 14);
	assert_int_equal(udh.shift.single, 1);
	assert_int_equal(udh.shift.locking, 0);
	assert_int_equal(udh.concatenation.reference, 0x1234);
	assert_true(udh.concatenation.wide);

	/* part 0, part 4 of 3, total 0: not a concatenation */
	assert_true(sms_udh_parse(S("\x05\x00\x03\x2A\x03\x00"), &udh));
	assert_int_equal(udh.concatenation.total, 0);
	assert_true(sms_udh_parse(S("\x05\x00\x03\x2A\x03\x04"), &udh));
	assert_int_equal(udh.concatenation.total, 0);
	assert_true(sms_udh_parse(S("\x05\x00\x03\x2A\x00\x00"), &udh));
	assert_int_equal(udh.concatenation.total, 0);
	/* known element of a wrong length is skipped, ports are seen */
	assert_true(sms_udh_parse(S("\x0A\x00\x02\x2A\x03\x05\x04\x0B\x84\x23\xF0"), &udh));
	assert_int_equal(udh.concatenation.total, 0);
	assert_true(udh.has_ports);
	/* an empty header is a header */
	assert_true(sms_udh_parse(S("\x00hi"), &udh));
	assert_int_equal(udh.octets, 1);

	udh.octets = 99;
	assert_false(sms_udh_parse(S(""), &udh));
	assert_false(sms_udh_parse(S("\x05\x00\x03\x2A"), &udh));
	assert_false(sms_udh_parse(S("\x05\x00\x09\x2A\x03\x02hello"), &udh));
	assert_false(sms_udh_parse(S("\x01\x00hello"), &udh));
	assert_int_equal(udh.octets, 99);
}

static void test_broken_header_keeps_text(void **state)
{
	(void)state;
	struct sms_received received = { .bytes = S("HELP ME"), .esm_class = 0x40 };
	struct sms_incoming incoming;

	sms_take_apart(&arena, &received, &incoming);
	assert_true(incoming.header_broken);
	assert_str(sms_decode(&arena, incoming.charset, incoming.payload, NULL), S("HELP ME"));
}

static void assert_decoded(enum sms_charset charset, struct str bytes, struct str want, bool want_lossy)
{
	bool lossy = !want_lossy;

	assert_str(sms_decode(&arena, charset, bytes, &lossy), want);
	assert_int_equal(lossy, want_lossy);
}

static void test_decode(void **state)
{
	(void)state;
	assert_decoded(SMS_CHARSET_GSM7, S("\x00\x01\x02"), S("@\xC2\xA3$"), false);
	assert_decoded(SMS_CHARSET_GSM7, S("\x1B\x65\x1B\x41\x1B\x1B!\x1B"),
	               S("\xE2\x82\xAC"
	                 "A ! "),
	               false);
	assert_decoded(SMS_CHARSET_GSM7, S("a\x80\x1B\x80"), S("a\xEF\xBF\xBD\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_LATIN1, S("caf\xE9\x00"), S("caf\xC3\xA9\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_ASCII, S("ok\xE9"), S("ok\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_CYRILLIC, S("\xBF\xDE\xDC\xDE\xE9\xEC"),
	               S("\xD0\x9F\xD0\xBE\xD0\xBC\xD0\xBE\xD1\x89\xD1\x8C"), false);
	assert_decoded(SMS_CHARSET_CYRILLIC,
	               S("\xF0"
	                 "1\xFD"),
	               S("\xE2\x84\x96"
	                 "1\xC2\xA7"),
	               false);
	assert_decoded(SMS_CHARSET_HEBREW, S("\xF9\xEC\xE5\xED"), S("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"), false);
	assert_decoded(SMS_CHARSET_HEBREW, S("\xC4"), S("\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_UTF16, S("\x06\x2F\xD8\x3D\xDE\x00"), S("\xD8\xAF\xF0\x9F\x98\x80"), false);
	assert_decoded(SMS_CHARSET_UTF16, S("\xFE\xFF\x06\x2F"), S("\xD8\xAF"), false);
	assert_decoded(SMS_CHARSET_UTF16, S("\xFF\xFE\x2F\x06"), S("\xD8\xAF"), false);
	assert_decoded(SMS_CHARSET_UTF16, S("\xD8\x3D"), S("\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_UTF16, S("\xD8\x3D\x00\x41"),
	               S("\xEF\xBF\xBD"
	                 "A"),
	               true);
	assert_decoded(SMS_CHARSET_UTF16, S("\xDE\x00\x00\x41\x00"),
	               S("\xEF\xBF\xBD"
	                 "A\xEF\xBF\xBD"),
	               true);
	assert_decoded(SMS_CHARSET_UTF16, S("\x00\x41\x00\x00"), S("A\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_UTF16, S("HELP!"), S("HELP!"), false);
	assert_decoded(SMS_CHARSET_BINARY, S("SAFE\x01"), S("SAFE\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_UTF8, S("\xD8\xAF\xFF"), S("\xD8\xAF\xEF\xBF\xBD"), true);
	assert_decoded(SMS_CHARSET_GSM7, STR_NONE, S(""), false);
}

/* A phone that cuts a surrogate pair between its parts: joining bytes first keeps the character. */
static void test_peer_splits_surrogates(void **state)
{
	(void)state;
	struct sms_received first = { .bytes = S("\x05\x00\x03\x01\x02\x01\x00\x41\xD8\x3D"),
		                      .esm_class = 0x40,
		                      .data_coding = 8 };
	struct sms_received second = { .bytes = S("\x05\x00\x03\x01\x02\x02\xDE\x00\x00\x42"),
		                       .esm_class = 0x40,
		                       .data_coding = 8 };
	struct sms_incoming a, b;

	sms_take_apart(&arena, &first, &a);
	sms_take_apart(&arena, &second, &b);
	assert_decoded(a.charset, join(a.payload, b.payload),
	               S("A\xF0\x9F\x98\x80"
	                 "B"),
	               false);
}

static void test_packing(void **state)
{
	(void)state;
	/* "hellohello" is the packing example everyone knows; the second has fill bits after a concatenation header */
	assert_hex(sms_pack(&arena, S("hellohello"), 0), "e8329bfd4697d9ec37");
	assert_str(sms_unpack(&arena, S("\xE8\x32\x9B\xFD\x46\x97\xD9\xEC\x37"), 10, 0), S("hellohello"));
	assert_hex(sms_pack(&arena, S("Hi"), 1), "9069"); /* one fill bit, then 48h, then 69h at the octet border */

	for (size_t len = 0; len <= 40; len++) {
		for (unsigned fill = 0; fill < 7; fill++) {
			char septets[40];

			for (size_t i = 0; i < len; i++)
				septets[i] = (char)((i * 37 + len * 11 + fill) % 128);
			struct str text = { septets, len };
			struct str packed = sms_pack(&arena, text, fill);

			assert_int_equal(packed.len, (fill + len * 7 + 7) / 8);
			assert_str(sms_unpack(&arena, packed, len, fill), text);
		}
	}
	assert_int_equal(sms_unpack(&arena, S("\x01"), 10, 0).len, 1);
	assert_int_equal(sms_unpack(&arena, S(""), 10, 3).len, 0);
}

static void test_packed_peer(void **state)
{
	(void)state;
	/* seven septets leave seven spare bits: no '@' is to appear; a real '@' stays */
	struct sms_received received = { .bytes = sms_pack(&arena, S("abcdef\0"), 0), .packed = true };
	struct sms_incoming incoming;

	sms_take_apart(&arena, &received, &incoming);
	assert_decoded(incoming.charset, incoming.payload, S("abcdef@"), false);

	received.bytes = sms_pack(&arena, S("a\0"), 0);
	sms_take_apart(&arena, &received, &incoming);
	assert_decoded(incoming.charset, incoming.payload, S("a@"), false);

	/* after a header the text starts at a septet border */
	struct str udh = S("\x05\x00\x03\x07\x02\x01");

	received.bytes = join(udh, sms_pack(&arena, S("Water is rising"), 1));
	received.esm_class = 0x40;
	sms_take_apart(&arena, &received, &incoming);
	assert_int_equal(incoming.header.concatenation.reference, 7);
	assert_decoded(incoming.charset, incoming.payload, S("Water is rising"), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_fill_bits),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_giant_cluster),
		cmocka_unit_test(test_parts_stand_alone),
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_forced_by),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_line_breaks),
		cmocka_unit_test(test_transliterate),
		cmocka_unit_test(test_charset),
		cmocka_unit_test(test_udh),
		cmocka_unit_test(test_broken_header_keeps_text),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_peer_splits_surrogates),
		cmocka_unit_test(test_packing),
		cmocka_unit_test(test_packed_peer),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
