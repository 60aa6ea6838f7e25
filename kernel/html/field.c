/* Form fields. Every one is linked to its hint and its error, and comes back filled. */
#include "kernel/html/html.h"

static void put(struct html *out, const char *literal)
{
	html_literal(out, literal, strlen(literal));
}

/* ` name="value"`, escaped. */
static void put_attribute(struct html *out, const char *name, struct str value)
{
	buf_format(out->buf, " %s=\"", name);
	html_put_text(out, value);
	buf_add_char(out->buf, '"');
}

static void put_message(struct html *out, enum msg message)
{
	html_put_message(out, message, NULL, 0);
}

struct str field_name(struct arena *arena, const struct field *field)
{
	if (field->group == NULL)
		return str_from(field->name);
	return str_format(arena, "%s.%zu.%s", field->group, field->row, field->name);
}

static const struct err_field *field_error(const struct html *out, const struct field *field, struct str name)
{
	const struct err *errors = field->errors != NULL ? field->errors : out->errors;
	return errors != NULL ? err_find(errors, name) : NULL;
}

/* The words of the label. What may be left empty says so; what is needed does not. */
static void put_label_words(struct html *out, const struct field *field, bool may_be_optional)
{
	put_message(out, field->label);
	if (may_be_optional && !field->required) {
		put(out, " <span class=\"optional\">");
		put_message(out, MSG_kernel_optional);
		put(out, "</span>");
	}
}

/* The hint and the error, with the ids that describe() refers to. */
static void put_hint_and_error(struct html *out, const struct field *field, struct str name)
{
	const struct err_field *error = field_error(out, field, name);
	if (field->hint != MSG_none) {
		put(out, "<p class=\"hint\"");
		put_attribute(out, "id", str_format(out->arena, "%.*s-hint", STR_ARG(name)));
		put(out, ">");
		put_message(out, field->hint);
		put(out, "</p>");
	}
	if (error != NULL) {
		put(out, "<p class=\"error\"");
		put_attribute(out, "id", str_format(out->arena, "%.*s-error", STR_ARG(name)));
		put(out, "><span class=\"only-read\">");
		put_message(out, MSG_kernel_error_prefix);
		put(out, " </span>");
		html_put_text(out, err_field_text(out->arena, out->language, error));
		put(out, "</p>");
	}
}

/* `invalid`: the control's role knows aria-invalid (a group of boxes does not). */
static void describe(struct html *out, const struct field *field, struct str name, bool invalid)
{
	bool hint = field->hint != MSG_none;
	bool error = field_error(out, field, name) != NULL;
	if (hint || error) {
		struct str ids = hint ? str_format(out->arena, "%.*s-hint", STR_ARG(name)) : S("");
		if (error)
			ids = str_format(out->arena, "%.*s%s%.*s-error", STR_ARG(ids), hint ? " " : "", STR_ARG(name));
		put_attribute(out, "aria-describedby", ids);
	}
	if (error && invalid)
		put(out, " aria-invalid=\"true\"");
}

/* The frame of a field with one control. */
static struct str single_begin(struct html *out, const struct field *field, bool may_be_optional)
{
	struct str name = field_name(out->arena, field);
	put(out, field_error(out, field, name) != NULL ? "<div class=\"field wrong\">" : "<div class=\"field\">");
	put(out, "<label");
	put_attribute(out, "for", name);
	put(out, ">");
	put_label_words(out, field, may_be_optional);
	put(out, "</label>");
	put_hint_and_error(out, field, name);
	return name;
}

/* How a kind of text is typed: shown type, keyboard, direction, class for the width. */
struct input_kind {
	const char *type, *shown, *inputmode, *direction, *css;
};

static const struct input_kind input_kinds[] = {
	{ "text", "text", NULL, "auto", NULL },
	{ "email", "email", "email", "ltr", NULL },
	{ "tel", "tel", "tel", "ltr", "middle" },
	{ "number", "text", "numeric", "ltr", "short" }, /* type=number loses what it cannot read, and scrolls away values */
	{ "password", "password", NULL, "ltr", NULL },
	{ "search", "search", NULL, "auto", NULL },
	{ "url", "url", "url", "ltr", NULL },
	{ "date", "text", NULL, "ltr", "middle" }, /* browsers' date boxes know neither the Persian calendar nor doubt */
	{ "code", "text", "numeric", "ltr", "short" },
};

static const struct input_kind *input_kind(const char *type)
{
	for (size_t i = 0; type != NULL && i < COUNT_OF(input_kinds); i++) {
		if (strcmp(type, input_kinds[i].type) == 0)
			return &input_kinds[i];
	}
	return &input_kinds[0];
}

