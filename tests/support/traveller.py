"""What travellers do, as they do it: through the pages, and with the codes and links that really arrive."""
import datetime
import re

from chancery import wait_for

CODE = re.compile(r'(?<!\d)(\d{6})(?!\d)')


def source(number):
    """A client address out of the range for benchmarks (RFC 2544): everybody has their own."""
    return f'198.{18 + (number >> 16 & 1)}.{number >> 8 & 255}.{number & 255}'


def day(world, days):
    """The day so many days from the world's today, as a date field sends it."""
    return (datetime.datetime.fromtimestamp(world.now(), datetime.timezone.utc).date() + datetime.timedelta(days=days)).isoformat()


def form_values(world, name='Amal Example', language='en', mail=None, phone=None, legs=(('Tunis', 0, 7),), watch=None, **more):
    """What an enrolment form sends. `legs`: place and the first and last day, counted from today."""
    values = {'name': name, 'language': language}
    if mail:
        values['email'] = mail
    if phone:
        values['mobile'] = phone
    for row, (place, begins, ends) in enumerate(legs):
        values.update({f'leg.{row}.place': place, f'leg.{row}.from': day(world, begins), f'leg.{row}.to': day(world, ends)})
    if watch:
        values['watch_place'] = watch
    values.update(more)
    return values


def codes_of(world, address):
    """All codes that arrived at an address, newest first."""
    simulator = world.simulator
    texts = [one['text'] for one in (simulator.phone(address) if address.startswith('+') else simulator.mailbox(address)) if not one['sent']]
    return [found.group(1) for found in map(CODE.search, texts) if found]


def wait_code(world, address, already=0):
    """The newest code of an address, once more than `already` arrived."""
    codes = wait_for(lambda: (lambda found: found if len(found) > already else None)(codes_of(world, address)), 'a code')
    return codes[0]


def confirm(world, page, *addresses):
    """Types the codes of all addresses on the page where enrolling leads; returns the page after the last."""
    url = page.url
    for address in addresses:
        code = wait_code(world, address)
        for name in [name for form in page.forms for name in form.names if name.startswith('code_')]:
            answer = page.submit({name: code}, having=name)
            if answer.status == 200:
                break
        else:
            raise AssertionError(f'{url}: the code of {address} fits nowhere\n{answer.text}')
        page = answer
        if address != addresses[-1]:
            page = page.browser.get(url)
    return page


def enrol(world, source=None, confirmed=True, **fields):
    """Enrols somebody and confirms what they gave; returns their browser and the page that it shows then (their own)."""
    browser = world.browser(fields.get('language', 'en'), source)
    page = browser.get('/enrol').submit(form_values(world, **fields)).expect()
    if confirmed:
        page = confirm(world, page, *[fields[kind] for kind in ('mail', 'phone') if fields.get(kind)])
        page.expect()
        assert '/my/' in page.url, page.url
    return browser, page


def own_page(world, *addresses):
    """The path of somebody's own page, from the newest message to one of their addresses that holds it."""
    def found():
        for address in addresses:
            messages = world.simulator.phone(address) if address.startswith('+') else world.simulator.mailbox(address)
            for link in (re.search(r'/my/[a-z0-9]+', one['text']) for one in messages if not one['sent']):
                if link:
                    return link.group(0)
        return None

    return wait_for(found, f'a message to {addresses} with the link of the own page')


def answer_by_link(world, text, language, client, needs_help, note='', place=''):
    """Opens the answer link of a message, as a phone does, and presses one of the two buttons; returns the page that thanks."""
    link = re.search(r'/a/[a-z0-9]+', text)
    assert link, text
    browser = world.browser(language, client)
    page = browser.get(link.group(0)).expect()
    page = page.submit({'note': note, 'place': place}, having='note', button='help' if needs_help else 'safe')
    assert page.status == 200 and 'class="panel good"' in page.source or 'class="panel warn"' in page.source, page.text
    return page
