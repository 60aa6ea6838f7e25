#include "kernel/http/testing.h"

#include "kernel/http/form.h"

struct parsed {
	struct arena arena;
	char *bytes;
	struct form form;
	enum problem problem;
	bool read;
};

/* Parses a copy with exactly the one byte of room that is promised, so that a sanitizer sees a step beyond. */
static struct parsed parse(const char *bytes, size_t size, const char *boundary)
{
	struct parsed parsed = { .bytes = malloc(size + 1), .problem = PROBLEM_COUNT };
	arena_init(&parsed.arena);
	memcpy(parsed.bytes, bytes, size);
	parsed.read = boundary ? form_multipart(&parsed.arena, parsed.bytes, size, str_from(boundary), &parsed.form,
	                                        &parsed.problem)
	                       : form_urlencoded(&parsed.arena, parsed.bytes, size, &parsed.form, &parsed.problem);
	return parsed;
}

static void parsed_free(struct parsed *parsed)
{
	arena_release(&parsed->arena);
	free(parsed->bytes);
}

static void assert_field(const struct parsed *parsed, size_t index, const char *name, const char *value)
{
	assert_true(index < parsed->form.count);
	/* Both end with NUL, for the libraries of handlers. */
	assert_string_equal(parsed->form.fields[index].name.ptr, name);
	assert_string_equal(parsed->form.fields[index].value.ptr, value);
	assert_int_equal(parsed->form.fields[index].value.len, strlen(value));
}

static void urlencoded(void **state)
{
	(void)state;
	const char *text = "a=1&b=x+y&c=%C3%A9%26%3D&&d&=e&f=&a=2&g=h=i";
	struct parsed parsed = parse(text, strlen(text), NULL);
	assert_true(parsed.read);
	assert_int_equal(parsed.form.count, 8);
	assert_field(&parsed, 0, "a", "1");
	assert_field(&parsed, 1, "b", "x y");
	assert_field(&parsed, 2, "c", "\xc3\xa9&=");
	assert_field(&parsed, 3, "d", "");
	assert_field(&parsed, 4, "", "e");
	assert_field(&parsed, 5, "f", "");
	assert_field(&parsed, 6, "a", "2");
	assert_field(&parsed, 7, "g", "h=i");
	parsed_free(&parsed);
	parsed = parse("", 0, NULL);
	assert_true(parsed.read);
	assert_int_equal(parsed.form.count, 0);
	parsed_free(&parsed);
	static const char *const bad[] = { "a=%",    "a=%4",  "a=%4g",       "%=a",         "a=%00",
		                           "a%00=b", "a=%ff", "a=%ed%a0%80", "a=b&c=%C0%80" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		parsed = parse(bad[i], strlen(bad[i]), NULL);
		if (parsed.read || parsed.problem != PROBLEM_BAD_REQUEST)
			fail_msg("%s", bad[i]);
		parsed_free(&parsed);
	}
	parsed = parse("a=\0", 3, NULL);
	assert_false(parsed.read);
	parsed_free(&parsed);
}

#define PART(head, body) "--XY\r\nContent-Disposition: form-data; " head "\r\n\r\n" body "\r\n"

