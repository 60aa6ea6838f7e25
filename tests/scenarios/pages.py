#!/usr/bin/env python3
# stores: sqlite
"""Every page the program has, in a real browser: accessible, both directions, no sideways scroll, light, without scripts.

It runs on the demo's invented world. The list of pages is made from the program's own list of routes: a route without an entry
below fails, as does an entry whose route is gone. LANGUAGES (default "en ar"), SCREENSHOTS=FOLDER and PAGES="name name" (the beginnings of some names) are honoured.
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from browser import Browser  # noqa: E402
from chancery import PASSWORD, ROOT, totp, wait_for  # noqa: E402
from demo import Demo  # noqa: E402

NODE = ROOT / 'node_modules' / 'node' / 'bin' / 'node'
PROGRAM = ROOT / 'tests' / 'browser' / 'pages.mjs'
AMAL, SHARED, LAYLA = 'amal.pages@example.org', 'family.pages@example.org', 'layla.pages@example.org'

# A polygon whose edges cross: latitude and longitude, corner by corner.
BOW_TIE = '35.0 51.0\n36.0 52.0\n35.0 52.0\n36.0 51.0\n35.0 51.0'
TEXTS = {'text.0.headline': 'Earthquake near Tehran', 'text.0.description': 'A strong earthquake was felt in and around Tehran.\n\nAftershocks may follow.',
         'text.0.instruction': 'Shelter indoors, away from windows. Answer this message.',
         'text.2.headline': 'زلزال قرب طهران', 'text.2.description': 'شعر السكان بزلزال قوي في طهران وما حولها.', 'text.2.instruction': 'ابق في مكان آمن وأجب عن هذه الرسالة.'}


def page(name, path, **more):
    """A page to look at: `path` is written with the names of Facts in braces."""
    return {'name': name, 'path': path, **more}


# What is asked of each GET route: pages in the browser, or files (a path and the beginning of their content type).
PAGES = {
    '/': [page('home', '/'), page('not-found', '/nothing-here', status=404)],
    '/sign-in': [page('sign-in', '/sign-in'), page('sign-in-refused', '/sign-in', submit='/sign-in')],
    '/setup/:token': [page('setup', '{setup}'), page('setup-refused', '{setup}', submit='/setup'), page('setup-gone', '/setup/' + 'x' * 22, status=404)],
    '/enrol': [page('enrol', '/enrol', keyboard=True), page('enrol-refused', '/enrol', submit='/enrol')],
    '/confirm/:token': [page('confirm', '/confirm/{new_confirm}'), page('confirm-refused', '/confirm/{new_confirm}', submit='/confirm')],
    '/my': [page('my-ask', '/my'), page('my-ask-refused', '/my', submit='/my')],
    '/my/code/:token': [page('my-code', '/my/code/{code}'), page('my-code-refused', '/my/code/{code}', submit='/my/code')],
    '/my/choose/:token': [page('my-choose', '/my/choose/{choose}')],
    '/my/deleted': [page('my-deleted', '/my/deleted')],
    '/my/:token/me': [page('my-me', '/my/{my}/me')],
    '/my/:token/contacts/new': [page('contact-new', '/my/{my}/contacts/new'), page('contact-refused', '/my/{my}/contacts/new', submit='/contacts/new')],
    '/my/:token/emergency': [page('emergency', '/my/{my}/emergency')],
    '/my/:token/delete': [page('my-delete', '/my/{my}/delete')],
    '/a/:token': [page('answer', '/a/{answer}'), page('answer-safe', '/a/{answer_safe}'), page('answer-help', '/a/{answer_help}'),
                  page('answer-exercise', '/a/{answer_exercise}'), page('answer-gone', '/a/' + 'x' * 22, status=404), page('answer-refused', '/a/{answer}', submit='/a/')],
    '/desk/alert/:id/board': [page('board', '/desk/alert/{alert}/board'), page('board-help', '/desk/alert/{alert}/board?view=help'),
                              page('board-nobody', '/desk/alert/{over}/board?q=nobody')],
    '/desk/alert/:id/person/:person': [page('person', '/desk/alert/{alert}/person/{person}')],
    '/desk/alert/:id/calls': [page('calls', '/desk/alert/{alert}/calls'), page('call', '{call}', keyboard=True), page('calls-idle', '/desk/alert/{over}/calls'),
                              page('calls-paper', '/desk/alert/{alert}/calls?print=1', print=['Earthquake near Tehran', 'Outcome'])],
    '/desk/alert/:id/ask': [page('ask', '/desk/alert/{alert}/ask'), page('ask-over', '/desk/alert/{over}/ask')],
    '/desk/alert/:id/handover': [page('handover', '/desk/alert/{alert}/handover', print=['Earthquake near Tehran'])],
    '/unsubscribe/:token': [page('unsubscribe', '/unsubscribe/{unsubscribe}'), page('unsubscribe-gone', '/unsubscribe/' + 'x' * 22, status=404)],
    '/find': [page('find', '/find'), page('find-found', '/find?q=Teheran'), page('find-guess', '/find?q=Marakech'), page('find-nothing', '/find?q=qqqqqqqq')],
    '/country/:code': [page('country', '/country/IR'), page('country-small', '/country/MT'), page('country-wide', '/country/FJ'), page('country-gone', '/country/XQ', status=404)],
    '/my/:token': [page('my', '/my/{my}'), page('my-unconfirmed', '/my/{new_my}'), page('my-gone', '/my/' + 'x' * 22, status=404)],
    '/my/:token/trips/new': [page('trip-new', '/my/{my}/trips/new', keyboard=True), page('trip-refused', '/my/{my}/trips/new', submit='/trips/new')],
    '/my/:token/trips/:trip': [page('trip', '/my/{my}/trips/{trip}')],
    '/my/:token/watches/new': [page('watch-new', '/my/{my}/watches/new'), page('watch-refused', '/my/{my}/watches/new', submit='/watches/new')],
    '/my/:token/watches/:watch': [page('watch', '/my/{my}/watches/{watch}')],
    '/alert/:id': [page('alert', '/alert/{alert}', print=['Shelter indoors', 'Iran']), page('alert-over', '/alert/{over}'), page('alert-gone', '/alert/' + '0' * 32, status=404)],
    '/desk': [page('desk', '/desk')],
    '/desk/alerts': [page('alerts', '/desk/alerts')],
    '/desk/alerts/new': [page('alert-new', '/desk/alerts/new', keyboard=True), page('alert-new-refused', '/desk/alerts/new', submit='/alerts/new'),
                         page('alert-area-refused', '/desk/alerts/new', submit='/alerts/new', fill={'polygon': BOW_TIE, 'circle.0.place': 'Tehran', 'circle.0.km': '-3'})],
    '/desk/alert/:id': [page('progress', '/desk/alert/{alert}'), page('progress-over', '/desk/alert/{over}'), page('progress-exercise', '/desk/alert/{exercise}')],
    '/desk/alert/:id/edit': [page('draft', '/desk/alert/{draft}/edit'), page('update', '/desk/alert/{alert}/edit')],
    '/desk/alert/:id/review': [page('review', '/desk/alert/{draft}/review'), page('review-update', '/desk/alert/{alert}/review'),
                               page('sample-refused', '/desk/alert/{draft}/review', submit='/sample')],
    '/desk/alert/:id/send': [page('send', '/desk/alert/{draft}/send'), page('send-update', '/desk/alert/{alert}/send')],
    '/desk/inbox': [page('inbox', '/desk/inbox'), page('inbox-closed', '/desk/inbox?show=closed')],
    '/desk/inbox/:id': [page('inbox-item', '/desk/inbox/{item}', keyboard=True), page('inbox-mail', '/desk/inbox/{mail_item}'), page('inbox-gone', '/desk/inbox/' + 'f' * 32, status=404),
                        page('inbox-refused', '/desk/inbox/{item}', submit='/desk/inbox/', button='assign')],
    '/desk/messages': [page('lookup', '/desk/messages'), page('lookup-person', '/desk/messages?person={person}'), page('lookup-nobody', '/desk/messages?person=' + '0' * 32, status=404)],
    '/desk/delivery': [page('delivery', '/desk/delivery')],
    '/desk/me': [page('me', '/desk/me', keyboard=True), page('me-refused', '/desk/me', submit='/desk/me/password')],
    '/desk/users': [page('users', '/desk/users'), page('users-refused', '/desk/users', submit='/desk/users')],
}
FILES = {
    '/feed.atom': ('/feed.atom?lang=fr&country=IR', 'application/atom+xml'),
    '/push-worker.js': ('/push-worker.js', 'text/javascript'),
    '/my/:token/export': ('/my/{my}/export', 'application/json'),
    '/country/:code/map.svg': ('/country/IR/map.svg', 'image/svg+xml'),
    '/alert/:id/map.svg': ('/alert/{alert}/map.svg', 'image/svg+xml'),
    '/alerts/map.svg': ('/alerts/map.svg', 'image/svg+xml'),
    '/desk/alert/:id/map.svg': ('/desk/alert/{alert}/map.svg', 'image/svg+xml'),
    '/desk/alert/:id/board/events': ('/desk/alert/{alert}/board/events', 'text/event-stream'),
    '/desk/alert/:id/board.csv': ('/desk/alert/{alert}/board.csv', 'text/csv'),
    '/desk/alert/:id/events': ('/desk/alert/{alert}/events', 'text/event-stream'),
}


class Invented:
    """The demo's installation, with an officer and as many travellers' browsers as are asked for."""

    def __init__(self, folder):
        self.folder, self.readers = folder, 0
        self.demo = Demo(folder, f'sqlite:{folder}/chancery.db')
        self.base, self.simulator = self.demo.base, self.demo.simulator

    def command(self, *words):
        return self.demo.command(*words)

    def browser(self):
        """Each from an address of its own (RFC 2544), as behind the proxy: they do not share a budget of tries."""
        self.readers += 1
        return Browser(self.base, 'en', f'198.18.{self.readers >> 8}.{self.readers & 255}')

    def officer(self):
        browser = self.browser()
        link = re.search(r'http://\S+(/setup/\S+)', self.demo.printed).group(1)
        page_of_setup = browser.get(link).expect()
        secret = re.search(r'<code dir="ltr">([A-Z2-7 ]+)</code>', page_of_setup.source).group(1).replace(' ', '')
        page_of_setup.submit({'password': PASSWORD, 'again': PASSWORD, 'code': totp(secret)}).expect('recovery codes')
        return browser


class Facts:
    """Fills the installation through its pages and keeps the addresses that come of it."""

    def __init__(self, world):
        self.world, self.values, self.read = world, {}, set()
        self.officer = world.officer()
        self.values['setup'] = re.search(r'/setup/\S+', world.command('user', 'add', 'Reader Example', 'reader', '--permission', 'reader')).group(0)
        self.travellers()
        self.alerts()
        self.answers()
        self.incoming()

    def keep(self, name, text, pattern):
        found = re.search(pattern, text)
        if not found:
            raise AssertionError(f'no {name}: {pattern} in {text[:2000]}')
        self.values[name] = found.group(1)
        return found.group(1)

    def code(self, address):
        """The newest code that came to a mailbox and was not taken yet."""
        def newest():
            for message in self.world.simulator.mailbox(address):
                found = re.search(r'\b(\d{6})\b', message['text'])
                if found and message['sequence'] not in self.read:
                    self.read.add(message['sequence'])
                    return found.group(1)
            return None
        return wait_for(newest, f'a code for {address}')

    def travellers(self):
        day = lambda days: time.strftime('%Y-%m-%d', time.gmtime(time.time() + 86400 * days))  # noqa: E731
        stay = {'leg.0.place': 'Tehran', 'leg.0.from': day(0), 'leg.0.to': day(20)}
        my = self.enrol('my', AMAL, {'name': 'Amal Example', 'email': AMAL, **stay, 'emergency_name': 'Sami Example', 'emergency_relation': 'Brother',
                                     'emergency_email': 'sami@example.org', 'emergency_consent': 'yes'})
        browser = self.world.browser()
        browser.get(f'/my/{my}/watches/new').submit({'watch_place': 'Lyon', 'watch_radius': '30', 'watch_name': 'Daughter'}).expect()
        text = browser.get(f'/my/{my}').expect('Amal').source
        self.keep('trip', text, r'/trips/([0-9a-f]{8,})')
        self.keep('watch', text, r'/watches/([0-9a-f]{8,})')
        done = self.world.browser().get('/enrol').submit({'name': 'Zahra Example', 'email': 'zahra.pages@example.org', **stay}, action='/enrol').expect()
        self.keep('new_my', done.source, r'/my/([A-Za-z0-9_-]{20,})')
        self.keep('new_confirm', done.source, r'/confirm/([A-Za-z0-9_-]{20,})')

        # One more with companions, who reads Arabic; her number is on the call list.
        self.enrol('layla', LAYLA, {'name': 'ليلى مثال', 'language': 'ar', 'email': LAYLA, 'mobile': '20 123 456', 'mobile_country': 'TN', **stay,
                                    'companions': '2', 'companion_names': 'عمر مثال\nNour Example'})

        # Two people who share a mailbox choose who they are; one who asked has not typed the code yet.
        self.enrol('shared', SHARED, {'name': 'Bilal Example', 'email': SHARED, **stay})
        self.enrol('shared', SHARED, {'name': 'Bilal Example the Younger', 'email': SHARED, **stay})
        asked = self.world.browser().get('/my').submit({'address': SHARED}, action='/my').expect()
        chosen = asked.submit({'code': self.code(SHARED)}, having='code').expect('Younger')
        self.keep('choose', chosen.url, r'/my/choose/([A-Za-z0-9_-]{20,})')
        asked = self.world.browser().get('/my').submit({'address': AMAL}, action='/my').expect()
        self.keep('code', asked.url, r'/my/code/([A-Za-z0-9_-]{20,})')

    def enrol(self, name, address, values):
        """Enrols and confirms the address; keeps the token of the person's page under `name`."""
        done = self.world.browser().get('/enrol').submit(values, action='/enrol').expect(address)
        code_field = next(one for form in done.forms for one in form.names if one.startswith('code'))
        done.submit({code_field: self.code(address)}, having=code_field).expect()
        return self.keep(name, done.source, r'/my/([A-Za-z0-9_-]{20,})')


    def alerts(self):
        """One in force with an update begun, one ended, an exercise, a draft."""
        alert = self.send(self.draft('alert', {**TEXTS, 'countries': 'Iran'}))
        self.send(self.draft('exercise', {**TEXTS, 'countries': 'Iran', 'exercise': 'yes'}))
        over = self.send(self.draft('over', {**TEXTS, 'text.0.headline': 'Demonstrations in Tehran', 'text.2.headline': 'مظاهرات في طهران', 'countries': 'Iran', 'severity': '3'}))
        self.send(self.next(over, '4'))
        self.next(alert, '2')
        self.draft('draft', {**TEXTS, 'countries': 'Iran; France', 'circle.0.place': '33.3, 44.4', 'circle.0.km': '50', 'text.0.sms': 'Long words ' * 40})

    def answers(self):
        """From the mails of the first alert: one is safe, one needs help and was taken, one is being called, the rest are silent."""
        def mailed():
            for address, name in ((AMAL, 'answer_safe'), (SHARED, 'answer_help'), (LAYLA, 'answer')):
                for message in self.world.simulator.mailbox(address):
                    link = re.search(r'/a/([A-Za-z0-9_-]{20,})', message['text'])
                    exercise = 'EXERCISE' in message['subject'] or 'تمرين' in message['subject']
                    if link and 'Demonstrations' not in message['subject'] and 'مظاهرات' not in message['subject']:
                        self.values.setdefault('answer_exercise' if exercise else name, link.group(1))
                        self.keep('unsubscribe', message['list_unsubscribe'], r'/unsubscribe/([A-Za-z0-9_-]{20,})')
            return all(name in self.values for name in ('answer', 'answer_safe', 'answer_help', 'answer_exercise'))
        wait_for(mailed, 'the mails of the alert')
        browser = self.world.browser()
        browser.get('/a/' + self.values['answer_safe']).submit({'note': 'All well'}, button='safe', having='note').expect()
        browser.get('/a/' + self.values['answer_help']).submit({'note': 'Broken leg, no medicine', 'place': 'Hotel by the bridge'}, button='help', having='note').expect()
        alert = self.values['alert']
        # The lists of the board are filled a moment after the sums.
        board = wait_for(lambda: next((one for one in [self.officer.get(f'/desk/alert/{alert}/board?view=help')] if 'Bilal' in one.text), None), 'the board')
        person = self.keep('person', board.source, r'/person/([0-9a-f]+)')
        self.officer.get(f'/desk/alert/{alert}/person/{person}').submit({}, button='take', action=person).expect()
        wait_for(lambda: self.next_call(alert), 'someone to call')

    def incoming(self):
        """What nobody can match: a text from an unknown phone and a mail from an unknown sender."""
        self.world.simulator.text_from('+21698765432', 'Is the road to the airport open? عاجل', to='7070')
        self.world.simulator.mail_from('stranger@example.org', 'Nobody answers at the consulate.\n\nPlease call.', subject='Lost passport', to='alerts@chancery.example')
        def arrived():
            found = dict(re.findall(r'href="/desk/inbox/([0-9a-f]+)(?:\?[^"]*)?"><bdi>([^<]*)', self.officer.get('/desk/inbox').source))
            for item, excerpt in found.items():
                if 'airport' in excerpt or 'Nobody answers' in excerpt:
                    self.values['item' if 'airport' in excerpt else 'mail_item'] = item
            return 'item' in self.values and 'mail_item' in self.values
        wait_for(arrived, 'two messages in the inbox')
        item = self.officer.get('/desk/inbox/' + self.values['item'])
        token = next(form for form in item.forms if form.action.startswith('/desk/inbox/'))
        self.officer.post('/desk/inbox/' + self.values['item'], [*map(tuple, token.fields), ('do', 'take')]).expect()

    def next_call(self, alert):
        """Asks for the next person to call; the address of the page with their numbers, or None."""
        done = self.officer.get(f'/desk/alert/{alert}/calls').submit({}, having='form_token', action='/calls').expect()
        if not any(form.action.startswith(f'/desk/alert/{alert}/calls/') for form in done.forms):
            return None
        self.values['call'] = done.url.removeprefix(self.world.base)
        return done

    def draft(self, name, values):
        done = self.officer.get('/desk/alerts/new').submit(values, button='review', action='/alerts/new').expect()
        return self.keep(name, done.url, r'/desk/alert/([0-9a-f]+)/review')

    def next(self, alert, kind):
        done = self.officer.get(f'/desk/alert/{alert}')
        form = next(one for one in done.forms if one.action.endswith('/next'))
        token = next(value for name, value in form.fields if name == 'form_token')
        self.officer.post(f'/desk/alert/{alert}/next', {'form_token': token, 'type': kind}).expect()
        done = self.officer.get(f'/desk/alert/{alert}/edit')
        done.submit({}, button='review', action='/edit').expect()
        return alert

    def send(self, alert):
        self.officer.get(f'/desk/alert/{alert}/send').submit({}, action='/send').expect()
        return alert


