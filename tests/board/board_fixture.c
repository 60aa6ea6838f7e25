#include "tests/board/board_fixture.h"

#include "core/messages/messages.h"

#include "board_sql.h"

int64_t world_now(void)
{
	static int64_t now;
	if (now == 0)
		now = clock_now();
	return now;
}

static enum rc make_officers(struct db_tx *tx, struct err *err)
{
	enum rc rc = put_officer(tx, &(struct put_officer_args){ .id = WORLD_ANA, .public_id = S("ana"), .name = S("Ana Officer") }, NULL, err);
	return rc == OK ? put_officer(tx, &(struct put_officer_args){ .id = WORLD_BEN, .public_id = S("ben"), .name = S("Ben Officer") }, NULL, err)
	                : rc;
}

static enum rc make_person(struct db_tx *tx, int64_t id, struct err *err)
{
	static const char *const names[] = { "Amal Example", "Björn Example", "مریم نمونه", "Chen Example", "Dora Example", "Émile Example" };
	static const char *const tags[] = { "en", "fr", "fa", "en", "ar", "fr" };
	struct arena arena;
	arena_init(&arena);
	enum rc rc = put_person(tx,
	                        &(struct put_person_args){ .id = id, .public_id = str_format(&arena, "person%lld", (long long)id),
	                                                   .language = str_from(tags[id - 1]), .salt = 100 + id },
	                        NULL, err);
	if (rc == OK)
		rc = put_name(tx, &(struct put_name_args){ .person_id = id, .name = str_from(names[id - 1]) }, NULL, err);
	if (rc == OK)
		rc = put_contact(tx,
		                 &(struct put_contact_args){ .person_id = id, .channel = CHANNEL_SMS,
		                                             .address = str_format(&arena, "+21620000%03lld", (long long)id), .rank = 1 },
		                 NULL, err);
	/* A mailbox, too, for those of even number. */
	if (rc == OK && id % 2 == 0)
		rc = put_contact(tx,
		                 &(struct put_contact_args){ .person_id = id, .channel = CHANNEL_MAIL,
		                                             .address = str_format(&arena, "p%lld@example.org", (long long)id), .rank = 2 },
		                 NULL, err);
	arena_release(&arena);
	return rc;
}

static enum rc make_trips(struct db_tx *tx, struct err *err)
{
	static const struct put_trip_args trips[] = {
		{ .id = 1, .public_id = { "t1", 2 }, .person_id = 1, .companions = 4 },
		{ .id = 2, .public_id = { "t2", 2 }, .person_id = 2, .companions = 1 },
	};
	static const struct put_companion_args companions[] = {
		{ .id = 1, .trip_id = 1, .name = { "Lina", 4 } },
		{ .id = 2, .trip_id = 1, .name = { "Sami", 4 } },
		{ .id = 9, .trip_id = 2, .name = { "Otto", 4 } },
	};
	const struct put_leg_args legs[] = {
		{ .id = 1, .person_id = 1, .trip_id = 1, .place_name = S("Tunis"), .country = S("TN"), .from_at = WORLD_NOW - CLOCK_DAY,
		  .to_at = WORLD_NOW + CLOCK_DAY },
		{ .id = 2, .person_id = 2, .trip_id = 2, .place_name = S("Sfax"), .country = S("TN"), .from_at = WORLD_NOW - 400 * CLOCK_DAY,
		  .to_at = WORLD_NOW - 390 * CLOCK_DAY },
	};
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < COUNT_OF(trips); i++)
		rc = put_trip(tx, &trips[i], NULL, err);
	for (size_t i = 0; rc == OK && i < COUNT_OF(companions); i++)
		rc = put_companion(tx, &companions[i], NULL, err);
	for (size_t i = 0; rc == OK && i < COUNT_OF(legs); i++)
		rc = put_leg(tx, &legs[i], NULL, err);
	return rc;
}

