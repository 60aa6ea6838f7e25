/* Who the people are: enrolment records, their addresses, and the links and codes by which they reach their own record. */
#ifndef CHANCERY_CORE_PEOPLE_H
#define CHANCERY_CORE_PEOPLE_H

#include "base/base.h"
#include "kernel/db/db.h"
#include "kernel/desk/desk.h"
#include "kernel/text/text.h"

extern const struct desk people_desk;

#define PERSON_NAME_MAX 200 /* characters */
#define PERSON_CONTACTS_MAX 6

enum channel_kind { CHANNEL_NONE = 0, CHANNEL_MAIL = 1, CHANNEL_SMS = 2, CHANNEL_PUSH = 3, CHANNEL_KIND_COUNT };
#define CHANNEL_BIT(kind) (1u << (kind)) /* 2 mail, 4 SMS, 8 web push */

enum person_source { PERSON_FROM_WEB = 1, PERSON_FROM_IMPORT = 2, PERSON_FROM_SMS = 3 };

struct contact {
	int64_t id, person_id;
	enum channel_kind channel;
	struct str address; /* mailbox, E.164 with +, or the endpoint of a push service (as secret as a password) */
	int64_t rank;
	bool wanted, confirmed, opted_out, ended;
};

struct person {
	int64_t id;
	struct str public_id;
	struct str name;          /* STR_NONE when erased */
	enum language language;
	enum person_source source;
	int64_t batch_id;         /* DB_NULL: none */
	int64_t salt;
	int64_t created_at, ended_at; /* ended_at DB_NULL while enrolled */
	struct contact *contacts; /* in the person's order */
	size_t contact_count;
};

/* Finds a visible person (not of a staged or withdrawn batch) with contacts and name. NOT_FOUND. */
enum rc person_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct person *out, struct err *err);
/* The same for many: those of `ids` (at most PEOPLE_LIST_MOST; twice is once) that are found, sorted by id. */
#define PEOPLE_LIST_MOST 1000
enum rc person_list(struct db_tx *tx, struct arena *arena, const int64_t *ids, size_t id_count, struct person **people_out, size_t *count_out,
                    struct err *err);
enum rc person_find_public(struct db_tx *tx, struct arena *arena, struct str public_id, struct person *out, struct err *err);

/* The people an address belongs to (confirmed contacts only, visible, not ended), at most `most`. Two may share one phone. */
enum rc person_list_by_address(struct db_tx *tx, struct arena *arena, enum channel_kind channel, struct str address, size_t most,
                               int64_t **person_ids_out, size_t *count_out, struct err *err);

/* One confirmed contact with this address, of anyone visible: where a code to open their record goes. NOT_FOUND. */
enum rc contact_find_confirmed(struct db_tx *tx, struct arena *arena, enum channel_kind channel, struct str address, struct contact *out,
                               struct err *err);

/* Checks a mailbox (RFC 5321 sizes, one @, no control characters; UTF-8 local parts allowed) and lowers its domain. INVALID with a field error on `field`. */
enum rc mailbox_read(struct arena *arena, struct str text, struct str field, struct str *out, struct err *err);

/* A person's usable channels as bits: wanted, confirmed, not opted out, not ended. */
unsigned person_channels(const struct person *person);
/* The best usable contact of a channel, or NULL. */
const struct contact *person_contact(const struct person *person, enum channel_kind channel);

/* Every change to a person, contact, leg or watch calls this in its transaction: bumps changed_at and appends to the change sequence,
 * so that the audience index and late joining see it. */
enum rc person_touch(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err);

/* STOP and START of one address, for all people who have it. Returns the number of people it changed. */
enum rc contact_opt_out(struct db_tx *tx, enum channel_kind channel, struct str address, bool out, int64_t now, int64_t *changed, struct err *err);
/* Hard bounce or unknown subscriber: ends this contact only. */
enum rc contact_end(struct db_tx *tx, int64_t contact_id, struct str reason, int64_t now, struct err *err);
enum rc person_set_language(struct db_tx *tx, int64_t person_id, enum language language, int64_t now, struct err *err);

/* --- making and changing (person.c, person_write.c, contact_write.c) ------------------------------------------- */
#define MAILBOX_MAX 254 /* bytes; RFC 5321 4.5.3.1.3, less the angle brackets */

struct person_new {
	struct str name;                  /* 1..PERSON_NAME_MAX characters, checked by person_name_read */
	enum language language;
	enum person_source source;
	int64_t batch_id;                 /* DB_NULL: none */
	struct str external_id, form_key; /* STR_NONE: none */
};
struct contact_new {
	enum channel_kind channel;
	struct str address; /* as mailbox_read or phone_parse made it */
	int64_t rank;
	bool wanted;
};
/* Reads a name as people write it: trimmed, 1..PERSON_NAME_MAX characters of any script, no line breaks or control characters.
 * INVALID with a field error on `field`. */
