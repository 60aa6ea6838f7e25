/* What sending a version would do, worked out in memory: who gets which text by which channel and when, and what
 * becomes of the sums. */
#include "desks/travel/alert.h"

#include "travel_sql.h"

struct planning {
	struct arena *arena;
	const struct alert_version *version;
	struct alert_plan *plan;
	size_t people_capacity, row_capacity;
	int64_t now;
};

static enum alert_group text_of(enum alert_group group)
{
	switch (group) {
	case GROUP_NEW:
	case GROUP_NEW_POSSIBLE: return GROUP_NEW;
	case GROUP_CHANGED:
	case GROUP_CHANGED_POSSIBLE: return GROUP_CHANGED;
	case GROUP_RELEASED: return GROUP_RELEASED;
	default: return GROUP_NONE;
	}
}

/* A person's class changes, or their being released does: the counters follow. */
void alert_count_change(struct alert_counters *change, struct alert_standing before, const struct alert_step *step)
{
	const bool released = (before.released && !step->readmits) || step->releases;

	if (step->joins)
		change->of[COUNTER_TARGETED]++;
	if (before.targeted) {
		change->of[before.class]--;
		if (before.released)
			change->of[before.class + COUNTER_RELEASED]--;
	}
	if (before.targeted || step->joins) {
		change->of[step->class]++;
		if (released)
			change->of[step->class + COUNTER_RELEASED]++;
	}
}

/* Rows of recipient are only for those whose state is not 'no answer yet, inside'. */
static void plan_row(struct planning *planning, int64_t person_id, const struct alert_hit *hit,
                     struct alert_standing before, const struct alert_step *step)
{
	struct alert_plan *plan = planning->plan;
	const bool changes = step->releases || step->readmits || (before.targeted && step->class != before.class) ||
	                     (step->joins && step->class != COUNTER_SILENT);

	if (!changes)
		return;
	const struct recipient_put_args row = {
		.alert_id = planning->version->alert_id,
		.person_id = person_id,
		.class = step->class,
		.released = step->releases,
		.late = 0,
		.certain = hit ? hit->certain : 1,
		.leg_id = hit ? hit->leg_id : 0,
		.changed_at = planning->now,
	};
	ARENA_PUSH(planning->arena, plan->rows, plan->row_count, planning->row_capacity, row);
}

/* Who answered hears an update by the way that reached them alone: the one they answered by, else the last they were told by before that.
 * CHANNEL_NONE: along the ladder like everyone. */
static enum channel_kind reached_by(const struct alert_version *version, const struct alert_hit *hit, struct alert_standing before)
{
	struct ladder_climb climb;

	if (!hit || ladder_is_empty(&version->ladder) || before.released || (before.class != COUNTER_SAFE && before.class != COUNTER_HELP))
		return CHANNEL_NONE;
	if (before.answered_by != CHANNEL_NONE && hit->channels & CHANNEL_BIT(before.answered_by))
		return (enum channel_kind)before.answered_by;
	if (before.reached_by != CHANNEL_NONE && hit->channels & CHANNEL_BIT(before.reached_by))
		return (enum channel_kind)before.reached_by;
	ladder_climb(&version->ladder, version->severity, hit->channels, hit->order, &climb);
	return ladder_last(&climb, before.told_channels & hit->channels);
}

static void plan_rung(struct alert_plan *plan, int64_t minutes, enum channel_kind channel)
{
	size_t at = 0;

	while (at < plan->rung_count && (plan->rungs[at].minutes < minutes || (plan->rungs[at].minutes == minutes && plan->rungs[at].channel < channel)))
		at++;
	if (at == plan->rung_count || plan->rungs[at].minutes != minutes || plan->rungs[at].channel != channel) {
		if (plan->rung_count == ALERT_RUNGS_SHOWN)
			return; /* more kinds of way up than a page shows; the tiles count them all */
		memmove(&plan->rungs[at + 1], &plan->rungs[at], (plan->rung_count - at) * sizeof *plan->rungs);
		plan->rungs[at] = (struct alert_rung){ .minutes = minutes, .channel = channel };
		plan->rung_count++;
	}
	plan->rungs[at].people++;
}

