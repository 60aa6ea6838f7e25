/* Imports: lines are checked outside of transactions, written in short ones, and seen all together or not at all. */
#include <stdlib.h>

#include "base/base.h"
#include "core/people/people.h"
#include "core/people/csv.h"
#include "kernel/ledger/ledger.h"

#include "people_sql.h"

#define STEP_ROWS 1000                    /* lines of one transaction at most ... */
#define STEP_TIME (CLOCK_SECOND / 50)    /* ... and about 20 ms of it: the next step takes fewer if it took longer */
#define STEP_LEAST 16
#define DISCARD_ROWS 500
#define COLUMNS_MAX 32

struct import_row {
	int64_t line;
	void *row;
};

struct import {
	struct house *house;
	const struct import_kind *kind;
	void *context;
	struct import_options options;
	struct arena arena;              /* of a step */
	struct import_row rows[STEP_ROWS];
	size_t row_count, step;
	struct str *errors;              /* of the rows of a step, by row; STR_NONE: written */
	int64_t batch_id;
	char batch_public_id[64];
	int64_t lines, wrong, now;
	int64_t took;                    /* microseconds of the last step's work within its transaction */
};

/* --- batches ---------------------------------------------------------------------------------------------------- */

static struct import_batch batch_from_row(const struct batch_row *row)
{
	return (struct import_batch){
		.id = row->id,
		.public_id = row->public_id,
		.kind = row->kind,
		.file_name = row->file_name,
		.operator = row->operator,
		.contacts_confirmed = row->contacts_confirmed != 0,
		.state = (enum import_state)row->state,
		.lines = row->lines,
		.created_at = row->created_at,
		.visible_at = row->visible_at,
		.taken_back_at = row->taken_back_at,
	};
}

enum rc import_batch_list(struct db_tx *tx, struct arena *arena, size_t most, struct import_batch **list_out, size_t *count_out, struct err *err)
{
	struct batch_row *rows;
	size_t count;

	enum rc rc = batch_rows(tx, arena, &(struct batch_rows_args){ .most = (int64_t)most }, &rows, &count, err);
	if (rc != OK)
		return rc;
	struct import_batch *list = ARENA_NEW_ARRAY(arena, struct import_batch, count);
	for (size_t i = 0; i < count; i++)
		list[i] = batch_from_row(&rows[i]);
	*list_out = list;
	*count_out = count;
	return OK;
}

enum rc import_batch_find(struct db_tx *tx, struct arena *arena, struct str public_id, struct import_batch *out, struct err *err)
{
	struct batch_row row;

	enum rc rc = batch_row_find(tx, arena, &(struct batch_row_find_args){ .public_id = public_id }, &row, err);
	if (rc == OK)
		*out = batch_from_row(&row);
	return rc;
}

enum rc import_batch_hide(struct db_tx *tx, const struct import_batch *batch, int64_t now, struct err *err)
{
	struct arena arena;
	int64_t changed = 0;

	arena_init(&arena);
	enum rc rc = batch_put_taken_back(tx, &(struct batch_put_taken_back_args){ .taken_back_at = now, .batch_id = batch->id }, &changed, err);
	if (rc == OK && !changed)
		rc = CONFLICT;
	if (rc == OK && batch->state == IMPORT_VISIBLE)
		rc = db_change_append(tx, S("batch"), batch->id, err);
	if (rc == OK)
		rc = ledger_append(tx, -1, "batch.take_back", str_format(&arena, "batch:%.*s", STR_ARG(batch->public_id)), S("{}"), now, err);
	arena_release(&arena);
	return rc;
}

/* --- one import ------------------------------------------------------------------------------------------------- */

static enum rc begin_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct import *import = context;
	const struct batch_insert_args args = {
		.public_id = rand_id(&import->arena),
		.kind = str_from(import->kind->name),
		.file_name = import->options.file_name,
		.operator = import->options.operator,
		.contacts_confirmed = import->options.contacts_confirmed,
		.created_at = import->now,
	};
	struct batch_insert_row row;

	enum rc rc = batch_insert(tx, &import->arena, &args, &row, err);
	if (rc != OK)
		return rc;
	import->batch_id = row.id;
	memcpy(import->batch_public_id, args.public_id.ptr, args.public_id.len + 1);
	return OK;
}

enum rc import_begin(struct house *house, const struct import_kind *kind, void *context, const struct import_options *options,
                     struct import **import_out, struct err *err)
{
	struct import *import = calloc(1, sizeof *import);

	if (!import)
		return err_set(err, FAILED, "no memory for an import");
	import->house = house;
	import->kind = kind;
	import->context = context;
	import->options = *options;
	import->step = STEP_ROWS;
	import->now = clock_now();
	arena_init(&import->arena);
	enum rc rc = db_write(house->db, DB_LANE_BULK, begin_in_store, import, err);
	arena_clear(&import->arena);
	if (rc != OK) {
		arena_release(&import->arena);
		free(import);
		return rc;
	}
	*import_out = import;
	return OK;
}

