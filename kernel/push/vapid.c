/* RFC 8292: a short-lived token that says who pushes, signed with ES256 (RFC 7515 and 7518, 3.4). */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "kernel/push/private.h"

#define HALF 32 /* of a signature: r and s */
#define SUBJECT_MAX 256

struct push_signer {
	EVP_PKEY *pair;
	char public_key[96];
	size_t public_length;
	char subject[SUBJECT_MAX];
};

/* A claim goes into JSON and a header: nothing that would have to be escaped there. */
static bool plain_text(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || text.ptr[i] == '"' || text.ptr[i] == '\\')
			return false;
	return true;
}

enum rc push_signer_new(const uint8_t seed[32], struct str subject, struct push_signer **out, struct err *err)
{
	uint8_t key[33], private_key[32], point[PUSH_POINT];
	struct arena arena;

	if (!(str_starts(subject, S("mailto:")) || str_starts(subject, S("https://"))) || subject.len >= SUBJECT_MAX || !plain_text(subject))
		return err_set(err, INVALID, "the contact of web push is mailto:ADDRESS or https://...");
	struct push_signer *signer = calloc(1, sizeof *signer);
	if (!signer)
		return err_set(err, FAILED, "out of memory");
	memcpy(key, seed, 32);
	/* Almost every seed is a private key; the rest are hashed on until one is. */
	for (key[32] = 0;; key[32]++) {
		SHA256(key, sizeof key, private_key);
		if (p256_point(private_key, point))
			break;
	}
	signer->pair = p256_pair(private_key, point);
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(private_key, sizeof private_key);
	if (!signer->pair) {
		push_signer_free(signer);
		return err_set(err, FAILED, "no key pair for web push");
	}
	arena_init(&arena);
	const struct str text = push_base64_write(&arena, point, sizeof point);
	memcpy(signer->public_key, text.ptr, text.len);
	signer->public_length = text.len;
	arena_release(&arena);
	memcpy(signer->subject, subject.ptr, subject.len);
	*out = signer;
	return OK;
}

void push_signer_free(struct push_signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_free(signer->pair);
	free(signer);
}

struct str push_signer_public(const struct push_signer *signer)
{
	return (struct str){ signer->public_key, signer->public_length };
}

/* From OpenSSL's DER to the two numbers of 32 bytes that JOSE wants. */
static bool signature_flat(const uint8_t *der, size_t size, uint8_t out[2 * HALF])
{
	const uint8_t *at = der;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
	const bool good = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, HALF) == HALF &&
	                  BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + HALF, HALF) == HALF;
	ECDSA_SIG_free(signature);
	return good;
}

static bool sign(const struct push_signer *signer, struct str text, uint8_t out[2 * HALF])
{
	uint8_t der[128];
	size_t size = sizeof der;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const bool good = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer->pair) == 1 &&
	                  EVP_DigestSign(context, der, &size, (const uint8_t *)text.ptr, text.len) == 1 && signature_flat(der, size, out);
	EVP_MD_CTX_free(context);
	return good;
}

enum rc push_signer_header(const struct push_signer *signer, struct arena *arena, struct str origin, int64_t now, struct str *out,
                           struct err *err)
{
	static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
	uint8_t signature[2 * HALF];

	if (!plain_text(origin))
		return err_set(err, INVALID, "a push service's address holds odd letters");
	const struct str claims = str_format(arena, "{\"aud\":\"%.*s\",\"exp\":%lld,\"sub\":\"%s\"}", STR_ARG(origin),
	                                     (long long)((now + PUSH_TOKEN_LIFE) / CLOCK_SECOND), signer->subject);
	const struct str signed_text = str_format(arena, "%.*s.%.*s", STR_ARG(push_base64_write(arena, head, sizeof head - 1)),
	                                          STR_ARG(push_base64_write(arena, claims.ptr, claims.len)));
	if (!sign(signer, signed_text, signature))
		return err_set(err, FAILED, "a token of web push cannot be signed");
	*out = str_format(arena, "vapid t=%.*s.%.*s, k=%.*s", STR_ARG(signed_text),
	                  STR_ARG(push_base64_write(arena, signature, sizeof signature)), STR_ARG(push_signer_public(signer)));
	return OK;
}
