#include "kernel/ledger/ledger.h"

#include "ledger_sql.h"

enum rc
ledger_append(struct db_tx *tx, int64_t officer_id, const char *action, struct str subject, struct str detail, int64_t now, struct err *err)
{
	const struct ledger_insert_args args = {
		.at = now,
		.officer_id = officer_id,
		.action = str_from(action),
		.subject = subject,
		.detail = str_is_none(detail) ? S("{}") : detail,
	};

	return ledger_insert(tx, &args, NULL, err);
}
