/* `chancery export people`: everything about everyone as JSON lines, or who they are as the CSV that import reads. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "desks/travel/travel.h"

#define AT_ONCE 200 /* people a snapshot: none stays open for long */

struct export {
	struct arena arena;
	bool csv;
	int64_t after;
	size_t count; /* of the last step */
};

/* A field of CSV (RFC 4180). */
static void
put_field(struct arena *arena, struct str said, const char *end)
{
	const struct str text = text_for_spreadsheet(arena, said);

	putchar('"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			putchar('"');
		putchar(text.ptr[i]);
	}
	putchar('"');
	fputs(end, stdout);
}

/* The table says nothing of codes and STOPs, and an import of it may state that all is confirmed: so only what alerts go to now is in it. */
static struct str
address_of(const struct person *person, enum channel_kind channel)
{
	for (size_t i = 0; i < person->contact_count; i++)
		if (person->contacts[i].channel == channel && person->contacts[i].confirmed && !person->contacts[i].opted_out &&
		    !person->contacts[i].ended)
			return person->contacts[i].address;
	return S("");
}

static void
put_person(struct arena *arena, const struct person *person)
{
	put_field(arena, person->public_id, ",");
	put_field(arena, person->name, ",");
	put_field(arena, str_from(languages[person->language].tag), ",");
	put_field(arena, address_of(person, CHANNEL_MAIL), ",");
	put_field(arena, address_of(person, CHANNEL_SMS), ",");
	put_field(arena, S(""), "\r\n"); /* country: the number is in international form */
}

/* The person's own copy, on one line. */
static enum rc
put_everything(struct db_tx *tx, struct arena *arena, const struct person *person, struct err *err)
{
	struct str text;

	enum rc rc = traveller_export(tx, arena, person, &text, err);
	if (rc != OK)
		return rc;
	json_t *json = json_loadb(text.ptr, text.len, 0, NULL);
	char *line = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
	json_decref(json);
	if (!line)
		return err_set(err, FAILED, "no memory for an export");
	puts(line);
	free(line);
	return OK;
}

/* Reading alone: it runs once. */
static enum rc
export_step(struct db_tx *tx, void *context, struct err *err)
{
	struct export *export = context;
	int64_t *ids;

	arena_clear(&export->arena);
	enum rc rc = person_list_after(tx, &export->arena, export->after, AT_ONCE, &ids, &export->count, err);
	for (size_t i = 0; rc == OK && i < export->count; i++) {
		struct person person;
		rc = person_find(tx, &export->arena, ids[i], &person, err);
		if (rc == OK && export->csv)
			put_person(&export->arena, &person);
		else if (rc == OK)
			rc = put_everything(tx, &export->arena, &person, err);
		export->after = ids[i];
	}
	return rc;
}

int
command_export(struct command_line *line)
{
	const bool csv = line->argc == 3 && strcmp(line->argv[2], "--csv") == 0;
	struct export export = { .csv = csv };
	struct arena arena;
	struct err err;
	enum rc rc = OK;

	if (line->argc < 2 || strcmp(line->argv[1], "people") != 0 || (line->argc > 2 && !csv))
		return command_usage(line, "people can be exported");
	arena_init(&arena);
	arena_init(&export.arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	if (csv)
		fputs("id,name,language,email,mobile,country\r\n", stdout);
	do
		rc = db_read(house->db, export_step, &export, &err);
	while (rc == OK && export.count == AT_ONCE && !ferror(stdout));
	if (rc == OK && (fflush(stdout) != 0 || ferror(stdout)))
		rc = err_set(&err, FAILED, "the output could not be written");
	const int status = command_fail(rc, &err);
	command_house_close(house);
	arena_release(&export.arena);
	arena_release(&arena);
	return status;
}
