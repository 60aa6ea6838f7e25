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
	held_at INTEGER, -- grew old over a stop of the program: nothing leaves before an officer's word
	frozen_at INTEGER NOT NULL -- 'sent' means this
) STRICT;
CREATE INDEX notice_event ON notice (kind, event_id);

-- A block is up to 1,000 people of one notice, text and channel, frozen when the notice was sent. The messages of an
-- opened block have the ids from id * 1024 on.
CREATE TABLE block (
	id INTEGER PRIMARY KEY, -- leased as a whole
	notice_id INTEGER NOT NULL REFERENCES notice (id), -- what they are told
	channel INTEGER NOT NULL, -- 0 nobody can be reached (no channel), 1 e-mail, 2 SMS
	text_group INTEGER NOT NULL, -- which text: 1 new, 2 still inside, 3 released
	lane INTEGER NOT NULL, -- of the notice
	not_before INTEGER NOT NULL, -- UTC microseconds: 0 at once; arrival day or morning there
	people INTEGER NOT NULL, -- how many
	first_person INTEGER NOT NULL, -- lowest person id
	last_person INTEGER NOT NULL, -- highest person id
	state INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4, 5)), -- 1 frozen, 2 opened (message rows exist), 3 dropped (superseded before it was opened), 4 all answered, 5 closed or channel 0
	lease_owner INTEGER NOT NULL, -- dispatcher that has it, 0 nobody
	ids BLOB NOT NULL -- person ids, ascending, as LEB128 differences from the one before (the first from 0)
) STRICT;
CREATE INDEX block_waiting ON block (channel, lane, not_before, id) WHERE state = 1;
CREATE INDEX block_leased ON block (lease_owner, id) WHERE state IN (2, 4);
CREATE INDEX block_notice ON block (notice_id, first_person);

CREATE TABLE dispatcher (
	id INTEGER PRIMARY KEY, -- a process that delivers; the same after its restart (DATA/dispatcher.N)
	seen_at INTEGER NOT NULL, -- UTC microseconds of its last batch or heartbeat
	lease_until INTEGER NOT NULL -- UTC microseconds: then another may take what it has
) STRICT;

CREATE TABLE route (
	id INTEGER PRIMARY KEY, -- a road out: one carrier, one relay
	name TEXT NOT NULL UNIQUE, -- as in the settings
	channel INTEGER NOT NULL -- 1 e-mail, 2 SMS
) STRICT;

CREATE TABLE message (
	id INTEGER PRIMARY KEY, -- one message to one person on one channel; block * 1024 + place in it, single ones n * 1024 + 1023
	block_id INTEGER NOT NULL, -- the block it came from; 0 loose (single messages, late joiners)
	notice_id INTEGER NOT NULL, -- 0 for single messages (codes, answers): their text stands in message_text
	event_id INTEGER NOT NULL, -- of the notice, 0 for single messages
	person_id INTEGER NOT NULL, -- to whom; 0 when the address belongs to nobody (answer to an unknown sender)
	contact_id INTEGER NOT NULL, -- by which address; negative: chosen at the hand-over; 0 with message_text.address
	channel INTEGER NOT NULL, -- 1 e-mail, 2 SMS
	text_group INTEGER NOT NULL, -- of the notice: 1 new, 2 still inside, 3 released; 0 single
	lane INTEGER NOT NULL, -- lower is sooner
	state INTEGER NOT NULL, -- enum message_state
	reason INTEGER NOT NULL, -- enum message_reason, for failed and not sent
	was_in_doubt INTEGER NOT NULL, -- 1: was in doubt once; it may have arrived twice
	attempts INTEGER NOT NULL, -- hand-overs so far, throttled ones not counted
	parts INTEGER NOT NULL, -- SMS parts, 1 for mail; 0 until rendered
	parts_delivered INTEGER NOT NULL, -- parts receipted as delivered
	owner INTEGER NOT NULL, -- dispatcher of the last hand-over, 0 none
	route INTEGER NOT NULL, -- road it went by, 0 none
	status_code INTEGER NOT NULL, -- SMPP command_status or SMTP reply code of the last answer
	not_before INTEGER NOT NULL, -- UTC microseconds: next attempt
	expires_at INTEGER NOT NULL, -- UTC microseconds
	created_at INTEGER NOT NULL, -- UTC microseconds
	submitted_at INTEGER NOT NULL, -- of the last hand-over; negative: never
	accepted_at INTEGER NOT NULL, -- negative: not yet
	ended_at INTEGER NOT NULL, -- delivered, failed, expired, superseded or not sent; negative: open
	carrier_id TEXT NOT NULL, -- the carrier's id of a message of one part, padded with blanks to its final width
	carrier_status TEXT NOT NULL -- the carrier's own last word, where it was not plainly 'accepted' or 'delivered'
) STRICT;
CREATE UNIQUE INDEX message_once ON message (person_id, event_id, notice_id, channel) WHERE notice_id > 0;
CREATE INDEX message_single ON message (person_id) WHERE notice_id = 0;
CREATE INDEX message_loose ON message (channel, lane, not_before, id) WHERE block_id = 0 AND state IN (1, 3, 7);
CREATE INDEX message_loose_accepted ON message (accepted_at) WHERE block_id = 0 AND state = 4;

