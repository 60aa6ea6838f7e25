-- Trips.
CREATE TABLE trip (
	id INTEGER PRIMARY KEY, -- one journey of one person; its legs stand in `leg`
	public_id TEXT NOT NULL UNIQUE, -- outside id
	external_id TEXT, -- id in the source an import came from
	person_id INTEGER NOT NULL REFERENCES person (id), -- whose
	companions INTEGER NOT NULL, -- how many travel along, named or not
	note TEXT NOT NULL, -- what the traveller wants us to know; may be empty
	form_key TEXT UNIQUE, -- a double submit finds the first
	created_at INTEGER NOT NULL, -- UTC microseconds
	changed_at INTEGER NOT NULL, -- UTC microseconds
	batch_id INTEGER REFERENCES batch (id), -- the import it came with; it counts only while that batch is visible
	ended_at INTEGER -- ended by the person or after return
) STRICT;
CREATE INDEX trip_person ON trip (person_id);
CREATE INDEX trip_batch ON trip (batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE companion (
	id INTEGER PRIMARY KEY, -- a named companion
	trip_id INTEGER NOT NULL REFERENCES trip (id), -- of which trip
	name TEXT NOT NULL -- as written
) STRICT;
CREATE INDEX companion_trip ON companion (trip_id);
