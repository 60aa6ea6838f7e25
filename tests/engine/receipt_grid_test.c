/* Every form a receipt is met in, each against a message of its own, through the codec, the store and the fold: all are
 * matched, and none says more than it does. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/engine_fixture.h"

#include "kernel/smpp/smpp.h"

#define SMS CHANNEL_BIT(CHANNEL_SMS)
#define PEOPLE_MOST 8192
#define TEXTS 5 /* shapes of text for each form of id and time */

/* --- a receipt as a carrier sends it ----------------------------------------------------------------------------------- */

enum charset { AS_ASCII, AS_UCS2, AS_ASCII_SAID_UCS2, AS_UCS2_MARKED, IN_PAYLOAD, BY_DATA_SM, TLV_ONLY, BEHIND_HEADER, CHARSETS };
enum missing { MISSING_NONE, MISSING_COUNTS, MISSING_DATES, MISSING_ERROR, MISSING_TEXT, ALL_MISSING, MISSINGS };
enum order { STANDARD, REVERSED, ROTATED, ORDERS };
static const char *const DATES[] = { "2611241535", "261124153507", "20261124153507", "0000000000" };

struct shape {
	enum charset charset;
	enum missing missing;
	enum order order;
	size_t date;
	const char *stat;
	unsigned state; /* of the TLV; 0 none */
};

static struct str text_of(struct arena *arena, const struct shape *shape, const char *id)
{
	const char *date = DATES[shape->date];
	struct str fields[8];
	size_t count = 0, first = 0;
	enum missing missing = shape->missing;

	fields[count++] = str_format(arena, "id:%s", id);
	if (missing != MISSING_COUNTS && missing != ALL_MISSING) {
		fields[count++] = S("sub:001");
		fields[count++] = S("dlvrd:001");
	}
	if (missing != MISSING_DATES && missing != ALL_MISSING) {
		fields[count++] = str_format(arena, "submit date:%s", date);
		fields[count++] = str_format(arena, "done date:%s", date);
	}
	fields[count++] = str_format(arena, "stat:%s", shape->stat);
	if (missing != MISSING_ERROR && missing != ALL_MISSING)
		fields[count++] = S("err:000");
	if (missing != MISSING_TEXT && missing != ALL_MISSING && shape->order == STANDARD)
		fields[count++] = S("text:stat:UNDELIV id:9 \x1B hi");
	if (shape->order == ROTATED)
		first = count / 2;
	struct str out = S("");
	for (size_t i = 0; i < count; i++) {
		size_t at = shape->order == REVERSED ? count - 1 - i : (first + i) % count;
		out = str_concat(arena, out, i > 0 ? S(" ") : S(""));
		out = str_concat(arena, out, fields[at]);
	}
	return out;
}

static struct str widened(struct arena *arena, struct str text, bool marked)
{
	char *out = arena_alloc(arena, text.len * 2 + 2);
	size_t at = 0;

	if (marked) {
		out[at++] = '\xFE';
		out[at++] = '\xFF';
	}
	for (size_t i = 0; i < text.len; i++) {
		out[at++] = 0;
		out[at++] = text.ptr[i];
	}
	return (struct str){ out, at };
}

/* The PDU's bytes, which are then decoded as those of a carrier are. */
static void put_receipt(struct arena *arena, struct buf *buf, const struct shape *shape, const char *id, const char *from)
{
	struct str text = text_of(arena, shape, id);
	struct smpp_message message = { .source = { 1, 1, str_from(from) }, .destination = { 0, 0, S("4411") }, .esm_class = 0x04 };
	uint32_t command = SMPP_DELIVER_SM;

	switch (shape->charset) {
	case AS_ASCII_SAID_UCS2: message.data_coding = 8; break;
	case AS_UCS2:
	case AS_UCS2_MARKED:
		message.data_coding = 8;
		text = widened(arena, text, shape->charset == AS_UCS2_MARKED);
		break;
	case BY_DATA_SM: command = SMPP_DATA_SM; break;
	case BEHIND_HEADER:
		message.esm_class = 0x44;
		text = str_concat(arena, S("\x05\x00\x03\x01\x01\x01"), text);
		break;
	default: break;
	}
	if (shape->charset == TLV_ONLY) {
		message.receipted_message_id = str_from(id);
		message.message_state = 2;
		message.has_message_state = true;
	} else if (shape->charset == IN_PAYLOAD || command == SMPP_DATA_SM || text.len > SMPP_SHORT_MESSAGE_MAX) {
		message.message_payload = text;
	} else {
		message.short_message = text;
	}
	if (shape->state) {
		message.message_state = (uint8_t)shape->state;
		message.has_message_state = true;
	}
	assert_true(smpp_put_message(buf, command, 1, &message));
}

