/* Before sending: whom it reaches, what each gets, a sample to oneself, and the confirmation. */
#include <math.h>

#include "desks/travel/alert_views.h"
#include "desks/travel/respond.h"
#include "kernel/access/access.h"
#include "kernel/ledger/ledger.h"
#include "kernel/text/phone.h"

#include "travel_pages.h"
#include "travel_sql.h"

#define COUNTRIES_SHOWN 20
#define WARNINGS_MAX 40
/* As long as a real link's token: eight characters of person and alert, twenty of proof. */
#define SAMPLE_TOKEN "xxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define SAMPLE_LIFE CLOCK_HOUR

struct draft_work {
	struct request *request;
	struct alert alert;
	struct alert_version version;
};

static enum rc draft_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct draft_work *work = context;
	struct arena *arena = work->request->arena;

	enum rc rc = alert_find_public(tx, arena, request_capture(work->request, "id"), &work->alert, err);
	if (rc == OK && (work->alert.draft_id == DB_NULL || work->alert.state == ALERT_ENDED))
		rc = NOT_FOUND;
	return rc == OK ? version_find(tx, arena, work->alert.draft_id, &work->version, err) : rc;
}

static bool is_end(const struct alert_version *version)
{
	return version->type == ALERT_CANCEL || version->type == ALERT_CLEAR;
}

/* --- prices ------------------------------------------------------------------------------------------------------- */

/* "0.075 EUR" as the setting has it; false if there is none. */
static bool price(struct request *request, double *each, struct str *currency)
{
	struct str number;
	const struct str setting = str_trim(setting_text(request->house, request->arena, "travel.sms_part_cost"));

	str_cut(setting, ' ', &number, currency);
	return setting.len && str_to_double(number, each) && *each > 0;
}

struct str sms_cost_text(struct request *request, int64_t parts)
{
	struct str currency;
	double each;

	if (!price(request, &each, &currency))
		return S("");
	return str_format(request->arena, "%.2f %.*s", each * (double)parts, STR_ARG(currency));
}

/* --- previews ----------------------------------------------------------------------------------------------------- */

static struct alert_rendering rendering_of(const struct draft_work *work, enum alert_group group,
                                           enum language language)
{
	const struct str base = str_from(work->request->house->public_url);

	return (struct alert_rendering){
		.alert = &work->alert,
		.version = &work->version,
		.group = group,
		.wanted = language,
		.answer_url = str_concat(work->request->arena, base, S("/a/" SAMPLE_TOKEN)),
		.manage_url = str_concat(work->request->arena, base, S("/my/" SAMPLE_TOKEN)),
		.area = version_area(places_of(work->request->house), work->request->arena, language, &work->version),
		.now = work->request->now,
	};
}

static void preview_make(const struct draft_work *work, enum alert_group group, enum language language,
                         struct preview *out)
{
	struct request *request = work->request;
	const struct alert_rendering rendering = rendering_of(work, group, language);
	struct message_draft sms, mail;
	struct sms_measure measure = { .parts = 0 };
	struct err err;
	char forced[4];

	err_init(&err, request->arena);
	alert_render_sms(request->arena, &rendering, &sms);
	alert_render_mail(request->house, request->arena, &rendering, &mail);
	*out = (struct preview){ .language = language,
		                 .language_name = str_from(languages[language].name),
		                 .sms = sms.text,
		                 .subject = mail.subject,
		                 .text = mail.text,
		                 .note = S(""),
		                 .cost = S(""),
		                 .forced_by = S("") };
	if (sms.language != language)
		out->note = T(request->arena, request->language, MSG_alert_preview_fell_back,
		              MSG_S("language", str_from(languages[sms.language].name)));
	if (messages_sms_measure(request->house, request->arena, sms.text, &measure, &err) != OK) {
		out->over_long = true;
		return;
	}
	out->parts = (int64_t)measure.parts;
	out->characters = (int64_t)utf8_length(sms.text);
	out->units = (int64_t)measure.units;
	out->unit_room = (int64_t)(measure.part_units * measure.parts);
	out->gsm = measure.encoding != SMS_UCS2;
	out->over_long = measure.too_many;
	out->cost = sms_cost_text(request, out->parts);
	if (measure.forced_by)
		out->forced_by = str_copy(request->arena, (struct str){ forced, utf8_put(measure.forced_by, forced) });
}

