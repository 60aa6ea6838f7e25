/* The default alphabet of 3GPP TS 23.038, 6.2.1, and looking up in all tables (the others: sms_languages.c). */
#include <pthread.h>

#include "base/base.h"
#include "kernel/text/sms.h"
#include "kernel/text/sms_alphabet.h"

/* 0x09 is the capital C with cedilla, as the standard's table prints it: a small one is not in the alphabet. */
static const uint16_t basic[GSM7_COUNT] = {
	/* 0x00 */ '@',    0x00A3, '$',    0x00A5, 0x00E8, 0x00E9, 0x00F9, 0x00EC,
	/* 0x08 */ 0x00F2, 0x00C7, '\n',   0x00D8, 0x00F8, '\r',   0x00C5, 0x00E5,
	/* 0x10 */ 0x0394, '_',    0x03A6, 0x0393, 0x039B, 0x03A9, 0x03A0, 0x03A8,
	/* 0x18 */ 0x03A3, 0x0398, 0x039E, 0,      0x00C6, 0x00E6, 0x00DF, 0x00C9,
	/* 0x20 */ ' ',    '!',    '"',    '#',    0x00A4, '%',    '&',    '\'',
	/* 0x28 */ '(',    ')',    '*',    '+',    ',',    '-',    '.',    '/',
	/* 0x30 */ '0',    '1',    '2',    '3',    '4',    '5',    '6',    '7',
	/* 0x38 */ '8',    '9',    ':',    ';',    '<',    '=',    '>',    '?',
	/* 0x40 */ 0x00A1, 'A',    'B',    'C',    'D',    'E',    'F',    'G',
	/* 0x48 */ 'H',    'I',    'J',    'K',    'L',    'M',    'N',    'O',
	/* 0x50 */ 'P',    'Q',    'R',    'S',    'T',    'U',    'V',    'W',
	/* 0x58 */ 'X',    'Y',    'Z',    0x00C4, 0x00D6, 0x00D1, 0x00DC, 0x00A7,
	/* 0x60 */ 0x00BF, 'a',    'b',    'c',    'd',    'e',    'f',    'g',
	/* 0x68 */ 'h',    'i',    'j',    'k',    'l',    'm',    'n',    'o',
	/* 0x70 */ 'p',    'q',    'r',    's',    't',    'u',    'v',    'w',
	/* 0x78 */ 'x',    'y',    'z',    0x00E4, 0x00F6, 0x00F1, 0x00FC, 0x00E0,
};

static const uint16_t *locking_of(uint8_t language)
{
	const uint16_t *national = gsm7_national(language);

	return national != NULL ? national : basic;
}

static const uint16_t *single_of(uint8_t language)
{
	const uint16_t *national = gsm7_single(language);

	return national != NULL ? national : gsm7_single(0);
}

uint16_t gsm7_read(struct sms_shift shift, uint8_t septet, bool escaped)
{
	return (escaped ? single_of(shift.single) : locking_of(shift.locking))[septet % GSM7_COUNT];
}

static bool find_septet(const uint16_t *table, uint32_t code, uint8_t *septet)
{
	/* most letters stand at their ASCII place */
	if (code < GSM7_COUNT && table[code] == code) {
		*septet = (uint8_t)code;
		return true;
	}
	for (size_t i = 0; i < GSM7_COUNT; i++) {
		if (table[i] == code) {
			*septet = (uint8_t)i;
			return true;
		}
	}
	return false;
}

size_t gsm7_put(struct sms_shift shift, uint32_t code, uint8_t out[2])
{
	uint8_t septet;

	if (code == 0)
		return 0;
	if (find_septet(locking_of(shift.locking), code, &septet)) {
		out[0] = septet;
		return 1;
	}
	if (find_septet(single_of(shift.single), code, &septet)) {
		out[0] = GSM7_ESCAPE;
		out[1] = septet;
		return 2;
	}
	return 0;
}

size_t sms_gsm7_put(uint32_t code, uint8_t out[2])
{
	return gsm7_put((struct sms_shift){ 0, 0 }, code, out);
}

/* All code points of all tables, by open addressing; made once. */
#define INDEX_SIZE 4096

static struct {
	uint16_t code;
	struct gsm7_holders holders;
} codes[INDEX_SIZE];
static pthread_once_t codes_once = PTHREAD_ONCE_INIT;

static size_t code_place(uint16_t code)
{
	size_t at = (uint32_t)code * 2654435761u % INDEX_SIZE;

	while (codes[at].code != 0 && codes[at].code != code)
		at = (at + 1) % INDEX_SIZE;
	return at;
}

static void codes_make(void)
{
	for (uint8_t language = 0; language <= SMS_LANGUAGE_COUNT; language++) {
		const uint16_t *locking = language == 0 ? basic : gsm7_national(language);
		const uint16_t *single = gsm7_single(language);
		uint16_t bit = (uint16_t)(1u << language);

		for (size_t i = 0; i < GSM7_COUNT; i++) {
			if (locking != NULL && locking[i] != 0) {
				size_t at = code_place(locking[i]);

				codes[at].code = locking[i];
				codes[at].holders.locking |= bit;
			}
			if (single[i] != 0) {
				size_t at = code_place(single[i]);

				codes[at].code = single[i];
				codes[at].holders.single |= bit;
			}
		}
	}
}

struct gsm7_holders gsm7_holders(uint32_t code)
{
	pthread_once(&codes_once, codes_make);
	if (code == 0 || code > UINT16_MAX)
		return (struct gsm7_holders){ 0, 0 };
	return codes[code_place((uint16_t)code)].holders;
}