static void put_common(struct html *out, const struct field *field, struct str name)
{
	put_attribute(out, "id", name);
	put_attribute(out, "name", name);
	describe(out, field, name, true);
	if (field->required)
		put(out, " aria-required=\"true\"");
	if (field->autocomplete != NULL)
		put_attribute(out, "autocomplete", str_from(field->autocomplete));
	if (field->longest > 0)
		buf_format(out->buf, " maxlength=\"%zu\"", field->longest);
}

void field_text(struct html *out, const struct field *field)
{
	const struct input_kind *kind = input_kind(field->type);
	struct str name = single_begin(out, field, true);
	put(out, "<input");
	put_attribute(out, "type", str_from(kind->shown));
	put_common(out, field, name);
	if (kind->css != NULL)
		put_attribute(out, "class", str_from(kind->css));
	const char *inputmode = field->inputmode != NULL ? field->inputmode : kind->inputmode;
	if (inputmode != NULL)
		put_attribute(out, "inputmode", str_from(inputmode));
	/* Numbers stand as they are typed in any script. */
	bool number = inputmode != NULL && (strcmp(inputmode, "numeric") == 0 || strcmp(inputmode, "decimal") == 0);
	put_attribute(out, "dir", str_from(number ? "ltr" : kind->direction));
	/* A password never comes back in a page. */
	if (strcmp(kind->shown, "password") != 0)
		put_attribute(out, "value", field->value);
	put(out, "></div>");
}

void field_area(struct html *out, const struct field *field, int rows)
{
	struct str name = single_begin(out, field, true);
	put(out, "<textarea");
	put_common(out, field, name);
	buf_format(out->buf, " rows=\"%d\" dir=\"auto\">", rows);
	/* The parser drops one line break after the tag. */
	put(out, "\n");
	html_put_text(out, field->value);
	put(out, "</textarea></div>");
}

void field_select(struct html *out, const struct field *field, const struct choice *options, size_t count)
{
	/* Where every option is an answer there is nothing to leave out. */
	bool may_be_empty = false;
	for (size_t i = 0; i < count; i++)
		may_be_empty |= str_is_empty(options[i].value);
	struct str name = single_begin(out, field, may_be_empty);
	put(out, "<select");
	put_common(out, field, name);
	put(out, ">");
	for (size_t i = 0; i < count; i++) {
		put(out, "<option");
		put_attribute(out, "value", options[i].value);
		put(out, options[i].chosen ? " selected>" : ">");
		html_put_text(out, options[i].text);
		put(out, "</option>");
	}
	put(out, "</select></div>");
}

/* Radios and boxes: a fieldset whose first control has the field's name as id, so that the error summary reaches it. */
static void put_choices(struct html *out, const struct field *field, const struct choice *options, size_t count, const char *type)
{
	struct str name = field_name(out->arena, field);
	put(out, field_error(out, field, name) != NULL ? "<fieldset class=\"field wrong\"" : "<fieldset class=\"field\"");
	bool radios = strcmp(type, "radio") == 0;
	if (radios)
		put(out, " role=\"radiogroup\"");
	describe(out, field, name, radios);
	if (radios && field->required)
		put(out, " aria-required=\"true\"");
	put(out, "><legend>");
	/* A box left empty is an answer too; radios with one chosen cannot be left. */
	bool chosen = false;
	for (size_t i = 0; i < count; i++)
		chosen |= options[i].chosen;
	put_label_words(out, field, radios && !chosen);
	put(out, "</legend>");
	put_hint_and_error(out, field, name);
	for (size_t i = 0; i < count; i++) {
		struct str id = i == 0 ? name : str_format(out->arena, "%.*s-%zu", STR_ARG(name), i);
		put(out, "<div class=\"choice\"><input");
		put_attribute(out, "type", str_from(type));
		put_attribute(out, "id", id);
		put_attribute(out, "name", name);
		put_attribute(out, "value", options[i].value);
		put(out, options[i].chosen ? " checked>" : ">");
		put(out, "<label");
		put_attribute(out, "for", id);
		put(out, ">");
		html_put_text(out, options[i].text);
		put(out, "</label></div>");
	}
	put(out, "</fieldset>");
}

void field_radios(struct html *out, const struct field *field, const struct choice *options, size_t count)
{
	put_choices(out, field, options, count, "radio");
}

void field_checks(struct html *out, const struct field *field, const struct choice *options, size_t count)
{
	put_choices(out, field, options, count, "checkbox");
}
