#!/usr/bin/env python3
"""Refuses includes that break the floors of the house, files that grew too long, and paths of one machine.

Usage: check_includes.py [ROOT]

- base < kernel < core < {desks, adapters} < cmd. An include goes down or stays on its floor, never up,
  and never from a desk or an adapter to another desk or adapter.
- Of a room others see one header: kernel/db/db.h of kernel/db (and those in MORE_PUBLIC). base shows all its headers.
- tests, fuzz, bench and tools include anything. A *_test.c beside the code may use every room's public header
  whatever its floor (a desk is tested on a real store), but no other room's private ones.
- Includes are written from the root; only base writes its own without a folder.
"""
import os
import re
import sys

FLOORS = {'base': 0, 'kernel': 1, 'core': 2, 'desks': 3, 'adapters': 3, 'cmd': 4}
FREE = {'tests', 'fuzz', 'bench', 'tools'}
GENERATED = {'messages.h'}  # of the catalogue in messages/, in no floor: enum msg is for every room
# Further public headers, for rooms whose parts are of use without the rest.
MORE_PUBLIC = {
    'kernel/desk': {'hub.h'},
    'kernel/html': {'assets.h', 'error_page.h'},
    'kernel/text': {'sms.h', 'phone.h', 'keyword.h'},
    'core/places': {'map.h'},
    'core/messages': {'channel.h'},  # what channel adapters implement
}
C_LINES_MAX = 1000
TEST_LINES_MAX = 1500  # tables of cases make tests long
SKIPPED = {'.git', 'node_modules', 'results', 'demo-data', '__pycache__'}
TEXT = {'.c', '.h', '.py', '.md', '.build', '.txt', '.sql', '.html', '.css', '.js', '.mjs', '.json', '.sh',
        '.yml', '.yaml', '.toml', '.conf', '.service', '.ini', '.cfg', ''}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)
# Written in two parts, so that this file does not refuse itself.
MACHINE_PATH = re.compile('(?<![\\w.:/])/' + '(?:work|farm)/[\\w.]|/' + r'root/\.')


def room_of(path):
    """The folder that is the room of a file: base, kernel/db, adapters/store/sqlite; a floor's own files are one room."""
    folders = path.split('/')[:-1]
    if not folders:
        return ''
    if folders[0] in ('base', 'cmd'):
        return folders[0]
    return '/'.join(folders[:3 if folders[0] == 'adapters' else 2])


def public_header(room):
    return room + '/' + room.split('/')[-1] + '.h'


def is_public(target):
    room = room_of(target)
    return room == 'base' or target == public_header(room) or os.path.basename(target) in MORE_PUBLIC.get(room, ())


def check_include(path, target):
    """What is wrong with the file `path` including `target` (both from the root), or None."""
    floor, target_floor = path.split('/')[0], target.split('/')[0]
    room, target_room = room_of(path), room_of(target)
    if floor in FREE or room == target_room:
        return None
    if floor not in FLOORS:
        return f'{floor}/ is no floor of the house'
    is_test = path.endswith('_test.c')
    if is_test and target.startswith('tests/'):
        return None
    if target_floor in FREE:
        return f'{floor} may not include {target_floor}'
    if not is_test:
        if FLOORS[target_floor] > FLOORS[floor]:
            return f'{floor} may not include {target_floor} (up)'
        if FLOORS[floor] == FLOORS['desks'] == FLOORS[target_floor]:
            return f'{room} may not include {target_room} (sideways)'
    if not is_public(target):
        return f'{target} is private to {target_room}; its public header is {public_header(target_room)}'
    return None


def may_include_made(path, target):
    """True for a header that a generator made of the room the file is of; only tests and their like see others'."""
    if not target.endswith(('_sql.h', '_pages.h')):
        return False
    return path.split('/')[0] in FREE or path.endswith('_test.c') or target.rsplit('_', 1)[0] == room_of(path).split('/')[-1]


def check_c(root, path, text):
    for match in INCLUDE.finditer(text):
        line = text.count('\n', 0, match.start(1 if match[1] else 2)) + 1
        target = match[1] or match[2]
        if target != os.path.normpath(target) or target.startswith('..'):
            yield line, f'"{target}" is not a plain path'
            continue
        if target.split('/')[0] in FLOORS.keys() | FREE and '/' in target:
            problem = check_include(path, target)
            if problem:
                yield line, problem
        elif match[1] and target not in GENERATED and not may_include_made(path, target) and not (
                room_of(path) == 'base' and os.path.exists(os.path.join(root, 'base', target))):
            yield line, f'"{target}" is not written from the root'
    count = text.count('\n')
    if count > (TEST_LINES_MAX if path.endswith('_test.c') else C_LINES_MAX):
        yield count, f'{count} lines; at most {C_LINES_MAX}'


def check_file(root, path):
    """All (line, problem) of one file."""
    with open(os.path.join(root, path), 'rb') as file:
        content = file.read()
    if b'\0' in content:
        return
    text = content.decode('utf-8', 'replace')
    for number, line in enumerate(text.split('\n'), 1):
        if MACHINE_PATH.search(line):
            yield number, 'a path of one machine'
    if path.endswith(('.c', '.h')):
        yield from check_c(root, path, text)


def files_of(root):
    for folder, folders, names in os.walk(root):
        if 'meson-private' in folders:  # a build folder, whatever its name
            folders[:] = []
            continue
        folders[:] = sorted(name for name in folders if name not in SKIPPED
                            and not (folder == root and name.startswith('build')))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, '/')
            if os.path.splitext(name)[1] in TEXT and os.path.isfile(os.path.join(root, path)) \
                    and not path.startswith('fuzz/corpus/') and path != '.git':
                yield path


def check_tree(root):
    return [f'{path}:{line}: {problem}' for path in files_of(root) for line, problem in check_file(root, path)]


def main():
    problems = check_tree(sys.argv[1] if len(sys.argv) > 1 else '.')
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
