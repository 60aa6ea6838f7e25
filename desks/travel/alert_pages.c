/* The officers' list of alerts, and the form: new, changed, thrown away. */
#include <stdio.h>

#include "desks/travel/alert_views.h"
#include "desks/travel/respond.h"
#include "kernel/access/access.h"

#include "travel_pages.h"
#include "travel_sql.h"

#define LISTED_MAX 200 /* alerts of one state on the list */

static struct str text(const struct request *request, enum msg message)
{
	return T(request->arena, request->language, message);
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

struct list_work {
	struct request *request;
	struct alerts_view *view;
};

static enum rc list_state(struct db_tx *tx, struct request *request, enum alert_state state,
                          struct alert_item **items_out, size_t *count_out, struct err *err)
{
	struct alert_list_row *rows;
	size_t count;

	enum rc rc = alert_list_state(tx, request->arena,
	                              &(struct alert_list_state_args){ .state = state, .most = LISTED_MAX }, &rows,
	                              &count, err);
	if (rc != OK)
		return rc;
	struct alert_item *items = ARENA_NEW_ARRAY(request->arena, struct alert_item, count);
	for (size_t i = 0; rc == OK && i < count; i++) {
		struct alert_version version;
		rc = version_find(tx, request->arena, rows[i].shown_id, &version, err);
		if (rc != OK)
			break;
		items[i] = (struct alert_item){
			.id = rows[i].public_id,
			.headline = version_headline(&version, request->language),
			.area = version_area(places_of(request->house), request->arena, request->language, &version),
			.kind = kind_message((enum alert_kind)rows[i].kind),
			.severity = severity_message(version.severity),
			.type = type_message(version.type),
			.severity_class = severity_class(version.severity),
			.number = rows[i].number,
			.expires = rows[i].expires,
			.at = rows[i].ended_at != DB_NULL  ? rows[i].ended_at
			      : rows[i].sent_at != DB_NULL ? rows[i].sent_at
			                                   : rows[i].changed_at,
			.exercise = rows[i].exercise != 0,
			.has_draft = state == ALERT_IN_FORCE && rows[i].draft_id != DB_NULL,
		};
	}
	*items_out = items;
	*count_out = count;
	return rc;
}

static enum rc list_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct list_work *work = context;
	struct alerts_view *view = work->view;

	enum rc rc = list_state(tx, work->request, ALERT_DRAFT, &view->drafts, &view->draft_count, err);
	if (rc == OK)
		rc = list_state(tx, work->request, ALERT_IN_FORCE, &view->in_force, &view->in_force_count, err);
	return rc == OK ? list_state(tx, work->request, ALERT_ENDED, &view->ended, &view->ended_count, err) : rc;
}

void alerts_get(struct request *request, struct response *response)
{
	struct alerts_view view = {
		.page = { .title = text(request, MSG_alert_title),
		          .officer_page = true,
		          .canonical = S("/desk/alerts"),
		          .notice = str_equal(request_query(request, "done"), S("discarded"))
		                            ? text(request, MSG_alert_done_discarded)
		                            : STR_NONE },
	};
	struct list_work work = { request, &view };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, list_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct html out = html_begin(request, response);
	alerts_page(&out, &view);
}

/* --- the form ----------------------------------------------------------------------------------------------------- */

bool alert_text_shown(const struct alert_form_view *view, size_t group, size_t language)
{
	const struct text_form *form = &view->form->texts[group][language];
	static const char *const fields[] = { "headline", "description", "instruction", "sms" };

	if (form->headline.len || form->description.len || form->instruction.len || form->sms.len)
		return true;
	for (size_t i = 0; view->page.errors && i < COUNT_OF(fields); i++) {
		char name[40];
		const int length =
			snprintf(name, sizeof name, "text.%zu.%s", group * LANGUAGE_COUNT + language, fields[i]);
		if (err_find(view->page.errors, (struct str){ name, (size_t)length }))
			return true;
	}
	return group == 0 && str_equal(view->form->language, str_from(languages[language].tag));
}

