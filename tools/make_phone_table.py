#!/usr/bin/env python3
"""Turns the numbering plans of npm's libphonenumber-js into the C table that kernel/text/phone.c reads.

usage: make_phone_table.py METADATA.json OUTPUT.c

METADATA.json is the package's metadata.max.json (its format 4): a list per country, whose places are
  0 calling code, 1 international prefix, 2 pattern of all numbers, 3 possible lengths, 4 formats, 5 national prefix,
  7 national prefix for parsing, 8 transform rule, 10 leading digits, 11 types (fixed, mobile, toll free, premium,
  personal, voicemail, UAN, pager, VoIP, shared cost), each [pattern, lengths].
The table is made at build time and never committed: the plans are the world's and change.
"""
import json
import sys

FORMAT_VERSION = 4
TYPE_COUNT = 10
LENGTH_MAX = 31


class Patterns:
    """Distinct patterns, numbered from 1; 0 is no pattern."""

    def __init__(self):
        self.numbers = {}

    def number(self, pattern):
        if not pattern:
            return 0
        return self.numbers.setdefault(pattern, len(self.numbers) + 1)


def at(items, index):
    return items[index] if isinstance(items, list) and len(items) > index and items[index] else None


def c_string(text):
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def length_bits(lengths):
    bits = 0
    for length in lengths or []:
        if not 0 < length <= LENGTH_MAX:
            raise ValueError(f"length {length} does not fit")
        bits |= 1 << length
    return bits


def plan_row(region, data, patterns, formats):
    types = at(data, 11) or []
    if len(types) > TYPE_COUNT:
        raise ValueError(f"{region}: {len(types)} types")
    type_rows = []
    for index in range(TYPE_COUNT):
        kind = at(types, index) or []
        # an empty pattern says: not to be told from the fixed lines
        shared = "true" if kind and kind[0] == "" else "false"
        type_rows.append(f"{{ {patterns.number(at(kind, 0))}, {shared}, {length_bits(at(kind, 1))}u }}")
    first = len(formats)
    for entry in at(data, 4) or []:
        leading = at(entry, 2)
        formats.append(f"{{ {patterns.number(entry[0])}, {patterns.number(leading[-1] if leading else None)}, "
                       f"{c_string(at(entry, 5) or entry[1])} }}")
    prefix = at(data, 7) or at(data, 5)
    return (f"{{ {c_string(region)}, {int(data[0])}, {patterns.number(at(data, 1))}, {patterns.number(data[2])}, "
            f"{patterns.number(prefix)}, {patterns.number(at(data, 10))}, {c_string(at(data, 8))}, "
            f"{length_bits(data[3])}u, {first}, {len(formats) - first}, {{ {', '.join(type_rows)} }} }}")


def table(metadata):
    if metadata.get("version") != FORMAT_VERSION:
        raise ValueError(f"metadata of format {metadata.get('version')}, known is {FORMAT_VERSION}")
    patterns, formats, plans, index = Patterns(), [], [], {}
    for region in sorted(metadata["countries"]):
        index[region] = len(plans)
        plans.append(plan_row(region, metadata["countries"][region], patterns, formats))
    region_count = len(plans)
    codes = {int(code): [index[region] for region in regions] for code, regions in metadata["country_calling_codes"].items()}
    for code, data in metadata["nonGeographic"].items():
        codes[int(code)] = [len(plans)]
        plans.append(plan_row("", data, patterns, formats))
    code_rows, members = [], []
    for code in sorted(codes):
        code_rows.append(f"{{ {code}, {len(members)}, {len(codes[code])} }}")
        members += codes[code]
    out = ["/* Made by tools/make_phone_table.py; do not edit. */", '#include "kernel/text/phone_table.h"', ""]
    out += array("const char *const phone_patterns[]", ["NULL"] + [c_string(p) for p in patterns.numbers])
    out.append("const size_t phone_pattern_count = sizeof(phone_patterns) / sizeof(phone_patterns[0]);")
    out.append(f"_Atomic(struct pcre2_real_code_8 *) phone_compiled[{len(patterns.numbers) + 1}];")
    out += array("const struct phone_format phone_formats[]", formats)
    out += array("const struct phone_plan phone_plans[]", plans)
    out.append(f"const size_t phone_region_count = {region_count};")
    out += array("const struct phone_code phone_codes[]", code_rows)
    out.append("const size_t phone_code_count = sizeof(phone_codes) / sizeof(phone_codes[0]);")
    out += array("const uint16_t phone_code_plans[]", [str(m) for m in members])
    return "\n".join(out) + "\n"


def array(declaration, rows):
    return [declaration + " = {"] + ["\t" + row + "," for row in rows] + ["};"]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            text = table(json.load(file))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 3
    with open(arguments[1], "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
