/* Statements on PostgreSQL: prepared by slot, parameters and results in the binary format. */
#include <endian.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/store/postgres/postgres_internal.h"

#define PIPELINE_ROWS 256 /* sent before their answers are read */

/* Type numbers of PostgreSQL's catalogue pg_type. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_VARCHAR = 1043,
	OID_NUMERIC = 1700,
};

/* --- parameters ------------------------------------------------------------------------------------------------- */

struct parameters {
	const char *values[DB_PARAMETERS_MAX];
	int lengths[DB_PARAMETERS_MAX];
	int formats[DB_PARAMETERS_MAX];
	uint64_t numbers[DB_PARAMETERS_MAX]; /* in network order; values point here */
};

static void fill_parameters(struct parameters *parameters, const struct db_statement *statement,
                            const struct db_value *values)
{
	for (int i = 0; i < statement->parameter_count; i++) {
		const struct db_value *value = &values[i];
		uint64_t bits = 0;
		bool null = false;
		parameters->formats[i] = 1;
		if (value->type == DB_INT) {
			null = value->integer == DB_NULL;
			bits = (uint64_t)value->integer;
		} else if (value->type == DB_REAL) {
			null = isnan(value->real);
			memcpy(&bits, &value->real, sizeof bits);
		} else {
			parameters->values[i] = value->text.ptr;
			parameters->lengths[i] = (int)value->text.len;
			continue;
		}
		parameters->numbers[i] = htobe64(bits);
		parameters->values[i] = null ? NULL : (const char *)&parameters->numbers[i];
		parameters->lengths[i] = sizeof bits;
	}
}

/* --- results ---------------------------------------------------------------------------------------------------- */

static uint16_t read_u16(const char *at)
{
	uint16_t value;
	memcpy(&value, at, sizeof value);
	return be16toh(value);
}

static uint32_t read_u32(const char *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return be32toh(value);
}

static uint64_t read_u64(const char *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof value);
	return be64toh(value);
}

/* A numeric is digits of base 10,000: their count, the weight of the first, a sign, a scale, the digits. Sums of
 * integers come as such. */
static bool read_numeric(const char *at, int length, int64_t *integer, double *real)
{
	if (length < 8)
		return false;
	int count = read_u16(at), weight = (int16_t)read_u16(at + 2), sign = read_u16(at + 4);
	if ((sign != 0 && sign != 0x4000) || length < 8 + 2 * count)
		return false;
	double sum = 0;
	int64_t whole = 0;
	bool fits = true;
	for (int i = 0; i < count; i++) {
		int digit = read_u16(at + 8 + 2 * i);
		sum += digit * pow(10000, weight - i);
		if (weight - i >= 0)
			fits = fits && !__builtin_mul_overflow(whole, 10000, &whole) && !__builtin_add_overflow(whole, digit, &whole);
	}
	for (int i = count; fits && i <= weight; i++)
		fits = !__builtin_mul_overflow(whole, 10000, &whole);
	*real = sign ? -sum : sum;
	*integer = sign ? -whole : whole;
	return fits;
}

static bool read_number(const PGresult *result, int row, int column, struct db_value *value)
{
	const char *at = PQgetvalue(result, row, column);
	int64_t integer = 0;
	double real = 0;
	bool good = true, is_real = false;
	switch (PQftype(result, column)) {
	case OID_INT8: integer = (int64_t)read_u64(at); break;
	case OID_INT4: integer = (int32_t)read_u32(at); break;
	case OID_INT2: integer = (int16_t)read_u16(at); break;
	case OID_BOOL: integer = at[0] != 0; break;
	case OID_FLOAT8: {
		uint64_t bits = read_u64(at);
		memcpy(&real, &bits, sizeof real);
		is_real = true;
		break;
	}
	case OID_FLOAT4: {
		uint32_t bits = read_u32(at);
		float single;
		memcpy(&single, &bits, sizeof single);
		real = (double)single;
		is_real = true;
		break;
	}
	case OID_NUMERIC:
		good = read_numeric(at, PQgetlength(result, row, column), &integer, &real) || value->type == DB_REAL;
		is_real = value->type == DB_REAL;
		break;
	default:
		return false;
	}
	if (value->type == DB_INT) {
		value->integer = integer;
		return good && !is_real;
	}
	value->real = is_real ? real : (double)integer;
	return good;
}

static bool read_value(const PGresult *result, int row, int column, enum db_type type, struct db_value *value)
{
	*value = (struct db_value){ .type = type, .integer = DB_NULL, .real = (double)NAN };
	if (PQgetisnull(result, row, column))
		return true;
	if (type == DB_INT || type == DB_REAL)
		return read_number(result, row, column, value);
	value->text = (struct str){ PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column) };
	return true;
}

