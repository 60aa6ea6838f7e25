#include "desks/travel/alert.h"
#include "kernel/ledger/ledger.h"

#include "travel_sql.h"

static const char *const channel_names[CHANNEL_KIND_COUNT] = { [CHANNEL_NONE] = "own", [CHANNEL_MAIL] = "mail", [CHANNEL_SMS] = "sms",
	                                                      [CHANNEL_PUSH] = "push" };

/* --- as text ------------------------------------------------------------------------------------------------------ */

static bool read_channel(struct str word, enum channel_kind *out)
{
	for (size_t i = 0; i < CHANNEL_KIND_COUNT; i++)
		if (channel_names[i] && str_equal_nocase(word, str_from(channel_names[i]))) {
			*out = (enum channel_kind)i;
			return true;
		}
	return false;
}

static bool read_minutes(struct str text, int32_t out[LADDER_WAITS])
{
	size_t count = 0;

	for (bool more = true; more; count++) {
		struct str one, rest;
		int64_t minutes;
		more = str_cut(text, '/', &one, &rest);
		if (count == LADDER_WAITS || !str_to_int(more ? one : text, &minutes) || minutes < 0 || minutes > LADDER_WAIT_MAX)
			return false;
		out[count] = (int32_t)minutes;
		text = rest;
	}
	for (size_t i = 1; count == 1 && i < LADDER_WAITS; i++)
		out[i] = out[0];
	return count == 1 || count == LADDER_WAITS;
}

static enum rc read_word(struct str word, struct ladder *ladder, struct err *err)
{
	struct ladder_rung rung = { .channel = CHANNEL_NONE };
	struct str name, minutes;

	if (ladder->contact)
		return err_set(err, INVALID, "'contact' comes last");
	if (str_equal_nocase(word, S("contact"))) {
		ladder->contact = true;
		return OK;
	}
	if (!str_cut(word, ':', &name, &minutes) || !read_channel(name, &rung.channel))
		return err_set(err, INVALID, "'%.*s' is no rung: own:MINUTES, mail:MINUTES, sms:MINUTES or contact", STR_ARG(word));
	if (!read_minutes(minutes, rung.minutes))
		return err_set(err, INVALID, "'%.*s' are no minutes: one number, or three with / between them (Extreme, Severe, below), each up to %d",
		               STR_ARG(minutes), LADDER_WAIT_MAX);
	for (size_t i = 0; i < ladder->count; i++)
		if (rung.channel == CHANNEL_NONE || ladder->rungs[i].channel == CHANNEL_NONE || ladder->rungs[i].channel == rung.channel)
			return err_set(err, INVALID, "each way stands once, and 'own' stands for all of them");
	if (ladder->count == LADDER_RUNGS_MAX)
		return err_set(err, INVALID, "more than %d rungs", LADDER_RUNGS_MAX);
	ladder->rungs[ladder->count++] = rung;
	return OK;
}

enum rc ladder_read(struct str text, struct ladder *out, struct err *err)
{
	struct ladder ladder = { .count = 0 };
	enum rc rc = OK;

	if (text.len > LADDER_TEXT_MAX)
		return err_set(err, INVALID, "more than %d bytes", LADDER_TEXT_MAX);
	text = str_trim(text);
	while (rc == OK && text.len) {
		struct str word, rest;
		const bool more = str_cut(text, ' ', &word, &rest);
		rc = read_word(more ? word : text, &ladder, err);
		text = more ? str_trim(rest) : S("");
	}
	if (rc == OK)
		*out = ladder;
	return rc;
}

static void write_minutes(struct buf *buf, const struct ladder_rung *rung)
{
	const bool same = rung->minutes[0] == rung->minutes[1] && rung->minutes[1] == rung->minutes[2];

	for (size_t i = 0; i < (same ? 1 : LADDER_WAITS); i++) {
		if (i)
			buf_add_char(buf, '/');
		buf_add_int(buf, rung->minutes[i]);
	}
}

struct str ladder_write(struct arena *arena, const struct ladder *ladder)
{
	struct buf buf;

