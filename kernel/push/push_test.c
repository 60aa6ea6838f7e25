#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/ecdsa.h>
#include <openssl/bn.h>

#include "kernel/push/push.h"
#include "kernel/push/private.h"

/* RFC 8291, section 5 and appendix A. */
#define UA_PUBLIC "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define UA_SECRET "BTBZMqHH6r4Tts7J_aSIgg"
#define AS_PRIVATE "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
#define VECTOR_SALT "DGv6ra1nlYgDCS1FRnbzlw"
#define VECTOR_TEXT "When I grow up, I want to be a watermelon"
#define VECTOR_BODY                                                                                                                       \
	"DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTp" \
	"K4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"

struct scene {
	struct arena arena;
	struct err err;
	struct buf out;
};

static void begin(struct scene *scene)
{
	arena_init(&scene->arena);
	err_init(&scene->err, &scene->arena);
	buf_init(&scene->out);
}

static void end(struct scene *scene)
{
	buf_release(&scene->out);
	arena_release(&scene->arena);
}

static void vector(void **state)
{
	struct scene scene;
	struct push_keys keys;
	uint8_t private_key[32], salt[16];
	size_t size;

	(void)state;
	begin(&scene);
	assert_int_equal(push_keys_read(S(UA_PUBLIC), S(UA_SECRET), &keys, &scene.err), OK);
	assert_true(push_base64_read(S(AS_PRIVATE), private_key, sizeof private_key, &size));
	assert_true(push_base64_read(S(VECTOR_SALT), salt, sizeof salt, &size));
	assert_int_equal(push_encrypt_with(&keys, private_key, salt, S(VECTOR_TEXT), &scene.out, &scene.err), OK);
	const struct str text = push_base64_write(&scene.arena, scene.out.ptr, scene.out.len);
	assert_string_equal(str_c(&scene.arena, text), VECTOR_BODY);
	end(&scene);
}

static void limits(void **state)
{
	struct scene scene;
	struct push_keys keys;
	char plain[PUSH_PLAIN_MOST + 1];

	(void)state;
	begin(&scene);
	memset(plain, 'x', sizeof plain);
	assert_int_equal(push_keys_read(S(UA_PUBLIC), S(UA_SECRET), &keys, &scene.err), OK);
	assert_int_equal(push_encrypt(&keys, (struct str){ plain, PUSH_PLAIN_MAX }, &scene.out, &scene.err), OK);
	assert_int_equal(scene.out.len, PUSH_BODY_MAX);
	buf_clear(&scene.out);
	assert_int_equal(push_encrypt(&keys, (struct str){ plain, PUSH_PLAIN_MOST }, &scene.out, &scene.err), OK);
	assert_int_equal(scene.out.len, 4096);
	buf_clear(&scene.out);
	assert_int_equal(push_encrypt(&keys, (struct str){ plain, PUSH_PLAIN_MOST + 1 }, &scene.out, &scene.err), INVALID);
	assert_int_equal(scene.out.len, 0);
	assert_int_equal(push_encrypt(&keys, S(""), &scene.out, &scene.err), OK);
	assert_int_equal(scene.out.len, PUSH_OVERHEAD);
	/* Never the same twice. */
	char first[PUSH_OVERHEAD];
	memcpy(first, scene.out.ptr, sizeof first);
	buf_clear(&scene.out);
	assert_int_equal(push_encrypt(&keys, S(""), &scene.out, &scene.err), OK);
	assert_memory_not_equal(first, scene.out.ptr, sizeof first);
	end(&scene);
}

