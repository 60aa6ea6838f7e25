/* RFC 8291: a shared secret of two P-256 keys and the browser's own secret, then one record of RFC 8188 (aes128gcm). */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "kernel/push/private.h"

#define SALT 16
#define TAG 16
#define NONCE 12
#define RECORD_SIZE 4096

/* --- the curve ---------------------------------------------------------------------------------------------------- */

EVP_PKEY *p256_public(const uint8_t point[PUSH_POINT])
{
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){ "prime256v1" }, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point, PUSH_POINT),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

	if (context && EVP_PKEY_fromdata_init(context) == 1 && EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

bool p256_point(const uint8_t private_key[32], uint8_t point[PUSH_POINT])
{
	bool good = false;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *scalar = BN_bin2bn(private_key, 32, NULL);
	EC_POINT *product = group ? EC_POINT_new(group) : NULL;

	if (group && scalar && product && !BN_is_zero(scalar) && BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0) {
		BN_set_flags(scalar, BN_FLG_CONSTTIME);
		good = EC_POINT_mul(group, product, scalar, NULL, NULL, NULL) == 1 &&
		       EC_POINT_point2oct(group, product, POINT_CONVERSION_UNCOMPRESSED, point, PUSH_POINT, NULL) == PUSH_POINT;
	}
	EC_POINT_free(product);
	BN_clear_free(scalar);
	EC_GROUP_free(group);
	return good;
}

EVP_PKEY *p256_pair(const uint8_t private_key[32], const uint8_t point[PUSH_POINT])
{
	EVP_PKEY *key = NULL;
	BIGNUM *scalar = BN_bin2bn(private_key, 32, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *parameters = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

	if (scalar && build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, PUSH_POINT) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1)
		parameters = OSSL_PARAM_BLD_to_param(build);
	if (context && parameters && EVP_PKEY_fromdata_init(context) == 1 &&
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(build);
	BN_clear_free(scalar);
	return key;
}

enum rc push_keys_read(struct str p256dh, struct str auth, struct push_keys *out, struct err *err)
{
	struct push_keys keys;
	size_t size;

	if (!push_base64_read(p256dh, keys.point, sizeof keys.point, &size) || size != PUSH_POINT || keys.point[0] != 4)
		return err_set(err, INVALID, "the browser's key is no uncompressed point");
	if (!push_base64_read(auth, keys.secret, sizeof keys.secret, &size) || size != PUSH_SECRET)
		return err_set(err, INVALID, "the browser's secret is not 16 bytes");
	EVP_PKEY *key = p256_public(keys.point); /* refuses points that do not lie on the curve */
	if (!key)
		return err_set(err, INVALID, "the browser's key does not lie on the curve");
	EVP_PKEY_free(key);
	*out = keys;
	return OK;
}

/* --- from the two keys to a record ----------------------------------------------------------------------------------- */

static bool agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t out[32])
{
	size_t size = 32;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
	const bool good = context && EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, peer) == 1 &&
	                  EVP_PKEY_derive(context, out, &size) == 1 && size == 32;
	EVP_PKEY_CTX_free(context);
	return good;
}

static bool hmac(const uint8_t *key, size_t key_size, const void *bytes, size_t size, uint8_t out[32])
{
	unsigned length = 32;
	return HMAC(EVP_sha256(), key, (int)key_size, bytes, size, out, &length) != NULL && length == 32;
}

/* HKDF (RFC 5869) for at most 32 bytes: one round of extraction, one of expansion. */
static bool hkdf(const uint8_t *salt, size_t salt_size, const uint8_t key[32], const uint8_t *info, size_t info_size, uint8_t out[32])
{
	uint8_t pseudo_random[32], message[256];

	if (info_size >= sizeof message || !hmac(salt, salt_size, key, 32, pseudo_random))
		return false;
	memcpy(message, info, info_size);
	message[info_size] = 1;
	const bool good = hmac(pseudo_random, sizeof pseudo_random, message, info_size + 1, out);
	OPENSSL_cleanse(pseudo_random, sizeof pseudo_random);
	return good;
}

struct record_keys {
	uint8_t key[16], nonce[NONCE];
};