	buf_init(&buf);
	for (size_t i = 0; i < ladder->count; i++) {
		if (i)
			buf_add_char(&buf, ' ');
		buf_add_str(&buf, str_from(channel_names[ladder->rungs[i].channel]));
		buf_add_char(&buf, ':');
		write_minutes(&buf, &ladder->rungs[i]);
	}
	if (ladder->contact)
		buf_add_str(&buf, ladder->count ? S(" contact") : S("contact"));
	const struct str text = str_copy(arena, buf_str(&buf));
	buf_release(&buf);
	return text;
}

struct str ladder_channel_words(struct arena *arena, enum language language, enum channel_kind channel)
{
	switch (channel) {
	case CHANNEL_MAIL: return T(arena, language, MSG_ladder_mail);
	case CHANNEL_SMS: return T(arena, language, MSG_ladder_sms);
	case CHANNEL_PUSH: return T(arena, language, MSG_ladder_push);
	default: return T(arena, language, MSG_ladder_own);
	}
}

struct str ladder_words(struct arena *arena, enum language language, const struct ladder *ladder)
{
	struct buf buf, minutes;

	buf_init(&buf);
	buf_init(&minutes);
	for (size_t i = 0; i < ladder->count; i++) {
		buf_clear(&minutes);
		write_minutes(&minutes, &ladder->rungs[i]);
		if (i)
			buf_add_str(&buf, T(arena, language, MSG_ladder_join));
		buf_add_str(&buf, T(arena, language, MSG_ladder_rung,
		                    MSG_S("channel", ladder_channel_words(arena, language, ladder->rungs[i].channel)),
		                    MSG_S("minutes", str_copy(arena, buf_str(&minutes)))));
	}
	if (ladder->contact) {
		if (ladder->count)
			buf_add_str(&buf, T(arena, language, MSG_ladder_join));
		buf_add_str(&buf, T(arena, language, MSG_ladder_contact));
	}
	const struct str text = str_copy(arena, buf_str(&buf));
	buf_release(&minutes);
	buf_release(&buf);
	return text;
}

/* --- one person's way up ------------------------------------------------------------------------------------------ */

#define ORDER_MASK ((1u << LADDER_ORDER_BITS) - 1)

uint32_t ladder_order_add(uint32_t order, enum channel_kind channel)
{
	unsigned shift = 0;

	for (; shift < 32 && order >> shift & ORDER_MASK; shift += LADDER_ORDER_BITS)
		if ((order >> shift & ORDER_MASK) == (unsigned)channel)
			return order;
	return shift < 32 ? order | (uint32_t)channel << shift : order;
}

struct climbing {
	struct ladder_climb *out;
	unsigned left; /* channels without a place */
	int64_t at, wait;
};

static void climb_to(struct climbing *climbing, unsigned channel, int64_t wait)
{
	if (channel == CHANNEL_NONE || channel >= CHANNEL_KIND_COUNT || !(climbing->left & CHANNEL_BIT(channel)))
		return;
	climbing->left &= ~CHANNEL_BIT(channel);
	climbing->out->after[channel] = climbing->at;
	climbing->at += wait;
	climbing->wait = wait;
}

