/* Signing in and out, and the one-time set-up of a new officer. */
#include <qrencode.h>

#include "base/base.h"
#include "kernel/access/access_private.h"
#include "kernel/access/factors.h"
#include "kernel/access/views.h"
#include "kernel/ledger/ledger.h"

#include "access_pages.h"

/* --- sign in ---------------------------------------------------------------------------------------------- */

static void
sign_in_show(struct request *request, struct response *response, struct str login, struct str next, const struct err *err)
{
	struct html out = html_begin(request, response);
	const struct sign_in_view view = {
		.page = { .title = T(request->arena, request->language, MSG_access_sign_in), .errors = err, .canonical = S("/sign-in") },
		.login = login,
		.next = next,
	};

	sign_in_page(&out, &view);
}

/* Only a path of ours, and nothing a browser might read as another host. */
static struct str
next_read(struct str next)
{
	if (next.len < 1 || next.len > 500 || next.ptr[0] != '/')
		return S("/desk");
	for (size_t i = 0; i < next.len; i++)
		if ((unsigned char)next.ptr[i] <= ' ' || next.ptr[i] == 0x7f || next.ptr[i] == '\\' || (next.ptr[i] == '/' && i == 1))
			return S("/desk");
	return next;
}

void
sign_in_get(struct request *request, struct response *response)
{
	sign_in_show(request, response, S(""), next_read(request_query(request, "next")), NULL);
}

struct sign_in_work {
	struct request *request;
	struct str login, code;
	uint64_t account_key, source_key;
	struct officer_row officer;
	bool known, password_fits;
	int64_t retry_after;
};

static enum rc
sign_in_find(struct db_tx *tx, void *context, struct err *err)
{
	struct sign_in_work *work = context;

	enum rc rc = officer_find_login(tx, work->request->arena, &(struct officer_find_login_args){ .login = work->login }, &work->officer, err);
	work->known = rc == OK && work->officer.disabled_at == DB_NULL && work->officer.password.len > 0;
	return rc == NOT_FOUND ? OK : rc;
}

/* Takes a try from both budgets before anything is compared, so that guessing is slow whatever the answer. */
static enum rc
sign_in_try(struct db_tx *tx, void *context, struct err *err)
{
	struct sign_in_work *work = context;
	struct house *house = work->request->house;
	const int64_t now = work->request->now;

	enum rc rc = budget_take(tx, house, BUDGET_SIGN_IN_ACCOUNT, work->account_key, now, &work->retry_after, err);
	/* A source that is not known must not become everybody's. */
	return rc == OK && work->request->source ? budget_take(tx, house, BUDGET_SIGN_IN_SOURCE, work->source_key, now, &work->retry_after, err) : rc;
}

static enum rc
sign_in_finish(struct db_tx *tx, void *context, struct err *err)
{
	struct sign_in_work *work = context;
	struct request *request = work->request;

	enum rc rc = officer_use_code(tx, request->house, &work->officer, work->code, request->now, err);
	return rc == OK ? ledger_append(tx, work->officer.id, "officer.sign_in",
	                                str_format(request->arena, "officer:%.*s", STR_ARG(work->officer.public_id)), STR_NONE, request->now, err)
	                : rc;
}

/* OK, DENIED or another code; nothing tells a wrong login from a wrong password or code. */
static enum rc
sign_in_decide(struct sign_in_work *work, struct str password, struct err *err)
{
	struct db *db = work->request->house->db;

	enum rc rc = db_write(db, DB_LANE_PERSON, sign_in_try, work, err);
	if (rc == OK)
		rc = db_read(db, sign_in_find, work, err);
	if (rc == OK)
		rc = password_verify(work->known ? work->officer.password : S(""), password, err);
	if (rc == OK)
		rc = db_write(db, DB_LANE_PERSON, sign_in_finish, work, err);
	return rc;
}

