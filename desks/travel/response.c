#include "desks/travel/response.h"

#include "kernel/desk/desk.h"



/* --- texts ---------------------------------------------------------------------------------------------------- */

static bool fits(struct str text, size_t most)
{
	return text.len <= most * 4 && utf8_length(text) <= most;
}

static enum rc text_add(struct db_tx *tx, const struct response_new *response, int64_t id, struct err *err)
{
	if (str_is_empty(response->note) && str_is_empty(response->place))
		return OK;
	return response_text_insert(tx,
	                            &(struct response_text_insert_args){
	                                    .response_id = id,
	                                    .note = str_is_empty(response->note) ? S("") : response->note,
	                                    .place = str_is_empty(response->place) ? S("") : response->place },
	                            NULL, err);
}

/* --- companions ----------------------------------------------------------------------------------------------- */

/* Stays from the first version on until the last one ends. */
static enum rc alert_time(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, int64_t *since, struct err *err)
{
	struct board_alert_first_sent_row first;
	enum rc rc = board_alert_first_sent(tx, arena, &(struct board_alert_first_sent_args){ .alert_id = alert->id }, &first, err);
	if (rc == OK)
		*since = alert->effective > 0 && alert->effective < first.sent_at ? alert->effective : first.sent_at;
	return rc;
}

enum rc companions_read(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, int64_t person_id, struct companion **named_out,
                        size_t *named_count, int64_t *unnamed_out, struct err *err)
{
	struct companion_list_answered_row *rows;
	struct companion_count_row all;
	size_t count;
	int64_t since;
	enum rc rc = alert_time(tx, arena, alert, &since, err);
	if (rc == OK)
		rc = companion_list_answered(tx, arena,
		                             &(struct companion_list_answered_args){ .alert_id = alert->id, .person_id = person_id,
		                                                                     .since = since, .until = alert->expires },
		                             &rows, &count, err);
	if (rc == OK)
		rc = companion_count(
			tx, arena, &(struct companion_count_args){ .person_id = person_id, .since = since, .until = alert->expires }, &all, err);
	if (rc != OK)
		return rc;
	struct companion *named = ARENA_NEW_ARRAY(arena, struct companion, count);
	for (size_t i = 0; i < count; i++)
		named[i] = (struct companion){ rows[i].id, rows[i].name, (enum companion_status)rows[i].status };
	*named_out = named;
	*named_count = count;
	*unnamed_out = all.people > (int64_t)count ? all.people - (int64_t)count : 0;
	return OK;
}

static enum rc companion_save(struct db_tx *tx, const struct response_new *response, const struct companion_answer *said, int64_t now,
                              struct err *err)
{
	if (said->status == COMPANION_UNSAID)
		return companion_response_remove(tx,
		                                 &(struct companion_response_remove_args){ .alert_id = response->alert_id,
		                                                                           .companion_id = said->companion_id,
		                                                                           .person_id = response->person_id },
		                                 NULL, err);
	return companion_response_put(tx,
	                              &(struct companion_response_put_args){ .alert_id = response->alert_id,
	                                                                     .companion_id = said->companion_id,
	                                                                     .person_id = response->person_id,
	                                                                     .status = said->status,
	                                                                     .received_at = now },
	                              NULL, err);
}

/* Only those who travel with the person; the row of the person is held, so nobody changes them meanwhile. */
static enum rc companions_save(struct db_tx *tx, const struct board_alert *alert, const struct response_new *response,
                               int64_t unnamed, struct companion *named, size_t named_count, int64_t now, struct err *err)
{
	int64_t safe = 0, help = 0;
	if (response->others_said && (response->others_safe < 0 || response->others_help < 0 ||
	                              response->others_safe + response->others_help > unnamed))
		return err_set(err, INVALID, "more companions than travel along");
	for (size_t i = 0; i < response->companion_count; i++) {
		const struct companion_answer *said = &response->companions[i];
		size_t at = 0;
		while (at < named_count && named[at].id != said->companion_id)
			at++;
		if (at == named_count || said->status < COMPANION_UNSAID || said->status > COMPANION_ELSEWHERE)
			return err_set(err, INVALID, "companion %lld of alert %lld", (long long)said->companion_id, (long long)alert->id);
		if (named[at].status == said->status)
			continue;
		safe += (said->status == COMPANION_SAFE) - (named[at].status == COMPANION_SAFE);
		help += (said->status == COMPANION_HELP) - (named[at].status == COMPANION_HELP);
		named[at].status = said->status;
		enum rc rc = companion_save(tx, response, said, now, err);
		if (rc != OK)
			return rc;
	}
	return safe != 0 || help != 0 ? companions_count(tx, alert->id, safe, help, err) : OK;
}

