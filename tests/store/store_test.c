/* The store: the same tests on SQLite and on a real PostgreSQL. Threads and crashes: store_thread_test.c. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/store/shelf.h"

/* --- migrations ----------------------------------------------------------------------------------------------------- */

static void test_migrates_from_any_version(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, db_migrate(fixture->db, store_migrations, 1, fixture_err(fixture)));
	assert_rc(fixture, OK, write_shelf(fixture, "kept", 7));
	assert_rc(fixture, OK, db_migrate(fixture->db, store_migrations, store_migration_count, fixture_err(fixture)));
	assert_rc(fixture, OK, db_migrate(fixture->db, store_migrations, store_migration_count, fixture_err(fixture)));
	assert_int_equal(count_shelves(fixture), 1);
	assert_rc(fixture, INVALID, write_shelf(fixture, "of version 2", 100001));
	/* The program is now the older one. */
	assert_rc(fixture, CONFLICT, db_migrate(fixture->db, store_migrations, 1, fixture_err(fixture)));
	assert_true(str_find(fixture->err.detail, S("newer"), 0) != SIZE_MAX);
}

static void test_refuses_what_it_does_not_know(void **state)
{
	struct fixture *fixture = *state;
	struct db_migration other[] = { { "desks/unheard", 1, "of", "CREATE TABLE unheard (id INTEGER) STRICT",
		                          "CREATE TABLE unheard (id BIGINT)" } };
	assert_rc(fixture, OK, db_migrate(fixture->db, other, 1, fixture_err(fixture)));
	assert_rc(fixture, CONFLICT, db_migrate(fixture->db, store_migrations, store_migration_count, fixture_err(fixture)));
	other[0].name = "renamed";
	assert_rc(fixture, CONFLICT, db_migrate(fixture->db, other, 1, fixture_err(fixture)));
}

static void test_broken_migration_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct db_migration broken[] = {
		{ "tests/broken", 1, "half", "CREATE TABLE half (id INTEGER) STRICT; CREATE TABLE half (id INTEGER) STRICT",
		  "CREATE TABLE half (id BIGINT); CREATE TABLE half (id BIGINT)" },
	};
	assert_rc(fixture, FAILED, db_migrate(fixture->db, broken, 1, fixture_err(fixture)));
	const struct db_migration good[] = {
		{ "tests/broken", 1, "half", "CREATE TABLE half (id INTEGER) STRICT", "CREATE TABLE half (id BIGINT)" },
	};
	assert_rc(fixture, OK, db_migrate(fixture->db, good, 1, fixture_err(fixture)));
}

static void test_migration_must_keep_foreign_keys(void **state)
{
	struct fixture *fixture = *state;
	const char *sql = "INSERT INTO book (shelf_id) VALUES (99)";
	const struct db_migration orphan[] = { store_migrations[0], store_migrations[1], { "tests/orphan", 1, "orphan", sql, sql } };
	assert_rc(fixture, FAILED, db_migrate(fixture->db, orphan, COUNT_OF(orphan), fixture_err(fixture)));
	assert_rc(fixture, OK, db_migrate(fixture->db, orphan, 2, fixture_err(fixture)));
}

static void test_migrates_all_rooms(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, db_migrate_all(fixture->db, fixture_err(fixture)));
	assert_rc(fixture, OK, db_check_statements(fixture->db, fixture_err(fixture)));
	assert_rc(fixture, OK, db_migrate_all(fixture->db, fixture_err(fixture)));
}

/* --- values --------------------------------------------------------------------------------------------------------- */

struct echo {
	struct text_echo_args args;
	struct text_echo_row row;
	struct arena *arena;
};

static enum rc echo_work(struct db_tx *tx, void *context, struct err *err)
{
	struct echo *echo = context;
	return text_echo(tx, echo->arena, &echo->args, &echo->row, err);
}

static void check_echo(struct fixture *fixture, struct text_echo_args args)
{
	struct echo echo = { .args = args, .arena = &fixture->arena };
	assert_rc(fixture, OK, db_read(fixture->db, echo_work, &echo, fixture_err(fixture)));
	assert_int_equal(echo.row.number, args.number);
	assert_true(isnan(args.fraction) ? isnan(echo.row.fraction) : echo.row.fraction == args.fraction);
	assert_int_equal(str_is_none(echo.row.text), str_is_none(args.text));
	assert_int_equal(str_is_none(echo.row.bytes), str_is_none(args.bytes));
	assert_true(str_equal(echo.row.text, args.text));
	assert_true(str_equal(echo.row.bytes, args.bytes));
}

