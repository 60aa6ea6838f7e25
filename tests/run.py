#!/usr/bin/env python3
"""The test runner behind ./test: builds, runs the tiers and ends with one line `N passed, N failed`.

Every step is a named command; what a step printed is shown when it failed. A step that cannot run has failed: nothing is skipped.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / 'support'))
import postgres  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
FRESH = ROOT / 'tests' / 'fresh.sh'


class Tally:
    """What passed and what failed, by name."""

    def __init__(self):
        self.passed, self.failed = 0, []

    def add(self, name, good, seconds, output=''):
        if good:
            self.passed += 1
        else:
            self.failed.append(name)
        print(f"{'ok    ' if good else 'FAILED'} {name} ({seconds:.1f} s)", flush=True)
        if not good and output:
            print('\n'.join('    ' + line for line in output.splitlines()[-120:]), flush=True)


def step(tally, name, command, environment=None, timeout=1500):
    """Runs one command and counts it as one test."""
    begun = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
        good, output = done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired as expired:
        good, output = False, f'{expired.stdout or ""}\ntook longer than {timeout} s'
    tally.add(name, good, time.monotonic() - begun, output)
    return good


def build(tally, folder, options=(), environment=None):
    """Configures (once) and builds `folder`; counts as one test."""
    begun = time.monotonic()
    commands = []
    if not (ROOT / folder / 'build.ninja').exists():
        commands.append(['meson', 'setup', folder, *options])
    commands.append(['ninja', '-C', folder])
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace')
        if done.returncode:
            tally.add(f'build {folder}', False, time.monotonic() - begun, done.stdout)
            return False
    tally.add(f'build {folder}', True, time.monotonic() - begun)
    return True


def unit_tests(tally, folder, wanted=(), environment=None, timeout_factor=1):
    """Runs meson's tests of `folder`, each counted by itself."""
    command = ['meson', 'test', '-C', folder, '--no-rebuild', '--print-errorlogs', '--timeout-multiplier', str(timeout_factor)]
    if wanted:
        listed = subprocess.run(['meson', 'test', '-C', folder, '--list'], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        names = [line.split(' / ')[-1].strip() for line in listed.stdout.splitlines()]
        names = [name for name in names if name.startswith(tuple(wanted))]
        if not names:
            return
        command += names
    subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    with open(ROOT / folder / 'meson-logs' / 'testlog.json', encoding='utf-8') as log:
        for line in log:
            result = json.loads(line)
            output = result.get('stdout', '') + result.get('stderr', '')
            tally.add(f"{folder}: {result['name'].split(' / ')[-1]}", result['result'] == 'OK', result['duration'], output)


def scenarios(tier, wanted=()):
    """The scenario programs tests/scenarios/*.py of a tier: a line `# tier: long` in its first lines makes it a long one."""
    found = []
    for path in sorted((ROOT / 'tests' / 'scenarios').glob('*.py')):
        head = path.read_text(encoding='utf-8')[:1000]
        is_long = '# tier: long' in head
        if (is_long and tier != 'long') or (wanted and not path.stem.startswith(tuple(wanted))):
            continue
        found.append(path)
    return found


def run_scenarios(tally, tier, wanted=(), environment=None):
    """Each on every store it names in a line `# stores: sqlite postgresql` (default both)."""
    for path in scenarios(tier, wanted):
        head = path.read_text(encoding='utf-8')[:1000]
        stores = ['sqlite', 'postgresql']
        for line in head.splitlines():
            if line.startswith('# stores:'):
                stores = line.split(':', 1)[1].split()
        for store in stores:
            step(tally, f'{path.stem} on {store}', [sys.executable, str(path), '--store', store], environment)


def fuzz(tally, seconds):
    """Each fuzz target for `seconds`, from its corpus; a finding fails it."""
    if not build(tally, 'build-fuzz', ['-Dfuzz=true', '-Dbuildtype=debugoptimized'], {'CC': 'clang'}):
        return
    for target in sorted((ROOT / 'fuzz').glob('*_fuzz.c')):
        name = target.stem.removesuffix('_fuzz')
        work = ROOT / 'build-fuzz' / 'found' / name
        work.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        done = subprocess.run([str(ROOT / 'build-fuzz' / f'{name}_fuzz'), f'-max_total_time={seconds}', '-timeout=10', '-rss_limit_mb=2048',
                               '-print_final_stats=1', f'-artifact_prefix={work}/', str(work), str(ROOT / 'fuzz' / 'corpus' / name)],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
        executions = next((line.split(':')[1].strip() for line in done.stdout.splitlines() if 'number_of_executed_units' in line), '?')
        tally.add(f'fuzz {name}: {executions} executions', done.returncode == 0, time.monotonic() - begun, done.stdout)


def long_tier(tally):
    """What the daily suite has no time for."""
    if build(tally, 'build-clang', environment={'CC': 'clang'}):
        unit_tests(tally, 'build-clang')
    sanitize = ['-Db_sanitize=address,undefined']
    quiet = {'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=0', 'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
             'LSAN_OPTIONS': f'suppressions={ROOT}/tests/support/leak-suppressions.txt:print_suppressions=0'}
    if build(tally, 'build-asan', sanitize):
        unit_tests(tally, 'build-asan', environment=quiet, timeout_factor=5)
        run_scenarios(tally, 'daily', environment={**quiet, 'CHANCERY_BUILD': 'build-asan'})
    threads = {'TSAN_OPTIONS': f'halt_on_error=1:suppressions={ROOT}/tests/support/thread-suppressions.txt'}
    if build(tally, 'build-tsan', ['-Db_sanitize=thread']):
        run_scenarios(tally, 'daily', environment={**threads, 'CHANCERY_BUILD': 'build-tsan'})
    for path in scenarios('long'):
        if '# tier: long' in path.read_text(encoding='utf-8')[:1000]:
            run_scenarios(tally, 'long', [path.stem])
    fuzz(tally, int(os.environ.get('FUZZ_SECONDS', '60')))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', help='long, fresh, or beginnings of test names')
    names = parser.parse_args().names
    tally = Tally()
    if names == ['fresh']:
        step(tally, 'fresh', ['bash', str(FRESH)], timeout=7200)
    elif build(tally, 'build'):
        wanted = [] if names in ([], ['long']) else names
        # One PostgreSQL for all: each test makes a database of its own in it.
        with postgres.Cluster() as cluster:
            os.environ['DATABASE_URL_TEST'] = cluster.url
            unit_tests(tally, 'build', wanted)
            run_scenarios(tally, 'daily', wanted)
            if names == ['long']:
                long_tier(tally)
    if tally.failed:
        print('failed: ' + ', '.join(tally.failed))
    print(f'{tally.passed} passed, {len(tally.failed)} failed', flush=True)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == '__main__':
    sys.exit(main())
