/* Running statements: args structs to values, rows to row structs. */
#include <math.h>
#include <pthread.h>

#include "kernel/db/db_internal.h"

#define BATCH_VALUES_MAX 4096 /* values handed to the driver at once */

static pthread_mutex_t slot_lock = PTHREAD_MUTEX_INITIALIZER; /* guards slot_last and the first setting of a slot */
static int slot_last;

static int find_slot(const struct db_statement *statement)
{
	int slot = *statement->slot;
	if (slot != 0)
		return slot;
	pthread_mutex_lock(&slot_lock);
	slot = *statement->slot;
	if (slot == 0) {
		slot = ++slot_last;
		*statement->slot = slot;
	}
	pthread_mutex_unlock(&slot_lock);
	return slot;
}

/* What one store refuses in a text the other must refuse too. */
static enum rc check_text(const struct db_statement *statement, const struct db_column *parameter, struct str text,
                          struct err *err)
{
	if (text.len > INT32_MAX / 4)
		return err_set(err, INVALID, "%s: %s is too long", statement->name, parameter->name);
	if (parameter->type != DB_TEXT || str_is_empty(text))
		return OK;
	if (memchr(text.ptr, 0, text.len))
		return err_set(err, INVALID, "%s: %s holds a NUL character", statement->name, parameter->name);
	if (!utf8_valid(text))
		return err_set(err, INVALID, "%s: %s is not UTF-8", statement->name, parameter->name);
	return OK;
}

static enum rc fill_values(const struct db_statement *statement, const void *args, struct db_value *values,
                           struct err *err)
{
	for (int i = 0; i < statement->parameter_count; i++) {
		const struct db_column *parameter = &statement->parameters[i];
		const char *at = (const char *)args + parameter->offset;
		values[i].type = parameter->type;
		if (parameter->type == DB_INT) {
			memcpy(&values[i].integer, at, sizeof(int64_t));
		} else if (parameter->type == DB_REAL) {
			memcpy(&values[i].real, at, sizeof(double));
		} else {
			memcpy(&values[i].text, at, sizeof(struct str));
			enum rc rc = check_text(statement, parameter, values[i].text, err);
			if (rc != OK)
				return rc;
		}
	}
	return OK;
}

static void fill_row(const struct db_statement *statement, const struct db_value *values, struct arena *arena, void *row)
{
	for (int i = 0; i < statement->column_count; i++) {
		const struct db_column *column = &statement->columns[i];
		char *at = (char *)row + column->offset;
		if (column->type == DB_INT) {
			memcpy(at, &values[i].integer, sizeof(int64_t));
		} else if (column->type == DB_REAL) {
			memcpy(at, &values[i].real, sizeof(double));
		} else {
			struct str text = arena ? str_copy(arena, values[i].text) : values[i].text;
			memcpy(at, &text, sizeof text);
		}
	}
}

static enum rc may_run(struct db_tx *tx, const struct db_statement *statement, struct err *err)
{
	if (tx->streaming)
		return err_set(err, FAILED, "%s: runs inside another statement's rows", statement->name);
	if (tx->spoilt != OK)
		return err_set(err, FAILED, "%s: an earlier statement of the transaction failed", statement->name);
	if (statement->writes && tx->use == DB_READ)
		return err_set(err, FAILED, "%s: writes in a reading transaction", statement->name);
	return OK;
}

static enum rc spoil(struct db_tx *tx, enum rc rc)
{
	if (tx->spoilt == OK)
		tx->spoilt = rc;
	return rc;
}

/* Between the driver and the receiver of rows, to tell whose code ended it. */
struct row_call {
	db_row row;
	void *context;
	enum rc stopped;
};

static enum rc call_row(void *context, const struct db_value *values)
{
	struct row_call *call = context;
	call->stopped = call->row(call->context, values);
	return call->stopped;
}

static enum rc run(struct db_tx *tx, const struct db_statement *statement, const void *args, db_row row, void *context,
                   int64_t *changed, struct err *err)
{
	enum rc rc = may_run(tx, statement, err);
	if (rc != OK)
		return rc;
	struct db_value values[DB_PARAMETERS_MAX];
	rc = fill_values(statement, args, values, err);
	if (rc != OK)
		return spoil(tx, rc);
	struct row_call call = { row, context, OK };
	int64_t count = 0;
	tx->streaming = statement->kind == DB_KIND_EACH;
	rc = tx->db->driver->run(tx->connection, statement, find_slot(statement), values, row ? call_row : NULL, &call, &count,
	                         err);
	tx->streaming = false;
	if (rc != OK)
		return call.stopped != OK ? rc : spoil(tx, rc);
	if (changed)
		*changed = count;
	return OK;
}

enum rc db_exec(struct db_tx *tx, const struct db_statement *statement, const void *args, int64_t *changed,
                struct err *err)
{
	return run(tx, statement, args, NULL, NULL, changed, err);
}

