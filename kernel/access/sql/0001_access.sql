-- Officers, sessions and budgets.
CREATE TABLE officer (
	id INTEGER PRIMARY KEY, -- inside id
	public_id TEXT NOT NULL UNIQUE, -- outside id
	login TEXT NOT NULL UNIQUE, -- lower case
	name TEXT NOT NULL, -- shown to other officers
	permission INTEGER NOT NULL, -- enum permission
	language TEXT NOT NULL, -- BCP 47
	zone TEXT NOT NULL, -- IANA zone times are shown in
	password TEXT NOT NULL, -- argon2id string; empty until set up
	totp_secret TEXT NOT NULL, -- base32; empty until set up
	totp_counter INTEGER NOT NULL, -- last time step used: a code works once
	setup_salt INTEGER NOT NULL, -- of the set-up link; changes when used
	setup_until INTEGER NOT NULL, -- end of the set-up link
	created_at INTEGER NOT NULL, -- UTC microseconds
	disabled_at INTEGER -- may no longer sign in
) STRICT;

CREATE TABLE recovery_code (
	id INTEGER PRIMARY KEY, -- printed codes for the day the phone is lost
	officer_id INTEGER NOT NULL REFERENCES officer (id), -- whose
	hash TEXT NOT NULL, -- keyed hash of the code, bound to the officer
	used_at INTEGER -- each works once
) STRICT;
CREATE INDEX recovery_code_officer ON recovery_code (officer_id);

CREATE TABLE session (
	id INTEGER PRIMARY KEY, -- inside id
	token_hash TEXT NOT NULL UNIQUE, -- SHA-256 of the cookie's 256-bit token
	officer_id INTEGER NOT NULL REFERENCES officer (id), -- whose
	created_at INTEGER NOT NULL, -- absolute limit counts from here
	seen_at INTEGER NOT NULL, -- idle limit counts from here; written at most once a minute
	stepped_up_at INTEGER NOT NULL, -- both factors last given
	ended_at INTEGER -- signed out or ended
) STRICT;
CREATE INDEX session_officer ON session (officer_id);

CREATE TABLE budget (
	class INTEGER NOT NULL, -- enum budget_class
	key INTEGER NOT NULL, -- keyed hash of the destination or source; 0 for all
	tokens INTEGER NOT NULL, -- thousandths left at `filled_at`
	filled_at INTEGER NOT NULL, -- UTC microseconds
	PRIMARY KEY (class, key)
) STRICT, WITHOUT ROWID;
