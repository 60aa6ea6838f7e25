/* A small world for the board's tests: people with names, telephones and trips, and an alert that was sent to them. */
#ifndef CHANCERY_TESTS_BOARD_FIXTURE_H
#define CHANCERY_TESTS_BOARD_FIXTURE_H

#include "tests/support/store_fixture.h"

#include "desks/travel/board_sums.h"
#include "desks/travel/response.h"

#define WORLD_PEOPLE 6       /* person 1 to 6 */
#define WORLD_ALERT 7        /* number 47, sent to all of them */
#define WORLD_OTHER 8        /* number 48, an exercise, sent to person 3 alone */
#define WORLD_ANA 1          /* officers */
#define WORLD_BEN 2
/* The time at which the test began. */
#define WORLD_NOW world_now()
int64_t world_now(void);

/* Person 1 travels with Lina (companion 1), Sami (2) and two without a name; person 2 has a trip that was over long ago with companion 9. */
void world_make(struct fixture *fixture);
/* Runs a function of the board in a writing transaction. */
typedef enum rc (*world_work)(struct db_tx *tx, void *context, struct err *err);
enum rc world_write(struct fixture *fixture, world_work work, void *context);
/* An answer without text. */
enum rc world_answer(struct fixture *fixture, int64_t alert_id, int64_t person_id, enum response_status status);
struct alert_counters world_sums(struct fixture *fixture, int64_t alert_id);
struct recipient world_row(struct fixture *fixture, int64_t alert_id, int64_t person_id);
/* Fails unless the counters are what the rows say, and the sums hold. */
void world_assert_sums(struct fixture *fixture, int64_t alert_id);

/* What an officer's deed needs. */
struct board_alert world_alert(struct fixture *fixture, int64_t alert_id);
int64_t world_ledger(struct fixture *fixture, const char *action);

#endif
