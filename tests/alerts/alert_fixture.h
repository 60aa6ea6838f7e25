/* Alerts on a fresh store with a delivery engine that is turned by hand and roads that accept everything. */
#ifndef CHANCERY_TESTS_ALERT_FIXTURE_H
#define CHANCERY_TESTS_ALERT_FIXTURE_H

#include <pthread.h>

#include "tests/support/store_fixture.h"

#include "core/messages/internal.h"
#include "desks/travel/alert.h"
#include "alerts_sql.h"
#include "tests/engine/fake_channel.h"

struct scene {
	struct fixture *fixture;
	char folder[64];
	struct house *house;
	struct engine *engine;
	struct fake_channel sms, mail;
	size_t heard_mail, heard_sms; /* of the roads' messages, looked at already */
	bool refuse_mail;             /* the relay knows no mailbox */
};

/* A person to be put into the store: mail "pN@example.org", mobile "+15550N". */
struct someone {
	int64_t id;
	double latitude, longitude;
	const char *country;  /* of the place, "TN" */
	int64_t from, to;     /* hours from now */
	unsigned channels;    /* CHANNEL_BITs, confirmed */
	unsigned unconfirmed; /* CHANNEL_BITs, not confirmed */
	bool whole_country;   /* somewhere in it */
	const char *language; /* NULL: en */
};

#define BOTH_SCENE(test)                                                                                               \
	{ #test " (sqlite)", test, scene_setup, scene_teardown, &fixture_kinds[0] },                                   \
	{                                                                                                              \
#test " (postgresql)", test, scene_setup, scene_teardown, &fixture_kinds[1]                            \
	}
int scene_setup(void **state);
int scene_teardown(void **state);

/* Ends the house as a stop would, and starts it again over the same store. */
void scene_restart(struct scene *scene);
void scene_write(struct scene *scene, db_work work, void *context);
void scene_read(struct scene *scene, db_work work, void *context);
void put_someone(struct scene *scene, const struct someone *someone);
/* Replaces a person's stays by one. */
void move_someone(struct scene *scene, const struct someone *someone);
/* A new confirmed mailbox "pN@example.org" in place of those that ended. */
void renew_mailbox(struct scene *scene, int64_t person_id);
void confirm_someone(struct scene *scene, int64_t person_id, enum channel_kind channel);
/* The index follows the store, and with it late joining. */
void follow(struct scene *scene);
/* Everything due is handed over and accepted. */
void turn(struct scene *scene);
/* Moves the clock to the next time it is `hour` in Tunis. */
void clock_to(int hour);
/* Moves the clock on, and does what time brings. */
void wait_hours(struct scene *scene, double hours);

/* A draft over a square around (latitude, longitude) of half side `half` degrees; texts in English. Returns its
 * public id. */
struct str draft(struct scene *scene, double latitude, double longitude, double half, const char *more);
/* The next version, with another square (half 0: as it stands). */
void next_version(struct scene *scene, struct str id, const char *type, double latitude, double longitude, double half,
                  const char *more);
int64_t send_alert(struct scene *scene, struct str id);
/* How many messages someone has got since the last look, and what the (last) mail said first. */
size_t heard(struct scene *scene, int64_t person_id, const char *beginning);
/* Fails if anybody got a message since the last look that was not asked for by heard(). */
void nothing_else(struct scene *scene);
int64_t people_in(struct scene *scene, struct str id, enum alert_counter class);
/* Every sum holds. */
void sums_hold(struct scene *scene);

#endif
