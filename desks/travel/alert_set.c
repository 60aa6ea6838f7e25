/* Who gets what when a version follows another: the rules, and what people are to an alert before it. */
#include "desks/travel/alert.h"
#include "desks/travel/response.h"

#include "travel_sql.h"

#define CLASS_SILENT COUNTER_SILENT
#define CLASS_UNREACHABLE COUNTER_UNREACHABLE

static struct alert_step step_inside(bool certain, uint8_t channels, struct alert_standing before)
{
	/* Who was told that it was over for them hears of it anew. */
	const bool fresh = !before.told || before.released;
	struct alert_step step = {
		.joins = !before.targeted, .readmits = before.released, .class = before.class, .channels = channels
	};

	if (fresh)
		step.group = certain ? GROUP_NEW : GROUP_NEW_POSSIBLE;
	else
		step.group = certain ? GROUP_CHANGED : GROUP_CHANGED_POSSIBLE;
	if (step.joins)
		step.class = channels ? CLASS_SILENT : CLASS_UNREACHABLE;
	else if (before.class == CLASS_UNREACHABLE && channels)
		step.class = CLASS_SILENT;
	else if (before.class == CLASS_SILENT && !channels && !before.told)
		step.class = CLASS_UNREACHABLE;
	return step;
}

struct alert_step alert_step(enum alert_type type, bool inside, bool certain, uint8_t channels, uint8_t ticked,
                             struct alert_standing before)
{
	const bool ends = type == ALERT_CANCEL || type == ALERT_CLEAR;
	struct alert_step step = { .class = before.class };

	if (inside && !ends)
		return step_inside(certain, channels, before);
	if (!before.targeted || before.released)
		return step;
	step.releases = !ends;
	/* Only who heard of it is told that it is over, on the ways they heard it. */
	step.channels = before.told ? before.told_channels & ticked : 0;
	if (step.channels)
		step.group = GROUP_RELEASED;
	return step;
}

/* --- what people are to an alert
 * ---------------------------------------------------------------------------------- */

struct standings {
	struct arena *arena;
	struct alert_standings *out;
	size_t capacity;
};

static struct alert_standing *standing_at(struct standings *standings, int64_t person_id)
{
	struct alert_standings *out = standings->out;
	const size_t index = (size_t)person_id;

	if (index >= standings->capacity) {
		size_t capacity = standings->capacity ? standings->capacity : 1024;
		while (capacity <= index)
			capacity *= 2;
		struct alert_standing *grown = ARENA_NEW_ARRAY(standings->arena, struct alert_standing, capacity);
		if (out->size)
			memcpy(grown, out->of, out->size * sizeof *grown);
		out->of = grown;
		standings->capacity = capacity;
	}
	if (index >= out->size)
		out->size = index + 1;
	return &out->of[index];
}

static enum rc take_frozen(void *context, int64_t person_id, int64_t text_group, unsigned channels)
{
	struct standings *standings = context;

	(void)channels;
	if (text_group == GROUP_RELEASED || person_id < 0)
		return OK; /* they were targeted before */
	struct alert_standing *standing = standing_at(standings, person_id);
	if (!standing->targeted) {
		standing->targeted = true;
		standing->class = CLASS_SILENT;
		standings->out->targeted++;
	}
	return OK;
}

static enum rc take_recipient(void *context, const struct recipient_standing_row *row)
{
	struct standings *standings = context;
	struct alert_standing *standing = standing_at(standings, row->person_id);

	if (!standing->targeted)
		standings->out->targeted++;
	standing->targeted = true;
	standing->class = (uint8_t)row->class;
	standing->released = row->released != 0;
	standing->late = row->late != 0;
	return OK;
}

static enum rc take_told(void *context, const struct alert_told_row *row)
{
	struct standings *standings = context;
	struct alert_standing *standing = standing_at(standings, row->person_id);

	if (row->text_group != GROUP_RELEASED && row->channel > 0 && row->channel < CHANNEL_KIND_COUNT) {
		standing->told = true;
		standing->told_channels = (uint8_t)(standing->told_channels | CHANNEL_BIT(row->channel));
	}
	return OK;
}

/* The last answer decides. */
static enum rc take_answer(void *context, const struct ladder_answers_row *row)
{
	struct alert_standings *standings = context;

