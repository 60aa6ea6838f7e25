/* The inbox: the list, one message with its history, and what can be done with it. */
#include "core/messages/inbox.h"
#include "core/messages/views.h"
#include "kernel/access/access.h"
#include "kernel/http/http.h"
#include "messages_pages.h"

#define PAGE_LINES 50
#define PAGES_MOST 10000
#define EXCERPT 100       /* characters */
#define SAME_MOST 10
#define CANDIDATES_MOST 8

/* --- words for numbers ---------------------------------------------------------------------------------------------------- */

enum msg channel_key(int64_t channel)
{
	return channel == CHANNEL_MAIL   ? MSG_messages_channel_mail
	       : channel == CHANNEL_PUSH ? MSG_messages_channel_push
	                                 : MSG_messages_channel_sms;
}

enum msg why_key(int64_t why)
{
	static const enum msg keys[WHY_COUNT] = {
		[WHY_UNKNOWN_SENDER] = MSG_messages_why_unknown_sender, [WHY_SEVERAL_PEOPLE] = MSG_messages_why_several_people,
		[WHY_SEVERAL_ALERTS] = MSG_messages_why_several_alerts, [WHY_NO_ALERT] = MSG_messages_why_no_alert,
		[WHY_FREE_TEXT] = MSG_messages_why_free_text,           [WHY_NOT_READ] = MSG_messages_why_not_read,
		[WHY_PARTS_MISSING] = MSG_messages_why_parts_missing,   [WHY_LOOP] = MSG_messages_why_loop,
		[WHY_TO_READ] = MSG_messages_why_to_read,
	};
	return why > 0 && why < WHY_COUNT ? keys[why] : MSG_none;
}

static enum msg item_state_key(int64_t state)
{
	static const enum msg keys[] = { MSG_none, MSG_messages_state_unread, MSG_messages_state_by_rule, MSG_messages_state_waiting,
		                         MSG_messages_state_closed };
	return state > 0 && state < (int64_t)COUNT_OF(keys) ? keys[state] : MSG_none;
}

static enum msg action_key(int64_t action)
{
	static const enum msg keys[] = {
		[INBOX_TAKE] = MSG_messages_action_take,     [INBOX_RELEASE] = MSG_messages_action_release,
		[INBOX_ASSIGN_SAFE] = MSG_messages_action_safe, [INBOX_ANSWER] = MSG_messages_action_answer,
		[INBOX_CLOSE] = MSG_messages_action_close,   [INBOX_UNDO] = MSG_messages_action_undo,
		[INBOX_ASSIGN_HELP] = MSG_messages_action_help,
	};
	return action > 0 && action < (int64_t)COUNT_OF(keys) ? keys[action] : MSG_none;
}

struct str address_masked(struct arena *arena, struct str address)
{
	size_t at = str_find(address, S("@"), 0);
	if (at != SIZE_MAX) {
		size_t first = 0;
		if (at > 0)
			utf8_next(address, &first);
		return str_format(arena, "%.*s...%.*s", (int)first, address.ptr, (int)(address.len - at), address.ptr + at);
	}
	if (address.len <= 5)
		return address; /* short codes and names are nobody's */
	return str_format(arena, "%.*s...%.*s", 3, address.ptr, 2, address.ptr + address.len - 2);
}

/* The beginning of a text on one line. */
static struct str excerpt(struct arena *arena, struct str body)
{
	struct str text = str_trim(body);
	size_t at = 0;
	for (size_t characters = 0; at < text.len && characters < EXCERPT; characters++)
		utf8_next(text, &at);
	char *line = str_c(arena, str_slice(text, 0, at));
	for (char *c = line; *c; c++)
		if (*c == '\n' || *c == '\r' || *c == '\t')
			*c = ' ';
	if (*line == 0)
		return S("...");
	return at < text.len ? str_concat(arena, str_from(line), S("...")) : str_from(line);
}

/* --- the list -------------------------------------------------------------------------------------------------------------------- */

struct list_work {
	struct request *request;
	bool closed;
	int64_t page;
	struct inbox_row *rows;
	size_t count;
};

