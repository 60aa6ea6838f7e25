/* Delivery receipts: which message they speak of, and what they say. */
#include <stdlib.h>

#include "core/messages/internal.h"
#include "kernel/smpp/smpp.h"

#define MATCHES_MOST 8
#define WAITING_MOST 50000 /* in each of two generations */
#define WAITING_AGE (2 * CLOCK_DAY)
#define DIGITS_SAME 8 /* last digits that must agree where a carrier writes numbers its own way */

/* --- receipts that wait ------------------------------------------------------------------------------------------------- */

static int64_t waiting_place(int64_t route, uint64_t key)
{
	return (int64_t)((key ^ (uint64_t)route * UINT64_C(0x9E3779B97F4A7C15)) >> 1) | 1;
}

static void free_waiting(struct id_map *waiting)
{
	size_t at = 0;
	void *value;
	while (id_map_each(waiting, &at, &value))
		for (struct waiting_receipt *next, *receipt = value; receipt; receipt = next) {
			next = receipt->next;
			free(receipt);
		}
	id_map_release(waiting);
}

static void add_waiting(struct engine *engine, const struct waiting_receipt *receipt)
{
	if (engine->waiting_count >= WAITING_MOST) {
		/* Receipts nobody waits for must not keep out those that come a moment before their answer: the older half goes.
		 * They stand in the store and on the desk all the same. */
		free_waiting(&engine->waiting_old);
		engine->waiting_old = engine->waiting;
		engine->waiting = (struct id_map){ 0 };
		engine->waiting_count = 0;
	}
	struct waiting_receipt *copy = malloc(sizeof *copy);
	if (!copy)
		abort();
	*copy = *receipt;
	int64_t place = waiting_place(receipt->route, receipt->key);
	copy->next = id_map_get(&engine->waiting, place);
	id_map_set(&engine->waiting, place, copy);
	engine->waiting_count++;
}

void receipts_release(struct engine *engine)
{
	free_waiting(&engine->waiting);
	free_waiting(&engine->waiting_old);
	engine->waiting_count = 0;
	receipt_index_release(&engine->receipts);
}

static void take_up(struct mail *mail, const struct waiting_receipt *receipt, uint8_t road)
{
	if (mail->receipt_count == mail->receipt_capacity) {
		mail->receipt_capacity = mail->receipt_capacity ? mail->receipt_capacity * 2 : 64;
		mail->receipts = realloc(mail->receipts, mail->receipt_capacity * sizeof *mail->receipts);
		if (!mail->receipts)
			abort();
	}
	struct receipt_report *report = &mail->receipts[mail->receipt_count++];
	memset(report, 0, sizeof *report);
	report->road = road;
	report->delivery = receipt->delivery;
	report->keys[0] = receipt->key;
	report->key_count = 1;
	report->unmatched_id = receipt->id;
	memcpy(report->stat, receipt->stat, sizeof report->stat);
}

static void claim_from(struct engine *engine, struct id_map *waiting, const struct report *answer)
{
	if (waiting->count == 0)
		return;
	int64_t route = engine->roads[answer->road].carrier, place = waiting_place(route, answer->key);
	struct waiting_receipt *first = id_map_remove(waiting, place), *rest = NULL;
	for (struct waiting_receipt *next, *receipt = first; receipt; receipt = next) {
		next = receipt->next;
		if (receipt->route == route && receipt->key == answer->key) {
			take_up(&engine->fold.mail, receipt, answer->road);
			engine->waiting_count -= waiting == &engine->waiting;
			free(receipt);
		} else {
			receipt->next = rest;
			rest = receipt;
		}
	}
	if (rest)
		id_map_set(waiting, place, rest);
}

void receipts_claim(struct engine *engine, const struct report *answer)
{
	claim_from(engine, &engine->waiting_old, answer);
	claim_from(engine, &engine->waiting, answer);
}

