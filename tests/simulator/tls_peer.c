#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/simulator/simulator.h"
#include "tests/simulator/tls_peer.h"

#define LINES_MAX 64

struct line {
	struct tls_peer *peer;
	pthread_t thread;
	int fd;
};

struct tls_peer {
	SSL_CTX *context;
	int listener, stop[2];
	uint16_t port, plain_port;
	pthread_t thread;
	struct line lines[LINES_MAX];
	size_t line_count; /* the accepting thread's */
	_Atomic size_t handshakes;
};

/* --- the certificate ---------------------------------------------------------------------------------------------- */

static bool add_extension(X509 *certificate, int kind, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	bool good = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	unsigned char room[sizeof(struct in6_addr)];
	char alternative[300];
	bool address = inet_pton(AF_INET, name, room) == 1 || inet_pton(AF_INET6, name, room) == 1;
	snprintf(alternative, sizeof alternative, "%s:%s", address ? "IP" : "DNS", name);
	X509 *certificate = X509_new();
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"simulator", -1, -1, 0);
	X509_set_issuer_name(certificate, subject);
	X509_set_pubkey(certificate, key);
	if (add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
	    add_extension(certificate, NID_subject_alt_name, alternative) && X509_sign(certificate, key, EVP_sha256()) > 0)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static bool use_certificate(struct tls_peer *peer, const char *name, const char *ca_file)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = key ? make_certificate(key, name) : NULL;
	FILE *file = certificate ? fopen(ca_file, "we") : NULL;
	bool good = file && PEM_write_X509(file, certificate) == 1;
	if (file)
		good = fclose(file) == 0 && good;
	peer->context = SSL_CTX_new(TLS_server_method());
	good = good && SSL_CTX_use_certificate(peer->context, certificate) == 1 && SSL_CTX_use_PrivateKey(peer->context, key) == 1;
	X509_free(certificate);
	EVP_PKEY_free(key);
	return good;
}

/* --- one connection, both ways ---------------------------------------------------------------------------------------- */

static bool write_plain(int fd, const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = send(fd, bytes + at, size - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void pass_on(struct tls_peer *peer, SSL *ssl, int plain)
{
	char bytes[16384];
	for (;;) {
		struct pollfd polled[3] = { { .fd = peer->stop[0], .events = POLLIN }, { .fd = SSL_get_fd(ssl), .events = POLLIN },
			                    { .fd = plain, .events = POLLIN } };
		if (!SSL_has_pending(ssl) && poll(polled, 3, -1) < 0)
			return;
		if (polled[0].revents)
			return;
		if (SSL_has_pending(ssl) || polled[1].revents) {
			int n = SSL_read(ssl, bytes, sizeof bytes);
			if (n <= 0 || !write_plain(plain, bytes, (size_t)n))
				return;
		}
		if (polled[2].revents) {
			ssize_t n = recv(plain, bytes, sizeof bytes, 0);
			if (n <= 0 || SSL_write(ssl, bytes, (int)n) <= 0)
				return;
		}
	}
}

static int connect_plain(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void *serve_line(void *argument)
{
	struct line *line = argument;
	struct timeval patience = { .tv_sec = 2 }; /* of the handshake: who speaks no TLS may say nothing */
	setsockopt(line->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	SSL *ssl = SSL_new(line->peer->context);
	SSL_set_fd(ssl, line->fd);
	if (SSL_accept(ssl) == 1) {
		struct timeval none = { 0 };
		setsockopt(line->fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
		line->peer->handshakes++;
		int plain = connect_plain(line->peer->plain_port);
		if (plain >= 0) {
			pass_on(line->peer, ssl, plain);
			close(plain);
		}
	}
	ERR_clear_error();
	SSL_free(ssl);
	close(line->fd);
	return NULL;
}

static void *accept_lines(void *argument)
{
	struct tls_peer *peer = argument;
	for (;;) {
		struct pollfd polled[2] = { { .fd = peer->stop[0], .events = POLLIN }, { .fd = peer->listener, .events = POLLIN } };
		if (poll(polled, 2, -1) < 0 || polled[0].revents)
			return NULL;
		int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		if (peer->line_count == LINES_MAX) {
			close(fd);
			continue;
		}
		int flags = fcntl(fd, F_GETFL);
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
		struct line *line = &peer->lines[peer->line_count];
		*line = (struct line){ .peer = peer, .fd = fd };
		if (pthread_create(&line->thread, NULL, serve_line, line) == 0)
			peer->line_count++;
		else
			close(fd);
	}
}

/* --- life ---------------------------------------------------------------------------------------------------------------- */

struct tls_peer *tls_peer_start(const char *name, uint16_t plain_port, const char *ca_file)
{
	struct tls_peer *peer = calloc(1, sizeof *peer);
	if (!peer)
		return NULL;
	signal(SIGPIPE, SIG_IGN); /* of a line that the other side broke */
	peer->plain_port = plain_port;
	peer->listener = simulator_listen(0, &peer->port);
	if (peer->listener >= 0 && use_certificate(peer, name, ca_file) && pipe(peer->stop) == 0 &&
	    pthread_create(&peer->thread, NULL, accept_lines, peer) == 0)
		return peer;
	SSL_CTX_free(peer->context);
	free(peer);
	return NULL;
}

uint16_t tls_peer_port(const struct tls_peer *peer)
{
	return peer->port;
}

size_t tls_peer_handshakes(struct tls_peer *peer)
{
	return peer->handshakes;
}

void tls_peer_stop(struct tls_peer *peer)
{
	close(peer->stop[1]); /* readable at its end for all who wait */
	pthread_join(peer->thread, NULL);
	for (size_t i = 0; i < peer->line_count; i++)
		pthread_join(peer->lines[i].thread, NULL);
	close(peer->stop[0]);
	close(peer->listener);
	SSL_CTX_free(peer->context);
	free(peer);
}
