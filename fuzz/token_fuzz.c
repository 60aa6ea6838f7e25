/* Tokens of links and mails, secrets and codes of officers: what was never given out opens nothing, and what reads is spelt one way. */
#include <stdlib.h>

#include "core/messages/render.h"
#include "kernel/access/access.h"
#include "kernel/access/factors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* The input has no way to the key: a token that is taken is the one the house would give. */
static void read_token(const struct house *house, struct arena *arena, struct str text)
{
	int64_t id = -1;
	if (!capability_id(text, &id)) {
		check(id == -1 && mail_token_read(house, text) == 0);
		return;
	}
	check(id >= 0);
	struct str ours = capability_token(house, arena, "manage", id, 7);
	int64_t again = -1;
	check(ours.len == text.len && capability_id(ours, &again) && again == id);
	check(capability_check(house, ours, "manage", id, 7) && !capability_check(house, ours, "manage", id, 8));
	check(capability_check(house, text, "manage", id, 7) == str_equal(text, ours));
	(void)mail_token_read(house, text);
}

static void read_secret(struct arena *arena, struct str text)
{
	uint8_t secret[TOTP_SECRET_SIZE];
	if (totp_secret_read(text, secret))
		check(str_equal(totp_secret_text(arena, secret, sizeof secret), text));
}

static void read_code(const uint8_t *secret, struct str text)
{
	const int64_t now = 59 * CLOCK_SECOND; /* a time of RFC 6238, appendix B */
	const int64_t step = totp_match(secret, TOTP_SECRET_SIZE, text, now, 0);
	check(step >= 0 && step <= 2);
	check(step == 0 || totp_match(secret, TOTP_SECRET_SIZE, text, now, 2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[] = "12345678901234567890";
	struct house house = { .public_url = "https://chancery.example" };
	struct str text = { (const char *)data, size };
	enum permission permission;
	struct arena arena;

	arena_init(&arena);
	memset(house.secret, 1, sizeof house.secret);
	read_token(&house, &arena, text);
	read_secret(&arena, text);
	read_code(secret, text);
	if (permission_read(text, &permission))
		check(permission >= PERMIT_READER && permission <= PERMIT_ADMINISTRATOR);
	check(code_hash(&house, &arena, text, text).len == 64);
	arena_release(&arena);
	return 0;
}