static enum channel_delivery delivery_of(enum smpp_state state)
{
	switch (state) {
	case SMPP_STATE_DELIVERED: return CHANNEL_DELIVERY_DELIVERED;
	case SMPP_STATE_EXPIRED: return CHANNEL_DELIVERY_EXPIRED;
	case SMPP_STATE_DELETED:
	case SMPP_STATE_UNDELIVERABLE:
	case SMPP_STATE_REJECTED: return CHANNEL_DELIVERY_FAILED;
	case SMPP_STATE_ENROUTE:
	case SMPP_STATE_ACCEPTED: return CHANNEL_DELIVERY_PENDING;
	default: return CHANNEL_DELIVERY_UNKNOWN;
	}
}

static void deliver(struct fake_channel *road, const struct shape *shape, const char *id, const char *from)
{
	struct arena arena;
	struct buf buf;
	struct smpp_pdu pdu;
	struct smpp_receipt read;

	arena_init(&arena);
	buf_init(&buf);
	put_receipt(&arena, &buf, shape, id, from);
	assert_int_equal(smpp_decode(buf_str(&buf), &pdu), SMPP_ROK);
	assert_true(smpp_receipt_read(&arena, &pdu.message, &read));
	struct channel_receipt receipt = {
		.ticket = road->next_ticket++,
		.carrier_id = read.id,
		.from = pdu.message.source.text,
		.delivery = delivery_of(read.state),
		.stat = read.stat,
		.error = read.error,
		.done = read.done,
	};
	receipt.key_count = smpp_id_keys(read.id, receipt.keys);
	road->events->on_receipts(road->context, &road->channel, &receipt, 1);
	buf_release(&buf);
	arena_release(&arena);
}

/* --- forms of ids ------------------------------------------------------------------------------------------------------ */

enum form { DECIMAL, HEX, BIG_DECIMAL, BIG_HEX, PADDED_DECIMAL, UUID, WORDS, FORMS };
enum casing { AS_GIVEN, UPPER, LOWER, CASINGS };
enum zeros { ZEROS_AS_GIVEN, ZEROS_MORE, ZEROS_NONE, ZEROS };
enum bind { SAME_BIND, OTHER_BIND, AFTER_RECONNECT, BINDS };

struct combination {
	enum form form;
	bool other_base;
	enum casing casing;
	enum zeros zeros;
	bool before, twice;
	enum bind bind;
	struct shape shape;
	char answered[64], told[64];
};

static bool is_number(enum form form)
{
	return form < UUID;
}

