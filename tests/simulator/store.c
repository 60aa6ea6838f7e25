/* What arrived: counts for everything, bodies for the last ones. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "tests/simulator/simulator.h"

/* An open-addressing table of 64-bit hashes with a number each; 0 is the empty key. */
struct table {
	uint64_t *keys;
	uint32_t *values;
	size_t capacity, count;
};

struct store {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t keep;
	struct store_message *ring; /* [sequence % keep]; all texts of one are one heap block, at box.ptr */
	uint64_t sequence;
	struct arena names;
	struct store_box *boxes[BOX_KINDS];
	size_t box_count[BOX_KINDS], box_room[BOX_KINDS];
	struct table box_of;  /* hash of kind and address -> index */
	struct table marks;   /* hash of kind, address and mark */
	uint64_t seed;
	struct store_counts counts;
	_Atomic uint64_t counters[COUNTERS];
};

static void *checked(void *memory)
{
	if (!memory) {
		log_error("out_of_memory");
		exit(3);
	}
	return memory;
}

static uint32_t *table_slot(struct table *t, uint64_t key, bool *found)
{
	size_t at = (size_t)key & (t->capacity - 1);
	while (t->keys[at] && t->keys[at] != key)
		at = (at + 1) & (t->capacity - 1);
	*found = t->keys[at] == key;
	t->keys[at] = key;
	return &t->values[at];
}

static void table_grow(struct table *t)
{
	struct table bigger = { .capacity = t->capacity ? t->capacity * 2 : 1024, .count = t->count };
	bigger.keys = checked(calloc(bigger.capacity, sizeof *bigger.keys));
	bigger.values = checked(calloc(bigger.capacity, sizeof *bigger.values));
	for (size_t i = 0; i < t->capacity; i++) {
		bool found;
		if (t->keys[i])
			*table_slot(&bigger, t->keys[i], &found) = t->values[i];
	}
	free(t->keys);
	free(t->values);
	*t = bigger;
}

/* The value of a key; *found says whether it was there before. */
static uint32_t *table_add(struct table *t, uint64_t key, bool *found)
{
	if (t->count * 10 >= t->capacity * 7)
		table_grow(t);
	uint32_t *value = table_slot(t, key ? key : 1, found);
	if (!*found)
		t->count++;
	return value;
}

static void table_release(struct table *t)
{
	free(t->keys);
	free(t->values);
	*t = (struct table){ 0 };
}

struct store *store_new(size_t keep)
{
	struct store *s = checked(calloc(1, sizeof *s));
	s->keep = keep;
	s->ring = checked(calloc(keep, sizeof *s->ring));
	s->seed = rand_u64();
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	arena_init(&s->names);
	return s;
}

static void forget(struct store_message *m)
{
	free((void *)(uintptr_t)m->box.ptr);
	*m = (struct store_message){ 0 };
}

static void release_content(struct store *s)
{
	for (size_t i = 0; i < s->keep; i++)
		forget(&s->ring[i]);
	for (size_t k = 0; k < BOX_KINDS; k++) {
		free(s->boxes[k]);
		s->boxes[k] = NULL;
		s->box_count[k] = s->box_room[k] = 0;
	}
	table_release(&s->box_of);
	table_release(&s->marks);
	arena_release(&s->names);
	arena_init(&s->names);
}

void store_free(struct store *s)
{
	if (!s)
		return;
	release_content(s);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s->ring);
	free(s);
}

void store_clear(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	release_content(s);
	s->counts = (struct store_counts){ 0 };
	for (size_t i = 0; i < COUNTERS; i++)
		atomic_store(&s->counters[i], 0);
	pthread_mutex_unlock(&s->lock);
}

/* --- marks ------------------------------------------------------------------------------------------------ */

