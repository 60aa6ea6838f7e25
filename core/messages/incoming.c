/* Incoming messages: stored before the carrier is told 'received', joined from their parts, then read by the rules. */
#include "core/messages/internal.h"
#include "kernel/text/sms.h"

#define BODY_MOST 20000        /* characters */
#define PARTS_WAIT (5 * CLOCK_MINUTE) /* for missing parts: somebody may have asked for help in those that came */
#define DONE_KEPT CLOCK_HOUR          /* a carrier that missed our answer repeats a part within this */
#define DONE_PART 0                   /* the row that remembers a message whose parts were joined */
#define READ_MOST 20           /* messages read in one transaction */
#define REFERENCE_WIDE 65536
#define PART_BYTES_MOST 65536  /* of all parts joined; 255 parts of 140 octets fit */

/* Cuts at a character's border. */
static struct str cut_body(struct str body)
{
	size_t at = 0;
	for (size_t characters = 0; at < body.len && characters < BODY_MOST; characters++)
		utf8_next(body, &at);
	return str_slice(body, 0, at);
}

enum rc incoming_add(struct db_tx *tx, struct arena *arena, const struct incoming_new *incoming, int64_t now, int64_t *id_out,
                     struct err *err)
{
	struct incoming_insert_args args = {
		.public_id = rand_id(arena),
		.channel = incoming->channel,
		.route = incoming->route,
		.dedupe = incoming->dedupe,
		.received_at = now,
		.state = 1,
		.why = incoming->why,
	};
	struct incoming_insert_row row;
	struct err quiet;
	err_init(&quiet, arena);
	enum rc rc = incoming_insert(tx, arena, &args, &row, &quiet);
	if (rc == NOT_FOUND) {
		*id_out = 0; /* came before */
		return OK;
	}
	if (rc != OK)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	struct incoming_text_insert_args text = {
		.incoming_id = row.id,
		.address = incoming->address,
		.recipient = incoming->recipient,
		.subject = incoming->subject,
		.message_id = incoming->message_id,
		.reply_to_message = incoming->reply_to_message,
		.body = cut_body(incoming->body),
	};
	rc = incoming_text_insert(tx, &text, NULL, err);
	if (rc == OK)
		*id_out = row.id;
	return rc;
}

/* --- parts ------------------------------------------------------------------------------------------------------------- */

struct part_key {
	struct str address, recipient;
	int64_t reference, total;
};

static enum rc add_sms(struct db_tx *tx, struct arena *arena, struct str from, struct str to, int64_t route, struct str body,
                       int64_t why, struct err *err)
{
	struct incoming_new incoming = {
		.channel = CHANNEL_SMS,
		.route = route,
		.why = why,
		.dedupe = STR_NONE,
		.address = from,
		.recipient = to,
		.subject = S(""),
		.message_id = S(""),
		.body = body,
	};
	int64_t id;
	return incoming_add(tx, arena, &incoming, clock_now(), &id, err);
}

static uint64_t part_mark(struct str bytes)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < bytes.len; i++)
		h = (h ^ (unsigned char)bytes.ptr[i]) * UINT64_C(1099511628211);
	return h;
}

/* In place of the parts of a joined message a row stays that knows them again: part 0, its bytes a mark for each of them. */
static enum rc remember_joined(struct db_tx *tx, struct arena *arena, const struct part_key *key,
                               const struct incoming_part_list_row *rows, size_t count, struct err *err)
{
	struct incoming_part_remove_args remove = { .address = key->address, .recipient = key->recipient,
		                                    .reference = key->reference, .total = key->total };
	enum rc rc = incoming_part_remove(tx, &remove, NULL, err);
	uint64_t *marks = ARENA_NEW_ARRAY(arena, uint64_t, (size_t)key->total);
	for (size_t i = 0; i < count; i++)
		if (rows[i].part >= 1 && rows[i].part <= key->total)
			marks[rows[i].part - 1] = part_mark(rows[i].bytes);
	struct incoming_part_put_args args = {
		.address = key->address,
		.recipient = key->recipient,
		.reference = key->reference,
		.total = key->total,
		.part = DONE_PART,
		.bytes = { (const char *)marks, (size_t)key->total * sizeof *marks },
		.received_at = clock_now() + DONE_KEPT - PARTS_WAIT, /* looked at with the parts that are too old */
	};
	return rc == OK ? incoming_part_put(tx, &args, NULL, err) : rc;
}

static bool is_remembered(struct str marks, int64_t part, struct str bytes)
{
	uint64_t mark;
	if (part < 1 || (size_t)part * sizeof mark > marks.len)
		return false;
	memcpy(&mark, marks.ptr + (size_t)(part - 1) * sizeof mark, sizeof mark);
	return mark == part_mark(bytes);
}

