-- What the board's tests put into the store and look at.

-- name: put_person :exec
INSERT INTO person (id, public_id, language, source, salt, created_at, changed_at) VALUES (:id, :public_id, :language, 1, :salt, 1, 1);

-- name: put_name :exec
INSERT INTO person_name (person_id, name) VALUES (:person_id, :name);

-- name: put_officer :exec
INSERT INTO officer (id, public_id, login, name, permission, language, zone, password, totp_secret, totp_counter, setup_salt, setup_until,
	created_at)
VALUES (:id, :public_id, :public_id, :name, 2, 'en', 'UTC', '', '', 0, 0, 0, 1);

-- name: put_contact :exec
INSERT INTO contact (person_id, channel, address, rank, wanted, confirmed_at, confirmed_how, created_at)
VALUES (:person_id, :channel, :address, :rank, 1, 1, 1, 1);

-- name: put_trip :exec
INSERT INTO trip (id, public_id, person_id, companions, note, created_at, changed_at)
VALUES (:id, :public_id, :person_id, :companions, '', 1, 1);

-- name: put_companion :exec
INSERT INTO companion (id, trip_id, name) VALUES (:id, :trip_id, :name);

-- name: put_leg :exec
INSERT INTO leg (id, person_id, trip_id, position, kind, place_name, latitude, longitude, radius, country, zone, from_date, to_date,
	from_unsure, to_unsure, from_at, to_at, arrival_at)
VALUES (:id, :person_id, :trip_id, 1, 1, :place_name, 36.8, 10.2, 0, :country, 'Africa/Tunis', 0, 1, 0, 0, :from_at, :to_at, :from_at);

-- name: put_alert :exec
INSERT INTO alert (id, public_id, number, kind, exercise, state, version_id, created_by, created_at, ended_at)
VALUES (:id, :public_id, :number, 1, :exercise, :state, :version_id, 1, 1, :ended_at);

-- name: put_version :exec
INSERT INTO alert_version (id, alert_id, number, msg_type, severity, urgency, certainty, effective, onset, expires, area, area_description,
	channels, include_possible, sms_at_night, zone, language, state, notice_id, targeted, changed_by, changed_at, sent_by, sent_at)
VALUES (:id, :alert_id, 1, 1, 2, 1, 1, 0, 0, :expires, '', 'Tunis', 6, 1, 0, 'Africa/Tunis', 'en', 2, :notice_id, 0, 1, 1, 1, :sent_at);

-- name: put_alert_text :exec
INSERT INTO alert_text (version_id, text_group, language, headline, description, instruction, sms)
VALUES (:version_id, 1, :language, :headline, '', '', '');

-- name: put_counter :exec
INSERT INTO alert_counter (alert_id, class, people) VALUES (:alert_id, :class, :people);

-- name: set_alert_state :exec
UPDATE alert SET state = :state, ended_at = :ended_at WHERE id = :id;

-- name: get_responses :one
-- column: answers INTEGER
SELECT count(*) AS answers FROM response WHERE alert_id = :alert_id AND person_id = :person_id;

-- The rows counted anew.
-- name: get_classes :many
-- column: people INTEGER
-- column: released INTEGER
-- column: others_safe INTEGER
-- column: others_help INTEGER
SELECT class, count(*) AS people, CAST(sum(released) AS INTEGER) AS released, CAST(sum(others_safe) AS INTEGER) AS others_safe,
	CAST(sum(others_help) AS INTEGER) AS others_help
FROM recipient WHERE alert_id = :alert_id GROUP BY class ORDER BY class;

-- name: get_companions :many
-- column: people INTEGER
SELECT status, count(*) AS people FROM companion_response WHERE alert_id = :alert_id GROUP BY status ORDER BY status;

-- name: get_ledger :one
-- column: entries INTEGER
SELECT count(*) AS entries FROM ledger WHERE action = :action;

-- name: get_newest_action :one
SELECT id FROM board_action WHERE alert_id = :alert_id AND person_id = :person_id ORDER BY id DESC LIMIT 1;

-- name: get_notices :one
-- column: notices INTEGER
-- column: superseded INTEGER
SELECT count(*) AS notices, count(superseded_at) AS superseded FROM notice WHERE event_id = :event_id;

-- name: get_rows :one
-- column: people INTEGER
SELECT count(*) AS people FROM recipient WHERE alert_id = :alert_id;

-- name: wreck_counter :exec
INSERT INTO alert_counter (alert_id, class, people) VALUES (:alert_id, :class, 1)
ON CONFLICT (alert_id, class) DO UPDATE SET people = alert_counter.people + 1;

-- name: set_class :exec
UPDATE recipient SET class = :class WHERE alert_id = :alert_id AND person_id = :person_id;

-- name: put_message :exec
INSERT INTO message (id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, reason, was_in_doubt, attempts,
	parts, parts_delivered, owner, route, status_code, not_before, expires_at, created_at, submitted_at, accepted_at, ended_at, carrier_id,
	carrier_status)
VALUES (:id, 1, :notice_id, :event_id, :person_id, 0, :channel, 1, 3, :state, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, '', '');
