/* Starting: whose work this is, and what the process before left half done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/messages/internal.h"
#include "kernel/smpp/smpp.h"

#define SLOTS_MOST 64
#define LOOSE_KEYS_MOST 50000
#define LOOSE_KEYS_AGE (3 * CLOCK_DAY)

/* --- this dispatcher's number --------------------------------------------------------------------------------------------- */

static enum rc read_number(int file, const char *path, int64_t *id, struct err *err)
{
	char text[32] = "";
	ssize_t got = pread(file, text, sizeof text - 1, 0);
	struct str number = str_trim(str_from(text));
	if (got > 0 && str_to_int(number, id) && *id > 0)
		return OK;
	*id = (int64_t)(rand_u64() >> 2) | 1;
	int length = snprintf(text, sizeof text, "%lld\n", (long long)*id);
	if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)length, 0) != length || fsync(file) != 0)
		return err_set(err, FAILED, "%s: %s", path, strerror(errno));
	return OK;
}

enum rc dispatcher_number(struct engine *engine, struct err *err)
{
	const char *folder = engine->house->data_folder;
	if (!folder) {
		engine->id = (int64_t)(rand_u64() >> 2) | 1;
		return OK;
	}
	for (int slot = 0; slot < SLOTS_MOST; slot++) {
		char path[4096];
		if (snprintf(path, sizeof path, "%s/dispatcher.%d", folder, slot) >= (int)sizeof path)
			return err_set(err, INVALID, "the data folder's name is too long");
		int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (file < 0)
			return err_set(err, FAILED, "%s: %s", path, strerror(errno));
		if (flock(file, LOCK_EX | LOCK_NB) == 0) {
			engine->lock_file = file;
			return read_number(file, path, &engine->id, err);
		}
		close(file); /* another process of this folder lives */
	}
	return err_set(err, BUSY, "too many processes deliver from this data folder");
}

/* --- what was being handed over ---------------------------------------------------------------------------------------------- */

/* The answers are lost: those messages may have arrived. */
static enum rc doubt_rows(struct db_tx *tx, struct arena *arena, const struct message_found *rows, size_t count, struct err *err)
{
	if (count == 0)
		return OK;
	int64_t now = clock_now();
	struct message_doubt_args *args = ARENA_NEW_ARRAY(arena, struct message_doubt_args, count);
	struct counters counters;
	counters_init(&counters, arena);
	for (size_t i = 0; i < count; i++) {
		args[i] = (struct message_doubt_args){ .not_before = lane_resends(rows[i].lane) ? now : rows[i].expires_at,
			                               .id = rows[i].id };
		counters_move(&counters, rows[i].notice_id, rows[i].channel, MESSAGE_SUBMITTED, MESSAGE_IN_DOUBT, 1);
		if (!rows[i].was_in_doubt)
			counters_add(&counters, rows[i].notice_id, rows[i].channel, MESSAGE_WAS_IN_DOUBT, 1);
	}
	int64_t written = 0;
	enum rc rc = message_doubt(tx, args, count, &written, err);
	if (rc == OK && written != (int64_t)count)
		rc = err_set(err, CONFLICT, "messages moved while they were put in doubt");
	return rc == OK ? counters_write(tx, &counters, err) : rc;
}

static enum rc doubt_loose(struct db_tx *tx, struct arena *arena, int64_t owner, struct err *err)
{
	struct message_list_loose_submitted_args args = { .owner = owner };
	struct message_found *rows;
	size_t count;
	enum rc rc = message_list_loose_submitted(tx, arena, &args, &rows, &count, err);
	if (rc == OK && count > 0)
		log_warn("in_doubt", LOGC("why", "restart"), LOGI("messages", count));
	return rc == OK ? doubt_rows(tx, arena, rows, count, err) : rc;
}

/* --- signing in ---------------------------------------------------------------------------------------------------------------- */

struct entering {
	struct engine *engine;
	int64_t last_seen, change_latest;
	size_t held;
};

