-- Statements of the outbox and the inbox.

-- --- notices and blocks

-- name: notice_insert :one
INSERT INTO notice (kind, event_id, subject_id, lane, exercise, expires_at, frozen_at)
VALUES (:kind, :event_id, :subject_id, :lane, :exercise, :expires_at, :frozen_at)
RETURNING id;

-- name: notice_find :one
-- row: notice_row
SELECT id, kind, event_id, subject_id, lane, exercise, expires_at, superseded_at, held_at, frozen_at
FROM notice WHERE id = :id;

-- The same, and on PostgreSQL behind whoever is superseding it now.
-- name: notice_find_settled :one
-- row: notice_row
SELECT id, kind, event_id, subject_id, lane, exercise, expires_at, superseded_at, held_at, frozen_at
FROM notice WHERE id = :id;

-- name: notice_find_settled :one
-- dialect: postgres
SELECT id, kind, event_id, subject_id, lane, exercise, expires_at, superseded_at, held_at, frozen_at
FROM notice WHERE id = :id FOR SHARE;

-- name: notice_list_event :many
-- row: notice_row
SELECT id, kind, event_id, subject_id, lane, exercise, expires_at, superseded_at, held_at, frozen_at
FROM notice WHERE kind = :kind AND event_id = :event_id ORDER BY id;

-- Notices that are held for an officer's word.
-- name: notice_list_held :many
-- row: notice_row
SELECT id, kind, event_id, subject_id, lane, exercise, expires_at, superseded_at, held_at, frozen_at
FROM notice WHERE held_at IS NOT NULL AND superseded_at IS NULL ORDER BY id;

-- name: notice_mark_superseded :many
-- parameter: before INTEGER
UPDATE notice SET superseded_at = :superseded_at
WHERE kind = :kind AND event_id = :event_id AND id < :before AND superseded_at IS NULL
RETURNING id;

-- Holds what was sent before the stop and has messages that would leave now.
-- name: notice_hold_old :many
-- parameter: before INTEGER
UPDATE notice SET held_at = :held_at
WHERE held_at IS NULL AND superseded_at IS NULL AND expires_at > :held_at AND frozen_at < :before
	AND (EXISTS (SELECT 1 FROM block WHERE block.notice_id = notice.id AND block.state = 1 AND block.channel > 0
			AND block.not_before <= :held_at)
		OR EXISTS (SELECT 1 FROM message_counter WHERE message_counter.notice_id = notice.id AND message_counter.state = 1
			AND message_counter.people > (SELECT coalesce(sum(block.people), 0) FROM block
				WHERE block.notice_id = notice.id AND block.channel = message_counter.channel AND block.state = 1)))
RETURNING id;

-- name: notice_release :exec
UPDATE notice SET held_at = NULL WHERE id = :id AND held_at IS NOT NULL;

-- name: block_insert :batch
INSERT INTO block (notice_id, channel, text_group, lane, not_before, people, first_person, last_person, state, lease_owner, ids)
VALUES (:notice_id, :channel, :text_group, :lane, :not_before, :people, :first_person, :last_person, :state, 0, :ids);

-- name: block_drop :many
UPDATE block SET state = 3 WHERE notice_id = :notice_id AND state = 1 RETURNING channel, people;

-- name: block_each :each
-- row: block_each_row
SELECT id, channel, text_group, people, ids FROM block WHERE notice_id = :notice_id ORDER BY id;

-- name: block_each_deferred :each
-- row: block_each_row
-- parameter: now INTEGER
SELECT id, channel, text_group, people, ids FROM block WHERE notice_id = :notice_id AND state = 1 AND not_before > :now ORDER BY id;

-- Blocks of a notice that may hold a person.
-- name: block_list_person :many
-- parameter: person_id INTEGER
SELECT id, channel, text_group, not_before, state, ids FROM block
WHERE notice_id = :notice_id AND first_person <= :person_id AND last_person >= :person_id ORDER BY id;

-- Frozen blocks of an event's live notices that may hold a person.
-- name: block_list_frozen_person :many
-- parameter: person_id INTEGER
SELECT block.id, block.ids FROM notice JOIN block ON block.notice_id = notice.id
WHERE notice.kind = :kind AND notice.event_id = :event_id AND notice.superseded_at IS NULL
	AND block.state = 1 AND block.first_person <= :person_id AND block.last_person >= :person_id;

