-- ================================================================================================================
-- The traveller's part: trips, legs, watches, the person's own data. (Alerts and the board: below their own lines.)
-- ================================================================================================================

-- --- trips --------------------------------------------------------------------------------------------------------

-- name: trip_insert :one
INSERT INTO trip (public_id, external_id, person_id, companions, note, form_key, created_at, changed_at, batch_id)
VALUES (:public_id, :external_id, :person_id, :companions, :note, :form_key, :created_at, :created_at, :batch_id)
RETURNING id;

-- What a person changes is theirs, whatever import it came with.
-- name: trip_put :exec
-- parameter: trip_id INTEGER
UPDATE trip SET companions = :companions, note = :note, changed_at = :changed_at, batch_id = NULL WHERE id = :trip_id;

-- name: trip_put_ended :exec
-- parameter: trip_id INTEGER
UPDATE trip SET ended_at = :ended_at, changed_at = :ended_at WHERE id = :trip_id AND ended_at IS NULL;

-- name: trip_id_find_form_key :one
SELECT id, public_id, person_id FROM trip WHERE form_key = :form_key;

-- name: trip_list_of :many
-- row: trip_row
SELECT t.id, t.public_id, t.external_id, t.person_id, t.companions, t.note, t.created_at, t.changed_at, t.ended_at
FROM trip t LEFT JOIN batch b ON b.id = t.batch_id
WHERE t.person_id = :person_id AND (t.batch_id IS NULL OR b.state = 2) ORDER BY t.id;

-- name: trip_row_find :one
-- row: trip_row
SELECT t.id, t.public_id, t.external_id, t.person_id, t.companions, t.note, t.created_at, t.changed_at, t.ended_at
FROM trip t LEFT JOIN batch b ON b.id = t.batch_id
WHERE t.person_id = :person_id AND (t.batch_id IS NULL OR b.state = 2) AND t.public_id = :public_id;

-- name: companion_insert :exec
INSERT INTO companion (trip_id, name) VALUES (:trip_id, :name);

-- name: companion_list_of :many
SELECT id, trip_id, name FROM companion WHERE trip_id = :trip_id ORDER BY id;

-- name: companion_remove :exec
-- parameter: companion_id INTEGER
DELETE FROM companion WHERE id = :companion_id;

-- name: trip_leg_insert :one
-- parameter: kind INTEGER
INSERT INTO leg (person_id, trip_id, position, kind, place_id, place_name, latitude, longitude, radius, country, zone,
	from_date, to_date, from_unsure, to_unsure, from_at, to_at, arrival_at, batch_id)
VALUES (:person_id, :trip_id, :position, :kind, :place_id, :place_name, :latitude, :longitude, :radius, :country, :zone,
	:from_date, :to_date, :from_unsure, :to_unsure, :from_at, :to_at, :arrival_at, :batch_id)
RETURNING id;

-- The stays of a trip that are part of it now.
-- name: trip_leg_list :many
SELECT id, position, kind, place_id, place_name, latitude, longitude, radius, country, zone, from_date, to_date, from_unsure, to_unsure,
	from_at, to_at, arrival_at
FROM leg WHERE trip_id = :trip_id AND ended_at IS NULL ORDER BY position, id;

-- name: trip_leg_put_position :exec
-- parameter: leg_id INTEGER
UPDATE leg SET position = :position, batch_id = NULL WHERE id = :leg_id;

-- name: trip_leg_put_ended :exec
-- parameter: leg_id INTEGER
UPDATE leg SET ended_at = :ended_at WHERE id = :leg_id AND ended_at IS NULL;

-- name: trip_leg_put_ended_all :exec
UPDATE leg SET ended_at = :ended_at WHERE trip_id = :trip_id AND ended_at IS NULL;

-- name: trip_newest :one
-- column: newest INTEGER
SELECT coalesce(max(id), 0) AS newest FROM trip;

-- Of the trips after :after up to :last, those without a stay that is later than :before.
-- name: trip_end_over :exec
-- parameter: now INTEGER
-- parameter: after INTEGER
-- parameter: last INTEGER
-- parameter: before INTEGER
UPDATE trip SET ended_at = :now, changed_at = :now
WHERE id > :after AND id <= :last AND ended_at IS NULL AND created_at < :before
	AND NOT EXISTS (SELECT 1 FROM leg WHERE leg.trip_id = trip.id AND leg.ended_at IS NULL AND leg.to_at > :before);

-- --- enrolments nobody confirmed ------------------------------------------------------------------------------------

-- name: person_newest :one
-- column: newest INTEGER
SELECT coalesce(max(id), 0) AS newest FROM person;

-- Who enrolled by web, has nothing but the addresses of then, and confirmed none of them. An address that came later is the act of someone
-- who was in.
-- name: unconfirmed_list :many
-- parameter: after INTEGER
-- parameter: last INTEGER
-- parameter: before INTEGER
-- parameter: most INTEGER
SELECT p.id FROM person p
WHERE p.id > :after AND p.id <= :last AND p.source = 1 AND p.ended_at IS NULL AND p.changed_at < :before
	AND EXISTS (SELECT 1 FROM contact c WHERE c.person_id = p.id)
	AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.person_id = p.id AND (c.confirmed_at IS NOT NULL OR c.created_at <> p.created_at))
	AND NOT EXISTS (SELECT 1 FROM recipient r JOIN alert a ON a.id = r.alert_id
		WHERE r.person_id = p.id AND (a.state = 2 OR r.case_state IN (1, 2)))
ORDER BY p.id LIMIT :most;

-- --- watches ------------------------------------------------------------------------------------------------------

-- name: watch_insert :one
-- parameter: kind INTEGER
INSERT INTO watch (public_id, external_id, person_id, kind, country, name, area, zone, created_at, batch_id)
VALUES (:public_id, :external_id, :person_id, :kind, :country, :name, :area, :zone, :created_at, :batch_id)
RETURNING id;

-- name: watch_list_of :many
-- row: watch_row
SELECT w.id, w.public_id, w.external_id, w.person_id, w.kind, w.country, w.name, w.area, w.zone, w.created_at, w.ended_at
FROM watch w LEFT JOIN batch b ON b.id = w.batch_id
WHERE w.person_id = :person_id AND w.ended_at IS NULL AND (w.batch_id IS NULL OR b.state = 2) ORDER BY w.id;

-- name: watch_row_find :one
-- row: watch_row
SELECT w.id, w.public_id, w.external_id, w.person_id, w.kind, w.country, w.name, w.area, w.zone, w.created_at, w.ended_at
FROM watch w LEFT JOIN batch b ON b.id = w.batch_id
WHERE w.person_id = :person_id AND w.ended_at IS NULL AND (w.batch_id IS NULL OR b.state = 2) AND w.public_id = :public_id;

-- name: watch_put :exec
-- parameter: kind INTEGER
-- parameter: watch_id INTEGER
UPDATE watch SET kind = :kind, country = :country, name = :name, area = :area, zone = :zone, batch_id = NULL WHERE id = :watch_id;

-- name: watch_put_ended :exec
-- parameter: watch_id INTEGER
UPDATE watch SET ended_at = :ended_at WHERE id = :watch_id AND ended_at IS NULL;

-- --- imports ------------------------------------------------------------------------------------------------------

-- A trip of the same import that has this id already. The plus keeps SQLite from going through the whole batch.
-- name: import_trip_find :one
-- parameter: batch_id INTEGER
-- column: legs INTEGER
SELECT t.id, (SELECT count(*) FROM leg l WHERE l.trip_id = t.id) AS legs
FROM trip t WHERE t.person_id = :person_id AND t.external_id = :external_id AND +t.batch_id = :batch_id;

