#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#define LINE_MAX_BYTES 8192

static struct arena arena;
static int socket_ends[2]; /* of datagrams, so that each write(2) is told from the next */
static int real_stderr;

static void listen_to_stderr(void)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, socket_ends), 0);
	real_stderr = dup(STDERR_FILENO);
	dup2(socket_ends[1], STDERR_FILENO);
}

static void leave_stderr(void)
{
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(socket_ends[0]);
	close(socket_ends[1]);
}

/* What the next write(2) wrote; none where there was none. */
static struct str heard(void)
{
	char *bytes = arena_alloc(&arena, 20000);
	ssize_t got = recv(socket_ends[0], bytes, 20000, MSG_DONTWAIT);
	return got < 0 ? STR_NONE : (struct str){ bytes, (size_t)got };
}

/* The line written, without "ts=... " before and the line break behind. */
static struct str heard_line(void)
{
	struct str line = heard();
	assert_true(str_starts(line, S("ts=")));
	assert_true(str_ends(line, S("\n")));
	assert_int_equal(str_find(line, S("\n"), 0), line.len - 1); /* one line only */
	int64_t when;
	size_t blank = str_find(line, S(" "), 0);
	assert_true(clock_parse(str_slice(line, 3, blank), &when));
	assert_true(llabs(clock_now() - when) < 10 * CLOCK_SECOND);
	return str_slice(line, blank + 1, line.len - 1);
}

static void check_value(struct str value, const char *written)
{
	listen_to_stderr();
	log_info("e", LOGS("k", value));
	struct str line = heard_line();
	leave_stderr();
	assert_string_equal(str_c(&arena, line), str_format(&arena, "level=info event=e k=%s", written).ptr);
}

static void test_values(void **state)
{
	(void)state;
	check_value(S("plain-1.5/x:y"), "plain-1.5/x:y");
	check_value(S("الرياض"), "الرياض");
	check_value(S(""), "\"\"");
	check_value(STR_NONE, "null");
	check_value(S("null"), "\"null\"");
	check_value(S("two words"), "\"two words\"");
	check_value(S("a=b"), "\"a=b\"");
	check_value(S("say \"hi\""), "\"say \\\"hi\\\"\"");
	check_value(S("back\\slash"), "\"back\\\\slash\"");
	check_value(S("a\r\n\tlevel=error"), "\"a\\r\\n\\tlevel=error\"");
	check_value(S("\x1b[31m\x7f"), "\"\\x1b[31m\\x7f\"");
	check_value((struct str){ "a\0b", 3 }, "\"a\\x00b\"");
	check_value(S("\xC2\x85"), "\"\\u0085\"");     /* next line */
	check_value(S("\xE2\x80\xA8"), "\"\\u2028\""); /* line separator */
	check_value(S("bad \xFF\xC0\xAF"), "\"bad \\xff\\xc0\\xaf\"");
	check_value(S("\xEF\xBF\xBD"), "\xEF\xBF\xBD"); /* a real U+FFFD is text */
}

static void test_fields_and_levels(void **state)
{
	(void)state;
	listen_to_stderr();
	log_warn("start");
	struct str bare = heard_line();
	log_error("mail.failed", LOGI("n", -5), LOGI("min", INT64_MIN), LOGC("why", "no route"), LOGC("none", NULL));
	struct str full = heard_line();
	log_debug("hidden");
	struct str hidden = heard();
	log_set_level(LOG_DEBUG);
	log_debug("shown");
	struct str shown = heard_line();
	log_set_level(LOG_ERROR);
	log_warn("hidden");
	struct str hidden_too = heard();
	log_set_level(LOG_INFO);
	leave_stderr();
	assert_true(str_equal(bare, S("level=warn event=start")));
	assert_true(str_equal(
		full, S("level=error event=mail.failed n=-5 min=-9223372036854775808 why=\"no route\" none=null")));
	assert_true(str_is_none(hidden));
	assert_true(str_equal(shown, S("level=debug event=shown")));
	assert_true(str_is_none(hidden_too));
}

