/* A mail from its fields, by GMime. */
#include <gmime/gmime.h>
#include <pthread.h>

#include "adapters/channel/smtp/smtp.h"
#include "kernel/mail/mail.h"

#define SUBJECT_MAX 1000
#define TEXT_MAX (1u << 20)

static pthread_once_t gmime_made = PTHREAD_ONCE_INIT;

static void make_gmime(void)
{
	g_mime_init();
}

/* Visible ASCII and single blanks: what ids, links and tags are made of. */
static bool is_plain(struct str s, bool blanks)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '!' || s.ptr[i] > '~')
			if (!blanks || s.ptr[i] != ' ')
				return false;
	return s.len <= SUBJECT_MAX * 4;
}

/* A person's text on one line. */
static char *one_line(struct arena *arena, struct str s)
{
	char *line = str_c(arena, s);
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	return line;
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

/* Line ends as RFC 2045, 6.8 wants them within base64: CR LF. */
static char *with_crlf(struct arena *arena, struct str text)
{
	char *out = arena_alloc(arena, text.len * 2 + 1);
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
			out[length++] = '\r';
		out[length++] = text.ptr[i];
	}
	return out;
}

static GMimeObject *text_part(struct arena *arena, const char *subtype, struct str text)
{
	GMimeTextPart *part = g_mime_text_part_new_with_subtype(subtype);
	g_mime_text_part_set_charset(part, "utf-8");
	g_mime_text_part_set_text(part, with_crlf(arena, text));
	return GMIME_OBJECT(part);
}

static void set_header(GMimeMessage *message, const char *name, const char *value)
{
	g_mime_object_set_header(GMIME_OBJECT(message), name, value, "utf-8");
}

static void set_extra_headers(struct arena *arena, GMimeMessage *message, const struct channel_mail *mail)
{
	if (mail->references.len) {
		struct str references = str_trim(mail->references);
		size_t last = references.len;
		while (last > 0 && references.ptr[last - 1] != ' ')
			last--;
		set_header(message, "In-Reply-To", str_c(arena, str_slice(references, last, references.len)));
		set_header(message, "References", str_c(arena, references));
	}
	if (mail->list_id.len)
		set_header(message, "List-Id", str_format(arena, "<%.*s>", STR_ARG(mail->list_id)).ptr);
	if (mail->unsubscribe.len) { /* RFC 8058, 3.1: both, and the link by https */
		set_header(message, "List-Unsubscribe", str_format(arena, "<%.*s>", STR_ARG(mail->unsubscribe)).ptr);
		set_header(message, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
	}
	if (mail->automatic) {
		set_header(message, "Auto-Submitted", "auto-generated");
		set_header(message, "X-Auto-Response-Suppress", "All"); /* so that Exchange's out-of-office stays silent */
	}
}

static GMimeMessage *make_message(struct arena *arena, const struct channel_message *m)
{
	const struct channel_mail *mail = m->mail;
	GMimeMessage *message = g_mime_message_new(TRUE);
	const char *name = mail->from_name.len ? one_line(arena, mail->from_name) : NULL;
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_FROM, name, str_c(arena, mail->from_address));
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, NULL, str_c(arena, m->to));
	if (mail->reply_to.len)
		g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_REPLY_TO, NULL, str_c(arena, mail->reply_to));
	g_mime_message_set_subject(message, one_line(arena, mail->subject), "utf-8");
	g_mime_message_set_message_id(message, str_c(arena, mail->message_id));
	GDateTime *date = g_date_time_new_from_unix_utc(mail->date / CLOCK_SECOND);
	if (date) {
		g_mime_message_set_date(message, date);
		g_date_time_unref(date);
	}
	set_extra_headers(arena, message, mail);
	GMimeObject *body = text_part(arena, "plain", mail->text);
	if (mail->html.len) {
		GMimeMultipart *both = g_mime_multipart_new_with_subtype("alternative");
		GMimeObject *html = text_part(arena, "html", mail->html);
		g_mime_multipart_add(both, body);
		g_mime_multipart_add(both, html);
		g_object_unref(body);
		g_object_unref(html);
		body = GMIME_OBJECT(both);
	}
	if (mail->language.len)
		g_mime_object_set_header(body, "Content-Language", str_c(arena, mail->language), NULL);
	g_mime_message_set_mime_part(message, body);
	g_object_unref(body);
	/* Quoted-printable or base64, whichever is shorter: no relay on the way can break that. */
	g_mime_object_encode(GMIME_OBJECT(message), GMIME_ENCODING_CONSTRAINT_7BIT);
	return message;
}

const char *smtp_compose(const struct channel_message *m, struct buf *out, enum channel_fault *fault)
{
	const char *why = refuse(m, fault);
	if (why)
		return why;
	pthread_once(&gmime_made, make_gmime);
	struct arena arena;
	arena_init(&arena);
	GMimeMessage *message = make_message(&arena, m);
	GMimeFormatOptions *format = g_mime_format_options_new();
	g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
	GMimeStream *stream = g_mime_stream_mem_new();
	g_mime_object_write_to_stream(GMIME_OBJECT(message), format, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	buf_add(out, bytes->data, bytes->len);
	g_object_unref(stream);
	g_mime_format_options_free(format);
	g_object_unref(message);
	arena_release(&arena);
	return NULL;
}