-- CROSS JOIN: SQLite would begin with the notices and sort all their blocks.
-- name: block_next :one
-- parameter: now INTEGER
SELECT block.id, block.notice_id, block.text_group, block.not_before, block.people, block.ids
FROM block CROSS JOIN notice
WHERE notice.id = block.notice_id AND block.state = 1 AND block.channel = :channel AND block.lane = :lane AND block.not_before <= :now
	AND notice.held_at IS NULL
ORDER BY block.not_before, block.id LIMIT 1;

-- name: block_next :one
-- dialect: postgres
SELECT block.id, block.notice_id, block.text_group, block.not_before, block.people, block.ids
FROM block CROSS JOIN notice
WHERE notice.id = block.notice_id AND block.state = 1 AND block.channel = :channel AND block.lane = :lane AND block.not_before <= :now
	AND notice.held_at IS NULL
ORDER BY block.not_before, block.id LIMIT 1 FOR UPDATE OF block SKIP LOCKED;

-- name: block_lease :exec
UPDATE block SET state = :state, lease_owner = :lease_owner WHERE id = :id;

-- name: block_list_owned :many
SELECT id, notice_id, channel, text_group, lane, not_before, people, state FROM block
WHERE lease_owner = :lease_owner AND state IN (2, 4) ORDER BY id;

-- Takes one block whose dispatcher is gone.
-- name: block_take_over :exec
-- parameter: gone INTEGER
UPDATE block SET lease_owner = :lease_owner WHERE state IN (2, 4) AND lease_owner = :gone;

-- --- dispatchers and routes

-- name: dispatcher_insert :exec
INSERT INTO dispatcher (id, seen_at, lease_until) VALUES (:id, :seen_at, :lease_until)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, lease_until = excluded.lease_until;

-- name: dispatcher_beat :exec
UPDATE dispatcher SET seen_at = :seen_at, lease_until = :lease_until WHERE id = :id;

-- name: dispatcher_last_seen :one
-- column: seen_at INTEGER
SELECT coalesce(max(seen_at), 0) AS seen_at FROM dispatcher;

-- name: dispatcher_list_gone :many
-- parameter: now INTEGER
SELECT id FROM dispatcher WHERE lease_until < :now;

-- name: dispatcher_remove_gone :exec
-- parameter: now INTEGER
DELETE FROM dispatcher WHERE id = :id AND lease_until < :now;

-- name: dispatcher_known :one
-- column: known INTEGER
SELECT count(*) AS known FROM dispatcher WHERE id = :id;

-- name: route_add :exec
INSERT INTO route (name, channel) VALUES (:name, :channel) ON CONFLICT (name) DO NOTHING;

-- name: route_find :one
SELECT id, channel FROM route WHERE name = :name;

-- name: route_list :many
SELECT id, name, channel FROM route ORDER BY id;

-- --- message rows

-- A run of a block's people, as a JSON array of ids, becomes rows: one statement for a thousand, which costs a third of
-- a thousand statements.
-- name: message_insert_run :exec
-- parameter: first INTEGER
-- parameter: person_ids TEXT
INSERT INTO message (id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, reason,
	was_in_doubt, attempts, parts, parts_delivered, owner, route, status_code, not_before, expires_at, created_at,
	submitted_at, accepted_at, ended_at, carrier_id, carrier_status)
SELECT :first + key, :block_id, :notice_id, :event_id, value, -1073741824, :channel, :text_group, :lane, :state, :reason,
	0, 0, 0, 0, 0, 0, 0, :not_before, :expires_at, :created_at,
	-1152921504606846976, -1152921504606846976, :ended_at, '                        ', ''
FROM json_each(:person_ids) WHERE true
ON CONFLICT (person_id, event_id, notice_id, channel) WHERE notice_id > 0 DO NOTHING;

-- name: message_insert_run :exec
-- dialect: postgres
INSERT INTO message (id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, reason,
	was_in_doubt, attempts, parts, parts_delivered, owner, route, status_code, not_before, expires_at, created_at,
	submitted_at, accepted_at, ended_at, carrier_id, carrier_status)
