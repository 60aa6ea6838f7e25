#!/usr/bin/env python3
# stores: sqlite postgresql
"""The main job, whole: fifty thousand enrolled, ten thousand of them in the area of an alert, everyone told once by each of their
channels in their language, answers by link, SMS and mail, and a board that is right to the last person. The sums are looked at all the
time while it runs."""
import collections
import concurrent.futures
import csv
import io
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import Alert, arrived  # noqa: E402
from chancery import World, store_argument, wait_for  # noqa: E402
from crowd import Crowd  # noqa: E402
from traveller import answer_by_link, enrol, source  # noqa: E402

PEOPLE, INSIDE = 50000, 10000
BY_LINK, BY_SMS, BY_MAIL, BARE, STOPS = 300, 300, 48, 12, 24
SAFE = {'en': 'Safe', 'fr': 'EN SÉCURITÉ', 'ar': 'أنا بخير', 'fa': 'در امان هستم'}
HELP = {'en': 'help me, leg broken', 'fr': 'A l’aide! jambe cassée', 'ar': 'ساعدوني الساق مكسورة', 'fa': 'کمک پایم شکسته'}
NOTES = {'en': 'leg broken', 'fr': 'jambe cassée', 'ar': 'الساق مكسورة', 'fa': 'پایم شکسته'}
WEB = [('34.05, 5.02', None), ('31.9, 5.1', True), ('31.6, 5.4', True), ('Tunis', False), ('31.5, 5.0', False), ('31.2, 4.7', True)]


class Sampler(threading.Thread):
    """Looks at the officer's pages, and at `chancery check`, again and again until it is told to stop."""

    def __init__(self, world, alert):
        super().__init__()
        self.world, self.alert, self.over = world, alert, threading.Event()
        self.pages = self.checks = 0
        self.failure, self.seen = None, collections.Counter()

    def run(self):
        next_check = 0
        try:
            while not self.over.is_set():
                _, messages = self.alert.sums()
                self.pages += 1
                for row in messages.values():
                    self.seen.update(state for state, number in row.items() if number)
                if time.monotonic() >= next_check:
                    self.world.check()
                    self.checks += 1
                    next_check = time.monotonic() + 2
                self.over.wait(0.1)
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error

    def end(self):
        self.over.set()
        self.join()
        if self.failure:
            raise AssertionError('the sums did not hold while it ran') from self.failure


def enrol_by_web(world, crowd):
    """A handful of people enrol through the pages; they are part of the crowd from then on."""
    for number, (place, _) in enumerate(WEB, PEOPLE + 1):
        inside = crowd.contains(*reversed([float(part) for part in place.split(',')])) if ',' in place else False
        language = ['en', 'fr', 'ar', 'fa'][number % 4]
        one = crowd.add_enrolled(number, language, inside)
        enrol(world, source(number), name=one.name, language=language, mail=one.mail, phone=one.phone, legs=[(place, 0, 9)])


def check_deliveries(world, crowd, version):
    """Everyone exactly once by each channel, in their language, and nobody else."""
    boxes, expected = arrived(world), crowd.expected(version)
    wrong = [(address, [found for found, _ in boxes.get(address, [])], expected.get(address)) for address in set(boxes) | set(expected)
             if [found for found, _ in boxes.get(address, [])] != [expected.get(address)]]
    assert not wrong, (len(wrong), wrong[:10])
    return boxes


def read_board(alert):
    """name -> row of the board's table."""
    text = alert.officer.get(alert.path + '/board.csv').expect().body.decode('utf-8-sig')
    rows = list(csv.reader(io.StringIO(text)))
    tags = rows[1]
    return {row[tags.index('#affected+name')]: dict(zip(tags, row)) for row in rows[2:]}


