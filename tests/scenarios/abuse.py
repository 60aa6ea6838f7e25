#!/usr/bin/env python3
# stores: sqlite
"""What hostile and clumsy people send: never an error of ours, never a partial change, never somebody locked out."""
import concurrent.futures
import http.client
import math
import pathlib
import random
import re
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import Alert  # noqa: E402
from chancery import PATIENCE, World, store_argument  # noqa: E402
from traveller import codes_of, enrol, form_values, source, wait_code  # noqa: E402

WRONG_CODES = 10000
TABLES = ('person', 'person_name', 'contact', 'emergency_contact', 'trip', 'companion', 'leg', 'watch', 'code', 'message', 'message_text')


def stored(world):
    """How many rows of everything that an enrolment writes: what must not change by what is refused."""
    return {table: world.number(f'SELECT count(*) FROM {table}') for table in TABLES}


def token_of(page, having='name'):
    return [value for name, value in page.form(having).fields if name == 'form_token'][0]


class Poster:
    """Posts a form over one kept connection, as fast as it goes; every answer's status."""

    def __init__(self, world, cookies):
        self.connection = http.client.HTTPConnection('127.0.0.1', world.port, timeout=60 * PATIENCE)
        self.cookie = '; '.join(f'{name}={value}' for name, value in cookies.items())

    def post(self, path, fields, client):
        body = urllib.parse.urlencode(fields)
        self.connection.request('POST', path, body, {'Content-Type': 'application/x-www-form-urlencoded', 'Cookie': self.cookie, 'X-Forwarded-For': client})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def cross_site(world):
    """Posts that did not come from our own form in this very browser are refused, and change nothing."""
    before = stored(world)
    browser = world.browser()
    page = browser.get('/enrol')
    fields = dict(page.form('name').fields) | form_values(world, mail='cross@example.org')
    token = fields.pop('form_token')
    plain = urllib.parse.urlencode(fields)
    signed = urllib.parse.urlencode(fields | {'form_token': token})
    kind = {'Content-Type': 'application/x-www-form-urlencoded'}
    refused = [
        (browser, plain, {}),
        (browser, plain + '&form_token=', {}),
        (browser, plain + '&form_token=' + token[:-1] + ('0' if token[-1] != '0' else '1'), {}),
        (browser, plain + '&form_token=' + 'x' * 4000, {}),
        (browser, signed, {'Origin': 'https://evil.example'}),
        (browser, signed, {'Origin': world.base + '.evil.example'}),
        (browser, signed, {'Sec-Fetch-Site': 'cross-site'}),
        (browser, signed, {'Sec-Fetch-Site': 'same-site'}),
        (world.browser(), signed, {}),
    ]
    other = world.browser()
    other.get('/enrol')
    refused.append((other, signed, {}))
    for one, body, headers in refused:
        answer = one.request('POST', '/enrol', body, {**kind, **headers})
        assert answer.status == 403, (answer.status, body[-60:], headers)
    for content in ('text/plain', 'application/json', 'multipart/form-data'):
        answer = browser.request('POST', '/enrol', signed, {'Content-Type': content})
        assert 400 <= answer.status < 500, (content, answer.status)
    for method in ('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'BREW'):
        assert browser.request(method, '/enrol').status in (400, 405, 501), method
    assert stored(world) == before
    return len(refused)


def double_submit(world):
    """One form sent twice, or eight times at once, is one enrolment, and the answer is the first one's."""
    browser = world.browser()
    page = browser.get('/enrol')
    fields = dict(page.form('name').fields) | form_values(world, name='Twice Example', mail='twice@example.org', phone='+21620000001')
    first = browser.post('/enrol', fields, follow=False)
    again = browser.post('/enrol', fields, follow=False)
    assert (first.status, again.status) == (303, 303), (first.status, again.status)
    assert first.headers['location'] == again.headers['location']
    page = browser.get('/enrol')
    fields = dict(page.form('name').fields) | form_values(world, name='Many Example', mail='many@example.org')
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: browser.request('POST', '/enrol', urllib.parse.urlencode(fields), {'Content-Type': 'application/x-www-form-urlencoded'}),
                                range(8)))
    assert {answer.status for answer in answers} == {303}, [answer.status for answer in answers]
    assert len({answer.headers['location'] for answer in answers}) == 1
    wait_code(world, 'twice@example.org')
    wait_code(world, '+21620000001')
    wait_code(world, 'many@example.org')
    for name in ('Twice', 'Many'):
        assert world.number(f"SELECT count(*) FROM person_name WHERE name = '{name} Example'") == 1, name
    assert len(codes_of(world, 'twice@example.org')) == len(codes_of(world, '+21620000001')) == len(codes_of(world, 'many@example.org')) == 1


