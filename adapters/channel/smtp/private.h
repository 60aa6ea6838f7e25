/* Inside of the mail channel. smtp.c: the channel and its thread; session.c: one connection's conversation; compose.c: a mail. */
#ifndef CHANCERY_ADAPTERS_CHANNEL_SMTP_PRIVATE_H
#define CHANCERY_ADAPTERS_CHANNEL_SMTP_PRIVATE_H

#include <curl/curl.h>

#include "adapters/channel/smtp/smtp.h"
#include "kernel/mail/mail.h"

#define REPLY_MAX MAIL_REPLY_TEXT_MAX
#define PATH_MAX_BYTES 260  /* an address with room for its end */
#define EXPECTED_MAX 8      /* two mails' commands and a RSET */

enum slot_state {
	SLOT_FREE,
	SLOT_FILLING, /* submit writes it */
	SLOT_WAITING, /* for a connection */
	SLOT_SENDING, /* a connection's */
	SLOT_DONE,    /* to be reported */
};

/* A mail on its way. It belongs to whom its state says, and goes from one to the next under the relay's lock. */
struct mail_slot {
	enum slot_state state;
	int64_t message;
	struct buf content;       /* as it goes over the wire, with its last dot */
	char from[PATH_MAX_BYTES], to[PATH_MAX_BYTES];
	bool utf8;                /* an address needs SMTPUTF8 (RFC 6531) */
	bool refused;             /* by the reply kept here; the conversation about it goes on */
	uint64_t content_end;     /* where in what the connection sends it ends; 0: not yet queued */
	int64_t deadline;         /* monotonic */
	int64_t content_at;       /* when its content was queued, monotonic */
	struct channel_result result; /* DONE; its text is `reply` */
	int code;
	char reply[REPLY_MAX];
	size_t reply_length;
};

enum smtp_step { STEP_RSET, STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_DOT };

enum session_state { SESSION_CLOSED, SESSION_CONNECTING, SESSION_OPEN };

struct relay;

/* One kept connection. Everything belongs to the channel's thread. */
struct session {
	struct relay *relay;
	enum session_state state;
	CURL *easy;
	int socket;
	bool pipelining, smtp_utf8, eight_bit; /* what the relay offers */
	bool worked;              /* a mail was answered on it: its end is no failure */
	bool reset_first;         /* the last transaction was left half done */
	bool abandoned;           /* its second mail was taken away from it: it ends with its first */
	bool blocked;             /* the socket takes no more */
	int64_t idle_since;       /* monotonic */
	struct buf out;           /* being sent: must not move while TLS holds half of it */
	size_t out_at;
	struct buf next;          /* to be sent after it */
	uint64_t queued, sent;    /* bytes, in all */
	struct { enum smtp_step step; struct mail_slot *slot; } expected[EXPECTED_MAX];
	size_t expected_count;
	struct mail_slot *slots[2]; /* the one whose content is out, and the one whose envelope goes with it */
	size_t slot_count;
	struct mail_reply reply;
};

/* --- session.c: what smtp.c calls ------------------------------------------------------------------------- */
/* Begins to connect; the end comes by session_connected. False when memory is out. */
bool session_open(struct session *session);
/* libcurl is through with connecting. */
void session_connected(struct session *session, CURLcode code);
/* Whether a mail may be given to it now. */
bool session_has_room(const struct session *session);
void session_give(struct session *session, struct mail_slot *slot);
/* Reads what is there, answers it, sends what can be sent. */
void session_turn(struct session *session, bool readable);
/* Sends what waits. */
void session_flush(struct session *session);
/* The mail whose envelope waits behind one that the relay is slow with, taken back so that another connection may carry it;
 * NULL if there is none. */
struct mail_slot *session_take_back(struct session *session, int64_t now);
/* When it must have got on, monotonic; INT64_MAX: it waits for nothing. */
int64_t session_deadline(const struct session *session);
/* Ends the connection; mails on it are in doubt or come back. `reason` is for operators. */
void session_break(struct session *session, CURLcode code, struct str reason);
/* Says QUIT and closes an idle one. */
void session_close(struct session *session);

/* --- smtp.c: what session.c calls ------------------------------------------------------------------------- */
const struct smtp_relay_settings *relay_settings(const struct relay *relay);
const char *relay_url(const struct relay *relay);
CURLM *relay_multi(const struct relay *relay);
/* A mail is answered: its result will be told. */
void relay_finish(struct relay *relay, struct mail_slot *slot);
/* The relay answered a mail, whatever it said. */
void relay_works(struct relay *relay);
/* A connection could not be made, or broke before it was of any use. */
void relay_fails(struct relay *relay, CURLcode code, struct str reason);

#endif