static void choose(const struct request *request, struct choice *choices, size_t end, struct str chosen,
                   enum msg (*message)(int value))
{
	for (size_t i = 1; i < end; i++) {
		const struct str value = str_format(request->arena, "%zu", i);
		choices[i - 1] = (struct choice){ value, text(request, message((int)i)), str_equal(value, chosen) };
	}
}

static enum msg kind_choice(int value)
{
	return kind_message((enum alert_kind)value);
}

static enum msg severity_choice(int value)
{
	static const enum msg messages[SEVERITY_COUNT] = { MSG_none,
		                                           MSG_alert_explain_extreme,
		                                           MSG_alert_explain_severe,
		                                           MSG_alert_explain_moderate,
		                                           MSG_alert_explain_minor,
		                                           MSG_alert_explain_unknown };

	return messages[value];
}

static enum msg urgency_choice(int value)
{
	return urgency_message((enum alert_urgency)value);
}

static enum msg certainty_choice(int value)
{
	return certainty_message((enum alert_certainty)value);
}

static void view_choices(const struct request *request, struct alert_form_view *view)
{
	const struct alert_form *form = view->form;

	choose(request, view->kinds, ALERT_KIND_COUNT, form->kind, kind_choice);
	choose(request, view->severities, SEVERITY_COUNT, form->severity, severity_choice);
	choose(request, view->urgencies, URGENCY_COUNT, form->urgency, urgency_choice);
	choose(request, view->certainties, CERTAINTY_COUNT, form->certainty, certainty_choice);
	for (size_t i = 0; i < LANGUAGE_COUNT; i++)
		view->languages[i] = (struct choice){ str_from(languages[i].tag), str_from(languages[i].name),
			                              str_equal(form->language, str_from(languages[i].tag)) };
	view->channels[0] = (struct choice){ S("mail"), text(request, MSG_alert_channel_mail), form->mail };
	view->channels[1] = (struct choice){ S("sms"), text(request, MSG_alert_channel_sms), form->sms };
	view->channels[2] = (struct choice){ S("push"), text(request, MSG_alert_channel_push), form->push };
	view->options[0] =
		(struct choice){ S("possible"), text(request, MSG_alert_option_possible), form->include_possible };
	view->options[1] = (struct choice){ S("night"), text(request, MSG_alert_option_night), form->sms_at_night };
	view->exercise[0] =
		(struct choice){ S("yes"), text(request, MSG_alert_exercise_yes), str_equal(form->exercise, S("yes")) };
}

static void view_findings(const struct request *request, struct alert_form_view *view)
{
	const struct geo_report *report = &view->form->report;

	view->findings = ARENA_NEW_ARRAY(request->arena, struct str, report->count);
	for (size_t i = 0; i < report->count; i++)
		if (geo_severity(report->findings[i].code) != GEO_ERROR)
			view->findings[view->finding_count++] =
				finding_text(request->arena, request->language, &report->findings[i]);
	view->map = (struct html_markup){ str_is_none(view->form->map) ? S("") : view->form->map };
}

/* What is said in a language where officers leave 'changed' and 'released' empty. */
static void view_standing(const struct request *request, const struct alert_version *version,
                          struct alert_form_view *view)
{
	for (size_t group = 1; version && group < GROUP_TEXTS; group++)
		for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
			bool fell_back;
			struct alert_version bare = *version;
			struct alert_text kept[LANGUAGE_COUNT];
			bare.texts = kept;
			bare.text_count = 0;
			for (size_t j = 0; j < version->text_count && bare.text_count < LANGUAGE_COUNT; j++)
				if (version->texts[j].group == GROUP_NEW)
					kept[bare.text_count++] = version->texts[j];
			const struct alert_text words = alert_words(
				request->arena, &bare, (enum alert_group)(group + 1), (enum language)i, &fell_back);
			view->standing[group][i] =
				fell_back
					? S("")
					: str_format(request->arena, "%.*s %.*s", STR_ARG(words.headline),
			                             STR_ARG(group + 1 == GROUP_RELEASED ? words.instruction : S("")));
		}
}

struct ladders_work {
	struct request *request;
	struct ladder_template *list;
	size_t count;
};