/* --- recording ------------------------------------------------------------------------------------------------ */

static bool takes_answers(const struct board_alert *alert, int64_t now)
{
	return alert->ended_at == DB_NULL || now < alert->ended_at + RESPONSE_LINK_DAYS * CLOCK_DAY;
}

/* What an answer makes of the person's row. */
static void row_answered(struct recipient *row, const struct response_new *response, int64_t now)
{
	if (row->class == COUNTER_SILENT || row->class == COUNTER_UNREACHABLE)
		row->class_unanswered = row->class;
	row->class = response->status == RESPONSE_HELP ? COUNTER_HELP : COUNTER_SAFE;
	row->answered_at = now;
	row->help_keyword_only = response->status == RESPONSE_HELP && response->keyword_only;
	if (response->status == RESPONSE_HELP && (row->case_state == CASE_NONE || row->case_state == CASE_RESOLVED)) {
		row->case_state = CASE_OPEN;
		row->case_owner = DB_NULL;
		row->case_taken_at = DB_NULL;
	}
	if (response->others_said) {
		row->others_safe = response->others_safe;
		row->others_help = response->others_help;
	}
}

static enum rc record(struct db_tx *tx, struct arena *arena, const struct response_new *response, int64_t now, int64_t *id_out,
                      struct recipient *before_out, struct recipient *after_out, struct err *err)
{
	struct board_alert alert;
	struct recipient before;
	struct companion *named = NULL;
	size_t named_count = 0;
	int64_t unnamed = 0;
	enum rc rc = board_alert_find(tx, arena, &(struct board_alert_find_args){ .alert_id = response->alert_id }, &alert, err);
	if (rc == OK && !takes_answers(&alert, now))
		rc = err_set(err, CONFLICT, "alert %lld ended too long ago", (long long)alert.id);
	if (rc == OK)
		rc = recipient_open(tx, arena, response->alert_id, response->person_id, now, &before, err);
	if (rc == OK && (response->companion_count > 0 || response->others_said))
		rc = companions_read(tx, arena, &alert, response->person_id, &named, &named_count, &unnamed, err);
	if (rc == OK)
		rc = companions_save(tx, &alert, response, unnamed, named, named_count, now, err);
	struct response_insert_row row;
	if (rc == OK)
		rc = response_insert(tx, arena,
		                     &(struct response_insert_args){
		                             .alert_id = response->alert_id,
		                             .person_id = response->person_id,
		                             .status = response->status,
		                             .by = response->by,
		                             .officer_id = response->officer_id > 0 ? response->officer_id : DB_NULL,
		                             .incoming_id = response->incoming_id > 0 ? response->incoming_id : DB_NULL,
		                             .form_key = response->form_key,
		                             .received_at = now },
		                     &row, err);
	if (rc == OK)
		rc = text_add(tx, response, row.id, err);
	if (rc != OK)
		return rc;
	struct recipient after = before;
	row_answered(&after, response, now);
	rc = recipient_save(tx, &before, &after, now, err);
	if (rc == OK)
		rc = db_change_append(tx, S("board"), response->alert_id, err);
	if (rc != OK)
		return rc;
	*id_out = row.id;
	if (before_out)
		*before_out = before;
	if (after_out)
		*after_out = after;
	return OK;
}

