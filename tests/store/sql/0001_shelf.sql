-- Tables for the tests of the store alone.
CREATE TABLE shelf (
	id INTEGER PRIMARY KEY,    -- the shelf
	name TEXT NOT NULL UNIQUE, -- what stands on its label
	room INTEGER NOT NULL DEFAULT 0 CHECK (room >= 0) -- how many books it takes
) STRICT;

CREATE TABLE book (
	id INTEGER PRIMARY KEY,                          -- the book
	shelf_id INTEGER NOT NULL REFERENCES shelf (id), -- where it stands
	title TEXT,                                      -- may be unknown
	weight REAL,                                     -- kilograms
	cover BLOB,                                      -- a picture
	pages INTEGER                                    -- how many
) STRICT;
CREATE INDEX book_shelf ON book (shelf_id, id) WHERE pages IS NOT NULL;

CREATE TABLE tally (
	shelf_id INTEGER PRIMARY KEY REFERENCES shelf (id), -- of which shelf
	books INTEGER NOT NULL                              -- running count
) STRICT;