class Answers:
    """Who answers what by which road, and what the board must then say of them."""

    def __init__(self, world, crowd, boxes):
        self.world, self.crowd, self.boxes = world, crowd, boxes
        self.wanted = {one.name: ('no_answer' if one.channels() else 'unreachable', None) for one in crowd.travellers if one.inside}
        reachable = [one for one in crowd.travellers if one.inside and one.channels()]
        crowd.generator.shuffle(reachable)
        self.sms = [one for one in reachable if one.phone]
        self.mail = [one for one in reachable if not one.phone]

    def take(self, road, count):
        taken, road[:] = road[:count], road[count:]
        return taken

    def message(self, one):
        """The alert as it stands in their box, newest channel they have."""
        address = one.phone or one.mail
        return self.boxes[address][0][1]

    def by_link(self):
        people = self.take(self.sms, BY_LINK // 2) + self.take(self.mail, BY_LINK // 2)

        def answer(numbered):
            number, one = numbered
            needs_help = number % 3 == 0
            answer_by_link(self.world, self.message(one)['text'], one.language, source(number), needs_help,
                           note=NOTES[one.language] if needs_help else '', place='Hotel 7' if needs_help else '')
            self.wanted[one.name] = ('needs_help', NOTES[one.language]) if needs_help else ('safe', '')
            return one, needs_help

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answered = list(pool.map(answer, enumerate(people)))
        # Some were safe and are not any more: the last word counts.
        for one, needs_help in answered[:40]:
            if not needs_help and one.phone:
                self.world.simulator.text_from(one.phone, HELP[one.language])
                self.wanted[one.name] = ('needs_help', NOTES[one.language])

    def by_sms(self):
        for number, one in enumerate(self.take(self.sms, BY_SMS)):
            needs_help = number % 3 == 0
            self.world.simulator.text_from(one.phone, (HELP if needs_help else SAFE)[one.language])
            self.wanted[one.name] = ('needs_help', NOTES[one.language]) if needs_help else ('safe', '')
        for one in self.take(self.sms, BARE):
            self.world.simulator.text_from(one.phone, '  HELP ')
            self.wanted[one.name] = ('needs_help', '')

    def by_mail(self):
        for number, one in enumerate(self.take(self.mail, BY_MAIL)):
            needs_help = number % 3 == 0
            self.world.simulator.mail_from(one.mail, (HELP if needs_help else SAFE)[one.language], answers=self.message(one)['sequence'])
            self.wanted[one.name] = ('needs_help', NOTES[one.language]) if needs_help else ('safe', '')

    def stops(self):
        """STOP ends messages and nothing else: who had been told still owes an answer."""
        people = self.take(self.sms, STOPS)
        for one in people:
            self.world.simulator.text_from(one.phone, 'STOP')
        return people

    def sums(self):
        return collections.Counter(status for status, _ in self.wanted.values())


def check_board(alert, answers):
    """Every person of the board stands where their answer, or their silence, puts them; and nobody else is on it."""
    board = read_board(alert)
    assert set(board) == set(answers.wanted), (len(board), len(answers.wanted), list(set(board) ^ set(answers.wanted))[:10])
    for name, (status, note) in answers.wanted.items():
        row = board[name]
        assert row['#status'] == status, (name, row, status)
        if note is not None:
            assert note in row['#description'] if note else row['#description'] == '', (name, row, note)
        assert row['#status+case'] == ('open' if status == 'needs_help' else ''), (name, row)


def main():
    begun = time.monotonic()
    with World(store_argument(), simulator_options=('--keep', '60000')) as world:
        crowd = Crowd(world, PEOPLE, INSIDE)
        crowd.bring_in()
        imported = time.monotonic()
        officer = world.officer()
        enrol_by_web(world, crowd)
        inside = sum(one.inside for one in crowd.travellers)
        messages = crowd.expected('one')
        unreachable = sum(one.inside and not one.channels() for one in crowd.travellers)

        alert = Alert(world, officer)
        page = alert.write('one', crowd.polygon)
        page.expect(f'{inside:,} certainly inside', f'{unreachable:,} cannot be reached', '0 possibly inside')
        sent = time.monotonic()
        alert.send(page)
        assert alert.told == inside - unreachable, alert.told
        sampler = Sampler(world, Alert(world, world.again()))
        sampler.alert.path = alert.path
        sampler.start()
        wait_for(alert.settled, 'all handed over and answered', 120)
        delivered = time.monotonic()
        boxes = check_deliveries(world, crowd, 'one')

        answers = Answers(world, crowd, boxes)
        answers.by_link()
        answers.by_sms()
        answers.by_mail()
        stopped = answers.stops()
        world.simulator.text_from('+33612345678', 'Bonjour, ma fille est là-bas, avez-vous des nouvelles ?')
        wanted = answers.sums()

        def counted():
            people, _ = alert.sums()
            return people if (people['safe'], people['help']) == (wanted['safe'], wanted['needs_help']) else None

        people = wait_for(counted, f'the answers {wanted}', 60)
        answered = time.monotonic()
        assert people['targeted'] == inside and people['silent'] == wanted['no_answer'] and people['unreachable'] == wanted['unreachable'], (people, wanted)
        wait_for(lambda: world.number("SELECT count(*) FROM contact WHERE opted_out_at IS NOT NULL") == len(stopped), 'the STOPs')
        check_board(alert, answers)
        wait_for(lambda: world.number("SELECT count(*) FROM incoming WHERE state = 3 AND why = 1") == 1, 'the unknown sender in the inbox')
        sampler.end()
        check_deliveries(world, crowd, 'one')
        world.check()
        assert sampler.pages > 5 and sampler.checks > 1 and 'queued' in sampler.seen, (sampler.pages, sampler.checks, sampler.seen)
        print(f'alert: {len(crowd.travellers)} people in after {imported - begun:.0f} s; {inside} targeted, {len(messages)} messages in {delivered - sent:.1f} s, '
              f'{sum(wanted[status] for status in ("safe", "needs_help"))} answers in {answered - delivered:.1f} s; sums held on {sampler.pages} looks and {sampler.checks} checks; '
              f'{time.monotonic() - begun:.0f} s in all')


if __name__ == '__main__':
    main()