-- name: import_leg_remove :exec
-- parameter: batch_id INTEGER
-- parameter: most INTEGER
DELETE FROM leg WHERE id IN (SELECT id FROM leg WHERE batch_id = :batch_id ORDER BY id LIMIT :most);

-- name: import_trip_remove :exec
-- parameter: batch_id INTEGER
-- parameter: most INTEGER
DELETE FROM trip WHERE id IN (SELECT id FROM trip WHERE batch_id = :batch_id ORDER BY id LIMIT :most);

-- name: import_watch_remove :exec
-- parameter: batch_id INTEGER
-- parameter: most INTEGER
DELETE FROM watch WHERE id IN (SELECT id FROM watch WHERE batch_id = :batch_id ORDER BY id LIMIT :most);

-- Some of those to whom a batch brought something.
-- name: import_owner_list :many
-- parameter: most INTEGER
-- column: person_id INTEGER
SELECT person_id FROM leg WHERE batch_id = :batch_id
UNION SELECT person_id FROM trip WHERE batch_id = :batch_id
UNION SELECT person_id FROM watch WHERE batch_id = :batch_id
ORDER BY 1 LIMIT :most;

-- name: import_owner_remove_leg :exec
-- parameter: batch_id INTEGER
DELETE FROM leg WHERE +batch_id = :batch_id AND person_id = :person_id;

-- name: import_owner_remove_companion :exec
-- parameter: batch_id INTEGER
-- parameter: person_id INTEGER
DELETE FROM companion WHERE trip_id IN (SELECT id FROM trip WHERE +batch_id = :batch_id AND person_id = :person_id);

-- name: import_owner_remove_trip :exec
-- parameter: batch_id INTEGER
DELETE FROM trip WHERE +batch_id = :batch_id AND person_id = :person_id;

-- name: import_owner_remove_watch :exec
-- parameter: batch_id INTEGER
DELETE FROM watch WHERE +batch_id = :batch_id AND person_id = :person_id;

-- --- the person's own data ------------------------------------------------------------------------------------------

-- Alerts that a person was part of, newest first, with what they are to it (no row of recipient: no answer yet).
-- name: my_alert_list :many
-- parameter: person INTEGER
-- parameter: most INTEGER
SELECT a.id, a.public_id, a.number, a.exercise, a.state, a.version_id, r.class, r.released, r.answered_at
FROM alert a
LEFT JOIN recipient r ON r.alert_id = a.id AND r.person_id = :person
WHERE a.version_id IS NOT NULL AND a.id IN (SELECT m.event_id FROM message m WHERE m.person_id = :person AND m.notice_id > 0
	UNION SELECT q.alert_id FROM recipient q WHERE q.person_id = :person)
ORDER BY a.id DESC LIMIT :most;

-- name: export_message_each :each
-- parameter: person INTEGER
SELECT m.channel, m.state, m.notice_id, m.event_id, m.created_at, m.accepted_at, m.ended_at, a.number, t.subject, t.body
FROM message m
LEFT JOIN alert a ON a.id = m.event_id AND m.notice_id > 0
LEFT JOIN message_text t ON t.message_id = m.id
WHERE m.person_id = :person ORDER BY m.created_at, m.id;

-- What their emergency contact was asked.
-- name: export_contact_told_each :each
-- parameter: person INTEGER
SELECT a.number, c.told_at, m.channel, t.body FROM contact_told c JOIN alert a ON a.id = c.alert_id JOIN message m ON m.id = c.message_id
LEFT JOIN message_text t ON t.message_id = c.message_id WHERE c.person_id = :person ORDER BY c.told_at, c.alert_id;

-- name: export_incoming_each :each
-- parameter: person INTEGER
SELECT i.channel, i.received_at, t.subject, t.body
FROM incoming i JOIN incoming_text t ON t.incoming_id = i.id
WHERE i.person_id = :person ORDER BY i.received_at, i.id;

-- name: export_response_each :each
-- parameter: person INTEGER
SELECT a.number, r.status, r.by, r.received_at, t.note, t.place
FROM response r JOIN alert a ON a.id = r.alert_id
LEFT JOIN response_text t ON t.response_id = r.id
WHERE r.person_id = :person ORDER BY r.id;

-- What a person wrote or was written alone to them, and what officers wrote about them. Rows with ids and counts stay.
-- What came from an address that was theirs alone is theirs, even where a rule could not tell.
-- name: erase_message_text :exec
-- parameter: person INTEGER
DELETE FROM message_text WHERE message_id IN (SELECT id FROM message WHERE person_id = :person AND notice_id = 0)
	OR message_id IN (SELECT message_id FROM contact_told WHERE person_id = :person)
	OR message_id IN (SELECT answer_id FROM incoming WHERE person_id = :person AND answer_id IS NOT NULL)
	OR message_id IN (
		SELECT i.answer_id FROM contact c JOIN incoming_text t ON t.address = c.address JOIN incoming i ON i.id = t.incoming_id
		WHERE c.person_id = :person AND c.confirmed_at IS NOT NULL AND i.answer_id IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM contact o WHERE o.address = c.address AND o.channel = c.channel AND o.person_id <> c.person_id))
	OR message_id IN (
		SELECT a.message_id FROM inbox_action a JOIN incoming i ON i.id = a.incoming_id WHERE i.person_id = :person AND a.message_id > 0);

-- name: erase_incoming_text :exec
-- parameter: person INTEGER
UPDATE incoming_text SET address = '', subject = '', message_id = '', body = ''
WHERE incoming_id IN (SELECT id FROM incoming WHERE person_id = :person)
	OR address IN (SELECT c.address FROM contact c WHERE c.person_id = :person AND c.confirmed_at IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM contact o WHERE o.address = c.address AND o.channel = c.channel AND o.person_id <> c.person_id));

-- name: erase_inbox_note :exec
-- parameter: person INTEGER
UPDATE inbox_note SET text = '' WHERE action_id IN (
	SELECT a.id FROM inbox_action a JOIN incoming i ON i.id = a.incoming_id WHERE i.person_id = :person);

-- name: erase_response_text :exec
-- parameter: person INTEGER
DELETE FROM response_text WHERE response_id IN (SELECT id FROM response WHERE person_id = :person);

-- name: erase_board_note :exec
-- parameter: person INTEGER
DELETE FROM board_note WHERE action_id IN (SELECT id FROM board_action WHERE person_id = :person);

-- name: erase_companion :exec
-- parameter: person INTEGER
DELETE FROM companion WHERE trip_id IN (SELECT id FROM trip WHERE person_id = :person);

-- name: erase_leg :exec
-- parameter: person INTEGER
DELETE FROM leg WHERE person_id = :person;

-- name: erase_watch :exec
-- parameter: person INTEGER
DELETE FROM watch WHERE person_id = :person;

-- name: erase_trip :exec
-- parameter: person INTEGER
DELETE FROM trip WHERE person_id = :person;

-- === alerts (alert*.c) ==============================================================================================

-- name: alert_row_find :one
-- row: alert_row
SELECT id, public_id, number, kind, exercise, state, version_id, draft_id, created_by, created_at, ended_at FROM alert WHERE id = :id;

-- name: alert_row_find_public :one
-- row: alert_row
SELECT id, public_id, number, kind, exercise, state, version_id, draft_id, created_by, created_at, ended_at FROM alert WHERE public_id = :public_id;

-- name: alert_row_find_form :one
-- row: alert_row
SELECT id, public_id, number, kind, exercise, state, version_id, draft_id, created_by, created_at, ended_at FROM alert WHERE form_key = :form_key;