static enum rc give_rows(const PGresult *result, const struct db_statement *statement, db_row row, void *context,
                         struct err *err)
{
	if (PQnfields(result) != statement->column_count)
		return err_set(err, FAILED, "%s: other columns than its text", statement->name);
	struct db_value values[DB_COLUMNS_MAX];
	int count = PQntuples(result);
	for (int i = 0; i < count; i++) {
		for (int k = 0; k < statement->column_count; k++)
			if (!read_value(result, i, k, statement->columns[k].type, &values[k]))
				return err_set(err, FAILED, "%s: column %s cannot be read as its type", statement->name,
				               statement->columns[k].name);
		enum rc rc = row(context, values);
		if (rc != OK)
			return rc;
	}
	return OK;
}

static int64_t rows_written(PGresult *result)
{
	int64_t count;
	return str_to_int(str_from(PQcmdTuples(result)), &count) ? count : 0;
}

/* --- running ----------------------------------------------------------------------------------------------------- */

#define SLOT_NAME_SIZE 16

static enum rc prepare(struct db_connection *connection, const struct db_statement *statement, int slot, char *name,
                       struct err *err)
{
	size_t index = (size_t)slot;
	snprintf(name, SLOT_NAME_SIZE, "s%d", slot);
	if (index >= connection->prepared_count) {
		size_t count = (index + 64) / 64 * 64 + 64;
		bool *grown = realloc(connection->prepared, count * sizeof *grown);
		if (!grown)
			return err_set(err, FAILED, "out of memory");
		memset(grown + connection->prepared_count, 0, count - connection->prepared_count);
		connection->prepared = grown;
		connection->prepared_count = count;
	}
	if (connection->prepared[index])
		return OK;
	PGresult *result = PQprepare(connection->pg, name, statement->postgresql, 0, NULL);
	enum rc rc = OK;
	if (PQresultStatus(result) == PGRES_COMMAND_OK)
		connection->prepared[index] = true;
	else
		rc = pg_report(connection, result, statement->name, err);
	PQclear(result);
	return rc;
}

static enum rc take_result(struct db_connection *connection, PGresult *result, const struct db_statement *statement,
                           db_row row, void *context, int64_t *changed, struct err *err)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
		*changed += statement->writes ? rows_written(result) : 0;
		return OK;
	case PGRES_TUPLES_OK:
		*changed += statement->writes ? rows_written(result) : 0;
		return row ? give_rows(result, statement, row, context, err) : OK;
	case PGRES_SINGLE_TUPLE:
		return row ? give_rows(result, statement, row, context, err) : OK;
	default:
		return pg_report(connection, result, statement->name, err);
	}
}

/* Row by row as they arrive, so that a statement over millions of rows takes no memory. */
static enum rc run_streaming(struct db_connection *connection, const struct db_statement *statement, const char *name,
                             const struct parameters *parameters, db_row row, void *context, int64_t *changed,
                             struct err *err)
{
	if (!PQsendQueryPrepared(connection->pg, name, statement->parameter_count, parameters->values, parameters->lengths,
	                         parameters->formats, 1) ||
	    !PQsetSingleRowMode(connection->pg))
		return pg_report(connection, NULL, statement->name, err);
	enum rc rc = OK;
	PGresult *result;
	while ((result = PQgetResult(connection->pg)) != NULL) {
		bool last = PQresultStatus(result) == PGRES_TUPLES_OK;
		if (rc == OK && !last)
			rc = take_result(connection, result, statement, row, context, changed, err);
		PQclear(result);
	}
	return rc;
}

enum rc pg_run(struct db_connection *connection, const struct db_statement *statement, int slot,
               const struct db_value *values, db_row row, void *context, int64_t *changed, struct err *err)
{
	char name[SLOT_NAME_SIZE];
	enum rc rc = prepare(connection, statement, slot, name, err);
	if (rc != OK)
		return rc;
	struct parameters parameters;
	fill_parameters(&parameters, statement, values);
	int64_t written = 0;
	if (statement->kind == DB_KIND_EACH) {
		rc = run_streaming(connection, statement, name, &parameters, row, context, &written, err);
	} else {
		PGresult *result = PQexecPrepared(connection->pg, name, statement->parameter_count, parameters.values,
		                                  parameters.lengths, parameters.formats, 1);
		rc = take_result(connection, result, statement, row, context, &written, err);
		PQclear(result);
	}
	if (rc == OK)
		*changed = written;
	return rc;
}

