/* Runs a fuzz target over files and folders of files, where libFuzzer is not linked in.
 * Fails if there is nothing to run: a target without seeds is a mistake. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base.h"

#define DEPTH_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(1);
}

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char part[65536];
	size_t got;
	struct buf content;
	if (!file)
		fail(path, strerror(errno));
	buf_init(&content);
	while ((got = fread(part, 1, sizeof part, file)) > 0)
		buf_add(&content, part, got);
	if (ferror(file))
		fail(path, "cannot be read");
	fclose(file);
	/* A block of exactly this size, so that AddressSanitizer sees a read behind its end. */
	uint8_t *data = malloc(content.len ? content.len : 1);
	if (!data)
		fail(path, "out of memory");
	if (content.len)
		memcpy(data, content.ptr, content.len);
	LLVMFuzzerTestOneInput(data, content.len);
	free(data);
	buf_release(&content);
}

static size_t replay(struct arena *arena, const char *path, int depth)
{
	struct stat status;
	if (stat(path, &status) != 0)
		fail(path, strerror(errno));
	if (!S_ISDIR(status.st_mode)) {
		replay_file(path);
		return 1;
	}
	if (depth == DEPTH_MAX)
		fail(path, "folders are nested too deep");
	size_t count = 0;
	struct dirent *entry;
	DIR *folder = opendir(path);
	if (!folder)
		fail(path, strerror(errno));
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			count += replay(arena, str_format(arena, "%s/%s", path, entry->d_name).ptr, depth + 1);
	closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	struct arena arena;
	size_t count = 0;
	arena_init(&arena);
	for (int i = 1; i < argc; i++)
		count += replay(&arena, argv[i], 0);
	arena_release(&arena);
	printf("%zu inputs\n", count);
	return count ? 0 : 1;
}
