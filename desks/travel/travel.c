/* The room's table. */
#include "desks/travel/travel.h"
#include "desks/travel/enrol.h"
#include "desks/travel/my.h"

static const struct route routes[] = {
	/* --- travellers --- */
	{ METHOD_GET, "/enrol", enrol_get, "The form to enrol with", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/enrol", enrol_post, "Enrols a person with a trip or a watch", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/confirm/:token", confirm_get, "Where codes are typed that confirm addresses", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/confirm/:token", confirm_post, "Confirms an address by its code", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_POST, "/confirm/:token/send", confirm_send_post, "Sends a code again", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_GET, "/my/:token", my_page_get, "The person's own page", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/my/:token/trips/new", trip_new_get, "The form of a new trip", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/trips/new", trip_new_post, "Adds a trip", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/my/:token/trips/:trip", trip_get, "The form of a trip", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/trips/:trip", trip_post, "Changes a trip", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_POST, "/my/:token/trips/:trip/end", trip_end_post, "Ends a trip", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/my/:token/watches/new", watch_new_get, "The form of a new watch", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/watches/new", watch_new_post, "Adds a watch", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/my/:token/watches/:watch", watch_get, "The form of a watch", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/watches/:watch", watch_post, "Changes a watch", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_POST, "/my/:token/watches/:watch/end", watch_end_post, "Ends a watch", PERMIT_ANYONE, RATE_FORM, false },
	/* --- alerts --- */
	/* --- the board --- */
};

static const struct setting settings[] = {
	/* --- travellers --- */
	{ "travel.home_zone", SETTING_TEXT, "UTC", 0, 64, "Time zone of people whose telephone tells no country, for messages that wait for morning" },
	/* --- alerts --- */
	/* --- the board --- */
};

static const struct menu_entry menu[] = {
	/* --- travellers --- */
	{ MSG_travel_enrol_menu, "/enrol", PERMIT_ANYONE, 10 },
	/* --- alerts --- */
	/* --- the board --- */
};

const struct desk travel_desk = {
	.name = "travel",
	.routes = routes,
	.route_count = COUNT_OF(routes),
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.menu = menu,
	.menu_count = COUNT_OF(menu),
};
