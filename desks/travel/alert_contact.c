/* The last rung: somebody the person named is asked about them, once, when every other way has been used and no answer came. */
#include "desks/travel/alert.h"
#include "desks/travel/board.h"
#include "kernel/ledger/ledger.h"

#include "travel_sql.h"

#define LOOKED_AT_ONCE 500 /* candidates of one read */
#define ASKED_AT_ONCE 50   /* in one transaction */
#define RUN_MOST (CLOCK_SECOND / 2)

/* Where the last run ended: the next goes on there. Only the thread of the jobs uses it. */
static struct {
	int64_t alert_id, person_id;
} reached;

struct asking {
	struct house *house;
	int64_t alert_id, after, now;
	struct alert alert;
	struct alert_version version;
	struct arena *arena;
	int64_t *due; /* people */
	size_t due_count, due_capacity, at;
	bool more; /* candidates are left behind `after` */
	int64_t asked;
};

/* --- whose turn it is --------------------------------------------------------------------------------------------- */

static int64_t rung_wait(const struct alert_version *version, int64_t channel)
{
	struct ladder_climb climb;

	ladder_climb(&version->ladder, version->severity, CHANNEL_BIT(channel), 0, &climb);
	return climb.last_wait;
}

/* The shortest wait of any rung: nobody's turn comes before that. */
static int64_t shortest_wait(const struct alert_version *version)
{
	int64_t shortest = INT64_MAX;

	for (int64_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		if (rung_wait(version, channel) < shortest)
			shortest = rung_wait(version, channel);
	return shortest;
}

static enum rc waits_in_blocks(struct db_tx *tx, int64_t notice_id, int64_t person_id, const struct ladder_left_row *rows, size_t count,
                               bool *waits, struct err *err)
{
	int64_t frozen[CHANNEL_KIND_COUNT];

	enum rc rc = notice_find_frozen(tx, notice_id, person_id, frozen, err);
	for (int64_t channel = CHANNEL_NONE + 1; rc == OK && channel < CHANNEL_KIND_COUNT; channel++) {
		bool has_row = false; /* brought forward */
		for (size_t i = 0; i < count; i++)
			has_row = has_row || (rows[i].notice_id == notice_id && rows[i].channel == channel);
		*waits = *waits || (frozen[channel] >= 0 && !has_row);
	}
	return rc;
}

/* Everything has left, and an answer to the last of it was awaited long enough. */
static enum rc is_turn(struct db_tx *tx, struct arena *arena, const struct asking *asking, int64_t person_id, int64_t class, bool *turn,
                       struct err *err)
{
	const struct ladder_left_args args = { .person_id = person_id, .event_id = asking->alert_id };
	struct ladder_left_row *rows;
	int64_t last = -1, wait = 0;
	bool waits = false;
	size_t count;

	*turn = false;
	enum rc rc = ladder_left(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		waits = waits || rows[i].state == MESSAGE_QUEUED || rows[i].state == MESSAGE_SUBMITTED;
		if (rows[i].submitted_at > last && rows[i].channel > 0 && rows[i].channel < CHANNEL_KIND_COUNT) {
			last = rows[i].submitted_at;
			wait = rung_wait(&asking->version, rows[i].channel);
		}
	}
	if (rc == OK && !waits)
		rc = waits_in_blocks(tx, asking->version.notice_id, person_id, rows, count, &waits, err);
	for (size_t i = 0; rc == OK && i < count && !waits; i++)
		if (rows[i].notice_id != asking->version.notice_id)
			rc = waits_in_blocks(tx, rows[i].notice_id, person_id, rows, count, &waits, err);
	if (rc == OK && !waits)
		*turn = class == COUNTER_UNREACHABLE || (last >= 0 && last + wait <= asking->now);
	return rc;
}

static enum rc read_version(struct db_tx *tx, struct asking *asking, struct err *err)
{
	struct version_row row;

	enum rc rc = alert_find(tx, asking->arena, asking->alert_id, &asking->alert, err);
	if (rc == OK)
		rc = version_row_find(tx, asking->arena, &(struct version_row_find_args){ .id = asking->alert.version_id }, &row, err);
	return rc == OK ? version_of_row(&row, &asking->version, err) : rc;
}

/* In an exercise no relative is frightened. */
static bool asks_contacts(const struct asking *asking)
{
	return asking->alert.state == ALERT_IN_FORCE && !asking->alert.exercise && asking->version.ladder.contact &&
	       asking->version.expires > asking->now;
}

static enum rc look(struct db_tx *tx, void *context, struct err *err)
{
	struct asking *asking = context;
	struct contact_candidates_row *rows;
	size_t count = 0;

	asking->due_count = 0;
	asking->more = false;
	enum rc rc = read_version(tx, asking, err);
	if (rc != OK || !asks_contacts(asking))
		return rc;
	const bool none_silent = asking->now < asking->version.sent_at + shortest_wait(&asking->version);
	const struct contact_candidates_args args = { .alert_id = asking->alert_id,
		                                      .after = asking->after,
		                                      .silent = none_silent ? COUNTER_UNREACHABLE : COUNTER_SILENT,
		                                      .most = LOOKED_AT_ONCE };
	rc = contact_candidates(tx, asking->arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count && asking->due_count < ASKED_AT_ONCE; i++) {
		struct arena scratch;
		bool turn = false;
		arena_init(&scratch);
		rc = is_turn(tx, &scratch, asking, rows[i].person_id, rows[i].class, &turn, err);
		arena_release(&scratch);
		if (rc == OK && turn)
			ARENA_PUSH(asking->arena, asking->due, asking->due_count, asking->due_capacity, rows[i].person_id);
		asking->after = rows[i].person_id;
		asking->more = i + 1 < count || count == LOOKED_AT_ONCE;
	}
	return rc;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static enum rc is_stopped(struct db_tx *tx, struct arena *arena, enum channel_kind channel, struct str address, bool *stopped, struct err *err)
{
	struct contact_stopped_row row;

	enum rc rc = contact_stopped(tx, arena, &(struct contact_stopped_args){ .channel = channel, .address = address }, &row, err);
	if (rc == OK)
		*stopped = row.stops > 0;
	return rc;
}

/* By SMS, else by mail; only by ways the officer ticked. CHANNEL_NONE: by none. */
static enum rc choose_way(struct db_tx *tx, struct asking *asking, const struct emergency_contact *contact, enum channel_kind *way, struct err *err)
{
	const struct str addresses[CHANNEL_KIND_COUNT] = { [CHANNEL_SMS] = contact->phone, [CHANNEL_MAIL] = contact->email };
	static const enum channel_kind order[] = { CHANNEL_SMS, CHANNEL_MAIL };
	enum rc rc = OK;

	*way = CHANNEL_NONE;
	for (size_t i = 0; rc == OK && i < COUNT_OF(order) && *way == CHANNEL_NONE; i++) {
		bool stopped = false;
		if (!addresses[order[i]].len || !(asking->version.channels & CHANNEL_BIT(order[i])))
			continue;
		rc = is_stopped(tx, asking->arena, order[i], addresses[order[i]], &stopped, err);
		if (rc == OK && !stopped)
			*way = order[i];
	}
	return rc;
}

static enum rc queue_question(struct db_tx *tx, struct asking *asking, const struct person *person, const struct emergency_contact *contact,
                              enum channel_kind way, int64_t *message_id, struct err *err)
{
	struct arena *arena = asking->arena;
	const struct str from = setting_text(asking->house, arena, "messages.mail_name");
	const struct str number = str_format(arena, "%lld", (long long)asking->alert.number);
	const struct message_single single = {
		.lane = LANE_REST, /* which sends nothing twice that is in doubt */
		.channel = way,
		/* Of no person of ours: an answer to it must never count as the traveller's own, and goes to an officer. */
		.address = way == CHANNEL_SMS ? contact->phone : contact->email,
		.subject = way == CHANNEL_SMS ? S("") : T(arena, person->language, MSG_ladder_ask_subject, MSG_S("name", person->name)),
		.body = way == CHANNEL_SMS ? T(arena, person->language, MSG_ladder_ask_sms, MSG_S("from", from), MSG_S("name", person->name),
		                               MSG_S("number", number))
		                           : T(arena, person->language, MSG_ladder_ask_mail, MSG_S("from", from), MSG_S("name", person->name),
		                               MSG_S("contact", contact->name), MSG_S("number", number)),
		.expires_at = asking->version.expires,
	};

	return message_queue(tx, &single, asking->now, message_id, err);
}

static enum rc ask_one(struct db_tx *tx, struct asking *asking, int64_t person_id, bool *asked, struct err *err)
{
	const struct recipient_standing_find_args standing = { .alert_id = asking->alert_id, .person_id = person_id };
	const struct contact_told_find_args told_find = { .alert_id = asking->alert_id, .person_id = person_id };
	struct recipient_standing_find_row row;
	struct contact_told_find_row told;
	struct emergency_contact contact;
	struct person person;
	enum channel_kind way = CHANNEL_NONE;
	int64_t message_id = 0;
	bool turn = false;

	*asked = false;
	enum rc rc = recipient_standing_find(tx, asking->arena, &standing, &row, err);
	/* An answer, a release or another process may have come first. */
	if (rc != OK || row.released || (row.class != COUNTER_SILENT && row.class != COUNTER_UNREACHABLE))
		return rc == NOT_FOUND ? OK : rc;
	rc = contact_told_find(tx, asking->arena, &told_find, &told, err);
	if (rc != NOT_FOUND)
		return rc;
	rc = is_turn(tx, asking->arena, asking, person_id, row.class, &turn, err);
	if (rc == OK && turn)
		rc = emergency_contact_find(tx, asking->arena, person_id, &contact, err);
	if (rc == OK && turn)
		rc = person_find(tx, asking->arena, person_id, &person, err);
	if (rc != OK || !turn || str_is_empty(person.name) || contact.consent_at <= 0)
		return rc == NOT_FOUND ? OK : rc;
	rc = choose_way(tx, asking, &contact, &way, err);
	if (rc != OK || way == CHANNEL_NONE)
		return rc;
	rc = queue_question(tx, asking, &person, &contact, way, &message_id, err);
	if (rc == OK)
		rc = contact_told_insert(tx,
		                         &(struct contact_told_insert_args){ .alert_id = asking->alert_id,
		                                                             .person_id = person_id,
		                                                             .message_id = message_id,
		                                                             .told_at = asking->now },
		                         NULL, err);
	*asked = rc == OK;
	return rc;
}

static enum rc ask(struct db_tx *tx, void *context, struct err *err)
{
	struct asking *asking = context;
	struct alert_counters change = { { 0 } };
	struct alert_hold_alone_row held;

	asking->asked = 0;
	enum rc rc = alert_hold_alone(tx, asking->arena, &(struct alert_hold_alone_args){ .id = asking->alert_id }, &held, err);
	if (rc == OK)
		rc = read_version(tx, asking, err);
	if (rc != OK || !asks_contacts(asking))
		return rc;
	for (size_t i = 0; rc == OK && i < asking->due_count; i++) {
		bool asked = false;
		rc = ask_one(tx, asking, asking->due[i], &asked, err);
		asking->asked += asked;
	}
	if (rc != OK || !asking->asked)
		return rc;
	change.of[COUNTER_CONTACTS] = asking->asked;
	rc = alert_counters_add(tx, asking->alert_id, &change, err);
	if (rc == OK)
		rc = ledger_append(tx, 0, "alert.contacts", str_format(asking->arena, "alert:%.*s", STR_ARG(asking->alert.public_id)),
		                   str_format(asking->arena, "{\"asked\":%lld}", (long long)asking->asked), asking->now, err);
	return rc == OK ? db_change_append(tx, S("board"), asking->alert_id, err) : rc;
}

/* --- the job ------------------------------------------------------------------------------------------------------ */

/* One alert from `after` on; false when the time of the run is over. */
static bool ask_alert(struct house *house, int64_t alert_id, int64_t after, int64_t until)
{
	struct asking asking = { .house = house, .alert_id = alert_id, .after = after, .more = true };
	bool asked = false;
	enum rc rc = OK;

	while (rc == OK && asking.more && clock_monotonic() < until) {
		struct arena arena;
		struct err err;
		arena_init(&arena);
		err_init(&err, &arena);
		asking.arena = &arena;
		asking.now = clock_now();
		asking.due = NULL;
		asking.due_capacity = 0;
		rc = db_read(house->db, look, &asking, &err);
		if (rc == OK && asking.due_count > 0) {
			rc = db_write(house->db, DB_LANE_BULK, ask, &asking, &err);
			asked = asked || (rc == OK && asking.asked > 0);
		}
		if (rc != OK)
			log_warn("alert.contacts", LOGI("alert", alert_id), LOGS("detail", err.detail));
		arena_release(&arena);
	}
	if (asked) {
		messages_wake(house);
		alert_notice_desk.progress(house, alert_id);
	}
	reached.alert_id = alert_id;
	reached.person_id = asking.after;
	return rc != OK || !asking.more;
}

static enum rc list_in_force(struct db_tx *tx, void *context, struct err *err)
{
	struct {
		struct arena *arena;
		struct alert_row *rows;
		size_t count;
	} *list = context;

	return alert_list_in_force(tx, list->arena, &list->rows, &list->count, err);
}

void alert_contacts(struct house *house)
{
	const int64_t until = clock_monotonic() + RUN_MOST;
	struct arena arena;
	struct err err;
	struct {
		struct arena *arena;
		struct alert_row *rows;
		size_t count;
	} list = { .arena = &arena };
	size_t first = 0;

	arena_init(&arena);
	err_init(&err, &arena);
	if (db_read(house->db, list_in_force, &list, &err) != OK) {
		log_warn("alert.contacts", LOGS("detail", err.detail));
		list.count = 0;
	}
	while (first < list.count && list.rows[first].id != reached.alert_id)
		first++;
	const bool goes_on = first < list.count && reached.person_id > 0;
	if (first == list.count)
		first = 0;
	bool whole = !goes_on || ask_alert(house, list.rows[first].id, reached.person_id, until);
	/* Then each from its beginning, the one gone on with last. */
	for (size_t i = 0; whole && i < list.count; i++)
		whole = ask_alert(house, list.rows[(first + i + (goes_on ? 1 : 0)) % list.count].id, 0, until);
	if (whole)
		reached.person_id = 0;
	arena_release(&arena);
}