-- name: alert_row_find_number :one
-- row: alert_row
SELECT id, public_id, number, kind, exercise, state, version_id, draft_id, created_by, created_at, ended_at FROM alert WHERE number = :number;

-- name: alert_list_in_force :many
-- row: alert_row
SELECT id, public_id, number, kind, exercise, state, version_id, draft_id, created_by, created_at, ended_at FROM alert WHERE state = 2 ORDER BY id;

-- When anything of the public alerts changed last; 0: never.
-- name: feed_changed :one
-- column: sent_at INTEGER
-- column: ended_at INTEGER
SELECT coalesce(max(v.sent_at), 0) AS sent_at, coalesce(max(a.ended_at), 0) AS ended_at
FROM alert a JOIN alert_version v ON v.id = a.version_id WHERE a.exercise = 0;

-- name: alert_id_list :many
SELECT id FROM alert ORDER BY id;

-- name: alert_number_last :one
-- column: number INTEGER
SELECT coalesce(max(number), 0) AS number FROM alert;

-- name: alert_insert :one
INSERT INTO alert (public_id, number, kind, exercise, state, created_by, form_key, created_at)
VALUES (:public_id, :number, :kind, :exercise, 1, :created_by, :form_key, :created_at) RETURNING id;

-- The kind may change until the alert was sent.
-- name: alert_set_kind :exec
UPDATE alert SET kind = :kind WHERE id = :id AND version_id IS NULL;

-- name: alert_set_draft :exec
UPDATE alert SET draft_id = :draft_id WHERE id = :id;

-- name: alert_set_sent :exec
UPDATE alert SET state = :state, version_id = :version_id, draft_id = NULL, ended_at = :ended_at WHERE id = :id;

-- Ends: thrown away as a draft, or run out.
-- name: alert_set_ended :exec
-- parameter: was INTEGER
UPDATE alert SET state = 3, ended_at = :ended_at, draft_id = NULL WHERE id = :id AND state = :was;

-- In force, and the newest version has run out.
-- name: alert_list_expired :many
-- parameter: now INTEGER
SELECT alert.id, alert.public_id FROM alert JOIN alert_version ON alert_version.id = alert.version_id
WHERE alert.state = 2 AND alert_version.expires <= :now ORDER BY alert.id LIMIT 100;

-- Alerts for the officers' list, newest first, with the version that is shown: the newest sent one, or the draft.
-- name: alert_list_state :many
-- row: alert_list_row
-- parameter: most INTEGER
SELECT alert.id, alert.public_id, alert.number, alert.kind, alert.exercise, alert.state, alert.version_id, alert.draft_id, alert.created_at,
	alert.ended_at, alert_version.id AS shown_id, alert_version.msg_type, alert_version.severity, alert_version.expires,
	alert_version.area_description, alert_version.sent_at, alert_version.changed_at
FROM alert JOIN alert_version ON alert_version.id = coalesce(alert.version_id, alert.draft_id)
WHERE alert.state = :state ORDER BY alert.id DESC LIMIT :most;

-- name: version_row_find :one
-- row: version_row
SELECT id, alert_id, number, msg_type, severity, urgency, certainty, effective, onset, expires, area, area_description, channels, include_possible,
	sms_at_night, zone, language, ladder_name, ladder, state, notice_id, targeted, form_key, changed_by, changed_at, sent_by, sent_at
FROM alert_version WHERE id = :id;

-- name: version_list_of :many
-- row: version_row
SELECT id, alert_id, number, msg_type, severity, urgency, certainty, effective, onset, expires, area, area_description, channels, include_possible,
	sms_at_night, zone, language, ladder_name, ladder, state, notice_id, targeted, form_key, changed_by, changed_at, sent_by, sent_at
FROM alert_version WHERE alert_id = :alert_id ORDER BY number DESC;

-- name: version_insert :one
INSERT INTO alert_version (alert_id, number, msg_type, severity, urgency, certainty, effective, onset, expires, area, area_description, channels,
	include_possible, sms_at_night, zone, language, ladder_name, ladder, state, targeted, changed_by, changed_at)
VALUES (:alert_id, :number, :msg_type, :severity, :urgency, :certainty, :effective, :onset, :expires, :area, :area_description, :channels,
	:include_possible, :sms_at_night, :zone, :language, :ladder_name, :ladder, 1, 0, :changed_by, :changed_at) RETURNING id;

-- Only a draft that is still as it was read.
-- name: version_change :exec
-- parameter: seen INTEGER
UPDATE alert_version SET severity = :severity, urgency = :urgency, certainty = :certainty, effective = :effective, onset = :onset, expires = :expires,
	area = :area, area_description = :area_description, channels = :channels, include_possible = :include_possible, sms_at_night = :sms_at_night,
	zone = :zone, language = :language, ladder_name = :ladder_name, ladder = :ladder, changed_by = :changed_by, changed_at = :changed_at
WHERE id = :id AND state = 1 AND changed_at = :seen;

-- A first version that was thrown away.
-- name: version_supersede_draft :exec
UPDATE alert_version SET state = 3 WHERE id = :id AND state = 1;

-- name: version_remove :exec
DELETE FROM alert_version WHERE id = :id AND state = 1;

-- name: version_set_sent :exec
UPDATE alert_version SET state = 2, form_key = :form_key, effective = :effective, sent_by = :sent_by, sent_at = :sent_at WHERE id = :id AND state = 1;

-- name: version_set_notice :exec
UPDATE alert_version SET notice_id = :notice_id, targeted = :targeted WHERE id = :id;

-- name: version_supersede :exec
UPDATE alert_version SET state = 3 WHERE alert_id = :alert_id AND state = 2 AND number < :number;

-- name: alert_text_list :many
-- row: alert_text_row
SELECT text_group, language, headline, description, instruction, sms FROM alert_text WHERE version_id = :version_id ORDER BY text_group, language;

-- name: alert_text_put :exec
INSERT INTO alert_text (version_id, text_group, language, headline, description, instruction, sms)
VALUES (:version_id, :text_group, :language, :headline, :description, :instruction, :sms);

-- name: alert_text_clear :exec
DELETE FROM alert_text WHERE version_id = :version_id;

-- name: alert_counter_put :exec
INSERT INTO alert_counter (alert_id, class, people) VALUES (:alert_id, :class, :people)
ON CONFLICT (alert_id, class) DO UPDATE SET people = alert_counter.people + excluded.people;

-- name: alert_counter_list :many
SELECT class, people FROM alert_counter WHERE alert_id = :alert_id ORDER BY class;

-- name: alert_counter_each :each
SELECT alert_id, class, people FROM alert_counter ORDER BY alert_id, class;

-- Everyone with a row of their own: answered, unreachable, released or late.
-- name: recipient_standing :each
SELECT person_id, class, released, late FROM recipient WHERE alert_id = :alert_id ORDER BY person_id;

-- name: recipient_standing_find :one
SELECT class, released, late FROM recipient WHERE alert_id = :alert_id AND person_id = :person_id;

-- name: recipient_put :batch
INSERT INTO recipient (alert_id, person_id, class, class_unanswered, released, late, certain, leg_id, help_keyword_only, case_state, call_state, calls,
	changed_at)
VALUES (:alert_id, :person_id, :class, CASE WHEN :class = 4 THEN 4 ELSE 3 END, :released, :late, :certain, :leg_id, 0, 0, 0, 0, :changed_at)
ON CONFLICT (alert_id, person_id) DO UPDATE SET class = excluded.class, released = excluded.released, changed_at = excluded.changed_at,
	class_unanswered = CASE WHEN excluded.class IN (3, 4) THEN excluded.class ELSE recipient.class_unanswered END;

