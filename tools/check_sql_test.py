#!/usr/bin/env python3
"""Tests of check_sql.py."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_sql  # noqa: E402


class Literals(unittest.TestCase):
    def lines(self, text):
        return [line for line, _ in check_sql.check_text(text)]

    def test_finds_statements(self):
        for sql in ("SELECT 1", "INSERT INTO t", "INSERT OR IGNORE INTO t", "UPDATE t SET a", "DELETE FROM t", "x; DROP TABLE t",
                    "CREATE TABLE t", "PRAGMA x", "WITH a AS ("):
            self.assertEqual(self.lines(f'int x;\nrun("{sql}");\n'), [2], sql)

    def test_leaves_the_rest(self):
        for text in ('/* SELECT 1 */', '// "SELECT 1"', '"Please SELECT"', '"an UPDATE of the alert"', "'\"' /* SELECT 1 */", '"select one"',
                     '"\\"" /* " SELECT 1 " */', '"DELETE"'):
            self.assertEqual(self.lines(text), [], text)

    def test_tree(self):
        with tempfile.TemporaryDirectory() as root:
            for path in ("core/people/people.c", "core/people/people_test.c", "adapters/store/sqlite/sqlite.c", "tests/store/x.c"):
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write('run("SELECT 1");\n')
            self.assertEqual(check_sql.check_tree(root), ["core/people/people.c:1: SELECT: SQL belongs in the room's queries.sql"])


if __name__ == "__main__":
    unittest.main()
