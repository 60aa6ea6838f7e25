#!/usr/bin/env python3
# stores: sqlite postgresql
"""Who people are stands where it must and nowhere else: not in the log, not in the ledger; and after they have deleted it, not in the
data file, its write-ahead log or a dump of the database."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import Alert, arrived, square  # noqa: E402
from chancery import World, store_argument, wait_for  # noqa: E402
from traveller import answer_by_link, confirm, form_values, own_page  # noqa: E402

AREA, INSIDE = square(0, 30, 4, 34), '32.1, 3.1'
CLIENT = '203.0.113.77'


class Person:
    """Somebody with distinctive everything."""

    def __init__(self, world, number, mail=None, phone=True, confirmed=True):
        self.world, self.number, self.confirmed = world, number, confirmed
        self.name = f'Zyxwina{number} Quorbel'
        self.mail = mail or f'zyxwina{number}@example.org'
        self.phone = f'+216209870{number:02d}' if phone else None
        self.companion, self.kin, self.kin_mail, self.note = f'Companjo{number}', f'Emerjo{number}', f'emerjo{number}@example.com', f'Notavel{number}'
        self.said = f'Vorbexle{number}'
        self.browser = world.browser('en', CLIENT)
        values = form_values(world, name=self.name, mail=self.mail, phone=self.phone, legs=[(INSIDE, 0, 9)], companions='2', companion_names=self.companion,
                             note=self.note, emergency_name=self.kin, emergency_email=self.kin_mail, emergency_consent='yes')
        page = self.browser.get('/enrol').submit(values).expect()
        self.confirm_path = page.url
        if confirmed:
            confirm(world, page, *[address for address in (self.mail, self.phone) if address])

    def secrets(self):
        """Every word that tells who they are."""
        words = [self.name, f'Zyxwina{self.number}', self.mail, self.companion, self.kin, self.kin_mail, self.note, self.said]
        if self.phone:
            digits = self.phone.removeprefix('+216')
            words += [self.phone, digits, f'{digits[:2]} {digits[2:5]} {digits[5:]}', f'{digits[:2]} {digits[2:]}']
        return words


def traffic(world):
    """An alert and all the roads by which people answer it, and everything that goes wrong on them."""
    people = [Person(world, 10), Person(world, 11), Person(world, 12, phone=False), Person(world, 13), Person(world, 14, confirmed=False)]
    bounced = Person(world, 15, mail='no-such-user15@example.org', phone=True, confirmed=False)
    confirm(world, bounced.browser.get(bounced.confirm_path), bounced.phone)
    people.append(bounced)
    # Forms with mistakes, wrong codes, spoiled links, a wrong sign-in: what is refused is not logged either.
    browser = world.browser('en', CLIENT)
    browser.get('/enrol').submit(form_values(world, name=people[0].name, mail=people[0].mail + '@', phone=people[0].phone + '1'))
    browser.get('/my').submit({'address': people[0].mail}).submit({'code': '000000'}, having='code')
    browser.get('/my/' + people[0].name.replace(' ', ''))
    browser.get('/find?q=' + people[0].name.replace(' ', '+'))
    browser.get('/sign-in').submit({'login': people[0].mail, 'password': people[0].name, 'code': '123456'})

    alert = Alert(world, world.officer())
    alert.send(alert.write('one', AREA))
    wait_for(lambda: {address for one in people[:4] for address in (one.mail, one.phone) if address} <= set(arrived(world)), 'the alert')
    boxes = arrived(world)
    answer_by_link(world, boxes[people[0].mail][0][1]['text'], 'en', CLIENT, True, note=people[0].said, place=people[0].said + ' Hotel')
    world.simulator.text_from(people[1].phone, f'HELP {people[1].said}')
    world.simulator.mail_from(people[2].mail, f'Safe {people[2].said}', answers=boxes[people[2].mail][0][1]['sequence'])
    wait_for(lambda: alert.sums()[0]['help'] == 2 and alert.sums()[0]['safe'] == 1, 'the answers')
    world.simulator.text_from(people[3].phone, f'What is going on? {people[3].said}')
    world.simulator.mail_from(people[3].mail, f'And I asked you: {people[3].said}', answers=boxes[people[3].mail][0][1]['sequence'])
    world.simulator.text_from(people[3].phone, 'STOP')
    wait_for(lambda: world.number('SELECT count(*) FROM incoming WHERE state IN (2, 3)') == 5, 'all of it read')
    # Officers look at addresses, write notes, take a case.
    board = alert.officer.get(alert.path + '/board?view=help').expect(people[0].name)
    board.submit({}, action='/board/contacts').expect()
    person = alert.officer.get(board.link('/person/')).expect()
    person.submit({'text': f'Spoke to {people[0].said}'}, having='text', button='note').expect(f'Spoke to {people[0].said}')
    alert.officer.get(alert.path + '/board.csv').expect()
    # A carrier and a relay that refuse, with the address in their answer.
    world.simulator.faults(reject_percent=100, mail_reject_percent=100)
    second = Alert(world, world.officer())
    second.send(second.write('two', AREA))
    wait_for(lambda: sum(row['failed'] for row in second.sums()[1].values()) >= 5, 'the refusals')
    world.simulator.faults(reject_percent=0, mail_reject_percent=0)
    return alert, people


def links_in(world):
    """Tokens of every link that was sent to anybody."""
    tokens = set()
    for message in world.simulator.ask('/messages?limit=100000'):
        tokens |= set(re.findall(r'/(?:a|my|confirm|unsubscribe)/([a-z0-9]{21,})', message['text'] + message.get('html', '') + message.get('list_unsubscribe', '')))
    return tokens


def found_in(content, words):
    """Which of the words stand in the bytes, in any case."""
    folded = content.lower()
    return sorted({word for word in words if word.encode().lower() in folded})


def dump(world):
    """Everything the store keeps on disk."""
    if world.store == 'sqlite':
        return {path.name: path.read_bytes() for path in world.folder.glob('chancery.db*')}
    done = subprocess.run(['pg_dump', '--no-password', '--dbname', world.url], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return {'pg_dump': done.stdout}


def main():
    with World(store_argument()) as world:
        alert, people = traffic(world)
        secrets = [word for one in people for word in one.secrets()]
        tokens = links_in(world)
        assert len(tokens) > 10, tokens
        log = (world.folder / 'server.log').read_bytes()
        found = found_in(log, [*secrets, *tokens, CLIENT])
        assert not found, ('in the log', found, [line for line in log.decode().splitlines() if any(word.lower() in line.lower() for word in found)][:5])
        ledger = '\n'.join('|'.join(value or '' for value in row) for row in world.rows('SELECT * FROM ledger')).encode()
        assert len(ledger) > 500 and not found_in(ledger, [*secrets, *tokens, CLIENT]), ('in the ledger', found_in(ledger, [*secrets, *tokens]))
        stored = dump(world)
        missing = [word for one in people for word in (one.name, one.mail, one.note) if not any(found_in(content, [word]) for content in stored.values())]
        assert not missing, ('not even stored: the search is blind', missing)
        client = {name: found_in(content, [CLIENT]) for name, content in stored.items()}
        assert not any(client.values()), ('client address stored', client)

        before, _ = alert.sums()
        for one in people:
            addresses = [address for address in (one.phone, one.mail) if address]
            # Who confirmed nothing was never sent the link; it stands where the codes are typed.
            path = own_page(world, *addresses) if one.confirmed else re.search(r'/my/[a-z0-9]+', one.browser.get(one.confirm_path).link('/my/')).group(0)
            page = one.browser.get(path + '/delete').submit({}, action='/delete')
            page.expect('Everything was deleted')
            assert one.browser.get(path).status == 404
        after, _ = alert.sums()
        # They no longer have a stay inside, so they are released; the counts of who was safe and who was not stay.
        assert all(before[name] == after[name] for name in ('targeted', 'safe', 'help', 'silent', 'unreachable')), (before, after)

        def left():
            return {name: words for name, words in ((name, found_in(content, secrets)) for name, content in dump(world).items()) if words}

        try:
            wait_for(lambda: not left(), 'nothing left', 20)
        except AssertionError as error:
            raise AssertionError(f'left after the deletion: {left()}') from error
        log = (world.folder / 'server.log').read_bytes()
        assert not found_in(log, [*secrets, *tokens, CLIENT])
        world.check()
        print(f'privacy: {len(secrets)} words about {len(people)} people and {len(tokens)} links: none in {len(log)} bytes of log or the ledger; none on disk after deletion')


if __name__ == '__main__':
    main()
