/* The frame of every page: head, header with the language switch, navigation, error summary, footer. */
#include <stdlib.h>

#include "kernel/access/access.h"
#include "kernel/html/assets.h"
#include "kernel/html/html.h"
#include "kernel/http/http.h"

#define MENU_MAX 64

static void put(struct html *out, const char *literal)
{
	html_literal(out, literal, strlen(literal));
}

static void put_message(struct html *out, enum msg message)
{
	html_put_message(out, message, NULL, 0);
}

/* `text` percent-encoded as a piece of an address, '/' kept. */
static void add_encoded(struct html *out, struct buf *to, struct str text)
{
	struct buf *page = out->buf;
	out->buf = to;
	for (size_t at = 0; at < text.len;) {
		size_t slash = str_find(text, S("/"), at);
		size_t end = slash == SIZE_MAX ? text.len : slash;
		html_put_part_text(out, str_slice(text, at, end));
		if (slash != SIZE_MAX)
			buf_add_char(to, '/');
		at = end + 1;
	}
	out->buf = page;
}

/* The address of this page without its language: what the page says, or that of the request. */
static struct str own_address(struct html *out, const struct page *page)
{
	if (!str_is_none(page->canonical))
		return page->canonical;
	if (out->request == NULL)
		return STR_NONE;
	struct buf address;
	buf_init(&address);
	add_encoded(out, &address, out->request->path);
	char separator = '?';
	for (size_t i = 0; i < out->request->query_count; i++) {
		const struct http_field *field = &out->request->query[i];
		if (str_equal(field->name, S("lang")))
			continue;
		buf_add_char(&address, separator);
		add_encoded(out, &address, field->name);
		buf_add_char(&address, '=');
		add_encoded(out, &address, field->value);
		separator = '&';
	}
	struct str copy = str_copy(out->arena, buf_str(&address));
	buf_release(&address);
	return copy;
}

static struct str address_in(struct html *out, struct str address, enum language language)
{
	const char *separator = str_find(address, S("?"), 0) == SIZE_MAX ? "?" : "&";
	return str_format(out->arena, "%.*s%slang=%s", STR_ARG(address), separator, languages[language].tag);
}

static void put_head(struct html *out, const struct page *page, struct str address)
{
	const struct language_info *language = &languages[out->language];
	buf_format(out->buf, "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<title>", language->tag,
	           language->right_to_left ? "rtl" : "ltr");
	if (page->errors != NULL && page->errors->field_count > 0) {
		put_message(out, MSG_kernel_error_prefix);
		put(out, " ");
	}
	html_put_text(out, page->title);
	put(out, " – ");
	put_message(out, MSG_kernel_site_name);
	put(out, "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	         "<meta name=\"format-detection\" content=\"telephone=no\">\n");
	if (!str_is_empty(page->refresh)) {
		/* Within noscript: where scripts run, the page updates its parts in place and is not torn away under the reader. */
		put(out, "<noscript><meta http-equiv=\"refresh\" content=\"");
		html_put_text(out, page->refresh);
		put(out, "\"></noscript>\n");
	}
	for (int i = 0; !str_is_none(address) && i < LANGUAGE_COUNT; i++) {
		buf_format(out->buf, "<link rel=\"alternate\" hreflang=\"%s\" href=\"", languages[i].tag);
		html_put_text(out, address_in(out, address, (enum language)i));
		put(out, "\">\n");
	}
	if (!str_is_none(page->feed)) {
		put(out, "<link rel=\"alternate\" type=\"application/atom+xml\" href=\"");
		html_put_text(out, address_in(out, page->feed, out->language));
		put(out, "\">\n");
	}
	const char *icon = asset_path("icon.svg");
	if (icon != NULL)
		buf_format(out->buf, "<link rel=\"icon\" type=\"image/svg+xml\" href=\"%s\">\n", icon);
	const char *manifest = page->app ? asset_path("app.webmanifest") : NULL;
	if (manifest != NULL)
		buf_format(out->buf, "<link rel=\"manifest\" href=\"%s\">\n", manifest);
	put(out, "<style>");
	html_literal(out, html_style, html_style_size);
	put(out, "</style>\n");
	const char *script = page->script != NULL ? asset_path(page->script) : NULL;
	if (script != NULL)
		buf_format(out->buf, "<script src=\"%s\" defer></script>\n", script);
	put(out, "</head>\n");
}

