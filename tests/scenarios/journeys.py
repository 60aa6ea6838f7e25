#!/usr/bin/env python3
# stores: sqlite
"""Traveller and officer in a real browser without scripts, and the board that follows live (tests/browser/journeys.mjs)."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import PASSWORD, PATIENCE, ROOT, World, store_argument  # noqa: E402

NODE = ROOT / 'node_modules' / 'node' / 'bin' / 'node'


def main():
    with World(store_argument()) as world:
        world.officer()
        plan = {
            'base': world.base, 'simulator': world.simulator.base, 'chromium': shutil.which('chromium'), 'patience': PATIENCE,
            'login': 'officer', 'password': PASSWORD, 'secret': world.officers['officer'][1], 'screenshots': os.environ.get('SCREENSHOTS'),
        }
        path = world.folder / 'plan.json'
        path.write_text(json.dumps(plan), encoding='utf-8')
        done = subprocess.run([NODE, ROOT / 'tests' / 'browser' / 'journeys.mjs', path], check=False, timeout=600)
        assert done.returncode == 0, 'a journey failed: see above'
        world.check()


if __name__ == '__main__':
    main()
