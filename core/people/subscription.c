/* Browsers that take web push. The endpoint is an address like a mailbox; the keys stand apart and go with it. */
#include "base/base.h"
#include "core/people/people.h"

#include "people_sql.h"

/* An endpoint that a service has ended never comes back; its row would only take the place of a new one. */
static enum rc remove_ended(struct db_tx *tx, struct arena *arena, int64_t person_id, int64_t now, struct err *err)
{
	struct push_contact_list_ended_row *rows;
	size_t count;

	enum rc rc = push_contact_list_ended(tx, arena, &(struct push_contact_list_ended_args){ .person_id = person_id }, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = contact_remove(tx, person_id, rows[i].id, now, err);
	return rc;
}

/* In front: it costs nothing and rings at once. The others keep their order. */
static enum rc put_in_front(struct db_tx *tx, struct arena *arena, int64_t person_id, int64_t contact_id, int64_t now, struct err *err)
{
	struct contact_list_of_row *rows;
	size_t count;
	int64_t rank = 1;

	enum rc rc = contact_list_of(tx, arena, &(struct contact_list_of_args){ .person_id = person_id }, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].channel == CHANNEL_PUSH && rows[i].id != contact_id)
			rc = contact_set_order(tx, person_id, rows[i].id, rank++, rows[i].wanted != 0, now, err);
	if (rc == OK)
		rc = contact_set_order(tx, person_id, contact_id, rank++, true, now, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].channel != CHANNEL_PUSH)
			rc = contact_set_order(tx, person_id, rows[i].id, rank++, rows[i].wanted != 0, now, err);
	return rc;
}

static enum rc put_keys(struct db_tx *tx, int64_t contact_id, const struct push_subscription *subscription, int64_t now, struct err *err)
{
	const struct push_row_put_args keys = {
		.contact_id = contact_id,
		.point = subscription->point,
		.secret = subscription->secret,
		.changed_at = now,
	};

	return push_row_put(tx, &keys, NULL, err);
}

enum rc push_subscription_add(struct db_tx *tx, struct arena *arena, int64_t person_id, const struct push_subscription *subscription,
                              struct str field, int64_t now, int64_t *contact_id_out, struct err *err)
{
	const struct contact_new new = { .channel = CHANNEL_PUSH, .address = subscription->endpoint, .rank = 1, .wanted = true };
	const struct contact_find_same_args same = { .person_id = person_id, .channel = CHANNEL_PUSH, .address = subscription->endpoint };
	struct contact_find_same_row found;
	int64_t contact_id = 0;

	enum rc rc = contact_find_same(tx, arena, &same, &found, err);
	const bool known = rc == OK;
	if (rc == NOT_FOUND)
		rc = remove_ended(tx, arena, person_id, now, err);
	if (rc == OK)
		rc = contact_add(tx, arena, person_id, &new, field, now, &contact_id, err);
	if (rc == OK)
		rc = put_keys(tx, contact_id, subscription, now, err);
	if (rc == OK)
		rc = contact_set_confirmed(tx, contact_id, CONTACT_BY_BROWSER, now, err);
	if (rc == OK)
		rc = contact_set_opted_out(tx, contact_id, false, now, err);
	if (rc == OK && !known)
		rc = put_in_front(tx, arena, person_id, contact_id, now, err);
	if (rc == OK)
		*contact_id_out = contact_id;
	return rc;
}

enum rc push_subscription_find(struct db_tx *tx, struct arena *arena, int64_t contact_id, struct push_subscription *out, struct err *err)
{
	struct push_row_find_row row;

	enum rc rc = push_row_find(tx, arena, &(struct push_row_find_args){ .contact_id = contact_id }, &row, err);
	if (rc == OK)
		*out = (struct push_subscription){ row.address, row.point, row.secret };
	return rc;
}

enum rc push_subscription_replace(struct db_tx *tx, struct str old_endpoint, const struct push_subscription *subscription, int64_t now,
                                  struct err *err)
{
	struct push_contact_list_endpoint_row *rows;
	struct arena arena;
	size_t count = 0;

	arena_init(&arena);
	enum rc rc = push_contact_list_endpoint(tx, &arena, &(struct push_contact_list_endpoint_args){ .address = old_endpoint }, &rows, &count, err);
	if (rc == OK && count == 0)
		rc = NOT_FOUND;
	for (size_t i = 0; rc == OK && i < count; i++) {
		const struct contact_find_same_args same = {
			.person_id = rows[i].person_id,
			.channel = CHANNEL_PUSH,
			.address = subscription->endpoint,
		};
		struct contact_find_same_row found;
		rc = contact_find_same(tx, &arena, &same, &found, err);
		if (rc == OK && found.id != rows[i].id) { /* the page was faster: the old one goes */
			rc = contact_remove(tx, rows[i].person_id, rows[i].id, now, err);
			if (rc == OK)
				rc = put_keys(tx, found.id, subscription, now, err);
			continue;
		}
		if (rc == OK || rc == NOT_FOUND)
			rc = push_contact_put_endpoint(tx, &(struct push_contact_put_endpoint_args){ .address = subscription->endpoint,
			                                                                            .contact_id = rows[i].id }, NULL, err);
		if (rc == OK)
			rc = put_keys(tx, rows[i].id, subscription, now, err);
		if (rc == OK)
			rc = person_touch(tx, rows[i].person_id, now, err);
	}
	arena_release(&arena);
	return rc;
}
