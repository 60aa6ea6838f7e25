/* The room's table: the gazetteer and the outlines, opened once for the process. */
#include "base/base.h"
#include "core/places/places.h"
#include "kernel/desk/desk.h"

static const struct setting settings[] = {
	{ "places.overrides", SETTING_TEXT, "", 0, 1000,
	  "File that replaces names shown and whose outline a disputed area is; empty: what was built in" },
};

static enum rc start(struct house *house, struct err *err)
{
	struct places *places;
	struct arena arena;

	arena_init(&arena);
	const struct str overrides = setting_text(house, &arena, "places.overrides");
	enum rc rc = places_open("", overrides.len ? str_c(&arena, overrides) : NULL, &places, err);
	if (rc == OK)
		house_set_state(house, SLOT_PLACES, places);
	arena_release(&arena);
	return rc;
}

static void stop(struct house *house)
{
	places_close(places_of(house));
	house_set_state(house, SLOT_PLACES, NULL);
}

struct places *places_of(const struct house *house)
{
	return house->state[SLOT_PLACES];
}

const struct desk places_desk = {
	.name = "places",
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.start = start,
	.stop = stop,
};
