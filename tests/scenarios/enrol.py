#!/usr/bin/env python3
# stores: sqlite postgresql
"""A traveller enrols by web, confirms by the codes that really arrive, and reaches their own page."""
import datetime
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from chancery import World, store_argument  # noqa: E402

PHONE, MAIL = '+21620123456', 'amal@example.org'


def soon(days):
    return (datetime.date.today() + datetime.timedelta(days=days)).isoformat()


def code_in(text):
    return re.search(r'(?<!\d)(\d{6})(?!\d)', text).group(1)


def main():
    with World(store_argument()) as world:
        traveller = world.browser()
        page = traveller.get('/enrol').expect()
        page = page.submit({'name': 'Amal Example', 'language': 'en', 'email': MAIL, 'mobile': '20 123 456', 'mobile_country': 'TN',
                            'leg.0.place': 'Teheran', 'leg.0.from': soon(30), 'leg.0.to': soon(38)}, button='nrol')
        page.expect(MAIL, 'Tehran')
        confirm = page.url
        world.simulator.wait('phones', received=1)
        world.simulator.wait('mailboxes', received=1)
        codes = {PHONE: code_in(world.simulator.phone(PHONE)[0]['text']), MAIL: code_in(world.simulator.mailbox(MAIL)[0]['text'])}
        for address, code in codes.items():
            page = traveller.get(confirm)
            wanted = [form for form in page.forms if any(name.startswith('code_') for name in form.names)]
            assert wanted, page.text
            if address == PHONE:
                assert 'confirmed' in page.text or page.text
            forms = {form: page.source for form in wanted}
            done = False
            for form in forms:
                name = [one for one in form.names if one.startswith('code_')][0]
                answer = page.submit({name: code}, having=name)
                if answer.status == 200:
                    done = True
                    break
                assert answer.status in (422, 429), answer.status
            assert done, address
        page = traveller.get(confirm)
        assert not [form for form in page.forms if any(name.startswith('code_') for name in form.names)], page.text
        traveller.get([href for href, text in page.links if re.fullmatch(r'/my/[0-9a-z]+', href)][0]).expect('Amal Example', 'Tehran')
        world.check()


if __name__ == '__main__':
    main()
