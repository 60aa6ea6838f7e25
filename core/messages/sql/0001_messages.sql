-- The outbox and the inbox.
CREATE TABLE notice (
	id INTEGER PRIMARY KEY, -- one thing to tell an audience: a version of an alert
	kind INTEGER NOT NULL, -- enum notice_kind: who renders the text
	event_id INTEGER NOT NULL, -- the alert; messages of one event belong together on the board
	subject_id INTEGER NOT NULL, -- the alert's version
	lane INTEGER NOT NULL, -- enum message_lane: lower is sooner
	exercise INTEGER NOT NULL CHECK (exercise IN (0, 1)), -- exercise and real never mix
	expires_at INTEGER NOT NULL, -- UTC microseconds: nothing is handed over after it
	superseded_at INTEGER, -- a later version was sent: what is still queued is dropped
	frozen_at INTEGER NOT NULL -- 'sent' means this
) STRICT;
CREATE INDEX notice_event ON notice (kind, event_id);

CREATE TABLE message (
	id INTEGER PRIMARY KEY, -- one message to one person on one channel
	notice_id INTEGER NOT NULL, -- 0 for single messages (codes, answers): their text stands in message_text
	event_id INTEGER NOT NULL, -- of the notice, 0 for single messages
	person_id INTEGER NOT NULL, -- to whom; 0 when the address belongs to nobody (answer to an unknown sender)
	contact_id INTEGER NOT NULL, -- by which address; 0 with message_text.address
	channel INTEGER NOT NULL, -- 1 e-mail, 2 SMS
	text_group INTEGER NOT NULL, -- of the notice: 1 new, 2 still inside, 3 released; 0 single
	lane INTEGER NOT NULL, -- lower is sooner
	state INTEGER NOT NULL, -- enum message_state
	reason INTEGER NOT NULL, -- enum message_reason, for failed and not sent
	was_in_doubt INTEGER NOT NULL, -- 1: was in doubt once; it may have arrived twice
	attempts INTEGER NOT NULL, -- hand-overs so far
	parts INTEGER NOT NULL, -- SMS parts, 1 for mail; 0 until rendered
	parts_accepted INTEGER NOT NULL, -- parts the carrier took in this attempt
	parts_delivered INTEGER NOT NULL, -- parts receipted as delivered
	route INTEGER NOT NULL, -- carrier it went by, 0 none
	carrier_id TEXT NOT NULL, -- the carrier's id of the (last) part, padded with blanks to its final width; '' none
	status_code INTEGER NOT NULL, -- SMPP command_status or SMTP reply code of the last answer
	not_before INTEGER NOT NULL, -- UTC microseconds: next attempt
	expires_at INTEGER NOT NULL, -- UTC microseconds
	created_at INTEGER NOT NULL, -- UTC microseconds
	submitted_at INTEGER NOT NULL, -- of the last hand-over, 0 never
	accepted_at INTEGER NOT NULL, -- 0 not yet
	ended_at INTEGER NOT NULL -- delivered, failed, expired, superseded or not sent; 0 open
) STRICT;
CREATE UNIQUE INDEX message_once ON message (notice_id, channel, person_id) WHERE notice_id > 0;
CREATE INDEX message_person ON message (person_id, event_id);
CREATE INDEX message_open ON message (lane, not_before, id) WHERE state IN (1, 2, 3, 7);

CREATE TABLE message_text (
	message_id INTEGER PRIMARY KEY REFERENCES message (id), -- a single message's own text
	address TEXT NOT NULL, -- where contact_id is 0; else empty
	subject TEXT NOT NULL, -- of a mail; empty for SMS
	body TEXT NOT NULL -- plain text
) STRICT;

CREATE TABLE message_part (
	message_id INTEGER NOT NULL REFERENCES message (id), -- of more than one part
	part INTEGER NOT NULL, -- 1 first
	carrier_id TEXT NOT NULL, -- told in the answer
	state INTEGER NOT NULL, -- 4 accepted, 5 delivered, 6 failed
	PRIMARY KEY (message_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_counter (
	notice_id INTEGER NOT NULL, -- running counters, changed in the transaction that changes the state; 0 for single messages
	channel INTEGER NOT NULL, -- 1 e-mail, 2 SMS
	state INTEGER NOT NULL, -- enum message_state; 0 = planned; 100 = was in doubt (in no sum)
	people INTEGER NOT NULL, -- messages in it
	PRIMARY KEY (notice_id, channel, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt_unmatched (
	id INTEGER PRIMARY KEY, -- a receipt whose message is not known (yet): kept and shown
	route INTEGER NOT NULL, -- carrier
	carrier_id TEXT NOT NULL, -- as told
	raw TEXT NOT NULL, -- state text as told, at most 200 bytes
	received_at INTEGER NOT NULL, -- UTC microseconds
	matched_at INTEGER -- when its message was found after all
) STRICT;
CREATE INDEX receipt_unmatched_id ON receipt_unmatched (route, carrier_id);

CREATE TABLE incoming (
	id INTEGER PRIMARY KEY, -- a message from a person: the inbox
	public_id TEXT NOT NULL UNIQUE, -- outside id
	channel INTEGER NOT NULL, -- 1 e-mail, 2 SMS
	route INTEGER NOT NULL, -- carrier, 0 for mail
	dedupe TEXT UNIQUE, -- Message-ID of a mail, or a form key; NULL for SMS
	received_at INTEGER NOT NULL, -- UTC microseconds
	state INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4)), -- 1 stored, not yet read; 2 handled by rule; 3 waits for an officer; 4 closed by an officer
	why INTEGER NOT NULL, -- enum incoming_why: why it waits
	keyword INTEGER NOT NULL, -- enum keyword, 0 none
	person_id INTEGER, -- who it is from, when that is certain
	event_id INTEGER, -- the alert it answers, when that is certain
	owner_id INTEGER, -- officer who has it
	owned_at INTEGER, -- since when
	closed_at INTEGER, -- UTC microseconds
	outcome TEXT -- what the officer did, short
) STRICT;
CREATE INDEX incoming_waiting ON incoming (received_at) WHERE state IN (1, 3);
CREATE INDEX incoming_person ON incoming (person_id);

CREATE TABLE incoming_text (
	incoming_id INTEGER PRIMARY KEY REFERENCES incoming (id), -- personal data apart
	address TEXT NOT NULL, -- sender
	recipient TEXT NOT NULL, -- number or mailbox it was sent to
	subject TEXT NOT NULL, -- of a mail
	body TEXT NOT NULL -- as decoded, at most 20,000 characters; what a mail quoted is cut off
) STRICT;

CREATE TABLE incoming_part (
	address TEXT NOT NULL, -- sender
	recipient TEXT NOT NULL, -- our number
	reference INTEGER NOT NULL, -- of the concatenation
	total INTEGER NOT NULL, -- parts in all
	part INTEGER NOT NULL, -- this one, 1 first
	data_coding INTEGER NOT NULL, -- of the part
	bytes BLOB NOT NULL, -- without the header; joined before decoding
	received_at INTEGER NOT NULL, -- UTC microseconds
	PRIMARY KEY (address, recipient, reference, total, part)
) STRICT, WITHOUT ROWID;