static bool send_rows(struct db_connection *connection, const struct db_statement *statement, const char *name,
                      const struct db_value *values, size_t count)
{
	struct parameters parameters;
	for (size_t i = 0; i < count; i++) {
		fill_parameters(&parameters, statement, values + i * (size_t)statement->parameter_count);
		if (!PQsendQueryPrepared(connection->pg, name, statement->parameter_count, parameters.values, parameters.lengths,
		                         parameters.formats, 1))
			return false;
	}
	return PQpipelineSync(connection->pg) == 1;
}

/* Reads the answers up to the sync; the first error is the one that counts, the rest were not run. */
static enum rc read_answers(struct db_connection *connection, const struct db_statement *statement, int64_t *changed,
                            struct err *err)
{
	enum rc rc = OK;
	int nothing = 0;
	while (nothing < 2) {
		PGresult *result = PQgetResult(connection->pg);
		if (!result) {
			/* One NULL ends each statement; two in a row mean that the connection is gone. */
			nothing++;
			continue;
		}
		nothing = 0;
		ExecStatusType status = PQresultStatus(result);
		if (status == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			return rc;
		}
		if (rc == OK)
			rc = take_result(connection, result, statement, NULL, NULL, changed, err);
		PQclear(result);
	}
	return rc != OK ? rc : pg_report(connection, NULL, statement->name, err);
}

enum rc pg_batch(struct db_connection *connection, const struct db_statement *statement, int slot,
                 const struct db_value *values, size_t count, int64_t *changed, struct err *err)
{
	char name[SLOT_NAME_SIZE];
	enum rc rc = prepare(connection, statement, slot, name, err);
	if (rc != OK)
		return rc;
	if (!PQenterPipelineMode(connection->pg))
		return pg_report(connection, NULL, statement->name, err);
	int64_t written = 0;
	for (size_t done = 0; rc == OK && done < count;) {
		size_t part = count - done < PIPELINE_ROWS ? count - done : PIPELINE_ROWS;
		if (send_rows(connection, statement, name, values + done * (size_t)statement->parameter_count, part))
			rc = read_answers(connection, statement, &written, err);
		else
			rc = pg_report(connection, NULL, statement->name, err);
		done += part;
	}
	if (!PQexitPipelineMode(connection->pg) && rc == OK)
		rc = pg_report(connection, NULL, statement->name, err);
	if (rc == OK)
		*changed = written;
	return rc;
}

/* --- checking ---------------------------------------------------------------------------------------------------- */

static bool type_fits(enum db_type type, Oid oid)
{
	switch (type) {
	case DB_INT:
		return oid == OID_INT8 || oid == OID_INT4 || oid == OID_INT2 || oid == OID_BOOL || oid == OID_NUMERIC;
	case DB_REAL:
		return oid == OID_FLOAT8 || oid == OID_FLOAT4 || oid == OID_NUMERIC;
	case DB_TEXT:
		return oid == OID_TEXT || oid == OID_VARCHAR || oid == OID_NAME;
	case DB_BLOB:
		break;
	}
	return oid == OID_BYTEA;
}

static enum rc compare(const PGresult *described, const struct db_statement *statement, struct err *err)
{
	static const Oid parameter_oid[] = {
		[DB_INT] = OID_INT8, [DB_REAL] = OID_FLOAT8, [DB_TEXT] = OID_TEXT, [DB_BLOB] = OID_BYTEA
	};
	if (PQnparams(described) != statement->parameter_count)
		return err_set(err, FAILED, "%s: other parameters than its text", statement->name);
	for (int i = 0; i < statement->parameter_count; i++)
		if (PQparamtype(described, i) != parameter_oid[statement->parameters[i].type])
			return err_set(err, FAILED, "%s: parameter %s has another type", statement->name, statement->parameters[i].name);
	if (PQnfields(described) != statement->column_count)
		return err_set(err, FAILED, "%s: %d columns where %d are meant", statement->name, PQnfields(described),
		               statement->column_count);
	for (int i = 0; i < statement->column_count; i++)
		if (!type_fits(statement->columns[i].type, PQftype(described, i)))
			return err_set(err, FAILED, "%s: column %s has type number %u", statement->name, statement->columns[i].name,
			               PQftype(described, i));
	return OK;
}

enum rc pg_check(struct db_connection *connection, const struct db_statement *statement, int slot, struct err *err)
{
	char name[SLOT_NAME_SIZE];
	enum rc rc = prepare(connection, statement, slot, name, err);
	if (rc != OK)
		return rc;
	PGresult *described = PQdescribePrepared(connection->pg, name);
	rc = PQresultStatus(described) == PGRES_COMMAND_OK ? compare(described, statement, err)
	                                                  : pg_report(connection, described, statement->name, err);
	PQclear(described);
	return rc;
}
