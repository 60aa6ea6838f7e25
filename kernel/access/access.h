/* Who is asking: officers, their sessions, and the budgets that keep abusers from hurting others. */
#ifndef CHANCERY_KERNEL_ACCESS_H
#define CHANCERY_KERNEL_ACCESS_H

#include "base/base.h"
#include "kernel/db/db.h"
#include "kernel/desk/desk.h"

extern const struct desk access_desk;

struct officer {
	int64_t id;
	struct str public_id;
	struct str name;          /* as shown to other officers */
	enum permission permission; /* PERMIT_READER, PERMIT_OFFICER or PERMIT_ADMINISTRATOR */
	struct str language, zone;
	int64_t session_id;
	int64_t stepped_up_at;    /* when both factors were last given */
};

/* True if the officer (NULL: nobody) may use a route of this permission. */
bool access_allows(const struct officer *officer, enum permission permission);
/* Finds the officer of the request's session cookie; NULL if none. Called by kernel/http through a hook set at start. */
const struct officer *access_identify(struct request *request);

/* --- officers (also `chancery user`) ---------------------------------------------------------------------- */
/* Adds an officer and returns a one-time set-up path ("/setup/TOKEN", 24 h); password and second factor are chosen there. `by`: the officer
 * who does it, -1 an operator. */
enum rc officer_add(struct house *house, struct arena *arena, struct str name, struct str login, enum permission permission, int64_t by,
                    struct str *setup_path_out, struct err *err);

/* A new set-up link for an officer who lost both factors; what they had keeps working until the link is used. NOT_FOUND. */
enum rc officer_link(struct house *house, struct arena *arena, struct str login, int64_t by, struct str *setup_path_out, struct err *err);
/* Disabling ends all sessions at once. `by`: the officer who does it, -1 an operator. NOT_FOUND; DENIED: nobody disables
 * themself. */
enum rc officer_set_disabled(struct house *house, struct arena *arena, struct str login, bool disabled, int64_t by, struct err *err);
/* "reader", "officer", "administrator"; and back. */
const char *permission_name(enum permission permission);
bool permission_read(struct str text, enum permission *out);
struct officer_summary {
	struct str public_id, login, name;
	enum permission permission;
	bool set_up, disabled;
};
/* Every officer, by name. */
enum rc officer_each(struct house *house, struct arena *arena, void (*each)(void *context, const struct officer_summary *officer), void *context,
                     struct err *err);

/* --- budgets: token buckets in the store, keyed by class and a keyed hash, never by address -------------- */
enum budget_class {
	BUDGET_CODE_DESTINATION, /* codes to one address */
	BUDGET_CODE_SOURCE,      /* codes asked from one source */
	BUDGET_CODE_ALL,         /* codes in all: raises an alarm */
	BUDGET_ENROL_SOURCE,
	BUDGET_ENROL_ALL,
	BUDGET_SIGN_IN_ACCOUNT,
	BUDGET_SIGN_IN_SOURCE,
	BUDGET_CLASS_COUNT,
};
/* Takes one from the bucket of (class, key); BUSY if it is empty, and *retry_after (may be NULL) says in microseconds when not.
 * Must be called within the transaction of the thing it guards. */
enum rc budget_take(struct db_tx *tx, struct house *house, enum budget_class budget, uint64_t key, int64_t now, int64_t *retry_after, struct err *err);
/* Keyed hash of a destination or source for a budget. */
uint64_t budget_key(const struct house *house, struct str what);

/* --- capability links and codes --------------------------------------------------------------------------- */
/* A link's token: base32 of `id` and 100 bits of HMAC-SHA-256 under the house's secret over (purpose, id, salt).
 * Nothing of it is stored; the thing it stands for has its own row, end and salt, and changing the salt revokes it. */
struct str capability_token(const struct house *house, struct arena *arena, const char *purpose, int64_t id, int64_t salt);
/* Reads a token; false if it is not one of ours. Compare is constant-time. The caller looks up the row `id` for its salt:
 * first capability_id, then capability_check. */
bool capability_id(struct str token, int64_t *id_out);
bool capability_check(const struct house *house, struct str token, const char *purpose, int64_t id, int64_t salt);

/* Hash of a one-time code bound to what it confirms (SHA-256 under the secret), hex. */
struct str code_hash(const struct house *house, struct arena *arena, struct str code, struct str bound_to);
/* Six decimal digits. */
struct str code_new(struct arena *arena);

#endif
