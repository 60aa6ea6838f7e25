/* The board as a table for other programs: a header row, a row of HXL hashtags (Humanitarian Exchange Language 1.1), then a person a row.
 *
 * What people wrote is no formula to a spreadsheet (text_for_spreadsheet). Addresses are not in it: reading those is logged person by person. */
#include "desks/travel/board_views.h"
#include "desks/travel/travel.h"

#define BOM "\xef\xbb\xbf"

struct csv_column { enum msg title; const char *tag; };
static const struct csv_column columns[] = {
	{ MSG_board_csv_id, "#affected+id" },
	{ MSG_board_csv_name, "#affected+name" },
	{ MSG_board_csv_language, "#affected+lang" },
	{ MSG_board_csv_country, "#country+code" },
	{ MSG_board_csv_stay, "#loc+planned" },
	{ MSG_board_csv_class, "#status" },
	{ MSG_board_csv_released, "#status+released" },
	{ MSG_board_csv_late, "#status+late" },
	{ MSG_board_csv_certain, "#meta+match" },
	{ MSG_board_csv_answered, "#date+answered" },
	{ MSG_board_csv_place, "#loc+said" },
	{ MSG_board_csv_note, "#description" },
	{ MSG_board_csv_case, "#status+case" },
	{ MSG_board_csv_owner, "#contact+officer" },
	{ MSG_board_csv_calls, "#activity+calls+num" },
	{ MSG_board_csv_others_safe, "#affected+others+safe+num" },
	{ MSG_board_csv_others_help, "#affected+others+help+num" },
	{ MSG_board_csv_exercise, "#meta+exercise" },
};

/* RFC 4180: quoted where it must be, quotes doubled. */
static void add_text(struct arena *arena, struct buf *out, struct str said)
{
	const struct str text = text_for_spreadsheet(arena, said);
	bool quote = false;
	for (size_t i = 0; i < text.len && !quote; i++)
		quote = memchr(",;\"\r\n\t", text.ptr[i], 6) != NULL;
	if (quote)
		buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, text.ptr[i]);
	}
	if (quote)
		buf_add_char(out, '"');
}

struct csv_work {
	struct request *request;
	struct response *response;
	struct board_alert alert;
	struct board_filter filter;
	struct arena scratch;
	int64_t rows;
};

static void add_head(struct csv_work *work)
{
	struct buf *out = &work->response->body;
	buf_add_str(out, S(BOM));
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		if (i > 0)
			buf_add_char(out, ',');
		add_text(work->request->arena, out, T(work->request->arena, work->request->language, columns[i].title));
	}
	buf_add_str(out, S("\r\n"));
	for (size_t i = 0; i < COUNT_OF(columns); i++)
		buf_format(out, "%s%s", i > 0 ? "," : "", columns[i].tag);
	buf_add_str(out, S("\r\n"));
}

static const char *class_name(int64_t class)
{
	static const char *const names[] = { "", "safe", "needs_help", "no_answer", "unreachable" };
	return class >= COUNTER_SAFE && class <= COUNTER_UNREACHABLE ? names[class] : "";
}

static const char *case_name(int64_t state)
{
	static const char *const names[] = { "", "open", "taken", "resolved" };
	return state >= CASE_NONE && state <= CASE_RESOLVED ? names[state] : "";
}

/* Words of columns with a fixed set are the same in every language, so that programs can read them. */
static enum rc add_row(void *context, const struct board_person *row)
{
	struct csv_work *work = context;
	struct buf *out = &work->response->body;
	if (++work->rows > BOARD_EXPORT_MAX)
		return INVALID;
	arena_clear(&work->scratch);
	const struct str fields[COUNT_OF(columns)] = {
		row->public_id,
		row->name,
		row->language,
		row->country,
		row->place_name,
		str_from(class_name(row->class)),
		str_from(row->released ? "1" : "0"),
		str_from(row->late ? "1" : "0"),
		str_from(row->certain ? "certain" : "possible"),
		row->answered_at == DB_NULL ? S("") : clock_format(&work->scratch, row->answered_at),
		row->place,
		row->note,
		str_from(case_name(row->case_state)),
		row->owner_name,
		str_format(&work->scratch, "%lld", (long long)row->calls),
		str_format(&work->scratch, "%lld", (long long)row->others_safe),
		str_format(&work->scratch, "%lld", (long long)row->others_help),
		str_from(work->alert.exercise ? "1" : "0"),
	};
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		if (i > 0)
			buf_add_char(out, ',');
		add_text(&work->scratch, out, fields[i]);
	}
	buf_add_str(out, S("\r\n"));
	return OK;
}

static enum rc read_rows(struct db_tx *tx, void *context, struct err *err)
{
	struct csv_work *work = context;
	const struct board_range *range = board_range_find(work->filter.view);
	const bool all = str_is_none(request_query(work->request, "view"));
	work->rows = 0;
	buf_clear(&work->response->body);
	enum rc rc = board_open(tx, work->request, &work->alert, err);
	const struct board_window window = rc == OK ? board_window_of(&work->alert, work->request->now) : (struct board_window){ 0, 0 };
	if (rc == OK) {
		add_head(work);
		rc = board_each(tx,
		                &(struct board_each_args){ .alert_id = work->alert.id, .since = window.since, .until = window.until,
		                                           .country = work->filter.country, .language = work->filter.language,
		                                           .class_least = all ? COUNTER_SAFE : range->class_least,
		                                           .class_most = all ? COUNTER_UNREACHABLE : range->class_most },
		                add_row, work, err);
	}
	return rc;
}

void board_csv_get(struct request *request, struct response *response)
{
	struct csv_work work = { .request = request, .response = response };
	struct err err;
	err_init(&err, request->arena);
	board_filter_read(request, &work.filter);
	arena_init(&work.scratch);
	enum rc rc = db_read(request->house->db, read_rows, &work, &err);
	arena_release(&work.scratch);
	if (rc == INVALID) {
		/* Said rather than cut off. */
		err_field(&err, S(""), MSG_board_csv_too_many, str_format(request->arena, "%d", BOARD_EXPORT_MAX), STR_NONE);
		buf_clear(&response->body);
	}
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	response_download(response, S("text/csv; charset=utf-8"), work.alert.exercise ? "exercise-board.csv" : "board.csv");
}
