/* What an alert says to one person: the short message, the notification and the mail. */
#include <stdlib.h>

#include "desks/travel/alert.h"
#include "kernel/access/access.h"

#include "travel_pages.h"
#include "desks/travel/alert_views.h"

#define ANSWER_PURPOSE "answer"
#define NUMBER_BITS 16

_Static_assert(ALERT_NUMBER_MAX < 1 << NUMBER_BITS, "an alert's number fits into an answer link");

/* --- words with their fallbacks
 * ----------------------------------------------------------------------------------- */

static const struct alert_text *any_text(const struct alert_version *version, enum alert_group group,
                                         enum language wanted)
{
	const struct alert_text *text = version_text(version, group, wanted);

	if (!text)
		text = version_text(version, group, version->language);
	for (size_t i = 0; !text && i < version->text_count; i++)
		if (version->texts[i].group == (int64_t)group)
			text = &version->texts[i];
	return text;
}

/* Where officers wrote nothing of their own: standing words around the alert's headline. */
static struct alert_text standing_words(struct arena *arena, const struct alert_version *version,
                                        enum alert_group group, const struct alert_text *base)
{
	struct alert_text text = *base;
	const enum language language = base->language;
	enum msg headline = MSG_alert_changed_headline, instruction = MSG_none;

	text.group = group;
	if (group == GROUP_RELEASED) {
		headline = version->type == ALERT_CANCEL  ? MSG_alert_cancel_headline
		           : version->type == ALERT_CLEAR ? MSG_alert_clear_headline
		                                          : MSG_alert_released_headline;
		instruction = version->type == ALERT_CANCEL  ? MSG_alert_cancel_text
		              : version->type == ALERT_CLEAR ? MSG_alert_clear_text
		                                             : MSG_alert_released_text;
		text.description = S("");
		text.instruction = T(arena, language, instruction);
	}
	text.headline = T(arena, language, headline, MSG_S("headline", base->headline));
	if (group == GROUP_RELEASED)
		text.sms = S("");
	else if (base->sms.len)
		text.sms = T(arena, language, MSG_alert_changed_headline, MSG_S("headline", base->sms));
	return text;
}

static enum alert_group text_group_of(enum alert_group group)
{
	if (group == GROUP_RELEASED)
		return GROUP_RELEASED;
	return group == GROUP_CHANGED || group == GROUP_CHANGED_POSSIBLE ? GROUP_CHANGED : GROUP_NEW;
}

struct alert_text alert_words(struct arena *arena, const struct alert_version *version, enum alert_group group,
                              enum language wanted, bool *fell_back)
{
	const enum alert_group own = text_group_of(group);
	const struct alert_text *text = version_text(version, own, wanted);
	struct alert_text words = { .group = own,
		                    .language = version->language,
		                    .headline = S(""),
		                    .description = S(""),
		                    .instruction = S(""),
		                    .sms = S("") };

	if (text) {
		words = *text;
	} else if (own != GROUP_NEW && version_text(version, GROUP_NEW, wanted)) {
		words = standing_words(arena, version, own, version_text(version, GROUP_NEW, wanted));
	} else if ((text = any_text(version, own, wanted)) != NULL) {
		words = *text;
	} else if ((text = any_text(version, GROUP_NEW, wanted)) != NULL) {
		words = standing_words(arena, version, own, text);
	}
	*fell_back = words.language != wanted;
	return words;
}

static bool is_possible(enum alert_group group)
{
	return group == GROUP_NEW_POSSIBLE || group == GROUP_CHANGED_POSSIBLE;
}

/* --- links -------------------------------------------------------------------------------------------------------- */

struct str alert_answer_path(const struct house *house, struct arena *arena, const struct alert *alert,
                             const struct person *person)
{
	const int64_t id = person->id << NUMBER_BITS | alert->number;

	return str_concat(arena, S("/a/"), capability_token(house, arena, ANSWER_PURPOSE, id, person->salt));
}

enum rc alert_answer_find(struct db_tx *tx, const struct house *house, struct arena *arena, struct str token,
                          struct alert *alert_out, struct person *person_out, struct err *err)
{
	int64_t id;

	if (!capability_id(token, &id))
		return NOT_FOUND;
	enum rc rc = person_find(tx, arena, id >> NUMBER_BITS, person_out, err);
	if (rc == OK && !capability_check(house, token, ANSWER_PURPOSE, id, person_out->salt))
		return NOT_FOUND;
	return rc == OK ? alert_find_number(tx, arena, id & ALERT_NUMBER_MAX, alert_out, err) : rc;
}

/* --- the short message
 * -------------------------------------------------------------------------------------------- */

