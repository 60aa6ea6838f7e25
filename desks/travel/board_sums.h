/* Recipients of an alert and the sums of people: the one place where a person moves from class to class. Private to the room.
 *
 * The unit is a person. Each targeted person stands in one class; a person without a row in `recipient` waits for an answer and is
 * not released. The counters change in the transaction that changes the row, so that at every moment
 *   targeted = safe + needs help + no answer yet + unreachable,
 * (enum alert_counter) and the part of each class that a later version released is counted apart beside it. */
#ifndef CHANCERY_DESKS_TRAVEL_BOARD_SUMS_H
#define CHANCERY_DESKS_TRAVEL_BOARD_SUMS_H

#include "desks/travel/alert.h"

#include "travel_sql.h"

enum case_state { CASE_NONE = 0, CASE_OPEN = 1, CASE_TAKEN = 2, CASE_RESOLVED = 3 };
enum call_state { CALL_WAITING = 0, CALL_LOCKED = 1, CALL_TRIED = 2, CALL_REACHED = 3 };

/* OK if some version of the alert targeted the person or they joined late, else NOT_FOUND. */
enum rc recipient_is_targeted(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id, struct err *err);
/* The row of a targeted person, held until the transaction ends; made if it was not there. NOT_FOUND if no version of the alert
 * targeted them. */
enum rc recipient_open(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id, int64_t now, struct recipient *out,
                       struct err *err);
/* Writes `after` over `before` (what recipient_open gave) and moves the counters. `late` and `certain` cannot change here. */
enum rc recipient_save(struct db_tx *tx, const struct recipient *before, const struct recipient *after, int64_t now, struct err *err);
/* Moves companions named in answers. */
enum rc companions_count(struct db_tx *tx, int64_t alert_id, int64_t safe, int64_t help, struct err *err);

/* All of a person's messages have ended without being accepted by anyone (or that is no longer so). Someone who answered keeps their class.
 * As notice_desk.unreachable asks for it; OK and nothing for those who are not targeted. */
enum rc recipient_set_unreachable(struct db_tx *tx, int64_t alert_id, int64_t person_id, bool unreachable, int64_t now, struct err *err);

#endif