enum rc response_record(struct db_tx *tx, const struct response_new *response, int64_t now, int64_t *id_out, struct recipient *before_out,
                        struct recipient *after_out, struct err *err)
{
	if (response->status != RESPONSE_SAFE && response->status != RESPONSE_HELP)
		return err_set(err, INVALID, "status %d is no answer", (int)response->status);
	if (!fits(response->note, RESPONSE_NOTE_MAX) || !fits(response->place, RESPONSE_PLACE_MAX))
		return err_set(err, INVALID, "the note or the place is too long");
	struct arena arena;
	arena_init(&arena);
	enum rc rc = NOT_FOUND;
	if (!str_is_none(response->form_key)) {
		struct response_find_form_row first;
		rc = response_find_form(tx, &arena, &(struct response_find_form_args){ .form_key = response->form_key }, &first, err);
		if (rc == OK && (first.alert_id != response->alert_id || first.person_id != response->person_id))
			rc = err_set(err, CONFLICT, "the form's key was used for another answer");
		else if (rc == OK)
			*id_out = first.id;
	}
	if (rc == NOT_FOUND)
		rc = record(tx, &arena, response, now, id_out, before_out, after_out, err);
	arena_release(&arena);
	return rc;
}

enum rc response_withdraw(struct db_tx *tx, int64_t response_id, int64_t alert_id, int64_t person_id, int64_t now, struct err *err)
{
	struct arena arena;
	struct recipient before, after;
	struct response_find_newest_row newest = { 0 };
	int64_t changed = 0;
	arena_init(&arena);
	enum rc rc = recipient_open(tx, &arena, alert_id, person_id, now, &before, err);
	if (rc == OK)
		rc = response_put_withdrawn(tx, &(struct response_put_withdrawn_args){ .response_id = response_id }, &changed, err);
	if (rc == OK && changed != 1)
		rc = err_set(err, CONFLICT, "answer %lld was withdrawn before", (long long)response_id);
	if (rc == OK) {
		rc = response_find_newest(
			tx, &arena, &(struct response_find_newest_args){ .alert_id = alert_id, .person_id = person_id }, &newest, err);
		after = before;
		after.class = rc != OK ? before.class_unanswered : newest.status == RESPONSE_HELP ? COUNTER_HELP : COUNTER_SAFE;
		after.answered_at = rc == OK ? newest.received_at : DB_NULL;
		if (after.class != COUNTER_HELP)
			after.help_keyword_only = 0;
		else if (after.case_state == CASE_NONE)
			after.case_state = CASE_OPEN;
		if (rc == OK || rc == NOT_FOUND)
			rc = recipient_save(tx, &before, &after, now, err);
	}
	if (rc == OK)
		rc = db_change_append(tx, S("board"), alert_id, err);
	arena_release(&arena);
	return rc;
}

/* --- answers by SMS and mail ---------------------------------------------------------------------------------- */

struct fitting {
	int64_t person_id, alert_id;
	size_t in_force, ended; /* how many fit */
};

static enum rc fit_alert(struct db_tx *tx, struct arena *arena, const int64_t *person_ids, size_t person_count,
                         const struct alert_list_answerable_row *alert, struct fitting *fitting, struct err *err)
{
	const bool in_force = alert->state == ALERT_IN_FORCE;
	for (size_t i = 0; i < person_count; i++) {
		enum rc rc = recipient_is_targeted(tx, arena, alert->id, person_ids[i], err);
		if (rc == NOT_FOUND)
			continue;
		if (rc != OK)
			return rc;
		/* One in force goes before those that ended; among several of a kind nobody chooses. */
		if (in_force ? fitting->in_force == 0 : fitting->in_force == 0 && fitting->ended == 0) {
			fitting->person_id = person_ids[i];
			fitting->alert_id = alert->id;
		}
		if (in_force)
			fitting->in_force++;
		else
			fitting->ended++;
	}
	return OK;
}

