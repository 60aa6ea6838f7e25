/* What the layout asks of the web server and of sign-in, for tests of pages without either; theirs win where they are linked. */
#include "kernel/access/access.h"
#include "kernel/http/http.h"

__attribute__((weak)) struct str form_token(struct request *request)
{
	(void)request;
	return S("TOKEN.MAC");
}

__attribute__((weak)) struct str request_query(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->query_count; i++) {
		if (str_equal(request->query[i].name, str_from(name)))
			return request->query[i].value;
	}
	return STR_NONE;
}

__attribute__((weak)) bool access_allows(const struct officer *officer, enum permission permission)
{
	return permission == PERMIT_ANYONE || (officer != NULL && officer->permission >= permission);
}
