/* What every command does first and last. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "kernel/html/error_page.h"
#include "kernel/text/text.h"

int
command_fail(enum rc rc, const struct err *err)
{
	struct arena arena;

	if (rc == OK)
		return 0;
	arena_init(&arena);
	if (err->detail.len)
		fprintf(stderr, "chancery: %.*s\n", STR_ARG(err->detail));
	for (const struct err_field *field = err->fields; field; field = field->next) {
		const struct str text = err_field_text(&arena, LANGUAGE_EN, field);
		fprintf(stderr, "chancery: %.*s%s%.*s\n", STR_ARG(field->field), field->field.len ? ": " : "", STR_ARG(text));
	}
	if (!err->detail.len && !err->fields)
		fprintf(stderr, "chancery: %s\n", rc_name(rc));
	arena_release(&arena);
	return rc_exit(rc);
}

/* The house keeps the pointer for as long as the process lives; one house a process. */
static char *public_url_kept;

static char *
text_of(struct str text)
{
	char *copy = malloc(text.len + 1);

	if (!copy)
		abort();
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	return copy;
}

enum rc
command_house_open(const struct command_line *line, const char *public_url, bool test_clock, struct house **out, struct err *err)
{
	struct arena arena;
	struct db *db = NULL;
	struct house *house = NULL;

	arena_init(&arena);
	const struct str url = line->db_url ? str_from(line->db_url) : str_format(&arena, "sqlite:%s/chancery.db", line->data_folder);
	enum rc rc = db_open(str_c(&arena, url), &db, err);
	if (rc == OK)
		rc = db_migrate_all(db, err);
	const struct house_options options = {
		.db = db,
		.desks = desks,
		.desk_count = desk_count,
		.data_folder = line->data_folder,
		.public_url = public_url ? public_url : "",
		.test_clock = test_clock,
	};
	if (rc == OK)
		rc = house_new(&options, &house, err);
	if (rc == OK) {
		house_set_error_page(house, html_error_page);
		rc = setting_refresh(house, err);
	}
	if (rc == OK && !public_url)
		house->public_url = public_url_kept = text_of(setting_text(house, &arena, "server.public_url"));
	if (rc == OK) {
		*out = house;
	} else {
		house_free(house);
		db_close(db);
	}
	arena_release(&arena);
	return rc;
}

struct house *
command_house(const struct command_line *line, const char *public_url, bool test_clock)
{
	struct arena arena;
	struct err err;
	struct house *house = NULL;

	arena_init(&arena);
	err_init(&err, &arena);
	enum rc rc = command_house_open(line, public_url, test_clock, &house, &err);
	if (rc != OK)
		exit(command_fail(rc, &err));
	arena_release(&arena);
	return house;
}

void
command_house_close(struct house *house)
{
	struct db *db = house->db;

	house_free(house);
	db_close(db);
	free(public_url_kept);
	public_url_kept = NULL;
}
