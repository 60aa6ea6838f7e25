#!/usr/bin/env python3
# stores: sqlite
"""The browser's checks (tests/browser/checks.mjs) find what they are for."""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NODE = ROOT / 'node_modules' / 'node' / 'bin' / 'node'

if __name__ == '__main__':
    sys.exit(subprocess.run([NODE, ROOT / 'tests' / 'browser' / 'checks_test.mjs', shutil.which('chromium')], check=False, timeout=300).returncode)
