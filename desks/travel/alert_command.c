/* Alerts from files, for scripts: the same rules as the form, because it is the form that is filled. */
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "desks/travel/alert.h"
#include "desks/travel/travel.h"

#include "travel_sql.h"

#define OPERATOR (-1) /* officer of what a command did */

/* --- reading ------------------------------------------------------------------------------------------------------ */

static struct str member(struct arena *arena, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value))
		return str_copy(arena, (struct str){ json_string_value(value), json_string_length(value) });
	if (json_is_integer(value))
		return str_format(arena, "%lld", (long long)json_integer_value(value));
	if (json_is_real(value))
		return str_format(arena, "%.9g", json_real_value(value));
	return S("");
}

/* CAP's word as the form's number; the text itself if it is no such word, which the form then refuses. */
static struct str term(struct arena *arena, const json_t *object, const char *name, const char *const *words,
                       size_t count, struct str initial)
{
	const struct str text = member(arena, object, name);

	for (size_t i = 1; i < count; i++)
		if (str_equal_nocase(text, str_from(words[i])))
			return str_format(arena, "%zu", i);
	return text.len ? text : initial;
}

static void read_texts(struct arena *arena, const json_t *root, const char *name,
                       struct text_form texts[LANGUAGE_COUNT])
{
	const json_t *all = json_object_get(root, name);

	for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
		const json_t *one = json_object_get(all, languages[i].tag);
		texts[i] = (struct text_form){ member(arena, one, "headline"), member(arena, one, "description"),
			                       member(arena, one, "instruction"), member(arena, one, "sms") };
	}
}

static bool holds(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text && strcasecmp(text, word) == 0)
			return true;
	}
	return false;
}

static void read_area(struct arena *arena, const json_t *root, struct alert_form *form)
{
	const json_t *countries = json_object_get(root, "countries"), *circles = json_object_get(root, "circles"),
		     *area = json_object_get(root, "area");
	struct buf buf;

	buf_init(&buf);
	for (size_t i = 0; i < json_array_size(countries); i++) {
		const char *text = json_string_value(json_array_get(countries, i));
		buf_add_str(&buf, str_from(text ? text : "?"));
		buf_add_char(&buf, ';');
	}
	form->countries = str_copy(arena, buf_str(&buf));
	buf_release(&buf);
	form->circle_rows = json_array_size(circles) < ALERT_CIRCLES_MAX ? json_array_size(circles) : ALERT_CIRCLES_MAX;
	for (size_t i = 0; i < form->circle_rows; i++) {
		const json_t *circle = json_array_get(circles, i);
		struct str place = member(arena, circle, "place");
		if (!place.len)
			place = str_format(arena, "%.*s, %.*s", STR_ARG(member(arena, circle, "lat")),
			                   STR_ARG(member(arena, circle, "lon")));
		form->circles[i] = (struct circle_form){
			.place = place, .km = member(arena, circle, "km"), .choice = S(""), .choice_for = S("")
		};
	}
	form->polygon = S("");
	if (json_is_string(area)) {
		form->polygon = member(arena, root, "area");
	} else if (area) {
		char *text = json_dumps(area, JSON_COMPACT);
		form->polygon = str_copy(arena, str_from(text));
		free(text);
	}
}

static void read_form(struct arena *arena, const json_t *root, int64_t now, struct alert_form *form)
{
	static const char *const kinds[] = {
		"", "security", "weather", "health", "demonstration", "disaster", "message"
	};
	static const char *const severities[] = { "", "Extreme", "Severe", "Moderate", "Minor", "Unknown" };
	static const char *const urgencies[] = { "", "Immediate", "Expected", "Future", "Past", "Unknown" };
	static const char *const certainties[] = { "", "Observed", "Likely", "Possible", "Unlikely", "Unknown" };
	const json_t *channels = json_object_get(root, "channels"), *hours = json_object_get(root, "hours");
	const struct str zone = member(arena, root, "zone"), language = member(arena, root, "language"),
			 description = member(arena, root, "area_description");

	alert_form_init(form, arena, LANGUAGE_EN, zone.len ? zone : S("UTC"), now);
	if (zone.len)
		form->zone = zone;
	form->kind = term(arena, root, "kind", kinds, COUNT_OF(kinds), form->kind);
	form->severity = term(arena, root, "severity", severities, COUNT_OF(severities), form->severity);
	form->urgency = term(arena, root, "urgency", urgencies, COUNT_OF(urgencies), form->urgency);
	form->certainty = term(arena, root, "certainty", certainties, COUNT_OF(certainties), form->certainty);
	if (language.len)
		form->language = language;
	form->area_description = description;
	form->exercise = json_is_true(json_object_get(root, "exercise")) ? S("yes") : S("");
	if (channels) {
		form->mail = holds(channels, "mail");
		form->sms = holds(channels, "sms");
		form->push = holds(channels, "push");
	}
	if (json_object_get(root, "possible"))
		form->include_possible = json_is_true(json_object_get(root, "possible"));
	form->sms_at_night = json_is_true(json_object_get(root, "night"));
	form->ladder = member(arena, root, "ladder");
	read_area(arena, root, form);
	read_texts(arena, root, "texts", form->texts[0]);
	read_texts(arena, root, "changed", form->texts[1]);
	read_texts(arena, root, "released", form->texts[2]);
	if (json_is_number(hours))
		form->expires_date = form->expires_time = S("");
}

