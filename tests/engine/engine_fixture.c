#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/engine/engine_fixture.h"

struct desk_record record;

/* --- the desk whose notices are sent ---------------------------------------------------------------------------- */

static enum rc test_render(struct house *house, struct arena *arena, struct db_tx *tx, int64_t subject_id, int64_t text_group,
                           const struct person *person, enum channel_kind channel, struct message_draft *out, struct err *err)
{
	(void)house;
	(void)tx;
	(void)channel;
	if (person->id == record.fails_person)
		return err_set(err, FAILED, "no text");
	out->subject = S("An alert");
	out->text = record.text ? str_from(record.text)
	                        : str_format(arena, "notice %lld group %lld person %lld", (long long)subject_id,
	                                     (long long)text_group, (long long)person->id);
	out->thread = S("event.1");
	out->unsubscribe_url = S("https://chancery.example/unsubscribe/x");
	out->language = person->language;
	out->withhold = person->id == record.withholds_person ? REASON_ANSWERED : REASON_NONE;
	return OK;
}

static enum message_reason test_due(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t *not_before)
{
	(void)house;
	(void)not_before;
	if (turn->person_id == record.due_spoils) {
		struct put_people_args twice = { .id = turn->person_id, .public_id = S("x"), .language = S("en") };
		put_people(tx, &twice, 1, NULL, NULL);
	}
	return turn->person_id == record.not_due ? REASON_PLANS_CHANGED : REASON_NONE;
}

/* The next way is SMS. */
static enum rc test_lost(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t now, struct err *err)
{
	(void)house;
	record.lost++;
	if (!record.raises)
		return OK;
	enum rc rc = notice_raise_person(tx, turn->notice_id, turn->person_id, CHANNEL_SMS, 0, now, err);
	return rc == NOT_FOUND ? OK : rc;
}

static enum rc test_unreachable(struct db_tx *tx, int64_t event_id, int64_t person_id, bool unreachable, int64_t now, struct err *err)
{
	(void)tx;
	(void)event_id;
	(void)now;
	if (person_id == record.stumbles_person)
		return err_set(err, FAILED, "a mistake of the desk");
	if (record.unreachable_count < COUNT_OF(record.unreachable))
		record.unreachable[record.unreachable_count++] = unreachable ? person_id : -person_id;
	return OK;
}

static enum rc test_answer(struct db_tx *tx, struct house *house, const int64_t *person_ids, size_t person_count,
                           const struct keyword_reply *said, int64_t event_hint, enum channel_kind channel, int64_t incoming_id,
                           int64_t now, int64_t *person_out, int64_t *event_out, struct err *err)
{
	(void)tx;
	(void)house;
	(void)channel;
	(void)incoming_id;
	(void)now;
	(void)err;
	assert_true(person_count > 0);
	record.answers++;
	record.answered_person = person_ids[0];
	record.answered = said->keyword;
	record.answered_hint = event_hint;
	if (record.answer_rc != OK)
		return record.answer_rc;
	*person_out = person_ids[0];
	*event_out = 7;
	return OK;
}

static void test_progress(struct house *house, int64_t event_id)
{
	(void)house;
	(void)event_id;
	record.progress++;
}

static const struct notice_desk test_notices = { .render = test_render,
	                                         .due = test_due,
	                                         .lost = test_lost,
	                                         .unreachable = test_unreachable,
	                                         .answer = test_answer,
	                                         .progress = test_progress };

/* --- transactions ------------------------------------------------------------------------------------------------ */

void rig_write(struct rig *rig, db_work work, void *context, enum rc expected)
{
	assert_rc(rig->fixture, expected, db_write(rig->fixture->db, DB_LANE_PERSON, work, context, fixture_err(rig->fixture)));
}

void rig_read(struct rig *rig, db_work work, void *context)
{
	assert_rc(rig->fixture, OK, db_read(rig->fixture->db, work, context, fixture_err(rig->fixture)));
}

struct people_range {
	int64_t first, count;
};

static enum rc put_people_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct people_range *range = context;
	struct arena arena;
	arena_init(&arena);
	size_t count = (size_t)range->count;
	struct put_people_args *people = ARENA_NEW_ARRAY(&arena, struct put_people_args, count);
	struct put_contacts_args *contacts = ARENA_NEW_ARRAY(&arena, struct put_contacts_args, count * 2);
	for (size_t i = 0; i < count; i++) {
		int64_t id = range->first + (int64_t)i;
		people[i] = (struct put_people_args){ .id = id, .public_id = str_format(&arena, "%032llx", (long long)id),
			                              .language = id % 2 ? S("en") : S("fr") };
		contacts[i * 2] = (struct put_contacts_args){ .person_id = id, .channel = CHANNEL_MAIL,
			                                      .address = str_format(&arena, "p%lld@example.org", (long long)id) };
		contacts[i * 2 + 1] = (struct put_contacts_args){ .person_id = id, .channel = CHANNEL_SMS,
			                                          .address = str_format(&arena, "+1555%07lld", (long long)id) };
	}
	enum rc rc = put_people(tx, people, count, NULL, err);
	if (rc == OK)
		rc = put_contacts(tx, contacts, count * 2, NULL, err);
	arena_release(&arena);
	return rc;
}

