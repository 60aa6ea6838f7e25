#!/usr/bin/env python3
"""The commands as operators and scripts use them: exit statuses, what goes to which stream, backup and restore, imports.

    cli_test.py [BUILD FOLDER]
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('CHANCERY_BUILD', ROOT / 'build'))
sys.path.insert(0, str(ROOT / 'tests' / 'support'))
import postgres  # noqa: E402

DONE, NO, USAGE, FAIL = 0, 1, 2, 3


class Case(unittest.TestCase):
    """One data folder, on SQLite unless the test says otherwise."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-cli-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_program(self, *words, data=None, url=None, stdin=None):
        command = [str(BUILD / 'chancery'), '--data', str(data or self.folder), *(['--db', url] if url else []), *map(str, words)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith('CHANCERY_')}
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120, env=environment)

    def expect(self, status, *words, **more):
        """Runs a command that must end with `status`; returns (standard output, standard error)."""
        done = self.run_program(*words, **more)
        self.assertEqual(done.returncode, status, f'{words}\n{done.stdout}\n{done.stderr}')
        return done.stdout, done.stderr

    def serve(self, *words, data=None, url=None):
        command = [str(BUILD / 'chancery'), '--data', str(data or self.folder), *(['--db', url] if url else []), 'serve',
                   '--listen', '127.0.0.1:0', '--private-listen', '127.0.0.1:0', *words]
        log = open(self.folder / 'serve.log', 'a', encoding='utf-8')  # noqa: SIM115
        self.addCleanup(log.close)
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.addCleanup(self.end, server)
        line = server.stdout.readline()
        self.assertTrue(line, (self.folder / 'serve.log').read_text())
        return server, json.loads(line)

    @staticmethod
    def end(server):
        if server.poll() is None:
            server.kill()
            server.wait()
        server.stdout.close()


class Words(Case):
    def test_usage(self):
        for words in ([], ['no-such-command'], ['--no-such-option'], ['check', 'this'], ['user'], ['user', 'add', 'One'], ['user', 'add', 'A', 'a', '--permission', 'king'],
                      ['settings', 'set', 'one'], ['serve', 'here'], ['serve', '--nothing'], ['backup'], ['backup', 'file'], ['restore', 'file'], ['keygen'],
                      ['backup', 'file', '--to', 'x', '--keep-days', '0'], ['demo', '--port', '70000']):
            out, err = self.expect(USAGE, *words)
            self.assertEqual(out, '', words)
            self.assertIn('usage' if words and words[0] != 'no-such-command' and not words[0].startswith('--') else '', err)

    def test_help_names_every_command(self):
        out, err = self.expect(DONE, '--help')
        self.assertEqual(err, '')
        for name in ('backup', 'check', 'demo', 'keygen', 'restore', 'serve', 'settings', 'user'):
            self.assertIn(f'chancery {name} ', out)

    def test_no_folder_and_no_store(self):
        self.expect(FAIL, 'check', data=self.folder / 'missing')
        self.expect(NO, 'check', url='mysql://nowhere')
        self.expect(FAIL, 'check', url='postgresql://nobody@/nothing?host=/nonexistent')


class Settings(Case):
    def test_set_and_clear(self):
        out, _ = self.expect(DONE, 'settings', 'set', 'smpp.port', '2776')
        self.assertEqual(out, '')
        self.assertRegex(self.expect(DONE, 'settings')[0], r'(?m)^smpp\.port +2776 +\*')
        self.expect(DONE, 'settings', 'clear', 'smpp.port')
        self.assertRegex(self.expect(DONE, 'settings')[0], r'(?m)^smpp\.port +2775 +[^*]')

    def test_refused(self):
        for name, value in (('smpp.port', '70000'), ('smpp.port', 'many'), ('smpp.receipts', 'perhaps'), ('no.such', '1'), ('smpp.system_id', 'x' * 16)):
            _, err = self.expect(NO, 'settings', 'set', name, value)
            self.assertIn(name, err)
        self.assertNotIn('*', self.expect(DONE, 'settings')[0].split('smpp.port')[1].split('\n')[0])

    def test_markdown(self):
        out, _ = self.expect(DONE, 'settings', '--markdown')
        self.assertTrue(out.startswith('| name | type | initial | what it does |\n|---|'))
        self.assertIn('| `smtp.relay` |', out)


