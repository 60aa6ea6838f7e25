-- Who is where, and when.
CREATE TABLE leg (
	id INTEGER PRIMARY KEY, -- one stay of a trip
	person_id INTEGER NOT NULL REFERENCES person (id), -- who stays there
	trip_id INTEGER NOT NULL, -- the trip it is part of (desks/travel)
	position INTEGER NOT NULL, -- order within the trip, 1 first
	kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)), -- 1 point, 2 disc, 3 somewhere in the country
	place_id INTEGER, -- of the gazetteer, if it was chosen from it
	place_name TEXT NOT NULL, -- as shown
	latitude REAL NOT NULL, -- degrees; the country's centre for kind 3
	longitude REAL NOT NULL, -- degrees
	radius INTEGER NOT NULL, -- metres, 0 for a point
	country TEXT NOT NULL, -- ISO 3166-1 alpha-2, upper case
	zone TEXT NOT NULL, -- IANA zone of the place
	from_date INTEGER NOT NULL, -- local date at the place, days since 1970-01-01
	to_date INTEGER NOT NULL, -- last local date there
	from_unsure INTEGER NOT NULL, -- days the first date may be early or late; 0 sure
	to_unsure INTEGER NOT NULL, -- the same of the last date
	from_at INTEGER NOT NULL, -- UTC microseconds: start of the first possible day there
	to_at INTEGER NOT NULL, -- UTC microseconds: end of the last possible day there
	arrival_at INTEGER NOT NULL, -- UTC microseconds: start of from_date there, minus nothing: when an arriving person is told
	batch_id INTEGER REFERENCES batch (id), -- the import it came with; it counts only while that batch is visible
	ended_at INTEGER -- taken out of the trip or the trip ended
) STRICT;
CREATE INDEX leg_person ON leg (person_id);
CREATE INDEX leg_batch ON leg (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX leg_trip ON leg (trip_id, position);

CREATE TABLE watch (
	id INTEGER PRIMARY KEY, -- someone follows a country or an area without a trip
	public_id TEXT NOT NULL UNIQUE, -- outside id
	external_id TEXT, -- `id` of an imported feature
	person_id INTEGER NOT NULL REFERENCES person (id), -- who follows
	kind INTEGER NOT NULL CHECK (kind IN (1, 2)), -- 1 country, 2 area
	country TEXT NOT NULL, -- alpha-2, empty for an area
	name TEXT NOT NULL, -- as the person calls it
	area TEXT NOT NULL, -- GeoJSON geometry or {"type":"Disc","coordinates":[lon,lat],"radius":metres}; empty for a country
	zone TEXT NOT NULL, -- the person's own zone, for the morning rule
	created_at INTEGER NOT NULL, -- UTC microseconds
	batch_id INTEGER REFERENCES batch (id), -- the import it came with; it counts only while that batch is visible
	ended_at INTEGER -- no longer follows
) STRICT;
CREATE INDEX watch_person ON watch (person_id);
CREATE INDEX watch_batch ON watch (batch_id) WHERE batch_id IS NOT NULL;
