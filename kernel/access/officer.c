/* Officers: adding, loading, their second factor and recovery codes. */
#include <sodium.h>

#include "base/base.h"
#include "kernel/access/access_private.h"
#include "kernel/access/factors.h"
#include "kernel/ledger/ledger.h"

#define RECOVERY_CODE_LENGTH 16 /* base32: 80 bits, and tries are slowed down */

static const char *const permission_names[] = { [PERMIT_READER] = "reader", [PERMIT_OFFICER] = "officer", [PERMIT_ADMINISTRATOR] = "administrator" };

const char *
permission_name(enum permission permission)
{
	return permission_names[permission];
}

bool
permission_read(struct str text, enum permission *out)
{
	for (size_t i = PERMIT_READER; i <= PERMIT_ADMINISTRATOR; i++) {
		if (str_equal(text, str_from(permission_names[i]))) {
			*out = (enum permission)i;
			return true;
		}
	}
	return false;
}

enum msg
permission_message(enum permission permission)
{
	switch (permission) {
	case PERMIT_ADMINISTRATOR:
		return MSG_access_administrator;
	case PERMIT_OFFICER:
		return MSG_access_officer;
	default:
		return MSG_access_reader;
	}
}

bool
access_allows(const struct officer *officer, enum permission permission)
{
	if (permission == PERMIT_ANYONE)
		return true;
	return officer && permission != PERMIT_PRIVATE && officer->permission >= permission;
}

struct add_work {
	struct house *house;
	struct arena *arena;
	struct str name, login;
	enum permission permission;
	int64_t id, salt, by, now;
};

static enum rc
add_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct add_work *work = context;
	struct officer_row known;
	struct officer_insert_row added;

	enum rc rc = officer_find_login(tx, work->arena, &(struct officer_find_login_args){ .login = work->login }, &known, err);
	if (rc == OK)
		return err_field(err, S("login"), MSG_access_login_taken, STR_NONE, STR_NONE), CONFLICT;
	if (rc != NOT_FOUND)
		return rc;
	const struct officer_insert_args args = {
		.public_id = rand_id(work->arena),
		.login = work->login,
		.name = work->name,
		.permission = (int64_t)work->permission,
		.language = S("en"),
		.zone = S("UTC"),
		.setup_salt = work->salt,
		.setup_until = work->now + OFFICER_SETUP_HOURS * CLOCK_HOUR,
		.created_at = work->now,
	};
	rc = officer_insert(tx, work->arena, &args, &added, err);
	if (rc != OK)
		return rc;
	work->id = added.id;
	return ledger_append(tx, work->by, "officer.add", str_format(work->arena, "officer:%.*s", STR_ARG(args.public_id)),
	                     str_format(work->arena, "{\"permission\":\"%s\"}", permission_name(work->permission)), work->now, err);
}

static enum rc
login_read(struct arena *arena, struct str text, struct str *out, struct err *err)
{
	const struct str login = str_lower(arena, str_trim(text));

	if (login.len < 2 || login.len > OFFICER_LOGIN_MAX)
		return err_field(err, S("login"), MSG_access_login_rule, STR_NONE, STR_NONE);
	for (size_t i = 0; i < login.len; i++) {
		const char c = login.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '@'))
			return err_field(err, S("login"), MSG_access_login_rule, STR_NONE, STR_NONE);
	}
	*out = login;
	return OK;
}

enum rc
officer_add(struct house *house, struct arena *arena, struct str name, struct str login, enum permission permission, int64_t by,
            struct str *setup_path_out, struct err *err)
{
	struct add_work work = {
		.house = house,
		.arena = arena,
		.name = str_trim(name),
		.permission = permission,
		.salt = (int64_t)(rand_u64() >> 1),
		.by = by,
		.now = clock_now(),
	};
	const size_t length = utf8_length(work.name);

	if (length < 1 || length > OFFICER_NAME_MAX || !utf8_valid(work.name))
		err_field(err, S("name"), MSG_access_name_rule, STR_NONE, STR_NONE);
	if (permission < PERMIT_READER || permission > PERMIT_ADMINISTRATOR)
		err_field(err, S("permission"), MSG_access_permission_rule, STR_NONE, STR_NONE);
	if (login_read(arena, login, &work.login, err) != OK || err->field_count)
		return INVALID;
	enum rc rc = db_write(house->db, DB_LANE_PERSON, add_in_store, &work, err);
	if (rc == OK)
		*setup_path_out = str_concat(arena, S("/setup/"), capability_token(house, arena, "setup", work.id, work.salt));
	return rc;
}

static enum rc
relink_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct add_work *work = context;
	struct officer_row row;

	enum rc rc = officer_find_login(tx, work->arena, &(struct officer_find_login_args){ .login = work->login }, &row, err);
	if (rc != OK)
		return rc;
	work->id = row.id;
	rc = officer_new_link(tx,
	                      &(struct officer_new_link_args){
	                          .setup_salt = work->salt, .setup_until = work->now + OFFICER_SETUP_HOURS * CLOCK_HOUR, .officer_id = row.id },
	                      NULL, err);
	if (rc != OK)
		return rc;
	return ledger_append(tx, work->by, "officer.link", str_format(work->arena, "officer:%.*s", STR_ARG(row.public_id)), STR_NONE, work->now, err);
}

enum rc
officer_link(struct house *house, struct arena *arena, struct str login, int64_t by, struct str *setup_path_out, struct err *err)
{
	struct add_work work = { .house = house, .arena = arena, .salt = (int64_t)(rand_u64() >> 1), .by = by, .now = clock_now() };

	enum rc rc = login_read(arena, login, &work.login, err);
	if (rc == OK)
		rc = db_write(house->db, DB_LANE_PERSON, relink_in_store, &work, err);
	if (rc == OK)
		*setup_path_out = str_concat(arena, S("/setup/"), capability_token(house, arena, "setup", work.id, work.salt));
	return rc;
}

