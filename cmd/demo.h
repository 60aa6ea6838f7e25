/* What the demo adds to a server. */
#ifndef CHANCERY_CMD_DEMO_H
#define CHANCERY_CMD_DEMO_H

#include "cmd/simulator.h"
#include "kernel/desk/desk.h"

/* CONFLICT for a store that holds people who are not the demo's: it must never be mixed with a real one. Marks a new one as the demo's. */
enum rc demo_world_check(struct house *house, struct err *err);
/* Makes what is missing of the world beside the running server: people, trips, watches, yesterday's alert with its answers, today's alert.
 * Done once; a start that was broken off goes on. */
enum rc demo_world_make(struct house *house, const struct simulator_child *simulator, struct err *err);
/* Its steps in demo_alerts.c: a storm over Lisbon yesterday, answered by phones and cleared; bad air in Athens today. */
enum rc demo_yesterday(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err);
enum rc demo_today(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err);
/* The first page shows the first steps, with a link to the simulator's page. */
void home_demo_set(struct arena *arena, int simulator_port);

#endif
