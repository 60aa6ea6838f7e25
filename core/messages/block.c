/* Freezing an audience, and reading it back. */
#include <stdlib.h>

#include "core/messages/block.h"
#include "core/messages/counter.h"
#include "messages_sql.h"

/* One block being filled: people of one channel, text and time. */
struct group {
	int64_t channel, text_group, not_before;
	int64_t people, first_person, last_person;
	uint8_t *bytes;
	size_t size, capacity;
	struct group *next; /* in its bucket */
};

#define BUCKETS 1024
#define VARINT_MAX 10

struct freezer {
	struct arena arena;
	struct group *buckets[BUCKETS];
	struct group *recent[CHANNEL_KIND_COUNT]; /* the group used last: neighbours mostly share it */
	struct block_insert_args *blocks;
	size_t count, capacity;
	int64_t planned[CHANNEL_KIND_COUNT];
	int64_t notice_id, lane;
};

bool block_next_id(struct str ids, size_t *at, int64_t *id)
{
	uint64_t delta = 0;
	for (unsigned shift = 0; *at < ids.len && shift < 64; shift += 7) {
		uint8_t byte = (uint8_t)ids.ptr[(*at)++];
		delta |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*id += (int64_t)delta;
			return true;
		}
	}
	return false;
}

bool block_has(struct str ids, int64_t person_id)
{
	size_t at = 0;
	int64_t id = 0;
	while (block_next_id(ids, &at, &id))
		if (id >= person_id)
			return id == person_id;
	return false;
}

static void flush(struct freezer *freezer, struct group *group)
{
	if (group->people == 0)
		return;
	struct block_insert_args block = {
		.notice_id = freezer->notice_id,
		.channel = group->channel,
		.text_group = group->text_group,
		.lane = freezer->lane,
		.not_before = group->not_before,
		.people = group->people,
		.first_person = group->first_person,
		.last_person = group->last_person,
		.state = group->channel == CHANNEL_NONE ? BLOCK_CLOSED : BLOCK_FROZEN,
		.ids = { (const char *)group->bytes, group->size },
	};
	ARENA_PUSH(&freezer->arena, freezer->blocks, freezer->count, freezer->capacity, block);
	/* The bytes belong to the block now. */
	size_t capacity = group->size < 256 ? 256 : group->size + group->size / 8;
	group->bytes = arena_alloc(&freezer->arena, capacity);
	group->capacity = capacity;
	group->size = 0;
	group->people = 0;
}

static struct group *find_group(struct freezer *freezer, int64_t channel, int64_t text_group, int64_t not_before)
{
	struct group *group = freezer->recent[channel];
	if (group && group->text_group == text_group && group->not_before == not_before)
		return group;
	int64_t key[3] = { channel, text_group, not_before };
	struct group **bucket = &freezer->buckets[hash_bytes(key, sizeof key, 0) % BUCKETS];
	for (group = *bucket; group; group = group->next)
		if (group->channel == channel && group->text_group == text_group && group->not_before == not_before)
			break;
	if (!group) {
		group = ARENA_NEW(&freezer->arena, struct group);
		group->channel = channel;
		group->text_group = text_group;
		group->not_before = not_before;
		group->next = *bucket;
		*bucket = group;
	}
	freezer->recent[channel] = group;
	return group;
}

static void add_person(struct freezer *freezer, int64_t channel, const struct notice_person *person)
{
	int64_t not_before = channel == CHANNEL_NONE ? 0 : person->not_before[channel];
	struct group *group = find_group(freezer, channel, person->text_group, not_before);
	if (group->size + VARINT_MAX > group->capacity) {
		size_t capacity = group->capacity ? group->capacity * 2 : 256;
		uint8_t *bytes = arena_alloc(&freezer->arena, capacity);
		if (group->size > 0)
			memcpy(bytes, group->bytes, group->size);
		group->bytes = bytes;
		group->capacity = capacity;
	}
	if (group->people == 0)
		group->first_person = group->last_person = 0;
	uint64_t delta = (uint64_t)(person->person_id - group->last_person);
	for (; delta >= 0x80; delta >>= 7)
		group->bytes[group->size++] = (uint8_t)(delta | 0x80);
	group->bytes[group->size++] = (uint8_t)delta;
	if (group->people++ == 0)
		group->first_person = person->person_id;
	group->last_person = person->person_id;
	freezer->planned[channel]++;
	if (group->people == BLOCK_PEOPLE_MAX)
		flush(freezer, group);
}

