#include "desks/travel/respond.h"

void respond_error(struct request *request, struct response *response, enum rc rc, const struct err *err)
{
	response_error(request, response, rc, err);
}

struct str link_token(struct str path)
{
	size_t start = path.len;
	while (start > 0 && path.ptr[start - 1] != '/')
		start--;
	return str_slice(path, start, path.len);
}

struct str public_host(const struct house *house)
{
	const struct str url = str_from(house->public_url);
	const size_t slashes = str_find(url, S("://"), 0);
	struct str host, rest = slashes == SIZE_MAX ? url : str_slice(url, slashes + 3, url.len);

	str_cut(rest, '/', &host, &rest);
	if (str_starts(host, S("["))) /* an address of IPv6 */
		return str_slice(host, 0, str_find(host, S("]"), 0) + 1);
	str_cut(host, ':', &host, &rest);
	return host;
}
