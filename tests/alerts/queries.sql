-- What the tests of alerts put into the store and look at; no part of the program.

-- name: put_alert_person :exec
INSERT INTO person (id, public_id, language, source, salt, created_at, changed_at) VALUES (:id, :public_id, :language, 2, 0, 1, 1);

-- name: put_alert_contact :exec
INSERT INTO contact (person_id, channel, address, rank, wanted, confirmed_at, confirmed_how, created_at)
VALUES (:person_id, :channel, :address, 1, 1, :confirmed_at, 2, 1);

-- name: confirm_alert_contact :exec
UPDATE contact SET confirmed_at = 1 WHERE person_id = :person_id AND channel = :channel;

-- name: renew_alert_contact :exec
UPDATE contact SET ended_at = NULL WHERE person_id = :person_id AND channel = 1;

-- name: put_alert_leg :exec
-- parameter: kind INTEGER
INSERT INTO leg (person_id, trip_id, position, kind, place_name, latitude, longitude, radius, country, zone, from_date, to_date, from_unsure,
	to_unsure, from_at, to_at, arrival_at)
VALUES (:person_id, 0, 1, :kind, 'somewhere', :latitude, :longitude, 0, :country, 'Africa/Tunis', 0, 0, 0, 0, :from_at, :to_at, :from_at);

-- name: end_alert_legs :exec
UPDATE leg SET ended_at = :ended_at WHERE person_id = :person_id;

-- name: get_alert_recipient :one
SELECT class, released, late, certain, leg_id FROM recipient WHERE alert_id = :alert_id AND person_id = :person_id;

-- name: get_alert_messages :many
SELECT id, notice_id, channel, text_group, state, reason, not_before FROM message WHERE person_id = :person_id AND notice_id > 0 ORDER BY id;

-- name: get_alert_singles :many
SELECT message.id, message.channel, message_text.address, message_text.subject, message_text.body
FROM message JOIN message_text ON message_text.message_id = message.id ORDER BY message.id;

-- name: get_alert_ledger :many
SELECT action FROM ledger ORDER BY id;

-- name: set_alert_rank :exec
UPDATE contact SET rank = :rank WHERE person_id = :person_id AND channel = :channel;

-- name: put_alert_emergency :exec
INSERT INTO emergency_contact (person_id, name, relation, email, phone, consent_at) VALUES (:person_id, 'Somebody Near', '', :email, :phone, 1);

-- name: put_alert_name :exec
INSERT INTO person_name (person_id, name) VALUES (:person_id, 'Amal Example');
