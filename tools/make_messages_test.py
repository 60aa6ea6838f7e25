#!/usr/bin/env python3
"""Tests of make_messages.py."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_messages  # noqa: E402

TEXTS = {
    "en": {"room.hello": "Hello {name}", "room.legs": "{count, plural, one {# leg} other {# legs}}"},
    "fr": {"room.hello": "Bonjour {name}", "room.legs": "{count, plural, one {# étape} other {# étapes}}"},
    "ar": {"room.hello": "مرحبا {name}",
           "room.legs": "{count, plural, zero {لا} one {مرحلة} two {مرحلتان} few {# مراحل} many {# مرحلة} other {# مرحلة}}"},
    "fa": {"room.hello": "سلام {name}", "room.legs": "{count, plural, one {# مرحله} other {# مرحله}}"},
}


class Catalogues(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.texts = json.loads(json.dumps(TEXTS))

    def tearDown(self):
        self.folder.cleanup()

    def write(self):
        for language, texts in self.texts.items():
            with open(os.path.join(self.folder.name, f"room.{language}.json"), "w", encoding="utf-8") as file:
                json.dump(texts, file, ensure_ascii=False, indent="\t")

    def mistakes(self):
        self.write()
        return make_messages.read_all(self.folder.name)[3]

    def assert_mistake(self, *pieces):
        mistakes = "\n".join(self.mistakes())
        for piece in pieces:
            self.assertIn(piece, mistakes)

    def test_whole(self):
        self.assertEqual(self.mistakes(), [])
        texts, arguments, files, _ = make_messages.read_all(self.folder.name)
        self.assertEqual(arguments, {"room.hello": {"name": "text"}, "room.legs": {"count": "plural"}})
        self.assertEqual(len(files), 4)
        header = make_messages.make_header(texts)
        self.assertIn("MSG_none = 0,\n\tMSG_room_hello,", header)
        data = make_messages.make_data(texts)
        self.assertIn('"Hello {name}",', data)
        self.assertIn("Bonjour", data)

    def test_missing_text(self):
        del self.texts["fa"]["room.hello"]
        self.assert_mistake("room.fa.json:1: room.hello is missing")

    def test_missing_file(self):
        self.write()
        os.unlink(os.path.join(self.folder.name, "room.ar.json"))
        self.assertIn("in ar is missing", "\n".join(make_messages.read_all(self.folder.name)[3]))

    def test_text_english_does_not_have(self):
        self.texts["fr"]["room.more"] = "Plus"
        self.assert_mistake("room.fr.json:4: room.more is not in room.en.json")

    def test_empty_text(self):
        self.texts["fr"]["room.hello"] = " "
        self.assert_mistake("room.fr.json:2: room.hello: an empty text")

    def test_other_arguments(self):
        self.texts["fr"]["room.hello"] = "Bonjour {nom}"
        self.assert_mistake("room.fr.json:2: room.hello has the arguments nom, English has name")

    def test_argument_counted_in_one_language_only(self):
        self.texts["fr"]["room.legs"] = "{count} étapes"
        self.assert_mistake("room.legs has the arguments count, English has count (plural)")

    def test_plural_categories(self):
        self.texts["ar"]["room.legs"] = "{count, plural, one {a} other {b}}"
        self.assert_mistake("room.ar.json:3: room.legs: plural category zero is missing")
        self.texts["ar"] = TEXTS["ar"]
        self.texts["en"]["room.legs"] = "{count, plural, one {a} few {c} other {b}}"
        self.assert_mistake("en has no plural category few")
        self.texts["en"]["room.legs"] = "{count, plural, one {a} one {c} other {b}}"
        self.assert_mistake("plural category one twice")

    def test_french_many_may_be_given(self):
        self.texts["fr"]["room.legs"] = "{count, plural, one {a} many {# d’étapes} other {b}}"
        self.assertEqual(self.mistakes(), [])

    def test_exact_numbers(self):
        self.texts["en"]["room.legs"] = "{count, plural, =0 {no legs} one {# leg} other {# legs}}"
        self.assertEqual(self.mistakes(), [])

    def test_syntax(self):
        for text, words in (("{", "the name of an argument"), ("a } b", "'}' without '{'"), ("{name", "',' expected"),
                            ("{count, select, a {b}}", "only {name} and"), ("{count, plural, one {a} other {b}", "a plural that does not end"),
                            ("{count, plural, one a}", "'{' expected"), ("{Name}", "the name of an argument"),
                            ("{count, plural, one {{count, plural, one {x} other {y}}} other {z}}", "a plural inside a plural")):
            self.texts["en"]["room.hello"] = text
            self.assert_mistake(f"room.en.json:2: room.hello: {words}")

    def test_keys(self):
        self.texts["en"] = {"other.hello": "x"}
        self.assert_mistake("does not belong to room room")
        self.texts["en"] = {"room.Hello": "x"}
        self.assert_mistake("is no key")

    def test_key_twice(self):
        self.write()
        with open(os.path.join(self.folder.name, "room.en.json"), "w", encoding="utf-8") as file:
            file.write('{"room.hello": "a",\n"room.hello": "b"}')
        self.assertIn("key room.hello twice", "\n".join(make_messages.read_all(self.folder.name)[3]))

    def test_bad_json_has_its_line(self):
        self.write()
        with open(os.path.join(self.folder.name, "room.en.json"), "w", encoding="utf-8") as file:
            file.write('{\n"room.hello" "a"}')
        self.assertIn("room.en.json:2:", "\n".join(make_messages.read_all(self.folder.name)[3]))

    def test_output_and_depfile(self):
        self.write()
        with tempfile.TemporaryDirectory() as output:
            depfile = os.path.join(output, "d")
            self.assertEqual(make_messages.main([self.folder.name, output, "--depfile", depfile]), 0)
            header = os.path.join(output, "messages.h")
            before = os.stat(header).st_mtime_ns
            self.assertEqual(make_messages.main([self.folder.name, output]), 0)
            self.assertEqual(os.stat(header).st_mtime_ns, before)
            with open(depfile, encoding="utf-8") as file:
                self.assertIn("room.fa.json", file.read())

    def test_strings_for_c(self):
        self.assertEqual(make_messages.c_string('a"\\\n??=é1'), '"a\\"\\\\\\n\\?\\?=\\303\\2511"')

    def test_unused(self):
        self.write()
        with tempfile.TemporaryDirectory() as sources:
            with open(os.path.join(sources, "a.c"), "w", encoding="utf-8") as file:
                file.write("x(MSG_room_hello);")
            self.assertEqual(make_messages.unused(self.folder.name, [sources]), ["room.legs"])
            with open(os.path.join(sources, "a.html"), "w", encoding="utf-8") as file:
                file.write("{{ t room.legs count=1 }}")
            self.assertEqual(make_messages.unused(self.folder.name, [sources]), [])


if __name__ == "__main__":
    unittest.main()
