#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/sealed.h"

#define MAGIC "chancery sealed backup 1\n"
#define TIMES_SIZE 16
#define KEY_SIZE crypto_secretstream_xchacha20poly1305_KEYBYTES
#define TAG_SIZE crypto_secretstream_xchacha20poly1305_ABYTES
#define SEAL_SIZE (KEY_SIZE + TIMES_SIZE + crypto_box_SEALBYTES)

struct sealed {
	FILE *file;
	char *path;
	bool writing, final;
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t times[TIMES_SIZE];
	uint8_t chunk[SEALED_CHUNK];
	size_t used, at; /* bytes in chunk; bytes of it already read */
};

static void
times_put(uint8_t times[TIMES_SIZE], int64_t created, int64_t expires)
{
	for (int i = 0; i < 8; i++) {
		times[i] = (uint8_t)((uint64_t)created >> (56 - 8 * i));
		times[8 + i] = (uint8_t)((uint64_t)expires >> (56 - 8 * i));
	}
}

static int64_t
time_get(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

static struct sealed *
sealed_new(const char *path, bool writing)
{
	struct sealed *sealed = calloc(1, sizeof *sealed);

	if (!sealed || !(sealed->path = strdup(path)))
		abort();
	sealed->writing = writing;
	return sealed;
}

static void
sealed_free(struct sealed *sealed)
{
	if (sealed->file)
		fclose(sealed->file);
	sodium_memzero(&sealed->state, sizeof sealed->state);
	sodium_memzero(sealed->chunk, sizeof sealed->chunk);
	free(sealed->path);
	free(sealed);
}

static enum rc
put(struct sealed *sealed, const void *bytes, size_t size, struct err *err)
{
	return fwrite(bytes, 1, size, sealed->file) == size ? OK : err_set(err, FAILED, "%s: %s", sealed->path, strerror(errno));
}

enum rc
sealed_create(const char *path, struct str public_key, int64_t created, int64_t expires, struct sealed **out, struct err *err)
{
	uint8_t key[crypto_box_PUBLICKEYBYTES], plain[KEY_SIZE + TIMES_SIZE], seal[SEAL_SIZE];
	uint8_t header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];

	if (!str_from_hex(public_key, key, sizeof key))
		return err_set(err, INVALID, "the public key is %d hex digits; chancery keygen makes a pair", SEALED_KEY_HEX);
	const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return err_set(err, errno == EEXIST ? CONFLICT : FAILED, "%s: %s", path, strerror(errno));
	struct sealed *sealed = sealed_new(path, true);
	sealed->file = fdopen(file, "wb");
	crypto_secretstream_xchacha20poly1305_keygen(plain);
	times_put(sealed->times, created, expires);
	memcpy(plain + KEY_SIZE, sealed->times, TIMES_SIZE);
	crypto_secretstream_xchacha20poly1305_init_push(&sealed->state, header, plain);
	const bool sealed_well = crypto_box_seal(seal, plain, sizeof plain, key) == 0;
	sodium_memzero(plain, sizeof plain);
	enum rc rc = sealed_well ? put(sealed, MAGIC, sizeof MAGIC - 1, err) : err_set(err, INVALID, "this public key cannot be used");
	if (rc == OK)
		rc = put(sealed, seal, sizeof seal, err);
	if (rc == OK)
		rc = put(sealed, sealed->times, TIMES_SIZE, err);
	if (rc == OK)
		rc = put(sealed, header, sizeof header, err);
	if (rc == OK)
		*out = sealed;
	else
		sealed_close(sealed, false, NULL);
	return rc;
}