class Users(Case):
    def test_life(self):
        link = self.expect(DONE, 'user', 'add', 'Ann Example', 'ann', '--public-url', 'https://chancery.example')[0].strip()
        self.assertRegex(link, r'^https://chancery\.example/setup/[0-9a-z]+$')
        other = json.loads(self.expect(DONE, '--json', 'user', 'link', 'ann')[0])['path']
        self.assertNotEqual(link.split('/')[-1], other.split('/')[-1])
        self.assertIn('login', self.expect(NO, 'user', 'add', 'Another', 'ann')[1])
        self.expect(NO, 'user', 'link', 'nobody')
        self.expect(NO, 'user', 'disable', 'nobody')
        self.expect(DONE, 'user', 'disable', 'ann')
        self.assertEqual(json.loads(self.expect(DONE, '--json', 'user', 'list')[0])['state'], 'disabled')
        self.expect(DONE, 'user', 'enable', 'ann')
        self.assertIn('waiting', self.expect(DONE, 'user', 'list')[0])

    def test_the_address_of_links_is_a_setting(self):
        self.expect(DONE, 'settings', 'set', 'server.public_url', 'https://abroad.example')
        self.assertTrue(self.expect(DONE, 'user', 'add', 'Ann', 'ann')[0].startswith('https://abroad.example/setup/'))


class Check(Case):
    def test_holds_and_does_not(self):
        out, _ = self.expect(DONE, 'check')
        self.assertIn('messages', out)
        self.assertNotIn('NOT', out)
        with sqlite3.connect(self.folder / 'chancery.db') as store:
            store.execute('INSERT INTO message_counter (notice_id, channel, state, people) VALUES (0, 2, 1, 5)')
        store.close()
        out, err = self.expect(NO, 'check')
        self.assertIn('DOES NOT HOLD', out)
        self.assertIn('chancery: messages:', err)
        found = [json.loads(line) for line in self.expect(NO, '--json', 'check')[0].splitlines()]
        self.assertEqual([entry['check'] for entry in found if not entry['holds']], ['messages'])

    def test_a_newer_store_is_refused(self):
        self.expect(DONE, 'check')
        with sqlite3.connect(self.folder / 'chancery.db') as store:
            store.execute("INSERT INTO schema_migration (room, number, name, applied_at) VALUES ('core/people', 900, 'future', 0)")
        store.close()
        for words in (['check'], ['serve', '--listen', '127.0.0.1:0'], ['user', 'list']):
            self.assertIn('core/people', self.expect(NO, *words)[1])


