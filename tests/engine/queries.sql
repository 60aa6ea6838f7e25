-- What the engine's tests and bench put into the store and look at.

-- name: put_people :batch
INSERT INTO person (id, public_id, language, source, salt, created_at, changed_at)
VALUES (:id, :public_id, :language, 2, 0, 1, 1);

-- name: put_contacts :batch
INSERT INTO contact (person_id, channel, address, rank, wanted, confirmed_at, confirmed_how, created_at)
VALUES (:person_id, :channel, :address, 1, 1, 1, 2, 1);

-- name: opt_out_contact :exec
UPDATE contact SET opted_out_at = 1 WHERE person_id = :person_id AND channel = :channel;

-- name: remove_contact :exec
DELETE FROM contact WHERE person_id = :person_id AND channel = :channel;

-- name: get_ended_contacts :one
-- column: ended INTEGER
SELECT count(*) AS ended FROM contact WHERE ended_at IS NOT NULL;

-- name: get_message :one
SELECT id, state, reason, was_in_doubt, attempts, parts, parts_delivered, not_before, submitted_at, accepted_at, ended_at,
	status_code, carrier_id, carrier_status, contact_id, block_id
FROM message WHERE person_id = :person_id AND channel = :channel AND notice_id = :notice_id;

-- name: get_states :many
-- column: people INTEGER
SELECT state, count(*) AS people FROM message WHERE notice_id = :notice_id GROUP BY state;

-- name: get_blocks :many
-- column: people INTEGER
-- column: blocks INTEGER
SELECT state, CAST(sum(people) AS INTEGER) AS people, count(*) AS blocks FROM block WHERE notice_id = :notice_id GROUP BY state;

-- name: get_incoming :many
SELECT incoming.id, incoming.state, incoming.why, incoming.keyword, incoming.urgent, incoming.person_id, incoming.event_id,
	incoming.answer_id, incoming_text.body, incoming_text.address
FROM incoming JOIN incoming_text ON incoming_text.incoming_id = incoming.id ORDER BY incoming.id;

-- name: get_text :one
SELECT body, address FROM message_text WHERE message_id = :message_id;

-- name: get_unmatched :one
-- column: waiting INTEGER
SELECT count(*) AS waiting FROM receipt_unmatched WHERE matched_at IS NULL;

-- name: get_held :one
SELECT held_at FROM notice WHERE id = :id;

-- name: wreck_counter :exec
UPDATE message_counter SET people = people + 1 WHERE notice_id = :notice_id AND channel = :channel AND state = :state;

-- name: get_texts :one
-- column: texts INTEGER
SELECT count(*) AS texts FROM message_text;

-- name: get_times :one
SELECT created_at, submitted_at, accepted_at FROM message WHERE id = :id;
