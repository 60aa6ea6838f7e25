/* Delivery receipts: which message they speak of, and what they say. */
#include "core/messages/internal.h"
#include "kernel/smpp/smpp.h"

#define MATCHES_MOST 8

/* --- matching ---------------------------------------------------------------------------------------------------------------- */

/* Whether two numbers are one, whatever their form: '+', '00' or national. */
static bool same_number(struct str a, struct str b)
{
	size_t i = a.len, j = b.len, same = 0;
	for (;;) {
		while (i > 0 && (a.ptr[i - 1] < '0' || a.ptr[i - 1] > '9'))
			i--;
		while (j > 0 && (b.ptr[j - 1] < '0' || b.ptr[j - 1] > '9'))
			j--;
		if (i == 0 || j == 0 || a.ptr[i - 1] != b.ptr[j - 1])
			break;
		same++;
		i--;
		j--;
	}
	return same >= DIGITS_SAME || (same > 0 && i == 0 && j == 0);
}

static enum rc went_to(struct db_tx *tx, struct arena *arena, int64_t message_id, struct str from, bool *same, struct err *err)
{
	struct message_find_args find = { .id = message_id };
	struct message_row row;
	enum rc rc = message_find(tx, arena, &find, &row, err);
	if (rc != OK)
		return rc;
	if (row.contact_id > 0 && row.person_id > 0) {
		struct person person;
		rc = person_find(tx, arena, row.person_id, &person, err);
		for (size_t i = 0; rc == OK && i < person.contact_count; i++)
			if (person.contacts[i].id == row.contact_id)
				*same = same_number(person.contacts[i].address, from);
		return rc;
	}
	struct message_text_find_args text = { .message_id = message_id };
	struct message_text_find_row found;
	rc = message_text_find(tx, arena, &text, &found, err);
	if (rc == OK)
		*same = same_number(found.address, from);
	return rc;
}

/* Finds the message; match->message_id stays 0 if there is none. The first key is the id as the carrier gave it and is
 * trusted where it is alone; guesses and ambiguities must agree in the phone's number, too. */
static enum rc find_message(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_report *receipt,
                            struct receipt_match *match, struct err *err)
{
	int64_t route = engine->roads[receipt->road].carrier;
	struct str from = str_from(receipt->from);
	for (size_t k = 0; k < receipt->key_count; k++) {
		struct receipt_match found[MATCHES_MOST];
		size_t count = receipt_index_find(&engine->receipts, route, receipt->keys[k], found, MATCHES_MOST);
		if (count == 1 && k == 0 && !receipt->by_content) {
			*match = found[0];
			return OK;
		}
		for (size_t i = 0; i < count && i < MATCHES_MOST; i++) {
			bool same = false;
			struct err quiet;
			err_init(&quiet, arena);
			enum rc rc = went_to(tx, arena, found[i].message_id, from, &same, &quiet);
			if (rc != OK && rc != NOT_FOUND)
				return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
			if (same) {
				*match = found[i];
				return OK;
			}
		}
		if (count > 0 && k == 0 && str_is_empty(from) && !receipt->by_content) {
			*match = found[0]; /* the carrier used an id twice and does not say for whom: the first awaits it longest */
			return OK;
		}
	}
	return OK;
}

/* --- what it says ----------------------------------------------------------------------------------------------------------- */

static enum rc deliver_slowly(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_match *match,
                              bool for_all, int64_t now, struct counters *counters, struct moves *moves, struct err *err)
{
	struct message_find_args find = { .id = match->message_id };
	struct message_row row;
	enum rc rc = message_find(tx, arena, &find, &row, err);
	if (rc != OK)
		return rc;
	struct happening what = { .event = EVENT_DELIVER, .status_code = -1, .now = now };
	if (row.parts > 1) {
		struct message_part_deliver_args part = { .state = MESSAGE_DELIVERED, .message_id = row.id, .part = match->part };
		rc = message_part_deliver(tx, &part, NULL, err);
		struct message_count_parts_args count = { .id = row.id };
		struct message_count_parts_row parts;
		if (rc == OK)
			rc = message_count_parts(tx, arena, &count, &parts, err);
		if (rc != OK || (!for_all && parts.parts_delivered < parts.parts))
			return rc;
	} else if (row.parts_delivered == 0) {
		what.parts_delivered = 1;
	}
	return message_happen(engine, tx, arena, row.id, &what, counters, moves, err);
}

static enum rc deliver(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_match *match,
                       bool for_all, int64_t now, struct counters *counters, struct moves *moves, struct err *err)
{
	int64_t id = match->message_id;
	const struct work *work = (id & BLOCK_LOOSE_PLACE) == BLOCK_LOOSE_PLACE
	                                  ? NULL
	                                  : id_map_get(&engine->works, id >> BLOCK_ID_BITS);
	if (!work)
		return deliver_slowly(engine, tx, arena, match, for_all, now, counters, moves, err);
	struct message_deliver_args args = { .id = id, .ended_at = now };
	int64_t changed = 0;
	enum rc rc = message_deliver(tx, &args, &changed, err);
	if (rc == OK && changed == 0)
		return deliver_slowly(engine, tx, arena, match, for_all, now, counters, moves, err);
	if (rc == OK) {
		counters_move(counters, work->live->id, work->channel, MESSAGE_ACCEPTED, MESSAGE_DELIVERED, 1);
		struct move move = { .id = id, .block_id = work->id, .live = work->live, .from = MESSAGE_ACCEPTED,
			             .to = MESSAGE_DELIVERED };
		ARENA_PUSH(arena, moves->items, moves->count, moves->capacity, move);
	}
	return rc;
}

