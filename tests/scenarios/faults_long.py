#!/usr/bin/env python3
# tier: long
# stores: sqlite postgresql
"""Every fault of a carrier by itself, then random combinations of them for FAULT_MINUTES (30; shared by the two stores): nothing lost, doubled
only what was cut or left unanswered after it was taken, each of those marked, receipts folded in, sums right. SEED repeats a run."""
import os
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import World, store_argument  # noqa: E402
from faulty import Run  # noqa: E402

WINDOW, PEOPLE = 100, 1000
SINGLY = [
    {'latency_ms': 20}, {'latency_ms': 10, 'jitter_ms': 60}, {'throttle_per_second': 300}, {'latency_ms': 20, 'window_limit': 30},
    {'queue_full_percent': 2}, {'reject_percent': 10}, {'busy_percent': 1}, {'double_response_percent': 30},
    {'cut_every': 300, 'latency_ms': 10}, {'cut_every': 300, 'cut_before': 1, 'latency_ms': 10}, {'cut_every': 400, 'down_ms': 3000, 'latency_ms': 10},
    {'stall_every': 400, 'stall_ms': 5000}, {'enquire_ms': 100, 'latency_ms': 20}, {'receipt_delay_ms': 3000},
    *({'receipt_style': style} for style in range(9)), {'receipt_fail_percent': 20}, {'receipt_double_percent': 50}, {'receipt_first': 1},
    {'receipt_intermediate': 1}, {'receipt_strange_percent': 20}, {'receipt_other_bind': 1}, {'receipts': 0},
]
CHOICES = {
    'latency_ms': [5, 20, 60], 'jitter_ms': [0, 30, 100], 'throttle_per_second': [0, 0, 200, 500], 'queue_full_percent': [0, 0, 1], 'reject_percent': [0, 5],
    'busy_percent': [0, 0, 1], 'double_response_percent': [0, 10], 'cut_every': [0, 250, 700], 'cut_before': [0, 1], 'down_ms': [0, 500, 2000],
    'stall_every': [0, 0, 500], 'stall_ms': [1500], 'enquire_ms': [0, 500], 'receipt_style': [0, 8, 8], 'receipt_delay_ms': [0, 200, 2000],
    'receipt_double_percent': [0, 20], 'receipt_first': [0, 1], 'receipt_intermediate': [0, 1], 'receipt_strange_percent': [0, 5], 'receipt_other_bind': [0, 1],
}


def main():
    store = store_argument()
    seed = int(os.environ.get('SEED', random.SystemRandom().randrange(1 << 32)))
    minutes = float(os.environ.get('FAULT_MINUTES', '30')) / 2
    print(f'seed {seed} (SEED={seed} repeats it)', flush=True)
    generator, end = random.Random(seed), time.monotonic() + minutes * 60
    with World(store, simulator_options=('--keep', '5000'), settings={'smpp.window': WINDOW}) as world:
        officer, runs = world.officer(), 0
        for faults in SINGLY:
            print(f'{faults}: {Run(world, officer, PEOPLE, faults).whole(240)}', flush=True)
        while time.monotonic() < end:
            faults = {name: generator.choice(values) for name, values in CHOICES.items()}
            faults = {name: value for name, value in faults.items() if value}
            print(f'{faults}: {Run(world, officer, PEOPLE, faults).whole(600)}', flush=True)
            runs += 1
        print(f'faults: {len(SINGLY)} singly, {runs} in combination')


if __name__ == '__main__':
    main()