static void group_make(const struct draft_work *work, const struct alert_plan *plan, enum alert_group group,
                       enum msg title, struct review_view *view)
{
	const struct alert_tally *tally = &plan->groups[group];
	struct preview_group *out = &view->groups[view->group_count];

	if (!tally->people && group != (is_end(&work->version) ? GROUP_RELEASED : GROUP_NEW))
		return;
	*out = (struct preview_group){ .title = title,
		                       .people = tally->people,
		                       .mail = tally->by_channel[CHANNEL_MAIL],
		                       .sms = tally->by_channel[CHANNEL_SMS],
		                       .nobody = tally->unreachable };
	for (size_t i = 0; i < LANGUAGE_COUNT; i++)
		if (plan->languages[i] || version_text(&work->version, GROUP_NEW, (enum language)i) ||
		    version_text(&work->version, group, (enum language)i))
			preview_make(work, group, (enum language)i, &out->previews[out->preview_count++]);
	view->group_count++;
}

/* Parts in all, by the previews: each text's parts times its people. */
static int64_t parts_in_all(const struct draft_work *work, const struct alert_plan *plan)
{
	int64_t parts = 0;

	for (size_t group = 1; group <= GROUP_TEXTS; group++)
		for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
			struct preview preview;
			if (!plan->sms[group][i])
				continue;
			preview_make(work, (enum alert_group)group, (enum language)i, &preview);
			parts += preview.parts * plan->sms[group][i];
		}
	return parts;
}

/* --- warnings ----------------------------------------------------------------------------------------------------- */

static void warn(struct review_view *view, struct str text)
{
	if (view->warning_count < WARNINGS_MAX)
		view->warnings[view->warning_count++] = text;
}

