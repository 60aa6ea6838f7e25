/* The tables of 3GPP TS 23.038 against a second transcription, and what is made of them: every character there and back,
 * the fewest parts at every edge.
 *
 * With the argument "answer" it is no test but answers lines on standard input, for tests/encodings/oracles_test.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"
#include "kernel/text/sms_alphabet.h"
#include "tests/encodings/answer.h"

#define TABLES (SMS_LANGUAGE_COUNT + 1)
#define ERRATA_MOST 16

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

/* --- the second transcription -------------------------------------------------------------------------------------- */

struct erratum {
	char kind[8];
	unsigned language, septet, printed, meant;
	bool used;
};

struct second {
	uint16_t locking[TABLES][GSM7_COUNT], single[TABLES][GSM7_COUNT];
	bool has_locking[TABLES], has_single[TABLES];
	struct erratum errata[ERRATA_MOST];
	size_t errata_count;
};

static unsigned cell_of(const char *word)
{
	return strcmp(word, "----") == 0 ? 0 : (unsigned)strtoul(word, NULL, 16);
}

static void read_cells(FILE *file, uint16_t out[GSM7_COUNT])
{
	for (size_t i = 0; i < GSM7_COUNT; i++) {
		char word[8];

		assert_int_equal(fscanf(file, "%7s", word), 1);
		out[i] = (uint16_t)cell_of(word);
	}
}

static void read_second(struct second *second)
{
	FILE *file = fopen("tests/encodings/national-tables.txt", "r");
	char line[512], kind[8], printed[8], meant[8];
	unsigned language, septet;

	assert_non_null(file);
	memset(second, 0, sizeof *second);
	while (fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "erratum %7s %u %x %7s %7s", kind, &language, &septet, printed, meant) == 5) {
			struct erratum *erratum = &second->errata[second->errata_count++];

			assert_true(second->errata_count < ERRATA_MOST);
			*erratum = (struct erratum){ .language = language, .septet = septet,
				                     .printed = cell_of(printed), .meant = cell_of(meant) };
			memcpy(erratum->kind, kind, sizeof kind);
		} else if (sscanf(line, "table %7s %u", kind, &language) == 2) {
			bool locking = strcmp(kind, "locking") == 0;

			assert_true(language < TABLES);
			(locking ? second->has_locking : second->has_single)[language] = true;
			read_cells(file, locking ? second->locking[language] : second->single[language]);
		}
	}
	fclose(file);
}

/* Cells of one table that differ after the errata, each of which must correct what is printed. */
static size_t differences(struct second *second, const char *kind, unsigned language, const uint16_t *printed)
{
	bool locking = strcmp(kind, "locking") == 0;
	struct sms_shift shift = { .locking = locking ? (uint8_t)language : 0, .single = locking ? 0 : (uint8_t)language };
	size_t different = 0;

	for (uint8_t septet = 0; septet < GSM7_COUNT; septet++) {
		unsigned cell = printed[septet], ours = gsm7_read(shift, septet, !locking);

		for (size_t i = 0; i < second->errata_count; i++) {
			struct erratum *erratum = &second->errata[i];

			if (erratum->language != language || erratum->septet != septet || strcmp(erratum->kind, kind) != 0)
				continue;
			assert_int_equal(cell, erratum->printed);
			cell = erratum->meant;
			erratum->used = true;
		}
		if (cell != ours) {
			print_message("%s %u, septet %02X: %04X, second transcription %04X\n", kind, language, septet, ours, cell);
			different++;
		}
	}
	return different;
}

static void test_two_transcriptions(void **state)
{
	(void)state;
	static struct second second;
	size_t different = 0;

	read_second(&second);
	for (unsigned language = 0; language < TABLES; language++) {
		/* Spanish has no locking table */
		assert_int_equal(second.has_locking[language], language != 2);
		assert_int_equal(language == 0 || gsm7_national((uint8_t)language) != NULL, language != 2);
		assert_true(second.has_single[language]);
		if (language != 2)
			different += differences(&second, "locking", language, second.locking[language]);
		different += differences(&second, "single", language, second.single[language]);
	}
	assert_int_equal(different, 0);
	assert_int_equal(second.errata_count, 6);
	for (size_t i = 0; i < second.errata_count; i++)
		assert_true(second.errata[i].used);
}

