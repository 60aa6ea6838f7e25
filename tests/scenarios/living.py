#!/usr/bin/env python3
# stores: sqlite postgresql
"""An alert that lives: its area moves, people enrol, change their plans and arrive, night falls, and it ends.
Each person has exactly the texts they should have, and nothing of a version that another one has superseded."""
import datetime
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import CANCEL, CLEAR, MINOR, SEVERE, UPDATE, Alert, arrived, square  # noqa: E402
from chancery import World, store_argument, wait_for  # noqa: E402
from traveller import confirm, day, form_values, own_page  # noqa: E402

# Around Ouargla in Algeria (UTC+1 all the year): the area moves east by two degrees.
FIRST, SECOND = square(0, 30, 4, 34), square(2, 30, 6, 34)
INSIDE, WEST, EAST, FAR = '32.1, 3.1', '32.1, 1.1', '32.1, 5.1', '31.9, 7.9'
HOUR = 3600


class Person:
    """Somebody enrolled, and what they must have got by each address."""

    def __init__(self, world, name, language, where, begins=0, ends=9, mail=True, phone=True, confirmed=True, watch=None):
        self.world, self.name, self.language = world, name, language
        number = len(Person.everybody) + 1
        self.addresses = {}
        if mail:
            self.addresses['mail'] = f'{name}@example.org'
        if phone:
            self.addresses['sms'] = f'+2162010{number:04d}'
        self.expected = {channel: [] for channel in self.addresses}
        fields = {'name': f'{name.title()} Example', 'language': language, 'mail': self.addresses.get('mail'), 'phone': self.addresses.get('sms')}
        fields.update({'legs': (), 'watch': watch} if watch else {'legs': [(where, begins, ends)]})
        self.browser = world.browser(language, source=f'198.51.100.{number}')
        self.page = self.browser.get('/enrol').submit(form_values(world, **fields)).expect()
        if confirmed:
            self.page = confirm(world, self.page, *self.addresses.values())
        Person.everybody.append(self)

    everybody = []

    def gets(self, mark, by=('mail', 'sms')):
        """From now on this text is among what they must have got, by those of these channels that they have."""
        for channel in set(self.addresses).intersection([by] if isinstance(by, str) else by):
            self.expected[channel].append(f'{mark}-{self.language}')

    def moves(self, where, begins=0, ends=9):
        """Changes the place of their trip on their own page."""
        page = self.browser.get(own_page(self.world, *self.addresses.values())).follow('/trips/')
        page.submit({'leg.0.place': where, 'leg.0.from': day(self.world, begins), 'leg.0.to': day(self.world, ends)}, having='leg.0.place').expect()


def outstanding(world):
    """Every difference between what arrived and what should have: empty when all is as it must be."""
    boxes, differences = arrived(world), []
    known = set()
    for person in Person.everybody:
        for channel, address in person.addresses.items():
            known.add(address)
            got = ['-'.join(found) for found, _ in boxes.get(address, [])]
            if got != person.expected[channel]:
                differences.append((person.name, channel, got, person.expected[channel]))
    differences += [(address, 'nobody', boxes[address], []) for address in boxes if address not in known]
    return differences


def all_told(world, what, seconds=30):
    """Waits until everybody has exactly what they should have; afterwards nothing more may be on its way."""
    try:
        wait_for(lambda: not outstanding(world), what, seconds)
    except AssertionError as error:
        raise AssertionError(f'{what}: {outstanding(world)}') from error


def settled(alert, what):
    """Nothing more is on its way that could still be told: the sums say so."""
    wait_for(lambda: all(row['submitted'] == row['in doubt'] == 0 for row in alert.sums()[1].values()), what)


def to_local(world, clock, days=0):
    """Moves the clock to HH:MM in Algeria, so many days on."""
    now = datetime.datetime.fromtimestamp(world.now() + HOUR, datetime.timezone.utc)
    hour, minute = map(int, clock.split(':'))
    target = (now + datetime.timedelta(days=days)).replace(hour=hour, minute=minute, second=0)
    seconds = (target - now).total_seconds()
    assert seconds > 0, (clock, now)
    world.move_clock(int(world.clock_offset + seconds))
    world.sign_in()


