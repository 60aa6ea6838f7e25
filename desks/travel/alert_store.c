/* Alerts, versions and texts in the store. */
#include "desks/travel/alert.h"
#include "kernel/ledger/ledger.h"

#include "travel_sql.h"

static void alert_of(const struct alert_row *row, struct alert *out)
{
	*out = (struct alert){
		.id = row->id,
		.public_id = row->public_id,
		.number = row->number,
		.kind = (enum alert_kind)row->kind,
		.exercise = row->exercise != 0,
		.state = (enum alert_state)row->state,
		.version_id = row->version_id,
		.draft_id = row->draft_id,
		.created_by = row->created_by,
		.created_at = row->created_at,
		.ended_at = row->ended_at,
	};
}

enum rc alert_find(struct db_tx *tx, struct arena *arena, int64_t alert_id, struct alert *out, struct err *err)
{
	struct alert_row row;

	enum rc rc = alert_row_find(tx, arena, &(struct alert_row_find_args){ .id = alert_id }, &row, err);
	if (rc == OK)
		alert_of(&row, out);
	return rc;
}

enum rc alert_find_public(struct db_tx *tx, struct arena *arena, struct str public_id, struct alert *out,
                          struct err *err)
{
	struct alert_row row;

	enum rc rc = alert_row_find_public(tx, arena, &(struct alert_row_find_public_args){ .public_id = public_id },
	                                   &row, err);
	if (rc == OK)
		alert_of(&row, out);
	return rc;
}

enum rc alert_find_number(struct db_tx *tx, struct arena *arena, int64_t number, struct alert *out, struct err *err)
{
	struct alert_row row;

	enum rc rc =
		alert_row_find_number(tx, arena, &(struct alert_row_find_number_args){ .number = number }, &row, err);
	if (rc == OK)
		alert_of(&row, out);
	return rc;
}

enum rc alert_find_form(struct db_tx *tx, struct arena *arena, struct str form_key, struct alert *out, struct err *err)
{
	struct alert_row row;

	enum rc rc =
		alert_row_find_form(tx, arena, &(struct alert_row_find_form_args){ .form_key = form_key }, &row, err);
	if (rc == OK)
		alert_of(&row, out);
	return rc;
}

static enum language language_of(struct str tag)
{
	const enum language language = language_find(tag);

	return language == LANGUAGE_COUNT ? LANGUAGE_EN : language;
}

enum rc version_of_row(const struct version_row *row, struct alert_version *out, struct err *err)
{
	struct alert_version version = {
		.id = row->id,
		.alert_id = row->alert_id,
		.number = row->number,
		.type = (enum alert_type)row->msg_type,
		.severity = (enum alert_severity)row->severity,
		.urgency = (enum alert_urgency)row->urgency,
		.certainty = (enum alert_certainty)row->certainty,
		.effective = row->effective,
		.onset = row->onset,
		.expires = row->expires,
		.area_text = row->area,
		.area_description = row->area_description,
		.channels = (unsigned)row->channels,
		.include_possible = row->include_possible != 0,
		.sms_at_night = row->sms_at_night != 0,
		.zone = row->zone,
		.language = language_of(row->language),
		.state = (enum version_state)row->state,
		.notice_id = row->notice_id,
		.targeted = row->targeted,
		.changed_by = row->changed_by,
		.changed_at = row->changed_at,
		.sent_by = row->sent_by,
		.sent_at = row->sent_at,
		.ladder_name = row->ladder_name,
	};
	geo_area_init(&version.area);
	if (ladder_read(row->ladder, &version.ladder, err) != OK)
		return err_set(err, FAILED, "version %lld: its ladder cannot be read", (long long)row->id);
	*out = version;
	return OK;
}

static enum rc texts_find(struct db_tx *tx, struct arena *arena, struct alert_version *version, struct err *err)
{
	struct alert_text_row *rows;
	size_t count;

	enum rc rc = alert_text_list(tx, arena, &(struct alert_text_list_args){ .version_id = version->id }, &rows,
	                             &count, err);
	if (rc != OK)
		return rc;
	version->texts = ARENA_NEW_ARRAY(arena, struct alert_text, count);
	for (size_t i = 0; i < count; i++)
		version->texts[i] = (struct alert_text){ .group = rows[i].text_group,
			                                 .language = language_of(rows[i].language),
			                                 .headline = rows[i].headline,
			                                 .description = rows[i].description,
			                                 .instruction = rows[i].instruction,
			                                 .sms = rows[i].sms };
	version->text_count = count;
	return OK;
}

