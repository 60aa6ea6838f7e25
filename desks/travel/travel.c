/* The room's table. */
#include "desks/travel/travel.h"
#include "desks/travel/enrol.h"
#include "desks/travel/alert.h"
#include "desks/travel/find.h"
#include "desks/travel/alert_views.h"
#include "desks/travel/board_views.h"
#include "desks/travel/my.h"
#include "desks/travel/push.h"

#include "travel_sql.h"

static const struct route routes[] = {
	/* --- travellers --- */
	{ METHOD_GET, "/enrol", enrol_get, "The form to enrol with", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/enrol", enrol_post, "Enrols a person with a trip or a watch", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/confirm/:token", confirm_get, "Where codes are typed that confirm addresses", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/confirm/:token", confirm_post, "Confirms an address by its code", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_POST, "/confirm/:token/send", confirm_send_post, "Sends a code again", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_GET, "/my", my_ask_get, "Asks for a code to open one's page", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my", my_ask_post, "Sends a code to open one's page", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_GET, "/my/deleted", my_deleted_get, "After everything was deleted", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/my/code/:token", my_code_get, "Where the code is typed", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/code/:token", my_code_post, "Opens one's page by the code", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_GET, "/my/choose/:token", my_choose_get, "Several people have the address", PERMIT_ANYONE, RATE_PAGE, false },
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
	{ METHOD_GET, "/my/:token/me", my_me_get, "The form of name and language", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/me", my_me_post, "Changes name and language", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/my/:token/contacts/new", my_contact_get, "The form of a new address", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/contacts/new", my_contact_post, "Adds an address and sends its code", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_POST, "/my/:token/contacts/:contact", my_contact_act_post, "Confirms, orders, uses, leaves or removes an address",
	  PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/my/:token/emergency", my_emergency_get, "The form of the emergency contact", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/emergency", my_emergency_post, "Changes or removes the emergency contact", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_POST, "/my/:token/links", my_links_post, "Ends all links given out for this person", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/my/:token/export", my_export_get, "Everything stored about the person, as JSON", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/my/:token/delete", my_delete_get, "What deleting everything means", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/my/:token/delete", my_delete_post, "Deletes everything about the person", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_POST, "/my/:token/push", my_push_post, "Adds a browser that takes notifications", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_POST, "/push/renew", push_renew_post, "A browser changed its subscription by itself", PERMIT_ANYONE, RATE_FORM, true },
	{ METHOD_GET, "/push-worker.js", push_worker_get, "The service worker that shows notifications", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/unsubscribe/:token", unsubscribe_get, "One button to stop alerts to a mailbox", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/unsubscribe/:token", unsubscribe_post, "Stops alerts to a mailbox (RFC 8058)", PERMIT_ANYONE, RATE_FORM, true },
	{ METHOD_POST, "/unsubscribe/:token/undo", unsubscribe_undo_post, "Starts them again", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/find", find_get, "Finds places and countries by name", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/country/:code", country_get, "A country and the alerts that touch it", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/country/:code/map.svg", country_map_get, "The map of a country", PERMIT_ANYONE, RATE_PAGE, false },
	/* --- alerts --- */
	{ METHOD_GET, "/desk/alerts", alerts_get, "The officers' list of alerts", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/alerts/new", alert_new_get, "The form of a new alert", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alerts/new", alert_new_post, "Makes a draft", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/alert/:id", alert_get, "What became of an alert, live", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/alert/:id/events", alert_events_get, "Events of an alert (server-sent)", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/alert/:id/map.svg", alert_map_get, "The map of an alert or its draft", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/alert/:id/edit", alert_edit_get, "The form of a draft", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alert/:id/edit", alert_edit_post, "Changes a draft", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_POST, "/desk/alert/:id/discard", alert_discard_post, "Throws a draft away", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/alert/:id/review", alert_review_get, "Whom a draft reaches and what they get", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alert/:id/sample", alert_sample_post, "Sends a draft to oneself", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/alert/:id/send", alert_confirm_get, "The consequences of sending, in numbers", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alert/:id/send", alert_send_post, "Sends a draft", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_POST, "/desk/alert/:id/next", alert_next_post, "Begins an update, a cancel or an all-clear", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_POST, "/desk/alert/:id/held", alert_held_post, "Lets messages go on that grew old over a stop", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/alert/:id", alert_public_get, "An alert", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/alert/:id/map.svg", alert_public_map_get, "The map of an alert", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/alerts/map.svg", alerts_map_get, "The map of all alerts in force (?country=XX)", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_GET, "/feed.atom", feed_get, "The alerts in force as an Atom feed (?country=XX, ?lang=XX)", PERMIT_ANYONE, RATE_PAGE, false },
	/* --- the board --- */
	{ METHOD_GET, "/a/:token", answer_get, "Where a person answers an alert", PERMIT_ANYONE, RATE_PAGE, false },
	/* The token in the address proves more than a form's would, and a browser that refuses cookies must not keep anybody from calling for help. */
	{ METHOD_POST, "/a/:token", answer_post, "Records the answer", PERMIT_ANYONE, RATE_FORM, true },
	{ METHOD_POST, "/a/:token/push", answer_push_post, "Records an answer by a notification's button", PERMIT_ANYONE, RATE_FORM, true },
	{ METHOD_GET, "/desk/alert/:id/board", board_get, "The board of an alert", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/alert/:id/board/events", board_events_get, "Events of the board (server-sent)", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alert/:id/board/contacts", board_contacts_post, "Shows addresses and logs it", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/alert/:id/board.csv", board_csv_get, "The board as a table with HXL tags", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/alert/:id/person/:person", board_person_get, "One person of the board", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alert/:id/person/:person", board_person_post, "Takes, notes, resolves, marks, undoes", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/alert/:id/calls", calls_get, "The call list", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alert/:id/calls", calls_post, "The next person to call", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_POST, "/desk/alert/:id/calls/:person", call_post, "What came of a call", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/alert/:id/ask", ask_get, "Whom a reminder would reach", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/alert/:id/ask", ask_post, "Asks again", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/alert/:id/handover", handover_get, "The hand-over to the next shift", PERMIT_READER, RATE_PAGE, false },
};

static const struct setting settings[] = {
	/* --- travellers --- */
	{ "travel.home_zone", SETTING_TEXT, "UTC", 0, 64, "Time zone of people whose telephone tells no country, for messages that wait for morning" },
	{ "travel.unconfirmed_days", SETTING_INT, "7", 2, 365, "Enrolments that nobody confirmed are deleted after so many days without a change" },
	/* --- alerts --- */
	{ "travel.confirm_above", SETTING_INT, "500", 0, 100000000, "Alerts to more people than this are confirmed by typing the number" },
	{ "travel.sms_part_cost", SETTING_TEXT, "", 0, 40, "What one part of an SMS costs, with the currency (0.075 EUR), for estimates" },
	{ "travel.feed_hub", SETTING_TEXT, "", 0, 300, "WebSub hub that the feed of alerts names, https://...; empty: none" },
	/* --- the board --- */
};

static const struct menu_entry menu[] = {
	/* --- travellers --- */
	{ MSG_travel_enrol_menu, "/enrol", PERMIT_ANYONE, 10 },
	{ MSG_travel_my_title, "/my", PERMIT_ANYONE, 11 },
	{ MSG_travel_find_menu, "/find", PERMIT_ANYONE, 12 },
	/* --- alerts --- */
	{ MSG_alert_title, "/desk/alerts", PERMIT_READER, 20 },
	/* --- the board --- */
};

static const struct job jobs[] = {
	{ "travel.end_trips", CLOCK_DAY, trips_end_over, "Ends trips that were over a week ago" },
	{ "travel.remove_unconfirmed", CLOCK_DAY, unconfirmed_remove, "Removes enrolments that nobody confirmed" },
	{ "travel.expire_alerts", CLOCK_MINUTE, alert_expire, "Ends alerts whose time is over" },
	{ "travel.sweep", 5 * CLOCK_MINUTE, alert_sweep, "Tells people inside an alert in force who were missed or have arrived" },
	{ "travel.contacts", 10 * CLOCK_SECOND, alert_contacts, "Asks emergency contacts whose turn on the ladder has come" },
	{ "travel.board_fill", 2 * CLOCK_SECOND, board_fill, "Gives everyone an alert was sent to a row on its board" },
	{ "travel.board_follow", CLOCK_SECOND, board_follow, "Tells open boards of changes by other processes and by messages" },
};

void
travel_register(struct house *house)
{
	messages_register(house, NOTICE_ALERT, &alert_notice_desk);
	messages_set_stays(house, stays_text);
}

static enum rc
start(struct house *house, struct err *err)
{
	enum rc rc = alert_in_force_start(house, err);

	if (rc == OK) {
		travel_register(house);
		audience_on_change(house, alert_people_changed);
		house_add_metrics(house, unconfirmed_metrics);
	}
	return rc;
}

static void
stop(struct house *house)
{
	alert_in_force_stop(house);
	alert_cache_clear();
}

const struct desk travel_desk = {
	.name = "travel",
	.routes = routes,
	.route_count = COUNT_OF(routes),
	.jobs = jobs,
	.job_count = COUNT_OF(jobs),
	.migrations = travel_migrations,
	.migration_count = &travel_migration_count,
	.start = start,
	.stop = stop,
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.menu = menu,
	.menu_count = COUNT_OF(menu),
};
