/* A mail from its fields (RFC 5322, 2045-2047). Written by hand: a mail is written for each person, and a MIME library takes
 * several times as long as all the rest of the way to the relay. */
#include <stdio.h>
#include <time.h>

#include "adapters/channel/smtp/smtp.h"
#include "kernel/mail/mail.h"

#define SUBJECT_MAX 1000
#define TEXT_MAX (1u << 20)
#define LINE_LONGEST 990   /* of a text that goes as it is; RFC 5322, 2.1.1 allows 998 */
#define LINE_GOOD 76       /* header lines are folded beyond, and encoded ones end there */
#define WORD_BYTES 39      /* of text in one encoded word: its base64 and frame are 64 letters, a line of 73 with the field name (RFC 2047, 2) */

/* Visible ASCII and single blanks: what ids, links and tags are made of. */
static bool is_plain(struct str s, bool blanks)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '!' || s.ptr[i] > '~')
			if (!blanks || s.ptr[i] != ' ')
				return false;
	return s.len <= SUBJECT_MAX * 4;
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

static const char *refuse(const struct channel_message *m, enum channel_fault *fault)
{
	const struct channel_mail *mail = m->mail;
	*fault = CHANNEL_FAULT_MESSAGE;
	if (!mail)
		return "no mail";
	if (!mail_address_valid(mail->from_address))
		return "bad From address";
	if (mail->envelope_from.len && !mail_address_valid(mail->envelope_from))
		return "bad return path";
	if (mail->reply_to.len && !mail_address_valid(mail->reply_to))
		return "bad Reply-To address";
	if (mail->message_id.len == 0 || !is_plain(mail->message_id, false) || str_find(mail->message_id, S(">"), 0) != SIZE_MAX)
		return "bad Message-ID";
	if (!is_plain(mail->references, true) || !is_plain(mail->list_id, false) || !is_plain(mail->unsubscribe, false) ||
	    !is_plain(mail->language, false) || str_find(mail->unsubscribe, S(">"), 0) != SIZE_MAX)
		return "bad header field";
	if (mail->subject.len > SUBJECT_MAX || mail->from_name.len > SUBJECT_MAX || mail->text.len > TEXT_MAX || mail->html.len > TEXT_MAX)
		return "too long";
	if (!utf8_valid(mail->subject) || !utf8_valid(mail->from_name) || !utf8_valid(mail->text) || !utf8_valid(mail->html))
		return "not UTF-8";
	*fault = CHANNEL_FAULT_RECIPIENT;
	return mail_address_valid(m->to) ? NULL : "not an address";
}

