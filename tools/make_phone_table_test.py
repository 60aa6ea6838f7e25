#!/usr/bin/env python3
"""Tests of make_phone_table.py over a world of two countries."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_phone_table as made  # noqa: E402

WORLD = {
    "version": 4,
    "country_calling_codes": {"7": ["RU", "KZ"]},
    "countries": {
        "RU": ["7", "8~10", "[3489]\\d{9}", [10], [["(\\d{3})(\\d{7})", "$1 $2", ["3", "34"], "8 ($1)", 1, "$1-$2"]],
               "8", 0, 0, 0, 0, "[3489]", [["3\\d{9}"], ["9\\d{9}", [10]]]],
        "KZ": ["7", "8~10", "[67]\\d{9}", [9, 10], 0, "8", 0, "8|0", "$1", 0, "7", [[""], ["7\\d{9}"]]],
    },
    "nonGeographic": {"888": ["888", 0, "\\d{11}", [11]]},
}


class Table(unittest.TestCase):
    def setUp(self):
        self.text = made.table(WORLD)

    def test_plans_stand_by_region_and_those_of_no_country_last(self):
        rows = [line for line in self.text.splitlines() if line.startswith('\t{ "')]
        self.assertEqual([row[3:7] for row in rows], ['"KZ"', '"RU"', '"", '])
        self.assertIn("phone_region_count = 2;", self.text)

    def test_patterns_are_shared_and_escaped(self):
        self.assertEqual(self.text.count('\t"8~10",'), 1)
        self.assertIn('\t"[3489]\\\\d{9}",', self.text)

    def test_lengths_are_bits(self):
        self.assertIn(f"{(1 << 9) | (1 << 10)}u", self.text)

    def test_an_empty_mobile_pattern_means_as_fixed(self):
        kz = next(line for line in self.text.splitlines() if '"KZ"' in line)
        self.assertIn("{ 0, true, 0u }", kz)

    def test_the_international_format_and_the_longest_leading_digits_win(self):
        self.assertIn('"$1-$2" }', self.text)
        self.assertNotIn('"$1 $2" }', self.text)
        self.assertIn('\t"34",', self.text)
        self.assertNotIn('\t"3",', self.text)

    def test_codes_keep_the_main_country_first(self):
        self.assertIn("{ 7, 0, 2 }", self.text)
        self.assertIn("{ 888, 2, 1 }", self.text)
        members = self.text[self.text.index("phone_code_plans"):].split()
        self.assertEqual([m for m in members if m.rstrip(",").isdigit()], ["1,", "0,", "2,"])

    def test_another_format_is_refused(self):
        with self.assertRaises(ValueError):
            made.table({**WORLD, "version": 5})
        with self.assertRaises(ValueError):
            made.length_bits([32])

    def test_a_missing_or_broken_file_leaves_no_output(self):
        with tempfile.TemporaryDirectory() as folder:
            source, output = os.path.join(folder, "in.json"), os.path.join(folder, "out.c")
            stderr, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="utf-8")
            try:
                self.assertEqual(made.main([source, output]), 3)
                with open(source, "w", encoding="utf-8") as file:
                    file.write("{")
                self.assertEqual(made.main([source, output]), 3)
                self.assertEqual(made.main([source]), 2)
            finally:
                sys.stderr.close()
                sys.stderr = stderr
            self.assertFalse(os.path.exists(output))


if __name__ == "__main__":
    unittest.main()