/* What is wrong with a line, in English: the rules by field, or the detail. */
static struct str error_text(struct arena *arena, enum rc rc, const struct err *err)
{
	struct buf text;

	buf_init(&text);
	for (const struct err_field *field = err->fields; field; field = field->next)
		buf_format(&text, "%s%.*s: %.*s", text.len ? "; " : "", STR_ARG(field->field),
		           STR_ARG(err_field_text(arena, LANGUAGE_EN, field)));
	if (!text.len)
		buf_format(&text, "%.*s", STR_ARG(err->detail));
	if (!text.len)
		buf_format(&text, "%s", rc_name(rc));
	struct str copy = str_copy(arena, buf_str(&text));
	buf_release(&text);
	return copy;
}

void import_wrong(struct import *import, int64_t line, struct str text)
{
	import->wrong++;
	if (import->options.wrong)
		import->options.wrong(import->options.context, line, text);
}

static bool is_of_the_line(enum rc rc)
{
	return rc == INVALID || rc == NOT_FOUND || rc == CONFLICT;
}

static enum rc write_step(struct db_tx *tx, void *context, struct err *err)
{
	struct import *import = context;
	const int64_t began = clock_monotonic();

	if (import->kind->begin)
		import->kind->begin(import->context);
	for (size_t i = 0; i < import->row_count; i++) {
		struct err own;
		err_init(&own, &import->arena);
		import->errors[i] = STR_NONE;
		enum rc rc = import->kind->write(tx, import->context, &import->arena, import->batch_id, import->rows[i].row, import->now, &own);
		if (is_of_the_line(rc))
			import->errors[i] = error_text(&import->arena, rc, &own);
		else if (rc != OK)
			return err_set(err, rc, "line %lld: %.*s", (long long)import->rows[i].line, STR_ARG(own.detail));
	}
	import->took = clock_monotonic() - began;
	return OK;
}

static enum rc flush(struct import *import, struct err *err)
{
	if (!import->row_count)
		return OK;
	import->errors = ARENA_NEW_ARRAY(&import->arena, struct str, import->row_count);
	enum rc rc = db_write(import->house->db, DB_LANE_BULK, write_step, import, err);
	for (size_t i = 0; rc == OK && i < import->row_count; i++)
		if (!str_is_none(import->errors[i]))
			import_wrong(import, import->rows[i].line, import->errors[i]);
	import->row_count = 0;
	arena_clear(&import->arena);
	/* A store that is slow gets shorter steps, so that nobody waits behind one. */
	if (import->took > 2 * STEP_TIME && import->step > STEP_LEAST)
		import->step /= 2;
	else if (import->took < STEP_TIME && import->step < STEP_ROWS)
		import->step += STEP_LEAST;
	if (import->step > STEP_ROWS)
		import->step = STEP_ROWS;
	if (rc == OK && import->options.progress)
		import->options.progress(import->options.context, import->lines, import->wrong);
	return rc;
}

enum rc import_add(struct import *import, int64_t line, const struct str *values, struct err *err)
{
	void *row = arena_alloc(&import->arena, import->kind->row_size);
	struct err own;

	import->lines++;
	err_init(&own, &import->arena);
	enum rc rc = import->kind->read(import->context, &import->arena, values, row, &own);
	if (is_of_the_line(rc)) {
		import_wrong(import, line, error_text(&import->arena, rc, &own));
		return OK;
	}
	if (rc != OK)
		return err_set(err, rc, "line %lld: %.*s", (long long)line, STR_ARG(own.detail));
	import->rows[import->row_count++] = (struct import_row){ line, row };
	return import->row_count >= import->step ? flush(import, err) : OK;
}

static enum rc show_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct import *import = context;
	struct arena *arena = &import->arena;
	const struct batch_put_visible_args args = { .visible_at = clock_now(), .lines = import->lines, .batch_id = import->batch_id };
	const struct str detail = str_format(arena, "{\"lines\":%lld,\"wrong\":%lld,\"contacts_confirmed\":%s}", (long long)import->lines,
	                                     (long long)import->wrong, import->options.contacts_confirmed ? "true" : "false");
	int64_t changed = 0;

	enum rc rc = batch_put_visible(tx, &args, &changed, err);
	if (rc == OK && !changed)
		return err_set(err, CONFLICT, "the batch was taken back while it was read");
	if (rc == OK)
		rc = db_change_append(tx, S("batch"), import->batch_id, err);
	return rc == OK ? ledger_append(tx, -1, str_format(arena, "import.%s", import->kind->name).ptr,
	                                str_format(arena, "batch:%s", import->batch_public_id), detail, clock_now(), err)
	                : rc;
}

struct discard_work {
	struct import *import;
	int64_t removed;
};

static enum rc hide_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct import *import = context;
	const struct batch_put_taken_back_args args = { .taken_back_at = clock_now(), .batch_id = import->batch_id };
	return batch_put_taken_back(tx, &args, NULL, err);
}

static enum rc discard_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct discard_work *work = context;
	return work->import->kind->discard(tx, work->import->batch_id, DISCARD_ROWS, &work->removed, err);
}

