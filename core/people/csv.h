/* Reading of CSV files (RFC 4180) a record at a time, in constant memory. For imports. */
#ifndef CHANCERY_CORE_PEOPLE_CSV_H
#define CHANCERY_CORE_PEOPLE_CSV_H

#include "base/base.h"

#define CSV_COLUMNS_MAX 200
#define CSV_RECORD_MAX (1024 * 1024) /* bytes */

struct csv {
	int file;               /* descriptor, the caller's */
	char separator;         /* what the first record uses: ',' ';' or a tab */
	int64_t line;           /* where the last record began, from 1 */
	int64_t next_line;
	struct buf record;      /* the fields of the last record, one after the other */
	size_t ends[CSV_COLUMNS_MAX];
	struct str columns[CSV_COLUMNS_MAX];
	size_t column_count;
	bool ended;
	int failed;             /* errno of a reading that failed */
	size_t at, size;        /* in the chunk */
	char chunk[65536];
};
/* Begins with a descriptor open for reading. `csv` is large: keep it off the stack of a thread. Release with csv_release. */
void csv_init(struct csv *csv, int file);
void csv_release(struct csv *csv);
/* The next record into csv->columns (valid until the next call), trimmed of nothing; empty lines are skipped. UTF-8, with or without a byte
 * order mark. NOT_FOUND at the end. INVALID for a record that cannot be read, with a detail that says what and why ("is not UTF-8; save the
 * file as UTF-8"): the next call goes on behind its line. CONFLICT: the file as a whole is of another kind (UTF-16, no text). FAILED: reading failed. */
enum rc csv_next(struct csv *csv, struct err *err);
/* Which column of the first record (read already) is called `name` (case and blanks around do not matter), or -1. */
int csv_find_column(const struct csv *csv, const char *name);

#endif
