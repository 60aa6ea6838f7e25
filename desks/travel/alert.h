/* Alerts: what officers write, whom it reaches, what is sent, and what becomes of it. Private to the room.
 *
 * An alert is one event through all its versions (CAP 1.2: Alert, Update, Cancel; the all-clear is an Update with
 * responseType
 * AllClear). A version that was sent is never edited: the next one refers to it. */
#ifndef CHANCERY_DESKS_TRAVEL_ALERT_H
#define CHANCERY_DESKS_TRAVEL_ALERT_H

#include "core/audience/audience.h"
#include "core/messages/messages.h"
#include "core/places/places.h"
#include "desks/travel/alert_ladder.h"
#include "desks/travel/travel.h"
#include "kernel/html/html.h"
#include "kernel/http/http.h"
#include "kernel/text/sms.h"
#include "kernel/zone/zone.h"

/* Limits, in characters. */
#define ALERT_HEADLINE_MAX 160
#define ALERT_DESCRIPTION_MAX 10000
#define ALERT_INSTRUCTION_MAX 5000
#define ALERT_SMS_MAX 1000
#define ALERT_DESCRIPTION_OF_AREA_MAX 500
#define ALERT_COUNTRIES_MAX 60
#define ALERT_CIRCLES_MAX 20
#define ALERT_CIRCLES_SPARE 2 /* empty rows of a form */
#define ALERT_RADIUS_MAX_KM 5000
#define ALERT_DAYS_MAX 366     /* an alert expires within a year */
#define ALERT_NUMBER_MAX 65535 /* it stands in the answer links */
#define ALERT_NIGHT_BEGINS 22  /* local hours */
#define ALERT_MORNING 7
#define ALERT_CANCEL_LIFE CLOCK_DAY /* a cancel or all-clear is tried at least so long */

enum alert_kind {
	ALERT_SECURITY = 1,
	ALERT_WEATHER,
	ALERT_HEALTH,
	ALERT_DEMONSTRATION,
	ALERT_DISASTER,
	ALERT_MESSAGE,
	ALERT_KIND_COUNT
};
enum alert_state { ALERT_DRAFT = 1, ALERT_IN_FORCE, ALERT_ENDED };
enum alert_type { ALERT_NEW = 1, ALERT_UPDATE, ALERT_CANCEL, ALERT_CLEAR, ALERT_TYPE_COUNT };
enum alert_severity {
	SEVERITY_EXTREME = 1,
	SEVERITY_SEVERE,
	SEVERITY_MODERATE,
	SEVERITY_MINOR,
	SEVERITY_UNKNOWN,
	SEVERITY_COUNT
};
enum alert_urgency {
	URGENCY_IMMEDIATE = 1,
	URGENCY_EXPECTED,
	URGENCY_FUTURE,
	URGENCY_PAST,
	URGENCY_UNKNOWN,
	URGENCY_COUNT
};
enum alert_certainty {
	CERTAINTY_OBSERVED = 1,
	CERTAINTY_LIKELY,
	CERTAINTY_POSSIBLE,
	CERTAINTY_UNLIKELY,
	CERTAINTY_UNKNOWN,
	CERTAINTY_COUNT
};
enum version_state { VERSION_DRAFT = 1, VERSION_SENT, VERSION_SUPERSEDED };

/* What a person is told: text_group of blocks and messages. Texts are written for the first three. */
enum alert_group {
	GROUP_NONE = 0,
	GROUP_NEW = 1,          /* never told, or told that it was over for them */
	GROUP_CHANGED = 2,      /* told an earlier version, still inside */
	GROUP_RELEASED = 3,     /* told, and no longer inside; everyone of a cancel or all-clear */
	GROUP_REMINDER = 4,     /* the board asks again */
	GROUP_NEW_POSSIBLE = 5, /* as 1 and 2, of those whose match is only possible: 'if you are near' */
	GROUP_CHANGED_POSSIBLE = 6,
	GROUP_COUNT,
};
#define GROUP_TEXTS 3 /* groups with texts of their own: 1, 2, 3 */

/* Classes of alert_counter. The released part of a class stands at class + COUNTER_RELEASED and is counted in the
 * class too. */
enum alert_counter {
	COUNTER_TARGETED = 0,
	COUNTER_SAFE = 1,
	COUNTER_HELP = 2,
	COUNTER_SILENT = 3, /* no answer yet */
	COUNTER_UNREACHABLE = 4,
	COUNTER_RELEASED = 10,
	COUNTER_LATE = 20,
	COUNTER_COMPANIONS_SAFE = 21,
	COUNTER_COMPANIONS_HELP = 22,
	COUNTER_CONTACTS = 23, /* emergency contacts asked */
	COUNTER_COUNT = 24,
};

