/* The alerts in force as an Atom feed (RFC 4287), for readers, other sites and hubs (WebSub: Link headers of self and hub). Public pages in another
 * form: exercises are not in it. An alert keeps its id over its versions; who reads it sees a later `updated`. */
#include <time.h>

#include "desks/travel/alert_views.h"
#include "desks/travel/find.h"

#include "travel_sql.h"

struct feed_work {
	struct request *request;
	struct str country; /* code; empty: all */
	struct country found;
	struct alert_public *list;
	size_t count;
	int64_t changed; /* of all alerts: one that ended changes the feed, too */
};

/* Text of an element or an attribute; what XML 1.0 (2.2) has no place for is left out. */
static void put_text(struct buf *out, struct str text)
{
	for (size_t at = 0; at < text.len;) {
		const size_t from = at;
		const uint32_t code = utf8_next(text, &at);
		if ((code < 0x20 && code != '\t' && code != '\n' && code != '\r') || code == 0xfffe || code == 0xffff)
			continue;
		if (code == '&')
			buf_add_str(out, S("&amp;"));
		else if (code == '<')
			buf_add_str(out, S("&lt;"));
		else if (code == '>')
			buf_add_str(out, S("&gt;"));
		else if (code == '"')
			buf_add_str(out, S("&quot;"));
		else if (code == 0xfffd)
			buf_add_str(out, S("\xef\xbf\xbd"));
		else
			buf_add_str(out, str_slice(text, from, at));
	}
}

static void put_element(struct buf *out, const char *name, const char *attributes, struct str text)
{
	buf_format(out, "<%s%s>", name, attributes);
	put_text(out, text);
	buf_format(out, "</%s>\n", name);
}

static void put_link(struct buf *out, const char *rel, const char *type, struct str address)
{
	buf_format(out, "<link rel=\"%s\"%s%s%s href=\"", rel, *type ? " type=\"" : "", type, *type ? "\"" : "");
	put_text(out, address);
	buf_add_str(out, S("\"/>\n"));
}

static void put_entry(struct request *request, struct buf *out, struct str base, const struct alert_public *item)
{
	struct arena *arena = request->arena;
	const char *language = languages[request->language].tag, *words = languages[item->language].tag;
	const struct str page = str_format(arena, "%.*s/alert/%.*s", STR_ARG(base), STR_ARG(item->public_id));
	const struct str description = alert_markup(arena, item->description).text, instruction = alert_markup(arena, item->instruction).text;

	buf_add_str(out, S("<entry>\n"));
	put_element(out, "id", "", page);
	put_element(out, "updated", "", clock_format(arena, item->sent_at));
	put_element(out, "title", str_format(arena, " xml:lang=\"%s\"", words).ptr, item->headline);
	put_link(out, "alternate", "text/html", str_format(arena, "%.*s?lang=%s", STR_ARG(page), language));
	buf_format(out, "<category term=\"%s\" label=\"", item->severity_class);
	put_text(out, T(arena, request->language, item->severity));
	buf_add_str(out, S("\"/>\n<category term=\"kind\" label=\""));
	put_text(out, T(arena, request->language, item->kind));
	buf_add_str(out, S("\"/>\n"));
	put_element(out, "summary", "", str_format(arena, "%.*s\n%.*s",
	                                           STR_ARG(T(arena, request->language, MSG_alert_mail_area, MSG_S("area", item->area))),
	                                           STR_ARG(T(arena, request->language, MSG_alert_mail_until,
	                                                     MSG_S("time", alert_time_text(request, item->expires, S("UTC")))))));
	put_element(out, "content", str_format(arena, " type=\"html\" xml:lang=\"%s\"", words).ptr, str_concat(arena, description, instruction));
	buf_add_str(out, S("</entry>\n"));
}

/* The hub of the settings, if it is an address that fits into a header and XML. */
static struct str hub_of(struct request *request)
{
	const struct str hub = setting_text(request->house, request->arena, "travel.feed_hub");
	bool good = str_starts(hub, S("https://"));

