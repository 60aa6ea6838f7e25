/* Links and codes that act for someone; docs/decisions/0004-capability-links.md. */
#include <sodium.h>

#include "base/base.h"
#include "kernel/access/access.h"

#define CAPABILITY_MAC_LENGTH 20 /* characters: 100 bits */
#define CAPABILITY_ID_MAX 13     /* characters of a 63-bit id */

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's base32 */

static struct str
capability_mac(const struct house *house, struct arena *arena, const char *purpose, int64_t id, int64_t salt)
{
	unsigned char hash[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, house->secret, sizeof house->secret);
	/* The NUL ends the purpose, so that no two (purpose, id) pairs give the same bytes. */
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)purpose, strlen(purpose) + 1);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)&id, sizeof id);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)&salt, sizeof salt);
	crypto_auth_hmacsha256_final(&state, hash);
	return base32_encode(arena, hash, CAPABILITY_MAC_LENGTH);
}

struct str
capability_token(const struct house *house, struct arena *arena, const char *purpose, int64_t id, int64_t salt)
{
	char digits[CAPABILITY_ID_MAX];
	size_t at = sizeof digits;
	uint64_t rest = (uint64_t)id;

	do {
		digits[--at] = alphabet[rest & 31];
		rest >>= 5;
	} while (rest && at > 0);
	return str_concat(arena, (struct str){ digits + at, sizeof digits - at }, capability_mac(house, arena, purpose, id, salt));
}

bool
capability_id(struct str token, int64_t *id_out)
{
	uint64_t id = 0;

	if (token.len <= CAPABILITY_MAC_LENGTH || token.len > CAPABILITY_MAC_LENGTH + CAPABILITY_ID_MAX)
		return false;
	for (size_t i = 0; i < token.len; i++) {
		const char *digit = token.ptr[i] ? memchr(alphabet, token.ptr[i], sizeof alphabet - 1) : NULL;
		if (!digit)
			return false;
		if (i >= token.len - CAPABILITY_MAC_LENGTH)
			continue;
		if (id >> 58)
			return false;
		id = id << 5 | (uint64_t)(digit - alphabet);
	}
	/* One spelling for an id: a leading zero is not ours. */
	if (id > INT64_MAX || (token.ptr[0] == '0' && token.len > CAPABILITY_MAC_LENGTH + 1))
		return false;
	*id_out = (int64_t)id;
	return true;
}

bool
capability_check(const struct house *house, struct str token, const char *purpose, int64_t id, int64_t salt)
{
	struct arena arena;

	if (token.len <= CAPABILITY_MAC_LENGTH)
		return false;
	arena_init(&arena);
	const struct str mac = capability_mac(house, &arena, purpose, id, salt);
	const bool same = sodium_memcmp(mac.ptr, token.ptr + token.len - CAPABILITY_MAC_LENGTH, CAPABILITY_MAC_LENGTH) == 0;
	arena_release(&arena);
	return same;
}

struct str
code_hash(const struct house *house, struct arena *arena, struct str code, struct str bound_to)
{
	unsigned char hash[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, house->secret, sizeof house->secret);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)"code", 5);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)code.ptr, code.len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)"", 1);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)bound_to.ptr, bound_to.len);
	crypto_auth_hmacsha256_final(&state, hash);
	return str_hex(arena, hash, sizeof hash);
}

struct str
code_new(struct arena *arena)
{
	return str_format(arena, "%06u", (unsigned)rand_below(1000000));
}