def code_budget(world):
    """Nobody's phone is flooded: five codes an address, whoever asks and however often; the enrolments themselves are kept."""
    victim = '+21620000002'
    for number in range(9):
        page = world.browser(source=source(1000 + number)).get('/enrol').submit(form_values(world, name=f'Pump {number}', phone=victim))
        page.expect()
    answer = page.submit({}, action='/send')
    answer.expect('Too many codes', status=429)
    assert answer.form('contact', action='/send'), 'the form is there again'
    world.simulator.wait('phones', received=1)
    assert world.number("SELECT count(*) FROM person_name WHERE name LIKE 'Pump %'") == 9
    queued = world.number(f"SELECT count(*) FROM code JOIN contact ON contact.id = code.contact_id WHERE contact.address = '{victim}'")
    assert queued == 5, queued
    # One source that enrols the world is slowed down, and others go on.
    statuses = [world.browser(source=source(2000)).get('/enrol').submit(form_values(world, mail=f'pump{number}@example.org')).status
                for number in range(80)]
    assert 200 in statuses and 429 in statuses and set(statuses) <= {200, 429}, set(statuses)
    world.browser(source=source(2001)).get('/enrol').submit(form_values(world, mail='other@example.org')).expect()


def wrong_codes(world):
    """Ten thousand guesses by a thousand sources: none is right, few are even looked at, and the owner still gets in."""
    owner = world.browser(source=source(3000))
    page = owner.get('/enrol').submit(form_values(world, name='Guessed Example', phone='+21620000003'))
    code = wait_code(world, '+21620000003')
    form = [one for one in page.forms if any(name.startswith('code_') for name in one.names)][0]
    fields = dict(form.fields)
    name = [one for one in form.names if one.startswith('code_')][0]
    path = urllib.parse.urlsplit(form.action).path
    guesses = random.Random(1)

    def run(worker):
        poster, seen = Poster(world, owner.cookies), {}
        for number in range(worker, WRONG_CODES, 4):
            guess = f'{guesses.randrange(1000000):06d}'
            while guess == code:
                guess = f'{guesses.randrange(1000000):06d}'
            status = poster.post(path, fields | {name: guess}, source(4000 + number % 1000))
            seen[status] = seen.get(status, 0) + 1
        return seen

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        seen = {}
        for part in pool.map(run, range(4)):
            for status, count in part.items():
                seen[status] = seen.get(status, 0) + count
    took = time.monotonic() - begun
    assert set(seen) <= {422, 429}, seen
    looked_at = world.number("SELECT sum(wrong) FROM code")
    assert looked_at <= 12 + took, (looked_at, took)
    # The owner waits no longer than what the page says, from another phone than the guessers'.
    end = time.monotonic() + 60
    while True:
        answer = page.submit({name: code}, having=name)
        if answer.status == 200:
            break
        assert answer.status in (422, 429) and time.monotonic() < end, answer.text
        wait = re.search(r'(?:Wait|wait) (\d+) second', answer.text)
        assert wait and int(wait.group(1)) <= 31, answer.text
        time.sleep(int(wait.group(1)))  # as the page told a person to
    assert '/my/' in answer.url
    answer = owner.get(path)
    assert 'name="code_' not in answer.source
    return WRONG_CODES / took, looked_at


