/* Names near to a misspelt one: all keys of about the same length are compared, most of them by their letters alone. */
#include "core/places/places_internal.h"

static uint64_t letter_bit(uint32_t code)
{
	return UINT64_C(1) << (code * 0x9E3779B1u >> 26);
}

static enum rc read_group(struct places *places, struct fuzzy_group *group, size_t length, struct str keys,
                          struct err *err)
{
	group->length = length;
	group->keys = str_copy(&places->arena, keys).ptr;
	group->count = 1;
	for (size_t i = 0; i < keys.len; i++)
		group->count += keys.ptr[i] == '\n';
	group->starts = ARENA_NEW_ARRAY(&places->arena, uint32_t, group->count + 1);
	group->letters = ARENA_NEW_ARRAY(&places->arena, uint64_t, group->count);
	size_t index = 0, points = 0;
	for (size_t at = 0; at < keys.len;) {
		uint32_t code = utf8_next(keys, &at);
		if (code != '\n') {
			group->letters[index] |= letter_bit(code);
			points++;
			continue;
		}
		if (points != length)
			return err_set(err, FAILED, "gazetteer: fuzzy keys of length %zu are broken", length);
		points = 0;
		group->starts[++index] = (uint32_t)at;
	}
	group->starts[group->count] = (uint32_t)keys.len + 1; /* as if a line feed followed the last */
	return OK;
}

enum rc places_load_fuzzy(struct places *places, sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc = places_prepare(db, "SELECT length, keys FROM fuzzy ORDER BY length", &statement, err);
	places->fuzzy = ARENA_NEW_ARRAY(&places->arena, struct fuzzy_group, PLACE_DISTANCE_MAX);
	while (rc == OK && sqlite3_step(statement) == SQLITE_ROW) {
		int64_t length = sqlite3_column_int64(statement, 0);
		if (length < 1 || length > PLACE_DISTANCE_MAX || places->fuzzy_count == PLACE_DISTANCE_MAX)
			rc = err_set(err, FAILED, "gazetteer: fuzzy keys of length %lld", (long long)length);
		else
			rc = read_group(places, &places->fuzzy[places->fuzzy_count++], (size_t)length,
			                places_column(statement, 1), err);
	}
	sqlite3_finalize(statement);
	return rc;
}

struct near_list {
	struct str *found;
	size_t distances[64];
	size_t count, room;
};

/* Keeps the list sorted by distance; among equals the one found first, that is the most populous of its length. */
static void keep(struct near_list *list, struct str key, size_t distance)
{
	if (list->count == list->room) {
		if (distance >= list->distances[list->count - 1])
			return;
		list->count--;
	}
	size_t at = list->count++;
	for (; at > 0 && list->distances[at - 1] > distance; at--) {
		list->distances[at] = list->distances[at - 1];
		list->found[at] = list->found[at - 1];
	}
	list->distances[at] = distance;
	list->found[at] = key;
}

static void look_in_group(const struct fuzzy_group *group, const uint32_t *query, size_t count, uint64_t letters,
                          size_t most, struct near_list *list)
{
	for (size_t i = 0; i < group->count; i++) {
		/* One edit changes at most two of the letters that stand in one name and not in the other. */
		if ((size_t)__builtin_popcountll(letters ^ group->letters[i]) > 2 * most)
			continue;
		struct str key = { group->keys + group->starts[i], group->starts[i + 1] - group->starts[i] - 1 };
		uint32_t points[PLACE_DISTANCE_MAX];
		size_t length = place_code_points(key, points, PLACE_DISTANCE_MAX);
		size_t distance = place_distance(query, count, points, length, most);
		if (distance > 0 && distance <= most)
			keep(list, key, distance);
	}
}

size_t places_fuzzy(const struct places *places, struct str key, struct str *out, size_t room)
{
	uint32_t query[PLACE_DISTANCE_MAX];
	size_t count = place_code_points(key, query, PLACE_DISTANCE_MAX);
	if (count < 4 || count > PLACE_DISTANCE_MAX || room == 0)
		return 0;
	size_t most = count <= 5 ? 1 : 2; /* of four letters two would make any other name */
	uint64_t letters = 0;
	for (size_t i = 0; i < count; i++)
		letters |= letter_bit(query[i]);
	struct near_list list = { .found = out,
		                  .room = room < COUNT_OF(list.distances) ? room : COUNT_OF(list.distances) };
	for (size_t i = 0; i < places->fuzzy_count; i++) {
		size_t length = places->fuzzy[i].length;
		if (length + most >= count && length <= count + most)
			look_in_group(&places->fuzzy[i], query, count, letters, most, &list);
	}
	return list.count;
}
