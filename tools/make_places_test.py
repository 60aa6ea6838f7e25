#!/usr/bin/env python3
"""Tests of the generators of places: folding, and outlines cut where they must be."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_outlines  # noqa: E402
from make_gazetteer import country_keys  # noqa: E402
from placefold import fold  # noqa: E402

U = make_outlines.UNITS


def degrees(ring):
    return [(x / U, y / U) for x, y in ring]


def ring_of(*points):
    return [(round(x * U), round(y * U)) for x, y in points]


def area(ring):
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1]))) / 2 / U / U


class Folding(unittest.TestCase):
    def test_cases(self):
        for name, key in (("Téhéran", "teheran"), ("تِهران", "تهران"), ("N’Djamena", "ndjamena"), ("Saint-Denis", "saint denis"),
                          ("  A  b ", "a b"), ("İstanbul", "istanbul"), ("Straße", "strasse"), ("Łódź", "lodz"), ("کرمان", "كرمان"),
                          ("کرمانشاه", fold("كرمانشاه")), ("۱۲", "12"), ("ＡＢＣ", "abc"), ("\u200f", ""), ("---", ""), ("", "")):
            self.assertEqual(fold(name), key, name)

    def test_twice_is_once(self):
        for name in ("서울", "तेहरान", "กรุงเทพ", "ガンダム", "Việt Nam", "Ἀθῆναι"):
            self.assertEqual(fold(fold(name)), fold(name))


class Countries(unittest.TestCase):
    def test_comma(self):
        keys = country_keys({"IR": {"alpha_3": "IRN"}}, {"IR": {"en": ["Iran, Islamic Republic of"], "fr": ["Iran"]}})
        self.assertIn(("iran", "IR", 2), keys)
        self.assertIn(("iran islamic republic of", "IR", 1), keys)
        self.assertIn(("irn", "IR", 1), keys)


class Outlines(unittest.TestCase):
    def test_not_crossing(self):
        ring = ring_of((10, 0), (20, 0), (20, 10))
        self.assertEqual(make_outlines.split_at_meridian([ring]), [[ring]])

    def test_crossing(self):
        pieces = make_outlines.split_at_meridian([ring_of((170, -10), (-170, -10), (-170, 10), (170, 10))])
        self.assertEqual(len(pieces), 2)
        for piece in pieces:
            self.assertAlmostEqual(area(piece[0]), 200)
            xs = [x for x, _ in degrees(piece[0])]
            self.assertTrue(min(xs) >= -180 and max(xs) <= 180 and max(xs) - min(xs) == 10)

    def test_hole_crossing(self):
        pieces = make_outlines.split_at_meridian([ring_of((170, -10), (-170, -10), (-170, 10), (170, 10)),
                                                  ring_of((175, -5), (175, 5), (-175, 5), (-175, -5))])
        self.assertEqual([[round(area(r)) for r in p] for p in pieces], [[200, 50], [200, 50]])

    def test_around_the_pole(self):
        ring = ring_of(*[(x, -70) for x in range(-180, 180, 10)])
        pieces = make_outlines.split_at_meridian([ring])
        self.assertEqual(len(pieces), 1)
        self.assertAlmostEqual(area(pieces[0][0]), 360 * 20)

    def test_cut_at_parallel(self):
        south, north = make_outlines.cut_at_parallel([ring_of((0, 0), (10, 0), (10, 10), (0, 10))], 4 * U)
        self.assertAlmostEqual(area(south[0]), 40)
        self.assertAlmostEqual(area(north[0]), 60)
        south, north = make_outlines.cut_at_parallel([ring_of((0, 0), (10, 0), (10, 10), (0, 10))], -4 * U)
        self.assertIsNone(south)
        self.assertAlmostEqual(area(north[0]), 100)

    def test_same_bytes_twice(self):
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with tempfile.TemporaryDirectory() as folder:
            results = []
            for name in ("a.db", "b.db"):
                out = os.path.join(folder, name)
                sys.argv = ["make_outlines.py", "--modules", os.path.join(root, "node_modules"),
                            "--overrides", os.path.join(root, "core/places/places-overrides.json"), out]
                make_outlines.main()
                with open(out, "rb") as f:
                    results.append(f.read())
            self.assertEqual(results[0], results[1])
            self.assertGreater(len(results[0]), 4_000_000)

    def test_unassigned_feature_is_refused(self):
        topology = {"transform": {"scale": [1, 1], "translate": [0, 0]}, "arcs": [[[0, 0], [1, 0], [0, 1], [-1, -1]]],
                    "objects": {"countries": {"geometries": [{"type": "Polygon", "arcs": [[0]], "properties": {"name": "Newland"}}]}}}
        overrides = {"features": {}, "parts": [], "codes": {}}
        with self.assertRaises(SystemExit):
            make_outlines.units_of(json.loads(json.dumps(topology)), {}, overrides)
        overrides["features"]["Newland"] = "NL"
        self.assertEqual(make_outlines.units_of(topology, {}, overrides)[0][:2], ("Newland", "NL"))


if __name__ == "__main__":
    unittest.main()
