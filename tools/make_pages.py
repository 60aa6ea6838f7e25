#!/usr/bin/env python3
"""Makes C out of a room's pages/*.html: ROOM_pages.h and ROOM_pages.c. The syntax stands in kernel/html/html.h.

Usage: make_pages.py SOURCE_ROOT ROOM_FOLDER OUTPUT_FOLDER [--messages FOLDER] [--depfile FILE]

Mistakes are reported as file:line: what. #line directives make the C compiler point to the template too.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_messages  # noqa: E402

VOID = {"area", "br", "col", "hr", "img", "input", "source", "track", "wbr"}
REFUSED = {
    "script": "scripts are files in web/, named by struct page",
    "style": "styles stand in web/chancery.css",
    "link": "the layout writes <link>", "meta": "the layout writes <meta>", "base": "<base> moves every link",
    "iframe": "no frames", "object": "no plug-ins", "embed": "no plug-ins", "html": "the layout writes <html>",
    "head": "the layout writes <head>", "body": "the layout writes <body>", "font": "styles stand in web/chancery.css",
    "center": "styles stand in web/chancery.css", "marquee": "nothing moves", "blink": "nothing moves",
}
KNOWN = VOID | set("""a abbr address article aside audio b bdi bdo blockquote button canvas caption cite code colgroup data
    datalist dd del details dfn dialog div dl dt em fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup i ins
    kbd label legend li main mark menu meter nav noscript ol optgroup option output p picture pre progress q rp rt ruby s samp
    search section select slot small span strong sub summary sup table tbody td template textarea tfoot th thead time title tr u
    ul var video
    svg g path circle rect line polyline polygon ellipse text tspan defs use symbol desc""".split())
URL_ATTRIBUTES = {"href", "src", "action", "formaction", "poster", "data-live"}
LINK_ATTRIBUTES = {"href", "action", "formaction"}  # which carry the reader's choice of language on
TEXT_ATTRIBUTES = {"alt", "data-label", "title", "placeholder", "aria-label", "aria-description", "aria-roledescription", "aria-valuetext"}
LANGUAGE_FREE = ("/assets/", "/feeds/")  # addresses below these say the same in every language
CONTROLS = {"input", "select", "textarea"}
UNLABELLED_TYPES = {"hidden", "submit", "button", "reset", "image"}
FIELD_KINDS = {"text": (), "area": ("rows",), "select": ("options", "count"), "radios": ("options", "count"),
               "checks": ("options", "count")}
FIELD_OPTIONS = {"label", "hint", "value", "errors", "type", "autocomplete", "inputmode", "required", "group", "row", "longest"}
TEXT, TAG, VALUE = "text", "tag", "value"


class PageError(Exception):
    """A mistake in a template: file:line and what."""

    def __init__(self, path, line, text):
        super().__init__(f"{path}:{line}: {text}")


class Element:
    def __init__(self, name, line, blocks):
        self.name = name
        self.line = line
        self.blocks = blocks       # depth of {{ if }} and {{ for }} it stands in
        self.attributes = {}       # name -> source text of the value (None without)
        self.tokens = 0            # form tokens directly in a <form>


class Block:
    """An {{ if }} or {{ for }} that is open: what must be the same again at its end."""

    def __init__(self, kind, line, state):
        self.kind = kind
        self.line = line
        self.state = state
        self.ids_before = None
        self.ids_after = set()
        self.has_else = False


class Url:
    """What is known of the address in the attribute being read."""

    def __init__(self):
        self.started = False
        self.typed = False       # a struct html_url
        self.question = False
        self.local = False       # starts with "/": carries the language
        self.suffixed = False
        self.text = ""


def c_string(text):
    return make_messages.c_string(text)


class Page:
    """One page function, being read."""

    def __init__(self, name, signature, path, line):
        self.name, self.signature, self.path, self.line = name, signature, path, line
        self.code = []
        self.literal = []
        self.elements = []
        self.blocks = []
        self.state = TEXT
        self.attribute = None
        self.quote = None
        self.url = None
        self.ids = set()
        self.controls = []       # (element, line) which need a label
        self.labels = set()
        self.label_depth = 0
        self.anything = False


class Generator:
    def __init__(self, arguments_of_messages=None):
        self.messages = arguments_of_messages
        self.pages = []
        self.includes = []
        self.path = None
        self.line = 1
        self.page = None

    # --- reading -------------------------------------------------------------------------------------------

    def fail(self, text, line=None):
        raise PageError(self.path, line or self.line, text)

    def read(self, path, source):
        self.path, self.line, self.page = path, 1, None
        first = len(self.pages)
        at = 0
        while at < len(source):
            start = source.find("{{", at)
            if start < 0:
                start = len(source)
            self.text(source[at:start])
            if start == len(source):
                break
            end = self.end_of_directive(source, start + 2)
            self.directive(source[start + 2:end].strip())
            self.line += source.count("\n", start, end + 2)
            at = end + 2
        self.end_page()
        if len(self.pages) == first:
            self.fail("no {{ page name(...) }}", 1)

    def end_of_directive(self, source, at):
        depth, quote = 0, None
        if source[at:at + 20].lstrip().startswith("#"):  # a comment may hold anything
            end = source.find("}}", at)
            return end if end >= 0 else self.fail("{{ without }}")
        while at < len(source):
            c = source[at]
            if quote:
                if c == "\\":
                    at += 1
                elif c == quote:
                    quote = None
            elif c in "\"'":
                quote = c
            elif c == "{":
                depth += 1
            elif c == "}":
                if depth == 0 and source.startswith("}}", at):
                    return at
                depth -= 1
            at += 1
        return self.fail("{{ without }}")

    # --- writing -------------------------------------------------------------------------------------------

    def add_literal(self, text):
        self.page.literal.append(text)

    def flush(self):
        text = "".join(self.page.literal)
        if not self.page.code:
            text = text.lstrip()
        self.page.literal = []
        for at in range(0, len(text), 1000):
            piece = text[at:at + 1000]
            self.page.code.append(f"\thtml_literal(out, {c_string(piece)}, {len(piece.encode('utf-8'))});")

    def statement(self, code):
        self.flush()
        self.page.code.append(f'#line {self.line} "{self.path}"')
        indent = "\t" * (1 + len(self.page.blocks))
        self.page.code.append(indent + code)

    # --- HTML ----------------------------------------------------------------------------------------------

    def text(self, text):
        if self.page is None:
            if text.strip():
                blank = text[:len(text) - len(text.lstrip())]
                self.fail("text before {{ page ... }}", self.line + blank.count("\n"))
            self.line += text.count("\n")
            return
        at = 0
        while at < len(text):
            at = {TEXT: self.in_text, TAG: self.in_tag, VALUE: self.in_value}[self.page.state](text, at)

    def advance(self, piece):
        self.line += piece.count("\n")

    def in_text(self, text, at):
        page = self.page
        start = text.find("<", at)
        end = start if start >= 0 else len(text)
        if end > at:
            self.plain(text[at:end])
            return end
        if text.startswith("<!--", at):
            close = text.find("-->", at)
            if close < 0:
                self.fail("a comment that does not end, or holds {{ }}")
            self.advance(text[at:close])
            return close + 3
        match = re.compile(r"</([a-zA-Z][a-zA-Z0-9]*)\s*>").match(text, at)
        if match:
            self.close(match.group(1).lower())
            self.advance(match.group())
            return match.end()
        match = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)").match(text, at)
        if not match:
            self.fail("'<' that starts no tag: write &lt;")
        name = match.group(1).lower()
        if name in REFUSED:
            self.fail(f"<{name}> is refused: {REFUSED[name]}")
        if name not in KNOWN:
            self.fail(f"<{name}> is no element of HTML")
        page.elements.append(Element(name, self.line, len(page.blocks)))
        page.state = TAG
        self.add_literal("<" + name)
        return match.end()

    def plain(self, piece):
        page = self.page
        if re.search(r"&(?![a-zA-Z]+;|#[0-9]+;|#x[0-9a-fA-F]+;)", piece):
            self.fail("'&' must be written &amp;")
        inside = [element.name for element in page.elements]
        words = re.sub(r"&[a-zA-Z#0-9]+;", "", piece)
        if re.search(r"[^\W\d_]", words) and not self.literal_allowed():
            line = self.line + words[:re.search(r"[^\W\d_]", words).start()].count("\n")
            self.fail(f"untranslated text '{words.strip()[:40]}': write {{{{ t room.key }}}} "
                      "(or mark the element translate=\"no\")", line)
        if "pre" not in inside and "textarea" not in inside:
            piece_out = re.sub(r"[ \t\r]*\n[ \t\r\n]*", "\n", re.sub(r"[ \t]+", " ", piece))
        else:
            piece_out = piece
        self.add_literal(piece_out)
        self.advance(piece)

    def literal_allowed(self):
        for element in self.page.elements:
            if element.name in ("code", "kbd", "samp"):
                return True
            if element.attributes.get("translate") == "no" or "lang" in element.attributes:
                return True
        return False

    def close(self, name):
        page = self.page
        if name in VOID:
            self.fail(f"</{name}>: this element has no end tag")
        if not page.elements or page.elements[-1].name != name:
            open_one = f"<{page.elements[-1].name}> of line {page.elements[-1].line}" if page.elements else "nothing"
            self.fail(f"</{name}> where {open_one} is open")
        element = page.elements[-1]
        if element.blocks != len(page.blocks):
            self.fail(f"</{name}> closes an element that was opened outside of this {{{{ {page.blocks[-1].kind} }}}}")
        page.elements.pop()
        if name == "label":
            page.label_depth -= 1
        if name == "form":
            self.check_form(element)
        self.add_literal(f"</{name}>")

    def check_form(self, element):
        method = (element.attributes.get("method") or "").lower()
        if method == "post" and element.tokens != 1:
            self.fail(f"<form method=\"post\"> of line {element.line} has {element.tokens} {{{{ form_token }}}}, one is needed")
        if method == "get" and element.tokens:
            self.fail("a form with method=\"get\" must not send the form token (it would stand in the address)")

    def in_tag(self, text, at):
        page = self.page
        match = re.compile(r"\s+").match(text, at)
        if match:
            self.advance(match.group())
            return match.end()
        if text.startswith("/>", at):
            element = page.elements[-1]
            if element.name not in VOID and "svg" not in [e.name for e in page.elements]:
                self.fail(f"<{element.name}/>: only void elements close themselves")
            self.end_of_tag(self_closed=True)
            return at + 2
        if text[at] == ">":
            self.end_of_tag(self_closed=False)
            return at + 1
        match = re.compile(r"([^\s\"'<>/={}]+)(\s*=\s*)?").match(text, at)
        if not match:
            self.fail(f"'{text[at]}' in the tag <{page.elements[-1].name}>")
        name = match.group(1).lower() if "svg" not in [e.name for e in page.elements] else match.group(1)
        self.attribute_name(name)
        if not match.group(2):
            self.page.elements[-1].attributes[name] = None
            self.add_literal(" " + name)
            self.advance(match.group())
            return match.end()
        at = match.end()
        self.advance(match.group())
        if at >= len(text) or text[at] not in "\"'":
            self.fail(f"the value of {name} must stand in quotes")
        page.quote = text[at]
        page.state = VALUE
        page.attribute = name
        page.elements[-1].attributes[name] = ""
        page.url = Url() if name in URL_ATTRIBUTES else None
        self.add_literal(f' {name}="')
        return at + 1

    def attribute_name(self, name):
        page = self.page
        element = page.elements[-1]
        if name.startswith("on"):
            self.fail(f"{name}: no inline scripts")
        if name == "style":
            self.fail("style: styles stand in web/chancery.css")
        if name in ("srcset", "ping", "srcdoc", "target", "background"):
            self.fail(f"{name} is refused")
        in_branch = element.blocks != len(page.blocks)
        if name in element.attributes and not in_branch:
            self.fail(f"attribute {name} twice")

    def in_value(self, text, at):
        page = self.page
        end = text.find(page.quote, at)
        piece = text[at:end if end >= 0 else len(text)]
        if piece:
            self.value_literal(piece)
        if end < 0:
            return len(text)
        self.end_of_value()
        return end + 1

    def value_literal(self, piece):
        page = self.page
        name = page.attribute
        element = page.elements[-1]
        if re.search(r"&(?![a-zA-Z]+;|#[0-9]+;|#x[0-9a-fA-F]+;)", piece):
            self.fail("'&' must be written &amp;")
        if "<" in piece:
            self.fail("'<' in a value must be written &lt;")
        element.attributes[name] += piece
        if name in TEXT_ATTRIBUTES and re.search(r"[^\W\d_]", re.sub(r"&[a-zA-Z#0-9]+;", "", piece)) and not self.literal_allowed():
            self.fail(f"untranslated text in {name}: write {{{{ t room.key }}}}")
        escaped = piece.replace('"', "&quot;")
        if page.url is not None:
            self.url_literal(escaped)
        else:
            self.add_literal(escaped)
        self.advance(piece)

    def url_literal(self, piece):
        page = self.page
        url = page.url
        element = page.elements[-1]
        if url.typed:
            self.fail("text after a struct html_url: put the whole address together in C")
        in_branch = element.blocks != len(page.blocks)
        if not url.started:
            if in_branch and page.blocks[-1].state[0] == VALUE:
                self.fail("an address must start outside of {{ if }}")
            url.started = True
            if piece.startswith("//"):
                self.fail(f"{page.attribute}=\"//...\" leaves this site")
            url.local = piece.startswith("/") and not piece.startswith(LANGUAGE_FREE)
            if not piece.startswith(("/", "#", "?")):
                if not (element.name == "a" and page.attribute == "href" and piece.startswith("https://")):
                    self.fail(f"{page.attribute} must start with \"/\", \"#\" or \"?\" or be a struct html_url")
        url.text += piece
        if "?" in piece:
            if in_branch and page.blocks[-1].state[0] == VALUE:
                self.fail("'?' of an address must stand outside of {{ if }}")
            url.question = True
        if "#" in piece and url.local and not url.suffixed:
            before, after = piece.split("#", 1)
            self.add_literal(before)
            self.language_suffix()
            self.add_literal("#" + after)
            return
        self.add_literal(piece)

    def language_suffix(self):
        page = self.page
        url = page.url
        element = page.elements[-1]
        if not url.local or url.suffixed or page.attribute not in LINK_ATTRIBUTES or element.name not in ("a", "form", "button", "input",
                                                                                                        "area"):
            return
        url.suffixed = True
        self.statement(f"html_put_language(out, {'true' if url.question else 'false'});")

    def end_of_value(self):
        page = self.page
        element = page.elements[-1]
        name = page.attribute
        if page.url is not None:
            if not page.url.started:
                self.fail(f"{name}=\"\" is empty")
            # The fields of a form with method="get" replace the query of its address: it carries a hidden field instead.
            if not (element.name == "form" and (element.attributes.get("method") or "get").lower() == "get"):
                self.language_suffix()
        value = element.attributes[name]
        if name == "id":
            self.check_id(value)
        if name == "for" and element.name in ("label", "output"):
            page.labels.add(value)
        if name == "tabindex" and value not in ("0", "-1"):
            self.fail("tabindex above 0 breaks the order of the page")
        self.add_literal('"')
        page.state, page.attribute, page.quote, page.url = TAG, None, None, None

    def check_id(self, value):
        page = self.page
        if not value or re.search(r"\s", re.sub(r"\{\{.*?\}\}", "x", value)):
            self.fail("an id must have no blanks and not be empty")
        if value in page.ids:
            self.fail(f"id \"{value}\" stands twice on the page")
        if "{{" not in value and any(block.kind == "for" for block in page.blocks):
            self.fail(f"id \"{value}\" in a {{{{ for }}}} would double: put the index into it")
        page.ids.add(value)

    def end_of_tag(self, self_closed):
        page = self.page
        element = page.elements[-1]
        attributes = element.attributes
        if element.blocks != len(page.blocks):
            self.fail(f"the tag <{element.name}> ends within an {{{{ if }}}} that began inside of it")
        page.state = TEXT
        self.check_element(element)
        self.add_literal("/>" if self_closed and element.name not in VOID else ">")
        if element.name == "label":
            page.label_depth += 1
        if element.name in VOID or self_closed:
            page.elements.pop()
        elif element.name == "form" and (attributes.get("method") or "").lower() == "get":
            self.statement("html_put_language_field(out);")

    def check_element(self, element):
        page = self.page
        attributes = element.attributes
        name = element.name
        if name == "img" and "alt" not in attributes:
            self.fail("<img> without alt (alt=\"\" if it only decorates)", element.line)
        if name == "a" and "href" not in attributes:
            self.fail("<a> without href", element.line)
        if name == "button" and "type" not in attributes:
            self.fail("<button> without type", element.line)
        if name == "th" and "scope" not in attributes:
            self.fail("<th> without scope", element.line)
        if name == "form":
            method = (attributes.get("method") or "").lower()
            if method not in ("get", "post"):
                self.fail("<form> needs method=\"get\" or method=\"post\"", element.line)
            if "action" not in attributes:
                self.fail("<form> needs an action", element.line)
            if any(e.name == "form" for e in page.elements[:-1]):
                self.fail("a form inside a form", element.line)
        if name in CONTROLS:
            self.check_control(element)
        parents = [e.name for e in page.elements[:-1]]
        if parents and parents[-1] in ("p", "h1", "h2", "h3", "h4") and name in (
                "p", "div", "ul", "ol", "table", "form", "section", "h1", "h2", "h3", "h4", "dl", "fieldset", "details"):
            self.fail(f"<{name}> inside <{parents[-1]}>: the browser would close the outer one", element.line)
        for outer in ("a", "button", "label"):
            if name == outer and outer in parents:
                self.fail(f"<{name}> inside <{outer}>", element.line)

    def check_control(self, element):
        page = self.page
        attributes = element.attributes
        if element.name == "input":
            if "type" not in attributes:
                self.fail("<input> without type", element.line)
            if (attributes.get("type") or "").lower() in UNLABELLED_TYPES:
                return
        if page.label_depth > 0 or "aria-label" in attributes or "aria-labelledby" in attributes:
            return
        if not attributes.get("id"):
            self.fail(f"<{element.name}> without a label: it needs an id and a <label for>", element.line)
        page.controls.append((attributes["id"], element.name, element.line))

    # --- directives ----------------------------------------------------------------------------------------

    def directive(self, content):
        if content.startswith("#"):
            return
        if not content:
            self.fail("empty {{ }}")
        match = re.match(r"([a-z_]+)\b(?!\s*(?:->|[.(\[]))\s*", content)
        word = match.group(1) if match else ""
        rest = content[match.end():] if match else ""
        handler = getattr(self, "do_" + word, None)
        if word in ("include", "page"):
            handler(rest)
            return
        if self.page is None:
            self.fail("{{ }} before {{ page ... }}")
        if handler:
            handler(rest)
        else:
            self.put_value(content)

    def do_include(self, rest):
        match = re.fullmatch(r'"([\w/.]+\.h)"', rest)
        if not match:
            self.fail('write {{ include "folder/header.h" }}')
        if self.page is not None:
            self.fail("{{ include }} belongs before the first {{ page }}")
        if match.group(1) not in self.includes:
            self.includes.append(match.group(1))

    def do_page(self, rest):
        self.end_page()
        match = re.fullmatch(r"([a-z_][a-z0-9_]*)\s*\((.*)\)", rest, re.DOTALL)
        if not match:
            self.fail("write {{ page name(const struct name_view *view) }}")
        name = match.group(1)
        if name in [page.name for page in self.pages]:
            self.fail(f"page {name} twice in this room")
        parameters = match.group(2).strip()
        signature = f"void {name}(struct html *out{', ' + parameters if parameters and parameters != 'void' else ''})"
        self.page = Page(name, signature, self.path, self.line)
        self.pages.append(self.page)

    def end_page(self):
        page = self.page
        if page is None:
            return
        if page.state != TEXT:
            self.fail(f"page {page.name} ends inside a tag")
        if page.blocks:
            self.fail(f"{{{{ {page.blocks[-1].kind} }}}} without {{{{ end }}}}", page.blocks[-1].line)
        if page.elements:
            self.fail(f"<{page.elements[-1].name}> is not closed", page.elements[-1].line)
        for identifier, name, line in page.controls:
            if identifier not in page.labels:
                self.fail(f"<{name} id=\"{identifier}\"> has no <label for=\"{identifier}\">", line)
        while page.literal and not page.literal[-1].strip():
            page.literal.pop()
        self.flush()
        self.page = None

    def state(self):
        page = self.page
        return (page.state, page.attribute, len(page.elements))

    def do_if(self, rest):
        if not rest:
            self.fail("{{ if }} without a condition")
        self.statement(f"if ({rest}) {{")
        self.open_block("if")

    def open_block(self, kind):
        page = self.page
        block = Block(kind, self.line, self.state())
        block.ids_before = set(page.ids)
        page.blocks.append(block)

    def branch_ends(self):
        page = self.page
        block = page.blocks[-1]
        if self.state() != block.state:
            what = f"<{page.elements[-1].name}> is open" if len(page.elements) > block.state[2] else "a tag or value was opened or closed"
            self.fail(f"the branch of {{{{ {block.kind} }}}} (line {block.line}) must leave the tags as it found them: {what}")
        block.ids_after |= page.ids

    def do_elif(self, rest):
        self.next_branch("elif", f"}} else if ({rest}) {{")

    def do_else(self, rest):
        if rest:
            self.fail("{{ else }} has no condition: write elif")
        self.next_branch("else", "} else {")
        self.page.blocks[-1].has_else = True

    def next_branch(self, word, code):
        page = self.page
        if not page.blocks or page.blocks[-1].kind != "if":
            self.fail(f"{{{{ {word} }}}} without {{{{ if }}}}")
        block = page.blocks[-1]
        if block.has_else:
            self.fail(f"{{{{ {word} }}}} after {{{{ else }}}}")
        self.branch_ends()
        page.ids = set(block.ids_before)
        self.flush()
        page.blocks.pop()
        self.statement(code)
        page.blocks.append(block)

    def do_end(self, rest):
        page = self.page
        if rest:
            self.fail("{{ end }} stands alone")
        if not page.blocks:
            self.fail("{{ end }} without {{ if }} or {{ for }}")
        self.branch_ends()
        block = page.blocks[-1]
        page.ids = block.ids_after
        self.flush()
        page.blocks.pop()
        self.statement("}")

    def do_for(self, rest):
        match = re.fullmatch(r"([a-z_][a-z0-9_]*)\s+in\s+(.*\S)\s+:\s+(\S.*)", rest, re.DOTALL)
        if not match:
            self.fail("write {{ for item in ARRAY : COUNT }}")
        if self.page.state != TEXT:
            self.fail("{{ for }} inside a tag")
        name, items, count = match.groups()
        self.statement(f"for (size_t {name}_index = 0; {name}_index < (size_t)({count}); {name}_index++) {{ "
                       f"const __typeof__(({items})[0]) *const {name} = &({items})[{name}_index]; (void){name};")
        self.open_block("for")

    def do_call(self, rest):
        match = re.fullmatch(r"([a-z_][a-z0-9_]*)\s*\((.*)\)", rest, re.DOTALL)
        if not match:
            self.fail("write {{ call name(...) }}")
        if self.page.state != TEXT:
            self.fail("{{ call }} inside a tag")
        arguments = " ".join(match.group(2).split())
        self.statement(f"{match.group(1)}(out{', ' + arguments if arguments else ''});")

    def do_form_token(self, rest):
        page = self.page
        if rest:
            self.fail("{{ form_token }} stands alone")
        if page.state != TEXT or not any(e.name == "form" for e in page.elements):
            self.fail("{{ form_token }} outside of a <form>")
        form = [e for e in page.elements if e.name == "form"][-1]
        if form.blocks != len(page.blocks):
            self.fail("{{ form_token }} must not depend on a condition")
        form.tokens += 1
        self.statement("html_put_form_token(out);")

    def do_raw(self, rest):
        if self.page.state != TEXT:
            self.fail("{{ raw }} inside a tag")
        self.statement(f"html_put_markup(out, {rest});")

    def do_date(self, rest):
        self.only_text("date")
        self.statement(f"html_put_date(out, {rest});")

    def do_time(self, rest):
        self.only_text("time")
        words = self.named(rest, lead=True)
        zone = words.pop("zone", None)
        value = words.pop("", None)
        if words or not value:
            self.fail("write {{ time MICROSECONDS zone=EXPR }}")
        self.statement(f"html_put_time(out, {value}, {zone or 'STR_NONE'});")

    def do_relative(self, rest):
        self.only_text("relative")
        self.statement(f"html_put_relative(out, {rest});")

    def only_text(self, what):
        if self.page.state != TEXT:
            self.fail(f"{{{{ {what} }}}} writes an element: it cannot stand inside a tag")

    def named(self, text, lead=False):
        """Splits 'first name=EXPR name=EXPR' into a dict ('' for what stands first)."""
        words = {}
        pieces = re.split(r"(?:^|\s+)([a-z_][a-z0-9_]*|[0-9])=(?!=)", text)
        if pieces[0].strip():
            if not lead:
                self.fail(f"'{pieces[0].strip()}' where NAME=EXPR is expected")
            words[""] = pieces[0].strip()
        for name, value in zip(pieces[1::2], pieces[2::2]):
            if name in words:
                self.fail(f"argument {name} twice")
            if not value.strip():
                self.fail(f"argument {name} is empty")
            words[name] = value.strip()
        return words

    def message_arguments(self, words, kinds):
        out = []
        for name, value in words.items():
            macro = "HTML_NUMBER" if kinds is not None and kinds.get(name) == "plural" else "HTML_ARGUMENT"
            out.append(f"{macro}(\"{name}\", {value})")
        if not out:
            return "NULL, 0"
        return f"(const struct msg_arg[]){{ {', '.join(out)} }}, {len(out)}"

    def message_kinds(self, key):
        if not re.fullmatch(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*", key):
            self.fail(f"'{key}' is no message key")
        if self.messages is None:
            return None
        if key not in self.messages:
            self.fail(f"no message {key} in the catalogues")
        return self.messages[key]

    def do_t(self, rest):
        words = self.named(rest, lead=True)
        key = words.pop("", "")
        kinds = self.message_kinds(key)
        if kinds is not None and set(kinds) != set(words):
            self.fail(f"{key} takes the arguments {make_messages.describe(kinds)}, given: {', '.join(sorted(words)) or 'none'}")
        self.put_message(make_messages.c_name(key), self.message_arguments(words, kinds), "{{t " + rest + "}}")

    def do_message(self, rest):
        words = self.named(rest, lead=True)
        if "" not in words:
            self.fail("write {{ message EXPR }}")
        value = words.pop("")
        self.put_message(f"(enum msg)({value})", self.message_arguments(words, None), "{{message " + rest + "}}")

    def put_message(self, message, arguments, source):
        page = self.page
        if page.state == TAG:
            self.fail("a message must stand inside a quoted value")
        if page.state == VALUE:
            if page.url is not None:
                self.fail("a message inside an address")
            page.elements[-1].attributes[page.attribute] += source
        self.statement(f"html_put_message(out, {message}, {arguments});")

    def put_value(self, content):
        page = self.page
        value = " ".join(content.split())
        if page.state == TEXT:
            self.statement(f"html_put(out, {value});")
            return
        if page.state == TAG:
            self.fail("a value must stand inside quotes: name=\"{{ ... }}\"")
        element = page.elements[-1]
        name = page.attribute
        element.attributes[name] += "{{" + value + "}}"
        if page.url is None:
            self.statement(f"{'html_put' if name in TEXT_ATTRIBUTES else 'html_put_attribute'}(out, {value});")
        elif not page.url.started:
            page.url.started = page.url.typed = True
            put = "html_put_link" if name in LINK_ATTRIBUTES else "html_put_url"
            self.statement(f"{put}(out, {value});")
        elif page.url.typed:
            self.fail("a value after a struct html_url: put the whole address together in C")
        else:
            self.statement(f"html_put_part(out, {value});")

    def do_field(self, rest):
        self.only_text("field")
        match = re.match(r"(\w+)\s+(\"?)([a-z][a-z0-9_]*)\2(?:\s+|$)", rest)
        if not match or match.group(1) not in FIELD_KINDS:
            self.fail("write {{ field text|area|select|radios|checks NAME label=room.key ... }}")
        kind, name = match.group(1), match.group(3)
        rest = rest[match.end():]
        required = None
        if re.search(r"(?:^|\s)required\s*$", rest):
            rest = re.sub(r"(?:^|\s)required\s*$", "", rest)
            required = "true"
        words = self.named(rest)
        if required:
            words["required"] = required
        extra = []
        for word in FIELD_KINDS[kind]:
            if word not in words:
                self.fail(f"{{{{ field {kind} }}}} needs {word}=")
            extra.append(words.pop(word))
        if "label" not in words:
            self.fail("{{ field }} needs label=room.key")
        if ("group" in words) != ("row" in words):
            self.fail("group= and row= belong together")
        members = [f'.name = "{name}"']
        for word, value in words.items():
            if word not in FIELD_OPTIONS:
                self.fail(f"{{{{ field }}}} knows no {word}=")
            if word in ("label", "hint") and re.fullmatch(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*", value):
                if self.message_kinds(value):
                    self.fail(f"{value} takes arguments: labels and hints have none")
                value = make_messages.c_name(value)
            elif word == "value":
                value = f"html_str(out, {value})"
            members.append(f".{word} = {value}")
        identifier = name if "group" not in words else f"{words['group']}.{{{{{words['row']}}}}}.{name}"
        self.check_id(identifier)
        arguments = ", ".join([f"&(const struct field){{ {', '.join(members)} }}"] + extra)
        self.statement(f"field_{kind}(out, {arguments});")

    # --- the two files -------------------------------------------------------------------------------------

    def header(self, room):
        guard = f"CHANCERY_{room.upper()}_PAGES_H"
        lines = ["/* Made by tools/make_pages.py; do not edit. Private to the room. */", f"#ifndef {guard}", f"#define {guard}", ""]
        lines += [f'#include "{header}"' for header in self.includes]
        lines += ['#include "kernel/html/html.h"', ""]
        for page in self.pages:
            lines.append(f"/* {os.path.basename(page.path)} */")
            lines.append(page.signature + ";")
        return "\n".join(lines + ["", "#endif", ""])

    def source(self, room):
        lines = ["/* Made by tools/make_pages.py; do not edit. */", f'#include "{room}_pages.h"']
        for page in self.pages:
            lines += ["", f'#line {page.line} "{page.path}"', page.signature, "{"]
            lines += page.code or ["\t(void)out;"]
            lines += ["}"]
        return "\n".join(lines + [""])


def generate(root, folder, messages):
    """The header's and the source's text of a room; raises PageError."""
    generator = Generator(messages)
    for path in sorted(glob.glob(os.path.join(root, folder, "pages", "*.html"))):
        with open(path, encoding="utf-8") as file:
            generator.read(os.path.relpath(path, root), file.read())
    generator.includes = [header if "/" in header else f"{folder}/{header}" for header in generator.includes]
    room = os.path.basename(folder)
    return generator.header(room), generator.source(room)


def main(arguments):
    options = {}
    while len(arguments) >= 5 and arguments[-2] in ("--messages", "--depfile"):
        options[arguments[-2]] = arguments[-1]
        arguments = arguments[:-2]
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    root, folder, output = arguments[0], os.path.normpath(arguments[1]), arguments[2]
    room = os.path.basename(folder)
    messages, message_files = None, []
    if "--messages" in options:
        _, messages, message_files, _ = make_messages.read_all(options["--messages"])
    try:
        header, source = generate(root, folder, messages)
    except PageError as mistake:
        print(mistake, file=sys.stderr)
        return 1
    names = [os.path.join(output, f"{room}_pages.h"), os.path.join(output, f"{room}_pages.c")]
    make_messages.write_if_changed(names[0], header)
    make_messages.write_if_changed(names[1], source)
    if "--depfile" in options:
        pages = os.path.join(root, folder, "pages")
        with open(options["--depfile"], "w", encoding="utf-8") as file:
            inputs = [pages] + sorted(glob.glob(os.path.join(pages, "*.html"))) + message_files
            file.write(f"{' '.join(names)}: {' '.join(inputs)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
