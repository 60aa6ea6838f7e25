/* The frame of a FeatureCollection: whatever comes, features within the limit or a refusal, and an end. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "desks/travel/features.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct features *features = malloc(sizeof *features);
	int file = memfd_create("features", MFD_CLOEXEC);
	enum rc rc = OK;
	size_t count = 0;

	if (!features || file < 0 || write(file, data, size) != (ssize_t)size || lseek(file, 0, SEEK_SET) != 0)
		abort();
	features_init(features, file);
	while (rc == OK || rc == INVALID) {
		struct arena arena;
		struct err err;
		arena_init(&arena);
		err_init(&err, &arena);
		rc = features_next(features, &err);
		if (rc == OK && (features->text.len < 2 || features->text.len > FEATURE_MAX || features->text.ptr[0] != '{'))
			abort();
		if (rc != OK && rc != NOT_FOUND && !err.detail.len)
			abort();
		arena_release(&arena);
		if (++count > size + 2)
			abort();
	}
	features_release(features);
	close(file);
	free(features);
	return 0;
}