static enum rc gather(struct freezer *freezer, const struct notice_person *people, size_t count, struct err *err)
{
	int64_t before = 0;
	for (size_t i = 0; i < count; i++) {
		if (people[i].person_id <= before)
			return err_set(err, FAILED, "an audience is sorted by person, each once");
		before = people[i].person_id;
		bool any = false;
		for (int64_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
			if (people[i].channels & CHANNEL_BIT(channel)) {
				add_person(freezer, channel, &people[i]);
				any = true;
			}
		if (!any)
			add_person(freezer, CHANNEL_NONE, &people[i]);
	}
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct group *group = freezer->buckets[i]; group; group = group->next)
			flush(freezer, group);
	return OK;
}

static enum rc check_notice(const struct notice_new *notice, struct err *err)
{
	if (notice->kind <= 0 || notice->kind >= NOTICE_KIND_COUNT || notice->event_id <= 0 ||
	    (unsigned)notice->lane >= LANE_COUNT)
		return err_set(err, FAILED, "a notice has a kind, an event and a lane");
	return OK;
}

static enum rc insert_notice(struct db_tx *tx, struct arena *arena, const struct notice_new *notice, int64_t now,
                             int64_t *id_out, struct err *err)
{
	struct notice_insert_args args = {
		.kind = notice->kind,
		.event_id = notice->event_id,
		.subject_id = notice->subject_id,
		.lane = notice->lane,
		.exercise = notice->exercise,
		.expires_at = notice->expires_at,
		.frozen_at = now,
	};
	struct notice_insert_row row;
	enum rc rc = notice_insert(tx, arena, &args, &row, err);
	if (rc == OK)
		*id_out = row.id;
	return rc;
}

static enum rc write_blocks(struct db_tx *tx, struct freezer *freezer, struct err *err)
{
	enum rc rc = OK;
	if (freezer->count > 0)
		rc = block_insert(tx, freezer->blocks, freezer->count, NULL, err);
	struct counters counters;
	counters_init(&counters, &freezer->arena);
	for (int64_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++) {
		counters_add(&counters, freezer->notice_id, channel, MESSAGE_PLANNED, freezer->planned[channel]);
		counters_add(&counters, freezer->notice_id, channel, MESSAGE_QUEUED, freezer->planned[channel]);
	}
	return rc == OK ? counters_write(tx, &counters, err) : rc;
}

enum rc notice_freeze(struct db_tx *tx, const struct notice_new *notice, const struct notice_person *people, size_t count,
                      int64_t now, int64_t *notice_id_out, struct err *err)
{
	enum rc rc = check_notice(notice, err);
	if (rc != OK)
		return rc;
	struct freezer *freezer = calloc(1, sizeof *freezer);
	if (!freezer)
		return err_set(err, FAILED, "out of memory");
	arena_init(&freezer->arena);
	freezer->lane = notice->lane;
	rc = insert_notice(tx, &freezer->arena, notice, now, &freezer->notice_id, err);
	if (rc == OK)
		rc = gather(freezer, people, count, err);
	for (size_t i = 0; rc == OK && i < freezer->count; i++)
		freezer->blocks[i].notice_id = freezer->notice_id;
	if (rc == OK)
		rc = write_blocks(tx, freezer, err);
	if (rc == OK && !notice->beside)
		rc = notice_supersede(tx, notice->kind, notice->event_id, freezer->notice_id, now, err);
	if (rc == OK)
		rc = db_change_append(tx, S("notice"), freezer->notice_id, err);
	if (rc == OK)
		*notice_id_out = freezer->notice_id;
	arena_release(&freezer->arena);
	free(freezer);
	return rc;
}