enum rc
sealed_open(const char *path, struct str private_key, int64_t now, struct sealed **out, struct err *err)
{
	uint8_t secret[crypto_box_SECRETKEYBYTES], public[crypto_box_PUBLICKEYBYTES], plain[KEY_SIZE + TIMES_SIZE], seal[SEAL_SIZE];
	uint8_t header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
	char magic[sizeof MAGIC];

	if (!str_from_hex(str_trim(private_key), secret, sizeof secret))
		return err_set(err, INVALID, "the private key is %d hex digits", SEALED_KEY_HEX);
	struct sealed *sealed = sealed_new(path, false);
	sealed->file = fopen(path, "rbe");
	if (!sealed->file) {
		sealed_free(sealed);
		return err_set(err, NOT_FOUND, "%s: %s", path, strerror(errno));
	}
	crypto_scalarmult_base(public, secret);
	enum rc rc = OK;
	if (fread(magic, 1, sizeof MAGIC - 1, sealed->file) != sizeof MAGIC - 1 || memcmp(magic, MAGIC, sizeof MAGIC - 1) != 0 ||
	    fread(seal, 1, sizeof seal, sealed->file) != sizeof seal || fread(sealed->times, 1, TIMES_SIZE, sealed->file) != TIMES_SIZE ||
	    fread(header, 1, sizeof header, sealed->file) != sizeof header)
		rc = err_set(err, INVALID, "%s is not a backup of this program, or was cut", path);
	else if (crypto_box_seal_open(plain, seal, sizeof seal, public, secret) != 0)
		rc = err_set(err, DENIED, "%s was sealed for another key", path);
	else if (memcmp(plain + KEY_SIZE, sealed->times, TIMES_SIZE) != 0)
		rc = err_set(err, INVALID, "%s was altered", path);
	else if (now > time_get(sealed->times + 8))
		rc = err_set(err, DENIED, "%s may no longer be opened: its time is over", path);
	else if (crypto_secretstream_xchacha20poly1305_init_pull(&sealed->state, header, plain) != 0)
		rc = err_set(err, INVALID, "%s was altered", path);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(plain, sizeof plain);
	if (rc == OK)
		*out = sealed;
	else
		sealed_free(sealed);
	return rc;
}

static enum rc
push_chunk(struct sealed *sealed, unsigned char tag, struct err *err)
{
	uint8_t cipher[SEALED_CHUNK + TAG_SIZE];

	crypto_secretstream_xchacha20poly1305_push(&sealed->state, cipher, NULL, sealed->chunk, sealed->used, sealed->times, TIMES_SIZE, tag);
	const size_t size = sealed->used + TAG_SIZE;
	sealed->used = 0;
	return put(sealed, cipher, size, err);
}

enum rc
sealed_write(struct sealed *sealed, const void *bytes, size_t size, struct err *err)
{
	const uint8_t *at = bytes;
	enum rc rc = OK;

	while (rc == OK && size) {
		size_t part = SEALED_CHUNK - sealed->used;
		if (part > size)
			part = size;
		memcpy(sealed->chunk + sealed->used, at, part);
		sealed->used += part;
		at += part;
		size -= part;
		if (sealed->used == SEALED_CHUNK)
			rc = push_chunk(sealed, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, err);
	}
	return rc;
}

static enum rc
pull_chunk(struct sealed *sealed, struct err *err)
{
	uint8_t cipher[SEALED_CHUNK + TAG_SIZE];
	unsigned long long length = 0;
	unsigned char tag = 0;

	const size_t size = fread(cipher, 1, sizeof cipher, sealed->file);
	if (sealed->final || size < TAG_SIZE ||
	    crypto_secretstream_xchacha20poly1305_pull(&sealed->state, sealed->chunk, &length, &tag, cipher, size, sealed->times, TIMES_SIZE) != 0)
		return err_set(err, INVALID, "%s was cut or altered", sealed->path);
	sealed->used = (size_t)length;
	sealed->at = 0;
	sealed->final = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	return OK;
}

enum rc
sealed_read(struct sealed *sealed, void *bytes, size_t size, struct err *err)
{
	uint8_t *to = bytes;

	while (size) {
		if (sealed->at == sealed->used) {
			enum rc rc = pull_chunk(sealed, err);
			if (rc != OK)
				return rc;
			continue;
		}
		size_t part = sealed->used - sealed->at;
		if (part > size)
			part = size;
		memcpy(to, sealed->chunk + sealed->at, part);
		sealed->at += part;
		to += part;
		size -= part;
	}
	return OK;
}

bool
sealed_at_end(struct sealed *sealed)
{
	/* An empty last chunk is possible: look for it before saying no. */
	if (sealed->at == sealed->used && !sealed->final)
		pull_chunk(sealed, NULL);
	return sealed->final && sealed->at == sealed->used;
}

int64_t
sealed_created(const struct sealed *sealed)
{
	return time_get(sealed->times);
}

enum rc
sealed_close(struct sealed *sealed, bool good, struct err *err)
{
	enum rc rc = OK;

	if (sealed->writing && good) {
		rc = push_chunk(sealed, crypto_secretstream_xchacha20poly1305_TAG_FINAL, err);
		if (rc == OK && (fflush(sealed->file) != 0 || fsync(fileno(sealed->file)) != 0))
			rc = err_set(err, FAILED, "%s: %s", sealed->path, strerror(errno));
	}
	if (sealed->writing && (!good || rc != OK))
		unlink(sealed->path);
	sealed_free(sealed);
	return rc;
}