/* Exact times, which the form has no seconds for. */
static enum rc read_times(const json_t *root, struct arena *arena, int64_t now, struct alert_version *version,
                          struct err *err)
{
	static const struct {
		const char *name;
		size_t offset;
	} times[] = { { "effective", offsetof(struct alert_version, effective) },
		      { "onset", offsetof(struct alert_version, onset) },
		      { "expires", offsetof(struct alert_version, expires) } };
	const json_t *hours = json_object_get(root, "hours");

	if (json_is_number(hours))
		version->expires = now + (int64_t)(json_number_value(hours) * (double)CLOCK_HOUR);
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		const struct str text = member(arena, root, times[i].name);
		int64_t *at = (int64_t *)(void *)((char *)version + times[i].offset);
		if (text.len && !clock_parse(text, at))
			err_field(err, str_from(times[i].name), MSG_alert_rule_time, STR_NONE, STR_NONE);
	}
	if (!err->field_count && version->expires <= now)
		err_field(err, S("expires"), MSG_alert_rule_expired, STR_NONE, STR_NONE);
	return err->field_count ? INVALID : OK;
}

static enum rc read_json(struct str text, json_t **out, struct err *err)
{
	json_error_t problem;
	json_t *root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &problem);

	if (json_is_object(root)) {
		*out = root;
		return OK;
	}
	json_decref(root);
	return err_set(err, INVALID, "line %d: %s", problem.line, root ? "an object is wanted" : problem.text);
}

/* Checks a file against the form's rules. `base` as alert_form_check takes it. */
static enum rc read_version(struct house *house, struct arena *arena, const json_t *root, enum alert_type type,
                            const struct alert_version *base, int64_t now, enum alert_kind *kind, bool *exercise,
                            struct alert_version *out, struct err *err)
{
	struct alert_form *form = ARENA_NEW(arena, struct alert_form);

	read_form(arena, root, now, form);
	form->type = type;
	if (base && !json_object_get(root, "ladder"))
		form->ladder = base->ladder_name;
	/* The form wants a time within its bounds; the exact one follows. */
	if (!form->expires_date.len) {
		struct alert_form *initial = ARENA_NEW(arena, struct alert_form);
		alert_form_init(initial, arena, LANGUAGE_EN, form->zone, now);
		form->expires_date = initial->expires_date;
		form->expires_time = initial->expires_time;
	}
	enum rc rc = alert_form_check(house, arena, LANGUAGE_EN, now, form, base, kind, out, err);
	if (rc == OK)
		rc = read_times(root, arena, now, out, err);
	*exercise = str_equal(form->exercise, S("yes"));
	return rc;
}

/* --- create ------------------------------------------------------------------------------------------------------- */

struct command_work {
	struct arena *arena;
	enum alert_kind kind;
	bool exercise, has_file;
	struct alert_version version, base;
	struct alert alert;
	struct str public_id;
	enum alert_type type;
	int64_t version_id, now;
	struct message_counts messages;
	struct alert_counters people;
};

static enum rc create_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct command_work *work = context;

	return alert_add(tx, work->arena, work->kind, work->exercise, &work->version, STR_NONE, OPERATOR, work->now,
	                 &work->alert, err);
}

enum rc alert_create_json(struct house *house, struct arena *arena, struct str json, int64_t now,
                          struct str *public_id_out, struct err *err)
{
	struct command_work work = { .arena = arena, .now = now };
	json_t *root;

	enum rc rc = read_json(json, &root, err);
	if (rc != OK)
		return rc;
	rc = read_version(house, arena, root, ALERT_NEW, NULL, now, &work.kind, &work.exercise, &work.version, err);
	json_decref(root);
	if (rc == OK)
		rc = db_write(house->db, DB_LANE_PERSON, create_in_store, &work, err);
	if (rc == OK)
		*public_id_out = work.alert.public_id;
	return rc;
}

/* --- the next version
 * --------------------------------------------------------------------------------------------- */

static enum rc begin_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct command_work *work = context;

	enum rc rc = alert_find_public(tx, work->arena, work->public_id, &work->alert, err);
	if (rc == OK)
		rc = draft_begin(tx, work->arena, &work->alert, work->type, OPERATOR, work->now, &work->version_id,
		                 err);
	if (rc == OK)
		rc = version_find(tx, work->arena, work->version_id, &work->base, err);
	if (rc == OK)
		rc = alert_find(tx, work->arena, work->alert.id, &work->alert, err);
	return rc;
}

