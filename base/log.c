#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "base/fatal.h"

#define LINE_MAX_BYTES 8192
#define CUT_MARK " truncated=true\n"                   /* ends a line that was too long, instead of a silent cut */
#define CONTENT_MAX (LINE_MAX_BYTES - sizeof CUT_MARK) /* leaves room for a closing quote and the mark */
#define PLAIN_VALUE_MAX 256 /* longer values are quoted, and so cut between characters where they do not fit */

struct line {
	char bytes[LINE_MAX_BYTES];
	size_t len;
	bool cut;
};

static _Atomic int least_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

/* Adds all of `bytes` or nothing; after the first that does not fit nothing is added any more. */
static void put(struct line *line, const char *bytes, size_t size)
{
	if (line->cut || line->len + size > CONTENT_MAX) {
		line->cut = true;
		return;
	}
	memcpy(line->bytes + line->len, bytes, size);
	line->len += size;
}

static void put_char(struct line *line, char c)
{
	put(line, &c, 1);
}

static void put_number(struct line *line, int64_t number)
{
	char digits[20]; /* "-9223372036854775808" */
	size_t at = sizeof digits;
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (number < 0)
		digits[--at] = '-';
	put(line, digits + at, sizeof digits - at);
}

static void put_padded(struct line *line, int number, int width, char after)
{
	char digits[12];
	for (int i = width; i-- > 0; number /= 10)
		digits[i] = (char)('0' + number % 10);
	digits[width] = after;
	put(line, digits, (size_t)width + 1);
}

static void put_time(struct line *line, int64_t now)
{
	int year, month, day;
	int64_t days = now / CLOCK_DAY, rest = now % CLOCK_DAY;
	if (rest < 0) {
		days--;
		rest += CLOCK_DAY;
	}
	int second = (int)(rest / CLOCK_SECOND);
	date_from_days(days, &year, &month, &day);
	put_padded(line, year < 0 || year > 9999 ? 0 : year, 4, '-');
	put_padded(line, month, 2, '-');
	put_padded(line, day, 2, 'T');
	put_padded(line, second / 3600, 2, ':');
	put_padded(line, second / 60 % 60, 2, ':');
	put_padded(line, second % 60, 2, '.');
	put_padded(line, (int)(rest % CLOCK_SECOND), 6, 'Z');
}

/* Control characters (C0, DEL, C1) and Unicode's line separators, with which a value could forge a line or a terminal command. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

static bool needs_quotes(struct str value)
{
	if (value.len == 0 || value.len > PLAIN_VALUE_MAX || str_equal(value, S("null")) || !utf8_valid(value))
		return true;
	for (size_t at = 0; at < value.len;) {
		uint32_t code = utf8_next(value, &at);
		if (is_control(code) || code == ' ' || code == '"' || code == '=' || code == '\\')
			return true;
	}
	return false;
}

static void put_escape(struct line *line, uint32_t code, char letter, int digits)
{
	char text[6] = { '\\', letter };
	for (int i = 0; i < digits; i++)
		text[2 + i] = "0123456789abcdef"[code >> (4 * (digits - 1 - i)) & 15];
	put(line, text, (size_t)digits + 2);
}

static void put_quoted(struct line *line, struct str value)
{
	put_char(line, '"');
	if (line->cut)
		return;
	for (size_t at = 0; at < value.len && !line->cut;) {
		size_t from = at;
		uint32_t code = utf8_next(value, &at);
		if (code == '"' || code == '\\')
			put(line, (const char[]){ '\\', (char)code }, 2);
		else if (code == '\n')
			put(line, "\\n", 2);
		else if (code == '\r')
			put(line, "\\r", 2);
		else if (code == '\t')
			put(line, "\\t", 2);
		else if (is_control(code))
			put_escape(line, code, code < 0x80 ? 'x' : 'u', code < 0x80 ? 2 : 4);
		else if (code == 0xFFFD && at == from + 1) /* not UTF-8 */
			put_escape(line, (unsigned char)value.ptr[from], 'x', 2);
		else
			put(line, value.ptr + from, at - from);
	}
	line->bytes[line->len++] = '"'; /* put() kept room for it, so that a cut value is closed too */
}

static void put_value(struct line *line, struct str value)
{
	if (str_is_none(value))
		put(line, "null", 4);
	else if (needs_quotes(value))
		put_quoted(line, value);
	else
		put(line, value.ptr, value.len);
}

static void put_field(struct line *line, const struct log_field *field)
{
	size_t before = line->len;
	put_char(line, ' ');
	put(line, field->key, strlen(field->key));
	put_char(line, '=');
	if (field->is_number)
		put_number(line, field->number);
	else
		put_value(line, field->text);
	if (line->cut && line->bytes[line->len - 1] != '"')
		line->len = before; /* a key without its value says nothing */
}

/* Standard error is the last place to complain: when even that fails, the line is lost. */
static void write_all(const char *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(STDERR_FILENO, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		size -= (size_t)written;
	}
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
		return;
	int saved = errno;
	struct line line;
	line.len = 0;
	line.cut = false;
	put(&line, "ts=", 3);
	put_time(&line, clock_now());
	put(&line, " level=", 7);
	put_value(&line, str_from(names[level]));
	put(&line, " event=", 7);
	put_value(&line, str_from(event));
	for (size_t i = 0; i < count && !line.cut; i++)
		put_field(&line, &fields[i]);
	const char *end = line.cut ? CUT_MARK : "\n";
	size_t end_size = line.cut ? sizeof CUT_MARK - 1 : 1;
	memcpy(line.bytes + line.len, end, end_size);
	write_all(line.bytes, line.len + end_size);
	errno = saved;
}

_Noreturn void base_fatal(const char *why)
{
	/* Not log_write: it reads the clock, and the clock may be what failed. */
	struct line line;
	line.len = 0;
	line.cut = false;
	put(&line, "level=error event=fatal reason=\"", 32);
	put(&line, why, strlen(why));
	put(&line, "\"\n", 2);
	write_all(line.bytes, line.len);
	abort();
}