struct alert_text {
	int64_t group; /* 1..3 */
	enum language language;
	struct str headline, description, instruction, sms; /* sms empty: headline and instruction */
};

struct alert {
	int64_t id;
	struct str public_id;
	int64_t number;
	enum alert_kind kind;
	bool exercise;
	enum alert_state state;
	int64_t version_id, draft_id; /* DB_NULL: none */
	int64_t created_by, created_at, ended_at;
};

struct alert_version {
	int64_t id, alert_id, number;
	enum alert_type type;
	enum alert_severity severity;
	enum alert_urgency urgency;
	enum alert_certainty certainty;
	int64_t effective, onset, expires; /* UTC microseconds; effective 0: at sending, onset 0: as effective */
	struct str area_text;              /* as geo_write_area writes it */
	struct geo_area area;
	struct str area_description;       /* as an officer wrote it; empty: from the parts */
	unsigned channels; /* CHANNEL_BITs */
	bool include_possible, sms_at_night;
	struct str zone;        /* the officer's times */
	enum language language; /* for those whose own has no text */
	struct str ladder_name; /* empty: all ways at once */
	struct ladder ladder;
	enum version_state state;
	int64_t notice_id; /* DB_NULL: not sent */
	int64_t targeted;
	int64_t changed_by, changed_at, sent_by, sent_at; /* sent_*: DB_NULL */
	struct alert_text *texts;                         /* by group, then language as in the store */
	size_t text_count;
};

/* --- in the store (alert_store.c)
 * --------------------------------------------------------------------------------- */
enum rc alert_find(struct db_tx *tx, struct arena *arena, int64_t alert_id, struct alert *out, struct err *err);
enum rc alert_find_public(struct db_tx *tx, struct arena *arena, struct str public_id, struct alert *out,
                          struct err *err);
enum rc alert_find_number(struct db_tx *tx, struct arena *arena, int64_t number, struct alert *out, struct err *err);
enum rc alert_find_form(struct db_tx *tx, struct arena *arena, struct str form_key, struct alert *out, struct err *err);
/* With texts and area. */
enum rc version_find(struct db_tx *tx, struct arena *arena, int64_t version_id, struct alert_version *out,
                     struct err *err);
/* A row without texts and area. */
struct version_row;
enum rc version_of_row(const struct version_row *row, struct alert_version *out, struct err *err);
/* All versions, newest first; without texts and areas. */
enum rc version_list(struct db_tx *tx, struct arena *arena, int64_t alert_id, struct alert_version **list_out,
                     size_t *count_out, struct err *err);
/* Makes an alert with its first draft from `version`; `form_key` STR_NONE or one not used yet. */
enum rc alert_add(struct db_tx *tx, struct arena *arena, enum alert_kind kind, bool exercise,
                  const struct alert_version *version, struct str form_key, int64_t officer_id, int64_t now,
                  struct alert *out, struct err *err);
/* Writes a draft whose row is still as `seen` (changed_at) says; CONFLICT if somebody else was faster or it was
 * sent. */
enum rc draft_change(struct db_tx *tx, struct arena *arena, const struct alert *alert, enum alert_kind kind,
                     const struct alert_version *version, int64_t seen, int64_t officer_id, int64_t now,
                     struct err *err);
/* The next version of an alert in force, as a copy of the newest to be changed. An open draft of the same type is
 * found again (OK);
 * CONFLICT if there is one of another type, or the alert is not in force. */
enum rc draft_begin(struct db_tx *tx, struct arena *arena, const struct alert *alert, enum alert_type type,
                    int64_t officer_id, int64_t now, int64_t *version_id_out, struct err *err);
/* Throws a draft away; an alert that was never sent ends with it. */
enum rc draft_discard(struct db_tx *tx, const struct alert *alert, int64_t officer_id, int64_t now, struct err *err);
/* The text of a group (1..3) in a language, or NULL. */
const struct alert_text *version_text(const struct alert_version *version, enum alert_group group,
                                      enum language language);
/* The headline in a language, or in the version's own, or in any. */
struct str version_headline(const struct alert_version *version, enum language language);

struct alert_counters {
	int64_t of[COUNTER_COUNT];
};
enum rc alert_counters_find(struct db_tx *tx, int64_t alert_id, struct alert_counters *out, struct err *err);
/* Adds (negative: takes away); zeros write nothing. */
enum rc alert_counters_add(struct db_tx *tx, int64_t alert_id, const struct alert_counters *change, struct err *err);

