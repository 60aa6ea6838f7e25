#!/usr/bin/env python3
# tier: long
# stores: sqlite postgresql
"""The server is killed at fifty random moments while it sends, receives and is answered: nothing lost, doubled at most what was in flight
or not yet recorded, each such case marked."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import store_argument  # noqa: E402
from killing import run  # noqa: E402

if __name__ == '__main__':
    run(store_argument(), people=6000, inside=3000, kills=50, longest=1.5)
