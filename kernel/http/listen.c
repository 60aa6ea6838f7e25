/* Listening sockets. libmicrohttpd is lax with malformed heads, so nothing but the machine itself may reach it
 * unless the operator says so: a proxy stands in front. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel/http/exchange.h"

#define BACKLOG 511

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static enum rc parse_address(struct arena *arena, const char *where, union any_address *address, socklen_t *length,
                             struct err *err)
{
	struct str text = str_from(where);
	size_t colon = text.len;
	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	int64_t port;
	if (colon == 0 || !str_to_int(str_slice(text, colon, text.len), &port) || port < 0 || port > 65535)
		return err_set(err, INVALID, "%s: expected ADDRESS:PORT or unix:/PATH", where);
	struct str host = str_slice(text, 0, colon - 1);
	if (str_equal(host, S("localhost")))
		host = S("127.0.0.1");
	bool brackets = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	if (brackets)
		host = str_slice(host, 1, host.len - 1);
	union any_address found;
	memset(&found, 0, sizeof found);
	if (brackets && inet_pton(AF_INET6, str_c(arena, host), &found.v6.sin6_addr) == 1) {
		found.v6.sin6_family = AF_INET6;
		found.v6.sin6_port = htons((uint16_t)port);
		*length = sizeof found.v6;
	} else if (!brackets && inet_pton(AF_INET, str_c(arena, host), &found.v4.sin_addr) == 1) {
		found.v4.sin_family = AF_INET;
		found.v4.sin_port = htons((uint16_t)port);
		*length = sizeof found.v4;
	} else {
		return err_set(err, INVALID, "%s: not a numeric address (IPv6 goes in brackets)", where);
	}
	*address = found;
	return OK;
}

static bool is_loopback(const union any_address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static enum rc open_internet(const char *where, const union any_address *address, socklen_t length,
                             struct listen_socket *out, struct err *err)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1;
	if (fd < 0)
		return err_set(err, FAILED, "%s: %s", where, strerror(errno));
	union any_address bound;
	socklen_t bound_length = sizeof bound;
	bool well = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0;
	/* One family each, so that "is this loopback" has one answer. */
	if (well && address->any.sa_family == AF_INET6)
		well = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) == 0;
	well = well && bind(fd, &address->any, length) == 0 && listen(fd, BACKLOG) == 0 &&
	       getsockname(fd, &bound.any, &bound_length) == 0;
	if (!well) {
		enum rc rc = err_set(err, FAILED, "%s: %s", where, strerror(errno));
		close(fd);
		return rc;
	}
	out->fd = fd;
	out->port = ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port : bound.v6.sin6_port);
	return OK;
}

/* Removes a socket file that nobody answers on; false if somebody does. */
static bool clear_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	int failed = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
	close(fd);
	if (failed == ECONNREFUSED)
		return unlink(address->sun_path) == 0;
	return failed == ENOENT;
}

static enum rc open_unix(struct arena *arena, struct str path, struct listen_socket *out, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (path.len == 0 || path.len >= sizeof address.sun_path)
		return err_set(err, INVALID, "unix:%.*s: the path must have 1 to %zu bytes", STR_ARG(path),
		               sizeof address.sun_path - 1);
	memcpy(address.sun_path, path.ptr, path.len);
	if (!clear_stale(&address))
		return err_set(err, FAILED, "unix:%s: another process listens there, or the file cannot be removed",
		               address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Nobody can connect between bind and listen, so the mode is right from the first connection on. */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(address.sun_path, 0660) != 0 || listen(fd, BACKLOG) != 0) {
		enum rc rc = err_set(err, FAILED, "unix:%s: %s", address.sun_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	out->fd = fd;
	out->is_unix = true;
	out->path = str_copy(arena, path);
	return OK;
}

enum rc listen_open(struct arena *arena, const char *where, bool allow_public, struct listen_socket *socket_out,
                    struct err *err)
{
	struct listen_socket found = { .fd = -1 };
	enum rc rc;
	if (str_starts(str_from(where), S("unix:"))) {
		rc = open_unix(arena, str_from(where + 5), &found, err);
	} else {
		union any_address address;
		socklen_t length = 0;
		rc = parse_address(arena, where, &address, &length, err);
		if (rc == OK && !allow_public && !is_loopback(&address))
			rc = err_set(err, DENIED,
			             "%s is not a loopback address: put a proxy in front, or allow public addresses on "
			             "purpose",
			             where);
		if (rc == OK)
			rc = open_internet(where, &address, length, &found, err);
	}
	if (rc == OK)
		*socket_out = found;
	return rc;
}