def one_alert(world):
    """Update, late joiners, changes of plan, an arrival days later and the all-clear."""
    stay = Person(world, 'stay', 'en', INSIDE)
    west = Person(world, 'west', 'fr', WEST)
    east = Person(world, 'east', 'ar', EAST, mail=False)
    Person(world, 'far', 'fa', FAR)
    arrives = Person(world, 'arrives', 'fr', INSIDE, 2, 9)
    Person(world, 'arriveswest', 'en', WEST, 2, 9)
    follows = Person(world, 'follows', 'fa', None, phone=False, watch='Algeria')
    comes = Person(world, 'comes', 'ar', FAR)
    leaves = Person(world, 'leaves', 'fa', INSIDE)
    silent = Person(world, 'silent', 'en', INSIDE, confirmed=False)

    alert = Alert(world, world.officer())
    page = alert.write('one', FIRST, severity=SEVERE, hours=24 * 6)
    alert.send(page)
    for person in (stay, west, follows, leaves):
        person.gets('one-new')
    all_told(world, 'the first version')
    people, _ = alert.sums()
    assert people['targeted'] == 7 and people['unreachable'] == 1 and people['late'] == 0, people  # `silent`, `arrives` and `arriveswest` count too

    # While it is in force: who enrols, who confirms only now, who moves in, who moves out.
    begun = time.monotonic()
    joins = Person(world, 'joins', 'ar', INSIDE)
    joins.gets('one-new')
    all_told(world, 'a late joiner', 10)
    joined_in = time.monotonic() - begun
    confirm(world, silent.page, *silent.addresses.values())
    silent.gets('one-new')
    comes.moves(INSIDE)
    comes.gets('one-new')
    leaves.moves(FAR)
    all_told(world, 'changes of plan', 10)
    people, _ = wait_for(lambda: alert.sums() if alert.sums()[0]['unreachable'] == 0 and alert.sums()[0]['released'] == 1 else None, 'the changes on the board')
    assert people['targeted'] == 9 and people['late'] == 2, people

    # The area shrinks in the west and grows in the east.
    alert.send(alert.next(UPDATE, 'two', polygon=SECOND))
    for person in (stay, follows, joins, silent, comes):
        person.gets('two-changed')
    west.gets('two-released')
    east.gets('two-new')
    all_told(world, 'the second version')
    people, _ = alert.sums()
    assert people['targeted'] == 10 and people['released'] == 3, people  # west, leaves, and arriveswest who was never told

    # Days later: the arrival is told in the first hour of that day there, and not before.
    to_local(world, '23:50', days=1)
    settled(alert, 'the evening before')
    joiner = Person(world, 'evening', 'fr', INSIDE)
    joiner.gets('two-new')
    all_told(world, 'a joiner while others wait for their day', 10)
    to_local(world, '00:20', days=1)
    arrives.gets('two-new')
    all_told(world, 'an arrival', 60)

    # The all-clear goes to everybody who was told and not released.
    alert.send(alert.next(CLEAR, 'three'))
    for person in (stay, follows, joins, silent, comes, east, arrives, joiner):
        person.gets('three-released')
    all_told(world, 'the all-clear')
    alert.page().expect('ended')
    Person(world, 'toolate', 'en', INSIDE)
    west.moves(INSIDE)
    settled(alert, 'after the end')
    return joined_in


def superseded(world):
    """What is still queued of an old version never leaves; a cancel ends it."""
    only_mail = Person(world, 'onlymail', 'en', INSIDE, phone=False)
    both = Person(world, 'both', 'fr', INSIDE)
    here = [person for person in Person.everybody if person.name in ('stay', 'arrives', 'joins', 'silent', 'comes', 'west', 'evening', 'toolate', 'arriveswest')]
    follower = [person for person in Person.everybody if person.name == 'follows'][0]
    world.simulator.faults(mail_busy_percent=100)
    alert = Alert(world, world.officer())
    alert.send(alert.write('four', FIRST, severity=SEVERE, hours=48))
    for person in [both, *here]:
        person.gets('four-new', 'sms')
    all_told(world, 'by SMS, while the relay is busy')
    alert.send(alert.next(UPDATE, 'five'))
    for person in [both, *here]:
        person.gets('five-changed', 'sms')
    all_told(world, 'the update by SMS')
    world.simulator.faults(mail_busy_percent=0)
    world.move_clock(world.clock_offset + 600)  # the pause before another try is over
    for person in [both, *here]:
        person.gets('five-changed', 'mail')
    only_mail.gets('five-new')
    follower.gets('five-new')
    all_told(world, 'the update by mail, nothing of what it superseded', 90)
    _, messages = alert.sums()
    assert messages['mail']['superseded'] == len(here) + 3 and messages['sms']['superseded'] == 0, messages
    alert.send(alert.next(CANCEL, 'six'))
    for person in [both, only_mail, follower, *here]:
        person.gets('six-released')
    all_told(world, 'the cancel')


def night(world):
    """Low severity: mail at once, SMS in the morning there; the same for who joins at night."""
    everybody = [person for person in Person.everybody if person.name in
                 ('stay', 'arrives', 'joins', 'silent', 'comes', 'west', 'evening', 'toolate', 'arriveswest', 'both', 'onlymail', 'follows')]
    to_local(world, '23:10')
    alert = Alert(world, world.officer())
    page = alert.write('seven', FIRST, severity=MINOR, hours=24)
    page.expect('SMS wait for morning')
    alert.send(page)
    for person in everybody:
        person.gets('seven-new', 'mail')
    all_told(world, 'by mail at night')
    owl = Person(world, 'owl', 'fr', INSIDE)
    owl.gets('seven-new', 'mail')
    all_told(world, 'who joins at night, by mail')
    to_local(world, '06:50', days=1)
    early = Person(world, 'early', 'en', INSIDE, phone=False)
    early.gets('seven-new')
    all_told(world, 'ten minutes before the morning', 10)
    to_local(world, '07:01')
    for person in [*everybody, owl]:
        person.gets('seven-new', 'sms')
    all_told(world, 'in the morning', 60)
    wait_for(alert.settled, 'all of it sent')


def main():
    with World(store_argument(), test_clock=True) as world:
        world.officer()
        joined_in = one_alert(world)
        superseded(world)
        night(world)
        world.check()
        messages = sum(len(person.expected[channel]) for person in Person.everybody for channel in person.expected)
        print(f'living: {len(Person.everybody)} people had exactly their {messages} texts of 7 versions; enrolled and told in {joined_in:.1f} s')


if __name__ == '__main__':
    main()
