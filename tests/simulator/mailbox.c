/* Mails read for people, and what mailboxes write. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <gmime/gmime.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/simulator/simulator.h"

extern char **environ;

static pthread_once_t gmime_made = PTHREAD_ONCE_INIT;

static void make_gmime(void)
{
	g_mime_init();
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static struct str copy_text(struct arena *arena, const char *text)
{
	return str_copy(arena, str_from(text ? text : ""));
}

static struct str header(struct arena *arena, GMimeMessage *message, const char *name)
{
	return copy_text(arena, g_mime_object_get_header(GMIME_OBJECT(message), name));
}

struct view_context {
	struct arena *arena;
	struct mail_view *view;
};

static void view_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
	struct view_context *context = data;
	(void)parent;
	if (!GMIME_IS_TEXT_PART(part))
		return;
	GMimeContentType *type = g_mime_object_get_content_type(part);
	struct str *out = g_mime_content_type_is_type(type, "text", "html") ? &context->view->html : &context->view->text;
	char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
	if (text && out->len == 0)
		*out = copy_text(context->arena, text);
	g_free(text);
}

static struct str addresses(struct arena *arena, InternetAddressList *list)
{
	char *text = list ? internet_address_list_to_string(list, NULL, FALSE) : NULL;
	struct str copy = copy_text(arena, text);
	g_free(text);
	return copy;
}

static GMimeMessage *parse(struct str raw)
{
	pthread_once(&gmime_made, make_gmime);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(raw.ptr ? raw.ptr : "", raw.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

void mailbox_view(struct arena *arena, struct str raw, struct mail_view *out)
{
	struct str empty = S("");
	*out = (struct mail_view){ empty, empty, empty, empty, empty, empty, empty, empty, empty, empty, empty, empty, empty };
	GMimeMessage *message = parse(raw);
	if (!message) {
		out->text = raw;
		return;
	}
	out->from = addresses(arena, g_mime_message_get_from(message));
	out->to = addresses(arena, g_mime_message_get_to(message));
	out->reply_to = addresses(arena, g_mime_message_get_reply_to(message));
	out->subject = copy_text(arena, g_mime_message_get_subject(message));
	out->message_id = copy_text(arena, g_mime_message_get_message_id(message));
	out->references = header(arena, message, "References");
	out->in_reply_to = header(arena, message, "In-Reply-To");
	out->list_unsubscribe = header(arena, message, "List-Unsubscribe");
	out->list_unsubscribe_post = header(arena, message, "List-Unsubscribe-Post");
	out->auto_submitted = header(arena, message, "Auto-Submitted");
	struct view_context context = { arena, out };
	GMimeObject *top = g_mime_message_get_mime_part(message);
	if (top) /* GMime keeps fields of this kind with the body */
		out->content_language = copy_text(arena, g_mime_object_get_header(top, "Content-Language"));
	if (top && GMIME_IS_MULTIPART(top))
		g_mime_multipart_foreach(GMIME_MULTIPART(top), view_part, &context);
	else if (top)
		view_part(NULL, top, &context);
	g_object_unref(message);
}

/* --- writing ---------------------------------------------------------------------------------------------- */

/* The bare address of "Name <address>". */
static struct str bare(struct str address)
{
	size_t open = str_find(address, S("<"), 0), end = str_find(address, S(">"), 0);
	return open != SIZE_MAX && end != SIZE_MAX && end > open ? str_slice(address, open + 1, end) : str_trim(address);
}

static bool one_line(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ')
			return false;
	return true;
}

static void quoted(struct buf *out, struct str text)
{
	while (text.len > 0) {
		struct str line;
		str_cut(text, '\n', &line, &text);
		if (str_ends(line, S("\r")))
			line.len--;
		buf_format(out, "> %.*s\r\n", STR_ARG(line));
	}
}

static void put_head(struct buf *out, struct arena *arena, const struct mailbox_letter *letter, struct str return_path, struct str to, struct str subject)
{
	/* The two lines a mail system adds when it hands a mail to a program (Postfix pipe(8), flags D and R). */
	buf_format(out, "Return-Path: <%.*s>\r\nDelivered-To: %.*s\r\n", STR_ARG(return_path), STR_ARG(to));
	buf_format(out, "From: %s%.*s%s\r\nTo: <%.*s>\r\n", letter->bounce ? "Mail Delivery System <" : "<",
	           STR_ARG(letter->bounce ? S("MAILER-DAEMON@relay.example") : letter->mailbox), ">", STR_ARG(to));
	/* Base64 in an encoded-word (RFC 2047) would need folding; a subject in raw UTF-8 (RFC 6532) is met as well. */
	buf_format(out, "Subject: %.*s\r\nMessage-ID: <%s@simulator.example>\r\nMIME-Version: 1.0\r\n", STR_ARG(subject), rand_id(arena).ptr);
}

static void put_reply(struct buf *out, struct arena *arena, const struct mailbox_letter *letter, const struct store_message *original,
                      const struct mail_view *view, struct str to)
{
	struct str subject = letter->subject;
	if (subject.len == 0 && view)
		subject = letter->automatic ? str_concat(arena, S("Automatic reply: "), view->subject) :
		          str_starts(view->subject, S("Re:")) ? view->subject : str_concat(arena, S("Re: "), view->subject);
	put_head(out, arena, letter, letter->automatic ? S("") : letter->mailbox, to, subject);
	if (view && view->message_id.len)
		buf_format(out, "In-Reply-To: <%.*s>\r\nReferences: %.*s <%.*s>\r\n", STR_ARG(view->message_id), STR_ARG(view->references), STR_ARG(view->message_id));
	if (letter->automatic)
		buf_add_str(out, S("Auto-Submitted: auto-replied\r\n"));
	buf_add_str(out, S("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"));
	buf_add_str(out, letter->automatic && letter->text.len == 0 ? S("I am out of the office.") : letter->text);
	buf_add_str(out, S("\r\n"));
	if (original && view) {
		buf_format(out, "\r\nOn %s, %.*s wrote:\r\n", clock_format(arena, original->at).ptr, STR_ARG(view->from));
		quoted(out, view->text);
	}
}

