/* `chancery serve`: the server in the foreground, until SIGTERM or SIGINT. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/server.h"

#define SERVE_LISTEN "127.0.0.1:8080"

struct serve_options {
	const char *listen, *private_listen, *public_url;
	bool public_address, test_clock;
};

static bool
serve_read(struct command_line *line, struct serve_options *out)
{
	static const struct option options[] = { { "listen", required_argument, NULL, 'l' },
		                                 { "private-listen", required_argument, NULL, 'p' },
		                                 { "public-url", required_argument, NULL, 'u' },
		                                 { "allow-public-address", no_argument, NULL, 'a' },
		                                 { "test-clock", no_argument, NULL, 't' },
		                                 { NULL, 0, NULL, 0 } };
	int option;

	*out = (struct serve_options){ .listen = SERVE_LISTEN };
	optind = 0;
	while ((option = getopt_long(line->argc, line->argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'l':
			out->listen = optarg;
			break;
		case 'p':
			out->private_listen = optarg;
			break;
		case 'u':
			out->public_url = optarg;
			break;
		case 'a':
			out->public_address = true;
			break;
		case 't':
			out->test_clock = true;
			break;
		default:
			return false;
		}
	}
	return optind == line->argc;
}

/* The ready line is for those who started us: `{"ready":true,"port":8080,"private_port":9090}`. */
static void
serve_until_told(struct http_server *server, const struct serve_options *options, const sigset_t *signals)
{
	int signal;

	printf("{\"ready\":true,\"port\":%d,\"private_port\":%d}\n", http_port(server, false), options->private_listen ? http_port(server, true) : 0);
	fflush(stdout);
	log_info("serve.ready", LOGI("port", http_port(server, false)));
	sigwait(signals, &signal);
	log_info("serve.stop", LOGI("signal", signal));
}

int
command_serve(struct command_line *line)
{
	struct serve_options options;
	struct server server;
	struct arena arena;
	struct err err;
	sigset_t signals;

	if (!serve_read(line, &options))
		return command_usage(line, "these options do not fit");
	server_block_signals(&signals);
	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, options.public_url, options.test_clock);
	const struct http_options http = {
		.listen = options.listen,
		.private_listen = options.private_listen,
		.allow_public_address = options.public_address,
	};
	enum rc rc = server_start(&server, house, &http, &err);
	if (rc == OK)
		serve_until_told(server.http, &options, &signals);
	server_stop(&server);
	const int status = command_fail(rc, &err);
	command_house_close(house);
	arena_release(&arena);
	return status;
}
