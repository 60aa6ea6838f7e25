/* Receipts that came before the answer with their id, or over another process: kept in the store, and here in memory under
 * each reading of their id until an answer takes them up. */
#include <stdio.h>
#include <stdlib.h>

#include "core/messages/internal.h"
#include "kernel/smpp/smpp.h"

#define WAITING_MOST 50000 /* in each of two generations */
#define WAITING_AGE (2 * CLOCK_DAY)

/* One of a waiting receipt's keys. */
struct waiting_link {
	struct waiting_receipt *receipt;
	uint64_t key;
	struct waiting_link *next; /* of the same place in the map */
};

int64_t receipt_digits(struct str number)
{
	int64_t digits = 0, unit = 1;
	size_t count = 0;
	for (size_t i = number.len; i > 0 && count < DIGITS_SAME; i--) {
		char c = number.ptr[i - 1];
		if (c < '0' || c > '9')
			continue;
		digits += (c - '0') * unit;
		unit *= 10;
		count++;
	}
	return digits;
}

static int64_t waiting_place(int64_t route, uint64_t key)
{
	return (int64_t)((key ^ (uint64_t)route * UINT64_C(0x9E3779B97F4A7C15)) >> 1) | 1;
}

static void *taken(size_t size)
{
	void *memory = malloc(size);
	if (!memory)
		abort();
	return memory;
}

static bool is_in(const struct id_map *waiting, const struct waiting_receipt *receipt)
{
	const struct waiting_link *link = id_map_get(waiting, waiting_place(receipt->route, receipt->keys[0]));
	while (link && link->receipt->id != receipt->id)
		link = link->next;
	return link != NULL;
}

/* Links of one receipt stand in several places: they are counted down, and the last one frees it. */
static void free_waiting(struct id_map *waiting)
{
	size_t at = 0;
	void *value;
	while (id_map_each(waiting, &at, &value))
		for (struct waiting_link *next, *link = value; link; link = next) {
			next = link->next;
			if (--link->receipt->key_count == 0)
				free(link->receipt);
			free(link);
		}
	id_map_release(waiting);
}

static void add_waiting(struct engine *engine, const struct waiting_receipt *receipt)
{
	if (is_in(&engine->waiting, receipt) || is_in(&engine->waiting_old, receipt))
		return;
	if (engine->waiting_count >= WAITING_MOST) {
		/* Receipts nobody waits for must not keep out those that come a moment before their answer: the older half goes.
		 * They stand in the store and on the desk all the same. */
		free_waiting(&engine->waiting_old);
		engine->waiting_old = engine->waiting;
		engine->waiting = (struct id_map){ 0 };
		engine->waiting_count = 0;
	}
	struct waiting_receipt *copy = taken(sizeof *copy);
	*copy = *receipt;
	for (size_t k = 0; k < copy->key_count; k++) {
		int64_t place = waiting_place(copy->route, copy->keys[k]);
		struct waiting_link *link = taken(sizeof *link);
		*link = (struct waiting_link){ copy, copy->keys[k], id_map_get(&engine->waiting, place) };
		id_map_set(&engine->waiting, place, link);
	}
	engine->waiting_count++;
}

/* Takes a receipt's link out of one place; the receipt stays. */
static void unlink_waiting(struct id_map *waiting, const struct waiting_receipt *receipt, uint64_t key)
{
	int64_t place = waiting_place(receipt->route, key);
	struct waiting_link *first = id_map_remove(waiting, place), **at = &first;
	while (*at) {
		struct waiting_link *link = *at;
		if (link->receipt == receipt && link->key == key) {
			*at = link->next;
			free(link);
		} else {
			at = &link->next;
		}
	}
	if (first)
		id_map_set(waiting, place, first);
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
	memcpy(report->keys, receipt->keys, sizeof report->keys);
	report->key_count = receipt->key_count;
	report->unmatched_id = receipt->id;
	memcpy(report->stat, receipt->stat, sizeof report->stat);
	if (receipt->last_digits > 0)
		snprintf(report->from, sizeof report->from, "%0*lld", DIGITS_SAME, (long long)receipt->last_digits);
}

