/* The page behind an answer link. Opening it changes nothing: scanners and previews of mail open links, too. */
#include <jansson.h>

#include "desks/travel/board.h"
#include "desks/travel/push.h"
#include "desks/travel/response.h"
#include "kernel/desk/hub.h"
#include "kernel/http/http.h"

#include "travel_pages.h"

#define RENDERING_KEY_LEAST 16 /* characters */
#define RENDERING_KEY_MOST 64


#define STATUS_GONE 410

struct answering {
	struct request *request;
	struct str token;
	struct board_alert alert;
	struct person person;
	struct recipient row;
	bool targeted, ended;
	struct response_row *answers;
	size_t answer_count;
	struct companion *companions;
	size_t companion_count;
	int64_t unnamed;
	struct str headline, headline_language;
	struct response_new said;
	int64_t id;
};

/* --- finding -------------------------------------------------------------------------------------------------- */

/* NOT_FOUND for a link that is none of ours or was revoked. */
static enum rc find_link(struct db_tx *tx, struct answering *work, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct alert alert;
	enum rc rc = alert_answer_find(tx, work->request->house, arena, work->token, &alert, &work->person, err);
	if (rc == OK && work->person.ended_at != DB_NULL)
		return NOT_FOUND;
	if (rc == OK)
		rc = board_alert_find(tx, arena, &(struct board_alert_find_args){ .alert_id = alert.id }, &work->alert, err);
	if (rc == OK)
		work->ended = work->alert.ended_at != DB_NULL &&
		              work->request->now >= work->alert.ended_at + RESPONSE_LINK_DAYS * CLOCK_DAY;
	return rc;
}

static enum rc read_answer(struct db_tx *tx, void *context, struct err *err)
{
	struct answering *work = context;
	struct arena *arena = work->request->arena;
	enum rc rc = find_link(tx, work, err);
	if (rc != OK)
		return rc;
	if (str_is_none(request_query(work->request, "lang")))
		work->request->language = work->person.language;
	rc = recipient_read(tx, arena, &(struct recipient_read_args){ .alert_id = work->alert.id, .person_id = work->person.id }, &work->row, err);
	work->targeted = rc == OK;
	if (rc == OK || rc == NOT_FOUND)
		rc = response_list_of(tx, arena, &(struct response_list_of_args){ .alert_id = work->alert.id, .person_id = work->person.id },
		                      &work->answers, &work->answer_count, err);
	if (rc == OK)
		rc = companions_read(tx, arena, &work->alert, work->person.id, &work->companions, &work->companion_count, &work->unnamed, err);
	if (rc == OK)
		rc = headline_read(tx, arena, &work->alert, work->request->language, &work->headline, &work->headline_language, err);
	return rc;
}

/* --- the form ------------------------------------------------------------------------------------------------- */

