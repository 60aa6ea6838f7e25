/* `chancery demo`: an invented world, a simulated carrier, phones and mailboxes, and the server, all in the foreground. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/demo.h"
#include "cmd/server.h"
#include "cmd/simulator.h"
#include "kernel/access/access.h"

#define DEMO_PORT 8080
#define DEMO_LOGIN "officer"

struct demo_options {
	int64_t port, simulator_port;
};

static bool
port_read(const char *text, int64_t *out)
{
	return str_to_int(str_from(text), out) && *out >= 0 && *out <= 65535;
}

static bool
demo_read(struct command_line *line, struct demo_options *out)
{
	static const struct option options[] = { { "port", required_argument, NULL, 'p' }, { "simulator-port", required_argument, NULL, 's' }, { NULL, 0, NULL, 0 } };
	int option;

	*out = (struct demo_options){ .port = DEMO_PORT, .simulator_port = -1 };
	optind = 0;
	while ((option = getopt_long(line->argc, line->argv, "", options, NULL)) != -1) {
		if (option == 'p' ? !port_read(optarg, &out->port) : option == 's' ? !port_read(optarg, &out->simulator_port) : true)
			return false;
	}
	if (out->simulator_port < 0)
		out->simulator_port = out->port && out->port < 65535 ? out->port + 1 : 0;
	return optind == line->argc;
}

/* 'text' for a shell. */
static void
add_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '\'');
	for (; *text; text++)
		if (*text == '\'')
			buf_add_str(out, S("'\\''"));
		else
			buf_add_char(out, *text);
	buf_add_char(out, '\'');
}

/* The command by which the simulator gives us a mail, as Postfix would. */
static void
mail_command(const struct command_line *line, struct buf *out)
{
	char program[4096];

	const ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
	program[size > 0 ? size : 0] = 0;
	add_quoted(out, program);
	if (line->db_url) {
		buf_add_str(out, S(" --db "));
		add_quoted(out, line->db_url);
	}
	buf_add_str(out, S(" --data "));
	add_quoted(out, line->data_folder);
	buf_add_str(out, S(" receive-mail \"$1\" \"$2\""));
	buf_add_char(out, 0);
}

/* The simulator takes any password; the file must exist for the road to use one. */
static enum rc
password_write(const struct house *house, struct arena *arena, struct err *err)
{
	const char *path = str_format(arena, "%s/smpp.password", house->data_folder).ptr;

	const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return errno == EEXIST ? OK : err_set(err, FAILED, "%s: %s", path, strerror(errno));
	const bool written = write(file, "demo\n", 5) == 5;
	close(file);
	return written ? OK : err_set(err, FAILED, "%s cannot be written", path);
}

static enum rc
settings_write(struct house *house, struct arena *arena, const struct simulator_child *simulator, struct err *err)
{
	const struct {
		const char *name;
		struct str value;
	} values[] = {
		{ "smtp.relay", str_format(arena, "127.0.0.1:%d", simulator->smtp) },
		{ "smpp.host", S("127.0.0.1") },
		{ "smpp.port", str_format(arena, "%d", simulator->smpp) },
		{ "smpp.system_id", S("demo") },
		{ "smpp.source_address", S("7070") },
		{ "messages.mail_from", S("alerts@chancery.example") },
		{ "messages.mail_domain", S("chancery.example") },
		{ "messages.list_id", S("alerts.chancery.example") },
	};
	enum rc rc = password_write(house, arena, err);

	for (size_t i = 0; rc == OK && i < COUNT_OF(values); i++)
		rc = setting_set(house, values[i].name, values[i].value, err);
	return rc;
}

/* --- the first officer ------------------------------------------------------------------------------------- */

struct first_officer {
	bool known, set_up;
};

static void
look_at_officer(void *context, const struct officer_summary *officer)
{
	struct first_officer *first = context;

	if (str_equal(officer->login, S(DEMO_LOGIN)))
		first->known = true;
	first->set_up = first->set_up || (officer->set_up && !officer->disabled);
}

