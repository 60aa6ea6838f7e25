#!/usr/bin/env python3
# stores: sqlite postgresql
"""A backup is made while an alert goes out; then the machine is lost. Restored elsewhere, the store is sound, the work goes on to its end,
old links and sign-ins work, and what was on record is on record."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import Alert, arrived  # noqa: E402
from chancery import World, store_argument, wait_for  # noqa: E402
from crowd import Crowd  # noqa: E402
from killing import handed  # noqa: E402
from traveller import answer_by_link, enrol, own_page, source  # noqa: E402

PEOPLE, INSIDE, ANSWERS = 1500, 800, 20


def answer_some(world, people, boxes, first, count, needs_help):
    """So many of those who were told answer by their links; returns who did."""
    told = [one for one in people if one.phone in boxes][first:first + count]
    assert len(told) == count, (len(told), count)
    for one in told:
        answer_by_link(world, boxes[one.phone][0][1]['text'], one.language, source(one.number), needs_help)
    return told


def main():
    with World(store_argument(), simulator_options=('--keep', '60000'), settings={'smpp.window': 10}) as world:
        key = world.folder / 'private.key'
        public = world.command('keygen', str(key)).strip()
        enrol(world, source(1), name='Amal Example', mail='amal@example.org', legs=[('Tunis', 0, 9)])
        mine = own_page(world, 'amal@example.org')
        crowd = Crowd(world, PEOPLE, INSIDE, unconfirmed=0.02)
        crowd.bring_in()
        inside = [one for one in crowd.travellers if one.inside and one.channels()]
        expected = crowd.expected('one')
        alert = Alert(world, world.officer())
        page = alert.write('one', crowd.polygon)
        world.simulator.faults(latency_ms=400, mail_latency_ms=200)
        alert.send(page)
        wait_for(lambda: world.simulator.counts()['phones']['boxes'] >= 2 * ANSWERS, 'the first of them')
        safe = answer_some(world, inside, arrived(world), 0, ANSWERS, needs_help=False)

        backup = world.folder / 'backup'
        before = handed(world)[0]
        begun = time.monotonic()
        world.command('backup', str(backup), '--to', public)
        took = time.monotonic() - begun
        assert backup.read_bytes().find(b'traveller') < 0 and backup.read_bytes().find(b'+2162') < 0, 'the backup is not sealed'
        wait_for(lambda: handed(world)[0] >= before + 50, 'more of them after the backup')
        assert handed(world)[0] < len(expected), 'all was sent before the machine was lost'
        world.kill()
        after = handed(world)[0]

        world.restored(backup, key)
        world.check()
        world.start()
        restored = Alert(world, world.officer())
        restored.path = alert.path
        people, _ = restored.sums()
        assert (people['targeted'], people['safe']) == (INSIDE, ANSWERS), people
        # What people hold in their hands still works: the link to their page and the links to answer; the officer's session too.
        world.browser(source=source(1)).get(mine).expect('Amal Example', 'Tunis')
        helped = answer_some(world, inside, arrived(world), ANSWERS, ANSWERS, needs_help=True)
        page = world.browser(source=source(2)).get('/sign-in')
        page.expect()
        world.sign_in()
        world.simulator.faults(latency_ms=0, mail_latency_ms=0)
        wait_for(restored.settled, 'the rest of the alert', 120)
        boxes = arrived(world)
        lost = [address for address in expected if not boxes.get(address)]
        assert not lost, (len(lost), lost[:5])
        surplus = sum(len(messages) - 1 for messages in boxes.values())
        # What left between the copy and the loss is not on record: only that can have been sent again.
        assert surplus <= after - before + 16, (surplus, after - before)
        people, _ = restored.sums()
        assert (people['safe'], people['help']) == (len(safe), len(helped)), people
        world.check()
        print(f'restore: a backup of {PEOPLE} people in {took:.1f} s in the midst of {len(expected)} messages; none lost after the restore, {surplus} sent twice '
              f'of {after - before} that left after the copy began')


if __name__ == '__main__':
    main()
