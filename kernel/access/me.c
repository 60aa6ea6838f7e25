/* An officer's own account, and the administrators' list of officers. */
#include <unicode/ucal.h>

#include "base/base.h"
#include "kernel/access/access_private.h"
#include "kernel/access/factors.h"
#include "kernel/access/views.h"
#include "kernel/ledger/ledger.h"

#include "access_pages.h"

#define NOTICE_SAVED "saved"
#define NOTICE_PASSWORD "password"
#define NOTICE_ENDED "ended"

/* What a redirect says was done; anything else in the address says nothing. */
static struct str
notice_of(struct request *request)
{
	const struct str done = request_query(request, "done");

	if (str_equal(done, S(NOTICE_SAVED)))
		return T(request->arena, request->language, MSG_access_saved);
	if (str_equal(done, S(NOTICE_PASSWORD)))
		return T(request->arena, request->language, MSG_access_password_changed);
	if (str_equal(done, S(NOTICE_ENDED)))
		return T(request->arena, request->language, MSG_access_sessions_ended);
	return STR_NONE;
}

struct me_work {
	struct request *request;
	struct officer_row officer;
	struct session_list_of_row *sessions;
	size_t session_count;
	struct str language, zone;  /* preferences */
	struct str code, hash;      /* a new password */
	int64_t session;            /* to end; 0 all others */
};

static enum rc
me_read(struct db_tx *tx, void *context, struct err *err)
{
	struct me_work *work = context;
	struct arena *arena = work->request->arena;
	const int64_t id = work->request->officer->id;

	enum rc rc = officer_find(tx, arena, &(struct officer_find_args){ .officer_id = id }, &work->officer, err);
	return rc == OK ? session_list_of(tx, arena, &(struct session_list_of_args){ .officer_id = id }, &work->sessions, &work->session_count, err) : rc;
}

static void
me_show(struct request *request, struct response *response, const struct err *errors)
{
	struct me_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, me_read, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct me_view view = {
		.page = { .title = T(request->arena, request->language, MSG_access_me_title), .officer_page = true, .errors = errors,
		          .notice = errors ? STR_NONE : notice_of(request), .canonical = S("/desk/me") },
		.name = work.officer.name,
		.login = work.officer.login,
		.zone = errors && !str_is_none(request_form(request, "zone")) ? request_form(request, "zone") : work.officer.zone,
		.sessions = ARENA_NEW_ARRAY(request->arena, struct session_view, work.session_count),
		.session_count = work.session_count,
	};
	for (size_t i = 0; i < LANGUAGE_COUNT; i++)
		view.languages[i] = (struct choice){ str_from(languages[i].tag), str_from(languages[i].name),
			                             str_equal(work.officer.language, str_from(languages[i].tag)) };
	for (size_t i = 0; i < work.session_count; i++)
		view.sessions[i] = (struct session_view){ .id = work.sessions[i].id, .created_at = work.sessions[i].created_at,
			                                  .seen_at = work.sessions[i].seen_at, .here = work.sessions[i].id == request->officer->session_id };
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	me_page(&out, &view);
}

void
me_get(struct request *request, struct response *response)
{
	me_show(request, response, NULL);
}

static enum rc
preferences_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct me_work *work = context;
	const int64_t id = work->request->officer->id;

	enum rc rc = officer_set_preferences(
	    tx, &(struct officer_set_preferences_args){ .language = work->language, .zone = work->zone, .officer_id = id }, NULL, err);
	return rc == OK ? db_change_append(tx, S("session"), id, err) : rc;
}

/* IANA's name as ICU knows it. */
static bool
zone_known(struct str zone)
{
	UChar name[64];
	UErrorCode status = U_ZERO_ERROR;
	UBool known = 0;
	UChar canonical[64];

	if (zone.len < 2 || zone.len >= COUNT_OF(name))
		return false;
	for (size_t i = 0; i < zone.len; i++) {
		if ((unsigned char)zone.ptr[i] > 0x7e)
			return false;
		name[i] = (UChar)zone.ptr[i];
	}
	ucal_getCanonicalTimeZoneID(name, (int32_t)zone.len, canonical, COUNT_OF(canonical), &known, &status);
	return U_SUCCESS(status) && known;
}

