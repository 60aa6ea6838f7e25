"""Push services and browsers that take notifications, for scenarios (push_service.mjs)."""
import json
import urllib.request

from chancery import ROOT, Process, wait_for

NODE = ROOT / 'node_modules' / 'node' / 'bin' / 'node'


class PushService(Process):
    """One service; start it before the world, whose setting push.loopback names it."""

    def __init__(self, folder):
        super().__init__([NODE, ROOT / 'tests' / 'support' / 'push_service.mjs'], folder / 'push_service.log')
        self.base = f"http://127.0.0.1:{self.ready['port']}"

    def settings(self):
        return {'push.contact': 'mailto:desk@ministry.example', 'push.loopback': f"127.0.0.1:{self.ready['port']}"}

    def ask(self, path, body=None, method='GET'):
        request = urllib.request.Request(self.base + path, data=None if body is None else json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class PushBrowser:
    """A browser that has subscribed."""

    def __init__(self, service):
        self.service = service
        self.subscription = service.ask('/browsers', {}, 'POST')

    def fields(self):
        """What push.js writes into the hidden fields of a form."""
        return {f'push_{name}': self.subscription[name] for name in ('endpoint', 'point', 'secret')}

    def answers(self, status, retry=None):
        self.service.ask(f"/browsers/{self.subscription['id']}/answer", {'status': status, 'retry': retry}, 'POST')

    def received(self):
        """Every push so far: headers, the decrypted text as JSON in 'message'. Fails when anything was wrong with one."""
        pushes = self.service.ask(f"/browsers/{self.subscription['id']}")
        for push in pushes:
            assert not push['problems'], push
            push['message'] = json.loads(push['text'])
        return pushes

    def wait(self, count, seconds=30):
        return wait_for(lambda: found if len(found := self.received()) >= count else None, f'{count} notifications', seconds)
