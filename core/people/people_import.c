/* Importing people: id, name, language, email, mobile, country. */
#include "base/base.h"
#include "core/people/people.h"
#include "kernel/text/phone.h"

#include "people_sql.h"

#define EXTERNAL_ID_MAX 200 /* bytes */

enum column { COLUMN_ID, COLUMN_NAME, COLUMN_LANGUAGE, COLUMN_EMAIL, COLUMN_MOBILE, COLUMN_COUNTRY, COLUMN_COUNT };
static const char *const columns[COLUMN_COUNT] = { "id", "name", "language", "email", "mobile", "country" };

struct row {
	struct str id, name, email, mobile; /* email and mobile may be empty */
	enum language language;
};

struct context {
	bool confirmed;
};

static enum rc read_row(void *context, struct arena *arena, const struct str *values, void *data, struct err *err)
{
	struct row *row = data;
	enum phone_problem problem;
	struct phone_number number;
	(void)context;

	if (!values[COLUMN_ID].len || values[COLUMN_ID].len > EXTERNAL_ID_MAX)
		return err_set(err, INVALID, "id: must have 1 to %d bytes", EXTERNAL_ID_MAX);
	row->id = str_copy(arena, values[COLUMN_ID]);
	enum rc rc = person_name_read(arena, values[COLUMN_NAME], S("name"), &row->name, err);
	row->language = values[COLUMN_LANGUAGE].len ? language_find(values[COLUMN_LANGUAGE]) : LANGUAGE_EN;
	if (row->language == LANGUAGE_COUNT)
		rc = err_set(err, INVALID, "language: '%.*s' is none of ours", (int)(values[COLUMN_LANGUAGE].len < 20 ? values[COLUMN_LANGUAGE].len : 20),
		             values[COLUMN_LANGUAGE].ptr);
	row->email = row->mobile = S("");
	if (values[COLUMN_EMAIL].len && mailbox_read(arena, values[COLUMN_EMAIL], S("email"), &row->email, err) != OK)
		rc = INVALID;
	if (!values[COLUMN_MOBILE].len)
		return rc;
	const struct str country = values[COLUMN_COUNTRY].len ? values[COLUMN_COUNTRY] : STR_NONE;
	const enum rc phone = phone_parse(arena, values[COLUMN_MOBILE], country, &number, &problem);
	if (phone == INVALID)
		return err_set(err, INVALID, "mobile: %s", phone_problem_name(problem));
	row->mobile = phone == OK ? number.e164 : S("");
	return phone == OK ? rc : phone;
}

static enum rc write_contact(struct db_tx *tx, struct arena *arena, const struct context *context, int64_t person_id, enum channel_kind channel,
                             struct str address, int64_t rank, int64_t now, struct err *err)
{
	const struct contact_insert_args args = {
		.person_id = person_id,
		.channel = (int64_t)channel,
		.address = address,
		.rank = rank,
		.wanted = 1,
		.confirmed_at = context->confirmed ? now : DB_NULL,
		.confirmed_how = context->confirmed ? CONTACT_BY_STATEMENT : DB_NULL,
		.created_at = now,
	};
	struct contact_insert_row row;
	return contact_insert(tx, arena, &args, &row, err);
}

/* Nobody sees a staged person, so nothing is told of the change before the batch is shown. */
static enum rc write_row(struct db_tx *tx, void *data, struct arena *arena, int64_t batch_id, const void *row_data, int64_t now, struct err *err)
{
	const struct context *context = data;
	const struct row *row = row_data;
	const struct person_list_external_args same = { .external_id = row->id, .own = batch_id };
	struct person_list_external_row *others;
	struct person person;
	size_t other_count;

