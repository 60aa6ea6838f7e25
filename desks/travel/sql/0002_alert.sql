-- Alerts (CAP's names), their versions and texts, and the board.
CREATE TABLE alert (
	id INTEGER PRIMARY KEY, -- one event we speak about, through all its versions
	public_id TEXT NOT NULL UNIQUE, -- outside id
	number INTEGER NOT NULL UNIQUE, -- short number people can quote in an SMS, 1 first
	kind INTEGER NOT NULL, -- enum alert_kind: security weather health demonstration disaster message
	exercise INTEGER NOT NULL CHECK (exercise IN (0, 1)), -- from the first row on
	state INTEGER NOT NULL CHECK (state IN (1, 2, 3)), -- 1 draft (never sent), 2 in force, 3 ended (cancelled, all clear, expired, draft thrown away)
	version_id INTEGER, -- the newest version that was sent
	draft_id INTEGER, -- the version being written
	created_by INTEGER NOT NULL, -- officer; -1 an operator at the command line
	form_key TEXT UNIQUE, -- of the first form: sent twice it finds the first draft
	created_at INTEGER NOT NULL, -- UTC microseconds
	ended_at INTEGER -- UTC microseconds
) STRICT;
CREATE INDEX alert_state ON alert (state);

CREATE TABLE alert_version (
	id INTEGER PRIMARY KEY, -- never edited once sent
	alert_id INTEGER NOT NULL REFERENCES alert (id), -- of which alert
	number INTEGER NOT NULL, -- 1 first
	msg_type INTEGER NOT NULL, -- 1 Alert, 2 Update, 3 Cancel, 4 all-clear (CAP: Update with responseType AllClear)
	severity INTEGER NOT NULL, -- 1 Extreme 2 Severe 3 Moderate 4 Minor 5 Unknown
	urgency INTEGER NOT NULL, -- 1 Immediate 2 Expected 3 Future 4 Past 5 Unknown
	certainty INTEGER NOT NULL, -- 1 Observed 2 Likely 3 Possible 4 Unlikely 5 Unknown
	effective INTEGER NOT NULL, -- UTC microseconds; 0 at sending
	onset INTEGER NOT NULL, -- UTC microseconds; 0 = effective
	expires INTEGER NOT NULL, -- UTC microseconds
	area TEXT NOT NULL, -- {"countries":["TN"],"discs":[{"lat":,"lon":,"radius":}],"polygons":<GeoJSON MultiPolygon coordinates>}
	area_description TEXT NOT NULL, -- CAP areaDesc as an officer wrote it; empty: from the parts, in each language
	channels INTEGER NOT NULL, -- bit mask: 2 e-mail, 4 SMS
	include_possible INTEGER NOT NULL, -- 1: possible matches too
	sms_at_night INTEGER NOT NULL, -- 1: low-severity SMS does not wait for morning
	zone TEXT NOT NULL, -- IANA zone the officer's times are shown in
	language TEXT NOT NULL, -- BCP 47: what those get whose own language has no text
	state INTEGER NOT NULL CHECK (state IN (1, 2, 3)), -- 1 draft, 2 sent, 3 superseded
	notice_id INTEGER, -- when sent
	targeted INTEGER NOT NULL, -- people in it when sent
	form_key TEXT UNIQUE, -- of the send form: sending twice finds the first
	changed_by INTEGER NOT NULL, -- officer who wrote it last
	changed_at INTEGER NOT NULL, -- UTC microseconds
	sent_by INTEGER, -- officer
	sent_at INTEGER, -- UTC microseconds
	UNIQUE (alert_id, number)
) STRICT;

CREATE TABLE alert_text (
	version_id INTEGER NOT NULL REFERENCES alert_version (id), -- of which version
	text_group INTEGER NOT NULL, -- 1 who is newly told, 2 still inside, 3 released; without a row of 2 or 3 a standing text is used
	language TEXT NOT NULL, -- BCP 47
	headline TEXT NOT NULL, -- at most 160 characters
	description TEXT NOT NULL, -- what happens (Markdown)
	instruction TEXT NOT NULL, -- what to do (Markdown)
	sms TEXT NOT NULL, -- text of the SMS; empty: headline and instruction
	PRIMARY KEY (version_id, text_group, language)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_counter (
	alert_id INTEGER NOT NULL, -- people of an alert, changed in the transaction that changes a row
	class INTEGER NOT NULL, -- 0 targeted, 1 safe, 2 needs help, 3 no answer yet, 4 unreachable; +10 the released part of each; 20 late joiners; 21 companions safe; 22 companions need help
	people INTEGER NOT NULL, -- how many
	PRIMARY KEY (alert_id, class)
) STRICT, WITHOUT ROWID;

-- A targeted person without a row here has class 3 (no answer yet), is not released and stands in a block of one of the alert's notices.
CREATE TABLE recipient (
	alert_id INTEGER NOT NULL REFERENCES alert (id), -- which alert
	person_id INTEGER NOT NULL, -- who
	class INTEGER NOT NULL CHECK (class IN (1, 2, 3, 4)), -- 1 safe, 2 needs help, 3 no answer yet, 4 unreachable
	released INTEGER NOT NULL, -- 1: a later version no longer holds them, or their plans changed
	late INTEGER NOT NULL, -- 1: came in after it was sent
	certain INTEGER NOT NULL, -- 1 certain match, 0 possible
	leg_id INTEGER NOT NULL, -- why (a leg, or a watch as negative id)
	help_keyword_only INTEGER NOT NULL, -- 1: a bare HELP
	answered_at INTEGER, -- last answer
	case_state INTEGER NOT NULL, -- needs help: 1 open, 2 taken, 3 resolved; 0 none
	case_owner INTEGER, -- officer who took it
	case_taken_at INTEGER, -- UTC microseconds
	call_state INTEGER NOT NULL, -- call list: 0 waiting, 1 locked by a caller, 2 called without success, 3 reached, 4 the number is wrong
	call_owner INTEGER, -- officer on the phone
	call_until INTEGER, -- the lock ends then; of 2: not to be called before
	calls INTEGER NOT NULL, -- tries
	changed_at INTEGER NOT NULL, -- UTC microseconds
	class_unanswered INTEGER NOT NULL DEFAULT 3 CHECK (class_unanswered IN (3, 4)), -- class without the answers: what an undone answer falls back to
	others_safe INTEGER NOT NULL DEFAULT 0, -- companions without a name of whom the person said that they are safe
	others_help INTEGER NOT NULL DEFAULT 0, -- the same who need help
	PRIMARY KEY (alert_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recipient_call ON recipient (alert_id, call_state, calls, person_id) WHERE class IN (3, 4) AND released = 0;
CREATE INDEX recipient_lock ON recipient (alert_id, call_until) WHERE call_state = 1;
CREATE INDEX recipient_person ON recipient (person_id);
CREATE INDEX recipient_case ON recipient (alert_id, case_state, changed_at) WHERE case_state > 0;
CREATE INDEX recipient_class ON recipient (alert_id, class, changed_at);

CREATE TABLE response (
	id INTEGER PRIMARY KEY, -- an answer; the newest decides the class
	alert_id INTEGER NOT NULL REFERENCES alert (id), -- to which alert
	person_id INTEGER NOT NULL, -- of whom
	status INTEGER NOT NULL CHECK (status IN (1, 2, 3)), -- 1 safe, 2 needs help, 3 withdrawn by an officer's undo
	by INTEGER NOT NULL, -- 1 link, 2 SMS, 3 e-mail, 4 an officer for them
	officer_id INTEGER, -- for 4
	incoming_id INTEGER, -- the message it came with
	form_key TEXT UNIQUE, -- a double submit finds the first
	received_at INTEGER NOT NULL -- UTC microseconds
) STRICT;
CREATE INDEX response_recipient ON response (alert_id, person_id);

CREATE TABLE response_text (
	response_id INTEGER PRIMARY KEY REFERENCES response (id), -- personal data apart
	note TEXT NOT NULL, -- at most 1,000 characters
	place TEXT NOT NULL -- as written, at most 200 characters
) STRICT;

CREATE TABLE companion_response (
	alert_id INTEGER NOT NULL REFERENCES alert (id), -- to which alert
	companion_id INTEGER NOT NULL, -- of whom
	person_id INTEGER NOT NULL, -- who answered for them
	status INTEGER NOT NULL CHECK (status IN (1, 2, 3)), -- 1 safe, 2 needs help, 3 not with them (in no sum)
	received_at INTEGER NOT NULL, -- UTC microseconds
	PRIMARY KEY (alert_id, companion_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE board_action (
	id INTEGER PRIMARY KEY, -- what officers did with a person of an alert: who changed what
	alert_id INTEGER NOT NULL REFERENCES alert (id), -- which alert
	person_id INTEGER NOT NULL, -- about whom; 0 the whole alert
	officer_id INTEGER NOT NULL, -- by whom
	action INTEGER NOT NULL, -- enum board_action_kind
	was INTEGER NOT NULL, -- value before, for undo
	became INTEGER NOT NULL, -- value after
	response_id INTEGER, -- the answer that was written for the person with it
	form_key TEXT UNIQUE, -- a double submit finds the first
	undone_by INTEGER, -- the action that took it back
	at INTEGER NOT NULL -- UTC microseconds
) STRICT;
CREATE INDEX board_action_person ON board_action (alert_id, person_id);
CREATE INDEX board_action_time ON board_action (alert_id, at);

CREATE TABLE recipient_fill (
	notice_id INTEGER PRIMARY KEY, -- the people frozen in this notice get their rows in recipient
	done INTEGER NOT NULL, -- so many have theirs, in the order of its blocks
	filled_at INTEGER -- UTC microseconds: all have
) STRICT;

CREATE TABLE board_note (
	action_id INTEGER PRIMARY KEY REFERENCES board_action (id), -- free text apart
	text TEXT NOT NULL -- at most 2,000 characters
) STRICT;
