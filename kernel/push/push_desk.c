/* The installation's keys and whom it may call. */
#include <stdlib.h>

#include "kernel/desk/desk.h"
#include "kernel/push/push.h"

struct push_state {
	char public_key[96];
	size_t length;
};

static const struct setting settings[] = {
	{ "push.contact", SETTING_TEXT, "", 0, 200,
	  "Whom push services may write to: mailto:ADDRESS or https://...; empty: no notifications in browsers. Some refuse what is no real address" },
	{ "push.services", SETTING_TEXT, "", 0, 1000, "Further push services besides Google's, Mozilla's, Apple's and Microsoft's: HOST or *.DOMAIN" },
	{ "push.loopback", SETTING_TEXT, "", 0, 60, "For tests alone: one push service on the loopback, HOST:PORT, called over plain HTTP" },
};

void push_seed(const struct house *house, uint8_t out[32])
{
	house_mac(house, "push.key", S("1"), out);
}

bool push_is_on(struct house *house)
{
	struct arena arena;

	arena_init(&arena);
	const bool on = !str_is_empty(setting_text(house, &arena, "push.contact"));
	arena_release(&arena);
	return on;
}

struct str push_public_key(struct house *house)
{
	const struct push_state *state = house->state[SLOT_PUSH];

	if (!state || !push_is_on(house))
		return STR_NONE;
	return (struct str){ state->public_key, state->length };
}

struct push_policy push_policy_of(struct house *house, struct arena *arena)
{
	return (struct push_policy){ .services = setting_text(house, arena, "push.services"),
		                     .loopback = setting_text(house, arena, "push.loopback") };
}

static enum rc start(struct house *house, struct err *err)
{
	struct push_signer *signer;
	uint8_t seed[32];

	push_seed(house, seed);
	enum rc rc = push_signer_new(seed, S("https://localhost/"), &signer, err); /* for its public half alone */
	if (rc != OK)
		return rc;
	struct push_state *state = calloc(1, sizeof *state);
	if (!state)
		abort();
	const struct str key = push_signer_public(signer);
	memcpy(state->public_key, key.ptr, key.len);
	state->length = key.len;
	push_signer_free(signer);
	house_set_state(house, SLOT_PUSH, state);
	return OK;
}

static void stop(struct house *house)
{
	free(house->state[SLOT_PUSH]);
	house_set_state(house, SLOT_PUSH, NULL);
}

const struct desk push_desk = {
	.name = "push",
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.start = start,
	.stop = stop,
};