def links(world):
    """Damaged, foreign and ended links say so and offer a new one; none opens anything."""
    browser, mine = enrol(world, source(5000), name='Linked Example', mail='linked@example.org')
    path = urllib.parse.urlsplit(mine.url).path
    _, other = enrol(world, source(5001), name='Somebody Else', mail='else@example.org')
    other_path = urllib.parse.urlsplit(other.url).path
    token, foreign = path.rsplit('/', 1)[1], other_path.rsplit('/', 1)[1]
    confirm_token = re.search(r'/confirm/([a-z0-9]+)', browser.get(path).source)
    tried = 0
    spoiled = [token[:at] + ('x' if token[at] != 'x' else 'y') + token[at + 1:] for at in range(len(token))]
    spoiled += [token[:-1], token + '0', '0' + token, token.upper(), foreign[:1] + token[1:], token[:-20] + foreign[-20:], '', '0', 'x' * 5000, '%00', '%2e%2e%2f',
                "'; DROP TABLE person; --", 'ا' * 20]
    for prefix in ('/my/', '/confirm/', '/unsubscribe/', '/my/code/', '/my/choose/'):
        for one in spoiled + [token]:
            if prefix == '/my/' and one in (token, ''):
                continue
            page = browser.get(prefix + urllib.parse.quote(one, safe='%'))
            assert 400 <= page.status < 500 or (prefix == '/my/' and page.url.endswith('/my')), (prefix, one[:40], page.status)
            assert 'Linked' not in page.text and 'Else' not in page.text, (prefix, one)
            tried += 1
    page = browser.get(path[:-1] + ('x' if path[-1] != 'x' else 'y'))
    page.expect('no longer works', status=404)
    page.follow('/my').expect()
    assert confirm_token is None or browser.get('/my/' + confirm_token.group(1)).status == 404
    # Ended by their owner: the old address opens nothing, the new one everything.
    fresh = browser.get(path).submit({}, action='/links').expect('Linked Example')
    assert fresh.url.split('?')[0] != browser.base + path
    browser.get(path).expect('no longer works', status=404)
    # Ended by time: of the link itself and of the code.
    late = world.browser(source=source(5002))
    page = late.get('/enrol').submit(form_values(world, name='Late Example', mail='late@example.org')).expect()
    code = wait_code(world, 'late@example.org')
    world.move_clock(11 * 60)
    name = [one for form in page.forms for one in form.names if one.startswith('code_')][0]
    page.submit({name: code}, having=name).expect('no longer works', status=422)
    again = page.submit({}, action='/send').expect()
    newer = wait_code(world, 'late@example.org', already=1)
    again.submit({name: newer}, having=name).expect('Late Example')
    world.move_clock(3 * 86400)
    assert late.get(page.url).status == 404
    world.move_clock(0)
    return tried


