/* The mail channel: hands mails to the operator's relay over SMTP, a few connections at a time. Implements
 * core/messages/channel.h; bounces come back as incoming mail (kernel/mail), not here. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMTP_H
#define CHANCERY_ADAPTERS_CHANNEL_SMTP_H

#include "base/base.h"
#include "core/messages/channel.h"

#define SMTP_CONNECTIONS_MAX 64

/* REQUIRED: STARTTLS (RFC 3207); IMPLICIT: TLS from the first byte (RFC 8314). In both the certificate must hold for the host. */
enum smtp_tls { SMTP_TLS_NONE, SMTP_TLS_REQUIRED, SMTP_TLS_IMPLICIT };

/* Start from smtp_relay_defaults(). Times are microseconds. */
struct smtp_relay_settings {
	struct str name;         /* of the channel, in rows and logs */
	struct str host;
	uint16_t port;           /* default 25 */
	struct str helo;         /* our host name for EHLO; empty: localhost */
	struct str user, password; /* empty: none */
	enum smtp_tls tls;       /* default NONE, for a relay on this host */
	struct str ca_file;      /* certificates that are trusted (PEM); empty: the system's */
	size_t connections;      /* kept, at most; default 4 */
	int64_t connect_within;  /* greeting, TLS and login included; default 30 s */
	int64_t answer_within;   /* for a whole mail; default 5 minutes, then it is in doubt */
	int64_t retry_first, retry_most; /* wait when the relay is away, doubling; default 1 s and 60 s */
};

struct smtp_relay_settings smtp_relay_defaults(void);

/* Makes the channel (not yet started); settings are copied. INVALID if one is out of bounds (err's detail says which). */
enum rc smtp_channel_new(const struct smtp_relay_settings *settings, struct channel **out, struct err *err);

/* What goes with a mail outside of it. */
struct smtp_envelope {
	char from[260], to[260]; /* without <>; a domain that is not ASCII is written as its A-label (RFC 5890) */
	bool utf8;               /* an address is not ASCII even so: only a relay with SMTPUTF8 can take the mail (RFC 6531) */
};

/* Writes the mail as it goes over the wire, with CR LF, appended to `out`. Header fields cannot be injected: control
 * characters of names and subjects become blanks, and addresses, ids and links that hold any are refused. Seven bits, but
 * for addresses that need UTF-8. Returns NULL, or why it cannot be written (*fault says whose fault it is); then nothing
 * was appended. */
const char *smtp_compose(const struct channel_message *message, struct buf *out, struct smtp_envelope *envelope, enum channel_fault *fault);

#endif