static void make_ids(struct combination *c, size_t n)
{
	/* unlike each other in every form; the big ones above 2^63 */
	unsigned long long value = 100000007ull + n * 7919ull, big = 9223372036854775808ull + 1000000007ull * (n + 1);
	unsigned long long number = c->form == BIG_DECIMAL || c->form == BIG_HEX ? big : value;
	bool hex = c->form == HEX || c->form == BIG_HEX;
	const char *zeros = c->zeros == ZEROS_MORE ? "000" : "";

	if (is_number(c->form)) {
		snprintf(c->answered, sizeof c->answered, hex ? "%llx" : c->form == PADDED_DECIMAL ? "%014llu" : "%llu", number);
		if (hex && n % 2)
			for (char *p = c->answered; *p; p++)
				*p = (char)toupper((unsigned char)*p);
		if (hex != c->other_base)
			snprintf(c->told, sizeof c->told, "%s%llx", zeros, number);
		else if (c->form == PADDED_DECIMAL && c->zeros == ZEROS_AS_GIVEN)
			snprintf(c->told, sizeof c->told, "%014llu", number);
		else
			snprintf(c->told, sizeof c->told, "%s%llu", zeros, number);
	} else if (c->form == UUID) {
		snprintf(c->answered, sizeof c->answered, "550e8400-e29b-41d4-a716-%012llx", value);
		memcpy(c->told, c->answered, sizeof c->told);
	} else {
		snprintf(c->answered, sizeof c->answered, "SAR-%llu-2-1", value);
		memcpy(c->told, c->answered, sizeof c->told);
	}
	for (char *p = c->told; *p && c->casing != AS_GIVEN; p++)
		*p = (char)(c->casing == UPPER ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
}

static struct shape shape_of(size_t n)
{
	struct shape shape = { .stat = "DELIVRD" };

	shape.charset = (enum charset)(n % CHARSETS);
	shape.missing = (enum missing)(n / CHARSETS % MISSINGS);
	shape.order = (enum order)(n / CHARSETS / MISSINGS % ORDERS);
	shape.date = n / CHARSETS / MISSINGS / ORDERS % COUNT_OF(DATES);
	return shape;
}

#define SHAPES ((size_t)CHARSETS * MISSINGS * ORDERS * COUNT_OF(DATES))

/* The full product of forms, bases, cases, zeros, before and after, binds, once and twice; each with several of the text's
 * shapes, so that all shapes are met again and again. */
static size_t make_grid(struct combination *out)
{
	size_t count = 0;

	for (size_t i = 0; i < (size_t)FORMS * 2 * CASINGS * ZEROS * 2 * 2 * BINDS; i++) {
		struct combination c = { 0 };
		size_t rest = i;

		c.form = (enum form)(rest % FORMS);
		rest /= FORMS;
		c.other_base = rest % 2;
		rest /= 2;
		c.casing = (enum casing)(rest % CASINGS);
		rest /= CASINGS;
		c.zeros = (enum zeros)(rest % ZEROS);
		rest /= ZEROS;
		c.before = rest % 2;
		rest /= 2;
		c.twice = rest % 2;
		c.bind = (enum bind)(rest / 2 % BINDS);
		if (!is_number(c.form) && (c.other_base || c.zeros != ZEROS_AS_GIVEN))
			continue; /* neither base nor zeros to change */
		for (size_t t = 0; t < TEXTS && count < PEOPLE_MOST; t++) {
			out[count] = c;
			out[count].shape = shape_of(count * 131 % SHAPES); /* 131 has no factor in common with SHAPES */
			make_ids(&out[count], count);
			count++;
		}
	}
	assert_true(count < PEOPLE_MOST);
	return count;
}

/* --- the grid ----------------------------------------------------------------------------------------------------------- */

struct grid {
	struct rig rig;
	struct fake_channel other; /* the carrier's second bind */
	struct combination *combinations;
	size_t *place;             /* of each person among what was handed over */
	size_t count;
	int64_t notice;
};

static void phone_of(size_t n, char out[32])
{
	snprintf(out, 32, "1555%07zu", n + 1);
}

static void add_other_bind(struct grid *grid)
{
	struct err *err = fixture_err(grid->rig.fixture);
	struct messages_route route = { .channel = &grid->other.channel, .receipts = true, .receives_only = true };
	struct engine *engine = grid->rig.engine;

	fake_init(&grid->other, "carrier/2", CHANNEL_SMS, 100);
	assert_rc(grid->rig.fixture, OK, messages_add_route(grid->rig.house, &route, err));
	struct road *road = &engine->roads[engine->road_count - 1];

	road->id = engine->roads[0].id;
	road->carrier = engine->roads[0].carrier; /* two binds of one carrier */
	channel_start(road->channel, &road_events, road, err);
}

static void hand_over_all(struct grid *grid)
{
	for (int i = 0; i < 100 && grid->rig.sms.count < grid->count; i++)
		rig_turn(&grid->rig);
	assert_int_equal(grid->rig.sms.count, grid->count);
	for (size_t i = 0; i < grid->count; i++) {
		long long number = strtoll(grid->rig.sms.messages[i].to + 5, NULL, 10);

		assert_in_range(number, 1, grid->count);
		grid->place[number - 1] = i;
	}
}

/* Receipts of one phase: before the answers (of those that come so early), or after. */
static void deliver_all(struct grid *grid, bool before, enum bind bind)
{
	for (size_t i = 0; i < grid->count; i++) {
		const struct combination *c = &grid->combinations[i];
		char phone[32];

		/* what comes twice comes once more afterwards, wherever it came first */
		if ((before ? !c->before : c->before && !c->twice) || (c->bind == AFTER_RECONNECT) != (bind == AFTER_RECONNECT))
			continue;
		phone_of(i, phone);
		struct fake_channel *road = c->bind == OTHER_BIND ? &grid->other : &grid->rig.sms;

		if (i % 5 == 0) { /* something not final first */
			struct shape early = c->shape;

			early.stat = i % 2 ? "ENROUTE" : "BUFFERD";
			if (early.charset != TLV_ONLY)
				deliver(road, &early, c->told, phone);
		}
		deliver(road, &c->shape, c->told, phone);
		if (c->twice && !before)
			deliver(road, &c->shape, c->told, phone);
	}
	rig_turn(&grid->rig);
}

static enum rc unmatched_work(struct db_tx *tx, void *context, struct err *err)
{
	struct arena arena;
	struct get_unmatched_row row;

	arena_init(&arena);
	enum rc rc = get_unmatched(tx, &arena, &row, err);

	if (rc == OK)
		*(int64_t *)context = row.waiting;
	arena_release(&arena);
	return rc;
}

static int64_t unmatched(struct grid *grid)
{
	int64_t waiting = -1;

	rig_read(&grid->rig, unmatched_work, &waiting);
	return waiting;
}

static void tell_undelivered(struct grid *grid)
{
	size_t told = 0;

	for (size_t i = 0; i < grid->count && told < 10; i++) {
		struct get_message_row row = rig_message(&grid->rig, grid->notice, (int64_t)i + 1, CHANNEL_SMS);
		const struct combination *c = &grid->combinations[i];

		if (row.state == MESSAGE_DELIVERED)
			continue;
		print_message("%zu: state %d, answered %s, told %s, %s, bind %d, charset %d\n", i, (int)row.state, c->answered, c->told,
		              c->before ? "before" : "after", c->bind, c->shape.charset);
		told++;
	}
}

static void test_grid(void **state)
{
	struct grid grid = { .combinations = calloc(PEOPLE_MOST, sizeof *grid.combinations),
		             .place = calloc(PEOPLE_MOST, sizeof *grid.place) };
	size_t before = 0;

	grid.count = make_grid(grid.combinations);
	rig_init(&grid.rig, *state);
	grid.rig.sms.window = PEOPLE_MOST;
	add_other_bind(&grid);
	rig_people(&grid.rig, 1, (int64_t)grid.count);
	grid.notice = rig_send(&grid.rig, 1, 1, (int64_t)grid.count, SMS);
	hand_over_all(&grid);

	for (size_t i = 0; i < grid.count; i++)
		before += grid.combinations[i].before;
	deliver_all(&grid, true, SAME_BIND);
	deliver_all(&grid, true, AFTER_RECONNECT);
	assert_true(unmatched(&grid) >= (int64_t)before); /* kept, since nobody knows them yet */
	assert_int_equal(rig_count(&grid.rig, grid.notice, CHANNEL_SMS, MESSAGE_DELIVERED), 0);
	for (size_t i = 0; i < grid.count; i++)
		fake_accept(&grid.rig.sms, grid.place[i], 0, grid.combinations[i].answered);
	rig_turn(&grid.rig);
	assert_int_equal(rig_count(&grid.rig, grid.notice, CHANNEL_SMS, MESSAGE_DELIVERED), before);
	assert_int_equal(unmatched(&grid), 0);
	deliver_all(&grid, false, SAME_BIND);
	fake_cut(&grid.rig.sms);
	rig_turn(&grid.rig);
	fake_up(&grid.rig.sms);
	deliver_all(&grid, false, AFTER_RECONNECT);

	if (rig_count(&grid.rig, grid.notice, CHANNEL_SMS, MESSAGE_DELIVERED) != (int64_t)grid.count)
		tell_undelivered(&grid);
	assert_int_equal(rig_count(&grid.rig, grid.notice, CHANNEL_SMS, MESSAGE_DELIVERED), grid.count);
	assert_int_equal(unmatched(&grid), 0);
	assert_true(grid.count >= 5000);
	print_message("%zu combinations matched, %zu of them before their answer\n", grid.count, before);
	rig_check(&grid.rig);
	rig_release(&grid.rig);
	fake_release(&grid.other);
	free(grid.combinations);
	free(grid.place);
}

/* --- what it says ------------------------------------------------------------------------------------------------------- */

/* Words and TLVs, and what becomes of an accepted message: nothing that does not say so ends it. */
static void test_states(void **state)
{
	static const struct {
		const char *stat;
		unsigned tlv; /* 0 none */
		enum message_state then;
		const char *shown;
	} rows[] = {
		{ "ENROUTE", 0, MESSAGE_ACCEPTED, "ENROUTE" },   { "ACCEPTD", 0, MESSAGE_ACCEPTED, "ACCEPTD" },
		{ "BUFFRED", 0, MESSAGE_ACCEPTED, "BUFFRED" },   { "BUFFERD", 0, MESSAGE_ACCEPTED, "BUFFERD" },
		{ "ACKED", 0, MESSAGE_ACCEPTED, "ACKED" },       { "UNKNOWN", 0, MESSAGE_ACCEPTED, "UNKNOWN" },
		{ "0", 0, MESSAGE_ACCEPTED, "0" },               { "null", 0, MESSAGE_ACCEPTED, "null" },
		{ "DELIVR", 0, MESSAGE_ACCEPTED, "DELIVR" },     { "NOTDELIVRD", 0, MESSAGE_ACCEPTED, "NOTDELIVRD" },
		{ "", 9, MESSAGE_ACCEPTED, "state 9" },          { "", 77, MESSAGE_ACCEPTED, "state 77" },
		{ "FUNNY", 7, MESSAGE_ACCEPTED, "FUNNY" },       { "DELIVRD", 0, MESSAGE_DELIVERED, NULL },
		{ "delivrd", 0, MESSAGE_DELIVERED, NULL },       { "DELIVRD", 7, MESSAGE_DELIVERED, NULL },
		{ "UNDELIV", 2, MESSAGE_DELIVERED, NULL },       { "DELIVRD", 5, MESSAGE_FAILED, NULL },
		{ "DELIVRD", 1, MESSAGE_ACCEPTED, "DELIVRD" },   { "FAILED", 0, MESSAGE_FAILED, NULL },
		{ "UNDELIV", 0, MESSAGE_FAILED, NULL },          { "REJECTD", 0, MESSAGE_FAILED, NULL },
		{ "DELETED", 0, MESSAGE_FAILED, NULL },          { "EXPIRED", 0, MESSAGE_EXPIRED, NULL },
		{ "EXPIRED", 8, MESSAGE_FAILED, NULL },
	};
	const int64_t count = COUNT_OF(rows);
	struct rig rig;

	rig_init(&rig, *state);
	rig_people(&rig, 1, count);
	int64_t notice = rig_send(&rig, 1, 1, count, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.count, count);
	for (size_t i = 0; i < (size_t)count; i++) {
		char id[16], phone[32];
		size_t person = (size_t)strtoul(rig.sms.messages[i].to + 5, NULL, 10) - 1;
		struct shape shape = { .stat = rows[person].stat, .state = rows[person].tlv };

		snprintf(id, sizeof id, "S%zu", person);
		phone_of(person, phone);
		fake_accept(&rig.sms, i, 0, id);
		rig_turn(&rig);
		deliver(&rig.sms, &shape, id, phone);
	}
	rig_turn(&rig);
	for (int64_t i = 0; i < count; i++) {
		struct get_message_row row = rig_message(&rig, notice, i + 1, CHANNEL_SMS);

		assert_int_equal(row.state, rows[i].then);
		if (rows[i].shown)
			assert_true(str_equal(row.carrier_status, str_from(rows[i].shown)));
	}
	/* Those still open hear the end after all; the others had theirs, and a delivery counts even then. */
	for (size_t i = 0; i < (size_t)count; i++) {
		char id[16], phone[32];
		struct shape shape = { .stat = "DELIVRD" };

		snprintf(id, sizeof id, "S%zu", i);
		phone_of(i, phone);
		deliver(&rig.sms, &shape, id, phone);
	}
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), count);
	rig_check(&rig);
	rig_release(&rig);
}