SELECT :first + place - 1, :block_id, :notice_id, :event_id, CAST(value AS INTEGER), -1073741824, :channel, :text_group, :lane, :state,
	:reason, 0, 0, 0, 0, 0, 0, 0, :not_before, :expires_at, :created_at,
	-1152921504606846976, -1152921504606846976, :ended_at, '                        ', ''
FROM json_array_elements_text(CAST(:person_ids AS json)) WITH ORDINALITY AS list (value, place)
ON CONFLICT (person_id, event_id, notice_id, channel) WHERE notice_id > 0 DO NOTHING;

-- How many rows a block came to, by state.
-- name: message_count_range :many
-- parameter: first INTEGER
-- parameter: last INTEGER
-- column: people INTEGER
SELECT state, count(*) AS people FROM message WHERE id BETWEEN :first AND :last GROUP BY state;

-- name: message_number_next :one
-- column: last INTEGER
UPDATE message_number SET last = last + 1 WHERE id = 1 RETURNING last;

-- name: message_number_next :one
-- dialect: postgres
SELECT nextval('message_number') AS last;

-- name: message_insert :exec
INSERT INTO message (id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, reason,
	was_in_doubt, attempts, parts, parts_delivered, owner, route, status_code, not_before, expires_at, created_at,
	submitted_at, accepted_at, ended_at, carrier_id, carrier_status)
VALUES (:id, 0, :notice_id, :event_id, :person_id, :contact_id, :channel, :text_group, :lane, 1, 0,
	0, 0, 0, 0, 0, 0, 0, :not_before, :expires_at, :created_at,
	-1152921504606846976, -1152921504606846976, -1152921504606846976, '                        ', '')
ON CONFLICT (person_id, event_id, notice_id, channel) WHERE notice_id > 0 DO NOTHING;

-- name: message_text_insert :exec
INSERT INTO message_text (message_id, address, subject, in_reply_to, body)
VALUES (:message_id, :address, :subject, :in_reply_to, :body);

-- name: message_text_find :one
SELECT address, subject, in_reply_to, body FROM message_text WHERE message_id = :message_id;

-- Texts of single messages (codes among them) that are long over.
-- name: message_text_forget :exec
-- parameter: before INTEGER
DELETE FROM message_text WHERE message_id IN (
	SELECT message_text.message_id FROM message_text JOIN message ON message.id = message_text.message_id
	WHERE message.expires_at < :before AND message.state NOT IN (1, 3, 7) LIMIT 1000);

-- A block's messages that may be handed over now.
-- name: message_list_block :many
-- row: message_due
-- parameter: first INTEGER
-- parameter: last INTEGER
-- parameter: now INTEGER
-- parameter: most INTEGER
SELECT id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, attempts, parts, route, expires_at
FROM message WHERE id BETWEEN :first AND :last AND state IN (1, 7) AND not_before <= :now ORDER BY id LIMIT :most;

-- When the next of a block's messages that wait is due.
-- name: message_next_due :one
-- parameter: first INTEGER
-- parameter: last INTEGER
-- parameter: now INTEGER
-- column: due INTEGER
SELECT min(not_before) AS due FROM message WHERE id BETWEEN :first AND :last AND state IN (1, 7) AND not_before > :now;

-- name: message_list_loose :many
-- row: message_due
-- parameter: now INTEGER
-- parameter: most INTEGER
SELECT id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, attempts, parts, route, expires_at
FROM message WHERE block_id = 0 AND state IN (1, 7) AND channel = :channel AND lane = :lane AND not_before <= :now
ORDER BY not_before, id LIMIT :most;

-- Marks a message as being handed over, if it still stands where it stood.
-- name: message_submit :batch
-- parameter: was INTEGER
UPDATE message SET state = 3, owner = :owner, route = :route, contact_id = :contact_id, attempts = :attempts,
	parts = :parts, submitted_at = :submitted_at
WHERE id = :id AND state = :was;

-- name: message_is_mine :one
SELECT id FROM message WHERE id = :id AND state = 3 AND owner = :owner AND submitted_at = :submitted_at;

-- name: message_accept :batch
UPDATE message SET state = 4, status_code = :status_code, accepted_at = :accepted_at, carrier_id = :carrier_id
WHERE id = :id AND state = 3 AND owner = :owner;

-- name: message_deliver :exec
UPDATE message SET state = 5, parts_delivered = 1, ended_at = :ended_at WHERE id = :id AND state = 4 AND parts = 1;

