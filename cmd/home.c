/* The first page, and the officers' first page. */
#include "cmd/cmd.h"
#include "cmd/views.h"
#include "kernel/access/access.h"

#include "cmd_pages.h"

static void
home_get(struct request *request, struct response *response)
{
	struct html out = html_begin(request, response);
	const struct home_view view = {
		.page = { .title = T(request->arena, request->language, MSG_home_title), .canonical = S("/") },
	};

	response->cacheable = true;
	home_page(&out, &view);
}

static void
desk_get(struct request *request, struct response *response)
{
	struct html out = html_begin(request, response);
	const struct desk_view view = {
		.page = { .title = T(request->arena, request->language, MSG_home_desk), .officer_page = true, .canonical = S("/desk") },
		.name = request->officer->name,
	};

	desk_page(&out, &view);
}

static const struct route routes[] = {
	{ METHOD_GET, "/", home_get, "The first page", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/desk", desk_get, "The officers' first page", PERMIT_READER, RATE_PAGE, false },
};

static const struct menu_entry menu[] = {
	{ MSG_home_title, "/", PERMIT_ANYONE, 1 },
	{ MSG_home_desk, "/desk", PERMIT_READER, 1 },
};

const struct desk home_desk = {
	.name = "home",
	.routes = routes,
	.route_count = COUNT_OF(routes),
	.menu = menu,
	.menu_count = COUNT_OF(menu),
};