static void put_languages(struct html *out, struct str address)
{
	if (str_is_none(address))
		return;
	put(out, "<nav class=\"languages\" aria-label=\"");
	put_message(out, MSG_kernel_languages);
	put(out, "\"><ul>");
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		const struct language_info *language = &languages[i];
		if (i == (int)out->language) {
			buf_format(out->buf, "<li><span lang=\"%s\" aria-current=\"true\">%s</span></li>", language->tag, language->name);
			continue;
		}
		buf_format(out->buf, "<li><a lang=\"%s\" hreflang=\"%s\" dir=\"%s\" href=\"", language->tag, language->tag,
		           language->right_to_left ? "rtl" : "ltr");
		html_put_text(out, address_in(out, address, (enum language)i));
		buf_format(out->buf, "\">%s</a></li>", language->name);
	}
	put(out, "</ul></nav>");
}

static int compare_entries(const void *a, const void *b)
{
	const struct menu_entry *first = *(const struct menu_entry *const *)a, *second = *(const struct menu_entry *const *)b;
	return (first->rank > second->rank) - (first->rank < second->rank);
}

/* Is the page at `path` the entry's page or below it? A list ("/desk/alerts") stands above the pages of its items ("/desk/alert/7"). */
static bool is_below(struct str path, struct str entry)
{
	if (str_ends(entry, S("s")) && str_starts(path, str_slice(entry, 0, entry.len - 1)) && path.len >= entry.len && path.ptr[entry.len - 1] == '/')
		return true;
	if (!str_starts(path, entry))
		return false;
	return path.len == entry.len || (entry.len > 1 && path.ptr[entry.len] == '/');
}

/* Public pages show what anyone may use, officers' pages what this officer may. */
static size_t collect_menu(const struct html *out, const struct page *page, const struct menu_entry *entries[MENU_MAX])
{
	const struct house *house = out->request != NULL ? out->request->house : NULL;
	size_t count = 0;
	for (size_t i = 0; house != NULL && i < house->desk_count; i++) {
		const struct desk *desk = house->desks[i];
		for (size_t j = 0; j < desk->menu_count && count < MENU_MAX; j++) {
			const struct menu_entry *entry = &desk->menu[j];
			bool public_entry = entry->permission == PERMIT_ANYONE;
			if (public_entry != page->officer_page && (public_entry || house_may(out->request->house, out->request->officer, entry->permission)))
				entries[count++] = entry;
		}
	}
	qsort(entries, count, sizeof *entries, compare_entries);
	return count;
}

static void put_menu(struct html *out, const struct page *page)
{
	const struct menu_entry *entries[MENU_MAX];
	size_t count = collect_menu(out, page, entries);
	if (count == 0)
		return;
	const struct menu_entry *current = NULL;
	for (size_t i = 0; i < count; i++) {
		struct str path = str_from(entries[i]->path);
		if (is_below(out->request->path, path) && (current == NULL || path.len > strlen(current->path)))
			current = entries[i];
	}
	put(out, "<nav class=\"menu\" aria-label=\"");
	put_message(out, MSG_kernel_menu);
	put(out, "\"><ul>");
	for (size_t i = 0; i < count; i++) {
		put(out, "<li><a href=\"");
		html_put_link(out, html_url(out->arena, str_from(entries[i]->path)));
		put(out, entries[i] == current ? "\" aria-current=\"page\">" : "\">");
		put_message(out, (enum msg)entries[i]->message);
		put(out, "</a></li>");
	}
	put(out, "</ul></nav>\n");
}

