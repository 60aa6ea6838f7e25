"""What officers do with alerts, through the pages; and what arrived of them."""
import datetime
import json
import re

LANGUAGES = ['en', 'fr', 'ar', 'fa']
WORDS = {'en': 'Earthquake', 'fr': 'Séisme', 'ar': 'زلزال', 'fa': 'زمین‌لرزه'}
ADVICE = {'en': 'Go outside', 'fr': 'Sortez', 'ar': 'اخرجوا', 'fa': 'بیرون بروید'}
EXTREME, SEVERE, MODERATE, MINOR = 1, 2, 3, 4
UPDATE, CANCEL, CLEAR = 2, 3, 4
GROUPS = {'new': 0, 'changed': 1, 'released': 2}
MARK = re.compile(r'<(\w+)-(new|changed|released)-(\w\w)>|‹(\w+)-(new|changed|released)-(\w\w)›|\((\w+)-(new|changed|released)-(\w\w)\)')
STATES = ['queued', 'submitted', 'accepted', 'delivered', 'failed', 'expired', 'superseded', 'in doubt', 'not sent']
LABELS = {'All': 'planned', 'Waiting': 'queued', 'Being handed over': 'submitted', 'Accepted': 'accepted', 'Delivered': 'delivered', 'Failed': 'failed',
          'Expired': 'expired', 'Superseded': 'superseded', 'In doubt': 'in doubt', 'Not sent': 'not sent'}
TILES = {'targeted': 'targeted', 'safe': 'safe', 'need help': 'help', 'no answer yet': 'silent', 'unreachable': 'unreachable'}


def mark(version, group, language):
    """Stands in every text, so that what arrived can be told apart to the version, the group and the language."""
    return f'({version}-{group}-{language})'


def square(west, south, east, north):
    """GeoJSON of a box."""
    return json.dumps({'type': 'Polygon', 'coordinates': [[[west, south], [east, south], [east, north], [west, north], [west, south]]]})


def texts(version, groups=('new',), languages=LANGUAGES):
    """Form fields of the texts, each with its mark."""
    fields = {}
    for group in groups:
        for language in languages:
            row = f'text.{GROUPS[group] * len(LANGUAGES) + LANGUAGES.index(language)}'
            fields[f'{row}.headline'] = f'{WORDS[language]} {mark(version, group, language)}'
            fields[f'{row}.instruction'] = ADVICE[language]
    return fields


def when(world, hours):
    """Date and time fields of a moment so many hours from now, in UTC."""
    at = datetime.datetime.fromtimestamp(world.now() + hours * 3600, datetime.timezone.utc)
    return at.date().isoformat(), at.strftime('%H:%M')


def confirm_and_send(page):
    """From the review to the sent alert, typing the number where that is asked; returns the page of the alert and how many it told."""
    page = page.follow('/send').expect()
    form = page.form('people')
    told = dict(form.fields)['people']
    page = page.submit({'typed': told} if 'typed' in form.names else {}, having='people')
    page.expect('Sent')
    return page, int(told)


class Alert:
    """One alert in an officer's browser."""

    def __init__(self, world, officer):
        self.world, self.officer, self.path, self.told = world, officer, None, None

    def try_to_write(self, version, polygon='', countries='', severity=EXTREME, hours=24, channels=('mail', 'sms'), options=('possible',), languages=LANGUAGES,
                     **more):
        """Fills the form of a new alert and sends it; returns whatever page comes."""
        date, time = when(self.world, hours)
        fields = {'kind': 5, 'severity': severity, 'urgency': 1, 'certainty': 1, 'zone': 'UTC', 'expires_date': date, 'expires_time': time, 'polygon': polygon,
                  'countries': countries, 'channels': list(channels), 'options': list(options), 'language': languages[0],
                  **texts(version, languages=languages), **more}
        return self.officer.get('/desk/alerts/new').submit(fields, having='polygon', button='review')

    def write(self, version, polygon='', **more):
        """Writes a first version and saves it; returns the review page."""
        page = self.try_to_write(version, polygon, **more)
        page.expect('Whom it reaches')
        self.path = page.url.split('/review')[0].replace(self.world.base, '')
        return page

    def send(self, page):
        page, self.told = confirm_and_send(page)
        return page

    def next(self, kind, version, **changes):
        """Begins an update, a cancel or an all-clear; returns its review page."""
        page = self.page()
        form = [one for one in page.forms if one.action.endswith('/next') and ['type', str(kind)] in [button[:2] for button in one.buttons]]
        assert form, page.text[:2000]
        token = dict(form[0].fields)['form_token']
        page = self.officer.post(form[0].action, {'form_token': token, 'type': str(kind)}).expect()
        groups = ('released',) if kind in (CANCEL, CLEAR) else ('new', 'changed', 'released')
        page = page.submit({**texts(version, groups), **changes}, having='seen', button='review')
        page.expect('Whom it reaches')
        return page

    def page(self):
        return self.officer.get(self.path).expect()

    def figures(self):
        """What the page of the alert says: people by class, messages by channel and state."""
        source = self.page().source
        people, messages = {}, {}
        for number, label in re.findall(r'<li class="tile[^"]*"><b>([^<]*)</b>\s*([^<]*)</li>', source):
            people[TILES[label.strip()]] = int(re.sub(r'\D', '', number))
        for label, name in (('Came in later', 'late'), ('No longer affected', 'released')):
            people[name] = int(re.sub(r'\D', '', re.search(label + r': ([\d,.\s\u00a0\u202f]*)', source).group(1)))
        for row in re.findall(r'<tr><th scope="row".*?</tr>', source, re.S):
            channel = {'E-mail': 'mail', 'SMS': 'sms', 'Notification in the browser': 'push'}[re.search(r'>([^<]*)</th>', row).group(1).strip()]
            cells = re.findall(r'data-label="([^"]*)">([^<]*)</td>', row)
            messages[channel] = {LABELS[label]: int(re.sub(r'\D', '', number)) for label, number in cells}
        return people, messages

    def sums(self):
        """The figures, once their sums were found to hold."""
        people, messages = self.figures()
        assert people['targeted'] == people['safe'] + people['help'] + people['silent'] + people['unreachable'], people
        for channel, row in messages.items():
            assert row['planned'] == sum(row[state] for state in STATES), (channel, row)
        return people, messages

    def settled(self):
        """True when nothing of it waits for its turn, an answer or a second try."""
        _, messages = self.sums()
        return all(row['queued'] == row['submitted'] == row['in doubt'] == 0 for row in messages.values()) and messages


def marks_in(text):
    """(version, group, language) of a text, or None."""
    found = MARK.search(text or '')
    return tuple(part for part in found.groups() if part) if found else None


def arrived(world, since=0):
    """Everything that arrived with a mark, oldest first: address -> [(mark, message)]."""
    boxes = {}
    for message in reversed(world.simulator.ask('/messages?limit=100000')):
        if message['sent'] or message['sequence'] <= since:
            continue
        address = message.get('number') or message['address']
        found = marks_in(message['text'])
        if found:
            boxes.setdefault(address, []).append((found, message))
    return boxes


def told(world, address, since=0):
    """The marks that reached an address, oldest first, as 'version-group-language'."""
    return ['-'.join(found) for found, _ in arrived(world, since).get(address, [])]