/* --- there and back ------------------------------------------------------------------------------------------------- */

static struct str repeat(uint32_t code, size_t count)
{
	char unit[4];
	size_t length = utf8_put(code, unit);
	char *out = arena_alloc(&arena, length * count + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(out + i * length, unit, length);
	return (struct str){ out, length * count };
}

static struct sms_message split(struct str text, const struct sms_options *options)
{
	struct sms_message message;

	assert_int_equal(sms_split(&arena, text, options, &message, NULL), OK);
	return message;
}

static struct str read_back(const struct sms_message *message, enum sms_charset unspecified)
{
	struct buf joined;
	int64_t reading = 0;
	bool lossy;

	buf_init(&joined);
	for (size_t i = 0; i < message->part_count; i++) {
		const struct sms_part *part = &message->parts[i];
		struct sms_received received = { part->short_message, part->esm_class, part->data_coding, unspecified, false };
		struct sms_incoming incoming;

		sms_take_apart(&arena, &received, &incoming);
		assert_false(incoming.header_broken);
		assert_true(i == 0 || reading == sms_reading(&incoming));
		reading = sms_reading(&incoming);
		buf_add_str(&joined, incoming.payload);
	}
	struct str text = sms_read(&arena, reading, buf_str(&joined), &lossy);

	assert_false(lossy);
	buf_release(&joined);
	return text;
}

static void assert_comes_back(struct str text, const struct sms_options *options)
{
	struct sms_message message = split(text, options);

	assert_true(str_equal(read_back(&message, options->road.unspecified), text));
}

/* Each character of each table, as septets and in a text long enough that the table is worth its header. */
static void test_every_character_of_every_table(void **state)
{
	(void)state;
	size_t shifted = 0;

	for (uint8_t language = 0; language < TABLES; language++) {
		struct sms_options options = { .road.languages = (uint16_t)(1u << language) };

		for (unsigned i = 0; i < 2 * GSM7_COUNT; i++) {
			bool escaped = i >= GSM7_COUNT;
			struct sms_shift shift = { escaped ? 0 : language, escaped ? language : 0 };
			uint8_t septet = i % GSM7_COUNT, octets[2];
			uint32_t code = gsm7_read(shift, septet, escaped);

			if (code == 0 || (!escaped && language == 2))
				continue;
			size_t count = gsm7_put(shift, code, octets);

			assert_true(count == 1 || count == 2);
			assert_int_equal(gsm7_read(shift, octets[count - 1], count == 2), code);
			struct gsm7_holders holders = gsm7_holders(code);

			assert_true((escaped ? holders.single : holders.locking) >> language & 1);
			struct str text = repeat(code, 75);
			struct sms_message message = split(text, &options);

			/* 150 septets at most; UCS-2 would take two parts */
			assert_int_equal(message.measure.encoding, SMS_GSM7);
			assert_int_equal(message.measure.parts, 1);
			shifted += message.measure.shift.locking != 0 || message.measure.shift.single != 0;
			assert_true(str_equal(read_back(&message, SMS_CHARSET_GSM7), text));
			assert_comes_back(repeat(code, 400), &options);
			options.road.joining = SMS_JOIN_UDH_16;
			assert_comes_back(repeat(code, 311), &options);
			options.road.joining = SMS_JOIN_UDH_8;
			arena_clear(&arena);
		}
	}
	assert_int_equal(shifted, 984); /* those the default alphabet and its extension lack */
}

/* Latin-1 in 8 bits, and roads whose data_coding 0 is something else than GSM. */
static void test_other_octets(void **state)
{
	(void)state;
	struct sms_options eight = { .road.latin1 = true };
	struct sms_options latin = { .road.unspecified = SMS_CHARSET_LATIN1 };
	struct sms_options ascii = { .road.unspecified = SMS_CHARSET_ASCII };

	for (uint32_t code = 1; code <= 0xFF; code++) {
		if (code == '\r')
			continue;
		assert_comes_back(repeat(code, 100), &eight);
		assert_comes_back(repeat(code, 100), &latin);
		assert_comes_back(repeat(code, 100), &ascii);
	}
	struct sms_message message = split(repeat(0xE3, 71), &eight); /* a with tilde: not in GSM */

	assert_int_equal(message.measure.encoding, SMS_LATIN1);
	assert_int_equal(message.parts[0].data_coding, SMS_DATA_CODING_LATIN1);
	assert_int_equal(message.part_count, 1);
	/* what fits one part of UCS-2 stays there: every phone reads that */
	message = split(repeat(0xE3, 70), &eight);
	assert_int_equal(message.measure.encoding, SMS_UCS2);
	/* a Latin-1 road counts what the carrier will make of it */
	message = split(repeat('[', 80), &latin);
	assert_int_equal(message.measure.units, 160);
	assert_int_equal(message.measure.parts, 1);
	assert_int_equal(message.parts[0].short_message.len, 80);
	message = split(S("\xC2\xA3\xC3\xA9@_"), &latin);
	assert_memory_equal(message.parts[0].short_message.ptr, "\xA3\xE9@_", 4);
	assert_int_equal(message.parts[0].data_coding, 0);
	message = split(S("\xE2\x82\xAC"), &latin); /* the euro sign is in GSM, not in Latin-1 */
	assert_int_equal(message.measure.encoding, SMS_UCS2);
	message = split(S("\xC3\xA9"), &ascii);
	assert_int_equal(message.measure.encoding, SMS_UCS2);
}

/* --- parts ---------------------------------------------------------------------------------------------------------- */

/* The room of one part and of a part of several, for every header there is: 160 - ceil(8 x octets / 7). */
static void test_parts_at_every_edge(void **state)
{
	(void)state;
	static const struct {
		uint16_t language;
		uint32_t code, other; /* other: one at the end that needs the second table; 0 none */
		enum sms_encoding encoding;
		bool latin1;
		size_t single, wide[2]; /* in units; wide by reference of 8 and 16 bits */
	} rows[] = {
		{ 0, 'a', 0, SMS_GSM7, false, 160, { 153, 152 } },
		{ 1, 0x011F, 0, SMS_GSM7, false, 155, { 149, 148 } },       /* Turkish locking */
		{ 6, 0x0915, 0x0967, SMS_GSM7, false, 152, { 146, 145 } },  /* Hindi, its digits in the single shift table */
		{ 0, 0x0627, 0, SMS_UCS2, false, 70, { 67, 66 } },
		{ 0, 0x1F600, 0, SMS_UCS2, false, 70, { 67, 66 } },
		{ 0, 0xE3, 0, SMS_LATIN1, true, 140, { 134, 133 } },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (unsigned wide = 0; wide < 2; wide++) {
			struct sms_options options = { .parts_max = SMS_PARTS_CEILING, .reference = 0x1234,
				                       .road = { .joining = wide ? SMS_JOIN_UDH_16 : SMS_JOIN_UDH_8,
				                                 .languages = (uint16_t)(rows[i].language ? 1u << rows[i].language : 0),
				                                 .latin1 = rows[i].latin1 } };
			size_t each = rows[i].code > 0xFFFF ? 2 : 1, extra = rows[i].other ? 2 : 0;
			size_t room = rows[i].wide[wide] / each * each;

			for (size_t units = rows[i].single - 6; units <= rows[i].wide[wide] * 5 + 2; units += each) {
				struct str text = repeat(rows[i].code, (units - extra) / each);
				if (rows[i].other)
					text = str_concat(&arena, text, repeat(rows[i].other, 1));
				struct sms_message message = split(text, &options);
				size_t made = (units - extra) / each * each + extra;
				size_t parts = made <= rows[i].single ? 1 : (made + room - 1) / room;

				/* the escape of the last character is not cut from it */
				if (extra && made > rows[i].single && made % room == 1)
					parts = (made + room) / room;
				if (rows[i].encoding == SMS_UCS2 || message.measure.encoding == rows[i].encoding) {
					assert_int_equal(message.measure.encoding, rows[i].encoding);
					assert_int_equal(message.measure.units, made);
					assert_int_equal(message.measure.parts, parts);
					assert_int_equal(message.measure.part_units, parts == 1 ? rows[i].single : rows[i].wide[wide]);
				} else {
					assert_true(message.measure.parts <= parts); /* UCS-2 does as well */
				}
				assert_true(str_equal(read_back(&message, SMS_CHARSET_GSM7), text));
				for (size_t p = 0; p < message.part_count; p++)
					assert_true(message.parts[p].units <= message.measure.part_units);
			}
			arena_clear(&arena);
		}
	}
}

/* No other encoding this road takes needs fewer parts. */
static void test_fewest(void **state)
{
	(void)state;
	struct sms_options options = { .road.languages = SMS_LANGUAGES_ALL, .parts_max = SMS_PARTS_CEILING };
	struct sms_message message = split(S("Bulundu\xC4\x9Funuz yerde kal\xC4\xB1n"), &options);

	assert_int_equal(message.measure.encoding, SMS_UCS2); /* one part either way */
	message = split(repeat(0x011F, 71), &options);
	assert_int_equal(message.measure.shift.locking, 1);
	assert_int_equal(message.measure.shift.single, 0);
	assert_memory_equal(message.parts[0].short_message.ptr, "\x03\x25\x01\x01", 4);
	/* mostly plain text with a few Turkish letters: one table, and the one that takes fewer septets */
	message = split(str_concat(&arena, repeat('a', 140), S("\xC4\x9F\xC5\x9F\xC4\xB1\xC4\xB0")), &options);
	assert_int_equal(message.measure.parts, 1);
	assert_int_equal(message.measure.encoding, SMS_GSM7);
	assert_int_equal(message.measure.units, 144);
	/* Spanish: single shift only */
	message = split(str_concat(&arena, repeat('a', 140), S("\xC3\xA1\xC3\xAD\xC3\xB3\xC3\xBA")), &options);
	assert_int_equal(message.measure.parts, 1);
	assert_true(message.measure.shift.single == 2 || message.measure.shift.locking == 3);
	/* the language is not allowed: UCS-2 */
	options.road.languages = 1u << 6;
	message = split(repeat(0x011F, 71), &options);
	assert_int_equal(message.measure.encoding, SMS_UCS2);
	assert_int_equal(message.measure.parts, 2);
	/* plain signs where a language then holds the whole */
	options.road.languages = 1u << 1;
	options.transliterate = true;
	message = split(str_concat(&arena, repeat(0x011F, 100), S("\xE2\x80\x99")), &options);
	assert_int_equal(message.measure.encoding, SMS_GSM7);
	assert_true(message.measure.transliterated);
	assert_int_equal(message.text.ptr[message.text.len - 1], '\'');
	options.transliterate = false;
	message = split(str_concat(&arena, repeat(0x011F, 100), S("\xE2\x80\x99")), &options);
	assert_int_equal(message.measure.encoding, SMS_UCS2);
}

/* Where the carrier joins the parts. */
static void test_other_ways_of_joining(void **state)
{
	(void)state;
	struct sms_options options = { .road.joining = SMS_JOIN_SAR, .reference = 0xBEEF };
	struct sms_message message = split(repeat('a', 305), &options);

	assert_int_equal(message.part_count, 3); /* room for the wider header: 152 */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(message.parts[i].esm_class, 0);
		assert_int_equal(message.parts[i].sar_reference, 0xBEEF);
		assert_int_equal(message.parts[i].sar_total, 3);
		assert_int_equal(message.parts[i].sar_number, i + 1);
		assert_int_equal(message.parts[i].short_message.ptr[0], 'a');
	}
	message = split(repeat('a', 160), &options);
	assert_int_equal(message.part_count, 1);
	assert_int_equal(message.parts[0].sar_total, 0);