static enum rc hold_old(struct db_tx *tx, struct arena *arena, struct entering *entering, int64_t now, struct err *err)
{
	int64_t old_after = setting_int(entering->engine->house, "messages.old_after") * CLOCK_MINUTE;
	if (entering->last_seen == 0 || now - entering->last_seen < old_after)
		return OK;
	struct notice_hold_old_args args = { .held_at = now, .before = entering->last_seen };
	struct notice_hold_old_row *rows;
	enum rc rc = notice_hold_old(tx, arena, &args, &rows, &entering->held, err);
	for (size_t i = 0; rc == OK && i < entering->held; i++)
		rc = db_change_append(tx, S("notice"), rows[i].id, err);
	return rc;
}

static enum rc enter_work(struct db_tx *tx, void *context, struct err *err)
{
	struct entering *entering = context;
	struct engine *engine = entering->engine;
	struct arena arena;
	arena_init(&arena);
	int64_t now = clock_now();
	struct dispatcher_last_seen_row seen;
	/* Everything is read from the store after this: what changed before need not be followed. */
	enum rc rc = db_change_latest(tx, &entering->change_latest, err);
	if (rc == OK)
		rc = dispatcher_last_seen(tx, &arena, &seen, err);
	if (rc == OK) {
		entering->last_seen = seen.seen_at;
		rc = hold_old(tx, &arena, entering, now, err);
	}
	struct dispatcher_insert_args args = { .id = engine->id, .seen_at = now, .lease_until = now + LEASE };
	if (rc == OK)
		rc = dispatcher_insert(tx, &args, NULL, err);
	if (rc == OK)
		rc = doubt_loose(tx, &arena, engine->id, err);
	arena_release(&arena);
	return rc;
}

/* --- taking over from those who are gone ------------------------------------------------------------------------------------------- */

struct taking {
	struct engine *engine;
	int64_t taken, gone;
};

static enum rc take_over_one(struct db_tx *tx, struct arena *arena, struct taking *taking, int64_t gone, int64_t now, struct err *err)
{
	struct dispatcher_remove_gone_args remove = { .id = gone, .now = now };
	int64_t removed = 0, blocks = 0;
	enum rc rc = dispatcher_remove_gone(tx, &remove, &removed, err);
	if (rc != OK || removed == 0)
		return rc; /* it came back, or another took it */
	struct block_take_over_args take = { .lease_owner = taking->engine->id, .gone = gone };
	rc = block_take_over(tx, &take, &blocks, err);
	if (rc == OK)
		rc = doubt_loose(tx, arena, gone, err);
	taking->taken += blocks;
	taking->gone++;
	return rc;
}

static enum rc take_over_work(struct db_tx *tx, void *context, struct err *err)
{
	struct taking *taking = context;
	struct arena arena;
	arena_init(&arena);
	taking->taken = taking->gone = 0;
	int64_t now = clock_now();
	struct dispatcher_list_gone_args args = { .now = now };
	struct dispatcher_list_gone_row *rows;
	size_t count;
	enum rc rc = dispatcher_list_gone(tx, &arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].id != taking->engine->id)
			rc = take_over_one(tx, &arena, taking, rows[i].id, now, err);
	arena_release(&arena);
	return rc;
}

