/* Making, changing and ending a record. */
#include "base/base.h"
#include "core/people/people.h"

#include "people_sql.h"

enum rc person_name_read(struct arena *arena, struct str text, struct str field, struct str *out, struct err *err)
{
	const struct str trimmed = str_trim(text);
	size_t characters = 0;

	if (!trimmed.len)
		return err_field(err, field, MSG_people_name_missing, STR_NONE, STR_NONE);
	if (!utf8_valid(trimmed))
		return err_field(err, field, MSG_people_name_form, STR_NONE, STR_NONE);
	for (size_t at = 0; at < trimmed.len; characters++) {
		const uint32_t code = utf8_next(trimmed, &at);
		/* Controls (C0, C1, line and paragraph separators) would break lists, mails and CSV; marks of direction and joiners are
		 * part of names in Arabic, Persian and emoji. */
		if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029)
			return err_field(err, field, MSG_people_name_form, STR_NONE, STR_NONE);
	}
	if (characters > PERSON_NAME_MAX)
		return err_field(err, field, MSG_people_name_long, STR_NONE, STR_NONE);
	*out = str_copy(arena, trimmed);
	return OK;
}

/* Never 0, so that a forgotten salt is no salt. */
static int64_t new_salt(void)
{
	return (int64_t)(rand_u64() >> 2) + 1;
}

enum rc person_stage(struct db_tx *tx, struct arena *arena, const struct person_new *person, int64_t now, struct person *out, struct err *err)
{
	const struct person_insert_args args = {
		.public_id = rand_id(arena),
		.external_id = person->external_id,
		.language = str_from(languages[person->language].tag),
		.source = (int64_t)person->source,
		.batch_id = person->batch_id,
		.salt = new_salt(),
		.form_key = person->form_key,
		.created_at = now,
	};
	struct person_insert_row row;

	enum rc rc = person_insert(tx, arena, &args, &row, err);
	if (rc == OK)
		rc = person_name_put(tx, &(struct person_name_put_args){ .person_id = row.id, .name = person->name }, NULL, err);
	if (rc == OK)
		*out = (struct person){
			.id = row.id,
			.public_id = args.public_id,
			.name = person->name,
			.language = person->language,
			.source = person->source,
			.batch_id = person->batch_id,
			.salt = args.salt,
			.created_at = now,
			.ended_at = DB_NULL,
		};
	return rc;
}

enum rc person_add(struct db_tx *tx, struct arena *arena, const struct person_new *person, int64_t now, struct person *out, struct err *err)
{
	enum rc rc = person_stage(tx, arena, person, now, out, err);
	return rc == OK ? person_touch(tx, out->id, now, err) : rc;
}

enum rc person_find_form(struct db_tx *tx, struct arena *arena, struct str form_key, struct person *out, struct err *err)
{
	struct person_id_find_form_key_row row;

	if (str_is_none(form_key))
		return NOT_FOUND;
	enum rc rc = person_id_find_form_key(tx, arena, &(struct person_id_find_form_key_args){ .form_key = form_key }, &row, err);
	return rc == OK ? person_find(tx, arena, row.id, out, err) : rc;
}

enum rc person_set_name(struct db_tx *tx, int64_t person_id, struct str name, int64_t now, struct err *err)
{
	enum rc rc = person_name_put(tx, &(struct person_name_put_args){ .person_id = person_id, .name = name }, NULL, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}

enum rc person_revoke_links(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err)
{
	enum rc rc = person_put_salt(tx, &(struct person_put_salt_args){ .salt = new_salt(), .person_id = person_id }, NULL, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}

enum rc person_erase(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err)
{
	enum rc rc = code_remove_of_person(tx, &(struct code_remove_of_person_args){ .person_id = person_id }, NULL, err);
	if (rc == OK)
		rc = push_row_remove_all(tx, &(struct push_row_remove_all_args){ .person_id = person_id }, NULL, err);
	if (rc == OK)
		rc = contact_remove_all(tx, &(struct contact_remove_all_args){ .person_id = person_id }, NULL, err);
	if (rc == OK)
		rc = emergency_contact_remove_row(tx, &(struct emergency_contact_remove_row_args){ .person_id = person_id }, NULL, err);
	if (rc == OK)
		rc = person_name_remove(tx, &(struct person_name_remove_args){ .person_id = person_id }, NULL, err);
	if (rc == OK)
		rc = person_put_ended(tx, &(struct person_put_ended_args){ .ended_at = now, .salt = new_salt(), .person_id = person_id }, NULL, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}

/* --- emergency contact ---------------------------------------------------------------------------------------- */

enum rc emergency_contact_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct emergency_contact *out, struct err *err)
{
	struct emergency_contact_row_find_row row;

	enum rc rc = emergency_contact_row_find(tx, arena, &(struct emergency_contact_row_find_args){ .person_id = person_id }, &row, err);
	if (rc == OK)
		*out = (struct emergency_contact){ row.name, row.relation, row.email, row.phone, row.consent_at };
	return rc;
}

enum rc emergency_contact_set(struct db_tx *tx, int64_t person_id, const struct emergency_contact *contact, int64_t now, struct err *err)
{
	const struct emergency_contact_put_args args = {
		.person_id = person_id,
		.name = contact->name,
		.relation = contact->relation,
		.email = contact->email,
		.phone = contact->phone,
		.consent_at = contact->consent_at,
	};

	enum rc rc = emergency_contact_put(tx, &args, NULL, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}

enum rc emergency_contact_remove(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err)
{
	enum rc rc = emergency_contact_remove_row(tx, &(struct emergency_contact_remove_row_args){ .person_id = person_id }, NULL, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}
