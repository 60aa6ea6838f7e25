/* Token buckets in the store: what one destination, one source and all together may ask for. */
#include <inttypes.h>
#include <sodium.h>

#include "base/base.h"
#include "kernel/access/access.h"

#include "access_sql.h"

#define BUDGET_UNIT 1000 /* a token in the table's thousandths */

/* How many at once, and how long until one more. The first three are the pumping guard for codes. */
struct budget_rule {
	const char *name;
	int64_t most;      /* tokens in a full bucket */
	int64_t one_every; /* microseconds for a token to come back */
};

static const struct budget_rule rules[BUDGET_CLASS_COUNT] = {
	[BUDGET_CODE_DESTINATION] = { "code_destination", 5, 10 * CLOCK_MINUTE },
	[BUDGET_CODE_SOURCE] = { "code_source", 30, 2 * CLOCK_MINUTE },
	[BUDGET_CODE_ALL] = { "code_all", 2000, CLOCK_SECOND / 5 },
	[BUDGET_ENROL_SOURCE] = { "enrol_source", 60, CLOCK_MINUTE },
	[BUDGET_ENROL_ALL] = { "enrol_all", 5000, CLOCK_SECOND / 20 },
	[BUDGET_SIGN_IN_ACCOUNT] = { "sign_in_account", 10, 20 * CLOCK_SECOND },
	[BUDGET_SIGN_IN_SOURCE] = { "sign_in_source", 30, 10 * CLOCK_SECOND },
};

uint64_t
budget_key(const struct house *house, struct str what)
{
	unsigned char hash[crypto_auth_hmacsha256_BYTES];
	uint64_t key;

	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, house->secret, sizeof house->secret);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)"budget", 7);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)what.ptr, what.len);
	crypto_auth_hmacsha256_final(&state, hash);
	memcpy(&key, hash, sizeof key);
	return key >> 1; /* fits the store's signed integers */
}

enum rc
budget_take(struct db_tx *tx, struct house *house, enum budget_class budget, uint64_t key, int64_t now, int64_t *retry_after, struct err *err)
{
	(void)house;
	const struct budget_rule *rule = &rules[budget];
	const struct budget_find_args find = { .class = (int64_t)budget, .key = (int64_t)(key >> 1) };
	const int64_t full = rule->most * BUDGET_UNIT;
	struct budget_find_row row = { .tokens = full, .filled_at = now };
	struct arena arena;

	arena_init(&arena);
	enum rc rc = budget_find(tx, &arena, &find, &row, err);
	arena_release(&arena);
	if (rc != OK && rc != NOT_FOUND)
		return rc;

	/* A clock that went back fills nothing; one that jumped ahead fills at most the bucket. */
	const int64_t passed = now > row.filled_at ? now - row.filled_at : 0;
	int64_t tokens = passed / rule->one_every >= rule->most
	                     ? full
	                     : row.tokens + passed * BUDGET_UNIT / rule->one_every;
	if (tokens > full)
		tokens = full;
	if (tokens < BUDGET_UNIT) {
		if (retry_after)
			*retry_after = (BUDGET_UNIT - tokens) * rule->one_every / BUDGET_UNIT;
		if (budget == BUDGET_CODE_ALL || budget == BUDGET_ENROL_ALL)
			log_error("budget.empty", LOGC("class", rule->name));
		return err_set(err, BUSY, "budget %s is used up", rule->name);
	}
	const struct budget_put_args put = {
		.class = (int64_t)budget,
		.key = (int64_t)(key >> 1),
		.tokens = tokens - BUDGET_UNIT,
		.filled_at = now,
	};
	return budget_put(tx, &put, NULL, err);
}
