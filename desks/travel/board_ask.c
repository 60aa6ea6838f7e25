/* Asking again: a reminder to those who have not answered, by a channel they were not told by. */
#include <stdlib.h>

#include "desks/travel/board.h"

/* By which channels a person was frozen in some version; those whose message waits (arrival, morning) are asked by it in time. */
struct frozen {
	int64_t person_id;
	unsigned channels;
};

struct asking {
	struct arena *arena;
	const struct alert_version *version;
	bool repeat;
	int64_t now;
	struct frozen *frozen;
	size_t frozen_count, frozen_capacity;
	struct ask_plan plan;
	size_t capacity;
	int64_t people; /* with a usable address */
	/* The person whose rows are being read. */
	int64_t person_id;
	unsigned usable, told;
	enum channel_kind best[CHANNEL_KIND_COUNT]; /* usable, in their order */
	size_t best_count;
	struct str zone;
	char zone_name[ZONE_NAME_MAX + 1];
};

/* --- whom --------------------------------------------------------------------------------------------------------- */

static enum rc take_frozen(void *context, int64_t person_id, int64_t text_group, unsigned channels)
{
	struct asking *asking = context;
	const struct frozen one = { person_id, channels };
	if (text_group != GROUP_RELEASED)
		ARENA_PUSH(asking->arena, asking->frozen, asking->frozen_count, asking->frozen_capacity, one);
	return OK;
}

static int compare_frozen(const void *a, const void *b)
{
	const int64_t x = ((const struct frozen *)a)->person_id, y = ((const struct frozen *)b)->person_id;
	return (x > y) - (x < y);
}

static void merge_frozen(struct asking *asking)
{
	size_t count = 0;
	if (asking->frozen_count > 0)
		qsort(asking->frozen, asking->frozen_count, sizeof *asking->frozen, compare_frozen);
	for (size_t i = 0; i < asking->frozen_count; i++) {
		if (count > 0 && asking->frozen[count - 1].person_id == asking->frozen[i].person_id)
			asking->frozen[count - 1].channels |= asking->frozen[i].channels;
		else
			asking->frozen[count++] = asking->frozen[i];
	}
	asking->frozen_count = count;
}

static unsigned frozen_channels(const struct asking *asking, int64_t person_id)
{
	const struct frozen key = { person_id, 0 };
	const struct frozen *found = asking->frozen_count == 0 ? NULL
	                             : bsearch(&key, asking->frozen, asking->frozen_count, sizeof key, compare_frozen);
	return found ? found->channels : 0;
}

/* Low severity does not wake anybody: its SMS waits for morning where the person is. */
static int64_t not_before(const struct asking *asking, enum channel_kind channel)
{
	const struct zone *zone = channel == CHANNEL_SMS && asking->zone.len > 0 ? zone_find(asking->zone) : NULL;
	if (!zone || !severity_is_low(asking->version->severity) || asking->version->sms_at_night)
		return 0;
	const int hour = zone_hour(zone, asking->now);
	return hour >= ALERT_NIGHT_BEGINS || hour < ALERT_MORNING ? zone_next_hour(zone, asking->now, ALERT_MORNING) : 0;
}

static void ask_person(struct asking *asking, enum channel_kind channel)
{
	struct notice_person person = { .person_id = asking->person_id, .channels = (uint8_t)CHANNEL_BIT(channel), .text_group = GROUP_REMINDER };
	person.not_before[channel] = not_before(asking, channel);
	ARENA_PUSH(asking->arena, asking->plan.people, asking->plan.count, asking->capacity, person);
}

/* All rows of one person have been read. */
static void person_end(struct asking *asking)
{
	struct ask_plan *plan = &asking->plan;
	if (asking->person_id == 0)
		return;
	const unsigned used = asking->told | frozen_channels(asking, asking->person_id);
	asking->people++;
	if (asking->told == 0) {
		plan->not_told++;
	} else {
		size_t at = 0;
		while (at < asking->best_count && used & CHANNEL_BIT(asking->best[at]))
			at++;
		if (at < asking->best_count) {
			plan->other[asking->best[at]]++;
			ask_person(asking, asking->best[at]);
		} else {
			plan->could_repeat++;
			if (asking->repeat) {
				plan->repeat[asking->best[0]]++;
				ask_person(asking, asking->best[0]);
			}
		}
	}
}

static enum rc take_contact(void *context, const struct ask_each_row *row)
{
	struct asking *asking = context;
	if (row->person_id != asking->person_id) {
		person_end(asking);
		asking->person_id = row->person_id;
		asking->usable = asking->told = 0;
		asking->best_count = 0;
		/* The row's texts live only during the call. */
		const size_t size = str_is_none(row->zone) || row->zone.len > ZONE_NAME_MAX ? 0 : row->zone.len;
		if (size > 0)
			memcpy(asking->zone_name, row->zone.ptr, size);
		asking->zone = (struct str){ asking->zone_name, size };
	}
	if (row->channel <= CHANNEL_NONE || row->channel >= CHANNEL_KIND_COUNT)
		return OK;
	if (row->messages > 0)
		asking->told |= CHANNEL_BIT(row->channel);
	if (!(asking->usable & CHANNEL_BIT(row->channel)))
		asking->best[asking->best_count++] = (enum channel_kind)row->channel;
	asking->usable |= CHANNEL_BIT(row->channel);
	return OK;
}