static void keys_refused(void **state)
{
	static const struct {
		const char *point, *secret;
	} bad[] = {
		{ "", UA_SECRET },
		{ UA_PUBLIC, "" },
		{ UA_PUBLIC, "BTBZMqHH6r4Tts7J_aSI" },     /* 15 bytes */
		{ UA_PUBLIC, "BTBZMqHH6r4Tts7J_aSIggAA" }, /* 18 */
		{ UA_SECRET, UA_SECRET },
		/* One letter of the point's y changed: off the curve. */
		{ "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw8", UA_SECRET },
		{ "BCVxsr7N+eNgVRqvHtD0zTZsEc6+VV+JvLexhqUzORcxaOzi6+AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", UA_SECRET }, /* base64, not url */
		{ "AgVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx", UA_SECRET },
	};
	struct scene scene;
	struct push_keys keys;

	(void)state;
	begin(&scene);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(push_keys_read(str_from(bad[i].point), str_from(bad[i].secret), &keys, &scene.err), INVALID);
	assert_int_equal(push_keys_read(S(UA_PUBLIC "="), S(UA_SECRET "=="), &keys, &scene.err), OK);
	end(&scene);
}

static void base64(void **state)
{
	static const char *const texts[] = { "", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy" }; /* RFC 4648, 10 */
	struct scene scene;
	uint8_t out[6];
	size_t size;

	(void)state;
	begin(&scene);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const struct str text = push_base64_write(&scene.arena, "foobar", i);
		assert_string_equal(str_c(&scene.arena, text), texts[i]);
		assert_true(push_base64_read(text, out, sizeof out, &size));
		assert_int_equal(size, i);
		assert_memory_equal(out, "foobar", i);
	}
	assert_false(push_base64_read(S("Zm9vYmFyYg"), out, sizeof out, &size));
	assert_false(push_base64_read(S("Zm9vY"), out, sizeof out, &size));
	assert_false(push_base64_read(S("Zm 9"), out, sizeof out, &size));
	assert_false(push_base64_read(((struct str){ "Zg\0a", 4 }), out, sizeof out, &size));
	end(&scene);
}

/* The token is checked with the public key that goes with it, as a service does. */
static void token(void **state)
{
	static const uint8_t seed[32] = { 7 }, other_seed[32] = { 8 };
	struct scene scene;
	struct push_signer *signer, *again, *other;
	struct str header;
	uint8_t signature[64], point[PUSH_POINT], claims[256], der[128];
	size_t size;

	(void)state;
	begin(&scene);
	assert_int_equal(push_signer_new(seed, S("mailto:desk@ministry.example"), &signer, &scene.err), OK);
	assert_int_equal(push_signer_new(seed, S("https://ministry.example/"), &again, &scene.err), OK);
	assert_int_equal(push_signer_new(other_seed, S("https://ministry.example/"), &other, &scene.err), OK);
	assert_true(str_equal(push_signer_public(signer), push_signer_public(again)));
	assert_false(str_equal(push_signer_public(signer), push_signer_public(other)));
	assert_int_equal(push_signer_header(signer, &scene.arena, S("https://push.example"), 1700000000 * CLOCK_SECOND, &header, &scene.err), OK);
	assert_true(str_starts(header, S("vapid t=")));
	const size_t comma = str_find(header, S(", k="), 0);
	const struct str jwt = str_slice(header, 8, comma), key = str_slice(header, comma + 4, header.len);
	assert_true(str_equal(key, push_signer_public(signer)));
	assert_true(push_base64_read(key, point, sizeof point, &size) && size == PUSH_POINT);
	const size_t first = str_find(jwt, S("."), 0), second = str_find(jwt, S("."), first + 1);
	assert_true(push_base64_read(str_slice(jwt, first + 1, second), claims, sizeof claims - 1, &size));
	claims[size] = 0;
	assert_string_equal((char *)claims, "{\"aud\":\"https://push.example\",\"exp\":1700043200,\"sub\":\"mailto:desk@ministry.example\"}");
	assert_true(push_base64_read(str_slice(jwt, second + 1, jwt.len), signature, sizeof signature, &size) && size == 64);
	ECDSA_SIG *pair = ECDSA_SIG_new();
	ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
	uint8_t *at = der;
	const int length = i2d_ECDSA_SIG(pair, &at);
	ECDSA_SIG_free(pair);
	EVP_PKEY *public_key = p256_public(point);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public_key), 1);
	assert_int_equal(EVP_DigestVerify(context, der, (size_t)length, (const uint8_t *)jwt.ptr, second), 1);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public_key);
	push_signer_free(signer);
	push_signer_free(again);
	push_signer_free(other);
	assert_int_equal(push_signer_new(seed, S("ministry.example"), &signer, &scene.err), INVALID);
	assert_int_equal(push_signer_new(seed, S("mailto:a\"b"), &signer, &scene.err), INVALID);
	push_signer_free(NULL);
	end(&scene);
}