	enum rc rc = person_list_external(tx, arena, &same, &others, &other_count, err);
	if (rc != OK)
		return rc;
	if (other_count)
		return err_set(err, CONFLICT, "id: someone with '%.*s' is here already", STR_ARG(row->id));
	const struct person_new new = {
		.name = row->name,
		.language = row->language,
		.source = PERSON_FROM_IMPORT,
		.batch_id = batch_id,
		.external_id = row->id,
		.form_key = STR_NONE,
	};
	rc = person_stage(tx, arena, &new, now, &person, err);
	if (rc == OK && row->email.len)
		rc = write_contact(tx, arena, context, person.id, CHANNEL_MAIL, row->email, 1, now, err);
	if (rc == OK && row->mobile.len)
		rc = write_contact(tx, arena, context, person.id, CHANNEL_SMS, row->mobile, row->email.len ? 2 : 1, now, err);
	/* A statement's refusal has spoilt the transaction: it is not the line's. */
	return rc == OK ? OK : err_set(err, FAILED, "writing a person");
}

enum rc person_discard_staged(struct db_tx *tx, int64_t batch_id, int64_t most, int64_t *removed, struct err *err)
{
	struct person_list_batch_row *rows;
	struct arena arena;
	size_t count = 0;

	arena_init(&arena);
	enum rc rc = person_list_batch(tx, &arena, &(struct person_list_batch_args){ .batch_id = batch_id, .most = most }, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		rc = contact_remove_all(tx, &(struct contact_remove_all_args){ .person_id = rows[i].id }, NULL, err);
		if (rc == OK)
			rc = person_name_remove(tx, &(struct person_name_remove_args){ .person_id = rows[i].id }, NULL, err);
		if (rc == OK)
			rc = person_remove(tx, &(struct person_remove_args){ .person_id = rows[i].id }, NULL, err);
	}
	arena_release(&arena);
	if (rc == OK)
		*removed = (int64_t)count;
	return rc;
}

static const struct import_kind kind = {
	.name = "people",
	.columns = columns,
	.column_count = COLUMN_COUNT,
	.required = COLUMN_LANGUAGE, /* id and name */
	.row_size = sizeof(struct row),
	.read = read_row,
	.write = write_row,
	.discard = person_discard_staged,
};

enum rc people_import(struct house *house, struct arena *arena, int file, const struct import_options *options, struct import_result *result,
                      struct err *err)
{
	struct context context = { .confirmed = options->contacts_confirmed };
	return import_lines(house, arena, file, &kind, &context, options, result, err);
}

enum rc person_id_find_imported(struct db_tx *tx, struct arena *arena, struct str external_id, int64_t *person_id_out, struct err *err)
{
	const struct person_list_external_args args = { .external_id = external_id, .own = 0 };
	struct person_list_external_row *rows;
	size_t count;

	enum rc rc = person_list_external(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	if (count != 1)
		return count ? CONFLICT : NOT_FOUND;
	*person_id_out = rows[0].id;
	return OK;
}

enum rc person_list_after(struct db_tx *tx, struct arena *arena, int64_t after_id, size_t most, int64_t **ids_out, size_t *count_out,
                          struct err *err)
{
	const struct person_list_next_args args = { .after_id = after_id, .most = (int64_t)most };
	struct person_list_next_row *rows;
	size_t count;

	enum rc rc = person_list_next(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	int64_t *ids = ARENA_NEW_ARRAY(arena, int64_t, count);
	for (size_t i = 0; i < count; i++)
		ids[i] = rows[i].id;
	*ids_out = ids;
	*count_out = count;
	return OK;
}

enum rc person_list_imported(struct db_tx *tx, struct arena *arena, int64_t batch_id, size_t most, int64_t **ids_out, size_t *count_out,
                             struct err *err)
{
	const struct person_list_of_batch_args args = { .batch_id = batch_id, .most = (int64_t)most };
	struct person_list_of_batch_row *rows;
	size_t count;

	enum rc rc = person_list_of_batch(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	int64_t *ids = ARENA_NEW_ARRAY(arena, int64_t, count);
	for (size_t i = 0; i < count; i++)
		ids[i] = rows[i].id;
	*ids_out = ids;
	*count_out = count;
	return OK;
}