static bool has_tag(struct str text)
{
	for (size_t i = 0; i + 1 < text.len; i++) {
		const char next = text.ptr[i + 1];
		if (text.ptr[i] == '<' && (next == '/' || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z')))
			return true;
	}
	return false;
}

static bool texts_are_same(const struct alert_text *a, const struct alert_text *b)
{
	return str_equal(a->headline, b->headline) && str_equal(a->description, b->description) &&
	       str_equal(a->instruction, b->instruction) && str_equal(a->sms, b->sms);
}

static void warn_texts(const struct draft_work *work, struct review_view *view)
{
	const struct alert_version *version = &work->version;
	struct request *request = work->request;

	for (size_t i = 0; i < version->text_count; i++) {
		const struct alert_text *text = &version->texts[i];
		const struct str name = str_from(languages[text->language].name);
		if (has_tag(text->headline) || has_tag(text->description) || has_tag(text->instruction) ||
		    has_tag(text->sms))
			warn(view, T(request->arena, request->language, MSG_alert_warn_tags, MSG_S("language", name)));
		for (size_t j = 0; j < i; j++)
			if (version->texts[j].group == text->group && texts_are_same(&version->texts[j], text))
				warn(view,
				     T(request->arena, request->language, MSG_alert_warn_same, MSG_S("language", name),
				       MSG_S("other", str_from(languages[version->texts[j].language].name))));
	}
}

static void warn_languages(const struct draft_work *work, const struct alert_plan *plan, struct review_view *view)
{
	struct request *request = work->request;
	const enum alert_group group = is_end(&work->version) ? GROUP_RELEASED : GROUP_NEW;

	for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
		bool fell_back;
		if (!plan->languages[i])
			continue;
		const struct alert_text words =
			alert_words(request->arena, &work->version, group, (enum language)i, &fell_back);
		if (fell_back)
			warn(view, T(request->arena, request->language, MSG_alert_warn_language,
			             MSG_N("count", plan->languages[i]), MSG_S("language", str_from(languages[i].name)),
			             MSG_S("other", str_from(languages[words.language].name))));
	}
}

static void warn_area(const struct draft_work *work, struct review_view *view)
{
	const struct geo_reading reading = { .keep_crossing = false };
	struct geo_report report;

	geo_report_init(&report);
	geo_area_judge(work->request->arena, &work->version.area, &reading, &report);
	for (size_t i = 0; i < report.count; i++)
		if (geo_severity(report.findings[i].code) == GEO_WARNING)
			warn(view, finding_text(work->request->arena, work->request->language, &report.findings[i]));
}

static void warnings_make(const struct draft_work *work, const struct alert_plan *plan, struct review_view *view)
{
	struct request *request = work->request;

	view->warnings = ARENA_NEW_ARRAY(request->arena, struct str, WARNINGS_MAX);
	if (work->version.expires <= request->now)
		warn(view, T(request->arena, request->language, MSG_alert_rule_expired));
	if (!view->told)
		warn(view, T(request->arena, request->language, MSG_alert_warn_nobody));
	warn_languages(work, plan, view);
	for (size_t i = 0; i < view->group_count; i++)
		for (size_t j = 0; j < view->groups[i].preview_count; j++)
			if (view->groups[i].previews[j].over_long)
				warn(view, T(request->arena, request->language, MSG_alert_warn_over_long_in,
				             MSG_S("language", view->groups[i].previews[j].language_name)));
	warn_texts(work, view);
	if (plan->quiet_never)
		warn(view, T(request->arena, request->language, MSG_alert_warn_quiet_never,
		             MSG_N("count", plan->quiet_never)));
	if (!is_end(&work->version))
		warn_area(work, view);
}

/* --- the review --------------------------------------------------------------------------------------------------- */

static void counts_make(const struct draft_work *work, const struct alert_plan *plan, struct review_view *view)
{
	struct request *request = work->request;
	int64_t rest[GEO_COUNTRIES];

	view->languages = ARENA_NEW_ARRAY(request->arena, struct count_row, LANGUAGE_COUNT);
	for (size_t i = 0; i < LANGUAGE_COUNT; i++)
		if (plan->languages[i])
			view->languages[view->language_count++] =
				(struct count_row){ str_from(languages[i].name), plan->languages[i] };
	view->countries = ARENA_NEW_ARRAY(request->arena, struct count_row, COUNTRIES_SHOWN);
	memcpy(rest, plan->countries, sizeof rest);
	while (view->country_count < COUNTRIES_SHOWN) {
		size_t most = 0;
		for (size_t i = 1; i < GEO_COUNTRIES; i++)
			if (rest[i] > rest[most])
				most = i;
		if (!rest[most])
			break;
		view->countries[view->country_count++] = (struct count_row){
			most ? country_name(places_of(request->house), request->arena, geo_country_code((uint16_t)most),
			                    languages[request->language].tag)
			     : T(request->arena, request->language, MSG_alert_no_country),
			rest[most],
		};
		rest[most] = 0;
	}
}

struct str alert_time_text(struct request *request, int64_t at, struct str zone)
{
	return text_date_time(request->arena, request->language, at, str_c(request->arena, zone));
}

struct alert_item alert_item_of(struct request *request, const struct alert *alert, const struct alert_version *version)
{
	return (struct alert_item){
		.id = alert->public_id,
		.headline = version_headline(version, request->language),
		.area = version_area(places_of(request->house), request->arena, request->language, version),
		.kind = kind_message(alert->kind),
		.severity = severity_message(version->severity),
		.type = type_message(version->type),
		.severity_class = severity_class(version->severity),
		.number = alert->number,
		.expires = version->expires,
		.at = alert->ended_at != DB_NULL    ? alert->ended_at
		      : version->sent_at != DB_NULL ? version->sent_at
		                                    : version->changed_at,
		.exercise = alert->exercise,
	};
}

static void review_show(struct draft_work *work, struct response *response, const struct err *errors)
{
	struct request *request = work->request;
	const struct alert_version *version = &work->version;
	struct alert_plan plan;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = alert_review(request->house, request->arena, version, request->now, &plan, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	struct review_view view = {
		.page = { .title = T(request->arena, request->language, MSG_alert_review_title),
		          .officer_page = true,
		          .errors = errors,
		          .wide = true,
		          .notice = !errors && str_equal(request_query(request, "done"), S("sample"))
		                            ? T(request->arena, request->language, MSG_alert_done_sample)
		                            : STR_NONE },
		.id = work->alert.public_id,
		.type = version->type,
		.item = alert_item_of(request, &work->alert, version),
		.ends = is_end(version),
		.update = version->type == ALERT_UPDATE,
		.plan = &plan,
		.told = (int64_t)plan.count - plan.channels[CHANNEL_NONE],
		.urgency = urgency_message(version->urgency),
		.certainty = certainty_message(version->certainty),
		.effective = version->effective ? alert_time_text(request, version->effective, version->zone) : S(""),
		.onset = version->onset ? alert_time_text(request, version->onset, version->zone) : S(""),
		.expires = alert_time_text(request, version->expires, version->zone),
		.map_description = T(request->arena, request->language, MSG_alert_map_title),
		.sms_cost = S(""),
		.sample_mail = errors ? request_form(request, "sample_mail") : S(""),
		.sample_sms = errors ? request_form(request, "sample_sms") : S(""),
		.can_send = request->officer->permission >= PERMIT_OFFICER,
	};
	view.page.canonical = str_format(request->arena, "/desk/alert/%.*s/review", STR_ARG(work->alert.public_id));
	if (!view.ends)
		group_make(work, &plan, GROUP_NEW, MSG_alert_texts_new, &view);
	if (view.update)
		group_make(work, &plan, GROUP_CHANGED, MSG_alert_texts_changed, &view);
	if (version->type != ALERT_NEW)
		group_make(work, &plan, GROUP_RELEASED, MSG_alert_texts_released, &view);
	view.sms_cost = plan.channels[CHANNEL_SMS] ? sms_cost_text(request, parts_in_all(work, &plan)) : S("");
	warnings_make(work, &plan, &view);
	counts_make(work, &plan, &view);
	view.area = area_words(places_of(request->house), request->arena, request->language, &version->area,
	                       &view.area_count);
	for (size_t i = 0; i < LANGUAGE_COUNT; i++)
		view.sample_languages[i] = (struct choice){ str_from(languages[i].tag), str_from(languages[i].name),
			                                    version->language == i };
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	alert_review_page(&out, &view);
}

void alert_review_get(struct request *request, struct response *response)
{
	struct draft_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, draft_in_store, &work, &err);
	if (rc == OK)
		review_show(&work, response, NULL);
	else
		response_error(request, response, rc, &err);
}

/* --- a sample to oneself
 * ------------------------------------------------------------------------------------------ */

struct sample_work {
	struct draft_work draft;
	struct str mailbox, number;
	enum language language;
};

static enum rc sample_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct sample_work *work = context;
	struct request *request = work->draft.request;
	struct alert_rendering rendering =
		rendering_of(&work->draft, is_end(&work->draft.version) ? GROUP_RELEASED : GROUP_NEW, work->language);
	struct message_draft draft;
	enum rc rc = OK;

	if (work->mailbox.len) {
		alert_render_mail(request->house, request->arena, &rendering, &draft);
		const struct message_single single = { .lane = LANE_ANSWER,
			                               .channel = CHANNEL_MAIL,
			                               .address = work->mailbox,
			                               .subject =
			                                       T(request->arena, work->language, MSG_alert_sample_mark,
			                                         MSG_S("text", draft.subject)),
			                               .body = draft.text,
			                               .expires_at = request->now + SAMPLE_LIFE };
		rc = message_queue(tx, &single, request->now, NULL, err);
	}
	if (rc == OK && work->number.len) {
		alert_render_sms(request->arena, &rendering, &draft);
		const struct message_single single = { .lane = LANE_ANSWER,
			                               .channel = CHANNEL_SMS,
			                               .address = work->number,
			                               .body = T(request->arena, work->language, MSG_alert_sample_mark,
			                                         MSG_S("text", draft.text)),
			                               .expires_at = request->now + SAMPLE_LIFE };
		rc = message_queue(tx, &single, request->now, NULL, err);
	}
	return rc == OK ? ledger_append(tx, request->officer->id, "alert.sample",
	                                str_format(request->arena, "alert:%.*s", STR_ARG(work->draft.alert.public_id)),
	                                STR_NONE, request->now, err)
	                : rc;
}