-- name: message_find :one
-- row: message_row
SELECT id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, reason, was_in_doubt,
	attempts, parts, parts_delivered, owner, route, status_code, not_before, expires_at, created_at, submitted_at,
	accepted_at, ended_at, carrier_id, carrier_status
FROM message WHERE id = :id;

-- The same, locked until the transaction ends.
-- name: message_find_locked :one
-- row: message_row
SELECT id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, reason, was_in_doubt,
	attempts, parts, parts_delivered, owner, route, status_code, not_before, expires_at, created_at, submitted_at,
	accepted_at, ended_at, carrier_id, carrier_status
FROM message WHERE id = :id;

-- name: message_find_locked :one
-- dialect: postgres
SELECT id, block_id, notice_id, event_id, person_id, contact_id, channel, text_group, lane, state, reason, was_in_doubt,
	attempts, parts, parts_delivered, owner, route, status_code, not_before, expires_at, created_at, submitted_at,
	accepted_at, ended_at, carrier_id, carrier_status
FROM message WHERE id = :id FOR UPDATE;

-- name: message_set :exec
UPDATE message SET state = :state, reason = :reason, was_in_doubt = :was_in_doubt, attempts = :attempts,
	parts_delivered = :parts_delivered, status_code = :status_code, not_before = :not_before, accepted_at = :accepted_at,
	ended_at = :ended_at, carrier_id = :carrier_id, carrier_status = :carrier_status
WHERE id = :id;

-- name: message_part_put :exec
INSERT INTO message_part (message_id, part, state, carrier_id) VALUES (:message_id, :part, :state, :carrier_id)
ON CONFLICT (message_id, part) DO UPDATE SET carrier_id = excluded.carrier_id;

-- name: message_part_deliver :exec
UPDATE message_part SET state = :state WHERE message_id = :message_id AND part = :part AND state <> 5;

-- name: message_part_list :many
SELECT part, state, carrier_id FROM message_part WHERE message_id = :message_id ORDER BY part;

-- What a stop left of a range: the rows that were being handed over.
-- name: message_list_submitted :many
-- row: message_found
-- parameter: first INTEGER
-- parameter: last INTEGER
SELECT id, notice_id, channel, lane, was_in_doubt, expires_at FROM message
WHERE id BETWEEN :first AND :last AND state = 3;

-- name: message_list_loose_submitted :many
-- row: message_found
SELECT id, notice_id, channel, lane, was_in_doubt, expires_at FROM message
WHERE block_id = 0 AND state = 3 AND owner = :owner;

-- name: message_doubt :batch
UPDATE message SET state = 7, was_in_doubt = 1, not_before = :not_before WHERE id = :id AND state = 3;

-- In doubt over a cut that is over (they wait until they run out): to be sent again, at once the first time; a carrier that
-- takes and cuts again and again must not send a copy each time.
-- name: message_release_doubt :exec
-- parameter: first INTEGER
-- parameter: last INTEGER
UPDATE message SET not_before = :not_before + CASE WHEN attempts < 2 THEN 0 WHEN attempts = 2 THEN 30000000
	WHEN attempts = 3 THEN 60000000 WHEN attempts = 4 THEN 120000000 WHEN attempts = 5 THEN 300000000 ELSE 600000000 END
WHERE id BETWEEN :first AND :last AND state = 7 AND route = :route AND not_before > :not_before AND not_before = expires_at;

-- name: message_release_loose_doubt :exec
UPDATE message SET not_before = :not_before + CASE WHEN attempts < 2 THEN 0 WHEN attempts = 2 THEN 30000000
	WHEN attempts = 3 THEN 60000000 WHEN attempts = 4 THEN 120000000 WHEN attempts = 5 THEN 300000000 ELSE 600000000 END
WHERE block_id = 0 AND state = 7 AND route = :route AND owner = :owner AND not_before > :not_before AND not_before = expires_at
	AND lane <> 1 AND lane <> 5;

-- The clock was put back: next tries that were minutes away are not to be hours away. What waits for a cut waits until it runs
-- out, and what was never tried for its own day.
-- name: message_bring_forward :exec
-- parameter: first INTEGER
-- parameter: last INTEGER
UPDATE message SET not_before = :not_before
WHERE id BETWEEN :first AND :last AND state IN (1, 7) AND attempts > 0 AND not_before > :not_before AND not_before < expires_at;