enum rc version_find(struct db_tx *tx, struct arena *arena, int64_t version_id, struct alert_version *out,
                     struct err *err)
{
	struct version_row row;
	struct alert_version version;

	enum rc rc = version_row_find(tx, arena, &(struct version_row_find_args){ .id = version_id }, &row, err);
	if (rc == OK)
		rc = version_of_row(&row, &version, err);
	if (rc != OK)
		return rc;
	if (row.area.len) {
		struct geo_report report;
		const struct geo_reading reading = { .keep_crossing = true };
		geo_report_init(&report);
		if (geo_read_geojson(arena, row.area, &reading, &version.area, &report) != OK)
			return err_set(err, FAILED, "version %lld: its area cannot be read", (long long)version_id);
	}
	rc = texts_find(tx, arena, &version, err);
	if (rc == OK)
		*out = version;
	return rc;
}

enum rc version_list(struct db_tx *tx, struct arena *arena, int64_t alert_id, struct alert_version **list_out,
                     size_t *count_out, struct err *err)
{
	struct version_row *rows;
	size_t count;

	enum rc rc =
		version_list_of(tx, arena, &(struct version_list_of_args){ .alert_id = alert_id }, &rows, &count, err);
	if (rc != OK)
		return rc;
	*list_out = ARENA_NEW_ARRAY(arena, struct alert_version, count);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = version_of_row(&rows[i], &(*list_out)[i], err);
	*count_out = count;
	return rc;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static struct str subject_of(struct arena *arena, const struct alert *alert)
{
	return str_format(arena, "alert:%.*s", STR_ARG(alert->public_id));
}

static enum rc texts_put(struct db_tx *tx, int64_t version_id, const struct alert_version *version, struct err *err)
{
	enum rc rc = alert_text_clear(tx, &(struct alert_text_clear_args){ .version_id = version_id }, NULL, err);

	for (size_t i = 0; rc == OK && i < version->text_count; i++) {
		const struct alert_text *text = &version->texts[i];
		const struct alert_text_put_args args = { .version_id = version_id,
			                                  .text_group = text->group,
			                                  .language = str_from(languages[text->language].tag),
			                                  .headline = text->headline,
			                                  .description = text->description,
			                                  .instruction = text->instruction,
			                                  .sms = text->sms };
		rc = alert_text_put(tx, &args, NULL, err);
	}
	return rc;
}

static enum rc version_add(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t number,
                           const struct alert_version *version, int64_t officer_id, int64_t now, int64_t *id_out,
                           struct err *err)
{
	const struct version_insert_args args = {
		.alert_id = alert_id,
		.number = number,
		.msg_type = version->type,
		.severity = version->severity,
		.urgency = version->urgency,
		.certainty = version->certainty,
		.effective = version->effective,
		.onset = version->onset,
		.expires = version->expires,
		.area = version->area_text,
		.area_description = version->area_description,
		.channels = version->channels,
		.include_possible = version->include_possible,
		.sms_at_night = version->sms_at_night,
		.zone = version->zone,
		.language = str_from(languages[version->language].tag),
		.ladder_name = version->ladder_name.len ? version->ladder_name : S(""),
		.ladder = ladder_write(arena, &version->ladder),
		.changed_by = officer_id,
		.changed_at = now,
	};
	struct version_insert_row row;

	enum rc rc = version_insert(tx, arena, &args, &row, err);
	if (rc == OK)
		rc = texts_put(tx, row.id, version, err);
	if (rc == OK)
		rc = alert_set_draft(tx, &(struct alert_set_draft_args){ .draft_id = row.id, .id = alert_id }, NULL,
		                     err);
	if (rc == OK)
		*id_out = row.id;
	return rc;
}

enum rc alert_add(struct db_tx *tx, struct arena *arena, enum alert_kind kind, bool exercise,
                  const struct alert_version *version, struct str form_key, int64_t officer_id, int64_t now,
                  struct alert *out, struct err *err)
{
	struct alert_number_last_row last;
	struct alert_insert_row row;
	struct alert alert = { .public_id = rand_id(arena),
		               .kind = kind,
		               .exercise = exercise,
		               .state = ALERT_DRAFT,
		               .version_id = DB_NULL,
		               .created_by = officer_id,
		               .created_at = now,
		               .ended_at = DB_NULL };

	enum rc rc = alert_number_last(tx, arena, &last, err);
	if (rc != OK)
		return rc;
	if (last.number >= ALERT_NUMBER_MAX)
		return err_set(err, FAILED, "all %d numbers of alerts are used", ALERT_NUMBER_MAX);
	alert.number = last.number + 1;
	const struct alert_insert_args args = { .public_id = alert.public_id,
		                                .number = alert.number,
		                                .kind = kind,
		                                .exercise = exercise,
		                                .created_by = officer_id,
		                                .form_key = form_key,
		                                .created_at = now };
	rc = alert_insert(tx, arena, &args, &row, err);
	if (rc != OK)
		return rc;
	alert.id = row.id;
	rc = version_add(tx, arena, alert.id, 1, version, officer_id, now, &alert.draft_id, err);
	if (rc == OK)
		rc = ledger_append(tx, officer_id, "alert.draft", subject_of(arena, &alert),
		                   str_format(arena, "{\"number\":%lld,\"exercise\":%s}", (long long)alert.number,
		                              exercise ? "true" : "false"),
		                   now, err);
	if (rc == OK)
		*out = alert;
	return rc;
}

enum rc draft_change(struct db_tx *tx, struct arena *arena, const struct alert *alert, enum alert_kind kind,
                     const struct alert_version *version, int64_t seen, int64_t officer_id, int64_t now,
                     struct err *err)
{
	const struct version_change_args args = {
		.severity = version->severity,
		.urgency = version->urgency,
		.certainty = version->certainty,
		.effective = version->effective,
		.onset = version->onset,
		.expires = version->expires,
		.area = version->area_text,
		.area_description = version->area_description,
		.channels = version->channels,
		.include_possible = version->include_possible,
		.sms_at_night = version->sms_at_night,
		.zone = version->zone,
		.language = str_from(languages[version->language].tag),
		.ladder_name = version->ladder_name.len ? version->ladder_name : S(""),
		.ladder = ladder_write(arena, &version->ladder),
		.changed_by = officer_id,
		.changed_at = now > seen ? now : seen + 1, /* every change shows, even on a clock that was moved back */
		.id = alert->draft_id,
		.seen = seen,
	};
	int64_t changed = 0;

	if (alert->draft_id == DB_NULL)
		return err_set(err, CONFLICT, "there is no draft");
	enum rc rc = version_change(tx, &args, &changed, err);
	if (rc == OK && changed != 1)
		return err_set(err, CONFLICT, "the draft was changed by someone else");
	if (rc == OK)
		rc = texts_put(tx, alert->draft_id, version, err);
	if (rc == OK && kind != alert->kind)
		rc = alert_set_kind(tx, &(struct alert_set_kind_args){ .kind = kind, .id = alert->id }, NULL, err);
	return rc == OK ? ledger_append(tx, officer_id, "alert.edit", subject_of(arena, alert), STR_NONE, now, err)
	                : rc;
}

enum rc draft_begin(struct db_tx *tx, struct arena *arena, const struct alert *alert, enum alert_type type,
                    int64_t officer_id, int64_t now, int64_t *version_id_out, struct err *err)
{
	struct alert_version version, draft;

	if (alert->state != ALERT_IN_FORCE)
		return err_set(err, CONFLICT, "the alert is not in force");
	if (alert->draft_id != DB_NULL) {
		enum rc rc = version_find(tx, arena, alert->draft_id, &draft, err);
		if (rc != OK)
			return rc;
		*version_id_out = draft.id;
		return draft.type == type ? OK : err_set(err, CONFLICT, "there is a draft of another kind");
	}
	enum rc rc = version_find(tx, arena, alert->version_id, &version, err);
	if (rc != OK)
		return rc;
	const int64_t number = version.number + 1;
	version.type = type;
	version.effective = 0;
	/* What is over is still to be said to everyone: a phone may be off for a day. */
	if ((type == ALERT_CANCEL || type == ALERT_CLEAR) && version.expires < now + ALERT_CANCEL_LIFE)
		version.expires = now + ALERT_CANCEL_LIFE;
	/* Texts of 'changed' and 'released' belong to the version that they were written for. */
	size_t kept = 0;
	for (size_t i = 0; i < version.text_count; i++)
		if (version.texts[i].group == GROUP_NEW)
			version.texts[kept++] = version.texts[i];
	version.text_count = kept;
	/* That it is over is told at once, by every way it was told. */
	if (type == ALERT_CANCEL || type == ALERT_CLEAR) {
		version.ladder = (struct ladder){ .count = 0 };
		version.ladder_name = S("");
	}
	return version_add(tx, arena, alert->id, number, &version, officer_id, now, version_id_out, err);
}

enum rc draft_discard(struct db_tx *tx, const struct alert *alert, int64_t officer_id, int64_t now, struct err *err)
{
	struct arena arena;
	int64_t changed = 0;

	if (alert->draft_id == DB_NULL)
		return err_set(err, CONFLICT, "there is no draft");
	arena_init(&arena);
	enum rc rc = OK;
	if (alert->state == ALERT_DRAFT) {
		/* A first version stays, so that the alert can still be shown; it can never be sent. */
		rc = alert_set_ended(
			tx, &(struct alert_set_ended_args){ .ended_at = now, .id = alert->id, .was = ALERT_DRAFT },
			&changed, err);
		if (rc == OK)
			rc = version_supersede_draft(
				tx, &(struct version_supersede_draft_args){ .id = alert->draft_id }, NULL, err);
		if (rc == OK)
			rc = alert_set_draft(
				tx, &(struct alert_set_draft_args){ .draft_id = alert->draft_id, .id = alert->id },
				NULL, err);
	} else {
		rc = alert_set_draft(tx, &(struct alert_set_draft_args){ .draft_id = DB_NULL, .id = alert->id }, NULL,
		                     err);
		if (rc == OK)
			rc = alert_text_clear(tx, &(struct alert_text_clear_args){ .version_id = alert->draft_id },
			                      NULL, err);
		if (rc == OK)
			rc = version_remove(tx, &(struct version_remove_args){ .id = alert->draft_id }, NULL, err);
	}
	if (rc == OK)
		rc = ledger_append(tx, officer_id, "alert.discard", subject_of(&arena, alert), STR_NONE, now, err);
	arena_release(&arena);
	return rc;
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

const struct alert_text *version_text(const struct alert_version *version, enum alert_group group,
                                      enum language language)
{
	for (size_t i = 0; i < version->text_count; i++)
		if (version->texts[i].group == (int64_t)group && version->texts[i].language == language)
			return &version->texts[i];
	return NULL;
}

struct str version_headline(const struct alert_version *version, enum language language)
{
	const struct alert_text *text = version_text(version, GROUP_NEW, language);

	if (!text)
		text = version_text(version, GROUP_NEW, version->language);
	for (size_t i = 0; !text && i < version->text_count; i++)
		text = &version->texts[i];
	return text ? text->headline : S("");
}

/* --- counters ----------------------------------------------------------------------------------------------------- */

enum rc alert_counters_find(struct db_tx *tx, int64_t alert_id, struct alert_counters *out, struct err *err)
{
	struct alert_counter_list_row *rows;
	struct arena arena;
	size_t count;

	arena_init(&arena);
	enum rc rc = alert_counter_list(tx, &arena, &(struct alert_counter_list_args){ .alert_id = alert_id }, &rows,
	                                &count, err);
	if (rc == OK) {
		*out = (struct alert_counters){ 0 };
		for (size_t i = 0; i < count; i++)
			if (rows[i].class >= 0 && rows[i].class < COUNTER_COUNT)
				out->of[rows[i].class] = rows[i].people;
	}
	arena_release(&arena);
	return rc;
}

enum rc alert_counters_add(struct db_tx *tx, int64_t alert_id, const struct alert_counters *change, struct err *err)
{
	enum rc rc = OK;

	for (int64_t i = 0; rc == OK && i < COUNTER_COUNT; i++)
		if (change->of[i])
			rc = alert_counter_put(tx,
			                       &(struct alert_counter_put_args){
						       .alert_id = alert_id, .class = i, .people = change->of[i] },
			                       NULL, err);
	return rc;
}