/* Joins what is there: bytes first, since phones cut characters in two; a part that is missing is shown as [...]. */
static struct str joined_text(struct arena *arena, const struct part_key *key, const struct incoming_part_list_row *rows,
                              size_t count)
{
	struct buf bytes, text;
	buf_init(&bytes);
	buf_init(&text);
	int64_t expected = 1;
	for (size_t i = 0; i < count; i++) {
		bool gap = rows[i].part != expected, other = i > 0 && rows[i].charset != rows[i - 1].charset;
		if ((gap || other) && bytes.len > 0) {
			buf_add_str(&text, sms_read(arena, rows[i - 1].charset, buf_str(&bytes), NULL));
			buf_clear(&bytes);
		}
		if (gap)
			buf_add_str(&text, S("[...]"));
		if (bytes.len + rows[i].bytes.len <= PART_BYTES_MOST)
			buf_add_str(&bytes, rows[i].bytes);
		expected = rows[i].part + 1;
	}
	buf_add_str(&text, sms_read(arena, rows[count - 1].charset, buf_str(&bytes), NULL));
	if (expected <= key->total)
		buf_add_str(&text, S("[...]"));
	struct str result = str_copy(arena, buf_str(&text));
	buf_release(&text);
	buf_release(&bytes);
	return result;
}

static enum rc list_parts(struct db_tx *tx, struct arena *arena, const struct part_key *key, struct incoming_part_list_row **rows,
                          size_t *count, struct err *err)
{
	struct incoming_part_list_args args = { .address = key->address, .recipient = key->recipient, .reference = key->reference,
		                                .total = key->total };
	return incoming_part_list(tx, arena, &args, rows, count, err);
}

static enum rc join_parts(struct db_tx *tx, struct arena *arena, const struct part_key *key, bool all_there, struct err *err)
{
	struct incoming_part_list_row *rows;
	size_t count;
	enum rc rc = list_parts(tx, arena, key, &rows, &count, err);
	if (rc != OK || count == 0 || (all_there && (int64_t)count < key->total))
		return rc;
	if (rows[0].part == DONE_PART) { /* long joined: forgotten */
		struct incoming_part_remove_args remove = { .address = key->address, .recipient = key->recipient,
			                                    .reference = key->reference, .total = key->total };
		return incoming_part_remove(tx, &remove, NULL, err);
	}
	rc = add_sms(tx, arena, key->address, key->recipient, rows[0].route, joined_text(arena, key, rows, count),
	             (int64_t)count < key->total ? WHY_PARTS_MISSING : WHY_NONE, err);
	return rc == OK ? remember_joined(tx, arena, key, rows, count, err) : rc;
}

/* Makes way for a part. *again_out: it was here before, with the same bytes. A phone that uses a reference for another message
 * begins anew: what was there is shown as it is. */
static enum rc make_way(struct db_tx *tx, struct arena *arena, const struct part_key *key, int64_t part, struct str bytes,
                        bool *again_out, struct err *err)
{
	struct incoming_part_list_row *rows;
	size_t count;
	enum rc rc = list_parts(tx, arena, key, &rows, &count, err);
	bool other = false;
	*again_out = false;
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (rows[i].part == DONE_PART) {
			*again_out = is_remembered(rows[i].bytes, part, bytes);
			other = !*again_out;
		} else if (rows[i].part == part) {
			*again_out = str_equal(rows[i].bytes, bytes);
			other = !*again_out;
		}
	}
	if (rc != OK || !other)
		return rc;
	struct incoming_part_remove_args remove = { .address = key->address, .recipient = key->recipient,
		                                    .reference = key->reference, .total = key->total };
	rc = join_parts(tx, arena, key, false, err);
	return rc == OK ? incoming_part_remove(tx, &remove, NULL, err) : rc;
}

static enum rc store_part(struct db_tx *tx, struct arena *arena, const struct part_key *key, int64_t part, int64_t route,
                          const struct sms_incoming *taken, struct err *err)
{
	struct incoming_part_put_args args = {
		.address = key->address,
		.recipient = key->recipient,
		.reference = key->reference,
		.total = key->total,
		.part = part,
		.route = route,
		.charset = sms_reading(taken),
		.bytes = taken->payload,
		.received_at = clock_now(),
	};
	bool again;
	enum rc rc = make_way(tx, arena, key, part, taken->payload, &again, err);
	if (rc != OK || again)
		return rc;
	rc = incoming_part_put(tx, &args, NULL, err);
	return rc == OK ? join_parts(tx, arena, key, true, err) : rc;
}