-- name: message_bring_forward_loose :exec
UPDATE message SET not_before = :not_before
WHERE block_id = 0 AND state IN (1, 7) AND attempts > 0 AND not_before > :not_before AND not_before < expires_at;

-- name: message_list_keys :many
-- row: message_key
-- parameter: first INTEGER
-- parameter: last INTEGER
SELECT id, route, parts, accepted_at, carrier_id FROM message
WHERE id BETWEEN :first AND :last AND (state IN (4, 5) OR (state IN (1, 3, 7) AND parts > 1)) AND channel = 2 ORDER BY id;

-- Loose ones of which some parts may be accepted.
-- name: message_list_loose_part_keys :many
-- row: message_key
SELECT id, route, parts, accepted_at, carrier_id FROM message
WHERE block_id = 0 AND state IN (1, 3, 7) AND channel = 2 AND parts > 1 ORDER BY id LIMIT 50000;

-- name: message_list_loose_keys :many
-- row: message_key
-- parameter: since INTEGER
-- parameter: most INTEGER
SELECT id, route, parts, accepted_at, carrier_id FROM message
WHERE block_id = 0 AND state = 4 AND channel = 2 AND accepted_at > :since ORDER BY accepted_at, id LIMIT :most;

-- What ends by itself in a range: superseded or out of time.
-- name: message_list_open :many
-- row: message_open
-- parameter: first INTEGER
-- parameter: last INTEGER
SELECT id, notice_id, event_id, person_id, channel, state FROM message
WHERE id BETWEEN :first AND :last AND state IN (1, 7) ORDER BY id;

-- name: message_list_loose_expired :many
-- row: message_open
-- parameter: now INTEGER
-- parameter: most INTEGER
SELECT id, notice_id, event_id, person_id, channel, state FROM message
WHERE block_id = 0 AND state IN (1, 7) AND channel = :channel AND lane = :lane AND expires_at <= :now LIMIT :most;

-- Late joiners' messages of notices that were superseded.
-- name: message_list_loose_notice :many
-- row: message_open
SELECT id, notice_id, event_id, person_id, channel, state FROM message
WHERE block_id = 0 AND state = 1 AND channel = :channel AND lane = :lane AND notice_id = :notice_id LIMIT 1000;

-- name: message_end :batch
-- parameter: was INTEGER
UPDATE message SET state = :state, ended_at = :ended_at WHERE id = :id AND state = :was;

-- The states of all messages of one person and event.
-- name: message_states_of_person :many
SELECT id, state, reason FROM message WHERE person_id = :person_id AND event_id = :event_id AND notice_id > 0;

-- Could not be rendered: tried again later.
-- name: message_postpone :exec
UPDATE message SET not_before = :not_before WHERE id = :id AND state IN (1, 7);

-- name: counter_add :exec
INSERT INTO message_counter (notice_id, channel, state, people) VALUES (:notice_id, :channel, :state, :people)
ON CONFLICT (notice_id, channel, state) DO UPDATE SET people = message_counter.people + excluded.people;

-- name: counter_list :many
-- row: counter_row
SELECT notice_id, channel, state, people FROM message_counter WHERE notice_id = :notice_id;

-- name: counter_list_event :many
-- row: counter_row
SELECT message_counter.notice_id, message_counter.channel, message_counter.state, message_counter.people
FROM notice JOIN message_counter ON message_counter.notice_id = notice.id
WHERE notice.kind = :kind AND notice.event_id = :event_id;

-- --- receipts

-- name: receipt_keep :one
INSERT INTO receipt_unmatched (route, carrier_id, delivery, raw, received_at, last_digits)
VALUES (:route, :carrier_id, :delivery, :raw, :received_at, :last_digits) RETURNING id;

-- name: receipt_matched :exec
UPDATE receipt_unmatched SET matched_at = :matched_at, last_digits = 0 WHERE id = :id AND matched_at IS NULL;

-- name: receipt_find :one
SELECT id, route, carrier_id, delivery, raw, last_digits FROM receipt_unmatched WHERE id = :id AND matched_at IS NULL;

-- name: receipt_list_waiting :many
-- parameter: since INTEGER
SELECT id, route, carrier_id, delivery, raw, last_digits FROM receipt_unmatched WHERE matched_at IS NULL AND received_at > :since
ORDER BY id LIMIT 100000;