/* --- words (alert_words.c)
 * ---------------------------------------------------------------------------------------- */
enum msg kind_message(enum alert_kind kind);
enum msg severity_message(enum alert_severity severity);
enum msg urgency_message(enum alert_urgency urgency);
enum msg certainty_message(enum alert_certainty certainty);
enum msg type_message(enum alert_type type);
/* CSS class: "extreme", "severe", "moderate", "minor". */
const char *severity_class(enum alert_severity severity);
static inline bool severity_is_low(enum alert_severity severity)
{
	return severity >= SEVERITY_MODERATE;
}
enum message_lane severity_lane(enum alert_severity severity);
/* What a geo finding says to an officer: message and arguments as a field error. */
struct str finding_text(struct arena *arena, enum language language, const struct geo_finding *finding);
/* "Tunisia", "30 km around Sfax", "marked area of 1,200 km²": the parts of an area, in a language. */
struct str *area_words(struct places *places, struct arena *arena, enum language language, const struct geo_area *area,
                       size_t *count_out);
struct str area_description_of(struct places *places, struct arena *arena, enum language language,
                               const struct geo_area *area);
/* The area in words: the officer's, else those of its parts in a language. */
struct str version_area(struct places *places, struct arena *arena, enum language language,
                        const struct alert_version *version);

/* --- the form (alert_form.c)
 * -------------------------------------------------------------------------------------- */
struct circle_form {
	struct str place, km, choice, choice_for;
	struct choice *choices;
	size_t choice_count;
};
struct text_form {
	struct str headline, description, instruction, sms;
};
/* As typed. */
struct alert_form {
	enum alert_type type;
	struct str kind, severity, urgency, certainty, zone, language, exercise;
	struct str effective_date, effective_time, onset_date, onset_time, expires_date, expires_time;
	struct str countries, polygon, area_description;
	struct circle_form circles[ALERT_CIRCLES_MAX];
	size_t circle_rows;
	bool mail, sms, push, include_possible, sms_at_night;
	struct str ladder; /* a template's name; empty: all ways at once */
	struct text_form texts[GROUP_TEXTS][LANGUAGE_COUNT];
	struct geo_report report; /* what the polygon's reading had to say */
	struct str map;           /* SVG of what was pasted, when it was refused or warned about; else STR_NONE */
};
/* A new alert's form with its defaults. */
void alert_form_init(struct alert_form *form, struct arena *arena, enum language language, struct str zone,
                     int64_t now);
void alert_form_request(struct alert_form *form, const struct request *request, enum alert_type type);
void alert_form_fill(struct alert_form *form, struct house *house, struct arena *arena, enum language language,
                     const struct alert *alert, const struct alert_version *version);
/* Checks all of it; INVALID with errors by field. `base` is the stored draft (NULL: none yet); a cancel or
 * all-clear takes from it what its
 * form does not show. On success *out has everything but the ids and states. */
enum rc alert_form_check(struct house *house, struct arena *arena, enum language language, int64_t now,
                         struct alert_form *form, const struct alert_version *base, enum alert_kind *kind_out,
                         struct alert_version *out, struct err *err);
/* Local time at a zone from a day and "HH:MM" (hours alone will do). */
bool local_time(struct arena *arena, struct str zone, int64_t day, struct str time, int64_t *out);

/* --- whom it reaches (alert_audience.c)
 * --------------------------------------------------------------------------- */
/* One person inside the area and window. */
struct alert_hit {
	int64_t person_id;
	int64_t leg_id;                         /* why; negative: a watch */
	int64_t not_before[CHANNEL_KIND_COUNT]; /* 0 at once */
	int64_t first;                          /* the first rung's time, 0 at once */
	int64_t first_sms;                      /* an SMS's if that is the first rung */
	uint32_t order;                         /* their own order of channels (alert_ladder.h), if the ladder asks for it */
	uint16_t country;                       /* of the stay; 0: a watch or unknown */
	uint8_t channels;                       /* usable and ticked */
	uint8_t language;
	bool certain;
	bool later;  /* arrives later */
	bool asleep; /* it is night there now */
	bool waits;  /* their SMS waits for morning */
};
struct alert_audience {
	struct alert_hit *hits; /* ascending by person */
	size_t count;
};
/* Asks the index. Not within a transaction. */
enum rc alert_match(struct house *house, struct arena *arena, const struct alert_version *version, int64_t now,
                    struct alert_audience *out, struct err *err);
/* When a hit of `match` is told, by channel, along the ladder; its channels and order are set. `zone` may be NULL. */
void hit_times(const struct alert_version *version, const struct leg_match *match, const struct zone *zone, int64_t now,
               struct alert_hit *hit);

