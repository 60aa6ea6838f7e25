#!/usr/bin/env python3
"""Tests of make_pages.py: what it writes, and every mistake it must find with its line."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import make_messages  # noqa: E402
import make_pages  # noqa: E402

MESSAGES = {"room.title": {}, "room.hello": {"name": "text"}, "room.legs": {"count": "plural", "name": "text"}}


def generate(body, first="{{ page p(const struct view *view) }}\n"):
    generator = make_pages.Generator(MESSAGES)
    generator.read("pages/x.html", first + body)
    return generator.source("room")


class Output(unittest.TestCase):
    def code(self, body):
        return [line.strip() for line in generate(body).split("\n") if line and not line.startswith(("#", "/*", "void", "{", "}"))]

    def test_literal_and_value(self):
        self.assertEqual(self.code("<p>{{ view->name }}</p>\n<hr>"),
                         ['html_literal(out, "<p>", 3);', "html_put(out, view->name);", 'html_literal(out, "</p>\\n<hr>", 9);'])

    def test_blank_runs_shrink_but_not_in_pre(self):
        self.assertIn('"<ul>\\n<li><b> </b></li></ul>"', generate("<ul>\n\n      <li><b>  </b></li></ul>"))
        self.assertIn('a   b', generate("<pre><code>a   b</code></pre>"))

    def test_comments_vanish(self):
        self.assertEqual(self.code("{{ # don't translate \"this }}<!-- nor this --><hr>"), ['html_literal(out, "<hr>", 4);'])

    def test_values_by_place(self):
        code = self.code('<p title="{{ a }}" class="x {{ b }}"></p><a href="/x/{{ c }}?q={{ d }}">{{ e }}</a><img alt="" src="{{ u }}">')
        self.assertIn("html_put(out, a);", code)
        self.assertIn("html_put_attribute(out, b);", code)
        self.assertIn("html_put_part(out, c);", code)
        self.assertIn("html_put_part(out, d);", code)
        self.assertIn("html_put_language(out, true);", code)
        self.assertIn("html_put(out, e);", code)
        self.assertIn("html_put_url(out, u);", code)

    def test_language_goes_before_the_fragment(self):
        code = self.code('<a href="/x#y">{{ e }}</a>')
        self.assertEqual(code[:3], ['html_literal(out, "<a href=\\"/x", 11);', "html_put_language(out, false);",
                                    'html_literal(out, "#y\\">", 4);'])
        self.assertIn("html_put_link(out, u);", self.code('<a href="{{ u }}">{{ e }}</a>'))
        for same in ('<a href="#y">{{ e }}</a>', '<img src="/assets/x.svg" alt="">', '<a href="/assets/x">{{ e }}</a>'):
            self.assertNotIn("html_put_language", generate(same))
        get = generate('<form method="get" action="/find"><button type="submit">{{ t room.title }}</button></form>')
        self.assertIn("html_put_language_field(out);", get)
        self.assertNotIn("html_put_language(out", get)

    def test_messages(self):
        self.assertIn("html_put_message(out, MSG_room_title, NULL, 0);", generate("{{ t room.title }}"))
        self.assertIn('html_put_message(out, MSG_room_legs, (const struct msg_arg[]){ HTML_NUMBER("count", view->n + 1), '
                      'HTML_ARGUMENT("name", f(view, a == b)) }, 2);',
                      generate("{{ t room.legs count=view->n + 1 name=f(view, a == b) }}"))
        self.assertIn("html_put_message(out, (enum msg)(view->label), NULL, 0);", generate("{{ message view->label }}"))
        self.assertIn("html_put_message", generate('<p title="{{ t room.title }}"></p>'))

    def test_blocks(self):
        code = self.code("{{ if a && b }}<b>{{ c }}</b>{{ elif d }}<hr>{{ else }}<br>{{ end }}"
                         "{{ for leg in view->legs : view->leg_count }}{{ leg->place }}{{ end }}")
        self.assertIn("if (a && b) {", code)
        self.assertIn("} else if (d) {", code)
        self.assertIn("} else {", code)
        self.assertIn("for (size_t leg_index = 0; leg_index < (size_t)(view->leg_count); leg_index++) { "
                      "const __typeof__((view->legs)[0]) *const leg = &(view->legs)[leg_index]; (void)leg;", code)

    def test_blocks_in_tags_and_values(self):
        generate('<input type="checkbox" id="a"{{ if x }} checked{{ end }}><label for="a">{{ y }}</label>')
        generate('<p class="a{{ if x }} b{{ else }} c{{ end }}"></p>')
        generate('<p {{ if x }}class="b"{{ else }}class="c"{{ end }}></p>')

    def test_ids_in_branches(self):
        generate('{{ if x }}<p id="a"></p>{{ else }}<p id="a"></p>{{ end }}')
        generate('{{ for i in x : y }}<p id="a-{{ i_index }}"></p>{{ end }}')

    def test_calls_and_times(self):
        code = self.code('{{ call row(leg, &(const struct x){ .a = 1 }) }}{{ date 3 }}{{ time view->at zone=view->zone }}{{ time 5 }}'
                         '{{ relative x }}{{ raw m }}')
        for line in ("row(out, leg, &(const struct x){ .a = 1 });", "html_put_date(out, 3);", "html_put_time(out, view->at, view->zone);",
                     "html_put_time(out, 5, STR_NONE);", "html_put_relative(out, x);", "html_put_markup(out, m);"):
            self.assertIn(line, code)

    def test_forms(self):
        source = generate('<form method="post" action="/a">{{ form_token }}'
                          '{{ field text name label=room.title value=view->name autocomplete="name" required }}'
                          '{{ field select kind label=room.title options=o count=n }}'
                          '{{ for leg in l : n }}{{ field text place label=room.title group="leg" row=leg_index }}{{ end }}</form>')
        self.assertIn("html_put_form_token(out);", source)
        self.assertIn('field_text(out, &(const struct field){ .name = "name", .label = MSG_room_title, .value = html_str(out, view->name), '
                      '.autocomplete = "name", .required = true });', source)
        self.assertIn('field_select(out, &(const struct field){ .name = "kind", .label = MSG_room_title }, o, n);', source)
        self.assertIn('.group = "leg", .row = leg_index });', source)

    def test_several_pages_and_includes(self):
        generator = make_pages.Generator(MESSAGES)
        generator.read("pages/x.html", '{{ include "a/b.h" }}\n{{ include "c.h" }}\n{{ page one() }}<hr>{{ page two(int n) }}{{ n }}')
        header = generator.header("room")
        self.assertIn("void one(struct html *out);", header)
        self.assertIn("void two(struct html *out, int n);", header)
        self.assertIn('#include "a/b.h"', header)

    def test_svg(self):
        generate('<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0"/></svg>')

    def test_line_directives(self):
        self.assertIn('#line 4 "pages/x.html"\n\thtml_put(out, view->nmae);', generate("<p>\n\n{{ view->nmae }}</p>"))


class Mistakes(unittest.TestCase):
    def check(self, body, line, words):
        with self.assertRaises(make_pages.PageError, msg=body) as caught:
            generate(body)
        text = str(caught.exception)
        self.assertTrue(text.startswith(f"pages/x.html:{line}: "), text)
        self.assertIn(words, text)

    def test_no_page(self):
        for source, words in (("<p></p>", "text before"), ("", "no {{ page"), ("{{ x }}", "before {{ page")):
            with self.assertRaises(make_pages.PageError) as caught:
                generate(source, first="")
            self.assertIn(words, str(caught.exception))

    def test_nesting(self):
        self.check("<div>\n<p></div>", 3, "</div> where <p> of line 3 is open")
        self.check("</p>", 2, "where nothing is open")
        self.check("<div>\n\n", 2, "<div> is not closed")
        self.check("{{ if x }}<div>{{ end }}</div>", 2, "must leave the tags as it found them")
        self.check("<div>{{ if x }}</div>{{ end }}", 2, "opened outside")
        self.check("{{ if x }}<b>{{ else }}</b>{{ end }}", 2, "must leave the tags")
        self.check("{{ for i in a : b }}<li>{{ end }}", 2, "must leave the tags")
        self.check("<p><div></div></p>", 2, "<div> inside <p>")
        self.check('<a href="/"><a href="/x"></a></a>', 2, "<a> inside <a>")
        self.check("</br>", 2, "has no end tag")
        self.check("<div/>", 2, "only void elements")

    def test_blocks(self):
        self.check("{{ if x }}", 2, "{{ if }} without {{ end }}")
        self.check("{{ end }}", 2, "{{ end }} without")
        self.check("{{ else }}", 2, "{{ else }} without {{ if }}")
        self.check("{{ for i in a : b }}{{ else }}{{ end }}", 2, "{{ else }} without {{ if }}")
        self.check("{{ if x }}{{ else }}{{ elif y }}{{ end }}", 2, "after {{ else }}")
        self.check("{{ for x }}{{ end }}", 2, "write {{ for")
        self.check("{{ if }}{{ end }}", 2, "without a condition")
        self.check("{{ x ", 2, "{{ without }}")
        self.check("{{ }}", 2, "empty")

    def test_attributes(self):
        self.check("<p class=x></p>", 2, "must stand in quotes")
        self.check("<p class={{ x }}></p>", 2, "must stand in quotes")
        self.check("<p {{ x }}></p>", 2, "must stand inside quotes")
        self.check('<p class="a" class="b"></p>', 2, "attribute class twice")
        self.check('<p\nstyle="x"></p>', 3, "style: ")
        self.check('<p onclick="x"></p>', 2, "no inline scripts")
        self.check('<a href="/" target="_blank"></a>', 2, "target is refused")
        self.check('<p class="x', 2, "ends inside a tag")
        self.check('<p tabindex="3"></p>', 2, "tabindex")
        self.check('<p title="a < b"></p>', 2, "&lt;")
        self.check('<p class="a & b"></p>', 2, "&amp;")
        self.check('<p {{ if x }}>{{ end }}</p>', 2, "ends within an {{ if }}")

    def test_elements(self):
        for name in ("script", "style", "iframe", "meta", "link", "object"):
            self.check(f"<{name}></{name}>", 2, f"<{name}> is refused")
        self.check("<blnik></blnik>", 2, "no element of HTML")
        self.check('<img src="/x">', 2, "without alt")
        self.check("<button></button>", 2, "without type")
        self.check("<table><tr><th></th></tr></table>", 2, "without scope")
        self.check("<a></a>", 2, "without href")
        self.check("a < b", 2, "untranslated")
        self.check("< b", 2, "starts no tag")

    def test_ids(self):
        self.check('<p id="a"></p>\n<p id="a"></p>', 3, 'id "a" stands twice')
        self.check('{{ if x }}<p id="a"></p>{{ end }}<p id="a"></p>', 2, "stands twice")
        self.check('<p id="a"></p>{{ if x }}<p id="a"></p>{{ end }}', 2, "stands twice")
        self.check('{{ for i in a : b }}<p id="a"></p>{{ end }}', 2, "would double")
        self.check('<p id=""></p>', 2, "an id must")
        self.check('{{ for i in a : b }}{{ field text name label=room.title }}{{ end }}', 2, "would double")

    def test_labels(self):
        self.check('<input type="text" name="a">', 2, "without a label")
        self.check('\n<input type="text" id="a" name="a">', 3, 'has no <label for="a">')
        self.check('<select id="a"></select>', 2, "no <label")
        self.check('<textarea></textarea>', 2, "without a label")
        self.check('<input id="a"><label for="a"></label>', 2, "<input> without type")
        generate('<label><input type="text" name="a"></label>')
        generate('<input type="hidden" name="a" value="b"><input type="text" aria-label="{{ t room.title }}">')
        generate('{{ for i in a : b }}<label for="a{{ i_index }}"></label><input type="text" id="a{{ i_index }}">{{ end }}')

    def test_forms(self):
        self.check('<form method="post" action="/a">\n</form>', 3, "has 0 {{ form_token }}")
        self.check('<form method="post" action="/a">{{ form_token }}{{ form_token }}</form>', 2, "has 2 {{ form_token }}")
        self.check('<form method="post" action="/a">{{ if x }}{{ form_token }}{{ end }}</form>', 2, "must not depend")
        self.check('<form method="get" action="/a">{{ form_token }}</form>', 2, "must not send the form token")
        self.check('<form action="/a"></form>', 2, "needs method")
        self.check('<form method="post"></form>', 2, "needs an action")
        self.check("{{ form_token }}", 2, "outside of a <form>")
        self.check('<form method="get" action="/a"><form method="get" action="/b"></form></form>', 2, "a form inside a form")

    def test_addresses(self):
        self.check('<a href="javascript:x">{{ y }}</a>', 2, "must start with")
        self.check('<a href="//example.org/">{{ y }}</a>', 2, "leaves this site")
        self.check('<img alt="" src="https://example.org/x.png">', 2, "must start with")
        self.check('<form method="get" action="https://example.org/"></form>', 2, "must start with")
        self.check('<a href="{{ u }}/x">{{ y }}</a>', 2, "put the whole address together")
        self.check('<a href="{{ u }}{{ v }}">{{ y }}</a>', 2, "put the whole address together")
        self.check('<a href="{{ if x }}/a{{ end }}">{{ y }}</a>', 2, "must start outside")
        self.check('<a href="/a{{ if x }}?b{{ end }}">{{ y }}</a>', 2, "must stand outside")
        self.check('<a href="">{{ y }}</a>', 2, "is empty")
        self.check('<a href="{{ t room.title }}">{{ y }}</a>', 2, "a message inside an address")
        generate('<a href="https://example.org/">{{ y }}</a>')

    def test_untranslated(self):
        self.check("<p>\n\nHello</p>", 4, "untranslated text 'Hello'")
        self.check('<p title="Hello"></p>', 2, "untranslated text in title")
        self.check('<p>مرحبا</p>', 2, "untranslated")
        generate("<p>&nbsp;– 12 % (·)</p><code>GET</code><b lang=\"en\">GeoNames</b><b translate=\"no\">SMS</b>")

    def test_messages(self):
        self.check("{{ t room.nothing }}", 2, "no message room.nothing")
        self.check("{{ t Room }}", 2, "is no message key")
        self.check("{{ t room.hello }}", 2, "takes the arguments name, given: none")
        self.check("{{ t room.title name=x }}", 2, "takes the arguments none, given: name")
        self.check("{{ t room.hello name=x name=y }}", 2, "argument name twice")
        self.check("{{ t room.hello name= }}", 2, "argument name is empty")
        self.check("{{ field text a label=room.nothing }}", 2, "no message room.nothing")
        self.check("{{ field text a }}", 2, "needs label")
        self.check("{{ field text a label=room.hello }}", 2, "labels and hints have none")
        self.check("{{ field text a label=room.title colour=x }}", 2, "knows no colour=")
        self.check("{{ field select a label=room.title }}", 2, "needs options=")
        self.check("{{ field text a label=room.title row=x }}", 2, "belong together")

    def test_page_twice(self):
        self.check("{{ page p() }}", 2, "page p twice")
        self.check('<p>{{ page q() }}</p>', 2, "<p> is not closed")
        self.check('{{ include "x.h" }}', 2, "before the first")


HEADER = """
struct view { struct str name; bool flag; int64_t count; const char *word; size_t size; unsigned kind; struct html_markup markup;
	struct html_url url; struct view *rows; size_t row_count; };
