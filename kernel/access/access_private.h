/* What the files of kernel/access share. */
#ifndef CHANCERY_KERNEL_ACCESS_PRIVATE_H
#define CHANCERY_KERNEL_ACCESS_PRIVATE_H

#include "base/base.h"
#include "kernel/access/access.h"
#include "kernel/http/http.h"

#include "access_sql.h"

#define OFFICER_NAME_MAX 100
#define OFFICER_LOGIN_MAX 60
#define OFFICER_SETUP_HOURS 24
#define SESSION_TOKEN_SIZE 32      /* bytes: 256 bits */
#define SESSION_COOKIE "chancery_session"
#define SESSION_SEEN_EVERY CLOCK_MINUTE
#define STEP_UP_MINUTES 5          /* how fresh both factors must be to change one's own factors */

/* Makes a session for an officer and sets its cookie; an older session of the same browser ends (no fixation). */
enum rc session_begin(struct request *request, struct response *response, int64_t officer_id, struct err *err);
/* Ends the session of the request's cookie and tells the browser to forget everything. */
enum rc session_finish(struct request *request, struct response *response, struct err *err);
/* What memory knows of sessions is forgotten: after ending sessions or changing officers. */
void session_forget(void);
void session_cache_release(void);

/* Handlers. */
void sign_in_get(struct request *request, struct response *response);
void sign_in_post(struct request *request, struct response *response);
void sign_out_post(struct request *request, struct response *response);
void setup_get(struct request *request, struct response *response);
void setup_post(struct request *request, struct response *response);
void me_get(struct request *request, struct response *response);
void me_preferences_post(struct request *request, struct response *response);
void me_password_post(struct request *request, struct response *response);
void me_sessions_post(struct request *request, struct response *response);
void users_get(struct request *request, struct response *response);
void users_add_post(struct request *request, struct response *response);
void users_change_post(struct request *request, struct response *response);

enum msg permission_message(enum permission permission);

/* Finds an officer by id in a snapshot of its own. */
enum rc officer_load(struct house *house, struct arena *arena, int64_t officer_id, struct officer_row *out, struct err *err);
/* A password and, in `code`, a time-based or recovery code: OK, DENIED, or BUSY. Uses the code up in `tx`. */
enum rc officer_use_code(struct db_tx *tx, const struct house *house, const struct officer_row *officer, struct str code, int64_t now, struct err *err);
/* Ten new recovery codes, replacing the old ones. */
enum rc recovery_codes_new(struct db_tx *tx, const struct house *house, struct arena *arena, int64_t officer_id, struct str codes[], struct err *err);

#endif
