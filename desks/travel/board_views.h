/* What the board's pages show, and the helpers that fill it. */
#ifndef CHANCERY_DESKS_TRAVEL_BOARD_VIEWS_H
#define CHANCERY_DESKS_TRAVEL_BOARD_VIEWS_H

#include "desks/travel/board.h"

enum board_tab_kind { TAB_BOARD, TAB_CALLS, TAB_ASK, TAB_HANDOVER };

/* The head that all pages of one alert share. */
struct board_head {
	struct page page;
	struct str id;          /* public id of the alert */
	int64_t number;
	struct str headline, headline_language;
	bool exercise, ended;
	bool may_act;           /* the reader may do more than read */
	enum board_tab_kind tab; /* where the reader is */
};

struct board_tile {
	const char *css;
	enum msg text;
	int64_t people;
	const char *view;       /* of the list behind it, or NULL */
};
#define BOARD_TILES_MAX 8

struct board_line {
	struct str id, name;    /* public id; name or a replacement */
	bool named;
	int64_t class;
	enum msg class_text;
	const char *css;
	bool released, late, possible, keyword_only;
	struct str country, stay, note, place, language;
	int64_t answered_at;    /* 0: not yet */
	int64_t case_state;
	struct str owner;
	bool mine;
	int64_t taken_at;
	int64_t others_safe, others_help, calls;
	bool shown;             /* the addresses may be seen */
	struct str *phones;
	size_t phone_count;
};

struct board_view {
	struct board_head head;
	struct board_tile tiles[BOARD_TILES_MAX];
	size_t tile_count;
	int64_t released, late, contacts_asked, companions_safe, companions_help, keyword_only;
	int64_t in_doubt, was_in_doubt;
	bool filling;
	struct choice *views, *countries, *languages;
	size_t view_count, country_count, language_count;
	struct str view, country, language, query; /* of the list shown */
	struct board_line *lines;
	size_t line_count;
	int64_t number, first;  /* page, and number of its first line */
	bool more;
	bool hidden;            /* some addresses on the page are not shown */
	enum msg title;
};

/* --- one person --- */
struct board_message_line { enum msg channel, state; bool was_in_doubt; int64_t at; };
struct board_answer_line { enum msg by, status; struct str note, place; int64_t at; const char *css; };
struct board_history_line {
	int64_t id, at;
	enum msg what;
	struct str officer, text, person_id, person_name;
	bool undone, can_undo;
};
struct board_stay_line { struct str place, country; int64_t from, to; };

struct board_person_view {
	struct board_head head;
	struct board_line line;
	struct str conflict;    /* who stands in the way, or STR_NONE */
	bool can_take_over;
	struct contact *contacts;
	size_t contact_count;
	bool has_emergency;
	struct str emergency_name, emergency_relation, emergency_email, emergency_phone;
	struct board_answer_line *answers;
	size_t answer_count;
	struct companion *companions;
	size_t companion_count;
	int64_t unnamed;
	struct board_stay_line *stays;
	size_t stay_count;
	struct board_message_line *messages;
	size_t message_count;
	struct board_message_line asked; /* the question to the emergency contact; at 0: none */
	struct board_history_line *history;
	size_t history_count;
	struct str text;        /* of the note being written */
};

/* --- the call list --- */
struct call_lock_line { struct str id, name, owner; int64_t until; };
struct calls_view {
	struct board_head head;
	struct str conflict;
	int64_t waiting, tried, reached, wrong; /* reached: and not answered, as 'not their own word' */
	bool calling;
	struct board_line line; /* whom the officer calls now */
	struct contact *contacts;
	size_t contact_count;
	bool has_emergency;
	struct str emergency_name, emergency_relation, emergency_phone;
	int64_t until;
	struct call_lock_line *locks;
	size_t lock_count;
	struct choice *laters;
	size_t later_count;
	struct str note;
	bool nobody;            /* the officer asked for the next one, and there is none */
	/* on paper */
	struct board_line *lines;
	size_t line_count;
	int64_t number, first;
	bool more, hidden, filling;
};