static void multipart(void **state)
{
	(void)state;
	const char *text = PART("name=\"a\"", "one\r\ntwo") PART("name=b", "") PART(
		"filename=\"x; name=\\\"; name=\"c\"",
		"\xff\xfe") "--XY\r\ncontent-type: "
			    "text/plain\r\nCONTENT-DISPOSITION:form-data;name=\"d\"\r\n\r\n--X\r\n--XY--\r\nepilogue";
	struct parsed parsed = parse(text, strlen(text), "XY");
	assert_true(parsed.read);
	assert_int_equal(parsed.form.count, 4);
	assert_field(&parsed, 0, "a", "one\r\ntwo");
	assert_field(&parsed, 1, "b", "");
	assert_field(&parsed, 2, "c", "\xff\xfe");
	assert_field(&parsed, 3, "d", "--X");
	parsed_free(&parsed);
	parsed = parse("--XY--", 6, "XY");
	assert_true(parsed.read);
	assert_int_equal(parsed.form.count, 0);
	parsed_free(&parsed);
	static const char *const bad[] = {
		"",
		"--XY",
		"--XY\r\n",
		"preamble\r\n" PART("name=\"a\"", "1") "--XY--",
		PART("name=\"a\"", "1"),                                     /* no end */
		"--XY\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XY--", /* no name */
		"--XY\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--XY--",
		"--XY\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--XY--",
		"--XY\r\nContent-Disposition form-data; name=\"a\"\r\n\r\n1\r\n--XY--",
		"--XY\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; "
		"name=\"b\"\r\n\r\n1\r\n--XY--",
		"--XY\r\nX: y\r\n\r\n1\r\n--XY--",
		PART("name=\"a\"", "\xff") "--XY--", /* text must be UTF-8, only files may be anything */
		PART("name=\"\xff\"", "a") "--XY--",
		"--XYZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XYZ--",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		parsed = parse(bad[i], strlen(bad[i]), "XY");
		if (parsed.read || parsed.problem != PROBLEM_BAD_REQUEST)
			fail_msg("%s", bad[i]);
		parsed_free(&parsed);
	}
}

static void bounds(void **state)
{
	(void)state;
	struct buf many;
	buf_init(&many);
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		buf_add_str(&many, S("a&"));
	struct parsed parsed = parse(many.ptr, many.len, NULL);
	assert_true(parsed.read);
	assert_int_equal(parsed.form.count, HTTP_FIELDS_MAX);
	parsed_free(&parsed);
	buf_add_str(&many, S("a"));
	parsed = parse(many.ptr, many.len, NULL);
	assert_false(parsed.read);
	assert_int_equal(parsed.problem, PROBLEM_TOO_LARGE);
	parsed_free(&parsed);
	buf_clear(&many);
	for (int i = 0; i <= HTTP_FIELDS_MAX; i++)
		buf_add_str(&many, S(PART("name=a", "b")));
	buf_add_str(&many, S("--XY--"));
	parsed = parse(many.ptr, many.len, "XY");
	assert_false(parsed.read);
	assert_int_equal(parsed.problem, PROBLEM_TOO_LARGE);
	parsed_free(&parsed);
	/* A part's head of 2 KB is no head. */
	buf_clear(&many);
	buf_add_str(&many, S("--XY\r\nContent-Disposition: form-data; name=\"a\"\r\nX: "));
	for (int i = 0; i < 3000; i++)
		buf_add_char(&many, 'x');
	buf_add_str(&many, S("\r\n\r\n1\r\n--XY--"));
	parsed = parse(many.ptr, many.len, "XY");
	assert_false(parsed.read);
	parsed_free(&parsed);
	buf_release(&many);
}

static void types(void **state)
{
	(void)state;
	struct str boundary = STR_NONE;
	assert_int_equal(form_type(S("application/x-www-form-urlencoded"), &boundary), FORM_URLENCODED);
	assert_int_equal(form_type(S("Application/X-WWW-Form-Urlencoded ; charset=UTF-8"), &boundary), FORM_URLENCODED);
	assert_int_equal(form_type(S("multipart/form-data; charset=utf-8; boundary=\"a b\""), &boundary),
	                 FORM_MULTIPART);
	assert_true(str_equal(boundary, S("a b")));
	assert_int_equal(form_type(S("multipart/form-data;boundary=----WebKitFormBoundaryABC123"), &boundary),
	                 FORM_MULTIPART);
	assert_true(str_equal(boundary, S("----WebKitFormBoundaryABC123")));
	static const char *const other[] = {
		"multipart/form-data",
		"multipart/form-data; boundary=",
		"multipart/form-data; boundary=a\"b",
		"multipart/form-data; boundary=\"a \"",
		"text/plain",
		"",
		"multipart/mixed; boundary=a",
		"multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901"
	};
	for (size_t i = 0; i < COUNT_OF(other); i++)
		if (form_type(str_from(other[i]), &boundary) != FORM_OTHER)
			fail_msg("%s", other[i]);
	assert_int_equal(form_type(STR_NONE, &boundary), FORM_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urlencoded),
		cmocka_unit_test(multipart),
		cmocka_unit_test(bounds),
		cmocka_unit_test(types),
	};
	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
