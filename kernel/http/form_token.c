/* Form tokens: KEY '.' MAC. KEY is new in every rendering, MAC binds it to the browser's cookie under the house's secret. */
#include <sodium.h>

#include "kernel/http/exchange.h"

#define FORM_COOKIE "chancery_form"
#define FORM_FIELD "form_token"
#define COOKIE_LENGTH 26 /* base32 characters: 130 bits */
#define KEY_LENGTH 16    /* 80 bits: unique, not secret */
#define MAC_LENGTH 26

static bool is_base32(struct str s, size_t length)
{
	if (s.len != length)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == 0 || !strchr("0123456789abcdefghjkmnpqrstvwxyz", s.ptr[i]))
			return false;
	return true;
}

static struct str token_mac(const struct house *house, struct arena *arena, struct str cookie, struct str key)
{
	uint8_t mac[32];
	/* Both parts are of fixed length, so joining them is unambiguous. */
	house_mac(house, "form", str_concat(arena, cookie, key), mac);
	return base32_encode(arena, mac, MAC_LENGTH);
}

struct str form_token(struct request *request)
{
	struct exchange *exchange = exchange_of(request);
	if (str_is_none(exchange->form_cookie)) {
		struct str cookie = request_cookie(request, FORM_COOKIE);
		exchange->form_cookie_new = !is_base32(cookie, COOKIE_LENGTH);
		exchange->form_cookie = exchange->form_cookie_new ? rand_token(request->arena, COOKIE_LENGTH) : cookie;
		if (exchange->form_cookie_new)
			response_cookie(request, &exchange->response, FORM_COOKIE, exchange->form_cookie, -1);
	}
	exchange->form_token_made = true;
	struct str key = rand_token(request->arena, KEY_LENGTH);
	struct str mac = token_mac(request->house, request->arena, exchange->form_cookie, key);
	return str_format(request->arena, "%.*s.%.*s", STR_ARG(key), STR_ARG(mac));
}

struct str request_form_key(const struct request *request)
{
	return exchange_of(request)->form_key;
}

bool form_token_check(struct exchange *exchange)
{
	const struct request *request = &exchange->request;
	struct str cookie = request_cookie(request, FORM_COOKIE);
	struct str key, mac;
	if (!is_base32(cookie, COOKIE_LENGTH) || !str_cut(request_form(request, FORM_FIELD), '.', &key, &mac) ||
	    !is_base32(key, KEY_LENGTH) || !is_base32(mac, MAC_LENGTH))
		return false;
	struct str right = token_mac(request->house, request->arena, cookie, key);
	if (sodium_memcmp(right.ptr, mac.ptr, MAC_LENGTH) != 0)
		return false;
	exchange->form_key = str_copy(request->arena, key);
	return true;
}

/* "https://host:port" without its scheme. */
static struct str authority(struct str url)
{
	size_t slashes = str_find(url, S("://"), 0);
	struct str rest = slashes == SIZE_MAX ? url : str_slice(url, slashes + 3, url.len), host, path;
	str_cut(rest, '/', &host, &path);
	return host;
}

bool form_origin_is_ours(const struct exchange *exchange)
{
	struct str site = exchange->facts.fetch_site, origin = exchange->facts.origin;
	if (!str_is_none(site) && !str_equal(site, S("same-origin")) && !str_equal(site, S("none")))
		return false;
	/* Our own Referrer-Policy makes browsers write "null" for our own forms too (WHATWG Fetch, "append a request Origin header"), so
	 * "null" says nothing: the token decides. */
	if (str_is_none(origin) || str_equal(origin, S("null")))
		return true;
	if (str_equal_nocase(origin, str_from(exchange->server->house->public_url)))
		return true;
	return !str_is_none(exchange->facts.host) && str_equal_nocase(authority(origin), exchange->facts.host);
}
