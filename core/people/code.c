/* One-time codes: six digits sent to an address, to confirm it or to open one's record by it. */
#include "base/base.h"
#include "core/people/people.h"
#include "kernel/access/access.h"

#include "people_sql.h"

#define CODE_DIGITS 6
#define CODE_AGAIN (20 * CLOCK_SECOND) /* a second press of the same button */

/* What a code is bound to, so that one for an address or purpose is worth nothing for another. */
static struct str bound_to(struct arena *arena, int64_t address_key, int64_t purpose)
{
	return str_format(arena, "%lld %lld", (long long)address_key, (long long)purpose);
}

static enum rc take_budgets(struct db_tx *tx, struct house *house, uint64_t destination, uint64_t source, int64_t now, int64_t *retry_after,
                            struct err *err)
{
	/* A source that is not known must not become everybody's. */
	enum rc rc = source ? budget_take(tx, house, BUDGET_CODE_SOURCE, source, now, retry_after, err) : OK;
	if (rc == OK)
		rc = budget_take(tx, house, BUDGET_CODE_DESTINATION, destination, now, retry_after, err);
	if (rc == OK)
		rc = budget_take(tx, house, BUDGET_CODE_ALL, 0, now, retry_after, err);
	return rc;
}

/* Where mail to it ends up: what follows a plus is a label that its owner, or whoever floods them, makes up. */
static struct str destination_of(struct arena *arena, struct str address)
{
	const size_t at = str_find(address, S("@"), 0), plus = str_find(address, S("+"), 0);

	if (at == SIZE_MAX || plus == SIZE_MAX || plus == 0 || plus > at)
		return address;
	return str_concat(arena, str_slice(address, 0, plus), str_slice(address, at, address.len));
}

enum rc code_issue(struct db_tx *tx, struct house *house, struct arena *arena, const struct code_request *request, int64_t now,
                   struct code_issued *out, struct err *err)
{
	const uint64_t key = budget_key(house, request->address);
	int64_t retry_after = 0;

	enum rc rc = take_budgets(tx, house, budget_key(house, destination_of(arena, request->address)), request->source, now, &retry_after, err);
	if (rc == BUSY)
		out->retry_after = retry_after;
	if (rc != OK)
		return rc;
	const struct str digits = code_new(arena);
	const struct code_insert_args args = {
		.contact_id = request->contact_id,
		.address_key = (int64_t)(key >> 1),
		.purpose = (int64_t)request->purpose,
		.hash = code_hash(house, arena, digits, bound_to(arena, (int64_t)(key >> 1), (int64_t)request->purpose)),
		.expires_at = now + CODE_LIFE,
		.created_at = now,
	};
	struct code_insert_row row;
	rc = code_insert(tx, arena, &args, &row, err);
	if (rc == OK)
		*out = (struct code_issued){ .id = row.id, .digits = digits, .salt = now };
	return rc;
}

/* Nothing for the first wrong tries, then 1, 2, 4 ... seconds. */
static int64_t wait_after(int64_t wrong)
{
	if (wrong <= CODE_WRONG_FREE)
		return 0;
	const int64_t doublings = wrong - CODE_WRONG_FREE - 1;
	const int64_t wait = doublings >= 20 ? CODE_WAIT_MAX : CLOCK_SECOND << doublings;
	return wait < CODE_WAIT_MAX ? wait : CODE_WAIT_MAX;
}

static bool code_fits(const struct house *house, struct arena *arena, const struct code_row *row, struct str digits)
{
	const struct str hash = code_hash(house, arena, digits, bound_to(arena, row->address_key, row->purpose));
	unsigned char difference = hash.len != row->hash.len;
	for (size_t i = 0; i < hash.len && i < row->hash.len; i++)
		difference |= (unsigned char)(hash.ptr[i] ^ row->hash.ptr[i]);
	return difference == 0;
}