"""


class Compiler(unittest.TestCase):
    """What the C compiler must say about templates."""

    def compile(self, body):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "desks/room/pages"))
            with open(os.path.join(folder, "desks/room/view.h"), "w", encoding="utf-8") as file:
                file.write('#include "kernel/html/html.h"\n' + HEADER)
            with open(os.path.join(folder, "desks/room/pages/x.html"), "w", encoding="utf-8") as file:
                file.write('{{ include "view.h" }}\n{{ page p(const struct view *view) }}\n' + body)
            header, source = make_pages.generate(folder, "desks/room", MESSAGES)
            texts = {language: {key: "x" for key in MESSAGES} for language in make_messages.LANGUAGES}
            for name, content in (("room_pages.h", header), ("room_pages.c", source), ("messages.h", make_messages.make_header(texts))):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(content)
            compiler = os.environ.get("CC", "cc").split()[-1]
            done = subprocess.run([compiler, "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow",
                                   "-Werror", "-I", folder, "-I", ROOT, os.path.join(folder, "room_pages.c")],
                                  capture_output=True, text=True, check=False)
            return done.stderr

    @unittest.skipUnless(shutil.which("cc") or os.environ.get("CC"), "no C compiler")
    def test_compiles_clean(self):
        self.assertEqual(self.compile(
            '{{ view->name }}{{ view->count }}{{ view->word }}{{ view->size }}{{ view->markup }}{{ raw view->markup }}{{ "x" }}{{ 1 }}\n'
            '<a href="{{ view->url }}" class="{{ view->kind }}" title="{{ view->size }}">{{ view->kind }}</a><a href="/{{ view->name }}">'
            '{{ t room.legs count=view->size name=view->name }}</a>{{ if view->flag }}{{ t room.hello name=view->word }}{{ end }}\n'
            '{{ for row in view->rows : view->row_count }}{{ row->name }}{{ field text a label=room.title value=row->count group="r" '
            'row=row_index }}{{ end }}{{ date view->count }}{{ time view->count }}'), "")

    @unittest.skipUnless(shutil.which("cc") or os.environ.get("CC"), "no C compiler")
    def test_mistakes_point_to_the_template(self):
        for body, words in (("{{ view->nmae }}", "nmae"), ("{{ view->flag }}", "_Generic"), ('<p class="{{ view->markup }}"></p>', "_Generic"),
                            ('<a href="{{ view->name }}">{{ view->word }}</a>', "struct html_url"), ("{{ raw view->name }}", "html_markup"),
                            ("{{ t room.legs count=view->name name=view->name }}", "_Generic"), ("{{ t room.hello name=view->flag }}", "_Generic")):
            error = self.compile("\n\n" + body)
            self.assertIn("desks/room/pages/x.html:5:", error, body)
            self.assertIn(words, error)


if __name__ == "__main__":
    unittest.main()