/* An early receipt in another form waits for its own answer: not for that of another phone, and over a restart. */
static void test_early_guesses_need_the_phone(void **state)
{
	const struct shape shape = { .stat = "DELIVRD" };
	struct rig rig;
	struct grid grid = { 0 };

	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	int64_t notice = rig_send(&rig, 1, 1, 2, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.count, 2);
	size_t first = strcmp(rig.sms.messages[0].to, "+15550000001") == 0 ? 0 : 1;

	deliver(&rig.sms, &shape, "281605133", "15550000002"); /* 10C8F40D */
	rig_turn(&rig);
	fake_accept(&rig.sms, first, 0, "10C8F40D");
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_ACCEPTED);
	grid.rig = rig;
	assert_int_equal(unmatched(&grid), 1);
	deliver(&rig.sms, &shape, "0281605133", "15550000001");
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_DELIVERED);

	/* the other one's carrier renumbers: its receipt still waits, over a restart */
	rig_crash(&rig);
	rig_start(&rig);
	fake_up(&rig.sms);
	rig_turn(&rig);
	assert_int_equal(rig.sms.count, 3); /* in doubt, so sent again */
	fake_accept(&rig.sms, 2, 0, "0x10c8f40d");
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 2, CHANNEL_SMS).state, MESSAGE_DELIVERED);
	grid.rig = rig;
	assert_int_equal(unmatched(&grid), 0);
	rig_check(&rig);
	rig_release(&rig);
}

