#!/usr/bin/env python3
# stores: sqlite postgresql
"""The board over real channels: answers by link, SMS and mail; two officers side by side; calls; asking again by the next channel; the export."""
import csv
import io
import pathlib
import re
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import Alert, square  # noqa: E402
from chancery import World, store_argument, wait_for  # noqa: E402

TILES = {'Targeted': 'targeted', 'Safe': 'safe', 'Needs help': 'help', 'No answer yet': 'silent', 'Unreachable': 'unreachable'}
# Everybody in Tunis: with a mailbox, a telephone, or both.
PEOPLE = [('p1', 'Amal Example', 'en', 'amal@example.org', '+21620000001'), ('p2', 'Björn Example', 'fr', 'bjorn@example.org', ''),
          ('p3', 'مریم نمونه', 'fa', 'maryam@example.org', '+21620000003'), ('p4', 'Chen Example', 'en', 'chen@example.org', '+21620000004'),
          ('p5', 'Dora Example', 'ar', 'dora@example.org', '+21620000005'), ('p6', 'Emil =Example', 'en', 'emil@example.org', '')]


def bring_in(world):
    people = ''.join(f'{one},{name},{language},{mail},{phone}\n' for one, name, language, mail, phone in PEOPLE)
    (world.folder / 'people.csv').write_text('id,name,language,email,mobile\n' + people, encoding='utf-8')
    trips = ''.join(f't{one},{one},Tunis,2026-01-01,2027-12-31,{2 if one == "p1" else 0}\n' for one, *_ in PEOPLE)
    (world.folder / 'trips.csv').write_text('trip_id,person_id,place,from,to,companions\n' + trips, encoding='utf-8')
    world.command('import', 'people', str(world.folder / 'people.csv'), '--contacts-confirmed', '--operator', 'Scenario')
    world.command('import', 'trips', str(world.folder / 'trips.csv'), '--operator', 'Scenario')


def sums(page):
    found = re.findall(r'<li class="tile[^"]*"><a[^>]*><b>(\d+)</b>\s*([^<]*)</a></li>', page.source)
    people = {TILES[label.strip()]: int(number) for number, label in found}
    assert people['targeted'] == people['safe'] + people['help'] + people['silent'] + people['unreachable'], people
    return people


def board(alert, officer, view='cases'):
    return officer.get(f'{alert.path}/board?view={view}').expect()


def person(alert, officer, name, view='all'):
    return board(alert, officer, view).follow(name).expect()


def do(page, word, fields=None, follow=True):
    """Presses the button of that value in the form which has it."""
    form = next(one for one in page.forms if any(button[1] == word for button in one.buttons))
    values = [tuple(one) for one in form.fields if one[0] not in (fields or {})] + list((fields or {}).items()) + [('do', word)]
    return page.browser.post(form.action, values, follow)


def mail_of(world, address):
    return wait_for(lambda: [one for one in world.simulator.mailbox(address) if '/a/' in one['text']], f'the alert to {address}')[0]


def answers(world, alert, officer):
    """One by link with companions, one by mail, one by SMS of somebody who was told by mail, one who sends a bare HELP."""
    link = urllib.parse.urlparse(re.search(r'\S+/a/[0-9a-z]+', mail_of(world, 'amal@example.org')['text']).group(0)).path
    assert len(link) <= 40, link
    traveller = world.browser()
    page = traveller.get(link).expect('Are you safe?', 'I need help')
    # Opened a dozen times by scanners and previews: nothing happens.
    for _ in range(12):
        traveller.get(link).expect()
    assert sums(board(alert, officer))['silent'] == len(PEOPLE)
    form = page.forms[-1]
    fields = [tuple(one) for one in form.fields if one[0] not in ('note', 'place', 'others_safe', 'others_help')]
    said = fields + [('note', 'Roof came down'), ('place', 'Hotel Majestic'), ('others_safe', '1'), ('others_help', '1'), ('status', 'help')]
    traveller.post(link, said).expect('We have recorded that you need help', 'Hotel Majestic')
    traveller.post(link, said).expect('We have recorded that you need help')  # sent twice
    traveller.get(link[:-1] + ('0' if link[-1] != '0' else '1')).expect('does not work', status=404)

    mail = mail_of(world, 'bjorn@example.org')
    world.simulator.mail_from('bjorn@example.org', 'SAFE we are at the airport', subject='Re: ' + mail['subject'], to='alerts@localhost')
    world.simulator.text_from('+21620000003', 'کمک پای من شکسته', to='7070')
    world.simulator.text_from('+21620000004', 'help', to='7070')
    wanted = {'targeted': 6, 'safe': 1, 'help': 3, 'silent': 2, 'unreachable': 0}
    wait_for(lambda: sums(board(alert, officer)) == wanted, 'the answers on the board')
    page = board(alert, officer).expect('Amal', 'مریم', 'Chen', 'Only the word HELP', '1 safe, 1 in need of help')
    assert 'Björn' not in page.text and '+2162000' not in page.source
    assert world.number("SELECT count(*) FROM response") == 4
    world.check()


