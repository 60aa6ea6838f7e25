/* Opening and closing, connections, and places by id. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/places/places_internal.h"

#define GAZETTEER "gazetteer.db"
#define OUTLINES "outlines.db"
#define FORMAT "1" /* of both files; the tools that make them write it */
#define INSTALLED_FOLDER "/usr/share/chancery"

#define PLACE_COLUMNS                                                                                                  \
	"SELECT p.rank, p.id, p.name, p.ascii, p.other, p.keys, p.country, a.name, z.name, p.lat, p.lon, "             \
	"p.population "                                                                                                \
	"FROM place p JOIN zone z ON z.id = p.zone LEFT JOIN admin a ON a.id = p.admin "

static const char *const statements[STATEMENT_COUNT] = {
	[STATEMENT_PLACE] = PLACE_COLUMNS "WHERE p.rank = ?",
	[STATEMENT_PLACE_ID] = PLACE_COLUMNS "WHERE p.id = ?",
	[STATEMENT_EXACT] = "SELECT rank FROM name WHERE key = ? ORDER BY rank LIMIT ?",
	[STATEMENT_EXACT_IN] = ("SELECT rank FROM name JOIN place USING (rank) WHERE key = ? AND country = ?3 "
	                        "ORDER BY rank LIMIT ?2"),
	[STATEMENT_WORDS] = "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid LIMIT ?",
};

enum rc places_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement_out, struct err *err)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement_out, NULL) != SQLITE_OK)
		return err_set(err, FAILED, "gazetteer: %s", sqlite3_errmsg(db));
	return OK;
}

struct str places_column(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	return (struct str){ text != NULL ? text : "", (size_t)sqlite3_column_bytes(statement, column) };
}

/* ---- connections ---- */

static void release_connection(struct places_connection *connection)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(connection->statements[i]);
	sqlite3_close(connection->db);
	if (connection->latin != NULL)
		utrans_close(connection->latin);
	*connection = (struct places_connection){ 0 };
}

/* immutable: the file does not change under us, so no locks are taken and no journal is looked for. */
static enum rc open_file(const char *path, sqlite3 **db_out, struct err *err)
{
	struct arena arena;
	arena_init(&arena);
	struct buf uri;
	buf_init(&uri);
	buf_add_str(&uri, S("file:"));
	for (const char *c = path; *c != '\0'; c++) {
		if (*c == '?' || *c == '#' || *c == '%')
			buf_format(&uri, "%%%02x", (unsigned)*c);
		else
			buf_add_char(&uri, *c);
	}
	buf_add_str(&uri, S("?immutable=1"));
	sqlite3 *db = NULL;
	enum rc rc = OK;
	if (sqlite3_open_v2(str_c(&arena, buf_str(&uri)), &db,
	                    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		rc = err_set(err, FAILED, "%s: %s", path, db != NULL ? sqlite3_errmsg(db) : "out of memory");
		sqlite3_close(db);
	} else {
		*db_out = db;
	}
	buf_release(&uri);
	arena_release(&arena);
	return rc;
}

static enum rc open_connection(const char *path, struct places_connection *connection, struct err *err)
{
	enum rc rc = open_file(path, &connection->db, err);
	for (size_t i = 0; rc == OK && i < STATEMENT_COUNT; i++)
		rc = places_prepare(connection->db, statements[i], &connection->statements[i], err);
	return rc;
}

struct places_connection *places_take(struct places *places)
{
	struct places_connection *connection = NULL;
	pthread_mutex_lock(&places->lock);
	while (connection == NULL) {
		for (size_t i = 0; i < PLACES_CONNECTIONS && connection == NULL; i++)
			if (!places->connections[i].busy)
				connection = &places->connections[i];
		if (connection == NULL)
			pthread_cond_wait(&places->returned, &places->lock);
	}
	connection->busy = true;
	pthread_mutex_unlock(&places->lock);
	return connection;
}

void places_return(struct places *places, struct places_connection *connection)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_reset(connection->statements[i]);
	pthread_mutex_lock(&places->lock);
	connection->busy = false;
	pthread_cond_signal(&places->returned);
	pthread_mutex_unlock(&places->lock);
}

/* ---- opening ---- */

static enum rc read_meta(struct places *places, sqlite3 *db, const char *path, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc = places_prepare(db, "SELECT key, value FROM meta", &statement, err);
	bool format = false;
	int step = SQLITE_DONE;
	while (rc == OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct str key = places_column(statement, 0), value = places_column(statement, 1);
		if (str_equal(key, S("attribution")))
			places->attribution = str_copy(&places->arena, value);
		else if (str_equal(key, S("format")))
			format = str_equal(value, S(FORMAT));
	}
	if (rc == OK && (step != SQLITE_DONE || !format))
		rc = err_set(err, FAILED, "%s is not of this program's format: build it again", path);
	sqlite3_finalize(statement);
	return rc;
}

static enum rc load_zones(struct places *places, sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum rc rc = places_prepare(db, "SELECT id, name, (SELECT max(id) FROM zone) FROM zone ORDER BY id", &statement,
	                            err);
	while (rc == OK && sqlite3_step(statement) == SQLITE_ROW) {
		if (places->zones == NULL) {
			places->zone_count = (size_t)sqlite3_column_int64(statement, 2);
			places->zones = ARENA_NEW_ARRAY(&places->arena, struct str, places->zone_count + 1);
		}
		places->zones[sqlite3_column_int64(statement, 0)] =
			str_copy(&places->arena, places_column(statement, 1));
	}
	if (rc == OK && places->zones == NULL)
		rc = err_set(err, FAILED, "gazetteer: no time zones");
	sqlite3_finalize(statement);
	return rc;
}