/* `rows`: newest first. Wrong tries are counted on the newest; waiting is for all of them. */
static enum rc try_rows(struct db_tx *tx, struct house *house, struct arena *arena, const struct code_row *rows, size_t count, struct str digits,
                        int64_t now, struct code_result *out, struct err *err)
{
	int64_t changed = 0;

	*out = (struct code_result){ .answer = CODE_GONE, .contact_id = DB_NULL };
	if (!count)
		return OK;
	if (rows[0].not_before > now) {
		*out = (struct code_result){ .answer = CODE_WAIT, .contact_id = DB_NULL, .wait = rows[0].not_before - now };
		return OK;
	}
	for (size_t i = 0; digits.len == CODE_DIGITS && i < count; i++) {
		if (!code_fits(house, arena, &rows[i], digits) || rows[i].contact_id == DB_NULL)
			continue;
		enum rc rc = code_put_used(tx, &(struct code_put_used_args){ .used_at = now, .code_id = rows[i].id }, &changed, err);
		if (rc == OK && changed)
			*out = (struct code_result){ .answer = CODE_RIGHT, .contact_id = rows[i].contact_id };
		return rc;
	}
	out->answer = CODE_WRONG;
	const struct code_put_wrong_args wrong = { .not_before = now + wait_after(rows[0].wrong + 1), .code_id = rows[0].id };
	return code_put_wrong(tx, &wrong, NULL, err);
}

enum rc code_try_contact(struct db_tx *tx, struct house *house, struct arena *arena, int64_t contact_id, struct str digits, int64_t now,
                         struct code_result *out, struct err *err)
{
	const struct code_list_live_args args = { .contact_id = contact_id, .purpose = CODE_CONFIRM, .now = now };
	struct code_row *rows;
	size_t count;

	enum rc rc = code_list_live(tx, arena, &args, &rows, &count, err);
	return rc == OK ? try_rows(tx, house, arena, rows, count, digits, now, out, err) : rc;
}

enum rc code_try_open(struct db_tx *tx, struct house *house, struct arena *arena, int64_t code_id, struct str digits, int64_t now,
                      struct code_result *out, struct err *err)
{
	struct code_row row;

	enum rc rc = code_row_find(tx, arena, &(struct code_row_find_args){ .code_id = code_id }, &row, err);
	if (rc != OK && rc != NOT_FOUND)
		return rc;
	/* The button pressed twice: whoever has the page and the code is answered as before, for a moment. */
	if (rc == OK && row.purpose == CODE_OPEN && row.used_at != DB_NULL && now - row.used_at < CODE_AGAIN && code_fits(house, arena, &row, digits)) {
		*out = (struct code_result){ .answer = CODE_RIGHT, .contact_id = row.contact_id };
		return OK;
	}
	const bool alive = rc == OK && row.purpose == CODE_OPEN && row.used_at == DB_NULL && row.expires_at > now;
	return try_rows(tx, house, arena, &row, alive ? 1 : 0, digits, now, out, err);
}

enum rc code_last(struct db_tx *tx, struct arena *arena, int64_t contact_id, int64_t *made_out, int64_t *until_out, struct err *err)
{
	const struct code_list_live_args args = { .contact_id = contact_id, .purpose = CODE_CONFIRM, .now = 0 };
	struct code_row *rows;
	size_t count;

	enum rc rc = code_list_live(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	*made_out = count ? rows[0].created_at : 0;
	*until_out = count ? rows[0].expires_at : 0;
	return OK;
}

enum rc code_find(struct db_tx *tx, struct arena *arena, int64_t code_id, int64_t *salt_out, int64_t *used_at_out, int64_t *contact_id_out,
                  struct err *err)
{
	struct code_row row;

	enum rc rc = code_row_find(tx, arena, &(struct code_row_find_args){ .code_id = code_id }, &row, err);
	if (rc != OK)
		return rc;
	*salt_out = row.created_at;
	*used_at_out = row.used_at;
	*contact_id_out = row.used_at != DB_NULL ? row.contact_id : DB_NULL;
	return OK;
}
