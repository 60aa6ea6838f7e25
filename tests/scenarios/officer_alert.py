#!/usr/bin/env python3
# stores: sqlite postgresql
"""An officer writes an alert: mistakes are shown, the review says whom it reaches, a sample comes first, sending is confirmed in numbers,
and an update, a cancel and the public page follow."""
import datetime
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import World, store_argument, wait_for  # noqa: E402

PEOPLE = 24
SQUARE = '34.5 10.5\n34.5 11.0\n35.0 11.0\n35.0 10.5\n'
CROSSING = '34.5 10.5\n35.0 11.0\n34.5 11.0\n35.0 10.5\n'


def tile(page, words):
    """The number on the tile with these words."""
    found = re.search(r'<b>([\d,]+)</b> ' + re.escape(words), page.source)
    assert found, f'{words}: no such tile\n{page.text[:2000]}'
    return int(found.group(1).replace(',', ''))


def import_people(world):
    """Half of them in Sfax, some elsewhere in Tunisia, one somewhere in the country, one who comes in three days."""
    today = datetime.datetime.fromtimestamp(world.now(), datetime.timezone.utc).date()
    first, last = today - datetime.timedelta(days=2), today + datetime.timedelta(days=20)
    people, trips = ['id,name,language,email,mobile,country'], ['person_id,trip_id,place,latitude,longitude,country,from,to']
    for number in range(1, PEOPLE + 1):
        language = 'ar' if number % 4 == 0 else 'fr' if number % 4 == 1 else 'en'
        people.append(f'{number},Person {number} Example,{language},p{number}@example.org,{"+1555010%04d" % number if number % 2 else ""},')
        begin = today + datetime.timedelta(days=3) if number == 3 else first
        if number == 5:
            trips.append(f'{number},t{number},,,,TN,{begin},{last}')
        elif number <= PEOPLE // 2:
            trips.append(f'{number},t{number},,34.74,10.76,TN,{begin},{last}')
        else:
            trips.append(f'{number},t{number},,36.8,10.18,TN,{begin},{last}')
    for kind, lines in (('people', people), ('trips', trips)):
        path = world.folder / f'{kind}.csv'
        path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
        world.command('import', kind, str(path), '--contacts-confirmed', '--operator', 'Scenario')


def write_draft(world, officer):
    form = officer.get('/desk/alerts/new').expect('New alert')
    page = form.submit({'countries': '', 'text.0.headline': ''}, button='review', having='kind')
    page.expect('Say where', 'at least one language', status=422)
    # Nobody is alerted on a guess.
    page.submit({'countries': 'Iran; Kore'}, button='review', having='kind').expect('Did you mean North Korea or South Korea?', status=422)
    page = page.submit({'polygon': CROSSING, 'text.0.headline': 'Storm at Sfax', 'zone': 'Mars/Olympus', 'circle.0.place': 'Sfax', 'circle.0.km': '-1'},
                       button='review', having='kind')
    page.expect('Two edges cross', 'time zone such as', 'radius above 0', status=422)
    assert '<svg' in page.source and 'Storm at Sfax' in page.source
    page = page.submit({'polygon': '134.5 10.5\n134.5 11.0\n135.0 11.0\n135.0 10.5', 'zone': 'Africa/Tunis', 'circle.0.place': '', 'circle.0.km': ''},
                       button='review', having='kind')
    page.expect('swapped', status=422)
    page = page.submit({'polygon': SQUARE, 'expires_date': '31/02/2031'}, button='review', having='kind')
    page.expect('Write the date as', status=422)
    expires = datetime.datetime.fromtimestamp(world.now(), datetime.timezone.utc) + datetime.timedelta(days=10)
    page = page.submit({'expires_date': expires.strftime('%d/%m/%Y'), 'severity': '2', 'text.0.instruction': 'Stay <b>inside</b>',
                        'text.2.headline': 'عاصفة في صفاقس', 'text.2.instruction': 'ابقوا في الداخل'}, button='review', having='kind')
    return page.expect('Review before sending')


def review(world, officer, page):
    inside = PEOPLE // 2
    assert tile(page, 'people get a message') == inside, page.text[:3000]
    assert tile(page, 'possibly inside') == 1 and tile(page, 'certainly inside') == inside - 1
    assert tile(page, 'arrive later') == 1
    page.expect('in which there is no text', 'looks like HTML', 'GSM 7-bit', 'UCS-2', 'عاصفة في صفاقس')
    identifier = re.search(r'/desk/alert/([0-9a-f]{32})/edit', page.source).group(1)
    picture = officer.get(f'/desk/alert/{identifier}/map.svg')
    assert picture.status == 200 and picture.headers['content-type'].startswith('image/svg') and b'<path' in picture.body
    page.submit({'sample_mail': '', 'sample_sms': ''}, having='sample_mail').expect('your e-mail address or', status=422)
    page.submit({'sample_mail': 'me@example.org', 'sample_sms': '+15550109999', 'sample_language': 'ar'}, having='sample_mail').expect('on its way to you')
    wait_for(lambda: world.simulator.mailbox('me@example.org') and world.simulator.phone('+15550109999'), 'the sample')
    assert 'عاصفة' in world.simulator.phone('+15550109999')[0]['text']
    # Two officers at one draft: the second is told.
    first, second = officer.get(f'/desk/alert/{identifier}/edit'), officer.get(f'/desk/alert/{identifier}/edit')
    first.submit({'text.0.instruction': 'Stay inside.'}, button='save', having='kind').expect('The draft is saved')
    late = second.submit({'text.0.instruction': 'Run.'}, button='save', having='kind').expect('Someone else has saved', status=409)
    assert 'Run.' in late.source
    return identifier


