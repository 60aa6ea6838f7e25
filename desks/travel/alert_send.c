/* Sending: one transaction that freezes the audience and moves every sum with it. */
#include "desks/travel/alert.h"
#include "kernel/desk/hub.h"
#include "kernel/ledger/ledger.h"

#include "travel_sql.h"

/* So far may the number of people drift between the page that was confirmed and the sending. */
#define DRIFT_LEAST 10
#define DRIFT_SHARE 20 /* one in twenty */

struct send_work {
	struct house *house;
	struct arena *arena;
	struct str public_id;
	const struct alert_sending *sending;
	int64_t now;
	struct alert alert;
	struct alert_version version;
	struct alert_audience audience;
	bool sent_before;
	int64_t told;
};

static enum rc read_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct send_work *work = context;
	struct version_row newest;

	work->sent_before = false;
	enum rc rc = alert_find_public(tx, work->arena, work->public_id, &work->alert, err);
	if (rc == OK && work->alert.version_id != DB_NULL) {
		rc = version_row_find(tx, work->arena, &(struct version_row_find_args){ .id = work->alert.version_id },
		                      &newest, err);
		if (rc == OK && !str_is_none(work->sending->form_key) &&
		    str_equal(newest.form_key, work->sending->form_key)) {
			work->sent_before = true;
			work->told = newest.targeted;
			return OK;
		}
	}
	if (rc == OK && (work->alert.draft_id == DB_NULL || work->alert.state == ALERT_ENDED))
		rc = err_set(err, CONFLICT, "there is no draft to send");
	return rc == OK ? version_find(tx, work->arena, work->alert.draft_id, &work->version, err) : rc;
}

static bool drifted(int64_t people, int64_t expected)
{
	const int64_t allowed = expected / DRIFT_SHARE > DRIFT_LEAST ? expected / DRIFT_SHARE : DRIFT_LEAST;

	return expected >= 0 && (people > expected + allowed || people < expected - allowed);
}

static enum rc freeze(struct db_tx *tx, struct arena *arena, struct send_work *work, const struct alert_plan *plan,
                      struct err *err)
{
	const struct alert_version *version = &work->version;
	const bool ends = version->type == ALERT_CANCEL || version->type == ALERT_CLEAR;
	const struct notice_new notice = {
		.kind = NOTICE_ALERT,
		.event_id = work->alert.id,
		.subject_id = version->id,
		.lane = severity_lane(version->severity),
		.exercise = work->alert.exercise,
		.expires_at = version->expires,
	};
	int64_t notice_id;

	enum rc rc = notice_freeze(tx, &notice, plan->people, plan->count, work->now, &notice_id, err);
	if (rc == OK)
		rc = version_set_notice(tx,
		                        &(struct version_set_notice_args){ .notice_id = notice_id,
		                                                           .targeted = ends ? work->told : plan->inside,
		                                                           .id = version->id },
		                        NULL, err);
	if (rc == OK)
		rc = version_supersede(
			tx, &(struct version_supersede_args){ .alert_id = work->alert.id, .number = version->number },
			NULL, err);
	if (rc == OK)
		rc = alert_set_sent(tx,
		                    &(struct alert_set_sent_args){ .state = ends ? ALERT_ENDED : ALERT_IN_FORCE,
		                                                   .version_id = version->id,
		                                                   .ended_at = ends ? work->now : DB_NULL,
		                                                   .id = work->alert.id },
		                    NULL, err);
	if (rc == OK && plan->row_count)
		rc = recipient_put(tx, plan->rows, plan->row_count, NULL, err);
	if (rc == OK)
		rc = alert_counters_add(tx, work->alert.id, &plan->change, err);
	if (rc != OK)
		return rc;
	const struct str detail =
		str_format(arena,
	                   "{\"version\":%lld,\"type\":%d,\"severity\":%d,\"exercise\":%s,\"people\":%lld,\"mail\":%"
	                   "lld,\"sms\":%lld,\"push\":%lld,\"unreachable\":%lld,\"ladder\":\"%.*s\"}",
	                   (long long)version->number, (int)version->type, (int)version->severity,
	                   work->alert.exercise ? "true" : "false", (long long)plan->count,
	                   (long long)plan->channels[CHANNEL_MAIL], (long long)plan->channels[CHANNEL_SMS], (long long)plan->channels[CHANNEL_PUSH],
	                   (long long)plan->channels[CHANNEL_NONE], STR_ARG(ladder_write(arena, &version->ladder)));
	rc = ledger_append(tx, work->sending->officer_id, "alert.send",
	                   str_format(arena, "alert:%.*s", STR_ARG(work->alert.public_id)), detail, work->now, err);
	return rc == OK ? db_change_append(tx, S("alert"), work->alert.id, err) : rc;
}