/* Whatever the length, one write of at most 8192 bytes that ends well and says if something is missing. */
static void test_long_lines(void **state)
{
	(void)state;
	char text[9000];
	static const char *const fills[] = { "a", "\n", "\xC3\xA9", "\"" };
	for (size_t f = 0; f < COUNT_OF(fills); f++) {
		size_t unit = strlen(fills[f]);
		for (size_t i = 0; i + unit <= sizeof text; i += unit)
			memcpy(text + i, fills[f], unit);
		for (size_t length = 3900 / unit * unit; length < sizeof text - unit; length += unit) {
			if (length > 4300 && length < 7900)
				length = 7900 / unit * unit;
			listen_to_stderr();
			log_info("e", LOGS("k", ((struct str){ text, length })), LOGI("last", 1));
			struct str line = heard_line();
			struct str more = heard();
			leave_stderr();
			assert_true(line.len <= LINE_MAX_BYTES);
			assert_true(str_is_none(more));
			assert_true(utf8_valid(line));
			bool cut = str_ends(line, S(" truncated=true"));
			assert_true(cut || str_ends(line, S("\" last=1")));
			if (length < 4000)
				assert_false(cut);
			if (length > 8120)
				assert_true(cut && str_ends(line, S("\" truncated=true")));
			arena_clear(&arena);
		}
	}
}

static void test_many_fields(void **state)
{
	(void)state;
	struct log_field fields[2000];
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		fields[i] = LOGI("key", 12345);
	listen_to_stderr();
	log_write(LOG_INFO, "e", fields, COUNT_OF(fields));
	struct str line = heard_line();
	leave_stderr();
	assert_true(str_ends(line, S(" truncated=true")));
	assert_true(line.len > 8000);
}

static void test_errno_is_kept(void **state)
{
	(void)state;
	int closed = dup(STDERR_FILENO);
	close(STDERR_FILENO);
	errno = ENOSPC;
	log_error("nobody-hears");
	int after = errno;
	dup2(closed, STDERR_FILENO);
	close(closed);
	assert_int_equal(after, ENOSPC);
}

static void *chatter(void *argument)
{
	for (int i = 0; i < 50; i++)
		log_info("thread", LOGC("text", argument), LOGI("i", i));
	return NULL;
}

static void test_threads_do_not_mix(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	real_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	char texts[4][1500];
	pthread_t threads[4];
	for (size_t t = 0; t < COUNT_OF(threads); t++) {
		memset(texts[t], 'a' + (int)t, sizeof texts[t] - 1);
		texts[t][sizeof texts[t] - 1] = '\0';
		pthread_create(&threads[t], NULL, chatter, texts[t]);
	}
	for (size_t t = 0; t < COUNT_OF(threads); t++)
		pthread_join(threads[t], NULL);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	struct buf all;
	char part[65536];
	ssize_t got;
	buf_init(&all);
	while ((got = read(ends[0], part, sizeof part)) > 0)
		buf_add(&all, part, (size_t)got);
	close(ends[0]);
	struct str rest = buf_str(&all), line;
	int lines = 0;
	while (str_cut(rest, '\n', &line, &rest)) {
		size_t start = str_find(line, S("text=\""), 0) + 6;
		assert_true(start < line.len);
		for (size_t i = 1; i < sizeof texts[0] - 1; i++)
			assert_int_equal(line.ptr[start + i], line.ptr[start]);
		lines++;
	}
	assert_int_equal(lines, 200);
	assert_int_equal(rest.len, 0);
	buf_release(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),        cmocka_unit_test(test_fields_and_levels),
		cmocka_unit_test(test_long_lines),    cmocka_unit_test(test_many_fields),
		cmocka_unit_test(test_errno_is_kept), cmocka_unit_test(test_threads_do_not_mix),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