-- Who was handed a message of the alert that did not fail: of the frozen blocks, by the ids that an opened block gives its messages.
-- name: alert_told_frozen :each
-- row: alert_told_row
SELECT message.person_id, message.channel, message.text_group
FROM notice JOIN block ON block.notice_id = notice.id
JOIN message ON message.id >= block.id * 1024 AND message.id < block.id * 1024 + 1023
WHERE notice.kind = 1 AND notice.event_id = :event_id AND block.state IN (2, 4, 5) AND block.channel > 0 AND message.state IN (3, 4, 5, 7);

-- The same of messages that are in no block: of those who came in late, and of those whose next way was brought forward.
-- name: alert_told_late :each
-- row: alert_told_row
-- parameter: event_id INTEGER
SELECT message.person_id, message.channel, message.text_group
FROM (SELECT recipient.person_id FROM recipient WHERE recipient.alert_id = :event_id AND recipient.late = 1
	UNION SELECT ladder_raise.person_id FROM ladder_raise WHERE ladder_raise.alert_id = :event_id) AS one
JOIN message ON message.person_id = one.person_id AND message.event_id = :event_id
WHERE message.notice_id > 0 AND message.state IN (3, 4, 5, 7);

-- What one person was to be told of an alert.
-- name: alert_told_person :many
-- parameter: event_id INTEGER
-- parameter: person_id INTEGER
SELECT message.notice_id, notice.subject_id, message.channel, message.text_group, message.state, message.not_before
FROM message JOIN notice ON notice.id = message.notice_id
WHERE message.person_id = :person_id AND message.event_id = :event_id AND message.notice_id > 0;

-- All that was sent for an alert: its versions, and what stands beside them.
-- name: alert_notice_list :many
-- parameter: event_id INTEGER
SELECT id, subject_id FROM notice WHERE kind = 1 AND event_id = :event_id ORDER BY id;

-- Notices of an alert that grew old over a stop of the program and wait for an officer's word.
-- name: alert_held_list :many
-- parameter: event_id INTEGER
SELECT id FROM notice WHERE kind = 1 AND event_id = :event_id AND held_at IS NOT NULL AND superseded_at IS NULL ORDER BY id;

-- name: alert_watch_zones :each
SELECT id, zone FROM watch WHERE ended_at IS NULL;

-- name: alert_watch_zone :one
SELECT zone FROM watch WHERE id = :id;

-- name: alert_languages :each
SELECT id, language FROM person;

-- name: alert_officer_name :one
SELECT name FROM officer WHERE id = :id;

-- Parts of SMS handed over: of the frozen audience by the ids that an opened block gives its messages, so that only this alert's are read.
-- name: alert_parts_frozen :one
-- column: parts INTEGER
SELECT coalesce(sum(message.parts), 0) AS parts
FROM notice JOIN block ON block.notice_id = notice.id
JOIN message ON message.id >= block.id * 1024 AND message.id < block.id * 1024 + 1023
WHERE notice.kind = 1 AND notice.event_id = :event_id AND block.channel = 2 AND block.state IN (2, 4, 5) AND message.state IN (3, 4, 5, 7);

-- The same of those who came in late, and of those whose next way was brought forward.
-- name: alert_parts_late :one
-- parameter: event_id INTEGER
-- column: parts INTEGER
SELECT coalesce(sum(message.parts), 0) AS parts
FROM (SELECT recipient.person_id FROM recipient WHERE recipient.alert_id = :event_id AND recipient.late = 1
	UNION SELECT ladder_raise.person_id FROM ladder_raise WHERE ladder_raise.alert_id = :event_id) AS one
JOIN message ON message.person_id = one.person_id AND message.event_id = :event_id
WHERE message.block_id = 0 AND message.channel = 2 AND message.state IN (3, 4, 5, 7);

-- --- the ladder (alert_ladder.c, alert_contact.c)

-- name: ladder_row_list :many
-- row: ladder_row
SELECT name, rungs FROM ladder ORDER BY name;

-- name: ladder_row_find :one
-- row: ladder_row
SELECT name, rungs FROM ladder WHERE name = :name;

-- name: ladder_insert :exec
INSERT INTO ladder (name, rungs, changed_at) VALUES (:name, :rungs, :changed_at) ON CONFLICT (name) DO NOTHING;

-- name: ladder_update :exec
UPDATE ladder SET rungs = :rungs, changed_at = :changed_at WHERE name = :name;

-- name: ladder_delete :exec
DELETE FROM ladder WHERE name = :name;

-- name: ladder_answered_find :one
SELECT answered_at FROM recipient WHERE alert_id = :alert_id AND person_id = :person_id AND class IN (1, 2);

-- name: ladder_raise_put :exec
INSERT INTO ladder_raise (alert_id, person_id, notice_id, channel, raised_at) VALUES (:alert_id, :person_id, :notice_id, :channel, :raised_at)
ON CONFLICT (alert_id, person_id, notice_id, channel) DO NOTHING;

-- The way that was used last, and what still waits: of one person and alert.
-- name: ladder_left :many
SELECT notice_id, channel, state, submitted_at FROM message WHERE person_id = :person_id AND event_id = :event_id AND notice_id > 0;

-- Who waits for an answer or cannot be reached, has an emergency contact who agreed, and was not asked about yet.
-- name: contact_candidates :many
-- parameter: after INTEGER
-- parameter: silent INTEGER
-- parameter: most INTEGER
SELECT e.person_id, r.class FROM emergency_contact AS e
JOIN recipient AS r ON r.alert_id = :alert_id AND r.person_id = e.person_id
WHERE e.person_id > :after AND e.consent_at > 0 AND r.class IN (4, :silent) AND r.released = 0
	AND NOT EXISTS (SELECT 1 FROM contact_told WHERE contact_told.alert_id = :alert_id AND contact_told.person_id = e.person_id)
ORDER BY e.person_id LIMIT :most;

-- name: contact_told_find :one
SELECT message_id, told_at FROM contact_told WHERE alert_id = :alert_id AND person_id = :person_id;

-- name: contact_told_insert :exec
INSERT INTO contact_told (alert_id, person_id, message_id, told_at) VALUES (:alert_id, :person_id, :message_id, :told_at);

-- What became of the question to a person's emergency contact.
-- name: contact_told_message :one
SELECT contact_told.told_at, message.channel, message.state FROM contact_told JOIN message ON message.id = contact_told.message_id
WHERE contact_told.alert_id = :alert_id AND contact_told.person_id = :person_id;

-- name: contact_told_count :one
-- column: people INTEGER
SELECT count(*) AS people FROM contact_told WHERE alert_id = :alert_id;

-- Addresses whose owner stopped our messages, whoever gave them.
-- name: contact_stopped :one
-- column: stops INTEGER
SELECT count(*) AS stops FROM contact WHERE channel = :channel AND address = :address AND opted_out_at IS NOT NULL;

-- Who has an emergency contact that may be asked, by these ways.
-- name: contact_each :each
-- column: phone INTEGER
-- column: email INTEGER
SELECT person_id, CASE WHEN phone <> '' THEN 1 ELSE 0 END AS phone, CASE WHEN email <> '' THEN 1 ELSE 0 END AS email
FROM emergency_contact WHERE consent_at > 0 ORDER BY person_id;

-- People's own order of their usable ways, between two of them; by person, and the first way first.
-- name: ladder_orders :each
-- row: ladder_order_row
-- parameter: first INTEGER
-- parameter: last INTEGER
SELECT person_id, channel FROM contact
WHERE person_id >= :first AND person_id <= :last AND wanted = 1 AND confirmed_at IS NOT NULL AND opted_out_at IS NULL AND ended_at IS NULL
ORDER BY person_id, rank, id;