void
sign_in_post(struct request *request, struct response *response)
{
	const struct str login = str_lower(request->arena, str_trim(request_form(request, "login")));
	const struct str next = next_read(request_form(request, "next"));
	struct err err;

	err_init(&err, request->arena);
	struct sign_in_work work = {
		.request = request,
		.login = login,
		.code = request_form(request, "code"),
		/* Account and source together: an attacker elsewhere cannot use up the owner's tries. */
		.account_key = budget_key(request->house, str_format(request->arena, "%.*s %llx", STR_ARG(login), (unsigned long long)request->source)),
		.source_key = request->source >> 1,
	};
	enum rc rc = sign_in_decide(&work, request_form(request, "password"), &err);
	if (rc == OK)
		rc = session_begin(request, response, work.officer.id, &err);
	if (rc == OK) {
		response_redirect(response, next);
		return;
	}
	if (rc == DENIED) {
		err_field(&err, S("login"), MSG_access_sign_in_wrong, STR_NONE, STR_NONE);
		log_info("sign_in.refused");
	} else if (rc == BUSY && work.retry_after) {
		err_field(&err, S("login"), MSG_access_sign_in_slow,
		          str_format(request->arena, "%lld", (long long)(work.retry_after / CLOCK_SECOND + 1)), STR_NONE);
		response->status = 429;
	} else {
		response_error(request, response, rc, &err);
		return;
	}
	if (response->status != 429)
		response->status = 422;
	sign_in_show(request, response, login, next, &err);
}

void
sign_out_post(struct request *request, struct response *response)
{
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = session_finish(request, response, &err);
	if (rc == OK)
		response_redirect(response, S("/"));
	else
		response_error(request, response, rc, &err);
}

/* --- set up ----------------------------------------------------------------------------------------------- */

/* The officer whose link this is; NOT_FOUND with a page that says what to do otherwise. */
static enum rc
setup_officer(struct request *request, struct officer_row *out, struct err *err)
{
	const struct str token = request_capture(request, "token");
	int64_t id;

	enum rc rc = capability_id(token, &id) ? officer_load(request->house, request->arena, id, out, err) : NOT_FOUND;
	if (rc == OK && (!capability_check(request->house, token, "setup", id, out->setup_salt) || out->setup_until < request->now ||
	                 out->disabled_at != DB_NULL))
		rc = NOT_FOUND;
	if (rc == NOT_FOUND)
		err_field(err, STR_NONE, MSG_access_setup_over, STR_NONE, STR_NONE);
	return rc;
}

/* The otpauth address as an SVG of squares, one path, dark on light whatever the page's colours. */
static struct html_markup
drawing_of(struct arena *arena, struct str address, struct str label)
{
	QRcode *code = QRcode_encodeString8bit(str_c(arena, address), 0, QR_ECLEVEL_M);
	struct buf buf;

	if (!code)
		return (struct html_markup){ S("") };
	buf_init(&buf);
	const int width = code->width;
	buf_format(&buf, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"-4 -4 %d %d\" role=\"img\"><title>%.*s</title>"
	           "<path fill=\"#fff\" d=\"M-4-4h%dv%dh-%dz\"/><path d=\"",
	           (width + 8) * 4, (width + 8) * 4, width + 8, width + 8, STR_ARG(label), width + 8, width + 8, width + 8);
	for (int y = 0; y < width; y++)
		for (int x = 0; x < width; x++)
			if (code->data[y * width + x] & 1)
				buf_format(&buf, "M%d %dh1v1h-1z", x, y);
	buf_add_str(&buf, S("\"/></svg>"));
	QRcode_free(code);
	const struct html_markup markup = { str_copy(arena, buf_str(&buf)) };
	buf_release(&buf);
	return markup;
}

static struct str
in_groups(struct arena *arena, struct str text)
{
	struct str grouped = S("");

	for (size_t i = 0; i < text.len; i += 4)
		grouped = str_format(arena, "%.*s%s%.*s", STR_ARG(grouped), i ? " " : "", STR_ARG(str_slice(text, i, i + 4)));
	return grouped;
}

