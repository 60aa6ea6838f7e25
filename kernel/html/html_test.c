#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include <cmocka.h>

#include "html_pages.h"
#include "kernel/html/assets.h"
#include "kernel/html/gallery.h"

static struct arena arena;
static struct buf buf;
static struct html out;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	buf_init(&buf);
	out = html_plain(&buf, &arena, LANGUAGE_EN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&buf);
	arena_release(&arena);
	return 0;
}

#define assert_written(expected)                                            \
	do {                                                                \
		assert_string_equal(str_c(&arena, buf_str(&buf)), expected); \
		buf_clear(&buf);                                            \
	} while (0)

static bool holds(const char *text)
{
	return str_find(buf_str(&buf), str_from(text), 0) != SIZE_MAX;
}

static size_t times(const char *text)
{
	size_t count = 0;
	struct str needle = str_from(text);
	for (size_t at = str_find(buf_str(&buf), needle, 0); at != SIZE_MAX; at = str_find(buf_str(&buf), needle, at + 1))
		count++;
	return count;
}

static void escapes(void **state)
{
	(void)state;
	html_put(&out, S("<b> & \"x\" 'y'"));
	assert_written("&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;");
	html_put(&out, "a\tb\n");
	assert_written("a\tb\n");
	html_put(&out, S("a\0b\x1b"));
	assert_written("a\uFFFDb\uFFFD");
	html_put(&out, STR_NONE);
	html_put(&out, S(""));
	assert_written("");
	html_put(&out, ((struct html_markup){ S("<i>x</i>") }));
	assert_written("<i>x</i>");
	html_put_attribute(&out, S("\" onload=\"x"));
	assert_written("&quot; onload=&quot;x");
}

static void numbers_for_people_and_machines(void **state)
{
	(void)state;
	out.language = LANGUAGE_FA;
	html_put(&out, 1404);
	assert_written("۱٬۴۰۴");
	html_put_attribute(&out, 1404);
	assert_written("1404");
	html_put_part(&out, (size_t)1404);
	assert_written("1404");
	html_put(&out, UINT64_MAX);
	assert_written("18446744073709551615");
	html_put_attribute(&out, INT64_MIN);
	assert_written("-9223372036854775808");
}

