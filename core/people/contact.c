/* Addresses: what is a mailbox, whose it is, and what happens to it. */
#include "base/base.h"
#include "core/people/people.h"

#include "people_sql.h"

#define CONTACT_SHARERS_MAX 100 /* people who may have one address; a hotel's desk phone has more patience than we */

#define MAILBOX_LOCAL_MAX 64
#define MAILBOX_LABEL_MAX 63

static bool
domain_valid(struct str domain)
{
	size_t labels = 0;

	while (domain.len) {
		struct str label, rest;
		const bool more = str_cut(domain, '.', &label, &rest);
		if (!label.len || label.len > MAILBOX_LABEL_MAX || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++) {
			const unsigned char c = (unsigned char)label.ptr[i];
			if (c < 0x80 && !(c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')))
				return false;
		}
		labels++;
		if (!more)
			break;
		domain = rest;
		if (!domain.len)
			return false;
	}
	return labels >= 2;
}

static bool
local_valid(struct str local)
{
	if (!local.len || local.len > MAILBOX_LOCAL_MAX || local.ptr[0] == '.' || local.ptr[local.len - 1] == '.')
		return false;
	for (size_t i = 0; i < local.len; i++) {
		const unsigned char c = (unsigned char)local.ptr[i];
		/* Quoted local parts exist in the RFC and in no real mailbox; refusing them keeps every later parser simple. */
		if (c <= ' ' || c == 0x7f || strchr("()<>[]:;@\\,\"", c))
			return false;
		if (c == '.' && local.ptr[i + 1] == '.')
			return false;
	}
	return true;
}

enum rc
mailbox_read(struct arena *arena, struct str text, struct str field, struct str *out, struct err *err)
{
	const struct str trimmed = str_trim(text);
	const size_t at = str_find(trimmed, S("@"), 0);

	if (!trimmed.len)
		return err_field(err, field, MSG_people_mailbox_missing, STR_NONE, STR_NONE);
	if (trimmed.len > MAILBOX_MAX)
		return err_field(err, field, MSG_people_mailbox_long, STR_NONE, STR_NONE);
	if (at == SIZE_MAX || !utf8_valid(trimmed))
		return err_field(err, field, MSG_people_mailbox_form, STR_NONE, STR_NONE);
	/* RFC 5321 section 2.4 lets a host tell cases of the local part apart; none does, and telephones write the first letter large. */
	const struct str lower = str_lower(arena, trimmed), domain = str_slice(lower, at + 1, lower.len);
	const struct str local = str_slice(lower, 0, at);
	if (!local_valid(local) || !domain_valid(domain))
		return err_field(err, field, MSG_people_mailbox_form, STR_NONE, STR_NONE);
	*out = str_format(arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
	return OK;
}

enum rc
person_list_by_address(struct db_tx *tx, struct arena *arena, enum channel_kind channel, struct str address, size_t most,
                       int64_t **person_ids_out, size_t *count_out, struct err *err)
{
	const struct contact_list_by_address_args args = { .address = address, .channel = (int64_t)channel, .most = (int64_t)most };
	struct contact_list_by_address_row *rows;
	size_t count, confirmed = 0;

	enum rc rc = contact_list_by_address(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	int64_t *ids = ARENA_NEW_ARRAY(arena, int64_t, count);
	for (size_t i = 0; i < count; i++)
		if (rows[i].confirmed_at != DB_NULL)
			ids[confirmed++] = rows[i].person_id;
	*person_ids_out = ids;
	*count_out = confirmed;
	return OK;
}

enum rc
contact_find_confirmed(struct db_tx *tx, struct arena *arena, enum channel_kind channel, struct str address, struct contact *out, struct err *err)
{
	const struct contact_list_by_address_args args = { .address = address, .channel = (int64_t)channel, .most = CONTACT_SHARERS_MAX };
	struct contact_list_by_address_row *rows;
	size_t count;

	enum rc rc = contact_list_by_address(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (rows[i].confirmed_at != DB_NULL)
			return contact_find(tx, arena, rows[i].id, out, err);
	return NOT_FOUND;
}

enum rc
contact_opt_out(struct db_tx *tx, enum channel_kind channel, struct str address, bool out, int64_t now, int64_t *changed, struct err *err)
{
	const struct contact_list_to_opt_args args = { .address = address, .channel = (int64_t)channel, .out = out, .most = CONTACT_SHARERS_MAX };
	struct contact_list_to_opt_row *rows;
	struct arena arena;
	size_t count = 0;
	int64_t total = 0;
	enum rc rc;

	arena_init(&arena);
	/* All of them, however many share it: each round leaves fewer. */
	do {
		arena_clear(&arena);
		rc = contact_list_to_opt(tx, &arena, &args, &rows, &count, err);
		for (size_t i = 0; rc == OK && i < count; i++) {
			int64_t one = 0;
			if (out)
				rc = contact_opt_out_row(tx, &(struct contact_opt_out_row_args){ .opted_out_at = now, .contact_id = rows[i].id }, &one, err);
			else
				rc = contact_opt_in_row(tx, &(struct contact_opt_in_row_args){ .contact_id = rows[i].id }, &one, err);
			if (rc == OK && one)
				rc = person_touch(tx, rows[i].person_id, now, err);
			total += one;
		}
	} while (rc == OK && count == CONTACT_SHARERS_MAX);
	arena_release(&arena);
	if (rc == OK && changed)
		*changed = total;
	return rc;
}

enum rc
contact_end(struct db_tx *tx, int64_t contact_id, struct str reason, int64_t now, struct err *err)
{
	struct arena arena;
	struct contact_row_find_row row;
	int64_t changed = 0;

	arena_init(&arena);
	enum rc rc = contact_row_find(tx, &arena, &(struct contact_row_find_args){ .contact_id = contact_id }, &row, err);
	if (rc == OK)
		rc = contact_end_row(tx, &(struct contact_end_row_args){ .ended_at = now, .ended_reason = reason, .contact_id = contact_id }, &changed, err);
	if (rc == OK && changed)
		rc = person_touch(tx, row.person_id, now, err);
	arena_release(&arena);
	return rc;
}