/* A link to set up the first officer, or STR_NONE where there is one who can sign in. */
static enum rc
officer_prepare(struct house *house, struct arena *arena, struct str *path_out, struct err *err)
{
	struct first_officer first = { false, false };

	*path_out = STR_NONE;
	enum rc rc = officer_each(house, arena, look_at_officer, &first, err);
	if (rc != OK || first.set_up)
		return rc;
	if (first.known)
		return officer_link(house, arena, S(DEMO_LOGIN), -1, path_out, err);
	return officer_add(house, arena, S("First Officer"), S(DEMO_LOGIN), PERMIT_ADMINISTRATOR, -1, path_out, err);
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

static void
tell(const struct house *house, const struct simulator_child *simulator, struct str setup)
{
	const char *url = house->public_url;

	printf("Chancery is ready: %s\n\nWhat to try:\n", url);
	if (str_is_none(setup))
		printf("  1. Sign in as the officer you set up:               %s/sign-in\n", url);
	else
		printf("  1. Become the first officer (works once, 24 hours): %s%.*s\n", url, STR_ARG(setup));
	printf("  2. Watch phones and mailboxes, answer from them:    http://localhost:%d/\n"
	       "  3. Enrol as a traveller in Tunis:                   %s/enrol\n"
	       "     (any example address; the code arrives at 2)\n"
	       "  4. Write an alert for 50 km around Tunis, send it:  %s/desk/alerts\n"
	       "  5. Answer SAFE or HELP from a phone at 2, and watch the board count.\n\n"
	       "Everyone in it is invented. Ctrl-C stops it; the next start goes on with the same world.\n",
	       simulator->http, url, url);
	fflush(stdout);
}

static enum rc
demo_run(struct command_line *line, const struct demo_options *options, const struct simulator_child *simulator, struct arena *arena,
         const sigset_t *signals, struct err *err)
{
	const char *listen = str_format(arena, "127.0.0.1:%d", (int)options->port).ptr;
	const struct http_options http = { .listen = listen };
	struct server server;
	struct str setup = STR_NONE;
	int signal;

	const char *url = options->port ? str_format(arena, "http://localhost:%d", (int)options->port).ptr : "";
	struct house *house = command_house(line, url, false);
	enum rc rc = demo_world_check(house, err);
	if (rc == OK)
		rc = settings_write(house, arena, simulator, err);
	if (rc == OK) {
		home_demo_set(arena, simulator->http);
		rc = server_start(&server, house, &http, err);
		if (rc == OK)
			rc = setting_set(house, "server.public_url", str_from(house->public_url), err);
		/* Until the world stands a signal ends all of it at once: the store bears that, and the next start goes on. */
		pthread_sigmask(SIG_UNBLOCK, signals, NULL);
		if (rc == OK)
			rc = demo_world_make(house, simulator, err);
		pthread_sigmask(SIG_BLOCK, signals, NULL);
		if (rc == OK)
			rc = officer_prepare(house, arena, &setup, err);
		if (rc == OK) {
			tell(house, simulator, setup);
			sigwait(signals, &signal);
		}
		server_stop(&server);
	}
	command_house_close(house);
	return rc;
}

int
command_demo(struct command_line *line)
{
	struct demo_options options;
	struct simulator_child simulator;
	struct buf mail;
	struct arena arena;
	struct err err;
	sigset_t signals;

	if (!demo_read(line, &options))
		return command_usage(line, "these options do not fit");
	arena_init(&arena);
	err_init(&err, &arena);
	buf_init(&mail);
	mail_command(line, &mail);
	enum rc rc = simulator_begin(&simulator, (int)options.simulator_port, mail.ptr, &err);
	server_block_signals(&signals);
	if (rc == OK) {
		rc = demo_run(line, &options, &simulator, &arena, &signals, &err);
		simulator_end(&simulator);
	}
	const int status = command_fail(rc, &err);
	buf_release(&mail);
	arena_release(&arena);
	return status;
}
