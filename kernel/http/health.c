/* What the private listener answers, and the settings of the server's limits. */
#include <jansson.h>

#include "kernel/http/exchange.h"

#define TEST_CLOCK_MAX (INT64_C(20) * 366 * 86400) /* seconds */

static void health_get(struct request *request, struct response *response)
{
	response->content_type = S("text/plain; charset=utf-8");
	bool well = house_health(request->house, &response->body);
	response->status = well ? 200 : 503;
	buf_format(&response->body, "ok=%s\n", well ? "yes" : "no");
}

static void metrics_get(struct request *request, struct response *response)
{
	response->content_type = S("text/plain; version=0.0.4; charset=utf-8");
	house_write_metrics(request->house, &response->body);
}

/* {"offset": SECONDS} moves clock_now() against the real clock. */
static void test_clock_post(struct request *request, struct response *response)
{
	if (!request->house->test_clock) {
		response_problem(request, response, PROBLEM_NOT_FOUND, NULL);
		return;
	}
	long long seconds = 0;
	json_t *root = json_loadb(request->body.ptr, request->body.len, 0, NULL);
	bool read = root && json_unpack(root, "{s:I!}", "offset", &seconds) == 0;
	json_decref(root);
	if (!read || seconds < -TEST_CLOCK_MAX || seconds > TEST_CLOCK_MAX) {
		response_problem(request, response, PROBLEM_INVALID, NULL);
		return;
	}
	clock_set_offset(seconds * CLOCK_SECOND);
	job_wake(request->house);
	response->content_type = S("application/json");
	buf_format(&response->body, "{\"offset\": %lld}\n", seconds);
}

static const struct route routes[] = {
	{ METHOD_GET, "/health", health_get, "Whether the process and its peers are well", PERMIT_PRIVATE, RATE_PAGE,
	  true },
	{ METHOD_GET, "/metrics", metrics_get, "Counters for Prometheus", PERMIT_PRIVATE, RATE_PAGE, true },
	{ METHOD_POST, "/test/clock", test_clock_post, "Moves the clock (only with --test-clock)", PERMIT_PRIVATE,
	  RATE_PAGE, true },
};

static const struct setting settings[] = {
	{ "http.form_burst", SETTING_INT, "60", 1, 1000000, "Forms one source may send at once before it has to wait" },
	{ "http.form_per_minute", SETTING_INT, "30", 1, 1000000, "Forms one source may send in a minute, on average" },
	{ "http.secret_burst", SETTING_INT, "20", 1, 1000000,
	  "Tries with codes, passwords and links one source has before it is slowed to a stop" },
	{ "http.secret_per_minute", SETTING_INT, "6", 1, 1000000,
	  "Tries with codes, passwords and links one source has in a minute, on average" },
	{ "http.listeners", SETTING_INT, "200", 1, 900,
	  "Browsers that may follow a page live at one time; more get a plain page" },
};

static void write_metrics(struct house *house, struct buf *out)
{
	struct http_server *server = house->state[SLOT_HTTP];
	struct hub_counts hub = hub_count(house->hub);
	if (server) {
		struct http_counters *counters = &server->counters;
		buf_add_str(out, S("# HELP chancery_http_responses_total Responses by class of status.\n# TYPE "
		                   "chancery_http_responses_total counter\n"));
		for (int class = 1; class <= 5; class ++)
			buf_format(out, "chancery_http_responses_total{class=\"%dxx\"} %lld\n", class,
			           (long long)atomic_load(&counters->requests[class]));
		const struct {
			const char *name, *type, *help;
			long long value;
		} figures[] = {
			{ "http_microseconds_total", "counter", "Time from head to response, all requests together.",
			  atomic_load(&counters->microseconds) },
			{ "http_heads_refused_total", "counter", "Ambiguous or malformed heads refused.",
			  atomic_load(&counters->refused_heads) },
			{ "http_queue_full_total", "counter", "Requests refused because all workers were busy.",
			  atomic_load(&counters->queue_full) },
			{ "http_rate_limited_total", "counter", "Requests refused because their source sent too many.",
			  atomic_load(&counters->rate_limited) },
			{ "http_forms_refused_total", "counter", "Posts without a valid form token.",
			  atomic_load(&counters->forms_refused) },
			{ "http_waiting", "gauge", "Requests with the workers, in their queue or slowed down.",
			  (long long)atomic_load(&server->suspended) },
			{ "http_streams", "gauge", "Browsers that follow a page live.",
			  (long long)atomic_load(&server->streams) },
			{ "http_body_bytes", "gauge", "Bytes of request bodies in memory.",
			  (long long)atomic_load(&server->bodies) },
		};
		for (size_t i = 0; i < COUNT_OF(figures); i++)
			buf_format(out, "# HELP chancery_%s %s\n# TYPE chancery_%s %s\nchancery_%s %lld\n",
			           figures[i].name, figures[i].help, figures[i].name, figures[i].type, figures[i].name,
			           figures[i].value);
	}
	buf_format(out,
	           "# HELP chancery_events_total Events published to listeners.\n# TYPE chancery_events_total "
	           "counter\nchancery_events_total %lld\n",
	           (long long)hub.published);
}

static enum rc start(struct house *house, struct err *err)
{
	(void)err;
	house_add_metrics(house, write_metrics);
	return OK;
}

const struct desk http_desk = {
	.name = "http",
	.routes = routes,
	.route_count = COUNT_OF(routes),
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.start = start,
};
