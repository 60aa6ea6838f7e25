#!/usr/bin/env python3
# stores: sqlite postgresql
"""The inbox over real SMS and mail: what no rule can handle gets an officer, an answer and an end; nothing is dropped or guessed."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import World, store_argument, wait_for  # noqa: E402
from traveller import enrol  # noqa: E402

STRANGER = '+15550109911'


def wait_item(officer, words, seconds=20):
    """The page of the inbox item whose text begins so."""
    def there():
        page = officer.get('/desk/inbox').expect()
        return page if words in page.text else None
    return wait_for(there, f'{words!r} in the inbox', seconds).follow(words[:20])


def by_sms(world, first, second):
    world.simulator.text_from(STRANGER, 'When does the consulate open?', to='7070')
    page = wait_item(first, 'When does the consulate open?').expect('belongs to nobody on record', '+15...11', 'nobody yet')
    assert STRANGER not in page.source
    before = world.number("SELECT count(*) FROM ledger WHERE action = 'inbox.reveal'")
    page = press(page, 'reveal')
    page.expect(STRANGER)
    assert world.number("SELECT count(*) FROM ledger WHERE action = 'inbox.reveal'") == before + 1

    # Taken by one; another is told who has it, and takes it over knowingly.
    mine = press(first.get(page.url), 'take').expect('Officer Example, since', 'Done.')
    theirs = second.get(page.url).expect('Officer Example, since')
    refused = fill(theirs, 'outcome', {'outcome': 'nothing to do'}, 'close')
    refused.expect('Officer Example has this message now', status=422)
    assert 'value="nothing to do"' in refused.source
    press(second.get(page.url), 'take').expect('Second Example, since')
    fill(mine, 'outcome', {'outcome': 'done'}, 'close').expect('Second Example has this message now', status=422)

    # An answer is sent on the same channel, once, however often the form is.
    page = second.get(page.url)
    fill(page, 'text', {'text': ''}, 'answer').expect('Write what to send', status=422)
    fill(page, 'text', {'text': 'x' * 1500}, 'answer').expect('parts', status=422)
    page = second.get(page.url)
    form = {'text': 'On weekdays from 9 to 12.'}
    fill(page, 'text', form, 'answer').expect('Second Example answered')
    fill(page, 'text', form, 'answer').expect('Second Example answered')
    wait_for(lambda: [one for one in world.simulator.phone(STRANGER) if one['text'] == form['text']], 'the answer', 20)
    assert len([one for one in world.simulator.phone(STRANGER) if one['text'] == form['text']]) == 1

    # Closed, found among the closed, and taken back.
    page = second.get(page.url)
    fill(page, 'outcome', {'outcome': ''}, 'close').expect('in a few words', status=422)
    fill(second.get(page.url), 'outcome', {'outcome': 'told the hours'}, 'close').expect('Closed', 'told the hours')
    assert 'When does' not in second.get('/desk/inbox').text
    second.get('/desk/inbox?show=closed').expect('When does the consulate open?')
    press(second.get(page.url), 'undo').expect('Waits for an officer', '(taken back)')
    second.get('/desk/inbox').expect('When does the consulate open?')
    press(second.get(page.url), 'undo')  # the taking over
    second.get(page.url).expect('Officer Example, since')
    # A form of before is no longer true.
    fill(page, 'outcome', {'outcome': 'late'}, 'close').expect('has this message now', status=422)


def press(page, verb):
    """Presses a button that stands in a form without other fields."""
    forms = [form for form in page.forms if '/desk/inbox/' in form.action and any(one[1] == verb for one in form.buttons)]
    assert len(forms) == 1, (verb, [form.buttons for form in page.forms])
    fields = [tuple(field) for field in forms[0].fields] + [('do', verb)]
    return page.browser.post(forms[0].action, fields)


def fill(page, name, values, verb):
    forms = [form for form in page.forms if name in form.names and any(one[1] == verb for one in form.buttons)]
    assert len(forms) == 1, (name, [sorted(form.names) for form in page.forms])
    fields = [tuple(field) for field in forms[0].fields if field[0] not in values] + list(values.items()) + [('do', verb)]
    return page.browser.post(forms[0].action, fields)


def by_mail(world, officer):
    world.simulator.mail_from('somebody@example.org', 'My passport was stolen, what can I do?\n\n-- \nS.', subject='Passport',
                              to='alerts@localhost')
    page = wait_item(officer, 'My passport was stolen').expect('Passport', 's...@example.org')
    fill(page, 'text', {'text': 'Please come to the consulate.', 'close': '1'}, 'answer').expect('Closed')
    answer = wait_for(lambda: [one for one in world.simulator.mailbox('somebody@example.org') if not one['sent']], 'the answer by mail', 20)[0]
    assert 'Please come to the consulate.' in answer['text'] and answer['subject'] == 'Re: Passport', answer
    officer.get('/desk/inbox/' + 'f' * 32).expect(status=404)


def lookup(world, officer):
    person = world.rows('SELECT public_id FROM person ORDER BY id LIMIT 1')[0][0]
    officer.get('/desk/messages').expect('number on record')
    officer.get(f'/desk/messages?person={person}').expect('What was sent', 'Code, confirmation or answer')
    officer.get('/desk/messages?person=' + 'e' * 32).expect('nobody with this number', status=404)
    officer.get('/desk/messages?person=%3Cscript%3E').expect(status=404)
    officer.get('/desk/delivery').expect('2 of 2 roads out are up', 'Waiting to be sent')
    for language in ('fr', 'ar', 'fa'):
        for path in ('/desk/inbox', '/desk/inbox?show=closed', '/desk/delivery', f'/desk/messages?person={person}'):
            officer.get(f'{path}{"&" if "?" in path else "?"}lang={language}').expect()


def main():
    with World(store_argument()) as world:
        first, second = world.officer(), world.officer('second', 'officer')
        reader = world.officer('reader', 'reader')
        assert reader.get('/desk/inbox').status == 403
        enrol(world, name='Amal Example', mail='amal@example.org', phone='+21620000123')
        by_sms(world, first, second)
        by_mail(world, first)
        lookup(world, first)
        # WHERE is answered with what stands on record.
        world.simulator.text_from('+21620000123', 'where', to='7070')
        wait_for(lambda: [one for one in world.simulator.phone('+21620000123') if 'We have on record: Tunis' in one['text']], 'the stays', 20)
        # A word of a known traveller, without an open alert: it waits, named, and the phone hears that it was received.
        world.simulator.text_from('+21620000123', 'HELP the road is blocked', to='7070')
        page = wait_item(first, 'HELP the road is blocked').expect('Urgent', 'No open alert was sent', 'Amal Example')
        fill(page, 'says', {'says': 'help'}, 'assign').expect('No open alert with this number', status=422)
        fill(page, 'says', {'says': 'help', 'alert': 'x'}, 'assign').expect('A number such as 12', status=422)
        wait_for(lambda: [one for one in world.simulator.phone('+21620000123') if 'An officer will read it' in one['text']], 'word of receipt', 20)
        world.simulator.text_from('+21620000123', 'STOP', to='7070')
        wait_for(lambda: world.number('SELECT count(*) FROM contact WHERE opted_out_at IS NOT NULL') == 1, 'STOP heard', 20)
        assert wait_for(lambda: world.metrics().get('chancery_inbox_waiting', 0) >= 2, 'the metric', 20)
        world.check()


if __name__ == '__main__':
    main()