enum rc person_name_read(struct arena *arena, struct str text, struct str field, struct str *out, struct err *err);
/* Adds a person without contacts; *out has no contacts yet. */
enum rc person_add(struct db_tx *tx, struct arena *arena, const struct person_new *person, int64_t now, struct person *out, struct err *err);
/* The person that a form already made; NOT_FOUND. */
enum rc person_find_form(struct db_tx *tx, struct arena *arena, struct str form_key, struct person *out, struct err *err);
enum rc person_set_name(struct db_tx *tx, int64_t person_id, struct str name, int64_t now, struct err *err);
/* A new salt: every link that was given out for this person ends. */
enum rc person_revoke_links(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err);
/* Removes the rows that say who the person is (name, contacts, emergency contact, codes, the texts of messages to and from them belong to
 * other rooms) and ends the record; `person` itself stays, so that sums still hold. */
enum rc person_erase(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err);

/* Adds an unconfirmed contact; the same address again is no error and gives the contact that is there. CONFLICT with a field error on
 * `field` when the person has PERSON_CONTACTS_MAX. */
enum rc contact_add(struct db_tx *tx, struct arena *arena, int64_t person_id, const struct contact_new *contact, struct str field, int64_t now,
                    int64_t *contact_id_out, struct err *err);
/* The person's order and wish; contacts of others are not touched. */
enum rc contact_set_order(struct db_tx *tx, int64_t person_id, int64_t contact_id, int64_t rank, bool wanted, int64_t now, struct err *err);
enum contact_proof { CONTACT_BY_CODE = 1, CONTACT_BY_STATEMENT = 2, CONTACT_BY_BROWSER = 3 };
enum rc contact_set_confirmed(struct db_tx *tx, int64_t contact_id, enum contact_proof how, int64_t now, struct err *err);
/* NOT_FOUND if it is not the person's. */
enum rc contact_remove(struct db_tx *tx, int64_t person_id, int64_t contact_id, int64_t now, struct err *err);
/* STOP and START of this one contact. */
enum rc contact_set_opted_out(struct db_tx *tx, int64_t contact_id, bool out, int64_t now, struct err *err);
/* One contact by id, of a visible person or not. NOT_FOUND. */
enum rc contact_find(struct db_tx *tx, struct arena *arena, int64_t contact_id, struct contact *out, struct err *err);

/* --- web push (subscription.c) ---------------------------------------------------------------------------------- */
/* What a browser gave: where to post, and what it takes to encrypt for it. Checked by the caller (kernel/push) before it is stored. */
struct push_subscription {
	struct str endpoint;      /* the contact's address */
	struct str point, secret; /* p256dh and auth, base64url */
};
/* Adds the browser as a confirmed address, before all others of the person that are not browsers; the same endpoint again renews its keys and
 * lifts a stop. Browsers of the person that ended make room. CONFLICT with a field error on `field` when there are PERSON_CONTACTS_MAX. */
enum rc push_subscription_add(struct db_tx *tx, struct arena *arena, int64_t person_id, const struct push_subscription *subscription,
                              struct str field, int64_t now, int64_t *contact_id_out, struct err *err);
enum rc push_subscription_find(struct db_tx *tx, struct arena *arena, int64_t contact_id, struct push_subscription *out, struct err *err);
/* The browser changed its subscription by itself: everyone who has the old endpoint gets the new one. NOT_FOUND: nobody has. */
enum rc push_subscription_replace(struct db_tx *tx, struct str old_endpoint, const struct push_subscription *subscription, int64_t now,
                                  struct err *err);

#define EMERGENCY_TEXT_MAX 200 /* characters of name and relation */
struct emergency_contact {
	struct str name, relation; /* relation may be empty */
	struct str email, phone;   /* one of them is not empty */
	int64_t consent_at;        /* when the person said that the contact agrees */
};
enum rc emergency_contact_find(struct db_tx *tx, struct arena *arena, int64_t person_id, struct emergency_contact *out, struct err *err);
enum rc emergency_contact_set(struct db_tx *tx, int64_t person_id, const struct emergency_contact *contact, int64_t now, struct err *err);
enum rc emergency_contact_remove(struct db_tx *tx, int64_t person_id, int64_t now, struct err *err);

/* --- one-time codes (code.c) ------------------------------------------------------------------------------------ */
#define CODE_LIFE (10 * CLOCK_MINUTE)
#define CODE_WRONG_FREE 3                 /* wrong tries before the next one has to wait */
#define CODE_WAIT_MAX (30 * CLOCK_SECOND) /* the longest such wait: slow, never locked out */

