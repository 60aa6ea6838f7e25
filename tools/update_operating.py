#!/usr/bin/env python3
"""Writes the table of settings at the end of docs/operating.md anew, from the program itself.

    update_operating.py [--check] [BUILD FOLDER]     --check: says whether it is as the program has it, changes nothing
"""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = '| name | type | initial | what it does |\n'


def main(arguments):
    check = '--check' in arguments
    build = pathlib.Path(next((word for word in arguments if word != '--check'), ROOT / 'build'))
    page = ROOT / 'docs' / 'operating.md'
    with tempfile.TemporaryDirectory() as folder:
        table = subprocess.run([build / 'chancery', '--data', folder, 'settings', '--markdown'], capture_output=True, text=True, check=True).stdout
    assert table.startswith(HEAD), table[:200]
    old = page.read_text(encoding='utf-8')
    new = old[:old.index(HEAD)] + table
    if new == old:
        return 0
    if check:
        changed = sorted(set(new.splitlines()) ^ set(old.splitlines()))
        print('docs/operating.md lists other settings than the program has; tools/update_operating.py writes it anew:\n' + '\n'.join(changed), file=sys.stderr)
        return 1
    page.write_text(new, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
