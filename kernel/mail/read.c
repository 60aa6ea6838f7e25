/* A message from its bytes. */
#include <pthread.h>

#include "kernel/mail/private.h"

static pthread_once_t gmime_made = PTHREAD_ONCE_INIT;

static void make_gmime(void)
{
	g_mime_init();
}

/* --- bounds ----------------------------------------------------------------------------------------------- */

/* How often a word stands in the text, up to MAIL_NESTING_MAX + 1. */
static size_t count_word(struct str text, const char *word)
{
	size_t length = strlen(word), count = 0;
	for (size_t i = 0; i + length <= text.len && count <= MAIL_NESTING_MAX; i++)
		if ((text.ptr[i] | 0x20) == word[0] && str_equal_nocase(str_slice(text, i, i + length), (struct str){ word, length }))
			count++;
	return count;
}

/* GMime reads parts within parts by recursion, so what could be nested deeper than any mail of a person is not given
 * to it: only its head is. */
static bool nested_too_deep(struct str raw)
{
	return count_word(raw, "boundary") + count_word(raw, "message/") > MAIL_NESTING_MAX;
}

/* Where the body begins. */
static size_t head_end(struct str raw)
{
	size_t dos = str_find(raw, S("\r\n\r\n"), 0), unix_end = str_find(raw, S("\n\n"), 0);
	if (dos != SIZE_MAX && (unix_end == SIZE_MAX || dos < unix_end))
		return dos + 4;
	return unix_end == SIZE_MAX ? raw.len : unix_end + 2;
}

/* --- headers ---------------------------------------------------------------------------------------------- */

struct str mail_first_id(struct str value)
{
	size_t open = str_find(value, S("<"), 0);
	if (open == SIZE_MAX)
		return str_trim(value);
	size_t end = str_find(value, S(">"), open);
	return str_slice(value, open + 1, end == SIZE_MAX ? value.len : end);
}

static struct str header(struct arena *arena, GMimeMessage *message, const char *name)
{
	const char *value = g_mime_object_get_header(GMIME_OBJECT(message), name);
	return value ? mail_clean_line(arena, str_from(value)) : S("");
}

struct str mail_bare(struct str address)
{
	size_t open = str_find(address, S("<"), 0), end = str_find(address, S(">"), 0);
	return open != SIZE_MAX && end != SIZE_MAX && end > open ? str_slice(address, open + 1, end) : str_trim(address);
}

struct str mail_token_of(struct str address)
{
	struct str local, domain;
	str_cut(address, '@', &local, &domain);
	for (size_t i = local.len; i-- > 0;)
		if (local.ptr[i] == '+')
			return str_slice(local, i + 1, local.len);
	return S("");
}

/* The first mailbox of a list. */
static struct str first_mailbox(struct arena *arena, InternetAddressList *list, struct str *name)
{
	for (int i = 0; list && i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		if (!INTERNET_ADDRESS_IS_MAILBOX(address))
			continue;
		const char *mailbox = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		const char *said = internet_address_get_name(address);
		if (name)
			*name = mail_clean_line(arena, str_from(said ? said : ""));
		if (mailbox)
			return mail_clean_line(arena, str_from(mailbox));
	}
	return S("");
}

static void read_references(struct arena *arena, struct str value, struct incoming_mail *out)
{
	size_t room = 0;
	while (out->reference_count < 100) {
		size_t open = str_find(value, S("<"), 0);
		size_t end = open == SIZE_MAX ? SIZE_MAX : str_find(value, S(">"), open);
		if (end == SIZE_MAX)
			return;
		struct str id = str_slice(value, open + 1, end);
		ARENA_PUSH(arena, out->references, out->reference_count, room, id);
		value = str_slice(value, end + 1, value.len);
	}
}

static void read_head(struct arena *arena, GMimeMessage *message, struct incoming_mail *out)
{
	struct str name = S("");
	out->envelope_from = mail_bare(header(arena, message, "Return-Path"));
	out->from = first_mailbox(arena, g_mime_message_get_from(message), &name);
	out->from_name = name;
	out->reply_to = first_mailbox(arena, g_mime_message_get_reply_to(message), NULL);
	out->message_id = mail_first_id(header(arena, message, "Message-ID"));
	out->in_reply_to = mail_first_id(header(arena, message, "In-Reply-To"));
	read_references(arena, header(arena, message, "References"), out);
	const char *subject = g_mime_message_get_subject(message);
	out->subject = mail_clean_line(arena, str_from(subject ? subject : ""));
	static const char *const DELIVERED[] = { "Delivered-To", "X-Original-To", "Envelope-To" };
	out->delivered_to = S("");
	for (size_t i = 0; i < COUNT_OF(DELIVERED) && out->delivered_to.len == 0; i++)
		out->delivered_to = mail_bare(header(arena, message, DELIVERED[i]));
	if (out->delivered_to.len == 0)
		out->delivered_to = first_mailbox(arena, g_mime_message_get_to(message), NULL);
	out->token = mail_token_of(out->delivered_to);
}