enum rc db_batch(struct db_tx *tx, const struct db_statement *statement, const void *args, size_t count,
                 int64_t *changed, struct err *err)
{
	enum rc rc = may_run(tx, statement, err);
	if (rc != OK)
		return rc;
	size_t width = (size_t)statement->parameter_count, most = BATCH_VALUES_MAX / width;
	struct arena arena;
	arena_init(&arena);
	struct db_value *values = ARENA_NEW_ARRAY(&arena, struct db_value, (count < most ? count : most) * width + 1);
	int64_t total = 0;
	for (size_t done = 0; rc == OK && done < count;) {
		size_t part = count - done < most ? count - done : most;
		for (size_t i = 0; rc == OK && i < part; i++)
			rc = fill_values(statement, (const char *)args + (done + i) * statement->args_size, &values[i * width], err);
		int64_t written = 0;
		if (rc == OK)
			rc = tx->db->driver->batch(tx->connection, statement, find_slot(statement), values, part, &written, err);
		done += part;
		total += written;
	}
	arena_release(&arena);
	if (rc != OK)
		return spoil(tx, rc);
	if (changed)
		*changed = total;
	return OK;
}

struct one_call {
	const struct db_statement *statement;
	struct arena *arena;
	char *row;
	bool found;
	struct err *err;
};

static enum rc take_one(void *context, const struct db_value *values)
{
	struct one_call *call = context;
	if (call->found)
		return err_set(call->err, FAILED, "%s: more than one row", call->statement->name);
	call->found = true;
	fill_row(call->statement, values, call->arena, call->row);
	return OK;
}

enum rc db_one(struct db_tx *tx, const struct db_statement *statement, const void *args, struct arena *arena, void *row,
               struct err *err)
{
	/* Filled aside, so that *row stays as it was if anything fails after the first row. */
	_Alignas(max_align_t) char space[DB_COLUMNS_MAX * sizeof(struct str)];
	struct one_call call = { statement, arena, space, false, err };
	enum rc rc = run(tx, statement, args, take_one, &call, NULL, err);
	if (rc != OK)
		return rc;
	if (!call.found)
		return err_set(err, NOT_FOUND, "%s: no such row", statement->name);
	memcpy(row, space, statement->row_size);
	return OK;
}

struct many_call {
	const struct db_statement *statement;
	struct arena *arena;
	char *rows;
	size_t count, capacity;
	struct err *err;
};

static enum rc take_many(void *context, const struct db_value *values)
{
	struct many_call *call = context;
	size_t size = call->statement->row_size;
	if (call->count == DB_ROWS_MAX)
		return err_set(call->err, FAILED, "%s: more than %d rows", call->statement->name, DB_ROWS_MAX);
	if (call->count == call->capacity)
		call->rows = arena_grow(call->arena, call->rows, call->count, &call->capacity, size);
	fill_row(call->statement, values, call->arena, call->rows + call->count * size);
	call->count++;
	return OK;
}

enum rc db_many(struct db_tx *tx, const struct db_statement *statement, const void *args, struct arena *arena,
                void **rows, size_t *count, struct err *err)
{
	struct many_call call = { .statement = statement, .arena = arena, .err = err };
	enum rc rc = run(tx, statement, args, take_many, &call, NULL, err);
	if (rc != OK)
		return rc;
	*rows = call.rows;
	*count = call.count;
	return OK;
}

struct each_call {
	const struct db_statement *statement;
	void *row;
	enum rc (*each)(void *context, const void *row);
	void *context;
};

static enum rc take_each(void *context, const struct db_value *values)
{
	struct each_call *call = context;
	fill_row(call->statement, values, NULL, call->row);
	return call->each(call->context, call->row);
}

enum rc db_each(struct db_tx *tx, const struct db_statement *statement, const void *args, void *row,
                enum rc (*each)(void *context, const void *row), void *context, struct err *err)
{
	struct each_call call = { statement, row, each, context };
	return run(tx, statement, args, take_each, &call, NULL, err);
}

void db_statements_each(void (*visit)(void *context, const struct db_statement *statement), void *context)
{
	for (size_t room = 0; room < db_room_count; room++)
		for (size_t i = 0; i < *db_rooms[room].statement_count; i++)
			visit(context, db_rooms[room].statements[i]);
}

static enum rc check_all(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	for (size_t room = 0; room < db_room_count; room++) {
		for (size_t i = 0; i < *db_rooms[room].statement_count; i++) {
			const struct db_statement *statement = db_rooms[room].statements[i];
			enum rc rc = tx->db->driver->check(tx->connection, statement, find_slot(statement), err);
			if (rc != OK)
				return rc;
		}
	}
	return OK;
}

enum rc db_check_statements(struct db *db, struct err *err)
{
	return db_read(db, check_all, NULL, err);
}
