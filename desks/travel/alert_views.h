/* What the pages of alerts show. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_ALERT_VIEWS_H
#define CHANCERY_DESKS_TRAVEL_ALERT_VIEWS_H

#include "core/places/map.h"
#include "desks/travel/alert.h"

/* Text as officers write it (Markdown without raw HTML, images and headings of the first two levels), as HTML. */
struct html_markup alert_markup(struct arena *arena, struct str text);

struct mail_view {
	enum language wanted, language; /* the reader's, and that of the officers' words */
	struct str headline, description, instruction, fell_back, area, expires;
	enum msg severity;
	bool exercise, possible, reminder, released;
	struct html_url answer, manage, page;
};

struct alert_item {
	struct str id, headline, area;
	enum msg kind, severity, type;
	const char *severity_class;
	int64_t number, expires, at; /* at: sent, changed or ended */
	bool exercise, has_draft;
	int64_t people;
};
struct alerts_view {
	struct page page;
	struct alert_item *drafts, *in_force, *ended;
	size_t draft_count, in_force_count, ended_count;
};

struct alert_form_view {
	struct page page;
	struct str action, id; /* id empty: a new alert */
	struct alert_form *form;
	bool ends, update, first; /* a cancel or all-clear; an update; not stored yet */
	int64_t seen;
	struct choice kinds[ALERT_KIND_COUNT], severities[SEVERITY_COUNT], urgencies[URGENCY_COUNT],
		certainties[CERTAINTY_COUNT];
	struct choice languages[LANGUAGE_COUNT], channels[CHANNEL_KIND_COUNT - 1], options[2], exercise[1];
	struct choice *ladders; /* the first: all at once */
	size_t ladder_count;
	struct html_markup map; /* of what was refused */
	bool exercise_fixed;    /* this alert is an exercise for good */
	struct str *findings;   /* of the area, in words */
	size_t finding_count;
	struct str standing[GROUP_TEXTS][LANGUAGE_COUNT]; /* what is said where a text is left empty */
};

/* Is a language's texts open on the form? */
bool alert_text_shown(const struct alert_form_view *view, size_t group, size_t language);

struct count_row {
	struct str name;
	int64_t people;
};
struct preview {
	enum language language;
	struct str language_name, note; /* note: fell back */
	struct str sms;
	int64_t parts, characters, units, unit_room;
	bool gsm;
	struct str cost, forced_by;
	bool over_long;
	struct str subject, text;
	struct str push_title, push_text;
};
struct preview_group {
	enum msg title;
	int64_t people, mail, sms, push, nobody;
	struct preview previews[LANGUAGE_COUNT];
	size_t preview_count;
};
struct review_view {
	struct page page;
	struct str id;
	enum alert_type type;
	struct alert_item item;
	bool ends, update;
	struct alert_plan *plan;
	int64_t told;
	struct count_row *languages, *countries;
	size_t language_count, country_count;
	struct preview_group groups[GROUP_TEXTS];
	size_t group_count;
	struct str *warnings;
	size_t warning_count;
	struct str *area;
	size_t area_count;
	struct str map_description;
	struct str effective, onset, expires;
	enum msg urgency, certainty;
	struct str ladder; /* its name and rungs; empty: all at once */
	struct rung_line {
		int64_t minutes, people; /* minutes 0: at once */
		struct str channel;
	} *rungs;
	size_t rung_count;
	bool asks_contacts;
	struct str sms_cost; /* STR_NONE: no price is set */
	struct str sample_mail, sample_sms;
	struct choice sample_languages[LANGUAGE_COUNT];
	bool can_send;
};

struct confirm_send_view {
	struct page page;
	struct str id;
	enum alert_type type;
	struct str headline;
	bool exercise, type_number;
	int64_t told, mail, sms, push, nobody, later, waiting, contacts;
	bool ladder;
	struct str typed;
	struct str cost;
};

struct channel_row {
	enum msg name;
	int64_t planned, queued, submitted, accepted, delivered, failed, expired, superseded, in_doubt, not_sent,
		was_in_doubt;
	int64_t percent;
};
struct version_item {
	int64_t number, people, at;
	enum msg type;
	struct str officer;
	struct str *changes;
	size_t change_count;
	bool is_draft;
};
struct progress_view {
	struct page page;
	struct str id, topic;
	struct alert_item item;
	enum alert_state state;
	bool has_draft;
	struct html_url draft_url;
	struct alert_counters people;
	struct channel_row channels[CHANNEL_KIND_COUNT];
	size_t channel_count;
	int64_t sms_parts;
	struct str cost;
	struct version_item *versions;
	size_t version_count;
	struct str description, instruction;
	struct str *area;
	size_t area_count;
	bool held;
};

struct public_alert_view {
	struct page page;
	struct str id;
	enum alert_type type;
	bool in_force;
	enum msg kind, severity, urgency, certainty;
	const char *severity_class;
	enum language language; /* of the words */
	bool fell_back;
	struct str language_name;
	struct html_markup description, instruction;
	struct str area_description;
	struct str *area;
	size_t area_count;
	int64_t sent_at, onset, expires;
	struct str zone;
	struct str map_description;
};

void feed_get(struct request *request, struct response *response);

/* --- shared by the pages
 * ------------------------------------------------------------------------------------------ */
struct alert_item alert_item_of(struct request *request, const struct alert *alert,
                                const struct alert_version *version);
struct str alert_time_text(struct request *request, int64_t at, struct str zone);
/* What so many SMS parts cost by the setting travel.sms_part_cost; empty if no price is set. */
struct str sms_cost_text(struct request *request, int64_t parts);
enum map_tone severity_tone(enum alert_severity severity);
/* Answers with a map of the shapes. */
void alert_map_respond(struct request *request, struct response *response, const struct map_shape *shapes, size_t count,
                       struct str description);

#endif