void rig_people(struct rig *rig, int64_t first, int64_t count)
{
	struct people_range range = { first, count };
	rig_write(rig, put_people_work, &range, OK);
}

struct sending {
	struct notice_new notice;
	struct notice_person *people;
	size_t count;
	int64_t notice_id;
};

static enum rc send_work(struct db_tx *tx, void *context, struct err *err)
{
	struct sending *sending = context;
	return notice_freeze(tx, &sending->notice, sending->people, sending->count, clock_now(), &sending->notice_id, err);
}

int64_t rig_send_by(struct rig *rig, int64_t event_id, int64_t first, int64_t count, unsigned channels,
                    const int64_t not_before[CHANNEL_KIND_COUNT], int64_t expires_at)
{
	struct sending sending = {
		.notice = { .kind = NOTICE_ALERT, .event_id = event_id, .subject_id = event_id * 10, .lane = LANE_ALERT,
		            .expires_at = expires_at },
		.count = (size_t)count,
	};
	sending.people = calloc((size_t)count, sizeof *sending.people);
	assert_non_null(sending.people);
	for (size_t i = 0; i < (size_t)count; i++) {
		sending.people[i] = (struct notice_person){ .person_id = first + (int64_t)i, .channels = (uint8_t)channels, .text_group = 1 };
		for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
			sending.people[i].not_before[channel] = not_before[channel];
	}
	rig_write(rig, send_work, &sending, OK);
	free(sending.people);
	return sending.notice_id;
}

int64_t rig_send_later(struct rig *rig, int64_t event_id, int64_t first, int64_t count, unsigned channels, int64_t not_before,
                       int64_t expires_at)
{
	int64_t times[CHANNEL_KIND_COUNT];
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		times[channel] = not_before;
	return rig_send_by(rig, event_id, first, count, channels, times, expires_at);
}

int64_t rig_send(struct rig *rig, int64_t event_id, int64_t first, int64_t count, unsigned channels)
{
	return rig_send_later(rig, event_id, first, count, channels, 0, clock_now() + CLOCK_DAY);
}

static enum rc supersede_work(struct db_tx *tx, void *context, struct err *err)
{
	return notice_supersede(tx, NOTICE_ALERT, *(const int64_t *)context, 0, clock_now(), err);
}

void rig_supersede(struct rig *rig, int64_t event_id)
{
	rig_write(rig, supersede_work, &event_id, OK);
}

struct queueing {
	const struct message_single *message;
	int64_t id;
};

static enum rc queue_work(struct db_tx *tx, void *context, struct err *err)
{
	struct queueing *queueing = context;
	return message_queue(tx, queueing->message, clock_now(), &queueing->id, err);
}

int64_t rig_queue(struct rig *rig, const struct message_single *message)
{
	struct queueing queueing = { message, 0 };
	rig_write(rig, queue_work, &queueing, OK);
	return queueing.id;
}

struct adding {
	int64_t notice_id;
	const struct notice_person *person;
};

static enum rc add_work(struct db_tx *tx, void *context, struct err *err)
{
	const struct adding *adding = context;
	return notice_add_person(tx, adding->notice_id, adding->person, clock_now(), err);
}

void rig_add(struct rig *rig, int64_t notice_id, const struct notice_person *person)
{
	struct adding adding = { notice_id, person };
	rig_write(rig, add_work, &adding, OK);
}

/* --- looking ------------------------------------------------------------------------------------------------------- */

struct looking {
	struct rig *rig;
	struct get_message_args args;
	struct get_message_row row;
};

static enum rc message_work(struct db_tx *tx, void *context, struct err *err)
{
	struct looking *looking = context;
	return get_message(tx, &looking->rig->fixture->arena, &looking->args, &looking->row, err);
}

struct get_message_row rig_message(struct rig *rig, int64_t notice_id, int64_t person_id, enum channel_kind channel)
{
	struct looking looking = { rig, { .person_id = person_id, .channel = channel, .notice_id = notice_id }, { 0 } };
	rig_read(rig, message_work, &looking);
	return looking.row;
}

struct counting_work {
	int64_t notice_id;
	struct message_counts counts;
};