/* The folder in which the files stand, "" if none has them. */
static struct str find_folder(struct arena *arena)
{
	const char *set = getenv("CHANCERY_DATA_FILES");
	if (set != NULL && set[0] != '\0')
		return str_from(set);
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof program);
	while (length > 0 && program[length - 1] != '/')
		length--;
	if (length > 0) {
		struct str folder = str_copy(arena, (struct str){ program, (size_t)length - 1 });
		if (access(str_format(arena, "%.*s/" GAZETTEER, STR_ARG(folder)).ptr, R_OK) == 0)
			return folder;
	}
	return S(INSTALLED_FOLDER);
}

static enum rc load(struct places *places, const char *folder, const char *overrides, struct err *err)
{
	struct str where = folder[0] != '\0' ? str_from(folder) : find_folder(&places->arena);
	struct str gazetteer = str_format(&places->arena, "%.*s/" GAZETTEER, STR_ARG(where));
	struct str outlines = str_format(&places->arena, "%.*s/" OUTLINES, STR_ARG(where));
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < PLACES_CONNECTIONS; i++)
		rc = open_connection(gazetteer.ptr, &places->connections[i], err);
	if (rc != OK)
		return rc;
	sqlite3 *db = places->connections[0].db;
	if ((rc = read_meta(places, db, gazetteer.ptr, err)) != OK || (rc = load_zones(places, db, err)) != OK ||
	    (rc = places_load_nearest(places, db, err)) != OK || (rc = places_load_fuzzy(places, db, err)) != OK ||
	    (rc = places_load_countries(places, db, err)) != OK)
		return rc;
	sqlite3 *outline_db = NULL;
	if ((rc = open_file(outlines.ptr, &outline_db, err)) != OK)
		return rc;
	rc = read_meta(places, outline_db, outlines.ptr, err);
	if (rc == OK)
		rc = places_load_outlines(places, outline_db, overrides, err);
	sqlite3_close(outline_db);
	return rc;
}

enum rc places_open(const char *folder, const char *overrides, struct places **places_out, struct err *err)
{
	struct places *places = calloc(1, sizeof *places);
	if (places == NULL)
		return err_set(err, FAILED, "out of memory");
	arena_init(&places->arena);
	pthread_mutex_init(&places->lock, NULL);
	pthread_cond_init(&places->returned, NULL);
	enum rc rc = load(places, folder, overrides, err);
	if (rc != OK) {
		places_close(places);
		return rc;
	}
	*places_out = places;
	return OK;
}

void places_close(struct places *places)
{
	if (places == NULL)
		return;
	for (size_t i = 0; i < PLACES_CONNECTIONS; i++)
		release_connection(&places->connections[i]);
	for (size_t i = 0; i < places->language_count; i++)
		if (places->languages[i].letters != NULL)
			uset_close(places->languages[i].letters);
	places_release_outlines(places);
	pthread_cond_destroy(&places->returned);
	pthread_mutex_destroy(&places->lock);
	arena_release(&places->arena);
	free(places);
}

struct str places_attribution(const struct places *places)
{
	return places->attribution;
}

/* ---- places ---- */

void places_read_row(struct places *places, struct places_connection *connection, struct arena *arena,
                     sqlite3_stmt *row, const char *language, struct str query_key, struct place *place,
                     struct str *keys_out)
{
	struct str zone = str_copy(arena, places_column(row, 8));
	*place = (struct place){
		.id = sqlite3_column_int64(row, 1),
		.usual_name = str_copy(arena, places_column(row, 2)),
		.admin = str_copy(arena, places_column(row, 7)),
		.zone = zone,
		.lat = (double)sqlite3_column_int64(row, 9) / 100000.0,
		.lon = (double)sqlite3_column_int64(row, 10) / 100000.0,
		.population = sqlite3_column_int64(row, 11),
	};
	struct str country = places_column(row, 6);
	memcpy(place->country, country.ptr, country.len < 2 ? country.len : 2);
	struct str local = places_local_name(places, connection, arena, places_column(row, 4), places_column(row, 3),
	                                     zone, language, query_key);
	place->name = str_is_none(local) ? place->usual_name : local;
	if (keys_out != NULL)
		*keys_out = str_copy(arena, places_column(row, 5));
}

enum rc place_find(struct places *places, struct arena *arena, int64_t id, const char *language,
                   struct place *place_out, struct err *err)
{
	struct places_connection *connection = places_take(places);
	sqlite3_stmt *statement = connection->statements[STATEMENT_PLACE_ID];
	sqlite3_bind_int64(statement, 1, id);
	int step = sqlite3_step(statement);
	enum rc rc = OK;
	if (step == SQLITE_ROW)
		places_read_row(places, connection, arena, statement, language, STR_NONE, place_out, NULL);
	else if (step == SQLITE_DONE)
		rc = err_set(err, NOT_FOUND, "no place with id %lld", (long long)id);
	else
		rc = err_set(err, FAILED, "gazetteer: %s", sqlite3_errmsg(connection->db));
	places_return(places, connection);
	return rc;
}
