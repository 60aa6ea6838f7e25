/* `chancery backup`, `restore` and `keygen`: an online copy, sealed to the operator's public key, proven before it replaces anything. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/sealed.h"
#include "cmd/server.h"

#define BACKUP_KEEP_DAYS 35 /* how long a backup may be opened, unless told otherwise */
#define BACKUP_KEEP_DAYS_MOST 3650
#define NAME_SIZE 32
#define ENTRY_SIZE (NAME_SIZE + 8) /* a name padded with NULs, a size */

extern char **environ;

/* --- the content: entries of name, size and bytes ---------------------------------------------------------- */

static enum rc
entry_add(struct sealed *sealed, const char *name, const char *path, struct err *err)
{
	uint8_t head[ENTRY_SIZE] = { 0 }, bytes[SEALED_CHUNK];
	struct stat status;
	enum rc rc = OK;

	FILE *file = fopen(path, "rbe");
	if (!file || fstat(fileno(file), &status) != 0) {
		rc = err_set(err, FAILED, "%s: %s", path, strerror(errno));
		if (file)
			fclose(file);
		return rc;
	}
	memcpy(head, name, strlen(name));
	for (int i = 0; i < 8; i++)
		head[NAME_SIZE + i] = (uint8_t)((uint64_t)status.st_size >> (56 - 8 * i));
	rc = sealed_write(sealed, head, sizeof head, err);
	int64_t left = status.st_size;
	while (rc == OK && left > 0) {
		const size_t got = fread(bytes, 1, left < (int64_t)sizeof bytes ? (size_t)left : sizeof bytes, file);
		if (!got)
			rc = err_set(err, FAILED, "%s became shorter while it was read", path);
		else
			rc = sealed_write(sealed, bytes, got, err);
		left -= (int64_t)got;
	}
	fclose(file);
	return rc;
}

static enum rc
entry_take(struct sealed *sealed, const char *name, const char *path, struct err *err)
{
	uint8_t head[ENTRY_SIZE], bytes[SEALED_CHUNK];
	uint64_t size = 0;

	enum rc rc = sealed_read(sealed, head, sizeof head, err);
	if (rc != OK)
		return rc;
	if (strncmp((const char *)head, name, NAME_SIZE) != 0)
		return err_set(err, INVALID, "the backup holds no %s: it is one of another kind of store", name);
	for (int i = 0; i < 8; i++)
		size = size << 8 | head[NAME_SIZE + i];
	const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		return err_set(err, FAILED, "%s: %s", path, strerror(errno));
	while (rc == OK && size) {
		const size_t part = size < sizeof bytes ? (size_t)size : sizeof bytes;
		rc = sealed_read(sealed, bytes, part, err);
		if (rc == OK && write(file, bytes, part) != (ssize_t)part)
			rc = err_set(err, FAILED, "%s: %s", path, strerror(errno));
		size -= part;
	}
	if (rc == OK && fsync(file) != 0)
		rc = err_set(err, FAILED, "%s: %s", path, strerror(errno));
	close(file);
	return rc;
}

/* Runs a program without a shell; FAILED with its status. */
static enum rc
run(char *const arguments[], struct err *err)
{
	pid_t child;
	int status = 0;

	const int code = posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ);
	if (code != 0)
		return err_set(err, FAILED, "%s: %s", arguments[0], strerror(code));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? OK : err_set(err, FAILED, "%s ended with status %d", arguments[0], status);
}

static bool
is_postgresql(const char *url)
{
	return url && strncmp(url, "postgres", 8) == 0;
}

/* --- backup ----------------------------------------------------------------------------------------------- */

static enum rc
backup_write(const struct command_line *line, struct house *house, struct arena *arena, const char *path, struct str key, int64_t days, struct err *err)
{
	const bool dump = is_postgresql(line->db_url);
	/* In the clear for a while: so it stays in the data folder, where the store itself is, and not where backups go. */
	const char *copy = str_format(arena, "%s/backup.copying", line->data_folder).ptr;
	const char *secret = str_format(arena, "%s/secret.key", line->data_folder).ptr;
	const int64_t now = clock_now();
	struct sealed *sealed = NULL;
	int lock = -1;

	enum rc rc = folder_lock(line->data_folder, "backup", true, "another backup is being made", &lock, err);
	if (rc == OK)
		rc = sealed_create(path, key, now, now + days * CLOCK_DAY, &sealed, err);
	if (rc != OK) {
		if (lock >= 0)
			close(lock);
		return rc;
	}
	unlink(copy); /* of a backup that was broken off */
	if (dump) {
		char *const arguments[] = { "pg_dump", "--format=custom", "--no-owner", "--file", (char *)(uintptr_t)copy, (char *)(uintptr_t)line->db_url, NULL };
		const mode_t mask = umask(0077);
		rc = run(arguments, err);
		umask(mask);
	} else {
		rc = db_copy(house->db, copy, err);
	}
	if (rc == OK)
		rc = entry_add(sealed, "secret.key", secret, err);
	if (rc == OK)
		rc = entry_add(sealed, dump ? "chancery.pgdump" : "chancery.db", copy, err);
	unlink(copy);
	enum rc closed = sealed_close(sealed, rc == OK, err);
	close(lock);
	return rc == OK ? closed : rc;
}