void
me_preferences_post(struct request *request, struct response *response)
{
	struct me_work work = { .request = request, .language = request_form(request, "language"), .zone = str_trim(request_form(request, "zone")) };
	struct err err;

	err_init(&err, request->arena);
	if (!zone_known(work.zone))
		err_field(&err, S("zone"), MSG_access_zone_rule, STR_NONE, STR_NONE);
	if (language_find(work.language) == LANGUAGE_COUNT)
		work.language = request->officer->language;
	if (err.field_count) {
		response->status = 422;
		me_show(request, response, &err);
		return;
	}
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, preferences_in_store, &work, &err);
	session_forget();
	if (rc == OK)
		response_redirect(response, S("/desk/me?done=" NOTICE_SAVED));
	else
		response_error(request, response, rc, &err);
}

static enum rc
password_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct me_work *work = context;
	struct request *request = work->request;

	enum rc rc = officer_use_code(tx, request->house, &work->officer, work->code, request->now, err);
	if (rc == OK)
		rc = officer_set_password(tx, &(struct officer_set_password_args){ .password = work->hash, .officer_id = work->officer.id }, NULL, err);
	if (rc == OK)
		rc = session_end_others(tx,
		                        &(struct session_end_others_args){
		                            .ended_at = request->now, .officer_id = work->officer.id, .session_id = request->officer->session_id },
		                        NULL, err);
	if (rc == OK)
		rc = db_change_append(tx, S("session"), work->officer.id, err);
	return rc == OK ? ledger_append(tx, work->officer.id, "officer.password", str_format(request->arena, "officer:%.*s", STR_ARG(work->officer.public_id)),
	                                STR_NONE, request->now, err)
	                : rc;
}

static enum rc
password_try(struct db_tx *tx, void *context, struct err *err)
{
	struct me_work *work = context;
	struct request *request = work->request;

	return budget_take(tx, request->house, BUDGET_SIGN_IN_ACCOUNT, (uint64_t)request->officer->id, request->now, NULL, err);
}

void
me_password_post(struct request *request, struct response *response)
{
	struct me_work work = { .request = request, .code = request_form(request, "code") };
	const struct str fresh = request_form(request, "new_password");
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, me_read, &work, &err);
	if (rc == OK)
		rc = password_rules(fresh, work.officer.login, work.officer.name, S("new_password"), &err);
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, password_try, &work, &err);
	if (rc == OK)
		rc = password_verify(work.officer.password, request_form(request, "password"), &err);
	if (rc == OK)
		rc = password_hash(request->arena, fresh, &work.hash, &err);
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, password_in_store, &work, &err);
	session_forget();
	if (rc == DENIED)
		rc = err_field(&err, S("password"), MSG_access_sign_in_wrong, STR_NONE, STR_NONE);
	if (rc == OK) {
		response_redirect(response, S("/desk/me?done=" NOTICE_PASSWORD));
	} else if (rc == INVALID) {
		response->status = 422;
		me_show(request, response, &err);
	} else {
		response_error(request, response, rc, &err);
	}
}

static enum rc
sessions_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct me_work *work = context;
	const struct officer *officer = work->request->officer;
	const int64_t now = work->request->now;
	enum rc rc;

	if (work->session)
		rc = session_end_of(tx, &(struct session_end_of_args){ .ended_at = now, .session_id = work->session, .officer_id = officer->id }, NULL, err);
	else
		rc = session_end_others(
		    tx, &(struct session_end_others_args){ .ended_at = now, .officer_id = officer->id, .session_id = officer->session_id }, NULL, err);
	return rc == OK ? db_change_append(tx, S("session"), officer->id, err) : rc;
}

void
me_sessions_post(struct request *request, struct response *response)
{
	struct me_work work = { .request = request };
	const struct str which = request_form(request, "session");
	struct err err;

	err_init(&err, request->arena);
	if (!str_equal(which, S("others")) && (!str_to_int(which, &work.session) || work.session <= 0)) {
		response_error(request, response, NOT_FOUND, &err);
		return;
	}
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, sessions_in_store, &work, &err);
	session_forget();
	if (rc == OK)
		response_redirect(response, S("/desk/me?done=" NOTICE_ENDED));
	else
		response_error(request, response, rc, &err);
}

