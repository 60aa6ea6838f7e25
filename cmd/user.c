/* `chancery user`: officers, at the command line. */
#include <getopt.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "kernel/access/access.h"

struct user_list {
	bool json, any;
};

static void
user_print(void *context, const struct officer_summary *officer)
{
	const struct user_list *list = context;
	const char *state = officer->disabled ? "disabled" : officer->set_up ? "active" : "waiting";

	if (list->json)
		printf("{\"login\":\"%.*s\",\"permission\":%d,\"state\":\"%s\"}\n", STR_ARG(officer->login), (int)officer->permission, state);
	else
		printf("%-20.*s %-9s %.*s\n", STR_ARG(officer->login), state, STR_ARG(officer->name));
}

static int
user_link(struct command_line *line, struct house *house, enum rc rc, struct str path, const struct err *err)
{
	if (rc != OK)
		return command_fail(rc, err);
	const struct str url = str_from(house->public_url);
	if (line->json)
		printf("{\"path\":\"%.*s\"}\n", STR_ARG(path));
	else
		printf("%.*s%.*s\n", STR_ARG(url), STR_ARG(path));
	return 0;
}

static int
user_run(struct command_line *line, struct house *house, struct arena *arena, const char *permission_text)
{
	const char *what = line->argv[0];
	const bool adds = strcmp(what, "add") == 0;
	struct str path = STR_NONE;
	struct err err;

	err_init(&err, arena);
	if (adds && optind + 2 == line->argc) {
		enum permission permission;
		if (!permission_read(str_from(permission_text), &permission))
			return command_usage(line, "--permission is reader, officer or administrator");
		enum rc rc = officer_add(house, arena, str_from(line->argv[optind]), str_from(line->argv[optind + 1]), permission, -1, &path, &err);
		return user_link(line, house, rc, path, &err);
	}
	if (strcmp(what, "link") == 0 && optind + 1 == line->argc) {
		enum rc rc = officer_link(house, arena, str_from(line->argv[optind]), -1, &path, &err);
		return user_link(line, house, rc, path, &err);
	}
	if (strcmp(what, "list") == 0 && optind == line->argc) {
		struct user_list list = { .json = line->json };
		return command_fail(officer_each(house, arena, user_print, &list, &err), &err);
	}
	const bool disables = strcmp(what, "disable") == 0;
	if ((disables || strcmp(what, "enable") == 0) && optind + 1 == line->argc)
		return command_fail(officer_set_disabled(house, arena, str_from(line->argv[optind]), disables, -1, &err), &err);
	return command_usage(line, "these words do not fit");
}

int
command_user(struct command_line *line)
{
	static const struct option options[] = { { "permission", required_argument, NULL, 'p' },
		                                 { "public-url", required_argument, NULL, 'u' },
		                                 { NULL, 0, NULL, 0 } };
	const char *permission = "officer", *public_url = NULL;
	struct arena arena;
	int option;

	if (line->argc < 2)
		return command_usage(line, "say what to do");
	/* The word after `user` takes the place of the program's name; options may stand anywhere behind it. */
	line->argc--;
	line->argv++;
	optind = 0;
	while ((option = getopt_long(line->argc, line->argv, "", options, NULL)) != -1) {
		if (option == 'p')
			permission = optarg;
		else if (option == 'u')
			public_url = optarg;
		else
			return command_usage(line, "these options do not fit");
	}
	arena_init(&arena);
	struct house *house = command_house(line, public_url, false);
	const int status = user_run(line, house, &arena, permission);
	command_house_close(house);
	arena_release(&arena);
	return status;
}
