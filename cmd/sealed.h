/* A sealed file: streamed, encrypted to a public key, verified to its end before anything of it is believed.
 *
 * Layout: the magic line; 80 bytes crypto_box_seal of (stream key, created, expires); created and expires as 8 bytes big-endian each, as
 * additional data of every chunk; the secretstream header; chunks of at most SEALED_CHUNK bytes with their tags; the last one tagged FINAL.
 * (libsodium: crypto_box_seal is X25519 + XSalsa20-Poly1305, secretstream is XChaCha20-Poly1305.) */
#ifndef CHANCERY_CMD_SEALED_H
#define CHANCERY_CMD_SEALED_H

#include <stdio.h>

#include "base/base.h"

#define SEALED_CHUNK 65536
#define SEALED_KEY_HEX 64 /* characters of a key as text */

struct sealed;

/* Begins a sealed file at `path` (mode 0600; it must not exist) for a public key in hex. FAILED, INVALID, CONFLICT. */
enum rc sealed_create(const char *path, struct str public_key, int64_t created, int64_t expires, struct sealed **out, struct err *err);
/* Opens one with the private key in hex; DENIED past its end or with another key. */
enum rc sealed_open(const char *path, struct str private_key, int64_t now, struct sealed **out, struct err *err);
/* Writes any number of bytes. */
enum rc sealed_write(struct sealed *sealed, const void *bytes, size_t size, struct err *err);
/* Reads exactly `size` bytes; INVALID if the file is cut, altered or ends before. */
enum rc sealed_read(struct sealed *sealed, void *bytes, size_t size, struct err *err);
/* True once everything up to the FINAL tag was read. */
bool sealed_at_end(struct sealed *sealed);
int64_t sealed_created(const struct sealed *sealed);
/* Writes the last chunk and syncs (when writing), closes, frees. A file that was not finished well is removed when writing. */
enum rc sealed_close(struct sealed *sealed, bool good, struct err *err);

#endif
