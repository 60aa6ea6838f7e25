#include <argon2.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

#include "base/base.h"
#include "kernel/access/factors.h"
#include "kernel/text/text.h"

/* OWASP's floor for argon2id: 19 MiB, two passes, one lane; 62 ms on a core of 2026. */
#define ARGON2_MEMORY_KIB (19 * 1024)
#define ARGON2_PASSES 2
#define ARGON2_LANES 1
#define ARGON2_HASH_SIZE 32
#define ARGON2_SALT_SIZE 16
#define ARGON2_ENCODED_MAX 128
#define ARGON2_AT_ONCE 2  /* cores it may take from everybody else */
#define ARGON2_WAITING 30 /* a second's worth; who comes later is told to come back */

static pthread_mutex_t argon2_lock = PTHREAD_MUTEX_INITIALIZER; /* of the two numbers below */
static pthread_cond_t argon2_free = PTHREAD_COND_INITIALIZER;
static int argon2_running, argon2_waiting;

static enum rc
argon2_enter(struct err *err)
{
	enum rc rc = OK;

	pthread_mutex_lock(&argon2_lock);
	if (argon2_running >= ARGON2_AT_ONCE && argon2_waiting >= ARGON2_WAITING) {
		rc = err_set(err, BUSY, "too many sign-ins at once");
	} else {
		argon2_waiting++;
		while (argon2_running >= ARGON2_AT_ONCE)
			pthread_cond_wait(&argon2_free, &argon2_lock);
		argon2_waiting--;
		argon2_running++;
	}
	pthread_mutex_unlock(&argon2_lock);
	return rc;
}

static void
argon2_leave(void)
{
	pthread_mutex_lock(&argon2_lock);
	argon2_running--;
	pthread_cond_signal(&argon2_free);
	pthread_mutex_unlock(&argon2_lock);
}

enum rc
password_hash(struct arena *arena, struct str password, struct str *hash_out, struct err *err)
{
	uint8_t salt[ARGON2_SALT_SIZE];
	char encoded[ARGON2_ENCODED_MAX];

	rand_bytes(salt, sizeof salt);
	enum rc rc = argon2_enter(err);
	if (rc != OK)
		return rc;
	const int code = argon2id_hash_encoded(ARGON2_PASSES, ARGON2_MEMORY_KIB, ARGON2_LANES, password.ptr, password.len, salt, sizeof salt,
	                                       ARGON2_HASH_SIZE, encoded, sizeof encoded);
	argon2_leave();
	if (code != ARGON2_OK)
		return err_set(err, FAILED, "argon2: %s", argon2_error_message(code));
	*hash_out = str_copy(arena, str_from(encoded));
	return OK;
}

enum rc
password_verify(struct str hash, struct str password, struct err *err)
{
	/* A hash of random bytes that nothing fits, so that an unknown login takes as long as a known one. */
	static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	char encoded[ARGON2_ENCODED_MAX];
	const bool known = hash.len > 0 && hash.len < sizeof encoded;

	if (password.len > PASSWORD_LENGTH_MOST * 4)
		return DENIED;
	snprintf(encoded, sizeof encoded, "%.*s", known ? (int)hash.len : (int)sizeof nobody, known ? hash.ptr : nobody);
	enum rc rc = argon2_enter(err);
	if (rc != OK)
		return rc;
	const int code = argon2id_verify(encoded, password.ptr, password.len);
	argon2_leave();
	return code == ARGON2_OK && known ? OK : DENIED;
}