/* A carrier that gives one receipt for all parts, and one that gives each its own. */
static void test_one_receipt_for_all_parts(void **state)
{
	const struct shape shape = { .stat = "DELIVRD" };
	char text[400];
	struct rig rig;

	rig_init(&rig, *state);
	rig_people(&rig, 1, 6);
	memset(text, 'y', sizeof text);
	text[sizeof text - 1] = 0;
	record.text = text;
	for (size_t n = 0; n < 6; n++) {
		bool for_all = n < 3;
		char id[16], phone[32];

		rig.engine->roads[0].route.receipt_for_all = for_all;
		int64_t notice = rig_send(&rig, (int64_t)n + 1, (int64_t)n + 1, 1, SMS);
		rig_turn(&rig);
		assert_int_equal(rig.sms.count, n + 1);
		assert_int_equal(rig.sms.messages[n].parts, 3);
		for (uint16_t part = 0; part < 3; part++) {
			snprintf(id, sizeof id, "P%zu-%u", n, part);
			fake_accept(&rig.sms, n, part, id);
		}
		rig_turn(&rig);
		snprintf(id, sizeof id, "P%zu-%zu", n, n % 3); /* of the first, the second, the last part */
		phone_of(n, phone);
		deliver(&rig.sms, &shape, id, phone);
		rig_turn(&rig);
		assert_int_equal(rig_message(&rig, notice, (int64_t)n + 1, CHANNEL_SMS).state,
		                 for_all ? MESSAGE_DELIVERED : MESSAGE_ACCEPTED);
	}
	rig_check(&rig);
	rig_release(&rig);
	record.text = NULL;
}

