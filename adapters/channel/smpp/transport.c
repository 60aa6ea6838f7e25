#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <arpa/inet.h>

#include "adapters/channel/smpp/transport.h"

struct transport_tls {
	SSL_CTX *context;
	char *name;
	bool is_address;
};

static bool is_address(const char *name)
{
	unsigned char room[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, name, room) == 1 || inet_pton(AF_INET6, name, room) == 1;
}

static char *text_of(struct str text)
{
	char *copy = malloc(text.len + 1);
	if (!copy)
		abort();
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	return copy;
}

enum rc transport_tls_new(struct str ca_file, struct str name, struct transport_tls **out, struct err *err)
{
	struct transport_tls *tls = calloc(1, sizeof *tls);
	if (!tls || !(tls->context = SSL_CTX_new(TLS_client_method())))
		abort();
	tls->name = text_of(name);
	tls->is_address = is_address(tls->name);
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	/* What waits to be written grows while TLS waits, and may move. */
	SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	char *file = text_of(ca_file);
	int good = ca_file.len > 0 ? SSL_CTX_load_verify_locations(tls->context, file, NULL)
	                           : SSL_CTX_set_default_verify_paths(tls->context);
	free(file);
	ERR_clear_error();
	if (good != 1) {
		transport_tls_free(tls);
		return err_set(err, INVALID, "the trusted certificates in '%.*s' cannot be read", STR_ARG(ca_file));
	}
	*out = tls;
	return OK;
}

void transport_tls_free(struct transport_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls->name);
	free(tls);
}

/* The name must be the certificate's; it is told to the peer, too, which may have several (RFC 6066, 3: no addresses). */
static bool set_name(SSL *ssl, const struct transport_tls *tls)
{
	if (tls->is_address)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, tls->name) == 1 && SSL_set_tlsext_host_name(ssl, tls->name) == 1;
}

bool transport_open(struct transport *t, int fd, const struct transport_tls *tls)
{
	*t = (struct transport){ .fd = fd };
	if (!tls)
		return true;
	t->ssl = SSL_new(tls->context);
	if (!t->ssl || SSL_set_fd(t->ssl, fd) != 1 || !set_name(t->ssl, tls)) {
		snprintf(t->failure, sizeof t->failure, "TLS cannot be set up");
		return false;
	}
	SSL_set_connect_state(t->ssl);
	return true;
}

void transport_close(struct transport *t)
{
	if (t->ssl)
		SSL_free(t->ssl);
	t->ssl = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	t->wants_write = false;
}

static void describe(struct transport *t, int code)
{
	long verified = SSL_get_verify_result(t->ssl);
	unsigned long reason = ERR_peek_last_error();
	const char *text = reason ? ERR_reason_error_string(reason) : NULL;
	if (verified != X509_V_OK)
		snprintf(t->failure, sizeof t->failure, "TLS: the certificate does not hold: %s", X509_verify_cert_error_string(verified));
	else if (text)
		snprintf(t->failure, sizeof t->failure, "TLS: %s", text);
	else if (code == SSL_ERROR_SYSCALL && errno)
		snprintf(t->failure, sizeof t->failure, "TLS: %s", strerror(errno));
	else
		snprintf(t->failure, sizeof t->failure, "TLS: closed by the carrier");
	ERR_clear_error();
}

enum transport_handshake transport_handshake(struct transport *t)
{
	if (!t->ssl)
		return TRANSPORT_READY;
	ERR_clear_error();
	errno = 0;
	int done = SSL_do_handshake(t->ssl);
	if (done == 1) {
		t->wants_write = false;
		return TRANSPORT_READY;
	}
	int code = SSL_get_error(t->ssl, done);
	t->wants_write = code == SSL_ERROR_WANT_WRITE;
	if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
		return TRANSPORT_WAIT;
	describe(t, code);
	return TRANSPORT_FAILED;
}

/* What a call of SSL_read or SSL_write that gave nothing means, as errno. */
static ssize_t as_errno(struct transport *t, int code)
{
	t->wants_write = code == SSL_ERROR_WANT_WRITE;
	if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	if (code == SSL_ERROR_ZERO_RETURN)
		return 0;
	int was = errno;
	describe(t, code);
	errno = was && was != EAGAIN ? was : EPROTO;
	return -1;
}

ssize_t transport_send(struct transport *t, const void *bytes, size_t size)
{
	if (!t->ssl)
		return send(t->fd, bytes, size, MSG_NOSIGNAL);
	size_t done = 0;
	ERR_clear_error();
	errno = 0;
	int good = SSL_write_ex(t->ssl, bytes, size, &done);
	if (good == 1) {
		t->wants_write = false;
		return (ssize_t)done;
	}
	ssize_t n = as_errno(t, SSL_get_error(t->ssl, good));
	if (n == 0) {
		errno = EPIPE;
		return -1;
	}
	return n;
}

ssize_t transport_receive(struct transport *t, void *bytes, size_t size)
{
	if (!t->ssl)
		return recv(t->fd, bytes, size, 0);
	size_t done = 0;
	ERR_clear_error();
	errno = 0;
	int good = SSL_read_ex(t->ssl, bytes, size, &done);
	return good == 1 ? (ssize_t)done : as_errno(t, SSL_get_error(t->ssl, good));
}

bool transport_has_pending(const struct transport *t)
{
	return t->ssl && SSL_has_pending(t->ssl);
}
