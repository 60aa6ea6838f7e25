/* `chancery ladder`: the ways an officer may choose between to tell people one way after the other. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "desks/travel/travel.h"

static void
print_text(void *context, struct str name, struct str rungs)
{
	(void)context;
	printf("%.*s\t%.*s\n", STR_ARG(name), STR_ARG(rungs));
}

static void
print_json(void *context, struct str name, struct str rungs)
{
	(void)context;
	json_t *line = json_pack("{s:s%, s:s%}", "name", name.ptr, name.len, "rungs", rungs.ptr, rungs.len);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	if (!text)
		abort();
	puts(text);
	free(text);
	json_decref(line);
}

/* The words from `first` on with blanks between them. */
static struct str
words(struct arena *arena, const struct command_line *line, int first)
{
	struct buf buf;

	buf_init(&buf);
	for (int i = first; i < line->argc; i++) {
		buf_add_str(&buf, str_from(line->argv[i]));
		buf_add_char(&buf, ' ');
	}
	const struct str text = str_copy(arena, str_trim(buf_str(&buf)));
	buf_release(&buf);
	return text;
}

int
command_ladder(struct command_line *line)
{
	const char *what = line->argc > 1 ? line->argv[1] : "";
	const bool list = line->argc == 2 && strcmp(what, "list") == 0, add = line->argc > 3 && strcmp(what, "add") == 0,
		   change = line->argc > 3 && strcmp(what, "change") == 0, remove = line->argc == 3 && strcmp(what, "remove") == 0;
	struct arena arena;
	struct err err;
	enum rc rc = OK;

	if (!list && !add && !change && !remove)
		return command_usage(line, "these words do not fit");
	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	if (list)
		rc = ladder_each(house, line->json ? print_json : print_text, NULL, &err);
	else if (add)
		rc = ladder_add(house, str_from(line->argv[2]), words(&arena, line, 3), clock_now(), &err);
	else if (change)
		rc = ladder_change(house, str_from(line->argv[2]), words(&arena, line, 3), clock_now(), &err);
	else
		rc = ladder_remove(house, str_from(line->argv[2]), clock_now(), &err);
	const int status = command_fail(rc, &err);
	command_house_close(house);
	arena_release(&arena);
	return status;
}