static void test_values_come_back(void **state)
{
	struct fixture *fixture = *state;
	check_echo(fixture, (struct text_echo_args){ STR_NONE, STR_NONE, DB_NULL, (double)NAN });
	check_echo(fixture, (struct text_echo_args){ S(""), S(""), 0, 0.0 });
	check_echo(fixture, (struct text_echo_args){ S("it's \"q\" \\ تهران 👩‍🚀"), S("\0\xff\x80'\\"), INT64_MAX, 0.1 });
	check_echo(fixture, (struct text_echo_args){ S("$1 ?1 :x --"), S("\n"), INT64_MIN + 1, -1.7976931348623157e308 });
	char *large = arena_alloc(&fixture->arena, 3000000);
	memset(large, 'x', 3000000);
	check_echo(fixture, (struct text_echo_args){ { large, 3000000 }, { large, 3000000 }, -1, 5e-324 });
}

static void test_bad_texts_are_refused_alike(void **state)
{
	struct fixture *fixture = *state;
	struct str bad[] = { S("a\0b"), S("\xff"), S("\xed\xa0\x80"), S("\xc0\xaf") };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct echo echo = { .args = { .text = bad[i] }, .arena = &fixture->arena };
		assert_rc(fixture, INVALID, db_read(fixture->db, echo_work, &echo, fixture_err(fixture)));
	}
}

static enum rc typed_work(struct db_tx *tx, void *context, struct err *err)
{
	struct fixture *fixture = context;
	struct book_any_row any;
	enum rc rc = book_any(tx, &fixture->arena, &(struct book_any_args){ 1 }, &any, err);
	if (rc != OK)
		return rc;
	if (any.any_book != 0)
		return err_set(err, FAILED, "there is no book");
	struct greatest_row most;
	rc = greatest(tx, &fixture->arena, &(struct greatest_args){ -3, 8 }, &most, err);
	if (rc == OK && most.answer != 8)
		return err_set(err, FAILED, "greatest");
	struct shelf_count_row sums;
	if (rc == OK)
		rc = shelf_count(tx, &fixture->arena, &sums, err);
	if (rc == OK && (sums.shelves != 3 || sums.room != 60))
		return err_set(err, FAILED, "sum %lld", (long long)sums.room);
	return rc;
}

static void test_expressions(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, write_shelf(fixture, "a", 10));
	assert_rc(fixture, OK, write_shelf(fixture, "b", 20));
	assert_rc(fixture, OK, write_shelf(fixture, "c", 30));
	assert_rc(fixture, OK, db_read(fixture->db, typed_work, fixture, fixture_err(fixture)));
}

/* --- codes ----------------------------------------------------------------------------------------------------------- */

static enum rc orphan_work(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	return book_insert(tx, &(struct book_insert_args){ .shelf_id = 99, .pages = DB_NULL, .weight = (double)NAN }, NULL, err);
}

static void test_constraints_have_codes(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, write_shelf(fixture, "once", 1));
	assert_rc(fixture, CONFLICT, write_shelf(fixture, "once", 1));
	assert_rc(fixture, INVALID, write_shelf(fixture, "negative", -1));
	assert_rc(fixture, INVALID, write_shelf(fixture, NULL, 1));
	assert_rc(fixture, INVALID, write_shelf(fixture, "null", DB_NULL));
	assert_rc(fixture, INVALID, db_write(fixture->db, DB_LANE_PERSON, orphan_work, NULL, fixture_err(fixture)));
	assert_int_equal(count_shelves(fixture), 1);
}

static enum rc once_work(struct db_tx *tx, void *context, struct err *err)
{
	return shelf_insert_once(tx, &(struct shelf_insert_once_args){ S("once"), 1 }, context, err);
}

static enum rc set_room_work(struct db_tx *tx, void *context, struct err *err)
{
	return shelf_set_room(tx, &(struct shelf_set_room_args){ .name = S("once"), .room = 5 }, context, err);
}