-- name: receipt_count_waiting :one
-- column: waiting INTEGER
SELECT count(*) AS waiting FROM receipt_unmatched WHERE matched_at IS NULL;

-- A person's messages of one notice.
-- name: message_list_notice_person :many
SELECT message.id, message.channel, message.text_group, message.state FROM notice JOIN message
	ON message.event_id = notice.event_id AND message.notice_id = notice.id AND message.notice_id > 0
WHERE notice.id = :notice_id AND message.person_id = :person_id;

-- Recounts a message's delivered parts.
-- name: message_count_parts :one
UPDATE message SET parts_delivered = (SELECT count(*) FROM message_part
	WHERE message_part.message_id = message.id AND message_part.state = 5)
WHERE id = :id RETURNING parts, parts_delivered;

-- name: message_set_status :exec
UPDATE message SET carrier_status = :carrier_status WHERE id = :id;

-- --- incoming

-- `charset` is the number of sms_reading. Part 0 stands in place of the parts of a message that was joined: its bytes are a mark
-- of each, so that a part that comes again is known.
-- name: incoming_part_put :exec
INSERT INTO incoming_part (address, recipient, reference, total, part, route, charset, bytes, received_at)
VALUES (:address, :recipient, :reference, :total, :part, :route, :charset, :bytes, :received_at)
ON CONFLICT (address, recipient, reference, total, part) DO NOTHING;

-- name: incoming_part_list :many
SELECT part, route, charset, bytes, received_at FROM incoming_part
WHERE address = :address AND recipient = :recipient AND reference = :reference AND total = :total ORDER BY part;

-- name: incoming_part_remove :exec
DELETE FROM incoming_part
WHERE address = :address AND recipient = :recipient AND reference = :reference AND total = :total;

-- Parts whose others did not come.
-- name: incoming_part_list_old :many
-- parameter: before INTEGER
SELECT address, recipient, reference, total FROM incoming_part GROUP BY address, recipient, reference, total
HAVING max(received_at) < :before LIMIT 50;

-- name: incoming_insert :one
INSERT INTO incoming (public_id, channel, route, dedupe, received_at, state, why, keyword, urgent)
VALUES (:public_id, :channel, :route, :dedupe, :received_at, :state, :why, 0, 0)
ON CONFLICT (dedupe) DO NOTHING RETURNING id;

-- name: incoming_text_insert :exec
INSERT INTO incoming_text (incoming_id, address, recipient, subject, message_id, reply_to_message, body)
VALUES (:incoming_id, :address, :recipient, :subject, :message_id, :reply_to_message, :body);

-- name: incoming_list_unread :many
-- parameter: most INTEGER
SELECT incoming.id, incoming.channel, incoming.route, incoming.received_at, incoming.why, incoming_text.address,
	incoming_text.recipient, incoming_text.reply_to_message, incoming_text.message_id, incoming_text.body
FROM incoming JOIN incoming_text ON incoming_text.incoming_id = incoming.id
WHERE incoming.state = 1 ORDER BY incoming.id LIMIT :most;

-- Marks it as read, if nobody did before.
-- name: incoming_set_read :exec
UPDATE incoming SET state = :state, why = :why, keyword = :keyword, urgent = :urgent, person_id = :person_id,
	event_id = :event_id, answer_id = :answer_id, outcome = :outcome
WHERE id = :id AND state = 1;

-- Could not be read by the rules: an officer does.
-- name: incoming_give_up :exec
UPDATE incoming SET state = 3, why = :why WHERE id = :id AND state = 1;

-- Kept, and nothing to do: automatic mail.
-- name: incoming_set_automatic :exec
UPDATE incoming SET state = 2, outcome = :outcome WHERE id = :id AND state = 1;

-- What one address sent and was answered by rule in a while.
-- name: incoming_count_address :one
-- parameter: since INTEGER
-- column: same INTEGER
-- column: answered INTEGER
SELECT coalesce(sum(CASE WHEN incoming_text.body = :body THEN 1 ELSE 0 END), 0) AS same,
	coalesce(sum(CASE WHEN incoming.answer_id IS NULL THEN 0 ELSE 1 END), 0) AS answered
