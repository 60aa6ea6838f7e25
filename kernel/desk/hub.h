/* Events from rooms to listening browsers. Bounded: a slow listener loses old events and is told to refresh.
 *
 * An event is a hint that something changed, with a little data; the truth is in the store and the page can always
 * be read again. So there are no queues of listeners: each topic keeps its last HUB_REPLAY events, a listener
 * remembers only the number of the last one it took, and one that fell behind them gets "event: refresh" instead. */
#ifndef CHANCERY_KERNEL_HUB_H
#define CHANCERY_KERNEL_HUB_H

#include "base/base.h"

#define HUB_REPLAY 32         /* events kept of a topic */
#define HUB_TOPICS_MAX 1024   /* topics without listeners are forgotten, the quietest first */
#define HUB_LISTENERS_MAX 200 /* unless hub_set_listeners_max says otherwise */
#define HUB_DATA_MAX 8192     /* bytes of one event; a longer one becomes "refresh" */
#define HUB_MERGE (CLOCK_SECOND / 4)
#define HUB_HEARTBEAT (15 * CLOCK_SECOND)

struct hub;
struct hub_listener;

/* Starts the hub's one thread. */
struct hub *hub_new(void);
/* All listeners must have left. */
void hub_free(struct hub *hub);
void hub_set_listeners_max(struct hub *hub, size_t most);
/* Microseconds of silence after which a listener gets a comment line, which shows whether it is still there; HUB_HEARTBEAT
 * unless set. For listeners that come later. */
void hub_set_heartbeat(struct hub *hub, int64_t period);

/* Publishes `data` (JSON or text; line breaks are allowed) under `topic` ("alert/ID"). Thread-safe, never blocks on
 * a listener, copies. Several events of one topic within 250 ms are merged: the last one wins. */
void hub_publish(struct hub *hub, struct str topic, struct str data);

/* Joins `topic`. `last_event_id` is the browser's Last-Event-ID, or -1: then the topic's last event, if one is
 * kept, comes first, because it may have happened between page and listening. BUSY when HUB_LISTENERS_MAX listen.
 * `wake` is called (in the hub's thread, with the hub locked: it must not call the hub) when a listener that sleeps
 * has something to take. Leave with hub_leave. */
enum rc hub_listen(struct hub *hub, struct str topic, int64_t last_event_id, void (*wake)(void *context), void *context,
                   struct hub_listener **listener_out);
void hub_leave(struct hub_listener *listener);
/* Appends what is new for the listener to `out` in the form of an event stream (WHATWG HTML, 9.2.6) and returns true;
 * or, when there is nothing, calls `sleep` (NULL: none) with the hub locked, so that no event can slip between, and
 * returns false. If `sleep` returned true, `wake` follows, at the latest with the next heartbeat. */
bool hub_take(struct hub_listener *listener, struct buf *out, bool (*sleep)(void *context));
/* Wakes every sleeping listener (the server ends: a `sleep` that sees it from now on must return false). */
void hub_wake_all(struct hub *hub);

struct hub_counts {
	size_t listeners, topics;
	int64_t published, merged, refused;
};
struct hub_counts hub_count(struct hub *hub);

#endif