static enum rc ladders_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct ladders_work *work = context;

	return ladder_list(tx, work->request->arena, &work->list, &work->count, err);
}

static struct choice ladder_choice(const struct request *request, struct str name, const struct ladder *ladder, struct str chosen)
{
	const struct str words = ladder_words(request->arena, request->language, ladder);

	return (struct choice){ name, T(request->arena, request->language, MSG_ladder_choice, MSG_S("name", name), MSG_S("words", words)),
		                str_equal(name, chosen) };
}

/* All at once, the templates, and the draft's own if its template is there no more. */
static void view_ladders(struct request *request, const struct alert_version *version, struct alert_form_view *view)
{
	struct ladders_work work = { .request = request };
	struct err err;
	bool found = !version || !version->ladder_name.len;

	err_init(&err, request->arena);
	if (db_read(request->house->db, ladders_in_store, &work, &err) != OK) {
		log_warn("alert.ladders", LOGS("detail", err.detail));
		work.count = 0;
	}
	view->ladders = ARENA_NEW_ARRAY(request->arena, struct choice, work.count + 2);
	view->ladders[view->ladder_count++] = (struct choice){ S(""), text(request, MSG_ladder_none), !view->form->ladder.len };
	for (size_t i = 0; i < work.count; i++) {
		struct ladder ladder;
		if (ladder_read(work.list[i].rungs, &ladder, &err) != OK)
			continue;
		view->ladders[view->ladder_count++] = ladder_choice(request, work.list[i].name, &ladder, view->form->ladder);
		found = found || str_equal(work.list[i].name, version->ladder_name);
	}
	if (!found)
		view->ladders[view->ladder_count++] = ladder_choice(request, version->ladder_name, &version->ladder, view->form->ladder);
}

static void form_show(struct request *request, struct response *response, struct alert_form *form,
                      const struct alert *alert, const struct alert_version *version, int64_t seen,
                      const struct err *errors)
{
	static const enum msg titles[ALERT_TYPE_COUNT] = { MSG_alert_new, MSG_alert_edit_title, MSG_alert_update_title,
		                                           MSG_alert_cancel_title, MSG_alert_clear_title };
	struct alert_form_view view = {
		.page = { .title = text(request, alert ? titles[form->type] : MSG_alert_new),
		          .officer_page = true,
		          .errors = errors },
		.action = alert ? str_format(request->arena, "/desk/alert/%.*s/edit", STR_ARG(alert->public_id))
		                : S("/desk/alerts/new"),
		.id = alert ? alert->public_id : S(""),
		.form = form,
		.ends = form->type == ALERT_CANCEL || form->type == ALERT_CLEAR,
		.update = form->type == ALERT_UPDATE,
		.first = !alert,
		.seen = seen,
		.exercise_fixed = alert && alert->exercise,
	};

	view.page.canonical = view.action;
	if (!errors && str_equal(request_query(request, "done"), S("saved")))
		view.page.notice = text(request, MSG_alert_done_saved);
	view_choices(request, &view);
	view_ladders(request, version, &view);
	view_findings(request, &view);
	view_standing(request, version, &view);
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	alert_form_page(&out, &view);
}

void alert_new_get(struct request *request, struct response *response)
{
	struct alert_form form;

	alert_form_init(&form, request->arena, request->language, request->officer->zone, request->now);
	form_show(request, response, &form, NULL, NULL, 0, NULL);
}

struct save_work {
	struct request *request;
	struct alert alert;
	struct alert_version version; /* as stored */
	struct alert_version fresh;   /* as checked */
	enum alert_kind kind;
	bool exercise;
	int64_t seen;
};

static enum rc add_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct save_work *work = context;
	struct request *request = work->request;

	enum rc rc = alert_find_form(tx, request->arena, request_form_key(request), &work->alert, err);
	if (rc != NOT_FOUND)
		return rc;
	return alert_add(tx, request->arena, work->kind, work->exercise, &work->fresh, request_form_key(request),
	                 request->officer->id, request->now, &work->alert, err);
}