FROM incoming_text JOIN incoming ON incoming.id = incoming_text.incoming_id
WHERE incoming_text.address = :address AND incoming.received_at > :since;

-- name: incoming_count_waiting :one
-- column: waiting INTEGER
SELECT count(*) AS waiting FROM incoming WHERE state = 3;

-- When the oldest message became due that is not in an opened block and was never tried.
-- name: message_oldest_unsent :one
-- parameter: now INTEGER
-- column: oldest INTEGER
SELECT min(due) AS oldest FROM (
	SELECT CASE WHEN notice.frozen_at > block.not_before THEN notice.frozen_at ELSE block.not_before END AS due
	FROM block JOIN notice ON notice.id = block.notice_id
	WHERE block.state = 1 AND block.not_before <= :now AND notice.held_at IS NULL AND notice.superseded_at IS NULL
	UNION ALL
	SELECT CASE WHEN created_at > not_before THEN created_at ELSE not_before END AS due
	FROM message WHERE block_id = 0 AND state IN (1, 3, 7) AND state = 1 AND attempts = 0 AND not_before <= :now) AS waiting;

-- --- for `chancery check`

-- name: check_rows :many
-- row: check_sum
-- column: people INTEGER
SELECT notice_id, channel, state, count(*) AS people FROM message GROUP BY notice_id, channel, state;

-- name: check_doubts :many
-- row: check_sum
-- column: people INTEGER
-- column: state INTEGER
SELECT notice_id, channel, 100 AS state, count(*) AS people FROM message WHERE was_in_doubt = 1 GROUP BY notice_id, channel;

-- Frozen blocks are queued, dropped ones superseded.
-- name: check_blocks :many
-- row: check_sum
-- column: people INTEGER
-- column: state INTEGER
SELECT notice_id, channel, CASE WHEN state = 1 THEN 1 ELSE 9 END AS state, CAST(sum(people) AS INTEGER) AS people
FROM block WHERE state IN (1, 3) AND channel > 0 GROUP BY notice_id, channel, CASE WHEN state = 1 THEN 1 ELSE 9 END;

-- name: check_counters :many
-- row: check_sum
SELECT notice_id, channel, state, people FROM message_counter;

-- --- the inbox's pages

-- One page of the inbox: what waits (urgent first, then the oldest), or what is closed (newest first).
-- name: inbox_list_waiting :many
-- row: inbox_row
-- parameter: most INTEGER
-- parameter: skip INTEGER
SELECT incoming.id, incoming.public_id, incoming.channel, incoming.received_at, incoming.state, incoming.why, incoming.urgent,
	incoming.owner_id, officer.name AS owner_name, incoming_text.body
FROM incoming JOIN incoming_text ON incoming_text.incoming_id = incoming.id LEFT JOIN officer ON officer.id = incoming.owner_id
WHERE incoming.state = 3 ORDER BY incoming.urgent DESC, incoming.received_at, incoming.id LIMIT :most OFFSET :skip;

-- name: inbox_list_closed :many
-- row: inbox_row
-- parameter: most INTEGER
-- parameter: skip INTEGER
SELECT incoming.id, incoming.public_id, incoming.channel, incoming.received_at, incoming.state, incoming.why, incoming.urgent,
	incoming.owner_id, officer.name AS owner_name, incoming_text.body
FROM incoming JOIN incoming_text ON incoming_text.incoming_id = incoming.id LEFT JOIN officer ON officer.id = incoming.owner_id
WHERE incoming.state = 4 ORDER BY incoming.closed_at DESC, incoming.id DESC LIMIT :most OFFSET :skip;

-- name: inbox_find :one
-- row: inbox_item
SELECT incoming.id, incoming.public_id, incoming.channel, incoming.received_at, incoming.state, incoming.why, incoming.keyword,
	incoming.urgent, incoming.person_id, incoming.event_id, incoming.answer_id, incoming.owner_id, officer.name AS owner_name,
	incoming.owned_at, incoming.closed_at, incoming.outcome, incoming_text.address, incoming_text.recipient,
	incoming_text.subject, incoming_text.message_id, incoming_text.body
FROM incoming JOIN incoming_text ON incoming_text.incoming_id = incoming.id LEFT JOIN officer ON officer.id = incoming.owner_id
WHERE incoming.public_id = :public_id;