void ladder_climb(const struct ladder *ladder, int64_t severity, unsigned channels, uint32_t order, struct ladder_climb *out)
{
	const size_t column = severity == SEVERITY_EXTREME ? 0 : severity == SEVERITY_SEVERE ? 1 : 2;
	struct climbing climbing = { .out = out, .left = channels };
	int64_t wait = 0;

	for (size_t i = 0; i < CHANNEL_KIND_COUNT; i++)
		out->after[i] = -1;
	for (size_t i = 0; i < ladder->count; i++) {
		wait = ladder->rungs[i].minutes[column] * CLOCK_MINUTE;
		if (ladder->rungs[i].channel != CHANNEL_NONE) {
			climb_to(&climbing, ladder->rungs[i].channel, wait);
			continue;
		}
		for (uint32_t rest = order; rest; rest >>= LADDER_ORDER_BITS)
			climb_to(&climbing, rest & ORDER_MASK, wait);
	}
	/* Ways the ladder does not name come last: nobody is lost for its sake. */
	for (unsigned channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		climb_to(&climbing, channel, wait);
	out->contact_after = ladder->contact ? climbing.at : -1;
	out->last_wait = climbing.wait;
}

enum channel_kind ladder_last(const struct ladder_climb *climb, unsigned channels)
{
	enum channel_kind last = CHANNEL_NONE;

	for (unsigned channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		if (channels & CHANNEL_BIT(channel) && climb->after[channel] >= 0 &&
		    (last == CHANNEL_NONE || climb->after[channel] >= climb->after[last]))
			last = (enum channel_kind)channel;
	return last;
}

/* --- templates ---------------------------------------------------------------------------------------------------- */

enum rc ladder_list(struct db_tx *tx, struct arena *arena, struct ladder_template **list_out, size_t *count_out, struct err *err)
{
	struct ladder_row *rows;
	size_t count;

	enum rc rc = ladder_row_list(tx, arena, &rows, &count, err);
	if (rc != OK)
		return rc;
	struct ladder_template *list = ARENA_NEW_ARRAY(arena, struct ladder_template, count);
	for (size_t i = 0; i < count; i++)
		list[i] = (struct ladder_template){ rows[i].name, rows[i].rungs };
	*list_out = list;
	*count_out = count;
	return OK;
}

enum rc ladder_find(struct db_tx *tx, struct arena *arena, struct str name, struct ladder_template *out, struct err *err)
{
	struct ladder_row row;

	enum rc rc = ladder_row_find(tx, arena, &(struct ladder_row_find_args){ .name = name }, &row, err);
	if (rc == OK)
		*out = (struct ladder_template){ row.name, row.rungs };
	return rc;
}

enum ladder_deed { LADDER_ADD, LADDER_CHANGE, LADDER_REMOVE };

struct ladder_deed_work {
	struct house *house;
	enum ladder_deed deed;
	struct str name, rungs;
	int64_t now;
	void (*each)(void *context, struct str name, struct str rungs);
	void *context;
};

static enum rc name_check(struct str name, struct err *err)
{
	bool good = name.len > 0 && name.len <= 4 * LADDER_NAME_MAX && utf8_length(name) <= LADDER_NAME_MAX;

	for (size_t i = 0; i < name.len; i++)
		good = good && (unsigned char)name.ptr[i] >= ' ' && name.ptr[i] != 0x7f;
	return good ? OK : err_set(err, INVALID, "a name has 1 to %d characters and no line breaks", LADDER_NAME_MAX);
}

static enum rc deed_in_store(struct db_tx *tx, void *context, struct err *err)
{
	static const char *const deeds[] = { "ladder.add", "ladder.change", "ladder.remove" };
	const struct ladder_deed_work *work = context;
	int64_t changed = 0;
	enum rc rc = OK;

	switch (work->deed) {
	case LADDER_ADD:
		rc = ladder_insert(tx, &(struct ladder_insert_args){ .name = work->name, .rungs = work->rungs, .changed_at = work->now }, &changed, err);
		break;
	case LADDER_CHANGE:
		rc = ladder_update(tx, &(struct ladder_update_args){ .name = work->name, .rungs = work->rungs, .changed_at = work->now }, &changed, err);
		break;
	case LADDER_REMOVE:
		rc = ladder_delete(tx, &(struct ladder_delete_args){ .name = work->name }, &changed, err);
		break;
	}
	if (rc == OK && changed != 1)
		return work->deed == LADDER_ADD ? err_set(err, CONFLICT, "there is a ladder of that name")
		                                : err_set(err, NOT_FOUND, "there is no ladder of that name");
	/* The name is free text and may hold anything: the rungs alone stand there. */
	struct arena arena;
	arena_init(&arena);
	if (rc == OK)
		rc = ledger_append(tx, -1, deeds[work->deed], S("ladder"),
		                   work->rungs.len ? str_format(&arena, "{\"rungs\":\"%.*s\"}", STR_ARG(work->rungs)) : STR_NONE, work->now, err);
	arena_release(&arena);
	return rc;
}

static enum rc deed_do(struct house *house, enum ladder_deed deed, struct str name, struct str rungs, int64_t now, struct err *err)
{
	struct ladder_deed_work work = { .house = house, .deed = deed, .name = str_trim(name), .rungs = S(""), .now = now };
	struct ladder ladder;
	struct arena arena;

	enum rc rc = name_check(work.name, err);
	if (rc == OK && deed != LADDER_REMOVE) {
		rc = ladder_read(rungs, &ladder, err);
		if (rc == OK && ladder_is_empty(&ladder))
			rc = err_set(err, INVALID, "a ladder has at least one rung");
	}
	if (rc != OK)
		return rc;
	arena_init(&arena);
	if (deed != LADDER_REMOVE)
		work.rungs = ladder_write(&arena, &ladder);
	rc = db_write(house->db, DB_LANE_PERSON, deed_in_store, &work, err);
	arena_release(&arena);
	return rc;
}

enum rc ladder_add(struct house *house, struct str name, struct str rungs, int64_t now, struct err *err)
{
	return deed_do(house, LADDER_ADD, name, rungs, now, err);
}

enum rc ladder_change(struct house *house, struct str name, struct str rungs, int64_t now, struct err *err)
{
	return deed_do(house, LADDER_CHANGE, name, rungs, now, err);
}

enum rc ladder_remove(struct house *house, struct str name, int64_t now, struct err *err)
{
	return deed_do(house, LADDER_REMOVE, name, STR_NONE, now, err);
}

static enum rc each_in_store(struct db_tx *tx, void *context, struct err *err)
{
	const struct ladder_deed_work *work = context;
	struct ladder_template *list;
	struct arena arena;
	size_t count = 0;

	arena_init(&arena);
	enum rc rc = ladder_list(tx, &arena, &list, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		work->each(work->context, list[i].name, list[i].rungs);
	arena_release(&arena);
	return rc;
}

enum rc ladder_each(struct house *house, void (*each)(void *context, struct str name, struct str rungs), void *context, struct err *err)
{
	struct ladder_deed_work work = { .each = each, .context = context };

	return db_read(house->db, each_in_store, &work, err);
}

/* --- answered? ---------------------------------------------------------------------------------------------------- */

static bool handed_over(int64_t state)
{
	return state == MESSAGE_SUBMITTED || state == MESSAGE_ACCEPTED || state == MESSAGE_DELIVERED || state == MESSAGE_IN_DOUBT;
}

enum rc ladder_is_answered(struct db_tx *tx, struct arena *arena, const struct alert_version *version, int64_t person_id, enum channel_kind channel,
                           int64_t text_group, bool *answered_out, struct err *err)
{
	const struct ladder_answered_find_args find = { .alert_id = version->alert_id, .person_id = person_id };
	const struct alert_told_person_args told = { .event_id = version->alert_id, .person_id = person_id };
	struct ladder_answered_find_row answered;
	struct alert_told_person_row *rows;
	size_t count;

	*answered_out = false;
	if (ladder_is_empty(&version->ladder) || text_group == GROUP_RELEASED)
		return OK;
	enum rc rc = ladder_answered_find(tx, arena, &find, &answered, err);
	if (rc == NOT_FOUND || (rc == OK && (answered.answered_at == DB_NULL || answered.answered_at < version->sent_at)))
		return OK;
	if (rc == OK)
		rc = alert_told_person(tx, arena, &told, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		*answered_out = *answered_out || (rows[i].subject_id == version->id && rows[i].channel != (int64_t)channel &&
		                                  rows[i].text_group != GROUP_RELEASED && handed_over(rows[i].state));
	return rc;
}

/* --- a way is gone ------------------------------------------------------------------------------------------------ */

struct raising {
	struct house *house;
	struct db_tx *tx;
	struct arena *arena;
	const struct notice_turn *turn;
	const struct alert_version *version;
	int64_t now;
};

static enum rc raised(struct raising *raising, enum channel_kind channel, struct err *err)
{
	const struct ladder_raise_put_args args = { .alert_id = raising->turn->event_id,
		                                    .person_id = raising->turn->person_id,
		                                    .notice_id = raising->turn->notice_id,
		                                    .channel = channel,
		                                    .raised_at = raising->now };

	return ladder_raise_put(raising->tx, &args, NULL, err);
}

/* What is planned for the person is brought forward. NOT_FOUND: nothing is. */
static enum rc raise_planned(struct raising *raising, const struct ladder_climb *climb, const int64_t not_before[CHANNEL_KIND_COUNT],
                             struct err *err)
{
	bool tried[CHANNEL_KIND_COUNT] = { false };

	for (;;) {
		enum channel_kind next = CHANNEL_NONE;
		for (unsigned channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
			if (!tried[channel] && climb->after[channel] >= 0 &&
			    (next == CHANNEL_NONE || climb->after[channel] < climb->after[next]))
				next = (enum channel_kind)channel;
		if (next == CHANNEL_NONE)
			return NOT_FOUND;
		tried[next] = true;
		enum rc rc = notice_raise_person(raising->tx, raising->turn->notice_id, raising->turn->person_id, next, not_before[next],
		                                 raising->now, err);
		if (rc != NOT_FOUND)
			return rc == OK ? raised(raising, next, err) : rc;
	}
}

/* Who had answered was to hear by one way alone; now by the next they have. */
static enum rc raise_unplanned(struct raising *raising, struct ladder_climb *climb, const int64_t not_before[CHANNEL_KIND_COUNT], struct err *err)
{
	const struct alert_told_person_args args = { .event_id = raising->turn->event_id, .person_id = raising->turn->person_id };
	struct notice_person person = { .person_id = raising->turn->person_id };
	enum channel_kind next = CHANNEL_NONE;
	struct alert_told_person_row *rows;
	size_t count;

	enum rc rc = alert_told_person(raising->tx, raising->arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (rows[i].notice_id != raising->turn->notice_id)
			continue;
		if (rows[i].state == MESSAGE_QUEUED || handed_over(rows[i].state))
			return OK; /* another way is not gone */
		if (rows[i].channel > 0 && rows[i].channel < CHANNEL_KIND_COUNT)
			climb->after[rows[i].channel] = -1;
		person.text_group = (uint8_t)rows[i].text_group;
	}
	for (unsigned channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		if (climb->after[channel] >= 0 && (next == CHANNEL_NONE || climb->after[channel] < climb->after[next]))
			next = (enum channel_kind)channel;
	if (rc != OK || next == CHANNEL_NONE || person.text_group == GROUP_NONE || person.text_group == GROUP_RELEASED ||
	    person.text_group == GROUP_REMINDER)
		return rc;
	person.channels = (uint8_t)CHANNEL_BIT(next);
	person.not_before[next] = not_before[next];
	rc = notice_add_person(raising->tx, raising->turn->notice_id, &person, raising->now, err);
	return rc == OK ? raised(raising, next, err) : rc;
}

static enum rc raise_next(struct raising *raising, struct err *err)
{
	const struct alert_version *version = raising->version;
	int64_t not_before[CHANNEL_KIND_COUNT];
	struct ladder_climb climb;
	unsigned channels;
	uint32_t order;

	enum rc rc = alert_ways_now(raising->tx, raising->house, raising->arena, version, raising->turn->person_id, raising->now, &channels, &order,
	                            not_before, err);
	if (rc != OK)
		return rc;
	ladder_climb(&version->ladder, version->severity, channels & version->channels, order, &climb);
	/* The contact of this channel has ended; another address of the person would stand under the same row. */
	climb.after[raising->turn->channel] = -1;
	rc = raise_planned(raising, &climb, not_before, err);
	return rc == NOT_FOUND ? raise_unplanned(raising, &climb, not_before, err) : rc;
}

enum rc ladder_raise_next(struct house *house, struct db_tx *tx, const struct notice_turn *turn, int64_t now, struct err *err)
{
	const struct version_row_find_args find = { .id = turn->subject_id };
	struct alert_version version;
	struct version_row row;
	struct arena arena;

	arena_init(&arena);
	/* Without its area: that may be megabytes. */
	enum rc rc = version_row_find(tx, &arena, &find, &row, err);
	if (rc == OK && row.ladder.len && row.state == VERSION_SENT) {
		rc = version_of_row(&row, &version, err);
		struct raising raising = { house, tx, &arena, turn, &version, now };
		if (rc == OK)
			rc = raise_next(&raising, err);
	}
	arena_release(&arena);
	return rc;
}