-- sqlite:
CREATE TABLE message_number (
	id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
	last INTEGER NOT NULL -- last number given to a loose message
) STRICT;
INSERT INTO message_number (id, last) VALUES (1, 0);
-- end
-- postgres:
CREATE SEQUENCE message_number;
-- end

CREATE TABLE message_text (
	message_id INTEGER PRIMARY KEY REFERENCES message (id), -- a single message's own text
	address TEXT NOT NULL, -- where contact_id is 0; else empty
	subject TEXT NOT NULL, -- of a mail; empty for SMS
	in_reply_to TEXT NOT NULL, -- id of the mail it answers, without <>; or empty
	body TEXT NOT NULL -- plain text
) STRICT;

CREATE TABLE message_part (
	message_id INTEGER NOT NULL REFERENCES message (id), -- of more than one part
	part INTEGER NOT NULL, -- 0 first
	state INTEGER NOT NULL, -- 4 accepted, 5 delivered, 6 failed
	carrier_id TEXT NOT NULL, -- told in the answer
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
	delivery INTEGER NOT NULL, -- enum channel_delivery
	raw TEXT NOT NULL, -- state text as told, at most 200 bytes
	received_at INTEGER NOT NULL, -- UTC microseconds
	matched_at INTEGER -- when its message was found after all
) STRICT;
CREATE INDEX receipt_unmatched_waiting ON receipt_unmatched (id) WHERE matched_at IS NULL;

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
	urgent INTEGER NOT NULL, -- 1: names help or denies safety; first in the inbox
	person_id INTEGER, -- who it is from, when that is certain
	event_id INTEGER, -- the alert it answers, when that is certain
	answer_id INTEGER, -- the automatic answer (message)
	owner_id INTEGER, -- officer who has it
	owned_at INTEGER, -- since when
	closed_at INTEGER, -- UTC microseconds
	outcome TEXT -- what became of it, short
) STRICT;
CREATE INDEX incoming_waiting ON incoming (state, urgent, received_at) WHERE state IN (1, 3);
CREATE INDEX incoming_person ON incoming (person_id) WHERE person_id IS NOT NULL;

CREATE TABLE incoming_text (
	incoming_id INTEGER PRIMARY KEY REFERENCES incoming (id), -- personal data apart
	address TEXT NOT NULL, -- sender
	recipient TEXT NOT NULL, -- number or mailbox it was sent to
	subject TEXT NOT NULL, -- of a mail
	message_id TEXT NOT NULL, -- of a mail, for the answer's References; else empty
	reply_to_message INTEGER NOT NULL, -- our message it answers, by reply address or References; 0 not told
	body TEXT NOT NULL -- as decoded, at most 20,000 characters; what a mail quoted is cut off
) STRICT;
CREATE INDEX incoming_text_address ON incoming_text (address, incoming_id);

CREATE TABLE incoming_part (
	address TEXT NOT NULL, -- sender
	recipient TEXT NOT NULL, -- our number
	reference INTEGER NOT NULL, -- of the concatenation; 65536 and more: one of 16 bits
	total INTEGER NOT NULL, -- parts in all
	part INTEGER NOT NULL, -- this one, 1 first
	route INTEGER NOT NULL, -- carrier
	charset INTEGER NOT NULL, -- enum sms_charset
	bytes BLOB NOT NULL, -- without the header; joined before decoding
	received_at INTEGER NOT NULL, -- UTC microseconds
	PRIMARY KEY (address, recipient, reference, total, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX incoming_part_age ON incoming_part (received_at);

CREATE TABLE inbox_action (
	id INTEGER PRIMARY KEY, -- what officers did with an incoming message: who changed what
	incoming_id INTEGER NOT NULL REFERENCES incoming (id), -- which
	officer_id INTEGER NOT NULL, -- by whom
	action INTEGER NOT NULL, -- enum inbox_action_kind
	was_state INTEGER NOT NULL, -- incoming.state before, for undo
	was_owner INTEGER, -- incoming.owner_id before
	message_id INTEGER NOT NULL, -- the answer sent with it, 0 none
	form_key TEXT UNIQUE, -- a double submit finds the first
	undone_by INTEGER, -- the action that took it back
	at INTEGER NOT NULL -- UTC microseconds
) STRICT;
CREATE INDEX inbox_action_incoming ON inbox_action (incoming_id);

CREATE TABLE inbox_note (
	action_id INTEGER PRIMARY KEY REFERENCES inbox_action (id), -- free text apart
	text TEXT NOT NULL -- at most 2,000 characters
) STRICT;
