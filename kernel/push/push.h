/* Web push: encryption for one browser (RFC 8291 over RFC 8188), the application server's identification (RFC 8292), and the guard of
 * endpoints. No network here; the road is adapters/channel/webpush. */
#ifndef CHANCERY_KERNEL_PUSH_H
#define CHANCERY_KERNEL_PUSH_H

#include "base/base.h"

struct sockaddr;
struct house;
struct desk;

#define PUSH_POINT 65  /* an uncompressed point of P-256 */
#define PUSH_SECRET 16 /* the browser's authentication secret */
#define PUSH_ENDPOINT_MAX 1024
#define PUSH_KEY_TEXT_MAX 128 /* of either key in base64url */

/* The smallest body that a vendor is known to refuse is the next: Mozilla takes no more for browsers it reaches by another service. RFC 8030
 * asks services for 4,096. */
#define PUSH_BODY_MAX 2744
#define PUSH_OVERHEAD 103 /* RFC 8188: 86 of header, 16 of tag, 1 delimiter */
#define PUSH_PLAIN_MAX (PUSH_BODY_MAX - PUSH_OVERHEAD)
#define PUSH_PLAIN_MOST 3993 /* one record of 4,096 (RFC 8291, 4); push_encrypt refuses more */

/* --- base64url without padding (RFC 4648, 5) ------------------------------------------------------------------ */
struct str push_base64_write(struct arena *arena, const void *bytes, size_t size);
/* Reads into `out` at most `most` bytes; '=' at the end is passed over. False for other letters, a length that cannot be, or too much. */
bool push_base64_read(struct str text, uint8_t *out, size_t most, size_t *size_out);

/* --- encryption ----------------------------------------------------------------------------------------------- */
struct push_keys {
	uint8_t point[PUSH_POINT];
	uint8_t secret[PUSH_SECRET];
};
/* A browser's p256dh and auth, in base64url. INVALID unless the first is a point of the curve and the second 16 bytes. */
enum rc push_keys_read(struct str p256dh, struct str auth, struct push_keys *out, struct err *err);
/* Appends the body of a push message (Content-Encoding: aes128gcm): one record, encrypted so that only the browser can read it.
 * INVALID when `plain` is longer than PUSH_PLAIN_MOST; FAILED when OpenSSL fails; nothing is appended then. */
enum rc push_encrypt(const struct push_keys *keys, struct str plain, struct buf *out, struct err *err);
/* The same with a given private key and salt: for test vectors. Each pair must serve one message only. */
enum rc push_encrypt_with(const struct push_keys *keys, const uint8_t private_key[32], const uint8_t salt[16], struct str plain,
                          struct buf *out, struct err *err);

/* --- identification (VAPID) ------------------------------------------------------------------------------------ */
#define PUSH_TOKEN_LIFE (12 * CLOCK_HOUR) /* RFC 8292, 2: at most 24 hours */

struct push_signer;
/* The key pair of this installation, worked out from 32 secret bytes, the same ones always give the same keys; `subject` is "mailto:..." or
 * "https://..." (some vendors refuse what is no real contact). NULL-safe free. */
enum rc push_signer_new(const uint8_t seed[32], struct str subject, struct push_signer **out, struct err *err);
void push_signer_free(struct push_signer *signer);
/* The public key as browsers want it for a subscription (applicationServerKey). */
struct str push_signer_public(const struct push_signer *signer);
/* The value of Authorization for a service: "vapid t=TOKEN, k=KEY"; holds until now + PUSH_TOKEN_LIFE. `origin` as in push_endpoint. */
enum rc push_signer_header(const struct push_signer *signer, struct arena *arena, struct str origin, int64_t now, struct str *out,
                           struct err *err);

/* --- endpoints --------------------------------------------------------------------------------------------------- */
struct push_policy {
	struct str services; /* the operator's own besides the vendors: hosts or *.DOMAIN, separated by blanks or commas; may be empty */
	struct str loopback; /* for tests alone: one "HOST:PORT" on the loopback, over plain HTTP; empty: none */
};
struct push_endpoint {
	struct str host;   /* lower case */
	struct str origin; /* scheme and host (and port, if it is not the scheme's own): the audience of a token */
	uint16_t port;
	bool loopback;     /* the one of policy.loopback */
};
/* Is this an address that we may post to? https to port 443, a host of the list, no user name, no fragment, no address in place of a name. What the
 * name resolves to is checked when it is called: push_address_allowed. INVALID says why not, without the address itself. */
enum rc push_endpoint_read(struct arena *arena, struct str url, const struct push_policy *policy, struct push_endpoint *out, struct err *err);
/* False for anything but public unicast addresses: loopback, private, link-local, shared, documentation, multicast, and IPv4 within IPv6. */
bool push_address_allowed(const struct sockaddr *address);
/* --- the installation ---------------------------------------------------------------------------------------------- */
extern const struct desk push_desk; /* the settings push.* */
/* Is web push set up (push.contact)? Without it nothing is offered and nothing is sent. */
bool push_is_on(struct house *house);
/* The seed of the key pair, out of the house's secret. */
void push_seed(const struct house *house, uint8_t out[32]);
/* The public key for subscriptions; STR_NONE when web push is not set up. Lives as long as the house. */
struct str push_public_key(struct house *house);
/* Whom the settings allow to call; texts in the arena. */
struct push_policy push_policy_of(struct house *house, struct arena *arena);

/* The vendors' hosts that are always allowed, for help and tests; ends with NULL. */
extern const char *const push_vendors[];

#endif