static void test_counts_what_changed(void **state)
{
	struct fixture *fixture = *state;
	int64_t changed = -1;
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_BULK, set_room_work, &changed, fixture_err(fixture)));
	assert_int_equal(changed, 0);
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_BULK, once_work, &changed, fixture_err(fixture)));
	assert_int_equal(changed, 1);
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_BULK, once_work, &changed, fixture_err(fixture)));
	assert_int_equal(changed, 0);
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_BULK, set_room_work, &changed, fixture_err(fixture)));
	assert_int_equal(changed, 1);
}

static enum rc heedless_work(struct db_tx *tx, void *context, struct err *err)
{
	struct put good = { "good", 1, 0 }, bad = { "taken", 1, 0 };
	enum rc *after = context;
	enum rc rc = put_shelf(tx, &good, err);
	if (rc != OK)
		return rc;
	put_shelf(tx, &bad, NULL);
	struct put later = { "later", 1, 0 };
	*after = put_shelf(tx, &later, NULL);
	return OK;
}

static void test_a_failed_statement_spoils_the_transaction(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, write_shelf(fixture, "taken", 1));
	enum rc after = OK;
	assert_rc(fixture, CONFLICT, db_write(fixture->db, DB_LANE_PERSON, heedless_work, &after, fixture_err(fixture)));
	assert_int_equal(after, FAILED);
	assert_int_equal(count_shelves(fixture), 1);
}

static enum rc change_of_mind(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	struct put put = { "not this", 1, 0 };
	enum rc rc = put_shelf(tx, &put, err);
	return rc == OK ? DENIED : rc;
}

static void test_any_code_rolls_back(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, DENIED, db_write(fixture->db, DB_LANE_PERSON, change_of_mind, NULL, fixture_err(fixture)));
	assert_int_equal(count_shelves(fixture), 0);
}

struct nested {
	struct db *db;
	enum rc write, read;
};

static enum rc nested_work(struct db_tx *tx, void *context, struct err *err)
{
	(void)tx;
	(void)err;
	struct nested *nested = context;
	nested->write = db_write(nested->db, DB_LANE_PERSON, change_of_mind, NULL, NULL);
	nested->read = db_read(nested->db, change_of_mind, NULL, NULL);
	return OK;
}

static void test_works_do_not_nest(void **state)
{
	struct fixture *fixture = *state;
	struct nested nested = { fixture->db, OK, OK };
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_PERSON, nested_work, &nested, fixture_err(fixture)));
	assert_int_equal(nested.write, FAILED);
	assert_int_equal(nested.read, FAILED);
	nested.write = nested.read = OK;
	assert_rc(fixture, OK, db_read(fixture->db, nested_work, &nested, fixture_err(fixture)));
	assert_int_equal(nested.write, FAILED);
	assert_int_equal(nested.read, FAILED);
}

static void test_reading_cannot_write(void **state)
{
	struct fixture *fixture = *state;
	struct put put = { "sneaky", 1, 0 };
	assert_rc(fixture, FAILED, db_read(fixture->db, put_shelf, &put, fixture_err(fixture)));
	assert_int_equal(count_shelves(fixture), 0);
}

/* --- rows ------------------------------------------------------------------------------------------------------------ */

static enum rc one_work(struct db_tx *tx, void *context, struct err *err)
{
	struct fixture *fixture = context;
	struct shelf row = { .id = 42 };
	enum rc rc = shelf_find(tx, &fixture->arena, &(struct shelf_find_args){ S("nowhere") }, &row, err);
	if (rc != NOT_FOUND || row.id != 42)
		return err_set(err, INVALID, "found what is not there");
	/* None found is an answer, not a failure: the transaction goes on. */
	rc = shelf_find(tx, &fixture->arena, &(struct shelf_find_args){ S("b") }, &row, NULL);
	if (rc != OK || !str_equal(row.name, S("b")) || row.room != 20)
		return err_set(err, INVALID, "did not find b");
	row.id = 42;
	rc = shelf_all_named_alike(tx, &fixture->arena, &(struct shelf_all_named_alike_args){ S("%") }, &row, NULL);
	if (rc != FAILED || row.id != 42)
		return err_set(err, INVALID, "took the first of several");
	struct shelf *rows = NULL;
	size_t count = 99;
	rc = shelf_list(tx, &fixture->arena, &rows, &count, NULL);
	if (rc != OK || count != 3 || !str_equal(rows[0].name, S("a")) || !str_equal(rows[2].name, S("c")))
		return err_set(err, INVALID, "list");
	return OK;
}

