/* Machines' mail: reports of delivery and complaints, and automatic answers. */
#include "kernel/mail/private.h"

#define REPORT_SIZE_MAX (64u << 10)

static struct str header(GMimeMessage *message, const char *name)
{
	const char *value = g_mime_object_get_header(GMIME_OBJECT(message), name);
	return value ? str_trim(str_from(value)) : STR_NONE;
}

/* --- automatic -------------------------------------------------------------------------------------------- */

bool mail_is_automatic(GMimeMessage *message, const struct incoming_mail *mail)
{
	static const char *const HEADERS[] = { "X-Autoreply", "X-Autorespond", "X-Autorespond-To", "X-Apple-Action", "List-Id", "Feedback-ID" };
	static const char *const SUBJECTS[] = { "Automatic reply", "Auto-reply", "Autoreply", "Auto:", "Out of Office", "Out of the office", "Réponse automatique",
		                                "Absence du bureau", "Automatische Antwort", "Abwesenheitsnotiz", "Respuesta automática", "رد تلقائي", "پاسخ خودکار" };
	static const char *const PRECEDENCES[] = { "auto_reply", "bulk", "junk", "list" };
	struct str submitted = header(message, "Auto-Submitted");
	if (!str_is_none(submitted) && !str_equal_nocase(str_slice(submitted, 0, 2), S("no")))
		return true; /* RFC 3834, 5: everything but "no" */
	for (size_t i = 0; i < COUNT_OF(HEADERS); i++)
		if (!str_is_none(header(message, HEADERS[i])))
			return true;
	struct str precedence = header(message, "Precedence");
	for (size_t i = 0; i < COUNT_OF(PRECEDENCES); i++)
		if (str_equal_nocase(precedence, str_from(PRECEDENCES[i])))
			return true;
	for (size_t i = 0; i < COUNT_OF(SUBJECTS); i++) {
		size_t length = strlen(SUBJECTS[i]);
		if (str_equal_nocase(str_slice(mail->subject, 0, length), str_from(SUBJECTS[i])))
			return true;
	}
	struct str path = header(message, "Return-Path");
	if (str_equal(path, S("<>")))
		return true;
	struct str local, domain;
	str_cut(mail->from, '@', &local, &domain);
	return str_equal_nocase(local, S("mailer-daemon")) || str_equal_nocase(local, S("postmaster"));
}

/* --- reports ---------------------------------------------------------------------------------------------- */

