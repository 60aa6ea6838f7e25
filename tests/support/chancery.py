"""The real program and its real peers, for scenarios.

    with World(store='sqlite') as world:
        officer = world.officer()            # signed in through the pages
        world.command('import', 'people', 'file.csv', ...)
        world.simulator.wait_phones(received=10)
"""
import argparse
import base64
import contextlib
import csv
import hashlib
import hmac
import io
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import postgres  # noqa: E402
from browser import Browser  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / os.environ.get('CHANCERY_BUILD', 'build')
PROGRAM = str(BUILD / 'chancery')
SIMULATOR = str(BUILD / 'chancery-simulator')
PASSWORD = 'tangled walnut ferry'
# Sanitizer builds are several times slower: waits stretch with them, results do not change.
PATIENCE = float(os.environ.get('CHANCERY_PATIENCE', '1' if BUILD.name == 'build' else '8'))


def totp(secret, at=None):
    """RFC 6238 code of a base32 secret."""
    digest = hmac.new(base64.b32decode(secret), struct.pack('>Q', int(at if at is not None else time.time()) // 30), hashlib.sha1).digest()
    offset = digest[19] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7fffffff) % 1000000:06d}"


def wait_for(condition, what, seconds=30.0):
    """Asks until `condition` returns something true; fails with `what` and its last value after `seconds`."""
    end = time.monotonic() + seconds * PATIENCE
    value = None
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f'{what}: not within {seconds * PATIENCE:.0f} s, last {value!r}')


class Process:
    """A program that prints one JSON line when it is ready."""

    def __init__(self, arguments, log, environment=None):
        self.log = open(log, 'ab')  # pylint: disable=consider-using-with
        self.log_path = log
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,  # pylint: disable=consider-using-with
                                        env={**os.environ, **(environment or {})})
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise AssertionError(f'{arguments[0]} did not start:\n{pathlib.Path(log).read_text(errors="replace")[-4000:]}')
        self.ready = json.loads(line)

    def running(self):
        return self.process.poll() is None

    def stop(self, how=signal.SIGTERM, wanted=0):
        """Ends it and waits; asserts its status unless it was killed."""
        if self.running():
            self.process.send_signal(how)
        status = self.process.wait(timeout=60 * PATIENCE)
        self.process.stdout.close()
        self.log.close()
        if how == signal.SIGTERM and wanted is not None and status != wanted:
            raise AssertionError(f'ended with {status}:\n{pathlib.Path(self.log_path).read_text(errors="replace")[-6000:]}')