/* --- reading back -------------------------------------------------------------------------------------------- */

struct each_person {
	enum rc (*each)(void *context, int64_t person_id, int64_t text_group, unsigned channels);
	void *context;
};

static enum rc each_in_block(void *context, const struct block_each_row *row)
{
	const struct each_person *call = context;
	unsigned channels = row->channel > 0 && row->channel < CHANNEL_KIND_COUNT ? CHANNEL_BIT(row->channel) : 0;
	size_t at = 0;
	int64_t id = 0;
	while (block_next_id(row->ids, &at, &id)) {
		enum rc rc = call->each(call->context, id, row->text_group, channels);
		if (rc != OK)
			return rc;
	}
	return OK;
}

enum rc notice_each_person(struct db_tx *tx, int64_t notice_id,
                           enum rc (*each)(void *context, int64_t person_id, int64_t text_group, unsigned channels),
                           void *context, struct err *err)
{
	struct each_person call = { each, context };
	struct block_each_args args = { .notice_id = notice_id };
	return block_each(tx, &args, each_in_block, &call, err);
}

enum rc notice_each_deferred(struct db_tx *tx, int64_t notice_id, int64_t now,
                             enum rc (*each)(void *context, int64_t person_id, int64_t text_group, unsigned channels),
                             void *context, struct err *err)
{
	struct each_person call = { each, context };
	struct block_each_deferred_args args = { .notice_id = notice_id, .now = now };
	return block_each_deferred(tx, &args, each_in_block, &call, err);
}

static enum rc find_in_blocks(struct db_tx *tx, struct arena *arena, int64_t notice_id, int64_t person_id, bool *found,
                              unsigned *channels, int64_t *text_group, struct err *err)
{
	struct block_list_person_args args = { .notice_id = notice_id, .person_id = person_id };
	struct block_list_person_row *rows;
	size_t count;
	enum rc rc = block_list_person(tx, arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (!block_has(rows[i].ids, person_id))
			continue;
		*found = true;
		*text_group = rows[i].text_group;
		if (rows[i].channel > 0 && rows[i].channel < CHANNEL_KIND_COUNT)
			*channels |= CHANNEL_BIT(rows[i].channel);
	}
	return rc;
}

enum rc notice_find_frozen(struct db_tx *tx, int64_t notice_id, int64_t person_id, int64_t not_before[CHANNEL_KIND_COUNT], struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct block_list_person_args args = { .notice_id = notice_id, .person_id = person_id };
	struct block_list_person_row *rows;
	size_t count;
	enum rc rc = block_list_person(tx, &arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < CHANNEL_KIND_COUNT; i++)
		not_before[i] = -1;
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].state == BLOCK_FROZEN && rows[i].channel > 0 && rows[i].channel < CHANNEL_KIND_COUNT && block_has(rows[i].ids, person_id))
			not_before[rows[i].channel] = rows[i].not_before;
	arena_release(&arena);
	return rc;
}

enum rc notice_find_person(struct db_tx *tx, int64_t notice_id, int64_t person_id, unsigned *channels_out,
                           int64_t *text_group_out, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	bool found = false;
	unsigned channels = 0;
	int64_t text_group = 0;
	enum rc rc = find_in_blocks(tx, &arena, notice_id, person_id, &found, &channels, &text_group, err);
	struct message_list_notice_person_args args = { .notice_id = notice_id, .person_id = person_id };
	struct message_list_notice_person_row *rows = NULL;
	size_t count = 0;
	if (rc == OK)
		rc = message_list_notice_person(tx, &arena, &args, &rows, &count, err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		found = true;
		text_group = rows[i].text_group;
		channels |= CHANNEL_BIT(rows[i].channel);
	}
	arena_release(&arena);
	if (rc == OK && !found)
		return err_set(err, NOT_FOUND, "person %lld is not in notice %lld", (long long)person_id, (long long)notice_id);
	if (rc == OK) {
		*channels_out = channels;
		*text_group_out = text_group;
	}
	return rc;
}
