#!/usr/bin/env python3
# stores: postgresql
"""Two servers deliver from one PostgreSQL and one of them is killed in the midst of it: everybody hears once but what was in the dead one's
window, each of those marked, and what it had leased goes on within 30 s."""
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import PATIENCE, PROGRAM, Process, World, store_argument, wait_for  # noqa: E402
from faulty import Run  # noqa: E402

WINDOW, PEOPLE = 20, 9000


class Second:
    """Another server process with a data folder of its own and the same keys."""

    def __init__(self, world):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-'))
        for path in world.folder.iterdir():
            if path.is_file() and not path.name.startswith(('dispatcher', 'server', 'simulator', 'chancery.db')):
                shutil.copy2(path, self.folder / path.name)
        self.process = Process([PROGRAM, '--db', world.url, '--data', str(self.folder), 'serve', '--listen', '127.0.0.1:0', '--private-listen', '127.0.0.1:0'],
                               self.folder / 'server.log')

    def end(self):
        if self.process.running():
            self.process.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    seed = int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
    print(f'seed {seed} (SEED={seed} repeats it)', flush=True)
    generator = random.Random(seed)
    with World(store_argument(), simulator_options=('--keep', '5000'), settings={'smpp.window': WINDOW}) as world:
        second = Second(world)
        try:
            wait_for(lambda: world.simulator.counts()['binds'] >= 2, 'both are bound')
            run = Run(world, world.officer(), PEOPLE, {'latency_ms': 50, 'receipt_delay_ms': 200, 'killed': 1})
            faults, run.faults = run.faults, {'latency_ms': 50, 'receipt_delay_ms': 200}
            run.bring_in()
            run.send()
            run.faults = faults
            moment = generator.randrange(1500, 5000)
            wait_for(lambda: world.simulator.counts()['phones']['received'] > moment, 'some have heard', 60)
            second.process.stop(signal.SIGKILL)
            died, had = time.monotonic(), world.simulator.counts()['phones']['received']
            run.watch(90)
            settled = time.monotonic() - died
            line = run.account()
            copies = sum(box['received'] - 1 for box in world.simulator.ask('/phones'))
            # What was in the window of the dead, and what it had been answered and had not written down.
            assert copies <= WINDOW + 1000, copies
            # Its blocks go on within 30 s; what was left then takes one server its time.
            assert settled <= (30 + (PEOPLE - had) / (WINDOW / 0.05)) * PATIENCE, (settled, had)
            print(f'two_dispatchers: {line}; killed at {had}, all settled {settled:.0f} s after, {copies} copies')
        finally:
            second.end()


if __name__ == '__main__':
    main()
