/* TLS in front of a plain port of this machine, with a certificate of its own: the carrier's side of an encrypted road. */
#ifndef CHANCERY_TESTS_SIMULATOR_TLS_PEER_H
#define CHANCERY_TESTS_SIMULATOR_TLS_PEER_H

#include "base/base.h"

struct tls_peer;

/* Makes a certificate for `name` (a host name or an address), signed by itself, writes it to `ca_file`, and listens on a free port of loopback;
 * what comes is passed on to `plain_port`. NULL if something fails. */
struct tls_peer *tls_peer_start(const char *name, uint16_t plain_port, const char *ca_file);
uint16_t tls_peer_port(const struct tls_peer *peer);
/* Connections whose handshake was completed. */
size_t tls_peer_handshakes(struct tls_peer *peer);
void tls_peer_stop(struct tls_peer *peer);

#endif