	if (row->person_id >= 0 && (size_t)row->person_id < standings->size)
		standings->of[row->person_id].answered_by = row->by == RESPONSE_BY_SMS    ? CHANNEL_SMS
		                                                 : row->by == RESPONSE_BY_MAIL ? CHANNEL_MAIL
		                                                                               : CHANNEL_NONE;
	return OK;
}

/* So does the last message before it. */
static enum rc take_told_before(void *context, const struct ladder_told_before_row *row)
{
	struct alert_standings *standings = context;

	if (row->person_id >= 0 && (size_t)row->person_id < standings->size && row->channel > 0 && row->channel < CHANNEL_KIND_COUNT)
		standings->of[row->person_id].reached_by = (uint8_t)row->channel;
	return OK;
}

enum rc alert_standings_reached(struct db_tx *tx, int64_t alert_id, struct alert_standings *standings, struct err *err)
{
	enum rc rc = ladder_answers(tx, &(struct ladder_answers_args){ .alert_id = alert_id }, take_answer, standings, err);

	return rc == OK ? ladder_told_before(tx, &(struct ladder_told_before_args){ .alert_id = alert_id }, take_told_before, standings, err) : rc;
}

enum rc alert_standings_load(struct db_tx *tx, struct arena *arena, int64_t alert_id, struct alert_standings *out,
                             struct err *err)
{
	struct alert_standings loaded = { 0 };
	struct standings standings = { .arena = arena, .out = &loaded };
	struct alert_notice_list_row *notices;
	size_t count;

	enum rc rc = alert_notice_list(tx, arena, &(struct alert_notice_list_args){ .event_id = alert_id }, &notices,
	                               &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = notice_each_person(tx, notices[i].id, take_frozen, &standings, err);
	if (rc == OK)
		rc = recipient_standing(tx, &(struct recipient_standing_args){ .alert_id = alert_id }, take_recipient,
		                        &standings, err);
	if (rc == OK)
		rc = alert_told_frozen(tx, &(struct alert_told_frozen_args){ .event_id = alert_id }, take_told,
		                       &standings, err);
	if (rc == OK)
		rc = alert_told_late(tx, &(struct alert_told_late_args){ .event_id = alert_id }, take_told, &standings,
		                     err);
	if (rc == OK)
		*out = loaded;
	return rc;
}

static bool handed_over(int64_t state)
{
	return state == MESSAGE_SUBMITTED || state == MESSAGE_ACCEPTED || state == MESSAGE_DELIVERED ||
	       state == MESSAGE_IN_DOUBT;
}

enum rc alert_standing_find(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id,
                            struct alert_standing *out, struct err *err)
{
	struct alert_standing standing = { .class = CLASS_SILENT };
	struct recipient_standing_find_row row;
	struct alert_notice_list_row *notices;
	struct alert_told_person_row *messages;
	size_t count;

	enum rc rc = recipient_standing_find(
		tx, arena, &(struct recipient_standing_find_args){ .alert_id = alert_id, .person_id = person_id }, &row,
		err);
	if (rc == OK) {
		standing.targeted = true;
		standing.class = (uint8_t)row.class;
		standing.released = row.released != 0;
		standing.late = row.late != 0;
	} else if (rc == NOT_FOUND) {
		rc = alert_notice_list(tx, arena, &(struct alert_notice_list_args){ .event_id = alert_id }, &notices,
		                       &count, err);
		for (size_t i = 0; rc == OK && i < count && !standing.targeted; i++) {
			unsigned channels;
			int64_t group;
			rc = notice_find_person(tx, notices[i].id, person_id, &channels, &group, err);
			standing.targeted = rc == OK && group != GROUP_RELEASED;
			if (rc == NOT_FOUND)
				rc = OK;
		}
	}
	if (rc == OK)
		rc = alert_told_person(tx, arena,
		                       &(struct alert_told_person_args){ .event_id = alert_id, .person_id = person_id },
		                       &messages, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (messages[i].text_group == GROUP_RELEASED || !handed_over(messages[i].state))
			continue;
		standing.told = true;
		standing.told_channels = (uint8_t)(standing.told_channels | CHANNEL_BIT(messages[i].channel));
	}
	if (rc == OK)
		*out = standing;
	return rc;
}
