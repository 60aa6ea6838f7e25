/* Chancery: what it is made of, and its commands. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "adapters/store/postgres/postgres.h"
#include "adapters/store/sqlite/sqlite.h"
#include "cmd/roads.h"
#include "cmd/server.h"
#include "core/audience/audience.h"
#include "core/carriers/carriers.h"
#include "core/messages/messages.h"
#include "core/people/people.h"
#include "core/places/places.h"
#include "desks/travel/travel.h"
#include "kernel/access/access.h"

/* --- the desks, in the order they start ------------------------------------------------------------------- */
const struct desk *const desks[] = {
	&house_desk,    /* settings, jobs, the store's figures */
	&http_desk,     /* health, metrics */
	&access_desk,   /* sign-in, officers */
	&places_desk,   /* the gazetteer */
	&people_desk,   /* who */
	&audience_desk, /* who is where: the index in memory */
	&carriers_desk, /* the SMS carriers agreed with */
	&messages_desk, /* outbox and inbox */
	&roads_desk,    /* settings of the adapters */
	&travel_desk,   /* trips, alerts, the board */
	&server_desk,   /* the public address, upkeep of the store */
	&demo_desk,     /* how far the demo's world is */
	&home_desk,     /* the first pages */
};
const size_t desk_count = COUNT_OF(desks);

/* --- the adapters ----------------------------------------------------------------------------------------- */
static void
adapters_register(void)
{
	db_register_driver(&sqlite_driver);
	db_register_driver(&postgres_driver);
}

/* --- the commands ----------------------------------------------------------------------------------------- */
static const struct command commands[] = {
	{ "alert", "create FILE | next ALERT update|cancel|clear [FILE] | send ALERT | show ALERT", "Alerts out of files, for scripts", command_alert },
	{ "backup", "FILE --to PUBLICKEY [--keep-days N]", "Writes an encrypted copy beside the running server", command_backup },
	{ "batches", "list | take-back BATCH", "Imports: what came in, and taking one back", command_batches },
	{ "carrier", "list | fields | show NAME | add NAME FIELD=VALUE... | change NAME FIELD=VALUE... | remove NAME", "SMS carriers; a running server takes them up when it starts again", command_carrier },
	{ "check", "", "Recomputes every sum that must hold", command_check },
	{ "demo", "[--port N] [--simulator-port N]", "Runs an invented world with simulated phones and mailboxes", command_demo },
	{ "export", "people [--csv]", "Everything about everyone as JSON lines; with --csv who they are", command_export },
	{ "import", "people|trips|watches FILE [--contacts-confirmed] [--operator NAME] [--keep-good]", "Brings in a file, whole or not at all", command_import },
	{ "keygen", "FILE", "Makes a key pair for backups: the private key into FILE, the public key is printed", command_keygen },
	{ "receive-mail", "[--] SENDER RECIPIENT", "Takes one mail on standard input, for the mail system's pipe (75: try again later)", command_receive_mail },
	{ "restore", "FILE --key KEYFILE [--replace]", "Proves a backup to its end, then puts it in place", command_restore },
	{ "routes", "", "Lists every address the program answers to, and who may ask", command_routes },
	{ "serve", "[--listen ADDRESS] [--private-listen ADDRESS] [--public-url URL] [--test-clock]", "Runs the server", command_serve },
	{ "settings", "[--markdown] | set NAME VALUE | clear NAME", "Lists and changes settings", command_settings },
	{ "user", "add NAME LOGIN [--permission WHAT] | link LOGIN | list | disable LOGIN | enable LOGIN", "Officers", command_user },
};

static void
help(FILE *out)
{
	fprintf(out, "usage: chancery [--db URL] [--data FOLDER] [--json] COMMAND ...\n\n"
	             "  --db URL       sqlite:PATH or postgresql://... (CHANCERY_DB; sqlite:FOLDER/chancery.db)\n"
	             "  --data FOLDER  where secret.key and the data file lie (CHANCERY_DATA; .)\n\n");
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		fprintf(out, "  chancery %s %s\n      %s\n", commands[i].name, commands[i].usage, commands[i].summary);
}

int
command_usage(const struct command_line *line, const char *problem)
{
	fprintf(stderr, "chancery: %s\nusage: chancery %s %s\n", problem, line->command->name, line->command->usage);
	return EXIT_USAGE;
}

static const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "db", required_argument, NULL, 'd' },
		                                 { "data", required_argument, NULL, 'f' },
		                                 { "json", no_argument, NULL, 'j' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	struct command_line line = { .db_url = getenv("CHANCERY_DB"), .data_folder = getenv("CHANCERY_DATA") };
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'd')
			line.db_url = optarg;
		else if (option == 'f')
			line.data_folder = optarg;
		else if (option == 'j')
			line.json = true;
		else if (option == 'h')
			return help(stdout), 0;
		else
			return EXIT_USAGE;
	}
	if (optind == argc)
		return help(stderr), EXIT_USAGE;
	line.command = command_find(argv[optind]);
	if (!line.command) {
		fprintf(stderr, "chancery: there is no command '%s'; chancery --help lists them\n", argv[optind]);
		return EXIT_USAGE;
	}
	line.argc = argc - optind;
	line.argv = argv + optind;
	if (!line.data_folder)
		line.data_folder = ".";
	if (sodium_init() < 0) {
		fprintf(stderr, "chancery: libsodium does not start\n");
		return EXIT_FAIL;
	}
	adapters_register();
	/* What a server does is worth a line; a command says itself what it did. */
	if (line.command->run != command_serve)
		log_set_level(LOG_WARN);
	return line.command->run(&line);
}