static enum rc list_work(struct db_tx *tx, void *context, struct err *err)
{
	struct list_work *work = context;
	int64_t skip = (work->page - 1) * PAGE_LINES;
	struct inbox_list_closed_args closed = { .most = PAGE_LINES + 1, .skip = skip };
	struct inbox_list_waiting_args waiting = { .most = PAGE_LINES + 1, .skip = skip };
	return work->closed ? inbox_list_closed(tx, work->request->arena, &closed, &work->rows, &work->count, err)
	                    : inbox_list_waiting(tx, work->request->arena, &waiting, &work->rows, &work->count, err);
}

void inbox_get(struct request *request, struct response *response)
{
	struct err err;
	err_init(&err, request->arena);
	struct list_work work = { .request = request, .closed = str_equal(request_query(request, "show"), S("closed")) };
	if (!str_to_int(request_query(request, "page"), &work.page) || work.page < 1 || work.page > PAGES_MOST)
		work.page = 1;
	enum rc rc = db_read(request->house->db, list_work, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct inbox_view view = {
		.page = { .title = T(request->arena, request->language, MSG_messages_inbox_title), .officer_page = true },
		.count = work.count < PAGE_LINES ? work.count : PAGE_LINES,
		.closed = work.closed,
		.has_newer = work.page > 1,
		.newer = work.page - 1,
		.has_older = work.count > PAGE_LINES,
		.older = work.page + 1,
	};
	struct inbox_line *lines = ARENA_NEW_ARRAY(request->arena, struct inbox_line, view.count + 1);
	for (size_t i = 0; i < view.count; i++) {
		const struct inbox_row *row = &work.rows[i];
		lines[i] = (struct inbox_line){ row->public_id, excerpt(request->arena, row->body), row->owner_name, row->received_at,
			                        row->why == WHY_NONE ? MSG_messages_state_closed : why_key(row->why),
			                        channel_key(row->channel), row->urgent != 0 };
	}
	view.lines = lines;
	struct html out = html_begin(request, response);
	inbox_page(&out, &view);
}

/* --- one message ------------------------------------------------------------------------------------------------------------------ */

struct item_work {
	struct request *request;
	struct item_view *view;
	struct str public_id;
	struct inbox_item item;
	bool show_address;
};

static enum rc load_history(struct item_work *work, struct db_tx *tx, struct err *err)
{
	struct arena *arena = work->request->arena;
	struct inbox_action_list_args args = { .incoming_id = work->item.id };
	struct inbox_action_list_row *rows;
	size_t count;
	enum rc rc = inbox_action_list(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	struct action_line *lines = ARENA_NEW_ARRAY(arena, struct action_line, count + 1);
	for (size_t i = 0; i < count; i++) {
		lines[i] = (struct action_line){ action_key(rows[i].action), rows[i].officer_name, rows[i].text, rows[i].at,
			                         rows[i].undone_by != DB_NULL };
		work->view->can_undo |= rows[i].undone_by == DB_NULL && rows[i].action != INBOX_ANSWER && rows[i].action != INBOX_UNDO;
	}
	work->view->actions = lines;
	work->view->action_count = count;
	return OK;
}

static enum rc load_same(struct item_work *work, struct db_tx *tx, struct err *err)
{
	struct arena *arena = work->request->arena;
	if (str_is_empty(work->item.address))
		return OK;
	struct inbox_list_same_args args = { .address = work->item.address, .id = work->item.id, .most = SAME_MOST };
	struct inbox_list_same_row *rows;
	size_t count;
	enum rc rc = inbox_list_same(tx, arena, &args, &rows, &count, err);
	if (rc != OK)
		return rc;
	struct inbox_line *lines = ARENA_NEW_ARRAY(arena, struct inbox_line, count + 1);
	for (size_t i = 0; i < count; i++)
		lines[i] = (struct inbox_line){ .public_id = rows[i].public_id, .excerpt = excerpt(arena, rows[i].body),
			                        .received_at = rows[i].received_at };
	work->view->same = lines;
	work->view->same_count = count;
	return OK;
}

/* Those who have the address, to choose from. */
static enum rc load_candidates(struct item_work *work, struct db_tx *tx, struct err *err)
{
	struct arena *arena = work->request->arena;
	int64_t *ids = NULL;
	size_t count = 0;
	enum rc rc = str_is_empty(work->item.address)
	                     ? OK
	                     : person_list_by_address(tx, arena, (enum channel_kind)work->item.channel, work->item.address,
	                                              CANDIDATES_MOST, &ids, &count, err);
	struct choice *options = ARENA_NEW_ARRAY(arena, struct choice, count + 1);
	size_t known = 0;
	for (size_t i = 0; rc == OK && i < count; i++) {
		struct person person;
		rc = person_find(tx, arena, ids[i], &person, err);
		if (rc == OK)
			options[known++] = (struct choice){ person.public_id, str_is_none(person.name) ? person.public_id : person.name,
				                            count == 1 };
	}
	options[known++] = (struct choice){ S("other"), T(arena, work->request->language, MSG_messages_assign_other), false };
	work->view->candidates = options;
	work->view->candidate_count = known;
	return rc;
}

static enum rc load_person(struct item_work *work, struct db_tx *tx, struct err *err)
{
	if (work->item.person_id == DB_NULL)
		return OK;
	struct person person;
	struct err quiet;
	err_init(&quiet, work->request->arena);
	enum rc rc = person_find(tx, work->request->arena, work->item.person_id, &person, &quiet);
	if (rc == NOT_FOUND)
		return OK;
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	work->view->person = person.public_id;
	work->view->person_name = str_is_none(person.name) ? person.public_id : person.name;
	return OK;
}

static enum rc load_answer(struct item_work *work, struct db_tx *tx, struct err *err)
{
	if (work->item.answer_id == DB_NULL)
		return OK;
	struct message_text_find_args args = { .message_id = work->item.answer_id };
	struct message_text_find_row row;
	enum rc rc = message_text_find(tx, work->request->arena, &args, &row, err);
	if (rc == OK)
		work->view->answer = row.body;
	return rc == NOT_FOUND ? OK : rc;
}

static void fill_item(struct item_work *work)
{
	struct request *request = work->request;
	struct item_view *view = work->view;
	const struct inbox_item *item = &work->item;
	view->page.title = T(request->arena, request->language, MSG_messages_item_title);
	view->page.officer_page = true;
	view->public_id = item->public_id;
	view->address = work->show_address ? item->address : address_masked(request->arena, item->address);
	view->address_shown = work->show_address || item->address.len <= 5;
	view->recipient = item->recipient;
	view->subject = item->subject;
	view->body = item->body;
	view->owner = item->owner_id == DB_NULL ? STR_NONE : item->owner_name;
	view->owner_id = item->owner_id == DB_NULL ? 0 : item->owner_id;
	view->owned_at = item->owned_at == DB_NULL ? 0 : item->owned_at;
	view->outcome = item->outcome;
	view->received_at = item->received_at;
	view->channel = channel_key(item->channel);
	view->why = why_key(item->why);
	view->state = item_state_key(item->state);
	view->urgent = item->urgent != 0;
	view->waits = item->state == 3;
	view->mine = view->owner_id != 0 && view->owner_id == request->officer->id;
	view->can_answer = !str_is_empty(item->address);
	view->is_mail = item->channel == CHANNEL_MAIL;
}

static enum rc item_work(struct db_tx *tx, void *context, struct err *err)
{
	struct item_work *work = context;
	struct inbox_find_args args = { .public_id = work->public_id };
	enum rc rc = inbox_find(tx, work->request->arena, &args, &work->item, err);
	if (rc == OK) {
		work->view->can_undo = false;
		fill_item(work);
		rc = load_history(work, tx, err);
	}
	if (rc == OK)
		rc = load_same(work, tx, err);
	if (rc == OK)
		rc = load_candidates(work, tx, err);
	if (rc == OK)
		rc = load_person(work, tx, err);
	return rc == OK ? load_answer(work, tx, err) : rc;
}

/* Shows one message; what was typed comes back where a form was refused. */
static void show_item(struct request *request, struct response *response, struct item_view *view, bool show_address)
{
	struct err err;
	err_init(&err, request->arena);
	struct item_work work = { .request = request, .view = view, .public_id = request_capture(request, "id"),
		                  .show_address = show_address };
	enum rc rc = db_read(request->house->db, item_work, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct choice *says = ARENA_NEW_ARRAY(request->arena, struct choice, 2);
	struct str said = request_form(request, "says");
	says[0] = (struct choice){ S("safe"), T(request->arena, request->language, MSG_messages_assign_safe), str_equal(said, S("safe")) };
	says[1] = (struct choice){ S("help"), T(request->arena, request->language, MSG_messages_assign_help), str_equal(said, S("help")) };
	view->says = says;
	struct html out = html_begin(request, response);
	item_page(&out, view);
}

static struct item_view empty_view(void)
{
	return (struct item_view){ .person = STR_NONE, .answer = STR_NONE, .other_person = S(""), .alert = S(""), .text = S(""),
		                   .close_outcome = S("") };
}

void inbox_item_get(struct request *request, struct response *response)
{
	struct item_view view = empty_view();
	if (str_equal(request_query(request, "done"), S("1")))
		view.page.notice = T(request->arena, request->language, MSG_messages_done_notice);
	show_item(request, response, &view, false);
}

/* --- what the forms say --------------------------------------------------------------------------------------------------------------- */

static struct str form_text(const struct request *request, const char *name)
{
	struct str text = request_form(request, name);
	return str_is_none(text) ? S("") : str_trim(text);
}

static enum rc read_assign(struct request *request, struct inbox_act *act, struct err *err)
{
	struct str says = form_text(request, "says"), person = form_text(request, "person"), alert = form_text(request, "alert");
	if (str_equal(says, S("safe")))
		act->kind = INBOX_ASSIGN_SAFE;
	else if (str_equal(says, S("help")))
		act->kind = INBOX_ASSIGN_HELP;
	else
		err_field(err, S("says"), MSG_messages_error_choose, STR_NONE, STR_NONE);
	act->person = str_is_empty(person) || str_equal(person, S("other")) ? form_text(request, "other") : person;
	alert = text_ascii_digits(request->arena, alert);
	if (!str_is_empty(alert) && (!str_to_int(alert, &act->alert_number) || act->alert_number < 1 || act->alert_number > 999999999))
		err_field(err, S("alert"), MSG_messages_error_alert_number, STR_NONE, STR_NONE);
	return err->field_count > 0 ? INVALID : OK;
}

static enum rc read_act(struct request *request, struct inbox_act *act, struct err *err)
{
	struct str verb = form_text(request, "do");
	if (str_equal(verb, S("take")))
		act->kind = INBOX_TAKE;
	else if (str_equal(verb, S("release")))
		act->kind = INBOX_RELEASE;
	else if (str_equal(verb, S("undo")))
		act->kind = INBOX_UNDO;
	else if (str_equal(verb, S("assign")))
		return read_assign(request, act, err);
	else if (str_equal(verb, S("answer")))
		act->kind = INBOX_ANSWER;
	else if (str_equal(verb, S("close")))
		act->kind = INBOX_CLOSE;
	else
		return err_set(err, INVALID, "no such action");
	act->text = form_text(request, act->kind == INBOX_CLOSE ? "outcome" : "text");
	act->close = str_equal(form_text(request, "close"), S("1"));
	return OK;
}

static void show_again(struct request *request, struct response *response, const struct err *err)
{
	struct item_view view = empty_view();
	view.page.errors = err;
	view.other_person = form_text(request, "other");
	view.alert = form_text(request, "alert");
	view.text = form_text(request, "text");
	view.close_outcome = form_text(request, "outcome");
	view.close_with_answer = str_equal(form_text(request, "close"), S("1"));
	response->status = 422;
	show_item(request, response, &view, false);
}

static void reveal(struct request *request, struct response *response, struct str public_id, struct err *err)
{
	enum rc rc = inbox_reveal(request->house, request->officer->id, public_id, request->now, err);
	if (rc != OK) {
		response_error(request, response, rc, err);
		return;
	}
	struct item_view view = empty_view();
	show_item(request, response, &view, true);
}

void inbox_item_post(struct request *request, struct response *response)
{
	struct err err;
	err_init(&err, request->arena);
	struct str public_id = request_capture(request, "id");
	if (str_equal(form_text(request, "do"), S("reveal"))) {
		reveal(request, response, public_id, &err);
		return;
	}
	struct inbox_act act = {
		.house = request->house,
		.arena = request->arena,
		.officer_id = request->officer->id,
		.public_id = public_id,
		.form_key = request_form_key(request),
		.now = request->now,
	};
	if (!str_to_int(form_text(request, "owner"), &act.seen_owner))
		act.seen_owner = 0;
	enum rc rc = read_act(request, &act, &err);
	if (rc == OK)
		rc = inbox_act(&act, &err);
	if (rc == INVALID && err.field_count > 0)
		show_again(request, response, &err);
	else if (rc != OK)
		response_error(request, response, rc, &err);
	else
		response_redirect(response, str_format(request->arena, "/desk/inbox/%.*s?done=1", STR_ARG(public_id)));
}
