/* Random numbers from the kernel (getrandom); for secrets too. */
#ifndef CHANCERY_BASE_RAND_H
#define CHANCERY_BASE_RAND_H

#include "str.h"

/* Fills `out`; ends the process if the kernel gives nothing. */
void rand_bytes(void *out, size_t size);
uint64_t rand_u64(void);
/* Uniform in [0, bound); bound > 0. */
uint64_t rand_below(uint64_t bound);
/* A new outside id: 128 bits as 32 lower-case hex digits. */
struct str rand_id(struct arena *arena);
/* A random token of `length` characters of base32 (Crockford's alphabet, lower case: 5 bits each; 20 characters are 100 bits). */
struct str rand_token(struct arena *arena, size_t length);
/* Crockford base32, lower case, of the first `length` * 5 bits of `bytes`, most significant bit first. */
struct str base32_encode(struct arena *arena, const uint8_t *bytes, size_t length);

#endif