/* Who is signed in, with the button that ends it: on shared machines people must see both. */
static void put_officer(struct html *out)
{
	const struct officer *officer = out->request != NULL ? out->request->officer : NULL;
	if (officer == NULL)
		return;
	put(out, "<form class=\"officer\" method=\"post\" action=\"/sign-out");
	html_put_language(out, false);
	put(out, "\">");
	html_put_form_token(out);
	put(out, "<span>");
	html_put_message(out, MSG_kernel_signed_in_as, (const struct msg_arg[]){ MSG_S("name", officer->name) }, 1);
	put(out, "</span> <button type=\"submit\" class=\"plain\">");
	put_message(out, MSG_kernel_sign_out);
	put(out, "</button></form>");
}

static void put_header(struct html *out, const struct page *page, struct str address)
{
	buf_format(out->buf, "<body class=\"%s%s\">\n<a class=\"skip\" href=\"#main\">", page->officer_page ? "officers" : "public",
	           page->wide ? " wide" : "");
	put_message(out, MSG_kernel_skip);
	put(out, "</a>\n<header class=\"top\"><div class=\"bar\"><a class=\"brand\" href=\"/");
	html_put_language(out, false);
	put(out, "\">");
	put_message(out, MSG_kernel_site_name);
	put(out, "</a>");
	put_languages(out, address);
	if (page->officer_page)
		put_officer(out);
	put(out, "</div>");
	put_menu(out, page);
	put(out, "</header>\n");
}

static void put_error_summary(struct html *out, const struct err *errors)
{
	if (errors == NULL || errors->field_count == 0)
		return;
	put(out, "<div class=\"summary\" role=\"alert\" tabindex=\"-1\"><h2>");
	html_put_message(out, MSG_kernel_error_summary, (const struct msg_arg[]){ MSG_N("count", errors->field_count) }, 1);
	put(out, "</h2><ul>");
	for (const struct err_field *field = errors->fields; field != NULL; field = field->next) {
		put(out, "<li>");
		if (!str_is_empty(field->field)) {
			put(out, "<a href=\"#");
			html_put_text(out, field->field);
			put(out, "\">");
		}
		html_put_text(out, err_field_text(out->arena, out->language, field));
		put(out, str_is_empty(field->field) ? "</li>" : "</a></li>");
	}
	put(out, "</ul></div>\n");
}

static void put_refresh(struct html *out, const struct page *page, struct str address)
{
	if (str_is_empty(page->refresh) || str_is_none(address))
		return;
	put(out, "<p class=\"refresh\"><a href=\"");
	html_put_link(out, html_url(out->arena, address));
	put(out, "\">");
	put_message(out, MSG_kernel_refresh);
	put(out, "</a></p>\n");
}

void page_begin(struct html *out, const struct page *page)
{
	out->errors = page->errors;
	struct str address = own_address(out, page);
	put_head(out, page, address);
	put_header(out, page, address);
	put(out, "<main id=\"main\" tabindex=\"-1\">\n");
	put_error_summary(out, page->errors);
	if (!str_is_empty(page->notice)) {
		put(out, "<p class=\"notice\" role=\"status\">");
		html_put_text(out, page->notice);
		put(out, "</p>\n");
	}
	put(out, "<h1>");
	html_put_text(out, page->title);
	put(out, "</h1>\n");
	put_refresh(out, page, address);
}

void page_end(struct html *out, const struct page *page)
{
	put(out, "\n</main>\n<footer class=\"bottom\">");
	if (!page->officer_page) {
		put(out, "<p class=\"noprint\"><a href=\"/sign-in");
		html_put_language(out, false);
		put(out, "\">");
		put_message(out, MSG_kernel_officers);
		put(out, "</a></p>");
	}
	/* GeoNames' licence (CC BY 4.0) asks to be named wherever its places show. */
	put(out, "<p>");
	put_message(out, MSG_kernel_places_from);
	put(out, " <a href=\"https://www.geonames.org/\" rel=\"noreferrer\" lang=\"en\" dir=\"ltr\">GeoNames</a> "
	         "(<a href=\"https://creativecommons.org/licenses/by/4.0/\" rel=\"noreferrer\" lang=\"en\" dir=\"ltr\">CC BY 4.0</a>)</p>"
	         "</footer>\n</body>\n</html>\n");
}