static enum rc make(struct db_tx *tx, struct asking *asking, const struct board_alert *alert, struct err *err)
{
	struct alert_notice_list_row *notices;
	size_t count;
	enum rc rc = alert_notice_list(tx, asking->arena, &(struct alert_notice_list_args){ .event_id = alert->id }, &notices, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = notice_each_person(tx, notices[i].id, take_frozen, asking, err);
	merge_frozen(asking);
	if (rc == OK)
		rc = ask_each(tx, &(struct ask_each_args){ .alert_id = alert->id, .since = asking->now, .until = alert->expires }, take_contact, asking,
		              err);
	if (rc == OK)
		person_end(asking);
	struct board_fill_waiting_row fill;
	if (rc == OK)
		rc = board_fill_waiting(tx, asking->arena, &(struct board_fill_waiting_args){ .event_id = alert->id }, &fill, err);
	if (rc == OK)
		asking->plan.filling = fill.waiting > 0;
	/* Who has no usable address at all was not among the rows. */
	struct alert_counters counters;
	if (rc == OK)
		rc = alert_counters_find(tx, alert->id, &counters, err);
	if (rc == OK)
		asking->plan.no_channel = counters.of[COUNTER_SILENT] - counters.of[COUNTER_RELEASED + COUNTER_SILENT] - asking->people;
	return rc;
}

enum rc ask_plan_make(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, bool repeat, int64_t now, struct ask_plan *out,
                      struct err *err)
{
	struct alert_version version;
	enum rc rc = version_find(tx, arena, alert->version_id, &version, err);
	struct asking asking = { .arena = arena, .version = &version, .repeat = repeat, .now = now };
	if (rc == OK)
		rc = make(tx, &asking, alert, err);
	if (rc == OK)
		*out = asking.plan;
	return rc;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static enum rc freeze(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, const struct ask_plan *plan, int64_t officer_id,
                      struct str form_key, int64_t now, struct err *err)
{
	const struct notice_new notice = {
		.kind = NOTICE_ALERT,
		.event_id = alert->id,
		.subject_id = alert->version_id,
		.lane = severity_lane((enum alert_severity)alert->severity),
		.exercise = alert->exercise != 0,
		.expires_at = alert->expires,
		.beside = true,
	};
	int64_t notice_id = 0;
	enum rc rc = notice_freeze(tx, &notice, plan->people, plan->count, now, &notice_id, err);
	/* They came out of the rows, so each has one. */
	if (rc == OK)
		rc = board_fill_put(
			tx,
			&(struct board_fill_put_args){ .notice_id = notice_id, .done = (int64_t)plan->count, .filled_at = now }, NULL,
			err);
	const struct board_entry entry = { .alert = alert, .officer_id = officer_id, .kind = BOARD_ASK, .was = notice_id,
		                           .became = (int64_t)plan->count, .form_key = form_key };
	return rc == OK ? board_entry_add(tx, arena, &entry, now, NULL, err) : rc;
}

enum rc ask_again(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, const struct ask_plan *plan, int64_t officer_id,
                  struct str form_key, int64_t now, int64_t *people_out, struct err *err)
{
	struct board_alert current;
	struct board_alert_hold_row held;
	struct board_action_find_form_row done;
	enum rc rc = NOT_FOUND;
	if (!str_is_none(form_key))
		rc = board_action_find_form(tx, arena, &(struct board_action_find_form_args){ .form_key = form_key }, &done, err);
	if (rc == OK)
		*people_out = done.became;
	if (rc != NOT_FOUND)
		return rc;
	rc = board_alert_hold(tx, arena, &(struct board_alert_hold_args){ .id = alert->id }, &held, err);
	if (rc == OK)
		rc = board_alert_find(tx, arena, &(struct board_alert_find_args){ .alert_id = alert->id }, &current, err);
	if (rc == OK && (current.state != ALERT_IN_FORCE || current.expires <= now || current.version_id != alert->version_id))
		rc = err_set(err, CONFLICT, "alert %lld is not in force or was updated", (long long)alert->id);
	if (rc == OK && (plan->count == 0 || plan->filling))
		rc = err_set(err, CONFLICT, "nobody is left to ask");
	if (rc == OK)
		rc = freeze(tx, arena, &current, plan, officer_id, form_key, now, err);
	if (rc == OK)
		*people_out = (int64_t)plan->count;
	return rc;
}