-- What else came from the same address, newest first.
-- name: inbox_list_same :many
-- parameter: most INTEGER
SELECT incoming.public_id, incoming.received_at, incoming.state, incoming_text.body
FROM incoming_text JOIN incoming ON incoming.id = incoming_text.incoming_id
WHERE incoming_text.address = :address AND incoming.id <> :id ORDER BY incoming.id DESC LIMIT :most;

-- name: inbox_action_list :many
SELECT inbox_action.id, inbox_action.action, inbox_action.was_state, inbox_action.was_owner, inbox_action.message_id,
	inbox_action.undone_by, inbox_action.at, officer.name AS officer_name, inbox_note.text
FROM inbox_action LEFT JOIN officer ON officer.id = inbox_action.officer_id
	LEFT JOIN inbox_note ON inbox_note.action_id = inbox_action.id
WHERE inbox_action.incoming_id = :incoming_id ORDER BY inbox_action.id;

-- name: inbox_action_insert :one
INSERT INTO inbox_action (incoming_id, officer_id, action, was_state, was_owner, message_id, form_key, at)
VALUES (:incoming_id, :officer_id, :action, :was_state, :was_owner, :message_id, :form_key, :at)
ON CONFLICT (form_key) DO NOTHING RETURNING id;

-- name: inbox_action_find_key :one
SELECT incoming_id, action FROM inbox_action WHERE form_key = :form_key;

-- name: inbox_action_set_message :exec
UPDATE inbox_action SET message_id = :message_id WHERE id = :id;

-- name: inbox_note_insert :exec
INSERT INTO inbox_note (action_id, text) VALUES (:action_id, :text);

-- The newest action that can be taken back.
-- name: inbox_action_last :one
SELECT id, action, was_state, was_owner FROM inbox_action
WHERE incoming_id = :incoming_id AND undone_by IS NULL AND action IN (1, 2, 3, 5, 7) ORDER BY id DESC LIMIT 1;

-- name: inbox_action_undo :exec
UPDATE inbox_action SET undone_by = :undone_by WHERE id = :id AND undone_by IS NULL;

-- Changes owner and state, if both are still what the officer saw.
-- name: inbox_set :exec
-- parameter: seen_state INTEGER
-- parameter: seen_owner INTEGER
UPDATE incoming SET state = :state, owner_id = :owner_id, owned_at = :owned_at, closed_at = :closed_at, outcome = :outcome,
	person_id = :person_id, event_id = :event_id
WHERE id = :id AND state = :seen_state AND coalesce(owner_id, 0) = :seen_owner;

-- Everything a person was sent or is to be sent, newest notice first.
-- name: lookup_list :many
-- row: lookup_row
SELECT message.id, message.notice_id, message.event_id, message.channel, message.lane, message.state, message.reason,
	message.was_in_doubt, message.attempts, message.parts, message.parts_delivered, message.status_code, message.not_before,
	message.created_at, message.submitted_at, message.accepted_at, message.ended_at, message.carrier_id, message.carrier_status,
	route.name AS route_name
FROM message LEFT JOIN route ON route.id = message.route
WHERE message.person_id = :person_id AND message.notice_id > 0 ORDER BY message.notice_id DESC, message.channel LIMIT 200;

-- name: lookup_list_single :many
-- row: lookup_row
SELECT message.id, message.notice_id, message.event_id, message.channel, message.lane, message.state, message.reason,
	message.was_in_doubt, message.attempts, message.parts, message.parts_delivered, message.status_code, message.not_before,
	message.created_at, message.submitted_at, message.accepted_at, message.ended_at, message.carrier_id, message.carrier_status,
	route.name AS route_name
FROM message LEFT JOIN route ON route.id = message.route
WHERE message.person_id = :person_id AND message.notice_id = 0 ORDER BY message.id DESC LIMIT 50;

-- Frozen blocks that may hold a person: nothing has been made of them yet.
-- name: lookup_list_frozen :many
-- parameter: person_id INTEGER
SELECT notice.id, notice.event_id, notice.held_at, block.channel, block.not_before, block.ids
FROM block JOIN notice ON notice.id = block.notice_id
WHERE block.state = 1 AND block.first_person <= :person_id AND block.last_person >= :person_id AND notice.superseded_at IS NULL
ORDER BY notice.id DESC LIMIT 500;