static enum rc load_waiting(struct db_tx *tx, void *context, struct err *err)
{
	struct engine *engine = context;
	struct arena arena;
	arena_init(&arena);
	struct receipt_list_waiting_args args = { .since = clock_now() - WAITING_AGE };
	struct receipt_list_waiting_row *rows;
	size_t count;
	enum rc rc = receipt_list_waiting(tx, &arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		uint64_t keys[SMPP_ID_KEYS];
		if (smpp_id_keys(rows[i].carrier_id, keys) == 0)
			continue;
		struct waiting_receipt receipt = { .id = rows[i].id, .route = rows[i].route, .key = keys[0],
			                           .delivery = (uint8_t)rows[i].delivery };
		size_t length = rows[i].raw.len < sizeof receipt.stat ? rows[i].raw.len : sizeof receipt.stat - 1;
		memcpy(receipt.stat, rows[i].raw.ptr, length);
		add_waiting(engine, &receipt);
	}
	arena_release(&arena);
	return rc;
}

struct heard {
	struct engine *engine;
	int64_t id;
	struct waiting_receipt receipt;
	bool found;
};

static enum rc find_heard(struct db_tx *tx, void *context, struct err *err)
{
	struct heard *heard = context;
	struct arena arena;
	arena_init(&arena);
	struct receipt_find_args args = { .id = heard->id };
	struct receipt_find_row row;
	enum rc rc = receipt_find(tx, &arena, &args, &row, err);
	uint64_t keys[SMPP_ID_KEYS];
	if (rc == OK && smpp_id_keys(row.carrier_id, keys) > 0) {
		heard->receipt.id = row.id;
		heard->receipt.route = row.route;
		heard->receipt.key = keys[0];
		heard->receipt.delivery = (uint8_t)row.delivery;
		size_t length = row.raw.len < sizeof heard->receipt.stat ? row.raw.len : sizeof heard->receipt.stat - 1;
		memcpy(heard->receipt.stat, row.raw.ptr, length);
		heard->found = true;
	}
	arena_release(&arena);
	return rc;
}

void receipts_heard(struct engine *engine, int64_t unmatched_id)
{
	struct heard heard = { .engine = engine, .id = unmatched_id };
	struct receipt_match match;
	if (db_read(engine->house->db, find_heard, &heard, NULL) != OK || !heard.found)
		return; /* matched already */
	for (size_t i = 0; i < engine->road_count; i++) {
		if (engine->roads[i].carrier != heard.receipt.route ||
		    receipt_index_find(&engine->receipts, heard.receipt.route, heard.receipt.key, &match, 1) == 0)
			continue;
		pthread_mutex_lock(&engine->mailbox_lock);
		take_up(&engine->mailbox, &heard.receipt, (uint8_t)i);
		pthread_mutex_unlock(&engine->mailbox_lock);
		return; /* one road of the carrier is enough */
	}
}

void receipts_retry(struct engine *engine)
{
	const struct id_map *const generations[] = { &engine->waiting_old, &engine->waiting };
	for (size_t i = 0; i < COUNT_OF(generations); i++) {
		size_t at = 0;
		void *value;
		struct receipt_match match;
		while (id_map_each(generations[i], &at, &value))
			for (const struct waiting_receipt *receipt = value; receipt; receipt = receipt->next)
				if (receipt_index_find(&engine->receipts, receipt->route, receipt->key, &match, 1) > 0)
					receipts_heard(engine, receipt->id);
	}
}

enum rc receipts_load_waiting(struct engine *engine, struct err *err)
{
	return db_read(engine->house->db, load_waiting, engine, err);
}

void receipts_settle(struct engine *engine)
{
	for (const struct waiting_receipt *receipt = engine->fold.kept; receipt; receipt = receipt->next)
		add_waiting(engine, receipt);
	engine->fold.kept = NULL;
}

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
	enum rc rc = receipt_keep(tx, arena, &args, &row, err);
	if (rc == OK)
		rc = db_change_append(tx, S("receipt"), row.id, err);
	if (rc != OK || receipt->key_count == 0)
		return rc;
	struct waiting_receipt *kept = ARENA_NEW(arena, struct waiting_receipt);
	kept->id = row.id;
	kept->route = args.route;
	kept->key = receipt->keys[0];
	kept->delivery = receipt->delivery;
	memcpy(kept->stat, receipt->stat, sizeof kept->stat);
	kept->next = engine->fold.kept;
	engine->fold.kept = kept;
	return OK;
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
