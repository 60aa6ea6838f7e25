/* The board: everyone an alert targeted, accounted for. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_BOARD_H
#define CHANCERY_DESKS_TRAVEL_BOARD_H

#include "desks/travel/board_sums.h"
#include "kernel/desk/desk.h"
#include "kernel/html/html.h"
#include "kernel/http/http.h"

/* The board's part of the room's table of routes and jobs. */
extern const struct route board_routes[];
extern const size_t board_route_count;

/* Tells those who watch the alert (topic "alert/ID") that its board changed; call it after the commit. */
void board_publish(struct house *house, int64_t alert_id);
/* Does so for changes of other processes and of the message engine; for a job of a second. */
void board_follow(struct house *house);

#endif
