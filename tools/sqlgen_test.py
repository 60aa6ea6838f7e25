#!/usr/bin/env python3
"""Tests of sqlgen.py: small rooms, what is made of them, and where mistakes are reported."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sqlgen  # noqa: E402

PERSON = """CREATE TABLE person (
	id INTEGER PRIMARY KEY, -- inside id
	name TEXT NOT NULL, -- as written
	weight REAL, -- kilograms
	photo BLOB -- a picture
) STRICT;
"""


class Rooms(unittest.TestCase):
    """A tree with the room core/people (and others), generated."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def generate(self, *rooms):
        output = os.path.join(self.root, "out")
        os.makedirs(output, exist_ok=True)
        sqlgen.generate(self.root, list(rooms) or ["core/people"], output)
        short = os.path.basename((rooms or ["core/people"])[-1])
        with open(os.path.join(output, short + "_sql.h"), encoding="utf-8") as file:
            header = file.read()
        with open(os.path.join(output, short + "_sql.c"), encoding="utf-8") as file:
            return header, file.read()

    def make(self, queries, migration=PERSON):
        self.write("core/people/sql/0001_person.sql", migration)
        self.write("core/people/queries.sql", queries)
        return self.generate()

    def refused(self, line, why, queries=None, migration=PERSON):
        """The mistake is reported at its file and line."""
        name = "sql/0001_person.sql" if queries is None else "queries.sql"
        with self.assertRaises(sqlgen.SourceError) as caught:
            self.make(queries if queries is not None else "", migration)
        self.assertRegex(str(caught.exception), re.escape(f"{name}:{line}: ") + ".*" + re.escape(why))

    def table_refused(self, line, why, text):
        self.refused(line, why, migration=text)


