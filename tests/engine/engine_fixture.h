/* A delivery engine on a fresh store, with fake roads, turned by hand. */
#ifndef CHANCERY_TESTS_ENGINE_FIXTURE_H
#define CHANCERY_TESTS_ENGINE_FIXTURE_H

#include <pthread.h>

#include "tests/support/store_fixture.h"

#include "core/messages/internal.h"
#include "engine_sql.h"
#include "tests/engine/fake_channel.h"

struct rig {
	struct fixture *fixture;
	char folder[64];
	struct house *house;
	struct engine *engine;
	struct fake_channel sms, mail;
};

/* What the test desk was told and is to say. */
struct desk_record {
	int64_t unreachable[64];  /* person ids, in order; negative: reachable again */
	size_t unreachable_count;
	int64_t not_due;          /* this person's plans changed */
	int64_t withholds_person; /* this person has answered when their message is rendered */
	bool raises;              /* who loses a way gets their SMS at once */
	size_t lost;              /* ways that were told as gone */
	int64_t due_spoils;       /* asked for this one, a statement fails */
	int64_t answered_person;  /* what answer() was asked for, and what it gives back */
	enum rc answer_rc;
	enum keyword answered;
	int64_t answered_hint;
	size_t answers, progress;
	const char *text;         /* rendered; NULL: "notice SUBJECT group GROUP person ID" */
	int64_t fails_person;     /* render fails for this one */
	int64_t stumbles_person;  /* unreachable() fails for this one */
};
extern struct desk_record record;

void rig_init(struct rig *rig, struct fixture *fixture);
void rig_release(struct rig *rig);
/* Makes people `first`.. with mail "pN@example.org" and mobile "+15550N" (7 digits). */
void rig_people(struct rig *rig, int64_t first, int64_t count);
/* Starts an engine as a fresh process would. */
void rig_start(struct rig *rig);
/* Ends it as kill -9 would: nothing is written. */
void rig_crash(struct rig *rig);
/* Rounds until there is nothing to do at once. */
void rig_turn(struct rig *rig);
/* Sends a notice to people `first`.. on these channels; returns its id. */
/* The same with a time for each channel. */
int64_t rig_send_by(struct rig *rig, int64_t event_id, int64_t first, int64_t count, unsigned channels,
                    const int64_t not_before[CHANNEL_KIND_COUNT], int64_t expires_at);
int64_t rig_send(struct rig *rig, int64_t event_id, int64_t first, int64_t count, unsigned channels);
int64_t rig_send_later(struct rig *rig, int64_t event_id, int64_t first, int64_t count, unsigned channels, int64_t not_before,
                       int64_t expires_at);
void rig_supersede(struct rig *rig, int64_t event_id);
int64_t rig_queue(struct rig *rig, const struct message_single *message);
void rig_add(struct rig *rig, int64_t notice_id, const struct notice_person *person);
/* Runs `work` in a write transaction and fails the test unless it returns `expected`. */
void rig_write(struct rig *rig, db_work work, void *context, enum rc expected);
void rig_read(struct rig *rig, db_work work, void *context);
/* The row of a person's message; fails the test if there is none. */
struct get_message_row rig_message(struct rig *rig, int64_t notice_id, int64_t person_id, enum channel_kind channel);
/* Messages of a notice and channel in a state, by the counters. */
int64_t rig_count(struct rig *rig, int64_t notice_id, enum channel_kind channel, int state);
int64_t rig_ended_contacts(struct rig *rig);
/* Every sum holds; fails the test if not. */
void rig_check(struct rig *rig);

#endif
