#!/usr/bin/env python3
# stores: sqlite
"""A notification in a real Chromium: the action 'safe' of what the service worker shows reaches the board (tests/browser/push.mjs)."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import Alert, square  # noqa: E402
from chancery import PATIENCE, ROOT, World, store_argument, wait_for  # noqa: E402
from push import NODE, PushBrowser, PushService  # noqa: E402
from traveller import enrol  # noqa: E402

AREA, PLACE = square(0, 30, 4, 34), '32.1, 3.1'


class Chromium:
    """push.mjs: says a step, waits for a word."""

    def __init__(self, world, plan):
        path = world.folder / 'plan.json'
        path.write_text(json.dumps(plan), encoding='utf-8')
        self.process = subprocess.Popen([NODE, ROOT / 'tests' / 'browser' / 'push.mjs', path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # pylint: disable=consider-using-with

    def step(self, wanted):
        line = self.process.stdout.readline()
        assert line, f'the browser ended before {wanted}: see above'
        said = json.loads(line)
        assert said['step'] == wanted, said

    def go_on(self, **more):
        self.process.stdin.write(json.dumps(more) + '\n')
        self.process.stdin.flush()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def walk(world, service):
    """One alert answered 'safe', a second answered 'help', each by a button of its notification."""
    _, page = enrol(world, name='Amal Example', mail='amal@example.org', legs=[(PLACE, 0, 9)])
    officer, push = world.officer(), PushBrowser(service)
    plan = {'base': world.base, 'chromium': shutil.which('chromium'), 'patience': PATIENCE, 'subscription': push.subscription,
            'my': page.url.split('?')[0].replace(world.base, '')}
    chromium = Chromium(world, plan)
    try:
        for number, status in enumerate(('safe', 'help'), 1):
            chromium.step(f'alert {status}')
            alert = Alert(world, officer)
            alert.send(alert.write(status, AREA, channels=('push',)))
            text = push.wait(number)[-1]['text']
            chromium.go_on(text=text)
            wait_for(lambda status=status, alert=alert: chromium.process.poll() is None and alert.sums()[0][status] == 1, f"'{status}' on the board")
            board = wait_for(lambda alert=alert, status=status: found if 'Amal' in (found := officer.get(f'{alert.path}/board?view={status}')).text else None, 'the board')
            person = next(href for href, _ in board.links if '/person/' in href)
            officer.get(person).expect('Notification')
        chromium.step('refused')
        chromium.go_on(text=text)
        chromium.step('done')
        chromium.go_on()
        assert chromium.process.wait(timeout=60) == 0
    finally:
        chromium.end()
    assert world.number('SELECT count(*) FROM response') == 2
    world.check()


def main():
    assert shutil.which('chromium') and NODE.exists(), 'Debian\'s chromium and the npm packages are needed (./test installs both)'
    folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-push-'))
    service = PushService(folder)
    try:
        with World(store_argument(), settings=service.settings()) as world:
            walk(world, service)
    finally:
        service.stop(wanted=None)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
