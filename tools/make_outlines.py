#!/usr/bin/env python3
"""Builds outlines.db: the outlines of countries in three grains, from npm world-atlas (Natural Earth, public domain).

    make_outlines.py --modules node_modules --overrides places-overrides.json OUT

A country's outline is made of units (features of Natural Earth, or parts of them that the overrides name), each with
the code it belongs to, so that a ministry can assign disputed units at run time. The same input gives the same bytes.
"""
import argparse
import json
import os
import sqlite3
import struct

FORMAT = 1
ATTRIBUTION = "Outlines: Natural Earth."
LEVELS = ("110m", "50m", "10m")
UNITS = 10_000_000  # per degree

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE unit (
	level INTEGER NOT NULL,  -- grain: 110, 50 or 10 (of 1:10,000,000, the finest)
	name TEXT NOT NULL,      -- Natural Earth's name of the feature, or the overrides' of the part
	code TEXT NOT NULL,      -- the country it belongs to unless an override says otherwise; empty: none
	-- little-endian: uint32 polygons; each uint32 rings, outer first; each uint32 points (the first not repeated);
	-- each int32 longitude, int32 latitude in 1e-7 degrees
	data BLOB NOT NULL,
	PRIMARY KEY (level, name)
) STRICT, WITHOUT ROWID;
-- countries smaller than the finest grain
CREATE TABLE disc (code TEXT PRIMARY KEY, lat REAL NOT NULL, lon REAL NOT NULL, radius REAL NOT NULL) STRICT, WITHOUT ROWID;
"""


def decode_arcs(topology):
    """TopoJSON: quantised arcs, delta-encoded; to integer units of 1e-7 degree."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step in arc:
            x += step[0]
            y += step[1]
            lon, lat = round((x * kx + dx) * UNITS), round((y * ky + dy) * UNITS)
            points.append((max(-180 * UNITS, min(180 * UNITS, lon)), max(-90 * UNITS, min(90 * UNITS, lat))))
        arcs.append(points)
    return arcs


def decode_ring(indexes, arcs):
    ring = []
    for index in indexes:
        points = arcs[index] if index >= 0 else arcs[~index][::-1]
        for point in points[1:] if ring else points:
            if not ring or ring[-1] != point:
                ring.append(point)
    if len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    return ring


HALF = 180 * UNITS


def unroll(ring):
    """The ring without jumps over the 180th meridian: longitudes run on beyond it. A ring around a pole is closed along it."""
    out, turn = [ring[0]], 0
    for (x0, _), (x1, y1) in zip(ring, ring[1:] + ring[:1]):
        if x1 - x0 > HALF:
            turn -= 1
        elif x1 - x0 < -HALF:
            turn += 1
        out.append((x1 + turn * 2 * HALF, y1))
    if turn == 0:
        return out[:-1]
    pole = 90 * UNITS if ring[0][1] > 0 else -90 * UNITS
    return out + [(out[-1][0], pole), (out[0][0], pole)]


def keep_side(ring, limit, sign, axis=0):
    """What of the ring lies on one side of a meridian (or, with axis 1, of a parallel), the cut going along it
    (Sutherland and Hodgman)."""
    out = []
    for a, b in zip(ring, ring[1:] + ring[:1]):
        if (a[axis] - limit) * sign >= 0:
            out.append(a)
        if (a[axis] - limit) * (b[axis] - limit) < 0:
            other = round(a[1 - axis] + (b[1 - axis] - a[1 - axis]) * (limit - a[axis]) / (b[axis] - a[axis]))
            out.append((limit, other) if axis == 0 else (other, limit))
    distinct = [p for i, p in enumerate(out) if p != out[i - 1]]
    return distinct if len(distinct) >= 3 and len({p[axis] for p in distinct}) > 1 else []


def cut_at_parallel(rings, limit):
    """The polygon's parts south and north of a parallel; either may be None."""
    parts = []
    for sign in (-1, 1):
        part = [r for r in (keep_side(ring, limit, sign, 1) for ring in rings) if r]
        parts.append(part or None)
    return parts


def split_at_meridian(rings):
    """The polygon as polygons within -180..180 (RFC 7946, 3.1.9)."""
    unrolled = [unroll(r) for r in rings]
    lowest, highest = min(p[0] for p in unrolled[0]), max(p[0] for p in unrolled[0])
    if lowest >= -HALF and highest <= HALF:
        return [unrolled]
    pieces = []
    for turn in range(-2, 3):
        west, east = -HALF + turn * 2 * HALF, HALF + turn * 2 * HALF
        if highest <= west or lowest >= east:
            continue
        piece = []
        for ring in unrolled:
            cut = keep_side(ring, west, 1)
            cut = keep_side(cut, east, -1) if cut else []
            if cut:
                piece.append([(x - turn * 2 * HALF, y) for x, y in cut])
        if piece:
            pieces.append(piece)
    return pieces


