#!/usr/bin/env python3
"""deploy/ as it is shipped: nginx runs with the site in front of a real server, systemd and Postfix read their files.

    deploy_test.py [BUILD FOLDER]
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('CHANCERY_BUILD', ROOT / 'build'))
DEPLOY = ROOT / 'deploy'
TOKEN = '0123456789abcdefghjkmnpqrstvwxyz'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Site(unittest.TestCase):
    """nginx with the shipped site; only names, ports and paths are put in its place."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-deploy-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.folder.chmod(0o755)
        cls.port, cls.plain = free_port(), free_port()
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=chancery.example',
                        '-keyout', cls.folder / 'privkey.pem', '-out', cls.folder / 'fullchain.pem'], check=True, capture_output=True)
        cls.start_chancery()
        cls.start_nginx()

    @classmethod
    def start_chancery(cls):
        (cls.folder / 'data').mkdir()
        cls.socket = cls.folder / 'http.sock'
        with open(cls.folder / 'chancery.log', 'w', encoding='utf-8') as log:
            cls.chancery = subprocess.Popen([BUILD / 'chancery', '--data', cls.folder / 'data', 'serve', '--listen', f'unix:{cls.socket}',
                                             '--public-url', 'https://chancery.example'], stdout=subprocess.PIPE, stderr=log, text=True)
        cls.addClassCleanup(cls.end, cls.chancery)
        ready = cls.chancery.stdout.readline()
        assert json.loads(ready or '{}').get('ready'), (cls.folder / 'chancery.log').read_text()
        cls.socket.chmod(0o666)  # as if nginx were in the group

    @classmethod
    def start_nginx(cls):
        site = (DEPLOY / 'nginx' / 'chancery.conf').read_text(encoding='utf-8')
        for old, new in (('unix:/run/chancery/http.sock', f'unix:{cls.socket}'), ('/etc/ssl/chancery', str(cls.folder)), ('/var/log/nginx', str(cls.folder)),
                         ('listen 443', f'listen 127.0.0.1:{cls.port}'), ('listen 80', f'listen 127.0.0.1:{cls.plain}')):
            assert old in site, old
            site = site.replace(old, new)
        site = re.sub(r'(?m)^\tlisten \[::\].*\n', '', site)
        (cls.folder / 'site.conf').write_text(site, encoding='utf-8')
        temporary = '\n'.join(f'{kind}_temp_path {cls.folder}/{kind};' for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        (cls.folder / 'nginx.conf').write_text(f'daemon off;\npid {cls.folder}/nginx.pid;\nerror_log {cls.folder}/main.log;\nworker_processes 1;\n'
                                               f'events {{}}\nhttp {{\n{temporary}\ninclude {cls.folder}/site.conf;\n}}\n', encoding='utf-8')
        command = ['nginx', '-p', str(cls.folder), '-c', str(cls.folder / 'nginx.conf'), '-e', str(cls.folder / 'main.log')]
        checked = subprocess.run([*command, '-t'], capture_output=True, text=True, check=False)
        assert checked.returncode == 0 and '[warn]' not in checked.stderr, checked.stderr
        cls.nginx = subprocess.Popen(command)
        cls.addClassCleanup(cls.end, cls.nginx)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', cls.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((cls.folder / 'main.log').read_text())

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        if process.stdout:
            process.stdout.close()

    def ask(self, path, **headers):
        trusted = ssl.create_default_context(cafile=str(self.folder / 'fullchain.pem'))
        trusted.check_hostname = False
        connection = http.client.HTTPSConnection('127.0.0.1', self.port, context=trusted, timeout=20)
        connection.request('GET', path, headers={'Host': 'chancery.example', **headers})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body

    def test_pages_come_over_tls(self):
        answer, body = self.ask('/')
        self.assertEqual(answer.status, 200)
        self.assertIn(b'<!doctype html', body[:100].lower())
        self.assertIn('max-age', answer.headers['Strict-Transport-Security'])
        self.assertNotIn('nginx/', answer.headers.get('Server', ''))
        packed, _ = self.ask('/', **{'Accept-Encoding': 'gzip'})
        self.assertEqual(packed.headers['Content-Encoding'], 'gzip')

    def test_http_2(self):
        context = ssl.create_default_context(cafile=str(self.folder / 'fullchain.pem'))
        context.check_hostname = False
        context.set_alpn_protocols(['h2', 'http/1.1'])
        with socket.create_connection(('127.0.0.1', self.port), timeout=20) as raw, context.wrap_socket(raw) as wrapped:
            self.assertEqual(wrapped.selected_alpn_protocol(), 'h2')

    def test_plain_http_leads_to_tls(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.plain, timeout=20)
        connection.request('GET', '/my/x', headers={'Host': 'chancery.example'})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        self.assertEqual((answer.status, answer.headers['Location']), (301, 'https://chancery.example/my/x'))

    def test_private_pages_stay_private(self):
        for path in ('/metrics', '/health', '/test/clock'):
            self.assertEqual(self.ask(path)[0].status, 404, path)

    def test_no_log_holds_a_token_or_an_address(self):
        self.assertEqual(self.ask(f'/my/{TOKEN}?code={TOKEN}', Referer=f'https://chancery.example/{TOKEN}', Cookie=f'a={TOKEN}')[0].status, 404)
        time.sleep(0.2)
        logged = (self.folder / 'chancery.log').read_text() + (self.folder / 'main.log').read_text()
        for log in self.folder.glob('chancery*.log'):
            logged += log.read_text()
        self.assertIn(' GET 404 ', logged)
        self.assertNotIn(TOKEN, logged)
        self.assertNotIn('127.0.0.1', re.sub(r'event=serve\.\S+.*', '', logged))


class Units(unittest.TestCase):
    def test_systemd_reads_them(self):
        with tempfile.TemporaryDirectory() as folder:
            for unit in (DEPLOY / 'systemd').iterdir():
                text = unit.read_text(encoding='utf-8').replace('/usr/bin/chancery', str(BUILD.resolve() / 'chancery'))
                pathlib.Path(folder, unit.name).write_text(text, encoding='utf-8')
            units = [str(path) for path in pathlib.Path(folder).iterdir()]
            done = subprocess.run(['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', *units], capture_output=True, text=True, check=False)
            said = [line for line in done.stderr.splitlines() if folder in line or 'chancery' in line]
            self.assertEqual((done.returncode, said), (0, []))
            # How much of the system a broken-into server could touch, by systemd's own measure (0 nothing .. 10 all).
            done = subprocess.run(['systemd-analyze', 'security', '--offline=yes', '--threshold=25', '--no-pager', os.path.join(folder, 'chancery.service')],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-600:] + done.stderr)


class Mail(unittest.TestCase):
    def test_postfix_reads_them(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            shutil.copy(DEPLOY / 'postfix' / 'main.cf', folder)
            shutil.copy(DEPLOY / 'postfix' / 'master.cf', folder)
            done = subprocess.run(['postconf', '-c', folder, '-n'], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertIn('virtual_transport = chancery', done.stdout)
            done = subprocess.run(['postconf', '-c', folder, '-M'], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            service = done.stdout.split()
            self.assertEqual(service[:2] + service[7:8], ['chancery', 'unix', 'pipe'])
            self.assertIn('receive-mail -- ${sender} ${recipient}', ' '.join(service))


if __name__ == '__main__':
    if len(sys.argv) > 1 and not sys.argv[1].startswith('-') and os.path.isdir(sys.argv[1]):
        BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