/* --- asking again --- */
struct ask_view {
	struct board_head head;
	struct ask_plan with_repeat; /* the plan with those who have no other channel */
	bool in_force;
	struct str sent_count;  /* how many were asked, or STR_NONE */
};

/* --- the hand-over --- */
struct handover_view {
	struct board_head head;
	struct board_tile tiles[BOARD_TILES_MAX];
	size_t tile_count;
	struct board_line *cases;
	size_t case_count;
	bool more_cases;
	struct call_lock_line *locks;
	size_t lock_count;
	struct board_history_line *history;
	size_t history_count;
	int64_t waiting, open, taken, keyword_only, in_doubt;
	int64_t since;
};

/* --- filling (board.c) --- */
/* Opens the alert of the request: NOT_FOUND for one that was never sent. */
enum rc board_open(struct db_tx *tx, struct request *request, struct board_alert *out, struct err *err);
/* Fills the head; reads the headline. */
enum rc board_head_fill(struct db_tx *tx, struct request *request, const struct board_alert *alert, enum msg title, enum board_tab_kind tab,
                        struct board_head *out, struct err *err);
void board_line_fill(struct request *request, const struct board_person *row, struct board_line *out);
/* The telephones of a line whose addresses are shown. */
enum rc board_line_phones(struct db_tx *tx, struct arena *arena, int64_t person_id, struct board_line *line, struct err *err);
/* The tiles of the sums. */
size_t board_tiles_fill(const struct alert_counters *counters, struct board_tile *tiles);
/* Whether the officer of the request may see the addresses of a row. `shown` are those they asked for. */
bool board_is_shown(const struct request *request, const struct board_person *row, const struct board_contact_shown_list_row *shown,
                    size_t shown_count);
enum rc board_shown_read(struct db_tx *tx, struct request *request, const struct board_alert *alert,
                         struct board_contact_shown_list_row **shown_out, size_t *count_out, struct err *err);
void board_history_fill(struct request *request, const struct board_deed_row *rows, size_t count, struct board_history_line **out);
/* Window of stays that matter. */
struct board_window { int64_t since, until; };
struct board_window board_window_of(const struct board_alert *alert, int64_t now);
/* "NAME has had this since TIME." */
enum rc board_conflict_text(struct db_tx *tx, struct request *request, const struct board_holder *holder, struct str *out, struct err *err);
/* One page of a list: at most BOARD_PAGE rows, *more_out if there are others. */
struct board_filter {
	struct str view, country, language, query; /* "" all */
	int64_t number; /* page, from 1 */
};
void board_filter_read(const struct request *request, struct board_filter *out);
enum rc board_list_read(struct db_tx *tx, struct request *request, const struct board_alert *alert, const struct board_filter *filter,
                        struct board_person **rows_out, size_t *count_out, bool *more_out, struct err *err);
/* Classes and states of a view's name. */
struct board_range {
	const char *view;
	enum msg text;
	int64_t class_least, class_most, released_least, released_most, late_least;
	int64_t case_least, case_most; /* 0: not a list of cases */
};
const struct board_range *board_range_find(struct str view);
/* Rows as lines, with the telephones that may be shown; *hidden_out if some may not. */
enum rc board_lines_fill(struct db_tx *tx, struct request *request, const struct board_alert *alert, const struct board_person *rows, size_t count,
                         struct board_line **lines_out, bool *hidden_out, struct err *err);
/* "/desk/alert/ID/WHAT". */
struct str board_path(struct arena *arena, struct str id, const char *what);

/* Handlers. */
void board_get(struct request *request, struct response *response);
void board_events_get(struct request *request, struct response *response);
void board_contacts_post(struct request *request, struct response *response);
void board_csv_get(struct request *request, struct response *response);
void board_person_get(struct request *request, struct response *response);
void board_person_post(struct request *request, struct response *response);
void calls_get(struct request *request, struct response *response);
void calls_post(struct request *request, struct response *response);
void call_post(struct request *request, struct response *response);
void ask_get(struct request *request, struct response *response);
void ask_post(struct request *request, struct response *response);
void handover_get(struct request *request, struct response *response);

#endif