-- What those who answered had been handed before: of each person the last is what reached them.
-- name: ladder_told_before :each
SELECT r.person_id, m.channel FROM recipient AS r JOIN message AS m ON m.person_id = r.person_id AND m.event_id = r.alert_id
WHERE r.alert_id = :alert_id AND r.class IN (1, 2) AND m.notice_id > 0 AND m.state IN (3, 4, 5, 7) AND m.submitted_at <= r.answered_at
ORDER BY r.person_id, m.submitted_at;

-- The way each person answered by, in the order of their answers: 2 SMS, 3 e-mail, others not told.
-- name: ladder_answers :each
SELECT person_id, by FROM response WHERE alert_id = :alert_id AND status IN (1, 2) ORDER BY id;

-- === the board (response*.c, board*.c, calls*.c) =====================================================================

-- --- recipients and the sums of people --------------------------------------------------------------------------

-- What the board must know of an alert. `newest` holds the version people were told last.
-- name: board_alert_find :one
-- row: board_alert
-- parameter: alert_id INTEGER
SELECT a.id, a.public_id, a.number, a.kind, a.exercise, a.state, a.version_id, a.created_at, a.ended_at,
	v.severity, v.effective, v.expires, v.sent_at, v.language, v.zone
FROM alert a JOIN alert_version v ON v.id = a.version_id
WHERE a.id = :alert_id;

-- name: board_alert_find_public :one
-- row: board_alert
SELECT a.id, a.public_id, a.number, a.kind, a.exercise, a.state, a.version_id, a.created_at, a.ended_at,
	v.severity, v.effective, v.expires, v.sent_at, v.language, v.zone
FROM alert a JOIN alert_version v ON v.id = a.version_id
WHERE a.public_id = :public_id;

-- For who writes what many people are to an alert: no answer comes between reading their standing and writing it.
-- name: alert_hold_alone :one
SELECT id FROM alert WHERE id = :id;

-- name: alert_hold_alone :one
-- dialect: postgres
SELECT id FROM alert WHERE id = :id FOR UPDATE;

-- Keeps a version from being sent between reading a person's standing and writing it.
-- name: board_alert_hold :one
SELECT id FROM alert WHERE id = :id;

-- name: board_alert_hold :one
-- dialect: postgres
SELECT id FROM alert WHERE id = :id FOR SHARE;

-- When the first version was sent: stays that ended before it do not matter.
-- name: board_alert_first_sent :one
-- column: sent_at INTEGER
SELECT coalesce(min(sent_at), 0) AS sent_at FROM alert_version WHERE alert_id = :alert_id AND state IN (2, 3);

-- name: board_headline_list :many
SELECT language, headline FROM alert_text WHERE version_id = :version_id AND text_group = 1 ORDER BY language;

-- The row is held until the transaction ends, so that two answers of one moment are booked one after the other.
-- name: recipient_hold :one
-- row: recipient
SELECT alert_id, person_id, class, released, late, certain, leg_id, help_keyword_only, answered_at, case_state, case_owner, case_taken_at,
	call_state, call_owner, call_until, calls, changed_at, class_unanswered, others_safe, others_help
FROM recipient WHERE alert_id = :alert_id AND person_id = :person_id;

-- name: recipient_hold :one
-- dialect: postgres
SELECT alert_id, person_id, class, released, late, certain, leg_id, help_keyword_only, answered_at, case_state, case_owner, case_taken_at,
	call_state, call_owner, call_until, calls, changed_at, class_unanswered, others_safe, others_help
FROM recipient WHERE alert_id = :alert_id AND person_id = :person_id FOR UPDATE;

-- Without a lock, for pages.
-- name: recipient_read :one
-- row: recipient
SELECT alert_id, person_id, class, released, late, certain, leg_id, help_keyword_only, answered_at, case_state, case_owner, case_taken_at,
	call_state, call_owner, call_until, calls, changed_at, class_unanswered, others_safe, others_help
FROM recipient WHERE alert_id = :alert_id AND person_id = :person_id;

-- A targeted person's row as it is before anything happened to them.
-- name: recipient_add :batch
INSERT INTO recipient (alert_id, person_id, class, released, late, certain, leg_id, help_keyword_only, case_state, call_state, calls,
	changed_at, class_unanswered, others_safe, others_help)
VALUES (:alert_id, :person_id, 3, 0, 0, :certain, 0, 0, 0, 0, 0, :changed_at, 3, 0, 0)
ON CONFLICT (alert_id, person_id) DO NOTHING;

-- name: recipient_write :exec
UPDATE recipient SET class = :class, released = :released, help_keyword_only = :help_keyword_only, answered_at = :answered_at,
	case_state = :case_state, case_owner = :case_owner, case_taken_at = :case_taken_at, call_state = :call_state, call_owner = :call_owner,
	call_until = :call_until, calls = :calls, changed_at = :changed_at, class_unanswered = :class_unanswered, others_safe = :others_safe,
	others_help = :others_help
WHERE alert_id = :alert_id AND person_id = :person_id;

-- Whether the person has a row, or messages of the alert were made for them, and whether some said 'if you are near'.
-- name: recipient_is_known :one
-- column: has_row INTEGER
-- column: has_message INTEGER
-- column: has_possible INTEGER
-- parameter: alert_id INTEGER
-- parameter: person_id INTEGER
SELECT (SELECT count(*) FROM recipient r WHERE r.alert_id = :alert_id AND r.person_id = :person_id) AS has_row,
	(SELECT count(*) FROM message m WHERE m.person_id = :person_id AND m.event_id = :alert_id AND m.notice_id > 0) AS has_message,
	(SELECT count(*) FROM message m WHERE m.person_id = :person_id AND m.event_id = :alert_id AND m.notice_id > 0
		AND m.text_group IN (5, 6)) AS has_possible;

-- --- answers ----------------------------------------------------------------------------------------------------

-- name: response_insert :one
INSERT INTO response (alert_id, person_id, status, by, officer_id, incoming_id, form_key, received_at)
VALUES (:alert_id, :person_id, :status, :by, :officer_id, :incoming_id, :form_key, :received_at)
ON CONFLICT (form_key) DO NOTHING
RETURNING id;

-- name: response_find_form :one
SELECT id, alert_id, person_id, status FROM response WHERE form_key = :form_key;

-- name: response_text_insert :exec
INSERT INTO response_text (response_id, note, place) VALUES (:response_id, :note, :place);

-- All of a person's answers to an alert, newest first.
-- name: response_list_of :many
-- row: response_row
SELECT r.id, r.alert_id, r.person_id, r.status, r.by, r.officer_id, r.incoming_id, r.received_at, t.note, t.place
FROM response r LEFT JOIN response_text t ON t.response_id = r.id
WHERE r.alert_id = :alert_id AND r.person_id = :person_id ORDER BY r.id DESC LIMIT 200;

-- name: response_put_withdrawn :exec
-- parameter: response_id INTEGER
UPDATE response SET status = 3 WHERE id = :response_id AND status IN (1, 2);

-- The answer that counts.
-- name: response_find_newest :one
-- column: id INTEGER
-- column: status INTEGER
-- column: received_at INTEGER
SELECT id, status, received_at FROM response
WHERE alert_id = :alert_id AND person_id = :person_id AND status IN (1, 2) ORDER BY id DESC LIMIT 1;

