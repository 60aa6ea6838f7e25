/* Sessions of officers: reference tokens, only their hash is stored; a small cache in memory that the change sequence empties. */
#include <pthread.h>
#include <sodium.h>

#include "base/base.h"
#include "kernel/access/access_private.h"

#define SESSION_CACHE_MAX 512 /* officers at work at one time; beyond, the store is asked */

struct session_entry {
	char token_hash[65];
	struct session_find_row row; /* its texts point into the arena below */
	int64_t loaded_at;
};

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static struct session_entry cache[SESSION_CACHE_MAX];
static size_t cache_count;
static struct arena cache_arena;
static int64_t cache_change; /* the store's change number the cache was filled under */

static struct str
token_hash(struct arena *arena, struct str token)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)token.ptr, token.len);
	return str_hex(arena, hash, sizeof hash);
}

static void
cache_empty(void)
{
	cache_count = 0;
	arena_release(&cache_arena);
	arena_init(&cache_arena);
}

void
session_forget(void)
{
	pthread_mutex_lock(&cache_lock);
	cache_empty();
	pthread_mutex_unlock(&cache_lock);
}

void
session_cache_release(void)
{
	session_forget();
}

static struct session_find_row
row_copy(struct arena *arena, const struct session_find_row *row)
{
	struct session_find_row copy = *row;

	copy.public_id = str_copy(arena, row->public_id);
	copy.name = str_copy(arena, row->name);
	copy.language = str_copy(arena, row->language);
	copy.zone = str_copy(arena, row->zone);
	return copy;
}

/* Ended sessions and disabled officers bump the change sequence, also from other processes: the cache is then empty again. */
static bool
cache_find(struct db *db, struct arena *arena, struct str hash, struct session_find_row *out)
{
	bool found = false;
	const int64_t change = db_change_wait(db, -1, 0);

	pthread_mutex_lock(&cache_lock);
	if (change != cache_change) {
		cache_empty();
		cache_change = change;
	}
	for (size_t i = 0; i < cache_count && !found; i++) {
		if (memcmp(cache[i].token_hash, hash.ptr, 64) == 0) {
			*out = row_copy(arena, &cache[i].row);
			found = true;
		}
	}
	pthread_mutex_unlock(&cache_lock);
	return found;
}

static void
cache_put(struct str hash, const struct session_find_row *row)
{
	pthread_mutex_lock(&cache_lock);
	if (cache_count == SESSION_CACHE_MAX)
		cache_empty();
	struct session_entry *entry = &cache[cache_count++];
	memcpy(entry->token_hash, hash.ptr, 64);
	entry->token_hash[64] = 0;
	entry->row = row_copy(&cache_arena, row);
	pthread_mutex_unlock(&cache_lock);
}

struct find_work {
	struct arena *arena;
	struct str hash;
	struct session_find_row row;
};

static enum rc
find_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct find_work *work = context;

	return session_find(tx, work->arena, &(struct session_find_args){ .token_hash = work->hash }, &work->row, err);
}

struct seen_work {
	int64_t session_id, now;
};

static enum rc
seen_in_store(struct db_tx *tx, void *context, struct err *err)
{
	const struct seen_work *work = context;

	return session_seen(tx, &(struct session_seen_args){ .seen_at = work->now, .session_id = work->session_id }, NULL, err);
}

static enum rc
end_in_store(struct db_tx *tx, void *context, struct err *err)
{
	const struct seen_work *work = context;

	enum rc rc = session_end(tx, &(struct session_end_args){ .ended_at = work->now, .session_id = work->session_id }, NULL, err);
	return rc == OK ? db_change_append(tx, S("session"), work->session_id, err) : rc;
}

static bool
session_alive(struct house *house, const struct session_find_row *row, int64_t now)
{
	return now - row->seen_at <= setting_int(house, "access.session_idle_minutes") * CLOCK_MINUTE + SESSION_SEEN_EVERY &&
	       now - row->created_at <= setting_int(house, "access.session_most_hours") * CLOCK_HOUR;
}

