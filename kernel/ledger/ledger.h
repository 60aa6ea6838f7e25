/* The record of what officers did and what was published: append-only, ids only, no personal data.
 * Today a table that refuses UPDATE and DELETE by trigger; the hash chain and signatures come later. */
#ifndef CHANCERY_KERNEL_LEDGER_H
#define CHANCERY_KERNEL_LEDGER_H

#include "base/base.h"
#include "kernel/db/db.h"

/* Appends within the caller's transaction. `action` "alert.send", `subject` "alert:ID", `detail` small JSON without personal data. */
enum rc ledger_append(struct db_tx *tx, int64_t officer_id, const char *action, struct str subject, struct str detail, int64_t now, struct err *err);

#endif
