/* The SMS channel: one SMPP 3.4 bind to one carrier. Implements core/messages/channel.h. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMPP_H
#define CHANCERY_ADAPTERS_CHANNEL_SMPP_H

#include "base/base.h"
#include "core/messages/channel.h"
#include "kernel/smpp/smpp.h"

#define SMPP_WINDOW_MAX 10000

enum smpp_route_bind {
	SMPP_ROUTE_TRANSCEIVER,
	SMPP_ROUTE_TRANSMITTER, /* sends; a carrier that wants it so gives receipts to a receiver */
	SMPP_ROUTE_RECEIVER,    /* never has room: receipts and messages come in by it */
};

enum smpp_route_validity { SMPP_ROUTE_VALIDITY_RELATIVE, SMPP_ROUTE_VALIDITY_ABSOLUTE, SMPP_ROUTE_VALIDITY_NONE };

/* What an operator agrees with a carrier. Start from smpp_route_defaults(). Times are microseconds. */
struct smpp_route_settings {
	struct str name;        /* of the route, in rows and logs */
	struct str host;        /* name or address */
	uint16_t port;
	struct str system_id, password, system_type;
	struct str sender;      /* where a message names none: +E.164, short code, or at most 11 letters and digits */
	struct str service_type;
	struct str vendor;      /* whole TLVs added to each submit, see smpp_vendor_parse */
	enum smpp_route_bind bind;
	enum smpp_route_validity validity; /* how a message's expiry is told; default relative, so that clocks need not agree */
	/* Type of number and numbering plan (5.2.5, 5.2.6); -1, the default: as the number looks. */
	int source_ton, source_npi, destination_ton, destination_npi;
	bool tls;               /* the whole connection in TLS 1.2 or later, and a certificate that must hold */
	struct str tls_ca;      /* file of the certificates trusted; empty: the system's */
	struct str tls_name;    /* name the certificate must have; empty: the host */
	const struct smpp_status_rule *status_rules; /* copied; what statuses mean where that differs */
	size_t status_rule_count;                    /* at most SMPP_STATUS_RULES_MAX */
	size_t window;          /* submits without an answer, 1..SMPP_WINDOW_MAX; default 100 */
	size_t rate;            /* PDUs a second; 0: as fast as the carrier answers */
	int64_t enquire_every;  /* enquire_link; default 30 s. Nothing heard for two of these: the line is dead */
	int64_t answer_within;  /* response timer; default 60 s, then the part is in doubt */
	int64_t connect_within; /* for the TCP connection, and again for the bind; default 15 s */
	int64_t retry_first, retry_most; /* wait before connecting again, doubling; default 1 s and 60 s */
	/* Numbers of 8 digits or more that come without a type of number and do not begin with 0 are international; default
	 * true. False for carriers that send national numbers so. */
	bool bare_is_international;
};

struct smpp_route_settings smpp_route_defaults(void);

/* Makes the channel (not yet started); settings are copied. INVALID if one is out of bounds (err's detail says which). */
enum rc smpp_channel_new(const struct smpp_route_settings *settings, struct channel **out, struct err *err);

#endif
