-- Who the people are. Names and addresses stand apart from `person`; everything else holds ids only.
CREATE TABLE batch (
	id INTEGER PRIMARY KEY, -- an import; becomes visible whole or not at all
	public_id TEXT NOT NULL UNIQUE, -- outside id
	kind TEXT NOT NULL, -- people, trips or watches
	file_name TEXT NOT NULL, -- as the operator named it, without the folder
	operator TEXT NOT NULL, -- who ran it
	contacts_confirmed INTEGER NOT NULL, -- 1: the operator states that the contacts are confirmed
	state INTEGER NOT NULL CHECK (state IN (1, 2, 3)), -- 1 staged, 2 visible, 3 taken back
	lines INTEGER NOT NULL, -- lines read
	created_at INTEGER NOT NULL, -- UTC microseconds
	visible_at INTEGER, -- when it became visible
	taken_back_at INTEGER -- when it was taken back
) STRICT;

CREATE TABLE person (
	id INTEGER PRIMARY KEY, -- inside id, never shown
	public_id TEXT NOT NULL UNIQUE, -- outside id, 32 hex digits
	external_id TEXT, -- id in the source an import came from; unique within its batch kind
	language TEXT NOT NULL, -- BCP 47 tag of the language they want
	source INTEGER NOT NULL CHECK (source IN (1, 2, 3)), -- 1 web, 2 import, 3 SMS
	batch_id INTEGER REFERENCES batch (id), -- the import it came with
	salt INTEGER NOT NULL, -- of capability links; a new one revokes all links
	form_key TEXT UNIQUE, -- of the enrolment form: a double submit finds the first
	created_at INTEGER NOT NULL, -- UTC microseconds
	changed_at INTEGER NOT NULL, -- of the record or anything of it
	ended_at INTEGER -- un-enrolled (rows of names and addresses are gone then)
) STRICT;
CREATE INDEX person_batch ON person (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX person_external ON person (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE person_name (
	person_id INTEGER PRIMARY KEY REFERENCES person (id), -- whose
	name TEXT NOT NULL -- as the person writes it, 1 to 200 characters
) STRICT;

CREATE TABLE contact (
	id INTEGER PRIMARY KEY, -- an address of a person on a channel
	person_id INTEGER NOT NULL REFERENCES person (id), -- whose
	channel INTEGER NOT NULL CHECK (channel IN (1, 2)), -- 1 e-mail, 2 SMS (enum channel_kind)
	address TEXT NOT NULL, -- mailbox (domain lowered) or E.164 with +
	rank INTEGER NOT NULL, -- the person's order, 1 first
	wanted INTEGER NOT NULL, -- 1: the person chose to be reached by it
	confirmed_at INTEGER, -- by code or by an operator's statement; without it no alert is sent to it
	confirmed_how INTEGER CHECK (confirmed_how IN (1, 2)), -- 1 one-time code, 2 stated at import
	opted_out_at INTEGER, -- STOP or one-click unsubscribe
	ended_at INTEGER, -- hard bounce or unknown subscriber: this channel only
	ended_reason TEXT, -- why
	created_at INTEGER NOT NULL, -- UTC microseconds
	UNIQUE (person_id, channel, address)
) STRICT;
CREATE INDEX contact_address ON contact (address, channel);

CREATE TABLE emergency_contact (
	id INTEGER PRIMARY KEY, -- someone to ask about the person
	person_id INTEGER NOT NULL UNIQUE REFERENCES person (id), -- whose
	name TEXT NOT NULL, -- of the contact
	relation TEXT NOT NULL, -- as written, may be empty
	email TEXT NOT NULL, -- may be empty
	phone TEXT NOT NULL, -- E.164, may be empty
	consent_at INTEGER NOT NULL -- when the person said that the contact agrees
) STRICT;

CREATE TABLE code (
	id INTEGER PRIMARY KEY, -- a one-time code on its way or used
	contact_id INTEGER REFERENCES contact (id), -- what it confirms; NULL for sign-in to one's record by address
	address_key INTEGER NOT NULL, -- keyed hash of the destination, for look-up without the address
	purpose INTEGER NOT NULL CHECK (purpose IN (1, 2)), -- 1 confirm a contact, 2 open one's record
	hash TEXT NOT NULL, -- of the code, bound to the address
	expires_at INTEGER NOT NULL, -- UTC microseconds, 10 minutes
	wrong INTEGER NOT NULL, -- wrong tries
	not_before INTEGER NOT NULL, -- next try is heard from then on (slows down, never locks out)
	used_at INTEGER, -- single use
	created_at INTEGER NOT NULL -- UTC microseconds
) STRICT;
CREATE INDEX code_address ON code (address_key, purpose);
CREATE INDEX code_contact ON code (contact_id);
