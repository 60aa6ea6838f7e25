/* What the pages of cmd show. */
#ifndef CHANCERY_CMD_VIEWS_H
#define CHANCERY_CMD_VIEWS_H

#include "desks/travel/travel.h"
#include "kernel/http/http.h"

struct home_view {
	struct page page;
	const struct alert_public *alerts; /* in force */
	size_t alert_count;
	struct html_url simulator; /* the demo's phones and mailboxes; empty: no demo */
};

struct desk_alarm {
	struct str text;   /* what is wrong, for people */
	struct str detail; /* the probe's own words: names and numbers */
};

struct desk_view {
	struct page page;
	struct str name;
	const struct alert_public *alerts;
	size_t alert_count;
	struct desk_alarm *alarms;
	size_t alarm_count;
	int64_t inbox, queued, in_doubt;
};

#endif
