"""One alert after another through a carrier that misbehaves, and the account of each: what bad days must not change.

A run brings in people of its own, sends them one alert by SMS, waits until all is settled and compares three books: what the simulated
centre took, what the rows say, and what the officer's page shows."""
import collections
import csv
import datetime
import time

from alerting import Alert, square
from chancery import PATIENCE, wait_for

CLEAN = {'latency_ms': 0, 'jitter_ms': 0, 'throttle_per_second': 0, 'window_limit': 0, 'queue_full_percent': 0, 'reject_percent': 0, 'busy_percent': 0,
         'drop_response_percent': 0, 'late_response_ms': 0, 'double_response_percent': 0, 'cut_every': 0, 'cut_before': 0, 'down_ms': 0, 'stall_every': 0,
         'stall_ms': 0, 'enquire_ms': 0, 'bind_fail': 0, 'refuse_bind': 0, 'receipts': 1, 'receipt_delay_ms': 0, 'receipt_style': 0,
         'receipt_fail_percent': 0, 'receipt_double_percent': 0, 'receipt_first': 0, 'receipt_intermediate': 0, 'receipt_strange_percent': 0,
         'receipt_other_bind': 0}
ACCEPTED, DELIVERED, FAILED, EXPIRED = 4, 5, 6, 8


class Run:
    """One alert to `people` new people under `faults`."""

    count = 0

    def __init__(self, world, officer, people, faults):
        Run.count += 1
        self.world, self.people, self.faults, self.number = world, people, faults, Run.count
        self.alert = Alert(world, officer)
        self.rate = 0.0

    def phone(self, one):
        return f'+2162{self.number % 1000:03d}{one:04d}'

    def bring_in(self):
        """People of this run alone, all in a box of their own in the Sahara."""
        folder, name = self.world.folder, f'{self.number}'
        west, south = 3 + self.number % 20 * 0.1, 29 + self.number // 20 % 20 * 0.1
        with open(folder / 'faulty-people.csv', 'w', newline='', encoding='utf-8') as file:
            writer = csv.writer(file)
            writer.writerow(['id', 'name', 'language', 'mobile'])
            writer.writerows((f'F{name}-{one}', f'Traveller {name} {one}', 'en', self.phone(one)) for one in range(self.people))
        self.world.command('import', 'people', str(folder / 'faulty-people.csv'), '--contacts-confirmed', '--operator', 'Scenario')
        today = datetime.datetime.fromtimestamp(self.world.now(), datetime.timezone.utc).date()
        begins, ends = (today - datetime.timedelta(2)).isoformat(), (today + datetime.timedelta(9)).isoformat()
        with open(folder / 'faulty-trips.csv', 'w', newline='', encoding='utf-8') as file:
            writer = csv.writer(file)
            writer.writerow(['person_id', 'from', 'to', 'latitude', 'longitude'])
            writer.writerows((f'F{name}-{one}', begins, ends, f'{south + 0.03:.6f}', f'{west + 0.03:.6f}') for one in range(self.people))
        self.world.command('import', 'trips', str(folder / 'faulty-trips.csv'))
        self.polygon = square(west + 0.01, south + 0.01, west + 0.05, south + 0.05)

    def send(self):
        """Sends, and measures how fast the centre took the messages between the first and the last tenth."""
        page = self.alert.write(f'f{self.number}', self.polygon, channels=['sms'], hours=6)
        self.before = self.world.simulator.counts()
        self.unmatched_before = self.world.number('SELECT count(*) FROM receipt_unmatched')
        self.world.simulator.faults(**{**CLEAN, **self.faults})
        self.alert.send(page)

    def watch(self, seconds):
        """Until everything is settled; the rate between a tenth and nine tenths."""
        begun, samples = time.monotonic(), []
        had = self.before['phones']['received']
        while time.monotonic() - begun < seconds * PATIENCE:
            taken = self.world.simulator.counts()['phones']['received'] - had
            samples.append((time.monotonic(), taken))
            if taken >= self.people * 0.9 * (1 - self.faults.get('reject_percent', 0) / 80):
                break
            time.sleep(0.01)
        tenth = next((sample for sample in samples if sample[1] >= self.people * 0.1), samples[-1])
        if samples[-1][0] > tenth[0]:
            self.rate = (samples[-1][1] - tenth[1]) / (samples[-1][0] - tenth[0])
        wait_for(self.alert.settled, f'run {self.number} {self.faults} settled', seconds)

    def rows(self):
        """phone -> (state, reason, was in doubt)."""
        pattern = self.phone(0)[:-4]
        rows = self.world.rows('SELECT contact.address, message.state, message.reason, message.was_in_doubt FROM message JOIN contact ON '
                               f"contact.person_id = message.person_id AND contact.channel = message.channel WHERE contact.address LIKE '{pattern}%'")
        return {phone: (int(state), int(reason or 0), int(doubt)) for phone, state, reason, doubt in rows}

    def receipts_folded(self):
        """True when whoever was told an id has the receipt folded in: nothing stays merely accepted, but what a cut left without an id."""
        return not [1 for state, _, doubt in self.rows().values() if state == ACCEPTED and not doubt]

    def account(self):
        """Asserts the whole account; returns a line of figures."""
        boxes = {box['number']: box for box in self.world.simulator.ask('/phones') if box['number'].startswith(self.phone(0)[:-4])}
        rows = self.rows()
        assert len(rows) == self.people, (len(rows), self.people)
        refused = {phone for phone, (state, reason, _) in rows.items() if state == FAILED and phone not in boxes}
        lost = [phone for phone in rows if phone not in boxes and phone not in refused]
        assert not lost, (self.faults, len(lost), 'lost', [(phone, rows[phone]) for phone in lost[:5]])
        assert self.faults.get('reject_percent') or not refused, (self.faults, 'refused by nobody', sorted(refused)[:5])
        assert all(rows[phone][1] for phone in refused), (self.faults, 'refused without a reason')
        doubled = {phone for phone, box in boxes.items() if box['received'] > 1}
        unmarked = [phone for phone in doubled if not rows[phone][2]]
        assert not unmarked, (self.faults, 'doubled and not marked', unmarked[:5])
        may_double = any(self.faults.get(name) for name in ('cut_every', 'drop_response_percent', 'stall_every', 'enquire_ms')) or self.faults.get('killed')
        assert may_double or not doubled, (self.faults, 'doubled without a cut', sorted(doubled)[:5])
        if self.faults.get('receipts', 1) and not self.faults.get('receipt_fail_percent'):
            wait_for(self.receipts_folded, f'receipts of run {self.number} {self.faults}; {collections.Counter(row[0] for row in self.rows().values())}', 40)
        counts = self.world.simulator.counts()
        if self.faults.get('receipt_strange_percent'):
            sent = counts['strange_receipts'] - self.before['strange_receipts']
            wait_for(lambda: self.world.number('SELECT count(*) FROM receipt_unmatched') - self.unmatched_before >= sent, f'{sent} strange receipts kept', 20)
        self.alert.sums()
        self.world.check()
        states = collections.Counter(row[0] for row in self.rows().values())
        marked = sum(doubt for _, _, doubt in rows.values())
        return (f'{self.people} people, {len(refused)} refused, {len(doubled)} doubled, {marked} marked, states {dict(sorted(states.items()))}, '
                f'{self.rate:.0f}/s')

    def whole(self, seconds=60):
        self.bring_in()
        self.send()
        self.watch(seconds)
        line = self.account()
        self.world.simulator.faults(**CLEAN)
        return line