class Simulator(Process):
    """The simulated SMS centre and mail relay."""

    def __init__(self, folder, *options):
        super().__init__([SIMULATOR, *options], folder / 'simulator.log')
        self.base = f"http://127.0.0.1:{self.ready['http']}"

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + urllib.request.quote(path, safe='/?&=+@.'), data=data,
                                         headers={'Content-Type': 'application/json'} if data else {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(f'{path}: {error.code} {error.read()[:500]}') from error

    def counts(self):
        return self.ask('/counts')

    def phone(self, number):
        """Messages of a phone, newest first."""
        return (self.ask(f'/phones/{number}') or {}).get('messages', [])

    def mailbox(self, address):
        return (self.ask(f'/mailboxes/{address}') or {}).get('messages', [])

    def text_from(self, number, text, to=None):
        self.ask(f'/phones/{number}/send', {'text': text, **({'to': to} if to else {})})

    def mail_from(self, address, text, **more):
        self.ask(f'/mailboxes/{address}/send', {'text': text, **more})

    def faults(self, **faults):
        self.ask('/faults', faults)

    def wait(self, kind, seconds=60.0, **wanted):
        """Waits until the counts of 'phones' or 'mailboxes' reach what is wanted (received=10)."""
        def reached():
            counts = self.counts()[kind]
            return counts if all(counts[key] >= value for key, value in wanted.items()) else None
        return wait_for(reached, f'{kind} with {wanted}; now {self.counts()}', seconds)


class World:
    """One installation: store, data folder, simulator, server."""

    def __init__(self, store, simulator_options=(), settings=None, serve=True, test_clock=False):
        self.store, self.settings, self.test_clock = store, settings or {}, test_clock
        self.simulator_options, self.serve_at_start = simulator_options, serve
        self.folder = self.cluster = self.simulator = self.server = None
        self.port = self.private = 0
        self.officers, self.past = {}, []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-'))
        if self.store == 'postgresql':
            self.cluster = postgres.Cluster().__enter__()
            self.url = self.cluster.new_database()
        else:
            self.url = f'sqlite:{self.folder}/chancery.db'
        # Where mail goes is read anew for each, since an installation may move (see restored).
        self.where = self.folder / 'where'
        self._tell_where()
        mail_command = f'. {self.where}; exec {PROGRAM} --db "$URL" --data "$DATA" receive-mail "$1" "$2"'
        self.simulator = Simulator(self.folder, '--mail-command', mail_command, *self.simulator_options)
        given = {'smtp.relay': f"127.0.0.1:{self.simulator.ready['smtp']}", 'smpp.host': '127.0.0.1', 'smpp.port': self.simulator.ready['smpp'],
                 'smpp.system_id': 'scenario', 'smpp.source_address': '7070', **self.settings}
        self._write_password()
        for name, value in given.items():
            self.command('settings', 'set', name, str(value))
        if self.serve_at_start:
            self.start()
        return self

    def __exit__(self, kind, value, trace):
        try:
            if self.server:
                if kind and self.server.running():
                    self.server.stop(signal.SIGKILL)
                elif self.server.running():
                    self.server.stop()
            if kind:
                print(f'--- server log (end) ---\n{self.log()[-6000:]}', file=sys.stderr)
        finally:
            if self.simulator:
                self.simulator.stop(signal.SIGKILL)
            if self.cluster:
                self.cluster.__exit__(None, None, None)
            for folder in [self.folder, *self.past]:
                shutil.rmtree(folder, ignore_errors=True)

    def _tell_where(self):
        self.where.write_text(f"URL='{self.url}'\nDATA='{self.folder}'\n", encoding='utf-8')

    def _write_password(self):
        (self.folder / 'smpp.password').write_text('secret\n', encoding='utf-8')

    def restored(self, backup, key):
        """The installation moves to an empty folder (and database) and is restored there from a backup; the server is not started."""
        self.past.append(self.folder)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-'))
        self.url = self.cluster.new_database() if self.store == 'postgresql' else f'sqlite:{self.folder}/chancery.db'
        self.command('restore', str(backup), '--key', str(key))
        self._write_password()
        self._tell_where()

    def log(self):
        path = self.folder / 'server.log'
        return path.read_text(errors='replace') if path.exists() else ''

    def start(self):
        """Starts the server (again), on the same port as before."""
        arguments = [PROGRAM, '--db', self.url, '--data', str(self.folder), 'serve', '--listen', f'127.0.0.1:{self.port}', '--private-listen', '127.0.0.1:0']
        if self.test_clock:
            arguments.append('--test-clock')
        self.server = Process(arguments, self.folder / 'server.log')
        self.port, self.private = self.server.ready['port'], self.server.ready['private_port']

    def kill(self):
        self.server.stop(signal.SIGKILL)

    def stop(self):
        self.server.stop()

    @property
    def base(self):
        return f'http://127.0.0.1:{self.port}'

    def command(self, *words, wanted=0, stdin=None, json_output=False):
        """Runs `chancery WORDS` on this installation; asserts the exit status; returns its standard output."""
        done = subprocess.run([PROGRAM, '--db', self.url, '--data', str(self.folder), *(['--json'] if json_output else []), *words],
                              input=stdin, capture_output=True, text=stdin is None or isinstance(stdin, str), check=False, timeout=600)
        if done.returncode != wanted:
            raise AssertionError(f'chancery {" ".join(words)}: status {done.returncode}, not {wanted}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}')
        self.last_stderr = done.stderr
        return done.stdout

    def check(self):
        """`chancery check` finds that every sum holds."""
        return self.command('check')

    def browser(self, language='en', source=None):
        return Browser(self.base, language, source)

    def rows(self, sql):
        """What the store holds, read beside the server: a list of tuples of text (None for NULL)."""
        if self.store == 'sqlite':
            with contextlib.closing(sqlite3.connect(f'file:{self.folder}/chancery.db?mode=ro', uri=True, timeout=30)) as store:
                return [tuple(None if value is None else str(value) for value in row) for row in store.execute(sql)]
        done = subprocess.run(['psql', '--no-psqlrc', '--quiet', '--csv', '--tuples-only', '--pset=null=\\N', '--dbname', self.url, '--command', sql],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f'{sql}: {done.stderr}')
        return [tuple(None if value == '\\N' else value for value in row) for row in csv.reader(io.StringIO(done.stdout))]

    def number(self, sql):
        """The one number that a statement answers."""
        return int(self.rows(sql)[0][0])

    def officer(self, login='officer', permission='administrator'):
        """A signed-in officer's browser, set up through the one-time link like a person would."""
        if login not in self.officers:
            link = json.loads(self.command('user', 'add', f'{login.title()} Example', login, '--permission', permission, json_output=True))['path']
            browser = self.browser()
            page = browser.get(link).expect()
            secret = re.search(r'<code dir="ltr">([A-Z2-7 ]+)</code>', page.source).group(1).replace(' ', '')
            page.submit({'password': PASSWORD, 'again': PASSWORD, 'code': totp(secret, self.now())}).expect('recovery codes')
            self.officers[login] = (browser, secret)
        return self.officers[login][0]

    def again(self, login='officer'):
        """A second window of the officer's browser, for another thread."""
        window = self.browser()
        window.cookies = dict(self.officers[login][0].cookies)
        return window

    def sign_in(self, login='officer'):
        """Signs the officer in again (sessions of a moved clock may be over); waits for a code that was not used yet."""
        browser, secret = self.officers[login]
        page = browser.get('/sign-in').submit({'login': login, 'password': PASSWORD, 'code': totp(secret, self.now() + 30)})
        page.expect()
        return browser

    clock_offset = 0

    def now(self):
        return time.time() + self.clock_offset

    def move_clock(self, seconds):
        """Moves the program's clock ahead by so many seconds in all."""
        self.clock_offset = seconds
        self.private_ask('/test/clock', {'offset': int(seconds)})

    def private_ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f'http://127.0.0.1:{self.private}{path}', data=data, headers={'Content-Type': 'application/json'} if data else {})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def metrics(self):
        """name{labels} -> number."""
        found = {}
        for line in self.private_ask('/metrics').splitlines():
            if line and not line.startswith('#'):
                name, value = line.rsplit(' ', 1)
                found[name] = float(value)
        return found


def store_argument():
    """The store a scenario was asked to run on."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--store', choices=['sqlite', 'postgresql'], default='sqlite')
    return parser.parse_args().store
