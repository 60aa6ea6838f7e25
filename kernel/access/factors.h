/* The two factors of an officer: a password and a time-based code; and printed codes for the day the phone is lost. */
#ifndef CHANCERY_KERNEL_ACCESS_FACTORS_H
#define CHANCERY_KERNEL_ACCESS_FACTORS_H

#include "base/base.h"
#include "kernel/desk/desk.h"

#define PASSWORD_LENGTH_LEAST 12 /* characters */
#define PASSWORD_LENGTH_MOST 200
#define TOTP_SECRET_SIZE 20      /* bytes; RFC 4226 section 4 recommends 160 bits */
#define TOTP_STEP 30             /* seconds, RFC 6238 section 4.1 */
#define TOTP_DIGITS 6
#define RECOVERY_CODES 10

/* argon2id (RFC 9106) of a password as an encoded string. BUSY when too many wait for a core. */
enum rc password_hash(struct arena *arena, struct str password, struct str *hash_out, struct err *err);
/* OK if it fits, DENIED if not, BUSY when too many wait. An empty hash costs the same time and is DENIED: nobody learns which logins exist. */
enum rc password_verify(struct str hash, struct str password, struct err *err);
/* Rules for a new password: length, not the login or name, not among the obvious. INVALID with a field error on `field`. */
enum rc password_rules(struct str password, struct str login, struct str name, struct str field, struct err *err);

/* RFC 6238 code of a time step, HMAC-SHA-1, 6 digits. */
uint32_t totp_code(const uint8_t *secret, size_t size, uint64_t step);
/* The time step (-1..+1 around now) that `code` fits and that is later than `used`; 0 if none. */
int64_t totp_match(const uint8_t *secret, size_t size, struct str code, int64_t now, int64_t used);
/* RFC 4648 base32 without padding, upper case, as authenticators read it. */
struct str totp_secret_text(struct arena *arena, const uint8_t *secret, size_t size);
bool totp_secret_read(struct str text, uint8_t secret[TOTP_SECRET_SIZE]);
/* The secret a set-up link proposes: made from the link, so that opening the page stores nothing. */
void totp_secret_of_link(const struct house *house, int64_t officer_id, int64_t salt, uint8_t secret[TOTP_SECRET_SIZE]);

#endif
