/* Adding, ordering, confirming and removing addresses. Opting out and ending by address: contact.c. */
#include "base/base.h"
#include "core/people/people.h"

#include "people_sql.h"

enum rc contact_find(struct db_tx *tx, struct arena *arena, int64_t contact_id, struct contact *out, struct err *err)
{
	struct contact_row_find_row row;

	enum rc rc = contact_row_find(tx, arena, &(struct contact_row_find_args){ .contact_id = contact_id }, &row, err);
	if (rc == OK)
		*out = (struct contact){
			.id = row.id,
			.person_id = row.person_id,
			.channel = (enum channel_kind)row.channel,
			.address = row.address,
			.rank = row.rank,
			.wanted = row.wanted != 0,
			.confirmed = row.confirmed_at != DB_NULL,
			.opted_out = row.opted_out_at != DB_NULL,
			.ended = row.ended_at != DB_NULL,
		};
	return rc;
}

enum rc contact_add(struct db_tx *tx, struct arena *arena, int64_t person_id, const struct contact_new *contact, struct str field, int64_t now,
                    int64_t *contact_id_out, struct err *err)
{
	const struct contact_find_same_args same = {
		.person_id = person_id,
		.channel = (int64_t)contact->channel,
		.address = contact->address,
	};
	struct contact_find_same_row found;
	struct contact_count_of_row count;

	enum rc rc = contact_find_same(tx, arena, &same, &found, err);
	if (rc == OK) {
		*contact_id_out = found.id;
		return OK;
	}
	if (rc != NOT_FOUND)
		return rc;
	rc = contact_count_of(tx, arena, &(struct contact_count_of_args){ .person_id = person_id }, &count, err);
	if (rc != OK)
		return rc;
	if (count.contacts >= PERSON_CONTACTS_MAX) {
		err_field(err, field, MSG_people_contacts_full, STR_NONE, STR_NONE);
		return CONFLICT;
	}
	const struct contact_insert_args args = {
		.person_id = person_id,
		.channel = (int64_t)contact->channel,
		.address = contact->address,
		.rank = contact->rank,
		.wanted = contact->wanted,
		.confirmed_at = DB_NULL,
		.confirmed_how = DB_NULL,
		.created_at = now,
	};
	struct contact_insert_row row;
	rc = contact_insert(tx, arena, &args, &row, err);
	if (rc == OK)
		rc = person_touch(tx, person_id, now, err);
	if (rc == OK)
		*contact_id_out = row.id;
	return rc;
}

enum rc contact_set_order(struct db_tx *tx, int64_t person_id, int64_t contact_id, int64_t rank, bool wanted, int64_t now, struct err *err)
{
	const struct contact_put_order_args args = {
		.rank = rank,
		.wanted = wanted,
		.contact_id = contact_id,
		.person_id = person_id,
	};

	enum rc rc = contact_put_order(tx, &args, NULL, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}

/* Runs a change of one row and touches its person. */
static enum rc touch_owner(struct db_tx *tx, int64_t contact_id, int64_t now, struct err *err)
{
	struct contact contact;
	struct arena arena;

	arena_init(&arena);
	enum rc rc = contact_find(tx, &arena, contact_id, &contact, err);
	if (rc == OK)
		rc = person_touch(tx, contact.person_id, now, err);
	arena_release(&arena);
	return rc;
}

enum rc contact_set_confirmed(struct db_tx *tx, int64_t contact_id, enum contact_proof how, int64_t now, struct err *err)
{
	const struct contact_confirm_args args = { .confirmed_at = now, .confirmed_how = (int64_t)how, .contact_id = contact_id };

	enum rc rc = contact_confirm(tx, &args, NULL, err);
	return rc == OK ? touch_owner(tx, contact_id, now, err) : rc;
}

enum rc contact_remove(struct db_tx *tx, int64_t person_id, int64_t contact_id, int64_t now, struct err *err)
{
	struct contact contact;
	struct arena arena;
	int64_t changed = 0;

	arena_init(&arena);
	enum rc rc = contact_find(tx, &arena, contact_id, &contact, err);
	arena_release(&arena);
	if (rc == OK && contact.person_id != person_id)
		rc = NOT_FOUND;
	if (rc == OK)
		rc = code_remove_of_contact(tx, &(struct code_remove_of_contact_args){ .contact_id = contact_id }, NULL, err);
	if (rc == OK)
		rc = push_row_remove(tx, &(struct push_row_remove_args){ .contact_id = contact_id }, NULL, err);
	if (rc == OK)
		rc = contact_remove_row(tx, &(struct contact_remove_row_args){ .contact_id = contact_id, .person_id = person_id }, &changed, err);
	return rc == OK ? person_touch(tx, person_id, now, err) : rc;
}

enum rc contact_set_opted_out(struct db_tx *tx, int64_t contact_id, bool out, int64_t now, struct err *err)
{
	int64_t changed = 0;
	enum rc rc;

	if (out)
		rc = contact_opt_out_row(tx, &(struct contact_opt_out_row_args){ .opted_out_at = now, .contact_id = contact_id }, &changed, err);
	else
		rc = contact_opt_in_row(tx, &(struct contact_opt_in_row_args){ .contact_id = contact_id }, &changed, err);
	return rc == OK && changed ? touch_owner(tx, contact_id, now, err) : rc;
}