	options.road.joining = SMS_JOIN_PAYLOAD;
	message = split(repeat('a', 307), &options);
	assert_int_equal(message.measure.parts, 3);
	assert_int_equal(message.part_count, 1);
	assert_true(message.parts[0].payload);
	assert_int_equal(message.parts[0].short_message.len, 307);
	assert_int_equal(message.parts[0].esm_class, 0);
	message = split(repeat('a', 160), &options);
	assert_false(message.parts[0].payload);
	/* tables need a header of ours: not beside the carrier's */
	options.road.languages = SMS_LANGUAGES_ALL;
	message = split(repeat(0x011F, 100), &options);
	assert_int_equal(message.measure.encoding, SMS_GSM7);
	message = split(repeat(0x011F, 200), &options);
	assert_int_equal(message.measure.encoding, SMS_UCS2);
	assert_int_equal(message.parts[0].short_message.len, 400);
}

/* Pictures of several code points, flags, letters with marks: whole across every border, under tables too. */
static void test_astral_across_borders(void **state)
{
	(void)state;
	static const char *const units[] = { "\xF0\x9F\x98\x80", "\xF0\x9F\x87\xB9\xF0\x9F\x87\xB3", "\xF0\x90\x8D\x88",
		                             "\xE0\xA4\x95\xE0\xA4\xBF", "\xE0\xA4\x95\xE0\xA5\x8D",
		                             "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x92" };

	for (size_t u = 0; u < COUNT_OF(units); u++) {
		for (size_t lead = 0; lead < 8; lead++) {
			for (unsigned way = 0; way < 6; way++) {
				struct sms_options options = { .parts_max = SMS_PARTS_CEILING,
					                       .road = { .joining = way % 3,
					                                 .languages = way < 3 ? 0 : SMS_LANGUAGES_ALL } };
				struct str text = repeat('x', lead), unit = str_from(units[u]);

				for (size_t i = 0; i < 60; i++)
					text = str_concat(&arena, text, unit);
				struct sms_message message = split(text, &options);

				assert_true(str_equal(read_back(&message, SMS_CHARSET_GSM7), text));
				size_t at = lead;

				for (size_t i = 0; i < message.part_count; i++) {
					const struct sms_part *part = &message.parts[i];

					/* each part holds whole units and reads on its own */
					assert_int_equal((part->text.len - (i == 0 ? lead : 0)) % unit.len, 0);
					at += part->text.len - (i == 0 ? lead : 0);
				}
				assert_int_equal(at, text.len);
			}
			arena_clear(&arena);
		}
	}
}

