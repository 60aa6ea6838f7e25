#!/usr/bin/env python3
# stores: sqlite postgresql
"""Web push from the enrolment form to the board: subscribed, alerted, decrypted by an independent implementation, answered by a button; and what
services say is understood: gone ends the subscription, refused never does, wait means wait, too large is shortened."""
import json
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import CLEAR, MODERATE, UPDATE, Alert, square  # noqa: E402
from chancery import World, store_argument, wait_for  # noqa: E402
from push import PushBrowser, PushService  # noqa: E402
from traveller import confirm, form_values  # noqa: E402

AREA, PLACE = square(0, 30, 4, 34), '32.1, 3.1'


class Traveller:
    """Enrolled with a mailbox, and a browser that takes notifications."""

    def __init__(self, world, service, name, language='en'):
        self.world, self.push, self.mail = world, PushBrowser(service), f'{name}@example.org'
        number = Traveller.count = Traveller.count + 1
        self.browser = world.browser(language, source=f'198.51.100.{number}')
        fields = form_values(world, name=f'{name.title()} Example', language=language, mail=self.mail, legs=[(PLACE, 0, 9)])
        page = self.browser.get('/enrol').submit({**fields, **self.push.fields()}, having='push_endpoint').expect()
        page = confirm(world, page, self.mail)
        self.path = next(href for href, _ in page.links if href.startswith('/my/') and href.count('/') >= 2)
        self.path = '/'.join(self.path.split('?')[0].split('/')[:3])

    count = 0

    def page(self):
        return self.browser.get(self.path).expect()


