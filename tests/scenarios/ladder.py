#!/usr/bin/env python3
# stores: sqlite postgresql
"""The ladder over real channels: one way after the other until an answer comes; a dead mailbox raises the SMS at once; the emergency contact
is asked once, at the end; an update climbs anew for who has not answered."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import CLEAR, SEVERE, UPDATE, Alert, square, told  # noqa: E402
from chancery import World, store_argument, wait_for  # noqa: E402
from traveller import answer_by_link, enrol, own_page  # noqa: E402

AREA, INSIDE = square(0, 30, 4, 34), '32.1, 3.1'
NEAR, KIN = '+33612345678', 'kin@example.net'
MINUTE = 60


class Person:
    def __init__(self, world, name, mail=True, phone=True, **more):
        number = len(Person.everybody) + 1
        self.world, self.name = world, name
        self.mail, self.phone = f'{name}@example.org' if mail else None, f'+2162020{number:04d}' if phone else None
        enrol(world, f'198.51.100.{number}', name=f'{name.title()} Example', language='en', mail=self.mail, phone=self.phone, legs=[(INSIDE, 0, 9)], **more)
        Person.everybody.append(self)

    everybody = []

    def got(self):
        """The marks that reached them: by mail, by SMS."""
        return [told(self.world, address) if address else [] for address in (self.mail, self.phone)]

    def answers(self):
        """Safe, by the link of the newest mail with one."""
        text = next(one['text'] for one in self.world.simulator.mailbox(self.mail) if '/a/' in one['text'])
        answer_by_link(self.world, text, 'en', '198.51.100.200', needs_help=False)


def later(world, minutes):
    world.move_clock(world.clock_offset + minutes * MINUTE)
    world.sign_in()


def all_got(people, what, seconds=40):
    """`people`: person -> (mails, SMS) as marks."""
    def differences():
        return [(person.name, person.got(), wanted) for person, wanted in people.items() if person.got() != [list(one) for one in wanted]]
    try:
        wait_for(lambda: not differences(), what, seconds)
    except AssertionError as error:
        raise AssertionError(f'{what}: {differences()}') from error


def quiet(alert, what):
    """Nothing is being handed over: what was not sent by now waits for its time."""
    wait_for(lambda: all(row['submitted'] == row['in doubt'] == 0 for row in alert.sums()[1].values()), what)


def asked(world):
    return [one['text'] for one in world.simulator.phone(NEAR) if not one['sent']]


def climbing(world):
    ann, ben, dia = Person(world, 'ann'), Person(world, 'ben', emergency_name='Nora Near', emergency_phone=NEAR, emergency_consent='yes'), Person(
        world, 'dia', phone=False)
    alert = Alert(world, world.officer())
    world.officer().get('/desk/alerts/new').expect('All ways at once', 'Steps: e-mail (15 min), then SMS (15 min), then the emergency contact')
    page = alert.write('one', AREA, severity=SEVERE, hours=48, ladder='Steps')
    page.expect('One way after the other', 'At once', 'e-mail: 3', 'After 15 minutes without an answer', 'SMS: at most 2', 'at most 1 emergency contact')
    alert.send(page)
    new = ['one-new-en']
    all_got({ann: (new, []), ben: (new, []), dia: (new, [])}, 'the first rung')
    ann.answers()
    quiet(alert, 'the first rung is out')
    _, messages = alert.sums()
    assert messages['sms']['planned'] == messages['sms']['queued'] == 2, messages
    later(world, 16)
    all_got({ann: (new, []), ben: (new, new), dia: (new, [])}, 'the second rung, not for who answered')
    wait_for(lambda: alert.sums()[1]['sms']['not sent'] == 1, 'the SMS that is not needed')
    world.check()
    assert asked(world) == []
    later(world, 16)
    texts = wait_for(lambda: asked(world), 'the question to the emergency contact', 40)
    assert len(texts) == 1 and 'Ben Example' in texts[0] and 'Earthquake' not in texts[0] and '32.1' not in texts[0], texts
    board = world.officer().get(f'{alert.path}/board?view=all').expect('Emergency contacts asked: 1')
    board.follow('Ben Example').expect('Emergency contact asked')
    board = world.officer().get(f'{alert.path}/board?view=all')
    board.follow('Ann Example').expect('not sent')
    # An update climbs anew, but for who answered; the contact is not asked again.
    alert.send(alert.next(UPDATE, 'two'))
    changed = [*new, 'two-changed-en']
    all_got({ann: (changed, []), ben: (changed, new), dia: (changed, [])}, 'the update by the first rung')
    later(world, 16)
    all_got({ann: (changed, []), ben: (changed, changed), dia: (changed, [])}, 'the update by the second rung')
    later(world, 60)
    alert.send(alert.next(CLEAR, 'three'))
    over = [*changed, 'three-released-en']
    all_got({ann: (over, []), ben: (over, [*changed, 'three-released-en']), dia: (over, [])}, 'the all-clear, by every way that was used')
    later(world, 60)
    quiet(alert, 'after the end')
    assert len(asked(world)) == 1
    world.check()


def dead_mailboxes(world):
    """Every mailbox is gone: all SMS at once, and nobody twice when their time comes. The contact of who has no other way is asked at once."""
    eve = Person(world, 'eve', emergency_name='Nora Near', emergency_email=KIN, emergency_consent='yes', phone=False)
    people = {person.name: person for person in Person.everybody}
    own_page(world, eve.mail)  # her welcome has come, so that it does not bounce
    world.simulator.faults(mail_reject_percent=100)
    alert = Alert(world, world.officer())
    alert.send(alert.write('four', AREA, severity=SEVERE, hours=48, ladder='Steps'))
    wait_for(lambda: people['ann'].got()[1][-1:] == people['ben'].got()[1][-1:] == ['four-new-en'], 'the SMS at once')
    wait_for(lambda: people['eve'].got() == [[], []] and alert.sums()[0]['unreachable'] == 2, 'who cannot be reached')
    world.simulator.faults(mail_reject_percent=0)
    question = wait_for(lambda: [one for one in world.simulator.mailbox(KIN) if not one['sent']], 'the contact of who cannot be reached', 60)[0]
    assert 'Eve Example' in question['text'] and 'Earthquake' not in question['text'], question
    quiet(alert, 'everything left')
    figures, messages = alert.sums()
    assert figures['unreachable'] == 2 and messages['sms']['planned'] == 2 and messages['mail']['failed'] == 4, (figures, messages)
    later(world, 16)
    wait_for(lambda: alert.sums()[1]['sms']['queued'] == 0, 'the block that holds nobody any more')
    quiet(alert, 'the time of the second rung')
    for name in ('ann', 'ben'):
        assert people[name].got()[1].count('four-new-en') == 1, people[name].got()
    assert eve.got() == [[], []]
    # What relatives answer is for an officer to read: it is not the traveller's own word.
    waiting = world.number('SELECT count(*) FROM incoming WHERE state = 3')
    world.simulator.mail_from(KIN, 'SAFE I spoke to her', answers=question['sequence'])
    world.simulator.mail_from(KIN, 'WHERE', answers=question['sequence'])
    world.simulator.text_from(NEAR, 'SAFE he is with me', to='7070')
    wait_for(lambda: world.number('SELECT count(*) FROM incoming WHERE state = 3') == waiting + 3, 'three answers for an officer')
    assert alert.sums()[0] == figures, alert.sums()
    assert len([one for one in world.simulator.mailbox(KIN) if not one['sent']]) == 1
    world.check()


def main():
    with World(store_argument(), test_clock=True) as world:
        world.command('ladder', 'add', 'Steps', 'mail:15', 'sms:15', 'contact')
        assert re.search(r'^Steps\tmail:15 sms:15 contact$', world.command('ladder', 'list'), re.M)
        world.command('ladder', 'add', 'Wrong', 'pigeon:15', wanted=1)
        world.officer()
        climbing(world)
        dead_mailboxes(world)
        print('ladder: each was told by the next way only when they had not answered, and at once when a way was dead; contacts were asked once')


if __name__ == '__main__':
    main()