struct disable_work {
	struct arena *arena;
	struct str login;
	bool disable;
	int64_t by, now;
};

static enum rc
disable_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct disable_work *work = context;
	struct officer_row row;

	enum rc rc = officer_find_login(tx, work->arena, &(struct officer_find_login_args){ .login = work->login }, &row, err);
	if (rc != OK)
		return rc;
	/* Whoever locks themself out may be the last who could undo it. */
	if (work->disable && work->by == row.id)
		return DENIED;
	if (work->disable)
		rc = officer_disable(tx, &(struct officer_disable_args){ .disabled_at = work->now, .officer_id = row.id }, NULL, err);
	else
		rc = officer_enable(tx, &(struct officer_enable_args){ .officer_id = row.id }, NULL, err);
	if (rc == OK)
		rc = session_end_others(tx, &(struct session_end_others_args){ .ended_at = work->now, .officer_id = row.id, .session_id = 0 }, NULL, err);
	if (rc == OK)
		rc = db_change_append(tx, S("session"), row.id, err);
	return rc == OK ? ledger_append(tx, work->by, work->disable ? "officer.disable" : "officer.enable",
	                                str_format(work->arena, "officer:%.*s", STR_ARG(row.public_id)), STR_NONE, work->now, err)
	                : rc;
}

enum rc
officer_set_disabled(struct house *house, struct arena *arena, struct str login, bool disabled, int64_t by, struct err *err)
{
	struct disable_work work = { .arena = arena, .disable = disabled, .by = by, .now = clock_now() };

	enum rc rc = login_read(arena, login, &work.login, err);
	if (rc == OK)
		rc = db_write(house->db, DB_LANE_PERSON, disable_in_store, &work, err);
	session_forget();
	return rc;
}

struct load_work {
	struct arena *arena;
	int64_t id;
	struct officer_row *out;
	struct officer_row **rows;
	size_t *count;
};

static enum rc
load_from_store(struct db_tx *tx, void *context, struct err *err)
{
	struct load_work *work = context;

	return officer_find(tx, work->arena, &(struct officer_find_args){ .officer_id = work->id }, work->out, err);
}

enum rc
officer_load(struct house *house, struct arena *arena, int64_t officer_id, struct officer_row *out, struct err *err)
{
	struct load_work work = { .arena = arena, .id = officer_id, .out = out };

	return db_read(house->db, load_from_store, &work, err);
}

static enum rc
each_from_store(struct db_tx *tx, void *context, struct err *err)
{
	struct load_work *work = context;

	return officer_list(tx, work->arena, work->rows, work->count, err);
}

enum rc
officer_each(struct house *house, struct arena *arena, void (*each)(void *context, const struct officer_summary *officer), void *context,
             struct err *err)
{
	struct officer_row *rows = NULL;
	size_t count = 0;
	struct load_work work = { .arena = arena, .rows = &rows, .count = &count };

	enum rc rc = db_read(house->db, each_from_store, &work, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		const struct officer_summary summary = {
			.public_id = rows[i].public_id,
			.login = rows[i].login,
			.name = rows[i].name,
			.permission = (enum permission)rows[i].permission,
			.set_up = rows[i].password.len > 0,
			.disabled = rows[i].disabled_at != DB_NULL,
		};
		each(context, &summary);
	}
	return rc;
}

static struct str
recovery_hash(const struct house *house, struct arena *arena, int64_t officer_id, struct str code)
{
	return code_hash(house, arena, code, str_format(arena, "officer %lld", (long long)officer_id));
}

enum rc
recovery_codes_new(struct db_tx *tx, const struct house *house, struct arena *arena, int64_t officer_id, struct str codes[], struct err *err)
{
	enum rc rc = recovery_code_remove_all(tx, &(struct recovery_code_remove_all_args){ .officer_id = officer_id }, NULL, err);

	for (size_t i = 0; rc == OK && i < RECOVERY_CODES; i++) {
		codes[i] = rand_token(arena, RECOVERY_CODE_LENGTH);
		rc = recovery_code_insert(
		    tx, &(struct recovery_code_insert_args){ .officer_id = officer_id, .hash = recovery_hash(house, arena, officer_id, codes[i]) }, NULL, err);
	}
	return rc;
}

enum rc
officer_use_code(struct db_tx *tx, const struct house *house, const struct officer_row *officer, struct str code, int64_t now, struct err *err)
{
	uint8_t secret[TOTP_SECRET_SIZE];
	struct arena arena;
	int64_t used = 0;
	enum rc rc = OK;

	arena_init(&arena);
	const struct str plain = str_lower(&arena, str_trim(text_ascii_digits(&arena, code)));
	if (plain.len == RECOVERY_CODE_LENGTH) {
		rc = recovery_code_use(
		    tx, &(struct recovery_code_use_args){ .used_at = now, .officer_id = officer->id, .hash = recovery_hash(house, &arena, officer->id, plain) },
		    &used, err);
	} else if (totp_secret_read(officer->totp_secret, secret)) {
		const int64_t step = totp_match(secret, sizeof secret, plain, now, officer->totp_counter);
		if (step)
			rc = officer_use_totp(tx, &(struct officer_use_totp_args){ .totp_counter = step, .officer_id = officer->id }, &used, err);
	}
	arena_release(&arena);
	if (rc == OK && !used)
		return DENIED;
	return rc;
}
