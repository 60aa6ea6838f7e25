/* The board's lists, and what its pages share. */
#include "desks/travel/board_views.h"
#include "desks/travel/respond.h"
#include "desks/travel/travel.h"

#include "travel_pages.h"

/* --- small things ------------------------------------------------------------------------------------------------- */

struct str board_path(struct arena *arena, struct str id, const char *what)
{
	return str_format(arena, "/desk/alert/%.*s/%s", STR_ARG(id), what);
}

enum rc board_open(struct db_tx *tx, struct request *request, struct board_alert *out, struct err *err)
{
	return board_alert_find_public(tx, request->arena, &(struct board_alert_find_public_args){ .public_id = request_capture(request, "id") }, out,
	                               err);
}

struct board_window board_window_of(const struct board_alert *alert, int64_t now)
{
	/* Where they are now; of an alert that is over, where they were at its end. */
	const int64_t end = alert->ended_at != DB_NULL ? alert->ended_at : now;
	return (struct board_window){ alert->sent_at < end ? alert->sent_at : end, alert->expires > end ? alert->expires : end };
}

enum rc board_head_fill(struct db_tx *tx, struct request *request, const struct board_alert *alert, enum msg title, enum board_tab_kind tab,
                        struct board_head *out, struct err *err)
{
	struct board_head head = {
		.page = { .title = T(request->arena, request->language, title, MSG_N("number", alert->number)), .officer_page = true, .wide = true },
		.id = alert->public_id,
		.number = alert->number,
		.exercise = alert->exercise != 0,
		.ended = alert->state == ALERT_ENDED,
		.may_act = house_may(request->house, request->officer, PERMIT_OFFICER),
		.tab = tab,
	};
	enum rc rc = headline_read(tx, request->arena, alert, request->language, &head.headline, &head.headline_language, err);
	if (rc == OK)
		*out = head;
	return rc;
}