static void endpoints(void **state)
{
	static const struct {
		const char *url, *origin; /* NULL: refused */
	} cases[] = {
		{ "https://fcm.googleapis.com/fcm/send/abc:DEF-_1", "https://fcm.googleapis.com" },
		{ "https://FCM.googleapis.com/wp/x", "https://fcm.googleapis.com" },
		{ "https://web.push.apple.com/QGv", "https://web.push.apple.com" },
		{ "https://updates.push.services.mozilla.com/wpush/v2/gAAA", "https://updates.push.services.mozilla.com" },
		{ "https://wns2-par02p.notify.windows.com/w/?token=BQ%3d", "https://wns2-par02p.notify.windows.com" },
		{ "https://updates.push.services.mozilla.com:443/wpush", "https://updates.push.services.mozilla.com" },
		{ "https://push.ministry.example/x", "https://push.ministry.example" },
		{ "https://a.own.example/x", "https://a.own.example" },
		{ "http://127.0.0.1:8099/x", "http://127.0.0.1:8099" },
		{ "http://fcm.googleapis.com/x", NULL },
		{ "https://own.example/x", NULL }, /* *.own.example is what stands below it */
		{ "https://xown.example/x", NULL },
		{ "https://anything.org/x", NULL }, /* *.org is no list */
		{ "https://fcm.googleapis.com.evil.example/x", NULL },
		{ "https://evilfcm.googleapis.com/x", NULL },
		{ "https://push.apple.com/x", NULL },
		{ "https://fcm.googleapis.com:8443/x", NULL },
		{ "https://fcm.googleapis.com@evil.example/x", NULL },
		{ "https://user@fcm.googleapis.com/x", NULL },
		{ "https://fcm.googleapis.com\\@evil.example/x", NULL },
		{ "https://evil.example#fcm.googleapis.com/x", NULL },
		{ "https://evil.example?.push.apple.com/x", NULL },
		{ "https://fcm.googleapis.com/x#y", NULL },
		{ "https://fcm.googleapis.com/x y", NULL },
		{ "https://fcm.googleapis.com/x\r\nX: y", NULL },
		{ "https://fcm.googleapis.com/\xc3\xa9", NULL },
		{ "https://fcm.googleapis.com./x", NULL },
		{ "https://.push.apple.com/x", NULL },
		{ "https://a..push.apple.com/x", NULL },
		{ "https://127.0.0.1/x", NULL },
		{ "https://[::1]/x", NULL },
		{ "https://2130706433/x", NULL },
		{ "https://0x7f000001/x", NULL },
		{ "https://localhost/x", NULL },
		{ "https://fcm.googleapis.com", NULL },
		{ "https://fcm.googleapis.com/", NULL },
		{ "https://", NULL },
		{ "", NULL },
		{ "ftp://fcm.googleapis.com/x", NULL },
		{ "HTTPS://fcm.googleapis.com/x", NULL },
		{ "http://127.0.0.1:8098/x", NULL },
		{ "http://localhost:8099/x", NULL },
		{ "http://127.0.0.1:8099", NULL },
		{ "https://127.0.0.1:8099/x", NULL },
	};
	const struct push_policy policy = { .services = S("push.ministry.example, *.own.example *.org org 10.0.0.1"), .loopback = S("127.0.0.1:8099") };
	const struct push_policy bare = { .services = S(""), .loopback = S("") };
	struct push_endpoint endpoint;
	struct scene scene;
	char long_url[PUSH_ENDPOINT_MAX + 2];

	(void)state;
	begin(&scene);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const enum rc rc = push_endpoint_read(&scene.arena, str_from(cases[i].url), &policy, &endpoint, &scene.err);
		if (rc != (cases[i].origin ? OK : INVALID))
			fail_msg("%s: %s", cases[i].url, rc_name(rc));
		if (rc == OK)
			assert_string_equal(str_c(&scene.arena, endpoint.origin), cases[i].origin);
	}
	assert_int_equal(push_endpoint_read(&scene.arena, S("https://push.ministry.example/x"), &bare, &endpoint, &scene.err), INVALID);
	assert_int_equal(push_endpoint_read(&scene.arena, S("http://127.0.0.1:8099/x"), &bare, &endpoint, &scene.err), INVALID);
	memset(long_url, 'x', sizeof long_url);
	memcpy(long_url, "https://fcm.googleapis.com/", 27);
	assert_int_equal(push_endpoint_read(&scene.arena, (struct str){ long_url, PUSH_ENDPOINT_MAX }, &bare, &endpoint, &scene.err), OK);
	assert_int_equal(push_endpoint_read(&scene.arena, (struct str){ long_url, PUSH_ENDPOINT_MAX + 1 }, &bare, &endpoint, &scene.err), INVALID);
	/* The loopback of tests can be nothing else. */
	const struct push_policy abuse = { .services = S(""), .loopback = S("10.0.0.1:80") };
	assert_int_equal(push_endpoint_read(&scene.arena, S("http://10.0.0.1:80/x"), &abuse, &endpoint, &scene.err), INVALID);
	end(&scene);
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		bool allowed;
	} cases[] = {
		{ "8.8.8.8", true },
		{ "142.250.1.95", true },
		{ "17.188.1.1", true },
		{ "0.0.0.0", false },
		{ "10.1.2.3", false },
		{ "100.64.0.1", false },
		{ "100.63.255.255", true },
		{ "100.128.0.0", true },
		{ "127.0.0.1", false },
		{ "169.254.169.254", false },
		{ "172.15.255.255", true },
		{ "172.16.0.1", false },
		{ "172.31.255.255", false },
		{ "172.32.0.0", true },
		{ "192.168.1.1", false },
		{ "198.18.0.1", false },
		{ "198.20.0.1", true },
		{ "224.0.0.1", false },
		{ "255.255.255.255", false },
		{ "2a00:1450:4001::5f", true },
		{ "2620:149::1", true },
		{ "::", false },
		{ "::1", false },
		{ "::ffff:8.8.8.8", false },
		{ "64:ff9b::a00:1", false },
		{ "fe80::1", false },
		{ "fc00::1", false },
		{ "fd12::1", false },
		{ "ff02::1", false },
		{ "2001::1", false },
		{ "2001:db8::1", false },
		{ "2001:4860:4860::8888", true },
		{ "2002:a00:1::", false },
		{ "3fff::1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sockaddr_in in = { .sin_family = AF_INET };
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
		const bool four = inet_pton(AF_INET, cases[i].text, &in.sin_addr) == 1;
		if (!four)
			assert_int_equal(inet_pton(AF_INET6, cases[i].text, &in6.sin6_addr), 1);
		if (push_address_allowed(four ? (struct sockaddr *)&in : (struct sockaddr *)&in6) != cases[i].allowed)
			fail_msg("%s", cases[i].text);
	}
	assert_false(push_address_allowed(&(struct sockaddr){ .sa_family = AF_UNIX }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector),  cmocka_unit_test(limits),    cmocka_unit_test(keys_refused), cmocka_unit_test(base64),
		cmocka_unit_test(token),   cmocka_unit_test(endpoints), cmocka_unit_test(addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