static void
setup_show(struct request *request, struct response *response, const struct officer_row *officer, const struct err *err)
{
	uint8_t secret[TOTP_SECRET_SIZE];
	struct html out = html_begin(request, response);

	totp_secret_of_link(request->house, officer->id, officer->setup_salt, secret);
	const struct str text = totp_secret_text(request->arena, secret, sizeof secret);
	const struct str address = str_format(request->arena, "otpauth://totp/Chancery:%.*s?secret=%.*s&issuer=Chancery", STR_ARG(officer->login), STR_ARG(text));
	const struct setup_view view = {
		.page = { .title = T(request->arena, request->language, MSG_access_setup_title), .errors = err },
		.path = request->path,
		.name = officer->name,
		.login = officer->login,
		.secret = in_groups(request->arena, text),
		.otpauth = { address },
		.drawing = drawing_of(request->arena, address, T(request->arena, request->language, MSG_access_setup_drawing)),
	};
	setup_page(&out, &view);
}

void
setup_get(struct request *request, struct response *response)
{
	struct officer_row officer;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = setup_officer(request, &officer, &err);
	if (rc == OK)
		setup_show(request, response, &officer, NULL);
	else
		response_error(request, response, rc, &err);
}

struct setup_work {
	struct request *request;
	const struct officer_row *officer;
	struct str password_hash, secret;
	int64_t step;
	struct str codes[RECOVERY_CODES];
};

static enum rc
setup_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct setup_work *work = context;
	struct request *request = work->request;
	struct officer_row fresh;

	/* Read again: the link may have been used between the page and now. */
	enum rc rc = officer_find(tx, request->arena, &(struct officer_find_args){ .officer_id = work->officer->id }, &fresh, err);
	if (rc == OK && fresh.setup_salt != work->officer->setup_salt)
		rc = CONFLICT;
	if (rc != OK)
		return rc;
	rc = officer_set_up(tx,
	                    &(struct officer_set_up_args){ .password = work->password_hash,
	                                                   .totp_secret = work->secret,
	                                                   .totp_counter = work->step,
	                                                   .setup_salt = (int64_t)(rand_u64() >> 1),
	                                                   .officer_id = fresh.id },
	                    NULL, err);
	if (rc == OK)
		rc = session_end_others(tx, &(struct session_end_others_args){ .ended_at = request->now, .officer_id = fresh.id, .session_id = 0 }, NULL, err);
	if (rc == OK)
		rc = recovery_codes_new(tx, request->house, request->arena, fresh.id, work->codes, err);
	return rc == OK ? ledger_append(tx, fresh.id, "officer.set_up", str_format(request->arena, "officer:%.*s", STR_ARG(fresh.public_id)), STR_NONE,
	                                request->now, err)
	                : rc;
}

void
setup_post(struct request *request, struct response *response)
{
	const struct str password = request_form(request, "password");
	uint8_t secret[TOTP_SECRET_SIZE];
	struct officer_row officer;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = setup_officer(request, &officer, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct setup_work work = { .request = request, .officer = &officer };
	totp_secret_of_link(request->house, officer.id, officer.setup_salt, secret);
	work.secret = totp_secret_text(request->arena, secret, sizeof secret);
	work.step = totp_match(secret, sizeof secret, str_trim(text_ascii_digits(request->arena, request_form(request, "code"))), request->now, 0);
	password_rules(password, officer.login, officer.name, S("password"), &err);
	if (!str_equal(password, request_form(request, "again")))
		err_field(&err, S("again"), MSG_access_password_differs, STR_NONE, STR_NONE);
	if (!work.step)
		err_field(&err, S("code"), MSG_access_code_wrong, STR_NONE, STR_NONE);
	if (err.field_count) {
		response->status = 422;
		setup_show(request, response, &officer, &err);
		return;
	}
	rc = password_hash(request->arena, password, &work.password_hash, &err);
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, setup_in_store, &work, &err);
	session_forget();
	if (rc == OK)
		rc = session_begin(request, response, officer.id, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	/* The one page that answers a post itself: the codes are shown once and stand nowhere in readable form. */
	struct html out = html_begin(request, response);
	const struct codes_view view = {
		.page = { .title = T(request->arena, request->language, MSG_access_codes_title), .canonical = S("/desk/me") },
		.codes = work.codes,
		.code_count = RECOVERY_CODES,
	};
	codes_page(&out, &view);
}
