#!/usr/bin/env python3
# stores: sqlite postgresql
"""The feed of alerts: what is in force and no exercise, in each language and by country, well-formed Atom, told apart by ETag, with its hub."""
import pathlib
import sys
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'support'))
from alerting import CLEAR, UPDATE, Alert  # noqa: E402
from chancery import World, store_argument  # noqa: E402

ATOM = '{http://www.w3.org/2005/Atom}'
XML_LANG = '{http://www.w3.org/XML/1998/namespace}lang'


def read(world, path='/feed.atom?lang=en'):
    """The feed, checked for what RFC 4287 says every feed and entry must have."""
    answer = world.browser().request('GET', path)
    assert answer.status == 200 and answer.headers['content-type'] == 'application/atom+xml; charset=utf-8', (answer.status, answer.headers)
    feed = xml.etree.ElementTree.fromstring(answer.content if hasattr(answer, 'content') else answer.source)
    assert feed.tag == ATOM + 'feed'
    for one in [feed, *feed.findall(ATOM + 'entry')]:
        for name in ('id', 'title', 'updated'):
            assert len(one.findall(ATOM + name)) == 1, (name, path)
        assert one.find(ATOM + 'updated').text.endswith('Z')
    assert feed.find(f'{ATOM}author/{ATOM}name').text
    links = {link.get('rel'): link.get('href') for link in feed.findall(ATOM + 'link')}
    assert links['self'] in answer.headers['link'] and 'rel="self"' in answer.headers['link']
    return answer, feed, links


def titles(feed):
    return [entry.find(ATOM + 'title').text for entry in feed.findall(ATOM + 'entry')]


def main():
    with World(store_argument(), settings={'travel.feed_hub': 'https://hub.example/'}) as world:
        officer = world.officer()
        empty, feed, links = read(world)
        assert titles(feed) == [] and links['hub'] == 'https://hub.example/' and '<https://hub.example/>; rel="hub"' in empty.headers['link']
        iran = Alert(world, officer)
        iran.send(iran.write('one', countries='Iran', **{'text.0.description': 'Roads & <bridges> are **closed**.\n\n"Stay" put.'}))
        exercise = Alert(world, officer)
        exercise.send(exercise.write('drill', countries='France', exercise='yes'))
        answer, feed, _ = read(world)
        assert titles(feed) == ['Earthquake (one-new-en)'], titles(feed)
        entry = feed.find(ATOM + 'entry')
        content = entry.find(ATOM + 'content')
        assert content.get('type') == 'html' and '<strong>closed</strong>' in content.text and '&amp;' in content.text and '<bridges>' not in content.text, content.text
        identity, updated = entry.find(ATOM + 'id').text, entry.find(ATOM + 'updated').text
        assert '/alert/' in identity and identity in entry.find(ATOM + 'link').get('href')
        # Unchanged is 304; the same for another language is another feed.
        tag = answer.headers['etag']
        assert world.browser().request('GET', '/feed.atom?lang=en', headers={'If-None-Match': tag}).status == 304
        assert answer.headers['last-modified'].endswith(' GMT') and 'public' in answer.headers['cache-control']
        _, arabic, _ = read(world, '/feed.atom?lang=ar')
        assert arabic.get(XML_LANG) == 'ar' and titles(arabic) == ['زلزال (one-new-ar)'], titles(arabic)
        assert titles(read(world, '/feed.atom?lang=en&country=ir')[1]) == titles(feed)
        assert titles(read(world, '/feed.atom?lang=en&country=FR')[1]) == []
        assert 'Iran' in read(world, '/feed.atom?lang=en&country=IR')[1].find(ATOM + 'title').text
        for wrong in ('XQ', 'x', '../..', '%00'):
            assert world.browser().request('GET', f'/feed.atom?country={wrong}').status in (400, 404), wrong
        # An update is the same entry, later; an all-clear ends it, and the feed says when.
        iran.send(iran.next(UPDATE, 'two'))
        later, feed, _ = read(world)
        entry = feed.find(ATOM + 'entry')
        assert later.headers['etag'] != tag and entry.find(ATOM + 'id').text == identity and entry.find(ATOM + 'updated').text >= updated
        before = feed.find(ATOM + 'updated').text
        iran.send(iran.next(CLEAR, 'over'))
        _, feed, _ = read(world)
        assert titles(feed) == [] and feed.find(ATOM + 'updated').text >= before
        for path in ('/', '/country/IR'):
            source = world.browser().get(path).source
            assert 'rel="alternate" type="application/atom+xml" href="/feed.atom' in source, path


if __name__ == '__main__':
    main()
