/* The GSM alphabets from both sides; private to kernel/text. */
#ifndef CHANCERY_KERNEL_TEXT_SMS_ALPHABET_H
#define CHANCERY_KERNEL_TEXT_SMS_ALPHABET_H

#include <stdint.h>

#include "kernel/text/sms.h"

#define GSM7_ESCAPE 0x1B
#define GSM7_COUNT 128

/* The locking shift table of a national language, GSM7_COUNT code points with 0 for an empty cell; NULL if it has none
 * (Spanish), or for 0 and reserved numbers. */
const uint16_t *gsm7_national(uint8_t language);

/* The single shift table of a language, 0 the default extension table; NULL for reserved numbers. */
const uint16_t *gsm7_single(uint8_t language);

/* The code point of a septet below 128, or of the septet after an escape; 0 where the tables have none. Languages without
 * a table are read by the default one, as 6.2.1.2 asks of receivers. */
uint16_t gsm7_read(struct sms_shift shift, uint8_t septet, bool escaped);

/* The octet sequence of one code point under these tables: 1, or 2 with escape; 0 if it has none. */
size_t gsm7_put(struct sms_shift shift, uint32_t code, uint8_t out[2]);

/* Which tables hold a code point, bit 1 << language each; bit 0 stands for the default alphabet and its extension. */
struct gsm7_holders {
	uint16_t locking, single;
};
struct gsm7_holders gsm7_holders(uint32_t code);

#endif
