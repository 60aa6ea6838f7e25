/* Who asks, as a number that forgets: a keyed hash of the client's address, another one each day. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <sodium.h>

#include "kernel/http/exchange.h"

/* The bytes that stand for a client: an IPv4 address, or the /64 of an IPv6 one, since a household or phone has all of it. */
struct client {
	uint8_t bytes[9];
	size_t size;
	bool loopback;
};

static struct client client_v4(const void *address)
{
	struct client client = { { 4 }, 5, ((const uint8_t *)address)[0] == 127 };
	memcpy(client.bytes + 1, address, 4);
	return client;
}

static struct client client_v6(const struct in6_addr *address)
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		return client_v4(&address->s6_addr[12]);
	struct client client = { { 6 }, 9, IN6_IS_ADDR_LOOPBACK(address) };
	memcpy(client.bytes + 1, address->s6_addr, 8);
	return client;
}

static struct client client_parse(struct str text)
{
	char copy[INET6_ADDRSTRLEN + 1];
	struct in6_addr v6;
	struct in_addr v4;
	struct client none = { .size = 0 };
	if (text.len == 0 || text.len >= sizeof copy)
		return none;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	if (inet_pton(AF_INET, copy, &v4) == 1)
		return client_v4(&v4);
	if (inet_pton(AF_INET6, copy, &v6) == 1)
		return client_v6(&v6);
	return none;
}

uint64_t source_hash(const struct exchange *exchange)
{
	struct client client = { .size = 0, .loopback = true };
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!exchange->listener->is_unix && info && info->client_addr) {
		const struct sockaddr *address = info->client_addr;
		if (address->sa_family == AF_INET)
			client = client_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
		else if (address->sa_family == AF_INET6)
			client = client_v6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
	}
	/* Only the machine itself can be the proxy; what others write in this line is their invention. The proxy appends, so the
	 * last element is the one it saw. */
	if (client.loopback && !str_is_none(exchange->facts.forwarded_for)) {
		struct str list = exchange->facts.forwarded_for, last = list, rest;
		while (str_cut(list, ',', &last, &rest))
			list = rest;
		struct client behind = client_parse(str_trim(last));
		if (behind.size > 0)
			client = behind;
	}
	if (client.size == 0)
		return 0;
	/* The key of a day is made of the secret, so that all processes agree and a restart does not forget. */
	int64_t day = exchange->request.now / CLOCK_DAY;
	uint8_t key[32];
	house_mac(exchange->server->house, "source", (struct str){ (const char *)&day, sizeof day }, key);
	uint64_t hash;
	_Static_assert(crypto_shorthash_BYTES == sizeof hash && crypto_shorthash_KEYBYTES <= sizeof key, "siphash");
	crypto_shorthash((unsigned char *)&hash, client.bytes, client.size, key);
	return hash ? hash : 1;
}
