/* chancery-simulator: see README.md, or --help. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "tests/simulator/simulator.h"

static void print_fault(void *context, const char *name, int64_t value, const char *help)
{
	fprintf(context, "  %s=%lld  %s\n", name, (long long)value, help);
}

static void usage(FILE *out)
{
	struct faults faults;
	faults_init(&faults);
	fputs("usage: chancery-simulator [OPTIONS]\n"
	      "An SMS centre (SMPP), a mail relay (SMTP) and a page with the phones and mailboxes behind them, on loopback.\n"
	      "Prints one line of JSON with the ports when it is ready, and ends on SIGTERM or SIGINT.\n\n"
	      "  --smpp PORT, --smtp PORT, --http PORT   0, the default, takes any\n"
	      "  --keep N            texts kept (10000); all are counted\n"
	      "  --short-code N      whom a phone writes to that was written to under a name (4411)\n"
	      "  --mail-command CMD  given each mail that a mailbox writes on standard input; $1 is the sender, $2 the recipient\n"
	      "  --mail-url URL      gets it by POST instead\n"
	      "  --mail-to ADDRESS   whom a mailbox writes to that has received nothing\n"
	      "  --fault NAME=VALUE  may be repeated; also changed while it runs by POST /faults:\n",
	      out);
	faults_each(&faults, print_fault, out);
}

static bool read_port(const char *text, uint16_t *out)
{
	int64_t value;
	if (!str_to_int(str_from(text), &value) || value < 0 || value > 65535)
		return false;
	*out = (uint16_t)value;
	return true;
}

static bool read_fault(struct faults *faults, const char *text)
{
	struct str name, value;
	char copy[64];
	int64_t number;
	if (!str_cut(str_from(text), '=', &name, &value) || name.len >= sizeof copy || !str_to_int(value, &number))
		return false;
	snprintf(copy, sizeof copy, "%.*s", STR_ARG(name));
	return faults_set(faults, copy, number);
}

static bool read_option(struct simulator_options *options, int option, const char *value)
{
	int64_t number;
	switch (option) {
	case 's':
		return read_port(value, &options->smpp_port);
	case 'm':
		return read_port(value, &options->smtp_port);
	case 'w':
		return read_port(value, &options->http_port);
	case 'k':
		if (!str_to_int(str_from(value), &number) || number < 1 || number > 10000000)
			return false;
		options->keep = (size_t)number;
		return true;
	case 'n':
		options->short_code = str_from(value);
		return true;
	case 'c':
		options->mail_command = str_from(value);
		return true;
	case 'u':
		options->mail_url = str_from(value);
		return true;
	case 't':
		options->mail_to = str_from(value);
		return true;
	case 'f':
		return read_fault(&options->faults, value);
	default:
		return false;
	}
}

/* Exit status to end with at once, or -1 to go on. */
static int read_options(int argc, char **argv, struct simulator_options *options)
{
	static const struct option OPTIONS[] = {
		{ "smpp", required_argument, NULL, 's' },       { "smtp", required_argument, NULL, 'm' },
		{ "http", required_argument, NULL, 'w' },       { "keep", required_argument, NULL, 'k' },
		{ "short-code", required_argument, NULL, 'n' }, { "mail-command", required_argument, NULL, 'c' },
		{ "mail-url", required_argument, NULL, 'u' },   { "mail-to", required_argument, NULL, 't' },
		{ "fault", required_argument, NULL, 'f' },      { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;
	while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		if (option == 'h') {
			usage(stdout);
			return 0;
		}
		if (!read_option(options, option, optarg)) {
			if (option != '?')
				fprintf(stderr, "chancery-simulator: bad value: %s\n", optarg);
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct simulator_options options;
	simulator_defaults(&options);
	int status = read_options(argc, argv, &options);
	if (status >= 0)
		return status;
	/* Blocked before threads are made, so that only sigwait below sees them. */
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	struct arena arena;
	struct err err;
	struct simulator simulator;
	arena_init(&arena);
	err_init(&err, &arena);
	if (simulator_start(&simulator, &options, &err) != OK) {
		fprintf(stderr, "chancery-simulator: %.*s\n", STR_ARG(err.detail));
		return 3;
	}
	printf("{\"ready\":true,\"smpp\":%u,\"smtp\":%u,\"http\":%u}\n", simulator.smpp_port, simulator.smtp_port, simulator.http_port);
	fflush(stdout);
	int received;
	sigwait(&ends, &received);
	simulator_stop(&simulator);
	arena_release(&arena);
	curl_global_cleanup();
	return 0;
}