	for (size_t i = 0; good && i < hub.len; i++)
		good = hub.ptr[i] > ' ' && hub.ptr[i] <= '~' && hub.ptr[i] != '<' && hub.ptr[i] != '>' && hub.ptr[i] != '"';
	return good ? hub : STR_NONE;
}

static void put_feed(const struct feed_work *work, struct buf *out, struct str base, struct str self, struct str hub)
{
	struct request *request = work->request;
	struct arena *arena = request->arena;
	const char *language = languages[request->language].tag;
	struct str title = T(arena, request->language, MSG_alert_feed_title);

	if (work->country.len)
		title = T(arena, request->language, MSG_alert_feed_country, MSG_S("country", work->found.name));
	buf_format(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"%s\">\n", language);
	put_element(out, "id", "", self);
	put_element(out, "title", "", title);
	put_element(out, "updated", "", clock_format(arena, work->changed));
	buf_add_str(out, S("<author>"));
	put_element(out, "name", "", T(arena, request->language, MSG_kernel_site_name));
	buf_add_str(out, S("</author>\n"));
	put_link(out, "self", "application/atom+xml", self);
	put_link(out, "alternate", "text/html",
	         work->country.len ? str_format(arena, "%.*s/country/%.*s?lang=%s", STR_ARG(base), STR_ARG(work->country), language)
	                           : str_format(arena, "%.*s/?lang=%s", STR_ARG(base), language));
	if (hub.len)
		put_link(out, "hub", "", hub);
	for (size_t i = 0; i < work->count; i++)
		put_entry(request, out, base, &work->list[i]);
	buf_add_str(out, S("</feed>\n"));
}

static enum rc feed_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct feed_work *work = context;
	struct request *request = work->request;
	struct feed_changed_row row;

	enum rc rc = alert_list_public(tx, request->house, request->arena, request->language, work->country, &work->list, &work->count, err);
	if (rc == OK)
		rc = feed_changed(tx, request->arena, &row, err);
	if (rc == OK)
		work->changed = row.sent_at > row.ended_at ? row.sent_at : row.ended_at;
	return rc;
}

/* RFC 9110, 5.6.7. */
static struct str http_date(struct arena *arena, int64_t at)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" },
				 *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t seconds = (time_t)(at / CLOCK_SECOND);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return str_format(arena, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	                  tm.tm_min, tm.tm_sec);
}

void feed_get(struct request *request, struct response *response)
{
	const struct str base = str_from(request->house->public_url ? request->house->public_url : ""), hub = hub_of(request);
	struct feed_work work = { .request = request, .country = S("") };
	const struct str country = request_query(request, "country");
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = OK;
	if (!str_is_empty(country)) {
		rc = country_find(places_of(request->house), request->arena, country, languages[request->language].tag, &work.found, &err);
		work.country = rc == OK ? str_copy(request->arena, str_from(work.found.code)) : S("");
	}
	if (rc == OK)
		rc = db_read(request->house->db, feed_in_store, &work, &err);
	if (rc != OK) {
		response_error(request, response, rc, &err);
		return;
	}
	const struct str self = str_format(request->arena, "%.*s/feed.atom?lang=%s%s%.*s", STR_ARG(base), languages[request->language].tag,
	                                   work.country.len ? "&country=" : "", STR_ARG(work.country));
	response->content_type = S("application/atom+xml; charset=utf-8");
	response->cacheable = true;
	response_header(response, "Last-Modified", http_date(request->arena, work.changed));
	response_header(response, "Link", str_format(request->arena, "<%.*s>; rel=\"self\"%s%.*s%s", STR_ARG(self), hub.len ? ", <" : "", STR_ARG(hub),
	                                             hub.len ? ">; rel=\"hub\"" : ""));
	put_feed(&work, &response->body, base, self, hub);
}
