-- What the store knows about itself.
CREATE TABLE schema_migration (
	room TEXT NOT NULL,          -- folder of the room that owns the tables: core/people
	number INTEGER NOT NULL,     -- 1, 2, ... within the room
	name TEXT NOT NULL,          -- the file's name without its number
	applied_at INTEGER NOT NULL, -- UTC microseconds
	PRIMARY KEY (room, number)
) STRICT, WITHOUT ROWID;

-- The change sequence: what was committed, for those who keep something in memory. Ids grow in the order of
-- commits; old rows are trimmed, the newest always stays.
CREATE TABLE change (
	id INTEGER PRIMARY KEY,  -- the sequence
	kind TEXT NOT NULL,      -- what changed: leg, alert, setting ...
	subject INTEGER NOT NULL, -- the id of what changed, in the table that the kind implies
	at INTEGER NOT NULL      -- UTC microseconds
) STRICT;

-- How far the sequence has been trimmed: who saw less must read everything anew.
CREATE TABLE change_trim (
	id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
	trimmed INTEGER NOT NULL               -- the highest id that may have been removed
) STRICT, WITHOUT ROWID;
INSERT INTO change_trim (id, trimmed) VALUES (1, 0);

CREATE TABLE setting (
	name TEXT PRIMARY KEY,       -- travel.confirm_above
	value TEXT NOT NULL,         -- as written by the operator, checked against the setting's bounds
	changed_at INTEGER NOT NULL  -- UTC microseconds
) STRICT, WITHOUT ROWID;
