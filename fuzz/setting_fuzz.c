/* An operator's value for a setting, the first byte saying of which type: what is refused changes nothing, what is taken is in its bounds. */
#include <stdlib.h>

#include "kernel/desk/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct setting settings[] = {
	{ "fuzz.number", SETTING_INT, "5", -10, 1000, "A number" },
	{ "fuzz.switch", SETTING_BOOL, "no", 0, 0, "A switch" },
	{ "fuzz.text", SETTING_TEXT, "initial", 1, 40, "A text" },
};
static const struct desk desk = { .name = "fuzz", .settings = settings, .setting_count = COUNT_OF(settings) };
static const struct desk *const desks[] = { &desk };

static struct house *house_of_settings(void)
{
	static struct house *house;
	const struct house_options options = { .desks = desks, .desk_count = COUNT_OF(desks), .public_url = "https://chancery.example" };
	if (!house && house_new(&options, &house, NULL) != OK)
		abort();
	return house;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct house *house = house_of_settings();
	const struct setting *setting = &settings[data[0] % COUNT_OF(settings)];
	struct str value = { (const char *)data + 1, size - 1 };
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = setting_set(house, setting->name, value, &err);
	check(rc == OK || (rc == INVALID && err.detail.len > 0));
	int64_t number = setting_int(house, "fuzz.number");
	check(number >= -10 && number <= 1000);
	check(rc == OK || (number == 5 && !setting_bool(house, "fuzz.switch")));
	struct str text = setting_text(house, &arena, "fuzz.text");
	check(text.len >= 1 && text.len <= 40 && utf8_valid(text));
	check(str_equal(text, rc == OK && setting->type == SETTING_TEXT ? value : S("initial")));
	check(setting_clear(house, setting->name, &err) == OK);
	arena_release(&arena);
	return 0;
}
