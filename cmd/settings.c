/* `chancery settings`: what can be set, what is set. */
#include <stdio.h>

#include "cmd/cmd.h"

static const char *const type_names[] = { [SETTING_INT] = "number", [SETTING_TEXT] = "text", [SETTING_BOOL] = "yes or no" };

static void
setting_print(void *context, const struct setting *setting, struct str value, bool stored)
{
	const bool *markdown = context;

	if (*markdown)
		printf("| `%s` | %s | `%s` | %s |\n", setting->name, type_names[setting->type], setting->initial, setting->help);
	else
		printf("%-34s %-20.*s%s %s\n", setting->name, STR_ARG(value), stored ? "*" : " ", setting->help);
}

int
command_settings(struct command_line *line)
{
	bool markdown = line->argc == 2 && strcmp(line->argv[1], "--markdown") == 0;
	struct arena arena;
	struct err err;
	enum rc rc = OK;

	if (!(line->argc == 1 || markdown || (line->argc == 4 && strcmp(line->argv[1], "set") == 0) ||
	      (line->argc == 3 && strcmp(line->argv[1], "clear") == 0)))
		return command_usage(line, "these words do not fit");
	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	if (line->argc == 4) {
		rc = setting_set(house, line->argv[2], str_from(line->argv[3]), &err);
	} else if (line->argc == 3) {
		rc = setting_clear(house, line->argv[2], &err);
	} else {
		if (markdown)
			printf("| name | type | initial | what it does |\n|---|---|---|---|\n");
		setting_each(house, setting_print, &markdown);
	}
	const int status = command_fail(rc, &err);
	command_house_close(house);
	arena_release(&arena);
	return status;
}