static enum rc count_work(struct db_tx *tx, void *context, struct err *err)
{
	struct counting_work *counting = context;
	return message_count_notice(tx, counting->notice_id, &counting->counts, err);
}

int64_t rig_count(struct rig *rig, int64_t notice_id, enum channel_kind channel, int state)
{
	struct counting_work counting = { notice_id, { { { 0 } } } };
	rig_read(rig, count_work, &counting);
	return counting.counts.of[channel][state == MESSAGE_WAS_IN_DOUBT ? MESSAGE_STATE_COUNT : state];
}

static enum rc ended_work(struct db_tx *tx, void *context, struct err *err)
{
	struct get_ended_contacts_row row;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = get_ended_contacts(tx, &arena, &row, err);
	arena_release(&arena);
	*(int64_t *)context = row.ended;
	return rc;
}

int64_t rig_ended_contacts(struct rig *rig)
{
	int64_t ended = -1;
	rig_read(rig, ended_work, &ended);
	return ended;
}

static void print_line(void *context, struct str line)
{
	(void)context;
	print_error("%.*s\n", STR_ARG(line));
}

void rig_check(struct rig *rig)
{
	int64_t wrong = -1;
	assert_rc(rig->fixture, OK, messages_check(rig->fixture->db, print_line, NULL, &wrong, fixture_err(rig->fixture)));
	assert_int_equal(wrong, 0);
}

/* --- the process ------------------------------------------------------------------------------------------------------ */

void rig_start(struct rig *rig)
{
	static const struct desk *const desks[] = { &house_desk, &messages_desk };
	struct house_options options = { .db = rig->fixture->db, .desks = desks, .desk_count = COUNT_OF(desks),
		                         .data_folder = rig->folder };
	struct err *err = fixture_err(rig->fixture);
	assert_rc(rig->fixture, OK, house_new(&options, &rig->house, err));
	assert_rc(rig->fixture, OK, house_start(rig->house, err));
	messages_register(rig->house, NOTICE_ALERT, &test_notices);
	struct messages_route sms = { .channel = &rig->sms.channel, .receipts = true }, mail = { .channel = &rig->mail.channel };
	assert_rc(rig->fixture, OK, messages_add_route(rig->house, &sms, err));
	assert_rc(rig->fixture, OK, messages_add_route(rig->house, &mail, err));
	rig->engine = engine_of(rig->house);
	assert_rc(rig->fixture, OK, dispatcher_number(rig->engine, err));
	engines_add(rig->engine);
	for (size_t i = 0; i < rig->engine->road_count; i++)
		channel_start(rig->engine->roads[i].channel, &road_events, &rig->engine->roads[i], err);
}

void rig_crash(struct rig *rig)
{
	engines_remove(rig->engine);
	house_stop(rig->house); /* frees the memory; the rounds, and with them all writing, have ended */
	house_free(rig->house);
	rig->house = NULL;
	rig->engine = NULL;
	/* What was on the wire is with the carrier; its answers reach nobody. */
	rig->sms.outstanding = rig->mail.outstanding = 0;
	for (size_t i = 0; i < rig->sms.count; i++)
		rig->sms.messages[i].answered = rig->sms.messages[i].parts;
	for (size_t i = 0; i < rig->mail.count; i++)
		rig->mail.messages[i].answered = rig->mail.messages[i].parts;
}

static enum rc latest_work(struct db_tx *tx, void *context, struct err *err)
{
	return db_change_latest(tx, context, err);
}

void rig_turn(struct rig *rig)
{
	int rounds = 0;
	for (int quiet = 0; quiet < 2 && rounds < 5000; rounds++) {
		int64_t latest = 0;
		rig_read(rig, latest_work, &latest);
		atomic_store(&rig->engine->change_latest, latest);
		atomic_store(&rig->engine->look, true);
		rig->engine->closed_at = rig->engine->swept_at = rig->engine->parts_at = rig->engine->gone_at = 0;
		rig->engine->rest_until = 0;
		quiet = engine_round(rig->engine) ? 0 : quiet + 1;
	}
	assert_true(rounds < 5000);
}

void rig_init(struct rig *rig, struct fixture *fixture)
{
	memset(rig, 0, sizeof *rig);
	record = (struct desk_record){ 0 };
	rig->fixture = fixture;
	snprintf(rig->folder, sizeof rig->folder, "%s", "/tmp/chancery-engine-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	fake_init(&rig->sms, "carrier", CHANNEL_SMS, 100);
	fake_init(&rig->mail, "relay", CHANNEL_MAIL, 50);
	rig_start(rig);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void rig_release(struct rig *rig)
{
	if (rig->house)
		rig_crash(rig);
	fake_release(&rig->sms);
	fake_release(&rig->mail);
	nftw(rig->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	clock_set_offset(0);
}
