/* Answers: what people (or an officer for them) say to an alert, by whatever road it comes. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_RESPONSE_H
#define CHANCERY_DESKS_TRAVEL_RESPONSE_H

#include "core/people/people.h"
#include "desks/travel/board_sums.h"
#include "kernel/html/html.h"
#include "kernel/text/keyword.h"

#define RESPONSE_NOTE_MAX 1000                /* characters */
#define RESPONSE_PLACE_MAX 200                /* characters */
#define RESPONSE_COMPANIONS_MAX 99            /* as many as a trip may have */
#define RESPONSE_LINK_DAYS 30                 /* an answer is taken so long after its alert ended */
#define RESPONSE_LATE_HOURS 72                /* an SMS or mail is still taken for the answer to the one alert that ended so long ago */

enum response_status { RESPONSE_SAFE = 1, RESPONSE_HELP = 2, RESPONSE_WITHDRAWN = 3 };
enum response_by { RESPONSE_BY_LINK = 1, RESPONSE_BY_SMS = 2, RESPONSE_BY_MAIL = 3, RESPONSE_BY_OFFICER = 4, RESPONSE_BY_PUSH = 5 };
enum companion_status { COMPANION_UNSAID = 0, COMPANION_SAFE = 1, COMPANION_HELP = 2, COMPANION_ELSEWHERE = 3 };

struct companion_answer {
	int64_t companion_id;
	enum companion_status status; /* COMPANION_UNSAID takes back what was said */
};

/* Someone who travels along, as a form shows them. */
struct companion {
	int64_t id;
	struct str name;
	enum companion_status status;
};

struct response_new {
	int64_t alert_id, person_id;
	enum response_status status; /* RESPONSE_SAFE or RESPONSE_HELP */
	enum response_by by;
	int64_t officer_id;          /* of RESPONSE_BY_OFFICER, else 0 */
	int64_t incoming_id;         /* of SMS and mail, else 0 */
	struct str form_key;         /* STR_NONE: none */
	struct str note, place;      /* may be empty; longer ones than the limits are INVALID */
	bool keyword_only;           /* a bare HELP: perhaps a question about the service */
	const struct companion_answer *companions; /* of those named here; others keep what was said */
	size_t companion_count;
	bool others_said;            /* whether others_safe and others_help were asked for */
	int64_t others_safe, others_help; /* companions without a name */
};

/* Records an answer in the caller's transaction: the answer and its text, the person's class and the sums, the case. The last answer decides;
 * all are kept. Help said again opens a case that was resolved; safe closes none, an officer does. The same form_key again is OK and changes
 * nothing (*id_out is the first one's). NOT_FOUND: there is no such alert, or it never targeted the person; CONFLICT: it ended too long ago;
 * INVALID: a text is too long, or a companion is not theirs. `before_out` and `after_out` (may be NULL) get the person's row. */
enum rc response_record(struct db_tx *tx, const struct response_new *response, int64_t now, int64_t *id_out, struct recipient *before_out,
                        struct recipient *after_out, struct err *err);
/* Takes an officer's answer back: the one before it decides again, or none does. The case stays as it is.
 * CONFLICT if it was withdrawn before. */
enum rc response_withdraw(struct db_tx *tx, int64_t response_id, int64_t alert_id, int64_t person_id, int64_t now, struct err *err);

/* What stands behind notice_desk.answer (core/messages/messages.h): finds the one alert that an SMS or mail of `person_ids` answers and records
 * it. `event_hint` is the alert that a mail's thread names, 0 none; said->reference a number the text names. NOT_FOUND: no alert of theirs is
 * in force or ended within RESPONSE_LATE_HOURS; CONFLICT: more than one person or alert fits. Nothing is guessed. */
enum rc response_answer(struct db_tx *tx, struct house *house, const int64_t *person_ids, size_t person_count, const struct keyword_reply *said,
                        int64_t event_hint, enum channel_kind channel, int64_t incoming_id, int64_t now, int64_t *person_out,
                        int64_t *event_out, struct err *err);

/* The companions of a person on stays that touch the alert's time: the named ones, and how many have no name. */
enum rc companions_read(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, int64_t person_id, struct companion **named_out,
                        size_t *named_count, int64_t *unnamed_out, struct err *err);
/* The alert's headline in the reader's language, else in its first one; `language_out` (may be NULL) says which. */
enum rc headline_read(struct db_tx *tx, struct arena *arena, const struct board_alert *alert, enum language language, struct str *headline_out,
                      struct str *language_out, struct err *err);

/* --- pages/answer.html ------------------------------------------------------------------------------------------ */
struct companion_field {
	struct str id;
	struct str name;
	struct choice choices[4];
};
struct answer_view {
	struct page page;
	struct str token;
	struct str headline, headline_language;
	bool exercise, ended;
	int64_t sent_at;
	int answered;              /* enum response_status, 0 not yet */
	int64_t answered_at;
	bool just_now;
	struct str note, place;
	struct companion_field *companions;
	size_t companion_count;
	int64_t unnamed;
	struct choice *others_safe, *others_help;
	size_t others_count;
	struct str own_path;       /* the person's own page */
};
struct answer_gone_view {
	struct page page;
	bool ended;
};
void answer_get(struct request *request, struct response *response);
void answer_post(struct request *request, struct response *response);

#endif
