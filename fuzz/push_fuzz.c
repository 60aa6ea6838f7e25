/* A subscription as a browser, or anyone, sends it: endpoint, key and secret, each on a line. */
#include <stdlib.h>

#include "base/base.h"
#include "kernel/push/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, url, point, secret;
	const struct push_policy policy = { .services = S("push.example.org *.own.example"), .loopback = S("127.0.0.1:9") };
	struct push_endpoint endpoint;
	struct push_keys keys;
	struct arena arena;
	struct buf out;

	arena_init(&arena);
	buf_init(&out);
	str_cut(rest, '\n', &url, &rest);
	str_cut(rest, '\n', &point, &secret);
	if (push_endpoint_read(&arena, url, &policy, &endpoint, NULL) == OK) {
		/* Nothing but the test's own loopback is plain, and no host without a dot or with anything odd comes through. */
		if (endpoint.loopback != str_starts(url, S("http://")) || str_find(endpoint.host, S("."), 0) == SIZE_MAX ||
		    str_find(endpoint.host, S("@"), 0) != SIZE_MAX || (endpoint.port != 443 && !endpoint.loopback))
			abort();
	}
	if (push_keys_read(point, secret, &keys, NULL) == OK &&
	    (push_encrypt(&keys, S("x"), &out, NULL) != OK || out.len != PUSH_OVERHEAD + 1))
		abort();
	buf_release(&out);
	arena_release(&arena);
	return 0;
}
