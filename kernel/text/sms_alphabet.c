/* The two tables of 3GPP TS 23.038: 6.2.1 (default alphabet) and 6.2.1.1 (its extension). */
#include "base/base.h"
#include "kernel/text/sms.h"
#include "kernel/text/sms_alphabet.h"

#define GSM7_COUNT 128

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

static const struct {
	uint8_t septet;
	uint16_t code;
} extension[] = {
	{ 0x0A, '\f' }, { 0x14, '^' }, { 0x28, '{' }, { 0x29, '}' }, { 0x2F, '\\' },
	{ 0x3C, '[' },  { 0x3D, '~' }, { 0x3E, ']' }, { 0x40, '|' }, { 0x65, 0x20AC },
};

uint16_t gsm7_basic(uint8_t septet)
{
	return basic[septet % GSM7_COUNT];
}

uint16_t gsm7_extended(uint8_t septet)
{
	for (size_t i = 0; i < COUNT_OF(extension); i++)
		if (extension[i].septet == septet)
			return extension[i].code;
	return 0;
}

size_t sms_gsm7_put(uint32_t code, uint8_t out[2])
{
	if (code == 0)
		return 0;
	/* most letters stand at their ASCII place */
	if (code < GSM7_COUNT && basic[code] == code) {
		out[0] = (uint8_t)code;
		return 1;
	}
	for (size_t i = 0; i < GSM7_COUNT; i++) {
		if (basic[i] == code) {
			out[0] = (uint8_t)i;
			return 1;
		}
	}
	for (size_t i = 0; i < COUNT_OF(extension); i++) {
		if (extension[i].code == code) {
			out[0] = GSM7_ESCAPE;
			out[1] = extension[i].septet;
			return 2;
		}
	}
	return 0;
}