static void claim_from(struct engine *engine, struct id_map *waiting, const struct report *answer)
{
	int64_t route = engine->roads[answer->road].carrier, place = waiting_place(route, answer->key);
	while (waiting->count > 0) {
		struct waiting_link *link = id_map_get(waiting, place);
		while (link && (link->receipt->route != route || link->key != answer->key))
			link = link->next;
		if (!link)
			return;
		struct waiting_receipt *receipt = link->receipt;
		take_up(&engine->fold.mail, receipt, answer->road);
		for (size_t k = 0; k < receipt->key_count; k++)
			unlink_waiting(waiting, receipt, receipt->keys[k]);
		engine->waiting_count -= waiting == &engine->waiting;
		free(receipt);
	}
}

void receipts_claim(struct engine *engine, const struct report *answer)
{
	if (answer->key == 0)
		return;
	claim_from(engine, &engine->waiting_old, answer);
	claim_from(engine, &engine->waiting, answer);
}

/* Fills what a row says; false without an id. */
static bool fill_waiting(struct waiting_receipt *out, int64_t id, int64_t route, struct str carrier_id, int64_t delivery,
                         struct str raw, int64_t last_digits)
{
	*out = (struct waiting_receipt){ .id = id, .route = route, .delivery = (uint8_t)delivery, .last_digits = last_digits };
	_Static_assert(SMPP_ID_KEYS == CHANNEL_RECEIPT_KEYS, "one key for each reading of an id");
	out->key_count = smpp_id_keys(carrier_id, out->keys);
	memcpy(out->stat, raw.ptr, raw.len < sizeof out->stat ? raw.len : sizeof out->stat - 1);
	return out->key_count > 0;
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
		struct waiting_receipt receipt;
		if (fill_waiting(&receipt, rows[i].id, rows[i].route, rows[i].carrier_id, rows[i].delivery, rows[i].raw,
		                 rows[i].last_digits))
			add_waiting(engine, &receipt);
	}
	arena_release(&arena);
	return rc;
}

struct heard {
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
	if (rc == OK)
		heard->found = fill_waiting(&heard->receipt, row.id, row.route, row.carrier_id, row.delivery, row.raw, row.last_digits);
	arena_release(&arena);
	return rc;
}

static bool may_be_ours(struct engine *engine, const struct waiting_receipt *receipt)
{
	struct receipt_match match;
	for (size_t k = 0; k < receipt->key_count; k++)
		if (receipt_index_find(&engine->receipts, receipt->route, receipt->keys[k], &match, 1) > 0)
			return true;
	return false;
}

void receipts_heard(struct engine *engine, int64_t unmatched_id)
{
	struct heard heard = { .id = unmatched_id };
	if (db_read(engine->house->db, find_heard, &heard, NULL) != OK || !heard.found)
		return; /* matched already */
	for (size_t i = 0; i < engine->road_count; i++) {
		if (engine->roads[i].carrier != heard.receipt.route)
			continue;
		if (may_be_ours(engine, &heard.receipt)) {
			pthread_mutex_lock(&engine->mailbox_lock);
			take_up(&engine->mailbox, &heard.receipt, (uint8_t)i);
			pthread_mutex_unlock(&engine->mailbox_lock);
		} else {
			add_waiting(engine, &heard.receipt); /* its answer may come over a road of ours yet */
		}
		return;
	}
}

void receipts_retry(struct engine *engine)
{
	const struct id_map *const generations[] = { &engine->waiting_old, &engine->waiting };
	for (size_t i = 0; i < COUNT_OF(generations); i++) {
		size_t at = 0;
		void *value;
		/* what waits already is not added again: the maps stay as they are */
		while (id_map_each(generations[i], &at, &value))
			for (const struct waiting_link *link = value; link; link = link->next)
				if (link->key == link->receipt->keys[0] && may_be_ours(engine, link->receipt))
					receipts_heard(engine, link->receipt->id);
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