-- Those who travel along on trips that touch the time of the alert, named, with what was said of each.
-- name: companion_list_answered :many
-- parameter: since INTEGER
-- parameter: until INTEGER
-- column: status INTEGER
SELECT c.id, c.name, coalesce(cr.status, 0) AS status
FROM trip t JOIN companion c ON c.trip_id = t.id
LEFT JOIN companion_response cr ON cr.companion_id = c.id AND cr.alert_id = :alert_id
WHERE t.person_id = :person_id AND (t.ended_at IS NULL OR cr.status IS NOT NULL)
	AND EXISTS (SELECT 1 FROM leg l WHERE l.trip_id = t.id AND l.from_at <= :until AND l.to_at >= :since)
ORDER BY c.id LIMIT 500;

-- How many travel along on those trips, named or not.
-- name: companion_count :one
-- parameter: since INTEGER
-- parameter: until INTEGER
-- column: people INTEGER
SELECT CAST(coalesce(sum(t.companions), 0) AS INTEGER) AS people
FROM trip t
WHERE t.person_id = :person_id AND t.ended_at IS NULL
	AND EXISTS (SELECT 1 FROM leg l WHERE l.trip_id = t.id AND l.from_at <= :until AND l.to_at >= :since);

-- name: companion_response_put :exec
INSERT INTO companion_response (alert_id, companion_id, person_id, status, received_at)
VALUES (:alert_id, :companion_id, :person_id, :status, :received_at)
ON CONFLICT (alert_id, companion_id) DO UPDATE SET status = excluded.status, received_at = excluded.received_at;

-- name: companion_response_remove :exec
DELETE FROM companion_response WHERE alert_id = :alert_id AND companion_id = :companion_id AND person_id = :person_id;

-- The alerts that an SMS or a mail may answer.
-- name: alert_list_answerable :many
-- parameter: ended_after INTEGER
SELECT id, number, state, ended_at FROM alert
WHERE version_id IS NOT NULL AND (state = 2 OR (state = 3 AND ended_at > :ended_after))
ORDER BY id DESC LIMIT 1000;

-- --- the board: lists ---------------------------------------------------------------------------------------------

-- People of some classes, in the order of the index: class, then who was moved first.
-- name: board_list_class :many
-- row: board_person
-- parameter: since INTEGER
-- parameter: until INTEGER
-- parameter: country TEXT
-- parameter: language TEXT
-- parameter: class_least INTEGER
-- parameter: class_most INTEGER
-- parameter: released_least INTEGER
-- parameter: released_most INTEGER
-- parameter: late_least INTEGER
-- parameter: most INTEGER
-- parameter: skip INTEGER
SELECT r.person_id, p.public_id, p.language, n.name, r.class, r.released, r.late, r.certain, r.help_keyword_only, r.answered_at,
	r.case_state, r.case_owner, o.name AS owner_name, r.case_taken_at, r.call_state, r.call_owner, r.call_until, r.calls, r.others_safe,
	r.others_help, l.country, l.place_name, t.note, t.place, r.changed_at
FROM recipient r
JOIN person p ON p.id = r.person_id
LEFT JOIN person_name n ON n.person_id = r.person_id
LEFT JOIN officer o ON o.id = r.case_owner
LEFT JOIN leg l ON l.id = (SELECT x.id FROM leg x
	WHERE x.person_id = r.person_id AND (x.id = r.leg_id OR (r.leg_id = 0 AND x.ended_at IS NULL AND x.from_at <= :until AND x.to_at >= :since))
	ORDER BY x.from_at, x.id LIMIT 1)
LEFT JOIN response_text t ON t.response_id = (SELECT max(a.id) FROM response a
	JOIN response_text b ON b.response_id = a.id
	WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2))
WHERE r.alert_id = :alert_id AND r.class BETWEEN :class_least AND :class_most
	AND r.released BETWEEN :released_least AND :released_most AND r.late >= :late_least
	AND (:country = '' OR l.country = :country) AND (:language = '' OR p.language = :language)
ORDER BY r.class, r.changed_at, r.person_id LIMIT :most OFFSET :skip;

-- Cases, the open ones first, the oldest first.
-- name: board_list_cases :many
-- row: board_person
-- parameter: since INTEGER
-- parameter: until INTEGER
-- parameter: country TEXT
-- parameter: language TEXT
-- parameter: state_least INTEGER
-- parameter: state_most INTEGER
-- parameter: most INTEGER
-- parameter: skip INTEGER
SELECT r.person_id, p.public_id, p.language, n.name, r.class, r.released, r.late, r.certain, r.help_keyword_only, r.answered_at,
	r.case_state, r.case_owner, o.name AS owner_name, r.case_taken_at, r.call_state, r.call_owner, r.call_until, r.calls, r.others_safe,
	r.others_help, l.country, l.place_name, t.note, t.place, r.changed_at
FROM recipient r
JOIN person p ON p.id = r.person_id
LEFT JOIN person_name n ON n.person_id = r.person_id
LEFT JOIN officer o ON o.id = r.case_owner
LEFT JOIN leg l ON l.id = (SELECT x.id FROM leg x
	WHERE x.person_id = r.person_id AND (x.id = r.leg_id OR (r.leg_id = 0 AND x.ended_at IS NULL AND x.from_at <= :until AND x.to_at >= :since))
	ORDER BY x.from_at, x.id LIMIT 1)
LEFT JOIN response_text t ON t.response_id = (SELECT max(a.id) FROM response a
	JOIN response_text b ON b.response_id = a.id
	WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2))
WHERE r.alert_id = :alert_id AND r.case_state > 0 AND r.case_state BETWEEN :state_least AND :state_most
	AND (:country = '' OR l.country = :country) AND (:language = '' OR p.language = :language)
ORDER BY r.case_state, r.changed_at, r.person_id LIMIT :most OFFSET :skip;

-- One person of the board.
-- name: board_find_person :one
-- row: board_person
-- parameter: since INTEGER
-- parameter: until INTEGER
SELECT r.person_id, p.public_id, p.language, n.name, r.class, r.released, r.late, r.certain, r.help_keyword_only, r.answered_at,
	r.case_state, r.case_owner, o.name AS owner_name, r.case_taken_at, r.call_state, r.call_owner, r.call_until, r.calls, r.others_safe,
	r.others_help, l.country, l.place_name, t.note, t.place, r.changed_at
FROM recipient r
JOIN person p ON p.id = r.person_id
LEFT JOIN person_name n ON n.person_id = r.person_id
LEFT JOIN officer o ON o.id = r.case_owner
LEFT JOIN leg l ON l.id = (SELECT x.id FROM leg x
	WHERE x.person_id = r.person_id AND (x.id = r.leg_id OR (r.leg_id = 0 AND x.ended_at IS NULL AND x.from_at <= :until AND x.to_at >= :since))
	ORDER BY x.from_at, x.id LIMIT 1)
LEFT JOIN response_text t ON t.response_id = (SELECT max(a.id) FROM response a
	JOIN response_text b ON b.response_id = a.id
	WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2))
WHERE r.alert_id = :alert_id AND r.person_id = :person_id;

-- Everyone, for the export; in the order of the key.
-- name: board_each :each
-- row: board_person
-- parameter: since INTEGER
-- parameter: until INTEGER
-- parameter: country TEXT
-- parameter: language TEXT
-- parameter: class_least INTEGER
-- parameter: class_most INTEGER
SELECT r.person_id, p.public_id, p.language, n.name, r.class, r.released, r.late, r.certain, r.help_keyword_only, r.answered_at,
	r.case_state, r.case_owner, o.name AS owner_name, r.case_taken_at, r.call_state, r.call_owner, r.call_until, r.calls, r.others_safe,
	r.others_help, l.country, l.place_name, t.note, t.place, r.changed_at