static void sample_check(struct sample_work *work, struct err *err)
{
	struct request *request = work->draft.request;
	const struct str mail = str_trim(request_form(request, "sample_mail")),
			 number = str_trim(request_form(request, "sample_sms"));

	if (mail.len)
		mailbox_read(request->arena, mail, S("sample_mail"), &work->mailbox, err);
	if (number.len) {
		struct phone_number phone;
		if (phone_parse(request->arena, number, STR_NONE, &phone, NULL) != OK)
			err_field(err, S("sample_sms"), MSG_alert_rule_phone, STR_NONE, STR_NONE);
		else
			work->number = phone.e164;
	}
	if (!mail.len && !number.len)
		err_field(err, S("sample_mail"), MSG_alert_rule_sample, STR_NONE, STR_NONE);
	work->language = language_find(request_form(request, "sample_language"));
	if (work->language == LANGUAGE_COUNT)
		work->language = work->draft.version.language;
}

void alert_sample_post(struct request *request, struct response *response)
{
	struct sample_work work = { .draft = { .request = request }, .mailbox = S(""), .number = S("") };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, draft_in_store, &work.draft, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	sample_check(&work, &err);
	if (err.field_count) {
		response->status = 422;
		review_show(&work.draft, response, &err);
		return;
	}
	rc = db_write(request->house->db, DB_LANE_PERSON, sample_in_store, &work, &err);
	if (rc == OK) {
		messages_wake(request->house);
		response_redirect(response,
		                  str_format(request->arena, "/desk/alert/%.*s/review?done=sample",
		                             STR_ARG(work.draft.alert.public_id)));
	} else {
		response_error(request, response, rc, &err);
	}
}