static void test_one_and_many(void **state)
{
	struct fixture *fixture = *state;
	assert_rc(fixture, OK, write_shelf(fixture, "c", 30));
	assert_rc(fixture, OK, write_shelf(fixture, "a", 10));
	assert_rc(fixture, OK, write_shelf(fixture, "b", 20));
	enum rc rc = db_read(fixture->db, one_work, fixture, fixture_err(fixture));
	if (rc != OK && !str_equal(fixture->err.detail, S("shelf_find: no such row")))
		fail_msg("%.*s", STR_ARG(fixture->err.detail));
}

#define BOOKS 10000

struct books {
	struct book_insert_many_args *args;
	size_t count;
	int64_t changed;
};

static enum rc insert_books(struct db_tx *tx, void *context, struct err *err)
{
	struct books *books = context;
	return book_insert_many(tx, books->args, books->count, &books->changed, err);
}

static struct books make_books(struct fixture *fixture, int64_t shelf)
{
	struct books books = { ARENA_NEW_ARRAY(&fixture->arena, struct book_insert_many_args, BOOKS), BOOKS, -1 };
	for (size_t i = 0; i < BOOKS; i++)
		books.args[i] = (struct book_insert_many_args){
			.shelf_id = shelf,
			.title = str_format(&fixture->arena, "book %zu", i),
			.weight = (double)i / 8,
			.cover = STR_NONE,
			.pages = (int64_t)i,
		};
	return books;
}

struct walk {
	struct db_tx *tx;
	struct arena *arena;
	int64_t seen, stop_at, sum;
	enum rc nested;
};

static enum rc walk_book(void *context, const struct book *row)
{
	struct walk *walk = context;
	if (walk->seen == 0) {
		struct shelf_count_row sums;
		walk->nested = shelf_count(walk->tx, walk->arena, &sums, NULL);
	}
	if (!str_equal(row->title, str_format(walk->arena, "book %lld", (long long)walk->seen)))
		return CONFLICT;
	walk->seen++;
	walk->sum += row->pages;
	return walk->seen == walk->stop_at ? DENIED : OK;
}

static enum rc walk_work(struct db_tx *tx, void *context, struct err *err)
{
	struct walk *walk = context;
	walk->tx = tx;
	enum rc rc = book_each(tx, walk_book, walk, err);
	if (rc != OK && rc != DENIED)
		return rc;
	/* The connection is free again, and stopping early is no failure. */
	struct shelf_count_row sums;
	enum rc after = shelf_count(tx, walk->arena, &sums, err);
	return after == OK ? rc : after;
}

static void test_batch_and_each(void **state)
{
	struct fixture *fixture = *state;
	struct put put = { "long", 1, 0 };
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_PERSON, put_shelf, &put, fixture_err(fixture)));
	struct books books = make_books(fixture, put.id);
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_BULK, insert_books, &books, fixture_err(fixture)));
	assert_int_equal(books.changed, BOOKS);
	struct walk walk = { .arena = &fixture->arena };
	assert_rc(fixture, OK, db_read(fixture->db, walk_work, &walk, fixture_err(fixture)));
	assert_int_equal(walk.seen, BOOKS);
	assert_int_equal(walk.sum, (int64_t)BOOKS * (BOOKS - 1) / 2);
	assert_int_equal(walk.nested, FAILED);
	struct walk part = { .arena = &fixture->arena, .stop_at = 10 };
	assert_rc(fixture, DENIED, db_read(fixture->db, walk_work, &part, fixture_err(fixture)));
	assert_int_equal(part.seen, 10);
}