/* Two processes with a bind each to one carrier: the receipt comes to the one that does not know the message, before and after
 * the answer, in the other base. */
static void test_receipts_of_another_process(void **state)
{
	const struct shape shape = { .stat = "DELIVRD" };
	struct rig rig, other;
	struct grid grid = { 0 };

	rig_init(&rig, *state);
	rig_people(&rig, 1, 2);
	memset(&other, 0, sizeof other);
	other.fixture = rig.fixture;
	memcpy(other.folder, rig.folder, sizeof other.folder);
	fake_init(&other.sms, "carrier", CHANNEL_SMS, 100);
	fake_init(&other.mail, "relay", CHANNEL_MAIL, 50);
	rig_start(&other);
	int64_t notice = rig_send(&rig, 1, 1, 2, SMS);
	rig_turn(&rig);
	assert_int_equal(rig.sms.count, 2);
	size_t first = strcmp(rig.sms.messages[0].to, "+15550000001") == 0 ? 0 : 1;

	fake_accept(&rig.sms, first, 0, "10C8F40D");
	rig_turn(&rig);
	deliver(&other.sms, &shape, "281605133", "15550000001"); /* after */
	deliver(&other.sms, &shape, "281605134", "15550000002"); /* before */
	rig_turn(&other);
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 1, CHANNEL_SMS).state, MESSAGE_DELIVERED);
	fake_accept(&rig.sms, 1 - first, 0, "10c8f40e");
	rig_turn(&rig);
	assert_int_equal(rig_message(&rig, notice, 2, CHANNEL_SMS).state, MESSAGE_DELIVERED);
	rig_turn(&other);
	grid.rig = rig;
	assert_int_equal(unmatched(&grid), 0);
	rig_check(&rig);
	rig_crash(&other);
	fake_release(&other.sms);
	fake_release(&other.mail);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_grid),
		BOTH(test_states),
		BOTH(test_early_guesses_need_the_phone),
		BOTH(test_one_receipt_for_all_parts),
		BOTH(test_receipts_of_another_process),
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
