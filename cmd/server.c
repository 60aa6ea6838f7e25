/* A running server. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "cmd/server.h"
#include "core/audience/audience.h"
#include "core/messages/messages.h"

#define CHANGES_KEPT (7 * CLOCK_DAY) /* who has not looked for so long reads everything anew */
#define SERVER_PATIENCE (10 * CLOCK_SECOND) /* for carriers' answers when the server ends */

static int64_t started_at; /* set once, before the first question */

static void
trim_changes(struct house *house)
{
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	if (db_change_trim(house->db, clock_now() - CHANGES_KEPT, &err) != OK)
		log_warn("server.trim", LOGS("detail", err.detail));
	arena_release(&arena);
}

static void
write_metrics(struct house *house, struct buf *out)
{
	struct leg_index *index = audience_index(house);
	const struct {
		const char *name, *help;
		int64_t value;
	} figures[] = {
		{ "index_entries", "Stays and watches in the index in memory", (int64_t)leg_index_count(index) },
		{ "index_bytes", "Memory of the index", (int64_t)leg_index_bytes(index) },
		{ "start_time_seconds", "When the server started, in seconds since 1970", started_at / CLOCK_SECOND },
	};

	for (size_t i = 0; i < COUNT_OF(figures); i++)
		buf_format(out, "# HELP chancery_%s %s\n# TYPE chancery_%s gauge\nchancery_%s %lld\n", figures[i].name, figures[i].help, figures[i].name,
		           figures[i].name, (long long)figures[i].value);
}

static enum rc
start(struct house *house, struct err *err)
{
	(void)err;
	started_at = clock_now();
	house_add_metrics(house, write_metrics);
	return OK;
}

static const struct job jobs[] = {
	{ "server.trim", CLOCK_DAY, trim_changes, "Removes changes of more than seven days ago from the change sequence" },
};

static const struct setting settings[] = {
	{ "server.public_url", SETTING_TEXT, "", 0, SERVER_URL_MAX, "Address that people see, https://HOST without a slash at the end; it stands in every link we send" },
};

const struct desk server_desk = {
	.name = "server",
	.jobs = jobs,
	.job_count = COUNT_OF(jobs),
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.start = start,
};

void
server_block_signals(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGINT);
	pthread_sigmask(SIG_BLOCK, out, NULL);
	signal(SIGPIPE, SIG_IGN);
}

enum rc
folder_lock(const char *data_folder, const char *name, bool alone, const char *held, int *out, struct err *err)
{
	struct arena arena;
	enum rc rc = OK;

	arena_init(&arena);
	const char *path = str_format(&arena, "%s/%s.lock", data_folder, name).ptr;
	const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		rc = err_set(err, FAILED, "%s: %s", path, strerror(errno));
	else if (flock(file, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		*out = file;
	else if (errno == EWOULDBLOCK)
		rc = err_set(err, CONFLICT, "%s: %s", data_folder, held);
	else
		rc = err_set(err, FAILED, "%s: %s", path, strerror(errno));
	if (rc != OK && file >= 0)
		close(file);
	arena_release(&arena);
	return rc;
}

/* Before the first request can come, so that no thread sees it change. */
static void
take_port(void *context, int port)
{
	struct server *server = context;

	if (*server->house->public_url)
		return;
	snprintf(server->url, sizeof server->url, "http://localhost:%d", port);
	server->house->public_url = server->url;
}

enum rc
server_start(struct server *server, struct house *house, const struct http_options *http, struct err *err)
{
	struct http_options ours = *http;

	*server = (struct server){ .house = house, .lock = -1 };
	ours.bound = take_port;
	ours.context = server;
	enum rc rc = folder_lock(house->data_folder, "server", false, "a backup is being restored into it", &server->lock, err);
	if (rc == OK)
		rc = house_start(house, err);
	if (rc != OK)
		return rc;
	server->started = true;
	rc = roads_open(house, &server->roads, err);
	if (rc == OK)
		rc = http_start(house, &ours, &server->http, err);
	if (rc == OK)
		rc = messages_serve(house, err);
	if (rc == OK)
		rc = audience_serve(house, err);
	return rc == OK ? house_run_jobs(house, err) : rc;
}

void
server_stop(struct server *server)
{
	if (server->http)
		http_stop(server->http);
	messages_stop(server->house, SERVER_PATIENCE);
	if (server->started)
		house_stop(server->house);
	roads_close(&server->roads);
	if (server->lock >= 0)
		close(server->lock);
	*server = (struct server){ .house = server->house, .lock = -1 };
}