LONG = 'x' * 400
BAD_FIELDS = [
    # what is changed in a good form, what the page then says beside the field
    ({'name': ''}, None),
    ({'name': '   '}, None),
    ({'name': LONG}, None),
    ({'name': '\u202e' + 'ا' * 400}, None),
    ({'name': 'two\nlines'}, None),
    ({'email': '', 'mobile': ''}, 'otherwise we cannot reach you'),
    ({'email': 'nobody'}, None),
    ({'email': 'a@b@c'}, None),
    ({'email': 'a@example.org\r\nBcc: b@example.org'}, None),
    ({'email': LONG + '@example.org'}, None),
    ({'mobile': '123', 'mobile_country': 'TN'}, 'digits'),
    ({'mobile': '+' + '1' * 40}, 'digits'),
    ({'mobile': '+999123456789'}, 'no country'),
    ({'mobile': '20 123 456', 'mobile_country': ''}, 'country'),
    ({'mobile': 'call me'}, 'not a telephone number'),
    ({'leg.0.place': ''}, 'where you will be'),
    ({'leg.0.place': 'Qwxzkjhgf'}, 'no place called'),
    ({'leg.0.place': '95, 10'}, 'do not exist'),
    ({'leg.0.place': LONG}, 'at most 200'),
    ({'leg.0.from': ''}, 'first day'),
    ({'leg.0.from': '2027-02-30'}, 'not a day'),
    ({'leg.0.from': '30/02/2027'}, 'not a day'),
    ({'leg.0.from': 'tomorrow'}, 'not a day'),
    ({'leg.0.from': '9' * 400}, 'not a day'),
    ({'leg.0.from': '2026-01-02', 'leg.0.to': '2026-01-09'}, None),
    ({'leg.0.unsure_days': '-1'}, '0 to 60'),
    ({'leg.0.unsure_days': '9' * 30}, '0 to 60'),
    ({'leg.0.radius': '123456789'}, 'one of the distances'),
    ({'companions': '100'}, '0 to 99'),
    ({'companions': 'many'}, '0 to 99'),
    ({'companion_names': 'x\n' * 100}, None),
    ({'note': 'x' * 1001}, '1,000'),
    ({'emergency_name': 'Mother Example'}, None),
    ({'watch_place': 'Qwxzkjhgf'}, 'no place called'),
    ({'watch_radius': '0', 'watch_place': 'Tunis'}, '1 to 2,000'),
    ({'watch_polygon': '{"type":"Polygon","coordinates":[[[0,0],[1,1]'}, 'cannot read'),
    ({'watch_polygon': '{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}'}, 'half of the world'),
    ({'watch_polygon': '{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}'}, 'crosses itself'),
    ({'watch_polygon': '[' * 100000}, None),
    ({'watch_polygon': 'x' * 500000}, None),
]


def bad_fields(world):
    """Every rule of the form has its message, the form comes back filled, and nothing is stored."""
    before = stored(world)
    for number, (change, said) in enumerate(BAD_FIELDS):
        browser = world.browser(source=source(6000 + number))
        page = browser.get('/enrol')
        values = dict(form_values(world, name='Badly Example', mail='badly@example.org')) | change
        if any(name.startswith('watch') for name in change):
            values = {name: value for name, value in values.items() if not name.startswith('leg')}
        answer = page.submit(values)
        assert answer.status == 422, (change, answer.status, answer.text[:500])
        assert said is None or said in answer.text, (change, said, answer.text[:1500])
        assert 'error' in answer.source, change
        kept = dict(answer.form('name').fields)
        for name, value in values.items():
            if name in ('name', 'email', 'leg.0.place', 'leg.0.from') and len(value) < 250 and '\n' not in value and '\r' not in value and name in kept:
                assert kept[name].strip() == value.strip(), (name, value, kept[name])
    # Reversed, thirty years long and far away: relative to today.
    for begins, ends, said in ((9, 2, 'before the first day'), (1, 1 + 30 * 365, None), (30 * 365, 30 * 365 + 5, 'three years'), (-20, -10, 'over already')):
        page = world.browser(source=source(6500 + begins % 50)).get('/enrol')
        answer = page.submit(form_values(world, mail='badly@example.org', legs=[('Tunis', begins, ends)]))
        assert answer.status == 422 and (said is None or said in answer.text), (begins, ends, answer.status, answer.text[:800])
    assert stored(world) == before
    return len(BAD_FIELDS) + 4


def good_fields(world):
    """What looks odd and is right is taken."""
    persian = str.maketrans('0123456789-', '۰۱۲۳۴۵۶۷۸۹-')
    arabic = str.maketrans('0123456789', '٠١٢٣٤٥٦٧٨٩')
    good = [
        {'name': 'X'},
        {'name': '李'},
        {'name': 'م' * 200},
        {'name': 'Zoë 👩🏽\u200d🚀 O’Brien-Nguyễn'},
        {'name': '<script>alert(1)</script>'},
        {'name': '=cmd|\' /C calc\'!A0'},
        {'phone': '+21620000009'.translate(arabic)},
        {'leg.0.place': 'تهران'},
        {'leg.0.place': 'Тегеран'},
        {'leg.0.place': '۳۵٫۷, ۵۱٫۴'},
    ]
    for number, change in enumerate(good):
        browser = world.browser('fa' if 'place' in str(change) else 'en', source=source(7000 + number))
        values = form_values(world, **({'mail': f'good{number}@example.org'} | {key: value for key, value in change.items() if key in ('name', 'phone')}))
        values |= {key: value for key, value in change.items() if key.startswith('leg')}
        if 'leg.0.place' in change and change['leg.0.place'].startswith('۳'):
            values['leg.0.from'] = values['leg.0.from'].translate(persian)
        answer = browser.get('/enrol').submit(values)
        assert answer.status == 200, (change, answer.status, answer.text[:1500])
        assert '<script>alert' not in answer.source
    return len(good)