class Serve(Case):
    def test_ready_and_the_end(self):
        server, ready = self.serve()
        self.assertTrue(ready['ready'])
        with urllib.request.urlopen(f"http://127.0.0.1:{ready['port']}/", timeout=10) as page:
            self.assertEqual(page.status, 200)
        with urllib.request.urlopen(f"http://127.0.0.1:{ready['private_port']}/metrics", timeout=10) as page:
            self.assertIn('chancery_messages_sent_total', page.read().decode())
        # The private listener's pages are nobody else's, and the clock stands.
        for port, path in ((ready['port'], '/metrics'), (ready['port'], '/health'), (ready['private_port'], '/test/clock')):
            request = urllib.request.Request(f'http://127.0.0.1:{port}{path}', data=b'{"offset":1}' if path == '/test/clock' else None)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            refused.exception.close()
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=30), DONE)

    def test_addresses(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            self.expect(FAIL, 'serve', '--listen', f'127.0.0.1:{taken.getsockname()[1]}')
        self.assertIn('public', self.expect(NO, 'serve', '--listen', '0.0.0.0:0')[1])
        self.expect(NO, 'serve', '--listen', 'somewhere')

    def test_a_bad_road_stops_the_start(self):
        self.expect(DONE, 'settings', 'set', 'smtp.relay', 'localhost:many')
        self.assertIn('smtp.relay', self.expect(NO, 'serve', '--listen', '127.0.0.1:0')[1])


class Backup(Case):
    """Backups beside a running server; what was backed up is there after the restore, and nothing else is believed."""

    def store_url(self, name):
        return f'sqlite:{self.folder / name}/chancery.db'

    def setUp(self):
        super().setUp()
        self.key = self.folder / 'private.key'
        self.public = self.expect(DONE, 'keygen', self.key)[0].strip()
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o600)
        self.assertEqual(len(self.public), 64)
        self.backup = self.folder / 'backup'
        self.old, self.new = self.folder / 'old', self.folder / 'new'
        self.old.mkdir()
        self.new.mkdir()

    def test_round_trip(self):
        old, new = self.store_url('old'), self.store_url('new')
        self.expect(DONE, 'user', 'add', 'Ann', 'ann', data=self.old, url=old)
        server, _ = self.serve(data=self.old, url=old)
        self.expect(DONE, 'backup', self.backup, '--to', self.public, data=self.old, url=old)
        self.assertEqual(self.backup.stat().st_mode & 0o777, 0o600)
        self.expect(DONE, 'user', 'add', 'Later', 'later', data=self.old, url=old)
        self.expect(NO, 'backup', self.backup, '--to', self.public, data=self.old, url=old)  # it never overwrites

        # Not under a running server's feet.
        self.assertIn('server', self.expect(NO, 'restore', self.backup, '--key', self.key, '--replace', data=self.old, url=old)[1])
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=30), DONE)

        self.expect(DONE, 'restore', self.backup, '--key', self.key, data=self.new, url=new)
        listed = self.expect(DONE, '--json', 'user', 'list', data=self.new, url=new)[0].splitlines()
        self.assertEqual([json.loads(line)['login'] for line in listed], ['ann'])
        # The secret came along: links that were given out still open.
        self.assertEqual((self.old / 'secret.key').read_bytes(), (self.new / 'secret.key').read_bytes())
        self.expect(DONE, 'check', data=self.new, url=new)

        # Over something only when told so; then the whole of it.
        self.expect(NO, 'restore', self.backup, '--key', self.key, data=self.old, url=old)
        self.assertEqual(len(self.expect(DONE, '--json', 'user', 'list', data=self.old, url=old)[0].splitlines()), 2)
        self.expect(DONE, 'restore', self.backup, '--key', self.key, '--replace', data=self.old, url=old)
        self.assertEqual(len(self.expect(DONE, '--json', 'user', 'list', data=self.old, url=old)[0].splitlines()), 1)
        self.assertEqual(sorted(path.name for path in self.folder.glob('*.copying')), [])

    def test_what_is_not_believed(self):
        old = self.store_url('old')
        self.expect(DONE, 'user', 'add', 'Ann', 'ann', data=self.old, url=old)
        self.expect(DONE, 'backup', self.backup, '--to', self.public, data=self.old, url=old)
        whole = self.backup.read_bytes()
        other_key = self.folder / 'other.key'
        self.expect(DONE, 'keygen', other_key)
        self.expect(NO, 'keygen', other_key)  # never over a key
        self.expect(NO, 'restore', self.backup, '--key', other_key, data=self.new)
        self.expect(NO, 'restore', self.backup, '--key', self.folder / 'no.key', data=self.new)
        self.expect(NO, 'restore', self.folder / 'no.backup', '--key', self.key, data=self.new)
        self.assertNotIn(b'SQLite format', whole)
        for damaged in (whole[:-1], whole[:len(whole) // 2], whole[:20], b'', whole + b'x',
                        whole[:-500] + bytes([whole[-500] ^ 1]) + whole[-499:]):
            self.backup.write_bytes(damaged)
            self.expect(NO, 'restore', self.backup, '--key', self.key, data=self.new)
            self.expect(NO, 'restore', self.backup, '--key', self.key, '--replace', data=self.old, url=old)
        self.assertEqual([path.name for path in self.new.iterdir()], ['server.lock'])
        self.assertEqual(len(self.expect(DONE, '--json', 'user', 'list', data=self.old, url=old)[0].splitlines()), 1)
        self.expect(NO, 'backup', self.folder / 'b2', '--to', 'abc', data=self.old, url=old)
        self.assertFalse((self.folder / 'b2').exists())


class BackupOnPostgres(Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = postgres.Cluster().__enter__()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)

    def test_round_trip(self):
        url = self.cluster.new_database()
        key, backup = self.folder / 'private.key', self.folder / 'backup'
        public = self.expect(DONE, 'keygen', key)[0].strip()
        self.expect(DONE, 'user', 'add', 'Ann', 'ann', url=url)
        self.expect(DONE, 'backup', backup, '--to', public, url=url)
        self.expect(DONE, 'user', 'add', 'Later', 'later', url=url)
        secret = (self.folder / 'secret.key').read_bytes()
        (self.folder / 'secret.key').unlink()
        self.expect(DONE, 'restore', backup, '--key', key, url=url)
        listed = self.expect(DONE, '--json', 'user', 'list', url=url)[0].splitlines()
        self.assertEqual([json.loads(line)['login'] for line in listed], ['ann'])
        self.assertEqual((self.folder / 'secret.key').read_bytes(), secret)
        self.expect(DONE, 'check', url=url)
        # A backup of one kind of store is not put into the other.
        self.expect(NO, 'restore', backup, '--key', key, data=self.folder, url=f'sqlite:{self.folder}/chancery.db')
        self.assertFalse((self.folder / 'chancery.db').exists())


class Demo(Case):
    def test_it_keeps_away_from_real_people(self):
        self.expect(DONE, 'check')
        with sqlite3.connect(self.folder / 'chancery.db') as store:
            store.execute("INSERT INTO person (public_id, language, source, salt, created_at, changed_at) VALUES ('0', 'en', 1, 1, 0, 0)")
        store.close()
        self.assertIn('another', self.expect(NO, 'demo', '--port', '0')[1])
        self.assertNotIn('127.0.0.1', self.expect(DONE, 'settings')[0])


if __name__ == '__main__':
    if len(sys.argv) > 1 and not sys.argv[1].startswith('-') and os.path.isdir(sys.argv[1]):
        BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