enum code_purpose { CODE_CONFIRM = 1, CODE_OPEN = 2 };
struct code_request {
	enum code_purpose purpose;
	int64_t contact_id;    /* DB_NULL: nobody has this address; the code is made, and nobody will ever know it */
	struct str address;
	uint64_t source;       /* request->source */
};
struct code_issued {
	int64_t id;
	struct str digits;      /* to be sent, never shown or logged */
	int64_t salt;           /* of a capability for the page that asks for it: purpose "code" */
	int64_t retry_after;    /* of BUSY: microseconds */
};
/* Makes a code within the budgets of destination, source and all. BUSY: one is used up (nothing is made). */
enum rc code_issue(struct db_tx *tx, struct house *house, struct arena *arena, const struct code_request *request, int64_t now,
                   struct code_issued *out, struct err *err);
enum code_answer {
	CODE_RIGHT,
	CODE_WRONG,
	CODE_WAIT, /* too soon after wrong ones: not looked at */
	CODE_GONE, /* expired, used or never asked for */
};
struct code_result {
	enum code_answer answer;
	int64_t contact_id;  /* of CODE_RIGHT */
	int64_t wait;        /* of CODE_WAIT: microseconds */
};
/* Tries `digits` (ASCII) on the codes alive for confirming a contact. The transaction must commit whatever the answer: wrong tries count. */
enum rc code_try_contact(struct db_tx *tx, struct house *house, struct arena *arena, int64_t contact_id, struct str digits, int64_t now,
                         struct code_result *out, struct err *err);
/* The same on one code for opening a record. */
enum rc code_try_open(struct db_tx *tx, struct house *house, struct arena *arena, int64_t code_id, struct str digits, int64_t now,
                      struct code_result *out, struct err *err);
/* When the last code for a contact was made, and until when it works; 0 if none. */
enum rc code_last(struct db_tx *tx, struct arena *arena, int64_t contact_id, int64_t *made_out, int64_t *until_out, struct err *err);
/* A code's salt and, once it was used rightly, its contact (else DB_NULL) and when. NOT_FOUND. */
enum rc code_find(struct db_tx *tx, struct arena *arena, int64_t code_id, int64_t *salt_out, int64_t *used_at_out, int64_t *contact_id_out,
                  struct err *err);

/* --- links that act for a person (link.c) ----------------------------------------------------------------------- */
enum person_link {
	LINK_MANAGE,      /* their page, in messages: at least 90 days */
	LINK_VISIT,       /* their page after a code: at least 2 hours */
	LINK_CONFIRM,     /* the page where codes are typed: at least 24 hours */
	LINK_UNSUBSCRIBE, /* of a contact, for RFC 8058: as long as the contact stands */
};
/* "/my/TOKEN", "/confirm/TOKEN". For LINK_UNSUBSCRIBE see contact_unsubscribe_path. */
struct str person_link_path(const struct house *house, struct arena *arena, const struct person *person, enum person_link link, int64_t now);
/* Finds whose link a token is. NOT_FOUND: none of ours, revoked, of another purpose, or too old. For "/my" both LINK_MANAGE and LINK_VISIT
 * open; `*link_out` (may be NULL) says which. */
enum rc person_find_link(struct db_tx *tx, const struct house *house, struct arena *arena, struct str token, const enum person_link *links,
                         size_t link_count, int64_t now, struct person *out, enum person_link *link_out, struct err *err);
/* Path of the person's own page ("/my/TOKEN"), for messages to them. */
struct str person_manage_path(const struct house *house, struct arena *arena, const struct person *person);
/* "/unsubscribe/TOKEN" of one contact, for List-Unsubscribe (RFC 8058: it takes a POST). */
struct str contact_unsubscribe_path(const struct house *house, struct arena *arena, const struct person *person, const struct contact *contact);
/* The contact a token of that path stands for. NOT_FOUND. */
enum rc contact_find_unsubscribe(struct db_tx *tx, const struct house *house, struct arena *arena, struct str token, struct contact *out,
                                 struct err *err);

/* --- imports (import.c, people_import.c) ------------------------------------------------------------------------ */
/* An import is a batch: staged in short transactions that hold up nobody, then visible whole by one flip, or not at all. */
enum import_state { IMPORT_STAGED = 1, IMPORT_VISIBLE = 2, IMPORT_TAKEN_BACK = 3 };
struct import_batch {
	int64_t id;
	struct str public_id, kind, file_name, operator;
	bool contacts_confirmed;
	enum import_state state;
	int64_t lines, created_at, visible_at, taken_back_at; /* the last two may be DB_NULL */
};
/* Newest first, at most `most`. */
enum rc import_batch_list(struct db_tx *tx, struct arena *arena, size_t most, struct import_batch **list_out, size_t *count_out, struct err *err);
enum rc import_batch_find(struct db_tx *tx, struct arena *arena, struct str public_id, struct import_batch *out, struct err *err);
/* Makes a batch invisible, in one moment; its rows are then removed in steps by whoever knows them. CONFLICT if it is already. */
enum rc import_batch_hide(struct db_tx *tx, const struct import_batch *batch, int64_t now, struct err *err);