FROM recipient r
JOIN person p ON p.id = r.person_id
LEFT JOIN person_name n ON n.person_id = r.person_id
LEFT JOIN officer o ON o.id = r.case_owner
LEFT JOIN leg l ON l.id = (SELECT x.id FROM leg x
	WHERE x.person_id = r.person_id AND (x.id = r.leg_id OR (r.leg_id = 0 AND x.ended_at IS NULL AND x.from_at <= :until AND x.to_at >= :since))
	ORDER BY x.from_at, x.id LIMIT 1)
LEFT JOIN response_text t ON t.response_id = (SELECT max(a.id) FROM response a
	JOIN response_text b ON b.response_id = a.id
	WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2))
WHERE r.alert_id = :alert_id AND r.class BETWEEN :class_least AND :class_most
	AND (:country = '' OR l.country = :country) AND (:language = '' OR p.language = :language)
ORDER BY r.person_id;

-- Names alone, for the search: spellings are compared in C.
-- name: board_each_name :each
-- parameter: class_least INTEGER
-- parameter: class_most INTEGER
SELECT r.person_id, n.name, r.released, r.late, r.case_state, p.language
FROM recipient r JOIN person_name n ON n.person_id = r.person_id JOIN person p ON p.id = r.person_id
WHERE r.alert_id = :alert_id AND r.class BETWEEN :class_least AND :class_most
ORDER BY r.class, r.changed_at, r.person_id;

-- name: board_case_count :many
-- column: people INTEGER
SELECT case_state, count(*) AS people FROM recipient WHERE alert_id = :alert_id AND case_state > 0 GROUP BY case_state ORDER BY case_state;

-- name: board_keyword_only_count :one
-- column: people INTEGER
SELECT count(*) AS people FROM recipient WHERE alert_id = :alert_id AND case_state > 0 AND case_state IN (1, 2) AND help_keyword_only = 1;

-- Where a person is going to be, on stays that touch the alert's time.
-- name: board_leg_list :many
-- parameter: since INTEGER
-- parameter: until INTEGER
SELECT place_name, country, kind, from_date, to_date, zone FROM leg
WHERE person_id = :person_id AND ended_at IS NULL AND from_at <= :until AND to_at >= :since ORDER BY from_at LIMIT 50;

-- name: board_message_list :many
SELECT notice_id, channel, text_group, state, was_in_doubt, submitted_at, accepted_at, ended_at FROM message
WHERE person_id = :person_id AND event_id = :event_id AND notice_id > 0 ORDER BY id LIMIT 100;

-- name: board_emergency_find :one
SELECT name, relation, email, phone FROM emergency_contact WHERE person_id = :person_id;

-- name: board_person_id_find :one
SELECT id FROM person WHERE public_id = :public_id;

-- --- what officers did ----------------------------------------------------------------------------------------------

-- name: board_action_insert :one
INSERT INTO board_action (alert_id, person_id, officer_id, action, was, became, response_id, form_key, at)
VALUES (:alert_id, :person_id, :officer_id, :action, :was, :became, :response_id, :form_key, :at)
RETURNING id;

-- name: board_action_find_form :one
SELECT id, alert_id, person_id, action, became FROM board_action WHERE form_key = :form_key;

-- name: board_action_find :one
-- parameter: action_id INTEGER
SELECT id, alert_id, person_id, officer_id, action, was, became, response_id, undone_by FROM board_action WHERE id = :action_id;

-- name: board_action_set_undone :exec
-- parameter: action_id INTEGER
UPDATE board_action SET undone_by = :undone_by WHERE id = :action_id AND undone_by IS NULL;

-- name: board_note_insert :exec
INSERT INTO board_note (action_id, text) VALUES (:action_id, :text);

-- What was done with one person, newest first.
-- name: board_action_list_person :many
-- row: board_deed_row
SELECT a.id, a.person_id, a.officer_id, o.name AS officer_name, a.action, a.was, a.became, a.response_id, a.undone_by, a.at, n.text, p.public_id,
	pn.name
FROM board_action a
LEFT JOIN officer o ON o.id = a.officer_id
LEFT JOIN board_note n ON n.action_id = a.id
LEFT JOIN person p ON p.id = a.person_id
LEFT JOIN person_name pn ON pn.person_id = a.person_id
WHERE a.alert_id = :alert_id AND a.person_id = :person_id ORDER BY a.id DESC LIMIT 300;

-- What was done lately, without calls' locks and reading of contacts.
-- name: board_action_list_since :many
-- row: board_deed_row
-- parameter: since INTEGER
-- parameter: most INTEGER
SELECT a.id, a.person_id, a.officer_id, o.name AS officer_name, a.action, a.was, a.became, a.response_id, a.undone_by, a.at, n.text, p.public_id,
	pn.name
FROM board_action a
LEFT JOIN officer o ON o.id = a.officer_id
LEFT JOIN board_note n ON n.action_id = a.id
LEFT JOIN person p ON p.id = a.person_id
LEFT JOIN person_name pn ON pn.person_id = a.person_id
WHERE a.alert_id = :alert_id AND a.at >= :since AND a.action NOT IN (9, 11, 13) ORDER BY a.id DESC LIMIT :most;

-- Whose addresses an officer asked to see lately.
-- name: board_contact_shown_list :many
-- parameter: since INTEGER
SELECT DISTINCT person_id FROM board_action
WHERE alert_id = :alert_id AND at >= :since AND officer_id = :officer_id AND action = 11;

-- --- the call list ---------------------------------------------------------------------------------------------------

-- What one officer holds now.
-- name: call_find_own :one
-- parameter: officer_id INTEGER
-- parameter: now INTEGER
SELECT person_id, call_until FROM recipient
WHERE alert_id = :alert_id AND call_state = 1 AND call_owner = :officer_id AND call_until > :now AND class IN (3, 4) AND released = 0
ORDER BY call_until DESC LIMIT 1;

-- The next one whom nobody called, with a telephone.
-- name: call_next_waiting :one
SELECT r.person_id FROM recipient r
WHERE r.alert_id = :alert_id AND r.call_state = 0 AND r.class IN (3, 4) AND r.released = 0
	AND (EXISTS (SELECT 1 FROM contact c WHERE c.person_id = r.person_id AND c.channel = 2)
		OR EXISTS (SELECT 1 FROM emergency_contact e WHERE e.person_id = r.person_id AND e.phone <> ''))
ORDER BY r.calls, r.person_id LIMIT 1;

-- name: call_next_waiting :one
-- dialect: postgres
SELECT r.person_id FROM recipient r
WHERE r.alert_id = :alert_id AND r.call_state = 0 AND r.class IN (3, 4) AND r.released = 0
	AND (EXISTS (SELECT 1 FROM contact c WHERE c.person_id = r.person_id AND c.channel = 2)
		OR EXISTS (SELECT 1 FROM emergency_contact e WHERE e.person_id = r.person_id AND e.phone <> ''))
ORDER BY r.calls, r.person_id LIMIT 1 FOR UPDATE OF r SKIP LOCKED;

-- One who was called in vain and may be called again, or whose caller's lock ran out.
-- name: call_next_again :one
-- parameter: now INTEGER
SELECT r.person_id FROM recipient r
WHERE r.alert_id = :alert_id AND r.call_state BETWEEN 1 AND 2 AND r.class IN (3, 4) AND r.released = 0
	AND (r.call_until IS NULL OR r.call_until <= :now)
	AND (EXISTS (SELECT 1 FROM contact c WHERE c.person_id = r.person_id AND c.channel = 2)
		OR EXISTS (SELECT 1 FROM emergency_contact e WHERE e.person_id = r.person_id AND e.phone <> ''))
