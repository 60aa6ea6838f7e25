/* The mail channel: hands mails to the operator's relay over SMTP, a few connections at a time. Implements
 * core/messages/channel.h; bounces come back as incoming mail (kernel/mail), not here. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMTP_H
#define CHANCERY_ADAPTERS_CHANNEL_SMTP_H

#include "base/base.h"
#include "core/messages/channel.h"

#define SMTP_CONNECTIONS_MAX 64

enum smtp_tls { SMTP_TLS_NONE, SMTP_TLS_REQUIRED };

/* Start from smtp_relay_defaults(). Times are microseconds. */
struct smtp_relay_settings {
	struct str name;         /* of the channel, in rows and logs */
	struct str host;
	uint16_t port;           /* default 25 */
	struct str helo;         /* our host name for EHLO; empty: localhost */
	struct str user, password; /* empty: none */
	enum smtp_tls tls;       /* REQUIRED: STARTTLS, with the certificate checked; default NONE, for a relay on this host */
	size_t connections;      /* mails on their way at once; default 4 */
	int64_t connect_within;  /* default 15 s */
	int64_t answer_within;   /* for a whole mail; default 5 minutes, then it is in doubt */
	int64_t retry_first, retry_most; /* wait when the relay is away, doubling; default 1 s and 60 s */
};

struct smtp_relay_settings smtp_relay_defaults(void);

/* Makes the channel (not yet started); settings are copied. INVALID if one is out of bounds (err's detail says which). */
enum rc smtp_channel_new(const struct smtp_relay_settings *settings, struct channel **out, struct err *err);

/* Writes the mail as it goes over the wire, with CR LF, appended to `out`. Header fields cannot be injected: control
 * characters of names and subjects become blanks, and addresses, ids and links that hold any are refused. Returns NULL,
 * or why it cannot be written (*fault says whose fault it is); then nothing was appended. */
const char *smtp_compose(const struct channel_message *message, struct buf *out, enum channel_fault *fault);

#endif
