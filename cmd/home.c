/* The first page, and the officers' first page. */
#include "cmd/cmd.h"
#include "cmd/demo.h"
#include "cmd/views.h"
#include "core/messages/messages.h"
#include "kernel/access/access.h"

#include "cmd_pages.h"

#define ALARMS_MAX 16

/* Of the demo: where phones and mailboxes are watched. Set before serving, never changed after. */
static struct html_url simulator;

void
home_demo_set(struct arena *arena, int simulator_port)
{
	simulator = html_url(arena, str_format(arena, "http://localhost:%d/", simulator_port));
}

struct alert_reading {
	struct request *request;
	struct alert_public *items;
	size_t count;
};

static enum rc
alerts_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct alert_reading *reading = context;
	struct request *request = reading->request;

	return alert_list_public(tx, request->house, request->arena, request->language, S(""), &reading->items, &reading->count, err);
}

/* The alerts in force; on failure the response is filled and false returned. */
static bool
alerts_read(struct request *request, struct response *response, struct alert_reading *out)
{
	struct err err;

	err_init(&err, request->arena);
	*out = (struct alert_reading){ .request = request };
	enum rc rc = db_read(request->house->db, alerts_in_store, out, &err);
	if (rc != OK)
		response_error(request, response, rc, &err);
	return rc == OK;
}

static void
home_get(struct request *request, struct response *response)
{
	struct alert_reading alerts;

	if (!alerts_read(request, response, &alerts))
		return;
	struct html out = html_begin(request, response);
	const struct home_view view = {
		.alerts = alerts.items,
		.alert_count = alerts.count,
		.page = { .title = T(request->arena, request->language, MSG_home_title), .canonical = S("/"), .feed = S("/feed.atom") },
		.simulator = simulator,
	};

	response->cacheable = true;
	home_page(&out, &view);
}

/* --- the officers' first page ------------------------------------------------------------------------------- */

static enum msg
alarm_message(struct str probe)
{
	if (str_equal(probe, S("db")))
		return MSG_home_alarm_db;
	if (str_equal(probe, S("routes")))
		return MSG_home_alarm_routes;
	if (str_equal(probe, S("unsent")))
		return MSG_home_alarm_unsent;
	return MSG_home_alarm_other;
}

/* One line of house_health: name=NAME ok=no reason="...". False for what is well. */
static bool
alarm_read(struct request *request, struct str line, struct desk_alarm *out)
{
	struct str name, rest;

	if (!str_starts(line, S("name=")) || !str_cut(str_slice(line, 5, line.len), ' ', &name, &rest) || !str_starts(rest, S("ok=no")))
		return false;
	out->text = T(request->arena, request->language, alarm_message(name));
	out->detail = str_copy(request->arena, str_trim(str_slice(rest, 5, rest.len)));
	if (str_is_empty(out->detail))
		out->detail = str_copy(request->arena, name);
	return true;
}

static void
alarms_find(struct request *request, struct desk_view *view)
{
	struct str line, rest;
	struct buf health;

	buf_init(&health);
	house_health(request->house, &health);
	view->alarms = ARENA_NEW_ARRAY(request->arena, struct desk_alarm, ALARMS_MAX);
	for (struct str left = buf_str(&health); !str_is_empty(left) && view->alarm_count < ALARMS_MAX; left = str_is_none(rest) ? S("") : rest) {
		str_cut(left, '\n', &line, &rest);
		if (alarm_read(request, line, &view->alarms[view->alarm_count]))
			view->alarm_count++;
	}
	buf_release(&health);
}

static void
desk_get(struct request *request, struct response *response)
{
	struct alert_reading alerts;
	struct messages_figures figures;

	if (!alerts_read(request, response, &alerts))
		return;
	struct html out = html_begin(request, response);
	struct desk_view view = {
		.alerts = alerts.items,
		.alert_count = alerts.count,
		.page = { .title = T(request->arena, request->language, MSG_home_desk), .officer_page = true, .canonical = S("/desk"), .refresh = S("60") },
		.name = request->officer->name,
	};

	alarms_find(request, &view);
	messages_figures(request->house, &figures);
	view.inbox = figures.inbox_waiting;
	view.in_doubt = figures.in_doubt;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++)
			view.queued += figures.queued[channel][lane];
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
