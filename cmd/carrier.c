/* `chancery carrier`: the SMS carriers. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "core/carriers/carriers.h"

struct printing {
	bool json, all;
};

static void
field_print(void *context, const char *name, struct str value, const char *help, bool usual)
{
	struct printing *printing = context;

	(void)help;
	if (printing->json)
		printf(",\"%s\":\"%.*s\"", name, STR_ARG(value)); /* printable ASCII and escaped */
	else if (printing->all || !usual)
		printf(printing->all ? "%s=%.*s\n" : " %s=%.*s", name, STR_ARG(value));
}

static void
help_print(void *context, const char *name, struct str value, const char *help, bool usual)
{
	(void)context;
	(void)usual;
	printf("%-20s %-12.*s %s\n", name, STR_ARG(value), help);
}

/* Backslashes and quotes as JSON wants them. */
static struct str
escape(struct arena *arena, struct str text)
{
	struct buf out;

	buf_init(&out);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_add(&out, "\\", 1);
		buf_add(&out, text.ptr + i, 1);
	}
	const struct str copy = str_copy(arena, buf_str(&out));
	buf_release(&out);
	return copy;
}

static void
carrier_print(struct arena *arena, const struct carrier *carrier, struct printing printing)
{
	if (printing.json) {
		struct carrier safe = *carrier;
		struct str *const texts[] = { &safe.host, &safe.tls_ca, &safe.tls_name, &safe.system_id, &safe.system_type, &safe.source, &safe.service_type, &safe.vendor, &safe.statuses, &safe.prefixes };
		for (size_t i = 0; i < COUNT_OF(texts); i++)
			*texts[i] = escape(arena, *texts[i]);
		printf("{\"name\":\"%.*s\"", STR_ARG(safe.name));
		carrier_each_field(arena, &safe, field_print, &printing);
		printf("}\n");
		return;
	}
	printf(printing.all ? "name=%.*s\n" : "%.*s", STR_ARG(carrier->name));
	carrier_each_field(arena, carrier, field_print, &printing);
	if (!printing.all)
		printf("\n");
}

/* FIELD=VALUE ... into the carrier. */
static enum rc
fields_read(struct arena *arena, char *const *words, int count, struct carrier *carrier, struct err *err)
{
	enum rc rc = OK;

	for (int i = 0; rc == OK && i < count; i++) {
		struct str name, value;
		str_cut(str_from(words[i]), '=', &name, &value);
		rc = str_is_none(value) ? err_set(err, INVALID, "'%s' is not FIELD=VALUE", words[i]) : carrier_set(arena, carrier, name, value, err);
	}
	return rc;
}

static enum rc
carriers_print(struct house *house, struct arena *arena, bool json, struct err *err)
{
	struct carrier *list;
	size_t count;

	enum rc rc = carrier_list_all(house->db, arena, &list, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		carrier_print(arena, &list[i], (struct printing){ .json = json });
	return rc;
}

/* The words behind `carrier`; EXIT_USAGE in *status if they do not fit. */
static enum rc
carrier_run(struct command_line *line, struct house *house, struct arena *arena, bool *fits, struct err *err)
{
	const char *what = line->argc > 1 ? line->argv[1] : "";
	const struct str name = line->argc > 2 ? str_from(line->argv[2]) : S("");
	struct carrier carrier = carrier_defaults();
	enum rc rc = OK;

	*fits = true;
	if (strcmp(what, "list") == 0 && line->argc == 2)
		return carriers_print(house, arena, line->json, err);
	if (strcmp(what, "fields") == 0 && line->argc == 2) {
		carrier_each_field(arena, &carrier, help_print, NULL);
		return OK;
	}
	const bool adds = strcmp(what, "add") == 0, changes = strcmp(what, "change") == 0;
	if ((adds || changes) && line->argc > 3) {
		if (changes)
			rc = carrier_find_name(house->db, arena, name, &carrier, err);
		carrier.name = name;
		if (rc == OK)
			rc = fields_read(arena, line->argv + 3, line->argc - 3, &carrier, err);
		if (rc == OK)
			rc = adds ? carrier_add(house->db, &carrier, err) : carrier_change(house->db, &carrier, err);
		return rc;
	}
	if (strcmp(what, "show") == 0 && line->argc == 3) {
		rc = carrier_find_name(house->db, arena, name, &carrier, err);
		if (rc == OK)
			carrier_print(arena, &carrier, (struct printing){ .json = line->json, .all = true });
		return rc;
	}
	if (strcmp(what, "remove") == 0 && line->argc == 3)
		return carrier_remove_name(house->db, name, err);
	*fits = false;
	return OK;
}

int
command_carrier(struct command_line *line)
{
	struct arena arena;
	struct err err;
	bool fits;

	arena_init(&arena);
	err_init(&err, &arena);
	struct house *house = command_house(line, NULL, false);
	enum rc rc = carrier_run(line, house, &arena, &fits, &err);
	const int status = fits ? command_fail(rc, &err) : command_usage(line, "these words do not fit");
	command_house_close(house);
	arena_release(&arena);
	return status;
}