PEOPLE_HEAD, TRIPS_HEAD = 'id,name,language,email,mobile\n', 'person_id,from,to,latitude,longitude\n'
GOOD_LINE = 'A1,Amal Example,en,import1@example.org,\n'
BAD_FILES = [
    # kind, content, what standard error must say
    ('people', (PEOPLE_HEAD + GOOD_LINE).encode('utf-16'), 'UTF-16'),
    ('people', (PEOPLE_HEAD + 'A1,Zoé Example,en,import1@example.org,\n').encode('latin-1'), 'not UTF-8'),
    ('people', b'', 'empty'),
    ('people', b'\0' * 1000, 'no text'),
    ('people', random.Random(7).randbytes(100000), 'no text'),
    ('people', ','.join(f'c{number}' for number in range(1000)) + '\n', '200 columns'),
    ('people', PEOPLE_HEAD + GOOD_LINE + ','.join(['x'] * 1000) + '\n', '200 columns'),
    ('people', PEOPLE_HEAD + GOOD_LINE + 'A2,' + 'x' * 50_000_000 + ',en,b@example.org,\n', 'longer than'),
    ('people', PEOPLE_HEAD + GOOD_LINE + '"A2,' + 'x' * 50_000_000, 'longer than'),
    ('people', PEOPLE_HEAD + GOOD_LINE + GOOD_LINE, 'here already'),
    ('people', PEOPLE_HEAD + GOOD_LINE + 'A2,,en,b@example.org,\n', 'name'),
    ('people', PEOPLE_HEAD + GOOD_LINE + 'A2,' + 'x' * 400 + ',en,b@example.org,\n', '200 characters'),
    ('people', PEOPLE_HEAD + GOOD_LINE + 'A2,Y,xx,b@example.org,\n', 'none of ours'),
    ('people', PEOPLE_HEAD + GOOD_LINE + 'A2,Y,en,nobody,\n', 'email'),
    ('people', PEOPLE_HEAD + GOOD_LINE + 'A2,Y,en,,123\n', 'mobile'),
    ('people', PEOPLE_HEAD.replace('mobile', 'phone') + GOOD_LINE, 'nobody knows the column'),
    ('people', 'name\nAmal\n', 'no column'),
    ('trips', TRIPS_HEAD + 'T1,2027-02-30,2027-03-02,36,10\n', 'no day'),
    ('trips', TRIPS_HEAD + 'T1,2027-01-01,2057-03-02,36,10\n', 'at most'),
    ('trips', TRIPS_HEAD + 'T1,2027-01-09,2027-01-02,36,10\n', 'before'),
    ('trips', TRIPS_HEAD + 'T1,2027-01-01,2027-01-02,96,10\n', 'degrees'),
    ('trips', TRIPS_HEAD + 'T1,2027-01-01,2027-01-02,nan,10\n', 'degrees'),
    ('trips', TRIPS_HEAD + 'nobody,2027-01-01,2027-01-02,36,10\n', 'nobody with'),
    ('watches', '[', 'FeatureCollection'),
    ('watches', '{"type":"FeatureCollection","features":[{"type":"Feature","id":"w","properties":{},"geometry":{"type":"Point","coordinates":[0,0]}}]}', 'Polygon'),
    ('watches', '{"type":"FeatureCollection","features":' + '[' * 100000, None),
]


