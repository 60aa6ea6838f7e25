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

enum channel_kind { CHANNEL_NONE = 0, CHANNEL_MAIL = 1, CHANNEL_SMS = 2, CHANNEL_KIND_COUNT };
#define CHANNEL_BIT(kind) (1u << (kind)) /* 2 mail, 4 SMS */

enum person_source { PERSON_FROM_WEB = 1, PERSON_FROM_IMPORT = 2, PERSON_FROM_SMS = 3 };

struct contact {
	int64_t id, person_id;
	enum channel_kind channel;
	struct str address; /* mailbox, or E.164 with + */
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
enum rc person_find_public(struct db_tx *tx, struct arena *arena, struct str public_id, struct person *out, struct err *err);

/* The people an address belongs to (confirmed contacts only, visible, not ended), at most `most`. Two may share one phone. */
enum rc person_list_by_address(struct db_tx *tx, struct arena *arena, enum channel_kind channel, struct str address, size_t most,
                               int64_t **person_ids_out, size_t *count_out, struct err *err);

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

/* Path of the person's own page ("/my/TOKEN"), for messages to them. */
struct str person_manage_path(const struct house *house, struct arena *arena, const struct person *person);

/* --- for import and export (cmd) -------------------------------------------------------------------------- */
/* See people_import.c: batches are staged in short transactions, shown or taken back by one flip. */

#endif
