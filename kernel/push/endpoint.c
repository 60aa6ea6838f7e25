/* Where we may post to. A subscription is text that anyone may send us: without a guard it would make the server call whatever it says. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/base.h"
#include "kernel/push/push.h"

#define HOST_MAX 253
#define HTTPS_PORT 443

/* The services behind Chrome, Safari, Firefox and Edge. */
const char *const push_vendors[] = {
	"fcm.googleapis.com",
	"android.googleapis.com",
	"*.push.apple.com",
	"updates.push.services.mozilla.com",
	"*.push.services.mozilla.com",
	"*.notify.windows.com",
	NULL,
};

static bool host_fits(struct str host, struct str pattern)
{
	if (!str_starts(pattern, S("*.")))
		return str_equal_nocase(host, pattern);
	const struct str end = str_slice(pattern, 1, pattern.len); /* with its dot */
	return host.len > end.len && str_equal_nocase(str_slice(host, host.len - end.len, host.len), end);
}

static bool host_listed(struct str host, struct str services)
{
	for (size_t i = 0; push_vendors[i]; i++)
		if (host_fits(host, str_from(push_vendors[i])))
			return true;
	for (size_t at = 0; at < services.len;) {
		size_t end = at;
		while (end < services.len && services.ptr[end] != ' ' && services.ptr[end] != ',')
			end++;
		const struct str one = str_slice(services, at, end);
		/* "*.org" would be everybody. */
		const size_t dots = str_starts(one, S("*.")) ? 2 : 0;
		if (one.len > dots && str_find(one, S("."), dots) != SIZE_MAX && host_fits(host, one))
			return true;
		at = end + 1;
	}
	return false;
}

/* Letters, digits, dots and dashes; the last label is no number, so that it cannot be an address in any notation (WHATWG URL, 3.5). */
static bool host_valid(struct str host)
{
	if (!host.len || host.len > HOST_MAX || host.ptr[0] == '.' || host.ptr[0] == '-')
		return false;
	for (size_t i = 0; i < host.len; i++) {
		const char c = host.ptr[i], lower = (char)(c | 0x20);
		if (!((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || (c == '.' && host.ptr[i - 1] != '.')))
			return false;
	}
	size_t last = host.len;
	while (last > 0 && host.ptr[last - 1] != '.')
		last--;
	const char first = last < host.len ? host.ptr[last] : '0'; /* a dot at the end: refused, too */
	return last > 0 && ((first | 0x20) >= 'a' && (first | 0x20) <= 'z');
}

static bool path_valid(struct str path)
{
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] <= ' ' || path.ptr[i] > '~' || path.ptr[i] == '#' || path.ptr[i] == '\\' || path.ptr[i] == '"' || path.ptr[i] == '<' ||
		    path.ptr[i] == '>')
			return false;
	return true;
}

static bool loopback_text(struct str host)
{
	return str_equal(host, S("127.0.0.1")) || str_equal(host, S("localhost"));
}

/* "HOST:PORT" of tests. */
static bool loopback_read(struct arena *arena, struct str authority, const struct push_policy *policy, struct push_endpoint *out)
{
	struct str host, port_text;
	int64_t port;

	if (str_is_empty(policy->loopback) || !str_equal(authority, policy->loopback) || !str_cut(authority, ':', &host, &port_text) ||
	    !loopback_text(host) || !str_to_int(port_text, &port) || port < 1 || port > UINT16_MAX)
		return false;
	*out = (struct push_endpoint){ .host = str_copy(arena, host),
		                       .origin = str_format(arena, "http://%.*s", STR_ARG(authority)),
		                       .port = (uint16_t)port,
		                       .loopback = true };
	return true;
}

enum rc push_endpoint_read(struct arena *arena, struct str url, const struct push_policy *policy, struct push_endpoint *out, struct err *err)
{
	const bool plain = str_starts(url, S("http://"));

	if (url.len > PUSH_ENDPOINT_MAX)
		return err_set(err, INVALID, "the endpoint is longer than %d bytes", PUSH_ENDPOINT_MAX);
	if (!plain && !str_starts(url, S("https://")))
		return err_set(err, INVALID, "the endpoint is not https");
	const struct str rest = str_slice(url, plain ? 7 : 8, url.len);
	const size_t slash = str_find(rest, S("/"), 0);
	if (slash == SIZE_MAX || slash + 1 == rest.len)
		return err_set(err, INVALID, "the endpoint has no path");
	if (!path_valid(rest))
		return err_set(err, INVALID, "the endpoint holds odd letters");
	struct str authority = str_slice(rest, 0, slash);
	if (plain)
		return loopback_read(arena, authority, policy, out) ? OK : err_set(err, INVALID, "the endpoint is not https");
	if (str_ends(authority, S(":443")))
		authority = str_slice(authority, 0, authority.len - 4);
	if (!host_valid(authority))
		return err_set(err, INVALID, "the endpoint names no host, a port, a user or an address");
	if (!host_listed(authority, policy->services))
		return err_set(err, INVALID, "the endpoint is of a service that is not allowed (setting push.services)");
	const struct str host = str_lower(arena, authority);
	*out = (struct push_endpoint){ .host = host, .origin = str_concat(arena, S("https://"), host), .port = HTTPS_PORT };
	return OK;
}

/* --- resolved addresses -------------------------------------------------------------------------------------------- */

/* The special-purpose blocks of IANA's registry (RFC 6890 and later) that are not for everybody, and multicast. */
static const struct {
	uint32_t base;
	unsigned bits;
} closed4[] = {
	{ 0x00000000, 8 },  /* 0.0.0.0/8 this network */
	{ 0x0a000000, 8 },  /* 10/8 */
	{ 0x64400000, 10 }, /* 100.64/10 shared */
	{ 0x7f000000, 8 },  /* 127/8 loopback */
	{ 0xa9fe0000, 16 }, /* 169.254/16 link-local: clouds answer there with their secrets */
	{ 0xac100000, 12 }, /* 172.16/12 */
	{ 0xc0000000, 24 }, /* 192.0.0/24 */
	{ 0xc0000200, 24 }, /* 192.0.2/24 documentation */
	{ 0xc0586300, 24 }, /* 192.88.99/24 6to4 relays */
	{ 0xc0a80000, 16 }, /* 192.168/16 */
	{ 0xc6120000, 15 }, /* 198.18/15 benchmarks */
	{ 0xc6336400, 24 }, /* 198.51.100/24 documentation */
	{ 0xcb007100, 24 }, /* 203.0.113/24 documentation */
	{ 0xe0000000, 3 },  /* 224/4 multicast, 240/4 reserved, broadcast */
};

static bool allowed4(uint32_t address)
{
	for (size_t i = 0; i < COUNT_OF(closed4); i++)
		if ((address ^ closed4[i].base) >> (32 - closed4[i].bits) == 0)
			return false;
	return true;
}

/* Only 2000::/3 is given out for all; within it some is closed, or holds an IPv4 address. */
static bool allowed6(const uint8_t address[16])
{
	const uint32_t first = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];

	if (address[0] >> 5 != 1)
		return false;
	return first >> 9 != 0x20010000u >> 9 && /* 2001::/23: Teredo, ORCHID, benchmarks */
	       first != 0x20010db8u &&           /* documentation */
	       first >> 16 != 0x2002 &&          /* 6to4 */
	       first >> 12 != 0x3fff0u;          /* 3fff::/20 documentation */
}

bool push_address_allowed(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof in);
		return allowed4(ntohl(in.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in;
		memcpy(&in, address, sizeof in);
		return allowed6(in.sin6_addr.s6_addr);
	}
	return false;
}
