/* The board: everyone an alert targeted, accounted for by officers who work side by side. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_BOARD_H
#define CHANCERY_DESKS_TRAVEL_BOARD_H

#include "desks/travel/board_sums.h"
#include "desks/travel/response.h"
#include "kernel/access/access.h"
#include "kernel/desk/desk.h"
#include "kernel/html/html.h"
#include "kernel/http/http.h"

#define BOARD_PAGE 50                            /* people on a page */
#define BOARD_PAGES_MAX 20000
#define BOARD_NOTE_MAX 2000                      /* characters */
#define BOARD_SEARCH_MAX 200                     /* bytes of a name searched for */
#define BOARD_CONTACT_SHOWN (15 * CLOCK_MINUTE)  /* addresses stay visible so long after an officer asked for them */
#define BOARD_SHIFT (12 * CLOCK_HOUR)            /* what the hand-over page calls lately */
#define BOARD_EXPORT_MAX 200000                  /* rows of one file; more are taken in parts */
#define CALL_LOCK (10 * CLOCK_MINUTE)
#define CALL_WRONG 4                             /* beside enum call_state: the number is wrong, nobody is to call it again */

enum board_action_kind {
	BOARD_TAKE = 1,
	BOARD_RELEASE = 2,
	BOARD_TAKE_OVER = 3,
	BOARD_RESOLVE = 4,
	BOARD_NOTE = 5,
	BOARD_MARK_SAFE = 6,
	BOARD_MARK_HELP = 7,
	BOARD_UNDO = 8,
	BOARD_CALL_LOCK = 9,    /* queries.sql knows 9, 11 and 13 */
	BOARD_CALL_OUTCOME = 10,
	BOARD_CONTACT = 11,
	BOARD_ASK = 12,
	BOARD_CALL_FREE = 13,
	BOARD_ACTION_COUNT,
};

enum call_outcome { CALL_SAFE = 1, CALL_HELP = 2, CALL_NO_REPLY = 3, CALL_WRONG_NUMBER = 4, CALL_LATER = 5, CALL_OUTCOME_COUNT };

/* --- what officers do (board_action.c) ---------------------------------------------------------------------------- */
struct board_deed {
	struct board_alert alert;
	int64_t person_id;
	int64_t officer_id;
	enum board_action_kind kind; /* all but the calls' and BOARD_ASK */
	struct str form_key;         /* STR_NONE: none */
	struct str text;             /* of a note; may be empty for others */
	bool safe;                   /* BOARD_RESOLVE: and mark them as safe */
	int64_t action_id;           /* BOARD_UNDO: which */
};
/* What stood in the way. */
struct board_holder {
	int64_t officer_id; /* 0: nobody; the state forbids */
	int64_t since;
};
/* Does it in the caller's transaction: row, sums, history, ledger. The same form_key again is OK and changes nothing. CONFLICT: someone else
 * holds the case (*holder_out says who and since when) or its state forbids it; nothing changed then. NOT_FOUND: not targeted, no such action.
 * INVALID: a note without text. */
enum rc board_do(struct db_tx *tx, const struct board_deed *deed, int64_t now, struct board_holder *holder_out, struct err *err);
/* Logs that an officer asks to see the addresses of `person_ids`; they stay visible to them for BOARD_CONTACT_SHOWN. */
enum rc board_show_contacts(struct db_tx *tx, const struct board_alert *alert, int64_t officer_id, const int64_t *person_ids, size_t count,
                            struct str form_key, int64_t now, struct err *err);
/* Whether an action of that kind can be undone. */
bool board_can_undo(enum board_action_kind kind);
/* Appends to board_action and the ledger; *id_out may be NULL. For the files of the board. */
struct board_entry {
	const struct board_alert *alert;
	int64_t person_id, officer_id;
	enum board_action_kind kind;
	int64_t was, became, response_id; /* response_id 0: none */
	struct str form_key, text;
};
enum rc board_entry_add(struct db_tx *tx, struct arena *arena, const struct board_entry *entry, int64_t now, int64_t *id_out, struct err *err);
/* Whether a form with that key was already done: OK, else NOT_FOUND. */
enum rc board_form_done(struct db_tx *tx, struct arena *arena, struct str form_key, struct err *err);

/* --- the call list (calls.c) -------------------------------------------------------------------------------------- */
/* Locks the next person to the officer for CALL_LOCK: the one they hold already, else one nobody called, else one called in vain. NOT_FOUND:
 * there is nobody. */
enum rc call_next(struct db_tx *tx, const struct board_alert *alert, int64_t officer_id, int64_t now, int64_t *person_out, struct err *err);
struct call_report {
	struct board_alert alert;
	int64_t person_id, officer_id;
	enum call_outcome outcome;
	int64_t again_at;          /* of CALL_LATER */
	struct str note, form_key;
};
/* What came of a call. CONFLICT: someone else has the person by now. An expired lock still counts while nobody took it. */
enum rc call_finish(struct db_tx *tx, const struct call_report *report, int64_t now, struct board_holder *holder_out, struct err *err);
/* Gives the person back uncalled. */
enum rc call_free(struct db_tx *tx, const struct board_alert *alert, int64_t person_id, int64_t officer_id, int64_t now, struct err *err);
/* What an undone call falls back to. */
void call_undo(int64_t was, struct recipient *row);
int64_t call_pack(const struct recipient *row);

/* --- rows for everyone, checks (board_fill.c) --------------------------------------------------------------------- */
/* Gives everyone who was frozen a row, so that lists are complete; in short steps, resumable. For a job of some seconds. */
void board_fill(struct house *house);
/* --- asking again (board_ask.c) ----------------------------------------------------------------------------------- */
struct ask_plan {
	struct notice_person *people; /* ascending, for notice_freeze; text_group GROUP_REMINDER */
	size_t count;
	int64_t other[CHANNEL_KIND_COUNT];  /* of them, by a channel not used so far */
	int64_t repeat[CHANNEL_KIND_COUNT]; /* again by the one they were told by (only with `repeat`) */
	int64_t could_repeat;         /* who have no other channel */
	int64_t not_told;             /* whose message has not left yet: not asked */
	int64_t no_channel;           /* nothing usable is left */
	bool filling;                 /* the rows of some are still being written: nobody is asked before all are there */
};
/* Whom a reminder would reach now. In the arena. */
enum rc ask_plan_make(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, bool repeat, int64_t now, struct ask_plan *out,
                      struct err *err);
/* Freezes the reminder for a plan made just before (someone who answered in between is asked once too often): OK means it will be sent. The
 * same form_key again is OK, *people_out is the first one's. CONFLICT: the alert is not in force, was updated meanwhile, nobody is left,
 * or not everyone has a row yet. */
enum rc ask_again(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, const struct ask_plan *plan, int64_t officer_id,
                  struct str form_key, int64_t now, int64_t *people_out, struct err *err);

/* --- telling (board_live.c) --------------------------------------------------------------------------------------- */
/* Tells those who watch the alert (topic "alert/ID") that its board changed; call it after the commit. */
void board_publish(struct house *house, int64_t alert_id);
/* Does so for changes of other processes and of the message engine; for a job of a second. */
void board_follow(struct house *house);

#endif
