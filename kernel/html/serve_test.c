/* Pages over real HTTP: the language that stays with the reader, menus, error pages, the style's hash, assets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "html_pages.h"
#include "kernel/access/access.h"
#include "kernel/html/assets.h"
#include "kernel/html/error_page.h"
#include "kernel/html/gallery.h"
#include "kernel/http/http.h"

static struct arena arena;
static struct house *house;
static struct http_server *server;

static void handle_gallery(struct request *request, struct response *response)
{
	struct html out = html_begin(request, response);
	struct gallery view = gallery_sample(request->arena, request->language, NULL);
	view.page.canonical = STR_NONE;
	gallery(&out, &view);
}

static void handle_board(struct request *request, struct response *response)
{
	struct html out = html_begin(request, response);
	struct page page = { .title = S("Board"), .officer_page = true, .script = "live.js", .refresh = S("30") };
	page_begin(&out, &page);
	page_end(&out, &page);
}

static void handle_rules(struct request *request, struct response *response)
{
	struct err err;
	err_init(&err, request->arena);
	err_field(&err, S("x"), MSG_kernel_skip, STR_NONE, STR_NONE);
	response_error(request, response, INVALID, &err);
}

static const struct route routes[] = {
	{ .method = METHOD_GET, .path = "/gallery", .handle = handle_gallery, .summary = "Every component", .permission = PERMIT_ANYONE },
	{ .method = METHOD_POST, .path = "/gallery", .handle = handle_gallery, .summary = "The same", .permission = PERMIT_ANYONE },
	{ .method = METHOD_GET, .path = "/gallery/:part", .handle = handle_gallery, .summary = "The same", .permission = PERMIT_ANYONE },
	{ .method = METHOD_GET, .path = "/rules", .handle = handle_rules, .summary = "Broken rules", .permission = PERMIT_ANYONE },
	{ .method = METHOD_GET, .path = "/board", .handle = handle_board, .summary = "For officers", .permission = PERMIT_OFFICER },
};

static const struct menu_entry menu[] = {
	{ MSG_kernel_officers, "/board", PERMIT_OFFICER, 1 },
	{ MSG_kernel_menu, "/gallery", PERMIT_ANYONE, 20 },
	{ MSG_kernel_languages, "/rules", PERMIT_ANYONE, 10 },
	{ MSG_kernel_skip, "/users", PERMIT_ADMINISTRATOR, 2 },
};

static const struct desk sample_desk = { .name = "sample", .routes = routes, .route_count = COUNT_OF(routes), .menu = menu,
	                                 .menu_count = COUNT_OF(menu) };
static const struct desk *const desks[] = { &house_desk, &http_desk, &sample_desk };

static const struct officer *identify(struct request *request)
{
	static const struct officer officer = { .id = 1, .name = { "Ana <x>", 7 }, .permission = PERMIT_OFFICER };
	return str_equal(request_cookie(request, "who"), S("officer")) ? &officer : NULL;
}

static bool allows(const struct officer *officer, enum permission permission)
{
	return officer != NULL && officer->permission >= permission;
}

static int start(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	arena_init(&arena);
	struct err err;
	err_init(&err, &arena);
	struct house_options house_options = { .desks = desks, .desk_count = COUNT_OF(desks) };
	if (house_new(&house_options, &house, &err) != OK)
		return -1;
	house_set_identify(house, identify, allows);
	struct http_options options = { .listen = "127.0.0.1:0" };
	house_set_error_page(house, html_error_page);
	if (house_start(house, &err) != OK || http_start(house, &options, &server, &err) != OK) {
		print_error("%.*s\n", STR_ARG(err.detail));
		return -1;
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_stop(server);
	house_stop(house);
	house_free(house);
	arena_release(&arena);
	return 0;
}

/* Sends a request and returns all that comes back. */
static struct str ask(const char *method, const char *target, const char *headers)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(server, false)),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int socket_ = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(socket_ >= 0);
	assert_int_equal(connect(socket_, (const struct sockaddr *)&address, sizeof address), 0);
	struct str text = str_format(&arena, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method, target, headers);
	assert_int_equal(send(socket_, text.ptr, text.len, MSG_NOSIGNAL), text.len);
	struct buf answer;
	buf_init(&answer);
	for (;;) {
		buf_reserve(&answer, 65536);
		ssize_t got = recv(socket_, answer.ptr + answer.len, 65536, 0);
		if (got <= 0)
			break;
		answer.len += (size_t)got;
	}
	close(socket_);
	struct str copy = str_copy(&arena, buf_str(&answer));
	buf_release(&answer);
	return copy;
}

static bool holds(struct str text, const char *what)
{
	return str_find(text, str_from(what), 0) != SIZE_MAX;
}

