-- The ladder: one way after the other, until an answer comes.
CREATE TABLE ladder (
	id INTEGER PRIMARY KEY, -- a template officers choose from
	name TEXT NOT NULL UNIQUE, -- as they see it, 1 to 60 characters
	rungs TEXT NOT NULL, -- one word a rung: "own:5/15/60 contact" (alert_ladder.h)
	changed_at INTEGER NOT NULL -- UTC microseconds
) STRICT;

ALTER TABLE alert_version ADD COLUMN ladder_name TEXT NOT NULL DEFAULT ''; -- the template's name when it was chosen; empty: all ways at once
ALTER TABLE alert_version ADD COLUMN ladder TEXT NOT NULL DEFAULT ''; -- its rungs as they were then

CREATE TABLE ladder_raise (
	alert_id INTEGER NOT NULL REFERENCES alert (id), -- of which alert
	person_id INTEGER NOT NULL, -- whose way was gone
	notice_id INTEGER NOT NULL, -- of which notice
	channel INTEGER NOT NULL, -- the way that was brought forward in its place
	raised_at INTEGER NOT NULL, -- UTC microseconds
	PRIMARY KEY (alert_id, person_id, notice_id, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_told (
	alert_id INTEGER NOT NULL REFERENCES alert (id), -- in which alert
	person_id INTEGER NOT NULL, -- whose emergency contact was asked, once
	message_id INTEGER NOT NULL, -- the message
	told_at INTEGER NOT NULL, -- UTC microseconds: when it was queued
	PRIMARY KEY (alert_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_told_person ON contact_told (person_id);
