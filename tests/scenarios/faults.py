#!/usr/bin/env python3
# stores: sqlite
"""Each fault of a carrier once, briefly: nothing lost, doubled only what was cut after it was taken, each of those marked, every receipt
whose id we were told folded in, the others kept, every sum right. The long run and the combinations are in faults_long.py."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import World, store_argument  # noqa: E402
from faulty import Run  # noqa: E402

WINDOW = 50
# One cut a run: what is cut twice is sent again only after half a minute, as it must be.
SHORT = [
    {'latency_ms': 5, 'jitter_ms': 40, 'receipt_style': 8, 'receipt_double_percent': 30, 'double_response_percent': 20},
    {'receipt_first': 1, 'receipt_intermediate': 1, 'receipt_style': 8, 'receipt_strange_percent': 20},
    {'reject_percent': 10, 'latency_ms': 5},
    {'latency_ms': 10, 'cut_every': 240, 'receipt_style': 8},
    {'latency_ms': 10, 'cut_every': 240, 'cut_before': 1, 'down_ms': 300},
    {'stall_every': 150, 'stall_ms': 700, 'enquire_ms': 200, 'latency_ms': 5},
]


def main():
    with World(store_argument(), simulator_options=('--keep', '5000'), settings={'smpp.window': WINDOW}) as world:
        officer = world.officer()
        for faults in SHORT:
            begun = time.monotonic()
            print(f'{faults}: {Run(world, officer, 300, faults).whole()} in {time.monotonic() - begun:.1f} s', flush=True)
        # The rate that window and latency allow, most of it.
        fast = Run(world, officer, 4000, {'latency_ms': 50})
        print(f'window {WINDOW}, 50 ms: {fast.whole()}', flush=True)
        assert fast.rate >= 0.9 * WINDOW / 0.05, fast.rate


if __name__ == '__main__':
    main()