/* What a part holds, decoded, as text of the arena. */
static struct str part_content(struct arena *arena, GMimeObject *part)
{
	if (!GMIME_IS_PART(part))
		return S("");
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
	if (!content)
		return S("");
	GMimeStream *stream = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(content, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	struct str text = mail_clean(arena, (struct str){ (const char *)bytes->data, bytes->len }, REPORT_SIZE_MAX, NULL);
	g_object_unref(stream);
	return text;
}

/* The value of a field within [text], unfolded; STR_NONE if it is not there. `from` is where to look. */
static struct str report_field(struct arena *arena, struct str text, const char *name)
{
	size_t length = strlen(name);
	while (text.len > 0) {
		struct str line, rest;
		str_cut(text, '\n', &line, &rest);
		if (line.len > length && line.ptr[length] == ':' && str_equal_nocase(str_slice(line, 0, length), (struct str){ name, length })) {
			struct str value = str_trim(str_slice(line, length + 1, line.len));
			while (rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t')) {
				str_cut(rest, '\n', &line, &rest);
				value = str_concat(arena, str_concat(arena, value, S(" ")), str_trim(line));
			}
			return mail_clean_line(arena, value);
		}
		text = rest;
	}
	return STR_NONE;
}

/* "rfc822; someone@example.org" without its type. */
static struct str typed_value(struct str value)
{
	struct str type, rest;
	return str_cut(value, ';', &type, &rest) ? str_trim(rest) : value;
}

static enum mail_action action_of(struct str word)
{
	static const char *const WORDS[] = { "failed", "delayed", "delivered", "relayed", "expanded" };
	for (size_t i = 0; i < COUNT_OF(WORDS); i++)
		if (str_equal_nocase(word, str_from(WORDS[i])))
			return (enum mail_action)(i + 1);
	return MAIL_ACTION_NONE;
}

static struct str or_empty(struct str s)
{
	return str_is_none(s) ? S("") : s;
}

/* The blocks of a message/delivery-status (RFC 3464, 2.1): the first is about the report, the others one recipient each.
 * We send to one recipient at a time, so the first that failed is ours; without one, the first. */
static void read_status(struct arena *arena, struct str text, struct mail_bounce *out)
{
	while (text.len > 0) {
		size_t end = str_find(text, S("\n\n"), 0);
		struct str block = str_slice(text, 0, end);
		text = end == SIZE_MAX ? S("") : str_slice(text, end + 2, text.len);
		struct str recipient = report_field(arena, block, "Final-Recipient");
		if (str_is_none(recipient))
			continue;
		enum mail_action action = action_of(or_empty(report_field(arena, block, "Action")));
		if (out->recipient.len > 0 && action != MAIL_ACTION_FAILED)
			continue;
		out->recipient = typed_value(recipient);
		out->action = action;
		out->status = mail_status_in(or_empty(report_field(arena, block, "Status")));
		out->original_recipient = typed_value(or_empty(report_field(arena, block, "Original-Recipient")));
		out->diagnostic = typed_value(or_empty(report_field(arena, block, "Diagnostic-Code")));
		if (action == MAIL_ACTION_FAILED)
			return;
	}
}

struct report {
	struct arena *arena;
	struct mail_bounce *bounce;
	struct str words; /* the human part, for reports that are none */
};

static void take_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
	struct report *report = data;
	GMimeContentType *type = g_mime_object_get_content_type(part);
	(void)parent;
	if (g_mime_content_type_is_type(type, "message", "delivery-status") || g_mime_content_type_is_type(type, "message", "global-delivery-status")) {
		read_status(report->arena, part_content(report->arena, part), report->bounce);
	} else if (GMIME_IS_MESSAGE_PART(part)) {
		GMimeMessage *original = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
		const char *id = original ? g_mime_message_get_message_id(original) : NULL;
		if (id && report->bounce->message_id.len == 0)
			report->bounce->message_id = mail_clean_line(report->arena, str_from(id));
	} else if (g_mime_content_type_is_type(type, "text", "rfc822-headers")) {
		struct str id = report_field(report->arena, part_content(report->arena, part), "Message-ID");
		if (!str_is_none(id) && report->bounce->message_id.len == 0)
			report->bounce->message_id = mail_first_id(id);
	}
}

static bool is_report(GMimeObject *top, const char *type)
{
	GMimeContentType *content = g_mime_object_get_content_type(top);
	const char *of = g_mime_content_type_get_parameter(content, "report-type");
	return g_mime_content_type_is_type(content, "multipart", "report") && of && str_equal_nocase(str_from(of), str_from(type));
}

void mail_read_report(struct arena *arena, GMimeMessage *message, struct incoming_mail *mail)
{
	struct mail_bounce *bounce = &mail->bounce;
	GMimeObject *top = g_mime_message_get_mime_part(message);
	struct str empty = S("");
	bounce->status = bounce->recipient = bounce->original_recipient = bounce->diagnostic = bounce->message_id = empty;
	if (!top)
		return;
	mail->complaint = is_report(top, "feedback-report");
	struct str local, domain;
	str_cut(mail->from, '@', &local, &domain);
	bool daemon = str_equal_nocase(local, S("mailer-daemon")) || str_equal_nocase(local, S("postmaster"));
	bounce->is_bounce = is_report(top, "delivery-status") || (daemon && !mail->complaint);
	if (!bounce->is_bounce && !mail->complaint)
		return;
	struct report report = { arena, bounce, mail->whole_text };
	if (GMIME_IS_MULTIPART(top))
		g_mime_multipart_foreach(GMIME_MULTIPART(top), take_part, &report);
	/* Old mail systems say it in words alone. */
	if (bounce->is_bounce && bounce->status.len == 0)
		bounce->status = str_copy(arena, mail_status_in(bounce->diagnostic.len ? bounce->diagnostic : mail->whole_text));
	if (bounce->is_bounce && bounce->action != MAIL_ACTION_DELAYED && bounce->action != MAIL_ACTION_DELIVERED &&
	    bounce->action != MAIL_ACTION_RELAYED && bounce->action != MAIL_ACTION_EXPANDED)
		bounce->fault = mail_fault_of(0, bounce->status, bounce->diagnostic.len ? bounce->diagnostic : mail->whole_text);
	else if (bounce->action == MAIL_ACTION_DELAYED)
		bounce->fault = MAIL_FAULT_TEMPORARY;
}
