/* Reading a person whole, and the one function every change goes through. */
#include "base/base.h"
#include "core/people/people.h"

#include "people_sql.h"

static struct contact
contact_from_row(const struct contact_list_of_row *row)
{
	return (struct contact){
		.id = row->id,
		.person_id = row->person_id,
		.channel = (enum channel_kind)row->channel,
		.address = row->address,
		.rank = row->rank,
		.wanted = row->wanted != 0,
		.confirmed = row->confirmed_at != DB_NULL,
		.opted_out = row->opted_out_at != DB_NULL,
		.ended = row->ended_at != DB_NULL,
	};
}

static enum rc
person_contacts(struct db_tx *tx, struct arena *arena, struct person *person, struct err *err)
{
	const struct contact_list_of_args args = { .person_id = person->id };
	struct contact_list_of_row *rows;
	size_t count;

	enum rc rc = contact_list_of(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	person->contacts = ARENA_NEW_ARRAY(arena, struct contact, count);
	person->contact_count = count;
	for (size_t i = 0; i < count; i++)
		person->contacts[i] = contact_from_row(&rows[i]);
	return OK;
}

enum rc
person_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct person *out, struct err *err)
{
	const struct person_row_find_args find = { .person_id = person_id };
	const struct person_name_find_args find_name = { .person_id = person_id };
	struct person_row_find_row row;
	struct person_name_find_row name = { .name = STR_NONE };

	enum rc rc = person_row_find(tx, arena, &find, &row, err);
	if (rc != OK)
		return rc;
	rc = person_name_find(tx, arena, &find_name, &name, err);
	if (rc != OK && rc != NOT_FOUND)
		return rc;

	enum language language = language_find(row.language);
	struct person person = {
		.id = row.id,
		.public_id = row.public_id,
		.name = name.name,
		.language = language == LANGUAGE_COUNT ? LANGUAGE_EN : language,
		.source = (enum person_source)row.source,
		.batch_id = row.batch_id,
		.salt = row.salt,
		.created_at = row.created_at,
		.ended_at = row.ended_at,
	};
	rc = person_contacts(tx, arena, &person, err);
	if (rc == OK)
		*out = person;
	return rc;
}

enum rc
person_find_public(struct db_tx *tx, struct arena *arena, struct str public_id, struct person *out, struct err *err)
{
	const struct person_id_find_public_args args = { .public_id = public_id };
	struct person_id_find_public_row row;

	enum rc rc = person_id_find_public(tx, arena, &args, &row, err);
	return rc == OK ? person_find(tx, arena, row.id, out, err) : rc;
}

unsigned
person_channels(const struct person *person)
{
	unsigned channels = 0;

	if (person->ended_at != DB_NULL)
		return 0;
	for (size_t i = 0; i < person->contact_count; i++) {
		const struct contact *contact = &person->contacts[i];
		if (contact->wanted && contact->confirmed && !contact->opted_out && !contact->ended)
			channels |= CHANNEL_BIT(contact->channel);
	}
	return channels;
}

const struct contact *
person_contact(const struct person *person, enum channel_kind channel)
{
	if (person->ended_at != DB_NULL)
		return NULL;
	for (size_t i = 0; i < person->contact_count; i++) {
		const struct contact *contact = &person->contacts[i];
		if (contact->channel == channel && contact->wanted && contact->confirmed && !contact->opted_out && !contact->ended)
			return contact;
	}
	return NULL;
}

enum rc
person_touch(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err)
{
	const struct person_set_changed_args args = { .changed_at = now, .person_id = person_id };

	enum rc rc = person_set_changed(tx, &args, NULL, err);
	return rc == OK ? db_change_append(tx, S("person"), person_id, err) : rc;
}

enum rc
person_set_language(struct db_tx *tx, int64_t person_id, enum language language, int64_t now, struct err *err)
{
	const struct person_put_language_args args = { .language = str_from(languages[language].tag), .person_id = person_id };

	enum rc rc = person_put_language(tx, &args, NULL, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}