static void test_a_batch_is_whole_or_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	struct put put = { "long", 1, 0 };
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_PERSON, put_shelf, &put, fixture_err(fixture)));
	struct books books = make_books(fixture, put.id);
	books.args[BOOKS - 5].shelf_id = put.id + 1000;
	assert_rc(fixture, INVALID, db_write(fixture->db, DB_LANE_BULK, insert_books, &books, fixture_err(fixture)));
	assert_int_equal(books.changed, -1);
	books.args[BOOKS - 5].shelf_id = put.id;
	books.args[BOOKS - 5].title = S("a\0b");
	assert_rc(fixture, INVALID, db_write(fixture->db, DB_LANE_BULK, insert_books, &books, fixture_err(fixture)));
	struct walk walk = { .arena = &fixture->arena };
	assert_rc(fixture, OK, db_read(fixture->db, walk_work, &walk, fixture_err(fixture)));
	assert_int_equal(walk.seen, 0);
	books.count = 0;
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_BULK, insert_books, &books, fixture_err(fixture)));
	assert_int_equal(books.changed, 0);
}

/* --- changes ---------------------------------------------------------------------------------------------------------- */

static enum rc change_work(struct db_tx *tx, void *context, struct err *err)
{
	int64_t subject = *(int64_t *)context;
	enum rc rc = db_change_append(tx, S("leg"), subject, err);
	return rc == OK ? db_change_append(tx, S("alert"), subject + 1, err) : rc;
}

static enum rc change_and_fail(struct db_tx *tx, void *context, struct err *err)
{
	enum rc rc = change_work(tx, context, err);
	return rc == OK ? DENIED : rc;
}

static void test_changes_are_listed(void **state)
{
	struct fixture *fixture = *state;
	struct db *db = fixture->db;
	int64_t subject = 7;
	assert_int_equal(db_change_wait(db, 0, 1000), 0);
	assert_rc(fixture, DENIED, db_write(db, DB_LANE_PERSON, change_and_fail, &subject, fixture_err(fixture)));
	assert_int_equal(db_change_wait(db, 0, 1000), 0);
	assert_rc(fixture, OK, db_write(db, DB_LANE_PERSON, change_work, &subject, fixture_err(fixture)));
	int64_t newest = db_change_wait(db, 0, 10 * CLOCK_SECOND);
	assert_true(newest >= 2);
	struct db_change *changes = NULL;
	size_t count = 0;
	assert_rc(fixture, OK, db_changes_since(db, &fixture->arena, 0, 10, &changes, &count, fixture_err(fixture)));
	assert_int_equal(count, 2);
	assert_true(str_equal(changes[0].kind, S("leg")) && changes[0].subject == 7);
	assert_true(str_equal(changes[1].kind, S("alert")) && changes[1].subject == 8);
	assert_int_equal(changes[1].id, newest);
	assert_rc(fixture, OK, db_changes_since(db, &fixture->arena, changes[0].id, 10, &changes, &count, fixture_err(fixture)));
	assert_int_equal(count, 1);
	assert_int_equal(db_change_wait(db, newest, 1000), newest);
}

static void test_changes_are_trimmed(void **state)
{
	struct fixture *fixture = *state;
	struct db *db = fixture->db;
	assert_rc(fixture, OK, db_change_trim(db, clock_now(), fixture_err(fixture)));
	for (int64_t subject = 0; subject < 10; subject++)
		assert_rc(fixture, OK, db_write(db, DB_LANE_PERSON, change_work, &subject, fixture_err(fixture)));
	int64_t newest = db_change_wait(db, 0, 0);
	assert_rc(fixture, OK, db_change_trim(db, clock_now() + CLOCK_SECOND, fixture_err(fixture)));
	struct db_change *changes = NULL;
	size_t count = 77;
	assert_rc(fixture, CONFLICT, db_changes_since(db, &fixture->arena, 3, 10, &changes, &count, fixture_err(fixture)));
	assert_int_equal(count, 77);
	assert_rc(fixture, OK, db_changes_since(db, &fixture->arena, newest - 1, 10, &changes, &count, fixture_err(fixture)));
	assert_int_equal(count, 1);
	fixture_reopen(fixture);
	assert_int_equal(db_change_wait(fixture->db, 0, 0), newest);
	int64_t subject = 1;
	assert_rc(fixture, OK, db_write(fixture->db, DB_LANE_PERSON, change_work, &subject, fixture_err(fixture)));
	assert_true(db_change_wait(fixture->db, 0, 0) > newest);
}

/* --- opening and copying ------------------------------------------------------------------------------------------------ */

