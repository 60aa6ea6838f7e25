-- Append-only record of officers' actions, published versions and batch summaries. Ids only.
CREATE TABLE ledger (
	id INTEGER PRIMARY KEY, -- order of entry
	at INTEGER NOT NULL, -- UTC microseconds
	officer_id INTEGER NOT NULL, -- 0 the system, -1 an operator at the command line
	action TEXT NOT NULL, -- "alert.send"
	subject TEXT NOT NULL, -- "alert:ID"
	detail TEXT NOT NULL -- small JSON without personal data
) STRICT;