def post_json(world, path, value):
    """What the service worker posts; returns the status."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    request = urllib.request.Request(world.base + path, data=body, headers={'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def subscribing(world, service):
    """Nothing is taken that we could not or must not use."""
    browser = world.browser(source='198.51.100.200')
    fields = form_values(world, name='Odd Example', mail='odd@example.org', legs=[(PLACE, 0, 9)])
    good = PushBrowser(service).fields()
    for wrong in ({'push_endpoint': 'https://evil.example/x'}, {'push_endpoint': 'http://169.254.169.254/latest'}, {'push_endpoint': service.base.replace('127.0.0.1', 'localhost') + '/x'},
                  {'push_point': 'AAAA'}, {'push_secret': 'AAAA'}):
        page = browser.get('/enrol').submit({**fields, **good, **wrong}, having='push_endpoint')
        assert page.status == 422, (wrong, page.status)
        assert 'may not call' in page.text, page.text[:600]
    assert world.number('SELECT count(*) FROM contact') == 0


def alerted(world, people, officer):
    """The alert arrives once in each browser, says what the alert says, and asks services for what the alert is."""
    alert = Alert(world, officer)
    review = alert.write('one', AREA, channels=('mail', 'push'))
    review.expect('by notification', 'The notification')
    alert.send(review)
    for one in people:
        push = one.push.wait(1)[0]
        message, headers = push['message'], push['headers']
        assert 'one-new-en' in message['title'] and 'Go outside' in message['body'], message
        assert message['open'].startswith('/a/') and message['answer'] == message['open'] + '/push', message
        assert message['words']['safe'] == 'I am safe' and message['words']['help'] == 'I need help', message
        assert headers['urgency'] == 'high' and 23 * 3600 < int(headers['ttl']) <= 24 * 3600, headers
        assert len(headers['topic']) == 26 and message['tag'] == headers['topic']
    assert len({one.push.received()[0]['headers']['topic'] for one in people}) == len(people), 'services can tell who was told of the same'
    wait_for(lambda: alert.sums()[1]['push']['accepted'] == len(people), 'all accepted')
    return alert


def answered(world, people, alert):
    """A press is an answer, the same press twice is one, and nothing else is."""
    safe, needy = people[0].push.received()[0]['message'], people[1].push.received()[0]['message']
    key = 'a' * 32
    assert post_json(world, safe['answer'], {'status': 'safe', 'key': key + 'safe'}) == 204
    assert post_json(world, safe['answer'], {'status': 'safe', 'key': key + 'safe'}) == 204
    assert post_json(world, needy['answer'], {'status': 'help', 'key': key + 'help'}) == 204
    for wrong in (b'', b'{', {'status': 'safe'}, {'status': 'maybe', 'key': key}, {'status': 'safe', 'key': 'short'}, {'status': 'safe', 'key': "'; --" + key}, {'status': 'safe', 'key': key * 3},
                  {'status': ['safe'], 'key': key}, b'x' * 5000):
        assert post_json(world, safe['answer'], wrong) == 400, wrong
    assert post_json(world, '/a/' + 'x' * 22 + '/push', {'status': 'safe', 'key': key}) == 404
    assert world.browser().get(safe['answer']).status == 405, 'looking must change nothing'
    people_now, _ = alert.sums()
    assert people_now['safe'] == 1 and people_now['help'] == 1, people_now
    assert world.number('SELECT count(*) FROM response') == 2
    assert people[0].browser.get(safe['open']).expect('you are safe')
    board = wait_for(lambda: found if 'Layla' in (found := alert.officer.get(alert.path + '/board?view=help')).text else None, 'the board')
    assert 'Layla' in board.text


def services_say(world, people, alert):
    """410 ends the subscription and leaves the mailbox; 403 ends nothing; 429 and 5xx are tried again when their time has come; 413 shortens."""
    gone, refused, wait, large = people
    gone.push.answers(410)
    refused.push.answers(403)
    large.push.answers(413)
    alert.send(alert.next(UPDATE, 'two', **{'text.4.description': 'Long words. ' * 300}))
    wait_for(lambda: alert.sums()[1]['push']['failed'] == 3, 'three failed')
    assert 'Does not work' in gone.page().text, gone.page().text
    assert 'Does not work' not in refused.page().text and 'Does not work' not in large.page().text
    sizes = [push['size'] for push in large.push.received()[1:]]
    assert sizes[0] <= 2744 and sizes == sorted(sizes, reverse=True) and len(sizes) == 3, sizes
    assert len(refused.push.received()) == 3, 'once more with a new token, then no more'
    long = wait.push.received()[1]
    assert 2700 < long['size'] <= 2744 and long['message']['body'].endswith('…'), long
    assert long['headers']['topic'] == wait.push.received()[0]['headers']['topic'], 'an update must replace what did not arrive yet'
    people_now, _ = alert.sums()
    assert people_now['unreachable'] == 0, 'the mailbox still reaches them'
    for one in (refused, large):
        one.push.answers(201)
    wait.push.answers(429, retry=2)
    alert.send(alert.next(UPDATE, 'three'))
    wait_for(lambda: len(wait.push.received()) == 3, 'the one that is asked to wait')
    _, messages = alert.sums()
    wait.push.answers(201)
    # The engine's next try comes too early for the service, and is not made; the one after that is.
    for minutes in range(1, 40):
        world.move_clock(minutes * 60)
        if len(wait.push.received()) > 3:
            break
        time.sleep(0.2)
    pushes = wait.push.wait(4, 5)
    assert pushes[3]['at'] - pushes[2]['at'] >= 1900, 'Retry-After was not heeded'
    wait_for(lambda: alert.sums()[1]['push']['queued'] == 0, 'all handed over')


def renewed(world, service, person):
    """A browser that changes its subscription by itself stays reachable; who does not know the old one changes nothing."""
    fresh = PushBrowser(service)
    change = {name: fresh.subscription[name] for name in ('endpoint', 'point', 'secret')}
    assert post_json(world, '/push/renew', {'old': service.base + '/push/' + 'f' * 32, **change}) == 404
    assert post_json(world, '/push/renew', {'old': person.push.subscription['endpoint'], **change, 'endpoint': 'https://evil.example/x'}) == 422
    assert post_json(world, '/push/renew', {'old': person.push.subscription['endpoint'], **change}) == 204
    before = person.push
    person.push = fresh
    return before


def stopped(world, service, people, officer):
    """Who leaves the address, removes it or is erased gets nothing more; a released one is told without buttons."""
    quiet, erased, told, _ = people
    old = renewed(world, service, told)
    page = quiet.browser.get(quiet.path)
    again = PushBrowser(service)  # the 410 ended the first; the same person subscribes anew, on the page
    page.submit({**again.fields()}, having='push_endpoint').expect('This device will show our alerts')
    quiet.push = again
    form = next(one for one in quiet.page().forms if 'Do not use it' in [text for _, _, text in one.buttons] and one.action.startswith(quiet.path + '/contacts/'))
    token = dict(map(tuple, form.fields))['form_token']
    quiet.browser.post(form.action, {'form_token': token, 'do': 'leave'}).expect()
    erased.browser.get(erased.path + '/delete').submit({}, action='/delete')
    assert world.number('SELECT count(*) FROM push_subscription') == 3, 'an erased subscription is still there'
    counts = [len(one.push.received()) for one in (quiet, erased)]
    alert = Alert(world, officer)
    alert.send(alert.write('low', AREA, severity=MODERATE, channels=('push',)))
    push = told.push.wait(1)[-1]
    assert push['headers']['urgency'] == 'normal' and push['message']['silent'] is True, push
    alert.send(alert.next(CLEAR, 'over'))
    push = told.push.wait(2)[-1]
    assert 'answer' not in push['message'] and push['message']['open'].startswith('/alert/'), push
    assert [len(one.push.received()) for one in (quiet, erased)] == counts, 'who left was told'
    assert len(old.received()) == 4, 'the old subscription is still used'


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='chancery-push-'))
    service = PushService(folder)
    try:
        with World(store_argument(), settings=service.settings(), test_clock=True) as world:
            subscribing(world, service)
            people = [Traveller(world, service, name) for name in ('amal', 'layla', 'karim', 'nour')]
            officer = world.officer()
            alert = alerted(world, people, officer)
            answered(world, people, alert)
            services_say(world, people, alert)
            stopped(world, service, people, officer)
            assert '/push/' not in world.log() and 'vapid' not in world.log(), 'an endpoint or a token stands in the log'
            world.check()
    finally:
        service.stop(wanted=None)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