/* Removes what was staged, in steps. What a crash leaves staged is invisible, and `import_batch_hide` gets at it later. */
static enum rc discard(struct import *import, struct err *err)
{
	struct discard_work work = { .import = import };

	enum rc rc = db_write(import->house->db, DB_LANE_BULK, hide_in_store, import, err);
	do {
		if (rc == OK)
			rc = db_write(import->house->db, DB_LANE_BULK, discard_in_store, &work, err);
	} while (rc == OK && work.removed > 0);
	return rc;
}

enum rc import_end(struct import *import, struct arena *arena, enum rc failed, struct import_result *result, struct err *err)
{
	enum rc rc = failed == OK ? flush(import, err) : failed;
	const bool show = rc == OK && (!import->wrong || (import->options.keep_good && import->wrong < import->lines));

	if (show)
		rc = db_write(import->house->db, DB_LANE_BULK, show_in_store, import, err);
	*result = (struct import_result){
		.batch = str_copy(arena, str_from(import->batch_public_id)),
		.lines = import->lines,
		.wrong = import->wrong,
		.visible = show && rc == OK,
	};
	if (!result->visible) {
		struct err own;
		err_init(&own, arena);
		enum rc undone = discard(import, &own);
		if (rc == OK)
			rc = undone == OK ? INVALID : err_set(err, undone, "%.*s", STR_ARG(own.detail));
	}
	arena_release(&import->arena);
	free(import);
	return rc;
}

/* --- CSV -------------------------------------------------------------------------------------------------------- */

static enum rc map_columns(struct csv *csv, const struct import_kind *kind, int *places, struct err *err)
{
	for (size_t i = 0; i < kind->column_count; i++) {
		places[i] = csv_find_column(csv, kind->columns[i]);
		if (places[i] < 0 && i < kind->required)
			return err_set(err, INVALID, "line %lld: there is no column '%s'", (long long)csv->line, kind->columns[i]);
	}
	for (size_t i = 0; i < csv->column_count; i++) {
		bool known = false;
		for (size_t j = 0; j < kind->column_count; j++)
			known = known || places[j] == (int)i;
		/* Twice the same, or misspelt: either way something would be lost without a word. */
		if (!known)
			return err_set(err, INVALID, "line %lld: nobody knows the column '%.*s'", (long long)csv->line,
			               (int)(csv->columns[i].len < 40 ? csv->columns[i].len : 40), csv->columns[i].ptr);
	}
	return OK;
}

static enum rc add_records(struct csv *csv, struct import *import, const int *places, size_t columns, struct err *err)
{
	struct str values[COLUMNS_MAX];
	struct arena scratch;
	enum rc rc = OK;

	arena_init(&scratch);
	while (rc == OK) {
		struct err own;
		arena_clear(&scratch);
		err_init(&own, &scratch);
		const enum rc next = csv_next(csv, &own);
		if (next == INVALID) {
			import->lines++;
			import_wrong(import, csv->line, own.detail);
		} else if (next == OK && csv->column_count > columns) {
			import->lines++;
			import_wrong(import, csv->line, S("has more columns than the first line"));
		} else if (next == OK) {
			for (size_t i = 0; i < import->kind->column_count; i++)
				values[i] = places[i] >= 0 && (size_t)places[i] < csv->column_count ? str_trim(csv->columns[places[i]]) : STR_NONE;
			rc = import_add(import, csv->line, values, err);
		} else {
			rc = next == NOT_FOUND ? NOT_FOUND : err_set(err, next, "%.*s", STR_ARG(own.detail));
		}
	}
	arena_release(&scratch);
	return rc == NOT_FOUND ? OK : rc;
}

static enum rc import_csv(struct house *house, struct arena *arena, struct csv *csv, const struct import_kind *kind, void *context,
                          const struct import_options *options, struct import_result *result, struct err *err)
{
	int places[COLUMNS_MAX];
	struct import *import;

	enum rc rc = csv_next(csv, err);
	if (rc == NOT_FOUND)
		return err_set(err, INVALID, "the file is empty");
	if (rc == CONFLICT || rc == INVALID)
		return err_set(err, INVALID, "line 1: %.*s", STR_ARG(err->detail));
	if (rc == OK)
		rc = map_columns(csv, kind, places, err);
	const size_t columns = csv->column_count;
	if (rc == OK)
		rc = import_begin(house, kind, context, options, &import, err);
	if (rc != OK)
		return rc;
	rc = add_records(csv, import, places, columns, err);
	return import_end(import, arena, rc, result, err);
}

enum rc import_lines(struct house *house, struct arena *arena, int file, const struct import_kind *kind, void *context,
                     const struct import_options *options, struct import_result *result, struct err *err)
{
	struct csv *csv = malloc(sizeof *csv);

	*result = (struct import_result){ .batch = STR_NONE };
	if (!csv)
		return err_set(err, FAILED, "no memory for an import");
	csv_init(csv, file);
	enum rc rc = import_csv(house, arena, csv, kind, context, options, result, err);
	csv_release(csv);
	free(csv);
	return rc;
}