struct import_options {
	struct str operator;      /* who runs it, recorded */
	struct str file_name;     /* without its folder, recorded */
	bool contacts_confirmed;  /* the operator states that the addresses are confirmed; recorded, with who and when */
	bool keep_good;           /* wrong lines are left out; without it one wrong line keeps everything out */
	/* After each step; and for each wrong line (English). Both may be NULL. */
	void (*progress)(void *context, int64_t lines, int64_t wrong);
	void (*wrong)(void *context, int64_t line, struct str text);
	void *context;
};
struct import_result {
	struct str batch; /* public id */
	int64_t lines;    /* read, wrong ones too, the head line not */
	int64_t wrong;
	bool visible;
};
/* One kind of lines. A desk adds its own with its own kind. */
struct import_kind {
	const char *name;                           /* "people": kept with the batch */
	const char *const *columns;                 /* known columns; the order of `values` */
	size_t column_count, required;              /* the first `required` must be in the head line */
	size_t row_size;
	/* Called at the start of each transaction, which may be a repeated one. May be NULL. */
	void (*begin)(void *context);
	/* Reads a line into `row` (zeroed), outside of any transaction; a column that is not there is STR_NONE. INVALID: the line is wrong. */
	enum rc (*read)(void *context, struct arena *arena, const struct str *values, void *row, struct err *err);
	/* Writes a row, staged under `batch_id`. INVALID, NOT_FOUND or CONFLICT that no statement gave: the line is wrong. */
	enum rc (*write)(struct db_tx *tx, void *context, struct arena *arena, int64_t batch_id, const void *row, int64_t now, struct err *err);
	/* Removes at most `most` staged rows of a batch that came to nothing; *removed 0: none are left. */
	enum rc (*discard)(struct db_tx *tx, int64_t batch_id, int64_t most, int64_t *removed, struct err *err);
};
/* Imports CSV lines of a kind from a file descriptor open for reading. INVALID: lines were wrong and nothing became visible (result->wrong says how many), or the file cannot be
 * read at all (result->wrong 0 and a detail). `result` is filled in any case. */
enum rc import_lines(struct house *house, struct arena *arena, int file, const struct import_kind *kind, void *context,
                     const struct import_options *options, struct import_result *result, struct err *err);
/* The same of rows that come from elsewhere: begin, add each, end. Not thread-safe. */
struct import;
enum rc import_begin(struct house *house, const struct import_kind *kind, void *context, const struct import_options *options,
                     struct import **import_out, struct err *err);
/* `values` in the order of the kind's columns. */
enum rc import_add(struct import *import, int64_t line, const struct str *values, struct err *err);
/* A line that could not be read at all. */
void import_wrong(struct import *import, int64_t line, struct str text);
/* Shows the batch, or throws it away: when lines were wrong, or `failed` is set (then that code is returned). Frees `import`. */
enum rc import_end(struct import *import, struct arena *arena, enum rc failed, struct import_result *result, struct err *err);

/* Columns id, name, language, email, mobile, country (for numbers in national form). 20,000 lines a second and more. */
enum rc people_import(struct house *house, struct arena *arena, int file, const struct import_options *options, struct import_result *result,
                      struct err *err);
/* The visible person of an import's id. NOT_FOUND; CONFLICT if several have it. */
enum rc person_id_find_imported(struct db_tx *tx, struct arena *arena, struct str external_id, int64_t *person_id_out, struct err *err);
/* As person_add, of a batch that is not visible yet: nothing is told of the change. */
enum rc person_stage(struct db_tx *tx, struct arena *arena, const struct person_new *person, int64_t now, struct person *out, struct err *err);
/* Removes at most `most` people of a batch that nobody has seen, with names and contacts; *removed 0: none are left. */
enum rc person_discard_staged(struct db_tx *tx, int64_t batch_id, int64_t most, int64_t *removed, struct err *err);
/* Ids of people of a batch, visible or not, that have not ended. */
enum rc person_list_imported(struct db_tx *tx, struct arena *arena, int64_t batch_id, size_t most, int64_t **ids_out, size_t *count_out,
                             struct err *err);
/* Ids of visible, enrolled people after `after_id`, ascending, at most `most`: for exports that go through all. */
enum rc person_list_after(struct db_tx *tx, struct arena *arena, int64_t after_id, size_t most, int64_t **ids_out, size_t *count_out,
                          struct err *err);

#endif