/* An alert of one version that was sent to people `first` to `last`. */
static enum rc make_alert(struct db_tx *tx, int64_t id, int64_t number, int64_t exercise, int64_t first, int64_t last, struct err *err)
{
	const struct notice_new notice = { .kind = NOTICE_ALERT, .event_id = id, .subject_id = id, .lane = LANE_ALERT_SEVERE,
		                           .exercise = exercise != 0, .expires_at = WORLD_NOW + CLOCK_DAY };
	struct notice_person people[WORLD_PEOPLE] = { 0 };
	const size_t count = (size_t)(last - first + 1);
	struct arena arena;
	int64_t notice_id = 0;
	for (size_t i = 0; i < count; i++)
		people[i] = (struct notice_person){ .person_id = first + (int64_t)i, .channels = CHANNEL_BIT(CHANNEL_SMS), .text_group = 1 };
	arena_init(&arena);
	enum rc rc = notice_freeze(tx, &notice, people, count, WORLD_NOW - CLOCK_HOUR, &notice_id, err);
	if (rc == OK)
		rc = put_alert(tx,
		               &(struct put_alert_args){ .id = id, .public_id = str_format(&arena, "alert%lld", (long long)id), .number = number,
		                                         .exercise = exercise, .state = 2, .version_id = id, .ended_at = DB_NULL },
	                       NULL, err);
	if (rc == OK)
		rc = put_version(tx,
		                 &(struct put_version_args){ .id = id, .alert_id = id, .expires = WORLD_NOW + CLOCK_DAY, .notice_id = notice_id,
		                                             .sent_at = WORLD_NOW - CLOCK_HOUR },
		                 NULL, err);
	if (rc == OK)
		rc = put_alert_text(
			tx, &(struct put_alert_text_args){ .version_id = id, .language = S("en"), .headline = S("Storm near Tunis <now>") }, NULL, err);
	if (rc == OK)
		rc = put_alert_text(
			tx, &(struct put_alert_text_args){ .version_id = id, .language = S("fa"), .headline = S("توفان نزدیک تونس") }, NULL, err);
	arena_release(&arena);
	return rc;
}

static enum rc make(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	enum rc rc = make_officers(tx, err);
	for (int64_t id = 1; rc == OK && id <= WORLD_PEOPLE; id++)
		rc = make_person(tx, id, err);
	if (rc == OK)
		rc = make_trips(tx, err);
	if (rc == OK)
		rc = make_alert(tx, WORLD_ALERT, 47, 0, 1, WORLD_PEOPLE, err);
	if (rc == OK)
		rc = make_alert(tx, WORLD_OTHER, 48, 1, 3, 3, err);
	static const struct put_counter_args counters[] = {
		{ .alert_id = WORLD_ALERT, .class = COUNTER_TARGETED, .people = WORLD_PEOPLE },
		{ .alert_id = WORLD_ALERT, .class = COUNTER_SILENT, .people = WORLD_PEOPLE },
		{ .alert_id = WORLD_OTHER, .class = COUNTER_TARGETED, .people = 1 },
		{ .alert_id = WORLD_OTHER, .class = COUNTER_SILENT, .people = 1 },
	};
	for (size_t i = 0; rc == OK && i < COUNT_OF(counters); i++)
		rc = put_counter(tx, &counters[i], NULL, err);
	return rc;
}

enum rc world_write(struct fixture *fixture, world_work work, void *context)
{
	return db_write(fixture->db, DB_LANE_PERSON, work, context, fixture_err(fixture));
}

void world_make(struct fixture *fixture)
{
	assert_rc(fixture, OK, world_write(fixture, make, NULL));
}

static enum rc record(struct db_tx *tx, void *context, struct err *err)
{
	int64_t id;
	return response_record(tx, context, WORLD_NOW, &id, NULL, NULL, err);
}

enum rc world_answer(struct fixture *fixture, int64_t alert_id, int64_t person_id, enum response_status status)
{
	struct response_new response = {
		.alert_id = alert_id, .person_id = person_id, .status = status, .by = RESPONSE_BY_LINK, .form_key = STR_NONE
	};
	return world_write(fixture, record, &response);
}

/* --- looking -------------------------------------------------------------------------------------------------- */

struct look {
	struct fixture *fixture;
	int64_t alert_id, person_id;
	struct alert_counters sums;
	struct recipient row;
	struct get_classes_row *classes;
	size_t class_count;
	struct get_companions_row *companions;
	size_t companion_count;
};

static enum rc look_sums(struct db_tx *tx, void *context, struct err *err)
{
	struct look *look = context;
	struct arena *arena = &look->fixture->arena;
	enum rc rc = alert_counters_find(tx, look->alert_id, &look->sums, err);
	if (rc == OK)
		rc = get_classes(tx, arena, &(struct get_classes_args){ .alert_id = look->alert_id }, &look->classes, &look->class_count, err);
	if (rc == OK)
		rc = get_companions(tx, arena, &(struct get_companions_args){ .alert_id = look->alert_id }, &look->companions,
		                    &look->companion_count, err);
	return rc;
}