/* When each way of a person inside is used. */
static void plan_times(struct planning *planning, const struct alert_hit *hit, enum channel_kind alone, struct notice_person *person)
{
	const struct alert_version *version = planning->version;
	struct ladder_climb climb;

	ladder_climb(&version->ladder, version->severity, hit->channels, hit->order, &climb);
	for (size_t i = CHANNEL_NONE + 1; i < CHANNEL_KIND_COUNT; i++) {
		if (!(person->channels & CHANNEL_BIT(i)))
			continue;
		person->not_before[i] = alone == CHANNEL_NONE ? hit->not_before[i] : alone == CHANNEL_SMS ? hit->first_sms : hit->first;
		planning->plan->rungs_never += person->not_before[i] >= version->expires && !(i == CHANNEL_SMS && hit->waits);
		if (!ladder_is_empty(&version->ladder))
			plan_rung(planning->plan, alone == CHANNEL_NONE ? climb.after[i] / CLOCK_MINUTE : 0, (enum channel_kind)i);
	}
}

static void plan_text(struct planning *planning, int64_t person_id, const struct alert_hit *hit,
                      const struct alert_step *step, enum channel_kind alone)
{
	struct alert_plan *plan = planning->plan;
	const uint8_t channels = (uint8_t)(alone == CHANNEL_NONE ? step->channels : CHANNEL_BIT(alone));
	struct alert_tally *tally = &plan->groups[text_of(step->group)];
	struct notice_person person = { .person_id = person_id,
		                        .channels = channels,
		                        .text_group = (uint8_t)step->group };

	tally->people++;
	if (!channels) {
		tally->unreachable++;
		plan->channels[CHANNEL_NONE]++;
	}
	for (size_t i = CHANNEL_NONE + 1; i < CHANNEL_KIND_COUNT; i++) {
		if (!(channels & CHANNEL_BIT(i)))
			continue;
		tally->by_channel[i]++;
		plan->channels[i]++;
	}
	plan->reached += alone != CHANNEL_NONE;
	if (hit) {
		plan_times(planning, hit, alone, &person);
		plan->languages[hit->language]++;
		plan->sms[text_of(step->group)][hit->language] += (channels & CHANNEL_BIT(CHANNEL_SMS)) != 0;
	}
	ARENA_PUSH(planning->arena, plan->people, plan->count, planning->people_capacity, person);
}

static void count_hit(struct planning *planning, const struct alert_hit *hit)
{
	struct alert_plan *plan = planning->plan;
	plan->inside++;
	*(hit->certain ? &plan->certain : &plan->possible) += 1;
	plan->later += hit->later;
	plan->asleep += hit->asleep;
	plan->countries[hit->country < GEO_COUNTRIES ? hit->country : 0]++;
	if ((hit->channels & CHANNEL_BIT(CHANNEL_SMS)) && hit->waits) {
		plan->quiet_wait++;
		plan->quiet_never += hit->not_before[CHANNEL_SMS] >= planning->version->expires;
	}
}

static void plan_person(struct planning *planning, int64_t person_id, const struct alert_hit *hit,
                        struct alert_standing before)
{
	const struct alert_version *version = planning->version;
	const struct alert_step step = alert_step(version->type, hit != NULL, hit && hit->certain,
	                                          hit ? hit->channels : 0, (uint8_t)version->channels, before);

	alert_count_change(&planning->plan->change, before, &step);
	plan_row(planning, person_id, hit, before, &step);
	if (step.group)
		plan_text(planning, person_id, hit, &step, reached_by(version, hit, before));
	else if (step.releases)
		planning->plan->released_silently++;
	else if (version->type >= ALERT_CANCEL && before.targeted && !before.released)
		planning->plan->told_nothing++;
}

void alert_plan_make(struct arena *arena, const struct alert_version *version, const struct alert_audience *audience,
                     const struct alert_standings *standings, int64_t now, struct alert_plan *out)
{
	const bool ends = version->type == ALERT_CANCEL || version->type == ALERT_CLEAR;
	struct planning planning = { .arena = arena, .version = version, .plan = out, .now = now };
	int64_t person_id = 0;

	*out = (struct alert_plan){ 0 };
	/* One room for all from the start: a million people, grown by doubling, would leave twice as much behind. */
	planning.people_capacity = audience->count + (size_t)standings->targeted + 1;
	out->people = ARENA_NEW_ARRAY(arena, struct notice_person, planning.people_capacity);
	for (size_t i = 0; i < audience->count && !ends; i++) {
		const struct alert_hit *hit = &audience->hits[i];
		for (; person_id < hit->person_id && (size_t)person_id < standings->size; person_id++)
			plan_person(&planning, person_id, NULL, standings->of[person_id]);
		count_hit(&planning, hit);
		plan_person(&planning, hit->person_id, hit,
		            (size_t)hit->person_id < standings->size ? standings->of[hit->person_id]
		                                                     : (struct alert_standing){ 0 });
		person_id = hit->person_id + 1;
	}
	for (; (size_t)person_id < standings->size; person_id++)
		plan_person(&planning, person_id, NULL, standings->of[person_id]);
}