/* RFC 3464, with the head of the mail it speaks of. */
static void put_bounce(struct buf *out, struct arena *arena, const struct mailbox_letter *letter, const struct store_message *original,
                       const struct mail_view *view, struct str to)
{
	put_head(out, arena, letter, S(""), to, S("Undelivered Mail Returned to Sender"));
	buf_format(out, "Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"=_b\"\r\n\r\n"
	                "--=_b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThe mailbox %.*s does not exist.\r\n"
	                "--=_b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
	                "Final-Recipient: rfc822; %.*s\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
	                "--=_b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <%.*s>\r\n\r\n--=_b--\r\n",
	           STR_ARG(letter->mailbox), STR_ARG(letter->mailbox), STR_ARG(view->message_id));
	(void)original;
}

/* --- handing over ----------------------------------------------------------------------------------------- */

static enum rc pipe_to(const char *command, struct str mail, struct str sender, struct str recipient, struct arena *arena, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, FAILED, "pipe: %s", strerror(errno));
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
	/* As arguments $1 and $2, since an address is nothing to put into a shell's text. */
	char *arguments[] = { "sh", "-c", str_c(arena, str_from(command)), "sh", str_c(arena, sender), str_c(arena, recipient), NULL };
	/* The simulator blocks the signals that end it; what it starts must not. */
	posix_spawnattr_t attributes;
	sigset_t none;
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	pid_t pid;
	int code = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	if (code) {
		close(ends[1]);
		return err_set(err, FAILED, "sh: %s", strerror(code));
	}
	size_t at = 0;
	while (at < mail.len) {
		ssize_t n = write(ends[1], mail.ptr + at, mail.len - at);
		if (n < 0 && errno != EINTR)
			break; /* it read no further; its exit status tells */
		at += n > 0 ? (size_t)n : 0;
	}
	close(ends[1]);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, FAILED, "the mail command ended with status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return OK;
}

static enum rc post_to(const char *url, struct str mail, struct err *err)
{
	CURL *curl = curl_easy_init();
	if (!curl)
		return err_set(err, FAILED, "libcurl does not start");
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: message/rfc822");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, mail.ptr);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)mail.len);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	CURLcode code = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return code == CURLE_OK ? OK : err_set(err, FAILED, "posting the mail: %s", curl_easy_strerror(code));
}

static enum rc hand_over(struct simulator *simulator, struct arena *arena, struct str mail, struct str sender, struct str recipient, struct err *err)
{
	const struct simulator_options *o = &simulator->options;
	if (o->mail_command.len)
		return pipe_to(str_c(arena, o->mail_command), mail, sender, recipient, arena, err);
	if (o->mail_url.len)
		return post_to(str_c(arena, o->mail_url), mail, err);
	return err_set(err, INVALID, "no mail command or address was given at start, so mailboxes cannot write");
}

/* The received mail that is answered: the one named, or the newest. */
static bool find_original(struct simulator *simulator, struct arena *arena, const struct mailbox_letter *letter, struct store_message *out)
{
	if (letter->answers)
		return store_find(simulator->store, arena, letter->answers, out) && out->kind == BOX_MAILBOX && str_equal(out->box, letter->mailbox);
	struct store_message *list;
	size_t count = store_list(simulator->store, arena, BOX_MAILBOX, letter->mailbox, 0, 20, &list);
	for (size_t i = 0; i < count; i++) {
		if (!list[i].sent) {
			*out = list[i];
			return true;
		}
	}
	return false;
}

enum rc simulator_mailbox_send(struct simulator *simulator, const struct mailbox_letter *letter, struct err *err)
{
	if (!one_line(letter->mailbox) || !one_line(letter->to) || !one_line(letter->subject) || !utf8_valid(letter->text) || letter->mailbox.len == 0)
		return err_set(err, INVALID, "an address or a subject has more than one line");
	struct arena arena;
	struct buf mail;
	arena_init(&arena);
	buf_init(&mail);
	struct store_message original;
	struct mail_view view;
	bool found = find_original(simulator, &arena, letter, &original);
	if (found)
		mailbox_view(&arena, original.body, &view);
	struct str to = letter->to;
	if (to.len == 0 && found)
		to = letter->bounce || letter->automatic ? original.other : bare(view.reply_to.len ? view.reply_to : view.from);
	if (to.len == 0)
		to = simulator->options.mail_to;
	enum rc rc = OK;
	if (to.len == 0 || (letter->bounce && !found)) {
		rc = err_set(err, INVALID, "there is nobody to write to: give \"to\"");
	} else {
		if (letter->bounce)
			put_bounce(&mail, &arena, letter, &original, &view, to);
		else
			put_reply(&mail, &arena, letter, found ? &original : NULL, found ? &view : NULL, to);
		rc = hand_over(simulator, &arena, buf_str(&mail), letter->bounce || letter->automatic ? S("") : letter->mailbox, to, err);
	}
	if (rc == OK)
		store_add(simulator->store, &(struct store_message){ .at = clock_now(), .kind = BOX_MAILBOX, .sent = true, .box = letter->mailbox,
		                                                     .other = to, .body = buf_str(&mail), .parts = 1 });
	buf_release(&mail);
	arena_release(&arena);
	return rc;
}