static struct str one_line(struct arena *arena, struct str text)
{
	struct str copy = str_copy(arena, str_trim(text));
	char *bytes = str_c(arena, copy);
	for (size_t i = 0; i < copy.len; i++)
		if (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t')
			bytes[i] = ' ';
	return (struct str){ bytes, copy.len };
}

static struct str field_or_empty(const struct request *request, const char *name)
{
	const struct str text = request_form(request, name);
	return str_is_none(text) ? S("") : text;
}

static void read_companions(struct answering *work)
{
	const struct request *request = work->request;
	const size_t rows = request_form_rows(request, "companion", RESPONSE_COMPANIONS_MAX);
	struct companion_answer *said = ARENA_NEW_ARRAY(request->arena, struct companion_answer, rows);
	size_t count = 0;
	for (size_t i = 0; i < rows; i++) {
		int64_t id, status;
		if (!str_to_int(request_form(request, str_c(request->arena, str_format(request->arena, "companion.%zu.id", i))), &id) ||
		    !str_to_int(request_form(request, str_c(request->arena, str_format(request->arena, "companion.%zu.status", i))), &status) ||
		    status < COMPANION_UNSAID || status > COMPANION_ELSEWHERE)
			continue;
		/* One who left the trip while the form was open is not asked for any more. */
		for (size_t j = 0; j < work->companion_count; j++)
			if (work->companions[j].id == id) {
				said[count++] = (struct companion_answer){ id, (enum companion_status)status };
				work->companions[j].status = (enum companion_status)status;
			}
	}
	work->said.companions = said;
	work->said.companion_count = count;
}

static void read_others(struct answering *work, struct err *err)
{
	struct response_new *said = &work->said;
	if (work->unnamed == 0 || str_is_none(request_form(work->request, "others_safe")))
		return;
	said->others_said = true;
	if (!str_to_int(request_form(work->request, "others_safe"), &said->others_safe) ||
	    !str_to_int(request_form(work->request, "others_help"), &said->others_help) || said->others_safe < 0 || said->others_help < 0 ||
	    said->others_safe > work->unnamed || said->others_help > work->unnamed - said->others_safe) {
		err_field(err, S("others_safe"), MSG_board_others_rule, STR_NONE, STR_NONE);
		said->others_safe = said->others_help = 0;
	}
}

/* The key of one rendering, for the button pressed twice. It proves nothing here and need not: no cookie stands behind it. */
static struct str rendering_key(const struct request *request)
{
	struct str key, rest;
	return str_cut(field_or_empty(request, "form_token"), '.', &key, &rest) && key.len >= RENDERING_KEY_LEAST && key.len <= RENDERING_KEY_MOST
	               ? key
	               : STR_NONE;
}

static enum rc read_form(struct answering *work, struct err *err)
{
	struct request *request = work->request;
	struct response_new *said = &work->said;
	const struct str status = request_form(request, "status");
	*said = (struct response_new){
		.alert_id = work->alert.id,
		.person_id = work->person.id,
		.status = str_equal(status, S("safe")) ? RESPONSE_SAFE : str_equal(status, S("help")) ? RESPONSE_HELP : RESPONSE_WITHDRAWN,
		.by = RESPONSE_BY_LINK,
		.form_key = rendering_key(request),
		.note = str_trim(field_or_empty(request, "note")),
		.place = one_line(request->arena, field_or_empty(request, "place")),
	};
	if (said->status == RESPONSE_WITHDRAWN)
		err_field(err, S("note"), MSG_board_answer_choose, STR_NONE, STR_NONE);
	if (utf8_length(said->note) > RESPONSE_NOTE_MAX)
		err_field(err, S("note"), MSG_board_note_long, str_format(request->arena, "%d", RESPONSE_NOTE_MAX), STR_NONE);
	if (utf8_length(said->place) > RESPONSE_PLACE_MAX)
		err_field(err, S("place"), MSG_board_place_long, str_format(request->arena, "%d", RESPONSE_PLACE_MAX), STR_NONE);
	read_companions(work);
	read_others(work, err);
	return err->field_count ? INVALID : OK;
}

/* --- the pages ------------------------------------------------------------------------------------------------ */

static void show_gone(struct request *request, struct response *response, bool ended)
{
	const struct answer_gone_view view = {
		.page = { .title = T(request->arena, request->language, ended ? MSG_board_answer_ended_title : MSG_board_answer_bad_title),
		          .canonical = S("/") },
		.ended = ended,
	};
	response->status = ended ? STATUS_GONE : 404;
	struct html out = html_begin(request, response);
	answer_gone_page(&out, &view);
}

static struct choice *numbers(struct request *request, int64_t most, int64_t chosen)
{
	struct choice *choices = ARENA_NEW_ARRAY(request->arena, struct choice, (size_t)most + 1);
	for (int64_t i = 0; i <= most; i++)
		choices[i] = (struct choice){ str_format(request->arena, "%lld", (long long)i), text_number(request->arena, request->language, i),
			                      i == chosen };
	return choices;
}

static void fill_companions(struct request *request, const struct answering *work, struct answer_view *view)
{
	static const enum msg texts[] = { MSG_board_companion_unsaid, MSG_board_companion_safe, MSG_board_companion_help,
		                          MSG_board_companion_elsewhere };
	view->companions = ARENA_NEW_ARRAY(request->arena, struct companion_field, work->companion_count);
	view->companion_count = work->companion_count;
	for (size_t i = 0; i < work->companion_count; i++) {
		const struct companion *companion = &work->companions[i];
		struct companion_field *field = &view->companions[i];
		*field = (struct companion_field){ .id = str_format(request->arena, "%lld", (long long)companion->id), .name = companion->name };
		for (size_t j = 0; j < COUNT_OF(texts); j++)
			field->choices[j] = (struct choice){ str_format(request->arena, "%zu", j), T(request->arena, request->language, texts[j]),
				                             (size_t)companion->status == j };
	}
}

static void show(struct request *request, struct response *response, struct answering *work, const struct err *errors)
{
	struct answer_view view = {
		.page = { .title = T(request->arena, request->language, MSG_board_answer_title), .errors = errors },
		.token = work->token,
		.headline = work->headline,
		.headline_language = work->headline_language,
		.exercise = work->alert.exercise != 0,
		.ended = work->alert.state != 2,
		.sent_at = work->alert.sent_at,
		.note = S(""),
		.place = S(""),
		.just_now = !errors && str_equal(request_query(request, "done"), S("1")),
		/* By a code, not by a link to all they have: the answer's link gets forwarded, and is for answering alone. */
		.own_path = S("/my"),
		.unnamed = work->unnamed < RESPONSE_COMPANIONS_MAX ? work->unnamed : RESPONSE_COMPANIONS_MAX,
	};
	for (size_t i = 0; i < work->answer_count; i++)
		if (work->answers[i].status != RESPONSE_WITHDRAWN) {
			view.answered = (int)work->answers[i].status;
			view.answered_at = work->answers[i].received_at;
			/* What an officer noted in their place is the officer's. */
			if (work->answers[i].by != RESPONSE_BY_OFFICER && !str_is_none(work->answers[i].note)) {
				view.note = work->answers[i].note;
				view.place = work->answers[i].place;
			}
			break;
		}
	if (errors) {
		view.note = work->said.note;
		view.place = work->said.place;
	}
	const int64_t safe = errors ? work->said.others_safe : work->targeted ? work->row.others_safe : 0;
	const int64_t help = errors ? work->said.others_help : work->targeted ? work->row.others_help : 0;
	view.others_safe = numbers(request, view.unnamed, safe);
	view.others_help = numbers(request, view.unnamed, help);
	view.others_count = (size_t)view.unnamed + 1;
	fill_companions(request, work, &view);
	view.page.canonical = str_format(request->arena, "/a/%.*s", STR_ARG(work->token));
	struct html out = html_begin(request, response);
	out.zone = str_is_empty(work->alert.zone) ? S("UTC") : work->alert.zone;
	answer_page(&out, &view);
}

/* OK when the link stands and the page's facts are read; else the answer is written. */
static enum rc open_link(struct request *request, struct response *response, struct answering *work, struct err *err)
{
	*work = (struct answering){ .request = request, .token = request_capture(request, "token") };
	enum rc rc = db_read(request->house->db, read_answer, work, err);
	if (rc == NOT_FOUND || (rc == OK && work->ended)) {
		show_gone(request, response, rc == OK);
		return NOT_FOUND;
	}
	if (rc != OK)
		response_error(request, response, rc, err);
	return rc;
}

void answer_get(struct request *request, struct response *response)
{
	struct answering work;
	struct err err;
	err_init(&err, request->arena);
	if (open_link(request, response, &work, &err) == OK)
		show(request, response, &work, NULL);
}

static enum rc store_answer(struct db_tx *tx, void *context, struct err *err)
{
	struct answering *work = context;
	return response_record(tx, &work->said, work->request->now, &work->id, NULL, NULL, err);
}

void answer_post(struct request *request, struct response *response)
{
	struct answering work;
	struct err err;
	err_init(&err, request->arena);
	if (open_link(request, response, &work, &err) != OK)
		return;
	if (read_form(&work, &err) != OK) {
		response->status = 422;
		show(request, response, &work, &err);
		return;
	}
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, store_answer, &work, &err);
	if (rc == OK) {
		board_publish(request->house, work.alert.id);
		response_redirect(response, str_format(request->arena, "/a/%.*s?done=1", STR_ARG(work.token)));
	} else if (rc == NOT_FOUND || rc == CONFLICT) {
		show_gone(request, response, rc == CONFLICT);
	} else {
		response_error(request, response, rc, &err);
	}
}

