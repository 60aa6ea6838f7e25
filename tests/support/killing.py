"""The main job while the server is killed again and again: what kill.py and kill_short.py run."""
import collections
import http.client
import os
import random
import re
import threading
import time
import urllib.error

from alerting import Alert, arrived
from chancery import PATIENCE, World, wait_for
from crowd import Crowd
from traveller import answer_by_link, source

WINDOW, CONNECTIONS = 12, 4
SETTINGS = {'smpp.window': WINDOW, 'smtp.connections': CONNECTIONS}
# The carrier and the relay take their time, so that the windows are full whenever the server dies.
FAULTS = {'latency_ms': 150, 'mail_latency_ms': 60, 'receipt_delay_ms': 300}
GONE = (ConnectionError, http.client.HTTPException, urllib.error.URLError, TimeoutError, OSError)


class Answering(threading.Thread):
    """Some of those who were told answer, by SMS and by link, whatever the server is doing; a link is tried again until it is answered."""

    def __init__(self, world, people, generator):
        super().__init__()
        self.world, self.generator, self.over = world, generator, threading.Event()
        self.people = {one.phone: one for one in people if one.phone}
        self.said, self.failure, self.tries = {}, None, 0

    def run(self):
        try:
            while not self.over.is_set():
                self._round()
                self.over.wait(0.3)
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error

    def _round(self):
        waiting = [(phone, messages[0][1]['text']) for phone, messages in arrived(self.world).items() if phone in self.people and phone not in self.said]
        for phone, text in waiting[:6]:
            one, needs_help = self.people[phone], self.generator.random() < 0.3
            if self.generator.random() < 0.5:
                self.world.simulator.text_from(phone, 'HELP no water' if needs_help else 'SAFE')
            elif not self._by_link(one, text, needs_help):
                continue
            self.said[phone] = 'help' if needs_help else 'safe'

    def _by_link(self, one, text, needs_help):
        self.tries += 1
        try:
            answer_by_link(self.world, text, one.language, source(one.number), needs_help)
        except GONE:
            return False  # the server was gone; a person tries again
        return True

    def end(self):
        self.over.set()
        self.join()
        if self.failure:
            raise AssertionError('answering failed') from self.failure
        return collections.Counter(self.said.values())


def handed(world):
    """How many the carrier and the relay have taken so far, and how many of those twice."""
    counts = world.simulator.counts()
    return (counts['phones']['received'] + counts['mailboxes']['received'], counts['phones']['doubled'] + counts['mailboxes']['doubled'])


def one_life(world, generator, longest):
    """Lets the server run for a random while, kills it, and says how many at most may have arrived without being on record: what was in
    the windows, and what was taken in the last moments (a setting bounds how long an answer may wait to be recorded)."""
    lives, samples = generator.uniform(0.02, longest) * PATIENCE, []
    end = time.monotonic() + lives
    while time.monotonic() < end:
        samples.append((time.monotonic(), handed(world)[0]))
        time.sleep(min(0.02, max(0, end - time.monotonic())))
    world.kill()
    died = time.monotonic()
    before = [count for at, count in samples if at < died - 0.1 * PATIENCE]
    now = handed(world)[0]
    return WINDOW + CONNECTIONS + min(1000, now - (before[-1] if before else samples[0][1] if samples else now))


def doubled_boxes(world):
    """Addresses that had the same message twice."""
    found = set()
    for kind, name in (('phones', 'number'), ('mailboxes', 'address')):
        found |= {box[name] for box in world.simulator.ask('/' + kind) if box['doubled']}
    return found


def check_marked(world, alert):
    """Every message that arrived twice is marked as once in doubt, in the store and on the page of the alert."""
    marked = {address for address, in world.rows(
        'SELECT contact.address FROM message JOIN contact ON contact.person_id = message.person_id AND contact.channel = message.channel '
        'WHERE message.notice_id > 0 AND message.was_in_doubt = 1')}
    twice = doubled_boxes(world) & {address for address, messages in arrived(world).items() if len(messages) > 1}
    assert twice <= marked, ('doubled and not marked', sorted(twice - marked)[:10])
    shown = sum(int(number.replace(',', '')) for number in re.findall(r'may have arrived twice: ([\d,]+)', alert.page().text))
    assert shown == len(marked), (shown, len(marked))
    return len(twice), len(marked)


def run(store, people, inside, kills, longest, seed=None):
    """Everything; prints the figures."""
    seed = seed if seed is not None else int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
    print(f'seed {seed} (SEED={seed} repeats it)', flush=True)
    generator, begun = random.Random(seed), time.monotonic()
    with World(store, simulator_options=('--keep', '60000'), settings=SETTINGS) as world:
        crowd = Crowd(world, people, inside, unconfirmed=0.02)
        crowd.bring_in()
        alert = Alert(world, world.officer())
        page = alert.write('one', crowd.polygon)
        page.expect(f'{inside:,} certainly inside')
        expected = crowd.expected('one')
        world.simulator.faults(**FAULTS)
        alert.send(page)
        answering = Answering(world, [one for one in crowd.travellers if one.inside and one.channels()], random.Random(seed + 1))
        answering.start()
        allowed = done = 0
        for done in range(1, kills + 1):
            allowed += one_life(world, generator, longest)
            world.start()
        world.simulator.faults(latency_ms=0, mail_latency_ms=0, receipt_delay_ms=0)
        wait_for(alert.settled, 'everything handed over and answered', 240)
        killed = time.monotonic()
        said = answering.end()

        boxes = arrived(world)
        lost = [address for address in expected if not boxes.get(address)]
        assert not lost, (len(lost), 'messages were lost', lost[:10])
        strange = [(address, [found for found, _ in messages], expected.get(address)) for address, messages in boxes.items()
                   if {found for found, _ in messages} != {expected.get(address)}]
        assert not strange, strange[:10]
        surplus = sum(len(messages) - 1 for messages in boxes.values())
        assert surplus <= allowed, (surplus, allowed)
        twice, marked = check_marked(world, alert)
        more = [address for address, messages in boxes.items() if len(messages) > 1 + done]
        assert not more, more

        wait_for(lambda: (lambda figures: figures['safe'] == said['safe'] and figures['help'] == said['help'])(alert.sums()[0]), f'the answers {said}', 60)

        def receipts():
            sms = alert.sums()[1]['sms']
            return sms['delivered'] == sms['planned']

        wait_for(receipts, 'every receipt folded back', 60)
        world.check()
        print(f'kill: {done} kills; {len(expected)} messages, none lost, {surplus} doubled ({allowed} could have been) and {marked} marked in doubt; '
              f'{sum(said.values())} answers, none lost; {killed - begun:.0f} s')
        return twice
