/* A page that shows every component once, for tests of the style (accessibility, narrow windows, right to left). */
#ifndef CHANCERY_KERNEL_HTML_GALLERY_H
#define CHANCERY_KERNEL_HTML_GALLERY_H

#include "kernel/html/html.h"

struct gallery_item {
	int64_t id;
	const char *severity; /* the class: extreme severe moderate minor */
	struct str label, title, text, phone;
	int64_t at;
};

struct gallery {
	struct page page;
	struct gallery_item *items;
	size_t item_count;
	int64_t count;
	unsigned percent;
	struct str place, text;
	int64_t day;
	struct choice *options;
	size_t option_count;
};

/* An invented view; its texts live in the arena or for ever. */
struct gallery gallery_sample(struct arena *arena, enum language language, const struct err *errors);

#endif