static enum rc any_gone(struct db_tx *tx, void *context, struct err *err)
{
	struct taking *taking = context;
	struct arena arena;
	arena_init(&arena);
	struct dispatcher_list_gone_args args = { .now = clock_now() };
	struct dispatcher_list_gone_row *rows;
	size_t count = 0;
	enum rc rc = dispatcher_list_gone(tx, &arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		taking->taken += rows[i].id != taking->engine->id;
	arena_release(&arena);
	return rc;
}

/* --- blocks ---------------------------------------------------------------------------------------------------------------------------- */

struct resuming {
	struct engine *engine;
	struct arena arena;
	const struct block_list_owned_row *block;
	struct message_found *submitted;
	size_t submitted_count;
	struct message_key *keys;
	size_t key_count;
	int32_t count[MESSAGE_STATE_COUNT];
	struct live *live;
	int64_t doubted;
};

static void index_key(struct engine *engine, const struct message_key *key)
{
	uint64_t keys[SMPP_ID_KEYS];
	if (key->parts == 1 && key->route > 0 && smpp_id_keys(str_trim(key->carrier_id), keys) > 0)
		receipt_index_add(&engine->receipts, route_carrier(engine, key->route), keys[0], key->id, 0, key->accepted_at);
}

/* A message of several parts has its ids in rows of their own. */
static enum rc index_parts(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct message_key *key,
                           struct err *err)
{
	struct message_part_list_args args = { .message_id = key->id };
	struct message_part_list_row *rows;
	size_t count;
	enum rc rc = message_part_list(tx, arena, &args, &rows, &count, err);
	/* Some may be accepted while the message is not yet. */
	int64_t since = key->accepted_at > 0 ? key->accepted_at : clock_now();
	for (size_t i = 0; rc == OK && i < count; i++) {
		uint64_t keys[SMPP_ID_KEYS];
		if (smpp_id_keys(rows[i].carrier_id, keys) > 0)
			receipt_index_add(&engine->receipts, route_carrier(engine, key->route), keys[0], key->id, (unsigned)rows[i].part,
			                  since);
	}
	return rc;
}

static enum rc index_keys(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct message_key *keys, size_t count,
                          struct err *err)
{
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (keys[i].parts > 1)
			rc = index_parts(engine, tx, arena, &keys[i], err);
		else
			index_key(engine, &keys[i]);
	}
	return rc;
}

static enum rc read_block(struct db_tx *tx, void *context, struct err *err)
{
	struct resuming *resuming = context;
	struct arena *arena = &resuming->arena;
	arena_clear(arena);
	memset(resuming->count, 0, sizeof resuming->count);
	int64_t first = block_message_id(resuming->block->id, 0), last = block_message_id(resuming->block->id, BLOCK_PEOPLE_MAX - 1);
	enum rc rc = live_find(resuming->engine, tx, resuming->block->notice_id, &resuming->live, err);
	struct message_list_submitted_args submitted = { .first = first, .last = last };
	if (rc == OK)
		rc = message_list_submitted(tx, arena, &submitted, &resuming->submitted, &resuming->submitted_count, err);
	struct message_count_range_args range = { .first = first, .last = last };
	struct message_count_range_row *states;
	size_t count = 0;
	if (rc == OK)
		rc = message_count_range(tx, arena, &range, &states, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++)
		if (states[i].state >= 0 && states[i].state < MESSAGE_STATE_COUNT)
			resuming->count[states[i].state] = (int32_t)states[i].people;
	struct message_list_keys_args keys = { .first = first, .last = last };
	if (rc == OK && resuming->block->channel == CHANNEL_SMS)
		rc = message_list_keys(tx, arena, &keys, &resuming->keys, &resuming->key_count, err);
	if (rc == OK && resuming->block->channel == CHANNEL_SMS)
		rc = index_keys(resuming->engine, tx, arena, resuming->keys, resuming->key_count, err);
	return rc;
}

static enum rc doubt_block(struct db_tx *tx, void *context, struct err *err)
{
	struct resuming *resuming = context;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = doubt_rows(tx, &arena, resuming->submitted, resuming->submitted_count, err);
	arena_release(&arena);
	return rc;
}

static enum rc resume_block(struct resuming *resuming, const struct block_list_owned_row *block, struct err *err)
{
	struct engine *engine = resuming->engine;
	resuming->block = block;
	enum rc rc = db_read(engine->house->db, read_block, resuming, err);
	if (rc == OK && resuming->submitted_count > 0)
		rc = db_write(engine->house->db, DB_LANE_DELIVERY, doubt_block, resuming, err);
	if (rc != OK)
		return rc;
	resuming->count[MESSAGE_SUBMITTED] -= (int32_t)resuming->submitted_count;
	resuming->count[MESSAGE_IN_DOUBT] += (int32_t)resuming->submitted_count;
	resuming->doubted += (int64_t)resuming->submitted_count;
	struct work *work = work_add(engine, block->id, resuming->live, block->channel, block->text_group, block->lane);
	memcpy(work->count, resuming->count, sizeof work->count);
	work->state = work->stored = (enum block_state)block->state;
	/* The first walk takes what is due; the next looks for what waits. */
	work->again_at = clock_now();
	work->cursor = BLOCK_PEOPLE_MAX;
	engine->backlog[work->channel][work->lane] += work->count[MESSAGE_QUEUED];
	return OK;
}

