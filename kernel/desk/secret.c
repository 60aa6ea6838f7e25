/* The key of everything this house signs: DATA/secret.key, 32 random bytes that never leave the folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "kernel/desk/private.h"

static enum rc secret_read(const char *path, uint8_t secret[32], struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? NOT_FOUND : err_set(err, FAILED, "%s: %s", path, strerror(errno));
	struct stat status;
	uint8_t bytes[33];
	ssize_t size = -1;
	bool seen = fstat(fd, &status) == 0;
	if (seen)
		size = read(fd, bytes, sizeof bytes);
	close(fd);
	if (!seen || size < 0)
		return err_set(err, FAILED, "%s: %s", path, strerror(errno));
	if ((status.st_mode & 077) != 0)
		return err_set(err, FAILED, "%s can be read by others than its owner: chmod 600 it", path);
	if (size != 32)
		return err_set(err, FAILED, "%s is not 32 bytes long", path);
	memcpy(secret, bytes, 32);
	sodium_memzero(bytes, sizeof bytes);
	return OK;
}

/* Writes the whole key beside its place and links it in, so that a crash or a second process never leaves half a key
 * or replaces one that is already in use. */
static enum rc secret_make(struct arena *arena, const char *folder, const char *path, struct err *err)
{
	uint8_t bytes[32];
	char *draft = str_c(arena, str_format(arena, "%s/secret.key.%ld.new", folder, (long)getpid()));
	rand_bytes(bytes, sizeof bytes);
	unlink(draft);
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, FAILED, "%s: %s", draft, strerror(errno));
	bool written = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0;
	int problem = errno;
	sodium_memzero(bytes, sizeof bytes);
	close(fd);
	if (written && link(draft, path) != 0 && errno != EEXIST) {
		problem = errno;
		written = false;
	}
	unlink(draft);
	if (!written)
		return err_set(err, FAILED, "%s: %s", path, strerror(problem));
	int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd >= 0) {
		(void)fsync(
			folder_fd); /* some file systems refuse it for folders; the key is then as durable as they are */
		close(folder_fd);
	}
	return OK;
}

enum rc secret_load(struct house *house, struct err *err)
{
	if (!house->data_folder) {
		rand_bytes(house->secret, sizeof house->secret);
		return OK;
	}
	struct arena arena;
	arena_init(&arena);
	char *path = str_c(&arena, str_format(&arena, "%s/secret.key", house->data_folder));
	enum rc rc = secret_read(path, house->secret, err);
	if (rc == NOT_FOUND) {
		rc = secret_make(&arena, house->data_folder, path, err);
		if (rc == OK)
			rc = secret_read(path, house->secret, err);
		if (rc == NOT_FOUND)
			rc = err_set(err, FAILED, "%s vanished while it was made", path);
	}
	arena_release(&arena);
	return rc;
}

void house_mac(const struct house *house, const char *purpose, struct str bytes, uint8_t out[32])
{
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, house->secret, sizeof house->secret);
	/* The purpose with its NUL first, so that no two pairs of purpose and bytes run into the same message. */
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)purpose, strlen(purpose) + 1);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)(bytes.ptr ? bytes.ptr : ""), bytes.len);
	crypto_auth_hmacsha256_final(&state, out);
}