enum rc board_conflict_text(struct db_tx *tx, struct request *request, const struct board_holder *holder, struct str *out, struct err *err)
{
	struct alert_officer_name_row row;
	if (holder->officer_id == 0) {
		*out = T(request->arena, request->language, MSG_board_conflict_state);
		return OK;
	}
	enum rc rc = alert_officer_name(tx, request->arena, &(struct alert_officer_name_args){ .id = holder->officer_id }, &row, err);
	if (rc == OK)
		*out = T(request->arena, request->language, MSG_board_conflict_held, MSG_S("officer", row.name),
		         MSG_S("time", text_date_time(request->arena, request->language, holder->since,
		                                      str_c(request->arena, request->officer->zone))));
	return rc;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static const struct { enum msg text; const char *css; } classes[] = {
	[COUNTER_TARGETED] = { MSG_board_class_targeted, "" },
	[COUNTER_SAFE] = { MSG_board_class_safe, "safe" },
	[COUNTER_HELP] = { MSG_board_class_help, "help" },
	[COUNTER_SILENT] = { MSG_board_class_silent, "waiting" },
	[COUNTER_UNREACHABLE] = { MSG_board_class_unreachable, "unreachable" },
};

static struct str or_empty(struct str text)
{
	return str_is_none(text) ? S("") : text;
}

void board_line_fill(struct request *request, const struct board_person *row, struct board_line *out)
{
	struct arena *arena = request->arena;
	const enum language language = language_find(row->language);
	struct places *places = travel_places(request->house);
	const struct str stay = or_empty(row->place_name);
	const struct str country = str_is_empty(row->country) ? S("")
	                           : places ? country_name(places, arena, row->country, languages[request->language].tag)
	                                    : row->country;
	const size_t class = row->class >= COUNTER_SAFE && row->class <= COUNTER_UNREACHABLE ? (size_t)row->class : COUNTER_SILENT;
	*out = (struct board_line){
		.id = row->public_id,
		.named = !str_is_none(row->name),
		.name = str_is_none(row->name) ? T(arena, request->language, MSG_board_no_name) : row->name,
		.class = row->class,
		.class_text = classes[class].text,
		.css = classes[class].css,
		.released = row->released != 0,
		.late = row->late != 0,
		.possible = row->certain == 0,
		.keyword_only = row->help_keyword_only != 0,
		.country = str_find(stay, country, 0) == SIZE_MAX ? country : S(""), /* "Tehran, Iran" has said it */
		.stay = stay,
		.note = or_empty(row->note),
		.place = or_empty(row->place),
		.language = language == LANGUAGE_COUNT ? row->language : str_from(languages[language].name),
		.answered_at = row->answered_at == DB_NULL ? 0 : row->answered_at,
		.case_state = row->case_state,
		.owner = or_empty(row->owner_name),
		.mine = row->case_owner != DB_NULL && request->officer && row->case_owner == request->officer->id,
		.taken_at = row->case_taken_at == DB_NULL ? 0 : row->case_taken_at,
		.others_safe = row->others_safe,
		.others_help = row->others_help,
		.calls = row->calls,
	};
}

enum rc board_line_phones(struct db_tx *tx, struct arena *arena, int64_t person_id, struct board_line *line, struct err *err)
{
	struct person person;
	enum rc rc = person_find(tx, arena, person_id, &person, err);
	line->shown = true;
	if (rc == NOT_FOUND) /* taken back by an import, or erased */
		return OK;
	if (rc != OK)
		return rc;
	line->phones = ARENA_NEW_ARRAY(arena, struct str, person.contact_count);
	for (size_t i = 0; i < person.contact_count; i++)
		if (person.contacts[i].channel == CHANNEL_SMS)
			line->phones[line->phone_count++] = person.contacts[i].address;
	return OK;
}

enum rc board_shown_read(struct db_tx *tx, struct request *request, const struct board_alert *alert,
                         struct board_contact_shown_list_row **shown_out, size_t *count_out, struct err *err)
{
	const struct board_contact_shown_list_args args = { .alert_id = alert->id, .since = request->now - BOARD_CONTACT_SHOWN,
		                                            .officer_id = request->officer->id };
	return board_contact_shown_list(tx, request->arena, &args, shown_out, count_out, err);
}

bool board_is_shown(const struct request *request, const struct board_person *row, const struct board_contact_shown_list_row *shown,
                    size_t shown_count)
{
	const int64_t officer = request->officer->id;
	if (!house_may(request->house, request->officer, PERMIT_OFFICER))
		return false;
	/* Who took a case or locked a call said so, and that is in the ledger. */
	if (row->case_state == CASE_TAKEN && row->case_owner == officer)
		return true;
	if (row->call_state == CALL_LOCKED && row->call_owner == officer && row->call_until > request->now)
		return true;
	for (size_t i = 0; i < shown_count; i++)
		if (shown[i].person_id == row->person_id)
			return true;
	return false;
}

enum rc board_lines_fill(struct db_tx *tx, struct request *request, const struct board_alert *alert, const struct board_person *rows, size_t count,
                         struct board_line **lines_out, bool *hidden_out, struct err *err)
{
	struct board_contact_shown_list_row *shown;
	size_t shown_count;
	struct board_line *lines = ARENA_NEW_ARRAY(request->arena, struct board_line, count);
	bool hidden = false;
	enum rc rc = board_shown_read(tx, request, alert, &shown, &shown_count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		board_line_fill(request, &rows[i], &lines[i]);
		if (board_is_shown(request, &rows[i], shown, shown_count))
			rc = board_line_phones(tx, request->arena, rows[i].person_id, &lines[i], err);
		else
			hidden = true;
	}
	if (rc != OK)
		return rc;
	*lines_out = lines;
	*hidden_out = hidden;
	return OK;
}

size_t board_tiles_fill(const struct alert_counters *counters, struct board_tile *tiles)
{
	static const char *const views[] = { "all", "safe", "cases", "silent", "unreachable" };
	for (size_t i = COUNTER_TARGETED; i <= COUNTER_UNREACHABLE; i++)
		tiles[i] = (struct board_tile){ classes[i].css, classes[i].text, counters->of[i], views[i] };
	return COUNTER_UNREACHABLE + 1;
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static const struct board_range ranges[] = {
	{ "cases", MSG_board_view_cases, 1, 4, 0, 1, 0, CASE_OPEN, CASE_TAKEN },
	{ "silent", MSG_board_class_silent, COUNTER_SILENT, COUNTER_SILENT, 0, 0, 0, 0, 0 },
	{ "unreachable", MSG_board_class_unreachable, COUNTER_UNREACHABLE, COUNTER_UNREACHABLE, 0, 0, 0, 0, 0 },
	{ "safe", MSG_board_class_safe, COUNTER_SAFE, COUNTER_SAFE, 0, 1, 0, 0, 0 },
	{ "resolved", MSG_board_view_resolved, 1, 4, 0, 1, 0, CASE_RESOLVED, CASE_RESOLVED },
	{ "released", MSG_board_view_released, 1, 4, 1, 1, 0, 0, 0 },
	{ "late", MSG_board_view_late, 1, 4, 0, 1, 1, 0, 0 },
	{ "all", MSG_board_view_all, 1, 4, 0, 1, 0, 0, 0 },
};

const struct board_range *board_range_find(struct str view)
{
	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		if (str_equal(view, str_from(ranges[i].view)))
			return &ranges[i];
	return &ranges[0];
}

static struct str query_of(const struct request *request, const char *name, size_t most)
{
	const struct str text = request->method == METHOD_POST ? request_form(request, name) : request_query(request, name);
	return str_is_none(text) || text.len > most ? S("") : str_trim(text);
}

void board_filter_read(const struct request *request, struct board_filter *out)
{
	int64_t number;
	*out = (struct board_filter){
		.view = str_from(board_range_find(query_of(request, "view", 20))->view),
		.country = query_of(request, "country", 2),
		.language = query_of(request, "language", 20),
		.query = query_of(request, "q", BOARD_SEARCH_MAX),
		.number = 1,
	};
	if (str_to_int(query_of(request, "page", 10), &number) && number >= 1 && number <= BOARD_PAGES_MAX)
		out->number = number;
}

struct searching {
	struct arena scratch;
	const struct board_range *range;
	const struct board_filter *filter;
	struct str wanted;
	int64_t skip;
	int64_t ids[BOARD_PAGE + 1];
	size_t count;
};

static bool passes(const struct board_range *range, const struct board_filter *filter, const struct board_each_name_row *row)
{
	if (row->released < range->released_least || row->released > range->released_most || row->late < range->late_least)
		return false;
	if (range->case_most > 0 && (row->case_state < range->case_least || row->case_state > range->case_most))
		return false;
	return filter->language.len == 0 || str_equal(filter->language, row->language);
}

/* The names of a board are compared as SMS words are: without case, accents, and the variants of Arabic letters. */
static enum rc search_name(void *context, const struct board_each_name_row *row)
{
	struct searching *searching = context;
	if (searching->count > BOARD_PAGE || !passes(searching->range, searching->filter, row))
		return OK;
	arena_clear(&searching->scratch);
	if (str_find(keyword_normalise(&searching->scratch, row->name), searching->wanted, 0) == SIZE_MAX)
		return OK;
	if (searching->skip > 0)
		searching->skip--;
	else
		searching->ids[searching->count++] = row->person_id;
	return OK;
}

/* A search goes over all classes of the view; the few it finds are then read one by one. */
static enum rc search(struct db_tx *tx, struct request *request, const struct board_alert *alert, const struct board_range *range,
                      const struct board_filter *filter, struct board_person **rows_out, size_t *count_out, bool *more_out, struct err *err)
{
	const struct board_window window = board_window_of(alert, request->now);
	struct searching searching = { .range = range, .filter = filter, .wanted = keyword_normalise(request->arena, filter->query),
		                       .skip = (filter->number - 1) * BOARD_PAGE };
	struct board_person *rows = ARENA_NEW_ARRAY(request->arena, struct board_person, BOARD_PAGE);
	size_t count = 0;
	arena_init(&searching.scratch);
	enum rc rc = board_each_name(tx,
	                             &(struct board_each_name_args){ .alert_id = alert->id, .class_least = range->class_least,
	                                                             .class_most = range->class_most },
	                             search_name, &searching, err);
	for (size_t i = 0; rc == OK && i < searching.count && i < BOARD_PAGE; i++) {
		rc = board_find_person(tx, request->arena,
		                       &(struct board_find_person_args){ .alert_id = alert->id, .person_id = searching.ids[i],
		                                                         .since = window.since, .until = window.until },
		                       &rows[count], err);
		if (rc == OK && (filter->country.len == 0 || str_equal(filter->country, rows[count].country)))
			count++;
		if (rc == NOT_FOUND)
			rc = OK;
	}
	arena_release(&searching.scratch);
	if (rc != OK)
		return rc;
	*rows_out = rows;
	*count_out = count;
	*more_out = searching.count > BOARD_PAGE;
	return OK;
}

enum rc board_list_read(struct db_tx *tx, struct request *request, const struct board_alert *alert, const struct board_filter *filter,
                        struct board_person **rows_out, size_t *count_out, bool *more_out, struct err *err)
{
	const struct board_range *range = board_range_find(filter->view);
	const struct board_window window = board_window_of(alert, request->now);
	const int64_t skip = (filter->number - 1) * BOARD_PAGE;
	if (filter->query.len > 0)
		return search(tx, request, alert, range, filter, rows_out, count_out, more_out, err);
	enum rc rc;
	if (range->case_most > 0) {
		const struct board_list_cases_args args = { .alert_id = alert->id, .since = window.since, .until = window.until,
			                                    .country = filter->country, .language = filter->language,
			                                    .state_least = range->case_least, .state_most = range->case_most,
			                                    .most = BOARD_PAGE + 1, .skip = skip };
		rc = board_list_cases(tx, request->arena, &args, rows_out, count_out, err);
	} else {
		const struct board_list_class_args args = { .alert_id = alert->id, .since = window.since, .until = window.until,
			                                    .country = filter->country, .language = filter->language,
			                                    .class_least = range->class_least, .class_most = range->class_most,
			                                    .released_least = range->released_least,
			                                    .released_most = range->released_most, .late_least = range->late_least,
			                                    .most = BOARD_PAGE + 1, .skip = skip };
		rc = board_list_class(tx, request->arena, &args, rows_out, count_out, err);
	}
	if (rc != OK)
		return rc;
	*more_out = *count_out > BOARD_PAGE;
	if (*more_out)
		*count_out = BOARD_PAGE;
	return OK;
}

/* --- the page ----------------------------------------------------------------------------------------------------- */

struct board_work {
	struct request *request;
	struct board_alert alert;
	struct board_filter filter;
	struct board_view view;
};

static enum rc read_sums(struct db_tx *tx, struct board_work *work, struct err *err)
{
	struct board_view *view = &work->view;
	struct arena *arena = work->request->arena;
	struct alert_counters counters;
	struct message_counts messages;
	struct board_keyword_only_count_row keyword;
	struct board_fill_waiting_row fill;
	enum rc rc = alert_counters_find(tx, work->alert.id, &counters, err);
	if (rc == OK)
		rc = message_count_event(tx, NOTICE_ALERT, work->alert.id, &messages, err);
	if (rc == OK)
		rc = board_keyword_only_count(tx, arena, &(struct board_keyword_only_count_args){ .alert_id = work->alert.id }, &keyword, err);
	if (rc == OK)
		rc = board_fill_waiting(tx, arena, &(struct board_fill_waiting_args){ .event_id = work->alert.id }, &fill, err);
	if (rc != OK)
		return rc;
	view->tile_count = board_tiles_fill(&counters, view->tiles);
	for (int class = COUNTER_SAFE; class <= COUNTER_UNREACHABLE; class++)
		view->released += counters.of[COUNTER_RELEASED + class];
	view->late = counters.of[COUNTER_LATE];
	view->contacts_asked = counters.of[COUNTER_CONTACTS];
	view->companions_safe = counters.of[COUNTER_COMPANIONS_SAFE];
	view->companions_help = counters.of[COUNTER_COMPANIONS_HELP];
	view->keyword_only = keyword.people;
	view->filling = fill.waiting > 0;
	for (size_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++) {
		view->in_doubt += messages.of[channel][MESSAGE_IN_DOUBT];
		view->was_in_doubt += messages.of[channel][MESSAGE_STATE_COUNT];
	}
	return OK;
}

/* All countries of the gazetteer: going through everybody to find theirs would take longer than the page. */
static enum rc country_choices(struct board_work *work, struct err *err)
{
	struct request *request = work->request;
	struct board_view *view = &work->view;
	struct places *places = travel_places(request->house);
	struct country *countries = NULL;
	size_t count = 0;
	enum rc rc = places ? country_list(places, request->arena, languages[request->language].tag, &countries, &count, err) : OK;
	if (rc != OK)
		return rc;
	view->countries = ARENA_NEW_ARRAY(request->arena, struct choice, count + 1);
	view->countries[view->country_count++] = (struct choice){ S(""), T(request->arena, request->language, MSG_board_every_country),
		                                                  work->filter.country.len == 0 };
	for (size_t i = 0; i < count; i++) {
		const struct str code = str_copy(request->arena, str_from(countries[i].code));
		view->countries[view->country_count++] = (struct choice){ code, countries[i].name, str_equal(work->filter.country, code) };
	}
	return OK;
}

static void other_choices(struct board_work *work)
{
	struct request *request = work->request;
	struct board_view *view = &work->view;
	view->languages = ARENA_NEW_ARRAY(request->arena, struct choice, LANGUAGE_COUNT + 1);
	view->languages[view->language_count++] = (struct choice){ S(""), T(request->arena, request->language, MSG_board_every_language),
		                                                   work->filter.language.len == 0 };
	for (size_t i = 0; i < LANGUAGE_COUNT; i++)
		view->languages[view->language_count++] = (struct choice){ str_from(languages[i].tag), str_from(languages[i].name),
			                                                   str_equal(work->filter.language, str_from(languages[i].tag)) };
	view->views = ARENA_NEW_ARRAY(request->arena, struct choice, COUNT_OF(ranges));
	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		view->views[view->view_count++] = (struct choice){ str_from(ranges[i].view), T(request->arena, request->language, ranges[i].text),
			                                           str_equal(work->filter.view, str_from(ranges[i].view)) };
}

static enum rc read_board(struct db_tx *tx, void *context, struct err *err)
{
	struct board_work *work = context;
	struct request *request = work->request;
	struct board_person *rows;
	work->view = (struct board_view){ .view = work->filter.view, .country = work->filter.country, .language = work->filter.language,
		                          .query = work->filter.query, .number = work->filter.number,
		                          .first = (work->filter.number - 1) * BOARD_PAGE + 1 };
	enum rc rc = board_open(tx, request, &work->alert, err);
	if (rc == OK)
		rc = board_head_fill(tx, request, &work->alert, MSG_board_title, TAB_BOARD, &work->view.head, err);
	if (rc == OK)
		rc = read_sums(tx, work, err);
	if (rc == OK)
		rc = country_choices(work, err);
	if (rc == OK)
		other_choices(work);
	if (rc == OK)
		rc = board_list_read(tx, request, &work->alert, &work->filter, &rows, &work->view.line_count, &work->view.more, err);
	if (rc == OK)
		rc = board_lines_fill(tx, request, &work->alert, rows, work->view.line_count, &work->view.lines, &work->view.hidden, err);
	return rc;
}

void board_get(struct request *request, struct response *response)
{
	struct board_work work = { .request = request };
	struct err err;
	err_init(&err, request->arena);
	board_filter_read(request, &work.filter);
	enum rc rc = db_read(request->house->db, read_board, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	work.view.title = board_range_find(work.filter.view)->text;
	work.view.head.page.script = "live.js";
	work.view.head.page.refresh = S("60");
	struct html out = html_begin(request, response);
	out.zone = request->officer->zone;
	board_page(&out, &work.view);
}

static enum rc read_alert(struct db_tx *tx, void *context, struct err *err)
{
	struct board_work *work = context;
	return board_open(tx, work->request, &work->alert, err);
}

void board_events_get(struct request *request, struct response *response)
{
	struct board_work work = { .request = request };
	struct err err;
	err_init(&err, request->arena);
	enum rc rc = db_read(request->house->db, read_alert, &work, &err);
	if (rc == OK)
		rc = response_stream(request, response, str_format(request->arena, "alert/%lld", (long long)work.alert.id));
	if (rc != OK)
		response_error(request, response, rc, &err);
}

/* --- reading addresses -------------------------------------------------------------------------------------------- */

struct contacts_work {
	struct request *request;
	struct board_alert alert;
	struct str *people;
	size_t count;
};

static enum rc store_contacts(struct db_tx *tx, void *context, struct err *err)
{
	struct contacts_work *work = context;
	struct request *request = work->request;
	int64_t *ids = ARENA_NEW_ARRAY(request->arena, int64_t, work->count);
	enum rc rc = board_open(tx, request, &work->alert, err);
	for (size_t i = 0; rc == OK && i < work->count; i++) {
		struct board_person_id_find_row row;
		rc = board_person_id_find(tx, request->arena, &(struct board_person_id_find_args){ .public_id = work->people[i] }, &row, err);
		ids[i] = row.id;
	}
	return rc == OK ? board_show_contacts(tx, &work->alert, request->officer->id, ids, work->count, request_form_key(request), request->now, err)
	                : rc;
}

/* Where the form stood; only pages of this alert. */
static struct str back_path(struct request *request, struct str id)
{
	struct board_filter filter;
	const struct str back = request_form(request, "back");
	board_filter_read(request, &filter);
	if (str_equal(back, S("calls")))
		return str_format(request->arena, "/desk/alert/%.*s/calls?print=1&page=%lld", STR_ARG(id), (long long)filter.number);
	struct buf path;
	buf_init(&path);
	struct html out = html_plain(&path, request->arena, request->language);
	buf_format(&path, "/desk/alert/%.*s/board?view=%.*s&page=%lld&country=", STR_ARG(id), STR_ARG(filter.view), (long long)filter.number);
	html_put_part_text(&out, filter.country);
	buf_add_str(&path, S("&language="));
	html_put_part_text(&out, filter.language);
	buf_add_str(&path, S("&q="));
	html_put_part_text(&out, filter.query);
	const struct str copy = str_copy(request->arena, buf_str(&path));
	buf_release(&path);
	return copy;
}

void board_contacts_post(struct request *request, struct response *response)
{
	struct contacts_work work = { .request = request };
	struct err err;
	err_init(&err, request->arena);
	work.count = request_form_all(request, "person", &work.people);
	/* A page has no more. */
	enum rc rc = work.count == 0 || work.count > BOARD_PAGE ? INVALID : db_write(request->house->db, DB_LANE_PERSON, store_contacts, &work, &err);
	if (rc == OK)
		response_redirect(response, back_path(request, work.alert.public_id));
	else
		response_error(request, response, rc, &err);
}
