/* `chancery alert`: alerts out of files, for scripts. What an officer does on pages goes through the same functions. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "desks/travel/travel.h"

#define FILE_MOST (8u << 20)

/* Reads the whole of a file ("-": standard input) into the arena. */
static enum rc
file_read(struct arena *arena, const char *path, struct str *out, struct err *err)
{
	const bool standard = strcmp(path, "-") == 0;
	char part[65536];
	struct buf text;
	size_t size;

	FILE *file = standard ? stdin : fopen(path, "re");
	if (!file)
		return err_set(err, NOT_FOUND, "%s cannot be opened", path);
	buf_init(&text);
	while (text.len <= FILE_MOST && (size = fread(part, 1, sizeof part, file)) > 0)
		buf_add(&text, part, size);
	const bool bad = ferror(file) != 0;
	if (!standard)
		fclose(file);
	enum rc rc = bad ? err_set(err, FAILED, "%s cannot be read", path) : text.len > FILE_MOST ? err_set(err, INVALID, "%s is larger than 8 MB", path) : OK;
	if (rc == OK)
		*out = str_copy(arena, buf_str(&text));
	buf_release(&text);
	return rc;
}

static enum rc
alert_create(struct house *house, struct arena *arena, const struct command_line *line, struct err *err)
{
	struct str json, id;

	enum rc rc = file_read(arena, line->argv[2], &json, err);
	if (rc == OK)
		rc = alert_create_json(house, arena, json, clock_now(), &id, err);
	if (rc == OK)
		printf(line->json ? "{\"alert\":\"%.*s\"}\n" : "%.*s\n", STR_ARG(id));
	return rc;
}

static enum rc
alert_next(struct house *house, struct arena *arena, const struct command_line *line, struct err *err)
{
	struct str json = STR_NONE;

	enum rc rc = line->argc > 4 ? file_read(arena, line->argv[4], &json, err) : OK;
	return rc == OK ? alert_next_json(house, arena, str_from(line->argv[2]), str_from(line->argv[3]), json, clock_now(), err) : rc;
}

static enum rc
alert_send_out(struct house *house, struct arena *arena, const struct command_line *line, struct err *err)
{
	int64_t people = 0;

	enum rc rc = alert_send_command(house, arena, str_from(line->argv[2]), clock_now(), &people, err);
	if (rc == OK)
		printf(line->json ? "{\"people\":%lld}\n" : "sent to %lld people\n", (long long)people);
	return rc;
}

static enum rc
alert_show(struct house *house, struct arena *arena, const struct command_line *line, struct err *err)
{
	struct str json;

	enum rc rc = alert_show_json(house, arena, str_from(line->argv[2]), &json, err);
	if (rc == OK)
		printf("%.*s\n", STR_ARG(json));
	return rc;
}

static const struct {
	const char *name;
	int least, most; /* words, the command's own included */
	enum rc (*run)(struct house *house, struct arena *arena, const struct command_line *line, struct err *err);
} actions[] = {
	{ "create", 3, 3, alert_create },
	{ "next", 4, 5, alert_next },
	{ "send", 3, 3, alert_send_out },
	{ "show", 3, 3, alert_show },
};

int
command_alert(struct command_line *line)
{
	const char *what = line->argc > 1 ? line->argv[1] : "";
	struct arena arena;
	struct err err;
	size_t action = 0;

	while (action < COUNT_OF(actions) && strcmp(actions[action].name, what) != 0)
		action++;
	if (action == COUNT_OF(actions) || line->argc < actions[action].least || line->argc > actions[action].most)
		return command_usage(line, "these words do not fit");
	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	enum rc rc = house_start(house, &err);
	if (rc == OK) {
		rc = actions[action].run(house, &arena, line, &err);
		house_stop(house);
	}
	const int status = command_fail(rc, &err);
	command_house_close(house);
	arena_release(&arena);
	return status;
}