enum rc
password_rules(struct str password, struct str login, struct str name, struct str field, struct err *err)
{
	/* The beginnings under which most guessed passwords fall; length does the rest. */
	static const char *const obvious[] = { "password", "passwort", "motdepasse", "123456", "qwerty", "azerty", "chancery", "letmein", "admin", "welcome" };
	const size_t length = utf8_length(password);
	struct arena arena;
	enum rc rc = OK;

	if (length < PASSWORD_LENGTH_LEAST)
		return err_field(err, field, MSG_access_password_short, STR_NONE, STR_NONE);
	if (length > PASSWORD_LENGTH_MOST)
		return err_field(err, field, MSG_access_password_long, STR_NONE, STR_NONE);
	arena_init(&arena);
	const struct str lower = str_lower(&arena, password);
	bool weak = (login.len > 2 && str_find(lower, login, 0) != SIZE_MAX) || str_equal_nocase(password, name);
	for (size_t i = 0; i < COUNT_OF(obvious); i++)
		weak = weak || str_starts(lower, str_from(obvious[i]));
	size_t same = 1;
	for (size_t i = 1; i < lower.len; i++)
		same += lower.ptr[i] == lower.ptr[0];
	if (weak || same == lower.len)
		rc = err_field(err, field, MSG_access_password_obvious, STR_NONE, STR_NONE);
	arena_release(&arena);
	return rc;
}

uint32_t
totp_code(const uint8_t *secret, size_t size, uint64_t step)
{
	uint8_t message[8], digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	for (int i = 7; i >= 0; i--, step >>= 8)
		message[i] = (uint8_t)step;
	HMAC(EVP_sha1(), secret, (int)size, message, sizeof message, digest, &length);
	/* RFC 4226 section 5.3, dynamic truncation. */
	const unsigned at = digest[19] & 15;
	const uint32_t bits = ((uint32_t)digest[at] & 0x7f) << 24 | (uint32_t)digest[at + 1] << 16 | (uint32_t)digest[at + 2] << 8 | digest[at + 3];
	return bits % 1000000;
}

int64_t
totp_match(const uint8_t *secret, size_t size, struct str code, int64_t now, int64_t used)
{
	char text[TOTP_DIGITS + 1];
	int64_t found = 0;
	const int64_t step = now / CLOCK_SECOND / TOTP_STEP;

	if (code.len != TOTP_DIGITS)
		return 0;
	for (int64_t at = step - 1; at <= step + 1; at++) {
		snprintf(text, sizeof text, "%06u", totp_code(secret, size, (uint64_t)at));
		if (sodium_memcmp(text, code.ptr, TOTP_DIGITS) == 0 && at > used && !found)
			found = at;
	}
	return found;
}

static const char base32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 section 6 */

struct str
totp_secret_text(struct arena *arena, const uint8_t *secret, size_t size)
{
	char *text = arena_alloc(arena, (size * 8 + 4) / 5 + 1);
	size_t length = 0;
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < size; i++) {
		bits = (bits << 8 | secret[i]) & 0xffff;
		for (held += 8; held >= 5; held -= 5)
			text[length++] = base32_alphabet[bits >> (held - 5) & 31];
	}
	if (held)
		text[length++] = base32_alphabet[bits << (5 - held) & 31];
	return (struct str){ text, length };
}

bool
totp_secret_read(struct str text, uint8_t secret[TOTP_SECRET_SIZE])
{
	uint8_t bytes[TOTP_SECRET_SIZE];
	uint32_t bits = 0;
	unsigned held = 0;
	size_t length = 0;

	if (text.len != TOTP_SECRET_SIZE * 8 / 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = text.ptr[i] ? memchr(base32_alphabet, text.ptr[i], 32) : NULL;
		if (!digit)
			return false;
		bits = (bits << 5 | (uint32_t)(digit - base32_alphabet)) & 0xffff;
		held += 5;
		if (held >= 8) {
			held -= 8;
			bytes[length++] = (uint8_t)(bits >> held);
		}
	}
	memcpy(secret, bytes, sizeof bytes);
	return true;
}

void
totp_secret_of_link(const struct house *house, int64_t officer_id, int64_t salt, uint8_t secret[TOTP_SECRET_SIZE])
{
	const int64_t what[2] = { officer_id, salt };
	uint8_t mac[32];

	house_mac(house, "totp-setup", (struct str){ (const char *)what, sizeof what }, mac);
	memcpy(secret, mac, TOTP_SECRET_SIZE);
}