static void test_open_says_why_not(void **state)
{
	struct fixture *fixture = *state;
	struct db *db = (struct db *)0x1;
	const char *invalid[] = { "mysql:x", "sqlite:", "sqlite::memory:", "sqlite:file:x?mode=memory", "" };
	for (size_t i = 0; i < COUNT_OF(invalid); i++)
		assert_int_equal(db_open(invalid[i], &db, fixture_err(fixture)), INVALID);
	assert_int_equal(db_open("sqlite:/nowhere/at/all.db", &db, fixture_err(fixture)), FAILED);
	assert_true(str_find(fixture->err.detail, S("No such file"), 0) != SIZE_MAX);
	assert_ptr_equal(db, (struct db *)0x1);
	struct db_options options = db_options_default();
	options.readers = 0;
	assert_int_equal(db_open_options(fixture->url, &options, &db, fixture_err(fixture)), INVALID);
	options = (struct db_options){ .readers = 1, .connections = 2, .busy_timeout = 100000 };
	assert_int_equal(db_open_options("postgresql://nobody@/none?host=/nowhere", &options, &db, fixture_err(fixture)), FAILED);
}

static void test_not_a_store(void **state)
{
	struct fixture *fixture = *state;
	if (fixture->kind != STORE_SQLITE)
		return;
	char path[128], url[140];
	snprintf(path, sizeof path, "%s/text", fixture->folder);
	snprintf(url, sizeof url, "sqlite:%s", path);
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no store\n", file);
	fclose(file);
	struct db *db;
	assert_int_equal(db_open(url, &db, fixture_err(fixture)), FAILED);
}

static void test_copy(void **state)
{
	struct fixture *fixture = *state;
	char path[128];
	snprintf(path, sizeof path, "%s/copy.db", fixture->kind == STORE_SQLITE ? fixture->folder : "/tmp");
	assert_rc(fixture, OK, write_shelf(fixture, "first", 1));
	if (fixture->kind == STORE_POSTGRESQL) {
		assert_rc(fixture, INVALID, db_copy(fixture->db, path, fixture_err(fixture)));
		return;
	}
	assert_rc(fixture, OK, db_copy(fixture->db, path, fixture_err(fixture)));
	assert_rc(fixture, OK, write_shelf(fixture, "later", 1));
	assert_rc(fixture, CONFLICT, db_copy(fixture->db, path, fixture_err(fixture)));
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(stat(fixture->url + strlen("sqlite:"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_rc(fixture, FAILED, db_copy(fixture->db, "/nowhere/at/all.db", fixture_err(fixture)));
	snprintf(fixture->url, sizeof fixture->url, "sqlite:%s", path);
	fixture_reopen(fixture);
	assert_int_equal(count_shelves(fixture), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_(test_migrates_from_any_version, fixture_setup_empty),
		BOTH_(test_refuses_what_it_does_not_know, fixture_setup_empty),
		BOTH_(test_broken_migration_leaves_nothing, fixture_setup_empty),
		BOTH_(test_migration_must_keep_foreign_keys, shelf_setup),
		BOTH_(test_migrates_all_rooms, fixture_setup_empty),
		BOTH_(test_values_come_back, shelf_setup),
		BOTH_(test_bad_texts_are_refused_alike, shelf_setup),
		BOTH_(test_expressions, shelf_setup),
		BOTH_(test_constraints_have_codes, shelf_setup),
		BOTH_(test_counts_what_changed, shelf_setup),
		BOTH_(test_a_failed_statement_spoils_the_transaction, shelf_setup),
		BOTH_(test_any_code_rolls_back, shelf_setup),
		BOTH_(test_works_do_not_nest, shelf_setup),
		BOTH_(test_reading_cannot_write, shelf_setup),
		BOTH_(test_one_and_many, shelf_setup),
		BOTH_(test_batch_and_each, shelf_setup),
		BOTH_(test_a_batch_is_whole_or_not_at_all, shelf_setup),
		BOTH_(test_changes_are_listed, shelf_setup),
		BOTH_(test_changes_are_trimmed, shelf_setup),
		BOTH_(test_open_says_why_not, shelf_setup),
		BOTH_(test_not_a_store, shelf_setup),
		BOTH_(test_copy, shelf_setup),
	};
	return fixture_main(tests);
}
