/* A backup as it comes back from wherever it lay. First byte 0: the rest is the file. Otherwise the rest is what was sealed, and one byte of the
 * file (chosen by the first three) is changed or its end cut off: that is always noticed before the end. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1000

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct keys {
	struct str public, private;
};

static struct keys keys(struct arena *arena)
{
	uint8_t seed[crypto_box_SEEDBYTES] = { 1 }, public[crypto_box_PUBLICKEYBYTES], private[crypto_box_SECRETKEYBYTES];
	crypto_box_seed_keypair(public, private, seed);
	return (struct keys){ str_hex(arena, public, sizeof public), str_hex(arena, private, sizeof private) };
}

/* Reads it all; *out gets what came before the end or the refusal. */
static enum rc unseal(const char *path, struct keys key, struct buf *out)
{
	struct sealed *sealed;
	char byte;
	enum rc rc = sealed_open(path, key.private, NOW, &sealed, NULL);
	if (rc != OK)
		return rc;
	while (!sealed_at_end(sealed) && (rc = sealed_read(sealed, &byte, 1, NULL)) == OK)
		buf_add(out, &byte, 1);
	if (rc == OK)
		rc = sealed_read(sealed, &byte, 1, NULL) == INVALID ? OK : FAILED;
	sealed_close(sealed, false, NULL);
	return rc;
}

static void seal(const char *path, struct keys key, struct str content)
{
	struct sealed *sealed;
	check(sealed_create(path, key.public, NOW, NOW + 1, &sealed, NULL) == OK);
	check(sealed_write(sealed, content.ptr, content.len, NULL) == OK && sealed_close(sealed, true, NULL) == OK);
}

static void spoil(const char *path, const uint8_t how[3])
{
	FILE *file = fopen(path, "r+b");
	check(file && fseek(file, 0, SEEK_END) == 0);
	const long size = ftell(file), at = (how[1] << 8 | how[2]) % size;
	if (how[0] & 1) {
		check(ftruncate(fileno(file), at) == 0);
	} else {
		check(fseek(file, at, SEEK_SET) == 0);
		const int byte = fgetc(file);
		check(fseek(file, at, SEEK_SET) == 0 && fputc(byte ^ (how[0] | 1), file) != EOF);
	}
	check(fclose(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct arena arena;
	struct buf read;

	if (size < 3 || sodium_init() < 0)
		return 0;
	snprintf(path, sizeof path, "/dev/shm/chancery-sealed-fuzz.%ld", (long)getpid());
	arena_init(&arena);
	buf_init(&read);
	const struct keys key = keys(&arena);
	const struct str rest = { (const char *)data + 3, size - 3 };
	unlink(path);
	if (data[0] == 0) {
		FILE *file = fopen(path, "wb");
		check(file && fwrite(data + 1, 1, size - 1, file) == size - 1 && fclose(file) == 0);
		check(unseal(path, key, &read) != OK);
	} else {
		seal(path, key, rest);
		check(unseal(path, key, &read) == OK && str_equal(buf_str(&read), rest));
		buf_clear(&read);
		spoil(path, data);
		check(unseal(path, key, &read) != OK);
		/* Whole chunks before the spoilt one are as they were. */
		check(str_starts(rest, buf_str(&read)));
	}
	unlink(path);
	buf_release(&read);
	arena_release(&arena);
	return 0;
}
