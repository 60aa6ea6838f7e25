#!/usr/bin/env python3
"""Makes enum msg and the message tables out of messages/ROOM.LANGUAGE.json.

Usage: make_messages.py MESSAGES_FOLDER OUTPUT_FOLDER [--depfile FILE]     writes messages.h and messages_data.c
       make_messages.py --unused MESSAGES_FOLDER SOURCE_FOLDER...          lists keys that no source uses (exit 1 if any)

The build fails (file:line: what is wrong) when a language lacks a text, when a text has other arguments than the
English one, or when a plural lacks a category its language needs. Text syntax: see kernel/text/text.h.
"""
import json
import os
import re
import sys

LANGUAGES = ("en", "fr", "ar", "fa")

# Plural categories of cardinal numbers (Unicode CLDR 42, supplemental/plurals.xml): needed, and allowed besides.
PLURALS = {
    "en": (("one", "other"), ()),
    "fr": (("one", "other"), ("many",)),
    "ar": (("zero", "one", "two", "few", "many", "other"), ()),
    "fa": (("one", "other"), ()),
}

KEY = re.compile(r"^[a-z][a-z0-9]*\.[a-z][a-z0-9_]*$")
NAME = re.compile(r"[a-z][a-z0-9_]*|[0-9]")
TEXT_LONGEST = 4000


class MessageError(Exception):
    """A mistake in a catalogue: where and what."""

    def __init__(self, path, line, text):
        super().__init__(f"{path}:{line}: {text}")


class Parser:
    """Reads one text and collects its arguments: name -> 'text' or 'plural'."""

    def __init__(self, text, language):
        self.text = text
        self.at = 0
        self.language = language
        self.arguments = {}

    def parse(self):
        self.run(inside_plural=False)
        if self.at != len(self.text):
            raise ValueError("'}' without '{'")
        return self.arguments

    def blanks(self):
        while self.at < len(self.text) and self.text[self.at] in " \n\t":
            self.at += 1

    def expect(self, character):
        if self.at >= len(self.text) or self.text[self.at] != character:
            raise ValueError(f"'{character}' expected at position {self.at}")
        self.at += 1

    def name(self):
        match = NAME.match(self.text, self.at)
        if not match:
            raise ValueError(f"the name of an argument is expected at position {self.at}")
        self.at = match.end()
        return match.group()

    def run(self, inside_plural):
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "}":
                return
            self.at += 1
            if character == "{":
                self.argument(inside_plural)

    def argument(self, inside_plural):
        name = self.name()
        if self.at < len(self.text) and self.text[self.at] == "}":
            self.at += 1
            self.arguments.setdefault(name, "text")
            return
        self.expect(",")
        self.blanks()
        if not self.text.startswith("plural", self.at):
            raise ValueError("only {name} and {name, plural, ...} are known")
        if inside_plural:
            raise ValueError("a plural inside a plural")
        self.at += len("plural")
        self.expect(",")
        self.arguments[name] = "plural"
        self.branches()

    def branches(self):
        seen = set()
        while True:
            self.blanks()
            if self.at >= len(self.text):
                raise ValueError("a plural that does not end")
            if self.text[self.at] == "}":
                self.at += 1
                break
            match = re.compile(r"=[0-9]{1,9}|[a-z]+").match(self.text, self.at)
            if not match:
                raise ValueError(f"a plural category is expected at position {self.at}")
            if match.group() in seen:
                raise ValueError(f"plural category {match.group()} twice")
            seen.add(match.group())
            self.at = match.end()
            self.blanks()
            self.expect("{")
            self.run(inside_plural=True)
            self.expect("}")
        needed, allowed = PLURALS[self.language]
        for category in needed:
            if category not in seen:
                raise ValueError(f"plural category {category} is missing")
        for category in seen:
            if not category.startswith("=") and category not in needed + allowed:
                raise ValueError(f"{self.language} has no plural category {category}")


def line_of(source, key):
    """The line where `key` stands in the JSON text."""
    at = source.find(json.dumps(key))
    return source.count("\n", 0, at) + 1 if at >= 0 else 1


def no_twice(path):
    def build(pairs):
        seen = {}
        for key, value in pairs:
            if key in seen:
                raise MessageError(path, 1, f"key {key} twice")
            seen[key] = value
        return seen
    return build


def read_catalogue(path, room, language):
    """One file: key -> (text, arguments, line)."""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    try:
        texts = json.loads(source, object_pairs_hook=no_twice(path))
    except json.JSONDecodeError as mistake:
        raise MessageError(path, mistake.lineno, mistake.msg) from None
    catalogue = {}
    for key, text in texts.items():
        line = line_of(source, key)
        if not KEY.match(key):
            raise MessageError(path, line, f"'{key}' is no key (room.words_in_lower_case)")
        if not key.startswith(room + "."):
            raise MessageError(path, line, f"'{key}' does not belong to room {room}")
        if not isinstance(text, str) or not text.strip():
            raise MessageError(path, line, f"{key}: an empty text")
        if len(text) > TEXT_LONGEST:
            raise MessageError(path, line, f"{key}: longer than {TEXT_LONGEST} characters")
        if "\0" in text:
            raise MessageError(path, line, f"{key}: a NUL")
        try:
            arguments = Parser(text, language).parse()
        except ValueError as mistake:
            raise MessageError(path, line, f"{key}: {mistake}") from None
        catalogue[key] = (text, arguments, line)
    return catalogue