def plan_pages(routes, facts, wanted):
    """The plan's pages; fails when the table and the program's routes differ."""
    patterns = {route['path']: route for route in routes if route['method'] == 'GET' and route['permission'] != 'private'}
    known = set(PAGES) | set(FILES)
    missing, gone = sorted(set(patterns) - known), sorted(known - set(patterns))
    if missing or gone:
        raise AssertionError(f'tests/scenarios/pages.py has no entry for {missing} and entries for {gone}, which the program has not')
    pages = []
    for pattern, entries in PAGES.items():
        public = patterns[pattern]['permission'] == 'anyone'
        for entry in entries:
            if wanted and not entry['name'].startswith(tuple(wanted)):
                continue
            path = entry['path'].format(**facts.values)
            pages.append({'as': 'anyone' if public else 'officer', 'light': public and 'submit' not in entry, **entry, 'path': path})
    return pages


def check_files(world, facts):
    """Routes that answer with something else than a page: a stream never ends, so only the head is read."""
    for pattern, (path, content_type) in FILES.items():
        connection = http.client.HTTPConnection(world.base.removeprefix('http://'), timeout=30)
        connection.request('GET', path.format(**facts.values), headers={'Cookie': '; '.join(f'{one}={two}' for one, two in facts.officer.cookies.items())})
        answer = connection.getresponse()
        found = answer.getheader('content-type', '')
        connection.close()
        assert answer.status == 200 and found.startswith(content_type), f'{pattern}: {answer.status} {found}'


def walk(world):
    """Fills the world, writes the plan and lets the browser follow it."""
    facts = Facts(world)
    routes = [json.loads(line) for line in world.command('--json', 'routes').splitlines()]
    plan = {
        'base': world.base, 'chromium': shutil.which('chromium'), 'languages': os.environ.get('LANGUAGES', 'en ar').split(),
        'thorough': bool(os.environ.get('THOROUGH')), 'screenshots': os.environ.get('SCREENSHOTS'),
        'cookies': {'anyone': [], 'officer': list(facts.officer.cookies.items())},
        'pages': plan_pages(routes, facts, os.environ.get('PAGES', '').split()),
    }
    check_files(world, facts)
    path = world.folder / 'plan.json'
    path.write_text(json.dumps(plan), encoding='utf-8')
    done = subprocess.run([NODE, PROGRAM, path], check=False, timeout=1200)
    assert done.returncode == 0, 'pages with something wrong: see above'
    world.command('check')


def main():
    assert shutil.which('chromium') and NODE.exists(), 'Debian\'s chromium and the npm packages are needed (./test installs both)'
    folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-pages-'))
    world = None
    try:
        world = Invented(folder)
        walk(world)
    finally:
        if world:
            world.demo.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