static void add_sentence(struct buf *buf, struct str text)
{
	text = str_trim(text);
	if (!text.len)
		return;
	if (buf->len)
		buf_add_char(buf, ' ');
	buf_add_str(buf, text);
}

/* A headline that ends without a stop would run into what follows. */
static struct str stopped(struct arena *arena, enum language language, struct str text)
{
	static const char *const stops[] = { ".", "!", "?", ":", "…", "؟", "۔", "»" };

	text = str_trim(text);
	for (size_t i = 0; i < COUNT_OF(stops); i++)
		if (str_ends(text, str_from(stops[i])))
			return text;
	return text.len ? T(arena, language, MSG_alert_sms_stop, MSG_S("text", text)) : text;
}

void alert_render_sms(struct arena *arena, const struct alert_rendering *rendering, struct message_draft *out)
{
	bool fell_back;
	const struct alert_text words =
		alert_words(arena, rendering->version, rendering->group, rendering->wanted, &fell_back);
	const enum language language = words.language;
	struct buf buf;

	buf_init(&buf);
	if (rendering->alert->exercise)
		add_sentence(&buf, T(arena, language, MSG_alert_sms_exercise));
	if (rendering->group == GROUP_REMINDER)
		add_sentence(&buf, T(arena, language, MSG_alert_sms_reminder));
	if (words.sms.len) {
		add_sentence(&buf, stopped(arena, language, words.sms));
	} else {
		add_sentence(&buf, stopped(arena, language, words.headline));
		add_sentence(&buf, stopped(arena, language, words.instruction));
	}
	if (is_possible(rendering->group))
		add_sentence(&buf, T(arena, language, MSG_alert_sms_possible));
	/* The way to answer is said in the person's own language, even when the rest is not. */
	if (rendering->group != GROUP_RELEASED && !str_is_none(rendering->answer_url))
		add_sentence(&buf, T(arena, rendering->wanted, MSG_alert_sms_answer,
		                     MSG_S("number", str_format(arena, "%lld", (long long)rendering->alert->number)),
		                     MSG_S("url", rendering->answer_url)));
	*out = (struct message_draft){ .subject = STR_NONE,
		                       .text = str_copy(arena, buf_str(&buf)),
		                       .html = STR_NONE,
		                       .thread = STR_NONE,
		                       .unsubscribe_url = STR_NONE,
		                       .language = language };
	buf_release(&buf);
}

/* --- the notification
 * --------------------------------------------------------------------------------------------- */

void alert_render_push(struct arena *arena, const struct alert_rendering *rendering, struct message_draft *out)
{
	const struct alert *alert = rendering->alert;
	const enum language wanted = rendering->wanted;
	bool fell_back;
	const struct alert_text words =
		alert_words(arena, rendering->version, rendering->group, wanted, &fell_back);
	const bool answers = rendering->group != GROUP_RELEASED && !str_is_none(rendering->answer_path);
	struct str title = words.headline;
	struct buf buf;

	if (alert->exercise)
		title = T(arena, words.language, MSG_alert_mail_exercise, MSG_S("headline", title));
	buf_init(&buf);
	if (rendering->group == GROUP_REMINDER)
		add_sentence(&buf, T(arena, words.language, MSG_alert_sms_reminder));
	add_sentence(&buf, stopped(arena, words.language, words.instruction));
	add_sentence(&buf, stopped(arena, words.language, words.description));
	if (is_possible(rendering->group))
		add_sentence(&buf, T(arena, words.language, MSG_alert_sms_possible));
	*out = (struct message_draft){
		.subject = str_copy(arena, title),
		.text = str_copy(arena, buf_str(&buf)),
		.html = STR_NONE,
		.thread = str_format(arena, "alert-%.*s", STR_ARG(alert->public_id)),
		.unsubscribe_url = STR_NONE,
		.language = words.language,
		.open = answers           ? rendering->answer_path
		        : alert->exercise ? S("/")
		                          : str_format(arena, "/alert/%.*s", STR_ARG(alert->public_id)),
		.answer = answers ? str_concat(arena, rendering->answer_path, S("/push")) : STR_NONE,
		.words = { .safe = T(arena, wanted, MSG_board_i_am_safe),
		           .help = T(arena, wanted, MSG_board_i_need_help),
		           .said_safe = T(arena, wanted, MSG_board_answer_recorded_safe),
		           .said_help = T(arena, wanted, MSG_board_answer_recorded_help),
		           .unsaid = T(arena, wanted, MSG_alert_push_unsaid) },
		.silent = severity_is_low(rendering->version->severity) && !rendering->version->sms_at_night,
	};
	buf_release(&buf);
}

/* --- the mail ----------------------------------------------------------------------------------------------------- */

