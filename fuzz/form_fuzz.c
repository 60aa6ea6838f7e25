/* Forms as browsers and others send them: the first byte chooses the kind, for multipart the boundary is on the first line. */
#include <stdlib.h>

#include "kernel/http/form.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What handlers rely on: NUL-terminated texts, names and texts of UTF-8 without NUL, not too many. */
static void check(const struct form *form, bool has_files)
{
	must(form->count <= HTTP_FIELDS_MAX);
	for (size_t i = 0; i < form->count; i++) {
		struct str name = form->fields[i].name, value = form->fields[i].value;
		must(name.len <= HTTP_FIELD_NAME_MAX && name.ptr[name.len] == 0 && value.ptr[value.len] == 0);
		must(utf8_valid(name) && strlen(name.ptr) == name.len);
		must(has_files || (utf8_valid(value) && strlen(value.ptr) == value.len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena arena;
	struct form form;
	enum problem problem = PROBLEM_COUNT;
	struct str input = { (const char *)data + 1, size - 1 }, boundary = STR_NONE, first, rest;
	arena_init(&arena);
	bool multipart =
		data[0] == 'm' && str_cut(input, '\n', &first, &rest) && form_type(first, &boundary) == FORM_MULTIPART;
	if (multipart)
		input = rest;
	/* On the heap with just the byte of room that is promised. */
	char *bytes = malloc(input.len + 1);
	must(bytes != NULL);
	if (input.len > 0)
		memcpy(bytes, input.ptr, input.len);
	bool read = multipart ? form_multipart(&arena, bytes, input.len, boundary, &form, &problem)
	                      : form_urlencoded(&arena, bytes, input.len, &form, &problem);
	if (read)
		check(&form, multipart);
	else
		must(problem == PROBLEM_BAD_REQUEST || problem == PROBLEM_TOO_LARGE);
	free(bytes);
	arena_release(&arena);
	return 0;
}
