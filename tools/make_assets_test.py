#!/usr/bin/env python3
"""Tests of make_assets.py."""
import base64
import hashlib
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_assets  # noqa: E402


class Assets(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.write("chancery.css", "a { color : red ; }")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_css_keeps_its_meaning(self):
        css = """/* x */
        a:hover , b > c { margin : 0 auto ; color: red; }
        @media (min-width: 40em) and (print) { p { content: "a  ; b /" attr(x) " " } }
        .list :first-child, td:not(.x) > :last-child { width: calc(1px + 2px) }"""
        self.assertEqual(make_assets.minify_css(css),
                         'a:hover,b>c{margin :0 auto;color:red}'
                         '@media (min-width:40em) and (print){p{content:"a  ; b /" attr(x) " "}}'
                         '.list :first-child,td:not(.x)>:last-child{width:calc(1px + 2px)}')

    def test_hash_is_of_the_text_in_the_page(self):
        text, _ = make_assets.make(self.folder.name)
        style = make_assets.minify_css("a { color : red ; }")
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.assertIn(f'"sha256-{digest}"', text)

    def test_style_asks_nobody(self):
        for bad in ("a{background:url(x.png)}", "@import 'x';", "a::after{content:'</style>'}"):
            self.write("chancery.css", bad)
            with self.assertRaises(ValueError):
                make_assets.make(self.folder.name)

    def test_script_loses_only_comments(self):
        self.assertEqual(make_assets.minify_js("/* a\n b */\n(function () {\n\t// x\n\tf(\"//\");\n}());\n"),
                         "(function () {\nf(\"//\");\n}());\n")

    def test_names_change_with_the_content(self):
        self.write("a.js", "f();")
        one, _ = make_assets.make(self.folder.name)
        self.write("a.js", "g();")
        two, _ = make_assets.make(self.folder.name)
        self.assertIn('{ "a.js", "/assets/a.', one)
        self.assertNotEqual(one, two)

    def test_unknown_kind(self):
        self.write("a.exe", "x")
        with self.assertRaises(ValueError):
            make_assets.make(self.folder.name)


if __name__ == "__main__":
    unittest.main()