static enum rc look_row(struct db_tx *tx, void *context, struct err *err)
{
	struct look *look = context;
	return recipient_read(tx, &look->fixture->arena,
	                      &(struct recipient_read_args){ .alert_id = look->alert_id, .person_id = look->person_id }, &look->row, err);
}

struct alert_counters world_sums(struct fixture *fixture, int64_t alert_id)
{
	struct look look = { .fixture = fixture, .alert_id = alert_id };
	assert_rc(fixture, OK, db_read(fixture->db, look_sums, &look, fixture_err(fixture)));
	return look.sums;
}

struct recipient world_row(struct fixture *fixture, int64_t alert_id, int64_t person_id)
{
	struct look look = { .fixture = fixture, .alert_id = alert_id, .person_id = person_id };
	assert_rc(fixture, OK, db_read(fixture->db, look_row, &look, fixture_err(fixture)));
	return look.row;
}

void world_assert_sums(struct fixture *fixture, int64_t alert_id)
{
	struct look look = { .fixture = fixture, .alert_id = alert_id };
	assert_rc(fixture, OK, db_read(fixture->db, look_sums, &look, fixture_err(fixture)));
	const struct alert_counters *sums = &look.sums;
	struct alert_counters counted = { 0 };
	int64_t rows = 0;
	for (size_t i = 0; i < look.class_count; i++) {
		counted.of[look.classes[i].class] = look.classes[i].people;
		counted.of[COUNTER_RELEASED + look.classes[i].class] = look.classes[i].released;
		counted.of[COUNTER_COMPANIONS_SAFE] += look.classes[i].others_safe;
		counted.of[COUNTER_COMPANIONS_HELP] += look.classes[i].others_help;
		rows += look.classes[i].people;
	}
	/* Who has no row waits. */
	counted.of[COUNTER_SILENT] += sums->of[COUNTER_TARGETED] - rows;
	for (size_t i = 0; i < look.companion_count; i++)
		if (look.companions[i].status != COMPANION_ELSEWHERE)
			counted.of[look.companions[i].status == COMPANION_SAFE ? COUNTER_COMPANIONS_SAFE : COUNTER_COMPANIONS_HELP] +=
				look.companions[i].people;
	assert_int_equal(sums->of[COUNTER_TARGETED],
	                 sums->of[COUNTER_SAFE] + sums->of[COUNTER_HELP] + sums->of[COUNTER_SILENT] + sums->of[COUNTER_UNREACHABLE]);
	static const int classes[] = { 1, 2, 3, 4, 11, 12, 13, 14, COUNTER_COMPANIONS_SAFE, COUNTER_COMPANIONS_HELP };
	for (size_t i = 0; i < COUNT_OF(classes); i++)
		assert_int_equal(sums->of[classes[i]], counted.of[classes[i]]);
}

static enum rc look_alert(struct db_tx *tx, void *context, struct err *err)
{
	struct board_alert *alert = context;
	struct arena arena; /* its texts are replaced */
	arena_init(&arena);
	enum rc rc = board_alert_find(tx, &arena, &(struct board_alert_find_args){ .alert_id = alert->id }, alert, err);
	alert->public_id = alert->id == WORLD_ALERT ? S("alert7") : S("alert8");
	alert->language = S("en");
	alert->zone = S("Africa/Tunis");
	arena_release(&arena);
	return rc;
}

struct board_alert world_alert(struct fixture *fixture, int64_t alert_id)
{
	struct board_alert alert = { .id = alert_id };
	assert_rc(fixture, OK, db_read(fixture->db, look_alert, &alert, fixture_err(fixture)));
	return alert;
}

struct ledger_look { const char *action; int64_t entries; };

static enum rc look_ledger(struct db_tx *tx, void *context, struct err *err)
{
	struct ledger_look *look = context;
	struct get_ledger_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = get_ledger(tx, &arena, &(struct get_ledger_args){ .action = str_from(look->action) }, &row, err);
	look->entries = row.entries;
	arena_release(&arena);
	return rc;
}

int64_t world_ledger(struct fixture *fixture, const char *action)
{
	struct ledger_look look = { .action = action };
	assert_rc(fixture, OK, db_read(fixture->db, look_ledger, &look, fixture_err(fixture)));
	return look.entries;
}