/* --- the algebra of versions (alert_set.c)
 * ------------------------------------------------------------------------ */
/* What a person is to the alert before a version is sent. */
struct alert_standing {
	bool targeted; /* by any version, or late */
	bool told;     /* some message was handed over and did not fail */
	bool released;
	bool late;     /* came in after a version was sent */
	uint8_t class; /* 1..4; 3 without a row */
	uint8_t told_channels;
	/* Set by alert_standings_reached alone, 0 unknown: */
	uint8_t answered_by; /* the channel they answered by */
	uint8_t reached_by;  /* the last they had been handed a message by when they answered */
};
struct alert_step {
	enum alert_group group; /* GROUP_NONE: no text */
	bool joins;             /* becomes targeted */
	bool releases, readmits;
	uint8_t class;    /* afterwards */
	uint8_t channels; /* by which the text goes */
};
/* The rules of who gets what. `channels`: of a person inside, those usable and ticked; `ticked`: the version's. */
struct alert_step alert_step(enum alert_type type, bool inside, bool certain, uint8_t channels, uint8_t ticked,
                             struct alert_standing before);

/* How the counters move when a person takes the step. */
void alert_count_change(struct alert_counters *change, struct alert_standing before, const struct alert_step *step);

/* Everybody's standing, by person id. In an arena. */
struct alert_standings {
	struct alert_standing *of; /* [0 .. size) */
	size_t size;
	int64_t targeted;
};
enum rc alert_standings_load(struct db_tx *tx, struct arena *arena, int64_t alert_id, struct alert_standings *out,
                             struct err *err);
/* Adds by which ways those who answered were reached. */
enum rc alert_standings_reached(struct db_tx *tx, int64_t alert_id, struct alert_standings *standings, struct err *err);
enum rc alert_standing_find(struct db_tx *tx, struct arena *arena, int64_t alert_id, int64_t person_id,
                            struct alert_standing *out, struct err *err);

/* --- the plan of a version (alert_plan.c)
 * ------------------------------------------------------------------------- */
#define ALERT_RUNGS_SHOWN 12
struct alert_tally {
	int64_t people;      /* who get this group's text, reachable or not */
	int64_t unreachable; /* of them: no channel */
	int64_t by_channel[CHANNEL_KIND_COUNT];
};
struct alert_plan {
	struct notice_person *people; /* for notice_freeze */
	size_t count;
	struct recipient_put_args *rows; /* rows of recipient to write (travel_sql.h) */
	size_t row_count;
	struct alert_counters change;
	struct alert_tally groups[GROUP_TEXTS + 1];   /* by text: [1] new [2] changed [3] released */
	int64_t inside, certain, possible;            /* people inside, after include_possible */
	int64_t channels[CHANNEL_KIND_COUNT];         /* messages by channel; [0]: nobody reachable */
	int64_t later, asleep, quiet_wait;            /* arrive later; night there now; SMS that wait for morning */
	struct alert_rung {
		int64_t minutes; /* after the first way */
		enum channel_kind channel;
		int64_t people;  /* at most: who answers before is not told again */
	} rungs[ALERT_RUNGS_SHOWN]; /* with a ladder: by time */
	size_t rung_count;
	int64_t rungs_never; /* messages whose turn comes after the alert has ended */
	int64_t contacts;    /* emergency contacts that may be asked, with a ladder that ends with them */
	int64_t reached;     /* of an update: who answered hear it by the way that reached them alone */
	int64_t quiet_never;                          /* of those SMS: the alert ends before that morning */
	int64_t released_silently, told_nothing;      /* no longer inside and never told; of a cancel: never told */
	int64_t languages[LANGUAGE_COUNT];            /* of those who get a text */
	int64_t sms[GROUP_TEXTS + 1][LANGUAGE_COUNT]; /* SMS by text and language, for the price */
	int64_t countries[GEO_COUNTRIES];             /* of those inside, by stay; [0] watches and the high sea */
};
/* What sending `version` now would do. `standings` is empty for a first version. In the arena. */
void alert_plan_make(struct arena *arena, const struct alert_version *version, const struct alert_audience *audience,
                     const struct alert_standings *standings, int64_t now, struct alert_plan *out);

/* --- sending (alert_send.c)
 * --------------------------------------------------------------------------------------- */
struct alert_sending {
	struct str form_key; /* unique; sending twice with it finds the first */
	int64_t officer_id;
	int64_t expected; /* people on the confirmation page; -1: not compared */
};
/* Sends the alert's draft: one transaction; OK means that it is frozen. CONFLICT with the detail "changed" if the
 * number of people is no
 * longer near `expected`; CONFLICT without if the draft is gone. */
