/* Reading a person whole, and the one function every change goes through. */
#include <stdlib.h>

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

static struct person
person_from_row(const struct person_row_find_row *row, struct str name)
{
	enum language language = language_find(row->language);

	return (struct person){
		.id = row->id,
		.public_id = row->public_id,
		.name = name,
		.language = language == LANGUAGE_COUNT ? LANGUAGE_EN : language,
		.source = (enum person_source)row->source,
		.batch_id = row->batch_id,
		.salt = row->salt,
		.created_at = row->created_at,
		.ended_at = row->ended_at,
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

	struct person person = person_from_row(&row, name.name);
	rc = person_contacts(tx, arena, &person, err);
	if (rc == OK)
		*out = person;
	return rc;
}

/* --- many at once ------------------------------------------------------------------------------------------------ */

static int
by_number(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

static int
by_id(const void *left, const void *right)
{
	const struct person *a = left, *b = right;
	return (a->id > b->id) - (a->id < b->id);
}

static int
by_person_and_rank(const void *left, const void *right)
{
	const struct contact *a = left, *b = right;
	if (a->person_id != b->person_id)
		return a->person_id < b->person_id ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static enum rc
list_contacts(struct db_tx *tx, struct arena *arena, struct str ids, struct contact **out, size_t *count_out, struct err *err)
{
	const struct contact_list_people_args args = { .ids = ids };
	struct contact_list_people_row *rows;
	size_t count;

	enum rc rc = contact_list_people(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	struct contact *contacts = ARENA_NEW_ARRAY(arena, struct contact, count);
	for (size_t i = 0; i < count; i++) {
		const struct contact_list_people_row *row = &rows[i];
		const struct contact_list_of_row same = { row->id, row->person_id, row->channel, row->address, row->rank, row->wanted,
			                                  row->confirmed_at, row->opted_out_at, row->ended_at };
		contacts[i] = contact_from_row(&same);
	}
	if (count > 1)
		qsort(contacts, count, sizeof *contacts, by_person_and_rank);
	*out = contacts;
	*count_out = count;
	return OK;
}

enum rc
person_list(struct db_tx *tx, struct arena *arena, const int64_t *ids, size_t id_count, struct person **people_out, size_t *count_out,
            struct err *err)
{
	struct buf list;
	int64_t before = 0;
	struct person_list_rows_row *rows = NULL;
	struct contact *contacts = NULL;
	size_t count = 0, contact_count = 0;

	if (id_count > PEOPLE_LIST_MOST)
		return err_set(err, FAILED, "more than %d people at once", PEOPLE_LIST_MOST);
	int64_t *sorted = ARENA_NEW_ARRAY(arena, int64_t, id_count + 1);
	if (id_count > 0)
		memcpy(sorted, ids, id_count * sizeof *ids);
	qsort(sorted, id_count, sizeof *sorted, by_number);
	buf_init(&list);
	for (size_t i = 0; i < id_count; i++) {
		if (i > 0 && sorted[i] == before)
			continue;
		buf_add_char(&list, i > 0 ? ',' : '[');
		buf_add_int(&list, sorted[i]);
		before = sorted[i];
	}
	buf_add_str(&list, id_count > 0 ? S("]") : S("[]"));
	const struct person_list_rows_args args = { .ids = buf_str(&list) };
	enum rc rc = person_list_rows(tx, arena, &args, &rows, &count, err);
	if (rc == OK)
		rc = list_contacts(tx, arena, buf_str(&list), &contacts, &contact_count, err);
	buf_release(&list);
	if (rc != OK)
		return rc;
	struct person *people = ARENA_NEW_ARRAY(arena, struct person, count);
	for (size_t i = 0; i < count; i++) {
		const struct person_row_find_row same = { rows[i].id, rows[i].public_id, rows[i].language, rows[i].source, rows[i].batch_id,
			                                  rows[i].salt, rows[i].created_at, rows[i].ended_at };
		people[i] = person_from_row(&same, rows[i].name);
	}
	if (count > 1)
		qsort(people, count, sizeof *people, by_id);
	for (size_t i = 0, at = 0; i < count; i++) {
		while (at < contact_count && contacts[at].person_id < people[i].id)
			at++;
		people[i].contacts = contacts + at;
		while (at < contact_count && contacts[at].person_id == people[i].id)
			at++;
		people[i].contact_count = (size_t)(contacts + at - people[i].contacts);
	}
	*people_out = people;
	*count_out = count;
	return OK;
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
