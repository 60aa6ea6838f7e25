/* The web push channel: posts encrypted messages to the push services of browsers (RFC 8030). Implements core/messages/channel.h. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_WEBPUSH_H
#define CHANCERY_ADAPTERS_CHANNEL_WEBPUSH_H

#include "base/base.h"
#include "core/messages/channel.h"
#include "kernel/push/push.h"

#define WEBPUSH_WINDOW_MAX 1000
#define WEBPUSH_HELD_MOST CLOCK_HOUR /* a service that asks to wait for longer is asked again after that */

/* Start from webpush_defaults(). Times are microseconds. */
struct webpush_settings {
	struct str name;           /* of the channel, in rows and logs */
	const uint8_t *seed;       /* 32 bytes: push_signer_new */
	struct str contact;        /* mailto: or https:, for the services' operators */
	struct push_policy policy; /* whom we may call */
	size_t window;             /* messages on their way at once; default 100 */
	int64_t connect_within;    /* default 10 s */
	int64_t answer_within;     /* default 30 s, then it is in doubt */
};

struct webpush_settings webpush_defaults(void);

/* Makes the channel (not yet started); settings are copied. INVALID if one is out of bounds (err's detail says which). */
enum rc webpush_channel_new(const struct webpush_settings *settings, struct channel **out, struct err *err);

/* What the service worker reads, as JSON of at most `most` bytes: the text is cut first, then the title, each with an ellipsis. STR_NONE when
 * not even an empty notification fits. */
struct str webpush_compose(struct arena *arena, const struct channel_push *push, size_t most);

#endif
