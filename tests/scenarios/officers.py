#!/usr/bin/env python3
# stores: sqlite postgresql
"""Officers: set-up by a one-time link, two factors, sessions, and what they may do."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from browser import Browser  # noqa: E402
from chancery import PASSWORD, World, store_argument, totp  # noqa: E402


def main():
    with World(store_argument(), settings={'http.secret_burst': 100, 'http.secret_per_minute': 600}) as world:
        administrator = world.officer()
        administrator.get('/desk').expect('Officer Example')
        link = world.command('user', 'link', 'officer').strip()

        # A link that was damaged, and one that was used.
        for path in ('/setup/0', '/setup/' + 'x' * 22, link[:-1] + ('x' if link[-1] != 'x' else 'y')):
            page = world.browser().get(path)
            assert page.status == 404, page.status
            page.expect('new one', status=404)

        # An officer added through the page gets a link, once; a second officer of that login is refused.
        page = administrator.get('/desk/users').submit({'name': 'Reader Example', 'login': 'reader', 'permission': 'reader'}, having='name')
        page.expect('24 hours')
        # Who added whom stands in the ledger.
        assert world.number("SELECT count(*) FROM ledger WHERE action = 'officer.add' AND officer_id > 0") == 1
        page = administrator.get('/desk/users').submit({'name': 'Other', 'login': 'READER', 'permission': 'reader'}, having='name')
        page.expect('Another officer has this login', status=409)

        # Nobody locks themself out, whatever they post.
        token = dict(administrator.get('/desk/users').form(having='name').fields)['form_token']
        administrator.post('/desk/users/change', {'form_token': token, 'login': 'officer', 'do': 'disable'}).expect(status=403)
        administrator.get('/desk/users').expect()

        # Readers see no page of administrators, and nobody sees a desk without signing in.
        assert world.browser().get('/desk').url.endswith('/sign-in?next=/desk')
        secret = world.officers['officer'][1]
        fresh = world.browser()
        fresh.get('/sign-in').submit({'login': 'officer', 'password': PASSWORD, 'code': '000000'}).expect('do not fit', status=422)
        fresh.get('/sign-in').submit({'login': 'nobody', 'password': PASSWORD, 'code': '000000'}).expect('do not fit', status=422)
        code = totp(secret, world.now() + 30)
        fresh.get('/sign-in?next=/desk/me').submit({'login': 'officer', 'password': PASSWORD, 'code': code}).expect('My account')
        again = world.browser()
        again.get('/sign-in').submit({'login': 'officer', 'password': PASSWORD, 'code': code}).expect('do not fit', status=422)

        # Nowhere else after signing in: addresses of other sites are not followed.
        for bad in ('//evil.example', 'https://evil.example', '/\\evil.example', '/%09/evil'):
            page = world.browser().get('/sign-in?next=' + bad)
            hidden = [attributes['value'] for tag, attributes in page.elements if tag == 'input' and attributes.get('name') == 'next']
            assert hidden in (['/desk'], [bad.replace('%09', '\t')]) and not hidden[0].startswith(('//', '/\\', 'http')), hidden

        # Ending a session elsewhere ends it at once; a stolen form of another browser is refused.
        page = administrator.get('/desk/me')
        stranger = Browser(world.base)
        stranger.get('/sign-in')
        token = [attributes['value'] for tag, attributes in page.elements if attributes.get('name') == 'form_token'][0]
        assert stranger.post('/desk/me/sessions', {'form_token': token, 'session': 'others'}).status == 403
        page.submit({}, button='everywhere else')
        assert fresh.get('/desk').url.endswith('/sign-in?next=/desk')
        administrator.get('/desk').expect('Officer Example')

        # Signing out is a post; it ends the session on the server, not only in the browser.
        cookies = dict(administrator.cookies)
        administrator.get('/desk').submit({}, action='/sign-out')
        administrator.cookies = cookies
        assert administrator.get('/desk').url.endswith('/sign-in?next=/desk')

        # Many wrong tries: never an error of ours, and the right one still gets in from elsewhere or later.
        guesser = world.browser()
        statuses = set()
        for number in range(40):
            page = guesser.get('/sign-in').submit({'login': 'officer', 'password': 'guess', 'code': f'{number:06d}'})
            statuses.add(page.status)
        assert statuses <= {422, 429}, statuses
        world.command('user', 'disable', 'officer')
        world.command('user', 'list')
        world.check()


if __name__ == '__main__':
    main()