def polygons_of(geometry, arcs):
    if geometry["type"] == "Polygon":
        shapes = [geometry["arcs"]]
    elif geometry["type"] == "MultiPolygon":
        shapes = geometry["arcs"]
    else:
        return []
    polygons = []
    for shape in shapes:
        # The 50m grain has Antarctica as a ring along the pole with the coast as its hole: the coast is the outline.
        rings = [r for r in (decode_ring(r, arcs) for r in shape) if any(abs(y) < 89.9 * UNITS for _, y in r)]
        if rings and len(rings[0]) >= 3:
            polygons.extend(split_at_meridian([rings[0]] + [r for r in rings[1:] if len(r) >= 3]))
    return polygons


def bounds(ring):
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    return min(xs), min(ys), max(xs), max(ys)


def inside(ring, box):
    x0, y0, x1, y1 = bounds(ring)
    return x0 >= box[0] * UNITS and y0 >= box[1] * UNITS and x1 <= box[2] * UNITS and y1 <= box[3] * UNITS


def units_of(topology, codes, overrides):
    """(name, code, polygons) of every unit."""
    arcs = decode_arcs(topology)
    units = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        feature = geometry["properties"]["name"]
        numeric = geometry.get("id")
        if feature in overrides["features"]:
            code = overrides["features"][feature]
        elif numeric in codes:
            code = codes[numeric]
        else:
            code = None
        parts = [p for p in overrides["parts"] if p["from"] in (code, feature)]
        polygons = polygons_of(geometry, arcs)
        for part in (p for p in parts if "south_of" in p):
            rest = []
            for south, north in (cut_at_parallel(p, round(part["south_of"] * UNITS)) for p in polygons):
                if south:
                    units.setdefault(part["name"], (part["code"], []))[1].append(south)
                if north:
                    rest.append(north)
            polygons = rest
        for polygon in polygons:
            for part in parts:
                if "box" in part and inside(polygon[0], part["box"]):
                    units.setdefault(part["name"], (part["code"], []))[1].append(polygon)
                    break
            else:
                if code is None:
                    raise SystemExit(f"feature {feature!r} has neither a code of ISO 3166-1 nor an override")
                units.setdefault(feature, (code, []))[1].append(polygon)
    return [(name, overrides["codes"].get(code, code), polygons) for name, (code, polygons) in sorted(units.items())]


def encode(polygons):
    out = [struct.pack("<I", len(polygons))]
    for rings in polygons:
        out.append(struct.pack("<I", len(rings)))
        for ring in rings:
            out.append(struct.pack("<I", len(ring)))
            out.append(b"".join(struct.pack("<ii", x, y) for x, y in ring))
    return b"".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--modules", required=True)
    parser.add_argument("--share", default="/usr/share")
    parser.add_argument("--overrides", required=True)
    parser.add_argument("out")
    arguments = parser.parse_args()
    if not os.path.isdir(os.path.join(arguments.modules, "world-atlas")):
        raise SystemExit(f"{arguments.modules} lacks the data packages: run npm ci")
    with open(arguments.overrides, encoding="utf-8") as f:
        overrides = json.load(f)
    with open(os.path.join(arguments.share, "iso-codes", "json", "iso_3166-1.json"), encoding="utf-8") as f:
        codes = {c["numeric"]: c["alpha_2"] for c in json.load(f)["3166-1"]}
    atlas = os.path.join(arguments.modules, "world-atlas")

    partial = arguments.out + ".partial"
    if os.path.exists(partial):
        os.remove(partial)
    db = sqlite3.connect(partial, isolation_level=None)
    db.executescript("PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;" + SCHEMA)
    for level in LEVELS:
        with open(os.path.join(atlas, f"countries-{level}.json"), encoding="utf-8") as f:
            topology = json.load(f)
        for name, code, polygons in units_of(topology, codes, overrides):
            db.execute("INSERT INTO unit VALUES (?,?,?,?)", (int(level[:-1]), name, code, encode(polygons)))
    for disc in sorted(overrides["discs"], key=lambda d: d["code"]):
        db.execute("INSERT INTO disc VALUES (?,?,?,?)", (disc["code"], disc["lat"], disc["lon"], disc["radius"]))
    with open(os.path.join(atlas, "package.json"), encoding="utf-8") as f:
        version = json.load(f)["version"]
    meta = {"format": str(FORMAT), "attribution": ATTRIBUTION, "world-atlas": version}
    db.executemany("INSERT INTO meta VALUES (?,?)", sorted(meta.items()))
    db.execute("COMMIT")
    db.execute("VACUUM")
    db.close()
    os.replace(partial, arguments.out)


if __name__ == "__main__":
    main()