static enum rc fit(struct db_tx *tx, struct arena *arena, const int64_t *person_ids, size_t person_count, int64_t event_hint, int64_t number,
                   int64_t now, struct fitting *out, struct err *err)
{
	struct fitting fitting = { 0 };
	struct alert_list_answerable_row *alerts;
	size_t count;
	const struct alert_list_answerable_args args = { .ended_after = now - RESPONSE_LATE_HOURS * CLOCK_HOUR };
	enum rc rc = alert_list_answerable(tx, arena, &args, &alerts, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if ((event_hint <= 0 || alerts[i].id == event_hint) && (number == 0 || alerts[i].number == number))
			rc = fit_alert(tx, arena, person_ids, person_count, &alerts[i], &fitting, err);
	if (rc != OK)
		return rc;
	if (fitting.in_force + fitting.ended == 0)
		return NOT_FOUND;
	if (fitting.in_force > 1 || (fitting.in_force == 0 && fitting.ended > 1))
		return CONFLICT;
	*out = fitting;
	return OK;
}

/* What an SMS adds to its word; the whole text stays in the inbox, so the end of a very long one is only marked here. */
static struct str note_of(struct arena *arena, struct str rest)
{
	struct str note = str_trim(rest);
	if (fits(note, RESPONSE_NOTE_MAX))
		return note;
	size_t at = 0;
	for (size_t i = 0; i < RESPONSE_NOTE_MAX - 1; i++)
		utf8_next(note, &at);
	return str_format(arena, "%.*s…", (int)at, note.ptr);
}

enum rc response_answer(struct db_tx *tx, struct house *house, const int64_t *person_ids, size_t person_count, const struct keyword_reply *said,
                        int64_t event_hint, enum channel_kind channel, int64_t incoming_id, int64_t now, int64_t *person_out,
                        int64_t *event_out, struct err *err)
{
	struct fitting fitting;
	struct arena arena;
	int64_t id;
	(void)house;
	if (said->keyword != KEYWORD_SAFE && said->keyword != KEYWORD_HELP)
		return err_set(err, INVALID, "keyword %s is no answer", keyword_name(said->keyword));
	arena_init(&arena);
	enum rc rc = NOT_FOUND;
	if (said->reference > 0)
		rc = fit(tx, &arena, person_ids, person_count, event_hint, said->reference, now, &fitting, err);
	/* "SAFE 3 adults" names no alert; and the thread of a mail says more than a number that fits none. */
	if (rc == NOT_FOUND && (said->reference == 0 || !said->reference_certain || event_hint > 0))
		rc = fit(tx, &arena, person_ids, person_count, event_hint, 0, now, &fitting, err);
	if (rc == OK) {
		const struct response_new response = {
			.alert_id = fitting.alert_id,
			.person_id = fitting.person_id,
			.status = said->keyword == KEYWORD_HELP ? RESPONSE_HELP : RESPONSE_SAFE,
			.by = channel == CHANNEL_SMS ? RESPONSE_BY_SMS : RESPONSE_BY_MAIL,
			.incoming_id = incoming_id,
			.form_key = STR_NONE,
			.note = note_of(&arena, said->rest),
			.keyword_only = said->help_keyword_only,
		};
		rc = response_record(tx, &response, now, &id, NULL, NULL, err);
	}
	if (rc == OK) {
		*person_out = fitting.person_id;
		*event_out = fitting.alert_id;
	}
	arena_release(&arena);
	return rc;
}

enum rc headline_read(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, enum language language, struct str *headline_out,
                      struct str *language_out, struct err *err)
{
	struct board_headline_list_row *rows;
	size_t count, best = 0;
	enum rc rc = board_headline_list(tx, arena, &(struct board_headline_list_args){ .version_id = alert->version_id }, &rows, &count, err);
	if (rc != OK)
		return rc;
	if (count == 0)
		return err_set(err, FAILED, "version %lld has no text", (long long)alert->version_id);
	for (size_t i = 0; i < count; i++) {
		if (language_find(rows[i].language) == language) {
			best = i;
			break;
		}
		if (str_equal(rows[i].language, alert->language))
			best = i;
	}
	*headline_out = rows[best].headline;
	if (language_out)
		*language_out = rows[best].language;
	return OK;
}
