#!/usr/bin/env python3
# stores: sqlite postgresql
"""A newcomer's first ten minutes with `chancery demo`, as the README tells them: an alert is written, sent, received, answered and counted."""
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
import postgres  # noqa: E402
from browser import Browser  # noqa: E402
from chancery import PASSWORD, PATIENCE, PROGRAM, Simulator, store_argument, totp, wait_for  # noqa: E402


class Demo:
    """`chancery demo` on a folder; what it printed."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        with open(folder / 'demo.log', 'a', encoding='utf-8') as log:
            self.process = subprocess.Popen([PROGRAM, '--db', url, '--data', str(folder), 'demo', '--port', '0'], stdout=subprocess.PIPE, stderr=log, text=True)
        self.printed = self.process.stdout.readline()
        if not self.printed:
            self.process.wait()
            raise AssertionError((folder / 'demo.log').read_text())
        while 'Ctrl-C' not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.printed
            self.printed += line
        self.base = re.match(r'Chancery is ready: (http://localhost:\d+)\n', self.printed).group(1)
        self.simulator = Simulator.__new__(Simulator)
        self.simulator.base = re.search(r'phones and mailboxes.*(http://localhost:\d+)/\n', self.printed).group(1)

    def command(self, *words):
        done = subprocess.run([PROGRAM, '--db', self.url, '--data', str(self.folder), *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=60 * PATIENCE)
        self.process.stdout.close()
        assert status == 0, (status, (self.folder / 'demo.log').read_text()[-4000:])


def numbers(page):
    """The sums on an alert's page: targeted, safe, needs help, no answer yet, unreachable."""
    return [int(number.replace(',', '')) for number in re.findall(r'<b>([\d,]+)</b>', page.source)[:5]]


def option(page, text):
    """The value of the option that begins with `text`."""
    return re.search(rf'<option value="([^"]+)"[^>]*>{text}', page.source).group(1)


def ten_minutes(demo):
    # The first page shows what is in force and leads to the rest.
    page = Browser(demo.base).get('/').expect('First steps', 'Bad air in Athens')
    assert '/alerts/map.svg' in page.source
    for language, word in (('fr', 'Air pollué'), ('ar', 'أثينا'), ('fa', 'آتن')):
        Browser(demo.base, language).get('/').expect(word)

    # Become the first officer by the link; it works once.
    link = re.search(r'http://\S+(/setup/\S+)', demo.printed).group(1)
    officer = Browser(demo.base)
    page = officer.get(link).expect()
    secret = re.search(r'<code dir="ltr">([A-Z2-7 ]+)</code>', page.source).group(1).replace(' ', '')
    page.submit({'password': PASSWORD, 'again': PASSWORD, 'code': totp(secret)}).expect('recovery codes')
    assert Browser(demo.base).get(link).status == 404

    # Yesterday's alert has people in every class, and something waits in the inbox.
    page = officer.get('/desk').expect('Bad air in Athens', 'wait in the inbox')
    page = officer.get('/desk/alerts').expect('Storm over Lisbon')
    storm = re.search(r'/desk/alert/([0-9a-f]{32})"[^>]*>(?:<[^>]*>)*Storm', page.source).group(1)
    targeted, *classes = numbers(officer.get(f'/desk/alert/{storm}'))
    assert targeted == sum(classes) and min(classes) > 0, (targeted, classes)
    officer.get(f'/desk/alert/{storm}/board').expect('Open cases')

    # Write one, review it, send it.
    page = officer.get('/desk/alerts/new')
    chosen = {'kind': 'Weather', 'severity': 'Severe', 'urgency': 'Immediate', 'certainty': 'Observed'}
    page = page.submit({**{name: option(page, text) for name, text in chosen.items()}, 'circle.0.place': 'Tunis', 'circle.0.km': '50',
                        'text.0.headline': 'Flood in Tunis', 'text.0.instruction': 'Go to upper floors.'}, button='review')
    page.expect('Flood in Tunis', 'Go to upper floors')
    alert = re.search(r'/desk/alert/([0-9a-f]{32})', page.url + page.source).group(1)
    before = demo.simulator.counts()['phones']['received']
    officer.get(f'/desk/alert/{alert}/send').submit({}, action=f'/desk/alert/{alert}/send').expect()

    # It arrives at phones and mailboxes, is answered by both, and counted.
    def arrived():
        return [message for message in demo.simulator.ask('/messages?limit=500') if 'Tunis' in str(message.get('text')) + str(message.get('subject'))]
    wait_for(lambda: demo.simulator.counts()['phones']['received'] > before + 20 and len(arrived()) > 40, 'the alert on phones', 60)
    numbers_of_phones = [message['number'] for message in arrived() if 'number' in message]
    mailboxes = [message['address'] for message in arrived() if 'address' in message]
    demo.simulator.text_from(numbers_of_phones[0], 'SAFE')
    demo.simulator.text_from(numbers_of_phones[1], 'HELP I am at the bus station')
    lone = next(address for address in mailboxes if 'SAFE' in str(demo.simulator.mailbox(address)[0]['text']))
    demo.simulator.mail_from(lone, 'I am safe')
    wait_for(lambda: numbers(officer.get(f'/desk/alert/{alert}'))[1:3] == [2, 1], 'the answers on the page', 60)
    board = officer.get(f'/desk/alert/{alert}/board').expect('I am at the bus station')
    assert 'bus station' in board.text

    # Over with one button.
    page = officer.get(f'/desk/alert/{alert}').submit({}, button='All clear')
    page = page.submit({}, button='review') if 'do' in page.form(action='edit').names else page
    officer.get(f'/desk/alert/{alert}/send').submit({}, action=f'/desk/alert/{alert}/send').expect()
    wait_for(lambda: demo.simulator.phone(numbers_of_phones[0])[0]['text'] if 'clear' in demo.simulator.phone(numbers_of_phones[0])[0]['text'].lower() else None,
             'the all-clear on a phone', 60)
    return alert


def main():
    store = store_argument()
    folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-demo-'))
    cluster = postgres.Cluster().__enter__() if store == 'postgresql' else None
    demo = None
    try:
        url = cluster.new_database() if cluster else f'sqlite:{folder}/chancery.db'
        demo = Demo(folder, url)
        alert = ten_minutes(demo)
        demo.command('check')
        demo.stop()

        # The next start goes on with the same world: nobody comes twice, nothing is sent again, and the officer is still there.
        people = demo.command('export', 'people', '--csv').count('\n')
        demo = Demo(folder, url)
        assert '/sign-in' in demo.printed and '/setup/' not in demo.printed, demo.printed
        time.sleep(1)
        assert demo.simulator.counts()['phones']['received'] == 0
        assert demo.command('export', 'people', '--csv').count('\n') == people > 2000
        assert '"state":"ended"' in demo.command('alert', 'show', alert)
        demo.command('check')
    finally:
        if demo:
            demo.stop()
        if cluster:
            cluster.__exit__(None, None, None)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