/* --- the confirmation
 * --------------------------------------------------------------------------------------------- */

static void confirm_show(struct draft_work *work, struct response *response, const struct err *errors)
{
	struct request *request = work->request;
	struct alert_plan plan;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = alert_review(request->house, request->arena, &work->version, request->now, &plan, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const int64_t told = (int64_t)plan.count - plan.channels[CHANNEL_NONE];
	const struct confirm_send_view view = {
		.page = { .title = T(request->arena, request->language, MSG_alert_confirm_title),
		          .officer_page = true,
		          .errors = errors,
		          .canonical =
		                  str_format(request->arena, "/desk/alert/%.*s/send", STR_ARG(work->alert.public_id)) },
		.id = work->alert.public_id,
		.type = work->version.type,
		.headline = version_headline(&work->version, request->language),
		.exercise = work->alert.exercise,
		.type_number = told > setting_int(request->house, "travel.confirm_above"),
		.told = told,
		.mail = plan.channels[CHANNEL_MAIL],
		.sms = plan.channels[CHANNEL_SMS],
		.nobody = plan.channels[CHANNEL_NONE],
		.later = plan.later,
		.waiting = plan.quiet_wait,
		.typed = S(""),
		.cost = plan.channels[CHANNEL_SMS] ? sms_cost_text(request, parts_in_all(work, &plan)) : S(""),
	};
	struct html out = html_begin(request, response);
	alert_confirm_page(&out, &view);
}

void alert_confirm_get(struct request *request, struct response *response)
{
	struct draft_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, draft_in_store, &work, &err);
	if (rc == OK)
		confirm_show(&work, response, NULL);
	else
		response_error(request, response, rc, &err);
}

static void confirm_again(struct request *request, struct response *response, const struct err *errors)
{
	struct draft_work work = { .request = request };
	struct err err;

	err_init(&err, request->arena);
	response->status = 422;
	enum rc rc = db_read(request->house->db, draft_in_store, &work, &err);
	if (rc == OK)
		confirm_show(&work, response, errors);
	else
		response_error(request, response, rc, &err);
}

void alert_send_post(struct request *request, struct response *response)
{
	const struct str public_id = request_capture(request, "id");
	struct alert_sending sending = { .form_key = request_form_key(request), .officer_id = request->officer->id };
	const struct str typed = text_ascii_digits(request->arena, str_trim(request_form(request, "typed")));
	int64_t people, number;
	struct err err;

	err_init(&err, request->arena);
	if (!str_to_int(request_form(request, "people"), &sending.expected) || sending.expected < 0) {
		response_problem(request, response, PROBLEM_BAD_REQUEST, NULL);
		return;
	}
	if (sending.expected > setting_int(request->house, "travel.confirm_above") &&
	    (!str_to_int(typed, &number) || number != sending.expected)) {
		err_field(&err, S("typed"), MSG_alert_rule_typed,
		          str_format(request->arena, "%lld", (long long)sending.expected), STR_NONE);
		confirm_again(request, response, &err);
		return;
	}
	enum rc rc = alert_send(request->house, request->arena, public_id, &sending, request->now, &people, &err);
	if (rc == OK) {
		response_redirect(response,
		                  str_format(request->arena, "/desk/alert/%.*s?done=sent", STR_ARG(public_id)));
	} else if (rc == CONFLICT && str_equal(err.detail, S("changed"))) {
		err_field(&err, S(""), MSG_alert_rule_numbers, STR_NONE, STR_NONE);
		confirm_again(request, response, &err);
	} else if (rc == INVALID) {
		confirm_again(request, response, &err);
	} else {
		response_error(request, response, rc, &err);
	}
}