/* What a receiver does with what no table has (6.2.1.2). */
static void test_reading_of_unknown(void **state)
{
	(void)state;
	bool lossy;
	struct sms_received received = { .bytes = S("\x06\x24\x01\x0E\x25\x01\x0E"
		                                    "a\x1B\x65"), .esm_class = 0x40 };
	struct sms_incoming incoming;

	sms_take_apart(&arena, &received, &incoming); /* reserved languages: the default tables */
	assert_int_equal(incoming.header.shift.single, 14);
	assert_true(str_equal(sms_read(&arena, sms_reading(&incoming), incoming.payload, &lossy), S("a\xE2\x82\xAC")));
	assert_false(lossy);
	/* not in the single shift table: the character of the locking table */
	received.bytes = S("\x06\x24\x01\x06\x25\x01\x06\x1B\x7F\x00");
	sms_take_apart(&arena, &received, &incoming);
	assert_true(str_equal(sms_read(&arena, sms_reading(&incoming), incoming.payload, &lossy), S("\xE0\xA5\xBF\xE0\xA4\x81")));
	/* an empty cell is shown as lost, not dropped: Bengali 0C */
	received.bytes = S("\x03\x25\x01\x04\x0C\x0D");
	sms_take_apart(&arena, &received, &incoming);
	assert_true(str_equal(sms_read(&arena, sms_reading(&incoming), incoming.payload, &lossy), S("\xEF\xBF\xBD\r")));
	assert_true(lossy);
	/* a Latin-1 road, but a header that names tables: septets */
	received = (struct sms_received){ .bytes = S("\x03\x25\x01\x01\x0C"), .esm_class = 0x40, .unspecified = SMS_CHARSET_LATIN1 };
	sms_take_apart(&arena, &received, &incoming);
	assert_true(str_equal(sms_read(&arena, sms_reading(&incoming), incoming.payload, &lossy), S("\xC4\x9F")));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_transcriptions),
		cmocka_unit_test(test_every_character_of_every_table),
		cmocka_unit_test(test_other_octets),
		cmocka_unit_test(test_parts_at_every_edge),
		cmocka_unit_test(test_fewest),
		cmocka_unit_test(test_other_ways_of_joining),
		cmocka_unit_test(test_astral_across_borders),
		cmocka_unit_test(test_reading_of_unknown),
	};

	if (argc == 2 && strcmp(argv[1], "answer") == 0)
		return answer_lines();
	return cmocka_run_group_tests(tests, setup, teardown);
}
