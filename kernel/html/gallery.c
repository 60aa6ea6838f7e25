#include "kernel/html/gallery.h"

struct gallery gallery_sample(struct arena *arena, enum language language, const struct err *errors)
{
	static const struct {
		const char *severity, *label, *title, *phone;
	} items[] = {
		{ "extreme", "Extreme", "Earthquake near the coast", "+12025550143" },
		{ "severe", "Severe", "سيول في المدينة", "+441632960001" },
		{ "moderate", "Moderate", "Manifestations prévues <samedi>", "+33199000001" },
		{ "minor", "Minor", "گرمای شدید", "+33199000002" },
	};
	struct gallery view = { .count = 12345, .percent = 40, .place = S("Tehran \"تهران\" & <b>"), .text = S("Stay inside.\nAnswer SAFE or HELP."),
		                .day = date_to_days(2026, 3, 14), .item_count = COUNT_OF(items), .option_count = 3 };
	view.page = (struct page){ .title = T(arena, language, MSG_kernel_menu), .errors = errors, .notice = S("Saved."),
		                   .canonical = S("/gallery"), .refresh = S("30") };
	view.items = ARENA_NEW_ARRAY(arena, struct gallery_item, COUNT_OF(items));
	for (size_t i = 0; i < COUNT_OF(items); i++) {
		view.items[i] = (struct gallery_item){ .id = (int64_t)(1000 + i), .severity = items[i].severity, .label = str_from(items[i].label),
			                               .title = str_from(items[i].title), .text = view.text,
			                               .phone = str_from(items[i].phone),
			                               .at = (date_to_days(2026, 3, 14) * 24 + 10) * CLOCK_HOUR };
	}
	view.options = ARENA_NEW_ARRAY(arena, struct choice, view.option_count);
	view.options[0] = (struct choice){ S("sms"), S("SMS"), true };
	view.options[1] = (struct choice){ S("email"), S("E-mail"), false };
	view.options[2] = (struct choice){ S("web"), S("Web"), false };
	return view;
}
