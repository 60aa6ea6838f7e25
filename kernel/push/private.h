/* Shared within the room. OpenSSL's headers come first: base.h bans names that they use. */
#ifndef CHANCERY_KERNEL_PUSH_PRIVATE_H
#define CHANCERY_KERNEL_PUSH_PRIVATE_H

#include <openssl/evp.h>

#include "kernel/push/push.h"

/* NULL if the point does not lie on P-256. */
EVP_PKEY *p256_public(const uint8_t point[PUSH_POINT]);
/* The public point of a private key; false unless 0 < key < order. */
bool p256_point(const uint8_t private_key[32], uint8_t point[PUSH_POINT]);
EVP_PKEY *p256_pair(const uint8_t private_key[32], const uint8_t point[PUSH_POINT]);

#endif