static void go_on(struct request *request, struct response *response, struct str public_id)
{
	const bool review = !str_equal(request_form(request, "do"), S("save"));

	response_redirect(response,
	                  str_format(request->arena, "/desk/alert/%.*s/%s", STR_ARG(public_id),
	                             review ? "review" : "edit?done=saved"));
}

void alert_new_post(struct request *request, struct response *response)
{
	struct save_work work = { .request = request,
		                  .exercise = str_equal(request_form(request, "exercise"), S("yes")) };
	struct alert_form form;
	struct err err;

	err_init(&err, request->arena);
	alert_form_request(&form, request, ALERT_NEW);
	enum rc rc = alert_form_check(request->house, request->arena, request->language, request->now, &form, NULL,
	                              &work.kind, &work.fresh, &err);
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, add_in_store, &work, &err);
	if (rc == OK) {
		go_on(request, response, work.alert.public_id);
	} else if (rc == INVALID) {
		response->status = 422;
		form_show(request, response, &form, NULL, NULL, 0, &err);
	} else {
		response_error(request, response, rc, &err);
	}
}

static enum rc draft_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct save_work *work = context;
	struct arena *arena = work->request->arena;

	enum rc rc = alert_find_public(tx, arena, request_capture(work->request, "id"), &work->alert, err);
	if (rc == OK && (work->alert.draft_id == DB_NULL || work->alert.state == ALERT_ENDED))
		rc = NOT_FOUND;
	return rc == OK ? version_find(tx, arena, work->alert.draft_id, &work->version, err) : rc;
}

void alert_edit_get(struct request *request, struct response *response)
{
	struct save_work work = { .request = request };
	struct alert_form form;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, draft_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	alert_form_fill(&form, request->house, request->arena, request->language, &work.alert, &work.version);
	form_show(request, response, &form, &work.alert, &work.version, work.version.changed_at, NULL);
}

static enum rc change_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct save_work *work = context;
	struct request *request = work->request;

	return draft_change(tx, request->arena, &work->alert, work->kind, &work->fresh, work->seen,
	                    request->officer->id, request->now, err);
}

void alert_edit_post(struct request *request, struct response *response)
{
	struct save_work work = { .request = request };
	struct alert_form form;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, draft_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	alert_form_request(&form, request, work.version.type);
	if (!str_to_int(request_form(request, "seen"), &work.seen))
		work.seen = 0;
	work.kind = work.alert.kind;
	enum alert_kind kind = work.alert.kind;
	rc = alert_form_check(request->house, request->arena, request->language, request->now, &form, &work.version,
	                      &kind, &work.fresh, &err);
	if (form.type != ALERT_CANCEL && form.type != ALERT_CLEAR)
		work.kind = kind;
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, change_in_store, &work, &err);
	if (rc == OK) {
		go_on(request, response, work.alert.public_id);
	} else if (rc == INVALID) {
		response->status = 422;
		form_show(request, response, &form, &work.alert, &work.version, work.seen, &err);
	} else if (rc == CONFLICT) {
		/* Somebody else saved first: nothing typed is lost, and saving again takes this one. */
		response->status = 409;
		err_init(&err, request->arena);
		err_field(&err, S(""), MSG_alert_rule_changed, STR_NONE, STR_NONE);
		form_show(request, response, &form, &work.alert, &work.version, work.version.changed_at, &err);
	} else {
		response_error(request, response, rc, &err);
	}
}

/* --- throwing away
 * ------------------------------------------------------------------------------------------------ */

static enum rc discard_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct save_work *work = context;
	struct request *request = work->request;

	enum rc rc = alert_find_public(tx, request->arena, request_capture(request, "id"), &work->alert, err);
	/* Pressed twice: the draft is gone already. */
	if (rc != OK || work->alert.draft_id == DB_NULL || work->alert.state == ALERT_ENDED)
		return rc;
	return draft_discard(tx, &work->alert, request->officer->id, request->now, err);
}

void alert_discard_post(struct request *request, struct response *response)
{
	struct save_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, discard_in_store, &work, &err);
	if (rc == OK)
		response_redirect(response, S("/desk/alerts?done=discarded"));
	else
		response_error(request, response, rc, &err);
}