/* May run again: everything it makes is in an arena of its own. */
static enum rc send_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct send_work *work = context;
	const struct alert_version *version = &work->version;
	const struct version_set_sent_args sent = {
		.form_key = work->sending->form_key,
		.effective = version->effective ? version->effective : work->now,
		.sent_by = work->sending->officer_id,
		.sent_at = work->now,
		.id = version->id,
	};
	struct version_row row;
	struct alert_standings standings = { 0 };
	struct alert_plan plan;
	struct arena arena;
	int64_t changed = 0;

	arena_init(&arena);
	struct alert_hold_alone_row held;
	enum rc rc = alert_hold_alone(tx, &arena, &(struct alert_hold_alone_args){ .id = work->alert.id }, &held, err);
	if (rc == OK)
		rc = version_row_find(tx, &arena, &(struct version_row_find_args){ .id = version->id }, &row, err);
	if (rc == OK && (row.state != VERSION_DRAFT || row.changed_at != version->changed_at))
		rc = err_set(err, CONFLICT, "the draft was changed or sent by someone else");
	if (rc == OK)
		rc = version_set_sent(tx, &sent, &changed, err);
	if (rc == OK && changed != 1)
		rc = err_set(err, CONFLICT, "the draft was sent by someone else");
	if (rc == OK && version->number > 1)
		rc = alert_standings_load(tx, &arena, work->alert.id, &standings, err);
	if (rc == OK && version->number > 1 && !ladder_is_empty(&version->ladder))
		rc = alert_standings_reached(tx, work->alert.id, &standings, err);
	if (rc == OK) {
		alert_plan_make(&arena, version, &work->audience, &standings, work->now, &plan);
		work->told = (int64_t)plan.count - plan.channels[CHANNEL_NONE];
		/* Who hears of it meanwhile must hear that it is over: a cancel never waits until a large alert has gone out. */
		if (version->type != ALERT_CANCEL && version->type != ALERT_CLEAR &&
		    drifted(work->told, work->sending->expected))
			rc = err_set(err, CONFLICT, "changed");
	}
	if (rc == OK)
		rc = freeze(tx, &arena, work, &plan, err);
	arena_release(&arena);
	return rc;
}

enum rc alert_send(struct house *house, struct arena *arena, struct str public_id, const struct alert_sending *sending,
                   int64_t now, int64_t *people_out, struct err *err)
{
	struct send_work work = {
		.house = house, .arena = arena, .public_id = public_id, .sending = sending, .now = now
	};

	enum rc rc = db_read(house->db, read_in_store, &work, err);
	if (rc == OK && work.sent_before) {
		*people_out = work.told;
		return OK;
	}
	if (rc == OK && work.version.expires <= now)
		rc = err_field(err, S("expires_date"), MSG_alert_rule_expired, STR_NONE, STR_NONE);
	if (rc == OK)
		rc = alert_match(house, arena, &work.version, now, &work.audience, err);
	if (rc == OK)
		rc = db_write(house->db, DB_LANE_PERSON, send_in_store, &work, err);
	if (rc == CONFLICT && !str_equal(err->detail, S("changed"))) {
		/* Two submits of one form at the same moment: the second finds the first. */
		struct err again;
		err_init(&again, arena);
		if (db_read(house->db, read_in_store, &work, &again) == OK && work.sent_before)
			rc = OK;
	}
	if (rc != OK)
		return rc;
	*people_out = work.told;
	struct err later;
	err_init(&later, arena);
	if (alert_in_force_refresh(house, &later) != OK)
		log_warn("alert.in_force", LOGS("detail", later.detail));
	messages_wake(house);
	alert_notice_desk.progress(house, work.alert.id);
	return OK;
}

/* --- before sending
 * ----------------------------------------------------------------------------------------------- */

struct review_work {
	struct arena *arena;
	const struct alert_version *version;
	const struct alert_audience *audience;
	struct alert_plan *plan;
	int64_t now;
};