/* RFC 8291, 3.4. */
static bool derive(const struct push_keys *keys, const uint8_t shared[32], const uint8_t own[PUSH_POINT], const uint8_t salt[SALT],
                   struct record_keys *out)
{
	static const uint8_t key_label[] = "Content-Encoding: aes128gcm"; /* with the zero that the standard wants */
	static const uint8_t nonce_label[] = "Content-Encoding: nonce";
	static const uint8_t info_label[] = "WebPush: info";
	uint8_t info[sizeof info_label + 2 * PUSH_POINT], input[32], output[32];

	memcpy(info, info_label, sizeof info_label);
	memcpy(info + sizeof info_label, keys->point, PUSH_POINT);
	memcpy(info + sizeof info_label + PUSH_POINT, own, PUSH_POINT);
	bool good = hkdf(keys->secret, PUSH_SECRET, shared, info, sizeof info, input) &&
	            hkdf(salt, SALT, input, key_label, sizeof key_label, output);
	if (good)
		memcpy(out->key, output, sizeof out->key);
	good = good && hkdf(salt, SALT, input, nonce_label, sizeof nonce_label, output);
	if (good)
		memcpy(out->nonce, output, sizeof out->nonce);
	OPENSSL_cleanse(input, sizeof input);
	OPENSSL_cleanse(output, sizeof output);
	return good;
}

/* The plain text and the delimiter of a last record, encrypted, with the tag. */
static bool seal(const struct record_keys *keys, struct str plain, uint8_t *out)
{
	static const uint8_t last = 2;
	int length = 0, more = 0, end = 0;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const bool good = context && EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, keys->key, keys->nonce) == 1 &&
	                  EVP_EncryptUpdate(context, out, &length, (const uint8_t *)(plain.len ? plain.ptr : ""), (int)plain.len) == 1 &&
	                  EVP_EncryptUpdate(context, out + length, &more, &last, 1) == 1 &&
	                  EVP_EncryptFinal_ex(context, out + length + more, &end) == 1 &&
	                  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG, out + plain.len + 1) == 1;
	EVP_CIPHER_CTX_free(context);
	return good;
}

enum rc push_encrypt_with(const struct push_keys *keys, const uint8_t private_key[32], const uint8_t salt[16], struct str plain,
                          struct buf *out, struct err *err)
{
	uint8_t own[PUSH_POINT], shared[32], body[PUSH_PLAIN_MOST + 1 + TAG];
	struct record_keys record;

	if (plain.len > PUSH_PLAIN_MOST)
		return err_set(err, INVALID, "%zu bytes do not fit into one record", plain.len);
	if (!p256_point(private_key, own))
		return err_set(err, FAILED, "no key can be made of these bytes");
	EVP_PKEY *pair = p256_pair(private_key, own), *peer = p256_public(keys->point);
	const bool good = pair && peer && agree(pair, peer, shared) && derive(keys, shared, own, salt, &record) && seal(&record, plain, body);
	EVP_PKEY_free(pair);
	EVP_PKEY_free(peer);
	OPENSSL_cleanse(shared, sizeof shared);
	OPENSSL_cleanse(&record, sizeof record);
	if (!good)
		return err_set(err, FAILED, "encryption failed");
	/* RFC 8188, 2.1: salt, record size, length of the key's name, the name: our public key (RFC 8291, 4). */
	buf_add(out, salt, SALT);
	buf_add_u32(out, RECORD_SIZE);
	buf_add_u8(out, PUSH_POINT);
	buf_add(out, own, PUSH_POINT);
	buf_add(out, body, plain.len + 1 + TAG);
	return OK;
}

enum rc push_encrypt(const struct push_keys *keys, struct str plain, struct buf *out, struct err *err)
{
	uint8_t private_key[32], salt[SALT], point[PUSH_POINT];

	rand_bytes(salt, sizeof salt);
	do
		rand_bytes(private_key, sizeof private_key);
	while (!p256_point(private_key, point)); /* zero or beyond the order: one in 2^32 */
	enum rc rc = push_encrypt_with(keys, private_key, salt, plain, out, err);
	OPENSSL_cleanse(private_key, sizeof private_key);
	return rc;
}