static enum rc end_by_receipt(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_match *match,
                              const struct receipt_report *receipt, int64_t now, struct counters *counters,
                              struct moves *moves, struct err *err)
{
	bool expired = receipt->delivery == CHANNEL_DELIVERY_EXPIRED;
	struct str status = str_is_empty(str_from(receipt->error))
	                            ? str_from(receipt->stat)
	                            : str_format(arena, "%s err %s", receipt->stat, receipt->error);
	struct happening what = {
		.event = expired ? EVENT_RECEIPT_EXPIRE : EVENT_RECEIPT_FAIL,
		.reason = expired ? REASON_RECEIPT_EXPIRED : REASON_RECEIPT_FAILED,
		.status_code = -1,
		.now = now,
		.status = str_c(arena, status),
	};
	struct message_part_deliver_args part = { .state = MESSAGE_FAILED, .message_id = match->message_id, .part = match->part };
	enum rc rc = message_part_deliver(tx, &part, NULL, err);
	return rc == OK ? message_happen(engine, tx, arena, match->message_id, &what, counters, moves, err) : rc;
}

static enum rc apply(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_match *match,
                     const struct receipt_report *receipt, struct counters *counters, struct moves *moves, struct err *err)
{
	int64_t now = clock_now();
	struct err quiet;
	err_init(&quiet, arena);
	enum rc rc = OK;
	switch (receipt->delivery) {
	case CHANNEL_DELIVERY_DELIVERED:
		rc = deliver(engine, tx, arena, match, engine->roads[receipt->road].route.receipt_for_all, now, counters, moves, &quiet);
		break;
	case CHANNEL_DELIVERY_EXPIRED:
	case CHANNEL_DELIVERY_FAILED:
		rc = end_by_receipt(engine, tx, arena, match, receipt, now, counters, moves, &quiet);
		break;
	default: {
		/* Not final, or a word we do not know: shown as it is, never an end. */
		struct message_set_status_args args = { .id = match->message_id, .carrier_status = str_from(receipt->stat) };
		rc = message_set_status(tx, &args, NULL, &quiet);
		break;
	}
	}
	if (rc == NOT_FOUND)
		return OK; /* the row was erased; the carrier need not repeat itself */
	return rc == OK ? OK : err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
}

/* The receipt waits in memory from the commit on. */
static void wait_on(struct engine *engine, struct arena *arena, const struct receipt_report *receipt, int64_t id)
{
	if (receipt->key_count == 0)
		return;
	struct waiting_receipt *kept = ARENA_NEW(arena, struct waiting_receipt);
	kept->id = id;
	kept->route = engine->roads[receipt->road].carrier;
	memcpy(kept->keys, receipt->keys, sizeof kept->keys);
	kept->key_count = receipt->key_count;
	kept->last_digits = receipt_digits(str_from(receipt->from));
	kept->delivery = receipt->delivery;
	memcpy(kept->stat, receipt->stat, sizeof kept->stat);
	kept->next = engine->fold.kept;
	engine->fold.kept = kept;
}

static enum rc keep(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_report *receipt,
                    struct err *err)
{
	struct receipt_keep_args args = {
		.route = engine->roads[receipt->road].carrier,
		.carrier_id = str_from(receipt->carrier_id),
		.delivery = receipt->delivery,
		.raw = str_from(receipt->stat),
		.received_at = clock_now(),
	};
	struct receipt_keep_row row;
	args.last_digits = receipt_digits(str_from(receipt->from));
	enum rc rc = receipt_keep(tx, arena, &args, &row, err);
	if (rc == OK)
		rc = db_change_append(tx, S("receipt"), row.id, err);
	if (rc == OK)
		wait_on(engine, arena, receipt, row.id);
	return rc;
}

enum rc receipt_write(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct receipt_report *receipt,
                      struct counters *counters, struct moves *moves, struct err *err)
{
	struct receipt_match match = { 0 };
	enum rc rc = find_message(engine, tx, arena, receipt, &match, err);
	if (rc != OK)
		return rc;
	routing_note_receipt(engine, receipt);
	if (match.message_id > 0)
		rc = apply(engine, tx, arena, &match, receipt, counters, moves, err);
	else if (receipt->by_content)
		engine->fold.mail.incoming[receipt->incoming].take = true; /* a person typed it */
	else if (receipt->unmatched_id == 0)
		rc = keep(engine, tx, arena, receipt, err);
	else
		wait_on(engine, arena, receipt, receipt->unmatched_id); /* taken up for an answer that was another's */
	if (rc == OK && match.message_id > 0 && receipt->unmatched_id > 0) {
		struct receipt_matched_args args = { .id = receipt->unmatched_id, .matched_at = clock_now() };
		rc = receipt_matched(tx, &args, NULL, err);
	}
	return rc;
}

enum rc receipts_write(struct engine *engine, struct db_tx *tx, struct arena *arena, struct counters *counters,
                       struct moves *moves, struct err *err)
{
	const struct mail *mail = &engine->fold.mail;
	enum rc rc = OK;
	engine->fold.kept = NULL;
	for (size_t i = 0; rc == OK && i < mail->receipt_count; i++)
		if (!mail->receipts[i].skip)
			rc = receipt_write(engine, tx, arena, &mail->receipts[i], counters, moves, err);
	return rc;
}
