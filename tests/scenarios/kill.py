#!/usr/bin/env python3
# tier: long
# stores: sqlite postgresql
"""The server is killed at KILLS (200) random moments while it sends, receives and is answered: nothing lost, doubled at most what was in flight
or not yet recorded, each such case marked."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import store_argument  # noqa: E402
from killing import run  # noqa: E402

if __name__ == '__main__':
    kills = int(os.environ.get('KILLS', '200'))
    # As many people as the kills leave work for: an alert that is all sent proves nothing of a kill.
    run(store_argument(), people=120 * kills, inside=60 * kills, kills=kills, longest=1.5)
