#!/usr/bin/env python3
"""Makes C tables out of web/: the style that stands in every page, and the files served below /assets/.

Usage: make_assets.py WEB_FOLDER OUTPUT_FILE [--depfile FILE]

web/chancery.css becomes html_style with its CSP hash; every other file becomes an entry of assets[] (kernel/html/assets.h)
whose path holds a hash of its content, so that browsers may keep it for ever.
"""
import base64
import gzip
import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_messages  # noqa: E402

STYLE = "chancery.css"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
SKIPPED = {".md", ".build", ".py"}


def minify_css(text):
    """Drops comments and blanks that mean nothing. Strings are left alone."""
    pieces = re.split(r"(\"[^\"\n]*\"|'[^'\n]*')", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    for at in range(0, len(pieces), 2):
        piece = re.sub(r"\s+", " ", pieces[at])
        piece = re.sub(r"\s*([{};,>])\s*", r"\1", piece)
        piece = re.sub(r":\s+", ":", piece)
        pieces[at] = piece.replace(";}", "}")
    return "".join(pieces).strip()


def minify_js(text):
    """Drops full-line comments and indentation: small scripts stay readable in the browser."""
    text = re.sub(r"^\s*/\*.*?\*/\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


def c_bytes(data):
    lines = []
    for at in range(0, len(data), 24):
        lines.append("\t" + "".join(f"{byte}," for byte in data[at:at + 24]))
    return "\n".join(lines)


def compress(data):
    return gzip.compress(data, 9, mtime=0)


def make(folder):
    """The C text and the files read."""
    files = sorted(name for name in os.listdir(folder)
                   if os.path.isfile(os.path.join(folder, name)) and os.path.splitext(name)[1] not in SKIPPED and name[0] != ".")
    with open(os.path.join(folder, STYLE), encoding="utf-8") as file:
        style = minify_css(file.read())
    if "</" in style or "url(" in style or "@import" in style:
        raise ValueError(f"{folder}/{STYLE}: no '</', url() or @import: the style stands in the page and asks nobody for anything")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    chunks = "\n".join("\t" + make_messages.c_string(style[at:at + 100]) for at in range(0, len(style), 100))
    lines = ["/* Made by tools/make_assets.py; do not edit. */", '#include "kernel/html/assets.h"', '#include "kernel/html/html.h"', "",
             f"const char html_style[] =\n{chunks};",
             "const size_t html_style_size = sizeof html_style - 1;",
             f'const char html_style_hash[] = "sha256-{digest}";', ""]
    entries = []
    for name in files:
        if name == STYLE:
            continue
        stem, extension = os.path.splitext(name)
        if extension not in TYPES:
            raise ValueError(f"{folder}/{name}: no content type is known for {extension}")
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if extension == ".js":
            data = minify_js(data.decode("utf-8")).encode("utf-8")
        packed = compress(data)
        symbol = re.sub(r"\W", "_", name)
        short = hashlib.sha256(data).hexdigest()[:16]
        lines.append(f"static const unsigned char bytes_{symbol}[] = {{\n{c_bytes(data)}\n}};")
        if len(packed) < len(data):
            lines.append(f"static const unsigned char gzip_{symbol}[] = {{\n{c_bytes(packed)}\n}};")
            gzip_members = f"gzip_{symbol}, sizeof gzip_{symbol}"
        else:
            gzip_members = "NULL, 0"
        entries.append(f'\t{{ "{name}", "/assets/{stem}.{short}{extension}", "{TYPES[extension]}", "\\"{short}\\"", '
                       f"bytes_{symbol}, sizeof bytes_{symbol}, {gzip_members} }},")
    lines += ["", "const struct asset assets[] = {"] + entries + ["};", "const size_t asset_count = COUNT_OF(assets);", ""]
    return "\n".join(lines), [os.path.join(folder, name) for name in files]


def main(arguments):
    if len(arguments) not in (2, 4) or (len(arguments) == 4 and arguments[2] != "--depfile"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text, files = make(arguments[0])
    except (OSError, ValueError) as mistake:
        print(mistake, file=sys.stderr)
        return 1
    make_messages.write_if_changed(arguments[1], text)
    if len(arguments) == 4:
        with open(arguments[3], "w", encoding="utf-8") as file:
            file.write(f"{arguments[1]}: {' '.join([arguments[0]] + files)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