int
command_backup(struct command_line *line)
{
	static const struct option options[] = { { "to", required_argument, NULL, 't' }, { "keep-days", required_argument, NULL, 'k' }, { NULL, 0, NULL, 0 } };
	struct str key = STR_NONE;
	int64_t days = BACKUP_KEEP_DAYS;
	struct arena arena;
	struct err err;
	int option;

	optind = 0;
	while ((option = getopt_long(line->argc, line->argv, "", options, NULL)) != -1) {
		if (option == 't')
			key = str_from(optarg);
		else if (option != 'k' || !str_to_int(str_from(optarg), &days) || days < 1 || days > BACKUP_KEEP_DAYS_MOST)
			return command_usage(line, "--keep-days is 1 to 3650");
	}
	if (optind + 1 != line->argc || str_is_none(key))
		return command_usage(line, "name the file and, with --to, the public key");
	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	const int status = command_fail(backup_write(line, house, &arena, line->argv[optind], key, days, &err), &err);
	command_house_close(house);
	arena_release(&arena);
	return status;
}

/* --- restore ---------------------------------------------------------------------------------------------- */

/* Takes everything out beside its place first; only when the file was read to its sealed end does it take the place. */
static enum rc
restore_read(const struct command_line *line, struct arena *arena, struct sealed *sealed, bool replace, struct err *err)
{
	const bool dump = is_postgresql(line->db_url);
	const char *key = str_format(arena, "%s/secret.key", line->data_folder).ptr;
	const char *data = line->db_url && !dump ? line->db_url + strlen("sqlite:") : str_format(arena, "%s/chancery.db", line->data_folder).ptr;
	const char *new_key = str_format(arena, "%s.restoring", key).ptr;
	const char *new_data = str_format(arena, "%s.restoring", data).ptr;

	if (!replace && !dump && access(data, F_OK) == 0)
		return err_set(err, CONFLICT, "%s exists; --replace puts the backup in its place", data);
	enum rc rc = entry_take(sealed, "secret.key", new_key, err);
	if (rc == OK)
		rc = entry_take(sealed, dump ? "chancery.pgdump" : "chancery.db", new_data, err);
	if (rc == OK && !sealed_at_end(sealed))
		rc = err_set(err, INVALID, "the backup was cut or altered");
	if (rc == OK && dump) {
		char *const arguments[] = { "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname",
			                    (char *)(uintptr_t)line->db_url, (char *)(uintptr_t)new_data, NULL };
		rc = run(arguments, err);
		unlink(new_data);
	} else if (rc == OK) {
		/* Pages of the old file's journal must never be played into the new one. */
		unlink(str_format(arena, "%s-wal", data).ptr);
		unlink(str_format(arena, "%s-shm", data).ptr);
		if (rename(new_data, data) != 0)
			rc = err_set(err, FAILED, "%s: %s", data, strerror(errno));
	}
	if (rc == OK && rename(new_key, key) != 0)
		rc = err_set(err, FAILED, "%s: %s", key, strerror(errno));
	if (rc != OK) {
		unlink(new_key);
		unlink(new_data);
	}
	return rc;
}

static enum rc
file_text(struct arena *arena, const char *path, struct str *out, struct err *err)
{
	char bytes[256];

	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, NOT_FOUND, "%s: %s", path, strerror(errno));
	const size_t size = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	*out = str_trim(str_copy(arena, (struct str){ bytes, size }));
	sodium_memzero(bytes, sizeof bytes);
	return OK;
}

int
command_restore(struct command_line *line)
{
	static const struct option options[] = { { "key", required_argument, NULL, 'k' }, { "replace", no_argument, NULL, 'r' }, { NULL, 0, NULL, 0 } };
	const char *key_file = NULL;
	bool replace = false;
	struct str key = STR_NONE;
	struct sealed *sealed = NULL;
	struct arena arena;
	struct err err;
	int option, lock = -1;

	optind = 0;
	while ((option = getopt_long(line->argc, line->argv, "", options, NULL)) != -1) {
		if (option == 'k')
			key_file = optarg;
		else if (option == 'r')
			replace = true;
		else
			return command_usage(line, "these options do not fit");
	}
	if (optind + 1 != line->argc || !key_file)
		return command_usage(line, "name the file and, with --key, the file of the private key");
	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = folder_lock(line->data_folder, "server", true, "a server runs on it; stop it first", &lock, &err);
	if (rc == OK)
		rc = file_text(&arena, key_file, &key, &err);
	if (rc == OK)
		rc = sealed_open(line->argv[optind], key, clock_now(), &sealed, &err);
	if (rc == OK) {
		rc = restore_read(line, &arena, sealed, replace, &err);
		if (rc == OK)
			fprintf(stderr, "restored the backup of %.*s\n", STR_ARG(clock_format(&arena, sealed_created(sealed))));
		sealed_close(sealed, rc == OK, NULL);
	}
	if (lock >= 0)
		close(lock);
	const int status = command_fail(rc, &err);
	arena_release(&arena);
	return status;
}

int
command_keygen(struct command_line *line)
{
	uint8_t public[crypto_box_PUBLICKEYBYTES], secret[crypto_box_SECRETKEYBYTES];
	struct arena arena;

	if (line->argc != 2)
		return command_usage(line, "name the file the private key goes to");
	const int file = open(line->argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0) {
		fprintf(stderr, "chancery: %s: %s\n", line->argv[1], strerror(errno));
		return errno == EEXIST ? EXIT_NO : EXIT_FAIL;
	}
	arena_init(&arena);
	crypto_box_keypair(public, secret);
	const struct str text = str_format(&arena, "%.*s\n", STR_ARG(str_hex(&arena, secret, sizeof secret)));
	const bool written = write(file, text.ptr, text.len) == (ssize_t)text.len && fsync(file) == 0;
	close(file);
	if (written)
		printf("%.*s\n", STR_ARG(str_hex(&arena, public, sizeof public)));
	else
		fprintf(stderr, "chancery: %s: %s\n", line->argv[1], strerror(errno));
	sodium_memzero(secret, sizeof secret);
	arena_release(&arena);
	return written ? 0 : EXIT_FAIL;
}