ORDER BY r.calls, r.changed_at, r.person_id LIMIT 1;

-- name: call_next_again :one
-- dialect: postgres
SELECT r.person_id FROM recipient r
WHERE r.alert_id = :alert_id AND r.call_state BETWEEN 1 AND 2 AND r.class IN (3, 4) AND r.released = 0
	AND (r.call_until IS NULL OR r.call_until <= :now)
	AND (EXISTS (SELECT 1 FROM contact c WHERE c.person_id = r.person_id AND c.channel = 2)
		OR EXISTS (SELECT 1 FROM emergency_contact e WHERE e.person_id = r.person_id AND e.phone <> ''))
ORDER BY r.calls, r.changed_at, r.person_id LIMIT 1 FOR UPDATE OF r SKIP LOCKED;

-- How far the calling is: rows of those who have not answered, by state; the many whom nobody called yet are told by the sums.
-- name: call_count :many
-- column: people INTEGER
SELECT call_state, count(*) AS people FROM recipient
WHERE alert_id = :alert_id AND call_state > 0 AND class IN (3, 4) AND released = 0 GROUP BY call_state ORDER BY call_state;

-- Who is on the telephone with whom.
-- name: call_lock_list :many
-- parameter: now INTEGER
SELECT r.person_id, p.public_id, n.name, r.call_owner, o.name AS owner_name, r.call_until
FROM recipient r JOIN person p ON p.id = r.person_id
LEFT JOIN person_name n ON n.person_id = r.person_id
LEFT JOIN officer o ON o.id = r.call_owner
WHERE r.alert_id = :alert_id AND r.call_state = 1 AND r.class IN (3, 4) AND r.released = 0 AND r.call_until > :now
ORDER BY r.call_until LIMIT 100;

-- The list on paper, in the order of the index: who was not called yet first; nobody who is on the telephone now.
-- name: call_list :many
-- row: board_person
-- parameter: since INTEGER
-- parameter: until INTEGER
-- parameter: now INTEGER
-- parameter: most INTEGER
-- parameter: skip INTEGER
SELECT r.person_id, p.public_id, p.language, n.name, r.class, r.released, r.late, r.certain, r.help_keyword_only, r.answered_at,
	r.case_state, r.case_owner, o.name AS owner_name, r.case_taken_at, r.call_state, r.call_owner, r.call_until, r.calls, r.others_safe,
	r.others_help, l.country, l.place_name, t.note, t.place, r.changed_at
FROM recipient r
JOIN person p ON p.id = r.person_id
LEFT JOIN person_name n ON n.person_id = r.person_id
LEFT JOIN officer o ON o.id = r.case_owner
LEFT JOIN leg l ON l.id = (SELECT x.id FROM leg x
	WHERE x.person_id = r.person_id AND (x.id = r.leg_id OR (r.leg_id = 0 AND x.ended_at IS NULL AND x.from_at <= :until AND x.to_at >= :since))
	ORDER BY x.from_at, x.id LIMIT 1)
LEFT JOIN response_text t ON t.response_id = (SELECT max(a.id) FROM response a
	JOIN response_text b ON b.response_id = a.id
	WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2))
WHERE r.alert_id = :alert_id AND r.call_state BETWEEN 0 AND 2 AND r.class IN (3, 4) AND r.released = 0
	AND (r.call_state <> 1 OR r.call_until <= :now)
ORDER BY r.call_state, r.calls, r.person_id LIMIT :most OFFSET :skip;

-- --- rows for everyone ---------------------------------------------------------------------------------------------

-- Notices whose people have not all got their row yet.
-- name: board_fill_list :many
-- column: done INTEGER
SELECT n.id, n.event_id, coalesce(f.done, 0) AS done FROM notice n LEFT JOIN recipient_fill f ON f.notice_id = n.id
WHERE n.kind = 1 AND f.filled_at IS NULL
ORDER BY n.id LIMIT 100;

-- name: board_fill_waiting :one
-- column: waiting INTEGER
SELECT count(*) AS waiting FROM notice n LEFT JOIN recipient_fill f ON f.notice_id = n.id
WHERE n.kind = 1 AND n.event_id = :event_id AND f.filled_at IS NULL;

-- name: board_fill_put :exec
INSERT INTO recipient_fill (notice_id, done, filled_at) VALUES (:notice_id, :done, :filled_at)
ON CONFLICT (notice_id) DO UPDATE SET done = excluded.done, filled_at = excluded.filled_at;

-- --- asking again --------------------------------------------------------------------------------------------------

-- The usable addresses of those who have not answered, with the number of their messages by that channel.
-- name: ask_each :each
-- column: messages INTEGER
-- parameter: since INTEGER
-- parameter: until INTEGER
SELECT r.person_id, c.channel, c.rank, l.zone,
	(SELECT count(*) FROM message m WHERE m.person_id = r.person_id AND m.event_id = r.alert_id AND m.channel = c.channel AND m.notice_id > 0
		AND m.state IN (1, 3, 4, 5, 7)) AS messages
FROM recipient r JOIN contact c ON c.person_id = r.person_id
JOIN person p ON p.id = r.person_id
LEFT JOIN leg l ON l.id = (SELECT x.id FROM leg x
	WHERE x.person_id = r.person_id AND (x.id = r.leg_id OR (r.leg_id = 0 AND x.ended_at IS NULL AND x.from_at <= :until AND x.to_at >= :since))
	ORDER BY x.from_at, x.id LIMIT 1)
WHERE r.alert_id = :alert_id AND r.class = 3 AND r.released = 0 AND p.ended_at IS NULL
	AND c.wanted = 1 AND c.confirmed_at IS NOT NULL AND c.opted_out_at IS NULL AND c.ended_at IS NULL
ORDER BY r.person_id, c.rank, c.id;

-- --- checks ----------------------------------------------------------------------------------------------------------

-- name: board_check_rows :many
-- column: people INTEGER
-- column: others_safe INTEGER
-- column: others_help INTEGER
SELECT alert_id, count(*) AS people, CAST(sum(others_safe) AS INTEGER) AS others_safe, CAST(sum(others_help) AS INTEGER) AS others_help
FROM recipient GROUP BY alert_id ORDER BY alert_id;

-- name: board_check_companions :many
-- column: people INTEGER
SELECT alert_id, status, count(*) AS people FROM companion_response WHERE status IN (1, 2) GROUP BY alert_id, status ORDER BY alert_id, status;

-- Alerts that were sent, and whether everyone frozen has a row.
-- name: board_check_alerts :many
-- column: unfilled INTEGER
SELECT a.id, (SELECT count(*) FROM notice n LEFT JOIN recipient_fill f ON f.notice_id = n.id
		WHERE n.kind = 1 AND n.event_id = a.id AND f.filled_at IS NULL) AS unfilled
FROM alert a WHERE a.version_id IS NOT NULL AND a.state IN (2, 3) ORDER BY a.id;

-- Rows whose class is not what the newest answer says.
-- name: board_check_classes :many
-- column: newest INTEGER
SELECT r.alert_id, r.person_id, r.class, (SELECT a.status FROM response a
	WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2) ORDER BY a.id DESC LIMIT 1) AS newest
FROM recipient r
WHERE r.class <> coalesce((SELECT a.status FROM response a
		WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2) ORDER BY a.id DESC LIMIT 1), r.class)
	OR (r.class IN (1, 2) AND NOT EXISTS (SELECT 1 FROM response a
		WHERE a.alert_id = r.alert_id AND a.person_id = r.person_id AND a.status IN (1, 2)))
	OR (r.class = 2 AND r.case_state = 0)
ORDER BY r.alert_id, r.person_id LIMIT 100;