static enum rc change_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct command_work *work = context;

	return draft_change(tx, work->arena, &work->alert, work->alert.kind, &work->version, work->base.changed_at,
	                    OPERATOR, work->now, err);
}

enum rc alert_next_json(struct house *house, struct arena *arena, struct str public_id, struct str type,
                        struct str json, int64_t now, struct err *err)
{
	static const char *const types[] = { "", "", "update", "cancel", "clear" };
	struct command_work work = { .arena = arena, .public_id = public_id, .now = now };
	json_t *root = NULL;

	for (size_t i = ALERT_UPDATE; i < COUNT_OF(types); i++)
		if (str_equal(type, str_from(types[i])))
			work.type = (enum alert_type)i;
	if (!work.type)
		return err_set(err, INVALID, "the next version is an update, a cancel or a clear");
	enum rc rc = str_is_none(json) ? OK : read_json(json, &root, err);
	if (rc == OK)
		rc = db_write(house->db, DB_LANE_PERSON, begin_in_store, &work, err);
	if (rc == OK && root) {
		rc = read_version(house, arena, root, work.type, &work.base, now, &work.kind, &work.exercise,
		                  &work.version, err);
		if (rc == OK)
			rc = db_write(house->db, DB_LANE_PERSON, change_in_store, &work, err);
	}
	json_decref(root);
	return rc;
}

/* --- send and show
 * ------------------------------------------------------------------------------------------------ */

enum rc alert_send_command(struct house *house, struct arena *arena, struct str public_id, int64_t now,
                           int64_t *people_out, struct err *err)
{
	const struct alert_sending sending = { .form_key = rand_id(arena), .officer_id = OPERATOR, .expected = -1 };

	return alert_send(house, arena, public_id, &sending, now, people_out, err);
}

static enum rc show_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct command_work *work = context;

	enum rc rc = alert_find_public(tx, work->arena, work->public_id, &work->alert, err);
	if (rc == OK)
		rc = alert_counters_find(tx, work->alert.id, &work->people, err);
	return rc == OK ? message_count_event(tx, NOTICE_ALERT, work->alert.id, &work->messages, err) : rc;
}

enum rc alert_show_json(struct house *house, struct arena *arena, struct str public_id, struct str *json_out,
                        struct err *err)
{
	static const char *const states[] = {
		"planned", "queued",   "leased",  "submitted",  "accepted", "delivered",
		"failed",  "in_doubt", "expired", "superseded", "not_sent", "was_in_doubt"
	};
	static const char *const channels[CHANNEL_KIND_COUNT] = { "none", "mail", "sms", "push" };
	static const char *const alert_states[] = { "", "draft", "in_force", "ended" };
	struct command_work work = { .arena = arena, .public_id = public_id };
	struct buf buf;

	_Static_assert(COUNT_OF(states) == MESSAGE_STATE_COUNT + 1, "every state of a message has a name");
	enum rc rc = db_read(house->db, show_in_store, &work, err);
	if (rc != OK)
		return rc;
	const int64_t *of = work.people.of;
	buf_init(&buf);
	buf_format(&buf,
	           "{\"id\":\"%.*s\",\"number\":%lld,\"state\":\"%s\",\"exercise\":%s,\"people\":{\"targeted\":%lld,"
	           "\"safe\":%lld,\"help\":%lld,"
	           "\"silent\":%lld,\"unreachable\":%lld,\"released\":%lld,\"late\":%lld,\"contacts_asked\":%lld},\"messages\":{",
	           STR_ARG(work.alert.public_id), (long long)work.alert.number, alert_states[work.alert.state],
	           work.alert.exercise ? "true" : "false", (long long)of[COUNTER_TARGETED], (long long)of[COUNTER_SAFE],
	           (long long)of[COUNTER_HELP], (long long)of[COUNTER_SILENT], (long long)of[COUNTER_UNREACHABLE],
	           (long long)(of[COUNTER_RELEASED + COUNTER_SAFE] + of[COUNTER_RELEASED + COUNTER_HELP] +
	                       of[COUNTER_RELEASED + COUNTER_SILENT] + of[COUNTER_RELEASED + COUNTER_UNREACHABLE]),
	           (long long)of[COUNTER_LATE], (long long)of[COUNTER_CONTACTS]);
	for (size_t i = CHANNEL_NONE + 1; i < CHANNEL_KIND_COUNT; i++) {
		buf_format(&buf, "%s\"%s\":{", i > CHANNEL_NONE + 1 ? "," : "", channels[i]);
		for (size_t j = 0; j <= MESSAGE_STATE_COUNT; j++)
			buf_format(&buf, "%s\"%s\":%lld", j ? "," : "", states[j], (long long)work.messages.of[i][j]);
		buf_add_char(&buf, '}');
	}
	buf_add_str(&buf, S("}}"));
	*json_out = str_copy(arena, buf_str(&buf));
	buf_release(&buf);
	return OK;
}