def bad_files(world):
    """Files that are no good bring in nothing at all, say why by line, and leave nothing half done."""
    path = world.folder / 'file'
    path.write_text(PEOPLE_HEAD + 'T1,Traveller Example,en,traveller1@example.org,\n', encoding='utf-8')
    world.command('import', 'people', str(path), '--contacts-confirmed', '--operator', 'Scenario')
    before = stored(world)
    for kind, content, said in BAD_FILES:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        world.command('import', kind, str(path), wanted=1)
        assert said is None or said in world.last_stderr, (kind, content[:80], said, world.last_stderr[-500:])
        assert stored(world) == before, (kind, content[:80])
    # Digits of other scripts, a byte order mark, semicolons, quotes and line ends of Windows are all right.
    good = '\ufeffid;name;language;email;mobile\r\nA1;"Amal ""A."" Example";fa;;+۲۱۶۲۰۰۰۰۰۷۷\r\n'
    path.write_text(good, encoding='utf-8', newline='')
    world.command('import', 'people', str(path))
    path.write_text('person_id,from,to,place\nA1,۲۰۲۷-۰۱-۰۱,2027-01-09,Tunis\n', encoding='utf-8')
    world.command('import', 'trips', str(path))
    assert world.number("SELECT count(*) FROM contact WHERE address = '+21620000077' AND confirmed_at IS NULL") == 1
    return len(BAD_FILES)


def ring(points):
    """Text of a round outline of so many points, one latitude and longitude a line."""
    return '\n'.join(f'{31.5 + math.sin(2 * math.pi * number / points):.7f} {5 + math.cos(2 * math.pi * number / points):.7f}' for number in range(points))


WORLD = '{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}'
BAD_AREAS = [
    ('', 'Say where'),
    ('nonsense', 'not a number'),
    ('31 5\n32', 'without its longitude'),
    ('31 5\n32 6', 'three'),
    ('31 5\n32 6\n33 7', 'line'),
    ('31 5\n91 6\n33 8', 'Latitude'),
    ('31 5\n32 nan\n33 8', None),
    ('1e999 5\n32 6\n33 8', None),
    ('120 31\n121 31\n121 32', 'swapped'),
    ('0 0\n2 2\n2 0\n0 2', 'cross'),
    ('{"type":"Polygon","coordinates":[[[5,31],[6,31],[6,32],[5,31]]]', 'JSON'),
    ('{"type":"Point","coordinates":[5,31]}', 'no polygon'),
    ('{"type":"Polygon","coordinates":[[["5","31"],[6,31],[6,32],["5","31"]]]}', None),
    ('{"type":"Polygon","coordinates":' + '[' * 100000, None),
    ('[' * 500000, None),
]


def bad_alerts(world):
    """What officers paste and type: each mistake has its message, a draft is stored whole or not at all, and sending happens once."""
    officer = world.officer()
    alert = Alert(world, officer)
    drafts = world.number('SELECT count(*) FROM alert')
    for area, said in BAD_AREAS:
        page = alert.try_to_write('one', area)
        assert page.status == 422 and 'error' in page.source, (area[:60], page.status, page.text[:500])
        assert said is None or said in page.text, (area[:60], said, page.text[:3000])
    for change in ({'zone': 'Mars/Olympus'}, {'expires_date': '2027-02-30'}, {'expires_date': '2020-01-01'}, {'expires_date': '2050-01-01'}, {'expires_time': '25:99'},
                   {'text.0.headline': 'x' * 161}, {'text.0.instruction': 'x' * 5001}, {'text.0.headline': ''}, {'channels': ()}, {'kind': '77'}, {'severity': '0'},
                   {'countries': 'Atlantis'}, {'circle.0.place': 'Tunis'}, {'circle.0.km': '5'}, {'circle.0.place': 'Tunis', 'circle.0.km': '-1'}):
        page = alert.try_to_write('one', ring(4), **change)
        assert page.status == 422 and 'error' in page.source, (change, page.status, page.text[:1500])
    page = alert.try_to_write('one', ring(200001))
    assert page.status == 422 and '200,000' in page.text or page.status == 413, (page.status, page.text[:500])
    assert world.number('SELECT count(*) FROM alert') == drafts

    # The whole world may be meant, but not without being told so before it is sent.
    alert.write('one', WORLD).expect('nearly the whole world')
    # Two hundred thousand points are a real outline.
    page = alert.write('one', ring(200000))
    page.expect('Whom it reaches')
    # Sent by two officers at once, and twice by each: it goes out once.
    page = page.follow('/send').expect()
    form = page.form('people')
    windows = [world.again() for _ in range(4)]
    fields = dict(form.fields)

    def send(window):
        return window.request('POST', form.action, urllib.parse.urlencode(fields), {'Content-Type': 'application/x-www-form-urlencoded'}).status

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(send, windows))
    assert set(statuses) <= {303, 409} and 303 in statuses, statuses
    assert world.number('SELECT count(*) FROM notice') == 1
    # A reader may look and not touch.
    reader = world.officer('reader', 'reader')
    assert reader.get('/desk/alerts/new').status == 403
    assert reader.request('POST', form.action, urllib.parse.urlencode(fields), {'Content-Type': 'application/x-www-form-urlencoded'}).status == 403
    reader.get(alert.path).expect()
    return len(BAD_AREAS) + 16


