/* `chancery check`: every sum that must hold, recomputed from the rows. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "core/messages/messages.h"
#include "desks/travel/travel.h"

typedef void (*check_report)(void *context, struct str line);

struct check {
	const char *name;
	const char *what;
	enum rc (*run)(struct house *house, check_report report, void *context, int64_t *wrong_out, struct err *err);
};

static enum rc
check_statements(struct house *house, check_report report, void *context, int64_t *wrong_out, struct err *err)
{
	(void)report;
	(void)context;
	*wrong_out = 0;
	return db_check_statements(house->db, err);
}

static enum rc
check_messages(struct house *house, check_report report, void *context, int64_t *wrong_out, struct err *err)
{
	return messages_check(house->db, report, context, wrong_out, err);
}

static enum rc
check_alerts(struct house *house, check_report report, void *context, int64_t *wrong_out, struct err *err)
{
	return alert_check(house, report, context, wrong_out, err);
}

static enum rc
check_board(struct house *house, check_report report, void *context, int64_t *wrong_out, struct err *err)
{
	return board_check(house, report, context, wrong_out, err);
}

static const struct check checks[] = {
	{ "statements", "every statement of the program fits the store", check_statements },
	{ "messages", "each notice's messages by channel: planned is the sum of the classes, counters equal the rows", check_messages },
	{ "alerts", "each alert's people: targeted = safe + needs help + no answer yet + unreachable, counters equal the rows", check_alerts },
	{ "board", "each person of an alert stands in one class, and its rows, answers and cases agree", check_board },
};

static void
print_line(void *context, struct str line)
{
	const char *name = context;

	fprintf(stderr, "chancery: %s: %.*s\n", name, STR_ARG(line));
}

int
command_check(struct command_line *line)
{
	struct arena arena;
	struct err err;
	int status = 0;

	if (line->argc != 1)
		return command_usage(line, "check takes no words");
	arena_init(&arena);
	struct house *house = command_house(line, NULL, false);
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		int64_t wrong = 0;
		err_init(&err, &arena);
		enum rc rc = checks[i].run(house, print_line, (void *)(uintptr_t)checks[i].name, &wrong, &err);
		const int failed = command_fail(rc, &err);
		const bool holds = !failed && !wrong;
		if (line->json)
			printf("{\"check\":\"%s\",\"holds\":%s,\"wrong\":%lld}\n", checks[i].name, holds ? "true" : "false", (long long)wrong);
		else
			printf("%-12s %s (%s)\n", checks[i].name, holds ? "holds" : failed ? "could not be checked" : "DOES NOT HOLD", checks[i].what);
		if (failed > status)
			status = failed;
		if (wrong && !status)
			status = EXIT_NO;
	}
	command_house_close(house);
	arena_release(&arena);
	return status;
}