struct listing {
	struct engine *engine;
	struct arena arena;
	struct block_list_owned_row *blocks;
	size_t count;
};

static enum rc list_owned(struct db_tx *tx, void *context, struct err *err)
{
	struct listing *listing = context;
	arena_clear(&listing->arena);
	enum rc rc = route_carriers_load(listing->engine, tx, &listing->arena, err);
	if (rc != OK)
		return rc;
	struct block_list_owned_args args = { .lease_owner = listing->engine->id };
	return block_list_owned(tx, &listing->arena, &args, &listing->blocks, &listing->count, err);
}

static enum rc load_loose_keys(struct db_tx *tx, void *context, struct err *err)
{
	struct engine *engine = context;
	struct arena arena;
	arena_init(&arena);
	struct message_key *parts;
	size_t part_count;
	enum rc rc = message_list_loose_part_keys(tx, &arena, &parts, &part_count, err);
	if (rc == OK)
		rc = index_keys(engine, tx, &arena, parts, part_count, err);
	size_t count = LOOSE_KEYS_MOST;
	for (int64_t since = clock_now() - LOOSE_KEYS_AGE; rc == OK && count == LOOSE_KEYS_MOST;) {
		struct message_list_loose_keys_args args = { .since = since, .most = LOOSE_KEYS_MOST };
		struct message_key *rows;
		arena_clear(&arena);
		rc = message_list_loose_keys(tx, &arena, &args, &rows, &count, err);
		if (rc == OK)
			rc = index_keys(engine, tx, &arena, rows, count, err);
		if (rc == OK && count > 0)
			since = rows[count - 1].accepted_at - 1; /* again those of the same moment; they change nothing */
	}
	arena_release(&arena);
	return rc;
}

static enum rc resume_blocks(struct engine *engine, int64_t *doubted, struct err *err)
{
	struct listing listing = { .engine = engine };
	struct resuming resuming = { .engine = engine };
	arena_init(&listing.arena);
	arena_init(&resuming.arena);
	enum rc rc = db_read(engine->house->db, list_owned, &listing, err);
	for (size_t i = 0; rc == OK && i < listing.count; i++)
		if (!id_map_get(&engine->works, listing.blocks[i].id))
			rc = resume_block(&resuming, &listing.blocks[i], err);
	*doubted = resuming.doubted;
	arena_release(&resuming.arena);
	arena_release(&listing.arena);
	return rc;
}

enum rc take_over_gone(struct engine *engine, struct err *err)
{
	struct taking taking = { .engine = engine };
	enum rc rc = db_read(engine->house->db, any_gone, &taking, err);
	if (rc != OK || taking.taken == 0)
		return rc;
	rc = db_write(engine->house->db, DB_LANE_DELIVERY, take_over_work, &taking, err);
	if (rc != OK || taking.gone == 0)
		return rc;
	int64_t doubted;
	log_warn("taken_over", LOGI("blocks", taking.taken));
	rc = resume_blocks(engine, &doubted, err);
	if (rc == OK)
		rc = db_read(engine->house->db, load_loose_keys, engine, err);
	/* Since it went silent its receipts came to us. */
	if (rc == OK)
		receipts_retry(engine);
	return rc;
}

/* --- after a commit of unknown outcome ------------------------------------------------------------------------------------------------ */

struct stock {
	struct engine *engine;
	int64_t returned;
};