enum rc alert_send(struct house *house, struct arena *arena, struct str public_id, const struct alert_sending *sending,
                   int64_t now, int64_t *people_out, struct err *err);
/* The plan of the draft as it stands, for the review. */
enum rc alert_review(struct house *house, struct arena *arena, const struct alert_version *version, int64_t now,
                     struct alert_plan *out, struct err *err);
/* Alerts whose time is over end; a job. */
void alert_expire(struct house *house);

/* --- who comes in later (alert_late.c)
 * ---------------------------------------------------------------------------- */
/* Alerts in force, in memory. */
enum rc alert_in_force_start(struct house *house, struct err *err);
void alert_in_force_stop(struct house *house);
/* Brings the memory to what the store says; after a send and in between. */
enum rc alert_in_force_refresh(struct house *house, struct err *err);
/* Told of people who changed: late joiners, released, readmitted. Idempotent. */
void alert_people_changed(struct house *house, const int64_t *person_ids, size_t count);
/* notice_desk.due: not when the person's plans no longer lead there, or when they have answered. */
enum message_reason alert_due(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t *not_before);
/* A person's usable ways and their own order of them, and when each would be used now: 0 at once, else the morning there. */
enum rc alert_ways_now(struct db_tx *tx, struct house *house, struct arena *arena, const struct alert_version *version, int64_t person_id,
                       int64_t now, unsigned *channels_out, uint32_t *order_out, int64_t not_before[CHANNEL_KIND_COUNT], struct err *err);
/* Looks at everybody inside the alerts in force, for those whom a stop of the program made us miss; a job. */
void alert_sweep(struct house *house);

/* --- what is said (alert_render.c)
 * -------------------------------------------------------------------------------- */
/* One person's text. `answer_url` and `manage_url` STR_NONE: left out. */
struct alert_rendering {
	const struct alert *alert;
	const struct alert_version *version;
	enum alert_group group;
	enum language wanted;
	struct str answer_url, manage_url;
	struct str answer_path; /* the same without our address, for web push */
	struct str area; /* in words, in the language wanted */
	int64_t now;
};
void alert_render_sms(struct arena *arena, const struct alert_rendering *rendering, struct message_draft *out);
/* The notification of a browser: the headline, the rest as its text, and two buttons where an answer is wanted. */
void alert_render_push(struct arena *arena, const struct alert_rendering *rendering, struct message_draft *out);
void alert_render_mail(struct house *house, struct arena *arena, const struct alert_rendering *rendering,
                       struct message_draft *out);
/* The words of a group in a language after all fallbacks; `fell_back`: not in the language wanted. */
struct alert_text alert_words(struct arena *arena, const struct alert_version *version, enum alert_group group,
                              enum language wanted, bool *fell_back);
/* "/a/TOKEN": answers for one person and alert. Read by alert_answer_find. */
struct str alert_answer_path(const struct house *house, struct arena *arena, const struct alert *alert,
                             const struct person *person);
/* Whose and of which alert a token is. NOT_FOUND: none of ours, or its person's links were ended. */
enum rc alert_answer_find(struct db_tx *tx, const struct house *house, struct arena *arena, struct str token,
                          struct alert *alert_out, struct person *person_out, struct err *err);
/* For messages_register: render, due, unreachable, progress; `answer` is the board's. */
extern const struct notice_desk alert_notice_desk;
/* Forgets the versions held in memory; at stop. */
void alert_cache_clear(void);

/* --- pages -------------------------------------------------------------------------------------------------------- */
void alerts_get(struct request *request, struct response *response);
void alert_new_get(struct request *request, struct response *response);
void alert_new_post(struct request *request, struct response *response);
void alert_edit_get(struct request *request, struct response *response);
void alert_edit_post(struct request *request, struct response *response);
void alert_discard_post(struct request *request, struct response *response);
void alert_review_get(struct request *request, struct response *response);
void alert_sample_post(struct request *request, struct response *response);
void alert_confirm_get(struct request *request, struct response *response);
void alert_send_post(struct request *request, struct response *response);
void alert_get(struct request *request, struct response *response);
void alert_events_get(struct request *request, struct response *response);
void alert_next_post(struct request *request, struct response *response);
void alert_held_post(struct request *request, struct response *response);
void alert_map_get(struct request *request, struct response *response);
void alert_public_get(struct request *request, struct response *response);
void alert_public_map_get(struct request *request, struct response *response);
void alerts_map_get(struct request *request, struct response *response);

#endif