static enum rc take_language(void *context, const struct alert_languages_row *row)
{
	struct review_work *work = context;
	size_t low = 0, high = work->plan->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (work->plan->people[middle].person_id < row->id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < work->plan->count && work->plan->people[low].person_id == row->id &&
	    work->plan->people[low].text_group == GROUP_RELEASED) {
		const enum language found = language_find(row->language),
				    language = found == LANGUAGE_COUNT ? LANGUAGE_EN : found;
		work->plan->languages[language]++;
		work->plan->sms[GROUP_RELEASED][language] +=
			(work->plan->people[low].channels & CHANNEL_BIT(CHANNEL_SMS)) != 0;
	}
	return OK;
}

/* Who would be asked about if nobody answered: by the ways the officer ticked. */
static enum rc take_contact(void *context, const struct contact_each_row *row)
{
	struct review_work *work = context;
	const unsigned ticked = work->version->channels;
	size_t low = 0, high = work->plan->count;

	if (!(row->phone && ticked & CHANNEL_BIT(CHANNEL_SMS)) && !(row->email && ticked & CHANNEL_BIT(CHANNEL_MAIL)))
		return OK;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (work->plan->people[middle].person_id < row->person_id)
			low = middle + 1;
		else
			high = middle;
	}
	work->plan->contacts += low < work->plan->count && work->plan->people[low].person_id == row->person_id;
	return OK;
}

static enum rc review_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct review_work *work = context;
	struct alert_standings standings = { 0 };
	enum rc rc = OK;

	if (work->version->number > 1)
		rc = alert_standings_load(tx, work->arena, work->version->alert_id, &standings, err);
	if (rc == OK && work->version->number > 1 && !ladder_is_empty(&work->version->ladder))
		rc = alert_standings_reached(tx, work->version->alert_id, &standings, err);
	if (rc != OK)
		return rc;
	alert_plan_make(work->arena, work->version, work->audience, &standings, work->now, work->plan);
	/* The index knows the languages of those inside; the others are read. */
	if (work->plan->groups[GROUP_RELEASED].people)
		rc = alert_languages(tx, take_language, work, err);
	return rc == OK && work->version->ladder.contact ? contact_each(tx, take_contact, work, err) : rc;
}

enum rc alert_review(struct house *house, struct arena *arena, const struct alert_version *version, int64_t now,
                     struct alert_plan *out, struct err *err)
{
	struct alert_audience audience;
	struct review_work work = {
		.arena = arena, .version = version, .audience = &audience, .plan = out, .now = now
	};

	enum rc rc = alert_match(house, arena, version, now, &audience, err);
	return rc == OK ? db_read(house->db, review_in_store, &work, err) : rc;
}

/* --- the end of an alert's time
 * ----------------------------------------------------------------------------------- */

struct expire_work {
	int64_t now;
	struct alert_list_expired_row *rows;
	size_t count;
	struct arena *arena;
};

static enum rc expire_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct expire_work *work = context;

	enum rc rc = alert_list_expired(tx, work->arena, &(struct alert_list_expired_args){ .now = work->now },
	                                &work->rows, &work->count, err);
	for (size_t i = 0; rc == OK && i < work->count; i++) {
		const int64_t id = work->rows[i].id;
		rc = alert_set_ended(
			tx, &(struct alert_set_ended_args){ .ended_at = work->now, .id = id, .was = ALERT_IN_FORCE },
			NULL, err);
		if (rc == OK)
			rc = ledger_append(tx, 0, "alert.expire",
			                   str_format(work->arena, "alert:%.*s", STR_ARG(work->rows[i].public_id)),
			                   STR_NONE, work->now, err);
		if (rc == OK)
			rc = db_change_append(tx, S("alert"), id, err);
	}
	return rc;
}

void alert_expire(struct house *house)
{
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	struct expire_work work = { .now = clock_now(), .arena = &arena };
	enum rc rc = db_write(house->db, DB_LANE_BULK, expire_in_store, &work, &err);
	if (rc == OK && work.count)
		rc = alert_in_force_refresh(house, &err);
	if (rc != OK)
		log_warn("alert.expire", LOGS("detail", err.detail));
	for (size_t i = 0; rc == OK && i < work.count; i++)
		alert_notice_desk.progress(house, work.rows[i].id);
	arena_release(&arena);
}