/* --- administrators --------------------------------------------------------------------------------------- */

struct users_list {
	struct request *request;
	struct user_view *users;
	size_t count, capacity;
};

static void
users_add_row(void *context, const struct officer_summary *officer)
{
	struct users_list *list = context;
	const struct user_view row = {
		.name = officer->name,
		.login = officer->login,
		.permission = permission_message(officer->permission),
		.set_up = officer->set_up,
		.disabled = officer->disabled,
		.me = str_equal(officer->public_id, list->request->officer->public_id),
	};

	ARENA_PUSH(list->request->arena, list->users, list->count, list->capacity, row);
}

static void
users_show(struct request *request, struct response *response, struct str link, struct str link_name, const struct err *errors)
{
	struct users_list list = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = officer_each(request->house, request->arena, users_add_row, &list, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const struct str chosen = request->method == METHOD_POST ? request_form(request, "permission") : S("officer");
	struct users_view view = {
		.page = { .title = T(request->arena, request->language, MSG_access_users_title), .officer_page = true, .errors = errors,
		          .notice = str_equal(request_query(request, "done"), S(NOTICE_SAVED)) ? T(request->arena, request->language, MSG_access_changed) : STR_NONE,
		          .canonical = S("/desk/users") },
		.users = list.users,
		.user_count = list.count,
		.name = errors ? request_form(request, "name") : S(""),
		.login = errors ? request_form(request, "login") : S(""),
		.link = link,
		.link_name = link_name,
	};
	for (size_t i = 0; i < COUNT_OF(view.permissions); i++) {
		const enum permission permission = (enum permission)(PERMIT_READER + i);
		view.permissions[i] = (struct choice){ str_from(permission_name(permission)), T(request->arena, request->language, permission_message(permission)),
			                               str_equal(chosen, str_from(permission_name(permission))) };
	}
	struct html out = html_begin(request, response);
	users_page(&out, &view);
}

void
users_get(struct request *request, struct response *response)
{
	users_show(request, response, STR_NONE, STR_NONE, NULL);
}

/* Shows the link at once instead of redirecting: it is a secret, and no address may hold it. */
void
users_add_post(struct request *request, struct response *response)
{
	const struct str name = request_form(request, "name");
	enum permission permission = PERMIT_ANYONE;
	struct str path;
	struct err err;

	err_init(&err, request->arena);
	permission_read(request_form(request, "permission"), &permission);
	enum rc rc = officer_add(request->house, request->arena, name, request_form(request, "login"), permission, request->officer->id, &path, &err);
	if (rc == OK) {
		users_show(request, response, str_concat(request->arena, str_from(request->house->public_url), path), name, NULL);
	} else if (rc == INVALID || rc == CONFLICT) {
		response->status = rc == INVALID ? 422 : 409;
		users_show(request, response, STR_NONE, STR_NONE, &err);
	} else {
		response_error(request, response, rc, &err);
	}
}

void
users_change_post(struct request *request, struct response *response)
{
	const struct str what = request_form(request, "do"), login = request_form(request, "login");
	struct str path;
	struct err err;
	enum rc rc = NOT_FOUND;

	err_init(&err, request->arena);
	if (str_equal(what, S("link"))) {
		rc = officer_link(request->house, request->arena, login, request->officer->id, &path, &err);
		if (rc == OK) {
			users_show(request, response, str_concat(request->arena, str_from(request->house->public_url), path), login, NULL);
			return;
		}
	} else if (str_equal(what, S("disable")) || str_equal(what, S("enable"))) {
		rc = officer_set_disabled(request->house, request->arena, login, str_equal(what, S("disable")), request->officer->id, &err);
	}
	if (rc == OK)
		response_redirect(response, S("/desk/users?done=" NOTICE_SAVED));
	else
		response_error(request, response, rc, &err);
}
