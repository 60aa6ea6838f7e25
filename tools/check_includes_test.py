#!/usr/bin/env python3
"""Tests of check_includes.py: small trees with one mistake each."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_includes  # noqa: E402


def problems(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as file:
                file.write(text)
        return check_includes.check_tree(root)


def include(path, target):
    return problems({path: f'#include "{target}"\n'})


class Includes(unittest.TestCase):
    def allowed(self, path, target):
        self.assertEqual(include(path, target), [])

    def refused(self, path, target, why):
        found = include(path, target)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f'{path}:1: '), found)
        self.assertIn(why, found[0])

    def test_down_and_level(self):
        self.allowed('kernel/db/db.c', 'base/base.h')
        self.allowed('kernel/db/db.c', 'base/str.h')
        self.allowed('kernel/http/http.c', 'kernel/db/db.h')
        self.allowed('core/people/people.c', 'kernel/db/db.h')
        self.allowed('desks/travel/trip.c', 'core/people/people.h')
        self.allowed('adapters/store/sqlite/sqlite.c', 'kernel/db/db.h')
        self.allowed('cmd/chancery.c', 'desks/travel/travel.h')
        self.allowed('cmd/chancery.c', 'adapters/store/sqlite/sqlite.h')
        self.allowed('cmd/chancery.c', 'cmd/serve.h')

    def test_up(self):
        self.refused('base/str.c', 'kernel/db/db.h', 'up')
        self.refused('kernel/db/db.c', 'core/people/people.h', 'up')
        self.refused('kernel/db/db.c', 'adapters/store/sqlite/sqlite.h', 'up')
        self.refused('core/people/people.c', 'desks/travel/travel.h', 'up')
        self.refused('desks/travel/trip.c', 'cmd/cmd.h', 'up')

    def test_sideways(self):
        self.refused('desks/travel/trip.c', 'desks/crisis/crisis.h', 'sideways')
        self.refused('desks/travel/trip.c', 'adapters/store/sqlite/sqlite.h', 'sideways')
        self.refused('adapters/channel/smtp/smtp.c', 'adapters/channel/smpp/smpp.h', 'sideways')
        self.refused('adapters/channel/smtp/smtp.c', 'desks/travel/travel.h', 'sideways')

    def test_support(self):
        self.allowed('core/people/people_test.c', 'tests/support/store_fixture.h')
        self.refused('core/people/people.c', 'tests/support/store_fixture.h', 'may not include tests')

    def test_generated_headers(self):
        self.allowed('core/people/people.c', 'people_sql.h')
        self.allowed('core/people/people_pages.c', 'people_pages.h')
        self.allowed('tests/store/store_test.c', 'store_sql.h')
        self.refused('core/messages/outbox.c', 'people_sql.h', 'root')

    def test_private_headers(self):
        self.allowed('desks/travel/trip.c', 'desks/travel/trip.h')
        self.allowed('desks/travel/trip.c', 'desks/travel/travel_sql.h')
        self.allowed('core/messages/inbox.c', 'kernel/text/keyword.h')
        self.refused('core/messages/inbox.c', 'kernel/text/gsm_table.h', 'private')
        self.refused('cmd/chancery.c', 'desks/travel/travel_sql.h', 'private')
        self.refused('core/places/places.c', 'kernel/db/pool.h', 'private')
        self.refused('kernel/http/http.c', 'kernel/db/pool.h', 'private')

    def test_tests(self):
        self.allowed('tests/scenario.c', 'kernel/db/pool.h')
        self.allowed('fuzz/gsm_fuzz.c', 'kernel/text/gsm.h')
        self.allowed('bench/geo_bench.c', 'adapters/store/sqlite/sqlite.h')
        self.allowed('desks/travel/travel_test.c', 'adapters/store/sqlite/sqlite.h')
        self.refused('desks/travel/travel_test.c', 'adapters/store/sqlite/pool.h', 'private')
        self.refused('kernel/db/db.c', 'tests/fixture.h', 'may not include tests')

    def test_written_from_the_root(self):
        self.refused('kernel/db/db.c', 'db.h', 'not written from the root')
        self.refused('kernel/db/db.c', '../db/db.h', 'not a plain path')
        self.allowed('kernel/text/text.h', 'messages.h')
        self.assertEqual(problems({'base/base.h': '#include "str.h"\n', 'base/str.h': ''}), [])

    def test_angle_brackets_and_spaces(self):
        self.assertEqual(problems({'kernel/db/db.c': '#include <sqlite3.h>\n#include <sys/stat.h>\n'}), [])
        self.assertEqual(len(problems({'kernel/db/db.c': '\n  #  include <core/people/people.h>\n'})), 1)
        self.assertIn('db.c:3:', problems({'kernel/db/db.c': '\n\n#include "cmd/cmd.h"\n'})[0])

    def test_unknown_floor(self):
        self.refused('attic/a.c', 'base/base.h', 'no floor')


class Files(unittest.TestCase):
    def test_length(self):
        self.assertEqual(problems({'base/a.c': '\n' * 1000}), [])
        self.assertIn('1001 lines', problems({'base/a.c': '\n' * 1001})[0])

    def test_machine_paths(self):
        for path in ('work/main', 'farm/x', 'root/.cache'):
            self.assertIn('a path of one machine', problems({'docs/a.md': f'see /{path}\n'})[0])
            self.assertEqual(problems({'node_modules/a/a.md': f'see /{path}\n', 'build/a.md': f'/{path}\n'}), [])
        self.assertEqual(problems({'b/meson-private/a.txt': '', 'b/a.md': 'see /' + 'work/main'}), [])
        self.assertEqual(problems({'docs/a.md': 'paper/work/plan and https://example.org/work/plan\n'}), [])


if __name__ == '__main__':
    unittest.main()
