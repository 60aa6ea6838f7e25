-- Web push: a browser is an address of a third kind; what it takes to encrypt for it stands apart.

-- sqlite:
CREATE TABLE contact_new (
	id INTEGER PRIMARY KEY,
	person_id INTEGER NOT NULL REFERENCES person (id),
	channel INTEGER NOT NULL CHECK (channel IN (1, 2, 3)), -- 1 e-mail, 2 SMS, 3 web push (enum channel_kind)
	address TEXT NOT NULL, -- mailbox, E.164 with +, or the push service's endpoint
	rank INTEGER NOT NULL,
	wanted INTEGER NOT NULL,
	confirmed_at INTEGER,
	confirmed_how INTEGER CHECK (confirmed_how IN (1, 2, 3)), -- 3 by the browser itself
	opted_out_at INTEGER,
	ended_at INTEGER,
	ended_reason TEXT,
	created_at INTEGER NOT NULL,
	UNIQUE (person_id, channel, address)
) STRICT;
INSERT INTO contact_new (id, person_id, channel, address, rank, wanted, confirmed_at, confirmed_how, opted_out_at, ended_at, ended_reason, created_at)
SELECT id, person_id, channel, address, rank, wanted, confirmed_at, confirmed_how, opted_out_at, ended_at, ended_reason, created_at FROM contact;
DROP TABLE contact;
ALTER TABLE contact_new RENAME TO contact;
CREATE INDEX contact_address ON contact (address, channel);
-- end
-- postgres:
ALTER TABLE contact DROP CONSTRAINT contact_channel_check;
ALTER TABLE contact ADD CONSTRAINT contact_channel_check CHECK (channel IN (1, 2, 3));
ALTER TABLE contact DROP CONSTRAINT contact_confirmed_how_check;
ALTER TABLE contact ADD CONSTRAINT contact_confirmed_how_check CHECK (confirmed_how IN (1, 2, 3));
-- end

CREATE TABLE push_subscription (
	contact_id INTEGER PRIMARY KEY REFERENCES contact (id), -- whose address is the endpoint
	point TEXT NOT NULL, -- the browser's public key (p256dh), base64url
	secret TEXT NOT NULL, -- its authentication secret (auth), base64url
	changed_at INTEGER NOT NULL -- UTC microseconds, when the browser gave them
) STRICT;
