/* `chancery import` and `batches`: people, trips and watches out of files, whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/places/places.h"
#include "desks/travel/travel.h"

#define WRONG_SHOWN 100 /* broken lines named on standard error; the rest are counted */
#define BATCHES_SHOWN 1000

typedef enum rc (*import_function)(struct house *house, struct arena *arena, int file, const struct import_options *options, struct import_result *result,
                                   struct err *err);

static const struct {
	const char *name;
	import_function run;
} kinds[] = {
	{ "people", people_import },
	{ "trips", trips_import },
	{ "watches", watches_import },
};

/* What is on the terminal: one line that counts, and a line for each broken one. */
struct telling {
	bool counting; /* standard error is a terminal: the line is written over */
	bool open;     /* the counting line stands without an end */
	int64_t told, wrong;
	int64_t begun, next;
};

static void
tell_end(struct telling *telling)
{
	if (telling->open)
		fputc('\n', stderr);
	telling->open = false;
}

static void
tell_progress(void *context, int64_t lines, int64_t wrong)
{
	struct telling *telling = context;
	const int64_t now = clock_monotonic();

	if (now < telling->next)
		return;
	/* On a terminal twice a second in one place; in a log each ten seconds. */
	telling->next = now + (telling->counting ? CLOCK_SECOND / 2 : 10 * CLOCK_SECOND);
	const int64_t took = now - telling->begun;
	fprintf(stderr, "%schancery: %lld lines, %lld wrong, %lld lines a second%s", telling->counting ? "\r" : "", (long long)lines, (long long)wrong,
	        (long long)(took > 0 ? lines * CLOCK_SECOND / took : 0), telling->counting ? "  " : "\n");
	telling->open = telling->counting;
}

static void
tell_wrong(void *context, int64_t line, struct str text)
{
	struct telling *telling = context;

	telling->wrong++;
	if (telling->told == WRONG_SHOWN)
		return;
	tell_end(telling);
	fprintf(stderr, "chancery: line %lld: %.*s\n", (long long)line, STR_ARG(text));
	telling->told++;
}

struct import_words {
	const char *operator_name;
	bool confirmed, keep_good;
};

static bool
import_read(struct command_line *line, struct import_words *out)
{
	static const struct option options[] = { { "contacts-confirmed", no_argument, NULL, 'c' },
		                                 { "operator", required_argument, NULL, 'o' },
		                                 { "keep-good", no_argument, NULL, 'k' },
		                                 { NULL, 0, NULL, 0 } };
	int option;

	*out = (struct import_words){ .operator_name = "" };
	optind = 0;
	while ((option = getopt_long(line->argc, line->argv, "", options, NULL)) != -1) {
		if (option == 'c')
			out->confirmed = true;
		else if (option == 'o')
			out->operator_name = optarg;
		else if (option == 'k')
			out->keep_good = true;
		else
			return false;
	}
	return optind + 2 == line->argc;
}

static import_function
import_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].run;
	return NULL;
}

static void
print_result(const struct command_line *line, const struct import_result *result)
{
	if (line->json)
		printf("{\"batch\":\"%.*s\",\"lines\":%lld,\"wrong\":%lld,\"visible\":%s}\n", STR_ARG(result->batch), (long long)result->lines,
		       (long long)result->wrong, result->visible ? "true" : "false");
	else if (result->visible)
		printf("batch %.*s: %lld lines, %lld left out; visible\n", STR_ARG(result->batch), (long long)result->lines, (long long)result->wrong);
	else
		printf("nothing was imported: %lld of %lld lines are wrong\n", (long long)result->wrong, (long long)result->lines);
}