def smuggled_heads(world):
    """Heads that two readers may read differently are refused, and nothing of what follows them is carried out."""
    post = 'POST /enrol HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n'
    heads = [
        post + 'Content-Length: 5\r\nContent-Length: 6\r\n\r\na=b&c',
        post + 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n',
        post + 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
        post + 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
        post + 'Content-Length: -5\r\n\r\n',
        post + 'Content-Length: 0x5\r\n\r\na=b&c',
        post + 'Content-Length: 99999999999999999999\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
        'GET / HTTP/1.1\r\n\r\n',
        'GET /\x01 HTTP/1.1\r\nHost: {host}\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: {host}\r\nX-A: a\x00b\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: {host}\r\n folded: yes\r\n\r\n',
        'GET / HTTP/9.9\r\nHost: {host}\r\n\r\n',
        'GET ' + '/' * 100000 + ' HTTP/1.1\r\nHost: {host}\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: {host}\r\n' + ''.join(f'X-{n}: {"v" * 100}\r\n' for n in range(2000)) + '\r\n',
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + 'x' * 200 + '\r\n\r\n',
    ]
    for head in heads:
        with socket.create_connection(('127.0.0.1', world.port), timeout=30 * PATIENCE) as connection:
            answer = b''
            try:
                # A refusal may come, and the line be closed, before all was said.
                connection.sendall(head.replace('{host}', f'127.0.0.1:{world.port}').encode('latin-1'))
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            try:
                while piece := connection.recv(65536):
                    answer += piece
            except OSError:
                pass
        # libmicrohttpd may write its own refusal's head twice before it closes; what counts is that nothing was answered with more.
        statuses = re.findall(rb'HTTP/1\.[01] (\d{3})', answer)
        assert all(400 <= int(status) < 500 or status in (b'501', b'505') for status in statuses), (head[:120], answer[:300])
    return len(heads)


def main():
    with World(store_argument(), test_clock=True) as world:
        refused = cross_site(world)
        double_submit(world)
        code_budget(world)
        rate, looked_at = wrong_codes(world)
        tried = links(world)
        rules = bad_fields(world)
        good = good_fields(world)
        files = bad_files(world)
        alerts = bad_alerts(world)
        heads = smuggled_heads(world)
        metrics = world.metrics()
        assert metrics['chancery_http_responses_total{class="5xx"}'] == 0, metrics
        world.check()
        print(f'abuse: {refused} cross-site posts refused, {WRONG_CODES} wrong codes at {rate:.0f}/s of which {looked_at} were looked at, {tried} links spoiled, '
              f'{rules} bad and {good} odd enrolments, {files} bad files, {alerts} bad alerts, {heads} heads; never an error of ours')


if __name__ == '__main__':
    main()
