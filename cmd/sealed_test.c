/* Sealed files: what went in comes out, and nothing of what was cut, altered, expired or sealed to another is believed. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/sealed.h"

struct keys {
	char public_key[SEALED_KEY_HEX + 1], private_key[SEALED_KEY_HEX + 1];
};

static char folder[] = "/tmp/sealed-test-XXXXXX";
static char path[64];
static struct keys ours, theirs;

static void
keys_make(struct keys *keys)
{
	uint8_t public[crypto_box_PUBLICKEYBYTES], secret[crypto_box_SECRETKEYBYTES];

	crypto_box_keypair(public, secret);
	sodium_bin2hex(keys->public_key, sizeof keys->public_key, public, sizeof public);
	sodium_bin2hex(keys->private_key, sizeof keys->private_key, secret, sizeof secret);
}

static int
set_up(void **state)
{
	(void)state;
	if (sodium_init() < 0 || !mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/sealed", folder);
	keys_make(&ours);
	keys_make(&theirs);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

/* Byte number `at` of the content. */
static uint8_t
byte_of(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8));
}

static void
write_sealed(size_t size, int64_t created, int64_t expires)
{
	struct sealed *sealed;
	uint8_t part[1000];

	unlink(path);
	assert_int_equal(sealed_create(path, str_from(ours.public_key), created, expires, &sealed, NULL), OK);
	for (size_t at = 0; at < size;) {
		const size_t length = size - at < sizeof part ? size - at : sizeof part;
		for (size_t i = 0; i < length; i++)
			part[i] = byte_of(at + i);
		assert_int_equal(sealed_write(sealed, part, length, NULL), OK);
		at += length;
	}
	assert_int_equal(sealed_close(sealed, true, NULL), OK);
}

/* Reads all; the first code that is not OK, INVALID if the end is not the sealed one. */
static enum rc
read_sealed(size_t size, const char *private_key, int64_t now)
{
	struct sealed *sealed;
	uint8_t part[777];

	enum rc rc = sealed_open(path, str_from(private_key), now, &sealed, NULL);
	if (rc != OK)
		return rc;
	for (size_t at = 0; rc == OK && at < size;) {
		const size_t length = size - at < sizeof part ? size - at : sizeof part;
		rc = sealed_read(sealed, part, length, NULL);
		for (size_t i = 0; rc == OK && i < length; i++)
			assert_int_equal(part[i], byte_of(at + i));
		at += length;
	}
	if (rc == OK && !sealed_at_end(sealed))
		rc = INVALID;
	sealed_close(sealed, rc == OK, NULL);
	return rc;
}

static void
round_trip(void **state)
{
	static const size_t sizes[] = { 0, 1, SEALED_CHUNK - 1, SEALED_CHUNK, SEALED_CHUNK + 1, 3 * SEALED_CHUNK, 200001 };
	struct stat status;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		write_sealed(sizes[i], 1000, 2000);
		assert_int_equal(read_sealed(sizes[i], ours.private_key, 1500), OK);
	}
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* Asking for more than there is, and leaving some. */
	assert_int_equal(read_sealed(200002, ours.private_key, 1500), INVALID);
	assert_int_equal(read_sealed(200000, ours.private_key, 1500), INVALID);
}

static void
expires(void **state)
{
	(void)state;
	write_sealed(10, 1000, 2000);
	assert_int_equal(read_sealed(10, ours.private_key, 2000), OK);
	assert_int_equal(read_sealed(10, ours.private_key, 2001), DENIED);
}

static void
other_key(void **state)
{
	struct sealed *sealed;

	(void)state;
	write_sealed(10, 1000, 2000);
	assert_int_equal(read_sealed(10, theirs.private_key, 1500), DENIED);
	assert_int_equal(sealed_open(path, S("abc"), 1500, &sealed, NULL), INVALID);
	assert_int_equal(sealed_create(path, str_from(ours.public_key), 1, 2, &sealed, NULL), CONFLICT);
	unlink(path);
	assert_int_equal(sealed_create(path, S("not a key"), 1, 2, &sealed, NULL), INVALID);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sealed_open(path, str_from(ours.private_key), 1500, &sealed, NULL), NOT_FOUND);
}

static void
flip(long at)
{
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	const int byte = fgetc(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	fputc(byte ^ 1, file);
	fclose(file);
}

static void
altered(void **state)
{
	const size_t size = SEALED_CHUNK + 500;
	struct stat status;

	(void)state;
	write_sealed(size, 1000, 2000);
	assert_int_equal(stat(path, &status), 0);
	/* Every byte of the head, and bytes all over the rest, the times among them: nobody may give a backup a longer life. */
	for (long at = 0; at < status.st_size; at += at < 400 ? 1 : 997) {
		flip(at);
		assert_int_not_equal(read_sealed(size, ours.private_key, 1500), OK);
		flip(at);
	}
	assert_int_equal(read_sealed(size, ours.private_key, 1500), OK);
	flip(status.st_size - 1);
	assert_int_not_equal(read_sealed(size, ours.private_key, 1500), OK);
}

static void
cut(void **state)
{
	const size_t size = 2 * SEALED_CHUNK;
	struct stat status;

	(void)state;
	write_sealed(size, 1000, 2000);
	assert_int_equal(stat(path, &status), 0);
	for (long length = status.st_size - 1; length > 0; length -= length > 300 ? 5003 : 1) {
		write_sealed(size, 1000, 2000);
		assert_int_equal(truncate(path, length), 0);
		assert_int_not_equal(read_sealed(size, ours.private_key, 1500), OK);
	}
}

static void
broken_off(void **state)
{
	struct sealed *sealed;

	(void)state;
	unlink(path);
	assert_int_equal(sealed_create(path, str_from(ours.public_key), 1, 2, &sealed, NULL), OK);
	assert_int_equal(sealed_write(sealed, "half", 4, NULL), OK);
	assert_int_equal(sealed_close(sealed, false, NULL), OK);
	assert_int_equal(access(path, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(expires), cmocka_unit_test(other_key),
		cmocka_unit_test(altered),    cmocka_unit_test(cut),     cmocka_unit_test(broken_off),
	};

	return cmocka_run_group_tests_name("sealed", tests, set_up, tear_down);
}
