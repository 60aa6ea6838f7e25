/* The GSM alphabet from both sides; private to kernel/text. */
#ifndef CHANCERY_KERNEL_TEXT_SMS_ALPHABET_H
#define CHANCERY_KERNEL_TEXT_SMS_ALPHABET_H

#include <stdint.h>

#define GSM7_ESCAPE 0x1B

/* The character of a septet in the default alphabet; 0 for the escape. `septet` must be below 128. */
uint16_t gsm7_basic(uint8_t septet);

/* The character of the septet after an escape; 0 if the extension table has none. */
uint16_t gsm7_extended(uint8_t septet);

#endif