class Statements(Rooms):
    def text(self, source, dialect):
        return re.search(rf'\.{dialect} = "(.*)",', source).group(1)

    def test_one(self):
        header, source = self.make("-- Finds one.\n-- name: person_find :one\n"
                                   "SELECT id, name, weight, photo FROM person WHERE id = :id;\n")
        self.assertIn("struct person_find_args {\n\tint64_t id;\n};", header)
        self.assertIn("struct person_find_row {\n\tint64_t id;\n\tstruct str name;\n\tdouble weight;\n\tstruct str photo;\n};", header)
        self.assertIn("/* Finds one.\n * NOT_FOUND", header)
        self.assertIn("WHERE id = ?1", self.text(source, "sqlite"))
        self.assertIn("WHERE id = $1::bigint", self.text(source, "postgresql"))
        self.assertIn(".kind = DB_KIND_ONE,\n\t.writes = false", source)

    def test_parameters_are_numbered_by_first_use(self):
        _, source = self.make("-- name: a :many\nSELECT id FROM person WHERE name = :name AND (id = :id OR name = :name);")
        self.assertIn("name = ?1 AND (id = ?2 OR name = ?1)", self.text(source, "sqlite"))
        self.assertIn("name = $1::text AND (id = $2::bigint OR name = $1::text)", self.text(source, "postgresql"))

    def test_returning(self):
        header, source = self.make("-- name: add :one\nINSERT INTO person (name) VALUES (:name) RETURNING id, name;\n"
                                   "-- name: change :many\nUPDATE person AS p SET name = :name WHERE p.id = :id RETURNING id;\n"
                                   "-- name: remove :many\nDELETE FROM person RETURNING *;\n")
        self.assertIn("struct add_row {\n\tint64_t id;\n\tstruct str name;\n};", header)
        self.assertIn("struct change_row {\n\tint64_t id;\n};", header)
        self.assertIn("struct remove_row {\n\tint64_t id;\n\tstruct str name;\n\tdouble weight;", header)
        self.assertEqual(source.count(".writes = true"), 3)

    def test_upsert_returning(self):
        header, _ = self.make("-- name: put :one\nINSERT INTO person (id, name) VALUES (:id, :name) "
                              "ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name;")
        self.assertIn("struct put_row {\n\tstruct str name;\n};", header)

    def test_written_types(self):
        header, _ = self.make("-- name: count :one\n-- column: people INTEGER\n-- parameter: least REAL\n"
                              "SELECT count(*) AS people FROM person WHERE weight > :least;")
        self.assertIn("double least;", header)
        self.assertIn("int64_t people;", header)

    def test_types_pass_through_subqueries(self):
        header, _ = self.make("-- name: a :many\nWITH heavy AS (SELECT name, weight AS kg FROM person) "
                              "SELECT h.kg, h.name FROM heavy AS h ORDER BY h.kg;")
        self.assertIn("struct a_row {\n\tdouble kg;\n\tstruct str name;\n};", header)

    def test_shared_row(self):
        header, _ = self.make("-- name: a :one\n-- row: person\nSELECT id, name FROM person WHERE id = :id;\n"
                              "-- name: b :many\n-- row: person\nSELECT id, name FROM person;")
        self.assertEqual(header.count("struct person {"), 1)
        self.assertIn("struct person *row", header)
        self.assertIn("struct person **rows", header)
        self.refused(4, "differ", "-- name: a :one\n-- row: person\nSELECT id, name FROM person WHERE id = :id;\n"
                     "-- name: b :many\n-- row: person\nSELECT id FROM person;")

    def test_each_and_batch(self):
        header, source = self.make("-- name: walk :each\nSELECT id FROM person;\n"
                                   "-- name: add_all :batch\nINSERT INTO person (name) VALUES (:name);")
        self.assertIn("enum rc (*each)(void *context, const struct walk_row *row)", header)
        self.assertIn("const struct add_all_args *args, size_t count, int64_t *changed", header)
        self.assertIn("db_batch(tx, &add_all_statement, args, count, changed, err)", source)

    def test_dialects(self):
        _, source = self.make("-- name: a :one\n-- column: most INTEGER\nSELECT max(id, :id) AS most FROM person LIMIT 1;\n"
                              "-- name: a :one\n-- dialect: postgres\nSELECT greatest(id, :id) AS most FROM person LIMIT 1;")
        self.assertIn("max(id, ?1)", self.text(source, "sqlite"))
        self.assertIn("greatest(id, $1::bigint)", self.text(source, "postgresql"))
        self.assertEqual(source.count("static const struct db_statement "), 1)
        self.refused(4, "parameters: id", "-- name: a :many\nSELECT id FROM person WHERE id = :id;\n\n"
                     "-- name: a :many\n-- dialect: postgres\nSELECT id FROM person;")
        self.refused(1, "comes second", "-- name: a :many\n-- dialect: postgres\nSELECT id FROM person;")
        self.refused(3, "name is taken (line 1)", "-- name: a :many\nSELECT id FROM person;\n-- name: a :many\nSELECT id FROM person;")

    def test_translation_of_expressions(self):
        _, source = self.make("-- name: a :many\n-- column: n INTEGER\n"
                              "SELECT CAST(weight AS INTEGER) AS n FROM person WHERE photo = x'00ff' AND name <> ':no';")
        self.assertIn("CAST(weight AS bigint)", self.text(source, "postgresql"))
        self.assertIn("'\\\\x00ff'::bytea", self.text(source, "postgresql"))
        self.assertIn("':no'", self.text(source, "postgresql"))
        self.assertIn("x'00ff'", self.text(source, "sqlite"))

    def test_postgres_casts_are_no_parameters(self):
        _, source = self.make("-- name: a :many\nSELECT id FROM person WHERE id = :id;\n-- name: a :many\n"
                              "-- dialect: postgres\nSELECT id FROM person WHERE id = :id::bigint;")
        self.assertIn("$1::bigint::bigint", self.text(source, "postgresql"))

    def test_comments(self):
        header, source = self.make("-- About the file.\n\n-- Above.\n-- name: a :many\n-- Below.\n"
                                   "SELECT id -- the id\nFROM person; -- a remark\n-- name: b :many\nSELECT id FROM person;\n-- the end\n")
        self.assertIn("/* Above.\n * Below.\n", header)
        self.assertNotIn("About", header)
        self.assertNotIn("remark", header)
        self.assertIn("SELECT id FROM person", self.text(source, "sqlite"))

    def test_mistakes_in_statements(self):
        self.refused(1, "no such column: nam", "-- name: a :many\nSELECT nam FROM person;")
        self.refused(1, "needs '-- name", "SELECT id FROM person;")
        self.refused(2, "without ';'", "-- name: a :many\nSELECT id FROM person")
        self.refused(1, ":exec|:one", "-- name: a :two\nSELECT id FROM person;")
        self.refused(1, "no table here has a column most", "-- name: a :many\nSELECT id FROM person LIMIT :most;")
        self.refused(1, "type of column people cannot be told", "-- name: a :one\nSELECT count(*) AS people FROM person;")
        self.refused(1, "needs a name of its own", "-- name: a :one\nSELECT count(*) FROM person;")
        self.refused(1, "returns columns", "-- name: a :exec\nSELECT id FROM person;")
        self.refused(1, "returns no columns", "-- name: a :one\nDELETE FROM person;")
        self.refused(1, "is not in the statement", "-- name: a :many\n-- parameter: x TEXT\nSELECT id FROM person;")
        self.refused(1, "is not returned", "-- name: a :many\n-- column: x TEXT\nSELECT id FROM person;")
        self.refused(1, "is INTEGER in its table", "-- name: a :many\n-- column: id TEXT\nSELECT id FROM person;")
        self.refused(1, "keyword of C", "-- name: a :many\n-- parameter: default TEXT\nSELECT id FROM person WHERE name = :default;")
        self.refused(2, "parameters are written :name", "-- name: a :many\nSELECT id FROM person WHERE id = ?;")
        self.refused(1, "LIKE without ESCAPE", "-- name: a :many\nSELECT id FROM person WHERE name LIKE :name;")
        self.refused(2, "unfinished text", "-- name: a :many\nSELECT id FROM person WHERE name = 'x;")
        self.refused(2, "INTEGER|REAL|TEXT|BLOB", "-- name: a :many\n-- column: id INT\nSELECT id FROM person;")

    def test_ambiguous_parameter(self):
        self.write("core/people/sql/0002_pet.sql", "CREATE TABLE pet (\n\tname INTEGER, -- a number\n\tperson_id INTEGER -- whose\n) STRICT;\n")
        self.refused(1, "parameter :name could be", "-- name: a :many\n"
                     "SELECT person.id FROM person JOIN pet ON pet.person_id = person.id WHERE person.name = :name;")