def send(world, officer, identifier, people):
    page = officer.get(f'/desk/alert/{identifier}/send').expect(f'This goes to {people} people')
    page.submit({'typed': '1'}, having='people').expect(f'Type {people} to send', status=422)
    form = officer.get(f'/desk/alert/{identifier}/send').form(having='people')
    fields = [(name, value) for name, value in form.fields if name != 'typed'] + [('typed', str(people))]
    first, second = officer.post(form.action, fields), officer.post(form.action, fields)
    assert first.url == second.url, (first.url, second.url)
    first.expect('Sent: the audience is frozen')
    return first


def main():
    with World(store_argument(), settings={'travel.confirm_above': 5, 'travel.sms_part_cost': '0.07 EUR', 'http.form_burst': 1000}, test_clock=True) as world:
        import_people(world)
        officer = world.officer()
        identifier = review(world, officer, write_draft(world, officer))
        assert world.browser().get(f'/alert/{identifier}').status == 404
        send(world, officer, identifier, PEOPLE // 2)
        wait_for(lambda: world.simulator.counts()['mailboxes']['received'] >= PEOPLE // 2, 'the mails and the sample')
        assert 'عاصفة في صفاقس' in world.simulator.mailbox('p4@example.org')[0]['subject']
        assert world.simulator.mailbox('p5@example.org')[0]['text'].count('We only know') + world.simulator.mailbox('p5@example.org')[0]['text'].count('Nous savons') == 1
        assert not world.simulator.mailbox('p3@example.org') and not world.simulator.mailbox('p20@example.org')
        page = officer.get(f'/desk/alert/{identifier}').expect('in force', 'Version 1')
        assert tile(page, 'targeted') == PEOPLE // 2

        public = world.browser('fr').get(f'/alert/{identifier}').expect('Il n’y a pas de texte dans votre langue', 'Storm at Sfax')
        assert public.headers.get('cache-control', '').startswith('public') or 'max-age' in public.headers.get('cache-control', '')
        world.browser('ar').get(f'/alert/{identifier}').expect('عاصفة في صفاقس')
        assert world.browser().get(f'/alert/{identifier}/map.svg').status == 200
        world.browser().get('/').expect('Storm at Sfax')

        # The update moves to Tunis: half are released, half are new; nobody twice.
        page = page.submit({}, button='Update').expect('Update of an alert')
        page = page.submit({'polygon': SQUARE.replace('34.5', '36.5').replace('35.0', '37.0').replace('10.5', '10.0').replace('11.0', '10.5')},
                           button='review', having='kind').expect('For those still inside')
        assert tile(page, 'newly inside') == PEOPLE // 2 and tile(page, 'still inside') == 1
        assert tile(page, 'no longer inside, are told so') == PEOPLE // 2 - 2 and tile(page, 'no longer inside, were never told') == 1
        send(world, officer, identifier, PEOPLE - 1)
        mails = {number: 2 if number <= PEOPLE // 2 else 1 for number in range(1, PEOPLE + 1) if number != 3}
        wait_for(lambda: all(len(world.simulator.mailbox(f'p{number}@example.org')) == count for number, count in mails.items()), 'the update')
        assert 'No longer for you' in world.simulator.mailbox('p2@example.org')[0]['subject']
        officer.get(f'/desk/alert/{identifier}').expect('Version 2', 'Area:')

        # The all-clear goes to those inside, and the alert ends.
        page = officer.get(f'/desk/alert/{identifier}').submit({}, button='All clear').expect('goes to everyone who was told')
        page = page.submit({'text.10.headline': 'زال الخطر تمامًا'}, button='review', having='seen').expect('Review before sending')
        send(world, officer, identifier, PEOPLE // 2 + 1)
        wait_for(lambda: len(world.simulator.mailbox('p5@example.org')) == 3, 'the all-clear')
        wait_for(lambda: len(world.simulator.mailbox('p24@example.org')) == 2, 'the all-clear in Arabic')
        assert 'زال الخطر تمامًا' in world.simulator.mailbox('p24@example.org')[0]['subject']
        assert len(world.simulator.mailbox('p2@example.org')) == 2 and not world.simulator.mailbox('p3@example.org')
        world.browser().get(f'/alert/{identifier}').expect('no longer in force')
        assert 'Storm at Sfax' not in world.browser().get('/').text

        # A draft that is thrown away, an exercise that nobody outside sees.
        page = officer.get('/desk/alerts/new').submit({'exercise': 'yes', 'countries': 'Tunisia; Algeria', 'text.0.headline': 'Drill'}, button='save', having='kind')
        page.expect('EXERCISE', 'The draft is saved').submit({}, action='/discard').expect('The draft is gone')
        officer.get('/desk/alerts').expect('Drill')
        world.check()


if __name__ == '__main__':
    main()
