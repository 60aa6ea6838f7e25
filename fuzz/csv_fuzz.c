/* CSV: whatever comes, records or refusals, within the limits, and an end. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/people/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv *csv = malloc(sizeof *csv);
	int file = memfd_create("csv", MFD_CLOEXEC);
	enum rc rc = OK;
	int64_t line = 0;
	size_t records = 0;

	if (!csv || file < 0 || write(file, data, size) != (ssize_t)size || lseek(file, 0, SEEK_SET) != 0)
		abort();
	csv_init(csv, file);
	while (rc == OK || rc == INVALID) {
		struct arena arena;
		struct err err;
		arena_init(&arena);
		err_init(&err, &arena);
		rc = csv_next(csv, &err);
		if (rc == OK) {
			size_t bytes = 0;
			for (size_t i = 0; i < csv->column_count; i++) {
				if (!utf8_valid(csv->columns[i]))
					abort();
				bytes += csv->columns[i].len;
			}
			if (bytes > CSV_RECORD_MAX || csv->column_count == 0 || csv->column_count > CSV_COLUMNS_MAX || csv->line <= line)
				abort();
			csv_find_column(csv, "name");
		} else if (!err.detail.len && rc != NOT_FOUND) {
			abort();
		}
		line = csv->line;
		arena_release(&arena);
		if (++records > size + 2)
			abort();
	}
	csv_release(csv);
	close(file);
	free(csv);
	return 0;
}