static void language_stays_with_the_reader(void **state)
{
	(void)state;
	struct str page = ask("GET", "/gallery?lang=fa&q=%D8%AA%26x", "Accept-Language: fr\r\n");
	assert_true(str_starts(page, S("HTTP/1.1 200")));
	assert_true(holds(page, "<html lang=\"fa\" dir=\"rtl\">"));
	assert_true(holds(page, "href=\"/alerts/1000?lang=fa\""));
	assert_true(holds(page, "action=\"/gallery?lang=fa#form\""));
	assert_true(holds(page, "<a href=\"/gallery?part=1&amp;lang=fa\""));
	assert_true(holds(page, "action=\"/gallery\"><input type=\"hidden\" name=\"lang\" value=\"fa\">"));
	/* The switch keeps the question and drops the old choice. */
	assert_true(holds(page, "href=\"/gallery?q=%D8%AA%26x&amp;lang=fr\""));
	assert_false(holds(page, "lang=fa&amp;q="));
	assert_true(holds(page, "name=\"form_token\" value=\""));

	page = ask("GET", "/gallery/a%20b%22", "Accept-Language: fr\r\n");
	assert_true(holds(page, "<html lang=\"fr\" dir=\"ltr\">"));
	assert_true(holds(page, "href=\"/alerts/1000\""));
	assert_false(holds(page, "name=\"lang\""));
	assert_true(holds(page, "%22?lang=ar\""));

	page = ask("GET", "/gallery?lang=xx", "");
	assert_true(holds(page, "<html lang=\"en\" dir=\"ltr\">"));
	assert_true(holds(page, "href=\"/alerts/1000\""));
}

static void menus_show_what_one_may_use(void **state)
{
	(void)state;
	struct str page = ask("GET", "/gallery/x", "");
	size_t first = str_find(page, S("<li><a href=\"/rules\">Languages</a></li>"), 0);
	size_t second = str_find(page, S("<li><a href=\"/gallery\" aria-current=\"page\">Main menu</a></li>"), 0);
	assert_true(first < second && second != SIZE_MAX);
	assert_false(holds(page, "href=\"/board\""));
	assert_false(holds(page, "<script"));

	page = ask("GET", "/board", "Cookie: who=officer\r\n");
	assert_true(holds(page, "<li><a href=\"/board\" aria-current=\"page\">"));
	assert_false(holds(page, "href=\"/gallery\""));
	assert_false(holds(page, "href=\"/users\""));
	assert_true(holds(page, "Ana &lt;x&gt;"));
	assert_true(holds(page, "action=\"/sign-out\"><input type=\"hidden\" name=\"form_token\""));
	assert_true(holds(page, str_c(&arena, str_format(&arena, "<script src=\"%s\" defer>", asset_path("live.js")))));
}

static void errors_speak_the_readers_language(void **state)
{
	(void)state;
	struct str page = ask("GET", "/nowhere", "Accept-Language: fr\r\n");
	assert_true(str_starts(page, S("HTTP/1.1 404")));
	assert_true(holds(page, "<h1>Cette page n’existe pas</h1>"));
	page = ask("POST", "/gallery?lang=ar", "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b");
	assert_true(str_starts(page, S("HTTP/1.1 403")));
	assert_true(holds(page, "<html lang=\"ar\" dir=\"rtl\">"));
	assert_true(holds(page, "افتح الاستمارة من جديد"));
	page = ask("GET", "/rules", "");
	assert_true(str_starts(page, S("HTTP/1.1 422")));
	assert_true(holds(page, "<li>Skip to the content</li>"));
	page = ask("DELETE", "/gallery", "");
	assert_true(str_starts(page, S("HTTP/1.1 405")));
}

static void style_is_allowed_by_its_hash(void **state)
{
	(void)state;
	static const char *const targets[] = { "/gallery", "/nowhere" };
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		struct str page = ask("GET", targets[i], "");
		assert_true(holds(page, str_c(&arena, str_format(&arena, "'%s'", html_style_hash))));
		assert_true(holds(page, str_c(&arena, str_format(&arena, "<style>%s</style>", html_style))));
	}
}

static void assets_are_served(void **state)
{
	(void)state;
	const struct asset *asset = asset_find(str_from(asset_path("live.js")));
	struct str answer = ask("GET", asset->path, "");
	assert_true(str_starts(answer, S("HTTP/1.1 200")));
	assert_true(str_ends(answer, (struct str){ (const char *)asset->bytes, asset->size }));
	assert_true(holds(answer, "immutable"));
	answer = ask("GET", asset->path, "Accept-Encoding: gzip\r\n");
	assert_true(str_ends(answer, (struct str){ (const char *)asset->gzip, asset->gzip_size }));
	answer = ask("GET", "/assets/live.js", "");
	assert_true(str_starts(answer, S("HTTP/1.1 404")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(language_stays_with_the_reader),
		cmocka_unit_test(menus_show_what_one_may_use),
		cmocka_unit_test(errors_speak_the_readers_language),
		cmocka_unit_test(style_is_allowed_by_its_hash),
		cmocka_unit_test(assets_are_served),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
