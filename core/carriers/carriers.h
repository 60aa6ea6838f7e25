/* The SMS carriers as data: what an operator agreed with each, as rows that `chancery carrier` edits.
 *
 * Knows nothing of connections and of messages: cmd/roads.c makes both out of it. */
#ifndef CHANCERY_CORE_CARRIERS_H
#define CHANCERY_CORE_CARRIERS_H

#include "base/base.h"
#include "kernel/desk/desk.h"

extern const struct desk carriers_desk;

#define CARRIERS_MAX 16      /* enabled at once */
#define CARRIER_BINDS_MAX 16 /* of one carrier */
#define CARRIER_PREFIXES_MAX 256
#define CARRIER_PREFIX_DIGITS 15 /* ITU-T E.164, 6 */

enum carrier_tls { CARRIER_TLS_NONE, CARRIER_TLS_VERIFY };
enum carrier_bind { CARRIER_TRANSCEIVER = 1, CARRIER_SPLIT = 2 };
enum carrier_validity { CARRIER_VALIDITY_NONE, CARRIER_VALIDITY_ABSOLUTE, CARRIER_VALIDITY_RELATIVE };
enum carrier_receipts { CARRIER_RECEIPTS_NONE, CARRIER_RECEIPTS_EACH, CARRIER_RECEIPTS_ONE };

/* One agreement; what each field means stands with the column in sql/0001_carriers.sql and in `chancery carrier fields`. */
struct carrier {
	int64_t id;
	struct str name, host, tls_ca, tls_name, system_id, system_type, source, service_type, vendor, statuses, prefixes;
	int64_t enabled, port, tls, bind, binds, window_most, rate, enquire, answer, rebind;
	int64_t source_ton, source_npi, destination_ton, destination_npi, validity;
	int64_t data_coding_0, packed, shift_tables, concatenation, receipts, bare_international;
	int64_t cost, weight;
};

/* What a carrier is before anything is set: no host, everything else usual. */
struct carrier carrier_defaults(void);

/* Sets one field by its name ("window", "64"). The text is copied into `arena`. NOT_FOUND for a name that is none, INVALID for a
 * value that cannot be; the detail says what could. */
enum rc carrier_set(struct arena *arena, struct carrier *carrier, struct str name, struct str value, struct err *err);
/* Calls `each` for every field with its value as carrier_set would read it, what it means, and whether it is as carrier_defaults has it. */
void carrier_each_field(struct arena *arena, const struct carrier *carrier,
                        void (*each)(void *context, const char *name, struct str value, const char *help, bool usual), void *context);
/* INVALID when the fields do not fit together, or one that must be set is not. */
enum rc carrier_check(const struct carrier *carrier, struct err *err);

/* All carriers by name, and one. NOT_FOUND. Results live in the arena. */
enum rc carrier_list_all(struct db *db, struct arena *arena, struct carrier **out, size_t *count, struct err *err);
enum rc carrier_find_name(struct db *db, struct arena *arena, struct str name, struct carrier *out, struct err *err);
/* Writes a new one (CONFLICT if the name is taken), changes one by its id, removes one by its name (NOT_FOUND). Each is in the ledger.
 * A server reads the carriers when it starts. */
enum rc carrier_add(struct db *db, const struct carrier *carrier, struct err *err);
enum rc carrier_change(struct db *db, const struct carrier *carrier, struct err *err);
enum rc carrier_remove_name(struct db *db, struct str name, struct err *err);

/* Cuts the next prefix off a list ("+216 +33"): its digits, without the plus. False at the end. */
bool carrier_prefix_next(struct str *list, struct str *digits);

#endif
