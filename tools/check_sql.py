#!/usr/bin/env python3
"""Refuses SQL in C: statements stand in queries.sql, where they are prepared against the schema at build time.

Usage: check_sql.py [ROOT]

Drivers (adapters/store) speak to their stores in SQL, core/places to its read-only gazetteer file, which is no store;
tests and benches may; everything else may not.
"""
import os
import re
import sys

FOLDERS = ("base", "kernel", "core", "desks", "adapters", "cmd", "fuzz")
EXEMPT = ("adapters/store/", "core/places/")
LITERAL = re.compile(r'/\*.*?\*/|//[^\n]*|\'(?:[^\'\\\n]|\\.)*\'|"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
SQL = re.compile(r"\b(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX|VIEW)\s|"
                 r"ALTER\s+TABLE\s|DROP\s+TABLE\s|PRAGMA\s|WITH\s+\w+\s+AS\s*\()")


def check_text(text):
    """Yields (line, keyword) of each literal that holds SQL."""
    for match in LITERAL.finditer(text):
        if match.group(1) is None:
            continue
        found = SQL.search(match.group(1))
        if found:
            yield text.count("\n", 0, match.start()) + 1, found.group(1).split()[0]


def check_tree(root):
    problems = []
    for floor in FOLDERS:
        for folder, _, names in os.walk(os.path.join(root, floor)):
            for name in sorted(names):
                full = os.path.join(folder, name)
                path = os.path.relpath(full, root).replace(os.sep, "/")
                if not name.endswith((".c", ".h")) or name.endswith("_test.c") or path.startswith(EXEMPT):
                    continue
                with open(full, encoding="utf-8") as file:
                    for line, keyword in check_text(file.read()):
                        problems.append(f"{path}:{line}: {keyword}: SQL belongs in the room's queries.sql")
    return problems


def main():
    problems = check_tree(sys.argv[1] if len(sys.argv) > 1 else ".")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