/* --- texts ------------------------------------------------------------------------------------------------ */

struct texts {
	struct arena *arena;
	struct incoming_mail *mail;
	bool have_plain, have_html;
	struct str plain, html;
};

static void take_text(GMimeObject *parent, GMimeObject *part, gpointer data)
{
	struct texts *texts = data;
	(void)parent;
	const char *disposition = g_mime_object_get_disposition(part);
	bool attached = disposition && str_equal_nocase(str_from(disposition), S("attachment"));
	if (GMIME_IS_MULTIPART(part))
		return;
	bool html = g_mime_content_type_is_type(g_mime_object_get_content_type(part), "text", "html");
	bool plain = g_mime_content_type_is_type(g_mime_object_get_content_type(part), "text", "plain");
	bool *have = html ? &texts->have_html : &texts->have_plain;
	if (!GMIME_IS_TEXT_PART(part) || attached || (!html && !plain) || *have) {
		texts->mail->attachments++;
		return;
	}
	char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
	if (!text)
		return;
	*have = true;
	*(html ? &texts->html : &texts->plain) = mail_clean(texts->arena, str_from(text), html ? MAIL_TEXT_MAX * 8 : MAIL_TEXT_MAX, &texts->mail->cut);
	g_free(text);
}

static void read_texts(struct arena *arena, GMimeMessage *message, struct incoming_mail *out)
{
	struct texts texts = { .arena = arena, .mail = out, .plain = S(""), .html = S("") };
	GMimeObject *top = g_mime_message_get_mime_part(message);
	if (top && GMIME_IS_MULTIPART(top))
		g_mime_multipart_foreach(GMIME_MULTIPART(top), take_text, &texts);
	else if (top)
		take_text(NULL, top, &texts);
	out->whole_text = texts.plain;
	if (str_trim(texts.plain).len == 0 && texts.have_html) {
		out->from_html = true;
		out->whole_text = mail_clean(arena, mail_text_of_html(arena, texts.html), MAIL_TEXT_MAX, &out->cut);
	}
}

enum rc mail_read(struct arena *arena, struct str raw, struct incoming_mail *out, struct err *err)
{
	if (raw.len == 0 || raw.len > MAIL_SIZE_MAX)
		return err_set(err, INVALID, raw.len == 0 ? "the mail is empty" : "the mail is larger than %u bytes", MAIL_SIZE_MAX);
	pthread_once(&gmime_made, make_gmime);
	struct incoming_mail mail = { .unparsed = nested_too_deep(raw), .content_hash = hash_bytes(raw.ptr, raw.len, 1) };
	size_t body = head_end(raw);
	struct str given = raw;
	if (mail.unparsed) /* without the type of its parts the head says nothing of nesting */
		given = str_slice(raw, 0, body);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(given.ptr, given.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	if (!message)
		return err_set(err, INVALID, "this is no mail");
	read_head(arena, message, &mail);
	if (mail.unparsed)
		mail.whole_text = mail_clean(arena, str_slice(raw, body, raw.len), MAIL_TEXT_MAX, &mail.cut);
	else
		read_texts(arena, message, &mail);
	/* Parts that are announced and cannot be found: what stands there is all there is to read. */
	if (!mail.unparsed && mail.attachments == 0 && str_trim(mail.whole_text).len == 0 && str_trim(str_slice(raw, body, raw.len)).len > 0) {
		mail.whole_text = mail_clean(arena, str_slice(raw, body, raw.len), MAIL_TEXT_MAX, &mail.cut);
		mail.unparsed = true;
	}
	mail.text = mail_without_quotes(arena, mail.whole_text);
	mail_read_report(arena, message, &mail);
	mail.automatic = mail.bounce.is_bounce || mail.complaint || mail_is_automatic(message, &mail);
	g_object_unref(message);
	*out = mail;
	return OK;
}