static int
import_run(struct command_line *line, import_function run, const struct import_words *words, int file, const char *path)
{
	struct telling telling = { .counting = isatty(STDERR_FILENO), .begun = clock_monotonic() };
	const char *slash = strrchr(path, '/');
	const struct import_options options = {
		.operator = str_from(words->operator_name),
		.file_name = str_from(slash ? slash + 1 : path),
		.contacts_confirmed = words->confirmed,
		.keep_good = words->keep_good,
		.progress = tell_progress,
		.wrong = tell_wrong,
		.context = &telling,
	};
	struct import_result result = { .batch = S("") };
	struct arena arena;
	struct err err;

	telling.next = telling.begun + (telling.counting ? CLOCK_SECOND / 2 : 10 * CLOCK_SECOND);
	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	/* Of the rooms only the gazetteer is asked. */
	enum rc rc = places_desk.start(house, &err);
	if (rc == OK) {
		rc = run(house, &arena, file, &options, &result, &err);
		places_desk.stop(house);
	}
	tell_end(&telling);
	if (telling.wrong > telling.told)
		fprintf(stderr, "chancery: and %lld more\n", (long long)(telling.wrong - telling.told));
	if (rc == OK || (rc == INVALID && result.wrong > 0))
		print_result(line, &result);
	const int status = rc == INVALID && result.wrong > 0 ? EXIT_NO : command_fail(rc, &err);
	command_house_close(house);
	arena_release(&arena);
	return status;
}

int
command_import(struct command_line *line)
{
	struct import_words words;

	if (!import_read(line, &words))
		return command_usage(line, "say what to import, and the file (- is standard input)");
	const char *what = line->argv[optind], *path = line->argv[optind + 1];
	import_function run = import_find(what);
	if (!run)
		return command_usage(line, "people, trips and watches can be imported");
	if (words.confirmed && !*words.operator_name)
		return command_usage(line, "--contacts-confirmed is a statement: --operator says whose");
	const bool standard = strcmp(path, "-") == 0;
	const int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		fprintf(stderr, "chancery: %s: %s\n", path, strerror(errno));
		return EXIT_NO;
	}
	const int status = import_run(line, run, &words, file, standard ? "standard input" : path);
	if (!standard)
		close(file);
	return status;
}

/* --- batches ------------------------------------------------------------------------------------------------ */

static const char *const state_names[] = { [IMPORT_STAGED] = "staged", [IMPORT_VISIBLE] = "visible", [IMPORT_TAKEN_BACK] = "taken back" };

struct batch_list {
	struct arena *arena;
	struct import_batch *items;
	size_t count;
};

static enum rc
list_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct batch_list *list = context;

	return import_batch_list(tx, list->arena, BATCHES_SHOWN, &list->items, &list->count, err);
}

static void
print_batch(struct arena *arena, const struct import_batch *batch, bool json)
{
	const struct str made = clock_format(arena, batch->created_at);

	if (json)
		/* Neither the operator's nor the file's name: they may hold anything, and the store has them. */
		printf("{\"batch\":\"%.*s\",\"kind\":\"%.*s\",\"state\":\"%s\",\"lines\":%lld,\"contacts_confirmed\":%s,\"created_at\":\"%.*s\"}\n",
		       STR_ARG(batch->public_id), STR_ARG(batch->kind), state_names[batch->state], (long long)batch->lines,
		       batch->contacts_confirmed ? "true" : "false", STR_ARG(made));
	else
		printf("%.*s  %-7.*s %-10s %9lld lines  %.*s  %.*s%s%.*s\n", STR_ARG(batch->public_id), STR_ARG(batch->kind), state_names[batch->state],
		       (long long)batch->lines, STR_ARG(made), STR_ARG(batch->file_name), batch->contacts_confirmed ? "  contacts confirmed by " : "  ",
		       STR_ARG(batch->operator));
}

int
command_batches(struct command_line *line)
{
	const bool lists = line->argc == 2 && strcmp(line->argv[1], "list") == 0;
	const bool takes = line->argc == 3 && strcmp(line->argv[1], "take-back") == 0;
	struct arena arena;
	struct err err;
	enum rc rc;

	if (!lists && !takes)
		return command_usage(line, "these words do not fit");
	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	if (takes) {
		rc = import_take_back(house, &arena, str_from(line->argv[2]), &err);
	} else {
		struct batch_list list = { .arena = &arena };
		rc = db_read(house->db, list_in_store, &list, &err);
		for (size_t i = 0; rc == OK && i < list.count; i++)
			print_batch(&arena, &list.items[i], line->json);
	}
	const int status = command_fail(rc, &err);
	command_house_close(house);
	arena_release(&arena);
	return status;
}