enum rc incoming_store(struct engine *engine, struct db_tx *tx, struct arena *arena, const struct incoming_report *report,
                       struct err *err)
{
	const struct road *road = &engine->roads[report->road];
	struct sms_received received = {
		.bytes = report->bytes,
		.esm_class = report->esm_class,
		.data_coding = report->data_coding,
		.unspecified = road->route.sms.unspecified,
		.packed = road->route.sms.packed,
	};
	struct sms_incoming taken;
	sms_take_apart(arena, &received, &taken);
	const struct sms_concatenation *joined = &taken.header.concatenation;
	struct part_key key = { .address = str_from(report->from), .recipient = str_from(report->to) };
	if (joined->total > 1) {
		key.reference = joined->reference + (joined->wide ? REFERENCE_WIDE : 0);
		key.total = joined->total;
		return store_part(tx, arena, &key, joined->sequence, road->id, &taken, err);
	}
	if (report->part_total > 1 && report->part_number >= 1 && report->part_number <= report->part_total) {
		key.reference = report->part_reference + REFERENCE_WIDE;
		key.total = report->part_total;
		return store_part(tx, arena, &key, report->part_number, road->id, &taken, err);
	}
	struct str body = sms_read(arena, sms_reading(&taken), taken.payload, NULL);
	return add_sms(tx, arena, key.address, key.recipient, road->id, body, WHY_NONE, err);
}

enum rc incoming_write(struct engine *engine, struct db_tx *tx, struct arena *arena, struct err *err)
{
	const struct mail *mail = &engine->fold.mail;
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < mail->incoming_count; i++) {
		if (!mail->incoming[i].take || mail->incoming[i].skip)
			continue;
		rc = incoming_store(engine, tx, arena, &mail->incoming[i], err);
		engine->read_look = true;
	}
	return rc;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

struct reading {
	struct engine *engine;
	struct arena arena;
	int64_t most;
	size_t count;
	int64_t id;      /* of the last one tried */
};

static enum rc join_old(struct db_tx *tx, struct arena *arena, struct err *err)
{
	struct incoming_part_list_old_args args = { .before = clock_now() - PARTS_WAIT };
	struct incoming_part_list_old_row *rows;
	size_t count;
	enum rc rc = incoming_part_list_old(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		struct part_key key = { rows[i].address, rows[i].recipient, rows[i].reference, rows[i].total };
		rc = join_parts(tx, arena, &key, false, err);
	}
	return rc;
}

static enum rc read_work(struct db_tx *tx, void *context, struct err *err)
{
	struct reading *reading = context;
	arena_clear(&reading->arena);
	struct incoming_list_unread_args args = { .most = reading->most };
	struct incoming_list_unread_row *rows;
	enum rc rc = join_old(tx, &reading->arena, err);
	if (rc == OK)
		rc = incoming_list_unread(tx, &reading->arena, &args, &rows, &reading->count, err);
	for (size_t i = 0; rc == OK && i < reading->count; i++) {
		struct incoming_item item = {
			.id = rows[i].id,
			.channel = rows[i].channel,
			.reply_to_message = rows[i].reply_to_message,
			.parts_missing = rows[i].why == WHY_PARTS_MISSING,
			.address = rows[i].address,
			.recipient = rows[i].recipient,
			.body = rows[i].body,
			.message_id = rows[i].message_id,
		};
		reading->id = item.id;
		rc = incoming_read_one(reading->engine->house, tx, &reading->arena, &item, err);
	}
	return rc;
}

static enum rc give_up_work(struct db_tx *tx, void *context, struct err *err)
{
	struct incoming_give_up_args args = { .why = WHY_NOT_READ, .id = *(const int64_t *)context };
	return incoming_give_up(tx, &args, NULL, err);
}

/* The rules stumbled over one of several: read one by one, and leave the one they stumble over to an officer. */
static enum rc read_singly(struct reading *reading, struct err *err)
{
	struct db *db = reading->engine->house->db;
	struct err quiet;
	reading->most = 1;
	reading->id = 0;
	err_init(&quiet, &reading->arena);
	enum rc rc = db_write(db, DB_LANE_DELIVERY, read_work, reading, &quiet);
	if (rc != FAILED && rc != INVALID && rc != CONFLICT)
		return rc;
	if (reading->id == 0)
		return err_set(err, rc, "%.*s", STR_ARG(quiet.detail));
	log_error("incoming_not_read", LOGI("incoming", reading->id), LOGS("detail", quiet.detail));
	reading->count = 1;
	return db_write(db, DB_LANE_DELIVERY, give_up_work, &reading->id, err);
}

enum rc incoming_read(struct engine *engine, bool *more_out, struct err *err)
{
	/* Unread ones may stand there from before a stop, and parts may have waited long enough. */
	if (!engine->read_look && clock_monotonic() < engine->parts_at)
		return OK;
	struct reading reading = { .engine = engine, .most = engine->read_singly ? 1 : READ_MOST };
	arena_init(&reading.arena);
	enum rc rc;
	if (engine->read_singly) {
		rc = read_singly(&reading, err);
		engine->read_singly = rc == OK && reading.count > 0;
	} else {
		rc = db_write(engine->house->db, DB_LANE_DELIVERY, read_work, &reading, err);
		engine->read_singly = rc == FAILED || rc == INVALID || rc == CONFLICT;
		rc = engine->read_singly ? OK : rc;
	}
	if (rc == OK) {
		engine->read_look = engine->read_singly || reading.count == READ_MOST;
		engine->parts_at = clock_monotonic() + CLOCK_MINUTE;
		*more_out = engine->read_look;
	}
	arena_release(&reading.arena);
	return rc;
}
