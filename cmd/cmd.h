/* What the subcommands share. */
#ifndef CHANCERY_CMD_CMD_H
#define CHANCERY_CMD_CMD_H

#include "base/base.h"
#include "kernel/db/db.h"
#include "kernel/desk/desk.h"
#include "kernel/http/http.h"

#define EXIT_NO 1     /* the answer is no: invalid, not found, falls short */
#define EXIT_USAGE 2
#define EXIT_FAIL 3

struct command_line;

struct command {
	const char *name;
	const char *usage;   /* arguments, for --help */
	const char *summary;
	int (*run)(struct command_line *line);
};

/* The options before the command, and the command's own words. */
struct command_line {
	const struct command *command;
	const char *db_url;
	const char *data_folder;
	bool json;
	int argc;
	char **argv;         /* argv[0] is the command's name */
};

/* The house of a command: the store open, migrated and its settings loaded, no threads of jobs. `public_url` NULL: the setting
 * server.public_url, or empty. Ends the process with a message if it cannot. */
struct house *command_house(const struct command_line *line, const char *public_url, bool test_clock);
/* The same, but says what is wrong instead of ending the process. */
enum rc command_house_open(const struct command_line *line, const char *public_url, bool test_clock, struct house **out, struct err *err);
/* Closes what command_house opened. */
void command_house_close(struct house *house);
/* Says what went wrong on standard error (each broken rule on a line of its own) and returns the exit status of `rc`. */
int command_fail(enum rc rc, const struct err *err);
/* Usage on standard error; returns EXIT_USAGE. */
int command_usage(const struct command_line *line, const char *problem);

extern const struct desk *const desks[];
extern const size_t desk_count;
extern const struct desk home_desk;
extern const struct desk demo_desk;

int command_alert(struct command_line *line);
int command_backup(struct command_line *line);
int command_batches(struct command_line *line);
int command_carrier(struct command_line *line);
int command_check(struct command_line *line);
int command_demo(struct command_line *line);
int command_export(struct command_line *line);
int command_import(struct command_line *line);
int command_keygen(struct command_line *line);
int command_receive_mail(struct command_line *line);
int command_restore(struct command_line *line);
int command_routes(struct command_line *line);
int command_serve(struct command_line *line);
int command_user(struct command_line *line);
int command_settings(struct command_line *line);

#endif
