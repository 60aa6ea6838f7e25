/* Events from rooms to listening browsers. Bounded: a slow listener loses old events and is told to refresh. */
#ifndef CHANCERY_KERNEL_HUB_H
#define CHANCERY_KERNEL_HUB_H

#include "base/base.h"

struct hub;
struct hub *hub_new(void);
void hub_free(struct hub *hub);
/* Publishes `data` (one line of JSON or text) under `topic` ("alert/ID"). Thread-safe, never blocks on a listener.
 * Several events of one topic within 250 ms are merged: the last one wins. */
void hub_publish(struct hub *hub, struct str topic, struct str data);

#endif