static void addresses_are_checked(void **state)
{
	(void)state;
	static const char *const good[] = { "/", "/a?b=c#d", "#x", "?page=2", "https://example.org/", "HTTP://example.org", "mailto:a@example.org",
		                            "tel:+441632960001", "sms:+441632960001" };
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_string_equal(html_url(&arena, str_from(good[i])).text.ptr, good[i]);
	static const char *const bad[] = { "javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "//example.org/", "/\\example.org", "",
		                           " /x", "/a b", "java\nscript:x", "relative", "https://", "vbscript:x", "/a\x01", "\\\\host" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_string_equal(html_url(&arena, str_from(bad[i])).text.ptr, "#");
	assert_string_equal(html_url(&arena, STR_NONE).text.ptr, "#");
	html_put_part(&out, S("a/b?c=d&e é%"));
	assert_written("a%2Fb%3Fc%3Dd%26e%20%C3%A9%25");
}

static void links_carry_the_choice_of_language(void **state)
{
	(void)state;
	html_put_link(&out, html_url(&arena, S("/a#b")));
	assert_written("/a#b");
	out.language = LANGUAGE_FA;
	out.language_chosen = true;
	html_put_link(&out, html_url(&arena, S("/a#b")));
	assert_written("/a?lang=fa#b");
	html_put_link(&out, html_url(&arena, S("/a?b=1")));
	assert_written("/a?b=1&amp;lang=fa");
	html_put_link(&out, html_url(&arena, S("https://example.org/")));
	assert_written("https://example.org/");
	html_put_url(&out, html_url(&arena, S("/a")));
	assert_written("/a");
	html_put_language_field(&out);
	assert_written("<input type=\"hidden\" name=\"lang\" value=\"fa\">");
}

static void dates_and_times(void **state)
{
	(void)state;
	html_put_date(&out, date_to_days(2026, 3, 14));
	assert_written("<time datetime=\"2026-03-14\">14 March 2026</time>");
	int64_t at = (date_to_days(2026, 3, 14) * 24 + 10) * CLOCK_HOUR;
	html_put_time(&out, at, S("Asia/Tehran"));
	assert_written("<time datetime=\"2026-03-14T10:00:00Z\">14 March 2026 at 13:30 GMT+3:30</time>");
	out.now = at + CLOCK_HOUR;
	html_put_relative(&out, at);
	assert_written("<time datetime=\"2026-03-14T10:00:00Z\">1 hour ago</time>");
}

static void fields_name_their_errors(void **state)
{
	(void)state;
	struct err err;
	err_init(&err, &arena);
	err_field(&err, S("leg.1.place"), MSG_kernel_menu, STR_NONE, STR_NONE);
	out.errors = &err;
	struct field field = { .name = "place", .group = "leg", .row = 1, .label = MSG_kernel_menu, .hint = MSG_kernel_officers,
		               .value = S("\"><script>"), .longest = 200, .autocomplete = "off" };
	field_text(&out, &field);
	assert_true(holds("<label for=\"leg.1.place\">"));
	assert_true(holds("id=\"leg.1.place\" name=\"leg.1.place\" aria-describedby=\"leg.1.place-hint leg.1.place-error\" aria-invalid=\"true\""));
	assert_true(holds("<p class=\"error\" id=\"leg.1.place-error\">"));
	assert_true(holds("value=\"&quot;&gt;&lt;script&gt;\""));
	assert_true(holds("(optional)"));
	assert_true(holds("maxlength=\"200\""));
	buf_clear(&buf);
	field.row = 0;
	field.required = true;
	field_text(&out, &field);
	assert_false(holds("error"));
	assert_false(holds("(optional)"));
	assert_true(holds("aria-required"));
	buf_clear(&buf);
	field_text(&out, &(struct field){ .name = "secret", .label = MSG_kernel_menu, .type = "password", .value = S("hunter2") });
	assert_false(holds("hunter2"));
	buf_clear(&buf);
	field_area(&out, &(struct field){ .name = "note", .label = MSG_kernel_menu, .value = S("</textarea><b>") }, 4);
	assert_true(holds("&lt;/textarea&gt;"));
	assert_int_equal(times("</textarea>"), 1);
	buf_clear(&buf);
	struct choice options[] = { { S("a"), S("A & B"), false }, { S("b"), S("B"), true } };
	field_radios(&out, &(struct field){ .name = "kind", .label = MSG_kernel_menu }, options, 2);
	assert_true(holds("<input type=\"radio\" id=\"kind\" name=\"kind\" value=\"a\"><label for=\"kind\">A &amp; B</label>"));
	assert_true(holds("<input type=\"radio\" id=\"kind-1\" name=\"kind\" value=\"b\" checked>"));
	buf_clear(&buf);
	field_select(&out, &(struct field){ .name = "kind", .label = MSG_kernel_menu }, options, 2);
	assert_true(holds("<option value=\"b\" selected>B</option>"));
}

/* Start and end tags balance; returns the number of elements. */
static size_t check_balance(struct str text)
{
	static const char *const empty[] = { "meta", "link", "input", "img", "br", "hr" };
	struct str open[64];
	size_t depth = 0, elements = 0;
	for (size_t at = str_find(text, S("<"), 0); at != SIZE_MAX; at = str_find(text, S("<"), at + 1)) {
		if (text.ptr[at + 1] == '!')
			continue;
		bool end = text.ptr[at + 1] == '/';
		size_t from = at + (end ? 2 : 1), to = from;
		while (to < text.len && text.ptr[to] != ' ' && text.ptr[to] != '>')
			to++;
		struct str name = str_slice(text, from, to);
		if (end) {
			assert_true(depth > 0);
			assert_true(str_equal(open[--depth], name));
			continue;
		}
		elements++;
		bool is_empty = false;
		for (size_t i = 0; i < COUNT_OF(empty); i++)
			is_empty = is_empty || str_equal(name, str_from(empty[i]));
		if (!is_empty) {
			assert_true(depth < COUNT_OF(open));
			open[depth++] = name;
		}
	}
	assert_int_equal(depth, 0);
	return elements;
}

static void frame_is_whole_in_every_language(void **state)
{
	(void)state;
	for (int language = 0; language < LANGUAGE_COUNT; language++) {
		out.language = (enum language)language;
		struct err err;
		err_init(&err, &arena);
		err_field(&err, S("name"), MSG_kernel_menu, STR_NONE, STR_NONE);
		err_field(&err, S(""), MSG_kernel_menu, STR_NONE, STR_NONE);
		struct gallery view = gallery_sample(&arena, out.language, &err);
		gallery(&out, &view);
		assert_true(check_balance(buf_str(&buf)) > 200);
		assert_true(str_starts(buf_str(&buf), S("<!DOCTYPE html>")));
		assert_true(holds(languages[language].right_to_left ? "dir=\"rtl\">\n<head>" : "dir=\"ltr\">\n<head>"));
		assert_int_equal(times("<h1>"), 1);
		assert_int_equal(times("rel=\"alternate\" hreflang="), LANGUAGE_COUNT);
		assert_true(holds("href=\"/gallery?lang=fa\""));
		assert_true(holds("<div class=\"summary\" role=\"alert\""));
		assert_true(holds("<a href=\"#name\">"));
		assert_true(holds("<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>"));
		assert_false(holds("<script"));
		assert_false(holds("style=\""));
		assert_true(holds("&lt;samedi&gt;"));
		buf_clear(&buf);
	}
}

static void officers_pages_may_have_a_script(void **state)
{
	(void)state;
	struct page page = { .title = S("Board"), .officer_page = true, .script = "live.js", .canonical = S("/board?x=1") };
	page_begin(&out, &page);
	page_end(&out, &page);
	check_balance(buf_str(&buf));
	assert_true(holds("<script src=\"/assets/live."));
	assert_true(holds("href=\"/board?x=1&amp;lang=ar\""));
	assert_false(holds("class=\"summary\""));
}

static void style_is_small_and_safe(void **state)
{
	(void)state;
	assert_int_equal(strlen(html_style), html_style_size);
	unsigned char packed[65536];
	z_stream stream = { 0 };
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	union {
		const char *given;
		Bytef *wanted; /* zlib reads it only */
	} input = { html_style };
	stream.next_in = input.wanted;
	stream.avail_in = (uInt)html_style_size;
	stream.next_out = packed;
	stream.avail_out = sizeof packed;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_true(stream.total_out <= 6 * 1024);
	deflateEnd(&stream);
	assert_true(strstr(html_style, "</") == NULL);
	assert_true(strstr(html_style, "url(") == NULL);
	assert_int_equal(strlen(html_style_hash), 7 + 44);
}

static void assets_have_lasting_names(void **state)
{
	(void)state;
	const char *path = asset_path("live.js");
	assert_non_null(path);
	const struct asset *asset = asset_find(str_from(path));
	assert_non_null(asset);
	assert_true(asset->size <= 2048);
	assert_string_equal(asset->content_type, "text/javascript; charset=utf-8");
	assert_null(asset_path("nothing.js"));
	assert_null(asset_find(S("/assets/live.js")));
	assert_null(asset_find(STR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_for_people_and_machines, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(links_carry_the_choice_of_language, setup, teardown),
		cmocka_unit_test_setup_teardown(dates_and_times, setup, teardown),
		cmocka_unit_test_setup_teardown(fields_name_their_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(frame_is_whole_in_every_language, setup, teardown),
		cmocka_unit_test_setup_teardown(officers_pages_may_have_a_script, setup, teardown),
		cmocka_unit_test_setup_teardown(style_is_small_and_safe, setup, teardown),
		cmocka_unit_test_setup_teardown(assets_have_lasting_names, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