/* Reads the row of the request's cookie; false if there is no living session. */
static bool
session_of(struct request *request, struct session_find_row *row_out)
{
	struct house *house = request->house;
	const struct str token = request_cookie(request, SESSION_COOKIE);
	struct err err;

	if (token.len != SESSION_TOKEN_SIZE * 2)
		return false;
	struct find_work work = { .arena = request->arena, .hash = token_hash(request->arena, token) };
	if (!cache_find(house->db, request->arena, work.hash, &work.row)) {
		err_init(&err, request->arena);
		if (db_read(house->db, find_in_store, &work, &err) != OK)
			return false;
		cache_put(work.hash, &work.row);
	}
	if (!session_alive(house, &work.row, request->now))
		return false;
	*row_out = work.row;
	return true;
}

const struct officer *
access_identify(struct request *request)
{
	struct session_find_row row;

	if (!session_of(request, &row))
		return NULL;
	if (request->now - row.seen_at > SESSION_SEEN_EVERY) {
		struct seen_work work = { .session_id = row.id, .now = request->now };
		struct err err;
		err_init(&err, request->arena);
		if (db_write(request->house->db, DB_LANE_BULK, seen_in_store, &work, &err) != OK)
			log_warn("session.seen", LOGS("detail", err.detail));
		session_forget();
	}
	struct officer *officer = ARENA_NEW(request->arena, struct officer);
	*officer = (struct officer){
		.id = row.officer_id,
		.public_id = row.public_id,
		.name = row.name,
		.permission = (enum permission)row.permission,
		.language = row.language,
		.zone = row.zone,
		.session_id = row.id,
		.stepped_up_at = row.stepped_up_at,
	};
	return officer;
}

struct begin_work {
	struct arena *arena;
	struct str hash;
	int64_t officer_id, old_session, now;
};

static enum rc
begin_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct begin_work *work = context;
	struct session_insert_row row;
	enum rc rc = OK;

	if (work->old_session)
		rc = session_end(tx, &(struct session_end_args){ .ended_at = work->now, .session_id = work->old_session }, NULL, err);
	if (rc == OK)
		rc = session_insert(tx, work->arena,
		                    &(struct session_insert_args){ .token_hash = work->hash, .officer_id = work->officer_id, .created_at = work->now },
		                    &row, err);
	return rc == OK ? db_change_append(tx, S("session"), row.id, err) : rc;
}

enum rc
session_begin(struct request *request, struct response *response, int64_t officer_id, struct err *err)
{
	uint8_t bytes[SESSION_TOKEN_SIZE];
	struct session_find_row old = { .id = 0 };

	rand_bytes(bytes, sizeof bytes);
	const struct str token = str_hex(request->arena, bytes, sizeof bytes);
	struct begin_work work = {
		.arena = request->arena,
		.hash = token_hash(request->arena, token),
		.officer_id = officer_id,
		.old_session = session_of(request, &old) ? old.id : 0,
		.now = request->now,
	};
	enum rc rc = db_write(request->house->db, DB_LANE_PERSON, begin_in_store, &work, err);
	if (rc == OK)
		response_cookie(request, response, SESSION_COOKIE, token, -1);
	return rc;
}

enum rc
session_finish(struct request *request, struct response *response, struct err *err)
{
	struct session_find_row row;
	enum rc rc = OK;

	if (session_of(request, &row)) {
		struct seen_work work = { .session_id = row.id, .now = request->now };
		rc = db_write(request->house->db, DB_LANE_PERSON, end_in_store, &work, err);
		session_forget();
	}
	if (rc == OK) {
		response_cookie(request, response, SESSION_COOKIE, S(""), 0);
		response_header(response, "Clear-Site-Data", S("\"cache\", \"cookies\", \"storage\""));
	}
	return rc;
}