/* --- by a notification's button ------------------------------------------------------------------------------- */

#define PUSH_BODY_MAX_BYTES 1024
#define PUSH_KEY_LETTERS 64

/* {"status":"safe"|"help","key":...}: the key is the press's own, so that one that is sent again is one answer. */
static enum rc read_press(struct answering *work)
{
	struct request *request = work->request;
	json_t *root = request->body.len <= PUSH_BODY_MAX_BYTES ? json_loadb(request->body.ptr, request->body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *status = json_string_value(json_object_get(root, "status")), *key = json_string_value(json_object_get(root, "key"));
	const size_t length = key ? strlen(key) : 0;
	const bool safe = status && strcmp(status, "safe") == 0, help = status && strcmp(status, "help") == 0;
	bool good = (safe || help) && length >= 16 && length <= PUSH_KEY_LETTERS;

	for (size_t i = 0; good && i < length; i++)
		good = (key[i] >= '0' && key[i] <= '9') || (key[i] >= 'a' && key[i] <= 'z');
	if (good)
		work->said = (struct response_new){
			.alert_id = work->alert.id,
			.person_id = work->person.id,
			.status = safe ? RESPONSE_SAFE : RESPONSE_HELP,
			.by = RESPONSE_BY_PUSH,
			/* Bound to the person and alert: nobody can use up a key of another's. */
			.form_key = str_format(request->arena, "push-%lld-%lld-%s", (long long)work->alert.id, (long long)work->person.id, key),
			.note = S(""),
			.place = S(""),
		};
	json_decref(root);
	return good ? OK : INVALID;
}

void answer_push_post(struct request *request, struct response *response)
{
	struct answering work;
	struct err err;

	err_init(&err, request->arena);
	if (open_link(request, response, &work, &err) != OK)
		return;
	if (read_press(&work) != OK) {
		response_problem(request, response, PROBLEM_BAD_REQUEST, NULL);
		return;
	}
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, store_answer, &work, &err);
	if (rc == OK) {
		board_publish(request->house, work.alert.id);
		response->status = 204;
	} else if (rc == NOT_FOUND || rc == CONFLICT) {
		show_gone(request, response, rc == CONFLICT);
	} else {
		response_error(request, response, rc, &err);
	}
}
