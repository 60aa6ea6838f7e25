/* Inside of kernel/mail. read.c: the message; text.c: texts of people; bounce.c: reports; fault.c: what codes mean. */
#ifndef CHANCERY_KERNEL_MAIL_PRIVATE_H
#define CHANCERY_KERNEL_MAIL_PRIVATE_H

#include <gmime/gmime.h>

#include "kernel/mail/mail.h"

/* UTF-8 whatever comes: bad bytes become U+FFFD, control characters but LF and tab are dropped, CR LF becomes LF.
 * At most `most` bytes, cut between characters; *cut (may be NULL) is set if there was more. */
struct str mail_clean(struct arena *arena, struct str text, size_t most, bool *cut);
/* The same on one line: line ends become blanks. */
struct str mail_clean_line(struct arena *arena, struct str text);
/* Readable text of HTML: blocks on lines of their own, quoted blocks, scripts and styles left out. */
struct str mail_text_of_html(struct arena *arena, struct str html);
/* Without quoted lines, their introduction, the quoted mail below and the signature. */
struct str mail_without_quotes(struct arena *arena, struct str text);
/* Whether a report that is none by its form says that delivery is still being tried. */
bool mail_text_is_delay(struct str text);
/* True if a machine wrote it, by header and subject. */
bool mail_is_automatic(GMimeMessage *message, const struct incoming_mail *mail);
/* Fills mail->bounce and mail->complaint. */
void mail_read_report(struct arena *arena, GMimeMessage *message, struct incoming_mail *mail);
/* The address within <>, or the text itself. */
struct str mail_bare(struct str address);
/* What stands behind the last '+' of an address's local part; empty without one. */
struct str mail_token_of(struct str address);
/* The first "<id>" of a header value, without brackets. */
struct str mail_first_id(struct str value);

#endif