static struct str time_words(struct arena *arena, enum language language, int64_t at, struct str zone)
{
	return text_date_time(arena, language, at, str_c(arena, zone));
}

static struct mail_view mail_of(struct house *house, struct arena *arena, const struct alert_rendering *rendering)
{
	const struct alert *alert = rendering->alert;
	const struct alert_version *version = rendering->version;
	const bool released = rendering->group == GROUP_RELEASED;
	bool fell_back;
	const struct alert_text words = alert_words(arena, version, rendering->group, rendering->wanted, &fell_back);
	struct mail_view view = {
		.wanted = rendering->wanted,
		.language = words.language,
		.headline = words.headline,
		.description = words.description,
		.instruction = words.instruction,
		.exercise = alert->exercise,
		.possible = is_possible(rendering->group),
		.reminder = rendering->group == GROUP_REMINDER,
		.released = released,
		.severity = severity_message(version->severity),
		.area = rendering->area,
		.expires = time_words(arena, rendering->wanted, version->expires, version->zone),
		.answer = { released || str_is_none(rendering->answer_url) ? STR_NONE : rendering->answer_url },
		.manage = { rendering->manage_url },
		.page = { alert->exercise
		                  ? STR_NONE
		                  : str_format(arena, "%s/alert/%.*s", house->public_url ? house->public_url : "",
		                               STR_ARG(alert->public_id)) },
	};

	if (fell_back)
		view.fell_back = T(arena, rendering->wanted, MSG_alert_fell_back,
		                   MSG_S("language", str_from(languages[words.language].name)));
	return view;
}

static void add_paragraph(struct buf *buf, struct str text)
{
	text = str_trim(text);
	if (!text.len)
		return;
	if (buf->len)
		buf_add_str(buf, S("\n\n"));
	buf_add_str(buf, text);
}

static struct str mail_text(struct arena *arena, const struct mail_view *view)
{
	const enum language own = view->wanted;
	struct buf buf;

	buf_init(&buf);
	if (view->exercise)
		add_paragraph(&buf, T(arena, own, MSG_alert_exercise_band));
	if (view->reminder)
		add_paragraph(&buf, T(arena, own, MSG_alert_reminder_text));
	add_paragraph(&buf, view->fell_back);
	add_paragraph(&buf, view->headline);
	if (view->possible)
		add_paragraph(&buf, T(arena, own, MSG_alert_possible_text));
	add_paragraph(&buf, view->description);
	add_paragraph(&buf, view->instruction);
	if (!view->released) {
		add_paragraph(&buf, T(arena, own, MSG_alert_mail_area, MSG_S("area", view->area)));
		add_paragraph(&buf, T(arena, own, MSG_alert_mail_until, MSG_S("time", view->expires)));
	}
	if (view->answer.text.len)
		add_paragraph(&buf, T(arena, own, MSG_alert_mail_answer, MSG_S("url", view->answer.text)));
	if (view->page.text.len)
		add_paragraph(&buf, T(arena, own, MSG_alert_mail_page, MSG_S("url", view->page.text)));
	add_paragraph(&buf, T(arena, own, MSG_alert_mail_why));
	if (view->manage.text.len)
		add_paragraph(&buf, T(arena, own, MSG_alert_mail_manage, MSG_S("url", view->manage.text)));
	buf_add_char(&buf, '\n');
	const struct str out = str_copy(arena, buf_str(&buf));
	buf_release(&buf);
	return out;
}

void alert_render_mail(struct house *house, struct arena *arena, const struct alert_rendering *rendering,
                       struct message_draft *out)
{
	const struct mail_view view = mail_of(house, arena, rendering);
	struct str subject = view.headline;
	struct buf buf;

	if (view.exercise)
		subject = T(arena, view.language, MSG_alert_mail_exercise, MSG_S("headline", subject));
	buf_init(&buf);
	/* A mail has no layout of ours around it. */
	buf_format(&buf,
	           "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head><meta charset=\"utf-8\"></head>\n<body>\n",
	           languages[view.wanted].tag, languages[view.wanted].right_to_left ? "rtl" : "ltr");
	struct html html = html_plain(&buf, arena, view.wanted);
	alert_mail(&html, &view);
	buf_add_str(&buf, S("</body>\n</html>\n"));
	*out = (struct message_draft){
		.subject = subject,
		.text = mail_text(arena, &view),
		.html = str_copy(arena, buf_str(&buf)),
		.thread = str_format(arena, "alert-%.*s", STR_ARG(rendering->alert->public_id)),
		.unsubscribe_url = STR_NONE,
		.language = view.language,
	};
	buf_release(&buf);
}
