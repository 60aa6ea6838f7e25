/* What the pages of cmd show. */
#ifndef CHANCERY_CMD_VIEWS_H
#define CHANCERY_CMD_VIEWS_H

#include "kernel/http/http.h"

struct home_view {
	struct page page;
};

struct desk_view {
	struct page page;
	struct str name;
};

#endif
