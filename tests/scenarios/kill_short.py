#!/usr/bin/env python3
# stores: sqlite
"""A few kills of the server in the midst of its work (the many are in kill.py): nothing lost, the few doubled marked."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import store_argument  # noqa: E402
from killing import run  # noqa: E402

if __name__ == '__main__':
    run(store_argument(), people=1200, inside=600, kills=6, longest=1.0)
