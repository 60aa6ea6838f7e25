/* The bytes of a connection, in the clear or in TLS; never blocks. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMPP_TRANSPORT_H
#define CHANCERY_ADAPTERS_CHANNEL_SMPP_TRANSPORT_H

#include "base/base.h"

struct transport_tls; /* what all connections of a route share: trusted certificates and the name wanted */
struct ssl_st;

struct transport {
	int fd;
	struct ssl_st *ssl;  /* NULL: in the clear, or not connected */
	bool wants_write;    /* TLS wants to write before it can go on with what it does */
	char failure[160];   /* why the handshake or the stream failed, for operators */
};

/* Trusts the certificates in `ca_file` (empty: the system's) and wants one for `name`, a host name or an address. INVALID when the file
 * cannot be read. */
enum rc transport_tls_new(struct str ca_file, struct str name, struct transport_tls **out, struct err *err);
void transport_tls_free(struct transport_tls *tls);

/* Takes a connected socket; TLS begins if `tls` is not NULL. False with `failure` set if it cannot. */
bool transport_open(struct transport *transport, int fd, const struct transport_tls *tls);
/* Closes the socket. What lies written in the socket's buffer still goes out. */
void transport_close(struct transport *transport);

enum transport_handshake { TRANSPORT_READY, TRANSPORT_WAIT, TRANSPORT_FAILED };
/* Goes on with the handshake: READY when bytes may flow, WAIT until the socket is readable (or writable, if wants_write). */
enum transport_handshake transport_handshake(struct transport *transport);

/* As send(2) and recv(2) on a socket that does not block: -1 with errno EAGAIN when nothing can be done now; 0 of recv is the end. A byte
 * counts as sent when the peer may come to have it. */
ssize_t transport_send(struct transport *transport, const void *bytes, size_t size);
ssize_t transport_receive(struct transport *transport, void *bytes, size_t size);
/* True if bytes lie read and decrypted, of which poll(2) knows nothing. */
bool transport_has_pending(const struct transport *transport);

#endif