class Migrations(Rooms):
    def both(self, migration):
        _, source = self.make("", migration)
        part = source[source.index("_migrations[] = {"):source.index("_migration_count")]
        lines = re.findall(r'"((?:[^"\\]|\\.)*)"', part)
        text = "".join(lines[2:]).replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').replace("\\\\", "\\")
        return text

    def test_translation(self):
        text = self.both("CREATE TABLE t (\n\tid INTEGER PRIMARY KEY, -- id\n\tr REAL NOT NULL, -- real\n\tb BLOB, -- it's\n"
                         "\tflag INTEGER NOT NULL DEFAULT 0 CHECK (flag IN (0, 1)), -- flag\n"
                         "\tname TEXT CHECK (length(CAST(name AS TEXT)) < 9), -- name\n\tUNIQUE (name, r)\n) STRICT;\n"
                         "CREATE TABLE u (\n\tt_id INTEGER PRIMARY KEY REFERENCES t (id), -- whose\n\tn INTEGER -- n\n) STRICT;\n"
                         "CREATE TABLE w (\n\tk INTEGER PRIMARY KEY -- key\n) STRICT, WITHOUT ROWID;\n"
                         "CREATE INDEX t_name ON t (name) WHERE name IS NOT NULL;\n")
        for expected in ("id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,", "r DOUBLE PRECISION NOT NULL,", "b BYTEA,",
                         "flag BIGINT NOT NULL DEFAULT 0 CHECK (flag IN (0, 1)),", 'name TEXT COLLATE "C" CHECK',
                         "UNIQUE (name, r)\n);", "t_id BIGINT PRIMARY KEY REFERENCES t (id),", "k BIGINT PRIMARY KEY\n);",
                         "CREATE INDEX t_name ON t (name) WHERE name IS NOT NULL;", "COMMENT ON COLUMN t.b IS 'it''s';"):
            self.assertIn(expected, text)

    def test_alter(self):
        self.write("core/people/sql/0002_more.sql", "ALTER TABLE person ADD COLUMN age INTEGER NOT NULL DEFAULT 0; -- years\n")
        header, source = self.make("-- name: a :many\nSELECT age FROM person;")
        self.assertIn("int64_t age;", header)
        self.assertIn("ADD COLUMN age BIGINT NOT NULL DEFAULT 0;", source)
        self.assertIn("people_migration_count = 2", source)

    def test_blocks(self):
        text = self.both(PERSON + "-- sqlite:\nCREATE VIRTUAL TABLE words USING fts5 (word);\n-- end\n"
                         "-- postgres:\nCREATE TABLE words (word TEXT);\n-- end\n")
        self.assertEqual(text.count("CREATE VIRTUAL"), 1)
        self.assertEqual(text.count("CREATE TABLE words"), 1)

    def test_mistakes(self):
        self.table_refused(1, "not STRICT", "CREATE TABLE t (\n\tid INTEGER -- id\n);\n")
        self.table_refused(2, "needs a '-- comment'", "CREATE TABLE t (\n\tid INTEGER\n) STRICT;\n")
        self.table_refused(2, "t.b needs", "CREATE TABLE t (\n\ta INTEGER, b INTEGER -- both\n) STRICT;\n")
        self.table_refused(2, "INTEGER, REAL, TEXT or BLOB", "CREATE TABLE t (\n\tid VARCHAR(8) -- id\n) STRICT;\n")
        self.table_refused(2, "reserved word of PostgreSQL", "CREATE TABLE t (\n\tuser INTEGER -- who\n) STRICT;\n")
        self.table_refused(2, "lower case", "CREATE TABLE t (\n\tUserId INTEGER -- who\n) STRICT;\n")
        self.table_refused(2, "deferred", "CREATE TABLE t (\n\tid INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED -- id\n) STRICT;\n")
        self.table_refused(1, "made later or nowhere", "CREATE TABLE t (\n\tid INTEGER REFERENCES later (id) -- id\n) STRICT;\n")
        self.table_refused(1, "write it between", "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END;\n")
        self.table_refused(4, "no such table", PERSON.replace(PERSON, "CREATE TABLE t (\n\tid INTEGER -- id\n) STRICT;\nINSERT INTO u VALUES (1);\n"))
        self.table_refused(1, "write it between", "VACUUM;\n")
        self.table_refused(7, "write ADD COLUMN", PERSON + "ALTER TABLE person ADD age;\n")
        self.table_refused(1, "'-- end' does not fit", "-- end\n" + PERSON)
        self.table_refused(2, "without '-- end'", "-- sqlite:\n" + PERSON)

    def test_gaps(self):
        self.write("core/people/sql/0003_late.sql", PERSON.replace("person", "late"))
        with self.assertRaisesRegex(sqlgen.SourceError, "0002 is missing"):
            self.make("")

    def test_other_rooms(self):
        self.write("core/people/sql/0001_person.sql", PERSON)
        self.write("desks/travel/sql/0001_trip.sql", "CREATE TABLE trip (\n\tperson_id INTEGER NOT NULL REFERENCES person (id) -- whose\n) STRICT;\n")
        self.write("desks/travel/queries.sql", "-- name: a :many\nSELECT trip.person_id, person.name FROM trip "
                   "JOIN person ON person.id = trip.person_id;")
        header, source = self.generate("core/people", "desks/travel")
        self.assertIn("struct str name;", header)
        self.assertIn("travel_migration_count = 1", source)
        self.assertNotIn("CREATE TABLE person", source)

    def test_registry(self):
        text = sqlgen.write_registry([("kernel/db", "db"), ("core/people", "people")])
        self.assertLess(text.index('"kernel/db"'), text.index('"core/people"'))
        self.assertIn("db_room_count = 2", text)


class Program(Rooms):
    def test_exit_status_and_message(self):
        self.write("core/people/sql/0001_person.sql", "CREATE TABLE t (id INTEGER);\n")
        done = subprocess.run([sys.executable, sqlgen.__file__, "--root", self.root, "--output", self.root, "core/people"],
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"0001_person\.sql:1: table t is not STRICT\n$")

    def test_depfile(self):
        self.write("core/people/sql/0001_person.sql", PERSON)
        self.write("core/people/queries.sql", "")
        depfile = os.path.join(self.root, "d")
        sqlgen.generate(self.root, ["core/people"], self.root, depfile)
        with open(depfile, encoding="utf-8") as file:
            text = file.read()
        for needed in ("queries.sql", "0001_person.sql", "core/people/sql ", "sqlgen.py"):
            self.assertIn(needed, text)


if __name__ == "__main__":
    unittest.main()