/* The value of a header field of a mail, unfolded enough for an id. */
static struct str header_value(struct str mail, struct str name)
{
	while (mail.len > 0 && mail.ptr[0] != '\r' && mail.ptr[0] != '\n') {
		struct str line, rest;
		str_cut(mail, '\n', &line, &rest);
		if (line.len > name.len && str_equal_nocase(str_slice(line, 0, name.len), name)) {
			struct str value = str_trim(str_slice(line, name.len, line.len));
			/* A long id stands on the folded next line. */
			if (value.len == 0 && rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t'))
				str_cut(rest, '\n', &value, &rest);
			return str_trim(value);
		}
		mail = rest;
	}
	return S("");
}

static struct str mark_of(const struct store_message *m)
{
	struct str mark = S("");
	if (m->kind == BOX_MAILBOX)
		mark = header_value(m->body, S("Message-ID:"));
	else {
		size_t at = str_find(m->body, S("#"), 0);
		size_t end = at == SIZE_MAX ? 0 : at + 1;
		while (end > 0 && end < m->body.len &&
		       ((m->body.ptr[end] >= '0' && m->body.ptr[end] <= '9') || ((m->body.ptr[end] | 0x20) >= 'a' && (m->body.ptr[end] | 0x20) <= 'z')))
			end++;
		if (end > at + 1 && at != SIZE_MAX)
			mark = str_slice(m->body, at, end);
	}
	return mark.len ? mark : m->body;
}

/* --- adding ----------------------------------------------------------------------------------------------- */

static struct store_box *box_of(struct store *s, enum box_kind kind, struct str address)
{
	bool found;
	uint32_t *index = table_add(&s->box_of, hash_bytes(address.ptr, address.len, s->seed + kind), &found);
	if (found)
		return &s->boxes[kind][*index];
	if (s->box_count[kind] == s->box_room[kind]) {
		s->box_room[kind] = s->box_room[kind] ? s->box_room[kind] * 2 : 256;
		s->boxes[kind] = checked(realloc(s->boxes[kind], s->box_room[kind] * sizeof *s->boxes[kind]));
	}
	*index = (uint32_t)s->box_count[kind]++;
	s->counts.boxes[kind]++;
	s->boxes[kind][*index] = (struct store_box){ .address = str_copy(&s->names, address) };
	return &s->boxes[kind][*index];
}

static void keep_message(struct store *s, const struct store_message *m)
{
	struct store_message *kept = &s->ring[s->sequence % s->keep];
	forget(kept);
	char *text = checked(malloc(m->box.len + m->other.len + m->body.len + 1));
	*kept = *m;
	kept->sequence = s->sequence;
	const struct str *from[] = { &m->box, &m->other, &m->body };
	struct str *to[] = { &kept->box, &kept->other, &kept->body };
	char *at = text;
	for (size_t i = 0; i < 3; i++) {
		*to[i] = (struct str){ at, from[i]->len };
		if (from[i]->len)
			memcpy(at, from[i]->ptr, from[i]->len);
		at += from[i]->len;
	}
}

uint64_t store_add(struct store *s, const struct store_message *m)
{
	pthread_mutex_lock(&s->lock);
	struct store_box *box = box_of(s, m->kind, m->box);
	uint64_t sequence = ++s->sequence;
	box->last = sequence;
	if (m->sent) {
		s->counts.sent[m->kind]++;
	} else {
		struct str mark = mark_of(m);
		bool found;
		table_add(&s->marks, hash_bytes(mark.ptr, mark.len, hash_bytes(m->box.ptr, m->box.len, s->seed + m->kind)), &found);
		box->received++;
		s->counts.received[m->kind]++;
		if (found) {
			box->doubled++;
			s->counts.doubled[m->kind]++;
		}
	}
	keep_message(s, m);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return sequence;
}

/* --- asking ----------------------------------------------------------------------------------------------- */

static struct store_message copy_message(struct arena *arena, const struct store_message *m)
{
	struct store_message copy = *m;
	copy.box = str_copy(arena, m->box);
	copy.other = str_copy(arena, m->other);
	copy.body = str_copy(arena, m->body);
	return copy;
}

size_t store_list(struct store *s, struct arena *arena, enum box_kind kind, struct str address, uint64_t before, size_t most,
                  struct store_message **out)
{
	size_t count = 0, room = 0;
	*out = NULL;
	pthread_mutex_lock(&s->lock);
	uint64_t last = before && before <= s->sequence ? before - 1 : s->sequence;
	for (uint64_t i = 0; i < s->keep && i < last && count < most; i++) {
		const struct store_message *m = &s->ring[(last - i) % s->keep];
		if (m->sequence != last - i || (kind != BOX_KINDS && m->kind != kind) || (address.len && !str_equal(m->box, address)))
			continue;
		struct store_message copy = copy_message(arena, m);
		ARENA_PUSH(arena, *out, count, room, copy);
	}
	pthread_mutex_unlock(&s->lock);
	return count;
}

bool store_find(struct store *s, struct arena *arena, uint64_t sequence, struct store_message *out)
{
	pthread_mutex_lock(&s->lock);
	const struct store_message *m = &s->ring[sequence % s->keep];
	bool found = sequence > 0 && m->sequence == sequence;
	if (found)
		*out = copy_message(arena, m);
	pthread_mutex_unlock(&s->lock);
	return found;
}

size_t store_boxes(struct store *s, struct arena *arena, enum box_kind kind, struct store_box **out)
{
	pthread_mutex_lock(&s->lock);
	size_t count = s->box_count[kind];
	*out = ARENA_NEW_ARRAY(arena, struct store_box, count ? count : 1);
	for (size_t i = 0; i < count; i++) {
		(*out)[i] = s->boxes[kind][i];
		(*out)[i].address = str_copy(arena, s->boxes[kind][i].address);
	}
	pthread_mutex_unlock(&s->lock);
	return count;
}

bool store_box(struct store *s, enum box_kind kind, struct str address, struct store_box *out)
{
	bool found = false;
	pthread_mutex_lock(&s->lock);
	if (s->box_of.capacity) {
		struct table *t = &s->box_of;
		uint64_t key = hash_bytes(address.ptr, address.len, s->seed + kind);
		size_t at = (size_t)(key ? key : 1) & (t->capacity - 1);
		while (t->keys[at] && t->keys[at] != (key ? key : 1))
			at = (at + 1) & (t->capacity - 1);
		found = t->keys[at] != 0;
		if (found)
			*out = s->boxes[kind][t->values[at]];
		if (found)
			out->address = address;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

void store_counts(struct store *s, struct store_counts *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->counts;
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < COUNTERS; i++)
		out->of[i] = atomic_load(&s->counters[i]);
}

void store_bump(struct store *s, enum counter counter, uint64_t by)
{
	atomic_fetch_add(&s->counters[counter], by);
}

const char *store_counter_name(enum counter counter)
{
	static const char *const NAMES[COUNTERS] = {
		"connections", "binds", "enquiries", "submits", "accepted", "throttled", "rejected", "unanswered", "cut", "stalls", "strange_receipts",
		"receipts_sent", "receipts_acknowledged", "receipts_refused", "incoming_sent", "incoming_acknowledged",
		"incoming_refused", "mail_connections", "mail_accepted", "mail_refused", "mail_cut",
	};
	return NAMES[counter];
}

bool store_wait(struct store *s, enum box_kind kind, uint64_t count, int64_t timeout)
{
	int64_t until = clock_monotonic() + timeout;
	struct timespec at = { .tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND * 1000 };
	int code = 0;
	pthread_mutex_lock(&s->lock);
	while (s->counts.received[kind] < count && code == 0)
		code = pthread_cond_timedwait(&s->changed, &s->lock, &at);
	bool enough = s->counts.received[kind] >= count;
	pthread_mutex_unlock(&s->lock);
	return enough;
}