def read_all(folder):
    """All rooms: language -> key -> text, and the files read. Collects every mistake before it fails."""
    rooms = sorted({name.split(".")[0] for name in os.listdir(folder) if re.match(r"^[a-z]+\.[a-z]+\.json$", name)})
    texts = {language: {} for language in LANGUAGES}
    arguments = {}
    files, mistakes = [], []
    for room in rooms:
        catalogues = {}
        for language in LANGUAGES:
            path = os.path.join(folder, f"{room}.{language}.json")
            files.append(path)
            try:
                if not os.path.exists(path):
                    raise MessageError(path, 1, f"the catalogue of room {room} in {language} is missing")
                catalogues[language] = read_catalogue(path, room, language)
            except MessageError as mistake:
                mistakes.append(str(mistake))
        if len(catalogues) != len(LANGUAGES):
            continue
        english = catalogues["en"]
        for language, catalogue in catalogues.items():
            path = os.path.join(folder, f"{room}.{language}.json")
            for key in english:
                if key not in catalogue:
                    mistakes.append(str(MessageError(path, 1, f"{key} is missing")))
            for key, (text, own, line) in catalogue.items():
                if key not in english:
                    mistakes.append(str(MessageError(path, line, f"{key} is not in {room}.en.json")))
                elif own != english[key][1]:
                    mistakes.append(str(MessageError(path, line, f"{key} has the arguments {describe(own)}, "
                                                     f"English has {describe(english[key][1])}")))
                texts[language][key] = text
        for key, (_, own, _) in english.items():
            arguments[key] = own
    return texts, arguments, files, mistakes


def describe(arguments):
    if not arguments:
        return "none"
    return ", ".join(name + (" (plural)" if kind == "plural" else "") for name, kind in sorted(arguments.items()))


def c_name(key):
    return "MSG_" + key.replace(".", "_")


def c_string(text):
    out = []
    for byte in text.encode("utf-8"):
        character = chr(byte)
        if character in '"\\':
            out.append("\\" + character)
        elif character == "\n":
            out.append("\\n")
        elif character == "?":
            out.append("\\?")
        elif 32 <= byte < 127:
            out.append(character)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def comment(text):
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\n", " ")[:90]


def make_header(texts):
    keys = sorted(texts["en"])
    names = {}
    for key in keys:
        if c_name(key) in names:
            raise MessageError("messages", 1, f"{key} and {names[c_name(key)]} get the same name in C")
        names[c_name(key)] = key
    lines = ["/* Made by tools/make_messages.py; do not edit. */", "#ifndef CHANCERY_MESSAGES_H", "#define CHANCERY_MESSAGES_H", "",
             "enum msg {", "\tMSG_none = 0,"]
    lines += [f"\t{c_name(key)}, /* {comment(texts['en'][key])} */" for key in keys]
    lines += ["\tMSG_COUNT", "};", "",
              "/* By language and message; entry 0 is empty. */",
              f"extern const char *const message_texts[{len(LANGUAGES)}][MSG_COUNT];",
              "/* The keys, for logs and tests. */",
              "extern const char *const message_keys[MSG_COUNT];", "", "#endif", ""]
    return "\n".join(lines)


def make_data(texts):
    keys = sorted(texts["en"])
    lines = ["/* Made by tools/make_messages.py; do not edit. */", '#include "messages.h"', "",
             f"const char *const message_texts[{len(LANGUAGES)}][MSG_COUNT] = {{"]
    for language in LANGUAGES:
        lines.append(f'\t{{ /* {language} */\n\t\t"",')
        lines += [f"\t\t{c_string(texts[language][key])}," for key in keys]
        lines.append("\t},")
    lines += ["};", "", "const char *const message_keys[MSG_COUNT] = {", '\t"none",']
    lines += [f'\t"{key}",' for key in keys]
    lines += ["};", ""]
    return "\n".join(lines)


def write_if_changed(path, content):
    """Leaves an unchanged file alone, so that nothing which depends on it is built again."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == content:
                return
    except OSError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def unused(folder, source_folders):
    """Keys that no C source, header or template names."""
    texts, _, _, _ = read_all(folder)
    names = set()
    for top in source_folders:
        for where, _, files in os.walk(top):
            for name in files:
                if name.endswith((".c", ".h", ".html")) and not name.endswith("_test.c"):
                    with open(os.path.join(where, name), encoding="utf-8", errors="replace") as file:
                        content = file.read()
                    names.update(re.findall(r"\bMSG_\w+", content))
                    if name.endswith(".html"):
                        names.update(c_name(key) for key in re.findall(r"\b[a-z][a-z0-9]*\.[a-z][a-z0-9_]*", content))
    return [key for key in sorted(texts["en"]) if c_name(key) not in names]


def main(arguments):
    if arguments[:1] == ["--unused"] and len(arguments) >= 3:
        keys = unused(arguments[1], arguments[2:])
        for key in keys:
            print(f"no source uses {key}")
        return 1 if keys else 0
    if len(arguments) not in (2, 4) or (len(arguments) == 4 and arguments[2] != "--depfile"):
        print(__doc__, file=sys.stderr)
        return 2
    folder, output = arguments[0], arguments[1]
    texts, _, files, mistakes = read_all(folder)
    if mistakes:
        print("\n".join(mistakes), file=sys.stderr)
        return 1
    header, data = os.path.join(output, "messages.h"), os.path.join(output, "messages_data.c")
    try:
        write_if_changed(header, make_header(texts))
    except MessageError as mistake:
        print(mistake, file=sys.stderr)
        return 1
    write_if_changed(data, make_data(texts))
    if len(arguments) == 4:
        with open(arguments[3], "w", encoding="utf-8") as file:
            # The folder itself too: a new catalogue changes it.
            file.write(f"{header} {data}: {' '.join([folder] + files)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