/* Marked after all, and never handed over: as if the road had given them back. */
static enum rc return_unsure(struct db_tx *tx, void *context, struct err *err)
{
	struct stock *stock = context;
	struct engine *engine = stock->engine;
	struct arena arena;
	struct counters counters;
	struct moves moves = { 0 };
	struct happening what = { .event = EVENT_LATER, .waited = true, .status_code = -1, .now = clock_now() };
	arena_init(&arena);
	counters_init(&counters, &arena);
	stock->returned = 0;
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < engine->unsure_count; i++) {
		struct message_is_mine_args args = { .id = engine->unsure[i], .owner = engine->id, .submitted_at = engine->unsure_at };
		struct message_is_mine_row row;
		struct err quiet;
		err_init(&quiet, &arena);
		rc = message_is_mine(tx, &arena, &args, &row, &quiet);
		if (rc == NOT_FOUND) {
			rc = OK;
			continue;
		}
		stock->returned++;
		rc = rc == OK ? message_happen(engine, tx, &arena, args.id, &what, &counters, &moves, err)
		              : err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	}
	if (rc == OK)
		rc = counters_write(tx, &counters, err);
	arena_release(&arena);
	return rc;
}

static enum rc count_works(struct db_tx *tx, void *context, struct err *err)
{
	struct engine *engine = context;
	struct arena arena;
	arena_init(&arena);
	enum rc rc = OK;
	size_t at = 0;
	void *value;
	while (rc == OK && id_map_each(&engine->works, &at, &value)) {
		struct work *work = value;
		struct message_count_range_args range = { .first = block_message_id(work->id, 0),
			                                  .last = block_message_id(work->id, BLOCK_PEOPLE_MAX - 1) };
		struct message_count_range_row *states;
		size_t count = 0;
		arena_clear(&arena);
		rc = message_count_range(tx, &arena, &range, &states, &count, err);
		if (rc != OK)
			break;
		int64_t *backlog = &engine->backlog[work->channel][work->lane];
		*backlog -= work->count[MESSAGE_QUEUED];
		memset(work->count, 0, sizeof work->count);
		for (size_t i = 0; i < count; i++)
			if (states[i].state >= 0 && states[i].state < MESSAGE_STATE_COUNT)
				work->count[states[i].state] = (int32_t)states[i].people;
		*backlog += work->count[MESSAGE_QUEUED];
		work->again_at = 0; /* walked again from the start, whatever was due */
	}
	arena_release(&arena);
	return rc;
}

enum rc take_stock(struct engine *engine, struct err *err)
{
	struct db *db = engine->house->db;
	int64_t unknown = db_unknown_commits(db), doubted;
	struct stock stock = { .engine = engine };
	enum rc rc = engine->unsure_count > 0 ? db_write(db, DB_LANE_DELIVERY, return_unsure, &stock, err) : OK;
	if (rc == OK)
		rc = resume_blocks(engine, &doubted, err);
	if (rc == OK)
		rc = db_read(db, count_works, engine, err);
	if (rc != OK)
		return rc;
	log_warn("stock_taken", LOGC("why", "a commit's outcome was not told"), LOGI("returned", stock.returned));
	engine->unknown_seen = unknown;
	engine->unsure_count = 0;
	engine->block_look = true;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		engine->loose_look[channel] = true;
	return OK;
}

enum rc recover(struct engine *engine, struct err *err)
{
	struct entering entering = { .engine = engine };
	struct db *db = engine->house->db;
	enum rc rc = db_write(db, DB_LANE_DELIVERY, enter_work, &entering, err);
	if (rc == OK && engine->change_seen == 0)
		engine->change_seen = entering.change_latest;
	if (rc == OK && entering.held > 0)
		log_error("notices_held", LOGI("notices", entering.held), LOGC("why", "they grew old over a stop"));
	int64_t doubted = 0;
	if (rc == OK)
		rc = resume_blocks(engine, &doubted, err);
	if (rc == OK)
		rc = take_over_gone(engine, err);
	if (rc == OK)
		rc = db_read(db, load_loose_keys, engine, err);
	if (rc == OK)
		rc = receipts_load_waiting(engine, err);
	if (rc == OK)
		receipts_retry(engine); /* others kept them while we were away */
	if (rc == OK)
		log_info("dispatcher_ready", LOGI("blocks", engine->works.count), LOGI("in_doubt", doubted),
		         LOGI("receipts_awaited", engine->receipts.count));
	return rc;
}
