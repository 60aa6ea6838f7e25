/* What one message says, and to which address: private to core/messages. */
#ifndef CHANCERY_CORE_MESSAGES_RENDER_H
#define CHANCERY_CORE_MESSAGES_RENDER_H

#include "core/messages/internal.h"

/* Fills flight->message, contact_id, parts and wanted; texts lie in the batch. OK with *reason other than REASON_NONE: it is not
 * to be sent. Other codes: it cannot be rendered now. */
enum rc render(struct engine *engine, struct db_tx *tx, struct batch *batch, struct flight *flight, enum message_reason *reason,
               struct err *err);

/* The token in reply addresses, return paths and Message-IDs of a message, and back (0: not ours). */
struct str mail_token(const struct house *house, struct arena *arena, int64_t message_id);
int64_t mail_token_read(const struct house *house, struct str token);

#endif
