"""Invented travellers in their thousands, and who of them an area and a time window touch, computed here anew."""
import csv
import datetime
import json
import math
import random

from alerting import LANGUAGES

CENTRE = (5.0, 31.5)  # in the Sahara of Algeria: one country, one time zone, no coast
NAMES = {'en': 'Traveller', 'fr': 'Voyageur', 'ar': 'مسافر', 'fa': 'مسافرِ'}


def star(generator, points=60, inner=0.6, outer=1.6):
    """A star-shaped outline with a hole in it, as GeoJSON rings."""
    ring = []
    for number in range(points):
        angle, radius = 2 * math.pi * number / points, generator.uniform(inner, outer)
        ring.append([round(CENTRE[0] + radius * math.cos(angle), 6), round(CENTRE[1] + radius * math.sin(angle), 6)])
    hole = [[CENTRE[0] + 0.2 * math.cos(-2 * math.pi * number / 12), CENTRE[1] + 0.2 * math.sin(-2 * math.pi * number / 12)] for number in range(12)]
    return [ring + [ring[0]], hole + [hole[0]]]


def crossings(ring, longitude, latitude):
    """Even-odd rule by the ray to the east."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:]):
        if (y1 > latitude) != (y2 > latitude) and longitude < x1 + (latitude - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


class Traveller:
    """One line of the people file, with their stays."""

    __slots__ = ('number', 'name', 'language', 'mail', 'phone', 'confirmed', 'inside')

    def __init__(self, number, language, mail, phone, confirmed, inside):
        self.number, self.language, self.mail, self.phone, self.confirmed, self.inside = number, language, mail, phone, confirmed, inside
        self.name = f'{NAMES[language]} {number:06d}'

    def channels(self):
        """Address by channel, of those that an alert may use."""
        return {channel: address for channel, address in (('mail', self.mail), ('sms', self.phone)) if address and self.confirmed}


class Crowd:
    """`people` travellers of whom exactly `inside` are in the area while it matters."""

    def __init__(self, world, people, inside, seed=20261124, unconfirmed=0.05):
        self.world, self.generator = world, random.Random(seed)
        self.rings = star(self.generator)
        self.polygon = json.dumps({'type': 'Polygon', 'coordinates': self.rings})
        self.travellers, self.stays = [], []
        self.today = datetime.datetime.fromtimestamp(world.now(), datetime.timezone.utc).date()
        order = [True] * inside + [False] * (people - inside)
        self.generator.shuffle(order)
        for number, within in enumerate(order, 1):
            self._add(number, within, unconfirmed)

    def _add(self, number, within, unconfirmed):
        generator = self.generator
        language = generator.choices(LANGUAGES, (40, 25, 20, 15))[0]
        kind = generator.choices(('mail', 'sms', 'both'), (40, 30, 30))[0]
        traveller = Traveller(number, language, f'traveller{number}@example.org' if kind != 'sms' else '', f'+2162{number:07d}' if kind != 'mail' else '',
                              generator.random() >= unconfirmed, within)
        self.travellers.append(traveller)
        if within:
            self._stay(traveller, self.point(True), -generator.randrange(1, 20), generator.randrange(3, 30))
            if generator.random() < 0.05:  # a second stay inside: still one text
                self._stay(traveller, self.point(True), -2, 9)
        else:
            way = generator.random()
            if way < 0.5:    # near by, or in the hole
                self._stay(traveller, self.point(False), -3, 20)
            elif way < 0.7:  # there, but over or not yet
                begins, ends = (-20, -3) if generator.random() < 0.5 else (6, 20)
                self._stay(traveller, self.point(True), begins, ends)
            elif way < 0.95:  # elsewhere
                self._stay(traveller, (generator.uniform(-100, -80), generator.uniform(35, 45)), -3, 20)
            # and some have no stay at all

    def add_enrolled(self, number, language, inside):
        """Somebody who enrols by web: part of what is expected, not of the files."""
        one = Traveller(number, language, f'traveller{number}@example.org', f'+2162{number:07d}', True, inside)
        self.travellers.append(one)
        return one

    def _stay(self, traveller, where, begins, ends):
        self.stays.append((traveller.number, (self.today + datetime.timedelta(begins)).isoformat(), (self.today + datetime.timedelta(ends)).isoformat(),
                           f'{where[1]:.6f}', f'{where[0]:.6f}'))

    def contains(self, longitude, latitude):
        return crossings(self.rings[0], longitude, latitude) and not crossings(self.rings[1], longitude, latitude)

    def point(self, inside):
        """A random point in the box around the area, inside or outside of it and some metres from its edges."""
        while True:
            longitude, latitude = round(CENTRE[0] + self.generator.uniform(-1.7, 1.7), 6), round(CENTRE[1] + self.generator.uniform(-1.7, 1.7), 6)
            if all(self.contains(longitude + x, latitude + y) == inside for x in (-1e-4, 1e-4) for y in (-1e-4, 1e-4)):
                return longitude, latitude

    def bring_in(self):
        """Imports all: the confirmed with the operator's statement, the others without it; then the stays."""
        folder = self.world.folder
        for confirmed in (True, False):
            part = [one for one in self.travellers if one.confirmed == confirmed]
            path = folder / f'people-{confirmed}.csv'
            with open(path, 'w', newline='', encoding='utf-8') as file:
                writer = csv.writer(file)
                writer.writerow(['id', 'name', 'language', 'email', 'mobile'])
                writer.writerows((f'T{one.number}', one.name, one.language, one.mail, one.phone) for one in part)
            self.world.command('import', 'people', str(path), *(['--contacts-confirmed', '--operator', 'Scenario'] if confirmed else []))
        path = folder / 'trips.csv'
        with open(path, 'w', newline='', encoding='utf-8') as file:
            writer = csv.writer(file)
            writer.writerow(['person_id', 'from', 'to', 'latitude', 'longitude'])
            writer.writerows((f'T{stay[0]}', *stay[1:]) for stay in self.stays)
        self.world.command('import', 'trips', str(path))

    def expected(self, version, group='new', channels=('mail', 'sms')):
        """address -> the mark that must have arrived there exactly once."""
        return {address: (version, group, one.language) for one in self.travellers if one.inside
                for channel, address in one.channels().items() if channel in channels}
