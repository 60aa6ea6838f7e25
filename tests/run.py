#!/usr/bin/env python3
"""The test runner behind ./test: builds, runs the tiers and ends with one line `N passed, N failed`.

Every step is a named command; what a step printed is shown when it failed. A step that cannot run has failed: nothing is skipped.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

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


def run(command, environment=None, timeout=1500):
    """Runs one command to its end, or ends it with all it started; returns (status, what it printed)."""
    try:
        # In a session of its own, so that no server it started outlives it.
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,  # pylint: disable=consider-using-with
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', start_new_session=True)
    except OSError as error:
        return 127, f'{command[0]}: {error}'
    try:
        output = process.communicate(timeout=timeout)[0]
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return 124, f'{process.communicate()[0]}\ntook longer than {timeout} s'
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def step(tally, name, command, environment=None, timeout=1500):
    """Runs one command and counts it as one test."""
    begun = time.monotonic()
    status, output = run(command, environment, timeout)
    tally.add(name, status == 0, time.monotonic() - begun, output)
    return status == 0


def compiler(name):
    """CC for meson: through ccache where it is installed."""
    return {'CC': f'ccache {name}' if shutil.which('ccache') else name}


def build(tally, folder, options=(), environment=None):
    """Configures (once) and builds `folder`; counts as one test."""
    begun = time.monotonic()
    commands = []
    if not (ROOT / folder / 'build.ninja').exists():
        commands.append(['meson', 'setup', folder, *options])
    commands.append(['ninja', '-C', folder])
    for command in commands:
        status, output = run(command, environment, timeout=3600)
        if status != 0:
            tally.add(f'build {folder}', False, time.monotonic() - begun, output)
            return False
    tally.add(f'build {folder}', True, time.monotonic() - begun)
    return True


def unit_tests(tally, folder, wanted=(), environment=None, timeout_factor=1):
    """Runs meson's tests of `folder`, each counted by itself; returns how many there were."""
    command = ['meson', 'test', '-C', folder, '--no-rebuild', '--print-errorlogs', '--timeout-multiplier', str(timeout_factor)]
    if wanted:
        listed = subprocess.run(['meson', 'test', '-C', folder, '--list'], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        names = [line.split(' / ')[-1].strip() for line in listed.stdout.splitlines()]
        names = [name for name in names if name.startswith(tuple(wanted))]
        if not names:
            return 0
        command += names
    log = ROOT / folder / 'meson-logs' / 'testlog.json'
    log.unlink(missing_ok=True)  # of a run before: it would speak for this one
    begun = time.monotonic()
    status, output = run(command, environment, timeout=3600)
    results = [json.loads(line) for line in log.read_text(encoding='utf-8').splitlines()] if log.exists() else []
    for result in results:
        said = result.get('stdout', '') + result.get('stderr', '')
        tally.add(f"{folder}: {result['name'].split(' / ')[-1]}", result['result'] == 'OK', result['duration'], said)
    if not results or (status != 0 and all(result['result'] == 'OK' for result in results)):
        tally.add(f'{folder}: tests', False, time.monotonic() - begun, output)
    return len(results)


def scenarios(wanted=()):
    """(path, is long, stores) of the scenario programs tests/scenarios/*.py. Their first lines may say `# tier: long` and
    `# stores: sqlite` (default: both)."""
    found = []
    for path in sorted((ROOT / 'tests' / 'scenarios').glob('*.py')):
        head = path.read_text(encoding='utf-8')[:1000].splitlines()
        stores = next((line.split(':', 1)[1].split() for line in head if line.startswith('# stores:')), ['sqlite', 'postgresql'])
        if not wanted or path.stem.startswith(tuple(wanted)):
            found.append((path, '# tier: long' in head, stores))
    return found


def run_scenarios(tally, chosen, environment=None, label='', timeout=1500):
    """Each on every store it is for; returns how many ran."""
    count = 0
    for path, _, stores in chosen:
        for store in stores:
            step(tally, f'{label}{path.stem} on {store}', [sys.executable, str(path), '--store', store], environment, timeout)
            count += 1
    return count


def fuzz_one(target, seconds):
    """One fuzz target for `seconds` from its corpus; returns (name, executions, good, seconds, output)."""
    name = target.stem.removesuffix('_fuzz')
    work = ROOT / 'build-fuzz' / 'found' / name
    work.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    status, output = run([str(ROOT / 'build-fuzz' / f'{name}_fuzz'), f'-max_total_time={seconds}', '-timeout=10', '-rss_limit_mb=2048',
                          '-print_final_stats=1', f'-artifact_prefix={work}/', str(work), str(ROOT / 'fuzz' / 'corpus' / name)],
                         timeout=seconds * 4 + 300)
    executions = next((line.split(':')[1].strip() for line in output.splitlines() if 'number_of_executed_units' in line), '?')
    return name, executions, status == 0, time.monotonic() - begun, output


def fuzz(tally, seconds):
    """Each fuzz target for `seconds`, two at a time; a finding fails it."""
    if not build(tally, 'build-fuzz', ['-Dfuzz=true', '-Dbuildtype=debugoptimized'], compiler('clang')):
        return
    targets = sorted((ROOT / 'fuzz').glob('*_fuzz.c'))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, executions, good, took, output in pool.map(lambda target: fuzz_one(target, seconds), targets):
            tally.add(f'fuzz {name}: {executions} executions', good, took, output)


ADDRESS = {'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1',
           'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
           'LSAN_OPTIONS': f'suppressions={ROOT}/tests/support/leak-suppressions.txt:print_suppressions=0'}
THREAD = {'TSAN_OPTIONS': f'halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT}/tests/support/thread-suppressions.txt'}


def long_tier(tally):
    """What the daily suite has no time for: the other compiler, the sanitizers, the long scenarios, fuzzing."""
    daily = [scenario for scenario in scenarios() if not scenario[1]]
    if build(tally, 'build-clang', environment=compiler('clang')):
        unit_tests(tally, 'build-clang')
    if build(tally, 'build-asan', ['-Db_sanitize=address,undefined'], compiler('gcc')):
        unit_tests(tally, 'build-asan', environment=ADDRESS, timeout_factor=10)
        run_scenarios(tally, daily, {**ADDRESS, 'CHANCERY_BUILD': 'build-asan'}, 'build-asan: ', 3600)
    if build(tally, 'build-tsan', ['-Db_sanitize=thread'], compiler('gcc')):
        run_scenarios(tally, daily, {**THREAD, 'CHANCERY_BUILD': 'build-tsan'}, 'build-tsan: ', 3600)
    run_scenarios(tally, [scenario for scenario in scenarios() if scenario[1]], timeout=7200)
    fuzz(tally, int(os.environ.get('FUZZ_SECONDS', '60')))


def fresh():
    """The fresh tier as it runs; the closing line is that of the run inside, if it came so far."""
    last = ''
    with subprocess.Popen(['bash', str(FRESH)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors='replace') as process:
        for last in process.stdout:
            print(last, end='', flush=True)
    if not re.fullmatch(r'\d+ passed, \d+ failed\n', last):
        print('failed: fresh\n0 passed, 1 failed', flush=True)
        return 1
    return process.returncode


def run_all(tally, names):
    """The daily tier, those named, or the daily and the long tier; the build stands and so does PostgreSQL."""
    wanted = [] if names in ([], ['long']) else names
    count = unit_tests(tally, 'build', wanted)
    count += run_scenarios(tally, [scenario for scenario in scenarios(wanted) if wanted or not scenario[1]])
    if wanted and count == 0:
        tally.add(f'a test whose name begins with {" or ".join(wanted)}', False, 0)
    if names == ['long']:
        long_tier(tally)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', help='long, fresh, or beginnings of test names')
    names = parser.parse_args().names
    tally, begun = Tally(), time.monotonic()
    if names == ['fresh']:
        return fresh()
    try:
        if build(tally, 'build'):
            # One PostgreSQL for all: each test makes a database of its own in it.
            with postgres.Cluster() as cluster:
                os.environ['DATABASE_URL_TEST'] = cluster.url
                run_all(tally, names)
    except Exception:  # pylint: disable=broad-exception-caught
        tally.add('the run itself', False, time.monotonic() - begun, traceback.format_exc())
    print(f'took {time.monotonic() - begun:.0f} s')
    if tally.failed:
        print('failed: ' + ', '.join(tally.failed))
    print(f'{tally.passed} passed, {len(tally.failed)} failed', flush=True)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == '__main__':
    sys.exit(main())