/* --- encodings ---------------------------------------------------------------------------------------------- */

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *put_base64(char *out, const unsigned char *in, size_t size)
{
	for (; size >= 3; in += 3, size -= 3) {
		*out++ = BASE64[in[0] >> 2];
		*out++ = BASE64[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = BASE64[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = BASE64[in[2] & 63];
	}
	if (size > 0) {
		unsigned second = size > 1 ? in[1] : 0;
		*out++ = BASE64[in[0] >> 2];
		*out++ = BASE64[(in[0] & 3u) << 4 | second >> 4];
		*out++ = size > 1 ? BASE64[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	return out;
}

/* The text with CR LF at its lines' ends, as RFC 2045, 6.8 wants it within base64. */
static void add_crlf(struct buf *out, struct str text)
{
	buf_reserve(out, text.len * 2);
	char *at = out->ptr + out->len;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
			*at++ = '\r';
		*at++ = text.ptr[i];
	}
	out->len = (size_t)(at - out->ptr);
}

static void add_base64_lines(struct buf *out, struct str text)
{
	struct buf lines;
	buf_init(&lines);
	add_crlf(&lines, text);
	buf_reserve(out, lines.len * 3 / 2 + 16);
	const unsigned char *in = (const unsigned char *)lines.ptr;
	for (size_t at = 0; at < lines.len; at += 57) {
		size_t size = lines.len - at < 57 ? lines.len - at : 57;
		char *end = put_base64(out->ptr + out->len, in + at, size);
		*end++ = '\r';
		*end++ = '\n';
		out->len = (size_t)(end - out->ptr);
	}
	buf_release(&lines);
}

static bool line_ends_at(struct str text, size_t i)
{
	return i == text.len || text.ptr[i] == '\n' || (text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n');
}

/* RFC 2045, 6.7 */
static void add_quoted_printable(struct buf *out, struct str text)
{
	static const char HEX[] = "0123456789ABCDEF";
	buf_reserve(out, text.len * 3 + text.len * 3 / 24 + 16);
	char *at = out->ptr + out->len;
	size_t column = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (line_ends_at(text, i)) {
			i += c == '\r';
			*at++ = '\r';
			*at++ = '\n';
			column = 0;
			continue;
		}
		bool blank = c == ' ' || c == '\t';
		bool plain = (c > ' ' && c <= '~' && c != '=') || (blank && !line_ends_at(text, i + 1));
		/* "From " and a lone dot at a line's start are what old relays break. */
		if (column == 0 && (c == 'F' || c == '.'))
			plain = false;
		size_t width = plain ? 1 : 3;
		if (column + width > LINE_GOOD - 1) {
			memcpy(at, "=\r\n", 3);
			at += 3;
			column = 0;
		}
		if (plain) {
			*at++ = (char)c;
		} else {
			*at++ = '=';
			*at++ = HEX[c >> 4];
			*at++ = HEX[c & 15];
		}
		column += width;
	}
	if (column > 0) {
		*at++ = '\r';
		*at++ = '\n';
	}
	out->len = (size_t)(at - out->ptr);
}

enum encoding { ENCODING_7BIT, ENCODING_QUOTED, ENCODING_BASE64 };

/* The shortest that no relay on the way can break. */
static enum encoding encoding_of(struct str text)
{
	size_t special = 0, column = 0, longest = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		special += c >= 0x80 || (c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f;
		special += c == '\r' && !line_ends_at(text, i);
		column = c == '\n' ? 0 : column + 1;
		if (column > longest)
			longest = column;
	}
	bool marked = str_find(text, S("=_"), 0) != SIZE_MAX; /* how our boundary begins */
	if (special == 0 && longest <= LINE_LONGEST && !marked && !str_starts(text, S("From ")) && str_find(text, S("\nFrom "), 0) == SIZE_MAX)
		return ENCODING_7BIT;
	return special * 6 > text.len ? ENCODING_BASE64 : ENCODING_QUOTED;
}

/* --- header fields ------------------------------------------------------------------------------------------ */

/* A person's text on one line: control characters become blanks. */
static struct str one_line(struct arena *arena, struct str s)
{
	char *line = arena_alloc(arena, s.len + 1);
	for (size_t i = 0; i < s.len; i++)
		line[i] = (unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f ? ' ' : s.ptr[i];
	return (struct str){ line, s.len };
}

static bool character_begins(struct str text, size_t at)
{
	return at == text.len || ((unsigned char)text.ptr[at] & 0xc0) != 0x80;
}

/* Encoded words (RFC 2047), a line each, cut between characters. Only the last one may be padded: some readers join the words
 * before they decode them, and stop at padding. Where no cut is without, one character goes by itself, in the other encoding. */
static void add_encoded_words(struct buf *out, struct str text)
{
	for (size_t at = 0; at < text.len;) {
		size_t most = at + WORD_BYTES < text.len ? at + WORD_BYTES : text.len, end = most;
		while (end > at && !(character_begins(text, end) && ((end - at) % 3 == 0 || end == text.len)))
			end--;
		buf_add_str(out, at > 0 ? S("\r\n ") : S(""));
		if (end > at) {
			char word[WORD_BYTES * 2];
			size_t size = (size_t)(put_base64(word, (const unsigned char *)text.ptr + at, end - at) - word);
			buf_add_str(out, S("=?utf-8?B?"));
			buf_add(out, word, size);
		} else {
			buf_add_str(out, S("=?utf-8?Q?"));
			do
				buf_format(out, "=%02X", (unsigned char)text.ptr[end++]);
			while (!character_begins(text, end));
		}
		buf_add_str(out, S("?="));
		at = end;
	}
}

/* Words with folds at blanks; `column` is where the line stands. Words longer than a line stay whole. */
static void add_folded(struct buf *out, struct str text, size_t column)
{
	while (text.len > 0) {
		struct str word, rest;
		bool more = str_cut(text, ' ', &word, &rest);
		if (column + word.len > LINE_GOOD && column > 1 && word.len > 0) {
			/* The blank before it is the fold's. */
			if (out->len > 0 && out->ptr[out->len - 1] == ' ')
				out->len--;
			buf_add_str(out, S("\r\n "));
			column = 1;
		}
		buf_add_str(out, word);
		if (more)
			buf_add_char(out, ' ');
		column += word.len + 1;
		text = more ? rest : S("");
	}
}

/* Whether a text may stand in a header as it is: ASCII that does not look encoded, no blank where a fold could lose it. */
static bool is_simple(struct str text)
{
	if (!is_ascii(text) || str_find(text, S("=?"), 0) != SIZE_MAX || str_find(text, S("  "), 0) != SIZE_MAX)
		return false;
	size_t word = 0;
	for (size_t i = 0; i < text.len; i++) {
		word = text.ptr[i] == ' ' ? 0 : word + 1;
		if (word > LINE_GOOD)
			return false;
	}
	return text.len == 0 || (text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' ');
}

static void add_text_field(struct buf *out, struct arena *arena, struct str name, struct str value)
{
	struct str line = one_line(arena, value);
	buf_add_str(out, name);
	if (is_simple(line))
		add_folded(out, line, name.len);
	else
		add_encoded_words(out, line);
	buf_add_str(out, S("\r\n"));
}

/* A display name: quoted where it is ASCII (RFC 5322, 3.4). */
static void add_name(struct buf *out, struct arena *arena, struct str name)
{
	struct str line = one_line(arena, name);
	if (!is_simple(line) || line.len > 60) {
		add_encoded_words(out, line);
		return;
	}
	buf_add_char(out, '"');
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] == '"' || line.ptr[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, line.ptr[i]);
	}
	buf_add_char(out, '"');
}

static void add_date(struct buf *out, int64_t date)
{
	static const char DAYS[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char MONTHS[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm t;
	time_t seconds = (time_t)(date / CLOCK_SECOND);
	if (!gmtime_r(&seconds, &t))
		return; /* a year beyond all counting: the relay adds its own */
	buf_format(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", DAYS[t.tm_wday], t.tm_mday, MONTHS[t.tm_mon], t.tm_year + 1900, t.tm_hour,
	           t.tm_min, t.tm_sec);
}

static void add_field(struct buf *out, struct str name, struct str value, struct str end)
{
	buf_add_str(out, name);
	buf_add_str(out, value);
	buf_add_str(out, end);
}

/* What programs read: threads, lists, automatic mail. */
static void add_machine_fields(struct buf *out, const struct channel_mail *mail)
{
	if (mail->references.len) {
		struct str references = str_trim(mail->references);
		size_t last = references.len;
		while (last > 0 && references.ptr[last - 1] != ' ')
			last--;
		add_field(out, S("In-Reply-To: "), str_slice(references, last, references.len), S("\r\nReferences: "));
		add_folded(out, references, 12);
		buf_add_str(out, S("\r\n"));
	}
	if (mail->list_id.len)
		add_field(out, S("List-Id: <"), mail->list_id, S(">\r\n"));
	if (mail->unsubscribe.len) /* RFC 8058, 3.1: both, and the link by https */
		add_field(out, S("List-Unsubscribe: <"), mail->unsubscribe, S(">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
	if (mail->automatic) /* the second so that Exchange's out-of-office stays silent */
		buf_add_str(out, S("Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"));
}

static void add_part(struct buf *out, struct str type, struct str text)
{
	static const char *const NAMES[] = { "7bit", "quoted-printable", "base64" };
	enum encoding encoding = encoding_of(text);
	add_field(out, S("Content-Type: text/"), type, S("; charset=utf-8\r\nContent-Transfer-Encoding: "));
	buf_add_str(out, str_from(NAMES[encoding]));
	buf_add_str(out, S("\r\n\r\n"));
	if (encoding == ENCODING_7BIT)
		add_crlf(out, text);
	else if (encoding == ENCODING_QUOTED)
		add_quoted_printable(out, text);
	else
		add_base64_lines(out, text);
	if (out->ptr[out->len - 1] != '\n')
		buf_add_str(out, S("\r\n"));
}

static void add_body(struct buf *out, const struct channel_mail *mail)
{
	buf_add_str(out, S("MIME-Version: 1.0\r\n"));
	if (mail->language.len)
		add_field(out, S("Content-Language: "), mail->language, S("\r\n"));
	if (mail->html.len == 0) {
		add_part(out, S("plain"), mail->text);
		return;
	}
	/* "=_" stands in no quoted-printable and no base64 text (RFC 2045, 6.7), and texts that hold it are encoded. */
	char boundary[40];
	snprintf(boundary, sizeof boundary, "=_%016llx", (unsigned long long)hash_bytes(mail->message_id.ptr, mail->message_id.len, 7));
	buf_format(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary, boundary);
	add_part(out, S("plain"), mail->text);
	buf_format(out, "--%s\r\n", boundary);
	add_part(out, S("html"), mail->html);
	buf_format(out, "--%s--\r\n", boundary);
}

/* --- all together ------------------------------------------------------------------------------------------- */

/* An address with its domain in ASCII. NULL: the domain is no name that can be asked for. */
static const char *wire_address(struct arena *arena, struct str address, struct str *out, bool *utf8)
{
	*out = address;
	if (is_ascii(address))
		return NULL;
	if (!mail_address_to_ascii(arena, address, out))
		return "bad domain";
	*utf8 |= !is_ascii(*out);
	return NULL;
}

static const char *make_envelope(struct arena *arena, const struct channel_message *m, struct smtp_envelope *out, struct str wire[4],
                                 enum channel_fault *fault)
{
	const struct str given[4] = { m->to, m->mail->from_address, m->mail->reply_to, m->mail->envelope_from };
	out->utf8 = false;
	for (size_t i = 0; i < 4; i++) {
		const char *why = wire_address(arena, given[i], &wire[i], &out->utf8);
		*fault = i == 0 ? CHANNEL_FAULT_RECIPIENT : CHANNEL_FAULT_MESSAGE;
		if (why || wire[i].len >= sizeof out->to)
			return why ? why : "the address is too long";
	}
	snprintf(out->to, sizeof out->to, "%.*s", STR_ARG(wire[0]));
	snprintf(out->from, sizeof out->from, "%.*s", STR_ARG(wire[3]));
	return NULL;
}

const char *smtp_compose(const struct channel_message *m, struct buf *out, struct smtp_envelope *envelope, enum channel_fault *fault)
{
	const char *why = refuse(m, fault);
	if (why)
		return why;
	const struct channel_mail *mail = m->mail;
	struct str wire[4]; /* to, from, reply-to, return path */
	struct arena arena;
	arena_init(&arena);
	why = make_envelope(&arena, m, envelope, wire, fault);
	if (!why) {
		buf_add_str(out, S("From: "));
		if (mail->from_name.len)
			add_name(out, &arena, mail->from_name);
		add_field(out, mail->from_name.len ? S(" <") : S("<"), wire[1], S(">\r\n"));
		add_field(out, S("To: <"), wire[0], S(">\r\n"));
		if (mail->reply_to.len)
			add_field(out, S("Reply-To: <"), wire[2], S(">\r\n"));
		add_text_field(out, &arena, S("Subject: "), mail->subject);
		add_field(out, S("Message-ID: <"), mail->message_id, S(">\r\n"));
		add_date(out, mail->date);
		add_machine_fields(out, mail);
		add_body(out, mail);
	}
	arena_release(&arena);
	return why;
}