def side_by_side(world, alert, first, second):
    page = do(person(alert, first, 'Amal'), 'take').expect('Done.', '+21620000001', 'Hotel Majestic')
    refused = do(person(alert, second, 'Amal'), 'note', {'text': 'called the hotel'})  # anyone may note
    assert '+21620000001' not in refused.expect('called the hotel').source
    stale = person(alert, second, 'مریم')
    do(person(alert, first, 'مریم'), 'take').expect('Done.')
    refused = do(stale, 'take', {'text': 'on my way'}).expect('Officer Example has had this since', status=409)
    assert 'on my way' in refused.source
    do(refused, 'take_over', {'text': 'night shift'}).expect('night shift', 'Taken by Second Example')
    page = do(person(alert, second, 'مریم'), 'resolve', {'text': 'in hospital, leg set', 'safe': '1'}).expect('Case resolved')
    assert sums(board(alert, first))['help'] == 2
    undo = re.findall(r'value="(undo\.\d+)"', page.source)[0]
    do(page, undo).expect('Undone', 'Taken by Second Example')
    assert sums(board(alert, first))['help'] == 3
    # Help said again by someone whose case was resolved opens it anew.
    do(person(alert, first, 'Amal'), 'resolve', {'text': 'found'}).expect('Case resolved')
    world.simulator.text_from('+21620000001', 'HELP still here', to='7070')
    wait_for(lambda: 'Amal' in board(alert, first).text, 'the case again')
    first.get(f'{alert.path}/handover').expect('night shift', 'Amal', 'What comes next')
    world.check()


def calling(world, alert, first, second):
    page = do_post(first, f'{alert.path}/calls', '/calls')
    page.expect('Dora', '+21620000005', 'kept for you until')
    # Nobody else has a telephone: the second officer gets nobody.
    do_post(second, f'{alert.path}/calls', '/calls').expect('is left to call now')
    do(page, 'no_reply', {'note': 'rang long'}).expect()
    page = do_post(second, f'{alert.path}/calls', '/calls').expect('Dora', '1 call so far')
    do(page, 'help', {'note': 'locked in'}).expect()
    assert sums(board(alert, first)) == {'targeted': 6, 'safe': 1, 'help': 4, 'silent': 1, 'unreachable': 0}
    paper = first.get(f'{alert.path}/calls?print=1').expect('Emil')
    assert 'Dora' not in paper.text
    world.check()


def do_post(officer, path, action):
    page = officer.get(path).expect()
    form = next(one for one in page.forms if one.action.endswith(action))
    return page.browser.post(form.action, [tuple(one) for one in form.fields])


def asking_again(world, officer):
    """A second alert, by mail alone: who does not answer and has a telephone is asked there; what the version has still to send goes on."""
    alert = Alert(world, officer)
    alert.send(alert.write('B', polygon=square(10.0, 36.6, 10.4, 37.0), channels=('mail',), severity=2))
    wait_for(alert.settled, 'the second alert', 60)
    before = world.number('SELECT count(*) FROM notice')
    wait_for(lambda: 'being filled' not in officer.get(f'{alert.path}/ask').text, 'everyone on the second board')
    page = officer.get(f'{alert.path}/ask').expect('0 by e-mail, 4 by SMS', 'No other channel is left: 2 persons')
    form = next(one for one in page.forms if one.action.endswith('/ask'))
    fields = [tuple(one) for one in form.fields]
    officer.post(form.action, fields).expect('4 persons are asked again.')
    officer.post(form.action, fields).expect('4 persons are asked again.')  # sent twice
    assert world.number('SELECT count(*) FROM notice') == before + 1
    for phone in ('+21620000001', '+21620000003', '+21620000004', '+21620000005'):
        texts = wait_for(lambda: [one for one in world.simulator.phone(phone) if 'B-new' in one['text'] and not one['sent']], f'the reminder to {phone}')
        assert len(texts) == 1, texts
    wait_for(alert.settled, 'the reminder', 60)
    officer.get(f'{alert.path}/ask').expect('0 by e-mail, 0 by SMS')
    # A reminder is answered like the alert.
    number = world.number('SELECT max(number) FROM alert')
    world.simulator.text_from('+21620000004', f'SAFE #{number}', to='7070')
    wait_for(lambda: sums(board(alert, officer))['safe'] == 1, 'the answer to the reminder')
    world.check()
    return alert


def exported(world, alert, officer):
    page = officer.get(f'{alert.path}/board.csv')
    assert page.status == 200 and page.headers['content-type'].startswith('text/csv'), page.headers
    text = page.body.decode('utf-8')
    assert text.startswith('\ufeff')
    head, tags, *rows = list(csv.reader(io.StringIO(text[1:])))
    assert len(rows) == len(PEOPLE) and all(len(row) == len(head) for row in rows), text
    assert all(tag.startswith('#') for tag in tags), tags
    assert not any(cell[:1] in '=+-@\t\r' for row in rows for cell in row if cell), text
    assert '+2162000' not in text and '@example.org' not in text


def main():
    with World(store_argument(), settings={'http.form_burst': 100000, 'travel.confirm_above': 500}) as world:
        first, second = world.officer(), world.officer('second', 'officer')
        bring_in(world)
        alert = Alert(world, first)
        review = alert.write('A', polygon=square(10.0, 36.6, 10.4, 37.0))
        alert.send(review)
        wait_for(alert.settled, 'the alert', 60)
        wait_for(lambda: world.number('SELECT count(*) FROM recipient') == len(PEOPLE), 'everyone on the board')
        answers(world, alert, first)
        side_by_side(world, alert, first, second)
        calling(world, alert, first, second)
        exported(world, alert, first)
        asking_again(world, first)
        world.check()


if __name__ == '__main__':
    main()
