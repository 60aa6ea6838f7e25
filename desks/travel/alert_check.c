/* The sums of people, recomputed from the frozen audiences and the rows, for `chancery check`. */
#include "desks/travel/alert.h"

#include "travel_sql.h"

struct check_work {
	struct arena *arena;
	struct alert_id_list_row *alerts;
	size_t alert_count;
	int64_t alert_id;
	struct alert_counters said, found;
};

static enum rc list_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct check_work *work = context;

	return alert_id_list(tx, work->arena, &work->alerts, &work->alert_count, err);
}

static enum rc late_in_store(void *context, const struct recipient_standing_row *row)
{
	struct check_work *work = context;

	work->found.of[COUNTER_LATE] += row->late != 0;
	return OK;
}

static enum rc count_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct check_work *work = context;
	struct alert_standings standings;
	struct contact_told_count_row contacts;
	struct arena arena;

	arena_init(&arena);
	work->found = (struct alert_counters){ { 0 } };
	enum rc rc = alert_counters_find(tx, work->alert_id, &work->said, err);
	if (rc == OK)
		rc = alert_standings_load(tx, &arena, work->alert_id, &standings, err);
	for (size_t i = 0; rc == OK && i < standings.size; i++) {
		const struct alert_standing *one = &standings.of[i];
		if (!one->targeted)
			continue;
		work->found.of[COUNTER_TARGETED]++;
		work->found.of[one->class]++;
		work->found.of[one->class + COUNTER_RELEASED] += one->released;
	}
	if (rc == OK)
		rc = recipient_standing(tx, &(struct recipient_standing_args){ .alert_id = work->alert_id },
		                        late_in_store, work, err);
	if (rc == OK)
		rc = contact_told_count(tx, &arena, &(struct contact_told_count_args){ .alert_id = work->alert_id }, &contacts, err);
	if (rc == OK)
		work->found.of[COUNTER_CONTACTS] = contacts.people;
	arena_release(&arena);
	return rc;
}

enum rc alert_check(struct house *house, void (*report)(void *context, struct str line), void *context,
                    int64_t *wrong_out, struct err *err)
{
	static const int64_t checked[] = { COUNTER_TARGETED,
		                           COUNTER_SAFE,
		                           COUNTER_HELP,
		                           COUNTER_SILENT,
		                           COUNTER_UNREACHABLE,
		                           COUNTER_RELEASED + COUNTER_SAFE,
		                           COUNTER_RELEASED + COUNTER_HELP,
		                           COUNTER_RELEASED + COUNTER_SILENT,
		                           COUNTER_RELEASED + COUNTER_UNREACHABLE,
		                           COUNTER_LATE,
		                           COUNTER_CONTACTS };
	struct arena arena;
	int64_t wrong = 0;

	arena_init(&arena);
	struct check_work work = { .arena = &arena };
	enum rc rc = db_read(house->db, list_in_store, &work, err);
	for (size_t i = 0; rc == OK && i < work.alert_count; i++) {
		work.alert_id = work.alerts[i].id;
		rc = db_read(house->db, count_in_store, &work, err);
		for (size_t j = 0; rc == OK && j < COUNT_OF(checked); j++) {
			const int64_t class = checked[j];
			if (work.said.of[class] == work.found.of[class])
				continue;
			wrong++;
			report(context,
			       str_format(&arena, "alert %lld: class %lld of people counts %lld, the rows hold %lld",
			                  (long long)work.alert_id, (long long)class, (long long)work.said.of[class],
			                  (long long)work.found.of[class]));
		}
		const int64_t *of = work.said.of;
		if (rc == OK && of[COUNTER_TARGETED] != of[COUNTER_SAFE] + of[COUNTER_HELP] + of[COUNTER_SILENT] +
		                                                of[COUNTER_UNREACHABLE]) {
			wrong++;
			report(context,
			       str_format(&arena, "alert %lld: the classes of people do not add up to those targeted",
			                  (long long)work.alert_id));
		}
	}
	arena_release(&arena);
	if (rc == OK)
		*wrong_out = wrong;
	return rc;
}
